"""What a page offers where a search found nothing: less asked for, people who know, and to be told later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.views.decorators.debug import sensitive_variables

from experts.evidence import Knower, who_knows
from knowledge.access import Ground, Viewer
from knowledge.documents import Query, ResultPage
from knowledge.index.analysis import topic_key
from knowledge.index.asked import asked_words
from knowledge.relaxing import Relaxed, relaxed
from knowledge.waiting import is_waiting

MOST_TOPICS = 40


@dataclass(frozen=True, slots=True)
class WayOn:
    """Everything that can be said to somebody who found nothing. ``waits``: they are told already when there is."""

    less: Relaxed | None
    people: Sequence[Knower]
    waits: bool


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
    people: Sequence[Knower] = ()
    if not (found.results and less):
        results = found.results or (less.found.results if less else ())
        topics = list(dict.fromkeys(_topics(found.query)))[:MOST_TOPICS]
        people = who_knows([result.resource.pk for result in results], topics, viewer)
    return WayOn(less, people, is_waiting(text, viewer))


def _topics(query: Query) -> Iterator[str]:
    """Topics that may be meant: those that are named, and what up to three words of the query side by side say."""
    yield from map(topic_key, query.topics)
    words = asked_words(query)
    for length in (3, 2, 1):
        for at in range(len(words) - length + 1):
            yield topic_key(" ".join(words[at : at + length]))
