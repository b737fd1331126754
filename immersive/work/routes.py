"""Six routes to get a task done, weighed against each other: pure, so that the same input gives the same card.

Each route has a chance that it works (a Beta distribution: a starting guess
that weighs as much as eight outcomes, and the outcomes that were logged), the
working hours until it is done, what one learns by it and what it costs
others. What is wanted, delivering or learning, weighs these into one worth.
The first is recommended only where it is the best with a probability of .80;
else those that may be the best are called close, and their order is drawn
with a seed that is kept. Formulas: SCIENCE, section 6.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from math import erf, exp, log, sqrt

from immersive.work.chances import STRENGTH, Chance, best

SURE_ENOUGH = 0.80
"""How likely a route must be the best to be recommended."""
MAY_BE_BEST = 0.10
"""A route that is less likely the best than this is not called close."""
LITTLE_HOPE = 0.20
"""Where no route is as likely in time as this, the day it is due counts less and less, down to nothing."""
FEW = 5
"""Outcomes below which a wider stratum is looked at."""
GUESS = "our starting guess"
DOES_THE_JOB = 0.6
"""From this fit on a tool does the job, and stands before any course where delivering counts more."""


class Route(StrEnum):
    """One way to get a task done."""

    DO = "do"
    TOOL = "tool"
    HAND_OVER = "hand_over"
    MENTOR = "mentor"
    INFORMAL = "informal"
    FORMAL = "formal"


NAMES = {
    Route.DO: "Do it yourself", Route.TOOL: "Use a tool", Route.HAND_OVER: "Hand over",
    Route.MENTOR: "Work with a mentor", Route.INFORMAL: "Learn informally", Route.FORMAL: "Learn formally",
}  # fmt: skip
"""What people read."""


class Difficulty(StrEnum):
    """How hard a task is, as its owner says or as like tasks were."""

    EASY = "easy"
    USUAL = "usual"
    HARD = "hard"


HOURS = {Difficulty.EASY: 0.75, Difficulty.USUAL: 2.0, Difficulty.HARD: 6.0}
"""Starting guesses: working hours of somebody who can do it."""
SPREAD = 0.7
"""How far hours lie apart, as the standard deviation of their logarithm: 80 % lie between .4 and 2.5 times."""
ALIKE = {
    Difficulty.EASY: "tasks as easy as this", Difficulty.USUAL: "tasks no harder than usual",
    Difficulty.HARD: "tasks as hard as this",
}  # fmt: skip
HARDER = {Difficulty.EASY: 0.1, Difficulty.USUAL: 0.0, Difficulty.HARD: -0.1}
"""What difficulty adds to a starting guess of a chance."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Logged outcomes: how many, and how many of them worked (halves count half).

    ``hours``: the geometric mean of the working hours of the ``timed`` among them.
    """

    worked: float = 0.0
    outcomes: int = 0
    hours: float = 1.0
    timed: int = 0

    def __add__(self, other: Counts) -> Counts:
        timed = self.timed + other.timed
        hours = exp((self.timed * log(self.hours) + other.timed * log(other.hours)) / timed) if timed else 1.0
        return Counts(self.worked + other.worked, self.outcomes + other.outcomes, hours, timed)

    def __sub__(self, part: Counts) -> Counts:
        """What is left without ``part``, which is some of these."""
        timed = self.timed - part.timed
        hours = exp((self.timed * log(self.hours) - part.timed * log(part.hours)) / timed) if timed else 1.0
        return Counts(self.worked - part.worked, self.outcomes - part.outcomes, hours, timed)

    def hours_beside(self, guess: float) -> float:
        """Working hours, where a starting guess weighs as much as `STRENGTH` outcomes."""
        return exp((STRENGTH * log(guess) + self.timed * log(self.hours)) / (STRENGTH + self.timed))


@dataclass(frozen=True, slots=True)
class Situation:
    """What the worker said: how sure (0..1), which part of the topics they know (0..1), deliver 0 to learn 1.

    ``hours_left``: working hours until it is due, `None` where it is not.
    """

    sure: float
    known: float
    lean: float = 0.5
    difficulty: Difficulty = Difficulty.USUAL
    hours_left: float | None = None

    @property
    def band(self) -> str:
        """How sure, in three bands: strata of five would stay empty too long."""
        return "low" if self.sure < 0.4 else "middle" if self.sure < 0.6 else "high"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a route, in words, and where it can be opened."""

    text: str
    url: str = ""


