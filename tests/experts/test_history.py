"""Where teams stood and who managed whom on a day that is past; and that nobody ever stands above themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from experts import actions
from experts.directory.history import managers_as_of
from experts.directory.plan import import_people
from experts.models import Membership, Person, Placement, Reporting, Team

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Any]:
    """``with on(3):`` it is noon of the third day."""

    @contextmanager
    def travelled(number: int) -> Iterator[None]:
        with monkeypatch.context() as clock:
            clock.setattr("django.utils.timezone.now", lambda: day(number) + timedelta(hours=12))
            yield

    return travelled


def stood(number: int) -> dict[str, tuple[str, str | None]]:
    """Each team of a day by its slug: its name then, and the slug of the one above it then."""
    slugs = dict(Team.objects.values_list("pk", "slug"))
    return {
        team.slug: (team.name_then, slugs.get(team.parent_then))
        for team in Team.objects.as_of(day(number) + timedelta(hours=18))
    }


def test_a_team_that_moves_and_is_renamed_keeps_where_it_stood(on: Any) -> None:
    with on(0):
        top, other = actions.create_team(name="Top"), actions.create_team(name="Other")
        crew = actions.create_team(name="Crew", parent=top)
    with on(2):
        assert actions.place_team(team=crew, name="Pump crew")
    with on(4):
        assert actions.place_team(team=crew, parent=other)
    with on(6):
        assert actions.place_team(team=crew, name="Crew", parent=None)
        assert not actions.place_team(team=crew, name="Crew", parent=None)
    told = [stood(number).get("top-crew") for number in (-1, 0, 1, 2, 3, 4, 5, 6, 7)]
    assert told == [
        None, ("Crew", "top"), ("Crew", "top"), ("Pump crew", "top"), ("Pump crew", "top"), ("Pump crew", "other"),
        ("Pump crew", "other"), ("Crew", None), ("Crew", None),
    ]  # fmt: skip
    assert stood(3)["top"] == ("Top", None), "what never changed needs no row"
    assert Placement.objects.count() == 3


def test_a_dissolved_team_is_known_for_the_time_before(on: Any, make_person: Callable[..., Any]) -> None:
    ana = make_person("ana")
    with on(0):
        top = actions.create_team(name="Top")
        middle = actions.create_team(name="Middle", parent=top, external_id="M")
        low = actions.create_team(name="Low", parent=middle)
        actions.add_members(team=middle, people=[ana])
    with on(3):
        actions.dissolve(team=middle)
        low.refresh_from_db()
        assert low.parent == top
        assert not Team.objects.current().filter(pk=middle.pk).exists()
        assert actions.create_team(name="Middle", external_id="M").slug != middle.slug
    assert stood(1)["top-middle-low"] == ("Low", "top-middle")
    assert stood(4)["top-middle-low"] == ("Low", "top")
    assert "top-middle" not in stood(4)
    held = [Membership.objects.as_of(day(number)).filter(team=middle).count() for number in (0, 1, 3, 4)]
    assert held == [0, 1, 1, 0]


def test_managers_are_known_for_each_day(on: Any, make_person: Callable[..., Any]) -> None:
    ana, ben, cleo = (make_person(name) for name in ("ana", "ben", "cleo"))
    with on(1):
        assert actions.appoint(person=ana, manager=ben)
    with on(3):
        import_people(b"username,name,manager\nana,Ana,cleo\n")
    with on(5):
        ana.refresh_from_db()
        assert actions.appoint(person=ana, manager=None)
        assert not actions.appoint(person=ana, manager=None)
    told = [managers_as_of(Person.objects.filter(pk=ana.pk), day(number)).get().manager_then for number in (1, 2, 4, 6)]
    assert told == [None, ben.pk, cleo.pk, None]
    assert Reporting.objects.count() == 3
    assert managers_as_of(Person.objects.filter(pk=ben.pk), day(2)).get().manager_then is None


def test_nobody_stands_above_themselves(make_person: Callable[..., Any]) -> None:
    people = [make_person(name) for name in ("a", "b", "c")]
    teams = [actions.create_team(name=name) for name in ("A", "B", "C")]
    for below, above in ((0, 1), (1, 2)):
        actions.appoint(person=people[below], manager=people[above])
        actions.place_team(team=teams[below], parent=teams[above])
    for top in (0, 1, 2):
        with pytest.raises(ValidationError, match="would report to themselves"):
            actions.appoint(person=Person.objects.get(username="c"), manager=people[top])
        with pytest.raises(ValidationError, match="would stand beneath itself"):
            actions.place_team(team=Team.objects.get(name="C"), parent=teams[top])
    assert Person.objects.get(username="c").manager is None
    assert Team.objects.get(name="C").parent is None


def test_a_circle_that_stands_already_ends_the_walk(make_person: Callable[..., Any]) -> None:
    a, b, c = (make_person(name) for name in "abc")
    Person.objects.filter(pk=a.pk).update(manager=b)
    Person.objects.filter(pk=b.pk).update(manager=a)
    assert actions.appoint(person=c, manager=a)
    assert actions.appoint(person=Person.objects.get(pk=a.pk), manager=None), "so a circle can be opened"


def test_the_operators_pages_keep_history_and_refuse_circles(make_person: Callable[..., Any], client: Client) -> None:
    client.force_login(make_person("operator", is_staff=True, is_superuser=True))
    ana, ben = make_person("ana", name="Ana"), make_person("ben", name="Ben")
    top = actions.create_team(name="Top")
    low = actions.create_team(name="Low", parent=top)

    def save(kind: str, row: Any, **fields: Any) -> str:
        where = reverse(f"admin:experts_{kind}_change", args=[row.pk])
        form = client.get(where).context["adminform"].form
        data = {name: value for name, value in form.initial.items() if value not in (None, False, [])}
        return client.post(where, data | fields, follow=True).content.decode()

    save("person", ana, manager=ben.pk, role="Fitter")
    ana.refresh_from_db()
    assert (ana.manager, ana.role) == (ben, "Fitter")
    assert Reporting.objects.get().manager is None
    assert "would report to themselves" in save("person", ben, manager=ana.pk)
    assert "would stand beneath itself" in save("team", top, parent=low.pk)
    save("team", low, name="Lower", parent="")
    low.refresh_from_db()
    assert (low.name, low.parent) == ("Lower", None)
    assert Placement.objects.get().name == "Low"
    top.refresh_from_db()
    assert top.parent is None
