"""Pages of lessons: those that one may read, writing one, and one with what it concerns."""

from __future__ import annotations

from functools import partial
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from experts.asking.moderation import MODERATE
from experts.models import Person
from immersive.work import tasks
from immersive.work.lessons import telling, told
from immersive.work.lessons.connector import HEADINGS, title
from immersive.work.lessons.forms import LessonForm, said
from immersive.work.lessons.rows import Lesson
from immersive.work.models import Task
from immersive.work.views import page_of, private
from immersive.work.views.told import Written, asked_of, shown, teams, went, written
from knowledge.access import Viewer, id_in
from knowledge.models import Resource
from knowledge.reader import render as read
from knowledge.search import search
from knowledge.topics import proposed

LOOKED_UP = 5
ABOUT_KINDS = ("person", "lesson")


@private
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Lessons that I may read (``mine``: my own, drafts too), narrowed by ``kind`` and ``topic``."""
    asked, kept = asked_of(request, "kind", "topic", "mine")
    rows = told.listed(Lesson, Viewer.of(request.user), topic=asked["topic"], mine=bool(asked["mine"]))
    if asked["kind"]:
        rows = rows.filter(kind=asked["kind"])
    context = {
        "page": page_of(request, rows),
        "asked": asked,
        "kinds": Lesson.Kind.choices,
        "query_string": kept,
        "moderates": cast(Person, request.user).has_perm(MODERATE),
    }
    return render(request, "work/lessons/list.html", context)


# Writing ----------------------------------------------------------------------------------------------------------


@private
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write one; ``about`` (a resource) and ``task`` (one's own) fill what is known."""
    if request.method == "POST":
        return _written(request)
    viewer, key, named = Viewer.of(request.user), id_in(request.GET.get("task")), id_in(request.GET.get("about"))
    mine = Task.objects.visible_to(viewer).prefetch_related(tasks.known_topics(viewer))
    task = mine.filter(public_id=key).first() if key else None
    begin, used, topics = _known(task) if task else ({}, [], [])
    about = telling.about_these([named, *used] if named else used, viewer)
    if about and not topics:
        topics = [topic.name for topic in proposed("", about[0], viewer)]
    form = LessonForm(initial=begin, teams=teams(viewer))
    return _form(request, form=form, about=about, topics=topics, task=task and key)


def _known(task: Any) -> tuple[dict[str, str], list[UUID], list[str]]:
    """What a lesson from this task begins with: what was said of it, what it was done with, its topics."""
    outcome = getattr(task, "outcome", None)
    begin = {"happened": outcome.surprise, "route": outcome.route} if outcome else {}
    used = list(task.steps.exclude(resource=None).values_list("resource__public_id", flat=True))
    begun = [task.started_from.public_id] if task.started_from else []
    return begin, used + begun, tasks.names(task.topics.all())


@private
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change one's own."""
    viewer = Viewer.of(request.user)
    lesson = told.mine_or_404(Lesson, public_id, viewer)
    if request.method == "POST":
        return _written(request, lesson)
    about = telling.about_these(list(lesson.resources.values_list("public_id", flat=True)), viewer)
    form = LessonForm.of(lesson, teams(viewer))
    return _form(request, form=form, about=about, topics=told.topic_names(lesson, viewer), one=lesson)


def _written(request: HttpRequest, lesson: Lesson | None = None) -> HttpResponse:
    """What was posted: kept for whom it is for, looked up or reworded."""
    key, author = lesson.public_id if lesson else None, cast(Person, request.user)

    def keep(form: LessonForm, posted: QueryDict) -> Lesson | None:
        if not form.is_valid():
            return None
        return telling.publish(author=author, said=said(posted), to=form.told(posted), lesson=key)

    viewer = Viewer.of(author)
    done = written(request, partial(LessonForm, teams=teams(viewer)), keep)
    return went(request, done.kept) if done.kept else _again(request, done, viewer, lesson)


def _again(request: HttpRequest, done: Written, viewer: Viewer, lesson: Lesson | None) -> HttpResponse:
    """The form as it was typed, with what was looked up."""
    typed = said(done.posted)
    more: dict[str, Any] = {"one": lesson, "task": typed.task}
    about = telling.about_these(typed.resources, viewer)
    if done.posted.get("do") == "find":
        more["found"] = _found(done.posted.get("find", ""), viewer, {one.pk for one in about})
    return _form(request, done.status, about=about, topics=done.posted.getlist("topic"), **more, **done.context)


def _form(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, "work/lessons/write.html", {"what": "lesson", **context}, status=status)


def _found(text: str, viewer: Viewer, without: set[int]) -> list[Resource]:
    """A few resources that a lesson may be about, by what was typed."""
    if not text.strip():
        return []
    results = search(text[:200], viewer, per_page=LOOKED_UP * 2, remember=False).results
    rows = [one.resource for one in results if one.resource.kind not in ABOUT_KINDS]
    return [row for row in rows if row.pk not in without][:LOOKED_UP]


# One lesson -------------------------------------------------------------------------------------------------------


@private
@require_safe
def lesson(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One lesson, with what it concerns as far as I may read that."""
    viewer = Viewer.of(request.user)
    found = told.told_or_404(Lesson, public_id, viewer)
    parts = [(head, getattr(found, name)) for name, head in HEADINGS.items()]
    heading = title(found)
    context = {
        **shown(request, found, viewer),
        "parts": [(head, read(text)) for head, text in parts if text.strip() not in ("", heading)],  # said once
        "about": telling.about_these(list(found.resources.values_list("public_id", flat=True)), viewer),
    }
    return render(request, "work/lessons/lesson.html", context)
