"""Rows of CSV, JSON, JSON lines and workbooks, each row a mapping or the reason why it is none."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from knowledge.markup import clean
from knowledge.parsers import decode
from knowledge.sandbox import LIMITS, ExtractionError, in_child

FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xlsx", ".csv.gz", ".jsonl.gz", ".json.gz")
DELIMITERS = (",", ";", "\t", "|")
MAX_ROWS = 500_000
MAX_CELL = 1_000_000


class TableError(Exception):
    """The table cannot be read at all; the message says why and the cure."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as an editor counts it, its values by column, and what is wrong with it.

    ``values`` is `None` where not even its key can be told.
    """

    number: int
    values: dict[str, Any] | None
    problem: str = ""


def read_rows(data: bytes, name: str, *, delimiter: str = "", limit: int) -> list[Row]:
    """All rows of a file by its name's ending. ``limit`` is for its unpacked bytes; raises `TableError`."""
    return list(each_row(data, name, delimiter=delimiter, limit=limit))


def each_row(data: bytes, name: str, *, delimiter: str = "", limit: int) -> Iterator[Row]:
    """As `read_rows`, one row at a time."""
    ending = name.lower()
    if ending.endswith(".gz"):
        data, ending = unpacked(data, limit), ending.removesuffix(".gz")
    if len(data) > limit:
        raise TableError(f"It is larger than {limit / 1e6:g} MB: split it, or raise the source's “max_bytes”.")
    if ending.endswith(".xlsx"):
        rows = _workbook(data, limit)
    elif ending.endswith((".jsonl", ".ndjson")):
        rows = _json_lines(decode(data))
    elif ending.endswith(".json"):
        rows = _json(decode(data))
    elif ending.endswith((".csv", ".tsv", ".txt")):
        rows = _separated(clean(decode(data)), delimiter or ("\t" if ending.endswith(".tsv") else ""))
    else:
        raise TableError(f"Its name has none of the endings that can be read: {', '.join(FORMATS)}. Rename it.")
    for count, row in enumerate(rows):
        if count >= MAX_ROWS:
            raise TableError(f"It has more than {MAX_ROWS:,} rows: split it into several catalogues.")
        yield row


def unpacked(data: bytes, limit: int) -> bytes:
    """The content of a gzip file, all its members, never more than ``limit`` bytes of it in memory."""
    parts = bytearray()
    while data:
        packed = zlib.decompressobj(wbits=31)
        try:
            parts += packed.decompress(data, limit + 1 - len(parts))
        except zlib.error as error:
            raise TableError("It is no gzip file, or a damaged one: pack it anew.") from error
        if len(parts) > limit:
            raise TableError(
                f"It unpacks to more than {limit / 1e6:g} MB: split it, or raise the source's “max_bytes”."
            )
        if not packed.eof:
            raise TableError("The gzip file ends too early: copy it again.")
        data = packed.unused_data.lstrip(b"\0")
    return bytes(parts)


def _separated(text: str, delimiter: str) -> Iterator[Row]:
    if delimiter and len(delimiter) != 1:
        raise TableError("The option delimiter is one character.")
    csv.field_size_limit(MAX_CELL)
    first = text.lstrip("\n").partition("\n")[0]
    delimiter = delimiter or max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
    except csv.Error as error:
        raise TableError(f"Its first line cannot be read ({error}): it must hold the names of the columns.") from error
    yield from _named(header, _lines(reader))


def _lines(reader: Any) -> Iterator[tuple[int, list[str] | str]]:
    while True:
        start = reader.line_num + 1
        try:
            yield start, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, f"it cannot be read ({error}): look at its quotes"


def _named(header: list[str], lines: Iterator[tuple[int, list[str] | str]]) -> Iterator[Row]:
    """Lines of cells as mappings by the header's names."""
    names = [name.strip() for name in header]
    if len({name for name in names if name}) != len([name for name in names if name]):
        twice = next(name for name in names if name and names.count(name) > 1)
        raise TableError(f"Two columns are called “{twice}”: rename one.")
    for number, cells in lines:
        if isinstance(cells, str):
            yield Row(number, None, cells)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        values: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=False) if name}
        over = any(cell.strip() for cell in cells[len(names) :])
        yield Row(number, values, "it has more cells than there are columns: look at its quotes" if over else "")


def _json_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(number, None, f"it is no valid JSON ({str(error)[:80]})")
            continue
        yield _row(number, value)


def _json(text: str) -> Iterator[Row]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(f"It is no valid JSON ({str(error)[:80]}).") from error
    if isinstance(value, dict):
        value = next((part for part in value.values() if isinstance(part, list)), None)
    if not isinstance(value, list):
        raise TableError("It holds no list of rows: a JSON catalogue is a list of objects.")
    for number, one in enumerate(value, 1):
        yield _row(number, one)


def _row(number: int, value: Any) -> Row:
    if isinstance(value, dict):
        return Row(number, {clean(str(name)): _clean(inner) for name, inner in value.items()})
    return Row(number, None, "it is no JSON object with named values")


def _clean(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return clean(value[:MAX_CELL])
    if isinstance(value, list):
        return [_clean(one, depth + 1) for one in value] if depth < 8 else None
    if isinstance(value, dict):
        return {clean(str(name)): _clean(one, depth + 1) for name, one in value.items()} if depth < 8 else None
    return value


def _workbook(data: bytes, limit: int) -> Iterator[Row]:
    try:
        table = in_child("table", data, limits=replace(LIMITS, input_mb=limit / 1e6, seconds=60), form="xlsx")
    except ExtractionError as error:
        raise TableError(str(error)) from error
    filled = iter([(number, cells) for number, cells in enumerate(table, 1) if any(cell.strip() for cell in cells)])
    _, header = next(filled, (0, []))
    yield from _named(header, filled)
