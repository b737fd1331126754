"""A table of people, as somebody exported it, into rows with line numbers; what is wrong is told with its cure."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import available_timezones

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from experts.models import one_line

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "username": ("username", "user name", "user", "login", "account"),
    "email": ("email", "e-mail", "mail", "e-mail address", "email address"),
    "name": ("name", "full name", "display name"),
    "role": ("role", "title", "job title", "position"),
    "teams": ("teams", "team", "department"),
    "manager": ("manager", "reports to"),
    "location": ("location", "place", "office", "site"),
    "time_zone": ("time zone", "time_zone", "timezone"),
    "about": ("about", "bio"),
    "external_id": ("external id", "external_id", "employee id", "personnel number"),
    "active": ("active", "is active"),
}
"""What the columns may be called, whatever the case."""

LIMITS = {
    "username": 150, "email": 254, "name": 200, "role": 120, "location": 120, "about": 2000, "external_id": 254,
}  # fmt: skip
TEAM_NAME_LIMIT = 120
MAX_BYTES = 50_000_000
TOO_LARGE = "The file has more than 50 MB. Split it, each part with the line that names the columns."
DELIMITERS = ",;\t|"
YES, NO = {"yes", "y", "true", "1", "active", "x"}, {"no", "n", "false", "0", "inactive", "left"}

_PATH = re.compile(r"\s+/\s+")
_DECLARED = re.compile(r"""sep=([,;\t|])""", re.IGNORECASE)
"""The line with which some programs say which mark parts the cells."""
_TEAMS = re.compile(r"[;|\n]+")


class ImportRefused(Exception):
    """Nothing was imported. The message says the cure."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that is passed over, or taken in part, whom it is about, and what to do about it."""

    line: int
    text: str
    who: str = ""

    def __str__(self) -> str:
        return f"line {self.line}{f' ({self.who})' if self.who else ''}: {self.text}"


@dataclass(frozen=True, slots=True)
class Row:
    """One person as the file tells it. A field that is `None` says nothing; ``teams`` are paths from the top down."""

    line: int
    name: str
    username: str = ""
    email: str = ""
    external_id: str = ""
    role: str | None = None
    manager: str | None = None
    location: str | None = None
    time_zone: str | None = None
    about: str | None = None
    teams: tuple[tuple[str, ...], ...] | None = None
    active: bool | None = None


@dataclass
class Sheet:
    """The rows of a file, and what is wrong with the others."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read(data: bytes) -> Sheet:
    """Rows of a CSV file in any usual encoding and with any usual delimiter; raises `ImportRefused`."""
    sheet = Sheet()
    text = _decoded(data, sheet)
    first = next((line for line in text.splitlines() if line.strip()), "")
    declared = _DECLARED.fullmatch(first.strip())
    mark = declared[1] if declared else _delimiter(first)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    columns: list[str | None] | None = None
    for number, cells in _numbered(lines):
        if not any(cell.strip() for cell in cells):
            continue
        if declared:
            declared = None
            continue
        if columns is None:
            columns = _columns(cells, sheet)
            continue
        try:
            sheet.rows.append(_row(number, columns, cells))
        except ValidationError as error:
            said = {column: one_line(cell) for column, cell in zip(columns, cells, strict=False) if column}
            who = next(filter(None, map(said.get, ("name", "username", "email", "external_id"))), "")
            sheet.problems.append(Problem(number, " ".join(error.messages), who[: LIMITS["name"]]))
    if columns is None:
        raise ImportRefused("The file is empty. Its first line must name the columns, such as: name,email,role,team")
    return sheet


def _decoded(data: bytes, sheet: Sheet) -> str:
    if len(data) > MAX_BYTES:
        raise ImportRefused(TOO_LARGE)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ImportRefused("This is a workbook of Excel. Open it and save it as “CSV UTF-8”, then choose that file.")
    if data[:200].count(0) > len(data[:200]) // 4 and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode(
            "utf-16-be" if data[::2][:100].count(0) > data[1::2][:100].count(0) else "utf-16-le", "replace"
        )
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace").replace("\0", "")
    try:
        return data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        sheet.remarks.append(
            "The file is not UTF-8 and was read as Western European (Windows-1252). "
            "If names look wrong, save it as “CSV UTF-8” and import it again: that mends them."
        )
    try:
        return data.decode("cp1252").replace("\0", "")
    except UnicodeDecodeError:
        return data.decode("latin-1").replace("\0", "")


def _known(heading: str) -> str | None:
    wanted = one_line(heading).casefold()
    return next((column for column, names in COLUMNS.items() if wanted in names), None)


def _delimiter(first: str) -> str:
    """The one that parts the first line into the most columns that are known."""
    return max(DELIMITERS, key=lambda mark: sum(_known(cell.strip('" ')) is not None for cell in first.split(mark)))


def _numbered(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line that each begins on."""
    while True:
        begins = lines.line_num + 1  # type: ignore[attr-defined]
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRefused(
                f"Line {begins} is no CSV ({error}): look for a quotation mark that is not closed or not doubled."
            ) from None
        yield begins, cells


