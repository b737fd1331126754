"""Lessons as documents of the one search: read by whom their authors let, shown above what they concern.

Who wrote one stands nowhere in its document, named or not: else a search for
a person's name would list what went differently for them. The lesson's own
page tells it, to those who may read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from experts.asking.answers import bury, known_topics, name_groups
from immersive.work.lessons.rows import Lesson
from knowledge.connectors import Event, Known, SourceError, Unchanged
from knowledge.documents import EVERYONE, Document
from knowledge.models import LESSONS, Source

EVERY = timedelta(minutes=15)
BATCH = 200
SAID = 240
"""Characters of a lesson that show above what it concerns."""
HEADINGS = {
    "know_now": "What is known now",
    "expected": "What was expected",
    "happened": "What happened",
    "changes": "What changes",
}


def told() -> QuerySet[Lesson]:
    """Lessons that more than their author may read."""
    found: QuerySet[Lesson] = Lesson.objects.told()
    return found


class LessonsConnector:
    """Published lessons of this installation; its only address is the empty one."""

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address

    def check(self) -> str:
        if self.address.strip():
            raise SourceError("Lessons are read from this installation: leave the address empty.")
        return "Lessons"

    def pull(self, known: Known) -> Iterator[Event]:
        self.check()
        for document in _all():
            same = known.versions.get(document.key) == document.version
            yield Unchanged(document.key) if same else document


def _all() -> Iterator[Document]:
    """Every lesson that is told, as it is now."""
    last, rows = 0, told().select_related("audience").prefetch_related("topics", "resources")
    while some := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = some[-1].pk
        yield from _documents(some)


def _documents(some: Iterable[Lesson]) -> Iterator[Document]:
    readers = {one.pk: frozenset(one.audience.tokens) for one in some if one.audience}
    name_groups(lessons_source(), {token for tokens in readers.values() for token in tokens})
    topics = known_topics({one.pk: {t.pk: t.name for t in one.topics.all()} for one in some}, readers)
    for one in some:
        document = Document(
            key=one.public_id.hex,
            title=title(one),
            kind="lesson",
            body="\n\n".join(
                f"## {head}\n\n{getattr(one, name)}" for name, head in HEADINGS.items() if _has(one, name)
            ),
            topics=topics[one.pk],
            audience=None if EVERYONE in readers[one.pk] else readers[one.pk],
            facts={"lesson": str(one.public_id), "say": say(one), "kind": one.get_kind_display()},
            created=one.published_at,
            updated=one.changed_at,
            concerns=frozenset(resource.public_id.hex for resource in one.resources.all()),
        )
        yield replace(document, version=document.fingerprint())


def _has(lesson: Lesson, name: str) -> bool:
    return bool(getattr(lesson, name).strip())


def say(lesson: Lesson) -> str:
    """What is worth knowing first: what is known now, else what happened."""
    return _short(lesson.know_now or lesson.happened or lesson.expected, SAID)


def title(lesson: Lesson) -> str:
    """Its first sentence, for lists."""
    first = re.split(r"(?<=[.!?])\s", " ".join(say(lesson).split()), maxsplit=1)[0]
    return _short(first.strip("#*_-> "), 120) or "A lesson"


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rsplit(' ', 1)[0]}…"


def lessons_source() -> Source | None:
    """The source that lessons are read from, if there is one."""
    source: Source | None = Source.objects.filter(kind=LESSONS).order_by("pk").first()
    return source


def ensure_lessons_source() -> Source:
    """The source of lessons; made when it is missing, for everyone who is signed in."""
    from knowledge.actions import ensure_source

    return ensure_source(kind=LESSONS, name="Lessons", every=EVERY)


def read_again() -> None:
    """After the commit: read lessons anew."""

    def follow() -> None:
        from knowledge.actions import request_sync

        request_sync(source=ensure_lessons_source())

    transaction.on_commit(follow)


def settle(source_id: int, **_: Any) -> None:
    """After a sync of lessons: take out what was taken back, or told to others or in other words, meanwhile.

    The sync may have read it a moment before, and stored it a moment after.
    """
    source = lessons_source()
    if source is None or source.pk != source_id:
        return
    stored = dict(source.resources.alive().values_list("key", "version"))
    now = {document.key: document.version for document in _all()}
    stale = [key for key, version in stored.items() if now.get(key) != version]
    bury([UUID(key) for key in stale], LESSONS)
    if any(key in now for key in stale):
        read_again()
