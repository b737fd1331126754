"""Bringing mentors and mentees together, topic by topic, by what `pairing` decides of wishes and offers.

Mentees rank mentors by evidence that they may read, then by free places, then
by who offered first. Mentors take those of another team first (an eye from
outside, and fewer who share a manager), then whoever waits longest. A manager
and their report are never paired; nobody is given somebody whom they may not
see. Two who were brought together before in the same topic are not again,
unless it was only that they did not answer: that can change (`AGAIN`).

The rows are the work: a wish that was not looked at for a day brings its topic
up, the one that waits longest first. Looking twice brings nobody together twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from experts.mentoring.mentorships import LAPSES, Mentorship, Offer, Wish, people_left
from experts.mentoring.pairing import pairs
from experts.models import Membership, Person
from experts.notices import tell
from experts.teams.line_ups import known
from knowledge.access import Viewer

logger = logging.getLogger(__name__)

EVERY = timedelta(days=1)
"""How often a mentor is looked for; for a new wish at the next run."""
AGAIN = timedelta(days=90)
"""After that two can be proposed to each other again who did not answer. Whoever said no is asked no second time."""
AT_ONCE = 200
"""Wishes of one topic in one look, those that were not looked at for longest; the others have the next."""
SECONDS = 600
"""How long one run looks; the next goes on where it stopped."""


def match(now: datetime | None = None, *, seconds: float = SECONDS) -> int:
    """Let old proposals lapse and end what leavers began; then bring together who can be, one topic at least.

    How many were brought together. Again changes nothing; a topic that fails holds up no other.
    """
    now, until, together = now or timezone.now(), time.monotonic() + seconds, 0
    people_left()
    Mentorship.objects.filter(
        Q(mentor_yes_at=None) | Q(mentee_yes_at=None), ended_at=None, proposed_at__lte=now - LAPSES
    ).update(ended_at=now)
    for key in _due(now):
        try:
            together += _look(key, now)
        except Exception as error:
            logger.warning("mentors of a topic could not be looked for: %s", type(error).__name__)
        if time.monotonic() > until:
            break
    return together


def _due(now: datetime) -> list[str]:
    """Topics with a wish that is to be looked at, the one that waits longest first."""
    due = Q(looked_at=None) | Q(looked_at__lte=now - EVERY)
    wishes = Wish.objects.filter(due, key__in=Offer.objects.values("key")).order_by().values("key")
    return list(
        wishes.annotate(since=Min(Coalesce("looked_at", "at"))).order_by("since", "key").values_list("key", flat=True)
    )


def _look(key: str, now: datetime) -> int:
    """Look for mentors of a topic's wishes; that this was done is written down first."""
    turn = Wish.objects.filter(key=key).order_by(F("looked_at").asc(nulls_first=True), "at", "pk")
    wishes = list(turn.select_related("person")[:AT_ONCE])
    Wish.objects.filter(pk__in=[row.pk for row in wishes]).update(looked_at=now)
    return _match_topic(key, wishes, now)


def _match_topic(key: str, turn: Sequence[Wish], now: datetime) -> int:
    here = Person.objects.findable()
    offers = {
        row.person_id: row
        for row in Offer.objects.filter(key=key, person__in=here.values("pk")).select_related("person")
    }
    mentees = [row.person_id for row in turn]
    held = Q(ended_at=None, mentor__in=Offer.objects.filter(key=key).values("person"))
    before = list(Mentorship.objects.filter(held | Q(mentee__in=mentees), key=key))
    places = _places(offers, before)
    offers = {mentor: row for mentor, row in offers.items() if places[mentor]}
    if not offers:
        return 0
    found = set(here.filter(pk__in=mentees).values_list("pk", flat=True))
    wishes = {row.person_id: row for row in turn if row.person_id in found and not _waits(row.person_id, before)}
    apart = {(row.mentee_id, row.mentor_id) for row in before if not _may_again(row, now)}
    apart |= _managed([*offers, *wishes])
    orders = {
        mentee: [mentor for mentor in _ranked(row, offers, places) if (mentee, mentor) not in apart]
        for mentee, row in wishes.items()
    }
    given = pairs(orders, _takes(offers, wishes), places)
    return sum(_propose(wishes[mentee], offers[mentor], now) for mentee, mentor in given.items())


def _may_again(row: Mentorship, now: datetime) -> bool:
    """Whether two may be proposed to each other once more: it only lapsed, and a decent time ago."""
    lapsed = row.ended_at is not None and not row.begun and not (row.mentor_no_at or row.mentee_no_at)
    return lapsed and row.proposed_at <= now - AGAIN


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
    depth = {who: max(level.step for level in of.values()) for who, of in shown.items()}
    able = [one.pk for one in seen]
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
        either = Q(mentor=offer.person_id) | Q(mentee=wish.person_id)
        before = list(Mentorship.objects.filter(either, key=wish.key, ended_at=None))
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
