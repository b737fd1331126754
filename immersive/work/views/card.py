"""What one does with the six routes of a task: lean, choose, put in order, read beside it, weigh anew."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from immersive.work import actions, advice, card, plan, tasks
from immersive.work.actions import AssessFirst
from immersive.work.models import LEANS
from immersive.work.views import private
from immersive.work.views.tasks import after, chosen, moves, show
from knowledge import standing
from knowledge.access import Viewer, number_in, resource_or_404
from knowledge.pages import notes
from knowledge.reader import render as read


@private
@require_POST
def lean(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say what matters more this time (``lean``), or have it weighed anew (``again``); only the card for htmx."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    said = number_in(request.POST.get("lean"))
    step = -1 if said is None else said
    try:
        actions.lean(task=found, owner=request.user, lean=step)
    except ValidationError:
        return show(request, found, viewer, status=422)
    found.lean = step
    if not moves(request):
        return redirect(f"{found.get_absolute_url()}#card")
    shown = advice.advise(found, viewer)
    if shown is None:
        return after(request, task_id, viewer)
    look = card.look(found, shown, chosen(found, viewer), viewer)
    return render(request, "work/_card.html#score", {"task": found, "look": look, "leans": LEANS, "moved": True})


@private
@require_POST
def again(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Gather and weigh anew: something has changed since."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    advice.advise(found, viewer, again=True)
    return after(request, task_id, viewer, at="card")


@private
@require_POST
def choose(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Choose a route (``choice``: the route and what it is with), or take it out of the plan (``drop``)."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    route, _, key = request.POST.get("choice", "").partition(":")
    try:
        if drop := request.POST.get("drop"):
            plan.drop(task=found, owner=request.user, step=drop)
        else:
            plan.choose(task=found, owner=request.user, route=route, key=key)
    except AssessFirst:
        return show(request, found, viewer, status=409)
    except ValidationError as problem:
        return show(request, found, viewer, status=422, refused=" ".join(problem.messages))
    return after(request, task_id, viewer, at="plan")


@private
@require_POST
def step(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Change the plan: one button names what to do with which step."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    verbs = {"up": {"up": True}, "down": {"up": False}, "done": {"done": True}, "undo": {"done": False}, "drop": {}}
    said = next((name for name in verbs if request.POST.get(name)), "")
    if not said:
        raise Http404
    verb = plan.drop if said == "drop" else plan.move if said in ("up", "down") else plan.done
    verb(task=found, owner=request.user, step=request.POST[said], **verbs[said])
    return after(request, task_id, viewer, at="plan" if said == "drop" else "")


@private
@require_http_methods(["GET", "HEAD", "POST"])
def beside(request: HttpRequest, task_id: UUID, resource_id: UUID) -> HttpResponse:
    """A resource beside the task; by POST, whether it was what I needed (``helped``: yes or no, else taken back).

    One that is gone, or never was there for me, leaves a note beside the task, which stays.
    """
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    try:
        resource = resource_or_404(resource_id, viewer)
    except Http404:
        return show(request, found, viewer, status=404, gone=resource_id)
    if resource.kind == standing.NEVER and "person" in resource.facts:
        return redirect("experts:person", resource.facts["person"])
    if request.method == "POST":
        helped = {"yes": True, "no": False}.get(request.POST.get("helped", ""))
        standing.say(person_id=found.owner_id, resource=resource, helped=helped)
        return redirect(reverse("work:beside", args=[task_id, resource_id]) + "#reader")
    text = read(resource.body, title=resource.title, base=resource.url)
    helped = standing.said_by(viewer.person_id, resource)
    above = notes([resource], viewer).get(resource.pk, [])
    return show(request, found, viewer, beside=resource, text=text, helped=helped, notes=above)
