"""Forming a team."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def build(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404


def proposal(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404
