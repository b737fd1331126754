"""What is kept of one person: all of it is theirs to take along, and all of it goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import ForeignKey
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experts.models import Membership, Notice, Team
from immersive.work import actions, belongings, log, recall, reminding, sharing
from immersive.work.lessons.rows import Experiment, Lesson
from immersive.work.lessons.told import signed
from immersive.work.models import Advice, Record, Reminders, Step, Task
from knowledge.access import Viewer
from knowledge.models import Audience, Resource, Verdict
from tests.work.conftest import People

pytestmark = pytest.mark.django_db

WORDS = ("statement-canary", "context-canary", "surprise-canary", "question-canary", "answer-canary", "expected-canary",
         "hypothesis-canary", "not_yet", "informal", "Night shift", "Pia Roth", "kept.example")  # fmt: skip
KEPT = {Record: "sums of five people at least: whose they were is not kept"}


@pytest.fixture
def full(people: People, make_resource: Any) -> Task:
    """A task of the owner with a row of every kind behind it, and a lesson and an experiment of each reach."""
    begin = make_resource("Begin", topics=("Drift",))
    task = actions.start_task(
        owner=people.owner, statement="statement-canary", started_from=begin, due=date(2026, 12, 1),
        context="context-canary", page_url="https://kept.example/",
    )  # fmt: skip
    actions.assess(task=task, owner=people.owner, confidence=50, known={"Drift": "not_yet"}, difficulty="hard")
    card = Advice.objects.create(task=task, seed=1, rests_on={})
    Step.objects.create(task=task, place=0, route="informal", resource=begin, advice=card)
    team = Team.objects.create(name="Night shift", slug="night")
    Membership.objects.create(person=people.owner, team=team)
    sharing.share(task=task, owner=people.owner, team=team)
    sharing.share(task=task, owner=people.owner, person=people.peer)
    actions.log_outcome(task=task, owner=people.owner, result=1.0, route="informal", surprise="surprise-canary")
    recall.keep(task=task, owner=people.owner, question="question-canary", answer="answer-canary")
    reminding.wish(person=people.owner, outcomes=False, recall=True)
    for author in (people.owner, people.peer):
        for reach in ("draft", "me", "company"):
            lesson = Lesson.objects.create(
                author=author, reach=reach, expected="expected-canary", happened="x", task=task
            )
            tried = Experiment.objects.create(
                author=author, reach=reach, hypothesis="hypothesis-canary", by=date(2026, 12, 1)
            )
            lesson.resources.add(begin)
            for one in (lesson, tried):
                one.topics.set(begin.topics.all())
                Notice.objects.create(person=author, kind="told-moderated", subject=one.public_id)
    log.do_due()
    return task


def taken_along(client: Client) -> str:
    """The file that somebody downloads."""
    answer = client.get("/tasks/download")
    assert answer["Content-Disposition"].startswith("attachment")
    return b"".join(answer).decode()


def pointing() -> dict[Any, set[str]]:
    """Of each model of this room, by which paths its rows lead to a person, straight or by way of other rows of it."""
    room, person = set(apps.get_app_config("work").get_models(include_auto_created=True)), get_user_model()
    paths: dict[Any, set[str]] = {model: set() for model in room}

    def walk(model: Any, way: tuple[str, ...], passed: tuple[Any, ...]) -> Iterator[str]:
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey):
                continue
            if field.related_model is person:
                yield "__".join((*way, field.name))
            elif field.related_model in room and field.related_model not in passed:
                yield from walk(field.related_model, (*way, field.name), (*passed, field.related_model))

    for model in room:
        paths[model] = set(walk(model, (), (model,)))
    return paths


WITH = {"person"}
"""By which a row names somebody else: with whom a task is shared, whom a step is with."""


def rows_of(person: Any) -> dict[str, int]:
    """How many rows of each model of this room lead to a person as theirs, by each path."""
    found = {}
    for model, paths in pointing().items():
        for path in paths:
            if model is Reminders or path.rpartition("__")[2] not in WITH:
                found[f"{model.__name__}.{path}"] = model._default_manager.filter(**{path: person}).count()
    return found


IN_THE_FILE: dict[str, Callable[[Any], Any]] = {
    "Task": lambda told: told["tasks"][0]["statement"],
    "Task_topics": lambda told: told["tasks"][0]["topics"],
    "Assessment": lambda told: told["tasks"][0]["assessment"]["known"],
    "Outcome": lambda told: told["tasks"][0]["outcome"]["surprise"],
    "Advice": lambda told: told["tasks"][0]["advice"][0]["made_at"],
    "Step": lambda told: told["tasks"][0]["plan"][0]["helped_at"] and told["tasks"][0]["plan"][0]["with"] == "Begin",
    "Share": lambda told: told["tasks"][0]["shared_with"][1]["person"],
    "Reminders": lambda told: told["asked"]["questions"],
    "LearningEntry": lambda told: told["learning_log"][0]["at"],
    "LearningEntry_topics": lambda told: told["learning_log"][0]["topics"],
    "Recall": lambda told: told["questions"][0]["memory"]["due"],
    "Lesson": lambda told: told["lessons"][0]["expected"],
    "Lesson_resources": lambda told: told["lessons"][0]["concerns"],
    "Lesson_topics": lambda told: told["lessons"][0]["topics"],
    "Experiment": lambda told: told["experiments"][0]["hypothesis"],
    "Experiment_topics": lambda told: told["experiments"][0]["topics"],
}
"""Of each table that leads to a person, what of it stands in the file that they take along."""
NOT_IN_IT = {
    "LogWork": "that a line waits to be written: what it says is the line",
}


def test_all_of_it_can_be_taken_along(people: People, full: Task) -> None:
    client = Client()
    client.force_login(people.owner)
    said = taken_along(client)
    assert [word for word in WORDS if word not in said] == []
    told = json.loads(said)
    assert told["tasks"][0]["difficulty"] == "hard"
    assert told["asked"] == {"outcomes": False, "questions": True}
    assert [table for table, value in IN_THE_FILE.items() if not value(told)] == [], "each table has its place"
    assert (len(told["lessons"]), len(told["experiments"])) == (3, 3), "their own, and not what they may read of others"
    client.force_login(people.peer)
    others = json.loads(taken_along(client))
    Resource.objects.update(audience=Audience.objects.of([f"person:{people.peer.pk}"]))
    client.force_login(people.owner)
    assert [word for word in ("Begin", "Drift") if word in taken_along(client)] == [], "they may read it no more"
    assert (others["tasks"], others["questions"], len(others["lessons"])) == ([], [], 3)


def test_every_row_of_theirs_goes_and_what_colleagues_read_stays_without_its_author(people: People, full: Task) -> None:
    before = rows_of(people.owner)
    assert {name for name, count in before.items() if not count} == set(), "each kind is there, so it could stay"
    assert Verdict.objects.filter(person=people.owner).exists()
    for gone in ({"hidden_at": full.created_at}, {"withdrawn_at": full.created_at}):
        Lesson.objects.create(author=people.owner, reach="company", expected="x", happened="x", **gone)
    assert belongings.delete_all(owner=people.owner) == 1
    assert set(rows_of(people.owner).values()) == {0}
    assert not Verdict.objects.filter(person=people.owner).exists()
    for model in (Lesson, Experiment):
        assert model.objects.filter(author=None, reach="company").count() == 1
        assert model.objects.filter(author=people.peer).count() == 3
        one = model.objects.get(author=None, reach="company")
        assert signed(one, Viewer.of(people.peer)) == ("Without a name", None), "nobody has left"
    left = belongings.everything(Viewer.of(people.owner))
    assert not any(list(left[name]) for name in ("tasks", "learning_log", "questions", "lessons", "experiments"))
    assert not Notice.objects.filter(person=people.owner).exists()


def test_what_stays_is_said_before_it_goes(people: People, full: Task) -> None:
    client = Client()
    client.force_login(people.owner)
    before = client.get("/tasks/mirror").content.decode()
    for kept in ('href="/lessons/?mine=1"', 'href="/lessons/experiments/?mine=1"', 'href="/asks/">Your questions'):
        assert kept in before
    after = client.post("/tasks/delete", follow=True).content.decode()
    assert "questions that you asked them stay with yours" in after


def test_no_table_is_forgotten() -> None:
    """A table that leads to a person by any path is in the file, and in what the tests above fill and see go."""
    theirs = {model.__name__ for model, paths in pointing().items() if paths}
    assert theirs == IN_THE_FILE.keys() | NOT_IN_IT.keys()
    assert {model.__name__ for model in pointing()} - theirs == {model.__name__ for model in KEPT}


def test_it_goes_on_where_it_was_cut_off(people: People, make_resource: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "AT_ONCE", 2)
    begin = make_resource("Begin")
    for number in range(5):
        task = actions.start_task(owner=people.owner, statement=f"Task {number}")
        actions.assess(task=task, owner=people.owner, confidence=50)
        Step.objects.create(task=task, place=0, route="informal", resource=begin)
        actions.log_outcome(task=task, owner=people.owner, result=1.0)
    whole = actions._delete_some
    left = [whole]

    def cut(owner: Any) -> int:
        some: int = left.pop()(owner)
        return some

    monkeypatch.setattr(actions, "_delete_some", cut)
    with pytest.raises(IndexError):
        belongings.delete_all(owner=people.owner)
    assert Task.objects.count() == 3
    assert Verdict.objects.count() == 1, "a task that is left says that it helped"
    monkeypatch.setattr(actions, "_delete_some", whole)
    client = Client()
    client.force_login(people.owner)
    assert client.post("/tasks/delete").status_code == 302
    assert not Task.objects.exists()
    assert not Verdict.objects.exists()


@pytest.mark.parametrize("what", ["taken along", "deleted"])
def test_neither_asks_more_often_where_there_is_more(people: People, what: str) -> None:
    asked = set()
    for many in (2, 6):
        for number in range(many):
            task = actions.start_task(owner=people.owner, statement=f"Task {number}")
            actions.assess(task=task, owner=people.owner, confidence=50)
            Step.objects.create(task=task, place=0, route="do")
            actions.log_outcome(task=task, owner=people.owner, result=1.0)
            recall.keep(task=task, owner=people.owner, question="Which?", answer="This")
            Lesson.objects.create(author=people.owner, task=task, happened="x")
        log.do_due()
        with CaptureQueriesContext(connection) as queries:
            if what == "deleted":
                belongings.delete_all(owner=people.owner)
            else:
                assert "Which?" in "".join(belongings.as_json(belongings.everything(Viewer.of(people.owner))))
        asked.add(len(queries))
    assert len(asked) == 1
    assert asked.pop() < 60
