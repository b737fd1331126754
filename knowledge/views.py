"""The page of one resource: what it says, who can help with it, and what to do with it next."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from knowledge.access import Viewer, resource_or_404
from knowledge.documents import Query
from knowledge.index.language import to_text
from knowledge.pages import opened, who_can_help
from knowledge.reader import render as read
from knowledge.typeahead import suggest


@require_safe
def resource(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One resource; ``s`` and ``n`` in the address say from which search and rank it was opened."""
    viewer = Viewer.of(request.user)
    found = resource_or_404(public_id, viewer)
    search = opened(found, viewer, request.GET.get("s", ""), request.GET.get("n", ""))
    if "person" in found.facts and found.kind == "person":
        return redirect("experts:person", found.facts["person"])
    helpers, names = who_can_help(found)
    context = {
        "resource": found,
        "reading": read(found.body, title=found.title, base=found.url),
        "helpers": helpers,
        "names": names,
        "topics": [(topic.name, to_text(Query(topics=(topic.name,)))) for topic in found.topics.all()],
        "search_text": search.text if search else "",
    }
    return render(request, "knowledge/resource.html", context)


@require_safe
@sensitive_variables()
def suggestions(request: HttpRequest) -> HttpResponse:
    """What may be meant by ``q``, which is still being typed: options for the list under the search box."""
    groups = suggest(request.GET.get("q", ""), Viewer.of(request.user))
    return render(request, "components/typeahead.html", {"groups": groups})
