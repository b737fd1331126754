"""Turns: who could be asked, whose turn it is, and when it passes to the next.

An ask that is nobody's turn any more and has no answer is work to do, and
stands in its row (``look_at``): a job takes what is due up, whoever caused it.

A skip shows nowhere and moves nothing. The turn passes on when it would have
passed on in silence: whoever compares moments cannot tell somebody who
skipped from somebody who had no time. It costs hours, and buys that nobody
needs an excuse.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from experts import finder, notices
from experts.asking import sealed
from experts.asking.asks import Answer, Ask, Turn
from experts.asking.load import Candidate, Choice, choose
from experts.choices import OwnTopic
from experts.models import Membership, Person
from experts.room import room, with_room
from knowledge import gaps
from knowledge.access import Viewer
from knowledge.documents import EVERYONE, Query
from knowledge.durable import prompt
from knowledge.index.analysis import tokens
from knowledge.index.language import parse
from knowledge.topics import names_in

logger = logging.getLogger(__name__)

CONSIDERED = 40
"""People that the finder hands over; of a team, those of them who belong to it out of more."""
CONSIDERED_FOR_A_TEAM = 200
STATED = 0.2
"""How well somebody fits who only says that they know: asked where those whose work shows it have no room."""
AGAIN = timedelta(days=1)
"""When to look again for an ask that nobody could be asked: caps and closed days end."""
TRIED = timedelta(days=14)
"""For how long the next person is looked for."""
CLAIM = timedelta(minutes=10)
"""After that another worker may take up an ask that one began with and did not finish."""
AT_ONCE = 100
GAP = "question"
UNANSWERED = timedelta(days=7)
"""After that a question to everyone is a gap that curators see."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What somebody is looked for: the question, what it is about (`topic_key`), and with whose rights.

    ``among`` are the ids of those who may be asked at all, `None` for anybody.
    """

    text: str
    keys: frozenset[str]
    viewer: Viewer
    among: frozenset[int] | None = None
    without: frozenset[int] = frozenset()


def sought(ask: Ask) -> Sought:
    """As it stands in the database now; with the rights that its author has at this moment."""
    tokens_of = frozenset(ask.audience.tokens)
    author = Person.objects.filter(pk=ask.author_id, is_active=True).first() if ask.author_id else None
    viewer = Viewer.of(author) if author else sealed.whoever(tokens_of)
    asked = Turn.objects.filter(ask=ask).values_list("person", flat=True)
    without = frozenset(asked) | ({ask.author_id} if ask.author_id else frozenset())
    keys = frozenset(ask.topics.values_list("slug", flat=True)) | names_in(ask.text)
    return Sought(ask.text, keys, viewer, members_of(tokens_of), without)


def members_of(audience: Iterable[str]) -> frozenset[int] | None:
    """Who may be asked what is for this audience: a team's question stays in the team."""
    teams = [int(token.removeprefix("team:")) for token in audience if token.startswith("team:")]
    if not teams or EVERYONE in audience:
        return None
    return frozenset(Membership.objects.current().filter(team__in=teams).values_list("person", flat=True))


def query_of(text: str) -> Query:
    """A sentence as a search for its words: no sign in it means anything."""
    return parse(" ".join(tokens(text)))


def whoever_knows(what: Sought) -> list[Candidate]:
    """Who knows, as far as the viewer may know, with what can be asked of them now."""
    count = CONSIDERED if what.among is None else CONSIDERED_FOR_A_TEAM
    found = finder.find(query_of(what.text), what.viewer, count=count, without=what.without)
    best = max((one.score for one in found), default=0.0) or 1.0
    among = [one for one in found if what.among is None or one.person.pk in what.among]
    return candidates({one.person: _match(one.score / best) for one in among}, what.keys)


def _match(score: float) -> float:
    """How well somebody fits, from the finder's score as a share of the best.

    The score adds up documents, which grow much faster than the chance that
    the person is right for the question: on python-experts that chance falls
    to about half where the score falls to a third, and to a ninth where it
    falls to a twentieth. The root follows it; the score itself would leave
    two or three people to ask.
    """
    return float(score**0.5) if score > 0 else STATED


