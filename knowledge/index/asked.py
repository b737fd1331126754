"""What a query asks for in words, for whoever matches, ranks or shows them: none of these read a query's syntax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from knowledge.documents import Choice, Query, Scope, Term
from knowledge.index.analysis import STOP_WORDS, content_words, stem, tokens, topic_key
from knowledge.index.schema import day_of

MOST_BEGINNINGS = 50
"""Words that one prefix stands for: those in most documents that the viewer may see."""
MOST_WORDS = 64
"""Words that a query is ranked by."""

_QUESTION = (
    "who whom whose how what where when which why does do did is are can could should would may will i i'm we anyone "
    "anybody someone somebody please"
)
_QUESTIONS = frozenset(_QUESTION.split())
"""Words that a question begins with."""
_REQUESTS = frozenset({("tell", "me"), ("show", "me"), ("help", "me"), ("give", "me"), ("looking", "for")})
_ASK = (
    "know knows known anyone anybody someone somebody anything something tell show give find need needs want looking "
    "help please explain ask talk speak best way possible able supposed ever here information info"
)
_ASKING = frozenset(_ASK.split())
"""Words that only ask, where they stand in the beginning of a question."""


def wishes(query: Query) -> tuple[str, ...]:
    """The words that an engine matches by: the bare ones that weigh; none where none does and something else binds."""
    return () if query.binds and not _weighty(query.words) else weighing(query.words)


def wished(query: Query) -> tuple[tuple[Term, ...], ...]:
    """For each wish what will do: the word itself, then what curators call another way to say it.

    What they say of words that do not weigh (``IT``, ``who``) stands at the
    end, each for itself.
    """
    words = [token for word in wishes(query) for token in dict.fromkeys(tokens(word))]
    found = [(Term(word), *(each.term for each in query.synonyms if word in each.said)) for word in words]
    found += [(each.term,) for each in query.synonyms if not set(each.said) & set(words)]
    return tuple(found)


def wishless(query: Query) -> Query:
    """What a query binds and its filters, its wishes left out: for whoever finds documents by something else."""
    return replace(query, words=(), synonyms=())


def filters_of(query: Query) -> Iterator[tuple[str, list[str]]]:
    """The filters whose values stand in the index as they are: each field, and the values of which one will do."""
    for field, values in (
        ("kind", query.kinds),
        ("source", query.sources),
        ("topic_key", [topic_key(topic) for topic in query.topics]),
    ):
        if values:
            yield field, list(values)


def places_of(query: Query) -> tuple[list[str], list[str]]:
    """The sections (as the index knows them) and the sources (by id) of which a document must stand in one."""
    sources = [str(source) for place in query.places for source in place.sources]
    return [topic_key(place.name) for place in query.places], sources


def days_of(query: Query) -> tuple[int, int] | None:
    """The first and the last day that are wanted, as the index numbers days, or `None` where any will do."""
    if not (query.after or query.before):
        return None
    return day_of(query.after) or 1, day_of(query.before) or date.max.toordinal()


def asked_words(query: Query) -> tuple[str, ...]:
    """Every word that is asked for, signs aside: bare words, then those of phrases and of choices."""
    said = [phrase.text for phrase in query.phrases if not phrase.exclude]
    said += [text for choice in query.choices if not choice.exclude for text in _by_stem(choice)]
    return (*query.words, *(word for text in said for word in tokens(text)))[:MOST_WORDS]


def weighed(query: Query) -> tuple[str, ...]:
    """Those of `asked_words` that weigh: of the bare ones as `weighing` says; how a phrase begins is no question."""
    said = asked_words(query)
    bound = tuple(word for word in said[len(query.words) :] if word not in STOP_WORDS)
    return tuple(dict.fromkeys((*_weighty(query.words[:MOST_WORDS]), *bound))) or content_words(said)


def placed(query: Query) -> list[tuple[int, str]]:
    """The words that a query is ranked by, each with its place.

    Neighbours in the query have places that follow each other. All words of
    one choice have one place, for one of them is enough, and no neighbours.
    """
    bare = {*query.words, *(word for each in query.phrases if not each.exclude for word in tokens(each.text))}
    of_choice: dict[str, int] = {}
    for number, choice in enumerate(query.choices):
        words = (word for text in _by_stem(choice) for word in tokens(text))
        of_choice |= {word: -2 * number - 2 for word in words if word not in of_choice and not choice.exclude}
    found: list[tuple[int, str]] = []
    for word in weighed(query):
        found.append((of_choice[word] if word in of_choice and word not in bare else len(found), word))
    return found


def synonyms_typed(query: Query) -> Query:
    """The query as if its synonyms had been typed, too: for whoever marks what was found."""
    return replace(query, words=(*query.words, *(word for each in query.synonyms for word in each.text.split())))


def weighing(words: Sequence[str]) -> tuple[str, ...]:
    """The words that weigh, each once: neither common ones nor how a question begins, unless there are no others."""
    return _weighty(words) or content_words(words)


def _weighty(words: Sequence[str]) -> tuple[str, ...]:
    passed_over = STOP_WORDS | (_ASKING & set(words[: _question_length(words)]))
    return tuple(word for word in dict.fromkeys(words) if word not in passed_over)


def _question_length(words: Sequence[str]) -> int:
    """How many of the first words only ask: ``who knows about``, ``how do i find the``."""
    if not words or not (words[0] in _QUESTIONS or tuple(words[:2]) in _REQUESTS):
        return 0
    return next((n for n, word in enumerate(words) if word not in STOP_WORDS | _ASKING | _QUESTIONS), len(words))


class _Knows(Protocol):
    """An engine, as far as it is asked here."""

    def beginning(self, prefix: str, scope: Scope, *, limit: int, title: bool = False) -> Sequence[str]: ...


def expanded(query: Query, engine: _Knows, scope: Scope) -> Query:
    """The query with each prefix replaced by the words that begin so in what a scope may see."""
    if not any(term.form == "prefix" for choice in query.choices for term in choice.terms):
        return query
    choices = []
    for choice in query.choices:
        terms: dict[Term, None] = {}
        for term in choice.terms:
            if term.form == "prefix":
                words = engine.beginning(term.text, scope, limit=MOST_BEGINNINGS, title=term.title)
                terms.update(dict.fromkeys(Term(word, "phrase", term.title) for word in words))
            else:
                terms[term] = None
        choices.append(replace(choice, terms=tuple(terms)))
    return replace(query, choices=tuple(choices))


def _by_stem(choice: Choice) -> list[str]:
    """The texts of a choice's terms, one for each stem: ranking knows a word by its stem."""
    found: dict[str, str] = {}
    for term in choice.terms:
        found.setdefault(term.text if " " in term.text else stem(term.text), term.text)
    return list(found.values())
