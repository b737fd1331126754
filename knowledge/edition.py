"""What searches keep in memory between two edits: what curators said, and what use and trust say of resources.

A search may cost no question to the database for any of it. So each process
keeps it, and every search learns, with the sources it asks for anyway, which
`Edition` is the present one: when that is not the one kept, it is read anew,
before anything is answered. What was taken back is gone in the next request.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction
from django.db.models import F, Q, Subquery
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from knowledge.curated import Curated, PinSaid, SynonymSaid, Terms
from knowledge.signals import withdrawn
from knowledge.trust import Signals, Standings


class EditionManager(models.Manager["Edition"]):
    """The one row."""

    def now(self) -> Subquery:
        """The edition, as part of another question."""
        return Subquery(self.filter(pk=1).values("name")[:1])

    def rise(self) -> int:
        """The next number, inside the caller's transaction: whoever writes next waits until it is committed."""
        with transaction.atomic():
            edition, _ = self.select_for_update().get_or_create(pk=1, defaults={"name": f"{uuid.uuid4().hex}:0"})
            line, number = edition.name.split(":")
            edition.name = f"{line}:{int(number) + 1}"
            edition.save(update_fields=["name"])
        return int(number) + 1


class Edition(models.Model):
    """Rises with each change of `Pin`, `Synonym` and `Standing`, so that no process keeps what is not so any more.

    ``name``: the line (random, made with the row: numbers of two databases are never mixed up), a colon, the number.
    """

    name = models.CharField(max_length=60)

    objects: ClassVar[EditionManager] = EditionManager()


Row = TypeVar("Row", bound=models.Model)


class RisingQuerySet(models.QuerySet[Row]):
    """Rows of which memory is kept: changing many at once raises the edition, as saving or deleting each one does.

    Django sends no signal for what a queryset changes, but for what it deletes.
    """

    def update(self, **values: Any) -> int:
        with transaction.atomic(self.db):
            changed = super().update(**values)
            if changed:
                Edition.objects.rise()
        return changed

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> list[Row]:
        with transaction.atomic(self.db):
            made = super().bulk_create(objs, *args, **options)
            if made:
                Edition.objects.rise()
        return made


