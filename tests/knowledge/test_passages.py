"""The best sentences, marked; and nothing of a document ever becomes markup."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge.documents import Passage
from knowledge.index.language import parse
from knowledge.passages import Highlighter, highlight, passage

BODY = """# Leave

Everybody has holidays. They are booked in the calendar.

## Parental leave

Ask your lead first. Then send the leave form to the people team, at least two months before. They answer within a week.

- A form for unpaid leave
- Anything else

| What | Days |
| Moving house | 1 |
"""


SEND = "Then send the leave form to the people team, at least two months before. They answer within a week."
OPENING = "Everybody has holidays. They are booked in the calendar."


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("leave form", SEND.replace("leave form", "<mark>leave form</mark>")),
        ("booking calendars", "They are <mark>booked</mark> in the <mark>calendar</mark>."),
        ("unpaid", "A form for <mark>unpaid</mark> leave"),
        ("moved houses", "<mark>Moving house</mark> · 1"),
        ("“two months”", SEND.replace("two months", "<mark>two months</mark>")),
        ("parental", "Ask your lead first. " + SEND),
        ("zebra", OPENING),
        ("kind:page", OPENING),
        ("the", SEND.replace(" the ", " <mark>the</mark> ")),
    ],
)
def test_the_sentences_that_say_most_about_the_query(query: str, shown: str) -> None:
    assert passage(BODY, parse(query)) == shown


def test_a_long_sentence_is_cut_between_words_around_what_matches() -> None:
    body = "one " * 200 + "the leave form " + "two " * 200
    shown = passage(body, parse("leave forms"), length=100)
    assert shown.startswith("…one one")
    assert shown.endswith("two…")
    assert "<mark>leave form</mark>" in shown
    assert len(re.sub("</?mark>", "", shown)) <= 103


def test_titles_are_marked() -> None:
    assert highlight("Forms & <b>leaves</b>", parse("leave form")) == (
        "<mark>Forms</mark> &amp; &lt;b&gt;<mark>leaves</mark>&lt;/b&gt;"
    )
    assert highlight("Nothing asked", parse("")) == "Nothing asked"


@pytest.mark.parametrize(
    ("text", "query", "language", "shown"),
    [
        ("Café", "cafe", "", "<mark>Café</mark>"),
        ("Cafe\u0301 here", "café", "", "<mark>Cafe\u0301</mark> here"),
        ("Die Häuser", "haus", "de", "Die <mark>Häuser</mark>"),
        ("東京都庁の案内", "京都", "", "東<mark>京都</mark>庁の案内"),
        ("node.js and c++", "C++ js", "", "node.<mark>js</mark> and <mark>c++</mark>"),
        ("Policies", "policy", "", "<mark>Policies</mark>"),
        ("o’neil’s", "o'neil", "", "<mark>o’neil’s</mark>"),
    ],
)
def test_words_are_found_as_the_index_finds_them(text: str, query: str, language: str, shown: str) -> None:
    assert highlight(text, parse(query), language) == shown


def test_marks_of_direction_do_not_leave_the_passage() -> None:
    assert "\u202e" not in passage("leave \u202eevil", parse("leave"))
    assert "\u202e" not in highlight("leave \u202eevil", parse("leave"))


PAYLOADS = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</mark><script>", "<mark onclick=x>", "&lt;b&gt;"),
    *("\"'><b>", "&#60;script&#62;", "<!--", "]]>", "javascript:alert(1)", "{{ leave }}", "<le\u00adave>", "\x00<b>"),
    *("leave", "Leaves.", "form", "東京都", "Ünï", "ﬁ", "\n\n", "# ", "- ", ". "),
]
PAYLOADS += ["`", "`<b>`", "\n```\n", "|", "\n| a | <b> |\n", "\n## ", "**", "*leave*", "\f", "\n04:10 "]
PIECES = st.lists(st.one_of(st.sampled_from(PAYLOADS), st.text(max_size=8)), max_size=30)
QUERIES = st.sampled_from(["leave", "leave form", "script alert", "東京", "mark b img", "uni fi"])


def written(shown: str) -> str:
    """What a reader sees, without the marks put there and the signs of a cut."""
    return html.unescape(re.sub("</?(?:mark|code)>", "", shown))


def squeezed(text: str) -> str:
    return re.sub("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", "".join(text.split()))


def letters(text: str) -> str:
    """What is left when the marks of a form (of lists, tables, code) are taken away."""
    return "".join(filter(str.isalnum, text))


@hypothesis_settings(max_examples=200, deadline=None)
@given(
    PIECES,
    st.sampled_from(["leave", "leave form", "script alert", "東京", "mark b img", "uni fi"]),
    st.integers(20, 300),
)
def test_whatever_a_document_holds_only_our_marks_are_markup(pieces: list[str], query: str, length: int) -> None:
    body = " ".join(pieces)
    shown = passage(body, parse(query), length)
    assert not re.search(r"[<>\"']", re.sub("</?(?:mark|code)>", "", shown)), "nothing but our own tags"
    inline = r"(?:[^<]|<mark>[^<]+</mark>)*"
    assert re.fullmatch(f"{inline}(?:<code>{inline}</code>{inline})*", shown), "each is opened and closed"
    assert letters(written(shown)) in letters(body), "and what is shown stands there"
    title = highlight(body, parse(query))
    assert squeezed(written(title)) == squeezed(body)
    assert not re.search(r"[<>\"']", re.sub("</?mark>", "", title))


@pytest.mark.parametrize("text", ["a", "a b ", "leave. ", "leave ", "# ", "\n", ".", "a'", "leave.", "<"])
def test_a_body_of_a_million_characters_is_no_heavier_than_others(text: str) -> None:
    """No clock: what a regular expression could do to such a body shows as a test that does not end."""
    body = (text * 1_000_000)[:1_000_000]
    assert len(written(passage(body, parse("leave a form")))) <= 250


# Where it stands, and what it is made of ----------------------------------------------------------------------------


PUMP = """Priming.

