"""Sharing, questions of one's own, reminders and the mirror over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone
from django.views.debug import ExceptionReporter

from experts.models import Membership, Team
from immersive.work import actions, log, recall, sharing
from immersive.work.models import Recall, Share, Task
from tests.work.conftest import CANARIES, STATEMENT, SURPRISE, People, client_of

pytestmark = pytest.mark.django_db
API = "/api/v1"
JSON = "application/json"
NEVER = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_task_is_shared_with_somebody_and_taken_back(people: People, finished: Task) -> None:
    me, peer = client_of(people.owner), client_of(people.peer)
    one = f"{API}/tasks/{finished.public_id}/shares"
    [found] = me.get(f"{API}/colleagues", {"name": "Pia"}).json()
    assert found["name"] == "Pia Roth"
    made = me.post(one, {"person": found["id"]}, JSON)
    assert (made.status_code, made.json()) == (201, me.get(one).json())
    [share] = made.json()
    assert (share["name"], share["team"]) == ("Pia Roth", False)
    assert me.get(f"{API}/tasks/{finished.public_id}").json()["shared"] is True
    assert share["id"] != str(Share.objects.get().pk), "its number would tell how many others share"

    assert [row["statement"] for row in peer.get(f"{API}/tasks/shared").json()["results"]] == [STATEMENT]
    shared = f"{API}/tasks/shared/{finished.public_id}"
    seen = peer.get(shared).json()
    assert (seen["statement"], seen["owner"], seen["mine"]) == (STATEMENT, "Olu Ade", False)
    said = peer.get(shared).content.decode()
    assert [word for word in (*CANARIES[1:], SURPRISE, "confidence", "minutes") if word in said] == []
    assert peer.get(one).status_code == client_of(people.superuser).get(shared).status_code == 404

    assert peer.delete(f"{one}/{share['id']}").status_code == 404
    assert me.delete(f"{one}/{share['id']}").status_code == 204
    assert [me.delete(f"{one}/{share['id']}").status_code, peer.get(shared).status_code] == [204, 404]
    assert peer.get(f"{API}/tasks/shared").json()["count"] == 0


def test_a_task_is_shared_with_a_team_of_mine_only(people: People, task: Task) -> None:
    me, one = client_of(people.owner), f"{API}/tasks/{task.public_id}/shares"
    teams = [Team.objects.create(name=name, slug=name.lower()) for name in ("Night", "Day")]
    Membership.objects.create(person=people.owner, team=teams[0])
    assert me.get(f"{API}/teams").json() == [{"id": str(teams[0].public_id), "name": "Night"}]
    assert [row["name"] for row in me.post(one, {"team": str(teams[0].public_id)}, JSON).json()] == ["Night"]
    for said, field in (
        ({"team": str(teams[1].public_id)}, "team"),
        ({"team": NEVER}, "team"),
        ({"person": NEVER}, "person"),
        ({"person": str(people.owner.public_id)}, "person"),
        ({}, "person"),
    ):
        answer = me.post(one, said, JSON)
        assert (answer.status_code, list(answer.json())) == (422, [field]), said
    assert Share.objects.count() == 1


def test_a_question_is_kept_asked_and_answered(people: People, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    me, one = client_of(people.owner), f"{API}/tasks/{task.public_id}"
    asked = {"question": "Where was the glossary?", "answer": "In the drawer"}
    assert me.put(f"{one}/recall", asked, JSON).status_code == 409
    me.put(f"{one}/assessment", {"confidence": 30}, JSON)
    me.put(f"{one}/outcome", {"result": "worked"}, JSON)
    assert list(me.put(f"{one}/recall", {**asked, "question": " "}, JSON).json()) == ["question"]
    kept = me.put(f"{one}/recall", asked, JSON).json()
    assert (kept["task"], kept["asked_at"]) == (str(task.public_id), None)
    grade = f"{API}/recall/{kept['id']}/grade"
    assert me.post(grade, {"how": "good"}, JSON).status_code == 409, "it comes tomorrow"

    Recall.objects.update(due_at=MONDAY)
    monkeypatch.setattr(timezone, "now", lambda: MONDAY)
    assert [row["question"] for row in me.get(f"{API}/recall/today").json()] == [asked["question"]]
    assert list(me.post(grade, {"how": "splendid"}, JSON).json()) == ["how"]
    for other in (people.peer, people.manager, people.superuser):
        theirs = client_of(other)
        assert [theirs.post(grade, {"how": "good"}, JSON).status_code, theirs.delete(grade[:-6]).status_code] == [
            404
        ] * 2
        assert theirs.get(f"{API}/recall/today").json() == []
    assert me.post(grade, {"how": "good"}, JSON).json()["due_at"] > "2026-11-24"
    assert me.get(f"{API}/recall/today").json() == []
    assert me.get(f"{API}/recall").json()["count"] == 1
    assert me.delete(grade[:-6]).status_code == 204
    assert me.get(f"{API}/recall").json()["results"] == []


def test_what_one_is_asked_is_switched_off_and_put_off(people: People, task: Task, finished: Task) -> None:
    me, one = client_of(people.owner), f"{API}/tasks/{task.public_id}/reminder"
    assert me.get(f"{API}/reminders").json() == {"outcomes": True, "recall": True}
    half = me.put(f"{API}/reminders", {"outcomes": False}, JSON)
    assert (half.status_code, list(half.json())) == (422, ["recall"])
    assert me.put(f"{API}/reminders", {"outcomes": False, "recall": True}, JSON).json()["outcomes"] is False
    assert client_of(people.peer).get(f"{API}/reminders").json()["outcomes"] is True
    assert me.put(one, {"until": "week"}, JSON).status_code == 409, "it is finished"
    later = f"{API}/tasks/{me.post(f'{API}/tasks', {'statement': 'Look'}, JSON).json()['id']}/reminder"
    assert date.fromisoformat(me.put(later, {"until": "week"}, JSON).json()["ask_on"]) > timezone.now().date()
    assert me.put(later, {"until": "never"}, JSON).json() == {"ask_on": None}
    assert list(me.put(later, {"until": "someday"}, JSON).json()) == ["until"]


def test_the_mirror_is_told_to_its_owner_alone(people: People, finished: Task) -> None:
    recall.keep(task=finished, owner=people.owner, question="Which?", answer="This")
    me = client_of(people.owner)
    mirror, log = me.get(f"{API}/mirror").json(), me.get(f"{API}/mirror/log").json()
    assert (mirror["outcomes"], mirror["words"], mirror["bias"], mirror["curve"]) == (1, [], None, [])
    assert mirror["said"].startswith("One outcome so far")
    assert [row["event"] for row in log["results"]] == ["outcome", "assessed"]
    for other in (people.peer, people.manager, people.superuser):
        theirs = client_of(other)
        assert theirs.get(f"{API}/mirror").json()["outcomes"] == theirs.get(f"{API}/mirror/log").json()["count"] == 0
    assert [me.post(f"{API}/mirror", {}, JSON).status_code, me.put(f"{API}/mirror", {}, JSON).status_code] == [405, 405]


def test_the_lists_ask_as_often_for_many_as_for_one(people: People, django_assert_num_queries: Any) -> None:
    for number in range(3):
        task = actions.start_task(owner=people.owner, statement=f"Prime pump {number}")
        actions.assess(task=task, owner=people.owner, confidence=50)
        actions.log_outcome(task=task, owner=people.owner, result=1.0)
        recall.keep(task=task, owner=people.owner, question="Which valve?", answer="The lower one")
        sharing.share(task=task, owner=people.owner, person=people.peer)
    log.do_due()
    me, peer = client_of(people.owner), client_of(people.peer)
    for client, address, rows, queries in (
        (me, "recall", 3, 5),
        (me, "mirror/log", 6, 6),
        (peer, "tasks/shared", 3, 5),
    ):
        with django_assert_num_queries(queries):
            assert len(client.get(f"{API}/{address}").json()["results"]) == rows, address


def test_no_error_report_repeats_words_of_a_list(
    people: People, finished: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(viewer: Any) -> None:
        words = Task.objects.visible_to(viewer).get().statement
        raise RuntimeError(f"no room for {len(words)}")

    monkeypatch.setattr(recall, "mine", broken)
    client = client_of(people.owner)
    client.raise_request_exception = False
    answer = client.get(f"{API}/recall")
    assert (answer.status_code, "zanzibarite" in answer.content.decode()) == (500, False)
    assert answer.exc_info is not None
    report = ExceptionReporter(answer.wsgi_request, *answer.exc_info, is_email=True).get_traceback_html()
    assert f"no room for {len(STATEMENT)}" in report
    assert "zanzibarite" not in report
