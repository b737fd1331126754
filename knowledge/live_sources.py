"""Services that are asked while somebody searches, as they are declared: by a curator as a row, or in ``LIVE_SOURCES``.

The two are one kind of thing here, a `Declared`. Whether it is right is said by
`faults` alone, to the curator's form and to the check of the settings.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.signals import post_delete, post_save

from knowledge.addresses import FetchRefused, check_url
from knowledge.connectors.live import LONGEST, SECRET_PREFIX, SHAPES, SHORTEST, Mapped, Service
from knowledge.edition import Edition, RisingQuerySet
from knowledge.questions import Question

if TYPE_CHECKING:
    from knowledge.access import Viewer

SHAPE_NAMES = {
    "json": "JSON, by its address or OpenSearch description",
    "mediawiki": "MediaWiki (api.php)",
    "stackexchange": "Stack Exchange API",
}
HEADER = "Authorization: Bearer {secret}"
_NAMESPACE = uuid.UUID("5b0c9c8e-54c5-4d5c-8a3e-0d2f6f3a9a51")


class LiveSource(models.Model):
    """A service that cannot be indexed, declared by a curator, and who may ask it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=60, unique=True)
    shape = models.CharField(max_length=20, choices=list(SHAPE_NAMES.items()))
    address = models.CharField(
        max_length=500,
        help_text="JSON: https://example.org/search?q={query}, or the address of an OpenSearch description. "
        "MediaWiki: https://wiki.example.org/w/api.php. "
        "Stack Exchange: https://api.stackexchange.com/2.3/search/advanced?site=stackoverflow.",
    )
    fields = models.JSONField(
        default=dict,
        blank=True,
        help_text="JSON only, where names are unusual: where items, title, text, link and updated stand, such as "
        '{"items": "data.found", "title": "name", "link": "https://example.org/doc/{id}", "notes": ["author"]}.',
    )
    secret = models.CharField(
        max_length=80,
        blank=True,
        help_text=f"Name of the environment variable that holds the secret, beginning with {SECRET_PREFIX}. "
        "Never the secret itself.",
    )
    header = models.CharField(
        max_length=200,
        default=HEADER,
        blank=True,
        help_text="How the secret is sent. An address with {secret} in it is filled instead.",
    )
    audience = models.ForeignKey("knowledge.Audience", on_delete=models.PROTECT, related_name="+")
    trusted = models.BooleanField(
        "trusted with searches",
        default=False,
        help_text="Ask it with every search of those who may use it. Else their words reach it only after a click.",
    )
    deadline = models.FloatField(
        default=3.0,
        validators=[MinValueValidator(SHORTEST), MaxValueValidator(LONGEST)],
        help_text=f"Seconds after which it is not waited for any longer, at most {LONGEST:g}.",
    )
    active = models.BooleanField(default=True)

    objects: ClassVar[Any] = RisingQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what could never be asked, and say why."""
        found = dict(faults(Declared.of_row(self)))
        if not isinstance(self.fields, dict):
            found["fields"] = "Write a map in braces, or {} for none."
        if found:
            raise ValidationError(found)


class LiveHealth(models.Model):
    """How a service has answered lately, known to every process: failures in a row, and until when it is left alone."""

    source = models.UUIDField(primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True)
    said = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(null=True)


@dataclass(frozen=True, slots=True)
class Declared:
    """A service and who may ask it. ``version`` changes with whatever is declared of it, its audience included."""

    key: uuid.UUID
    service: Service
    trusted: bool
    audience: frozenset[str] = field(default=frozenset(), repr=False)
    version: str = ""

    @property
    def name(self) -> str:
        return self.service.name

    @classmethod
    def of_row(cls, row: LiveSource) -> Self:
        """A curator's; its audience is in the database, where it is asked about."""
        service = Service(
            name=row.name,
            shape=row.shape,
            address=row.address,
            fields=row.fields if isinstance(row.fields, dict) else {},
            secret=row.secret,
            header=row.header or HEADER,
            deadline=row.deadline or LONGEST,
            hosts=frozenset(host.lower() for host in settings.LIVE_HOSTS),
        )
        return cls(row.public_id, service, row.trusted, version=_version(service, [str(row.audience_id)]))

    @classmethod
    def of_setting(cls, entry: Mapping[str, Any]) -> Self:
        """The operator's own, whose host is allowed thereby. Raises for what is no declaration."""
        address = entry["address"]
        service = Service(
            name=entry["name"],
            shape=entry.get("shape", "json"),
            address=address,
            fields=entry.get("fields", {}),
            secret=entry.get("secret", ""),
            header=entry.get("header", HEADER),
            deadline=float(entry.get("deadline", 3.0)),
            hosts=frozenset(host.lower() for host in [*settings.LIVE_HOSTS, host_of(address)]),
        )
        audience = frozenset(entry["audience"])
        if isinstance(entry["audience"], str) or not isinstance(service.name, str):
            raise TypeError("audience is a list of tokens, and name is a text")
        key = uuid.uuid5(_NAMESPACE, service.name)
        return cls(key, service, entry.get("trusted") is True, audience, _version(service, sorted(audience)))


