"""Lessons and experiments as rows, and who may read them. No field names a culprit, and none is asked for."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from immersive.work.routes import NAMES
from knowledge.models import AudienceToken

if TYPE_CHECKING:
    from knowledge.access import Viewer


class Reach(models.TextChoices):
    """How far its author lets it go."""

    DRAFT = "draft", "Draft"
    ME = "me", "Only me"
    TEAM = "team", "My team"
    COMPANY = "company", "Everyone here"


SHARED = (Reach.TEAM, Reach.COMPANY)
"""As far as others read it."""


class ToldQuerySet(models.QuerySet[Any]):
    """Lessons or experiments by who looks."""

    def told(self) -> Self:
        """Those that more than their author may read: published, neither taken back nor taken away."""
        return self.filter(reach__in=SHARED, withdrawn_at=None, hidden_at=None).exclude(audience=None)

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, and those told to an audience that the viewer belongs to; whatever their role."""
        theirs = Q(author_id=viewer.person_id) if viewer.person_id else Q(pk__in=[])
        told = self.model._default_manager.get_queryset().told().filter(audience__rows__token__in=viewer.tokens)
        return self.filter(theirs | Q(pk__in=told.values("pk")))

    def taken_away(self, viewer: Viewer) -> Self:
        """What moderators took away among what the viewer could read before; none of their own."""
        hidden = self.filter(reach__in=SHARED, withdrawn_at=None, hidden_at__isnull=False)
        theirs = hidden.filter(audience__in=AudienceToken.objects.filter(token__in=viewer.tokens).values("audience"))
        return theirs.exclude(author_id=viewer.person_id or 0)


class Told(models.Model):
    """What somebody writes down and may let others read: draft, me, team, company, as its author chooses."""

    WORDS: ClassVar[tuple[str, ...]]
    """Its texts: in what others read, nobody is named; and a moderator's decision was about these."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reach = models.CharField(max_length=8, choices=Reach.choices, default=Reach.DRAFT)
    team = models.ForeignKey("experts.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    audience = models.ForeignKey("knowledge.Audience", null=True, on_delete=models.PROTECT, related_name="+")
    anonymous = models.BooleanField(default=False)
    """Whether readers are not told who wrote it."""
    topics = models.ManyToManyField("knowledge.Topic", blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    """When a moderator took it away."""
    moderated_why = models.CharField(max_length=300, blank=True)
    """Why it was taken away, or given back."""

    objects: ClassVar[Any] = ToldQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-created_at", "-pk"]

    def get_absolute_url(self) -> str:
        raise NotImplementedError

    @property
    def shared(self) -> bool:
        """Whether its author lets others read it; a moderator may have taken it away nevertheless."""
        return self.reach in SHARED


class Lesson(Told):
    """A blameless note of what did not go as expected, and what is known now."""

    WORDS = ("expected", "happened", "know_now", "changes")

    class Kind(models.TextChoices):
        """Failures differ; "don't know yet" is an answer."""

        PREVENTABLE = "preventable", "Preventable: we knew how, and it slipped"
        COMPLEX = "complex", "Complex: several things met"
        INTELLIGENT = "intelligent", "Intelligent: a try at something new"
        UNKNOWN = "unknown", "Don’t know yet"

    task = models.ForeignKey("work.Task", null=True, blank=True, on_delete=models.SET_NULL, related_name="lessons")
    expected = models.TextField(max_length=2000)
    happened = models.TextField(max_length=2000)
    know_now = models.TextField(max_length=2000, blank=True)
    changes = models.TextField(max_length=2000, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.UNKNOWN)
    resources = models.ManyToManyField("knowledge.Resource", blank=True, related_name="+")
    route = models.CharField(blank=True, max_length=16, choices=tuple(NAMES.items()))
    review = models.BooleanField(default=False)
    """Whether a group wrote it together, in a review."""

    class Meta(Told.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"lesson {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("lessons:lesson", args=[self.public_id])


class Experiment(Told):
    """Something tried on purpose: a hypothesis, what would count, by when, and what came of it."""

    WORDS = ("hypothesis", "counts", "found")

    class Result(models.TextChoices):
        """One that failed is a result."""

        HELD = "held", "It held"
        FAILED = "failed", "It did not hold"
        UNCLEAR = "unclear", "It cannot be told"

    hypothesis = models.TextField(max_length=500)
    counts = models.TextField(max_length=500)
    """What would count, for it or against."""
    by = models.DateField()
    result = models.CharField(blank=True, max_length=8, choices=Result.choices)
    found = models.TextField(blank=True, max_length=1000)
    finished_at = models.DateTimeField(null=True)

    class Meta(Told.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"experiment {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("lessons:experiment", args=[self.public_id])
