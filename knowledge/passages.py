"""The best sentences of a body for a query, as safe HTML.

Every character of the source is escaped before it leaves this module; the only
tags are the ``<mark>`` put around matching words here. Whatever a document
holds, nothing in it becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nlargest
from html import escape
from itertools import pairwise, takewhile

from knowledge.documents import Query
from knowledge.index.analysis import fold, stem, tokens
from knowledge.ranking import words_of

LENGTH = 240
MAX_SCANNED = 1_000_000
"""Characters of one body that are looked at."""
MAX_WEIGHED = 8
"""Units (paragraphs, list items, lines) that are weighed against each other: those that seem to hold most words."""
MAX_OPENING = 60
"""Units looked at for how a body begins."""
MAX_UNIT = 4_000
"""Characters weighed of one unit: a text without a single break must not cost more than others."""

_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNIT = re.compile(r"\S[^\n]*(?:\n(?![ \t]*(?:\n|[-*+>#|] |#|```|\d+[.)] ))[^\n]+)*")
_LEAD = re.compile(r"(?:#{1,6}|[-*+>|]|\d+[.)])[ \t]+|```\w*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’)\]]*\s+(?=[^\sa-z])|(?<=[。！？])")
_WORD = re.compile(
    r"[\w\u00ad\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0981-\u0d63\u0e31\u0e34-\u0e4e\u200b-\u200d]+"
    r"(?:['’ʼ.][\w\u0300-\u036f]+)*(?:\+\+|\#)?"
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_JOINTS = re.compile(r"[._']")


def highlight(title: str, query: Query, language: str = "") -> str:
    """A title as safe HTML, the query's words marked."""
    return Highlighter(query).title(title, language)


def passage(body: str, query: Query, length: int = LENGTH, language: str = "") -> str:
    """One or two sentences of a body as safe HTML, at most about ``length`` characters, the query's words marked."""
    return Highlighter(query).passage(body, length, language)


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a word of the query stands in a text, and which of the query's words it is."""

    start: int
    end: int
    word: int


@dataclass(frozen=True, slots=True)
class _Choice:
    """A stretch of one unit that might be shown."""

    weight: float
    text: str
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A query's words in one language: what may stand for which of them, and how any form of them begins."""

    words: dict[str, int]
    likely: re.Pattern[str]
    met: dict[str, int | None]
    """Written words looked at so far."""

    @classmethod
    def of(cls, words: tuple[str, ...], language: str) -> _Wanted:
        found: dict[str, int] = {}
        for number, word in enumerate(words):
            found.setdefault(word, number)
            found.setdefault(stem(word, language), number)
        starts = sorted({_start(word, stem(word, language).rpartition(":")[2]) for word in words})
        return cls(found, re.compile("|".join(map(re.escape, starts))), {})

    def number(self, word: str, language: str) -> int | None:
        """Which of the query's words a written word is, if any."""
        if word not in self.met:
            self.met[word] = next((self.words[term] for term in _terms(word, language) if term in self.words), None)
        return self.met[word]


