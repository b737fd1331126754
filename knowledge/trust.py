"""What counts beside words and meaning: pure, bounded, and only ever of one document.

A document that is verified, that people were helped by, or that is new where
the query is about the present, gains a share of what its words and its meaning
earned; one that did not help people loses a share. All shares together are
small (`LEAST`, `MOST`): a document whose words score more than `CLEARLY` times
another's stands before it whatever is known of the two. A pin is no share: a
curator said which resource is to stand first.

Nothing here depends on another document or on who looks. Who may read a
document was settled before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from knowledge.documents import Candidate, Query
from knowledge.index.analysis import fold

PARTS = ("trust", "use", "fresh", "pin")
"""What `shares` adds to a score, in this order."""

TRUST, USE, FRESH = 0.05, 0.05, 0.1
"""The largest share of each: use may also take as much away."""
LEAST, MOST = 1 - USE, 1 + TRUST + USE + FRESH
CLEARLY = MOST / LEAST
"""How many times better a match must be so that nothing known of two documents changes their order: about 1.26."""
HALF_LIFE = 180
"""Days after which a document is half as fresh."""
PINNED = 10_000.0
"""What the first pin of a query adds, more than any words can; each further one adds a hundredth less."""

_PRESENT = re.compile(
    r"\b(?:latest|newest|current|currently|today|today's|tonight|now|nowadays|recent|recently|upcoming|up to date|"
    r"up-to-date|as of|this (?:week|month|quarter|year)|what's new|what is new|news)\b"
)
_YEAR = re.compile(r"\b(20\d\d)\b")


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one document: whether it is verified now, its use from -1 to 1, its place among pins from 1."""

    verified: bool = False
    use: float = 0.0
    pin: int = 0


NOTHING = Signals()


def about_the_present(query: Query, now: date) -> bool:
    """Whether a query says that what is new matters: by a word for the present, or by naming this year or the next.

    Words that are as often about something else do not count ("new" is also
    said of starters and laptops). Whoever narrows by date said it already.
    """
    if query.after or query.before:
        return False
    said = fold(query.text)
    return bool(_PRESENT.search(said)) or any(int(year) in (now.year, now.year + 1) for year in _YEAR.findall(said))


def shares(
    query: Query, candidates: Iterable[Candidate], scores: Sequence[float], signals: Mapping[str, Signals], now: date
) -> list[tuple[float, ...]]:
    """What is added to each candidate's score (of words and meaning), one number for each of `PARTS`."""
    present = about_the_present(query, now)
    found = []
    for candidate, score in zip(candidates, scores, strict=True):
        known = signals.get(candidate.key, NOTHING)
        earned = max(0.0, score)
        fresh = earned * FRESH * freshness(candidate.updated, now) if present else 0.0
        pin = PINNED * (1 - 0.01 * min(known.pin - 1, 90)) if known.pin else 0.0
        use = max(-1.0, min(1.0, known.use))
        found.append((earned * TRUST * known.verified, earned * USE * use, fresh, pin))
    return found


def freshness(updated: date | None, now: date) -> float:
    """1 for a document of today (or of a day to come), half for each `HALF_LIFE`; 0 where the day is not known."""
    if updated is None:
        return 0.0
    return float(0.5 ** (max(0, (now - updated).days) / HALF_LIFE))
