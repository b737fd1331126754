"""Meetings of a mentorship as invitations for a calendar (RFC 5545 and 5546): to download, and by mail.

One mentorship has one UID for ever. Each change raises its SEQUENCE, so that a
calendar knows the newer of two; what is off is sent as a cancellation. Times
stand in UTC, which every calendar shows by its owner's clock, on either side
of a change of clocks. The portal is the organizer and each of the two gets an
invitation of their own: neither learns the other's address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from icalendar import Calendar, Event, vCalAddress, vText

from experts.asking.load import zone_of
from experts.choices import Availability
from experts.digests import mail_is_sent
from experts.mentoring.mentorships import Invitation, Mentorship
from experts.models import Person
from knowledge.durable import work


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting as one of the two is invited to it; ``start`` is aware."""

    uid: str
    sequence: int
    start: datetime
    minutes: int
    title: str
    text: str
    cancelled: bool = False
    to: str = ""
    name: str = ""

    @property
    def method(self) -> str:
        """What a calendar should do with it."""
        return "CANCEL" if self.cancelled else "REQUEST"


def meeting_of(row: Mentorship, person: Person) -> Meeting | None:
    """The meeting that stands in a mentorship, for one of the two; `None` where there is none."""
    if row.meets_at is None or not row.begun:
        return None
    other = row.other(person.pk)
    role = "your mentor" if other.pk == row.mentor_id else "who learns from you"
    return Meeting(
        uid=f"{row.public_id}@mentoring.immersive",
        sequence=row.sequence,
        start=row.meets_at,
        minutes=row.minutes,
        title=f"{row.name}: {other.known_as}",
        text=f"You meet {other.known_as}, {role}, about {row.name}.",
        cancelled=row.ended_at is not None,
        to=person.email,
        name=person.display_name,
    )


def written(meeting: Meeting, now: datetime | None = None) -> bytes:
    """The meeting as a file for calendars."""
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", (now or timezone.now()).astimezone(UTC))
    event.add("dtstart", meeting.start.astimezone(UTC))
    event.add("dtend", (meeting.start + timedelta(minutes=meeting.minutes)).astimezone(UTC))
    event.add("summary", meeting.title)
    event.add("description", meeting.text)
    event.add("status", "CANCELLED" if meeting.cancelled else "CONFIRMED")
    event.add("organizer", _address(settings.DEFAULT_FROM_EMAIL, "Immersive"))
    if meeting.to:
        attendee = _address(meeting.to, meeting.name)
        attendee.params["rsvp"] = vText("FALSE")
        event.add("attendee", attendee)
    calendar = Calendar()
    calendar.add("prodid", "-//Immersive//Mentoring//EN")
    calendar.add("version", "2.0")
    calendar.add("method", meeting.method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _address(address: str, name: str) -> vCalAddress:
    bare = address.rpartition("<")[2].rstrip(">").strip()
    said = vCalAddress(f"mailto:{bare}")
    said.params["cn"] = vText(name.replace('"', "'"))
    return said


def send(count: int = 50) -> int:
    """Mail invitations that wait; how many were dealt with."""
    rows = Invitation.objects.due().order_by("due_at", "pk").values_list("pk", flat=True)[:count]
    return sum(work(Invitation.objects, pk, _send) for pk in rows)


def _send(row: Invitation) -> None:
    """Mail one, if it is still as things stand, lies ahead, and its person wants mail.

    Sent twice it is the same to a calendar.
    """
    person, mentorship = row.person, row.mentorship
    meeting = meeting_of(mentorship, person)
    wants = person.is_active and person.email and Availability.of(person).mail != Availability.Mail.NEVER
    stands = meeting is not None and row.sequence == meeting.sequence and meeting.start > timezone.now()
    if meeting is not None and stands and wants and mail_is_sent():
        mail_of(meeting, person).send()
    row.finish()


def mail_of(meeting: Meeting, person: Person) -> EmailMessage:
    """The mail that brings an invitation to one person."""
    there = meeting.start.astimezone(zone_of(person.time_zone))
    when = f"{there:%A} {there.day} {there:%B %Y}, {there:%H:%M} ({person.time_zone or 'UTC'})"
    subject = "A meeting was called off" if meeting.cancelled else "A meeting for your calendar"  # with whom is inside
    text = f"{meeting.text}\n\n{'It would have been' if meeting.cancelled else 'It is'} on {when}.\n"
    mail = EmailMessage(subject, text, to=[person.email])
    mail.attach("invitation.ics", written(meeting).decode(), f"text/calendar; method={meeting.method}")
    return mail
