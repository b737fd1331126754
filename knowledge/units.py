"""What a body is made of, and how each part of it reads in a list: paragraphs, items, rows of tables and code.

Marks of Markdown are taken away: a row shows its cells, code stands in
``<code>``. Every character of the source is escaped here; the only tags are
``<mark>`` and ``<code>``, put around what the caller names.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from operator import attrgetter
from textwrap import dedent

from knowledge.outline import Fence

MAX_UNIT = 4_000
"""Characters weighed of one unit: a text without a single break must not cost more than others."""
CELLS = " · "
"""What stands between the cells of a row."""

DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNIT = re.compile(r"\S[^\n]*(?:\n(?![ \t]*(?:\n|[-*+>] |#|\f|\d+[.)] |[\[(]?\d{1,2}:\d\d))[^\n|]+(?![^\n]))*")
_LEAD = re.compile(r"(?:#{1,6}|[-*+>]|\d+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")
_PIPE = re.compile(r"(?<!\\)\|")
_STARS = re.compile(r"\*(?<![\w*]\*)(\*{0,2})(?=[^\s*])([^*\n]{1,500})(?<=\S)\*\1(?![\w*])")
_BACKTICKS = re.compile("`+")
_LINE = re.compile(r"[^\n]*\S[^\n]*")
_SENTENCE_END = re.compile(r"[.!?…。！？](?:(?<=[。！？])|[\"”’)\]]*(\s+)(?=[^\sa-z]))")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a word of the query stands in a text, and which of the query's words it is."""

    start: int
    end: int
    word: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A paragraph, heading, list item, row of a table or block of code as it stands in the body, and where.

    ``seems`` are beginnings of words of the query that stand in it, ``times`` how often they do together.
    """

    place: int
    raw: str
    code: bool = False
    seems: frozenset[str] = frozenset()
    times: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A unit as it is shown, without the marks of its form. ``code``: the stretches that are code."""

    unit: Unit
    text: str
    code: tuple[tuple[int, int], ...] = ()
    heading: bool = False
    apart: str = ""
    """What stands between parts that are no running text: cells of a row, lines of code."""


def units(body: str, start: int, end: int, code: list[Fence]) -> Iterator[Unit]:
    """Paragraphs, headings, list items, rows of tables and blocks of code, as they stand in the body."""
    for number in range(bisect_right(code, start, key=attrgetter("end")), len(code)):
        fence = code[number]
        if fence.start >= end:
            break
        for match in _UNIT.finditer(body, start, max(start, fence.start)):
            yield Unit(match.start(), match[0][:MAX_UNIT])
        at, until = max(start, fence.code), min(end, fence.code_end)
        if at < until:
            at += len(body[at:until]) - len(body[at:until].lstrip("\n"))
            yield Unit(at, body[at:until][:MAX_UNIT], code=True)
        start = min(end, fence.end)
    for match in _UNIT.finditer(body, start, end):
        yield Unit(match.start(), match[0][:MAX_UNIT])


def text_of(unit: Unit) -> Text:
    """A unit as it is shown: code by its lines, a row by its cells, all else on one line."""
    if unit.code:
        text = dedent(DIRECTION.sub("", unit.raw)).strip("\n")
        return Text(unit, text, ((0, len(text)),), apart="\n")
    raw, apart = unit.raw, ""
    if raw.startswith("|") or (raw.endswith("|") and "\n" not in raw) or (" | " in raw and "`" not in raw):
        cells = [cell.strip().replace("\\|", "|") for cell in _PIPE.split(raw)]
        raw, apart = CELLS.join(cell for cell in cells if any(map(str.isalnum, cell))), CELLS
    else:
        lead = _LEAD.match(raw)
        raw = raw[lead.end() :] if lead else raw
    if not raw.isascii():
        raw = DIRECTION.sub("", raw)
    text = " ".join(raw.split())
    if "*" in text:
        text = _STARS.sub(r"\2", text)
    code: tuple[tuple[int, int], ...] = ()
    if "`" in text:
        text, code = _code_within(text)
    return Text(unit, text, code, unit.raw.startswith("#"), apart)


def _code_within(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line without its backticks, and where what stood between two of them is now."""
    parts = _BACKTICKS.split(text)
    found: list[tuple[int, int]] = []
    at = 0
    for number, part in enumerate(parts):
        if number % 2 and number + 1 < len(parts) and part:
            found.append((at, at + len(part)))
        at += len(part)
    return "".join(parts), tuple(found)


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a line begins and ends."""
    ends = [(match.start(1) if match[1] else match.end(), match.end()) for match in _SENTENCE_END.finditer(text)]
    starts = [0, *(after for _, after in ends)]
    return [(start, end) for start, end in zip(starts, [*(before for before, _ in ends), len(text)], strict=True)
            if end > start]  # fmt: skip


def lines(text: str) -> list[tuple[int, int]]:
    """Where each line that holds something begins and ends."""
    return [(match.start(), match.end()) for match in _LINE.finditer(text)]


def stretches(sentences: list[tuple[int, int]], length: int, most: int) -> Iterator[tuple[int, int, int]]:
    """One sentence, or up to ``most`` that follow each other, as fit; and where the first of them ends."""
    for number, (start, end) in enumerate(sentences):
        if end - start <= length:
            after = [last for _, last in sentences[number : number + most] if last - start <= length]
            yield start, after[-1], end


def word_start(text: str, at: int, latest: int) -> int:
    """A place not before ``at`` where a word begins."""
    if at == 0:
        return 0
    space = text.find(" ", at - 1, latest)
    return space + 1 if space >= 0 else latest


def word_end(text: str, at: int, earliest: int) -> int:
    """A place not after ``at`` where a word ends."""
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", earliest, at + 1)
    return space if space >= 0 else at


def html_of(text: str, spans: list[Span], code: list[tuple[int, int]]) -> str:
    """The text escaped, its spans marked, what is code between ``<code>`` and ``</code>``."""
    if not code:
        return marked(text.strip(), spans) if text[:1].strip() else marked(text, spans).strip()
    parts: list[str] = []
    done = 0
    for start, end in code:
        parts += (_marked_part(text, done, start, spans), "<code>", _marked_part(text, start, end, spans), "</code>")
        done = end
    parts.append(_marked_part(text, done, len(text), spans))
    return "".join(parts).strip()


def _marked_part(text: str, start: int, end: int, spans: list[Span]) -> str:
    inside = [
        Span(max(span.start, start) - start, min(span.end, end) - start, span.word)
        for span in spans
        if span.start < end and span.end > start
    ]
    return marked(text[start:end], inside)


def marked(text: str, spans: Iterable[Span]) -> str:
    """The text escaped, its spans between ``<mark>`` and ``</mark>``, neighbours in one."""
    joined: list[tuple[int, int]] = []
    for span in spans:
        if joined and text[joined[-1][1] : span.start] in ("", " ", "-"):
            joined[-1] = (joined[-1][0], span.end)
        else:
            joined.append((span.start, span.end))
    parts: list[str] = []
    done = 0
    for start, end in joined:
        parts += (escape(text[done:start]), "<mark>", escape(text[start:end]), "</mark>")
        done = end
    parts.append(escape(text[done:]))
    return "".join(parts)
