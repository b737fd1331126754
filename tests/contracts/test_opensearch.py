"""What an engine on other machines must stand: refusals, broken connections, writers that are late or elsewhere."""

from __future__ import annotations

import os
import random
import ssl
import subprocess
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from django.conf import LazySettings

from knowledge import index
from knowledge.documents import EVERYONE, Choice, Query, Scope, Term
from knowledge.index import IndexMissing, IndexProblem, IndexUnreachable, WriterBusy, generations, schema
from knowledge.index import opensearch_client as client
from knowledge.index import opensearch_shelf as shelf
from knowledge.index.opensearch_bulk import Operation, send
from knowledge.index.opensearch_engine import definition
from tests.chaos.portal import ROOT
from tests.contracts.engines import ALL, doc, keys
from tests.services import relay as faults
from tests.services.opensearch import Cluster, options
from tests.services.relay import Relay, relaying

pytestmark = [pytest.mark.opensearch, pytest.mark.usefixtures("on_opensearch")]


@pytest.fixture
def serving() -> str:
    generation = generations.begin()
    generations.promote(generation)
    return generation


def found(engine: index.Engine, *words: str) -> set[str]:
    return keys(engine.search(Query(words=words), ALL, limit=5000))


# Writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gone_wrong",
    [
        [faults.refuses(429), faults.refuses(429), faults.refuses(503)],
        [faults.refuses(429, Retry_After="1")],
        [faults.takes_half, faults.takes_half],
        [faults.hangs_up, faults.applies_and_hangs_up],
        [faults.applies_and_hangs_up, faults.takes_half, faults.refuses(502, "")],
        [faults.says(b"<html>half an answ"), faults.says(b"{}"), faults.says(b'{"items": []}')],
    ],
    ids=["refused", "told-to-wait", "half", "cut", "all-of-it", "nonsense"],
)
def test_what_is_acknowledged_is_there_once(relay: Relay, gone_wrong: list[faults.Fault]) -> None:
    engine = index.in_memory()
    engine.write([doc(f"{n}", body="old harbour") for n in range(30)])
    relay.faults = list(gone_wrong)
    engine.write([doc(f"{n}", body="young harbour") for n in range(20, 90)], delete=[f"{n}" for n in range(10)])
    assert not relay.faults
    assert engine.count() == 80
    assert found(engine, "old") == {f"{n}" for n in range(10, 20)}
    assert found(engine, "young") == {f"{n}" for n in range(20, 90)}


def test_less_is_sent_at_once_while_the_cluster_is_busy(relay: Relay) -> None:
    engine = index.in_memory()
    relay.faults = [faults.refuses(429)] * 5
    engine.write([doc(f"{n}", body="harbour " * 300) for n in range(400)])
    after = [path for method, path in relay.asked if "_bulk" in path][5:]
    assert len(after) > 2
    assert engine.count() == 400


def test_a_cluster_that_stays_busy_is_said_and_the_last_commit_stays(
    relay: Relay, settings: LazySettings, serving: str
) -> None:
    options(settings, patience=0.3)
    with index.writer() as engine:
        engine.write([doc("a", body="harbour")])
        relay.faults, relay.for_ever = [faults.takes_half, faults.refuses(429)], True
        with pytest.raises(IndexUnreachable, match="answers 429"):
            engine.write([doc(f"{n}", body="storm") for n in range(9)])
        assert found(index.open_for_reading(), "harbour") == {"a"}
        assert found(index.open_for_reading(), "storm") == set()
        relay.faults = []
        engine.write([doc(f"{n}", body="storm") for n in range(9)])
    assert found(index.open_for_reading(), "storm") == {f"{n}" for n in range(9)}


def test_a_document_refused_for_good_names_no_word_of_it(relay: Relay) -> None:
    engine = index.in_memory()
    relay.faults = [faults.refuses(400, "mapper_parsing_exception")]
    with pytest.raises(IndexProblem, match="mapper_parsing_exception") as told:
        engine.write([doc("a", body="harbour")])
    assert "SECRET" not in str(told.value)
    cluster = client.cluster((relay.address,), "", "", "")
    bad = Operation.index("b", 1, {"day": "SECRET"})
    with pytest.raises(IndexProblem, match="mapper_parsing_exception") as told:
        send(cluster, shelf.writes(engine._index), [bad], time.monotonic() + 5)  # type: ignore[attr-defined]
    assert "SECRET" not in str(told.value)


def test_a_late_write_never_takes_the_place_of_a_newer_one(on_opensearch: Cluster) -> None:
    engine = index.in_memory()
    engine.write([doc("a", body="young"), doc("gone", body="young")])
    engine.write(delete=["gone"])
    cluster = client.cluster(tuple(on_opensearch.addresses), "", "", "")
    name = shelf.writes(engine._index)  # type: ignore[attr-defined]
    for key in ("a", "gone"):
        with pytest.raises(WriterBusy):
            send(cluster, name, [Operation.index(key, 5, {"key": key})], time.monotonic() + 5)
    assert (engine.count(), found(engine, "young")) == (1, {"a"})


