"""Suggestions in a real browser: by keys alone, to a screen reader, in any order of answers, and without JavaScript."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Route, expect

from knowledge.documents import Document
from knowledge.models import Search
from tests import small_company
from tests.browser.test_every_page import MODES

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
SHOTS = os.environ.get("TYPEAHEAD_SHOTS", "")


@pytest.fixture(autouse=True)
def people_too(company: dict[str, Any]) -> None:
    """The people of the company can be found, and Ana has searched before."""
    small_company.read_people()
    small_company.index()
    Search.objects.create(person=company["ana"], text="pump curves", total=4)
    Search.objects.create(person=company["ben"], text="pump secrets of Ben", total=4)


def box_of(page: Page, address: str = "/tasks/") -> Locator:
    page.goto(address)
    box = page.get_by_role("combobox", name=re.compile("Search|What are you working on"))
    expect(box).to_have_attribute("aria-expanded", "false")
    return box


def shown(page: Page) -> list[str]:
    found: list[str] = page.locator("[role=listbox] [role=group]").evaluate_all(
        "groups => groups.map(g => g.querySelector('p').textContent + ': ' + "
        "[...g.querySelectorAll('[role=option] > span:first-of-type')].map(o => o.textContent.trim()).join(' | '))"
    )
    return found


def arrived(page: Page, held: list[Route]) -> None:
    """Wait until a question has left the browser."""
    for _ in range(200):
        if held:
            return
        page.wait_for_timeout(20)
    raise AssertionError("nothing was asked")


@pytest.mark.parametrize("mode", MODES)
def test_groups_open_under_the_box_and_axe_finds_nothing(open_as: Open, mode: dict[str, Any]) -> None:
    page = open_as("ana", **mode)
    for name, address in (("search", "/search?q=round"), ("home", "/")):
        box = box_of(page, address)
        box.click()
        box.fill("pump")
        expect(page.locator("[role=option]").first).to_be_visible()
        box.press("ArrowDown")
        assert [line.partition(":")[0] for line in shown(page)] == ["People", "Pages", "Topics", "My searches"]
        assert [f"{v['id']}: {v['nodes'][0]['html']}" for v in Axe().run(page).response["violations"]] == []
        assert page.evaluate("window.__refused") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if SHOTS:
            scheme = f"{mode['width']}-{mode['color_scheme']}"
            page.screenshot(path=str(Path(SHOTS) / f"{name}-{scheme}.png"))


def test_keys_choose_and_the_screen_reader_is_told(open_as: Open, site: str, company: dict[str, Any]) -> None:
    page = open_as("ana")
    box = box_of(page)
    page.keyboard.press("/")
    expect(box).to_be_focused()
    box.press_sequentially("pum")
    options = page.get_by_role("option")
    expect(options).to_have_count(7)
    expect(box).to_have_attribute("aria-expanded", "true")
    assert box.get_attribute("aria-activedescendant") is None
    expect(page.locator("form[role=search] [role=status]")).to_have_text("7 suggestions. Arrow down to choose.")
    assert box.get_attribute("aria-controls") == page.get_by_role("listbox").get_attribute("id")

    def chosen() -> str:
        name = box.get_attribute("aria-activedescendant")
        marked = page.locator("[role=option][aria-selected=true]").evaluate_all("all => all.map(one => one.id)")
        assert marked == ([name] if name else [])
        return page.locator(f"#{name}").inner_text().split("\n")[0] if name else ""

    for key, place in (("ArrowDown", 0), ("ArrowDown", 1), ("End", 6), ("ArrowDown", -1), ("ArrowUp", 6), ("Home", 0)):
        box.press(key)
        assert chosen() == (options.nth(place).inner_text().split("\n")[0] if place >= 0 else ""), key
    expect(box).to_be_focused()
    box.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("pum")
    expect(box).to_be_focused()
    box.press("Escape")
    expect(box).not_to_be_focused()
    page.keyboard.press("/")
    box.press_sequentially("pum")
    expect(options.first).to_be_visible()
    box.press("Escape")
    box.press("ArrowDown")  # opens again
    expect(options.first).to_be_visible()
    for _ in range(4):  # past two people who are known for it
        box.press("ArrowDown")
    assert chosen().startswith("Priming a feed pump")
    box.press("Enter")
    expect(page).to_have_url(site + company["pump"].get_absolute_url())


def test_enter_searches_for_what_was_typed_and_a_click_opens(open_as: Open) -> None:
    page = open_as("ana")
    box = box_of(page)
    box.fill("ferr")
    person = page.get_by_role("option", name=re.compile("Ana Ferreira"))
    expect(person).to_contain_text("Shift engineer")
    person.click()
    expect(page).to_have_url(re.compile("/people/"))
    box = box_of(page, "/tasks/")
    box.fill("pum")
    expect(page.get_by_role("option").first).to_be_visible()
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=pum$"))
    box = box_of(page)
    box.fill("pump")
    page.get_by_role("option", name=re.compile("^Pumps")).click()
    expect(page).to_have_url(re.compile(r"/topics/pumps/$"))
    expect(page.get_by_role("heading", name="Pumps", exact=True)).to_be_visible()


def test_an_older_answer_never_replaces_a_newer_one(open_as: Open) -> None:
    page = open_as("ana")
    box = box_of(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"suggest\?q=p$"), hold)
    box.press_sequentially("p")
    arrived(page, held)
    box.press_sequentially("riming")
    expect(page.get_by_role("option")).to_have_count(1)
    for route in held:
        route.fulfill(body='<div role="option" id="old" data-url="/">An older answer</div>')
    page.wait_for_timeout(100)
    expect(page.get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("option")).to_contain_text("Priming a feed pump")


def test_an_answer_that_nobody_waits_for_opens_nothing(open_as: Open) -> None:
    page = open_as("ana")
    box = box_of(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"suggest\?q=pump$"), hold)
    for leave in ("Escape", "Tab"):
        box.fill("pump")
        arrived(page, held)
        box.press(leave)
        page.evaluate("document.activeElement.blur()")
        held.pop().continue_()
        page.wait_for_timeout(150)
        expect(box).to_have_attribute("aria-expanded", "false")
        expect(page.locator(".typeahead")).to_be_hidden()
    page.unroute_all()
    page.route("**/search/suggest*", lambda route: route.abort())
    box.fill("pumps")
    page.wait_for_timeout(200)
    expect(page.locator(".typeahead")).to_be_hidden()


def test_it_is_asked_once_when_the_typing_pauses(open_as: Open) -> None:
    page = open_as("ana")
    box = box_of(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/suggest" in request.url else None)
    page.evaluate(
        """text => { const box = document.querySelector("[data-search]"); box.focus();
        for (let end = 1; end <= text.length; end++) {
          box.value = text.slice(0, end); box.dispatchEvent(new Event("input", { bubbles: true })); } }""",
        "hydraulics",
    )
    expect(page.get_by_role("option").first).to_be_visible()
    assert [url.partition("q=")[2] for url in asked] == ["hydraulics"]
    box.fill("")
    expect(page.locator(".typeahead")).to_be_hidden()


def test_the_way_back_and_the_single_keys_are_as_before(open_as: Open) -> None:
    page = open_as("ana")
    box = box_of(page, "/search?q=pump")
    page.locator(".facets").get_by_label("Tool").check()
    expect(page.locator(".result")).to_have_count(1)
    box.fill("prim")
    expect(page.get_by_role("option")).to_have_count(1)
    box.press("ArrowDown")
    box.press("Enter")
    expect(page).to_have_url(re.compile("/r/"))
    page.go_back()
    expect(page.locator(".result")).to_have_count(1)
    expect(page.locator(".typeahead")).to_be_hidden()
    page.go_back()
    expect(page.locator(".result")).to_have_count(10)
    box = page.locator("#q")
    expect(box).to_have_attribute("role", "combobox")
    box.fill("prim")
    expect(page.get_by_role("option")).to_have_count(1)
    box.press("Escape")
    box.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".result").nth(1)).to_have_class(re.compile("is-current"))
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_another_spelling_is_said_and_what_was_typed_is_one_click_away(open_as: Open) -> None:
    page = open_as("ana", width=360)
    page.goto("/search?q=hydrualics")
    expect(page.locator(".result").first).to_contain_text("Pump hydraulics for operators")
    expect(page.locator(".did-you-mean")).to_contain_text("these are for hydraulics")
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / "instead-360.png"))
    page.get_by_role("link", name="hydrualics").click()
    expect(page.get_by_text("Nothing found for “hydrualics”")).to_be_visible()
    expect(page.locator("#q")).to_have_value("hydrualics")
    page.get_by_role("link", name="hydraulics").click()
    expect(page).to_have_url(re.compile(r"q=hydraulics$"))
    page.goto("/search?q=pump+hydrualics")
    expect(page.locator(".did-you-mean b")).to_have_text("hydraulics")
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / "did-you-mean-360.png"))
        page.set_viewport_size({"width": 1440, "height": 900})
        page.screenshot(path=str(Path(SHOTS) / "did-you-mean-1440.png"))


def test_without_javascript_the_box_is_a_box(open_as: Open) -> None:
    page = open_as("ana", java_script_enabled=False)
    page.goto("/search?q=pump")
    box = page.get_by_role("searchbox", name="Search")
    assert box.get_attribute("role") is None
    expect(page.locator(".typeahead-foot")).to_have_count(0)
    box.fill("priming")
    box.press("Enter")
    expect(page.locator(".result").first).to_contain_text("Priming a feed pump")


def test_names_are_text_and_a_stranger_is_shown_nothing(open_as: Open, settings: Any) -> None:
    title = "<img src=x onerror=window.__fired=1> pumpkin \"quoted\" & 'so'"
    small_company.source_of("Hostile", [Document("x", title, topics=("<b>pumpkins</b>",))])
    small_company.index()
    page = open_as("ana")
    box = box_of(page)
    box.fill("pumpkin")
    expect(page.get_by_role("option").first).to_contain_text("<img src=x onerror=window.__fired=1> pumpkin")
    expect(page.get_by_role("option").nth(1)).to_contain_text("<b>pumpkins</b>")
    assert page.evaluate("window.__fired === undefined && !window.__refused.length")
    page.context.clear_cookies()
    box.fill("pump")
    page.wait_for_timeout(300)
    expect(page.locator(".typeahead")).to_be_hidden()
