"""Search by meaning in tests: the model that `make setup` makes, or a clear skip; and one that only counts letters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from knowledge.meaning.encoders import Vectors, unit

MODEL = Path(settings.MODEL_DIR)

needs_model = pytest.mark.skipif(
    not (MODEL / "model.onnx").is_file(), reason="no model is made here: `make setup`, then `manage.py prepare_meaning`"
)


class Letters:
    """An encoder for which texts of the same letters mean the same: quick, and the same on every machine."""

    def __init__(self, fingerprint: str = "letters", size: int = 32) -> None:
        self.fingerprint, self.size = fingerprint, size
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Vectors:
        self.asked += texts
        found = np.full((len(texts), self.size), 1e-3, np.float32)
        for row, text in zip(found, texts, strict=True):
            for char in text.casefold():
                if char.isalnum():
                    row[ord(char) % self.size] += 1
        return unit(found) if texts else found
