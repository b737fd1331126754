"""Why a result stands where it stands is told from what put it there, in words that no number of people is in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from knowledge import ranking, trust
from knowledge.documents import Hit, Query, Synonym
from knowledge.explain import BY_MEANING, LESS_USEFUL, LINES, PINNED, Why, why
from knowledge.index.language import parse
from knowledge.trust import Signals

from .test_ranking import FILLER, TODAY, candidate, document, statistics

PAGES = (
    document("title", "Leave form", FILLER),
    document("text", "Cups", "Ask for the leave form. " + FILLER, topics=("forms",)),
    document("heading", "Cups", f"# Leave\n\n{FILLER}"),
    document("holiday", "Holidays", "The form. Time is not off here."),
    document("none", "Tea", FILLER),
)


def explained(query: Query | str, signals: dict[str, Signals] | None = None, **more: Any) -> dict[str, Why]:
    query = parse(query) if isinstance(query, str) else query
    figures = statistics([*PAGES, *(document(f"filler {number}") for number in range(20))])
    candidates = {one.key: candidate(one) for one in PAGES}
    hits = ranking.order(query, candidates.values(), figures, now=TODAY, signals=signals, **more)
    return {hit.key: one for hit, one in zip(hits, why(query, hits, candidates, ()), strict=True)}


def where(one: Why) -> dict[str, tuple[str, ...]]:
    return {matched.word: matched.places for matched in one.words}


def test_it_says_which_words_stand_where_and_which_do_not() -> None:
    found = explained("leave forms")
    assert where(found["title"]) == {"leave": ("title",), "forms": ("title",)}
    assert where(found["text"]) == {"leave": ("text",), "forms": ("text", "topics")}
    assert where(found["heading"]) == {"leave": ("headings", "text")}
    assert found["heading"].lacking == ("forms",)
    assert found["heading"].sentences == ["In the headings and text: “leave”.", "Not in it: “forms”."]
    assert found["title"].sentences == ["In the title: “leave” and “forms”."]
    assert (where(found["none"]), found["none"].lacking) == ({}, ("leave", "forms"))


def test_a_synonym_is_told_where_all_of_it_stands() -> None:
    query = replace(parse("leave"), synonyms=(Synonym(("leave",), "holiday"), Synonym(("leave",), "time not")))
    found = explained(query)
    assert found["holiday"].sentences == [
        "In the title: “holiday”, for “leave”.",
        "In the text: “time not”, for “leave”.",
    ]
    assert found["none"].lacking == ("leave",)
    assert not found["holiday"].lacking
    apart = replace(parse("leave"), synonyms=(Synonym(("leave",), "holidays form"),))
    assert explained(apart)["holiday"].lacking == ("leave",), "one part in the title and one in the text"


def test_the_shares_are_those_of_the_score() -> None:
    one = explained("latest leave forms", {"text": Signals(True, -0.5, 1)})["text"]
    parts = {part.name: part for part in one.parts}
    assert one.pinned
    assert "pin" not in parts
    assert sum(part.share for part in one.parts if part.score > 0) == pytest.approx(1)
    assert parts["use"].share < 0 < parts["trust"].share
    for part in one.parts:
        assert part.share == pytest.approx(part.score / sum(each.score for each in one.parts if each.score > 0))


def test_every_part_has_its_words() -> None:
    named = [name for names in LINES.values() for name in names]
    assert len(named) == len(set(named))
    assert set(Hit.PARTS) - {"pin"} == set(named)
    assert set(trust.PARTS) <= set(Hit.PARTS)


def test_the_lines_are_few_the_largest_first_and_what_takes_away_last() -> None:
    one = explained("leave forms", {"text": Signals(True, -1.0, 1)})["text"]
    assert one.sentences[0] == PINNED
    assert [line.label for line in one.lines][-1] == LESS_USEFUL
    percents = [line.percent for line in one.lines if not line.less]
    assert percents == sorted(percents, reverse=True)
    assert 97 <= sum(percents) <= 103
    assert all(1 <= line.percent <= 100 for line in one.lines)


def test_what_was_found_by_meaning_alone_says_so() -> None:
    found = explained("leave forms", meaning={"none": 0.9})
    assert found["none"].sentences == [BY_MEANING]
    assert [line.label for line in found["none"].lines] == ["Close in meaning"]


def test_without_a_candidate_there_is_nothing_to_tell() -> None:
    assert why(parse("leave"), [Hit("a", 1.0)], {}, ()) == [Why()]
    assert why(parse("leave"), [], {}, ()) == []
    assert (Why().sentences, Why().lines) == ([], [])
