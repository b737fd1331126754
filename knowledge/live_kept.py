"""What services outside said, kept for some minutes for the one person who asked, and for nobody else.

An answer counts only for the same words, the rights that the person has now
and the same declaration of its service: whatever takes a right away, by
whatever hand, takes the answer away in the same moment. Each person has a
fixed number of places in the cache, so that all that is kept for somebody is
found and removed when their account is. A place's name says nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.crypto import salted_hmac

from knowledge.access import Viewer
from knowledge.connectors.live import Answered
from knowledge.live_sources import Declared

SECONDS = 300
PLACES = 32
"""Answers kept for one person: those of the services that one search asks, and of some searches before it."""


def kept(source: Declared, words: str, viewer: Viewer) -> Answered | None:
    """What the service said to this person for these words within the last minutes, if their rights are the same."""
    asked = _asked(source, words, viewer)
    with suppress(Exception):  # a cache may fail in any way it likes: then the service is asked
        found = cache.get(_place(viewer.person_id, int(asked[:8], 16) % PLACES))
        if isinstance(found, tuple) and found[0] == asked and isinstance(found[1], Answered):
            return found[1]
    return None


def keep(source: Declared, words: str, viewer: Viewer, said: Answered) -> None:
    """Keep what the service said, unless this person's account went while it was being asked."""
    asked = _asked(source, words, viewer)
    with suppress(Exception):
        cache.set(_place(viewer.person_id, int(asked[:8], 16) % PLACES), (asked, said), SECONDS)
    if not get_user_model()._default_manager.filter(pk__in=[viewer.person_id]).exists():
        forget([viewer.person_id])  # `_gone` may have looked before the line above


def forget(people: Iterable[int | None]) -> None:
    """Remove all that is kept for these people."""
    with suppress(Exception):  # a cache that is away keeps nothing for longer than `SECONDS`
        cache.delete_many([_place(person, number) for person in people for number in range(PLACES)])


def _asked(source: Declared, words: str, viewer: Viewer) -> str:
    """Stands for one person's rights, one state of what is declared, and one text."""
    return _digest([str(source.key), source.version, viewer.person_id, sorted(viewer.tokens), words])


def _place(person: int | None, number: int) -> str:
    return f"live.{_digest([person, number])}"


def _digest(parts: Any) -> str:
    return salted_hmac("knowledge.live", json.dumps(parts), algorithm="sha256").hexdigest()


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def _gone(instance: Any, **_sent: Any) -> None:
    transaction.on_commit(partial(forget, [instance.pk]))
