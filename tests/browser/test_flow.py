"""The main job in a real browser, with JavaScript and without: from a question to a line in one's learning log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_from_a_question_to_a_line_in_the_learning_log(open_as: Open, company: dict[str, Any], scripts: bool) -> None:
    page = open_as(java_script_enabled=scripts)
    page.goto("/")
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("What are you working on?").first.fill("priming a feed pump")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".result").first).to_contain_text("Priming a feed pump")
    expect(page.locator(".result mark").first).to_be_visible()
    page.get_by_role("link", name="Priming a feed pump").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Priming a feed pump")
    expect(page.locator(".prose")).to_contain_text("Close the discharge valve")
    expect(page.get_by_role("link", name="Ben Okafor", exact=True)).to_be_visible()
    page.get_by_role("link", name="Start a task with this").click()
    page.get_by_label("What are you working on?").fill("Prime P-102 before the night shift")
    page.get_by_role("button", name="Start").click()
    page.get_by_label(re.compile("toss", re.IGNORECASE)).check()
    page.get_by_role("button", name="Say it").click()
    expect(page.locator("main")).to_contain_text("It is locked")
    page.goto("/tasks/mirror")
    expect(page.locator("main")).to_contain_text("Prime P-102 before the night shift")
    expect(page.locator("main")).to_contain_text("Pumps")


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_box_and_its_operator_are_one_thing(open_as: Open, scripts: bool) -> None:
    page = open_as("ana", java_script_enabled=scripts)
    page.goto("/search?q=pump")
    page.locator(".facets").get_by_label("Tool").check()
    if not scripts:
        page.get_by_role("button", name="Narrow").click()
    expect(page).to_have_url(re.compile(r"/search\?q=pump\+kind%3Atool$"))
    expect(page.locator(".result")).to_have_count(1)
    expect(page.locator(".result")).to_contain_text("ValveView")
    expect(page.locator(".facets").get_by_label("Tool")).to_be_checked()
    expect(page.locator("#q")).to_have_value("pump kind:tool")
    page.get_by_role("link", name="Remove kind: tool").click()
    expect(page).to_have_url(re.compile(r"/search\?q=pump$"))
    expect(page.locator(".result")).to_have_count(10)


def test_the_way_back_leads_to_the_wider_search(open_as: Open) -> None:
    page = open_as("ana")
    page.goto("/search?q=pump")
    page.locator(".facets").get_by_label("Tool").check()
    expect(page.locator(".result")).to_have_count(1)
    page.go_back()
    expect(page.locator(".result")).to_have_count(10)
    expect(page.locator(".bar")).to_have_count(1)
    expect(page.locator("#q")).to_have_value("pump")
    expect(page.locator(".facets").get_by_label("Tool")).not_to_be_checked()


def test_the_theme_goes_round_without_javascript_and_comes_back_to_the_page(open_as: Open) -> None:
    page = open_as("ana", java_script_enabled=False)
    page.goto("/search?q=pump")
    themes = []
    for _ in range(3):
        page.get_by_role("button", name="Theme").click()
        expect(page).to_have_url(re.compile(r"/search\?q=pump$"))
        themes.append(page.locator("html").get_attribute("data-theme"))
    assert themes == ["light", "dark", None]


def test_the_theme_keeps_what_was_being_typed(open_as: Open) -> None:
    page = open_as("ana")
    page.goto("/tasks/new")
    page.get_by_label("What are you working on?").fill("half a sentence")
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.get_by_label("What are you working on?")).to_have_value("half a sentence")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_keyboard_alone_is_enough(open_as: Open, company: dict[str, Any]) -> None:
    page = open_as("ana")
    page.goto("/search?q=pump")
    results = page.locator(".result")
    page.keyboard.press("j")
    expect(results.nth(0).get_by_role("link").first).to_be_focused()
    page.keyboard.press("j")
    expect(results.nth(1)).to_have_class(re.compile("is-current"))
    page.keyboard.press("k")
    expect(results.nth(0)).to_have_class(re.compile("is-current"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("jkt?")  # in a field these are letters
    expect(page.locator("#q")).to_have_value("jkt?")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/r/"))
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.prose p'))")
    words = page.evaluate("String(getSelection()).trim()")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile(r"/tasks/new\?from=[0-9a-f-]+$"))
    expect(page.get_by_label("What are you working on?")).to_be_focused()
    expect(page.get_by_label("What belongs to it")).to_have_value(words)
    expect(page.get_by_label(re.compile("^From "))).to_be_checked()
    page.reload()
    expect(page.get_by_label("What belongs to it")).to_have_value("")


def test_single_keys_can_be_turned_off_and_stay_off(open_as: Open) -> None:
    page = open_as("ana")
    page.goto("/search?q=pump")
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("j")
    expect(page.locator(".is-current")).to_have_count(0)


def test_a_menu_closes_when_one_leaves_it(open_as: Open) -> None:
    page = open_as("ana")
    page.goto("/")
    page.locator("summary.face").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    page.locator("summary.face").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
