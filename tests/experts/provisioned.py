"""What a provisioning service does and gets: a token, two people, and its requests; fixtures for tests of SCIM."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from experts.directory import tokens
from experts.models import Membership, Person, Team
from tests.experts import scim_bodies as sent

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def token() -> str:
    return tokens.issue(name="Entra ID")[1]


@pytest.fixture
def scim(token: str, committed: Any) -> Ask:
    """``scim("post", "Users", body)``: status and the answer's JSON, with what follows the commit done."""
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def ask(method: str, where: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        kind = {"content_type": "application/scim+json"} if method != "get" else {}
        data = query if method == "get" else body if isinstance(body, bytes) else json.dumps(body)
        with committed():
            answer = getattr(client, method)(f"/scim/v2/{where}", data, **kind)
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status_code, json.loads(answer.content) if answer.content else None

    return ask


@pytest.fixture
def dora(scim: Ask) -> str:
    status, told = scim("post", "Users", sent.ENTRA_USER)
    assert status == 201
    return str(told["id"])


@pytest.fixture
def emil(scim: Ask) -> str:
    return str(scim("post", "Users", sent.OKTA_USER)[1]["id"])


def person(public_id: str) -> Person:
    return Person.objects.get(public_id=public_id)


def told_after(scim: Ask, where: str, body: Any) -> Any:
    """The group after a PATCH, which itself is answered with nothing."""
    assert scim("patch", where, body) == (204, None)
    return scim("get", where)[1]


def members(team: Team) -> set[str]:
    return set(Membership.objects.current().filter(team=team).values_list("person__username", flat=True))
