"""Pure: from the topics that a piece of work needs to a small team that covers them, with reasons and gaps.

Who knows a topic at depth 2 (practised) or 3 (deeply) covers it; depth 1
(learning) does not, and takes nobody's hours, unless nobody covers anything at
all. What a team is worth is a sum over topics, each times its weight: one
point when anybody covers it, and one for each who does, up to two for a
critical topic and one for any other. No person adds more to a larger team than
to a smaller one, so taking whoever adds most for what they cost, again and
again, costs at most ``H(m)`` times the least that any team as good costs,
where ``m`` is the most that one person is worth (L. A. Wolsey, 1982, on
submodular set cover). A cost is 1 plus the load, less a half for one topic that
they know deeply, two thirds for two, and so on: who is busy must add more, and
who knows most is taken before others until half of what they give is spoken
for. Last, nobody stays in a team in whose place somebody else would cost less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COVERS = 2
"""The depth from which somebody covers a topic."""
TWO = 2
"""People who should cover a critical topic."""
DEEP = 3
"""The depth for which some load is put up with."""
WEIGHT, NICE = 3, 1
"""What a topic that must be covered counts beside one that would be nice."""


@dataclass(frozen=True, slots=True)
class Need:
    """A topic that the work needs. ``critical``: it must be covered, by two people where that can be."""

    topic: str
    critical: bool = True

    @property
    def weight(self) -> int:
        """What it counts beside other topics."""
        return WEIGHT if self.critical else NICE

    @property
    def wanted(self) -> int:
        """How many people should cover it."""
        return TWO if self.critical else 1


@dataclass(frozen=True, slots=True)
class Free:
    """Somebody who could be asked: depth (0..3) by topic needed, and load in 0..1, how much of their time is taken."""

    key: str
    depths: Mapping[str, int]
    load: float = 0.0

    @property
    def cost(self) -> float:
        """What it costs to ask them."""
        deep = sum(depth >= DEEP for depth in self.depths.values())
        return 1 + min(max(self.load, 0.0), 1.0) - deep / (deep + 1)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a team, with why: the topics that they cover (``brings``), the weightiest first.

    ``alone``: the topics that nobody else in this team covers.
    """

    key: str
    brings: tuple[str, ...]
    alone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Covered:
    """How a team stands on one topic: who covers it, and who has begun to learn it."""

    need: Need
    by: tuple[str, ...]
    learning: tuple[str, ...]

    @property
    def gap(self) -> bool:
        """Whether nobody covers it."""
        return not self.by

    @property
    def rests_on(self) -> str:
        """The one person it rests on, if it does."""
        return self.by[0] if len(self.by) == 1 else ""


