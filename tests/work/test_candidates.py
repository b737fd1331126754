"""What each route would be: gathered from what the worker may read, and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils import timezone

from experts import choices
from experts.mentoring import mentorships
from experts.models import Person
from immersive.work import candidates
from immersive.work.like_tasks import stems
from immersive.work.routes import DOES_THE_JOB, Candidate, Route
from immersive.work.wording import in_words
from immersive.work.working_time import Clock
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.models import Audience, Resource
from tests import small_company
from tests.experts.conftest import hold  # noqa: F401 - a fixture
from tests.work.conftest import at_home

pytestmark = pytest.mark.django_db
TASK = "Descale the kettle in the canteen"


def tool(key: str, *jobs: str, **facts: Any) -> Document:
    return Document(key=key, title=key, kind="tool", body="\n".join(jobs), facts={"jobs": list(jobs), **facts})


@pytest.fixture(scope="module")
def cooking(standing: Path) -> Path:
    """People, two tools, a page that names one of them, and a course."""
    for name in ("ana", "ben", "cleo"):
        Person.objects.create_user(name, name=f"{name.title()} Lind")
    wrote = Contribution("Ben Lind", last=small_company.days_ago(9))
    with TestCase.captureOnCommitCallbacks(execute=True):
        small_company.source_of(
            "kitchen",
            [
                Document(
                    key="kettle", title="Descaling a kettle", topics=("limescale",), contributions=(wrote,),
                    body="Descale the kettle with citric acid. Order the acid in Larder, and tell the canteen.",
                ),
                Document(key="lamp", title="Changing a lamp", body="Call the house and wait for the ladder."),
                tool("Larder", "order supplies", access="everyone"),
                tool("Scaler", "descale a kettle by itself", access="kitchen only"),
                Document(
                    key="course", title="Water and steam", kind="course", body="All about boilers.",
                    topics=("limescale",),
                    facts={"duration_minutes": 360, "next_date": small_company.days_ago(-14).date().isoformat()},
                ),
                Document(
                    key="past", title="Boilers of last year", kind="course", body="Gone.", topics=("limescale",),
                    facts={"next_date": small_company.days_ago(40).date().isoformat()},
                ),
            ],
        )  # fmt: skip
    small_company.index()
    return standing


@pytest.fixture
def kitchen(cooking: Path, settings: LazySettings, db: None) -> dict[str, Any]:
    """Who is in it, for one test."""
    at_home(cooking, settings)
    return {person.username: person for person in Person.objects.filter(username__in=("ana", "ben", "cleo"))}


NOW = timezone.now()


def gather(words: str, viewer: Viewer, **more: Any) -> list[Candidate]:
    return in_words(candidates.gather(words, viewer, **more), NOW, Clock())


def found(person: Any, words: str = TASK, **more: Any) -> dict[Route, list[Candidate]]:
    by_route: dict[Route, list[Candidate]] = {}
    for one in gather(words, Viewer.of(person), **more):
        by_route.setdefault(one.route, []).append(one)
    return by_route


def test_each_route_has_what_there_is(kitchen: dict[str, Any]) -> None:
    here = found(kitchen["ana"], known={"limescale": 0.0})
    assert [one.title for one in here[Route.DO]] == ["On your own"]
    assert here[Route.INFORMAL][0].title == "Descaling a kettle"
    assert [one.title for one in here[Route.HAND_OVER]] == [one.title for one in here[Route.MENTOR]] == ["Ben Lind"]
    assert [one.title for one in here[Route.FORMAL]] == ["Water and steam"], "by its topic; not what is past"
    assert here[Route.FORMAL][0].hours == 8.0
    scaler = next(one for one in here[Route.TOOL] if one.title == "Scaler")
    assert scaler.reasons[0].text == "It can descale a kettle by itself"
    assert scaler.begins_in > 0, "access is to be asked for"


def test_a_tool_counts_that_a_page_about_the_task_names(kitchen: dict[str, Any]) -> None:
    larder = next(one for one in found(kitchen["ana"])[Route.TOOL] if one.title == "Larder")
    assert larder.fit > 0.4
    assert larder.reasons[0].text == "“Descaling a kettle” says to use it"


def test_what_is_far_off_is_not_offered(kitchen: dict[str, Any]) -> None:
    assert set(found(kitchen["ana"], "Write a long letter about how we paint the house and all of its seating")) == {
        Route.DO
    }
    one, verb, thing = tool("Larder", "order supplies"), stems("Order a taxi"), stems("Put supplies on the shelf")
    assert candidates._best_job(one, verb)[1] < candidates.LEAST[Route.TOOL], "much is ordered"
    assert candidates._best_job(one, thing)[1] > DOES_THE_JOB


def test_where_a_task_was_begun_is_something_to_read_while_it_may_be_read(kitchen: dict[str, Any]) -> None:
    lamp, words = Resource.objects.get(key="lamp"), "Paint the seating"
    assert Route.INFORMAL not in found(kitchen["ana"], words)
    assert [one.title for one in found(kitchen["ana"], words, begun=lamp.public_id)[Route.INFORMAL]] == [lamp.title]
    Resource.objects.filter(pk=lamp.pk).update(audience=Audience.objects.of([f"person:{kitchen['cleo'].pk}"]))
    assert Route.INFORMAL not in found(kitchen["ana"], words, begun=lamp.public_id)


def test_what_is_hidden_takes_no_part(kitchen: dict[str, Any], hold: Callable[..., Any]) -> None:  # noqa: F811
    """Promise 4, of routes: hidden pages, tools and courses, by people whom one may see, move no figure and no word."""
    mine, known = Viewer.of(kitchen["ana"]), {"limescale": 0.0}
    asked = (TASK, "Order citric acid", "Change the lamp above the boiler", "kettle", "zzyzx")
    before = [gather(words, mine, known=known) for words in asked]
    cleo, ben = (Contribution(f"{name} Lind", last=small_company.days_ago(1)) for name in ("Cleo", "Ben"))
    hidden = [
        Document(
            key=f"secret {number}", title=f"{words} {number}", topics=("limescale",), contributions=(cleo, ben),
            body=f"{words}. Use Larder and Scaler. {TASK}.", kind=("page", "answer", "video")[number % 3],
        )
        for number, words in enumerate(asked[:4] * 8)
    ]  # fmt: skip
    hidden += [tool(f"Kettlemate {number}", TASK, "order citric acid") for number in range(8)]
    hidden += [
        Document(key=f"c{number}", title=f"{TASK} {number}", kind="course", topics=("limescale",))
        for number in range(8)
    ]
    hold("secrets", hidden, audience=[f"person:{kitchen['cleo'].pk}"])
    small_company.index()
    assert [gather(words, mine, known=known) for words in asked] == before
    assert gather(TASK, Viewer.of(kitchen["cleo"]), known=known) != before[0]


def test_courses_of_a_topic_are_few_and_always_the_same(kitchen: dict[str, Any], hold: Callable[..., Any]) -> None:  # noqa: F811
    """Those that cannot be joined take no place of those that can, and no advice rests on what is not looked at."""
    courses = [
        Document(
            key=f"c{at}", title=f"Scale {at}", kind="course", topics=("limescale",), facts={"places": at % 2}
        )
        for at in range(9)
    ]  # fmt: skip
    hold("more", courses)
    small_company.index()
    mine = Viewer.of(kitchen["ana"])
    picks = candidates.gather("Zzyzx", mine, known={"limescale": 0.0})
    titles = [picks.resources[one.key].title for one in picks.picks if one.route is Route.FORMAL]
    assert titles == ["Scale 1", "Scale 3", "Scale 5"]


def test_who_cannot_be_asked_is_no_route(kitchen: dict[str, Any]) -> None:
    choices.choose(person=kitchen["ben"], asks_a_week=0)
    here = found(kitchen["ana"])
    assert Route.HAND_OVER not in here
    assert Route.MENTOR not in here
    assert Route.HAND_OVER not in found(kitchen["ben"]), "nobody hands a task over to themselves"


def test_who_offers_to_be_a_mentor_fits_better(kitchen: dict[str, Any]) -> None:
    [before] = found(kitchen["ana"], known={"limescale": 0.0})[Route.MENTOR]
    mentorships.offer(person=kitchen["ben"], topic="limescale")
    [after] = found(kitchen["ana"], known={"limescale": 0.0})[Route.MENTOR]
    assert after.fit > before.fit


def test_who_shows_their_time_shows_when_they_are_away(kitchen: dict[str, Any]) -> None:
    viewer, now = Viewer.of(kitchen["ana"]), NOW.replace(hour=16)
    since = now.date() + timedelta(days=1)
    choices.close(person=kitchen["ben"], since=since, until=since + timedelta(days=27))

    def asked() -> Candidate:
        every = in_words(candidates.gather(TASK, viewer), now, Clock())
        return next(one for one in every if one.route is Route.HAND_OVER)

    kept = asked()
    assert (kept.left, kept.begins_in < 30) == ("", True)
    choices.choose(person=kitchen["ben"], shows_time=True)
    shown = asked()
    assert shown.left == "3 of 3 questions left this week"
    assert shown.begins_in > 120


@pytest.mark.parametrize("words", ["", "…", "zzyzx", "Entkalke den Kessel in der Kantine", "kettle " * 700])
def test_any_words_have_at_least_oneself(kitchen: dict[str, Any], words: str) -> None:
    assert found(kitchen["ana"], words)[Route.DO]


def test_without_an_index_there_is_oneself(make_person: Callable[..., Any]) -> None:
    assert [one.route for one in gather(TASK, Viewer.of(make_person("solo")))] == [Route.DO]


def test_asks_the_database_a_fixed_number_of_times(kitchen: dict[str, Any], django_assert_max_num_queries: Any) -> None:
    viewer = Viewer.of(kitchen["ana"])
    gather(TASK, viewer)
    with django_assert_max_num_queries(12):
        gather(TASK, viewer, known={"limescale": 0.0})


class TestEvaluation:
    def run(self, path: Path, *rows: dict[str, Any], **options: Any) -> str:
        file, out = path / "tasks.jsonl", StringIO()
        file.write_text("\n".join(map(json.dumps, rows)))
        call_command("evaluate_routes", file, stdout=out, **options)
        return out.getvalue()

    def row(self, *right: str, **other: Any) -> dict[str, Any]:
        row = {"task": TASK, "who": "ana", "topics_known": {"limescale": "not yet"}, "deliver_or_learn": "deliver"}
        return {**row, "right_routes": right, "why": "because", **other}

    def test_counts_right_routes_among_the_first_two(self, kitchen: dict[str, Any], tmp_path: Path) -> None:
        rows = self.row("tool"), self.row("do"), self.row("hand over", topics_known=[])
        figures = json.loads(self.run(tmp_path, *rows, json=True))
        assert (figures["tasks"], figures["right_in_two"]) == (3, round(2 / 3, 3))
        assert figures["tool_below_course_when_delivering"] == 0
        assert json.loads(self.run(tmp_path, *rows, json=True, half="even"))["tasks"] == 1
        assert "On your own" in self.run(tmp_path, *rows, missed=True)

    @pytest.mark.parametrize(
        "odd", [{"who": "nobody"}, {"deliver_or_learn": "both"}, {"right_routes": ["fly"]}, {"topics_known": 3}]
    )
    def test_names_what_is_wrong_with_a_file(
        self, kitchen: dict[str, Any], tmp_path: Path, odd: dict[str, Any]
    ) -> None:
        with pytest.raises(CommandError, match=r"line 1|nobody"):
            self.run(tmp_path, self.row("do", **odd))
