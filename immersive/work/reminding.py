"""Asking how a task went, once, in the morning after its deadline; never nagging.

``Task.ask_on`` is the day from which its owner wants to be asked, and nothing
once they were. So there is nothing to count: two workers, a worker that dies
and a clock that goes back ask no second time. Whoever was asked may put it off
or be asked no more, about this task or about any (`Reminders`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.asking.load import zone_of
from experts.models import Person
from experts.notices import Notice, Said, teller
from immersive.work import tasks
from immersive.work.models import Outcome, Reminders, Task
from immersive.work.working_time import Clock, clocks_of, today_of
from knowledge.access import Viewer

KIND = "how_it_went"
WITHOUT_A_DAY = timedelta(days=7)
"""After how long a task without a deadline is asked about."""
FROM = 7
"""The hour from which people are asked, by their own clock: before the mail of the day is written."""
LATER = {"tomorrow": timedelta(days=1), "week": timedelta(days=7)}
NEVER = "never"
"""What an owner may choose instead of being asked now: one of `LATER`, or not about this task at all."""
A_DAY = timedelta(days=1)


def first_asked(due: date | None, today: date) -> date:
    """The day from which the owner of a task that begins today is asked how it went."""
    return min(max(due, today), date.max - A_DAY) + A_DAY if due else today + WITHOUT_A_DAY


def ask(now: datetime | None = None) -> int:
    """Leave a notice with everybody whose task is due to be asked about, on a working day of theirs; how many.

    Only tasks of which something was said before are asked about: nothing
    could be laid beside how the others went.
    """
    now = now or timezone.now()
    wanted = Task.objects.filter(ask_on__lte=(now + A_DAY).date(), outcome=None, owner__is_active=True)
    silent = Reminders.objects.filter(outcomes=False).values("person")
    waiting = list(wanted.exclude(assessment=None).exclude(owner__in=silent).order_by("ask_on", "pk").only("owner"))
    clocks = clocks_of(Person.objects.filter(pk__in={task.owner_id for task in waiting}))
    asked = 0
    for task in waiting:
        clock = clocks[task.owner_id]
        if may_ask(clock, now):
            asked += _ask(task.pk, now.astimezone(zone_of(clock.zone)).date())
    return asked


def may_ask(clock: Clock, now: datetime) -> bool:
    """Whether this is a moment to ask a person anything: on a working day of theirs, from the hour on."""
    there = now.astimezone(zone_of(clock.zone))
    return there.hour >= FROM and clock.until(now, there.date()) > 0


@transaction.atomic
def _ask(pk: int, today: date) -> bool:
    """Ask about one task, if it is still to be asked about; the change of its day is what only one worker makes."""
    if not _open(Task.objects.filter(pk=pk, ask_on__lte=today)).update(ask_on=None):
        return False
    owner, subject = Task.objects.values_list("owner_id", "public_id").get(pk=pk)
    notices.tell([owner], KIND, subject)
    return True


def _open(rows: QuerySet[Task]) -> QuerySet[Task]:
    """Of these tasks the ones without an outcome, for an update of them.

    A join would move every condition into a subquery, which PostgreSQL does
    not ask again of a row that it waited for; so the row's own stay outside.
    """
    return rows.exclude(Exists(Outcome.objects.filter(task=OuterRef("pk"))))


@teller(KIND)
@sensitive_variables()
def asked(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """How did it go? A mail says no word of the task."""
    if not wishes(viewer).outcomes:
        return {}
    rows = Task.objects.visible_to(viewer).filter(public_id__in=subjects, outcome=None).select_related("owner")
    return {
        task.public_id: Said(
            f"How did it go? “{task.statement}”",
            f"{task.get_absolute_url()}#outcome",
            "task",
            mail=f"How did it go? A task of yours {when(task)}",
        )
        for task in rows
    }


def waiting(viewer: Viewer, limit: int = 3) -> list[Task]:
    """The viewer's tasks that they are asked about now and could log with one press, the latest first."""
    told = Notice.objects.filter(kind=KIND, person=viewer.person_id or 0, subject=OuterRef("public_id"))
    silent = Reminders.objects.filter(outcomes=False).values("person")
    rows = tasks.mine(viewer).filter(outcome=None, assessment__isnull=False).exclude(owner__in=silent)
    rows = rows.filter(Q(ask_on__lte=timezone.localdate()) | Q(Exists(told)))
    return list(rows.prefetch_related(None).order_by(F("due").desc(nulls_last=True), "-created_at")[:limit])


def when(task: Task) -> str:
    """Since when it is asked, in words that name no task."""
    if task.due is None:
        return "began some days ago"
    days = (today_of(task.owner) - task.due).days
    return {0: "is due today", 1: "was due yesterday"}.get(days, "was due some days ago")


# What an owner chooses ------------------------------------------------------------------------------------------------


def wishes(viewer: Viewer) -> Reminders:
    """What the viewer wants to be asked; where they chose nothing, an unsaved row of the defaults."""
    found = Reminders.objects.filter(person_id=viewer.person_id or 0).first()
    return found or Reminders(person_id=viewer.person_id or 0)


def wish(*, person: Any, outcomes: bool, recall: bool) -> None:
    """Keep what a person wants to be asked."""
    chosen = {"outcomes": outcomes, "recall": recall}
    Reminders.objects.update_or_create(person=person, defaults=chosen)


@sensitive_variables()
def put_off(*, task: Task, owner: Any, until: str) -> date | None:
    """Ask the owner later, one of `LATER`, or never about this task; the day on which they are asked, if any.

    Raises `Http404` for anybody else, and for what nobody offered.
    """
    if until not in (*LATER, NEVER):
        raise Http404
    today = today_of(owner)
    day = None if until == NEVER else today + LATER[until]
    with transaction.atomic():
        if not _open(Task.objects.filter(pk=task.pk, owner=owner)).update(ask_on=day):
            raise Http404
        no_more([task.public_id])
    return day


def no_more(subjects: Collection[UUID]) -> None:
    """Nobody is asked any more about these tasks (public ids): they are finished, put off or gone."""
    Notice.objects.filter(kind=KIND, subject__in=subjects).delete()
