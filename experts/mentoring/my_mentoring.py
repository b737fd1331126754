"""Mentoring as one of the two sees it: on their page, and in notices that are told with the rights of the moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from experts.mentoring.mentorships import LAPSES, Mentorship, Offer, Wish
from experts.models import Person
from experts.notices import Said, teller

if TYPE_CHECKING:
    from knowledge.access import Viewer


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
    """Everything of one person's mentoring."""

    offers: Sequence[Offer]
    wishes: Sequence[Wish]
    proposed: Sequence[Line]
    running: Sequence[Line]
    ended: Sequence[Line]


def mine(viewer: Viewer) -> Mine:
    """The viewer's own offers, wishes and mentorships (six queries); nobody is proposed who hid or left meanwhile."""
    if viewer.person_id is None:
        return Mine((), (), (), (), ())
    now, me = timezone.now(), viewer.person_id
    rows = list(Mentorship.objects.visible_to(viewer).select_related("mentor", "mentee"))
    others = [row.other(me).pk for row in rows]
    here = set(Person.objects.findable().filter(pk__in=others).values_list("pk", flat=True))
    notes = {
        (row.person_id, row.key, model is Offer): row.note for model in (Offer, Wish) for row in _of_both(model, me)
    }
    lines = [_line(row, me, notes, here) for row in rows]
    waiting = [
        line
        for line in lines
        if line.linked
        and not line.row.begun
        and line.row.ended_at is None
        and line.row.proposed_at > now - LAPSES
        and getattr(line.row, f"{line.row.role(me)}_no_at") is None
    ]
    return Mine(
        list(Offer.objects.filter(person=me).order_by("name")),
        list(Wish.objects.filter(person=me).order_by("name")),
        waiting,
        [line for line in lines if line.row.running],
        [line for line in lines if line.row.begun and line.row.ended_at],
    )


def _of_both(model: Any, me: int) -> Any:
    """Offers or wishes of those whom this person was brought together with."""
    met = Mentorship.objects.filter(Q(mentor=me) | Q(mentee=me), ended_at=None)
    return model.objects.filter(Q(person__in=met.values("mentor")) | Q(person__in=met.values("mentee")), note__gt="")


def _line(row: Mentorship, me: int, notes: Mapping[tuple[int, str, bool], str], here: Collection[int]) -> Line:
    mentor = row.mentor_id == me
    said = (row.mentor_said, row.mentee_said)
    yes = row.mentor_yes_at if mentor else row.mentee_yes_at
    note = notes.get((row.other(me).pk, row.key, not mentor), "")
    return Line(row, row.other(me), mentor, bool(yes), said[not mentor], said[mentor], note, row.other(me).pk in here)


# Notices -------------------------------------------------------------------------------------------------------------


def _told(viewer: Viewer, subjects: Collection[UUID], says: Callable[[Line], str]) -> Mapping[UUID, Said]:
    """What to say of each mentorship of the viewer's own that it is still true of."""
    mine_now = mine(viewer)
    lines = {line.row.public_id: line for line in (*mine_now.proposed, *mine_now.running, *mine_now.ended)}
    url = reverse("experts:mentoring")
    said = {key: says(lines[key]) for key in subjects if key in lines}
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
