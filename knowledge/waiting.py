"""Searches that wait for something to be found: a person leaves one, and is told on their page when it finds.

Looking is work that stands in the database (`due`), done by a job with the
rights that the person has at that moment. What it found is not kept: whoever
tells it looks again, so that a right withdrawn meanwhile is silent. Kept is
when it was told, and that is all that an export can say.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

if TYPE_CHECKING:
    from knowledge.access import Ground, Viewer

logger = logging.getLogger(__name__)

LONGEST = 300
MOST = 50
"""Searches of one person that wait."""
EVERY = timedelta(minutes=10)
TOLD_AT_ONCE = 3
"""Searches that the home page looks at again before it speaks."""


class WaitingQuerySet(models.QuerySet["WaitingSearch"]):
    """Waiting searches by whose they are."""

    def visible_to(self, viewer: Viewer) -> WaitingQuerySet:
        """The viewer's own alone."""
        return self.none() if viewer.person_id is None else self.filter(person_id=viewer.person_id)


class WaitingSearch(models.Model):
    """One search of one person that found nothing: theirs alone, in no admin, log or job argument.

    ``found_at``: when a look found something; ``told_at``: when they were told.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="waiting_searches")
    text = models.CharField(max_length=LONGEST)
    created_at = models.DateTimeField(default=timezone.now)
    looked_at = models.DateTimeField(default=timezone.now)
    found_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = WaitingQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["looked_at"], name="waiting_due", condition=models.Q(found_at=None))]
        constraints = [models.UniqueConstraint(fields=["person", "text"], name="one_waiting_search_per_text")]


@dataclass(frozen=True, slots=True)
class Told:
    """A search that has found something: how many results there are for its owner now."""

    public_id: uuid.UUID
    text: str
    total: int


@sensitive_variables()
def wait_for(*, text: str, viewer: Viewer) -> WaitingSearch:
    """Keep a search until it finds something. Raises `ValidationError`, with the cure, when too many wait."""
    from knowledge.index.language import parse, tidied

    text = tidied(text)
    if viewer.person_id is None or not parse(text):
        raise ValidationError("There is nothing in this search to wait for: write a word.")
    if len(text) > LONGEST:
        raise ValidationError("This is too long to wait for: use fewer words.")
    mine = WaitingSearch.objects.visible_to(viewer)
    if mine.count() >= MOST and not mine.filter(text=text).exists():
        raise ValidationError(f"{MOST} of your searches wait already: take one away first.")
    row: WaitingSearch = WaitingSearch.objects.get_or_create(person_id=viewer.person_id, text=text)[0]
    return row


@sensitive_variables()
def is_waiting(text: str, viewer: Viewer) -> bool:
    """Whether this search of the viewer's own waits already."""
    from knowledge.index.language import tidied

    return bool(WaitingSearch.objects.visible_to(viewer).filter(text=tidied(text)).exists())


def forget(*, public_id: uuid.UUID, viewer: Viewer) -> bool:
    """Take a search of the viewer's own away; whether there was one."""
    return bool(WaitingSearch.objects.visible_to(viewer).filter(public_id=public_id).delete()[0])


def mine(viewer: Viewer) -> Sequence[WaitingSearch]:
    """The viewer's own, newest first."""
    return list(WaitingSearch.objects.visible_to(viewer)[:MOST])


@sensitive_variables()
def tell(viewer: Viewer) -> list[Told]:
    """What to say on the viewer's page: searches that found something, each looked for again with the rights of now."""
    from knowledge.access import Ground

    told: list[Told] = []
    now, ground = timezone.now(), Ground(viewer)
    for row in (
        WaitingSearch.objects.visible_to(viewer).exclude(found_at=None).order_by("found_at", "pk")[:TOLD_AT_ONCE]
    ):
        if total := _total(row.text, viewer, ground):
            told.append(Told(row.public_id, row.text, total))
            if row.told_at is None:
                WaitingSearch.objects.filter(pk=row.pk).update(told_at=now)
        else:  # it went, or the right to it did: wait on, and say nothing
            WaitingSearch.objects.filter(pk=row.pk).update(found_at=None)
    return told


@sensitive_variables()
def look(*, seconds: float = 60) -> int:
    """Look for what is due, each with its owner's rights of this moment, the longest unlooked first; how many found."""
    from knowledge.access import Viewer

    until, found = time.monotonic() + seconds, 0
    due = WaitingSearch.objects.filter(found_at=None, looked_at__lte=timezone.now() - EVERY, person__is_active=True)
    for row in due.select_related("person").order_by("looked_at", "pk").iterator(chunk_size=100):
        if time.monotonic() > until:
            break
        total = _total(row.text, Viewer.of(row.person))
        now = timezone.now()
        found_at = now if total else None
        WaitingSearch.objects.filter(pk=row.pk).update(looked_at=now, found_at=found_at)
        found += bool(total)
    return found


def _total(text: str, viewer: Viewer, ground: Ground | None = None) -> int:
    """How many results hold what was asked for, now and for this viewer; what is only near in meaning was there."""
    from knowledge.search import search

    found = search(text, viewer, per_page=1, remember=False, as_typed=True, near=False, ground=ground)
    return found.total if found.results else 0
