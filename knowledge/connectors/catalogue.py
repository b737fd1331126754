"""A catalogue: a table of tools, courses, videos or pages as CSV, JSON, JSON lines or a workbook."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from knowledge import fetch
from knowledge.connectors import Checkpoint, Event, Failure, Known, SourceError, Unchanged
from knowledge.connectors.files import KINDS_OF_FILES, allowed_path, read_file, readable_name, web_address
from knowledge.connectors.tables import Row, TableError, read_rows
from knowledge.documents import Contribution, Document
from knowledge.markup import clean_line, inline, language, markdown, moment, title_of_name

VERSION = 3
MAX_BYTES = 100_000_000
"""Of a catalogue, packed and unpacked alike."""
MAX_JOBS = 100
MAX_TEXT = 100_000
MAX_MORE = 8
FETCH_SECONDS = 60.0

FIELDS: Mapping[str, tuple[str, ...]] = {
    "key": ("id", "key", "slug"),
    "title": ("title", "name"),
    "url": ("url", "link", "href", "homepage"),
    "description": ("text", "body", "description", "summary", "abstract", "about", "content"),
    "kind": ("kind", "type"),
    "topics": ("topics", "topic", "tags", "tag", "categories", "category"),
    "jobs": ("jobs", "job", "tasks[].do", "tasks"),
    "duration": ("duration_minutes", "duration", "length"),
    "next_date": ("next_date", "starts", "start_date", "date"),
    "price": ("price", "cost"),
    "places": ("places", "places_left", "seats", "seats_left"),
    "access": ("access",),
    "provider": ("provider", "publisher", "vendor"),
    "creators": ("creators", "creator", "authors", "author"),
    "language": ("language", "lang"),
    "audience": ("audience",),
    "created": ("created", "published"),
    "updated": ("updated", "modified"),
}
"""Our fields, and the columns that are taken for them where the option ``fields`` names none."""

FULL = ("full", "fully booked", "booked", "sold out", "none")
"""What catalogues write of a course that has no place left."""

KINDS = {
    "book": "page", "article": "page", "document": "page", "guide": "page", "curated list": "page",
    "app": "tool", "service": "tool", "software": "tool", "command": "tool", "api": "tool",
    "training": "course", "tutorial": "course", "mooc": "course", "workshop": "course", "class": "course",
    "talk": "video", "screencast": "video", "recording": "video", "webinar": "video",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Options:
    """A catalogue's options, checked."""

    fields: Mapping[str, str]
    kind: str
    kinds: Mapping[str, str]
    delimiter: str
    key: str
    audience: frozenset[str] | None
    max_bytes: int
    digest: str

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> _Options:
        known = {"fields", "kind", "kinds", "delimiter", "key", "audience", "max_bytes"}
        if unknown := sorted(set(options) - known):
            raise SourceError(f"There is no option “{unknown[0]}” here. Options: {', '.join(sorted(known))}.")
        fields = options.get("fields") or {}
        kinds = options.get("kinds") or {}
        if not isinstance(fields, dict) or not isinstance(kinds, dict):
            raise SourceError('The options fields and kinds are mappings, as in {"title": "Course name"}.')
        if wrong := sorted(set(fields) - set(FIELDS)):
            raise SourceError(f"There is no field “{wrong[0]}”. Fields: {', '.join(FIELDS)}.")
        kind = str(options.get("kind") or "")
        for one in filter(None, (kind, *map(str, kinds.values()))):
            if one not in KINDS_OF_FILES:
                raise SourceError(f"“{clean_line(one, 40)}” is no kind here. Kinds: {', '.join(KINDS_OF_FILES)}.")
        size = options.get("max_bytes", MAX_BYTES)
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= 500_000_000:
            raise SourceError("The option max_bytes is a number of bytes between 1 and 500000000.")
        audience = options.get("audience")
        return cls(
            fields={name: str(column) for name, column in fields.items()},
            kind=kind,
            kinds={str(theirs).strip().casefold(): str(ours) for theirs, ours in kinds.items()},
            delimiter=str(options.get("delimiter") or ""),
            key=str(options.get("key") or ""),
            audience=None if audience is None else frozenset(_words(audience)),
            max_bytes=size,
            digest=_version(dict(options), str(VERSION))[:12],
        )


