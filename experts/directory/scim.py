"""What SCIM 2.0 says, read into plain values: users, the operations of a PATCH, and filters; nothing is written here.

A body is read into the few things that are kept here; all else that a service
sends is passed over, a password too: nobody types one for somebody else. What a
body does not say stays as it is. Services differ in spelling and not in
meaning, so one reading serves all: operations and attributes in any case,
paths with or without their schema, booleans as words, a manager as an id or as
an object, members to remove as a value or as a filter.

The protocol's words, schemas and the grammar of filters come from django-scim2;
its models, which drop members, and its views, which load whole tables, do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django_scim.exceptions import SCIMException
from scim2_filter_parser import ast
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser

from experts.directory import sheet
from experts.models import Membership, in_any_case, one_line

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
MEMBER_CHOSEN = re.compile(r"""\s*value\s+eq\s+["']?([^"'\s]+)["']?\s*""", re.IGNORECASE)
_OTHER_ADDRESS = re.compile(r"""type\s+eq\s+"(?!work")""", re.IGNORECASE)

Said = dict[str, Any]


def refused(detail: str, *, status: int = 400, kind: str = "invalidValue") -> SCIMException:
    """An answer that says what is wrong, with its cure."""
    return SCIMException(detail, status=status, scim_type=kind)


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
        yield op, plain(path), value


def plain(path: str) -> str:
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
        name = plain(str(key))
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
        said[field] = named(value)
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


def named(value: Any) -> str:
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


def group_name(value: Any) -> str:
    """The name of a group; raises when there is none or it is too long."""
    name = one_line(value) if isinstance(value, str) else ""
    if not 0 < len(name) <= sheet.TEAM_NAME_LIMIT:
        raise refused(f"A group needs a displayName of at most {sheet.TEAM_NAME_LIMIT} characters.")
    return name


def external_id(value: Any) -> str:
    """What a service calls a group."""
    text = one_line(str(value or ""))
    if len(text) > LIMITS["external_id"]:
        raise refused("externalId is longer than 254 characters.")
    return text


def is_id(text: str) -> bool:
    """Whether it is written as the ids are that are given out here."""
    try:
        return bool(UUID(text))
    except ValueError:
        return False


# Filters ----------------------------------------------------------------------------------------------------------

_EXACT = {"eq": "exact"}
_TEXT = {"eq": "in any case", "co": "icontains", "sw": "istartswith", "ew": "iendswith"}

Meaning = Callable[[str, Any], Q]


def _column(name: str, ways: Mapping[str, str]) -> Meaning:
    def meaning(op: str, value: Any) -> Q:
        if op == "pr":
            return ~Q(**{name: ""}) & Q(**{f"{name}__isnull": False})
        if op not in {*ways, "ne"} or not isinstance(value, str):
            raise refused(f"“{op}” cannot be asked of this.", kind="invalidFilter")
        if op in ("eq", "ne") and ways is _TEXT:
            same = in_any_case(name, value)
        else:
            same = Q(**{f"{name}__{ways['eq' if op == 'ne' else op]}": value})
        return ~same if op == "ne" else same

    return meaning


def _id(name: str) -> Meaning:
    def meaning(op: str, value: Any) -> Q:
        if op != "eq":
            raise refused("Only eq can be asked of an id.", kind="invalidFilter")
        return Q(**{name: value}) if is_id(str(value)) else Q(pk__in=())

    return meaning


def _active(op: str, value: Any) -> Q:
    if op not in ("eq", "ne"):
        raise refused("Only eq and ne can be asked of active.", kind="invalidFilter")
    return Q(is_active=_yes(value) is (op == "eq"))


def _has_member(op: str, value: Any) -> Q:
    if op != "eq":
        raise refused("Only eq can be asked of members.", kind="invalidFilter")
    if not is_id(str(value)):
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
