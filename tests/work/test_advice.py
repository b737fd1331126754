"""The card of a task: kept with what it rests on, and shown as long as all of that may be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from experts import choices
from experts.mentoring import mentorships
from experts.models import Person
from immersive.work import actions, advice, card, jobs, plan, tasks
from immersive.work.lessons import told
from immersive.work.lessons.rows import Reach
from immersive.work.lessons.telling import To
from immersive.work.models import Advice, Step, Task
from immersive.work.routes import Candidate, Counts, Difficulty, Route
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.models import Audience, Resource
from tests import small_company
from tests.work.conftest import at_home
from tests.work.lessons_told import SAID, tell

pytestmark = pytest.mark.django_db
TASK = "Descale the kettle in the canteen"


@pytest.fixture(scope="module")
def cooking(standing: Path) -> Path:
    """Somebody with a task, somebody who wrote about it, a tool, pages and a course."""
    for name in ("ana", "ben", "cleo"):
        Person.objects.create_user(name, name=f"{name.title()} Lind")
    wrote = Contribution("Ben Lind", last=small_company.days_ago(9))
    course = {"duration_minutes": 360, "next_date": small_company.days_ago(-14).date().isoformat(), "places": 3}
    pages = [
        Document(
            key="kettle", title="Descaling a kettle", contributions=(wrote,), topics=("limescale",),
            body="## Acid\n\nDescale the kettle with citric acid. Order it in Larder, and tell the canteen.",
        ),
        Document(key="lamp", title="Changing a lamp", body="Call the house and wait for the ladder."),
    ]  # fmt: skip
    more = [
        Document(key="Larder", title="Larder", kind="tool", body="order supplies", facts={"jobs": ["order supplies"]}),
        Document(
            key="course", title="Kettles and steam", kind="course", body="All about kettles.", facts=course,
            topics=("limescale",),
        ),
    ]  # fmt: skip
    with TestCase.captureOnCommitCallbacks(execute=True):
        small_company.source_of("kitchen", pages)
        small_company.source_of("catalogue", more)
    small_company.index()
    return standing


@pytest.fixture
def kitchen(cooking: Path, settings: LazySettings, db: None) -> dict[str, Any]:
    """Who is in it, for one test."""
    at_home(cooking, settings)
    return {person.username: person for person in Person.objects.filter(username__in=("ana", "ben", "cleo"))}


@pytest.fixture
def said(kitchen: dict[str, Any]) -> Task:
    page = Resource.objects.get(key="kettle")
    task = actions.start_task(owner=kitchen["ana"], statement=TASK, started_from=page)
    actions.assess(task=task, owner=kitchen["ana"], confidence=30, known={"limescale": "not_yet"})
    return task


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens within is undone after it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def show(task: Task, **more: Any) -> advice.Shown:
    viewer = Viewer.of(Person.objects.get(pk=task.owner_id))
    shown = advice.advise(tasks.mine_or_404(task.public_id, viewer), viewer, **more)
    assert shown is not None
    return shown


def html_of(task: Task, person: Person) -> str:
    """The task's page as this person gets it."""
    client = Client()
    client.force_login(person)
    return str(client.get(task.get_absolute_url()).content.decode())


def ways(shown: advice.Shown) -> dict[Route, Candidate]:
    return {row.route: row.candidate for row in shown.card.rows}


def test_there_is_none_before_it_is_said_how_sure_one_is_and_never_for_others(kitchen: dict[str, Any]) -> None:
    task = actions.start_task(owner=kitchen["ana"], statement=TASK)
    mine = Viewer.of(kitchen["ana"])
    assert advice.advise(tasks.mine_or_404(task.public_id, mine), mine) is None
    actions.assess(task=task, owner=kitchen["ana"], confidence=50)
    found = tasks.mine_or_404(task.public_id, mine)
    assert advice.advise(found, Viewer.of(kitchen["ben"])) is None
    assert not Advice.objects.exists()
    assert advice.advise(found, mine) is not None


