"""The broker in a folder: no message is read half, none is lost, none is had twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

import immersive.celery  # noqa: F401 - it puts the transport there
from immersive.broker import Transport

EACH = 150


def connected(folder: str) -> Connection:
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
    return Connection("filesystem://", transport_options=options)


def put(folder: str, who: int) -> int:
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        for number in range(EACH):
            queue.put({"who": who, "number": number, "long": "x" * 20_000})
    return EACH


def get(folder: str) -> list[tuple[int, int]]:
    found = []
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        while True:
            try:
                message = queue.get(timeout=1)
            except Empty:
                return found
            message.ack()
            found.append((message.payload["who"], message.payload["number"]))


@pytest.mark.slow
def test_many_write_and_read_at_once(tmp_path: Path) -> None:
    assert Connection("filesystem://").get_transport_cls() is Transport
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        writers = [pool.submit(put, str(tmp_path), who) for who in range(2)]
        readers = [pool.submit(get, str(tmp_path)) for _ in range(2)]
        assert sum(one.result() for one in writers) == 2 * EACH
        had = Counter(pair for reader in readers for pair in reader.result())
    assert had == Counter((who, number) for who in range(2) for number in range(EACH))
    assert list(tmp_path.glob("*.msg*")) == []
