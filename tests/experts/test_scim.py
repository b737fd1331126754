"""SCIM as Entra ID and Okta speak it: who gets in, what becomes of users and groups, and what is never told."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scim.exceptions import SCIMException

from experts import actions
from experts.directory import provisioning, tokens
from experts.models import Membership, Person, ProvisioningToken, Team
from knowledge.access import Viewer
from knowledge.models import SyncRun
from tests.experts import scim_bodies as sent
from tests.experts.conftest import page

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def token() -> str:
    return tokens.issue(name="Entra ID")[1]


@pytest.fixture
def scim(token: str, committed: Any) -> Ask:
    """``scim("post", "Users", body)``: status and the answer's JSON, with what follows the commit done."""
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def ask(method: str, where: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        kind = {"content_type": "application/scim+json"} if method != "get" else {}
        data = query if method == "get" else body if isinstance(body, bytes) else json.dumps(body)
        with committed():
            answer = getattr(client, method)(f"/scim/v2/{where}", data, **kind)
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status_code, json.loads(answer.content) if answer.content else None

    return ask


@pytest.fixture
def dora(scim: Ask) -> str:
    status, told = scim("post", "Users", sent.ENTRA_USER)
    assert status == 201
    return str(told["id"])


@pytest.fixture
def emil(scim: Ask) -> str:
    return str(scim("post", "Users", sent.OKTA_USER)[1]["id"])


def person(public_id: str) -> Person:
    return Person.objects.get(public_id=public_id)


def told_after(scim: Ask, where: str, body: Any) -> Any:
    """The group after a PATCH, which itself is answered with nothing."""
    assert scim("patch", where, body) == (204, None)
    return scim("get", where)[1]


def members(team: Team) -> set[str]:
    return set(Membership.objects.current().filter(team=team).values_list("person__username", flat=True))


# Who gets in --------------------------------------------------------------------------------------------------------


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


# Users --------------------------------------------------------------------------------------------------------------


def test_entra_makes_finds_and_changes_somebody(scim: Ask, dora: str) -> None:
    one = person(dora)
    assert (one.username, one.name, one.email, one.role) == (
        "Dora.Maas@example.org", "Dora Maas", "dora.maas@example.org", "Fitter"
    )  # fmt: skip
    assert (one.first_name, one.last_name, one.external_id) == ("Dora", "Maas", sent.ENTRA_USER["externalId"])
    assert not one.has_usable_password()
    assert not one.is_staff
    assert not one.is_superuser
    for asked in [
        'userName eq "dora.maas@example.org"', f'externalId eq "{one.external_id}"', f'id eq "{dora}"',
        'emails[type eq "work"].value eq "dora.maas@example.org"', 'emails.value sw "DORA"',
        'displayName eq "Dora Maas" and active eq true', f'{sent.USER}:userName eq "dora.maas@example.org"',
        'not (userName eq "x") and title pr',
    ]:  # fmt: skip
        status, told = scim("get", "Users", filter=asked)
        assert (status, told["totalResults"]) == (200, 1), asked
        assert told["Resources"][0]["id"] == dora
    assert scim("get", "Users", filter=f'userName eq "{uuid.uuid4()}"')[1]["totalResults"] == 0
    assert scim("patch", f"Users/{dora}", sent.ENTRA_RENAME)[0] == 200
    one.refresh_from_db()
    assert (one.email, one.last_name, one.name) == ("dora.novak@example.org", "Novak", "Dora Novak")
    assert one.role == "Fitter", "what is not said stays"


def test_entra_patches_without_a_path(scim: Ask, dora: str) -> None:
    assert scim("patch", f"Users/{dora}", sent.ENTRA_WITHOUT_PATH)[0] == 200
    one = person(dora)
    assert (one.name, one.last_name, one.email, one.role) == (
        "Dora Novak", "Novak", "dora.novak@example.org", "Chief fitter"
    )  # fmt: skip


@pytest.mark.parametrize("form", range(6))
def test_entra_names_a_manager_in_any_form(scim: Ask, dora: str, emil: str, form: int) -> None:
    status, told = scim("patch", f"Users/{dora}", sent.entra_manager(emil)[form])
    assert status == 200
    assert person(dora).manager == person(emil)
    assert told[sent.ENTERPRISE]["manager"]["value"] == emil
    gone = sent.patch({"op": "Remove", "path": f"{sent.ENTERPRISE}:manager"})
    assert scim("patch", f"Users/{dora}", gone)[0] == 200
    assert person(dora).manager is None


def test_a_manager_below_oneself_is_refused(scim: Ask, dora: str, emil: str) -> None:
    assert scim("patch", f"Users/{dora}", sent.entra_manager(emil)[0])[0] == 200
    status, told = scim("patch", f"Users/{emil}", sent.entra_manager(dora)[0])
    assert (status, told["scimType"]) == (400, "invalidValue")
    assert "report to themselves" in told["detail"]
    assert person(emil).manager is None
    assert scim("patch", f"Users/{emil}", sent.entra_manager(emil)[0])[0] == 400
    assert "provision the manager first" in scim("patch", f"Users/{emil}", sent.entra_manager("nobody")[0])[1]["detail"]


@pytest.mark.parametrize("off", [sent.ENTRA_OFF, sent.ENTRA_OFF_STRICT, sent.OKTA_OFF], ids=["words", "strict", "okta"])
def test_somebody_is_ended_and_given_back(
    scim: Ask, dora: str, off: Any, hold: Any, client: Client, make_person: Any
) -> None:
    one = person(dora)
    team = Team.objects.create(name="Pumps", slug="pumps")
    actions.join_team(person=one, team=team)
    hold("book", [page("a", "Dora Maas")])
    client.force_login(one)
    assert client.get(reverse("home")).status_code == 200
    assert scim("patch", f"Users/{dora}", off)[1]["active"] is False
    assert client.get(reverse("home")).status_code == 302, "sessions end at once"
    assert members(team) == set()
    assert Membership.objects.get().until is not None, "closed, not deleted"
    assert scim("get", f"Users/{dora}")[1]["active"] is False
    assert scim("patch", f"Users/{dora}", off)[0] == 200
    assert scim("patch", f"Users/{dora}", sent.ENTRA_ON)[1]["active"] is True
    assert person(dora).is_active
    assert client.get(reverse("home")).status_code == 302, "a session of before stays ended"


def test_okta_makes_replaces_ends_and_gives_back(scim: Ask, emil: str) -> None:
    one = person(emil)
    assert (one.username, one.name) == ("emil.sand@example.org", "Emil Sand")
    assert not one.has_usable_password(), "nobody types a password for somebody else"
    Person.objects.filter(pk=one.pk).update(role="Welder", location="Leeds")
    changed = sent.okta_put(emil, displayName="Emil Strand", name={"givenName": "Emil", "familyName": "Strand"})
    status, told = scim("put", f"Users/{emil}", changed)
    assert (status, told["displayName"], told["name"]["familyName"]) == (200, "Emil Strand", "Strand")
    assert told["title"] == "Welder", "what Okta does not send was said elsewhere, and stays"
    assert scim("put", f"Users/{emil}", sent.okta_put(emil, active=False))[1]["active"] is False
    assert scim("put", f"Users/{emil}", sent.okta_put(emil, active=True))[1]["active"] is True
    assert person(emil).pk == one.pk


def test_somebody_who_is_here_already_is_told_and_found(scim: Ask, make_person: Any) -> None:
    here = make_person("DORA.MAAS@example.org", name="Dora M.")
    status, told = scim("post", "Users", sent.ENTRA_USER)
    assert (status, told["scimType"]) == (409, "uniqueness")
    found = scim("get", "Users", filter='userName eq "Dora.Maas@example.org"')[1]["Resources"]
    assert [one["id"] for one in found] == [str(here.public_id)]
    Person.objects.filter(pk=here.pk).update(external_id=sent.ENTRA_USER["externalId"])
    status, told = scim("post", "Users", sent.ENTRA_USER | {"userName": "other@example.org"})
    assert (status, told["scimType"]) == (409, "uniqueness")
    assert Person.objects.count() == 1


def test_who_was_deleted_is_gone_for_the_service_and_comes_back_as_themselves(scim: Ask, dora: str) -> None:
    one = person(dora)
    assert scim("delete", f"Users/{dora}") == (204, None)
    assert scim("get", f"Users/{dora}")[0] == scim("delete", f"Users/{dora}")[0] == 404
    assert scim("get", "Users")[1]["totalResults"] == 0
    one.refresh_from_db()
    assert not one.is_active
    namesake = sent.ENTRA_USER | {"externalId": "somebody else"}
    status, told = scim("post", "Users", namesake)
    assert status == 409, "a namesake would get the account of who left, with all that is in it"
    assert "an operator can rename that account" in told["detail"]
    status, told = scim("post", "Users", sent.ENTRA_USER)
    assert (status, told["id"], told["active"]) == (201, dora, True)


def test_an_address_that_changes_takes_the_work_along_and_signs_nobody_in(
    scim: Ask, dora: str, make_person: Any, hold: Any, client: Client, read_people: Any
) -> None:
    from knowledge.documents import Contribution
    from knowledge.models import Contribution as Row

    hold("book", [page("new", Contribution("D.", "dora.novak@example.org")),
                  page("old", Contribution("D.", "dora.maas@example.org"))], trusts_emails=True)  # fmt: skip
    client.force_login(person(dora))
    assert scim("patch", f"Users/{dora}", sent.ENTRA_RENAME)[0] == 200
    read_people()
    owners = {row.resource.key: row.person for row in Row.objects.select_related("person", "resource")}
    assert owners == {"new": person(dora), "old": None}
    assert client.get(reverse("home")).status_code == 200, "they stay signed in as themselves"
    other = make_person("other", email="dora.maas@example.org")
    fresh = Client()
    fresh.post(reverse("sign-in"), {"username": "dora.maas@example.org", "password": "correct horse"})
    assert fresh.session.get("_auth_user_id") is None, "an address is no way in"
    assert other.pk != person(dora).pk


def test_two_people_of_one_name_stay_two(scim: Ask, dora: str) -> None:
    other = sent.ENTRA_USER | {"userName": "dora2@example.org", "externalId": "another", "emails": []}
    status, told = scim("post", "Users", other)
    assert status == 201
    assert told["id"] != dora
    assert "emails" not in told, "no address is no obstacle"
    assert scim("get", "Users", filter='displayName eq "Dora Maas"')[1]["totalResults"] == 2


@pytest.mark.parametrize(("body", "says"), [
    (b"{", "no JSON"), (b"[]", "JSON object"), (b"\xff", "no JSON"), (b"[" * 100_000, "no JSON"),
    ({"active": True}, "needs a userName"), ({"userName": "a b"}, "cannot be a userName"),
    ({"userName": "x" * 151}, "longer than 150"), ({"userName": ["x"]}, "must be text"),
    ({"userName": "x", "emails": [{"value": "nowhere"}]}, "no e-mail address"),
    ({"userName": "x", "active": "perhaps"}, "true or false"), ({"userName": "x", "displayName": "n" * 201}, "200"),
])  # fmt: skip
def test_a_user_that_cannot_be_read_says_why(scim: Ask, body: Any, says: str) -> None:
    status, told = scim("post", "Users", body)
    assert status == 400
    assert says in told["detail"]
    assert not Person.objects.exists()


@pytest.mark.parametrize(("body", "kind"), [
    ({}, "invalidSyntax"), (sent.patch(), "invalidSyntax"), ({"Operations": "x"}, "invalidSyntax"),
    (sent.patch({"op": "move", "path": "title"}), "invalidSyntax"), (sent.patch({"op": "remove"}), "noTarget"),
    (sent.patch({"op": "replace", "value": "x"}), "noTarget"),
    (sent.patch({"op": "replace", "path": "na me", "value": "x"}), "invalidPath"),
    ({"Operations": ["x"]}, "invalidSyntax"),
])  # fmt: skip
def test_a_patch_that_cannot_be_read_says_why(scim: Ask, dora: str, body: Any, kind: str) -> None:
    status, told = scim("patch", f"Users/{dora}", body)
    assert (status, told["scimType"]) == (400, kind)


@pytest.mark.parametrize("asked", [
    'password eq "x"', "userName", "userName eq", 'searches.text eq "x"', "a" * 5000, "userName gt 5",
    'active eq "perhaps"', "contributions pr", "is_superuser eq true",
])  # fmt: skip
def test_what_cannot_be_asked_is_refused_and_never_left_out(scim: Ask, dora: str, asked: str) -> None:
    for text in (asked, f"userName pr and {asked}"):
        status, told = scim("get", "Users", filter=text)
        assert status == 400, text
        assert told["scimType"] in ("invalidFilter", "invalidValue")


def test_pages_of_users_in_few_questions(scim: Ask, emil: str) -> None:
    team = Team.objects.create(name="Pumps", slug="pumps")
    for number in range(9):
        one = Person.objects.create(username=f"p{number}", name=f"Person {number}", manager=person(emil))
        Membership.objects.create(person=one, team=team)
    told = scim("get", "Users", startIndex=3, count=4)[1]
    assert (told["totalResults"], told["itemsPerPage"], told["startIndex"]) == (10, 4, 3)
    assert [one["userName"] for one in told["Resources"]] == ["p1", "p2", "p3", "p4"]
    assert scim("get", "Users", count=0)[1] | {"Resources": 0} == told | {
        "itemsPerPage": 0, "startIndex": 1, "Resources": 0
    }  # fmt: skip
    assert scim("get", "Users", startIndex=-5, count=100_000)[1]["itemsPerPage"] == 10
    assert scim("get", "Users", startIndex="x")[0] == 400
    with CaptureQueriesContext(connection) as asked:
        scim("get", "Users")
        scim("get", "Groups")
    assert len(asked) == 8, "token, count, page and those beside, for each"


@pytest.mark.django_db(transaction=True)
def test_two_who_would_manage_each_other_at_the_same_moment(token: str, make_person: Any) -> None:
    answers: list[int] = []

    def appoint(one: Person, over: Person, gate: threading.Barrier) -> None:
        client = Client(headers={"Authorization": f"Bearer {token}"})
        body = json.dumps(sent.entra_manager(str(over.public_id))[0])
        gate.wait(10)
        answers.append(client.patch(f"/scim/v2/Users/{one.public_id}", body, "application/scim+json").status_code)
        connection.close()

    for number in range(5):
        a, b, gate = make_person(f"a{number}"), make_person(f"b{number}"), threading.Barrier(2)
        both = [threading.Thread(target=appoint, args=(*pair, gate)) for pair in ((a, b), (b, a))]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert Person.objects.exclude(manager=None).filter(pk__in=[a.pk, b.pk]).count() == 1
    assert sorted(answers) == [200] * 5 + [400] * 5


# Groups -------------------------------------------------------------------------------------------------------------


def test_entra_makes_a_group_and_keeps_its_members(scim: Ask, dora: str, emil: str) -> None:
    status, told = scim("post", "Groups", sent.ENTRA_GROUP)
    assert (status, told["displayName"], told["members"]) == (201, "Pump crew", [])
    where, team = f"Groups/{told['id']}", Team.objects.get()
    assert team.external_id == sent.ENTRA_GROUP["externalId"]
    told = told_after(scim, where, sent.entra_members("Add", dora, emil))
    assert {one["value"] for one in told["members"]} == {dora, emil}
    assert f"team:{team.pk}" in Viewer.of(person(dora)).tokens
    scim("patch", where, sent.entra_members("Add", dora))
    assert Membership.objects.count() == 2, "somebody who is a member already stays one"
    told = told_after(scim, where, sent.entra_members("Remove", dora))
    assert [one["value"] for one in told["members"]] == [emil]
    assert f"team:{team.pk}" not in Viewer.of(person(dora)).tokens
    assert Membership.objects.count() == 2, "closed, not deleted"
    assert told_after(scim, where, sent.ENTRA_GROUP_NAME)["displayName"] == "Valve crew"
    found = scim("get", "Groups", filter='displayName eq "Valve crew"', excludedAttributes="members")[1]["Resources"]
    assert [(one["id"], "members" in one) for one in found] == [(told["id"], False)]
    for member, count in ((emil, 1), (dora, 0)):
        asked = f'id eq "{told["id"]}" and members eq "{member}"'
        assert scim("get", "Groups", filter=asked)[1]["totalResults"] == count
    assert told_after(scim, where, sent.patch({"op": "Remove", "path": "members"}))["members"] == []


def test_okta_makes_a_group_with_members_and_pushes_changes(scim: Ask, dora: str, emil: str) -> None:
    status, told = scim("post", "Groups", sent.okta_group(dora))
    assert status == 201
    assert [one["value"] for one in told["members"]] == [dora], "members of a new group are not dropped"
    where, team = f"Groups/{told['id']}", Team.objects.get()
    told = told_after(scim, where, sent.okta_members(remove=dora, add=emil))
    assert [one["value"] for one in told["members"]] == [emil]
    assert told_after(scim, where, sent.okta_group_name(told["id"]))["displayName"] == "Writers"
    assert [stood.name for stood in team.placements.all()] == ["Readers"], "what it was called stays known"
    replaced = scim("put", where, sent.okta_group(dora))[1]
    assert ([one["value"] for one in replaced["members"]], replaced["displayName"]) == ([dora], "Readers")
    both = sent.patch({"op": "replace", "path": "members", "value": [{"value": dora}, {"value": emil}]})
    assert {one["value"] for one in told_after(scim, where, both)["members"]} == {dora, emil}
    assert scim("put", where, {"displayName": "Readers"})[1]["members"], "who is not mentioned stays"
    assert scim("put", where, sent.okta_group())[1]["members"] == []


def test_a_group_that_is_deleted_is_closed_and_known_for_the_time_before(scim: Ask, dora: str) -> None:
    told = scim("post", "Groups", sent.okta_group(dora))[1]
    moment = timezone.now()
    assert scim("delete", f"Groups/{told['id']}") == (204, None)
    assert scim("get", f"Groups/{told['id']}")[0] == 404
    team = Team.objects.get()
    assert members(team) == set()
    assert list(Team.objects.as_of(moment)) == [team]
    assert not Team.objects.current().exists()
    assert scim("post", "Groups", sent.okta_group(dora))[1]["id"] != told["id"]


def test_two_groups_of_one_name_are_two_teams(scim: Ask, dora: str, emil: str) -> None:
    first = scim("post", "Groups", sent.ENTRA_GROUP)[1]["id"]
    second = scim("post", "Groups", sent.ENTRA_GROUP | {"externalId": "another"})[1]["id"]
    assert first != second
    scim("patch", f"Groups/{first}", sent.entra_members("Add", dora))
    scim("patch", f"Groups/{second}", sent.entra_members("Add", emil))
    [one, two] = Team.objects.order_by("pk")
    assert (members(one), members(two)) == ({person(dora).username}, {person(emil).username})
    taken = sent.patch({"op": "Replace", "path": "externalId", "value": "a third"})
    status, told = scim("patch", f"Groups/{first}", taken)
    assert (status, told["scimType"]) == (409, "mutability")
    assert "match groups by externalId" in told["detail"]
    assert scim("post", "Groups", sent.ENTRA_GROUP)[0] == 409


@pytest.mark.parametrize("name", ["everyone", "team:1", "person:1", "source:1:group:finance"])
def test_a_groups_name_is_no_right(scim: Ask, dora: str, name: str) -> None:
    told = scim("post", "Groups", {"displayName": name, "members": [{"value": dora}]})[1]
    team, one = Team.objects.get(public_id=told["id"]), person(dora)
    assert Viewer.of(one).tokens == {"everyone", f"person:{one.pk}", f"team:{team.pk}"}


@pytest.mark.parametrize(("body", "says"), [
    ({"members": []}, "needs a displayName"), ({"displayName": "x" * 121}, "at most 120"),
    ({"displayName": "A", "members": [{"value": "nobody"}]}, "no user 'nobody'"),
    ({"displayName": "A", "members": [{"value": str(uuid.UUID(int=5))}]}, "provision the members"),
])  # fmt: skip
def test_a_group_that_cannot_be_read_says_why_and_leaves_nothing(scim: Ask, body: Any, says: str) -> None:
    status, told = scim("post", "Groups", body)
    assert status == 400
    assert says in told["detail"]
    assert not Team.objects.exists()


def test_a_large_group_in_few_questions(scim: Ask) -> None:
    Person.objects.bulk_create(Person(username=f"p{n}") for n in range(1200))
    everybody = [str(one) for one in Person.objects.values_list("public_id", flat=True)]
    with CaptureQueriesContext(connection) as asked:
        status, told = scim("post", "Groups", sent.okta_group(*everybody))
    assert (status, len(told["members"])) == (201, 1200)
    assert len(asked) < 50
    assert Membership.objects.current().count() == 1200


def test_a_body_beyond_measure_is_refused(scim: Ask, monkeypatch: Any) -> None:
    monkeypatch.setattr("experts.views.scim.MOST_BYTES", 1000)
    status, told = scim("post", "Users", sent.OKTA_USER | {"nickName": "x" * 1000})
    assert (status, told["scimType"]) == (413, "tooMany")
    assert scim("post", "Users", sent.OKTA_USER)[0] == 201


# What is told -------------------------------------------------------------------------------------------------------


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


def test_many_changes_ask_for_people_to_be_read_once(scim: Ask, dora: str, emil: str) -> None:
    for title in ("One", "Two", "Three"):
        scim("patch", f"Users/{dora}", sent.patch({"op": "replace", "path": "title", "value": title}))
    [run] = SyncRun.objects.filter(source__kind="people", done_at=None)
    assert run.due_at > run.created_at


def test_what_changed_meanwhile_is_not_written_back(dora: str) -> None:
    """Somebody leaves and writes about themselves while another request of the service has them in hand."""
    in_hand = provisioning.people().get(public_id=dora)
    Person.objects.filter(public_id=dora).update(about="Listens to pumps.")
    actions.deactivate(people=[in_hand])
    provisioning.save_person(said={"role": "Fitter"}, person=in_hand)
    now = person(dora)
    assert (now.role, now.is_active, now.sign_outs, now.about) == ("Fitter", False, 1, "Listens to pumps.")
    actions.take_out(person=now)
    with pytest.raises(SCIMException, match="nothing with this id"):
        provisioning.save_person(said={"role": "Clerk"}, person=in_hand)


def test_an_empty_list_of_members_removes_nobody(scim: Ask, dora: str) -> None:
    group = scim("post", "Groups", {"displayName": "Blue", "members": [{"value": dora}]})[1]
    body = {"Operations": [{"op": "remove", "path": "members", "value": []}]}
    assert [one["value"] for one in told_after(scim, f"Groups/{group['id']}", body)["members"]] == [dora]
