"""What each route would be for one task: the tools, people, pages and courses that this worker may see.

Nothing here decides: `routes` weighs what is gathered. Everything comes from
the one search and the finder, so that what the worker may not read takes no
part. Beside its own words a tool counts where a page about the task names it:
people write down "put it into Docket" far from where Docket says what it does.

What is found is kept as picks: keys and figures, no title, no name and no
sentence. `wording` puts them into words from what may be read now, the
same for those just gathered and for those kept since yesterday.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Length
from django.utils import timezone

from experts import finder
from experts.room import room
from immersive.work.like_tasks import stems
from immersive.work.routes import Route
from knowledge import index
from knowledge.access import Ground, Viewer
from knowledge.index.analysis import content_words, stem, tokens, topic_key
from knowledge.index.language import parse
from knowledge.models import Resource, Source, Topic
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
"""Courses of the topics that are looked at for some that one can still take part in."""
MOST_TOOLS = 2000
"""Tools whose names are looked for in pages."""
UNLIKE, ALIKE = 0.25, 0.55
"""Cosines between which meaning begins to fit, and fits wholly."""
NAMED, TITLED = 0.7, 1.0
"""What it counts that a page about the task names a tool, in its text or its title, beside how well the page fits."""
LEAST = {
    Route.TOOL: 0.35, Route.INFORMAL: 0.35, Route.FORMAL: 0.25, Route.HAND_OVER: 0.1, Route.MENTOR: 0.25,
}  # fmt: skip
"""What fits less than this is left out: to say that nothing is found helps more than to offer what is far off."""
BEGUN = 0.6
"""How well the page fits, at least, where the worker began the task."""
OBJECT = 2.0
"""How much a word of a job counts beside its first, which says what is done: much is written, few write quotations."""
OF_TOPIC = 0.8
"""How well a course fits that bears all topics that are to be learnt."""
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Pick:
    """What a route may be, by its key: of a resource, or of a person, who stands for handing over and for a mentor.

    ``behind``: keys of documents that speak for it, and how well each fits; ``job``: which of a tool's jobs does.
    """

    route: Route
    key: UUID
    fit: float
    behind: tuple[tuple[UUID, float], ...] = ()
    job: int | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Picks, with the resources and the people that they are of, as this viewer may see them now."""

    picks: tuple[Pick, ...] = ()
    resources: Mapping[UUID, Any] = field(default_factory=dict)
    people: Mapping[UUID, finder.Expert] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Near:
    """A resource that the worker may read, and how well it fits the task, 0..1."""

    resource: Any
    fit: float


def gather(
    words: str,
    viewer: Viewer,
    *,
    known: Mapping[str, float] | None = None,
    begun: UUID | None = None,
    today: date | None = None,
    ground: Ground | None = None,
) -> Gathered:
    """Picks for every route for which there is something that fits.

    ``known``: topics of the task, and which part of each the worker knows (0..1);
    ``begun``: the key of the resource where it was begun; ``today``: their day, where another clock is in force.
    At most four searches in the index, of one ground, and six questions to the database beside those.
    """
    query = parse(words)
    if not query:
        return Gathered()
    ground = ground or Ground(viewer)
    found = {route: _found(replace(query, kinds=kinds), ground) for route, kinds in KINDS.items()}
    unknown = unknown_of(known)
    near = _near(found, viewer, unknown, begun, today)
    tools, more = _tools(near[Route.TOOL], near[Route.INFORMAL], words, viewer)
    people, experts = _people(query, found[Route.INFORMAL], near[Route.HAND_OVER], unknown, viewer, ground)
    courses = [one for one in near[Route.FORMAL] if _to_be_had(one.resource, today)]
    picks = (
        *tools,
        *people,
        *(Pick(Route.INFORMAL, one.resource.public_id, one.fit) for one in near[Route.INFORMAL]),
        *(Pick(Route.FORMAL, one.resource.public_id, one.fit) for one in courses),
    )
    rows = {one.resource.public_id: one.resource for some in near.values() for one in some}
    settled = tuple(one for one in picks if one.fit >= LEAST[one.route] and not _behind(one, ground))
    return Gathered(settled, rows | more, experts)


