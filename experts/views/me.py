"""What is shown about oneself and why, and what one chooses: a page for oneself alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from experts.choices import LONGEST_TOPIC
from experts.digests import mail_is_sent
from experts.evidence import shown, topics_of, written_by
from experts.forms import CHANGES, Change, Close, HowToReach, Introduce, SayOfTopic, zones
from experts.models import Availability, Disowned, OwnTopic, Person
from experts.views.people import EVIDENCE_A_PAGE, time_there
from knowledge.access import Viewer
from knowledge.documents import Query
from knowledge.index.analysis import topic_key
from knowledge.index.language import to_text
from knowledge.models import Resource

TOPICS_A_PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def me(request: HttpRequest) -> HttpResponse:
    """All that colleagues see of oneself; each change is posted as ``do``, and can be taken back by the next click."""
    viewer = Viewer.of(request.user)
    person = get_object_or_404(Person.objects.visible_to(viewer), pk=viewer.person_id or 0)
    form: Change | None = None
    if request.method == "POST":
        kind = CHANGES.get(request.POST.get("do", ""))
        if kind is None:
            raise Http404
        form = kind(person, request.POST)
        if form.is_valid():
            back, said = form.back(), form.make()
            toast(request, said, back)
            return redirect(f"{request.get_full_path()}{form.place}")
    return render(request, "experts/me.html", _shown(request, person, viewer, form))


def toast(request: HttpRequest, said: str, back: Mapping[str, str]) -> None:
    """Say on the next page that something was done, with a button that posts ``back`` to this address."""
    undo = {"to": request.get_full_path(), "fields": dict(back)}
    messages.success(request, said, extra_tags=json.dumps(undo))


def _shown(request: HttpRequest, person: Person, viewer: Viewer, form: Change | None) -> dict[str, Any]:
    """What the page shows; ``form`` was filled in and could not be saved."""
    mine = Availability.of(person)
    page = Paginator(written_by(person, viewer, hidden=True), EVIDENCE_A_PAGE).get_page(request.GET.get("page"))
    evidence = shown(page.object_list)
    disowned = Resource.objects.visible_to(viewer).filter(pk__in=Disowned.objects.visible_to(viewer).values("resource"))
    forms = {
        "new_topic": SayOfTopic(person),
        "closing": Close(person),
        "reach": HowToReach(person, initial={name: getattr(mine, name) for name in HowToReach.FIELDS}),
        "intro": Introduce(person, initial={"about": person.about, "time_zone": person.time_zone}),
    }
    names = {SayOfTopic: "new_topic", Close: "closing", HowToReach: "reach", Introduce: "intro"}
    if form is not None and type(form) in names:
        forms[names[type(form)]] = form
    return {
        **forms,
        "person": person,
        "mine": mine,
        "failed": form,
        "topics": _topics(person, viewer, request.GET.get("topics")),
        "evidence": evidence,
        "some_by_name": any(piece.by_name for piece in evidence),
        "page": page,
        "disowned": Paginator(disowned.order_by("title", "pk").defer("body"), EVIDENCE_A_PAGE).get_page(
            request.GET.get("not-mine")
        ),
        "closed": list(person.closed.filter(until__gte=timezone.localdate())),
        "mails": mail_is_sent(),
        "zones": zones(),
        "there": time_there(person.time_zone),
    }


def _topics(person: Person, viewer: Viewer, number: str | None) -> Page[dict[str, Any]]:
    """Each topic once, a page of them: what they wrote of it, and what they say of it."""
    said = {own.key: own for own in OwnTopic.objects.visible_to(viewer).filter(person=person)}
    wrote = topics_of(person, viewer, hidden=True)
    rows = [{**topic, "said": said.pop(topic_key(topic["name"])[:LONGEST_TOPIC], None)} for topic in wrote]
    rows += [{"name": own.name, "documents": 0, "last": None, "said": own} for own in said.values()]
    page = Paginator(rows, TOPICS_A_PAGE).get_page(number)
    for row in page.object_list:
        row["search"] = to_text(Query(topics=(row["name"],), people=(person.display_name,)))
    return page
