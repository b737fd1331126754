"""Who has room to be asked now: the same for a question, for a team and on a page, by the person's own clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from experts.asking import turns
from experts.asking.load import MEMORY, WEEK, Room
from experts.models import Ask, Availability, Closed, Mentorship, Person, Place, Proposal, Turn
from experts.room import KEPT, room, time_left, with_room
from experts.teams.line_ups import reachable
from knowledge.models import Audience
from tests.experts.asked import see

pytestmark = pytest.mark.django_db
HOW = Turn.How
EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""Where it is a day later than in UTC from ten in the morning on, and a day earlier until eleven."""


def a_turn(person: Person, at: datetime, how: str = HOW.PASSED) -> Turn:
    ask = Ask.objects.create(text="Why?", audience=Audience.objects.of(["everyone"]))
    return Turn(ask=ask, person=person, at=at, how=how)


def a_place(person: Person, owner: Person, hours: int, asked: datetime | None, agreed: datetime | None = None) -> Place:
    proposal = Proposal.objects.create(owner=owner, text="Overhaul", hours=hours)
    return Place(proposal=proposal, person=person, asked_at=asked, agreed_at=agreed)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_in_one_question_is_what_the_rows_say(make_person: Callable[..., Any], seed: int) -> None:
    chance = random.Random(seed)
    now = datetime(2026, 11, 4, chance.choice([0, 10, 12, 23]), 30, tzinfo=UTC)
    owner = make_person("owner")
    people = [make_person(f"p{n}", time_zone=chance.choice([EAST, WEST, "UTC", "Nowhere/At_All"])) for n in range(6)]
    chosen = {
        one.pk: Availability(
            person=one, asks_a_week=chance.randrange(5), hours_a_week=chance.choice([None, 0, 4, 9]),
            shows_time=chance.random() < 0.5,
        )
        for one in people[1:]
    }  # fmt: skip
    Availability.objects.bulk_create(chosen.values())

    def ago(longest: timedelta) -> datetime:
        """Just within a span, just without, or anywhere about it; now and then to come."""
        drawn = chance.choice([longest, longest - timedelta(seconds=1), longest * chance.uniform(-0.1, 1.2)])
        return now - drawn

    some = [one for one in people for _ in range(5)]
    rows = [a_turn(one, ago(chance.choice([WEEK, MEMORY])), chance.choice(HOW.values)) for one in some]
    Turn.objects.bulk_create(rows)
    places = [
        a_place(
            one, chance.choice([owner, one]), chance.randrange(4), ago(chance.choice([WEEK, MEMORY])),
            chance.choice([None, ago(KEPT)]),
        )
        for one in some
    ]  # fmt: skip
    Place.objects.bulk_create(places)
    closed = [
        Closed(person=one, since=first, until=first + timedelta(days=chance.randrange(2)))
        for one in people
        for first in [now.date() + timedelta(days=chance.choice([-2, -1, 0, 1]))]
    ]
    Closed.objects.bulk_create(closed)
    yes = [chance.choice([None, now]) for _ in some * 3]
    met = [
        Mentorship(mentor=one, mentee=owner, key=f"k{n}", name="K", mentor_yes_at=yes[n], mentee_yes_at=yes[n + 30],
                   ended_at=yes[n + 60])
        for n, one in enumerate(some)
    ]  # fmt: skip
    Mentorship.objects.bulk_create(met)

    def said(one: Person, promised: bool) -> Room:
        mine = chosen.get(one.pk)
        counts = [row.at for row in rows if row.person == one and row.how != "withdrawn" and row.at > now - MEMORY]
        counts = [at for at in counts if promised or at <= now]
        asked = [row.asked_at or now for row in places if row.person == one and row.proposal.owner != one]
        teams = [at for at in asked if at > now - MEMORY]
        week = [at for at in counts + teams if at > now - WEEK]
        cap = mine.asks_a_week if mine else 3
        ends = [at + WEEK for at in sorted(week) if sum(other > at for other in week) < cap]
        agreed = [row for row in places if row.person == one and row.agreed_at and row.agreed_at > now - KEPT]
        zone = one.time_zone if "At_All" not in one.time_zone else "UTC"
        day = now.astimezone(ZoneInfo(zone)).date()
        away = [row.until for row in closed if row.person == one and row.since <= day <= row.until]
        return Room(
            weekly=cap, week=len(week), month=len(counts + teams),
            again=ends[0] if 0 < cap <= len(week) else None,
            last=max(counts, default=None), closed=max(away, default=None),
            hours=mine.hours_a_week if mine else None, shows=bool(mine and mine.shows_time), zone=one.time_zone,
            taken=sum(row.proposal.hours for row in agreed) + sum(row.mentor == one and row.running for row in met),
        )  # fmt: skip

    for promised in (False, True):
        found = with_room(Person.objects.filter(pk__in=[one.pk for one in people]), now, promised=promised)
        assert {one.pk: room(one) for one in found} == {one.pk: said(one, promised) for one in people}


