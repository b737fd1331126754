"""Why a result stands where it stands: pure, from what put it there and from nothing else.

The words are read from the same stored vector that ranking scored, the parts
are ranking's own. No statistic of an engine and no number of people is here:
what people did shows as a share of the score, in steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.documents import Candidate, Hit, Query
from knowledge.index.analysis import terms_of
from knowledge.index.vectors import Rows, Vectors, term_hash
from knowledge.ranking import words_of

PLACES = {"title": "title", "body": "text", "topics": "topics"}
"""Where a word can stand, by the name of its column in a vector, in a reader's words."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A word, where it stands, and the words of the query that it is another way to say, if it is."""

    word: str
    places: tuple[str, ...]
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the score by the name that `Hit.PARTS` gives it; ``share`` is of all but a pin, from -1 to 1."""

    name: str
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Why:
    """Which words matched where, which did not, and what each part adds."""

    words: tuple[Matched, ...] = ()
    lacking: tuple[str, ...] = ()
    parts: tuple[Share, ...] = ()
    pinned: bool = False


def why(query: Query, hits: Sequence[Hit], candidates: Mapping[str, Candidate], languages: Iterable[str]) -> list[Why]:
    """For each of these hits of one query why it stands there; a hit without a candidate has its parts alone."""
    known = [hit.key for hit in hits if hit.key in candidates]
    vectors = Vectors([candidates[key].vector for key in known])
    row_of = {key: row for row, key in enumerate(known)}
    asked = [(word, "") for word in words_of(query)]
    asked += [
        (word, " ".join(each.said)) for each in query.synonyms for word in each.text.split() if (word, "") not in asked
    ]
    places = {word: _places(vectors, word, tuple(languages)) for word, _ in asked} if known else {}
    return [_why(hit, row_of.get(hit.key), asked, places) for hit in hits]


def _places(vectors: Vectors, word: str, languages: tuple[str, ...]) -> list[tuple[str, ...]]:
    """For each document the places where a word stands, in any of its forms."""
    found: list[dict[str, None]] = [{} for _ in range(len(vectors))]
    every: list[Any] = [vectors.find(term_hash(term)) for term in terms_of(word, languages)]
    forms: list[Rows] = [getattr(found, "own", found) for found in every]
    for name, place in PLACES.items():
        for rows in forms:
            for document in rows.document[getattr(rows, name) > 0].tolist():
                found[document][place] = None
    return [tuple(each) for each in found]


def _why(hit: Hit, row: int | None, asked: list[tuple[str, str]], places: dict[str, list[tuple[str, ...]]]) -> Why:
    parts = dict(hit.reasons)
    pinned = bool(parts.pop("pin", 0))
    whole = sum(part for part in parts.values() if part > 0) or 1.0
    shares = tuple(Share(name, part, part / whole) for name, part in parts.items())
    if row is None:
        return Why(parts=shares, pinned=pinned)
    words = tuple(Matched(word, places[word][row], said) for word, said in asked if places[word][row])
    there = {one.word for one in words} | {said for one in words for said in one.instead_of.split()}
    lacking = tuple(word for word, said in asked if not said and word not in there)
    return Why(words, lacking, shares, pinned)
