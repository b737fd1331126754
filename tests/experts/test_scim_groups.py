"""SCIM as Entra ID and Okta speak it: what becomes of groups and their members."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts.directory import provisioning
from experts.models import Membership, Person, Team
from knowledge.access import Viewer
from tests.experts import provisioned
from tests.experts import scim_bodies as sent
from tests.experts.provisioned import Ask, members, person, told_after

pytestmark = pytest.mark.django_db
token, scim, dora, emil = provisioned.token, provisioned.scim, provisioned.dora, provisioned.emil


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


def test_pages_of_groups_are_bounded_by_their_members(scim: Ask, dora: str, emil: str, monkeypatch: Any) -> None:
    for crew in ([dora, emil], [dora], [emil], []):
        scim("post", "Groups", {"displayName": "Crew", "members": [{"value": one} for one in crew]})
    monkeypatch.setattr(provisioning, "MOST_MEMBERS", 1)
    told, start = [], 1
    with CaptureQueriesContext(connection) as asked:
        page = scim("get", "Groups", startIndex=start)[1]
    assert len(asked) <= 8
    while page["Resources"]:
        told += [len(one["members"]) for one in page["Resources"]]
        start += page["itemsPerPage"]
        assert page["totalResults"] == 4
        page = scim("get", "Groups", startIndex=start)[1]
    assert told == [2, 1, 1, 0], "none is left out by whoever goes on from what a page held"
    assert scim("get", "Groups", excludedAttributes="members")[1]["itemsPerPage"] == 4


def test_an_empty_list_of_members_removes_nobody(scim: Ask, dora: str) -> None:
    group = scim("post", "Groups", {"displayName": "Blue", "members": [{"value": dora}]})[1]
    body = {"Operations": [{"op": "remove", "path": "members", "value": []}]}
    assert [one["value"] for one in told_after(scim, f"Groups/{group['id']}", body)["members"]] == [dora]
