"""Work that is a row: claimed once, kept, given back, given up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.db import connections, transaction
from django.utils import timezone

from knowledge import durable
from knowledge.durable import LeaseLost
from knowledge.models import Audience, Source, SyncRun


@pytest.fixture
def run(db: None) -> SyncRun:
    source = Source.objects.create(kind="folder", name="s", slug="s", audience=Audience.objects.of(["everyone"]))
    return SyncRun.objects.create(source=source)


def expire(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_claim_is_one_update_and_only_one_wins(run: SyncRun, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        first = SyncRun.objects.claim(run.pk)
    assert first is not None
    assert SyncRun.objects.claim(run.pk) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_wins(run: SyncRun) -> None:
    won: list[Any] = []
    barrier = threading.Barrier(6)

    def claim() -> None:
        barrier.wait()
        won.append(SyncRun.objects.claim(run.pk))
        connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(row is not None for row in won) == 1


def test_a_lease_that_ran_out_is_taken_over_and_the_first_worker_stops(run: SyncRun) -> None:
    first = SyncRun.objects.claim(run.pk)
    expire(run)
    second = SyncRun.objects.claim(run.pk)
    assert second is not None
    for act in (first.keep, first.finish):
        with pytest.raises(LeaseLost):
            act()
    first.fail("too late")
    second.finish(seen=3)
    run.refresh_from_db()
    assert (run.seen, run.error) == (3, "")


def test_failures_wait_longer_each_time_and_stop_after_three(run: SyncRun) -> None:
    waits = []
    for _ in range(3):
        SyncRun.objects.filter(pk=run.pk).update(due_at=timezone.now())
        row = SyncRun.objects.claim(run.pk)
        row.fail("no")
        waits.append(row.due_at - timezone.now())
    assert waits[0] < waits[1] < waits[2]
    SyncRun.objects.filter(pk=run.pk).update(due_at=timezone.now())
    assert SyncRun.objects.claim(run.pk) is None
    assert list(SyncRun.objects.dead()) == [run]
    run.retry()
    assert SyncRun.objects.claim(run.pk) is not None


def test_poison_that_kills_its_worker_stops_too_but_progress_starts_over(run: SyncRun) -> None:
    for _ in range(5):
        row = SyncRun.objects.claim(run.pk)
        row.keep(progress=True)
        expire(run)
    for _ in range(2):
        assert SyncRun.objects.claim(run.pk) is not None
        expire(run)
    assert SyncRun.objects.claim(run.pk) is None


def test_what_is_done_is_done_once(run: SyncRun) -> None:
    done: list[int] = []

    def do(row: SyncRun) -> None:
        done.append(row.pk)
        row.finish()

    assert [durable.work(SyncRun.objects, run.pk, do) for _ in range(3)] == [True, False, False]
    assert done == [run.pk]


def test_a_failure_is_recorded_and_not_raised(run: SyncRun) -> None:
    def do(row: SyncRun) -> None:
        raise RuntimeError("the cupboard is empty")

    assert durable.work(SyncRun.objects, run.pk, do) is False
    run.refresh_from_db()
    assert "the cupboard is empty" in run.error
    assert run.attempts == 1


@pytest.fixture(params=["nobody listens", "nobody answers"])
def dead_broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where Redis should be, and is not; or is there and hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "nobody answers":
            listener.listen(16)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_is_no_error(dead_broker: str, caplog: pytest.LogCaptureFixture) -> None:
    """A job that cannot be published is a line in the log; the row waits for the sweep."""
    app = Celery("dead", broker=dead_broker, set_as_current=False)

    @app.task(name="dead.job")  # type: ignore[untyped-decorator]
    def job() -> None: ...

    with transaction.atomic():
        durable.prompt(job)
        assert caplog.text == "", "nothing is published before the commit"
    assert "waits for the sweep" in caplog.text


def test_publishing_gives_up_within_a_second() -> None:
    assert durable.PUBLISHING["socket_connect_timeout"] + durable.PUBLISHING["socket_timeout"] < 1
    assert durable.PUBLISHING["max_retries"] == 0


def test_a_row_deleted_while_it_is_worked_on_is_no_error(run: SyncRun) -> None:
    def do(row: SyncRun) -> None:
        row.source.delete()
        raise RuntimeError("gone")

    assert durable.work(SyncRun.objects, run.pk, do) is False


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_who_is_asked_to_stop_gives_the_work_back_at_once(run: SyncRun, stop: type[BaseException]) -> None:
    def do(row: SyncRun) -> None:
        raise stop

    with pytest.raises(stop):
        durable.work(SyncRun.objects, run.pk, do)
    again = SyncRun.objects.claim(run.pk)
    assert again is not None
    assert again.attempts == 1


def test_a_retry_takes_nothing_away_from_who_is_at_it(run: SyncRun) -> None:
    row = SyncRun.objects.claim(run.pk)
    run.retry()
    row.keep()
