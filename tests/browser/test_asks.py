"""Asking, answering and thanking: by mouse, by keys alone, without JavaScript, and every page of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from playwright.sync_api import Page, expect

from experts.asking import actions as asking
from experts.asking.asks import Ask, SealOpened
from knowledge.access import Viewer
from tests.browser.test_every_page import MODES, troubles_of

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def press_until(page: Page, name: str, key: str = "Tab", most: int = 60) -> None:
    """Go on by Tab until the focus is on what bears this name."""
    said = "() => { const e = document.activeElement; const l = e.labels?.[0]?.innerText || ''; " \
        "return (e.getAttribute('aria-label') || l || e.innerText || '').trim() }"  # fmt: skip
    for _ in range(most):
        page.keyboard.press(key)
        if name in page.evaluate(said):
            return
    raise AssertionError(f"{name} is not reached by {key}")


def test_ask_answer_accept_thank_by_mouse(open_as: Open, company: dict[str, Any]) -> None:
    ana, ben = open_as("ana"), open_as("ben")
    ana.goto("/search?q=xylophone")
    ana.get_by_role("link", name="Ask whoever knows").click()
    expect(ana.get_by_label("Your question")).to_have_value("xylophone")
    ana.goto(company["ben"].get_absolute_url())
    ana.goto(f"/asks/new?to={company['ben'].public_id}")
    ana.get_by_label("Your question").fill("How do I prime feed pumps?")
    expect(ana.locator("#alike")).to_contain_text("Pumps")
    ana.get_by_text("Add details").click()
    ana.get_by_label("Details").fill("It **hums**.")
    ana.get_by_role("button", name="Ask", exact=True).click()
    ana.get_by_text("You asked this").wait_for()
    ben.goto("/")
    ben.get_by_role("link", name="How do I prime feed pumps?").click()
    expect(ben.get_by_text("Ana Ferreira asks you.")).to_be_visible()
    ben.get_by_label("What you know about it").fill("Open the *vent* first.")
    ben.keyboard.press("Control+Enter")
    expect(ben.locator("article em")).to_have_text("vent")
    ana.goto("/notices/")
    ana.get_by_role("link", name="Ben Okafor answered your question").click()
    ana.get_by_role("button", name="This is what I needed").click()
    expect(ana.get_by_text("This is what was needed")).to_be_visible()
    ana.get_by_text("Thank Ben Okafor").click()
    ana.get_by_label("In your words").fill("It runs.")
    ana.get_by_role("button", name="Send thanks").click()
    expect(ana.get_by_text("You said thank you.")).to_be_visible()
    ben.goto("/notices/")
    expect(ben.get_by_text("“It runs.”")).to_be_visible()


def test_ask_answer_thank_by_keys_alone(open_as: Open, company: dict[str, Any]) -> None:
    ana, ben = open_as("ana"), open_as("ben")
    ana.goto("/search?q=xylophone")
    press_until(ana, "Ask whoever knows")
    ana.keyboard.press("Enter")
    ana.wait_for_url("**/asks/new**")
    press_until(ana, "Your question")
    ana.keyboard.press("Control+A")
    ana.keyboard.type("Who has primed the feed pump lately?")
    press_until(ana, "Show me, so that I can do it next time")
    ana.keyboard.press("ArrowDown")
    press_until(ana, "Ask")
    ana.keyboard.press("Enter")
    ana.get_by_text("Please do it this time.").wait_for()
    ask = Ask.objects.get()
    ben.goto(ask.get_absolute_url())
    press_until(ben, "What you know about it")
    ben.keyboard.type("I did, on Monday.")
    ben.keyboard.press("Tab")
    ben.keyboard.press("Enter")
    ben.get_by_text("1 answer").wait_for()
    ana.goto(ask.get_absolute_url())
    press_until(ana, "Thank Ben Okafor")
    ana.keyboard.press("Enter")
    press_until(ana, "In your words")
    ana.keyboard.type("Thank you")
    ana.keyboard.press("Enter")
    expect(ana.get_by_text("You said thank you.")).to_be_visible()


def test_without_javascript_what_is_like_it_is_a_step(open_as: Open, company: dict[str, Any]) -> None:
    asking.ask(viewer=Viewer.of(company["ana"]), text="How do I prime the feed pump?")
    page = open_as("cleo", java_script_enabled=False)
    page.goto("/asks/new")
    page.get_by_label("Your question").fill("How to prime a feed pump?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Not asked yet: look here first.")).to_be_visible()
    expect(page.get_by_role("link", name="How do I prime the feed pump?")).to_be_visible()
    page.get_by_role("button", name="Ask all the same").click()
    expect(page.get_by_text("You asked this")).to_be_visible()


def test_what_is_like_it_shows_while_one_types(open_as: Open, company: dict[str, Any]) -> None:
    asking.ask(viewer=Viewer.of(company["ana"]), text="How do I prime the feed pump?")
    page = open_as("cleo")
    page.goto("/asks/new")
    page.get_by_label("Your question").press_sequentially("How to prime feed pumps", delay=10)
    expect(page.locator("#alike").get_by_role("link", name="How do I prime the feed pump?")).to_be_visible()
    topic = page.get_by_role("checkbox", name="Pumps")
    topic.uncheck()
    with page.expect_response("**/asks/alike"):
        page.get_by_label("Your question").press_sequentially(" well?")
    expect(topic).not_to_be_checked()
    expect(page.get_by_label("Your question")).to_have_value("How to prime feed pumps well?")
    assert page.evaluate("window.__refused") == []


@pytest.fixture
def talk(company: dict[str, Any]) -> dict[str, str]:
    """Questions in every state, each with the address of its page."""
    ana, ben, cleo = (Viewer.of(company[name]) for name in ("ana", "ben", "cleo"))
    for name in ("dora", "emil"):
        company["cleo"]._meta.model.objects.create_user(name, name=name.title())
    done = asking.ask(viewer=ana, text="How do I prime the feed pump?", details="## It\n\n| hums | loudly |\n|---|---|")
    answer = asking.answer(
        ask=done.public_id, viewer=ben, body="1. Open the `vent`\n\n```\nvent open\n```\n" + "w" * 400
    )
    asking.answer(ask=done.public_id, viewer=cleo, body="Or do not.")
    asking.accept(answer=answer.public_id, viewer=ana)
    turn = asking.ask(viewer=ben, text="Is the " + "very " * 50 + "long line open?", to=company["ana"].public_id)
    own = asking.answer(ask=turn.public_id, viewer=cleo, body="It was.")
    sealed = asking.ask(viewer=ana, text="May we stop the line?", anonymous=True)
    other = asking.ask(viewer=cleo, text="Was it right to go on?", anonymous=True)
    Ask.objects.filter(pk__in=(sealed.pk, other.pk)).update(published_at=timezone.now() - timedelta(days=1))
    SealOpened.objects.create(ask=sealed, opener=company["ben"], reason="Somebody was in danger")
    company["ana"].user_permissions.set(Permission.objects.filter(codename__in=("moderate_ask", "open_seal")))
    gone = asking.ask(viewer=cleo, text="Who is the customer?")
    Ask.objects.filter(pk=gone.pk).update(hidden_at=timezone.now(), moderated_why="It names a customer.")
    edited = asking.answer(ask=other.public_id, viewer=ana, body="It was.")
    return {
        "questions": "/asks/",
        "taken away": "/asks/taken-away",
        "notices": "/notices/",
        "home": "/",
        "ask": f"/asks/new?q=feed+pump&about={company['pump'].public_id}&to={company['ben'].public_id}",
        "ask, nobody": "/asks/new?to=00000000-0000-4000-8000-000000000000",
        "answered": done.get_absolute_url(),
        "my turn": turn.get_absolute_url(),
        "sealed, mine": sealed.get_absolute_url(),
        "sealed, another's": other.get_absolute_url(),
        "change an answer": f"/answers/{edited.public_id}/edit",
        "someone's answer": own.get_absolute_url(),
        "patterns": "/patterns",
    }


@pytest.mark.parametrize("mode", MODES)
def test_every_page_of_questions(open_as: Open, talk: dict[str, str], mode: dict[str, Any]) -> None:
    page = open_as("ana", **mode)
    troubles: list[str] = []
    for name, address in talk.items():
        page.goto(address)
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        troubles += troubles_of(page, name)
    page.goto("/asks/new")
    page.get_by_label("Your question").fill("?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_text("Not asked yet.").wait_for()
    troubles += troubles_of(page, "refused")
    assert troubles == []
