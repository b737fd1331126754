"""Sharing a task: with whom its owner wants, what there is to do and no more, as long as both are where they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone

from experts.digests import letter
from experts.models import Availability, Membership, Team
from experts.notices import Notice, news
from immersive.work import actions, sharing
from immersive.work.models import Share, Step, Task
from knowledge.access import Viewer
from tests.work.conftest import STATEMENT, SURPRISE, People, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(people: People) -> Team:
    """A team of the owner, their peer and their manager."""
    made: Team = Team.objects.create(name="Night shift", slug="night")
    for person in (people.owner, people.peer, people.manager):
        Membership.objects.create(person=person, team=made)
    return made


def test_they_see_what_there_is_to_do_and_no_more(
    people: People, finished: Task, make_resource: Callable[..., Any]
) -> None:
    readable = make_resource("Glossaries", topics=("Drift",))
    hidden = make_resource("Board paper", topics=("Gargoyles",), tokens=(f"person:{people.owner.pk}",))
    finished.topics.set([*readable.topics.all(), *hidden.topics.all()])
    Task.objects.filter(pk=finished.pk).update(context="The third page", due=date(2026, 12, 1), started_from=hidden)
    for place, resource in enumerate((readable, hidden)):
        Step.objects.create(task=finished, place=place, route="informal", resource=resource)
    assert client_of(people.peer).get(sharing.address(finished.public_id)).status_code == 404
    sharing.share(task=finished, owner=people.owner, person=people.peer)
    page = client_of(people.peer).get(sharing.address(finished.public_id)).content.decode()
    for word in (STATEMENT, "The third page", "1 December 2026", "Glossaries", "Olu Ade", "Drift"):
        assert word in page
    for word in ("Board paper", "Gargoyles", SURPRISE, "bet on it", "90&nbsp;%", "With help", "Partly"):
        assert word not in page
    assert STATEMENT in client_of(people.peer).get("/tasks/shared/").content.decode()
    for other in (people.manager, people.superuser):
        assert client_of(other).get(sharing.address(finished.public_id)).status_code == 404
        assert STATEMENT not in client_of(other).get("/tasks/shared/").content.decode()
    assert client_of(people.peer).get(finished.get_absolute_url()).status_code == 404, "the task itself stays closed"
    assert "Board paper" in client_of(people.owner).get(sharing.address(finished.public_id)).content.decode()


def test_a_team_sees_it_while_both_are_in_it(people: People, task: Task, team: Team) -> None:
    sharing.share(task=task, owner=people.owner, team=team)
    sees = {name for name, one in people.others.items() if sharing.shared_with(Viewer.of(one)).exists()}
    assert sees == {"peer", "manager"}
    Membership.objects.filter(person=people.peer).update(until=timezone.now())
    assert not sharing.shared_with(Viewer.of(people.peer)).exists()
    Membership.objects.filter(person=people.owner).update(until=timezone.now())
    assert not sharing.shared_with(Viewer.of(people.manager)).exists()


@pytest.mark.parametrize("with_team", [True, False])
def test_it_ends_when_taken_back_deleted_or_when_its_owner_leaves(
    people: People, task: Task, team: Team, with_team: bool
) -> None:
    whom: dict[str, Any] = {"team": team} if with_team else {"person": people.peer}
    viewer = Viewer.of(people.peer)
    made = sharing.share(task=task, owner=people.owner, **whom)
    with pytest.raises(Http404):
        sharing.take_back(task=task, owner=people.peer, share=made.token)
    sharing.take_back(task=task, owner=people.owner, share=made.token)
    sharing.take_back(task=task, owner=people.owner, share=made.token)
    with pytest.raises(Http404):
        sharing.shared_or_404(task.public_id, viewer)
    assert news(viewer) == [], "what was told of it is told no more"
    sharing.share(task=task, owner=people.owner, **whom)
    people.owner.is_active = False
    people.owner.save()
    assert not sharing.shared_with(viewer).exists()
    people.owner.is_active = True
    people.owner.save()
    assert sharing.shared_with(viewer).exists()
    actions.delete_task(task=task, owner=people.owner)
    assert not Share.objects.exists()
    assert not Notice.objects.exists()


def test_they_are_told_once_and_a_mail_says_no_word_of_it(people: People, task: Task, team: Team) -> None:
    for _ in range(2):
        sharing.share(task=task, owner=people.owner, team=team)
    assert set(Notice.objects.values_list("person", flat=True)) == {people.peer.pk, people.manager.pk}
    told = news(Viewer.of(people.peer))
    assert STATEMENT in told[0].said.text
    mail = letter(people.peer, told)
    assert "Olu Ade shares a task with you" in mail.body
    assert "zanzibarite" not in f"{mail.subject} {mail.body} {mail.alternatives}".lower()
    client_of(people.peer).get(sharing.address(task.public_id))
    assert news(Viewer.of(people.peer)) == [], "seen by opening it"


def test_who_sees_it_no_more_has_no_news_of_it(people: People, task: Task, team: Team) -> None:
    alone = sharing.share(task=task, owner=people.owner, person=people.peer)
    both = sharing.share(task=task, owner=people.owner, team=team)
    sharing.take_back(task=task, owner=people.owner, share=both.token)
    assert [one.person for one in Notice.objects.all()] == [people.peer]
    sharing.take_back(task=task, owner=people.owner, share=alone.token)
    assert not Notice.objects.exists()


def test_where_it_began_is_told_without_what_was_asked_there(people: People, task: Task) -> None:
    page = "https://olu:key@example.org/cases/7?who=olu#top"
    Task.objects.filter(pk=task.pk).update(page_url=page)
    sharing.share(task=task, owner=people.owner, person=people.peer)
    for reader in (people.peer, people.owner):
        assert sharing.shared_or_404(task.public_id, Viewer.of(reader)).page_url == "https://example.org/cases/7"
    assert "the place you began at" in client_of(people.owner).get(f"{task.get_absolute_url()}share").content.decode()


def test_only_with_those_who_can_be_found_and_ones_own_teams(people: People, task: Task) -> None:
    Availability.objects.create(person=people.peer, hidden=True)
    strangers: Team = Team.objects.create(name="Board", slug="board")
    for whom in ({"person": people.peer}, {"person": people.owner}, {"team": strangers}, {}):
        with pytest.raises(ValidationError):
            sharing.share(task=task, owner=people.owner, **whom)
    with pytest.raises(Http404):
        sharing.share(task=task, owner=people.manager, person=people.staff)
    assert not Share.objects.exists()


def test_by_name_on_the_page(people: People, task: Task, make_person: Callable[..., Any], team: Team) -> None:
    other = make_person("pia2", name="Pia Roth", role="Welder")
    client, address = client_of(people.owner), f"{task.get_absolute_url()}share"
    refused = client.post(address, {"name": "Nobody at all"})
    assert refused.status_code == 422
    assert "Nobody at all" in refused.content.decode()
    assert "Welder" in client.post(address, {"name": "pia roth"}).content.decode(), "two of one name are told apart"
    client.post(address, {"name": "pia roth", "person": str(other.public_id)})
    client.post(address, {"team": str(team.public_id)})
    shares = Share.objects.order_by("pk")
    assert [(one.person, one.team) for one in shares] == [(other, None), (None, team)]
    page = client.get(address).content.decode()
    assert "Night shift" in page
    client.post(f"{address}/back", {"share": shares[0].token})
    assert list(Share.objects.values_list("team", flat=True)) == [team.pk]
    assert "Mara Lind" in client.get("/tasks/colleagues?name=mara").content.decode()


def test_the_lock_is_literal(people: People, task: Task, team: Team) -> None:
    mine = client_of(people.owner)
    assert "Only you can read this page" in mine.get(task.get_absolute_url()).content.decode()
    sharing.share(task=task, owner=people.owner, person=people.peer)
    sharing.share(task=task, owner=people.owner, team=team)
    page = " ".join(mine.get(task.get_absolute_url()).content.decode().split())
    assert "Only you can read this page" not in page
    assert f'<a href="/tasks/{task.public_id}/share">Shared with</a> Pia Roth and Night shift' in page
    for address in ("/tasks/", "/"):
        assert f'<a href="/tasks/{task.public_id}/share">Shared</a>' in mine.get(address).content.decode()


def test_a_wrong_name_takes_nothing_off_the_page(people: People, task: Task, team: Team) -> None:
    sharing.share(task=task, owner=people.owner, person=people.peer)
    wrong = client_of(people.owner).post(f"/tasks/{task.public_id}/share", {"name": "Nobody"})
    assert wrong.status_code == 422
    endless = client_of(people.owner).post(f"/tasks/{task.public_id}/share", {"name": "%_" * 100_000})
    assert endless.status_code == 422
    for kept in ("Nobody of that name", 'value="Nobody"', "Pia Roth", "Share with Night shift"):
        assert kept in wrong.content.decode()


def test_lists_ask_as_often_however_long_they_are(people: People, team: Team, django_assert_num_queries: Any) -> None:
    client = client_of(people.peer)
    for number in range(7):
        task = actions.start_task(owner=people.owner, statement=f"Task {number}")
        sharing.share(task=task, owner=people.owner, team=team)
    with django_assert_num_queries(5):  # session, user, the viewer's tokens; then counted, read
        assert client.get("/tasks/shared/").content.decode().count("Olu Ade") == 7
    with django_assert_num_queries(9):  # ...; then the task, its topics, their names, where it began, its plan, notices
        client.get(sharing.address(task.public_id))
