"""Every example of docs/search.md is run: it finds what the page says, is read as it says, on both engines."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from knowledge import indexing
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.search import search
from tests import small_company

pytestmark = pytest.mark.django_db


def day(year: int, month: int = 1, date: int = 1) -> datetime:
    return datetime(year, month, date, 12, tzinfo=UTC)


ANA = (Contribution("Ana Kovač"),)
ROAD = ("How we work", "On the road")
HANDBOOK = [
    Document("leave", "Annual leave", "Book your leave in the calendar. Ask your lead first.", topics=("Working time",),
             updated=day(2026, 3)),
    Document("parental", "Parental leave", "Send the form. It is not annual leave.", updated=day(2024)),
    Document("sick", "When you are ill", "Sick leave needs no form. Get well.", updated=day(2025, 6)),
    Document("travel", "Travel", "Book the train yourself. Tickets are paid back.", contributions=ANA, crumbs=ROAD,
             updated=day(2026, 3), topics=("Money",)),
    Document("old-travel", "Travel, as it was", "Tickets on paper.", contributions=ANA, updated=day(2025, 12, 31)),
    Document("planner", "Leave planner", "Shows who is away.", kind="tool", updated=day(2023)),
    Document("course", "Leading people on leave", "Half a day. Planning ahead.", kind="course", updated=day(2022)),
    Document("ana", "Ana Kovač", "Rides trains.", kind="person", updated=day(2026)),
    Document("code", "Languages", "C++ and node.js are in use, version 10.2 at least.", updated=day(2021)),
    Document("error", "Printer", "When it says ERR_42 or ERR_7, wait.", updated=day(2020)),
]  # fmt: skip
WIKI = [Document("trains", "Railway", "About a train, and a book.", updated=day(2019))]

ALL_LEAVE = ["leave", "parental", "sick", "planner", "course"]
FOUND: dict[str, list[str]] = {
    "annual leave": ALL_LEAVE,
    '"annual leave"': ["leave", "parental"],
    "leave -parental": ["leave", "sick", "planner", "course"],
    'leave -"sick leave"': ["leave", "parental", "planner", "course"],
    "annual OR sick leave": ["leave", "parental", "sick"],
    '"sick leave" OR ticket': ["sick", "travel", "old-travel"],
    "plan*": ["planner", "course"],
    "leave -plan*": ["leave", "parental", "sick"],
    "title:leave": ["leave", "parental", "planner", "course"],
    'title:"annual leave"': ["leave"],
    "title:plan* OR title:travel": ["planner", "travel", "old-travel"],
    "leave kind:tool": ["planner"],
    "leave kind:tool kind:course": ["planner", "course"],
    'leave topic:"working time"': ["leave"],
    "travel source:handbook": ["travel", "old-travel"],
    'book in:"On the road"': ["travel"],
    "train in:handbook": ["travel", "ana"],
    'travel by:"Ana Kovač"': ["travel", "old-travel"],
    "travel after:2026-03": ["travel"],
    "travel before:2026": ["old-travel"],
    "travel after:2025 before:2026": ["old-travel"],
    "kind:person": ["ana"],
    "C++ node.js": ["code"],
    "ERR_42": ["error"],
    "10.2": ["code"],
    "ERR_*": ["error"],
    "who knows about trains": ["travel", "ana", "trains"],
    "ANA KOVAC": ["ana"],
    "after:2026": ["leave", "travel", "ana"],
    "after:2026-03": ["leave", "travel"],
    "after:2026-03-09": [],
}
"""What an example finds, in any order."""
FIRST = {"annual leave": "leave", "annual OR sick leave": "leave", "LÉAVE planners": "planner"}
SAID = {
    '"annual leave"': (("phrase", "‘annual leave’"),),
    'leave -"sick leave"': (("not", "‘sick leave’"),),
    "annual OR sick leave": (("any of", "annual, sick"),),
    "plan*": (("words that begin with", "plan…"),),
    "title:plan* OR title:travel": (("any of", "plan… in the title, travel in the title"),),
    "title:leave": (),
    "leave kind:tool": (),
}
NOT_UNDERSTOOD: dict[str, tuple[str, list[str]]] = {
    "leave after:soon": ("“after:soon” could not be read as a filter", ALL_LEAVE),
    "leave after:2026-02-30": ("“after:2026-02-30” could not be read as a filter", ALL_LEAVE),
    "leave kind:dragon": ("“kind:dragon” could not be read as a filter", ALL_LEAVE),
    "kind: tool": ("“kind:” has no value", []),
    "leave OR kind:tool": ("“OR” was searched as a word", ["planner"]),
    "leave NOT sick": ("“NOT” was searched as a word", ALL_LEAVE),
    "p*nner": ("“p*nner” was searched as words", []),
    "the of and": ("Nearly every text holds these words", ["code", "travel", "leave", "trains"]),
}


@pytest.fixture(params=["tantivy", "whoosh", pytest.param("opensearch", marks=pytest.mark.opensearch)])
def viewer(request: pytest.FixtureRequest, settings: LazySettings, make_person: Callable[..., Any]) -> Viewer:
    """Somebody who may read both sources, on each engine."""
    if request.param == "opensearch":
        request.getfixturevalue("on_opensearch")
    settings.SEARCH_ENGINE = request.param
    settings.IMMERSIVE_CONNECTORS = {"told": small_company.CONNECTOR}
    small_company.source_of("Handbook", HANDBOOK)
    small_company.source_of("Wiki", WIKI)
    indexing.index_changes()
    return Viewer.of(make_person("ben"))


def test_every_example_of_the_page_is_here(settings: LazySettings) -> None:
    text = (settings.BASE_DIR / "docs" / "search.md").read_text()
    part = text[text.index("## What you can type") : text.index("## How results are ordered")]
    examples = set(re.findall(r"`([^`]+)`", part)) - {"tests/test_docs_search.py"}
    assert examples == {*FOUND, *NOT_UNDERSTOOD}


def test_the_page_on_how_to_ask_shows_every_example_and_leads_to_its_search(
    client: Client, make_person: Callable[..., Any]
) -> None:
    assert client.get("/search/help").status_code == 302
    client.force_login(make_person("ben"))
    page = client.get("/search/help").content.decode()
    shown = {html.unescape(example) for example in re.findall(r"<code>(.*?)</code>", page)}
    assert {*FOUND, *NOT_UNDERSTOOD} <= shown
    links = re.findall(r'<a href="(/search\?q=[^"]+)"><code>(.*?)</code></a>', page)
    assert len(links) > 30
    for address, example in links:
        assert parse_qs(urlsplit(html.unescape(address)).query)["q"] == [html.unescape(example)]
    assert ".py" not in page, "nothing of the project's own files"
    for name in ("/", "/search", "/search?q=xylophone"):
        assert 'href="/search/help"' in client.get(name).content.decode(), name


def test_the_examples_find_what_the_page_says(viewer: Viewer) -> None:
    for text, wanted in FOUND.items():
        page = search(text, viewer)
        assert sorted(result.resource.key for result in page.results) == sorted(wanted), text
        assert (page.total, page.notice) == (len(wanted), ""), text
    for text, first in FIRST.items():
        assert search(text, viewer).results[0].resource.key == first, text


def test_the_page_says_how_signs_were_read(viewer: Viewer) -> None:
    for text, said in SAID.items():
        assert search(text, viewer).read_as == said, text


def test_what_is_not_understood_is_searched_as_words_and_said(viewer: Viewer) -> None:
    for text, (notice, wanted) in NOT_UNDERSTOOD.items():
        page = search(text, viewer)
        assert page.notice.startswith(notice), text
        assert {result.resource.key for result in page.results} >= set(wanted), text
