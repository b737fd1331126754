"""Pages of a person's own tasks. Whoever asks for another person's gets what never was: 404."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from immersive.work import actions, tasks
from immersive.work import mirror as mirrors
from immersive.work.actions import AssessFirst
from immersive.work.forms import AssessmentForm, OutcomeForm, StartForm
from immersive.work.models import CONFIDENCE, AssessmentLocked, Task
from immersive.work.views import private
from knowledge.access import Viewer, id_in

PER_PAGE = 20


@private
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """My tasks, open ones first, each with what is next."""
    page = Paginator(tasks.mine(Viewer.of(request.user)), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(task, tasks.next_step(task)) for task in page]
    return render(request, "work/list.html", {"rows": rows, "page": page})


@private
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Start a task: the form (``?q=`` fills the sentence, ``?from=`` names a resource), and its answer."""
    viewer = Viewer.of(request.user)
    if request.method != "POST":
        begin = tasks.readable(id_in(request.GET.get("from")), viewer)
        words = request.GET.get("q", "")[: actions.MAX_STATEMENT]
        form = StartForm(initial={"statement": words, "started_from": begin and begin.public_id})
        return render(request, "work/new.html", {"form": form, "begin": begin})
    form = StartForm(request.POST)
    if not form.is_valid():
        begin = tasks.readable(id_in(request.POST.get("started_from")), viewer)
        return render(request, "work/new.html", {"form": form, "begin": begin}, status=422)
    values = form.cleaned_data
    begin = tasks.readable(values["started_from"], viewer)
    task = actions.start_task(
        owner=request.user, statement=values["statement"], started_from=begin, due=values["due"]
    )  # fmt: skip
    return redirect(task)


@private
@require_GET
def task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """One task: the question before all else, then what may help, then how it went."""
    viewer = Viewer.of(request.user)
    return _show(request, tasks.mine_or_404(task_id, viewer), viewer)


@private
@require_POST
def assess(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say how sure I am, once."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    form = AssessmentForm(request.POST)
    if found.assessed:
        return _show(request, found, viewer, status=409, locked=True)
    if not form.is_valid():
        return _show(request, found, viewer, status=422, assessment_form=form)
    try:
        actions.assess(task=found, owner=request.user, confidence=form.cleaned_data["confidence"])
    except AssessmentLocked:  # said in another window a moment ago
        return _show(request, tasks.mine_or_404(task_id, viewer), viewer, status=409, locked=True)
    return _after(request, task_id, viewer)


@private
@require_POST
def outcome(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say how it went, or correct a slip."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        return _show(request, found, viewer, status=422, outcome_form=form)
    try:
        actions.log_outcome(task=found, owner=request.user, **form.cleaned_data)
    except AssessFirst:
        return _show(request, found, viewer, status=409)
    return _after(request, task_id, viewer)


@private
@require_POST
def delete(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Delete a task with everything that was said of it."""
    found = tasks.mine_or_404(task_id, Viewer.of(request.user))
    actions.delete_task(task=found, owner=request.user)
    return redirect("work:list")


@private
@require_GET
def mirror(request: HttpRequest) -> HttpResponse:
    """My mirror: what I said beside how it went, topics over time, and my learning log."""
    viewer = Viewer.of(request.user)
    page = Paginator(tasks.logged(viewer), PER_PAGE).get_page(request.GET.get("page"))
    shown = {"look": mirrors.look(viewer), "page": page, "topics": tasks.topics_over_time(viewer)}
    return render(request, "work/mirror.html", shown)


@private
@require_POST
def delete_all(request: HttpRequest) -> HttpResponse:
    """Delete all my tasks with everything that was said of them."""
    actions.delete_all(owner=request.user)
    messages.success(request, "Everything is deleted. Nothing of it is kept.")
    return redirect("work:list")


@private
@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """All that this room holds about me, as a JSON file."""
    answer = JsonResponse(tasks.everything(Viewer.of(request.user)), json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = 'attachment; filename="my-tasks.json"'
    return answer


def _show(request: HttpRequest, found: Task, viewer: Viewer, status: int = 200, **more: Any) -> HttpResponse:
    """The task's page; only its moving part for htmx, which swaps successes only."""
    ready = found.assessed and not found.finished
    context = {
        "task": found,
        "words": CONFIDENCE,
        "assessment_form": AssessmentForm(),
        "outcome_form": OutcomeForm.of(found.outcome if found.finished else None),
        "help": tasks.matching(found, viewer) if ready else None,
        "reading": tasks.reading(found, viewer),
        **more,
    }
    if _moves(request):
        return render(request, "work/task.html#moving", context)
    return render(request, "work/task.html", context, status=status)


def _after(request: HttpRequest, task_id: UUID, viewer: Viewer) -> HttpResponse:
    """Where a form leads: to the page again, or to its part for htmx."""
    found = tasks.mine_or_404(task_id, viewer)
    return _show(request, found, viewer) if _moves(request) else redirect(found)


def _moves(request: HttpRequest) -> bool:
    """Whether htmx asks for the moving part alone."""
    return bool(getattr(request, "htmx", False))
