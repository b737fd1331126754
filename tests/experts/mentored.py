"""Four colleagues, two who are mentor and mentee, and a look for mentors: what the tests of mentoring share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from experts.mentoring import mentorships as mentoring
from experts.mentoring.matching import match
from experts.models import Mentorship, Person, Wish

PAGE = "/mentoring/"


@pytest.fixture
def people(make_person: Callable[..., Any]) -> dict[str, Person]:
    names = {"ana": "Ana Lima", "ben": "Ben Okafor", "cleo": "Cléo Martin", "dag": "Dag Holm"}
    return {key: make_person(key, name=name, email=f"{key}@example.org") for key, name in names.items()}


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def look() -> int:
    """Look for mentors now, as if nobody had looked today; how many were brought together."""
    Wish.objects.update(looked_at=None)
    return match()


def together(mentor: Person, mentee: Person, topic: str = "Pumps") -> Mentorship:
    """A mentorship that runs, by the way that all go."""
    mentoring.offer(person=mentor, topic=topic)
    mentoring.wish(person=mentee, topic=topic)
    assert look() == 1
    row: Mentorship = Mentorship.objects.get(mentor=mentor, mentee=mentee)
    mentoring.confirm(mentorship=row, person=mentor, yes=True)
    return mentoring.confirm(mentorship=row, person=mentee, yes=True)
