"""Wishes and offers: who is brought together, who is not, and in which turn."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from experts.mentoring import matching, my_mentoring
from experts.mentoring import mentorships as mentoring
from experts.mentoring.matching import match
from experts.models import Availability, Mentorship, Notice, Person, Team, Wish
from experts.teams.line_ups import known
from knowledge.access import Viewer
from knowledge.models import Audience, Source
from tests import small_company
from tests.experts import mentored
from tests.experts.conftest import page
from tests.experts.mentored import PAGE, look, signed_in, together

people = mentored.people


def paired() -> set[tuple[str, str]]:
    return set(Mentorship.objects.values_list("mentee__username", "mentor__username"))


def test_looking_again_brings_nobody_together_twice(people: dict[str, Person]) -> None:
    mentoring.offer(person=people["ana"], topic="Pumps", places=2)
    mentoring.wish(person=people["ben"], topic="pumps")
    assert look() == 1
    assert look() == 0
    assert paired() == {("ben", "ana")}
    assert set(Notice.objects.values_list("person__username", "kind")) == {
        ("ana", "mentor-proposed"), ("ben", "mentor-proposed")}  # fmt: skip


def test_whoever_waits_longest_goes_first_and_those_of_another_team_before_one_s_own(
    people: dict[str, Person],
) -> None:
    team = Team.objects.create(name="Pumps", slug="pumps")
    for key in ("ana", "ben"):
        team.memberships.create(person=people[key])
    mentoring.offer(person=people["ana"], topic="Pumps")
    for days, key in ((9, "ben"), (5, "cleo"), (7, "dag")):
        mentoring.wish(person=people[key], topic="Pumps")
        Wish.objects.filter(person=people[key]).update(at=timezone.now() - timedelta(days=days))
    look()
    assert paired() == {("dag", "ana")}, "ben waits longest and is of the mentor's own team"


def test_mentees_get_whoever_shows_more_evidence_that_they_may_read(
    people: dict[str, Person], hold: Callable[..., Any]
) -> None:
    hold("handbook", [page(f"p{n}", "Ben Okafor", topics=("Pumps",)) for n in range(4)])
    secret = Team.objects.create(name="Board", slug="board")
    hold("board", [page(f"s{n}", "Ana Lima", topics=("Pumps",)) for n in range(20)], audience=[f"team:{secret.pk}"])
    small_company.index()
    for key in ("ana", "ben"):
        mentoring.offer(person=people[key], topic="Pumps")
    mentoring.wish(person=people["cleo"], topic="Pumps")
    look()
    assert paired() == {("cleo", "ben")}


def test_who_may_not_be_paired_is_not(people: dict[str, Person]) -> None:
    Person.objects.filter(pk=people["ben"].pk).update(manager=people["ana"])
    Availability.objects.create(person=people["cleo"], hidden=True)
    for key in ("ana", "cleo"):
        mentoring.offer(person=people[key], topic="Pumps")
    for key in ("ana", "ben"):
        mentoring.wish(person=people[key], topic="Pumps")
    assert look() == 0, "not with oneself, not with one's manager, not with somebody who is hidden"
    Person.objects.filter(pk=people["dag"].pk).update(is_active=False)
    mentoring.offer(person=people["dag"], topic="Pumps")
    assert look() == 0


@pytest.mark.parametrize("blind", ["ana", "ben"])
def test_nobody_is_given_somebody_whom_they_may_not_see(
    people: dict[str, Person], read_people: Callable[..., Any], blind: str
) -> None:
    team = Team.objects.create(name="Everybody else", slug="else")
    for key in set(people) - {blind}:
        team.memberships.create(person=people[key])
    read_people()
    Source.objects.filter(kind="people").update(audience=Audience.objects.of([f"team:{team.pk}"]))
    mentoring.offer(person=people["ana"], topic="Pumps")
    mentoring.wish(person=people["ben"], topic="Pumps")
    assert look() == 0
    team.memberships.create(person=people[blind])
    assert look() == 1


def test_everybody_s_places_are_taken(people: dict[str, Person]) -> None:
    together(people["ana"], people["ben"])
    mentoring.wish(person=people["cleo"], topic="Pumps")
    assert look() == 0
    mentoring.offer(person=people["ana"], topic="Pumps", places=2)
    assert look() == 1


def test_a_proposal_that_one_does_not_confirm_lapses_silently_and_the_wish_stands(people: dict[str, Person]) -> None:
    mentoring.offer(person=people["ana"], topic="Pumps")
    mentoring.wish(person=people["ben"], topic="Pumps")
    look()
    row = Mentorship.objects.get()
    mentoring.confirm(mentorship=row, person=people["ben"], yes=True)
    Notice.objects.all().delete()
    Mentorship.objects.update(proposed_at=timezone.now() - timedelta(days=14, minutes=1))
    assert not my_mentoring.mine(Viewer.of(people["ben"])).proposed
    with pytest.raises(ValidationError):
        mentoring.confirm(mentorship=row, person=people["ana"], yes=True)
    mentoring.offer(person=people["cleo"], topic="Pumps")
    assert look() == 1
    assert paired() == {("ben", "ana"), ("ben", "cleo")}
    assert not Notice.objects.filter(subject=row.public_id).exists()


@pytest.mark.parametrize("said_no", [None, "ana", "ben"])
def test_only_a_no_parts_two_for_good(people: dict[str, Person], said_no: str | None) -> None:
    mentoring.offer(person=people["ana"], topic="Pumps")
    mentoring.wish(person=people["ben"], topic="Pumps")
    look()
    if said_no:
        mentoring.confirm(mentorship=Mentorship.objects.get(), person=people[said_no], yes=False)
    for days, again in ((15, 0), (89, 0), (90, 0 if said_no else 1)):
        Mentorship.objects.update(proposed_at=timezone.now() - timedelta(days=days, minutes=1))
        assert look() == again, days


def test_a_mentorship_that_was_begun_is_not_proposed_again(people: dict[str, Person]) -> None:
    mentoring.leave(mentorship=together(people["ana"], people["ben"]), person=people["ben"])
    Mentorship.objects.update(proposed_at=timezone.now() - timedelta(days=900))
    mentoring.wish(person=people["ben"], topic="Pumps")
    assert look() == 0


def test_every_topic_has_its_turn_in_runs_that_are_cut_short(people: dict[str, Person]) -> None:
    now = timezone.now()
    for topic in ("Pumps", "Seals", "Valves"):
        mentoring.offer(person=people["ana"], topic=topic)
        mentoring.wish(person=people["ben"], topic=topic)
    assert [match(seconds=0) for _ in range(4)] == [1, 1, 1, 0]
    mentoring.wish(person=people["cleo"], topic="Seals")
    Wish.objects.filter(key="pumps").update(looked_at=now - timedelta(days=3))
    match(seconds=0)
    assert Wish.objects.filter(key="seals", looked_at=None).exists(), "whoever waits longest goes first"
    match(seconds=0)
    assert not Wish.objects.filter(looked_at=None).exists()


def test_of_many_wishes_in_a_topic_each_is_looked_at_though_the_first_find_nobody(
    people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "AT_ONCE", 1)
    mentoring.offer(person=people["ana"], topic="Pumps")
    Person.objects.filter(pk=people["ben"].pk).update(manager=people["ana"])
    for key in ("ben", "cleo"):
        mentoring.wish(person=people[key], topic="Pumps")
    assert [match(), match(), match()] == [0, 1, 0]
    assert paired() == {("cleo", "ana")}


def test_a_topic_that_fails_holds_up_no_other(people: dict[str, Person], monkeypatch: pytest.MonkeyPatch) -> None:
    for topic in ("Pumps", "Seals"):
        mentoring.offer(person=people["ana"], topic=topic)
        mentoring.wish(person=people["ben"], topic=topic)

    def unless_pumps(names: Any, *more: Any) -> Any:
        if names == ["Pumps"]:
            raise OSError("the index is being moved")
        return known(names, *more)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(matching, "known", unless_pumps)
        assert match() == 1
    assert match(timezone.now() + matching.EVERY) == 1, "it has its turn again the next day"


@pytest.mark.parametrize(("who", "other"), [("ana", "ben"), ("ben", "ana")])
def test_a_no_reads_as_an_answer_that_has_not_come(people: dict[str, Person], who: str, other: str) -> None:
    mentoring.offer(person=people["ana"], topic="Pumps")
    mentoring.wish(person=people["ben"], topic="Pumps")
    look()
    row, reader = Mentorship.objects.get(), signed_in(people[other])
    mentoring.confirm(mentorship=row, person=people[other], yes=True)
    tokens = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')
    before = tokens.sub(b"", reader.get(PAGE).content)
    mentoring.confirm(mentorship=row, person=people[who], yes=False)
    look()
    assert tokens.sub(b"", reader.get(PAGE).content) == before
    assert b"has not answered yet" in before
    assert not my_mentoring.mine(Viewer.of(people[who])).proposed


def test_nobody_reads_a_wish_but_whoever_is_found(people: dict[str, Person]) -> None:
    mentoring.wish(person=people["ben"], topic="Hydraulics", note="for the new rig")
    mentoring.offer(person=people["ana"], topic="Hydraulics")
    for key in ("ana", "cleo"):
        client = signed_in(people[key])
        for address in (PAGE, people["ben"].get_absolute_url(), "/people/", "/"):
            assert b"new rig" not in client.get(address).content
    look()
    assert b"for the new rig" in signed_in(people["ana"]).get(PAGE).content
    assert b"new rig" not in signed_in(people["cleo"]).get(PAGE).content
    assert b"Ben Okafor" not in signed_in(people["cleo"]).get(PAGE).content
