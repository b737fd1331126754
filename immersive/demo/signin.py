"""Sign-in of demo people by one known phrase, in development and nowhere else."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.utils.crypto import constant_time_compare

from experts.models import Person
from immersive.demo import MARK, PHRASE


class DemoBackend(ModelBackend):
    """Lets demo people in by the phrase while ``DEVELOPMENT`` is set; nothing about it is stored with the person."""

    def authenticate(self, request: Any, username: str | None = None, password: str | None = None, **_: Any) -> Any:
        """The demo person of this username, or `None`."""
        if not settings.DEVELOPMENT or not username or not constant_time_compare(password or "", PHRASE):
            return None
        person = Person.objects.filter(username=username, external_id__startswith=MARK).first()
        return person if person and self.user_can_authenticate(person) else None

    def get_user(self, user_id: int) -> Any:
        """The person of a session that this backend began; it ends with ``DEVELOPMENT``."""
        return super().get_user(user_id) if settings.DEVELOPMENT else None
