"""Generations: begun beside the serving one, swapped, discarded, collected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from knowledge import index
from knowledge.index import IndexMissing, generations, schema


def serve_one() -> str:
    generation = generations.begin()
    generations.promote(generation)
    return generation


def test_nothing_is_there_at_first() -> None:
    assert generations.current() is None
    assert generations.building() is None
    assert generations.active() == []
    assert generations.read_stamp("20260101-00000000") == ""
    assert generations.collect() == 0


def test_one_is_built_beside_the_one_that_serves() -> None:
    first = serve_one()
    second = generations.begin()
    assert second != first
    assert generations.begin() == second
    assert (generations.current(), generations.building()) == (first, second)
    assert generations.active() == [first, second]
    generations.promote(second)
    assert (generations.current(), generations.building()) == (second, None)
    assert generations.active() == [second]


def test_another_schema_begins_another_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    serving, begun = serve_one(), generations.begin()
    monkeypatch.setattr(schema, "LAYOUT", schema.LAYOUT + 1)
    assert generations.active() == []
    assert generations.begin() not in (serving, begun)
    with pytest.raises(IndexMissing):
        generations.promote(begun)


def test_the_stamp_is_kept_with_the_generation() -> None:
    generation = serve_one()
    assert generations.read_stamp(generation) == ""
    generations.write_stamp(generation, "batch-1")
    assert generations.read_stamp(generation) == "batch-1"
    assert generations.usable(generation)
    generations.discard(generation)
    assert generations.read_stamp(generation) == ""
    with pytest.raises(IndexMissing):
        generations.write_stamp(generation, "batch-2")


def test_discarding_leaves_the_other() -> None:
    first = serve_one()
    second = generations.begin()
    generations.discard(second)
    assert generations.active() == [first]
    generations.discard(first)
    assert generations.active() == []
    assert not (generations.root() / first).exists()


def test_what_serves_nobody_is_collected_once_nobody_writes() -> None:
    old = serve_one()
    new = serve_one()
    begun = generations.begin()
    with index.writer(new):
        assert generations.collect() == 0
        assert (generations.root() / old).exists()
    assert generations.collect() > 0
    left = {path.name for path in generations.root().iterdir() if path.is_dir()}
    assert left == {new, begun}


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"engine": 3}', "\x00"])
def test_a_damaged_generation_is_none(text: str) -> None:
    generation = serve_one()
    (generations.root() / generation / "meta.json").write_text(text)
    assert generations.current() is None
    with pytest.raises(IndexMissing):
        index.open_for_reading()


@pytest.mark.parametrize("text", ["", "../..", "20260101-00000000", "\x00", "x" * 5000])
def test_a_damaged_pointer_leads_nowhere(text: str) -> None:
    serve_one()
    (generations.root() / "CURRENT").write_text(text)
    assert generations.current() is None


def test_meta_says_what_the_generation_is() -> None:
    generation = serve_one()
    meta: dict[str, Any] = json.loads((generations.root() / generation / "meta.json").read_text())
    assert meta["id"] == generation
    assert meta["fingerprint"] == schema.fingerprint()
    assert meta["engine"].endswith("TantivyEngine")
    assert meta["created"].endswith("+00:00")
