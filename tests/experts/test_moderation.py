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
    assert moderation.taken_away_from(see(here.finn)) == [here.asked]
    moderation.give_back_ask(ask=key, person=here.finn, reason=BACK)
    assert asking.ask_or_404(key, see(here.cleo)) == here.asked
    assert turns.waiting_for(see(here.ben)) == [here.asked]
    turns.pass_on()
    assert Ask.objects.get().look_at == Turn.objects.get().until
    assert said(here.ana) == [f"Your question “{PUMPS}” stands again: {BACK}"]
    assert moderation.taken_away_from(see(here.finn)) == []
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
    assert moderation.taken_away_from(see(here.finn)) == []


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
