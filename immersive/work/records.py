"""What became of tasks, as far as anybody may know it: counts of blocks of outcomes, whose they were is not kept.

An outcome becomes part of one block and of no other. A block holds outcomes of
at least five people, one of each, whose tasks went the same way, were as hard
and were said with as much confidence, and where it can be, by the same tool,
page or course. They did not all come out alike: else the sum would tell of
each. What has waited for two weeks may be put together more widely. Every
published count is a sum of whole blocks, which share no outcome: whatever is
taken from what, today or from what was published before, no fewer than five
people are left in it. Of a person nothing is counted, and of a resource only
where everyone may read it: else five could be all who may.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, When, Window
from django.db.models.functions import Ln, RowNumber
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts.connector import ANYBODY
from experts.models import Person
from immersive.work.models import Outcome, Record, Step
from immersive.work.routes import Counts, Difficulty, History, Route, Situation, Stratum
from knowledge.models import Resource

if TYPE_CHECKING:
    from django.db.models import QuerySet

PEOPLE = 5
"""Of so many people, at least, each block holds one outcome."""
COMPANY = 2 * PEOPLE
"""Where fewer people than these work, nothing is published: who the others are would be known."""
WAITED = timedelta(days=14)
"""An outcome that waited so long may be put together with others that were less or more hard or sure."""
OF_ONE = 20
"""Outcomes of one person that may wait beside those of others, the oldest."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One outcome that is in no block yet."""

    id: int
    person: int
    at: datetime
    route: Route
    difficulty: Difficulty
    band: str
    resource: int | None
    result: float
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Outcomes that are published together, and what they have in common."""

    of: tuple[Waiting, ...]
    route: Route
    difficulty: Difficulty | None = None
    band: str = ""
    resource: int | None = None

    @property
    def counts(self) -> Counts:
        """How they went, and how long they took where all of them say it."""
        minutes = [one.minutes for one in self.of]
        worked, many = sum(one.result for one in self.of), len(self.of)
        if not all(minutes):
            return Counts(worked, many)
        return Counts(worked, many, exp(sum(log((one or 0) / 60) for one in minutes) / many), many)


def blocks(waiting: Iterable[Waiting], now: datetime) -> list[Block]:
    """Blocks that these make, each outcome in one at most; the narrower first, and in each the oldest."""
    left = {one.id: one for one in sorted(waiting, key=lambda one: (one.at, one.id))}
    made: list[Block] = []
    for alike, wide in _WIDTHS:
        ready = [one for one in left.values() if now - one.at >= WAITED] if wide else list(left.values())
        for key, some in _grouped(ready, alike):
            for those in _together(some):
                made.append(Block(those, *key))
                for one in those:
                    del left[one.id]
    return made


def _with_resource(one: Waiting) -> Any:
    return (one.route, one.difficulty, one.band, one.resource) if one.resource else None


def _without(one: Waiting) -> Any:
    return None if one.resource else (one.route, one.difficulty, one.band)


_WIDTHS: Sequence[tuple[Callable[[Waiting], Any], bool]] = (
    (_with_resource, False),
    (_without, False),
    (lambda one: (one.route, one.difficulty, one.band), True),  # no more use waiting for others of the same tool
    (lambda one: (one.route, None, "", one.resource) if one.resource else None, True),
    (lambda one: (one.route, one.difficulty), True),
    (lambda one: (one.route,), True),
)
"""By what outcomes are put together, the narrowest first; and whether those alone that have waited."""


def _grouped(
    ready: Iterable[Waiting], alike: Callable[[Waiting], Hashable]
) -> Iterable[tuple[tuple[Any, ...], list[Waiting]]]:
    groups: dict[Any, list[Waiting]] = defaultdict(list)
    for one in ready:
        if (key := alike(one)) is not None:
            groups[key].append(one)
    return groups.items()


def _together(some: Iterable[Waiting]) -> Iterator[tuple[Waiting, ...]]:
    """As many blocks as these give, each with the oldest outcome of those people who have fewest.

    Who has many goes last: else a few who log much would share a block with one other person at a time. Where these
    came out all alike, one more that did not joins them, or they wait for it.
    """
    of: dict[int, list[Waiting]] = defaultdict(list)
    for one in some:
        of[one.person].append(one)
    while len(of) >= PEOPLE:
        people = sorted(of, key=lambda person: (len(of[person]), of[person][0].at, person))
        block = [of[person][0] for person in people[:PEOPLE]]
        if len({one.result for one in block}) == 1:
            others = (one for person in people[PEOPLE:] for one in of[person] if one.result != block[0].result)
            if (other := next(others, None)) is None:
                return
            block.append(other)
        yield tuple(block)
        for one in block:
            of[one.person].remove(one)
            if not of[one.person]:
                del of[one.person]


# What is published ---------------------------------------------------------------------------------------------------


@sensitive_variables()
def publish(now: datetime | None = None) -> int:
    """Make blocks of what waits; how many. Two at once count nothing twice: one of them keeps nothing of a block."""
    now = now or timezone.now()
    made = 0
    if Person.objects.filter(is_active=True)[:COMPANY].count() < COMPANY:
        return made
    for block in blocks(waiting(), now):
        with transaction.atomic():
            ids = [one.id for one in block.of]
            if Outcome.objects.filter(pk__in=ids, counted=False).update(counted=True) != len(ids):
                transaction.set_rollback(True)
                continue
            counts = block.counts
            Record.objects.create(
                route=block.route,
                difficulty=block.difficulty or "",
                band=block.band,
                resource_id=block.resource,
                outcomes=counts.outcomes,
                worked=counts.worked,
                hours=counts.hours if counts.timed else None,
            )
            made += 1
    return made


def waiting() -> list[Waiting]:
    """Outcomes whose owners said which way they went, and that are in no block yet; some of each person."""
    rows: QuerySet[Any] = Outcome.objects.filter(counted=False, task__assessment__isnull=False).exclude(route="")
    everyones = Resource.objects.visible_to(ANYBODY).values("pk")
    steps = Step.objects.filter(task=OuterRef("task"), route=OuterRef("route"), resource__in=everyones)
    steps = steps.before(OuterRef("logged_at")).order_by(F("done_at").asc(nulls_last=True), "place", "pk")
    turn = Window(RowNumber(), partition_by=F("task__owner"), order_by=[F("logged_at"), F("pk")])
    found = rows.annotate(by=Subquery(steps.values("resource")[:1]), turn=turn).filter(turn__lte=OF_ONE)
    found = found.order_by("logged_at", "pk").values_list(
        "pk", "task__owner", "logged_at", "route", "task__difficulty", "task__assessment__confidence", "by", "result",
        "minutes",
    )  # fmt: skip
    return [
        Waiting(
            pk, owner, at, Route(route), Difficulty(difficulty or Difficulty.USUAL), Situation(sure / 100, 0.0).band,
            by, result, minutes,
        )
        for pk, owner, at, route, difficulty, sure, by, result, minutes in found
    ]  # fmt: skip


def published(resources: Collection[int] = ()) -> tuple[History, dict[int, History]]:
    """Outcomes by route, difficulty and band, and over all of each; and in the same way those of tasks that went by
    one of these resources, by their ids. One question to the database."""
    history: dict[Stratum, Counts] = defaultdict(Counts)
    by_resource: dict[int, dict[Stratum, Counts]] = defaultdict(lambda: defaultdict(Counts))
    of = Case(When(resource__in=resources, then=F("resource_id")), default=None)
    rows = Record.objects.order_by().annotate(of=of).values_list("route", "difficulty", "band", "of")
    sums = rows.annotate(
        all_worked=Sum("worked"),
        many=Sum("outcomes"),
        logs=Sum(Ln("hours") * F("outcomes")),
        timed=Sum("outcomes", filter=~Q(hours=None)),
    )
    for route, difficulty, band, resource, worked, many, logs, timed in sums:
        counts = Counts(worked, many, exp(logs / timed), timed) if timed else Counts(worked, many)
        for stratum in strata(Route(route), Difficulty(difficulty) if difficulty else None, band):
            history[stratum] += counts
            if resource is not None:
                by_resource[resource][stratum] += counts
    return dict(history), {resource: dict(counts) for resource, counts in by_resource.items()}


def strata(route: Route, difficulty: Difficulty | None, band: str) -> set[Stratum]:
    """The strata that a block counts in."""
    return {(route, difficulty, band or None), (route, difficulty, None), (route, None, None)}
