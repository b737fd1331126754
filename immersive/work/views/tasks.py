"""Pages of a person's own tasks. Whoever asks for another person's gets what never was: 404."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from immersive.work import actions, advice, card, plan, sharing, tasks
from immersive.work.actions import LoggedAlready
from immersive.work.forms import AssessmentForm, ChangeForm, OutcomeForm, StartForm
from immersive.work.models import CONFIDENCE, LEANS, AssessmentLocked, Task
from immersive.work.views import page_of, private
from knowledge.access import Viewer, id_in
from knowledge.ingest import storable

FILLED = {"statement": "q", "context": "text", "page_url": "page"}
"""What an address may fill in of a new task, and as what."""


@private
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """My tasks, open ones first, each with what is next."""
    page = page_of(request, tasks.mine(Viewer.of(request.user)))
    rows = [(task, tasks.next_step(task)) for task in page]
    parts = [("In progress", [row for row in rows if not row[0].finished])]
    parts.append(("Finished", [row for row in rows if row[0].finished]))
    return render(request, "work/list.html", {"parts": [part for part in parts if part[1]], "page": page})


@private
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Start a task: the form, and its answer.

    ``?q=`` fills the sentence, ``?from=`` names a resource that it begins with, ``?page=`` and ``?text=`` an address
    and what was selected there, ``?rest=`` a task of mine of which something is left.
    """
    viewer = Viewer.of(request.user)
    if request.method != "POST":
        begin = tasks.readable(id_in(request.GET.get("from")), viewer)
        said = {name: request.GET.get(asked, "") for name, asked in FILLED.items()}
        if left := id_in(request.GET.get("rest")):
            rest = tasks.mine_or_404(left, viewer)
            said, begin = {name: getattr(rest, name) for name in FILLED}, tasks.readable(rest.from_id, viewer)  # type: ignore[attr-defined]
        return _new(request, StartForm(initial={**said, "started_from": begin and begin.public_id}), begin)
    form = StartForm(request.POST)
    if not form.is_valid():
        return _new(request, form, tasks.readable(id_in(request.POST.get("started_from")), viewer), status=422)
    begin = tasks.readable(form.cleaned_data["started_from"], viewer)
    return redirect(actions.start_task(owner=request.user, **{**form.cleaned_data, "started_from": begin}))


