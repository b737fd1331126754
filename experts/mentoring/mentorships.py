"""Mentoring: who offers it, who wishes for it, and who is brought together.

Wishes and offers wait until a look, soon and then daily, brings two together (`matching`).
Both have to say yes within two weeks, else the proposal lapses. Who says no is
free at once; the other reads what they would read of somebody who never
looked. Either leaves a running mentorship at any time: there is no field for
a reason, and the other is told that it ended and nothing else.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.utils import timezone

from experts.asking.load import zone_of
from experts.notices import tell
from knowledge.access import id_in
from knowledge.durable import Work, WorkQuerySet

if TYPE_CHECKING:
    from experts.models import Person
    from knowledge.access import Viewer

LAPSES = timedelta(days=14)
"""How long a proposal waits for both to say yes."""
MOST = 10
"""Offers of one person, and wishes of one person."""
MOST_PLACES = 8
AHEAD = timedelta(days=366)
"""How far ahead a meeting can be."""
FIRST_YEAR, LAST_YEAR = 1970, 9000
SHORTEST, LONGEST = 10, 240
"""Minutes of a meeting."""
LONGEST_NAME, LONGEST_NOTE, LONGEST_SAID = 80, 300, 400


class OfferQuerySet(models.QuerySet["Offer"]):
    """Offers by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """One's own, and those of others but in topics that they keep to themselves; of people whom the viewer sees."""
        from experts.models import OwnTopic, Person

        kept = Exists(OwnTopic.objects.filter(person=OuterRef("person"), key=OuterRef("key"), hidden=True))
        people = Person.objects.visible_to(viewer).values("pk")
        return self.filter(Q(person=viewer.person_id or 0) | Q(~kept, person__in=people))

    def of_others(self, viewer: Viewer) -> Self:
        """Those from which the viewer may hope for a mentor: of others who can be found, as far as the viewer sees."""
        from experts.models import Person

        return self.visible_to(viewer).filter(person__in=Person.objects.findable()).exclude(person=viewer.person_id)


class Offer(models.Model):
    """That a person would be a mentor in a topic, for so many at one time."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="offers")
    key = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=80)
    places = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(8)])
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = OfferQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_offer_in_a_topic")]


class Wish(models.Model):
    """That a person would like a mentor in a topic: seen by nobody but themselves until somebody is found."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="wishes")
    key = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=80)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)
    looked_at = models.DateTimeField(null=True, editable=False, help_text="When a mentor was last looked for.")

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_wish_in_a_topic")]


class MentorshipQuerySet(models.QuerySet["Mentorship"]):
    """Mentorships by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, as mentor or as mentee."""
        if viewer.person_id is None:
            return self.none()
        return self.filter(Q(mentor=viewer.person_id) | Q(mentee=viewer.person_id))

    def begun(self) -> Self:
        """Those to which both said yes, whether they have ended or not."""
        return self.filter(mentor_yes_at__isnull=False, mentee_yes_at__isnull=False)

    def proposed_to(self, viewer: Viewer) -> Self:
        """Those that both may still say yes to, and the viewer did not say no to, whatever the other did."""
        open_to = Q(mentor=viewer.person_id, mentor_no_at=None) | Q(mentee=viewer.person_id, mentee_no_at=None)
        lacking = Q(mentor_yes_at=None) | Q(mentee_yes_at=None)
        return self.filter(open_to, lacking, ended_at=None, proposed_at__gt=timezone.now() - LAPSES)


