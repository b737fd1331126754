"""Vectors kept between measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from knowledge.management.kept_vectors import Keeping
from tests.meaning import Letters


def test_a_text_is_embedded_once_for_all_measurements(tmp_path: Path) -> None:
    first = Keeping(Letters(), tmp_path / "new")
    vectors = first.encode(["a", "b", "a", "\ud800"])
    first.keep()
    encoder = Letters()
    second = Keeping(encoder, tmp_path / "new")
    assert np.array_equal(second.encode(["a", "b", "a", "\ud800"]), vectors)
    assert encoder.asked == []
    second.encode(["c"])
    assert (encoder.asked, second.asked) == (["c"], 1)
    assert len(second.encode([])) == 0


def test_those_of_another_model_are_others(tmp_path: Path) -> None:
    first = Keeping(Letters("one"), tmp_path)
    first.encode(["a"])
    first.keep()
    assert Keeping(Letters("two"), tmp_path).encode(["a"]).shape == (1, 32)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_few_may_stand_for_all_where_speed_is_measured(tmp_path: Path) -> None:
    encoder = Letters()
    keeping = Keeping(encoder, tmp_path, most=2)
    first = keeping.encode(["a", "b"])
    later = keeping.encode(["c", "d", "e"])
    assert encoder.asked == ["a", "b"]
    assert all(any(np.array_equal(one, of) for of in first) for one in later)
    assert np.array_equal(keeping.encode(["c", "d", "e"]), later), "the same text has the same vector"
