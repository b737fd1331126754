"""The card of six routes as a page shows it: each figure in words, and where it stands on its stave, for SVG.

`routes` decides and this module only says so. Times are drawn on one axis of
working hours that narrows as it goes on: an hour today and a course in three
weeks both have to be seen. Whatever is drawn stands in words beside it. Lessons
about what a row is with are no part of what is weighed, nor kept with it: they
are read each time, as far as the viewer may read them then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import log1p
from typing import TYPE_CHECKING

from django.utils import formats, timezone

from immersive.work.acts import Act
from immersive.work.routes import NAMES, Card, Reason, Route, Row, Situation
from immersive.work.weighing import Weighed, percent, weighing
from knowledge.explain import listed
from knowledge.pages import Note, notes

if TYPE_CHECKING:
    from immersive.work.advice import Shown
    from immersive.work.models import Task
    from immersive.work.plan import Planned
    from immersive.work.working_time import Clock
    from knowledge.access import Viewer

A_DAY, A_WEEK, A_MONTH = 8.0, 40.0, 160.0
"""Working hours."""
MARKS = ((1.0, "1 h"), (A_DAY, "1 day"), (A_WEEK, "1 week"), (A_MONTH, "1 month"))
BEGINS, ENDS = 2.0, 96.0
"""Where an axis begins and ends, in percent of its width: a point needs room."""
CROWDED = 18.0
"""How near two words of an axis may stand, in percent of its width."""
GLYPHS = {
    Route.DO: "self", Route.TOOL: "tool", Route.HAND_OVER: "ask", Route.MENTOR: "mentor", Route.INFORMAL: "informal",
    Route.FORMAL: "formal",
}  # fmt: skip
TOO_LATE = "Nothing is likely to be done before it is due, so that day hardly counts here."
LITTLE = "By what you said of its topics there is hardly anything to learn here, whichever way you go."
LEARNS = ("Nothing new", "A little", "A good deal", "Most of it")
MISSING = {
    Route.TOOL: "a tool that does it", Route.HAND_OVER: "somebody who could take it on",
    Route.MENTOR: "somebody to work on it with", Route.INFORMAL: "something to read or watch", Route.FORMAL: "a course",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stave:
    """A range with its point, places in percent of the stave's width."""

    low: str
    mid: str
    high: str


