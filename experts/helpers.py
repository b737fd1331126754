"""Who can help with one resource: those who worked on it, and where they are few, those who know what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from experts.evidence import NOT_WRITTEN
from experts.finder import Expert, find
from experts.models import OwnTopic, Person
from experts.room import with_room
from knowledge.access import Viewer
from knowledge.models import Resource

MOST = 6
ENOUGH = 3
"""With so many who worked on it nobody else is looked for."""
SHARES = (
    (0.9, "Wrote nearly all of it"),
    (0.55, "Wrote most of it"),
    (0.45, "Wrote half of it"),
    (0.1, "Wrote part of it"),
)


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody who worked on a resource and may be found: the person, what they did in words, and when last."""

    person: Person
    did: str
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Help:
    """Who can help: ``people`` worked on it, ``others`` know what it is about.

    ``names`` are those that the source gives and that lead to nobody: strangers, and who is not to be found.
    """

    people: Sequence[Helper]
    names: Sequence[str]
    others: Sequence[Expert]

    def __bool__(self) -> bool:
        return bool(self.people or self.names or self.others)


def who_can_help(resource: Resource, viewer: Viewer) -> Help:
    """Those who did most come first. The resource must be one that the viewer may read: who wrote it is part of it.

    Nobody is led to whoever keeps a topic of it to themselves (as `evidence.kept_back`).
    """
    parts = list(resource.contributions.order_by("-share", "-changes", "name"))
    ids = {part.person_id for part in parts if part.person_id}
    kept = OwnTopic.objects.filter(person=OuterRef("pk"), hidden=True, key__in=resource.topics.values("slug"))
    led_to = Person.objects.findable().visible_to(viewer).exclude(Exists(kept))
    found = with_room(led_to).in_bulk(ids) if ids else {}
    left = Person.objects.former(viewer).in_bulk(ids - found.keys()) if ids - found.keys() else {}
    known: dict[int, Helper] = {}
    names: dict[str, None] = {}
    for part in parts:
        if person := found.get(part.person_id or 0):
            said = NOT_WRITTEN.get(resource.kind) or did(part.share, part.changes, len(parts))
            known.setdefault(person.pk, Helper(person, said, part.last))
        elif former := left.get(part.person_id or 0):
            names[former.known_as] = None
        elif part.name:
            names[part.name] = None
    others: Sequence[Expert] = ()
    if len(known) < ENOUGH:
        about = [topic.name for topic in resource.topics.all()] or resource.title
        others = find(about, viewer, count=ENOUGH - len(known), without={*known, viewer.person_id or 0})
    return Help(list(known.values())[:MOST], list(names)[:MOST], others)


def did(share: float, changes: int, people: int) -> str:
    """How much of a resource somebody wrote, in words; a source may know no more than the name."""
    if people == 1:
        return "Wrote it"
    part = next((said for least, said in SHARES if share >= least), "Edited it")
    return f"{part}, {changes} changes" if changes > 1 else part
