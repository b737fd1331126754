"""Six routes, weighed: pure decisions, held to what SCIENCE, 6, accepts."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from immersive.work.chances import Chance
from immersive.work.routes import (
    DOES_THE_JOB,
    MAY_BE_BEST,
    NAMES,
    SURE_ENOUGH,
    Candidate,
    Counts,
    Difficulty,
    History,
    Reason,
    Route,
    Situation,
    flips,
    guess,
    odds,
    weigh,
)  # fmt: skip
from immersive.work.weighing import weighing

PART = st.floats(0, 1)
SITUATIONS = st.builds(
    Situation, st.sampled_from((0.1, 0.3, 0.5, 0.7, 0.9)), PART, PART, st.sampled_from(Difficulty),
    st.none() | st.floats(0.5, 200),
)  # fmt: skip
CANDIDATES = st.lists(
    st.builds(
        Candidate, st.sampled_from(Route), PART, hours=st.none() | st.floats(0.1, 60), begins_in=st.floats(0, 300),
        others=st.floats(0, 8), past=st.builds(lambda n, part: Counts(n * part, n), st.integers(0, 30), PART),
    ),
    max_size=9,
)  # fmt: skip
ALL = [Candidate(route, 0.9, title=route) for route in Route]
UNSURE = Situation(sure=0.3, known=0.2)


@settings(max_examples=50)
@given(CANDIDATES, SITUATIONS, st.integers())
def test_same_input_gives_the_same_card(candidates: list[Candidate], situation: Situation, seed: int) -> None:
    card = weigh(candidates, situation, {}, seed)
    assert card == weigh(candidates, situation, {}, seed)
    assert {row.route for row in card.rows} == {one.route for one in candidates}, "one row for each route there is"
    if card.rows:
        assert sum(row.p_best for row in card.rows) == pytest.approx(1)
        assert all(0 < row.odds.chance.mean < 1 and 0 <= row.level <= 3 for row in card.rows)
        assert all(row.done_in[1] <= row.done_in[0] <= row.done_in[2] for row in card.rows)


@settings(max_examples=50)
@given(CANDIDATES, SITUATIONS, st.integers())
def test_a_tool_that_does_the_job_is_never_below_a_course_when_delivering(
    candidates: list[Candidate], situation: Situation, seed: int
) -> None:
    situation = replace(situation, lean=min(situation.lean, 0.5))
    order = weigh(candidates, situation, {}, seed).rows
    at = {row.route: number for number, row in enumerate(order)}
    if Route.TOOL in at and Route.FORMAL in at and order[at[Route.TOOL]].candidate.fit >= DOES_THE_JOB:
        assert at[Route.TOOL] < at[Route.FORMAL]


@settings(max_examples=50)
@given(CANDIDATES, SITUATIONS, st.integers())
def test_one_is_recommended_only_where_it_is_told_apart(
    candidates: list[Candidate], situation: Situation, seed: int
) -> None:
    card = weigh(candidates, situation, {}, seed)
    if card.recommended:
        assert card.rows[0].p_best >= SURE_ENOUGH
        assert card.close == 0
    elif len(card.rows) > 1:
        assert 2 <= card.close <= len(card.rows)


@settings(max_examples=100)
@given(CANDIDATES, SITUATIONS, st.integers())
def test_close_is_what_may_be_the_best_and_what_is_told_apart_is_recommended(
    candidates: list[Candidate], situation: Situation, seed: int
) -> None:
    """But for a tool that the rule puts before a course that may be the best: it is close too."""
    card = weigh(candidates, situation, {}, seed)
    at = {row.route: row for row in card.rows}
    likely = sorted(card.rows, key=lambda row: -row.p_best)
    by_rule = Route.TOOL in at and situation.lean <= 0.5 and at[Route.TOOL].candidate.fit >= DOES_THE_JOB
    if card.recommended:
        assert card.rows[0] is likely[0]
        return
    if not card.rows:
        return
    assert likely[0].p_best < SURE_ENOUGH or (by_rule and likely[0].route is Route.FORMAL)
    close = {row.route for row in card.rows[: card.close]}
    may_be = {row.route for row in likely if row.p_best >= MAY_BE_BEST}
    if len(may_be) < 2 and likely[0].p_best < SURE_ENOUGH:
        may_be = {row.route for row in likely[:2]}
    assert close - may_be == ({Route.TOOL} - may_be if by_rule and Route.FORMAL in may_be else set())
    assert may_be <= close


def test_seed_changes_places_among_the_close_alone() -> None:
    cards = [weigh(ALL, Situation(0.7, 0.6), {}, seed) for seed in range(12)]
    assert not any(card.recommended for card in cards)
    close = cards[0].close
    assert len({tuple(row.route for row in card.rows[:close]) for card in cards}) > 1
    assert {frozenset(row.route for row in card.rows[:close]) for card in cards} == {
        frozenset(row.route for row in cards[0].rows[:close])
    }
    assert len({tuple(row.route for row in card.rows[close:]) for card in cards}) == 1


def test_what_is_wanted_changes_the_order() -> None:
    deliver = weigh(ALL, replace(UNSURE, lean=0.0), {}).rows
    learn = weigh(ALL, replace(UNSURE, lean=1.0), {}).rows
    assert {row.route for row in deliver[:2]} == {Route.TOOL, Route.HAND_OVER}
    assert not {row.route for row in learn[:2]} & {Route.TOOL, Route.HAND_OVER}


def test_a_course_after_the_day_it_is_due_delivers_nothing() -> None:
    course = Candidate(Route.FORMAL, 1.0, begins_in=120)
    some = [Candidate(Route.DO), course]
    in_time, late = (
        next(row.worth for row in weigh(some, at, {}).rows if row.route is Route.FORMAL)
        for at in (replace(UNSURE, lean=0.0, hours_left=hours) for hours in (None, 40))
    )
    assert late < 0 < in_time + 0.2


def test_where_nothing_can_be_in_time_what_works_counts_as_if_it_were_not_due() -> None:
    """A cheap tool that hardly works is not recommended above somebody who would do it, because the day is over."""
    some = [Candidate(Route.TOOL, 0.2), Candidate(Route.HAND_OVER, 0.9, begins_in=4.8, others=2.0)]
    free, over = (weigh(some, replace(UNSURE, lean=0.0, hours_left=hours), {}) for hours in (None, 0.0))
    assert over.too_late
    assert not free.too_late
    assert replace(over, flips=(), too_late=False) == replace(free, flips=())


def test_the_day_it_is_due_fades_out() -> None:
    """An hour less moves no worth by a leap, down to none."""
    at = [weigh(ALL, replace(UNSURE, lean=0.0, hours_left=hours / 200), {}) for hours in range(400)]
    worths = [{row.route: row.worth for row in card.rows} for card in at]
    assert max(abs(one[key] - other[key]) for one, other in pairwise(worths) for key in one) < 0.1
    assert [card.too_late for card in at] == sorted((card.too_late for card in at), reverse=True)
    assert not weigh(ALL, replace(UNSURE, lean=0.0, hours_left=8), {}).too_late


def test_with_no_data_the_card_says_so() -> None:
    for row in weigh(ALL, UNSURE, {}).rows:
        assert row.odds.guessed
        assert row.odds.scope == "our starting guess"
        assert row.odds.chance.mean == pytest.approx(guess(row.candidate, UNSURE))


def test_an_empty_world_has_a_card() -> None:
    assert weigh([], UNSURE, {}).rows == ()
    [row] = weigh([Candidate(Route.DO)], UNSURE, {}).rows
    assert row.p_best == 1.0


class TestStrata:
    HARD = Situation(0.7, 0.5, difficulty=Difficulty.HARD)
    ALONE = Candidate(Route.DO)
    EXPERT = Candidate(Route.HAND_OVER, fit=0.2 / 0.35)  # both guesses are .7 where the task is hard

    def test_hard_tasks_that_go_to_experts_do_not_hide_that_experts_are_better(self) -> None:
        """Simpson's paradox: .61 of both worked in all, though experts do better with easy tasks and with hard ones."""
        easy, hard = Difficulty.EASY, Difficulty.HARD
        history: History = {
            (Route.DO, easy, None): Counts(52, 80), (Route.DO, hard, None): Counts(9, 20),
            (Route.HAND_OVER, easy, None): Counts(13.8, 20), (Route.HAND_OVER, hard, None): Counts(47.2, 80),
            (Route.DO, None, None): Counts(61, 100), (Route.HAND_OVER, None, None): Counts(61, 100),
        }  # fmt: skip
        assert guess(self.ALONE, self.HARD) == pytest.approx(guess(self.EXPERT, self.HARD))
        alone, expert = odds(self.ALONE, self.HARD, history), odds(self.EXPERT, self.HARD, history)
        assert expert.chance.mean > alone.chance.mean + 0.05
        assert alone.outcomes == 20
        assert "as hard as this" in alone.scope

    def test_a_narrow_stratum_counts_from_five_outcomes_on(self) -> None:
        band = self.HARD.band
        wide: History = {
            (Route.DO, Difficulty.HARD, band): Counts(4, 4),
            (Route.DO, Difficulty.HARD, None): Counts(0, 9),
        }
        assert odds(self.ALONE, self.HARD, wide).outcomes == 9
        narrow: History = {**wide, (Route.DO, Difficulty.HARD, band): Counts(5, 5)}
        found = odds(self.ALONE, self.HARD, narrow)
        assert found.outcomes == 5
        assert "as much confidence" in found.scope
        assert not found.guessed

    def test_no_outcome_counts_twice_in_the_stratum_and_of_the_very_tool(self) -> None:
        own, every = Counts(4, 5, 0.5, 5), Counts(10, 12, 1.0, 12)
        strata = [(Route.TOOL, Difficulty.HARD, self.HARD.band), (Route.TOOL, Difficulty.HARD, None)]
        tool = Candidate(Route.TOOL, 0.9, past=own, counted=dict.fromkeys(strata, own))
        found = odds(tool, self.HARD, dict.fromkeys(strata, own))
        assert (found.outcomes, found.own) == (0, 5), "all that is known is its own"
        found = odds(tool, self.HARD, dict.fromkeys(strata, every))
        assert (found.outcomes, found.own) == (7, 5)
        both = (every - own) + own
        assert (both.worked, both.outcomes, both.hours, both.timed) == (10, 12, pytest.approx(1.0), 12)

    def test_outcomes_of_the_very_tool_weigh_beside_the_stratum(self) -> None:
        tool = Candidate(Route.TOOL, 0.9, past=Counts(0, 10), reasons=(Reason("It can prime a pump"),))
        assert odds(tool, self.HARD, {}).chance.mean < guess(tool, self.HARD) - 0.2
        assert odds(tool, self.HARD, {}).own == 10


