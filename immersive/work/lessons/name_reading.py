"""Names of people in a text: by who is here, and by how names are written. Pure: no database, no state.

Words that are names too (Mark, Will, May) count only beside something that
says so, since a check that cries at every second note is soon read no more.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from immersive.work.lessons.name_words import (
    ACTS,
    BESIDE,
    BRANDS,
    DOES,
    GIVEN,
    INSIDE,
    KIN,
    MINDS,
    MONTHS,
    NOBODY,
    NUMBERED,
    OPENERS,
    PARTICLES,
    PLACES_BEFORE,
    ROLES,
    SAYS,
    TELLS,
    THINGS,
    TITLES,
    WORDS,
    WORKERS,
)

SOMEBODY = "a colleague"
LONGEST = 20_000
"""Characters that are read; a note has fewer."""

_LAST_ITEM = "h"
"""Up to which letter a list is counted, so that "C. Read the log" names nobody."""
_ARTICLES = frozenset({"the", "a", "an", "this", "that", "no", "every", "each", "our", "your", "their", "its"})
_MARKS = "\u0300-\u036f"
WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}]|['’](?=[^\W\d_]))*")
_GAP = re.compile(r"[ \t\u00a0]*(?:[.,\-\u2010\u2011_][ \t\u00a0]?|\r?\n[ \t]*)?")
ADDRESS = re.compile(r"(?<![\w.+-])[\w][\w.+-]*@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w@./])@([^\W\d_][\w.-]*[\w])")
ACCOUNT = re.compile(r"(?<![\w.@-])[\w](?:[\w.-]*[\w])(?![\w@])")
_SENTENCE = re.compile(r"(?:^|[.!?:;…•*#>|–—\n\"“”„«»(‘\[]|(?<!\w)-)[\s\"“”„«»(‘'*_#\[\d.)]*$")
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t].*$", re.M)
_NAMING = re.compile(r"\b(?:named|called|christened)\s+(?:the|our|a|this|these|both|two)\s+\w+\s+([^\W\d_]+)")
_IRISH = re.compile(r"(?:[Oo]['’]|Mc)[^\W\d_]{3,}")
_CAMEL = re.compile(r"(?!Ma?c|D[aei]|L[aeo][A-Z][a-z]{2})[^\W\d_][a-z]+[A-Z].*")
_CODE = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+", re.S)
EAST = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
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
        """Whether it may be a name by its first letter; letters that know no case always may."""
        return not self.word[0].islower()

    @property
    def shouted(self) -> bool:
        return len(self.word) > 1 and self.word.isupper()


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """By what two spellings of a name are the same: no capitals, accents and apostrophes."""
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_ALIKE))
    return "".join(letter for letter in plain if letter.isalnum())


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


def bare(word: str) -> str:
    """The word without a possessive."""
    return word[:-2] if word[-2:] in ("'s", "’s") else word.rstrip("'’")


def _blank(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda match: " " * len(match.group()), text)


def parts(name: str) -> list[str]:
    """The words of a name, as they are looked up."""
    return [key for match in WORD.finditer(name) if (key := fold(match.group()))]


def _is_headline(line: str) -> bool:
    """Whether all its words but the shortest are written with capitals, which say nothing then."""
    words = [word for word in WORD.findall(line) if len(word) > 3]
    return len(words) > 3 and all(word[0].isupper() for word in words)


class _Reading:
    """One text with what is looked up in it."""

    def __init__(self, text: str, people: Iterable[Named], things: Collection[str]) -> None:
        self.text = text
        self.people = list(people)
        self.things = {fold(thing) for thing in things}
        self.by_part: dict[str, set[int]] = defaultdict(set)
        self.by_account: dict[str, set[int]] = defaultdict(set)
        self.parts = [parts(person.name) for person in self.people]
        for number, person in enumerate(self.people):
            for part in self.parts[number]:
                if part not in PARTICLES or len(self.parts[number]) == 1:
                    self.by_part[part].add(number)
            for account in person.accounts:
                self.by_account[account.lower()].add(number)
        words = _blank(_blank(text, _CODE), ADDRESS)
        headings = [match.span() for match in _HEADING.finditer(words)]
        headings += [match.span() for match in re.finditer(r"^.+$", words, re.M) if _is_headline(match.group())]
        self.bare = words
        self.things |= {fold(match.group(1)) for match in _NAMING.finditer(words)}
        self.tokens = list(self._tokens(words, headings))
        self.careless = not any(token.first and token.word[0].isupper() for token in self.tokens)

    @staticmethod
    def _tokens(text: str, headings: list[tuple[int, int]]) -> Iterator[_Token]:
        for match in WORD.finditer(text):
            start, word = match.start(), match.group()
            own = bare(word)
            plain = any(first <= start < last for first, last in headings)
            begins = bool(_SENTENCE.search(text[max(0, start - 12) : start]) or start == 0)
            yield _Token(start, start + len(own), own, fold(own), begins, plain, own != word)

    def _found(self, start: int, end: int, people: Collection[int] = ()) -> Found:
        """What is said instead is said of one, or of all that it may be alike."""
        said = {self.people[number].instead for number in people}
        return Found(start, end, self.text[start:end], said.pop() if len(said) == 1 else SOMEBODY)

    # By address and account

    def addresses(self) -> Iterator[Found]:
        """E-mail addresses, handles and user names that are somebody's."""
        for match in ADDRESS.finditer(self.text):
            account = match.group().partition("@")[0].lower()
            people = self.by_account.get(account, set())
            if people or not NOBODY.intersection(re.split(r"[._+-]", account)):
                yield self._found(match.start(), match.end(), people)
        text = self.bare
        for match in _HANDLE.finditer(text):
            handle = match.group(1).lower()
            people = self.by_account.get(handle, set())
            said = re.split(r"[._-]", handle)
            package = text[match.end() : match.end() + 1] == "/" or ("-" in handle and not GIVEN.intersection(said))
            if people or not (package or NOBODY.intersection(said)):
                yield self._found(match.start(), match.end(), people)
        for match in ACCOUNT.finditer(text):
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
            if (matched > 1 and self._is_whole_a_name(at, last)) or self._is_alone_a_name(at):
                start, end, meant = self._with_initial(at, last, meant)
                yield self._found(start, end, meant)
            at = last + 1
        for number, person in enumerate(self.people):
            if len(person.name) > 1 and person.name.lower() == person.name.upper():
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

    def _is_capital(self, at: int) -> bool:
        return at < len(self.tokens) and self.tokens[at].capital

    def _initial(self, at: int) -> bool:
        token = self.tokens[at]
        return len(token.word) == 1 and token.capital and self.bare[token.end : token.end + 1] == "."

    def _fitting(self, people: set[int], initial: str) -> set[int]:
        return {number for number in people if any(part.startswith(initial) for part in self.parts[number])}

    # By how names are written

    def _is_whole_a_name(self, at: int, last: int) -> bool:
        """Whether several words of a name mean somebody: "mark, will" does not, "Mark Will" does."""
        words = self.tokens[at : last + 1]
        telling = any(word.key not in WORDS for word in words if word.key not in PARTICLES)
        between = self.bare[words[0].start : words[-1].end]
        return telling or (words[0].capital and words[-1].capital and "," not in between)

    def _is_alone_a_name(self, at: int) -> bool:
        """Whether one word of somebody's name means them here."""
        token = self.tokens[at]
        if self._is_thing(at):
            return False
        if self._has_title(at) or (at and self._initial(at - 1) and self._joined(at - 1)):
            return True
        if token.key in WORDS or token.key in MONTHS or len(token.key) < 3:
            told = self._is_told(at) or self._has_initial_after(at) or self._ends_a_phrase(at)
            return told or (token.key not in MONTHS and self._acts(at))
        if not token.capital:
            return len(token.key) > 3 or self._before(at) in TELLS
        return not (token.shouted and len(token.key) < 4)

    def _acts(self, at: int) -> bool:
        """Whether it begins a sentence and does what people do, alone or "and May", or is said to be "the porter"."""
        token = self.tokens[at]
        if not token.first or token.owns or token.shouted or not (token.capital or self.careless):
            return False
        after = [one.key for one in self.tokens[at + 1 : at + 5]]
        if after[:1] == ["and"] and self._is_capital(at + 2):
            after = after[2:]
        return bool(after) and (after[0] in ACTS or (after[0] == "the" and bool(WORKERS.intersection(after[1:3]))))

    def _has_initial_after(self, at: int) -> bool:
        """Whether it reads "Mark W.", of somebody who is here."""
        if not self.tokens[at].capital or at + 1 == len(self.tokens) or not self._initial(at + 1):
            return False
        return self._joined(at) and bool(self._fitting(self.by_part[self.tokens[at].key], self.tokens[at + 1].key))

    def _ends_a_phrase(self, at: int) -> bool:
        """Whether it reads "tested by Petra.": what may end with the name of somebody who is here."""
        token = self.tokens[at]
        open_end = re.match(r"\s*(?:[.,;:!?)]|$)", self.bare[token.end : token.end + 3])
        named = token.capital and not token.shouted and token.key not in MONTHS
        return bool(named and open_end and self._before(at) in BESIDE)

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
        following = [] if self.tokens[at].owns else self.tokens[at + 1 : at + 2]
        return following[0].key if following and not following[0].first else ""

    def _has_title(self, at: int) -> bool:
        before = self._titled(at)
        title = self.tokens[before]
        return before < at and title.key in TITLES and (title.capital or self.bare[title.end : title.end + 1] == ".")

    def _titled(self, at: int) -> int:
        """The word before, or the one before what stands within a name: "Ms van der Veen"."""
        before = at
        while before and at - before < 4 and self._joined(before - 1):
            before -= 1
            if self.tokens[before].key not in PARTICLES:
                break
        return before

    def _is_thing(self, at: int) -> bool:
        """Whether the word is part of what is no person: a firm, a street, a law, a tool that is known."""
        token, before, after = self.tokens[at], self._before(at), ""
        if at + 1 < len(self.tokens) and not self.tokens[at + 1].first:
            after = self.tokens[at + 1].key
        firm = self.tokens[at - 2].key if before == "and" and at > 1 else before
        if not {token.key, before + token.key, token.key + after, firm + token.key}.isdisjoint(self.things | BRANDS):
            return True
        hyphen = re.match(r"-[^\W\d_]", self.bare[token.end : token.end + 2])
        compound = bool(hyphen and after) and not self._is_capital(at + 1)
        return token.capital and (before in PLACES_BEFORE or after in THINGS or token.key in ROLES or compound)

    def patterns(self) -> Iterator[Found]:
        """Names of nobody that was given, by title, initial, given name, or what a person does."""
        for at, token in enumerate(self.tokens):
            if self.careless and token.word.islower() and self._is_told_carelessly(at):
                yield self._found(token.start, token.end)
            if not token.capital or (token.plain and not self._has_title(at)) or self._is_thing(at):
                continue
            if (self._has_title(at) and token.key not in TITLES | OPENERS) or self._is_initialled(at):
                yield self._found(self.tokens[self._titled(at)].start, self._surname(at))
            elif len(token.key) > 1 and not token.shouted and self._is_strangers(at):
                end = self._surname(at)
                after = WORD.match(self.bare, end + 1)
                written = [*WORD.findall(self.bare, token.start, end), *([after.group()] if after else [])]
                if THINGS.isdisjoint(map(fold, written)):
                    yield self._found(token.start, end)

    def _is_told_carelessly(self, at: int) -> bool:
        """Whether a name in small letters, in a text that has no others, does something or is told something."""
        token = self.tokens[at]
        given = token.key in GIVEN and token.key not in WORDS | MONTHS and len(token.key) > 3
        if not (given or (_IRISH.fullmatch(token.word) and token.key != "oclock")):
            return False
        return token.owns or self._after(at) in ACTS | DOES or self._before(at) in BESIDE | TELLS

    def _is_initialled(self, at: int) -> bool:
        """Whether it follows an initial that opens no list: "J. Smith"."""
        if not at or not self._initial(at - 1) or not self._joined(at - 1) or self.tokens[at].shouted:
            return False
        before, token = self.tokens[at - 1], self.tokens[at]
        if token.key in OPENERS:
            return False
        listed = (
            before.first and (before.key <= _LAST_ITEM or token.key in WORDS) and self._after(at) not in SAYS | DOES
        )
        counted = self._before(at - 1) in NUMBERED or self.bare[: before.start].rstrip()[-1:].isdigit()
        unit = self.bare[before.start - 1 : before.start] == "°"
        return len(token.word) > 1 and not listed and not counted and not unit

    def _is_strangers(self, at: int) -> bool:
        token = self.tokens[at]
        owns = self.bare[self._surname(at) :][:2] in ("'s", "’s")
        if (self._before(at) in INSIDE and not owns) or _CAMEL.fullmatch(token.word):
            return False
        if _IRISH.fullmatch(token.word) and token.word[0].isupper():
            return True
        if token.key in GIVEN and token.key not in WORDS and token.key not in MONTHS:
            return True
        if token.key in GIVEN:
            return self._is_told(at) or self._has_surname(at)
        if token.first or token.key in WORDS:
            return False
        return self._before(at) in KIN or self._after(at) in MINDS or self._has_who(at)

    def _has_surname(self, at: int) -> bool:
        """Whether a capital follows at once that is no other word."""
        token, following = self.tokens[at], self.tokens[at + 1 : at + 2]
        joined = bool(following) and self.bare[token.end : following[0].start] == " "
        return joined and following[0].capital and len(following[0].key) > 2 and following[0].key not in WORDS

    def _has_who(self, at: int) -> bool:
        """Whether "who" follows, which is said of people."""
        end = self._surname(at)
        return bool(re.match(r",? who\b", self.bare[end : end + 6]))

    def _surname(self, at: int) -> int:
        """Where a name ends that begins here: capitals that follow, with particles between."""
        end, ahead = self.tokens[at].end, at
        while ahead + 1 < len(self.tokens) and ahead - at < 4 and self._joined(ahead):
            gap = self.bare[self.tokens[ahead].end : self.tokens[ahead + 1].start]
            ahead += 1
            token = self.tokens[ahead]
            ends = "." in gap and len(self.tokens[ahead - 1].word) > 1
            if ends or "," in gap or "\n" in gap or token.shouted:
                break
            if token.capital and (not token.first or "." in gap) and len(token.word) > 1:
                end = token.end
            elif token.key not in PARTICLES:
                break
        return end
