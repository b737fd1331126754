"""``manage.py rebuild_index``: a new generation beside the old, then the swap."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from knowledge.management.progress import follow_index


class Command(BaseCommand):
    """Searching goes on meanwhile; stopped half-way, the next call or the worker goes on where it was."""

    help = "Build the index again beside the one that serves, and swap."

    def handle(self, **options: Any) -> None:
        follow_index(self.stdout, again=True)
