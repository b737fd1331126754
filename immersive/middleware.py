"""What is true of every answer, whoever made it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control

from experts.asking.load import zone_of


def private_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """What a signed-in person is shown stays in no cache: not in a proxy's, not in a shared browser's."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response

    return answer


def own_clock(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Days and moments are read and told by the clock of whoever is signed in: their today is no other's."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        with timezone.override(zone_of(request.user.time_zone)):
            return get_response(request)

    return answer


def health(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer ``/health`` before anything else: probes know neither the site's name nor https, and have no account."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/health":
            return HttpResponse("ok", content_type="text/plain")
        return get_response(request)

    return middleware
