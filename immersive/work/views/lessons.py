"""Pages of lessons: those that one may read, writing one, letting it go, taking it back, and what moderators do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experts.asking.moderation import MODERATE
from experts.models import Person, Team
from experts.views.ask_forms import refuse
from immersive.work import tasks
from immersive.work.lessons import telling
from immersive.work.lessons.connector import HEADINGS
from immersive.work.lessons.forms import LessonForm, as_typed, said
from immersive.work.lessons.names import Found
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.lessons.telling import SomebodyIsNamed
from immersive.work.models import Task
from immersive.work.views import private
from knowledge.access import Viewer, id_in
from knowledge.ingest import storable
from knowledge.models import LESSONS, Resource
from knowledge.reader import render as read
from knowledge.search import search
from knowledge.standing import said_by
from knowledge.topics import proposed

A_PAGE, LOOKED_UP = 20, 5
ABOUT_KINDS = ("person", "lesson")


@private
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Lessons that I may read (``mine``: my own, drafts too), narrowed by ``kind`` and ``topic``."""
    viewer = Viewer.of(request.user)
    asked = {name: storable(request.GET.get(name, "")) for name in ("kind", "topic", "mine")}
    rows = telling.listed(viewer, kind=asked["kind"], topic=asked["topic"], mine=bool(asked["mine"]))
    page = Paginator(rows.select_related("team"), A_PAGE).get_page(request.GET.get("page"))
    topics = telling.topics_of(list(page.object_list), viewer)
    kept = QueryDict(mutable=True)
    kept.update({name: value for name, value in asked.items() if value})
    context = {
        "rows": [(one, topics.get(one.pk, [])) for one in page.object_list],
        "page": page,
        "asked": asked,
        "kinds": Lesson.Kind.choices,
        "query_string": kept.urlencode(),
        "moderates": cast(Person, request.user).has_perm(MODERATE),
    }
    return render(request, "work/lessons/list.html", context)


# Writing ----------------------------------------------------------------------------------------------------------


