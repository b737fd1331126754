"""Questions to colleagues."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def mine(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404


def new(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404


def one(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404
