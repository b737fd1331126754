"""Many rows into the database in one statement that is written once.

Django's ``bulk_create`` makes an object of each row, asks each field about
each value several times and writes a statement as long as the batch: at the
sizes of a first sync that is half the work. Here a row is a mapping and a
column is prepared as a whole. SQLite repeats one statement; a server, which
may be far away, is given many rows at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from django.db import connections, models, router
from django.db.models.constants import OnConflict

TOGETHER = 500
"""Rows that a server is given at a time."""
_AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField)


def insert(model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str] = ()) -> None:
    """Insert a row for each mapping of attribute names (``source_id``) to values of their fields' types.

    All rows name the same attributes; the others get their defaults. Nothing is validated, and no signal is sent.
    ``unique``: attributes of a unique constraint; a row that is there already gets the new values of the others.
    """
    if not rows:
        return
    connection: Any = connections[router.db_for_write(model)]
    fields = [field for field in model._meta.concrete_fields if field.attname in rows[0] or not field.primary_key]
    columns = [_column(field, rows, connection) for field in fields]
    quoted = [connection.ops.quote_name(field.column) for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)
    place = f"({', '.join(['%s'] * len(fields))})"
    insert = f"{connection.ops.insert_statement()} {table} ({', '.join(quoted)}) VALUES "
    suffix = ""
    if unique:
        others = [field.column for field in fields if field.attname not in unique]
        there = [field.column for field in fields if field.attname in unique]
        suffix = " " + connection.ops.on_conflict_suffix_sql(fields, OnConflict.UPDATE, others, there)
    values = list(zip(*columns, strict=True))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(insert + place + suffix, values)
            return
        for start in range(0, len(values), TOGETHER):
            some = values[start : start + TOGETHER]
            cursor.execute(insert + ", ".join([place] * len(some)) + suffix, list(chain.from_iterable(some)))


def _column(field: Any, rows: Sequence[Mapping[str, Any]], connection: Any) -> list[Any]:
    """One column's values as the database takes them."""
    name = field.attname
    values = [row[name] for row in rows] if name in rows[0] else [field.get_default() for _ in rows]
    if isinstance(field.target_field if field.is_relation else field, _AS_THEY_ARE):
        return values
    prepare = field.get_db_prep_save
    return [None if value is None else prepare(value, connection=connection) for value in values]
