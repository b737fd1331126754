"""Gaps: what people searched for and did not find, told to curators without telling who asked.

Nothing is written when a search finds nothing but the `Search` row, which is
its owner's alone. From these rows a job works out what three different people
asked in the last ninety days without finding it, or opening something near it
in meaning: only then do the words stand here, sorted, so that nobody's way of
putting it can be recognised, and only as long.

Floors above may know of gaps too (questions that everyone may read and nobody
answers): they register who tells them (`told_by`). What they tell must be
everyone's to read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db import models, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

PEOPLE = 3
"""Different people who must have asked before the words are shown."""
KEPT = timedelta(days=90)
LONGEST = 12
"""Words; what is longer is somebody's own sentence, which three people do not ask by chance."""


class Gap(models.Model):
    """Words that three people or more searched for, together, and that found nothing for any of them.

    Or a question to everyone that nobody has answered; then ``kinds`` says so.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    words = models.CharField(max_length=300, editable=False)
    kinds = models.CharField(max_length=100, blank=True, editable=False)
    last_on = models.DateField(editable=False)

    objects: ClassVar[models.Manager[Gap]] = models.Manager()

    class Meta:
        ordering = ["-last_on", "words"]

    def __str__(self) -> str:
        return self.words


@dataclass(slots=True)
class _Asked:
    """One meaning while it is counted: at most as many people as are needed to show it."""

    words: str
    kinds: str
    last: datetime
    people: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Told:
    """A gap that a floor above knows of: words that everyone may read, what they are, and the last day it was felt."""

    words: str
    kind: str
    last: date


Teller = Callable[[datetime], Iterable[Told]]
_tellers: list[Teller] = []


def told_by(tell: Teller) -> Teller:
    """Register who knows of further gaps; asked each time that gaps are gathered."""
    _tellers.append(tell)
    return tell


def meaning_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] | None:
    """What a search meant: its terms, sorted; its words, sorted; its kinds. `None` where that is not to be told.

    Of filters only kinds count: names of people, sources and places may be about somebody.
    """
    from knowledge.index.analysis import content_words, stem
    from knowledge.index.asked import asked_words
    from knowledge.index.language import parse

    query = parse(text)
    words = content_words(asked_words(query))
    if not words or len(words) > LONGEST or query.people or query.sources or query.places or query.topics:
        return None
    by_term = {stem(word): word for word in sorted(words)}
    return tuple(sorted(by_term)), tuple(sorted(by_term.values())), tuple(sorted(query.kinds))


@sensitive_variables()
def gather(now: datetime | None = None) -> int:
    """Make the table of gaps true: what three people asked and did not find stands in it, all else does not."""
    from knowledge.models import Search

    now = now or timezone.now()
    since = now - KEPT
    asked: dict[str, _Asked] = {}
    rows = Search.objects.filter(total=0, at__gte=since, clicks=None).values_list("person", "text", "at")
    for person, text, at in rows.iterator(chunk_size=2000):
        if meant := meaning_of(text):
            terms, words, kinds = meant
            key = hashlib.sha256("\x00".join((*terms, "", *kinds)).encode()).hexdigest()
            one = asked.setdefault(key, _Asked(" ".join(words), " ".join(kinds), at))
            one.last = max(one.last, at)
            if len(one.people) < PEOPLE:
                one.people.add(person)
    told = {key: one for key, one in asked.items() if len(one.people) >= PEOPLE}
    gaps = {key: Told(one.words, one.kinds, timezone.localdate(one.last)) for key, one in told.items()}
    for further in (one for tell in _tellers for one in tell(now)):
        gaps[_key_of(further.kind, further.words)] = further
    with transaction.atomic():
        Gap.objects.exclude(key__in=list(gaps)).delete()
        for key, row in gaps.items():
            shown = {"words": row.words[:300], "kinds": row.kind[:100], "last_on": row.last}
            Gap.objects.update_or_create(key=key, defaults=shown)
    return len(gaps)


def forget(kind: str, words: str) -> None:
    """Take out at once what a floor above told and may not tell any more; the next `gather` would."""
    Gap.objects.filter(key=_key_of(kind, words)).delete()


def _key_of(kind: str, words: str) -> str:
    return hashlib.sha256("\x00".join((kind, words)).encode()).hexdigest()
