"""Meetings of a mentorship: clocks, invitations that calendars read, and their mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from experts.actions import deactivate
from experts.mentoring import invitations
from experts.mentoring import mentorships as mentoring
from experts.mentoring.invitations import Meeting, meeting_of, written
from experts.models import Availability, Invitation, Mentorship, Person
from experts.notices import _tellers
from knowledge.access import Viewer
from tests.experts import mentored
from tests.experts.mentored import PAGE, look, signed_in, together

people = mentored.people


def read(body: bytes) -> tuple[Any, Any]:
    """A calendar and its one event, as a calendar program reads them."""
    calendar = Calendar.from_ical(body)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("Europe/Berlin", "2027-03-27T10:00", "2027-03-27T09:00"),
        ("Europe/Berlin", "2027-03-29T10:00", "2027-03-29T08:00"),
        ("America/New_York", "2027-03-15T10:00", "2027-03-15T14:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
        ("Asia/Kathmandu", "2027-01-01T00:15", "2026-12-31T18:30"),
        ("No/Where", "2027-01-01T09:00", "2027-01-01T09:00"),
    ],
)
def test_a_clock_on_the_wall_is_read_right_on_both_sides_of_a_change(zone: str, local: str, utc: str) -> None:
    at = mentoring.moment(datetime.fromisoformat(local), zone)
    assert f"{at:%Y-%m-%dT%H:%M}" == utc
    _, event = read(written(Meeting("u", 0, at, 60, "t", "t")))
    assert event.decoded("dtstart") == at
    if zone != "No/Where":
        assert f"{event.decoded('dtstart').astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}" == local


def test_an_hour_that_a_change_of_clocks_leaves_out_is_refused_and_kept(people: dict[str, Person]) -> None:
    Person.objects.filter(pk=people["ana"].pk).update(time_zone="Europe/Berlin")
    row = together(people["ana"], people["ben"])
    year = timezone.now().year + 1
    last_sunday = max(day for day in range(25, 32) if datetime(year, 3, day, tzinfo=UTC).weekday() == 6)
    gap = f"{year}-03-{last_sunday}T02:30"
    said = {"act": "meet", "which": str(row.public_id), "at": gap, "minutes": "60"}
    answer = signed_in(people["ana"]).post(PAGE, said)
    assert answer.status_code == 422
    assert "choose an hour later" in answer.content.decode()
    assert gap in answer.content.decode()
    assert Mentorship.objects.get().meets_at is None


@pytest.mark.parametrize("at", ["2020-01-01T10:00", "9999-12-31T23:59", "0001-01-01T00:00", "soon", ""])
def test_a_meeting_in_the_past_or_too_far_ahead_is_refused(people: dict[str, Person], at: str) -> None:
    Person.objects.update(time_zone="Pacific/Auckland")
    row = together(people["ana"], people["ben"])
    answer = signed_in(people["ana"]).post(
        PAGE, {"act": "meet", "which": str(row.public_id), "at": at, "minutes": "60"}
    )
    assert answer.status_code == 422
    assert Mentorship.objects.get().meets_at is None
    assert not Invitation.objects.exists()


def test_an_invitation_keeps_its_uid_counts_its_changes_and_is_called_off(people: dict[str, Person]) -> None:
    row = together(people["ana"], people["ben"])
    first, second = (timezone.now().replace(microsecond=0) + timedelta(days=days) for days in (2, 4))
    seen = []
    client = signed_in(people["ben"])
    address = reverse("experts:mentoring-invitation", args=[row.public_id])
    assert client.get(address).status_code == 404, "there is no meeting yet"
    for change in (
        lambda: mentoring.meet(mentorship=row, person=people["ana"], at=first),
        lambda: mentoring.meet(mentorship=row, person=people["ana"], at=first),
        lambda: mentoring.meet(mentorship=row, person=people["ben"], at=second, minutes=30),
        lambda: mentoring.leave(mentorship=row, person=people["ben"]),
    ):
        change()
        answer = client.get(address)
        assert answer["Content-Type"].startswith("text/calendar")
        calendar, event = read(answer.content)
        seen.append((str(calendar["method"]), event["sequence"], str(event["status"]), event.decoded("dtstart")))
        assert str(event["uid"]) == f"{row.public_id}@mentoring.immersive"
    assert seen == [
        ("REQUEST", 0, "CONFIRMED", first),
        ("REQUEST", 0, "CONFIRMED", first),
        ("REQUEST", 1, "CONFIRMED", second),
        ("CANCEL", 2, "CANCELLED", second),
    ]


def test_text_is_escaped_and_no_address_of_the_other_is_told(people: dict[str, Person]) -> None:
    Person.objects.filter(pk=people["ana"].pk).update(name='Ana; "A, B"\\n Lima')
    row = together(Person.objects.get(pk=people["ana"].pk), people["ben"], "C, D; E\\F")
    mentoring.meet(mentorship=row, person=people["ben"], at=timezone.now() + timedelta(days=1))
    row.refresh_from_db()
    meeting = meeting_of(row, people["ben"])
    assert meeting is not None
    body = written(meeting)
    _, event = read(body)
    assert str(event["summary"]) == 'C, D; E\\F: Ana; "A, B"\\n Lima'
    assert b"ana@example.org" not in body
    assert b"ben@example.org" in body
    evil = Meeting(
        "u", 0, timezone.now(), 60, "a\r\nATTENDEE:mailto:evil@example.org", "b\nBEGIN:VEVENT", name='"x\r\ny'
    )
    calendar, event = read(written(evil))
    assert "attendee" not in event
    assert len(calendar.walk("VEVENT")) == 1


def test_both_are_mailed_once_for_each_change(people: dict[str, Person], settings: Any) -> None:
    Person.objects.filter(pk=people["ben"].pk).update(time_zone="Asia/Kathmandu")
    row = together(people["ana"], people["ben"])
    at = datetime(timezone.now().year + 1, 1, 4, 9, tzinfo=UTC)
    at = min(at, timezone.now().replace(microsecond=0) + timedelta(days=300))
    mentoring.meet(mentorship=row, person=people["ana"], at=at)
    assert invitations.send() == 2
    assert invitations.send() == 0
    assert sorted(to for one in mail.outbox for to in one.to) == ["ana@example.org", "ben@example.org"]
    ben = next(one for one in mail.outbox if one.to == ["ben@example.org"])
    assert "Asia/Kathmandu" in str(ben.body)
    name, body, kind = ben.attachments[0]
    assert (name, kind) == ("invitation.ics", "text/calendar; method=REQUEST")
    assert "METHOD:REQUEST" in str(body)
    mail.outbox.clear()
    Availability.objects.create(person=people["ana"], mail=Availability.Mail.NEVER)
    mentoring.meet(mentorship=row, person=people["ana"], at=at + timedelta(hours=1))
    mentoring.leave(mentorship=row, person=people["ben"])
    assert invitations.send() == 4
    assert [one.subject for one in mail.outbox] == ["A meeting was called off"], "only as things stand now"


def test_an_invitation_waits_for_a_mail_server_that_is_away(people: dict[str, Person], monkeypatch: Any) -> None:
    def away(self: Any, fail_silently: bool = False) -> int:
        raise ConnectionRefusedError("no server")

    row = together(people["ana"], people["ben"])
    mentoring.meet(mentorship=row, person=people["ana"], at=timezone.now() + timedelta(days=2))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("django.core.mail.EmailMessage.send", away)
        assert invitations.send() == 0
    assert Invitation.objects.filter(done_at=None, error__contains="no server").count() == 2
    Invitation.objects.update(due_at=timezone.now())
    assert invitations.send() == 2
    assert len(mail.outbox) == 2


def test_no_mail_is_sent_where_none_is_set_up_or_about_a_meeting_that_is_over(
    people: dict[str, Person], settings: Any
) -> None:
    row = together(people["ana"], people["ben"])
    mentoring.meet(mentorship=row, person=people["ana"], at=timezone.now() + timedelta(days=2))
    Mentorship.objects.update(meets_at=timezone.now() - timedelta(minutes=1))
    assert invitations.send() == 2
    mentoring.meet(mentorship=row, person=people["ana"], at=timezone.now() + timedelta(days=3))
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert invitations.send() == 2
    assert not mail.outbox
    assert b"both of you get it by mail" not in signed_in(people["ana"]).get(PAGE).content


def test_a_meeting_that_is_over_is_not_called_off(people: dict[str, Person]) -> None:
    row = together(people["ana"], people["ben"])
    mentoring.meet(mentorship=row, person=people["ana"], at=timezone.now() + timedelta(minutes=1))
    Mentorship.objects.update(meets_at=timezone.now() - timedelta(days=1))
    assert mentoring.leave(mentorship=row, person=people["ben"]).sequence == 0


def test_who_leaves_ends_it_and_frees_the_other(people: dict[str, Person]) -> None:
    row = together(people["ana"], people["ben"])
    mentoring.meet(mentorship=row, person=people["ana"], at=timezone.now() + timedelta(days=2))
    invitations.send()
    mail.outbox.clear()
    deactivate(people=[people["ben"]])
    row.refresh_from_db()
    assert row.ended_at
    assert row.sequence == 1
    invitations.send()
    assert [(one.to, one.subject) for one in mail.outbox] == [(["ana@example.org"], "A meeting was called off")]
    assert "Ben Okafor (former colleague)" in signed_in(people["ana"]).get(PAGE).content.decode()
    told = _tellers["mentor-ended"](Viewer.of(people["ana"]), [row.public_id])
    assert len(told) == 1
    mentoring.wish(person=people["cleo"], topic="Pumps")
    assert look() == 1, "the place is free again"
