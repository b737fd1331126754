"""Six colleagues, of whom four have written about pumps: for tests of asking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from experts.models import Person
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from tests import small_company

MAY = datetime(2026, 5, 4, 12, tzinfo=UTC)
PUMPS = "How do I prime a feed pump after a seal change?"


def see(person: Any) -> Viewer:
    """The viewer that a person is now."""
    return Viewer.of(Person.objects.get(pk=person.pk))


def page(key: str, title: str, *authors: str, topics: tuple[str, ...] = ("Pumps",)) -> Document:
    parts = tuple(Contribution(name, f"{name.lower()}@example.org", 1 / len(authors), 3, MAY, MAY) for name in authors)
    body = f"{title}. Prime the pump, then look at the seal." if "Pumps" in topics else f"{title}. Let it dry."
    return Document(key, title, body, topics=topics, contributions=parts, updated=MAY)


def company(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    """People by first name, the team they are all in, and pages that can be searched."""
    from experts.models import Team

    team = Team.objects.create(name="Pumps", slug="pumps")
    names = ("Ana", "Ben", "Cleo", "Dai", "Eva", "Finn")
    people = {
        name.lower(): make_person(name.lower(), name=name, email=f"{name.lower()}@example.org", teams=(team,))
        for name in names
    }
    hold(
        "Handbook",
        [
            page("prime", "Priming a feed pump", "Ben", "Cleo"),
            page("seal", "Changing the seal of a feed pump", "Ben"),
            page("start", "Starting a pump after a seal change", "Cleo", "Dai"),
            page("level", "Levels of a feed pump", "Dai", "Eva"),
            page("boiler", "Firing a boiler", "Finn", topics=("Boilers",)),
        ],
        trusts_emails=True,
    )
    small_company.index()
    return SimpleNamespace(team=team, **people)
