"""What an outcome feeds: verdicts on what helped, which go with it; and an outcome that comes too early."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from immersive.work import actions, plan, records
from immersive.work.models import LogWork, Outcome, Step, Task
from knowledge import standing
from knowledge.models import Resource, Verdict
from tests.work.conftest import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(people: People, task: Task, make_resource: Callable[..., Resource]) -> list[Step]:
    """Two steps of a task of the owner: a page and a tool."""
    actions.assess(task=task, owner=people.owner, confidence=50)
    return [
        Step.objects.create(task=task, place=0, route="informal", resource=make_resource("Page")),
        Step.objects.create(task=task, place=1, route="tool", resource=make_resource("Tool")),
    ]


def said(people: People) -> set[str]:
    assert not Verdict.objects.exclude(person=people.owner).exists()
    return set(Verdict.objects.filter(helped=True).values_list("resource__title", flat=True))


def log(people: People, task: Task, result: float = Outcome.WORKED, route: str = "") -> None:
    actions.log_outcome(task=task, owner=people.owner, result=result, route=route)


def test_what_was_chosen_helped_where_it_worked(people: People, task: Task, planned: list[Step]) -> None:
    log(people, task)
    assert said(people) == {"Page", "Tool"}
    log(people, task, route="tool")
    assert said(people) == {"Tool"}, "the way that it went is said now"
    log(people, task, Outcome.PARTLY, route="tool")
    assert said(people) == set(), "a slip was corrected"


def test_what_was_done_helped(people: People, task: Task, planned: list[Step]) -> None:
    Step.objects.filter(pk=planned[0].pk).update(done_at=task.created_at)
    log(people, task)
    assert said(people) == {"Page"}
    plan.done(task=task, owner=people.owner, step=planned[1].token)
    assert said(people) == {"Page", "Tool"}, "also where it is said later"
    plan.done(task=task, owner=people.owner, step=planned[0].token, done=False)
    assert said(people) == {"Tool"}


def test_it_goes_with_the_task_and_not_with_what_they_said_themselves(
    people: People, task: Task, planned: list[Step], make_resource: Callable[..., Resource]
) -> None:
    page, tool = (Resource.objects.get(title=title) for title in ("Page", "Tool"))
    standing.say(person_id=people.owner.pk, resource=page, helped=False)
    log(people, task)
    assert said(people) == {"Tool"}, "their own word stands"
    again = actions.start_task(owner=people.owner, statement="The same again")
    actions.assess(task=again, owner=people.owner, confidence=50)
    Step.objects.create(task=again, place=0, route="tool", resource=tool)
    log(people, again)
    actions.delete_task(task=task, owner=people.owner)
    assert said(people) == {"Tool"}, "another task still says so"
    standing.say(person_id=people.owner.pk, resource=tool, helped=True)
    actions.delete_task(task=again, owner=people.owner)
    assert said(people) == {"Tool"}, "they said it themselves since"
    assert Verdict.objects.get(resource=page).helped is False


def test_a_step_that_is_dropped_takes_its_verdict_along(people: People, task: Task, planned: list[Step]) -> None:
    log(people, task)
    plan.drop(task=task, owner=people.owner, step=planned[0].token)
    assert said(people) == {"Tool"}


def test_two_windows_at_once_are_one_outcome(
    people: People, task: Task, planned: list[Step], in_threads: Callable[..., list[Any]]
) -> None:
    """Whoever is second corrects the first; each of two workers asks, or does not, of its own accord."""
    in_threads(
        lambda: log(people, task),
        lambda: log(people, task, Outcome.PARTLY),
    )
    rows = in_threads(lambda: (Outcome.objects.count(), LogWork.objects.filter(event="outcome").count()))
    assert rows == [(1, 1)]
    result, verdicts = in_threads(lambda: (Outcome.objects.get().result, Verdict.objects.count()))[0]
    assert verdicts == (2 if result == Outcome.WORKED else 0), "what is said helped is what was said last"


def test_nothing_is_said_of_what_they_may_not_read_or_of_people(
    people: People, task: Task, planned: list[Step], make_resource: Callable[..., Resource]
) -> None:
    hidden = make_resource("Board paper", tokens=("team:999",))
    person = make_resource("Pia Roth")
    Resource.objects.filter(pk=person.pk).update(kind="person")
    for place, resource in enumerate((hidden, person), 2):
        Step.objects.create(task=task, place=place, route="informal", resource=resource)
    log(people, task)
    assert said(people) == {"Page", "Tool"}


def test_an_outcome_that_comes_first_is_answered_and_nothing_is_lost(people: People, task: Task) -> None:
    client = Client()
    client.force_login(people.owner)
    at = task.get_absolute_url()
    said: dict[str, Any] = {
        "result": "0.5",
        "minutes": "soon",
        "surprise": 'The kettle\n"was" empty',
        "with_help": "on",
    }
    answer = client.post(f"{at}outcome", said)
    assert answer.status_code == 409
    assert "First say how sure you were" in answer.content.decode()
    for missed, status in (({"drop": "none"}, 200), ({"add": "Zebras"}, 422), ({}, 422), ({"confidence": "30"}, 200)):
        carried = {field.html_name: field.value() or "" for field in answer.context["early"]}
        assert answer.content.decode().count('<input type="hidden" name="surprise"') == 1
        answer = client.post(f"{at}assessment", {**carried, **missed})
        assert answer.status_code == status
    page = answer.content.decode()
    assert re.search(r'name="result" value="0.5"[^>]*checked', page)
    assert re.search(r'name="with_help"[^>]*checked', page)
    assert 'value="soon"' in page
    assert "The kettle\n&quot;was&quot; empty</textarea>" in page
    assert not Outcome.objects.exists()
    client.post(f"{at}outcome", {**said, "minutes": "45"})
    assert Outcome.objects.get().surprise == 'The kettle\n"was" empty'


def test_what_a_finished_task_is_called_changes_with_it(people: People, task: Task) -> None:
    client = Client(headers={"HX-Request": "true"})
    client.force_login(people.owner)
    actions.assess(task=task, owner=people.owner, confidence=30)
    answer = client.post(f"{task.get_absolute_url()}outcome", {"result": "1.0"}).content.decode()
    assert re.search(r'id="head" hx-swap-oob="true">.*Finished', answer)
    assert client.get(task.get_absolute_url(), headers={"HX-Request": ""}).content.decode().count('id="head"') == 1


def test_two_taps_suffice_and_the_way_is_the_one_they_said(people: People, task: Task, planned: list[Step]) -> None:
    client = Client()
    client.force_login(people.owner)

    def initial() -> Any:
        return {"route": client.get(task.get_absolute_url()).context["outcome_form"].initial["route"]}

    assert initial() == {"route": ""}, "of two ways that were planned none is said yet"
    plan.done(task=task, owner=people.owner, step=planned[1].token)
    assert initial() == {"route": "tool"}
    plan.drop(task=task, owner=people.owner, step=planned[1].token)
    assert initial() == {"route": "informal"}
    client.post(f"{task.get_absolute_url()}outcome", {"result": "1.0", **initial()})
    assert (Outcome.objects.get().result, Outcome.objects.get().route) == (1.0, "informal")
    refused = client.post(f"{task.get_absolute_url()}outcome", {"result": "1.0", "route": "magic", "surprise": "Odd"})
    assert refused.status_code == 422
    assert "Odd" in refused.content.decode()


def test_what_is_chosen_after_the_outcome_counts_once_it_is_done(
    people: People, task: Task, planned: list[Step], make_resource: Callable[..., Resource]
) -> None:
    make_resource("Later")
    log(people, task)
    later = plan.choose(
        task=task, owner=people.owner, route="tool", key=str(Resource.objects.get(title="Later").public_id)
    )
    log(people, task, route="tool")
    assert said(people) == {"Tool"}, "it was chosen for what comes next, the same way or not"
    Step.objects.filter(pk=planned[1].pk).update(place=9)
    assert [one.resource for one in records.waiting()] == [planned[1].resource_id], "nor is the outcome one of it"
    plan.done(task=task, owner=people.owner, step=later.token)
    assert said(people) == {"Tool", "Later"}
    plan.done(task=task, owner=people.owner, step=later.token, done=False)
    assert said(people) == {"Tool"}
