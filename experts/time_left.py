"""How much time somebody has for others this week: told of those alone who chose to show it.

It goes along with the people that are asked for anyway (`with_time`), so that
a list of people costs no question more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from experts.asking.asks import WEEK, Turn
from experts.models import Availability, Closed, Person

People = TypeVar("People", bound=QuerySet[Any])


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


def with_time(people: People) -> People:
    """These people, with what `time_left` needs to know of them.

    What is asked without a name counts when it shows: a number that went down before would tell when it was asked.
    """
    now, today = timezone.now(), timezone.localdate()
    shows = Availability.objects.filter(person=OuterRef("pk"), shows_time=True)
    turns = Turn.objects.filter(person=OuterRef("pk"), at__gt=now - WEEK, at__lte=now, how__in=Turn.COUNTED)
    counted = turns.order_by().values("person").annotate(count=Count("pk"))
    closed = Closed.objects.filter(person=OuterRef("pk"), since__lte=today, until__gte=today)
    return people.annotate(
        time_asks=Subquery(shows.values("asks_a_week")[:1]),
        time_hours=Subquery(shows.values("hours_a_week")[:1]),
        time_asked=Subquery(counted.values("count")),
        time_first=Subquery(turns.order_by("at").values("at")[:1]),
        time_closed=Subquery(closed.order_by("-until").values("until")[:1]),
    )


def time_left(person: Person) -> TimeLeft | None:
    """What this person shows of their time; nothing if they do not, or if they were not asked for `with_time`."""
    asks: int | None = getattr(person, "time_asks", None)
    if asks is None:
        return None
    told: Any = person
    left = max(0, asks - (told.time_asked or 0))
    first: datetime | None = told.time_first
    free = None
    if told.time_closed:
        free = told.time_closed + timedelta(days=1)
    elif asks and not left and first:
        free = timezone.localdate(first + WEEK)
    return TimeLeft(left, asks, told.time_hours, free)
