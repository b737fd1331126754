"""Questions of one's own: what comes today, writing one after a task, saying how well one knew it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from immersive.work import recall, reminding, tasks
from immersive.work.card import moment
from immersive.work.forms import RecallForm
from immersive.work.views import page_of, private
from knowledge.access import Viewer


@private
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """What comes now, and all that I have written."""
    viewer = Viewer.of(request.user)
    page = page_of(request, recall.mine(viewer))
    now = timezone.now()
    due, comes = recall.coming(viewer, now)
    context = {
        "asked": due if comes == now else [],
        "later": (len(due), moment(comes, now)) if comes and comes > now else None,
        "page": page,
        "now": now,
        "grades": recall.GRADES,
        "wanted": reminding.wishes(viewer).recall,
    }
    return render(request, "work/recall.html", context)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """One question about a task that is done, from what surprised me; written again, it is reworded."""
    viewer = Viewer.of(request.user)
    task = tasks.mine_or_404(task_id, viewer)
    if not task.finished:
        raise Http404
    kept = recall.of_task(task, viewer)
    begin = {"question": kept.question, "answer": kept.answer} if kept else {"answer": task.outcome.surprise}
    form = RecallForm(request.POST or None, initial=begin)
    if request.method == "POST" and form.is_valid():
        try:
            recall.keep(task=task, owner=request.user, **form.cleaned_data)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, "Kept. It comes from tomorrow on, in working hours.")
            return redirect(task)
    status = 422 if request.method == "POST" else 200
    return render(request, "work/recall_write.html", {"form": form, "task": task, "kept": kept}, status=status)


@private
@require_POST
def grade(request: HttpRequest, recall_id: UUID) -> HttpResponse:
    """Say how well I knew it."""
    try:
        kept = recall.grade(recall=recall_id, owner=request.user, how=request.POST.get("how", ""))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    except recall.NotDue:
        messages.error(request, "You had answered it already. Nothing was changed.")
    else:
        days = (kept.due_at - timezone.now()).days + 1
        messages.success(request, f"It comes again in {days} days." if days > 1 else "It comes again tomorrow.")
    return redirect("work:recall")


@private
@require_POST
def drop(request: HttpRequest, recall_id: UUID) -> HttpResponse:
    """Delete one of my questions."""
    recall.drop(recall=recall_id, owner=request.user)
    messages.success(request, "The question is deleted.")
    return redirect("work:recall")