def _new(request: HttpRequest, form: StartForm, begin: Any, status: int = 200) -> HttpResponse:
    return render(request, "work/new.html", {"form": form, "begin": begin}, status=status)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Change the sentence, the day or what belongs to it; what was said of it stays as it was said."""
    found = tasks.mine_or_404(task_id, Viewer.of(request.user))
    form = ChangeForm(request.POST) if request.method == "POST" else ChangeForm.of(found)
    if form.is_valid():
        actions.change_task(task=found, owner=request.user, **form.cleaned_data)
        return redirect(found)
    return render(request, "work/change.html", {"task": found, "form": form}, status=422 if form.errors else 200)


@private
@require_safe
def task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """One task: the question before all else, then six routes and a plan, then how it went."""
    viewer = Viewer.of(request.user)
    return show(request, tasks.mine_or_404(task_id, viewer), viewer)


@private
@require_POST
def assess(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say how sure I am, how hard it is and what I know, once; or change, before that, what it is about."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    early = OutcomeForm(request.POST) if "surprise" in request.POST else None
    if found.assessed:
        return show(request, found, viewer, status=409, locked=True)
    begun = "say" in request.POST and storable(request.POST.get("add", "")).strip()
    if not begun and (request.POST.get("drop") or request.POST.get("add", "").strip()):
        return _about(request, found, viewer, early)
    form = AssessmentForm(found.topics.all(), request.POST)
    if not form.is_valid():
        return show(request, found, viewer, status=422, form=form, early=early)
    try:
        left = _left(request, found, begun) if begun else ""
        actions.assess(task=found, owner=request.user, **form.said)
    except AssessmentLocked:  # said in another window a moment ago
        return show(request, tasks.mine_or_404(task_id, viewer), viewer, status=409, locked=True)
    if left or early is not None:
        kept: dict[str, Any] = {} if early is None else {"outcome_form": early}
        return show(request, tasks.mine_or_404(task_id, viewer), viewer, left=left, at="card", **kept)
    return after(request, task_id, viewer, at="card")


def _left(request: HttpRequest, found: Task, name: str) -> str:
    """Add the topic that was being typed when the answer was given; what is said where it cannot be: it blocks none."""
    try:
        actions.add_topic(task=found, owner=request.user, name=name)
    except ValidationError:
        return (
            f"The topic that you were adding, “{name[:100]}”, was not taken: you can read no page about one so named."
        )
    return ""


def _about(request: HttpRequest, found: Task, viewer: Viewer, early: OutcomeForm | None) -> HttpResponse:
    """The same question with a topic more or less; what was chosen already stays chosen, and is not said yet."""
    trouble = ""
    drop = storable(request.POST.get("drop", ""))
    try:
        if drop:
            actions.drop_topic(task=found, owner=request.user, topic=drop)
        else:
            actions.add_topic(task=found, owner=request.user, name=storable(request.POST.get("add", "")).strip())
    except ValidationError as problem:
        trouble = " ".join(problem.messages)
    except AssessmentLocked:
        return show(request, tasks.mine_or_404(found.public_id, viewer), viewer, status=409, locked=True)
    kept = request.POST.dict() if trouble else {**request.POST.dict(), "add": ""}
    found = tasks.mine_or_404(found.public_id, viewer)
    form = AssessmentForm(found.topics.all(), initial=kept)
    more = {"form": form, "at": "topics", "trouble": trouble, "early": early}
    return show(request, found, viewer, status=422 if trouble else 200, **more)


@private
@require_POST
def outcome(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say how it went, or correct a slip (``correct``): what another window said already is not replaced unasked.

    Before anything else is said, it is kept for the form that comes then. One press elsewhere says the rest as the
    form on the page would.
    """
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    alone = "route" not in request.POST
    said = {**OutcomeForm.of(None, chosen(found, viewer)).initial, **request.POST.dict()} if alone else request.POST
    form = OutcomeForm(said)
    if not found.assessed:
        return show(request, found, viewer, status=409, early=form)
    if not form.is_valid():
        return show(request, found, viewer, status=422, outcome_form=form)
    try:
        actions.log_outcome(task=found, owner=request.user, correct="correct" in request.POST, **form.cleaned_data)
    except LoggedAlready:
        return show(request, tasks.mine_or_404(task_id, viewer), viewer, status=409, again=form)
    return after(request, task_id, viewer, at="went")


@private
@require_POST
def delete(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Delete a task with everything that was said of it."""
    found = tasks.mine_or_404(task_id, Viewer.of(request.user))
    actions.delete_task(task=found, owner=request.user)
    return redirect("work:list")


def show(request: HttpRequest, found: Task, viewer: Viewer, status: int = 200, **more: Any) -> HttpResponse:
    """The task's page; only its moving part for htmx, which swaps successes only.

    ``at`` names the place that htmx leads to, for where one was may be gone.
    """
    planned = chosen(found, viewer)
    shown = advice.advise(found, viewer) if found.assessed and not found.finished else None
    context = {
        "task": found,
        "words": dict(CONFIDENCE),
        "form": None if found.assessed else AssessmentForm(found.topics.all()),
        "outcome_form": OutcomeForm.of(found.outcome if found.finished else None, planned),
        "reading": tasks.reading(found, viewer),
        "told": tasks.told(found),
        "plan": planned,
        "shares": sharing.shares_of(found, viewer) if found.shared else [],  # type: ignore[attr-defined]
        "look": card.look(found, shown, planned, viewer) if shown else None,
        "leans": LEANS,
        **more,
    }
    if moves(request):
        return render(request, "work/task.html#moving", context)
    return render(request, "work/task.html", context, status=status)


def chosen(found: Any, viewer: Viewer) -> list[plan.Planned]:
    """The plan of a task of `tasks.mine`, which knows whether there is one to ask for."""
    return plan.steps(found, viewer) if found.planned else []


def after(request: HttpRequest, task_id: UUID, viewer: Viewer, at: str = "") -> HttpResponse:
    """Where a form leads: to the page again, or to its part for htmx."""
    found = tasks.mine_or_404(task_id, viewer)
    if moves(request):
        return show(request, found, viewer, at=at)
    return redirect(f"{found.get_absolute_url()}#{at}" if at else found)


def moves(request: HttpRequest) -> bool:
    """Whether htmx asks for the moving part alone."""
    return bool(getattr(request, "htmx", False))
