"""Keeps the index true to the database.

The database says what the index should hold (`Resource.index_hash`) and what
each generation is known to hold (`Indexed`). Work is the difference, so
nothing is lost when a worker, the broker or the index folder is; a rebuild is
the same work for a generation that is still empty. One process writes at a
time, and it makes every active generation true: the one that serves and, while
one is being built, the one beside it.

Rights come first. Before a batch is written, the rows in it whose audience
changes are marked as unsure; they stay out of the index's answers (see
`ResourceQuerySet.behind`) until what was written is recorded, even if the
process dies between the two.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from knowledge import index, signals
from knowledge.documents import EVERYONE, IndexDocument
from knowledge.index import generations
from knowledge.models import Audience, Indexed, IndexStamp, Resource, Source

logger = logging.getLogger(__name__)

BATCH = 1000
UNSURE = "unsure"
"""The token of an audience that nobody is in: a row may be indexed under its old audience or its new one."""


def index_hash(audience: str, fingerprint: str, source_audience: Audience) -> str:
    """What one row of the index is made of: who may read it, what it says, and whether everyone may read it."""
    public = EVERYONE in source_audience.tokens
    return hashlib.sha256(f"{audience} {fingerprint} {public}".encode()).hexdigest()


def pending(generation: str) -> Any:
    """Resources that this generation does not hold as they are: new, changed, or gone and still in it."""
    held = Indexed.objects.filter(resource=OuterRef("pk"), generation=generation)
    return Resource.objects.filter(
        Q(gone_at=None) & ~Exists(held.filter(hash=OuterRef("index_hash"))) | Q(gone_at__isnull=False) & Exists(held)
    )


def index_changes(*, seconds: float = 600, report: Callable[[int], None] | None = None) -> int:
    """Write what differs to every active generation, and let a complete new one serve; rows written.

    Returns early after ``seconds`` (what is left is found again) and does
    nothing when another process is writing. ``report`` is told the rows
    written so far, after each batch.
    """
    _heal_hashes()
    written = 0
    deadline = time.monotonic() + seconds
    try:
        for generation in _active():
            try:
                with index.writer(generation) as engine:
                    while (count := _write_batch(generation, engine)) and time.monotonic() < deadline:
                        written += count
                        if report:
                            report(written)
            except index.IndexMissing:
                logger.warning("generation %s is damaged: building another", generation)
                generations.discard(generation)
    except index.WriterBusy:
        logger.debug("another process is writing the index")
        return written
    except index.IndexProblem as problem:
        logger.error("the index could not be written and is tried again: %s", problem)
        return written
    building = generations.building()
    if building and not pending(building).exists():
        generations.promote(building)
        _forget_old()
    return written


def tidy() -> int:
    """Remove what serves nobody: old generations, and files that a killed writer left behind; bytes freed."""
    return generations.collect()


def rebuild(*, report: Callable[[int], None] | None = None) -> int:
    """Build a generation beside the one that serves and swap; goes on with one that was begun before."""
    generations.begin()
    written = 0
    while generations.building():
        written += index_changes(report=report)
    return written


def _active() -> list[str]:
    """The generations to be kept true; begins one when there is none that this database and schema can use."""
    active = generations.active()
    for generation in list(active):
        stamp = IndexStamp.objects.filter(pk=generation).first()
        if stamp is None or generations.read_stamp(generation) not in (stamp.stamp, stamp.next_stamp):
            fresh = stamp is None and not generations.read_stamp(generation)
            if not fresh:
                logger.warning("generation %s was not written by this database: building another", generation)
                generations.discard(generation)
                active.remove(generation)
    return active or [generations.begin()]


def _write_batch(generation: str, engine: index.Engine) -> int:
    """One batch into one generation: mark, write, record. Rows written or removed."""
    stamp = uuid.uuid4().hex
    with transaction.atomic():
        rows = list(
            pending(generation)
            .select_for_update()
            .select_related("source__audience", "audience")
            .prefetch_related("topics", "contributions")
            .order_by("pk")[:BATCH]
        )
        if not rows:
            return 0
        ids = [row.pk for row in rows]
        moved = [row.pk for row in rows if row.indexed_audience_id not in (None, row.audience_id)]
        Resource.objects.filter(pk__in=ids, indexed_audience=None).update(indexed_audience=F("audience"))
        Resource.objects.filter(pk__in=moved).update(indexed_audience=Audience.objects.of([UNSURE]))
        Indexed.objects.filter(generation=generation, resource__in=ids).update(hash="")  # not known until recorded
        IndexStamp.objects.update_or_create(pk=generation, defaults={"next_stamp": stamp})
    alive = [row for row in rows if row.gone_at is None]
    gone = [row for row in rows if row.gone_at is not None]
    engine.write(add=[document_of(row) for row in alive], delete=[row.public_id.hex for row in gone])
    generations.write_stamp(generation, stamp)
    with transaction.atomic():
        IndexStamp.objects.filter(pk=generation).update(stamp=stamp)
        Indexed.objects.bulk_create(
            [Indexed(resource=row, generation=generation, hash=row.index_hash) for row in alive],
            update_conflicts=True, unique_fields=["generation", "resource"], update_fields=["hash"],
        )  # fmt: skip
        Indexed.objects.filter(generation=generation, resource__in=gone).delete()
        _record_audiences(moved, {row.pk: row for row in rows})
    return len(rows)


def _record_audiences(moved: list[int], rows: dict[int, Resource]) -> None:
    """What was written is what the index holds, unless another active generation still holds the old audience."""
    others = len(generations.active()) > 1
    by_audience: dict[int | None, list[int]] = {}
    for pk in moved:
        row = rows[pk]
        lagging = others and Indexed.objects.filter(resource=pk).exclude(hash=row.index_hash).exists()
        if not lagging:
            by_audience.setdefault(None if row.gone_at else row.audience_id, []).append(pk)
    for audience, ids in by_audience.items():
        Resource.objects.filter(pk__in=ids).update(indexed_audience=audience)


def document_of(row: Resource) -> IndexDocument:
    """The index's view of one resource (topics, contributions, audience and source's audience prefetched)."""
    tokens = frozenset(row.audience.tokens)
    return IndexDocument(
        key=row.public_id.hex,
        source=row.source_id,
        kind=row.kind,
        title=row.title,
        body=row.body,
        audience=tokens,
        public=EVERYONE in tokens and EVERYONE in row.source.audience.tokens,
        topics=tuple(topic.name for topic in row.topics.all()),
        people=tuple(sorted({part.name for part in row.contributions.all() if part.name})),
        language=row.language,
        created=row.created.date() if row.created else None,
        updated=row.updated.date() if row.updated else None,
    )


def _heal_hashes() -> None:
    """Recompute the hashes of rows whose audience, or whose source's, was changed by any hand."""
    moved = Q(indexed_audience__isnull=True) | ~Q(audience=F("indexed_audience"))
    for source in Source.objects.filter(moved).select_related("audience"):
        if source.indexed_audience_id:
            signals.withdrawn.send(Source, resources=source.resources.alive())
        _rehash(source.resources.alive(), source)
        Source.objects.filter(pk=source.pk).update(indexed_audience=source.audience)
    for row in Resource.objects.behind().alive().select_related("source__audience", "audience"):
        row_only = Resource.objects.filter(pk=row.pk)
        if index_hash(row.audience.digest, row.fingerprint, row.source.audience) != row.index_hash:
            signals.withdrawn.send(Source, resources=row_only)
        _rehash(row_only, row.source)


def _rehash(rows: Any, source: Source) -> None:
    public = source.audience
    for row in rows.select_related("audience").only("audience__digest", "fingerprint", "index_hash").iterator():
        wanted = index_hash(row.audience.digest, row.fingerprint, public)
        if wanted != row.index_hash:
            Resource.objects.filter(pk=row.pk, fingerprint=row.fingerprint).update(index_hash=wanted)


def _forget_old() -> None:
    """Drop the records of generations that are no more, and their files."""
    active = generations.active()
    Indexed.objects.exclude(generation__in=active).delete()
    IndexStamp.objects.exclude(pk__in=active).delete()
    generations.collect()


def status() -> dict[str, Any]:
    """What an operator asks: which generation serves, which is being built, and what is left to write."""
    current, building = generations.current(), generations.building()
    return {
        "serving": current,
        "building": building,
        "resources": Resource.objects.alive().count(),
        "indexed": Indexed.objects.filter(generation=current).count() if current else 0,
        "waiting": pending(building or current or "").count(),
        "behind": Resource.objects.behind().count(),
    }
