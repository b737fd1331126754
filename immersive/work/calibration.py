"""How well somebody's own words beforehand matched how it went; pure, and told to its owner alone.

The ladder of SCIENCE, section 1: below 5 outcomes nothing but how many there
are; below 20 counts; then a bias that is drawn towards none, with its band;
from 80 a curve. A perfectly calibrated person with ten outcomes shows a
reliability term of .076 and more by chance: words wait until they are likely true.

Sources: Brier 1950; Murphy 1973; Dimitriadis, Gneiting & Jordan 2021 (curve and its consistency band).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from immersive.work.chances import Chance

STEPS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""What the five words stand for."""
COUNTS_FROM, BIAS_FROM, CURVE_FROM = 5, 20, 80
"""Outcomes from which the next rung of the ladder is shown."""
DRAWN = 21
"""How strongly a bias is drawn towards none, in outcomes."""
MATTERS, SURE = 0.05, 0.90
"""A word is said where the bias is larger than the first with at least the second probability."""
BAND = 0.80
WORLDS, SEED = 400, 20260101
"""How often a perfectly calibrated person is drawn for the band of the curve, always with the same seed."""


@dataclass(frozen=True, slots=True)
class Said:
    """One forecast beside how it went: ``sure`` is one of `STEPS`, ``went`` 0, one half or 1."""

    sure: float
    went: float


@dataclass(frozen=True, slots=True)
class Parts:
    """The Brier score (0 is perfect) and its parts: ``brier = reliability - resolution + uncertainty``."""

    brier: float
    reliability: float
    resolution: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five words: how often it was said, how many worked (halves count half), and the rate, with its range.

    ``rate`` and its 80 % range begin at what the word says and weigh that like eight outcomes.
    """

    sure: float
    times: int
    worked: float
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bias:
    """How much surer than right (above 0) or less sure (below), drawn towards none, in parts of 1; an 80 % band.

    ``word``: "over-sure", "under-sure", or nothing where that is not likely enough.
    """

    size: float
    low: float
    high: float
    word: str


@dataclass(frozen=True, slots=True)
class Point:
    """The curve at one step: the rate that fits best if more sure never goes worse, and where chance alone would put
    a perfectly calibrated person with as many outcomes (80 %)."""

    sure: float
    fits: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mirror:
    """All that can honestly be told from these outcomes: what is too early is empty or `None`."""

    outcomes: int
    steps: tuple[Step, ...] = ()
    bias: Bias | None = None
    parts: Parts | None = None
    curve: tuple[Point, ...] = ()


def mirror(said: Sequence[Said]) -> Mirror:
    """As much as the number of outcomes bears."""
    outcomes = len(said)
    return Mirror(
        outcomes,
        steps(said) if outcomes >= COUNTS_FROM else (),
        bias(said) if outcomes >= BIAS_FROM else None,
        parts(said) if outcomes >= BIAS_FROM else None,
        curve(said) if outcomes >= CURVE_FROM else (),
    )


def parts(said: Sequence[Said]) -> Parts:
    """Murphy's three parts over the five steps; the uncertainty is the variance of how it went, halves included."""
    sure, went = _columns(said)
    mean = went.mean()
    reliability = resolution = 0.0
    for step in np.unique(sure):
        here = went[sure == step]
        reliability += len(here) * (step - here.mean()) ** 2
        resolution += len(here) * (here.mean() - mean) ** 2
    n = len(said)
    brier = float(np.mean((sure - went) ** 2))
    return Parts(brier, float(reliability / n), float(resolution / n), float(np.mean((went - mean) ** 2)))


def steps(said: Sequence[Said]) -> tuple[Step, ...]:
    """The five words in order, those never said among them."""
    found = []
    for sure in STEPS:
        here = [one.went for one in said if one.sure == sure]
        chance = Chance.guess(sure).after(sum(here), len(here))
        low, high = chance.range
        found.append(Step(sure, len(here), sum(here), chance.mean, low, high))
    return tuple(found)


def bias(said: Sequence[Said]) -> Bias:
    """The mean of sure minus went, times ``n / (n + 21)``: the posterior of a normal prior around none.

    The spread of one outcome is what a calibrated person's would be at these
    steps, so that a lucky run of equal outcomes does not pass for certainty.
    """
    sure, went = _columns(said)
    n = len(said)
    drawn = n / (n + DRAWN)
    size = float(drawn * np.mean(sure - went))
    spread = sqrt(drawn * float(np.mean(sure * (1 - sure))) / n)
    over, under = 1 - _normal((MATTERS - size) / spread), _normal((-MATTERS - size) / spread)
    word = "" if over + under <= SURE else "over-sure" if size > 0 else "under-sure"
    return Bias(size, size - 1.2816 * spread, size + 1.2816 * spread, word)


def curve(said: Sequence[Said]) -> tuple[Point, ...]:
    """The rate at each step that was used, pooled so that it never falls, with the band of mere chance."""
    sure, went = _columns(said)
    used = np.unique(sure)
    weights = np.array([np.sum(sure == step) for step in used], dtype=float)
    means = np.array([went[sure == step].mean() for step in used])
    draw = np.random.default_rng(SEED)
    perfect = draw.binomial(weights.astype(int), used, size=(WORLDS, len(used))) / weights
    drawn = np.array([_never_falling(world, weights) for world in perfect])
    low, high = np.quantile(drawn, [(1 - BAND) / 2, (1 + BAND) / 2], axis=0)
    fits = _never_falling(means, weights)
    rows = zip(used, fits, low, high, strict=True)
    return tuple(Point(*(float(value) for value in row)) for row in rows)


def _never_falling(means: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The closest values that never fall (pool adjacent violators), weighted."""
    pools: list[tuple[float, float, int]] = []
    for mean, weight in zip(means.tolist(), weights.tolist(), strict=True):
        pools.append((mean, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m, i), (b, n, j) = pools[-2:]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n, i + j)]
    return np.repeat([mean for mean, _, _ in pools], [count for _, _, count in pools])


def _columns(said: Sequence[Said]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    table = np.array([(one.sure, one.went) for one in said], dtype=float)
    return table[:, 0], table[:, 1]


def _normal(z: float) -> float:
    return (1 + erf(z / sqrt(2))) / 2
