"""``manage.py index_status``: what the index holds and what is waiting."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from knowledge import indexing
from knowledge.index import IndexProblem
from knowledge.management.progress import summary, tell_failures
from knowledge.meaning import embedding
from knowledge.models import Source


class Command(BaseCommand):
    """For operators: counts, and what could not be read; nothing of what the documents say."""

    help = "Show what the index holds, what is waiting, and each source's last run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            status = indexing.status() | {"meaning": embedding.status()}
        except IndexProblem as problem:
            raise CommandError(str(problem)) from problem
        runs = [(source, source.runs.first()) for source in Source.objects.order_by("name")]
        if options["json"]:
            told = {source.slug: {"summary": summary(run), "failures": run.failures} for source, run in runs if run}
            self.stdout.write(json.dumps(status | {"sources": told}))
            return
        for name, value in status.items():
            told = value if isinstance(value, dict) else {"": value}
            said = ", ".join(f"{about} {'none' if one is None else one}".strip() for about, one in told.items())
            self.stdout.write(f"{name:>10}: {said}")
        for source, run in runs:
            self.stdout.write(f"{source.name}: {summary(run) if run else 'never read'}")
            tell_failures(run, self.stdout)
