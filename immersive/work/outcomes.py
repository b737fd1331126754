"""What an outcome feeds: where a task worked, that what was chosen for it helped, as its owner's own verdicts.

They count as all verdicts do: never for one person's alone, and nothing of
documents about people (see `knowledge.standing`). A verdict that the owner gave
themselves is left as it is; one that came of an outcome goes with it. Which is
which is told by the moment that the step keeps: whoever says it anew has
another one.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from immersive.work.models import Outcome, Step
from knowledge import standing
from knowledge.access import Viewer
from knowledge.models import Resource, Verdict


@sensitive_variables()
def feed(outcome: Outcome) -> None:
    """Say that what helped with a task did, and take back what an earlier slip said; in the caller's transaction.

    What was chosen after the outcome helped with it only once it is done.
    """
    task = outcome.task
    steps = Step.objects.filter(task=task).exclude(resource=None)
    helped = taken(list(steps.before(outcome.logged_at)), outcome) if outcome.result == Outcome.WORKED else []
    take_back(steps.exclude(pk__in=[step.pk for step in helped]), task.owner_id)
    new = [step for step in helped if not step.helped_at]
    readable = Resource.objects.visible_to(Viewer.of(task.owner)).exclude(kind=standing.NEVER)
    resources = readable.select_related("source").in_bulk({step.resource_id for step in new})
    for step in new:
        if step.resource_id in resources:
            _say(step, resources[step.resource_id], task.owner_id)


def taken(steps: list[Any], outcome: Outcome) -> list[Any]:
    """The steps that were taken, as far as anybody said: those done, and those of the way that it went; else all."""
    said = [step for step in steps if step.done_at or step.route == outcome.route]
    return said if said or outcome.route else steps


def take_back(steps: QuerySet[Step], owner: int) -> None:
    """Take back every verdict of ``owner`` that came of these steps of theirs and of no other; in the caller's
    transaction."""
    fed = list(steps.exclude(helped_at=None).select_related("resource").defer("resource__body"))
    if not fed:
        return
    Step.objects.filter(pk__in=[step.pk for step in fed]).update(helped_at=None)
    about = {step.resource_id: step.resource for step in fed if step.resource is not None}
    others = Step.objects.filter(task__owner_id=owner, resource__in=about).exclude(helped_at=None)
    stays = set(others.values_list("resource", "helped_at"))
    came = {(step.resource_id, step.helped_at) for step in fed} - stays
    for said in Verdict.objects.filter(person_id=owner, resource__in=about).values_list("resource", "at"):
        if said in came:
            standing.say(person_id=owner, resource=about[said[0]], helped=None)


def _say(step: Step, resource: Resource, owner: int) -> None:
    mine = Verdict.objects.filter(person_id=owner, resource=resource)
    if not mine.exists():
        standing.say(person_id=owner, resource=resource, helped=True)
    elif not Step.objects.filter(task__owner_id=owner, resource=resource, helped_at=mine.get().at).exists():
        return
    Step.objects.filter(pk=step.pk).update(helped_at=mine.get().at)