Stratum = tuple[Route, Difficulty | None, str | None]
History = Mapping[Stratum, Counts]
"""Outcomes by route, difficulty and band; `None` for "any"."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a route would be for this task: a tool, a person, something to read, a course; or the worker alone.

    ``fit``: how well it matches, 0..1. ``hours``: working hours of one's own that it takes, `None` for the guess;
    ``minutes``: those of reading or watching alone. ``begins_in``: working hours until it can begin, ``on``: the day,
    where there is one. ``others``: hours of other people, ``left``: what they show of their week. ``past``: outcomes
    of tasks like this one, by this very candidate; ``counted``: those of them that the history holds as well, by
    stratum, so that none counts twice. ``at``: where it says most about the task, as the end of ``url``. ``web``:
    where it is outside the portal.
    """

    route: Route
    fit: float = 1.0
    key: str = ""
    title: str = ""
    url: str = ""
    hours: float | None = None
    begins_in: float = 0.0
    others: float = 0.0
    minutes: int | None = None
    price: str = ""
    access: str = ""
    on: date | None = None
    left: str = ""
    at: str = ""
    web: str = ""
    past: Counts = Counts()
    counted: History = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Odds:
    """The chance that a route works and what it rests on: the starting guess, a scope in words and its outcomes, and
    how many of the candidate itself."""

    chance: Chance
    scope: str
    outcomes: int
    own: int = 0
    guess: float = 0.0

    @property
    def guessed(self) -> bool:
        """Whether nothing but the starting guess is behind it."""
        return not self.outcomes and not self.own


@dataclass(frozen=True, slots=True)
class Row:
    """One route on the card. ``done_in``: working hours until it is done, the usual and an 80 % range; ``timed``: how
    many outcomes told it."""

    candidate: Candidate
    odds: Odds
    done_in: tuple[float, float, float]
    learns: float
    others: float
    worth: float = 0.0
    p_best: float = 0.0
    timed: int = 0

    @property
    def route(self) -> Route:
        """Which of the six."""
        return self.candidate.route

    @property
    def level(self) -> int:
        """What one would learn, 0 to 3."""
        return min(3, int(self.learns * 4 + 0.5))


@dataclass(frozen=True, slots=True)
class Card:
    """The routes in their order. ``recommended``: how many of the first are told apart: 1, or 0 for "close".

    ``close``: how many of the first may be the best. ``seed``: of the order among them. ``flips``: the input that
    puts another route first, in words, if one does. ``too_late``: nothing is likely in time, so the day hardly counts.
    """

    rows: tuple[Row, ...]
    recommended: bool
    close: int
    seed: int
    flips: tuple[str, ...] = field(default=())
    too_late: bool = False


def weigh(candidates: Iterable[Candidate], situation: Situation, history: History, seed: int = 0) -> Card:
    """The card: the best candidate of each route, in the order of what they are worth."""
    candidates = list(candidates)
    every = [_row(one, situation, history) for one in candidates]
    rows = _ranked(every, situation)
    if not rows:
        return Card((), False, 0, seed)
    due = _due_counts(every, situation)
    parts = best([(row.odds.chance, *_worth_of(row, situation, due)) for row in rows]) if len(rows) > 1 else [1.0]
    rows = [replace(row, p_best=part) for row, part in zip(rows, parts, strict=True)]
    likely = sorted(rows, key=lambda row: -row.p_best)
    near = [row for at, row in enumerate(likely) if at < 2 or row.p_best >= MAY_BE_BEST]
    told = likely[0].p_best >= SURE_ENOUGH
    if told:
        near = likely[:1]
    else:
        random.Random(seed).shuffle(near)  # noqa: S311 - an order, not a secret
    ordered = _tool_before_course([*near, *(row for row in rows if row not in near)], situation)
    recommended = told and ordered[0] is likely[0]  # a tool may have come before a course by rule: then it is close
    close = 0 if recommended else 1 + max(ordered.index(row) for row in near)
    changes = flips(candidates, situation, history, {row.route for row in ordered[: close or 1]}) if rows[1:] else ()
    return Card(tuple(ordered), recommended, close, seed, changes, due < 0.5)


def _ranked(rows: Sequence[Row], situation: Situation) -> list[Row]:
    """The best row of each route, in the order of what they are worth."""
    due = _due_counts(rows, situation)
    found: dict[Route, tuple[float, Row]] = {}
    for row in rows:
        gain, plus = _worth_of(row, situation, due)
        worth = gain * row.odds.chance.mean + plus
        if row.route not in found or worth > found[row.route][0]:
            found[row.route] = worth, row
    best = sorted(found.values(), key=lambda one: (-one[0], list(Route).index(one[1].route)))
    return _tool_before_course([replace(row, worth=worth) for worth, row in best], situation)


