"""What people did not find: told when three of them asked, for ninety days, and never who."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from knowledge import gaps
from knowledge.gaps import Gap
from knowledge.models import Search

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(make_person: Callable[..., Any]) -> list[Any]:
    return [make_person(name) for name in ("ana", "ben", "cleo", "dan")]


def asked(person: Any, text: str, *, total: int = 0, days: float = 1) -> None:
    Search.objects.create(person=person, text=text, total=total, at=timezone.now() - timedelta(days=days))


def test_words_are_told_when_three_people_asked_and_not_before(people: list[Any]) -> None:
    ana, ben, cleo, _ = people
    asked(ana, "xylophone tuning")
    asked(ana, "xylophone tuning")
    asked(ana, "tuning xylophones")
    asked(ben, "Tuning the Xylophone?")
    assert gaps.gather() == 0
    assert not Gap.objects.exists()
    asked(cleo, "“xylophones” tuned")
    assert gaps.gather() == 1
    (gap,) = Gap.objects.all()
    assert gap.words.split() == sorted(gap.words.split())
    assert {word[:4] for word in gap.words.split()} == {"tune", "xylo"} or "tuning" in gap.words
    assert {field.name for field in Gap._meta.get_fields()} == {"id", "key", "words", "kinds", "last_on"}, "nobody"


def test_it_is_kept_ninety_days_after_three_people_last_asked(people: list[Any]) -> None:
    for person, days in zip(people[:3], (1, 50, 89), strict=True):
        asked(person, "xylophone", days=days)
    assert gaps.gather() == 1
    assert gaps.gather(timezone.now() + timedelta(days=2)) == 0
    assert not Gap.objects.exists()


def test_what_somebody_found_and_what_may_be_about_somebody_is_no_gap(people: list[Any]) -> None:
    for person in people[:3]:
        asked(person, "pumps", total=3)
        asked(person, "salary by:ana")
        asked(person, "source:board xylophone")
        asked(person, 'in:"Anas papers" xylophone')
        asked(person, "kind:tool")
        asked(person, " ".join(f"word{n}" for n in range(20)))
        asked(person, "!!!")
    assert gaps.gather() == 0


def test_a_kind_is_part_of_what_was_meant(people: list[Any]) -> None:
    for person in people[:3]:
        asked(person, "kind:tool xylophone")
    asked(people[3], "xylophone")
    assert gaps.gather() == 1
    gap = Gap.objects.get()
    assert (gap.words, gap.kinds) == ("xylophone", "tool")


def test_curators_read_gaps_and_change_nothing(
    people: list[Any], client: Client, make_person: Callable[..., Any]
) -> None:
    for person in people[:3]:
        asked(person, "xylophone")
    asked(people[0], "zyxsecret")
    gaps.gather()
    client.force_login(make_person("root", is_staff=True, is_superuser=True))
    page = client.get("/operate/knowledge/gap/").content.decode()
    assert "xylophone" in page
    assert "zyxsecret" not in page
    gap = Gap.objects.get()
    assert client.get("/operate/knowledge/gap/add/").status_code == 403
    assert client.post(f"/operate/knowledge/gap/{gap.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(f"/operate/knowledge/gap/{gap.pk}/change/", {"words": "other"})
    assert Gap.objects.get().words == "xylophone"
