"""Accepted answers as documents of the one search: read by whom the question was for, and taken as right for a while.

A connector reads them as it reads people. Who may read one is said as every
source says it: the document names a group, and `SourceGroup` says which team
that is. What only those who were asked may read is no document. Nothing here
says who asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from experts.asking.asks import Answer
from experts.asking.sealed import whoever
from experts.models import FORMER, Person
from knowledge.connectors import Event, Known, SourceError, Unchanged
from knowledge.documents import EVERYONE, Contribution, Document
from knowledge.models import ANSWERS, REPEATING, Resource, Source, SourceGroup, Topic, Verification

KIND = ANSWERS
EVERY = timedelta(minutes=15)
BATCH = 200
VOUCHED = timedelta(days=180)
"""For how long an accepted answer is taken as right; then its author is asked whether it still holds."""


def standing() -> QuerySet[Answer]:
    """Answers that others may find: accepted, not taken back, under asks that more may read than who was asked."""
    found: QuerySet[Answer] = Answer.objects.filter(
        accepted_at__isnull=False, withdrawn_at=None, hidden_at=None,
        ask__withdrawn_at=None, ask__hidden_at=None, ask__only_asked=False,
    )  # fmt: skip
    return found


class AnswersConnector:
    """Accepted answers of this installation; its only address is the empty one."""

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address

    def check(self) -> str:
        if self.address.strip():
            raise SourceError("Answers are read from this installation: leave the address empty.")
        return "Answers"

    def pull(self, known: Known) -> Iterator[Event]:
        self.check()
        last = 0
        while some := list(_told().filter(pk__gt=last).order_by("pk")[:BATCH]):
            last = some[-1].pk
            name_groups(answers_source(), {token for answer in some for token in answer.ask.audience.tokens})
            topics = _topics(some)
            heads = {answer.pk: _head(answer, topics[answer.pk]) for answer in some}
            other = [pk for pk, head in heads.items() if known.versions.get(head.key) != head.version]
            bodies = dict(Answer.objects.filter(pk__in=other).values_list("pk", "body"))
            for pk, head in heads.items():
                yield replace(head, body=bodies[pk]) if pk in bodies else Unchanged(head.key)


def _told() -> QuerySet[Answer]:
    return standing().select_related("author", "ask__audience").prefetch_related("ask__topics").defer("body")


def _head(answer: Answer, topics: tuple[str, ...]) -> Document:
    """An answer as a document, but for its body: what was asked is its title, and who answered wrote it.

    Its version is that of all the rest, and of when the body was written: most bodies need not be read again.
    """
    tokens = answer.ask.audience.tokens
    document = Document(
        key=answer.public_id.hex,
        title=answer.ask.text,
        kind="answer",
        topics=topics,
        audience=None if EVERYONE in tokens else frozenset(tokens),
        contributions=(Contribution(name=_name(answer.author), last=answer.edited_at or answer.created_at),),
        facts={"ask": str(answer.ask.public_id)},
        created=answer.created_at,
        updated=answer.edited_at or answer.created_at,
    )
    return replace(document, version=document.fingerprint())


def _topics(some: Iterable[Answer]) -> dict[int, tuple[str, ...]]:
    """Of each answer the topics that it may tell: whoever asked may know more, and tells none."""
    some = list(some)
    named = {answer.pk: {topic.pk: topic.name for topic in answer.ask.topics.all()} for answer in some}
    return known_topics(named, {answer.pk: frozenset(answer.ask.audience.tokens) for answer in some})


def known_topics(
    named: Mapping[int, Mapping[int, str]], readers: Mapping[int, frozenset[str]], *, without: Any = None
) -> dict[int, tuple[str, ...]]:
    """Of the topics of each document those that all who may read it know from elsewhere.

    One query for each audience among them. ``named``: topics by id, and ``readers`` tokens, by document.
    ``without``: resources that are being withdrawn.
    """
    by_audience: dict[frozenset[str], list[int]] = {}
    for pk in named:
        by_audience.setdefault(readers[pk], []).append(pk)
    found: dict[int, tuple[str, ...]] = {}
    for tokens, pks in by_audience.items():
        others = Resource.objects.visible_to(whoever(tokens)).naming()
        if without is not None:
            others = others.exclude(pk__in=without.values("pk"))
        wanted = {topic for pk in pks for topic in named[pk]}
        known = Topic.objects.filter(Exists(others.filter(topics=OuterRef("pk"))), pk__in=wanted)
        shared = set(known.values_list("pk", flat=True)) if wanted else set()
        found |= {pk: tuple(name for topic, name in named[pk].items() if topic in shared) for pk in pks}
    return found


def withdraw(*, resources: Any) -> int:
    """Take off answers and lessons, at once, the topics that their readers knew from these alone; how many changed.

    Called in the transaction that withdraws them. What the index holds of such
    a document is in no result until it was written again, and the next sync of
    its source gives back what its readers still know.
    """
    from knowledge.indexing import doubt, index_hash

    links, changed = Resource.topics.through.objects, 0
    told = links.filter(resource__in=resources.values("pk")).values("topic")
    rows = Resource.objects.alive().filter(source__kind__in=REPEATING)
    keys = sorted(set(rows.filter(topics__in=told).values_list("pk", flat=True)))
    for start in range(0, len(keys), BATCH):
        shown = rows.filter(pk__in=keys[start : start + BATCH]).select_related("audience", "source__audience")
        some = {one.pk: one for one in shown.prefetch_related("topics").defer("body")}
        named = {pk: {topic.pk: topic.name for topic in one.topics.all()} for pk, one in some.items()}
        left = known_topics(named, {pk: _readers(one) for pk, one in some.items()}, without=resources)
        for pk, one in some.items():
            if links.filter(resource=pk).exclude(topic__name__in=left[pk]).delete()[0]:
                written_anew = index_hash(one.audience.digest, "", one.source)
                Resource.objects.filter(pk=pk).update(version="", fingerprint="", index_hash=written_anew)
                doubt([pk])
                changed += 1
    return changed


def _readers(row: Resource) -> frozenset[str]:
    """The tokens of our own that may read a document of a source whose groups are named by tokens."""
    return frozenset(token.rpartition(":group:")[2] for token in row.audience.tokens)


def _name(author: Person | None) -> str:
    return author.display_name if author is not None and author.is_active else FORMER


def name_groups(source: Source | None, tokens: Iterable[str]) -> None:
    """Say who is meant by each of these in a source that calls groups by their tokens."""
    for token in set(tokens) - {EVERYONE}:
        if source is not None:
            SourceGroup.objects.get_or_create(source=source, name=token, token=token)


def answers_source() -> Source | None:
    """The source that answers are read from, if there is one."""
    source: Source | None = Source.objects.filter(kind=KIND).order_by("pk").first()
    return source


def ensure_answers_source() -> Source:
    """The source of answers; made when it is missing, for everyone who is signed in."""
    from knowledge.actions import ensure_source

    return ensure_source(kind=KIND, name="Answers", every=EVERY)


def read_again() -> None:
    """After the commit: read answers anew."""

    def follow() -> None:
        from knowledge.actions import request_sync

        request_sync(source=ensure_answers_source())

    transaction.on_commit(follow)


def authors() -> dict[int, int | None]:
    """Whose each document of answers is (resource: account, or nobody): known, not told from a name."""
    rows = dict(Resource.objects.alive().filter(source__kind=KIND).values_list("key", "pk"))
    if not rows:
        return {}
    who = standing().values_list("public_id", "author")
    return dict.fromkeys(rows.values()) | {rows[key.hex]: author for key, author in who if key.hex in rows}


# What follows a sync, and what ends it -----------------------------------------------------------------------------


def settle(source_id: int) -> None:
    """After a sync of answers: take what is new as right for a while, and take out what was taken back meanwhile.

    Nobody is named for it: whoever asked has accepted it, and its author vouches for it by `renew` alone.
    """
    source = answers_source()
    if source is None or source.pk != source_id:
        return
    rows = dict(source.resources.alive().values_list("key", "pk"))
    vouched_for = set(Verification.objects.filter(resource__source=source).values_list("resource", flat=True))
    stands = {key.hex for key in standing().values_list("public_id", flat=True)}
    bury([UUID(key) for key in rows.keys() - stands])
    new = [key for key, pk in rows.items() if key in stands and pk not in vouched_for]
    for start in range(0, len(new), BATCH):
        some = standing().defer("body").filter(public_id__in=[UUID(key) for key in new[start : start + BATCH]])
        said = [Verification(resource_id=rows[one.public_id.hex], until=_until(one)) for one in some]
        Verification.objects.bulk_create(said, ignore_conflicts=True)


def _until(answer: Answer) -> date:
    said = max(filter(None, (answer.accepted_at, answer.edited_at)))
    return timezone.localdate(said) + VOUCHED


def bury(public_ids: Collection[UUID], kind: str = KIND) -> None:
    """Take these answers (or lessons) out of search at once, whatever the index still holds of them."""
    from knowledge import ingest
    from knowledge.indexing import doubt

    found = Resource.objects.alive().filter(source__kind=kind, key__in=[key.hex for key in public_ids])
    ids = list(found.values_list("pk", flat=True))
    for _ in ingest.bury(Resource.objects.alive().filter(pk__in=ids)):
        pass
    doubt(ids)


def vouched(answer: Answer) -> Verification | None:
    """What is said of an answer's verification, if it can be found by search."""
    found: Verification | None = Verification.objects.filter(
        resource__source__kind=KIND, resource__key=answer.public_id.hex, resource__gone_at=None
    ).first()
    return found


def renew(answer: Answer) -> bool:
    """Its author vouches for it from today on; whether it could be found by search."""
    now = timezone.now()
    said = Verification.objects.filter(resource__source__kind=KIND, resource__key=answer.public_id.hex)
    until = timezone.localdate(now) + VOUCHED
    return bool(said.update(verified_at=now, until=until, owner=answer.author_id))


def run_out(today: date, *, subjects: Collection[UUID] | None = None) -> Iterator[tuple[int, UUID, date]]:
    """Of answers (these, or all) that nobody vouches for any more: their author who works here, which, since when."""
    gone = Verification.objects.filter(resource__source__kind=KIND, resource__gone_at=None, until__lt=today)
    if subjects is not None:
        gone = gone.filter(resource__key__in=[key.hex for key in subjects])
    last = 0
    while some := list(gone.filter(pk__gt=last).order_by("pk").values_list("pk", "resource__key", "until")[:BATCH]):
        last = some[-1][0]
        until = {UUID(key): day for _, key, day in some}
        who = standing().filter(Q(author__is_active=True), public_id__in=list(until))
        yield from ((author, key, until[key]) for author, key in who.values_list("author", "public_id"))
