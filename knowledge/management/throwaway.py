"""A database and an index that exist for one measurement and are gone after it."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.test.utils import override_settings
from django.utils.text import slugify

from knowledge import ingest
from knowledge.documents import EVERYONE
from knowledge.durable import work
from knowledge.index import generations
from knowledge.management import beside
from knowledge.models import Audience, Source, SourceGroup, SyncRun

ALIAS = "default"


@contextmanager
def throwaway(connector: str, *, engine: str | None = None) -> Iterator[Path]:
    """Everything inside happens in an empty SQLite database and an empty index, in a folder that is removed after it.

    ``connector`` is the dotted path of the one connector that sources made
    inside use (kind ``throwaway``). The installation's own database and index
    are out of reach meanwhile, whichever they are.
    """
    with (
        tempfile.TemporaryDirectory(prefix="immersive-throwaway-") as name,
        place(Path(name), connector, engine or settings.SEARCH_ENGINE),
    ):
        call_command("migrate", verbosity=0, interactive=False)
        try:
            yield Path(name)
        finally:
            generations.shelf().clear()


@contextmanager
def place(folder: Path, connector: str, engine: str) -> Iterator[None]:
    """Settings and database are those of a throwaway folder."""
    changed: dict[str, Any] = {
        "INDEX_DIR": folder / "index",
        "IMMERSIVE_CONNECTORS": {"throwaway": connector},
        "SEARCH_ENGINE": engine,
        "SEARCH_ENGINES": _apart(folder, engine),
    }
    with override_settings(**changed), _other_database(folder / "throwaway.sqlite3"):
        yield


def _apart(folder: Path, engine: str) -> dict[str, Any]:
    """The engines; the chosen one, if it keeps its data elsewhere, with names for this folder alone."""
    engines: dict[str, Any] = settings.SEARCH_ENGINES
    own = {"prefix": folder.name.lower()} if "prefix" in engines[engine] else {}
    return {**engines, engine: {**engines[engine], **own}}


@contextmanager
def _other_database(path: Path) -> Iterator[None]:
    """The default connection of this thread is one to a new SQLite file."""
    kept, kept_settings = connections[ALIAS], connections.settings[ALIAS]
    own = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": settings.SQLITE_OPTIONS}
    connections.settings[ALIAS] = connections.configure_settings({ALIAS: own})[ALIAS]
    connections[ALIAS] = connections.create_connection(ALIAS)
    try:
        yield
    finally:
        connections[ALIAS].close()
        connections.settings[ALIAS] = kept_settings
        connections[ALIAS] = kept


def fill(
    name: str, address: str, *, tokens: tuple[str, ...] = (EVERYONE,), groups: dict[str, str] | None = None
) -> Source:
    """Make a source that ``tokens`` may read, and sync it as a worker would; ``groups``: its group -> our token."""
    audience = Audience.objects.of(tokens)
    source = Source.objects.create(
        kind="throwaway", name=name, slug=slugify(name)[:120] or "set", address=address, audience=audience
    )
    SourceGroup.objects.bulk_create(
        SourceGroup(source=source, name=group, token=token) for group, token in (groups or {}).items()
    )
    run = SyncRun.objects.create(source=source)
    work(SyncRun.objects, run.pk, ingest.sync)
    run.refresh_from_db()
    if run.error or run.failed:
        reason = run.error or "; ".join(f"{key}: {why}" for key, why in run.failures[:3])
        raise CommandError(f"“{name}” could not be read whole: {reason}")
    return source


@contextmanager
def index_worker() -> Iterator[None]:
    """Inside, another process writes the index, as the index worker does; on leaving, everything is written."""
    context = multiprocessing.get_context("spawn")
    ready, enough = context.Event(), context.Event()
    (connector,) = settings.IMMERSIVE_CONNECTORS.values()
    where = Path(settings.INDEX_DIR).parent, connector, settings.SEARCH_ENGINE
    worker = context.Process(target=beside.write_index, args=(where, ready, enough), daemon=True)
    worker.start()
    try:
        ready.wait(60)
        yield
    finally:
        enough.set()
        worker.join()
    if worker.exitcode:
        raise CommandError("The index could not be written: what the index worker says stands above.")
