"""Did you mean: a query whose words this viewer's documents do not hold, in the nearest words that they do hold.

Words are counted inside the viewer's scope and nowhere else, so a document
that they may not read neither makes a suggestion nor keeps one away, and what
is suggested finds something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from knowledge.documents import Phrase, Query, Scope, Synonym, Term
from knowledge.index import Engine, near
from knowledge.index.analysis import fold, terms_of, tokens
from knowledge.index.asked import weighed
from knowledge.index.language import parse, to_text

SHORTEST_PART, LONGEST_PARTED = 3, 24
"""Letters of each of two words that were written as one, and of both together."""
MOST = 4
"""Words of one query that are looked up: who misspells more of them was not writing this language."""
_WORD = re.compile(r"\w(?:[\w'’.+#]*\w)?[+#]*")


def respelled(
    query: Query, engine: Engine, scope: Scope, frequency: Mapping[str, int], synonyms: Iterable[Synonym] = ()
) -> Query | None:
    """The query in words that documents inside the scope hold, or `None` where it is so or cannot be made so.

    ``frequency`` tells of the query's terms in how many documents they stand
    that everyone may read: what stands there need not be looked up, unless the
    index is behind and counts what some may read no more. What
    curators call something else (``synonyms``) is no mistake. Whether all the
    words and filters together find something is for the caller to see.
    """
    languages = engine.languages()
    said = {word for synonym in synonyms for word in synonym.said}
    better: dict[str, str] = {}
    looked_up = 0
    for word in weighed(query):
        known = not scope.behind and any(frequency.get(term) for term in terms_of(word, languages))
        if known or word in said or not near.slips(word) or _holds(engine, scope, word):
            continue
        found = _nearest(word, engine.similar(word, scope)) or _parted(word, engine, scope)
        if found:
            better[word] = found
        looked_up += 1
        if looked_up == MOST:
            break
    return parse(_rewritten(query, better)) if better else None


def _holds(engine: Engine, scope: Scope, word: str) -> bool:
    return bool(engine.search(Query(words=(word,)), scope, limit=1, facets=False).total)


def _nearest(word: str, counts: Mapping[str, int]) -> str:
    """The word with the fewest slips, then the same beginning, then in most documents."""
    return min(counts, key=lambda one: (near.distance(word, one), one[0] != word[0], -counts[one], one), default="")


def _parted(word: str, engine: Engine, scope: Scope) -> str:
    """Two words that were written as one and stand side by side somewhere, if there are such."""
    counts: dict[str, int] = {}
    last = len(word) - SHORTEST_PART if word.isalpha() and len(word) <= LONGEST_PARTED else 0
    for at in range(SHORTEST_PART, last + 1):
        parts = f"{word[:at]} {word[at:]}"
        found = engine.search(Query(phrases=(Phrase(parts),)), scope, limit=1, facets=False).total
        if found:
            counts[parts] = found
    return min(counts, key=lambda parts: (-counts[parts], parts), default="")


def _rewritten(query: Query, better: Mapping[str, str]) -> str:
    """The query's text with these words replaced: as it was typed where that is read the same, else written anew."""

    def spelled(text: str) -> str:
        return " ".join(better.get(token, token) for token in tokens(text))

    words = tuple(dict.fromkeys(part for word in query.words for part in better.get(word, word).split()))
    phrases = tuple(dict.fromkeys(replace(one, text=spelled(one.text)) for one in query.phrases))
    choices = tuple(
        replace(one, terms=tuple(term if term.form == "prefix" else _term(term, spelled) for term in one.terms))
        for one in query.choices
    )
    meant = parse(to_text(replace(query, words=words, phrases=phrases, choices=choices)))
    typed = _WORD.sub(lambda found: better.get(fold(found[0]), found[0]), query.text)
    return typed if replace(parse(typed), text=meant.text) == meant else meant.text


def _term(term: Term, spelled: Callable[[str], str]) -> Term:
    text = spelled(term.text)
    return replace(term, text=text, form="phrase" if " " in text else term.form)