class Highlighter:
    """Finds one query's words in the texts of many documents."""

    def __init__(self, query: Query) -> None:
        self.words = words_of(query)
        self._languages: dict[str, _Wanted] = {}

    def title(self, title: str, language: str = "") -> str:
        """As `highlight`."""
        title = _DIRECTION.sub("", title)
        return _marked(title, self._spans(title, language))

    def passage(self, body: str, length: int = LENGTH, language: str = "") -> str:
        """As `passage`."""
        best: _Choice | None = None
        for promise, place, unit in self._likely_units(body, language):
            if best and best.weight > promise + 0.4 * (promise - 1) + 0.3:
                break  # this unit cannot weigh more, nor can those after it
            choice = self._best_of(unit, length, language, early=-place)
            if choice and (best is None or choice.weight > best.weight):
                best = choice
        if best is None:
            best = _opening(body, length)
        inside = _marked(best.text, self._spans(best.text, language))
        return f"{'…' if best.cut_before else ''}{inside}{'…' if best.cut_after else ''}"

    def _wanted(self, language: str) -> _Wanted:
        if language not in self._languages:
            self._languages[language] = _Wanted.of(self.words, language)
        return self._languages[language]

    def _likely_units(self, body: str, language: str) -> list[tuple[int, int, str]]:
        """The units that promise most, judged by how many words of the query seem to begin there: that number, the
        place of the unit in the body as a negative number, the unit."""
        if not self.words:
            return []
        likely = self._wanted(language).likely
        body = body[:MAX_SCANNED]
        folded = fold(body)
        same = len(folded) == len(body)  # else folding moved the characters, and every unit is looked at
        parts = _paragraphs(folded, likely) if same else iter([(0, len(body))])
        promising = []
        for start, end in parts:
            for place, unit in _units(body, start, end):
                text = folded[place : place + len(unit)] if same else fold(unit)
                if words := len(set(likely.findall(text))):
                    promising.append((words, -place, unit))
        return nlargest(MAX_WEIGHED, promising)

    def _best_of(self, unit: str, length: int, language: str, early: int) -> _Choice | None:
        """The stretch of one unit that holds most of the query's words, or `None` where it holds none."""
        text, heading = _plain(unit)
        spans = self._spans(text, language)
        if not spans:
            return None
        sentences = _sentences(text)
        best: tuple[float, int, int] | None = None
        for start, end, first_end in _stretches(sentences, length):
            inside = [span for span in spans if start <= span.start and span.end <= end]
            if inside and inside[0].start < first_end:  # a stretch begins with what was asked for
                weight = self._weight(inside)
                if best is None or weight > best[0]:
                    best = (weight, start, end)
        if best is None:  # the words stand in a sentence too long to show
            start, end, inside = self._window(text, spans, length)
            best = (self._weight(inside), start, end)
        weight, start, end = best
        # Headings say little of themselves, and of equals the earlier one is what the reader meets first.
        return _Choice(
            weight * (0.6 if heading else 1.0) / (1 + 0.00002 * early),
            text[start:end].strip(),
            cut_before=start not in (0, *(begin for begin, _ in sentences)),
            cut_after=end not in (len(text), *(finish for _, finish in sentences)),
        )

    def _weight(self, spans: list[_Span]) -> float:
        """Different words of the query count most, then words side by side, then how often they stand there."""
        if not spans:
            return 0.0
        beside = sum(
            1 for one, two in pairwise(spans) if two.word - one.word == 1 and 0 < two.start - one.end <= 2
        )  # fmt: skip
        return len({span.word for span in spans}) + 0.4 * beside + 0.05 * min(len(spans), 6)

    def _window(self, text: str, spans: list[_Span], length: int) -> tuple[int, int, list[_Span]]:
        """The stretch of ``length`` characters, cut between words, that holds most of the spans."""
        best: tuple[int, int, list[_Span]] = (0, min(length, len(text)), [])
        for number, first in enumerate(spans):
            inside = [span for span in spans[number : number + 40] if span.end - first.start <= length] or [first]
            if self._weight(inside) > self._weight(best[2]):
                margin = max(0, length - (inside[-1].end - first.start)) // 3
                start = _word_start(text, max(0, first.start - margin), first.start)
                last = min(inside[-1].end, start + length)
                end = _word_end(text, min(len(text), start + length), last)
                best = (start, end, inside)
        return best

    def _spans(self, text: str, language: str) -> list[_Span]:
        """Every place of a word of the query in the text, in order."""
        if not self.words:
            return []
        wanted = self._wanted(language)
        found: list[_Span] = []
        for match in _likely_words(text, wanted.likely):
            word = match[0]
            if _UNSPACED.search(word):
                found += self._pairs(word, match.start())
                continue
            number = wanted.number(word, language)
            if number is not None:
                found.append(_Span(match.start(), match.end(), number))
        return found

    def _pairs(self, run: str, start: int) -> list[_Span]:
        """Places of the query's words in a run of a script without spaces."""
        folded = fold(run)
        if len(folded) != len(run):
            return []
        places = {
            (match.start(), match.end()): number
            for number, word in enumerate(self.words)
            for match in re.finditer(re.escape(word), folded)
        }
        found: list[_Span] = []
        for (begin, end), number in sorted(places.items()):
            if found and start + begin < found[-1].end:  # pairs of characters overlap
                found[-1] = _Span(found[-1].start, max(start + end, found[-1].end), found[-1].word)
            else:
                found.append(_Span(start + begin, start + end, number))
        return found


