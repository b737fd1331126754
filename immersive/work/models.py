"""A knowledge worker's tasks: what was at hand, what they said before, the routes they saw and took, how it went.

They are their owner's alone, but for what an owner shares (`Share`): never what they said of themselves.

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
from django.utils.crypto import salted_hmac

from immersive.work.routes import NAMES, Difficulty
from knowledge.durable import Work, WorkQuerySet

if TYPE_CHECKING:
    from knowledge.access import Viewer

CONFIDENCE = ((10, "would not know where to start"), (30, "could follow someone"), (50, "a coin toss"),
              (70, "expect it to go well"), (90, "would bet on it"))  # fmt: skip

ASSESSED, OUTCOME = "assessed", "outcome"
EVENTS = ((ASSESSED, "Before the start"), (OUTCOME, "How it went"))

DIFFICULTIES = ((Difficulty.EASY, "Easier than most"), (Difficulty.USUAL, "As usual"),
                (Difficulty.HARD, "Harder than most"))  # fmt: skip
ROUTES = tuple(NAMES.items())
LEANS = ((0, "Deliver"), (1, "Rather deliver"), (2, "Both"), (3, "Rather learn"), (4, "Learn"))
KNOWN = (("know", "Know"), ("partly", "Partly"), ("not_yet", "Not yet"))


class AssessmentLocked(Exception):
    """What was said before acting stays as it was said."""


def token_of(row: models.Model) -> str:
    """By what pages name a row that has no public id: its number would tell how many of them others make."""
    return salted_hmac(f"immersive.work.{row._meta.label}", str(row.pk), algorithm="sha256").hexdigest()[:24]


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
    context = models.TextField(blank=True, max_length=2000)
    """What was selected on the page that it began on."""
    page_url = models.CharField(blank=True, max_length=2000)
    """Where that page is, if it is no resource of this portal."""
    topics = models.ManyToManyField("knowledge.Topic", blank=True, related_name="+")
    due = models.DateField(null=True, blank=True)
    difficulty = models.CharField(blank=True, max_length=8, choices=DIFFICULTIES)
    """As its owner says; empty where like tasks tell it."""
    lean = models.PositiveSmallIntegerField(default=2, choices=LEANS)
    """What matters more this time: 0 to deliver, 4 to learn."""
    created_at = models.DateTimeField(default=timezone.now)
    ask_on = models.DateField(null=True, blank=True, db_index=True)
    """The day from which its owner is asked how it went; nothing where they want no asking."""

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

    def named(self, token: str) -> Any:
        """The one of these few rows that a page names so, if it is among them."""
        return next((row for row in self if row.token == token), None)


class StepQuerySet(OfTaskQuerySet):
    """Steps of plans."""

    def before(self, at: Any) -> Self:
        """Those that an outcome logged at this moment speaks of: what was chosen later counts once it is done."""
        return self.filter(models.Q(chosen_at__lte=at) | models.Q(done_at__isnull=False))


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
    known = models.JSONField(default=dict, blank=True)
    """Of topics of the task, by name, what the owner knows: one of `KNOWN`; what was left open is not there."""
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

    @property
    def told(self) -> list[tuple[str, str]]:
        """What was said of each topic: its name and the word."""
        return [(name, dict(KNOWN)[word]) for name, word in self.known.items()]


class Outcome(models.Model):
    """How the task went: worked 1, partly one half, not this time 0. Its owner may correct a slip."""

    WORKED, PARTLY, NOT_THIS_TIME = 1.0, 0.5, 0.0
    CHOICES = ((WORKED, "It worked"), (PARTLY, "Partly"), (NOT_THIS_TIME, "Not this time"))
    MOST_MINUTES = 100_000

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="outcome")
    result = models.FloatField(choices=CHOICES)
    route = models.CharField(blank=True, max_length=16, choices=ROUTES)
    """The way that it went, as its owner says; empty where they do not."""
    with_help = models.BooleanField(default=False)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    surprise = models.TextField(blank=True, max_length=1000)
    logged_at = models.DateTimeField(default=timezone.now)
    counted = models.BooleanField(default=False, editable=False)
    """Whether it has become part of a `Record`, which says nothing of whose it was."""

    objects: ClassVar[Any] = OfTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(result__in=[0.0, 0.5, 1.0]), name="three_results"),
        ]

    def __str__(self) -> str:
        return "an outcome"


class Advice(models.Model):
    """The six routes as they were weighed for a task, with all that they rested on, so that they can be weighed again.

    ``rests_on`` holds what was gathered, said and known of like tasks (see `advice`). It names resources and
    people by their keys: it stands only as long as its owner may read every one of them.
    """

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="advices")
    made_at = models.DateTimeField(default=timezone.now)
    seed = models.BigIntegerField()
    rests_on = models.JSONField()

    objects: ClassVar[Any] = OfTaskQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return "an advice"


class Step(models.Model):
    """One route that the owner chose: routes combine into a plan, in the order of ``place``.

    ``rank`` (from 1), ``lean`` and ``chance`` say where it stood on the card when it was chosen.
    """

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="steps")
    place = models.PositiveSmallIntegerField()
    route = models.CharField(max_length=16, choices=ROUTES)
    resource = models.ForeignKey("knowledge.Resource", null=True, on_delete=models.SET_NULL, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    chosen_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    helped_at = models.DateTimeField(null=True, editable=False)
    """The moment of its owner's verdict on the resource, where that came of the outcome (see `outcomes`)."""
    asked = models.UUIDField(null=True, editable=False)
    """The question (its public id) that its owner asked for it with their name. Nothing leads back from there."""
    advice = models.ForeignKey(Advice, null=True, on_delete=models.SET_NULL, related_name="+")
    rank = models.PositiveSmallIntegerField(null=True)
    lean = models.PositiveSmallIntegerField(null=True)
    chance = models.FloatField(null=True)

    objects: ClassVar[Any] = StepQuerySet.as_manager()

    class Meta:
        ordering = ["place", "pk"]

    def __str__(self) -> str:
        return "a step of a plan"

    @property
    def token(self) -> str:
        """By what pages name it."""
        return token_of(self)


