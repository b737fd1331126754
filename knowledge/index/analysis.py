"""Text to terms: the one analysis behind every engine and behind the ranking.

A *token* is a word as it is written, folded: no accents, no case, ``’`` as
``'``. Identifiers stay whole (``c++``, ``node.js``, ``err_42``, ``10.2``) and
their parts can be found too. Scripts without spaces give pairs of characters.

A *term* is what the index holds of a token: its stem. English stems stand
bare, those of other languages carry the language (``de:haus``), so that what
one language holds never changes what is found in another.

The same terms on every engine and every machine.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

import numpy as np
import snowballstemmer

from knowledge.documents import IndexDocument
from knowledge.index import vectors
from knowledge.markup import headings_of

VERSION = 6
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

_STOP_WORDS = (
    "a about above after again all also am an and any are as at be because been before being below between both but "
    "by can could did do does doing down during each few for from further had has have having he her here hers him "
    "his how i if in into is it its itself just may me might more most must my no nor not of off on once only or "
    "other our ours out over own same shall she should so some such than that the their theirs them then there these "
    "they this those through to too under until up upon us very was we were what when where which while who whom why "
    "will with would you your yours what's how's i'm it's don't"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())

# Invisible marks (direction, joiners, soft hyphens, variation selectors) and vowel points of Arabic and Hebrew.
_DROPPED = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
                      "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u064b-\u065f\u0670]")  # fmt: skip
_ACCENTS = re.compile("(?<=[a-z\u03b1-\u03c9])[\u0300-\u036f]+")
# Indic and Thai vowel signs are no letters to Python, but part of a word.
_TOKEN = re.compile(
    r"[\w\u0900-\u0963\u0981-\u0d63\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]+(?:['.]\w+)*(?:\+\+|(?<=\b[a-z])#(?!\w))?"
)
_ASCII_TOKEN = re.compile(r"\w+(?:['.]\w+)*(?:\+\+|(?<=\b[a-z])#(?!\w))?", re.ASCII)
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
                       "\U00020000-\U0003134f]+)")  # fmt: skip
_OUTSIDE = re.compile(r"_(?:(?<!\w_)|(?!\w))")
"""A word begins or ends with ``_``: the sign itself comes first in the pattern, so most texts are passed in no time."""
JOINTS = re.compile(r"[._']+")


def fold(text: str) -> str:
    """Text without case, accents and invisible marks: two spellings a person takes for one are equal."""
    if text.isascii():
        return text.lower()
    text = _DROPPED.sub("", text).replace("’", "'").replace("ʼ", "'")
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", text)


def words(text: str) -> list[str]:
    """The folded words of a text, in order, as a person would count them."""
    return _split(fold(text))


def tokens(text: str) -> list[str]:
    """The words of a text, in order; those of scripts without spaces as overlapping pairs of characters.

    What stands between two spaces is taken by itself, so that no word depends on what else a text holds.
    """
    if text.isascii():
        return _split(text.lower())
    apart = text.encode("utf-8", "surrogatepass").translate(_APART).decode("utf-8", "surrogatepass")
    return list(chain.from_iterable(map(_PIECES.__getitem__, apart.replace(". ", " ").split())))


class _Pieces(dict[str, tuple[str, ...]]):
    """What stands between two spaces -> its tokens: folding costs more than all else, and most pieces come again.

    Bounded: emptied when full, for common words return at once.
    """

    LARGEST = 32_768

    def __missing__(self, piece: str) -> tuple[str, ...]:
        folded = fold(piece)
        found = _split(folded)
        if not folded.isascii() and _UNSPACED.search(folded):
            found = [part for token in found for part in _pairs(token)]
        made = tuple(found)
        if len(piece) <= LONGEST_TOKEN:
            if len(self) >= self.LARGEST:
                self.clear()
            self[piece] = made
        return made


_PIECES = _Pieces()
_APART = bytes(code if code > 127 or chr(code).isalnum() or chr(code) in "'.+#_" else 32 for code in range(256)).lower()
"""Of ASCII letters the small one, of ASCII characters that are in no token a space, all others as they are."""


def _split(folded: str) -> list[str]:
    found: list[str] = (_ASCII_TOKEN if folded.isascii() else _TOKEN).findall(folded)
    if _OUTSIDE.search(folded):  # emphasis in Markdown, ``__init__``, ruled lines
        found = [bare for token in found if (bare := token.strip("_"))]
    if found and len(max(found, key=len)) > LONGEST_TOKEN:
        return [token if _UNSPACED.search(token) else token[:LONGEST_TOKEN] for token in found]
    return found


def _pairs(token: str) -> list[str]:
    """Runs of a script without spaces as overlapping pairs of characters, other runs whole."""
    found: list[str] = []
    for at, run in enumerate(_UNSPACED.split(token)):
        if at % 2 == 0 or len(run) < 2:
            found.extend([bare[:LONGEST_TOKEN]] if (bare := run.strip("._'")) else [])
        else:
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
    return found


def language_code(language: str) -> str:
    """The language that a document is stemmed in: its own where there is a stemmer, else English."""
    code = language[:3].partition("-")[0].partition("_")[0].lower()
    return code if code in STEMMERS else DEFAULT_LANGUAGE


@lru_cache(maxsize=16_384)
def topic_key(topic: str) -> str:
    """What two spellings of one topic share: ``Code review``, ``code-review`` and ``code_review`` are one."""
    return "-".join(tokens(topic.replace("_", " "))) or fold(topic).strip()


@lru_cache(maxsize=16_384)
def topic_words(topic: str) -> tuple[str, ...]:
    """The words of a topic's name, however they are joined."""
    return tuple(tokens(topic.replace("_", " ")))


