"""Who has room to be asked now: what people chose of their time, and what of it is taken.

One reading for everybody who asks: questions (`asking.turns`), teams
(`teams.line_ups`) and what pages show of somebody's week (`time_left`). It
goes along with the people that are asked for anyway (`with_room`), so that a
list of people costs no question more; what follows from it is `asking.load.Room`.

An ask is a question that came to somebody, or to be in a team of another's,
answered or not: both interrupt, so both count beside the cap. Closed days are
days by the person's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Count, DateTimeField, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.utils import timezone

from experts.asking.load import MEMORY, WEEK, WEEKLY, Room, zone_of
from experts.models import Closed, Mentorship, Person, Place, Turn

People = TypeVar("People", bound=QuerySet[Any])

KEPT = timedelta(weeks=12)
"""How long hours that somebody agreed to give a team are counted as taken: a proposal has no end."""
MENTORING = 1
"""Hours a week that a mentor gives to each mentorship that runs."""
DAYS = (-1, 0, 1)
"""Today somewhere in the world is one of these days beside the one in UTC."""


def with_room(people: People, now: datetime | None = None, *, promised: bool = False) -> People:
    """These people, with what `room` needs to know of them.

    What is asked without a name counts when it shows: a number that went down
    before would tell when it was asked. With ``promised`` it counts at once.
    """
    now = now or timezone.now()
    lately = Q(at__gt=now - MEMORY) if promised else Q(at__gt=now - MEMORY, at__lte=now)
    turns = Turn.objects.filter(lately, person=OuterRef("pk"), how__in=Turn.COUNTED)
    places = Place.objects.filter(person=OuterRef("pk"))
    asked = places.filter(asked_at__gt=now - MEMORY).exclude(proposal__owner=OuterRef("pk"))
    agreed = places.filter(agreed_at__gt=now - KEPT, proposal__owner__is_active=True)
    runs = Mentorship.objects.filter(mentor=OuterRef("pk"), ended_at=None).exclude(mentor_yes_at=None)
    week, teams_week = Q(at__gt=now - WEEK), Q(asked_at__gt=now - WEEK)
    today = now.astimezone(UTC).date()
    closed = [
        Closed.objects.filter(person=OuterRef("pk"), since__lte=day, until__gte=day)
        for day in (today + timedelta(days=days) for days in DAYS)
    ]
    return people.annotate(
        room_at=Value(now, output_field=DateTimeField()),
        room_weekly=F("availability__asks_a_week"),
        room_hours=F("availability__hours_a_week"),
        room_shows=F("availability__shows_time"),
        room_week=_of(turns.filter(week), Count("pk")),
        room_month=_of(turns, Count("pk")),
        room_first=_of(turns.filter(week), Min("at")),
        room_last=_of(turns, Max("at")),
        room_teams_week=_of(asked.filter(teams_week), Count("pk")),
        room_teams_month=_of(asked, Count("pk")),
        room_teams_first=_of(asked.filter(teams_week), Min("asked_at")),
        room_agreed=_of(agreed, Sum("proposal__hours")),
        room_mentees=_of(runs.exclude(mentee_yes_at=None), Count("pk"), "mentor"),
        room_before=_of(closed[0], Max("until")),
        room_today=_of(closed[1], Max("until")),
        room_after=_of(closed[2], Max("until")),
    )


def _of(rows: QuerySet[Any], what: Any, person: str = "person") -> Subquery:
    return Subquery(rows.order_by().values(person).annotate(found=what).values("found"))


def room(person: Person) -> Room:
    """What there is of this person's time, who was asked for `with_room`."""
    told: Any = person
    at: datetime = told.room_at
    ahead = (at.astimezone(zone_of(person.time_zone)).date() - at.astimezone(UTC).date()).days
    firsts = [first for first in (told.room_first, told.room_teams_first) if first]
    return Room(
        weekly=WEEKLY if told.room_weekly is None else told.room_weekly,
        week=(told.room_week or 0) + (told.room_teams_week or 0),
        month=(told.room_month or 0) + (told.room_teams_month or 0),
        first=min(firsts, default=None),
        last=told.room_last,
        closed=(told.room_before, told.room_today, told.room_after)[DAYS.index(ahead)],
        hours=told.room_hours,
        taken=(told.room_agreed or 0) + MENTORING * (told.room_mentees or 0),
        shows=bool(told.room_shows),
        zone=person.time_zone,
    )


# What somebody chose to show ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Questions that somebody still takes this week, ``left`` of ``asks``; the ``hours`` a week that they give, if
    they say; and the first day on which they may be asked again, ``free``, if that is not today."""

    left: int
    asks: int
    hours: int | None
    free: date | None

    @property
    def used(self) -> int:
        """The share that is used up, in percent."""
        return round(100 * (self.asks - self.left) / self.asks) if self.asks else 100

    @property
    def text(self) -> str:
        """It in words."""
        if not self.asks:
            return "Takes no questions"
        return f"{self.left} of {self.asks} question{'s' * (self.asks > 1)} left this week"


def time_left(person: Person) -> TimeLeft | None:
    """What this person shows of their time; nothing if they do not, or if they were not asked for `with_room`."""
    if not getattr(person, "room_shows", None):
        return None
    has = room(person)
    left, free = max(0, has.weekly - has.week), None
    if has.closed:
        free = has.closed + timedelta(days=1)
    elif has.weekly and not left and has.first:
        free = (has.first + WEEK).astimezone(zone_of(has.zone)).date()
    return TimeLeft(left, has.weekly, has.hours, free)
