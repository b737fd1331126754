"""What the page of one question shows to one viewer, and what the page of all of theirs: read in a few questions.

Nobody reads here whose turn it was, who passed it by, or how many: a turn is
told to the one whose turn it is. Whoever asked somebody by name reads that
this person has it; see `Held`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from experts.asking import actions as asking
from experts.asking import later, moderation, sealed, turns
from experts.asking.answers import KIND
from experts.asking.asks import Answer, Ask, SealOpened, Thanks, Turn
from experts.choices import OwnTopic
from experts.communities import Follow
from experts.models import Person, Team
from knowledge.access import Viewer
from knowledge.models import Resource, Topic, Verification
from knowledge.reader import Reading, render

MOST_ANSWERS = 50
WROTE_LATELY = 300
"""Documents by which a person's own topics are known."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose words they are: their name, and the person if this viewer may open their page."""

    name: str
    person: Person | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, with what the viewer may do with it; ``waits``: they accepted it, and others see that later."""

    answer: Answer
    reading: Reading
    by: Signed
    mine: bool
    acceptable: bool
    thankable: bool
    thanked: bool
    thanks: int
    waits: bool
    verification: Verification | None


@dataclass(frozen=True, slots=True)
class Held:
    """Who has an ask that nobody has answered, as its author may know it.

    Whom they asked by name, and the moment until which that person was given
    it: the same whether they are silent, have skipped it or have left. Of
    whoever knows neither a name nor an hour: a moment that moves tells when
    somebody let it pass. ``to`` is `None` then; ``anybody``: whether somebody was asked at all.
    """

    to: Signed | None
    until: datetime | None
    anybody: bool
    tried_until: datetime

    @property
    def late(self) -> bool:
        """Whether it has been quiet for as long as the one person was given."""
        return self.until is not None and self.until <= timezone.now()

    @property
    def given_up(self) -> bool:
        """Whether nobody is looked for any more."""
        return self.tried_until <= timezone.now()


@dataclass(frozen=True, slots=True)
class Conversation:
    """One question with its answers. ``waits``: what its author did, and others see later.

    ``held``: who has it, told to its author alone while it waits for a first answer.
    """

    ask: Ask
    by: Signed
    mine: bool
    details: Reading | None
    about: Resource | None
    audience: str
    topics: Sequence[str]
    replies: Sequence[Reply]
    turn: Turn | None
    held: Held | None
    joined: bool
    others: int
    waits: frozenset[str]
    openings: Sequence[SealOpened]
    taken: Sequence[Answer]
    """The viewer's own answers that moderators took away."""

    @property
    def unseen(self) -> bool:
        """Whether others do not see it yet."""
        return self.ask.published_at > timezone.now()

    @property
    def settled(self) -> bool:
        """Whether an answer was accepted: it helps others by now, and the question stays with it."""
        return any(reply.answer.accepted_at for reply in self.replies)

    @property
    def answered(self) -> bool:
        """Whether the viewer has answered it."""
        return any(reply.mine for reply in self.replies)

    @property
    def folded(self) -> bool:
        """Whether writing an answer is not what comes next: they asked it themselves, or have answered."""
        return self.mine or self.answered

    @property
    def joinable(self) -> bool:
        """Whether it may be the viewer's question too: not of whoever could answer it."""
        return self.answerable and not (self.mine or self.answered or self.ask.only_asked or self.ask.closed_at)

    @property
    def answerable(self) -> bool:
        """Whether an answer is offered; not to whoever asked without a name, who would sign it with their own."""
        return not (self.ask.hidden_at or self.ask.withdrawn_at or (self.mine and self.ask.sealed))


