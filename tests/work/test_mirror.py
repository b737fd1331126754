"""The mirror's page: as much as one's own outcomes bear, in words and plots, for their owner alone."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from immersive.work import actions, calibration, log, mirror
from immersive.work.models import Assessment, LogWork, Outcome, Task
from tests.work.conftest import People, viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(client: Client, people: People) -> Client:
    client.force_login(people.owner)
    return client


def live(person: Any, outcomes: int, *, surer: float = 0.0, seed: int = 4) -> None:
    """Tasks of a person who is ``surer`` than right by that much, all said and done."""
    draw = random.Random(seed)
    made = Task.objects.bulk_create([Task(owner=person, statement=f"Task {number}") for number in range(outcomes)])
    sure = [draw.choice((10, 30, 50, 70, 90)) for _ in made]
    went = [float(draw.random() < one / 100 - surer) for one in sure]
    Assessment.objects.bulk_create([Assessment(task=t, confidence=c) for t, c in zip(made, sure, strict=True)])
    Outcome.objects.bulk_create([Outcome(task=t, result=r) for t, r in zip(made, went, strict=True)])
    LogWork.objects.bulk_create([LogWork(task=one, event="outcome") for one in made])
    while log.do_due():
        pass


def page(client: Client) -> str:
    answer = client.get(reverse("work:mirror"))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("outcomes", "there", "absent"),
    [
        (0, "Nothing here yet", "What you said, and how it went"),
        (3, "too early", "What you said, and how it went"),
        (4, "After one more outcome you see", "1 more"),
        (7, "of them worked", "Surer than it turns out?"),
        (30, "Surer than it turns out?", "How sure you were, how it went"),
        pytest.param(90, "How sure you were, how it went", "more outcomes you see", marks=pytest.mark.slow),
    ],
)
def test_shows_what_the_outcomes_bear(me: Client, people: People, outcomes: int, there: str, absent: str) -> None:
    live(people.owner, outcomes)
    shown = page(me)
    assert there in shown
    assert absent not in shown


@pytest.mark.parametrize(
    ("part", "words"),
    [(0.2, "20 points more than"), (0.01, "1 point more than"), (0.004, "as much as"), (-0.3, "30 points less than")],
)
def test_points_are_told_in_words(part: float, words: str) -> None:
    bias = calibration.Bias(part, -0.004, 0.4, "")
    told = mirror.Look(calibration.Mirror(30, bias=bias)).bias_words
    assert told == f"You said {words} it turned out, in 80 % of cases between as much and 40 points more."


def test_a_word_is_about_the_next_task(me: Client, people: People) -> None:
    live(people.owner, 120, surer=0.3)
    look = mirror.look(viewer(people.owner))
    assert look.found.bias is not None
    assert look.found.bias.word == "over-sure"
    assert "name the step that you know least" in page(me)


def test_tells_nothing_of_anybody_else(me: Client, people: People) -> None:
    live(people.peer, 40)
    assert "Nothing here yet" in page(me)
    assert mirror.said(viewer(people.owner)) == []
    live(people.owner, 6)
    assert len(mirror.said(viewer(people.owner))) == 6


def test_reads_in_a_fixed_number_of_queries(me: Client, people: People, django_assert_num_queries: Any) -> None:
    live(people.owner, 30)
    # session, user, the viewer's tokens; then outcomes, tasks counted, tasks, topics over time
    with django_assert_num_queries(7):
        page(me)


def test_everything_can_be_deleted_and_nobody_elses(me: Client, people: People) -> None:
    live(people.owner, 12)
    live(people.peer, 3)
    answer = me.post(reverse("work:delete-all"), follow=True)
    assert "All that was yours alone is deleted" in answer.content.decode()
    assert not Task.objects.filter(owner=people.owner).exists()
    assert Task.objects.filter(owner=people.peer).count() == Outcome.objects.count() == 3
    assert actions.delete_all(owner=people.owner) == 0
