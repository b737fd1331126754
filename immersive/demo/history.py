"""Some weeks of use, so that every page of the portal has something to show: checks, searches, tasks.

Everything of one person is written in one transaction and only if that person
has none yet: what somebody deletes while trying the portal does not come back.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from experts import communities
from experts.models import Person
from immersive.demo import COMPANY
from immersive.demo.seed import demo_people, rows_of
from immersive.work import actions, log
from immersive.work.models import ASSESSED, Assessment, LogWork, Outcome, Step, Task
from knowledge import topics
from knowledge.access import Viewer
from knowledge.framework_file import key_of
from knowledge.models import Click, Resource, Search, Source, Verification
from knowledge.search import search

VERIFIED = 28
OVERDUE = 6
SEARCHES_EACH = 4
WEEKS = 6

RESULTS = {"worked": Outcome.WORKED, "partly": Outcome.PARTLY, "no": Outcome.NOT_THIS_TIME}


def verify(sources: Iterable[Source]) -> None:
    """Authors vouch for some of their pages; a few of these promises have run out."""
    today = timezone.localdate()
    pages = Resource.objects.alive().filter(source__in=list(sources), kind="page", contributions__person__isnull=False)
    ordered = sorted(pages.distinct().prefetch_related("contributions"), key=lambda page: _chance(page.key))
    for number, page in enumerate(ordered[:VERIFIED]):
        owner = next(part.person_id for part in page.contributions.all() if part.person_id)
        if number < OVERDUE:
            verified, until = 400 + 9 * number, -(35 - 5 * number)
        else:
            verified, until = 12 + 7 * number, 40 + 11 * number
        Verification.objects.get_or_create(
            resource=page,
            defaults={
                "owner_id": owner,
                "verified_at": timezone.now() - timedelta(days=verified),
                "until": today + timedelta(days=until),
            },
        )


def search_and_open() -> None:
    """What demo people looked for, asked of the real search, and which of its results they opened."""
    texts = rows_of("searches.csv")
    busy = {row["username"] for row in rows_of("tasks.csv")}
    people = demo_people().filter(username__in=busy, searches=None).prefetch_related("memberships__team")
    for person in people:
        teams = {membership.team.name for membership in person.memberships.all()}
        own = [row["text"] for row in texts if not row["teams"] or teams & set(row["teams"].split(";"))]
        chance = random.Random(f"searches of {person.username}")  # noqa: S311
        with transaction.atomic():
            for text in chance.sample(own, min(SEARCHES_EACH, len(own))):
                _search(person, text, chance)


def _search(person: Person, text: str, chance: random.Random) -> None:
    shown = search(text, Viewer.of(person), remember=False)
    minutes = chance.randint(30, WEEKS * 7 * 24 * 60)
    at = timezone.now() - timedelta(minutes=minutes)
    row = Search.objects.create(person=person, text=text, total=shown.total, took_ms=shown.took_ms, at=at)
    ranks = sorted({min(int(chance.expovariate(0.7)), 9) for _ in range(chance.choice((0, 1, 1, 1, 2)))})
    Click.objects.bulk_create(
        [
            Click(search=row, resource=shown.results[rank].resource, rank=rank + 1, at=at + timedelta(seconds=9 + rank))
            for rank in ranks
            if rank < len(shown.results)
        ]
    )


def follow() -> None:
    """Who follows which topic, of those that they may know; some keep it to themselves."""
    people = {one.username: one for one in demo_people().filter(follows=None)}
    rows = [row for row in rows_of("follows.csv") if row["username"] in people]
    with transaction.atomic():
        for row in rows:
            person, key = people[row["username"]], key_of(row["topic"])
            if name := topics.known([key], Viewer.of(person)).get(key):
                one = communities.follow(person=person, key=key, name=name, shown=row["shown"] == "yes")
                one.at = timezone.now() - timedelta(days=int(row["days_ago"]))
                one.save(update_fields=["at"])


def pages_of(sources: Iterable[Source]) -> dict[str, int]:
    """The company's pages by their path, as its tables name them."""
    return {
        f"{source.address.rpartition('/')[2]}/{key}": pk
        for source in sources
        if source.address.startswith(str(COMPANY))
        for pk, key in source.resources.alive().values_list("pk", "key")
    }


def work(sources: Iterable[Source]) -> None:
    """Tasks of demo people with what they said before and how it went, through the same verbs as the pages use."""
    pages = pages_of(sources)
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of("tasks.csv"):
        rows[row["username"]].append(row)
    for person in demo_people().filter(username__in=list(rows), tasks=None):
        with transaction.atomic():
            for row in rows[person.username]:
                _task(person, row, pages[row["page"]])
    while log.do_due():
        pass


def _task(person: Person, row: dict[str, str], page: int) -> None:
    begun = moment(int(row["days_ago"]), row["statement"])
    task = actions.start_task(owner=person, statement=row["statement"], started_from=Resource.objects.get(pk=page))
    Task.objects.filter(pk=task.pk).update(created_at=begun)
    if not row["confidence"]:
        return
    # What was said is locked from the start, its time too: so it is written with the time that it should have.
    said = begun + timedelta(minutes=2)
    Assessment.objects.create(task=task, confidence=int(row["confidence"]), given_at=said)
    LogWork.objects.create(task=task, event=ASSESSED)
    if not row["result"]:
        return
    ended = moment(int(row["days_ago"]) - int(row["days_taken"]), row["statement"]) + timedelta(hours=7)
    ended = min(ended, timezone.now())
    _step(task, row, said, ended)
    actions.log_outcome(
        task=task,
        owner=person,
        result=RESULTS[row["result"]],
        with_help=row["with_help"] == "yes",
        minutes=int(row["minutes"]),
        surprise=row["surprise"],
        route=row["route"],
    )
    Outcome.objects.filter(task=task).update(logged_at=ended)


def _step(task: Task, row: dict[str, str], chosen: datetime, done: datetime) -> None:
    """The route that was chosen, and with what or whom: a page by its path, a tool by its name, a colleague."""
    named: dict[str, Any] = {}
    if row["route"] in ("mentor", "hand_over"):
        named = {"person": Person.objects.get(username=row["with"])}
    elif row["route"] == "tool":
        named = {"resource": Resource.objects.alive().get(kind="tool", title=row["with"])}
    elif row["route"] == "informal":
        named = {"resource": task.started_from}
    step = {"place": 0, "route": row["route"], "chosen_at": chosen + timedelta(minutes=1), "done_at": done}
    Step.objects.create(task=task, **step, **named)


def moment(days_ago: int, what: str) -> datetime:
    """A time of a working morning that many days ago, never in the future."""
    day = timezone.localdate() - timedelta(days=days_ago)
    morning = datetime.combine(day, time(8, int(_chance(what) * 60)), timezone.get_current_timezone())
    return min(morning, timezone.now() - timedelta(minutes=20))


def _chance(what: Any) -> float:
    """The same number in 0..1 for the same thing, in every process."""
    return random.Random(str(what)).random()  # noqa: S311
