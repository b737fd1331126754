"""The learning log: what was said of a task becomes one line of its owner's own log, exactly once in effect."""

from __future__ import annotations

from django.db import transaction

from immersive.work.models import ASSESSED, LearningEntry, LogWork, Task
from knowledge import durable
from knowledge.durable import LeaseLost

AT_ONCE = 200
"""Rows that one sweep takes up, so that it ends before its time limit; the next one goes on."""


class NotLogged(Exception):
    """The log could not be written. Names the kind of trouble only: a database's message may quote a row."""


def write(row: LogWork) -> None:
    """Write the line that ``row`` stands for and mark it done; raises `LeaseLost` or `NotLogged`.

    Only the kind of a failure is passed on, and not as the context of
    another exception either: both would be recorded and logged.
    """
    try:
        _write(row)
    except LeaseLost:
        raise
    except Exception as error:
        kind = type(error).__name__
    else:
        return
    raise NotLogged(kind)


@transaction.atomic
def _write(row: LogWork) -> None:
    """Line and mark in one transaction, so that one never stands without the other.

    The task's row is held first: deleting the task and logging it wait for
    each other. Whoever lost the lease meanwhile writes nothing, and a task
    that is gone has taken ``row`` and its lease with it.
    """
    task = Task.objects.select_for_update().filter(pk=row.task_id).first()
    if task is None:
        raise LeaseLost(f"{row} is gone")
    at = task.assessment.given_at if row.event == ASSESSED else task.outcome.logged_at
    entry, _ = LearningEntry.objects.get_or_create(task=task, event=row.event, defaults={"at": at})
    entry.topics.set(task.topics.all())
    row.finish()


def do(pk: int) -> bool:
    """Claim one row and write it; whether that was done here."""
    return durable.work(LogWork.objects, pk, write)


def do_due() -> int:
    """Write every row that waits, oldest first; how many were done here. One that fails holds up no other."""
    waiting = list(LogWork.objects.due().order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE])
    return sum(do(pk) for pk in waiting)