@dataclass(frozen=True)
class Line:
    """One route on the page."""

    row: Row
    rank: int
    by: str
    takes: str
    time: Stave
    late: bool
    best: bool
    weighed: tuple[Weighed, ...]
    """Each of its figures with where it comes from."""
    step: str = ""
    """The token of the step of the plan that it was chosen as."""
    notes: Sequence[Note] = ()
    """Lessons about what it is with, the newest first."""
    act: Act | None = None
    """How it is begun."""

    @property
    def route(self) -> Route:
        """Which of the six."""
        return self.row.route

    @property
    def name(self) -> str:
        """What the route is called."""
        return NAMES[self.row.route]

    @property
    def beside(self) -> bool:
        """Whether what it is opens beside the task: what can be read does, people have pages of their own."""
        return self.row.route in (Route.TOOL, Route.INFORMAL, Route.FORMAL)

    @property
    def glyph(self) -> str:
        """What is drawn for the route."""
        return GLYPHS[self.row.route]

    @property
    def choice(self) -> str:
        """What is posted to choose it."""
        return f"{self.row.route}:{self.row.candidate.key}"

    @cached_property
    def chances(self) -> tuple[float, float]:
        """The range of the chance that it works, 0..1."""
        return self.row.odds.chance.range

    @cached_property
    def chance(self) -> Stave:
        """The chance that it works, from 0 to 100."""
        low, high = self.chances
        return Stave(*(f"{100 * part:.1f}%" for part in (low, self.row.odds.chance.mean, high)))

    @property
    def chance_range(self) -> str:
        """The range of the chance in words."""
        return "{:.0f} to {:.0f}".format(*(100 * part for part in self.chances))

    @property
    def pips(self) -> str:
        """What one would learn, as three dots."""
        return "●" * self.row.level + "○" * (3 - self.row.level)

    @property
    def learns(self) -> str:
        """What one would learn, in words."""
        return LEARNS[self.row.level]

    @property
    def cost(self) -> str:
        """What it costs others, and the price."""
        who = self.row.candidate.title.split()[0] if self.row.candidate.title else ""
        hours = f"{hours_of(self.row.others)} of {who or 'somebody'}" if self.row.others else ""
        price = self.row.candidate.price
        return ", ".join(part for part in (hours, price if re.search(r"\d", price) else "") if part) or "None"

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What speaks for it, each without the full stop that follows it."""
        return tuple(replace(reason, text=reason.text.rstrip(". ")) for reason in self.row.candidate.reasons)

    @property
    def basis(self) -> str:
        """What the chance rests on, in a few words."""
        return basis(self.row)


@dataclass(frozen=True)
class Look:
    """The card: its reading in a sentence, its lines on one axis, and what could not be found.

    ``chosen``: tokens of steps, by route and key. ``inferred``: as `weighing.weighing` takes it. ``notes``: lessons,
    by the key of the candidate that they concern. ``task``: whose routes are begun here.
    """

    card: Card
    situation: Situation
    clock: Clock
    now: datetime
    chosen: Mapping[tuple[str, str], str] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    inferred: int = 0
    notes: Mapping[str, Sequence[Note]] = field(default_factory=dict)
    task: Task | None = None

    @property
    def left(self) -> float | None:
        """Working hours until it is due; nothing where it is not."""
        return self.situation.hours_left

    @cached_property
    def lines(self) -> list[Line]:
        """The routes in their order."""
        return [self._line(rank, row) for rank, row in enumerate(self.card.rows, 1)]

    def _line(self, rank: int, row: Row) -> Line:
        usual, low, high = row.done_in
        task, one = self.task, row.candidate
        return Line(
            row,
            rank,
            by=moment(self.clock.after(self.now, usual), self.now),
            takes=between(low, high),
            time=Stave(*(self.at(hours) for hours in (low, usual, high))),
            late=self.left is not None and usual > self.left,
            best=rank == 1 and self.card.recommended and len(self.card.rows) > 1,
            weighed=weighing(row, self.situation, self.inferred),
            step=self.chosen.get((row.route, one.key), ""),
            notes=self.notes.get(one.key, ()),
            act=Act(row.route, task.public_id, one.title, one.key, one.web, one.access, one.at) if task else None,
        )

    @cached_property
    def most(self) -> float:
        """Working hours at the end of the axis."""
        ends = [row.done_in[2] for row in self.card.rows] + [A_DAY, self.left or 0.0]
        return min(max(ends), 2 * A_MONTH)

    def at(self, hours: float) -> str:
        """Where so many working hours stand on the axis."""
        return f"{self._part(hours):.1f}%"

    def _part(self, hours: float) -> float:
        return BEGINS + (ENDS - BEGINS) * log1p(2 * min(max(hours, 0.0), self.most)) / log1p(2 * self.most)

    @property
    def marks(self) -> list[tuple[str, str]]:
        """Where the grid of the axis runs, and what stands there: nothing where "due" stands."""
        due = self._part(self.left) if self.due and self.left is not None else None
        shown = [(self._part(hours), words) for hours, words in MARKS if hours < self.most * 0.9]
        return [
            (f"{at:.1f}%", "" if due is not None and -CROWDED < at - due < CROWDED else words) for at, words in shown
        ]

    @property
    def due(self) -> str:
        """Where it is due; nothing where it is not, or not on this axis."""
        return self.at(self.left) if self.left is not None and self.left <= self.most else ""

    @property
    def lede(self) -> str:
        """The advice in a sentence or two."""
        lines = self.lines
        if not lines:
            return "There is nothing to weigh yet."
        if len(lines) == 1:
            return "Nothing is found that could help, so it is yours for now."
        first = lines[0]
        if not self.card.recommended:
            return f"These are close: {listed([_lower(line.name) for line in lines[: self.card.close]])}."
        return f"{_said(first)}. {self._in_time(first)}"

    @property
    def more(self) -> str:
        """What stands below the advice: why it is no clearer, or what comes second."""
        lines = self.lines
        if len(lines) < 2:
            return ""
        return " ".join(filter(None, (self._beside(lines), LITTLE if self._nothing_to_learn else "")))

    @property
    def _nothing_to_learn(self) -> bool:
        return self.situation.lean > 0.5 and not any(row.level for row in self.card.rows)

    def _beside(self, lines: Sequence[Line]) -> str:
        if not self.card.recommended:
            late = [line for line in lines[: self.card.close] if line.late]
            words = "What we know does not tell them apart, so their order says nothing: choose what suits you."
            if self.card.too_late:
                return f"{words} {TOO_LATE}"
            return f"{words} {listed([line.name for line in late])} would probably be late." if late else words
        return f"Second best: {_lower(_said(lines[1]))}."

    def _in_time(self, line: Line) -> str:
        if self.left is None:
            return f"It would be done {line.by}, and works with a chance of {percent(line.row.odds.chance.mean)}."
        if self.card.too_late:
            return f"It would be done {line.by}. {TOO_LATE}"
        if line.late:
            return f"It would be done {line.by}, which is later than it is due, and still it looks best."
        return f"It would be done {line.by}, before it is due."

    @property
    def missing(self) -> str:
        """Routes for which there is nothing, in words."""
        found = {row.route for row in self.card.rows}
        return ", ".join(words for route, words in MISSING.items() if route not in found)


def look(task: Task, shown: Shown, planned: Sequence[Planned], viewer: Viewer) -> Look:
    """The card as the page of its task shows it to its owner now (one question to the database)."""
    above = notes(shown.resources.values(), viewer)
    return Look(
        shown.card,
        shown.situation,
        shown.clock,
        timezone.now(),
        chosen={one.key: one.token for one in planned},
        stale=shown.stale,
        inferred=shown.inferred,
        notes={key: above[one.pk] for key, one in shown.resources.items() if one.pk in above},
        task=task,
    )


def basis(row: Row) -> str:
    """What a chance rests on: how many outcomes of which tasks, or that there is nothing but a starting guess."""
    odds = row.odds
    if odds.guessed:
        return "No data yet, our starting guess."
    with_it = "like this of yours" if row.route is Route.DO else "with this one"
    told = [counted(odds.own, "task") + f" {with_it}"] * bool(odds.own)
    told += [f"{odds.outcomes} {odds.scope.removeprefix('all ')}"] * bool(odds.outcomes)
    begins = f"Begins at {percent(odds.guess)}, for how sure you are; moved by" if row.route is Route.DO else "From"
    return f"{begins} how {listed(told)} went."


def moment(when: datetime, now: datetime) -> str:
    """A moment to come as people say it, to the next quarter: today 15:00, tomorrow 10:00, Fri 10:15, 4 December."""
    when += timedelta(minutes=-when.minute % 15)
    days = (when.date() - now.astimezone(when.tzinfo).date()).days
    clock = formats.date_format(when, "H:i")
    if days <= 0:
        return f"today {clock}"
    if days == 1:
        return f"tomorrow {clock}"
    if days < 7:
        return f"{formats.date_format(when, 'D')} {clock}"
    return str(formats.date_format(when, "j F" if when.year == now.year else "j F Y"))


def between(low: float, high: float) -> str:
    """A range of working hours in words: 1 to 3 h, 2 to 5 days, 3 to 4 weeks."""
    for size, unit in ((A_WEEK, "weeks"), (A_DAY, "days")):
        if high >= 2 * size and low >= 0.75 * size:
            first, last = round(low / size), round(high / size)
            return f"{first} to {last} {unit}" if first < last else f"{last} {unit}"
    if high < 1.5:
        return f"{max(5, 5 * round(12 * low))} to {max(10, 5 * round(12 * high))} min"
    return f"{_short(low)} to {_short(high)} h"


def hours_of(hours: float) -> str:
    """Working hours in words."""
    return f"{_short(hours)} h"


def _short(hours: float) -> str:
    return f"{hours:.0f}" if hours >= 3 else f"{round(2 * hours) / 2:g}"


def counted(count: int, noun: str) -> str:
    """So many of something."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _said(line: Line) -> str:
    title = line.row.candidate.title
    joined = {Route.DO: "", Route.HAND_OVER: f" to {title}", Route.MENTOR: f", {title}"}
    return line.name + joined.get(line.route, f": {title}")


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]
