"""Text to terms: the one analysis behind every engine and behind the ranking.

A *token* is a word as it is written, folded: no accents, no case, ``’`` as
``'``. Identifiers stay whole (``c++``, ``node.js``, ``err_42``, ``10.2``) and
their parts can be found too. Scripts without spaces give pairs of characters.

A *term* is what the index holds of a token: its stem. English stems stand
bare, those of other languages carry the language (``de:haus``), so that what
one language holds never changes what is found in another. A *surface term*
(``=houses``) is the token itself, for exactness and phrases.

Everything is plain Python: the same terms on every engine and every machine.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import byteorder
from zlib import crc32

import snowballstemmer

from knowledge.documents import IndexDocument

VERSION = 1
"""Part of the schema's fingerprint: raise it with any change of tokens, stems or the vector's layout."""

DEFAULT_LANGUAGE = "en"
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian",
    "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
LONGEST_TOKEN = 64
"""Characters kept of one token, in documents and queries alike."""

STOP_WORDS = frozenset(
    "a about above after again all also am an and any are as at be because been before being below between both but "
    "by can could did do does doing down during each few for from further had has have having he her here hers him "
    "his how i if in into is it its itself just may me might more most must my no nor not of off on once only or "
    "other our ours out over own same shall she should so some such than that the their theirs them then there these "
    "they this those through to too under until up upon us very was we were what when where which while who whom why "
    "will with would you your yours what's how's i'm it's don't".split()
)

# Invisible marks (direction, joiners, soft hyphens, variation selectors) and vowel points of Arabic and Hebrew.
_DROPPED = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
                      "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u064b-\u065f\u0670]")  # fmt: skip
_ACCENTS = re.compile("(?<=[a-z\u03b1-\u03c9])[\u0300-\u036f]+")
# Indic and Thai vowel signs are no letters to Python, but part of a word.
_TOKEN = re.compile(
    r"[\w\u0900-\u0963\u0981-\u0d63\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]+(?:['.]\w+)*(?:\+\+|(?<=\b[a-z])#)?"
)
_ASCII_TOKEN = re.compile(r"\w+(?:['.]\w+)*(?:\+\+|(?<=\b[a-z])#)?", re.ASCII)
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
                       "\U00020000-\U0003134f]+)")  # fmt: skip
_JOINTS = re.compile(r"[._']+")


def fold(text: str) -> str:
    """Text without case, accents and invisible marks: two spellings a person takes for one are equal."""
    if text.isascii():
        return text.lower()
    text = _DROPPED.sub("", text).replace("’", "'").replace("ʼ", "'")
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", text)


def tokens(text: str) -> list[str]:
    """The folded words of a text, in order."""
    text = fold(text)
    if text.isascii():
        found = _ASCII_TOKEN.findall(text)
    else:
        found = _TOKEN.findall(text)
        if _UNSPACED.search(text):
            found = [piece for token in found for piece in _pairs(token)]
    if found and max(map(len, found)) > LONGEST_TOKEN:
        return [token[:LONGEST_TOKEN] for token in found]
    return found


def _pairs(token: str) -> list[str]:
    """Runs of a script without spaces as overlapping pairs of characters, other runs whole."""
    found: list[str] = []
    for at, run in enumerate(_UNSPACED.split(token)):
        if at % 2 == 0 or len(run) < 2:
            found.extend([run] if run.strip("._'") else [])
        else:
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
    return found


def language_code(language: str) -> str:
    """The language that a document is stemmed in: its own where there is a stemmer, else English."""
    code = language[:3].partition("-")[0].partition("_")[0].lower()
    return code if code in STEMMERS else DEFAULT_LANGUAGE


def topic_key(topic: str) -> str:
    """What two spellings of one topic share: ``Code review``, ``code-review`` and ``code_review`` are one."""
    return "-".join(tokens(topic.replace("_", " "))) or fold(topic).strip()


def term_hash(term: str) -> int:
    """32 bits that stand for a term in a vector."""
    return crc32(term.encode("utf-8", "surrogatepass"))


def surface_tag(token: str) -> int:
    """11 bits that tell the surface forms of one stem apart."""
    return (crc32(b"=" + token.encode("utf-8", "surrogatepass")) >> 9) & 0x7FF


@dataclass(frozen=True, slots=True)
class _Word:
    """What a token becomes in one language: its term, the vector's key, and the tokens it is made of."""

    term: str
    hash: int
    tag: int
    parts: tuple[str, ...]


