"""Asking colleagues: the verbs that pages, and later the API and chat, share.

Each checks what the viewer may see (`AskQuerySet.visible_to`: absent and
forbidden are the same `Http404`), changes rows in one transaction, tells
whoever wants to know, and returns what it made. Done twice, or by two tabs at
once, it does nothing more. What cannot be done raises `ValidationError`, whose
messages say the cure and name the field of the form they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.asking import answers, later, own_asks, sealed, turns
from experts.asking.alike import Similar, similar  # noqa: F401 - asked for while somebody writes
from experts.asking.asks import LONGEST, LONGEST_ANSWER, MOST_DETAILS, Answer, Ask, Joined, Thanks, Turn
from experts.asking.load import Choice, quiet_until
from experts.asking.own_asks import NOT_NOW
from experts.asking.turns import Sought
from experts.models import Person, Team, one_line
from knowledge import gaps
from knowledge.access import Viewer
from knowledge.documents import EVERYONE
from knowledge.index.analysis import topic_key
from knowledge.ingest import storable
from knowledge.models import Audience, Resource, Topic
from knowledge.topics import names_in, proposed

ONLY_ASKED = "asked"
MOST_TOPICS = 5


# Who may read it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Among:
    """One choice of who may read a question: its value in a form, its label, and whether it may be asked unnamed."""

    value: str
    label: str
    unseen: bool


def audiences(viewer: Viewer) -> list[Among]:
    """What this viewer may choose between: everyone, each of their own teams, only who is asked."""
    teams = Team.objects.of(viewer)
    return [
        Among(EVERYONE, "Everyone", sealed.is_wide_enough(None)),
        *(Among(str(team.public_id), team.name, sealed.is_wide_enough(team.pk)) for team in teams),
        Among(ONLY_ASKED, "Only who is asked", False),
    ]


def _audience(said: str, viewer: Viewer) -> tuple[frozenset[str], int | None]:
    """The tokens that a choice means, and the team, if it is one."""
    if said in (EVERYONE, ONLY_ASKED):
        return frozenset({EVERYONE} if said == EVERYONE else ()), None
    team = next((one for one in Team.objects.of(viewer) if str(one.public_id) == said), None)
    if team is None:
        raise ValidationError({"audience": "Choose everyone, one of your own teams, or only who is asked."})
    return frozenset({f"team:{team.pk}"}), team.pk


# What the viewer may see -------------------------------------------------------------------------------------------


def ask_or_404(public_id: UUID, viewer: Viewer) -> Ask:
    """The ask, if the viewer may see it; its author sees it before others do, and after moderators took it away."""
    found: Ask | None = _asks(Ask.objects.visible_to(viewer)).filter(public_id=public_id).first()
    if found is None:
        found = _asks(Ask.objects.exclude(mark="")).filter(public_id=public_id, withdrawn_at=None).first()
        if found is None or not sealed.is_mine(found, viewer.person_id):
            raise Http404
    return found


def _asks(rows: Any) -> Any:
    return rows.select_related("author", "audience", "about")


def answer_or_404(public_id: UUID, viewer: Viewer) -> Answer:
    """The answer, if it stands and the viewer may see it."""
    found: Answer | None = Answer.objects.filter(
        public_id=public_id, withdrawn_at=None, hidden_at=None, ask__hidden_at=None
    ).first()
    if found is None:
        raise Http404
    found.ask = ask_or_404(found.ask.public_id, viewer)
    return found


def about_of(ask: Ask, viewer: Viewer) -> Resource | None:
    """What the ask is about, if this viewer may read it; others learn nothing of it."""
    if ask.about_id is None:
        return None
    found: Resource | None = Resource.objects.visible_to(viewer).filter(pk=ask.about_id).first()
    return found


def _held(public_id: UUID, viewer: Viewer) -> Ask:
    """The ask as `ask_or_404`, held against others until the end of the transaction."""
    ask = ask_or_404(public_id, viewer)
    Ask.objects.select_for_update().get(pk=ask.pk)
    return ask_or_404(public_id, viewer)


def _own(public_id: UUID, viewer: Viewer) -> Ask:
    ask = _held(public_id, viewer)
    if not sealed.is_author(ask, viewer):
        raise Http404
    return ask


# Asking ------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def ask(
    *,
    viewer: Viewer,
    text: str,
    details: str = "",
    wish: str = Ask.Wish.SHOW,
    to: UUID | None = None,
    topics: Sequence[str] | None = None,
    about: UUID | None = None,
    audience: str = EVERYONE,
    anonymous: bool = False,
) -> Ask:
    """Ask one person, or whoever knows. ``audience`` is a value of `audiences`; the same words again are no new ask.
    Where no ``topics`` are given, they are those that its words name.

    Somebody who cannot be asked, whyever, is refused in the same words. Where
    nobody is found who knows, the ask stands open for its audience.
    """
    if viewer.person_id is None:
        raise Http404
    text, details = _text(text), _details(details)
    if wish not in Ask.Wish.values:
        raise ValidationError({"wish": "Choose one of the two."})
    tokens_of, team = _audience(audience, viewer)
    if anonymous:
        _wide_enough(audience, team)
    if same := own_asks.same(text, viewer, anonymous, to):
        return same
    reader = sealed.whoever(tokens_of)
    subject = Resource.objects.visible_to(viewer).filter(public_id=about).first() if about else None
    shared = subject if subject and Resource.objects.visible_to(reader).filter(pk=subject.pk).exists() else None
    if anonymous:
        subject = shared  # that its author may read something that others may not would tell who they may be
    chosen = _topics(text, topics, shared, reader if anonymous else viewer)
    now = timezone.now()
    shown = sealed.publish_at(now) if anonymous else now
    what = Sought(
        text,
        frozenset(topic.slug for topic in chosen) | names_in(text),
        viewer,
        turns.members_of(tokens_of),
        frozenset({viewer.person_id}),
    )
    try:
        first = _first(to, what, now, shown)
        if first is None and audience == ONLY_ASKED:
            raise ValidationError({"audience": "Nobody was found who can be asked now. Let more people read it."})
    except ValidationError:
        if same := own_asks.same(text, viewer, anonymous, to):  # another tab was quicker: this is what they are asked
            return same
        raise
    with transaction.atomic():
        both = Person.objects.filter(pk__in={viewer.person_id, first.person if first else viewer.person_id})
        held = both.order_by("pk").select_for_update(no_key=True)  # in one order: two may ask each other at one moment
        if not any(one.is_active for one in held if one.pk == viewer.person_id):
            raise Http404  # they left while they asked
        if same := own_asks.same(text, viewer, anonymous, to):
            return same
        own_asks.refuse_too_much(viewer, anonymous, first.person if first and to else None, now)
        made = _made(viewer.person_id, text, anonymous, now, shown)
        made.details, made.wish, made.about, made.routed = details, wish, subject, to is None
        made.audience, made.only_asked = Audience.objects.of(tokens_of), audience == ONLY_ASKED
        made.save(force_insert=True)
        if anonymous:
            sealed.forget_searches(viewer.person_id, text)
        links = Ask.topics.through
        links.objects.bulk_create([links(pk=sealed.number(), ask=made, topic=topic) for topic in chosen])
        if first and not turns.give(made, first.person, first.until, at=made.published_at) and to:
            raise ValidationError({"to": NOT_NOW})
        if anonymous:  # whoever is asked hears of it when others may
            Ask.objects.filter(pk=made.pk).update(look_at=made.published_at)
    return made


def _made(person_id: int, text: str, anonymous: bool, now: datetime, shown: datetime) -> Ask:
    """The row, with its author or the mark of one. What is due now is due: a job finds it where nobody was found."""
    made = Ask(pk=sealed.number(), public_id=uuid4(), text=text, created_at=now, published_at=shown, look_at=shown)
    if not anonymous:
        made.author_id = person_id
        return made
    made.mark, made.created_at = sealed.mark_of(person_id, made.public_id), sealed.day_of(now)
    made.key = sealed.next_key(person_id, sealed.own(person_id))
    return made


def _first(to: UUID | None, what: Sought, now: datetime, shown: datetime) -> Choice | None:
    """Whose turn it is first, and until when by the moment when it shows: that of asking would be told by it.

    What is shown later, and is for nobody in particular, finds that out then.
    """
    if to is None:
        return None if shown > now else turns.choice_for(what, now)
    person = Person.objects.visible_to(what.viewer).filter(public_id=to).first()
    if person is not None and person.pk == what.viewer.person_id:
        raise ValidationError({"to": "This is you. Ask whoever knows instead."})
    asked = turns.one(person.pk, what.keys) if person else None
    if asked is None:
        raise ValidationError({"to": NOT_NOW})
    return Choice(asked.person, 1.0, quiet_until(shown, asked.room.zone), "chosen by whoever asks")


def _text(text: str) -> str:
    said = one_line(storable(text))
    if not any(map(str.isalnum, said)):
        raise ValidationError({"text": "Write your question in one sentence."})
    if len(said) > LONGEST:
        raise ValidationError({"text": f"Ask in at most {LONGEST} characters, and put the rest into the details."})
    return said


def _details(details: str) -> str:
    said = storable(details).strip()
    if len(said) > MOST_DETAILS:
        raise ValidationError({"details": f"At most {MOST_DETAILS:,} characters fit here: link what is longer."})
    return said


def _wide_enough(audience: str, team: int | None) -> None:
    if audience == ONLY_ASKED:
        raise ValidationError(
            {"audience": "Without a name, you ask everyone or a team: among few people you would be known."}
        )
    if not sealed.is_wide_enough(team):
        raise ValidationError(
            {"audience": f"Without a name, ask at least {sealed.K} people: choose a wider audience, or give your name."}
        )


def _topics(text: str, names: Sequence[str] | None, subject: Resource | None, reader: Viewer) -> list[Topic]:
    """The topics chosen, of those that ``reader`` may know; else those of what it is about, or that it names."""
    if names is None:
        return proposed(text, subject, reader)
    wanted = {topic_key(name) for name in names if name.strip()}
    bearing = Resource.objects.visible_to(reader).naming().filter(topics=OuterRef("pk"))
    known = Topic.objects.filter(Exists(bearing), slug__in=wanted).order_by("-name")
    return list({topic.slug: topic for topic in known}.values())[:MOST_TOPICS]


# What askers do ----------------------------------------------------------------------------------------------------


def join(*, ask: UUID, viewer: Viewer) -> bool:
    """Say that an ask is one's own question too; whether it was not so already."""
    with transaction.atomic():
        found = _held(ask, viewer)
        if viewer.person_id is None or sealed.is_author(found, viewer):
            return False
        return bool(Joined.objects.get_or_create(ask=found, person_id=viewer.person_id)[1])


