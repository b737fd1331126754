"""Mentoring: wishes and offers, who is brought together, the pages, and invitations that calendars read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from experts.actions import deactivate, remove_name
from experts.mentoring import invitations, my_mentoring
from experts.mentoring import mentorships as mentoring
from experts.mentoring.invitations import Meeting, meeting_of, written
from experts.mentoring.matching import match
from experts.models import Availability, Invitation, Mentorship, Notice, Offer, Person, Team, Wish
from experts.notices import _tellers
from knowledge.access import Viewer
from knowledge.models import Audience, Source
from tests import small_company
from tests.experts.conftest import page

PAGE = "/mentoring/"


@pytest.fixture
def people(make_person: Callable[..., Any]) -> dict[str, Person]:
    names = {"ana": "Ana Lima", "ben": "Ben Okafor", "cleo": "Cléo Martin", "dag": "Dag Holm"}
    return {key: make_person(key, name=name, email=f"{key}@example.org") for key, name in names.items()}


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def together(mentor: Person, mentee: Person, topic: str = "Pumps") -> Mentorship:
    """A mentorship that runs, by the way that all go."""
    mentoring.offer(person=mentor, topic=topic)
    mentoring.wish(person=mentee, topic=topic)
    assert match() == 1
    row: Mentorship = Mentorship.objects.get(mentor=mentor, mentee=mentee)
    mentoring.confirm(mentorship=row, person=mentor, yes=True)
    return mentoring.confirm(mentorship=row, person=mentee, yes=True)


def paired() -> set[tuple[str, str]]:
    return set(Mentorship.objects.values_list("mentee__username", "mentor__username"))


# Bringing together ---------------------------------------------------------------------------------------------------


def test_looking_again_brings_nobody_together_twice(people: dict[str, Person]) -> None:
    mentoring.offer(person=people["ana"], topic="Pumps", places=2)
    mentoring.wish(person=people["ben"], topic="pumps")
    assert match() == 1
    assert match() == 0
    assert paired() == {("ben", "ana")}
    assert set(Notice.objects.values_list("person__username", "kind")) == {
        ("ana", "mentor-proposed"), ("ben", "mentor-proposed")}  # fmt: skip


def test_whoever_waits_longest_goes_first_and_those_of_another_team_before_one_s_own(
    people: dict[str, Person],
) -> None:
    team = Team.objects.create(name="Pumps", slug="pumps")
    for key in ("ana", "ben"):
        team.memberships.create(person=people[key])
    mentoring.offer(person=people["ana"], topic="Pumps")
    for days, key in ((9, "ben"), (5, "cleo"), (7, "dag")):
        mentoring.wish(person=people[key], topic="Pumps")
        Wish.objects.filter(person=people[key]).update(at=timezone.now() - timedelta(days=days))
    match()
    assert paired() == {("dag", "ana")}, "ben waits longest and is of the mentor's own team"


def test_mentees_get_whoever_shows_more_evidence_that_they_may_read(
    people: dict[str, Person], hold: Callable[..., Any]
) -> None:
    hold("handbook", [page(f"p{n}", "Ben Okafor", topics=("Pumps",)) for n in range(4)])
    secret = Team.objects.create(name="Board", slug="board")
    hold("board", [page(f"s{n}", "Ana Lima", topics=("Pumps",)) for n in range(20)], audience=[f"team:{secret.pk}"])
    small_company.index()
    for key in ("ana", "ben"):
        mentoring.offer(person=people[key], topic="Pumps")
    mentoring.wish(person=people["cleo"], topic="Pumps")
    match()
    assert paired() == {("cleo", "ben")}


def test_who_may_not_be_paired_is_not(people: dict[str, Person]) -> None:
    Person.objects.filter(pk=people["ben"].pk).update(manager=people["ana"])
    Availability.objects.create(person=people["cleo"], hidden=True)
    for key in ("ana", "cleo"):
        mentoring.offer(person=people[key], topic="Pumps")
    for key in ("ana", "ben"):
        mentoring.wish(person=people[key], topic="Pumps")
    assert match() == 0, "not with oneself, not with one's manager, not with somebody who is hidden"
    Person.objects.filter(pk=people["dag"].pk).update(is_active=False)
    mentoring.offer(person=people["dag"], topic="Pumps")
    assert match() == 0


@pytest.mark.parametrize("blind", ["ana", "ben"])
def test_nobody_is_given_somebody_whom_they_may_not_see(
    people: dict[str, Person], read_people: Callable[..., Any], blind: str
) -> None:
    team = Team.objects.create(name="Everybody else", slug="else")
    for key in set(people) - {blind}:
        team.memberships.create(person=people[key])
    read_people()
    Source.objects.filter(kind="people").update(audience=Audience.objects.of([f"team:{team.pk}"]))
    mentoring.offer(person=people["ana"], topic="Pumps")
    mentoring.wish(person=people["ben"], topic="Pumps")
    assert match() == 0
    team.memberships.create(person=people[blind])
    assert match() == 1


def test_everybody_s_places_are_taken(people: dict[str, Person]) -> None:
    together(people["ana"], people["ben"])
    mentoring.wish(person=people["cleo"], topic="Pumps")
    assert match() == 0
    mentoring.offer(person=people["ana"], topic="Pumps", places=2)
    assert match() == 1


def test_a_proposal_that_one_does_not_confirm_lapses_silently_and_the_wish_stands(people: dict[str, Person]) -> None:
    mentoring.offer(person=people["ana"], topic="Pumps")
    mentoring.wish(person=people["ben"], topic="Pumps")
    match()
    row = Mentorship.objects.get()
    mentoring.confirm(mentorship=row, person=people["ben"], yes=True)
    Notice.objects.all().delete()
    Mentorship.objects.update(proposed_at=timezone.now() - timedelta(days=14, minutes=1))
    assert not my_mentoring.mine(Viewer.of(people["ben"])).proposed
    with pytest.raises(ValidationError):
        mentoring.confirm(mentorship=row, person=people["ana"], yes=True)
    mentoring.offer(person=people["cleo"], topic="Pumps")
    assert match() == 1
    assert paired() == {("ben", "ana"), ("ben", "cleo")}
    assert not Notice.objects.filter(subject=row.public_id).exists()


@pytest.mark.parametrize(("who", "other"), [("ana", "ben"), ("ben", "ana")])
def test_a_no_reads_as_an_answer_that_has_not_come(people: dict[str, Person], who: str, other: str) -> None:
    mentoring.offer(person=people["ana"], topic="Pumps")
    mentoring.wish(person=people["ben"], topic="Pumps")
    match()
    row, reader = Mentorship.objects.get(), signed_in(people[other])
    mentoring.confirm(mentorship=row, person=people[other], yes=True)
    tokens = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')
    before = tokens.sub(b"", reader.get(PAGE).content)
    mentoring.confirm(mentorship=row, person=people[who], yes=False)
    match()
    assert tokens.sub(b"", reader.get(PAGE).content) == before
    assert b"has not answered yet" in before
    assert not my_mentoring.mine(Viewer.of(people[who])).proposed


def test_nobody_reads_a_wish_but_whoever_is_found(people: dict[str, Person]) -> None:
    mentoring.wish(person=people["ben"], topic="Hydraulics", note="for the new rig")
    mentoring.offer(person=people["ana"], topic="Hydraulics")
    for key in ("ana", "cleo"):
        client = signed_in(people[key])
        for address in (PAGE, people["ben"].get_absolute_url(), "/people/", "/"):
            assert b"new rig" not in client.get(address).content
    match()
    assert b"for the new rig" in signed_in(people["ana"]).get(PAGE).content
    assert b"new rig" not in signed_in(people["cleo"]).get(PAGE).content
    assert b"Ben Okafor" not in signed_in(people["cleo"]).get(PAGE).content


# What the two do -----------------------------------------------------------------------------------------------------


def test_a_mentorship_from_wish_to_looking_back(people: dict[str, Person]) -> None:
    ana, ben = signed_in(people["ana"]), signed_in(people["ben"])
    ana.post(PAGE, {"act": "offer", "topic": "Pumps", "places": "1"})
    ben.post(PAGE, {"act": "wish", "topic": "Pumps"})
    match()
    which = str(Mentorship.objects.get().public_id)
    assert "Somebody was found" in ben.get(PAGE).content.decode()
    ana.post(PAGE, {"act": "yes", "which": which})
    ben.post(PAGE, {"act": "yes", "which": which})
    assert not Wish.objects.exists(), "a wish that came true is over"
    soon = timezone.localtime() + timedelta(days=3)
    answer = ben.post(
        PAGE, {"act": "meet", "which": which, "at": f"{soon:%Y-%m-%dT%H:%M}", "minutes": "45"}, follow=True
    )
    assert "Put it into my calendar" in answer.content.decode()
    ana.post(PAGE, {"act": "leave", "which": which})
    told = _tellers["mentor-ended"](Viewer.of(people["ben"]), [Mentorship.objects.get().public_id])
    assert [said.text for said in told.values()] == ["Your mentorship with Ana Lima in Pumps has ended"]
    ben.post(PAGE, {"act": "look-back", "which": which, "said": "I can prime a pump.\nNext: seals."})
    assert "I can prime a pump. Next: seals." in ana.get(PAGE).content.decode()
    assert {field.name for field in Mentorship._meta.get_fields()}.isdisjoint({"reason", "why", "left_by"})


def test_a_stranger_can_do_nothing_with_it(people: dict[str, Person]) -> None:
    row = together(people["ana"], people["ben"])
    at = timezone.now() + timedelta(days=1)
    mentoring.meet(mentorship=row, person=people["ana"], at=at)
    client = signed_in(people["cleo"])
    for act in ("yes", "no", "meet", "leave", "look-back"):
        assert client.post(PAGE, {"act": act, "which": str(row.public_id)}).status_code == 404
    assert client.get(reverse("experts:mentoring-invitation", args=[row.public_id])).status_code == 404
    for verb in (mentoring.leave, mentoring.confirm, mentoring.meet, mentoring.look_back):
        more: Any = {mentoring.confirm: {"yes": True}, mentoring.meet: {"at": at}, mentoring.look_back: {"said": ""}}
        with pytest.raises(Http404):
            verb(mentorship=row, person=people["cleo"], **more.get(verb, {}))  # type: ignore[operator]
    assert client.post(PAGE, {"act": "nonsense", "which": str(row.public_id)}).status_code == 404
    assert signed_in(people["ana"]).post(PAGE, {"act": "nonsense", "which": str(row.public_id)}).status_code == 404


def test_the_page_asks_the_database_as_often_with_many_as_with_few(
    people: dict[str, Person], make_person: Callable[..., Any]
) -> None:
    client = signed_in(people["ana"])

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(PAGE).status_code == 200
        return len(asked)

    together(people["ana"], people["ben"])
    few = queries()
    mentoring.offer(person=people["ana"], topic="Pumps", places=8)
    for n in range(5):
        mentoring.wish(person=make_person(f"more{n}", name=f"More {n}"), topic="Pumps", note="please")
    match()
    assert queries() == few
    assert few <= 11


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"act": "wish", "topic": ""}, "Name the topic"),
        ({"act": "wish", "topic": "?!"}, "Name a topic."),
        ({"act": "wish", "topic": "x" * 81}, "at most 80"),
        ({"act": "wish", "topic": "Pumps", "note": "kept " * 100}, "at most 300"),
        ({"act": "offer", "topic": "Pumps", "places": "99"}, "Write a number from 1 to 8."),
        ({"act": "offer", "topic": "Pumps", "places": "many"}, "Write a number"),
    ],
)
def test_what_cannot_be_is_said_with_its_cure_and_kept(
    people: dict[str, Person], said: dict[str, str], words: str
) -> None:
    answer = signed_in(people["ana"]).post(PAGE, said)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert words in html
    assert all(value.strip() in html for value in said.values())


def test_ten_wishes_are_enough(people: dict[str, Person]) -> None:
    for n in range(mentoring.MOST):
        mentoring.wish(person=people["ana"], topic=f"Topic {n}")
    with pytest.raises(ValidationError, match="take one away first"):
        mentoring.wish(person=people["ana"], topic="One more")
    mentoring.wish(person=people["ana"], topic="topic 3", note="said again")
    mentoring.take_back(person=people["ana"], key="topic-3", offered=False)
    mentoring.wish(person=people["ana"], topic="One more")


# Meetings and calendars ----------------------------------------------------------------------------------------------


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
    assert match() == 1, "the place is free again"


def test_a_name_that_is_removed_takes_along_what_its_owner_said(people: dict[str, Person]) -> None:
    row = together(people["ana"], people["ben"])
    mentoring.offer(person=people["ben"], topic="Seals", note="zyxwv offers")
    mentoring.wish(person=people["ben"], topic="Bearings", note="zyxwv wishes")
    mentoring.leave(mentorship=row, person=people["ben"])
    mentoring.look_back(mentorship=row, person=people["ben"], said="zyxwv looks back")
    deactivate(people=[people["ben"]])
    people["ben"].refresh_from_db()
    remove_name(person=people["ben"], reason="asked for it")
    kept = [*Offer.objects.values_list("note"), *Wish.objects.values_list("note")]
    kept += Mentorship.objects.values_list("mentor_said", "mentee_said")
    assert "zyxwv" not in str(kept)


def test_who_hides_stays_known_to_whom_they_work_with_and_is_proposed_to_nobody(people: dict[str, Person]) -> None:
    together(people["ana"], people["ben"])
    mentoring.offer(person=people["ana"], topic="Seals")
    mentoring.wish(person=people["cleo"], topic="Seals")
    assert match() == 1
    Availability.objects.create(person=people["ana"], hidden=True)
    mine = signed_in(people["ben"]).get(PAGE).content.decode()
    assert "Ana Lima" in mine
    assert people["ana"].get_absolute_url() not in mine
    assert "Ana Lima" not in signed_in(people["cleo"]).get(PAGE).content.decode()
