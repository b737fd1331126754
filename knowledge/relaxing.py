"""Where a search finds nothing: what it would find with less asked for, and which part was too much.

Bare words are wishes already (any of them will do). What can stand in the way
is what binds: filters, dates, quotation marks, words to leave out. They are
taken away one by one, then together, and the first that helps is offered.
Each try is a search of its own inside the viewer's rights, with its own recheck.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from knowledge.access import Ground, Viewer
from knowledge.documents import Query, ResultPage, Term
from knowledge.index.asked import asked_words
from knowledge.index.language import FIELDS, to_text
from knowledge.search import search

TRIES = 5
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A query that finds something, as text, what of the first one was left out for it, and its best results."""

    text: str
    left_out: tuple[str, ...]
    found: ResultPage


def relaxed(query: Query, viewer: Viewer, ground: Ground | None = None) -> Relaxed | None:
    """The least relaxed form of a query whose words stand somewhere for this viewer; `None` where there is none.

    ``ground`` as in `search`: all tries together ask the database for what is shown of the last one.
    """
    ground = ground or Ground(viewer)
    for number, (less, left_out) in enumerate(_less(query)):
        if number == TRIES:
            break
        found = search(less, viewer, per_page=SHOWN, remember=False, as_typed=True, near=False, ground=ground)
        if found.results:
            return Relaxed(to_text(less), left_out, found)
    return None


def _less(query: Query) -> Iterator[tuple[Query, tuple[str, ...]]]:
    """Queries that ask for less, and what each leaves out, in words; without words none is worth a try."""
    words = asked_words(query)
    if not words:
        return
    filters = dict(_filters(query))
    signs = _signs(query)
    bare: dict[str, Any] = {"words": words, "phrases": (), "choices": (), "not_words": ()}
    open_wide: dict[str, Any] = {name: value for change, _ in filters.values() for name, value in change.items()}
    if signs:
        yield replace(query, **bare), signs
    for change, said in filters.values():
        yield replace(query, **change), said
    everything = tuple(word for _, said in filters.values() for word in said)
    if len(filters) > 1:
        yield replace(query, **open_wide), everything
    if filters and signs:
        yield replace(query, **open_wide, **bare), (*signs, *everything)


def _filters(query: Query) -> Iterator[tuple[str, tuple[dict[str, Any], tuple[str, ...]]]]:
    """Each filter that is set: how it is taken away, and how a person would name it."""
    if query.after or query.before:
        said = [f"after: {query.after:%-d %B %Y}"] if query.after else []
        said += [f"before: {query.before + timedelta(days=1):%-d %B %Y}"] if query.before else []  # as it was typed
        yield "dates", ({"after": None, "before": None}, tuple(said))
    for name, field in FIELDS.items():
        if values := getattr(query, field):
            yield name, ({field: ()}, tuple(f"{name}: {getattr(value, 'name', value)}" for value in values))


def _signs(query: Query) -> tuple[str, ...]:
    """What binds the words, as a person would name it."""
    bound = [f"“{each.text}” word for word" for each in query.phrases if not each.exclude]
    bound += [" OR ".join(map(_named, each.terms)) for each in query.choices if not each.exclude]
    without = [*query.not_words, *(f"“{each.text}”" for each in query.phrases if each.exclude)]
    without += [_named(term) for each in query.choices if each.exclude for term in each.terms]
    return (*bound, *(f"not {word}" for word in without))


def _named(term: Term) -> str:
    """One term as it is typed."""
    text = f"{term.text}*" if term.form == "prefix" else term.text
    return f"title: {text}" if term.title else text
