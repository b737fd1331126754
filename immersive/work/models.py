"""A knowledge worker's tasks: what was at hand, what they said before, how it went. Their owner's alone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from knowledge.durable import Work, WorkQuerySet

if TYPE_CHECKING:
    from knowledge.access import Viewer

CONFIDENCE = ((10, "would not know where to start"), (30, "could follow someone"), (50, "a coin toss"),
              (70, "expect it to go well"), (90, "would bet on it"))  # fmt: skip


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks by who looks: their owner, nobody else, whatever the role."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own tasks."""
        return self.filter(owner_id=viewer.person_id) if viewer.person_id else self.none()


class Task(models.Model):
    """A piece of work, in one sentence of its owner's."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tasks")
    statement = models.CharField(max_length=300)
    started_from = models.ForeignKey(
        "knowledge.Resource", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    topics = models.ManyToManyField("knowledge.Topic", blank=True, related_name="+")
    due = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["owner", "-created_at"])]

    def __str__(self) -> str:
        return f"task {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("work:task", args=[self.public_id])


class Assessment(models.Model):
    """How sure the owner was, said before acting and locked once given (percent: 10, 30, 50, 70 or 90)."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="assessment")
    confidence = models.PositiveSmallIntegerField(choices=CONFIDENCE)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(confidence__in=[c for c, _ in CONFIDENCE]), name="five_words")
        ]


class Outcome(models.Model):
    """How the task went: worked 1, partly one half, not this time 0."""

    WORKED, PARTLY, NOT_THIS_TIME = 1.0, 0.5, 0.0
    CHOICES = ((WORKED, "It worked"), (PARTLY, "Partly"), (NOT_THIS_TIME, "Not this time"))

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="outcome")
    result = models.FloatField(choices=CHOICES)
    with_help = models.BooleanField(default=False)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    surprise = models.TextField(blank=True, max_length=1000)
    logged_at = models.DateTimeField(default=timezone.now)


class LogWork(Work):
    """That an event of a task waits to be written to its owner's learning log (see `durable`)."""

    LEASE = timedelta(seconds=30)

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=16, choices=[("assessed", "assessed"), ("outcome", "outcome")])

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "event"], name="one_log_per_event")]


class LearningEntry(models.Model):
    """One line of a person's own learning log: a topic they worked on, when. No assessment, no outcome."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="learning_log")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="log_entries")
    event = models.CharField(max_length=16)
    topic = models.ForeignKey("knowledge.Topic", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["task", "event", "topic"], name="one_entry_per_event", nulls_distinct=False)
        ]
