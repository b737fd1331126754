"""Feeds: RSS, Atom and JSON Feed; every entry is a document.

A feed shows its newest entries only, so an entry that dropped off its end is
not gone. The whole feed is asked for with the validators of the last complete
pull: an unchanged feed costs one small answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from knowledge.connectors import Checkpoint, Event, Failure, Known, SourceError, Unchanged
from knowledge.documents import Contribution, Document
from knowledge.extract import VERSION
from knowledge.fetch import Door, FetchError, Response
from knowledge.sandbox import ExtractionError, Limits, in_child

LIMITS = Limits(input_mb=20, output_mb=20, memory_mb=800, seconds=20)
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "application/json;q=0.8, */*;q=0.1"
)


class FeedConnector:
    """Reads the feed at ``address``. Options: ``kind``, given to entries without a video (default ``page``)."""

    lists_everything = False

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address.strip()
        self.kind = str(options.get("kind", "page"))

    def check(self) -> str:
        """The feed's title, or the name of its host."""
        response = self._ask({})
        return str(self._read(response)["title"]) or urlsplit(response.url).hostname or self.address

    def pull(self, known: Known) -> Iterator[Event]:
        """Every entry that the feed shows; nothing at all when it says that it has not changed."""
        cursor = known.cursor
        headers = {}
        if known.versions and cursor.get("read") == [self.address, self.kind, VERSION]:
            if cursor.get("etag"):
                headers["If-None-Match"] = str(cursor["etag"])
            if cursor.get("last_modified"):
                headers["If-Modified-Since"] = str(cursor["last_modified"])
        response = self._ask(headers)
        if response.status == 304:
            return
        told: set[str] = set()
        failed = False
        feed = self._read(response)
        for number, entry in enumerate(feed["entries"], 1):
            try:
                document = self._document(entry)
            except ValueError as error:
                failed = True
                yield Failure(f"entry {number}: {entry['title']}"[:300], str(error))
                continue
            if document.key in told:
                continue
            told.add(document.key)
            yield Unchanged(document.key) if known.versions.get(document.key) == document.version else document
        if feed["damaged"] and not told:
            raise SourceError(f"{self.address} is so damaged that no entry could be read. Ask its owner to mend it.")
        if not failed:  # else the feed is read again next time, and what fails is told again
            yield Checkpoint(
                {
                    "read": [self.address, self.kind, VERSION],
                    "etag": response.headers.get("etag", "")[:500],
                    "last_modified": response.headers.get("last-modified", "")[:100],
                }
            )

    def _ask(self, headers: Mapping[str, str]) -> Response:
        try:
            with Door() as door:
                response = door.get(self.address, headers={"Accept": ACCEPT, **headers})
        except FetchError as error:
            raise SourceError(str(error)) from error
        if response.status == 200 or (response.status == 304 and headers):
            return response
        raise SourceError(f"{self.address} answers {response.status}. {cure(response.status)}")

    def _read(self, response: Response) -> dict[str, Any]:
        said = response.headers.get("content-type", "")[:200]
        try:
            found = in_child("feed", response.body, limits=LIMITS, form="feed", address=response.url, content_type=said)
        except ExtractionError as error:
            raise SourceError(f"{self.address} cannot be read as a feed. {error}") from error
        return dict(found)

    def _document(self, entry: Mapping[str, Any]) -> Document:
        """One entry; raises `ValueError` with the reason when nothing names it."""
        links = [entry["link"], *(url for url, _ in entry["media"]), entry["id"]]
        url = next((link for link in links if urlsplit_safe(link) in ("http", "https")), "")
        key = entry["id"] or url
        if not key:
            raise ValueError("It has neither an id nor a link: ask the feed's owner to give its entries one of them.")
        if len(key) > 400:
            key = f"{key[:300]}…{hashlib.sha256(key.encode()).hexdigest()[:40]}"
        created, updated = (datetime.fromisoformat(entry[name]) if entry[name] else None for name in DATES)
        people = entry["people"]
        version = hashlib.sha256(json.dumps([VERSION, self.kind, entry], sort_keys=True).encode()).hexdigest()[:40]
        is_video = any(kind.startswith("video") for _, kind in entry["media"])
        return Document(
            key=key,
            title=entry["title"] or _first_words(entry["body"]) or url or key[:200],
            body=entry["body"],
            url=url,
            kind="video" if is_video else self.kind,
            version=version,
            topics=tuple(entry["topics"]),
            language=entry["language"].partition("-")[0].lower(),
            contributions=tuple(
                Contribution(name, email, share=1 / len(people), first=created, last=updated or created)
                for name, email in people
            ),
            created=created,
            updated=updated or created,
            facts={"duration_minutes": entry["minutes"]} if entry["minutes"] else {},
        )


DATES = ("created", "updated")


def cure(status: int) -> str:
    """What a person can do about an HTTP status."""
    if status in (401, 403, 407):
        return "It wants a sign-in or keeps robots out: use a public address, or ask its owner to let this one in."
    if status in (404, 410):
        return "Nothing is there (any more): check the address."
    if status == 429 or status >= 500:
        return "The server has trouble or wants a pause: it is tried again at the next sync."
    return "Check the address in a browser."


def urlsplit_safe(url: str) -> str:
    """The scheme of an address, empty for what is none."""
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        return ""


def _first_words(text: str) -> str:
    words = " ".join(text.replace("#", " ").split())
    return words if len(words) <= 80 else words[:80].rpartition(" ")[0] + "…"
