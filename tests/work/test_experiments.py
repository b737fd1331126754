"""Experiments: said before, told as far as their author says, asked about once, and a result whichever way they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from experts.models import Membership, Team
from experts.notices import Notice, news
from immersive.work import reminding
from immersive.work.lessons import experiments, told
from immersive.work.lessons.experiments import Tried
from immersive.work.lessons.forms import ExperimentForm
from immersive.work.lessons.rows import Experiment, Reach
from immersive.work.lessons.told import SomebodyIsNamed, To
from immersive.work.working_time import today_of
from knowledge.access import Viewer
from knowledge.models import Resource
from tests.work.conftest import client_of

pytestmark = pytest.mark.django_db
TRIED = Tried(
    "If we log the pressure first, fewer valves are changed.", "Valves changed in eight visits, before and after."
)


@pytest.fixture
def make(people: Any) -> Callable[..., Experiment]:
    def make(to: To | None = None, **more: Any) -> Experiment:
        return experiments.plan(author=people.owner, tried=more.pop("tried", TRIED), to=to or To(), **more)

    return make


LISTED = 6
"""Queries of the list: session, person, teams, how many, rows, topics."""
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_it_reaches_whom_its_author_says_and_nobody_else(people: Any, make: Callable[..., Experiment]) -> None:
    team = Team.objects.create(name="Steam", slug="steam")
    Membership.objects.create(person=people.owner, team=team)
    Membership.objects.create(person=people.peer, team=team)
    readers = {}
    for to in (To(Reach.DRAFT), To(Reach.ME), To(Reach.TEAM, team.public_id), To(Reach.COMPANY)):
        url = make(to).get_absolute_url()
        codes = {role: client_of(person).get(url).status_code for role, person in vars(people).items()}
        title = "<title>An experiment of mine" in client_of(people.owner).get(url).content.decode()
        assert title == (to.reach in (Reach.DRAFT, Reach.ME)), "a title is kept by the browser"
        readers[to.reach] = {role for role, code in codes.items() if code == 200}
        assert set(codes.values()) <= {200, 404}
    assert readers == {
        Reach.DRAFT: {"owner"},
        Reach.ME: {"owner"},
        Reach.TEAM: {"owner", "peer"},
        Reach.COMPANY: set(vars(people)),
    }
    listed = client_of(people.superuser).get("/lessons/experiments/").content.decode()
    assert listed.count('class="row-title"') == 1
    with pytest.raises(ValidationError):
        make(To(Reach.TEAM, Team.objects.create(name="Other", slug="other").public_id))


def test_nobody_is_named_before_others_read_it(people: Any, make: Callable[..., Experiment]) -> None:
    named = Tried("If Pia Roth logs it, it works.", "Visits of Mara Lind.")
    assert make(To(Reach.ME), tried=named).pk
    with pytest.raises(SomebodyIsNamed) as stopped:
        make(To(Reach.COMPANY), tried=named)
    assert set(stopped.value.found) == {"hypothesis", "counts"}
    client = client_of(people.owner)
    typed = {"hypothesis": named.hypothesis, "counts": "Visits", "to": "company", "by": "", "do": "begin"}
    answer = client.post("/lessons/experiments/new", typed)
    assert answer.status_code == 422
    assert "Pia Roth" in answer.content.decode()
    answer = client.post("/lessons/experiments/new", typed | {"instead": "hypothesis:Pia Roth"})
    assert "If a colleague logs it" in answer.content.decode()
    assert Experiment.objects.count() == 1
    told = make(To(Reach.COMPANY))
    answer = client.post(told.get_absolute_url(), {"result": "failed", "found": "Pia Roth forgot it."})
    assert answer.status_code == 422
    assert not Experiment.objects.get(pk=told.pk).result
    client.post(told.get_absolute_url(), {"result": "failed", "found": "Pia Roth forgot it.", "plain": "Pia Roth"})
    assert Experiment.objects.get(pk=told.pk).result == "failed"


def test_a_failed_one_is_a_result_and_what_was_supposed_stays(people: Any, make: Callable[..., Experiment]) -> None:
    one = make(To(Reach.COMPANY))
    assert one.by == today_of(people.owner) + experiments.USUALLY
    experiments.conclude(author=people.owner, experiment=one.public_id, result="failed", found="Nothing changed.")
    page = client_of(people.peer).get(one.get_absolute_url()).content.decode()
    assert "It did not hold" in page
    assert "note-bad" not in page
    with pytest.raises(ValidationError):
        make(experiment=one.public_id, tried=Tried("Something else that held.", TRIED.counts))
    assert client_of(people.peer).post(one.get_absolute_url(), {"result": "held"}).status_code == 404
    told.withdraw(author=people.owner, told=one.public_id)
    assert client_of(people.peer).get(one.get_absolute_url()).status_code == 404
    client_of(people.owner).post(f"/lessons/{one.public_id}/delete")
    assert not Experiment.objects.exists()


def test_its_author_is_asked_once_on_the_day(people: Any, make: Callable[..., Experiment]) -> None:
    today = MONDAY.date()
    one = make(To(Reach.ME), tried=Tried(TRIED.hypothesis, TRIED.counts, today))
    later = make(To(Reach.ME), tried=Tried(TRIED.hypothesis, TRIED.counts, today + timedelta(days=3)))
    make(To(Reach.DRAFT), tried=Tried(TRIED.hypothesis, "", today))
    assert experiments.ask(MONDAY) == 1
    viewer = Viewer.of(people.owner)
    assert [n.said.url for n in news(viewer)] == [f"{one.get_absolute_url()}#result"]
    assert TRIED.hypothesis not in news(viewer)[0].said.mail
    client_of(people.owner).get(one.get_absolute_url())
    assert experiments.ask(MONDAY) == 0
    assert news(viewer) == []
    assert experiments.ask(MONDAY + timedelta(days=3)) == 1
    experiments.conclude(author=people.owner, experiment=later.public_id, result="unclear")
    assert news(viewer) == []
    assert set(Notice.objects.values_list("person", flat=True)) == {people.owner.pk}
    assert experiments.ask(MONDAY + timedelta(days=9999)) == 0
    make(To(Reach.ME), tried=Tried(TRIED.hypothesis, TRIED.counts, today + timedelta(days=7)), experiment=one.public_id)
    assert experiments.ask(MONDAY) == 0
    assert experiments.ask(MONDAY + timedelta(days=7)) == 1, "another day asks anew"
    typed = {"do": "run-on", "found": "Half of it, so far"}
    page = client_of(people.owner).post(one.get_absolute_url(), typed).content.decode()
    assert typed["found"] in page
    one.refresh_from_db()
    assert (one.by, one.result) == (today_of(people.owner) + timedelta(days=7), "")
    assert not Notice.objects.filter(subject=one.public_id).exists()
    assert client_of(people.peer).post(one.get_absolute_url(), typed).status_code == 404


def test_its_author_is_asked_by_their_own_clock_and_only_if_they_want_to_be(
    people: Any, make: Callable[..., Experiment]
) -> None:
    viewer = Viewer.of(people.owner)
    type(people.owner).objects.filter(pk=people.owner.pk).update(time_zone="Pacific/Auckland")  # 13 hours ahead
    make(To(Reach.ME), tried=Tried(TRIED.hypothesis, TRIED.counts, date(2026, 11, 24)))
    reminding.wish(person=people.owner, outcomes=False, recall=True)
    assert experiments.ask(MONDAY.replace(hour=21)) == 0
    reminding.wish(person=people.owner, outcomes=True, recall=True)
    assert [experiments.ask(MONDAY.replace(hour=hour)) for hour in (9, 13, 21)] == [0, 0, 1], "at ten of their Tuesday"
    assert len(news(viewer)) == 1
    reminding.wish(person=people.owner, outcomes=False, recall=True)
    assert news(viewer) == []
    reminding.wish(person=people.owner, outcomes=True, recall=True)
    make(To(Reach.ME), tried=Tried(TRIED.hypothesis, TRIED.counts, date(2026, 11, 28)))
    saturday = datetime(2026, 11, 27, 21, tzinfo=UTC)
    assert [experiments.ask(saturday + timedelta(days=days)) for days in (0, 1, 2)] == [0, 0, 1], "on their Monday"


def test_days_are_those_of_whoever_types_and_looks(people: Any, make_resource: Any) -> None:
    """Where it is latest and where it is earliest, no hour is of one day."""
    last, first = "Etc/GMT+12", "Pacific/Kiritimati"
    day = timezone.localdate(timezone=ZoneInfo(last))
    course = make_resource("Valves")
    Resource.objects.filter(pk=course.pk).update(kind="course", facts={"next_date": day.isoformat()})
    told = {}
    for zone in (last, first):
        type(people.owner).objects.filter(pk=people.owner.pk).update(time_zone=zone)
        client = client_of(people.owner)
        client.post("/lessons/experiments/new", {"hypothesis": "It holds", "counts": "Visits", "to": "me", "by": ""})
        begun = Experiment.objects.latest("pk").by - experiments.USUALLY
        told[zone] = begun > day, "Next date" in client.get(course.get_absolute_url()).content.decode()
    assert told == {last: (False, True), first: (True, False)}


def test_moderators_take_one_away_and_give_it_back_with_a_reason(people: Any, make: Callable[..., Experiment]) -> None:
    one, moderator = make(To(Reach.COMPANY)), client_of(people.superuser)
    at, away = one.get_absolute_url(), f"/lessons/{one.public_id}/moderate"
    assert client_of(people.peer).post(away, {"reason": "So"}).status_code == 403
    assert client_of(people.peer).get("/lessons/taken-away").status_code == 403
    refused = moderator.post(away, {"reason": "It names"})
    assert (refused.status_code, b'value="It names"' in refused.content) == (422, True), "what was typed is still there"
    assert client_of(people.peer).get(at).status_code == 200
    moderator.post(away, {"reason": "It names a shop"})
    assert client_of(people.peer).get(at).status_code == 404
    assert "was taken away: It names a shop" in news(Viewer.of(people.owner))[0].said.text
    assert "It names a shop" in client_of(people.owner).get(at).content.decode()
    assert TRIED.hypothesis in moderator.get("/lessons/taken-away").content.decode()
    typed = {"hypothesis": TRIED.hypothesis, "counts": TRIED.counts, "to": "company", "do": "begin"}
    again = client_of(people.owner).post(f"{at}edit", typed)
    assert again.status_code == 422
    assert "A moderator took this away: “It names a shop”." in again.content.decode()
    for found in ("At the shop", "At the fair"):
        experiments.conclude(author=people.owner, experiment=one.public_id, result="held", found=found)
    assert client_of(people.peer).get(at).status_code == 404, "what came of it gives nothing back"
    Experiment.objects.filter(pk=one.pk).update(result="", found="")
    refused = moderator.post(away, {"reason": "It does", "do": "give-back"})
    assert (refused.status_code, b'value="It does"' in refused.content) == (422, True)
    assert client_of(people.peer).get(at).status_code == 404
    moderator.post(away, {"reason": "It does not", "do": "give-back"})
    assert client_of(people.peer).get(at).status_code == 200
    experiments.conclude(author=people.owner, experiment=one.public_id, result="held", found="At the shop of Brinsley")
    moderator.post(away, {"reason": "It names a shop"})
    again = client_of(people.owner).post(f"{at}edit", typed | {"hypothesis": "It goes another way"})
    assert again.status_code == 302, "what was supposed stays, but for what a moderator took away"
    assert "another way" in client_of(people.peer).get(at).content.decode()
    told.delete(author=people.owner, told=one.public_id)
    assert not Notice.objects.filter(subject=one.public_id).exists()


def test_no_words_without_a_name_are_added_where_few_are_left_to_read_them(
    people: Any, make: Callable[..., Experiment], monkeypatch: Any
) -> None:
    monkeypatch.setattr("experts.asking.sealed.K", 1)
    one = make(To(Reach.COMPANY, anonymous=True))
    experiments.conclude(author=people.owner, experiment=one.public_id, result="held", found="Four valves fewer")
    monkeypatch.setattr("experts.asking.sealed.K", 100)
    typed = {"result": "failed", "found": "One valve more"}
    refused = client_of(people.owner).post(one.get_absolute_url(), typed)
    assert (refused.status_code, "One valve more" in refused.content.decode()) == (422, True)
    assert "people are left to read it" in refused.content.decode()


def test_bad_input_comes_back_whole(people: Any) -> None:
    client = client_of(people.owner)
    for typed in ({"hypothesis": " "}, {"hypothesis": "x" * 501, "counts": "y"}, {"hypothesis": "x", "by": "soon"}):
        answer = client.post("/lessons/experiments/new", {"to": "me", "do": "begin", **typed})
        assert answer.status_code == 422
        assert typed["hypothesis"] in answer.content.decode()
    assert not Experiment.objects.exists()


def test_a_list_asks_the_same_however_long_it_is(
    people: Any, make: Callable[..., Experiment], django_assert_num_queries: Any
) -> None:
    client = client_of(people.peer)
    make(To(Reach.COMPANY))
    client.get("/lessons/experiments/")
    for _ in range(5):
        make(To(Reach.COMPANY))
    with django_assert_num_queries(LISTED):
        assert client.get("/lessons/experiments/").content.decode().count('class="row-title"') == 6


def test_a_day_that_is_past_is_asked_about_once(people: Any) -> None:
    said = {"hypothesis": "If we warm it, it flows", "counts": "Litres", "to": "me", "by": "2020-02-29"}
    asked = ExperimentForm(said, teams=[])
    assert not asked.is_valid()
    assert "29 February 2020 is past. Is it meant?" in str(asked.errors)
    assert ExperimentForm({**said, "meant": asked["meant"].value()}, teams=[]).is_valid()
