"""Term vectors: what ranking needs of a document's text, packed with each document and read for many at once.

Layout of one vector, in unsigned 32-bit numbers of the machine: the lengths of
title, body and topics in tokens, and the number of tokens in its headings; the
hash of each distinct token's term, in order; the hash of the term of each token
of the headings, as they stand; then for each distinct token 11 bits of surface
tag, 4 of title count, 3 of topic count, 14 of body count (each count stops at
its largest value); its last and first place in the body, 16 bits each; and for
each token of the headings the number of its heading and that heading's length,
16 bits each.

The first 24 bits of a term's hash are those of its family: the English words
that differ in what makes an actor or an act of a verb (*therapist*, *therapy*).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_IN_BODY, MOST_IN_TITLE, MOST_IN_TOPICS = 16383, 15, 7
NOWHERE = 0xFFFF
"""A place in the body that is not known: never there, or later than the first 65,535 tokens."""
MOST_IN_HEADINGS = 4096
"""Tokens of headings that are kept."""
_HEAD = 4
_FAMILY_BITS = 8
"""Bits of a hash that tell the terms of one family apart."""

_ENDINGS = re.compile("(?:ation|ator|ment|ant|ian|ion|ist|er|or)$")
_LAST = re.compile("(?:at|ic|it|e|i|y)$")
_SHORTEST_FAMILY = 4


def family(term: str) -> str:
    """What the terms of one family share: an English term without the endings of actors and acts, others whole."""
    if len(term) <= _SHORTEST_FAMILY or not (term.isascii() and term.isalpha()):
        return term
    for ending in (_ENDINGS, _LAST):
        shorter = ending.sub("", term)
        term = shorter if len(shorter) >= _SHORTEST_FAMILY else term
    return term


def term_hash(term: str) -> int:
    """32 bits that stand for a term, most of them for its family."""
    first, last = (crc32(text.encode("utf-8", "surrogatepass")) for text in (family(term), term))
    return first >> _FAMILY_BITS << _FAMILY_BITS | last & (1 << _FAMILY_BITS) - 1


def surface_tag(token: str) -> int:
    """11 bits that tell the surface forms of one stem apart."""
    return (crc32(b"=" + token.encode("utf-8", "surrogatepass")) >> 9) & 0x7FF


def row_key(token: str, term: str) -> int:
    """The row of a token and its term: the hash, then what the counts of the row begin with."""
    return term_hash(term) << 32 | surface_tag(token) << 21


def pack(
    lengths: tuple[int, int, int],
    title: list[int],
    body: list[int],
    topics: list[int],
    places: list[int],
    headings: Sequence[Sequence[int]] = (),
) -> bytes:
    """One vector, of the `row_key` of each token.

    ``lengths`` are those of title, body and topics as they are counted. The
    first of ``body`` stand at their own place; each further one, a part of a
    longer token, at its place in ``places``. ``headings``: the tokens of each.
    """
    rows, row_of = np.unique(np.array([*body, *title, *topics], np.uint64), return_inverse=True)
    size, titles = len(rows), len(body) + len(title)
    in_body, in_title, in_topics = row_of[: len(body)], row_of[len(body) : titles], row_of[titles:]
    counts = rows.astype(np.uint32)  # the tag; the hash is cut off
    counts |= np.minimum(np.bincount(in_body, minlength=size), MOST_IN_BODY).astype(np.uint32)
    if topics:
        counts |= np.minimum(np.bincount(in_topics, minlength=size), MOST_IN_TOPICS).astype(np.uint32) << np.uint32(14)
    if title:
        counts |= np.minimum(np.bincount(in_title, minlength=size), MOST_IN_TITLE).astype(np.uint32) << np.uint32(17)
    at = np.minimum(np.array([*range(len(body) - len(places)), *places], np.uint32), NOWHERE)
    first = np.full(size, NOWHERE, np.uint32)
    last = np.zeros(size, np.uint32)
    np.minimum.at(first, in_body, at)
    np.maximum.at(last, in_body, at)
    last[first == NOWHERE] = NOWHERE
    in_headings = [token >> 32 for heading in headings for token in heading][:MOST_IN_HEADINGS]
    of_headings = [
        number << 16 | min(len(heading), 0xFFFF)
        for number, heading in enumerate(headings[: len(in_headings)])
        for _ in heading
    ][:MOST_IN_HEADINGS]
    head = np.array((*lengths, len(in_headings)), np.uint32)
    hashes = (rows >> np.uint64(32)).astype(np.uint32), np.array(in_headings, np.uint32)
    columns = *hashes, counts, first | last << 16, np.array(of_headings, np.uint32)
    return np.concatenate((head, *columns)).tobytes()


@dataclass(frozen=True, slots=True)
class Rows:
    """Where one term stands: a row for each of its surface forms in each document that has it, in their order.

    ``document`` is the place of the document among those given; ``title``,
    ``body`` and ``topics`` count the form there; ``tag`` is its `surface_tag`;
    ``first`` and ``last`` are its places in the body, in tokens from 0, or `NOWHERE`.
    """

    document: Numbers
    title: Numbers
    body: Numbers
    topics: Numbers
    tag: Numbers
    first: Numbers
    last: Numbers


@dataclass(frozen=True, slots=True)
class InHeadings:
    """Where one term stands in headings: a row for each time. ``length``: tokens of the heading.

    ``heading`` tells all headings of all documents apart; those of one document follow each other.
    """

    document: Numbers
    heading: Numbers
    length: Numbers


@dataclass(frozen=True, slots=True)
class Found:
    """Where a term stands, and where the other terms of its family do."""

    own: Rows
    kin: Rows
    headings: InHeadings


_NONE = np.zeros(0, np.int64)
_NO_ROWS = Rows(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)
_IN_NO_HEADING = InHeadings(_NONE, _NONE, _NONE)


class Vectors:
    """The vectors of many documents. ``title_length`` and ``body_length`` are in tokens, one for each document."""

    def __init__(self, data: Sequence[bytes]) -> None:
        sizes = np.fromiter(map(len, data), np.int64, len(data)) // 4
        self._numbers = np.frombuffer(b"".join(data), np.uint32)
        starts = np.cumsum(sizes) - sizes
        self.title_length = self._numbers[starts].astype(np.int64)
        self.body_length = self._numbers[starts + 1].astype(np.int64)
        self._in_headings = self._numbers[starts + 3].astype(np.int64)
        self._rows = (sizes - _HEAD - 2 * self._in_headings) // 3
        # The hashes alone, one vector's after the other's: each search looks through all of them.
        hashes = self._rows + self._in_headings
        self._starts = starts + _HEAD
        self._ends = np.cumsum(hashes)
        pieces = [one[4 * _HEAD : end] for one, end in zip(data, (4 * (_HEAD + hashes)).tolist(), strict=True)]
        self._hashes = np.frombuffer(b"".join(pieces), np.uint32)
        self._families = self._hashes >> _FAMILY_BITS

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, term: int) -> Found:
        """Everything of a term and of its family, by its `term_hash`."""
        at = np.flatnonzero(self._families == np.uint32(term >> _FAMILY_BITS))
        document = np.searchsorted(self._ends, at, side="right")
        own = self._hashes[at] == np.uint32(term)
        hashes = self._rows[document] + self._in_headings[document]
        at -= self._ends[document] - hashes
        headings = at >= self._rows[document]
        at += self._starts[document]
        rows, kin, headed = own & ~headings, ~(own | headings), own & headings
        return Found(
            self._read(at[rows], document[rows]),
            self._read(at[kin], document[kin]) if kin.any() else _NO_ROWS,
            self._read_headings(at[headed], document[headed]) if headed.any() else _IN_NO_HEADING,
        )

    def _read(self, at: Numbers, document: Numbers) -> Rows:
        counts_at = at + self._rows[document] + self._in_headings[document]
        counts = self._numbers[counts_at].astype(np.int64)
        places = self._numbers[counts_at + self._rows[document]].astype(np.int64)
        return Rows(
            document,
            title=counts >> 17 & MOST_IN_TITLE,
            body=counts & MOST_IN_BODY,
            topics=counts >> 14 & MOST_IN_TOPICS,
            tag=counts >> 21,
            first=places & NOWHERE,
            last=places >> 16,
        )

    def _read_headings(self, at: Numbers, document: Numbers) -> InHeadings:
        said = self._numbers[at + self._in_headings[document] + 2 * self._rows[document]].astype(np.int64)
        return InHeadings(document, document << 16 | said >> 16, said & 0xFFFF)


def lowest(data: Sequence[bytes], count: int) -> tuple[list[int], list[int], NDArray[np.uint32]]:
    """The ``count`` lowest term hashes of each vector that has as many rows, a line each: whose, its body's length.

    Of two texts that say nearly the same, nearly the same hashes are lowest.
    """
    shortest, end = 4 * (_HEAD + 3 * count), 4 * (_HEAD + count)
    places = [place for place, one in enumerate(data) if len(one) >= shortest + 8 * _in_headings(one)]
    numbers = np.frombuffer(b"".join([data[place][:end] for place in places]), np.uint32)
    lines = numbers.reshape(len(places), _HEAD + count)
    return places, lines[:, 1].tolist(), lines[:, _HEAD:]


def contents(vector: bytes) -> tuple[NDArray[np.uint64], Numbers, Numbers]:
    """Of one vector the tokens, each a number and in order, with their counts in the body and in the title."""
    numbers = np.frombuffer(vector, np.uint32)[_HEAD:]
    in_headings = _in_headings(vector)
    rows = (len(numbers) - 2 * in_headings) // 3
    counts = numbers[rows + in_headings : 2 * rows + in_headings].astype(np.int64)
    tokens = numbers[:rows].astype(np.uint64) << np.uint64(11) | (counts >> 21).astype(np.uint64)
    return tokens, counts & MOST_IN_BODY, counts >> 17 & MOST_IN_TITLE


def _in_headings(vector: bytes) -> int:
    return int.from_bytes(vector[12:16], sys.byteorder)
