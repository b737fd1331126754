"""What every engine's index holds, and the fingerprint that tells one layout from another.

The body itself is not among the fields: the database has it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable, Iterable
from datetime import date

from knowledge.documents import Candidate
from knowledge.index import analysis

FIELDS = {
    "key": "raw, stored: the resource's public id",
    "title": "terms of the title, with counts",
    "text": "terms of title, body and topics, with counts",
    "exact": "tokens of title, body and each topic, with places; no phrase crosses from one to the next",
    "title_exact": "tokens of the title, with places",
    "place": "raw: topic_key of each crumb",
    "topic": "raw, fast: topics as given, for facets",
    "topic_key": "raw: topics as compared",
    "topic_words": "tokens of topics, each once",
    "name": "name_tokens of the title, each once",
    "name_rank": "number, fast: see name_rank",
    "kind": "raw, fast, stored",
    "source": "raw, fast, stored: the source's id",
    "language": "raw: the language of the stems",
    "people": "tokens of names, with places",
    "day": "number, fast: ordinal of the day of the last update (else of creation); 0 if not known",
    "audience": "raw: digests of tokens",
    "public": "raw: 1 if everyone may read it",
    "title_length": "number, fast: tokens",
    "body_length": "number, fast: tokens",
    "vector": "stored: see vectors",
}
LAYOUT = 3
"""Raise it when what a field holds changes without a change of the words above."""

MOST_FACETS = 30
"""Values kept of each facet: those with the highest counts, ties in the order of their names."""


def fingerprint() -> str:
    """Names the layout of fields, analysis and vector; an index of another fingerprint must be built again."""
    parts = [LAYOUT, analysis.VERSION, sorted(FIELDS.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def audience_digest(token: str) -> str:
    """What stands in the index for an audience token: no part of a name can pass for another."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def day_of(*days: date | None) -> int:
    """The ordinal of the first day that is known, or 0."""
    return next((day.toordinal() for day in days if day), 0)


def name_tokens(title: str) -> list[str]:
    """What a title can be completed by: its tokens, the parts of identifiers, and ``^`` with its first token."""
    own = analysis.tokens(title)
    parts = [part for token in own for part in analysis.JOINTS.split(token) if part]
    return list(dict.fromkeys([*own, *parts, *("^" + token for token in own[:1])]))


def name_rank(key: str, title_length: int, day: int) -> int:
    """The order of documents whose names begin alike, of the document alone: short names, then new ones, then any."""
    by_key = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:4])
    return (63 - min(title_length, 63)) << 52 | min(day, 2**20 - 1) << 32 | by_key


def most(field: str, counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The facet values that are kept, in the order of their counts; spellings of one topic are one value."""
    found = {value: count for value, count in counts if count}
    if field == "topic":
        spelling, merged = analysis.one_spelling(found), dict[str, int]()
        for name, count in found.items():
            merged[spelling[name]] = merged.get(spelling[name], 0) + count
        found = merged
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_FACETS])


class Kept:
    """Candidates read before, by a name that one version of one document has for ever.

    Reading stored fields is the larger part of a search. Bounded by ``size``
    bytes of vectors; the oldest leave first. Threads may share it.
    """

    def __init__(self, size: int = 32_000_000) -> None:
        self._size = size
        self._held = 0
        self._known: dict[Hashable, Candidate] = {}
        self._lock = threading.Lock()
        self.get = self._known.get

    def keep(self, name: Hashable, candidate: Candidate) -> Candidate:
        """Remember a candidate; returns it."""
        with self._lock:
            if name not in self._known:
                self._known[name] = candidate
                self._held += len(candidate.vector)
            while self._held > self._size:
                self._held -= len(self._known.pop(next(iter(self._known))).vector)
        return candidate
