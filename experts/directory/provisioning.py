"""People and teams as a provisioning service (Entra ID, Okta) has them, by the verbs of this house.

Groups are teams. A group's name is what people read and never a right: rights
hang on the row's number, and two groups of one name are two teams. Who is
deleted there is deactivated here and seen by the service no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Prefetch, Q, QuerySet, prefetch_related_objects
from django_scim.exceptions import SCIMException

from experts import actions
from experts.directory.history import alone
from experts.directory.scim import (
    KEPT,
    MEMBER_CHOSEN,
    Said,
    external_id,
    group_name,
    is_id,
    named,
    operations,
    plain,
    refused,
)  # fmt: skip
from experts.evidence import email_key
from experts.models import Membership, Person, Team, in_any_case, one_line

MOST_MEMBERS = 20_000
"""Members of all groups of one page together."""


def people() -> QuerySet[Person]:
    """Everybody whom a provisioning service may see: all accounts but those that it deleted."""
    current = Membership.objects.current().select_related("team")
    return (
        Person.objects.filter(taken_out_at=None)
        .select_related("manager")
        .prefetch_related(Prefetch("memberships", current, to_attr="now_in"))
        .order_by("pk")
    )


@transaction.atomic
def save_person(*, said: Said, person: Person | None = None) -> Person:
    """Make or change somebody as it was said; raises `SCIMException` with what is wrong.

    Who runs the site is changed by nobody's token: whoever has one could end, or become, an operator. What says
    nothing new of them is answered like any other.
    """
    said = dict(said)
    if "manager" in said:
        alone()  # before any row is held, as whoever changes managers does
    manager, active = said.pop("manager", None), said.pop("active", None)
    comes = person is None
    person = person or _again(said) or _unclaimed(said) or Person()
    new = person.pk is None
    boss = _manager(manager) if manager else None
    if not new:
        person = _held(person, boss)
    before = _state(person)
    if comes:
        if person.external_id not in (None, said.get("external_id")):  # another has claimed it while this waited
            raise refused("Somebody changed the same at this moment: send it again.", status=409, kind="uniqueness")
        person.taken_out_at = None
    elif person.taken_out_at:
        raise refused("There is nothing with this id.", status=404, kind="")  # deleted while this waited
    _take_username(person, said.pop("username", ""))
    _take_external_id(person, said.pop("external_id", person.external_id))
    _take_name(person, said)
    for field, value in said.items():
        setattr(person, field, value)
    if new:
        person.set_unusable_password()
        person.is_active = active is not False
        person.save()
    elif person.is_staff or person.is_superuser:
        after = _state(person)
        after["is_active"] = person.is_active if active is None else active
        after["manager_id"] = person.manager_id if manager is None else boss and boss.pk
        if after != before:
            raise _runs_the_site(person)
        return people().get(pk=person.pk)
    if manager is not None:
        actions.appoint(person=person, manager=boss)
    if not new:
        person.save()
    if active is False and person.is_active:
        actions.deactivate(people=[person], follow=False, come_back=True)
    elif active and not person.is_active:
        actions.reactivate(person=person, follow=False)
    actions.people_soon()
    return people().get(pk=person.pk)


def _runs_the_site(person: Person) -> SCIMException:
    return refused(
        f"“{person.username}” runs this site, and no service changes such an account: an operator does it by hand. "
        "Leave them out of what you provision.",
        status=403, kind="",
    )  # fmt: skip


def delete_person(*, person: Person) -> None:
    """Take somebody out, as `actions.take_out`; raises `SCIMException` for who runs the site."""
    with transaction.atomic():
        held = _held(person, None)
        if held.is_staff or held.is_superuser:
            raise _runs_the_site(held)
        actions.take_out(person=held)


def _state(person: Person) -> dict[str, Any]:
    """What a service may write of an account, as it is."""
    fields = {*KEPT.values()} & {field.name for field in Person._meta.concrete_fields} - {"manager"}
    return {name: getattr(person, name) for name in (*fields, "manager_id", "is_active", "taken_out_at")}


def _held(person: Person, boss: Person | None) -> Person:
    """The account as it is now, held until the transaction ends: what others changed meanwhile is not written back.

    With whoever is to be its manager, in one order, so that two such changes wait for each other.
    """
    both = Person.objects.filter(pk__in=[person.pk, boss.pk if boss else person.pk]).order_by("pk")
    return {one.pk: one for one in both.select_for_update(no_key=True)}[person.pk]


def _again(said: Said) -> Person | None:
    """The account of who was deleted and comes again, known by the service's own id; a namesake gets none of it."""
    external = said.get("external_id")
    return external and Person.objects.filter(external_id=external).exclude(taken_out_at=None).first()


