"""Somebody leaves while a request of theirs, or one about them, is under way: nothing waits for them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone

from experts import actions, digests
from experts.asking import actions as asking
from experts.asking import later, turns
from experts.asking.asks import Ask, Later, Turn
from experts.choices import Availability
from experts.mentoring import mentorships
from experts.mentoring.mentorships import Mentorship
from experts.models import Membership, Person
from experts.notices import Notice
from experts.teams import proposals
from experts.teams.proposals import Place, Proposal
from tests.experts.asked import PUMPS, company, see

pytestmark = pytest.mark.django_db
Under = Callable[[SimpleNamespace], Callable[[], Any]]


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    found = company(make_person, hold)
    for person in (found.ana, found.ben, found.cleo):
        Availability.objects.create(person=person, mail=Availability.Mail.AT_ONCE)
    return found


def _asked(here: SimpleNamespace, **more: Any) -> Ask:
    made = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.ben.public_id, **more)
    Ask.objects.update(published_at=timezone.now())
    return made


def _answered(here: SimpleNamespace, **more: Any) -> Any:
    return asking.answer(ask=_asked(here, **more).public_id, viewer=see(here.ben), body="Fill it first.").public_id


def _mentored(here: SimpleNamespace) -> Mentorship:
    return Mentorship.objects.create(
        mentor=here.ben, mentee=here.ana, key="pumps", name="Pumps", mentor_yes_at=timezone.now()
    )


def _proposed(here: SimpleNamespace) -> Proposal:
    made = Proposal.objects.create(owner=here.ben, text="A new pump", needs=[], hours=0)
    Place.objects.create(proposal=made, person=here.ana, topics=["Pumps"], asked_at=timezone.now())
    return made


def _by_ana(verb: Callable[..., Any], what: str, of: Callable[..., Any], **more: Any) -> Under:
    def under(here: SimpleNamespace) -> Callable[[], Any]:
        key = getattr(made := of(here), "public_id", made)
        ana = see(here.ana)
        return lambda: verb(viewer=ana, **{what: key}, **more)

    return under


def _ask(**more: Any) -> Under:
    def under(here: SimpleNamespace) -> Callable[[], Any]:
        ana, to = see(here.ana), here.ben.public_id
        return lambda: asking.ask(viewer=ana, text="Which oil for the bearing?", **({"to": to} | more))

    return under


def _others(here: SimpleNamespace) -> Ask:
    """A question of Cleo's to Ana, which Ana is about to act on."""
    return asking.ask(viewer=see(here.cleo), text="And which grease?", to=here.ana.public_id)


def _is_asked(here: SimpleNamespace) -> Callable[[], Any]:
    """Ana was chosen, and leaves before the question is hers."""
    made, until = _asked(here), timezone.now() + timedelta(days=1)
    Turn.objects.all().delete()
    return lambda: turns.give(made, here.ana.pk, until)


def _agree(here: SimpleNamespace) -> Callable[[], Any]:
    made, ana = _proposed(here), Person.objects.get(pk=here.ana.pk)
    return lambda: proposals.answer(proposal=made, person=ana, agree=True)


def _confirm(here: SimpleNamespace) -> Callable[[], Any]:
    made, ana = _mentored(here), Person.objects.get(pk=here.ana.pk)
    return lambda: mentorships.confirm(mentorship=made, person=ana, yes=True)


UNDER_WAY: dict[str, Under] = {
    "ask": _ask(), "ask whoever knows": _ask(to=None), "ask unnamed": _ask(anonymous=True),
    "hand on": _by_ana(asking.hand_on, "ask", _asked), "close": _by_ana(asking.close, "ask", _asked),
    "withdraw": _by_ana(asking.withdraw, "ask", _asked), "accept": _by_ana(asking.accept, "answer", _answered),
    "thank": _by_ana(asking.thank, "answer", _answered), "answer": _by_ana(asking.answer, "ask", _others, body="This."),
    "skip": _by_ana(asking.skip, "ask", _others), "join": _by_ana(asking.join, "ask", _others), "be asked": _is_asked,
    "accept unnamed": _by_ana(asking.accept, "answer", lambda here: _answered(here, anonymous=True)),
    "agree to a team": _agree, "begin with a mentor": _confirm,
}  # fmt: skip


QUICK = ("ask", "hand on", "agree to a team")


@pytest.mark.parametrize(
    "verb", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in UNDER_WAY]
)
def test_who_leaves_in_the_middle_is_waited_for_by_nothing(here: SimpleNamespace, verb: str) -> None:
    finish = UNDER_WAY[verb](here)
    Notice.objects.all().delete()
    actions.deactivate(people=[here.ana])
    refused = False
    try:
        finish()
    except (Http404, ValidationError):
        refused = True
    assert refused or not verb.startswith("ask"), "who has left asks nothing, with or without a name"
    Later.objects.update(due_at=timezone.now())
    later.carry_out()
    turns.pass_on()
    mentorships.people_left()
    digests.send()
    assert not Turn.objects.filter(person=here.ana, how=Turn.How.WAITING).exists()
    assert not Turn.objects.filter(ask__author=here.ana, how=Turn.How.WAITING).exists()
    assert not Ask.objects.open().filter(author=here.ana).exists()
    assert not Membership.objects.current().filter(person=here.ana).exists()
    assert not Mentorship.objects.filter(ended_at=None).exists()
    assert all(here.ana not in [seat.person for seat in proposals.shown(one.public_id, see(here.ben)).seats]
               for one in Proposal.objects.all())  # fmt: skip
    assert not [one for one in mail.outbox if "ana@example.org" in one.to]
    assert not [one for one in mail.outbox if "agreed" in one.subject or "agreed" in one.body]
