"""A plan: the routes that a task's owner chose, in their order, each with what is done next about it.

A step names its resource or person only while the viewer may see it: the
right is asked anew each time, in the one query that reads the plan. Pages name
a step by its token, which stays its own when another window changes the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts.asking.asks import Ask
from experts.models import Person
from immersive.work import advice, outcomes
from immersive.work.actions import AssessFirst, own
from immersive.work.acts import PEOPLE, Act
from immersive.work.models import Step, Task
from immersive.work.routes import NAMES, Route
from knowledge.access import Viewer, id_in, resource_or_404
from knowledge.models import Resource

MOST_STEPS = 20
GONE = "That is no longer there, or no longer open to you. The card shows what is."


@dataclass(frozen=True, slots=True)
class Seen:
    """One step as whoever looks may see it. ``title`` is empty for what one does alone, and for what is gone.

    ``resource``: what opens beside the task; ``person``: whom to ask; each only while the viewer may see it.
    """

    route: Route
    done: bool
    resource: Resource | None = None
    person: Person | None = None

    @property
    def name(self) -> str:
        """What its route is called."""
        return NAMES[self.route]

    @property
    def title(self) -> str:
        """What or whom it is with."""
        return self.resource.title if self.resource else self.person.display_name if self.person else ""

    @property
    def key(self) -> tuple[str, str]:
        """As candidates name it."""
        named = self.resource or self.person
        return (self.route, str(named.public_id) if named else "")

    @property
    def url(self) -> str:
        """Where that has a page of its own."""
        named = self.resource or self.person
        return named.get_absolute_url() if named else ""

    @property
    def gone(self) -> bool:
        """Whether what it was with is no longer there for the viewer."""
        return self.route is not Route.DO and not self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Seen):
    """One step of a plan of the viewer's own, with what can be done about it. ``token``: by what pages name it.

    ``asked_at``: when the question ``asked`` was asked for it, while that one stands.
    """

    token: str
    task: Task
    first: bool
    last: bool
    asked: Any = None
    asked_at: datetime | None = None

    @property
    def act(self) -> Act:
        """How it is begun."""
        one = self.resource
        more = {"web": one.url, "said": str(one.facts.get("access", ""))} if one else {}
        return Act(self.route, self.task.public_id, self.title, self.key[1], **more)

    @property
    def asked_url(self) -> str:
        """Where that question is."""
        return reverse("experts:ask", args=[self.asked]) if self.asked else ""

    @property
    def mentoring(self) -> bool:
        """Whether the pages of mentoring lead on from here."""
        return self.route is Route.MENTOR


@sensitive_variables()
def steps(task: Task, viewer: Viewer) -> list[Planned]:
    """The plan of a task of the viewer's, in its order (one query)."""
    mine = Ask.objects.visible_to(viewer).filter(author=viewer.person_id or 0, public_id=OuterRef("asked"))
    own_steps = seen_by(viewer, Step.objects.visible_to(viewer).filter(task=task))
    rows: list[Any] = list(own_steps.annotate(asked_at=Subquery(mine.values("published_at")[:1])))
    return [
        Planned(
            one.route, one.done, one.resource, one.person,
            token=row.token, task=task, first=at == 0, last=at == len(rows) - 1, asked=row.asked, asked_at=row.asked_at,
        )
        for at, (row, one) in enumerate((row, as_seen(row)) for row in rows)
    ]  # fmt: skip


@sensitive_variables()
def of_shared(task: Task, viewer: Viewer) -> list[Seen]:
    """The plan of a task that `sharing` has found open to the viewer, as they may see it, not as its owner does."""
    return [as_seen(row) for row in seen_by(viewer, Step.objects.filter(task=task))]


def seen_by(viewer: Viewer, steps: QuerySet[Step]) -> QuerySet[Step]:
    """These, each with whether the viewer may read or meet what it is with, for `as_seen`."""
    resources = Resource.objects.visible_to(viewer).filter(pk=OuterRef("resource_id"))
    people = Person.objects.findable().visible_to(viewer).filter(pk=OuterRef("person_id"))
    rows = steps.select_related("resource", "person").defer("resource__body")
    return rows.annotate(may_read=Exists(resources), may_meet=Exists(people))


def as_seen(row: Any) -> Seen:
    """What of a step of `seen_by` its viewer sees."""
    return Seen(
        Route(row.route),
        row.done_at is not None,
        resource=row.resource if row.may_read else None,
        person=row.person if row.may_meet else None,
    )


