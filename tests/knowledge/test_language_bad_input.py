"""What nobody would type on purpose is answered with bounded work, in clear words and without a fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape, unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.test import Client

from knowledge import index
from knowledge.documents import Query, Term
from knowledge.index.asked import MOST_BEGINNINGS, MOST_WORDS, asked_words, expanded
from knowledge.index.language import MAX_PREFIXES, MAX_VALUES, MAX_WORDS, SHOWN, parse, plain, read_as, reading, to_text
from tests import small_company

LONG = f"This is a long search: its first {MAX_WORDS} words"
NO_WORD = "There is no word in this search."

BAD: dict[str, tuple[str, str]] = {
    "ten thousand characters of one word": ("x" * 10_000, ""),
    "ten thousand characters of words": (" ".join(f"pump{n}" for n in range(1500))[:10_000], LONG),
    "one word two thousand times": ("pump " * 2000, LONG),
    "more than is read": ("pump " + "?" * 20_000, ""),
    "only punctuation": ("?! ... --- ;:,. «» ()[]{} %&/", NO_WORD),
    "only common words": ("the of and to a in", "Nearly every text holds these words"),
    "five hundred OR": (" OR ".join(f"pump{n}" for n in range(501)), LONG),
    "nothing but OR": ("OR " * 500, "“OR” was searched as a word"),
    "quotes in quotes": ('"feed "pump" "valve "" seal" "\'end\'"', ""),
    "five thousand quotes": ('"' * 5001, NO_WORD),
    "a right-to-left override": ("\u202eevlav\u202c pump \u2066x\u2069", ""),
    "emoji": ("🎉🎈👩‍🔧", NO_WORD),
    "emoji and a word": ("pump 🎉", ""),
    "zero width": ("\u200bfe\u200bed\u200d pu\ufeffmp\u2060", ""),
    "control characters": ("pump\x00\x1b[31m\x07", ""),
    "two hundred stars": ("*" * 200, NO_WORD),
    "two hundred beginnings": (" ".join(f"p{chr(97 + n % 26)}{n}*" for n in range(200)), "was searched as a word"),
    "one beginning of one letter": ("p*", "was searched as words"),
    "an operator without a value": ("kind:", "“kind:” has no value"),
    "operators without values": ("kind: topic: source: by: in: title: after: before:", "“kind:” has no value"),
    "a day that there is not": ("after:2026-02-30", "“after:2026-02-30” could not be read as a filter"),
    "a thousand values": (" ".join(f"topic:t{n}" for n in range(1000)), LONG),
    "a value of five thousand characters": (f"topic:{'x' * 5000}", ""),
    "a regular expression": (r"/^(pump|valve)[0-9]{2,}.*$/", "was searched as words"),
    "a slow regular expression": ("(a+)+$ " + "a" * 3000 + "!", ""),
    "SQL": ("' OR 1=1; DROP TABLE knowledge_resource; --", "“OR” was searched as a word"),
    "SQL of a union": ("1 UNION SELECT password FROM experts_person WHERE name LIKE '%a%'", ""),
    "an engine's own syntax": ("title:[a TO z] AND body:pump~2^3 +must {!func}", ""),
    "HTML": ("<script>alert(1)</script><img src=x onerror=alert(2)> pump", ""),
    "a template": ("{{ 7*7 }} {% debug %} ${jndi:ldap://x}", "“7*7” was searched as words"),
    "halves of characters": ("pump \ud800 \udfff", ""),
    "every minus": ("- -- --- -pump −−valve -" + "-" * 3000, ""),
    "percent signs": ("%00%0a%u202e %", ""),
}


def size(terms: Iterable[Term]) -> int:
    return sum(len(term.text.split()) for term in terms)


@pytest.mark.parametrize("name", BAD)
def test_reading_is_bounded_and_said(name: str) -> None:
    text, said = BAD[name]
    query = parse(text)
    assert said in reading(query) if said else reading(query) == ""
    words = len(query.words) + len(query.not_words) + sum(len(phrase.text.split()) for phrase in query.phrases)
    assert words + size(term for choice in query.choices for term in choice.terms) <= MAX_WORDS
    assert sum(term.form == "prefix" for choice in query.choices for term in choice.terms) <= MAX_PREFIXES
    for values in (query.kinds, query.topics, query.sources, query.people, query.places):
        assert len(values) <= MAX_VALUES
    assert len(read_as(query)) <= SHOWN + 1
    assert max((len(what) for _, what in read_as(query)), default=0) < 1000
    assert len(to_text(query)) < 10_000
    assert parse(to_text(query)) == parse(parse(to_text(query)).text)
    assert read_as(parse(plain(text))) == ()


def test_what_an_engine_and_ranking_do_is_bounded(settings: LazySettings) -> None:
    """However many words begin so, and however many of them an engine would tell."""

    class Generous:
        def beginning(self, prefix: str, scope: Any, *, limit: int, title: bool = False) -> tuple[str, ...]:
            assert limit == MOST_BEGINNINGS
            return tuple(f"{prefix}{n}" for n in range(limit))

    for text, _ in BAD.values():
        asked = expanded(parse(text), Generous(), None)  # type: ignore[arg-type]
        assert (
            size(term for choice in asked.choices for term in choice.terms)
            <= MAX_WORDS + MAX_PREFIXES * MOST_BEGINNINGS
        )
        assert len(asked_words(asked)) <= MOST_WORDS
        assert all(term.form != "prefix" for choice in asked.choices for term in choice.terms)


# Over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture(
    params=[
        "tantivy",
        pytest.param("whoosh", marks=pytest.mark.slow),
        pytest.param("opensearch", marks=pytest.mark.opensearch),
    ]
)
def ana(
    request: pytest.FixtureRequest,
    settings: LazySettings,
    client: Client,
    make_person: Callable[..., Any],
    django_capture_on_commit_callbacks: Any,
) -> Client:
    """Signed in, with a small company's pages to search on each engine."""
    if request.param == "opensearch":
        request.getfixturevalue("on_opensearch")
    settings.SEARCH_ENGINE = request.param
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    people = {name: make_person(name, name=name.title()) for name in ("ana", "ben", "cleo")}
    with django_capture_on_commit_callbacks(execute=True):
        small_company.build(people)
    small_company.index()
    client.force_login(people["ana"])
    return client


