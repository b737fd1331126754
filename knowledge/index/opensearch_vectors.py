"""Vectors beside the documents of an OpenSearch cluster that has the k-NN plugin: the cluster finds the nearest itself.

They have an index of their own: a document for each of the portal's, with who
may see it, and its passages as nested documents. So generations of the other
index come and go without it, and an answer names each document once, by its
nearest passage. The scope is inside the question: of what it leaves out
nothing is chosen, not even to be left out later.

The alias ``<prefix>-vectors`` names the index that serves. Writes bear the
turn of whoever may write (see `opensearch_shelf.Lease`), so a writer that was
taken for dead cannot put back what its follower changed.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Entry, Near, Rights, Scope
from knowledge.index import IndexUnreachable, opensearch_shelf
from knowledge.index.opensearch_bulk import Operation, send, show
from knowledge.index.opensearch_client import Cluster, Refused
from knowledge.index.opensearch_query import Clause, any_of, inside
from knowledge.index.schema import audience_digest

logger = logging.getLogger(__name__)

LAYOUT = 1
"""Raise it when an index holds something else."""
WIDE = 100
"""So many are looked for at the least: a graph that is searched for few misses some of them."""
WIDEST = 10_000
"""The plugin looks for no more. Where no more passages than that are in question, it compares each of them."""
KNOWN = 5.0
"""Seconds for which a process that only looks takes what serves for what it was."""
SECONDS = 2.0
"""How long a search waits for an answer."""
PATIENCE = 30.0
"""Seconds for which something is written again to a cluster that refuses it for the moment."""
_AT_ONCE = 100
"""Documents that are read whole in one answer."""

WRITER = "writer"
"""What it is called to be the one who writes."""

_turns = itertools.count(1)


def definition(size: int, shards: int, replicas: str) -> dict[str, Any]:
    """Settings and mapping for vectors of this size. The plugin's engine ``lucene`` is Java alone, as OpenSearch is."""
    method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    vector = {"type": "knn_vector", "dimension": size, "data_type": "byte", "method": method}
    seen = {"type": "keyword", "doc_values": False}
    told = {"type": "keyword"}
    return {
        "settings": {
            "index.knn": True,
            "number_of_shards": shards,
            "auto_expand_replicas": replicas,
            "refresh_interval": -1,
            "gc_deletes": "10m",
        },
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "key": told,
                "source": seen,
                "audience": seen,
                "passages": {"type": "nested", "properties": {"hash": told, "vector": vector}},
                "meta": {"type": "object", "enabled": False},
            },
        },
    }


class Beside:
    """Where the vectors of one installation stand in a cluster."""

    def __init__(self, cluster: Cluster, prefix: str, shards: int, replicas: str) -> None:
        self._cluster, self._prefix = cluster, prefix
        self._shards, self._replicas = shards, replicas

    def alone(self, name: str, patience: float) -> AbstractContextManager[None]:
        """Keep others from what ``name`` means, on all machines. Raises `WriterBusy`."""
        return opensearch_shelf.holding(_lease(self._cluster, self._prefix, name), patience)

    def serving(self, *, now: bool = True) -> Passages | None:
        """The index that serves, if there is one; unless it must be as it is ``now``, as it was a moment ago."""
        place = id(self._cluster), self._prefix
        seen, found = _seen.get(place, (0.0, None))
        if now or time.monotonic() - seen > KNOWN:
            found = self._serving()
            self._note(found)
        return found

    def _serving(self) -> Passages | None:
        told = self._cluster.ask("GET", f"/{self._prefix}-vectors/_doc/{opensearch_shelf.META}", absent=True)
        meta = told.get("_source", {}).get("meta", {})
        return Passages(self._cluster, self._prefix, meta) if meta.get("layout") == LAYOUT else None

    def _note(self, found: Passages | None) -> None:
        with _seeing:
            if len(_seen) > 50:
                _seen.clear()
            _seen[id(self._cluster), self._prefix] = time.monotonic(), found

    def begin(self, model: str, size: int) -> Passages | None:
        """An empty index for vectors of this model and size, which serves from now on; what served before is removed.

        `None` where the cluster keeps no vectors: it has no k-NN plugin, or not on every node.
        """
        meta = {"id": uuid.uuid4().hex[:12], "model": model, "size": size, "layout": LAYOUT, "rows": 0}
        index = f"{self._prefix}-vectors-{meta['id']}"
        try:
            made = definition(size, self._shards, self._replicas)
            opensearch_shelf.make(self._cluster, index, made, meta)
        except Refused as refused:
            logger.info("vectors stay in a folder: OpenSearch takes none (%s)", refused)
            return None
        alias = f"{self._prefix}-vectors"
        before = {"remove": {"index": f"{alias}-*", "alias": alias, "must_exist": False}}
        actions = [before, {"add": {"index": index, "alias": alias}}]
        self._cluster.ask("POST", "/_aliases", {"actions": actions}, patience=10, seconds=40)
        for other in self._cluster.ask("GET", f"/{alias}-*/_settings?filter_path=*.settings.index.uuid"):
            if other != index:
                self._cluster.ask("DELETE", f"/{other}", absent=True, patience=10, seconds=40)
        found = Passages(self._cluster, self._prefix, meta)
        self._note(found)
        return found


