"""docs/api.md names every verb of the API, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.test_doors import ALL

VERBS = ("get", "post", "put", "patch", "delete")
DOCUMENT = Path(__file__).resolve().parent.parent / "docs/api.md"


def test_every_verb_is_documented_and_every_documented_verb_is_there() -> None:
    there = set()
    for route, _, view in ALL:
        if route.startswith("api/v1/"):
            address = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", route.removeprefix("api/v1"))
            there |= {f"{verb.upper()} {address}" for verb in VERBS if hasattr(view.cls, verb)}
    documented = re.findall(r"^\| `([A-Z]+ [^`]*)`", DOCUMENT.read_text(), re.MULTILINE)
    assert len(documented) == len(set(documented)) > 40
    assert set(documented) == there
