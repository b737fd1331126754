"""Puts an engine's candidates in order: pure, the same on every engine, and it keeps its reasons.

Each candidate is scored from its own stored term vector and from statistics
of the documents that everyone may read, and from nothing else: so a document
that the viewer may not see, and even another candidate, moves no order.

The score is BM25 (Robertson & Zaragoza 2009, "The Probabilistic Relevance
Framework"), once for the title, once for the body and once for the topics,
each with its own mean length, and summed. Two things are added to it: words
in exactly the form asked for count more than other forms of their stem, and
words asked for together count more where they stand together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import log

from knowledge.documents import Candidate, Hit, Query
from knowledge.index import Statistics
from knowledge.index.analysis import Vector, content_words, surface_tag, term_hash, terms_of, tokens


@dataclass(frozen=True, slots=True)
class Weights:
    """What may be tuned, the same for every collection (how the values were found: docs/search.md)."""

    k1: float = 1.4
    b_title: float = 0.6
    b_body: float = 0.6
    title: float = 2.0
    topics: float = 0.7
    exact: float = 0.1
    near: float = 0.3
    near_span: int = 4


WEIGHTS = Weights()


def words_of(query: Query) -> tuple[str, ...]:
    """The words that a query is ranked by: its own and its phrases', without those that every text holds."""
    wanted = list(query.words)
    for phrase in query.phrases:
        if not phrase.exclude:
            wanted += tokens(phrase.text)
    return content_words(wanted)


def terms(query: Query, languages: Iterable[str] = ()) -> tuple[str, ...]:
    """The terms whose `Statistics` ranking needs for this query."""
    languages = tuple(languages)
    return tuple(dict.fromkeys(term for word in words_of(query) for term in terms_of(word, languages)))


def order(
    query: Query,
    candidates: Iterable[Candidate],
    statistics: Statistics,
    *,
    now: date,
    languages: Iterable[str] = (),
    weights: Weights = WEIGHTS,
) -> list[Hit]:
    """The candidates, best first, ties by key; without words the newest first (``now`` bounds dates to come)."""
    scorer = _Scorer(query, statistics, tuple(languages), weights)
    if scorer.asked:
        hits = [scorer.score(candidate) for candidate in candidates]
        return sorted(hits, key=lambda hit: (-hit.score, hit.key))
    dated = sorted(candidates, key=lambda one: (-min(one.updated or date.min, now).toordinal(), one.key))
    return [Hit(candidate.key, 0.0) for candidate in dated]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One form of one word of the query, as vectors know it. ``place`` is the word's number in the query."""

    place: int
    term: int
    surface: int
    idf: float


class _Scorer:
    """Scores one candidate after another for one query."""

    def __init__(self, query: Query, statistics: Statistics, languages: tuple[str, ...], weights: Weights) -> None:
        self.weights = weights
        self.asked = list(_asked(query, statistics, languages))
        self.wanted = [(one.term, one.surface) for one in self.asked]
        # BM25's k1 * (1 - b + b * length / mean length) as a constant and a factor of the length. A mean of
        # nothing, where no document is public yet, must not divide by zero.
        self.short_title = weights.k1 * (1 - weights.b_title)
        self.per_title = weights.k1 * weights.b_title / (statistics.mean_title_length or 5.0)
        self.short_body = weights.k1 * (1 - weights.b_body)
        self.per_body = weights.k1 * weights.b_body / (statistics.mean_body_length or 300.0)

    def score(self, candidate: Candidate) -> Hit:
        """The candidate's place in the order, as a number, with what it is the sum of."""
        weights, asked = self.weights, self.asked
        more = weights.k1 + 1
        vector = Vector(candidate.vector)
        norm_title = self.short_title + self.per_title * vector.title_length
        norm_body = self.short_body + self.per_body * vector.body_length
        in_title = in_body = in_topics = in_form = 0.0
        held: list[int] = []
        for index, (title, body, topics, exact_title, exact_body, exact_topics) in vector.lookup(self.wanted):
            idf = asked[index].idf
            if body:
                part = idf * body * more / (body + norm_body)
                in_body += part
                if exact_body:
                    in_form += part
                held.append(index)
            if title:
                part = idf * weights.title * title * more / (title + norm_title)
                in_title += part
                if exact_title:
                    in_form += part
            if topics:
                part = idf * weights.topics
                in_topics += part
                if exact_topics:
                    in_form += part
        in_form *= weights.exact
        in_place = self._near(vector, held) if len(held) > 1 else 0.0
        reasons = [("title", in_title)] if in_title else []
        if in_body:
            reasons.append(("body", in_body))
        if in_topics:
            reasons.append(("topics", in_topics))
        if in_form:
            reasons.append(("exact", in_form))
        if in_place:
            reasons.append(("near", in_place))
        return Hit(candidate.key, in_title + in_body + in_topics + in_form + in_place, tuple(reasons))

    def _near(self, vector: Vector, held: Sequence[int]) -> float:
        """What neighbours of the query add by standing near each other in the body."""
        total = 0.0
        before: _Asked | None = None
        places_before: tuple[int, ...] = ()
        for index in held:
            asked = self.asked[index]
            places = vector.positions(asked.term)
            if before is not None and asked.place - before.place == 1 and places and places_before:
                apart = min(abs(here - there) for here in places for there in places_before)
                if 0 < apart <= self.weights.near_span:
                    total += self.weights.near * min(asked.idf, before.idf) / apart
            before, places_before = asked, places
        return total


def _asked(query: Query, statistics: Statistics, languages: tuple[str, ...]) -> Iterator[_Asked]:
    documents = statistics.documents
    for place, word in enumerate(words_of(query)):
        forms = terms_of(word, languages)
        frequency = min(sum(statistics.frequency.get(form, 0) for form in forms), documents)
        idf = log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
        for form in forms:
            yield _Asked(place, term_hash(form), surface_tag(word), idf)
