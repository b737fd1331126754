"""What people do with their tasks: start, say how sure they are, say how it went, delete.

Each verb checks that the task is its owner's, changes rows in one transaction
and returns what it made. Saying something also writes a `LogWork` row in the
same transaction, and asks a worker to do it soon: what was said is never lost,
and nothing that was said travels in a job's message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts.notices import Notice
from immersive.work import advice, jobs, outcomes, reminding
from immersive.work.models import (
    ASSESSED,
    CONFIDENCE,
    DIFFICULTIES,
    KNOWN,
    LEANS,
    OUTCOME,
    ROUTES,
    Assessment,
    AssessmentLocked,
    LogWork,
    Outcome,
    Step,
    Task,
)  # fmt: skip
from immersive.work.working_time import today_of
from knowledge import durable, topics
from knowledge.access import Viewer
from knowledge.connectors.files import web_address
from knowledge.index.analysis import topic_key
from knowledge.models import Resource, Topic

MAX_STATEMENT = 300
MAX_CONTEXT = 2000
MAX_TOPICS = 12
AT_ONCE = 200
"""Tasks that are deleted in one transaction."""
NO_STATEMENT = "Say in one sentence what you are working on."
NO_RESULT = "Choose how it went: it worked, partly, or not this time."


class AssessFirst(Exception):
    """How a task went is only worth knowing beside what was said before it."""


class LoggedAlready(Exception):
    """How it went was said already, and otherwise, maybe in another window."""


@sensitive_variables()
def start_task(
    *,
    owner: Any,
    statement: str,
    started_from: Resource | None = None,
    due: date | None = None,
    context: str = "",
    page_url: str = "",
) -> Task:
    """A new task of ``owner``, about the topics that what they may read suggests.

    A resource that the owner may not read counts as none, so that nothing can
    be learnt about it here; an address that is neither http nor https is not
    kept. Raises `ValidationError` for an empty or over-long statement or context.
    """
    words = _words(statement, context)
    page_url = page_url if web_address(page_url) else ""
    viewer = Viewer.of(owner)
    if started_from is not None:
        started_from = Resource.objects.visible_to(viewer).filter(pk=started_from.pk).first()
    with transaction.atomic():
        task = Task.objects.create(
            owner=owner,
            statement=words,
            started_from=started_from,
            due=due,
            context=context.strip(),
            page_url=page_url,
            ask_on=reminding.first_asked(due, today_of(owner)),
        )
        task.topics.set(topics.proposed(words, started_from, viewer))
    return task


def _words(statement: str, context: str) -> str:
    """The sentence in one line; raises `ValidationError` where it, or what belongs to it, cannot be."""
    words = " ".join(statement.split())
    if not words:
        raise ValidationError(NO_STATEMENT, code="empty")
    if len(words) > MAX_STATEMENT:
        raise ValidationError(f"Say it in at most {MAX_STATEMENT} characters.", code="long")
    if len(context) > MAX_CONTEXT:
        raise ValidationError(f"Keep at most {MAX_CONTEXT} characters of it.", code="long")
    return words


@sensitive_variables()
def change_task(*, task: Task, owner: Any, statement: str, due: date | None = None, context: str = "") -> None:
    """Say in other words what a task of ``owner`` is, when it is due, or what belongs to it.

    What was said before it stays, with the topics that it was said of; until then other words propose other topics.
    Other words are weighed anew. Another day asks anew how it went, unless its owner wants no asking. Raises
    `ValidationError` as `start_task` does.
    """
    words, viewer = _words(statement, context), Viewer.of(owner)
    with transaction.atomic():
        task = own(task, owner)
        before, task.statement, task.context = task.statement, words, context.strip()
        asks = task.ask_on or Notice.objects.filter(kind=reminding.KIND, subject=task.public_id).exists()
        if due != task.due and asks and not task.finished:
            task.ask_on = reminding.first_asked(due, today_of(owner))
            reminding.no_more([task.public_id])
        task.due = due
        task.save(update_fields=["statement", "context", "due", "ask_on"])
        if words != before and not task.assessed:
            task.topics.remove(*topics.proposed(before, None, viewer))
            begun = Resource.objects.visible_to(viewer).filter(pk=task.started_from_id or 0).first()
            task.topics.add(*topics.proposed(words, begun, viewer))
    if words != before and not task.finished:
        advice.advise(task, viewer, again=True)


@sensitive_variables()
def add_topic(*, task: Task, owner: Any, name: str) -> Topic:
    """Say that a task is about a topic that is there already for its owner, before they say what they know of it.

    Raises `ValidationError` where there is none of that name, or too many are said already, and `AssessmentLocked`.
    """
    with transaction.atomic():
        task = _unsaid(task, owner)
        names = topics.spelled(Q(slug=topic_key(name)), Viewer.of(owner))
        found: Topic | None = Topic.objects.filter(slug__in=names, name__in=names.values()).first()
        if found is None:
            raise ValidationError(topics.UNKNOWN, code="topic")
        if task.topics.exclude(pk=found.pk).count() >= MAX_TOPICS:
            raise ValidationError(f"Name at most {MAX_TOPICS} topics; take one away first.", code="many")
        task.topics.add(found)
    return found


@sensitive_variables()
def drop_topic(*, task: Task, owner: Any, topic: str) -> None:
    """Say that a task is not about the topic of this slug, before its owner says what they know of it; else
    `AssessmentLocked`."""
    with transaction.atomic():
        task = _unsaid(task, owner)
        task.topics.remove(*task.topics.filter(slug=topic))


@sensitive_variables()
def assess(
    *, task: Task, owner: Any, confidence: int, known: Mapping[str, str] | None = None, difficulty: str = ""
) -> Assessment:
    """Lock what the owner says before they begin; a second call, with any value, raises `AssessmentLocked`.

    ``confidence`` is one of the five percentages of `CONFIDENCE`, ``known`` says one of `KNOWN` of topics of the
    task by name, ``difficulty`` is one of `DIFFICULTIES` or nothing; else `ValidationError`.
    """
    known = dict(known or {})
    if confidence not in dict(CONFIDENCE) or not set(known.values()) <= set(dict(KNOWN)):
        raise ValidationError("Choose one of the answers.", code="choice")
    if difficulty and difficulty not in dict(DIFFICULTIES):
        raise ValidationError("Choose one of the answers, or none.", code="choice")
    with transaction.atomic():
        task = own(task, owner)
        if not set(known) <= set(task.topics.values_list("name", flat=True)):
            raise ValidationError("The topics of this task have changed. Say it again.", code="topic")
        try:
            with transaction.atomic():
                assessment: Assessment = Assessment.objects.create(task=task, confidence=confidence, known=known)
        except IntegrityError:
            raise AssessmentLocked from None
        Task.objects.filter(pk=task.pk).update(difficulty=difficulty)
        _log(task, ASSESSED)
    return assessment


def lean(*, task: Task, owner: Any, lean: int) -> None:
    """Keep what matters more this time: 0 to deliver, 4 to learn; else `ValidationError`."""
    if lean not in dict(LEANS):
        raise ValidationError("Choose a step between deliver and learn.", code="choice")
    with transaction.atomic():
        Task.objects.filter(pk=own(task, owner).pk).update(lean=lean)


@sensitive_variables()
def log_outcome(
    *,
    task: Task,
    owner: Any,
    result: float,
    with_help: bool = False,
    minutes: int | None = None,
    surprise: str = "",
    route: str = "",
    correct: bool = True,
) -> Outcome:
    """How it went, in the owner's own judgement; a second call corrects a slip and logs nothing twice.

    Without ``correct`` it is no correction: `LoggedAlready` where something else was said before.

    ``result`` is one of `Outcome.CHOICES`, ``minutes`` the time it took, ``route`` the way that it went, if they say.
    Raises `AssessFirst` while nothing was said before, `ValidationError` for what cannot be.
    """
    if result not in dict(Outcome.CHOICES):
        raise ValidationError(NO_RESULT, code="choice")
    if route and route not in dict(ROUTES):
        raise ValidationError("Choose one of the six ways, or none.", code="choice")
    if minutes is not None and not 0 <= minutes <= Outcome.MOST_MINUTES:
        raise ValidationError(f"Minutes are a number from 0 to {Outcome.MOST_MINUTES}.", code="minutes")
    if len(surprise) > 1000:
        raise ValidationError("Say what surprised you in at most 1000 characters.", code="long")
    with transaction.atomic():
        task = own(task, owner)
        if not task.assessed:
            raise AssessFirst
        said: dict[str, Any] = {"result": result, "route": route, "with_help": with_help, "minutes": minutes}
        said["surprise"] = surprise.strip()
        if task.finished and not correct:
            if any(getattr(task.outcome, name) != value for name, value in said.items()):
                raise LoggedAlready
            return task.outcome
        outcome: Outcome = Outcome.objects.update_or_create(
            task=task, defaults=said, create_defaults={**said, "logged_at": timezone.now()}
        )[0]
        outcomes.feed(outcome)
        reminding.no_more([task.public_id])
        _log(task, OUTCOME)
    return outcome


def delete_task(*, task: Task, owner: Any) -> None:
    """Remove a task with everything that was said of it and every line of the log that came from it."""
    with transaction.atomic():
        _delete([own(task, owner)], owner)


def delete_all(*, owner: Any) -> int:
    """Remove all tasks of ``owner`` with everything that was said of them; how many there were.

    Some at a time, each time in a transaction of its own: a cut leaves the rest as it was, and another call takes it.
    """
    gone = 0
    while some := _delete_some(owner):
        gone += some
    return gone


@transaction.atomic
def _delete_some(owner: Any) -> int:
    some = list(Task.objects.select_for_update().filter(owner=owner).order_by("pk").only("public_id")[:AT_ONCE])
    _delete(some, owner)
    return len(some)


def _delete(some: list[Task], owner: Any) -> None:
    outcomes.take_back(Step.objects.filter(task__in=some), owner.pk)
    Notice.objects.filter(subject__in=[task.public_id for task in some]).delete()
    Task.objects.filter(pk__in=[task.pk for task in some]).delete()


def own(task: Task, owner: Any) -> Task:
    """The task as it is now, held until the transaction ends; to everybody but its owner there is none (`Http404`)."""
    found: Task | None = Task.objects.select_for_update().filter(pk=task.pk, owner=owner).first()
    if found is None:
        raise Http404
    return found


def _unsaid(task: Task, owner: Any) -> Task:
    """As `_own`, of a task of which nothing is said yet."""
    task = own(task, owner)
    if task.assessed:
        raise AssessmentLocked
    return task


def _log(task: Task, event: str) -> None:
    row, new = LogWork.objects.get_or_create(task=task, event=event)
    if new:
        durable.prompt(jobs.log_event, row.pk)
