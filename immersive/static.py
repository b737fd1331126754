"""Static files: which ones are served, and whether they must be collected again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder, get_finders
from django.core.management import call_command

UNUSED = ["rest_framework", "*/i18n/[!e]*", "*/i18n/e[!n]*"]
"""Libraries' own pages, and words of the operator's pages in other languages than English."""


class UsedFiles(AppDirectoriesFinder):
    """Files of libraries, without those that no page asks for: compressing them would take most of a start."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        return super().list([*(ignore_patterns or ()), *UNUSED])


def collect() -> bool:
    """Collect static files unless those that were collected last are the same; whether it was done.

    What is compared is every file's name, size and time and the way they are
    stored, not which is newer: an older version of a library has older files.
    """
    target = Path(settings.STATIC_ROOT)
    note = target.with_suffix(".collected")
    now = _fingerprint()
    if note.is_file() and note.read_text() == now and (target / "staticfiles.json").is_file():
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    note.write_text(now)
    return True


def _fingerprint() -> str:
    found: list[Any] = [settings.STORAGES["staticfiles"]]
    for finder in get_finders():
        for name, storage in finder.list(None):
            there = Path(storage.path(name)).stat()
            found.append((name, there.st_size, there.st_mtime_ns))
    return hashlib.sha256(repr(found).encode()).hexdigest()