def one_spelling(counts: Mapping[str, int]) -> dict[str, str]:
    """For each of these names of topics the most frequent spelling of its topic, of those that are given here.

    Given what a viewer may read, it tells nothing of how other documents write the topic.
    """
    best: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        best.setdefault(topic_key(name), name)
    return {name: best[topic_key(name)] for name in counts}


class _Words(dict[str, int]):
    """Token -> its number in one language; by that number its term, and what a vector needs of it.

    Threads share it: one at a time adds a token.
    """

    LARGEST = 65_536

    def __init__(self, language: str) -> None:
        super().__init__()
        self._adding = threading.Lock()
        self.prefix = "" if language == DEFAULT_LANGUAGE else language + ":"
        stemmer = snowballstemmer.stemmer(STEMMERS[language])
        if hasattr(stemmer, "maxCacheSize"):  # the compiled one; what it would remember is remembered here
            stemmer.maxCacheSize = 0
        self.stem: Callable[[str], str] = stemmer.stemWord
        self.terms: list[str] = []
        self.rows: vectors.Keys = np.empty(1024, np.uint64)
        """The `vectors.row_key` of each."""
        self.made: vectors.Flags = np.empty(1024, np.bool_)
        """Whether it is made of several that can be found alone; ``parts_of`` says which, by its number."""
        self.parts_of: dict[int, tuple[str, ...]] = {}

    def __missing__(self, token: str) -> int:
        with self._adding:
            number = self.get(token)
            return self._add(token) if number is None else number

    def _add(self, token: str) -> int:
        term = self.prefix + (self.stem(token) or token)
        number = len(self.terms)
        if number == len(self.rows):
            self.rows = np.concatenate((self.rows, np.empty_like(self.rows)))
            self.made = np.concatenate((self.made, np.empty_like(self.made)))
        self.rows[number] = vectors.row_key(token, term)
        parts = () if token.isalnum() else self._parts(token, term)
        if parts:
            self.parts_of[number] = parts
        self.made[number] = bool(parts)
        self.terms.append(token if term == token else term)  # most are equal: one text is kept, not two
        self[token] = number
        return number

    def _parts(self, token: str, term: str) -> tuple[str, ...]:
        parts = {part for part in JOINTS.split(token) if len(part) > 1 and not part.isdigit()} - {token}
        return tuple(sorted(part for part in parts if self.prefix + self.stem(part) != term))

    def numbers(self, own: Sequence[str]) -> list[int]:
        """The number of each of these tokens."""
        return list(map(self.__getitem__, own))


_known: dict[str, _Words] = {}


def _words(language: str) -> _Words:
    """What is known of a language; when it is too much another begins, and who holds the full one goes on with it."""
    words = _known.get(language)
    if words is None or len(words) >= _Words.LARGEST:
        words = _known[language] = _Words(language)  # common words return at once
    return words


def stem(token: str, language: str = DEFAULT_LANGUAGE) -> str:
    """The term of a token in a language."""
    words = _words(language_code(language))
    return words.terms[words[token]]


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


def content_words(words: Iterable[str]) -> tuple[str, ...]:
    """A query's words, each once, without those that every text holds, unless it has no others."""
    once = tuple(dict.fromkeys(words))
    return tuple(word for word in once if word not in STOP_WORDS) or once


def _joined(title: Sequence[str]) -> list[str]:
    """Neighbours as one word: who looks for ``wifi`` also means a page called *Wi-Fi*, by ``HRLinks`` *HR Links*."""
    return [(one + two)[:LONGEST_TOKEN] for one, two in pairwise(title) if one.isascii() and two.isascii()]


@dataclass(frozen=True, slots=True)
class Analysed:
    """A document as engines store it.

    ``title``: terms of the title. ``text``: terms of title, body and topics
    together, parts of identifiers and neighbours in the title as one word included. ``exact``: the tokens of the
    title, the body and each topic, one list each, in order (no phrase crosses
    from one to the next). ``vector``: see `vectors`.
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
    lengths = len(title), len(body), len(all_topics)

    numbered, places = [], list[int]()
    for own in (title, body, all_topics):
        numbers = words.numbers(own)
        wholes = words.made[numbers].nonzero()[0].tolist() if numbers else []
        parts = [(part, place) for place in wholes for part in words.parts_of[numbers[place]]]
        numbers += words.numbers([part for part, _ in parts])
        if own is title:
            numbers += words.numbers(_joined(title))
        elif own is body:
            places = [place for _, place in parts]
        numbered.append(np.array(numbers, np.intp))
    in_title, in_body, in_topics = numbered
    headings = [words.numbers(tokens(heading)) for heading in headings_of(document.body)]

    vector = vectors.pack(
        lengths,
        words.rows[in_title],
        words.rows[in_body],
        words.rows[in_topics],
        places,
        [words.rows[heading] for heading in headings],
    )
    text = list(map(words.terms.__getitem__, np.concatenate(numbered).tolist()))
    title_terms = text[: len(title)]
    return Analysed(title_terms, text, [title, body, *topics], len(title), len(body), vector)