class Mentorship(models.Model):
    """Two people and a topic: proposed, begun once both said yes, ended by either without a reason."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    mentor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentees")
    mentee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentors")
    key = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=80)
    proposed_at = models.DateTimeField(default=timezone.now)
    mentor_yes_at = models.DateTimeField(null=True)
    mentee_yes_at = models.DateTimeField(null=True)
    mentor_no_at = models.DateTimeField(null=True)
    mentee_no_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    meets_at = models.DateTimeField(null=True)
    minutes = models.PositiveSmallIntegerField(default=60)
    sequence = models.PositiveIntegerField(default=0, help_text="How often the invitation was changed (RFC 5545).")
    mentor_said = models.CharField(max_length=400, blank=True)
    mentee_said = models.CharField(max_length=400, blank=True)

    objects: ClassVar[Any] = MentorshipQuerySet.as_manager()

    class Meta:
        ordering = ["-proposed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["mentor", "mentee", "key"], condition=Q(ended_at=None), name="one_mentorship_at_a_time"
            )
        ]

    @property
    def begun(self) -> bool:
        """Whether both said yes."""
        return bool(self.mentor_yes_at and self.mentee_yes_at)

    @property
    def running(self) -> bool:
        """Whether both said yes and neither has left."""
        return self.begun and self.ended_at is None

    def other(self, person_id: int | None) -> Person:
        """Whoever of the two is not this one."""
        return self.mentee if self.mentor_id == person_id else self.mentor

    def role(self, person_id: int | None) -> str:
        """``mentor`` or ``mentee``: how the fields of this one of the two begin."""
        return "mentor" if self.mentor_id == person_id else "mentee"

    def invites(self) -> bool:
        """Whether there is something for a calendar: a meeting, or that it is off."""
        return self.meets_at is not None and self.begun


class Invitation(Work):
    """That one of the two is to be mailed an invitation as it then stands: work to do until it is sent."""

    MAX_ATTEMPTS, BACKOFF = 6, timedelta(minutes=5)

    mentorship = models.ForeignKey(Mentorship, on_delete=models.CASCADE, related_name="invitations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sequence = models.PositiveIntegerField()

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mentorship", "person", "sequence"], name="invited_once_to_each_change")
        ]


# Reading -------------------------------------------------------------------------------------------------------------


def one(public_id: uuid.UUID | str | None, viewer: Viewer) -> Mentorship:
    """A mentorship of the viewer's own, else `Http404`."""
    key = id_in(str(public_id))
    found = Mentorship.objects.visible_to(viewer).filter(public_id=key).first() if key else None
    if found is None:
        raise Http404
    return found


# Offers and wishes ---------------------------------------------------------------------------------------------------


def offer(*, person: Person, topic: str, places: int = 1, note: str = "") -> Offer:
    """Offer to be a mentor in a topic, for so many at one time; the same topic again changes the offer."""
    if not 1 <= places <= MOST_PLACES:
        raise ValidationError(f"Choose from 1 to {MOST_PLACES} places.")
    return _say(Offer, person, topic, note, places=places)  # type: ignore[no-any-return]


def wish(*, person: Person, topic: str, note: str = "") -> Wish:
    """Wish for a mentor in a topic; nobody reads it until somebody is found. The same again keeps its place in time."""
    return _say(Wish, person, topic, note)  # type: ignore[no-any-return]


def _say(model: Any, person: Person, topic: str, note: str, **more: Any) -> Any:
    from experts.models import one_line
    from knowledge.index.analysis import topic_key

    name, note = one_line(topic), one_line(note)
    key = topic_key(name)
    if not any(letter.isalnum() for letter in key):
        raise ValidationError("Name a topic.")
    if len(name) > LONGEST_NAME or len(key) > LONGEST_NAME:
        raise ValidationError(f"Name the topic in at most {LONGEST_NAME} characters.")
    if len(note) > LONGEST_NOTE:
        raise ValidationError(f"Say it in at most {LONGEST_NOTE} characters.")
    with transaction.atomic():
        if model.objects.filter(person=person).exclude(key=key).count() >= MOST:
            raise ValidationError(f"You have {MOST} already: take one away first.")
        said = {"name": name, "note": note, **more}
        return model.objects.update_or_create(person=person, key=key, defaults=said)[0]


def take_back(*, person: Person, key: str, offered: bool) -> None:
    """Take an offer or a wish away; what was begun because of it goes on."""
    rows: Any = Offer.objects if offered else Wish.objects
    rows.filter(person=person, key=key).delete()


# What the two do -----------------------------------------------------------------------------------------------------


def confirm(*, mentorship: Mentorship, person: Person, yes: bool) -> Mentorship:
    """Say yes to a proposal, or no; begun once both said yes, which fulfils the wish. Raises `ValidationError`."""
    now = timezone.now()
    with transaction.atomic():
        row = _held(mentorship, person)
        role = row.role(person.pk)
        if row.begun:
            return row
        if row.ended_at is not None or row.proposed_at <= now - LAPSES or getattr(row, f"{role}_no_at"):
            raise ValidationError("This proposal is over. Your wish or offer stands, and is looked at every day.")
        setattr(row, f"{role}_{'yes' if yes else 'no'}_at", now)
        if not yes:
            setattr(row, f"{role}_yes_at", None)
        row.save()
        if row.begun and not (row.mentor_no_at or row.mentee_no_at):
            Wish.objects.filter(person=row.mentee_id, key=row.key).delete()
            tell([row.other(person.pk).pk], "mentor-begun", row.public_id)
    return row


