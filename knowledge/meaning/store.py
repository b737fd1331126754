"""Which folder of vectors serves, and writing it: one process at a time, each step whole even if it is killed.

``INDEX_DIR/meaning/CURRENT`` names the folder that serves, of one model and no
other. It may be deleted at any time: what it holds stands in the database, by
which `embedding` makes another without asking the model again.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from django.conf import settings

from knowledge.index.schema import audience_digest
from knowledge.meaning.matrix import BLOCK, DOCUMENT, NOBODY, PASSAGE, Matrix, Packed

LAYOUT = 1
"""Raise it when the files hold something else."""
MOST_GONE = 0.3
"""The part of all passages that may be of documents that are gone, before the files are written anew."""


class Busy(Exception):
    """Another process is writing the vectors."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may see a document: whoever holds one of these tokens, where its source is visible."""

    source: int
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One document to be written, with at least one passage."""

    key: str
    rights: Rights
    passages: Sequence[Packed]


def root() -> Path:
    """The folder of all of them, as settings say now."""
    return Path(settings.INDEX_DIR) / "meaning"


_opened: dict[Path, tuple[dict[str, Any], Matrix]] = {}
_opening = threading.Lock()


def serving() -> tuple[dict[str, Any], Matrix] | None:
    """What is said of the vectors that serve, and they at their newest; `None` where there are none."""
    try:
        folder = root() / (root() / "CURRENT").read_text().strip()
        known = _opened.get(folder)
        if known is None:
            about = json.loads((folder / "about.json").read_bytes())
            if about.get("layout") != LAYOUT:
                return None
            known = about, Matrix(folder, about["size"])
            with _opening:
                _opened.clear()
                _opened[folder] = known
        known[1].refresh()
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return known


@contextmanager
def alone(name: str, patience: float) -> Iterator[None]:
    """Keep others from what ``name`` means, in all processes, also if this one is killed. Raises `Busy`."""
    root().mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    with (root() / f"{name}.lock").open("a") as file:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if time.monotonic() >= deadline:
                raise Busy(f"Another process holds {name}.lock.")
            time.sleep(random.uniform(0.002, 0.02))  # noqa: S311 - jitter, no secret
        yield


def writing(patience: float = 30.0) -> Any:
    """Inside, nobody else changes the files: for moments only, since indexing waits for it."""
    return alone("writer", patience)


# Writing: call it inside `writing` --------------------------------------------------------------------------------


def begin(model: str, size: int) -> Matrix:
    """An empty folder for vectors of this model and size, which serves from now on; what served before is removed."""
    identity = f"{model}-{uuid.uuid4().hex[:8]}"
    folder = root() / identity
    folder.mkdir(parents=True)
    for name in ("vectors", "passages", "documents", "audiences"):
        (folder / name).touch()
    about = {"id": identity, "model": model, "size": size, "layout": LAYOUT}
    (folder / "about.json").write_text(json.dumps(about))
    _serve(folder)
    return Matrix(folder, size)


def _serve(folder: Path) -> None:
    beside = root() / f".CURRENT.{uuid.uuid4().hex[:8]}"
    beside.write_text(folder.name)
    beside.replace(root() / "CURRENT")
    for other in root().iterdir():
        if other.is_dir() and other != folder:
            shutil.rmtree(other, ignore_errors=True)


def write(matrix: Matrix, entries: Iterable[Entry]) -> None:
    """Put documents in the place of what was known of them, complete or not at all."""
    entries = list(entries)
    matrix.refresh()
    remove(matrix, [entry.key for entry in entries])
    first = len(matrix.passages)
    documents = np.zeros(len(entries), DOCUMENT)
    passages = np.zeros(sum(len(entry.passages) for entry in entries), PASSAGE)
    columns = np.zeros((len(passages), matrix.size), np.int8)
    number = 0
    for row, entry in zip(documents, entries, strict=True):
        audience = _audience(matrix, entry.rights.tokens)
        key = np.frombuffer(bytes.fromhex(entry.key), "V16")[0]
        row["key"], row["first"], row["count"] = key, first + number, len(entry.passages)
        row["source"], row["audience"] = entry.rights.source, audience
        for packed in entry.passages:
            columns[number] = np.frombuffer(packed.numbers, np.int8)
            passages[number]["hash"] = np.frombuffer(packed.hash, "V16")[0]
            passages[number]["scale"] = packed.scale
            number += 1
    passages["sum"] = columns.sum(1, dtype=np.int32)
    path = matrix.folder / "vectors"
    blocks = -(-(first + number) // BLOCK)
    os.truncate(path, blocks * BLOCK * matrix.size)
    if number:
        mapped: Any = np.memmap(path, np.int8, "r+", shape=(blocks, matrix.size, BLOCK))
        done = 0
        for block, part in _columns(first, number):
            taken = part.stop - part.start
            mapped[block, :, part] = columns[done : done + taken].T
            done += taken
        mapped.flush()
    _append(matrix.folder / "passages", first * PASSAGE.itemsize, passages.tobytes())
    _append(matrix.folder / "documents", len(matrix.documents) * DOCUMENT.itemsize, documents.tobytes())
    matrix.refresh()


def remove(matrix: Matrix, keys: Iterable[str]) -> None:
    """Let nobody find these documents, and keep nothing of what they said."""
    places = list(matrix.places(keys).values())
    if not places:
        return
    documents = _writable(matrix, "documents", DOCUMENT, len(matrix.documents))
    passages = _writable(matrix, "passages", PASSAGE, len(matrix.passages))
    blocks: Any = np.memmap(matrix.folder / "vectors", np.int8, "r+", shape=matrix.blocks.shape)
    documents["source"][places] = NOBODY
    for place in places:
        first, count = int(documents[place]["first"]), int(documents[place]["count"])
        passages[first : first + count] = np.zeros(count, PASSAGE)
        for block, part in _columns(first, count):
            blocks[block, :, part] = 0


def change(matrix: Matrix, rights: Mapping[str, Rights]) -> None:
    """Let these documents be seen by whom they say from now on, where they are known."""
    places = matrix.places(rights)
    if places:
        numbers = {key: _audience(matrix, rights[key].tokens) for key in places}
        documents = _writable(matrix, "documents", DOCUMENT, len(matrix.documents))
        for key, place in places.items():
            if documents[place]["source"] != NOBODY:
                documents[place]["source"], documents[place]["audience"] = rights[key].source, numbers[key]


def _writable(matrix: Matrix, name: str, kind: Any, count: int) -> Any:
    return np.memmap(matrix.folder / name, kind, "r+", shape=(count,))


def _columns(first: int, count: int) -> Iterator[tuple[int, slice]]:
    """Where passages stand: the block, and the columns there."""
    while count:
        column = first % BLOCK
        taken = min(count, BLOCK - column)
        yield first // BLOCK, slice(column, column + taken)
        first, count = first + taken, count - taken


def _append(path: Path, at: int, data: bytes) -> None:
    """Write behind what is complete; what a killed writer left there is written over."""
    with path.open("r+b") as file:
        file.truncate(at)
        file.seek(at)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _audience(matrix: Matrix, tokens: frozenset[str]) -> int:
    """The number of an audience, which is given one when it is new."""
    digests = frozenset(map(audience_digest, tokens))
    known = matrix.audience_number(digests)
    if known is None:
        path = matrix.folder / "audiences"
        whole = path.read_bytes().rpartition(b"\n")
        _append(path, len(whole[0]) + len(whole[1]), json.dumps(sorted(digests)).encode() + b"\n")
        known = matrix.refresh().audience_number(digests)
    return cast(int, known)


def tidy(matrix: Matrix) -> Matrix:
    """Write the files anew when much of them is of documents that are gone; the matrix that serves then."""
    alive = matrix.documents["source"] != NOBODY
    gone = int(matrix.documents["count"][~alive].sum())
    if gone < BLOCK or gone < MOST_GONE * len(matrix.passages):
        return matrix
    about = json.loads((matrix.folder / "about.json").read_bytes())
    folder = root() / f"{about['model']}-{uuid.uuid4().hex[:8]}"
    shutil.copytree(matrix.folder, folder)
    other = Matrix(folder, matrix.size)
    rows = matrix.documents[alive]
    keep = np.repeat(matrix.documents["source"] != NOBODY, matrix.documents["count"])
    passages = matrix.passages[keep]
    blocks = -(-len(passages) // BLOCK)
    vectors = np.zeros((blocks, matrix.size, BLOCK), np.int8)
    at = np.flatnonzero(keep)
    for block in range(blocks):
        here = at[block * BLOCK : (block + 1) * BLOCK]
        vectors[block, :, : len(here)] = matrix.blocks[here // BLOCK, :, here % BLOCK].T
    documents = np.array(rows)
    documents["first"] = np.concatenate(([0], np.cumsum(rows["count"])[:-1])) if len(rows) else 0
    for name, data in (("vectors", vectors), ("passages", passages), ("documents", documents)):
        _append(folder / name, 0, data.tobytes())
    (folder / "about.json").write_text(json.dumps(about | {"id": folder.name}))
    del other
    _serve(folder)
    return Matrix(folder, matrix.size)