def _unclaimed(said: Said) -> Person | None:
    """The account with this address that came another way, by a file or by hand, and that no service has claimed yet.

    A service speaks for the company, so it may have it; but only one that says what it calls the person itself: by
    that the account is claimed once. Whoever left, or runs the site, is had by no address; nor is one of several.
    """
    address = email_key(said.get("email") or said.get("username") or "")
    bearing = Person.objects.filter(in_any_case("email", address), is_staff=False, is_superuser=False)
    found = [one for one in bearing.filter(taken_out_at=None, is_active=True)[:20] if email_key(one.email) == address]
    if not address or len(found) != 1 or found[0].external_id:
        return None
    if not said.get("external_id"):
        raise refused(
            f"The account “{found[0].username}” has the address {address}: find it by its userName and change it, "
            "or send an externalId, and it is yours.",
            status=409, kind="uniqueness",
        )  # fmt: skip
    return found[0]


def _take_username(person: Person, username: str) -> None:
    if not username:
        if person.pk is None:
            raise refused("A user needs a userName.")
        return
    if username.lower() == person.username.lower():
        return  # only another case: people go on signing in as they do
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        raise refused(f"“{username}” cannot be a userName: letters, digits and @ . + - _ make one.") from None
    other = Person.objects.filter(in_any_case("username", username)).exclude(pk=person.pk).first()
    if other is not None:
        cure = "find it by its userName and change it instead"
        if other.taken_out_at:
            cure = "it is of somebody who was deleted; an operator can rename that account, or give it back"
        raise refused(f"There is an account with the userName “{username}”: {cure}.", status=409, kind="uniqueness")
    person.username = username


def _take_external_id(person: Person, external: str | None) -> None:
    others = Person.objects.filter(external_id=external, taken_out_at=None).exclude(pk=person.pk)
    if external and others.exists():
        raise refused(f"Another account has the externalId “{external}”.", status=409, kind="uniqueness")
    person.external_id = external or None


def _take_name(person: Person, said: Said) -> None:
    """Follow given and family name with the shown one, unless that was said itself."""
    formatted = said.pop("formatted", "")
    if not said.get("name"):
        said.pop("name", None)
        first, last = (said.get(part, getattr(person, part)) for part in ("first_name", "last_name"))
        changed = (first, last) != (person.first_name, person.last_name)
        if formatted or changed or not person.name:
            said["name"] = formatted or one_line(f"{first} {last}") or person.name


def _manager(said: str) -> Person:
    """By the id that SCIM gave them, else by what else names one account alone."""
    ways = [Q(public_id=said)] if is_id(said) else []
    ways += [Q(external_id=said), in_any_case("username", said), in_any_case("email", said)]
    for meant in ways:
        found = list(Person.objects.filter(meant, taken_out_at=None)[:2])
        if len(found) == 1:
            return found[0]
    raise ValidationError(f"No one account is meant by the manager “{said}”: provision the manager first.")


# Teams ------------------------------------------------------------------------------------------------------------


def teams(*, members: bool = True) -> QuerySet[Team]:
    """Every team that is not dissolved, with its members unless they are not asked for."""
    rows = Team.objects.current().order_by("pk")
    return rows.prefetch_related(_now_with()) if members else rows


def _now_with() -> Prefetch[Any]:
    current = Membership.objects.current().select_related("person").order_by("pk")
    return Prefetch("memberships", current, to_attr="now_with")


