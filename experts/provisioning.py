"""People and teams as a provisioning service (Entra ID, Okta) says them over SCIM 2.0, into the verbs of this house.

A body is read into the few things that are kept here; all else that a service
sends is passed over, a password too: nobody types one for somebody else. What a
body does not say stays as it is. Services differ in spelling and not in
meaning, so one reading serves all: operations and attributes in any case,
paths with or without their schema, booleans as words, a manager as an id or as
an object, members to remove as a value or as a filter.

Groups are teams. A group's name is what people read and never a right: rights
hang on the row's number, and two groups of one name are two teams.

The protocol's words, schemas and the grammar of filters come from django-scim2;
its models, which drop members, and its views, which load whole tables, do not.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django_scim.exceptions import SCIMException
from scim2_filter_parser import ast
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser

from experts import actions, sheet
from experts.models import Membership, Person, Team, one_line

logger = logging.getLogger(__name__)

CORE = "urn:ietf:params:scim:schemas:core:2.0:user"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:group"
LONGEST_FILTER = 1000

KEPT = {
    "username": "username", "externalid": "external_id", "displayname": "name", "name.formatted": "formatted",
    "name.givenname": "first_name", "name.familyname": "last_name", "title": "role", "timezone": "time_zone",
    "active": "active", "emails": "email", "manager": "manager", "manager.value": "manager",
}  # fmt: skip
"""Where each thing that is kept stands in a body, lower-case."""

LIMITS = {**sheet.LIMITS, "first_name": 150, "last_name": 150, "formatted": 200}

_PATH = re.compile(r"(?P<name>[\w$.:-]+)(?:\[(?P<which>[^\]]*)\])?(?:\.\w+)?")
_VALUE = re.compile(r"""\s*value\s+eq\s+["']?([^"'\s]+)["']?\s*""", re.IGNORECASE)
_OTHER_ADDRESS = re.compile(r"""type\s+eq\s+"(?!work")""", re.IGNORECASE)

Said = dict[str, Any]


def refused(detail: str, *, status: int = 400, kind: str = "invalidValue") -> SCIMException:
    """An answer that says what is wrong, with its cure."""
    return SCIMException(detail, status=status, scim_type=kind)


# People -----------------------------------------------------------------------------------------------------------


def people() -> QuerySet[Person]:
    """Everybody whom a provisioning service may see: all accounts but those that it deleted."""
    current = Membership.objects.current().select_related("team")
    return (
        Person.objects.filter(taken_out_at=None)
        .select_related("manager")
        .prefetch_related(Prefetch("memberships", current, to_attr="now_in"))
        .order_by("pk")
    )


def read_person(body: Mapping[str, Any]) -> Said:
    """What a whole user says (POST and PUT)."""
    said: Said = {}
    for path, value in _flat(body):
        _say(said, path, value)
    return said


def read_patch(body: Mapping[str, Any]) -> Said:
    """What the operations of a PATCH say together."""
    said: Said = {}
    for op, path, value in operations(body):
        told = value if not path else {path: None if op == "remove" else value}
        for where, one in _flat(told):
            match = _PATH.fullmatch(where)
            if match is None:
                raise refused(f"“{where}” is no path.", kind="invalidPath")
            if match["name"].startswith("emails"):
                if not _OTHER_ADDRESS.search(match["which"] or ""):  # of the others none is kept
                    _say(said, "emails", one)
            else:
                _say(said, where, one)
    return said


def operations(body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The operations of a PATCH: ``op, path, value``, the first two lower-case, the path without its schema."""
    found = next((value for key, value in body.items() if key.lower() == "operations"), None)
    if not isinstance(found, list) or not found:
        raise refused("There are no Operations in this PATCH.", kind="invalidSyntax")
    for one in found:
        if not isinstance(one, Mapping):
            raise refused("An operation is an object with op, path and value.", kind="invalidSyntax")
        op, path, value = str(one.get("op", "")).lower(), str(one.get("path") or "").strip(), one.get("value")
        if op not in ("add", "replace", "remove"):
            raise refused(f"“{op}” is none of add, replace and remove.", kind="invalidSyntax")
        if not path and (op == "remove" or not isinstance(value, Mapping)):
            raise refused(
                "It has no path, so its value must be an object, and nothing can be removed.", kind="noTarget"
            )
        yield op, _plain(path), value


