"""Syncs and indexing in the foreground, with a line that moves."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from knowledge import actions, durable, indexing, ingest
from knowledge.index import IndexProblem
from knowledge.models import SyncRun


class Line:
    """One line that is written over on a terminal, and written once a step elsewhere."""

    def __init__(self, out: Any) -> None:
        self.out = out
        self.moves = bool(getattr(out, "isatty", lambda: False)())

    def say(self, text: str, *, done: bool = False) -> None:
        """Show ``text``; only the last line stays, and only finished lines show where nothing can move."""
        if self.moves:
            self.out.write(f"\r\x1b[K{text}", ending="\n" if done else "")
            self.out.flush()
        elif done:
            self.out.write(text)


def follow_sync(sources: Any, out: Any) -> None:
    """Sync each source here and now, unless a worker is at it, and index what changed."""
    line = Line(out)
    for source in sources:
        began = time.monotonic()
        run = actions.open_run(source=source)
        run.retry()

        def tell(run: SyncRun, name: str = source.name, began: float = began) -> None:
            line.say(f"{name}: {run.seen} seen, {run.added} added, {time.monotonic() - began:.0f} s")

        done_here = durable.work(SyncRun.objects, run.pk, partial(ingest.sync, report=tell))
        run.refresh_from_db()
        if not done_here and run.done_at is None:
            line.say(f"{source.name}: {run.error or 'a worker is reading it now'}", done=True)
            continue
        line.say(f"{source.name}: {summary(run)} in {time.monotonic() - began:.1f} s", done=True)
        tell_failures(run, out)
    follow_index(out)


def follow_index(out: Any, *, again: bool = False) -> None:
    """Index here and now what is waiting; ``again``: all of it, into a generation beside the old."""
    line = Line(out)
    began = time.monotonic()

    def tell(written: int) -> None:
        line.say(f"index: {written} written, {time.monotonic() - began:.0f} s")

    try:
        written = indexing.rebuild(fresh=again, report=tell)
    except IndexProblem as problem:
        raise CommandError(str(problem)) from problem
    waiting = indexing.status()["waiting"]
    if not written and not waiting:
        line.say("index: up to date", done=True)  # a worker may have been quicker
        return
    busy = f"; {waiting} are being written by a worker" if waiting else ""
    line.say(f"index: {written} written in {time.monotonic() - began:.1f} s{busy}", done=True)


def tell_failures(run: SyncRun | None, out: Any) -> None:
    """The first ten documents that could not be read as they are, with the reasons."""
    failures = run.failures if run else []
    for key, reason in failures[:10]:
        out.write(f"  {key}: {reason}")
    if run and run.failed > 10:
        out.write(f"  … and {run.failed - 10} more; the first hundred stand in index_status --json")


def summary(run: SyncRun) -> str:
    """The counts of a run in words."""
    counts = f"{run.seen} seen, {run.added} added, {run.changed} changed, {run.gone} gone, {run.failed} failed"
    return f"{counts}. {run.error}" if run.error else counts
