"""Topics, their people and communities; where a newcomer begins."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def topics(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404


def topic(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404


def welcome(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404
