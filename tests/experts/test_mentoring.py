"""Mentoring: what the two do, and what their pages show to them and to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from experts.actions import deactivate, remove_name
from experts.mentoring import mentorships as mentoring
from experts.mentoring import my_mentoring
from experts.models import Availability, Mentorship, Offer, Person, Wish
from experts.notices import _tellers
from knowledge.access import Viewer
from tests import small_company
from tests.experts import mentored
from tests.experts.conftest import page
from tests.experts.mentored import PAGE, look, signed_in, together

people = mentored.people


def test_a_mentorship_from_wish_to_looking_back(people: dict[str, Person]) -> None:
    ana, ben = signed_in(people["ana"]), signed_in(people["ben"])
    ana.post(PAGE, {"act": "offer", "topic": "Pumps", "places": "1"})
    ben.post(PAGE, {"act": "wish", "topic": "Pumps"})
    look()
    which = str(Mentorship.objects.get().public_id)
    assert "Somebody was found" in ben.get(PAGE).content.decode()
    ana.post(PAGE, {"act": "yes", "which": which})
    ben.post(PAGE, {"act": "yes", "which": which})
    assert not Wish.objects.exists(), "a wish that came true is over"
    soon = timezone.localtime() + timedelta(days=3)
    answer = ben.post(
        PAGE, {"act": "meet", "which": which, "at": f"{soon:%Y-%m-%dT%H:%M}", "minutes": "45"}, follow=True
    )
    assert "Put it into my calendar" in answer.content.decode()
    ana.post(PAGE, {"act": "leave", "which": which})
    told = _tellers["mentor-ended"](Viewer.of(people["ben"]), [Mentorship.objects.get().public_id])
    assert [said.text for said in told.values()] == ["Your mentorship with Ana Lima in Pumps has ended"]
    ben.post(PAGE, {"act": "look-back", "which": which, "said": "I can prime a pump.\nNext: seals."})
    assert "I can prime a pump. Next: seals." in ana.get(PAGE).content.decode()
    assert {field.name for field in Mentorship._meta.get_fields()}.isdisjoint({"reason", "why", "left_by"})


def test_a_stranger_can_do_nothing_with_it(people: dict[str, Person]) -> None:
    row = together(people["ana"], people["ben"])
    at = timezone.now() + timedelta(days=1)
    mentoring.meet(mentorship=row, person=people["ana"], at=at)
    client = signed_in(people["cleo"])
    for act in ("yes", "no", "meet", "leave", "look-back"):
        assert client.post(PAGE, {"act": act, "which": str(row.public_id)}).status_code == 404
    assert client.get(reverse("experts:mentoring-invitation", args=[row.public_id])).status_code == 404
    for verb in (mentoring.leave, mentoring.confirm, mentoring.meet, mentoring.look_back):
        more: Any = {mentoring.confirm: {"yes": True}, mentoring.meet: {"at": at}, mentoring.look_back: {"said": ""}}
        with pytest.raises(Http404):
            verb(mentorship=row, person=people["cleo"], **more.get(verb, {}))  # type: ignore[operator]
    assert client.post(PAGE, {"act": "nonsense", "which": str(row.public_id)}).status_code == 404
    assert signed_in(people["ana"]).post(PAGE, {"act": "nonsense", "which": str(row.public_id)}).status_code == 404


def test_the_page_asks_the_database_as_often_with_many_as_with_few(
    people: dict[str, Person], make_person: Callable[..., Any]
) -> None:
    client = signed_in(people["ana"])

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(PAGE).status_code == 200
        return len(asked)

    together(people["ana"], people["ben"])
    few = queries()
    mentoring.offer(person=people["ana"], topic="Pumps", places=8)
    for n in range(5):
        mentoring.wish(person=make_person(f"more{n}", name=f"More {n}"), topic="Pumps", note="please")
    look()
    assert queries() == few
    assert few <= 11


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"act": "wish", "topic": ""}, "Name the topic"),
        ({"act": "wish", "topic": "?!"}, "Name a topic."),
        ({"act": "wish", "topic": "x" * 81}, "at most 80"),
        ({"act": "wish", "topic": "Pumps", "note": "kept " * 100}, "at most 300"),
        ({"act": "offer", "topic": "Pumps", "places": "99"}, "Write a number from 1 to 8."),
        ({"act": "offer", "topic": "Pumps", "places": "many"}, "Write a number"),
    ],
)
def test_what_cannot_be_is_said_with_its_cure_and_kept(
    people: dict[str, Person], said: dict[str, str], words: str
) -> None:
    answer = signed_in(people["ana"]).post(PAGE, said)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert words in html
    assert all(value.strip() in html for value in said.values())


def test_a_wish_says_honestly_what_may_be_hoped_for_and_shows_its_note_to_its_owner_alone(
    people: dict[str, Person], hold: Callable[..., Any]
) -> None:
    hold("handbook", [page(f"p{n}", "Ana Lima", topics=("Pumps",)) for n in range(2)])
    small_company.index()
    ben, cleo = signed_in(people["ben"]), signed_in(people["cleo"])

    def wished(topic: str) -> str:
        said = {"act": "wish", "topic": topic, "note": f"For {topic} at home."}
        return " ".join(unescape(ben.post(PAGE, said, follow=True).content.decode()).split())

    assert "Nobody here is known for “Basket weaving” yet" in wished("Basket weaving")
    html = wished("Pumps")
    assert "Nobody offers to teach it yet: you are told when somebody does. Ana Lima may know about it." in html
    assert "“For Basket weaving at home.”" in html
    assert html.count("nobody offers it yet") == 2
    ben.post(PAGE, {"act": "offer", "topic": "Basket weaving", "places": "1"})
    assert ben.get(PAGE).content.decode().count("nobody offers it yet") == 2, "to teach oneself is no mentorship"
    mentoring.offer(person=people["ana"], topic="Pumps")
    html = wished("Pumps")
    assert "You are told as soon as somebody is found." in html
    assert html.count("nobody offers it yet") == 1
    assert "at home" not in cleo.get(PAGE).content.decode()
    Availability.objects.create(person=people["ana"], hidden=True)
    assert "Nobody here is known for “Pumps” yet" in wished("Pumps"), "who hides is as if they were not"


def test_ten_wishes_are_enough(people: dict[str, Person]) -> None:
    for n in range(mentoring.MOST):
        mentoring.wish(person=people["ana"], topic=f"Topic {n}")
    with pytest.raises(ValidationError, match="take one away first"):
        mentoring.wish(person=people["ana"], topic="One more")
    mentoring.wish(person=people["ana"], topic="topic 3", note="said again")
    mentoring.take_back(person=people["ana"], key="topic-3", offered=False)
    mentoring.wish(person=people["ana"], topic="One more")


def test_a_name_that_is_removed_takes_along_what_its_owner_said(people: dict[str, Person]) -> None:
    row = together(people["ana"], people["ben"])
    mentoring.offer(person=people["ben"], topic="Seals", note="zyxwv offers")
    mentoring.wish(person=people["ben"], topic="Bearings", note="zyxwv wishes")
    mentoring.leave(mentorship=row, person=people["ben"])
    mentoring.look_back(mentorship=row, person=people["ben"], said="zyxwv looks back")
    deactivate(people=[people["ben"]])
    people["ben"].refresh_from_db()
    remove_name(person=people["ben"], reason="asked for it")
    kept = [*Offer.objects.values_list("note"), *Wish.objects.values_list("note")]
    kept += Mentorship.objects.values_list("mentor_said", "mentee_said")
    assert "zyxwv" not in str(kept)


def test_who_hides_stays_known_to_whom_they_work_with_and_is_proposed_to_nobody(people: dict[str, Person]) -> None:
    together(people["ana"], people["ben"])
    mentoring.offer(person=people["ana"], topic="Seals")
    mentoring.wish(person=people["cleo"], topic="Seals")
    assert look() == 1
    Availability.objects.create(person=people["ana"], hidden=True)
    mine = signed_in(people["ben"]).get(PAGE).content.decode()
    assert "Ana Lima" in mine
    assert people["ana"].get_absolute_url() not in mine
    assert "Ana Lima" not in signed_in(people["cleo"]).get(PAGE).content.decode()


def test_what_has_ended_has_pages_and_a_notice_of_any_is_told(
    people: dict[str, Person], make_person: Callable[..., Any]
) -> None:
    then = timezone.now() - timedelta(days=90)
    done = {"key": "pumps", "name": "Pumps", "mentor_yes_at": then, "mentee_yes_at": then, "proposed_at": then}
    for n in range(my_mentoring.ENDED_A_PAGE + 1):
        other = make_person(f"more{n}", name=f"Learner {n:02}")
        ended_at = timezone.now() - timedelta(days=n)
        row = Mentorship.objects.create(mentor=people["ana"], mentee=other, ended_at=ended_at, **done)
    client = signed_in(people["ana"])
    pages = [client.get(PAGE, {"page": number}).content.decode() for number in (1, 2)]
    assert ["Learner 10" in html for html in pages] == [False, True]
    assert all("".join(pages).count(f"you taught Learner {n:02}") == 1 for n in range(11))
    said = {"act": "look-back", "which": str(row.public_id), "said": "x" * 401}
    assert "x" * 401 in client.post(f"{PAGE}?page=2", said).content.decode()
    assert client.post(f"{PAGE}?page=2", said | {"said": "Well."})["Location"] == f"{PAGE}?page=2"
    assert _tellers["mentor-ended"](Viewer.of(people["ana"]), [row.public_id])
