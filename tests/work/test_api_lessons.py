"""Lessons and experiments over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from experts.models import Membership, Team
from immersive.work.lessons.rows import Experiment, Lesson
from knowledge.models import Resource
from tests.work.conftest import People, client_of

pytestmark = pytest.mark.django_db
API = "/api/v1"
JSON = "application/json"
NEVER = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"
SAID = {"expected": "That the zero holds.", "happened": "It drifted.", "know_now": "Let it cool first."}


@pytest.fixture
def team(people: People) -> Team:
    """A team of the owner and their peer."""
    made: Team = Team.objects.create(name="Night shift", slug="night")
    for person in (people.owner, people.peer):
        Membership.objects.create(person=person, team=made)
    return made


def test_a_lesson_is_drafted_told_to_a_team_and_taken_back(
    people: People, team: Team, make_resource: Callable[..., Resource]
) -> None:
    me, begin = client_of(people.owner), make_resource("Begin", topics=("Drift",))
    others = [client_of(person) for person in people.others.values()]
    about = {"resources": [str(begin.public_id)], "topics": ["drift"]}
    made = me.post(f"{API}/lessons", {**SAID, **about, "to": "draft"}, JSON)
    assert made.status_code == 201
    lesson = made.json()
    assert (lesson["reach"], lesson["mine"], lesson["topics"]) == ("draft", True, ["Drift"])
    assert lesson["resources"] == [{"id": str(begin.public_id), "title": "Begin"}]
    one = f"{API}/lessons/{lesson['id']}"
    assert [client.get(one).status_code for client in others] == [404] * 4

    telling = {**SAID, **about, "to": "team", "team": str(team.public_id)}
    unsaid = me.put(one, telling, JSON)
    assert (unsaid.status_code, list(unsaid.json())) == (422, ["anonymous"]), "no name is told by mistake"
    assert me.put(one, {**telling, "anonymous": False}, JSON).json()["team"]["name"] == "Night shift"
    assert [client.get(one).status_code for client in others] == [200, 404, 404, 404]
    seen = others[0].get(one).json()
    assert (seen["author"], seen["mine"], seen["know_now"]) == ("Olu Ade", False, SAID["know_now"])
    for asked, count in (({}, 1), ({"resource": begin.public_id}, 1), ({"resource": NEVER}, 0), ({"topic": "Drift"}, 1),
                         ({"topic": "Zero"}, 0), ({"mine": True}, 0)):  # fmt: skip
        assert others[0].get(f"{API}/lessons", asked).json()["count"] == count, asked
    assert others[3].get(f"{API}/lessons").json()["count"] == 0, "a superuser is in no team by that"
    for verb, where in (("put", one), ("delete", one), ("post", f"{one}/withdraw")):
        said = {**telling, "anonymous": False}
        assert {getattr(client, verb)(where, said, JSON).status_code for client in others} == {404}, verb

    kept = me.put(one, {**SAID, "to": "draft"}, JSON)
    assert kept.status_code == 422
    assert kept.json() == {"to": ["Others read it now. Publish the change, or take it back first."]}
    assert me.post(f"{one}/withdraw").json()["reach"] == "draft"
    assert others[0].get(one).status_code == 404
    assert me.delete(one).status_code == 204
    assert not Lesson.objects.exists()


def test_a_name_is_pointed_out_and_stops_it(people: People) -> None:
    me = client_of(people.owner)
    said = {**SAID, "happened": "Pia Roth forgot the zero."}
    [found] = me.post(f"{API}/lessons/names", said, JSON).json()
    assert (found["part"], found["text"], found["start"]) == ("happened", "Pia Roth", 0)
    refused = me.post(f"{API}/lessons", {**said, "to": "company", "anonymous": False}, JSON)
    assert (refused.status_code, list(refused.json())) == (422, ["happened"])
    assert refused.json()["happened"][0].startswith("“Pia Roth” names somebody. Write “")
    assert not Lesson.objects.exists()
    assert me.post(f"{API}/lessons", {**said, "to": "me"}, JSON).status_code == 201, "for oneself one may"
    plain = {**said, "to": "company", "anonymous": False, "plain": ["Pia Roth"]}
    assert me.post(f"{API}/lessons", plain, JSON).json()["reach"] == "company"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "to"),
        ({"to": "draft"}, "happened"),
        ({**SAID, "to": "company", "anonymous": False, "happened": ""}, "happened"),
        ({**SAID, "to": "draft", "changes": "x" * 2001}, "changes"),
        ({**SAID, "to": "draft", "resources": [NEVER]}, "resources"),
        ({**SAID, "to": "draft", "topics": ["Nothing"]}, "topics"),
        ({**SAID, "to": "draft", "task": NEVER}, "task"),
        ({**SAID, "to": "team", "team": NEVER, "anonymous": False}, "to"),
    ],
)
def test_what_does_not_fit_is_said_by_its_field(people: People, said: dict[str, Any], field: str) -> None:
    answer = client_of(people.owner).post(f"{API}/lessons", said, JSON)
    assert (answer.status_code, list(answer.json())) == (422, [field])
    assert not Lesson.objects.exists()


def test_lessons_that_one_may_not_read_tell_nothing_of_a_resource(
    people: People, make_resource: Callable[..., Resource]
) -> None:
    hidden = make_resource("Hidden", tokens=(f"person:{people.owner.pk}",))
    told = {**SAID, "resources": [str(hidden.public_id)], "to": "company", "anonymous": True}
    me, peer = client_of(people.owner), client_of(people.peer)
    lesson = me.post(f"{API}/lessons", told, JSON).json()
    assert peer.get(f"{API}/lessons/{lesson['id']}").json()["resources"] == []
    assert peer.get(f"{API}/lessons/{lesson['id']}").json()["author"] == "Without a name"
    asked = [peer.get(f"{API}/lessons", {"resource": one}).json() for one in (hidden.public_id, NEVER)]
    assert asked[0] == asked[1]


def test_an_experiment_is_begun_concluded_and_taken_back(people: People, team: Team) -> None:
    me, peer = client_of(people.owner), client_of(people.peer)
    tried = {"hypothesis": "If it cools first, the zero holds.", "counts": "Ten meters.", "by": "2027-01-31"}
    missing = me.post(f"{API}/experiments", {"hypothesis": "If", "to": "me"}, JSON)
    assert (missing.status_code, list(missing.json())) == (422, ["counts"])
    told = {"to": "team", "team": str(team.public_id), "anonymous": False}
    begun = me.post(f"{API}/experiments", {**tried, **told}, JSON).json()
    one = f"{API}/experiments/{begun['id']}"
    assert {name: peer.get(one).json()[name] for name in tried} == tried
    assert peer.put(f"{one}/result", {"result": "held"}, JSON).status_code == 404
    assert client_of(people.superuser).get(one).status_code == 404
    named = me.put(f"{one}/result", {"result": "failed", "found": "Pia Roth opened the door."}, JSON)
    assert (named.status_code, list(named.json())) == (422, ["found"])
    assert me.put(f"{one}/result", {"result": "failed", "found": "It drifts."}, JSON).json()["result"] == "failed"
    counts = [peer.get(f"{API}/experiments", {"state": state}).json()["count"] for state in ("running", "done")]
    assert counts == [0, 1]
    assert me.put(one, {**tried, **told, "counts": "Five."}, JSON).status_code == 422, "what was supposed stays"
    assert me.delete(f"{API}/lessons/{begun['id']}").status_code == 404, "it is no lesson"
    me.post(f"{one}/withdraw")
    assert [peer.get(one).status_code, me.delete(one).status_code] == [404, 204]
    assert not Experiment.objects.exists()


def test_the_lists_ask_as_often_for_many_as_for_one(people: People, django_assert_num_queries: Any) -> None:
    me = client_of(people.owner)
    for number in range(5):
        Lesson.objects.create(author=people.owner, happened=f"It drifted {number} times")
    with django_assert_num_queries(6):
        assert len(me.get(f"{API}/lessons", {"mine": True}).json()["results"]) == 5