def leave(*, ask: UUID, viewer: Viewer) -> bool:
    """Take `join` back."""
    found = ask_or_404(ask, viewer)
    return bool(Joined.objects.filter(ask=found, person=viewer.person_id).delete()[0])


def withdraw(*, ask: UUID, viewer: Viewer) -> None:
    """Take one's ask back at once, with what was answered; refused once an answer was accepted, which helps others."""
    with transaction.atomic():
        found = _own(ask, viewer)
        if found.answers.exclude(accepted_at=None).filter(withdrawn_at=None, hidden_at=None).exists():
            raise ValidationError("You have accepted an answer, which helps others by now: close the question instead.")
        turns.end(found, Turn.How.WITHDRAWN)
        later.forget(found)
        Ask.objects.filter(pk=found.pk).update(withdrawn_at=sealed.moment(found), look_at=None)
        gaps.forget(turns.GAP, found.text)


def close(*, ask: UUID, viewer: Viewer) -> bool:
    """Say that one's ask wants no answer any more; it stays readable. Whether it was not closed already."""
    with transaction.atomic():
        found = _own(ask, viewer)
        return later.put_off(found, "close") if found.mark and not found.closed_at else later.close(found)


def hand_on(*, ask: UUID, viewer: Viewer) -> bool:
    """Give an ask that went to one person to whoever knows; whether somebody was found (else it waits for them)."""
    with transaction.atomic():
        found = _own(ask, viewer)
        if found.closed_at:
            raise ValidationError("It is closed: nobody is asked any more. Ask anew where you still need an answer.")
        if found.mark:
            return not found.routed and later.put_off(found, "hand-on")
        if not later.hand_on(found):
            return False
    return turns.route(found)


