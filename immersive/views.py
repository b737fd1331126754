"""The home and search pages, health, and the page that shows every component."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "immersive/home.html")


def search(request: HttpRequest) -> HttpResponse:
    return render(request, "immersive/search.html")


def patterns(request: HttpRequest) -> HttpResponse:
    return render(request, "immersive/patterns.html")


def theme(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """Whether this process answers; public, because probes have no account."""
    return JsonResponse({"ok": True})
