"""The learning log: each thing said is logged once, whatever happens to the broker and the workers."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from immersive.celery import app
from immersive.work import actions, jobs, log
from immersive.work.models import LearningEntry, LogWork, Task
from knowledge import durable
from knowledge.models import Topic
from tests.work.conftest import CANARIES, STATEMENT, SURPRISE, People, work_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(people: People, task: Task) -> LogWork:
    """One event that waits to be logged."""
    task.topics.add(Topic.objects.create(name="Drift", slug="drift"), Topic.objects.create(name="Tea", slug="tea"))
    actions.assess(task=task, owner=people.owner, confidence=70)
    [row] = work_of(task)
    return row


@pytest.fixture
def broker(settings: LazySettings) -> Iterator[Callable[..., None]]:
    """Send real messages to a broker chosen by the test, not jobs in the test's own process."""

    def choose(url: str, **options: Any) -> None:
        app.conf.task_always_eager = False
        settings.CELERY_BROKER_URL = url
        settings.CELERY_BROKER_TRANSPORT_OPTIONS = options
        forget()

    def forget() -> None:
        app.amqp.__dict__.pop("_producer_pool", None)
        app.amqp._producer_pool = None
        app.__dict__.pop("amqp", None)
        app._pool = None

    yield choose
    forget()


def expire(pk: int) -> None:
    """Let a lease run out, as time would."""
    past = timezone.now() - timedelta(seconds=1)
    LogWork.objects.filter(pk=pk, lease_until__isnull=False).update(lease_until=past)


def be_due(pk: int) -> None:
    """Let the pause after a failure pass."""
    LogWork.objects.filter(pk=pk).update(due_at=timezone.now() - timedelta(seconds=1))


def test_jobs_of_tests_run_in_their_own_process() -> None:
    assert app.conf.task_always_eager is True


