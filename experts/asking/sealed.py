"""Asking without a name: nobody learns who asked, by a page, a mail, a row or a moment.

Such an ask stores no author. It bears a mark made of the secret key, of the
person and of this one ask: the author's own request makes the same mark and
knows its own. And it bears a key made of the secret key, of the person and of
how many they asked before: by that the author's own request finds theirs among
all, however many others asked. Those of two asks of one person have nothing in
common without the secret key.

Rows are numbered at random, so that their order tells nothing; the day is all
that is kept of when it was asked; and others see it after a wait drawn by
lot. Those among whom the author may be are everyone, or a team of five at
least.

Whoever holds the secret key and the database can try every person against a
mark. `experts.moderation` does that, with a reason that the author reads; an
operator could do it without. The page says so where somebody asks.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from itertools import chain, count
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from experts.asking.asks import Ask
from experts.models import Membership, Person
from knowledge.access import Viewer
from knowledge.documents import EVERYONE
from knowledge.index.analysis import content_words, stem, tokens
from knowledge.models import Search
from knowledge.waiting import WaitingSearch

K = 5
"""People in an audience, at least, for one of them to be unseen in it."""
EARLIEST, LATEST = timedelta(minutes=15), timedelta(hours=6)
"""How long others wait to see it, at least and at most."""
SALT, SALT_OF_KEYS = "experts.sealed", "experts.sealed.keys"
A_LOOK = 32
"""Keys that are looked up at once."""
NOBODY = -1
"""Stands for the author of a sealed ask where people are looked for: nobody has this number."""


def mark_of(person_id: int, ask: UUID, *, secret: str | bytes | None = None) -> str:
    """What an ask of this person without a name bears."""
    return _digest(SALT, f"{ask.hex}:{person_id}", secret)


def key_of(person_id: int, number: int, *, secret: str | bytes | None = None) -> str:
    """By what this person finds what they asked as the ``number``-th without a name, counted from nought."""
    return _digest(SALT_OF_KEYS, f"{number}:{person_id}", secret)


def _digest(salt: str, said: str, secret: str | bytes | None) -> str:
    return salted_hmac(salt, said, secret=secret or settings.SECRET_KEY, algorithm="sha256").hexdigest()


def _secrets() -> tuple[str | bytes, ...]:
    """The installation's secret key, and those that it had before."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def is_mine(ask: Ask, person_id: int | None) -> bool:
    """Whether this person asked it without a name; by the keys that the installation had before, too."""
    if not ask.mark or person_id is None:
        return False
    marks = (mark_of(person_id, ask.public_id, secret=secret) for secret in _secrets())
    return any(constant_time_compare(mark, ask.mark) for mark in marks)


def is_author(ask: Ask, viewer: Viewer) -> bool:
    """Whether the viewer asked it, with or without a name."""
    named = ask.author_id is not None and ask.author_id == viewer.person_id
    return named or is_mine(ask, viewer.person_id)


def own(person_id: int) -> list[Ask]:
    """All that this person asked without a name, also what they took back.

    One question to the database for each `A_LOOK` of theirs, whatever others asked. No ask is ever deleted, so that
    the keys of one person have no gap.
    """
    found: list[Ask] = []
    for start in count(step=A_LOOK):
        keys = [[key_of(person_id, start + n, secret=secret) for n in range(A_LOOK)] for secret in _secrets()]
        some = list(Ask.objects.filter(key__in=list(chain(*keys))).defer("details"))
        found += some
        if not {one.key for one in some} & {row[-1] for row in keys}:
            break
    return found


def next_key(person_id: int, asked: Collection[Ask]) -> str:
    """The key of what this person asks next, who has ``asked`` these (`own`)."""
    taken = {one.key for one in asked}
    return next(key for number in count() if (key := key_of(person_id, number)) not in taken)


def mine(viewer: Viewer) -> list[Ask]:
    """What the viewer asked without a name and has not taken back, seen by others yet or not; newest first."""
    asked = own(viewer.person_id) if viewer.person_id is not None else []
    stand = [one for one in asked if one.withdrawn_at is None]
    return sorted(stand, key=lambda one: (one.published_at, one.pk), reverse=True)


def publish_at(now: datetime) -> datetime:
    """When others may see it: after a wait drawn by lot."""
    longest = int((LATEST - EARLIEST).total_seconds())
    return now + EARLIEST + timedelta(seconds=secrets.randbelow(longest))


def day_of(moment: datetime) -> datetime:
    """The day alone: midnight at which it began by the server's clock, as by one's own it would tell one's zone."""
    here = timezone.get_default_timezone()
    return timezone.make_aware(datetime.combine(timezone.localdate(moment, here), time()), here)


def moment(ask: Ask) -> datetime:
    """What is stored as the time of something that the ask's author does now: of a sealed ask the day alone."""
    return day_of(timezone.now()) if ask.mark else timezone.now()


def number() -> int:
    """A row's number drawn by lot: the order of rows is not the order in which they were made."""
    return secrets.randbelow(2**52) + 1


def whoever(tokens: Iterable[str]) -> Viewer:
    """A viewer who may read what everybody in an audience may read: in place of an author nobody knows."""
    return Viewer(NOBODY, frozenset(tokens) | {EVERYONE})


def is_wide_enough(team_id: int | None) -> bool:
    """Whether an audience (a team, or everyone) has enough people now for one of them to be unseen."""
    people = Person.objects.filter(is_active=True)
    if team_id is not None:
        people = people.filter(pk__in=Membership.objects.current().filter(team=team_id).values("person"))
    return people[:K].count() >= K


def forget_searches(person_id: int, text: str) -> int:
    """Erase this person's own searches in the same words, waiting ones too; how many.

    They are nobody's but theirs to read. But they name a person and a moment
    beside the words of the question, and stand in the same database.
    """
    said, forgotten = words_of(text), 0
    for model in (Search, WaitingSearch):
        rows = model.objects.filter(person=person_id).values_list("pk", "text")
        alike = [pk for pk, words in rows if words_of(words) == said]
        forgotten += model.objects.filter(pk__in=alike).delete()[0]
    return forgotten


def words_of(text: str) -> frozenset[str]:
    """What a text says, whatever its order, its case and its small words."""
    return frozenset(stem(word) for word in content_words(tokens(text)))
