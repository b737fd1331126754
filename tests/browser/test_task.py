"""The task at hand in a real browser: from home to a chosen route, the slider, the keys, and reading beside it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from immersive.work import actions
from immersive.work.models import Task

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def said(company: dict[str, Any]) -> Task:
    """A task of Ana's of which she has said how sure she is."""
    task = actions.start_task(owner=company["ana"], statement="Prime the feed pump before the night shift")
    actions.assess(task=task, owner=company["ana"], confidence=30)
    return task


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_from_home_to_a_chosen_route_in_four_taps(
    open_as: Open, scripts: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    page = open_as("ana", java_script_enabled=scripts)
    page.goto("/")
    taps, begun = [], time.monotonic()

    def tap(what: str, act: Callable[[], Any]) -> None:
        act()
        taps.append(what)

    page.get_by_label("Start a task, in your own words").fill("Prime the feed pump before the night shift")
    tap("Enter", lambda: page.keyboard.press("Enter"))
    tap("how sure", lambda: page.get_by_label(re.compile("could follow someone", re.IGNORECASE)).check())
    assert page.locator(".score").count() == 0, "no route shows before it is said"
    tap("say it", page.locator("#sure .btn-primary").click)
    tap("choose", page.locator(".score tbody tr").first.get_by_role("button").click)
    expect(page.locator("#plan li")).to_have_count(1)
    expect(page.locator(".score [aria-pressed=true]")).to_have_count(1)
    assert len(taps) <= 4
    took = f"\nFrom home to a chosen route: one sentence, {len(taps)} taps, {time.monotonic() - begun:.1f} s of 30 s.\n"
    with capsys.disabled():
        sys.stdout.write(took)


def test_the_slider_moves_advice_and_order_and_keeps_the_focus(open_as: Open, said: Task) -> None:
    page = open_as("ana")
    page.goto(said.get_absolute_url())
    before = page.locator(".score tbody b").all_inner_texts()
    page.evaluate("window.__live = document.getElementById('advice')")
    slider = page.get_by_label("What matters more this time?")
    slider.focus()
    with page.expect_response("**/lean"):
        for _ in range(2):
            page.keyboard.press("ArrowLeft")
    expect(page.locator("output[for=lean]")).to_have_text("Deliver")
    expect(slider).to_be_focused()
    assert page.evaluate("window.__live.isConnected"), "what is read out stays in its place"
    deliver = page.locator(".score tbody b").all_inner_texts(), page.locator("#advice").inner_text()
    with page.expect_response("**/lean"):
        page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "Learn")
    expect(page.locator("#advice")).not_to_have_text(deliver[1])
    assert page.locator(".score tbody b").all_inner_texts() != deliver[0]
    assert sorted(before) == sorted(deliver[0])
    page.reload()
    expect(slider).to_have_value("4")


def test_keys_mark_a_row_choose_it_and_open_it_beside(open_as: Open, said: Task) -> None:
    page = open_as("ana")
    page.goto(said.get_absolute_url())
    rows = page.locator(".score tbody tr")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_class(re.compile("is-current"))
    name = rows.nth(1).locator("b").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("#plan li b").first).to_have_text(name)
    expect(page.locator("#h-plan")).to_be_focused()
    page.locator(".score [data-beside]").first.scroll_into_view_if_needed()
    beside = rows.filter(has=page.locator("[data-beside]")).first
    for _ in range(rows.count()):
        page.keyboard.press("j")
        if "is-current" in (beside.get_attribute("class") or ""):
            break
    page.keyboard.press("b")
    expect(page).to_have_url(re.compile("/beside/"))


