"""One source into the database: pull, clean, compare, store, tombstone what vanished.

A sync is idempotent (the same source twice changes nothing), resumable (what
is stored is `Unchanged` at the next try) and counted. It writes in short
transactions, because on SQLite every writer waits for every other, and keeps
its lease between them, so that two workers never store the same source.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from knowledge import bulk, signals
from knowledge.access import scoped
from knowledge.connectors import Checkpoint, Event, Failure, Known, SourceError, Unchanged, connector_class
from knowledge.documents import KINDS, Document
from knowledge.durable import prompt
from knowledge.index.analysis import topic_key
from knowledge.indexing import index_hash
from knowledge.models import Audience, Contribution, Resource, Source, SyncRun, Topic, http_only

logger = logging.getLogger(__name__)

BATCH = 200
"""Events stored in one transaction: some 100 ms on SQLite."""

BATCH_CHARACTERS = 2_000_000
PROMPT_EVERY = 5.0
"""Seconds of reading after which what was stored so far is to be indexed."""
SHOWN_FAILURES = 100
MAX_BODY = 2_000_000

Report = Callable[[SyncRun], None]

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def sync(run: SyncRun, report: Report | None = None, *, batch: int = BATCH) -> None:
    """Read the run's source to its end and finish the run; a source that fails as a whole ends it with the reason.

    ``report`` is called after each transaction, for progress. Raises
    `durable.LeaseLost` when another worker has taken the run over.
    """
    source = run.source
    run.started_at = run.started_at or timezone.now()
    run.seen, run.failed, run.failures = 0, 0, []  # told again from the beginning; what was stored stays counted
    versions = dict(source.resources.alive().values_list("key", "version"))
    store = _Store(source, run)
    try:
        connector = connector_class(source.kind)(source.address, source.options)
        prompted = time.monotonic()
        for events in _batches(connector.pull(Known(versions, source.cursor)), batch):
            store.save(events)
            if report:
                report(run)
            if time.monotonic() - prompted > PROMPT_EVERY:  # a large source can be searched while it is being read
                _prompt_indexing()
                prompted = time.monotonic()
    except SourceError as error:
        run.finish(error=str(error)[:2000], **_counts(run))
        return
    if connector.lists_everything:
        for buried in bury(source.resources.alive().exclude(seen_in=run.pk)):
            run.gone += buried
            run.keep(progress=True, gone=run.gone)
    run.finish(**_counts(run))
    if report:
        report(run)
    transaction.on_commit(lambda: _announce(source.pk))


def _prompt_indexing() -> None:
    from knowledge import jobs

    prompt(jobs.index_changes)


def _announce(source_id: int) -> None:
    """After a sync: a worker is asked to index what changed, and the floors above hear of it."""
    _prompt_indexing()
    for receiver, error in signals.source_synced.send_robust(Source, source_id=source_id):
        if isinstance(error, Exception):
            logger.error("%s failed after the sync of source %s", receiver, source_id, exc_info=error)


def _batches(events: Iterable[Event], size: int) -> Iterable[list[Event]]:
    """Cut the stream after ``size`` events, after two million characters, or after a second of waiting for more."""
    batch: list[Event] = []
    characters = 0
    begun = time.monotonic()
    for event in events:
        batch.append(event)
        characters += len(event.body) if isinstance(event, Document) else 0
        if len(batch) >= size or characters >= BATCH_CHARACTERS or time.monotonic() - begun > 1:
            yield batch
            batch, characters, begun = [], 0, time.monotonic()
    if batch:
        yield batch


def _counts(run: SyncRun) -> dict[str, Any]:
    names = ("started_at", "seen", "added", "changed", "gone", "failed", "failures")
    return {name: getattr(run, name) for name in names}


@dataclass
class _Store:
    """Stores batches of one run; remembers audiences and topics that it has met."""

    source: Source
    run: SyncRun
    audiences: dict[frozenset[str], Audience] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)

    def save(self, events: Sequence[Event]) -> None:
        """One transaction: documents, what was seen, the cursor, the counts and the lease."""
        documents: dict[str, Document] = {}
        seen: list[str] = []
        failures: list[tuple[str, str]] = []
        cursor: dict[str, Any] | None = None
        for event in events:
            if isinstance(event, Document):
                try:
                    documents[event.key] = clean(event)
                except ValidationError as error:
                    failures.append((event.key, " ".join(error.messages)))
            elif isinstance(event, Unchanged):
                seen.append(event.key)
            elif isinstance(event, Failure):
                failures.append((event.key, event.reason))
            elif isinstance(event, Checkpoint):
                cursor = event.cursor
        fingerprints = {key: document.fingerprint() for key, document in documents.items()}
        with transaction.atomic():  # on SQLite the index's writer waits meanwhile: what can be done before it, is
            before = self.run.added + self.run.changed
            stored = self._documents(documents, fingerprints)
            still = [*seen, *(storable(key) for key, _ in failures), *stored]
            for part in range(0, len(still), 500):
                self.source.resources.filter(key__in=still[part : part + 500]).update(seen_in=self.run.pk)
            if cursor is not None:
                Source.objects.filter(pk=self.source.pk).update(cursor=cursor)
            self.run.seen += len(seen) + len(documents) + len(failures)
            self.run.failed += len(failures)
            self.run.failures = [*self.run.failures, *([storable(k), storable(r)] for k, r in failures)][
                :SHOWN_FAILURES
            ]
            self.run.keep(progress=self.run.added + self.run.changed > before, **_counts(self.run))

    def _documents(self, documents: dict[str, Document], fingerprints: dict[str, str]) -> list[str]:
        """Insert or update; the keys of those stored before that did not change (they only need to be seen)."""
        now = timezone.now()
        old = {row.key: row for row in self.source.resources.filter(key__in=list(documents)).defer("body")}
        new: list[dict[str, Any]] = []
        changed: list[Resource] = []
        same: list[str] = []
        moved: list[int] = []
        for key, document in documents.items():
            fingerprint = fingerprints[key]
            row = old.get(key)
            if row is not None and row.gone_at is None and row.fingerprint == fingerprint:
                same.append(key)
                if row.version != document.version:
                    Resource.objects.filter(pk=row.pk).update(version=document.version)
                continue
            if row is None or row.gone_at is not None:
                self.run.added += 1
            else:
                self.run.changed += 1
            stored = self._stored(document, fingerprint)
            if row is None:
                new.append({"source_id": self.source.pk, "key": key, "first_seen_at": now, **stored})
                continue
            if row.audience_id != stored["audience_id"]:
                moved.append(row.pk)
            for name, value in stored.items():
                setattr(row, name, value)
            changed.append(row)
        if moved:
            signals.withdrawn.send(Source, resources=Resource.objects.filter(pk__in=moved))
        rows = {row.key: row.pk for row in changed}
        if new:
            bulk.insert(Resource, new)
            added = self.source.resources.filter(key__in=[row["key"] for row in new])
            rows |= dict(added.values_list("key", "pk"))
        if changed:
            Resource.objects.bulk_update(changed, _STORED, batch_size=50)
        self._contributions(rows, documents, fresh=not changed)
        self._topics(rows, documents, fresh=not changed)
        self._concerns(rows, documents, fresh=not changed)
        return same

    def _stored(self, document: Document, fingerprint: str) -> dict[str, Any]:
        """What a row says of its document."""
        audience = self._audience(document)
        return {
            "version": document.version, "fingerprint": fingerprint, "kind": document.kind,
            "title": document.title, "body": document.body, "url": document.url,
            "crumbs": list(document.crumbs), "language": document.language, "facts": dict(document.facts),
            "created": document.created, "updated": document.updated, "about_id": document.about,
            "audience_id": audience.pk, "gone_at": None, "seen_in": self.run.pk,
            "index_hash": index_hash(audience.digest, fingerprint, self.source),
        }  # fmt: skip

    def _audience(self, document: Document) -> Audience:
        tokens = scoped(self.source.pk, document.audience)
        if tokens not in self.audiences:
            self.audiences[tokens] = Audience.objects.of(tokens)
        return self.audiences[tokens]

    def _contributions(self, rows: dict[str, int], documents: dict[str, Document], *, fresh: bool) -> None:
        if not fresh:
            Contribution.objects.filter(resource__in=rows.values()).delete()
        bulk.insert(
            Contribution,
            [
                {
                    "resource_id": pk, "name": part.name[:200], "email": part.email[:254], "share": part.share,
                    "changes": part.changes, "first": part.first, "last": part.last,
                }
                for key, pk in rows.items()
                for part in documents[key].contributions
            ],
        )  # fmt: skip

    def _topics(self, rows: dict[str, int], documents: dict[str, Document], *, fresh: bool) -> None:
        """Link the rows to their topics, making those that are new."""
        spelled = {pk: _spellings(documents[key].topics) for key, pk in rows.items()}
        wanted = {name: slug for pairs in spelled.values() for slug, name in pairs}
        missing = {name: slug for name, slug in wanted.items() if name not in self.topics}
        if missing:
            Topic.objects.bulk_create(
                [Topic(slug=slug, name=name) for name, slug in missing.items()], ignore_conflicts=True
            )
            self.topics |= {topic.name: topic for topic in Topic.objects.filter(name__in=list(missing))}
        links = Resource.topics.through
        if not fresh:
            links.objects.filter(resource__in=rows.values()).delete()
        bulk.insert(
            links,
            [
                {"resource_id": pk, "topic_id": self.topics[name].pk}
                for pk, pairs in spelled.items()
                for _, name in pairs
            ],
        )

    def _concerns(self, rows: dict[str, int], documents: dict[str, Document], *, fresh: bool) -> None:
        """Link the rows to the resources that they are about; one that is not there is left out."""
        links = Resource.concerns.through
        if not fresh:
            links.objects.filter(from_resource__in=rows.values()).delete()
        said = [(pk, UUID(key)) for name, pk in rows.items() for key in sorted(documents[name].concerns)]
        there = Resource.objects.alive().filter(public_id__in={key for _, key in said}) if said else ()
        ids = {row.public_id: row.pk for row in there}
        bulk.insert(links, [{"from_resource_id": pk, "to_resource_id": ids[key]} for pk, key in said if key in ids])


_STORED = [
    "version", "fingerprint", "kind", "title", "body", "url", "crumbs", "language", "facts",
    "created", "updated", "about", "audience", "gone_at", "seen_in", "index_hash",
]  # fmt: skip


def _spellings(names: Iterable[str]) -> list[tuple[str, str]]:
    """(What is compared, name) of each topic once, as it is first written; names without letter or digit are none."""
    pairs: dict[str, str] = {}
    for name in (" ".join(name.split())[:80].rstrip() for name in names):
        if any(map(str.isalnum, name)):
            pairs.setdefault(topic_key(name)[:80], name)
    return list(pairs.items())


def storable(text: str) -> str:
    """Text that any database takes: no NUL, no lone surrogate."""
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub("�", text)


def clean(document: Document) -> Document:
    """The document as it is stored; raises `ValidationError` with what is wrong and its cure."""
    key = storable(document.key)
    if not key or len(key) > 500:
        raise ValidationError("Its name within the source is empty or longer than 500 characters: shorten it.")
    if document.kind not in KINDS:
        raise ValidationError(f"“{document.kind}” is no kind; use one of: {', '.join(KINDS)}.")
    url = document.url.strip()
    if url:
        try:
            http_only(url)
        except ValidationError:
            url = ""  # only http and https links are stored; the document itself is kept
    return replace(
        document,
        key=key,
        title=(storable(" ".join(document.title.split())) or key)[:400],
        body=storable(document.body)[:MAX_BODY],
        url=url[:2000],
        language=document.language[:12],
        crumbs=tuple(storable(crumb)[:200] for crumb in document.crumbs),
        topics=tuple(storable(topic) for topic in document.topics),
        contributions=tuple(
            replace(part, name=storable(part.name), email=storable(part.email)) for part in document.contributions
        ),
    )


def bury(resources: Any) -> Iterator[int]:
    """Tombstone resources, some hundreds at a time: nothing of their content stays, and nobody may read them now."""
    nobody = Audience.objects.of([])
    while ids := list(resources.values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            signals.withdrawn.send(Source, resources=Resource.objects.filter(pk__in=ids))
            Contribution.objects.filter(resource__in=ids).delete()
            Resource.topics.through.objects.filter(resource__in=ids).delete()
            Resource.concerns.through.objects.filter(from_resource__in=ids).delete()
            buried = Resource.objects.filter(pk__in=ids).update(
                gone_at=timezone.now(), audience=nobody, title="", body="", url="", crumbs=[], facts={},
                version="", fingerprint="", language="", index_hash="",
            )  # fmt: skip
        yield buried
