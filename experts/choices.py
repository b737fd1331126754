"""What each person chooses: whether they are found, what they may be asked about, and when.

All of it is the person's own. Others meet only its effect: somebody who is
hidden is not there, and who is not to be asked is not offered.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.utils import timezone

from experts.asking.load import WEEKLY
from knowledge.index.analysis import topic_key
from knowledge.models import Contribution, Resource

if TYPE_CHECKING:
    from experts.models import Person
    from knowledge.access import Viewer

MOST_A_WEEK, MOST_HOURS = 50, 40
LONGEST_TOPIC, LONGEST_ABOUT = 80, 2000
MOST_TOPICS = 200
MOST_CLOSED = 40
"""Periods to come on which one person is not asked."""
NO_ZONE = "There is no time zone of this name. Write a city’s, such as Europe/Lisbon or Asia/Tokyo."


class Availability(models.Model):
    """How one person wants to be reached; who has no row is found, and may be asked ``WEEKLY`` times a week."""

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
    asks_a_week = models.PositiveSmallIntegerField(default=WEEKLY, validators=[MaxValueValidator(MOST_A_WEEK)])
    hours_a_week = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(MOST_HOURS)])
    prefers = models.CharField(max_length=8, choices=Way.choices, default=Way.PAGE)
    shows_time = models.BooleanField(default=False, help_text="Colleagues see how much of it is left.")
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


class OwnTopicQuerySet(models.QuerySet["OwnTopic"]):
    """What people say of topics, by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """One's own; of people whom the viewer may see, what they know and are glad to be asked about, and no more."""
        from experts.models import Person

        said = models.Q(hidden=False) & (models.Q(knows=True) | models.Q(ask=OwnTopic.Ask.YES))
        others = models.Q(person__in=Person.objects.visible_to(viewer).values("pk")) & said
        return self.filter(models.Q(person=viewer.person_id or 0) | others)

    def unwilling(self) -> Self:
        """Topics by which somebody is not to be found: kept to themselves, or not to be asked about."""
        return self.filter(models.Q(hidden=True) | models.Q(ask=OwnTopic.Ask.NO))


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

    objects: ClassVar[Any] = OwnTopicQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["key"])]
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_word_of_a_person_on_a_topic")]


class DisownedQuerySet(models.QuerySet["Disowned"]):
    """What people said is not theirs, by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """One's own alone."""
        return self.filter(person=viewer.person_id or 0)


