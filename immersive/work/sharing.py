"""Sharing a task: with a person or with a team of one's own, by its owner's act, and taken back at will.

Whoever it is shared with sees what there is to do: the sentence, what belongs
to it, when it is due, and the plan. Never what its owner said of themselves,
the routes that were weighed for it, nor how it went. A share holds as long as
its owner works here and, with a team, as long as both are in that team; who
may see it is asked anew each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.models import Membership, Person, Team
from experts.notices import Said, teller
from immersive.work import plan
from immersive.work.actions import own
from immersive.work.models import Share, Task
from immersive.work.plan import Seen
from knowledge.access import Viewer
from knowledge.models import Resource
from knowledge.topics import spelled

KIND = "task_shared"
MOST = 50
"""People and teams that one task is shared with, at most."""
SOMEBODY = "A colleague"
"""What one is called who hides."""
NOBODY = "Nobody of that name can be found. Write the name as it stands in the list that opens while you type."
NOT_YOURS = "Choose a team that you are in."


@dataclass(frozen=True, slots=True)
class Shared:
    """What a task is to whoever it is shared with, and no more: each name in it is one that they may know."""

    public_id: UUID
    statement: str
    context: str
    page_url: str
    """Where it began, without what the address asks there: that is often whoever began it, or what they searched."""
    due: date | None
    owner: str
    mine: bool
    topics: tuple[str, ...]
    started_from: Resource | None
    steps: tuple[Seen, ...]


def shared_with(viewer: Viewer) -> Any:
    """The tasks that others share with the viewer, those begun last first."""
    return _open_to(viewer).exclude(owner_id=viewer.person_id).order_by("-created_at", "-pk")


def _open_to(viewer: Viewer) -> Any:
    """Tasks that the viewer may see as shared: those shared with them or with a team of theirs, by who is here."""
    if not viewer.person_id:
        return Task.objects.none()
    now = Membership.objects.current().filter(team=OuterRef("team"))
    together = Q(Exists(now.filter(person=viewer.person_id))) & Q(Exists(now.filter(person=OuterRef("task__owner"))))
    shares = Share.objects.filter(Q(person=viewer.person_id) | together, task=OuterRef("pk"))
    tasks: QuerySet[Task] = Task.objects.filter(Exists(shares), owner__is_active=True)
    return tasks.select_related("owner").annotate(owner_known=_known("owner", viewer))


def _known(person: str, viewer: Viewer) -> Q:
    """Whether the viewer may know this person of a row by name: a colleague, or one who left, who does not hide."""
    here, left = Person.objects.visible_to(viewer), Person.objects.former(viewer)
    return Q(Exists(here.filter(pk=OuterRef(person)))) | Q(Exists(left.filter(pk=OuterRef(person))))


def called(person: Person, known: bool) -> str:
    """The name of somebody, as far as whoever looks may know it."""
    return person.known_as if known else SOMEBODY


def _where(address: str) -> str:
    """An address without what it asks, the place in the page, and any name or password."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


@sensitive_variables()
def shared_or_404(public_id: UUID, viewer: Viewer) -> Shared:
    """A task as it is shared with the viewer; its owner sees the same. `Http404` for everybody else."""
    task = _open_to(viewer).filter(public_id=public_id).first()
    if task is None:
        mine = Task.objects.visible_to(viewer).select_related("owner").annotate(owner_known=_known("owner", viewer))
        task = mine.filter(public_id=public_id).first()
    if task is None:
        raise Http404
    topics = set(task.topics.values_list("name", flat=True))
    known = spelled(Q(name__in=topics), viewer).values()
    begun = Resource.objects.visible_to(viewer).filter(pk=task.started_from_id or 0).first()
    return Shared(
        task.public_id, task.statement, task.context, _where(task.page_url), task.due,
        called(task.owner, task.owner_known),
        mine=task.owner_id == viewer.person_id,
        topics=tuple(sorted(topics.intersection(known))),
        started_from=begun,
        steps=tuple(plan.of_shared(task, viewer)),
    )  # fmt: skip


