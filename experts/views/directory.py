"""People and teams from a file, seen before it is done."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def bring(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404
