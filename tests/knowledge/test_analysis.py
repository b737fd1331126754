"""Words, stems and the term vector that ranking scores with."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import IndexDocument
from knowledge.index import analysis, schema, vectors
from knowledge.index.analysis import analyse, tokens, words


def document(title: str = "", body: str = "", **fields: Any) -> IndexDocument:
    return IndexDocument("k", 1, "page", title, body, frozenset(), False, **fields)


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


@given(st.text(), st.text())
def test_no_word_depends_on_what_else_a_text_holds(one: str, other: str) -> None:
    assert tokens(f"{one} {other}") == tokens(one) + tokens(other)


def test_a_sign_outside_a_word_is_no_part_of_it_beside_any_script() -> None:
    for beside in ("", " ’", " 本"):
        assert tokens(f"_so_ a_b __x'y__. e.g. C#, c++.{beside}")[:6] == ["so", "a_b", "x'y", "e.g", "c#", "c++"]


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


def test_a_documents_analysis_is_the_same_in_every_order() -> None:
    one, two = document("Sails", "Alpha beta"), document("Ropes", "Beta gamma", language="de")
    first = [analyse(one).vector, analyse(two).vector]
    assert [analyse(two).vector, analyse(one).vector] == first[::-1]


def test_the_fingerprint_follows_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema.fingerprint()
    assert before == schema.fingerprint()
    monkeypatch.setattr(analysis, "VERSION", analysis.VERSION + 1)
    assert schema.fingerprint() != before


def test_threads_that_meet_new_words_at_once_mix_none_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one word would stand for another until the web server is started again."""
    known = analysis._Words("en")
    row_key = vectors.row_key
    other = threading.Thread(target=lambda: known["ropes"])

    def overtaken(token: str, term: str) -> int:
        if token == "sails":
            other.start()
            other.join(0.2)  # it waits until this word has its number
        return row_key(token, term)

    monkeypatch.setattr(vectors, "row_key", overtaken)
    assert known.terms[known["sails"]] == "sail"
    other.join()
    assert [known.terms[known[token]] for token in ("sails", "ropes")] == ["sail", "rope"]


def test_a_language_of_which_too_much_is_known_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis._Words, "LARGEST", 3)
    tokens = [f"{word}s" for word in ("sail", "rope", "mast", "keel", "oar", "deck", "hull")]
    assert [analysis.stem(token) for token in tokens] == [token[:-1] for token in tokens]
    assert len(analysis._words("en")) <= 3
