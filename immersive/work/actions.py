"""What people do with their tasks: start, say how sure they are, say how it went, delete.

Each verb checks that the task is its owner's, changes rows in one transaction
and returns what it made. Saying something also writes a `LogWork` row in the
same transaction, and asks a worker to do it soon: what was said is never lost,
and nothing that was said travels in a job's message.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from immersive.work import jobs
from immersive.work.models import ASSESSED, CONFIDENCE, OUTCOME, Assessment, AssessmentLocked, LogWork, Outcome, Task
from knowledge import durable
from knowledge.access import Viewer
from knowledge.models import Resource
from knowledge.topics import proposed

MAX_STATEMENT = 300


class AssessFirst(Exception):
    """How a task went is only worth knowing beside what was said before it."""


@sensitive_variables()
def start_task(*, owner: Any, statement: str, started_from: Resource | None = None, due: date | None = None) -> Task:
    """A new task of ``owner``, about the topics that what they may read suggests.

    A resource that the owner may not read counts as none, so that nothing can
    be learnt about it here. Raises `ValidationError` for an empty or over-long
    statement.
    """
    words = " ".join(statement.split())
    if not words:
        raise ValidationError("Say in one sentence what you are working on.", code="empty")
    if len(words) > MAX_STATEMENT:
        raise ValidationError(f"Say it in at most {MAX_STATEMENT} characters.", code="long")
    viewer = Viewer.of(owner)
    if started_from is not None:
        started_from = Resource.objects.visible_to(viewer).filter(pk=started_from.pk).first()
    with transaction.atomic():
        task = Task.objects.create(owner=owner, statement=words, started_from=started_from, due=due)
        task.topics.set(proposed(words, started_from, viewer))
    return task


@sensitive_variables()
def assess(*, task: Task, owner: Any, confidence: int) -> Assessment:
    """Lock what the owner says before they begin; a second call, with any value, raises `AssessmentLocked`.

    ``confidence`` is one of the five percentages of `CONFIDENCE`, else `ValidationError`.
    """
    if confidence not in dict(CONFIDENCE):
        raise ValidationError("Choose one of the five answers.", code="choice")
    with transaction.atomic():
        task = _own(task, owner)
        try:
            with transaction.atomic():
                assessment: Assessment = Assessment.objects.create(task=task, confidence=confidence)
        except IntegrityError:
            raise AssessmentLocked from None
        _log(task, ASSESSED)
    return assessment


@sensitive_variables()
def log_outcome(
    *,
    task: Task,
    owner: Any,
    result: float,
    with_help: bool = False,
    minutes: int | None = None,
    surprise: str = "",
) -> Outcome:
    """How it went, in the owner's own judgement; a second call corrects a slip and logs nothing twice.

    ``result`` is one of `Outcome.CHOICES`, ``minutes`` the time it took.
    Raises `AssessFirst` while nothing was said before, `ValidationError` for what cannot be.
    """
    if result not in dict(Outcome.CHOICES):
        raise ValidationError("Choose how it went: it worked, partly, or not this time.", code="choice")
    if minutes is not None and not 0 <= minutes <= Outcome.MOST_MINUTES:
        raise ValidationError(f"Minutes are a number from 0 to {Outcome.MOST_MINUTES}.", code="minutes")
    if len(surprise) > 1000:
        raise ValidationError("Say what surprised you in at most 1000 characters.", code="long")
    with transaction.atomic():
        task = _own(task, owner)
        if not task.assessed:
            raise AssessFirst
        said = {"result": result, "with_help": with_help, "minutes": minutes, "surprise": surprise.strip()}
        outcome: Outcome = Outcome.objects.update_or_create(
            task=task, defaults=said, create_defaults={**said, "logged_at": timezone.now()}
        )[0]
        _log(task, OUTCOME)
    return outcome


def delete_task(*, task: Task, owner: Any) -> None:
    """Remove a task with everything that was said of it and every line of the log that came from it."""
    with transaction.atomic():
        _own(task, owner).delete()


def delete_all(*, owner: Any) -> int:
    """Remove all tasks of ``owner`` with everything that was said of them; how many there were.

    Each in a transaction of its own: a cut leaves the rest as it was, and another call takes it.
    """
    mine = list(Task.objects.filter(owner=owner).values_list("pk", flat=True))
    for pk in mine:
        with transaction.atomic():
            for task in Task.objects.select_for_update().filter(pk=pk, owner=owner):
                task.delete()
    return len(mine)


def _own(task: Task, owner: Any) -> Task:
    """The task as it is now, held until the transaction ends; to everybody but its owner there is none (`Http404`)."""
    found: Task | None = Task.objects.select_for_update().filter(pk=task.pk, owner=owner).first()
    if found is None:
        raise Http404
    return found


def _log(task: Task, event: str) -> None:
    row, new = LogWork.objects.get_or_create(task=task, event=event)
    if new:
        durable.prompt(jobs.log_event, row.pk)