SURES = (0.1, 0.3, 0.5, 0.7, 0.9)
A_STEP = 0.25
"""Of the slider between deliver and learn."""
DUES = ((40.0, "If it were due in a week"), (80.0, "If it were due in two weeks"), (8.0, "If it were due tomorrow"))


def flips(
    candidates: Sequence[Candidate], situation: Situation, history: History, first: Collection[Route] = ()
) -> tuple[str, ...]:
    """Of each thing that was said, the smallest change that makes another route worth most, in words.

    ``first``: those that stand first already, told apart or close: that one of them would be it changes nothing.
    """
    every = [_row(one, situation, history) for one in candidates]
    first = {*first, _ranked(every, situation)[0].route}
    found = []
    for changes in _changes(situation):
        for words, changed in changes:
            same = replace(changed, lean=situation.lean, hours_left=situation.hours_left) == situation
            rows = every if same else [_row(one, changed, history) for one in candidates]
            now = _ranked(rows, changed)[0].route
            if now not in first:
                found.append(f"{words}: {NAMES[now]}")
                break
    return tuple(found)


def _changes(at: Situation) -> Iterable[Iterable[tuple[str, Situation]]]:
    """What could be otherwise, each in its own row, the nearest first."""
    leans = [step * A_STEP for step in range(round(1 / A_STEP) + 1)]
    delivering = [one for one in reversed(leans) if one < at.lean]
    yield [("If delivering mattered more", replace(at, lean=one)) for one in delivering]
    yield [("If learning mattered more", replace(at, lean=one)) for one in leans if one > at.lean]
    if at.hours_left is None:
        yield [(words, replace(at, hours_left=hours)) for hours, words in sorted(DUES, reverse=True)]
    else:
        later = [one for one in sorted(DUES) if one[0] > at.hours_left]
        yield [(words, replace(at, hours_left=hours)) for hours, words in later] + [
            ("If it were not due", replace(at, hours_left=None))
        ]
        sooner = [one for one in sorted(DUES, reverse=True) if one[0] < at.hours_left]
        yield [(words, replace(at, hours_left=hours)) for hours, words in sooner]
    degrees = list(Difficulty)
    place = degrees.index(at.difficulty)
    yield [("If it were easier", replace(at, difficulty=one)) for one in reversed(degrees[:place])]
    yield [("If it were harder", replace(at, difficulty=one)) for one in degrees[place + 1 :]]
    yield [("If you were surer", replace(at, sure=one)) for one in SURES if one > at.sure]
    yield [("If you were less sure", replace(at, sure=one)) for one in reversed(SURES) if one < at.sure]
    yield [("If you knew more of its topics", replace(at, known=one)) for one in leans if one > at.known]
    yield [("If you knew less of its topics", replace(at, known=one)) for one in reversed(leans) if one < at.known]


def odds(candidate: Candidate, situation: Situation, history: History) -> Odds:
    """The chance that it works: the guess, then outcomes of the narrowest stratum that has enough, then its own."""
    first = guess(candidate, situation)
    scope, counts = known_of(candidate, situation, history)
    chance = Chance.guess(first).after(counts.worked, counts.outcomes)
    past = candidate.past
    if past.outcomes:
        chance = Chance.guess(chance.mean, STRENGTH).after(past.worked, past.outcomes)
    return Odds(chance, scope, counts.outcomes, past.outcomes, first)


def known_of(candidate: Candidate, situation: Situation, history: History) -> tuple[str, Counts]:
    """The narrowest stratum that has outcomes enough beside the candidate's own, in words, and these; or none."""
    for words, stratum in _strata(candidate.route, situation):
        counts = history.get(stratum, Counts()) - candidate.counted.get(stratum, Counts())
        if counts.outcomes >= FEW:
            return words, counts
    return GUESS, Counts()


def _strata(route: Route, situation: Situation) -> Sequence[tuple[str, Stratum]]:
    hard, band = situation.difficulty, situation.band
    return (
        (f"{ALIKE[hard]}, said with as much confidence", (route, hard, band)),
        (ALIKE[hard], (route, hard, None)),
        ("all tasks that went this way", (route, None, None)),
    )


