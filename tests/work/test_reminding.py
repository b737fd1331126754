"""Asking how it went: once, at the right time, and no word of it in a mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from experts.digests import letter
from experts.models import Closed
from experts.notices import Notice, news
from immersive.work import actions, plan, reminding, tasks
from immersive.work.models import Outcome, Task
from knowledge.access import Viewer
from tests.work.conftest import People

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def asked_about(people: People, task: Task) -> Task:
    """A task that was due on Sunday, of which something was said."""
    actions.assess(task=task, owner=people.owner, confidence=50)
    Task.objects.filter(pk=task.pk).update(due=date(2026, 11, 22), ask_on=date(2026, 11, 23))
    task.refresh_from_db()
    return task


def test_the_day_is_the_one_after_the_deadline_or_a_week_on() -> None:
    today = date(2024, 2, 28)
    assert reminding.first_asked(date(2024, 2, 29), today) == date(2024, 3, 1)
    assert reminding.first_asked(None, today) == date(2024, 3, 6)
    assert reminding.first_asked(date(2023, 1, 1), today) == date(2024, 2, 29), "a deadline that is past"
    assert reminding.first_asked(date.max, today) == date.max


def test_a_day_is_over_by_its_owner_s_own_clock(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 16, 23, 30, tzinfo=UTC))
    for zone, day, words in (("Pacific/Auckland", 17, "How did it go?"), ("America/Lima", 16, "Choose a way")):
        people.owner.time_zone = zone
        people.owner.save()
        one = actions.start_task(owner=people.owner, statement=f"Sweep {zone}")
        assert one.ask_on == date(2026, 11, day + 7)
        actions.assess(task=one, owner=people.owner, confidence=50)
        Task.objects.filter(pk=one.pk).update(due=date(2026, 11, 16))
        step = tasks.next_step(tasks.mine_or_404(one.public_id, Viewer.of(people.owner)))
        assert step is not None
        assert step.words == words


def test_one_is_asked_once_also_by_two_workers_and_when_the_clock_goes_back(asked_about: Task, people: People) -> None:
    assert reminding.ask(MONDAY - timedelta(hours=3)) == 0, "six in the morning"
    assert [reminding.ask(MONDAY), reminding.ask(MONDAY)] == [1, 0]
    Notice.objects.update(seen_at=MONDAY)
    assert [reminding.ask(MONDAY - timedelta(days=3)), reminding.ask(MONDAY + timedelta(days=300))] == [0, 0]
    assert Notice.objects.count() == 1


def test_two_workers_at_once_ask_once(asked_about: Task, in_threads: Callable[..., list[Any]]) -> None:
    assert sorted(in_threads(lambda: reminding.ask(MONDAY), lambda: reminding.ask(MONDAY))) == [0, 1]


def test_it_waits_for_a_day_at_work(asked_about: Task, people: People) -> None:
    Task.objects.update(ask_on=date(2026, 11, 21))
    assert reminding.ask(MONDAY - timedelta(days=2)) == 0, "a Saturday"
    Closed.objects.create(person=people.owner, since=date(2026, 11, 23), until=date(2026, 11, 24))
    assert [reminding.ask(MONDAY), reminding.ask(MONDAY + timedelta(days=2))] == [0, 1]


def test_nothing_is_asked_of_what_was_not_said_before_or_is_done(people: People, asked_about: Task) -> None:
    unsaid = actions.start_task(owner=people.owner, statement="Count the valves")
    Task.objects.filter(pk=unsaid.pk).update(ask_on=date(2026, 11, 1))
    assert reminding.ask(MONDAY) == 1
    actions.log_outcome(task=asked_about, owner=people.owner, result=1.0)
    assert not Notice.objects.exists()
    assert reminding.ask(MONDAY + timedelta(days=9)) == 0


def test_a_mail_says_no_word_of_it_and_the_page_does(asked_about: Task, people: People) -> None:
    reminding.ask(MONDAY)
    told = news(Viewer.of(people.owner))
    assert asked_about.statement in told[0].said.text
    mail = letter(people.owner, told)
    said = f"{mail.subject} {mail.body} {mail.alternatives}".lower()
    assert "how did it go?" in said
    assert not [word for word in asked_about.statement.lower().split() if len(word) > 5 and word in said]
    assert news(Viewer.of(people.peer)) == []


@pytest.mark.parametrize(("until", "day"), [("tomorrow", 1), ("week", 7), ("never", None)])
def test_it_can_be_put_off(asked_about: Task, people: People, until: str, day: int | None) -> None:
    reminding.ask(MONDAY)
    client = Client()
    client.force_login(people.owner)
    before = timezone.localdate()
    client.post(f"{asked_about.get_absolute_url()}later", {"until": until})
    asked_about.refresh_from_db()
    assert asked_about.ask_on == (before + timedelta(days=day) if day else None)
    assert news(Viewer.of(people.owner)) == []


def test_it_can_be_off_for_all(asked_about: Task, people: People) -> None:
    client = Client()
    client.force_login(people.owner)
    reminding.ask(MONDAY)
    assert client.get("/tasks/reminders").context["form"].initial == {"outcomes": True, "recall": True}
    client.post("/tasks/reminders", {"recall": "on"})
    assert news(Viewer.of(people.owner)) == [], "what waits is not told either"
    Task.objects.update(ask_on=date(2026, 11, 23))
    assert reminding.ask(MONDAY) == 0
    assert client.get("/tasks/reminders").context["form"].initial == {"outcomes": False, "recall": True}


def test_one_press_on_the_home_page_says_how_it_went(people: People, task: Task) -> None:
    client = Client()
    client.force_login(people.owner)
    actions.assess(task=task, owner=people.owner, confidence=50)
    plan.choose(task=task, owner=people.owner, route="mentor", key=str(people.peer.public_id))
    button = f'formaction="/tasks/{task.public_id}/later"'
    assert button not in client.get("/").content.decode(), "it is asked once it is due"
    Task.objects.update(ask_on=timezone.localdate(), due=timezone.localdate() - timedelta(days=1))
    shown = client.get("/").content.decode()
    assert button in shown
    assert "was due yesterday. You said: a coin toss" in shown
    client.post(f"/tasks/{task.public_id}/later", {"until": "never"})
    assert button not in client.get("/").content.decode(), "who wants no asking is not asked here either"
    Task.objects.update(ask_on=timezone.localdate())
    client.post(f"/tasks/{task.public_id}/outcome", {"result": "1.0"})
    went = Outcome.objects.get()
    assert (went.result, went.route, went.with_help) == (1.0, "mentor", True), "as two taps on its page would say"
    assert button not in client.get("/").content.decode()
