"""Asking without a name: what is stored, who knows their own, when others see it, and how a seal opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts import choices
from experts.asking import actions as asking
from experts.asking import later, moderation, own_asks, sealed, turns
from experts.asking.asks import Answer, Ask, Later, SealOpened, Thanks, Turn
from experts.asking.load import quiet_until
from experts.models import Membership, Person
from experts.notices import Notice
from experts.room import time_left, with_room
from experts.teams import line_ups
from knowledge.models import Resource, Search
from knowledge.waiting import WaitingSearch
from tests.experts.asked import PUMPS, company, see

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    return company(make_person, hold)


@pytest.fixture
def moderator(here: SimpleNamespace) -> Any:
    """Finn, who may open seals and take questions away."""
    for name in ("open_seal", "moderate_ask"):
        here.finn.user_permissions.add(Permission.objects.get(codename=name))
    return type(here.finn).objects.get(pk=here.finn.pk)


def ask(person: Any, text: str = PUMPS, **said: Any) -> Ask:
    return asking.ask(viewer=see(person), text=text, anonymous=True, **said)


def published(made: Ask) -> Ask:
    """The wait is over."""
    now = timezone.now() - timedelta(minutes=1)
    Ask.objects.filter(pk=made.pk).update(published_at=now, look_at=now)
    return Ask.objects.get(pk=made.pk)


def test_no_author_is_stored_and_two_asks_have_nothing_in_common(here: SimpleNamespace) -> None:
    one, two = ask(here.ana), ask(here.ana, "Which oil for the bearing?")
    assert (one.author, two.author) == (None, None)
    assert len({one.mark, two.mark}) == 2
    assert one.created_at == sealed.day_of(timezone.now())
    with timezone.override("Pacific/Auckland"):  # by the clock of whoever asks it would tell where they are
        assert sealed.day_of(timezone.now()) == one.created_at
    assert not Notice.objects.exists()
    assert [sealed.is_mine(one, person.pk) for person in (here.ana, here.ben)] == [True, False]


def test_rows_are_numbered_at_random_and_shown_after_a_wait(
    here: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_asks, "UNNAMED", 12)
    begun = timezone.now()
    asks = [ask(here.ana, f"Which oil for bearing {n}?") for n in range(12)]
    assert [one.pk for one in asks] != sorted(one.pk for one in asks)
    waits = [one.published_at - begun for one in asks]
    assert all(sealed.EARLIEST <= wait <= sealed.LATEST + timedelta(minutes=1) for wait in waits)
    assert waits != sorted(waits)
    for person in (here.ana, here.ben):
        assert not Ask.objects.visible_to(see(person)).exists()
    assert asking.ask_or_404(asks[0].public_id, see(here.ana)) == asks[0]
    assert set(own_asks.mine(see(here.ana))) == set(asks)
    assert own_asks.mine(see(here.ben)) == []
    with pytest.raises(Http404):
        asking.ask_or_404(asks[0].public_id, see(here.ben))


def test_nobody_is_asked_before_it_shows_and_never_its_author(here: SimpleNamespace) -> None:
    made = ask(here.ben)
    turns.pass_on()
    assert not Turn.objects.exists()
    published(made)
    turns.pass_on()
    for _ in range(6):
        Turn.objects.update(until=timezone.now() - timedelta(minutes=1))
        Ask.objects.filter(look_at__isnull=False).update(look_at=timezone.now() - timedelta(minutes=1))
        turns.pass_on()
    assert {turn.person for turn in Turn.objects.all()} == {here.cleo, here.dai, here.eva}
    assert not Notice.objects.filter(person=here.ben).exists()


def test_one_person_hears_of_it_when_it_shows(here: SimpleNamespace) -> None:
    made = ask(here.ana, to=here.finn.public_id)
    assert turns.waiting_for(see(here.finn)) == []
    turns.pass_on()
    assert not Notice.objects.exists()
    published(made)
    turns.pass_on()
    assert [notice.person for notice in Notice.objects.all()] == [here.finn]
    assert turns.waiting_for(see(here.finn)) == [made]
    assert Ask.objects.get().look_at == made.turns.get().until
    Ask.objects.update(look_at=timezone.now())
    Turn.objects.update(until=timezone.now())
    turns.pass_on()
    assert Turn.objects.get().how == "passed"
    assert Notice.objects.count() == 1, "its author looks for themselves"


def test_no_moment_of_one_person_s_turn_tells_when_it_was_asked(
    here: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until when, what is left of their week and when it ended follow from when it shows, and from days."""
    today = timezone.now().replace(hour=8)
    wednesday = today + timedelta(days=7 + (2 - today.weekday()) % 7)  # people are at work, so each minute shows
    monkeypatch.setattr(timezone, "now", lambda: wednesday)
    choices.choose(person=here.ben, asks_a_week=1, shows_time=True)

    def left() -> tuple[Any, ...]:
        ben = with_room(Person.objects.filter(pk=here.ben.pk)).get()
        free = [line_ups.reachable(see(here.cleo), [here.ben.pk], 1)]
        return (time_left(ben), *free)

    before = left()
    made = ask(here.ana, to=here.ben.public_id)
    assert left() == before
    turn = Turn.objects.get()
    assert turn.at == made.published_at
    assert turn.until == quiet_until(made.published_at, here.ben.time_zone)
    Turn.objects.update(at=published(made).published_at)
    assert left() != before
    asking.hand_on(ask=made.public_id, viewer=see(here.ana))
    some_hours_later()
    assert Turn.objects.get().ended_at == sealed.day_of(timezone.now())


