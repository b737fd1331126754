"""Notices: that something happened which a person wants to know of, told with the rights of the moment of telling.

A notice holds no words. Its kind names a teller, which looks up what it is
about as the person may see it now; what they may not see any more is not told,
on a page or in a mail. Whatever floor brings a kind registers its teller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from knowledge.durable import Work, WorkQuerySet

if TYPE_CHECKING:
    from knowledge.access import Viewer


KEPT = timedelta(days=180)
"""How long a notice is kept, seen or not: what it was about stays where it is."""
DIGESTS_KEPT = timedelta(days=30)
AT_ONCE, BATCHES = 1000, 50
"""Rows that one statement forgets, and how many of those one run: the next goes on."""
LOOKED_AT = 50
"""Notices that are looked through at a time for those that may still be told."""


class Notice(models.Model):
    """That something of a ``kind`` happened to a ``subject`` (its public id), once each until it was seen."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=32)
    subject = models.UUIDField()
    at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["person", "-at"]),
            models.Index(fields=["at"], name="notice_by_time"),
            models.Index(fields=["person"], name="notice_to_mail", condition=models.Q(mailed_at=None, seen_at=None)),
        ]
        constraints = [models.UniqueConstraint(fields=["person", "kind", "subject"], name="one_notice_of_a_thing")]


class Digest(Work):
    """One mail to one person about one day: work to do until it is sent. Mail servers may be away for hours."""

    LEASE = timedelta(minutes=2)
    MAX_ATTEMPTS = 9
    BACKOFF = timedelta(minutes=5)

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digests")
    day = models.DateField(db_index=True)

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "day"], name="one_digest_a_day")]


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """A notice in words, for one viewer: plain text, where it leads, and the name of an icon.

    ``mail`` is what a mail says instead: what is its reader's alone is in no mailbox, on no locked
    screen, and in no error report: its `repr` says no word.
    """

    text: str
    url: str
    icon: str = "answer"
    mail: str = ""


Teller = Callable[["Viewer", Collection[UUID]], Mapping[UUID, Said]]
"""What to say of each subject that the viewer may still see; the others are left out."""

_tellers: dict[str, Teller] = {}


def teller(kind: str) -> Callable[[Teller], Teller]:
    """Register how notices of this kind are told."""

    def register(tell: Teller) -> Teller:
        if _tellers.setdefault(kind, tell) is not tell:
            raise ValueError(f"Two tell of {kind!r}: {_tellers[kind].__module__} and {tell.__module__}.")
        return tell

    return register


def tell(people: Iterable[int], kind: str, subject: UUID) -> None:
    """Leave a notice for each of these people (ids); one that was seen before comes back as new."""
    for person in dict.fromkeys(people):
        fresh: dict[str, Any] = {"at": timezone.now(), "seen_at": None, "mailed_at": None}
        Notice.objects.update_or_create(person_id=person, kind=kind, subject=subject, defaults=fresh)


# What one person is told -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class News:
    """A notice in words: ``said`` is for its person, with the rights that they have now."""

    notice: Notice
    said: Said


def in_words(notices: Iterable[Notice], viewer: Viewer) -> list[News]:
    """These notices as ``viewer`` may be told them, in their order; what may not be seen any more is left out.

    Each kind among them asks once, however many there are of it.
    """
    notices = list(notices)
    subjects: dict[str, list[UUID]] = {}
    for notice in notices:
        subjects.setdefault(notice.kind, []).append(notice.subject)
    said = {kind: _tellers[kind](viewer, those) for kind, those in subjects.items() if kind in _tellers}
    told = ((notice, said.get(notice.kind, {}).get(notice.subject)) for notice in notices)
    return [News(notice, words) for notice, words in told if words]


def mine(viewer: Viewer) -> models.QuerySet[Notice]:
    """The viewer's own, newest first."""
    mine: models.QuerySet[Notice] = Notice.objects.filter(person_id=viewer.person_id or 0)
    return mine


def news(viewer: Viewer, count: int = 5, *, without: Collection[str] = ()) -> list[News]:
    """What the viewer has not seen yet, newest first; ``without``: kinds that the page shows in another way."""
    fresh = mine(viewer).filter(seen_at=None).exclude(kind__in=list(without))
    return newest(fresh, viewer, count)


def newest(rows: models.QuerySet[Notice], viewer: Viewer, count: int) -> list[News]:
    """The first ``count`` of these that may be told, however many stand before them that may not be any more."""
    told: list[News] = []
    looked = 0
    while len(told) < count:
        some = list(rows[looked : looked + LOOKED_AT])
        told += in_words(some, viewer)
        looked += LOOKED_AT
        if len(some) < LOOKED_AT:
            break
    return told[:count]


def see(*, viewer: Viewer, subjects: Collection[UUID] | None = None, until: datetime | None = None) -> int:
    """The viewer has seen what is said of these subjects, or all that was said ``until`` then; how many were new."""
    fresh = mine(viewer).filter(seen_at=None)
    if subjects is not None:
        fresh = fresh.filter(subject__in=list(subjects))
    if until is not None:
        fresh = fresh.filter(at__lte=until)
    new = list(fresh.values_list("pk", flat=True))  # asked first: most pages have nothing to write
    return Notice.objects.filter(pk__in=new).update(seen_at=timezone.now()) if new else 0


# What is old -----------------------------------------------------------------------------------------------------


def forget(now: datetime | None = None) -> int:
    """Delete notices and digests that have had their time, the oldest first; how many."""
    now, gone = now or timezone.now(), 0
    old: tuple[Any, ...] = (
        Notice.objects.filter(at__lt=now - KEPT).order_by("at"),
        Digest.objects.filter(day__lt=(now - DIGESTS_KEPT).date()).order_by("day"),
    )
    for rows in old:
        for _ in range(BATCHES):
            some = list(rows.values_list("pk", flat=True)[:AT_ONCE])
            gone += rows.model._default_manager.filter(pk__in=some).delete()[0]
            if len(some) < AT_ONCE:
                break
    return gone
