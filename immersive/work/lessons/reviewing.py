"""A review that a group leads itself, in two minutes: what was expected stands there, as it was said before.

Reviews help most where expectation and timeline are pulled in and nobody
rebuilds them from memory. The task's owner has all that is stored but how sure
they were, which comes only if they want it told, in words; whoever the task is
shared with has what the share shows, and no time of anything.

What is filled in becomes words of a lesson, for whomever its author chooses.
So the plan is told by its routes, without what or whom each is with: those are
what the lesson concerns, named to each reader as far as they may read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.views.decorators.debug import sensitive_variables

from immersive.work.models import Assessment, Outcome, Step, Task
from immersive.work.routes import NAMES
from immersive.work.sharing import Shared
from knowledge.access import Viewer
from knowledge.models import Resource


@dataclass(frozen=True, slots=True)
class Review:
    """What is known before the four questions: what was expected in sentences, and what happened when."""

    expected: str
    timeline: tuple[tuple[datetime, str], ...]
    about: tuple[Resource, ...]
    sure: str
    """How sure the viewer said before that they were: told only if they want it."""


@sensitive_variables()
def review_of(task: Shared, viewer: Viewer) -> Review:
    """What the viewer may bring into a review of a task that they may see."""
    mine = Task.objects.visible_to(viewer).filter(public_id=task.public_id).first() if task.mine else None
    sure = Assessment.objects.visible_to(viewer).filter(task=mine).first() if mine else None
    sentences = [f"We wanted: {task.statement}{'' if task.statement[-1:] in '.?!' else '.'}"]
    if task.steps:
        sentences.append(f"The plan: {'; '.join(step.name.lower() for step in task.steps)}.")
    if task.due:
        sentences.append(f"It was due on {date_format(task.due, 'j F Y')}.")
    said = f"Said before: “{sure.words}”." if sure else ""
    return Review(" ".join(sentences), tuple(_timeline(mine)), _about(task, viewer), said)


def _timeline(mine: Task | None) -> Iterator[tuple[datetime, str]]:
    """What of the owner's own task happened when, without how it went."""
    if mine is None:
        return
    found = [(mine.created_at, "Begun")]
    for step in Step.objects.filter(task=mine):
        found.append((step.chosen_at, f"Chosen: {NAMES[step.route].lower()}"))
        found += [(step.done_at, f"Done: {NAMES[step.route].lower()}")] if step.done_at else []
    found += [(at, "Said how it went") for at in Outcome.objects.filter(task=mine).values_list("logged_at", flat=True)]
    yield from sorted(found)


def _about(task: Shared, viewer: Viewer) -> tuple[Resource, ...]:
    """What the plan was made of and where the task began, as the viewer may read it."""
    chosen: Any = Step.objects.filter(task__public_id=task.public_id).exclude(resource=None).values("resource")
    rows = list(Resource.objects.visible_to(viewer).filter(pk__in=chosen).exclude(kind="person").defer("body"))
    begun = task.started_from
    return tuple(rows if begun is None or begun in rows else [begun, *rows])
