"""What is wrong with mail, said to the operator with its cure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections
from django.db.models import Q

from experts.notices import Digest


@register()
def mail_has_a_sender(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Where mail is sent, it says from whom, and its links lead to where people are."""
    found: list[CheckMessage] = []
    if not settings.EMAIL_URL:
        return found
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        hint = "Set DEFAULT_FROM_EMAIL to an address of your own, such as immersive@example.com."
        found.append(Warning("EMAIL_URL is set, and mail would be from nobody.", hint=hint, id="experts.W001"))
    if "127.0.0.1" in settings.SITE_URL or "localhost" in settings.SITE_URL:
        hint = "Set SITE_URL to where people reach the portal, such as https://portal.example.com."
        message = f"EMAIL_URL is set, and links in mail would lead to {settings.SITE_URL}."
        found.append(Warning(message, hint=hint, id="experts.W002"))
    return found


@register(Tags.database)
def mail_leaves(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """No mail waits because it could not be sent (``manage.py check --database default``)."""
    tables = connections["default"].introspection.table_names() if "default" in (databases or ()) else []
    if Digest._meta.db_table not in tables:  # not asked about the database, or there is none yet
        return []
    failed = Digest.objects.filter(~Q(error=""), done_at=None).order_by("-due_at", "-pk")
    last = failed.first()
    if last is None:
        return []
    many = failed.count()
    message = f"{many} mail{'s' * (many > 1)} could not be sent, the last because of: {last.error[:200]}"
    hint = (
        "Correct EMAIL_URL, or mend the mail server. Nothing is lost: each is tried again for a day, and what it would "
        "have said goes with the next one."
    )
    return [Warning(message, hint=hint, id="experts.W003")]
