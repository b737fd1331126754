"""Where in a body something stands: under which headings, on which page, at which second, and how a link leads there.

`reader` gives the headings of its page the same addresses, because both ask
`Anchors`. A body is cleaned text (see `documents.Document`): headings begin a
line with ``#``, code stands between fences, and a form feed begins each
further page of a paginated original.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote

PREFIX = "s-"
PAGE = "\f"
"""What stands between two pages of a body."""
LONGEST = 60
WHOLE, FIRST, LAST = 10, 6, 4
"""Words of a passage that its link names: all of so many, else the first and the last."""

_QUOTED = {code: f"%{code:02X}" for code in range(128) if not chr(code).isalnum() and chr(code) not in "._~"}
_WORDS = re.compile(r"[^\W_]+")
_LINK = re.compile(r"\[([^\[\]]{0,300})\]\([^()\s]{0,500}\)")
_MARKS = re.compile(r"[`*]+|[ \t]+#+$")
_HEADING = re.compile(r"#{1,6}(?=[ \t])")
_TIME = re.compile(r"^[ \t]*[\[(]?((?:\d{1,2}:)?[0-5]?\d:[0-5]\d)(?:[.,]\d{1,3})?[\])]?(?=\s)", re.M)


class Anchors:
    """Addresses for the headings of one body, from their words; a heading that comes again gets a number."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        """Each address, and the last number that was put behind it: a thousandth *Notes* is not counted up to."""

    def of(self, text: str) -> str:
        """The address of the next heading."""
        slug = PREFIX + ("-".join(_WORDS.findall(text.casefold()))[:LONGEST].strip("-") or "part")
        given, number = slug, self._given.get(slug, 1)
        while given in self._given:
            number += 1
            given = f"{slug}-{number}"
        self._given[slug] = number
        self._given.setdefault(given, 1)
        return given


def heading_text(line: str) -> str:
    """What a ``#`` line says, as a reader sees it."""
    text = line.lstrip("#").strip()
    text = _LINK.sub(r"\1", text) if "](" in text else text
    text = unescape(text) if "&" in text else text
    return _MARKS.sub("", text)


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code: where its opening line begins, its code, and where its closing line ends."""

    start: int
    code: int
    code_end: int
    end: int


def fences(body: str) -> list[Fence]:
    """Every fenced block of a body, in order; one that is never closed goes to the end."""
    found: list[Fence] = []
    opened: tuple[int, int] | None = None
    at = body.find("```")
    while at >= 0:
        line, end = body.rfind("\n", 0, at) + 1, body.find("\n", at)
        end = len(body) if end < 0 else end
        if not body[line:at].strip():
            if opened is None:
                if "`" not in body[at:end].lstrip("`"):  # else it is code within a line of text
                    opened = line, min(end + 1, len(body))
            elif not body[at:end].strip("` \t"):
                found.append(Fence(*opened, max(line, opened[1]), end))
                opened = None
        at = body.find("```", end)
    if opened:
        found.append(Fence(*opened, len(body), len(body)))
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """Where something stands: the headings above it, the highest first, and the address of the nearest."""

    path: tuple[str, ...] = ()
    anchor: str = ""


def standing(body: str, at: int, title: str, code: list[Fence]) -> Standing:
    """Where the character ``at`` stands; a first heading that repeats the title is not counted, as on the page."""
    anchors = Anchors()
    path: list[tuple[int, str, str]] = []
    first = True
    for start, level in _headings(body, at, code):
        end = body.find("\n", start)
        text = heading_text(body[start : end if end >= 0 else len(body)])
        if first and not body[:start].strip() and text.casefold() == title.casefold():
            first = False
            continue
        first = False
        while path and path[-1][0] >= level:
            path.pop()
        path.append((level, text, anchors.of(text)))
    if not path:
        return Standing()
    return Standing(tuple(text for _, text, _ in path if text), path[-1][2])


def _headings(body: str, until: int, code: list[Fence]) -> Iterator[tuple[int, int]]:
    """Where each heading begins that stands not after ``until``, outside code, and how deep it is."""
    starts = [fence.start for fence in code]
    start = 0 if body.startswith("#") else body.find("\n#") + 1
    while body.startswith("#", start) and start <= until:
        mark = _HEADING.match(body, start)
        if mark:
            before = bisect_right(starts, start) - 1
            if before < 0 or code[before].end <= start:
                yield start, mark.end() - start
        after = body.find("\n#", start + 1)
        if after < 0:
            return
        start = after + 1


def page_of(body: str, at: int) -> int:
    """On which page of a paginated original the character ``at`` stands; 0 where there are no pages."""
    return body.count(PAGE, 0, at) + 1 if PAGE in body else 0


def page_anchor(page: int) -> str:
    """The address, on the resource's own page here, of a page of the original."""
    return f"page-{page}"


def second_of(body: str, at: int) -> int:
    """At which second of what a transcript writes down the line of ``at`` is said; -1 where no time is given."""
    end = body.find("\n", at)
    said = _TIME.findall(body, 0, len(body) if end < 0 else end)
    return sum(int(part) * 60**n for n, part in enumerate(reversed(said[-1].split(":")))) if said else -1


def without_time(text: str) -> str:
    """A line of a transcript without the time that it begins with."""
    while _TIME.match(text):  # a range of two times, too
        text = _TIME.sub("", text, count=1).lstrip(" \t-–>")
    return text


def clock(second: int) -> str:
    """A time in a video as players show it: 4:10, 1:02:03."""
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def text_fragment(text: str, apart: str = "") -> str:
    """The directive that makes a browser find and mark ``text`` on a page.

    ``apart`` is what stands between parts that are no running text on the page (cells, lines of code): then the
    first and the last part are named.
    """
    parts = [part for part in (text.split(apart) if apart else [text]) if part.strip()]
    if len(parts) < 2:
        words = text.split()
        parts = [text] if len(words) <= WHOLE else [" ".join(words[:FIRST]), " ".join(words[-LAST:])]
    named = parts[:1] if len(parts) == 1 else [parts[0], parts[-1]]
    return ":~:text=" + ",".join(_quoted(_short(part.strip())) for part in named)


def _quoted(text: str) -> str:
    """For an address; a dash, a comma or an ampersand would mean something else in the directive."""
    return text.translate(_QUOTED) if text.isascii() else quote(text, safe="").replace("-", "%2D")


def _short(text: str, most: int = 100) -> str:
    """The beginning of a text, cut between words where it can be."""
    return text if len(text) <= most else text[:most].rpartition(" ")[0] or text[:most]
