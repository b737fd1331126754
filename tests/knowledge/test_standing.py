"""What use says of resources: of five people at least, of one audience, fading, and too coarse to show anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts.models import Person
from knowledge import indexing, standing
from knowledge.access import Viewer
from knowledge.edition import Edition, Standing, kept
from knowledge.models import SOURCES, Audience, Click, Resource, Search, Source, Verdict, Verification
from knowledge.pages import opened
from knowledge.trust import STEPS, Signals

from .conftest import sync

TODAY = timezone.localdate()


# Pure -----------------------------------------------------------------------------------------------------------------


def test_four_people_say_nothing_however_they_insist() -> None:
    assert standing.use_of([(10, 0.0)] * 4, [(True, 0.0)] * 4) == 0.0
    assert standing.use_of([(10, 0.0)] * 5, []) > 0
    assert standing.use_of([], [(False, 0.0)] * 5) < 0


def test_use_is_bounded_and_being_opened_is_less_than_having_helped() -> None:
    opened = standing.use_of([(10, 0.0)] * 10_000, [])
    helped = standing.use_of([], [(True, 0.0)] * 10_000)
    assert 0 < opened < helped < 1
    assert standing.use_of([(10, 0.0)] * 10_000, [(True, 0.0)] * 10_000) == 1.0
    assert standing.use_of([], [(False, 0.0)] * 10_000) > -1
    assert standing.use_of([], [(True, 0.0), (False, 0.0)] * 5) == 0.0


def test_a_click_further_down_says_more_but_not_without_end() -> None:
    worth = [standing.use_of([(place, 0.0)] * 5, []) for place in (0, 1, 2, 3, 5, 30_000)]
    assert worth[0] == worth[1] < worth[2] < worth[3] < worth[4] == worth[5]


def test_what_was_long_ago_fades() -> None:
    fresh, month, year = (standing.use_of([(1, days)] * 9, []) for days in (0.0, 30.0, 365.0))
    assert fresh > month > year
    assert standing.use_of([], [(True, 0.0)] * 5) > standing.use_of([], [(True, 365.0)] * 5) > 0


# Counted --------------------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(source: Source) -> Resource:
    sync(source)
    return Resource.objects.select_related("source").get(key="first.md")


@pytest.fixture
def people(make_person: Callable[..., Person]) -> list[Person]:
    return [make_person(f"person{number}") for number in range(5)]


def click(person: Person, page: Resource, rank: int = 8, times: int = 1, **more: Any) -> None:
    for _ in range(times):
        search = Search.objects.create(person=person, text="kettle")
        opened(page, Viewer.of(person), search.public_id.hex, str(rank))
    if more:
        Click.objects.filter(search__person=person).update(**more)


def weigh() -> int:
    """Count when the clicks of this moment have gathered."""
    return standing.weigh(timezone.now() + standing.SOON)


def use(page: Resource) -> int:
    weigh()
    return Standing.objects.get(resource=page).use


def known(page: Resource) -> Signals | None:
    edition = next(iter(SOURCES.objects(tokens=["everyone"]))).edition
    return kept(edition).standings.of([page.public_id.hex], TODAY).get(page.public_id.hex)


def test_five_different_people_must_open_it(page: Resource, people: list[Person]) -> None:
    *others, last = people
    click(others[0], page, times=9)
    for person in others[1:]:
        click(person, page)
    assert use(page) == 0
    click(last, page)
    assert use(page) == 1
    assert known(page) == Signals(use=1 / STEPS)


def test_one_person_counts_once_and_where_they_saw_it_best(page: Resource, people: list[Person]) -> None:
    for person in people:
        click(person, page)
    many = use(page)
    click(people[0], page, rank=30_000, times=20)
    assert use(page) == many


def test_a_forgotten_click_counts_no_more(page: Resource, people: list[Person]) -> None:
    for person in people:
        click(person, page, at=timezone.now() - standing.FORGOTTEN - timedelta(days=1))
    assert use(page) == 0


def test_verdicts_count_and_are_taken_back(page: Resource, people: list[Person]) -> None:
    for person in people:
        standing.say(person_id=person.pk, resource=page, helped=True)
    assert use(page) == 2
    assert standing.said_by(people[0].pk, page) is True
    standing.say(person_id=people[0].pk, resource=page, helped=False)
    assert standing.said_by(people[0].pk, page) is False
    assert use(page) == 1
    standing.say(person_id=people[0].pk, resource=page, helped=None)
    assert (standing.said_by(people[0].pk, page), Verdict.objects.count()) == (None, 4)
    assert use(page) == 0
    assert known(page) in (None, Signals())


def test_what_did_not_help_goes_down(page: Resource, people: list[Person]) -> None:
    for person in people:
        standing.say(person_id=person.pk, resource=page, helped=False)
    assert use(page) < 0


def test_who_is_gone_counts_no_more(page: Resource, people: list[Person]) -> None:
    for person in people:
        standing.say(person_id=person.pk, resource=page, helped=True)
        click(person, page)
    assert use(page) > 1
    people[0].delete()
    later = timezone.now() + standing.AGAIN + standing.SOON
    standing.weigh(later)
    assert Standing.objects.get(resource=page).use == 0


@pytest.mark.parametrize("erased", ["person", "searches", "clicks", "verdicts"])
@pytest.mark.parametrize("due", [False, True])
def test_what_is_erased_counts_no_more_as_soon_as_it_is(
    page: Resource,
    people: list[Person],
    erased: str,
    due: bool,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    """Nothing waits for the job that counts: what five did is nothing of four, whether or not it was to be counted."""
    for person in people:
        if erased != "verdicts":
            click(person, page, rank=30)
        if erased in ("person", "verdicts"):
            standing.say(person_id=person.pk, resource=page, helped=True)
    assert use(page) > 0
    assert known(page)
    if due:
        Standing.objects.doubt(page.pk)
    with django_capture_on_commit_callbacks(execute=True):
        if erased == "person":
            people[0].delete()
        elif erased == "searches":
            Search.objects.filter(person=people[0]).delete()
        elif erased == "clicks":
            Click.objects.filter(search__person=people[0]).delete()
        else:
            Verdict.objects.filter(person=people[0]).delete()
    assert Standing.objects.get().use == 0
    assert known(page) in (None, Signals())


def test_what_goes_with_one_account_is_counted_anew_once(
    page: Resource, people: list[Person], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    for number in range(12):
        other = Resource.objects.create(source=page.source, key=f"{number}", title="A page", audience=page.audience)
        click(people[0], other)
    with CaptureQueriesContext(connection) as asked, django_capture_on_commit_callbacks(execute=True):
        people[0].delete()
    assert sum("knowledge_verification" in one["sql"] and "SELECT" in one["sql"] for one in asked) == 1


def test_another_kind_of_erasure_leaves_the_rest_to_the_job(
    page: Resource, people: list[Person], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    other = Resource.objects.create(source=page.source, key="other", title="A page", audience=page.audience)
    Verification.objects.create(resource=other, until=TODAY)
    click(people[0], page)
    with django_capture_on_commit_callbacks(execute=True):
        people[0].delete()
    assert known(other) is None
    assert standing.weigh() == 1


def test_nothing_crosses_audiences(page: Resource, people: list[Person]) -> None:
    """What was done while a few might read it says nothing to everyone, from the moment when it is opened to them."""
    narrow = Audience.objects.of([f"person:{person.pk}" for person in people])
    Resource.objects.filter(pk=page.pk).update(audience=narrow)
    page = Resource.objects.select_related("source").get(pk=page.pk)
    for person in people:
        click(person, page)
        standing.say(person_id=person.pk, resource=page, helped=True)
    assert use(page) > 1
    assert known(page)
    indexing.index_changes()
    Resource.objects.filter(pk=page.pk).update(audience=Audience.objects.of(["everyone"]))
    indexing.index_changes()
    assert known(page) in (None, Signals()), "it is gone when the change is noticed, before anything is counted"
    assert use(page) == 0


def test_the_audience_of_the_source_is_part_of_it(page: Resource, people: list[Person]) -> None:
    for person in people:
        click(person, page)
    assert use(page) > 0
    Source.objects.filter(pk=page.source_id).update(audience=Audience.objects.of(["team:1"]))
    Standing.objects.doubt(page.pk)
    assert use(page) == 0


def test_clicks_of_which_nobody_knows_among_whom_count_nothing(page: Resource, people: list[Person]) -> None:
    for person in people:
        click(person, page, among=None)
    assert use(page) == 0


def test_verification_is_known_until_its_day(page: Resource, people: list[Person]) -> None:
    row = Verification.objects.create(resource=page, owner=people[0], until=TODAY)
    standing.weigh()
    assert known(page) == Signals(verified=True)
    row.until = TODAY - timedelta(days=1)
    row.save()
    standing.weigh()
    assert known(page) == Signals(verified=False)
    row.delete()
    standing.weigh()
    assert known(page) in (None, Signals())
    assert Standing.objects.get(resource=page).verified_until is None


def test_a_resource_goes_with_what_is_said_of_it(page: Resource, people: list[Person]) -> None:
    Verification.objects.create(resource=page, owner=people[0], until=date(2100, 1, 1))
    standing.say(person_id=people[0].pk, resource=page, helped=True)
    page.delete()
    assert standing.weigh() == 0
    assert not Standing.objects.exists()


def test_what_did_not_change_is_not_counted_again(page: Resource, people: list[Person]) -> None:
    for person in people:
        click(person, page)
    assert weigh() == 1
    edition = Edition.objects.get().name
    with CaptureQueriesContext(connection) as asked:
        assert weigh() == 0
    assert not any("knowledge_click" in query["sql"] for query in asked)
    assert Edition.objects.get().name == edition


def test_what_everybody_opens_is_not_counted_at_each_click(page: Resource, people: list[Person]) -> None:
    for person in people:
        click(person, page)
    first = Standing.objects.get().due_at
    assert standing.weigh() == 0
    click(people[0], page)
    assert Standing.objects.get().due_at == first
    standing.say(person_id=people[0].pk, resource=page, helped=True)
    assert standing.weigh() == 1, "what somebody says is counted at once, and the clicks with it"


def test_many_are_counted_in_small_parts(page: Resource, people: list[Person], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "AT_ONCE", 2)
    pages = [
        Resource.objects.create(source=page.source, key=f"{number}", title="A page", audience=page.audience)
        for number in range(5)
    ]
    for one in pages:
        Verification.objects.create(resource=one, until=TODAY)
    assert standing.weigh() == 5
    assert all(known(one) == Signals(verified=True) for one in pages)


def test_a_click_on_somebody_elses_search_is_none(page: Resource, people: list[Person]) -> None:
    search = Search.objects.create(person=people[0], text="kettle")
    for person in people[1:]:
        assert opened(page, Viewer.of(person), search.public_id.hex, "9") is None
    assert not Click.objects.exists()
    assert not Standing.objects.exists()
