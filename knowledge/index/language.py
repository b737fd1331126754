"""The query language: what a person typed, read as a `Query`; and a `Query` written as text again.

Every text is a valid query. What cannot be read as an operator is searched as
words, and `reading` says so. The language is ours, not an engine's: engines
get values, never a string to parse, so no character means anything to them.
``docs/search.md`` is its description for people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from knowledge.documents import KINDS, Choice, Phrase, Place, Query, Term
from knowledge.index.analysis import STOP_WORDS, tokens

MAX_TEXT = 16_000
MAX_WORDS = 64
MAX_VALUES = 16
MAX_VALUE = 120
MAX_PREFIXES = 4
SHORTEST_PREFIX = 2
SHOWN = 8
"""Signs, and alternatives of one of them, that are named to the person who typed more."""

FIELDS = {"kind": "kinds", "topic": "topics", "source": "sources", "by": "people", "in": "places"}
"""Operators whose values are alternatives, and the part of `Query` that each one fills."""
OPERATORS = (*FIELDS, "title", "after", "before")

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
_BEGINNING = re.compile(r"([^*]*[^\s*!-\"$-*,-/:-@\[-^`{-~])\*+[^\w*]*")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_YEARS = range(1900, 2200)  # what every engine's dates can hold


def parse(text: str) -> Query:
    """Read what somebody typed. Never fails, whatever the text is; `Query.text` keeps it, tidied."""
    return _read(text)[0]


def reading(query: Query) -> str:
    """What was odd about a text, in one sentence for the person who typed it, or an empty string."""
    return _read(query.text)[1]


def read_as(query: Query) -> tuple[tuple[str, str], ...]:
    """How the signs in a text were read, in pairs; filters are not among them, for each of them is a chip."""
    said = [("phrase", _in_quotes(phrase.text)) for phrase in query.phrases if not phrase.exclude]
    for choice in query.choices:
        if not choice.exclude and not is_filter(choice):
            terms = [_spoken(term) for term in choice.terms[:SHOWN]]
            more = f" and {len(choice.terms) - SHOWN} more" * (len(choice.terms) > SHOWN)
            said.append(("any of", ", ".join(terms) + more) if len(terms) > 1 else ("words that begin with", terms[0]))
    left_out = [*query.not_words, *(_in_quotes(phrase.text) for phrase in query.phrases if phrase.exclude)]
    left_out += [_spoken(choice.terms[0]) for choice in query.choices if choice.exclude]
    said += [("not", each) for each in left_out]
    return (*said[:SHOWN], ("and", f"{len(said) - SHOWN} more")) if len(said) > SHOWN else tuple(said)


def _spoken(term: Term) -> str:
    text = {"word": term.text, "phrase": _in_quotes(term.text), "prefix": f"{term.text}…"}[term.form]
    return f"{text} in the title" if term.title else text


def _in_quotes(text: str) -> str:
    return f"‘{' '.join(_joined(text.split()))}’"


def plain(text: str) -> str:
    """The same words without a sign that means anything; its filters stay, for each of them can be taken away alone."""
    tidy, parts = tidied(text[:MAX_TEXT]), _Parts()
    items = [item for piece in _PIECE.finditer(tidy) for item in _items(parts, piece)]
    query = parse(tidy)
    narrowing = set(filter(is_filter, query.choices))
    said = [item.typed for item in items if item.operator in ("", "OR") and _choice(item) not in narrowing]
    bare = re.sub(rf"[{QUOTES}:*]", " ", " ".join(said))
    bare = re.sub(r"(?<!\S)[-−]+", " ", bare)
    bare = re.sub(r"(?<!\S)(?:OR|NOT)(?!\S)", lambda sign: sign[0].lower(), bare)
    titles = (_written(choice.terms[0]) for choice in query.choices if is_filter(choice))
    return " ".join([*bare.split(), *titles, *_values_written(query)])


def to_text(query: Query) -> str:
    """A text that `parse` reads as this query: filter chips and operators are one thing."""
    parts = _joined(query.words)
    parts += [f"-{word}" for word in query.not_words]
    parts += [f'{"-" * phrase.exclude}"{" ".join(_joined(phrase.text.split()))}"' for phrase in query.phrases]
    parts += ["-" * choice.exclude + " OR ".join(map(_written, choice.terms)) for choice in query.choices]
    return " ".join([*parts, *_values_written(query)])


def _values_written(query: Query) -> list[str]:
    """The values of operators as they can be typed."""
    parts = [f"{name}:{written}" for name, value in _values(query) if (written := _quoted(value))]
    if query.after:
        parts.append(f"after:{query.after.isoformat()}")
    if query.before:
        parts.append(f"before:{(query.before + timedelta(days=1)).isoformat()}")
    return parts


def _written(term: Term) -> str:
    text = {"word": term.text, "phrase": f'"{" ".join(_joined(term.text.split()))}"', "prefix": f"{term.text}*"}
    return f"title:{text[term.form]}" if term.title else text[term.form]


def _joined(words: Iterable[str]) -> list[str]:
    """Words as a person writes them: the pairs of characters of a script without spaces in one again."""
    found: list[str] = []
    last = ""
    for word in words:
        if last and len(word) == 2 and tokens(last + word[1]) == [last, word]:
            found[-1] += word[1]
        else:
            found.append(word)
        last = word
    return found


def _values(query: Query) -> Iterator[tuple[str, str]]:
    """Each value of each operator that takes several, with the operator's name."""
    for name, of in FIELDS.items():
        for value in getattr(query, of):
            yield name, value.name if isinstance(value, Place) else value


