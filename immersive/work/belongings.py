"""All that the room of tasks holds of one person: for them to take along, and to delete.

Whoever adds a row about a person adds it here: `tests/work/test_belongings.py`
walks all models of the room and finds those that are forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from immersive.work import actions, recall, reminding, sharing, tasks
from immersive.work.lessons.rows import Experiment, Lesson, Reach
from immersive.work.models import Reminders, Step
from immersive.work.routes import NAMES
from knowledge.access import Viewer

if TYPE_CHECKING:
    from django.db.models import Model

    from experts.models import Person

TEXTS: dict[type[Model], tuple[str, ...]] = {
    Lesson: ("expected", "happened", "know_now", "changes", "kind", "route", "review"),
    Experiment: ("hypothesis", "counts", "by", "result", "found", "finished_at"),
}
TOLD = ("public_id", "reach", "anonymous", "created_at", "changed_at", "published_at", "withdrawn_at")


@sensitive_variables()
def everything(viewer: Viewer) -> dict[str, Any]:
    """All of it, as values that JSON can say; resources and people by name, as far as the viewer may know them now."""
    wishes = reminding.wishes(viewer)
    shares = Prefetch("shares", sharing.shares(viewer))
    mine = tasks.mine(viewer).prefetch_related("steps", "advices", shares)
    return {
        "made_at": timezone.now(),
        "tasks": [_task(task) for task in mine],
        "learning_log": [
            {"task": one.task.public_id, "event": one.event, "at": one.at, "topics": tasks.names(one.topics.all())}
            for one in tasks.learning_log(viewer)
        ],
        "questions": [
            {
                "task": one.task and one.task.public_id, "question": one.question, "answer": one.answer,
                "created_at": one.created_at, "asked_at": one.asked_at, "due_at": one.due_at, "memory": one.card,
            }
            for one in recall.mine(viewer)
        ],
        "lessons": _told(Lesson, viewer),
        "experiments": _told(Experiment, viewer),
        "asked": {"outcomes": wishes.outcomes, "questions": wishes.recall},
    }  # fmt: skip


def _task(task: Any) -> dict[str, Any]:
    """A task with its plan, its shares, and when it was advised on: what a card named may be closed to them by now."""
    values = tasks.as_values(task)
    return {
        **values,
        "context": task.context,
        "page_url": task.page_url,
        "difficulty": task.difficulty,
        "lean": task.lean,
        "ask_on": task.ask_on,
        "plan": [_step(one) for one in task.steps.all()],
        "advice": [{"made_at": one.made_at, "seed": one.seed} for one in task.advices.all()],
        "shared_with": [_share(one) for one in task.shares.all()],
    }


def _step(step: Step) -> dict[str, Any]:
    kept = ("route", "chosen_at", "done_at", "rank", "lean", "chance")
    return {"name": NAMES[step.route], **{name: getattr(step, name) for name in kept}}  # type: ignore[index]


def _share(share: Any) -> dict[str, Any]:
    person = share.person and sharing.called(share.person, share.person_known)
    return {"person": person, "team": share.team and share.team.name, "at": share.at}


def _told(model: Any, viewer: Viewer) -> list[dict[str, Any]]:
    """What the viewer wrote; not what they may read of others."""
    mine = model.objects.visible_to(viewer).filter(author_id=viewer.person_id or 0)
    return [
        {
            **{name: getattr(one, name) for name in (*TOLD, *TEXTS[model])},
            "topics": tasks.names(one.topics.all()),
        }
        for one in mine.prefetch_related(tasks.known_topics(viewer))
    ]


@sensitive_variables()
def delete_all(*, owner: Person) -> int:
    """Remove all tasks of ``owner`` with everything that was said of them, and all else of theirs; how many tasks.

    What they wrote for themselves alone goes; what colleagues may read stays,
    without its author. Each task goes in a transaction of its own: a cut leaves
    the rest as it was, and another call takes it.
    """
    gone = actions.delete_all(owner=owner)
    with transaction.atomic():
        recall.Recall.objects.filter(owner=owner).delete()
        Reminders.objects.filter(person=owner).delete()
        for model in TEXTS:
            mine: Any = model._default_manager.filter(author=owner)
            mine.filter(reach__in=(Reach.DRAFT, Reach.ME)).delete()
            mine.exclude(withdrawn_at=None).delete()
            mine.update(author=None)
    return gone
