"""``manage.py sync [SOURCE ...]``: look for changes now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from knowledge.management.progress import follow_sync
from knowledge.models import Source


class Command(BaseCommand):
    """Reads sources and indexes what changed, in the foreground; stopped, it goes on at the next call."""

    help = "Read all sources, or those named, and index what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="Names or short names (slugs).")

    def handle(self, **options: Any) -> None:
        sources = Source.objects.filter(active=True)
        if named := options["sources"]:
            sources = sources.filter(name__in=named) | sources.filter(slug__in=named)
            found = {value for source in sources for value in (source.name, source.slug)}
            if missing := [name for name in named if name not in found]:
                known = ", ".join(Source.objects.filter(active=True).values_list("slug", flat=True))
                raise CommandError(f"No source is called {', '.join(missing)}. There are: {known or 'none yet'}.")
        follow_sync(sources.order_by("name"), self.stdout)
