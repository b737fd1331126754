"""Building a team and mentoring in a real browser: with scripts and without, by keys alone, and read by axe."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from experts.mentoring import mentorships as mentoring
from experts.mentoring.matching import match
from experts.models import Availability, Mentorship
from experts.teams import proposals
from experts.teams.formation import Need
from tests import small_company
from tests.browser.test_every_page import MODES, troubles_of
from tests.experts.conftest import page as written

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def crew(company: dict[str, Any]) -> dict[str, Any]:
    """Ana and Ben know pumps, Ben alone knows seals, Cléo has begun to."""
    pages = [written(f"w{n}", "Ana Ferreira", "Ben Okafor", title=f"Pump {n}", topics=("Pumps",)) for n in range(4)]
    pages += [written(f"v{n}", "Ben Okafor", title=f"Seal {n}", topics=("Seals",)) for n in range(4)]
    pages += [written("c", "Cléo Martin", title="Seal", topics=("Seals",))]
    small_company.source_of("Workshop", pages)
    small_company.index()
    Availability.objects.create(person=company["ben"], hours_a_week=6, shows_time=True)
    return company


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_from_a_sentence_to_a_team_that_agrees(open_as: Open, crew: dict[str, Any], scripts: bool) -> None:
    page = open_as("cleo", java_script_enabled=scripts)
    page.goto("/teams/build")
    page.get_by_label("What is the job?").fill("Overhaul the pumps and their seals")
    page.get_by_role("button", name="Find people").click()
    expect(page.get_by_role("list", name="Topics").get_by_role("listitem")).to_have_count(2)
    table = page.get_by_role("table")
    expect(table.get_by_role("columnheader", name="Ben Okafor")).to_be_visible()
    expect(table.get_by_role("row", name=re.compile("Seals"))).to_contain_text("only Ben Okafor")
    page.get_by_label("Another topic").fill("Type approval")
    page.get_by_role("button", name="Show with these").click()
    expect(page.get_by_role("complementary")).to_contain_text("Type approval")
    page.get_by_role("button", name="Remove Type approval").click()
    expect(page.get_by_role("list", name="Topics").get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name=re.compile("^Ask these ")).click()
    expect(page.get_by_role("heading", name="Overhaul the pumps and their seals")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Ben Okafor"))).to_contain_text("not answered yet")
    address = page.url

    theirs = open_as("ben", java_script_enabled=scripts)
    theirs.goto(address)
    expect(theirs.get_by_text("Ana Ferreira")).to_have_count(0)
    theirs.get_by_role("button", name="Agree").click()
    expect(theirs.get_by_role("heading", name="You agreed")).to_be_visible()
    page.reload()
    expect(page.get_by_role("row", name=re.compile("Ben Okafor"))).to_contain_text("agreed")


def test_a_team_by_keys_alone(open_as: Open, crew: dict[str, Any]) -> None:
    page = open_as("cleo")
    page.goto("/teams/build")
    page.get_by_label("What is the job?").focus()
    page.keyboard.type("pumps and seals")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_role("button", name="Remove Seals").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Topics").get_by_role("listitem")).to_have_count(1)
    region = page.get_by_role("region", name=re.compile("Who covers what, scrolls"))
    region.focus()
    expect(region).to_be_focused()
    page.get_by_role("button", name=re.compile("Pumps: must be covered")).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name=re.compile("Pumps: nice to have"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Ask th")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Who was asked")).to_be_visible()


def test_a_mentorship_from_wish_to_meeting(open_as: Open, crew: dict[str, Any]) -> None:
    mentoring.offer(person=crew["ben"], topic="Seals", note="An hour at the rig")
    page = open_as("cleo")
    page.goto("/mentoring/?topic=Seals")
    expect(page.get_by_label("Topic").first).to_have_value("Seals")
    page.get_by_role("button", name="Wish for a mentor").click()
    match()
    page.reload()
    page.get_by_role("button", name="Yes, gladly").click()
    expect(page.get_by_text("has not answered yet")).to_be_visible()
    mentoring.confirm(mentorship=Mentorship.objects.get(), person=crew["ben"], yes=True)
    page.reload()
    page.get_by_label("Day and time").fill(f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Set the time").click()
    with page.expect_download() as file:
        page.get_by_role("link", name="Put it into my calendar").click()
    assert file.value.suggested_filename == "invitation.ics"
    page.get_by_text("End it", exact=True).first.click()
    page.get_by_role("button", name="End it").click()
    page.get_by_text("Look back in two sentences").click()
    page.get_by_label("Two sentences").fill("I change seals alone now. Next come bearings.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("You: “I change seals alone now. Next come bearings.”")).to_be_visible()


@pytest.fixture
def states(crew: dict[str, Any]) -> dict[str, str]:
    """Every page of teams and mentoring in a state that shows all of its parts."""
    cleo, ben, ana = crew["cleo"], crew["ben"], crew["ana"]
    needs = [Need("Pumps"), Need("Seals", critical=False)]
    mine = proposals.propose(
        owner=cleo, text="Overhaul", needs=needs, hours=2, places={ben: ["Pumps"], ana: ["Pumps"]}, ask=True
    )
    asked = proposals.propose(owner=ben, text="A rig", needs=needs, hours=2, places={cleo: ["Seals"]}, ask=True)
    proposals.answer(proposal=mine, person=ben, agree=True)
    for topic in ("Seals", "Pumps", "Bearings", "Valves"):
        mentoring.offer(person=ben, topic=topic)
        mentoring.wish(person=cleo, topic=topic, note="Because of the new rig")
    mentoring.offer(person=cleo, topic="Writing a log")
    match()
    rows = list(Mentorship.objects.order_by("name"))
    for row in rows[:3]:
        for person in (ben, cleo):
            mentoring.confirm(mentorship=row, person=person, yes=True)
    mentoring.meet(mentorship=rows[0], person=ben, at=timezone.now() + timedelta(days=2))
    mentoring.leave(mentorship=rows[1], person=ben)
    mentoring.look_back(mentorship=rows[1], person=ben, said="It went well.")
    topics = "&".join(f"must={topic.replace(' ', '+')}" for topic in ("Pumps", "Seals", "Type approval", "Maintenance"))
    return {
        "build, empty": "/teams/build",
        "build, a team": f"/teams/build?q=Overhaul&said=Overhaul&{topics}&nice=Inspection",
        "build, nobody": "/teams/build?must=Zymurgy",
        "build, what cannot be": f"/teams/build?q={'too+long+' * 60}&hours=many&most=99&add={'x' * 90}&must=Pumps",
        "build, many topics": "/teams/build?" + "&".join(f"must=Topic+{n}" for n in range(60)),
        "proposal, mine": mine.get_absolute_url(),
        "proposal, asked": asked.get_absolute_url(),
        "mentoring": "/mentoring/?topic=Seals",
    }


@pytest.mark.parametrize("mode", MODES)
def test_every_page_of_teams_and_mentoring(open_as: Open, states: dict[str, str], mode: dict[str, Any]) -> None:
    page = open_as("cleo", **mode)
    troubles = []
    for name, address in states.items():
        page.goto(address)
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        troubles += troubles_of(page, name)
    assert troubles == []
