"""The term vectors that ranking scores with: what is packed is what is read, one document or many."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import IndexDocument
from knowledge.index import analysis
from knowledge.index.analysis import analyse, tokens
from knowledge.index.vectors import (
    MOST_IN_BODY,
    MOST_IN_HEADINGS,
    MOST_IN_TITLE,
    NOWHERE,
    Vectors,
    family,
    surface_tag,
    term_hash,
)


def packed(title: str = "", body: str = "", **fields: Any) -> bytes:
    return analyse(IndexDocument("k", 1, "page", title, body, frozenset(), False, **fields)).vector


def forms(vectors: Vectors, term: str, document: int = 0) -> dict[int, tuple[int, int, int]]:
    """Surface tag -> counts in title, body and topics."""
    rows = vectors.find(term_hash(term)).own
    columns = zip(rows.document, rows.tag, rows.title, rows.body, rows.topics, strict=True)
    return {
        int(tag): (int(title), int(body), int(topics)) for at, tag, title, body, topics in columns if at == document
    }


def places(vectors: Vectors, term: str) -> set[int]:
    rows = vectors.find(term_hash(term)).own
    return {int(place) for column in (rows.first, rows.last) for place in column} - {NOWHERE}


def test_terms_are_counted_by_form_and_field() -> None:
    found = Vectors(
        [packed("Running in the rain", "He runs. She runs; they run in rain.", topics=("Rain", "Long runs"))]
    )
    assert (found.title_length.tolist(), found.body_length.tolist()) == ([4], [8])
    assert forms(found, "run") == {
        surface_tag("running"): (1, 0, 0),
        surface_tag("runs"): (0, 2, 1),
        surface_tag("run"): (0, 1, 0),
    }
    assert forms(found, "rain") == {surface_tag("rain"): (1, 1, 1)}
    assert forms(found, "snow") == {}
    assert places(found, "run") == {1, 3, 5}
    assert places(found, "long") == set()


def test_parts_of_identifiers_count_beside_the_whole() -> None:
    text = "call read_file or read_file.close, then file"
    found = Vectors([packed("", text)])
    assert found.body_length.tolist() == [6]
    assert forms(found, analysis.stem("read_file")) == {surface_tag("read_file"): (0, 1, 0)}
    assert forms(found, "file") == {surface_tag("file"): (0, 3, 0)}
    assert places(found, "file") == {1, 5}
    assert analyse(IndexDocument("k", 1, "page", "", text, frozenset(), False)).text.count("file") == 3


def test_parts_count_where_the_whole_stands() -> None:
    found = Vectors([packed("read_file", "", topics=("close_file",))])
    assert forms(found, "file") == {surface_tag("file"): (1, 0, 1)}
    assert found.title_length.tolist() == [1]


def headings(vectors: Vectors, term: str) -> list[tuple[int, int]]:
    """Document and length of each heading that has a term, once for each time it does."""
    found = vectors.find(term_hash(term)).headings
    return list(zip(found.document.tolist(), found.length.tolist(), strict=True))


def test_headings_are_known_apart() -> None:
    first = "# Sail\n\nsail here\n\n## Sails and rope\n\n```\n# sail\n```\n"
    found = Vectors([packed("", first), packed("Sail", "sail"), packed("", "rope\n\n# Rope, rope")])
    assert headings(found, "sail") == [(0, 1), (0, 3)]
    assert headings(found, "rope") == [(0, 3), (2, 2), (2, 2)]
    of_rope = found.find(term_hash("rope")).headings.heading
    assert len(set(found.find(term_hash("sail")).headings.heading.tolist())) == 2
    assert of_rope[0] == found.find(term_hash("sail")).headings.heading[1], "the same heading"
    assert of_rope[1] == of_rope[2] != of_rope[0]
    assert headings(found, "tea") == []


def test_headings_without_a_word_leave_the_others_in_place() -> None:
    found = Vectors([packed("", "# 🎉\n\n# !\n\n# ?\n\n# Sail boats\n\nrope"), packed("", "# Rope")])
    assert headings(found, "sail") == [(0, 2)]
    assert headings(found, "rope") == [(1, 1)]
    assert forms(found, "rope") == {surface_tag("rope"): (0, 1, 0)}


def test_of_too_many_headings_the_first_are_kept() -> None:
    found = Vectors([packed("", "\n\n".join(f"# sail n{number}" for number in range(MOST_IN_HEADINGS)) + "\n\n# rope")])
    assert len(headings(found, "sail")) == MOST_IN_HEADINGS // 2
    assert headings(found, "rope") == []
    assert forms(found, "rope") == {surface_tag("rope"): (0, 1, 0)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("therapist", "therapy"),
        ("photographer", "photography"),
        ("physician", "physics"),
        ("supervisor", "supervision"),
    ],
)
def test_actors_and_acts_are_of_one_family(one: str, other: str) -> None:
    terms = [analysis.stem(word) for word in (one, other)]
    assert terms[0] != terms[1]
    assert family(terms[0]) == family(terms[1])
    found = Vectors([packed(one, f"{other} tea")]).find(term_hash(terms[0]))
    assert (found.own.title.tolist(), found.kin.body.tolist()) == ([1], [1])


@pytest.mark.parametrize("term", ["", "rent", "port", "c++", "err_42", "de:therapist", "本"])
def test_short_words_names_and_other_languages_are_families_of_their_own(term: str) -> None:
    assert family(term) == term


def test_neighbours_in_a_title_count_as_one_word_too() -> None:
    one = IndexDocument("k", 1, "page", "Wi-Fi at home", "hot spot 本の", frozenset(), False)
    found = Vectors([analyse(one).vector])
    assert forms(found, "wifi") == {surface_tag("wifi"): (1, 0, 0)}
    assert analysis.stem("wifi") in analyse(one).text
    assert forms(found, "hotspot") == {}
    assert found.title_length.tolist() == [4]


def test_possessives_are_no_second_word() -> None:
    assert sum(body for _, body, _ in forms(Vectors([packed("", "the company's plan")]), "compani").values()) == 1


@given(st.lists(st.sampled_from(["sail", "sails", "sailing", "rope", "ropes", "a.b", "x_y", "naïve"]), max_size=60))
def test_a_vector_agrees_with_counting_by_hand(spoken: list[str]) -> None:
    body = tokens(" ".join(spoken))
    found = Vectors([packed("", " ".join(spoken))])
    for token, times in Counter(body).items():
        term = analysis.stem(token)
        assert forms(found, term)[surface_tag(token)] == (0, times, 0)
        where = [place for place, each in enumerate(body) if analysis.stem(each) == term]
        assert places(found, term) <= set(where)
        assert {where[0], where[-1]} <= places(found, term)


@given(st.lists(st.lists(st.sampled_from(["sail", "sails", "rope", "tea", "a_b"]), max_size=9), min_size=1, max_size=9))
def test_many_are_read_as_each_alone(texts: list[list[str]]) -> None:
    data = [packed("Tea", " ".join(spoken)) for spoken in texts]
    together = Vectors(data)
    for number, one in enumerate(data):
        alone = Vectors([one])
        assert together.body_length[number] == alone.body_length[0]
        for term in ("sail", "rope", "tea", "snow"):
            assert forms(together, term, number) == forms(alone, term)


def test_a_number_that_is_no_hash_is_no_term() -> None:
    """Lengths, counts and places may be equal to the hash of some term."""
    data = [packed("", "# Sail\n\nsail sail"), packed("", "rope")]
    numbers = {int.from_bytes(one[at : at + 4], sys.byteorder) for one in data for at in range(0, len(one), 4)}
    for number in numbers - {term_hash("sail"), term_hash("rope")}:
        found = Vectors(data).find(number)
        assert (found.own.document.size, found.headings.document.size) == (0, 0)


def test_long_documents_keep_their_vector_readable() -> None:
    text = " ".join(f"w{n}" for n in range(1500)) + " sail" * 70_000 + " rope"
    found = Vectors([packed("sail " * 99, text)])
    assert found.body_length.tolist() == [71_501]
    assert forms(found, "sail") == {surface_tag("sail"): (MOST_IN_TITLE, MOST_IN_BODY, 0)}
    assert forms(found, "w77") == {surface_tag("w77"): (0, 1, 0)}
    assert places(found, "w77") == {77}
    assert places(found, "rope") == set()


def test_an_empty_document_has_an_empty_vector() -> None:
    found = Vectors([packed(), packed("Sail")])
    assert found.title_length.tolist() == [0, 1]
    assert forms(found, "sail", 0) == {}
    assert forms(found, "sail", 1) == {surface_tag("sail"): (1, 0, 0)}
