"""``manage.py bench_people``: how long the finder, the pages about people and the card of routes take, by size."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone

from experts.evidence import attribute
from experts.finder import find
from experts.models import Membership, Person, Team
from immersive.work.actions import MAX_STATEMENT, assess, start_task
from immersive.work.advice import advise
from immersive.work.models import Task
from immersive.work.tasks import mine_or_404
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.management import load
from knowledge.management.commands.evaluate_search import embed_all, quantile
from knowledge.management.throwaway import fill, index_worker, throwaway
from knowledge.models import Resource, Source, Topic

TEAM = 8
"""People of one team."""
READERS = 10
"""People who ask; each may read what is everyone's and half of the groups' documents."""
PLAIN = {
    **settings.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
"""Pages name their static files as they stand: nothing collects them for a measurement."""
FIELD = 12
"""People who write about one topic; how much each of them wrote falls off as 1 / rank."""


class Command(BaseCommand):
    """Fills a throwaway place with documents and the people who wrote them, then asks as they would."""

    help = "Measure who knows, the pages about people, and the card of six routes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--documents", type=Path, required=True, metavar="FILE")
        parser.add_argument("--count", type=int, default=5_000)
        parser.add_argument("--people", type=int, default=200)
        parser.add_argument("--asked", type=int, default=200, help="How often each thing is asked.")
        parser.add_argument("--only", default="", metavar="WORD", help="Only things whose name holds this word.")
        parser.add_argument(
            "--embedded",
            type=int,
            default=0,
            metavar="N",
            help="The finder with meaning too: the model embeds N passages, every other one takes the vector of one.",
        )

    def handle(self, **options: Any) -> None:
        if not options["documents"].is_file():
            raise CommandError(f"There is no file {options['documents']}. Give a file of JSON lines.")
        with throwaway(load.CONNECTOR) as folder:
            self.stderr.write("filling …")
            people = company(options["people"])
            written = with_authors(load.documents(options["documents"], options["count"]), people)
            load.prepare(written, folder / "documents")
            readers = people[:: max(1, len(people) // READERS)][:READERS]
            held = {f"group-{n}": f"person:{readers[n % len(readers)].pk}" for n in range(load.GROUPS)}
            with index_worker():
                source = fill("load", str(folder / "documents"), groups=held)
                Source.objects.filter(pk=source.pk).update(trusts_emails=True)
                attribute()
            if options["embedded"]:
                self.stderr.write("embedding …")
                embed_all(most=options["embedded"])
            self.stderr.write("asking …")
            texts = list(load.mix(options["documents"], options["count"], options["asked"]))
            with override_settings(STORAGES=PLAIN, ALLOWED_HOSTS=["testserver"], MEANING=False):
                figures = measured(readers, people, texts, options["only"])
            if options["embedded"]:
                figures |= with_meaning(readers, texts)
        told = {"documents": options["count"], "people": options["people"], **figures}
        self.stdout.write(json.dumps(told, indent=2))


def company(count: int) -> list[Person]:
    """So many accounts, in teams."""
    made = [Person(username=f"bench-{n}", email=f"bench-{n}@example.org", name=f"Bench {n}") for n in range(count)]
    people = Person.objects.bulk_create(made)
    teams = Team.objects.bulk_create(
        Team(name=f"Team {n}", slug=f"team-{n}") for n in range(max(1, len(people) // TEAM))
    )
    since = timezone.now()
    Membership.objects.bulk_create(
        Membership(person=person, team=teams[n % len(teams)], since=since) for n, person in enumerate(people)
    )
    return people


def with_authors(documents: Iterable[Document], people: Sequence[Person]) -> Iterator[Document]:
    """The documents, each by one to three people of those who write about its topic, some of them much more."""
    chance = random.Random(load.SEED)  # noqa: S311 - the same each time, no secret
    weights = list(accumulate(1 / rank for rank in range(1, FIELD + 1)))
    fields: dict[str, list[Person]] = {}
    for document in documents:
        topic = document.topics[0] if document.topics else document.title[:1]
        field = fields.setdefault(topic, chance.sample(people, min(FIELD, len(people))))
        count = min(chance.choice((1, 1, 2, 3)), len(field))
        chosen = dict.fromkeys(chance.choices(field, cum_weights=weights[: len(field)], k=count))
        parts = tuple(
            Contribution(who.name, who.email, 1 / len(chosen), last=document.updated, changes=1) for who in chosen
        )
        yield replace(document, contributions=parts)


def measured(
    readers: Sequence[Person], people: Sequence[Person], texts: Sequence[str], only: str = ""
) -> dict[str, Any]:
    """Milliseconds and queries of each thing that is asked, of those whose name holds ``only``."""
    chance = random.Random(load.SEED)  # noqa: S311
    clients = []
    for reader in readers:
        clients.append(Client())
        clients[-1].force_login(reader)
    topics = list(Topic.objects.filter(resources__in=Resource.objects.alive()).distinct().values_list("slug")[:200])

    def page(address: Callable[[str], str]) -> Callable[[str], None]:
        def ask(text: str) -> None:
            answer = chance.choice(clients).get(address(text))
            if answer.status_code not in (200, 404):
                raise CommandError(f"{address(text)} answered {answer.status_code}.")

        return ask

    asked: Mapping[str, Callable[[str], Any]] = {
        "finder": lambda text: find(text, Viewer.of(chance.choice(readers))),
        "search page": page(lambda text: f"{reverse('search')}?{urlencode({'q': text})}"),
        "person page": page(lambda _: chance.choice(people).get_absolute_url()),
        "people page": page(lambda _: reverse("experts:people")),
        "topic page": page(lambda _: reverse("experts:topic", args=chance.choice(topics))),
        "ask form": page(lambda text: f"{reverse('experts:ask-new')}?{urlencode({'q': text})}"),
        "team builder": page(lambda text: f"{reverse('experts:build-team')}?{urlencode({'q': text})}"),
    }
    asked = {**asked, **cards(readers, texts)}
    figures: dict[str, Any] = {}
    for name, ask in asked.items():
        if only not in name:
            continue
        times: list[float] = []
        queries: dict[int, int] = defaultdict(int)
        for text in [*texts[:5], *texts]:  # the first few do what a process does once
            begun = time.perf_counter()
            ask(text)
            times.append((time.perf_counter() - begun) * 1000)
        for text in texts[:20]:
            with CaptureQueriesContext(connection) as captured:
                ask(text)
            queries[len(captured)] += 1
        figures[name] = {
            "p50_ms": round(quantile(times[5:], 0.5), 1),
            "p95_ms": round(quantile(times[5:], 0.95), 1),
            "most_queries": max(queries),
        }
    return figures


def cards(readers: Sequence[Person], texts: Sequence[str]) -> dict[str, Callable[[str], Any]]:
    """The card of six routes: gathered, from what is kept, and on its page, for one task of each text."""
    tasks: dict[str, tuple[Task, Client]] = {}
    for number, text in enumerate(dict.fromkeys(texts)):
        owner, client = readers[number % len(readers)], Client()
        task = start_task(owner=owner, statement=text[:MAX_STATEMENT])
        assess(task=task, owner=owner, confidence=30)
        client.force_login(owner)
        tasks[text] = task, client

    def card(text: str, **more: Any) -> None:
        viewer = Viewer.of(tasks[text][0].owner)
        advise(mine_or_404(tasks[text][0].public_id, viewer), viewer, **more)

    def look(text: str, *, first: bool = False) -> None:
        task, client = tasks[text]
        if first:
            task.advices.all().delete()
        _expect(client.get(task.get_absolute_url()))

    def slide(text: str) -> None:
        task, client = tasks[text]
        address = reverse("work:lean", args=[task.public_id])
        _expect(client.post(address, {"lean": len(text) % 5}, headers={"HX-Request": "true"}))

    return {
        "task: card gathered": lambda text: card(text, again=True),
        "task: card as kept": card,
        "task: page, first view": lambda text: look(text, first=True),
        "task: page": look,
        "task: slider": slide,
    }


def _expect(answer: Any) -> None:
    if answer.status_code != 200:
        raise CommandError(f"{answer.request['PATH_INFO']} answered {answer.status_code}.")


def with_meaning(readers: Sequence[Person], texts: Sequence[str]) -> dict[str, Any]:
    """Milliseconds of the finder by words, and by words and meaning, turn about, so that both meet the same crowd."""
    chance = random.Random(load.SEED)  # noqa: S311
    times: dict[bool, list[float]] = {False: [], True: []}
    for number, text in enumerate([*texts[:6], *texts]):
        viewer, first = Viewer.of(chance.choice(readers)), number % 2 == 0
        for meaning in (first, not first):
            with override_settings(MEANING=meaning):
                begun = time.perf_counter()
                find(text, viewer)
                times[meaning].append((time.perf_counter() - begun) * 1000)
    return {
        name: {f"p{percent}_ms": round(quantile(times[meaning][6:], percent / 100), 1) for percent in (50, 95)}
        for name, meaning in (("finder beside it, by words", False), ("finder with meaning", True))
    }
