"""What Entra ID and Okta send, as their guides to writing a SCIM service show it; the people are invented.

Entra ID: “Develop and plan provisioning for a SCIM endpoint”, with and without
its flag ``aadOptscim062020``, and what its connectors were seen to send. Okta:
“Okta and SCIM Version 2.0”.
"""

from __future__ import annotations

from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


# Entra ID -----------------------------------------------------------------------------------------------------------

ENTRA_USER = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Dora.Maas@example.org",
    "active": True,
    "displayName": "Dora Maas",
    "emails": [
        {"primary": False, "type": "home", "value": "dora@home.example"},
        {"primary": True, "type": "work", "value": "dora.maas@example.org"},
    ],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Dora Maas", "familyName": "Maas", "givenName": "Dora"},
    "title": "Fitter",
    "preferredLanguage": "en-GB",
    "addresses": [{"type": "work", "locality": "Leeds", "primary": True}],
    "phoneNumbers": [{"type": "work", "value": "555-0100", "primary": True}],
    "roles": [],
    ENTERPRISE: {"department": "Pumps", "employeeNumber": "701"},
}
ENTRA_RENAME = patch(
    {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "dora.novak@example.org"},
    {"op": "Replace", "path": "name.familyName", "value": "Novak"},
)
ENTRA_WITHOUT_PATH = patch(
    {
        "op": "replace",
        "value": {
            "displayName": "Dora Novak",
            "name.familyName": "Novak",
            'emails[type eq "work"].value': "dora.novak@example.org",
            f"{ENTERPRISE}:department": "Valves",
            "title": "Chief fitter",
        },
    }
)
ENTRA_OFF = patch({"op": "Replace", "path": "active", "value": "False"})
ENTRA_OFF_STRICT = patch({"op": "replace", "path": "active", "value": False})
ENTRA_ON = patch({"op": "Replace", "path": "active", "value": "True"})


def entra_manager(manager: str) -> list[dict[str, Any]]:
    """Every form in which it names a manager."""
    path = f"{ENTERPRISE}:manager"
    return [
        patch({"op": "Add", "path": path, "value": manager}),
        patch({"op": "Replace", "path": path, "value": [{"$ref": None, "value": manager}]}),
        patch({"op": "add", "path": path, "value": {"value": manager}}),
        patch({"op": "Replace", "path": f"{path}.value", "value": manager}),
        patch({"op": "replace", "value": {path: manager}}),
        patch({"op": "replace", "value": {ENTERPRISE: {"manager": {"value": manager}}}}),
    ]


ENTRA_GROUP = {
    "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
    "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
    "displayName": "Pump crew",
    "meta": {"resourceType": "Group"},
}
ENTRA_GROUP_NAME = patch({"op": "Replace", "path": "displayName", "value": "Valve crew"})


def entra_members(op: str, *ids: str) -> dict[str, Any]:
    """``op`` is Add or Remove: it names whom it removes in the value."""
    return patch({"op": op, "path": "members", "value": [{"$ref": None, "value": one} for one in ids]})


# Okta ---------------------------------------------------------------------------------------------------------------

OKTA_USER = {
    "schemas": [USER],
    "userName": "emil.sand@example.org",
    "name": {"givenName": "Emil", "familyName": "Sand"},
    "emails": [{"primary": True, "value": "emil.sand@example.org", "type": "work"}],
    "displayName": "Emil Sand",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}
OKTA_OFF = patch({"op": "replace", "value": {"active": False}})
OKTA_ON = patch({"op": "replace", "value": {"active": True}})


def okta_put(public_id: str, **changes: Any) -> dict[str, Any]:
    """The whole user, as it sends it when something changed."""
    return OKTA_USER | {"id": public_id, "meta": {"resourceType": "User"}} | changes


def okta_group(*members: str) -> dict[str, Any]:
    named = [{"value": one, "display": "someone@example.org"} for one in members]
    return {"schemas": [GROUP], "displayName": "Readers", "members": named}


def okta_group_name(public_id: str) -> dict[str, Any]:
    return patch({"op": "replace", "value": {"id": public_id, "displayName": "Writers"}})


def okta_members(remove: str, add: str) -> dict[str, Any]:
    return patch(
        {"op": "remove", "path": f'members[value eq "{remove}"]'},
        {"op": "add", "path": "members", "value": [{"value": add, "display": "someone@example.org"}]},
    )
