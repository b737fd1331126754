"""Where a newcomer begins: people, pages, tools and topics of their team, and what they have met already.

The order is that of use by the team where that may be told: when at least
five team mates opened something (`standing.LEAST`), in coarse steps. In smaller
teams, and for all else, it is that of what team mates wrote or verified. All of
it is what the newcomer may read, now; the page says which order it is. What
somebody has met is theirs alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils import timezone

from experts.choices import OwnTopic
from knowledge import standing, topics
from knowledge.access import Viewer
from knowledge.explain import listed
from knowledge.models import Resource

if TYPE_CHECKING:
    from experts.models import Membership, Person, Team

NEW_FOR = timedelta(days=60)
"""How long somebody is offered this after they joined."""
BEFORE = timedelta(days=7)
"""Who joined so much earlier can show a newcomer around; where all joined at once, nobody is new."""
PEOPLE, PAGES, TOOLS, TOPICS = 6, 6, 4, 6
MATES = 500
"""Colleagues who are looked at: the manager, those longest in the team, and who does the same work."""
WORK = 3000
"""Contributions of team mates that are looked at, the newest."""
WEIGHED = 60
"""Documents whose topics are counted."""
MOST = 1000
KINDS = ("person", "resource", "topic")


class MetQuerySet(models.QuerySet["Met"]):
    """What somebody ticked off."""

    def visible_to(self, viewer: Viewer) -> MetQuerySet:
        """The viewer's own alone."""
        return self.filter(person=viewer.person_id or 0)


class Met(models.Model):
    """That a newcomer has met a person, a document or a topic: theirs alone. ``subject``: a public id, or a key."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="met")
    kind = models.CharField(max_length=8)
    subject = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = MetQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "subject"], name="met_once")]


def tick(*, viewer: Viewer, kind: str, subject: str, met: bool) -> bool:
    """Tick something off, or take the tick back; whether that could be meant at all."""
    if kind not in KINDS or not subject.isprintable() or not 0 < len(subject) <= 80 or viewer.person_id is None:
        return False
    mine = Met.objects.visible_to(viewer)
    if not met:
        mine.filter(kind=kind, subject=subject).delete()
    elif mine.count() < MOST:
        Met.objects.get_or_create(person_id=viewer.person_id, kind=kind, subject=subject)
    return True


def is_new(viewer: Viewer) -> bool:
    """Whether the viewer joined a team in the last sixty days, in which somebody was before them (one query)."""
    from experts.models import Membership

    since = timezone.now() - NEW_FOR
    before = Membership.objects.current().filter(team=OuterRef("team"), since__lt=OuterRef("since") - BEFORE)
    mine = Membership.objects.current().filter(person=viewer.person_id or 0, since__gte=since)
    return bool(mine.filter(Exists(before.exclude(person=viewer.person_id or 0))).exists())


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to meet: what it is, why it is here, and whether the newcomer has ticked it off."""

    kind: str
    subject: str
    title: str
    url: str
    why: str
    met: bool
    thing: Any = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """What to meet first in a team. ``by_use``: something of it stands in the order of use by the team."""

    team: Team | None
    teams: tuple[Team, ...]
    people: tuple[Entry, ...]
    pages: tuple[Entry, ...]
    tools: tuple[Entry, ...]
    topics: tuple[Entry, ...]
    by_use: bool

    @property
    def left(self) -> int:
        """How much is not ticked off."""
        return sum(not one.met for one in (*self.people, *self.pages, *self.tools, *self.topics))


@dataclass(frozen=True, slots=True)
class Weight:
    """What speaks for a document: a coarse step of use, who of the team worked on it or vouches for it, when last."""

    use: int
    people: frozenset[int]
    verified_by: int | None
    last: datetime | None

    def place(self) -> tuple[Any, ...]:
        """By which documents are put in order, the first first."""
        last = -self.last.timestamp() if self.last else 0
        return (-self.use, -len(self.people), self.verified_by is None, last)


