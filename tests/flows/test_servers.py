"""The river with a real worker, PostgreSQL and Redis: committed work is done, also when Redis is wiped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.db import connection

from immersive.celery import app as celery_app
from immersive.work import actions as work
from immersive.work import jobs as work_jobs
from immersive.work.models import LearningEntry, LogWork
from knowledge import actions, jobs
from knowledge.access import Viewer
from knowledge.models import Resource, SyncRun
from knowledge.search import search
from tests.chaos.portal import ROOT, wait_for

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broker(settings: LazySettings) -> Iterator[redis.Redis]:
    """The real Redis, empty, with jobs really published."""
    assert settings.BROKER_URL.startswith("redis://"), "run this with BROKER_URL, as .ci/run does"
    server = redis.Redis.from_url(settings.BROKER_URL)
    server.flushdb()
    settings.CELERY_TASK_ALWAYS_EAGER = celery_app.conf.task_always_eager = False
    yield server
    server.flushdb()


@pytest.fixture
def start_worker(broker: redis.Redis, tmp_path: Path, settings: LazySettings) -> Iterator[Callable[[], Any]]:
    """Starts a Celery worker on this test's database; the worker and its children are ended afterwards."""
    test = connection.settings_dict
    where = f"{test['HOST']}:{test['PORT']}/{test['NAME']}"
    env = os.environ | {
        "DATABASE_URL": f"postgres://{test['USER']}@{where}",
        "INDEX_DIR": str(settings.INDEX_DIR),
        "FOLDER_ROOTS": str(tmp_path),
        "IMMERSIVE_VAR": str(tmp_path / "var"),
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "immersive", "worker", "-Q", "work,index", "-c", "2"]
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_river_flows_through_real_servers(
    start_worker: Callable[[], Any], broker: redis.Redis, tmp_path: Path, make_person: Any
) -> None:
    assert connection.vendor == "postgresql"
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(40):
        (pages / f"{number}.md").write_text(f"# Kettle {number}\n\nThe kettle stands on shelf {number}.\n")
    ana = make_person("ana", name="Ana")
    start_worker()
    source = actions.add_source(kind="folder", address=str(pages), name="Pages")
    run = actions.request_sync(source=source)
    wait_for(lambda: SyncRun.objects.get(pk=run.pk).done_at, 60, "a worker syncs")
    assert Resource.objects.alive().count() == 40
    wait_for(lambda: search("kettle", Viewer.of(ana)).total == 40, 60, "a worker indexes, and readers see it")
    task = work.start_task(owner=ana, statement="Move the kettle")
    work.assess(task=task, owner=ana, confidence=70)
    wait_for(lambda: LearningEntry.objects.filter(task=task).count() == 1, 60, "a worker logs the assessment")


def test_work_outlives_a_wiped_redis_and_a_killed_worker(
    start_worker: Callable[[], Any], broker: redis.Redis, make_person: Any
) -> None:
    ana = make_person("ana", name="Ana")
    for number in range(30):
        task = work.start_task(owner=ana, statement=f"Task {number}")
        work.assess(task=task, owner=ana, confidence=30)
    assert broker.llen("work") == 30
    broker.flushdb()
    worker = start_worker()
    work_jobs.sweep.apply_async()
    wait_for(lambda: LogWork.objects.exclude(done_at=None).exists(), 60, "the sweep finds the rows")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    LogWork.objects.filter(done_at=None).update(lease_until=None)
    start_worker()
    work_jobs.sweep.apply_async()
    jobs.sweep.apply_async()
    wait_for(lambda: not LogWork.objects.filter(done_at=None).exists(), 60, "the rest is done")
    assert LearningEntry.objects.count() == 30
