"""Lessons and experiments as documents of the one search: read by whom their authors let.

A lesson shows above what it concerns. An experiment says in its title what
came of it, so that nobody takes what was supposed for what is known; that it
did not hold is a result like any other. Who wrote one stands nowhere in its document, named or not: else a search for
a person's name would list what went differently for them. The lesson's own
page tells it, to those who may read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format

from experts.asking.answers import bury, known_topics, name_groups
from immersive.work.lessons.rows import Experiment, Lesson, Told
from knowledge.connectors import Event, Known, SourceError, Unchanged
from knowledge.documents import EVERYONE, Document
from knowledge.models import LESSONS, Source

EVERY = timedelta(minutes=15)
BATCH = 200
SAID = 240
"""Characters of a lesson that show above what it concerns, and of an experiment in its title."""
HEADINGS = {
    "know_now": "What is known now",
    "expected": "What was expected",
    "happened": "What happened",
    "changes": "What changes",
}
RUNNING = "Being tried"


class LessonsConnector:
    """Lessons and experiments of this installation that are told; its only address is the empty one."""

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address

    def check(self) -> str:
        if self.address.strip():
            raise SourceError("Lessons are read from this installation: leave the address empty.")
        return "Lessons"

    def pull(self, known: Known) -> Iterator[Event]:
        self.check()
        for kind in (Lesson, Experiment):
            last, rows = 0, _told(kind)
            while some := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
                last = some[-1].pk
                heads = _heads(some)
                other = {pk for pk, head in heads.items() if known.versions.get(head.key) != head.version}
                whole = kind.objects.told().in_bulk(other)
                yield from (Unchanged(head.key) for pk, head in heads.items() if pk not in other)
                for pk, one in whole.items():
                    if one.changed_at == heads[pk].updated:  # else its new words may be for others, and are read anew
                        yield _said(one, heads[pk])


def _told(kind: type[Told]) -> Any:
    """Those of a kind that more than their author may read, but for their words."""
    concerns = ("resources",) if kind is Lesson else ()
    rows = kind.objects.told().select_related("audience").prefetch_related("topics", *concerns)
    return rows.defer(*kind.WORDS)


def _heads(some: Sequence[Any]) -> dict[int, Document]:
    """These as documents, but for what their words say.

    Their version is that of all the rest, and of when the words were written: most need not be read again.
    """
    readers = {one.pk: frozenset(one.audience.tokens) for one in some}
    name_groups(lessons_source(), {token for tokens in readers.values() for token in tokens})
    topics = known_topics({one.pk: {t.pk: t.name for t in one.topics.all()} for one in some}, readers)
    heads = {}
    for one in some:
        about = one.resources.all() if isinstance(one, Lesson) else ()
        head = Document(
            key=one.public_id.hex,
            title="",
            kind="lesson",
            crumbs=("Experiments",) if isinstance(one, Experiment) else (),
            topics=topics[one.pk],
            audience=None if EVERYONE in readers[one.pk] else readers[one.pk],
            created=one.published_at,
            updated=one.changed_at,
            concerns=frozenset(row.public_id.hex for row in about),
        )
        heads[one.pk] = replace(head, version=head.fingerprint())
    return heads


def _said(one: Any, head: Document) -> Document:
    """The document with all that it says."""
    name: str = one._meta.model_name
    facts: dict[str, Any] = {name: str(one.public_id)}
    if isinstance(one, Experiment):
        state = one.get_result_display() or RUNNING
        so_far = one.found if one.result else f"A result is expected by {date_format(one.by, 'j F Y')}."
        supposed = one.hypothesis if title(one).endswith("…") else ""  # else the title has said it
        parts = (
            ("What came of it", f"{state}. {so_far}"),
            ("What was supposed", supposed),
            ("What would count", one.counts),
        )
        return replace(head, title=f"{state}: {title(one)}", body=_parts(parts), facts=facts)
    facts |= {"say": say(one), "kind": one.get_kind_display()}
    words = ((heading, getattr(one, field)) for field, heading in HEADINGS.items())
    return replace(head, title=title(one), body=_parts(words), facts=facts)


def _parts(parts: Iterable[tuple[str, str]]) -> str:
    return "\n\n".join(f"## {heading}\n\n{text.strip()}" for heading, text in parts if text.strip())


def say(lesson: Lesson) -> str:
    """What is worth knowing first: what is known now, else what happened."""
    return _short(lesson.know_now or lesson.happened or lesson.expected, SAID)


def title(one: Any) -> str:
    """For lists: what an experiment supposes, or a lesson's first sentence."""
    if isinstance(one, Experiment):
        return _short(one.hypothesis, SAID)
    first = re.split(r"(?<=[.!?])\s", " ".join(say(one).split()), maxsplit=1)[0]
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
    stored = dict(source.resources.alive().values_list("key", "updated"))
    told = (kind.objects.told().values_list("public_id", "changed_at") for kind in (Lesson, Experiment))
    now = {key.hex: at for rows in told for key, at in rows}
    stale = [key for key, at in stored.items() if now.get(key) != at]
    bury([UUID(key) for key in stale], LESSONS)
    if any(key in now for key in stale):
        read_again()
