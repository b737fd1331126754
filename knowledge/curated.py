"""What curators said about searching, as a search asks it: the synonyms of a query, and what stands first for it.

Pure: `edition` keeps one of these in memory for as long as nothing changed.
Words are compared by their stems, so that an ending makes no difference.
Neither a synonym nor a pin shows anything by itself: what it leads to is found
inside the viewer's scope and confirmed as everything else is, and who is not
of its audience is answered as if it had never been written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from knowledge.documents import Query, Synonym
from knowledge.index.analysis import content_words, stem, tokens
from knowledge.index.asked import asked_words

MOST_SYNONYMS = 5
"""Of one query: each is one more reading of it to be weighed."""
MOST_PINS = 10
"""Of one query, that stand first for one viewer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom and until when something counts; no audience: for everyone."""

    audience: frozenset[str] | None = None
    until: date | None = None

    def hold(self, tokens: frozenset[str], today: date) -> bool:
        """Whether it counts today for whoever holds these audience tokens."""
        return (self.audience is None or bool(self.audience & tokens)) and (self.until is None or today <= self.until)


@dataclass(frozen=True, slots=True)
class PinSaid:
    """A pin: the words, the key of the resource, its place among pins of the same words."""

    words: str
    key: str
    place: int = 1
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True)
class SynonymSaid:
    """One way of a synonym: who searches for ``words`` also finds ``other``."""

    words: str
    other: str
    terms: Terms = Terms()


class Curated:
    """All pins and synonyms, laid out to be looked up by the words of a query."""

    def __init__(self, pins: Iterable[PinSaid] = (), synonyms: Iterable[SynonymSaid] = ()) -> None:
        self._pins: dict[frozenset[str], list[PinSaid]] = {}
        for pin in sorted(pins, key=lambda pin: (pin.place, pin.key)):
            if stems := _stems(tokens(pin.words)):
                self._pins.setdefault(stems, []).append(pin)
        self._synonyms: dict[str, list[tuple[tuple[str, ...], SynonymSaid]]] = {}
        for synonym in synonyms:
            said = tuple(stem(token) for token in tokens(synonym.words))
            if said and tokens(synonym.other):
                self._synonyms.setdefault(said[0], []).append((said, synonym))

    @property
    def pins_any(self) -> bool:
        """Whether anything is pinned to any words, for anybody."""
        return bool(self._pins)

    def pins(self, query: Query, tokens: frozenset[str], today: date) -> tuple[str, ...]:
        """Keys of what stands first for this query, in their order, whether or not the viewer may read it.

        The query's words must be those of the pin, no more and no fewer; those
        that every text holds do not count.
        """
        if not self._pins or not query.speaks:
            return ()
        pins = self._pins.get(_stems(asked_words(query)), ())
        return tuple(dict.fromkeys(pin.key for pin in pins if pin.terms.hold(tokens, today)))

    def with_synonyms(self, query: Query, tokens: frozenset[str], today: date) -> Query:
        """The query with what its bare words are also called. Synonyms of synonyms are not looked for."""
        if not self._synonyms:
            return query
        found = dict.fromkeys(self._found(query.words, tokens, today))
        return replace(query, synonyms=tuple(found)[:MOST_SYNONYMS]) if found else query

    def _found(self, words: tuple[str, ...], held: frozenset[str], today: date) -> Iterator[Synonym]:
        stems = [stem(word) for word in words]
        for at, first in enumerate(stems):
            for said, synonym in self._synonyms.get(first, ()):
                if tuple(stems[at : at + len(said)]) == said and synonym.terms.hold(held, today):
                    other = tokens(synonym.other)
                    if not {stem(token) for token in other} <= set(stems):
                        yield Synonym(words[at : at + len(said)], " ".join(other))


def _stems(words: Iterable[str]) -> frozenset[str]:
    """What two ways to type the same words share."""
    return frozenset(stem(word) for word in content_words(words))
