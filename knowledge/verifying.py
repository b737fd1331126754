"""What suspends a verification: a lesson that concerns the resource, until whoever vouches for it has looked.

A suspended verification counts for nothing, anywhere, from the same
transaction on. Who may not read the lesson sees a resource that is not
verified now, and nothing of why. That it was lifted, by whom and with what
note, is kept for those who may lift.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

if TYPE_CHECKING:
    from knowledge.models import Resource

LIFT = "knowledge.change_verification"
"""The permission of curators to lift what they do not vouch for themselves."""
MOST_NOTE, LEAST_NOTE = 300, 10


class Suspension(models.Model):
    """That a lesson suspends the verification of a resource, from ``at`` until ``lifted_at``; once for each two.

    ``lesson``: its key in the source of lessons, which it has before it is read from there. ``lifted_by`` is empty
    where the lesson itself was taken back.
    """

    resource = models.ForeignKey("knowledge.Resource", on_delete=models.CASCADE, related_name="suspensions")
    lesson = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=MOST_NOTE, blank=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["resource", "lesson"], name="suspended_by_a_lesson_once")]

    def __str__(self) -> str:
        return f"suspension {self.pk}"


def suspend(*, lesson: str, resources: Collection[int]) -> list[Resource]:
    """Let this lesson suspend what is verified among these resources, and nothing else; those that are now, by it.

    What somebody lifted stays lifted: they have looked at this lesson.
    """
    from knowledge.models import Resource

    now, newly = timezone.now(), []
    with transaction.atomic():
        mine = Suspension.objects.filter(lesson=lesson)
        _lift(mine.filter(lifted_at=None).exclude(resource__in=resources))
        for row in Resource.objects.alive().filter(pk__in=resources, verification__isnull=False):
            again = mine.filter(resource=row, lifted_at__isnull=False, note="").update(at=now, lifted_at=None)
            if again or Suspension.objects.get_or_create(lesson=lesson, resource=row)[1]:
                newly.append(row)
        _follow([row.pk for row in newly])
    return newly


def release(*, lesson: str) -> None:
    """The lesson suspends nothing any more: it was taken back, or taken away."""
    with transaction.atomic():
        _lift(Suspension.objects.filter(lesson=lesson, lifted_at=None))


def may_lift(resource: Resource, person: Any) -> bool:
    """Whether this person vouches for the resource, or looks after all verifications."""
    verification = getattr(resource, "verification", None)
    return bool(verification and (verification.owner_id == person.pk or person.has_perm(LIFT)))


def lift(*, resource: Resource, person: Any, note: str) -> None:
    """Let the verification of a resource that this person may read count again; the note says what they saw to.

    Raises `PermissionDenied` and `ValidationError`.
    """
    from knowledge.ingest import storable

    if not may_lift(resource, person):
        raise PermissionDenied
    said = " ".join(storable(note).split())
    if not LEAST_NOTE <= len(said) <= MOST_NOTE:
        raise ValidationError(
            {"note": f"Say in {LEAST_NOTE} to {MOST_NOTE} characters what you looked at, or changed."}
        )
    with transaction.atomic():
        _lift(Suspension.objects.filter(resource=resource, lifted_at=None), lifted_by=person, note=said)


def lifted(resource: Resource, count: int = 5) -> Sequence[Suspension]:
    """What somebody lifted before, the latest first: for those who may lift."""
    from knowledge.models import findable

    rows = Suspension.objects.filter(resource=resource).exclude(note="").order_by("-lifted_at", "-pk")
    return list(rows.prefetch_related(models.Prefetch("lifted_by", findable()))[:count])


def _lift(suspensions: Any, **said: Any) -> None:
    of = list(suspensions.values_list("resource", flat=True))
    Suspension.objects.filter(pk__in=list(suspensions.values_list("pk", flat=True))).update(
        lifted_at=timezone.now(), **said
    )
    _follow(of)


def _follow(resources: Collection[int]) -> None:
    """Say of these verifications whether anything suspends them, and have their standing counted after the commit."""
    from knowledge.edition import Standing
    from knowledge.models import Verification
    from knowledge.standing import weigh

    if not resources:
        return
    open_ = Exists(Suspension.objects.filter(resource=OuterRef("resource"), lifted_at=None))
    rows = Verification.objects.filter(resource__in=resources)
    rows.filter(open_, suspended_at=None).update(suspended_at=timezone.now())
    rows.filter(~open_).update(suspended_at=None)
    for pk in resources:
        Standing.objects.doubt(pk)
    transaction.on_commit(lambda: weigh(resources=sorted(resources)), robust=True)