def test_reading_stands_beside_the_task_and_closing_leads_back(
    open_as: Open, said: Task, company: dict[str, Any]
) -> None:
    page = open_as("ana")
    page.goto(said.get_absolute_url())
    link = page.locator(".score [data-beside]").first
    title = link.inner_text()
    link.click()
    reader = page.get_by_role("complementary", name="Reading beside the task")
    expect(reader.get_by_role("heading", name=title).first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(said.statement)
    reader.get_by_role("button", name="Yes").click()
    expect(reader).to_contain_text("You said that this helped")
    expect(reader).to_be_focused()
    expect(page.locator(".score [data-beside]").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator(".score [data-beside]").first).to_be_focused()
    expect(page.locator("#reader")).to_have_count(0)


def test_topics_change_and_what_was_chosen_stays(open_as: Open, company: dict[str, Any]) -> None:
    task = actions.start_task(owner=company["ana"], statement="Prime it", started_from=company["pump"])
    page = open_as("ana")
    page.goto(task.get_absolute_url())
    page.get_by_label(re.compile("a coin toss", re.IGNORECASE)).check()
    page.get_by_role("group", name="Pumps").get_by_label("Partly").check()
    page.get_by_role("button", name="Take Start-up away").click()
    expect(page.locator(".know-topic")).to_have_count(1)
    page.get_by_label("Add a topic").fill("maintenance")
    page.keyboard.press("Enter")
    expect(page.locator(".know-topic")).to_have_count(2)
    expect(page.get_by_label("Add a topic")).to_be_focused()
    expect(page.get_by_label(re.compile("a coin toss", re.IGNORECASE))).to_be_checked()
    expect(page.get_by_role("group", name="Pumps").get_by_label("Partly")).to_be_checked()
    page.locator("#sure .btn-primary").click()
    expect(page.locator(".score")).to_be_visible()
    expect(page.locator("#head .chip")).to_have_text(
        ["Maintenance", "Pumps"]
    )  # the head stands outside of what is swapped
    assert Task.objects.get().assessment.known == {"Pumps": "partly"}


@pytest.mark.slow
def test_what_takes_longer_than_a_moment_says_so(open_as: Open, company: dict[str, Any]) -> None:
    task = actions.start_task(owner=company["ana"], statement="Prime the feed pump before the night shift")
    page = open_as("ana")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("/assessment|/lean|/again"), hold)
    page.goto(task.get_absolute_url())
    page.get_by_label(re.compile("a coin toss", re.IGNORECASE)).check()
    waits = [
        ("#sure form", page.locator("#sure .btn-primary").click),
        (".lean", lambda: page.get_by_label("What matters more this time?").press("End")),
        ("#weighed form", lambda: page.get_by_role("button", name="Look and weigh again").click()),
    ]
    for form, act in waits:
        if form == "#weighed form":
            page.locator("details:has(#weighed) > summary").click()
        line = page.locator(f"{form} [data-waiting]")
        expect(line).to_have_text("")
        act()
        expect(line).to_have_text(re.compile("ing"))
        expect(page.locator(form)).to_have_class(re.compile("is-waiting"))
        with page.expect_response(re.compile("/assessment|/lean|/again")):
            held.pop().continue_()
        expect(page.locator(".is-waiting")).to_have_count(0)
        expect(page.locator("[data-waiting]:not(:empty)")).to_have_count(0)
    assert page.evaluate("window.__refused") == []


def test_what_could_not_be_sent_is_said_in_one_line_and_stays_and_the_sign_in_leads_back(
    open_as: Open, said: Task
) -> None:
    page = open_as("ana")
    page.goto(said.get_absolute_url())
    toast, outcome = page.locator(".toast"), page.locator("#outcome")
    outcome.get_by_text("It worked").click()
    outcome.get_by_text("Add the way").click()
    outcome.get_by_label("What surprised you?").fill("The valve was dry")
    for troubled, words in (
        (lambda: page.context.set_offline(True), "There is no connection"),
        (lambda: (page.context.set_offline(False), page.context.clear_cookies(name="csrftoken")), "was not taken"),
    ):
        troubled()
        outcome.get_by_role("button", name="Log it").click()
        expect(toast).to_contain_text(words)
    page.reload()
    page.context.clear_cookies(name="sessionid")
    outcome.get_by_text("It worked").click()
    outcome.get_by_text("Add the way").click()
    outcome.get_by_label("What surprised you?").fill("The valve was dry")
    outcome.get_by_role("button", name="Log it").click()
    expect(toast).to_contain_text("You are signed out")
    expect(outcome.get_by_label("What surprised you?")).to_have_value("The valve was dry")
    outcome.get_by_label("What surprised you?").fill("")
    outcome.get_by_role("button", name="Log it").click()
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said.statement)
    expect(page).to_have_url(re.compile(said.get_absolute_url()))


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_link_into_a_fold_opens_it_each_time(open_as: Open, said: Task, scripts: bool) -> None:
    page = open_as("ana", java_script_enabled=scripts)
    page.goto("/tasks/mirror")
    for _ in range(2 if scripts else 1):
        page.get_by_role("link", name="delete it all").click()
        expect(page.get_by_role("button", name="Delete all of it")).to_be_visible()
        page.get_by_text("Delete it all", exact=True).click()
    page.goto(f"{said.get_absolute_url()}#weighed")
    expect(page.get_by_role("button", name="Look and weigh again")).to_be_visible()
