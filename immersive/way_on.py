"""Ways on from a search: people who know and a tool; where nothing is found, less asked for, and later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.views.decorators.debug import sensitive_variables

from experts import finder
from experts.finder import Expert
from knowledge.access import Ground, Viewer
from knowledge.documents import Query, Result, ResultPage
from knowledge.relaxing import Relaxed, relaxed
from knowledge.waiting import is_waiting

PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Rail:
    """What stands beside a page of results: people who know, and the first tool among them."""

    people: Sequence[Expert]
    tool: Result | None

    def __bool__(self) -> bool:
        return bool(self.people or self.tool)


@dataclass(frozen=True, slots=True)
class WayOn:
    """Everything that can be said to somebody who found nothing. ``waits``: they are told already when there is."""

    less: Relaxed | None
    people: Sequence[Expert]
    waits: bool


@sensitive_variables()
def rail(found: ResultPage, viewer: Viewer, ground: Ground) -> Rail | None:
    """What stands beside the first page of results: further on one is reading, not looking for whom to ask.

    Of the viewer in this request alone, and kept nowhere. Where nothing but people is asked for they are the results.
    """
    if not found.results or found.near_only or found.titles_only or found.page > 1:
        return None
    tool = next((result for result in found.results if result.resource.kind == "tool"), None)
    if set(found.query.kinds) == {"person"}:
        return None
    return Rail(_others(found.query, viewer, ground, found), tool)


@sensitive_variables()
def way_on(found: ResultPage, text: str, viewer: Viewer, ground: Ground) -> WayOn | None:
    """The way on from a page where nothing holds what was asked for; `None` from any other.

    Where nothing but titles was looked at nobody knows what holds it.
    ``ground`` is that of the search. Where something is near in meaning and less
    asked for finds more, that is enough: people are not looked for as well.
    """
    if not found.query or found.titles_only or (found.results and not found.near_only):
        return None
    less = relaxed(found.query, viewer, ground)
    people: Sequence[Expert] = ()
    if not (found.results and less):
        near = less.found if less and not found.results else found
        people = _others(found.query, viewer, ground, near)
    return WayOn(less, people, is_waiting(text, viewer))


def _others(query: Query, viewer: Viewer, ground: Ground, found: ResultPage) -> Sequence[Expert]:
    """Who knows, but for whoever looks: they need not be told to ask themselves."""
    return finder.find(query, viewer, ground=ground, found=found, count=PEOPLE, without=[viewer.person_id or 0])