def with_members(some: Iterable[Team]) -> list[Team]:
    """The first of these teams with their members: as many as have `MOST_MEMBERS` together, and one at least."""
    rows, told, total = list(some), list[Team](), 0
    counted = Membership.objects.current().filter(team__in=rows).order_by().values_list("team")
    counts = dict(counted.annotate(count=Count("pk")))
    for team in rows:
        total += counts.get(team.pk, 0)
        if told and total > MOST_MEMBERS:
            break
        told.append(team)
    prefetch_related_objects(told, _now_with())
    return told


@transaction.atomic
def save_team(*, body: Mapping[str, Any], team: Team | None = None) -> Team:
    """Make or change a team as a whole group says (POST and PUT); its members only where it names them."""
    said = {plain(str(key)): value for key, value in body.items()}
    if team is None:
        external = external_id(said.get("externalid")) or None
        if external and Team.objects.filter(external_id=external).exists():
            raise refused(f"A group has the externalId “{external}”: find it by that.", status=409, kind="uniqueness")
        team = actions.create_team(name=group_name(said.get("displayname")), external_id=external)
    else:
        _change_team(team, said)
    if "members" in said:
        actions.set_members(team=team, people=_members(said["members"]))
    actions.people_soon()
    return teams().get(pk=team.pk)


@transaction.atomic
def patch_team(*, team: Team, body: Mapping[str, Any]) -> None:
    """Carry out the operations of a PATCH on a group, in their order."""
    alone()  # before any row is held, as whoever renames a team does
    for op, path, value in operations(body):
        if not path:
            said = {plain(str(key)): one for key, one in value.items()}
            _change_team(team, said)
            if "members" in said:
                _patch_members(team, op, "", said["members"])
        elif path == "members" or path.startswith("members["):
            _patch_members(team, op, path, value)
        elif op == "remove" and path == "displayname":
            raise refused("A group keeps a displayName.", kind="mutability")
        else:
            _change_team(team, {path: None if op == "remove" else value})
    actions.people_soon()


def _patch_members(team: Team, op: str, path: str, value: Any) -> None:
    which = path.removeprefix("members")
    if which:
        match = MEMBER_CHOSEN.fullmatch(which.strip("[]"))
        if match is None:
            raise refused('A member is chosen as in members[value eq "…"].', kind="invalidFilter")
        value = [{"value": match[1]}]
    if op == "remove":
        gone = None if value is None else _members(value, missing=True)  # an empty list names nobody
        actions.leave_members(team=team, people=gone)
    elif op == "replace" and not which:
        actions.set_members(team=team, people=_members(value))
    else:
        actions.add_members(team=team, people=_members(value))


def _change_team(team: Team, said: Mapping[str, Any]) -> None:
    if "externalid" in said:
        external = external_id(said["externalid"])
        if external and team.external_id and team.external_id != external:
            raise refused(
                f"“{team.name}” is the group {team.external_id}. A group of the same name is another one: let your "
                "service match groups by externalId, and it will make its own.",
                status=409, kind="mutability",
            )  # fmt: skip
        if external and Team.objects.filter(external_id=external).exclude(pk=team.pk).exists():
            raise refused(f"Another group has the externalId “{external}”.", status=409, kind="uniqueness")
        if external and not team.external_id:
            Team.objects.filter(pk=team.pk).update(external_id=external)
            team.external_id = external
    if "displayname" in said:
        actions.place_team(team=team, name=group_name(said["displayname"]))


def _members(value: Any, *, missing: bool = False) -> list[Person]:
    """The people meant; somebody unknown is refused, or with ``missing`` passed over."""
    wanted = value if isinstance(value, list) else [] if value is None else [value]
    ids = list(dict.fromkeys(named(one) for one in wanted))
    odd = [one for one in ids if not is_id(one)]
    found = {str(person.public_id): person for person in _in(UUID(one) for one in ids if one not in odd)}
    unknown = odd + [one for one in ids if one not in odd and str(UUID(one)) not in found]
    if unknown and not missing:
        raise refused(f"There is no user {unknown[0]!r}: provision the members of a group before it.")
    return list(found.values())


def _in(ids: Iterable[UUID]) -> Iterator[Person]:
    wanted = list(ids)
    for start in range(0, len(wanted), 500):
        yield from Person.objects.filter(public_id__in=wanted[start : start + 500], taken_out_at=None)