def _plain(path: str) -> str:
    """A path without its schema; lower-case outside brackets."""
    head, bracket, rest = path.partition("[")
    head = head.lower()
    for schema in (CORE, ENTERPRISE, GROUP):
        head = head.removeprefix(f"{schema}:")
    return head + bracket + rest


def _flat(body: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Each attribute with its path; what is grouped by schema or by ``name`` and ``manager`` taken apart."""
    if not isinstance(body, Mapping):
        raise refused("A JSON object is wanted.", kind="invalidSyntax")
    for key, value in body.items():
        name = _plain(str(key))
        if name in (CORE, ENTERPRISE):
            yield from _flat(value)
        elif name in ("name", "manager") and isinstance(value, Mapping) and not above:
            yield from _flat(value, f"{name}.")
        else:
            yield above + name, value


def _say(said: Said, path: str, value: Any) -> None:
    field = KEPT.get(path)
    if field is None:
        return
    if field == "email":
        said[field] = _address(value)
    elif field == "active":
        said[field] = _yes(value)
    elif field == "manager":
        said[field] = _named(value)
    elif field == "time_zone":
        said.update(_zone(value))
    else:
        said[field] = _text(field, value)


def _text(field: str, value: Any) -> str:
    if value is not None and not isinstance(value, str | int):
        raise refused(f"{field} must be text.")
    text = one_line(str(value if value is not None else ""))
    if len(text) > LIMITS[field]:
        raise refused(f"{field} is longer than {LIMITS[field]} characters.")
    return text


def _yes(value: Any) -> bool:
    """True and false, also as the words that Entra ID sends."""
    word = str(value).lower()
    if word not in ("true", "false"):
        raise refused("active is true or false.")
    return word == "true"


def _address(value: Any) -> str:
    """The address of a user: the primary one, else the one for work, else the first."""
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list):
        given = [one if isinstance(one, Mapping) else {"value": one} for one in value]
        given.sort(key=lambda one: (str(one.get("primary")).lower() != "true", one.get("type") != "work"))
        value = given[0].get("value") if given else ""
    address = _text("email", value)
    try:
        if address:
            validate_email(address)
    except ValidationError:
        raise refused(f"“{address}” is no e-mail address.") from None
    return address


def _named(value: Any) -> str:
    """Who is meant by a manager or a member: an id, or an object or list with one."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("value")
    return one_line(str(value or ""))


def _zone(value: Any) -> Said:
    """The time zone; one that is unknown here (Windows has names of its own) is no reason to refuse a person."""
    try:
        return {"time_zone": sheet.zone(one_line(str(value or ""))) or "UTC"}
    except ValidationError:
        return {}


@transaction.atomic
def save_person(*, said: Said, person: Person | None = None) -> Person:
    """Make or change somebody as it was said; raises `SCIMException` with what is wrong."""
    said = dict(said)
    manager, active = said.pop("manager", None), said.pop("active", None)
    if person is None:
        person = _again(said) or Person()
        person.taken_out_at = None
    new = person.pk is None
    _take_username(person, said.pop("username", ""))
    _take_external_id(person, said.pop("external_id", person.external_id))
    _take_name(person, said)
    for field, value in said.items():
        setattr(person, field, value)
    if new:
        person.set_unusable_password()
        person.is_active = active is not False
    person.save()
    if manager is not None:
        try:
            actions.appoint(person=person, manager=_manager(manager) if manager else None)
        except ValidationError as error:
            raise refused(" ".join(error.messages)) from None
    if active is False and person.is_active:
        actions.deactivate(people=[person], follow=False)
    elif active and not person.is_active:
        actions.reactivate(person=person, follow=False)
    actions.people_soon()
    return people().get(pk=person.pk)


def _again(said: Said) -> Person | None:
    """The account of who was deleted and comes again, known by the service's own id; a namesake gets none of it."""
    external = said.get("external_id")
    return external and Person.objects.filter(external_id=external).exclude(taken_out_at=None).first()


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
    other = Person.objects.filter(username__iexact=username).exclude(pk=person.pk).first()
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
    for by in ("public_id", "external_id", "username__iexact", "email__iexact"):
        if by == "public_id" and not _is_id(said):
            continue
        found = list(Person.objects.filter(**{by: said}, taken_out_at=None)[:2])
        if len(found) == 1:
            return found[0]
    raise ValidationError(f"No one account is meant by the manager “{said}”: provision the manager first.")


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


# Teams ------------------------------------------------------------------------------------------------------------


def teams(*, members: bool = True) -> QuerySet[Team]:
    """Every team that is not dissolved, with its members unless they are not asked for."""
    rows = Team.objects.current().order_by("pk")
    if not members:
        return rows
    current = Membership.objects.current().select_related("person").order_by("pk")
    return rows.prefetch_related(Prefetch("memberships", current, to_attr="now_with"))


@transaction.atomic
def save_team(*, body: Mapping[str, Any], team: Team | None = None) -> Team:
    """Make or change a team as a whole group says (POST and PUT); its members only where it names them."""
    said = {_plain(str(key)): value for key, value in body.items()}
    if team is None:
        external = _external(said.get("externalid")) or None
        if external and Team.objects.filter(external_id=external).exists():
            raise refused(f"A group has the externalId “{external}”: find it by that.", status=409, kind="uniqueness")
        team = actions.create_team(name=_group_name(said.get("displayname")), external_id=external)
    else:
        _change_team(team, said)
    if "members" in said:
        actions.set_members(team=team, people=_members(said["members"]))
    actions.people_soon()
    return teams().get(pk=team.pk)


@transaction.atomic
def patch_team(*, team: Team, body: Mapping[str, Any]) -> Team:
    """Carry out the operations of a PATCH on a group, in their order."""
    for op, path, value in operations(body):
        if not path:
            said = {_plain(str(key)): one for key, one in value.items()}
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
    return teams().get(pk=team.pk)


def _patch_members(team: Team, op: str, path: str, value: Any) -> None:
    which = path.removeprefix("members")
    if which:
        match = _VALUE.fullmatch(which.strip("[]"))
        if match is None:
            raise refused('A member is chosen as in members[value eq "…"].', kind="invalidFilter")
        value = [{"value": match[1]}]
    if op == "remove":
        gone = _members(value, missing=True) if value else None
        actions.leave_members(team=team, people=gone)
    elif op == "replace" and not which:
        actions.set_members(team=team, people=_members(value))
    else:
        actions.add_members(team=team, people=_members(value))


def _change_team(team: Team, said: Mapping[str, Any]) -> None:
    if "externalid" in said:
        external = _external(said["externalid"])
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
        actions.place_team(team=team, name=_group_name(said["displayname"]))


def _group_name(value: Any) -> str:
    name = one_line(value) if isinstance(value, str) else ""
    if not 0 < len(name) <= sheet.TEAM_NAME_LIMIT:
        raise refused(f"A group needs a displayName of at most {sheet.TEAM_NAME_LIMIT} characters.")
    return name


def _external(value: Any) -> str:
    text = one_line(str(value or ""))
    if len(text) > LIMITS["external_id"]:
        raise refused("externalId is longer than 254 characters.")
    return text


def _members(value: Any, *, missing: bool = False) -> list[Person]:
    """The people meant; somebody unknown is refused, or with ``missing`` passed over."""
    wanted = value if isinstance(value, list) else [] if value is None else [value]
    ids = list(dict.fromkeys(_named(one) for one in wanted))
    odd = [one for one in ids if not _is_id(one)]
    found = {str(person.public_id): person for person in _in(UUID(one) for one in ids if one not in odd)}
    unknown = odd + [one for one in ids if one not in odd and str(UUID(one)) not in found]
    if unknown and not missing:
        raise refused(f"There is no user {unknown[0]!r}: provision the members of a group before it.")
    return list(found.values())


def _in(ids: Iterable[UUID]) -> Iterator[Person]:
    wanted = list(ids)
    for start in range(0, len(wanted), 500):
        yield from Person.objects.filter(public_id__in=wanted[start : start + 500], taken_out_at=None)


# Filters ----------------------------------------------------------------------------------------------------------

_EXACT = {"eq": "exact"}
_TEXT = {"eq": "iexact", "co": "icontains", "sw": "istartswith", "ew": "iendswith"}

Meaning = Callable[[str, Any], Q]


def _column(name: str, ways: Mapping[str, str]) -> Meaning:
    def meaning(op: str, value: Any) -> Q:
        if op == "pr":
            return ~Q(**{name: ""}) & Q(**{f"{name}__isnull": False})
        if op == "ne" and isinstance(value, str):
            return ~Q(**{f"{name}__{ways['eq']}": value})
        if op not in ways or not isinstance(value, str):
            raise refused(f"“{op}” cannot be asked of this.", kind="invalidFilter")
        return Q(**{f"{name}__{ways[op]}": value})

    return meaning


def _id(name: str) -> Meaning:
    def meaning(op: str, value: Any) -> Q:
        if op != "eq":
            raise refused("Only eq can be asked of an id.", kind="invalidFilter")
        return Q(**{name: value}) if _is_id(str(value)) else Q(pk__in=())

    return meaning


def _active(op: str, value: Any) -> Q:
    if op not in ("eq", "ne"):
        raise refused("Only eq and ne can be asked of active.", kind="invalidFilter")
    return Q(is_active=_yes(value) is (op == "eq"))


def _has_member(op: str, value: Any) -> Q:
    if op != "eq":
        raise refused("Only eq can be asked of members.", kind="invalidFilter")
    if not _is_id(str(value)):
        return Q(pk__in=())
    return Q(pk__in=Membership.objects.current().filter(person__public_id=value).values("team"))


OF_PEOPLE: Mapping[str, Meaning] = {
    "id": _id("public_id"), "externalid": _column("external_id", _EXACT), "username": _column("username", _TEXT),
    "displayname": _column("name", _TEXT), "name.formatted": _column("name", _TEXT),
    "name.givenname": _column("first_name", _TEXT), "name.familyname": _column("last_name", _TEXT),
    "emails": _column("email", _TEXT), "emails.value": _column("email", _TEXT), "title": _column("role", _TEXT),
    "active": _active,
}  # fmt: skip
OF_TEAMS: Mapping[str, Meaning] = {
    "id": _id("public_id"), "externalid": _column("external_id", _EXACT), "displayname": _column("name", _TEXT),
    "members": _has_member, "members.value": _has_member,
}  # fmt: skip


def asked(text: str, meanings: Mapping[str, Meaning]) -> Q:
    """A filter as a condition; what cannot be asked here is refused, never left out."""
    text = re.sub(r'\b(emails|members)\[\s*type\s+eq\s+"\w*"\s*\]', r"\1", text, flags=re.IGNORECASE)
    try:
        if len(text) > LONGEST_FILTER:
            raise ValueError("too long")
        tree = SCIMParser().parse(SCIMLexer().tokenize(text))
    except SCIMException:
        raise
    except Exception as error:  # the grammar's library raises several kinds, one of them bare
        raise refused(f"This filter is not understood ({type(error).__name__}).", kind="invalidFilter") from None
    return _condition(tree, meanings, "")


def _condition(node: Any, meanings: Mapping[str, Meaning], above: str) -> Q:
    if isinstance(node, ast.Filter):
        inner = _condition(node.expr, meanings, _name(node.namespace) + "." if node.namespace else above)
        return ~inner if node.negated else inner
    if isinstance(node, ast.LogExpr):
        parts = [_condition(part, meanings, above) for part in (node.expr1, node.expr2)]
        return parts[0] & parts[1] if node.op.lower() == "and" else parts[0] | parts[1]
    if isinstance(node, ast.AttrExpr) and (meaning := meanings.get(above + _name(node.attr_path))):
        value = node.comp_value.value if node.comp_value is not None else None
        return meaning(node.value.lower(), value)
    raise refused("This attribute cannot be asked for here.", kind="invalidFilter")


def _name(path: Any) -> str:
    if not isinstance(getattr(path, "attr_name", None), str):
        raise refused("This filter is not understood.", kind="invalidFilter")
    sub = f".{path.sub_attr.value}" if path.sub_attr else ""
    return f"{path.attr_name}{sub}".lower()
