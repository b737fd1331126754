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
