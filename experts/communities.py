"""Communities of practice: who follows a topic."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Follow(models.Model):
    """That a person follows a topic; ``shown``: others may see that they do."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows")
    key = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=80)
    shown = models.BooleanField(default=True)
    at = models.DateTimeField(default=timezone.now)
    visited_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="follows_once")]