class Share(models.Model):
    """Whom the owner lets see a task: a person or a team. Never what they said of themselves, nor how it went."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="shares")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey("experts.Team", null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = OfTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "person"], name="shared_with_a_person_once"),
            models.UniqueConstraint(fields=["task", "team"], name="shared_with_a_team_once"),
            models.CheckConstraint(
                condition=models.Q(person=None) ^ models.Q(team=None), name="shared_with_a_person_or_a_team"
            ),
        ]

    def __str__(self) -> str:
        return "a share"

    @property
    def token(self) -> str:
        """By what pages name it."""
        return token_of(self)


class Record(models.Model):
    """Outcomes of like tasks, one each of as many people as `records.PEOPLE`: whose they were is not kept.

    ``resource``: where it is about one tool, page or course; else about a route among tasks as hard and as sure.
    ``hours``: the geometric mean of working hours, where all of them said it.
    """

    route = models.CharField(max_length=16, choices=ROUTES)
    difficulty = models.CharField(blank=True, max_length=8)
    band = models.CharField(blank=True, max_length=8)
    resource = models.ForeignKey(
        "knowledge.Resource", null=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    outcomes = models.PositiveSmallIntegerField()
    worked = models.FloatField()
    hours = models.FloatField(null=True)

    objects: ClassVar[Any] = models.Manager()

    def __str__(self) -> str:
        return f"record {self.pk}"


class Reminders(models.Model):
    """What a person wants to be asked: how their tasks went, and now and then what they learnt."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    outcomes = models.BooleanField(default=True)
    recall = models.BooleanField(default=True)

    objects: ClassVar[Any] = models.Manager()

    def __str__(self) -> str:
        return "reminders"


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


class RecallQuerySet(models.QuerySet["Recall"]):
    """Questions by who looks: their owner, nobody else, whatever the role."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own."""
        return self.filter(owner_id=viewer.person_id) if viewer.person_id else self.none()


class Recall(models.Model):
    """One question and its answer, in its owner's words; ``card`` is where it stands in FSRS."""

    LONGEST_QUESTION, LONGEST_ANSWER = 300, 1000

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


# Rows of this package that stand in a file of their own.
from immersive.work.lessons.rows import Experiment, Lesson  # noqa: E402, F401
