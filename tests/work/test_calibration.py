"""What may honestly be told of somebody's own words beside how it went (SCIENCE, 1): identities, rungs, simulations."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersive.work import calibration, chances
from immersive.work.calibration import STEPS, Said
from immersive.work.chances import Chance

SAID = st.lists(st.builds(Said, st.sampled_from(STEPS), st.sampled_from((0.0, 0.5, 1.0))), min_size=1, max_size=120)


def somebody(draw: random.Random, outcomes: int, surer: float = 0.0, words: tuple[float, ...] = STEPS) -> list[Said]:
    """Outcomes of a person who is ``surer`` than right by that much, cut at certainty."""
    said = [draw.choice(words) for _ in range(outcomes)]
    return [Said(sure, float(draw.random() < min(1.0, max(0.0, sure - surer)))) for sure in said]


@given(SAID)
def test_brier_is_the_sum_of_its_parts(said: list[Said]) -> None:
    parts = calibration.parts(said)
    assert parts.brier == pytest.approx(parts.reliability - parts.resolution + parts.uncertainty, abs=1e-9)
    assert parts.brier == pytest.approx(sum((one.sure - one.went) ** 2 for one in said) / len(said), abs=1e-9)


def test_identity_on_a_thousand_sets() -> None:
    draw = random.Random(1)
    for _ in range(1000):
        said = [Said(draw.choice(STEPS), draw.choice((0.0, 0.5, 1.0))) for _ in range(draw.randint(1, 150))]
        parts = calibration.parts(said)
        assert abs(parts.brier - (parts.reliability - parts.resolution + parts.uncertainty)) < 1e-9


@pytest.mark.parametrize("outcomes", [20, 40, 80])
@pytest.mark.parametrize("words", [STEPS, (0.7, 0.9), (0.1, 0.5)], ids=["all words", "two high", "two low"])
def test_of_a_thousand_perfect_people_at_most_five_in_a_hundred_get_a_word(
    outcomes: int, words: tuple[float, ...]
) -> None:
    draw = random.Random(outcomes)
    told = sum(bool(calibration.bias(somebody(draw, outcomes, words=words)).word) for _ in range(1000))
    assert told <= 50


@pytest.mark.parametrize(("surer", "word"), [(0.2, "over-sure"), (-0.2, "under-sure")])
def test_who_is_a_fifth_off_is_told_after_eighty_outcomes(surer: float, word: str) -> None:
    draw = random.Random(7)
    told = [calibration.bias(somebody(draw, 80, surer)).word for _ in range(1000)]
    assert told.count(word) >= 800
    assert set(told) <= {word, ""}, "nobody is told the contrary"


@pytest.mark.parametrize(
    ("outcomes", "shown"),
    [(0, ""), (4, ""), (5, "counts"), (19, "counts"), (20, "bias"), (79, "bias"), (80, "curve"), (300, "curve")],
)
def test_each_rung_shows_what_it_bears(outcomes: int, shown: str) -> None:
    found = calibration.mirror(somebody(random.Random(3), outcomes))
    assert bool(found.steps) == (shown != "")
    assert (found.bias is not None) == (found.parts is not None) == (shown in {"bias", "curve"})
    assert bool(found.curve) == (shown == "curve")
    assert sum(step.times for step in found.steps) == (outcomes if shown else 0)


def test_bias_is_drawn_towards_none() -> None:
    said = [Said(0.7, 0.0)] * 21
    assert calibration.bias(said).size == pytest.approx(0.35), "half of .7 where outcomes weigh as much as the prior"


@given(SAID)
def test_curve_never_falls_and_stays_within_its_means(said: list[Said]) -> None:
    curve = calibration.curve(said)
    fits = [point.fits for point in curve]
    assert fits == sorted(fits)
    assert [point.sure for point in curve] == sorted({one.sure for one in said})
    mean = sum(one.went for one in said) / len(said)
    weighed = sum(point.fits * sum(one.sure == point.sure for one in said) for point in curve) / len(said)
    assert weighed == pytest.approx(mean), "pooling moves no outcome away"
    assert all(0 <= point.low <= point.high <= 1 for point in curve)


def test_curve_of_a_perfect_person_lies_in_its_band() -> None:
    draw = random.Random(5)
    inside = outside = 0
    for _ in range(60):
        for point in calibration.curve(somebody(draw, 100)):
            within = point.low - 1e-9 <= point.fits <= point.high + 1e-9
            inside, outside = inside + within, outside + (not within)
    assert 0.74 <= inside / (inside + outside) <= 0.93, "an 80 % band; coarse counts make it a little wider"


class TestChance:
    @pytest.mark.parametrize(
        ("worked", "not_", "low", "high"),
        # uniform, x^2 and 1 - (1 - x)^3: their quantiles are known in closed form
        [(1, 1, 0.1, 0.9), (2, 1, 0.1**0.5, 0.9**0.5), (1, 3, 1 - 0.9 ** (1 / 3), 1 - 0.1 ** (1 / 3))],
    )
    def test_range_is_that_of_the_beta_distribution(self, worked: float, not_: float, low: float, high: float) -> None:
        assert Chance(worked, not_).range == pytest.approx((low, high), abs=2e-4)

    def test_no_guess_is_surer_than_the_grid_bears(self) -> None:
        for mean in (0.0, 0.05, 0.95, 1.0):
            guessed = Chance.guess(mean)
            assert min(guessed.worked, guessed.not_) > 0.5
            assert guessed.mean == pytest.approx(mean, abs=0.07)

    def test_outcomes_move_it_and_weigh_beside_the_guess(self) -> None:
        assert Chance.guess(0.5).after(8, 8).mean == pytest.approx(0.75)
        low, high = Chance.guess(0.5).range
        later = Chance.guess(0.5).after(40, 80).range
        assert later[1] - later[0] < high - low

    @given(st.lists(st.tuples(st.floats(1, 60), st.floats(1, 60)), min_size=2, max_size=6))
    def test_one_of_them_is_the_best(self, pairs: list[tuple[float, float]]) -> None:
        found = chances.best([(Chance(*pair), 1.0, 0.0) for pair in pairs])
        assert sum(found) == pytest.approx(1)
        assert min(found) >= 0

    def test_best_agrees_with_drawing(self) -> None:
        worths = [(Chance(8, 2), 1.0, 0.0), (Chance(5, 5), 1.0, 0.1), (Chance(20, 12), 0.8, 0.2)]
        draw = random.Random(2)
        wins = [0, 0, 0]
        for _ in range(20_000):
            values = [gain * draw.betavariate(one.worked, one.not_) + plus for one, gain, plus in worths]
            wins[values.index(max(values))] += 1
        assert chances.best(worths) == pytest.approx([won / 20_000 for won in wins], abs=0.015)
