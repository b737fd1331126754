"""The third engine: an OpenSearch cluster, for those who outgrow one machine.

Terms are made by our own analysis, here as for the other engines; OpenSearch
only splits at spaces. Its answers are whole or refused, never partial, and a
batch is seen once it is complete: nothing but the end of a batch lets readers
see what was sent.
"""

from __future__ import annotations

import base64
import os
import re
import threading
import time
import uuid
import weakref
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from knowledge.documents import Candidate, IndexDocument, Query, Scope
from knowledge.index import (
    ANYTHING,
    IndexProblem,
    IndexUnreachable,
    Matches,
    Statistics,
    WriterBusy,
    near,
    opensearch_shelf,
    opensearch_vectors,
    schema,
)
from knowledge.index.analysis import STEMMERS, analyse, language_code, terms_of, tokens, topic_key, topic_words
from knowledge.index.asked import expanded, wishless
from knowledge.index.opensearch_bulk import Operation, send, show
from knowledge.index.opensearch_client import Cluster, cluster
from knowledge.index.opensearch_query import Clause, any_of, begins, either, inside, matching, term

_FREQUENCIES_KEPT = 50_000
_COUNTED_AT_ONCE = 200
_BUCKETS = 10_000
_ANSWER = "filter_path=timed_out,_shards,hits.total,hits.hits,aggregations,error.type,error.root_cause.type"
_LANGUAGES = sorted(STEMMERS)
_FACETS = {name: {"terms": {"field": name, "size": _BUCKETS}} for name in ("kind", "source", "topic")}
_NAMED: dict[str, Any] = {"stored_fields": "_none_", "docvalue_fields": ["key"], "version": True}
"""A hit tells its key and version, and nothing that would have to be unpacked."""
_SPELT = re.compile(r'([.?+*|{}\[\]()"\\#@&<>~^$-])')
LONGEST_RAW = 8_000
"""Characters of a raw value that are indexed: Lucene takes no term of more than 32,766 bytes."""


def definition(shards: int, replicas: str) -> dict[str, Any]:
    """Settings and mapping of an index, made of `schema.FIELDS`."""
    fields = {name: _field(said) for name, said in schema.FIELDS.items()}
    for name in ("name", "topic_words"):
        fields[name]["fields"] = {"begins": {**_DOCS, "analyzer": "beginnings", "search_analyzer": "whitespace"}}
    fields["key"]["doc_values"] = True  # each hit tells it
    fields["words"] = fields["title_words"] = {"type": "keyword"}  # each token once, to be counted
    fields["meta"] = {"type": "object", "enabled": False}
    stored = [name for name, said in schema.FIELDS.items() if "stored" in said.partition(":")[0]]
    return {
        "settings": {
            "number_of_shards": shards,
            "auto_expand_replicas": replicas,
            "refresh_interval": -1,
            "gc_deletes": "10m",  # so long may a write be late and still be told from what came after it
            "analysis": {
                "analyzer": {"beginnings": {"tokenizer": "whitespace", "filter": ["beginnings"]}},
                "filter": {"beginnings": {"type": "edge_ngram", "min_gram": 1, "max_gram": 32}},
            },
        },
        "mappings": {
            "dynamic": "strict",
            "_source": {"includes": [*stored, "day", "meta", "meta.*"]},
            "properties": fields,
        },
    }


_DOCS = {"type": "text", "analyzer": "whitespace", "norms": False, "index_options": "docs"}


def _field(said: str) -> dict[str, Any]:
    """One field, as its description in the schema begins."""
    kind = said.partition(":")[0]
    if kind.startswith("raw"):
        return {"type": "keyword", "doc_values": "fast" in kind, "ignore_above": LONGEST_RAW}
    if kind.startswith("number"):
        return {"type": "long"}
    if kind.startswith("stored"):
        return {"type": "binary"}
    if "with places" in kind:
        gap = {"position_increment_gap": 100}
        return {**_DOCS, **gap, "index_options": "positions"}
    if "with counts" in kind:
        return {**_DOCS, "norms": True, "index_options": "freqs"}
    return dict(_DOCS)


