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

from django.db.models import Aggregate, Count, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from experts.asking.load import MEMORY, WEEK, WEEKLY, Room, zone_of
from experts.models import Closed, Mentorship, Person, Place, Turn

People = TypeVar("People", bound=QuerySet[Any])

KEPT = timedelta(weeks=12)
"""How long hours that somebody agreed to give a team are counted as taken: a proposal has no end."""
MENTORING = 1
"""Hours a week that a mentor gives to each mentorship that runs."""
A_DAY = timedelta(days=1)
"""So far before or after the one in UTC is today, somewhere in the world, at most."""


class Listed(Aggregate):
    """The values of a group as text, with commas between: many moments in one column of one question."""

    function = "GROUP_CONCAT"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="STRING_AGG((%(expressions)s)::text, ',')", **more)


def with_room(people: People, now: datetime | None = None, *, promised: bool = False) -> People:
    """These people, with what `room` needs to know of them.

    What is asked without a name counts when it shows: a number that went down
    before would tell when it was asked. With ``promised`` it counts at once.
    """
    now = now or timezone.now()
    lately = Q(at__gt=now - MEMORY) if promised else Q(at__gt=now - MEMORY, at__lte=now)
    turns = Turn.objects.filter(lately, person=OuterRef("pk"), how__in=Turn.COUNTED)
    places = Place.objects.filter(person=OuterRef("pk"))
    teams = places.filter(asked_at__gt=now - MEMORY).exclude(proposal__owner=OuterRef("pk"))
    agreed = places.filter(agreed_at__gt=now - KEPT, proposal__owner__is_active=True)
    runs = Mentorship.objects.filter(mentor=OuterRef("pk"), ended_at=None).exclude(mentor_yes_at=None)
    return people.annotate(
        room_at=Value(now, output_field=DateTimeField()),
        room_weekly=F("availability__asks_a_week"),
        room_hours=F("availability__hours_a_week"),
        room_shows=F("availability__shows_time"),
        room_turns=_of(turns, Listed("at")),
        room_teams=_of(teams, Listed("asked_at")),
        room_agreed=_of(agreed, Sum("proposal__hours")),
        room_mentees=_of(runs.exclude(mentee_yes_at=None), Count("pk"), "mentor"),
        room_closed=closed_of("pk", now),
    )


def closed_of(person: str, now: datetime) -> Subquery:
    """The days that a person has closed and that are not over, as one column that `periods` reads; ``person`` says
    where in the row it is named who that is."""
    ahead = Closed.objects.filter(person=OuterRef(person), until__gte=now.astimezone(UTC).date() - A_DAY)
    period = Concat(Cast("since", TextField()), Value("/"), Cast("until", TextField()), output_field=TextField())
    return _of(ahead, Listed(period))


def _of(rows: QuerySet[Any], what: Any, person: str = "person") -> Subquery:
    return Subquery(rows.order_by().values(person).annotate(found=what).values("found"))


def room(person: Person) -> Room:
    """What there is of this person's time, who was asked for `with_room`."""
    told: Any = person
    now: datetime = told.room_at
    weekly = WEEKLY if told.room_weekly is None else told.room_weekly
    turns, teams = _moments(told.room_turns), _moments(told.room_teams)
    week = sorted(at for at in (*turns, *teams) if at > now - WEEK)
    there = now.astimezone(zone_of(person.time_zone)).date()
    return Room(
        weekly=weekly,
        week=len(week),
        month=len(turns) + len(teams),
        again=week[len(week) - weekly] + WEEK if len(week) >= weekly > 0 else None,
        last=max(turns, default=None),
        closed=max((until for since, until in periods(told.room_closed) if since <= there <= until), default=None),
        hours=told.room_hours,
        taken=(told.room_agreed or 0) + MENTORING * (told.room_mentees or 0),
        shows=bool(told.room_shows),
        zone=person.time_zone,
    )


def _moments(listed: str | None) -> list[datetime]:
    """Moments as a database writes them: SQLite without a time zone, in UTC."""
    found = map(datetime.fromisoformat, listed.split(",") if listed else ())
    return [at if at.tzinfo else at.replace(tzinfo=UTC) for at in found]


def periods(listed: str | None) -> list[tuple[date, date]]:
    """The first and last days that stand in a column of `closed_of`."""
    days = [tuple(map(date.fromisoformat, one.split("/"))) for one in (listed.split(",") if listed else ())]
    return [(since, until) for since, until in days]


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
    days = [has.closed + timedelta(days=1)] if has.closed else []
    days += [has.again.astimezone(zone_of(has.zone)).date()] if has.again else []
    left, free = max(0, has.weekly - has.week), max(days, default=None)
    return TimeLeft(left, has.weekly, has.hours, free)
