"""A framework brought in by a page: the form, and the file between looking at what it would do and doing it.

A browser sends a file once. So it waits below ``var/frameworks``, for the
installation's own account alone, under a name that whoever sent it holds
signed; what waited for more than a day is removed when the next one comes.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError

from knowledge.framework_file import MAX_BYTES, READ
from knowledge.frameworks import Framework, Plan, import_framework

DAY = 24 * 3600
SALT = "knowledge.bringing"


class FrameworkForm(forms.Form):
    """A framework's name, whose it is, and its file: sent now, or ``kept`` since it was looked at."""

    name = forms.CharField(
        max_length=120, help_text="How it is called here. The name of one that is here already brings it up to date."
    )
    attribution = forms.CharField(
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Whose it is and on what terms, as its licence asks. It stands wherever its words are shown.",
    )
    file = forms.FileField(
        help_text=f"At most {MAX_BYTES // 1_000_000} MB; {READ}", error_messages={"required": "Choose the file."}
    )
    kept = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, person_id: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person_id = person_id
        self.fields["file"].required = not self.data.get("kept")

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file and file.size > MAX_BYTES:
            raise ValidationError(f"It has more than {MAX_BYTES // 1_000_000} MB: split it by its upper topics.")
        return file

    def clean(self) -> dict[str, Any]:
        """Take the file that was sent, else the one that waits."""
        said: dict[str, Any] = super().clean() or {}
        if "file" in self.errors:
            return said
        if said.get("file"):
            said["held"] = hold(said["file"].read(), said["file"].name, self.person_id)
        else:
            said["held"] = said.get("kept", "")
        found = held(said["held"], self.person_id)
        if found is None:
            self.add_error("file", "Choose the file again: it is not kept any more.")
        else:
            said["data"], said["file_name"] = found
            self.fields["file"].required = False  # it is here: the page shows the form again
        return said

    def bring(self, *, dry_run: bool) -> Plan:
        """Carry it out, or say what would happen. Raises `FrameworkRefused`."""
        said = self.cleaned_data
        known = Framework.objects.filter(name=said["name"]).exists()
        return import_framework(
            data=said["data"],
            file_name=said["file_name"],
            name=said["name"],
            attribution=None if known and not said["attribution"] else said["attribution"],
            dry_run=dry_run,
        )


def hold(data: bytes, name: str, person_id: int) -> str:
    """Keep a file for a day; what is returned is for its owner to hand back."""
    folder = _folder()
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - DAY:
            old.unlink(missing_ok=True)
    key = uuid.uuid4().hex
    path = folder / key
    path.touch(mode=0o600)
    path.write_bytes(data)
    return signing.dumps([key, name[-100:], person_id], salt=SALT)


def held(token: str, person_id: int) -> tuple[bytes, str] | None:
    """The file of this owner and its name, while it is kept."""
    try:
        key, name, owner = signing.loads(token, salt=SALT, max_age=DAY)
        return ((_folder() / uuid.UUID(key).hex).read_bytes(), name) if owner == person_id else None
    except (signing.BadSignature, ValueError, OSError):
        return None


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "frameworks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
