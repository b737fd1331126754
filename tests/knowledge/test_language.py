"""Any text is a query, it is read as docs/search.md says, and it can be written down again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge.documents import Choice, Phrase, Place, Query, Term
from knowledge.index.analysis import tokens
from knowledge.index.language import (
    MAX_PREFIXES,
    MAX_WORDS,
    filters,
    is_filter,
    parse,
    plain,
    read_as,
    reading,
    to_text,
    toggled,
    without_dates,
)


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


def one(text: str, form: str = "word", **more: bool) -> Choice:
    """A choice of one term."""
    return Choice((Term(text, form, **more),))  # type: ignore[arg-type]


def test_or_stands_between_words_phrases_and_beginnings() -> None:
    query = parse('checklist deploy* OR release OR "go live" OR e-mail weekly')
    assert query.words == ("checklist", "weekly")
    assert query.choices == (
        Choice((Term("deploy", "prefix"), Term("release"), Term("go live", "phrase"), Term("e mail", "phrase"))),
    )
    assert read_as(query) == (("any of", "deploy…, release, ‘go live’, ‘e mail’"),)
    assert reading(query) == ""
    assert parse("(annual OR sick) leave").choices == (Choice((Term("annual"), Term("sick"))),)
    assert parse("Leave OR leave pay").words == ("leave", "pay")
    assert parse('"sick leave" OR "Sick leave"').phrases == (Phrase("sick leave"),)
    assert parse("kind:tool OR kind:course pump").kinds == ("tool", "course")
    assert parse("rain or shine").words == ("rain", "or", "shine")


@pytest.mark.parametrize(
    "text", ["OR", "pumps OR", "OR pumps", "a1 OR OR b1", "pumps OR kind:tool", "pumps OR -valves",
             "kind:tool OR by:ana", "pumps OR ?!"]
)  # fmt: skip
def test_an_or_that_stands_between_nothing_is_a_word_and_said(text: str) -> None:
    query = parse(text)
    assert "or" in query.words
    assert not query.choices
    assert "“OR” was searched as a word" in reading(query)


def test_not_is_a_word_and_the_minus_is_told() -> None:
    assert parse("leave NOT sick").words == ("leave", "not", "sick")
    assert "a minus" in reading(parse("leave NOT sick"))
    assert reading(parse("pay or not")) == ""


def test_beginnings_of_words() -> None:
    assert parse("Déploy* plan").choices == (one("deploy", "prefix"),)
    assert parse("(deploy**)").choices == (one("deploy", "prefix"),)
    assert parse("ERR_*").choices == (one("err_", "prefix"),)
    assert parse("-deploy* plan").choices == (Choice((Term("deploy", "prefix"),), exclude=True),)
    assert read_as(parse("-deploy* plan*")) == (("words that begin with", "plan…"), ("not", "deploy…"))
    many = parse("aa* bb* cc* dd* ee* ff*")
    assert len(many.choices) == MAX_PREFIXES
    assert many.words == ("ee", "ff")
    assert f"the first {MAX_PREFIXES} count" in reading(many)


@pytest.mark.parametrize("text", ["d*", "de*oy", "*.py", "10.*", "/^deploy.*/", "e-mai*", "东京*", "2*3"])
def test_a_star_elsewhere_is_no_beginning_and_said(text: str) -> None:
    query = parse(text)
    assert query.words
    assert not query.choices
    assert text in reading(query)


@pytest.mark.parametrize("text", ["*", "* * *", "**bold**", "SELECT * FROM", "*" * 200])
def test_stars_that_stand_with_no_word_are_nothing(text: str) -> None:
    assert not parse(text).choices
    assert "*" not in reading(parse(text))


def test_titles() -> None:
    query = parse(
        'title:Draft Title:"annual leave" -title:old title:dep* title:e-mail title:a OR title:b -title:"to do"'
    )
    assert query.choices == (
        one("draft", title=True),
        one("annual leave", "phrase", title=True),
        Choice((Term("old", title=True),), exclude=True),
        one("dep", "prefix", title=True),
        one("e mail", "phrase", title=True),
        Choice((Term("a", title=True), Term("b", title=True))),
        Choice((Term("to do", "phrase", title=True),), exclude=True),
    )
    assert not query.words
    assert [(name, value) for name, value, _ in filters(query)] == [
        ("title", "draft"),
        ("title", "‘annual leave’"),
        ("title", "dep…"),
        ("title", "‘e mail’"),
    ]
    assert read_as(query) == (
        ("any of", "a in the title, b in the title"),
        ("not", "old in the title"),
        ("not", "‘to do’ in the title"),
    )


@pytest.mark.parametrize("text", ["kind:", "kind: tool", "Topic:", "source: handbook"])
def test_an_operator_without_a_value_is_a_word_and_said(text: str) -> None:
    assert not parse(text).narrows
    assert "no value" in reading(parse(text))


def test_a_query_says_how_it_was_read() -> None:
    query = parse('rota "annual leave" -contractors -"on call" kind:page after:2024 東京都 "東京都"')
    assert read_as(query) == (
        ("phrase", "‘annual leave’"),
        ("phrase", "‘東京都’"),
        ("not", "contractors"),
        ("not", "‘on call’"),
    )
    assert read_as(parse("rota kind:page in:handbook title:rota")) == ()
    assert parse(plain(query.text)).words == (
        "rota", "annual", "leave", "contractors", "on", "call", "東京", "京都",
    )  # fmt: skip
    assert plain('ERR_42 "C++" OR -x deploy* NOT key:"a b"') == "ERR_42 C++ or x deploy not key a b"
    assert plain('kind:Tools "my rota" title:leave after:2024') == "my rota title:leave kind:tool after:2024-01-01"
    assert plain("title:a OR title:b -title:c") == "title a or title b title c"


def test_each_filter_can_be_taken_away() -> None:
    query = parse('pump title:valve kind:tool topic:"working time" in:Operations by:ana after:2024 before:2026 -old')
    texts = {f"{name} {value}": without.text for name, value, without in filters(query)}
    assert list(texts) == [
        "title valve", "kind tool", "topic working time", "by ana", "in Operations",
        "after 1 January 2024", "before 1 January 2026",
    ]  # fmt: skip
    for label, text in texts.items():
        rest = {f"{name} {value}" for name, value, _ in filters(parse(text))}
        assert rest == texts.keys() - {label}
        assert parse(text).words == ("pump",)
        assert parse(text).not_words == ("old",)


def test_a_value_with_quotation_marks_is_written_without_them() -> None:
    query = toggled(parse("pump"), "topic", 'The "big" pump')
    assert query.text == 'pump topic:"The big pump"'
    assert parse(query.text).topics == ("The big pump",)
    assert to_text(Query(topics=('"',))) == ""


def test_filters() -> None:
    query = parse('holiday kind:Tools kind:people topic:"annual leave" source:handbook by:“Ana Kovač” Topic:Pay')
    assert query.words == ("holiday",)
    assert query.kinds == ("tool", "person")
    assert query.topics == ("annual leave", "Pay")
    assert query.sources == ("handbook",)
    assert query.people == ("Ana Kovač",)
    assert parse('in:handbook in:"Pumps and valves"').places == (Place("handbook"), Place("Pumps and valves"))


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
    assert ("left out as words" if text.startswith("-") else "searched as words") in reading(query)


def test_names_that_are_no_operator_are_words_without_a_remark() -> None:
    query = parse('https://example.org/a C:\\temp error:"disk full" stand by: me')
    assert query.words == ("https", "example.org", "a", "c", "temp", "error", "stand", "by", "me")
    assert query.phrases == (Phrase("disk full"),)
    assert reading(query) == ""


@pytest.mark.parametrize("text", ["", " ", "...", '""', '"', "?!", "\x00", "\u202e\u200f", "\ud800", "-", '-"', "🎉"])
def test_a_text_without_words_asks_for_nothing(text: str) -> None:
    query = parse(text)
    assert not query
    assert reading(query) in ("", "There is no word in this search.")


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
         "ß", "ǅ", "東京都", " OR ", "OR", " NOT ", "*", "dep*", "title:", "in:", "ERR_",
         "かﾞ", "か\u3099", "가나다", "ไทย", "עִבְרִית", "\u202e", "\x00", "🎉", "e-mail", "c++", "c#", "node.js", "o'neil"]
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
    assert to_text(again) == to_text(query)
    for _, _, without in filters(query):
        assert parse(without.text) == without


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.one_of(LIKELY, st.text(max_size=60)))
@example('x*-y :-z "OR" −−q')
def test_plain_words_have_no_signs_but_filters(text: str) -> None:
    before, query = parse(text), parse(plain(text))
    assert read_as(query) == ()
    assert [row[:2] for row in filters(query)] == [row[:2] for row in filters(before)]
    assert reading(query) in ("", "There is no word in this search.") or "Nearly every" in reading(query)
    said = {token for choice in before.choices if not is_filter(choice) for term in choice.terms for token in
            tokens(term.text)}  # fmt: skip
    said |= {token for phrase in before.phrases for token in tokens(phrase.text)}
    assert {*before.words, *before.not_words, *said} <= {*query.words, "err_"}


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
