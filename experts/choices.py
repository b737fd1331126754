"""What each person chooses: whether they are found, what they may be asked about, and when.

All of it is the person's own. Others meet only its effect: somebody who is
hidden is not there, and who is not to be asked is not offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models

if TYPE_CHECKING:
    from experts.models import Person

A_WEEK = 3
"""Asks that somebody who chose nothing is given in seven days."""
MOST_A_WEEK = 50


class Availability(models.Model):
    """How one person wants to be reached; who has no row is found, and may be asked ``A_WEEK`` times a week."""

    class Way(models.TextChoices):
        """How somebody likes to be approached."""

        PAGE = "page", "A question here"
        MAIL = "mail", "E-mail"
        CHAT = "chat", "Chat"
        CALL = "call", "A call"

    class Mail(models.TextChoices):
        """How often mail is sent."""

        DAILY = "daily", "Once a day"
        AT_ONCE = "at_once", "At once"
        NEVER = "never", "Never"

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="availability")
    hidden = models.BooleanField(default=False)
    asks_a_week = models.PositiveSmallIntegerField(default=A_WEEK, validators=[MaxValueValidator(MOST_A_WEEK)])
    hours_a_week = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(40)])
    prefers = models.CharField(max_length=8, choices=Way.choices, default=Way.PAGE)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.DAILY)

    objects: ClassVar[models.Manager[Availability]] = models.Manager()

    @classmethod
    def of(cls, person: Person) -> Availability:
        """What this person chose; where they chose nothing, an unsaved row of the defaults."""
        return cls.objects.filter(person=person).first() or cls(person=person)


class Closed(models.Model):
    """Days on which a person is not asked, the first and the last among them."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="closed")
    since = models.DateField()
    until = models.DateField()

    objects: ClassVar[models.Manager[Closed]] = models.Manager()

    class Meta:
        ordering = ["since"]
        constraints = [
            models.CheckConstraint(condition=models.Q(until__gte=models.F("since")), name="closed_ends_after_it_begins")
        ]


class OwnTopic(models.Model):
    """What a person says of themselves and one topic. ``key`` is what spellings of it share (`analysis.topic_key`)."""

    class Ask(models.TextChoices):
        """Whether they want to be asked about it."""

        YES = "yes", "Ask me"
        NO = "no", "Do not ask me"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="own_topics")
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    knows = models.BooleanField(default=False)
    ask = models.CharField(max_length=3, choices=Ask.choices, blank=True)
    hidden = models.BooleanField(default=False, help_text="Not shown about them, whatever they wrote.")
    said_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[OwnTopic]] = models.Manager()

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["key"])]
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_word_of_a_person_on_a_topic")]


class Disowned(models.Model):
    """A document that its source says a person worked on, and that they say is not theirs."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="disowned")
    resource = models.ForeignKey("knowledge.Resource", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "resource"], name="disowned_once")]
