"""Vectors in a folder: the nearest inside a scope, rights that change in place, and writers that are killed."""

from __future__ import annotations

import errno
import os
import uuid
from typing import Any, cast

import numpy as np
import pytest

from knowledge.documents import EVERYONE, Entry, Rights, Scope
from knowledge.meaning import matrix as arithmetic
from knowledge.meaning import store
from knowledge.meaning.matrix import BLOCK
from knowledge.meaning.store import Folder
from tests.meaning import SIZE, entry, key, vectors

ALL = Scope(frozenset({1, 2}), frozenset({EVERYONE}))
FINANCE = frozenset({"team:7"})


@pytest.fixture
def matrix() -> Folder:
    with store.writing():
        return store.begin_folder("letters", SIZE)


def fill(matrix: Folder, *entries: Entry) -> None:
    with store.writing():
        matrix.write(entries)


def nearest(matrix: Folder, vector: Any, scope: Scope = ALL, count: int = 5) -> list[str]:
    return [near.key for near in matrix.refresh().look(vector, scope).best(count, -1)]


def test_the_nearest_are_found_as_exact_arithmetic_finds_them(matrix: Folder) -> None:
    lines = vectors(3 * 500)
    fill(matrix, *(entry(n, *lines[3 * n : 3 * n + 3]) for n in range(500)))
    for question in vectors(20, seed=2):
        exact = (lines @ question).reshape(500, 3)
        look = matrix.look(question, ALL)
        found = look.best(10, -1)
        truth = np.sort(exact.max(1))[::-1]
        assert [near.cosine for near in found] == pytest.approx(truth[:10].tolist(), abs=0.02)
        for near in found[:3]:
            number = uuid.UUID(near.key).int - 1
            assert exact[number, int((look.passage(near.key) or b"")[8:])] == pytest.approx(
                exact[number].max(), abs=0.02
            )
        assert look.of([key(7), key(9999)]) == {key(7): pytest.approx(exact[7].max(), abs=0.02)}
        assert all(near.cosine >= 0.3 for near in look.best(500, 0.3))


