"""Embeds what the index holds, behind it: the work is rows of the database, and most opened comes first.

A turn takes rows, cuts their texts into passages, asks the model for those
that nobody has asked about before, writes the vectors into the folder that
search looks at, and records it, in this order: whatever is interrupted is done
again, and nothing is asked of the model twice. One process embeds at a time.

Rights are the index's: the index writer calls `follow` with each batch before
it records what it wrote, so a row whose audience moved stays out of every
answer until index and vectors both know (see `indexing`).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from knowledge.documents import Entry, Packed, Rights
from knowledge.index import IndexProblem
from knowledge.meaning import OTHER_SIZE, Kept, ModelProblem, TextRefused, store
from knowledge.meaning.cutting import Passage, cut
from knowledge.meaning.encoders import Encoder, chosen
from knowledge.meaning.export import prepare
from knowledge.meaning.matrix import pack
from knowledge.meaning.rows import Embedding, Vector, VectorStamp
from knowledge.meaning.store import Busy, root
from knowledge.models import Audience, Click, IndexStamp, Resource

__all__ = ["Busy", "embed", "follow", "root", "status"]

logger = logging.getLogger(__name__)

WORK: Any = Embedding.objects
ROWS = 32
"""Resources in one batch at most."""
PASSAGES = 64
"""Passages of one batch that the model is asked about, or those of one resource."""
AT_ONCE = 16
"""Passages between two looks at the clock."""
LATER = timedelta(seconds=5)
LOOKED_FOR = 2000
PATIENCE = 5.0
"""Seconds that an operator waits for the model."""


def embed(*, seconds: float = 45, encoder: Encoder | None = None) -> int:
    """Embed what is due for so long; the number of resources done. Leaves what is left to the next turn.

    Does nothing without a model, while another process does it, or when the
    model or the database refuses: that is logged, and tried again.
    """
    try:
        encoder = encoder or _installed()
        if encoder is not None:
            with store.alone("embedding", patience=0):
                return _Turn(encoder, time.monotonic() + seconds).run()
    except Busy:
        logger.debug("another process is embedding")
    except ModelProblem as problem:
        logger.warning("embedding waits: %s", problem)
    except (OperationalError, OSError, IndexProblem) as error:
        logger.warning("vectors could not be written and are tried again: %s", error)
    return 0


def _installed() -> Encoder | None:
    """The encoder that settings choose; it is made where nobody made it yet, or where it is damaged."""
    encoder = chosen(threads=settings.MEANING_THREADS)
    try:
        if encoder and encoder.fingerprint:
            return encoder
    except ModelProblem as problem:
        logger.warning("%s", problem)
    return chosen(threads=settings.MEANING_THREADS) if prepare() else None


def follow(rows: Sequence[Resource]) -> None:
    """Let the vectors of these rows be seen by whom their audience says now, and forget those that are gone.

    Raises `store.Busy`, `IndexProblem` or `OSError` when that cannot be written.
    """
    _forget([row.pk for row in rows if row.gone_at])
    if not rows or store.serving() is None:
        return
    audiences = Audience.objects.in_bulk({row.audience_id for row in rows})
    with store.writing():
        found = store.serving()  # as it is now: it may have been written, or have become another, while this waited
        if found is None:
            return
        found[1].remove([row.public_id.hex for row in rows if row.gone_at])
        found[1].change(
            {
                row.public_id.hex: Rights(row.source_id, frozenset(audiences[row.audience_id].tokens))
                for row in rows
                if not row.gone_at
            }
        )


def status() -> dict[str, Any]:
    """What an operator asks: by which model, how many resources are embedded, wait, or were given up; any problem.

    The model is asked for a word, so that one that answers slowly, or otherwise than it did, shows here.
    """
    model, passages, problem = None, 0, ""
    try:
        encoder = chosen()
        model = encoder.fingerprint if encoder else None
        found = store.serving()
        mine = found[1] if found and found[0]["model"] == model else None
        passages = mine.count() if mine else 0
        size = len(encoder.encode(["size"], seconds=PATIENCE)[0]) if encoder else 0
        if mine and size != mine.size:
            problem = OTHER_SIZE.format(size, mine.size)
    except (ModelProblem, IndexProblem) as error:
        problem = str(error)
    told = {
        "model": model,
        "embedded": WORK.exclude(done_at=None).filter(model=model or "").count(),
        "waiting": WORK.filter(done_at=None).count() - WORK.dead().count(),
        "given up": WORK.dead().count(),
        "passages": passages,
    }
    return told | ({"problem": problem} if problem else {})


@dataclass(frozen=True, slots=True)
class _Piece:
    """A resource as it was when it was cut."""

    row: Any
    resource: Resource
    passages: Sequence[Passage]


class _Turn:
    """One process's turn with one model."""

    def __init__(self, encoder: Encoder, deadline: float) -> None:
        self.encoder, self.deadline = encoder, deadline
        self.model = encoder.fingerprint

    def run(self) -> int:
        # Nobody else embeds now: a lease that is held is of a process that was killed.
        held = WORK.filter(done_at=None).exclude(lease=None)
        if held.exists():
            held.update(lease=None, lease_until=None)
        self.kept = self._open()
        self._look_for_work()
        done = 0
        while time.monotonic() < self.deadline:
            count = self._batch()
            if count is None:
                if done:
                    self._tidy()
                break
            done += count
        return done

    def _open(self) -> Kept:
        """The vectors that serve, if they are this model's and what the database knows; else new ones, to be filled."""
        found, stamp = store.serving(), VectorStamp.objects.first()
        if found and stamp and (found[0]["model"], found[0]["id"]) == (self.model, stamp.folder):
            if found[1].rows in (stamp.rows, stamp.next_rows):
                return self._moved(found[1])
            logger.warning("the vectors were not written by this database: writing others")
        size = len(self.encoder.encode(["size"])[0])
        with store.writing():
            return self._begun(store.begin(self.model, size))

    def _moved(self, kept: Kept) -> Kept:
        """These vectors, or a place beside the index that takes them since it is a cluster that can."""
        moved = store.moved(kept, self.model)
        return self._begun(moved) if moved else kept

    def _begun(self, kept: Kept) -> Kept:
        with transaction.atomic():
            self._stamp(kept)
            WORK.update(done_at=None, attempts=0, error="", due_at=timezone.now(), lease=None)
        return kept

    def _stamp(self, kept: Kept) -> None:
        VectorStamp.objects.exclude(pk=kept.id).delete()
        rows = kept.rows
        VectorStamp.objects.update_or_create(pk=kept.id, defaults={"rows": rows, "next_rows": rows})

    # Finding work ---------------------------------------------------------------------------------------------------

    def _look_for_work(self) -> None:
        """Make a row of each resource that the index holds, and let those whose text is another be due again.

        Whatever changes goes through the index: where it was not written since, there is nothing to look for.
        """
        stamps = sorted(IndexStamp.objects.values_list("pk", "stamp"))
        now = hashlib.sha256(repr((self.model, stamps)).encode()).hexdigest()
        if VectorStamp.objects.filter(looked=now).exists():
            return
        while gone := list(WORK.exclude(resource__gone_at=None)[:LOOKED_FOR]):
            with store.writing():
                keys = Resource.objects.filter(embedding__in=gone).values_list("public_id", flat=True)
                self.kept.remove([key.hex for key in keys])
            _forget([row.resource_id for row in gone])
        other = ~Q(text=F("resource__fingerprint")) | ~Q(model=self.model)
        WORK.exclude(done_at=None).filter(other).update(done_at=None, attempts=0, error="", due_at=timezone.now())
        # Of a text that was given up, another version is another chance.
        for row in WORK.dead().filter(other).exclude(text=F("resource__fingerprint"))[:LOOKED_FOR]:
            row.retry()
        new = Resource.objects.alive().filter(embedding=None, indexed_audience__isnull=False)
        while ids := list(new.order_by("pk").values_list("pk", flat=True)[:LOOKED_FOR]):
            opened = dict(Click.objects.filter(resource__in=ids).values_list("resource").annotate(Count("pk")))
            WORK.bulk_create([Embedding(resource_id=pk, opened=opened.get(pk, 0)) for pk in ids], ignore_conflicts=True)
        VectorStamp.objects.filter(pk=self.kept.id).update(looked=now)

    # Doing it -------------------------------------------------------------------------------------------------------

    def _batch(self) -> int | None:
        """One batch: how many resources were done, `None` when nothing is due."""
        pieces = self._claim()
        if not pieces:
            return None
        try:
            vectors = self._vectors(pieces)
        except TextRefused as problem:
            if len(pieces) == 1 and not self._takes_any():
                pieces[0].row.release()
                raise ModelProblem(f"{problem} It refuses every text: look whether it is set up rightly.") from problem
            self._give_back(pieces, problem)
            return 0
        except ModelProblem:
            for piece in pieces:
                piece.row.release()
            raise
        except Exception as error:
            logger.exception("a batch of %s could not be embedded", len(pieces))
            self._give_back(pieces, error)
            return 0
        return self._write(pieces, vectors)

    def _claim(self) -> list[_Piece]:
        """Rows that are due, leased: most opened first; those that failed before, each alone."""
        due = list(WORK.due().order_by("-opened", "pk").values_list("pk", "attempts", "resource")[:ROWS])
        if due and due[0][1]:
            due = due[:1]
        due = [row for row in due if row[1] == due[0][1]]
        fields = ("title", "body", "fingerprint", "gone_at")
        resources = Resource.objects.only(*fields).in_bulk([resource for _, _, resource in due])
        pieces: list[_Piece] = []
        asked = 0
        with transaction.atomic():
            for pk, _, number in due:
                resource = resources.get(number)
                row = WORK.claim(pk) if resource else None
                if resource is None or row is None:
                    continue
                pieces.append(_Piece(row, resource, () if resource.gone_at else cut(resource.title, resource.body)))
                asked += len(pieces[-1].passages)
                if asked >= PASSAGES:
                    break
        return pieces

    def _vectors(self, pieces: Sequence[_Piece]) -> dict[str, Packed]:
        """The vector of each passage, by its hash: those known, and those that the model is asked for now."""
        texts = {passage.hash.hex(): passage.text for piece in pieces for passage in piece.passages}
        known = list(Vector.objects.filter(model=self.model, hash__in=list(texts)))
        if odd := {one.pk for one in known if not _is_whole(one, self.kept.size)}:
            logger.warning("%s vectors are damaged or of another size and are made again", len(odd))
            Vector.objects.filter(pk__in=odd).delete()
        found = {one.hash: unpacked(one) for one in known if one.pk not in odd}
        missing = [name for name in texts if name not in found]
        looked = time.monotonic()
        for some in _parts(missing, AT_ONCE):
            vectors = self.encoder.encode([texts[name] for name in some])
            if vectors.shape != (len(some), self.kept.size):
                raise ModelProblem(OTHER_SIZE.format(vectors.shape[-1], self.kept.size))
            found |= {name: pack(bytes.fromhex(name), vector) for name, vector in zip(some, vectors, strict=True)}
            if time.monotonic() - looked > 20:
                looked = time.monotonic()
                for piece in pieces:
                    piece.row.keep()
        return found

    def _takes_any(self) -> bool:
        """Whether the model takes the plainest of texts: one that refuses all is at fault, and not a text."""
        try:
            return len(self.encoder.encode(["size"])) == 1
        except TextRefused:
            return False

    def _give_back(self, pieces: Sequence[_Piece], error: Exception) -> None:
        """One of several is at fault: each is tried alone. One alone is tried again later, thrice at most."""
        if len(pieces) == 1:
            pieces[0].row.fail(f"{type(error).__name__}: {error}", text=pieces[0].resource.fingerprint)
        else:
            ids = [piece.row.pk for piece in pieces]
            WORK.filter(pk__in=ids).update(lease=None, lease_until=None)

    def _write(self, pieces: Sequence[_Piece], vectors: Mapping[str, Packed]) -> int:
        """Put into the folder what is still so, and record it."""
        with store.writing():
            now = {
                row.pk: row
                for row in Resource.objects.filter(pk__in=[piece.resource.pk for piece in pieces])
                .select_related("audience")
                .defer("body", "facts")
            }
            kept: list[_Piece] = []
            for piece in pieces:
                row = now.get(piece.resource.pk)
                same = row and not row.gone_at and row.fingerprint == piece.resource.fingerprint
                if row and same and row.audience_id == row.indexed_audience_id:
                    kept.append(piece)
                else:  # the index is about to be written: what it will say of rights is not known yet
                    piece.row.release()
                    WORK.filter(pk=piece.row.pk).update(due_at=timezone.now() + LATER)
            entries = [
                Entry(
                    row.public_id.hex,
                    Rights(row.source_id, frozenset(row.audience.tokens)),
                    [vectors[passage.hash.hex()] for passage in piece.passages],
                )
                for piece in kept
                if (row := now[piece.resource.pk]) and piece.passages
            ]
            stamp = VectorStamp.objects.filter(pk=self.kept.id)
            stamp.update(next_rows=self.kept.rows + len(entries))
            self.kept.remove([now[piece.resource.pk].public_id.hex for piece in kept if not piece.passages])
            self.kept.write(entries)
            with transaction.atomic():
                self._record(kept, vectors)
                stamp.update(rows=self.kept.rows)
        return len(kept)

    def _record(self, pieces: Sequence[_Piece], vectors: Mapping[str, Packed]) -> None:
        hashes = {piece.row.pk: {passage.hash.hex() for passage in piece.passages} for piece in pieces}
        wanted = set().union(*hashes.values())
        Vector.objects.bulk_create(
            [Vector(model=self.model, hash=name, data=packed(vectors[name])) for name in sorted(wanted)],
            ignore_conflicts=True,
        )
        ids = dict(Vector.objects.filter(model=self.model, hash__in=wanted).values_list("hash", "pk"))
        before = _let_go(list(hashes))
        links: Any = Embedding.vectors.through
        links.objects.bulk_create(
            [links(embedding_id=pk, vector_id=ids[name]) for pk, names in hashes.items() for name in names]
        )
        _remove_unused(before)
        for piece in pieces:
            piece.row.finish(text=piece.resource.fingerprint, model=self.model)

    def _tidy(self) -> None:
        """All is done: vectors of other models, and those that no resource has any more, are of no use."""
        if WORK.filter(done_at=None).exists():
            return
        Vector.objects.filter(Q(model__lt=self.model) | Q(model__gt=self.model)).delete()
        with store.writing():
            kept = self.kept.tidy()
            if kept is not self.kept:
                looked = VectorStamp.objects.values_list("looked", flat=True).first() or ""
                self._stamp(kept)
                VectorStamp.objects.update(looked=looked)


