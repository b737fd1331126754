"""Every way in which somebody can ask the portal for something, and what of an answer two askers may compare."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.utils import timezone

from experts.models import Membership, Person
from knowledge.models import Audience, Resource
from tests.flows import canary
from tests.flows.canary import Lab

TOKEN = re.compile(r"zq[0-9a-p]{16}")
"""What `canary.token` makes, with digits or with letters in their place."""


def browser(person: Person) -> Client:
    """Somebody who is signed in."""
    client = Client()
    client.force_login(person)
    return client


def body(response: Any) -> str:
    """The bytes of an answer without what differs each time by design."""
    text = response.content.decode()
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text)
    return re.sub(r"(\?|&amp;|&)s=[0-9a-f-]{32,36}((&amp;|&)n=\d+)?", "", text)


def addresses(query: str) -> list[tuple[str, dict[str, str]]]:
    """Every way in which a text is searched: as a page and as data, whole and while it is typed."""
    asked = {"q": query}
    return [
        ("/search", asked),
        ("/api/v1/search", {**asked, "explain": "1"}),
        ("/search/suggest", asked),
        ("/api/v1/suggest", asked),
    ]


def everything(client: Client, *texts: str) -> str:
    """All that these searches give by every way, as one text."""
    asked = [address for text in texts for address in addresses(text)]
    return "\n".join(client.get(path, parameters).content.decode() for path, parameters in asked)


def nearly(word: str, chance: random.Random) -> str:
    """A word with one letter mistaken."""
    at = chance.randrange(len(word))
    return word[:at] + chance.choice("abcdef") + word[at + 1 :]


def queries(lab: Lab, chance: random.Random, count: int) -> list[str]:
    """Everyday words, operators, and beginnings and misspellings that reach for everything."""
    every = [token for one in lab.canaries for token in sorted(one.tokens)]
    forms = [
        lambda: chance.choice(every)[: chance.randint(1, 12)],
        lambda: nearly(chance.choice(every), chance),
        lambda: nearly(chance.choice(canary.WORDS), chance),
        lambda: f"{chance.choice(every)[: chance.randint(2, 6)]}*",
        lambda: " OR ".join(chance.choices(canary.WORDS, k=3)),
        lambda: f"title:{chance.choice(canary.WORDS)} -{chance.choice(canary.WORDS)}",
        lambda: f"in:{chance.choice(every)} {chance.choice(canary.WORDS)}",
        lambda: f"{chance.choice(canary.WORDS)} {chance.choice(every)}",
        lambda: f"how do I {chance.choice(canary.WORDS)} the {chance.choice(canary.WORDS)}",
        lambda: chance.choice(canary.WORDS),
        lambda: " ".join(chance.choices(canary.WORDS, k=3)),
        lambda: f"{chance.choice(canary.WORDS)} kind:{chance.choice(['page', 'tool', 'course'])}",
        lambda: f"topic:{chance.choice(canary.TOPICS)}",
        lambda: f'"{" ".join(chance.choices(canary.WORDS, k=2))}"',
        lambda: f"source:{chance.choice(list(lab.sources))} {chance.choice(canary.WORDS)}",
    ]
    return [chance.choice(forms)() for _ in range(count)]


def withdrawals(target: Resource, person: Person) -> list[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    """Every way in which a right is withdrawn in the database, each with how it is given back."""
    nobody, own, of_source = Audience.objects.of(["team:0"]), target.audience, target.source.audience
    source = type(target.source).objects.filter(pk=target.source_id)
    row = Resource.objects.filter(pk=target.pk)
    mine = Membership.objects.filter(person=person)
    return [
        ("document", lambda: row.update(audience=nobody), lambda: row.update(audience=own)),
        ("source", lambda: source.update(audience=nobody), lambda: source.update(audience=of_source)),
        ("source off", lambda: source.update(active=False), lambda: source.update(active=True)),
        ("left", lambda: mine.update(until=timezone.now()), lambda: mine.update(until=None)),
        ("gone", lambda: row.update(gone_at=timezone.now(), audience=nobody),
         lambda: row.update(gone_at=None, audience=own)),
    ]  # fmt: skip
