"""``manage.py seed_demo``: an invented company to try everything with, in development only."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from immersive.demo import sign_ins
from immersive.demo.seed import Refused, seed
from knowledge.connectors import SourceError


class Command(BaseCommand):
    """Brings the demo company in; stopped, it goes on at the next call, and done again it changes nothing."""

    help = "Fill the portal with an invented company: pages, tools, courses, people and some weeks of use."

    def handle(self, **options: Any) -> None:
        try:
            seed(self.stdout)
        except (Refused, SourceError) as error:
            raise CommandError(str(error)) from error
        for line in sign_ins():
            self.stdout.write(line)
