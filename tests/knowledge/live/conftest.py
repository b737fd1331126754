"""Services of the loopback server, and Ana who asks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from knowledge.models import Audience, LiveSource
from tests.knowledge.live.services import says
from tests.loopback import Web

Declare = Callable[..., LiveSource]


@pytest.fixture
def declare(web: Web, settings: LazySettings) -> Declare:
    """Declare a service of the loopback server: ``declare("Wiki", "/w", audience=["team:1"], trusted=True)``."""
    settings.LIVE_HOSTS = [f"127.0.0.1:{web.port}"]

    def row(name: str, path: str = "", *, audience: Any = ("everyone",), **more: Any) -> LiveSource:
        path = path or f"/{name.lower()}"
        more.setdefault("shape", "json")
        web.answers.setdefault(path, says([{"title": f"{name} knows", "link": f"https://{name}.example/1"}]))
        address = f"{web.base}{path}" + ("?q={query}" if more["shape"] == "json" else "")
        of = Audience.objects.of(audience)
        return LiveSource.objects.create(name=name, address=address, audience=of, **more)

    return row


@pytest.fixture
def ana(make_person: Callable[..., Any]) -> Any:
    return make_person("ana")


@pytest.fixture
def asks(client: Client, ana: Any) -> Callable[..., str]:
    """A page as Ana sees it: ``asks("live", q="pump")``; with ``htmx=True`` what htmx gets."""
    client.force_login(ana)

    def get(name: str, *args: Any, htmx: bool = False, **data: Any) -> str:
        url = reverse(name if name == "search" else f"knowledge:{name}", args=args)
        answer = client.get(url, data, headers={"HX-Request": "true"} if htmx else {})
        assert answer.status_code == 200
        return answer.content.decode()

    return get
