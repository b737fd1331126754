"""What the demo company has learnt: lessons and experiments told, a task that is shared, questions to be asked again.

Written by the same verbs as the pages use, in the past, once: what somebody
takes back while trying the portal stays taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from experts.models import Person, Team
from immersive.demo.history import moment, pages_of
from immersive.demo.seed import demo_people, rows_of
from immersive.work import recall, records, sharing
from immersive.work.lessons import experiments, telling
from immersive.work.lessons.experiments import Tried
from immersive.work.lessons.rows import Experiment, Lesson, Reach
from immersive.work.lessons.telling import Said
from immersive.work.lessons.told import To
from immersive.work.models import Recall, Share, Step, Task
from immersive.work.routes import Route
from knowledge.documents import EVERYONE
from knowledge.models import Resource, Source

SHARED, WITH = "Track down the steam fault in Brinsley together with Zuri", "zuri.okandeo"
"""A task of the first demo person that has a plan and that another sees."""
PLAN = ((Route.INFORMAL, "service/faults/e24-steam.md"), (Route.MENTOR, WITH))


def learn(sources: Iterable[Source]) -> None:
    """Lessons, experiments, questions and a shared task, each where there are none; then what outcomes tell of all."""
    sources = list(sources)
    people = {person.username: person for person in demo_people()}
    here = list(people.values())
    with transaction.atomic():
        if not Lesson.objects.filter(author__in=here).exists():
            things = _things(sources)
            for row in rows_of("lessons.csv"):
                _lesson(row, people[row["author"]], things)
        if not Experiment.objects.filter(author__in=here).exists():
            for row in rows_of("experiments.csv"):
                _experiment(row, people[row["author"]])
        if not Recall.objects.filter(owner__in=here).exists():
            for row in rows_of("recall.csv"):
                _recall(row, people[row["username"]])
        if not Share.objects.filter(task__owner__in=here).exists():
            _share(people, pages_of(sources))
    records.publish()


def _things(sources: Iterable[Source]) -> dict[str, UUID]:
    """The company's pages by path and its tools by name."""
    pages = pages_of(sources)
    ids = dict(Resource.objects.filter(pk__in=pages.values()).values_list("pk", "public_id"))
    tools = Resource.objects.alive().filter(kind="tool", source__in=list(sources))
    return {path: ids[pk] for path, pk in pages.items()} | dict(tools.values_list("title", "public_id"))


def _to(row: Mapping[str, str], anonymous: bool = False) -> To:
    """Whom it is told: everyone, the team of that name, or only its author."""
    if row["audience"] in ("", EVERYONE):
        return To(Reach.COMPANY if row["audience"] else Reach.ME)
    return To(Reach.TEAM, Team.objects.get(name=row["audience"]).public_id, anonymous)


def _lesson(row: Mapping[str, str], author: Person, things: Mapping[str, UUID]) -> None:
    words: dict[str, Any] = {name: row[name] for name in (*telling.WORDS, "kind", "route")}
    said = Said(
        **words,
        resources=[things[name] for name in row["about"].split(";")],
        topics=[name for name in row["topics"].split(";") if name],
        review=bool(row["review"]),
    )
    made = telling.publish(author=author, said=said, to=_to(row, bool(row["anonymous"])))
    at = moment(int(row["days_ago"]), row["happened"])
    told = at if made.published_at and made.reach != Reach.ME else None
    Lesson.objects.filter(pk=made.pk).update(created_at=at, changed_at=at, published_at=told)


def _experiment(row: Mapping[str, str], author: Person) -> None:
    begun, by = (
        moment(int(row["days_ago"]), row["counts"]),
        timezone.localdate() + timedelta(days=int(row["by_in_days"])),
    )
    topics = [name for name in row["topics"].split(";") if name]
    made = experiments.plan(author=author, tried=Tried(row["hypothesis"], row["counts"], by, topics), to=_to(row))
    past: dict[str, Any] = {"created_at": begun, "changed_at": begun, "published_at": begun}
    if row["result"]:
        experiments.conclude(author=author, experiment=made.public_id, result=row["result"], found=row["found"])
        ended = moment(-int(row["by_in_days"]), row["found"])
        past |= {"changed_at": ended, "finished_at": ended}
    Experiment.objects.filter(pk=made.pk).update(**past)


def _recall(row: Mapping[str, str], owner: Person) -> None:
    """A question about a task of theirs, which comes now; none where they deleted that task."""
    task = Task.objects.filter(owner=owner, statement=row["task"]).first()
    if task is not None:
        kept = recall.keep(task=task, owner=owner, question=row["question"], answer=row["answer"])
        Recall.objects.filter(pk=kept.pk).update(due_at=timezone.now() - timedelta(hours=1))


def _share(people: Mapping[str, Person], pages: Mapping[str, int]) -> None:
    task = Task.objects.filter(statement=SHARED, owner__in=people.values()).first()
    if task is None:
        return
    for place, (route, what) in enumerate(PLAN):
        named = {"person": people[what]} if what in people else {"resource_id": pages[what]}
        Step.objects.get_or_create(task=task, route=route, **named, defaults={"place": place})
    sharing.share(task=task, owner=task.owner, person=people[WITH])