## Filling the casing

1. Open the **vent cock** on the `volute`.
2. Turn the shaft by hand, with `turn --twice`.

| Pump | Casing, litres | Minutes |
|------|:--------------:|--------:|
| P-101 | 14 | 4 |
| P-102 `b` | 22 | 6 |

### When it does not hold

A leaking foot valve, nine times out of ten.

```sh
# look first
if foot.valve() | grep "leak" > log; then

    replace --valve "foot"   # slowly
fi
```
"""


def best(query: str, body: str = PUMP, **more: Any) -> Passage:
    return Highlighter(parse(query)).passages(body, **more)[0]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("vent", "Open the <mark>vent</mark> cock on the <code>volute</code>."),
        ("volute vent", "Open the <mark>vent</mark> cock on the <code><mark>volute</mark></code>."),
        ("p-102 22", "<mark>P-102</mark> <code>b</code> · <mark>22</mark> · 6"),
        ("minutes", "Pump · Casing, litres · <mark>Minutes</mark>"),
        ("replace", "<code>    <mark>replace</mark> --valve &quot;foot&quot;   # slowly\nfi</code>"),
        ("grep", "<code>if foot.valve() | <mark>grep</mark> &quot;leak&quot; &gt; log; then</code>"),
    ],
)
def test_code_tables_and_lists_stay_readable(query: str, shown: str) -> None:
    assert best(query).html == shown


def test_a_passage_says_under_which_headings_it_stands_and_links_there() -> None:
    found = best("leaking", title="Pumps")
    assert found.heading == "Filling the casing › When it does not hold"
    assert (
        found.place == "s-when-it-does-not-hold:~:text=A%20leaking%20foot%20valve%2C%20nine%20times%20out%20of%20ten."
    )
    assert best("volute").place.startswith("s-filling-the-casing:~:text=Open%20the%20vent%20cock")
    assert best("p-101").place == "s-filling-the-casing:~:text=P%2D101,4"
    assert best("priming") == Passage("<mark>Priming</mark>.", place=":~:text=Priming.")
    assert best("zebra") == Passage("Priming.")


def test_a_second_passage_only_where_it_holds_words_that_the_first_lacks() -> None:
    def shown(query: str) -> list[str]:
        return [one.html for one in Highlighter(parse(query)).passages(PUMP)]

    assert len(shown("vent cock volute")) == 1
    assert len(shown("vent zebra")) == 1
    first, second = shown("vent cock leaking")
    assert "<mark>vent cock</mark>" in first
    assert second == "A <mark>leaking</mark> foot valve, nine times out of ten."


def test_a_page_of_a_paginated_original_and_a_second_of_a_video() -> None:
    paged = best("valve", "One.\n\n\fTwo.\n\n\fThe valve.")
    assert (paged.mark, paged.there, paged.place) == ("page 3", "page=3", "page-3:~:text=The%20valve.")
    video = best("worn seals", "00:04 Hello.\n04:10 Look for a worn seal\nand a hum.\n05:00 Bye.", transcript=True)
    assert video.html == "Look for a <mark>worn seal</mark> and a hum."
    assert (video.mark, video.there) == ("4:10", "t=250")


def test_what_is_near_in_meaning_is_shown_where_no_word_matches() -> None:
    start = PUMP.index("A leaking")
    found = best("drips", meant=(start, start + 40))
    assert found.by_meaning
    assert found.html.startswith("A leaking foot valve")
    assert found.place.startswith("s-when-it-does-not-hold:~:text=A%20leaking")
    assert not best("volute", meant=(start, start + 40)).by_meaning


# What a colon leads to ------------------------------------------------------------------------------------------------

LEADING = """## Leave

You earn annual leave by how long you have been here:

- Four hours each fortnight in the **first** three years
- Six hours after that
- <b>Eight</b> hours from year fifteen

Everything else stands in the calendar.

## Tests

To run the tests on your machine:

```
./tool -m test
./tool -m test --all
```

Nothing else: really.
"""


def shown_of(query: str, body: str = LEADING) -> str:
    return Highlighter(parse(query)).passages(body)[0].html


def test_the_list_below_a_colon_is_shown_with_it() -> None:
    shown = shown_of("how annual leave is earned")
    assert "been here: • Four hours each fortnight in the first three years • Six hours after that • " in shown
    assert "&lt;b&gt;Eight&lt;/b&gt; hours" in shown
    assert "calendar" not in shown


def test_the_code_below_a_colon_is_shown_with_it() -> None:
    shown = shown_of("run tests")
    assert shown == (
        "To <mark>run</mark> the <mark>tests</mark> on your machine: "
        "<code>./tool -m <mark>test</mark>\n./tool -m <mark>test</mark> --all</code>"
    )


def test_a_colon_leads_no_further_than_fits_and_not_into_other_text() -> None:
    assert shown_of("really nothing").endswith("<mark>really</mark>.")
    long = "Bring these on a visit:\n\n" + "\n".join(f"- item number {n} of a long list of things" for n in range(50))
    shown = shown_of("visit", long)
    assert 4 <= shown.count("•") <= 6
    assert shown_of("visit", "Bring these on a visit:\n\n## Elsewhere\n\nText.").endswith("</mark>:")
    assert shown_of("visit", "Bring these on a visit:").endswith("</mark>:")