def _columns(cells: list[str], sheet: Sheet) -> list[str | None]:
    found = [_known(cell) for cell in cells]
    twice = {name for name in found if name and found.count(name) > 1}
    if twice:
        raise ImportRefused(f"Two columns both mean {', '.join(sorted(twice))}. Keep one of them.")
    if "name" not in found or not {"username", "email", "external_id"} & set(found):
        have = ", ".join(f"“{one_line(cell)}”" for cell in cells) or "none"
        raise ImportRefused(
            f"The first line names these columns: {have}. Wanted are “name” and at least one of “username”, "
            f"“email” and “external_id”; also read are {', '.join(c for c in COLUMNS if c not in LIMITS)}, role, "
            "location and about. Rename the columns in the first line and import again."
        )
    ignored = [one_line(cell) for cell, name in zip(cells, found, strict=True) if name is None and cell.strip()]
    if ignored:
        sheet.remarks.append(f"Columns that are not read: {', '.join(ignored)}.")
    return found


def _row(line: int, columns: list[str | None], cells: list[str]) -> Row:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise ValidationError(
            "It has more cells than the first line has columns: put quotation marks around a cell with commas."
        )
    said = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
    about = said.pop("about", None)
    teams = said.pop("teams", None)
    said = {column: one_line(cell) for column, cell in said.items()}
    if about is not None:
        said["about"] = "\n".join(one_line(part) for part in about.splitlines()).strip()
    for column, limit in LIMITS.items():
        if len(said.get(column, "")) > limit:
            raise ValidationError(f"Its {column} is longer than {limit} characters: shorten it.")
    name, username, email = said.get("name", ""), said.get("username", ""), said.get("email", "")
    if not name:
        raise ValidationError("It has no name: fill it in.")
    if not (username or email or said.get("external_id")):
        raise ValidationError("It has no username, e-mail or external id: fill in one, so that it can be found.")
    return Row(
        line=line,
        name=name,
        username=_checked(username, UnicodeUsernameValidator(), "username"),
        email=_checked(email, validate_email, "e-mail address"),
        external_id=said.get("external_id", ""),
        role=said.get("role"),
        manager=said.get("manager"),
        location=said.get("location") or None,
        time_zone=zone(said.get("time_zone", "")),
        about=said.get("about") or None,
        teams=None if teams is None else _teams(teams),
        active=_yes(said.get("active", "")),
    )


def _checked(value: str, validate: object, what: str) -> str:
    try:
        if value:
            validate(value)  # type: ignore[operator]
    except ValidationError:
        raise ValidationError(f"“{value}” is no {what}: correct it.") from None
    return value


@cache
def _zones() -> dict[str, str]:
    return {zone.casefold(): zone for zone in available_timezones()}


def zone(value: str) -> str | None:
    """The time zone of this name, whatever its case; `None` for ""; raises `ValidationError` for an unknown one."""
    if not value:
        return None
    try:
        return _zones()[value.replace(" ", "_").casefold()]
    except KeyError:
        raise ValidationError(f"“{value}” is no time zone: write one such as Europe/Lisbon.") from None


def _teams(cell: str) -> tuple[tuple[str, ...], ...]:
    paths = []
    for part in _TEAMS.split(cell):
        names = tuple(name for name in (one_line(piece) for piece in _PATH.split(part)) if name)
        if any(len(name) > TEAM_NAME_LIMIT for name in names):
            raise ValidationError(f"The name of a team is longer than {TEAM_NAME_LIMIT} characters: shorten it.")
        if names and names not in paths:
            paths.append(names)
    return tuple(paths)


def _yes(value: str) -> bool | None:
    word = value.casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    if word:
        raise ValidationError(f"“{value}” in the column active is neither yes nor no.")
    return None
