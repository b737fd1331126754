"""Generations of the index: built beside the old one, swapped in one step, cleared away.

One generation serves, one may be being built beside it. Each says by which
engine and for which schema it was made; one of another engine or schema is as
good as none. Where they stand is a `Shelf`: `Folders`, unless the engine has
one of its own because its data is on other machines.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from knowledge.index import IndexMissing, WriterBusy, engine_class, schema
from knowledge.replacing import replace

ID = re.compile(r"\d{8}-[0-9a-f]{8}")
Part = Literal["CURRENT", "BUILDING"]


class Shelf(Protocol):
    """Where generations stand, what each says of itself, and which part each plays.

    An engine that keeps its data elsewhere than in the folder it is given has
    a method ``shelf(**options)`` that returns one.
    """

    def playing(self, part: Part) -> dict[str, Any]:
        """What the generation of this part says of itself (``id`` among it); empty if there is none with its data."""
        ...

    def meta(self, generation: str) -> dict[str, Any]:
        """What a generation says of itself; empty if it, or its data, is not there."""
        ...

    def write_meta(self, generation: str, meta: dict[str, Any]) -> None:
        """Let a generation say this from now on. Raises `IndexMissing` when it is not there."""
        ...

    def make(self, generation: str, meta: dict[str, Any]) -> None:
        """Put an empty generation there, and let it be the one that is built."""
        ...

    def serve(self, generation: str) -> None:
        """Let a generation serve, and be built no longer, in one step."""
        ...

    def discard(self, generation: str) -> None:
        """Remove a generation, whatever its part."""
        ...

    def sweep(self, kept: Collection[str]) -> int:
        """Remove the generations that nobody needs any more besides ``kept``; bytes freed."""
        ...

    def clear(self) -> None:
        """Remove every generation, and whatever else is kept for them."""
        ...

    def alone(self, patience: float) -> AbstractContextManager[None]:
        """Keep every other writer out, also if this process is killed. `WriterBusy` after ``patience`` seconds."""
        ...


def shelf() -> Shelf:
    """Where the generations of the chosen engine stand."""
    _, engine, options = engine_class()
    own = getattr(engine, "shelf", None)
    return own(**options) if own else Folders(root())


def root() -> Path:
    """The folder of all generations, as settings say now."""
    from django.conf import settings

    return Path(settings.INDEX_DIR)


def data_of(generation: str) -> Path:
    """The folder of a generation's engine; one that keeps nothing there reads the generation's name from it."""
    return root() / generation / "data"


def current() -> str | None:
    """The generation that serves, if this engine and schema can read it."""
    meta = shelf().playing("CURRENT")
    return meta["id"] if _fits(meta) else None


def building() -> str | None:
    """The generation being built beside it, if this engine and schema can write it."""
    meta = shelf().playing("BUILDING")
    return meta["id"] if _fits(meta) and meta["id"] != shelf().playing("CURRENT").get("id") else None


def active() -> list[str]:
    """The generations to be kept true: the one that serves, then the one being built."""
    return [generation for generation in (current(), building()) if generation]


def usable(generation: str) -> bool:
    """Whether its data is there and of this engine and schema."""
    return _fits(shelf().meta(generation))


def _fits(meta: dict[str, Any]) -> bool:
    return (meta.get("engine"), meta.get("fingerprint")) == (engine_class()[0], schema.fingerprint())


def begin() -> str:
    """A generation to be filled: the one that was begun before and not yet promoted, or a new, empty one."""
    under_way = building()
    if under_way:
        return under_way
    now = datetime.now(UTC)
    generation = f"{now:%Y%m%d}-{uuid.uuid4().hex[:8]}"
    meta = {
        "id": generation,
        "engine": engine_class()[0],
        "fingerprint": schema.fingerprint(),
        "created": now.isoformat(timespec="seconds"),
        "stamp": "",
    }
    shelf().make(generation, meta)
    return generation


def promote(generation: str) -> None:
    """Let a generation serve from the next request on."""
    if not usable(generation):
        raise IndexMissing
    shelf().serve(generation)


def discard(generation: str) -> None:
    """Give a generation up, whatever its part is, and remove its data."""
    shelf().discard(generation)


def collect() -> int:
    """Remove what serves nobody: other generations, and files that no commit refers to; bytes freed.

    Does nothing while somebody writes. Readers that still have such files
    open keep them until they look again.
    """
    freed = 0
    with suppress(WriterBusy), shelf().alone(patience=0):
        kept = active()
        freed += shelf().sweep(kept)
        _, make, options = engine_class()
        for generation in kept:
            engine = make(data_of(generation), **options)
            freed += engine.collect_garbage()
            engine.close()
    return freed


def read_stamp(generation: str) -> str:
    """The name of the last batch written, as `write_stamp` left it; empty for none."""
    return str(shelf().meta(generation).get("stamp", ""))


def write_stamp(generation: str, stamp: str) -> None:
    """Name the last batch written, so that a database or an index restored from a backup is noticed."""
    meta = shelf().meta(generation)
    if not meta:
        raise IndexMissing
    shelf().write_meta(generation, {**meta, "stamp": stamp})


class Folders:
    """Generations in folders of one machine: a file for each part, and one that says what a generation is.

    ``CURRENT`` and ``BUILDING`` name generations, each file replaced in one
    step. Beside ``<id>/data``, which is the engine's, stands ``<id>/meta.json``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def playing(self, part: Part) -> dict[str, Any]:
        generation = self._named(part)
        meta = self.meta(generation) if generation else {}
        return {**meta, "id": generation} if meta else {}

    def meta(self, generation: str) -> dict[str, Any]:
        place = self._folder / generation
        try:
            meta = json.loads((place / "meta.json").read_text())
            with os.scandir(place / "data") as files:
                there = next(files, None) is not None
        except (OSError, ValueError):
            return {}
        return meta if there and isinstance(meta, dict) else {}

    def write_meta(self, generation: str, meta: dict[str, Any]) -> None:
        replace(self._folder / generation / "meta.json", json.dumps(meta).encode())

    def make(self, generation: str, meta: dict[str, Any]) -> None:
        _, engine, options = engine_class()
        data = self._folder / generation / "data"
        data.mkdir(parents=True)
        engine(data, **options).close()
        self.write_meta(generation, meta)
        replace(self._folder / "BUILDING", generation.encode())

    def serve(self, generation: str) -> None:
        replace(self._folder / "CURRENT", generation.encode())
        if self._named("BUILDING") == generation:
            (self._folder / "BUILDING").unlink(missing_ok=True)

    def discard(self, generation: str) -> None:
        for part in ("CURRENT", "BUILDING"):
            if self._named(part) == generation:
                (self._folder / part).unlink(missing_ok=True)
        shutil.rmtree(self._folder / generation, ignore_errors=True)

    def sweep(self, kept: Collection[str]) -> int:
        freed = 0
        for folder in self._folder.iterdir():
            if ID.fullmatch(folder.name) and folder.name not in kept:
                freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                shutil.rmtree(folder, ignore_errors=True)
        return freed

    def clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def alone(self, patience: float) -> Iterator[None]:
        """The lock is the operating system's, on a file: it ends with its process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + patience
        with (self._folder / "writer.lock").open("a") as file:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                wait_or_give_up(deadline)
            yield

    def _named(self, part: str) -> str | None:
        try:
            generation = (self._folder / part).read_text().strip()
        except (OSError, ValueError):
            return None
        return generation if ID.fullmatch(generation) else None


def wait_or_give_up(deadline: float) -> None:
    """Wait a moment for another writer, with jitter, or raise `WriterBusy` when it is too late (monotonic time)."""
    if time.monotonic() >= deadline:
        raise WriterBusy("Another process is writing the index. It is tried again later; nothing is lost.")
    time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - jitter, no secret
