"""The page of one resource: what it says, who can help with it, and what to do with it next; frameworks brought in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from knowledge.access import Viewer, resource_or_404
from knowledge.bringing import FrameworkForm
from knowledge.documents import Query
from knowledge.framework_file import COLUMNS, FrameworkRefused
from knowledge.frameworks import Framework
from knowledge.index.language import parse, to_text
from knowledge.live import ask_all, offer, one_of
from knowledge.models import Resource, Search
from knowledge.pages import notes, opened
from knowledge.reader import render as read
from knowledge.standing import NEVER, said_by, say
from knowledge.typeahead import suggest
from knowledge.verifying import lift, lifted, may_lift

PAGES_OF_THEIR_OWN = (("person", "person", "experts:person"), ("lesson", "lesson", "lessons:lesson"),
                      ("lesson", "experiment", "lessons:experiment"))  # fmt: skip
"""Kinds whose documents only let them be found, the fact that names them, and their page."""
ALL_NOTES = 10
"""Lessons that show on the page of what they concern."""


@require_safe
def resource(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One resource; ``s`` and ``n`` in the address say from which search and rank it was opened."""
    viewer = Viewer.of(request.user)
    found = resource_or_404(public_id, viewer)
    search = opened(found, viewer, request.GET.get("s", ""), request.GET.get("n", ""))
    for kind, fact, page in PAGES_OF_THEIR_OWN:
        if found.kind == kind and fact in found.facts:
            return redirect(page, found.facts[fact])
    return render(request, "knowledge/resource.html", _shown(request, found, viewer, search))


def _shown(
    request: HttpRequest, found: Resource, viewer: Viewer, search: Search | None = None, **more: Any
) -> dict[str, Any]:
    """What the page of a resource shows."""
    prefetch_related_objects([found], "topics")
    said: Any = getattr(found, "verification", None)
    asked = said and (said.suspended_at or said.owner_id == viewer.person_id)
    before = lifted(found) if asked and may_lift(found, request.user) else None
    return {
        "viewer": viewer,
        "resource": found,
        "reading": read(found.body, title=found.title, base=found.url),
        "topics": [(topic.name, to_text(Query(topics=(topic.name,)))) for topic in found.topics.all()],
        "search_text": search.text if search else "",
        "search_id": search.public_id.hex if search else "",
        "rank": request.GET.get("n", "") if search else "",
        "helped": said_by(viewer.person_id, found),
        "notes": notes([found], viewer, most=ALL_NOTES).get(found.pk, []),
        "verifying": before is not None and (before or said.suspended_at),
        "lifted": before,
        **more,
    }


@require_POST
@sensitive_post_parameters()
def verify(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let a suspended verification count again, with a note: for whoever vouches for it, and curators."""
    viewer = Viewer.of(request.user)
    found = resource_or_404(public_id, viewer)
    note = request.POST.get("note", "")
    try:
        lift(resource=found, person=request.user, note=note)
    except ValidationError as problem:
        refused: dict[str, Any] = {"refused": " ".join(problem.messages), "note": note}
        return render(request, "knowledge/resource.html", _shown(request, found, viewer, **refused), status=422)
    messages.success(request, "It counts as verified again.")
    return redirect(f"{found.get_absolute_url()}#verification")


@require_POST
@sensitive_post_parameters()
def helped(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say whether a resource helped (``helped``: yes or no), or take it back (anything else); then back to it."""
    viewer = Viewer.of(request.user)
    found = resource_or_404(public_id, viewer)
    if viewer.person_id is None or found.kind == NEVER:
        raise Http404
    said = {"yes": True, "no": False}.get(request.POST.get("helped", ""))
    say(person_id=viewer.person_id, resource=found, helped=said)
    opened_from = {name: request.POST[name] for name in ("s", "n") if request.POST.get(name)}
    query = f"?{urlencode(opened_from)}" if opened_from else ""
    return redirect(f"{found.get_absolute_url()}{query}#helped")


@require_safe
@sensitive_variables()
def suggestions(request: HttpRequest) -> HttpResponse:
    """What may be meant by ``q``, which is still being typed: options for the list under the search box."""
    groups = suggest(request.GET.get("q", ""), Viewer.of(request.user))
    return render(request, "components/typeahead.html", {"groups": groups})


MOST_TRIES = 8
"""How often a page asks again for a service while too many are waiting."""


@require_safe
@sensitive_variables()
def live(request: HttpRequest) -> HttpResponse:
    """What services outside say about ``q``: asked here and now, or by htmx one by one those that wait for a click."""
    text, viewer = request.GET.get("q", ""), Viewer.of(request.user)
    query = parse(text)
    offered = offer(query, viewer)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"asked": offered.on_click, "names": offered.on_click_names, "words": offered.words}
        return render(request, "components/live_asked.html", context)
    context = {"text": text, "words": offered.words, "all_said": ask_all(offered.all, query, viewer)}
    return render(request, "knowledge/live.html", context)


@require_safe
@sensitive_variables()
def live_source(request: HttpRequest, key: UUID) -> HttpResponse:
    """What one service outside says about ``q``; while too many wait, a line that asks again by itself."""
    text, viewer = request.GET.get("q", ""), Viewer.of(request.user)
    source = one_of(key, viewer)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{reverse('knowledge:live')}?{urlencode({'q': text})}")
    (said,) = ask_all([source], parse(text), viewer)
    again = request.GET.get("again", "")
    tries = int(again) if again.isascii() and again.isdecimal() and len(again) < 3 else 0
    if said.busy and tries < MOST_TRIES:
        context = {"source": source, "words": text, "again": tries + 1}
        return render(request, "components/live_line.html", context)
    return render(request, "components/live_arrived.html", {"said": said})


@permission_required("knowledge.add_framework", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def bring_framework(request: HttpRequest) -> HttpResponse:
    """Bring a framework in from a file: first what it would do is shown, and with ``do`` it is done."""
    form = FrameworkForm(request.POST or None, request.FILES or None, person_id=request.user.pk or 0)
    plan, do = None, request.POST.get("do") == "yes"
    if request.method == "POST" and form.is_valid():
        try:
            plan = form.bring(dry_run=not do)
        except FrameworkRefused as refusal:
            form.add_error("file", str(refusal))
    done = plan is not None and do
    if plan and done and not plan.faults:
        messages.success(request, f"{plan.name} is brought in: {plan.counts}.")
        return redirect("knowledge:bring-framework")
    columns = [(names[0].replace("_", " "), ", ".join(names[1:])) for names in COLUMNS.values()]
    told = {"form": form, "plan": plan, "done": done, "columns": columns, "there": Framework.objects.all()}
    return render(request, "knowledge/framework.html", told, status=400 if form.errors else 200)
