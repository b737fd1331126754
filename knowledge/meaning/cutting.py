"""Cuts a body into passages of about 120 words, the pieces that have a meaning of their own.

A passage ends where a paragraph does if it can, else at a sentence, else
between words. Cutting the same body again gives the same passages, so that a
passage found by its hash is found in the text again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

WORDS = 120
MOST = 400
"""Passages of one body: what stands behind the first 50,000 words is found by words alone."""
LONGEST = 2_000
"""Characters of one passage, for scripts without spaces and texts without breaks."""

_WORD = re.compile(r"\S+")
_BREAK = re.compile(r"\n\s*\n|\n(?=[#>|*+-])|(?<=[.!?…])\s+|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a passage stands in its body, and ``text``: what is embedded, the title of its document before it."""

    start: int
    end: int
    text: str

    @property
    def hash(self) -> bytes:
        """16 bytes that stand for the text."""
        return hashlib.blake2b(self.text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def cut(title: str, body: str) -> list[Passage]:
    """The passages of a document, in order; one of the title alone where the body says nothing."""
    title = title.strip()
    passages = [Passage(start, end, f"{title}\n{body[start:end]}".strip()) for start, end in _spans(body)]
    return passages[:MOST] or ([Passage(0, 0, title)] if title else [])


def place_of(title: str, body: str, hash: bytes) -> tuple[int, int] | None:
    """Where the passage of this hash stands in a body; `None` where the body holds it no longer."""
    found = next((passage for passage in cut(title, body) if passage.hash == hash), None)
    return (found.start, found.end) if found and found.start < found.end else None


def _spans(body: str) -> Iterator[tuple[int, int]]:
    """Pieces between breaks, put together until they hold enough words."""
    start = end = words = 0
    for first, last, count in _pieces(body):
        if words and (words + count > WORDS * 1.25 or last - start > LONGEST):
            yield start, end
            words = 0
        if not words:
            start = first
        end, words = last, words + count
        if words >= WORDS:
            yield start, end
            words = 0
    if words:
        yield start, end


def _pieces(body: str) -> Iterator[tuple[int, int, int]]:
    """Where each paragraph, line of a list or sentence begins and ends, and its number of words."""
    begin = 0
    for stop in [*(match.end() for match in _BREAK.finditer(body)), len(body)]:
        first, words, last = begin, 0, begin
        for word in _WORD.finditer(body, begin, stop):
            if not words:
                first = word.start()
            if words and (words >= WORDS or word.end() - first > LONGEST):
                yield first, last, words
                first, words = word.start(), 0
            for part in range(word.start(), word.end() - LONGEST, LONGEST):  # a text without a single space
                yield part, part + LONGEST, WORDS
                first = part + LONGEST
            last, words = word.end(), words + 1
        if words:
            yield first, last, words
        begin = stop
