"""What happened that one wants to know of."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def notices(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404