class _Words(dict[str, _Word]):
    """Tokens met so far in one language. Bounded: emptied when full, for common words return at once."""

    LARGEST = 200_000

    def __init__(self, language: str) -> None:
        super().__init__()
        self.prefix = "" if language == DEFAULT_LANGUAGE else language + ":"
        self.stem: Callable[[str], str] = snowballstemmer.stemmer(STEMMERS[language]).stemWord

    def __missing__(self, token: str) -> _Word:
        if len(self) >= self.LARGEST:
            self.clear()
        term = self.prefix + (self.stem(token) or token)
        word = self[token] = _Word(term, term_hash(term), surface_tag(token), self._parts(token, term))
        return word

    def _parts(self, token: str, term: str) -> tuple[str, ...]:
        if "." not in token and "_" not in token and "'" not in token:
            return ()
        parts = {part for part in _JOINTS.split(token) if len(part) > 1 and not part.isdigit()} - {token}
        return tuple(sorted(part for part in parts if self.prefix + self.stem(part) != term))


@lru_cache(maxsize=len(STEMMERS))
def _words(language: str) -> _Words:
    return _Words(language)


def stem(token: str, language: str = DEFAULT_LANGUAGE) -> str:
    """The term of a token in a language."""
    return _words(language_code(language))[token].term


def terms_of(token: str, languages: Iterable[str] = ()) -> tuple[str, ...]:
    """The terms under which a query's token may stand in documents of these languages, English first.

    A document holds at most one of them (it has one language), so the
    frequency of the word is the sum over its terms.
    """
    found = [stem(token)]
    for language in languages:
        term = stem(token, language)
        if term not in found:
            found.append(term)
    return tuple(found)


def surface_term(token: str) -> str:
    """The token itself as a term of `Engine.statistics`."""
    return "=" + token


def content_words(words: Iterable[str]) -> tuple[str, ...]:
    """A query's words, each once, without those that every text holds, unless it has no others."""
    once = tuple(dict.fromkeys(words))
    return tuple(word for word in once if word not in STOP_WORDS) or once


@dataclass(frozen=True, slots=True)
class Analysed:
    """A document as engines store it.

    ``title``: terms of the title. ``text``: terms of title, body and topics
    together, parts of identifiers included. ``exact``: the tokens of the
    title, the body and each topic, one list each, in order (no phrase crosses
    from one to the next). ``vector``: see `Vector`.
    """

    title: Sequence[str]
    text: Sequence[str]
    exact: Sequence[Sequence[str]]
    title_length: int
    body_length: int
    vector: bytes


def analyse(document: IndexDocument) -> Analysed:
    """Everything an engine indexes of one document's text."""
    words = _words(language_code(document.language))
    title, body = tokens(document.title), tokens(document.body)
    topics = [tokens(topic) for topic in document.topics]
    all_topics = [token for topic in topics for token in topic]

    # token -> [in title, in body, in topics, first place in body, second place in body]
    found: dict[str, list[int]] = {}
    extra: list[str] = []
    for part, some in ((0, title), (1, body), (2, all_topics)):
        for place, token in enumerate(some):
            row = found.get(token)
            if row is None:
                row = found[token] = [0, 0, 0, NOWHERE, NOWHERE]
            row[part] += 1
            if part == 1 and row[4] == NOWHERE and place < NOWHERE:
                row[3 if row[3] == NOWHERE else 4] = place
    for token in list(found):
        parts = words[token].parts
        if not parts:
            continue
        row = found[token]
        for piece in parts:
            extra.extend([words[piece].term] * min(sum(row[:3]), 20))
            other = found.get(piece)
            if other is None:
                found[piece] = row.copy()
            else:
                for at in range(3):
                    other[at] += row[at]

    title_terms = [words[token].term for token in title]
    text = [words[token].term for token in body]
    text += title_terms
    text += [words[token].term for token in all_topics]
    text += extra
    entries = sorted(
        (
            (word := words[token]).hash,
            word.tag << 21
            | (row[0] if row[0] < 15 else 15) << 17
            | (row[2] if row[2] < 7 else 7) << 14
            | (row[1] if row[1] < 16383 else 16383),
            row[4] << 16 | row[3],
        )
        for token, row in found.items()
    )
    head = (len(title), len(body), len(all_topics))
    packed = array("I", head)
    for column in zip(*entries, strict=True):
        packed.extend(column)
    return Analysed(title_terms, text, [title, body, *topics], len(title), len(body), packed.tobytes())


