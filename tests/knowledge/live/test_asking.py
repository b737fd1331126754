"""Asking services while somebody searches: who may, what leaves the house, what the page says of them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experts.models import Team
from knowledge import live, live_sources
from knowledge.access import Viewer
from knowledge.documents import Document, ResultPage
from knowledge.edition import Edition
from knowledge.index.language import parse
from knowledge.live import offer, words_sent
from knowledge.live_sources import visible_to
from knowledge.models import Audience
from tests import small_company
from tests.knowledge.live.conftest import Declare
from tests.knowledge.live.services import PAGES, QUESTIONS, Hanging, ask, endless, packed, queries, says
from tests.loopback import Web

pytestmark = pytest.mark.django_db


# What leaves the house --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Feed PUMP", "feed pump"),
        ('How do I book "sick leave" -parental -"half day" kind:tool topic:pumps', "book sick leave"),
        ('by:"Ana Kovač" source:handbook in:Pay after:2026 pump', "pump"),
        ("C++ node.js ERR_42", "c++ node.js err_42"),
        ("Größe café", "größe café"),
        ("leave OR holiday", "leave holiday"),
        ("年休休假", "年休休假"),
        ("pump pump PUMP", "pump"),
        ("insource:/x/ prefix:User", "insource x prefix user"),
        ("-pump", ""),
        ("kind:tool", ""),
        ("???", ""),
        ("", ""),
    ],
)
def test_only_plain_words_leave_the_house(
    web: Web, declare: Declare, ana: Any, asks: Callable[..., str], text: str, sent: str
) -> None:
    declare("Elsewhere")
    assert words_sent(parse(text)) == sent
    asks("live", q=text)
    assert queries(web, "/elsewhere") == ([{"q": [sent]}] if sent else [])


def test_a_very_long_search_is_cut(web: Web, declare: Declare, ana: Any) -> None:
    sent = words_sent(parse(" ".join(f"word{n}" for n in range(500))))
    assert sent.split()[:2] == ["word0", "word1"]
    assert len(sent.split()) == live.MAX_WORDS
    assert len(words_sent(parse("x" * 16_000))) <= live.MAX_SENT


# Who is offered what ----------------------------------------------------------------------------------------------


def test_only_trusted_services_are_asked_without_a_click(
    web: Web, declare: Declare, ana: Any, asks: Callable[..., str]
) -> None:
    trusted, other = declare("Trusted", trusted=True), declare("Other")
    offered = offer(parse("feed pump"), Viewer.of(ana))
    assert [one.name for one in offered.at_once] == ["Trusted"]
    assert [one.name for one in offered.on_click] == ["Other"]
    page = asks("search", q="feed pump")
    assert page.count("is being asked") == 1
    assert f"/search/live/{trusted.public_id}?q=feed%20pump" in page
    assert f"/search/live/{other.public_id}" not in page
    assert "Trusted is told the words <b>feed pump</b>" in page
    assert "Other can be asked too, and is then told the words <b>feed pump</b>" in page
    assert "Other and Trusted can be asked too" in page, "for those without JavaScript"
    assert web.asked == [], "the page itself asks nobody"
    lines = asks("live", q="feed pump", htmx=True)
    assert f"/search/live/{other.public_id}" in lines
    assert f"/search/live/{trusted.public_id}" not in lines
    assert web.asked == []


def test_a_filter_keeps_all_services_behind_a_click(declare: Declare, ana: Any) -> None:
    declare("Trusted", trusted=True)
    offered = offer(parse("pump kind:tool"), Viewer.of(ana))
    assert (offered.at_once, len(offered.on_click)) == ((), 1)
    assert not offer(parse("kind:tool"), Viewer.of(ana))


def test_no_page_after_the_first_speaks_of_them(declare: Declare, asks: Callable[..., str]) -> None:
    declare("Trusted", trusted=True)
    assert "Trusted" in asks("search", q="pump", page=1)
    assert 'id="live"' not in asks("search", q="")


def test_who_may_not_ask_learns_nothing(
    web: Web, declare: Declare, make_person: Callable[..., Any], client: Client, asks: Callable[..., str]
) -> None:
    team = Team.objects.create(name="Board", slug="board")
    hidden = declare("Hidden7f3a", audience=[f"team:{team.pk}"], trusted=True)
    off = declare("Off7f3a", active=False)
    for page in (asks("search", q="pump"), asks("live", q="pump"), asks("live", q="pump", htmx=True)):
        assert "7f3a" not in page
        assert str(hidden.public_id) not in page
    answers = [
        client.get(reverse("knowledge:live-source", args=[key]), {"q": "pump"}, headers={"HX-Request": "true"})
        for key in (hidden.public_id, off.public_id, uuid.uuid4())
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.content for answer in answers}) == 1
    assert web.asked == []
    director = make_person("director", teams=(team,))
    assert [one.name for one in visible_to(Viewer.of(director))] == ["Hidden7f3a"]
    boss = make_person("boss", is_staff=True, is_superuser=True)
    assert visible_to(Viewer.of(boss)) == ()


def test_nobody_asks_without_signing_in(declare: Declare, client: Client, web: Web) -> None:
    source = declare("Trusted", trusted=True)
    for url in (reverse("knowledge:live"), reverse("knowledge:live-source", args=[source.public_id])):
        assert client.get(url, {"q": "pump"}).status_code == 302
    assert web.asked == []


def test_six_are_offered_at_most(declare: Declare, ana: Any) -> None:
    for number in range(8):
        declare(f"S{number}")
    assert len(visible_to(Viewer.of(ana))) == live_sources.MOST


def test_a_page_of_results_names_them_without_a_question(
    declare: Declare, ana: Any, django_assert_num_queries: Any
) -> None:
    def edition() -> str:
        return Edition.objects.values_list("name", flat=True).first() or ""

    viewer, query = Viewer.of(ana), parse("pump")
    with django_assert_num_queries(0):
        assert not offer(query, viewer, edition=""), "none was ever declared"
    row = declare("Wiki")
    assert offer(query, viewer, edition()), "what was just declared is there at once"
    now = edition()
    with django_assert_num_queries(0):
        assert offer(query, viewer, now)
        assert not offer(query, replace(viewer, tokens=frozenset()), now)
    row.audience = Audience.objects.of(["team:0"])
    row.save()
    assert not offer(query, viewer, edition())
    row.delete()
    with django_assert_num_queries(1):
        assert not offer(query, viewer, None)


def test_a_search_page_asks_the_database_no_more_for_them(
    declare: Declare, settings: LazySettings, asks: Callable[..., str]
) -> None:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    small_company.source_of("Handbook", [Document("a", "A pump", "Prime the pump.")])
    small_company.index()

    def questions() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            assert "Prime the" in asks("search", q="pump")
        return [
            sql.split(" WHERE ")[0] for sql in (query["sql"] for query in asked.captured_queries) if "SELECT" in sql
        ]

    questions()
    without = questions()
    declare("Wiki", trusted=True)
    assert "Wiki" in asks("search", q="pump")
    assert questions() == without


def test_what_was_typed_is_sent_never_a_spelling_of_ours(declare: Declare, ana: Any) -> None:
    declare("Wiki")
    page = ResultPage(parse("zanzibar project"), instead_of="zanzbar project")
    assert live.offer_of(page, Viewer.of(ana)).words == "zanzbar project"


# What they say ----------------------------------------------------------------------------------------------------


def test_the_page_without_javascript_has_all_answers(web: Web, declare: Declare, asks: Callable[..., str]) -> None:
    web.answers["/qa"] = packed(QUESTIONS)
    web.answers["/w/api.php"] = says(PAGES)
    declare("Questions", "/qa", shape="stackexchange")
    declare("Wiki", "/w/api.php", shape="mediawiki")
    declare("Empty", "/empty")
    web.answers["/empty"] = says([])
    page = asks("live", q="feed pump -dry")
    assert page.count('<li class="result"') == 4
    assert "Why does the <mark>feed pump</mark> lose its &quot;prime&quot; overnight?" in page
    assert 'href="https://qa.example/q/11" rel="noreferrer noopener external"' in page
    assert "Close the valve, then prime the <mark>pump</mark> &amp; wait" in page
    assert "<b>Empty</b> <span>found nothing.</span>" in page
    assert "What others found for <b>feed pump</b>" in page
    assert "2 answers, one accepted" in page


def test_one_service_fills_its_line_and_adds_its_answers_at_the_end(declare: Declare, asks: Callable[..., str]) -> None:
    source = declare("Wiki")
    said = asks("live-source", source.public_id, q="pump", htmx=True)
    assert said.lstrip().startswith("<li><b>Wiki</b>")
    assert '<div hx-swap-oob="beforeend:#live-answers">' in said
    assert "Wiki knows" in said
    assert "<html" not in said


def test_what_they_send_is_text(web: Web, declare: Declare, asks: Callable[..., str]) -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)> pump </li><style>x</style>{{ 7*7 }}'
    item = {"title": hostile, "text": hostile, "link": "https://x.example/\"onmouseover='a'", "tags": [hostile]}
    twice = {"title": "&lt;script&gt;alert(1)&lt;/script&gt;", "text": "&lt;img src=x&gt; pump", "link": "/1"}
    web.answers["/wiki"] = says([item, twice])
    source = declare("Wiki", fields={"notes": ["tags"]})
    for page in (asks("live", q="pump"), asks("live-source", source.public_id, q="pump", htmx=True)):
        assert "pump" in page
        for markup in ("<script>", "<img", "<style>", "onerror=alert(1)>", '"onmouseover'):
            assert markup not in page.replace('<script src="', ""), markup
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


# What goes wrong --------------------------------------------------------------------------------------------------


def test_the_page_comes_while_a_service_hangs_and_names_it(
    web: Web, declare: Declare, asks: Callable[..., str]
) -> None:
    """Promise 29."""
    hanging = web.answers["/slow"] = Hanging()
    web.answers["/html"] = lambda handler: handler.say(200, b"<html>", Content_Type="text/html")
    web.answers["/endless"] = endless
    slow = declare("Slow", deadline=0.4)
    declare("Page", "/html")
    declare("Endless", deadline=8.0)
    declare("Wiki")
    page = asks("live", q="pump")
    assert hanging.asked.is_set()
    assert not hanging.let_go.is_set()
    assert "<b>Slow</b> <span>did not answer within 0.4 seconds.</span>" in page
    assert "<b>Page</b> <span>answers with something that is no data, such as a page.</span>" in page
    assert "<b>Endless</b> <span>sends more than 1 MB.</span>" in page
    assert "Wiki knows" in page
    said = asks("live-source", slow.public_id, q="pump", htmx=True)
    assert "did not answer within 0.4 seconds." in said
    assert "live-answers" not in said
    hanging.let_go.set()


def test_a_failure_of_ours_costs_nobody_the_page(
    web: Web, declare: Declare, ana: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    declare("Wiki")

    def broken(service: Any, words: str) -> Any:
        raise ZeroDivisionError(words)

    monkeypatch.setattr(live, "ask", broken)
    (said,) = ask(ana, "unspeakable")
    assert said.trouble == "answers in a way that cannot be read"
    assert "unspeakable" not in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_no_word_of_a_search_is_logged(
    web: Web, declare: Declare, ana: Any, caplog: pytest.LogCaptureFixture, asks: Callable[..., str]
) -> None:
    declare("Broken", "/broken")
    web.answers["/broken"] = says(b"no")
    declare("Wiki")
    with caplog.at_level(logging.DEBUG):
        asks("live", q="unspeakable")
        asks("search", q="unspeakable")
    assert "unspeakable" not in caplog.text


def test_too_many_at_once_are_told_to_ask_again(
    web: Web, declare: Declare, settings: LazySettings, asks: Callable[..., str]
) -> None:
    source, kept = declare("Wiki"), declare("Kept")
    asks("live-source", kept.public_id, q="pump", htmx=True)
    settings.LIVE_AT_ONCE = 0
    waits = asks("live-source", source.public_id, q="pump", htmx=True)
    assert "again=1" in waits
    assert 'hx-trigger="load delay:700ms"' in waits
    assert "again=6" in asks("live-source", source.public_id, q="pump", again="5", htmx=True)
    for odd in ("8", "99"):
        assert "was not asked" in asks("live-source", source.public_id, q="pump", again=odd, htmx=True)
    assert "again=1" in asks("live-source", source.public_id, q="pump", again="-1e9", htmx=True)
    assert "Kept knows" in asks("live-source", kept.public_id, q="pump", htmx=True), "what is kept needs no place"
    assert queries(web, "/wiki") == []
    settings.LIVE_AT_ONCE = 1
    assert "Wiki knows" in asks("live-source", source.public_id, q="pump", htmx=True)
    assert live._waiting == 0
