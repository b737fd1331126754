"""The card in words and on its staves: what is drawn stands in words, and no word says more than it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersive.work.card import Look, between, moment
from immersive.work.routes import NAMES, Candidate, Card, Counts, Difficulty, History, Reason, Route, Situation, weigh
from immersive.work.weighing import percent
from immersive.work.working_time import Clock

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ME = Situation(sure=0.3, known=0.3, lean=0.5)
SIX = [
    Candidate(Route.DO, title="On your own"),
    Candidate(Route.TOOL, 0.9, "t", "DriftLab", "/r/t", reasons=(Reason("It can fit a drift.", "/r/t"),)),
    Candidate(Route.HAND_OVER, 0.9, "p", "Kenji Arai", "/people/p", others=3.0, begins_in=4.8),
    Candidate(Route.MENTOR, 0.9, "p", "Kenji Arai", "/people/p", others=1.0, begins_in=4.8),
    Candidate(Route.INFORMAL, 0.7, "i", "SOP-0412", "/r/i"),
    Candidate(Route.FORMAL, 0.7, "f", "Flow metrology", "/r/f", begins_in=80.0, price="€ 420"),
]


def look(card: Card, left: float | None = None) -> Look:
    return Look(card, replace(ME, hours_left=left), Clock(), MONDAY)


def at(place: str) -> float:
    return float(place.removesuffix("%"))


@given(st.permutations(SIX), st.integers(1, 6), st.one_of(st.none(), st.integers(0, 400)))
def test_all_staves_share_one_axis_and_hold_their_points(some: list[Candidate], count: int, left: int | None) -> None:
    shown = look(weigh(some[:count], replace(ME, hours_left=left), {}), left)
    places = []
    for line in shown.lines:
        for stave in (line.time, line.chance):
            assert 0 <= at(stave.low) <= at(stave.mid) <= at(stave.high) <= 100
        places.append((line.row.done_in[0], at(line.time.mid)))
    assert [place for _, place in sorted(places)] == sorted(place for _, place in places), "what is later stands later"
    assert all(0 < at(mark) < 100 for mark, _ in shown.marks)


def test_what_is_drawn_stands_in_words() -> None:
    lines = {line.route: line for line in look(weigh(SIX, ME, {})).lines}
    assert len(lines) == 6
    tool, handed, course = lines[Route.TOOL], lines[Route.HAND_OVER], lines[Route.FORMAL]
    assert (tool.cost, handed.cost, course.cost) == ("None", "3 h of Kenji", "€ 420")
    assert tool.by.startswith("today")
    assert course.by.endswith(" December")
    low, high = tool.row.odds.chance.range
    assert tool.chance_range == f"{100 * low:.0f} to {100 * high:.0f}"
    assert [reason.text for reason in tool.reasons] == ["It can fit a drift"], "the page sets the full stop"
    assert tool.pips.count("●") == tool.row.level
    assert [line.beside for line in (tool, handed, lines[Route.DO])] == [True, False, False]


def test_without_data_every_line_says_so_and_with_data_how_much() -> None:
    assert {line.basis for line in look(weigh(SIX, ME, {})).lines} == {"No data yet, our starting guess."}
    known: History = {(Route.TOOL, Difficulty.USUAL, None): Counts(6.0, 9)}
    tool = weigh([replace(SIX[1], past=Counts(4.0, 5))], ME, known)
    assert look(tool).lines[0].basis == "From how 5 tasks with this one and 9 tasks no harder than usual went."
    alone = weigh([SIX[0]], ME, {(Route.DO, Difficulty.USUAL, None): Counts(8.0, 10)})
    said = "Begins at {}, for how sure you are; moved by how 10 tasks no harder than usual went."
    assert look(alone).lines[0].basis == said.format(percent(alone.rows[0].odds.guess))


def test_a_route_is_named_as_advice_only_where_it_is_told_apart() -> None:
    rows = weigh(SIX[:2], ME, {}).rows
    sure = look(Card(rows, True, 0, 0))
    assert sure.lede.startswith(f"{sure.lines[0].name}")
    assert "It would be done today" in sure.lede
    assert [line.best for line in sure.lines] == [True, False]
    near = look(Card(rows, False, 2, 0))
    assert near.lede == f"These are close: {' and '.join(NAMES[row.route].lower() for row in rows)}."
    assert "choose what suits you" in near.more
    assert not any(line.best for line in near.lines)
    knows_it = replace(ME, known=1.0, lean=1.0)
    assert "hardly anything to learn" in Look(weigh(SIX, knows_it, {}), knows_it, Clock(), MONDAY).more
    assert "hardly anything to learn" not in near.more
    alone = look(weigh(SIX[:1], ME, {}))
    assert "yours for now" in alone.lede
    assert not alone.lines[0].best, "one that stands alone is not recommended"
    assert look(Card((), False, 0, 0)).lede == "There is nothing to weigh yet."


def test_late_is_late() -> None:
    shown = look(weigh([SIX[1], SIX[5]], replace(ME, hours_left=8.0), {}), 8.0)
    assert {line.route: line.late for line in shown.lines} == {Route.TOOL: False, Route.FORMAL: True}
    assert at(shown.lines[0].time.mid) < at(shown.due)
    past = look(weigh([SIX[1]], replace(ME, hours_left=0.0), {}), 0.0)
    assert past.lines[0].late, "it was due before now"
    assert look(weigh([SIX[1]], ME, {})).due == ""
    words = [words for _, words in look(weigh(SIX, replace(ME, hours_left=38.0), {}), 38.0).marks]
    assert words[0] == "1 h", "and a word too near to it is left out"
    assert "1 week" not in words
    for some in (SIX, SIX[1:3]):
        over = look(weigh(some, replace(ME, lean=0.0, hours_left=0.0), {}), 0.0)
        assert f"{over.lede} {over.more}".count("Nothing is likely to be done before it is due") == 1


def test_what_was_not_found_is_said_once() -> None:
    assert look(weigh(SIX, ME, {})).missing == ""
    assert look(weigh(SIX[:2], ME, {})).missing == (
        "somebody who could take it on, somebody to work on it with, something to read or watch, a course"
    )


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0, "today 09:00"),
        (24, "tomorrow 09:00"),
        (96, "Fri 09:00"),
        (24 * 9, "2 December"),
        (24 * 60, "22 January 2027"),
    ],
)
def test_moments_as_people_say_them(hours: int, said: str) -> None:
    assert moment(MONDAY + timedelta(hours=hours), MONDAY) == said


def test_moments_are_no_finer_than_a_quarter() -> None:
    assert moment(MONDAY + timedelta(minutes=1), MONDAY) == "today 09:15"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.5, "5 to 30 min"), (0.5, 1.5, "0.5 to 1.5 h"), (6.2, 15.9, "6 to 16 h"), (8, 40, "1 to 5 days"),
     (158, 165, "4 weeks"), (80, 160, "2 to 4 weeks")],
)  # fmt: skip
def test_ranges_as_people_say_them(low: float, high: float, said: str) -> None:
    assert between(low, high) == said
