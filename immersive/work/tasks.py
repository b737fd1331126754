"""What a person reads of their own tasks: lists, what is next, what was said beside how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, FilteredRelation, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.http import Http404
from django.utils import timezone

from experts.room import closed_of
from immersive.work.lessons.rows import Lesson
from immersive.work.models import Advice, LearningEntry, Outcome, Share, Step, Task
from immersive.work.working_time import today_of
from knowledge import topics
from knowledge.models import Resource, Topic

if TYPE_CHECKING:
    from uuid import UUID

    from knowledge.access import Viewer

ENOUGH = 5
"""Outcomes from which counts are worth telling; below, chance says more than the person (SCIENCE, 1)."""


def mine(viewer: Viewer) -> QuerySet[Task]:
    """The viewer's tasks with all that a page shows of them, those still open first, the newest first.

    Its topics are those that the viewer may know now. The resource that a task began with is named by ``from_id`` and
    ``from_title`` only while the viewer may read it: the right is asked anew each time.
    """
    began = Resource.objects.visible_to(viewer).filter(pk=OuterRef("started_from_id"))
    tasks: QuerySet[Task] = (
        Task.objects.visible_to(viewer)
        .select_related("owner", "assessment", "outcome")
        .prefetch_related(known_topics(viewer))
        .annotate(
            from_id=Subquery(began.values("public_id")[:1]),
            from_title=Subquery(began.values("title")[:1]),
            planned=Exists(Step.objects.filter(task=OuterRef("pk"))),
            shared=Exists(Share.objects.filter(task=OuterRef("pk"))),
        )
        .order_by(F("outcome__logged_at").desc(nulls_first=True), "-created_at", "-pk")
    )
    return tasks


def known_topics(viewer: Viewer) -> Prefetch[Any]:
    """The topics of rows, of those that the viewer may know: the right is asked anew each time."""
    return Prefetch("topics", topics.of(viewer))


def recent(viewer: Viewer, limit: int = 5) -> list[Task]:
    """What the home page shows: the viewer's open tasks, the newest first, without their topics."""
    return list(mine(viewer).filter(outcome=None).prefetch_related(None)[:limit])


def mine_or_404(public_id: UUID, viewer: Viewer) -> Task:
    """The viewer's task; else the same `Http404` as for one that never was.

    With it comes in the same question what its card begins with: ``kept``, the advice that was made last or `None`,
    and ``closed``, the days that its owner does not work (see `room.closed_of`); and ``wrote``, the lesson that they
    wrote last of it.
    """
    last = Advice.objects.filter(task=OuterRef("pk")).values("pk")[:1]
    kept = FilteredRelation("advices", condition=Q(advices__pk=Subquery(last)))
    rows: Any = mine(viewer)
    wrote = Lesson.objects.filter(task=OuterRef("pk"), author_id=viewer.person_id or 0).order_by("-pk")
    whole = rows.annotate(
        kept=kept, closed=closed_of("owner", timezone.now()), wrote=Subquery(wrote.values("public_id")[:1])
    ).select_related("kept")
    try:
        found: Task = whole.get(public_id=public_id)
    except Task.DoesNotExist:
        raise Http404 from None
    found.kept = getattr(found, "kept", None)  # type: ignore[attr-defined]
    return found


def readable(public_id: UUID | None, viewer: Viewer) -> Resource | None:
    """The resource to start a task from, or `None` if there is none that the viewer may read."""
    if public_id is None:
        return None
    found: Resource | None = Resource.objects.visible_to(viewer).filter(public_id=public_id).first()
    return found


@dataclass(frozen=True, slots=True)
class Next:
    """The one thing to do with a task now, and where."""

    words: str
    url: str


def next_step(task: Any) -> Next | None:
    """What is next for a task of `mine`: say how sure you are, choose a way, say how it went, then nothing.

    Of one that is over nobody has to choose a way any more.
    """
    if not task.assessed:
        return Next("Say how sure you are", f"{task.get_absolute_url()}#sure")
    over = task.due and task.due < today_of(task.owner)
    if not (task.finished or task.planned or over):
        return Next("Choose a way", f"{task.get_absolute_url()}#card")
    if not task.finished:
        return Next("How did it go?", f"{task.get_absolute_url()}#outcome")
    return None