def test_an_index_that_was_deleted_is_not_made_again_by_writing(on_opensearch: Cluster, serving: str) -> None:
    with index.writer() as engine:
        engine.write([doc("a", body="harbour")])
        on_opensearch.ask(f"/{engine._index}", method="DELETE")  # type: ignore[attr-defined]
        with pytest.raises(IndexMissing):
            engine.write([doc("b", body="harbour")])
    with pytest.raises(IndexMissing):
        index.open_for_reading()
    assert generations.active() == []


# Reading ----------------------------------------------------------------------------------------------------------


def test_an_answer_without_every_shard_is_none(relay: Relay) -> None:
    engine = index.in_memory()
    engine.write([doc("a", body="harbour")])
    relay.where, relay.faults = "_search", [faults.leaves_a_shard_out]
    with pytest.raises(IndexUnreachable):
        engine.search(Query(kinds=("page",)), ALL)
    assert found(engine, "harbour") == {"a"}


@pytest.mark.parametrize("status", [429, 503])
def test_a_search_is_put_again_to_a_cluster_that_is_busy_and_never_answered_in_part(relay: Relay, status: int) -> None:
    engine = index.in_memory()
    engine.write([doc("a", body="harbour")])
    relay.where, relay.faults = "_search", [faults.refuses(status)] * 2
    assert found(engine, "harbour") == {"a"}
    relay.faults, relay.for_ever = [faults.refuses(status)], True
    with pytest.raises(IndexUnreachable, match=f"it answers {status}") as told:
        found(engine, "harbour")
    assert "SECRET" not in str(told.value)


def test_another_node_is_asked_when_one_does_not_answer(on_opensearch: Cluster, settings: LazySettings) -> None:
    options(settings, addresses=["http://127.0.0.1:9", *on_opensearch.addresses, "http://127.0.0.1:9"])
    engine = index.in_memory()
    for n in range(5):
        engine.write([doc(f"{n}", body="harbour")])
        assert len(found(engine, "harbour")) == n + 1


def test_an_account_that_is_not_let_in_is_told_the_cure(relay: Relay) -> None:
    relay.where, relay.faults, relay.for_ever = "", [faults.refuses(401, "security_exception")], True
    with pytest.raises(IndexProblem, match="OPENSEARCH_PASSWORD"):
        generations.current()


def test_certificates_of_compose_are_believed_and_the_account_is_shown(
    on_opensearch: Cluster, settings: LazySettings, tmp_path: Path
) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    script = compose["services"]["certificates"]["command"][2].replace("chown 1000", f"chown {os.getuid()}")
    subprocess.run(["sh", "-ec", script], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "node.pem", tmp_path / "node-key.pem")
    with relaying(on_opensearch.addresses[0], context) as relay:
        address = relay.address.replace("127.0.0.1", "localhost")
        told = {"addresses": [address], "user": "immersive", "password": "a secret", "ca": str(tmp_path / "ca.pem")}
        options(settings, **told)
        engine = index.in_memory()
        engine.write([doc("a", body="harbour")])
        assert found(engine, "harbour") == {"a"}
        assert set(relay.accounts) == {"immersive:a secret"}
        client.cluster((address,), "immersive", "a secret", told["ca"]).close()
        options(settings, ca="")
        with pytest.raises(IndexUnreachable, match="ConnectError"):
            index.in_memory()


def test_a_long_query_stays_inside_what_opensearch_takes() -> None:
    engine = index.in_memory()
    engine.write([doc(f"{code}", body="harbour storm", language=code) for code in ("de", "fr", "en", "nl", "sv", "fi")])
    many = tuple(f"word{n}ing" for n in range(62))
    assert found(engine, *many, "harbour") >= {"en"}
    choices = tuple(Choice((*(Term(f"w{c}x{n}", "phrase") for n in range(300)), Term("storm"))) for c in range(9))
    assert len(keys(engine.search(Query(words=(*many, "harbour"), choices=choices), ALL))) == 6
    behind = frozenset(f"{n:032x}" for n in range(70_000)) | {"en"}
    assert found(engine, "harbour") - keys(engine.search(Query(words=("harbour",)), replace(ALL, behind=behind))) == {
        "en"
    }


