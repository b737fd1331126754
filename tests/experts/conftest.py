"""Sources that are really synced, with what follows a commit, and pages compared by their bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings

from knowledge.documents import EVERYONE, Contribution, Document
from tests import small_company

MAY = datetime(2026, 5, 4, 12, tzinfo=UTC)


def page(key: str, *authors: Contribution | str, title: str = "", **fields: Any) -> Document:
    """A page by these authors; a plain string is a name."""
    parts = tuple(Contribution(one, last=MAY) if isinstance(one, str) else one for one in authors)
    return Document(key=key, title=title or f"Page {key}", contributions=parts, **fields)


def plain(body: bytes) -> bytes:
    """The bytes of a page without what is random in each request."""
    body = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", body)
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}", b"ID", body)


@pytest.fixture
def ana(make_person: Callable[..., Any]) -> Any:
    """Somebody with everything that a page of a person shows, in a team beneath a team."""
    from experts.models import Team

    above = Team.objects.create(name="Operations", slug="operations")
    team = Team.objects.create(name="Pumps", slug="pumps", parent=above)
    return make_person(
        "ana", name="Ana Lima", email="ana@example.org", role="Engineer", location="Porto", teams=(team,),
        about="Listens to pumps.\nAnd to people.",
    )  # fmt: skip


@pytest.fixture
def hold(
    db: None, settings: LazySettings, django_capture_on_commit_callbacks: Callable[..., Any]
) -> Callable[..., Any]:
    """Make a source hold exactly these documents: ``hold("handbook", [page(...)], trusts_emails=True)``."""
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}

    def made(name: str, documents: Iterable[Document], audience: Iterable[str] = (EVERYONE,), **more: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return small_company.source_of(name, documents, audience, **more)

    return made


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Callable[..., Any]) -> Callable[[], Any]:
    """``with committed():`` what happens inside is followed by what waits for a commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def read_people(db: None, committed: Callable[[], Any]) -> Callable[[], dict[str, Any]]:
    """Read the people source now, as a worker does; its resources by title."""

    def read() -> dict[str, Any]:
        from experts.actions import ensure_people_source
        from knowledge import ingest
        from knowledge.models import SyncRun

        source = ensure_people_source()
        with committed():
            run, _ = SyncRun.objects.get_or_create(source=source, done_at=None)
            SyncRun.objects.filter(pk=run.pk).update(due_at=run.created_at)
            ingest.sync(SyncRun.objects.claim(run.pk))
        return {row.title: row for row in source.resources.alive()}

    return read
