"""A `Query` inside its scope, in OpenSearch's words: values in clauses, never a text to be parsed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from knowledge.documents import Query, Scope
from knowledge.index import schema
from knowledge.index.analysis import terms_of, tokens, topic_key
from knowledge.index.asked import wishes

Clause = dict[str, Any]

_TITLE_BOOST = 1.5
_MOST_CLAUSES = 900
"""A query of more than 1,024 clauses is refused: beyond this, words are matched without being scored one by one."""
_MOST_VALUES = 60_000
"""One clause takes 65,536 values."""
NOTHING: Clause = {"match_none": {}}


def matching(query: Query, scope: Scope, minimum: int, languages: tuple[str, ...]) -> Clause:
    """What a query means inside its scope. Filters add nothing to the score."""
    filters: list[Clause] = []
    if query.kinds:
        filters.append(any_of("kind", query.kinds))
    if query.sources:
        filters.append(any_of("source", query.sources))
    if query.topics:
        filters.append(any_of("topic_key", [topic_key(topic) for topic in query.topics]))
    if query.people:
        filters.append(either([phrase("people", tokens(name)) for name in query.people]))
    if query.after or query.before:
        first, last = schema.day_of(query.after) or 1, schema.day_of(query.before) or date.max.toordinal()
        filters.append({"range": {"day": {"gte": first, "lte": last}}})
    found = inside(scope, filters)

    words = [token for word in wishes(query) for token in dict.fromkeys(tokens(word))]
    if words:
        found |= _words([terms_of(word, languages) for word in words], minimum)
    elif query.words and not query.binds:
        found["must"] = [NOTHING]
    for each in query.phrases:
        if spoken := tokens(each.text):
            place = "must_not" if each.exclude else "must"
            found.setdefault(place, []).append(phrase("exact", spoken))
    for word in query.not_words:
        if spoken := tokens(word):
            found["must_not"].append(phrase("exact", spoken))
    return {"bool": found}


def inside(scope: Scope, filters: Sequence[Clause] = ()) -> dict[str, Any]:
    """The parts of a ``bool`` that hold a query inside its scope, with filters of its own."""
    behind = sorted(scope.behind)
    return {
        "filter": [
            any_of("audience", [schema.audience_digest(token) for token in scope.audience]),
            any_of("source", [str(source) for source in scope.sources]),
            *filters,
        ],
        "must_not": [any_of("key", behind[n : n + _MOST_VALUES]) for n in range(0, len(behind), _MOST_VALUES)],
    }


def _words(words: list[tuple[str, ...]], minimum: int) -> dict[str, Any]:
    """At least ``minimum`` of these words, each in any of its terms; a word in the title counts more."""
    least = max(1, min(minimum, len(words)))
    if 2 * sum(map(len, words)) > _MOST_CLAUSES:
        each = [any_of("text", terms) for terms in words]
        return {"must": [{"bool": {"should": each, "minimum_should_match": least}}]}
    each = [either([term("text", one) for one in terms]) for terms in words]
    in_title = [{"term": {"title": {"value": one, "boost": _TITLE_BOOST}}} for terms in words for one in terms]
    return {
        "must": [{"bool": {"should": each, "minimum_should_match": least}}],
        "should": in_title,
        "minimum_should_match": 0,
    }


def term(field: str, value: str) -> Clause:
    """This value is among those of the field."""
    return {"term": {field: value}}


def any_of(field: str, values: Iterable[str]) -> Clause:
    """One of these values is."""
    return {"terms": {field: list(values)}}


def either(clauses: list[Clause]) -> Clause:
    """One of these clauses matches."""
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses, "minimum_should_match": 1}}


def phrase(field: str, spoken: Sequence[str]) -> Clause:
    """Consecutive tokens of one value of the field."""
    if not spoken:
        return NOTHING
    if len(spoken) == 1:
        return term(field, spoken[0])
    return {"match_phrase": {field: {"query": " ".join(spoken), "analyzer": "whitespace"}}}


def begins(field: str, word: str, slips: int = 0) -> Clause:
    """A token of the field begins like this word, up to so many slips."""
    if not slips:
        return {"prefix": {field: word}}
    return {"fuzzy": {f"{field}.begins": {"value": word, "fuzziness": slips, "rewrite": "constant_score"}}}
