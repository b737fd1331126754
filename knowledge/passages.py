"""The best sentences of a body for a query, as safe HTML, and where they stand.

Every character of the source is escaped before it leaves this module; the only
tags are the ``<mark>`` put around matching words and the ``<code>`` put around
code here. Whatever a document holds, nothing in it becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise, takewhile

from knowledge import outline
from knowledge.documents import Passage, Query
from knowledge.index.analysis import fold, stem, tokens
from knowledge.ranking import words_of
from knowledge.units import (
    DIRECTION,
    MAX_UNIT,
    Span,
    Text,
    Unit,
    html_of,
    lines,
    marked,
    sentences,
    stretches,
    text_of,
    units,
    word_end,
    word_start,
)

LENGTH = 240
SECOND = 160
"""Characters of a second passage, which has less to say."""
CODE_LINES = 4
"""Lines of code that are shown together."""
MAX_SCANNED = 1_000_000
"""Characters of one body that are looked at."""
MAX_WEIGHED = 8
"""Units (paragraphs, list items, lines) that are weighed against each other: those that seem to hold most words."""
MAX_OPENING = 60
"""Units looked at for how a body begins."""

_WORD = re.compile(
    r"[\w\u00ad\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0981-\u0d63\u0e31\u0e34-\u0e4e\u200b-\u200d]+"
    r"(?:['’ʼ.][\w\u0300-\u036f]+)*(?:\+\+|\#)?"
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_ITEM = re.compile(r"(?:[-*+•‣]|\d{1,3}[.)])\s")
_JOINTS = re.compile(r"[._']")


def highlight(title: str, query: Query, language: str = "") -> str:
    """A title as safe HTML, the query's words marked."""
    return Highlighter(query).title(title, language)


def passage(body: str, query: Query, length: int = LENGTH, language: str = "") -> str:
    """One or two sentences of a body as safe HTML, at most about ``length`` characters, the query's words marked."""
    return Highlighter(query).passages(body, length=length, language=language)[0].html


@dataclass(frozen=True, slots=True)
class _Choice:
    """A stretch of one unit that might be shown, and which of the query's words it holds."""

    weight: float
    of: Text
    start: int
    end: int
    words: frozenset[int] = frozenset()
    cut_before: bool = False
    cut_after: bool = False


