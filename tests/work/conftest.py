"""People around one task, words that may leak nowhere, and a database that threads may share."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client, override_settings

from immersive.celery import app as celery_app
from immersive.work import actions, log
from immersive.work.models import LogWork, Task
from knowledge.access import Viewer
from knowledge.documents import EVERYONE
from knowledge.models import Audience, Resource, Source, Topic
from tests import small_company

STATEMENT = "Translate the zanzibarite manifest for the quokka office"
SURPRISE = "The glossary was in flibbertigibbet"
CANARIES = ("zanzibarite", "flibbertigibbet", "would bet on it", "bet on it")


@dataclass
class People:
    """Everybody who may want to look at the owner's task."""

    owner: Any
    peer: Any
    manager: Any
    staff: Any
    superuser: Any

    @property
    def others(self) -> dict[str, Any]:
        """All but the owner, by role."""
        return {role: person for role, person in vars(self).items() if role != "owner"}


@pytest.fixture
def people(make_person: Callable[..., Any]) -> People:
    manager = make_person("mara", name="Mara Lind")
    return People(
        owner=make_person("olu", name="Olu Ade", manager=manager),
        peer=make_person("pia", name="Pia Roth", manager=manager),
        manager=manager,
        staff=make_person("stan", name="Stan Berg", is_staff=True),
        superuser=make_person("sue", name="Sue Hart", is_staff=True, is_superuser=True),
    )


@pytest.fixture
def make_resource(db: None) -> Callable[..., Resource]:
    """Make a resource that everyone may read, or only ``tokens``."""

    def make(title: str, *, topics: tuple[str, ...] = (), tokens: tuple[str, ...] = (EVERYONE,)) -> Resource:
        everyone = Audience.objects.of([EVERYONE])
        source, _ = Source.objects.get_or_create(
            slug="handbook", defaults={"kind": "folder", "name": "Handbook", "audience": everyone}
        )
        resource: Resource = Resource.objects.create(
            source=source, key=title, title=title, audience=Audience.objects.of(tokens)
        )
        for name in topics:
            resource.topics.add(Topic.objects.get_or_create(slug=name.lower().replace(" ", "-"), name=name)[0])
        return resource

    return make


@pytest.fixture
def task(people: People) -> Task:
    """A task of the owner, nothing said yet."""
    return actions.start_task(owner=people.owner, statement=STATEMENT)


@pytest.fixture
def finished(people: People, task: Task) -> Task:
    """A task of the owner with everything said and logged."""
    actions.assess(task=task, owner=people.owner, confidence=90)
    actions.log_outcome(task=task, owner=people.owner, result=0.5, with_help=True, minutes=45, surprise=SURPRISE)
    assert log.do_due() == 2
    return task


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Path]:
    """A company that a module makes once, within this; taken out of the database after its tests. Where its index is.

    Each test that uses it takes back what it changes in the database, as any
    does, and works on a copy of the index (`at_home`).
    """
    index = tmp_path_factory.mktemp("standing") / "index"
    place = {
        "INDEX_DIR": index,
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "IMMERSIVE_CONNECTORS": {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR},
        "CELERY_TASK_ALWAYS_EAGER": True,
    }
    with django_db_blocker.unblock():
        celery_app.conf.task_always_eager = True
        with override_settings(**place), transaction.atomic():
            yield index
            transaction.set_rollback(True)


def at_home(index: Path, of_test: Any) -> None:
    """Settings of one test in the company that stands, with a copy of its index."""
    of_test.IMMERSIVE_CONNECTORS = {**of_test.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    if index.exists():
        shutil.copytree(index, of_test.INDEX_DIR, dirs_exist_ok=True)


def work_of(task: Task) -> list[LogWork]:
    """What waits, or was done, for a task."""
    return list(LogWork.objects.filter(task=task).order_by("pk"))


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def viewer(person: Any) -> Viewer:
    return Viewer.of(person)


@pytest.fixture
def in_threads(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., list[Any]]]:
    """Run callables at once, each in a thread with a connection of its own, and return what they return.

    SQLite's test database lives in one connection's memory, where threads
    cannot wait for each other as they do in a file: the threads get a copy of
    it in a file, with the real settings. What they changed is to be read by
    another call of this fixture's function.
    """
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
        path = tmp_path / "threads.sqlite3"

        def share() -> None:
            if not path.exists():
                with sqlite3.connect(path) as file:
                    connection.ensure_connection()
                    connection.connection.backup(file)
                file.close()
    else:
        path = None  # type: ignore[assignment]

        def share() -> None: ...

    def run(*calls: Callable[[], Any]) -> list[Any]:
        share()

        def alone(call: Callable[[], Any]) -> Any:
            try:
                return call()
            finally:
                connections.close_all()

        with monkeypatch.context() as patch:
            if path is not None:
                patch.setitem(connections.settings["default"], "NAME", str(path))
            with ThreadPoolExecutor(len(calls)) as pool:
                return [future.result() for future in [pool.submit(alone, call) for call in calls]]

    return run