def confirm(
    picks: Sequence[Pick],
    words: str,
    viewer: Viewer,
    *,
    known: Mapping[str, float] | None = None,
    today: date | None = None,
    ground: Ground | None = None,
) -> Gathered | None:
    """The same picks as they are now; `None` if anything that they rest on is not the viewer's to read any more, if
    somebody is not to be found by it, or cannot be asked. Four questions to the database, and those of the ground
    while anywhere in the index a right is not yet as it is in the database.
    """
    people = {one.key: one for one in picks if one.route is Route.HAND_OVER}
    keys = {key for one in picks for key, _ in one.behind} | {one.key for one in picks if one.key not in people}
    reads = [one.key for one in picks if one.route is Route.INFORMAL]
    moved = Exists(Resource.objects.behind()) | Exists(Source.objects.changed())
    rows = _read(_rows(viewer).filter(public_id__in=keys).annotate(moved=moved), reads)
    if keys != rows.keys():
        return None
    if any(one.moved for one in rows.values()):
        ground = ground or Ground(viewer)
        if any(_behind(one, ground) for one in picks):
            return None
    if any(one.kind == "course" and not _to_be_had(one, today) for one in rows.values()):
        return None
    told = {key: {of: fit for of, fit in one.behind if rows[of].kind != "person"} for key, one in people.items()}
    experts = finder.still(told, words, viewer, about=unknown_of(known)) if told else {}
    if told.keys() != experts.keys() or not all(room(one.person).can_be_asked for one in experts.values()):
        return None
    return Gathered(tuple(picks), rows, experts)


def _behind(pick: Pick, ground: Ground) -> bool:
    """Whether the index does not hold something that it rests on as it is now: until it does, it takes no part."""
    return any(key.hex in ground.scope.behind for key in (pick.key, *(key for key, _ in pick.behind)))


def unknown_of(known: Mapping[str, float] | None) -> frozenset[str]:
    """Keys of the topics of which the worker does not know all."""
    return frozenset(topic_key(name)[:80] for name, part in (known or {}).items() if part < 1)


def _rows(viewer: Viewer) -> Any:
    return Resource.objects.visible_to(viewer).annotate(length=Length("body")).defer("body")


def _read(rows: Any, reads: Collection[UUID]) -> dict[UUID, Any]:
    """Rows of `_rows` by their keys, those of ``reads`` with their text: of the others its length is enough."""
    text = Case(When(public_id__in=reads, then="body"), default=Value(""), output_field=TextField())
    found = {one.public_id: one for one in rows.annotate(text=text)}
    for key in found.keys() & set(reads):
        found[key].body = found[key].text
    return found


def _found(query: Query, ground: Ground) -> Found | None:
    try:
        return retrieve(query, ground)
    except index.IndexProblem:
        return None


def fit(hit: Hit) -> float:
    """How well a hit fits a task, 0..1: by the weight of the words it holds, or by meaning, where that says more."""
    meaning = (hit.near - UNLIKE) / (ALIKE - UNLIKE)
    return max(0.0, min(1.0, max(hit.held, meaning)))


def _near(
    found: Mapping[Route, Found | None],
    viewer: Viewer,
    unknown: frozenset[str],
    begun: UUID | None,
    today: date | None,
) -> dict[Route, list[Near]]:
    """The best hits of each search that the database confirms, and where the task was begun, by how well they fit.

    What is to be learnt of topics that the worker named and does not know fits by these too.
    """
    fits = {
        route: {UUID(hit.key): fit(hit) for hit in one.hits[: MOST[route]]} if one else {}
        for route, one in found.items()
    }
    start = {begun} if begun else set()
    tags = Topic.resources.through.objects.filter(topic__slug__in=unknown)
    bears: Any = tags.filter(resource=OuterRef("pk")).order_by().values("resource").annotate(many=Count("topic__slug"))
    bearing = Coalesce(Subquery(bears.values("many"), output_field=IntegerField()), 0)
    may_read = _rows(viewer).annotate(bears=bearing)
    rows = _read(may_read.filter(public_id__in=start.union(*fits.values())), start.union(fits[Route.INFORMAL]))
    for route, kinds in KINDS.items():
        if begun in rows and rows[begun].kind in kinds and route is not Route.HAND_OVER:
            fits[route][begun] = max(BEGUN, fits[route].get(begun, 0.0))
    near = {
        route: [Near(rows[key], max(part, _about(rows[key], unknown))) for key, part in some.items() if key in rows]
        for route, some in fits.items()
    }
    told = {one.resource.pk for one in near[Route.FORMAL]}
    of_topic = may_read.filter(kind="course", pk__in=tags.values("resource")).exclude(pk__in=told)
    courses = of_topic.order_by("-bears", "title", "public_id")[:MOST_ROWS] if unknown else ()
    to_be_had = [one for one in courses if _to_be_had(one, today)][: MOST[Route.FORMAL]]
    near[Route.FORMAL] += [Near(one, _about(one, unknown)) for one in to_be_had]
    return {route: sorted(some, key=lambda one: -one.fit) for route, some in near.items()}


def _about(resource: Any, unknown: frozenset[str]) -> float:
    """Which part of the unknown topics a course or a video bears."""
    if not unknown or resource.kind not in ("course", "video"):
        return 0.0
    return OF_TOPIC * min(1.0, float(resource.bears) / len(unknown))


# Tools -----------------------------------------------------------------------------------------------------------


