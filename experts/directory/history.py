"""Where teams stood and who managed whom before: what is added up over past time stays true after a change.

A row is written when something changes and says how it was *until* then; how
it is since the last of them stands in the team and the person themselves. So
what never changed needs no row, and a day before the first change is answered
by that first row. Memberships hold their own time (`Membership.since`,
``until``). Nothing here is ever rewritten.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.utils import timezone


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


class Circle(ValidationError):
    """Somebody would be above themselves."""


def refuse_circle(rows: models.QuerySet[Any], field: str, one: int, over: int | None, said: str) -> None:
    """Raise `Circle` with these words when row ``one`` would stand above itself with ``over`` in its ``field``.

    One short question a step: no line is long, and there may be a hundred thousand rows.
    """
    step, seen = over, set[int]()
    while step is not None and step not in seen:
        if step == one:
            raise Circle(said)
        seen.add(step)
        step = rows.filter(pk=step).values_list(field, flat=True).first()
