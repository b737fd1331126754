"""What the team builder shows: who could cover these topics, as one viewer may know it, and what is missing.

Only evidence that the viewer may read, what people say of themselves and the
hours they chose to show go in; nobody's assessments or outcomes do. Who is
hidden, closed, not to be asked or has no room is not proposed, and nothing
tells them from somebody who does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from experts import finder
from experts.asking import own_asks
from experts.models import Person
from experts.room import room, with_room
from experts.teams.formation import COVERS, Covered, Free, LineUp, Need, Other, form, line_up, others
from knowledge.access import Ground, Viewer
from knowledge.documents import Result
from knowledge.explain import listed
from knowledge.index.language import parse
from knowledge.search import search

MOST_TOPICS = 12
"""Topics that a team is formed for at one time."""
MOST_PEOPLE = 8
USUAL_PEOPLE = 5
USUAL_HOURS = 2
MOST_KNOWN = 20
"""People who are looked at for one topic."""
LOOKED_FOR = 3
"""Gaps for which courses and tools are looked for at once."""
WORDS = ("no evidence", "learning", "practised", "deeply")
"""What the four levels are called."""
NUMBERS = ("nobody", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number(count: int) -> str:
    """A small number as a word."""
    return NUMBERS[count] if 0 < count < len(NUMBERS) else str(count)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a team is formed for: topics, hours a week of each person, and the most people."""

    needs: tuple[Need, ...]
    hours: int = USUAL_HOURS
    most: int = USUAL_PEOPLE


@dataclass(frozen=True, slots=True)
class Someone:
    """Somebody who can be proposed: what they are known for by topic, load, and free hours a week if they show them."""

    person: Person
    levels: Mapping[str, finder.Level]
    load: float = 0.0
    free: int | None = None

    @property
    def depths(self) -> dict[str, int]:
        """How deeply they know each topic, 1 to 3."""
        return {name: level.step for name, level in self.levels.items()}

    @property
    def key(self) -> str:
        """What names them in an address."""
        return str(self.person.public_id)


@dataclass(frozen=True, slots=True)
class Cell:
    """One person on one topic: a level 0..3, its word, and what shows it: in words, and where it can be opened."""

    level: int
    text: str = ""
    url: str = ""

    @property
    def word(self) -> str:
        """The level in words."""
        return WORDS[self.level]

    @classmethod
    def of(cls, level: finder.Level | None) -> Cell:
        """The cell that shows a level."""
        return cls(level.step, level.text, level.url) if level else cls(0)


