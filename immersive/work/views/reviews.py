"""The page of a review that a group leads itself, from a task of one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from experts.asking.load import zone_of
from experts.models import Person
from experts.views.ask_forms import refuse
from immersive.work.lessons import telling
from immersive.work.lessons.reviewing import Review, review_of
from immersive.work.lessons.reviewing_forms import ReviewForm
from immersive.work.lessons.telling import Said
from immersive.work.sharing import shared_or_404
from immersive.work.views import private
from knowledge.access import Viewer, id_in

TWO_MINUTES = timedelta(minutes=2)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """Four questions about a task (``task``) that is mine or shared with me; by POST, a lesson to go on with.

    ``tell``: the same questions as they were answered, with how sure I was, which only its owner is offered.
    """
    viewer = Viewer.of(request.user)
    if not (key := id_in(request.GET.get("task") or request.POST.get("task"))):
        raise Http404
    task = shared_or_404(key, viewer)
    found = review_of(task, viewer)
    if tell := "tell" in request.POST:
        form = ReviewForm(initial={**request.POST.dict(), "expected": _told(request.POST.get("expected", ""), found)})
    else:
        form = ReviewForm(request.POST or None, initial={"expected": found.expected})
    if form.is_bound and form.is_valid():
        about = [row.public_id for row in found.about]
        said = Said(**form.cleaned_data, resources=about, topics=task.topics[:5], task=key, review=True)
        try:
            kept = telling.keep(author=cast(Person, request.user), said=said)
            messages.success(request, "Kept for you alone. Read it once together, then say whom it is for.")
            return redirect("lessons:edit", kept.public_id)
        except ValidationError as problem:
            refuse(form, problem)
    author = cast(Person, request.user)
    with timezone.override(zone_of(author.time_zone)):  # every time on this page is by the person's own clock
        context = {"task": task, "review": found, "form": form, "tell": tell, "until": timezone.now() + TWO_MINUTES}
        return render(request, "work/lessons/review.html", context, status=422 if form.errors else 200)


def _told(expected: str, found: Review) -> str:
    """What was expected, with how sure the viewer was, once."""
    return expected if found.sure in expected else f"{expected.rstrip()} {found.sure}"
