"""``manage.py invite USERNAME ...``: print links with which people choose their own password."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from experts.models import Person
from immersive.sign_in import link_tokens


class Command(BaseCommand):
    """Links for people who have none of their own yet; with ``--again`` for those who have."""

    help = (
        "Print a link for each of these people with which they choose their own password. It works once. "
        "Give it to that person and to nobody else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("usernames", nargs="+", metavar="USERNAME")
        parser.add_argument(
            "--again", action="store_true", help="also for people who have signed in before and forgot their password"
        )
        parser.add_argument(
            "--site", default=settings.SITE_URL, help="where people reach the portal (default: %(default)s)"
        )

    def handle(self, *args: Any, usernames: list[str], again: bool, site: str, **options: Any) -> None:
        parts = urlsplit(site)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise CommandError(f"--site {site} is no address. Write it as https://portal.example.com")
        people = {person.username: person for person in Person.objects.filter(username__in=usernames)}
        refused = 0
        for username in dict.fromkeys(usernames):
            person = people.get(username)
            if why_not := self.refusal(username, person, again):
                self.stderr.write(why_not)
                refused += 1
            elif person:
                self.stdout.write(f"{username}  {site.rstrip('/')}{link_of(person)}")
        if refused < len(set(usernames)):
            days = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT).days
            self.stdout.write(f"Each link works once and for {days} days. Whoever opens it first has the account.")
        if refused:
            raise CommandError(f"{refused} got no link (above).")

    @staticmethod
    def refusal(username: str, person: Person | None, again: bool) -> str:
        """Why this person gets no link, with the cure; "" when they do."""
        if person is None:
            return f"{username}: nobody has this username. Add the person first, or check how it is written."
        if not person.is_active:
            return f"{username}: this account is deactivated. Give it back first, in the operator's pages."
        if person.last_login and not again:
            return (
                f"{username}: has signed in before, so what is private to this person is behind the link. "
                "If they themselves asked for a new password, add --again."
            )
        return ""


def link_of(person: Person) -> str:
    """The path of a link that lets this person choose a password."""
    who = urlsafe_base64_encode(force_bytes(person.pk))
    return reverse("set-password", args=[who, link_tokens.make_token(person)])
