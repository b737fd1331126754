"""Words, stems and the term vector that ranking scores with."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import IndexDocument
from knowledge.index import analysis, schema
from knowledge.index.analysis import Vector, analyse, surface_tag, term_hash, tokens, words


def document(title: str = "", body: str = "", **fields: Any) -> IndexDocument:
    return IndexDocument("k", 1, "page", title, body, frozenset(), False, **fields)


def vector(*args: Any, **fields: Any) -> Vector:
    return Vector(analyse(document(*args, **fields)).vector)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Über naïve CAFÉ Straße", ["uber", "naive", "cafe", "strasse"]),
        ("C++, C# and F#; node.js 10.2 ERR_42", ["c++", "c#", "and", "f#", "node.js", "10.2", "err_42"]),
        ("_so_ __init__ ____ a_b", ["so", "init", "a_b"]),
        ("What’s up? It's e-mail.", ["what's", "up", "it's", "e", "mail"]),
        ("a/b https://example.org/x#y", ["a", "b", "https", "example.org", "x", "y"]),
        ("\u200fשלום\u200f soft\u00adhyphen", ["שלום", "softhyphen"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Йод ёлка", ["йод", "ёлка"]),
        ("🎉 ... !!!", []),
        ("ﬁle ①", ["file", "1"]),
    ],
)
def test_words_are_folded_and_identifiers_stay_whole(text: str, expected: list[str]) -> None:
    assert words(text) == expected
    assert tokens(text) == expected


def test_scripts_without_spaces_give_pairs() -> None:
    assert words("東京都の本 Python入門") == ["東京都の本", "python入門"]
    assert tokens("東京都の本 Python入門") == ["東京", "京都", "都の", "の本", "python", "入門"]
    assert tokens("本") == ["本"]
    assert tokens("ｶﾀｶﾅ") == ["カタ", "タカ", "カナ"]
    assert tokens("本" + "x" * 100)[-1] == "x" * analysis.LONGEST_TOKEN


def test_a_word_of_any_length_is_cut_alike_in_text_and_query() -> None:
    long = "x" * 10_000
    assert tokens(long) == tokens(long + "y") == ["x" * analysis.LONGEST_TOKEN]


@given(st.text())
def test_any_text_gives_tokens_without_spaces_that_are_their_own_tokens(text: str) -> None:
    for token in tokens(text):
        assert token
        assert not any(char.isspace() for char in token)
        assert len(token) <= analysis.LONGEST_TOKEN
    assert [token for word in words(text) for token in tokens(word)] == tokens(text)


def test_terms_carry_the_language_unless_it_is_english() -> None:
    assert analysis.stem("houses") == analysis.stem("houses", "xx") == "hous"
    assert analysis.stem("häuser", "de-AT").startswith("de:")
    assert analysis.terms_of("houses", ["de", "en", "fr"]) == ("hous", "de:hous", "fr:hous")
    assert [analysis.language_code(code) for code in ("pt_BR", "EN", "", "ja", "nope")] == [
        "pt",
        "en",
        "en",
        "en",
        "en",
    ]


def test_content_words_leave_out_what_every_text_holds() -> None:
    assert analysis.content_words(["how", "to", "sail", "to", "sail"]) == ("sail",)
    assert analysis.content_words(["to", "be", "to"]) == ("to", "be")


def test_topics_in_any_spelling_are_one() -> None:
    keys = {analysis.topic_key(name) for name in ("Code review", "code-review", "CODE_REVIEW", " Code  Review ")}
    assert keys == {"code-review"}
    assert analysis.topic_key("C++") != analysis.topic_key("C#")
    assert analysis.topic_key("🎉") == "🎉"


def test_a_vector_counts_terms_and_their_exact_forms() -> None:
    found = vector("Running in the rain", "He runs. She runs; they run in rain.", topics=("Rain", "Long runs"))
    assert (found.title_length, found.body_length, found.topics_length) == (4, 8, 3)
    run, rain = term_hash("run"), term_hash("rain")
    assert found.counts(run, surface_tag("runs")) == (1, 3, 1, 0, 2, 1)
    assert found.counts(run) == (1, 3, 1, 0, 0, 0)
    assert found.counts(rain, surface_tag("rain")) == (1, 1, 1, 1, 1, 1)
    assert found.counts(term_hash("snow")) == analysis.NONE
    assert found.positions(run) == (1, 3, 5)
    assert found.positions(term_hash("long")) == ()
    wanted = [(term_hash("snow"), 0), (rain, surface_tag("rains")), (run, surface_tag("running"))]
    assert found.lookup(wanted) == [(1, (1, 1, 1, 0, 0, 0)), (2, (1, 3, 1, 1, 0, 0))]


def test_parts_of_identifiers_count_beside_the_whole() -> None:
    text = "call read_file or read_file.close, then file"
    found = vector("", text)
    assert found.body_length == 6
    assert found.counts(term_hash(analysis.stem("read_file")), surface_tag("read_file"))[:2] == (0, 1)
    assert found.counts(term_hash("file"), surface_tag("file")) == (0, 3, 0, 0, 3, 0)
    assert analyse(document("", text)).text.count("file") == 3


def test_possessives_are_no_second_word() -> None:
    assert vector("", "the company's plan").counts(term_hash("compani")) == (0, 1, 0, 0, 0, 0)


@given(st.lists(st.sampled_from(["sail", "sails", "sailing", "rope", "ropes", "a.b", "x_y", "naïve"]), max_size=60))
def test_a_vector_agrees_with_counting_by_hand(spoken: list[str]) -> None:
    body = tokens(" ".join(spoken))
    found = vector("", " ".join(spoken))
    terms = Counter(analysis.stem(token) for token in body)
    forms = Counter(body)
    for token in forms:
        term = analysis.stem(token)
        counts = found.counts(term_hash(term), surface_tag(token))
        assert (counts[1], counts[4]) == (terms[term], forms[token])
        places = [place for place, each in enumerate(body) if analysis.stem(each) == term]
        assert set(found.positions(term_hash(term))) <= set(places)
        assert found.positions(term_hash(term))[0] == places[0]


def test_long_documents_keep_their_vector_readable() -> None:
    text = " ".join(f"w{n}" for n in range(1500)) + " sail" * 70_000 + " rope"
    found = vector("sail " * 99, text)
    assert found.body_length == 71_501
    assert found.counts(term_hash("sail"), surface_tag("sail"))[:2] == (15, analysis.MOST_IN_BODY)
    assert found.counts(term_hash("w77")) == (0, 1, 0, 0, 0, 0)
    assert found.positions(term_hash("w77")) == (77,)
    assert found.positions(term_hash("rope")) == ()
    assert found.lookup([(term_hash("w1499"), 0), (term_hash("gone"), 0)]) == [(0, (0, 1, 0, 0, 0, 0))]


def test_an_empty_document_has_an_empty_vector() -> None:
    found = vector()
    assert (found.title_length, found.body_length, found.counts(term_hash("sail"))) == (0, 0, analysis.NONE)


def test_a_documents_analysis_is_the_same_in_every_order() -> None:
    one, two = document("Sails", "Alpha beta"), document("Ropes", "Beta gamma", language="de")
    first = [analyse(one).vector, analyse(two).vector]
    assert [analyse(two).vector, analyse(one).vector] == first[::-1]


def test_the_fingerprint_follows_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema.fingerprint()
    assert before == schema.fingerprint()
    monkeypatch.setattr(analysis, "VERSION", analysis.VERSION + 1)
    assert schema.fingerprint() != before
