"""Nodes of a real OpenSearch cluster are killed while documents are written and searched."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from django.conf import LazySettings

from knowledge import index
from knowledge.documents import EVERYONE, IndexDocument, Query, Scope
from knowledge.index import IndexProblem, generations
from knowledge.index.opensearch_client import cluster as asked
from tests.chaos.portal import wait_for
from tests.services.opensearch import Cluster, options, running

pytestmark = [pytest.mark.slow, pytest.mark.chaos, pytest.mark.opensearch]

BATCH = 20
HIDDEN = frozenset({"team:1"})
ANYBODY = Scope(frozenset({1}), frozenset({EVERYONE}))
BOTH = Scope(frozenset({1}), frozenset({EVERYONE, "team:1"}))
FIRST = date(2000, 1, 1)


@pytest.fixture
def nodes(settings: LazySettings) -> Iterator[Cluster]:
    with running(3, heap="384m") as cluster:
        options(settings, addresses=cluster.addresses, prefix="chaos", patience=20.0)
        settings.SEARCH_ENGINE = "opensearch"
        yield cluster
        asked(tuple(cluster.addresses), "", "", "").close()


class Writer(threading.Thread):
    """Writes documents and takes earlier ones out of sight, batch after batch; notes what was acknowledged."""

    def __init__(self, generation: str) -> None:
        super().__init__(daemon=True)
        self.generation = generation
        self.enough = threading.Event()
        self.last: dict[str, int] = {}
        """Key -> the number of the last batch with it that was acknowledged."""
        self.hidden: set[str] = set()
        self.again = 0

    def run(self) -> None:
        batch = 0
        while not self.enough.is_set():
            batch += 1
            fresh = [f"{batch:05}-{n:02}" for n in range(BATCH)]
            moved = [f"{batch - 1:05}-{n:02}" for n in range(0, BATCH, 4)] if batch > 1 else []
            documents = [self.document(key, batch, hidden=key in moved) for key in (*fresh, *moved)]
            while not self.enough.is_set():  # as the sweep does: the same work comes until it is done
                try:
                    with index.writer(self.generation) as engine:
                        engine.write(documents)
                    break
                except IndexProblem:
                    self.again += 1
                    time.sleep(0.2)
            else:
                return
            self.last.update((document.key, batch) for document in documents)
            self.hidden |= set(moved)

    @staticmethod
    def document(key: str, batch: int, *, hidden: bool) -> IndexDocument:
        audience = HIDDEN if hidden else frozenset({EVERYONE})
        day = FIRST + timedelta(days=batch)
        return IndexDocument(key, 1, "page", "Harbour", f"harbour w{key[-1]}", audience, not hidden, updated=day)


class Reader(threading.Thread):
    """Searches as somebody who may see only what is everyone's."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(daemon=True)
        self.writer = writer
        self.enough = threading.Event()
        self.good = self.refused = 0
        self.wrong: list[str] = []
        self.longest = 0.0

    def run(self) -> None:
        since = time.monotonic()
        while not self.enough.is_set():
            hidden, known = set(self.writer.hidden), len(self.writer.last) - len(self.writer.hidden)
            try:
                found = index.open_for_reading().search(Query(words=("harbour",)), ANYBODY, limit=300)
            except IndexProblem:
                self.refused += 1
                time.sleep(0.02)
                continue
            leaked = hidden & {candidate.key for candidate in found.candidates}
            self.wrong += sorted(leaked)
            if found.total < known - 2 * BATCH:  # what the batch under way takes out of sight is not yet noted
                self.wrong.append(f"{found.total} of {known}")
            self.good += 1
            time.sleep(0.05)  # many people read, but the machine is one
            self.longest = max(self.longest, time.monotonic() - since)
            since = time.monotonic()


def test_killed_nodes_lose_nothing_and_leak_nothing(nodes: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    generation = generations.begin()
    generations.promote(generation)
    nodes.wait_for("green")
    writer = Writer(generation)
    reader = Reader(writer)
    writer.start()
    reader.start()

    def manager() -> int:
        name = nodes.ask("/_cat/cluster_manager?format=json", number=next(iter(nodes.processes)))[0]["node"]
        return int(name.removeprefix("node-"))

    def goes_on(what: str) -> None:
        """More is acknowledged, and more is found."""
        written, read = len(writer.last), reader.good
        wait_for(lambda: len(writer.last) > written + 5 * BATCH, 120, f"documents are written {what}")
        wait_for(lambda: reader.good > read + 5, 120, f"searches are answered {what}")

    def without(number: int, what: str) -> float:
        goes_on(f"before {what}")
        reader.longest = 0.0
        nodes.kill(number)
        goes_on(f"without {what}")
        nodes.start(number)
        begun = time.monotonic()
        nodes.wait_for("green")
        goes_on(f"after {what}")
        return time.monotonic() - begun

    told: list[Callable[[], str]] = []
    for what in ("a data node", "the manager"):
        victim = manager() if what == "the manager" else next(n for n in range(3) if n != manager())
        seconds, gap = without(victim, what), reader.longest
        told.append(lambda what=what, seconds=seconds, gap=gap: f"{what}: gap {gap:.2f} s, green after {seconds:.0f} s")

    for number in range(3):
        os.kill(nodes.processes[number].pid, signal.SIGKILL)
    for number in range(3):
        nodes.kill(number)
    refused = reader.refused
    wait_for(lambda: reader.refused > refused + 5, 60, "searches are refused, not answered in part")
    begun = time.monotonic()
    for number in range(3):
        nodes.start(number)
    nodes.wait_for("green")
    told.append(lambda: f"all three: green after {time.monotonic() - begun:.0f} s")
    goes_on("after all three")

    writer.enough.set()
    writer.join(120)
    reader.enough.set()
    reader.join(120)
    assert not writer.is_alive()
    assert not reader.is_alive()
    assert reader.wrong == []
    with index.writer(generation) as engine:
        engine.write()
    engine = index.open_for_reading()
    found: dict[str, int] = {}
    hidden: set[str] = set()
    for end in range(10):
        query = Query(words=(f"w{end}",))
        some = engine.search(query, BOTH, limit=10_000).candidates
        found |= {one.key: (one.updated - FIRST).days for one in some if one.updated}
        hidden |= {one.key for one in some} - {
            one.key for one in engine.search(query, ANYBODY, limit=10_000).candidates
        }
    lost = {key: batch for key, batch in writer.last.items() if found.get(key, -1) < batch}
    assert lost == {}
    assert writer.hidden <= hidden
    with capsys.disabled():
        lines = "; ".join(line() for line in told)
        print(f"\n{len(writer.last)} acknowledged, 0 lost, {reader.good} searches, {writer.again} tries again; {lines}")  # noqa: T201