def can_be_asked(person: Person, looks: Person, hours: int = 1) -> set[bool]:
    """What each who asks says of somebody: it is one answer."""
    return {turns.one(person.pk, ()) is not None, bool(reachable(see(looks), [person.pk], hours))}


def shown(person: Person) -> Any:
    return time_left(with_room(Person.objects.filter(pk=person.pk)).get())


@pytest.mark.parametrize(
    ("zone", "hour", "day"), [(EAST, 9, 0), (EAST, 10, 1), (WEST, 10, -1), (WEST, 11, 0), ("UTC", 23, 0)]
)
def test_closed_days_are_days_by_the_clock_of_who_closed_them(
    make_person: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, zone: str, hour: int, day: int
) -> None:
    now = datetime(2026, 11, 4, hour, 30, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    ben, ana = make_person("ben", time_zone=zone), make_person("ana")
    Availability.objects.create(person=ben, shows_time=True)
    today = now.date() + timedelta(days=day)
    for other in (today - timedelta(days=1), today + timedelta(days=1)):
        Closed.objects.create(person=ben, since=other, until=other)
    assert can_be_asked(ben, ana) == {True}
    assert shown(ben).free is None
    Closed.objects.create(person=ben, since=today, until=today)
    assert can_be_asked(ben, ana) == {False}
    assert shown(ben).free == today + timedelta(days=1)


@pytest.mark.parametrize("days", [1, 20])
def test_somebody_is_free_when_neither_days_nor_the_week_are_taken(make_person: Callable[..., Any], days: int) -> None:
    ben, now, today = make_person("ben"), timezone.now(), timezone.localdate()
    Availability.objects.create(person=ben, asks_a_week=1, shows_time=True)
    Closed.objects.create(person=ben, since=today, until=today + timedelta(days=days))
    a_turn(ben, now).save()
    assert shown(ben).free == max(today + timedelta(days=days + 1), timezone.localdate(now + WEEK))


def test_a_question_and_a_team_take_the_same_room(make_person: Callable[..., Any]) -> None:
    ben, ana = make_person("ben"), make_person("ana")
    Availability.objects.create(person=ben, asks_a_week=2, shows_time=True)
    now = timezone.now()
    a_turn(ben, now).save()
    assert can_be_asked(ben, ana) == {True}
    place = a_place(ben, ana, 1, now - WEEK + timedelta(minutes=1))
    place.declined_at = now
    place.save()
    assert can_be_asked(ben, ana) == {False}, "a no is as an answer that has not come"
    left = shown(ben)
    assert (left.left, left.free) == (0, timezone.localdate(now + timedelta(minutes=1)))
    ask = Ask.objects.create(text="And why?", author=ana, audience=Audience.objects.of(["everyone"]), look_at=now)
    assert not turns.give(ask, ben.pk, now)
    Place.objects.update(asked_at=now - WEEK)
    assert can_be_asked(ben, ana) == {True}
    assert turns.give(ask, ben.pk, now)


def test_hours_for_teams_and_for_mentoring_are_taken_of_the_hours_that_somebody_shows(
    make_person: Callable[..., Any],
) -> None:
    ben, ana = make_person("ben"), make_person("ana")
    said = Availability.objects.create(person=ben, asks_a_week=9, hours_a_week=4, shows_time=True)
    now = timezone.now()
    a_place(ben, ana, 2, now, now).save()
    Mentorship.objects.create(mentor=ben, mentee=ana, key="k", name="K", mentor_yes_at=now, mentee_yes_at=now)
    Mentorship.objects.create(mentor=ana, mentee=ben, key="k", name="K", mentor_yes_at=now, mentee_yes_at=now)
    assert [bool(reachable(see(ana), [ben.pk], hours)) for hours in (1, 2)] == [True, False]
    candidate = turns.one(ben.pk, ())
    assert candidate is not None, "a cap of questions is no cap of hours"
    assert candidate.room.load == pytest.approx(3 / 4), "but whoever gives away most is asked less"
    said.shows_time = False
    said.save()
    assert reachable(see(ana), [ben.pk], 40), "asking for more and more hours would tell those that are hidden"
