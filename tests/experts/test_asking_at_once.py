"""Two tabs, two people, two workers at one moment: what may happen once happens once."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from experts.asking import actions as asking
from experts.asking.asks import Answer, Ask, Thanks, Turn
from experts.choices import Availability
from experts.models import Person, Place, Team
from experts.teams import proposals
from experts.teams.formation import Need
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


def test_a_question_and_two_teams_do_not_fill_a_week_twice(
    in_threads: Callable[..., list[Any]], two: SimpleNamespace, make_person: Callable[..., Any]
) -> None:
    def propose(owner: Any) -> Callable[[], Any]:
        need = Need("Pumps")
        return lambda: proposals.propose(
            owner=owner, text="Overhaul", needs=[need], hours=1, places={two.ben: ["Pumps"]}, ask=True
        )

    def ask() -> Any:
        try:
            return asking.ask(viewer=viewer(two.ana), text=TEXT, to=two.ben.public_id)
        except ValidationError:
            return None

    in_threads(propose(two.ana), propose(make_person("cleo")), propose(make_person("dai")), ask)
    counts = in_threads(lambda: Turn.objects.count() + Place.objects.exclude(asked_at=None).count())
    assert counts == [1]


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


def test_two_ask_each_other_at_one_moment(in_threads: Callable[..., list[Any]], two: SimpleNamespace) -> None:
    def ask(one: Any, other: Any) -> Callable[[], Any]:
        return lambda: asking.ask(viewer=viewer(one), text=TEXT, to=other.public_id).turns.get().person_id

    assert in_threads(ask(two.ana, two.ben), ask(two.ben, two.ana)) == [two.ben.pk, two.ana.pk]
