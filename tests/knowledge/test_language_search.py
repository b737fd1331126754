"""The query language from a text to a page: what is marked, what a place is, what answers without an index."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from experts.models import Team
from knowledge import indexing
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document, ResultPage
from knowledge.search import BUILDING, search
from tests.small_company import CONNECTOR, days_ago, source_of

pytestmark = pytest.mark.django_db

GUIDE = [
    Document("deploy", "Deploying", "Deployments happen on Fridays.", crumbs=("Operations", "Café & kitchen"),
             updated=days_ago(2)),
    Document("release", "Release notes", "What was released, and a deployment plan.", crumbs=("Operations",),
             topics=("Notes",), updated=days_ago(3)),
    Document("feed", "Feed pump", "The feed pump. A kettle.", contributions=(Contribution("Ana Kovač"),),
             updated=days_ago(900)),
]  # fmt: skip
BOARD = [Document("secret", "Deploycrats", "Deploycrats deploycrat.", crumbs=("Boardroom",), topics=("Notes",))]


@pytest.fixture
def ana(settings: LazySettings, make_person: Callable[..., Any]) -> Viewer:
    """Somebody who may read the guide, not the papers of the board."""
    settings.IMMERSIVE_CONNECTORS = {"told": CONNECTOR}
    board = Team.objects.create(name="Board", slug="board")
    source_of("guide", GUIDE)
    source_of("papers", BOARD, audience=(f"team:{board.pk}",))
    indexing.index_changes()
    make_person("director", teams=(board,))
    return Viewer.of(make_person("ana"))


@pytest.fixture
def director(ana: Viewer, django_user_model: Any) -> Viewer:
    return Viewer.of(django_user_model.objects.get(username="director"))


def keys(page: ResultPage) -> list[str]:
    return sorted(result.resource.key for result in page.results)


def test_what_a_beginning_stands_for_is_marked(ana: Viewer) -> None:
    page = search("deploy*", ana)
    assert {result.resource.key: result.title for result in page.results}["deploy"] == "<mark>Deploying</mark>"
    assert "<mark>Deployments</mark>" in " ".join(result.passage for result in page.results)


def test_a_beginning_stands_for_what_the_viewer_may_read(ana: Viewer, director: Viewer) -> None:
    assert keys(search("deployc*", ana)) == []
    assert keys(search("deployc*", director)) == ["secret"]
    assert keys(search("deploy* OR kettle", ana)) == ["deploy", "feed", "release"]


def test_a_place_is_a_section_or_a_source_in_any_spelling(ana: Viewer, director: Viewer) -> None:
    assert keys(search("in:operations", ana)) == ["deploy", "release"]
    assert keys(search('in:"CAFE kitchen"', ana)) == ["deploy"]
    assert keys(search("in:Guide", ana)) == ["deploy", "feed", "release"]
    assert keys(search("in:guide notes", ana)) == ["release"]
    assert keys(search("source:GUIDE notes", ana)) == ["release"]
    for hidden in ("papers", "Boardroom", "nowhere"):
        page = search(f"in:{hidden}", ana)
        assert (page.total, page.notice, keys(page)) == (0, "", [])
    assert keys(search("in:papers", director)) == keys(search("in:boardroom", director)) == ["secret"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("who knows about the feed pump", ["feed"]),
        ('"feed pump"', ["feed"]),
        ('"feed kettle"', []),
        ("deploy* OR pump", ["deploy", "feed"]),
        ("notes OR pump -release", ["feed"]),
        ('notes OR pump -"release notes"', ["feed"]),
        ("title:notes", ["release"]),
        ("deploy* OR notes -deploy*", ["release"]),
        ("in:operations", ["deploy", "release"]),
        ("in:guide by:ana", ["feed"]),
        ("in:papers", []),
        ("deployc*", []),
        ("topic:notes", ["release"]),
        ("kind:page before:2025", ["feed"]),
        ("\u6771\u4eac\u90fd OR pump", ["feed"]),
    ],
)
def test_titles_alone_are_asked_in_the_same_language(
    ana: Viewer, settings: LazySettings, text: str, wanted: list[str]
) -> None:
    """While there is no index the database reads the same tree."""
    shutil.rmtree(settings.INDEX_DIR)
    page = search(text, ana)
    assert page.notice.startswith(BUILDING)
    assert keys(page) == wanted


def test_the_api_says_how_a_text_was_read(ana: Viewer, client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.get(username="ana"))
    told = client.get("/api/v1/search", {"q": '"feed pump" -kettle'}).json()
    assert told["read_as"] == [{"sign": "phrase", "said": "‘feed pump’"}, {"sign": "not", "said": "kettle"}]
    assert told["total"] == 0
