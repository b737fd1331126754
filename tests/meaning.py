"""Search by meaning in tests: the model that `make setup` makes, or a clear skip; one that counts letters; vectors."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from knowledge.documents import EVERYONE, Entry, Rights
from knowledge.meaning.encoders import Vectors, unit
from knowledge.meaning.matrix import pack

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


# Vectors without a model --------------------------------------------------------------------------------------------

SIZE = 24


def key(number: int) -> str:
    """The key of a document."""
    return uuid.UUID(int=number + 1).hex


def vectors(count: int, seed: int = 1) -> Any:
    """So many directions, the same for the same seed."""
    found = np.random.default_rng(seed).normal(size=(count, SIZE)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def entry(number: int, *lines: Any, source: int = 1, tokens: frozenset[str] = frozenset({EVERYONE})) -> Entry:
    """A document of these passages; each one's hash says which it is."""
    passages = [pack(f"{number:08}{place:08}".encode(), line) for place, line in enumerate(lines)]
    return Entry(key(number), Rights(source, tokens), passages)
