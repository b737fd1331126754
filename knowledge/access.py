"""Who may see what: viewers, audience tokens, and the one door to a single object.

A token is a plain string: ``everyone`` (whoever is signed in), ``person:12``,
``team:7``, ``source:3:group:finance``. A viewer holds tokens; a source and a
document each name the tokens that may read them; one may read a document when
one holds a token of its source's audience **and** one of its own. So a
document can narrow its source's audience and never widen it, and no role,
superuser included, is a token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import BigIntegerField, Value
from django.http import Http404

from knowledge.documents import EVERYONE, Scope

if TYPE_CHECKING:
    from knowledge.models import Resource, Source


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, for the length of one request: an account's id and its tokens, read from the database now."""

    person_id: int | None
    tokens: frozenset[str]

    @classmethod
    def of(cls, user: Any) -> Viewer:
        """The viewer that ``user`` is at this moment; anonymous and inactive accounts hold no token."""
        from knowledge.models import SourceGroup

        if user is None or not user.is_authenticated or not user.is_active:
            return cls(None, frozenset())
        own, more = user.audience_tokens()
        groups = SourceGroup.objects.values_list("name", "source_id")
        held = more.annotate(source=Value(None, BigIntegerField())).values_list("token", "source")
        rows = held.union(groups.filter(token__in=own), groups.filter(token__in=more), all=True)
        return cls(user.pk, own | {name if source is None else group_token(source, name) for name, source in rows})

    def scope(self, sources: Iterable[int] | None = None) -> Scope:
        """What the index may search for this viewer in this request; ``sources`` if they were just read.

        It is read before the index is opened: so a row that is written in
        between is left out once too often, never once too seldom.
        """
        from knowledge.models import MOVED, SOURCES, Resource

        if sources is None:
            sources = [source.pk for source in SOURCES.objects(tokens=self.tokens)]
        visible = frozenset(sources)
        rows = MOVED.rows()
        behind = {UUID(str(key)).hex for key, source, _ in rows if key and source in visible}
        changed = [source for key, source, _ in rows if not key]
        moved = any(key and gone_at is None for key, _, gone_at in rows)
        telling = Resource.objects.telling_too_much(self, changed, moved=moved).values_list("public_id", flat=True)
        return Scope(visible, self.tokens, frozenset(behind | {key.hex for key in telling}))


class Ground:
    """What one viewer may search in one request: asked of the database once, by whoever needs it first.

    For several searches of one request, each of which confirms what it shows; never kept beyond it.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    @cached_property
    def sources(self) -> Mapping[int, Source]:
        """The sources that the viewer may see now, by their id."""
        from knowledge.models import SOURCES

        return {source.pk: source for source in SOURCES.objects(tokens=self.viewer.tokens)}

    @cached_property
    def scope(self) -> Scope:
        """As `Viewer.scope`."""
        return self.viewer.scope(self.sources)


def group_token(source_id: int, name: str) -> str:
    """The token of a source's own group; two sources' groups of one name never merge."""
    return f"source:{source_id}:group:{name}"


def scoped(source_id: int, names: Iterable[str] | None) -> frozenset[str]:
    """The tokens that a document's audience names within its source (`None`: no narrowing)."""
    if names is None:
        return frozenset({EVERYONE})
    return frozenset(EVERYONE if name == EVERYONE else group_token(source_id, name) for name in names)


def digest(tokens: Iterable[str]) -> str:
    """One value for a set of tokens, whatever their order and whatever characters they hold."""
    return hashlib.sha256("\x00".join(sorted(set(tokens))).encode()).hexdigest()


def id_in(text: str | None) -> UUID | None:
    """The public id that stands in what somebody sent, if one does."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def number_in(text: str | None) -> int | None:
    """The number that stands in what somebody sent, if one does that any database takes for the id of a row."""
    said = text or ""
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 18 else None


def resource_or_404(public_id: UUID, viewer: Viewer) -> Resource:
    """The resource, if the viewer may read it; else the same `Http404` as for one that never was."""
    from knowledge.models import REPEATING, Resource

    rows = Resource.objects.visible_to(viewer).select_related("source").with_verification()
    found: Resource | None = rows.filter(public_id=public_id).first()
    repeats = found is not None and (found.about_id or found.source.kind in REPEATING)
    if found is None or (repeats and rows.filter(pk=found.pk).telling_too_much(viewer).exists()):
        raise Http404
    return found
