"""The whole river on OpenSearch: what people find while it is away, gone, or behind the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from knowledge import index, indexing
from knowledge.access import Viewer
from knowledge.documents import Query, Scope
from knowledge.index import IndexProblem, generations
from knowledge.models import Resource
from knowledge.search import AWAY, search
from knowledge.typeahead import suggest
from tests.knowledge.conftest import sync
from tests.services import relay as faults
from tests.services.opensearch import Cluster, options
from tests.services.relay import Relay

pytestmark = [
    pytest.mark.opensearch,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_opensearch"),
]


def test_a_cluster_that_is_gone_in_mid_rebuild_is_waited_for(
    relay: Relay, source: Any, write: Callable[..., Path], make_person: Any, caplog: pytest.LogCaptureFixture,
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    options(settings, patience=0.2)
    for number in range(60):
        write(f"{number}.md", f"Kettle {number}", "It stands on a shelf.")
    sync(source)
    indexing.index_changes()
    ana = Viewer.of(make_person("ana"))
    assert search("shelf", ana).total == 60
    first = generations.current()
    with index.writing_alone():
        begun = generations.begin()
    monkeypatch.setattr(indexing, "BATCH", 20)
    relay.where, relay.for_ever = "", True
    wrong: list[faults.Fault] = [faults.hangs_up]
    done: list[int] = []

    def stop(written: int) -> None:
        done.append(written)
        if len(done) == 2:
            relay.faults = wrong

    with pytest.raises(IndexProblem, match="OPENSEARCH_URL"):
        indexing.rebuild(fresh=False, report=stop)
    assert len(done) == 2

    page = search("kettle", ana)
    assert (page.total, page.notice) == (50, AWAY)
    assert [group.name for group in suggest("kett", ana)] == ["searches"]
    with caplog.at_level(logging.ERROR):
        assert indexing.index_changes() == 0
    assert "tried again" in caplog.text

    relay.faults = []
    assert generations.active() == [first, begun]
    indexing.index_changes()
    assert generations.active() == [begun]
    assert search("shelf", ana).total == 60


def test_everything_gone_is_built_again(
    on_opensearch: Cluster, source: Any, write: Callable[..., Path], make_person: Any
) -> None:
    write("a.md", "Kettle", "It stands on a shelf.")
    sync(source)
    indexing.index_changes()
    ana = Viewer.of(make_person("ana"))
    assert search("shelf", ana).total == 1
    prefix = index.engine_class()[2]["prefix"]
    on_opensearch.ask(f"/{prefix}-*?expand_wildcards=all", method="DELETE")
    page = search("kettle", ana, remember=False)
    assert page.total >= 1
    indexing.index_changes()
    assert search("shelf", ana).total == 1


def test_rights_move_with_the_next_batch(source: Any, write: Callable[..., Path], make_person: Any) -> None:
    write("a.md", "Kettle", "It stands on a shelf.")
    sync(source)
    indexing.index_changes()
    ana = Viewer.of(make_person("ana"))
    assert search("shelf", ana).total == 1
    write("a.md", "Kettle", "It stands on a shelf.", audience="[finance]")
    sync(source)
    assert search("shelf", ana).total == 0  # before the index knows
    indexing.index_changes()
    assert Resource.objects.behind().count() == 0
    assert search("shelf", ana).total == 0
    assert (
        index.open_for_reading().search(Query(words=("shelf",)), Scope(frozenset({source.pk}), ana.tokens)).total == 0
    )
