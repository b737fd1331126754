"""A plan: routes that were chosen, in their order, each named only while its owner may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import Http404
from django.test import Client
from django.urls import reverse

from experts.asking import actions as asking
from experts.asking.asks import Ask
from immersive.work import actions, plan
from immersive.work.actions import AssessFirst
from immersive.work.models import Step, Task
from knowledge import indexing
from knowledge.models import Resource, Source
from tests.work.conftest import People, viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(task: Task, people: People) -> Task:
    actions.assess(task=task, owner=people.owner, confidence=30)
    return task


@pytest.fixture
def guide(make_resource: Callable[..., Resource]) -> Resource:
    found = make_resource("How a manifest is translated at the quokka office")
    indexing.index_changes()
    return found


def names(task: Task, people: People) -> list[str]:
    return [one.title or one.name for one in plan.steps(task, viewer(people.owner))]


def choose(task: Task, people: People, route: str, key: Any = "") -> Step:
    return plan.choose(task=task, owner=people.owner, route=route, key=str(key))


def test_choosing_adds_a_step_once_and_keeps_where_it_stood(said: Task, people: People, guide: Resource) -> None:
    first = choose(said, people, "informal", guide.public_id)
    assert choose(said, people, "informal", guide.public_id) == first, "a second tap, or another window"
    choose(said, people, "do")
    assert names(said, people) == [guide.title, "Do it yourself"]
    first.refresh_from_db()
    assert first.rank in (1, 2)
    assert first.lean == 2
    assert 0 < first.chance < 1  # type: ignore[operator]
    assert first.advice is not None


def test_nothing_is_chosen_before_it_is_said(task: Task, people: People) -> None:
    with pytest.raises(AssessFirst):
        choose(task, people, "do")


def test_order_done_and_out(said: Task, people: People, guide: Resource) -> None:
    choose(said, people, "informal", guide.public_id)
    own = choose(said, people, "do")
    peer = choose(said, people, "mentor", people.peer.public_id)
    verbs: dict[str, Any] = {"task": said, "owner": people.owner}
    plan.move(step=own.token, up=True, **verbs)
    plan.move(step=own.token, up=True, **verbs)
    plan.move(step=peer.token, up=False, **verbs)
    assert names(said, people) == ["Do it yourself", guide.title, "Pia Roth"]
    plan.done(step=own.token, **verbs)
    assert [one.done for one in plan.steps(said, viewer(people.owner))] == [True, False, False]
    plan.done(step=own.token, done=False, **verbs)
    plan.drop(step=peer.token, **verbs)
    plan.drop(step=peer.token, **verbs)
    steps = plan.steps(said, viewer(people.owner))
    assert [(one.first, one.last, one.done) for one in steps] == [(True, False, False), (False, True, False)]


def test_only_its_owner_has_a_plan(said: Task, people: People) -> None:
    step = choose(said, people, "do")
    for other in people.others.values():
        assert plan.steps(said, viewer(other)) == []
        for verb, more in ((plan.move, {"up": True}), (plan.done, {}), (plan.drop, {})):
            with pytest.raises(Http404):
                verb(task=said, owner=other, step=step.token, **more)
    foreign = actions.start_task(owner=people.peer, statement="Another")
    with pytest.raises(Http404):
        plan.done(task=foreign, owner=people.peer, step=step.token)


def test_what_one_may_not_see_is_as_what_never_was(
    said: Task, people: People, make_resource: Callable[..., Resource], client: Client
) -> None:
    hidden = make_resource("Hidden", tokens=(f"person:{people.peer.pk}",))
    client.force_login(people.owner)
    answers = set()
    for key in (hidden.public_id, "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d", "nonsense", ""):
        with pytest.raises(ValidationError, match="no longer there"):
            choose(said, people, "informal", key)
        got = client.post(reverse("work:choose", args=[said.public_id]), {"choice": f"informal:{key}"})
        answers.add((got.status_code, "no longer there" in got.content.decode()))
    assert answers == {(422, True)}
    with pytest.raises(ValidationError):
        choose(said, people, "fly")


def test_a_person_who_leaves_and_a_page_that_goes_are_named_no_more(
    said: Task, people: People, guide: Resource, client: Client
) -> None:
    choose(said, people, "hand_over", people.peer.public_id)
    choose(said, people, "informal", guide.public_id)
    client.force_login(people.owner)
    shown = client.get(said.get_absolute_url()).content.decode()
    assert "Ask Pia Roth to do it" in shown
    assert "wish=do" in shown
    people.peer.is_active = False
    people.peer.save()
    Source.objects.update(active=False)
    shown = client.get(said.get_absolute_url()).content.decode()
    assert "Pia Roth" not in shown
    assert guide.title not in shown
    assert shown.count("no longer there, or no longer open to you") == 2
    assert [one.gone for one in plan.steps(said, viewer(people.owner))] == [True, True]
    with pytest.raises(ValidationError):
        choose(said, people, "hand_over", people.peer.public_id)


def test_what_is_asked_from_a_step_is_its_owners_to_know(
    said: Task, people: People, guide: Resource, client: Client
) -> None:
    guide.topics.create(slug="manifests", name="Manifest")
    client.force_login(people.owner)
    choose(said, people, "mentor", people.peer.public_id)
    [link] = [one.act.url for one in plan.steps(said, viewer(people.owner))]
    assert link == f"/tasks/{said.public_id}/ask?to={people.peer.public_id}&wish=show", "no word of it in an address"
    form = client.get(link).content.decode()
    assert said.statement in form
    assert re.search(r'name="audience" value="asked"[^>]*checked', form), "for who is asked alone"
    assert "What you write here leaves your task" in form
    assert re.search(r'name="topic" value="Manifest">', form), "offered, and not kept unasked"
    asking = {"text": "What comes first in a manifest?", "wish": "show", "to": str(people.peer.public_id)}
    shown = client.post(link, {**asking, "audience": "asked"}, follow=True).content.decode()
    made = Ask.objects.get()
    assert (made.text, made.only_asked, made.topics.count()) == (asking["text"], True, 0)
    assert f'<a href="{said.get_absolute_url()}#plan">your task</a>' in shown
    page = client.get(said.get_absolute_url()).content.decode()
    assert f'<a href="{made.get_absolute_url()}">Asked on ' in page
    assert "Ask Pia Roth to show you</a></p>" not in page
    assert "already" in client.get(link).content.decode(), "nobody asks twice without knowing"
    client.force_login(people.peer)
    theirs = client.get(made.get_absolute_url()).content.decode()
    assert asking["text"] in theirs
    assert str(said.public_id) not in theirs
    assert client.get(link).status_code == 404


def test_a_step_is_asked_about_by_a_question_to_whom_it_is_with(said: Task, people: People, client: Client) -> None:
    client.force_login(people.owner)
    link = f"/tasks/{said.public_id}/ask?to={people.peer.public_id}&wish=show"
    asking = {"text": "What comes first in a manifest?", "wish": "show", "audience": "everyone"}
    assert client.post(link, {**asking, "to": ""}).status_code == 302
    assert Ask.objects.exists()
    assert not Step.objects.exclude(asked=None).exists()


def test_without_a_name_one_asks_in_other_words_than_the_task_s(
    said: Task, people: People, client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr("experts.asking.sealed.K", 1)
    client.force_login(people.owner)
    link, asked = f"/tasks/{said.public_id}/ask", {"wish": "show", "to": "", "audience": "everyone", "anonymous": "on"}
    refused = client.post(link, {**asked, "text": f"{said.statement.upper()}?"})
    assert (refused.status_code, "known as yours" in refused.content.decode()) == (422, True)
    assert not Ask.objects.exists()
    client.post(link, {**asked, "text": "What comes first in a manifest?"})
    assert Ask.objects.get().sealed


def test_what_is_asked_without_a_name_is_tied_to_no_task(said: Task, people: People, monkeypatch: Any) -> None:
    monkeypatch.setattr("experts.asking.sealed.K", 1)
    made = asking.ask(viewer=viewer(people.owner), text="What comes first in a manifest?", anonymous=True)
    plan.asked(task=said, owner=people.owner, ask=made, route="mentor", key=str(people.peer.public_id))
    assert not Step.objects.exclude(asked=None).exists()


def test_a_plan_has_an_end(said: Task, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_STEPS", 1)
    choose(said, people, "do")
    with pytest.raises(ValidationError, match="at most 1"):
        choose(said, people, "mentor", people.peer.public_id)


def test_a_plan_is_read_in_one_query(
    said: Task, people: People, guide: Resource, django_assert_num_queries: Any
) -> None:
    choose(said, people, "informal", guide.public_id)
    choose(said, people, "hand_over", people.peer.public_id)
    me = viewer(people.owner)
    with django_assert_num_queries(1):
        assert all(one.title for one in plan.steps(said, me))
