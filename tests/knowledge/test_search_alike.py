"""Results that say nearly the same stand under one: counted, confirmed and paged like all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from experts.models import Team
from knowledge import search as searching
from knowledge.access import Viewer
from knowledge.documents import Document, ResultPage
from knowledge.models import Audience, Resource
from knowledge.search import search
from tests import small_company
from tests.small_company import source_of

pytestmark = pytest.mark.django_db

TEXT = (
    "Close the discharge valve, open the vent, and fill the casing until water runs without bubbles. Isolate the "
    "motor and hang your own tag. Read the level in the suction tank: below forty percent the pump loses its prime "
    "again. Turn the shaft by hand, two full turns, then fill once more and write the filling time into the log. "
    "Nine times out of ten a pump that loses its prime overnight has a leaking foot valve."
)


@pytest.fixture
def board(db: None) -> Team:
    return Team.objects.create(name="Board", slug="board")


@pytest.fixture
def company(settings: LazySettings, board: Team) -> None:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    others = [
        Document(f"other-{n}", f"Pump {n}", " ".join(f"word{n}x{at}" for at in range(30)) + " pump") for n in range(14)
    ]
    copies = [Document(f"copy-{n}", "Priming a pump", TEXT + f" Edition {n}.") for n in range(3)]
    source_of("Handbook", [*copies, *others])
    source_of("Board papers", [Document("secret", "Priming a pump", TEXT)], audience=[f"team:{board.pk}"])
    small_company.index()


@pytest.fixture
def ana(company: None, make_person: Callable[..., Any]) -> Viewer:
    return Viewer.of(make_person("ana"))


@pytest.fixture
def director(company: None, make_person: Callable[..., Any], board: Team) -> Viewer:
    return Viewer.of(make_person("director", teams=(board,)))


def groups(page: ResultPage) -> list[list[str]]:
    return [[result.resource.key, *(one.resource.key for one in result.similar)] for result in page.results]


def test_copies_stand_under_the_best_and_are_counted(ana: Viewer) -> None:
    page = search("priming pump casing", ana)
    assert sorted(groups(page)[0]) == ["copy-0", "copy-1", "copy-2"]
    assert page.total == 17
    assert page.pages == 2
    assert len(page.results) == 10, "a page holds ten after folding"


def test_pages_hold_everything_once(ana: Viewer) -> None:
    shown = [key for number in (1, 2) for group in groups(search("pump", ana, page=number)) for key in group]
    assert len(shown) == len(set(shown)) == search("pump", ana).total == 17
    assert groups(search("pump", ana, page=2)) == groups(search("pump", ana, page=2))


def test_only_what_the_viewer_may_read_is_folded(ana: Viewer, director: Viewer) -> None:
    assert "secret" not in str(groups(search("priming pump casing", ana)))
    assert len(groups(search("priming pump casing", ana))[0]) == 3
    assert "secret" in groups(search("priming pump casing", director))[0]
    assert search("pump", director).total == search("pump", ana).total + 1


@pytest.mark.parametrize("lost", [0, 1])
def test_what_is_withdrawn_meanwhile_is_gone_and_the_next_stands_for_the_others(
    ana: Viewer, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    before = groups(search("priming pump casing", ana))[0]
    retrieve = searching.retrieve

    def retrieve_then_narrow(*args: Any, **more: Any) -> Any:
        found = retrieve(*args, **more)
        Resource.objects.filter(key=before[lost]).update(audience=Audience.objects.of(["team:0"]))
        return found

    monkeypatch.setattr(searching, "retrieve", retrieve_then_narrow)
    page = search("priming pump casing", ana)
    assert groups(page)[0] == [key for key in before if key != before[lost]]
    assert page.total == 16
