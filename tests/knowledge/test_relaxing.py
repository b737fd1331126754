"""What a search would find with less asked for, and which part was too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from experts.models import Team
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.index.language import parse
from knowledge.relaxing import Relaxed, relaxed
from knowledge.search import search
from tests import small_company
from tests.small_company import days_ago, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(settings: LazySettings, make_person: Callable[..., Any]) -> Viewer:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    pages = [
        Document("prime", "Priming a pump", "Fill the casing first.", topics=("Pumps",), updated=days_ago(900)),
        Document("seal", "Changing a seal", "Mark the collar.", topics=("Seals",), updated=days_ago(3)),
    ]
    source_of("Handbook", pages)
    board = Team.objects.create(name="Board", slug="board")
    secret = Document("secret", "Xylophone", "Of the board.", kind="tool")
    source_of("Board papers", [secret], audience=[f"team:{board.pk}"])
    small_company.index()
    return Viewer.of(make_person("ana"))


def less(text: str, viewer: Viewer) -> Relaxed | None:
    query = parse(text)
    assert search(query, viewer, remember=False, as_typed=True).total == 0, "there is something to relax"
    return relaxed(query, viewer)


@pytest.mark.parametrize(
    ("text", "left_out", "finds"),
    [
        ("pump kind:tool", ("kind: tool",), "prime"),
        ('"casing pump"', ("“casing pump” word for word",), "prime"),
        ("seal -collar", ("not collar",), "seal"),
        ("pump topic:seals kind:page", ("topic: seals",), "prime"),
        ("pump topic:seals kind:tool", ("kind: tool", "topic: seals"), "prime"),
        ('"casing pump" kind:tool', ("“casing pump” word for word", "kind: tool"), "prime"),
        ("title:casing", ("title: casing",), "prime"),
        ("seal source:archive", ("source: archive",), "seal"),
    ],
)
def test_the_least_that_stands_in_the_way_is_left_out_and_named(
    ana: Viewer, text: str, left_out: tuple[str, ...], finds: str
) -> None:
    found = less(text, ana)
    assert found is not None
    assert found.left_out == left_out
    assert [result.resource.key for result in found.found.results] == [finds]
    again = search(found.text, ana, remember=False)
    assert [result.resource.key for result in again.results] == [finds], "its text finds the same"


def test_dates_are_named_as_people_write_them(ana: Viewer) -> None:
    found = less(f"pump after:{days_ago(10):%Y-%m-%d}", ana)
    assert found is not None
    assert found.left_out == (f"after: {days_ago(10):%-d %B %Y}",)


@pytest.mark.parametrize("text", ["zebra", "zebra kind:tool", "kind:course", "xylophone", "xylophone kind:page"])
def test_there_is_no_way_on_where_nothing_helps_or_only_what_is_hidden(ana: Viewer, text: str) -> None:
    assert less(text, ana) is None
