"""The verbs: start, assess once, finish, delete."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404

from immersive.work import actions, log
from immersive.work.models import Assessment, AssessmentLocked, LearningEntry, LogWork, Outcome, Task
from knowledge.models import Audience, Resource, Topic
from tests.work.conftest import People, work_of

pytestmark = pytest.mark.django_db


class TestStart:
    def test_keeps_the_sentence_and_the_day(self, people: People) -> None:
        task = actions.start_task(owner=people.owner, statement="  Write \n the  plan ", due=date(2027, 3, 31))
        task.refresh_from_db()
        assert (task.statement, task.due, task.owner) == ("Write the plan", date(2027, 3, 31), people.owner)

    @pytest.mark.parametrize("statement", ["", " \n ", "x" * 301])
    def test_refuses_what_is_no_sentence(self, people: People, statement: str) -> None:
        with pytest.raises(ValidationError):
            actions.start_task(owner=people.owner, statement=statement)
        assert not Task.objects.exists()

    def test_takes_the_topics_of_the_resource(self, people: People, make_resource: Callable[..., Resource]) -> None:
        page = make_resource("Sensors", topics=("Drift", "Calibration"))
        task = actions.start_task(owner=people.owner, statement="Find out why", started_from=page)
        assert task.started_from == page
        assert [topic.name for topic in task.topics.order_by("name")] == ["Calibration", "Drift"]

    def test_takes_nothing_from_a_hidden_resource(self, people: People, make_resource: Callable[..., Resource]) -> None:
        page = make_resource("Merger", topics=("Merger",), tokens=(f"person:{people.manager.pk}",))
        task = actions.start_task(owner=people.owner, statement="Find out about the merger", started_from=page)
        assert task.started_from is None
        assert not task.topics.exists()
        theirs = actions.start_task(owner=people.manager, statement="Prepare the merger")
        assert [topic.name for topic in theirs.topics.all()] == ["Merger"], "the same words name it to its reader"

    def test_takes_nothing_from_a_resource_that_was_hidden_since(
        self, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        make_resource("How a merger is made", topics=("Merger",))
        page = make_resource("Our merger", topics=("Merger",))
        task = actions.start_task(owner=people.owner, statement="Find out why", started_from=page)
        page.audience = Audience.objects.of([f"person:{people.manager.pk}"])
        page.save()
        task.topics.clear()
        actions.change_task(task=task, owner=people.owner, statement="Find out when")
        assert not task.topics.exists()

    def test_proposes_topics_that_the_sentence_names(
        self, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        make_resource("One", topics=("Drift", "Flow sensors", "Paint"))
        Topic.objects.create(name="Why", slug="why")  # nothing readable is about it
        task = actions.start_task(owner=people.owner, statement="Why do the FLOW-SENSORS drift?")
        assert [topic.name for topic in task.topics.order_by("name")] == ["Drift", "Flow sensors"]


class TestAssess:
    @pytest.mark.parametrize("again", [10, 70])
    def test_is_locked_whatever_the_second_value(self, people: People, task: Task, again: int) -> None:
        actions.assess(task=task, owner=people.owner, confidence=70)
        with pytest.raises(AssessmentLocked):
            actions.assess(task=task, owner=people.owner, confidence=again)
        assert Assessment.objects.get().confidence == 70
        assert len(work_of(task)) == 1

    @pytest.mark.parametrize("confidence", [0, 35, 100, -10])
    def test_knows_five_values(self, people: People, task: Task, confidence: int) -> None:
        with pytest.raises(ValidationError):
            actions.assess(task=task, owner=people.owner, confidence=confidence)
        with pytest.raises(IntegrityError), transaction.atomic():
            Assessment.objects.create(task=task, confidence=confidence)
        assert not Assessment.objects.exists()

    def test_is_for_the_owner_alone(self, people: People, task: Task) -> None:
        for person in people.others.values():
            with pytest.raises(Http404):
                actions.assess(task=task, owner=person, confidence=50)
        assert not Assessment.objects.exists()

    @pytest.mark.parametrize(
        "change",
        [
            lambda one: (setattr(one, "confidence", 10), one.save()),
            lambda one: (setattr(one, "confidence", 10), one.save(update_fields=["confidence"])),
            lambda one: one.delete(),
            lambda one: Assessment.objects.update(confidence=10),
            lambda one: Assessment.objects.filter(pk=one.pk).update(confidence=10),
            lambda one: Assessment.objects.filter(pk=one.pk).delete(),
            lambda one: (setattr(one, "confidence", 10), Assessment.objects.bulk_update([one], ["confidence"])),
            lambda one: Assessment.objects.update_or_create(task=one.task, defaults={"confidence": 10}),
            lambda one: Assessment.objects.bulk_create(
                [Assessment(task=one.task, confidence=10)],
                update_conflicts=True,
                unique_fields=["task"],
                update_fields=["confidence"],
            ),
        ],
    )
    def test_no_path_of_the_model_changes_it(
        self, people: People, task: Task, change: Callable[[Assessment], Any]
    ) -> None:
        one = actions.assess(task=task, owner=people.owner, confidence=90)
        with pytest.raises(AssessmentLocked), transaction.atomic():
            change(one)
        assert Assessment.objects.get().confidence == 90

    def test_nor_one_built_anew_with_its_key(self, people: People, task: Task) -> None:
        one = actions.assess(task=task, owner=people.owner, confidence=90)
        with pytest.raises(IntegrityError), transaction.atomic():
            Assessment(pk=one.pk, task=task, confidence=10).save()
        assert Assessment.objects.get().confidence == 90


def test_of_eight_at_once_one_is_kept(people: People, task: Task, in_threads: Callable[..., list[Any]]) -> None:
    together = threading.Barrier(8)

    def say(confidence: int) -> int | None:
        together.wait(timeout=10)
        try:
            return actions.assess(task=task, owner=people.owner, confidence=confidence).confidence
        except AssessmentLocked:
            return None

    said = in_threads(*[lambda c=c: say(c) for c in (10, 30, 50, 70, 90, 10, 50, 90)])  # type: ignore[misc]
    kept = [value for value in said if value is not None]
    assert len(kept) == 1
    [stored] = in_threads(lambda: list(Assessment.objects.values_list("confidence", flat=True)))
    assert stored == kept
    [rows] = in_threads(LogWork.objects.count)
    assert rows == 1


class TestOutcome:
    def test_wants_what_was_said_before(self, people: People, task: Task) -> None:
        with pytest.raises(actions.AssessFirst):
            actions.log_outcome(task=task, owner=people.owner, result=1.0)
        assert not Outcome.objects.exists()

    def test_corrects_a_slip_and_logs_once(self, people: People, task: Task) -> None:
        actions.assess(task=task, owner=people.owner, confidence=30)
        first = actions.log_outcome(task=task, owner=people.owner, result=0.0)
        second = actions.log_outcome(task=task, owner=people.owner, result=1.0, minutes=5, surprise=" none ")
        assert (second.pk, second.logged_at) == (first.pk, first.logged_at)
        assert (second.result, second.minutes, second.surprise) == (1.0, 5, "none")
        assert [row.event for row in work_of(task)] == ["assessed", "outcome"]

    @pytest.mark.parametrize(
        "wrong", [{"result": 0.7}, {"result": 1.0, "minutes": -1}, {"result": 1.0, "surprise": "x" * 1001}]
    )
    def test_refuses_what_cannot_be(self, people: People, task: Task, wrong: dict[str, Any]) -> None:
        actions.assess(task=task, owner=people.owner, confidence=30)
        with pytest.raises(ValidationError):
            actions.log_outcome(task=task, owner=people.owner, **wrong)
        assert not Outcome.objects.exists()

    def test_is_for_the_owner_alone(self, people: People, finished: Task) -> None:
        for person in people.others.values():
            with pytest.raises(Http404):
                actions.log_outcome(task=finished, owner=person, result=0.0)
        assert Outcome.objects.get().result == 0.5


class TestDelete:
    def test_takes_everything_with_it(self, people: People, finished: Task) -> None:
        kept = actions.start_task(owner=people.owner, statement="Another")
        actions.delete_task(task=finished, owner=people.owner)
        assert list(Task.objects.all()) == [kept]
        for model in (Assessment, Outcome, LogWork, LearningEntry, LearningEntry.topics.through):
            assert not model.objects.exists(), model

    def test_takes_waiting_work_with_it(self, people: People, task: Task) -> None:
        actions.assess(task=task, owner=people.owner, confidence=30)
        [row] = work_of(task)
        actions.delete_task(task=task, owner=people.owner)
        assert log.do(row.pk) is False
        assert log.do_due() == 0

    def test_is_for_the_owner_alone(self, people: People, finished: Task) -> None:
        for person in people.others.values():
            with pytest.raises(Http404):
                actions.delete_task(task=finished, owner=person)
        assert Task.objects.filter(pk=finished.pk).exists()

    def test_goes_with_its_owner(self, people: People, finished: Task) -> None:
        people.owner.delete()
        assert not Task.objects.exists()
        assert not Assessment.objects.exists()
