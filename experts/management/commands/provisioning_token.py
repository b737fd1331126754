"""``provisioning_token add|list|revoke``: the keys with which Entra ID, Okta and their like bring people in."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from experts.directory import tokens
from experts.models import ProvisioningToken


class Command(BaseCommand):
    """Tokens for SCIM."""

    help = "Make, list and revoke the tokens with which a provisioning service brings people and teams in (SCIM)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["add", "list", "revoke"])
        parser.add_argument("name", nargs="?", help="add: who gets it, such as “Entra ID”; revoke: its prefix")
        parser.add_argument("--days", type=int, default=tokens.LASTS.days, help="how long it lets in (365)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] != "list" and not options["name"]:
            raise CommandError("Say for whom, as in: provisioning_token add “Entra ID”; or which, by its prefix.")
        getattr(self, options["what"])(options["name"], options["days"])

    def add(self, name: str, days: int) -> None:
        """Print a new one."""
        try:
            row, text = tokens.issue(name=name, days=days)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{text}\n\nThis is shown once. It lets {name} in until {row.expires_at:%d %B %Y}.")

    def list(self, *_: Any) -> None:
        """Print all, without their secrets."""
        for row in ProvisioningToken.objects.all():
            used = f"last used {row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never used"
            self.stdout.write(f"{row.prefix}  {row.name}: {row.state}, until {row.expires_at:%Y-%m-%d}, {used}")

    def revoke(self, prefix: str, *_: Any) -> None:
        """End one."""
        row = ProvisioningToken.objects.filter(prefix=prefix).first()
        if row is None:
            raise CommandError(f"No token begins with {prefix}: provisioning_token list shows them.")
        self.stdout.write("Revoked." if tokens.revoke(token=row) else "It was revoked before.")
