"""Six hundred questions in ten weeks to four hundred people: who is asked, how well they fit, how long it takes.

People work through what they were asked one after the other, and leave some
of it. The same weeks are lived by the rule of `experts.load`, by best match with
the cap alone, and by best match alone. ``pytest -s`` prints the figures of docs/benchmarks.md.
"""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import mean, median

import pytest

from experts.asking.load import MEMORY, WEEK, Candidate, Room, at_work, choose, quiet_until

ASKS, WEEKS, PEOPLE, TOPICS, CAP = 600, 10, 400, 60, 3
BEGIN = datetime(2026, 9, 7, tzinfo=UTC)
ZONES = ("Europe/Lisbon", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
CANDIDATES = 40
"""As many as the finder hands over."""
FAIR, CAPPED, BEST = "the rule", "best match with a cap", "best match alone"
LEFT = 0.15
"""Of what somebody is asked, the part that they never get to."""
WORK = 5.0
"""Hours at work until somebody has answered, on average, when nothing else was asked of them."""


@dataclass
class Company:
    """Who knows what, and when whoever is asked would answer: drawn once, so that both rules meet the same people."""

    chance: random.Random
    knows: dict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    zones: dict[int, str] = field(default_factory=dict)
    asks: list[tuple[datetime, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        weights = [1 / (rank + 1) for rank in range(TOPICS)]
        for person in range(PEOPLE):
            strength = min(1.0, 0.55 + 0.1 * self.chance.expovariate(1.0))  # few know very much
            self.zones[person] = self.chance.choice(ZONES)
            for topic in set(self.chance.choices(range(TOPICS), weights, k=1 + int(12 * strength**2))):
                self.knows[topic][person] = strength * self.chance.uniform(0.8, 1.0)
        for _ in range(ASKS):
            moment = BEGIN + self.chance.random() * WEEKS * WEEK
            self.asks.append(
                (at_work(moment, self.chance.choice(ZONES)), self.chance.choices(range(TOPICS), weights)[0])
            )
        self.asks.sort()


@dataclass
class Lived:
    """What ten weeks by one rule came to."""

    turns: dict[int, list[datetime]]
    quality: list[float]
    hours: list[float]
    unanswered: int

    @property
    def most_in_a_week(self) -> int:
        return max(sum(0 <= (one - first) / WEEK < 1 for one in of) for of in self.turns.values() for first in of)

    @property
    def top_share(self) -> float:
        counts = sorted((len(of) for of in self.turns.values()), reverse=True)
        return sum(counts[: PEOPLE // 20]) / sum(counts)


def live(company: Company, rule: str) -> Lived:
    """Ask everything, passing on what was left for a working day."""
    chance = random.Random(5)
    turns: dict[int, list[datetime]] = defaultdict(list)
    busy: dict[int, datetime] = {}
    lived = Lived(turns, [], [], 0)
    answered: dict[int, datetime] = {}
    tried: dict[int, set[int]] = defaultdict(set)
    queue = [(at, number, topic, at) for number, (at, topic) in enumerate(company.asks)]
    heapq.heapify(queue)
    while queue:
        now, number, topic, asked_at = heapq.heappop(queue)
        if number in answered and answered[number] <= now:
            continue
        match = company.knows[topic]
        known = sorted(match, key=lambda one: -match[one])[:CANDIDATES]
        people = [
            Candidate(
                one, match[one],
                Room(
                    CAP, sum(now - at < WEEK for at in turns[one]), sum(now - at < MEMORY for at in turns[one]),
                    last=max(turns[one], default=None), zone=company.zones[one],
                ),
            )
            for one in known
        ]  # fmt: skip
        if rule == FAIR:
            choice = choose(people, now, without=tried[number])
            person, until = (choice.person, choice.until) if choice else (None, now)
        else:
            free = [one.person for one in people if rule == BEST or one.room.week < CAP]
            person = next((one for one in sorted(free, key=known.index) if one not in tried[number]), None)
            until = quiet_until(now, company.zones[person]) if person is not None else now
        if person is None:
            continue
        if not tried[number]:
            lived.quality.append(match[person] / match[known[0]])
        tried[number].add(person)
        turns[person].append(now)
        if chance.random() > LEFT:
            begins = max(now, busy.get(person, now))
            done = quiet_until(begins, company.zones[person], timedelta(hours=chance.expovariate(1 / WORK)))
            busy[person] = done
            answered[number] = min(done, answered.get(number, done))
        heapq.heappush(queue, (until, number, topic, asked_at))
    lived.hours = [(answered[n] - at) / timedelta(hours=1) for n, (at, _) in enumerate(company.asks) if n in answered]
    lived.unanswered = ASKS - len(answered)
    return lived


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_six_hundred_asks_are_shared_fairly(seed: int) -> None:
    company = Company(random.Random(seed))
    fair, capped, best = (live(company, rule) for rule in (FAIR, CAPPED, BEST))
    for name, lived in ((FAIR, fair), (CAPPED, capped), (BEST, best)):
        print(  # noqa: T201 - the figures of docs/benchmarks.md, shown by pytest -s
            f"\n{seed} {name}: at most {lived.most_in_a_week} a week, top 5 % carry {lived.top_share:.0%}, "
            f"match {mean(lived.quality):.0%} of the best, first answer after {median(lived.hours):.1f} h "
            f"(median), {mean(lived.hours):.1f} h (mean), {lived.unanswered} never answered"
        )
    assert fair.most_in_a_week <= CAP
    assert fair.top_share <= 0.30
    assert mean(fair.quality) >= 0.80
    assert best.top_share > 2 * fair.top_share, "the weeks are such that a rule is needed"
    assert fair.unanswered <= best.unanswered
