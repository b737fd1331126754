"""Promise 10: no cache crosses people. Twenty thousand requests of several people at the same time, caches warm."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest
from django.conf import LazySettings
from django.db import connections
from django.test import Client

from experts.models import Person
from knowledge.access import Viewer
from knowledge.edition import Pin, Synonym
from knowledge.models import Resource, Search
from knowledge.search import search
from knowledge.typeahead import suggest
from tests.flows import canary
from tests.flows.asking import TOKEN, browser, queries
from tests.flows.canary import LISTINGS, Lab

THREADS = 4
"""As many as a web server's process has: what they share, they share here."""
WAYS = {"page": 1, "API": 4, "suggestions on the page": 5, "suggestions of the API": 5, "search": 10, "suggest": 75}
"""How many of a hundred requests go which way."""


@dataclass(eq=False, repr=False)
class Asker(threading.Thread):
    """One thread in which everybody asks, one after the other, by every way; what crossed is in ``crossed``.

    ``typed``: the tokens that each person has typed in any thread. They are no secret to them: they typed them.
    """

    lab: Lab
    seed: int
    count: int
    texts: list[str]
    typed: dict[int, set[str]]
    crossed: list[str] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__()

    def run(self) -> None:
        try:
            self._ask()
        except BaseException as error:
            self.failed.append(error)
        finally:
            connections.close_all()

    def _ask(self) -> None:
        chance = random.Random(self.seed)
        people = self.lab.people
        clients = {person.pk: browser(person) for person in people}
        hidden = {person.pk: self.lab.hidden_from(person) for person in people}
        for way in chance.choices(list(WAYS), list(WAYS.values()), k=self.count):
            person, text = chance.choice(people), chance.choice(self.texts)
            self.typed[person.pk] |= set(TOKEN.findall(text))
            said = set(TOKEN.findall(ask(way, text, person, clients[person.pk])))
            self.told[way] += bool(said)
            secret = hidden[person.pk] - self.typed[person.pk]
            self.crossed += [f"{way} {text} to {person.username}: {word}" for word in said & secret]


PAGES = {
    "page": "/search",
    "API": "/api/v1/search?explain=1",
    "suggestions on the page": "/search/suggest",
    "suggestions of the API": "/api/v1/suggest",
}


def ask(way: str, text: str, person: Person, client: Client) -> str:
    """What somebody is told by one way."""
    if way in PAGES:
        path, _, explain = PAGES[way].partition("?explain=")
        return client.get(path, {"q": text, "explain": explain or "0"}).content.decode()
    if way == "suggest":
        return repr(suggest(text, Viewer.of(person)))
    page = search(text, Viewer.of(person), remember=False)
    titles = [(one.title, one.resource.body, [other.title for other in one.similar]) for one in page.results]
    return repr((titles, page.facets, page.did_you_mean, page.notice))


def asked_by_all(lab: Lab, count: int) -> list[Asker]:
    """Everybody asks the same few things again and again, so that whatever is kept is used."""
    chance = random.Random(10)
    texts = [text for text in queries(lab, chance, 150) if len(text.split()) < 4]
    texts += [chance.choice(sorted(one.tokens))[: chance.randint(3, 18)] for one in chance.sample(lab.canaries, 40)]
    typed: dict[int, set[str]] = {person.pk: set() for person in lab.people}
    threads = [Asker(lab, seed, count // THREADS, texts, typed) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for thread in threads for error in thread.failed] == []
    return threads


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [200, pytest.param(20_000, marks=pytest.mark.slow)])
def test_promise_10_no_cache_crosses_people(settings: LazySettings, count: int) -> None:
    LISTINGS.clear()
    lab = canary.build(settings, people=12, groups=8, documents=120)
    pinned = Resource.objects.filter(key__in=[one.key for one in lab.canaries if one.groups][:20])
    Pin.objects.bulk_create(Pin(words=word, resource=row) for word, row in zip(canary.WORDS, pinned, strict=False))
    Synonym.objects.create(words="kettle", other="boiler valve")  # raises the edition, so that all is kept anew
    threads = asked_by_all(lab, count)
    assert [crossed for thread in threads for crossed in thread.crossed] == []
    told = sum((thread.told for thread in threads), Counter())
    assert set(told) == set(WAYS), "by every way somebody is told something"
    assert min(len(lab.hidden_from(person)) for person in lab.people) > 60, "and to everybody much is hidden"
    Search.objects.all().delete()