class CuratedRow(models.Model):
    """What a curator said about searching, for those of an audience (everyone, if there is none) and until a day."""

    audience = models.ForeignKey(
        "knowledge.Audience", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    until = models.DateField(
        null=True, blank=True, help_text="The last day on which it counts; empty: as long as it stands."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = RisingQuerySet.as_manager()

    class Meta:
        abstract = True

    def terms(self) -> Terms:
        """For whom and until when it counts."""
        return Terms(frozenset(self.audience.tokens) if self.audience else None, self.until)


class Pin(CuratedRow):
    """A resource that stands first when just these words are searched for, whatever their order and their endings."""

    words = models.CharField(max_length=200)
    resource = models.ForeignKey("knowledge.Resource", on_delete=models.CASCADE, related_name="pins")
    place = models.PositiveSmallIntegerField(default=1, help_text="Among several pins of the same words, 1 is first.")

    class Meta:
        ordering = ["words", "place", "pk"]
        constraints = [models.UniqueConstraint(fields=["words", "resource"], name="one_pin_per_words")]

    def __str__(self) -> str:
        return f"“{self.words}”, place {self.place}"


class Synonym(CuratedRow):
    """Who searches for ``words`` also finds ``other``, with ``both_ways`` the reverse as well. Each may be several."""

    words = models.CharField(max_length=200)
    other = models.CharField(max_length=200)
    both_ways = models.BooleanField(default=True)

    class Meta:
        ordering = ["words", "other"]
        constraints = [models.UniqueConstraint(fields=["words", "other"], name="one_synonym_per_pair")]

    def __str__(self) -> str:
        return f"“{self.words}” {'and' if self.both_ways else 'also finds'} “{self.other}”"


class StandingQuerySet(models.QuerySet["Standing"]):
    """Standings by when they are to be counted."""

    def doubt(self, resource_id: int, *, wait: timedelta = timedelta(0), gone: bool = False) -> None:
        """Something happened that the standing of this resource depends on: count it anew, after ``wait`` at most.

        ``gone``: the resource may go at this very moment, so that no row is made for it.
        """
        due = timezone.now() + wait
        known = self.filter(resource_id=resource_id)
        if not known.filter(Q(due_at=None) | Q(due_at__gt=due)).update(due_at=due) and not gone and not known.exists():
            self.bulk_create([Standing(resource_id=resource_id, due_at=due)], ignore_conflicts=True)


class Standing(models.Model):
    """What use and trust say of one resource, counted by `standing.weigh`; no number of people can be read from it.

    ``use``: steps from -4 to 4. ``edition``: the one in which the row was last
    written. ``due_at``: when it is to be counted, nothing where there is nothing to fade.
    """

    resource = models.OneToOneField(
        "knowledge.Resource", primary_key=True, on_delete=models.CASCADE, related_name="standing"
    )
    use = models.SmallIntegerField(default=0)
    verified_until = models.DateField(null=True)
    due_at = models.DateTimeField(null=True, default=timezone.now, db_index=True)
    edition = models.PositiveBigIntegerField(default=0, db_index=True)

    objects: ClassVar[Any] = StandingQuerySet.as_manager()


@receiver([post_save, post_delete], sender=Pin)
@receiver([post_save, post_delete], sender=Synonym)
def _curated_anew(**_sent: Any) -> None:
    Edition.objects.rise()


@receiver(post_save, sender="knowledge.Verification")
def _verified_anew(instance: Any, **_sent: Any) -> None:
    Standing.objects.doubt(instance.resource_id)


@receiver(post_delete, sender="knowledge.Verification")
def _verified_no_more(instance: Any, **_sent: Any) -> None:
    Standing.objects.doubt(instance.resource_id, gone=True)


@receiver(post_delete, sender="knowledge.Click")
@receiver(post_delete, sender="knowledge.Verdict")
def _taken_back(instance: Any, **_sent: Any) -> None:
    """What is erased counts no more as soon as it is: by this process, or by the job if this one dies in between."""
    Standing.objects.doubt(instance.resource_id, gone=True)
    _erasing.__dict__.setdefault("resources", set()).add(instance.resource_id)
    transaction.on_commit(_count_erased, robust=True)


_erasing = threading.local()
"""Resources of which this thread erases something: all that goes with one account is counted anew once, not each."""


def _count_erased() -> None:
    from knowledge.standing import weigh

    if resources := _erasing.__dict__.pop("resources", None):  # else an earlier call of the same commit did it
        weigh(resources=sorted(resources))


@receiver(withdrawn)
def _open_to_others(resources: Any, **_sent: Any) -> None:
    """What was done while other people might read them counts no more, from this moment on."""
    rows = Standing.objects.filter(resource__in=resources)
    rows.update(due_at=timezone.now())  # first: as `standing.weigh` does, rows are locked before the edition
    if rows.exclude(use=0).exists():
        rows.exclude(use=0).update(use=0, edition=Edition.objects.rise())


# The memory of this process ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """What a search needs beside the index, as one edition has it."""

    curated: Curated
    standings: Standings
    line: str = ""
    number: int = 0

    def signals(self, keys: Sequence[str], pins: Sequence[str], today: date) -> dict[str, Signals]:
        """What is known of these documents beside their words; ``pins`` in the order in which they stand first."""
        found = self.standings.of(keys, today)
        for place, key in enumerate(pins, 1):
            found[key] = replace(found.get(key, Signals()), pin=place)
        return found


NOTHING = Kept(Curated(), Standings())
_kept = NOTHING
_reading = threading.Lock()


def kept(edition: str | None) -> Kept:
    """What is kept, no older than this edition; read from the database when it rose, which is seldom."""
    global _kept  # noqa: PLW0603 - one per process
    if not edition:
        return NOTHING
    line, number = edition.split(":")
    if not _holds(_kept, line, int(number)):
        with _reading:
            if not _holds(_kept, line, int(number)):
                _kept = _read(_kept)
    return _kept


def _holds(known: Kept, line: str, number: int) -> bool:
    return known.line == line and known.number >= number


def _read(known: Kept) -> Kept:
    """The present edition: its name first, so that what changes meanwhile is read again; of standings what is new."""
    line, number = Edition.objects.get(pk=1).name.split(":")
    standings = Standing.objects.filter(~Q(use=0) | Q(verified_until__isnull=False))
    before = Standings()
    if known.line == line and known.number <= int(number):
        standings, before = Standing.objects.filter(edition__gt=known.number), known.standings
    rows = standings.values_list("resource__public_id", "use", "verified_until").iterator()
    return Kept(
        Curated(_pins(), _synonyms()),
        before.changed((key.hex, use, until) for key, use, until in rows),
        line,
        int(number),
    )


def _pins() -> Iterator[PinSaid]:
    for pin in Pin.objects.select_related("audience").annotate(key=F("resource__public_id")):
        yield PinSaid(pin.words, pin.key.hex, pin.place, pin.terms())


def _synonyms() -> Iterator[SynonymSaid]:
    for one in Synonym.objects.select_related("audience"):
        yield SynonymSaid(one.words, one.other, one.terms())
        if one.both_ways:
            yield SynonymSaid(one.other, one.words, one.terms())
