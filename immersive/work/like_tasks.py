"""A person's own tasks that are like one of theirs: how those went, how long they took, how hard they were.

Only the owner's own: what somebody else's tasks tell comes through `records` alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import log, sqrt
from typing import TYPE_CHECKING

from django.views.decorators.debug import sensitive_variables

from immersive.work.models import Outcome
from immersive.work.routes import HOURS, Counts, Difficulty, Route
from knowledge.index.analysis import content_words, stem, tokens

if TYPE_CHECKING:
    from immersive.work.models import Task
    from knowledge.access import Viewer

ALIKE, ALIKE_ON_TOPIC = 0.5, 0.25
"""How much of their words two tasks share to be alike: as a cosine; less is enough where they share a topic."""
LATEST = 600
"""Rows of finished tasks, one for each of their topics, that are looked at."""
MOST = 20
"""Tasks that are alike, the most alike first, which count."""


@dataclass(frozen=True, slots=True)
class Done:
    """One finished task of one's own."""

    id: int
    statement: str
    result: float
    route: str = ""
    with_help: bool = False
    minutes: int | None = None
    difficulty: str = ""
    topics: frozenset[str] = frozenset()

    @property
    def alone(self) -> bool:
        """Whether its owner did it themselves."""
        return self.route == Route.DO or (not self.route and not self.with_help)


@dataclass(frozen=True, slots=True)
class Alike:
    """What like tasks tell: of those that their owner did alone how they went, of all how hard they were."""

    past: Counts = field(default_factory=Counts)
    tasks: int = 0
    difficulty: Difficulty | None = None


@sensitive_variables()
def alike(task: Task, viewer: Viewer) -> Alike:
    """What the viewer's finished tasks that are like this one tell; one question to the database."""
    rows = Outcome.objects.visible_to(viewer).exclude(task=task).order_by("-logged_at", "-pk")
    columns = ("task__statement", "result", "route", "with_help", "minutes", "task__difficulty", "task__topics__slug")
    found: dict[int, Done] = {}
    for pk, *said, topic in rows.values_list("task_id", *columns)[:LATEST]:
        one = found.setdefault(pk, Done(pk, *said))
        found[pk] = replace(one, topics=one.topics | {topic}) if topic else one
    return told(task.statement, {topic.slug for topic in task.topics.all()}, found.values())


def told(statement: str, topics: Iterable[str], done: Iterable[Done]) -> Alike:
    """What those of these finished tasks tell that are like one of these words and topics."""
    words, topics = stems(statement), set(topics)
    near = [(_share(words, stems(one.statement)), one) for one in done]
    like = [(part, one) for part, one in near if part >= (ALIKE_ON_TOPIC if topics & one.topics else ALIKE)]
    best = [one for _, one in sorted(like, key=lambda pair: (-pair[0], pair[1].id))[:MOST]]
    past = sum((_counts(one) for one in best if one.alone), Counts())
    return Alike(past, len(best), _difficulty(best, past))


def _counts(one: Done) -> Counts:
    return Counts(one.result, 1, one.minutes / 60, 1) if one.minutes else Counts(one.result, 1)


def _difficulty(best: Iterable[Done], past: Counts) -> Difficulty | None:
    """As most of them were said to be; else by how long they took."""
    said = Counter(one.difficulty for one in best if one.difficulty)
    if said:
        return Difficulty(min(said, key=lambda one: (-said[one], list(Difficulty).index(Difficulty(one)))))
    if past.timed:
        return min(HOURS, key=lambda one: abs(log(HOURS[one] / past.hours)))
    return None


def stems(text: str) -> set[str]:
    """What the words of a text that bear content have in common with other forms of them."""
    return {stem(word) for word in content_words(tokens(text))}


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / sqrt(len(one) * len(other)) if one and other else 0.0