class CatalogueConnector:
    """Reads one document from each row of a table.

    The address is a file beneath ``FOLDER_ROOTS`` or an http(s) address, of type
    csv, tsv, json, jsonl or xlsx, the texts also packed (.gz). The option
    ``fields`` maps our fields to their columns (``tasks[].do`` in JSON reaches
    into lists); without it, columns of usual names are taken. A row's key is
    its ``key`` column, else an id, else its address, else its title.
    """

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address
        self.remote = "://" in address
        self.options = _Options.parse(options)
        path = urlsplit(address).path if self.remote else address
        self.name = path.rpartition("/")[2]

    def check(self) -> str:
        """The file's name as a title."""
        data, _ = self._read({})
        rows = self._rows(data or b"")
        self._columns(rows)
        if not any(isinstance(row.values, dict) for row in rows):
            raise SourceError(f"{self.address} holds no row that can be read. {rows[0].problem}")
        return title_of_name(self.name) or self.address

    def pull(self, known: Known) -> Iterator[Event]:
        """Every row in its order; a row that cannot be read is a failure and keeps what was stored."""
        cursor = known.cursor if known.versions and known.cursor.get("options") == self.options.digest else {}
        data, cursor = self._read(cursor)
        if data is None:
            yield from map(Unchanged, known.versions)
            return
        rows = self._rows(data)
        columns = self._columns(rows)
        told: dict[str, int] = {}
        nameless = False
        for row in rows:
            values = row.values
            if values is None:
                nameless = True
                yield Failure(f"row {row.number}", f"Row {row.number}: {row.problem}")
                continue
            key = self._key(values, columns)
            if not key:
                nameless = True
                yield Failure(f"row {row.number}", f"Row {row.number} has neither title nor key: fill them in.")
                continue
            if key in told:
                yield Failure(key, f"Row {row.number} has the key of row {told[key]} and is left out: change one key.")
                continue
            told[key] = row.number
            if row.problem:
                yield Failure(key, f"Row {row.number}: {row.problem}")
                continue
            version = _version(values, self.options.digest)
            if known.versions.get(key) == version:
                yield Unchanged(key)
                continue
            yield from self._document(key, version, row.number, values, columns)
        if nameless:  # whose row it was cannot be told, so nothing is taken for gone until the file is mended
            yield from (Unchanged(key) for key in known.versions if key not in told)
        yield Checkpoint(cursor)

    # Reading

    def _read(self, cursor: Mapping[str, Any]) -> tuple[bytes | None, dict[str, Any]]:
        """The file's bytes, or `None` when the server says that it did not change; and the next cursor."""
        if not self.remote:
            return self._read_file(), {}
        sent = {}
        for header, name in (("If-None-Match", "etag"), ("If-Modified-Since", "modified")):
            if isinstance(cursor.get(name), str) and cursor[name]:
                sent[header] = cursor[name]
        try:
            answer = fetch.get(
                self.address, headers=sent, max_bytes=self.options.max_bytes, total_seconds=FETCH_SECONDS
            )
        except fetch.FetchError as error:
            raise SourceError(str(error)) from error
        if answer.status == 304 and sent:
            return None, dict(cursor)
        if answer.status != 200:
            raise SourceError(f"{self.address} answers {answer.status}. Check the address, or try again later.")
        marks = {"etag": answer.headers.get("etag", ""), "modified": answer.headers.get("last-modified", "")}
        return answer.body, {"options": self.options.digest, **{name: mark[:300] for name, mark in marks.items()}}

    def _read_file(self) -> bytes:
        root, path = allowed_path(self.address)
        try:
            folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                return read_file(folder, path.relative_to(root).parts, self.options.max_bytes)
            finally:
                os.close(folder)
        except OSError as error:
            raise SourceError(
                f"{self.address} cannot be read ({error.strerror or error}). Check the path and its permissions."
            ) from error
        except ValueError as error:
            raise SourceError(f"{self.address}: {error}") from error

    def _rows(self, data: bytes) -> list[Row]:
        try:
            rows = read_rows(data, self.name, delimiter=self.options.delimiter, limit=self.options.max_bytes)
        except TableError as error:
            raise SourceError(f"{self.address}: {error}") from error
        if not rows:
            raise SourceError(f"{self.address} holds no row: fill it, or remove the source.")
        return rows

    def _columns(self, rows: list[Row]) -> dict[str, list[str]]:
        """For each of our fields, the columns to look in; `SourceError` names what is missing and what was found."""
        found: dict[str, str] = {}
        for row in rows[:200]:
            for name in row.values or ():
                found.setdefault(_folded(name), name)
        columns: dict[str, list[str]] = {}
        for field, usual in FIELDS.items():
            named = self.options.fields.get(field) or (self.options.key if field == "key" else "")
            if named:
                if _folded(re.split(r"\[\]|\.", named)[0]) not in found and _folded(named) not in found:
                    raise self._missing(field, named, found)
                columns[field] = [found.get(_folded(named), named)]
            else:
                columns[field] = [found.get(_folded(one), one) for one in usual if _folded(one.split("[")[0]) in found]
        if not columns["title"]:
            raise self._missing("title", " or ".join(FIELDS["title"]), found)
        return columns

    def _missing(self, field: str, wanted: str, found: Mapping[str, str]) -> SourceError:
        there = ", ".join(clean_line(name, 60) for name in list(found.values())[:40]) or "none"
        return SourceError(
            f"{self.address} has no column “{clean_line(wanted, 80)}” for the {field}. Columns found: {there}. "
            f'Name the right one in the option fields, as in {{"{field}": "…"}}, or add the column.'
        )

    # One row

    def _key(self, values: Mapping[str, Any], columns: Mapping[str, list[str]]) -> str:
        for field in ("key",) if self.options.key or "key" in self.options.fields else ("key", "url", "title"):
            if text := _text(_first(values, columns[field])):
                return readable_name(text)
        return ""

    def _document(
        self, key: str, version: str, number: int, values: Mapping[str, Any], columns: Mapping[str, list[str]]
    ) -> Iterator[Event]:
        got = {field: _first(values, names) for field, names in columns.items()}
        title = clean_line(inline(_text(got["title"])))
        if not title:
            yield Failure(key, f"Row {number} has no title: fill in the column “{columns['title'][0]}”.")
            return
        notes: list[str] = []
        url = _text(got["url"])
        if url and not web_address(url):
            notes.append("its url is no http or https address and was left out")
            url = ""
        jobs = [clean_line(inline(job), 300) for job in _list(got["jobs"], r"[;\n]")][:MAX_JOBS]
        facts = _facts(got, jobs, notes)
        last = moment(got["updated"])
        creators = dict.fromkeys(clean_line(name, 200) for name in _list(got["creators"], r"[;,]"))
        audience = self.options.audience
        if not _empty(got["audience"]):
            audience = frozenset(_words(got["audience"]))
        yield Document(
            key=key,
            title=title,
            body=self._body(got, jobs, values, columns),
            url=url,
            kind=self._kind(_text(got["kind"]), notes),
            version=version,
            topics=tuple(dict.fromkeys(clean_line(topic, 80) for topic in _list(got["topics"], r"[;,]")))[:30],
            language=language(_text(got["language"])),
            audience=audience,
            contributions=tuple(Contribution(name, "", round(1 / len(creators), 4)) for name in creators)[:50],
            created=moment(got["created"]),
            updated=last,
            facts=facts,
        )
        if notes:
            yield Failure(key, f"Row {number} was read, but {'; '.join(notes)}.")

    def _kind(self, theirs: str, notes: list[str]) -> str:
        if self.options.kind:
            return self.options.kind
        whole = theirs.casefold()
        for name in (whole, *re.split(r"[/,;]\s*", whole)):
            if name in self.options.kinds:
                return self.options.kinds[name]
            if name in KINDS_OF_FILES:
                return name
            if name in KINDS:
                return KINDS[name]
        if theirs:
            said = clean_line(theirs, 40)
            notes.append(
                f"its kind “{said}” is none of {', '.join(KINDS_OF_FILES)} and it is kept as a page: say which one "
                f"it is in the option kinds, as in {json.dumps({said: 'tool'}, ensure_ascii=False)}"
            )
        return "page"

    def _body(
        self, got: Mapping[str, Any], jobs: list[str], values: Mapping[str, Any], columns: Mapping[str, list[str]]
    ) -> str:
        """The description, the jobs, and short columns that are none of our fields."""
        text = _text(got["description"])[:MAX_TEXT]
        described = markdown(text)
        parts = [f"# {described.title}\n\n{described.body}" if described.title else described.body]
        parts.append("\n".join(f"- {job}" for job in jobs))
        used = {
            re.split(r"\[\]|\.", name)[0] for field, names in columns.items() for name in names if field != "access"
        }
        more = [
            f"- {clean_line(name.replace('_', ' '), 60).capitalize()}: {clean_line(_text(value), 200)}"
            for name, value in values.items()
            if name not in used and isinstance(value, str | int | float) and 0 < len(_text(value)) <= 200
        ]
        parts.append("\n".join(more[:MAX_MORE]))
        return "\n\n".join(part for part in parts if part)


