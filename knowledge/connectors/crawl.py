"""What one pull of a web site knows: which addresses wait, what was told, how much went wrong; and versions of pages.

A page's version holds what its server calls that state of it, so that the
next pull can ask for it only if it is another one.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from knowledge.connectors import Failure, Known, SourceError
from knowledge.extract import VERSION
from knowledge.fetch import Response

MAX_AGAIN = 5_000
GIVE_UP_IN_A_ROW = 10


@dataclass(frozen=True, slots=True)
class Stamp:
    """A page's version: how deep it was found, a digest of its bytes, and what its server calls this state of it."""

    depth: int
    digest: str
    name: str = ""

    @classmethod
    def of(cls, depth: int, response: Response) -> Stamp:
        etag, changed = response.headers.get("etag", ""), response.headers.get("last-modified", "")
        name = f"e{etag}" if 0 < len(etag) <= 120 else f"m{changed}" if 0 < len(changed) <= 60 else ""
        return cls(depth, hashlib.sha256(response.body).hexdigest()[:24], name)

    @classmethod
    def read(cls, version: str) -> Stamp | None:
        """The stamp that a stored version holds; `None` if bytes are read otherwise today."""
        found = re.fullmatch(r"(\d+)\.(\d+) (\w+) ?(.*)", version, re.S)
        if not found or int(found[1]) != VERSION:
            return None
        return cls(int(found[2]), found[3], found[4])

    def __str__(self) -> str:
        return f"{VERSION}.{self.depth} {self.digest} {self.name}".strip()

    def condition(self) -> dict[str, str]:
        """Headers that ask for the page only if it is another one now."""
        header = {"e": "If-None-Match", "m": "If-Modified-Since"}.get(self.name[:1])
        return {header: self.name[1:]} if header else {}


@dataclass
class Crawl:
    """The state of one pull, from which the next one goes on (`cursor`)."""

    known: Known
    conditional: bool
    start: dict[str, Response] = field(default_factory=dict)
    """The start page, fetched already."""
    queue: deque[tuple[str, int]] = field(default_factory=deque)
    """Addresses to ask, in order, with how many links away from the start they are."""
    queued: set[str] = field(default_factory=set)
    dates: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    told: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    """Addresses that are another spelling of a key, by redirect or by the page's own word."""
    again: dict[str, int] = field(default_factory=dict)
    """Addresses that gave no document: a later pull asks them again although no changed page links to them."""
    troubles: int = 0
    in_a_row: int = 0
    marked: bool = False

    def add(self, url: str, depth: int) -> bool:
        """Queue an address; whether it was new."""
        if url in self.queued:
            return False
        self.queued.add(url)
        self.queue.append((url, depth))
        return True

    def cursor(self, shape: list[Any], complete: bool) -> dict[str, Any]:
        aliases = {url: key for url, key in self.aliases.items() if key in self.told}
        again = dict(list(self.again.items())[:MAX_AGAIN])
        return {"shape": shape, "complete": complete, "aliases": aliases, "again": again}

    def trouble(self, url: str, key: str, depth: int, reason: str) -> Failure:
        """A page that could not be had: told now, asked for again at the next pull, and counted."""
        self.again[url] = depth
        self.troubles += 1
        self.in_a_row += 1
        self.told.add(key)
        return Failure(key, reason)

    def watch(self, address: str) -> None:
        """Stop when it is the site that fails and not a page of it: then nothing of it counts as vanished."""
        if self.in_a_row >= GIVE_UP_IN_A_ROW:
            raise SourceError(
                f"{address}: {self.in_a_row} pages in a row could not be fetched. "
                "What is stored stays; it is tried again at the next sync."
            )
        if self.troubles > 5 and self.troubles > len(self.known.versions) / 2 and self.known.versions:
            raise SourceError(
                f"{address}: more than half of its pages fail, are closed to robots or lead to one and the same. "
                "What is stored stays; look at the site, then sync again."
            )
