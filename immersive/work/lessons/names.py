"""Names of people in a note that is to blame nobody: where they stand, and what to write instead.

`check` reads a text (`name_reading.named`) beside those of the directory whom
the viewer may know and whose names can stand in it. Whoever else is named is
found by how names are written, and nothing is said of them: the answer is the
same whether somebody hidden bears a name or nobody, and nothing more is said
of who has left. It is a hand beside the author and no lock.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Set
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db.models import Aggregate, Case, JSONField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Concat, Lower

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
    parts,
)
from immersive.work.lessons.name_words import PARTICLES, WORDS
from knowledge.models import Resource

if TYPE_CHECKING:
    from knowledge.access import Viewer

__all__ = ["Found", "check", "check_each", "named"]

LONGEST_NAME = 60
"""Letters of one word of a name: longer ones name nobody."""
MOST_PEOPLE = 4_000
"""Accounts that are looked at in one text; they are in the text by a word each."""
_WRITTEN = Case(
    When(name="", then=Concat("first_name", Value(" "), "last_name")), default="name", output_field=TextField()
)
"""The name as `Person.display_name` makes it."""


class _Listed(Aggregate):
    """One value of each row, as a list."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra)


def check(text: str, viewer: Viewer) -> list[Found]:
    """Where the text names somebody, as the viewer may know."""
    return check_each({"": text}, viewer)[""]


def check_each(texts: Mapping[str, str], viewer: Viewer) -> dict[str, list[Found]]:
    """As `check`, of each of these texts (three queries, by the words of them all)."""
    together = "\n".join(text[:LONGEST] for text in texts.values())
    people, things = _people(together, viewer), _things(together, viewer)
    return {name: named(text, people, things) for name, text in texts.items()}


def _people(text: str, viewer: Viewer) -> list[Named]:
    """Whom the viewer may know and whose name has a word of the text, or whose account or address stands in it."""
    known = (Person.objects.visible_to(viewer) | Person.objects.former(viewer)).filter(name_removed=False)
    accounts = {match.group().lower() for match in ACCOUNT.finditer(text)}
    addresses = {match.group().lower() for match in ADDRESS.finditer(text)}
    accounts |= {address.partition("@")[0] for address in addresses}
    asked = Q(pk__in=_bearers(_words(text), known))
    asked |= Q(username_folded__in=accounts) | Q(email_folded__in=addresses)
    rows = known.annotate(username_folded=Lower("username"), email_folded=Lower("email")).filter(asked).by_team()
    people = []
    shown = ("name", "first_name", "last_name", "username", "email", "role", "is_active", "name_removed")
    for person in rows.only(*shown):
        accounts_of = tuple({person.username, person.email.partition("@")[0]} - {""})
        people.append(Named(person.display_name, accounts_of, _instead(person)))
    return people


def _words(text: str) -> set[str]:
    """What may be a part of a name in this text; of letters without case, each short run of them as well."""
    tokens = [token.group() for token in WORD.finditer(text)]
    words = {fold(form) for token in tokens for form in (token, bare(token))}
    words -= PARTICLES | (WORDS - {fold(bare(token)) for token in tokens if not token[0].islower()})
    words |= {fold(run[i : i + n]) for run in EAST.findall(text) for n in (2, 3, 4) for i in range(len(run) - n + 1)}
    return {word for word in words if 1 < len(word) <= LONGEST_NAME}


def _bearers(words: Set[str], known: QuerySet[Person]) -> list[int]:
    """Who of these has one of the words in their name: who has most of them first, `MOST_PEOPLE` at most.

    All names come in one value, without a row for each, and each way to spell
    a word is folded once: quicker than a pattern that is tried on every row.
    """
    if not words:
        return []
    those = known.order_by().aggregate(keys=_Listed("pk"), names=_Listed(_WRITTEN))
    keys, names = those["keys"] or [], those["names"] or []
    spelled = {part for part in set(" ".join(names).split()) if _is_one_of(words, part)}
    found = ((key, name) for key, name in zip(keys, names, strict=True) if not spelled.isdisjoint(name.split()))
    best = heapq.nlargest(MOST_PEOPLE, found, key=lambda one: len(spelled.intersection(one[1].split())))
    return [key for key, _ in best]


def _is_one_of(words: Set[str], part: str) -> bool:
    """Whether a part of a name is, or has, one of these folded words; the plain ones, which are most, are quick."""
    return part.lower() in words if part.isascii() and part.isalnum() else not words.isdisjoint(parts(part))


def _instead(person: Person) -> str:
    """Their part: the team, which several have; where there is none, the role.

    Of who has left nothing is said, as of a stranger: what is written instead
    is read by others, and they need not know who was here and is no more.
    """
    if not person.is_active:
        return SOMEBODY
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
