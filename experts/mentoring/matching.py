"""Bringing mentors and mentees together, once a day, by what `pairing` decides of wishes and offers.

Mentees rank mentors by evidence that they may read, then by free places, then
by who offered first. Mentors take those of another team first (an eye from
outside, and fewer who share a manager), then whoever waits longest. A manager
and their report are never paired, nor two who were brought together before in
the same topic; nobody is given somebody whom they may not see.

The rows are the work: a wish without a proposal, an offer with a free place.
Looking twice brings nobody together twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from experts.mentoring.mentorships import LAPSES, Mentorship, Offer, Wish, people_left
from experts.mentoring.pairing import pairs
from experts.models import Membership, Person
from experts.notices import tell
from experts.teams.line_ups import DEPTHS, known
from knowledge.access import Viewer


def match(now: datetime | None = None) -> int:
    """Let old proposals lapse and end what leavers began; then bring together who can be, topic by topic.

    How many were brought together. Again changes nothing.
    """
    now = now or timezone.now()
    people_left()
    Mentorship.objects.filter(
        Q(mentor_yes_at=None) | Q(mentee_yes_at=None), ended_at=None, proposed_at__lte=now - LAPSES
    ).update(ended_at=now)
    keys = Wish.objects.filter(key__in=Offer.objects.values("key")).order_by("key").values_list("key", flat=True)
    return sum(_match_topic(key, now) for key in dict.fromkeys(keys))


def _match_topic(key: str, now: datetime) -> int:
    here = Person.objects.findable().values("pk")
    offers = {row.person_id: row for row in Offer.objects.filter(key=key, person__in=here).select_related("person")}
    wishes = {row.person_id: row for row in Wish.objects.filter(key=key, person__in=here).select_related("person")}
    before = list(Mentorship.objects.filter(key=key))
    places = _places(offers, before)
    wishes = {mentee: row for mentee, row in wishes.items() if not _waits(mentee, before)}
    apart = {(row.mentee_id, row.mentor_id) for row in before} | _managed([*offers, *wishes])
    orders = {
        mentee: [mentor for mentor in _ranked(row, offers, places) if (mentee, mentor) not in apart]
        for mentee, row in wishes.items()
    }
    given = pairs(orders, _takes(offers, wishes), places)
    return sum(_propose(wishes[mentee], offers[mentor], now) for mentee, mentor in given.items())


def _places(offers: Mapping[int, Offer], before: Iterable[Mentorship]) -> dict[int, int]:
    """How many more each mentor can take: a proposal holds a place until it lapses or the mentor says no."""
    held = Counter(row.mentor_id for row in before if row.ended_at is None and row.mentor_no_at is None)
    return {mentor: max(0, row.places - held[mentor]) for mentor, row in offers.items()}


def _waits(mentee: int, before: Iterable[Mentorship]) -> bool:
    """Whether somebody was found already: a proposal holds a wish until it lapses or the mentee says no."""
    return any(row.mentee_id == mentee and row.ended_at is None and row.mentee_no_at is None for row in before)


def _managed(people: Collection[int]) -> set[tuple[int, int]]:
    """Who manages whom of these, both ways round; and everybody with themselves."""
    managed = Person.objects.filter(pk__in=people, manager__in=people).values_list("manager", "pk")
    both = {(one, boss) for boss, one in managed} | {(boss, one) for boss, one in managed}
    return {(one, other) for one, other in both if one and other} | {(one, one) for one in people}


def _ranked(wish: Wish, offers: Mapping[int, Offer], places: Mapping[int, int]) -> list[int]:
    """Mentors whom a mentee may see, as the mentee would rank them."""
    viewer = Viewer.of(wish.person)
    seen = list(Person.objects.visible_to(viewer).filter(pk__in=offers))
    shown = known([wish.name], viewer, seen)
    depth = {who: max(DEPTHS[level.depth] for level in of.values()) for who, of in shown.items()}
    able = [one.pk for one in seen if places[one.pk]]
    return sorted(able, key=lambda one: (-depth.get(one, 0), -places[one], offers[one].at, offers[one].pk))


def _takes(offers: Mapping[int, Offer], wishes: Mapping[int, Wish]) -> dict[int, list[int]]:
    """Mentees whom each mentor may see, as the mentor would take them."""
    teams: dict[int, set[int]] = defaultdict(set)
    memberships = Membership.objects.current().filter(person__in=[*offers, *wishes])
    for who, team in memberships.values_list("person", "team"):
        teams[who].add(team)
    waiting = sorted(wishes, key=lambda mentee: (wishes[mentee].at, wishes[mentee].pk))
    takes = {}
    for mentor, offer in offers.items():
        people = Person.objects.visible_to(Viewer.of(offer.person)).filter(pk__in=waiting)
        seen = set(people.values_list("pk", flat=True))
        own = teams[mentor]
        takes[mentor] = sorted((one for one in waiting if one in seen), key=lambda one: bool(teams[one] & own))
    return takes


def _propose(wish: Wish, offer: Offer, now: datetime) -> bool:
    """Write the proposal, unless a wish or an offer went, or another look was quicker; both are told."""
    with transaction.atomic():
        stand = Wish.objects.select_for_update().filter(pk=wish.pk).exists()
        stand = stand and Offer.objects.select_for_update().filter(pk=offer.pk).exists()
        before = list(Mentorship.objects.filter(key=wish.key))
        if (
            not stand
            or _waits(wish.person_id, before)
            or not _places({offer.person_id: offer}, before)[offer.person_id]
        ):
            return False
        row = Mentorship.objects.create(
            mentor_id=offer.person_id, mentee_id=wish.person_id, key=wish.key, name=wish.name, proposed_at=now
        )
        tell([offer.person_id, wish.person_id], "mentor-proposed", row.public_id)
    return True
