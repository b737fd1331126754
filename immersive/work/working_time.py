"""Working hours and the calendar: when so many hours of work are done, and how many are left until a day is over.

A person works from Monday to Friday, nine to five by their own clock, and
not on days that they have closed. The clock may be put forward or back
meanwhile: hours are counted as they pass, days as the calendar has them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone

from experts.asking.load import BEGINS, ENDS, zone_of
from experts.models import Person
from experts.room import periods

A_DAY = 8.0
"""Working hours of a day."""
FARTHEST = 3650
"""Days that are looked at; what takes longer ends there."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """One person's working time: ``zone``, a name of a time zone, and ``closed``, their first and last days off."""

    zone: str = "UTC"
    closed: tuple[tuple[date, date], ...] = ()

    def after(self, now: datetime, hours: float) -> datetime:
        """The moment, in their zone, when ``hours`` of working time have passed since ``now``."""
        left = hours
        end = now.astimezone(zone_of(self.zone))
        for begin, end in self._spans(now):
            here = (end - begin) / HOUR
            if left <= here:
                return (begin + left * HOUR).astimezone(zone_of(self.zone))
            left -= here
        return end.astimezone(zone_of(self.zone))

    def until(self, now: datetime, day: date) -> float:
        """Working hours from ``now`` to the end of ``day``; 0 where it is over."""
        spans = self._spans(now, day)
        return sum((end - begin) / HOUR for begin, end in spans)

    def between(self, now: datetime, moment: datetime) -> float:
        """Working hours from ``now`` to ``moment``; 0 where it is past."""
        spans = self._spans(now, moment.astimezone(zone_of(self.zone)).date())
        return sum(max(0.0, (min(end, moment) - begin) / HOUR) for begin, end in spans)

    def _spans(self, now: datetime, last: date | None = None) -> Iterator[tuple[datetime, datetime]]:
        """What is left of each working day from ``now`` on, in UTC, so that an hour is an hour."""
        there = now.astimezone(zone_of(self.zone))
        for ahead in range(FARTHEST):
            try:
                day = there.date() + timedelta(days=ahead)
            except OverflowError:
                return
            if last is not None and day > last:
                return
            if day.weekday() >= 5 or any(since <= day <= until for since, until in self.closed):
                continue
            begin, end = (datetime.combine(day, at, tzinfo=zone_of(self.zone)).astimezone(UTC) for at in (BEGINS, ENDS))
            begin = max(begin, now.astimezone(UTC))
            if begin < end:
                yield begin, end


def today_of(person: Person) -> date:
    """The day that it is where a person works; a task is due, over and asked about by this day."""
    return timezone.localdate(timezone=zone_of(person.time_zone))


def clock_of(person: Any) -> Clock:
    """The working time of one person."""
    return clocks_of([person]).get(person.pk, Clock())


def clocks_of(people: Iterable[Any]) -> dict[int, Clock]:
    """The working time of each of these people, by their ids; one question to the database."""
    return clocks_by_id([person.pk for person in people])


def clocks_by_id(ids: Collection[int]) -> dict[int, Clock]:
    """As `clocks_of`, of people of whom only the ids are known."""
    closed: dict[int, list[tuple[date, date]]] = {}
    zones: dict[int, str] = {}
    rows = Person.objects.filter(pk__in=ids).order_by("pk", "closed__since", "closed__until")
    for pk, zone, since, until in rows.values_list("pk", "time_zone", "closed__since", "closed__until"):
        zones[pk] = zone
        if since is not None:
            closed.setdefault(pk, []).append((since, until))
    return {pk: Clock(zone, tuple(closed.get(pk, ()))) for pk, zone in zones.items()}


def clock_told(person: Person, closed: str | None) -> Clock:
    """The working time of a person of whom a column of `room.closed_of` tells the days that are closed."""
    return Clock(person.time_zone, tuple(sorted(periods(closed))))
