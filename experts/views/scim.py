"""SCIM 2.0 (RFC 7643, 7644): where a provisioning service makes, changes and ends people and teams.

Nobody signs in here: a token of its own lets a service in (`experts.tokens`),
a session does not. What is told is what the service may write, and nothing of
what people did, asked or said.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django_scim.constants import SCIM_CONTENT_TYPE, SchemaURI
from django_scim.exceptions import SCIMException
from django_scim.schemas import default_schemas_getter

from experts import actions
from experts.directory import provisioning, scim, tokens
from experts.directory.scim import refused
from experts.models import Person, Team

logger = logging.getLogger(__name__)

MOST_A_PAGE = 200
MOST_BYTES = 10_000_000
"""Of one body: a group with a hundred thousand members."""
A_MINUTE = 3000
"""Requests of one token: Entra ID asks for 25 a second at least, this is twice as many."""
WRONG_A_MINUTE = 60
"""Answers of one address's wrong tokens; the right one is let in all the same."""

Told = dict[str, Any]


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class ScimView(View):
    """One address: lets a token in, and answers every failure as the protocol says."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        token = tokens.known(request.headers.get("Authorization", ""))
        if token is None:
            if _too_many(f"wrong:{request.META.get('REMOTE_ADDR')}", WRONG_A_MINUTE):
                return _problem(_slower())
            return _problem(refused("A token is wanted: Authorization: Bearer …", status=401, kind=""))
        if _too_many(f"token:{token.pk}", A_MINUTE):
            return _problem(_slower())
        try:
            response = super().dispatch(request, *args, **kwargs)
        except SCIMException as error:
            return _problem(error)
        except ValidationError as error:
            return _problem(refused(" ".join(error.messages)))
        except IntegrityError:
            conflict = "Somebody changed the same at this moment: send it again."
            return _problem(refused(conflict, status=409, kind="uniqueness"))
        except OperationalError as error:
            logger.warning("scim %s %s: %s", request.method, type(self).__name__, error)
            return _problem(refused("The database is busy: send it again.", status=503, kind=""))
        logger.info("scim %s %s for %s: %s", request.method, type(self).__name__, token.prefix, response.status_code)
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _problem(refused(f"{request.method} is not for this address.", status=405, kind=""))


def _too_many(who: str, most: int) -> bool:
    """Whether this is one too many within a minute; a cache that is down stops nobody."""
    try:
        key = f"scim:{who}"
        cache.add(key, 0, timeout=60)
        return cache.incr(key) > most
    except Exception as error:
        logger.warning("requests are not counted: %s", type(error).__name__)
        return False


def _slower() -> SCIMException:
    return refused("Too many requests: wait a minute.", status=429, kind="tooMany")


def _answer(told: Any, status: int = 200, location: str = "") -> HttpResponse:
    response = HttpResponse(json.dumps(told), content_type=SCIM_CONTENT_TYPE, status=status)
    response["Cache-Control"] = "no-store"
    if location:
        response["Location"] = location
    return response


def _nothing() -> HttpResponse:
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def _problem(error: SCIMException) -> HttpResponse:
    told = error.to_dict() | {"status": str(error.status)}
    response = _answer(told, error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Immersive SCIM"'
    if error.status in (429, 503):
        response["Retry-After"] = "60" if error.status == 429 else "5"
    return response


def _body(request: HttpRequest) -> Mapping[str, Any]:
    raw = request.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise refused("This body is too large: send it in parts.", status=413, kind="tooMany")
    try:
        body = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise refused("This is no JSON in UTF-8.", kind="invalidSyntax") from None
    if not isinstance(body, dict) or not body:
        raise refused("A JSON object is wanted.", kind="invalidSyntax")
    return body


def _listed(request: HttpRequest, rows: QuerySet[Any], meanings: Any, tell: Any, fit: Any = list) -> HttpResponse:
    """One page of those that a filter asks for: as many of its rows as ``fit``."""
    if text := request.GET.get("filter", ""):
        rows = rows.filter(scim.asked(text, meanings))
    start = max(1, _number(request, "startIndex", 1))
    count = min(MOST_A_PAGE, max(0, _number(request, "count", MOST_A_PAGE)))
    total = rows.count()
    page = [tell(request, row) for row in fit(rows[start - 1 : start - 1 + count])] if count else []
    return _answer(
        {
            "schemas": [SchemaURI.LIST_RESPONSE],
            "totalResults": total,
            "itemsPerPage": len(page),
            "startIndex": start,
            "Resources": page,
        }
    )


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    if text and not (text.lstrip("-").isdecimal() and len(text) < 10):
        raise refused(f"{name} is a number.")
    return int(text) if text else otherwise


def _one(rows: QuerySet[Any], public_id: str) -> Any:
    try:
        found = rows.filter(public_id=UUID(public_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise refused("There is nothing with this id.", status=404, kind="")
    return found


def _where(request: HttpRequest, kind: str, public_id: UUID | None = None) -> str:
    return request.build_absolute_uri(reverse(f"scim:{kind}", args=[public_id] if public_id else []))


def tell_person(request: HttpRequest, person: Person) -> Told:
    """What a service is told of somebody: what it may write, and their teams."""
    users, groups = _where(request, "users"), _where(request, "groups")
    name = {"formatted": person.display_name, "givenName": person.first_name, "familyName": person.last_name}
    told: Told = {
        "schemas": [SchemaURI.USER, SchemaURI.ENTERPRISE_USER],
        "id": str(person.public_id),
        "userName": person.username,
        "name": name,
        "displayName": person.display_name,
        "active": person.is_active,
        "timezone": person.time_zone,
        "groups": [
            {
                "value": str(one.team.public_id),
                "$ref": f"{groups}/{one.team.public_id}",
                "display": one.team.name,
                "type": "direct",
            }
            for one in person.now_in  # type: ignore[attr-defined]
        ],
        "meta": {
            "resourceType": "User",
            "created": person.date_joined.isoformat(),
            "location": f"{users}/{person.public_id}",
        },
    }
    if person.external_id:
        told["externalId"] = person.external_id
    if person.role:
        told["title"] = person.role
    if person.email:
        told["emails"] = [{"value": person.email, "type": "work", "primary": True}]
    if person.manager and person.manager.taken_out_at is None:
        told[SchemaURI.ENTERPRISE_USER] = {
            "manager": {
                "value": str(person.manager.public_id),
                "$ref": f"{users}/{person.manager.public_id}",
                "displayName": person.manager.display_name,
            }
        }
    return told


def tell_team(request: HttpRequest, team: Team) -> Told:
    """What a service is told of a team; members where they were asked for."""
    users = _where(request, "users")
    told: Told = {
        "schemas": [SchemaURI.GROUP],
        "id": str(team.public_id),
        "displayName": team.name,
        "meta": {
            "resourceType": "Group",
            "created": team.since.isoformat(),
            "location": _where(request, "group", team.public_id),
        },
    }
    if team.external_id:
        told["externalId"] = team.external_id
    if hasattr(team, "now_with"):
        told["members"] = [
            {
                "value": str(one.person.public_id),
                "$ref": f"{users}/{one.person.public_id}",
                "display": one.person.display_name,
                "type": "User",
            }
            for one in team.now_with
            if one.person.taken_out_at is None
        ]
    return told


class Users(ScimView):
    """/Users"""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _listed(request, provisioning.people(), scim.OF_PEOPLE, tell_person)

    def post(self, request: HttpRequest) -> HttpResponse:
        actions.ensure_people_source()
        person = provisioning.save_person(said=scim.read_person(_body(request)))
        return _answer(tell_person(request, person), 201, _where(request, "user", person.public_id))


class User(ScimView):
    """/Users/{id}"""

    def get(self, request: HttpRequest, public_id: str) -> HttpResponse:
        return _answer(tell_person(request, _one(provisioning.people(), public_id)))

    def put(self, request: HttpRequest, public_id: str) -> HttpResponse:
        return self._save(request, public_id, scim.read_person(_body(request)))

    def patch(self, request: HttpRequest, public_id: str) -> HttpResponse:
        return self._save(request, public_id, scim.read_patch(_body(request)))

    def delete(self, request: HttpRequest, public_id: str) -> HttpResponse:
        provisioning.delete_person(person=_one(provisioning.people(), public_id))
        return _nothing()

    def _save(self, request: HttpRequest, public_id: str, said: scim.Said) -> HttpResponse:
        person = provisioning.save_person(said=said, person=_one(provisioning.people(), public_id))
        return _answer(tell_person(request, person))


def _tells_members(request: HttpRequest) -> bool:
    left_out = request.GET.get("excludedAttributes", "").lower().split(",")
    return "members" not in (name.strip() for name in left_out)


class Groups(ScimView):
    """/Groups"""

    def get(self, request: HttpRequest) -> HttpResponse:
        """As many groups as have a bounded number of members together: a client goes on from what a page holds."""
        fit = provisioning.with_members if _tells_members(request) else list
        return _listed(request, provisioning.teams(members=False), scim.OF_TEAMS, tell_team, fit)

    def post(self, request: HttpRequest) -> HttpResponse:
        actions.ensure_people_source()
        team = provisioning.save_team(body=_body(request))
        return _answer(tell_team(request, team), 201, _where(request, "group", team.public_id))


class Group(ScimView):
    """/Groups/{id}"""

    def get(self, request: HttpRequest, public_id: str) -> HttpResponse:
        rows = provisioning.teams(members=_tells_members(request))
        return _answer(tell_team(request, _one(rows, public_id)))

    def put(self, request: HttpRequest, public_id: str) -> HttpResponse:
        team = provisioning.save_team(body=_body(request), team=_one(provisioning.teams(), public_id))
        return _answer(tell_team(request, team))

    def patch(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Answered without the group, as Entra ID wants it: one change would list ten thousand members."""
        provisioning.patch_team(team=_one(provisioning.teams(members=False), public_id), body=_body(request))
        return _nothing()

    def delete(self, request: HttpRequest, public_id: str) -> HttpResponse:
        actions.dissolve(team=_one(provisioning.teams(members=False), public_id))
        return _nothing()


