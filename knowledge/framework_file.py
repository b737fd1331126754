"""A framework's file, as somebody published it, into entries: topics with codes, names, parents and levels.

Published frameworks call the same things by different names. Which column
means what stands in `COLUMNS`, and nothing is guessed from a file's name. Rows
of one code are one topic: a file that has a row for each level of a role, or
for each use of a tool, is read as the roles or tools that it tells of.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from knowledge.connectors.tables import FORMATS, Row, TableError, each_row
from knowledge.index.analysis import topic_key
from knowledge.markup import clean, clean_line

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "id", "uri", "key", "concept_uri", "concepturi", "o*net_soc_code", "element_id"),
    "name": (
        "name", "title", "label", "preferred_label", "preferredlabel", "element_name", "topic", "skill", "role",
        "track", "tool", "tag",
    ),
    "description": ("description", "definition", "role_description"),
    "other_names": ("other_names", "alternate_titles", "alt", "alt_labels", "altlabels", "synonyms", "aliases"),
    "parent": ("parent", "broader", "broader_uri", "broaderuri", "family", "category", "site"),
    "path": ("parents", "path"),
    "levels": ("levels", "milestones"),
    "level": ("level_name", "level"),
    "level_description": ("level_description",),
}  # fmt: skip
"""What each field may be called, the first that is there being taken; case, blanks and hyphens do not matter."""

MAX_BYTES = 50_000_000
"""Of a file, packed and unpacked alike."""
MAX_NAME, MAX_CODE, MAX_TEXT = 200, 200, 5000
MAX_OTHERS, MAX_LEVELS = 5000, 20
KEY = 80
"""Characters of a topic's key, as topics of documents have them."""

_PARTED = re.compile(r"[;|\n]+")
_LINES = re.compile(r"[|\n]+")


