"""Sharing a task, taking that back, and the task as others see it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experts import notices
from experts.models import Person
from immersive.work import sharing, tasks
from immersive.work.views import page_of, private
from knowledge.access import Viewer, id_in
from knowledge.ingest import storable


@private
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Whom I share a task of mine with; by POST, one more: the colleague whose name was typed, or a team of mine."""
    viewer = Viewer.of(request.user)
    task = tasks.mine_or_404(task_id, viewer)
    if request.method != "POST":
        return _page(request, task, viewer)
    typed, team = storable(request.POST.get("name", ""))[:100].strip(), id_in(request.POST.get("team"))
    named = [] if team else sharing.people_named(typed, viewer)
    if chosen := id_in(request.POST.get("person")):
        named = [one for one in named if one.public_id == chosen]
    if len(named) > 1:
        return _page(request, task, viewer, 422, typed=typed, named=named)
    try:
        sharing.share(task=task, owner=request.user, **_whom(team, named, viewer))
    except ValidationError as problem:
        return _page(request, task, viewer, 422, typed=typed, trouble=" ".join(problem.messages))
    messages.success(request, "Shared. They see what there is to do, and nothing that you said of yourself.")
    return redirect("work:share", task_id)


def _whom(team: UUID | None, named: list[Person], viewer: Viewer) -> dict[str, Any]:
    """The team of this id, or the one person who was named; else `ValidationError`."""
    if not team and not named:
        raise ValidationError(sharing.NOBODY)
    mine = next((one for one in sharing.teams_of(viewer) if one.public_id == team), None) if team else None
    if team and mine is None:
        raise ValidationError(sharing.NOT_YOURS)
    return {"team": mine} if team else {"person": named[0]}


def _page(request: HttpRequest, task: Any, viewer: Viewer, status: int = 200, **more: Any) -> HttpResponse:
    now = {"shares": sharing.shares_of(task, viewer), "teams": sharing.teams_of(viewer)}
    return render(request, "work/share.html", {"task": task, **now, **more}, status=status)


@private
@require_POST
def take_back(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Share it with somebody no more."""
    task = tasks.mine_or_404(task_id, Viewer.of(request.user))
    sharing.take_back(task=task, owner=request.user, share=request.POST.get("share", ""))
    messages.success(request, "Taken back. They see nothing of it any more.")
    return redirect("work:share", task_id)


@private
@require_safe
def shared(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """A task that somebody shares with me, or one of mine as others see it."""
    viewer = Viewer.of(request.user)
    found = sharing.shared_or_404(task_id, viewer)
    notices.see(viewer=viewer, subjects=[found.public_id])
    return render(request, "work/shared.html", {"task": found})


@private
@require_safe
def with_me(request: HttpRequest) -> HttpResponse:
    """What others share with me."""
    page = page_of(request, sharing.shared_with(Viewer.of(request.user)))
    return render(request, "work/shared_list.html", {"page": page})


@private
@require_safe
def colleagues(request: HttpRequest) -> HttpResponse:
    """Colleagues who may be meant by a name that is being typed."""
    typed = storable(request.GET.get("name", ""))[:100]
    found = sharing.people_named(typed, Viewer.of(cast(Person, request.user)))
    return render(request, "work/_colleagues.html", {"found": found[:8]})
