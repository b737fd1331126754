"""Proposals of a team: who would cover which topic, and who of them has agreed to be named.

Whoever is asked agrees or declines on their own page. Nobody sees a decline:
whoever asked reads “not answered yet”, and from two weeks on “not this time”
of everybody who has not agreed, whether they declined or never looked. Others
read the names of those alone who agreed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from experts.asking.load import WEEK
from experts.notices import Said, tell, teller
from knowledge.models import Audience, may_read

if TYPE_CHECKING:
    from experts.models import Person, Team
    from experts.teams.formation import Need
    from knowledge.access import Viewer

WAITS = timedelta(days=14)
"""How long “not answered yet” is said of whoever has not agreed."""
LONGEST = 300
JUST_NOW = timedelta(minutes=10)


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Proposals by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, those they are asked to be part of, and those that were shared with them.

        Of nobody who has left: there is nobody any more to whom one could agree.
        """
        if viewer.person_id is None:
            return self.none()
        asked = Place.objects.filter(proposal=OuterRef("pk"), person=viewer.person_id).exclude(asked_at=None)
        shared = Q(may_read(viewer, "audience"), audience__isnull=False)
        found = Q(owner=viewer.person_id) | Exists(asked) | shared
        return self.filter(found, owner__is_active=True, deleted_at=None)


class Proposal(models.Model):
    """Topics that a job needs, and people who would cover them. ``needs``: ``[{"key", "name", "must"}]``.

    One that was deleted stays, empty, for as long as its asks count: see `remove`.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="proposals")
    text = models.CharField(max_length=300)
    needs = models.JSONField(default=list)
    hours = models.PositiveSmallIntegerField(default=0, help_text="Hours a week that are asked of each.")
    audience = models.ForeignKey(Audience, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("experts:proposal", args=[self.public_id])


class Place(models.Model):
    """One person in one proposal: named to others once they agreed. How they declined is nobody's to see."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="places")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="places")
    topics = models.JSONField(default=list)
    asked_at = models.DateTimeField(null=True)
    agreed_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "person"], name="one_place_of_a_person")]


# Reading -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seat:
    """One place as somebody may see it: the person, what they would cover, and how it stands in words."""

    person: Person
    topics: Sequence[str]
    said: str
    agreed: bool
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal as one viewer may see it; ``mine``: they made it; ``place``: theirs in it, once they were asked."""

    proposal: Proposal
    seats: Sequence[Seat]
    mine: bool
    place: Place | None
    open: Sequence[str]
    """Topics that nobody who is shown here has agreed to cover."""


def shown(public_id: uuid.UUID, viewer: Viewer) -> Shown:
    """The proposal, with the places that this viewer may see; `Http404` for whoever may not know of it."""
    from experts.models import Person

    proposal = Proposal.objects.visible_to(viewer).select_related("owner").filter(public_id=public_id).first()
    if proposal is None:
        raise Http404
    mine = proposal.owner_id == viewer.person_id
    places = list(proposal.places.filter(person__in=Person.objects.findable()).select_related("person").order_by("pk"))
    place = next((one for one in places if one.person_id == viewer.person_id and one.asked_at), None)
    seats = [
        Seat(one.person, one.topics, how(one), bool(one.agreed_at), one.person_id == viewer.person_id)
        for one in places
        if one.agreed_at or mine or one is place
    ]
    held = {topic for seat in seats if seat.agreed for topic in seat.topics}
    left = [need["name"] for need in proposal.needs if need["name"] not in held]
    return Shown(proposal, seats, mine, place, left)


def how(place: Place) -> str:
    """How a place stands, as whoever asked may read it: a decline reads as an answer that has not come."""
    if place.agreed_at:
        return "agreed"
    if place.asked_at is None:
        return "not asked"
    return "not answered yet" if timezone.now() - place.asked_at < WAITS else "not this time"


def mine(viewer: Viewer) -> Sequence[Proposal]:
    """Proposals that the viewer made or is asked to be part of, newest first."""
    if viewer.person_id is None:
        return []
    asked = Exists(Place.objects.filter(proposal=OuterRef("pk"), person=viewer.person_id).exclude(asked_at=None))
    found = Proposal.objects.visible_to(viewer).filter(Q(owner=viewer.person_id) | asked)
    return list(found.select_related("owner")[:20])


# Verbs ---------------------------------------------------------------------------------------------------------------


def propose(
    *,
    owner: Person,
    text: str,
    needs: Sequence[Need],
    hours: int,
    places: Mapping[Person, Sequence[str]],
    ask: bool,
) -> Proposal:
    """Keep a line-up, ``places`` being who would cover which topics; with ``ask`` each of them is asked.

    Whoever proposes a team that they are in themselves has agreed. The same again within minutes, from a second
    tab or a second click, is the same proposal. Raises `ValidationError` with the cure.
    """
    from knowledge.index.analysis import topic_key

    words = " ".join(text.split())
    if len(words) > LONGEST:
        raise ValidationError(f"Say what the job is in at most {LONGEST} characters.")
    if not places:
        raise ValidationError("There is nobody in this team to ask: choose other topics.")
    wanted = [{"key": topic_key(need.topic), "name": need.topic, "must": need.critical} for need in needs]
    title = words or f"Work on {', '.join(need.topic for need in needs)}"[:LONGEST]
    with transaction.atomic():
        proposal = _same(owner, title, wanted, places)
        if proposal is None:
            proposal = Proposal.objects.create(owner=owner, text=title, needs=wanted, hours=hours)
            Place.objects.bulk_create(
                Place(proposal=proposal, person=person, topics=list(topics)) for person, topics in places.items()
            )
        if ask:
            ask_all(proposal=proposal, owner=owner)
    return proposal


def _same(owner: Person, text: str, needs: list[dict[str, Any]], places: Collection[Person]) -> Proposal | None:
    """The same proposal, if its owner has just made it."""
    since = timezone.now() - JUST_NOW
    lately = Proposal.objects.filter(owner=owner, text=text, created_at__gte=since, deleted_at=None)
    wanted = {person.pk for person in places}
    return next(
        (one for one in lately if one.needs == needs and set(one.places.values_list("person", flat=True)) == wanted),
        None,
    )


def ask_all(*, proposal: Proposal, owner: Person) -> int:
    """Ask everybody in a proposal who was not asked yet and can still be asked; how many were.

    The others stay as they are. A second call asks nobody twice.
    """
    from experts.models import Person
    from experts.teams.line_ups import reachable
    from knowledge.access import Viewer

    now = timezone.now()
    with transaction.atomic():
        _own(proposal, owner)
        waiting = proposal.places.filter(asked_at=None)
        waiting.filter(person=owner).update(asked_at=now, agreed_at=now)
        people = sorted(waiting.exclude(person=owner).values_list("person", flat=True))
        list(Person.objects.filter(pk__in=people).order_by("pk").select_for_update(no_key=True))  # as `turns.give`
        asked = list(waiting.filter(person__in=reachable(Viewer.of(owner), people, proposal.hours)))
        proposal.places.filter(pk__in=[place.pk for place in asked]).update(asked_at=now)
        for place in asked:
            tell([place.person_id], "team-asked", place.public_id)
    return len(asked)


def answer(*, proposal: Proposal, person: Person, agree: bool) -> None:
    """Agree to be in a team, or decline; it can be changed later. `Http404` for whoever was not asked."""
    now = timezone.now()
    with transaction.atomic():
        places = proposal.places.filter(person=person, proposal__deleted_at=None).exclude(asked_at=None)
        place = places.select_for_update().first()
        if place is None:
            raise Http404
        new = agree and place.agreed_at is None
        place.agreed_at = (place.agreed_at or now) if agree else None
        place.declined_at = None if agree else now
        place.save(update_fields=["agreed_at", "declined_at"])
        if new and proposal.owner_id != person.pk:
            tell([proposal.owner_id], "team-agreed", place.public_id)


def share(*, proposal: Proposal, owner: Person, team: Team | None) -> None:
    """Let a team of the owner's own read a proposal, with the names of those who agreed; `None`: nobody any more."""
    with transaction.atomic():
        row = _own(proposal, owner)
        if team is not None and not owner.memberships.current().filter(team=team).exists():
            raise ValidationError("Choose one of your own teams.")
        row.audience = Audience.objects.of([f"team:{team.pk}"]) if team else None
        row.save(update_fields=["audience"])