def test_many_shards_find_and_count_what_one_does(settings: LazySettings) -> None:
    pick = random.Random(6)
    words = [
        f"{start}{end}" for start in ("harb", "stor", "ropew") for end in ("our", "ing", "house", "ms", "s", "alk")
    ]
    documents = [
        doc(f"{n:03}", " ".join(pick.choices(words, k=3)), " ".join(pick.choices(words, k=20)),
            topics=tuple(pick.sample(words, 2)), audience=frozenset({pick.choice((EVERYONE, "team:1"))}),
            kind=pick.choice(("page", "tool")), updated=date(2026, 1, 1 + n % 28))
        for n in range(200)
    ]  # fmt: skip
    one = index.in_memory()
    options(settings, shards=3)
    three = index.in_memory()
    for engine in (one, three):
        engine.write(documents)
    scope = Scope(frozenset({1}), frozenset({EVERYONE}))
    for word in words:
        query = Query(words=(word,))
        first, second = one.search(query, scope), three.search(query, scope)
        assert (keys(first), first.total, first.facets) == (keys(second), second.total, second.facets)
        assert one.similar(word, scope) == three.similar(word, scope)
        for length in (1, 3):
            begun = word[:length]
            assert one.beginning(begun, scope, limit=4) == three.beginning(begun, scope, limit=4)
            assert one.names([begun], scope, limit=9) == three.names([begun], scope, limit=9)
            assert one.topics([begun], scope) == three.topics([begun], scope)
    assert one.statistics(words) == three.statistics(words)


def test_the_mapping_is_made_of_the_schema() -> None:
    fields = definition(1, "0-1")["mappings"]["properties"]
    assert set(schema.FIELDS) <= set(fields)
    assert {name for name in fields if name not in schema.FIELDS} == {"words", "title_words", "meta"}
    assert fields["audience"] == {"type": "keyword", "doc_values": False, "ignore_above": 8000}
    assert fields["topic"]["doc_values"]
    assert fields["exact"]["index_options"] == "positions"
    assert fields["text"]["norms"]
    assert fields["day"]["type"] == "long"


# One writer -------------------------------------------------------------------------------------------------------


def test_one_writer_on_all_machines(on_opensearch: Cluster, serving: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "LEASE", 0.6)
    elsewhere = shelf.Lease(
        client.cluster(tuple(on_opensearch.addresses), "", "", ""), index.engine_class()[2]["prefix"]
    )
    elsewhere._host = "another-machine"
    assert elsewhere.take()
    with pytest.raises(WriterBusy), index.writer(patience=1.5):
        pass  # it is renewed, however long one waits
    elsewhere.leave()
    with index.writer() as engine:
        engine.write([doc("a", body="harbour")])
        assert not elsewhere.take()
    assert elsewhere.take()
    elsewhere._enough.set()  # it dies: nobody renews what it holds
    with index.writer(patience=20) as engine:
        engine.write([doc("b", body="harbour")])
        assert elsewhere.turn < shelf.lease_of(engine._cluster, engine._prefix).turn  # type: ignore[attr-defined]
    assert found(index.open_for_reading(), "harbour") == {"a", "b"}


def test_a_farewell_that_nobody_heard_keeps_nobody_out(relay: Relay, serving: str) -> None:
    with index.writer() as engine:
        engine.write([doc("a", body="harbour")])
        relay.where, relay.faults, relay.for_ever = "_doc/lease", [faults.hangs_up], True
    relay.faults = []
    with index.writer() as engine:
        engine.write([doc("b", body="harbour")])
    assert found(index.open_for_reading(), "harbour") == {"a", "b"}


def test_a_writer_that_was_taken_for_dead_writes_no_more(
    on_opensearch: Cluster, serving: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "LEASE", 0.3)
    with index.writer() as engine:
        engine.write([doc("a", body="harbour")])
        prefix = index.engine_class()[2]["prefix"]
        before = on_opensearch.ask(f"/{prefix}-writer/_doc/lease")["_source"]
        told = {**before, "owner": "another", "host": "another-machine", "turn": before["turn"] + 1}
        on_opensearch.ask(f"/{prefix}-writer/_doc/lease", told, method="PUT")

        def writes() -> None:
            for n in range(200):
                engine.write([doc("a", body=f"storm {n}")])
                time.sleep(0.02)

        with pytest.raises(WriterBusy):
            writes()


# Generations ------------------------------------------------------------------------------------------------------


def test_old_generations_go_once_no_request_can_still_read_them(
    on_opensearch: Cluster, serving: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = generations.begin()
    generations.promote(new)
    generations.collect()
    assert generations.usable(serving)
    monkeypatch.setattr(shelf, "GRACE", 0.0)
    assert generations.collect() > 0
    assert not generations.usable(serving)
    assert generations.active() == [new]
    generations.discard(new)
    assert generations.active() == []
    assert not [name for name in on_opensearch.ask("/_aliases") if new in name]


def test_nothing_of_the_address_or_the_secret_is_told(settings: LazySettings) -> None:
    options(settings, addresses=["http://127.0.0.1:9"], user="ana", password="SECRET")
    with pytest.raises(IndexUnreachable) as told:
        generations.current()
    assert "SECRET" not in repr(told.value)
    assert "127.0.0.1" not in str(told.value)