def guess(candidate: Candidate, situation: Situation) -> float:
    """The starting guess of a chance, shipped and called so: .05 to .95."""
    sure, fit = situation.sure, candidate.fit
    missing = (1 - sure) * min(1.0, 1.5 * (1 - situation.known))  # nobody gains by reading what they know
    base = {
        Route.DO: sure,
        Route.TOOL: 0.30 + 0.60 * fit,
        Route.HAND_OVER: 0.60 + 0.35 * fit,
        Route.MENTOR: sure + missing * (0.25 + 0.45 * fit),
        Route.INFORMAL: sure + missing * 0.60 * fit,
        Route.FORMAL: sure + missing * 0.70 * fit,
    }[candidate.route]
    harder = 0.0 if candidate.route is Route.DO else HARDER[situation.difficulty]
    return min(0.95, max(0.05, base + harder))


def _row(candidate: Candidate, situation: Situation, history: History) -> Row:
    begins, timed = candidate.begins_in, candidate.past.timed
    if candidate.hours is None:
        counts = known_of(candidate, situation, history)[1]
        hours = candidate.past.hours_beside(counts.hours_beside(hours_guessed(candidate, situation)))
        timed = timed or counts.timed
    else:
        hours = candidate.hours
    width = exp(1.2816 * SPREAD)
    spans = begins + hours, begins + hours / width, begins + hours * width
    learns = _learns(candidate, situation)
    return Row(candidate, odds(candidate, situation, history), spans, learns, candidate.others, timed=timed)


def hours_guessed(candidate: Candidate, situation: Situation) -> float:
    """Starting guesses of working hours."""
    work = HOURS[situation.difficulty]
    missing = 1 - situation.known
    reads = 0.3 if candidate.minutes is None else candidate.minutes / 60
    return {
        Route.DO: work * (1 + missing),
        Route.TOOL: 0.25 + 0.2 * work,
        Route.HAND_OVER: work,
        Route.MENTOR: 0.5 + work,
        Route.INFORMAL: reads + work * (1 + 0.5 * missing),
        Route.FORMAL: 6 + work,
    }[candidate.route]


def _learns(candidate: Candidate, situation: Situation) -> float:
    """What one would be able to do alone afterwards that one cannot now, 0..1."""
    missing, fit = 1 - situation.known, candidate.fit
    return (
        missing
        * {
            Route.DO: 0.2 + 0.5 * situation.sure,
            Route.TOOL: 0.1,
            Route.HAND_OVER: 0.0,
            Route.MENTOR: 0.4 + 0.5 * fit,
            Route.INFORMAL: 0.75 * fit,
            Route.FORMAL: fit,
        }[candidate.route]
    )


def _worth_of(row: Row, situation: Situation, due: float) -> tuple[float, float]:
    """``(gain, plus)``: the worth of a route is ``gain * chance + plus``; ``due``: as `_due_counts` says."""
    lean = situation.lean
    usual = row.done_in[0]
    own = usual - row.candidate.begins_in
    costs = 0.008 * own + 0.04 * row.others + 0.20 * (1 - exp(-usual / 40))
    in_time = due * _in_time(row, situation) + 1 - due
    gain = (1 - lean) * in_time + lean * (0.2 + 0.5 * row.learns)
    return max(gain, 0.01), lean * 0.5 * row.learns - costs * (1 - 0.6 * lean)


def _due_counts(rows: Iterable[Row], situation: Situation) -> float:
    """How much the day it is due counts, 0..1: less where hardly any route keeps it and cost alone would decide."""
    return min(1.0, max((_in_time(row, situation) for row in rows), default=1.0) / LITTLE_HOPE)


def _in_time(row: Row, situation: Situation) -> float:
    """How likely it is done before it is due; 1 where it is not due."""
    if situation.hours_left is None:
        return 1.0
    left = situation.hours_left - row.candidate.begins_in
    own = row.done_in[0] - row.candidate.begins_in
    if left <= 0:
        return 0.0
    return (1 + erf(log(left / max(own, 0.01)) / SPREAD / sqrt(2))) / 2


def _tool_before_course(rows: Sequence[Row], situation: Situation) -> list[Row]:
    """A tool that does the job stands before a course where delivering counts more, whatever the figures say."""
    rows = list(rows)
    at = {row.route: index for index, row in enumerate(rows)}
    tool, course = at.get(Route.TOOL, 0), at.get(Route.FORMAL, len(rows))
    if course < tool and situation.lean <= 0.5 and rows[tool].candidate.fit >= DOES_THE_JOB:
        rows.insert(course, rows.pop(tool))
    return rows