def _likely_words(text: str, likely: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """The words of a text that may be the query's; all of them where folding moved the characters."""
    folded = fold(text)
    if len(folded) != len(text) or (not text.isascii() and _UNSPACED.search(text)):
        yield from _WORD.finditer(text)
        return
    done = 0
    for start in (match.start() for match in likely.finditer(folded)):
        if start < done or (start and folded[start - 1].isalnum()):
            continue
        word = _WORD.match(text, start)
        if word:
            done = word.end()
            yield word


def _start(word: str, term: str) -> str:
    """What every form of the word begins with (policy, policies: polic; moved, moving: mov)."""
    shared = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, term, strict=False)))
    return shared[:-1] if len(shared) > 3 and shared[-1] in "eiy" else shared or word


def _terms(word: str, language: str) -> Iterator[str]:
    """What a written word may be found by: its stem, then those of its parts."""
    for token in tokens(word):
        yield token
        yield stem(token, language)
        if not token.isalnum():
            for part in _JOINTS.split(token):
                if len(part) > 1:
                    yield stem(part, language)


def _paragraphs(folded: str, likely: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where the parts between empty lines that hold something likely begin and end."""
    end = 0
    while match := likely.search(folded, end):
        start = folded.rfind("\n\n", end, match.start())
        start = end if start < 0 else start
        end = folded.find("\n\n", match.end())
        end = len(folded) if end < 0 else end
        yield start, end


def _units(body: str, start: int = 0, end: int = MAX_SCANNED) -> Iterator[tuple[int, str]]:
    """Paragraphs, headings, list items and lines of tables, as they stand in the body, and where."""
    for match in _UNIT.finditer(body, start, end):
        yield match.start(), match[0][:MAX_UNIT]


def _plain(unit: str) -> tuple[str, bool]:
    """A unit without the marks it begins with, on one line; whether it is a heading."""
    lead = _LEAD.match(unit)
    text = _DIRECTION.sub("", " ".join(unit[lead.end() if lead else 0 :].split()))
    return text, unit.startswith("#")


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a line begins and ends."""
    ends = [(match.start(), match.end()) for match in _SENTENCE_END.finditer(text)]
    starts = [0, *(after for _, after in ends)]
    return [(start, end) for start, end in zip(starts, [*(before for before, _ in ends), len(text)], strict=True)
            if end > start]  # fmt: skip


def _stretches(sentences: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int, int]]:
    """One sentence, or two that follow each other, where they fit; and where the first of them ends."""
    for number, (start, end) in enumerate(sentences):
        if end - start > length:
            continue
        after = sentences[number + 1][1] if number + 1 < len(sentences) else end
        yield start, after if after - start <= length else end, end


def _word_start(text: str, at: int, latest: int) -> int:
    """A place not before ``at`` where a word begins."""
    if at == 0:
        return 0
    space = text.find(" ", at - 1, latest)
    return space + 1 if space >= 0 else latest


def _word_end(text: str, at: int, earliest: int) -> int:
    """A place not after ``at`` where a word ends."""
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", earliest, at + 1)
    return space if space >= 0 else at


def _opening(body: str, length: int) -> _Choice:
    """How a body begins, its headings left out unless there is nothing else."""
    heading = ""
    for number, (_, unit) in enumerate(_units(body)):
        text, is_heading = _plain(unit)
        if is_heading or not any(char.isalnum() for char in text):
            heading = heading or text
        elif text:
            break
        if number > MAX_OPENING:
            text = heading
            break
    else:
        text = heading
    if len(text) <= length:
        return _Choice(0.0, text, cut_before=False, cut_after=False)
    ends = [end for _, end in _sentences(text) if end <= length]
    end = ends[-1] if ends else _word_end(text, length, 0)
    return _Choice(0.0, text[:end].strip(), cut_before=False, cut_after=not ends)


def _marked(text: str, spans: Iterable[_Span]) -> str:
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