@dataclass(frozen=True, slots=True)
class _Body:
    """The text of one document and what is known of its form."""

    text: str
    title: str
    code: list[outline.Fence]
    transcript: bool

    def original(self, at: int) -> tuple[str, str, str]:
        """Where the character ``at`` stands in the original: in words, as the end of an address, and as an anchor."""
        if page := outline.page_of(self.text, at):
            return f"page {page}", f"page={page}", outline.page_anchor(page)
        second = outline.second_of(self.text, at) if self.transcript else -1
        return (outline.clock(second), f"t={second}", "") if second >= 0 else ("", "", "")


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
        title = DIRECTION.sub("", title)
        return marked(title, self._spans(title, language))

    def passages(
        self,
        body: str,
        *,
        title: str = "",
        language: str = "",
        transcript: bool = False,
        length: int = LENGTH,
        meant: tuple[int, int] | None = None,
    ) -> tuple[Passage, ...]:
        """The best passage; and a second one where it holds words of the query that the first lacks.

        ``transcript``: lines of the body may begin with a time. ``meant``: the
        characters of the body that are nearest in meaning, shown where none of
        the query's words stands in it.
        """
        body = body[:MAX_SCANNED]
        code = outline.fences(body) if "```" in body else []
        likely = self._likely_units(body, language, code)
        best = self._best(likely, length, language)
        by_meaning = best is None and meant is not None
        if best is None:
            chosen = [_opening(body, code, length, meant)]
        elif len(best.words) < len(self.words) and (more := self._lacking(likely, best, language)):
            chosen = [best, more]
        else:
            chosen = [best]
        known = _Body(body, title, code, transcript)
        return tuple(self._shown(one, known, language, by_meaning) for one in chosen)

    def _best(self, likely: list[Unit], length: int, language: str) -> _Choice | None:
        """The best stretch of the units that seem to hold most."""
        best: _Choice | None = None
        for unit in nlargest(MAX_WEIGHED, likely, key=lambda unit: (len(unit.seems), -unit.place)):
            promise = len(unit.seems)
            most = promise + 0.4 * (promise - 1) + 0.05 * min(unit.times, 6)
            if best and best.weight >= _earlier(most, unit):
                continue  # this unit cannot weigh more
            choice = self._best_of(unit, length, language)
            if choice and (best is None or choice.weight > best.weight):
                best = choice
        return best

    def _lacking(self, likely: list[Unit], first: _Choice, language: str) -> _Choice | None:
        """The best stretch elsewhere, by the words that the first one lacks."""
        seen = first.of.unit.seems
        others = [unit for unit in likely if unit is not first.of.unit and not unit.seems <= seen]
        best: _Choice | None = None
        for unit in nlargest(2, others, key=lambda unit: (len(unit.seems - seen), -unit.place)):
            choice = self._best_of(unit, SECOND, language, without=first.words)
            if choice and not choice.of.heading and (best is None or choice.weight > best.weight):
                best = choice
        return best

    def _shown(self, choice: _Choice, known: _Body, language: str, by_meaning: bool) -> Passage:
        """A stretch as the page shows it, with the way to its place."""
        at, found = choice.of.unit.place, bool(choice.words) or by_meaning
        if choice.of.heading and found and (below := _below(known.text, choice.of.unit, known.code)):
            choice = _beginning(below, LENGTH)  # the heading stands in the path: what it is about says more
        start = choice.start
        if known.transcript and start == 0:
            start = len(choice.of.text) - len(outline.without_time(choice.of.text))
        text = choice.of.text[start : choice.end]
        code = [(max(begin, start) - start, min(end, choice.end) - start) for begin, end in choice.of.code]
        html = html_of(text, self._spans(text, language), [(begin, end) for begin, end in code if begin < end])
        html = f"{'…' if choice.cut_before else ''}{html}{'…' if choice.cut_after else ''}"
        if text.endswith(":") and choice.end == len(choice.of.text) and not choice.of.code:
            html += "".join(self._introduced(known, choice.of.unit, language))
        if not found:
            return Passage(html)
        where = outline.standing(known.text, at, known.title, known.code)
        mark, there, page = known.original(at)
        place = (where.anchor or page) + outline.text_fragment(text, choice.of.apart)
        return Passage(html, " › ".join(where.path), place, mark, there, by_meaning)

    def _introduced(self, known: _Body, above: Unit, language: str) -> Iterator[str]:
        """What a unit that ends with a colon leads to, as safe HTML: the list or code below it, as far as it fits."""
        start = above.place + len(above.raw)
        room = SECOND
        for unit in units(known.text, start, min(len(known.text), start + MAX_UNIT), known.code):
            if room <= 0 or not (unit.code or _ITEM.match(unit.raw)):
                return
            shown = _beginning(text_of(unit), room)
            text = shown.of.text[: shown.end]
            code = [(begin, min(end, shown.end)) for begin, end in shown.of.code if begin < shown.end]
            yield f" {'' if unit.code else '• '}{html_of(text, self._spans(text, language), code)}"
            yield "…" if shown.cut_after else ""
            room = 0 if unit.code else room - len(text)

    def _wanted(self, language: str) -> _Wanted:
        if language not in self._languages:
            self._languages[language] = _Wanted.of(self.words, language)
        return self._languages[language]

    def _likely_units(self, body: str, language: str, code: list[outline.Fence]) -> list[Unit]:
        """The units in which a word of the query seems to begin."""
        if not self.words:
            return []
        beginnings = self._wanted(language).likely
        folded = fold(body)
        same = len(folded) == len(body)  # else folding moved the characters, and every unit is looked at
        promising = []
        for start, end in _paragraphs(folded, beginnings) if same else iter([(0, len(body))]):
            for unit in units(body, start, end, code):
                text = folded[unit.place : unit.place + len(unit.raw)] if same else fold(unit.raw)
                if seems := beginnings.findall(text):
                    promising.append(Unit(unit.place, unit.raw, unit.code, frozenset(seems), len(seems)))
        return promising

    def _best_of(self, unit: Unit, length: int, language: str, without: frozenset[int] = frozenset()) -> _Choice | None:
        """The stretch of one unit that holds most of the query's words, or `None` where it holds none.

        Words ``without`` which it is weighed count for nothing.
        """
        of = text_of(unit)
        spans = self._spans(of.text, language)
        if without:
            spans = [span for span in spans if span.word not in without]
        if not spans:
            return None
        parts = lines(of.text) if unit.code else sentences(of.text)
        best: tuple[float, int, int, list[Span]] | None = None
        for start, end, first_end in stretches(parts, length, CODE_LINES if unit.code else 2):
            inside = [span for span in spans if start <= span.start and span.end <= end]
            if inside and inside[0].start < first_end:  # a stretch begins with what was asked for
                weight = self._weight(inside)
                if best is None or weight > best[0]:
                    best = (weight, start, end, inside)
        if best is None:  # the words stand in a sentence too long to show
            start, end, inside = self._window(of.text, spans, length)
            best = (self._weight(inside), start, end, inside)
        weight, start, end, inside = best
        return _Choice(
            _earlier(weight * (0.6 if of.heading else 1.0), unit),  # headings say little of themselves
            of,
            start,
            end,
            frozenset(span.word for span in inside),
            cut_before=start not in (0, *(begin for begin, _ in parts)),
            cut_after=end not in (len(of.text), *(finish for _, finish in parts)),
        )

    def _weight(self, spans: list[Span]) -> float:
        """Different words of the query count most, then words side by side, then how often they stand there."""
        if not spans:
            return 0.0
        beside = sum(
            1 for one, two in pairwise(spans) if two.word - one.word == 1 and 0 < two.start - one.end <= 2
        )  # fmt: skip
        return len({span.word for span in spans}) + 0.4 * beside + 0.05 * min(len(spans), 6)

    def _window(self, text: str, spans: list[Span], length: int) -> tuple[int, int, list[Span]]:
        """The stretch of ``length`` characters, cut between words, that holds most of the spans."""
        best: tuple[int, int, list[Span]] = (0, min(length, len(text)), [])
        for number, first in enumerate(spans):
            inside = [span for span in spans[number : number + 40] if span.end - first.start <= length] or [first]
            if self._weight(inside) > self._weight(best[2]):
                margin = max(0, length - (inside[-1].end - first.start)) // 3
                start = word_start(text, max(0, first.start - margin), first.start)
                last = min(inside[-1].end, start + length)
                end = word_end(text, min(len(text), start + length), last)
                best = (start, end, inside)
        return best

    def _spans(self, text: str, language: str) -> list[Span]:
        """Every place of a word of the query in the text, in order."""
        if not self.words:
            return []
        wanted = self._wanted(language)
        found: list[Span] = []
        for match in _likely_words(text, wanted.likely):
            word = match[0]
            if _UNSPACED.search(word):
                found += self._pairs(word, match.start())
                continue
            number = wanted.number(word, language)
            if number is not None:
                found.append(Span(match.start(), match.end(), number))
        return found

    def _pairs(self, run: str, start: int) -> list[Span]:
        """Places of the query's words in a run of a script without spaces."""
        folded = fold(run)
        if len(folded) != len(run):
            return []
        places = {
            (match.start(), match.end()): number
            for number, word in enumerate(self.words)
            for match in re.finditer(re.escape(word), folded)
        }
        found: list[Span] = []
        for (begin, end), number in sorted(places.items()):
            if found and start + begin < found[-1].end:  # pairs of characters overlap
                found[-1] = Span(found[-1].start, max(start + end, found[-1].end), found[-1].word)
            else:
                found.append(Span(start + begin, start + end, number))
        return found


