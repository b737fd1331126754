"""A `Query` inside its scope, as a set of one Whoosh segment's documents: filters are ``&``, alternatives ``|``."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.documents import Query, Scope, Term
from knowledge.index.analysis import terms_of, tokens
from knowledge.index.asked import days_of, filters_of, places_of
from knowledge.index.whoosh_segments import Segment


def matching(
    segment: Segment,
    query: Query,
    scope: Scope,
    wishes: tuple[tuple[Term, ...], ...],
    minimum: int,
    languages: tuple[str, ...],
) -> int:
    """The set of a segment's documents that a query means, inside its scope."""
    found = segment.within(scope)
    for field, wanted in filters_of(query):
        if found:
            found &= any_of(segment.having(field, value) for value in wanted)
    if query.people:
        found &= any_of(segment.saying("people", tokens(name), found) for name in query.people)
    if query.places:
        sections, sources = places_of(query)
        in_section = any_of(segment.having("place", section) for section in sections)
        found &= in_section | any_of(segment.having("source", pk) for pk in sources)
    if days := days_of(query):
        found &= segment.between(*days)
    if wishes:
        # at_least[n]: documents with n + 1 of the words met so far
        at_least = [0] * max(1, min(minimum, len(wishes)))
        for terms in wishes:
            holding = any_of(_holding(segment, term, found, languages) for term in terms)
            for n in range(len(at_least) - 1, 0, -1):
                at_least[n] |= at_least[n - 1] & holding
            at_least[0] |= holding
        found &= at_least[-1]
    elif query.words and not query.binds:
        return 0
    for phrase in query.phrases:
        if found and (spoken := tokens(phrase.text)):
            said = segment.saying("exact", spoken, found)
            found = found & ~said if phrase.exclude else said
    for word in query.not_words:
        if found and (spoken := tokens(word)):
            found &= ~segment.saying("exact", spoken, found)
    for choice in query.choices:
        if found:
            one_of = any_of(_holding(segment, term, found, languages) for term in choice.terms)
            found = found & ~one_of if choice.exclude else found & one_of
    return found


def _holding(segment: Segment, term: Term, among: int, languages: tuple[str, ...]) -> int:
    """The set of a segment's documents, of these, that hold one term."""
    spoken = tokens(term.text)
    if term.form == "word" and len(spoken) == 1:
        field = "title" if term.title else "text"
        return any_of(segment.having(field, form) for form in terms_of(spoken[0], languages))
    return segment.saying("title_exact" if term.title else "exact", spoken, among)


def any_of(sets: Iterable[int]) -> int:
    """What is in one of these sets at least."""
    union = 0
    for each in sets:
        union |= each
    return union
