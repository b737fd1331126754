"""Asking a colleague about a task: a question that its owner sends, of which nothing leads others to the task."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from experts.asking.actions import ONLY_ASKED
from experts.asking.asks import Ask
from experts.views.asks import asking_page
from immersive.work import plan, tasks
from immersive.work.acts import WISHES
from immersive.work.views import private
from knowledge.access import Viewer


@private
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Ask whom a step is with (``to``, ``wish``), or anybody: its sentence fills the form, for who is asked alone."""
    viewer = Viewer.of(request.user)
    found = tasks.mine_or_404(task_id, viewer)
    asks = request.POST if request.method == "POST" else request.GET  # whom it goes to in the end may be somebody else
    said = {name: asks.get(name, "") for name in ("to", "wish")}
    key = (next((route for route, wish in WISHES.items() if wish == said["wish"]), ""), said["to"])

    def asked(made: Ask) -> None:
        plan.asked(task=found, owner=request.user, ask=made, route=key[0], key=key[1])

    before = next((one for one in plan.steps(found, viewer) if one.key == key and one.asked_at), None)
    begin = {**said, "text": found.statement, "audience": ONLY_ASKED}
    more = {"template": "work/ask.html", "task": found, "before": before}
    return asking_page(request, begin, asked=asked, by_hand=True, **more)
