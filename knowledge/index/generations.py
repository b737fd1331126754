"""Generations of the index: built beside the old one, swapped in one step, cleared away.

``INDEX_DIR/CURRENT`` names the generation that serves, ``INDEX_DIR/BUILDING``
the one being built, each replaced in one step. ``INDEX_DIR/<id>/meta.json``
says by which engine and for which schema a generation was made; its engine's
files are in ``INDEX_DIR/<id>/data``. A generation of another engine or schema
is as good as none.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from knowledge.index import IndexMissing, WriterBusy, engine_class, schema, writing_alone

_ID = re.compile(r"\d{8}-[0-9a-f]{8}")


def root() -> Path:
    """The folder of all generations, as settings say now."""
    from django.conf import settings

    return Path(settings.INDEX_DIR)


def data_of(generation: str) -> Path:
    """The folder of a generation's engine."""
    return root() / generation / "data"


def current() -> str | None:
    """The generation that serves, if this engine and schema can read it."""
    generation = _read("CURRENT")
    return generation if generation and usable(generation) else None


def building() -> str | None:
    """The generation being built beside it, if this engine and schema can write it."""
    generation = _read("BUILDING")
    return generation if generation and generation != _read("CURRENT") and usable(generation) else None


def active() -> list[str]:
    """The generations to be kept true: the one that serves, then the one being built."""
    return [generation for generation in (current(), building()) if generation]


def usable(generation: str) -> bool:
    """Whether its files are there and of this engine and schema."""
    meta = _meta(generation)
    made = meta.get("engine"), meta.get("fingerprint")
    if made != (engine_class()[0], schema.fingerprint()):
        return False
    try:
        with os.scandir(data_of(generation)) as files:
            return next(files, None) is not None
    except OSError:
        return False


def begin() -> str:
    """A generation to be filled: the one that was begun before and not yet promoted, or a new, empty one."""
    under_way = building()
    if under_way:
        return under_way
    path, engine, options = engine_class()
    now = datetime.now(UTC)
    generation = f"{now:%Y%m%d}-{uuid.uuid4().hex[:8]}"
    data_of(generation).mkdir(parents=True)
    engine(data_of(generation), **options).close()
    _write_meta(
        generation,
        {
            "id": generation,
            "engine": path,
            "fingerprint": schema.fingerprint(),
            "created": now.isoformat(timespec="seconds"),
            "stamp": "",
        },
    )
    _replace(root() / "BUILDING", generation)
    return generation


def promote(generation: str) -> None:
    """Let a generation serve from the next request on."""
    if not usable(generation):
        raise IndexMissing
    _replace(root() / "CURRENT", generation)
    if _read("BUILDING") == generation:
        (root() / "BUILDING").unlink(missing_ok=True)


def discard(generation: str) -> None:
    """Give a generation up, whatever its part is, and remove its files."""
    for name in ("CURRENT", "BUILDING"):
        if _read(name) == generation:
            (root() / name).unlink(missing_ok=True)
    shutil.rmtree(root() / generation, ignore_errors=True)


def collect() -> int:
    """Remove what serves nobody: other generations, and files that no commit refers to; bytes freed.

    Does nothing while somebody writes. Readers that still have such files
    open keep them until they look again.
    """
    freed = 0
    with suppress(WriterBusy), writing_alone(patience=0):
        kept = active()
        for folder in root().iterdir():
            if _ID.fullmatch(folder.name) and folder.name not in kept:
                freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                shutil.rmtree(folder, ignore_errors=True)
        _, make, options = engine_class()
        for generation in kept:
            engine = make(data_of(generation), **options)
            freed += engine.collect_garbage()
            engine.close()
    return freed


def read_stamp(generation: str) -> str:
    """The name of the last batch written, as `write_stamp` left it; empty for none."""
    return str(_meta(generation).get("stamp", ""))


def write_stamp(generation: str, stamp: str) -> None:
    """Name the last batch written, so that a database or a folder restored from a backup is noticed."""
    meta = _meta(generation)
    if not meta:
        raise IndexMissing
    _write_meta(generation, {**meta, "stamp": stamp})


def _meta(generation: str) -> dict[str, Any]:
    try:
        meta = json.loads((root() / generation / "meta.json").read_text())
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _write_meta(generation: str, meta: dict[str, Any]) -> None:
    _replace(root() / generation / "meta.json", json.dumps(meta))


def _read(name: str) -> str | None:
    try:
        generation = (root() / name).read_text().strip()
    except (OSError, ValueError):
        return None
    return generation if _ID.fullmatch(generation) else None


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader, and a power cut, meets the old text or the new."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
