"""Who knows about something: people ranked by the documents near to it that the asker may read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F
from django.urls import reverse
from django.utils.http import urlencode

from experts.evidence import sentence
from experts.models import Person
from knowledge import index
from knowledge.access import Ground, Viewer
from knowledge.documents import Query, ResultPage
from knowledge.index.language import parse
from knowledge.models import Resource
from knowledge.search import Found, retrieve

DEPTH = 100
"""Documents that vote."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a person, in words, and where it can be opened."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Expert:
    """A person with what speaks for them; ``score`` orders and is shown to nobody."""

    person: Person
    score: float
    reasons: tuple[Reason, ...]
    documents: int
    last: datetime | None


def find(
    asked: str | Query | Sequence[str],
    viewer: Viewer,
    *,
    ground: Ground | None = None,
    found: ResultPage | Found | None = None,
    count: int = 5,
    without: Collection[int] = (),
) -> list[Expert]:
    """Who knows about ``asked`` (text, a query, or names of topics), best first, as far as the viewer may know.

    ``found``: what a search of this request found already; ``without``: ids of people to leave out.
    """
    query = _query(asked)
    if not query:
        return []
    try:
        hits = found if isinstance(found, Found) else retrieve(query, ground or Ground(viewer))
    except index.IndexProblem:
        return []
    keys = [UUID(hit.key) for hit in hits.hits[:DEPTH]]
    rank = {key: place for place, key in enumerate(keys, 1)}
    rows = (
        Resource.objects.visible_to(viewer)
        .filter(public_id__in=keys, contributions__person__in=Person.objects.findable())
        .exclude(kind="person")
        .values_list("public_id", "kind", F("contributions__person"), F("contributions__last"))
    )
    told: dict[int, dict[Any, tuple[str, datetime | None]]] = defaultdict(dict)
    for key, kind, who, last in rows:
        told[who][key] = (kind, last)
    scores = {who: sum(1 / rank[key] for key in of) for who, of in told.items() if who not in without}
    best = sorted(scores, key=lambda who: (-scores[who], who))[:count]
    people = Person.objects.visible_to(viewer).in_bulk(best)
    return [_expert(people[who], scores[who], told[who]) for who in best if who in people]


def _query(asked: str | Query | Sequence[str]) -> Query:
    if isinstance(asked, Query):
        return asked
    return parse(asked if isinstance(asked, str) else " ".join(asked))


def _expert(person: Person, score: float, told: dict[Any, tuple[str, datetime | None]]) -> Expert:
    kinds: dict[str, list[datetime | None]] = defaultdict(list)
    for kind, last in told.values():
        kinds[kind].append(last)
    parts = [(kind, len(dates), max(filter(None, dates), default=None)) for kind, dates in kinds.items()]
    wrote = 'by:"{}"'.format(person.display_name.replace('"', " "))
    url = f"{reverse('search')}?{urlencode({'q': wrote})}"
    last = max((when for _, _, when in parts if when), default=None)
    return Expert(person, score, (Reason(sentence(parts), url),), len(told), last)
