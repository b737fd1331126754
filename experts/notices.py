"""Notices: that something happened which a person wants to know of, told with the rights of the moment of telling.

A notice holds no words. Its kind names a teller, which looks up what it is
about as the person may see it now; what they may not see any more is not told,
on a page or in a mail. Whatever floor brings a kind registers its teller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from knowledge.durable import Work, WorkQuerySet

if TYPE_CHECKING:
    from knowledge.access import Viewer


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
            models.Index(fields=["person"], name="notice_to_mail", condition=models.Q(mailed_at=None, seen_at=None)),
        ]
        constraints = [models.UniqueConstraint(fields=["person", "kind", "subject"], name="one_notice_of_a_thing")]


class Digest(Work):
    """One mail to one person about one day: work to do until it is sent."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digests")
    day = models.DateField()

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "day"], name="one_digest_a_day")]


@dataclass(frozen=True, slots=True)
class Said:
    """A notice in words, for one viewer: plain text and where it leads."""

    text: str
    url: str


Teller = Callable[["Viewer", Collection[UUID]], Mapping[UUID, Said]]
"""What to say of each subject that the viewer may still see; the others are left out."""

_tellers: dict[str, Teller] = {}


def teller(kind: str) -> Callable[[Teller], Teller]:
    """Register how notices of this kind are told."""

    def register(tell: Teller) -> Teller:
        _tellers[kind] = tell
        return tell

    return register


def tell(people: Iterable[int], kind: str, subject: UUID) -> None:
    """Leave a notice for each of these people (ids); one that was seen before comes back as new."""
    for person in dict.fromkeys(people):
        fresh: dict[str, Any] = {"at": timezone.now(), "seen_at": None, "mailed_at": None}
        Notice.objects.update_or_create(person_id=person, kind=kind, subject=subject, defaults=fresh)
