"""Folds near-duplicates under the best of them: pure, and from the stored term vectors of one viewer's candidates.

Two documents say nearly the same when nine tenths of the words of their bodies
are the same words, as often; short ones when all words are, the title's too.
Which pairs are worth a comparison is seen from the lowest hashes of their
terms: texts that say nearly the same have runs of them in common (a sketch as
of Broder 1997, "On the resemblance and containment of documents").

The same part of the ranked list is folded, whichever page of it is looked at:
so pages are stable, and what one page folds no other shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from knowledge.documents import Candidate, Hit
from knowledge.index.vectors import contents, lowest

FIRST = 60
"""Hits that are looked at, the best: copies stand near each other, and few people turn six pages."""
LIKE = 0.9
"""The part of the words of two bodies that must be the same."""
SHORT = 50
"""Words; a text with fewer says something else with one other word."""
MOST = 5
"""Results under one; the next that is like them stands for itself, so that no page confirms more than it shows."""
HASHES, RUN = 8, 4
ROUGHLY = 0.85
"""What the shorter of two bodies is at least of the longer, for a comparison; whole words only are counted here."""
COMPARED = 12
"""Documents that one is compared with at most, the best first."""
COMPARISONS = 64
"""Documents that others are compared with at most: a list that is all alike must not be slow."""

NEVER = frozenset({"person"})
"""Kinds of which each is itself, however alike they read."""

Folded = Mapping[str, tuple[Hit, ...]]
"""The hits that are folded, by the key of the one that they stand under."""


def folded(hits: Sequence[Hit], candidates: Mapping[str, Candidate]) -> Folded:
    """What of a ranked list is folded under what; a hit without a candidate is left as it is."""
    known = [candidates.get(hit.key) for hit in hits[:FIRST]]
    alike = _worth_comparing([one.vector if one and one.kind not in NEVER else b"" for one in known])
    under: dict[int, list[int]] = {}
    gone: set[int] = set()
    for leader in sorted(alike)[:COMPARISONS]:
        if leader in gone:
            continue
        first = known[leader]
        others = [(place, known[place]) for place in sorted(alike[leader]) if place not in gone]
        same_kind = [(place, one) for place, one in others if first and one and one.kind == first.kind][:COMPARED]
        if first and same_kind:
            likes = _alike(first.vector, [one.vector for _, one in same_kind])
            found = [place for (place, _), like in zip(same_kind, likes, strict=True) if like][:MOST]
            if found:
                under[leader] = found
                gone.update(found)
    return {hits[leader].key: tuple(hits[place] for place in places) for leader, places in under.items()}


def _worth_comparing(vectors: Sequence[bytes]) -> dict[int, set[int]]:
    """For each place those after it that are about as long and have a run of lowest hashes in common with it."""
    places, lengths, hashes = lowest(vectors, HASHES)
    wide, width = hashes.astype(np.uint64), HASHES - RUN + 1
    runs = wide[:, :width].copy()
    for step in range(1, RUN):  # numbers that overflow are as good as any other
        runs *= np.uint64(0x9E3779B97F4A7C15)
        runs += wide[:, step : step + width]
    flat = runs.ravel()
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    again = np.flatnonzero(ordered[1:] == ordered[:-1])
    having: dict[int, set[int]] = defaultdict(set)
    for at in again.tolist():
        having[int(ordered[at])].update((int(order[at]) // width, int(order[at + 1]) // width))
    alike: dict[int, set[int]] = defaultdict(set)
    for together in {tuple(sorted(lines)[: COMPARISONS + COMPARED]) for lines in having.values()}:
        for one, other in combinations(together, 2):
            if min(lengths[one], lengths[other]) >= ROUGHLY * max(lengths[one], lengths[other]):
                alike[places[one]].add(places[other])
    return alike


def _alike(first: bytes, others: Sequence[bytes]) -> list[bool]:
    """Which of the others say nearly the same as the first."""
    tokens, body, title = contents(first)
    said = int(body.sum())
    found = []
    for other in others:
        its_tokens, its_body, its_title = contents(other)
        its_said = int(its_body.sum())
        if min(said, its_said) < LIKE * max(said, its_said):
            found.append(False)
        elif max(said, its_said) < SHORT:
            same = len(tokens) == len(its_tokens) and bool((tokens == its_tokens).all())
            found.append(same and bool((body == its_body).all()) and bool((title == its_title).all()))
        else:
            at = np.minimum(np.searchsorted(tokens, its_tokens), len(tokens) - 1)
            shared = int((np.minimum(body[at], its_body) * (tokens[at] == its_tokens)).sum())
            found.append(shared >= LIKE * (said + its_said - shared))
    return found
