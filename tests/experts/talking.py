"""A team of five, somebody outside of it, and a question among them: what the tests of pages of questions share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from experts.asking import actions as asking
from experts.asking.asks import Ask
from experts.models import Team
from knowledge.access import Viewer


@pytest.fixture
def people(make_person: Callable[..., Any]) -> dict[str, Any]:
    team = Team.objects.create(name="Pumps", slug="pumps")
    names = {"ana": "Ana Lima", "ben": "Ben Okafor", "cleo": "Cléo Martin", "dora": "Dora Visser", "emil": "Emil Kranz"}
    made = {key: make_person(key, name=name, teams=(team,)) for key, name in names.items()}
    return {**made, "team": team, "fay": make_person("fay", name="Fay Outside")}


@pytest.fixture
def as_(people: dict[str, Any]) -> Callable[[str], Client]:
    """``as_("ana")``: a browser in which Ana is signed in."""
    clients: dict[str, Client] = {}

    def client(name: str) -> Client:
        if name not in clients:
            clients[name] = Client()
            clients[name].force_login(people[name])
        return clients[name]

    return client


@pytest.fixture
def asked(people: dict[str, Any]) -> Ask:
    """Ana asked Ben."""
    return asking.ask(viewer=Viewer.of(people["ana"]), text="How do I prime the feed pump?", to=people["ben"].public_id)


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def said(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def post(client: Client, address: str, **words: Any) -> str:
    """What somebody reads after a form was taken."""
    answer = client.post(address, words, follow=True)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def form(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "wish": "show", "to": "", "audience": "everyone", **more}
