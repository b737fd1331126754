"""What every page needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEMES = ("light", "dark")


def page(request: HttpRequest) -> dict[str, Any]:
    """``theme`` for ``<html data-theme>`` ("" follows the system), from a cookie; ``development`` as set."""
    theme = request.COOKIES.get("theme", "")
    return {"theme": theme if theme in THEMES else "", "development": settings.DEVELOPMENT}
