"""All that the room of tasks holds of one person: for them to take along, and to delete.

Neither grows with how much there is: what is taken along is read and sent a
row at a time, what is deleted goes some rows at a time. A deletion that is cut
off has left the rest as it was, still theirs alone, and asking again goes on.

Whoever adds a row about a person adds it here: `tests/work/test_belongings.py`
walks all models of the room and finds those that are forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts.notices import Notice
from immersive.work import actions, plan, recall, reminding, sharing, tasks
from immersive.work.lessons.rows import Experiment, Lesson, Reach
from immersive.work.models import LearningEntry, Recall, Reminders, Step
from knowledge.access import Viewer
from knowledge.models import Resource

if TYPE_CHECKING:
    from django.db.models import Model

    from experts.models import Person

TEXTS: dict[type[Model], tuple[str, ...]] = {
    Lesson: ("expected", "happened", "know_now", "changes", "kind", "route", "review"),
    Experiment: ("hypothesis", "counts", "by", "result", "found", "finished_at"),
}
AT_ONCE = 500
"""Rows that are read, or deleted, at once."""
TOLD = ("public_id", "reach", "anonymous", "created_at", "changed_at", "published_at", "withdrawn_at")


@sensitive_variables()
def everything(viewer: Viewer) -> dict[str, Any]:
    """All of it, as values that JSON can say; resources and people by name, as far as the viewer may know them now.

    Its lists are iterators: rows are asked for while they are walked.
    """
    wishes = reminding.wishes(viewer)
    shares = Prefetch("shares", sharing.shares(viewer))
    steps = Prefetch("steps", plan.seen_by(viewer, Step.objects.all()))
    mine = tasks.mine(viewer).prefetch_related(steps, "advices", shares)
    return {
        "made_at": timezone.now(),
        "tasks": map(_task, mine.iterator(AT_ONCE)),
        "learning_log": map(_entry, tasks.learning_log(viewer).iterator(AT_ONCE)),
        "questions": map(_question, recall.mine(viewer).iterator(AT_ONCE)),
        "lessons": _told(Lesson, viewer),
        "experiments": _told(Experiment, viewer),
        "asked": {"outcomes": wishes.outcomes, "questions": wishes.recall},
    }


def as_json(kept: Mapping[str, Any]) -> Iterator[str]:
    """The same as a JSON document with a row a line, written while it is read."""
    yield "{"
    for at, (name, value) in enumerate(kept.items()):
        yield f"{',' if at else ''}\n{_json(name)}: "
        if isinstance(value, Iterator):
            yield "["
            for place, row in enumerate(value):
                yield f"{',' if place else ''}\n {_json(row)}"
            yield "]"
        else:
            yield _json(value)
    yield "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder)


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


def _entry(one: LearningEntry) -> dict[str, Any]:
    return {"task": one.task.public_id, "event": one.event, "at": one.at, "topics": tasks.names(one.topics.all())}


def _question(one: Recall) -> dict[str, Any]:
    kept = ("question", "answer", "created_at", "asked_at", "due_at")
    memory = {name: value for name, value in one.card.items() if name not in recall.NUMBER}
    return {
        "task": one.task and one.task.public_id, **{name: getattr(one, name) for name in kept}, "memory": memory,
    }  # fmt: skip


def _step(step: Step) -> dict[str, Any]:
    kept = ("route", "chosen_at", "done_at", "helped_at", "asked", "rank", "lean", "chance")
    seen = plan.as_seen(step)
    return {"name": seen.name, "with": seen.title, **{name: getattr(step, name) for name in kept}}


def _share(share: Any) -> dict[str, Any]:
    person = share.person and sharing.called(share.person, share.person_known)
    return {"person": person, "team": share.team and share.team.name, "at": share.at}


def _told(model: Any, viewer: Viewer) -> Iterator[dict[str, Any]]:
    """What the viewer wrote; not what they may read of others."""
    mine = model.objects.visible_to(viewer).filter(author_id=viewer.person_id or 0)
    mine = mine.prefetch_related(tasks.known_topics(viewer))
    if model is Lesson:
        mine = mine.prefetch_related(Prefetch("resources", Resource.objects.visible_to(viewer).defer("body")))
    for one in mine.iterator(AT_ONCE):
        said = {name: getattr(one, name) for name in (*TOLD, *TEXTS[model])}
        concerns = {"concerns": [row.title for row in one.resources.all()]} if model is Lesson else {}
        yield {**said, "topics": tasks.names(one.topics.all()), **concerns}


@sensitive_variables()
def delete_all(*, owner: Person) -> int:
    """Remove all tasks of ``owner`` with everything that was said of them, and all else of theirs; how many tasks.

    What nobody else may read goes, also what was taken back or away; what
    colleagues may read stays, without a name, and nobody can take it back any
    more. Questions to colleagues are of another room and stay as they are.
    Some rows go at a time, each time in a transaction of its own: a cut leaves
    the rest as it was, and another call takes it.
    """
    gone = actions.delete_all(owner=owner)
    _delete(Recall.objects.filter(owner=owner))
    _delete(Reminders.objects.filter(person=owner))
    for model in TEXTS:
        mine: Any = model._default_manager.filter(author=owner)
        _delete(Notice.objects.filter(person=owner, subject__in=mine.values("public_id")))
        _delete(mine.filter(reach__in=(Reach.DRAFT, Reach.ME)))
        _delete(mine.exclude(withdrawn_at=None, hidden_at=None))
        mine.update(author=None, anonymous=True)  # who is here still has not left: it reads as without a name
    return gone


def _delete(rows: QuerySet[Any]) -> None:
    """Delete these, some at a time."""
    while some := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            rows.filter(pk__in=some).delete()
