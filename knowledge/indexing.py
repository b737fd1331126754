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

On most days nothing is to be done, and finding that out must not take a look
at every row. So once a generation is complete, each row notes the hash that
this generation holds (`Resource.settled`), and from then on only rows whose
hash is another are looked at. A note is taken back together with what
`Indexed` says (`take_back`), and made again when `Indexed` says so.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.timezone import localdate

from knowledge import bulk, index, signals
from knowledge.documents import EVERYONE, IndexDocument
from knowledge.index import generations
from knowledge.meaning import embedding
from knowledge.models import NOT_KNOWN, UNSETTLED, Audience, Contribution, Indexed, IndexStamp, Resource, Source

logger = logging.getLogger(__name__)

Report = Callable[[int], None]
"""Told after each batch how many rows were written so far."""

BATCH = 2000
"""Rows in one commit at most. Of fewer than 1,250, tantivy would merge most a second time at once: it leaves merged
segments of 10,000 documents alone for long, and merges eight at a time."""
BATCH_CHARACTERS = 20_000_000
"""Of bodies, after which a batch is full: they are held in memory."""
NOTED_AT_ONCE = 10_000
"""Rows in one statement: 0.2 s on SQLite; PostgreSQL may read all that is recorded at each."""
TURN = 2.0
"""Seconds of writing to one generation while there is another: what changes is found while a new one is built."""
UNSURE = "unsure"
"""The token of an audience that nobody is in: a row may be indexed under its old audience or its new one."""


def index_hash(audience: str, fingerprint: str, source: Source) -> str:
    """What one row of the index is made of: who may read it, what it says, and whether its source is everyone's."""
    return _hash(audience, fingerprint, is_public(source))


def _hash(audience: str, fingerprint: str, public: bool) -> str:
    return hashlib.sha256(f"{audience} {fingerprint} {public}".encode()).hexdigest()


def is_public(source: Source) -> bool:
    """Whether everyone may read the source now."""
    return source.active and EVERYONE in source.audience.tokens


def pending(generation: str) -> Any:
    """Resources that this generation does not hold as they are: new, changed, or gone and still in it."""
    rows = Resource.objects.unsettled() if _is_settled(generation) else Resource.objects.all()
    return rows.filter(_differs(generation))


def _differs(generation: str) -> Q:
    held = Indexed.objects.filter(resource=OuterRef("pk"), generation=generation)
    changed = Q(gone_at=None) & ~Exists(held.filter(hash=OuterRef("index_hash")))
    return changed | Q(gone_at__isnull=False) & Exists(held)


def _is_settled(generation: str) -> bool:
    return bool(IndexStamp.objects.filter(pk=generation, settled=True).exists())


def take_back(resources: Sequence[int], **of: Any) -> None:
    """Nobody knows what the index holds of these rows until it is recorded: even one that goes back is due."""
    Indexed.objects.filter(resource__in=resources, **of).update(hash="")
    Resource.objects.filter(pk__in=resources).exclude(settled=NOT_KNOWN).update(settled=NOT_KNOWN)


def doubt(resources: Sequence[int]) -> None:
    """The index may hold words of these rows that it should not: no answer from them until they are written again."""
    written = Resource.objects.filter(pk__in=resources, indexed_audience__isnull=False)
    written.update(indexed_audience=Audience.objects.of([UNSURE]))
    take_back(resources)


def index_changes(*, seconds: float = 600) -> int:
    """Write what differs to every active generation, and let a complete new one serve; rows written.

    Returns early after ``seconds``, when another process is writing, or when
    the index or the database refuses: what is left is found again.
    """
    try:
        return _write_all(seconds=seconds)
    except index.WriterBusy:
        logger.debug("another process is writing the index")
    except index.IndexProblem as problem:
        logger.error("the index could not be written and is tried again: %s", problem)
    except OperationalError as error:
        logger.warning("the database could not be written and is tried again: %s", error)
    return 0


def rebuild(*, fresh: bool = True, report: Report | None = None) -> int:
    """Index everything here and now; with ``fresh`` into a generation beside the one that serves, and swap.

    Goes on with a generation that was begun before, and waits for another
    writer. Raises `index.IndexProblem`, with the cure, when it cannot be written.
    """
    if fresh:
        with index.writing_alone(patience=600):
            generations.begin()
    written = 0
    while True:
        try:
            written += _write_all(report=report)
        except index.WriterBusy:
            time.sleep(0.5)
            continue
        if not generations.building():
            return written


