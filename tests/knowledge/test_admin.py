"""The operator's page of a source: who is meant by its groups is written right, by who may, and remembered."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from experts.models import Team
from knowledge.documents import EVERYONE
from knowledge.models import Audience, Source, SourceGroup, SyncRun

pytestmark = pytest.mark.django_db
SOURCE = ["view_source", "change_source"]
GROUP = [f"{verb}_sourcegroup" for verb in ("view", "add", "change", "delete")]


@pytest.fixture
def source(db: None) -> Any:
    return Source.objects.create(
        kind="folder", name="Handbook", slug="handbook", audience=Audience.objects.of([EVERYONE])
    )


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Pumps", slug="pumps")


@pytest.fixture
def clerk(make_person: Any, client: Client) -> Any:
    clerk = make_person("clerk", is_staff=True)
    client.force_login(clerk)
    return clerk


def allow(clerk: Any, *rights: str) -> None:
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="knowledge", codename__in=rights))


def post(client: Client, source: Any, token: str, **row: Any) -> Any:
    data = {"name": source.name, "active": "on", "every": "01:00:00", "groups-TOTAL_FORMS": 1,
            "groups-INITIAL_FORMS": 0, "groups-0-source": source.pk, "groups-0-name": "payroll",
            "groups-0-token": token}  # fmt: skip
    return client.post(reverse("admin:knowledge_source_change", args=[source.pk]), data | row)


def test_the_right_to_change_sources_does_not_say_who_is_meant(
    clerk: Any, client: Client, source: Any, team: Team
) -> None:
    allow(clerk, *SOURCE)
    held = SourceGroup.objects.create(source=source, name="board", token=f"team:{team.pk}")
    assert "groups-0" not in client.get(reverse("admin:knowledge_source_change", args=[source.pk])).content.decode()
    changed = {"groups-INITIAL_FORMS": 1, "groups-0-id": held.pk, "groups-0-DELETE": "on"}
    for row in ({}, changed, changed | {"groups-0-DELETE": ""}):
        assert post(client, source, EVERYONE, **row).status_code == 302
    assert list(SourceGroup.objects.values_list("name", "token")) == [("board", f"team:{team.pk}")]
    allow(clerk, *SOURCE, "view_sourcegroup")
    html = client.get(reverse("admin:knowledge_source_change", args=[source.pk])).content.decode()
    assert f"team:{team.pk}" in html
    assert "groups-0-token" not in html
    assert post(client, source, EVERYONE).status_code == 302
    assert SourceGroup.objects.count() == 1


def test_the_operator_pages_bear_the_portals_name(clerk: Any, client: Client, source: Any) -> None:
    allow(clerk, *SOURCE)
    html = client.get(reverse("admin:index")).content.decode()
    assert "Operate Immersive" in html
    assert "Django" not in html


def test_files_that_failed_are_named_to_those_whom_their_source_is_open_to(
    clerk: Any, client: Client, source: Any, team: Team
) -> None:
    run = SyncRun.objects.create(source=source, failed=1, failures=[["plans/merger.pdf", "It is damaged."]])
    page = reverse("admin:knowledge_syncrun_change", args=[run.pk])
    allow(clerk, "view_syncrun")
    assert "merger" in client.get(page).content.decode()
    source.audience = Audience.objects.of([f"team:{team.pk}"])
    source.save()
    html = client.get(page).content.decode()
    assert "Failed:" in html
    assert "merger" not in html
    assert "damaged" not in html


def test_who_only_sees_sources_takes_none_out(clerk: Any, client: Client, source: Any) -> None:
    sources = reverse("admin:knowledge_source_changelist")
    take_out = {"action": "take_out", "_selected_action": [source.pk]}
    allow(clerk, "view_source")
    assert "take_out" not in client.get(sources).content.decode()
    client.post(sources, take_out)
    source.refresh_from_db()
    assert source.active
    allow(clerk, *SOURCE)
    client.post(sources, take_out)
    source.refresh_from_db()
    assert not source.active


def test_what_was_granted_stands_in_the_log(clerk: Any, client: Client, source: Any, team: Team) -> None:
    allow(clerk, *SOURCE, *GROUP)
    for token in (f"team:{team.pk}", f"person:{clerk.pk}", EVERYONE):
        assert post(client, source, token).status_code == 302
        told = LogEntry.objects.latest("pk").get_change_message()
        assert f"Handbook: “payroll” is {token}" in told
    group = SourceGroup.objects.get(token=EVERYONE)
    row = {"groups-INITIAL_FORMS": 1, "groups-0-id": group.pk, "groups-0-DELETE": "on"}
    assert post(client, source, EVERYONE, **row).status_code == 302
    told = LogEntry.objects.latest("pk").get_change_message()
    assert told.startswith("Deleted")
    assert "Handbook: “payroll” is everyone" in told


@pytest.mark.parametrize(
    "token",
    ["team:9999", "person:9999", "team:", "team:x", "team:-1", "team:01", "team:٣", "team:1 ", "Team:1", "nobody",
     "source:1:group:payroll", "everyone,team:1", "person:" + "9" * 40, "team:1e0"],
)  # fmt: skip
def test_a_token_of_nobody_is_refused(clerk: Any, client: Client, source: Any, token: str) -> None:
    Team.objects.create(pk=1, name="First", slug="first")
    Team.objects.create(pk=3, name="Third", slug="third")
    allow(clerk, *SOURCE, *GROUP)
    answer = post(client, source, token)
    if token == "team:1 ":
        assert SourceGroup.objects.get().token == "team:1", "blanks around it are no harm"
        return
    assert answer.status_code == 200
    assert "This means nobody. Write everyone, team:7 or person:12" in answer.content.decode()
    assert not SourceGroup.objects.exists()