class FrameworkRefused(Exception):
    """The file as a whole cannot be used; nothing was imported. The message says the cure."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that was passed over, and what to do about it."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(slots=True)
class Entry:
    """One topic of a framework as its file tells it. ``parent`` is a code, or the name that no row bears."""

    line: int
    code: str
    name: str
    description: str = ""
    parent: str = ""
    others: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """By what the name is compared with topics of documents."""
        return key_of(self.name)

    def digest(self) -> str:
        """One value for all that is stored of it."""
        told = [self.code, self.name, self.description, self.parent, self.others, self.levels]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(slots=True)
class Told:
    """What a file tells: its topics by their codes, rows that need a look, and remarks on the whole."""

    entries: dict[str, Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    rows: int = 0


def key_of(name: str) -> str:
    """What spellings of a topic share, as `Topic.slug` holds it."""
    return topic_key(name)[:KEY]


def read(data: bytes, name: str) -> Told:
    """The topics of a file; ``name`` says its type by its ending. Raises `FrameworkRefused`."""
    if len(data) > MAX_BYTES:
        raise FrameworkRefused(f"It has more than {MAX_BYTES // 1_000_000} MB: split it by its upper topics.")
    told, columns = Told(), _Columns()
    joined = 0
    try:
        for row in each_row(data, name, limit=MAX_BYTES):
            told.rows += 1
            if row.values is None or row.problem:
                told.faults.append(Fault(row.number, f"{row.problem[:1].upper()}{row.problem[1:]}."))
                continue
            try:
                joined += _take(_entry(row, columns.of(row.values)), told)
            except ValueError as problem:
                told.faults.append(Fault(row.number, str(problem)))
    except TableError as error:
        raise FrameworkRefused(str(error).replace(", or raise the source's “max_bytes”", "")) from None
    if not told.rows:
        raise FrameworkRefused("It holds no rows. Its first line names the columns, such as: code,name,description")
    if joined:
        told.remarks.append(f"{joined} rows tell more of a topic that an earlier row names: they were joined to it.")
    if columns.unread:
        told.remarks.append(f"Columns that are not read: {', '.join(sorted(columns.unread))}.")
    _place(told)
    return told


# Columns ----------------------------------------------------------------------------------------------------------


class _Columns:
    """Which column holds which field; looked up once for each set of columns, for rows of JSON may differ."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], dict[str, str]] = {}
        self.unread: set[str] = set()

    def of(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Field -> column. Raises `FrameworkRefused` where no column can be a name."""
        names = tuple(values)
        if names not in self.known:
            self.known[names] = self._found(names)
        return self.known[names]

    def _found(self, names: Sequence[str]) -> dict[str, str]:
        by_name: dict[str, str] = {}
        for name in names:
            by_name.setdefault(re.sub(r"[\s-]+", "_", name.strip().casefold()), name)
        found = {
            wanted: by_name[column]
            for wanted, columns in COLUMNS.items()
            if (column := next((one for one in columns if one in by_name), None))
        }
        if "level_description" not in found:
            found.pop("level", None)  # alone, a level is how deep a topic stands
        if "name" not in found:
            have = ", ".join(f"“{clean_line(name, 40)}”" for name in names) or "none"
            raise FrameworkRefused(
                f"No column is a name. There are: {have}. Call one “name”; also read are code, description, "
                "other_names, parent and levels."
            )
        self.unread |= {clean_line(name, 40) for name in names} - {clean_line(name, 40) for name in found.values()}
        return found


def _entry(row: Row, columns: Mapping[str, str]) -> Entry:
    """One row as it stands; raises `ValueError` with what is wrong and its cure."""
    values = {wanted: (row.values or {}).get(column) for wanted, column in columns.items()}
    name = clean_line(_text(values["name"]), MAX_NAME + 1)
    if not name:
        raise ValueError("It has no name: fill it in.")
    if len(name) > MAX_NAME:
        raise ValueError(f"Its name is longer than {MAX_NAME} characters: shorten it.")
    if not any(map(str.isalnum, name)):
        raise ValueError(f"Its name “{name}” has neither letter nor digit: nobody could look for it. Correct it.")
    code = clean_line(_text(values.get("code")), MAX_CODE + 1) or key_of(name)
    if len(code) > MAX_CODE:
        raise ValueError(f"Its code is longer than {MAX_CODE} characters: shorten it.")
    others = _names(values.get("other_names"))
    if len(others) > MAX_OTHERS:
        raise ValueError(f"It has more than {MAX_OTHERS} other names: leave out the least used.")
    path = _names(values.get("path"))
    levels = _levels(values.get("levels"))
    if level := clean_line(_text(values.get("level")), MAX_NAME):
        levels = (*levels, (level, _long(values.get("level_description"))))
    return Entry(
        line=row.number,
        code=code,
        name=name,
        description=_long(values.get("description")),
        parent=path[-1] if path else next(iter(_names(values.get("parent"))), ""),
        others=tuple(other for other in others if other != name),
        levels=levels,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None or isinstance(value, list | dict) else str(value)


def _long(value: Any) -> str:
    """Text of several lines, no longer than is kept."""
    lines = (clean_line(line, MAX_TEXT) for line in clean(_text(value)).splitlines())
    return "\n".join(lines).strip()[:MAX_TEXT]


def _names(value: Any) -> tuple[str, ...]:
    """Names in a list, or in a cell parted by semicolons, bars or lines."""
    parts = value if isinstance(value, list) else _PARTED.split(_text(value))
    return tuple(dict.fromkeys(name for part in parts if (name := clean_line(_text(part), MAX_NAME))))


def _levels(value: Any) -> tuple[tuple[str, str], ...]:
    """Levels as (name, what it means): of a mapping, of a list, or of a cell with one ``name: text`` a line."""
    found: list[tuple[str, str]] = []
    if isinstance(value, dict):
        found = [(clean_line(name, MAX_NAME), _said(said)) for name, said in value.items()]
    elif isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                name = next((one[key] for key in ("name", "level", "title") if one.get(key) is not None), "")
                said = next((one[key] for key in ("description", "summary", "text") if one.get(key)), "")
                found.append((clean_line(_text(name), MAX_NAME), _said(said)))
            else:
                found.append((clean_line(_text(one), MAX_NAME), ""))
    else:
        for line in _LINES.split(_text(value)):
            name, _, said = line.partition(":")
            found.append((clean_line(name, MAX_NAME), _long(said.strip())))
    return tuple((name, said) for name, said in found if name)[:MAX_LEVELS]


def _said(value: Any) -> str:
    return _long("\n".join(map(_text, value)) if isinstance(value, list) else value)


# The whole --------------------------------------------------------------------------------------------------------


def _take(entry: Entry, told: Told) -> bool:
    """Keep an entry, or join it to the one that has its code; whether it was joined. `ValueError`: it is another's."""
    first = told.entries.get(entry.code)
    if first is None:
        told.entries[entry.code] = entry
        return False
    if key_of(entry.name) != first.key:
        raise ValueError(
            f"Its code “{entry.code}” is that of “{first.name}” in line {first.line}: give it a code of its own."
        )
    first.description = first.description or entry.description
    first.parent = first.parent or entry.parent
    if entry.others:
        first.others = tuple(dict.fromkeys((*first.others, *entry.others)))[:MAX_OTHERS]
    if entry.levels:
        first.levels = tuple(dict((*first.levels, *entry.levels)).items())[:MAX_LEVELS]
    return True


def _place(told: Told) -> None:
    """Let parents be codes: said as a code, or as a name, of which the nearest row above is meant, else the first."""
    above: dict[str, str] = {}
    anywhere: dict[str, str] = {}
    for entry in told.entries.values():
        anywhere.setdefault(entry.key, entry.code)
    missing: list[Entry] = []
    for entry in told.entries.values():
        if entry.parent == entry.code == entry.key:  # without codes: a topic under a heading of its own name
            entry.parent = ""
        if entry.parent and entry.parent not in told.entries:
            wanted = key_of(entry.parent)
            code = above.get(wanted) or anywhere.get(wanted)
            if code and code != entry.code:
                entry.parent = code
            else:
                missing.append(entry)
        above[entry.key] = entry.code
    if missing:
        one = missing[0]
        told.remarks.append(
            f"{len(missing)} topics stand under a name that no row has, such as “{one.parent}” in line {one.line}: "
            "they keep it as a heading."
        )
    for entry in _circling(told.entries):
        told.faults.append(
            Fault(entry.line, "It stands under itself, by way of its parents: correct the parent. It was taken alone.")
        )
        entry.parent = ""


def _circling(entries: Mapping[str, Entry]) -> Iterator[Entry]:
    """One entry of each circle of parents."""
    safe: set[str] = set()
    for entry in list(entries.values()):
        way: dict[str, None] = {}
        at: Entry | None = entry
        while at is not None and at.code not in safe:
            if at.code in way:
                yield at
                break
            way[at.code] = None
            at = entries.get(at.parent)
        safe.update(way)


READ = ", ".join(FORMATS)
"""Endings of files that can be read."""
