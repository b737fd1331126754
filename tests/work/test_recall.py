"""Questions of one's own: three a day, at work, by FSRS and without chance, its owner's alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from fsrs import Card, Rating, Scheduler

from experts.models import Closed
from immersive.work import actions, recall, reminding
from immersive.work.models import Recall, Task
from knowledge.access import Viewer
from tests.work.conftest import SURPRISE, People

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


def write(people: People, count: int, due: datetime = MONDAY) -> list[Recall]:
    """Questions after as many tasks of the owner, due at that moment."""
    for number in range(count):
        task = actions.start_task(owner=people.owner, statement=f"Prime pump {number}")
        actions.assess(task=task, owner=people.owner, confidence=50)
        actions.log_outcome(task=task, owner=people.owner, result=1.0)
        recall.keep(task=task, owner=people.owner, question=f"Which valve, {number}?", answer="The lower one")
    Recall.objects.update(due_at=due)
    return list(Recall.objects.all())


def test_at_most_three_a_day_the_longest_due_first(people: People) -> None:
    written = write(people, 5)
    viewer = Viewer.of(people.owner)
    Recall.objects.filter(pk=written[4].pk).update(due_at=MONDAY - timedelta(days=3))
    first = recall.ask_today(viewer, MONDAY)
    assert [one.pk for one in first] == [written[4].pk, written[0].pk, written[1].pk]
    for one in first:
        recall.grade(recall=one.public_id, owner=people.owner, how="good", now=MONDAY)
    assert recall.ask_today(viewer, MONDAY + timedelta(hours=5)) == []
    assert len(recall.ask_today(viewer, MONDAY + timedelta(days=1))) == 2, "tomorrow the others come"
    assert recall.ask_today(viewer, MONDAY - timedelta(minutes=1)) == [], "the clock was put back"
    for moment in (MONDAY + timedelta(hours=5), MONDAY + timedelta(hours=20)):
        due, comes = recall.coming(viewer, moment)
        assert (len(due), comes) == (2, MONDAY.replace(day=24, hour=9)), "and it is told before"


@pytest.mark.parametrize(
    ("zone", "moment", "comes"),
    [
        ("UTC", MONDAY, True),
        ("UTC", MONDAY.replace(hour=8, minute=59), False),
        ("UTC", MONDAY.replace(hour=17), False),
        ("UTC", MONDAY + timedelta(days=5), False),
        ("Asia/Tokyo", MONDAY, False),
        ("Asia/Tokyo", MONDAY.replace(hour=0, minute=30), True),
        ("America/Los_Angeles", MONDAY.replace(hour=18), True),
    ],
)
def test_only_in_working_hours_where_they_are(people: People, zone: str, moment: datetime, comes: bool) -> None:
    write(people, 1, MONDAY - timedelta(days=30))
    people.owner.time_zone = zone
    people.owner.save()
    assert bool(recall.ask_today(Viewer.of(people.owner), moment)) is comes


def test_not_on_closed_days_and_not_for_who_does_not_want_it(people: People) -> None:
    write(people, 1)
    viewer = Viewer.of(people.owner)
    Closed.objects.create(person=people.owner, since=MONDAY.date(), until=MONDAY.date())
    assert recall.ask_today(viewer, MONDAY) == []
    assert recall.ask_today(viewer, MONDAY + timedelta(days=1))
    reminding.wish(person=people.owner, outcomes=True, recall=False)
    assert recall.ask_today(viewer, MONDAY + timedelta(days=1)) == []


def test_the_days_are_those_of_fsrs_and_always_the_same(people: People) -> None:
    one = write(people, 1)[0]
    plain = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card, now, days = Card(card_id=1, due=MONDAY), MONDAY, []
    for how in ("good", "good", "again", "hard", "easy"):
        kept = recall.grade(recall=one.public_id, owner=people.owner, how=how, now=now)
        card, _ = plain.review_card(card, Rating[how.capitalize()], now)
        assert kept.due_at == card.due
        days.append((kept.due_at - now).days)
        now = kept.due_at
    assert days == sorted(days[:2]) + days[2:], "what one knows comes later each time"
    assert days[2] < days[1], "what one forgot comes sooner"


def test_two_windows_count_once(people: People) -> None:
    one = write(people, 1)[0]
    recall.grade(recall=one.public_id, owner=people.owner, how="easy", now=MONDAY)
    once = Recall.objects.get().card
    assert once["state"] == 2
    with pytest.raises(recall.NotDue):
        recall.grade(recall=one.public_id, owner=people.owner, how="again", now=MONDAY)
    assert Recall.objects.get().card == once


def test_from_the_outcome_to_the_next_day(people: People, finished: Task) -> None:
    client = Client()
    client.force_login(people.owner)
    address = f"{finished.get_absolute_url()}recall"
    assert SURPRISE in client.get(address).content.decode(), "what surprised them is offered as the answer"
    refused = client.post(address, {"question": "", "answer": "In the drawer"})
    assert refused.status_code == 422
    assert "In the drawer" in refused.content.decode()
    said: dict[str, Any] = {"question": "Where was it?", "answer": "In the drawer"}
    client.post(address, said)
    client.post(address, {**said, "question": "Where was the glossary?"})
    one = Recall.objects.get()
    assert (one.question, one.due_at > timezone.now() + timedelta(hours=23)) == ("Where was the glossary?", True)
    page = client.get("/tasks/recall").content.decode()
    assert "Nothing now" in page
    assert "Where was the glossary?" in page
    client.post(f"/tasks/recall/{one.public_id}/delete")
    assert not Recall.objects.exists()


def test_home_says_that_there_is_one_and_not_which(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    write(people, 2)
    client = Client()
    client.force_login(people.owner)
    monkeypatch.setattr(timezone, "now", lambda: MONDAY)
    page = client.get("/").content.decode()
    assert "2 questions for later" in page
    assert "Which valve" not in page
    assert "Which valve" in client.get("/tasks/recall").content.decode()
    monkeypatch.setattr(timezone, "now", lambda: MONDAY.replace(hour=20))
    assert "questions for later</a>" not in client.get("/").content.decode()
