"""How often the right route stands among the first two, measured with judged tasks of the company that is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from experts.models import Person
from immersive.work.candidates import gather
from immersive.work.routes import DOES_THE_JOB, Card, Route, Situation, weigh
from immersive.work.wording import in_words
from immersive.work.working_time import Clock
from knowledge.access import Viewer
from knowledge.search import search

KNOWN = {"know": 1.0, "partly": 0.5, "not yet": 0.0}
SURE = {1.0: 0.9, 0.5: 0.5, 0.0: 0.1}
LEAN = {"deliver": 0.0, "learn": 1.0}
NAMES = {
    "do": Route.DO, "do it": Route.DO, "do it yourself": Route.DO, "tool": Route.TOOL, "use a tool": Route.TOOL,
    "hand over": Route.HAND_OVER, "mentor": Route.MENTOR, "learn informally": Route.INFORMAL,
    "informal": Route.INFORMAL, "learn formally": Route.FORMAL, "formal": Route.FORMAL,
}  # fmt: skip
KIND_OF = {"tool": Route.TOOL, "course": Route.FORMAL, "person": Route.HAND_OVER}
"""Which route a search result of a kind would be; reading it, for all others."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One task of the file: whose, what they know of it (0..1), what they want, and the routes that are right."""

    line: int
    task: str
    who: str
    topics: dict[str, float]
    lean: float
    right: frozenset[Route]


class Command(BaseCommand):
    help = (
        "Measure the six routes with judged tasks against the company that is loaded. Each line of FILE is a JSON "
        'object: "task", "who" (a username), "topics_known" (an object: topic to "know", "partly" or "not yet"; or a '
        'list of those known), "deliver_or_learn", "right_routes" (do, tool, hand over, mentor, learn informally, '
        'learn formally) and "why". Nothing is stored.'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--half", choices=["odd", "even"], help="Only every second line, counted from 1.")
        parser.add_argument("--json", action="store_true", help="Print the figures as JSON and nothing else.")
        parser.add_argument("--missed", action="store_true", help="Show each task whose right route is not in the two.")

    def handle(self, *args: Any, **options: Any) -> None:
        judged = [one for one in read(options["file"]) if options["half"] in (None, ("even", "odd")[one.line % 2])]
        if not judged:
            raise CommandError(f"{options['file']} holds no task.")
        people = {one.username: one for one in Person.objects.filter(username__in={one.who for one in judged})}
        if missing := sorted({one.who for one in judged} - people.keys()):
            raise CommandError(f"Nobody here is called {', '.join(missing)}: load the company that the tasks are of.")
        first = second = on_card = naive = wrong = 0
        for one in judged:
            viewer = Viewer.of(people[one.who])
            card = asked(one, viewer)
            rows = sorted(card.rows, key=lambda row: -row.worth)  # before those that are close change places by lot
            shown = [row.route for row in rows[:2]]
            first += shown[0] in one.right
            second += bool(one.right & set(shown))
            on_card += any(row.route in one.right for row in card.rows[:2])
            naive += baseline(one.task, viewer) in one.right
            wrong += tool_below_course(card, one.lean)
            if options["missed"] and not one.right & set(shown):
                self.stdout.write(f"{one.line}: {one.task}\n   right: {', '.join(sorted(one.right))}")
                for row in rows:
                    self.stdout.write(
                        f"   {row.route:<10} worth {row.worth:5.2f}  chance {row.odds.chance.mean:.2f}  "
                        f"fit {row.candidate.fit:.2f}  learns {row.learns:.2f}  {row.candidate.title}"
                    )
        figures = {
            "tasks": len(judged),
            "right_first": round(first / len(judged), 3),
            "right_in_two": round(second / len(judged), 3),
            "shown_in_two": round(on_card / len(judged), 3),
            "best_search_result": round(naive / len(judged), 3),
            "tool_below_course_when_delivering": wrong,
        }
        self.stdout.write(json.dumps(figures) if options["json"] else table(figures))


def read(path: Path) -> Iterator[Judged]:
    """The judged tasks of a file. Raises `CommandError` that names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield judged(number, json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise CommandError(f"{path}, line {number}: {type(error).__name__}: {error}") from None


def judged(number: int, row: dict[str, Any]) -> Judged:
    """One line as values; raises what an odd line raises."""
    said = row["topics_known"]
    topics = {name: KNOWN[word] for name, word in said.items()} if isinstance(said, dict) else dict.fromkeys(said, 1.0)
    right = frozenset(NAMES[name.replace("_", " ").casefold()] for name in row["right_routes"])
    return Judged(number, row["task"], row["who"], topics, LEAN[row["deliver_or_learn"]], right)


def asked(one: Judged, viewer: Viewer) -> Card:
    """The card of a judged task: how sure they would be follows from what they know."""
    part = sum(one.topics.values()) / len(one.topics) if one.topics else 0.0
    sure = SURE[min(SURE, key=lambda known: abs(known - part))]
    found = in_words(gather(one.task, viewer, known=one.topics), timezone.now(), Clock())
    return weigh(found, Situation(sure, part, one.lean), {})


def baseline(task: str, viewer: Viewer) -> Route | None:
    """What somebody does who always takes the best search result."""
    found: Sequence[Any] = search(task, viewer, per_page=1, remember=False).results
    return KIND_OF.get(found[0].resource.kind, Route.INFORMAL) if found else None


def tool_below_course(card: Card, lean: float) -> bool:
    """Whether a tool that does the job stands below a course although delivering is wanted."""
    at = {row.route: number for number, row in enumerate(card.rows)}
    if lean > 0.5 or Route.TOOL not in at or Route.FORMAL not in at:
        return False
    return card.rows[at[Route.TOOL]].candidate.fit >= DOES_THE_JOB and at[Route.TOOL] > at[Route.FORMAL]


def table(figures: dict[str, Any]) -> str:
    """The figures, a line each."""
    return "\n".join(f"{name.replace('_', ' '):<36}{value}" for name, value in figures.items())