def welcome(viewer: Viewer, team: UUID | None = None) -> Welcome:
    """What the viewer should meet first in the team that they joined last, or in this other one of theirs."""
    from experts.models import Membership, Person

    mine: list[Membership] = list(
        Membership.objects.current()
        .filter(person=viewer.person_id or 0)
        .select_related("team")
        .order_by("-since", "pk")
    )
    chosen = next((one for one in mine if one.team.public_id == team), mine[0] if mine else None)
    me: Person = Person.objects.visible_to(viewer).get(pk=viewer.person_id or 0)
    members = Membership.objects.current().filter(team=chosen.team_id if chosen else 0).exclude(person=me.pk)
    in_team = set(members.order_by("since", "pk").values_list("person", flat=True)[:MATES])
    others = Person.objects.visible_to(viewer).exclude(pk=me.pk)
    same_role = Q(role__iexact=me.role) if me.role else Q(pk=0)
    first = Case(When(pk=me.manager_id or 0, then=0), When(pk__in=in_team, then=1), default=2)
    near = list(others.filter(Q(pk__in=in_team) | Q(pk=me.manager_id or 0) | same_role).order_by(first, "pk")[:MATES])
    mates = [one for one in near if one.pk in in_team] or near
    weights = _weights(mates, in_team, viewer)
    best = sorted(weights, key=lambda pk: (*weights[pk].place(), pk))
    about = _topics(best[:WEIGHED])
    met = set(Met.objects.visible_to(viewer).values_list("kind", "subject"))
    names = {one.pk: one for one in near}
    return Welcome(
        team=chosen.team if chosen else None,
        teams=tuple(one.team for one in mine),
        people=_people(me, near, in_team, weights, about, met),
        pages=_documents(best, weights, names, met, Q(kind__in=("page", "answer", "lesson")), PAGES, viewer),
        tools=_tools(best, weights, names, about, met, viewer),
        topics=_to_know(about, met, viewer),
        by_use=any(weight.use for weight in weights.values()),
    )


def _weights(mates: Iterable[Person], in_team: Collection[int], viewer: Viewer) -> dict[int, Weight]:
    """What speaks for each document that mates wrote, verified or use, of those that the viewer may read.

    Nobody is named for a document with a topic that they keep to themselves (`evidence.kept_back`).
    """
    from experts.evidence import kept_back

    ids = [one.pk for one in mates]
    readable = Resource.objects.visible_to(viewer).exclude(kind="person")
    wrote = (
        readable.filter(Q(contributions__person__in=ids) & ~kept_back())
        .order_by(F("contributions__last").desc(nulls_last=True), "pk")
        .values_list("pk", "contributions__person", "contributions__last")[:WORK]
    )
    people: dict[int, set[int]] = defaultdict(set)
    last: dict[int, datetime | None] = {}
    for resource, person, when in wrote:
        people[resource].add(person)
        last.setdefault(resource, when)
    kept = OwnTopic.objects.filter(person=OuterRef("verification__owner"), hidden=True, key=OuterRef("topics__slug"))
    vouched = readable.filter(
        verification__owner__in=ids, verification__until__gte=timezone.localdate(), verification__suspended_at=None
    )
    vouched = vouched.exclude(pk__in=vouched.filter(Exists(kept)).values("pk"))
    verified: dict[int, int] = dict(vouched.values_list("pk", "verification__owner"))
    for resource, owner in verified.items():
        people[resource].add(owner)
    used = standing.use_among(in_team, viewer)
    return {
        resource: Weight(used.get(resource, 0), frozenset(people[resource]), verified.get(resource), last.get(resource))
        for resource in {*people, *used}
    }


@dataclass(frozen=True, slots=True)
class _About:
    """A topic of the team's documents, as the viewer may read it: how many of them, and who worked on those."""

    name: str
    documents: frozenset[int]


def _topics(resources: Sequence[int]) -> dict[str, _About]:
    """Topics of these documents by key, those of most of them first."""
    named = Resource.objects.naming().filter(pk__in=list(resources), topics__isnull=False)
    documents: dict[str, set[int]] = defaultdict(set)
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for key, name, resource in named.values_list("topics__slug", "topics__name", "pk"):
        documents[key].add(resource)
        spelled[key][name] += 1
    order = sorted(documents, key=lambda key: (-len(documents[key]), key))
    best = {key: min(spelled[key], key=lambda name: (-spelled[key][name], name)) for key in order}
    return {key: _About(best[key], frozenset(documents[key])) for key in order}


