"""Which vectors serve, and writing them: one process at a time, each step whole even if it is killed.

Where the index is a cluster that can compare vectors, they stand beside it
(an engine says so by a method ``vectors``). Everywhere else they stand in a
folder: ``INDEX_DIR/meaning/CURRENT`` names the one that serves, of one model
and no other. Either may be deleted at any time: what they hold stands in the
database, by which `embedding` makes others without asking the model again.
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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
from django.conf import settings

from knowledge.documents import Entry, Rights
from knowledge.index import WriterBusy, engine_class
from knowledge.index.schema import audience_digest
from knowledge.meaning import Kept
from knowledge.meaning.matrix import BLOCK, DOCUMENT, NOBODY, PASSAGE, Matrix
from knowledge.replacing import replace

LAYOUT = 1
"""Raise it when the files hold something else."""
MOST_GONE = 0.3
"""The part of all passages that may be of documents that are gone, before the files are written anew."""


class Busy(Exception):
    """Another process is writing the vectors."""


def root() -> Path:
    """The folder of all of them, as settings say now."""
    return Path(settings.INDEX_DIR) / "meaning"


_opened: dict[Path, tuple[dict[str, Any], Folder]] = {}
_opening = threading.Lock()


def _beside() -> Any:
    """Where vectors may be kept beside the index; `None` where it is no cluster."""
    _, engine, options = engine_class()
    place = getattr(engine, "vectors", None)
    return place(**options) if place else None


def serving(*, now: bool = True) -> tuple[Mapping[str, Any], Kept] | None:
    """What is said of the vectors that serve, and they at their newest; `None` where there are none.

    Those of a cluster may be, unless asked for as they are ``now``, what they
    were a few seconds ago. Raises `IndexProblem` when it does not say.
    """
    beside = _beside()
    found = beside.serving(now=now) if beside else None
    return (found.about, found) if found else _in_folder()


def _in_folder() -> tuple[Mapping[str, Any], Folder] | None:
    try:
        folder = root() / (root() / "CURRENT").read_text().strip()
        known = _opened.get(folder)
        if known is None:
            about = json.loads((folder / "about.json").read_bytes())
            if about.get("layout") != LAYOUT:
                return None
            known = about, Folder(folder, about["size"])
            with _opening:
                _opened.clear()
                _opened[folder] = known
        known[1].refresh()
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return known


@contextmanager
def alone(name: str, patience: float) -> Iterator[None]:
    """Keep others from what ``name`` means, in all processes, also if this one is killed. Raises `Busy`.

    Where the index is a cluster, on all machines: they need not share a folder.
    """
    beside = _beside()
    if beside:
        with ExitStack() as stack:
            try:
                stack.enter_context(beside.alone(name, patience))
            except WriterBusy as busy:
                raise Busy(f"Another process is the {name} of vectors.") from busy
            yield
        return
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


def begin(model: str, size: int) -> Kept:
    """An empty place for vectors of this model and size, which serves from now on; what served before is removed."""
    return _begin_beside(model, size) or begin_folder(model, size)


def moved(kept: Kept, model: str) -> Kept | None:
    """An empty place beside the index that serves from now on, if it takes what stood in a folder until now."""
    return _begin_beside(model, kept.size) if isinstance(kept, Folder) else None


def _begin_beside(model: str, size: int) -> Kept | None:
    beside = _beside()
    found: Kept | None = beside.begin(model, size) if beside else None
    if found:
        _clear(but=None)
    return found


def begin_folder(model: str, size: int) -> Folder:
    """See `begin`: in a folder of this machine."""
    identity = f"{model}-{uuid.uuid4().hex[:8]}"
    folder = root() / identity
    folder.mkdir(parents=True)
    for name in ("vectors", "passages", "documents", "audiences"):
        (folder / name).touch()
    about = {"id": identity, "model": model, "size": size, "layout": LAYOUT}
    replace(folder / "about.json", json.dumps(about).encode())
    _serve(folder)
    return Folder(folder, size)


def _serve(folder: Path) -> None:
    replace(root() / "CURRENT", folder.name.encode())
    _clear(but=folder)


def _clear(but: Path | None) -> None:
    """Remove every folder of vectors but this one."""
    for other in root().iterdir() if root().exists() else ():
        if other.is_dir() and other != but:
            shutil.rmtree(other, ignore_errors=True)


class Folder(Matrix):
    """One folder of vectors, to be read and, inside `writing`, written."""

    def write(self, entries: Iterable[Entry]) -> None:
        """Put documents in the place of what was known of them, complete or not at all."""
        entries = list(entries)
        self.refresh()
        self.remove([entry.key for entry in entries])
        first = len(self.passages)
        documents = np.zeros(len(entries), DOCUMENT)
        passages = np.zeros(sum(len(entry.passages) for entry in entries), PASSAGE)
        columns = np.zeros((len(passages), self.size), np.int8)
        number = 0
        for row, entry in zip(documents, entries, strict=True):
            audience = self._audience(entry.rights.tokens)
            key = np.frombuffer(bytes.fromhex(entry.key), "V16")[0]
            row["key"], row["first"], row["count"] = key, first + number, len(entry.passages)
            row["source"], row["audience"] = entry.rights.source, audience
            for packed in entry.passages:
                columns[number] = np.frombuffer(packed.numbers, np.int8)
                passages[number]["hash"] = np.frombuffer(packed.hash, "V16")[0]
                passages[number]["scale"] = packed.scale
                number += 1
        passages["sum"] = columns.sum(1, dtype=np.int32)
        path = self.folder / "vectors"
        blocks = -(-(first + number) // BLOCK)
        there, needed = (count * BLOCK * self.size for count in (len(self.blocks), blocks))
        os.truncate(path, needed)
        if needed > there:
            with path.open("r+b") as file:  # a full disk is an error here; who writes a mapped hole of it is killed
                os.posix_fallocate(file.fileno(), there, needed - there)
        if number:
            mapped: Any = np.memmap(path, np.int8, "r+", shape=(blocks, self.size, BLOCK))
            done = 0
            for block, part in _columns(first, number):
                taken = part.stop - part.start
                mapped[block, :, part] = columns[done : done + taken].T
                done += taken
            mapped.flush()
        _append(self.folder / "passages", first * PASSAGE.itemsize, passages.tobytes())
        _append(self.folder / "documents", len(self.documents) * DOCUMENT.itemsize, documents.tobytes())
        self.refresh()

    def remove(self, keys: Iterable[str]) -> None:
        """Let nobody find these documents, and keep nothing of what they said."""
        places = list(self.places(keys).values())
        if not places:
            return
        documents = self._writable("documents", DOCUMENT, len(self.documents))
        passages = self._writable("passages", PASSAGE, len(self.passages))
        blocks: Any = np.memmap(self.folder / "vectors", np.int8, "r+", shape=self.blocks.shape)
        documents["source"][places] = NOBODY
        for place in places:
            first, count = int(documents[place]["first"]), int(documents[place]["count"])
            passages[first : first + count] = np.zeros(count, PASSAGE)
            for block, part in _columns(first, count):
                blocks[block, :, part] = 0

    def change(self, rights: Mapping[str, Rights]) -> None:
        """Let these documents be seen by whom they say from now on, where they are known."""
        places = self.places(rights)
        if places:
            numbers = {key: self._audience(rights[key].tokens) for key in places}
            documents = self._writable("documents", DOCUMENT, len(self.documents))
            for key, place in places.items():
                if documents[place]["source"] != NOBODY:
                    documents[place]["source"], documents[place]["audience"] = rights[key].source, numbers[key]

    def tidy(self) -> Folder:
        """Write the files anew when much of them is of documents that are gone; the folder that serves then."""
        alive = self.documents["source"] != NOBODY
        gone = int(self.documents["count"][~alive].sum())
        if gone < BLOCK or gone < MOST_GONE * len(self.passages):
            return self
        about = json.loads((self.folder / "about.json").read_bytes())
        folder = root() / f"{about['model']}-{uuid.uuid4().hex[:8]}"
        shutil.copytree(self.folder, folder)
        rows = self.documents[alive]
        keep = np.repeat(self.documents["source"] != NOBODY, self.documents["count"])
        passages = self.passages[keep]
        blocks = -(-len(passages) // BLOCK)
        vectors = np.zeros((blocks, self.size, BLOCK), np.int8)
        at = np.flatnonzero(keep)
        for block in range(blocks):
            here = at[block * BLOCK : (block + 1) * BLOCK]
            vectors[block, :, : len(here)] = self.blocks[here // BLOCK, :, here % BLOCK].T
        documents = np.array(rows)
        documents["first"] = np.concatenate(([0], np.cumsum(rows["count"])[:-1])) if len(rows) else 0
        for name, data in (("vectors", vectors), ("passages", passages), ("documents", documents)):
            _append(folder / name, 0, data.tobytes())
        replace(folder / "about.json", json.dumps(about | {"id": folder.name}).encode())
        _serve(folder)
        return Folder(folder, self.size)

    def _writable(self, name: str, kind: Any, count: int) -> Any:
        return np.memmap(self.folder / name, kind, "r+", shape=(count,))

    def _audience(self, tokens: frozenset[str]) -> int:
        """The number of an audience, which is given one when it is new."""
        digests = frozenset(map(audience_digest, tokens))
        known = self.audience_number(digests)
        if known is None:
            path = self.folder / "audiences"
            whole = path.read_bytes().rpartition(b"\n")
            _append(path, len(whole[0]) + len(whole[1]), json.dumps(sorted(digests)).encode() + b"\n")
            known = self.refresh().audience_number(digests)
        return cast(int, known)


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