def _write_all(*, seconds: float = 600, report: Report | None = None) -> int:
    """Write what differs to every active generation; while there are two, to each in turns (see `TURN`)."""
    _heal_hashes()
    written = 0
    deadline = time.monotonic() + seconds
    after: dict[str, int] = {}
    promoted = False
    while True:
        active, before = _active(), written
        _heal_unsure(active)
        for generation in active:
            until = min(deadline, time.monotonic() + TURN) if len(active) > 1 else deadline
            written, after[generation] = _write_turn(generation, after.get(generation, 0), until, written, report)
        building = generations.building()
        if building and not promoted and not pending(building).exists():
            generations.promote(building)
            _forget_old()
            promoted = True  # once more, for rows that only the old one held otherwise
        elif promoted or len(active) == 1 or written == before or time.monotonic() >= deadline:
            break
    _settle()
    return written


def _write_turn(generation: str, after: int, until: float, written: int, report: Report | None) -> tuple[int, int]:
    """Batches into one generation until there are none or it is time; rows written in all, and where to go on."""
    try:
        with index.writer(generation) as engine:
            while True:
                count, after = _write_batch(generation, engine, after)
                written += count
                if count and report:
                    report(written)
                if not count or time.monotonic() >= until:
                    return written, after if count else 0
    except index.IndexMissing:
        logger.warning("generation %s is damaged: building another", generation)
        generations.discard(generation)
        return written, 0


def _settle() -> None:
    """Let the rows note what the only generation holds of them, so that the next look at them is short.

    Nobody else writes meanwhile, and no other generation begins. Notes are of
    use once all rows were seen to have a true one at one moment; from then on
    none becomes untrue. Until then, and after another generation was settled,
    the generation is looked at in full.
    """
    with suppress(index.WriterBusy), index.writing_alone(patience=0):
        generation, *others = generations.active() or [""]
        if others or not generation:
            return
        settled = _is_settled(generation)
        if not settled:
            IndexStamp.objects.update(settled=False)
        rows = Resource.objects.unsettled()
        last = 0
        while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:NOTED_AT_ONCE]):
            rows.filter(~_differs(generation), pk__gt=last, pk__lte=ids[-1]).update(settled=F("index_hash"))
            last = ids[-1]
        if not settled and not Resource.objects.filter(UNSETTLED | _differs(generation)).exists():
            IndexStamp.objects.filter(pk=generation).update(settled=True)


def tidy() -> int:
    """Remove what serves nobody: old generations, and files that a killed writer left behind; bytes freed."""
    try:
        return generations.collect()
    except index.IndexProblem as problem:
        logger.warning("the index could not be tidied and is looked at again: %s", problem)
        return 0


def _active() -> list[str]:
    """The generations to be kept true; begins one when there is none that this database and schema can use."""
    with index.writing_alone():
        for generation in generations.active():
            written = generations.read_stamp(generation)
            stamp = IndexStamp.objects.filter(pk=generation).first()
            if written and (stamp is None or written not in (stamp.stamp, stamp.next_stamp)):
                logger.warning("generation %s was not written by this database: building another", generation)
                generations.discard(generation)
        return generations.active() or [generations.begin()]


_READ = (
    "pk", "public_id", "source_id", "kind", "title", "body", "crumbs", "language", "audience_id", "created", "updated",
    "gone_at", "index_hash", "indexed_audience_id",
)  # fmt: skip
"""What writing a batch asks of a row: a tuple of it costs a fifth of an object."""


def _write_batch(generation: str, engine: index.Engine, after: int) -> tuple[int, int]:
    """One batch into one generation: mark, write, record. Rows written or removed, and the last one's number.

    ``after``: the last number of the batch before, so that a build looks at each row once.
    """
    stamp = uuid.uuid4().hex
    with transaction.atomic():
        due = pending(generation).filter(pk__gt=after).select_for_update(of=("self",), no_key=True, skip_locked=True)
        rows = _full(due.order_by("pk").values_list(*_READ, named=True)[:BATCH].iterator(chunk_size=200))
        if not rows:
            return 0, after
        ids = [row.pk for row in rows]
        moved = [row.pk for row in rows if row.indexed_audience_id not in (None, row.audience_id)]
        new = [row.pk for row in rows if row.indexed_audience_id is None]
        Resource.objects.filter(pk__in=new).update(indexed_audience=F("audience"))
        Resource.objects.filter(pk__in=moved).update(indexed_audience=Audience.objects.of([UNSURE]))
        take_back(ids, generation=generation)
        IndexStamp.objects.update_or_create(pk=generation, defaults={"next_stamp": stamp})
    alive = [row for row in rows if row.gone_at is None]
    gone = [row for row in rows if row.gone_at is not None]
    engine.write(add=documents_of(alive), delete=[row.public_id.hex for row in gone])
    _tell_meaning([row for row in rows if row.indexed_audience_id])
    generations.write_stamp(generation, stamp)
    with transaction.atomic():
        IndexStamp.objects.filter(pk=generation).update(stamp=stamp)
        bulk.insert(
            Indexed,
            [{"resource_id": row.pk, "generation": generation, "hash": row.index_hash} for row in alive],
            unique=["generation", "resource_id"],
        )
        Indexed.objects.filter(generation=generation, resource__in=[row.pk for row in gone]).delete()
        _record_audiences(moved, {row.pk: row for row in rows})
    return len(rows), rows[-1].pk


