"""Git: whoever works on the copy of a repository works on it alone, and it goes when its source goes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from dulwich.refs import Ref

from knowledge import actions
from knowledge.connectors import Checkpoint, Known, SourceError
from knowledge.connectors.git import GitConnector
from knowledge.documents import Document
from knowledge.models import Resource, Source
from tests.contracts.test_connectors import Repository, repository
from tests.knowledge.conftest import sync
from tests.loopback import Handler, Web, serving

__all__ = ["repository"]


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server, serving(server):
        yield server


READER = """
import sys
from django.conf import settings
settings.configure(VAR_DIR=sys.argv[1], FOLDER_ROOTS=[sys.argv[2]])
from knowledge.connectors import Known
from knowledge.connectors.git import GitConnector
pull = GitConnector(sys.argv[3], {}).pull(Known())
print(next(pull).key, flush=True)
sys.stdin.read()
"""


def kept(connector: GitConnector) -> list[Path]:
    return list(connector.place.parent.glob(f"{connector.place.name}*"))


def test_two_processes_take_turns_and_nothing_is_removed_meanwhile(
    repository: Repository, settings: LazySettings
) -> None:
    repository.put("leave", "Leave", "Ask.")
    repository.put("travel", "Travel", "By train.")
    connector = GitConnector(str(repository.path), {})
    root = next(str(root) for root in settings.FOLDER_ROOTS if repository.path.is_relative_to(root))
    command = [sys.executable, "-c", READER, str(settings.VAR_DIR), root, str(repository.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "leave.md\n", "it reads, and is not at the end"
        before = kept(connector)
        assert before
        with pytest.raises(SourceError, match="removed later"):
            connector.forget()
        assert kept(connector) == before
        pull = connector.pull(Known())
        assert [next(pull), next(pull)] == [Checkpoint({})] * 2, "waiting, it shows that it is alive"
        reader.kill()
    assert [event.key for event in pull if isinstance(event, Document)] == ["leave.md", "travel.md"]
    connector.forget()
    assert kept(connector) == []


def test_a_copy_that_is_still_fetched_is_not_removed_when_nobody_waits_for_it(
    web: Web, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FETCH_ALLOW = [f"127.0.0.1/32:{web.port}"]
    settings.GIT_SCHEMES = ["http"]
    monkeypatch.setattr("knowledge.connectors.git.ALIVE", 0.01)
    go_on = threading.Event()

    def slow(handler: Handler) -> None:
        go_on.wait(60)
        handler.say(404)

    web.answers["/handbook.git/info/refs"] = slow
    connector = GitConnector(f"{web.base}/handbook.git", {})
    pull = connector.pull(Known())
    assert next(pull) == Checkpoint({})
    [fetching] = [thread for thread in threading.enumerate() if thread.name == "git-fetch"]
    del pull  # as when the lease was lost
    with pytest.raises(SourceError, match="removed later"):
        connector.forget()
    assert kept(connector) == [connector.place]
    go_on.set()
    fetching.join(60)
    connector.forget()
    assert kept(connector) == []


@pytest.mark.django_db
def test_a_source_taken_out_while_it_is_read_leaves_no_copy(repository: Repository) -> None:
    repository.put("leave", "Leave", "Ask.")
    source = actions.add_source(kind="git", address=str(repository.path))
    sync(source)
    connector = GitConnector(source.address, {})
    pull = connector.pull(Known())
    assert isinstance(next(pull), Document)
    actions.remove_source(source=source)
    assert not Resource.objects.alive().exists()
    assert kept(connector)
    del pull
    actions.sweep()
    assert kept(connector) == []


@pytest.mark.django_db
def test_an_address_is_one_source_with_one_copy(repository: Repository) -> None:
    repository.put("leave", "Leave", "Ask.")
    address = str(repository.path)
    source = actions.add_source(kind="git", address=address)
    repository.repo.refs[Ref(b"refs/heads/next")] = repository.repo.head()
    again = actions.add_source(kind="git", address=address, options={"branch": "next"})
    assert again.pk == source.pk
    assert GitConnector(address, again.options).place == GitConnector(address, {}).place
    with pytest.raises(IntegrityError), transaction.atomic():
        Source.objects.create(kind="git", address=address, name="x", slug="x", audience=source.audience)
