"""Who knows, what is shown about oneself, and hiding, in a real browser: two of them, by keys alone, read by axe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from experts import choices
from tests import small_company
from tests.browser.test_by_keys import HERE
from tests.browser.test_every_page import MODES, troubles_of

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def found(company: dict[str, Any]) -> dict[str, Any]:
    """People in search too; Ben shows his time, and Ana has said something of everything."""
    choices.choose(person=company["ben"], asks_a_week=2, hours_a_week=1, shows_time=True, prefers="call")
    choices.say_of_topic(person=company["ben"], name="Welding", knows=True, ask="yes")
    ana = company["ana"]
    choices.say_of_topic(person=ana, name="Pumps", ask="no")
    choices.say_of_topic(person=ana, name="Start-up", hidden=True)
    choices.say_of_topic(person=ana, name="Bleeding a valve", knows=True)
    choices.close(person=ana, since=date(2099, 3, 1), until=date(2099, 3, 5))
    small_company.read_people()
    small_company.index()
    return company


def hit(page: Page, name: str) -> None:
    """Reach a button or link by Tab alone and press Enter."""
    for _ in range(200):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here["name"].replace("\n", " ").startswith(name):
            assert here["ring"], here
            assert here["seen"], here
            page.keyboard.press("Enter")
            return
        assert not here["lost"], f"there is no way to “{name}” by keys"
    pytest.fail(f"{name} was not reached")


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_who_hides_is_gone_from_the_next_page_of_another(open_as: Open, found: dict[str, Any], scripts: bool) -> None:
    mine, theirs = (open_as(name, java_script_enabled=scripts) for name in ("ben", "cleo"))
    theirs.goto("/search?q=pump")
    rail = theirs.get_by_role("complementary")
    expect(rail.get_by_role("link", name="Ben Okafor", exact=True)).to_be_visible()
    mine.goto("/people/me/")
    mine.get_by_role("button", name="Hide me").click()
    expect(mine.get_by_text("You are hidden. Nobody is told.")).to_be_visible()
    theirs.reload()
    expect(theirs.get_by_text("Ben Okafor")).to_have_count(0)
    theirs.goto(found["ben"].get_absolute_url())
    expect(theirs.get_by_text("Ben Okafor")).to_have_count(0)
    mine.get_by_role("button", name="Undo").click()
    expect(mine.get_by_role("button", name="Hide me")).to_be_visible()
    theirs.reload()
    expect(theirs.get_by_role("heading", name="Ben Okafor", exact=True)).to_be_visible()


def test_by_keys_alone_from_a_result_to_a_person_to_a_question(open_as: Open, found: dict[str, Any]) -> None:
    page = open_as("cleo")
    page.goto("/search?q=pump")
    names = {link.inner_text() for link in page.get_by_role("complementary").get_by_role("link").all()}
    assert "Ask whoever knows" in names
    page.get_by_role("complementary").get_by_role("link", name="Ben Okafor", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What Ben Okafor knows")).to_be_visible()
    hit(page, "Ask Ben Okafor")
    expect(page.get_by_role("heading", name="Ask Ben Okafor")).to_be_visible()


def test_by_keys_alone_one_changes_what_is_shown_and_takes_it_back(open_as: Open, found: dict[str, Any]) -> None:
    page = open_as("ana")
    page.goto("/people/me/")
    hit(page, "Not my work")
    expect(page.get_by_text("is not counted as your work any more.")).to_be_visible()
    expect(page.get_by_text("Not your work, as you said: 1")).to_be_visible()
    page.goto("/people/me/")
    hit(page, "Hide me")
    expect(page.get_by_text("You are hidden. Nobody is told.")).to_be_visible()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Hide me")).to_be_visible()


@pytest.mark.parametrize("mode", MODES)
def test_every_state_of_people(open_as: Open, found: dict[str, Any], mode: dict[str, Any]) -> None:
    page = open_as("ana", **mode)
    troubles: list[str] = []
    for name, address in {
        "me": "/people/me/", "own page": found["ana"].get_absolute_url(), "another": found["ben"].get_absolute_url(),
        "rail": "/search?q=pump", "tool": found["valveview"].get_absolute_url(),
        "page": found["pump"].get_absolute_url(), "way on": "/search?q=pump+kind%3Aanswer",
    }.items():  # fmt: skip
        page.goto(address)
        troubles += troubles_of(page, name)
    page.goto("/people/me/")
    page.get_by_label("Your time zone").fill("Middle/Earth")
    page.get_by_label("About you").fill("x" * 3000)
    page.get_by_label("About you").press("Tab")
    page.locator("#about button").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed.")
    expect(page.get_by_label("Your time zone")).to_have_value("Middle/Earth")
    troubles += troubles_of(page, "me, not understood")
    page.goto("/people/me/")
    page.get_by_role("button", name="Hide me").click()
    page.get_by_role("button", name="Undo").wait_for()
    troubles += troubles_of(page, "me, hidden")
    assert troubles == []


def test_on_a_phone_links_above_the_results_lead_to_people_and_the_tool(open_as: Open, found: dict[str, Any]) -> None:
    page = open_as("cleo", width=360, has_touch=True)
    page.goto("/search?q=pump")
    page.get_by_role("link", name="1 person knows").click()
    expect(page.get_by_role("heading", name="People who know")).to_be_in_viewport()
    page.get_by_role("link", name="A tool does it").click()
    expect(page.get_by_role("heading", name="A tool already does this")).to_be_in_viewport()
