"""``manage.py index_status``: what the index holds and what is waiting."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from knowledge import indexing
from knowledge.management.progress import summary
from knowledge.models import Source


class Command(BaseCommand):
    """For operators: counts only, nothing of what the documents say."""

    help = "Show what the index holds, what is waiting, and each source's last run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        status = indexing.status()
        if options["json"]:
            self.stdout.write(json.dumps(status))
            return
        for name, value in status.items():
            self.stdout.write(f"{name:>10}: {'none' if value is None else value}")
        for source in Source.objects.order_by("name"):
            run = source.runs.first()
            self.stdout.write(f"{source.name}: {summary(run) if run else 'never read'}")