def _quoted(value: str) -> str:
    """A value as it can be typed; no quotation mark can stand in it."""
    value = tidied(re.sub(f"[{QUOTES}]", " ", value))
    if not any(char.isalnum() for char in value):
        return ""
    return f'"{value}"' if " " in value or value[:1] in ":/" else value


def is_filter(choice: Choice) -> bool:
    """Whether this is ``title:`` with one value, which shows as a chip like any other operator."""
    return len(choice.terms) == 1 and choice.terms[0].title and not choice.exclude


def filters(query: Query) -> Iterator[tuple[str, str, Query]]:
    """Each operator that narrows: its name, its value in words, and the query without it."""
    for choice in filter(is_filter, query.choices):
        rest = tuple(other for other in query.choices if other != choice)
        yield "title", _spoken(replace(choice.terms[0], title=False)), _retold(replace(query, choices=rest))
    for name, value in _values(query):
        yield name, value, toggled(query, name, value)
    if query.after:
        yield "after", f"{query.after:%-d %B %Y}", _retold(replace(query, after=None))
    if query.before:
        yield "before", f"{query.before + timedelta(days=1):%-d %B %Y}", _retold(replace(query, before=None))


def toggled(query: Query, name: str, value: str) -> Query:
    """The query with this filter added, or taken away where it was set (``name``: one of `FIELDS`)."""
    have = [old for of, old in _values(query) if of == name]
    rest = [old for old in have if old.casefold() != value.casefold()]
    values = rest if len(rest) < len(have) else [*have, tidied(value)]
    changed: dict[str, Any] = {FIELDS[name]: tuple(Place(each) if name == "in" else each for each in values)}
    return _retold(replace(query, **changed))


def without_dates(query: Query) -> Query:
    """The query whatever the date."""
    return _retold(replace(query, after=None, before=None))


def _retold(query: Query) -> Query:
    return replace(query, text=to_text(query))


def tidied(text: str) -> str:
    """Without characters that cannot be seen, and with single spaces."""
    kept = (
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text
        if unicodedata.category(char) not in ("Cf", "Cs")
    )
    return " ".join("".join(kept).split())


# Reading ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Item:
    """One piece of the text: bare words, or one term, or ``OR``, or nothing more because it was taken as a filter."""

    typed: str
    words: list[str] = field(default_factory=list)
    term: Term | None = None
    exclude: bool = False
    operator: str = ""
    """``OR``, or the name of the filter that it was taken as."""

    def one_term(self) -> Term | None:
        """What it may be one alternative as."""
        if self.term or not self.words:
            return self.term
        return Term(self.words[0]) if len(self.words) == 1 else Term(" ".join(self.words), "phrase")


