"""Questions to colleagues, who was asked, and what they answered: rows, and who may read them.

Who asked without a name stands nowhere (`sealed`): such an ask has a mark that
only its author's own request recognises. Turns and skips are the asked
person's own; nobody else reads them.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from knowledge.models import Audience, Resource, Topic, may_read

if TYPE_CHECKING:
    from knowledge.access import Viewer

LONGEST = 300
MOST_DETAILS = 20_000
LONGEST_ANSWER = 200_000


class AskQuerySet(models.QuerySet["Ask"]):
    """Asks by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Published and not taken away, for its audience, whoever is being asked it, and its author.

        The author of an ask without a name is in its audience like anybody else. What was handed round in a team is
        for the team: who leaves it reads no more of it, turn or not. Who was asked by name need not be in it.
        """
        if viewer.person_id is None:
            return self.none()
        # A named author reads their own until they withdraw it, and after moderators have hidden it too.
        mine = Q(author=viewer.person_id)
        return self.filter(mine | Q(hidden_at=None) & self._for(viewer), withdrawn_at=None)

    def taken_away(self, viewer: Viewer) -> Self:
        """What moderators took away and its author did not, that the viewer could read before; none of their own."""
        hidden = self.filter(self._for(viewer), withdrawn_at=None, hidden_at__isnull=False)
        return hidden.exclude(author=viewer.person_id or 0)

    def _for(self, viewer: Viewer) -> Q:
        """Published, and in the viewer's audience or theirs to answer."""
        asked = Turn.objects.filter(ask=OuterRef("pk"), person=viewer.person_id or 0, how__in=Turn.STILL_READS)
        by_name = (Q(only_asked=True) | Q(routed=False)) & Exists(asked)
        return Q(Q(may_read(viewer, "audience")) | by_name, published_at__lte=timezone.now())

    def open(self) -> Self:
        """Those that still want an answer."""
        return self.filter(closed_at=None, withdrawn_at=None, hidden_at=None)


class Ask(models.Model):
    """One question of one person. Asked without a name, it has no ``author``, but ``mark`` and ``key`` (`sealed`)."""

    class Wish(models.TextChoices):
        """What is asked for."""

        SHOW = "show", "Show me, so that I can do it next time"
        DO = "do", "Please do it this time"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="asks", editable=False
    )
    mark = models.CharField(max_length=64, blank=True, editable=False)
    key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    text = models.CharField(max_length=LONGEST)
    details = models.TextField(blank=True, max_length=MOST_DETAILS)
    wish = models.CharField(max_length=4, choices=Wish.choices, default=Wish.SHOW)
    about = models.ForeignKey(Resource, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    topics = models.ManyToManyField(Topic, related_name="asks", blank=True)
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="+")
    only_asked = models.BooleanField(default=False, help_text="For its author and whoever is asked alone.")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(default=timezone.now, db_index=True)
    routed = models.BooleanField(default=True, help_text="Handed to whoever knows; else to one person alone.")
    look_at = models.DateTimeField(null=True, default=timezone.now, db_index=True, help_text="When to ask the next.")
    closed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    moderated_why = models.CharField(max_length=300, blank=True, help_text="Why it was taken away, or given back.")

    objects: ClassVar[Any] = AskQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-pk"]
        permissions = [
            ("moderate_ask", "Can take questions and answers away, with a reason"),
            ("open_seal", "Can open the seal of a question that was asked without a name"),
        ]

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("experts:ask", args=[self.public_id])

    @property
    def sealed(self) -> bool:
        """Whether it was asked without a name."""
        return bool(self.mark)


class Turn(models.Model):
    """That a person was asked, until when it is theirs, and how it ended: theirs alone to see."""

    class How(models.TextChoices):
        """How a turn stands."""

        WAITING = "waiting", "Waiting"
        ANSWERED = "answered", "Answered"
        SKIPPED = "skipped", "Skipped"
        PASSED = "passed", "Passed on after a quiet time"
        LEFT = "left", "They left, or may not be asked any more"
        OVER = "over", "Answered by somebody else"
        WITHDRAWN = "withdrawn", "Taken back by whoever asked"

    STILL_READS: ClassVar[tuple[str, ...]] = (How.WAITING, How.ANSWERED, How.PASSED, How.OVER)
    """Who was asked and neither skipped nor left goes on reading: an answer that is late is welcome, and not lost."""
    COUNTED: ClassVar[tuple[str, ...]] = tuple(how for how in How.values if how != "withdrawn")

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="turns")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="turns")
    at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True)
    how = models.CharField(max_length=9, choices=How.choices, default=How.WAITING)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        indexes = [models.Index(fields=["person", "at"]), models.Index(fields=["how", "until"])]
        constraints = [models.UniqueConstraint(fields=["ask", "person"], name="one_turn_of_a_person_at_an_ask")]


class Joined(models.Model):
    """That an ask is another person's question too; they are told when it is answered, and named to nobody."""

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="joined")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="joined")
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ask", "person"], name="joined_once")]


class AnswerQuerySet(models.QuerySet["Answer"]):
    """Answers by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those that stand, under asks that the viewer may see."""
        return self.filter(ask__in=Ask.objects.visible_to(viewer), withdrawn_at=None, hidden_at=None)

    def told_to(self, viewer: Viewer) -> Self:
        """As `visible_to`, and the viewer's own that moderators took away."""
        stands = Q(hidden_at=None) | Q(author=viewer.person_id or 0)
        return self.filter(stands, ask__in=Ask.objects.visible_to(viewer), withdrawn_at=None)

    def taken_away(self, viewer: Viewer) -> Self:
        """What moderators took away and its author did not: under asks that stand, which are given back first."""
        asks = Ask.objects.visible_to(viewer).filter(hidden_at=None)
        hidden = self.filter(ask__in=asks, withdrawn_at=None, hidden_at__isnull=False)
        return hidden.exclude(author=viewer.person_id or 0)


class Answer(models.Model):
    """What somebody answered, in Markdown; once accepted, a resource of the source of answers too (`answers`)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="answers")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="answers", editable=False
    )
    body = models.TextField(max_length=LONGEST_ANSWER)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    moderated_why = models.CharField(max_length=300, blank=True, help_text="Why it was taken away, or given back.")

    objects: ClassVar[Any] = AnswerQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"Answer to: {self.ask}"

    def get_absolute_url(self) -> str:
        return f"{self.ask.get_absolute_url()}#answer-{self.public_id.hex}"


class Thanks(models.Model):
    """That a person was thanked. ``giver`` is empty where it was a question without a name."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="thanks")
    giver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="thanks_given", editable=False
    )
    answer = models.ForeignKey(Answer, null=True, on_delete=models.CASCADE, related_name="thanks")
    said = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["answer", "giver"], name="thanked_once")]


class Later(models.Model):
    """What the author of an ask without a name did, until its time comes to be seen (`later`); nobody's name."""

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="+")
    answer = models.ForeignKey(Answer, null=True, on_delete=models.CASCADE, related_name="+")
    verb = models.CharField(max_length=8)
    said = models.CharField(max_length=200, blank=True)
    due_at = models.DateTimeField(db_index=True)

    objects: ClassVar[Any] = models.Manager()


class SealOpened(models.Model):
    """That somebody learned who asked without a name, and why: the author of the question reads it."""

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="openings")
    opener = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = models.Manager()
