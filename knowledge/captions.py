"""Captions of a video, WebVTT or SubRip, as text to be read: what is said in lines, each with its time before it.

Captions are cut for a screen: a sentence runs over several of them, and live
ones show each line again while it rolls up. Here a line goes on to the end of
a sentence where it can, and what was shown twice is said once. The times are
written as `outline.second_of` reads them back.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from knowledge.front import HIDDEN, NOBODY, front_matter
from knowledge.markup import Extracted, clean, clean_line, titled
from knowledge.outline import clock
from knowledge.sandbox import ExtractionError

ENOUGH, LONGEST = 80, 240
"""Characters after which a line ends with its sentence, and after which it ends anyway."""
MOST_SECONDS, PAUSE = 30.0, 4.0
"""Seconds that one line may cover, and of silence after which another one begins."""
AGAIN = 0.5
"""Seconds between two captions that follow each other: what the second one repeats was not said twice."""
REMEMBERED, CERTAIN = 60, 3
"""Words that may be shown again, and how many in a row are no chance."""

NOTHING = (
    "It holds no captions with times. Each stands below a line such as 00:00:01.000 --> 00:00:04.000: export them "
    "again as WebVTT (.vtt) or SubRip (.srt)."
)
SILENT = "Its captions hold no words, as those of pictures and chapters may: export the ones that hold what is said."
UNREAD = (
    "it names an audience where none is read, so nobody sees it until a line such as “audience: finance” stands "
    "directly below WEBVTT"
)

_MOMENT = r"(?:(\d{1,2}):)?([0-5]?\d):([0-5]\d)(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"[ \t]{{0,20}}{_MOMENT}[ \t]{{0,20}}-{{1,2}}>[ \t]{{0,20}}{_MOMENT}(?=[ \t]|$)")
_VALUE = re.compile(r"[A-Za-z][\w-]{0,39}:[ \t]")
_AUDIENCE = re.compile(r"\baudience\W{0,9}[:=：]", re.I)
_VOICE = re.compile(r"<v(?:\.[^\s<>]{0,200})?[ \t]+([^<>\n]{1,200})>")
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|v|rt|ruby|lang|font|span|br|em|strong)(?:[.\s][^<>]{0,300})?/?>|<\d{1,2}:[\d:.]{4,12}>"
    r"|\{\\[^{}]{0,200}\}|\{[YyCc]:[^{}]{0,50}\}",
    re.I,
)
_PICTURE = re.compile(r"\S+#xywh=[\d,.]+$")
_SENTENCE_ENDS = re.compile(r"[.!?…。！？♪][\"”’)\]]*$")


@dataclass(frozen=True, slots=True)
class Caption:
    """What is shown from one second to another: texts, each with the name of its speaker if that is known."""

    start: float
    end: float
    said: tuple[tuple[str, str], ...]


def transcript(text: str) -> Extracted:
    """What captions say. Raises `ExtractionError` where there are none.

    Values may stand before them (``title``, ``url`` of the video, ``audience``,
    ``language`` and what front matter knows else): directly below the line
    ``WEBVTT``, or as front matter.
    """
    front, rest, reason = front_matter(clean(text))
    lines = rest.lstrip().split("\n")
    first = next((number for number, line in enumerate(lines) if _times(line)), None)
    if first is None:
        raise ExtractionError(NOTHING)
    web = lines[0].startswith("WEBVTT")
    head, unread = _head(lines[:first], values=web and not front)
    front, reason = {**front, **head}, unread or reason
    captions = sorted(_captions(lines[first:], strict=web), key=lambda one: one.start)
    body = "\n\n".join(_lines(captions))
    if not body:
        raise ExtractionError(SILENT)
    turned = sum(one.end < one.start for one in captions)
    wrong = f"{turned} of its captions end before they begin: look whether the video has them at the right time"
    notes = tuple(filter(None, (reason, wrong if turned else "")))
    return replace(titled([], front, ""), body=body, front={**front, "kind": "video"}, notes=notes)


def _head(lines: Sequence[str], *, values: bool) -> tuple[dict[str, Any], str]:
    """The values in a WebVTT file's head, read as front matter; an audience that stands elsewhere is nobody."""
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    said = [line for line in lines[1:end] if values and _VALUE.match(line)]
    front, _, reason = front_matter("\n".join(["---", *said, "---", ""])) if said else ({}, "", "")
    if "audience" not in front and _AUDIENCE.search(HIDDEN.sub("", "\n".join(lines))):
        return {**front, **NOBODY}, UNREAD
    return front, reason


