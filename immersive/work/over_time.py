"""Topics over time: of each, the tasks of one's learning log in their order, how sure one was and how they went."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from immersive.work.models import LearningEntry
from knowledge import topics
from knowledge.index.analysis import one_spelling

if TYPE_CHECKING:
    from knowledge.access import Viewer

DRAWN_FROM = 3
"""Tasks of a topic from which they are drawn: two are no course."""
DRAWN = 6
"""Topics that are drawn, those worked on last; the table has all."""
LEFT, WIDE, TOP, HIGH = 11, 75, 8, 84
"""Where the plot stands in its picture, in percent."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One task: when it was first said of, how sure in percent, and how it went, if that is known."""

    at: datetime
    sure: int
    went: float | None


@dataclass(frozen=True, slots=True)
class Dot:
    """A finished task in the picture: its places in percent, as SVG wants them, and how it went."""

    x: str
    y: str
    went: float


@dataclass(frozen=True, slots=True)
class Course:
    """One topic: its tasks in their order, and when the log last spoke of it."""

    name: str
    marks: tuple[Mark, ...]
    last: datetime

    @property
    def first(self) -> datetime:
        """When it began."""
        return self.marks[0].at

    @property
    def words(self) -> str:
        """The picture in words."""
        said = ", ".join(str(mark.sure) for mark in self.marks)
        return f"{self.name}: {said} percent; {self.counts}"

    @property
    def counts(self) -> str:
        """How many tasks, and how many of those that are done worked."""
        done = [mark.went for mark in self.marks if mark.went is not None]
        worked = f"; {sum(done):g} of {len(done)} worked" if done else ""
        return f"{len(self.marks)} task{'s' * (len(self.marks) > 1)}{worked}"

    @property
    def line(self) -> str:
        """How sure one was from task to task, in a square of 100."""
        last = max(len(self.marks) - 1, 1)
        return " ".join(f"{100 * at / last:.1f},{100 - mark.sure}" for at, mark in enumerate(self.marks))

    @property
    def dots(self) -> tuple[Dot, ...]:
        """Each finished task on that line."""
        last = max(len(self.marks) - 1, 1)
        return tuple(
            Dot(f"{LEFT + WIDE * at / last:.1f}%", f"{TOP + HIGH * (1 - mark.sure / 100):.1f}%", mark.went)
            for at, mark in enumerate(self.marks)
            if mark.went is not None
        )


def courses(viewer: Viewer) -> list[Course]:
    """The topics of the viewer's learning log that they may know now, the latest first (one query)."""
    mine, known = LearningEntry.objects.visible_to(viewer), topics.of(viewer)
    links = LearningEntry.topics.through.objects.filter(learningentry__in=mine, topic__in=known)
    links = links.order_by("learningentry__at")
    rows = list(
        links.values_list(
            "topic__name",
            "learningentry__task",
            "learningentry__at",
            "learningentry__task__assessment__confidence",
            "learningentry__task__outcome__result",
        )
    )
    times: dict[str, set[int]] = defaultdict(set)
    for name, task, *_ in rows:
        times[name].add(task)
    spelling = one_spelling({name: len(tasks) for name, tasks in times.items()})
    marks: dict[str, dict[int, Mark]] = defaultdict(dict)
    last: dict[str, datetime] = {}
    for name, task, at, sure, went in rows:
        topic = spelling[name]
        marks[topic].setdefault(task, Mark(at, sure, went))
        last[topic] = at
    found = [Course(name, tuple(of.values()), last[name]) for name, of in marks.items()]
    return sorted(found, key=lambda course: (-course.last.timestamp(), course.name))


def drawn(courses: list[Course]) -> list[Course]:
    """Those of which there is enough for a picture."""
    return [course for course in courses if len(course.marks) >= DRAWN_FROM][:DRAWN]
