"""The order: exact before stemmed, title before body, and nobody else's documents in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge import index, ranking
from knowledge.documents import EVERYONE, Candidate, Hit, IndexDocument, Scope
from knowledge.index import Statistics
from knowledge.index.analysis import analyse
from knowledge.index.language import parse

TODAY = date(2026, 11, 22)
FILLER = "Nothing here says more than any other sentence about tea and cups."


def document(key: str, title: str = "A page", body: str = FILLER, **more: object) -> IndexDocument:
    fields = {"source": 1, "kind": "page", "audience": frozenset({EVERYONE}), "public": True} | more
    return IndexDocument(key=key, title=title, body=body, **fields)  # type: ignore[arg-type]


def candidate(one: IndexDocument) -> Candidate:
    return Candidate(one.key, one.source, one.kind, analyse(one).vector, one.updated)


def statistics(documents: Iterable[IndexDocument]) -> Statistics:
    """What an engine counts of public documents."""
    analysed = [analyse(one) for one in documents if one.public]
    number = max(1, len(analysed))
    return Statistics(
        len(analysed),
        sum(one.title_length for one in analysed) / number,
        sum(one.body_length for one in analysed) / number,
        Counter(term for one in analysed for term in set(one.text)),
    )


def ordered(text: str, documents: list[IndexDocument], figures: Statistics | None = None) -> list[Hit]:
    figures = figures or statistics([*documents, *(document(f"filler {number}") for number in range(20))])
    return ranking.order(parse(text), [candidate(one) for one in documents], figures, now=TODAY)


def keys(text: str, documents: list[IndexDocument], figures: Statistics | None = None) -> list[str]:
    return [hit.key for hit in ordered(text, documents, figures)]


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("running", document("b", body="Running a team."), document("a", body="Runs a team.")),
        ("running", document("b", "Running"), document("a", "Run")),
        ("leave", document("b", "Leave"), document("a", body="Leave is here.")),
        ("leave", document("b", "Leave"), document("a", "Leave for parents of small children")),
        ("leave", document("b", body="Leave. " + FILLER), document("a", body="Leave. " + FILLER * 9)),
        ("leave", document("b", body="Leave, leave, leave. " + FILLER), document("a", body="Leave. " + FILLER)),
        ("leave", document("b", topics=("leave",)), document("a")),
        ("leave form", document("b", body="leave form " + FILLER), document("a", body="leave " + FILLER + " form")),
        (
            "how do I leave",
            document("b", body="Leave. " + FILLER),
            document("a", body="How do I do? How? I do. " + FILLER),
        ),
        (
            "reading list",
            document("b", "Reading list"),
            document("a", "Web practice reading list", "A reading list. " + FILLER),
        ),
        (
            "leave form travel",
            document("b", body="Leave, form, travel. " + FILLER),
            document("a", body="Leave form. " * 4 + FILLER),
        ),
        ('"leave form"', document("b", "Leave form"), document("a", body="A leave form.")),
        # A heading that is what was asked for, before one that says more and before a sentence that says the same.
        ("sick pay", document("b", body=f"## Sick pay\n\n{FILLER}"), document("a", body=f"Sick pay. {FILLER}")),
        (
            "sick pay",
            document("b", body=f"{FILLER}\n\n## Sick pay"),
            document("a", body=f"{FILLER}\n\n## Sick of it all, with pay"),
        ),
        (
            "pay for the sick",
            document("b", body=f"{FILLER}\n\n## For the sick: pay"),
            document("a", body=f"{FILLER}\n\n## And this about sick pay"),
        ),
        # Both words in one heading, before one in each of two.
        (
            "sick pay",
            document("b", body=f"{FILLER}\n\n## Sick pay\n\n{FILLER}\n\n## Tea"),
            document("a", body=f"{FILLER}\n\n## Sick\n\n{FILLER}\n\n## Pay for tea"),
        ),
        # What a text begins with, before what it ends with.
        ("leave", document("b", body="Leave. " + FILLER * 9), document("a", body=FILLER * 9 + " Leave.")),
        # A word of the same family, but never before the word itself.
        ("physical therapy", document("b", "Physical therapist"), document("a", "Physical theory")),
        ("therapy", document("b", body="A therapy. " + FILLER), document("a", body="A therapist. " + FILLER)),
        # What the question repeats.
        (
            "pay when sick, and sick when away",
            document("b", body="Sick. " + FILLER),
            document("a", body="Away. " + FILLER),
        ),
    ],
)
def test_what_comes_first(text: str, first: IndexDocument, second: IndexDocument) -> None:
    assert keys(text, [second, first]) == ["b", "a"]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    many = [document(f"{number}", body="travel") for number in range(30)]
    assert keys("travel visa", [document("a", body="travel"), document("b", body="visa")], statistics(many))[0] == "b"


def test_words_of_other_languages_are_found_by_their_own_stems() -> None:
    german = document("b", "Häuser", language="de")
    hits = ranking.order(
        parse("häusern"), [candidate(document("a")), candidate(german)], statistics([german]),
        now=TODAY, languages=("de", "en"),
    )  # fmt: skip
    assert hits[0].key == "b"
    assert hits[0].score > 0
    assert set(ranking.terms(parse("häusern"), ("de",))) >= {"de:haus"}


def test_a_stop_word_alone_is_searched_for() -> None:
    assert ranking.words_of(parse("the who")) == ("the", "who")
    assert ranking.words_of(parse("the leave")) == ("leave",)
    assert keys("who", [document("a"), document("b", "Who")]) == ["b", "a"]


def test_equal_scores_stand_in_the_order_of_keys_whatever_order_they_came_in() -> None:
    same = [document(key, "Leave") for key in "cab"]
    for some in permutations(same):
        assert keys("leave", list(some)) == ["a", "b", "c"]


def test_without_words_the_newest_come_first_and_dates_to_come_are_no_newer_than_today() -> None:
    some = [
        document("old", updated=date(2020, 1, 1)),
        document("undated"),
        document("z today", updated=TODAY),
        document("a day to come", updated=date(2990, 1, 1)),
    ]
    assert keys("kind:page", some) == ["a day to come", "z today", "old", "undated"]


def test_the_reasons_add_up_to_the_score() -> None:
    one = document("a", "Leave form", "The leave form is here.", topics=("leave",))
    hit = ordered("leave forms", [one])[0]
    assert dict(hit.reasons).keys() == {"title", "body", "topics", "exact", "near", "name"}
    assert sum(value for _, value in hit.reasons) == pytest.approx(hit.score)


def test_headings_and_families_are_reasons_of_their_own() -> None:
    one = document("a", "Sick pay", f"{FILLER}\n\n## Pay of the sick\n\nA therapist is here.")
    reasons = dict(ordered("sick pay therapy", [one])[0].reasons)
    assert {"heading", "kin"} <= reasons.keys()
    assert {"heading", "kin"}.isdisjoint(dict(ordered("tea", [one])[0].reasons))


def test_nothing_public_is_no_reason_to_fail() -> None:
    none = Statistics(0, 0.0, 0.0, {})
    assert keys("leave", [document("a"), document("b", "Leave")], none) == ["b", "a"]


WORDS = st.lists(st.sampled_from(["leave", "form", "travel", "visa", "house", "houses", "tea"]), max_size=12).map(
    " ".join
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8), WORDS, st.sets(st.integers(0, 7)))
def test_a_score_depends_on_no_other_candidate(texts: list[tuple[str, str]], query: str, left: set[int]) -> None:
    documents = [document(f"{number}", title, body) for number, (title, body) in enumerate(texts)]
    figures = statistics(documents)
    whole = {hit.key: hit.score for hit in ordered(query, documents, figures)}
    some = [one for number, one in enumerate(documents) if number not in left]
    part = ordered(query, some, figures)
    assert {hit.key: hit.score for hit in part} == {one.key: whole[one.key] for one in some}
    assert part == sorted(part, key=lambda hit: (-hit.score, hit.key)) or not parse(query)


@pytest.mark.parametrize("hidden", [1, 200])
def test_hidden_documents_move_nothing_and_both_engines_agree(hidden: int) -> None:
    """Promise 3, in small: the same answers with and without documents that the viewer may not see."""
    subjects = ["leave", "travel", "visa", "form", "team"]
    shown = [
        document(
            f"{number:03}",
            f"About {subjects[number % 5]}",
            f"{subjects[number % 3]} {subjects[number % 4]} " * 2 + FILLER,
        )
        for number in range(40)
    ]
    secret = frozenset({"team:1"})
    concealed = [
        document(f"h{number:03}", "Travel travel visa", "visa form " * 9, audience=secret, public=False)
        for number in range(hidden)
    ]
    scope = Scope(frozenset({1}), frozenset({EVERYONE}))
    answers = []
    for alias in ("tantivy", "whoosh"):
        for documents in (shown, shown + concealed):
            engine = index.in_memory(alias)
            engine.write(add=documents)
            for text in ("visa form", "travel", "team leave visa"):
                query = parse(text)
                matches = engine.search(query, scope)
                figures = engine.statistics(ranking.terms(query, engine.languages()))
                hits = ranking.order(query, matches.candidates, figures, now=TODAY, languages=engine.languages())
                answers.append((text, matches.total, matches.facets, tuple(hits)))
    first = answers[:3]
    for number in range(0, len(answers), 3):
        assert answers[number : number + 3] == first


# Meaning ------------------------------------------------------------------------------------------------------------


def near(text: str, documents: list[IndexDocument], cosines: dict[str, float] | None) -> list[Hit]:
    candidates = [candidate(one) for one in documents]
    return ranking.order(parse(text), candidates, statistics(documents), now=TODAY, languages=("en",), meaning=cosines)


def test_what_is_near_in_meaning_comes_before_what_shares_a_word() -> None:
    documents = [document("word", body=f"{FILLER} holiday {FILLER}"), document("near", "Time off")]
    assert [hit.key for hit in near("holiday", documents, None)] == ["word", "near"]
    first, second = near("holiday", documents, {"word": 0.1, "near": 0.7})
    assert (first.key, first.by_meaning_alone) == ("near", True)
    assert dict(first.reasons).keys() == {"meaning"}
    assert (second.key, second.by_meaning_alone, dict(second.reasons).get("meaning")) == ("word", False, None)


def test_a_name_with_signs_or_digits_wants_words() -> None:
    """Of two queries with words as rare, meaning counts less for the one that a model does not know."""
    documents = [document("a", "Other")]
    word, name = (near(text, documents, {"a": 0.6})[0].score for text in ("zzyzx", "ERR_42"))
    assert 0 < name < word / 2


def test_what_is_not_embedded_yet_counts_as_most_matches_do() -> None:
    documents = [document(key, "Leave") for key in ("far", "near", "unknown")]
    assert [hit.key for hit in near("leave", documents, {"far": 0.0, "near": 0.6})] == ["near", "unknown", "far"]


def test_no_other_candidate_moves_what_meaning_adds() -> None:
    documents = [document(key, key) for key in "abc"]
    cosines = {"a": 0.5, "b": 0.9, "c": 0.3}
    figures = statistics(documents)
    alone = [
        ranking.order(parse("leave"), [candidate(one)], figures, now=TODAY, languages=("en",), meaning=cosines)[0]
        for one in documents
    ]
    assert sorted(alone, key=lambda hit: -hit.score) == near("leave", documents, cosines)