class Disowned(models.Model):
    """A document that its source says a person worked on, and that they say is not theirs."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="disowned")
    resource = models.ForeignKey("knowledge.Resource", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = DisownedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "resource"], name="disowned_once")]


# What a person says: each verb is theirs alone, may be said twice, and holds from the next request on. ---------------


def hide(*, person: Person) -> bool:
    """Take a person out of lists, searches, suggestions and proposals at once, and tell nobody; whether they were in.

    What they wrote stays. Their own page shows to themselves alone.
    """
    from experts.actions import bury_people

    with transaction.atomic():
        mine = _mine(person)
        changed, mine.hidden = not mine.hidden, True
        mine.save()
        bury_people(people=[person.pk])
    return changed


def be_found(*, person: Person) -> bool:
    """Put them back: into lists at once, into search as soon as the people source is read; whether they were hidden."""
    from experts.actions import people_changed

    with transaction.atomic():
        changed = Availability.objects.filter(person=person, hidden=True).update(hidden=False)
        if changed:
            people_changed(names=False)
    return bool(changed)


def say_of_topic(
    *, person: Person, name: str, knows: bool | None = None, ask: str | None = None, hidden: bool | None = None
) -> OwnTopic | None:
    """Keep what a person says of a topic, in any spelling of it; `None` leaves as it is what they said before.

    Nothing is kept of a topic of which nothing is said any more. Raises
    `ValidationError` where no word can be read.
    """
    key, name = topic_named(name)
    with transaction.atomic():
        mine = OwnTopic.objects.filter(person=_locked(person))
        said = mine.filter(key=key).first() or OwnTopic(person=person, key=key, name=name)
        if not said.pk and mine.count() >= MOST_TOPICS:
            raise ValidationError(f"You have said something of {MOST_TOPICS} topics. Take one back first.")
        said.name = name if knows else said.name
        said.knows = said.knows if knows is None else knows
        said.ask = said.ask if ask is None else ask
        said.hidden = said.hidden if hidden is None else hidden
        if said.knows or said.ask or said.hidden:
            said.save()
        elif said.pk:
            said.delete()
        _tell_anew(person)
    return said if said.pk else None


def disown(*, person: Person, resource: Resource) -> bool:
    """Take a document out of what is known of a person, for everybody and everywhere; whether it was in.

    The source goes on naming whom it names: its words are its own.
    """
    with transaction.atomic():
        _, new = Disowned.objects.get_or_create(person=person, resource=resource)
        Contribution.objects.filter(person=person, resource=resource).update(person=None)
        _tell_anew(person)
    return bool(new)


def own_again(*, person: Person, resource: Resource) -> bool:
    """Take back that a document is not theirs; it is, again, whoever its source says it is. Whether it was disowned."""
    from experts.evidence import attribute

    with transaction.atomic():
        gone, _ = Disowned.objects.filter(person=person, resource=resource).delete()
        attribute(resource.contributions.all())
        _tell_anew(person)
    return bool(gone)


def close(*, person: Person, since: date, until: date) -> Closed:
    """Days on which they are not asked, both included. Raises `ValidationError` for what cannot be, or too much."""
    check_days(person=person, since=since, until=until)
    return Closed.objects.get_or_create(person=person, since=since, until=until)[0]


def open_again(*, person: Person, since: date, until: date) -> bool:
    """Take closed days away; whether there were such."""
    return bool(Closed.objects.filter(person=person, since=since, until=until).delete()[0])


def choose(*, person: Person, **chosen: Any) -> None:
    """Change how they want to be reached; ``chosen`` are fields of `Availability`, but for ``hidden``."""
    with transaction.atomic():
        mine = _mine(person)
        for name, value in chosen.items():
            setattr(mine, name, value)
        mine.full_clean(exclude=["person", "hidden"])
        mine.save()


def introduce(*, person: Person, about: str, time_zone: str) -> None:
    """Keep what they write about themselves, and where their clock is. Raises `ValidationError` for what cannot be."""
    about, zone = short_enough(about), zone_named(time_zone)
    with transaction.atomic():
        type(person).objects.filter(pk=person.pk).update(about=about, time_zone=zone)
        person.about, person.time_zone = about, zone
        _tell_anew(person)


# What cannot be ------------------------------------------------------------------------------------------------------


def topic_named(text: str) -> tuple[str, str]:
    """The key and the name of a topic as it was typed. Raises `ValidationError` where no word can be read."""
    from experts.models import one_line

    key, name = topic_key(text)[:LONGEST_TOPIC], one_line(text)
    if not any(letter.isalnum() for letter in key) or not name:
        raise ValidationError("Write the topic in words, such as “Feed pumps”.")
    if len(name) > LONGEST_TOPIC:
        raise ValidationError(f"Write the topic in at most {LONGEST_TOPIC} characters.")
    return key, name


def short_enough(about: str) -> str:
    """What somebody writes about themselves. Raises `ValidationError` where it is too long."""
    if len(about) > LONGEST_ABOUT:
        raise ValidationError(f"This has {len(about):,} characters. Shorten it to {LONGEST_ABOUT:,}.")
    return about


def zone_named(text: str) -> str:
    """The time zone of this name, in any case; "UTC" for nothing. Raises `ValidationError` where there is none."""
    named = text.strip().replace(" ", "_").casefold() or "utc"
    zone = next((name for name in available_timezones() if name.casefold() == named), None)
    if zone is None:
        raise ValidationError(NO_ZONE)
    return zone


def check_days(*, person: Person, since: date, until: date) -> None:
    """Raise `ValidationError` where days end before they begin, or where somebody noted enough of them."""
    if until < since:
        raise ValidationError({"until": "This is before the first day. Write the same day or a later one."})
    others = Closed.objects.filter(person=person, until__gte=timezone.localdate()).exclude(since=since, until=until)
    if others.count() >= MOST_CLOSED:
        raise ValidationError({"since": f"{MOST_CLOSED} periods are noted already. Take one away first."})


def _locked(person: Person) -> Person:
    """The person, locked until the end of the transaction: of two changes at once both are kept."""
    return type(person).objects.select_for_update().get(pk=person.pk)


def _mine(person: Person) -> Availability:
    """Their row, made where it is missing."""
    return Availability.objects.get_or_create(person=_locked(person))[0]


def _tell_anew(person: Person) -> None:
    """What is told of them in search is told as they want it now, and their new words are indexed soon."""
    from experts.actions import retell
    from knowledge.durable import prompt
    from knowledge.jobs import index_changes

    if retell(people=[person.pk]):
        transaction.on_commit(lambda: prompt(index_changes))
