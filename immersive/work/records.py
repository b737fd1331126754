"""What became of tasks, as far as anybody may know it: counts of blocks of outcomes, whose they were is not kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Sum

from immersive.work.models import Record
from immersive.work.routes import Counts, Difficulty, History, Route, Stratum

PEOPLE = 5
"""Of so many people each block holds one outcome."""


def history() -> History:
    """Published outcomes by route, difficulty and band, and over all of each."""
    found: dict[Stratum, Counts] = defaultdict(Counts)
    rows = Record.objects.filter(resource=None).values("route", "difficulty", "band")
    for row in rows.annotate(worked=Sum("worked"), outcomes=Sum("outcomes")).order_by():
        route, band = Route(row["route"]), row["band"] or None
        difficulty = Difficulty(row["difficulty"]) if row["difficulty"] else None
        for stratum in {(route, difficulty, band), (route, difficulty, None), (route, None, None)}:
            so_far = found[stratum]
            found[stratum] = Counts(so_far.worked + row["worked"], so_far.outcomes + row["outcomes"])
    return dict(found)


def of_resources(ids: Collection[int]) -> dict[int, Counts]:
    """Published outcomes of tasks that went by one of these resources, by their ids."""
    rows = Record.objects.filter(resource__in=ids).values("resource")
    return {
        row["resource"]: Counts(row["worked"], row["outcomes"])
        for row in rows.annotate(worked=Sum("worked"), outcomes=Sum("outcomes")).order_by()
    }