# What others do ----------------------------------------------------------------------------------------------------


def skip(*, ask: UUID, viewer: Viewer) -> None:
    """Leave an ask to others, in silence: nobody learns of it, nor from when it passes on (see `turns`)."""
    found = ask_or_404(ask, viewer)
    mine = Turn.objects.filter(ask=found, person=viewer.person_id, how=Turn.How.WAITING)
    mine.update(how=Turn.How.SKIPPED, ended_at=timezone.now())


@sensitive_variables()
def answer(*, ask: UUID, viewer: Viewer, body: str) -> Answer:
    """Answer, in Markdown. The same words again are the same answer; the ask passes on to nobody else meanwhile."""
    body = _body(body)
    with transaction.atomic():
        found = _held(ask, viewer)
        if sealed.is_mine(found, viewer.person_id):
            raise ValidationError({"body": "You asked this without a name, and an answer bears yours."})
        standing = Answer.objects.filter(ask=found, author=viewer.person_id, withdrawn_at=None, hidden_at=None)
        if same := next((one for one in standing if one.body == body), None):
            return same
        made: Answer = Answer.objects.create(pk=sealed.number(), ask=found, author_id=viewer.person_id, body=body)
        Turn.objects.filter(ask=found, person=viewer.person_id).update(how=Turn.How.ANSWERED, ended_at=timezone.now())
        Ask.objects.filter(pk=found.pk).update(look_at=None)
        told = [found.author_id, *found.joined.values_list("person", flat=True)]
        notices.tell([one for one in told if one and one != viewer.person_id], "answered", made.public_id)
    return made