KEPT = {
    SchemaURI.USER: {"userName", "name", "displayName", "title", "timezone", "active", "emails", "groups"},
    SchemaURI.ENTERPRISE_USER: {"manager"},
    SchemaURI.GROUP: {"displayName", "members"},
}
"""What of the protocol's schemas is kept here: no more is promised."""


def schemas() -> list[Told]:
    """The protocol's own descriptions, without what is not kept here."""
    return [
        schema | {"attributes": [one for one in schema["attributes"] if one["name"] in KEPT[schema["id"]]]}
        for schema in default_schemas_getter()
        if schema["id"] in KEPT
    ]


def resource_types(request: HttpRequest) -> list[Told]:
    """Users and groups, and where they are."""
    extension = {"schema": SchemaURI.ENTERPRISE_USER, "required": False}
    return [
        {
            "schemas": [SchemaURI.RESOURCE_TYPE], "id": name, "name": name, "endpoint": f"/{name}s", "schema": schema,
            "schemaExtensions": [extension] if name == "User" else [],
            "meta": {"resourceType": "ResourceType", "location": f"{_where(request, 'resource-types')}/{name}"},
        }
        for name, schema in (("User", SchemaURI.USER), ("Group", SchemaURI.GROUP))
    ]  # fmt: skip


class Described(ScimView):
    """/Schemas and /ResourceTypes, whole or one of them."""

    what = ""

    def get(self, request: HttpRequest, which: str = "") -> HttpResponse:
        found = schemas() if self.what == "schemas" else resource_types(request)
        if not which:
            listed = {"totalResults": len(found), "itemsPerPage": len(found), "startIndex": 1, "Resources": found}
            return _answer({"schemas": [SchemaURI.LIST_RESPONSE], **listed})
        for one in found:
            if one["id"] == which:
                return _answer(one)
        raise refused("There is nothing with this id.", status=404, kind="")


