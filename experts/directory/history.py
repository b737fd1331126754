"""Where teams stood and who managed whom before: what is added up over past time stays true after a change.

A row is written when something changes and says how it was *until* then; how
it is since the last of them stands in the team and the person themselves. So
what never changed needs no row, and a day before the first change is answered
by that first row. Memberships hold their own time (`Membership.since`,
``until``). Nothing here is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.utils import timezone

if TYPE_CHECKING:
    from knowledge.access import Viewer


class Placement(models.Model):
    """What a team was called, and which team it stood under, until a moment."""

    team = models.ForeignKey("experts.Team", on_delete=models.CASCADE, related_name="placements", editable=False)
    name = models.CharField(max_length=120, editable=False)
    parent = models.ForeignKey("experts.Team", null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    until = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["team", "until"])]

    def __str__(self) -> str:
        return self.name


class Reporting(models.Model):
    """Whom a person reported to until a moment; `None` is nobody."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reportings", editable=False
    )
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    until = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["person", "until"])]


def lasted(moment: datetime) -> Q:
    """That a row with ``since`` and ``until`` held at the moment: from the first on, until before the second."""
    return Q(since__lte=moment) & (Q(until=None) | Q(until__gt=moment))


class TeamQuerySet(models.QuerySet[Any]):
    """Teams by time."""

    def current(self) -> TeamQuerySet:
        """Those that are not dissolved."""
        return self.filter(lasted(timezone.now()))

    def of(self, viewer: Viewer) -> TeamQuerySet:
        """Those that the viewer is in today, by name: of them they can choose who reads something."""
        from experts.models import Membership

        here = Exists(Membership.objects.current().filter(team=OuterRef("pk"), person=viewer.person_id))
        return self.filter(here).order_by("name", "pk")

    def as_of(self, moment: datetime) -> TeamQuerySet:
        """Those that there were at the moment, each with ``name_then`` and ``parent_then`` (an id)."""
        stood = Placement.objects.filter(team=OuterRef("pk"), until__gt=moment).order_by("until", "pk")
        found: TeamQuerySet = self.filter(lasted(moment)).annotate(
            name_then=_then(stood, "name", models.CharField()),
            parent_then=_then(stood, "parent_id", models.BigIntegerField()),
        )
        return found


def managers_as_of(people: models.QuerySet[Any], moment: datetime) -> models.QuerySet[Any]:
    """The people, each with ``manager_then``: the id of whom they reported to at the moment."""
    told = Reporting.objects.filter(person=OuterRef("pk"), until__gt=moment).order_by("until", "pk")
    found: models.QuerySet[Any] = people.annotate(manager_then=_then(told, "manager_id", models.BigIntegerField()))
    return found


def _then(rows: models.QuerySet[Any], name: str, kind: models.Field[Any, Any]) -> Case:
    """What the first row that ended after the moment says, even if that is nothing; else what is so now."""
    return Case(When(Exists(rows), then=Subquery(rows.values(name)[:1])), default=F(name), output_field=kind)


ABOVE = 0x1A_B0_7E
"""The number of the lock that `alone` takes: any that nothing else here takes."""


class Circle(ValidationError):
    """Somebody would be above themselves."""


def refuse_circle(
    rows: models.QuerySet[Any], field: str, over: Mapping[int, int | None], said: str, ones: Iterable[int] | None = None
) -> None:
    """Raise `Circle` with these words when one of these rows would stand above itself, over however many steps.

    ``over`` says of ids which is to be in their ``field``; ``ones`` are those of them that are looked at, if not all.
    One question a level, however many rows, so that no line is too long and no table read.
    """
    looked_at = list(over if ones is None else ones)
    known: dict[int, int | None] = {}
    step = set(looked_at)
    while step:
        told = {one: over[one] for one in step if one in over}
        if others := step - told.keys():
            told |= dict(rows.filter(pk__in=others).values_list("pk", field))
        known |= told
        step = {above for above in told.values() if above is not None} - known.keys()
    for one in looked_at:
        above, seen = known.get(one), set[int]()
        while above is not None and above not in seen:
            if above == one:
                raise Circle(said)
            seen.add(above)
            above = known.get(above)


def alone() -> None:
    """Hold every other change of who stands over whom until this transaction ends.

    Two changes, each of them right, may close a circle over four people that neither sees. SQLite has one writer
    at a time anyway. Taken before any row is: else two would wait for each other.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ABOVE])
