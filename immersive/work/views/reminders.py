"""What a person wants to be asked about their tasks, and putting one question off."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from experts.digests import mail_is_sent
from immersive.work import reminding, tasks
from immersive.work.forms import WishesForm
from immersive.work.views import private
from knowledge.access import Viewer


@private
@require_http_methods(["GET", "HEAD", "POST"])
def wishes(request: HttpRequest) -> HttpResponse:
    """What I am asked: how tasks went, and what I learnt."""
    chosen = reminding.wishes(Viewer.of(request.user))
    if request.method == "POST":
        form = WishesForm(request.POST)
        if form.is_valid():
            reminding.wish(person=request.user, **form.cleaned_data)
            messages.success(request, "Saved.")
            return redirect("work:reminders")
    else:
        form = WishesForm(initial={"outcomes": chosen.outcomes, "recall": chosen.recall})
    return render(request, "work/reminders.html", {"form": form, "mails": mail_is_sent()})


@private
@require_POST
def later(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Be asked later how it went, or not at all."""
    found = tasks.mine_or_404(task_id, Viewer.of(request.user))
    day = reminding.put_off(task=found, owner=request.user, until=request.POST.get("until", ""))
    messages.success(request, "You are asked again later." if day else "You are not asked about this task any more.")
    return redirect(found)