def _facts(got: Mapping[str, Any], jobs: list[str], notes: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"jobs": jobs} if jobs else {}
    if duration := clean_line(_text(got["duration"]), 80):
        length = minutes(duration)
        facts |= {"duration": duration} if length is None else {"duration_minutes": length}
    if when := clean_line(_text(got["next_date"]), 40):
        day = moment(when)
        if day:
            facts["next_date"] = day.date().isoformat()
        else:
            notes.append(f"its next date “{when}” is not written as 2027-03-31 and was left out")
    if left := _text(got["places"]).strip().casefold():
        if left.isdecimal() and len(left) <= 6:
            facts["places"] = int(left)
        elif left in FULL:
            facts["places"] = 0
    for name in ("price", "provider", "access"):
        if text := clean_line(_text(got[name]), 120):
            facts[name] = text
    return facts


_HOURS = re.compile(
    r"(?:pt)?(?:(\d{1,4}(?:[.,]\d{1,2})?)\s?(?:h|hr|hrs|hours?|std))?\s?(?:and\s)?"
    r"(?:(\d{1,5})\s?(?:m|min|mins|minutes?)?)?\.?",
    re.I,
)


def minutes(text: str) -> int | None:
    """Minutes of ``90``, ``45 min``, ``1h 30``, ``1:30``, ``1.5 hours``, ``PT1H30M``; `None` for weeks and the like."""
    text = text.strip()
    if clock := re.fullmatch(r"(\d{1,3}):(\d{2})", text):
        return int(clock.group(1)) * 60 + int(clock.group(2))
    found = _HOURS.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    return round(float((found.group(1) or "0").replace(",", ".")) * 60) + int(found.group(2) or 0)


# Values ---------------------------------------------------------------------------------------------------------------


def _version(values: Mapping[str, Any], digest: str) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(f"{digest}\0{text}".encode()).hexdigest()[:32]


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", str(name).strip().casefold())


def _empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _first(values: Mapping[str, Any], names: list[str]) -> Any:
    for name in names:
        value = values[name] if name in values else _reach(values, name)
        if not _empty(value):
            return value
    return None


def _reach(value: Any, path: str) -> Any:
    """``tasks[].do`` of a row: into mappings by name, through lists by ``[]``."""
    for part in path.split("."):
        name, through = part.removesuffix("[]"), part.endswith("[]")
        if isinstance(value, list):
            value = [one.get(name) for one in value if isinstance(one, dict)]
        else:
            value = value.get(name) if isinstance(value, dict) else None
        if through and value is not None and not isinstance(value, list):
            value = [value]
    return value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value[:100])))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _list(value: Any, parting: str) -> list[str]:
    parts = value[:1000] if isinstance(value, list) else re.split(parting, _text(value))
    return [text for part in parts if (text := _text(part))]


def _words(value: Any) -> list[str]:
    return [clean_line(word, 120) for word in _list(value, r"[;,]")]
