"""SCIM: who gets in, how much they may send, and what is told and never told."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experts.directory import tokens
from experts.models import ProvisioningToken
from tests.experts import provisioned
from tests.experts import scim_bodies as sent
from tests.experts.conftest import page
from tests.experts.provisioned import Ask, person

pytestmark = pytest.mark.django_db
token, scim, dora, emil = provisioned.token, provisioned.scim, provisioned.dora, provisioned.emil


def test_only_a_token_lets_in(token: str, make_person: Any, client: Client) -> None:
    client.force_login(make_person("root", is_superuser=True, is_staff=True))
    odd = "Bearer \N{SNOWMAN}".encode().decode("latin-1")
    for said in (None, "Basic cm9vdDpyb290", f"Bearer {token[:-1]}x", "Bearer ", odd):
        header = {"Authorization": said} if said else {}
        for where in ("Users", "Groups", f"Users/{uuid.uuid4()}", "ServiceProviderConfig", "Schemas", "ResourceTypes"):
            answer = client.get(f"/scim/v2/{where}", headers=header)
            assert answer.status_code == 401, where
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.json()["status"] == "401"
    assert client.get("/scim/v2/Users", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_a_token_opens_nothing_else(token: str, client: Client) -> None:
    header = {"Authorization": f"Bearer {token}"}
    assert client.get(reverse("home"), headers=header).status_code == 302
    assert client.get(reverse("schema"), headers=header).status_code == 403
    assert client.get(reverse("admin:index"), headers=header).status_code == 302


def test_a_token_ends_by_its_day_and_by_hand(token: str, client: Client) -> None:
    row = ProvisioningToken.objects.get()
    assert token not in f"{row.digest} {row.prefix} {row}"
    assert len(row.digest) == 64

    def status() -> int:
        return client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {token}"}).status_code

    assert status() == 200
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert row.state == "in use"
    ProvisioningToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert status() == 401
    ProvisioningToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert status() == 200
    assert tokens.revoke(token=row)
    assert not tokens.revoke(token=row)
    assert status() == 401


def test_one_minute_has_its_measure(token: str, client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("experts.views.scim.A_MINUTE", 3)
    monkeypatch.setattr("experts.views.scim.WRONG_A_MINUTE", 2)
    header = {"Authorization": f"Bearer {token}"}
    wrong = [client.get("/scim/v2/Users").status_code for _ in range(4)]
    assert wrong == [401, 401, 429, 429]
    assert [client.get("/scim/v2/Users", headers=header).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/scim/v2/Users", headers=header).headers["Retry-After"] == "60"


def test_the_command_makes_lists_and_ends_tokens(capsys: Any, client: Client) -> None:
    call_command("provisioning_token", "add", "Okta", "--days", "30")
    shown = capsys.readouterr().out
    [text] = [word for word in shown.split() if word.startswith(tokens.MARK)]
    assert client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    call_command("provisioning_token", "list")
    listed = capsys.readouterr().out
    prefix = ProvisioningToken.objects.get().prefix
    assert prefix in listed
    assert text not in listed
    call_command("provisioning_token", "revoke", prefix)
    assert client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {text}"}).status_code == 401
    for wrong in (("revoke", "nothing"), ("revoke",), ("add",), ("add", "x", "--days", "0")):
        with pytest.raises(CommandError):
            call_command("provisioning_token", *wrong)


def test_a_body_beyond_measure_is_refused(scim: Ask, monkeypatch: Any) -> None:
    monkeypatch.setattr("experts.views.scim.MOST_BYTES", 1000)
    status, told = scim("post", "Users", sent.OKTA_USER | {"nickName": "x" * 1000})
    assert (status, told["scimType"]) == (413, "tooMany")
    assert scim("post", "Users", sent.OKTA_USER)[0] == 201


def test_nothing_is_told_that_a_service_may_not_write(scim: Ask, dora: str, emil: str, hold: Any) -> None:
    from immersive.work.models import Task

    hold("book", [page("a", "Dora Maas", title="zyxwv")])
    Task.objects.create(owner=person(dora), statement="zyxwv")
    scim("patch", f"Users/{dora}", sent.entra_manager(emil)[0])
    scim("post", "Groups", sent.okta_group(dora))
    told = scim("get", f"Users/{dora}")[1]
    assert set(told) == {
        "schemas", "id", "externalId", "userName", "name", "displayName", "title", "active", "timezone", "emails",
        "groups", "meta", sent.ENTERPRISE,
    }  # fmt: skip
    group = scim("get", "Groups")[1]["Resources"][0]
    assert set(group) == {"schemas", "id", "displayName", "members", "meta"}
    assert "zyxwv" not in json.dumps([told, group])
    assert "password" not in json.dumps([told, group])


def test_the_service_describes_itself_truly(scim: Ask) -> None:
    config = scim("get", "ServiceProviderConfig")[1]
    assert config["patch"]["supported"]
    assert config["filter"] == {"supported": True, "maxResults": 200}
    assert not any(config[name]["supported"] for name in ("bulk", "changePassword", "sort", "etag"))
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"
    schemas = {one["id"]: one for one in scim("get", "Schemas")[1]["Resources"]}
    assert set(schemas) == {sent.USER, sent.ENTERPRISE, sent.GROUP}
    assert "password" not in {one["name"] for one in schemas[sent.USER]["attributes"]}
    assert scim("get", f"Schemas/{sent.GROUP}")[1]["id"] == sent.GROUP
    types = scim("get", "ResourceTypes")[1]["Resources"]
    assert {one["endpoint"] for one in types} == {"/Users", "/Groups"}
    assert scim("get", "ResourceTypes/User")[1]["schema"] == sent.USER
    assert scim("get", "Schemas/none")[0] == scim("get", "ResourceTypes/none")[0] == 404
    assert scim("put", "Users", {"a": 1})[0] == 405
