"""What the search page reads from its address, made into one text of the query language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone

from knowledge.documents import Facet, Phrase, Query, ResultPage
from knowledge.index.language import FIELDS, filters, parse, tidied, to_text, without_dates

FACETS = {"kind": "Kind", "source": "Source", "topic": "Topic"}
"""The filters that have a box each, in the order of the page, with their headings."""
AGES = {"": "Any time", "month": "Past month", "year": "Past year"}
DAYS = {"month": 30, "year": 365}
SHOWN = 8
"""Values of one facet that show before "more" is opened."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, in words, and the text of the search without it."""

    label: str
    without: str


@dataclass(frozen=True, slots=True)
class Group:
    """One facet as the page shows it: those that show at once and those behind "more"."""

    name: str
    label: str
    first: tuple[Facet, ...]
    more: tuple[Facet, ...]


def asked_for(data: QueryDict) -> tuple[str, int]:
    """The search's text and page number.

    ``narrow`` says that the boxes beside the results were used: what they say
    replaces the same operators of the text, because a box and its operator
    are one thing. Anything odd in the address is read as the nearest sane
    value, never refused.
    """
    text = tidied(data.get("q", ""))
    if data.get("narrow"):
        query = parse(text)
        chosen: dict[str, Any] = {FIELDS[name]: tuple(dict.fromkeys(data.getlist(name))) for name in FACETS}
        age = data.get("age", "keep")
        if age != "keep":
            days = DAYS.get(age)
            after = timezone.localdate() - timedelta(days=days) if days else None
            query = replace(without_dates(query), after=after)
        text = to_text(replace(query, **chosen))
    page = data.get("page", "1")
    return text, int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1


def as_typed(data: QueryDict) -> bool:
    """Whether the address asks for exactly what was typed, misspelled or not."""
    return data.get("typed") == "1"


def exactly(query: Query) -> str:
    """The same search with its bare words as they were typed: each must be there, and none has synonyms."""
    said = tuple(Phrase(word) for word in query.words)
    return to_text(replace(query, words=(), phrases=(*said, *query.phrases)))


def words(query: Query) -> str:
    """What was typed, without operators: the words that a task can begin with."""
    return " ".join([*query.words, *_signed(query, exclude=False)])


def left_out(query: Query) -> str:
    """What was typed to be left out."""
    return " ".join([*query.not_words, *_signed(query, exclude=True)])


def _signed(query: Query, *, exclude: bool) -> list[str]:
    """The words in phrases and choices."""
    terms = [term.text for choice in query.choices if choice.exclude == exclude for term in choice.terms]
    return [*(phrase.text for phrase in query.phrases if phrase.exclude == exclude), *terms]


def chips(query: Query) -> list[Chip]:
    """Every filter that is set, so that each can be taken away by one link."""
    return [Chip(f"{name}: {value}", without.text) for name, value, without in filters(query)]


def groups(facets: Any) -> list[Group]:
    """The facets that have something to choose from; chosen values always show."""
    made = []
    for name, label in FACETS.items():
        values = sorted(facets.get(name, ()), key=lambda facet: not facet.chosen)
        if values:
            made.append(Group(name, label, tuple(values[:SHOWN]), tuple(values[SHOWN:])))
    return made


def age_of(query: Query) -> str:
    """Which box of freshness the query's dates mean; "keep" when they are none of them."""
    if not (query.after or query.before):
        return ""
    for age, days in DAYS.items():
        if query.after == timezone.localdate() - timedelta(days=days) and not query.before:
            return age
    return "keep"


def people_in(found: ResultPage) -> list[UUID]:
    """Ids of the people among the results."""
    return [UUID(result.resource.facts["person"]) for result in found.results if "person" in result.resource.facts]
