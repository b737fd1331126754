"""The query language: what a person typed, read as a `Query`; and a `Query` written as text again.

Every text is a valid query. What cannot be read as an operator is searched as
words, and `reading` says so. The language is ours, not an engine's: engines
get values, never a string to parse, so no character means anything to them.
``docs/search.md`` is its description for people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from knowledge.documents import KINDS, Phrase, Query, Term
from knowledge.index.analysis import STOP_WORDS, content_words, tokens

MAX_TEXT = 16_000
MAX_WORDS = 64
MAX_VALUES = 16
MAX_VALUE = 120

FIELDS = {"kind": "kinds", "topic": "topics", "source": "sources", "by": "people"}
"""Operators that take a value, and the part of `Query` that each one fills."""

QUOTES = '"“”„‟«»″＂'
_PIECE = re.compile(
    rf"""
    (?P<minus>(?<!\S)[-−](?=[^\s−-]))?                       # leaves out what follows
    (?:(?P<name>[A-Za-z]+):(?=[^\s:/]))?                     # an operator, directly before its value
    (?: [{QUOTES}](?P<quoted>[^{QUOTES}]*)[{QUOTES}]
      | (?P<plain>[^\s{QUOTES}]+) )
    """,
    re.VERBOSE,
)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_YEARS = range(1900, 2200)  # what every engine's dates can hold


def parse(text: str) -> Query:
    """Read what somebody typed. Never fails, whatever the text is; `Query.text` keeps it, tidied."""
    return _read(text)[0]


def reading(query: Query) -> str:
    """How an odd text was read, in one sentence for the person who typed it, or an empty string."""
    return _read(query.text)[1]


def to_text(query: Query) -> str:
    """A text that `parse` reads as this query: filter chips and operators are one thing."""
    parts = list(query.words)
    parts += [f"-{word}" for word in query.not_words]
    parts += [f'{"-" * phrase.exclude}"{phrase.text}"' for phrase in query.phrases]
    for name, field in FIELDS.items():
        parts += [f"{name}:{_value(value)}" for value in getattr(query, field)]
    if query.after:
        parts.append(f"after:{query.after.isoformat()}")
    if query.before:
        parts.append(f"before:{(query.before + timedelta(days=1)).isoformat()}")
    return " ".join(parts)


def wishes(query: Query) -> tuple[str, ...]:
    """The words that an engine matches by: the bare ones that weigh, none where only others are asked for."""
    words = content_words(query.words)
    return () if query.binds and all(word in STOP_WORDS for word in words) else words


def expanded(query: Query, beginning: Callable[[Term], Sequence[str]]) -> Query:
    """The query with each prefix replaced by the words that begin so, which ``beginning`` tells."""
    if not any(term.form == "prefix" for choice in query.choices for term in choice.terms):
        return query
    choices = []
    for choice in query.choices:
        terms: dict[Term, None] = {}
        for term in choice.terms:
            found = [Term(word, "phrase", term.title) for word in beginning(term)] if term.form == "prefix" else [term]
            terms.update(dict.fromkeys(found))
        choices.append(replace(choice, terms=tuple(terms)))
    return replace(query, choices=tuple(choices))


def asked_words(query: Query) -> tuple[str, ...]:
    """Every word that is asked for, signs aside: bare words, then those of phrases and of choices."""
    said = [phrase.text for phrase in query.phrases if not phrase.exclude]
    said += [term.text for choice in query.choices if not choice.exclude for term in choice.terms]
    return (*query.words, *(word for text in said for word in tokens(text)))


def toggled(query: Query, name: str, value: str) -> Query:
    """The query with this filter added, or taken away where it was set (``name``: kind, topic, source, by)."""
    field = FIELDS[name]
    values = getattr(query, field)
    rest = tuple(old for old in values if old.casefold() != value.casefold())
    changed: dict[str, Any] = {field: rest if len(rest) < len(values) else (*values, _tidy(value))}
    return _retold(replace(query, **changed))


def without_dates(query: Query) -> Query:
    """The query whatever the date."""
    return _retold(replace(query, after=None, before=None))


def _retold(query: Query) -> Query:
    return replace(query, text=to_text(query))


def _value(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) or value[:1] in ":/" else value


def _tidy(text: str) -> str:
    """Without characters that cannot be seen, and with single spaces."""
    kept = (
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text
        if unicodedata.category(char) not in ("Cf", "Cs")
    )
    return " ".join("".join(kept).split())


class _Parts:
    """What has been read so far, each thing once and in the order typed, and what was odd about it."""

    def __init__(self) -> None:
        self.words: dict[str, None] = {}
        self.not_words: dict[str, None] = {}
        self.phrases: dict[Phrase, None] = {}
        self.values: dict[str, dict[str, str]] = {field: {} for field in FIELDS.values()}
        self.after: date | None = None
        self.before: date | None = None
        self.room = MAX_WORDS
        self.cut = False
        self.odd: list[str] = []

    def take(self, words: Iterable[str]) -> list[str]:
        """As many of these words as there is still room for."""
        words = list(words)
        taken = words[: self.room]
        self.room -= len(taken)
        self.cut = self.cut or len(taken) < len(words)
        return taken


def _read(text: str) -> tuple[Query, str]:
    tidy = _tidy(text[:MAX_TEXT])
    parts = _Parts()
    parts.cut = len(text) > MAX_TEXT
    for piece in _PIECE.finditer(tidy):
        name, quoted, plain = piece["name"], piece["quoted"], piece["plain"]
        value = plain if quoted is None else quoted
        if name and not piece["minus"] and _filter(parts, name.lower(), value.strip()):
            continue
        if name and name.lower() in (*FIELDS, "after", "before"):
            parts.odd.append(piece[0])
        if name and (quoted is None or piece["minus"]):
            value = f"{name} {value}"
        elif name:
            _words(parts, name)
        _words(parts, value, phrase=quoted is not None, exclude=bool(piece["minus"]))
    query = Query(
        text=tidy,
        words=tuple(parts.words),
        not_words=tuple(parts.not_words),
        phrases=tuple(parts.phrases),
        kinds=tuple(parts.values["kinds"].values()),
        topics=tuple(parts.values["topics"].values()),
        sources=tuple(parts.values["sources"].values()),
        people=tuple(parts.values["people"].values()),
        after=parts.after,
        before=parts.before,
    )
    return query, _say(query, parts)


def _words(parts: _Parts, text: str, *, phrase: bool = False, exclude: bool = False) -> None:
    # Twice, because a word cut out of a script without spaces may end in a mark that it would not keep alone.
    words = parts.take(tokens(" ".join(tokens(text))))
    if phrase or (exclude and len(words) > 1):
        # What is left out and falls into several words is left out as a phrase: -e-mail must not hide every "mail".
        if words:
            parts.phrases[Phrase(" ".join(words), exclude)] = None
    else:
        (parts.not_words if exclude else parts.words).update(dict.fromkeys(words))


def _filter(parts: _Parts, name: str, value: str) -> bool:
    """Whether ``name:value`` is a filter; if so it is taken."""
    if name in ("after", "before"):
        day = _first_day(value)
        if day is None:
            return False
        if name == "after":
            parts.after = max(day, parts.after or day)
        else:
            day -= timedelta(days=1)
            parts.before = min(day, parts.before or day)
        return True
    value = value[:MAX_VALUE].strip()
    if name not in FIELDS or not any(char.isalnum() for char in value):
        return False
    if name == "kind":
        value = _kind(value)
        if not value:
            return False
    chosen = parts.values[FIELDS[name]]
    if len(chosen) < MAX_VALUES:
        chosen.setdefault(value.casefold(), value)
    else:
        parts.cut = True
    return True


def _kind(value: str) -> str:
    """The kind that is meant (``tool``, ``Tools`` and ``people`` are understood), or an empty string."""
    value = value.casefold()
    if value == "people":
        return "person"
    return next((kind for kind in KINDS if value in (kind, f"{kind}s")), "")


def _first_day(value: str) -> date | None:
    """The first day of a year, a month or a day, or `None` where the value is no date."""
    match = _DATE.fullmatch(value)
    if match is None or int(match[1]) not in _YEARS:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def _say(query: Query, parts: _Parts) -> str:
    if parts.odd:
        piece = parts.odd[0]
        if len(piece) > 40:
            piece = f"{piece[:40]}…"
        return f"“{piece}” could not be read as a filter and was searched as words."
    if parts.cut:
        return f"This is a long query: its first {MAX_WORDS} words were searched for."
    if query.text and not query:
        if query.not_words or query.phrases:
            return "Only words to leave out were given: add a word to search for."
        return "There is no word in this query."
    return ""