def _version(service: Service, audience: Iterable[str]) -> str:
    parts = [service.shape, service.address, dict(service.fields), service.secret, service.header, list(audience)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def host_of(address: str) -> str:
    """The host, with its port where it says one, as ``LIVE_HOSTS`` names it; empty where there is none."""
    try:
        parts = urlsplit(address)
        return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return ""


def faults(declared: Declared) -> list[tuple[str, str]]:
    """What is wrong with a declaration: names of fields, each with the cure."""
    service, found = declared.service, []
    try:
        check_url(re.sub(r"\{[^{}]*\}", "x", service.address))
    except FetchRefused as error:
        found.append(("address", str(error)))
    else:
        host = host_of(service.address)
        if not {host, host.partition(":")[0]} & service.hosts:
            found.append(("address", f"The operator has not allowed {host} to be asked: it belongs into LIVE_HOSTS."))
    shape = SHAPES.get(service.shape)
    if shape is None:
        found.append(("shape", f"Choose one of: {', '.join(SHAPES)}."))
    if service.secret and not re.fullmatch(rf"{SECRET_PREFIX}[A-Z0-9_]+", service.secret):
        found.append(
            ("secret", f"Name a variable that begins with {SECRET_PREFIX}, in capitals, digits and underscores.")
        )
    if "{secret}" in service.address and not service.secret:
        found.append(("secret", "The address wants a secret: name the variable that holds it."))
    if not re.fullmatch(r"[A-Za-z0-9-]+:[^\r\n]*\{secret\}[^\r\n]*", service.header):
        found.append(("header", f"Write it like {HEADER}"))
    if not SHORTEST <= service.deadline <= LONGEST:
        found.append(("deadline", f"Between {SHORTEST:g} and {LONGEST:g} seconds."))
    wrong = [name for name, place in service.fields.items() if not _is_place(name, place)]
    if wrong:
        known = ", ".join(Mapped.USUAL)
        found.append(("fields", f"“{wrong[0]}” is not understood: {known} each say one place, notes a list of places."))
    return found


def _is_place(name: str, place: Any) -> bool:
    if name == "notes":
        return isinstance(place, list) and all(isinstance(one, str) for one in place)
    return name in Mapped.USUAL and isinstance(place, str)


# Who may ask which ------------------------------------------------------------------------------------------------

MOST = 6
"""Services that one person is offered: a browser opens no more connections to one host."""


def _rows() -> Any:
    from knowledge.models import may_read

    return LiveSource.objects.filter(may_read(None, "audience"), active=True).order_by("name")


MINE = Question(_rows)
"""The active rows that the holder of these ``tokens`` may ask."""


def visible_to(viewer: Viewer, edition: str | None = None) -> tuple[Declared, ...]:
    """The services that the viewer may ask now, by name: one question to the database.

    A page of results needs only their names and costs no question: it gives the
    ``edition`` that its search was told (see `edition`), and what is remembered
    of that edition answers. Before anything is sent, the database is asked.
    """
    if viewer.person_id is None:
        return ()
    if edition is None:
        mine = [Declared.of_row(row) for row in MINE.objects(tokens=viewer.tokens)]
    else:
        mine = [one for one in _remembered(edition) if one.audience & viewer.tokens]
    mine += [one for one in of_settings() if one.audience & viewer.tokens]
    return tuple(sorted(mine, key=lambda one: one.name.casefold())[:MOST])


_memory: tuple[str, tuple[Declared, ...]] = "", ()
"""Every active row with its audience, as one edition has them."""


def _remembered(edition: str) -> tuple[Declared, ...]:
    global _memory  # noqa: PLW0603 - one per process; replaced as a whole, so threads need no lock
    known, rows = _memory
    if not edition:
        return ()  # nothing was ever declared
    if known != edition:
        active = LiveSource.objects.filter(active=True).select_related("audience")
        rows = tuple(replace(Declared.of_row(row), audience=frozenset(row.audience.tokens)) for row in active)
        _memory = edition, rows
    return rows


def of_settings() -> list[Declared]:
    """The operator's; what is wrong among them is left out here and said by the check."""
    found = []
    for entry in settings.LIVE_SOURCES:
        try:
            declared = Declared.of_setting(entry)
            if not faults(declared):
                found.append(declared)
        except (TypeError, KeyError, ValueError, AttributeError):
            continue
    return found


def _declared_anew(instance: LiveSource, **_sent: Any) -> None:
    """What was declared anew is asked at once, however it failed before."""
    LiveHealth.objects.filter(source=instance.public_id).delete()
    Edition.objects.rise()


post_save.connect(_declared_anew, LiveSource)
post_delete.connect(_declared_anew, LiveSource)
