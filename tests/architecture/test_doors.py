"""Every address is behind the sign-in or says why not; every view reads through the viewer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parent.parent.parent

PUBLIC = {
    "sign-in": "this is where one gets an account's rights",
    "theme": "the sign-in page has a theme, too; it only sets a cookie",
    "favicon": "browsers ask for it on every page, the sign-in's and the operator's too; it shows the site's mark",
    "set-password": "who has no password yet cannot be signed in; the link itself is the proof, and works once",
    "operate-sign-in": "leads to the one sign-in, which counts wrong passwords",
    **{
        f"scim:{name}": "a provisioning service has no account: a token of its own lets it in, and no session does"
        for name in (
            "users",
            "user",
            "groups",
            "group",
            "service",
            "schemas",
            "schema",
            "resource-types",
            "resource-type",
        )
    },
    "admin:login": "stands behind operate-sign-in, at the same address, and is never reached",
}

VIEWER_BOUND = ["Resource", "Source", "Contribution", "Search", "Click", "Task", "Assessment", "Outcome",
                "LearningEntry", "LogWork", "Verification", "Verdict", "Standing", "WaitingSearch",
                "Ask", "Answer", "Turn", "Joined", "Thanks", "Notice", "Wish", "Mentorship", "Proposal",
                "OwnTopic", "Disowned", "Person", "Follow", "Met",
                "Advice", "Step", "Share", "Recall", "Reminders", "Lesson", "Experiment"]  # fmt: skip
UNBOUND_READS: dict[str, str] = {}


def patterns(resolver: URLResolver, prefix: str = "", spaces: str = "") -> Iterator[tuple[str, str, Any]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            space = f"{spaces}{entry.namespace}:" if entry.namespace else spaces
            yield from patterns(entry, prefix + str(entry.pattern), space)
        elif isinstance(entry, URLPattern):
            yield prefix + str(entry.pattern), f"{spaces}{entry.name or ''}", entry.callback


ALL = list(patterns(get_resolver()))


def test_the_list_of_public_addresses_is_not_stale() -> None:
    assert set(PUBLIC) <= {name for _, name, _ in ALL}


@pytest.mark.parametrize(("route", "name", "view"), ALL, ids=[f"{route}" for route, _, _ in ALL])
def test_every_address_needs_a_sign_in(route: str, name: str, view: Any) -> None:
    needs = getattr(view, "login_required", True)
    drf = getattr(view, "cls", None)
    if drf is not None:
        kinds = [permission.__name__ for permission in drf.permission_classes]
        assert kinds, f"{route} has no permission class"
        assert "AllowAny" not in kinds, f"{route} is open to anybody"
        return
    assert needs or name in PUBLIC, f"{route} is public and gives no reason"


@pytest.mark.parametrize(
    "path",
    [
        path
        for name in ("views.py", "views/*.py", "api.py", "api/*.py")
        for path in sorted(ROOT.glob(f"*/**/{name}"))
        if ".venv" not in path.parts
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_views_read_viewer_bound_models_through_the_viewer(path: Path) -> None:
    text = path.read_text()
    for match in re.finditer(rf"\b({'|'.join(VIEWER_BOUND)})\.objects\.(\w+)", text):
        place = f"{path.relative_to(ROOT)}: {match[0]}"
        by_viewer = match[2] in ("visible_to", "taken_away", "create")
        assert by_viewer or place in UNBOUND_READS, f"{place} forgets who looks"
    for match in re.finditer(r"get_object_or_404\(([^,]*)", text):
        assert "visible_to(" in match[1], f"{path.relative_to(ROOT)}: {match[0]} forgets who looks"
