"""What may make a question needless, shown while somebody writes it: answers that stand, and asks like it that wait.

What shares a common word or two with a question is no answer to it, and stood
first: so it is shown only where it shares the words that matter, each as heavy
as it is rare here, or is near in meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log

from django.views.decorators.debug import sensitive_variables

from experts.asking.asks import LONGEST, Ask
from experts.asking.sealed import is_author
from experts.asking.turns import query_of
from knowledge import index
from knowledge.access import Ground, Viewer
from knowledge.documents import Query, Result
from knowledge.index.analysis import content_words, stem, tokens
from knowledge.meaning import looking
from knowledge.search import search

SHOWN = 3
"""Of each kind."""
LOOKED_AT = 8
"""Of the best answers."""
COMPARED = 300
"""Of the newest open asks."""
HALF = 0.5
"""Of the weight of a question's words, shared: alike in words."""
NEAR = 0.45
"""The cosine from which on an answer is alike in meaning; by less something about the same machine is found."""


@dataclass(frozen=True, slots=True)
class Similar:
    """What may make a question needless: answers that stand, and asks that wait and can be joined."""

    answers: tuple[Result, ...]
    asks: tuple[Ask, ...]


@sensitive_variables()
def similar(text: str, viewer: Viewer, *, ground: Ground | None = None) -> Similar:
    """Answered questions like this one, by the one search; and open ones of others that the viewer may see and join."""
    words = content_words(tokens(text[: LONGEST * 2]))
    if viewer.person_id is None or not words:
        return Similar((), ())
    weights = _weights({stem(word) for word in words})
    query = replace(query_of(" ".join(words)), kinds=("answer",))
    return Similar(_answers(query, weights, viewer, ground or Ground(viewer)), tuple(_asks(weights, viewer)))


@sensitive_variables()
def _weights(terms: set[str]) -> dict[str, float]:
    """How much it says that a question shares each of these terms: the rarer in what everyone may read, the more."""
    try:
        known = index.open_for_reading().statistics(terms)
    except index.IndexProblem:
        return dict.fromkeys(terms, 1.0)
    in_documents = {term: known.frequency.get(term, 0) for term in terms}
    return {term: log(1 + (known.documents - df + 0.5) / (df + 0.5)) for term, df in in_documents.items()}


@sensitive_variables()
def _answers(query: Query, weights: Mapping[str, float], viewer: Viewer, ground: Ground) -> tuple[Result, ...]:
    found = search(query, viewer, per_page=LOOKED_AT, remember=False, as_typed=True, explain=True, ground=ground)
    look = looking.look(query, ground.scope) if found.results else None
    cosines = look.of([one.resource.public_id.hex for one in found.results]) if look else {}

    def is_like(one: Result) -> bool:
        there = [part for word in one.why.words for part in (word.word, *word.instead_of.split())] if one.why else []
        shared = {stem(word) for word in there} if one.why else set(weights)
        near = cosines.get(one.resource.public_id.hex, 0.0) >= NEAR
        return near or sum(weights.get(term, 0.0) for term in shared) >= HALF * sum(weights.values())

    return tuple(filter(is_like, found.results))[:SHOWN]


@sensitive_variables()
def _asks(weights: Mapping[str, float], viewer: Viewer) -> list[Ask]:
    """Open asks that share half of the weight at least (of the shorter of both), those that share most first."""
    usual = sum(weights.values()) / len(weights)
    newest = Ask.objects.visible_to(viewer).open().exclude(author=viewer.person_id).order_by("-published_at", "-pk")
    scored = []
    for one in newest.select_related("author")[:COMPARED]:
        others = {stem(word) for word in content_words(tokens(one.text))}
        both = weights.keys() & others
        weight = sum(weights[term] for term in both)
        shared = weight / (min(sum(weights.values()), weight + usual * len(others - both)) or 1.0)
        if len(both) > 1 and shared >= HALF:
            scored.append((-shared, one))
    scored.sort(key=lambda pair: pair[0])
    return [one for _, one in scored if not is_author(one, viewer)][:SHOWN]
