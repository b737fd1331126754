"""Questions to the database that are written once and asked many times.

Django writes the SQL of a queryset anew each time it is asked. For the rules
of who may see what that takes it many times longer than the database takes to
answer. Here a queryset is built once for each number of values, with stand-ins
that cannot be real values; what is kept is its SQL and where each value
belongs. The rule stays where it is, in the queryset, and every question is
asked of the database as it is now.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from typing import Any

from django.db import connections, models

Values = Sequence[Any]
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Prepared:
    """``build(*lists)`` makes a queryset from lists of values (texts, numbers or UUIDs); `rows` asks it.

    The queryset may depend on nothing else, least of all on the time: what it
    takes from elsewhere is taken once. A list is asked for with its length
    rounded up (its last value repeated), so that few questions are ever written.
    """

    LARGEST = 64

    def __init__(self, build: Callable[..., models.QuerySet[Any]], using: str = "default") -> None:
        self.build = build
        self.using = using
        self._known: dict[Hashable, tuple[type[models.Model], str, list[Any]]] = {}

    def rows(self, *lists: Values) -> models.query.RawQuerySet[Any] | list[Any]:
        """The rows for these values; none where a list is empty."""
        if not all(lists):
            return []
        filled = [_rounded(values) for values in lists]
        native = connections[self.using].features.has_native_uuid_field
        shape = (connections[self.using].vendor, *((type(values[0]), len(values)) for values in filled))
        known = self._known.get(shape)
        if known is None:
            if len(self._known) >= self.LARGEST:
                self._known.clear()
            known = self._known[shape] = self._write(filled)
        model, sql, places = known
        params = [_stored(filled[one.part][one.at], native) if isinstance(one, _Place) else one for one in places]
        return model._default_manager.using(self.using).raw(sql, params)

    def _write(self, filled: Sequence[Values]) -> tuple[type[models.Model], str, list[Any]]:
        """The SQL with the place of each value among its parameters."""
        stand_ins = [[_stand_in(values[0]) for _ in values] for values in filled]
        found = self.build(*stand_ins)
        sql, params = found.query.get_compiler(self.using).as_sql()
        native = connections[self.using].features.has_native_uuid_field
        known = {
            _stored(value, native): _Place(part, at)
            for part, values in enumerate(stand_ins)
            for at, value in enumerate(values)
        }
        places = [known.get(param, param) if isinstance(param, Hashable) else param for param in params]
        if set(known.values()) - {place for place in places if isinstance(place, _Place)}:
            raise TypeError("A prepared queryset must ask for each of its values as it is given.")
        if any(isinstance(param, date) or _DATE.match(str(param)) for param in params if param not in known):
            raise TypeError("A prepared queryset must not hold a time: it would stay that of the first question.")
        return found.model, sql, places


class _Place:
    """Where a parameter comes from: the number of the list and the place in it."""

    __slots__ = ("at", "part")

    def __init__(self, part: int, at: int) -> None:
        self.part = part
        self.at = at


def _rounded(values: Values) -> list[Any]:
    """The values with the last one repeated, until there are as many as a power of two."""
    values = list(values)
    return values + values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))


def _stand_in(value: Any) -> Any:
    """A value of the same type that no one ever gave."""
    if isinstance(value, int):
        return -secrets.randbits(62)
    return uuid.uuid4() if isinstance(value, uuid.UUID) else f"\x00{uuid.uuid4()}"


def _stored(value: Any, native: bool) -> Any:
    """A value as the database takes it."""
    return value.hex if isinstance(value, uuid.UUID) and not native else value
