"""Mentoring: who offers it, who wishes for it, and who is brought together."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from knowledge.access import Viewer


class Offer(models.Model):
    """That a person would be a mentor in a topic, for so many at one time."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="offers")
    key = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=80)
    places = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(8)])
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_offer_in_a_topic")]


class Wish(models.Model):
    """That a person would like a mentor in a topic: seen by nobody but themselves until somebody is found."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="wishes")
    key = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=80)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_wish_in_a_topic")]


class MentorshipQuerySet(models.QuerySet["Mentorship"]):
    """Mentorships by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, as mentor or as mentee."""
        if viewer.person_id is None:
            return self.none()
        return self.filter(Q(mentor=viewer.person_id) | Q(mentee=viewer.person_id))


class Mentorship(models.Model):
    """Two people and a topic: proposed, begun once both said yes, ended by either without a reason."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    mentor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentees")
    mentee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentors")
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    proposed_at = models.DateTimeField(default=timezone.now)
    mentor_yes_at = models.DateTimeField(null=True)
    mentee_yes_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    meets_at = models.DateTimeField(null=True)
    minutes = models.PositiveSmallIntegerField(default=60)
    sequence = models.PositiveIntegerField(default=0, help_text="How often the invitation was changed (RFC 5545).")
    mentor_said = models.CharField(max_length=400, blank=True)
    mentee_said = models.CharField(max_length=400, blank=True)

    objects: ClassVar[Any] = MentorshipQuerySet.as_manager()

    class Meta:
        ordering = ["-proposed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["mentor", "mentee", "key"], condition=Q(ended_at=None), name="one_mentorship_at_a_time"
            )
        ]
