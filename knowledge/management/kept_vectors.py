"""Vectors kept between measurements, so that the same texts are embedded once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from knowledge.meaning.encoders import Encoder, Vectors


class Keeping:
    """An encoder that remembers in a file what another was asked before.

    Where ``most`` is given, it asks for no more than so many vectors and gives
    those of earlier texts for later ones, in turn: enough to measure speed with.
    """

    def __init__(self, encoder: Encoder, folder: Path, most: int | None = None) -> None:
        self._encoder = encoder
        self.fingerprint = encoder.fingerprint
        self._path = folder / f"{self.fingerprint}.npz"
        self._known: dict[str, Vectors] = {}
        if self._path.is_file():
            with np.load(self._path, allow_pickle=False) as kept:
                self._known = dict(zip(kept["names"].tolist(), kept["vectors"], strict=True))
        self._most = most
        self.asked = 0
        """Texts that nobody had asked before."""

    def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Vectors:
        """See `Encoder`."""
        names = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] for text in texts]
        if self._most is not None and len(self._known) >= self._most:
            kept = list(islice(self._known.values(), self._most))
            return np.stack([kept[int(name, 16) % self._most] for name in names])
        new = {name: text for name, text in zip(names, texts, strict=True) if name not in self._known}
        self._known.update(zip(new, self._encoder.encode(list(new.values()), seconds=seconds), strict=True))
        self.asked += len(new)
        return np.stack([self._known[name] for name in names]) if names else np.zeros((0, 0), np.float32)

    def keep(self) -> None:
        """Write the file, in one step."""
        if not self.asked:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(f".{os.getpid()}.npz")
        np.savez(beside, names=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        beside.replace(self._path)
