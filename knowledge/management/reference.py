"""What search is measured against: plain BM25 over the same documents, and whether a difference is more than chance."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

K1, B = 0.9, 0.4
ROUNDS = 20_000
_WORD = re.compile(r"\w+")


class PlainBM25:
    """BM25 (k1 .9, b .4) over Porter2 stems of every word, the title counted twice: what any search should better.

    Made apart from everything that search uses, so that no change there moves what it is compared with.
    """

    def __init__(self, documents: Iterable[tuple[str, str, str]]) -> None:
        """``documents``: key, title and body of each."""
        self._stem = snowballstemmer.stemmer("english").stemWord
        self._known: dict[str, str] = {}
        documents = sorted(documents)
        self.keys = [key for key, _, _ in documents]
        counted = [Counter(self._stems(f"{title}\n{title}\n{body}")) for _, title, body in documents]
        lengths = np.array([sum(counts.values()) for counts in counted], float)
        self._norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean()) if len(lengths) else 1.0))
        self._postings = defaultdict[str, list[tuple[int, int]]](list)
        for number, counts in enumerate(counted):
            for stem, times in counts.items():
                self._postings[stem].append((number, times))

    def _stems(self, text: str) -> list[str]:
        words = _WORD.findall(text.lower())
        self._known.update((word, self._stem(word)) for word in set(words) - self._known.keys())
        return [self._known[word] for word in words]

    def ranked(self, text: str) -> list[str]:
        """The keys of all documents that hold a word of ``text``, best first, ties by key."""
        scores = self.scores(text)
        return [self.keys[number] for number in np.argsort(-scores, kind="stable") if scores[number] > 0]

    def scores(self, text: str) -> NDArray[np.float64]:
        """The score of each document, in the order of their keys."""
        scores = np.zeros(len(self.keys))
        for stem, asked in Counter(self._stems(text)).items():
            if postings := self._postings.get(stem):
                at, times = np.array(postings).T
                rarity = log(1 + (len(self.keys) - len(at) + 0.5) / (len(at) + 0.5))
                scores[at] += asked * rarity * (K1 + 1) * times / (times + self._norm[at])
        return scores


def chance(ones: Sequence[float], others: Sequence[float]) -> float:
    """How likely chance alone makes means of paired values differ this much or more, either way: from 0 to 1.

    The paired randomisation test (Smucker, Allan & Carterette 2007): each
    pair is swapped or not, many times over. The same values give the same answer.
    """
    differences = np.subtract(ones, others)
    differences = differences[differences != 0]
    if not len(differences):
        return 1.0
    random = np.random.default_rng(0)
    seen = abs(differences.sum()) - 1e-9
    rounds = 0
    as_far = 0
    while rounds < ROUNDS:
        signs = random.integers(0, 2, (1000, len(differences)), np.int8) * 2 - 1
        as_far += int((np.abs(signs @ differences) >= seen).sum())
        rounds += len(signs)
    return (as_far + 1) / (rounds + 1)
