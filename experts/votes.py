"""How much documents say about who knows: pure, the same for the finder and for the measurement of it.

Each document that matches a question votes for those who worked on it. What
a vote is worth falls off with how well the document matches (`STEEP`), with
the person's part of it (`PARTS`), and with the years since they worked on it
(`FADES`); thanks add to it. Somebody's votes are added up, and count more the
more documents they come from (`MANY`). How these four numbers were found, and
what they were compared with, is told in ADR 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from knowledge.documents import Hit

STEEP = 4.0
"""A document that matches half as well as the best votes a sixteenth as much."""
MANY = 0.75
"""The exponent of how many documents voted: of 0 their number would not count, of 1 it would count in full."""
PARTS = 0.25
"""Who wrote a sixteenth of a document has half a vote: to have edited it says much, how much says less."""
LEAST_PART = 0.01
FADES = 3.0
"""Years after which a vote counts half, and a third after twice as many; work without a date counts half."""
THANKED = 0.25
MOST_THANKS = 4
"""Each thanks for an answer adds a quarter of its vote, up to as much again."""
CLOSE = 0.5
"""A document that matches at least half as well as the best is close to what was asked: such are counted and told."""
HELD = 0.5
"""Of the weight of a question's words, which a document must hold to vote: each is as heavy as it is rare here."""
NEAR = 0.4
"""Or the cosine from which on it votes without: by less a question that nobody can know finds somebody, too."""
YEAR = 365.25

Depth = Literal["deeply", "practised", "learning", "none"]
STEPS: tuple[Depth, ...] = ("none", "learning", "practised", "deeply")
FRESH = 2.0
"""Years for which work is evidence in full; after twice as many it is worth half."""
DEEPLY, PRACTISED = 4.0, 1.5
"""So many documents' worth of fresh evidence."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One document for one person: how well it matches (1: as the best does), their part, years since, thanks."""

    match: float
    share: float = 1.0
    years: float | None = None
    thanks: int = 0

    @property
    def worth(self) -> float:
        """What the vote counts."""
        fading = 0.5 if self.years is None else 1 / (1 + max(0.0, self.years) / FADES)
        more = 1 + THANKED * min(self.thanks, MOST_THANKS)
        return float(max(0.0, self.match) ** STEEP * part(self.share) * fading * more)


def is_about(hit: Hit) -> bool:
    """Whether a document is so much about a question that it may vote: what shares a common word or two is not."""
    return hit.held >= HELD or hit.near >= NEAR


def part(share: float) -> float:
    """What having written so much of a document counts."""
    return float(min(1.0, max(LEAST_PART, share)) ** PARTS)


def score(votes: Sequence[Vote]) -> float:
    """What all votes for one person come to."""
    return float(len(votes) ** MANY * sum(vote.worth for vote in votes))


def matches(scores: Sequence[float]) -> list[float]:
    """How well each document matches beside the best, from their scores; all alike where nothing tells them apart."""
    best = max(scores, default=0.0)
    return [max(0.0, one) / best for one in scores] if best > 0 else [1.0] * len(scores)


def years_since(last: datetime | None, now: datetime) -> float | None:
    """Years from ``last``, in whole days, as votes count them."""
    return None if last is None else max(0, (now - last).days) / YEAR


def depth(worked: Iterable[tuple[float, float | None]]) -> Depth:
    """How well somebody knows a topic, in three coarse steps, from their share of each document close to it and when.

    ``worked``: share and years since, one a document. Work of the last two years counts in full and fades after.
    """
    amount, some = 0.0, False
    for share, years in worked:
        old = FRESH * 2 if years is None else years
        amount += part(share) * min(1.0, FRESH / old if old else 1.0)
        some = True
    if amount >= DEEPLY:
        return "deeply"
    return "practised" if amount >= PRACTISED else "learning" if some else "none"
