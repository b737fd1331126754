"""The operator's page of a service that is asked while somebody searches: declared right, tried, telling no secret."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experts.models import Team
from knowledge.models import Audience, LiveHealth, LiveSource
from tests.knowledge.live.services import queries, says
from tests.loopback import Web

pytestmark = pytest.mark.django_db
ADD = "admin:knowledge_livesource_add"
LIST = "admin:knowledge_livesource_changelist"


@pytest.fixture
def curator(make_person: Any, client: Client, web: Web, settings: LazySettings) -> Any:
    settings.LIVE_HOSTS = ["127.0.0.1"]
    curator = make_person("curator", is_staff=True)
    rights = Permission.objects.filter(content_type__app_label="knowledge", content_type__model="livesource")
    curator.user_permissions.set(rights)
    client.force_login(curator)
    return curator


def form(web: Web, **changed: Any) -> dict[str, Any]:
    usual = {"name": "Wiki", "active": "on", "shape": "json", "address": f"{web.base}/wiki?q={{query}}",
             "fields": "{}", "secret": "", "header": "X-Key: {secret}",
             "for_whom": "everyone", "deadline": "2"}  # fmt: skip
    return usual | changed


def test_a_curator_declares_one_and_changes_for_whom_it_is(curator: Any, client: Client, web: Web) -> None:
    team = Team.objects.create(name="Pumps", slug="pumps")
    assert client.get(reverse(ADD)).status_code == 200
    assert client.post(reverse(ADD), form(web)).status_code == 302
    row = LiveSource.objects.get()
    assert (row.name, row.audience.tokens, row.trusted, row.deadline) == ("Wiki", ["everyone"], False, 2.0)
    change = reverse("admin:knowledge_livesource_change", args=[row.pk])
    assert 'value="everyone"' in client.get(change).content.decode()
    both = form(web, for_whom=f"team:{team.pk}, person:{curator.pk}", trusted="on")
    assert client.post(change, both).status_code == 302
    row.refresh_from_db()
    assert set(row.audience.tokens) == {f"team:{team.pk}", f"person:{curator.pk}"}
    assert row.trusted
    assert f"team:{team.pk}" in LogEntry.objects.latest("pk").get_change_message()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (
            {"address": "https://elsewhere.example/{query}"},
            "The operator has not allowed elsewhere.example to be asked",
        ),
        ({"address": "file:///etc/passwd"}, "Only http and https"),
        ({"secret": "SECRET_KEY"}, "begins with LIVE_SECRET_"),
        ({"secret": "DATABASE_URL"}, "begins with LIVE_SECRET_"),
        ({"header": "no"}, "Write it like"),
        ({"for_whom": "team:999"}, "means nobody"),
        ({"for_whom": ""}, "This field is required"),
        ({"for_whom": " , "}, "means nobody"),
        ({"deadline": "60"}, "less than or equal to 8"),
        ({"deadline": ""}, "This field is required"),
        ({"fields": '{"heading": "h"}'}, "is not understood"),
        ({"fields": "[1]"}, "Write a map in braces"),
        ({"fields": "{"}, "Enter a valid JSON"),
    ],
)
def test_what_could_never_be_asked_is_refused(
    curator: Any, client: Client, web: Web, wrong: dict[str, Any], why: str
) -> None:
    answer = client.post(reverse(ADD), form(web, **wrong))
    assert answer.status_code == 200
    assert why in answer.content.decode().replace("&#x27;", "'")
    assert not LiveSource.objects.exists()


def test_trying_sends_one_word_and_says_what_came_back(
    curator: Any, client: Client, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVE_SECRET_WIKI", "s3cret")
    web.answers["/wiki"] = says([{"title": "<b>Tested</b>", "link": "/1"}])
    client.post(reverse(ADD), form(web, secret="LIVE_SECRET_WIKI", address=f"{web.base}/wiki?q={{query}}&k={{secret}}"))
    row = LiveSource.objects.get()
    action = {"action": "try_now", "_selected_action": [row.pk]}
    page = client.post(reverse(LIST), action, follow=True).content.decode()
    assert queries(web, "/wiki") == [{"q": ["test"], "k": ["s3cret"]}]
    assert "Wiki: 1 answers, first “Tested”" in page
    row.audience = Audience.objects.of(["team:0"])
    row.save()
    page = client.post(reverse(LIST), action, follow=True).content.decode()
    assert "Wiki: 1 answers." in page
    assert "Tested" not in page, "no role widens what one may read"
    web.redirect("/wiki", "http://169.254.169.254/")
    page = client.post(reverse(LIST), action, follow=True).content.decode()
    assert "Wiki leads to an address that may not be asked." in page
    assert "s3cret" not in page
    assert "169.254.169.254" in page, "the operator reads why"


def test_the_list_says_how_they_answered_lately(curator: Any, client: Client, web: Web) -> None:
    client.post(reverse(ADD), form(web))
    row = LiveSource.objects.get()
    LiveHealth.objects.create(source=row.public_id, failures=3, said="sends more than 1 MB", at=timezone.now())
    assert "sends more than 1 MB, 3 in a row" in client.get(reverse(LIST)).content.decode()
    row.save()
    assert not LiveHealth.objects.exists(), "what was declared anew is asked at once"
