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
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

from knowledge.documents import IndexDocument
from knowledge.index import vectors
from knowledge.markup import headings_of

VERSION = 5
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
    """The words of a text, in order; those of scripts without spaces as overlapping pairs of characters."""
    folded = fold(text)
    found = _split(folded)
    if not folded.isascii() and _UNSPACED.search(folded):
        return [piece for token in found for piece in _pairs(token)]
    return found


def _split(folded: str) -> list[str]:
    found: list[str] = (_ASCII_TOKEN if folded.isascii() else _TOKEN).findall(folded)
    if "_" in folded:  # emphasis in Markdown, ``__init__``, ruled lines
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


class _Words(dict[str, str]):
    """Token -> term in one language, with what a vector needs of each token met so far.

    Bounded: emptied when full (between documents only), for common words return at once.
    """

    LARGEST = 200_000

    def __init__(self, language: str) -> None:
        super().__init__()
        self.prefix = "" if language == DEFAULT_LANGUAGE else language + ":"
        self.stem: Callable[[str], str] = snowballstemmer.stemmer(STEMMERS[language]).stemWord
        self.row_of: dict[str, int] = {}
        """Token -> its `vectors.row_key`."""
        self.parts_of: dict[str, tuple[str, ...]] = {}
        """Tokens made of several -> those that can be found alone."""

    def __missing__(self, token: str) -> str:
        term = self.prefix + (self.stem(token) or token)
        parts = self._parts(token, term)
        if parts:
            self.parts_of[token] = parts
            for part in parts:
                self[part]
        self.row_of[token] = vectors.row_key(token, term)
        self[token] = term
        return term

    def _parts(self, token: str, term: str) -> tuple[str, ...]:
        if "." not in token and "_" not in token and "'" not in token:
            return ()
        parts = {part for part in JOINTS.split(token) if len(part) > 1 and not part.isdigit()} - {token}
        return tuple(sorted(part for part in parts if self.prefix + self.stem(part) != term))

    def row_key(self, token: str) -> int:
        """The row of a token."""
        self[token]
        return self.row_of[token]

    def make_room(self) -> None:
        """Forget everything when too much is known."""
        if len(self) >= self.LARGEST:
            self.clear()
            self.row_of.clear()
            self.parts_of.clear()


@lru_cache(maxsize=len(STEMMERS))
def _words(language: str) -> _Words:
    return _Words(language)


def stem(token: str, language: str = DEFAULT_LANGUAGE) -> str:
    """The term of a token in a language."""
    return _words(language_code(language))[token]


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
    terms = _words(language_code(document.language))
    terms.make_room()
    title, body = tokens(document.title), tokens(document.body)
    topics = [tokens(topic) for topic in document.topics]
    all_topics = [token for topic in topics for token in topic]
    lengths = len(title), len(body), len(all_topics)

    title_terms = list(map(terms.__getitem__, title))
    text = list(map(terms.__getitem__, body))
    text += title_terms
    text += map(terms.__getitem__, all_topics)

    parts_of, places, whole_and_parts = terms.parts_of, list[int](), []
    for own in (title, body, all_topics):
        wholes = [place for place, token in enumerate(own) if token in parts_of]
        parts = [(part, place) for place in wholes for part in parts_of[own[place]]]
        found = [part for part, _ in parts]
        if own is title:
            found += _joined(title)
        whole_and_parts.append(own + found if found else own)
        text += [terms[part] for part in found]
        if own is body:
            places = [place for _, place in parts]

    in_title, in_body, in_topics = (list(map(terms.row_of.__getitem__, own)) for own in whole_and_parts)
    headings = [[terms.row_key(token) for token in tokens(heading)] for heading in headings_of(document.body)]
    vector = vectors.pack(lengths, in_title, in_body, in_topics, places, headings)
    return Analysed(title_terms, text, [title, body, *topics], len(title), len(body), vector)