def candidates(match: Mapping[Person, float], keys: Collection[str]) -> list[Candidate]:
    """These people (each `with_room`, and how well they fit) with their room, and whether they mind the topics."""
    no = OwnTopic.objects.filter(person__in=match, ask=OwnTopic.Ask.NO, key__in=list(keys))
    unwilling = set(no.values_list("person", flat=True))
    people = sorted(match, key=lambda one: one.pk)
    return [Candidate(one.pk, match[one], room(one), one.pk in unwilling) for one in people]


def one(person_id: int, keys: Collection[str]) -> Candidate | None:
    """One person, whom somebody wants to ask; `None` when they cannot be asked now, whyever."""
    people = with_room(Person.objects.findable().filter(pk=person_id))
    found = candidates(dict.fromkeys(people, 1.0), keys)
    return found[0] if found and found[0].can_be_asked else None


@transaction.atomic
def give(ask: Ask, person_id: int, until: datetime, *, at: datetime | None = None) -> bool:
    """Make it this person's turn, unless their week has filled up meanwhile or the ask wants nobody any more.

    The person's row is held first: two asks that choose the same person at
    one moment wait for each other, and the second sees the first.
    """
    now = timezone.now()
    held = Person.objects.select_for_update(no_key=True).filter(pk=person_id, is_active=True).first()
    if held is None or Turn.objects.filter(ask=ask, person=held).exists():
        return False
    if not room(with_room(Person.objects.filter(pk=held.pk), now, promised=True).get()).can_be_asked:
        return False
    if not Ask.objects.open().filter(pk=ask.pk).update(look_at=until):
        return False
    Turn.objects.create(pk=sealed.number(), ask=ask, person=held, at=at or now, until=until)
    if at is None or at <= now:
        notices.tell([person_id], "asked", ask.public_id)
    return True


def route(ask: Ask) -> bool:
    """Give the ask to whoever should be asked next; whether there was somebody. If not, it is looked at again."""
    now = timezone.now()
    what = sought(ask)
    found = [one for one in whoever_knows(what) if not sealed.is_mine(ask, one.person)]
    tried: set[int] = set()
    while choice := choose(found, now, without=tried):
        if give(ask, choice.person, choice.until):
            return True
        tried.add(choice.person)
    again = now + AGAIN if now < ask.published_at + TRIED else None
    Ask.objects.filter(pk=ask.pk).update(look_at=again)
    return False


def choice_for(what: Sought, now: datetime) -> Choice | None:
    """Whom an ask that is not stored yet would go to first."""
    return choose(whoever_knows(what), now)


# What a job does ---------------------------------------------------------------------------------------------------


def pass_on() -> int:
    """Take up every ask whose moment has come; how many went to somebody. Safe when two workers do it at once."""
    people_left()
    now, given = timezone.now(), 0
    due = Ask.objects.open().filter(look_at__lte=now, published_at__lte=now).order_by("look_at", "pk")
    for ask in due.select_related("audience")[:AT_ONCE]:
        claimed = Ask.objects.filter(pk=ask.pk, look_at=ask.look_at).update(look_at=now + CLAIM)
        try:
            given += bool(claimed) and _take_up(ask, now)
        except Exception as error:  # no other question waits for one that fails: it is taken up again after the claim
            logger.warning("a question could not be passed on: %s", type(error).__name__)
    return given


def _take_up(ask: Ask, now: datetime) -> bool:
    if Answer.objects.filter(ask=ask, withdrawn_at=None, hidden_at=None).exists():
        Ask.objects.filter(pk=ask.pk).update(look_at=None)
        return False
    waiting = Turn.objects.filter(ask=ask, how=Turn.How.WAITING)
    begun = waiting.filter(until__gt=now).values_list("person", "until")
    if begun:  # asked without a name, of one person: they may know of it from now on
        notices.tell([person for person, _ in begun], "asked", ask.public_id)
        Ask.objects.filter(pk=ask.pk).update(look_at=min(until for _, until in begun))
        return True
    waiting.update(how=Turn.How.PASSED, ended_at=now)
    if ask.routed:
        return route(ask)
    Ask.objects.filter(pk=ask.pk).update(look_at=None)
    if ask.author_id:
        notices.tell([ask.author_id], "quiet", ask.public_id)
    return False


