"""Promise 6: hidden is absent. Of every address that names an object, what is another's answers as what never was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from experts.asking import actions as asking
from experts.directory.imports import PeopleImport
from experts.models import Mentorship, Person, Proposal, Team
from immersive.work import actions as work
from immersive.work import recall
from immersive.work.lessons.rows import Experiment, Lesson
from knowledge import waiting
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.models import Audience, LiveSource, Resource, Search
from tests import small_company
from tests.flows.asking import body, browser

pytestmark = pytest.mark.django_db

NEVER = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
SIGNED_BY_ITSELF = {"/password/set/<uidb64>/<token>/"}
"""Addresses whose object is named by what is sent to one person by e-mail; tests/test_sign_in.py holds them to it."""
BY_TOKEN = "/scim/"
"""The beginning of addresses that no session opens, whatever they name: without a service's token all are one 401."""


def every_route(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not route.startswith("operate/"):  # the operator's pages: tests/architecture/test_operator_pages.py
                yield from every_route(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + route


@dataclass
class Hidden:
    """Who may not see, and for each address that names an object the id of one of somebody else's."""

    outsider: Person
    ids: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def hidden(settings: LazySettings, make_person: Callable[..., Any]) -> Hidden:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    settings.LIVE_HOSTS = ["wiki.example"]
    team = Team.objects.create(name="Board", slug="board")
    insider, outsider = make_person("ina", teams=(team,)), make_person("otto", is_staff=True, is_superuser=True)
    gone = make_person("gone")
    gone.is_active = False
    gone.save()
    small_company.source_of(
        "Board", [Document("a", "Pay", "zqhidden", kind="tool", topics=("Salaries",))], audience=[f"team:{team.pk}"]
    )
    small_company.index()
    paper = Resource.objects.get(key="a")
    live = LiveSource.objects.create(
        name="Boards own", shape="json", address="https://wiki.example/?q={query}", trusted=True,
        audience=Audience.objects.of([f"team:{team.pk}"]),
    )  # fmt: skip
    search = waiting.wait_for(text="zqhidden", viewer=Viewer.of(insider))
    task = work.start_task(owner=insider, statement="A hidden task")
    work.assess(task=task, owner=insider, confidence=50)
    work.log_outcome(task=task, owner=insider, result=1.0)
    question = recall.keep(task=task, owner=insider, question="A hidden question?", answer="A hidden answer.")
    lesson = Lesson.objects.create(author=insider, expected="A hidden lesson", happened="It was hidden.")
    tried = Experiment.objects.create(author=insider, hypothesis="A hidden try", by=timezone.localdate())
    ask = asking.ask(viewer=Viewer.of(insider), text="A hidden question?", audience=str(team.public_id))
    answer = asking.answer(ask=ask.public_id, viewer=Viewer.of(insider), body="A hidden answer.")
    now, friend = timezone.now(), make_person("friend")
    mentorship = Mentorship.objects.create(
        mentor=insider, mentee=friend, key="pay", name="Pay", mentor_yes_at=now, mentee_yes_at=now, meets_at=now
    )
    proposal = Proposal.objects.create(owner=insider, text="A hidden team")
    insider.user_permissions.add(Permission.objects.get(codename="import_people"))
    brought = PeopleImport.objects.create(by=insider, name="hidden.csv", size=1)
    return Hidden(
        outsider,
        {
            "/topics/<str:slug>/": "salaries",
            "/topics/<str:slug>/follow": "salaries",
            "/mentoring/<uuid:public_id>/invitation.ics": mentorship.public_id,
            "/teams/<uuid:public_id>/": proposal.public_id,
            "/people/import/<uuid:public_id>/": brought.public_id,
            "/r/<uuid:public_id>": paper.public_id,
            "/r/<uuid:public_id>/helped": paper.public_id,
            "/r/<uuid:public_id>/verify": paper.public_id,
            "/api/v1/resources/<uuid:public_id>": paper.public_id,
            "/search/live/<uuid:key>": live.public_id,
            "/api/v1/search/live/<uuid:key>": live.public_id,
            "/search/waiting/<uuid:public_id>/stop": search.public_id,
            "/people/<uuid:public_id>/": gone.public_id,
            "/api/v1/people/<uuid:public_id>": gone.public_id,
            **{f"/asks/<uuid:public_id>/{rest}": ask.public_id for rest in ("", "answer", "moderate", "<slug:verb>")},
            **{
                f"/answers/<uuid:public_id>/{rest}": answer.public_id
                for rest in ("edit", "text", "moderate", "<slug:verb>")
            },
            **{
                f"{room}<uuid:task_id>{rest}": task.public_id
                for room, rests in {
                    "/tasks/": (
                        "/",
                        "/change",
                        "/assessment",
                        "/lean",
                        "/again",
                        "/choose",
                        "/plan",
                        "/ask",
                        "/beside/<uuid:resource_id>",
                        "/outcome",
                        "/recall",
                        "/later",
                        "/share",
                        "/share/back",
                        "/delete",
                    ),
                    "/tasks/shared/": ("",),
                    "/api/v1/tasks/": (
                        "",
                        "/topics",
                        "/assessment",
                        "/outcome",
                        "/card",
                        "/plan",
                        "/plan/<str:step>",
                        "/reminder",
                        "/recall",
                        "/shares",
                        "/shares/<str:share>",
                    ),
                    "/api/v1/tasks/shared/": ("",),
                }.items()
                for rest in rests
            },
            **{f"/tasks/recall/<uuid:recall_id>/{rest}": question.public_id for rest in ("grade", "delete")},
            **{f"/api/v1/recall/<uuid:recall_id>{rest}": question.public_id for rest in ("", "/grade")},
            **{f"/api/v1/lessons/<uuid:lesson_id>{rest}": lesson.public_id for rest in ("", "/withdraw")},
            **{
                f"/api/v1/experiments/<uuid:experiment_id>{rest}": tried.public_id
                for rest in ("", "/result", "/withdraw")
            },
            **{
                f"/lessons/<uuid:public_id>/{rest}": lesson.public_id
                for rest in ("", "edit", "withdraw", "delete", "moderate")
            },
            **{f"/lessons/experiments/<uuid:public_id>/{rest}": tried.public_id for rest in ("", "edit")},
        },
    )


def test_every_address_that_names_an_object_is_held_to_it(hidden: Hidden) -> None:
    """A new address is in the list, or this fails."""
    routes = every_route(get_resolver().url_patterns)
    named = {route for route in routes if "<" in route and not route.startswith(BY_TOKEN)}
    assert named - SIGNED_BY_ITSELF == set(hidden.ids)


def answered(client: Client, method: str, route: str, key: str, headers: dict[str, str]) -> tuple[int, str, list[Any]]:
    """Status, body and headers of an answer, with one word in the place of the object's name."""
    answer = getattr(client, method)(
        re.sub("<[^>]+>", key, route.replace("<slug:verb>", "withdraw")) + "?q=pay", headers=headers
    )
    # But for the time of day: an answer that expires at once says when that was.
    said = sorted((name, value.replace(key, "ID")) for name, value in answer.items() if name != "Expires")
    return answer.status_code, body(answer).replace(key, "ID"), said


@pytest.mark.parametrize("htmx", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_promise_6_hidden_and_absent_are_one_answer_whoever_asks_and_however(hidden: Hidden, htmx: bool) -> None:
    client = browser(hidden.outsider)
    headers = {"HX-Request": "true"} if htmx else {}
    for route, own in hidden.ids.items():
        for method in METHODS:
            answers = [answered(client, method, route, key, headers) for key in (str(own), NEVER)]
            assert answers[0] == answers[1], (route, method)
            assert answers[0][0] in ({200, 404, 405} if method == "options" else {404, 405}), (route, method)
    assert Search.objects.count() == 0


def test_what_is_compared_is_there_for_its_owner(hidden: Hidden) -> None:
    """So that the test above can fail."""
    insider = browser(Person.objects.get(username="ina"))
    Person.objects.filter(username="gone").update(is_active=True)
    seen = [route for route, key in hidden.ids.items()
            if insider.get(re.sub("<[^>]+>", str(key), route) + "?q=").status_code in {200, 302, 405}]  # fmt: skip
    beside = "/tasks/<uuid:task_id>/beside/<uuid:resource_id>"  # no resource has the id of a task: a 404 of its own
    assert seen == [route for route in hidden.ids if route != beside]
