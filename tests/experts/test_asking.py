"""Asking, answering, accepting and thanking: what each verb does once, twice, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone

from experts import actions
from experts.asking import actions as asking
from experts.asking import turns
from experts.asking.asks import Answer, Ask, Joined, Thanks, Turn
from experts.choices import Availability, Closed, OwnTopic
from experts.notices import Notice
from knowledge import gaps
from knowledge.models import Resource
from tests import small_company
from tests.experts.asked import PUMPS, company, see

pytestmark = pytest.mark.django_db
HOW = Turn.How


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    return company(make_person, hold)


def refused(field: str, **said: Any) -> str:
    """What is said of a field when an ask is refused, and that nothing was stored."""
    before = Ask.objects.count()
    with pytest.raises(ValidationError) as error:
        asking.ask(**said)
    assert Ask.objects.count() == before
    return str(error.value.message_dict[field][0])


def of(person: Any, kind: str) -> int:
    return Notice.objects.filter(person=person, kind=kind).count()


def later(ask: Ask) -> None:
    """The quiet time of whoever is asked is over, and a worker comes by."""
    past = timezone.now() - timedelta(minutes=1)
    Turn.objects.filter(ask=ask, how__in=[HOW.WAITING, HOW.SKIPPED]).update(until=past)
    Ask.objects.filter(pk=ask.pk, look_at__isnull=False).update(look_at=past)
    turns.pass_on()


def test_whoever_knows_is_asked_and_told(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=f"  {PUMPS}\n")
    turn = made.turns.get()
    assert (made.text, made.author, made.wish) == (PUMPS, here.ana, "show")
    assert turn.person in {here.ben, here.cleo, here.dai, here.eva}
    assert turn.until > timezone.now()
    assert of(turn.person, "asked") == 1
    assert [topic.name for topic in made.topics.all()] == ["Pumps"]
    assert turns.waiting_for(see(turn.person)) == [made]


@pytest.mark.parametrize("how", ["withdrawn", "taken away"])
def test_what_is_withdrawn_or_taken_away_is_no_gap_from_then_on(here: SimpleNamespace, how: str) -> None:
    from django.contrib.auth.models import Permission

    from experts.asking import moderation

    made = asking.ask(viewer=see(here.ana), text="Who sleeps beside the zephyr press?")
    Ask.objects.update(published_at=timezone.now() - timedelta(days=8))
    gaps.gather()
    assert gaps.Gap.objects.filter(words=made.text).exists()
    if how == "withdrawn":
        asking.withdraw(ask=made.public_id, viewer=see(here.ana))
    else:
        here.eva.user_permissions.add(Permission.objects.get(codename="moderate_ask"))
        moderation.hide_ask(
            ask=made.public_id, person=type(here.eva).objects.get(pk=here.eva.pk), reason="A name in it"
        )
    assert not gaps.Gap.objects.exists()


def test_who_leaves_a_team_reads_no_more_of_what_was_handed_round_in_it(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS, audience=str(here.team.public_id))
    asked = made.turns.get().person
    named = asking.ask(viewer=see(here.ana), text="And why?", to=asked.public_id, audience=str(here.team.public_id))
    assert set(turns.waiting_for(see(asked))) == {made, named}
    actions.leave_members(team=here.team, people=[asked])
    assert turns.waiting_for(see(asked)) == [named]
    with pytest.raises(Http404):
        asking.answer(ask=made.public_id, viewer=see(asked), body="Fill it first.")


def test_who_says_that_they_know_is_asked_where_no_work_shows_it(here: SimpleNamespace) -> None:
    OwnTopic.objects.create(person=here.finn, key="kettles", name="Kettles", knows=True, ask=OwnTopic.Ask.YES)
    assert asking.ask(viewer=see(here.ana), text="Who cleans kettles?").turns.get().person == here.finn
    OwnTopic.objects.create(person=here.finn, key="seal", name="Seal", knows=True)
    assert asking.ask(viewer=see(here.ana), text=PUMPS).turns.get().person != here.finn


def test_one_person_is_asked(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.finn.public_id, audience="asked", topics=["boilers"])
    assert made.turns.get().person == here.finn
    assert [topic.name for topic in made.topics.all()] == ["Boilers"]
    assert asking.ask_or_404(made.public_id, see(here.finn)) == made
    with pytest.raises(Http404):
        asking.ask_or_404(made.public_id, see(here.ben))


def test_the_same_twice_is_one(here: SimpleNamespace) -> None:
    first = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.ben.public_id)
    assert asking.ask(viewer=see(here.ana), text=PUMPS, to=here.ben.public_id) == first
    assert asking.ask(viewer=see(here.cleo), text=PUMPS) != first
    made = asking.answer(ask=first.public_id, viewer=see(here.ben), body="Fill it first.")
    assert asking.answer(ask=first.public_id, viewer=see(here.ben), body="Fill it first. ") == made
    assert [asking.accept(answer=made.public_id, viewer=see(here.ana)) for _ in "ab"] == [True, False]
    assert [asking.thank(answer=made.public_id, viewer=see(here.ana)) for _ in "ab"] == [True, False]
    assert [asking.join(ask=first.public_id, viewer=see(here.dai)) for _ in "ab"] == [True, False]
    assert (Thanks.objects.count(), Joined.objects.count(), of(here.ben, "thanked")) == (1, 1, 1)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("text", {"text": " \u202e "}),
        ("text", {"text": "why " * 100}),
        ("details", {"text": PUMPS, "details": "x" * 20_001}),
        ("wish", {"text": PUMPS, "wish": "beg"}),
        ("audience", {"text": PUMPS, "audience": "mars"}),
        ("to", {"text": PUMPS, "to": uuid4()}),
        ("audience", {"text": PUMPS, "audience": "asked", "anonymous": True}),
        ("audience", {"text": "zyxwv qqqq?", "audience": "asked"}),
    ],
)
def test_bad_input_says_the_cure(here: SimpleNamespace, field: str, said: dict[str, Any]) -> None:
    assert refused(field, viewer=see(here.ana), **said)


def test_nobody_who_cannot_be_asked_differs_from_another(here: SimpleNamespace) -> None:
    def to(person: Any) -> str:
        return refused("to", viewer=see(here.ana), text=PUMPS, to=person.public_id)

    Availability.objects.create(person=here.ben, hidden=True)
    Availability.objects.create(person=here.cleo, asks_a_week=0)
    today = timezone.localdate()
    Closed.objects.create(person=here.dai, since=today - timedelta(days=1), until=today + timedelta(days=1))
    OwnTopic.objects.create(person=here.eva, key="feed-pump", name="Feed pump", ask=OwnTopic.Ask.NO)
    actions.deactivate(people=[here.finn])
    said = {to(person) for person in (here.ben, here.cleo, here.dai, here.eva, here.finn)}
    assert len(said) == 1
    assert "you" in to(here.ana).lower()
    open_to_all = asking.ask(viewer=see(here.ana), text=PUMPS)
    assert not open_to_all.turns.exists()
    assert Ask.objects.get(pk=open_to_all.pk).look_at is not None


def test_the_cap_is_hard_and_a_withdrawn_ask_does_not_count(here: SimpleNamespace) -> None:
    askers = (here.ana, here.ana, here.finn)
    asks = [asking.ask(viewer=see(who), text=f"{PUMPS} {n}", to=here.ben.public_id) for n, who in enumerate(askers)]
    assert refused("to", viewer=see(here.cleo), text=PUMPS, to=here.ben.public_id)
    asking.withdraw(ask=asks[0].public_id, viewer=see(here.ana))
    assert asking.ask(viewer=see(here.cleo), text=PUMPS, to=here.ben.public_id).turns.get().person == here.ben
    assert not turns.give(asks[1], here.ben.pk, timezone.now()), "asked already"
    Turn.objects.filter(person=here.ben).update(at=timezone.now() - timedelta(days=8))
    assert asking.ask(viewer=see(here.dai), text=PUMPS, to=here.ben.public_id)


def test_a_quiet_turn_passes_on_and_a_skip_looks_the_same(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS)
    first = made.turns.get().person
    due = Ask.objects.get().look_at
    asking.skip(ask=made.public_id, viewer=see(first))
    asking.skip(ask=made.public_id, viewer=see(first))
    assert Ask.objects.get().look_at == due, "a skip moves nothing"
    turns.pass_on()
    assert made.turns.count() == 1
    later(made)
    second = made.turns.exclude(person=first).get()
    assert second.how == HOW.WAITING
    later(made)
    assert made.turns.get(pk=second.pk).how == HOW.PASSED
    assert made.turns.count() == 3
    for _ in range(3):
        later(made)
    assert made.turns.count() == 4, "everybody who knows was asked, each once"
    assert Notice.objects.exclude(kind="asked").count() == 0


def test_two_workers_give_one_turn(here: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS)
    route = turns.route

    def while_another_worker_comes_by(ask: Ask) -> bool:
        turns.pass_on()
        return route(ask)

    monkeypatch.setattr(turns, "route", while_another_worker_comes_by)
    later(made)
    assert made.turns.count() == 2


def test_one_person_who_is_quiet_is_said_to_whoever_asked_and_it_is_handed_on(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.finn.public_id)
    assert not turns.quiet(see(here.ana), []), "nothing is said of what was not asked about"
    later(made)
    assert of(here.ana, "quiet") == 1
    assert list(turns.quiet(see(here.ana), [made.public_id])) == [made.public_id]
    assert asking.hand_on(ask=made.public_id, viewer=see(here.ana))
    assert not asking.hand_on(ask=made.public_id, viewer=see(here.ana))
    assert made.turns.filter(how=HOW.WAITING).count() == 1
    assert not turns.quiet(see(here.ana), [made.public_id])


def test_turns_of_who_leaves_pass_on_at_once(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS)
    gone = made.turns.get().person
    with committed():
        actions.deactivate(people=[gone])
    assert made.turns.get(person=gone).how == HOW.LEFT
    assert made.turns.filter(how=HOW.WAITING).count() == 1
    actions.deactivate(people=[here.ana])
    assert Ask.objects.get().closed_at, "nobody waits for an answer to who has left"
    assert not made.turns.filter(how=HOW.WAITING).exists()


def test_an_answer_stops_the_search_and_its_withdrawal_starts_it(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS)
    asking.join(ask=made.public_id, viewer=see(here.finn))
    given = asking.answer(ask=made.public_id, viewer=see(here.eva), body="Fill it first.")
    assert (of(here.ana, "answered"), of(here.finn, "answered"), of(here.eva, "answered")) == (1, 1, 0)
    assert Ask.objects.get().look_at is None
    before = made.turns.count()
    later(made)
    assert made.turns.count() == before
    with pytest.raises(Http404):
        asking.edit_answer(answer=given.public_id, viewer=see(here.ana), body="Mine.")
    asking.edit_answer(answer=given.public_id, viewer=see(here.eva), body="Fill it slowly.")
    asking.withdraw_answer(answer=given.public_id, viewer=see(here.eva))
    assert Ask.objects.get().look_at is not None
    with pytest.raises(Http404):
        asking.withdraw_answer(answer=given.public_id, viewer=see(here.eva))


def test_an_answer_of_200_kilobytes_is_taken_and_a_longer_one_refused(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS)
    most = "<script>alert(1)</script>" * 8_000
    assert asking.answer(ask=made.public_id, viewer=see(here.ben), body=most).body == most
    for body in (most + "x", "é" * 100_001, " \n "):
        with pytest.raises(ValidationError):
            asking.answer(ask=made.public_id, viewer=see(here.ben), body=body)
    assert Answer.objects.count() == 1


def test_only_whoever_asked_accepts_withdraws_and_closes(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.ben.public_id)
    given = asking.answer(ask=made.public_id, viewer=see(here.ben), body="Fill it first.")
    for verb in (asking.withdraw, asking.close, asking.hand_on):
        with pytest.raises(Http404):
            verb(ask=made.public_id, viewer=see(here.ben))
    with pytest.raises(Http404):
        asking.accept(answer=given.public_id, viewer=see(here.cleo))
    assert not asking.thank(answer=given.public_id, viewer=see(here.ben)), "nobody thanks themselves"
    own = asking.answer(ask=made.public_id, viewer=see(here.ana), body="Found it myself.")
    with pytest.raises(ValidationError):
        asking.accept(answer=own.public_id, viewer=see(here.ana))
    asking.accept(answer=given.public_id, viewer=see(here.ana))
    with pytest.raises(ValidationError):
        asking.withdraw(ask=made.public_id, viewer=see(here.ana))
    assert Ask.objects.get().closed_at
    assert of(here.ben, "accepted") == 1


def test_a_team_asks_itself(here: SimpleNamespace) -> None:
    from experts.models import Membership

    Membership.objects.filter(person__in=[here.ben, here.cleo]).update(until=timezone.now())
    made = asking.ask(viewer=see(here.ana), text=PUMPS, audience=str(here.team.public_id))
    assert made.turns.get().person in {here.dai, here.eva}
    for verb in (asking.join, asking.skip):
        with pytest.raises(Http404):
            verb(ask=made.public_id, viewer=see(here.ben))
    with pytest.raises(Http404):
        asking.answer(ask=made.public_id, viewer=see(here.ben), body="No.")
    assert [one.value for one in asking.audiences(see(here.ben))] == ["everyone", "asked"]
    assert refused("audience", viewer=see(here.ben), text=PUMPS, audience=str(here.team.public_id))


def test_what_an_ask_is_about_shows_to_who_may_read_it(here: SimpleNamespace, hold: Callable[..., Any]) -> None:
    from tests.experts.conftest import page

    hold("Secret", [page("s", title="Salaries")], audience=[f"person:{here.ana.pk}"])
    about = Resource.objects.get(key="s")
    made = asking.ask(viewer=see(here.ana), text=PUMPS, about=about.public_id)
    assert asking.about_of(made, see(here.ana)) == about
    assert asking.about_of(made, see(here.ben)) is None
    assert asking.ask(viewer=see(here.ben), text=PUMPS, about=about.public_id).about is None


def test_similar_questions_show_while_typing(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS)
    found = asking.similar("prime the feed pump", see(here.ben))
    assert (found.answers, found.asks) == ((), (made,))
    assert asking.similar("prime the feed pump", see(here.ana)).asks == (), "one's own are not shown"
    assert asking.similar("fire the boiler", see(here.ben)).asks == ()
    assert asking.similar("  ", see(here.ben)) == asking.Similar((), ())
    with committed():
        given = asking.answer(ask=made.public_id, viewer=see(here.ben), body="Fill it first.")
        asking.accept(answer=given.public_id, viewer=see(here.ana))
    small_company.index()
    found = asking.similar("prime the feed pump", see(here.cleo))
    (one,) = found.answers
    assert Resource.objects.get(kind="answer").title == PUMPS
    assert "<mark>feed pump</mark>" in one.title
    assert found.asks == ()


def test_a_question_to_everyone_that_nobody_answers_is_a_gap(here: SimpleNamespace) -> None:
    def gap() -> list[str]:
        gaps.gather()
        return list(gaps.Gap.objects.values_list("words", flat=True))

    asked = asking.ask(viewer=see(here.ana), text=PUMPS)
    asking.ask(viewer=see(here.ana), text="Who has the key?", audience=str(here.team.public_id))
    asking.ask(viewer=see(here.ana), text="Is Ben ill?", to=here.ben.public_id, audience="asked")
    assert gap() == []
    Ask.objects.update(published_at=timezone.now() - timedelta(days=7, minutes=1))
    assert gap() == [PUMPS]
    assert gaps.Gap.objects.get().kinds == "question"
    given = asking.answer(ask=asked.public_id, viewer=see(here.ben), body="Fill it first.")
    assert gap() == []
    asking.withdraw_answer(answer=given.public_id, viewer=see(here.ben))
    assert gap() == [PUMPS]
    asking.close(ask=asked.public_id, viewer=see(here.ana))
    assert gap() == []


def test_the_same_words_to_somebody_else_are_another_question(here: SimpleNamespace) -> None:
    first = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.finn.public_id)
    assert asking.ask(viewer=see(here.ana), text=PUMPS, to=here.finn.public_id) == first
    other = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.ben.public_id, details="It hisses.")
    assert (other.turns.get().person, other.details) == (here.ben, "It hisses.")


def test_whoever_asked_without_a_name_signs_no_answer(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS, anonymous=True)
    with pytest.raises(ValidationError, match="without a name"):
        asking.answer(ask=made.public_id, viewer=see(here.ana), body="I know by now.")
    assert not made.answers.exists()


def test_a_question_that_fails_holds_up_no_other(here: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (
        asking.ask(viewer=see(here.ana), text=text, to=here.finn.public_id) for text in (PUMPS, f"{PUMPS} And seals?")
    )
    Ask.objects.update(look_at=timezone.now())
    Turn.objects.update(until=timezone.now())
    take_up = turns._take_up

    def failing(ask: Ask, now: Any) -> bool:
        return 1 / 0 if ask.pk == min(first.pk, second.pk) else take_up(ask, now)  # type: ignore[return-value]

    with monkeypatch.context() as patch:
        patch.setattr(turns, "_take_up", failing)
        turns.pass_on()
    assert sorted(Turn.objects.values_list("how", flat=True)) == ["passed", "waiting"]
    Ask.objects.exclude(look_at=None).update(look_at=timezone.now())
    turns.pass_on()
    assert set(Turn.objects.values_list("how", flat=True)) == {"passed"}, "the other is taken up again later"


def test_nobody_measures_a_week_by_asking_and_taking_back(here: SimpleNamespace) -> None:
    """Whoever may ask one person without end learns how often others ask them, and takes their week from others."""
    for number in range(2):
        made = asking.ask(viewer=see(here.ana), text=f"{PUMPS} {number}", to=here.ben.public_id, anonymous=bool(number))
        asking.withdraw(ask=made.public_id, viewer=see(here.ana))
    for anonymous in (False, True):
        with pytest.raises(ValidationError, match="twice within a week"):
            asking.ask(viewer=see(here.ana), text="And again?", to=here.ben.public_id, anonymous=anonymous)
    assert asking.ask(viewer=see(here.dai), text="And I?", to=here.ben.public_id).turns.count() == 1
    Turn.objects.update(at=timezone.now() - timedelta(days=8))
    assert asking.ask(viewer=see(here.ana), text="And again?", to=here.ben.public_id).turns.count() == 1


def test_what_came_to_somebody_by_turns_is_not_told_by_how_a_third_question_is_refused(here: SimpleNamespace) -> None:
    asked = asking.ask(viewer=see(here.ana), text=PUMPS).turns.get().person
    Turn.objects.create(ask=asking.ask(viewer=see(here.ana), text="Who knows kettles?"), person=asked)
    assert refused("to", viewer=see(here.ana), text="And you?", to=asked.public_id) == asking.NOT_NOW


def test_a_flood_without_a_name_is_stopped(here: SimpleNamespace) -> None:
    for number in range(3):
        made = asking.ask(viewer=see(here.ana), text=f"{PUMPS} {number}", anonymous=True)
        asking.withdraw(ask=made.public_id, viewer=see(here.ana))
    with pytest.raises(ValidationError, match="a day go without a name"):
        asking.ask(viewer=see(here.ana), text="One more?", anonymous=True)
    asking.ask(viewer=see(here.ana), text="One more?")
    asking.ask(viewer=see(here.ben), text="One more?", anonymous=True)