def _times(line: str) -> tuple[float, float] | None:
    """When a caption begins and ends, if this is the line that says so."""
    found = _TIMES.match(line) if "->" in line else None
    if found is None:
        return None
    parts = found.groups(default="0")
    start, end = (
        int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(part.ljust(3, "0")) / 1000
        for hours, minutes, seconds, part in (parts[:4], parts[4:])
    )
    return start, end


def _captions(lines: Sequence[str], *, strict: bool) -> Iterator[Caption]:
    """Each caption in the order of the file. ``strict``: an empty line ends it; what follows is a note or a style."""
    when: tuple[float, float] | None = None
    shown: list[str] = []
    for line in [*lines, None]:
        times = _times(line) if line is not None else None
        if line is not None and times is None:
            shown.append(line)
            continue
        if times and shown and shown[-1].strip().isdecimal():
            shown.pop()  # the number of the caption that begins here
        if when:
            yield Caption(*when, tuple(_said(shown, strict=strict)))
        when, shown = times, []


def _said(lines: Iterable[str], *, strict: bool) -> Iterator[tuple[str, str]]:
    """What a caption's lines say: (speaker, text), marks and styles taken away."""
    speaker = ""
    for line in lines:
        if strict and not line:  # one with a blank in it is shown, as an empty line
            return
        for number, part in enumerate(_VOICE.split(line)):
            if number % 2:
                speaker = clean_line(html.unescape(part), 80)
            elif (words := " ".join(html.unescape(_TAG.sub("", part)).split())) and not _PICTURE.match(words):
                yield speaker, words


@dataclass(slots=True)
class _Line:
    """A line that is being written."""

    start: float
    speaker: str
    text: str

    def goes_on(self, start: float, ended: float, speaker: str) -> bool:
        """Whether what this speaker says from ``start`` on belongs into it; the last caption ``ended`` then."""
        full = len(self.text) >= LONGEST or (len(self.text) >= ENOUGH and _SENTENCE_ENDS.search(self.text))
        return not full and speaker == self.speaker and start - ended < PAUSE and start - self.start < MOST_SECONDS


def _lines(captions: Iterable[Caption]) -> Iterator[str]:
    """The lines of the transcript."""
    line: _Line | None = None
    named = ""
    last: list[str] = []
    before: set[int] = set()
    ended = 0.0
    for caption in captions:
        follows = caption.start <= ended + AGAIN
        parts: set[int] = set()
        for speaker, text in caption.said:
            words = text.split()
            parts |= {len(words)}
            new = words[_shown_again(words, last, before) :] if follows else words
            last = [*last, *new][-REMEMBERED:]
            if not new:
                continue
            if line and line.goes_on(caption.start, ended, speaker):
                line.text += " " + " ".join(new)
                continue
            if line:
                yield _written(line, named)
                named = line.speaker
            line = _Line(caption.start, speaker, " ".join(new))
        before, ended = parts, max(ended, caption.end, caption.start)
    if line:
        yield _written(line, named)


def _written(line: _Line, named: str) -> str:
    """A line as `outline.second_of` reads it; its speaker is named where it is another one than before."""
    speaker = f"{line.speaker}: " if line.speaker and line.speaker != named else ""
    return f"{clock(int(line.start))} {speaker}{line.text}"


def _shown_again(words: Sequence[str], last: Sequence[str], before: Iterable[int]) -> int:
    """How many words were just said: all, a whole line (of the lengths ``before``), or more than chance makes."""
    for count in range(min(len(words), len(last)), 0, -1):
        enough = count >= CERTAIN or count == len(words) or count in before
        if enough and words[count - 1] == last[-1] and list(words[:count]) == list(last[-count:]):
            return count
    return 0
