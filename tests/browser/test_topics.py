"""Topics, their followers, a newcomer's page and a curator's file in a real browser: by keys, by axe, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from playwright.sync_api import Page, expect

from experts import communities
from experts.asking.asks import Ask
from experts.communities import Follow
from experts.models import Membership, Team
from knowledge.frameworks import import_framework
from knowledge.models import Audience, Resource, Topic
from tests import small_company
from tests.browser.test_every_page import MODES, look

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
CSV = """code,name,description,other names,parent,levels
F,Plant,All of it.,,,
F1,Pumps,They lift.,Lifters,F,Working: primes one | Leading: teaches it
F2,Fans,They blow.,,F,
"""


@pytest.fixture
def circle(company: dict[str, Any]) -> dict[str, Any]:
    """Pumps have a description, followers, a question and news; Cléo is new in Ana's team; Ben is a curator."""
    import_framework(data=CSV.encode(), file_name="a.csv", name="Plant skills", attribution="Invented, CC BY 4.0")
    for name in ("ana", "ben"):
        communities.follow(person=company[name], key="pumps", name="Pumps", shown=name == "ben")
    earlier = timezone.now() - timedelta(days=40)
    Follow.objects.update(visited_at=earlier, at=earlier)
    Resource.objects.exclude(key="seal").update(first_seen_at=earlier - timedelta(days=1))
    ask = Ask.objects.create(
        author=company["ben"], text="Why does P-102 hum?", audience=Audience.objects.of(["everyone"])
    )
    ask.topics.set(Topic.objects.filter(slug="pumps"))
    Membership.objects.update(since=timezone.now() - timedelta(days=400))
    Membership.objects.create(person=company["cleo"], team=Team.objects.get(name="Operations"))
    rights = Permission.objects.filter(content_type__model="framework")
    company["ben"].user_permissions.set(rights)
    small_company.index()
    return company


@pytest.mark.parametrize("mode", MODES)
def test_every_page_of_topics(open_as: Open, circle: dict[str, Any], mode: dict[str, Any]) -> None:
    ana, cleo, ben = (open_as(name, **mode) for name in ("ana", "cleo", "ben"))
    troubles = [
        *look(ana, "topics", "/topics/"),
        *look(ana, "topics, some", "/topics/?q=pum"),
        *look(ana, "topics, none", "/topics/?q=xylophone"),
        *look(ana, "topic, with news", "/topics/pumps/"),
        *look(ana, "topic, of a framework", "/topics/fans/"),
        *look(cleo, "topic, not followed", "/topics/pumps/"),
        *look(cleo, "home of a newcomer", "/"),
        *look(cleo, "where to begin", "/people/welcome/"),
        *look(ben, "in no team", "/people/welcome/"),
        *look(ben, "a framework's file", "/frameworks/bring"),
    ]
    assert troubles == []


def test_a_topic_is_followed_by_keys_and_kept_to_oneself(open_as: Open, circle: dict[str, Any]) -> None:
    page = open_as("cleo")
    page.goto("/topics/pumps/")
    expect(page.get_by_text("Why does P-102 hum?")).to_be_visible()
    expect(page.get_by_role("complementary")).to_contain_text("Invented, CC BY 4.0")
    page.get_by_role("button", name="Follow", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Following")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Keep it to yourself").press("Enter")
    expect(page.get_by_text("Only you know that you follow this")).to_be_visible()
    assert not Follow.objects.get(person=circle["cleo"]).shown
    page.get_by_role("button", name="Following").press("Enter")
    expect(page.get_by_role("button", name="Follow", exact=True)).to_be_visible()


def test_news_show_once_and_names_are_offered_while_typing(open_as: Open, circle: dict[str, Any]) -> None:
    page = open_as("ana")
    page.goto("/topics/")
    page.get_by_role("link", name=re.compile(r"Pumps \d new")).click()
    expect(page.get_by_role("heading", name="New since your last visit")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Pumps").first).to_be_visible()
    expect(page.get_by_role("heading", name="New since your last visit")).to_have_count(0)
    page.goto("/people/me/")
    page.get_by_label("A topic that you know").press_sequentially("fan", delay=20)
    expect(page.locator("datalist option[value=Fans]")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_newcomer_ticks_off_what_they_have_met(open_as: Open, circle: dict[str, Any], scripts: bool) -> None:
    page = open_as("cleo", java_script_enabled=scripts)
    page.goto("/")
    page.get_by_role("link", name="The people, pages, tools and topics to meet first").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where to begin in Operations")
    page.get_by_role("button", name="Tick off Ana Ferreira").click()
    expect(page.get_by_role("button", name="take the tick of Ana Ferreira back")).to_be_visible()


def test_a_curator_looks_at_a_file_before_bringing_it_in(open_as: Open, circle: dict[str, Any], tmp_path: Path) -> None:
    page, file = open_as("ben"), tmp_path / "skills.csv"
    file.write_text(f"{CSV}F3,,,,,\n")
    page.goto("/frameworks/bring")
    page.get_by_label("Name").fill("Skills")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("3 new, 0 changed, 0 the same, 0 gone")).to_be_visible()
    expect(page.get_by_text("Line 5: It has no name: fill it in.")).to_be_visible()
    page.get_by_role("button", name="Bring it in").click()
    expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    expect(page.get_by_text("Skills", exact=True)).to_be_visible()
