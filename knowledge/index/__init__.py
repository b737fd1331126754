"""The face of the index: what every engine can do, and which one settings choose.

An engine retrieves, filters and counts. It does not decide the order
(`knowledge.ranking` does) and knows nothing of Django or the database.

Readers call `open_for_reading` for every request; it is cheap, sees every
commit and says `IndexMissing` when there is nothing to read. The one writing
process calls `writer`. Which one serves is the business of `generations`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from knowledge.documents import Candidate, IndexDocument, Query, Scope


class IndexProblem(Exception):
    """Base of what an engine raises; the message says the cure."""


class IndexMissing(IndexProblem):
    """There is no usable index here (deleted, never built, or of another schema): it must be rebuilt."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or "There is no index to search yet: it is built by `manage.py rebuild_index`.")


class IndexUnreachable(IndexProblem):
    """The index is on other machines and they do not answer now: what it holds stays, and it is asked again later."""


class WriterBusy(IndexProblem):
    """Another process is writing; come back later (callers back off with jitter)."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What an engine found inside a scope.

    ``candidates`` are the best by the engine's own score, unordered as far as
    anybody is concerned; ``total`` and ``facets`` count every match in scope.
    ``facets``: field (``kind``, ``source``, ``topic``) -> value -> count, the
    most frequent values only (`schema.MOST_FACETS`). A kind is its name, a
    source its id in decimal, a topic its name as the document gave it.
    """

    candidates: tuple[Candidate, ...] = ()
    total: int = 0
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the documents that everyone may read: their number, mean lengths in tokens, document frequency by term."""

    documents: int
    mean_title_length: float
    mean_body_length: float
    frequency: Mapping[str, int]


ANYTHING = Query()
"""Binds nothing and filters nothing."""


class Engine(Protocol):
    """One generation of an index, open for reading and, in one process at a time, writing.

    Threads may share it. Made as ``Engine(folder, **options)``: the folder is
    made into an empty index if it is empty; `None` means in memory. An engine
    whose data is on other machines takes the generation's name from the folder
    and has a ``shelf`` (see `generations`); its `None` is gone with the object.
    One beside which vectors can be kept and compared says so by a method
    ``vectors(**options)`` (see `knowledge.meaning.store`).
    """

    def __init__(self, folder: Path | None, **options: Any) -> None: ...

    def write(self, add: Iterable[IndexDocument] = (), delete: Iterable[str] = ()) -> None:
        """Commit one batch: remove keys, replace documents of the same key; all of it or nothing.

        Raises `WriterBusy` when another process writes, `IndexProblem` when
        the batch could not be written (a full disk): the last commit stays.
        """
        ...

    def search(self, query: Query, scope: Scope, *, limit: int = 300, minimum: int = 1, facets: bool = True) -> Matches:
        """The matches inside the scope: the best ``limit`` as candidates, all of them counted.

        A match holds at least ``minimum`` of `asked.wishes`, the query's
        words that weigh (fewer than the minimum: all), every phrase, one term
        of each choice, nothing that is excluded, and satisfies each filter.
        Where the query does not speak candidates are the newest. Sources are
        asked for by id in decimal, topics, places and people by name in any
        spelling, people also by a part of the name. Excluded words and
        phrases are compared as written (folded), words by their stems. A
        prefix stands for what `beginning` says (`asked.expanded`).
        """
        ...

    def fetch(self, keys: Iterable[str], scope: Scope, query: Query = ANYTHING) -> tuple[Candidate, ...]:
        """Of these documents those inside the scope that hold what a query binds and satisfy its filters.

        Its bare words and their synonyms are wishes and narrow nothing here. In no order; at most 1,000 keys.
        """
        ...

    def beginning(self, prefix: str, scope: Scope, *, limit: int, title: bool = False) -> tuple[str, ...]:
        """Words as written (tokens of the field ``exact``, or of titles) that begin so in documents inside the scope.

        At most ``limit``, those in most documents of the scope first, ties in
        the order of the words: a document outside the scope changes nothing.
        """
        ...

    def names(
        self, words: Sequence[str], scope: Scope, *, kinds: Collection[str] = (), slips: bool = False, limit: int = 20
    ) -> tuple[str, ...]:
        """Keys of documents inside the scope whose titles hold these words, highest `schema.name_rank` first.

        ``words`` are of `analysis.tokens`. Each stands for every token of the
        title that begins with it, or (all but the last, which is still being
        typed) that has its stem; ``^pump`` stands for a title's first token.
        With ``slips`` a token may differ from a word as `near.slips` allows.
        ``kinds``: of these only.
        """
        ...

    def topics(self, words: Sequence[str], scope: Scope, *, slips: bool = False) -> Mapping[str, int]:
        """Topics of documents inside the scope, as they give them, and how many of these documents have each.

        Those in whose name each of the words begins a word, as `names` does it without stems.
        """
        ...

    def similar(self, word: str, scope: Scope) -> Mapping[str, int]:
        """Tokens of documents inside the scope that are nearly this one, and how many of these documents hold each.

        All that differ by as many slips as `near.slips` allows; of those that
        differ by two, the ones that begin as `near.beginnings` says. What
        other documents hold changes neither which are found nor a count.
        """
        ...

    def statistics(self, terms: Iterable[str]) -> Statistics:
        """Figures for ranking. Terms are of `analysis.terms_of`."""
        ...

    def languages(self) -> tuple[str, ...]:
        """Languages of the documents in the index, for `analysis.terms_of`."""
        ...

    def count(self) -> int:
        """Documents in the index, whoever may see them (for operators only)."""
        ...

    def refresh(self) -> None:
        """See the newest commit. Raises `IndexMissing` when the files are gone."""
        ...

    def collect_garbage(self) -> int:
        """Remove files that no commit refers to; the number of bytes freed. Only for the writing process."""
        ...

    def close(self) -> None:
        """Finish what is being written in the background and let go of the files."""
        ...


def engine_class(alias: str | None = None) -> tuple[str, type[Engine], dict[str, Any]]:
    """The dotted path, class and options of an engine (by default the one that settings choose)."""
    from django.conf import settings

    chosen = dict(settings.SEARCH_ENGINES[alias or settings.SEARCH_ENGINE])
    path = chosen.pop("ENGINE")
    module, _, name = path.rpartition(".")
    return path, cast("type[Engine]", getattr(import_module(module), name)), chosen


def in_memory(alias: str | None = None) -> Engine:
    """An empty index that lives as long as the object."""
    _, engine, options = engine_class(alias)
    return engine(None, **options)


_opened: dict[Path, Engine] = {}
_opening = threading.Lock()


def open_for_reading() -> Engine:
    """The serving index at its newest commit, shared by the threads of this process. Raises `IndexMissing`."""
    from knowledge.index import generations

    generation = generations.current()
    folder = generations.data_of(generation) if generation else None
    engine = _opened.get(folder) if folder else None
    if engine is None:
        with _opening:
            for old in _opened.keys() - {folder}:
                _opened.pop(old)  # other threads may still be reading it: it closes with its last reference
            if folder is None:
                raise IndexMissing
            engine = _opened.get(folder)
            if engine is None:
                _, make, options = engine_class()
                engine = _opened[folder] = make(folder, **options)
    try:
        engine.refresh()
    except IndexMissing:
        with _opening:
            _opened.pop(cast("Path", folder), None)
        raise
    return engine


@contextmanager
def writer(generation: str | None = None, *, patience: float = 1.0) -> Iterator[Engine]:
    """A generation (by default the serving one), open for writing by nobody else.

    Tries for ``patience`` seconds with jitter, then raises `WriterBusy`;
    raises `IndexMissing` when there is no such generation.
    """
    from knowledge.index import generations

    with writing_alone(patience):
        generation = generation or generations.current()
        if generation is None or not generations.usable(generation):
            raise IndexMissing
        _, make, options = engine_class()
        engine = make(generations.data_of(generation), **options)
        try:
            yield engine
        finally:
            engine.close()


def writing_alone(patience: float = 1.0) -> AbstractContextManager[None]:
    """Keep every other writer out, in this process and in others, also if this one is killed."""
    from knowledge.index import generations

    return generations.shelf().alone(patience)