def _people(
    me: Person,
    near: Iterable[Person],
    in_team: Collection[int],
    weights: Mapping[int, Weight],
    about: Mapping[str, _About],
    met: Collection[tuple[str, str]],
) -> tuple[Entry, ...]:
    """The manager, then who does the same work, then who worked on most of what the team writes."""
    work: Counter[int] = Counter(person for weight in weights.values() for person in weight.people)

    def same(one: Person) -> bool:
        return bool(me.role) and one.role.casefold() == me.role.casefold()

    def place(one: Person) -> tuple[Any, ...]:
        return one.pk != me.manager_id, one.pk not in in_team, not same(one), -work[one.pk], one.display_name

    def why(one: Person) -> str:
        reasons = ["Your manager"] * (one.pk == me.manager_id) + ["Does the same work as you"] * same(one)
        known = [said.name for said in about.values() if any(one.pk in weights[pk].people for pk in said.documents)]
        reasons += [f"Works on {_and(known[:3])}"] * bool(known)
        return ". ".join(reasons) or "In your team"

    return tuple(
        _entry("person", one.public_id.hex, one.display_name, one.get_absolute_url(), why(one), met, one)
        for one in sorted(near, key=place)[:PEOPLE]
    )


def _documents(
    order: Sequence[int],
    weights: Mapping[int, Weight],
    names: Mapping[int, Person],
    met: Collection[tuple[str, str]],
    which: Q,
    count: int,
    viewer: Viewer,
) -> tuple[Entry, ...]:
    """The first of these documents that are of this kind, each with who of the team stands behind it."""
    place = {pk: number for number, pk in enumerate(order)}
    kinds = Resource.objects.visible_to(viewer).filter(which, pk__in=order[: WORK // 5])
    first = sorted(kinds.values_list("pk", flat=True), key=place.__getitem__)[:count]
    rows = Resource.objects.visible_to(viewer).select_related("source").defer("body").in_bulk(first)

    def why(weight: Weight, kind: str) -> str:
        people = sorted(names[pk].display_name for pk in weight.people if pk in names and pk != weight.verified_by)
        owner = names.get(weight.verified_by or 0)
        reasons = [f"Verified by {owner.display_name}"] if owner else []
        did = "Looked after" if kind == "tool" else "Written"
        reasons += [f"{did} by {_and(people[:2], len(people))}"] * bool(people)
        return ". ".join(reasons) or "Your team uses it"

    return tuple(
        _entry("resource", row.public_id.hex, row.title, row.get_absolute_url(), why(weights[pk], row.kind), met, row)
        for pk in first
        if (row := rows.get(pk))
    )


def _tools(
    order: Sequence[int],
    weights: Mapping[int, Weight],
    names: Mapping[int, Person],
    about: Mapping[str, _About],
    met: Collection[tuple[str, str]],
    viewer: Viewer,
) -> tuple[Entry, ...]:
    """Tools that the team uses or looks after, then those about the topics of its work."""
    own = _documents(order, weights, names, met, Q(kind="tool"), TOOLS, viewer)
    if len(own) >= TOOLS:
        return own
    keys = list(about)[:TOPICS]
    place = {key: number for number, key in enumerate(keys)}
    more = (
        Resource.objects.visible_to(viewer)
        .filter(kind="tool", topics__slug__in=keys)
        .exclude(public_id__in=[one.subject for one in own])
        .annotate(topic=F("topics__slug"))
        .select_related("source")
        .defer("body")
        .order_by("title", "pk")[:200]
    )
    found: dict[int, Any] = {}
    row: Any
    for row in sorted(more, key=lambda one: place[cast(Any, one).topic]):
        found.setdefault(row.pk, row)
    return own + tuple(
        _entry(
            "resource", row.public_id.hex, row.title, row.get_absolute_url(), f"For {about[row.topic].name}", met, row
        )
        for row in list(found.values())[: TOOLS - len(own)]
    )


def _to_know(about: Mapping[str, _About], met: Collection[tuple[str, str]], viewer: Viewer) -> tuple[Entry, ...]:
    """Topics of most of the team's documents; where it has none, those that are most alive for the viewer."""
    chosen = [(key, said.name, len(said.documents)) for key, said in about.items()][:TOPICS]
    if not chosen:
        return tuple(
            _entry("topic", one.key, one.name, topics.address(one.key), "Much changes here lately", met)
            for one in topics.alive(viewer)[:TOPICS]
        )
    return tuple(
        _entry("topic", key, name, topics.address(key), f"{many} document{'s' * (many > 1)} of your team", met)
        for key, name, many in chosen
    )


def _entry(
    kind: str, subject: str, title: str, url: str, why: str, met: Collection[tuple[str, str]], thing: Any = None
) -> Entry:
    return Entry(kind, subject, title, url, why, (kind, subject) in met, thing)


def _and(names: Sequence[str], of: int = 0) -> str:
    """``Ana, Ben and 2 more``."""
    said = [*names, *([f"{of - len(names)} more"] if of > len(names) else [])]
    return listed(said)
