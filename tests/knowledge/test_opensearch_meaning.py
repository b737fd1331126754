"""Search by meaning where the cluster finds the nearest: the whole river, and what is away on its way."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from knowledge import index, indexing
from knowledge.access import Viewer
from knowledge.documents import EVERYONE, ResultPage
from knowledge.index import IndexProblem
from knowledge.index.opensearch_client import cluster
from knowledge.index.opensearch_vectors import Passages
from knowledge.meaning import embedding, looking, store
from knowledge.meaning.embedding import embed
from knowledge.models import Audience, Resource, Source, VectorStamp
from knowledge.search import search
from tests.knowledge.conftest import sync
from tests.meaning import Letters
from tests.services import relay as faults
from tests.services.opensearch import Cluster, options
from tests.services.relay import Relay, relaying

pytestmark = [pytest.mark.opensearch, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_knn")]

ANYBODY = Viewer(None, frozenset({EVERYONE}))
ANAGRAM = "retnirp eht"
"""Means "the printer" to whoever counts letters, and stands nowhere."""


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    encoder = Letters()
    for module in (looking, embedding):
        monkeypatch.setattr(module, "chosen", lambda **_: encoder)
    return encoder


@pytest.fixture
def knn(on_knn: Cluster, settings: LazySettings) -> Iterator[Relay]:
    """All that is said to the cluster passes a relay, which may go wrong."""
    with relaying(on_knn.addresses[0]) as between:
        options(settings, addresses=[between.address])
        yield between
        cluster((between.address,), "", "", "").close()


@pytest.fixture
def pages(source: Source, write: Callable[..., Path], letters: Letters) -> Source:
    write("away.md", "Absence", "Everyone accrues twenty-five days of paid holiday.")
    write("printer.md", "Printer", "The printer on the second floor jams.")
    sync(source)
    indexing.index_changes()
    assert embed(encoder=letters) == 3
    return source


def titles(page: ResultPage) -> list[str]:
    return [result.resource.title for result in page.results]


def test_the_cluster_is_asked_and_this_machine_keeps_no_vector(knn: Relay, pages: Source) -> None:
    knn.asked.clear()
    page = search(ANAGRAM, ANYBODY)
    assert titles(page)[0] == "Printer"
    assert dict(page.results[0].reasons).keys() == {"meaning"}
    assert page.results[0].passages[0].by_meaning
    asked = [path for _, path in knn.asked if "-vectors" in path]
    assert len(asked) <= 3, "the nearest, the cosines of all candidates, the passages of those shown"
    assert not store.root().exists()
    assert embedding.status()["passages"] == 3
    assert "meaning" in dict(search("printer", ANYBODY).results[0].reasons)


def test_rights_are_the_index_s_and_those_of_the_moment(pages: Source) -> None:
    row = Resource.objects.get(title="Printer")
    row.audience = Audience.objects.of(["team:7"])
    row.save()
    assert "Printer" not in titles(search(ANAGRAM, ANYBODY)), "before index and vectors know"
    indexing.index_changes()
    assert Resource.objects.behind().count() == 0
    assert "Printer" not in titles(search(ANAGRAM, ANYBODY))
    assert titles(search(ANAGRAM, Viewer(None, frozenset({EVERYONE, "team:7"}))))[0] == "Printer"


def test_what_is_gone_is_forgotten(pages: Source, folder: Path) -> None:
    (folder / "printer.md").unlink()
    sync(pages)
    assert "Printer" not in titles(search(ANAGRAM, ANYBODY))
    indexing.index_changes()
    assert embedding.status()["passages"] == 2


def test_rights_that_cannot_be_told_to_the_vectors_are_not_recorded(
    knn: Relay, pages: Source, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    row = Resource.objects.get(title="Printer")
    row.audience = Audience.objects.of(["team:7"])
    row.save()
    knn.where, knn.faults, knn.for_ever = "_mget", [faults.refuses(400, "illegal_argument_exception")], True
    with caplog.at_level(logging.ERROR):
        assert indexing.index_changes() == 0
    assert Resource.objects.behind().count() == 1, "it stays out of every answer"
    knn.faults = []
    assert indexing.index_changes() == 1
    assert Resource.objects.behind().count() == 0
    assert "Printer" not in titles(search(ANAGRAM, ANYBODY))


def test_a_cluster_that_does_not_say_what_is_near_is_searched_by_words(
    knn: Relay, pages: Source, caplog: pytest.LogCaptureFixture
) -> None:
    knn.where, knn.faults, knn.for_ever = "-vectors-", [faults.refuses(500, "k_nn_exception")], True
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            page = search("printer", ANYBODY)
            assert titles(page) == ["Printer"]  # with meaning there would be more of them
            assert (page.notice, dict(page.results[0].reasons).get("meaning")) == ("", None)
    assert sum("words alone" in record.getMessage() for record in caplog.records) == 1
    assert "SECRET" not in caplog.text
    knn.faults = []
    looking._resting.clear()
    assert titles(search(ANAGRAM, ANYBODY))[0] == "Printer"


@pytest.mark.parametrize("loss", ["index", "stamp", "restored"])
def test_lost_vectors_are_written_again_without_the_model(
    pages: Source, letters: Letters, on_knn: Cluster, loss: str
) -> None:
    kept = store.serving()
    assert kept is not None
    prefix = index.engine_class()[2]["prefix"]
    if loss == "index":
        on_knn.ask(f"/{prefix}-vectors-{kept[1].id}", method="DELETE")
    elif loss == "stamp":
        VectorStamp.objects.all().delete()
    else:
        VectorStamp.objects.update(rows=99, next_rows=99)
    assert titles(search("printer", ANYBODY))[0] == "Printer"
    letters.asked.clear()
    assert embed(encoder=letters) == 3
    assert letters.asked == ["size"]
    looking._resting.clear()
    assert titles(search(ANAGRAM, ANYBODY))[0] == "Printer"


def test_killed_while_it_writes_it_goes_on(
    source: Source, write: Callable[..., Path], letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("printer.md", "Printer", "The printer on the second floor jams.")
    sync(source)
    indexing.index_changes()
    true = Passages.write

    def killed(self: Passages, entries: Any) -> None:
        true(self, entries)
        raise SystemExit

    monkeypatch.setattr(Passages, "write", killed)
    with pytest.raises(SystemExit):
        embed(encoder=letters)
    monkeypatch.setattr(Passages, "write", true)
    assert embed(encoder=letters) == 2
    assert embedding.status()["passages"] == 2


def test_nobody_embeds_while_the_cluster_is_away(
    knn: Relay, pages: Source, letters: Letters, caplog: pytest.LogCaptureFixture
) -> None:
    knn.where, knn.faults, knn.for_ever = "", [faults.hangs_up], True
    with caplog.at_level(logging.WARNING):
        assert embed(encoder=letters) == 0
    assert "tried again" in caplog.text
    with pytest.raises(IndexProblem):
        store.serving()
    knn.faults = []
    assert embed(encoder=letters) == 0  # all is done


def test_vectors_of_a_folder_move_to_a_cluster_that_takes_them(
    source: Source, write: Callable[..., Path], letters: Letters, settings: LazySettings
) -> None:
    """As when somebody outgrows one machine: nothing is asked of the model again."""
    settings.SEARCH_ENGINE = "tantivy"
    write("printer.md", "Printer", "The printer on the second floor jams.")
    sync(source)
    indexing.index_changes()
    assert embed(encoder=letters) == 2
    settings.SEARCH_ENGINE = "opensearch"
    indexing.index_changes()
    letters.asked.clear()
    assert embed(encoder=letters) == 2
    assert letters.asked == []
    assert titles(search(ANAGRAM, ANYBODY))[0] == "Printer"
    assert [path for path in store.root().iterdir() if path.is_dir()] == []
    shutil.rmtree(store.root())
    assert titles(search(ANAGRAM, ANYBODY))[0] == "Printer"
