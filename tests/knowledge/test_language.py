"""Any text is a query, it is read as docs/search.md says, and it can be written down again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge.documents import Phrase, Query
from knowledge.index.language import MAX_WORDS, parse, reading, to_text, toggled, without_dates

ROWS = re.compile(r"^\| `(?P<typed>.+?)` \| (?P<said>.+?) \|$", re.MULTILINE)
DOCS = (settings.BASE_DIR / "docs" / "search.md") if settings.configured else Path("docs/search.md")


def meaning(query: Query) -> Query:
    """The query without the text that it was typed as."""
    return replace(query, text="")


def test_words_in_the_order_typed() -> None:
    query = parse("  Calibrate the  FLOW sensor’s drift ")
    assert query.words == ("calibrate", "the", "flow", "sensor's", "drift")
    assert query.text == "Calibrate the FLOW sensor’s drift"
    assert reading(query) == ""


@pytest.mark.parametrize("text", ['"annual leave"', "“annual leave”", "„annual leave“", "«Annual  leave»"])
def test_phrases_in_any_double_quotes(text: str) -> None:
    assert parse(text).phrases == (Phrase("annual leave"),)
    assert parse(text).words == ()


def test_a_quote_without_its_partner_parts_words() -> None:
    assert parse('the "annual leave form').words == ("the", "annual", "leave", "form")
    assert parse('topic:"annual leave').words == ("topic", "annual", "leave")
    assert parse('ann"ual').words == ("ann", "ual")


def test_what_to_leave_out() -> None:
    query = parse('rota -night -"on call" −weekend -e-mail')
    assert query.words == ("rota",)
    assert query.not_words == ("night", "weekend")
    assert query.phrases == (Phrase("on call", exclude=True), Phrase("e mail", exclude=True))


@pytest.mark.parametrize("text", ["well-known", "a - b", "--verbose", "2024-2025", "-"])
def test_dashes_that_leave_nothing_out(text: str) -> None:
    query = parse(text)
    assert not query.not_words
    assert not query.phrases


def test_filters() -> None:
    query = parse('holiday kind:Tools kind:people topic:"annual leave" source:handbook by:“Ana Kovač” Topic:Pay')
    assert query.words == ("holiday",)
    assert query.kinds == ("tool", "person")
    assert query.topics == ("annual leave", "Pay")
    assert query.sources == ("handbook",)
    assert query.people == ("Ana Kovač",)


@pytest.mark.parametrize(
    ("text", "after", "before"),
    [
        ("after:2024", date(2024, 1, 1), None),
        ("after:2024-03", date(2024, 3, 1), None),
        ("after:2024-3-9", date(2024, 3, 9), None),
        ("before:2024", None, date(2023, 12, 31)),
        ("before:2024-03-01", None, date(2024, 2, 29)),
        ("after:2023 after:2024 before:2026 before:2025", date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_dates(text: str, after: date | None, before: date | None) -> None:
    assert (parse(text).after, parse(text).before) == (after, before)
    assert not parse(text).words


@pytest.mark.parametrize(
    "text",
    ["after:soon", "before:2024-13", "after:2023-02-29", "before:0001", "after:9999", "kind:dragon", "-topic:pay"],
)
def test_what_is_no_filter_is_searched_as_words_and_said(text: str) -> None:
    query = parse(text)
    assert query.words or query.phrases
    assert not query.narrows
    assert text in reading(query)


def test_names_that_are_no_operator_are_words_without_a_remark() -> None:
    query = parse('https://example.org/a C:\\temp error:"disk full" stand by: me')
    assert query.words == ("https", "example.org", "a", "c", "temp", "error", "stand", "by", "me")
    assert query.phrases == (Phrase("disk full"),)
    assert reading(query) == ""


@pytest.mark.parametrize("text", ["", " ", "...", '""', '"', "?!", "\x00", "\u202e\u200f", "\ud800", "-", '-"', "🎉"])
def test_a_text_without_words_asks_for_nothing(text: str) -> None:
    query = parse(text)
    assert not query
    assert reading(query) in ("", "There is no word in this query.")


def test_only_words_to_leave_out_are_explained() -> None:
    query = parse("-night")
    assert not query
    assert "add a word" in reading(query)


def test_ten_thousand_characters() -> None:
    query = parse("draft " * 5000)
    assert query.words == ("draft",)
    query = parse(" ".join(f"word{n}" for n in range(1000)))
    assert len(query.words) == MAX_WORDS
    assert f"first {MAX_WORDS} words" in reading(query)
    assert len(parse("x" * 10_000).words[0]) < 100
    assert len(parse(" ".join(f"topic:t{n}" for n in range(1000))).topics) <= 16


def test_invisible_characters_part_nothing_and_stay_nowhere() -> None:
    query = parse("\u202eon\u200bboard\u00ading\x07 plan")
    assert query.words == ("onboarding", "plan")
    assert query.text == "onboarding plan"


LIKELY = st.lists(
    st.sampled_from(
        ["-", "−", '"', "“", "”", ":", "/", "'", "’", " ", "\n", ".", "+", "#", "_", "kind:", "kind:tool", "Topic:",
         "by:", "source:", "after:", "before:", "2024", "2024-02-30", "2199-12-31", "1900", "leave", "Ünï", "İ", "ﬁ",
         "ß", "ǅ", "東京都", "ไทย", "עִבְרִית", "\u202e", "\x00", "🎉", "e-mail", "c++", "c#", "node.js", "o'neil"]
    ),
    max_size=24,
).map("".join)  # fmt: skip


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.one_of(LIKELY, st.text(max_size=60)))
@example('by:"x')
@example("topic:/a")
def test_written_down_and_read_again_it_is_the_same(text: str) -> None:
    query = parse(text)
    reading(query)
    again = parse(to_text(query))
    assert meaning(again) == meaning(query)
    assert parse(query.text) == query


@pytest.mark.parametrize("length", [5_000, 40_000])
def test_very_long_texts_are_the_same_again(length: int) -> None:
    text = "".join(f'topic:"t{n} x" -a{n}-b ﷺ{n} ' for n in range(length // 20))
    query = parse(text)
    assert meaning(parse(to_text(query))) == meaning(query)


def test_a_filter_is_switched_on_and_off() -> None:
    query = parse("leave kind:page after:2024")
    more = toggled(query, "topic", "annual leave")
    assert more.text == 'leave kind:page topic:"annual leave" after:2024-01-01'
    assert parse(more.text) == more
    assert toggled(more, "topic", "Annual leave").topics == ()
    assert toggled(query, "kind", "page").text == "leave after:2024-01-01"
    assert without_dates(query).text == "leave kind:page"
