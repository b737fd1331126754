"""A stranger's text as HTML: what stays, what goes, and where its headings stand."""

from __future__ import annotations

import pytest
from django.utils.html import escape

from knowledge.reader import LIMIT, render


def test_a_first_heading_that_repeats_the_title_is_left_out() -> None:
    assert "Pumps" not in render("# Pumps\n\nText", title="pumps").html
    assert "Seals" in render("# Seals\n\nText", title="Pumps").html


def test_headings_stand_below_the_title_and_skip_no_level() -> None:
    reading = render("# One\n\n### Deep\n\n# Two\n\n## Under\n\n###### Deepest", title="Pumps")
    assert [(heading.text, heading.level) for heading in reading.headings] == [
        ("One", 2), ("Deep", 3), ("Two", 2), ("Under", 3), ("Deepest", 4),
    ]  # fmt: skip
    assert all(f'<h{heading.level} id="{heading.id}">' in reading.html for heading in reading.headings)


def test_links_are_resolved_and_lead_outside_without_telling_from_where() -> None:
    html = render("[a](../b.md) [c](https://else.example/)", base="https://here.example/docs/a/").html
    assert 'href="https://here.example/docs/b.md" rel="noopener noreferrer"' in html
    assert 'href="https://else.example/" rel="noopener noreferrer"' in html


def test_a_relative_link_without_an_address_to_resolve_it_keeps_its_words_alone() -> None:
    assert render("[words](b.md)").html == '<p><a rel="noopener noreferrer">words</a></p>\n'


@pytest.mark.parametrize("target", ["javascript:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://x/"])
def test_only_web_addresses_are_linked(target: str) -> None:
    assert "href" not in render(f"[x]({target})", base="https://here.example/").html


def test_pictures_become_their_words() -> None:
    html = render("![a pump, opened](https://tracker.example/1.png)").html
    assert html == "<p>a pump, opened</p>\n"


def test_html_is_text() -> None:
    assert render("<b>x</b><script>y</script>").html == "<p>&lt;b&gt;x&lt;/b&gt;&lt;script&gt;y&lt;/script&gt;</p>\n"


def test_tables_and_code_scroll_where_the_keyboard_reaches_them() -> None:
    assert 'class="scroll-x" tabindex="0"' in render("| a |\n|---|\n| 1 |").html
    assert '<pre tabindex="0"><code>x &lt; y' in render("```python\nx < y\n```").html


def test_only_the_beginning_of_a_very_long_text_is_shown() -> None:
    assert not render("word").cut
    assert render("word " * LIMIT).cut
    assert len(render("word " * LIMIT).html) < LIMIT * 1.1


@pytest.mark.parametrize(
    "text",
    [
        "|" + "a|" * 3000 + "\n|" + "-|" * 3000 + "\n" + "|\n" * 40_000,
        "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n" + "x\n" * 1000,
        "> |" + "a|" * 300 + "\n> |" + "-|" * 300 + "\n" + "> x\n" * 1000,
        "|a\n|-\n" + "a\n" * 50_000,
        "[" * LIMIT,
        "[*" * LIMIT,
        "![" * LIMIT,
        "[\n" * LIMIT,
        "a\n-\n" * LIMIT,
        "- a\n" * LIMIT,
        "a\n\n" * LIMIT,
        "*_" * LIMIT,
        "`" * LIMIT,
    ],
)
def test_text_that_is_all_marks_is_shown_as_it_is_written(text: str) -> None:
    reading = render("<b>&\n" + text)
    assert reading.html == f'<pre tabindex="0">{escape(("<b>&" + chr(10) + text)[:LIMIT])}</pre>\n'
    assert reading.headings == ()
    assert reading.cut == (len(text) + 5 > LIMIT)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "See [the page](https://a.example/b) for *more* of `it`.\n\n" * LIMIT,
        "- an item of the list, with **words**\n" * LIMIT,
        "|a|b|c|\n|-|-|-|\n" + "|one|two words|three|\n" * LIMIT,
        "|a|b|c|d|e|f|g|h|i|j|\n" * 2 + "\n" + "Words and words that say something.\n" * LIMIT,
        "# A heading\n\nA paragraph of some words, as they are.\n\n" * LIMIT,
        "    a line of code(with, some[0], words)\n" * LIMIT,
        "word " * LIMIT,
    ],
)
def test_long_everyday_text_is_read_as_markdown(text: str) -> None:
    assert render("~~gone~~\n\n" + text).html.startswith("<p><s>gone</s></p>")


def test_each_table_is_a_region_with_a_name_of_its_own() -> None:
    html = render("| a |\n|---|\n| 1 |\n\nText\n\n| b |\n|---|\n| 2 |").html
    assert [f'aria-label="Table {n}"' in html for n in (1, 2, 3)] == [True, True, False]
