"""Services outside in the API: the same answers, rights, deadlines and rests as on the page, and no field more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experts.models import Team
from knowledge import live
from knowledge.models import LiveHealth
from tests.knowledge.live.conftest import Declare
from tests.knowledge.live.services import PAGES, QUESTIONS, Hanging, packed, queries, says
from tests.loopback import Web

pytestmark = pytest.mark.django_db
NEVER = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"
SAID = {"id", "name", "words", "results", "trouble", "busy"}
RESULT = {"title", "passage", "link", "updated", "notes"}


@pytest.fixture
def get(client: Client, ana: Any) -> Callable[..., Any]:
    """Ana's answer of the API, as JSON: ``get("api-search", q="pump")``."""
    client.force_login(ana)

    def ask(name: str, *args: Any, **data: Any) -> Any:
        answer = client.get(reverse(name, args=args), data)
        assert answer.status_code == 200
        return answer.json()

    return ask


class Links(HTMLParser):
    """The links of results on a page, in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "a" and "data-main" in said:
            self.found.append(said["href"] or "")


def test_a_search_tells_who_can_be_asked_and_where(
    web: Web, declare: Declare, get: Callable[..., Any], client: Client
) -> None:
    declare("Wiki", trusted=True)
    asked, board = declare("Questions"), declare("Board", audience=["team:0"])
    told = get("api-search", q="Prime a pump kind:page -water")["live"]
    assert [set(one) for one in told] == [{"id", "name", "at_once", "url"}] * 2
    assert [(one["name"], one["at_once"]) for one in told] == [("Questions", False), ("Wiki", False)]
    assert {one["name"]: one["at_once"] for one in get("api-search", q="pump")["live"]} == {
        "Questions": False,
        "Wiki": True,
    }
    assert str(board.public_id) not in str(told)
    assert web.asked == [], "telling asks nobody"
    said = client.get(told[0]["url"]).json()
    assert (said["id"], said["words"]) == (str(asked.public_id), "prime pump")
    assert queries(web, "/questions") == [{"q": ["prime pump"]}]


def test_where_nothing_could_be_sent_nobody_is_named(declare: Declare, get: Callable[..., Any]) -> None:
    declare("Wiki", trusted=True)
    for text in ("", "kind:page", "-water"):
        assert get("api-search", q=text)["live"] == []


def test_it_gives_what_the_page_gives(
    web: Web, declare: Declare, get: Callable[..., Any], asks: Callable[..., str]
) -> None:
    web.answers |= {"/qa": packed(QUESTIONS), "/w": says(PAGES)}
    for row in (declare("Questions", "/qa", shape="stackexchange"), declare("Wiki", "/w", shape="mediawiki")):
        said = get("api-search-live", row.public_id, q="pump")
        assert set(said) == SAID
        assert {name for result in said["results"] for name in result} == RESULT
        page = asks("live-source", row.public_id, q="pump", htmx=True)
        assert [result["link"] for result in said["results"]] == Links(page).found
        assert all(result["title"] in page and result["passage"] in page for result in said["results"])
    assert "&lt;b&gt;bold&lt;/b&gt;" in str(said["results"])
    assert len(queries(web, "/qa")) == 1, "what one of them learned is kept for the other"


def test_no_address_and_no_secret_of_a_service_is_told(
    web: Web, declare: Declare, get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVE_SECRET_WIKI", "unspeakable")
    row = declare("Wiki", secret="LIVE_SECRET_WIKI", trusted=True)
    web.answers["/wiki"] = says({}, status=500)
    told = str(get("api-search", q="pump")) + str(get("api-search-live", row.public_id, q="pump"))
    assert not [word for word in ("unspeakable", "LIVE_SECRET", "127.0.0.1", "Bearer", "everyone") if word in told]


@pytest.mark.parametrize("role", ["member", "other", "superuser", "left", "anonymous"])
def test_who_may_not_ask_a_service_learns_not_that_it_is_there(
    web: Web, declare: Declare, client: Client, make_person: Callable[..., Any], role: str
) -> None:
    """Promises 6 and 7: for each role, the answer for a hidden service is byte for byte that for one that never was."""
    team = Team.objects.create(name="Pumps", slug="pumps")
    row = declare("Wiki", audience=[f"team:{team.pk}"], trusted=True)
    if role != "anonymous":
        person = make_person(role, is_superuser=role == "superuser", is_staff=role == "superuser")
        if role in ("member", "left"):
            person.memberships.create(team=team)
        person.memberships.update(until=timezone.now() if role == "left" else None)
        client.force_login(person)
    real, never = (client.get(reverse("api-search-live", args=[key]), {"q": "x"}) for key in (row.public_id, NEVER))
    if role == "member":
        assert (real.status_code, never.status_code) == (200, 404)
        return
    assert real.status_code == never.status_code == (403 if role == "anonymous" else 404)
    assert real.content == never.content
    assert "Wiki" not in client.get(reverse("api-search"), {"q": "x"}).content.decode()
    assert web.asked == []


def test_one_that_fails_says_so_and_is_left_alone(web: Web, declare: Declare, get: Callable[..., Any]) -> None:
    """Promise 29, by the API: the same count of failures as on the page."""
    row = declare("Wiki")
    web.answers["/wiki"] = says({}, status=503)
    for _ in range(live.FAILURES):
        said = get("api-search-live", row.public_id, q="pump")
        assert (said["results"], said["trouble"]) == ([], "could not answer (503)")
    assert get("api-search-live", row.public_id, q="pump")["trouble"].startswith("has not answered lately; ")
    assert len(queries(web, "/wiki")) == live.FAILURES
    LiveHealth.objects.update(rests_until=timezone.now() - timedelta(seconds=1))
    web.answers["/wiki"] = says([{"title": "Back", "link": "/1"}])
    assert get("api-search-live", row.public_id, q="pump")["results"]


def test_its_deadline_is_the_services(web: Web, declare: Declare, get: Callable[..., Any]) -> None:
    hanging = Hanging()
    web.answers["/wiki"] = hanging
    row = declare("Wiki", deadline=0.2)
    try:
        assert get("api-search-live", row.public_id, q="pump")["trouble"] == "did not answer within 0.2 seconds"
    finally:
        hanging.let_go.set()


def test_where_too_many_wait_it_says_busy(
    web: Web, declare: Declare, get: Callable[..., Any], settings: LazySettings
) -> None:
    settings.LIVE_AT_ONCE = 0
    row = declare("Wiki")
    said = get("api-search-live", row.public_id, q="pump")
    assert (said["busy"], said["results"], web.asked) == (True, [], [])


@pytest.mark.parametrize("text", [None, "x" * 10_001])
def test_what_cannot_be_asked_is_refused(declare: Declare, client: Client, ana: Any, text: str | None) -> None:
    row = declare("Wiki")
    client.force_login(ana)
    data = {} if text is None else {"q": text}
    assert client.get(reverse("api-search-live", args=[row.public_id]), data).status_code == 422
