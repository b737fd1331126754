"""Ways of ranking people that the finder is compared with: each as its authors gave it, over the same documents.

A ranker takes documents that match a question, best first with their scores,
and who wrote which share of each; it gives people, best first, ties by name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import exp, log

import snowballstemmer

Matched = Sequence[tuple[str, float]]
"""Keys of documents and their scores, best first."""
Shares = Mapping[str, Mapping[str, float]]
"""Document -> person -> the part of it that they wrote."""
Ranker = Callable[[Matched, Shares], list[str]]

_WORD = re.compile(r"\w+")


def by_score(scores: Mapping[str, float]) -> list[str]:
    """The people, best first."""
    return sorted(scores, key=lambda who: (-scores[who], who))


def reciprocal_ranks(matched: Matched, shares: Shares) -> list[str]:
    """Each document votes with one divided by its rank (Macdonald & Ounis 2006)."""
    return _voted({key: 1 / rank for rank, (key, _) in enumerate(matched, 1)}, shares)


def sums(matched: Matched, shares: Shares) -> list[str]:
    """CombSUM: each document votes with its score."""
    return _voted(dict(matched), shares)


def exponential_sums(matched: Matched, shares: Shares) -> list[str]:
    """expCombMNZ: the number of votes times the sum of exp(score)."""
    return _voted(_exponential(matched), shares, many=True)


def documents_first(matched: Matched, shares: Shares) -> list[str]:
    """The document model: p(q|e) = sum of p(q|d) p(d|e) (Balog, Azzopardi & de Rijke 2006, model 2)."""
    wrote: Counter[str] = Counter()
    for parts in shares.values():
        wrote.update(parts)
    scores: dict[str, float] = defaultdict(float)
    for key, value in _exponential(matched).items():
        for who, share in shares.get(key, {}).items():
            scores[who] += value * share / (wrote[who] or 1.0)
    return by_score(scores)


def _exponential(matched: Matched) -> dict[str, float]:
    best = matched[0][1] if matched else 0.0
    return {key: exp(score - best) for key, score in matched}  # the same order as exp(score), without its size


def _voted(values: Mapping[str, float], shares: Shares, *, many: bool = False) -> list[str]:
    scores: dict[str, float] = defaultdict(float)
    votes: Counter[str] = Counter()
    for key, value in values.items():
        for who in shares.get(key, ()):
            scores[who] += value
            votes[who] += 1
    return by_score({who: score * votes[who] for who, score in scores.items()} if many else scores)


class Profiles:
    """The candidate model: all that a person wrote is one text (Balog, Azzopardi & de Rijke 2006, model 1).

    Smoothed after Dirichlet with the mean length of these texts.
    """

    def __init__(self, texts: Iterable[tuple[str, str]], shares: Shares) -> None:
        """``texts``: key and text of each document."""
        stem = cache(snowballstemmer.stemmer("english").stemWord)
        self._stems: Callable[[str], list[str]] = lambda text: [stem(word) for word in _WORD.findall(text.lower())]
        self._of: dict[str, Counter[str]] = defaultdict(Counter)
        self._all: Counter[str] = Counter()
        for key, text in texts:
            counts = Counter(self._stems(text))
            self._all.update(counts)
            for who in shares.get(key, ()):
                self._of[who].update(counts)
        self._length = {who: sum(counts.values()) for who, counts in self._of.items()}
        self._mean = sum(self._length.values()) / max(1, len(self._length))
        self._whole = sum(self._all.values())

    def ranked(self, text: str) -> list[str]:
        """The people whose text holds a word of the question, the likeliest to have said it first."""
        asked = [stem for stem in self._stems(text) if self._all[stem]]
        scores = {
            who: sum(
                log((counts[stem] + self._mean * self._all[stem] / self._whole) / (self._length[who] + self._mean))
                for stem in asked
            )
            for who, counts in self._of.items()
            if any(counts[stem] for stem in asked)
        }
        return by_score(scores)