class _Commit:
    """What is worth computing once for a commit, which readers know by its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frequencies: dict[str, int] = {}
        self.means: tuple[int, float, float] | None = None
        self.languages: tuple[str, ...] | None = None


class OpenSearchEngine:
    """See `knowledge.index.Engine`. ``addresses`` are those of the nodes, ``prefix`` begins the names of all indices.

    ``patience``: seconds for which a batch is sent again to a cluster that refuses it for the moment.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        addresses: Sequence[str],
        user: str = "",
        password: str = "",
        ca: str = "",
        prefix: str = "immersive",
        shards: int = 1,
        replicas: str = "0-1",
        patience: float = 60.0,
    ) -> None:
        self._cluster = cluster(tuple(addresses), user, password, ca)
        self._prefix = prefix
        self._patience = patience
        self._kept = schema.Kept()
        self._batches = 0
        self._leased = False
        self._lock = threading.Lock()
        if folder is None:
            self._index = f"{prefix}-scratch-{uuid.uuid4().hex[:12]}"
            made = definition(shards, replicas)
            opensearch_shelf.make(self._cluster, self._index, made, {"id": "scratch"})
            weakref.finalize(self, _drop, self._cluster, self._index)
        else:
            self._index = f"{prefix}-{folder.parent.name}"
        self._scratch = folder is None
        self._commit = _Commit(self._committed())

    @classmethod
    def shelf(cls, **options: Any) -> opensearch_shelf.Indices:
        """Where its generations stand; see `knowledge.index.generations.shelf`."""
        nodes, prefix, shards, replicas = _place(options)
        return opensearch_shelf.Indices(nodes, prefix, definition(shards, replicas))

    @classmethod
    def vectors(cls, **options: Any) -> opensearch_vectors.Beside:
        """Where vectors stand beside its documents, if the cluster can compare them; see `meaning.store`."""
        return opensearch_vectors.Beside(*_place(options))

    # Reading ------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        name = self._committed()
        if name != self._commit.name:
            self._commit = _Commit(name)

    def _committed(self) -> str:
        """The name of the last commit."""
        found = self._cluster.ask("GET", f"/{self._index}/_doc/{opensearch_shelf.META}")
        return str(found.get("_source", {}).get("meta", {}).get("commit", ""))

    def count(self) -> int:
        body = {"query": {"bool": {"must_not": [{"ids": {"values": [opensearch_shelf.META]}}]}}}
        return int(self._cluster.ask("POST", f"/{self._index}/_count", body)["count"])

    def languages(self) -> tuple[str, ...]:
        commit = self._commit
        if commit.languages is None:
            asked = {"filters": {"filters": [term("language", code) for code in _LANGUAGES]}}
            found = self._ask({"size": 0, "aggs": {"language": asked}})
            buckets = found["aggregations"]["language"]["buckets"]
            counts = zip(_LANGUAGES, (bucket["doc_count"] for bucket in buckets), strict=True)
            commit.languages = tuple(sorted(code for code, count in counts if count))
        return commit.languages

    def statistics(self, terms: Iterable[str]) -> Statistics:
        commit = self._commit
        wanted = list(terms)
        unknown = [one for one in dict.fromkeys(wanted) if one not in commit.frequencies]
        known = {one: commit.frequencies[one] for one in wanted if one in commit.frequencies}
        for start in range(0, len(unknown) or commit.means is None, _COUNTED_AT_ONCE):
            some = unknown[start : start + _COUNTED_AT_ONCE]
            body: dict[str, Any] = {"size": 0, "track_total_hits": True, "query": term("public", "1"), "aggs": {}}
            if commit.means is None:
                body["aggs"] = {name: {"avg": {"field": name}} for name in ("title_length", "body_length")}
            if some:
                body["aggs"]["terms"] = {"filters": {"filters": [term("text", one) for one in some]}}
            found = self._ask(body)
            told = found["aggregations"]
            if commit.means is None:
                means = [float(told[name]["value"] or 0.0) for name in ("title_length", "body_length")]
                commit.means = found["hits"]["total"]["value"], means[0], means[1]
            if some:
                counts = {one: bucket["doc_count"] for one, bucket in zip(some, told["terms"]["buckets"], strict=True)}
                if len(commit.frequencies) >= _FREQUENCIES_KEPT:
                    commit.frequencies.clear()
                commit.frequencies |= counts
                known |= counts
        assert commit.means is not None  # noqa: S101 - the first turn of the loop asked for them
        return Statistics(*commit.means, known)

    def search(self, query: Query, scope: Scope, *, limit: int = 300, minimum: int = 1, facets: bool = True) -> Matches:
        if not scope.sources or not scope.audience or not query:
            return Matches()
        asked = matching(expanded(query, self, scope), scope, minimum, self.languages())
        best = {"_score": "desc"} if query.speaks else {"day": "desc"}
        body: dict[str, Any] = {
            "size": limit,
            "query": asked,
            "sort": [best, {"name_rank": "desc"}],
            "track_total_hits": True,
            **_NAMED,
        }
        if facets:
            body["aggs"] = _FACETS
        found = self._ask(body)
        total = found["hits"]["total"]["value"]
        counted: dict[str, dict[str, int]] = {}
        if facets and total:
            for name, facet in found["aggregations"].items():
                counted[name] = schema.most(name, ((bucket["key"], bucket["doc_count"]) for bucket in facet["buckets"]))
        return Matches(self._candidates(found["hits"]["hits"], scope), total, counted)

    def fetch(self, keys: Iterable[str], scope: Scope, query: Query = ANYTHING) -> tuple[Candidate, ...]:
        keys = list(keys)
        if not scope.sources or not scope.audience or not keys:
            return ()
        asked = matching(expanded(wishless(query), self, scope), scope, 1, self.languages())
        wanted = {"bool": {"filter": [asked, any_of("key", keys)]}}
        body = {"size": len(keys), "query": wanted, "sort": ["_doc"], **_NAMED}
        return self._candidates(self._ask({**body, "track_total_hits": False})["hits"]["hits"], scope)

    def _candidates(self, hits: Sequence[dict[str, Any]], scope: Scope) -> tuple[Candidate, ...]:
        """The candidates of hits: those that were read before, and the others read inside the scope once more."""
        named = [(hit["fields"]["key"][0], hit["_version"]) for hit in hits]
        known = {name[0]: self._kept.get(name) for name in named}
        unknown = [key for key, candidate in known.items() if candidate is None]
        known |= self._read(unknown, scope)
        return tuple(candidate for candidate in known.values() if candidate is not None)

    def _read(self, keys: Sequence[str], scope: Scope) -> dict[str, Candidate]:
        """The candidates of these keys that are inside the scope."""
        found: dict[str, Candidate] = {}
        for start in range(0, len(keys), _BUCKETS):
            some = list(keys[start : start + _BUCKETS])
            asked = {"bool": inside(scope, [any_of("key", some)])}
            body = {"size": len(some), "query": asked, "sort": ["_doc"], "version": True, "track_total_hits": False}
            for hit in self._ask(body)["hits"]["hits"]:
                found[hit["_id"]] = self._kept.keep((hit["_id"], hit["_version"]), _candidate(hit["_source"]))
        return found

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a search, whole. Raises `IndexUnreachable` when a part of the index does not answer."""
        path = f"/{self._index}/_search?allow_partial_search_results=false&{_ANSWER}"
        found = self._cluster.ask("POST", path, body)
        shards = found.get("_shards", {})
        if found.get("timed_out") or shards.get("successful") != shards.get("total"):
            raise IndexUnreachable("A part of the index does not answer just now: see that all nodes run.")
        return found

    # Completing and mending -----------------------------------------------------------------------------------------

    def names(
        self, words: Sequence[str], scope: Scope, *, kinds: Collection[str] = (), slips: bool = False, limit: int = 20
    ) -> tuple[str, ...]:
        if not scope.sources or not scope.audience or not words:
            return ()
        filters: list[Clause] = [any_of("kind", kinds)] if kinds else []
        *whole, _ = words
        for at, word in enumerate(words):
            one = begins("name", word, near.slips(word) if slips else 0)
            stems = [term("title", stem) for stem in terms_of(word, self.languages())] if at < len(whole) else []
            filters.append(either([one, *stems]))
        asked = {"bool": inside(scope, filters)}
        body = {"size": limit, "query": asked, "sort": [{"name_rank": "desc"}], **_NAMED, "track_total_hits": False}
        return tuple(hit["fields"]["key"][0] for hit in self._ask(body)["hits"]["hits"])

    def topics(self, words: Sequence[str], scope: Scope, *, slips: bool = False) -> dict[str, int]:
        if not scope.sources or not scope.audience or not words:
            return {}
        filters = [begins("topic_words", word, near.slips(word) if slips else 0) for word in words]
        counts = self._count({"bool": inside(scope, filters)}, "topic")
        return {topic: count for topic, count in counts.items() if near.begin_like(words, topic_words(topic), slips)}

    def beginning(self, prefix: str, scope: Scope, *, limit: int, title: bool = False) -> tuple[str, ...]:
        if not scope.sources or not scope.audience or not prefix:
            return ()
        field = "title_words" if title else "words"
        asked = {"bool": inside(scope, [{"prefix": {field: prefix}}])}
        counts = self._count(asked, field, include=_SPELT.sub(r"\\\1", prefix) + ".*", size=limit)
        return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:limit])

    def similar(self, word: str, scope: Scope) -> dict[str, int]:
        most = near.slips(word)
        if not scope.sources or not scope.audience or not most:
            return {}
        about = {"value": word, "fuzziness": most, "rewrite": "constant_score"}
        asked = {"bool": inside(scope, [{"fuzzy": {"words": about}}])}
        counts = self._count(asked, "words", include=sorted(near.one_slip_away(word)))
        if most > 1:
            starts = "|".join(_SPELT.sub(r"\\\1", one) for one in near.beginnings(word))
            counts |= self._count(asked, "words", include=f"({starts}).*")
        return {one: count for one, count in counts.items() if one != word and near.distance(word, one) <= most}

    def _count(self, asked: Clause, field: str, *, include: Any = None, size: int = _BUCKETS) -> dict[str, int]:
        """How many documents have each value of a field, the most frequent first."""
        values = {"field": field, "size": size, "shard_size": _BUCKETS}
        if include is not None:
            values["include"] = include
        found = self._ask({"size": 0, "query": asked, "track_total_hits": False, "aggs": {"values": {"terms": values}}})
        return {bucket["key"]: bucket["doc_count"] for bucket in found["aggregations"]["values"]["buckets"]}

    # Writing ------------------------------------------------------------------------------------------------------

    def write(self, add: Iterable[IndexDocument] = (), delete: Iterable[str] = ()) -> None:
        turn = self._claim()
        latest = {document.key: document for document in add}
        self._batches += 1
        version = turn << 32 | self._batches
        operations = [Operation.delete(key, version) for key in dict.fromkeys(delete) if key not in latest]
        operations += [Operation.index(key, version, _stored(document)) for key, document in latest.items()]
        deadline = time.monotonic() + self._patience
        send(self._cluster, opensearch_shelf.writes(self._index), operations, deadline)
        show(self._cluster, self._index, deadline)
        self._commit = _Commit(str(version))
        opensearch_shelf.note(self._cluster, self._index, meta={"commit": str(version)})

    def _claim(self) -> int:
        """Be the one engine that writes this index, until `close`; the number that versions begin with."""
        if self._scratch:
            return int(time.time())
        lease = opensearch_shelf.lease_of(self._cluster, self._prefix)
        with _claiming:
            owner = _claims.get((os.getpid(), self._index), lambda: None)()
            if owner not in (None, self):
                raise WriterBusy("Another process is writing the index. It is tried again later; nothing is lost.")
            if owner is None and not lease.held:
                self._leased = lease.take()
            lease.check()
            _claims[os.getpid(), self._index] = weakref.ref(self)
        return lease.turn

    def close(self) -> None:
        with _claiming:
            if _claims.get((os.getpid(), self._index), lambda: None)() is self:
                del _claims[os.getpid(), self._index]
        if self._leased:
            self._leased = False
            opensearch_shelf.lease_of(self._cluster, self._prefix).leave()

    def collect_garbage(self) -> int:
        """OpenSearch removes what it needs no more by itself."""
        return 0


def _place(options: dict[str, Any]) -> tuple[Cluster, str, int, str]:
    """The cluster that options name, what the names of indices begin with, and how each is spread."""
    account = (options.get(name, "") for name in ("user", "password", "ca"))
    nodes = cluster(tuple(options["addresses"]), *account)
    return nodes, options.get("prefix", "immersive"), options.get("shards", 1), options.get("replicas", "0-1")


_claims: dict[tuple[int, str], Any] = {}
_claiming = threading.Lock()


def _drop(nodes: Any, index: str) -> None:
    with suppress(IndexProblem):
        nodes.ask("DELETE", f"/{index}", absent=True, patience=0)


def _candidate(source: dict[str, Any]) -> Candidate:
    return Candidate(
        key=source["key"],
        source=int(source["source"]),
        kind=source["kind"],
        vector=base64.b64decode(source["vector"]),
        updated=date.fromordinal(source["day"]) if source["day"] else None,
    )


def _stored(document: IndexDocument) -> dict[str, Any]:
    analysed = analyse(document)
    day = schema.day_of(document.updated, document.created)
    topics = list(dict.fromkeys(document.topics))
    return {
        "key": document.key,
        "title": " ".join(analysed.title),
        "text": " ".join(analysed.text),
        "exact": [" ".join(part) for part in analysed.exact],
        "words": sorted({token for part in analysed.exact for token in part}),
        "title_exact": " ".join(analysed.exact[0]),
        "title_words": sorted(set(analysed.exact[0])),
        "place": [topic_key(crumb) for crumb in document.crumbs],
        "topic": topics,
        "topic_key": [topic_key(topic) for topic in topics],
        "topic_words": [" ".join(topic_words(topic)) for topic in topics],
        "name": " ".join(schema.name_tokens(document.title)),
        "name_rank": schema.name_rank(document.key, analysed.title_length, day),
        "kind": document.kind,
        "source": str(document.source),
        "language": language_code(document.language),
        "people": [" ".join(tokens(name)) for name in document.people],
        "day": day,
        "audience": [schema.audience_digest(token) for token in document.audience],
        "public": str(int(document.public)),
        "title_length": analysed.title_length,
        "body_length": analysed.body_length,
        "vector": base64.b64encode(analysed.vector).decode(),
    }
