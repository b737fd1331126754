"""Who may read something, as rows: sets of tokens, each stored once, and the one question that asks by them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from knowledge.questions import Blank

if TYPE_CHECKING:
    from knowledge.access import Viewer


class AudienceManager(models.Manager["Audience"]):
    """Audiences are found by their tokens; equal sets are one row."""

    def of(self, tokens: Iterable[str]) -> Audience:
        """The audience of exactly these tokens, made when it is new."""
        from knowledge.access import digest

        wanted = sorted(set(tokens))
        with transaction.atomic():
            audience, new = self.get_or_create(digest=digest(wanted), defaults={"tokens": wanted})
            if new:
                AudienceToken.objects.bulk_create(
                    [AudienceToken(audience=audience, token=token) for token in wanted], ignore_conflicts=True
                )
        return audience


class Audience(models.Model):
    """A set of tokens that may read something. Never changed: another set is another row."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    tokens = models.JSONField(default=list, editable=False)

    objects: ClassVar[AudienceManager] = AudienceManager()

    def __str__(self) -> str:
        return ", ".join(self.tokens)


class AudienceToken(models.Model):
    """One token of one audience, so that a permission is a join and not a filter afterwards."""

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="rows")
    token = models.CharField(max_length=200, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["audience", "token"], name="one_token_per_audience")]


def may_read(viewer: Viewer | None, field: str) -> Exists:
    """That the viewer belongs to the audience in ``field``: looked up row by row, so that any index may lead.

    `None` is whoever asks a `Question`: their tokens fill its blank.
    """
    tokens = viewer.tokens if viewer else Blank("tokens", "text")
    return Exists(AudienceToken.objects.filter(audience=OuterRef(field), token__in=tokens))