@dataclass(frozen=True, slots=True)
class LineUp:
    """A team, in the order in which its members were taken, and how it stands on every topic asked for."""

    members: tuple[Member, ...]
    topics: tuple[Covered, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Who is in it."""
        return tuple(member.key for member in self.members)

    @property
    def gaps(self) -> tuple[Covered, ...]:
        """Topics that nobody in it covers."""
        return tuple(topic for topic in self.topics if topic.gap)

    @property
    def alone(self) -> tuple[Covered, ...]:
        """Topics that rest on one person: its single points of failure."""
        return tuple(topic for topic in self.topics if topic.rests_on)


@dataclass(frozen=True, slots=True)
class Other:
    """Another line-up, one step away: who leaves, who comes, and what that changes, in topics.

    ``lost`` and ``gained`` are covered by nobody and again by somebody;
    ``alone`` come to rest on one person and ``twice`` no longer do; ``deeper``
    are known deeply by whoever comes and not by whoever leaves, ``less_deep``
    the other way round. ``busier``: whoever comes has less room.
    """

    keys: tuple[str, ...]
    leaves: str = ""
    comes: str = ""
    busier: bool = False
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    deeper: tuple[str, ...] = ()
    less_deep: tuple[str, ...] = ()


def bar(needs: Sequence[Need], people: Sequence[Free]) -> int:
    """From which depth people are taken: those who cover a topic; where nobody covers any, those who have begun."""
    able = any(one.depths.get(need.topic, 0) >= COVERS for need in needs for one in people)
    return COVERS if able else 1


def worth(needs: Sequence[Need], team: Sequence[Free], least: int = COVERS) -> int:
    """What a team is worth for these needs, if depth ``least`` covers a topic: see the module."""
    return sum(need.weight * _points(need, team, need.wanted, least) for need in needs)


def _points(need: Need, team: Sequence[Free], wanted: int, least: int) -> int:
    able = sum(one.depths.get(need.topic, 0) >= least for one in team)
    return (able > 0) + min(wanted, able)


def form(needs: Sequence[Need], people: Sequence[Free], most: int) -> LineUp:
    """At most ``most`` people who cover the needs as well as all of ``people`` together could, or as near as they get.

    Among equals the deeper one is taken, then the one with less load, then
    whoever comes first in ``people``. Nobody is in it without whom it would be worth as much.
    """
    team: list[Free] = []
    left, least = list(people), bar(needs, people)
    while left and len(team) < most:
        now = worth(needs, team, least)
        gains = [(worth(needs, [*team, one], least) - now, one) for one in left]
        gain, best = max(gains, key=lambda pair: (pair[0] / pair[1].cost, _depth(needs, pair[1]), -pair[1].load))
        if gain <= 0:
            break
        team.append(best)
        left.remove(best)
    team = _needed(needs, team, least)
    while (better := _swapped(needs, team, people, least)) is not None:
        team = _needed(needs, better, least)
    return line_up(needs, team)


def _needed(needs: Sequence[Need], team: list[Free], least: int) -> list[Free]:
    """The team without those, the costliest first, without whom it is worth as much."""
    for one in sorted(team, key=lambda one: -one.cost):
        without = [other for other in team if other is not one]
        if worth(needs, without, least) == worth(needs, team, least):
            team = without
    return team


def _swapped(needs: Sequence[Need], team: list[Free], people: Sequence[Free], least: int) -> list[Free] | None:
    """The team with the one other person in somebody's place by whom it is worth most and costs least, if it gains."""

    def gained(now: list[Free]) -> tuple[int, float, int]:
        return worth(needs, now, least), -round(sum(one.cost for one in now), 6), _safety(needs, now)

    swaps = [now for now, _, _ in _swaps(team, [one for one in people if one not in team])]
    best = max(swaps, key=gained, default=team)
    return best if gained(best) > gained(team) else None


def _swaps(team: Sequence[Free], outside: Sequence[Free]) -> list[tuple[list[Free], Free, Free]]:
    """Every team with somebody from outside in one place, with who leaves and who comes."""
    return [([new if one is old else one for one in team], old, new) for old in team for new in outside]


def _depth(needs: Sequence[Need], one: Free) -> int:
    return sum(need.weight * one.depths.get(need.topic, 0) for need in needs)


def line_up(needs: Sequence[Need], team: Sequence[Free]) -> LineUp:
    """How exactly these people stand on the needs, with what each of them brings in this order."""
    topics = tuple(
        Covered(
            need,
            tuple(one.key for one in team if one.depths.get(need.topic, 0) >= COVERS),
            tuple(one.key for one in team if 0 < one.depths.get(need.topic, 0) < COVERS),
        )
        for need in needs
    )
    members, least = [], bar(needs, team)
    for one in team:
        brings = [need for need in needs if one.depths.get(need.topic, 0) >= least]
        brings.sort(key=lambda need: (-need.weight, -one.depths.get(need.topic, 0)))
        alone = tuple(topic.need.topic for topic in topics if topic.rests_on == one.key)
        members.append(Member(one.key, tuple(need.topic for need in brings), alone))
    return LineUp(tuple(members), topics)


def others(needs: Sequence[Need], people: Sequence[Free], keys: Sequence[str], most: int) -> tuple[Other, ...]:
    """Line-ups one step from the team of ``keys``: somebody else in one place, one more, one fewer; the best of each.

    A kind for which there is nobody, or that would change nothing, is left out.
    """
    team = [one for key in keys for one in people if one.key == key]
    outside = [one for one in people if one.key not in set(keys)]
    found: list[tuple[list[Free], Free | None, Free | None]] = []
    if swaps := _swaps(team, outside):
        found.append(max(swaps, key=lambda swap: _merit(needs, swap[0])))
    if len(team) < most and outside:
        more = max(([*team, one] for one in outside), key=lambda more: _merit(needs, more))
        if _safety(needs, more) > _safety(needs, team):
            found.append((more, None, more[-1]))
    if len(team) > 1:
        fewer = max(([one for one in team if one is not out] for out in team), key=lambda few: _merit(needs, few))
        found.append((fewer, next(one for one in team if one not in fewer), None))
    return tuple(
        Other(
            tuple(one.key for one in now),
            old.key if old else "",
            new.key if new else "",
            bool(old and new and new.load > old.load),
            *_changes(needs, team, now),
            *(_deeper(needs, old, new) if old and new else ()),
        )
        for now, old, new in found
    )


def _safety(needs: Sequence[Need], team: Sequence[Free]) -> int:
    """As `worth`, but with two wanted for every topic: what one more person is good for."""
    return sum(need.weight * _points(need, team, TWO, COVERS) for need in needs)


def _merit(needs: Sequence[Need], team: Sequence[Free]) -> tuple[int, int, float]:
    return worth(needs, team), _safety(needs, team), -sum(one.cost for one in team)


def _changes(needs: Sequence[Need], team: Sequence[Free], now: Sequence[Free]) -> tuple[tuple[str, ...], ...]:
    """Topics lost, gained, come to rest on one person, and no longer resting on one."""
    lost, gained, alone, twice = [], [], [], []
    for need in needs:
        before, after = (sum(one.depths.get(need.topic, 0) >= COVERS for one in some) for some in (team, now))
        if before and not after:
            lost.append(need.topic)
        elif after and not before:
            gained.append(need.topic)
        elif before > 1 and after == 1:
            alone.append(need.topic)
        elif before == 1 and after > 1:
            twice.append(need.topic)
    return tuple(lost), tuple(gained), tuple(alone), tuple(twice)


def _deeper(needs: Sequence[Need], old: Free, new: Free) -> tuple[tuple[str, ...], ...]:
    """Topics that the new one knows deeply and the old one does not, and the other way round."""
    return tuple(
        tuple(need.topic for need in needs if one.depths.get(need.topic, 0) >= DEEP > other.depths.get(need.topic, 0))
        for one, other in ((new, old), (old, new))
    )
