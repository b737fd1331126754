"""Proposals of a team: who would cover which topic, and who of them has agreed to be named."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from knowledge.models import Audience, may_read

if TYPE_CHECKING:
    from knowledge.access import Viewer


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Proposals by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, those they are asked to be part of, and those that were shared with them."""
        if viewer.person_id is None:
            return self.none()
        asked = Place.objects.filter(proposal=OuterRef("pk"), person=viewer.person_id).exclude(asked_at=None)
        shared = Q(may_read(viewer, "audience"), audience__isnull=False)
        return self.filter(Q(owner=viewer.person_id) | Exists(asked) | shared)


class Proposal(models.Model):
    """Topics that a job needs, and people who would cover them. ``needs``: ``[{"key", "name", "must"}]``."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="proposals")
    text = models.CharField(max_length=300)
    needs = models.JSONField(default=list)
    hours = models.PositiveSmallIntegerField(default=0, help_text="Hours a week that are asked of each.")
    audience = models.ForeignKey(Audience, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("experts:proposal", args=[self.public_id])


class Place(models.Model):
    """One person in one proposal: named to others once they agreed. How they declined is nobody's to see."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="places")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="places")
    topics = models.JSONField(default=list)
    asked_at = models.DateTimeField(null=True)
    agreed_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "person"], name="one_place_of_a_person")]