def of(ask: Ask, viewer: Viewer) -> Conversation:
    """The whole of an ask that was found by `asking.ask_or_404`."""
    mine = sealed.is_author(ask, viewer)
    rows = Answer.objects.told_to(viewer).filter(ask=ask) if not ask.hidden_at else Answer.objects.none()
    if mine and ask.sealed:  # before others see it there is nothing, and after that they see what all see
        rows = Answer.objects.filter(ask=ask, withdrawn_at=None, hidden_at=None)
    told = list(rows.order_by("created_at", "pk")[:MOST_ANSWERS])
    answers = [one for one in told if not one.hidden_at]
    answers.sort(key=lambda one: one.accepted_at is None)
    turns_had = _turns(ask) if mine and not (answers or ask.closed_at or ask.hidden_at) else None
    named = {turn.person_id for turn in turns_had or () if not ask.routed}
    people = _signed([ask.author_id, *named, *(one.author_id for one in answers)], viewer)
    waits = later.waiting(ask) if mine and ask.sealed else frozenset()
    joined = list(ask.joined.values_list("person", flat=True))
    return Conversation(
        ask=ask,
        by=people[ask.author_id],
        mine=mine,
        details=render(ask.details) if ask.details else None,
        about=asking.about_of(ask, viewer),
        audience=_audience(ask),
        topics=_topics(ask, viewer),
        replies=_replies(ask, answers, people, mine, waits, viewer),
        turn=turns.turn_of(ask.public_id, viewer),
        held=None if turns_had is None else _held(ask, turns_had, people),
        joined=viewer.person_id in joined,
        others=len(joined) - (viewer.person_id in joined),
        waits=frozenset(verb for verb, _ in waits),
        openings=moderation.openings(ask, viewer),
        taken=[one for one in told if one.hidden_at],
    )


def _turns(ask: Ask) -> list[Turn]:
    """Those that its author may know of: of an ask to one person theirs, of one to whoever knows that there was one."""
    return list(ask.turns.order_by("at")[:1])


def _held(ask: Ask, had: Sequence[Turn], people: Mapping[int | None, Signed]) -> Held:
    tried = ask.published_at + turns.TRIED
    if ask.routed or not had:
        return Held(None, None, bool(had), tried)
    return Held(people[had[0].person_id], had[0].until, True, tried)


def _replies(
    ask: Ask, answers: Sequence[Answer], people: dict[int | None, Signed], mine: bool,
    waits: Collection[tuple[str, int | None]], viewer: Viewer,
) -> list[Reply]:  # fmt: skip
    given = list(Thanks.objects.filter(answer__in=answers).values_list("answer", "giver"))
    counts = Counter(answer for answer, _ in given)
    giver = None if mine and ask.sealed else viewer.person_id
    accepted = [one.public_id.hex for one in answers if one.accepted_at]
    vouched = Verification.objects.filter(resource__source__kind=KIND, resource__key__in=accepted)
    verified = {one.resource.key: one for one in vouched.select_related("resource", "owner")} if accepted else {}
    replies = []
    for one in answers:
        own = one.author_id is not None and one.author_id == viewer.person_id
        thanked = (one.pk, giver) in given or ("thank", one.pk) in waits
        replies.append(
            Reply(
                answer=one,
                reading=render(one.body),
                by=people[one.author_id],
                mine=own,
                acceptable=mine and not own and one.accepted_at is None and ("accept", one.pk) not in waits,
                thankable=not own and one.author_id is not None and not thanked,
                thanked=thanked,
                thanks=counts[one.pk],
                waits=("accept", one.pk) in waits,
                verification=verified.get(one.public_id.hex),
            )
        )
    return replies


def _signed(people: Iterable[int | None], viewer: Viewer) -> dict[int | None, Signed]:
    """By account (id), how these sign; nobody is "Somebody" (one query)."""
    seen = Exists(Person.objects.visible_to(viewer).filter(pk=OuterRef("pk")))
    there = Person.objects.filter(pk__in={pk for pk in people if pk}).annotate(seen=seen)
    signed: dict[int | None, Signed] = {None: Signed("Somebody", None)}
    signed.update({one.pk: Signed(one.known_as, one if one.seen else None) for one in there})
    return signed


