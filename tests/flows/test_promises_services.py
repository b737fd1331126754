"""Promises 1, 6, 9 and 10 for services that are asked while somebody searches: what is kept of them is one person's."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from experts.models import Membership, Person, Team
from knowledge.documents import Document
from knowledge.models import Audience, LiveSource, Search
from tests import small_company
from tests.flows.asking import TOKEN, body, browser
from tests.knowledge.live.services import says
from tests.loopback import Handler, Web

pytestmark = pytest.mark.django_db

WORDS = ("pump", "valve")


class Telling:
    """A service that answers each request with a token of its own, and remembers which words got which tokens."""

    def __init__(self) -> None:
        self.told: dict[str, list[str]] = {}

    def __call__(self, handler: Handler) -> None:
        [word] = parse_qs(urlsplit(handler.path).query)["q"]
        token = f"zq{secrets.token_hex(8)}"
        self.told.setdefault(word, []).append(token)
        says([{"title": f"{word} {token}", "link": f"https://outside.example/{token}"}])(handler)


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Pumps", slug="pumps")


@pytest.fixture
def people(make_person: Callable[..., Any], team: Team) -> dict[str, Person]:
    """Two of the team, one of none, and one who may do everything but belongs to nobody."""
    return {
        "ana": make_person("ana", teams=(team,)),
        "ben": make_person("ben", teams=(team,)),
        "cleo": make_person("cleo"),
        "root": make_person("root", is_staff=True, is_superuser=True),
    }


@pytest.fixture
def services(web: Web, settings: LazySettings, team: Team) -> dict[str, Telling]:
    """One for everyone, and one for the team; both trusted with what is searched for."""
    settings.LIVE_HOSTS = [f"127.0.0.1:{web.port}"]
    settings.LIVE_AT_ONCE = 4
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    small_company.source_of("Handbook", [Document("a", "A pump", "Prime the pump. A valve.")])
    small_company.index()
    found: dict[str, Telling] = {}
    for name, audience in (("Everyones", ["everyone"]), ("Teams", [f"team:{team.pk}"])):
        found[name] = web.answers[f"/{name}"] = Telling()
        LiveSource.objects.create(
            name=name, address=f"{web.base}/{name}?q={{query}}", audience=Audience.objects.of(audience), shape="json",
            trusted=True, deadline=8.0,
        )  # fmt: skip
    return found


def ways(text: str) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """Every address that may tell of services: the page of results, theirs as a page and line by line, the API."""
    htmx, asked = {"HX-Request": "true"}, {"q": text}
    keys = list(LiveSource.objects.order_by("name").values_list("public_id", flat=True))
    return [
        ("/search", asked, {}),
        ("/search/live", asked, {}),
        ("/search/live", asked, htmx),
        *((f"/search/live/{key}", asked, htmx) for key in keys),
        *((f"/api/v1/search/live/{key}", asked, {}) for key in keys),
        ("/api/v1/search", {**asked, "explain": "1"}, {}),
        ("/search/suggest", asked, {}),
    ]


def told(client: Client, text: str) -> str:
    answers = [client.get(path, data, headers=headers) for path, data, headers in ways(text)]
    return "".join(answer.content.decode() for answer in answers)


def test_promises_1_and_10_an_answer_of_a_service_reaches_only_who_asked(
    services: dict[str, Telling], people: dict[str, Person]
) -> None:
    """Each request to a service is answered with another token: nobody ever gets one that another one's words drew."""
    chance = random.Random(10)
    clients = {name: browser(person) for name, person in people.items()}
    whose: dict[str, str] = {}
    crossed = []
    asked = list(itertools.product(people, WORDS)) * 2
    chance.shuffle(asked)
    for name, word in asked:
        said = set(TOKEN.findall(told(clients[name], word)))
        crossed += [(name, word, whose[token]) for token in said if whose.setdefault(token, name) != name]
    assert crossed == []
    assert 12 <= len(whose) < 24, "each is asked once for each person and word: it was kept, for them alone"
    assert set(whose.values()) == set(people), "and everybody got answers of their own"
    of_team = {token for told in services["Teams"].told.values() for token in told}
    assert {whose[token] for token in of_team} == {"ana", "ben"}


def test_promise_9_with_an_answer_kept_a_right_that_is_withdrawn_is_gone_in_the_next_request(
    services: dict[str, Telling], people: dict[str, Person], team: Team
) -> None:
    row, nobody = LiveSource.objects.filter(name="Teams"), Audience.objects.of(["team:0"])
    own = row.get().audience
    mine = Membership.objects.filter(person=people["ana"])

    def save(**values: Any) -> None:
        one = row.get()
        for name, value in values.items():
            setattr(one, name, value)
        one.save()

    changes: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "its audience": (lambda: save(audience=nobody), lambda: save(audience=own)),
        "switched off": (lambda: save(active=False), lambda: save(active=True)),
        "left the team": (lambda: mine.update(until=timezone.now()), lambda: mine.update(until=None)),
        "a team that is no more": (lambda: mine.update(team=Team.objects.create(name="X", slug="x")),
                                   lambda: mine.update(team=team)),
    }  # fmt: skip
    client = browser(people["ana"])
    for name, (withdraw, give_back) in changes.items():
        of_team = set(services["Teams"].told.get("pump", ()))
        before = told(client, "pump")
        assert "Teams" in before, name
        assert (set(services["Teams"].told["pump"]) | of_team) & set(TOKEN.findall(before)), name
        asked = len(services["Teams"].told["pump"])
        withdraw()
        after = told(client, "pump")
        assert "Teams" not in after, name
        assert not set(services["Teams"].told["pump"]) & set(TOKEN.findall(after)), name
        assert len(services["Teams"].told["pump"]) == asked, "and nobody asks it"
        give_back()


def test_promises_3_and_6_a_service_of_others_is_as_absent_as_none(
    services: dict[str, Telling], people: dict[str, Person]
) -> None:
    client = browser(people["cleo"])
    row = LiveSource.objects.get(name="Teams")
    key, never = str(row.public_id), "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"

    def answers() -> list[str]:
        Search.objects.all().delete()
        return [
            body(client.get(path, data, headers=headers)) for path, data, headers in ways("pump") if key not in path
        ]

    for headers in ({}, {"HX-Request": "true"}):
        for method in ("get", "head", "post", "put", "delete"):
            first, second = (
                getattr(client, method)(f"/search/live/{one}?q=pump", headers=headers) for one in (key, never)
            )
            assert (first.status_code, body(first)) == (second.status_code, body(second)), method
            assert first.status_code in {404, 405}, method
            assert {**first.headers} == {**second.headers}, method
    with_hidden = answers()
    row.delete()
    without = answers()
    assert with_hidden == without
    assert services["Teams"].told == {}
