"""What moderators took away by mistake they give back, with a reason; what its author withdrew stays theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.test import Client
from django.utils import timezone

from experts import notices
from experts.asking import actions as asking
from experts.asking import moderation, turns
from experts.asking.asks import Ask, Turn
from experts.models import Person
from knowledge.models import Resource
from tests import small_company
from tests.experts.asked import PUMPS, company, see

pytestmark = pytest.mark.django_db
AWAY, BACK = "It seemed to name a customer.", "It names nobody, on a second look."


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    """The company, with Finn as moderator; Ana has asked Ben."""
    found = company(make_person, hold)
    found.finn.user_permissions.add(Permission.objects.get(codename="moderate_ask"))
    found.finn = Person.objects.get(pk=found.finn.pk)
    found.asked = asking.ask(viewer=see(found.ana), text=PUMPS, to=found.ben.public_id)
    return found


def said(person: Any) -> list[str]:
    return [one.said.text for one in notices.news(see(person))]


def test_a_question_given_back_stands_as_it_stood(here: SimpleNamespace) -> None:
    key = here.asked.public_id
    moderation.hide_ask(ask=key, person=here.finn, reason=AWAY)
    assert not turns.waiting_for(see(here.ben))
    for person, reason, error in ((here.ben, BACK, PermissionDenied), (here.finn, "Oh", ValidationError)):
        with pytest.raises(error):
            moderation.give_back_ask(ask=key, person=person, reason=reason)
    assert list(moderation.questions_taken_away(see(here.finn))) == [here.asked]
    moderation.give_back_ask(ask=key, person=here.finn, reason=BACK)
    assert asking.ask_or_404(key, see(here.cleo)) == here.asked
    assert turns.waiting_for(see(here.ben)) == [here.asked]
    turns.pass_on()
    assert Ask.objects.get().look_at == Turn.objects.get().until
    assert said(here.ana) == [f"Your question “{PUMPS}” stands again: {BACK}"]
    assert not moderation.questions_taken_away(see(here.finn))
    with pytest.raises(Http404):
        moderation.give_back_ask(ask=key, person=here.finn, reason=BACK)


def test_an_answer_given_back_is_found_again(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    with committed():
        given = asking.answer(ask=here.asked.public_id, viewer=see(here.ben), body="Fill it first.")
        asking.accept(answer=given.public_id, viewer=see(here.ana))
    found = Resource.objects.alive().filter(kind="answer")
    assert found.count() == 1
    for away, back, key in (
        (moderation.hide_answer, moderation.give_back_answer, {"answer": given.public_id}),
        (moderation.hide_ask, moderation.give_back_ask, {"ask": here.asked.public_id}),
    ):
        with committed():
            away(person=here.finn, reason=AWAY, **key)
        assert found.count() == 0
        with committed():
            back(person=here.finn, reason=BACK, **key)
        assert found.count() == 1
        small_company.index()
    assert f"Your answer to “{PUMPS}” stands again: {BACK}" in said(here.ben)
    assert Ask.objects.get().closed_at is not None
    assert not turns.waiting_for(see(here.ben)), "what was accepted waits for nobody"


def test_what_its_author_withdrew_or_who_may_not_read_it_gives_nothing_back(here: SimpleNamespace) -> None:
    others = asking.ask(viewer=see(here.ana), text="What do I earn?", to=here.ben.public_id, audience="asked")
    Ask.objects.update(hidden_at=timezone.now() - timedelta(days=1))
    asking.withdraw(ask=here.asked.public_id, viewer=see(here.ana))
    for one in (here.asked, others):
        with pytest.raises(Http404):
            moderation.give_back_ask(ask=one.public_id, person=here.finn, reason=BACK)
    assert not moderation.questions_taken_away(see(here.finn))


@pytest.mark.parametrize("anonymous", [False, True])
def test_nobody_gives_back_what_they_asked_or_answered_themselves(here: SimpleNamespace, anonymous: bool) -> None:
    """Somebody else judges it: one moderator alone would take away and give back as they like."""
    here.ana.user_permissions.add(Permission.objects.get(codename="moderate_ask"))
    ana, finn = Person.objects.get(pk=here.ana.pk), here.finn
    own = asking.ask(viewer=see(ana), text="Which oil for the bearing?", anonymous=anonymous)
    Ask.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    other = asking.ask(viewer=see(finn), text="Which grease?", to=here.ben.public_id)
    given = asking.answer(ask=other.public_id, viewer=see(ana), body="The blue one.")
    moderation.hide_ask(ask=own.public_id, person=finn, reason=AWAY)
    moderation.hide_answer(answer=given.public_id, person=finn, reason=AWAY)
    assert not moderation.questions_taken_away(see(ana))
    assert not moderation.answers_taken_away(see(ana))
    with pytest.raises(Http404):
        moderation.give_back_ask(ask=own.public_id, person=ana, reason=BACK)
    with pytest.raises(Http404):
        moderation.give_back_answer(answer=given.public_id, person=ana, reason=BACK)
    moderation.give_back_ask(ask=own.public_id, person=finn, reason=BACK)
    moderation.give_back_answer(answer=given.public_id, person=finn, reason=BACK)
    assert not Ask.objects.exclude(hidden_at=None).exists()


def test_what_was_taken_away_its_author_withdraws_on_its_page_for_good(here: SimpleNamespace, client: Client) -> None:
    given = asking.answer(ask=here.asked.public_id, viewer=see(here.ben), body="Call 555.")
    moderation.hide_answer(answer=given.public_id, person=here.finn, reason=AWAY)
    where, act = here.asked.get_absolute_url(), f"/answers/{given.public_id}/withdraw"
    for other in (here.ana, here.cleo, here.finn):
        client.force_login(other)
        assert "Call 555." not in client.get(where).content.decode()
        assert client.post(act).status_code == 404
    client.force_login(here.ben)
    html = client.get(where).content.decode()
    assert AWAY in html
    assert act in html
    assert not said(here.ben), "who has read it there is told no more"
    for verb in ("renew", "accept", "thank"):
        assert client.post(f"/answers/{given.public_id}/{verb}").status_code == 404
    assert client.get(f"/answers/{given.public_id}/edit").status_code == 404
    assert "Your answer is withdrawn." in client.post(act, follow=True).content.decode()
    assert client.post(act).status_code == 404
    with pytest.raises(Http404):
        moderation.give_back_answer(answer=given.public_id, person=here.finn, reason=BACK)
    assert "Call 555." not in client.get(where).content.decode()


def test_all_that_was_taken_away_can_be_reached(here: SimpleNamespace, client: Client) -> None:
    everyone, now = here.asked.audience, timezone.now()
    many = [Ask(author=here.ana, text=f"No. {n}", audience=everyone, hidden_at=now - timedelta(n)) for n in range(21)]
    Ask.objects.bulk_create(many)
    client.force_login(here.finn)
    first = client.get("/asks/taken-away").content.decode()
    assert "?questions=2#questions" in first
    assert "No. 20" not in first
    assert "No. 20" in client.get("/asks/taken-away?questions=2").content.decode()


def test_moderators_find_it_on_a_page(here: SimpleNamespace, client: Client) -> None:
    given = asking.answer(ask=here.asked.public_id, viewer=see(here.ben), body="Fill it first.")
    moderation.hide_answer(answer=given.public_id, person=here.finn, reason=AWAY)
    client.force_login(here.ben)
    assert client.get("/asks/taken-away").status_code == 403
    client.force_login(here.finn)
    assert "/asks/taken-away" in client.get(here.asked.get_absolute_url()).content.decode()
    assert "Fill it first." in client.get("/asks/taken-away").content.decode()
    where = f"/answers/{given.public_id}/moderate"
    assert client.post(where, {"do": "give-back", "reason": "Oh"}).status_code == 422
    assert client.post(where, {"do": "give-back", "reason": BACK}).status_code == 302
    assert "Nothing is taken away" in client.get("/asks/taken-away").content.decode()
    client.force_login(here.ben)
    assert BACK in client.get(here.asked.get_absolute_url()).content.decode()
