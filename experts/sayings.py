"""What people say of themselves and of topics, and the thanks for their answers, as far as the finder asks.

In a large company half of it may say that they know one topic: who did
something about it is always told with what they say, and of all others a
bounded number, chosen inside the query and in turn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, CharField, Count, Exists, ExpressionWrapper, F, Min, OuterRef, Q, Value
from django.db.models.functions import Cast

from experts.models import Offer, OwnTopic, Person, Thanks
from knowledge.access import Viewer
from knowledge.questions import Blank, Question

MOST_SAYING = 200
"""Others who only say that they know a topic, or offer to teach it."""


@dataclass(slots=True)
class Said:
    """What one person says of the topics that are asked about, by name; ``away``: not to be found by one of them."""

    knows: list[str] = field(default_factory=list)
    teaches: list[str] = field(default_factory=list)
    away: bool = False

    def __bool__(self) -> bool:
        return bool(self.knows or self.teaches)

    @property
    def order(self) -> tuple[int, int]:
        """Whoever offers to teach comes first, then whoever says more."""
        return -len(self.teaches), -len(self.knows)


def turn(who: Any, viewer: Any) -> Any:
    """Where somebody stands among those of whom as much is said, for one viewer: numbers, or expressions of them.

    Spread over people and over viewers, so that nobody is always the first, and the same each time.
    """
    return (who * 618_034 + viewer * 754_878) % 1_000_003


def _some(rows: Any) -> Any:
    """Of rows of what people say: those of people who did something, and of the first `MOST_SAYING` others."""
    topics, did = Blank("topics", "text"), Blank("people", "bigint")
    rows = rows.filter(key__in=topics)
    away = OwnTopic.objects.unwilling().filter(person=OuterRef("person"), key__in=topics)
    others = (
        rows.filter(Exists(Person.objects.findable().filter(pk=OuterRef("person"))), ~Exists(away))
        .exclude(person__in=did)
        .order_by()
        .values("person")
    )
    place = ExpressionWrapper(turn(F("person"), Blank("viewer", "bigint")), BigIntegerField())
    others = others.annotate(said=Count("pk"), place=Min(place)).order_by("-said", "place", "person")
    return rows.filter(Q(person__in=did) | Q(person__in=others.values("person")[:MOST_SAYING]))


def _sayings() -> Any:
    """Rows of a person, what is said, and of which topic or answer."""
    own: Any = OwnTopic.objects.filter(Q(knows=True) | Q(ask=OwnTopic.Ask.YES))
    knows = _some(own).annotate(what=Value("knows"), which=F("name"))
    teaches = _some(Offer.objects.all()).annotate(what=Value("teaches"), which=F("name"))
    away: Any = OwnTopic.objects.unwilling().filter(
        person__in=Blank("people", "bigint"), key__in=Blank("topics", "text")
    )
    away = away.annotate(what=Value("away"), which=F("name"))
    thanks = Thanks.objects.filter(answer__public_id__in=Blank("answers", "uuid"))
    thanks = thanks.annotate(what=Value("thanks"), which=Cast("answer__public_id", CharField()))
    first, *others = (rows.order_by().values_list("person", "what", "which") for rows in (knows, away, teaches, thanks))
    return first.union(*others, all=True)


SAID = Question(_sayings)
"""What these ``people`` and some others say of these ``topics``, in turn for one ``viewer``, and each thanks for one
of these ``answers``."""


def said(
    topics: Sequence[str], people: Collection[int], answers: Collection[UUID], viewer: Viewer
) -> tuple[dict[int, Said], Counter[str]]:
    """What these people and some others say of these topics, and how often people were thanked for which answers."""
    told: dict[int, Said] = defaultdict(Said)
    thanked = Counter[str]()
    for who, what, which in SAID.rows(topics=topics, answers=answers, people=people, viewer=[viewer.person_id or 0]):
        if what == "thanks":
            thanked[UUID(which).hex] += 1
        elif what == "away":
            told[who].away = True
        else:
            getattr(told[who], what).append(which)
    return told, thanked
