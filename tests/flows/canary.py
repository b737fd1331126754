"""The canary lab: people, groups and documents, each with unguessable tokens in every place a word can stand.

A leak is any token in any byte returned to somebody who may not read its
document. Who may read what is computed here from the plan of the lab, never
from the product's own code.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from experts.models import Membership, Person, Team
from knowledge import actions, durable, indexing, ingest
from knowledge.documents import Contribution, Document
from knowledge.models import Source, SourceGroup, SyncRun
from tests.small_company import CONNECTOR, ToldConnector

_WORDS = (
    "kettle invoice calibrate sensor holiday payroll release deploy contract visitor badge laptop printer meeting "
    "review budget supplier pump valve filter report ticket customer warranty training security password network "
    "backup audit travel expense hiring interview onboarding safety ladder forklift"
)
WORDS = _WORDS.split()
TOPICS = ["tea", "money", "machines", "people", "rules"]

LISTINGS = ToldConnector.documents
"""The documents of each source, by its address."""


def use_listings(settings: Any) -> None:
    """Register the connector of kind ``listing`` for one test."""
    settings.IMMERSIVE_CONNECTORS = {
        **settings.IMMERSIVE_CONNECTORS,
        "listing": CONNECTOR,
    }


@dataclass(frozen=True)
class Canary:
    """One document of the lab: where it is, which groups may read it, and its tokens."""

    source: str
    key: str
    groups: frozenset[str] | None
    tokens: frozenset[str]


@dataclass
class Lab:
    """What was built: who is in which group, and every document's tokens."""

    groups_of: dict[int, set[str]] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    audience_of: dict[str, str | None] = field(default_factory=dict)
    canaries: list[Canary] = field(default_factory=list)

    def readable(self, person: Person, canary: Canary) -> bool:
        """By the plan: the source's group and one of the document's groups."""
        mine = self.groups_of[person.pk]
        of_source = self.audience_of[canary.source]
        return (of_source is None or of_source in mine) and (canary.groups is None or bool(canary.groups & mine))

    def hidden_from(self, person: Person) -> set[str]:
        """Every token that must not reach this person."""
        return {t for canary in self.canaries if not self.readable(person, canary) for t in canary.tokens}


def token() -> str:
    """A word that nobody can guess and no text contains by chance."""
    return "zq" + secrets.token_hex(8)


def build(settings: Any, *, people: int, groups: int, documents: int, seed: int = 7) -> Lab:
    """Build the lab through the real path: connector, ingest, index."""
    use_listings(settings)
    chance = random.Random(seed)
    lab = Lab()
    names = [f"group{number}" for number in range(groups)]
    teams = {name: Team.objects.create(name=name, slug=name) for name in names}
    for number in range(people):
        person = Person.objects.create(username=f"person{number}", name=f"Person {number}")
        lab.people.append(person)
        lab.groups_of[person.pk] = set(chance.sample(names, chance.randint(0, 4)))
        for name in lab.groups_of[person.pk]:
            Membership.objects.create(person=person, team=teams[name])
    for number in range(6):
        lab.audience_of[f"source{number}"] = None if number < 3 else names[number % groups]
    for number in range(documents):
        place = f"source{chance.randrange(6)}"
        narrowed = chance.random() < 0.5
        allowed = frozenset(chance.sample(names, chance.randint(1, 3))) if narrowed else None
        lab.canaries.append(_document(chance, place, number, allowed))
    for place, group in lab.audience_of.items():
        audience = ["everyone"] if group is None else [f"team:{teams[group].pk}"]
        source = actions.add_source(kind="listing", address=place, audience=audience)
        lab.sources[place] = source
        SourceGroup.objects.bulk_create(
            SourceGroup(source=source, name=name, token=f"team:{team.pk}") for name, team in teams.items()
        )
        sync(source)
    indexing.index_changes()
    if connection.vendor == "postgresql":  # autovacuum, which does this in use, cannot see into a test's transaction
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return lab


def _document(chance: random.Random, place: str, number: int, allowed: frozenset[str] | None) -> Canary:
    title, body, topic, author, name = (token() for _ in range(5))
    words = " ".join(chance.choices(WORDS, k=60))
    key = f"{number}-{name}.md"
    LISTINGS.setdefault(place, []).append(
        Document(
            key=key,
            title=f"{' '.join(chance.choices(WORDS, k=3))} {title}",
            body=f"{words}\n\nThe word is {body}. {' '.join(chance.choices(WORDS, k=40))}",
            url=f"https://intranet.example/{key}",
            kind=chance.choice(["page", "tool", "course", "video"]),
            topics=(chance.choice(TOPICS), topic),
            audience=allowed,
            contributions=(Contribution(name=f"Author {author}", email=f"{author}@intranet.example"),),
            crumbs=(name,),
            facts={"provider": f"Provider {name}"},
        )
    )
    return Canary(place, key, allowed, frozenset({title, body, topic, author, name}))


def sync(source: Source) -> SyncRun:
    """Read a source to its end, here and now."""
    run, _ = SyncRun.objects.get_or_create(source=source, done_at=None)
    durable.work(SyncRun.objects, run.pk, ingest.sync)
    run.refresh_from_db()
    assert run.done_at, run.error
    assert not run.error
    return run