class Service(ScimView):
    """/ServiceProviderConfig"""

    def get(self, request: HttpRequest) -> HttpResponse:
        no = {"supported": False}
        scheme = {
            "type": "oauthbearertoken", "name": "Bearer token", "primary": True,
            "description": "Made by an operator, shown once, and revoked by an operator.",
        }  # fmt: skip
        return _answer(
            {
                "schemas": [SchemaURI.SERVICE_PROVIDER_CONFIG],
                "patch": {"supported": True},
                "bulk": {**no, "maxOperations": 0, "maxPayloadSize": 0},
                "filter": {"supported": True, "maxResults": MOST_A_PAGE},
                "changePassword": no,
                "sort": no,
                "etag": no,
                "authenticationSchemes": [scheme],
                "meta": {"resourceType": "ServiceProviderConfig", "location": _where(request, "service")},
            }
        )


app_name = "scim"
urlpatterns = [
    path("Users", Users.as_view(), name="users"),
    path("Users/<str:public_id>", User.as_view(), name="user"),
    path("Groups", Groups.as_view(), name="groups"),
    path("Groups/<str:public_id>", Group.as_view(), name="group"),
    path("ServiceProviderConfig", Service.as_view(), name="service"),
    path("Schemas", Described.as_view(what="schemas"), name="schemas"),
    path("Schemas/<str:which>", Described.as_view(what="schemas"), name="schema"),
    path("ResourceTypes", Described.as_view(what="types"), name="resource-types"),
    path("ResourceTypes/<str:which>", Described.as_view(what="types"), name="resource-type"),
]