def meet(*, mentorship: Mentorship, person: Person, at: datetime, minutes: int = 60) -> Mentorship:
    """Set or move the next meeting, ``at`` an aware moment; both are invited. Raises `ValidationError`."""
    now = timezone.now()
    if at <= now:
        raise ValidationError("That time is over: choose one to come.")
    if at > now + AHEAD:
        raise ValidationError("That is more than a year ahead: choose a nearer day.")
    if not SHORTEST <= minutes <= LONGEST:
        raise ValidationError(f"Choose from {SHORTEST} to {LONGEST} minutes.")
    with transaction.atomic():
        row = _held(mentorship, person)
        if not row.running:
            raise ValidationError("This mentorship is not running: there is nobody to meet.")
        if (row.meets_at, row.minutes) != (at, minutes):
            row.sequence += row.meets_at is not None
            row.meets_at, row.minutes = at, minutes
            row.save()
            _invite(row)
            tell([row.other(person.pk).pk], "mentor-meets", row.public_id)
    return row


def leave(*, mentorship: Mentorship, person: Person) -> Mentorship:
    """End a running mentorship, for whatever reason, which is not asked; a meeting to come is called off."""
    now = timezone.now()
    with transaction.atomic():
        row = _held(mentorship, person)
        if not row.running:
            return row
        _end(row, now, tell_whom=row.other(person.pk))
    return row


def people_left() -> int:
    """End the mentorships of those who have left, each by itself; how many. The other is told as if it were they."""
    now, ended = timezone.now(), 0
    gone = Mentorship.objects.filter(Q(mentor__is_active=False) | Q(mentee__is_active=False), ended_at=None)
    for pk in list(gone.values_list("pk", flat=True)):
        with transaction.atomic():
            row = gone.filter(pk=pk).select_for_update(of=("self",)).select_related("mentor", "mentee").first()
            if row is not None:
                _end(row, now, tell_whom=row.mentee if row.mentee.is_active else row.mentor)
                ended += 1
    return ended


def forget(*, person: Person) -> None:
    """Keep nothing of what somebody said here: whoever removes their name calls it."""
    with transaction.atomic():
        Offer.objects.filter(person=person).delete()
        Wish.objects.filter(person=person).delete()
        Mentorship.objects.filter(mentor=person).update(mentor_said="")
        Mentorship.objects.filter(mentee=person).update(mentee_said="")


def _end(row: Mentorship, now: datetime, *, tell_whom: Person) -> None:
    row.ended_at = now
    to_come = row.meets_at is not None and row.meets_at > now
    row.sequence += to_come
    row.save()
    if to_come:
        _invite(row)
    if row.begun and tell_whom.is_active:
        tell([tell_whom.pk], "mentor-ended", row.public_id)


def look_back(*, mentorship: Mentorship, person: Person, said: str) -> Mentorship:
    """Two sentences at the end, which the two of them read and nobody else; said again, they replace the first."""
    words = " ".join(said.split())
    if len(words) > LONGEST_SAID:
        raise ValidationError(f"Say it in at most {LONGEST_SAID} characters: two sentences are enough.")
    with transaction.atomic():
        row = _held(mentorship, person)
        if not (row.begun and row.ended_at):
            raise ValidationError("This is for the end: leave the mentorship first.")
        setattr(row, f"{row.role(person.pk)}_said", words)
        row.save()
    return row


def _held(mentorship: Mentorship, person: Person) -> Mentorship:
    """The row as it is now, held until the transaction ends; to everybody but the two there is none (`Http404`)."""
    both = Q(mentor=person) | Q(mentee=person)
    rows = Mentorship.objects.select_for_update(of=("self",)).filter(both, pk=mentorship.pk)
    found: Mentorship | None = rows.select_related("mentor", "mentee").first()
    if found is None:
        raise Http404
    return found


def moment(local: datetime, zone: str) -> datetime:
    """What a clock on the wall there means. Raises `ValidationError` for an hour that a change of clocks leaves out.

    An hour that comes twice is its first.
    """
    there: ZoneInfo = zone_of(zone)
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise ValidationError("That is not a day that people meet on: choose one within a year.")
    at = local.replace(tzinfo=there, fold=0).astimezone(UTC)
    if at.astimezone(there).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValidationError("Clocks go forward at that time, so it does not exist: choose an hour later.")
    return at


def _invite(row: Mentorship) -> None:
    for person in (row.mentor_id, row.mentee_id):
        Invitation.objects.get_or_create(mentorship=row, person_id=person, sequence=row.sequence)