class _Parts:
    """What has been read so far, each thing once and in the order typed, and what was odd about it."""

    def __init__(self) -> None:
        self.words: dict[str, None] = {}
        self.not_words: dict[str, None] = {}
        self.phrases: dict[Phrase, None] = {}
        self.choices: dict[Choice, None] = {}
        self.values: dict[str, dict[str, str]] = {name: {} for name in FIELDS}
        self.after: date | None = None
        self.before: date | None = None
        self.room = MAX_WORDS
        self.prefixes = 0
        self.cut = False
        self.odd: list[str] = []

    def take(self, text: str) -> list[str]:
        """The words of a text, as many as there is still room for."""
        # Twice, because a word cut out of a script without spaces may end in a mark that it would not keep alone.
        if not self.room:
            self.cut = self.cut or any(map(str.isalnum, text))
            return []
        words = tokens(" ".join(tokens(text)))
        taken = words[: self.room]
        self.room -= len(taken)
        self.cut = self.cut or len(taken) < len(words)
        return taken

    def remark(self, typed: str, why: str) -> None:
        """Note what could not be read."""
        self.odd.append(f"“{typed[:40]}…” {why}" if len(typed) > 40 else f"“{typed}” {why}")

    def add(self, item: _Item) -> None:
        """One item that stands alone."""
        term, words = item.term, item.words
        if term and term.form == "phrase" and not term.title:
            self.phrases[Phrase(term.text, item.exclude)] = None
        elif choice := _choice(item):
            self.choices[choice] = None
        elif item.exclude and len(words) > 1:
            # What falls into several words is left out as a phrase: -e-mail must not hide every "mail".
            self.phrases[Phrase(" ".join(words), True)] = None
        else:
            (self.not_words if item.exclude else self.words).update(dict.fromkeys(words))


def _read(text: str) -> tuple[Query, str]:
    tidy = tidied(text[:MAX_TEXT])
    parts = _Parts()
    parts.cut = len(text) > MAX_TEXT
    _combine(parts, [item for piece in _PIECE.finditer(tidy) for item in _items(parts, piece)])
    query = Query(
        text=tidy,
        words=tuple(parts.words),
        not_words=tuple(parts.not_words),
        phrases=tuple(parts.phrases),
        choices=tuple(parts.choices),
        kinds=tuple(parts.values["kind"].values()),
        topics=tuple(parts.values["topic"].values()),
        sources=tuple(parts.values["source"].values()),
        people=tuple(parts.values["by"].values()),
        places=tuple(map(Place, parts.values["in"].values())),
        after=parts.after,
        before=parts.before,
    )
    return query, _say(query, parts)


def _items(parts: _Parts, piece: re.Match[str]) -> Iterator[_Item]:
    """What one piece of the text holds."""
    typed, name, quoted, exclude = piece[0], (piece["name"] or "").lower(), piece["quoted"], bool(piece["minus"])
    value: str = piece["plain"] if quoted is None else quoted
    if typed == "OR":
        yield _Item(typed, operator="OR")
        return
    if name == "title" and (term := _title(parts, typed, value, phrase=quoted is not None)):
        yield _Item(typed, term=term, exclude=exclude)
        return
    if name and not exclude and _filter(parts, name, value.strip()):
        yield _Item(typed, operator=name)
        return
    if name in OPERATORS and parts.room:
        done = "left out" if exclude else "searched"
        parts.remark(typed, f"could not be read as a filter and was {done} as words.")
    elif not name and value.lower() in ("kind:", "topic:", "source:"):
        parts.remark(typed, "has no value directly after it and was searched as a word.")
    before = f"{piece['name']} " if name else ""
    if quoted is None:
        yield _plain(parts, typed, before + value, exclude)
        return
    if before and not exclude:
        yield _Item(before, parts.take(before))
        typed, before = value, ""
    words = parts.take(before + value)
    yield _Item(typed, term=Term(" ".join(words), "phrase") if words else None, exclude=exclude)


