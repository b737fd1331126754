"""What an outcome feeds: where a task worked, that what was chosen for it helped, as its owner's own verdicts.

They count as all verdicts do: never for one person's alone, and nothing of
documents about people (see `knowledge.standing`). A verdict that the owner gave
themselves is left as it is; one that came of an outcome goes with it. Which is
which is told by the moment that the step keeps: whoever says it anew has
another one.
"""

from __future__ import annotations

from typing import Any

from django.views.decorators.debug import sensitive_variables

from immersive.work.models import Outcome, Step, Task
from knowledge import standing
from knowledge.access import Viewer
from knowledge.models import Resource, Verdict


@sensitive_variables()
def feed(outcome: Outcome) -> None:
    """Say that what helped with a task did, and take back what an earlier slip said; in the caller's transaction."""
    task = outcome.task
    steps = list(Step.objects.filter(task=task).exclude(resource=None))
    helped = {step.pk for step in taken(steps, outcome)} if outcome.result == Outcome.WORKED else set()
    _take_back([step for step in steps if step.helped_at and step.pk not in helped], task)
    new = [step for step in steps if step.pk in helped and not step.helped_at]
    readable = Resource.objects.visible_to(Viewer.of(task.owner)).exclude(kind=standing.NEVER)
    resources = readable.select_related("source").in_bulk({step.resource_id for step in new})
    for step in new:
        if step.resource_id in resources:
            _say(step, resources[step.resource_id], task.owner_id)


def taken(steps: list[Any], outcome: Outcome) -> list[Any]:
    """The steps that were taken, as far as anybody said: those done, and those of the way that it went; else all."""
    said = [step for step in steps if step.done_at or step.route == outcome.route]
    return said if said or outcome.route else steps


def take_back(task: Task, step: int | None = None) -> None:
    """Take back every verdict that came of a task, or of one ``step`` of it, which is about to be deleted; in the
    caller's transaction."""
    fed = Step.objects.filter(task=task).exclude(helped_at=None)
    _take_back(list(fed if step is None else fed.filter(pk=step)), task)


def _say(step: Step, resource: Resource, owner: int) -> None:
    mine = Verdict.objects.filter(person_id=owner, resource=resource)
    if not mine.exists():
        standing.say(person_id=owner, resource=resource, helped=True)
    elif not Step.objects.filter(task__owner_id=owner, resource=resource, helped_at=mine.get().at).exists():
        return
    Step.objects.filter(pk=step.pk).update(helped_at=mine.get().at)


def _take_back(steps: list[Any], task: Task) -> None:
    for step in steps:
        Step.objects.filter(pk=step.pk).update(helped_at=None)
        others = Step.objects.filter(task__owner_id=task.owner_id, resource=step.resource_id, helped_at=step.helped_at)
        came = Verdict.objects.filter(person_id=task.owner_id, resource=step.resource_id, at=step.helped_at)
        if step.resource is not None and came.exists() and not others.exists():
            standing.say(person_id=task.owner_id, resource=step.resource, helped=None)