def remove(*, proposal: Proposal, owner: Person) -> None:
    """Delete a proposal with all that it says. Who was asked, and when, stays until the week of it is over (`forget`),
    for nobody to read: else somebody's week could be measured by asking and deleting, and they would never know."""
    with transaction.atomic():
        row = _own(proposal, owner)
        row.places.filter(asked_at=None).delete()
        row.places.update(topics=[], agreed_at=None, declined_at=None)
        row.text, row.needs, row.hours, row.audience, row.deleted_at = "", [], 0, None, timezone.now()
        row.save()


def forget() -> int:
    """Delete what is left of proposals that were deleted a week ago; how many rows."""
    return int(Proposal.objects.filter(deleted_at__lte=timezone.now() - WEEK).delete()[0])


def _own(proposal: Proposal, owner: Person) -> Proposal:
    own = Proposal.objects.select_for_update().filter(pk=proposal.pk, owner=owner, deleted_at=None)
    found: Proposal | None = own.first()
    if found is None:
        raise Http404
    return found


# Notices -------------------------------------------------------------------------------------------------------------


@teller("team-asked")
def _asked(viewer: Viewer, subjects: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Said]:
    """Somebody asks you to be in a team."""
    mine_to_see = Proposal.objects.visible_to(viewer)
    places = Place.objects.filter(public_id__in=subjects, person=viewer.person_id, proposal__in=mine_to_see)
    places = places.filter(agreed_at=None, declined_at=None).exclude(asked_at=None)
    return {
        one.public_id: Said(
            f"{one.proposal.owner.display_name} asks you to be in a team: “{one.proposal.text}”",
            one.proposal.get_absolute_url(),
        )
        for one in places.select_related("proposal__owner")
    }


@teller("team-agreed")
def _agreed(viewer: Viewer, subjects: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Said]:
    """Somebody agreed to be in your team."""
    from experts.models import Person

    places = Place.objects.filter(public_id__in=subjects, proposal__owner=viewer.person_id).exclude(agreed_at=None)
    places = places.filter(person__in=Person.objects.findable())
    return {
        one.public_id: Said(
            f"{one.person.display_name} agreed to be in your team: “{one.proposal.text}”",
            one.proposal.get_absolute_url(),
        )
        for one in places.select_related("proposal", "person")
    }
