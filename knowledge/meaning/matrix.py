"""The vectors of one model in a folder, mapped into memory and compared with a question all at once.

Brute force: for some hundred thousand passages it takes a few milliseconds,
finds exactly the nearest, and lets rights decide before anything is chosen.
Vectors are kept in 8-bit numbers, in blocks with a column for each passage,
which is the order in which a processor multiplies them fastest.

Files, each only growing, in the numbers of the machine: ``vectors`` (blocks),
``passages`` (`PASSAGE`, a row for each column), ``documents`` (`DOCUMENT`, whose
passages stand side by side) and ``audiences`` (a line for each set of tokens,
as digests; its number is its place). Rights and removal change rows of
``documents`` where they are, so every process sees them at once. What is
written of a new document is complete before its row appears.
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Near, Packed, Scope
from knowledge.index.schema import audience_digest

BLOCK = 4096
"""Passages in one block."""
PASSAGE = np.dtype([("hash", "V16"), ("scale", "<f4"), ("sum", "<i4")])
DOCUMENT = np.dtype([("key", "V16"), ("first", "<i4"), ("count", "<i4"), ("source", "<i4"), ("audience", "<i4")])
NOBODY = -1
"""The source of a document that is gone."""
_HIDDEN = -2.0

Similarities = NDArray[np.float32]


def pack(hash: bytes, vector: NDArray[np.float32]) -> Packed:
    """A vector of length one in 8-bit numbers."""
    scale = max(float(np.abs(vector).max()), 1e-9) / 127
    return Packed(hash, np.rint(vector / scale).astype(np.int8).tobytes(), scale)


class Matrix:
    """One folder of vectors, open for looking. Threads may share it; `refresh` sees what was added."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self._lock = threading.Lock()
        self._seen = (-1, -1)
        self._numbers: dict[bytes, int] = {}
        self._audiences: list[frozenset[str]] = []
        self._audience_numbers: dict[frozenset[str], int] = {}
        self._allowed: dict[tuple[frozenset[str], int], NDArray[np.bool_]] = {}
        self.documents: Any = np.zeros(0, DOCUMENT)
        self.passages: Any = np.zeros(0, PASSAGE)
        self.blocks: Any = np.zeros((0, size, BLOCK), np.int8)
        self._figures = np.zeros((2, 0), np.float32)  # scale and sum of each passage, side by side
        self.refresh()

    def refresh(self) -> Matrix:
        """See what was written since; returns itself. Raises `OSError` when the files are gone."""
        documents, audiences = self.folder / "documents", self.folder / "audiences"
        if self._sizes() == self._seen:
            return self
        with self._lock:
            seen = self._sizes()  # once more: another thread may have seen more while this one waited
            if seen[1] != self._seen[1]:
                lines = audiences.read_bytes().split(b"\n")[:-1]
                self._audiences = [frozenset(json.loads(line)) for line in lines]
                self._audience_numbers = {audience: number for number, audience in enumerate(self._audiences)}
            if seen[0] != len(self.documents):
                rows = _mapped(documents, DOCUMENT, (seen[0],))
                last = rows[-1] if seen[0] else None
                passages = int(last["first"] + last["count"]) if last is not None else 0
                self.passages = _mapped(self.folder / "passages", PASSAGE, (passages,))
                self.blocks = _mapped(self.folder / "vectors", np.int8, (-(-passages // BLOCK), self.size, BLOCK))
                scales, sums = (self.passages[name][self._figures.shape[1] :] for name in ("scale", "sum"))
                self._figures = np.concatenate((self._figures, np.array([scales, sums * _ABOVE], np.float32)), 1)
                known = len(self.documents)
                keys = rows["key"][known:].tobytes()
                self._numbers.update((keys[at : at + 16], known + at // 16) for at in range(0, len(keys), 16))
                self.documents = rows
            self._seen = seen
        return self

    @property
    def id(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def rows(self) -> int:
        """Documents that were ever written, as of now."""
        return len(self.refresh().documents)

    def count(self) -> int:
        """Passages, those of documents that are gone among them."""
        return len(self.passages)

    def _sizes(self) -> tuple[int, int]:
        """Rows of documents, and bytes of audiences, that are there now."""
        documents, audiences = (self.folder / name for name in ("documents", "audiences"))
        return documents.stat().st_size // DOCUMENT.itemsize, audiences.stat().st_size

    def look(self, vector: NDArray[np.float32], scope: Scope) -> Look:
        """How near each document is to a question's vector, for whoever has this scope."""
        with self._lock:
            documents, passages, blocks = self.documents, self.passages, self.blocks
            audiences, numbers, figures = self._audiences, self._numbers, self._figures
        if not len(documents) or len(vector) != self.size:
            return Look(documents[:0], passages, np.zeros(0, np.float32), np.zeros(0, np.float32), {})
        cosines = similarities(blocks, figures, vector)
        best = np.maximum.reduceat(cosines, documents["first"])
        source = documents["source"]
        audience = np.minimum(documents["audience"], len(audiences))  # one that was made since `refresh` is the last
        allowed = np.zeros(max(int(source.max()), 0, *scope.sources) + 2, np.bool_)  # the last one is `NOBODY`
        allowed[list(scope.sources)] = True
        seen = allowed[source] & self._readable(scope.audience, audiences)[audience]
        for key in scope.behind:
            number = numbers.get(bytes.fromhex(key))
            if number is not None and number < len(seen):
                seen[number] = False
        best[~seen] = _HIDDEN
        return Look(documents, passages, cosines, best, numbers)

    def _readable(self, tokens: frozenset[str], audiences: list[frozenset[str]]) -> NDArray[np.bool_]:
        """For each audience whether one of these tokens is in it; the last stands for any that is not known yet."""
        name = tokens, len(audiences)
        known = self._allowed.get(name)
        if known is None:
            mine = frozenset(map(audience_digest, tokens))
            known = np.array([*(not mine.isdisjoint(each) for each in audiences), False], np.bool_)
            if len(self._allowed) > 200:
                self._allowed.clear()
            self._allowed[name] = known
        return known

    def places(self, keys: Iterable[str]) -> dict[str, int]:
        """The row of each of these documents that is here."""
        found = ((key, self._numbers.get(bytes.fromhex(key))) for key in keys)
        return {key: number for key, number in found if number is not None}

    def audience_number(self, digests: frozenset[str]) -> int | None:
        """The number by which rows name an audience, if any was written with it."""
        return self._audience_numbers.get(digests)


@dataclass(frozen=True, slots=True)
class Look:
    """One question against all documents, hidden ones left out before anything is chosen."""

    _documents: Any
    _passages: Any
    _cosines: Similarities
    _best: Similarities
    _numbers: dict[bytes, int]

    def best(self, count: int, least: float) -> list[Near]:
        """At most ``count`` documents whose nearest passage is at least so like the question, the nearest first."""
        near = np.flatnonzero(self._best >= max(least, _HIDDEN + 0.5))
        if len(near) > count:
            near = near[np.argpartition(self._best[near], -count)[-count:]]
        keys = (key.tobytes().hex() for key in self._documents["key"][near])
        found = [Near(key, cosine) for key, cosine in zip(keys, self._best[near].tolist(), strict=True)]
        return sorted(found, key=lambda one: (-one.cosine, one.key))

    def of(self, keys: Iterable[str]) -> dict[str, float]:
        """The cosines of these documents, of those that are known and may be seen."""
        numbers = ((key, self._numbers.get(bytes.fromhex(key))) for key in keys)
        known = [(key, number) for key, number in numbers if number is not None and number < len(self._best)]
        values = self._best[[number for _, number in known]].tolist() if known else []
        return {key: value for (key, _), value in zip(known, values, strict=True) if value > _HIDDEN}

    def passage(self, key: str) -> bytes | None:
        """The hash of a document's nearest passage."""
        number = self._numbers.get(bytes.fromhex(key))
        if number is None or number >= len(self._best) or self._best[number] <= _HIDDEN:
            return None
        row = self._documents[number]
        first = int(row["first"])
        at = first + int(self._cosines[first : first + int(row["count"])].argmax())
        return bytes(self._passages[at]["hash"].tobytes())


def _mapped(path: Path, kind: Any, shape: tuple[int, ...]) -> Any:
    """A file's beginning as an array; nothing is read before it is looked at."""
    return np.memmap(path, kind, "r", shape=shape) if all(shape) else np.zeros(shape, kind)


# Multiplying ------------------------------------------------------------------------------------------------------

PRODUCT = b64decode(
    "CAkSADqCAQofCgNvbmUKBG1hbnkSA291dCINTWF0TXVsSW50ZWdlchIHcHJvZHVjdFoZCgNvbmUSEgoQCAISDAoCCAEKBhIEc2l6"
    "ZVofCgRtYW55EhcKFQgDEhEKBhIEc2l6ZQoHEgVjb3VudGIaCgNvdXQSEwoRCAYSDQoCCAEKBxIFY291bnRCBAoAEBQ="
)
"""A graph of one node: ``out = MatMulInteger(one, many)``, of UINT8 (1 x size) and INT8 (size x count)."""
_ABOVE = 64
_product: Any = None
_making = threading.Lock()


def similarities(blocks: Any, figures: NDArray[np.float32], vector: NDArray[np.float32]) -> Similarities:
    """The cosine of a vector with that of each passage, of which ``figures`` are the scale and the sum `_ABOVE` times.

    The question's numbers have seven bits and none is below zero (what that
    adds is taken away again): so no processor's product overflows, all give
    the same, and the quickest of them can be used.
    """
    scale = max(float(np.abs(vector).max()), 1e-9) / (_ABOVE - 1)
    numbers = (np.rint(vector / scale) + _ABOVE).astype(np.uint8).reshape(1, -1)
    found = np.empty(len(blocks) * BLOCK, np.float32)
    multiply = _multiplier()
    for at in range(len(blocks)):
        found[at * BLOCK : (at + 1) * BLOCK] = multiply(numbers, np.asarray(blocks[at]))
    found = found[: figures.shape[1]]
    found -= figures[1]
    found *= figures[0]
    found *= scale
    return found


def _multiplier() -> Any:
    """onnxruntime's product of 8-bit numbers, five times as fast as numpy's of floats, where it is installed."""
    global _product  # noqa: PLW0603 - made once for a process
    with _making:
        if _product is None:
            try:
                _product = _with_onnxruntime()
            except ImportError:
                _product = _with_numpy
    return _product


def _with_numpy(one: NDArray[np.uint8], many: Any) -> Any:
    return one[0].astype(np.float32) @ many.astype(np.float32)


def _with_onnxruntime() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(PRODUCT, options, providers=["CPUExecutionProvider"])
    return lambda one, many: session.run(None, {"one": one, "many": many})[0][0]
