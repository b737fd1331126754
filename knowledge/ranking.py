"""Puts an engine's candidates in order: pure, the same on every engine, and it keeps its reasons.

Each candidate is scored from its own stored term vector and from statistics
of the documents that everyone may read, and from nothing else: so a document
that the viewer may not see, and even another candidate, moves no order.

The score is BM25 (Robertson & Zaragoza 2009, "The Probabilistic Relevance
Framework"), once for the title and once for the body, each with its own mean
length, summed. More is added where the body begins with the words, where a
topic has them, where they stand in exactly the form asked for, where they stand
together, where the title or one heading is just what was asked for, and, for
less, where words of their family stand. A word that the query repeats counts
more. A document that lacks words of the query loses part. What is near the
query in meaning is added where a model can tell (see `meaning`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import log
from operator import attrgetter
from typing import cast

import numpy as np
from numpy.typing import NDArray

from knowledge import trust
from knowledge.documents import Candidate, Hit, Query
from knowledge.index import Statistics
from knowledge.index.analysis import terms_of, tokens
from knowledge.index.asked import asked_words, placed, weighed
from knowledge.index.vectors import NOWHERE, Found, Rows, Vectors, surface_tag, term_hash

Column = NDArray[np.float64]
"""One number for each candidate."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What may be tuned, the same for every collection (how the values were found: docs/search.md)."""

    k1: float = 2.0
    b: float = 0.55
    title: float = 1.7
    lead: float = 0.3
    lead_words: int = 80
    topics: float = 0.7
    exact: float = 0.1
    near: float = 0.3
    near_span: int = 4
    name: float = 1.5
    heading: float = 1.5
    kin: float = 0.5
    repeated: float = 0.5
    lacking: float = 0.3
    synonym: float = 0.8
    meaning: float = 6.0
    unlike: float = 0.2
    not_known: float = 0.35
    signs: float = 0.75


WEIGHTS = Weights()


def words_of(query: Query) -> tuple[str, ...]:
    """The words that a query is ranked by: all that it asks for, without those that every text or question holds."""
    return weighed(query)


def terms(query: Query, languages: Iterable[str] = ()) -> tuple[str, ...]:
    """The terms whose `Statistics` ranking needs for this query."""
    languages = tuple(languages)
    words = (word for each in (query, *readings(query)) for word in words_of(each))
    return tuple(dict.fromkeys(term for word in words for term in terms_of(word, languages)))


MOST_READINGS = 6


def readings(query: Query) -> tuple[Query, ...]:
    """The query as curators say it can also be said: each synonym in the place of its words, then all that fit."""
    said: dict[tuple[str, ...], None] = {}
    whole = query.words
    for synonym in query.synonyms[:MOST_READINGS]:
        said[_instead(query.words, synonym.said, synonym.text)] = None
        whole = _instead(whole, synonym.said, synonym.text)
    said[whole] = None
    said.pop(query.words, None)
    return tuple(replace(query, words=words, synonyms=()) for words in said)


