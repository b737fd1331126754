"""A `Query` inside its scope, in OpenSearch's words: values in clauses, never a text to be parsed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from knowledge.documents import Query, Scope, Term
from knowledge.index import schema
from knowledge.index.analysis import terms_of, tokens
from knowledge.index.asked import days_of, filters_of, places_of, wished

Clause = dict[str, Any]

_TITLE_BOOST = 1.5
_MOST_CLAUSES = 900
"""A query of more than 1,024 clauses is refused: beyond this, words are matched by the set and add no score."""
_MOST_VALUES = 60_000
"""One clause takes 65,536 values."""
NOTHING: Clause = {"match_none": {}}


def matching(query: Query, scope: Scope, minimum: int, languages: tuple[str, ...]) -> Clause:
    """What a query means inside its scope. Filters add nothing to the score."""
    filters = [any_of(field, values) for field, values in filters_of(query)]
    if query.people:
        filters.append(either([phrase("people", tokens(name)) for name in query.people]))
    if days := days_of(query):
        filters.append({"range": {"day": {"gte": days[0], "lte": days[1]}}})
    if query.places:
        sections, sources = places_of(query)
        filters.append(either([any_of("place", sections), any_of("source", sources)]))
    found = inside(scope, filters)

    wishes = wished(query)
    asked = sum(len(terms) for terms in wishes) + sum(len(choice.terms) for choice in query.choices)
    scored = 2 * asked * max(1, len(languages)) <= _MOST_CLAUSES
    must: list[Clause] = []
    if wishes:
        each = [_holding_one(terms, languages, scored) for terms in wishes]
        least = max(1, min(minimum, len(each)))
        must.append({"bool": {"should": each, "minimum_should_match": least}})
        if scored:
            said = dict.fromkeys(one.text for terms in wishes for one in terms if one.form == "word")
            forms = [form for word in said for form in terms_of(word, languages)]
            found["should"] = [{"term": {"title": {"value": form, "boost": _TITLE_BOOST}}} for form in forms]
            found["minimum_should_match"] = 0
    elif query.words and not query.binds:
        must.append(NOTHING)
    left_out: list[Clause] = []
    for each_phrase in query.phrases:
        if spoken := tokens(each_phrase.text):
            (left_out if each_phrase.exclude else must).append(phrase("exact", spoken))
    left_out += [phrase("exact", spoken) for word in query.not_words if (spoken := tokens(word))]
    for choice in query.choices:
        (left_out if choice.exclude else must).append(_holding_one(choice.terms, languages, scored))
    return {"bool": {**found, "must": must, "must_not": [*found["must_not"], *left_out]}}


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


def _holding_one(terms: Sequence[Term], languages: tuple[str, ...], scored: bool) -> Clause:
    """What holds one of these terms; not ``scored``, their words are as few clauses as can be."""
    clauses: list[Clause] = []
    sets: dict[str, list[str]] = {}
    for one in terms:
        spoken = tokens(one.text)
        if one.form == "word" and len(spoken) == 1:
            sets.setdefault("title" if one.title else "text", []).extend(terms_of(spoken[0], languages))
        elif len(spoken) == 1:
            sets.setdefault("title_exact" if one.title else "exact", []).append(spoken[0])
        else:
            clauses.append(phrase("title_exact" if one.title else "exact", spoken))
    for field, values in sets.items():
        clauses += [term(field, value) for value in values] if scored else [any_of(field, values)]
    return either(clauses)


def term(field: str, value: str) -> Clause:
    """This value is among those of the field."""
    return {"term": {field: value}}


def any_of(field: str, values: Iterable[str]) -> Clause:
    """One of these values is."""
    return {"terms": {field: list(values)}}


def either(clauses: list[Clause]) -> Clause:
    """One of these clauses matches."""
    if len(clauses) < 2:
        return clauses[0] if clauses else NOTHING
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


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
