"""People of the demo company who learn from each other, and a team that one of them would like to bring together.

Written by the same verbs as the pages use, once: what somebody changes while
trying the portal stays as they left it.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from experts.asking.load import at_work
from experts.mentoring import mentorships as mentoring
from experts.mentoring.matching import match
from experts.mentoring.mentorships import Invitation, Mentorship, Offer, Wish
from experts.models import Person
from experts.teams import proposals
from experts.teams.formation import Need
from experts.teams.line_ups import Wanted, draft
from experts.teams.proposals import Place, Proposal
from immersive.demo.seed import demo_people, rows_of
from knowledge.access import Viewer

RUNS = "steam"
"""The topic in which two have begun; in the others somebody was found, or is still looked for."""
LEADER = "tove.lindqvarn"
JOB = "Bring four bakeries in Hexley onto Hearthline before Easter"
NEEDS = (Need("Hearthline"), Need("commissioning"), Need("customer communication", critical=False))
WEEKS_AGO = timedelta(weeks=5)


def bring_together() -> None:
    """Offers, wishes, a mentorship that runs, and a team of which some have agreed."""
    people = {person.username: person for person in demo_people()}
    here = list(people.values())
    if not Offer.objects.filter(person__in=here).exists() and not Mentorship.objects.filter(mentor__in=here).exists():
        _mentoring(people)
    if not Proposal.objects.filter(owner__in=here).exists():
        _team(people)


def _mentoring(people: dict[str, Person]) -> None:
    rows = rows_of("mentoring.csv")
    with transaction.atomic():
        for row in (row for row in rows if row["topic"] == RUNS):
            _say(people[row["username"]], row)
    now = timezone.now()
    match(now - timedelta(days=10))
    for one in Mentorship.objects.filter(mentor__in=people.values(), name=RUNS):
        for person in (one.mentor, one.mentee):
            mentoring.confirm(mentorship=one, person=person, yes=True)
        day = timezone.localdate() + timedelta(days=2)
        meets = at_work(datetime.combine(day, time(10), UTC), one.mentor.time_zone)
        mentoring.meet(mentorship=one, person=one.mentor, at=meets, minutes=90)
        begun = now - WEEKS_AGO
        Mentorship.objects.filter(pk=one.pk).update(proposed_at=begun, mentor_yes_at=begun, mentee_yes_at=begun)
    Invitation.objects.filter(mentorship__mentor__in=people.values()).delete()  # nobody of them has an address
    with transaction.atomic():
        for said in (row for row in rows if row["topic"] != RUNS):
            _say(people[said["username"]], said)
    match()


def _say(person: Person, row: dict[str, str]) -> None:
    at = timezone.now() - timedelta(days=int(row["days_ago"]))
    said: Any
    if row["says"] == "offers":
        said = mentoring.offer(person=person, topic=row["topic"], places=int(row["places"]), note=row["note"])
        Offer.objects.filter(pk=said.pk).update(at=at)
    else:
        said = mentoring.wish(person=person, topic=row["topic"], note=row["note"])
        Wish.objects.filter(pk=said.pk).update(at=at)


def _team(people: dict[str, Person]) -> None:
    leader, since = people[LEADER], timezone.now() - timedelta(days=3)
    found = draft(Wanted(NEEDS, hours=3, most=4), Viewer.of(leader))
    places = {one.person: why for one, why in zip(found.people, found.why, strict=True) if one.person != leader}
    if not places:
        return
    with transaction.atomic():
        row = proposals.propose(owner=leader, text=JOB, needs=NEEDS, hours=3, places=places, ask=True)
        for person in sorted(places, key=lambda one: one.username)[: len(places) // 2]:
            proposals.answer(proposal=row, person=person, agree=True)
        Proposal.objects.filter(pk=row.pk).update(created_at=since)
        Place.objects.filter(proposal=row).exclude(asked_at=None).update(asked_at=since)