def test_each_is_answered_with_a_page_that_says_how_it_was_read(ana: Client) -> None:
    for name, (text, said) in BAD.items():
        response = ana.get("/search", {"q": text.encode("utf-8", "replace")})
        page = response.content.decode()
        assert response.status_code == 200, name
        assert escape(said) in page or said in unescape(page), name
        assert "<script>alert" not in page, name
        assert "<img src=x" not in page, name
        assert "\u202e" not in page.split("<main", 1)[1], name


def test_signs_are_undone_by_one_click(ana: Client) -> None:
    page = ana.get("/search", {"q": 'feed OR boiler "feed pump" -contractors pum*'}).content.decode()
    line = re.search(r"<p[^>]*data-read-as>(.+?)</p>", page)
    assert line
    assert unescape(re.sub("<[^>]+>", "", line[1])).startswith(
        "Read as: phrase ‘feed pump’; any of: feed, boiler; words that begin with: pum…; not: contractors."
    )
    undo = re.search(r'href="([^"]+)"', line[1])
    assert undo
    assert undo[1] == "?" + urlencode(
        {"q": "feed or boiler feed pump contractors pum"}, quote_via=lambda s, *_: s.replace(" ", "%20")
    )
    again = ana.get("/search" + unescape(undo[1]))
    assert "data-read-as" not in again.content.decode()
    assert again.context["found"].query.words == ("feed", "or", "boiler", "pump", "contractors", "pum")


def test_undoing_signs_keeps_the_filters(ana: Client) -> None:
    found = ana.get("/search", {"q": 'kind:page "feed pump" in:Operations'})
    assert found.context["plain"] == "feed pump kind:page in:Operations"
    assert "data-read-as" not in ana.get("/search", {"q": "pump kind:page"}).content.decode()


def test_a_chip_takes_its_operator_away_and_a_box_writes_it(ana: Client) -> None:
    response = ana.get("/search", {"q": "pump title:pump kind:page in:Operations after:2020 -x"})
    chips = {chip.label: chip.without for chip in response.context["chips"]}
    assert list(chips) == ["title: pump", "kind: page", "in: Operations", "after: 1 January 2020"]
    for label, without in chips.items():
        rest = ana.get("/search", {"q": without}).context["chips"]
        assert {chip.label for chip in rest} == chips.keys() - {label}
    boxed = ana.get("/search", {"q": "pump title:pump -x", "narrow": "1", "kind": "tool", "age": ""}, follow=True)
    assert boxed.context["text"] == "pump -x title:pump kind:tool"


def test_a_value_that_vanished_can_still_be_taken_away(ana: Client) -> None:
    for gone in ('topic:"no longer there"', "source:gone", "in:nowhere", "by:nobody"):
        response = ana.get("/search", {"q": f"pump {gone}"})
        assert response.status_code == 200
        assert response.context["found"].total == 0
        assert [chip.without for chip in response.context["chips"]] == ["pump"]


def test_hidden_places_are_as_absent_as_those_that_never_were(ana: Client, make_person: Callable[..., Any]) -> None:
    """A section that only others may read, and one that nobody ever wrote, answer alike."""
    engine = index.open_for_reading()
    assert engine.count() > 0
    for place in ("in:Board", "in:never-there"):
        found = ana.get("/search", {"q": place}).context["found"]
        assert (found.total, found.notice, dict(found.facets)) == (0, "", {"kind": (), "source": (), "topic": ()})


def test_an_empty_tree_is_an_empty_text() -> None:
    assert to_text(Query()) == ""
    assert parse("") == Query()
