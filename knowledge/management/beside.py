"""The index worker of a throwaway place, in a process of its own: it is started anew, so Django is set up in it."""

from __future__ import annotations

from multiprocessing.synchronize import Event
from pathlib import Path

import django


def write_index(where: tuple[Path, str, str], ready: Event, enough: Event) -> None:
    """Write what is to be written in the `throwaway.place` until it is ``enough`` and nothing is left."""
    django.setup()
    from knowledge import indexing
    from knowledge.management import throwaway

    with throwaway.place(*where):
        ready.set()
        while True:
            last = enough.is_set()
            if not indexing.index_changes() and last:
                return
            enough.wait(0.1)
