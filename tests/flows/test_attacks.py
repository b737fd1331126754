"""What somebody tried who wanted to be told more than they may read, or to make others wait: each was found to work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.conf import LazySettings

from experts.models import Person, Team
from knowledge.access import Viewer
from knowledge.connectors.live import _text
from knowledge.curated import MOST_PINS
from knowledge.documents import EVERYONE, Document, IndexDocument, ResultPage, Scope
from knowledge.edition import Pin
from knowledge.index import tantivy_engine
from knowledge.models import Audience, Resource
from knowledge.outline import Fence, fences
from knowledge.reader import render
from knowledge.search import search
from knowledge.units import units
from tests import small_company


@dataclass
class House:
    """A page of everyone's, papers of the board, and somebody who is not on the board."""

    open: Resource
    papers: list[Resource]
    insider: Person
    outsider: Person


@pytest.fixture
def house(settings: LazySettings, make_person: Callable[..., Any]) -> House:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    board = Team.objects.create(name="Board", slug="board")
    insider, outsider = make_person("ina", teams=(board,)), make_person("otto")
    papers = [Document(f"paper-{n}", f"Paper {n}", f"The sale, part {n}.") for n in range(MOST_PINS + 1)]
    small_company.source_of("Board", papers, audience=[f"team:{board.pk}"])
    small_company.source_of("Open", [Document("pump", "Vesta", "Vesta is a pump, and this says how to prime it.")])
    small_company.index()
    rows = {row.key: row for row in Resource.objects.all()}
    return House(rows.pop("pump"), list(rows.values()), insider, outsider)


def scores(page: ResultPage) -> list[tuple[Any, ...]]:
    return [(result.resource.key, result.score, result.reasons, result.why) for result in page.results]


# Pins -----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("hidden", [1, MOST_PINS + 1])
def test_a_pin_says_nothing_of_hidden_pages_that_are_pinned_to_the_same_words(house: House, hidden: int) -> None:
    """The first pin of a query adds more than the second: its score told how many hidden pages stand before it."""
    Pin.objects.create(words="vesta", resource=house.open, place=2)
    viewer = Viewer.of(house.outsider)
    before = scores(search("vesta", viewer, explain=True, remember=False))
    for paper in house.papers[:hidden]:
        Pin.objects.create(words="vesta", resource=paper, place=1)
    assert before[0][3].pinned
    assert scores(search("vesta", viewer, explain=True, remember=False)) == before
    told = search("vesta", Viewer.of(house.insider), explain=True, remember=False)
    assert [result.why.pinned for result in told.results] == [True] * min(hidden + 1, MOST_PINS)


@pytest.mark.django_db
def test_the_index_is_asked_as_often_whether_or_not_a_hidden_page_is_pinned(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question more took half a millisecond: enough to tell, in seven of ten pairs, which words had hidden pins."""
    engine, asked = tantivy_engine.TantivyEngine, list[int]()
    fetch = engine.fetch

    def noted(self: Any, keys: Iterable[str], *more: Any) -> Any:
        keys = list(keys)
        asked.append(len(keys))
        return fetch(self, keys, *more)

    monkeypatch.setattr(engine, "fetch", noted)
    viewer = Viewer.of(house.outsider)
    told = []
    for words in ("something else", "vesta"):
        Pin.objects.all().delete()
        Pin.objects.create(words=words, resource=house.papers[0])
        search("vesta", viewer, remember=False)
        told.append(list(asked))
        asked.clear()
    assert told == [[1], [1]]


# What was everyone's until now ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_word_that_only_a_withdrawn_page_holds_is_a_slip_from_the_next_request_on(house: House) -> None:
    """Before the index has followed, too: that nothing was suggested told that some page holds the word."""
    documents = [Document("now", "Kept", "about the vestaproject"), Document("then", "Gone", "about the vestaprojext")]
    small_company.source_of("More", documents)
    small_company.index()
    viewer = Viewer.of(house.outsider)
    assert not search("vestaprojext", viewer, remember=False).instead_of
    Resource.objects.filter(key="then").update(audience=Audience.objects.of(["team:0"]))
    found = search("vestaprojext", viewer, remember=False)
    assert (found.instead_of, found.did_you_mean) == ("vestaprojext", "vestaproject")


# Time -----------------------------------------------------------------------------------------------------------------


def test_words_of_hidden_documents_are_not_counted_where_one_was_misspelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a word that one may read, one of a hidden document took a count more: 5 % of the time (an area of .61)."""
    one = IndexDocument("0" * 31 + "1", 1, "page", "Open", "about vestaprojex", frozenset({EVERYONE}), True)
    hidden = replace(one, key="0" * 31 + "2", body="about vestaproject", audience=frozenset({"team:1"}), public=False)
    engine = tantivy_engine.TantivyEngine(None)
    engine.write([one, hidden])
    counted: list[str] = []
    term = tantivy_engine._term

    def noted(field: str, value: str) -> Any:
        counted.append(value)
        return term(field, value)

    monkeypatch.setattr(tantivy_engine, "_term", noted)
    assert engine.similar("vestaprojec", Scope(frozenset({1}), frozenset({EVERYONE}))) == {"vestaprojex": 1}
    assert counted == ["vestaprojex"]
    everything = Scope(frozenset({1}), frozenset({EVERYONE, "team:1"}))
    assert engine.similar("vestaprojec", everything) == {"vestaprojex": 1, "vestaproject": 1}


# Texts that are built to take time ------------------------------------------------------------------------------------


class Counted(list[Fence]):
    """Counts how often somebody looks at one of them."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        self.looks += 1
        return super().__getitem__(at)

    def __iter__(self) -> Any:
        for fence in super().__iter__():
            self.looks += 1
            yield fence


def test_thousands_of_blocks_of_code_are_not_gone_through_for_each_of_them() -> None:
    """A body of 40,000 took every search that found it half a minute."""
    block = "```\ndeploy\n```\n\n"
    body = block * 5000
    code = Counted(fences(body))
    at = len(block) * 2500
    assert [unit.raw for unit in units(body, at, at + len(block), code)] == ["deploy\n"]
    assert code.looks < 50


def test_a_body_that_is_all_ends_of_pages_is_shown_as_it_is_written() -> None:
    """As Markdown each of them is a paragraph: four seconds for each reader."""
    assert render("\f" * 100_000).html.startswith("<pre")
    assert "page-mark" in render("one\ftwo" * 100).html


def test_what_a_service_opens_and_never_closes_is_looked_through_once() -> None:
    """No clock: a megabyte of these took the web process three seconds after the deadline had gone by."""
    assert {_text("<script>" * 2500) for _ in range(50)} == {""}
    assert _text("One<script>two</script>three<style>four</style>") == "One three"
