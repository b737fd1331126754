"""Questions that every search asks the database: written once, asked anew each time.

Django writes the SQL of a queryset each time it is asked, and for the rules of
who may see what that takes ten times as long as the answer. A `Question` keeps
the SQL and nothing else. What differs from one asking to the next stands in it
as a `Blank`, one parameter for a list of any length, so that there is one SQL
for all viewers and nothing of one viewer can stay for another. The rule itself
is where it always was, in the queryset.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Expression, Model, QuerySet
from django.db.models.query import RawQuerySet


class Blank(Expression):
    """A list in a queryset (``token__in=Blank("tokens", "text")``) that is filled in when the question is asked.

    ``kind`` is the type of its values in PostgreSQL's words: text, uuid or bigint.
    """

    def __init__(self, name: str, kind: str) -> None:
        super().__init__()
        self.name, self.kind = name, kind

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """An array, or on SQLite a list in JSON; the blank itself stands for it among the parameters."""
        if connection.vendor == "sqlite":
            return "(SELECT value FROM json_each(%s))", (self,)
        return f"(SELECT unnest(%s::{self.kind}[]))", (self,)

    def filled(self, values: Iterable[Any]) -> Any:
        """The values as one parameter for the database in use."""
        if connection.vendor != "sqlite":
            return list(values)
        return json.dumps([value.hex if isinstance(value, UUID) else value for value in values])


class Question:
    """What a queryset says of the database now. ``write`` makes it; what it takes from elsewhere is taken once."""

    def __init__(self, write: Callable[[], QuerySet[Any, Any]]) -> None:
        self._write = write
        self._written: dict[str, tuple[type[Model], str, tuple[Any, ...]]] = {}

    def rows(self, **lists: Iterable[Any]) -> list[tuple[Any, ...]]:
        """The rows as the database has them; a list for the name of each blank."""
        _, sql, parameters = self._asked(lists)
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def objects(self, **lists: Iterable[Any]) -> RawQuerySet[Any]:
        """The rows as objects of the model, with what else the queryset selects by name."""
        model, sql, parameters = self._asked(lists)
        return model._default_manager.raw(sql, parameters)

    def _asked(self, lists: dict[str, Iterable[Any]]) -> tuple[type[Model], str, list[Any]]:
        if connection.vendor not in self._written:
            queryset = self._write()
            self._written[connection.vendor] = queryset.model, *queryset.query.sql_with_params()
        model, sql, parameters = self._written[connection.vendor]
        return model, sql, [one.filled(lists[one.name]) if isinstance(one, Blank) else one for one in parameters]
