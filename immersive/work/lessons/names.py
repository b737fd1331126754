"""Names of people in a note that is to blame nobody: where they stand, and what to write instead.

`named` reads a text beside the people that are given to it; `check` gives it
those of the directory whom the viewer may know and whose names can stand in
the text. Whoever else is named is found by how names are written (a title, an
initial, an address, a given name, what people do), and nothing is said of
them: the check answers alike whether somebody hidden bears a name or nobody.

It is a hand beside the author and no lock: words that are names too (Mark,
Will, May) count only beside something that says so, since a check that cries
at every second note is soon read no more.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Lower

from experts.models import Person
from immersive.work.lessons.name_words import (
    BESIDE,
    DOES,
    GIVEN,
    KIN,
    MINDS,
    MONTHS,
    NOBODY,
    NUMBERED,
    PARTICLES,
    PLACES_BEFORE,
    SAYS,
    TELLS,
    THINGS,
    TITLES,
    WORDS,
)
from knowledge.models import Resource

if TYPE_CHECKING:
    from knowledge.access import Viewer

SOMEBODY = "a colleague"
FORMER = "a former colleague"
LONGEST = 20_000
"""Characters that are read; a note has fewer."""
MOST_PEOPLE = 4_000
"""Accounts that are looked at in one text; they are in the text by a word each."""

_MARKS = "\u0300-\u036f"
_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}]|['’](?=[^\W\d_]))*")
_GAP = re.compile(r"[ \t\u00a0]*(?:[.,\-\u2010\u2011_][ \t\u00a0]?|\r?\n[ \t]*)?")
_ADDRESS = re.compile(r"(?<![\w.+-])[\w][\w.+-]*@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w@./])@([^\W\d_][\w.-]*[\w])")
_ACCOUNT = re.compile(r"(?<![\w.@-])[\w](?:[\w.-]*[\w])(?![\w@])")
_SENTENCE = re.compile(r"(?:^|[.!?:;…•*#>|–—\-\n\"“”„«»(‘\[])[\s\"“”„«»(‘'*_#\[\d.)]*$")
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t].*$", re.M)
_CODE = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+", re.S)
_EAST = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_ALIKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"})


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody by whatever they may be called, and what to write instead."""

    name: str
    accounts: tuple[str, ...] = ()
    """User name and the part of the e-mail address before the @."""
    instead: str = SOMEBODY


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """That ``text[start:end]`` names somebody; ``instead`` says their part without the name."""

    start: int
    end: int
    text: str
    instead: str = SOMEBODY


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of the text: ``key`` is what it is recognised by, without a possessive."""

    start: int
    end: int
    word: str
    key: str
    first: bool
    """Whether a sentence, heading or item begins with it."""
    plain: bool
    """Whether it stands in a heading, where capitals say nothing."""
    owns: bool

    @property
    def capital(self) -> bool:
        return self.word[0].isupper() or self.word[0].istitle()

    @property
    def shouted(self) -> bool:
        return len(self.word) > 1 and self.word.isupper()


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """By what two spellings of a name are the same: no capitals, accents and apostrophes."""
    bare = unicodedata.normalize("NFKD", word.casefold().translate(_ALIKE))
    return "".join(letter for letter in bare if letter.isalnum())


def named(text: str, people: Iterable[Named], things: Collection[str] = ()) -> list[Found]:
    """Where the text names somebody, in order, none inside another; ``things``: titles that are no people.

    Pure: the same text, people and things give the same.
    """
    text = text[:LONGEST]
    read = _Reading(text, people, things)
    found = [*read.addresses(), *read.known(), *read.patterns()]
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.instead == SOMEBODY, one.start)):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept)


def check(text: str, viewer: Viewer) -> list[Found]:
    """Where the text names somebody, as the viewer may know (two queries, by the words of the text)."""
    text = text[:LONGEST]
    return named(text, _people(text, viewer), _things(text, viewer))


# Who may be meant -------------------------------------------------------------------------------------------------


def _people(text: str, viewer: Viewer) -> list[Named]:
    """Whom the viewer may know and whose name has a word of the text."""
    words = {fold(token.group()) for token in _WORD.finditer(text)}
    words |= {fold(_bare(token.group())) for token in _WORD.finditer(text)}
    words = {word for word in words if len(word) > 1 and word not in PARTICLES}
    accounts = {match.group().lower() for match in _ACCOUNT.finditer(text)}
    accounts |= {match.group().partition("@")[0].lower() for match in _ADDRESS.finditer(text)}
    if not words:
        return []
    pattern = rf"(^|\W)({_tree(sorted(words))})($|\W)"
    asked = Q(name__iregex=pattern) | Q(username_folded__in=accounts)
    asked |= Q(name="", last_name__iregex=pattern) | Q(name="", first_name__iregex=pattern)
    east = {run[i : i + n] for run in _EAST.findall(text) for n in (2, 3, 4) for i in range(len(run) - n + 1)}
    if east:
        asked |= Q(name__in=east)
    may_know = Person.objects.visible_to(viewer) | Person.objects.former(viewer)
    rows = may_know.annotate(username_folded=Lower("username")).filter(asked, name_removed=False).by_team()
    people = []
    for person in rows.only("name", "first_name", "last_name", "username", "email", "role", "is_active")[:MOST_PEOPLE]:
        accounts_of = tuple({person.username, person.email.partition("@")[0]} - {""})
        people.append(Named(person.display_name, accounts_of, _instead(person)))
    return people


def _instead(person: Person) -> str:
    """Their part: the team, which several have; where there is none, the role."""
    if not person.is_active:
        return FORMER
    team = getattr(person, "team", None)
    return f"a colleague in {team}" if team else f"a colleague ({person.role})" if person.role else SOMEBODY


def _things(text: str, viewer: Viewer) -> set[str]:
    """Tools that the text names: what bears a person's name is often one of them."""
    tokens = [token for token in _WORD.finditer(text) if token.group()[0].isupper()]
    titles = {token.group() for token in tokens}
    titles |= {f"{one.group()} {two.group()}" for one, two in pairwise(tokens)}
    return set(
        Resource.objects.visible_to(viewer).filter(kind="tool", title__in=titles).values_list("title", flat=True)
    )