def _body(body: str) -> str:
    said = storable(body).strip()
    if not said:
        raise ValidationError({"body": "Write an answer first."})
    if len(said.encode()) > LONGEST_ANSWER:
        raise ValidationError(
            {"body": f"This is longer than {LONGEST_ANSWER // 1000} kB: put it into a page, and link that here."}
        )
    return said


def own_answer_or_404(public_id: UUID, viewer: Viewer, *, standing: bool = False) -> Answer:
    """The viewer's own answer, until they take it back; unless it must be ``standing``, after moderators took it away,
    too."""
    mine = Answer.objects.told_to(viewer).filter(author=viewer.person_id or 0, ask__hidden_at=None)
    found: Answer | None = mine.select_related("ask").filter(public_id=public_id).first()
    if found is None or (standing and found.hidden_at):
        raise Http404
    return found


@sensitive_variables()
def edit_answer(*, answer: UUID, viewer: Viewer, body: str) -> Answer:
    """Write one's answer anew; one that others find by search is told anew there, and vouched for from today."""
    body = _body(body)
    with transaction.atomic():
        found = own_answer_or_404(answer, viewer, standing=True)
        if found.body != body:
            found.body, found.edited_at = body, timezone.now()
            found.save(update_fields=["body", "edited_at"])
            if found.accepted_at:
                answers.renew(found)
                answers.read_again()
    return found


def withdraw_answer(*, answer: UUID, viewer: Viewer) -> None:
    """Take one's answer back: it leaves the page and search at once, and the ask waits for another.

    One that a moderator took away, too: so that nobody gives it back any more.
    """
    with transaction.atomic():
        found = own_answer_or_404(answer, viewer)
        Answer.objects.filter(pk=found.pk).update(withdrawn_at=timezone.now())
        answers.bury([found.public_id])
        turns.wait_again(found.ask)


def renew(*, answer: UUID, viewer: Viewer) -> bool:
    """Say that one's accepted answer is still right; whether it is vouched for anew."""
    found = own_answer_or_404(answer, viewer, standing=True)
    return bool(found.accepted_at) and answers.renew(found)


def accept(*, answer: UUID, viewer: Viewer) -> bool:
    """Say that an answer was what one needed: the ask is closed, and others will find the answer by search.

    Only whoever asked can, and no answer of their own. Whether it was not accepted already.
    """
    with transaction.atomic():
        found = answer_or_404(answer, viewer)
        ask = _own(found.ask.public_id, viewer)
        if found.author_id == viewer.person_id:
            raise ValidationError(
                "This is your own answer: others' are accepted. Close the question if it is answered."
            )
        if ask.mark:
            return found.accepted_at is None and later.put_off(ask, "accept", found)
        return later.accept(ask, found)


def thank(*, answer: UUID, viewer: Viewer, said: str = "") -> bool:
    """Thank somebody for an answer, once. Whoever asked without a name thanks without one."""
    with transaction.atomic():
        found = answer_or_404(answer, viewer)
        ask = _held(found.ask.public_id, viewer)
        if found.author_id is None or found.author_id == viewer.person_id:
            return False
        words = one_line(storable(said))[:200]
        if sealed.is_mine(ask, viewer.person_id):
            thanked = Thanks.objects.filter(answer=found, giver=None).exists()
            return not thanked and later.put_off(ask, "thank", found, words)
        return later.thank(ask, found, viewer.person_id, words)