NOWHERE = 0xFFFF
"""A place in the body that is not known: never there, or later than the first 65,534 tokens."""

Counts = tuple[int, int, int, int, int, int]
NONE: Counts = (0, 0, 0, 0, 0, 0)
_HEAD = 3


class Vector:
    """What ranking needs of one document, read from `Candidate.vector` without copying it.

    ``title_length``, ``body_length`` and ``topics_length`` are in tokens.

    Layout, in unsigned 32-bit numbers of the machine: the three lengths; then
    three columns with one row for each distinct token, ordered by the hash of
    its term: the hash; 11 bits of surface tag, 4 of title count, 3 of topic
    count, 14 of body count (each count stops at its largest value); the
    token's first two places in the body, 16 bits each.
    """

    __slots__ = ("_data", "_rows", "body_length", "numbers", "title_length", "topics_length")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.numbers = numbers = memoryview(data).cast("I")
        self.title_length, self.body_length, self.topics_length = numbers[:_HEAD]
        self._rows = (len(numbers) - _HEAD) // 3

    def _row(self, term: int) -> int:
        """Index of the first row of this term's hash, or -1."""
        rows = self._rows
        if rows > 800:  # a long document: searching bytes would take longer than halving
            at = bisect_left(self.numbers, term, _HEAD, _HEAD + rows)
            return at if at < _HEAD + rows and self.numbers[at] == term else -1
        needle = term.to_bytes(4, byteorder)
        end = 4 * (_HEAD + rows)
        at = self._data.find(needle, 4 * _HEAD, end)
        while at >= 0 and at % 4:
            at = self._data.find(needle, at + 1, end)
        return at // 4 if at >= 0 else -1

    def counts(self, term: int, surface: int = -1) -> Counts:
        """How often a term stands in title, body and topics, then how often in exactly the form ``surface``.

        ``term`` is `term_hash` of a term, ``surface`` is `surface_tag` of a token.
        """
        at = self._row(term)
        if at < 0:
            return NONE
        numbers, rows, last = self.numbers, self._rows, _HEAD + self._rows
        title = body = topics = exact_title = exact_body = exact_topics = 0
        while at < last and numbers[at] == term:
            packed = numbers[at + rows]
            title += packed >> 17 & 15
            topics += packed >> 14 & 7
            body += packed & 16383
            if packed >> 21 == surface:
                exact_title += packed >> 17 & 15
                exact_topics += packed >> 14 & 7
                exact_body += packed & 16383
            at += 1
        return title, body, topics, exact_title, exact_body, exact_topics

    def positions(self, term: int) -> tuple[int, ...]:
        """Some places of a term in the body (numbers of tokens from its start): the first two of each of its forms."""
        at = self._row(term)
        if at < 0:
            return ()
        numbers, rows, last = self.numbers, self._rows, _HEAD + self._rows
        found: list[int] = []
        while at < last and numbers[at] == term:
            both = numbers[at + 2 * rows]
            found += (both & NOWHERE, both >> 16)
            at += 1
        return tuple(sorted(place for place in found if place != NOWHERE))

