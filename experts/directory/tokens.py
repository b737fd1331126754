"""The keys with which a provisioning service gets in: shown once, stored as a digest, ended by a date or by hand.

A token is 256 random bits behind a readable prefix. The prefix finds the row,
the digest of the whole proves it: so whoever reads the database, a backup or
the operator's pages cannot get in with what stands there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

MARK = "imm_scim"
LASTS = timedelta(days=365)
LONGEST_DAYS = 3650
NOTED_EVERY = timedelta(minutes=1)
"""How exactly ``last_used_at`` is kept: a service asks many times a second, and each note is a write."""

_TOKEN = re.compile(rf"{MARK}_([0-9a-f]{{12}})_[0-9A-Za-z_-]{{43}}")


class TokenQuerySet(models.QuerySet["ProvisioningToken"]):
    """Tokens by whether they let in."""

    def valid(self) -> TokenQuerySet:
        """Not revoked and not past their day."""
        return self.filter(Q(expires_at__gt=timezone.now()), revoked_at=None)


class ProvisioningToken(models.Model):
    """One service's way in to SCIM, and to nothing else."""

    name = models.CharField(max_length=100, help_text="Which service has it, such as “Entra ID”.")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({MARK}_{self.prefix}_…)"

    @property
    def state(self) -> str:
        """Whether it lets in, in words."""
        if self.revoked_at:
            return "revoked"
        return "in use" if self.expires_at > timezone.now() else "expired"


def issue(*, name: str, days: int = LASTS.days, by: Any = None) -> tuple[ProvisioningToken, str]:
    """A new token and its text, which is told here and never again."""
    if not 1 <= days <= LONGEST_DAYS:
        raise ValidationError(f"A token lasts from 1 to {LONGEST_DAYS} days: choose a number between.")
    prefix = secrets.token_hex(6)
    text = f"{MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    expires = timezone.now() + timedelta(days=days)
    row = ProvisioningToken.objects.create(
        name=name, prefix=prefix, digest=_digest(text), expires_at=expires, made_by=by
    )
    return row, text


def revoke(*, token: ProvisioningToken) -> bool:
    """End it from this moment on; whether it was in use."""
    return bool(ProvisioningToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()))


def known(header: str) -> ProvisioningToken | None:
    """The token that an ``Authorization`` header carries, if it lets in; notes that it was used."""
    scheme, _, text = header.strip().partition(" ")
    match = _TOKEN.fullmatch(text.strip())
    if scheme.lower() != "bearer" or match is None:
        return None
    row: ProvisioningToken | None = ProvisioningToken.objects.valid().filter(prefix=match[1]).first()
    if row is None or not hmac.compare_digest(row.digest, _digest(text.strip())):
        return None
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > NOTED_EVERY:
        ProvisioningToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
