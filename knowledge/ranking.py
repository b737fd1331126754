"""Puts an engine's candidates in order: pure, the same on every engine, and it keeps its reasons.

Each candidate is scored from its own stored term vector and from statistics
of the documents that everyone may read, and from nothing else: so a document
that the viewer may not see, and even another candidate, moves no order.

The score is BM25 (Robertson & Zaragoza 2009, "The Probabilistic Relevance
Framework"), once for the title and once for the body, each with its own mean
length, summed. More is added where a topic has the words, where they stand in
exactly the form asked for, where they stand together, and where the title is
just what was asked for. A document that lacks words of the query loses part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import log

from knowledge.documents import Candidate, Hit, Query
from knowledge.index import Statistics
from knowledge.index.analysis import Vector, content_words, surface_tag, term_hash, terms_of, tokens


@dataclass(frozen=True, slots=True)
class Weights:
    """What may be tuned, the same for every collection (how the values were found: docs/search.md)."""

    k1: float = 2.0
    b_title: float = 0.6
    b_body: float = 0.55
    title: float = 2.0
    topics: float = 0.7
    exact: float = 0.1
    near: float = 0.3
    near_span: int = 4
    name: float = 1.5
    lacking: float = 0.3


WEIGHTS = Weights()


def words_of(query: Query) -> tuple[str, ...]:
    """The words that a query is ranked by: its own and its phrases', without those that every text holds."""
    return content_words(_spoken(query))


def _spoken(query: Query) -> list[str]:
    """Every word that is asked for."""
    return [*query.words, *(word for phrase in query.phrases if not phrase.exclude for word in tokens(phrase.text))]


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
        self.all_idf = sum({one.place: one.idf for one in self.asked}.values()) or 1.0
        left_out = {word for word in _spoken(query) if word not in words_of(query)}
        self.common = [(term_hash(term), surface_tag(word)) for word in left_out for term in terms_of(word, languages)]
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
        in_title = in_body = in_topics = in_form = covered = named = 0.0
        spoken = 0
        held: list[int] = []
        for index, (title, body, topics, exact_title, exact_body, exact_topics) in vector.lookup(self.wanted):
            idf = asked[index].idf
            covered += idf
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
                named += idf
                spoken += title
            if topics:
                part = idf * weights.topics
                in_topics += part
                if exact_topics:
                    in_form += part
        in_form *= weights.exact
        in_place = self._near(vector, held) if len(held) > 1 else 0.0
        in_name = self._name(vector, named, spoken) if spoken else 0.0
        kept = 1 - weights.lacking + weights.lacking * covered / self.all_idf
        reasons = [("title", in_title * kept)] if in_title else []
        if in_body:
            reasons.append(("body", in_body * kept))
        if in_topics:
            reasons.append(("topics", in_topics * kept))
        if in_form:
            reasons.append(("exact", in_form * kept))
        if in_place:
            reasons.append(("near", in_place * kept))
        if in_name:
            reasons.append(("name", in_name * kept))
        score = (in_title + in_body + in_topics + in_form + in_place + in_name) * kept
        return Hit(candidate.key, score, tuple(reasons))

    def _name(self, vector: Vector, named: float, spoken: int) -> float:
        """What it adds that the title is what was asked for: all of the query in it, and nothing else."""
        if self.common:
            spoken += sum(counts[0] for _, counts in vector.lookup(self.common))
        asked_in_title, title_in_asked = named / self.all_idf, min(1.0, spoken / max(1, vector.title_length))
        return self.weights.name * self.all_idf * (asked_in_title * title_in_asked) ** 2

    def _near(self, vector: Vector, held: Sequence[int]) -> float:
        """What neighbours of the query add by standing near each other in the body."""
        total = 0.0
        places: tuple[int, ...] = ()
        for first, second in pairwise(held):
            one, two = self.asked[first], self.asked[second]
            if two.place - one.place != 1:
                places = ()
                continue
            before = places or vector.positions(one.term)
            places = vector.positions(two.term)
            if before and places:
                apart = min(abs(here - there) for here in places for there in before)
                if 0 < apart <= self.weights.near_span:
                    total += self.weights.near * min(one.idf, two.idf) / apart
        return total


def _asked(query: Query, statistics: Statistics, languages: tuple[str, ...]) -> Iterator[_Asked]:
    documents = statistics.documents
    for place, word in enumerate(words_of(query)):
        forms = terms_of(word, languages)
        frequency = min(sum(statistics.frequency.get(form, 0) for form in forms), documents)
        idf = log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
        for form in forms:
            yield _Asked(place, term_hash(form), surface_tag(word), idf)
