"""How likely something is, from little evidence: Beta distributions, their ranges, and which of several is the best.

Pure. A distribution is kept as cells between quantiles of a fixed grid in
the angle ``t`` with ``x = sin(t)^2``, where its density has no poles for the
strengths that are used here; all figures come from the one grid, so that
they agree with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

STRENGTH = 8.0
"""What a starting guess weighs, in outcomes (SCIENCE, 1 and 6)."""
LEAST = 0.51
"""Of either parameter of a guess: the density has poles at one half and below."""
RANGE = 0.80
"""The part of all cases that a range holds."""

_EDGES = np.linspace(0.0, np.pi / 2, 1025)
_MIDDLE = (_EDGES[:-1] + _EDGES[1:]) / 2
_LOG_SIN, _LOG_COS = np.log(np.sin(_MIDDLE)), np.log(np.cos(_MIDDLE))
_X = np.sin(_EDGES) ** 2


@dataclass(frozen=True)
class Chance:
    """A Beta distribution: ``worked`` and ``not_`` are its two parameters, above one half each."""

    worked: float
    not_: float

    @classmethod
    def guess(cls, mean: float, strength: float = STRENGTH) -> Chance:
        """A starting guess of a chance 0..1 that weighs as much as ``strength`` outcomes; as sure as the grid bears."""
        mean = min(1 - LEAST / strength, max(LEAST / strength, mean))
        return cls(strength * mean, strength * (1 - mean))

    def after(self, worked: float, outcomes: float) -> Chance:
        """What it is once ``outcomes`` more are known, of which ``worked`` did (halves count half)."""
        return Chance(self.worked + worked, self.not_ + outcomes - worked)

    @property
    def mean(self) -> float:
        """The expected chance, 0..1."""
        return self.worked / (self.worked + self.not_)

    @cached_property
    def cells(self) -> NDArray[np.float64]:
        """How likely the chance lies in each cell of the grid; they sum to 1."""
        logs = (2 * self.worked - 1) * _LOG_SIN + (2 * self.not_ - 1) * _LOG_COS
        weights = np.exp(logs - logs.max())
        found: NDArray[np.float64] = weights / weights.sum()
        return found

    def at(self, part: float) -> float:
        """The chance below which ``part`` (0..1) of the distribution lies."""
        below = np.concatenate(([0.0], np.cumsum(self.cells)))
        return float(np.interp(part, below, _X))

    @property
    def range(self) -> tuple[float, float]:
        """Where it lies in 80 % of cases."""
        return self.at((1 - RANGE) / 2), self.at((1 + RANGE) / 2)


def best(worths: Sequence[tuple[Chance, float, float]]) -> list[float]:
    """How likely each of these is the best: ``gain * chance + plus`` is largest; they sum to 1.

    ``worths``: (chance, gain above 0, plus). Integrated over the grid of values, not drawn, so that the
    same input gives the same answer.
    """
    lowest = min(plus for _, _, plus in worths)
    highest = max(gain + plus for _, gain, plus in worths)
    grid = np.linspace(lowest, highest, 2049)
    below = np.array([_below(chance, (grid - plus) / gain) for chance, gain, plus in worths])
    found = []
    for at in range(len(worths)):
        others = np.delete(below, at, axis=0).prod(axis=0)
        found.append(float(np.sum(np.diff(below[at]) * (others[:-1] + others[1:]) / 2)))
    total = sum(found)
    return [one / total for one in found]


def _below(chance: Chance, x: NDArray[np.float64]) -> NDArray[np.float64]:
    edges = np.concatenate(([0.0], np.cumsum(chance.cells)))
    found: NDArray[np.float64] = np.interp(np.clip(x, 0.0, 1.0), _X, edges)
    return found
