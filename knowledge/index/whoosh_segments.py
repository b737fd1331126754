"""Whoosh's segments, written with ready terms and read as sets of documents.

A set of documents is one whole number with a bit for each document, so that a
filter is one ``&`` and a count one ``bit_count``. Posting lists are decoded
once for each segment, which never changes but for its deleted documents.
"""

from __future__ import annotations

import warnings
from array import array
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Any

from knowledge.documents import Scope
from knowledge.index import schema
from knowledge.index.near import Lexicon

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh's sources are older than some of Python's warnings
    from whoosh import fields, formats
    from whoosh.codec.whoosh3 import W3Codec, W3PostingsWriter
    from whoosh.reading import SegmentReader, TermNotFound

_K1, _B = 1.2, 0.75
_POSTINGS_KEPT = 1_500_000
_SET_BYTES_KEPT = 24_000_000
_PHRASE_GAP = 100
_LAST = "\U0010ffff"


class Values(fields.FieldType):  # type: ignore[misc]
    """A field of ready terms: a list of strings, each once."""

    def __init__(self) -> None:
        super().__init__(formats.Existence(), None)

    def index(self, value: Iterable[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        for term in set(value):
            yield term.encode(), 1, 1.0, b""


class Counted(fields.FieldType):  # type: ignore[misc]
    """A field of ready terms, counted: the count is the posting's weight."""

    def __init__(self) -> None:
        super().__init__(formats.Existence(), None)

    def index(self, value: Iterable[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        for term, count in Counter(value).items():
            yield term.encode(), count, float(count), b""


class Places(formats.Format):  # type: ignore[misc]
    """Posting values of any length: the places of a token, four bytes each."""

    posting_size = -1


class Placed(fields.FieldType):  # type: ignore[misc]
    """A field of ready tokens with places: several lists that no phrase crosses."""

    def __init__(self) -> None:
        super().__init__(Places(), None)

    def index(self, value: Iterable[Sequence[str]], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        places: dict[str, array[int]] = {}
        start = 0
        for part in value:
            for place, token in enumerate(part, start):
                if token in places:
                    places[token].append(place)
                else:
                    places[token] = array("I", (place,))
            start += len(part) + _PHRASE_GAP
        for token, where in places.items():
            yield token.encode(), len(where), 1.0, where.tobytes()


class _Postings(W3PostingsWriter):  # type: ignore[misc]
    """Writes the postings of a rare term into the dictionary: Whoosh means to, but misspells the call."""

    _terminfo: Any

    def finish_postings(self) -> Any:
        terminfo = self._terminfo
        if self.written() or len(self) >= self._inlinelimit:
            return super().finish_postings()
        terminfo.add_block(self)
        terminfo.set_inlined(self._ids, self._weights, self._values or [b""] * len(self))
        self._terminfo = None
        return terminfo


class Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's own file format, written in half the time."""

    length_stats = False  # it would look for a file of lengths, which there is not, once for each posting

    def __init__(self) -> None:
        super().__init__(blocklimit=512, inlinelimit=4)

    def postings_writer(self, dbfile: Any, byteids: bool = False) -> _Postings:
        return _Postings(dbfile, self._blocklimit, byteids, self._compression, self._inlinelimit)


SCHEMA = fields.Schema(
    title=Counted(), text=Counted(), exact=Placed(), people=Placed(), row=fields.STORED(),
    title_exact=Placed(), place=Values(),
    **{name: Values() for name in ("key", "topic", "topic_key", "kind", "source", "language", "audience", "public")},
    name=Values(),
    **{name: Values() for name in ("day", "lengths")},
)  # fmt: skip


class Segment:
    """One segment of one commit: sets of its documents, read once and kept. Not for two threads at a time."""

    def __init__(self, reader: SegmentReader) -> None:
        self.reader = reader
        self.name: str = reader.segment().segment_id()
        self.size: int = reader.doc_count_all()
        self.alive = 0
        """The set of documents that are not deleted, as of the commit last looked at."""
        self._sets: dict[tuple[str, str], int] = {}
        self._set_bytes = 0
        self._scored: OrderedDict[tuple[str, str], tuple[Sequence[int], Sequence[float]]] = OrderedDict()
        self._held = 0
        self._values: dict[str, list[str]] = {}
        self._keys: dict[str, int] = {}
        self._days: list[int] = []
        self._lengths: list[tuple[int, int]] = []
        self._ranks: list[tuple[int, str]] = []
        self._lexicons: dict[str, Lexicon] = {}
        self._scopes: OrderedDict[tuple[frozenset[str], frozenset[int]], int] = OrderedDict()

    def look(self, reader: SegmentReader) -> Segment:
        """Take over which documents are deleted from a newer reader of the same segment."""
        everything = (1 << self.size) - 1
        self.alive = everything & ~bits_of(reader.segment().deleted_docs())
        return self

    def postings(self, field: str, term: str) -> Iterator[tuple[Sequence[int], Sequence[float], Sequence[bytes]]]:
        """Blocks of a posting list, deleted documents too: document numbers, weights, values."""
        try:
            # Not reader.postings(): that one passes over deleted documents one by one.
            matcher = self.reader._terms.matcher(field, term.encode(), SCHEMA[field].format)
        except (TermNotFound, KeyError):
            return
        if not hasattr(matcher, "_next_block"):  # a rare term's postings stand in the dictionary
            yield matcher._ids, matcher._weights, matcher._values
            return
        while matcher.is_active():
            matcher.id(), matcher.weight(), matcher.value()
            yield matcher._ids, matcher._weights, matcher._values
            matcher._next_block()

    def having(self, field: str, term: str) -> int:
        """The set of documents that hold a term, deleted ones too."""
        known = self._sets.get((field, term))
        if known is None:
            known = bits_of(number for numbers, _, _ in self.postings(field, term) for number in numbers)
            self._keep((field, term), known)
        return known

    def words_beginning(self, field: str, word: str) -> list[str]:
        """The terms of a field that begin like this word, in their order."""
        terms = self.values(field)
        return terms[bisect_left(terms, word) : bisect_left(terms, word + _LAST)]

    def beginning(self, field: str, word: str, slips: int = 0) -> int:
        """The set of documents that hold a term which begins like this word, deleted ones too."""
        name = field, f"{word}\0{slips}"  # no term holds this character
        known = self._sets.get(name)
        if known is None:
            if slips:
                found = [term for term, _ in self.lexicon(field).near(word, slips, begins=True)]
            else:
                found = self.words_beginning(field, word)
            blocks = (numbers for term in found for numbers, _, _ in self.postings(field, term))
            known = bits_of(number for numbers in blocks for number in numbers)
            self._keep(name, known)
        return known

    def lexicon(self, field: str) -> Lexicon:
        """All terms of a field, to be compared with a word."""
        if field not in self._lexicons:
            self._lexicons[field] = Lexicon(self.values(field))
        return self._lexicons[field]

    def ranks(self) -> list[tuple[int, str]]:
        """Of each document its `schema.name_rank`, and its key."""
        if not self._ranks:
            self._ranks = [(0, "")] * self.size
            lengths, days = self._all_lengths(), self.days()
            for key, number in self.keys().items():
                self._ranks[number] = schema.name_rank(key, lengths[number][0], days[number]), key
        return self._ranks

    def _keep(self, name: tuple[str, str], found: int) -> None:
        self._sets[name] = found
        self._set_bytes += found.bit_length() // 8 + 200
        if self._set_bytes > _SET_BYTES_KEPT:
            self._sets.clear()
            self._set_bytes = 0

    def scored(self, field: str, term: str) -> tuple[Sequence[int], Sequence[float]]:
        """Documents that hold a term, and how much it weighs in each (BM25 without the term's rarity)."""
        known = self._scored.get((field, term))
        if known is None:
            lengths = self._all_lengths()
            mean = max(1.0, sum(length[1] for length in lengths) / max(1, len(lengths)))
            numbers, weights = array("I"), array("f")
            for block, counts, _ in self.postings(field, term):
                numbers.extend(block)
                weights.extend(
                    n * (_K1 + 1) / (n + _K1 * (1 - _B + _B * lengths[number][1] / mean))
                    for number, n in zip(block, counts, strict=True)
                )
            known = self._scored[field, term] = numbers, weights
            self._held += len(numbers)
            while self._held > _POSTINGS_KEPT and len(self._scored) > 1:
                self._held -= len(self._scored.popitem(last=False)[1][0])
        else:
            self._scored.move_to_end((field, term))
        return known

    def saying(self, field: str, spoken: Sequence[str], among: int) -> int:
        """The set of documents among these that hold consecutive tokens."""
        if not spoken:
            return 0
        for token in spoken:
            among &= self.having(field, token)
        if len(spoken) == 1 or not among:
            return among
        wanted = flags_of(among, self.size)
        ends: dict[int, set[int]] | None = None
        for token in spoken:
            here: dict[int, set[int]] = {}
            for numbers, _, values in self.postings(field, token):
                for number, value in zip(numbers, values, strict=True):
                    if wanted[number]:
                        places = array("I")
                        places.frombytes(value)
                        if ends is None:
                            here[number] = set(places)
                        elif number in ends and (following := ends[number].intersection(p - 1 for p in places)):
                            here[number] = {place + 1 for place in following}
            ends = here
        return bits_of(ends or ())

    def values(self, field: str) -> list[str]:
        """All terms of a field."""
        known = self._values.get(field)
        if known is None:
            known = self._values[field] = [term.decode() for term in self.reader.lexicon(field)]
        return known

    def keys(self) -> dict[str, int]:
        """Key -> document number, of all documents, deleted ones too: a key's living one comes last."""
        if not self._keys:
            for key in self.values("key"):
                for numbers, _, _ in self.postings("key", key):
                    self._keys.update((key, number) for number in numbers)
        return self._keys

    def within(self, scope: Scope) -> int:
        """Living documents that a scope may see; kept by its set of groups."""
        name = scope.audience, scope.sources
        known = self._scopes.get(name)
        if known is None:
            audience = source = 0
            for token in scope.audience:
                audience |= self.having("audience", schema.audience_digest(token))
            for number in scope.sources:
                source |= self.having("source", str(number))
            known = self._scopes[name] = audience & source
            if len(self._scopes) > 200:
                self._scopes.popitem(last=False)
        seen = known & self.alive
        if scope.behind:
            keys = self.keys()
            seen &= ~bits_of(keys[key] for key in scope.behind if key in keys)
        return seen

    def between(self, first: int, last: int) -> int:
        """Documents of these days."""
        return bits_of(number for number, day in enumerate(self.days()) if first <= day <= last)

    def days(self) -> list[int]:
        """The day of each document, 0 if not known."""
        if not self._days:
            self._days = [0] * self.size
            for day in self.values("day"):
                for numbers, _, _ in self.postings("day", day):
                    for number in numbers:
                        self._days[number] = int(day)
        return self._days

    def _all_lengths(self) -> list[tuple[int, int]]:
        """Lengths of title and body of each document."""
        if not self._lengths:
            self._lengths = [(0, 0)] * self.size
            for value in self.values("lengths"):
                title, _, body = value.partition(",")
                for numbers, _, _ in self.postings("lengths", value):
                    for number in numbers:
                        self._lengths[number] = int(title), int(body)
        return self._lengths

    def public_lengths(self) -> tuple[int, int, int]:
        """Number, sum of title lengths and sum of body lengths of living public documents."""
        public = self.having("public", "1") & self.alive
        chosen = list(compress(self._all_lengths(), flags_of(public, self.size)))
        return len(chosen), sum(length[0] for length in chosen), sum(length[1] for length in chosen)


def bits_of(numbers: Iterable[int]) -> int:
    """A set of document numbers as one whole number."""
    made = bytearray()
    for number in numbers:
        at = number >> 3
        if at >= len(made):
            made.extend(bytes(at + 1 - len(made)))
        made[at] |= 1 << (number & 7)
    return int.from_bytes(made, "little")


_ONES = bytes.maketrans(b"01", b"\x00\x01")


def flags_of(bits: int, size: int) -> bytes:
    """A set of document numbers as one byte a document."""
    return format(bits, "b").encode().translate(_ONES)[::-1].ljust(size, b"\0")
