"""Tasks over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from immersive.work import actions
from immersive.work.models import Assessment, Task
from knowledge.models import Resource
from tests.work.conftest import STATEMENT, People

pytestmark = pytest.mark.django_db
TASKS = "/api/v1/tasks"
JSON = "application/json"


@pytest.fixture
def me(client: Client, people: People) -> Client:
    client.force_login(people.owner)
    return client


def test_whole_story(me: Client) -> None:
    started = me.post(TASKS, {"statement": STATEMENT, "due": "2027-03-31"}, JSON)
    assert started.status_code == 201
    task = started.json()
    assert (task["statement"], task["due"], task["assessment"], task["outcome"]) == (
        STATEMENT,
        "2027-03-31",
        None,
        None,
    )
    assert task["next"] == "Say how sure you are"
    one = f"{TASKS}/{task['id']}"

    assert me.put(f"{one}/outcome", '{"result": "\\ud800"}', JSON).status_code == 400, "half a character"
    early = me.put(f"{one}/outcome", {"result": "worked"}, JSON)
    assert early.status_code == 409

    said = me.put(f"{one}/assessment", {"confidence": 30}, JSON)
    assert said.status_code == 201
    assert said.json()["assessment"]["words"] == "could follow someone"
    for again in (30, 90):
        late = me.put(f"{one}/assessment", {"confidence": again}, JSON)
        assert late.status_code == 409
        assert late.json() == {"detail": "It was said already and stays as it was said."}
    assert Assessment.objects.get().confidence == 30

    went = me.put(f"{one}/outcome", {"result": "partly", "minutes": 20, "route": "tool"}, JSON)
    assert went.status_code == 200
    assert {**went.json()["outcome"], "logged_at": ""} == {
        "result": "partly", "with_help": False, "minutes": 20, "surprise": "", "route": "tool", "logged_at": "",
    }  # fmt: skip
    corrected = me.put(f"{one}/outcome", {"result": "worked"}, JSON)
    assert corrected.json()["outcome"]["result"] == "worked"
    assert me.get(one).json() == corrected.json()

    assert me.delete(one).status_code == 204
    assert me.get(one).status_code == 404


def test_the_card_and_a_route_that_is_chosen(me: Client, people: People) -> None:
    task = me.post(TASKS, {"statement": STATEMENT}, JSON).json()
    one = f"{TASKS}/{task['id']}"
    assert [me.get(f"{one}/card").status_code, me.post(f"{one}/plan", {"route": "do"}, JSON).status_code] == [409, 409]
    assert me.put(f"{one}/assessment", {"confidence": 70, "known": {"Nothing": "know"}}, JSON).status_code == 422
    assert me.put(f"{one}/assessment", {"confidence": 70, "difficulty": "hard"}, JSON).json()["difficulty"] == "hard"
    card = me.get(f"{one}/card", {"lean": 4}).json()
    [alone] = card["routes"]
    assert (card["lean"], alone["route"], alone["outcomes"]) == (4, "do", 0)
    assert alone["chance"][0] == pytest.approx(0.7)
    assert alone["chance"][1] < 0.7 < alone["chance"][2]
    assert alone["done_by"][1] < alone["done_by"][0] < alone["done_by"][2]
    assert alone["weighed"][0]["basis"].startswith("no data yet, our starting guess")
    assert (alone["step"], alone["lessons"], card["said"][:29]) == ("", [], "Nothing is found that could h")
    assert me.get(f"{one}/card", {"lean": 9}).status_code == 422
    assert [me.get(f"{one}/card").json()["lean"], me.put(f"{one}/card", {"lean": 4}, JSON).json()["lean"]] == [2, 4]
    assert me.get(f"{one}/card").json()["lean"] == 4
    assert me.put(f"{one}/card", {"again": True}, JSON).json()["made_at"] > card["made_at"]

    chosen = me.post(f"{one}/plan", {"route": "do"}, JSON)
    assert chosen.status_code == 201
    [step] = chosen.json()
    assert me.get(f"{one}/card").json()["routes"][0]["step"] == step["id"]
    assert me.get(f"{one}/plan").json() == [step] == [{**step, "route": "do", "key": "", "title": "", "done": False}]
    done = me.patch(f"{one}/plan/{step['id']}", {"done": True, "move": "up"}, JSON)
    assert done.json() == [{**step, "done": True}]
    assert me.patch(f"{one}/plan/nothing", {"done": True}, JSON).status_code == 404
    gone = me.post(f"{one}/plan", {"route": "tool", "key": task["id"]}, JSON)
    assert (gone.status_code, list(gone.json())) == (422, ["key"])
    assert me.delete(f"{one}/plan/{step['id']}").status_code == 204
    assert me.get(f"{one}/plan").json() == []
    me.force_login(people.superuser)
    assert [me.get(f"{one}/card").status_code, me.get(f"{one}/plan").status_code] == [404, 404]


def test_begins_with_what_was_selected_and_says_what_it_is_about(
    me: Client, make_resource: Callable[..., Resource]
) -> None:
    make_resource("Begin", topics=("Drift", "Pumps"))
    began = {"context": "The pump drifts", "page": "https://wiki.example.org/drift?id=7"}
    task = me.post(TASKS, {"statement": STATEMENT, **began}, JSON).json()
    assert {name: task[name] for name in began} == began
    one = f"{TASKS}/{task['id']}/topics"
    assert me.put(one, {"topics": ["drift", "Pumps"]}, JSON).json()["topics"] == ["Drift", "Pumps"]
    unknown = me.put(one, {"topics": ["Drift", "Nothing"]}, JSON)
    assert unknown.status_code == 422
    assert unknown.json()["topics"][0].startswith("“Nothing”: No page that you may read has a topic of that name")
    assert me.get(f"{TASKS}/{task['id']}").json()["topics"] == ["Drift", "Pumps"], "nothing of it was changed"
    assert me.put(one, {"topics": ["Pumps"]}, JSON).json()["topics"] == ["Pumps"]
    me.put(f"{TASKS}/{task['id']}/assessment", {"confidence": 30, "known": {"Pumps": "partly"}}, JSON)
    assert me.put(one, {"topics": ["Drift"]}, JSON).status_code == 409
    other = me.patch(one.removesuffix("/topics"), {"due": "2027-03-31"}, JSON).json()
    assert (other["due"], other["statement"], other["context"]) == ("2027-03-31", STATEMENT, began["context"])
    empty = me.patch(one.removesuffix("/topics"), {"statement": " "}, JSON)
    assert (empty.status_code, list(empty.json())) == (422, ["statement"])


def test_list_has_pages(me: Client, people: People) -> None:
    for number in range(5):
        actions.start_task(owner=people.owner, statement=f"Task {number}")
    first = me.get(TASKS, {"per_page": 2}).json()
    assert (first["count"], [task["statement"] for task in first["results"]]) == (5, ["Task 4", "Task 3"])
    last = me.get(TASKS, {"per_page": 2, "page": 3}).json()
    assert ([task["statement"] for task in last["results"]], last["next"]) == (["Task 0"], None)


def test_list_costs_the_same_however_long(
    me: Client, people: People, make_resource: Callable[..., Resource], django_assert_num_queries: Callable[..., object]
) -> None:
    begin = make_resource("Begin", topics=("Drift",))
    for number in range(8):
        actions.start_task(owner=people.owner, statement=f"Task {number}", started_from=begin)
    with django_assert_num_queries(6):  # type: ignore[attr-defined]
        assert len(me.get(TASKS).json()["results"]) == 8


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", {}),
        ("", {"statement": " "}),
        ("", {"statement": "x" * 301}),
        ("", {"statement": "a\x00b"}),
        ("", {"statement": "Fine", "due": "soon"}),
        ("", {"statement": "Fine", "page": "javascript:alert(1)"}),
        ("", {"statement": "Fine", "context": "x" * 2001}),
        ("", {"statement": "Fine", "started_from": "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"}),
        ("/assessment", {}),
        ("/assessment", {"confidence": 60}),
        ("/assessment", {"confidence": None}),
        ("/outcome", {"result": "great"}),
        ("/outcome", {"result": "worked", "minutes": -1}),
    ],
)
def test_bad_input_is_refused_with_a_reason(me: Client, task: Task, path: str, said: dict[str, object]) -> None:
    answer = me.put(f"{TASKS}/{task.public_id}{path}", said, JSON) if path else me.post(TASKS, said, JSON)
    assert answer.status_code == 422
    assert answer.json()
    assert Task.objects.count() == 1


def test_hidden_resource_is_as_none(me: Client, people: People, make_resource: Callable[..., Resource]) -> None:
    hidden = make_resource("Hidden page", tokens=(f"person:{people.peer.pk}",))
    never = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"
    answers = [
        me.post(TASKS, {"statement": "Look", "started_from": str(public_id)}, JSON)
        for public_id in (hidden.public_id, never)
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].content == answers[1].content


def test_shows_the_beginning_only_while_it_may_be_read(
    me: Client, people: People, make_resource: Callable[..., Resource]
) -> None:
    begin = make_resource("Begin")
    task = actions.start_task(owner=people.owner, statement="Look", started_from=begin)
    one = f"{TASKS}/{task.public_id}"
    assert me.get(one).json()["started_from"] == str(begin.public_id)
    begin.source.active = False
    begin.source.save()
    assert me.get(one).json()["started_from"] is None