class TestPrompt:
    def test_says_and_logs_in_one_breath(
        self, people: People, task: Task, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            actions.assess(task=task, owner=people.owner, confidence=70)
        entry = LearningEntry.objects.get()
        assert (entry.task, entry.event, entry.at) == (task, "assessed", task.assessment.given_at)
        assert work_of(task)[0].done_at is not None

    def test_takes_the_topics_along(self, waiting: LogWork) -> None:
        jobs.log_event.delay(waiting.pk)
        assert {topic.name for topic in LearningEntry.objects.get().topics.all()} == {"Drift", "Tea"}

    def test_message_names_a_row_and_nothing_else(
        self,
        people: People,
        broker: Callable[..., None],
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        queue = tmp_path / "queue"
        for folder in (queue, tmp_path / "control"):
            folder.mkdir()
        broker(
            "filesystem://",
            data_folder_in=str(queue),
            data_folder_out=str(queue),
            control_folder=str(tmp_path / "control"),
        )
        with django_capture_on_commit_callbacks(execute=True):
            task = actions.start_task(owner=people.owner, statement=STATEMENT)
            actions.assess(task=task, owner=people.owner, confidence=90)
            actions.log_outcome(task=task, owner=people.owner, result=0.5, surprise=SURPRISE)
        messages = [json.loads(file.read_text()) for file in queue.iterdir()]
        assert len(messages) == 2
        for message in messages:
            assert message["headers"]["task"] == "immersive.work.jobs.log_event"
            assert message["headers"]["argsrepr"] in {f"({row.pk},)" for row in work_of(task)}
            assert message["properties"]["delivery_info"]["routing_key"] == "work"
            assert message["headers"]["timelimit"] == [None, None] or all(message["headers"]["timelimit"])
        seen = caplog.text + "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
        assert not [word for word in CANARIES if word in seen]

    def test_dead_broker_is_no_error_and_the_sweep_does_it(
        self,
        people: People,
        task: Task,
        broker: Callable[..., None],
        caplog: pytest.LogCaptureFixture,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        broker(f"redis://127.0.0.1:{port}/0", socket_connect_timeout=0.5, socket_timeout=5, max_retries=0)
        with django_capture_on_commit_callbacks(execute=True):
            actions.assess(task=task, owner=people.owner, confidence=70)
        assert "broker unreachable" in caplog.text
        assert not LearningEntry.objects.exists()
        jobs.sweep()
        assert LearningEntry.objects.count() == 1

    def test_limits_stay_within_the_lease(self) -> None:
        for job in (jobs.log_event, jobs.sweep):
            assert app.amqp.router.route({}, job.name)["queue"].name == "work"
            assert 0 < job.soft_time_limit < job.time_limit < LogWork.LEASE.total_seconds()


class TestOnce:
    def test_run_twice(self, waiting: LogWork) -> None:
        assert log.do(waiting.pk) is True
        assert log.do(waiting.pk) is False
        assert log.do_due() == 0
        assert LearningEntry.objects.count() == 1

    def test_lease_that_runs_out_during_work(self, waiting: LogWork) -> None:
        slow = LogWork.objects.claim(waiting.pk)
        expire(waiting.pk)
        assert log.do(waiting.pk) is True
        with pytest.raises(durable.LeaseLost):
            log.write(slow)
        assert LearningEntry.objects.count() == 1
        assert LearningEntry.objects.get().topics.count() == 2

    def test_lease_that_another_holds_now(self, waiting: LogWork) -> None:
        slow = LogWork.objects.claim(waiting.pk)
        expire(waiting.pk)
        LogWork.objects.claim(waiting.pk)
        with pytest.raises(durable.LeaseLost):
            log.write(slow)
        assert not LearningEntry.objects.exists(), "the half-written line went with the transaction"

    def test_worker_that_dies_at_it(self, waiting: LogWork) -> None:
        die_during(LogWork.objects.claim(waiting.pk))
        assert not LearningEntry.objects.exists()
        jobs.sweep()
        assert not LearningEntry.objects.exists(), "its lease still holds"
        expire(waiting.pk)
        jobs.sweep()
        assert LearningEntry.objects.count() == 1

    def test_task_that_is_deleted_during_work(self, people: People, waiting: LogWork) -> None:
        row = LogWork.objects.claim(waiting.pk)
        actions.delete_task(task=waiting.task, owner=people.owner)
        with pytest.raises(durable.LeaseLost):
            log.write(row)
        assert not LearningEntry.objects.exists()


def test_six_workers_at_one_row_log_it_once(
    people: People, task: Task, broker: Callable[..., None], in_threads: Callable[..., list[Any]]
) -> None:
    broker("memory://")
    actions.assess(task=task, owner=people.owner, confidence=70)
    [row] = work_of(task)
    assert not LearningEntry.objects.exists()
    done = in_threads(*[lambda: log.do(row.pk)] * 4, *[log.do_due] * 2)
    assert sum(done) == 1
    [count] = in_threads(LearningEntry.objects.count)
    assert count == 1


def test_deleting_while_it_is_logged_leaves_nothing(
    people: People, task: Task, broker: Callable[..., None], in_threads: Callable[..., list[Any]]
) -> None:
    broker("memory://")
    actions.assess(task=task, owner=people.owner, confidence=70)
    [row] = work_of(task)
    in_threads(lambda: log.do(row.pk), lambda: actions.delete_task(task=task, owner=people.owner), log.do_due)
    [left] = in_threads(lambda: [model.objects.count() for model in (Task, LogWork, LearningEntry)])
    assert left == [0, 0, 0]


class TestPoison:
    def test_stops_after_three_tries_while_others_go_on(
        self, people: People, waiting: LogWork, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        # An event that never happened: nothing that anybody does to this row can succeed.
        poison = LogWork.objects.create(task=waiting.task, event="outcome", due_at=timezone.now() - timedelta(hours=1))
        assert log.do_due() == 1
        for _ in range(5):
            be_due(poison.pk)
            expire(poison.pk)
            assert log.do_due() == 0
        poison.refresh_from_db()
        assert (poison.attempts, poison.done_at) == (3, None)
        assert list(LogWork.objects.dead()) == [poison]
        assert [entry.event for entry in LearningEntry.objects.all()] == ["assessed"]

    def test_says_what_kind_of_trouble_and_no_word_of_the_person(
        self, waiting: LogWork, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caplog.set_level(logging.DEBUG)

        def quote_the_row(_self: LogWork) -> None:
            raise ValueError(f"Failing row contains ({STATEMENT}, 90)")

        monkeypatch.setattr(LogWork, "finish", quote_the_row)
        assert log.do(waiting.pk) is False
        waiting.refresh_from_db()
        assert waiting.error == "NotLogged: ValueError"
        assert "NotLogged: ValueError" in caplog.text
        assert "zanzibarite" not in caplog.text


STEPS = st.lists(
    st.sampled_from(["prompt", "sweep", "die before", "die during", "expire", "slow one", "slow one ends", "be due"]),
    max_size=12,
)


@how(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_logged_exactly_once_after_any_story(people: People, steps: list[str]) -> None:
    """At most once at every moment; exactly once when a sweep comes after it all (and an operator revived it)."""
    task = actions.start_task(owner=people.owner, statement="Anything")
    actions.assess(task=task, owner=people.owner, confidence=50)
    [row] = work_of(task)
    slow: list[LogWork] = []
    for step in steps:
        match step:
            case "prompt":
                jobs.log_event(row.pk)
            case "sweep":
                jobs.sweep()
            case "die before":
                LogWork.objects.claim(row.pk)
            case "die during":
                if mine := LogWork.objects.claim(row.pk):
                    die_during(mine)
            case "expire":
                expire(row.pk)
            case "be due":
                be_due(row.pk)
            case "slow one":
                slow += [mine] if (mine := LogWork.objects.claim(row.pk)) else []
            case "slow one ends" if slow:
                with contextlib.suppress(durable.LeaseLost):
                    log.write(slow.pop())
        row.refresh_from_db()
        assert LearningEntry.objects.filter(task=task).count() == (row.done_at is not None)
    expire(row.pk)
    row.retry()
    jobs.sweep()
    assert LearningEntry.objects.filter(task=task).count() == 1


def die_during(row: LogWork) -> None:
    """Write everything and lose it, as a process does that is killed before its commit."""

    class Killed(BaseException):
        pass

    def killed(_self: LogWork) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LogWork, "finish", killed)
        with pytest.raises(Killed):
            log.write(row)
    assert not connection.needs_rollback
