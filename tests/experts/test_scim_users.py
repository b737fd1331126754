"""SCIM as Entra ID and Okta speak it: what becomes of users, and whom no service changes."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scim.exceptions import SCIMException

from experts import actions
from experts.directory import provisioning
from experts.directory import scim as read
from experts.evidence import attribute
from experts.models import Membership, Person, Team
from knowledge.documents import Contribution
from knowledge.models import Contribution as Row
from knowledge.models import SyncRun
from tests.experts import provisioned
from tests.experts import scim_bodies as sent
from tests.experts.conftest import page
from tests.experts.provisioned import Ask, members, person

pytestmark = pytest.mark.django_db
token, scim, dora, emil = provisioned.token, provisioned.scim, provisioned.dora, provisioned.emil


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
    Membership.objects.create(person=one, team=team)
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
    assert members(team) == {one.username}, "a service does not send again what it thinks is so"
    assert Membership.objects.filter(until=None).count() == 1
    assert Membership.objects.exclude(until=None).count() == 1, "the gap stays known"


def test_no_membership_comes_back_that_was_taken_meanwhile(scim: Ask, dora: str, emil: str) -> None:
    one, teams = person(dora), [actions.create_team(name=name) for name in ("Pumps", "Valves", "Seals", "Boilers")]
    pumps, valves, seals, boilers = teams
    for team in (pumps, valves, seals):
        actions.add_members(team=team, people=[one])
    actions.add_members(team=boilers, people=[one])
    actions.leave_members(team=boilers, people=[one])
    scim("patch", f"Users/{dora}", sent.ENTRA_OFF)
    assert scim("patch", f"Groups/{pumps.public_id}", sent.entra_members("Remove", dora))[0] == 204
    assert scim("put", f"Groups/{valves.public_id}", sent.okta_group(emil))[0] == 200
    ended = Membership.objects.get(person=one, team=pumps).until
    scim("patch", f"Users/{dora}", sent.ENTRA_ON)
    assert [members(team) for team in (pumps, seals, boilers)] == [set(), {one.username}, set()]
    assert members(valves) == {person(emil).username}
    assert Membership.objects.get(person=one, team=pumps).until == ended, "what is past is not rewritten"
    actions.dissolve(team=seals)
    actions.add_members(team=pumps, people=[one])
    scim("patch", f"Users/{dora}", sent.ENTRA_OFF)
    actions.deactivate(people=[one])  # an operator's word, after the service's
    scim("patch", f"Users/{dora}", sent.ENTRA_ON)
    assert not Membership.objects.current().filter(person=one).exists()


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


def test_whom_a_file_brought_a_service_has_by_their_address(scim: Ask, make_person: Any, hold: Any) -> None:
    ana = make_person("dora", name="Dora Maas", email="Dora.Maas@example.org")
    hold("book", [page("payroll", Contribution("D. M.", "dora.maas@example.org"))], trusts_emails=True)
    nameless = {key: value for key, value in sent.ENTRA_USER.items() if key != "externalId"}
    status, told = scim("post", "Users", nameless)
    assert (status, told["scimType"]) == (409, "uniqueness")
    assert "“dora” has the address dora.maas@example.org: find it by its userName" in told["detail"]
    status, told = scim("post", "Users", sent.ENTRA_USER)
    assert (status, told["id"], told["userName"]) == (201, str(ana.public_id), "Dora.Maas@example.org")
    assert scim("get", "Users", filter='userName eq "dora.maas@example.org"')[1]["totalResults"] == 1
    attribute()
    assert Row.objects.get().person == ana
    other = sent.ENTRA_USER | {"userName": "second@example.org", "externalId": "another", "displayName": "Otto Maas"}
    assert scim("post", "Users", other)[1]["id"] != str(ana.public_id), "it is claimed once, and never by an address"


def test_a_membership_with_an_end_does_not_come_back_without_one(scim: Ask, dora: str) -> None:
    one, pumps, valves = person(dora), *(actions.create_team(name=name) for name in ("Pumps", "Valves"))
    actions.add_members(team=pumps, people=[one])
    until = timezone.now() + timedelta(days=9)
    Membership.objects.create(person=one, team=valves, since=timezone.now() - timedelta(days=9), until=until)
    scim("patch", f"Users/{dora}", sent.ENTRA_OFF)
    scim("patch", f"Users/{dora}", sent.ENTRA_ON)
    assert set(Membership.objects.current().filter(person=one).values_list("team__name", "until")) == {("Pumps", None)}


@pytest.mark.parametrize("changes", [{"is_staff": True}, {"is_active": False}, {"external_id": "HR-7"}])
def test_no_address_takes_an_account_that_is_somebodys_already(scim: Ask, make_person: Any, changes: Any) -> None:
    ana = make_person("dora", name="Dora Maas", email="dora.maas@example.org")
    Person.objects.filter(pk=ana.pk).update(**changes)
    assert scim("post", "Users", sent.ENTRA_USER)[1]["id"] != str(ana.public_id)


def test_an_ended_account_of_the_same_address_stands_in_nobodys_way(scim: Ask, make_person: Any) -> None:
    here = make_person("dora", name="Dora Maas", email="dora.maas@example.org")
    make_person("maas", name="Dora Maas", email="Dora.Maas@example.org", is_active=False)
    assert scim("post", "Users", sent.ENTRA_USER)[1]["id"] == str(here.public_id)


def test_an_address_of_two_is_nobodys(scim: Ask, make_person: Any) -> None:
    both = [make_person(name, name="Dora Maas", email="dora.maas@example.org") for name in ("dora", "maas")]
    assert scim("post", "Users", sent.ENTRA_USER)[1]["id"] not in {str(one.public_id) for one in both}


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
    assert len(asked) == 9, "token, count, page and those beside, for each; and how many members groups have"


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_one_moment_close_no_circle(token: str, make_person: Any) -> None:
    """Over two people who would manage each other, and over four of whom each change sees two."""
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
    for number in range(5, 10):
        a, b, c, d = (make_person(f"{name}{number}") for name in "abcd")
        for below, over in ((b, c), (d, a)):
            actions.appoint(person=below, manager=over)
        gate = threading.Barrier(2)
        both = [threading.Thread(target=appoint, args=(*pair, gate)) for pair in ((a, b), (c, d))]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert Person.objects.exclude(manager=None).filter(pk__in=[a.pk, b.pk, c.pk, d.pk]).count() == 3
    assert sorted(answers) == [200] * 10 + [400] * 10


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


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_who_runs_the_site_is_changed_by_no_service(scim: Ask, dora: str, emil: str, power: str) -> None:
    """Whoever has a token could else end the operators, or rename one's account and sign in as them elsewhere."""
    Person.objects.filter(public_id__in=[dora, emil]).update(**{power: True})
    before = list(Person.objects.order_by("pk").values())
    tried = [
        *(("patch", dora, body) for body in (sent.ENTRA_OFF, sent.ENTRA_OFF_STRICT, sent.OKTA_OFF, sent.ENTRA_RENAME)),
        *(("patch", dora, body) for body in (sent.ENTRA_WITHOUT_PATH, *sent.entra_manager(emil))),
        ("patch", dora, sent.patch({"op": "Replace", "path": "userName", "value": "other@example.org"})),
        ("patch", dora, sent.patch({"op": "Remove", "path": "externalId"})),
        ("put", emil, sent.okta_put(emil, active=False)),
        ("put", emil, sent.okta_put(emil, displayName="Another")),
        ("delete", dora, None),
    ]
    for method, who, body in tried:
        status, told = scim(method, f"Users/{who}", body)
        assert (status, told["status"], told["schemas"]) == (403, "403", [sent.ERROR]), body
        assert "runs this site" in told["detail"]
    for method, who, body in (
        ("patch", dora, sent.ENTRA_ON), ("put", emil, sent.okta_put(emil)), ("put", dora, sent.ENTRA_USER),
    ):  # fmt: skip
        assert scim(method, f"Users/{who}", body)[0] == 200, "what says nothing new is no fault"
    assert list(Person.objects.order_by("pk").values()) == before
    Person.objects.filter(public_id=dora).update(taken_out_at=timezone.now())
    assert scim("post", "Users", sent.ENTRA_USER)[0] == 403


def test_who_is_meant_is_found_by_an_index(scim: Ask, dora: str) -> None:
    """Entra ID looks each user up by name before it does anything; so does whoever is made or is to be a manager."""
    for asked in ('userName eq "DORA.maas@example.org"', 'emails[type eq "work"].value eq "dora.maas@EXAMPLE.org"'):
        found = Person.objects.filter(read.asked(asked, read.OF_PEOPLE))
        assert [str(one.public_id) for one in found] == [dora]
        if connection.vendor == "sqlite":  # PostgreSQL scans small tables, whatever indexes they have
            assert "USING INDEX person_by_" in found.order_by().explain()
    assert provisioning._manager("DORA.maas@example.org") == person(dora)
