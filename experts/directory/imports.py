"""The row of a file of people that somebody brings in on a page; what is done with it stands in `experts.bringing`.

File and plan stand below ``var/imports``, for the installation's own account
alone, until the import ends or for a day.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from knowledge import durable

KEPT = timedelta(days=1)
"""How long a file waits for its owner's word, and its plan can be looked at."""


class Stage(models.TextChoices):
    """How far an import is."""

    READING = "reading", "Being read"
    SHOWN = "shown", "Waits for your word"
    WRITING = "writing", "Being carried out"
    DONE = "done", "Done"
    REFUSED = "refused", "Not read"
    DROPPED = "dropped", "Dropped"


class ImportQuerySet(durable.WorkQuerySet):
    """Imports by whose they are."""

    def of(self, person: Any) -> Any:
        """What this person brought, newest first."""
        return self.filter(by=person.pk).order_by("-started_at", "-pk")


class PeopleImport(durable.Work):
    """One file of people that somebody brought. ``told`` counts what the plan holds; ``differs`` says what changed."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False)
    name = models.CharField(max_length=200, editable=False)
    size = models.PositiveIntegerField(editable=False)
    leavers = models.BooleanField(default=False, editable=False)
    many = models.BooleanField(default=False, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    stage = models.CharField(max_length=8, choices=Stage.choices, default=Stage.READING, editable=False)
    began = models.BooleanField(default=False, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    told = models.JSONField(default=dict, editable=False)
    differs = models.JSONField(default=list, editable=False)
    written = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[Any] = ImportQuerySet.as_manager()

    class Meta:
        permissions = [("import_people", "Can bring people and teams in from a file")]

    @property
    def file(self) -> Path:
        return _folder() / f"{self.public_id.hex}.csv"

    @property
    def plan(self) -> Path:
        return _folder() / f"{self.public_id.hex}.plan"

    @property
    def is_working(self) -> bool:
        """Whether somebody should look again soon."""
        return self.stage in (Stage.READING, Stage.WRITING) and self.attempts < self.MAX_ATTEMPTS

    @property
    def is_stuck(self) -> bool:
        """Whether it failed each time that it was tried."""
        return self.stage in (Stage.READING, Stage.WRITING) and not self.is_working


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def files() -> Iterator[tuple[uuid.UUID, Path]]:
    """Every file that is kept, with the import that it belongs to; what else lies there is nobody's of ours."""
    for path in _folder().iterdir():
        with suppress(ValueError):
            yield uuid.UUID(path.stem), path