def some_hours_later() -> None:
    """What authors without a name did is due."""
    Later.objects.update(due_at=timezone.now())
    later.carry_out()


def rows() -> list[Any]:
    """All that others read, or are told, of questions."""
    return [list(model.objects.order_by("pk").values()) for model in (Ask, Answer, Turn, Thanks, Notice)]


def test_what_its_author_does_others_see_after_a_wait(here: SimpleNamespace) -> None:
    """Whoever watches, and sees Ana at a keyboard, learns nothing from the moment of her click."""
    made = published(ask(here.ana, to=here.ben.public_id))
    given = asking.answer(ask=made.public_id, viewer=see(here.cleo), body="Fill it first.")
    verbs = {"hand-on": asking.hand_on, "thank": asking.thank, "accept": asking.accept, "close": asking.close}
    for verb, do in verbs.items():
        what = {"answer": given.public_id} if verb in ("accept", "thank") else {"ask": made.public_id}
        before, begun = rows(), timezone.now()
        assert [do(viewer=see(here.ana), **what) for _ in "ab"] == [True, False], verb
        assert later.carry_out() == 0
        assert rows() == before, verb
        (row,) = Later.objects.all()
        assert sealed.EARLIEST <= row.due_at - begun <= sealed.LATEST + timedelta(minutes=1)
        assert later.waiting(made) == {(verb, row.answer_id)}
        some_hours_later()
        assert rows() != before, verb
        assert not Later.objects.exists()
        assert not do(viewer=see(here.ana), **what), "once is enough"
        Ask.objects.update(closed_at=None)


def test_taking_back_is_at_once_and_ends_what_was_to_come(here: SimpleNamespace) -> None:
    made = published(ask(here.ana))
    asking.close(ask=made.public_id, viewer=see(here.ana))
    asking.withdraw(ask=made.public_id, viewer=see(here.ana))
    with pytest.raises(Http404):
        asking.ask_or_404(made.public_id, see(here.cleo))
    assert not Later.objects.exists()


