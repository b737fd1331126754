"""Vectors beside the documents of a real cluster that has the k-NN plugin: found, hidden and moved as in the folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings

from knowledge import index
from knowledge.documents import EVERYONE, Entry, Rights, Scope
from knowledge.index import IndexMissing, WriterBusy
from knowledge.index import opensearch_client as client
from knowledge.index import opensearch_shelf as shelf
from knowledge.index.opensearch_bulk import Operation, send
from knowledge.index.opensearch_vectors import Passages
from knowledge.meaning import Kept, store
from knowledge.meaning.encoders import chosen
from knowledge.meaning.matrix import pack
from tests.meaning import SIZE, Letters, entry, key, vectors
from tests.services import relay as faults
from tests.services.opensearch import Cluster, options
from tests.services.relay import relaying

pytestmark = [pytest.mark.opensearch, pytest.mark.usefixtures("on_knn")]

ALL = Scope(frozenset({1, 2}), frozenset({EVERYONE}))
FINANCE = frozenset({"team:7"})
SAID = [
    f"{who} {does} {what}{when}"
    for who in ("Everyone", "The office in Ghent", "A new colleague")
    for does in ("books", "repairs", "pays for", "forgets")
    for what in ("the holiday calendar", "a printer on the second floor", "train tickets", "the kettle")
    for when in (".", " before the audit.")
]
"""A small corpus: some of it means nearly the same."""


@pytest.fixture
def kept(on_knn: Cluster) -> Passages:
    found = store.begin("letters", SIZE)
    assert isinstance(found, Passages), "the cluster takes them"
    return found


def fill(kept: Kept, *entries: Entry) -> None:
    with store.writing():
        kept.write(entries)


def nearest(kept: Kept, vector: Any, scope: Scope = ALL, count: int = 5) -> list[str]:
    return [near.key for near in kept.look(vector, scope).best(count, -1)]


# Finding ----------------------------------------------------------------------------------------------------------


def test_the_cluster_finds_what_is_found_by_comparing_each(kept: Passages) -> None:
    """The same documents, cosines and passages as the folder, whose arithmetic is exact."""
    lines = vectors(3 * 300)
    entries = [entry(n, *lines[3 * n : 3 * n + 1 + n % 3], source=1 + n % 2) for n in range(300)]
    folder = store.begin_folder("letters", SIZE)  # it serves nobody: what is in the cluster goes before it
    folder.write(entries)
    fill(kept, *entries)
    scope = Scope(frozenset({1}), frozenset({EVERYONE}))
    keys = [key(n) for n in range(300)] + [key(5000)]
    for question in vectors(4, seed=2):
        here, there = folder.look(question, scope), kept.look(question, scope)
        assert there.of(keys) == pytest.approx(here.of(keys), abs=0.02)
        wanted, found = here.best(20, -1), there.best(20, -1)
        assert [near.cosine for near in found] == pytest.approx([near.cosine for near in wanted], abs=0.02)
        assert len({near.key for near in found} & {near.key for near in wanted}) >= 19  # two may be equally near
        assert all(near.cosine >= 0.3 for near in there.best(400, 0.3))
        assert len(there.best(400, 0.3)) == pytest.approx(len(here.best(400, 0.3)), abs=3)
        first = found[0].key
        assert there.passage(first) == here.passage(first)
        assert there.passage(key(299)) is None  # of the other source
    assert kept.count() == sum(len(one.passages) for one in entries)


def test_so_it_does_with_the_model_that_is_installed(on_knn: Cluster) -> None:
    encoder = chosen() or Letters()
    lines = encoder.encode(SAID)
    entries = [Entry(key(n), Rights(1, frozenset({EVERYONE})), [pack(bytes(16), line)]) for n, line in enumerate(lines)]
    kept, folder = store.begin("model", lines.shape[1]), store.begin_folder("model", lines.shape[1])
    folder.write(entries)
    fill(kept, *entries)
    for text in ("vacation planning", "broken office machine", "who settles travel costs", "tea"):
        (question,) = encoder.encode([text])
        here, there = folder.look(question, ALL), kept.look(question, ALL)
        everything = [one.key for one in entries]
        assert there.of(everything) == pytest.approx(here.of(everything), abs=0.02)
        wanted = {near.key: near.cosine for near in here.best(20, -1)}
        found = {near.key: near.cosine for near in there.best(10, -1)}
        assert len(found) == 10
        assert found == pytest.approx({one: wanted.get(one, 9) for one in found}, abs=0.02)


def test_a_hidden_passage_crowds_out_no_visible_one(kept: Passages) -> None:
    """A thousand hidden documents that are nearer leave the answer as it is, though only a few are looked for."""
    lines = vectors(40)
    fill(kept, *(entry(n, line) for n, line in enumerate(lines)))
    question = vectors(1, seed=3)[0]

    def view() -> Any:
        look = kept.look(question, ALL)
        keys = [key(n) for n in range(1100)]
        return look.best(10, -1), look.best(1000, 0.1), look.of(keys), look.passage(key(3))

    before = view()
    assert len(before[0]) == 10
    near = vectors(1000, seed=4) * 0.1 + question
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    fill(kept, *(entry(100 + n, line, tokens=FINANCE) for n, line in enumerate(near[:500])))
    fill(kept, *(entry(600 + n, line, source=3) for n, line in enumerate(near[500:])))
    assert view() == before
    mine = Scope(frozenset({1}), frozenset({EVERYONE, "team:7"}))
    assert set(nearest(kept, question, mine)) <= {key(n) for n in range(100, 600)}


def test_nor_do_hidden_ones_where_more_are_visible_than_are_compared(kept: Passages) -> None:
    """The graph of all passages is searched then, hidden ones in it: what is found is what exact arithmetic finds."""
    lines = vectors(600)
    fill(kept, *(entry(n, line) for n, line in enumerate(lines)))
    questions = vectors(5, seed=3)
    near = np.repeat(questions, 120, axis=0) + 0.1 * vectors(600, seed=4)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    fill(kept, *(entry(2000 + n, line, tokens=FINANCE) for n, line in enumerate(near)))
    for question in questions:
        exact = np.argsort(-(lines @ question))[:30]
        found = nearest(kept, question, count=30)
        assert len(found) == 30
        assert len(set(found) & {key(int(n)) for n in exact}) >= 28  # 8-bit numbers: the last ones are equally near


@pytest.mark.parametrize(
    "scope",
    [
        Scope(frozenset(), frozenset({EVERYONE})),
        Scope(frozenset({1}), frozenset()),
        Scope(frozenset({99}), frozenset({EVERYONE})),
        Scope(frozenset({1}), frozenset({EVERYONE}), behind=frozenset({key(0)})),
    ],
)
def test_outside_the_scope_nothing_is_near(kept: Passages, scope: Scope) -> None:
    line = vectors(1)[0]
    fill(kept, entry(0, line), entry(5, line, source=2, tokens=FINANCE))
    with store.writing():
        kept.remove([key(5)])
    look = kept.look(line, scope)
    assert (look.best(5, -1), look.of([key(0), key(5)]), look.passage(key(0))) == ([], {}, None)


def test_a_question_of_another_size_is_near_nothing(kept: Passages) -> None:
    fill(kept, entry(0, vectors(1)[0]))
    look = kept.look(np.ones(7, np.float32), ALL)
    assert (look.best(5, -1), look.of([key(0)]), look.passage(key(0))) == ([], {}, None)


# Writing ----------------------------------------------------------------------------------------------------------


def test_rights_change_alone_and_every_process_sees_them(kept: Passages) -> None:
    one, two = vectors(2)
    fill(kept, entry(0, one, two), entry(1, one))
    found = store.serving()
    assert found is not None
    with store.writing():
        found[1].change(
            {key(0): Rights(2, FINANCE), key(1): Rights(1, frozenset({EVERYONE})), key(9): Rights(1, FINANCE)}
        )
    assert nearest(kept, one) == [key(1)]
    theirs = Scope(frozenset({2}), FINANCE)
    assert nearest(kept, one, theirs) == [key(0)]
    assert kept.look(two, theirs).passage(key(0)) == b"0000000000000001", "its vectors are what they were"
    assert kept.count() == 3


def test_what_is_written_again_stands_once_and_what_is_removed_nowhere(kept: Passages, on_knn: Cluster) -> None:
    one, two = vectors(2)
    fill(kept, entry(0, one, one), entry(1, two))
    fill(kept, entry(0, two))
    assert kept.look(one, ALL).of([key(0)])[key(0)] == pytest.approx(float(one @ two), abs=0.02)
    with store.writing():
        kept.remove([key(1), key(77)])
        kept.change({key(1): Rights(1, frozenset({EVERYONE}))})
    assert nearest(kept, two) == [key(0)]
    assert kept.count() == 1


def test_nobody_writes_without_the_right_to_or_after_another(kept: Passages) -> None:
    line = vectors(1)[0]
    with pytest.raises(WriterBusy):
        kept.write([entry(0, line)])
    with store.writing(), pytest.raises(store.Busy), store.writing(patience=0):
        pass
    fill(kept, entry(0, line, tokens=FINANCE))
    late = Operation.index(key(0), 1 << 32, {"key": key(0), "source": "1", "audience": [], "passages": []})
    with pytest.raises(WriterBusy):
        send(kept._cluster, shelf.writes(kept._index), [late], time.monotonic() + 5)
    assert nearest(kept, line, Scope(frozenset({1}), FINANCE)) == [key(0)]


@pytest.mark.parametrize(
    "gone_wrong",
    [[faults.refuses(429), faults.refuses(503)], [faults.takes_half], [faults.hangs_up, faults.applies_and_hangs_up]],
    ids=["refused", "half", "cut"],
)
def test_a_cluster_that_is_busy_gets_all_of_it(
    on_knn: Cluster, settings: LazySettings, gone_wrong: list[faults.Fault]
) -> None:
    lines = vectors(20)
    with relaying(on_knn.addresses[0]) as relay:
        options(settings, addresses=[relay.address])
        kept = store.begin("letters", SIZE)
        relay.faults = list(gone_wrong)
        fill(kept, *(entry(n, line) for n, line in enumerate(lines)))
        assert not relay.faults
        assert len(nearest(kept, lines[0], count=50)) == 20
        client.cluster((relay.address,), "", "", "").close()


# Which ones serve -------------------------------------------------------------------------------------------------


def test_another_model_takes_the_place_of_the_one_before(kept: Passages, on_knn: Cluster) -> None:
    fill(kept, entry(0, vectors(1)[0]))
    assert kept.rows == 1
    told = store.serving()
    assert told is not None
    assert (told[0]["model"], told[0]["id"], told[1].rows) == ("letters", kept.id, 1)
    other = store.begin("another", 48)
    told = store.serving()
    assert told is not None
    assert (told[0]["model"], told[1].id, told[1].size, told[1].rows) == ("another", other.id, 48, 0)
    with pytest.raises(IndexMissing):
        kept.look(vectors(1)[0], ALL).best(5, -1)
    prefix = index.engine_class()[2]["prefix"]
    assert list(on_knn.ask(f"/{prefix}-vectors-*/_settings")) == [f"{prefix}-vectors-{other.id}"]
    on_knn.ask(f"/{prefix}-vectors-{other.id}", method="DELETE")
    assert store.serving() is None


@contextmanager
def without(settings: LazySettings, plain: Cluster) -> Iterator[None]:
    """The same installation on a cluster that has no such plugin."""
    options(settings, addresses=plain.addresses)
    yield
    plain.ask(f"/{index.engine_class()[2]['prefix']}-*?expand_wildcards=all", method="DELETE")


def test_without_the_plugin_vectors_stay_in_the_folder(opensearch: Cluster, settings: LazySettings) -> None:
    line = vectors(1)[0]
    with without(settings, opensearch):
        assert store.serving() is None
        found = store.begin("letters", SIZE)
        assert isinstance(found, store.Folder)
        fill(found, entry(0, line))
        told = store.serving()
        assert told is not None
        assert isinstance(told[1], store.Folder)
        assert nearest(told[1], line) == [key(0)]
        prefix = index.engine_class()[2]["prefix"]
        assert not [name for name in opensearch.ask("/_aliases") if name.startswith(f"{prefix}-vectors")]


def test_where_the_plugin_is_found_later_the_folder_goes(settings: LazySettings) -> None:
    folder = store.begin_folder("letters", SIZE)
    assert store.begin("letters", SIZE).id != folder.id
    assert not folder.folder.exists()
