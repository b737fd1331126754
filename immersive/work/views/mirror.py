"""The mirror: what somebody said beside how it went, taking all of it along, and deleting it."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from experts.models import Person
from immersive.work import belongings, over_time, tasks
from immersive.work import mirror as mirrors
from immersive.work.views import page_of, private
from knowledge.access import Viewer

DELETED = (
    "All that was yours alone is deleted. Lessons and experiments that colleagues read stay without a name; questions "
    "that you asked them stay with yours."
)


@private
@require_safe
def mirror(request: HttpRequest) -> HttpResponse:
    """My mirror: what I said beside how it went, topics over time, and my learning log."""
    viewer = Viewer.of(request.user)
    page = page_of(request, tasks.logged(viewer))
    topics = over_time.courses(viewer)
    shown = {"look": mirrors.look(viewer), "page": page, "topics": topics, "drawn": over_time.drawn(topics)}
    return render(request, "work/mirror.html", shown)


@private
@require_POST
def delete_all(request: HttpRequest) -> HttpResponse:
    """Delete all my tasks with everything that was said of them."""
    belongings.delete_all(owner=cast(Person, request.user))
    messages.success(request, DELETED)
    return redirect("work:list")


@private
@require_safe
def download(request: HttpRequest) -> HttpResponseBase:
    """All that this room holds about me, as a JSON file that is written while it is read."""
    written = belongings.as_json(belongings.everything(Viewer.of(request.user)))
    answer = StreamingHttpResponse(written, content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="my-tasks.json"'
    return answer