def _instead(words: tuple[str, ...], said: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The words with ``text`` where ``said`` stands in them."""
    for at in range(len(words) - len(said) + 1):
        if words[at : at + len(said)] == said:
            return tuple(dict.fromkeys((*words[:at], *text.split(), *words[at + len(said) :])))
    return words


def order(
    query: Query,
    candidates: Iterable[Candidate],
    statistics: Statistics,
    *,
    now: date,
    languages: Iterable[str] = (),
    weights: Weights = WEIGHTS,
    meaning: Mapping[str, float] | None = None,
    signals: Mapping[str, trust.Signals] | None = None,
) -> list[Hit]:
    """The candidates, best first, ties by key; without words the newest first (``now`` bounds dates to come).

    ``meaning``: how like the query the nearest passage of each is (a cosine), by key; `None` where nobody can tell.
    ``signals``: what is known of documents beside their words, by key (see `trust`).
    """
    candidates = list(candidates)
    asked = list(_asked(query, statistics, tuple(languages), weights))
    if asked and candidates:
        vectors = Vectors([one.vector for one in candidates])
        parts, held = _parts(query, asked, vectors, statistics, tuple(languages), weights)
        parts = np.vstack((parts, _meaning(query, asked, candidates, meaning, weights)))
        more = trust.shares(query, candidates, np.sum(parts, axis=0).tolist(), signals or {}, now)
        rows = [(*row, *known) for row, known in zip(parts.T.tolist(), more, strict=True)]
        near = meaning or {}
        hits = [
            Hit(one.key, sum(row), row, part, near.get(one.key, 0.0))
            for one, row, part in zip(candidates, rows, held.tolist(), strict=True)
        ]
        hits.sort(key=attrgetter("key"))
        hits.sort(key=attrgetter("score"), reverse=True)
        return hits
    dated = sorted(candidates, key=lambda one: (-min(one.updated or date.min, now).toordinal(), one.key))
    return [Hit(candidate.key, 0.0) for candidate in dated]


def _parts(
    query: Query,
    asked: list[_Asked],
    vectors: Vectors,
    statistics: Statistics,
    languages: tuple[str, ...],
    weights: Weights,
) -> tuple[NDArray[np.float64], Column]:
    """A line for each part and a column for each candidate, of the reading of the query that suits it best; `Hit.held`.

    What is said by a synonym counts as much as the words it stands for, less
    ``weights.synonym``: another reading is weighed as if its words were as rare as they are.
    """
    scorer = _Scorer(asked, vectors, statistics, weights)
    best, held = np.array(scorer.parts(_left_out(query, languages))), scorer.held
    for reading in readings(query):
        also = list(_asked(reading, statistics, languages, weights))
        scorer = _Scorer(also, vectors, statistics, weights)
        parts = np.array(scorer.parts(_left_out(reading, languages)))
        parts *= weights.synonym * _rarity(asked) / _rarity(also)
        best = np.where(parts.sum(axis=0) > best.sum(axis=0), parts, best)
        held = np.maximum(held, scorer.held)
    return best, held


def _meaning(
    query: Query,
    asked: list[_Asked],
    candidates: list[Candidate],
    cosines: Mapping[str, float] | None,
    weights: Weights,
) -> Column:
    """What it adds that a passage is near the query in meaning.

    The query decides how much: as its words count by how rare they are, so
    does meaning; and the more of them are names with signs or digits, which a
    model does not know (``ERR_42``), the less. What is not embedded yet counts
    as most matches do.
    """
    if cosines is None:
        return np.zeros(len(candidates))
    words = words_of(query)
    names = sum(not word.isalpha() for word in words) / max(1, len(words))
    near = np.array([cosines.get(one.key, weights.not_known) for one in candidates])
    weight = weights.meaning * (1 - weights.signs * names) * _rarity(asked)
    return weight * np.maximum(0.0, near - weights.unlike)


def _rarity(asked: Iterable[_Asked]) -> float:
    """What all places of a query weigh together."""
    return sum(_by_place(asked).values()) or 1.0


def _by_place(asked: Iterable[_Asked]) -> dict[int, float]:
    """What each place weighs: of alternatives, the rarest."""
    weights: dict[int, float] = {}
    for one in asked:
        weights[one.place] = max(one.idf, weights.get(one.place, 0.0))
    return weights


@dataclass(frozen=True, slots=True)
class _Asked:
    """One form of one word of the query, as vectors know it. ``place``: see `asked.placed`.

    ``idf`` says how rare the word is, and how often it is asked for.
    """

    place: int
    term: int
    surface: int
    idf: float


def _asked(query: Query, statistics: Statistics, languages: tuple[str, ...], weights: Weights) -> Iterator[_Asked]:
    documents = statistics.documents
    times = Counter(tokens(query.text))
    for place, word in placed(query):
        forms = terms_of(word, languages)
        frequency = min(sum(statistics.frequency.get(form, 0) for form in forms), documents)
        idf = log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
        idf *= 1 + weights.repeated * max(0, times[word] - 1)
        for form in forms:
            yield _Asked(place, term_hash(form), surface_tag(word), idf)


def _left_out(query: Query, languages: tuple[str, ...]) -> list[int]:
    """The terms that are asked for and not ranked by, for every text holds them."""
    left_out = set(asked_words(query)) - set(words_of(query))
    return [term_hash(term) for word in sorted(left_out) for term in terms_of(word, languages)]


class _Scorer:
    """Scores all candidates of one query, a part at a time; each depends on its own vector alone."""

    def __init__(self, asked: list[_Asked], vectors: Vectors, statistics: Statistics, weights: Weights) -> None:
        self.asked, self.vectors, self.weights = asked, vectors, weights
        self.found = [vectors.find(one.term) for one in asked]
        self.by_place = _by_place(asked)
        self.all_idf = _rarity(asked)
        self.size = len(vectors)
        self.held = np.zeros(self.size)
        # A mean of nothing, where no document is public yet, must not divide by zero.
        self.norm_title = _norm(vectors.title_length, statistics.mean_title_length or 5.0, weights.k1, weights.b)
        self.norm_body = _norm(vectors.body_length, statistics.mean_body_length or 300.0, weights.k1, weights.b)

    def parts(self, left_out: list[int]) -> tuple[Column, ...]:
        """What each candidate's score is the sum of, in the order of `Hit.PARTS`."""
        weights = self.weights
        in_title, in_body, in_topics, in_form, of_kin, spoken = np.zeros((6, self.size))
        covered, named = (dict.fromkeys(self.by_place, np.zeros(self.size, bool)) for _ in range(2))
        for one, found in zip(self.asked, self.found, strict=True):
            if found.kin.document.size:
                of_kin += weights.kin * sum(self._fields(one, found.kin)[:2])
            rows = found.own
            if not rows.document.size:
                continue
            own = rows.tag == one.surface
            part_title, part_body, part_topics = self._fields(one, rows)
            in_title += part_title
            in_body += part_body
            in_topics += part_topics
            for part, column in ((part_title, rows.title), (part_body, rows.body), (part_topics, rows.topics)):
                exact = rows.document[own & (column > 0)]
                in_form[exact] += part[exact]
            in_body[rows.document[rows.first < weights.lead_words]] += weights.lead * one.idf  # once for all its forms
            title = self._sum(rows, rows.title)
            covered[one.place] = covered[one.place] | (self._sum(rows) > 0)
            named[one.place] = named[one.place] | (title > 0)
            spoken += title
        self.held = self._weigh(covered) / self.all_idf
        kept = 1 - weights.lacking + weights.lacking * self.held
        also = [self.vectors.find(term) for term in left_out]
        in_name = self._name(self._weigh(named), spoken, also)
        in_heading = self._heading(also)
        parts = (in_title, in_body, in_topics, in_form * weights.exact, self._near(), in_name, in_heading, of_kin)
        return tuple(part * kept for part in parts)

    def _fields(self, one: _Asked, rows: Rows) -> tuple[Column, Column, Column]:
        """What these rows are worth in title, body and topics."""
        title, body, topics = (self._sum(rows, column) for column in (rows.title, rows.body, rows.topics))
        more = one.idf * (self.weights.k1 + 1)
        return (
            self.weights.title * more * title / (title + self.norm_title),
            more * body / (body + self.norm_body),
            one.idf * self.weights.topics * (topics > 0).astype(np.float64),
        )

    def _sum(self, rows: Rows, column: NDArray[np.int64] | None = None) -> Column:
        """The rows of each candidate, counted or summed."""
        return np.bincount(rows.document, column, self.size).astype(np.float64, copy=False)

    def _weigh(self, met: Mapping[int, NDArray[np.bool_]]) -> Column:
        """What the places weigh that each candidate meets."""
        return sum(
            (weight * met[place].astype(np.float64) for place, weight in self.by_place.items()), np.zeros(self.size)
        )

    def _name(self, named: Column, spoken: Column, also: list[Found]) -> Column:
        """What it adds that the title is what was asked for: all of the query in it, and nothing else."""
        for found in also:
            spoken = spoken + (named > 0) * self._sum(found.own, found.own.title)
        asked_in_title = named / self.all_idf
        title_in_asked = np.minimum(1.0, spoken / np.maximum(1, self.vectors.title_length))
        return cast(Column, self.weights.name * self.all_idf * (asked_in_title * title_in_asked) ** 2)

    def _heading(self, also: list[Found]) -> Column:
        """What it adds that a heading is what was asked for: of the best one, its part of the query and of itself."""
        best = np.zeros(self.size)
        mine = [found.headings for found in self.found]
        if not any(each.heading.size for each in mine):
            return best
        everything = [*mine, *(found.headings for found in also)]
        known, first, which = np.unique(
            np.concatenate([each.heading for each in everything]), return_index=True, return_inverse=True
        )
        length = np.concatenate([each.length for each in everything])[first]
        spoken = np.bincount(which, minlength=len(known))
        asked = np.zeros(len(known))
        for place, weight in self.by_place.items():
            said = [each.heading for one, each in zip(self.asked, mine, strict=True) if one.place == place]
            asked[np.searchsorted(known, np.concatenate(said))] += weight  # once for all of a place
        worth = self.weights.heading * asked * np.minimum(1.0, spoken / length)
        np.maximum.at(best, known >> 16, worth)
        return best

    def _near(self) -> Column:
        """What neighbours of the query add by standing near each other in the body."""
        total = np.zeros(self.size)
        for number, one in enumerate(self.asked):
            for other in range(number + 1, len(self.asked)):
                two = self.asked[other]
                if two.place - one.place == 1:
                    apart = _apart(self.found[number].own, self.found[other].own, self.size)
                    beside = (apart > 0) & (apart <= self.weights.near_span)
                    total[beside] += self.weights.near * min(one.idf, two.idf) / apart[beside]
        return total


def _norm(lengths: NDArray[np.int64], mean: float, k1: float, b: float) -> Column:
    """BM25's correction for the length of a text."""
    return (k1 * (1 - b) + k1 * b / mean * lengths).astype(np.float64, copy=False)


def _apart(one: Rows, two: Rows, size: int) -> NDArray[np.int64]:
    """The smallest distance between known places of two terms in each body; far where one is not there."""
    here, there = _places(one, size), _places(two, size)
    if not (here.size and there.size):
        return np.full(size, _FAR)
    distance = np.abs(here[:, :, None] - np.where(there == _FAR, -_FAR, there)[:, None, :])
    return cast("NDArray[np.int64]", distance.min(axis=(1, 2)))


_FAR = 1 << 20


def _places(rows: Rows, size: int) -> NDArray[np.int64]:
    """A line for each candidate: the places of a term, first and last of each form, filled up with `_FAR`."""
    form = np.arange(rows.document.size) - np.searchsorted(rows.document, rows.document)
    places = np.full((size, 2 * (int(form.max()) + 1 if form.size else 0)), _FAR)
    places[rows.document, 2 * form] = np.where(rows.first == NOWHERE, _FAR, rows.first)
    places[rows.document, 2 * form + 1] = np.where(rows.last == NOWHERE, _FAR, rows.last)
    return places
