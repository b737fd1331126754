"""Services outside in a real browser: asked below a list that stays where it is, some after a click, with names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from knowledge.models import Audience, LiveSource
from tests.knowledge.live.services import PAGES, QUESTIONS, Hanging, packed, queries, says
from tests.loopback import Web

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def services(web: Web, settings: LazySettings, company: dict[str, Any]) -> Hanging:
    """Two that are trusted, of which one hangs, and one that waits for a click."""
    settings.LIVE_HOSTS = ["127.0.0.1"]
    web.answers["/qa"] = packed(QUESTIONS)
    web.answers["/w/api.php"] = says(PAGES)
    hanging = web.answers["/slow"] = Hanging()
    everyone = Audience.objects.of(["everyone"])
    for name, shape, path, more in (
        ("Pump questions", "stackexchange", "/qa?site=pumps", {"trusted": True}),
        ("Slow archive", "json", "/slow?q={query}", {"trusted": True, "deadline": 1.0}),
        ("Open wiki", "mediawiki", "/w/api.php", {}),
    ):
        LiveSource.objects.create(name=name, shape=shape, address=web.base + path, audience=everyone, **more)
    return hanging


def test_answers_arrive_below_a_steady_list(open_as: Open, web: Web, services: Hanging) -> None:
    page = open_as("ana", width=360)
    page.goto("/search?q=pump")
    results = page.locator("#found > div > .results > .result")
    expect(results).to_have_count(10)
    before = [box["y"] for box in (results.nth(n).bounding_box() for n in range(10)) if box]
    lines = page.locator(".live-lines > li")
    expect(lines.nth(0)).to_contain_text("2 answers")
    first = page.locator("#live-answers .result").first
    expect(first).to_contain_text("Why does the feed pump lose its")
    place = first.bounding_box()
    expect(lines.nth(1)).to_have_text("Slow archive did not answer within 1 second.")
    assert services.asked.is_set()
    assert not services.let_go.is_set()
    assert first.bounding_box() == place, "what was already there has moved"
    assert [box["y"] for box in (results.nth(n).bounding_box() for n in range(10)) if box] == before
    assert queries(web, "/w/api.php") == [], "nobody clicked"
    page.get_by_role("link", name="Ask Open wiki").click()
    expect(page.locator("#live-answers .live-group")).to_have_count(2)
    expect(page.locator("#live-answers .result").last).to_contain_text("A <b>bold</b> title")
    assert [asked["srsearch"] for asked in queries(web, "/w/api.php")] == [["pump"]]
    expect(page.locator(".live-ask")).to_be_focused()
    expect(page.locator(".live-ask")).to_contain_text("Open wiki is told the words pump, and nothing of who asks.")
    expect(page.get_by_text("is being asked")).to_have_count(0)
    for _ in range(11):
        page.keyboard.press("j")
    expect(page.locator("#live-answers .result").first).to_have_class("result is-current")
    assert page.evaluate("window.__refused") == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert Axe().run(page).response["violations"] == []
    services.let_go.set()


def test_without_javascript_a_link_asks_them_all(open_as: Open, web: Web, services: Hanging) -> None:
    page = open_as("ana", java_script_enabled=False)
    page.goto("/search?q=pump")
    expect(page.get_by_text("is being asked").first).to_be_hidden()
    page.goto("/search?q=pump+kind:page")
    expect(page.locator("#live")).to_contain_text("Open wiki, Pump questions and Slow archive can be asked too")
    assert queries(web, "/qa") == []
    page.get_by_role("link", name="Ask these services too").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Outside this portal")
    expect(page.locator(".live-group")).to_have_count(2)
    expect(page.locator(".live-lines")).to_contain_text("Slow archive did not answer within 1 second.")
    page.get_by_role("link", name="Results for").click()
    expect(page.locator("#q")).to_have_value("pump kind:page")
    services.let_go.set()


def test_a_line_that_cannot_be_asked_for_says_so(open_as: Open, services: Hanging) -> None:
    page = open_as("ana")
    page.route("**/search/live/**", lambda route: route.fulfill(status=500, body="broken"))
    page.goto("/search?q=pump")
    expect(page.locator(".live-lines > li").first).to_have_text("Pump questions could not be asked.")
    services.let_go.set()