@sensitive_variables()
def choose(*, task: Task, owner: Any, route: str, key: str = "") -> Step:
    """Add a route of the card to the end of the plan, or find it there: a second tap adds nothing.

    ``key`` names the resource or person as the card does. Chosen after the outcome it is a step still to take:
    nothing follows from it until it is done. Raises `AssessFirst` before anything is said, and `ValidationError` for
    what is not there (any more), not even for the owner.
    """
    viewer = Viewer.of(owner)
    if route not in NAMES:
        raise ValidationError("Choose one of the six.", code="choice")
    if not task.assessed:
        raise AssessFirst
    named = _named(Route(route), key, viewer)
    stood = _stood(task, viewer, route, key)
    with transaction.atomic():
        task = own(task, owner)
        plan = Step.objects.filter(task=task)
        found: Step | None = plan.filter(route=route, **named).first()
        if found is not None:
            return found
        if plan.count() >= MOST_STEPS:
            raise ValidationError(f"A plan holds at most {MOST_STEPS} steps; take one away first.", code="many")
        last = plan.aggregate(last=Max("place"))["last"]
        made: Step = Step.objects.create(
            task=task, place=0 if last is None else last + 1, route=route, lean=task.lean, **named, **stood
        )
    return made


def _named(route: Route, key: str, viewer: Viewer) -> dict[str, Any]:
    """What a step is with, if the viewer may see it; else `ValidationError`, the same for what never was."""
    if route is Route.DO:
        return {"resource": None, "person": None}
    public_id = id_in(key)
    if public_id is None:
        raise ValidationError(GONE, code="gone")
    if route in PEOPLE:
        person = Person.objects.findable().visible_to(viewer).filter(public_id=public_id).first()
        if person is None:
            raise ValidationError(GONE, code="gone")
        return {"resource": None, "person": person}
    try:
        return {"resource": resource_or_404(public_id, viewer), "person": None}
    except Http404:
        raise ValidationError(GONE, code="gone") from None


def _stood(task: Task, viewer: Viewer, route: str, key: str) -> dict[str, Any]:
    """Where it stood on the card; nothing where it does not stand there any more."""
    shown = advice.advise(task, viewer)
    if shown is not None:
        for rank, row in enumerate(shown.card.rows, 1):
            if (row.route, row.candidate.key) == (route, key):
                return {"advice": shown.advice, "rank": rank, "chance": row.odds.chance.mean}
    return {}


@sensitive_variables()
def asked(*, task: Task, owner: Any, ask: Ask, route: str, key: str) -> None:
    """Keep with the step of a person, named as the card does, what was asked for it; one that no plan holds joins it.

    The link is the owner's alone: the question knows nothing of it. Of one without a name nothing is kept, for whoever
    reads rows could tell by it whose it is.
    """
    if ask.author_id != owner.pk or route not in PEOPLE:
        return
    try:
        step = choose(task=task, owner=owner, route=route, key=key)
    except (AssessFirst, ValidationError):
        return
    Step.objects.filter(pk=step.pk).update(asked=ask.public_id)


@sensitive_variables()
def asked_from(ask: Ask, asker: Any) -> Task | None:
    """The task that a question of this person's own began at, if any: theirs, and for nobody else (one query)."""
    steps = Step.objects.filter(task__owner=asker, asked=ask.public_id)
    found: Step | None = steps.select_related("task").first()
    return found.task if found else None


def done(*, task: Task, owner: Any, step: str, done: bool = True) -> None:
    """Say that a step is done, or that it is not; of a task that is over, what that says of how it went too."""
    with transaction.atomic():
        row = _step(task, owner, step)
        row.done_at = (row.done_at or timezone.now()) if done else None
        row.save(update_fields=["done_at"])
        if row.task.finished:
            outcomes.feed(row.task.outcome)


def drop(*, task: Task, owner: Any, step: str) -> None:
    """Take a step out of the plan; one that is out already (in another window) changes nothing."""
    with transaction.atomic():
        row = Step.objects.filter(task=own(task, owner)).named(step)
        if row is not None:
            outcomes.take_back(Step.objects.filter(pk=row.pk), task.owner_id)
            row.delete()


def move(*, task: Task, owner: Any, step: str, up: bool) -> None:
    """Move a step one place up or down; the first goes no higher and the last no lower."""
    with transaction.atomic():
        row = _step(task, owner, step)
        order = list(Step.objects.filter(task=row.task_id).order_by("place", "pk"))
        at = order.index(row)
        to = at - 1 if up else at + 1
        if 0 <= to < len(order):
            order[at], order[to] = order[to], order[at]
        for place, one in enumerate(order):
            one.place = place
        Step.objects.bulk_update(order, ["place"])


def _step(task: Task, owner: Any, step: str) -> Step:
    found: Step | None = Step.objects.filter(task=own(task, owner)).named(step)
    if found is None:
        raise Http404
    return found
