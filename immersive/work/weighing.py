"""How a card was weighed: each of its figures with where it comes from, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from immersive.work.chances import RANGE, STRENGTH
from immersive.work.routes import Route, Row, Situation


def percent(part: float) -> str:
    """A part of 1 as a sentence has it."""
    return f"{100 * part:.0f}\u00a0%"


WITHIN = f"in {percent(RANGE)} of cases"
NO_DATA = "no data yet, our starting guess"
FROM_FIT = {
    Route.DO: "how sure you said you are",
    Route.TOOL: "how well what it does fits your sentence",
    Route.HAND_OVER: "how much of what they wrote or answered fits your sentence",
    Route.MENTOR: "how sure you are, what you said is missing, and how well they fit",
    Route.INFORMAL: "how sure you are, what you said is missing, and how well it fits your sentence",
    Route.FORMAL: "how sure you are, what you said is missing, and how well it fits your topics",
}
"""What a starting guess of a chance is made of."""
FIT = {
    Route.TOOL: "how much of what it does, and of pages that name it, fits your sentence",
    Route.HAND_OVER: "how much of what they wrote, answered and say of themselves fits your sentence",
    Route.MENTOR: "how much of what they wrote, answered and say of themselves fits, and whether they offer it",
    Route.INFORMAL: "how many of your words it holds, by weight, or how near it is in meaning",
    Route.FORMAL: "how many of your words it holds, how near it is in meaning, or how many open topics it bears",
}
"""What the fit of a candidate is told from."""
OTHERS = {Route.HAND_OVER: "what doing it usually takes somebody", Route.MENTOR: "what an hour together is"}


@dataclass(frozen=True, slots=True)
class Weighed:
    """One figure: what it is, how much, and where it comes from."""

    name: str
    figure: str
    source: str


def weighing(row: Row, situation: Situation, inferred: int = 0) -> tuple[Weighed, ...]:
    """The figures of one row. ``inferred``: like tasks that told how hard it is, where nobody said so."""
    one, odds = row.candidate, row.odds
    low, high = odds.chance.range
    lines = [
        Weighed(
            "Chance that it works",
            f"{percent(odds.chance.mean)}, in 80 % of cases {percent(low)} to {percent(high)}",
            _odds(row),
        )
    ]
    if row.route is not Route.DO:
        lines.append(Weighed("Fit", percent(one.fit), FIT[row.route]))
    usual, soonest, latest = row.done_in
    begins = one.begins_in
    hours = [_hours(part - begins) for part in (usual, soonest, latest)]
    lines.append(Weighed("Time it takes", f"{hours[0]}, {WITHIN} {hours[1]} to {hours[2]}", _time(row)))
    if begins:
        lines.append(Weighed("Begins in", f"{_hours(begins)} of working time", _begins(row)))
    lines.append(
        Weighed("You would learn", f"{percent(row.learns)} of it", "what you said of its topics, and the way itself")
    )
    if one.others:
        lines.append(Weighed("Cost to others", _hours(one.others), f"{OTHERS[row.route]}, our starting guess"))
    hard = f"{situation.difficulty}, as {_many(inferred, 'like task')} of yours" if inferred else situation.difficulty
    if odds.outcomes:
        lines.append(Weighed("How hard it is", hard, "as you say, or as like tasks were"))
    lean = f"delivering counts {percent(1 - situation.lean)} and learning {percent(situation.lean)}"
    lines.append(Weighed("Best of all", f"in {percent(row.p_best)} of cases", f"with all of the above, where {lean}"))
    return tuple(lines)


def _odds(row: Row) -> str:
    odds = row.odds
    first = f"{percent(odds.guess)} from {FROM_FIT[row.route]}"
    if odds.guessed:
        return f"{NO_DATA}: {first}"
    beside = ", beside these" if row.candidate.counted else ""
    known: Sequence[str] = (
        f"{_many(odds.own, 'logged outcome')} of {'like tasks of yours' if row.route is Route.DO else 'this very one'}"
        * bool(odds.own),
        f"{_many(odds.outcomes, 'logged outcome')} of {odds.scope}{beside}" * bool(odds.outcomes),
        f"our starting guess, which weighs as much as {STRENGTH:.0f} outcomes: {first}",
    )
    return "; ".join(filter(None, known))


def _time(row: Row) -> str:
    one = row.candidate
    if one.hours is not None:
        return "how long it is, and two hours to do it then" if row.route is Route.FORMAL else "what is known of it"
    reads = f"; {one.minutes} min of it to read or watch" if one.minutes else ""
    if row.timed:
        of = "of yours" if one.past.timed and row.route is Route.DO else "of like tasks"
        return f"{_many(row.timed, 'logged time')} {of}, beside our starting guess{reads}"
    return f"{NO_DATA}{reads}"


def _begins(row: Row) -> str:
    one = row.candidate
    if row.route is Route.TOOL:
        return "access is to be asked for, our starting guess"
    if row.route is Route.FORMAL:
        return "its next date" if one.on else "no date is known, our starting guess"
    return "when somebody who is asked now usually begins, by the hours they work"


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _hours(hours: float) -> str:
    return f"{60 * hours:.0f} min" if hours < 1 else f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"
