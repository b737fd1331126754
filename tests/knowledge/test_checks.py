"""Settings that cannot work are said at start, with their cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks


@pytest.mark.parametrize(
    ("name", "value", "check", "cure"),
    [
        ("FETCH_ALLOW", ["10.0.0.0/99"], "knowledge.E001", "10.0.0.0/8"),
        ("FETCH_ALLOW", ["intranet"], "knowledge.E001", "10.0.0.0/8"),
        ("SEARCH_ENGINE", "lucene", "knowledge.E002", "whoosh"),
        ("SEARCH_ENGINES", {"tantivy": {"ENGINE": "no.such.Engine"}}, "knowledge.E003", "requirements.lock"),
        ("FOLDER_ROOTS", [Path("/no/such/folder")], "knowledge.W001", "FOLDER_ROOTS"),
        ("EMBEDDINGS_URL", "https://models.example/v1/embeddings", "knowledge.W002", "EMBEDDINGS_MODEL"),
        ("MEANING_MODEL", "/no/such/folder", "knowledge.W003", "MEANING_MODEL"),
    ],
)
def test_a_setting_that_cannot_work_says_its_cure(settings: Any, name: str, value: Any, check: str, cure: str) -> None:
    assert check not in {message.id for message in run_checks()}
    setattr(settings, name, value)
    found = [message for message in run_checks() if message.id == check]
    assert len(found) == 1
    assert cure in str(found[0].hint)