def _full(rows: Iterable[Any]) -> list[Any]:
    """As many of the rows as one batch holds."""
    held, characters = [], 0
    for row in rows:
        held.append(row)
        characters += len(row.body)
        if characters >= BATCH_CHARACTERS:
            break
    return held


def _tell_meaning(rows: list[Any]) -> None:
    """Vectors follow in the same step: a row is not recorded before they know its rights too."""
    try:
        embedding.follow(rows)
    except (embedding.Busy, OSError) as error:
        raise index.IndexProblem(
            f"The rights of vectors could not be written ({error}). Free some space on the disk of "
            f"{embedding.root()}; or delete that folder, which is made again."
        ) from error


def _record_audiences(moved: list[int], rows: dict[int, Any]) -> None:
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


def documents_of(rows: Sequence[Any]) -> Iterator[IndexDocument]:
    """The index's view of resources, of which `_READ` was read.

    What they share is read once for all: a batch is some thousand rows.
    """
    ids = [row.pk for row in rows]
    sources = Source.objects.select_related("audience").in_bulk({row.source_id for row in rows})
    everyones = {pk: is_public(source) for pk, source in sources.items()}
    audiences = Audience.objects.in_bulk({row.audience_id for row in rows})
    tokens = {pk: frozenset(audience.tokens) for pk, audience in audiences.items()}
    topics, people = defaultdict[int, set[str]](set), defaultdict[int, set[str]](set)
    for pk, name in Resource.topics.through.objects.filter(resource__in=ids).values_list("resource", "topic__name"):
        topics[pk].add(name)
    for pk, name in Contribution.objects.filter(resource__in=ids).exclude(name="").values_list("resource", "name"):
        people[pk].add(name)
    for row in rows:
        yield IndexDocument(
            key=row.public_id.hex,
            source=row.source_id,
            kind=row.kind,
            title=row.title,
            body=row.body,
            audience=tokens[row.audience_id],
            public=EVERYONE in tokens[row.audience_id] and everyones[row.source_id],
            topics=tuple(sorted(topics[row.pk])),
            people=tuple(sorted(people[row.pk])),
            crumbs=tuple(row.crumbs),
            language=row.language,
            created=localdate(row.created) if row.created else None,
            updated=localdate(row.updated) if row.updated else None,
        )


def _heal_hashes() -> None:
    """Recompute the hashes of rows whose audience, or whose source's, was changed by any hand."""
    never = Source.objects.filter(indexed_audience=None)
    for source in (never | Source.objects.changed()).select_related("audience"):
        if source.indexed_audience_id:
            signals.withdrawn.send(Source, resources=source.resources.alive())
        _rehash(source.resources.alive())
        Source.objects.filter(pk=source.pk).update(indexed_audience=source.audience, indexed_active=source.active)
    _rehash(Resource.objects.alive().behind(), tell=True)


def _heal_unsure(active: Sequence[str]) -> None:
    """Let rows be written again that are unsure although every active generation holds them as they are.

    They were written to a new generation while the old one, which is no more,
    held them otherwise: nothing else would ever make them due, and until they
    are recorded they stay out of all answers.
    """
    rows = Resource.objects.alive().behind()
    for generation in active:
        held = Indexed.objects.filter(resource=OuterRef("pk"), generation=generation, hash=OuterRef("index_hash"))
        rows = rows.filter(Exists(held))
    if ids := list(rows.values_list("pk", flat=True)[:NOTED_AT_ONCE]):
        take_back(ids)


def _rehash(rows: Any, *, tell: bool = False) -> None:
    """Give the rows the hash that they should have; ``tell`` the floors above which ones had another."""
    some: list[Resource] = []
    fields = "pk", "audience__digest", "fingerprint", "index_hash", "source__active", "source__audience__tokens"
    for pk, audience, fingerprint, held, active, tokens in rows.values_list(*fields).iterator(chunk_size=1000):
        wanted = _hash(audience, fingerprint, active and EVERYONE in tokens)
        if wanted != held:
            some.append(Resource(pk=pk, index_hash=wanted))
    for start in range(0, len(some), 500):
        with transaction.atomic():
            part = some[start : start + 500]
            if tell:
                signals.withdrawn.send(Source, resources=Resource.objects.filter(pk__in=[row.pk for row in part]))
            Resource.objects.bulk_update(part, ["index_hash"])


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
