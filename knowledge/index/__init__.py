"""The face of the index: what every engine can do, and which one settings choose.

An engine retrieves, filters and counts. It does not decide the order
(`knowledge.ranking` does) and knows nothing of Django or the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from knowledge.documents import Candidate, IndexDocument, Query, Scope


class IndexError_(Exception):
    """Base of what an engine raises; the message says the cure."""


class IndexMissing(IndexError_):
    """There is no usable index here (deleted, never built, or of another schema): it must be rebuilt."""


class WriterBusy(IndexError_):
    """Another process is writing; come back later (callers back off with jitter)."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What an engine found inside a scope.

    ``candidates`` are the best by the engine's own score, unordered as far as
    anybody is concerned; ``total`` and ``facets`` count every match in scope.
    ``facets``: field (``kind``, ``source``, ``topic``) -> value -> count.
    """

    candidates: Sequence[Candidate] = ()
    total: int = 0
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the documents that everyone may read: their number, mean lengths, and document frequency by term."""

    documents: int
    mean_title_length: float
    mean_body_length: float
    frequency: Mapping[str, int]


class Engine(Protocol):
    """One generation of an index, open for reading and, in one process at a time, writing."""

    generation: str

    def write(self, add: Iterable[IndexDocument] = (), delete: Iterable[str] = ()) -> None:
        """Commit one batch: replace documents of the same key, remove keys. Raises `WriterBusy`, `IndexMissing`."""
        ...

    def search(self, query: Query, scope: Scope, *, limit: int = 300, facets: bool = True) -> Matches: ...

    def statistics(self, terms: Iterable[str]) -> Statistics: ...

    def count(self) -> int:
        """Documents in the index, whoever may see them (for operators only)."""
        ...

    def collect_garbage(self) -> int:
        """Remove files that no commit refers to; the number of bytes freed."""
        ...

    def close(self) -> None: ...
