"""What the connectors of files share: where they may read, what they read, and a file's text as a `Document`."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from knowledge import extract
from knowledge.connectors import SourceError
from knowledge.documents import Contribution, Document
from knowledge.markup import Extracted, clean_line, language, moment, title_of_name

KINDS_OF_FILES = ("page", "tool", "course", "video")
"""A file may call itself one of these; answers, lessons and people are made elsewhere."""

SKIPPED = frozenset({"node_modules", "__pycache__", "bower_components", "vendor", "site-packages"})
MAX_BYTES = 50_000_000
MAX_TOPICS = 30
MAX_AUTHORS = 50

FILMS = (".mp4", ".webm", ".m4v", ".mov", ".mkv", ".ogv")

_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")

_UNLINKED = re.compile(r"[\s<>\"\\]|" + _ODD.pattern)


# Where ----------------------------------------------------------------------------------------------------------------


def allowed_path(address: str) -> tuple[Path, Path]:
    """The root and the real path of an address beneath ``FOLDER_ROOTS``; `SourceError` with the cure if it is not.

    The answer for a path outside is the same whether it exists or not.
    """
    if not address or "\0" in address or not os.path.isabs(address):
        raise SourceError(f"“{clean_line(address)}” is no full path: write it from the root on, as in /srv/handbook.")
    roots = [Path(os.path.realpath(root)) for root in settings.FOLDER_ROOTS]
    real = Path(os.path.realpath(address))
    for root in roots:
        if real == root or root in real.parents:
            return root, real
    allowed = ", ".join(map(str, roots)) or "none yet"
    raise SourceError(
        f"{address} is not beneath a folder that may be read ({allowed}). "
        "Have the operator add its folder to FOLDER_ROOTS and restart, or move it there."
    )


def open_beneath(root: int, parts: Sequence[str], *, folder: bool = False) -> int:
    """A descriptor of a file or folder beneath the open folder ``root``; `OSError` where a symbolic link is on the way.

    Each part is opened within the one before it, so that nothing swapped
    meanwhile leads outside. Opening never waits for the other end of a pipe.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    at = os.dup(root)
    for number, part in enumerate(parts, 1):
        if part in ("", ".", ".."):
            os.close(at)
            raise OSError(f"“{part}” is not followed")
        inner = folder or number < len(parts)
        try:
            deeper = os.open(part, flags | (os.O_DIRECTORY if inner else 0), dir_fd=at)
        finally:
            os.close(at)
        at = deeper
    return at


def read_file(root: int, parts: Sequence[str], limit: float) -> bytes:
    """The bytes of an ordinary file beneath ``root``; `ValueError` with the cure when it is larger than ``limit``."""
    with open(open_beneath(root, parts), "rb", buffering=0) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise OSError("it is no ordinary file")
        data = b"" if about.st_size > limit else _read(file, int(limit) + 1)
    if about.st_size > limit or len(data) > limit:
        raise ValueError(too_large(limit))
    return data