def test_what_cannot_be_done_any_more_is_let_go_and_holds_up_nothing(
    here: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, other = published(ask(here.ana)), published(ask(here.ana, "Which oil for the bearing?"))
    given = asking.answer(ask=made.public_id, viewer=see(here.ben), body="Fill it first.")
    asking.accept(answer=given.public_id, viewer=see(here.ana))
    asking.withdraw_answer(answer=given.public_id, viewer=see(here.ben))
    asking.close(ask=other.public_id, viewer=see(here.ana))
    some_hours_later()
    assert not Later.objects.exists()
    assert [Ask.objects.get(pk=one.pk).closed_at for one in (made, other)] == [None, sealed.day_of(timezone.now())]
    asking.thank(answer=asking.answer(ask=made.public_id, viewer=see(here.ben), body="Yes.").public_id,
                 viewer=see(here.ana))  # fmt: skip
    monkeypatch.setattr(later, "thank", lambda *args: 1 / 0)
    some_hours_later()
    assert Later.objects.exists(), "what fails is tried again"


@pytest.mark.parametrize("what", ["ask", "answer"])
def test_what_moderators_took_away_waits_and_is_done_once_it_is_given_back(
    here: SimpleNamespace, moderator: Any, what: str
) -> None:
    made = published(ask(here.ana))
    given = asking.answer(ask=made.public_id, viewer=see(here.ben), body="Fill it first.")
    key = {what: (made if what == "ask" else given).public_id}
    asking.accept(answer=given.public_id, viewer=see(here.ana))
    asking.thank(answer=given.public_id, viewer=see(here.ana))
    getattr(moderation, f"hide_{what}")(person=moderator, reason="It names a customer.", **key)
    some_hours_later()
    assert Later.objects.count() == 2
    assert not Thanks.objects.exists()
    getattr(moderation, f"give_back_{what}")(person=moderator, reason="It names nobody.", **key)
    some_hours_later()
    assert Answer.objects.get().accepted_at == sealed.day_of(timezone.now())
    assert Thanks.objects.get().person == here.ben
    assert not Later.objects.exists()


def test_what_is_closed_is_handed_on_to_nobody(here: SimpleNamespace) -> None:
    made = published(ask(here.ana, to=here.ben.public_id))
    asking.close(ask=made.public_id, viewer=see(here.ana))
    some_hours_later()
    with pytest.raises(ValidationError, match="closed"):
        asking.hand_on(ask=made.public_id, viewer=see(here.ana))
    assert not Later.objects.exists()


def test_its_author_does_all_that_authors_do(here: SimpleNamespace) -> None:
    made = published(ask(here.ana))
    given = asking.answer(ask=made.public_id, viewer=see(here.ben), body="Fill it first.")
    for verb in (asking.accept, asking.thank):
        assert [verb(answer=given.public_id, viewer=see(here.ana)) for _ in "ab"] == [True, False]
    some_hours_later()
    with pytest.raises(Http404):
        asking.accept(answer=given.public_id, viewer=see(here.cleo))
    assert Thanks.objects.get().giver is None
    asking.thank(answer=given.public_id, viewer=see(here.cleo))
    assert Thanks.objects.filter(giver=here.cleo).count() == 1
    made.refresh_from_db()
    given.refresh_from_db()
    for moment in (made.closed_at, given.accepted_at, Thanks.objects.get(giver=None).at):
        assert moment == sealed.day_of(timezone.now())
    assert not asking.join(ask=made.public_id, viewer=see(here.ana))
    assert asking.similar(PUMPS, see(here.ana)).asks == ()


def test_the_same_twice_is_one(here: SimpleNamespace) -> None:
    assert ask(here.ana) == ask(here.ana)
    assert ask(here.ben) != ask(here.ana)
    asking.withdraw(ask=ask(here.ana).public_id, viewer=see(here.ana))
    assert own_asks.mine(see(here.ana)) == []


def test_one_s_own_are_found_without_looking_at_those_of_others(
    here: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    monkeypatch.setattr(sealed, "A_LOOK", 2)
    monkeypatch.setattr(own_asks, "UNNAMED", 9)
    others = [ask(here.ben, f"Which oil for bearing {n}?") for n in range(4)]
    own = [ask(here.ana, f"Which oil for bearing {n}?") for n in range(3)]
    asking.withdraw(ask=own[0].public_id, viewer=see(here.ana))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [settings.SECRET_KEY]
    own.append(ask(here.ana, "And which grease?"))
    ana = see(here.ana)
    with CaptureQueriesContext(connection) as asked:
        found = sealed.mine(ana)
    assert set(found) == set(own[1:])
    assert len(asked) == 2, "two looks, whatever others asked"
    assert len({one.key for one in (*own, *others)}) == 8


def test_a_new_secret_key_still_knows_the_author(here: SimpleNamespace, settings: LazySettings) -> None:
    made = ask(here.ana)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [settings.SECRET_KEY]
    assert sealed.is_mine(made, here.ana.pk)
    settings.SECRET_KEY_FALLBACKS = []
    assert not sealed.is_mine(made, here.ana.pk)


def test_one_without_a_key_is_its_author_s_at_its_address(here: SimpleNamespace) -> None:
    """As those are that were asked before there were keys: they stand in no list of their author's."""
    made = published(ask(here.ana))
    Ask.objects.update(key=None)
    assert own_asks.mine(see(here.ana)) == []
    assert sealed.is_author(asking.ask_or_404(made.public_id, see(here.ana)), see(here.ana))
    assert ask(here.ana, "Which oil for the bearing?").key == sealed.key_of(here.ana.pk, 0)
    asking.withdraw(ask=made.public_id, viewer=see(here.ana))


def test_few_people_are_no_cover(here: SimpleNamespace) -> None:
    team = str(here.team.public_id)
    assert [one.unseen for one in asking.audiences(see(here.ana))] == [True, True, False]
    assert ask(here.ana, audience=team).audience.tokens == [f"team:{here.team.pk}"]
    Membership.objects.filter(person__in=[here.ben, here.cleo]).update(until=timezone.now())
    assert [one.unseen for one in asking.audiences(see(here.ana))] == [True, False, False]
    with pytest.raises(ValidationError):
        ask(here.ana, "Another?", audience=team)


def test_what_few_may_read_does_not_narrow_who_asked(here: SimpleNamespace, hold: Callable[..., Any]) -> None:
    from tests.experts.conftest import page

    hold("Secret", [page("s", title="Pay", topics=("Salaries",))], audience=[f"person:{here.ana.pk}"])
    about = Resource.objects.get(key="s").public_id
    made = ask(here.ana, "What of salaries?", about=about, topics=["Salaries"])
    assert (made.about, list(made.topics.all())) == (None, [])
    named = asking.ask(viewer=see(here.ana), text="What of salaries?", about=about, topics=["Salaries"])
    assert named.about is not None
    assert [topic.name for topic in named.topics.all()] == ["Salaries"]


def test_searches_in_the_same_words_are_forgotten(here: SimpleNamespace) -> None:
    Search.objects.create(person=here.ana, text="prime feed pump after seal CHANGE")
    kept = [
        Search.objects.create(person=here.ana, text="feed pump"),
        Search.objects.create(person=here.ben, text=PUMPS),
    ]
    WaitingSearch.objects.create(person=here.ana, text=PUMPS)
    ask(here.ana)
    assert list(Search.objects.order_by("pk")) == kept
    assert not WaitingSearch.objects.exists()


def test_a_seal_opens_with_a_reason_that_its_author_reads(here: SimpleNamespace, moderator: Any) -> None:
    made = published(ask(here.ana))
    for person, reason, error in (
        (here.ben, "A threat against somebody.", PermissionDenied),
        (moderator, "Because", ValidationError),
    ):
        with pytest.raises(error):
            moderation.open_seal(ask=made.public_id, person=person, reason=reason)
    assert not SealOpened.objects.exists()
    assert moderation.openings(made, see(here.ana)) == []
    assert moderation.open_seal(ask=made.public_id, person=moderator, reason="A threat against somebody.") == here.ana
    (opening,) = moderation.openings(made, see(here.ana))
    assert (opening.opener, opening.reason) == (moderator, "A threat against somebody.")
    assert moderation.openings(made, see(moderator)) == [opening]
    assert moderation.openings(made, see(here.ben)) == []
    Ask.objects.filter(pk=made.pk).update(mark=sealed.mark_of(-5, made.public_id))
    assert moderation.open_seal(ask=made.public_id, person=moderator, reason="A threat against somebody.") is None
    named = asking.ask(viewer=see(here.ana), text="A pump?")
    with pytest.raises(ValidationError):
        moderation.open_seal(ask=named.public_id, person=moderator, reason="A threat against somebody.")
    with pytest.raises(Http404):
        moderation.open_seal(ask=uuid4(), person=moderator, reason="A threat against somebody.")


def test_what_is_taken_away_needs_no_name(here: SimpleNamespace, moderator: Any) -> None:
    made = published(ask(here.ana))
    moderation.hide_ask(ask=made.public_id, person=moderator, reason="It names a customer.")
    with pytest.raises(Http404):
        asking.ask_or_404(made.public_id, see(here.ben))
    assert asking.ask_or_404(made.public_id, see(here.ana)).moderated_why == "It names a customer."
    assert not SealOpened.objects.exists()
    assert not Notice.objects.exists()
