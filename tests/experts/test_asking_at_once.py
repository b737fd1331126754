"""Two tabs, two people, two workers at one moment: what may happen once happens once."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts.asking import actions as asking
from experts.asking import load, turns
from experts.asking.asks import Answer, Ask, Thanks, Turn
from experts.choices import Availability, Closed, OwnTopic
from experts.models import Person, Team
from knowledge.access import Viewer
from tests.work import conftest as rooms

in_threads = rooms.in_threads
TEXT = "Which oil for the bearing?"


@pytest.fixture
def two(in_threads: Callable[..., list[Any]], make_person: Callable[..., Any]) -> SimpleNamespace:
    """Ana and Ben; Ben has room for one question."""
    team = Team.objects.create(name="Pumps", slug="pumps")
    found = SimpleNamespace(**{name: make_person(name, name=name.title(), teams=(team,)) for name in ("ana", "ben")})
    Availability.objects.create(person=found.ben, asks_a_week=1)
    return found


def viewer(person: Any) -> Viewer:
    return Viewer.of(Person.objects.get(pk=person.pk))


def test_two_tabs_ask_once(in_threads: Callable[..., list[Any]], two: SimpleNamespace) -> None:
    def ask() -> Any:
        return asking.ask(viewer=viewer(two.ana), text=TEXT, to=two.ben.public_id).pk

    assert len(set(in_threads(ask, ask, ask))) == 1
    assert in_threads(lambda: (Ask.objects.count(), Turn.objects.count())) == [(1, 1)]


def test_two_people_do_not_fill_a_week_twice(in_threads: Callable[..., list[Any]], two: SimpleNamespace) -> None:
    def ask(number: int) -> Callable[[], Any]:
        def now() -> str:
            try:
                asking.ask(viewer=viewer(two.ana), text=f"{TEXT} {number}", to=two.ben.public_id)
            except ValidationError as error:
                return str(error.messages[0])
            return "asked"

        return now

    assert sorted(in_threads(*map(ask, range(4)))) == [asking.NOT_NOW] * 3 + ["asked"]
    assert in_threads(lambda: (Ask.objects.count(), Turn.objects.count())) == [(1, 1)]


def test_two_tabs_answer_accept_and_thank_once(in_threads: Callable[..., list[Any]], two: SimpleNamespace) -> None:
    made = asking.ask(viewer=viewer(two.ana), text=TEXT, to=two.ben.public_id)

    def answer() -> Any:
        return asking.answer(ask=made.public_id, viewer=viewer(two.ben), body="The thin one.").public_id

    (key,) = set(in_threads(answer, answer))
    for verb in (asking.accept, asking.thank):

        def once(verb: Any = verb) -> bool:
            return bool(verb(answer=key, viewer=viewer(two.ana)))

        assert sorted(in_threads(once, once)) == [False, True]
    assert in_threads(lambda: (Answer.objects.count(), Thanks.objects.count())) == [(1, 1)]


@pytest.mark.django_db
def test_candidates_cost_five_questions_however_many(make_person: Callable[..., Any]) -> None:
    now = timezone.now()
    people = [make_person(f"p{number}", name=f"P {number}") for number in range(12)]
    Availability.objects.create(person=people[1], asks_a_week=1, hidden=True)
    Availability.objects.create(person=people[2], asks_a_week=7)
    Closed.objects.create(person=people[3], since=now.date(), until=now.date())
    Person.objects.filter(pk=people[3].pk).update(time_zone="UTC")
    OwnTopic.objects.create(person=people[4], key="oil", name="Oil", ask=OwnTopic.Ask.NO)
    ask = asking.ask(viewer=viewer(people[0]), text=TEXT, to=people[5].public_id)
    for some in (people[:6], people):
        with CaptureQueriesContext(connection) as asked:
            found = turns.candidates({one.pk: 1.0 for one in some}, {"oil"}, now + load.WEEK / 700)
        assert len(asked) == 5
    by_person = {one.person: one for one in found}
    assert people[1].pk not in by_person
    assert by_person[people[2].pk].weekly == 7
    assert [by_person[people[n].pk].can_be_asked for n in (2, 3, 4, 5)] == [True, False, False, True]
    assert (by_person[people[5].pk].week, by_person[people[5].pk].month) == (1, 1)
    asking.withdraw(ask=ask.public_id, viewer=viewer(people[0]))
    assert turns.one(people[5].pk, (), now).week == 0  # type: ignore[union-attr]


def test_two_ask_each_other_at_one_moment(in_threads: Callable[..., list[Any]], two: SimpleNamespace) -> None:
    def ask(one: Any, other: Any) -> Callable[[], Any]:
        return lambda: asking.ask(viewer=viewer(one), text=TEXT, to=other.public_id).turns.get().person_id

    assert in_threads(ask(two.ana, two.ben), ask(two.ben, two.ana)) == [two.ben.pk, two.ana.pk]