def _read(file: Any, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size and (part := file.read(min(size - len(parts), 1 << 22))):
        parts += part
    return bytes(parts)


def too_large(limit: float) -> str:
    """The reason for a file that is not read."""
    return f"It is larger than {limit / 1e6:g} MB: split it, offer a smaller copy, or raise the source's “max_bytes”."


def readable_name(name: str) -> str:
    """A path as a key: readable and storable whatever bytes it is made of, at most 500 characters."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = _ODD.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    if len(text) <= 500:
        return text
    return f"{text[:430]}…{hashlib.sha256(text.encode()).hexdigest()[:24]}"


# What -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileOptions:
    """Options that every source of files understands.

    ``include`` and ``exclude`` are patterns such as ``guides/*`` or ``*.pdf``,
    compared with the path and with the name alone. ``audience`` is for files
    that name none themselves; ``base_url`` with the path makes their address.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    audience: frozenset[str] | None = None
    base_url: str = ""
    max_bytes: int = MAX_BYTES

    @classmethod
    def parse(cls, options: Mapping[str, Any], *others: str) -> FileOptions:
        """Read a source's options; `SourceError` for what cannot be meant. ``others`` are the connector's own."""
        known = {"include", "exclude", "audience", "base_url", "max_bytes", *others}
        if unknown := sorted(set(options) - known):
            raise SourceError(f"There is no option “{unknown[0]}” here. Options: {', '.join(sorted(known))}.")
        base = str(options.get("base_url") or "")
        if base and not web_address(base):
            raise SourceError(
                f"The base_url “{clean_line(base)}” is no web address: it begins with https:// or http://."
            )
        size = options.get("max_bytes", MAX_BYTES)
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= 500_000_000:
            raise SourceError("The option max_bytes is a number of bytes between 1 and 500000000.")
        audience = options.get("audience")
        return cls(
            include=tuple(_words(options.get("include"))),
            exclude=tuple(_words(options.get("exclude"))),
            audience=None if audience is None else frozenset(_words(audience)),
            base_url=base,
            max_bytes=size,
        )

    @property
    def digest(self) -> str:
        """Changes when other options, or another way of reading, would give other documents."""
        values = asdict(self) | {"audience": None if self.audience is None else sorted(self.audience)}
        return hashlib.sha256(json.dumps([extract.VERSION, values]).encode()).hexdigest()[:10]

    def wants(self, path: str) -> bool:
        """Whether the file at this path (relative, POSIX) is one to read, by its name alone."""
        parts = path.split("/")
        if any(part.startswith(".") or part in SKIPPED for part in parts) or not extract.format_of(parts[-1]):
            return False
        if self.include and not _matches(path, self.include):
            return False
        return not _matches(path, self.exclude)

    @property
    def limits(self) -> extract.Limits:
        """The limits of extraction with this source's size."""
        return replace(extract.LIMITS, input_mb=self.max_bytes / 1e6)


def _matches(path: str, patterns: Iterable[str]) -> bool:
    name = path.rpartition("/")[2]
    return any(
        fnmatch.fnmatchcase(path, pattern.rstrip("/") + ("/*" if pattern.endswith("/") else ""))
        or fnmatch.fnmatchcase(name, pattern)
        for pattern in patterns
    )


def web_address(text: str) -> bool:
    """Whether this is an http or https address with a host, fit to be stored as a link."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    return len(text) <= 2000 and not _UNLINKED.search(text)


def _words(value: Any) -> list[str]:
    """Words of a list or of text parted by commas or semicolons; what is no text is left out."""
    if isinstance(value, str):
        value = re.split(r"[,;]", value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [word for one in value if isinstance(one, str | int | float) and (word := clean_line(str(one), 120))]
    return []


_CAPTIONS = re.compile(r"(.+?)(\.[A-Za-z]{2}(?:[-_][A-Za-z0-9]{2,8})?)?\.(?:vtt|srt)", re.I)


def film_beside(path: str, is_file: Callable[[str], bool]) -> str:
    """The path of the video that captions are of: ``talk.mp4`` for ``talk.vtt`` or ``talk.en.vtt``, if there is one."""
    named = _CAPTIONS.fullmatch(path)
    stems = dict.fromkeys((named[1] + (named[2] or ""), named[1])) if named else ()
    return next((stem + end for stem in stems for end in FILMS if is_file(stem + end)), "")


# Text to document -----------------------------------------------------------------------------------------------------


def document_of(
    path: str,
    found: Extracted,
    options: FileOptions,
    *,
    version: str,
    contributions: Sequence[Contribution] = (),
    created: datetime | None = None,
    updated: datetime | None = None,
    film: str = "",
) -> tuple[Document, str]:
    """A file's text as a document, and what was wrong with it that a person should know (or nothing).

    Front matter speaks first, then the history (``contributions``, ``created``,
    ``updated``), then what the format says of itself. ``film``: the path of the
    video that it writes down, which is what a reader wants to open then.
    """
    front = found.front
    notes = list(found.notes)
    key = readable_name(path)
    kind = str(front.get("kind") or "page").strip().casefold()
    if kind not in KINDS_OF_FILES:
        notes.append(f"its kind “{clean_line(kind, 40)}” is none of {', '.join(KINDS_OF_FILES)}: it is kept as a page")
        kind = "page"
    audience, wrong = audience_of(found, options.audience)
    url = str(front.get("url") or "").strip()
    if url and not web_address(url):
        notes.append("its url is no http or https address and is left out")
        url = ""
    if not url and options.base_url:
        url = options.base_url.rstrip("/") + "/" + quote(film or path, errors="surrogateescape")
        url = url if web_address(url) else ""
    captions = _CAPTIONS.fullmatch(path)
    said = front.get("lang") or front.get("language") or (captions and (captions[2] or "")[1:])
    last = _date(front, "updated", "modified", "last_updated", "lastmod") or updated or found.updated
    first = _date(front, "created", "date", "published") or created or found.created
    document = Document(
        key=key,
        title=found.title or title_of_name(key) or key[:400],
        body=found.body,
        url=url,
        kind=kind,
        version=version,
        crumbs=tuple(title_of_name(readable_name(folder)) or folder for folder in path.split("/")[:-1]),
        topics=_topics(front),
        language=language(said) if isinstance(said, str) else found.language,
        audience=audience,
        contributions=_authors(front, found, contributions, last),
        created=first,
        updated=last,
    )
    return document, "; ".join([*notes, *wrong])


def audience_of(found: Extracted, default: frozenset[str] | None) -> tuple[frozenset[str] | None, list[str]]:
    """Who may read it: groups as written. An audience that cannot be understood is nobody, never everybody."""
    if "audience" not in found.front:
        return default, []
    value = found.front["audience"]
    groups = frozenset(_words(value))
    plain = isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str | int) for one in value))
    if groups and plain:
        return groups, []
    if value == [] and any("audience" in note for note in found.notes):
        return frozenset(), []  # told already, with its cure
    return frozenset(), ["its audience is not a list of group names, so nobody sees it until it is mended"]


def _topics(front: Mapping[str, Any]) -> tuple[str, ...]:
    names = [name[:80] for field in ("topics", "topic", "tags") for name in _words(front.get(field))]
    distinct: dict[str, str] = {}
    for name in names:
        distinct.setdefault(name.casefold(), name)
    return tuple(distinct.values())[:MAX_TOPICS]


def _date(front: Mapping[str, Any], *names: str) -> datetime | None:
    return next((found for name in names if (found := moment(front.get(name)))), None)


def _authors(
    front: Mapping[str, Any], found: Extracted, history: Sequence[Contribution], last: datetime | None
) -> tuple[Contribution, ...]:
    """Authors that front matter names (``Name``, ``Name <mail>``, a mapping), then those of history or format."""
    named: list[tuple[str, str]] = []
    for field in ("author", "authors"):
        value = front.get(field)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                name, mail = str(one.get("name") or ""), str(one.get("email") or "")
                named.append((clean_line(name, 200), clean_line(mail, 254)))
            elif isinstance(one, str):
                name, mail = parseaddr(one) if "<" in one else (one, "")
                named.append((clean_line(name or one, 200), clean_line(mail, 254)))
    if not named and not history:
        named = [(name, "") for name in found.authors]
    said = {part.name.casefold() for part in history} | {part.email.casefold() for part in history if part.email}
    own = [(name, mail) for name, mail in dict.fromkeys(named) if name or mail]
    own = [one for one in own if one[0].casefold() not in said and (not one[1] or one[1].casefold() not in said)]
    share = round(1 / len(own), 4) if own and not history else 0.0
    return (*(Contribution(name, mail, share, 1, None, last) for name, mail in own[:MAX_AUTHORS]), *history)
