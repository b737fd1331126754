"""Files as clean text: every format, and bytes that mean harm."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from docx import Document as WordDocument
from openpyxl import Workbook
from pptx import Presentation
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from knowledge.extract import ExtractionError, Limits, extract, format_of, markdown, plain, restructured
from knowledge.markup import title_of_name


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def pdf(*pages: str, title: str = "") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    if title:
        canvas.setTitle(title)
    for page in pages:
        canvas.drawString(72, 700, page)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def word(*paragraphs: str) -> bytes:
    document = WordDocument()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    return saved(document)


# Markdown -------------------------------------------------------------------------------------------------------------

PAGE = """---
title: "Leave & *holidays*"
tags: [time off, pay]
lang: en-GB
---
<!-- a note
for editors -->
# Annual leave #

<% content_for :sidebar %>{% include menu.html %}
Ask your [line
manager](https://example.com/people "who?") for **twenty-five
days**, see ![a picture](x.png) [the policy][policy] and <b>rest</b>.

* one
+ two {: .wide}

Setext
------

| Day | Who |
|-----|-----|
| Mon | `<Ana>` |

```ruby
<%= keep[1](this) %> **as it is**
```

[policy]: https://example.com/policy
"""


def test_markdown_keeps_words_and_shape_and_drops_the_rest() -> None:
    page = markdown(PAGE)
    assert page.title == "Leave & holidays"
    assert page.front["tags"] == ["time off", "pay"]
    assert page.language == "en-gb"
    assert page.headings == ("Annual leave", "Setext")
    assert page.body == (
        "# Annual leave\n\nAsk your line\nmanager for twenty-five\ndays, see  the policy and rest.\n\n"
        "- one\n- two\n\n## Setext\n\n| Day | Who |\n|-----|-----|\n| Mon | `<Ana>` |\n\n"
        "```ruby\n<%= keep[1](this) %> **as it is**\n```"
    )


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("# Leave\n\nAsk.", "Leave", "Ask."),
        ("Words first.\n\n# Leave\n\nAsk.", "Leave", "Words first.\n\n# Leave\n\nAsk."),
        ("Words first.\n\n## Background\n\nMore.", "The file", "Words first.\n\n## Background\n\nMore."),
        ("## Opening\n\nMore.", "Opening", "More."),
        ("Only words.", "The file", "Only words."),
        ("```\n# no heading\n```", "The file", "```\n# no heading\n```"),
        ("---\n\nA rule and words.", "The file", "A rule and words."),
        ("---\n- a\n- b\n---\n\nA list.", "The file", "- a\n- b\n\nA list."),
        ("", "The file", ""),
    ],
)
def test_the_title_is_a_top_heading_or_the_name(text: str, title: str, body: str) -> None:
    page = markdown(text, title="The file")
    assert (page.title, page.body) == (title, body)


@pytest.mark.parametrize(
    "front",
    [
        "title: a: b",
        "a: &x [1]\nb: *x",
        "\t\ttitle: x",
        "when: 2024-13-45",
        "[" * 5000,
        "x: " + "y" * 40_000,
    ],
)
def test_front_matter_that_cannot_be_read_leaves_the_page(front: str) -> None:
    page = extract(f"---\n{front}\n---\n# Leave\n\nAsk.".encode(), "leave.md")
    assert (page.title, page.body) == ("Leave", "Ask.")
    assert len(page.notes) == 1
    assert "front matter" in page.notes[0]


def test_front_matter_that_cannot_be_read_but_names_an_audience_is_for_nobody() -> None:
    page = extract(b"---\naudience: [finance\ntitle: a: b\n---\n# Pay\n\nSecret.", "pay.md")
    assert page.front["audience"] == []
    assert "nobody" in page.notes[0]


def test_dates_in_front_matter_arrive_as_text() -> None:
    assert extract(b"---\ndate: 2024-02-03\n---\nx", "a.md").front["date"] == "2024-02-03"


def test_restructured_text() -> None:
    page = restructured(
        "=====\nGuide\n=====\n\n.. _label:\n\nSee :ref:`the rules <rules>` and `a site <https://x.example>`_.\n\n"
        "Steps\n-----\n\n* run ``make``::\n\n    make all\n\n.. note:: Mind\n   the gap.\n\n"
        ".. image:: x.png\n   :alt: no\n"
    )
    assert page.title == "Guide"
    assert page.body == (
        "See the rules and a site.\n\n## Steps\n\n- run `make`:\n\n```\nmake all\n```\n\nMind\nthe gap."
    )


# Encodings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "content_type", "said"),
    [
        ("\ufeffÜber".encode(), "", "Über"),
        ("Über uns".encode("utf-16"), "", "Über uns"),
        ("Größe und Maß".encode("latin-1"), "text/markdown; charset=latin-1", "Größe und Maß"),
        (("Größe und Maß für die Prüfung. " * 9).encode("cp1252"), "", "Größe und Maß"),
        (b"gut" + b" \xff\xfe\xc3\x28 " + "schön, größer, müde".encode(), "text/plain; charset=nonsense", "schön"),
        ("pensées 💡 مرحبا".encode(), "", "pensées 💡 مرحبا"),
        (b"a\x00\x08b\x1b[31mc\xed\xa0\x80", "", "c"),
    ],
)
def test_encodings_never_raise(data: bytes, content_type: str, said: str) -> None:
    if b"\x00" in data and not data.startswith(b"\xff\xfe"):
        with pytest.raises(ExtractionError):
            extract(data, "a.txt")
        data = data.replace(b"\x00", b"")
    body = extract(data, "a.txt", content_type).body
    assert said in body
    body.encode()
    assert "\x1b" not in body


def test_marks_of_direction_are_no_part_of_a_title() -> None:
    assert extract("# invoice \u202efdp.exe\u2069".encode(), "a.md").title == "invoice fdp.exe"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("guides/annual-leave.html.md.erb", "Annual leave"),
        ("guides/index.md", "Guides"),
        ("README.md", "README"),
        ("v1.2 notes.txt", "V1.2 notes"),
        ("💡.md", "💡"),
        (".md", ".md"),
        ("a\nline\tof\x07two.md", "A line of two"),
        ("a\\u000aline.md", "A line"),
        ("notes\\x85/index.md", "Notes"),
        ("caf\\xe9 hours.md", "Caf hours"),
    ],
)
def test_a_name_makes_a_title(name: str, title: str) -> None:
    assert title_of_name(name) == title


def test_formats_are_told_by_name_or_content_type() -> None:
    assert format_of("a/b.html.md.erb") == "markdown"
    assert format_of("a/B.PDF") == "pdf"
    assert format_of("a.exe") == format_of("pdf") == ""
    assert format_of("a/", "text/html; charset=utf-8") == "html"
    with pytest.raises(ExtractionError, match=r"\.docx"):
        extract(b"MZ", "setup.exe")
    assert extract(b"<h1>Leave</h1><p>Ask.", "page.md", "text/html").title == "Leave"
    assert plain("one\r\n\r\n\r\ntwo  ").body == "one\n\ntwo"


# Web pages ------------------------------------------------------------------------------------------------------------

HTML = """<!doctype html><html lang="de"><head><title>Urlaub | Haus</title>
<link rel="canonical" href="/leave"><meta name="robots" content="NoIndex"><meta name="author" content="Ana Lima">
<meta property="article:modified_time" content="2024-05-06T07:08:09Z"><script>var x = "script words";</script></head>
<body><nav><a href="/menu">menu words</a></nav><div class="cookie-banner">cookie words</div>
<main><h1>Urlaub</h1><p>Fragen Sie <b>Ihre</b> <a href="/lead#x">Leitung</a>.<ul><li>eins<li>zwei</ul>
<pre>a  b
  c</pre><table><tr><th>Tag<th>Wer<tr><td>Mo<td>Ana</table></main><footer>footer words</footer></body></html>"""


def test_a_web_page() -> None:
    page = extract(HTML.encode(), "leave.html")
    assert page.title == "Urlaub"
    assert page.body == (
        "Fragen Sie Ihre Leitung.\n\n- eins\n- zwei\n\n```\na  b\n  c\n```\n\n"
        "| Tag | Wer |\n| --- | --- |\n| Mo | Ana |"
    )
    assert (page.language, page.canonical, page.robots, page.authors) == ("de", "/leave", "noindex", ("Ana Lima",))
    assert page.links == ("/menu", "/lead#x")
    assert page.updated == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def test_the_main_part_of_a_crowded_page() -> None:
    words = "Whoever travels by train books the ticket early and keeps the receipt for the claim. "
    crowd = "".join(f"<div><a href='/{n}'>Another headline number {n} about other things</a></div>" for n in range(60))
    page = extract(f"<html><body>{crowd}<div><h1>Trains</h1><p>{words * 20}</p></div></body></html>".encode(), "a.html")
    assert page.title == "Trains"
    assert "keeps the receipt" in page.body
    assert "headline number 30" not in page.body


@pytest.mark.parametrize(
    "text",
    [
        "<p>kept words",
        "<table><tr><td>kept words</b></i></table></table>",
        "<div>" * 100_000 + "kept words",
        "<p " + 'a="b" ' * 10_000 + ">kept words</p>",
        "<?xml version='1.0' encoding='utf-16'?><html><body>kept words</body></html>",
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><p>kept words &e;</p>",
    ],
)
def test_malformed_web_pages_are_read_as_far_as_they_go(text: str) -> None:
    page = extract(text.encode(), "a.html")
    assert "kept words" in page.body or text.startswith("<div>")  # the parser cuts what is nested beyond its depth
    with open("/etc/hostname") as file:
        assert file.read().strip() not in page.body


def test_an_empty_web_page_says_so() -> None:
    assert extract(b" \n", "a.html").notes


# Office and PDF -------------------------------------------------------------------------------------------------------


def test_word() -> None:
    document = WordDocument()
    document.add_heading("Travel", 0)
    document.add_heading("By train", 2)
    document.add_paragraph("Book early.")
    document.add_paragraph("first", style="List Bullet")
    table = document.add_table(2, 2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("Day", "Who", "Mon", "A|na"), strict=True):
        cell.text = text
    document.core_properties.author = "Ana Lima"
    document.core_properties.modified = datetime(2024, 5, 6)  # noqa: DTZ001 - as the format keeps it
    page = extract(saved(document), "travel.docx")
    assert page.title == "Travel"
    assert page.body == "## By train\n\nBook early.\n\n- first\n\n| Day | Who |\n| --- | --- |\n| Mon | A/na |"
    assert page.authors == ("Ana Lima",)
    assert page.updated == datetime(2024, 5, 6, tzinfo=UTC)


def test_slides() -> None:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Plan"
    slide.placeholders[1].text = "Ask first\nThen do"
    slide.notes_slide.notes_text_frame.text = "Speak slowly."
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Thanks"
    page = extract(saved(deck), "plan.pptx")
    assert (page.title, page.body) == ("Plan", "- Ask first\n- Then do\n\nSpeak slowly.\n\n## Thanks")


def test_pdf() -> None:
    page = extract(pdf("Always wear a hat.", "Second page.", title="Hat rules"), "hats.pdf")
    assert (page.title, page.body) == ("Hat rules", "Always wear a hat.\n\n\fSecond page.")
    assert extract(pdf("Words."), "hat-rules.pdf").title == "Hat rules"


def test_a_scan_says_what_helps() -> None:
    page = extract(pdf(""), "scan.pdf")
    assert "OCR" in page.notes[0]


def test_a_pdf_of_too_many_pages_is_read_so_far() -> None:
    page = extract(pdf(*(f"Page {n}." for n in range(30))), "long.pdf", limits=Limits(pages=5))
    assert "Page 4." in page.body
    assert "Page 5." not in page.body
    assert "first 5 of 30 pages" in page.notes[0]


@pytest.mark.parametrize("algorithm", ["RC4-128"])
def test_a_locked_pdf(algorithm: str) -> None:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf("Secret."))))
    writer.encrypt("a password", algorithm=algorithm)
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(ExtractionError, match="password: save a copy without one"):
        extract(buffer.getvalue(), "locked.pdf")


def bomb(inner: str, mega: int) -> bytes:
    """A real document with one part that unpacks to so many MB of zeros."""
    buffer = io.BytesIO(word("Hello."))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(inner, "w") as part:
        for _ in range(mega):
            part.write(b"\0" * 1_000_000)
    return buffer.getvalue()


def laughs() -> bytes:
    """A Word document whose text is an entity that stands for a billion others."""
    entities = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    words = "<w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p></w:body>"
    text = f'<!DOCTYPE x [{entities}]><w:document xmlns:w="{space}">{words}</w:document>'
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word("Hello."))) as source, zipfile.ZipFile(target, "w") as archive:
        for member in source.infolist():
            data = text.encode() if member.filename == "word/document.xml" else source.read(member)
            archive.writestr(member, data)
    return target.getvalue()


LOCKED_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("bomb.docx", lambda: bomb("word/media/zeros.bin", 60), "archive bomb"),
        ("bomb.pptx", lambda: bomb("ppt/zeros.bin", 60), "archive bomb"),
        ("locked.docx", lambda: LOCKED_OFFICE, "password"),
        ("old.docx", lambda: LOCKED_OFFICE[:500], "before 2007"),
        ("text.docx", lambda: b"no archive", "damaged"),
        ("cut.docx", lambda: word("Hello.")[:3000], "damaged"),
        ("other.docx", lambda: saved(Workbook()), "damaged"),
        ("cut.pdf", lambda: pdf("Hello.")[:300], "damaged"),
        ("image.md", lambda: b"\x89PNG\r\n\x1a\n\0\0\0", "no text"),
    ],
)
def test_what_cannot_be_read_says_why_and_the_cure(name: str, make: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(ExtractionError, match=reason) as told:
        extract(make(), name)
    assert ":" in str(told.value)


def test_a_billion_laughs_are_not_laughed() -> None:
    try:
        body = extract(laughs(), "laughs.docx", limits=Limits(memory_mb=400, seconds=10)).body
    except ExtractionError:
        return
    assert len(body) < 1_000_000