def _forget(resources: Sequence[int]) -> None:
    """Keep nothing that was made of these resources, whether or not there is a model now."""
    embeddings = list(WORK.filter(resource__in=resources).values_list("pk", flat=True)) if resources else []
    if embeddings:
        with transaction.atomic():
            vectors = _let_go(embeddings)
            WORK.filter(pk__in=embeddings).delete()
            _remove_unused(vectors)


def _let_go(embeddings: Sequence[int]) -> list[int]:
    """The vectors of these rows, which are theirs no longer."""
    through: Any = Embedding.vectors.through
    links = through.objects.filter(embedding__in=embeddings)
    vectors = list(links.values_list("vector", flat=True))
    links.delete()
    return vectors


def _remove_unused(vectors: Sequence[int]) -> None:
    for some in _parts(vectors, 500):
        Vector.objects.filter(pk__in=some, of=None).delete()


def _parts(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def packed(one: Packed) -> bytes:
    """As the database keeps it."""
    return np.float32(one.scale).tobytes() + one.numbers


def _is_whole(vector: Vector, size: int) -> bool:
    """Whether this is what `packed` made of a vector of this size."""
    data = bytes(vector.data)
    return len(data) == 4 + size and bool(0 < np.frombuffer(data[:4], np.float32)[0] < np.inf)


def unpacked(vector: Vector) -> Packed:
    """As `store` takes it."""
    data = bytes(vector.data)
    return Packed(bytes.fromhex(vector.hash), data[4:], float(np.frombuffer(data[:4], np.float32)[0]))
