"""Did you mean: in words that this viewer's documents hold, never in others, and never into nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from knowledge import index, spelling
from knowledge.access import Viewer
from knowledge.documents import Document, ResultPage, Scope
from knowledge.models import Search
from knowledge.search import search
from tests import small_company
from tests.small_company import source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(settings: LazySettings, make_person: Any) -> dict[str, Any]:
    """Ana may read what is of operations only; Cléo may not."""
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    people = {name: make_person(name, name=name.title()) for name in ("ana", "ben", "cleo")}
    small_company.build(people)
    small_company.index()
    return people


def found(text: str, person: Any, **options: Any) -> ResultPage:
    return search(text, Viewer.of(person), **options)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hydrualics", "hydraulics"),
        ("cavitatoin", "cavitation"),
        ("Hydrualics!", "hydraulics!"),
        ("'hydrualics'...", "'hydraulics'..."),
        ("hydrualics " + "." * 15_000, "hydraulics " + "." * 15_000),
        ("mechancial kind:page", "mechanical kind:page"),
        ('"mechancial seal"', '"mechanical seal"'),
        ('"feed pmup"', '"feed pump"'),
        ("shifthandover", "shift handover"),
        ("mechancial OR hydrualics", "mechanical OR hydraulics"),
        ("mechancial sea*", "mechanical sea*"),
    ],
)
def test_what_finds_nothing_is_searched_for_as_it_was_meant(people: dict[str, Any], typed: str, meant: str) -> None:
    page = found(typed, people["ana"])
    assert (page.did_you_mean, page.instead_of) == (meant, typed)
    assert page.results
    assert page.total == found(meant, people["ana"]).total
    assert page.query == found(meant, people["ana"]).query
    again = found(typed, people["ana"], as_typed=True)
    assert (again.results, again.did_you_mean, again.instead_of) == ((), meant, "")


def test_what_finds_something_is_left_as_it_is_and_offered_otherwise(people: dict[str, Any]) -> None:
    page = found("pump hydrualics", people["ana"])
    assert (page.did_you_mean, page.instead_of) == ("pump hydraulics", "")
    assert page.total > 1
    assert page.query.text == "pump hydrualics"


@pytest.mark.parametrize("text", ["pump", "pumps hydraulic", "xylophone", "zzzzzzzz", "pmp", "the and", "-hydrualics"])
def test_words_that_are_right_or_like_nothing_are_left_alone(people: dict[str, Any], text: str) -> None:
    page = found(text, people["ana"])
    assert (page.did_you_mean, page.instead_of) == ("", "")


def test_words_of_another_language_are_not_looked_up_without_end(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look-up is up to twenty questions to the index: sixty words that nothing is like must not be slow."""
    engine: Any = index.open_for_reading()
    looked_up: list[str] = []
    similar = engine.similar

    def counting(word: str, scope: Scope) -> Any:
        looked_up.append(word)
        return similar(word, scope)

    monkeypatch.setattr(engine, "similar", counting)
    strange = [f"zvq{one}{two}xkw" for one in "aeiou" for two in "aeiouy"]
    assert found(" ".join(strange), people["ana"]).did_you_mean == ""
    assert looked_up == strange[: spelling.MOST]
    assert found(" ".join([*strange[:3], "hydrualics"]), people["ana"]).did_you_mean.endswith(" hydraulics")


def test_it_never_leads_to_nothing(people: dict[str, Any]) -> None:
    for text in ("hydrualics kind:video", "hydrualics after:2090", "hydrualics source:nowhere", "hydrualics -pump"):
        page = found(text, people["ana"])
        assert (page.did_you_mean, page.instead_of, page.results) == ("", "", ()), text


def test_only_words_that_the_viewer_may_read_are_suggested(people: dict[str, Any]) -> None:
    assert found("salaery", people["ana"]).did_you_mean == "salary"
    assert found("salaery", people["cleo"]).did_you_mean == ""
    assert found("operatinos", people["cleo"]).did_you_mean == ""
    assert found("operatinos", people["ana"]).did_you_mean == "operations"


@pytest.mark.parametrize("engine", ["tantivy", "whoosh"])
def test_hidden_documents_change_no_suggestion(settings: LazySettings, people: dict[str, Any], engine: str) -> None:
    """However often hidden documents hold words like the one typed, or the misspelled one itself."""
    settings.SEARCH_ENGINE = engine
    small_company.index()
    open_pages = [
        Document("a", "Valves", "A valve. A valve."),
        Document("b", "Valued", "A value that is calibrated once."),
    ]
    source_of("Open", open_pages)
    small_company.index()
    asked = ["vlave", "valeu", "calibraetd", "calibrade", "vaulve", "valvula"]
    before = [found(text, people["cleo"]) for text in asked]
    hidden = [Document(f"h{n}", "Vale value", "value vale vaulve valvular calibrade " * 5) for n in range(40)]
    source_of("Board", hidden, audience=[f"person:{people['ana'].pk}"])
    small_company.index()
    after = [found(text, people["cleo"]) for text in asked]
    told = [(page.did_you_mean, page.instead_of, page.total) for page in before]
    assert [(page.did_you_mean, page.instead_of, page.total) for page in after] == told
    assert told[0][0] == "valve"
    assert told[2][0] == "calibrated"


def test_a_withdrawn_right_takes_its_words_along(people: dict[str, Any]) -> None:
    from knowledge.models import Audience, Resource

    assert found("salaery", people["ana"]).did_you_mean == "salary"
    Resource.objects.filter(title__startswith="Salary").update(audience=Audience.objects.of(["team:0"]))
    assert found("salaery", people["ana"]).did_you_mean == ""


def test_the_page_says_so_and_offers_what_was_typed(people: dict[str, Any]) -> None:
    client = Client()
    client.force_login(people["ana"])
    text = client.get("/search", {"q": "hydrualics <b>"}).content.decode()
    assert "Nothing matched what you typed" in text
    assert 'href="?q=hydrualics%20%3Cb%3E&amp;typed=1"' in text
    assert 'name="q" value="hydraulics &lt;b&gt;"' in text
    text = client.get("/search", {"q": "hydrualics", "typed": "1"}).content.decode()
    assert "Nothing found for “hydrualics”" in text
    assert 'Did you mean <a href="?q=hydraulics"><b>hydraulics</b></a>?' in text
    told = client.get("/api/v1/search", {"q": "hydrualics"}).json()
    assert (told["did_you_mean"], told["instead_of"]) == ("hydraulics", "hydrualics")
    assert told["total"] == 1
    assert client.get("/api/v1/search", {"q": "hydrualics", "as_typed": "true"}).json()["total"] == 0


def test_what_is_remembered_is_what_was_searched_for(people: dict[str, Any]) -> None:
    found("hydrualics", people["ana"])
    assert Search.objects.get(person=people["ana"]).text == "hydraulics"


def test_another_spelling_asks_the_database_nothing_more(people: dict[str, Any]) -> None:
    viewer = Viewer.of(people["ana"])
    counts = []
    for text in ("hydraulics", "hydrualics", "pump hydrualics"):
        search(text, viewer, remember=False)
        with CaptureQueriesContext(connection) as asked:
            search(text, viewer, remember=False)
        counts.append(len(asked))
    assert counts == [counts[0]] * 3
