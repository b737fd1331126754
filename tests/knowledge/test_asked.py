"""What a query asks for, in words: what weighs, what only asks, and what is one wish said in several ways."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from knowledge import index, ranking
from knowledge.documents import Choice, IndexDocument, Query, Scope, Term
from knowledge.index.asked import MOST_WORDS, asked_words, expanded, placed, weighing, wishes
from knowledge.index.language import parse
from tests.contracts.engines import ALL, doc


@pytest.mark.parametrize(
    ("text", "weighs"),
    [
        ("who knows about kubernetes", ["kubernetes"]),
        ("Does anyone here know how to reset a token?", ["reset", "token"]),
        ("How do I find the expense form", ["expense", "form"]),
        ("tell me about pensions", ["pensions"]),
        ("what is the best way to deploy", ["deploy"]),
        ("I need help with the feed pump", ["feed", "pump"]),
        ("looking for information on leave", ["leave"]),
        # Words that ask are words like any others where nobody asks, and where there are no others.
        ("help desk", ["help", "desk"]),
        ("find command", ["find", "command"]),
        ("people who know kubernetes", ["people", "know", "kubernetes"]),
        ("who knows", ["knows"]),
        ("how do i", ["how", "do", "i"]),
        ("need analysis", ["need", "analysis"]),
        ("", []),
    ],
)
def test_how_a_question_begins_does_not_weigh(text: str, weighs: list[str]) -> None:
    assert list(weighing(parse(text).words)) == weighs
    assert list(ranking.words_of(parse(text))) == weighs


def test_what_is_in_quotation_marks_always_weighs() -> None:
    query = parse('who knows "who knows best"')
    assert wishes(query) == ()
    assert ranking.words_of(query) == ("knows", "best")
    assert ranking.words_of(parse('what is "the best way" home')) == ("home", "best", "way")
    assert ranking.words_of(parse("who knows the OR of")) == ("knows",)
    assert wishes(parse("the of")) == ("the", "of")
    assert wishes(parse('the "annual leave"')) == ()
    assert wishes(parse("the leave OR pay")) == ()
    assert wishes(parse("the -leave")) == ("the",)


def test_alternatives_are_one_wish_with_no_neighbours() -> None:
    query = parse("feed pump deploy OR release OR pump repair*")
    places: dict[str, int] = {word: place for place, word in placed(query)}
    assert places["pump"] == places["feed"] + 1
    assert places["deploy"] == places["release"]
    numbers = sorted(set(places.values()))
    assert len(numbers) == 4
    assert {two - one for one, two in pairwise(numbers) if one < 0} == {2}


def test_beginnings_are_ranked_by_their_stems_and_few() -> None:
    class Telling:
        def beginning(self, prefix: str, scope: Scope, *, limit: int, title: bool = False) -> list[str]:
            return [f"{prefix}{end}" for end in ("", "s", "ed", "ing", "ment", "ments")] if not title else []

    asked = expanded(parse("deploy* OR x title:deploy* -deploy*"), Telling(), ALL)
    assert [len(choice.terms) for choice in asked.choices] == [7, 0, 6]
    assert asked_words(asked) == ("deploy", "x")
    assert expanded(parse("a b"), Telling(), ALL) == parse("a b")
    many = Query(choices=(Choice(tuple(Term(f"word{n}") for n in range(500))),))
    assert len(asked_words(many)) == MOST_WORDS


def ranked(text: str, *documents: IndexDocument) -> list[tuple[str, float]]:
    engine = index.in_memory("tantivy")
    engine.write(documents)
    query = expanded(parse(text), engine, ALL)
    matches = engine.search(query, ALL)
    statistics = engine.statistics(ranking.terms(query))
    return [
        (hit.key, hit.score) for hit in ranking.order(query, matches.candidates, statistics, now=date(2026, 11, 22))
    ]


def test_one_alternative_is_as_good_as_both_where_only_one_is_needed() -> None:
    """A document is not thought to lack what its neighbour says in another word."""
    lonely = doc("one", "Notes", "the harbour master rings the bell and waits")
    both = [doc("both", "Notes", "harbour bell quay"), doc("x", "Notes", "quay")]
    (_, alone), *_ = [row for row in ranked("harbour OR quay bell", lonely, *both) if row[0] == "one"]
    (_, lacking), *_ = [row for row in ranked("harbour quay bell", lonely, *both) if row[0] == "one"]
    assert alone > lacking


def test_a_question_is_ranked_as_what_it_asks_about() -> None:
    documents = [
        doc("chat", "Who knows", "who knows who knows who knows about anything"),
        doc("right", "Clusters", "Running kubernetes clusters"),
        doc("other", "Kubernetes", "kubernetes for beginners"),
    ]
    assert ranked("who knows about kubernetes clusters", *documents) == ranked("kubernetes clusters", *documents)
    assert [key for key, _ in ranked("who knows about kubernetes clusters", *documents)] == ["right", "other"]


def test_a_beginning_ranks_by_the_words_it_stands_for() -> None:
    documents = [doc("title", "Deployment guide", "x " * 40), doc("body", "Notes", "x " * 40 + "deploys")]
    assert [key for key, _ in ranked("deploy*", *documents)] == ["title", "body"]
    assert all(score > 0 for _, score in ranked("deploy*", *documents))