@private
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write one; ``about`` (a resource) and ``task`` (one's own) fill what is known."""
    viewer = Viewer.of(request.user)
    if request.method == "POST":
        return _written(request, viewer)
    begin, about = {}, [id_in(request.GET.get("about"))]
    topics: list[str] = []
    key = id_in(request.GET.get("task"))
    mine = Task.objects.visible_to(viewer).prefetch_related(tasks.known_topics(viewer))
    task = mine.filter(public_id=key).first() if key else None
    if task is not None:
        outcome = getattr(task, "outcome", None)
        begin = {"happened": outcome.surprise if outcome else "", "route": outcome.route if outcome else ""}
        about += task.steps.exclude(resource=None).values_list("resource__public_id", flat=True)
        about += [task.started_from.public_id] if task.started_from else []
        topics = tasks.names(task.topics.all())
    chosen = telling.about_these([key for key in about if key], viewer)
    if not topics and chosen:
        topics = [topic.name for topic in proposed("", chosen[0], viewer)]
    form = LessonForm(initial=begin, teams=_teams(viewer))
    return _form(request, viewer, form, about=chosen, topics=topics, task=task and task.public_id)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change one's own."""
    viewer = Viewer.of(request.user)
    lesson = telling.mine_or_404(public_id, viewer)
    if request.method == "POST":
        return _written(request, viewer, lesson)
    form = LessonForm(initial=as_typed(lesson), teams=_teams(viewer))
    about = telling.about_these(list(lesson.resources.values_list("public_id", flat=True)), viewer)
    topics = [topic.name for topic in telling.topics_of([lesson], viewer).get(lesson.pk, [])]
    return _form(request, viewer, form, about=about, topics=topics, lesson=lesson)


def _written(request: HttpRequest, viewer: Viewer, lesson: Lesson | None = None) -> HttpResponse:
    """What was posted: kept, published, looked up or reworded; refused, it comes back whole."""
    posted, person = request.POST.copy(), cast(Person, request.user)
    field, _, name = posted.get("instead", "").partition(":")
    if field in telling.WORDS:
        posted[field] = telling.without(posted.get(field, ""), name, viewer)
    form, do = LessonForm(posted, teams=_teams(viewer)), "reword" if field else posted.get("do")
    more: dict[str, Any] = {"lesson": lesson, "task": id_in(posted.get("task"))}
    key, named = lesson.public_id if lesson else None, None
    try:
        if do == "draft":
            kept = telling.keep(author=person, said=said(posted), lesson=key)
            messages.success(request, "Kept as a draft. Only you can read it.")
            return redirect(kept)
        if do == "publish" and form.is_valid():
            kept = telling.publish(author=person, said=said(posted), to=form.told(posted), lesson=key)
            messages.success(request, _told(kept))
            return redirect(kept)
    except ValidationError as problem:
        form.is_valid()  # what else does not fit is said beside it
        refuse(form, problem)
    except SomebodyIsNamed as problem:
        named = problem.found
    typed = said(posted)
    about = telling.about_these(typed.resources, viewer)
    if do == "find":
        more["found"] = _found(posted.get("find", ""), viewer, {one.pk for one in about})
    tried = do in ("draft", "publish")
    if not tried:  # nothing is refused yet
        form = LessonForm(initial=posted.dict(), teams=_teams(viewer))
    status = 422 if tried else 200
    topics = list(typed.topics) if not form.errors.get("add_topic") else posted.getlist("topic")
    plain = posted.getlist("plain")
    return _form(request, viewer, form, about=about, topics=topics, named=named, plain=plain, status=status, **more)


def _form(
    request: HttpRequest, viewer: Viewer, form: LessonForm, *, status: int = 200,
    named: Mapping[str, Sequence[Found]] | None = None, **more: Any,
) -> HttpResponse:  # fmt: skip
    one_each: dict[tuple[str, str], Found] = {}
    for part, those in (named or {}).items():
        for one in those:
            one_each.setdefault((part, one.text), one)
    shown = [(part, form.fields[part].label, one) for (part, _), one in one_each.items()]
    checked = status == 200 or not form.errors
    context = {"form": form, "named": shown, "refused": bool(form.errors) and not checked, **more}
    return render(request, "work/lessons/write.html", context, status=status)


def _told(lesson: Lesson) -> str:
    if lesson.reach == Reach.ME:
        return "Kept. Only you can read it."
    whom = lesson.team.name if lesson.team else "Everyone here"
    return f"{whom} can read it now, and finds it within a minute. You can take it back whenever you want."


def _teams(viewer: Viewer) -> list[Team]:
    return list(Team.objects.of(viewer))


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
    return _show(request, telling.lesson_or_404(public_id, viewer), viewer)


def _show(request: HttpRequest, found: Lesson, viewer: Viewer, status: int = 200, **more: Any) -> HttpResponse:
    mine = found.author_id == viewer.person_id
    by, person = telling.signed(found, viewer)
    row = Resource.objects.visible_to(viewer).filter(source__kind=LESSONS, key=found.public_id.hex).first()
    parts = [(head, getattr(found, name)) for name, head in HEADINGS.items()]
    context = {
        "lesson": found,
        "mine": mine,
        "by": by,
        "person": person,
        "parts": [(head, read(text)) for head, text in parts if text.strip()],
        "about": telling.about_these(list(found.resources.values_list("public_id", flat=True)), viewer),
        "topics": telling.topics_of([found], viewer).get(found.pk, []),
        "resource": row,
        "helped": said_by(viewer.person_id, row) if row and not mine else None,
        "moderates": not mine and cast(Person, request.user).has_perm(MODERATE),
        **more,
    }
    return render(request, "work/lessons/lesson.html", context, status=status)


@private
@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take one's own back."""
    telling.withdraw(author=cast(Person, request.user), lesson=public_id)
    messages.success(request, "Taken back. It is a draft again, and nobody else can read it.")
    return redirect("lessons:lesson", public_id)


@private
@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Delete one's own."""
    telling.delete(author=cast(Person, request.user), lesson=public_id)
    messages.success(request, "Deleted. Nothing of it is kept.")
    return redirect("lessons:list")


# Moderation -------------------------------------------------------------------------------------------------------


@private
@require_safe
def taken_away(request: HttpRequest) -> HttpResponse:
    """What moderators took away and I, who am one, could give back."""
    return _taken_away(request)


def _taken_away(request: HttpRequest, refused: str = "") -> HttpResponse:
    if not cast(Person, request.user).has_perm(MODERATE):
        raise PermissionDenied
    rows = Lesson.objects.taken_away(Viewer.of(request.user)).order_by("-hidden_at", "-pk")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "refused": refused}
    return render(request, "work/lessons/taken_away.html", context, status=422 if refused else 200)


@private
@require_POST
def moderate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a lesson away, or give it back, with a reason."""
    person, reason = cast(Person, request.user), request.POST.get("reason", "")
    give_back = request.POST.get("do") == "give-back"
    verb = telling.give_back if give_back else telling.hide
    try:
        verb(person=person, lesson=public_id, reason=reason)
    except ValidationError as problem:
        refused = " ".join(problem.messages)
        if give_back:
            return _taken_away(request, refused)
        viewer = Viewer.of(request.user)
        return _show(
            request, telling.lesson_or_404(public_id, viewer), viewer, status=422, refused=refused, reason=reason
        )
    messages.success(request, "Given back. Its author reads why." if give_back else "Taken away. Its author reads why.")
    return redirect("lessons:taken-away")