def shares_of(task: Task, viewer: Viewer) -> list[Share]:
    """Whom the viewer's own task is shared with, those who have left among them named as such."""
    return list(shares(viewer).filter(task=task))


def shares(viewer: Viewer) -> QuerySet[Share]:
    """The viewer's own shares, in the order in which they were made, of which `called` says whom each is with."""
    rows: QuerySet[Share] = Share.objects.visible_to(viewer).select_related("person", "team")
    return rows.annotate(person_known=_known("person", viewer)).order_by("at", "pk")


def teams_of(viewer: Viewer) -> list[Team]:
    """Teams that the viewer may share with: those that they are in."""
    return [row.team for row in Membership.objects.current().filter(person=viewer.person_id or 0).with_path()]


def _colleagues(viewer: Viewer) -> Any:
    """Whom the viewer may share with: people who are found and do not hide."""
    return Person.objects.findable().visible_to(viewer).exclude(pk=viewer.person_id or 0)


def people_named(text: str, viewer: Viewer) -> list[Person]:
    """Colleagues who may be meant by what was typed: found by it, not hidden, and not the viewer; those named so."""
    found = _colleagues(viewer).named(text.strip())
    some = list(found[:20]) if text.strip() else []
    exact = [one for one in some if one.display_name.casefold() == text.strip().casefold()]
    return exact or some


@sensitive_variables()
def share(*, task: Task, owner: Any, person: Person | None = None, team: Team | None = None) -> Share:
    """Let a colleague or a team of the owner's see a task, and tell them; who sees it already is not told twice.

    Raises `Http404` for anybody else's task, `ValidationError` where there is nobody to share with.
    """
    _check(Viewer.of(owner), person, team)
    with transaction.atomic():
        task = own(task, owner)
        shares = Share.objects.filter(task=task)
        found: Share | None = shares.filter(person=person, team=team).first()
        if found is not None:
            return found
        if shares.count() >= MOST:
            raise ValidationError(f"A task is shared with at most {MOST} people and teams.", code="many")
        made: Share = Share.objects.create(task=task, person=person, team=team)
        notices.tell(_told(made, owner), KIND, task.public_id)
    return made


def _check(viewer: Viewer, person: Person | None, team: Team | None) -> None:
    """Raise `ValidationError` unless it is one of those whom the viewer may share with."""
    if (person is None) == (team is None):
        raise ValidationError("Choose a person or a team.", code="whom")
    if team is not None and team not in teams_of(viewer):
        raise ValidationError(NOT_YOURS, code="team")
    if person is not None and not _colleagues(viewer).filter(pk=person.pk).exists():
        raise ValidationError(NOBODY, code="person")


def _told(share: Share, owner: Any) -> list[int]:
    if share.person_id:
        return [share.person_id]
    members = Membership.objects.current().filter(team=share.team, person__is_active=True)
    return list(members.exclude(person=owner).values_list("person", flat=True))


def take_back(*, task: Task, owner: Any, share: str) -> None:
    """Share it with them no more; from the next request on they see nothing of it. Twice does no harm."""
    with transaction.atomic():
        task = own(task, owner)
        others = [one for one in Share.objects.filter(task=task).select_related("team") if one.token != share]
        Share.objects.filter(task=task).exclude(pk__in=[one.pk for one in others]).delete()
        left = {person for one in others for person in _told(one, owner)}
        untold = notices.Notice.objects.filter(kind=KIND, subject=task.public_id, seen_at=None)
        untold.exclude(person__in=left).delete()  # news that nobody can be told any more would stand before other news


@teller(KIND)
@sensitive_variables()
def told(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """Somebody shares a task with you: told while they do, and in a mail without a word of it."""
    tasks = shared_with(viewer).filter(public_id__in=subjects)
    return {
        one.public_id: Said(
            f"{called(one.owner, one.owner_known)} shares a task with you: “{one.statement}”",
            address(one.public_id),
            "task",
            mail=f"{called(one.owner, one.owner_known)} shares a task with you",
        )
        for one in tasks
    }


def address(public_id: UUID) -> str:
    """Where a shared task is."""
    return reverse("work:shared", args=[public_id])
