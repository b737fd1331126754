"""Topics and the communities around them; where a newcomer begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from experts import communities, finder
from experts import welcome as beginning
from experts.asking.asks import Ask
from experts.models import Person
from knowledge import frameworks
from knowledge import topics as known
from knowledge.access import Ground, Viewer, id_in
from knowledge.documents import Query
from knowledge.framework_file import key_of
from knowledge.index.language import to_text

TOPICS_A_PAGE = 60
PEOPLE, ASKS = 6, 5
LONGEST = 200


class NameForm(forms.Form):
    """Words of a topic's name."""

    q = forms.CharField(label="Topic contains", max_length=80, required=False)


@require_safe
@sensitive_variables()
def suggest(request: HttpRequest) -> HttpResponse:
    """Topics that may be meant by what is typed into a `forms.TopicInput`, from what may be read first."""
    typed = next((request.GET[name] for name in request.GET if request.GET[name]), "")
    found = frameworks.suggest(typed[:LONGEST], Viewer.of(request.user))
    return render(request, "experts/_topic_options.html", {"found": found})


@require_safe
def topics(request: HttpRequest) -> HttpResponse:
    """What there is to know about here, of what the viewer may read: what changes most stands first."""
    viewer = Viewer.of(request.user)
    form = NameForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    page = Paginator(known.alive(viewer, text), TOPICS_A_PAGE).get_page(request.GET.get("page"))
    there = {one.key for one in page.object_list}
    more = frameworks.suggest(text, viewer) if text else []
    told = {
        "form": form,
        "text": text,
        "page": page,
        "more": [one for one in more if one.framework and one.key not in there],
        "followed": [] if text else communities.followed(viewer),
    }
    return render(request, "experts/topics.html", told)


@require_safe
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    """One topic: who knows it, what there is about it, what is asked, who follows it."""
    viewer = Viewer.of(request.user)
    key, name = _named(slug, viewer)
    members = communities.members(key, viewer)
    told = {
        "name": name,
        "key": key,
        "query": to_text(Query(topics=(name,))),
        "shelves": known.shelves(key, viewer),
        "people": finder.find([name], viewer, ground=Ground(viewer), count=PEOPLE, without=[viewer.person_id or 0]),
        "asks": _asks(key, viewer),
        "members": members,
        "new": communities.fresh_documents(members.mine, viewer) if members.mine else [],
        "described": frameworks.described(key),
        "beside": known.beside(key, viewer),
    }
    response = render(request, "experts/topic.html", told)
    if members.mine:
        communities.visit(follow=members.mine)
    return response


@require_POST
def follow(request: HttpRequest, slug: str) -> HttpResponse:
    """Follow a topic (``do``: follow), stop (stop), or choose whether others see it (show, hide); back to its page."""
    viewer, person = Viewer.of(request.user), cast(Person, request.user)
    do = request.POST.get("do", "")
    stopped = do == "stop" and communities.unfollow(person=person, key=key_of(slug))
    try:
        key, name = _named(slug, viewer)
    except Http404:
        if stopped:  # nothing that they may read names it any more
            return redirect("experts:topics")
        raise
    if do not in ("follow", "stop", "show", "hide"):
        raise Http404
    try:
        if do != "stop":
            communities.follow(person=person, key=key, name=name, shown=do != "hide")
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    return redirect(known.address(key))


def _named(slug: str, viewer: Viewer) -> tuple[str, str]:
    """A topic's key and how it is called for the viewer; one that nothing names for them is one that never was."""
    key = key_of(slug)
    name = known.known([key], viewer).get(key) if key.isprintable() else ""
    if not name:
        raise Http404
    return key, name


def _asks(key: str, viewer: Viewer) -> Sequence[Ask]:
    """The latest open questions about a topic that the viewer may see."""
    asks = Ask.objects.visible_to(viewer).open().filter(topics__slug=key).distinct()
    return list(asks.order_by("-published_at", "-pk")[:ASKS])


@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    """What to meet first in one's team; ``team`` chooses another one of one's own."""
    told = beginning.welcome(Viewer.of(request.user), id_in(request.GET.get("team", "")))
    return render(request, "experts/welcome.html", {"told": told, "parts": _parts(told)})


@require_POST
def met(request: HttpRequest) -> HttpResponse:
    """Tick something off (``met``: yes), or take the tick back; then back to the list."""
    data = request.POST
    done = data.get("met") == "yes"
    if not beginning.tick(
        viewer=Viewer.of(request.user), kind=data.get("kind", ""), subject=data.get("subject", ""), met=done
    ):
        raise Http404
    team = id_in(data.get("team", ""))
    return redirect(f"{reverse('experts:welcome')}{f'?team={team}' if team else ''}#{data['kind']}s")


def _parts(told: beginning.Welcome) -> list[tuple[str, str, tuple[beginning.Entry, ...]]]:
    """The page's sections: what their heading is called in an address, the heading, what stands there."""
    return [
        ("persons", "People to meet", told.people),
        ("resources", "Pages to read", told.pages),
        ("tools", "Tools to open once", told.tools),
        ("topics", "Topics to know about", told.topics),
    ]