WENT = {Outcome.WORKED: "it worked", Outcome.PARTLY: "it partly worked", Outcome.NOT_THIS_TIME: "not this time"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was said beside how it went, in words that blame nobody."""

    said: str
    went: str
    remark: str
    counts: str = ""


def remark(confidence: int, result: float) -> str:
    """One sentence about the distance between the two, about the task and never about the person."""
    if result == Outcome.WORKED:
        return "It went better than it looked from the start." if confidence < 50 else "It went as it looked."
    if result == Outcome.PARTLY:
        return "Part of it is done. What is left may be a smaller task of its own."
    if confidence < 50:
        return "You saw it coming. That is worth knowing before the next one."
    return "It held a surprise. A line about it may spare you, or somebody else, the next one."


def reading(task: Task, viewer: Viewer) -> Reading | None:
    """The pay-back of an outcome, in the minute in which it was logged; `None` before it."""
    if not task.finished:
        return None
    said, result = task.assessment, task.outcome.result
    return Reading(said.words, WENT[result], remark(said.confidence, result), counts(said.confidence, viewer))


def counts(confidence: int, viewer: Viewer) -> str:
    """How often the same was said and how it went, counted as the mirror does, once there are outcomes enough."""
    done = Task.objects.visible_to(viewer).exclude(outcome=None)
    same = Q(assessment__confidence=confidence)
    n = done.aggregate(
        all=Count("pk"), same=Count("pk", filter=same), worked=Sum("outcome__result", filter=same, default=0),
        partly=Count("pk", filter=same & Q(outcome__result=Outcome.PARTLY)),
    )  # fmt: skip
    if n["all"] < ENOUGH or n["same"] < 2:
        return ""
    half = ", where partly counts half" if n["partly"] else ""
    return f"You have said that {n['same']} times; {n['worked']:g} of them worked{half}."


def logged(viewer: Viewer) -> QuerySet[Task]:
    """The viewer's tasks that the learning log has a line of, with ``last_word``, when that was; the latest first."""
    tasks: QuerySet[Task] = Task.objects.visible_to(viewer).select_related("assessment", "outcome")
    return tasks.annotate(last_word=Max("log_entries__at")).exclude(last_word=None).order_by("-last_word", "-pk")


def learning_log(viewer: Viewer) -> QuerySet[LearningEntry]:
    """The lines of the viewer's learning log, newest first."""
    entries: QuerySet[LearningEntry] = (
        LearningEntry.objects.visible_to(viewer).select_related("task").prefetch_related(known_topics(viewer))
    )
    return entries


def names(of: QuerySet[Topic]) -> list[str]:
    """Names of topics, sorted."""
    return sorted(topic.name for topic in of)


def told(task: Any) -> list[tuple[str, str]]:
    """What was said of the topics of a task of `mine`, in words: of those that the viewer may know."""
    about = names(task.topics.all())
    return [one for one in task.assessment.told if one[0] in about] if task.assessed else []


RESULT_NAMES = {Outcome.WORKED: "worked", Outcome.PARTLY: "partly", Outcome.NOT_THIS_TIME: "not_this_time"}


def as_values(task: Any) -> dict[str, Any]:
    """One task of `mine` with everything said of it: what the download and the API give its owner."""
    about = names(task.topics.all())
    said = task.assessment if task.assessed else None
    went = task.outcome if task.finished else None
    step = next_step(task)
    return {
        "id": task.public_id,
        "statement": task.statement,
        "due": task.due,
        "created_at": task.created_at,
        "started_from": task.from_id,
        "topics": about,
        "difficulty": task.difficulty,
        "assessment": said
        and {
            "confidence": said.confidence,
            "words": said.words,
            "known": {name: word for name, word in said.known.items() if name in about},
            "given_at": said.given_at,
        },
        "outcome": went
        and {
            "result": RESULT_NAMES[went.result],
            "with_help": went.with_help,
            "minutes": went.minutes,
            "surprise": went.surprise,
            "route": went.route,
            "logged_at": went.logged_at,
        },
        "next": step.words if step else "",
    }
