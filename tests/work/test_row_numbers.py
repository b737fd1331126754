"""No page and no answer names a row by its number: whoever watches numbers grow would count what others do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from django.db.models.signals import pre_save
from django.urls import get_resolver

from experts.models import Membership, Team
from immersive.work import actions, log, plan, recall, sharing
from immersive.work.lessons.rows import Experiment, Lesson
from immersive.work.models import Task
from tests.work.conftest import People
from tests.work.test_privacy import client_of, every_one

FIRST = 730_111_222_000_000
"""Row numbers of this test begin here, so that one is known wherever it stands."""
OTHERS = {"knowledge.Topic", "knowledge.Resource", "experts.Person", "experts.Team", "experts.Notice"}
"""Rows outside this room that its pages speak of."""


@pytest.fixture
def numbered(db: None) -> Iterator[None]:
    """Give new rows of this room, and those that its pages speak of, numbers that can be found again."""
    numbers = count(FIRST)

    def number(sender: Any, instance: Any, **_: Any) -> None:
        own = sender._meta.app_label == "work" or sender._meta.label in OTHERS
        if own and instance._state.adding and instance.pk is None:
            instance.pk = next(numbers)

    pre_save.connect(number)
    yield
    pre_save.disconnect(number)


@pytest.fixture
def lived(numbered: None, people: People, make_resource: Any) -> Task:
    """Everything that a person may keep here: a task at each of its turns, shared, asked about and learnt from."""
    begin = make_resource("Begin", topics=("Drift",))
    team = Team.objects.create(name="Night shift", slug="night")
    for person in (people.owner, people.peer):
        Membership.objects.create(person=person, team=team)
    actions.start_task(owner=people.owner, statement="Not said yet", started_from=begin)
    for statement in ("Prime pump", "Under way"):
        task = actions.start_task(owner=people.owner, statement=statement, started_from=begin)
        actions.assess(task=task, owner=people.owner, confidence=50, known={"Drift": "partly"})
        plan.choose(task=task, owner=people.owner, route="informal", key=str(begin.public_id))
        plan.choose(task=task, owner=people.owner, route="do")
        plan.choose(task=task, owner=people.owner, route="mentor", key=str(people.peer.public_id))
        for whom in ({"team": team}, {"person": people.peer}):
            sharing.share(task=task, owner=people.owner, **whom)
        if statement == "Prime pump":
            actions.log_outcome(task=task, owner=people.owner, result=1.0, route="informal")
            recall.keep(task=task, owner=people.owner, question="Which valve?", answer="The lower one")
            finished = task
    recall.Recall.objects.update(due_at=datetime(2026, 1, 1, tzinfo=UTC))
    lesson = Lesson.objects.create(author=people.owner, task=finished, happened="x")
    lesson.resources.add(begin)
    Experiment.objects.create(author=people.owner, reach="me", hypothesis="It helps", by="2026-12-01")
    log.do_due()
    return finished


def test_no_page_and_no_answer_holds_a_row_s_number(people: People, lived: Task) -> None:
    found, asked = set(), 0
    clients = {role: client_of(people, role) for role in ("owner", "peer")}
    others = {str(task.public_id) for task in Task.objects.exclude(pk=lived.pk)}
    for name, address in every_one(get_resolver(), lived):
        if not name.startswith(("work:", "lessons:", "api-", "home")):
            continue
        of_each = {address, *(address.replace(str(lived.public_id), other) for other in others)}
        for role, one in [*(("owner", one) for one in of_each), ("peer", address)]:
            answer = clients[role].get(one)
            body = b"".join(answer) if answer.streaming else answer.content
            asked += answer.status_code == 200
            if str(FIRST)[:9] in body.decode(errors="replace") + str(answer.headers):
                found.add(name)
    assert asked > 40
    assert found == set()
