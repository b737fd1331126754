"""Mentoring as one of the two sees it: on their page, and in notices that are told with the rights of the moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.urls import reverse

from experts.mentoring.mentorships import Mentorship, Offer, Wish
from experts.models import Person
from experts.notices import Said, teller

if TYPE_CHECKING:
    from knowledge.access import Viewer

ENDED_A_PAGE = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A mentorship as one of the two sees it: the other, their own role, and whether they have said yes."""

    row: Mentorship
    other: Person
    mentor: bool
    yes: bool
    said: str
    heard: str
    """What the viewer and what the other said at the end."""
    note: str = ""
    """What the other wrote with their offer or wish."""
    linked: bool = True
    """Whether the other has a page that colleagues see: who hides stays known to whom they work with."""

    @property
    def who(self) -> str:
        """The other's name."""
        return self.other.known_as

    @property
    def invites(self) -> bool:
        """Whether there is an invitation to download."""
        return self.row.invites()


@dataclass(frozen=True, slots=True)
class Mine:
    """Everything of one person's mentoring; of what has ended a page. A wish says whether it is ``offered``."""

    offers: Sequence[Offer]
    wishes: Sequence[Wish]
    proposed: Sequence[Line]
    running: Sequence[Line]
    ended: Page[Line]


def mine(viewer: Viewer, number: str | None = None) -> Mine:
    """The viewer's own offers, wishes and mentorships (seven queries); of what has ended, this page."""
    over = _rows(viewer).begun().filter(ended_at__isnull=False).order_by("-ended_at", "pk")
    page = Paginator(over, ENDED_A_PAGE).get_page(number)
    offered = Exists(Offer.objects.of_others(viewer).filter(key=OuterRef("key")))
    now = [*_rows(viewer).proposed_to(viewer), *_rows(viewer).begun().filter(ended_at=None)]
    lines = _lines([*now, *page.object_list], viewer)
    page.object_list = [line for line in lines if line.row.ended_at]
    return Mine(
        list(Offer.objects.filter(person=viewer.person_id or 0).order_by("name")),
        list(Wish.objects.filter(person=viewer.person_id or 0).annotate(offered=offered).order_by("name")),
        [line for line in lines if not line.row.begun],
        [line for line in lines if line.row.running],
        page,
    )


def _rows(viewer: Viewer) -> Any:
    return Mentorship.objects.visible_to(viewer).select_related("mentor", "mentee")


def _lines(rows: Sequence[Mentorship], viewer: Viewer) -> list[Line]:
    """These as the viewer sees them (three queries); nobody is proposed who hid or left meanwhile."""
    me = viewer.person_id or 0
    others = [row.other(me).pk for row in rows]
    here = set(Person.objects.findable().filter(pk__in=others).values_list("pk", flat=True))
    kinds: tuple[Any, ...] = (Offer, Wish)
    notes = {
        (said.person_id, said.key, model is Offer): said.note
        for model in kinds
        for said in model.objects.filter(person__in=others, key__in={row.key for row in rows}, note__gt="")
    }
    lines = [_line(row, me, notes, here) for row in rows]
    return [line for line in lines if line.row.begun or line.linked]


def _line(row: Mentorship, me: int, notes: Mapping[tuple[int, str, bool], str], here: Collection[int]) -> Line:
    mentor = row.mentor_id == me
    said = (row.mentor_said, row.mentee_said)
    yes = row.mentor_yes_at if mentor else row.mentee_yes_at
    note = notes.get((row.other(me).pk, row.key, not mentor), "") if row.ended_at is None else ""
    return Line(row, row.other(me), mentor, bool(yes), said[not mentor], said[mentor], note, row.other(me).pk in here)


# Notices -------------------------------------------------------------------------------------------------------------


def _told(viewer: Viewer, subjects: Collection[UUID], says: Callable[[Line], str]) -> Mapping[UUID, Said]:
    """What to say of each of these mentorships of the viewer's own that it is still true of."""
    rows = _rows(viewer).filter(public_id__in=list(subjects))
    lines = _lines([*rows.proposed_to(viewer), *rows.begun()], viewer)
    url = reverse("experts:mentoring")
    said = {line.row.public_id: says(line) for line in lines}
    return {key: Said(text, f"{url}#m-{key}") for key, text in said.items() if text}


@teller("mentor-proposed")
def _proposed(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """Somebody was found."""

    def says(line: Line) -> str:
        who, topic = line.who, line.row.name
        if line.row.begun or line.yes:
            return ""
        return (
            f"{who} would like to learn {topic} from you" if line.mentor else f"{who} could be your mentor in {topic}"
        )

    return _told(viewer, subjects, says)


@teller("mentor-begun")
def _begun(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """Both said yes."""
    return _told(
        viewer,
        subjects,
        lambda line: (
            f"{line.who} said yes too: agree on a time for {line.row.name}"
            if line.row.running and line.row.meets_at is None
            else ""
        ),
    )


@teller("mentor-meets")
def _meets(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """There is a time for a meeting."""
    return _told(
        viewer,
        subjects,
        lambda line: f"{line.who} set a time to meet about {line.row.name}" if line.row.running else "",
    )


@teller("mentor-ended")
def _ended(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """The other has left."""
    return _told(
        viewer,
        subjects,
        lambda line: f"Your mentorship with {line.who} in {line.row.name} has ended" if line.row.ended_at else "",
    )