@dataclass(frozen=True, slots=True)
class Row:
    """One topic over the whole team, and what becomes of it if one person is away."""

    topic: str
    critical: bool
    cells: tuple[Cell, ...]
    away: str
    risk: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """A topic that nobody covers (``alone`` is empty) or that rests on one person, and what can be done about it.

    ``able``: who would cover it, the deepest first, and ``why`` they are not in the team. ``near``: who is learning it.
    ``found``: courses and tools about it that the viewer may read.
    """

    topic: str
    alone: str = ""
    able: tuple[Person, ...] = ()
    why: str = ""
    near: tuple[Person, ...] = ()
    found: tuple[Result, ...] = ()
    looked: bool = False


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Another line-up in words: what it is called, what it changes, and the keys of those in it."""

    title: str
    changes: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A line-up as the page shows it. ``why``: for each person in it the topics they were taken for."""

    wanted: Wanted
    people: tuple[Someone, ...]
    why: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...]
    others: tuple[Otherwise, ...]

    @property
    def covered(self) -> int:
        """Topics that somebody in it covers."""
        return len(self.rows) - len(self.unknown)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Topics that nobody in it covers."""
        return tuple(row.topic for row in self.rows if not any(cell.level >= COVERS for cell in row.cells))

    @property
    def nowhere(self) -> tuple[str, ...]:
        """Of these, those that nobody else who was found covers either."""
        return tuple(gap.topic for gap in self.gaps if not (gap.alone or gap.able))

    @property
    def hours(self) -> int:
        """Hours a week that are asked of all of them together."""
        return self.wanted.hours * len(self.people)

    @property
    def lede(self) -> str:
        """The line-up in one or two sentences."""
        topics, team = len(self.rows), len(self.people)
        if not team:
            return f"Nobody was found who could be asked about {'this' if topics == 1 else 'these topics'}."
        who = "One person covers" if team == 1 else f"{number(team).capitalize()} people cover"
        some = "the one topic" if self.covered == topics == 1 else f"{number(self.covered)} of {number(topics)} topics"
        some = "none of the topics" if not self.covered else some
        said = f"{who} {some} in {self.hours} hour{'s' * (self.hours != 1)} a week."
        left = [name for name in self.unknown if name not in self.nowhere]
        said += f" Nobody in it knows {listed(left)}." if left else ""
        return f"{said} Nobody was found who knows {listed(self.nowhere)}." if self.nowhere else said

    @property
    def ask(self) -> str:
        """What the button that asks them says."""
        return "Ask this person" if len(self.people) == 1 else f"Ask these {number(len(self.people))}"


def draft(wanted: Wanted, viewer: Viewer, chosen: Collection[str] = (), ground: Ground | None = None) -> Draft:
    """A line-up for these needs; ``chosen``: the keys of exactly who should be in it, where that was said.

    Keys of people who cannot be proposed to this viewer now are left out without a word.
    """
    ground = ground or Ground(viewer)
    free = candidates(wanted, viewer, ground)
    people = [Free(one.key, one.depths, one.load) for one in free]
    found = form(wanted.needs, people, wanted.most)
    if chosen:
        team = [one for key in dict.fromkeys(chosen) for one in people if one.key == key]
        found = line_up(wanted.needs, team[: wanted.most])
    by_key = {one.key: one for one in free}
    shown = tuple(by_key[key] for key in found.keys)
    return Draft(
        wanted,
        shown,
        tuple(member.brings for member in found.members),
        tuple(_row(topic, shown, by_key) for topic in found.topics),
        _gaps(found, by_key, wanted.most, viewer, ground),
        tuple(_words(other, by_key, wanted.hours) for other in others(wanted.needs, people, found.keys, wanted.most)),
    )


def _row(topic: Covered, team: Iterable[Someone], by_key: Mapping[str, Someone]) -> Row:
    name = topic.need.topic
    cells = tuple(Cell.of(one.levels.get(name)) for one in team)
    away = "still covered"
    if topic.gap:
        away = "nobody"
    elif topic.rests_on:
        away = f"only {by_key[topic.rests_on].person.display_name}"
    return Row(name, topic.need.critical, cells, away, len(topic.by) < 2)


def _gaps(found: LineUp, by_key: Mapping[str, Someone], most: int, viewer: Viewer, ground: Ground) -> tuple[Gap, ...]:
    """Topics that nobody covers, then critical ones that rest on one person, each with a way on."""
    open_ones = list(found.gaps) + [topic for topic in found.alone if topic.need.critical]
    gaps = []
    for at, topic in enumerate(open_ones):
        name = topic.need.topic
        able = [one for one in by_key.values() if one.depths.get(name, 0) >= COVERS and one.key not in topic.by]
        able.sort(key=lambda one: -one.depths[name])
        near = [one.person for one in by_key.values() if one.depths.get(name, 0) == 1]
        near.sort(key=lambda one: str(one.public_id) not in found.keys)
        one = by_key.get(topic.rests_on)
        alone = one.person.display_name if one else ""
        why = f"more than {number(most)} would be needed" if len(found.keys) >= most else "this line-up leaves them out"
        if one and able and able[0].depths[name] > one.depths[name] and able[0].load > one.load:
            able, why = able[:1], f"more deeply, and has less room than {alone}"
        looked = at < LOOKED_FOR and not alone
        found_here = _learning(name, viewer, ground) if looked else ()
        gaps.append(Gap(name, alone, tuple(one.person for one in able[:2]), why, tuple(near[:2]), found_here, looked))
    return tuple(gaps)


def _learning(topic: str, viewer: Viewer, ground: Ground) -> tuple[Result, ...]:
    """Courses and tools about a topic, found by the one search."""
    query = parse(f"{topic} kind:course kind:tool")
    return search(query, viewer, per_page=2, remember=False, as_typed=True, ground=ground).results if query else ()


def _words(other: Other, by_key: Mapping[str, Someone], hours: int) -> Otherwise:
    leaves, comes = (by_key[key].person.display_name if key else "" for key in (other.leaves, other.comes))
    title = f"{comes} instead of {leaves}" if leaves and comes else f"Add {comes}" if comes else f"Without {leaves}"
    parts = [
        f"nobody covers {listed(other.lost)}" if other.lost else "",
        f"covers {listed(other.gained)} too" if other.gained else "",
        f"{listed(other.alone)} rest{'s' * (len(other.alone) == 1)} on one person" if other.alone else "",
        f"{listed(other.twice)} no longer rest{'s' * (len(other.twice) == 1)} on one person" if other.twice else "",
        f"knows {listed(other.deeper)} more deeply" if other.deeper else "",
        f"knows {listed(other.less_deep)} less deeply" if other.less_deep else "",
        f"{comes} has less room" if other.busier and (other.gained or other.twice or other.deeper) else "",
    ]
    more = "" if leaves and comes else f"{hours} hour{'s' * (hours != 1)} {'more' if comes else 'less'}"
    said = "; ".join(filter(None, [*parts, more])) if any(parts) else "the same topics are covered as well"
    return Otherwise(title, f"{said[0].upper()}{said[1:]}.", other.keys)


# Who can be proposed ---------------------------------------------------------------------------------------------


def candidates(wanted: Wanted, viewer: Viewer, ground: Ground) -> list[Someone]:
    """Everybody who is known for some of it and can be asked, the least asked lately first."""
    names = [need.topic for need in wanted.needs]
    found = finder.crowd(names, ground, count=MOST_KNOWN)
    people = reachable(viewer, found.people, wanted.hours)
    return [_someone(person, levels) for person in people if (levels := found.levels(person))]


def known(
    names: Sequence[str], viewer: Viewer, people: Sequence[Person], ground: Ground | None = None
) -> dict[int, dict[str, finder.Level]]:
    """What these people are known for, of these topics, from what the viewer may read."""
    found: dict[int, dict[str, finder.Level]] = {}
    for (who, name), level in finder.levels(people, names, viewer, ground=ground).items():
        if level.step:
            found.setdefault(who, {})[name] = level
    return found


def _someone(person: Person, levels: Mapping[str, finder.Level]) -> Someone:
    has = room(person)
    return Someone(person, levels, has.load, has.free)


def reachable(viewer: Viewer, people: Collection[int], hours: int) -> list[Person]:
    """Those of these people (ids) whom the viewer may see and who can be asked now for so many hours a week, the
    least asked lately first; but for those whom the viewer asked as often as one may ask another."""
    times = Counter(person for person, _ in own_asks.lately(viewer, people, timezone.now()))
    some = [person for person in people if times[person] < own_asks.OF_ONE]
    found = with_room(Person.objects.visible_to(viewer).findable().filter(pk__in=some))
    able = [(has, one) for has, one in ((room(one), one) for one in found) if has.gives(hours)]
    return [one for _, one in sorted(able, key=lambda pair: (pair[0].month, pair[0].taken, pair[1].public_id.hex))]
