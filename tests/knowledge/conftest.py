"""A folder with pages, and a source that reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from knowledge import actions, durable, ingest
from knowledge.models import Source, SyncRun


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pages"
    place.mkdir()
    return place


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """Write a page: ``write("a.md", "Title", "Body", audience="[finance]")``."""

    def page(name: str, title: str, body: str = "Some words.", **front: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"title: {title}", *(f"{key}: {value}" for key, value in front.items())]
        path.write_text("---\n" + "\n".join(lines) + f"\n---\n\n{body}\n")
        return path

    return page


@pytest.fixture
def source(db: None, folder: Path, write: Callable[..., Path]) -> Source:
    write(
        "first.md", "First page", "The kettle is in the kitchen.", topics="[tea]", authors="[Ana Lima <ana@x.example>]"
    )
    return actions.add_source(kind="folder", address=str(folder), name="Pages")


def sync(source: Source, **options: Any) -> SyncRun:
    """One run to its end, here and now."""
    run, _ = SyncRun.objects.get_or_create(source=source, done_at=None)
    SyncRun.objects.filter(pk=run.pk).update(due_at=run.created_at)
    durable.work(SyncRun.objects, run.pk, lambda row: ingest.sync(row, **options))
    run.refresh_from_db()
    return run
