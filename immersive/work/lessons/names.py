"""Names of people in a note that is to blame nobody: where they stand, and what to write instead.

`check` reads a text (`name_reading.named`) beside those of the directory whom
the viewer may know and whose names can stand in it. Whoever else is named is
found by how names are written, and nothing is said of them: the answer is the
same whether somebody hidden bears a name or nobody. It is a hand beside the
author and no lock.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Lower

from experts.models import Person
from immersive.work.lessons.name_reading import (
    ACCOUNT,
    ADDRESS,
    EAST,
    LONGEST,
    SOMEBODY,
    WORD,
    Found,
    Named,
    bare,
    fold,
    named,
)
from immersive.work.lessons.name_words import PARTICLES, WORDS
from knowledge.models import Resource

if TYPE_CHECKING:
    from knowledge.access import Viewer

__all__ = ["FORMER", "Found", "check", "check_each", "named"]

FORMER = "a former colleague"
LONGEST_NAME = 60
"""Letters of one word of a name: longer ones name nobody."""
MOST_PEOPLE = 4_000
"""Accounts that are looked at in one text; they are in the text by a word each."""


def check(text: str, viewer: Viewer) -> list[Found]:
    """Where the text names somebody, as the viewer may know."""
    return check_each({"": text}, viewer)[""]


def check_each(texts: Mapping[str, str], viewer: Viewer) -> dict[str, list[Found]]:
    """As `check`, of each of these texts (two queries, by the words of them all)."""
    together = "\n".join(text[:LONGEST] for text in texts.values())
    people, things = _people(together, viewer), _things(together, viewer)
    return {name: named(text, people, things) for name, text in texts.items()}


def _people(text: str, viewer: Viewer) -> list[Named]:
    """Whom the viewer may know and whose name has a word of the text."""
    tokens = [token.group() for token in WORD.finditer(text)]
    words = {fold(form) for token in tokens for form in (token, bare(token))}
    words -= PARTICLES | (WORDS - {fold(bare(token)) for token in tokens if not token[0].islower()})
    words = {word for word in words if 1 < len(word) <= LONGEST_NAME}
    accounts = {match.group().lower() for match in ACCOUNT.finditer(text)}
    addresses = {match.group().lower() for match in ADDRESS.finditer(text)}
    accounts |= {address.partition("@")[0] for address in addresses}
    if not words:
        return []
    pattern = rf"(?:^|\W){_tree(sorted(words))}(?:$|\W)"
    asked = Q(name__iregex=pattern) | Q(username_folded__in=accounts) | Q(email_folded__in=addresses)
    asked |= Q(name="") & (Q(last_name__iregex=pattern) | Q(first_name__iregex=pattern))
    east = {run[i : i + n] for run in EAST.findall(text) for n in (2, 3, 4) for i in range(len(run) - n + 1)}
    if east:
        asked |= Q(name__in=east)
    may_know = Person.objects.visible_to(viewer) | Person.objects.former(viewer)
    folded = may_know.annotate(username_folded=Lower("username"), email_folded=Lower("email"))
    rows = folded.filter(asked, name_removed=False).by_team()
    people = []
    shown = ("name", "first_name", "last_name", "username", "email", "role", "is_active", "name_removed")
    for person in rows.only(*shown)[:MOST_PEOPLE]:
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
    tokens = [token for token in WORD.finditer(text) if token.group()[0].isupper()]
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
    return "" if not inner else f"(?:{inner}){'?' if ends else ''}"


def _accents() -> dict[str, str]:
    """Of each plain letter the class of letters that `fold` makes it of; an apostrophe may follow."""
    classes: dict[str, set[str]] = defaultdict(set)
    for letter in map(chr, range(0x61, 0x250)):
        if letter.islower() and len(plain := fold(letter)) == 1:
            classes[plain].add(letter)
    return {plain: f"[{''.join(sorted(letters | {plain}))}]" for plain, letters in classes.items() if plain.isascii()}


_LETTERS = _accents()