def people_left(people: Collection[int] | None = None) -> int:
    """End the turns of those who left (these, or whoever did) and let them pass on at once; how many.

    What somebody asked who has left waits for nobody any more, and is closed.
    """
    from experts import jobs

    gone = Turn.objects.filter(how=Turn.How.WAITING, person__is_active=False)
    if people is not None:
        gone = gone.filter(person__in=list(people))
    with transaction.atomic():
        rows = list(gone.values_list("pk", "ask"))
        now = timezone.now()
        Turn.objects.filter(pk__in=[pk for pk, _ in rows]).update(how=Turn.How.LEFT, ended_at=now)
        Ask.objects.open().filter(pk__in=[ask for _, ask in rows]).update(look_at=now)
        waits_for_nothing = Ask.objects.open().filter(author__is_active=False)
        Turn.objects.filter(ask__in=waits_for_nothing, how=Turn.How.WAITING).update(how=Turn.How.OVER, ended_at=now)
        waits_for_nothing.update(closed_at=now, look_at=None)
        if rows and people is not None:
            prompt(jobs.pass_on)
    return len(rows)


def end(ask: Ask, how: str) -> None:
    """End the turns of an ask that wait; where it has no name, no row says more than the day of that."""
    Turn.objects.filter(ask=ask, how=Turn.How.WAITING).update(how=how, ended_at=sealed.moment(ask))


def wait_again(ask: Ask) -> None:
    """Where no answer stands any more, the next is asked."""
    if not Answer.objects.filter(ask=ask, withdrawn_at=None, hidden_at=None).exists():
        Ask.objects.open().filter(pk=ask.pk).update(look_at=max(timezone.now(), ask.published_at))


def waiting_for(viewer: Viewer) -> list[Ask]:
    """What the viewer is asked now: open, the longest waiting first. Their own turns alone."""
    if viewer.person_id is None:
        return []
    mine = Turn.objects.filter(ask=OuterRef("pk"), person=viewer.person_id, how=Turn.How.WAITING)
    asks = Ask.objects.visible_to(viewer).open().filter(Exists(mine)).order_by("published_at", "pk")
    return list(asks.select_related("author"))


def turn_of(ask: UUID, viewer: Viewer) -> Turn | None:
    """The viewer's own turn at an ask, if they were asked and it is still theirs."""
    if viewer.person_id is None:
        return None
    found: Turn | None = Turn.objects.filter(ask__public_id=ask, person=viewer.person_id, how=Turn.How.WAITING).first()
    return found


@gaps.told_by
def unanswered(now: datetime) -> Iterator[gaps.Told]:
    """Questions that everyone may read and nobody has answered for a week: something is missing here."""
    old = Ask.objects.open().filter(published_at__lte=now - UNANSWERED, published_at__gt=now - gaps.KEPT)
    silent = old.exclude(answers__in=Answer.objects.filter(withdrawn_at=None, hidden_at=None))
    for ask in silent.filter(audience__rows__token=EVERYONE).order_by("published_at"):
        yield gaps.Told(ask.text, GAP, timezone.localdate(ask.published_at))


@notices.teller("quiet")
def quiet(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, notices.Said]:
    """Whom you asked has not answered; nothing where somebody has meanwhile."""
    mine = Ask.objects.visible_to(viewer).open().filter(author=viewer.person_id, public_id__in=subjects, routed=False)
    silent = mine.exclude(answers__in=Answer.objects.filter(withdrawn_at=None, hidden_at=None))
    text = "No answer yet to “{}”. You can ask whoever knows."
    return {one.public_id: notices.Said(text.format(one.text), one.get_absolute_url()) for one in silent}
