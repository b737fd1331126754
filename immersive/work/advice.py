"""The six routes of one task, weighed: from what was gathered for it, as long as all of that may be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from immersive.work import candidates, records
from immersive.work.models import Advice
from immersive.work.routes import Card, Difficulty, Situation, weigh
from immersive.work.working_time import clock_of

if TYPE_CHECKING:
    from immersive.work.models import Task
    from knowledge.access import Viewer

PARTS = {"know": 1.0, "partly": 0.5, "not_yet": 0.0}
"""Which part of a topic one knows who says so."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A card, and what it is weighed from. ``stale``: what has changed since, in words."""

    advice: Advice
    card: Card
    situation: Situation
    made_at: datetime
    stale: tuple[str, ...] = ()


@sensitive_variables()
def advise(task: Task, viewer: Viewer, *, lean: int | None = None, again: bool = False) -> Shown | None:
    """The card of the viewer's task, `None` until they have said how sure they are; ``again`` makes it anew.

    ``lean``: what matters more, 0 to deliver, 4 to learn, where it is not as the task has it.
    """
    if task.owner_id != viewer.person_id or not task.assessed:
        return None
    now = timezone.now()
    said = task.assessment
    sure = said.confidence / 100
    parts = [PARTS[word] for word in said.known.values()]
    situation = Situation(
        sure=sure,
        known=sum(parts) / len(parts) if parts else sure,
        lean=(task.lean if lean is None else lean) / 4,
        difficulty=Difficulty(task.difficulty or Difficulty.USUAL),
        hours_left=clock_of(task.owner).until(now, task.due) if task.due else None,
    )
    topics = {topic.name: sure for topic in task.topics.all()}
    known = {name: PARTS[said.known[name]] if name in said.known else part for name, part in topics.items()}
    found = candidates.gather(task.statement, viewer, known=known)
    seed = task.public_id.int % 2**31
    made: Any = task.advices.first()
    if again or made is None:
        made = Advice.objects.create(task=task, made_at=now, seed=seed, rests_on={})
    return Shown(made, weigh(found, situation, records.history(), seed), situation, made.made_at)
