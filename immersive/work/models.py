"""A knowledge worker's tasks: what was at hand, what they said before, how it went. Their owner's alone.

Every model here is read through ``visible_to(viewer)``, which gives a person
their own rows and nobody else any, whatever the role. None is registered with
the admin, and none says its words in ``str()``, so that no log, error page or
delete confirmation repeats them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from knowledge.durable import Work, WorkQuerySet

if TYPE_CHECKING:
    from knowledge.access import Viewer

CONFIDENCE = ((10, "would not know where to start"), (30, "could follow someone"), (50, "a coin toss"),
              (70, "expect it to go well"), (90, "would bet on it"))  # fmt: skip

ASSESSED, OUTCOME = "assessed", "outcome"
EVENTS = ((ASSESSED, "Before the start"), (OUTCOME, "How it went"))


class AssessmentLocked(Exception):
    """What was said before acting stays as it was said."""


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
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["owner", "-created_at"])]

    def __str__(self) -> str:
        return f"task {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("work:task", args=[self.public_id])

    @property
    def assessed(self) -> bool:
        """Whether its owner has said how sure they are."""
        return hasattr(self, "assessment")

    @property
    def finished(self) -> bool:
        """Whether its owner has said how it went."""
        return hasattr(self, "outcome")


class OfTaskQuerySet(models.QuerySet[Any]):
    """Rows about a task, by who looks: the task's owner."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those about the viewer's own tasks."""
        return self.filter(task__owner_id=viewer.person_id) if viewer.person_id else self.none()


class AssessmentQuerySet(OfTaskQuerySet):
    """Assessments can be made and read; they go with their task and are never changed."""

    def update(self, **values: Any) -> NoReturn:
        raise AssessmentLocked

    def delete(self) -> NoReturn:
        raise AssessmentLocked

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        if args or options.get("update_conflicts"):
            raise AssessmentLocked
        return super().bulk_create(objs, **options)


class Assessment(models.Model):
    """How sure the owner was, said before acting and locked once given (percent: 10, 30, 50, 70 or 90).

    The lock is the one-to-one constraint (there is no second row) and the
    refusal of every path by which Django would change or remove the one that
    is there alone. It is not a database trigger: that would be one text for
    each database, and whoever can write SQL by hand could drop it as well.
    """

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="assessment")
    confidence = models.PositiveSmallIntegerField(choices=CONFIDENCE)
    given_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = AssessmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(confidence__in=[c for c, _ in CONFIDENCE]), name="five_words")
        ]

    def __str__(self) -> str:
        return "an assessment"

    def save(self, *args: Any, **options: Any) -> None:
        """Insert it; an existing one is refused, also when it is built anew with the same key."""
        if not self._state.adding:
            raise AssessmentLocked
        super().save(force_insert=True, using=options.get("using"))

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        """Refused: it goes with its task and not alone, else it could be given again."""
        raise AssessmentLocked

    @property
    def words(self) -> str:
        """What was said, as it was said."""
        return dict(CONFIDENCE)[self.confidence]


class Outcome(models.Model):
    """How the task went: worked 1, partly one half, not this time 0. Its owner may correct a slip."""

    WORKED, PARTLY, NOT_THIS_TIME = 1.0, 0.5, 0.0
    CHOICES = ((WORKED, "It worked"), (PARTLY, "Partly"), (NOT_THIS_TIME, "Not this time"))
    MOST_MINUTES = 100_000

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="outcome")
    result = models.FloatField(choices=CHOICES)
    with_help = models.BooleanField(default=False)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    surprise = models.TextField(blank=True, max_length=1000)
    logged_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = OfTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(result__in=[0.0, 0.5, 1.0]), name="three_results"),
        ]

    def __str__(self) -> str:
        return "an outcome"


class LogWork(Work):
    """That an event of a task waits to be written to its owner's learning log (see `durable`).

    The lease is longer than the job's hard time limit, so that a worker that
    is alive never meets another one at the same row.
    """

    LEASE = timedelta(seconds=30)

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=16, choices=EVENTS)

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "event"], name="one_log_per_event")]

    def __str__(self) -> str:
        return f"log work {self.pk}"


class LearningEntry(models.Model):
    """One line of a person's own learning log: the topics they worked on, when. No assessment, no outcome."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="log_entries")
    event = models.CharField(max_length=16, choices=EVENTS)
    topics = models.ManyToManyField("knowledge.Topic", blank=True, related_name="+")
    at = models.DateTimeField()

    objects: ClassVar[Any] = OfTaskQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["task", "event"], name="one_entry_per_event")]

    def __str__(self) -> str:
        return "a learning log entry"
