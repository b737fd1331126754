"""Sending a batch to OpenSearch until all of it is acknowledged.

A bulk may be refused whole, in half, or be applied without an answer. Each
operation carries the document's key and the batch's version, so it may be
sent as often as it takes: the same version once more changes nothing, and an
older one never takes the place of a newer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.index import IndexMissing, IndexProblem, IndexUnreachable, WriterBusy
from knowledge.index.opensearch_client import BUSY, MISSING, Cluster, encoded, error_type

_MOST_BYTES = 4_000_000
_MOST_OPERATIONS = 500
_FEWEST_BYTES = 100_000
_ANSWER = "filter_path=items.*.status,items.*.error.type,error.type,error.root_cause.type"


@dataclass(frozen=True, slots=True)
class Operation:
    """One line, or two, of a bulk."""

    lines: bytes

    @classmethod
    def index(cls, key: str, version: int, document: dict[str, Any]) -> Operation:
        """Write this version of a document."""
        action = {"index": {"_id": key, "version": version, "version_type": "external_gte"}}
        return cls(encoded(action) + b"\n" + encoded(document) + b"\n")

    @classmethod
    def delete(cls, key: str, version: int) -> Operation:
        """Remove a document, and remember at which version it went."""
        return cls(encoded({"delete": {"_id": key, "version": version, "version_type": "external_gte"}}) + b"\n")


def send(cluster: Cluster, name: str, operations: Sequence[Operation], deadline: float) -> None:
    """Send all operations to the index of this name; returns when each is acknowledged.

    Waits longer and sends less at once while the cluster is busy. Raises
    `IndexUnreachable` after ``deadline`` (monotonic time), `WriterBusy` when
    a later writer's version is there, `IndexMissing`, and `IndexProblem` for
    a document that is refused for good.
    """
    path = f"/{name}/_bulk?require_alias=true&timeout=30s&{_ANSWER}"
    most = _MOST_BYTES
    left = list(operations)
    pause = 0.05
    while left:
        chunk = _chunk(left, most)
        try:
            found = cluster.ask("POST", path, b"".join(one.lines for one in chunk), patience=0, seconds=60)
            refused = _refused(chunk, found.get("items", []))
        except IndexUnreachable:
            if time.monotonic() >= deadline:
                raise
            refused = chunk
        left = refused + left[len(chunk) :]
        if not refused:
            most, pause = min(_MOST_BYTES, most * 2), 0.05
            continue
        if time.monotonic() >= deadline:
            raise IndexUnreachable(
                "OpenSearch is too busy to take what is to be written. It is sent again later; nothing is lost. If "
                "this goes on, give its nodes more memory or add one."
            )
        most = max(_FEWEST_BYTES, most // 2)
        time.sleep(min(random.uniform(pause / 2, pause), max(0.0, deadline - time.monotonic())))  # noqa: S311 - jitter
        pause = min(5.0, pause * 2)


def show(cluster: Cluster, index: str, deadline: float) -> None:
    """Let readers see what was sent, on every shard. Raises `IndexUnreachable`: then it is sent again later."""
    left = max(1.0, deadline - time.monotonic())
    found = cluster.ask("POST", f"/{index}/_refresh", patience=left, seconds=60)
    if found["_shards"]["failed"]:
        raise IndexUnreachable("A part of the index could not be refreshed. This batch is written again later.")


def _chunk(operations: Sequence[Operation], most: int) -> list[Operation]:
    """As many of the first operations as go into one bulk, one at least."""
    size = 0
    for number, one in enumerate(operations[:_MOST_OPERATIONS]):
        size += len(one.lines)
        if size > most and number:
            return list(operations[:number])
    return list(operations[:_MOST_OPERATIONS])


def _refused(chunk: Sequence[Operation], items: Sequence[dict[str, Any]]) -> list[Operation]:
    """The operations that must be sent again; all of them if the answer does not speak of each."""
    if len(items) != len(chunk):
        return list(chunk)
    refused = []
    for one, (status, kind) in zip(chunk, _answers(items), strict=True):
        if status in BUSY:
            refused.append(one)
        elif kind == MISSING:
            raise IndexMissing
        elif status == 409:
            raise WriterBusy("Another process has written the index meanwhile. It is tried again later.")
        elif status >= 300 and not (status == 404 and not kind):  # removing what is not there is no error
            raise IndexProblem(f"OpenSearch refused a document ({status} {kind}): see that it is version 3 or later.")
    return refused


def _answers(items: Sequence[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    """Status and kind of error of each item."""
    for item in items:
        for found in item.values():
            yield int(found.get("status", 0)) or 503, error_type(found.get("error"))
