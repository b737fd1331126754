"""What the database knows of vectors: the work of making them, and they themselves, by what they were made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from knowledge.durable import Work, WorkQuerySet


class Vector(models.Model):
    """One passage's vector by one model: equal passages, of whatever document, have one.

    ``hash`` is of the text (`cutting.Passage`); ``data`` is a 32-bit scale and 8-bit numbers.
    """

    model = models.CharField(max_length=32)
    hash = models.CharField(max_length=32)
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "hash"], name="one_vector_per_passage")]


class Embedding(Work):
    """That one resource is to be embedded, or was: ``text`` is the fingerprint of what was, ``model`` says by which."""

    LEASE = timedelta(minutes=5)
    BACKOFF = timedelta(seconds=30)

    resource = models.OneToOneField("knowledge.Resource", on_delete=models.CASCADE, related_name="embedding")
    text = models.CharField(max_length=64, blank=True)
    model = models.CharField(max_length=32, blank=True)
    opened = models.PositiveIntegerField(default=0, help_text="How often it was opened: what is read most comes first.")
    vectors = models.ManyToManyField(Vector, related_name="of")

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-opened", "id"], name="embedding_due", condition=Q(done_at=None))]


class VectorStamp(models.Model):
    """How many documents stand in which folder of vectors: a restored backup of either shows here.

    ``next_rows`` is what there will be when the batch that is being written is
    complete; ``looked`` stands for what the index held when work was last looked for.
    """

    folder = models.CharField(max_length=64, primary_key=True)
    rows = models.BigIntegerField(default=0)
    next_rows = models.BigIntegerField(default=0)
    looked = models.CharField(max_length=64, blank=True)