def _lease(cluster: Cluster, prefix: str, name: str) -> opensearch_shelf.Lease:
    return opensearch_shelf.lease_of(cluster, prefix, f"vectors-{name}")


_seen: dict[tuple[int, str], tuple[float, Passages | None]] = {}
_seeing = threading.Lock()


class Passages:
    """One index of vectors; see `knowledge.meaning.Kept`."""

    def __init__(self, cluster: Cluster, prefix: str, meta: Mapping[str, Any]) -> None:
        self.about = dict(meta)
        self.id, self.size, self.rows = str(meta["id"]), int(meta["size"]), int(meta["rows"])
        self._cluster, self._prefix = cluster, prefix
        self._index = f"{prefix}-vectors-{self.id}"

    # Reading ------------------------------------------------------------------------------------------------------

    def look(self, vector: NDArray[np.float32], scope: Scope) -> Nearest:
        """How near each document is to a question's vector, for whoever has this scope."""
        return Nearest(self, vector, scope)

    def count(self) -> int:
        """Passages of all documents."""
        asked = {"size": 0, "aggs": {"passages": {"nested": {"path": "passages"}}}}
        return int(self.ask(asked)["aggregations"]["passages"]["doc_count"])

    def ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a search, whole. Raises `IndexUnreachable` when a part of the index does not answer."""
        path = f"/{self._index}/_search?allow_partial_search_results=false"
        found = self._cluster.ask("POST", path, body, patience=0, seconds=SECONDS)
        if found.get("timed_out") or found["_shards"]["successful"] != found["_shards"]["total"]:
            raise IndexUnreachable("A part of the vectors does not answer just now: see that all nodes run.")
        return found

    # Writing: by whoever holds the right ----------------------------------------------------------------------------

    def write(self, entries: Sequence[Entry]) -> None:
        """Put documents in the place of what was known of them."""
        self._send(
            (entry.key, {**_rights(entry.key, entry.rights), "passages": [_passage(one) for one in entry.passages]})
            for entry in entries
        )
        self.rows += len(entries)
        opensearch_shelf.note(self._cluster, self._index, meta={"rows": self.rows})

    def remove(self, keys: Iterable[str]) -> None:
        """Let nobody find these documents, and keep nothing of what they said."""
        self._send((key, None) for key in keys)

    def change(self, rights: Mapping[str, Rights]) -> None:
        """Let these documents be seen by whom they say from now on, where they are known."""
        wanted = {key: _rights(key, said) for key, said in rights.items()}
        known = self._documents(list(wanted), "?_source_includes=key,source,audience")
        other = [key for key, said in known.items() if said != wanted[key]]
        for start in range(0, len(other), _AT_ONCE):
            whole = self._documents(other[start : start + _AT_ONCE])
            self._send((key, {**said, **wanted[key]}) for key, said in whole.items())

    def tidy(self) -> Passages:
        """OpenSearch gives back the room of what is gone by itself."""
        return self

    def _documents(self, keys: Sequence[str], part: str = "") -> dict[str, dict[str, Any]]:
        """What is known of these documents, of those that are here, as it was written last."""
        if not keys:
            return {}
        found = self._cluster.ask("POST", f"/{self._index}/_mget{part}", {"ids": list(keys)}, patience=10, seconds=40)
        return {one["_id"]: one["_source"] for one in found["docs"] if one.get("found")}

    def _send(self, documents: Iterable[tuple[str, dict[str, Any] | None]]) -> None:
        """Write documents, or remove them, and let every reader see it."""
        lease = _lease(self._cluster, self._prefix, WRITER)
        lease.check()
        version = lease.turn << 32 | next(_turns) & 0xFFFFFFFF
        operations = [
            Operation.delete(key, version) if said is None else Operation.index(key, version, said)
            for key, said in documents
        ]
        if operations:
            deadline = time.monotonic() + PATIENCE
            send(self._cluster, opensearch_shelf.writes(self._index), operations, deadline)
            show(self._cluster, self._index, deadline)


def _rights(key: str, rights: Rights) -> dict[str, Any]:
    tokens = sorted(audience_digest(token) for token in rights.tokens)
    return {"key": key, "source": str(rights.source), "audience": tokens}


def _passage(packed: Any) -> dict[str, Any]:
    return {"hash": packed.hash.hex(), "vector": np.frombuffer(packed.numbers, np.int8).tolist()}


class Nearest:
    """See `knowledge.meaning.Look`. Each question goes to the cluster when it is put."""

    def __init__(self, passages: Passages, vector: NDArray[np.float32], scope: Scope) -> None:
        self._passages, self._scope = passages, scope
        self._numbers: list[int] = []
        if len(vector) == passages.size and scope.sources and scope.audience:
            largest = max(float(np.abs(vector).max()), 1e-9)
            self._numbers = np.rint(vector / largest * 127).astype(np.int8).tolist()
        self._nearest: list[str] = []
        self._hashes: dict[str, bytes] = {}

    def best(self, count: int, least: float) -> list[Near]:
        """At most ``count`` documents whose nearest passage is at least so like the question, the nearest first."""
        hits = self._asked(max(count, WIDE), size=count, min_score=max(0.0, (1 + least) / 2))
        found = sorted((Near(_key(hit), _cosine(hit)) for hit in hits), key=lambda one: (-one.cosine, one.key))
        self._nearest = [near.key for near in found[:WIDE]]
        return found

    def of(self, keys: Iterable[str]) -> dict[str, float]:
        """The cosines of these documents, of those that are known and may be seen."""
        keys = list(keys)
        return {_key(hit): _cosine(hit) for hit in self._asked(WIDEST, keys, size=len(keys))}

    def passage(self, key: str) -> bytes | None:
        """The hash of a document's nearest passage; the first time it is asked for many at once."""
        if key not in self._hashes:
            keys = list({key, *(() if self._hashes else self._nearest)})
            for hit in self._asked(WIDEST, keys, size=len(keys), inner=True):
                (best,) = hit["inner_hits"]["passages"]["hits"]["hits"]
                self._hashes[_key(hit)] = bytes.fromhex(best["fields"]["passages.hash"][0])
        return self._hashes.get(key)

    def _asked(
        self, wide: int, keys: Collection[str] | None = None, *, size: int, inner: bool = False, **more: Any
    ) -> list[dict[str, Any]]:
        """The nearest documents of the scope, or of these in it, each with the score of its nearest passage."""
        if not self._numbers or not size:
            return []
        filters: list[Clause] = [] if keys is None else [any_of("key", keys)]
        near = {"vector": self._numbers, "k": min(wide, WIDEST), "filter": {"bool": inside(self._scope, filters)}}
        nested = {"path": "passages", "score_mode": "max", "query": {"knn": {"passages.vector": near}}}
        if inner:
            nested["inner_hits"] = {"size": 1, "_source": False, "docvalue_fields": ["passages.hash"]}
        body = {"size": size, "query": {"nested": nested}, "track_total_hits": False, **more}
        found: list[dict[str, Any]]
        found = self._passages.ask({**body, "_source": False, "docvalue_fields": ["key"]})["hits"]["hits"]
        return found


def _key(hit: Mapping[str, Any]) -> str:
    return str(hit["fields"]["key"][0])


def _cosine(hit: Mapping[str, Any]) -> float:
    """Of the plugin's score, which is never below zero."""
    return 2 * float(hit["_score"]) - 1
