"""What each route would be for one task: the tools, people, pages and courses that this worker may see.

Nothing here decides: `routes` weighs what is gathered. Everything comes from
the one search and the finder, so that what the worker may not read takes no
part. Beside its own words a tool counts where a page about the task names it:
people write down "put it into Docket" far from where Docket says what it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from experts import finder
from experts.models import Offer, Person
from experts.room import room, with_room
from immersive.work.routes import Candidate, Reason, Route
from knowledge import index
from knowledge.access import Ground, Viewer
from knowledge.index.analysis import content_words, stem, tokens, topic_key
from knowledge.index.language import parse
from knowledge.models import Resource
from knowledge.search import Found, retrieve

if TYPE_CHECKING:
    from knowledge.documents import Hit, Query

KINDS = {
    Route.TOOL: ("tool",), Route.HAND_OVER: ("person",), Route.INFORMAL: ("page", "answer", "video", "lesson"),
    Route.FORMAL: ("course",),
}  # fmt: skip
MOST = {Route.TOOL: 4, Route.HAND_OVER: 3, Route.INFORMAL: 5, Route.FORMAL: 3}
"""How many of each search are looked at."""
PEOPLE = 5
MOST_ROWS = 60
MOST_TOOLS = 2000
"""Tools whose names are looked for in pages."""
UNLIKE, ALIKE = 0.25, 0.55
"""Cosines between which meaning begins to fit, and fits wholly."""
NAMED, TITLED = 0.7, 1.0
"""What it counts that a page about the task names a tool, in its text or its title, beside how well the page fits."""
OF_TOPIC = 0.8
"""How well a course fits that bears all topics that are to be learnt."""
A_DAY = 8.0
"""Working hours of a day."""
A_NIGHT = 0.6 * A_DAY
"""Working hours until somebody who is asked now is likely to begin."""


@dataclass(frozen=True, slots=True)
class Near:
    """A resource that the worker may read, and how well it fits the task, 0..1."""

    resource: Any
    fit: float


def gather(
    words: str, viewer: Viewer, *, known: Mapping[str, float] | None = None, ground: Ground | None = None
) -> list[Candidate]:
    """Candidates for every route for which there is something; doing it oneself always.

    ``known``: topics of the task, and which part of each the worker knows (0..1).
    At most four searches in the index and the finder's own reading; six questions to the database beside those.
    """
    alone = Candidate(Route.DO, title="On your own")
    query = parse(words)
    if not query:
        return [alone]
    ground = ground or Ground(viewer)
    found = {route: _found(replace(query, kinds=kinds), ground) for route, kinds in KINDS.items()}
    unknown = {topic_key(name) for name, part in (known or {}).items() if part < 1}
    near = _near(found, viewer, unknown)
    return [
        alone,
        *_tools(near[Route.TOOL], near[Route.INFORMAL], words, viewer),
        *_people(query, found[Route.INFORMAL], near[Route.HAND_OVER], unknown, viewer, ground),
        *_reading(near[Route.INFORMAL]),
        *_courses(near[Route.FORMAL]),
    ]


def _found(query: Query, ground: Ground) -> Found | None:
    try:
        return retrieve(query, ground)
    except index.IndexProblem:
        return None


def fit(hit: Hit) -> float:
    """How well a hit fits a task, 0..1: by the weight of the words it holds, or by meaning, where that says more."""
    meaning = (hit.near - UNLIKE) / (ALIKE - UNLIKE)
    return max(0.0, min(1.0, max(hit.held, meaning)))


def _near(found: Mapping[Route, Found | None], viewer: Viewer, unknown: set[str]) -> dict[Route, list[Near]]:
    """The best hits of each search that the database confirms, by how well they fit.

    What is to be learnt of topics that the worker named and does not know fits by these too.
    """
    hits = {route: list(one.hits[: MOST[route]]) if one else [] for route, one in found.items()}
    keys = [UUID(hit.key) for some in hits.values() for hit in some]
    wanted = Q(public_id__in=keys) | Q(kind="course", topics__slug__in=unknown)
    found_now = Resource.objects.visible_to(viewer).filter(wanted).distinct().prefetch_related("topics")
    rows = {one.public_id.hex: one for one in found_now[:MOST_ROWS]}
    near = {
        route: [Near(rows[hit.key], max(fit(hit), _about(rows[hit.key], unknown))) for hit in some if hit.key in rows]
        for route, some in hits.items()
    }
    told = {one.resource.pk for one in near[Route.FORMAL]}
    courses = (one for one in rows.values() if one.kind == "course" and one.pk not in told)
    near[Route.FORMAL] += [Near(one, _about(one, unknown)) for one in courses]
    return {route: sorted(some, key=lambda one: -one.fit) for route, some in near.items()}


def _about(resource: Any, unknown: set[str]) -> float:
    """Which part of the unknown topics a course or a video bears."""
    if not unknown or resource.kind not in ("course", "video"):
        return 0.0
    return OF_TOPIC * len(unknown & {topic.slug for topic in resource.topics.all()}) / len(unknown)


# Tools -----------------------------------------------------------------------------------------------------------


def _tools(near: Iterable[Near], pages: Sequence[Near], words: str, viewer: Viewer) -> Iterable[Candidate]:
    """Tools by what they say of themselves, by the one of their jobs that fits best, and by pages that name them."""
    asked = _stems(words)
    known: dict[int, tuple[Any, float, list[Reason]]] = {}
    for one in near:
        known[one.resource.pk] = (one.resource, one.fit, [])
    named = _named(pages, viewer)
    for resource, page in named:
        tool, so_far, reasons = known.get(resource.pk, (resource, 0.0, []))
        reasons.append(Reason(f"“{page.resource.title}” says to use it", page.resource.get_absolute_url()))
        titled = resource.title.casefold() in page.resource.title.casefold()
        known[resource.pk] = (tool, 1 - (1 - so_far) * (1 - (TITLED if titled else NAMED) * page.fit), reasons)
    for resource, so_far, reasons in known.values():
        job, share = _best_job(resource, asked)
        if share:
            reasons.insert(0, Reason(f"It can {job}", resource.get_absolute_url()))
        access = str(resource.facts.get("access", ""))
        yield Candidate(
            Route.TOOL,
            max(so_far, share),
            key=str(resource.public_id),
            title=resource.title,
            url=resource.get_absolute_url(),
            price=str(resource.facts.get("price", "")),
            begins_in=A_DAY if access and "everyone" not in access.casefold() else 0.0,
            reasons=tuple(reasons[:3]),
        )


def _best_job(tool: Any, asked: set[str]) -> tuple[str, float]:
    """The job of a tool whose words the task holds most of, and which part of them."""
    shares = [(len(stems & asked) / len(stems), job) for job in tool.facts.get("jobs", ()) if (stems := _stems(job))]
    share, job = max(shares, default=(0.0, ""))
    return job, share


def _stems(text: str) -> set[str]:
    return {stem(word) for word in content_words(tokens(text))}


def _named(pages: Sequence[Near], viewer: Viewer) -> list[tuple[Any, Near]]:
    """Tools that the pages near the task name, each with the page."""
    if not pages:
        return []
    tools = {one.title.casefold(): one for one in Resource.objects.visible_to(viewer).filter(kind="tool")[:MOST_TOOLS]}
    if not tools:
        return []
    name = re.compile(r"\b(" + "|".join(sorted(map(re.escape, tools), key=len, reverse=True)) + r")\b", re.IGNORECASE)
    return [
        (tools[one], page)
        for page in pages
        for one in sorted({found.casefold() for found in name.findall(f"{page.resource.title}\n{page.resource.body}")})
    ]


# People ----------------------------------------------------------------------------------------------------------


def _people(
    query: Query, found: Found | None, roles: Sequence[Near], unknown: set[str], viewer: Viewer, ground: Ground
) -> Iterable[Candidate]:
    """Those who know, or whose role or own words say so, and can be asked now: to do it, or to work on it together."""
    away = {viewer.person_id} if viewer.person_id else set()
    experts = finder.find(query, viewer, ground=ground, found=found, count=PEOPLE, without=away)
    best = max((one.score for one in experts), default=0.0) or 1.0
    fits = {
        one.person.pk: 0.3 + 0.4 * one.score / best + 0.1 * min(2, one.documents) if one.score else 0.3
        for one in experts
    }
    by_id = {str(one.resource.facts.get("person", "")): one.fit for one in roles}
    known = {one.person.pk: one.person for one in experts}
    more = Person.objects.findable().visible_to(viewer).filter(public_id__in=[key for key in by_id if key])
    for person in with_room(more.exclude(pk__in=away)):
        known.setdefault(person.pk, person)
        said = by_id[str(person.public_id)]
        fits[person.pk] = 1 - (1 - fits.get(person.pk, 0.0)) * (1 - said)
    why = {one.person.pk: one.reasons for one in experts}
    offering = _offering(known, unknown | set(finder.topics_in(query)))
    for pk, person in known.items():
        if not room(person).can_be_asked:
            continue
        told = Candidate(
            Route.HAND_OVER,
            min(1.0, fits[pk]),
            key=str(person.public_id),
            title=person.display_name,
            url=person.get_absolute_url(),
            begins_in=A_NIGHT,
            others=2.0,
            reasons=tuple(Reason(reason.text, reason.url) for reason in why.get(pk, ())[:2]),
        )
        yield told
        yield replace(told, route=Route.MENTOR, others=1.0, fit=min(1.0, told.fit + 0.3 * (pk in offering)))


def _offering(people: Iterable[int], keys: set[str]) -> set[int]:
    return set(Offer.objects.filter(person__in=list(people), key__in=keys).values_list("person_id", flat=True))


# Reading and courses ----------------------------------------------------------------------------------------------


def _reading(near: Iterable[Near]) -> Iterable[Candidate]:
    for one in near:
        yield _of(Route.INFORMAL, one)


def _courses(near: Iterable[Near]) -> Iterable[Candidate]:
    today = timezone.localdate()
    for one in near:
        facts = one.resource.facts
        day = _day(facts.get("next_date"))
        if day is not None and day < today:
            continue
        yield replace(
            _of(Route.FORMAL, one),
            begins_in=A_DAY * _working_days(today, day) if day else 10 * A_DAY,
            hours=float(facts.get("duration_minutes") or 420) / 60 + 2,
            price=str(facts.get("price", "")),
        )


def _of(route: Route, one: Near) -> Candidate:
    resource = one.resource
    return Candidate(route, one.fit, key=str(resource.public_id), title=resource.title, url=resource.get_absolute_url())


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def _working_days(since: date, until: date) -> int:
    """Days from Monday to Friday between the two."""
    days = (until - since).days
    return sum((since + timedelta(days=one)).weekday() < 5 for one in range(days))
