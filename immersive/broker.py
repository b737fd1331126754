"""The broker of an embedded installation: messages as files in a folder, each of them whole or not there.

kombu's own filesystem transport writes a message where others already look
for it, and a worker that reads a half of it dies. Here a message appears and
is taken by renaming, which leaves one name to one process.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, flock
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """Messages and the table of queues, written and read whole."""

    def _put(self, queue: str, payload: Any, **options: Any) -> None:  # type: ignore[override]  # as the one below it
        folder = Path(self.data_folder_out)
        name = f"{time_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        written = folder / f".{name}"
        written.write_text(dumps(payload))
        written.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".{name}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another process has it
            message = taken.read_text()
            taken.unlink()
            return loads(message)
        raise Empty

    def get_table(self, exchange: str) -> Any:
        """The queues that are bound to an exchange; never while they are being written."""
        with self._locked(LOCK_SH):
            return super().get_table(exchange)

    def _queue_bind(self, *bound: Any) -> None:
        with self._locked(LOCK_EX):
            super()._queue_bind(*bound)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with (self.control_folder / ".lock").open("a") as file:
            flock(file, how)
            yield


class Transport(filesystem.Transport):
    """Celery's ``filesystem://`` with the channel above (`immersive.celery` puts it there)."""

    Channel = Channel