@pytest.mark.parametrize("outcomes", [0, 5, 12, 40])
def test_eighty_percent_ranges_cover_four_of_five_worlds_of_the_shipped_guesses(outcomes: int) -> None:
    draw = random.Random(outcomes)
    covered = 0
    for _ in range(2000):
        candidate = Candidate(draw.choice(list(Route)), draw.random())
        situation = Situation(draw.choice((0.1, 0.3, 0.5, 0.7, 0.9)), draw.random())
        mean = guess(candidate, situation)
        truth = draw.betavariate(8 * mean, 8 * (1 - mean))
        worked = sum(draw.random() < truth for _ in range(outcomes))
        low, high = odds(candidate, situation, {(candidate.route, None, None): Counts(worked, outcomes)}).chance.range
        covered += low <= truth <= high
    assert 0.75 <= covered / 2000 <= 0.85


def test_ranges_that_fall_short_where_the_world_is_not_as_guessed() -> None:
    """Reported in docs/benchmarks.md: truths drawn evenly from 0 to 1, whatever was guessed."""
    covered = {}
    for outcomes in (0, 5, 12, 40):
        draw, hits = random.Random(outcomes), 0
        for _ in range(2000):
            guessed, truth = draw.uniform(0.05, 0.95), draw.random()
            worked = sum(draw.random() < truth for _ in range(outcomes))
            low, high = Chance.guess(guessed).after(worked, outcomes).range
            hits += low <= truth <= high
        covered[outcomes] = hits / 2000
    assert covered[0] < covered[5] < covered[12] < covered[40] < 0.8
    assert {outcomes: round(part, 2) for outcomes, part in covered.items()} == {0: 0.37, 5: 0.42, 12: 0.49, 40: 0.59}


