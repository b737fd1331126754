"""``manage.py add_source KIND ADDRESS``: make something searchable, now."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from knowledge import actions
from knowledge.connectors import SourceError
from knowledge.management.progress import follow_sync
from knowledge.models import Source


class Command(BaseCommand):
    """Adds a source, reads it and indexes it, in the foreground; stopped, it goes on at the next call."""

    help = "Add a folder, a git repository, a web site, a feed or a catalogue, and make it searchable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(settings.IMMERSIVE_CONNECTORS))
        parser.add_argument("address", help="A path or a web address.")
        parser.add_argument("--name", default="", help="What people call it.")
        parser.add_argument("--audience", nargs="+", help="Tokens: everyone, team:7, person:12.")
        parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="VALUE may be JSON.")
        parser.add_argument(
            "--trust-emails",
            action=argparse.BooleanOptionalAction,
            help="Authors' addresses in it were checked.",
        )
        parser.add_argument("--later", action="store_true", help="Leave reading it to the worker.")

    def handle(self, **options: Any) -> None:
        try:
            source = actions.add_source(
                kind=options["kind"],
                address=_absolute(options["address"]),
                name=options["name"],
                audience=options["audience"],
                options=dict(_pair(text) for text in options["option"]) or None,
                trusts_emails=options["trust_emails"],
            )
        except SourceError as error:
            raise CommandError(str(error)) from error
        trusted = ", authors' addresses trusted" if source.trusts_emails else ""
        self.stdout.write(f"Added “{source.name}”, for {source.audience}{trusted}.")
        if Path(source.address).exists() and (roots := os.environ.get("FOLDER_ROOTS")):
            self.stdout.write(
                f"A worker sees later changes of it if it was started with FOLDER_ROOTS={roots} too: a line in .env "
                "says it to both, from their next start on."
            )
        if options["later"]:
            actions.request_sync(source=source)
        else:
            follow_sync(Source.objects.filter(pk=source.pk), self.stdout)


def _absolute(address: str) -> str:
    """A path of this machine in full, one spelling for each; web addresses and what does not exist as they are."""
    path = Path(address).expanduser()
    return os.path.abspath(path) if address and path.exists() else address


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"“{text}” has no value: write it as NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
