"""Searches that people made, kept for themselves: written by a thread, so that no search waits or fails for it."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from knowledge.documents import ResultPage
from knowledge.models import Search

logger = logging.getLogger(__name__)


class _Memory:
    """Searches on their way into the database, written by one thread with a connection of its own.

    Bounded: when the database cannot keep up, or is away, searches are
    forgotten and nobody waits. No word of a search is logged.
    """

    LARGEST = 2000
    BATCH = 100
    PAUSE = 0.2
    """Seconds in which more searches may come to be written together; sooner than anybody opens a result."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Search] = queue.Queue(self.LARGEST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def put(self, row: Search) -> None:
        """Take a row to be written soon; starts the thread with the first one (after a fork, so in each process)."""
        try:
            self._queue.put_nowait(row)
        except queue.Full:
            logger.warning("searches are not remembered: the database does not keep up")
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="remember-searches", daemon=True)
                self._thread.start()

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until everything taken so far is written or given up; whether it was in time."""
        deadline = time.monotonic() + seconds
        self._hurry.set()
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._queue.all_tasks_done.wait(left)
        self._hurry.clear()
        return True

    def _run(self) -> None:
        while True:
            rows = [self._queue.get()]
            self._hurry.wait(self.PAUSE)
            while len(rows) < self.BATCH:
                try:
                    rows.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            write(rows)
            connections.close_all()
            for _ in rows:
                self._queue.task_done()


def write(rows: Sequence[Search]) -> None:
    """Write searches, each alone if not together; what cannot be written is forgotten."""
    try:
        with transaction.atomic():
            Search.objects.bulk_create(rows)
    except Exception as error:  # whatever the database says, nobody's search may fail for it
        logger.warning("%s searches not remembered together: %s", len(rows), type(error).__name__)
        if len(rows) > 1:
            for row in rows:
                write([row])


memory = _Memory()


def _forked() -> None:
    """A child process has neither its parent's thread nor any business with its parent's rows."""
    global memory  # noqa: PLW0603 - one per process
    memory = _Memory()


os.register_at_fork(after_in_child=_forked)
atexit.register(lambda: memory.flush(1.0))


def remember(page: ResultPage, person_id: int, at: datetime | None = None) -> str:
    """Keep a search of a person; the public id that it will have."""
    row = Search(
        public_id=uuid.uuid4(),
        person_id=person_id,
        text=page.query.text[:300],
        total=0 if page.near_only else page.total,
        took_ms=page.took_ms,
        at=at or timezone.now(),
    )
    if getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False):
        write([row])
    else:
        memory.put(row)
    return row.public_id.hex
