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
        self.words = len({one.place for one in self.asked})
        # A mean of nothing, where no document is public yet, must not divide by zero.
        self.mean_title = statistics.mean_title_length or 5.0
        self.mean_body = statistics.mean_body_length or 300.0

    def score(self, candidate: Candidate) -> Hit:
        """The candidate's place in the order, as a number, with what it is the sum of."""
        weights, k1 = self.weights, self.weights.k1
        vector = Vector(candidate.vector)
        norm_title = k1 * (1 - weights.b_title + weights.b_title * vector.title_length / self.mean_title)
        norm_body = k1 * (1 - weights.b_body + weights.b_body * vector.body_length / self.mean_body)
        in_title = in_body = in_topics = in_form = 0.0
        held: list[_Asked] = []
        for index, counts in vector.lookup(self.wanted):
            title, body, topics, exact_title, exact_body, exact_topics = counts
            asked = self.asked[index]
            title_part = asked.idf * weights.title * title * (k1 + 1) / (title + norm_title)
            body_part = asked.idf * body * (k1 + 1) / (body + norm_body)
            topics_part = asked.idf * weights.topics if topics else 0.0
            in_title += title_part
            in_body += body_part
            in_topics += topics_part
            if exact_title or exact_body or exact_topics:
                in_form += weights.exact * (
                    (title_part if exact_title else 0.0)
                    + (body_part if exact_body else 0.0)
                    + (topics_part if exact_topics else 0.0)
                )
            if body:
                held.append(asked)
        in_place = self._near(vector, held) if self.words > 1 and len(held) > 1 else 0.0
        parts = (
            ("title", in_title), ("body", in_body), ("topics", in_topics), ("exact", in_form), ("near", in_place)
        )  # fmt: skip
        return Hit(
            candidate.key,
            round(in_title + in_body + in_topics + in_form + in_place, 6),
            tuple((name, round(value, 3)) for name, value in parts if value),
        )

    def _near(self, vector: Vector, held: Sequence[_Asked]) -> float:
        """What neighbours of the query add by standing near each other in the body."""
        total = 0.0
        before: tuple[_Asked, tuple[int, ...]] | None = None
        for asked in held:
            places = vector.positions(asked.term)
            if before is not None and asked.place - before[0].place == 1:
                apart = min((abs(here - there) for here in places for there in before[1]), default=99)
                if 0 < apart <= self.weights.near_span:
                    total += self.weights.near * min(asked.idf, before[0].idf) / apart
            before = (asked, places)
        return total


def _asked(query: Query, statistics: Statistics, languages: tuple[str, ...]) -> Iterator[_Asked]:
    documents = statistics.documents
    for place, word in enumerate(words_of(query)):
        forms = terms_of(word, languages)
        frequency = min(sum(statistics.frequency.get(form, 0) for form in forms), documents)
        idf = log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
        for form in forms:
            yield _Asked(place, term_hash(form), surface_tag(word), idf)