def _plain(parts: _Parts, typed: str, value: str, exclude: bool) -> _Item:
    """Words, or the beginning of one."""
    words = parts.take(value)
    if "*" in value and words and (prefix := _prefix(parts, typed, value, words)):
        return _Item(typed, term=Term(prefix, "prefix"), exclude=exclude)
    return _Item(typed, words, exclude=exclude)


def _prefix(parts: _Parts, typed: str, value: str, words: list[str]) -> str:
    """The beginning of a word that a value is (``deploy*``, ``ERR_*``), or an empty string."""
    match = _BEGINNING.fullmatch(value)
    unspaced = tokens(f"{words[0]}x") == [words[0], "x"]  # a script whose words begin nowhere
    if match is None or len(words) > 1 or len(words[0]) < SHORTEST_PREFIX or unspaced:
        if not re.fullmatch(r"\*+[^*]+\*+", value):  # **bold** asks for nothing
            parts.remark(typed, "was searched as words: a * ends the beginning of one word, of two letters at least.")
        return ""
    if parts.prefixes == MAX_PREFIXES:
        parts.remark(typed, f"was searched as a word: of words that end with a * the first {MAX_PREFIXES} count.")
        return ""
    parts.prefixes += 1
    return words[0] + "_" * match[1].endswith("_")


def _title(parts: _Parts, typed: str, value: str, *, phrase: bool) -> Term | None:
    """What ``title:`` asks for, or `None` where there is no word in it."""
    words = parts.take(value)
    if not words:
        return None
    if phrase or len(words) > 1:
        return Term(" ".join(words), "phrase", title=True)
    prefix = _prefix(parts, typed, value, words) if "*" in value else ""
    return Term(prefix or words[0], "prefix" if prefix else "word", title=True)


def _choice(item: _Item) -> Choice | None:
    """The choice that an item with a sign is when it stands alone."""
    return Choice((item.term,), item.exclude) if item.term else None


def _combine(parts: _Parts, items: list[_Item]) -> None:
    """Sort the items into what they mean: those with ``OR`` between them are one choice."""
    at = 0
    while at < len(items):
        item, end = items[at], at + 1
        while end + 1 < len(items) and items[end].operator == "OR" and _alike(item, items[end + 1]):
            end += 2
        terms = tuple(dict.fromkeys(filter(None, (each.one_term() for each in items[at:end:2]))))
        if len(terms) > 1:
            parts.choices[Choice(terms)] = None
        elif item.operator == "OR":
            parts.words.update(dict.fromkeys(taken := parts.take("or")))
            if taken:
                parts.remark("OR", "was searched as a word: it stands between two words, phrases or beginnings.")
        else:
            parts.add(item)
            if item.typed == "NOT" and end < len(items):
                parts.remark("NOT", "was searched as a word: a minus directly before a word leaves it out.")
        at = end


def _alike(one: _Item, other: _Item) -> bool:
    """Whether ``OR`` can stand between them: two terms, or two values of one operator (alternatives anyway)."""
    if one.exclude or other.exclude:
        return False
    if one.operator or other.operator:
        return one.operator == other.operator and one.operator in FIELDS
    return bool(one.one_term() and other.one_term())


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
    chosen = parts.values[name]
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
    remarks = parts.odd[:1]
    if parts.cut:
        remarks.append(
            f"This is a long search: its first {MAX_WORDS} words were searched for, "
            f"and {MAX_VALUES} values of a filter."
        )
    if remarks:
        return " ".join(remarks)
    if query.text and not query:
        if query.not_words or query.phrases or query.choices:
            return "Only words to leave out were given: add a word to search for."
        return "There is no word in this search."
    if query.words and not (query.binds or query.narrows) and all(word in STOP_WORDS for word in query.words):
        return "Nearly every text holds these words: add what it is about."
    return ""
