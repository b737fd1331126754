"""The operator's pages: accounts are kept, powers are not handed out, and nothing private is in reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from experts.directory.tokens import ProvisioningToken
from experts.models import Membership, Person, Team
from immersive.work.models import Assessment, Task
from knowledge.models import Search

PRIVATE = "zyxwv-private"


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Pumps", slug="pumps")


@pytest.fixture
def ana(make_person: Callable[..., Any], team: Team) -> Any:
    ana = make_person("ana", name="Ana Lima", email="ana@example.org", teams=(team,))
    task = Task.objects.create(owner=ana, statement=PRIVATE)
    Assessment.objects.create(task=task, confidence=10)
    Search.objects.create(person=ana, text=PRIVATE)
    return ana


@pytest.fixture
def operator(make_person: Callable[..., Any], client: Client) -> Any:
    operator = make_person("operator", is_staff=True, is_superuser=True)
    client.force_login(operator)
    return operator


def changed(client: Client, person: Person) -> dict[str, Any]:
    """The change form of a person, filled in as it is."""
    form = client.get(reverse("admin:experts_person_change", args=[person.pk])).context["adminform"].form
    return {name: value for name, value in form.initial.items() if value not in (None, False, [])}


def test_no_page_of_a_person_shows_or_links_what_is_private(ana: Any, operator: Any, client: Client) -> None:
    for name in ("change", "history", "delete"):
        answer = client.get(reverse(f"admin:experts_person_{name}", args=[ana.pk]))
        html = answer.content.decode().lower()
        assert answer.status_code == (403 if name == "delete" else 200)
        for word in (PRIVATE, "assessment", "confidence", "work/task", "search?", "knowledge/search"):
            assert word not in html, f"{name}: {word}"


@pytest.mark.parametrize("action", ["delete_selected", "deactivate_chosen"])
def test_people_are_deactivated_and_never_deleted(ana: Any, operator: Any, client: Client, action: str) -> None:
    where = reverse("admin:experts_person_changelist")
    client.post(where, {"action": action, "_selected_action": [ana.pk, operator.pk]})
    client.post(where, {"action": action, "_selected_action": [ana.pk, operator.pk], "post": "yes"})
    assert Person.objects.count() == 2
    assert Person.objects.get(pk=operator.pk).is_active, "nobody locks themselves out"
    assert Person.objects.get(pk=ana.pk).is_active is (action == "delete_selected")
    assert Membership.objects.get().until is None or action == "deactivate_chosen"
    client.post(where, {"action": "reactivate_chosen", "_selected_action": [ana.pk]})
    assert Person.objects.get(pk=ana.pk).is_active


def test_the_form_explains_why_there_is_no_deletion(ana: Any, operator: Any, client: Client) -> None:
    html = client.get(reverse("admin:experts_person_change", args=[ana.pk])).content.decode()
    assert "Deactivate the account" in html
    assert "deletelink" not in html


def test_a_changed_person_is_known_by_the_new_name(
    ana: Any, operator: Any, client: Client, hold: Any, committed: Any
) -> None:
    from knowledge.models import Contribution
    from tests.experts.conftest import page

    hold("book", [page("a", "Ana Costa")])
    assert Contribution.objects.get().person is None
    with committed():
        data = changed(client, ana) | {"name": "Ana Costa"}
        assert client.post(reverse("admin:experts_person_change", args=[ana.pk]), data).status_code == 302
    assert Contribution.objects.get().person == ana


def test_staff_without_that_right_hand_out_no_powers(ana: Any, make_person: Any, client: Client) -> None:
    clerk = make_person("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="experts"))
    client.force_login(clerk)
    data = changed(client, ana) | {"is_superuser": "on", "is_staff": "on", "role": "Engineer"}
    assert client.post(reverse("admin:experts_person_change", args=[ana.pk]), data).status_code == 302
    ana.refresh_from_db()
    assert (ana.role, ana.is_staff, ana.is_superuser) == ("Engineer", False, False)


NEW = {"password1": "vertical kettle 9", "password2": "vertical kettle 9", "usable_password": "true"}
NEW |= {"password": "vertical kettle 9", "new_password1": "vertical kettle 9", "set-password": "1"}


@pytest.mark.parametrize("first", [False, True], ids=["has a password", "has none"])
@pytest.mark.parametrize("power", ["superuser", "staff"])
def test_nobody_types_a_password_for_somebody_else(
    ana: Any, make_person: Any, client: Client, first: bool, power: str
) -> None:
    other = make_person("other", is_staff=True, is_superuser=power == "superuser")
    other.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["experts", "auth"]))
    client.force_login(other)
    if first:
        ana.set_unusable_password()
        ana.save()
    stored = Person.objects.get(pk=ana.pk).password
    where = reverse("admin:auth_user_password_change", args=[ana.pk])
    assert client.get(where).status_code == client.post(where, NEW).status_code == 403
    assert client.get(where.replace(str(ana.pk), "999")).status_code == 403
    form = client.get(reverse("admin:experts_person_change", args=[ana.pk])).content.decode()
    assert 'name="password' not in form
    assert stored not in form
    assert "/password/" not in form
    assert "manage.py invite" in form
    client.post(reverse("admin:experts_person_change", args=[ana.pk]), changed(client, ana) | NEW | {"role": "Fitter"})
    ana.refresh_from_db()
    assert (ana.role, ana.password) == ("Fitter", stored)


def test_ones_own_password_is_changed_on_ones_own_page(operator: Any, client: Client) -> None:
    where = reverse("admin:auth_user_password_change", args=[operator.pk])
    assert client.post(where, NEW, follow=True).redirect_chain[0][0] == reverse("admin:password_change")
    assert Person.objects.get(pk=operator.pk).check_password("correct horse")


def test_an_account_is_made_without_a_password(ana: Any, operator: Any, client: Client) -> None:
    where = reverse("admin:experts_person_add")
    assert 'type="password"' not in client.get(where).content.decode()
    data = {"username": "new", "name": "New Person", "email": "new@example.org"} | NEW
    assert client.post(where, data).status_code == 302
    assert not Person.objects.get(username="new").has_usable_password()
    assert "Choose another one" in client.post(where, {"username": "ANA", "name": "x"}).content.decode()


def test_a_token_is_made_shown_once_and_revoked(operator: Any, client: Client, make_person: Any) -> None:
    where = reverse("admin:experts_provisioningtoken_changelist")
    html = client.post(f"{where}add/", {"name": "Entra ID", "days": 30}).content.decode()
    [text] = re.findall(r"<code>(imm_scim_\w+[\w-]*)</code>", html)
    assert "http://testserver/scim/v2<" in html
    header = {"Authorization": f"Bearer {text}"}
    assert Client().get("/scim/v2/Users", headers=header).status_code == 200
    token = ProvisioningToken.objects.get()
    assert token.made_by == operator
    for address in (where, f"{where}{token.pk}/change/", f"{where}{token.pk}/history/"):
        assert text not in client.get(address).content.decode()
    assert text not in f"{client.cookies}{list(client.session.items())}"
    client.post(where, {"action": "revoke_chosen", "_selected_action": [token.pk]})
    assert Client().get("/scim/v2/Users", headers=header).status_code == 401
    assert client.post(f"{where}{token.pk}/delete/", {"post": "yes"}).status_code == 403
    clerk = make_person("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="experts"))
    client.force_login(clerk)
    assert client.get(where).status_code == 200
    assert client.get(f"{where}add/").status_code == 403
    assert client.post(f"{where}add/", {"name": "x", "days": 1}).status_code == 403


def test_history_is_kept(ana: Any, operator: Any, client: Client, team: Team) -> None:
    [membership] = Membership.objects.all()
    assert client.get(reverse("admin:experts_membership_delete", args=[membership.pk])).status_code == 403
    assert client.get(reverse("admin:experts_team_delete", args=[team.pk])).status_code == 403
    where = reverse("admin:experts_team_changelist")
    client.post(where, {"action": "dissolve_chosen", "_selected_action": [team.pk]})
    assert not Team.objects.current().filter(pk=team.pk).exists()
    assert Membership.objects.get().until is not None
    empty = Team.objects.create(name="By mistake", slug="mistake")
    assert client.post(reverse("admin:experts_team_delete", args=[empty.pk]), {"post": "yes"}).status_code == 302
    assert client.get(reverse("admin:experts_peopleimport_changelist")).status_code == 200
    for name in ("person", "team", "membership"):
        assert client.get(reverse(f"admin:experts_{name}_changelist")).status_code == 200
        assert client.get(reverse(f"admin:experts_{name}_add")).status_code == 200


@pytest.mark.parametrize("action", ["deactivate_chosen", "reactivate_chosen", "remove_names", "dissolve_chosen"])
def test_who_may_only_look_changes_nothing(
    ana: Any, team: Team, make_person: Callable[..., Any], client: Client, action: str
) -> None:
    kind = "team" if action == "dissolve_chosen" else "person"
    looks = make_person("looks", is_staff=True)
    looks.user_permissions.add(Permission.objects.get(codename=f"view_{kind}"))
    client.force_login(looks)
    Person.objects.filter(pk=ana.pk).update(is_active=action == "deactivate_chosen")
    where = reverse(f"admin:experts_{kind}_changelist")
    before = (Person.objects.filter(pk=ana.pk).values().get(), Team.objects.filter(pk=team.pk).values().get())
    chosen = {"action": action, "_selected_action": [(team if kind == "team" else ana).pk], "reason": "A reason"}
    client.post(where, chosen | {"index": 0})
    assert (Person.objects.filter(pk=ana.pk).values().get(), Team.objects.filter(pk=team.pk).values().get()) == before
    looks.user_permissions.add(Permission.objects.get(codename=f"change_{kind}"))
    client.post(where, chosen | {"index": 0})
    assert (Person.objects.filter(pk=ana.pk).values().get(), Team.objects.filter(pk=team.pk).values().get()) != before
