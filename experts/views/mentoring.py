"""Mentors and those who wish for one."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def mentoring(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404