def _tools(
    near: Iterable[Near], pages: Sequence[Near], words: str, viewer: Viewer
) -> tuple[list[Pick], dict[UUID, Any]]:
    """Tools by what they say of themselves, by the one of their jobs that fits best, and by pages that name them."""
    asked = stems(words)
    tools = {one.resource.public_id: one.resource for one in near}
    fits = {one.resource.public_id: one.fit for one in near}
    behind: dict[UUID, list[tuple[UUID, float]]] = {}
    for tool, page in _named(pages, viewer):
        key = tools.setdefault(tool.public_id, tool).public_id
        titled = tool.title.casefold() in page.resource.title.casefold()
        fits[key] = 1 - (1 - fits.get(key, 0.0)) * (1 - (TITLED if titled else NAMED) * page.fit)
        behind.setdefault(key, []).append((page.resource.public_id, page.fit))
    picks = []
    for key, tool in tools.items():
        job, share = _best_job(tool, asked)
        picks.append(Pick(Route.TOOL, key, max(fits[key], share), tuple(behind.get(key, ())), job))
    return picks, tools


def _best_job(tool: Any, asked: set[str]) -> tuple[int | None, float]:
    """The number of the job of a tool whose words the task holds most of, and which part of them."""
    jobs = enumerate(jobs_of(tool))
    share, at = max(((_share(job, asked), at) for at, job in jobs), default=(0.0, 0))
    return (at, share) if share else (None, 0.0)


def _share(job: str, asked: set[str]) -> float:
    words = list(dict.fromkeys(stem(word) for word in content_words(tokens(job))))
    heavy = {word: OBJECT if at else 1.0 for at, word in enumerate(words)}
    return sum(part for word, part in heavy.items() if word in asked) / (sum(heavy.values()) or 1.0)


def jobs_of(tool: Any) -> list[str]:
    """What a tool does, as its source lists it."""
    return [str(job) for job in tool.facts.get("jobs", ())]


def _named(pages: Sequence[Near], viewer: Viewer) -> list[tuple[Any, Near]]:
    """Tools that the pages near the task name, each with the page."""
    if not pages:
        return []
    texts = [(page, f"{page.resource.title}\n{page.resource.body}".casefold()) for page in pages]
    words = {word for _, text in texts for word in WORD.findall(text)}
    tools = {}
    tools_now = Resource.objects.visible_to(viewer).filter(kind="tool").order_by("title", "public_id")
    rows = tools_now.annotate(told=Cast("facts", TextField()))
    for pk, key, title, facts, web in rows.values_list("pk", "public_id", "title", "told", "url")[:MOST_TOOLS]:
        first = WORD.search(title)
        if first and first[0].casefold() in words:  # of thousands, most are named nowhere: they are not looked for
            tools[title.casefold()] = pk, key, title, facts, web
    if not tools:
        return []
    name = re.compile(r"\b(" + "|".join(sorted(map(re.escape, tools), key=len, reverse=True)) + r")\b")
    named = [(page, one) for page, text in texts for one in sorted(set(name.findall(text)))]
    made = {one: _tool_of(*tools[one]) for _, one in named}
    return [(made[one], page) for page, one in named]


def _tool_of(pk: int, key: UUID, title: str, facts: str, web: str) -> Any:
    return Resource(pk=pk, public_id=key, kind="tool", title=title, facts=json.loads(facts), url=web)


# People ----------------------------------------------------------------------------------------------------------


def _people(
    query: Query,
    found: Found | None,
    roles: Sequence[Near],
    unknown: frozenset[str],
    viewer: Viewer,
    ground: Ground,
) -> tuple[list[Pick], dict[UUID, finder.Expert]]:
    """Those who know, or whose role or own words say so, and can be asked now."""
    mine = {viewer.person_id} if viewer.person_id else set()
    said = {one.resource.about_id: one for one in roles if one.resource.about_id and one.resource.about_id not in mine}
    experts = finder.find(
        query, viewer, ground=ground, found=found, count=PEOPLE, without=mine, also=tuple(said), about=unknown
    )
    best = max((one.score for one in experts), default=0.0) or 1.0
    picks, people = [], {}
    for one in experts:
        if not room(one.person).can_be_asked:
            continue
        shown = 0.3 if one.reasons else 0.0
        if one.score:
            shown += 0.4 * one.score / best + 0.1 * min(2, one.documents)
        behind, role = one.behind, said.get(one.person.pk)
        if role is not None:
            shown = 1 - (1 - shown) * (1 - role.fit)
            behind = (*behind, (role.resource.public_id, role.fit))
        picks.append(Pick(Route.HAND_OVER, one.person.public_id, min(1.0, shown), behind))
        people[one.person.public_id] = one
    return picks, people


def _to_be_had(course: Any, today: date | None) -> bool:
    """Whether one can still take part: its date is to come, and it is not full."""
    day, places = day_of(course), course.facts.get("places")
    return not (day is not None and day < (today or timezone.localdate())) and places != 0


def day_of(course: Any) -> date | None:
    """The next date of a course, as its source says."""
    try:
        return date.fromisoformat(str(course.facts.get("next_date"))[:10])
    except ValueError:
        return None
