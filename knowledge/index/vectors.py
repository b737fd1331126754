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

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Keys = NDArray[np.uint64]

MOST_IN_BODY, MOST_IN_TITLE, MOST_IN_TOPICS = 16383, 15, 7
NOWHERE = 0xFFFF
"""A place in the body that is not known: never there, or later than the first 65,535 tokens."""
MOST_IN_HEADINGS = 4096
"""Tokens of headings that are kept."""
_HEAD = 4
_WHERE_BITS, _TAG_BITS = np.uint64(21), np.uint64(11)
_WHERE, _TAG, _COUNT = np.uint32((1 << 21) - 1), np.uint64((1 << 11) - 1), np.uint64((1 << 24) - 1)
_IN_TITLE, _IN_TOPICS = np.uint64(1 << 16), np.uint64(2 << 16)
"""Where a token stands that is not in the body, above every place there."""
_ONE_OF = np.array((1, 1 << 24, 1 << 48), np.uint64)
"""One token of the body, of the title, of the topics: their sum holds the three counts side by side."""
_TRUE = np.ones(1, np.bool_)
_FAMILY_BITS = 8
"""Bits of a hash that tell the terms of one family apart."""

_ENDINGS = ("ation", "ator", "ment", "ant", "ian", "ion", "ist", "er", "or"), ("at", "ic", "it", "e", "i", "y")
"""What is taken off a term's end, in two steps: the first that fits. Longer ones come before what they end in."""
_SHORTEST_FAMILY = 4


def family(term: str) -> str:
    """What the terms of one family share: an English term without the endings of actors and acts, others whole."""
    if len(term) <= _SHORTEST_FAMILY or not (term.isascii() and term.isalpha()):
        return term
    for endings in _ENDINGS:
        if term.endswith(endings):
            shorter = term[: -len(next(filter(term.endswith, endings)))]
            term = shorter if len(shorter) >= _SHORTEST_FAMILY else term
    return term


def term_hash(term: str) -> int:
    """32 bits that stand for a term, most of them for its family."""
    last = crc32(term.encode("utf-8", "surrogatepass"))
    kin = family(term)
    first = last if kin == term else crc32(kin.encode("utf-8", "surrogatepass"))
    return first >> _FAMILY_BITS << _FAMILY_BITS | last & (1 << _FAMILY_BITS) - 1


def surface_tag(token: str) -> int:
    """11 bits that tell the surface forms of one stem apart."""
    return (crc32(b"=" + token.encode("utf-8", "surrogatepass")) >> 9) & 0x7FF


def row_key(token: str, term: str) -> int:
    """The row of a token and its term: the hash, then what the counts of the row begin with."""
    return term_hash(term) << 32 | surface_tag(token) << 21


def pack(
    lengths: tuple[int, int, int],
    title: Keys,
    body: Keys,
    topics: Keys,
    places: Sequence[int] = (),
    headings: Sequence[Keys] = (),
) -> bytes:
    """One vector, of the `row_key` of each token.

    ``lengths`` are those of title, body and topics as they are counted. The
    first of ``body`` stand at their own place; each further one, a part of a
    longer token, at its place in ``places``. ``headings``: the tokens of each.
    """
    # The low bits of a key are free for where the token stands: so one sort counts tokens and finds their places.
    every = np.concatenate((body, title, topics))
    whole, bodies, titles = len(body) - len(places), len(body), len(body) + len(title)
    every[:whole] |= np.minimum(np.arange(whole, dtype=np.uint64), NOWHERE)
    if places:
        every[whole:bodies] |= np.minimum(np.array(places, np.uint64), NOWHERE)
    every[bodies:titles] |= _IN_TITLE
    every[titles:] |= _IN_TOPICS
    every.sort()
    rows = every >> _WHERE_BITS
    starts = np.concatenate((_TRUE[: len(rows)], rows[1:] != rows[:-1])).nonzero()[0]
    where = every.astype(np.uint32) & _WHERE
    size = len(starts)

    rows = rows[starts]
    counts = np.add.reduceat(_ONE_OF[where >> 16], starts) if size else starts.astype(np.uint64)
    in_body = counts & _COUNT
    ends = np.maximum(starts + in_body.astype(np.intp) - 1, starts)
    first, last = np.minimum(where[starts], NOWHERE), np.minimum(where[ends], NOWHERE)
    counted = np.minimum(in_body, MOST_IN_BODY)
    counted |= np.minimum(counts >> 24 & _COUNT, MOST_IN_TITLE) << 17
    counted |= np.minimum(counts >> 48, MOST_IN_TOPICS) << 14
    counted |= (rows & _TAG) << 21

    said = min(sum(map(len, headings)), MOST_IN_HEADINGS)
    packed = np.empty(_HEAD + 3 * size + 2 * said, np.uint32)
    packed[:_HEAD] = *lengths, said
    columns = packed[_HEAD:]
    columns[:size] = rows >> _TAG_BITS
    columns[size + said : 2 * size + said] = counted
    columns[2 * size + said : 3 * size + said] = first | last << 16
    if said:
        columns[size : size + said] = np.concatenate(headings)[:said] >> 32
        told = [number << 16 | min(len(heading), 0xFFFF) for number, heading in enumerate(headings)]
        columns[3 * size + said :] = np.repeat(told, [len(heading) for heading in headings])[:said]
    return packed.tobytes()


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


def token_number(token: str, term: str) -> int:
    """The number that `contents` gives of this token, where it was stemmed so."""
    return row_key(token, term) >> 21


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
