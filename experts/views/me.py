"""What is shown about oneself, and what one chooses."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def me(request: HttpRequest, **which: Any) -> HttpResponse:
    """Not built yet."""
    raise Http404
