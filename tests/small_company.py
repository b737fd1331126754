"""A company of three people and a dozen documents, brought in the way real ones are: for tests of pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from django.utils import timezone

from knowledge.connectors import Event, Known
from knowledge.documents import EVERYONE, Contribution, Document


class ToldConnector:
    """Yields the documents that a test has laid down under its address."""

    lists_everything = True
    documents: ClassVar[dict[str, list[Document]]] = {}

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address

    def check(self) -> str:
        return self.address.capitalize()

    def pull(self, known: Known) -> Iterator[Event]:
        yield from self.documents[self.address]


CONNECTOR = "tests.small_company.ToldConnector"


def source_of(name: str, documents: Iterable[Document], audience: Iterable[str] = (EVERYONE,), **more: Any) -> Any:
    """A source that holds exactly these documents, synced; index it with `knowledge.indexing.index_changes`."""
    from knowledge import actions, ingest
    from knowledge.models import SyncRun

    ToldConnector.documents[name] = list(documents)
    source = actions.add_source(kind="told", address=name, name=name, audience=audience, **more)
    run = SyncRun.objects.claim(actions.request_sync(source=source).pk)
    if run is not None:
        ingest.sync(run)
    return source


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def handbook() -> list[Document]:
    """Pages with people behind them; one of them long enough to scroll."""
    pump = """# Priming a feed pump

Close the discharge valve, open the vent, and fill the casing until water runs without bubbles.

## Before you begin

- Isolate the motor and hang your own tag.
- Read the level in the suction tank. Below 40 % the pump will lose its prime again.

## Filling the casing

1. Open the vent cock on the volute.
2. Fill slowly from the header line, for about four minutes.
3. Turn the shaft by hand, two full turns, and fill again.

| Pump | Casing, litres | Minutes |
|---|---|---|
| P-101 | 14 | 4 |
| P-102, P-103 | 22 | 6 |

### When it does not hold

A pump that loses its prime overnight has a leaking foot valve nine times out of ten.

```
suction 0.62 bar  discharge 0.00 bar  vent open
```

## Afterwards

Write the filling time into the shift log; the next shift compares it with theirs.
"""
    ana = Contribution("Ana Ferreira", "ana@example.org", 0.7, 9, days_ago(900), days_ago(20))
    ben = Contribution("Ben Okafor", "ben@example.org", 0.3, 2, days_ago(300), days_ago(40))
    pages = [
        Document("pump", "Priming a feed pump", pump, "https://handbook.example.org/pumps/priming",
                 crumbs=("Operations", "Pumps"), topics=("Pumps", "Start-up"), contributions=(ana, ben),
                 created=days_ago(900), updated=days_ago(20)),
        Document("seal", "Changing a mechanical seal", "The seal of a feed pump is changed warm, never hot. "
                 "Mark the position of the collar before you loosen it.", "https://handbook.example.org/pumps/seal",
                 crumbs=("Operations", "Pumps"), topics=("Pumps", "Maintenance"), contributions=(ben,),
                 created=days_ago(400), updated=days_ago(3)),
        Document("log", "Writing a shift log that the next shift can use", "Say what you left undone first. "
                 "A pump that was primed twice in one shift is worth a line.", crumbs=("Operations",),
                 topics=("Shift handover",), contributions=(Contribution("An Unknown Hand"),), updated=days_ago(100)),
    ]  # fmt: skip
    pages += [
        Document(f"round-{n}", f"Inspection round {n}", f"On round {n}, listen to each feed pump and note its level.",
                 topics=("Inspection",), updated=days_ago(30 + n))
        for n in range(1, 25)
    ]  # fmt: skip
    return pages


def catalogue() -> list[Document]:
    """A tool, two courses and a video, with what only they have."""
    soon = (timezone.localdate() + timedelta(days=12)).isoformat()
    return [
        Document("valveview", "ValveView", "Shows every valve and pump of the plant with its state.", kind="tool",
                 url="https://valveview.example.org/", topics=("Pumps",),
                 facts={"jobs": ["find which valve feeds a pump", "export a line"], "provider": "Plant IT"}),
        Document("hydraulics", "Pump hydraulics for operators", "Two days at the rig: curves, cavitation, priming.",
                 kind="course", url="https://courses.example.org/hydraulics", topics=("Pumps",),
                 facts={"duration_minutes": 960, "next_date": soon, "price": "€ 420", "provider": "Academy"}),
        Document("cavitation", "What cavitation sounds like", "Listen to a pump before and during.", kind="video",
                 url="https://videos.example.org/cavitation", topics=("Pumps",), facts={"duration_minutes": 12},
                 updated=datetime(2026, 3, 2, tzinfo=UTC)),
    ]  # fmt: skip


def build(people: Mapping[str, Any]) -> dict[str, Any]:
    """Sources with everything in them; ``people``: ana, ben and cleo. Returns resources by key."""
    from experts.models import Membership, Team
    from knowledge.models import Resource, Verification

    team = Team.objects.create(name="Operations", slug="operations")
    Membership.objects.create(person=people["ana"], team=team)
    source_of("Handbook", handbook(), trusts_emails=True)
    source_of("Catalogue", catalogue())
    source_of("Operations only", [Document("secret", "Salary bands of the pump crew", "Only for operations: zyxwv.")],
              audience=[f"team:{team.pk}"])  # fmt: skip
    found = {row.key: row for row in Resource.objects.alive()}
    Verification.objects.create(resource=found["pump"], owner=people["ben"], until=date(2099, 3, 14))
    Verification.objects.create(resource=found["log"], owner=None, until=date(2020, 1, 31))
    return found


def read_people() -> None:
    """Let the company's people be found, as the worker does."""
    from experts.actions import ensure_people_source
    from knowledge import actions, ingest
    from knowledge.models import SyncRun

    source = ensure_people_source()
    run = SyncRun.objects.claim(actions.request_sync(source=source).pk)
    if run is not None:
        ingest.sync(run)


def index() -> None:
    """Make the index true, as the worker does."""
    from knowledge.indexing import index_changes

    while index_changes():
        pass