def test_passages_go_on_in_the_next_block(matrix: Folder) -> None:
    lines = vectors(BLOCK + 200)
    for begin in range(0, len(lines), 300):
        fill(matrix, entry(begin, *lines[begin : begin + 300]))
    assert matrix.blocks.shape[0] == 2
    look = matrix.look(lines[BLOCK + 5], ALL)
    assert look.best(1, 0)[0].cosine == pytest.approx(1, abs=0.02)
    assert look.best(1, 0)[0].key == key((BLOCK + 5) // 300 * 300)


def test_a_full_disk_is_an_error_and_leaves_what_was_there(matrix: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes a mapped hole of a file on a full disk is ended by a signal: so there is no hole."""
    lines = vectors(BLOCK + 1)
    fill(matrix, entry(0, lines[0]))

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space"):
            fill(matrix, entry(1, *lines[1:]))
    assert nearest(matrix, lines[0]) == [key(0)]
    fill(matrix, entry(1, *lines[1:]))
    assert nearest(matrix, lines[5]) == [key(1), key(0)]


def test_all_arithmetic_gives_the_same(matrix: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = vectors(50)
    fill(matrix, *(entry(n, line) for n, line in enumerate(lines)))
    pytest.importorskip("onnxruntime", reason="requirements-model.lock is not installed: make setup installs it")
    found = []
    for product in (arithmetic._with_onnxruntime(), arithmetic._with_numpy):
        monkeypatch.setattr(arithmetic, "_product", product)
        found.append([near.cosine for near in matrix.look(lines[3], ALL).best(50, -1)])
    assert found[0] == found[1]


def test_the_graph_of_the_product_is_what_it_is_said_to_be() -> None:
    onnx = pytest.importorskip("onnx", reason="requirements-model.lock is not installed: make setup installs it")
    shapes = {"one": ("UINT8", [1, "size"]), "many": ("INT8", ["size", "count"]), "out": ("INT32", [1, "count"])}
    one, many, out = (
        onnx.helper.make_tensor_value_info(name, getattr(onnx.TensorProto, kind), shape)
        for name, (kind, shape) in shapes.items()
    )
    node = onnx.helper.make_node("MatMulInteger", ["one", "many"], ["out"])
    graph = onnx.helper.make_graph([node], "product", [one, many], [out])
    opset = [onnx.helper.make_opsetid("", 20)]
    made = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9, producer_name="")
    assert made.SerializeToString() == arithmetic.PRODUCT


def test_a_thread_that_saw_less_takes_nothing_back(matrix: Folder) -> None:
    """Two threads see the files grow; the one that looked first comes second."""
    lines = vectors(3)
    fill(matrix, entry(0, lines[0]))
    reader = Folder(matrix.folder, SIZE)
    fill(matrix, entry(1, lines[1]))
    free = reader._lock

    class Overtaken:
        """A lock for which one waits while more is written and another thread sees it."""

        def __enter__(self) -> None:
            reader._lock = free
            fill(matrix, entry(2, lines[2]))
            reader.refresh()
            free.acquire()

        def __exit__(self, *error: object) -> None:
            free.release()

    reader._lock = cast(Any, Overtaken())
    reader.refresh()
    assert len(reader.documents) == 3
    assert [reader.look(line, ALL).best(1, -1)[0].key for line in lines] == [key(0), key(1), key(2)]


# Who may see what -------------------------------------------------------------------------------------------------


def test_a_hidden_passage_crowds_out_no_visible_one(matrix: Folder) -> None:
    """A thousand hidden documents that are nearer leave the answer as it is, byte for byte."""
    lines = vectors(40)
    fill(matrix, *(entry(n, line) for n, line in enumerate(lines)))
    question = vectors(1, seed=3)[0]

    def view() -> Any:
        look = matrix.refresh().look(question, ALL)
        return look.best(10, -1), look.best(1000, 0.1), look.of(map(key, range(2000))), look.passage(key(500))

    before = view()
    near = vectors(1000, seed=4) * 0.1 + question
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    fill(matrix, *(entry(100 + n, line, tokens=FINANCE) for n, line in enumerate(near[:500])))
    fill(matrix, *(entry(600 + n, line, source=3) for n, line in enumerate(near[500:])))
    assert view() == before
    mine = Scope(frozenset({1}), frozenset({EVERYONE, "team:7"}))
    assert set(nearest(matrix, question, mine)) <= {key(n) for n in range(100, 600)}


@pytest.mark.parametrize(
    "scope",
    [
        Scope(frozenset(), frozenset({EVERYONE})),
        Scope(frozenset({1}), frozenset()),
        Scope(frozenset({99}), frozenset({EVERYONE})),
        Scope(frozenset({-1}), frozenset({EVERYONE})),
        Scope(frozenset({1}), frozenset({EVERYONE}), behind=frozenset({key(0)})),
    ],
)
def test_outside_the_scope_nothing_is_near(matrix: Folder, scope: Scope) -> None:
    line = vectors(1)[0]
    fill(matrix, entry(0, line))
    fill(matrix, entry(5, line, source=2, tokens=FINANCE))
    with store.writing():
        matrix.remove([key(5)])
    look = matrix.look(line, scope)
    assert (look.best(5, -1), look.of([key(0), key(5)]), look.passage(key(0))) == ([], {}, None)


def test_rights_change_where_they_are_and_another_process_sees_them(matrix: Folder) -> None:
    line = vectors(1)[0]
    fill(matrix, entry(0, line), entry(1, line))
    other = Folder(matrix.folder, SIZE)
    with store.writing():
        matrix.change({key(0): Rights(1, FINANCE), key(9): Rights(1, FINANCE)})
    assert nearest(other, line) == [key(1)]
    assert nearest(other, line, Scope(frozenset({1}), FINANCE)) == [key(0)]


def test_of_what_is_gone_nothing_is_kept(matrix: Folder) -> None:
    lines = vectors(3)
    fill(matrix, *(entry(n, line) for n, line in enumerate(lines)))
    with store.writing():
        matrix.remove([key(1)])
        matrix.change({key(1): Rights(1, frozenset({EVERYONE}))})
    assert set(nearest(matrix, lines[1])) == {key(0), key(2)}
    kept = (matrix.folder / "vectors").read_bytes()
    assert np.frombuffer(kept, np.int8).reshape(-1, SIZE, BLOCK)[0, :, 1].tolist() == [0] * SIZE
    assert b"00000001" not in (matrix.folder / "passages").read_bytes()


def test_a_document_written_again_stands_once(matrix: Folder) -> None:
    one, two = vectors(2)
    fill(matrix, entry(0, one, one))
    fill(matrix, entry(0, two))
    assert nearest(matrix, one) == [key(0)]
    assert matrix.look(one, ALL).best(1, -1)[0].cosine == pytest.approx(float(one @ two), abs=0.02)


# Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vectors", "passages", "documents", "audiences"])
def test_what_a_killed_writer_left_is_written_over(matrix: Folder, name: str) -> None:
    one, two = vectors(2)
    fill(matrix, entry(0, one))
    with (matrix.folder / name).open("ab") as file:
        file.write(b"\x07" * 11)
    assert nearest(Folder(matrix.folder, SIZE), one) == [key(0)]
    fill(Folder(matrix.folder, SIZE), entry(1, two, tokens=FINANCE))
    again = Folder(matrix.folder, SIZE)
    assert nearest(again, one) == [key(0)]
    assert nearest(again, two, Scope(frozenset({1}), FINANCE)) == [key(1)]


def test_files_that_hold_much_that_is_gone_are_written_anew(matrix: Folder) -> None:
    lines = vectors(2 * BLOCK + 10)
    fill(matrix, *(entry(n, *lines[n * 2 : n * 2 + 2]) for n in range(BLOCK + 5)))
    with store.writing():
        matrix.remove([key(n) for n in range(BLOCK - 900)])
        smaller = matrix.tidy()
        assert smaller.tidy() is smaller
    served = store.serving()
    assert served is not None
    assert served[1].folder == smaller.folder != matrix.folder
    assert not matrix.folder.exists()
    assert (len(smaller.passages), smaller.blocks.shape[0]) == (2 * 905, 1)
    for number in (BLOCK - 900, BLOCK, BLOCK + 4):
        look = served[1].look(lines[number * 2 + 1], ALL)
        assert [near.key for near in look.best(1, 0)] == [key(number)]
        assert look.passage(key(number)) == f"{number:08}{1:08}".encode()


def test_what_serves_may_be_deleted_damaged_or_of_another_layout(matrix: Folder) -> None:
    assert store.serving() is not None
    (store.root() / "CURRENT").write_text("nowhere")
    assert store.serving() is None
    (store.root() / "CURRENT").unlink()
    assert store.serving() is None
    with store.writing():
        other = store.begin_folder("letters", SIZE)
    (other.folder / "about.json").write_text("nonsense")
    assert store.serving() is None


def test_one_writes_at_a_time(matrix: Folder) -> None:
    with store.writing(), pytest.raises(store.Busy), store.writing(patience=0):
        pass
    with store.writing(patience=0):
        pass


def test_an_audience_that_is_made_while_somebody_looks_is_nobodys_yet(matrix: Folder) -> None:
    """Rows change under whoever looks; the list of audiences that they know is the one of a moment ago."""
    lines = vectors(2)
    fill(matrix, *(entry(n, line) for n, line in enumerate(lines)))
    assert nearest(matrix, lines[0]) == [key(0), key(1)]
    indexer = Folder(matrix.folder, SIZE)
    with store.writing():
        indexer.change({key(0): Rights(1, FINANCE | {EVERYONE})})
    assert [near.key for near in matrix.look(lines[0], ALL).best(5, -1)] == [key(1)]
    assert nearest(matrix, lines[0]) == [key(0), key(1)], "the next look knows it"