def _earlier(weight: float, unit: Unit) -> float:
    """A weight by where its unit stands: of equals the earlier one is what the reader meets first."""
    return weight / (1 + 0.00002 * unit.place)


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


def _opening(body: str, code: list[outline.Fence], length: int, meant: tuple[int, int] | None) -> _Choice:
    """How a body, or the stretch that is ``meant``, begins: headings are left out unless there is nothing else."""
    start, end = meant or (0, len(body))
    heading: Text | None = None
    for number, unit in enumerate(units(body, start, end, code)):
        of = text_of(unit)
        if number > MAX_OPENING:
            break
        if of.heading or not any(map(str.isalnum, of.text)):
            heading = heading or of
        else:
            return _beginning(of, length)
    return _beginning(heading or Text(Unit(start, ""), ""), length)


def _below(body: str, heading: Unit, code: list[outline.Fence]) -> Text | None:
    """What stands first under a heading, if it is text."""
    start = heading.place + len(heading.raw)
    for unit in units(body, start, min(len(body), start + MAX_UNIT), code):
        of = text_of(unit)
        if of.heading:
            return None
        if any(map(str.isalnum, of.text)):
            return of
    return None


def _beginning(of: Text, length: int) -> _Choice:
    """The first sentences of a unit, or lines of code, that fit."""
    text = of.text
    if of.unit.code:
        ends = [end for _, end in lines(text)][:CODE_LINES]
    elif len(text) <= length:
        return _Choice(0.0, of, 0, len(text))
    else:
        ends = [end for _, end in sentences(text)]
    ends = [end for end in ends if end <= length]
    end = ends[-1] if ends else word_end(text, min(length, len(text)), 0)
    return _Choice(0.0, of, 0, end, cut_after=not ends and end < len(text))