def _tree(words: list[str]) -> str:
    """A pattern of all these words that shares what they begin with, each letter with its accents."""
    groups: dict[str, list[str]] = defaultdict(list)
    for word in words:
        groups[word[:1]].append(word[1:])
    ends = "" in groups and groups.pop("") is not None
    inner = "|".join(_LETTERS.get(letter, re.escape(letter)) + _tree(rest) for letter, rest in groups.items())
    return "" if not inner else f"({inner}){'?' if ends else ''}"


def _accents() -> dict[str, str]:
    """Of each plain letter the class of letters that `fold` makes it of; an apostrophe may follow."""
    classes: dict[str, set[str]] = defaultdict(set)
    for number in range(0x41, 0x250):
        letter = chr(number)
        if letter.isalpha() and len(plain := fold(letter)) == 1:
            classes[plain].add(letter)
    return {plain: f"[{''.join(sorted(letters | {plain}))}]" for plain, letters in classes.items() if plain.isascii()}


_LETTERS = _accents()


# Reading the text -------------------------------------------------------------------------------------------------


def _bare(word: str) -> str:
    """The word without a possessive."""
    return word[:-2] if word[-2:] in ("'s", "’s") else word.rstrip("'’")


def _blank(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda match: " " * len(match.group()), text)


def _parts(name: str) -> list[str]:
    return [key for match in _WORD.finditer(name) if (key := fold(match.group()))]