class TestFlips:
    @settings(max_examples=50)
    @given(CANDIDATES, SITUATIONS)
    def test_names_what_puts_another_route_first(self, candidates: list[Candidate], situation: Situation) -> None:
        card = weigh(candidates, situation, {})
        assert len({one.partition(":")[0] for one in card.flips}) == len(card.flips), "one for each thing that was said"
        first = {NAMES[row.route] for row in card.rows[: card.close or 1]}
        assert not [one for one in card.flips if one.partition(": ")[2] in first], "they are among the first already"

    def test_of_what_was_said_the_smallest_change(self) -> None:
        wants_to_learn = replace(UNSURE, lean=1.0)
        first = weigh(ALL, wants_to_learn, {}).rows[0].route
        said = [one for one in flips(ALL, wants_to_learn, {}) if one.startswith("If delivering mattered more")]
        assert said
        for lean in (0.75, 0.5, 0.25, 0.0):
            now = weigh(ALL, replace(UNSURE, lean=lean), {}, seed=0)
            other = max(now.rows, key=lambda row: row.worth).route
            if other is not first:
                assert said == [f"If delivering mattered more: {NAMES[other]}"]
                break


def test_each_figure_says_where_it_comes_from() -> None:
    tool = Candidate(Route.TOOL, 0.9, title="Larder", begins_in=8, past=Counts(3, 4, 0.5, 4))
    history: History = {(Route.TOOL, Difficulty.USUAL, None): Counts(7, 9)}
    card = weigh([tool, Candidate(Route.DO)], UNSURE, history)
    told = {row.route: {one.name: one.source for one in weighing(row, UNSURE)} for row in card.rows}
    chance = told[Route.TOOL]["Chance that it works"]
    assert "4 logged outcomes of this very one; 9 logged outcomes of tasks no harder than usual" in chance
    assert told[Route.TOOL]["Time it takes"] == "4 logged times of like tasks, beside our starting guess"
    assert told[Route.DO]["Chance that it works"].startswith("no data yet, our starting guess")
    assert told[Route.DO]["Time it takes"] == "no data yet, our starting guess"


def test_logged_hours_move_the_guess_as_far_as_they_are_many() -> None:
    [guessed] = weigh([Candidate(Route.DO)], UNSURE, {}).rows
    few, many = (
        weigh([Candidate(Route.DO)], UNSURE, {(Route.DO, None, None): Counts(n, n, 0.5, n)}).rows[0] for n in (5, 80)
    )
    assert guessed.done_in[0] > few.done_in[0] > many.done_in[0] > 0.5
    assert (guessed.timed, few.timed, many.timed) == (0, 5, 80)
