"""People as documents of the one search: who works here, in which role, and what they wrote for everyone.

A person's document is searched by everybody who may read the people source.
So what it says of a person's work comes only from documents that everyone may
read, in sources that everyone may read; what one viewer may read beyond that
is told by `experts.evidence` when a page is made.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Count, F, Q

from experts.evidence import kept_back
from experts.models import Membership, OwnTopic, Person, one_line
from knowledge.access import Viewer
from knowledge.connectors import Event, Known, SourceError, Unchanged
from knowledge.documents import EVERYONE, Document
from knowledge.index.analysis import one_spelling, topic_key
from knowledge.models import Resource

ANYBODY = Viewer(None, frozenset({EVERYONE}))
"""Who holds nothing but everyone's token: what this viewer may read, all may read."""

BATCH = 200
TOLD_TITLES = 30
TOLD_TOPICS = 12


@dataclass
class _Work:
    """What one person wrote for everyone: titles, newest first, and how often each topic; and what they say they know.

    Without what they keep to themselves.
    """

    titles: list[str] = field(default_factory=list)
    topics: Counter[str] = field(default_factory=Counter)
    knows: list[str] = field(default_factory=list)


class PeopleConnector:
    """People of this installation who may be found; its only address is the empty one."""

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address

    def check(self) -> str:
        if self.address.strip():
            raise SourceError(
                f"People are read from this installation, not from “{self.address}”. Leave the address empty, "
                "and bring people in with the command import_people."
            )
        return "People"

    def pull(self, known: Known) -> Iterator[Event]:
        self.check()
        last = 0
        while people := list(Person.objects.findable().filter(pk__gt=last).order_by("pk")[:BATCH]):
            last = people[-1].pk
            for document in documents_of(people):
                same = known.versions.get(document.key) == document.version
                yield Unchanged(document.key) if same else document


def documents_of(people: Sequence[Person], without: Any = None) -> Iterator[Document]:
    """These people as documents, in the order given; ``without``: resources that are about to be everyone's no more."""
    teams: dict[int, list[str]] = defaultdict(list)
    for membership in (
        Membership.objects.current()
        .filter(person__in=people)
        .select_related("team__parent__parent__parent")
        .order_by("team__name", "pk")
    ):
        teams[membership.person_id].append(one_line(membership.team.path))
    works = _works(people, without)
    for person in people:
        yield document_of(person, teams[person.pk], works[person.pk])


def _works(people: Sequence[Person], without: Any) -> dict[int, _Work]:
    works: dict[int, _Work] = defaultdict(_Work)
    whose = Q(contributions__person__in=people)
    mine = Resource.objects.visible_to(ANYBODY).filter(whose & ~kept_back()).exclude(kind="person")
    if without is not None:
        mine = mine.exclude(pk__in=without.values("pk"))
    newest = mine.order_by(F("contributions__last").desc(nulls_last=True), "title", "public_id")
    seen: set[tuple[int, int]] = set()
    for who, pk, title in newest.values_list("contributions__person", "pk", "title"):
        if (who, pk) not in seen and len(works[who].titles) < TOLD_TITLES:
            seen.add((who, pk))
            works[who].titles.append(one_line(title))
    for said in OwnTopic.objects.filter(person__in=people, knows=True, hidden=False).order_by("key"):
        works[said.person_id].knows.append(said.name)
    named = mine.naming().filter(topics__isnull=False).values_list("contributions__person", "topics__name")
    for who, topic, documents in named.annotate(documents=Count("pk", distinct=True)):
        works[who].topics[one_line(topic)] += documents
    return works


def document_of(person: Person, teams: Sequence[str], work: _Work) -> Document:
    """One person as a document; ``work`` holds nothing but what everyone may read."""
    spelling = one_spelling(work.topics)
    counts: Counter[str] = Counter()
    for name, documents in work.topics.items():
        counts[spelling[name]] += documents
    topics = tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOLD_TOPICS])
    role, location = one_line(person.role), one_line(person.location)
    parts = [", ".join(part for part in (role, *teams, location) if part)]
    parts.extend(one_line(paragraph) for paragraph in person.about.splitlines())
    if topics:
        parts.append(f"Topics: {', '.join(topics)}.")
    if work.knows:
        parts.append(f"Says they know: {', '.join(work.knows)}.")
        wrote = {topic_key(name) for name in topics}
        topics += tuple(name for name in work.knows if topic_key(name) not in wrote)
    if work.titles:
        parts.append("Wrote or edited:\n" + "\n".join(f"- {title}" for title in work.titles))
    document = Document(
        key=person.public_id.hex,
        title=one_line(person.display_name) or "?",
        body="\n\n".join(part for part in parts if part),
        kind="person",
        topics=topics,
        about=person.pk,
        facts={
            "person": str(person.public_id),
            "role": role,
            "team": ", ".join(teams),
            "initials": person.initials,
            "location": location,
            "topics": list(topics),
        },
    )
    return replace(document, version=document.fingerprint())
