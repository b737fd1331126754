"""Where something stands: addresses that the reader's page has, pages, times, and links to a text."""

from __future__ import annotations

import re
from itertools import count

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge import outline
from knowledge.outline import Anchors, clock, fences, second_of, standing, text_fragment, without_time
from knowledge.reader import render

BODY = """# Pumps

Water.

## Filling the `casing`

Open it.

```sh
# not a heading
fill --all
```

### When it does **not** hold ##

Look at the valve.

## Filling the casing

Again.

#hashtag

Last.
"""


def stands(words: str, body: str = BODY, title: str = "Pumps") -> tuple[tuple[str, ...], str]:
    found = standing(body, body.index(words), title, fences(body))
    return found.path, found.anchor


@pytest.mark.parametrize(
    ("words", "path", "anchor"),
    [
        ("Water", (), ""),
        ("Open it", ("Filling the casing",), "s-filling-the-casing"),
        ("fill --all", ("Filling the casing",), "s-filling-the-casing"),
        ("Look at", ("Filling the casing", "When it does not hold"), "s-when-it-does-not-hold"),
        ("Again", ("Filling the casing",), "s-filling-the-casing-2"),
        ("Last", ("Filling the casing",), "s-filling-the-casing-2"),
    ],
)
def test_the_headings_above_and_the_nearest_address(words: str, path: tuple[str, ...], anchor: str) -> None:
    assert stands(words) == (path, anchor)
    assert not anchor or f'id="{anchor}"' in render(BODY, title="Pumps").html


def test_a_first_heading_that_is_not_the_title_counts() -> None:
    assert stands("Water", title="Seals") == (("Pumps",), "s-pumps")


HEADINGS = st.lists(
    st.one_of(
        st.sampled_from(
            ["Part", "Part 2", "part", "", "Größe & Maß", "C++", "a-b", "`x_y` *z*", "ERR_42", "東京", "1."]
        ),
        st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20),
    ),
    min_size=1,
    max_size=12,
)


@hypothesis_settings(max_examples=100, deadline=None)
@given(HEADINGS)
def test_every_heading_has_the_address_that_the_readers_page_gives_it(headings: list[str]) -> None:
    body = "\n\n".join(f"## {heading}\n\nText number {number}." for number, heading in enumerate(headings))
    on_page = [heading.id for heading in render(body).headings]
    found = [standing(body, body.index(f"number {number}."), "", []).anchor for number in range(len(headings))]
    filled = [anchor for anchor, heading in zip(found, headings, strict=True) if heading.strip()]
    assert set(filled) <= set(on_page)
    assert len(set(on_page)) == len(on_page)


def test_addresses_are_never_given_twice() -> None:
    anchors = Anchors()
    given = [anchors.of(text) for text in ("Foo", "Foo 2", "Foo", "foo", "!", "?", "x" * 500)]
    assert given[:4] == ["s-foo", "s-foo-2", "s-foo-3", "s-foo-4"]
    assert len(set(given)) == len(given)
    assert all(re.fullmatch(r"s-[\w-]{1,63}", anchor) for anchor in given)


def test_code_stands_between_its_fences() -> None:
    body = "a ``` b\n```x\none\n```\ntwo\n  ```\nthree"
    found = [body[fence.code : fence.code_end] for fence in fences(body)]
    assert found == ["one\n", "three"]
    assert [body[fence.start : fence.end] for fence in fences(body)] == ["```x\none\n```", "  ```\nthree"]


def test_pages_are_counted_and_the_readers_page_has_their_addresses() -> None:
    body = "One.\n\n\fTwo.\n\n\f- Three."
    assert [outline.page_of(body, body.index(words)) for words in ("One", "Two", "Three")] == [1, 2, 3]
    assert outline.page_of("One.", 2) == 0
    html = render(body).html
    assert re.search('<div (?=[^>]*id="page-2")(?=[^>]*class="page-mark")[^>]*>Page 2</div>', html)
    assert "page-3" in html
    assert "\f" not in html


@pytest.mark.parametrize(
    ("line", "second", "text"),
    [
        ("04:10 Three causes", 250, "Three causes"),
        ("[1:02:03] Three causes", 3723, "Three causes"),
        ("00:04:10.000 --> 00:04:14.500 Three causes", 250, "Three causes"),
        ("(0:07) – Three causes", 7, "Three causes"),
        ("99:99 Three", -1, "99:99 Three"),
        ("Three at 04:10", -1, "Three at 04:10"),
    ],
)
def test_times_of_a_transcript(line: str, second: int, text: str) -> None:
    assert second_of(line, len(line) - 1) == second
    assert without_time(line) == text


def test_what_is_said_without_a_time_belongs_to_the_last_one() -> None:
    body = "00:10 First.\nStill first.\n00:20 Second."
    assert second_of(body, body.index("Still")) == 10
    assert second_of(body, body.index("Second")) == 20
    assert [clock(second) for second in (7, 250, 3723)] == ["0:07", "4:10", "1:02:03"]


def test_links_to_a_text_name_its_beginning_and_its_end() -> None:
    assert text_fragment("Ask first, then go.") == ":~:text=Ask%20first%2C%20then%20go."
    assert text_fragment("one two three four five six seven eight nine ten eleven") == (
        ":~:text=one%20two%20three%20four%20five%20six,eight%20nine%20ten%20eleven"
    )
    assert text_fragment("P-101 · 14 · 4", " · ") == ":~:text=P%2D101,4"
    assert re.fullmatch(r":~:text=[\w.%,~]*", text_fragment('<a href="x">&#\'-*' + "é" * 500))


@given(st.lists(st.sampled_from(["a", "a 2", "a 3", "a-2", "b", "a 2 2", "!"])))
def test_each_heading_has_the_first_address_that_is_free(texts: list[str]) -> None:
    anchors, taken = Anchors(), set[str]()
    for text in texts:
        first = "s-" + (text.replace(" ", "-").strip("!") or "part")
        free = next(one for number in count(1) if (one := f"{first}-{number}" if number > 1 else first) not in taken)
        assert anchors.of(text) == free
        taken.add(free)


def test_thousands_of_headings_of_one_name_are_told_apart_without_counting_up_to_each() -> None:
    """A change log of twenty years, or a page that is meant to keep a server busy."""
    body = "# Notes\n" * 12_000 + "Last."
    assert standing(body, len(body) - 1, "Changes", []).anchor == "s-notes-12000"
    assert render(body).headings[-1].id == "s-notes-12000"
