"""The home and search pages, the theme, what is said of a failure, and the page that shows every component."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedRedirect, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import push_url

from experts import notices
from experts.asking import turns
from experts.evidence import evidence_lines
from experts.welcome import is_new
from immersive import forms, samples
from immersive.context import THEMES
from immersive.context import page as on_every_page
from immersive.sign_in import is_ours
from immersive.way_on import rail, way_on
from immersive.work import recall, reminding, tasks
from knowledge import live, waiting
from knowledge.access import Ground, Viewer
from knowledge.explain import also
from knowledge.index.language import plain
from knowledge.pages import changed_lately, how_to_ask, notes, recent_searches
from knowledge.search import search as find

YEAR = 365 * 24 * 3600
PER_PAGE = 10


@require_safe
@sensitive_variables()
def home(request: HttpRequest) -> HttpResponse:
    """Where work begins: one box, one's own tasks, what changed."""
    viewer = Viewer.of(request.user)
    context = {
        "hide_search": True,
        "changed": changed_lately(viewer),
        "searches": recent_searches(viewer),
        "tasks": tasks.recent(viewer),
        "told": waiting.tell(viewer),
        "asked": turns.waiting_for(viewer),
        "due": reminding.waiting(viewer),
        "news": notices.news(viewer, without=("asked", reminding.KIND)),
        "newcomer": is_new(viewer),
        "questions": recall.ask_today(viewer, timezone.now()),
    }
    return render(request, "immersive/home.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """One ranked list; the boxes beside it rewrite the text, so an address always says the whole search."""
    text, page = forms.asked_for(request.GET)
    address = f"{reverse('search')}?{urlencode({'q': text})}"
    if request.GET.get("narrow") and not request.htmx:  # type: ignore[attr-defined]
        return redirect(address)
    viewer = Viewer.of(request.user)
    ground, as_typed = Ground(viewer), forms.as_typed(request.GET)
    found = find(text, viewer, page=page, per_page=PER_PAGE, as_typed=as_typed, explain=True, ground=ground)
    if found.instead_of:
        text = found.did_you_mean
    search_id = found.search_id or request.GET.get("s", "")  # further pages are of the search that the first one was
    kept = {"q": text, "typed": "1" if as_typed else "", "s": search_id}
    context = {
        "found": found,
        "search_id": search_id,
        "before": (found.page - 1) * PER_PAGE,
        "evidence": {} if found.near_only else evidence_lines(forms.people_in(found), viewer),
        "notes": notes([one.resource for one in found.results], viewer),
        "text": text,
        "plain": plain(text) if found.read_as else "",
        "words": forms.words(found.query),
        "also": also(found),
        "exactly": forms.exactly(found.query),
        "left_out": forms.left_out(found.query),
        "query_string": urlencode({name: said for name, said in kept.items() if said}),
        "chips": forms.chips(found.query),
        "groups": forms.groups(found.facets),
        "ages": forms.AGES.items(),
        "age": forms.age_of(found.query),
        "way_on": way_on(found, text, viewer, ground),
        "rail": rail(found, viewer, ground),
        "offer": live.offer_of(found, viewer),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return push_url(render(request, "immersive/search.html#found", context), address)
    return render(request, "immersive/search.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def waiting_searches(request: HttpRequest) -> HttpResponse:
    """One's own searches that wait; one more by POST (``q``), and back to where its results will be."""
    viewer = Viewer.of(request.user)
    if request.method != "POST":
        return render(request, "immersive/waiting.html", {"waiting": waiting.mine(viewer)})
    text = request.POST.get("q", "")
    try:
        waiting.wait_for(text=text, viewer=viewer)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    return redirect(f"{reverse('search')}?{urlencode({'q': text})}")


@require_POST
def stop_waiting(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take one of one's own waiting searches away."""
    if not waiting.forget(public_id=public_id, viewer=Viewer.of(request.user)):
        raise Http404
    messages.success(request, "Taken away.")
    return redirect("home" if request.POST.get("next") == "home" else "waiting")


@require_safe
def search_help(request: HttpRequest) -> HttpResponse:
    """How to ask: everything that a search understands, with examples to try."""
    return render(request, "immersive/search_help.html", {"how_to_ask": how_to_ask()})


@require_safe
def patterns(request: HttpRequest) -> HttpResponse:
    """Every component in every state it can be in."""
    return render(request, "immersive/patterns.html", samples.everything())


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """The next theme, kept in a cookie: system, light, dark, and round again; then back where one was."""
    cycle = ("", *THEMES)
    now = request.COOKIES.get("theme", "")
    chosen = cycle[(cycle.index(now) + 1) % len(cycle)] if now in cycle else THEMES[0]
    back = request.POST.get("next", "")
    if not (back.startswith("/") and is_ours(back)):
        back = reverse("home")
    response = redirect(back)
    response.set_cookie("theme", chosen, max_age=YEAR, secure=settings.HTTPS, httponly=True, samesite="Lax")
    return response


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for the site's mark on pages that do not name it, the operator's and the API's."""
    return redirect(static("immersive/mark.svg"))


# What is said of a failure: with nothing but the theme, because whatever else a page shows may be what failed ---------


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400; an address that would be too long to come back to after the sign-in is told the way on."""
    too_long = isinstance(exception, DisallowedRedirect)
    return HttpResponse(render_to_string("400.html", {**on_every_page(request), "too_long": too_long}), status=400)


def broken(request: HttpRequest) -> HttpResponse:
    """500."""
    return HttpResponse(render_to_string("500.html", on_every_page(request)), status=500)
