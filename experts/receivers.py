"""What happens below and matters to evidence: a sync, and a source that is trusted, read or opened differently."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save, pre_save

from knowledge import signals
from knowledge.documents import EVERYONE
from knowledge.models import Source


def connect() -> None:
    """Listen; called once, when the apps are ready."""
    signals.source_synced.connect(on_synced, dispatch_uid="experts.synced")
    pre_save.connect(before_source, sender=Source, dispatch_uid="experts.before_source")
    post_save.connect(after_source, sender=Source, dispatch_uid="experts.after_source")
    signals.withdrawn.connect(on_withdrawn, dispatch_uid="experts.withdrawn")


def on_synced(source_id: int, **_: Any) -> None:
    """Contributions were stored without knowing who is meant."""
    from experts import actions
    from experts.asking import answers

    actions.source_synced(source_id=source_id)
    answers.settle(source_id)


def on_withdrawn(resources: Any, **_: Any) -> None:
    """Resources are gone or may be read by others than before; in the transaction that says so."""
    from experts import actions
    from experts.asking import answers

    actions.withdraw(resources=resources)
    answers.withdraw(resources=resources)


def before_source(instance: Source, **_: Any) -> None:
    """Remember what is stored, to see what this save changes."""
    stored = Source.objects.filter(pk=instance.pk).select_related("audience").first() if instance.pk else None
    instance._experts_before = stored  # type: ignore[attr-defined]


def after_source(instance: Source, created: bool, **_: Any) -> None:
    """Withdraw at once what is no longer everyone's; give out evidence anew when its rule is another."""
    before: Source | None = getattr(instance, "_experts_before", None)
    if created or before is None:
        return
    if _public(before) and not _public(instance):
        on_withdrawn(instance.resources.alive())
    if (before.trusts_emails, before.options) != (instance.trusts_emails, instance.options):
        transaction.on_commit(lambda: on_synced(instance.pk))


def _public(source: Source) -> bool:
    return source.active and EVERYONE in source.audience.tokens
