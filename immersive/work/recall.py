"""Retrieval practice: a question of one's own about what one learnt, asked again as it is about to be forgotten.

Its owner's alone, like all of their tasks.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from knowledge.access import Viewer


class RecallQuerySet(models.QuerySet["Recall"]):
    """Questions by who looks: their owner, nobody else, whatever the role."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own."""
        return self.filter(owner_id=viewer.person_id) if viewer.person_id else self.none()


class Recall(models.Model):
    """One question and its answer, in its owner's words; ``card`` is where it stands in FSRS."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    task = models.ForeignKey("work.Task", null=True, on_delete=models.CASCADE, related_name="recalls")
    question = models.CharField(max_length=300)
    answer = models.TextField(max_length=1000)
    card = models.JSONField()
    due_at = models.DateTimeField(db_index=True)
    asked_at = models.DateTimeField(null=True)
    """When it was answered last."""
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = RecallQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "pk"]

    def __str__(self) -> str:
        return "a question of one's own"