def _topics(ask: Ask, viewer: Viewer) -> list[str]:
    """Those that the viewer may know of: a topic known from hidden pages alone tells of them."""
    bearing = Resource.objects.visible_to(viewer).naming().filter(topics=OuterRef("pk"))
    return list(Topic.objects.filter(Exists(bearing), asks=ask).order_by("name").values_list("name", flat=True))


def _audience(ask: Ask) -> str:
    """Who may read it, in words."""
    if ask.only_asked:
        return "Only who asks and who is asked"
    teams = [int(token.removeprefix("team:")) for token in ask.audience.tokens if token.startswith("team:")]
    return ", ".join(Team.objects.filter(pk__in=teams).values_list("name", flat=True)) if teams else "Everyone"


# All of one's own ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One question in a list: how it stands, and until when it is the viewer's turn, if it is."""

    ask: Ask
    by: Signed
    answers: int
    accepted: bool
    until: datetime | None = None
    mine: bool = False

    @property
    def state(self) -> str:
        """How it stands, in words."""
        if self.ask.hidden_at:
            return "Taken away by a moderator"
        if self.accepted:
            return "Answered"
        if self.answers:
            return f"{self.answers} answer{'s' * (self.answers > 1)}"
        return "Closed" if self.ask.closed_at else "No answer yet"


def lines(asks: Sequence[Ask], viewer: Viewer) -> list[Line]:
    """These asks as lines (three queries for all of them)."""
    standing = Answer.objects.filter(ask__in=asks, withdrawn_at=None, hidden_at=None).order_by()
    counts = {
        row["ask"]: row for row in standing.values("ask").annotate(answers=Count("pk"), accepted=Count("accepted_at"))
    }
    mine = Turn.objects.filter(ask__in=asks, person=viewer.person_id or 0, how=Turn.How.WAITING)
    until = dict(mine.values_list("ask", "until"))
    people = _signed([one.author_id for one in asks], viewer)
    nothing = {"answers": 0, "accepted": 0}
    made = []
    for one in asks:
        row = counts.get(one.pk, nothing)
        own = one.author_id is not None and one.author_id == viewer.person_id
        made.append(Line(one, people[one.author_id], row["answers"], bool(row["accepted"]), until.get(one.pk), own))
    return made


def open_to(viewer: Viewer) -> QuerySet[Any]:
    """Open asks of others that the viewer was not asked themselves, those about their own topics first."""
    asked = Turn.objects.filter(ask=OuterRef("pk"), person=viewer.person_id)
    known = Ask.topics.through.objects.filter(ask=OuterRef("pk"), topic__slug__in=list(topics_of(viewer)))
    others = Ask.objects.visible_to(viewer).open().filter(~Exists(asked)).exclude(author=viewer.person_id)
    found: QuerySet[Any] = others.annotate(near=Exists(known)).order_by("-near", "-published_at", "pk")
    return found


def topics_of(viewer: Viewer) -> Collection[str]:
    """Topics (`topic_key`) they wrote about lately, follow or say they know; none that they do not want asked about."""
    said = list(OwnTopic.objects.filter(person=viewer.person_id).values_list("key", "knows", "ask", "hidden"))
    mine = Resource.objects.visible_to(viewer).filter(contributions__person=viewer.person_id).order_by("-updated", "pk")
    links = Topic.resources.through.objects.filter(resource__in=mine.values("pk")[:WROTE_LATELY])
    wrote = links.order_by().values_list("topic__slug", flat=True).distinct()
    followed = Follow.objects.filter(person=viewer.person_id).values_list("key", flat=True)
    unwanted = {key for key, _, ask, _ in said if ask == OwnTopic.Ask.NO}
    return {*wrote, *followed, *(key for key, knows, ask, _ in said if knows or ask)} - unwanted