class _Reading:
    """One text with what is looked up in it."""

    def __init__(self, text: str, people: Iterable[Named], things: Collection[str]) -> None:
        self.text = text
        self.people = list(people)
        self.things = {fold(thing) for thing in things}
        self.by_part: dict[str, set[int]] = defaultdict(set)
        self.by_account: dict[str, set[int]] = defaultdict(set)
        self.parts = [_parts(person.name) for person in self.people]
        for number, person in enumerate(self.people):
            for part in self.parts[number]:
                if part not in PARTICLES or len(self.parts[number]) == 1:
                    self.by_part[part].add(number)
            for account in person.accounts:
                self.by_account[account.lower()].add(number)
        bare = _blank(_blank(text, _CODE), _ADDRESS)
        headings = [match.span() for match in _HEADING.finditer(bare)]
        self.bare = bare
        self.tokens = list(self._tokens(bare, headings))

    @staticmethod
    def _tokens(text: str, headings: list[tuple[int, int]]) -> Iterator[_Token]:
        for match in _WORD.finditer(text):
            start, word = match.start(), match.group()
            bare = _bare(word)
            plain = any(first <= start < last for first, last in headings)
            begins = bool(_SENTENCE.search(text[max(0, start - 12) : start]) or start == 0)
            yield _Token(start, start + len(bare), bare, fold(bare), begins, plain, bare != word)

    def _found(self, start: int, end: int, people: Collection[int] = ()) -> Found:
        """What is said instead is said of one, or of all that it may be alike."""
        said = {self.people[number].instead for number in people}
        return Found(start, end, self.text[start:end], said.pop() if len(said) == 1 else SOMEBODY)

    # By address and account

    def addresses(self) -> Iterator[Found]:
        """E-mail addresses, handles and user names that are somebody's."""
        for match in _ADDRESS.finditer(self.text):
            account = match.group().partition("@")[0].lower()
            people = self.by_account.get(account, set())
            if people or not NOBODY.intersection(re.split(r"[._+-]", account)):
                yield self._found(match.start(), match.end(), people)
        text = self.bare
        for match in _HANDLE.finditer(text):
            handle = match.group(1).lower()
            people = self.by_account.get(handle, set())
            if people or not NOBODY.intersection(re.split(r"[._-]", handle)):
                yield self._found(match.start(), match.end(), people)
        for match in _ACCOUNT.finditer(text):
            account = match.group().lower()
            people = self.by_account.get(account, set())
            # A plain word may be anybody's account: it counts where it is made of the name.
            telling = not account.isalpha() or any(
                len(part) > 2 and part in account and part != account
                for number in people
                for part in self.parts[number]
            )
            if people and telling and account not in NOBODY:
                yield self._found(match.start(), match.end(), people)

    # By the directory

    def known(self) -> Iterator[Found]:
        """Names of the people given: whole in any case, alone where they are no other word."""
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            people = self.by_part.get(token.key)
            if not people:
                at += 1
                continue
            last, meant, matched = self._along(at, people)
            if matched > 1 or self._is_alone_a_name(at):
                start, end, meant = self._with_initial(at, last, meant)
                yield self._found(start, end, meant)
            at = last + 1
        for number, person in enumerate(self.people):
            if _EAST.search(person.name) and len(person.name) > 1:
                for match in re.finditer(re.escape(person.name), self.text):
                    yield self._found(match.start(), match.end(), [number])

    def _along(self, at: int, people: set[int]) -> tuple[int, set[int], int]:
        """The last word that still names one of these people, who they are then, and how many words say it."""
        last, meant, matched, seen = at, set(people), 1, {self.tokens[at].key}
        ahead = at
        while (ahead := ahead + 1) < len(self.tokens) and self._joined(ahead - 1):
            key = self.tokens[ahead].key
            narrowed = meant & self.by_part.get(key, set())
            if narrowed and key not in seen:
                last, meant, matched = ahead, narrowed, matched + 1
                seen.add(key)
            elif not (key in PARTICLES or len(key) == 1) or ahead - last > 2:
                break
        return last, meant, matched

    def _joined(self, at: int) -> bool:
        """Whether the next word belongs to the same name, for all that stands between."""
        one, two = self.tokens[at], self.tokens[at + 1]
        return not one.owns and bool(_GAP.fullmatch(self.bare[one.end : two.start]))

    def _with_initial(self, at: int, last: int, meant: set[int]) -> tuple[int, int, set[int]]:
        """The span with title and initials around it; an initial says who of several, or somebody else."""
        start, end = self.tokens[at].start, self.tokens[last].end
        if at and (self._initial(at - 1) or self.tokens[at - 1].key in TITLES) and self._joined(at - 1):
            start = self.tokens[at - 1].start
            if self._initial(at - 1):
                meant = self._fitting(meant, self.tokens[at - 1].key)
        elif last + 1 < len(self.tokens) and self._initial(last + 1) and self._joined(last):
            fitting = self._fitting(meant, self.tokens[last + 1].key)
            meant, end = (fitting, self.tokens[last + 1].end + 1) if fitting else (meant, end)
        return start, end, meant

    def _initial(self, at: int) -> bool:
        token = self.tokens[at]
        return len(token.word) == 1 and token.capital and self.bare[token.end : token.end + 1] == "."

    def _fitting(self, people: set[int], initial: str) -> set[int]:
        return {number for number in people if any(part.startswith(initial) for part in self.parts[number])}

    # By how names are written

    def _is_alone_a_name(self, at: int) -> bool:
        """Whether one word of somebody's name means them here."""
        token = self.tokens[at]
        if self._is_thing(at):
            return False
        if self._has_title(at) or (at and self._initial(at - 1) and self._joined(at - 1)):
            return True
        if token.key in WORDS or token.key in MONTHS or len(token.key) < 3:
            return self._is_told(at)
        if not token.capital:
            return len(token.key) > 3 or self._before(at) in TELLS
        return not (token.shouted and len(token.key) < 4)

    def _is_told(self, at: int) -> bool:
        """Whether what stands beside a word says that it is a name."""
        token, before, after = self.tokens[at], self._before(at), self._after(at)
        if not token.capital or token.plain or token.shouted:
            return before in TELLS and token.key not in WORDS
        if after in SAYS or before in TELLS or before in KIN:
            return True
        if token.key in MONTHS:
            return token.owns and len(token.key) == 3
        if token.first:
            return False
        return (before in BESIDE and (after in DOES or token.owns)) or (
            token.owns and before not in DOES | {"the", "a"}
        )

    def _before(self, at: int) -> str:
        return self.tokens[at - 1].key if at and not self.tokens[at].first else ""

    def _after(self, at: int) -> str:
        following = at + 1 < len(self.tokens) and not self.tokens[at + 1].first and not self.tokens[at].owns
        return self.tokens[at + 1].key if following else ""

    def _has_title(self, at: int) -> bool:
        before = self.tokens[at - 1] if at else None
        return bool(before and before.key in TITLES and before.capital and self._joined(at - 1))

    def _is_thing(self, at: int) -> bool:
        """Whether the word is part of what is no person: a firm, a street, a law, a tool that is known."""
        token, before, after = self.tokens[at], self._before(at), ""
        if at + 1 < len(self.tokens) and not self.tokens[at + 1].first:
            after = self.tokens[at + 1].key
        if token.key in self.things or before + token.key in self.things or token.key + after in self.things:
            return True
        return token.capital and (before in PLACES_BEFORE or after in THINGS)

    def patterns(self) -> Iterator[Found]:
        """Names of nobody that was given, by title, initial, given name, or what a person does."""
        for at, token in enumerate(self.tokens):
            if not token.capital or (token.plain and not self._has_title(at)) or self._is_thing(at):
                continue
            if (self._has_title(at) and token.key not in TITLES) or self._is_initialled(at):
                yield self._found(self.tokens[at - 1].start, self._surname(at))
            elif len(token.key) > 1 and not token.shouted and self._is_strangers(at):
                yield self._found(token.start, self._surname(at))

    def _is_initialled(self, at: int) -> bool:
        """Whether it follows an initial that opens no list: "J. Smith"."""
        if not at or not self._initial(at - 1) or not self._joined(at - 1) or _is_short(self.tokens[at]):
            return False
        before = self.tokens[at - 1]
        return not before.first and self.tokens[at].key not in WORDS and self._before(at - 1) not in NUMBERED

    def _is_strangers(self, at: int) -> bool:
        token = self.tokens[at]
        if token.key in GIVEN and token.key not in WORDS and token.key not in MONTHS:
            return True
        if token.key in GIVEN:
            return self._is_told(at)
        if token.first or token.key in WORDS:
            return False
        return self._before(at) in KIN or self._after(at) in MINDS

    def _surname(self, at: int) -> int:
        """Where a name ends that begins here: capitals that follow, with particles between."""
        end, ahead = self.tokens[at].end, at
        while ahead + 1 < len(self.tokens) and ahead - at < 4 and self._joined(ahead):
            gap = self.bare[self.tokens[ahead].end : self.tokens[ahead + 1].start]
            ahead += 1
            token = self.tokens[ahead]
            if "," in gap or "\n" in gap or token.shouted:
                break
            if token.capital and (not token.first or gap in ("-", ". ")) and len(token.word) > 1:
                end = token.end
            elif token.key not in PARTICLES:
                break
        return end


def _is_short(token: _Token) -> bool:
    """Whether it is no surname for its length."""
    return len(token.word) < 2 or token.shouted
