"""Asking which documents are near a query in meaning: one look for one search, or none, and never an error.

A model that fails, vectors that cannot be read, or a cluster that does not say
what is near, rest for half a minute: a search waits for them once, not each
time. What was asked is neither kept nor logged.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from knowledge.documents import Near, Query, Scope
from knowledge.index import IndexProblem
from knowledge.index.asked import asked_words
from knowledge.meaning import OTHER_SIZE, Look, ModelProblem, TextRefused, store
from knowledge.meaning.encoders import Encoder, chosen

logger = logging.getLogger(__name__)

SECONDS = 0.4
"""How long a search waits for a service that embeds."""
REST = 30.0
LEAST = 0.33
"""The cosine from which on a document is found by meaning alone: what has nothing to do with a query stays below."""
SHARE = 0.75
"""And it is at least so large a part of the largest one: where something fits, what fits vaguely is not shown."""
MOST = 30
"""Documents that are found by meaning alone, at most."""
WIDE = 300
"""Of so many it is asked which ones satisfy a query's filters."""

UNREADABLE = "The vectors in {} cannot be read ({}). Delete that folder: it is written again from the database."

_resting: dict[str, float] = {}
_lock = threading.Lock()


def look(query: Query, scope: Scope) -> Look | None:
    """How near each document in the scope is to what a query says; `None` where nobody can tell just now."""
    text = " ".join(asked_words(query))
    encoder = _rested() if text else None
    if encoder is None:
        return None
    try:
        found = store.serving(now=False)
        if found is None or found[0]["model"] != encoder.fingerprint:
            return None
        vector = encoder.encode([text], seconds=SECONDS)[0]
        if len(vector) != found[1].size:
            raise ModelProblem(OTHER_SIZE.format(len(vector), found[1].size))
        return _Patient(found[1].look(vector, scope), encoder)
    except TextRefused:  # these words alone: the next search may ask
        return None
    except Exception as problem:  # whatever is wrong with a model or its vectors, words find
        _rest(encoder, problem)
        return None


_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class _Patient:
    """A look that says nothing more where it gets no answer: the search goes on by words."""

    look: Look
    encoder: Encoder

    def best(self, count: int, least: float) -> list[Near]:
        return self._told(lambda: self.look.best(count, least), [])

    def of(self, keys: Iterable[str]) -> dict[str, float]:
        return self._told(lambda: self.look.of(keys), {})

    def passage(self, key: str) -> bytes | None:
        return self._told(lambda: self.look.passage(key), None)

    def _told(self, ask: Callable[[], _Told], nothing: _Told) -> _Told:
        if _rests(self.encoder):
            return nothing
        try:
            return ask()
        except Exception as problem:  # as in `look`
            _rest(self.encoder, problem)
            return nothing


def _rest(encoder: Encoder, problem: Exception) -> None:
    said = str(problem)
    if not isinstance(problem, ModelProblem | IndexProblem):
        said = UNREADABLE.format(store.root(), type(problem).__name__)
    logger.warning("searching by words alone for %.0f seconds: %s", REST, said)
    with _lock:
        _resting[_name(encoder)] = time.monotonic() + REST


def _rests(encoder: Encoder) -> bool:
    return _resting.get(_name(encoder), 0.0) > time.monotonic()


def _rested() -> Encoder | None:
    encoder = chosen()
    return None if encoder is None or _rests(encoder) else encoder


def _name(encoder: Encoder) -> str:
    return f"{type(encoder).__name__} {id(encoder)}"


def warm() -> None:
    """Read the model and the vectors before the first search needs them; harmless where there are none."""
    try:
        look(Query(text="warm", words=("warm",)), Scope(frozenset({0}), frozenset({""})))
    except Exception:  # whatever is wrong is told when somebody searches
        logger.debug("search by meaning could not be warmed up", exc_info=True)
