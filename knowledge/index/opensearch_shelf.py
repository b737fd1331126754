"""Generations as indices of an OpenSearch cluster, and the right to write them, held by one process of all machines.

An index ``<prefix>-<id>`` is one generation; the aliases ``<prefix>-current``
and ``<prefix>-building`` say which part it plays, and a swap is one change of
aliases. Its document ``meta`` holds what it says of itself. Writes go by an
alias of its own, because OpenSearch would make an index that is not there.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from knowledge.index import IndexMissing, IndexProblem, WriterBusy
from knowledge.index.generations import ID, Part, wait_or_give_up
from knowledge.index.opensearch_client import Cluster, Conflict, Refused

GRACE = 60.0
"""Seconds that a generation stays after another took its place: readers that began with it end with it."""
LEASE = 30.0
"""Seconds after which a writer that gives no sign of life is taken for dead."""
BEGINNING = 1_577_836_800
"""The first second of 2020: turns are counted from it, for one must have room beside a count in 63 bits."""
META = "meta"
"""The document of an index that is none of its documents."""


def writes(index: str) -> str:
    """The name that an index is written by."""
    return f"{index}-writes"


class Indices:
    """See `knowledge.index.generations.Shelf`."""

    def __init__(self, cluster: Cluster, prefix: str, definition: dict[str, Any]) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._definition = definition

    def playing(self, part: Part) -> dict[str, Any]:
        return self._meta(f"{self._prefix}-{part.lower()}")

    def meta(self, generation: str) -> dict[str, Any]:
        return self._meta(f"{self._prefix}-{generation}")

    def _meta(self, name: str) -> dict[str, Any]:
        found = self._cluster.ask("GET", f"/{name}/_doc/{META}", absent=True)
        meta = found.get("_source", {}).get("meta")
        if not isinstance(meta, dict):
            return {}
        return {**meta, "id": found["_index"].removeprefix(f"{self._prefix}-")}

    def write_meta(self, generation: str, meta: dict[str, Any]) -> None:
        note(self._cluster, f"{self._prefix}-{generation}", meta=meta)

    def make(self, generation: str, meta: dict[str, Any]) -> None:
        index = f"{self._prefix}-{generation}"
        make(self._cluster, index, self._definition, meta)
        self._point([self._nobody("building"), {"add": {"index": index, "alias": f"{self._prefix}-building"}}])

    def serve(self, generation: str) -> None:
        index = f"{self._prefix}-{generation}"
        before = self.playing("CURRENT").get("id")
        building = {"index": index, "alias": f"{self._prefix}-building", "must_exist": False}
        self._point(
            [
                self._nobody("current"),
                {"remove": building},
                {"add": {"index": index, "alias": f"{self._prefix}-current"}},
            ]
        )
        if before and before != generation:
            with suppress(IndexMissing):
                note(self._cluster, f"{self._prefix}-{before}", meta={"retired": time.time()})

    def _nobody(self, part: str) -> dict[str, Any]:
        return {"remove": {"index": f"{self._prefix}-*", "alias": f"{self._prefix}-{part}", "must_exist": False}}

    def _point(self, actions: list[dict[str, Any]]) -> None:
        self._cluster.ask("POST", "/_aliases", {"actions": actions}, patience=10, seconds=40)

    def discard(self, generation: str) -> None:
        self._cluster.ask("DELETE", f"/{self._prefix}-{generation}", absent=True, patience=10, seconds=40)

    def sweep(self, kept: Collection[str]) -> int:
        asked = f"/{self._prefix}-*/_settings?filter_path=*.settings.index.creation_date"
        freed = 0
        for index, found in self._cluster.ask("GET", asked, absent=True).items():
            generation = index.removeprefix(f"{self._prefix}-")
            if ID.fullmatch(generation) and generation not in kept:
                made = float(found["settings"]["index"]["creation_date"]) / 1000
                if time.time() - float(self.meta(generation).get("retired", made)) > GRACE:
                    size = self._cluster.ask("GET", f"/{index}/_stats/store", absent=True)
                    freed += size.get("_all", {}).get("total", {}).get("store", {}).get("size_in_bytes", 0)
                    self.discard(generation)
        return freed

    def clear(self) -> None:
        asked = f"/{self._prefix}-*/_settings?filter_path=*.settings.index.uuid"
        for index in self._cluster.ask("GET", asked, absent=True):
            self._cluster.ask("DELETE", f"/{index}", absent=True, patience=10, seconds=40)

    def alone(self, patience: float) -> AbstractContextManager[None]:
        return holding(lease_of(self._cluster, self._prefix), patience)


def make(cluster: Cluster, index: str, definition: dict[str, Any], meta: dict[str, Any]) -> None:
    """Make an empty index that says this of itself."""
    aliases: dict[str, Any] = {writes(index): {}}
    with suppress(IndexExists):
        _create(cluster, index, {**definition, "aliases": aliases})
    cluster.ask("PUT", f"/{writes(index)}/_doc/{META}?require_alias=true", {"meta": meta}, patience=10, seconds=40)


class IndexExists(IndexProblem):
    """It was made already; by a request of ours that was answered too late, if the name is one by chance."""


def _create(cluster: Cluster, index: str, definition: dict[str, Any]) -> None:
    try:
        cluster.ask("PUT", f"/{index}", definition, patience=10, seconds=40)
    except Refused as refused:
        if refused.kind == "resource_already_exists_exception":
            raise IndexExists from refused
        raise


def note(cluster: Cluster, index: str, **said: Any) -> None:
    """Add to what an index says of itself. Raises `IndexMissing`."""
    path = f"/{writes(index)}/_update/{META}?require_alias=true&retry_on_conflict=3"
    cluster.ask("POST", path, {"doc": said}, patience=10, seconds=40)


# The one writer ---------------------------------------------------------------------------------------------------


class Lease:
    """The right to write, for one process at a time, wherever it runs; and a number that grows with every holder.

    Its document is renewed while the right is held. A holder on this machine
    whose process is gone has lost it at once, one elsewhere when its document
    has not changed for `LEASE` seconds as they pass here: no two clocks are
    compared. Whoever goes on writing unawares is refused by the versions of
    documents, which begin with `turn`.
    """

    def __init__(self, cluster: Cluster, prefix: str, name: str = "lease") -> None:
        self._cluster = cluster
        self._index = f"{prefix}-writer"
        self._name = name
        self._owner = uuid.uuid4().hex
        self._host = socket.gethostname()
        self._lock = threading.Lock()
        self._held: dict[str, Any] = {}
        self._enough = threading.Event()
        self._seen: tuple[Any, float] = (None, 0.0)
        self.turn = 0

    @property
    def held(self) -> bool:
        """Whether this process has the right now."""
        return bool(self._held)

    def take(self) -> bool:
        """Take the right, if nobody has it."""
        with self._lock:
            if self._held:
                return False
            found = self._cluster.ask("GET", f"/{self._index}/_doc/{self._name}", absent=True)
            before = found.get("_source", {})
            if before.get("owner") and not self._is_dead(before, found):
                return False
            if found.get("found"):
                condition = f"if_seq_no={found['_seq_no']}&if_primary_term={found['_primary_term']}"
            else:
                condition = "op_type=create"
                with suppress(IndexExists):
                    settings = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}
                    _create(self._cluster, self._index, {"settings": settings, "mappings": {"dynamic": False}})
            turn = max(before.get("turn", 0) + 1, int(time.time()) - BEGINNING)
            told = {"owner": self._owner, "host": self._host, "pid": os.getpid(), "turn": turn}
            try:
                self._held = self._cluster.ask("PUT", f"/{self._index}/_doc/{self._name}?{condition}", told)
            except Conflict:
                return False
            self.turn = turn
            self._enough = threading.Event()
            threading.Thread(target=self._renew, args=(told, self._enough), name="lease", daemon=True).start()
            return True

    def _is_dead(self, holder: dict[str, Any], found: dict[str, Any]) -> bool:
        if holder.get("host") == self._host:
            pid = holder.get("pid")
            if pid == os.getpid():  # a process of this number before, or this one, which could not say that it left
                return not any(lease.held and lease._owner == holder["owner"] for lease in list(_leases.values()))
            return not Path(f"/proc/{pid}").exists()
        sign = holder["owner"], found["_seq_no"]
        if self._seen[0] != sign:
            self._seen = sign, time.monotonic()
        return time.monotonic() - self._seen[1] > LEASE

    def _renew(self, told: dict[str, Any], enough: threading.Event) -> None:
        while not enough.wait(LEASE / 3):
            with self._lock:
                if enough.is_set():
                    return
                try:
                    self._held = self._cluster.ask("PUT", self._path(), told, patience=0, seconds=5)
                except Conflict:
                    self._held = {}  # another holder took us for dead
                    return
                except IndexProblem:
                    continue

    def leave(self) -> None:
        """Give the right back; when that cannot be said, it ends by itself."""
        self._enough.set()
        with self._lock:
            held, path = self._held, self._path() if self._held else ""
            self._held = {}
            if held:
                with suppress(IndexProblem):
                    self._cluster.ask("PUT", path, {"owner": "", "turn": self.turn}, patience=0, seconds=5)

    def _path(self) -> str:
        condition = f"if_seq_no={self._held['_seq_no']}&if_primary_term={self._held['_primary_term']}"
        return f"/{self._index}/_doc/{self._name}?{condition}"

    def check(self) -> None:
        """Raise `WriterBusy` unless this process has the right."""
        if not self._held:
            raise WriterBusy("Another process is writing the index. It is tried again later; nothing is lost.")


_leases: dict[tuple[int, int, str, str], Lease] = {}
_making = threading.Lock()


def lease_of(cluster: Cluster, prefix: str, name: str = "lease") -> Lease:
    """A lease of these indices as this process sees it; by default the one to write documents."""
    with _making:
        return _leases.setdefault((os.getpid(), id(cluster), prefix, name), Lease(cluster, prefix, name))


@contextmanager
def holding(lease: Lease, patience: float) -> Iterator[None]:
    """Have this right inside. Raises `WriterBusy` when another has it for so many seconds."""
    deadline = time.monotonic() + patience
    while not lease.take():
        wait_or_give_up(deadline)
    try:
        yield
    finally:
        lease.leave()
