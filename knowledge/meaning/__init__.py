"""Search by meaning: passages near a question in what they say, beside those that share its words.

`encoder` is the model that settings choose, if there is one here; `look` is
one search. Both are missed gracefully: search is complete by words, and says
nothing of meaning where the model, its library or its vectors are away.

Vectors are `Kept` in files of this machine (`matrix`) or, where the index is a
cluster that can compare them, beside it (`index.opensearch_vectors`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from knowledge.documents import Entry, Near, Rights, Scope


class ModelProblem(Exception):
    """The model cannot be used; the message says the cure. Search goes on by words."""


class TextRefused(ModelProblem):
    """The model is well, but will not take one of these texts."""


OTHER_SIZE = (
    "The model gives vectors of {} numbers, and those that are kept have {}. Let it answer as before, or say in "
    "EMBEDDINGS_MODEL which one is meant: a model of another size has another name. Search goes on by words meanwhile."
)


class Look(Protocol):
    """One question against all documents of a scope: what is outside it has no part in any answer."""

    def best(self, count: int, least: float) -> list[Near]:
        """At most ``count`` documents whose nearest passage is at least so like the question, the nearest first."""
        ...

    def of(self, keys: Iterable[str]) -> dict[str, float]:
        """The cosines of these documents, of those that are known and may be seen."""
        ...

    def passage(self, key: str) -> bytes | None:
        """The hash of a document's nearest passage."""
        ...


class Kept(Protocol):
    """The vectors of one model, wherever they are kept. ``vector`` has length one."""

    size: int

    @property
    def id(self) -> str:
        """Names them; others that are made later have another name."""
        ...

    @property
    def rows(self) -> int:
        """How many documents were ever written here: less or more than the database knows of is another database's."""
        ...

    def count(self) -> int:
        """Passages that they hold."""
        ...

    def look(self, vector: Any, scope: Scope) -> Look:
        """How near each document is to a question's vector, for whoever has this scope."""
        ...

    # Writing: inside `store.writing` --------------------------------------------------------------------------------

    def write(self, entries: Sequence[Entry]) -> None:
        """Put documents in the place of what was known of them."""
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Let nobody find these documents, and keep nothing of what they said."""
        ...

    def change(self, rights: Mapping[str, Rights]) -> None:
        """Let these documents be seen by whom they say from now on, where they are known."""
        ...

    def tidy(self) -> Kept:
        """Give back the room of what is gone, if it is much; the vectors that serve then."""
        ...
