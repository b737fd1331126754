"""A review in two minutes: what was expected stands there, how sure somebody was only if they tell it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from immersive.work import actions, plan, sharing
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.models import Step, Task
from immersive.work.routes import Route
from tests.work.conftest import client_of

pytestmark = pytest.mark.django_db
SURE, DID = "would bet on it", "It worked, to my surprise"


@pytest.fixture
def done(people: Any, make_resource: Any) -> Task:
    page = make_resource("Measuring pressure", topics=("Steam",))
    task = actions.start_task(
        owner=people.owner, statement="Find the steam fault", started_from=page, due=timezone.localdate()
    )
    actions.assess(task=task, owner=people.owner, confidence=90)
    plan.choose(task=task, owner=people.owner, route=Route.DO)
    plan.choose(task=task, owner=people.owner, route=Route.MENTOR, key=str(people.peer.public_id))
    actions.log_outcome(task=task, owner=people.owner, result=0.0, surprise=DID)
    return task


def test_its_owner_finds_expectation_and_timeline_and_makes_a_draft_of_it(people: Any, done: Task) -> None:
    client, at = client_of(people.owner), f"/lessons/review?task={done.public_id}"
    page = client.get(at).content.decode()
    for known in (
        "We wanted: Find the steam fault.",
        "The plan: do it yourself; work with a mentor.",
        "It was due on",
        "Said how it went",
    ):
        assert known in page
    assert SURE not in page
    assert DID not in page
    told = client.post("/lessons/review", {"task": done.public_id, "expected": "Fast.", "happened": "Slow", "tell": 1})
    assert f"Fast. Said before: “{SURE}”." in told.content.decode()
    assert ">Slow</textarea>" in told.content.decode().replace("\n", ""), "what was typed stays"
    said = {
        "task": done.public_id,
        "expected": "Fast",
        "happened": "Slow",
        "know_now": "No gauge",
        "changes": "A gauge",
    }
    answer = client.post("/lessons/review", said)
    lesson = Lesson.objects.get()
    assert (lesson.review, lesson.reach, lesson.task, lesson.author) == (True, Reach.DRAFT, done, people.owner)
    assert [one.title for one in lesson.resources.all()] == ["Measuring pressure"]
    assert answer["Location"] == f"/lessons/{lesson.public_id}/edit"
    answer = client.post("/lessons/review", said | {"happened": "x" * 3000})
    assert answer.status_code == 422
    assert "x" * 3000 in answer.content.decode()
    for empty in ({}, {"expected": "We wanted: Find the steam fault.", "know_now": " "}):
        answer = client.post("/lessons/review", {"task": done.public_id} | empty)
        assert answer.status_code == 422
        assert "Write in a few words what happened" in answer.content.decode()
    assert Lesson.objects.count() == 1
    lead = client.get(f"/lessons/{lesson.public_id}/edit").content.decode()
    assert all(f">{said[name]}</textarea>" in lead.replace("\n", "") for name in ("expected", "happened", "changes"))
    assert ("Measuring pressure" in lead, '<details class="fold" open>' in lead) == (True, True)


def test_its_clock_is_the_person_s_own(people: Any, done: Task) -> None:
    people.owner.time_zone = "Pacific/Kiritimati"
    people.owner.save()
    page = client_of(people.owner).get(f"/lessons/review?task={done.public_id}")
    begun = timezone.localtime(done.created_at, ZoneInfo("Pacific/Kiritimati"))
    until = timezone.localtime(page.context["until"], ZoneInfo("Pacific/Kiritimati"))
    assert f"until {until:%H:%M}." in page.content.decode()
    assert f"{begun.day} {begun:%b}, {begun:%H:%M}" in page.content.decode()


def test_no_title_leaves_with_the_words_and_each_reader_sees_what_they_may(
    people: Any, done: Task, make_resource: Any
) -> None:
    for title, more in (("Board paper", {"tokens": (f"person:{people.owner.pk}",)}), ("Gauges for all", {})):
        Step.objects.create(task=done, place=7, route=Route.INFORMAL, resource=make_resource(title, **more))
    client, at = client_of(people.owner), f"/lessons/review?task={done.public_id}"
    page = client.get(at)
    assert "Board paper" in page.content.decode(), "beside the questions, to who may read it"
    filled = page.context["form"].initial["expected"]
    assert "The plan: do it yourself; work with a mentor; learn informally; learn informally." in filled
    for name in ("Board paper", "Gauges for all", "Measuring pressure", "Pia Roth"):
        assert name not in filled
    client.post("/lessons/review", {"task": done.public_id, "expected": filled, "happened": "Slow"})
    lesson = Lesson.objects.get()
    client.post(
        f"/lessons/{lesson.public_id}/edit",
        {"expected": filled, "happened": "Slow", "kind": "complex", "to": "company", "do": "publish",
         "about": [one.public_id for one in lesson.resources.all()]},
    )  # fmt: skip
    read = client_of(people.peer).get(lesson.get_absolute_url()).content.decode()
    assert "learn informally" in read
    assert "Gauges for all" in read
    assert "Board paper" not in read


def test_others_review_what_is_shared_and_no_more(people: Any, done: Task) -> None:
    at = f"/lessons/review?task={done.public_id}"
    codes = {role: client_of(person).get(at).status_code for role, person in people.others.items()}
    assert set(codes.values()) == {404}
    sharing.share(task=done, owner=people.owner, person=people.peer)
    peer, tell = client_of(people.peer), {"task": done.public_id, "tell": "1"}
    page = peer.get(at).content.decode() + peer.post("/lessons/review", tell).content.decode()
    assert "We wanted: Find the steam fault." in page
    for kept in (SURE, DID, "Said how it went", "Begun", "How sure"):
        assert kept not in page
    client_of(people.peer).post("/lessons/review", {"task": done.public_id, "happened": "Slow"})
    assert [(one.author, one.task) for one in Lesson.objects.all()] == [(people.peer, None)]
    for wrong in ("", "?task=1", "?task=00000000-0000-0000-0000-000000000000"):
        assert client_of(people.peer).get(f"/lessons/review{wrong}").status_code == 404
