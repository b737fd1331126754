"""Connectors: the code that reads a source. One Protocol, a registry from settings.

A connector is made with the source's address and options, and tells what it
sees as a stream of events. It keeps no state of its own and touches no
database: `ingest` gives it what is already known and stores what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from django.conf import settings
from django.utils.module_loading import import_string

from knowledge.documents import Document


class SourceError(Exception):
    """The source cannot be read at all. The message says the cure, in one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """This document is still there, at the version that is already known."""

    key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One document could not be read. What is stored of it stays; the reason is for a person."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place to go on from: handed back as ``known.cursor`` at the next pull."""

    cursor: dict[str, Any]


Event = Document | Unchanged | Failure | Checkpoint


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of this source: versions by document key, and the last cursor.

    A connector yields `Unchanged` instead of reading a document again when its
    version is the known one; that makes every pull both incremental and resumable.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    cursor: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Connector(Protocol):
    """Reads one kind of source.

    ``lists_everything``: when a pull ends without an error, every key it did
    not name has vanished from the source (a feed is the exception: an entry
    that dropped off its end is not gone).
    """

    lists_everything: bool

    def __init__(self, address: str, options: Mapping[str, Any]) -> None: ...

    def check(self) -> str:
        """Return a suggested name for the source, or raise `SourceError` with the cure. Reads little."""
        ...

    def pull(self, known: Known) -> Iterator[Event]:
        """Tell everything that is there. Raises `SourceError` when the source itself fails."""
        ...

    # A connector that keeps copies of its own (a clone) also has ``forget() -> None``, which removes them, or raises
    # `SourceError` while they are in use.


def connector_class(kind: str) -> type[Connector]:
    """The class that settings register under ``kind`` (``IMMERSIVE_CONNECTORS``)."""
    try:
        path = settings.IMMERSIVE_CONNECTORS[kind]
    except KeyError:
        known = ", ".join(sorted(settings.IMMERSIVE_CONNECTORS))
        raise SourceError(f"There is no connector named “{kind}”. Choose one of: {known}.") from None
    cls: type[Connector] = import_string(path)
    return cls
