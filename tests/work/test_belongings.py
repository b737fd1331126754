"""What is kept of one person: all of it is theirs to take along, and all of it goes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import ForeignKey
from django.test import Client

from experts.models import Membership, Team
from immersive.work import actions, belongings, log, recall, reminding, sharing
from immersive.work.lessons.rows import Experiment, Lesson
from immersive.work.models import Advice, Record, Step, Task
from knowledge.access import Viewer
from knowledge.models import Verdict
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
    Advice.objects.create(task=task, seed=1, rests_on={})
    Step.objects.create(task=task, place=0, route="informal", resource=begin)
    team = Team.objects.create(name="Night shift", slug="night")
    Membership.objects.create(person=people.owner, team=team)
    sharing.share(task=task, owner=people.owner, team=team)
    sharing.share(task=task, owner=people.owner, person=people.peer)
    actions.log_outcome(task=task, owner=people.owner, result=1.0, route="informal", surprise="surprise-canary")
    recall.keep(task=task, owner=people.owner, question="question-canary", answer="answer-canary")
    reminding.wish(person=people.owner, outcomes=False, recall=True)
    for author in (people.owner, people.peer):
        for reach in ("draft", "me", "company"):
            Lesson.objects.create(author=author, reach=reach, expected="expected-canary", happened="x", task=task)
            Experiment.objects.create(author=author, reach=reach, hypothesis="hypothesis-canary", by=date(2026, 12, 1))
    log.do_due()
    return task


def rows_of(person: Any) -> dict[str, int]:
    """How many rows of each model of this room point at a person, or at a task of theirs."""
    found = {}
    for model in apps.get_app_config("work").get_models():
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey) and field.related_model in (get_user_model(), Task):
                mine = {field.name: person} if field.related_model is not Task else {f"{field.name}__owner": person}
                found[f"{model.__name__}.{field.name}"] = model._default_manager.filter(**mine).count()
    return found


def test_all_of_it_can_be_taken_along(people: People, full: Task) -> None:
    client = Client()
    client.force_login(people.owner)
    said = client.get("/tasks/download").content.decode()
    assert [word for word in WORDS if word not in said] == []
    told = json.loads(said)
    assert told["tasks"][0]["difficulty"] == "hard"
    assert told["asked"] == {"outcomes": False, "questions": True}
    assert (len(told["lessons"]), len(told["experiments"])) == (3, 3), "their own, and not what they may read of others"
    client.force_login(people.peer)
    others = json.loads(client.get("/tasks/download").content)
    assert (others["tasks"], others["questions"], len(others["lessons"])) == ([], [], 3)


def test_every_row_of_theirs_goes_and_what_colleagues_read_stays_without_its_author(people: People, full: Task) -> None:
    before = rows_of(people.owner)
    of_others = {"Share.person", "Step.person"}
    assert {name for name, count in before.items() if not count} == of_others, "each kind is there, so it could stay"
    assert Verdict.objects.filter(person=people.owner).exists()
    assert belongings.delete_all(owner=people.owner) == 1
    assert set(rows_of(people.owner).values()) == {0}
    assert not Verdict.objects.filter(person=people.owner).exists()
    for model in (Lesson, Experiment):
        assert model.objects.filter(author=None, reach="company").count() == 1
        assert model.objects.filter(author=people.peer).count() == 3
    left = belongings.everything(Viewer.of(people.owner))
    assert not any(left[name] for name in ("tasks", "learning_log", "questions", "lessons", "experiments"))


def test_what_is_of_nobody_is_said_to_be(people: People) -> None:
    pointing = {name.partition(".")[0] for name in rows_of(people.owner)} | {"Task"}
    others = {model.__name__ for model in apps.get_app_config("work").get_models()} - pointing
    assert others == {model.__name__ for model in KEPT}