def test_same_input_gives_the_same_card_without_a_search(said: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    first = show(said)
    assert set(ways(first)) == set(Route)
    monkeypatch.setattr("knowledge.search.index.open_for_reading", None)  # whoever searches, fails
    monkeypatch.setattr(advice.timezone, "now", lambda: first.made_at)
    assert show(said).card == show(said).card == first.card
    assert [show(said, lean=0).card, show(said, lean=4).card] == [show(said, lean=0).card, show(said, lean=4).card]
    assert show(said, lean=0).card != show(said, lean=4).card
    assert Advice.objects.count() == 1


def test_asks_the_database_a_fixed_number_of_times(said: Task, django_assert_max_num_queries: Any) -> None:
    viewer = Viewer.of(Person.objects.get(pk=said.owner_id))
    for most, more in ((11, {}), (5, {}), (11, {"again": True})):
        task = tasks.mine_or_404(said.public_id, viewer)
        with django_assert_max_num_queries(most):
            shown = advice.advise(task, viewer, **more)
        assert shown is not None
        assert len(shown.card.rows) == len(Route)


def test_the_page_asks_the_database_twelve_times_at_most_from_what_is_kept(
    said: Task, kitchen: dict[str, Any], client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(kitchen["ana"])
    fresh = actions.start_task(owner=kitchen["ana"], statement=TASK)
    with django_assert_max_num_queries(5):  # session, account, tokens; task, topics
        client.get(fresh.get_absolute_url())
    with django_assert_max_num_queries(17):  # these; like tasks, what is found and kept, eleven together; lessons
        client.get(said.get_absolute_url())
    way = ways(show(said))[Route.INFORMAL]
    plan.choose(task=said, owner=kitchen["ana"], route=way.route, key=way.key)
    with django_assert_max_num_queries(12):  # those five; plan; like tasks, what it rests on, people in three; lessons
        assert way.title in client.get(said.get_absolute_url()).content.decode()


def test_no_word_is_kept_of_what_it_rests_on(said: Task) -> None:
    show(said)
    kept = json.dumps(Advice.objects.get().rests_on).casefold()
    for word in ("kettle", "larder", "ben", "lind", "limescale", "acid", "order", "steam", "wrote"):
        assert word not in kept
    rest = advice.read(Advice.objects.get().rests_on)
    assert rest is not None
    assert advice.write(rest) == Advice.objects.get().rests_on
    assert advice.read({}) is None


def test_what_may_not_be_read_any_more_is_gone_at_once(said: Task, kitchen: dict[str, Any]) -> None:
    before = show(said)
    others = Audience.objects.of([f"person:{kitchen['cleo'].pk}"])
    for one in Resource.objects.filter(key__in=["kettle", "Larder", "course"]):
        assert one.title in repr(before.card)
        with taken_back():
            Resource.objects.filter(pk=one.pk).update(audience=others)
            after = show(said)
            assert str(one.public_id) not in repr(after.card)
            assert one.title not in [row.candidate.title for row in after.card.rows]
            assert after.stale == (advice.GONE,)
            if one.key == "kettle":
                assert not {Route.HAND_OVER, Route.MENTOR} & ways(after).keys(), "who is known by that page alone"
            assert show(said).stale == ()


def test_a_lesson_stands_above_its_row_while_one_may_read_it_and_is_kept_nowhere(
    said: Task, kitchen: dict[str, Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    def shown() -> str:
        return html_of(said, kitchen["ana"])

    assert "Worth knowing first" not in shown()
    before, kettle = show(said), Resource.objects.get(key="kettle")
    here = SimpleNamespace(ana=kitchen["ben"], rows={"zero": kettle})
    lesson_told = tell(
        here, lambda: django_capture_on_commit_callbacks(execute=True), To(Reach.COMPANY), topics=("limescale",)
    )
    above = re.search(r'<tr role="row" class="score-note">.*?</tr>\s*<tr.*?</tr>', shown(), re.DOTALL)
    assert above is not None
    assert SAID.know_now in above[0]
    assert kettle.title in above[0], "above the row of the page that it concerns"
    lesson = Resource.objects.get(kind="lesson")
    assert reverse("work:beside", args=[said.public_id, lesson.public_id]) in above[0]
    after = show(said)
    assert (after.advice, [row.worth for row in after.card.rows]) == (
        before.advice,
        [row.worth for row in before.card.rows],
    ), "it is no part of what is weighed"
    assert lesson.public_id.hex not in json.dumps(Advice.objects.get().rests_on)
    with taken_back():
        Resource.objects.filter(pk=lesson.pk).update(audience=Audience.objects.of([f"person:{kitchen['cleo'].pk}"]))
        assert SAID.know_now not in shown()
    told.withdraw(author=kitchen["ben"], told=lesson_told.public_id)
    assert SAID.know_now not in shown()


def test_a_row_and_its_step_in_the_plan_are_begun_the_same_way(said: Task, kitchen: dict[str, Any]) -> None:
    larder = Resource.objects.filter(key="Larder")
    larder.update(url="https://larder.example.org/", facts={"jobs": ["order supplies"], "access": "asked of IT"})
    Resource.objects.filter(key="course").update(url="javascript:alert(1)")
    viewer = Viewer.of(kitchen["ana"])
    shown = show(said)
    acts = {line.route: line.act for line in card.look(said, shown, [], viewer).lines}
    for route, way in ways(shown).items():
        plan.choose(task=said, owner=kitchen["ana"], route=route, key=way.key)
    for one in plan.steps(said, viewer):
        began = acts[one.route]
        assert began is not None
        if one.route is Route.INFORMAL:
            began = replace(began, at="")  # the card knows the place where to begin, a step the page
        assert (one.act.words, one.act.url, one.act.access) == (began.words, began.url, began.access), one.route
    leads = {route: act.url for route, act in acts.items() if act}
    ben = kitchen["ben"].public_id
    assert f"to={ben}&wish=show" in leads[Route.MENTOR]
    assert f"to={ben}&wish=do" in leads[Route.HAND_OVER]
    assert leads[Route.TOOL] == "https://larder.example.org/"
    assert leads[Route.FORMAL] == leads[Route.DO] == "", "an address that is none is no link"
    rows, _, below = html_of(said, kitchen["ana"]).partition('id="weighed"')
    assert "How+do+I+get+access+to+Larder" in rows, "where access is to be asked for, a row begins with asking"
    assert f"to={ben}&amp;wish=show" in rows
    assert 'href="https://larder.example.org/"' not in rows
    assert 'href="https://larder.example.org/"' in below, "the plan has both"


def test_while_a_right_is_on_its_way_into_the_index_only_what_it_is_of_takes_no_part(
    said: Task, kitchen: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    kept, mine = show(said).advice, Audience.objects.of([f"person:{kitchen['ana'].pk}"])
    viewer = Viewer.of(kitchen["ana"])
    with taken_back():
        Resource.objects.filter(key="lamp").update(audience=mine)
        task = tasks.mine_or_404(said.public_id, viewer)
        with django_assert_max_num_queries(9):
            shown = advice.advise(task, viewer)
        assert shown is not None
        assert (shown.advice, shown.stale) == (kept, ())
    Resource.objects.filter(key="kettle").update(audience=mine)
    assert Resource.objects.visible_to(viewer).filter(key="kettle").exists()
    after = show(said)
    assert after.stale == (advice.GONE,)
    assert "Descaling a kettle" not in repr(after.card)


LEAVES: dict[str, Callable[[Person], Any]] = {
    "leaves": lambda ben: Person.objects.filter(pk=ben.pk).update(is_active=False),
    "hides": lambda ben: choices.hide(person=ben),
    "takes no questions": lambda ben: choices.choose(person=ben, asks_a_week=0),
    "not about this": lambda ben: choices.say_of_topic(person=ben, name="limescale", ask="no"),
    "keeps it to themselves": lambda ben: choices.say_of_topic(person=ben, name="Limescale", hidden=True),
    "did not write it": lambda ben: choices.disown(person=ben, resource=Resource.objects.get(key="kettle")),
    "is away": lambda ben: choices.close(
        person=ben, since=timezone.localdate() - timedelta(1), until=timezone.localdate() + timedelta(1)
    ),
}


def test_who_leaves_or_does_not_want_to_be_asked_is_gone_at_once(said: Task, kitchen: dict[str, Any]) -> None:
    assert ways(show(said))[Route.HAND_OVER].title == "Ben Lind"
    for how, leaves in LEAVES.items():
        with taken_back():
            leaves(kitchen["ben"])
            assert "Ben Lind" not in repr(show(said).card), how


def test_an_offer_to_mentor_counts_only_while_it_stands(said: Task, kitchen: dict[str, Any]) -> None:
    before = ways(show(said))[Route.MENTOR]
    mentorships.offer(person=kitchen["ben"], topic="limescale")
    after = ways(show(said))[Route.MENTOR]
    assert after.fit > before.fit
    assert "Offers to mentor in limescale." in [reason.text for reason in after.reasons]
    mentorships.take_back(person=kitchen["ben"], key="limescale", offered=True)
    assert ways(show(said))[Route.MENTOR] == before


def test_a_course_that_is_full_is_not_offered(said: Task) -> None:
    assert "3 places left" in ways(show(said))[Route.FORMAL].reasons[0].text
    course = Resource.objects.get(key="course")
    Resource.objects.filter(pk=course.pk).update(facts={**course.facts, "places": 0})
    assert Route.FORMAL not in ways(show(said))
    yesterday = small_company.days_ago(1).date().isoformat()
    Resource.objects.filter(pk=course.pk).update(facts={**course.facts, "next_date": yesterday})
    assert Route.FORMAL not in ways(show(said))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # one of them has another day than UTC
def test_a_course_begins_by_the_clock_of_who_asks(said: Task, kitchen: dict[str, Any], zone: str) -> None:
    Person.objects.filter(pk=kitchen["ana"].pk).update(time_zone=zone)
    course = Resource.objects.get(key="course")
    for gone_by, offered in ((0, True), (1, False)):
        day = timezone.localdate(timezone=ZoneInfo(zone)) - timedelta(gone_by)
        Resource.objects.filter(pk=course.pk).update(facts={**course.facts, "next_date": day.isoformat()})
        assert (Route.FORMAL in ways(show(said))) is offered


def test_is_made_anew_after_a_day_and_when_the_clock_was_set_back(said: Task) -> None:
    show(said)
    for moved in (timedelta(hours=-30), timedelta(hours=3)):
        Advice.objects.update(made_at=timezone.now() + moved)
        assert show(said).stale == (advice.OLD,)
        assert show(said, again=True).stale == ()


def test_own_like_tasks_tell_how_it_goes_alone_and_how_hard_it_is(said: Task, kitchen: dict[str, Any]) -> None:
    before = show(said)
    assert before.inferred == 0
    for number, (result, minutes) in enumerate([(1.0, 300), (0.0, 360), (1.0, 420)]):
        task = actions.start_task(owner=kitchen["ana"], statement=f"Descale kettle {number} in the canteen")
        actions.assess(task=task, owner=kitchen["ana"], confidence=50)
        actions.log_outcome(task=task, owner=kitchen["ana"], result=result, minutes=minutes)
    other = actions.start_task(owner=kitchen["ben"], statement=TASK)
    actions.assess(task=other, owner=kitchen["ben"], confidence=50)
    actions.log_outcome(task=other, owner=kitchen["ben"], result=1.0, minutes=1)
    after = show(said)
    assert after.stale == (advice.LIKE,)
    alone = next(row for row in after.card.rows if row.route is Route.DO)
    assert alone.candidate.past == Counts(2.0, 3, pytest.approx(5.944, abs=0.001), 3)
    assert alone.odds.own == alone.timed == 3
    assert alone.candidate.reasons[0].text == "2 of 3 like tasks of yours worked"
    assert (after.situation.difficulty, after.inferred) == (Difficulty.HARD, 3)
    actions.delete_task(task=task, owner=kitchen["ana"])
    assert next(row for row in show(said).card.rows if row.route is Route.DO).odds.own == 2


def test_any_words_have_a_card(kitchen: dict[str, Any]) -> None:
    for words in ("Kettle", "Entkalke den Kessel in der Kantine", "zzyzx", "…", "kettle " * 42):
        task = actions.start_task(owner=kitchen["cleo"], statement=words, due=timezone.localdate() - timedelta(400))
        actions.assess(task=task, owner=kitchen["cleo"], confidence=10)
        shown = show(task)
        assert ways(shown)[Route.DO].title == "On your own"
        assert shown.situation.hours_left == 0.0
        assert [row.route for row in show(task).card.rows] == [row.route for row in shown.card.rows]


def test_without_index_tools_people_and_documents_there_is_oneself(make_person: Callable[..., Any]) -> None:
    owner = make_person("solo")
    task = actions.start_task(owner=owner, statement=TASK)
    actions.assess(task=task, owner=owner, confidence=90)
    assert list(ways(show(task))) == list(ways(show(task))) == [Route.DO]


def test_advice_that_nobody_chose_from_is_forgotten(make_person: Callable[..., Any]) -> None:
    owner = make_person("solo")
    task = actions.start_task(owner=owner, statement=TASK)
    actions.assess(task=task, owner=owner, confidence=90)
    _left, chosen, new = (show(task, again=True) for _ in range(3))
    Step.objects.create(task=task, place=1, route=Route.DO, advice=chosen.advice)
    Advice.objects.exclude(pk=new.advice.pk).update(made_at=timezone.now() - advice.KEPT - timedelta(1))
    jobs.forget_advice()
    assert set(Advice.objects.all()) == {chosen.advice, new.advice}
