"""Whom to ask: fair shares of what comes in, so that those who know most still want to be found.

Pure: it decides from values and keeps the reason. Best match alone would send
most questions to a handful of people, who then take themselves out of the
list. So a match is weighed against what somebody was asked lately, a weekly
cap is hard, and among those who are about as good the one who is known best
for it goes last: that one is kept for what nobody else can answer.

Figures of the rule on six hundred asks: ``docs/benchmarks.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)
"""What a weekly cap is counted over: the seven days before each moment, so that no Monday lets two weeks through."""
MEMORY = timedelta(days=28)
"""How far back load is counted: longer than the cap, so that shares are level over months and not only within one."""
WEEKLY = 3
"""Questions a week, for whoever has not said otherwise."""
WEIGHT = 0.9
"""What a full month of questions takes off a match, which is 1 for the best."""
NEAR = 0.05
"""Scores within this share of the best are a tie."""
LEAST = 0.1
"""Who fits less than this share of the best is not asked at all: a question to somebody who cannot know is a cost."""
BEGINS, ENDS = time(9), time(17)
DAY = timedelta(hours=8)
"""One working day."""


@dataclass(frozen=True, slots=True)
class Room:
    """What somebody chose of their time, and what is taken of it: read by `experts.room`.

    ``week`` and ``month``: how often they were asked in the last seven and
    twenty-eight days, beside ``weekly``, their cap; ``again``: when a full week
    has room again; ``last``: when a question came last. ``closed``: the last of
    the closed days in which they are now, by their own clock. ``hours`` a week
    that they give, if they say, and ``taken`` of them.
    """

    weekly: int = WEEKLY
    week: int = 0
    month: int = 0
    again: datetime | None = None
    last: datetime | None = None
    closed: date | None = None
    hours: int | None = None
    taken: int = 0
    shows: bool = False
    zone: str = "UTC"

    @property
    def can_be_asked(self) -> bool:
        """Whether anything may be asked of them at this moment at all."""
        return self.closed is None and self.week < self.weekly

    @property
    def free(self) -> int | None:
        """Hours a week that are left, of those who show them: hidden ones decide nothing, asking for more and more
        would tell them."""
        return self.hours - self.taken if self.hours is not None and self.shows else None

    def gives(self, hours: int) -> bool:
        """Whether they can be asked for so many hours a week; who gives none, shown or not, is asked for none."""
        return self.can_be_asked and self.hours != 0 and (self.free is None or self.free >= hours)

    @property
    def load(self) -> float:
        """What is spoken for as a share of what they give, 0 and up: of questions or of hours, whichever is more."""
        asked = self.month / (self.weekly * MEMORY / WEEK) if self.weekly else 1.0
        return max(asked, self.taken / self.hours) if self.hours and self.shows else asked


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be asked: how well they fit (``match``, on any scale that begins at 0), and their room.

    ``unwilling``: not about this.
    """

    person: int
    match: float
    room: Room
    unwilling: bool = False

    @property
    def can_be_asked(self) -> bool:
        """Whether this question may go to them at this moment."""
        return self.room.can_be_asked and not self.unwilling


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom to ask, until when to wait for them, and why they and not another, for the records of whoever looks after
    the rule: it speaks of load, so no page shows it."""

    person: int
    score: float
    until: datetime
    reason: str


def choose(candidates: Iterable[Candidate], now: datetime, *, without: Collection[int] = ()) -> Choice | None:
    """The one to ask now; `None` when nobody can be asked.

    Score is match less load. Of those within 5 % of the best score whoever
    matches best goes last, then who is at work sooner goes first, then who
    was not asked for longest.
    """
    candidates = list(candidates)
    least = LEAST * max((one.match for one in candidates), default=0.0)
    fit = [one for one in candidates if one.match > 0 and one.match >= least]
    free = [one for one in fit if one.can_be_asked and one.person not in without]
    if not free:
        return None
    best = max(free, key=lambda one: (one.match, -one.person))
    scores = {one.person: one.match / best.match - WEIGHT * one.room.load for one in free}
    top = max(scores.values())
    tied = [one for one in free if scores[one.person] >= top - NEAR * abs(top)]
    alone = best if all(one.match < best.match for one in free if one is not best) else None
    first = min(tied, key=lambda one: (one is alone, _wait(one, now), _asked(one), -one.match, one.person))
    return Choice(
        first.person, scores[first.person], quiet_until(now, first.room.zone), _reason(first, best, len(tied))
    )


def _wait(one: Candidate, now: datetime) -> timedelta:
    """How long until they are at work, in whole hours: less is no difference."""
    return timedelta(hours=(at_work(now, one.room.zone) - now) // timedelta(hours=1))


def _asked(one: Candidate) -> float:
    return one.room.last.timestamp() if one.room.last else 0.0


def _reason(chosen: Candidate, best: Candidate, tied: int) -> str:
    if tied > 1:
        return f"one of {tied} who fit about as well: whose turn it is, the best known last"
    return "fits best" if chosen is best else "fits nearly as well and was asked less lately"


# Time at work --------------------------------------------------------------------------------------------------------


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def at_work(moment: datetime, zone: str) -> datetime:
    """The first moment from ``moment`` on that is within Monday to Friday, nine to five, there."""
    there = moment.astimezone(zone_of(zone))
    while True:
        if there.weekday() < 5 and there.time() < ENDS:
            begins = there.replace(hour=BEGINS.hour, minute=0, second=0, microsecond=0)
            return max(there, begins).astimezone(UTC)
        there = (there + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def quiet_until(moment: datetime, zone: str, working: timedelta = DAY) -> datetime:
    """When ``working`` time there has passed since ``moment``: then a question passes on to the next."""
    here = at_work(moment, zone)
    while True:
        there = here.astimezone(zone_of(zone))
        ends = there.replace(hour=ENDS.hour, minute=0, second=0, microsecond=0)
        left = ends.astimezone(UTC) - here
        if working <= left:
            return here + working
        working -= left
        here = at_work(ends, zone)
