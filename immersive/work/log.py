"""The learning log: what was said of a task becomes one line of its owner's own log, exactly once in effect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from immersive.work.models import ASSESSED, LearningEntry, LogWork, Task
from knowledge import durable
from knowledge.durable import LeaseLost

AT_ONCE = 200
"""Rows that one sweep takes up, so that it ends before its time limit; the next one goes on."""


class NotLogged(Exception):
    """The log could not be written. Names the kind of trouble only: a database's message may quote a row."""


@contextmanager
def without_words() -> Iterator[None]:
    """Let no exception through whose message could repeat what a person wrote."""
    try:
        yield
    except LeaseLost:
        raise
    except Exception as error:
        kind = type(error).__name__
    else:
        return
    raise NotLogged(kind)  # outside the handler: the first exception is not its context


def write(row: LogWork) -> None:
    """Write the line that ``row`` stands for and mark it done, in one transaction.

    The task's row is held first, so that deleting the task and logging it wait
    for each other. Whoever lost the lease meanwhile writes nothing.
    """
    with without_words(), transaction.atomic():
        task = Task.objects.select_for_update().get(pk=row.task_id)
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
