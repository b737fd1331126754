"""Promise 15: what a person says of their work is theirs. Every role by every address, every row, mail and log: 0."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from django.views.debug import ExceptionReporter

from experts import digests
from experts.models import Availability, Notice
from immersive.work import actions, belongings, log, recall, reminding, sharing, tasks
from immersive.work import urls as pages
from immersive.work.api import urlpatterns as api
from immersive.work.lessons.rows import Experiment, Lesson
from immersive.work.models import Advice, Assessment, LearningEntry, LogWork, Outcome, Step, Task
from knowledge import indexing
from knowledge.access import Viewer
from knowledge.documents import EVERYONE
from knowledge.models import Audience, Resource, Search
from tests.architecture.test_doors import patterns
from tests.work.conftest import CANARIES, STATEMENT, SURPRISE, People

pytestmark = pytest.mark.django_db
JSON = "application/json"
NEVER = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"
ROLES = ("peer", "manager", "staff", "superuser", "anonymous")
MOST_ROLES = ["peer", "superuser", *(pytest.param(role, marks=pytest.mark.slow) for role in ("manager", "staff"))]
"""The superuser may do whatever manager and staff may: the quick tests ask once for all three."""

WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "assess": ("post", {"confidence": "10"}),
    "outcome": ("post", {"result": "0.0"}),
    "delete": ("post", {}),
    "delete-all": ("post", {}),
    "api-task-assessment": ("put", {"confidence": 10}),
    "api-task-outcome": ("put", {"result": "worked"}),
    "api-task-plan": ("post", {"route": "do"}),
    "api-task": ("patch", {"statement": "Another"}),
    "api-task-card": ("put", {"lean": 4}),
    "api-task-topics": ("put", {"topics": []}),
    "api-task-shares": ("post", {"person": NEVER}),
    "api-task-share": ("delete", {}),
    "api-task-step": ("patch", {"done": True}),
    "api-task-recall": ("put", {"question": "Which?", "answer": "This"}),
    "api-task-reminder": ("put", {"until": "never"}),
    "recall-grade": ("post", {"how": "good"}),
    "api-recall-grade": ("post", {"how": "good"}),
    "api-lesson": ("put", {"to": "me", "expected": "That", "happened": "This"}),
    "api-experiment": ("put", {"to": "me", "hypothesis": "If", "counts": "Ten"}),
    "api-experiment-result": ("put", {"result": "held"}),
}


def client_of(people: People, role: str) -> Client:
    client = Client()
    if role != "anonymous":
        client.force_login(getattr(people, role))
    return client


ROUTES = {str(route.name): set(route.pattern.converters) for route in (*pages.urlpatterns, *api)}
"""Every address of this room, pages and API, with what has to be filled in."""


def of_one_task() -> list[str]:
    """Names of every address that names a task."""
    return [name for name, parts in ROUTES.items() if "task_id" in parts]


def of_all_tasks() -> list[str]:
    """Names of every address that names nothing."""
    return [name for name, parts in ROUTES.items() if not parts]


def address(name: str, task: object = NEVER, **others: object) -> str:
    filled = {part: task if part == "task_id" else others.get(part, NEVER) for part in ROUTES[name]}
    return reverse(name if name.startswith("api-") else f"work:{name}", kwargs=filled)


def ask(client: Client, name: str, *args: object, method: str = "", data: Any = None, **others: object) -> Any:
    """The answer to every method that an address may have, or to one."""
    kind, said = WRITES.get(name, ("get", {}))
    content_type = {"content_type": JSON} if name.startswith("api-") and (method or kind) != "get" else {}
    where = address(name, *args, **others)
    return getattr(client, method or kind)(where, said if data is None else data, **content_type)


def leaks(answer: Any) -> list[str]:
    """Words of the owner in anything that an answer says, its headers included."""
    said = (b"".join(answer).decode() + str(answer.headers)).lower()
    return [word for word in (*CANARIES, "olu ade's") if word in said]


@pytest.mark.parametrize(
    "role", ["superuser", *(pytest.param(role, marks=pytest.mark.slow) for role in ("peer", "manager", "staff"))]
)
def test_another_ones_task_never_was(people: People, finished: Task, role: str) -> None:
    client = client_of(people, role)
    assert len(of_one_task()) > 15
    methods = ("get", "post", "put", "patch", "delete") if role == "superuser" else ("get", "post")
    for name in of_one_task():
        for method in methods:
            real = ask(client, name, finished.public_id, method=method)
            never = ask(client, name, NEVER, method=method)
            real_body = real.content.decode().replace(str(finished.public_id), "ID")
            assert real.status_code == never.status_code, (name, method)
            assert real_body == never.content.decode().replace(NEVER, "ID"), (name, method)
            assert real.status_code in {302, 403, 404, 405}, (name, method)
            assert leaks(real) == [], (name, method)
    finished.refresh_from_db()
    assert (finished.assessment.confidence, finished.outcome.result) == (90, 0.5)


@pytest.fixture
def whole(people: People, finished: Task, make_resource: Any) -> Task:
    """The owner's task with a word that nobody can guess in everything that can be said, shared with their peer."""
    begin = make_resource("Begin", topics=("Drift",))
    Task.objects.filter(pk=finished.pk).update(context="The contextcanary", started_from=begin, due="2026-12-01")
    finished.topics.set(begin.topics.all())
    said = actions.start_task(owner=people.owner, statement="An opencanary", started_from=begin)
    actions.assess(task=said, owner=people.owner, confidence=90, known={"Drift": "partly"})
    Step.objects.create(task=finished, place=0, route="informal", resource=begin, done_at=said.created_at)
    Advice.objects.create(task=finished, seed=1, rests_on={"said": "advicecanary"})
    recall.keep(task=finished, owner=people.owner, question="A questioncanary", answer="An answercanary")
    recall.Recall.objects.update(due_at=said.created_at)
    Lesson.objects.create(author=people.owner, task=finished, expected="A lessoncanary", happened="x")
    Experiment.objects.create(author=people.owner, reach="me", hypothesis="An experimentcanary", by="2026-12-01")
    sharing.share(task=finished, owner=people.owner, person=people.peer)
    Task.objects.filter(pk=said.pk).update(ask_on="2026-01-01")
    reminding.ask(datetime(2026, 11, 23, 9, tzinfo=UTC))
    log.do_due()
    finished.refresh_from_db()
    return finished


@pytest.mark.parametrize("role", MOST_ROLES)
def test_another_ones_questions_lessons_and_experiments_never_were(people: People, whole: Task, role: str) -> None:
    client = client_of(people, role)
    Experiment.objects.update(reach="draft")
    own = {"recall_id": recall.Recall.objects.get(), "lesson_id": Lesson.objects.get(),
           "experiment_id": Experiment.objects.get()}  # fmt: skip
    named = [name for name, parts in ROUTES.items() if len(parts) == 1 and parts <= set(own)]
    assert len(named) > 8
    for name in named:
        (part,) = ROUTES[name]
        for method in ("get", "post", "put", "delete"):
            answers = [ask(client, name, method=method, **{part: one}) for one in (own[part].public_id, NEVER)]
            assert answers[0].status_code == answers[1].status_code, (name, method)
            assert answers[0].content == answers[1].content, (name, method)
            assert answers[0].status_code in {404, 405}, (name, method)
    for row in own.values():
        row.refresh_from_db()
    assert (own["experiment_id"].result, own["lesson_id"].happened) == ("", "x")


SECRET = (*CANARIES, "opencanary", "contextcanary", "advicecanary", "questioncanary", "answercanary", "lessoncanary",
          "experimentcanary")  # fmt: skip
ANYBODYS = ("schema", "patterns")
"""Where the five words stand as what everybody may say."""
SHARED = ("zanzibarite", "contextcanary")
"""What whoever it is shared with may read."""


def every_one(resolver: URLResolver, task: Task, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Name and filled address of every pattern of the project, the operator's pages included."""
    lesson, experiment, begin = Lesson.objects.get(), Experiment.objects.get(), Resource.objects.get(title="Begin")
    known = {
        "task_id": task.public_id, "recall_id": task.recalls.get().public_id, "lesson_id": lesson.public_id,
        "experiment_id": experiment.public_id, "resource_id": begin.public_id, "object_id": 1,
        "content_type_id": 1, "uidb64": "x", "token": "x", "app_label": "work", "slug": "drift", "url": "x",
        "verb": "show", "which": "x", "key": lesson.public_id,
    }  # fmt: skip
    of: dict[str, Any] = {"experts:person": task.owner, "api-person": task.owner}
    for route, name, _ in patterns(resolver):
        known["public_id"] = of.get(name, lesson if name.startswith("lessons:") else begin).public_id
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).translate(str.maketrans("", "", "^$\\"))
        parts = re.split(r"<(?:\w+:)?(\w+)>", path)
        yield name, prefix + "".join(str(known.get(part, 1)) if at % 2 else part for at, part in enumerate(parts))


@pytest.mark.parametrize("role", MOST_ROLES)
def test_no_address_tells_another(people: People, whole: Task, role: str) -> None:
    """Every page of the project, of the operator, of the API and of the provisioning service.

    The superuser manages the owner as well: one walk for all that either may see.
    """
    if role == "superuser":
        type(people.owner).objects.filter(pk=people.owner.pk).update(manager=people.superuser)
    client = client_of(people, role)
    client.raise_request_exception = False  # an address filled with what it is not for may fail, and tell nothing
    asked = list(every_one(get_resolver(), whole))
    assert len(asked) > 150
    told = set()
    for name, one in asked:
        if name.startswith("admin:") and role != "superuser":
            continue  # one question for all of it: they are sent away at its door
        answer = client.get(one)
        body = b"".join(answer) if answer.streaming else answer.content
        said = (body.decode(errors="replace") + str(answer.headers)).lower()
        words = SECRET if name not in ANYBODYS else SECRET[4:]
        told |= {(name, word) for word in words if word in said}
    theirs = {"home", "experts:notices", "work:shared", "work:shared-list", "api-shared", "api-shared-list"}
    shares = theirs if role == "peer" else set()
    assert [one for one in told if one[0] not in shares or one[1] not in SHARED] == []
    assert bool(told) == (role == "peer"), "who it is shared with reads what is shared, so the walk can find something"


def test_no_row_outside_this_room_holds_them_and_none_inside_says_them(
    people: People, whole: Task, django_capture_on_commit_callbacks: Any
) -> None:
    indexing.index_changes()
    inside = set(apps.get_app_config("work").get_models())
    found = set()
    for model in apps.get_models():
        rows = list(model._default_manager.all())
        if model in inside:
            assert model not in admin.site._registry
            said = " ".join(f"{row} {row!r}" for row in rows).lower()
        else:
            said = json.dumps([list(vars(row).values()) for row in rows], default=str).lower()
        found |= {(model.__name__, word) for word in SECRET if word in said}
    assert found == set()


def test_no_mail_says_them(people: People, whole: Task, settings: Any, mailoutbox: list[Any]) -> None:
    for person in (people.owner, people.peer):
        person.email = f"{person.username}@example.org"
        person.save()
        Availability.objects.create(person=person, mail="at_once")
    Notice.objects.update(at=timezone.now() - timedelta(minutes=5))
    digests.send()
    assert {mail.to[0] for mail in mailoutbox} == {"olu@example.org", "pia@example.org"}
    said = " ".join(f"{mail.subject} {mail.body} {mail.alternatives} {mail.extra_headers}" for mail in mailoutbox)
    assert [word for word in SECRET if word in said.lower()] == []


def test_owner_reads_them_so_the_matrix_can_fail(people: People, finished: Task) -> None:
    client = client_of(people, "owner")
    assert leaks(ask(client, "task", finished.public_id))
    for name in ("list", "mirror", "download", "api-tasks"):
        assert leaks(ask(client, name)), name


@pytest.mark.parametrize("role", ROLES)
def test_no_query_gives_them_to_another(people: People, finished: Task, role: str) -> None:
    person = getattr(people, role, None)
    viewer = Viewer.of(person)
    for model in (Task, Assessment, Outcome, LearningEntry):
        assert model.objects.count() > 0
        assert not model.objects.visible_to(viewer).exists()
    assert tasks.recent(viewer) == []
    kept = belongings.everything(viewer)
    assert [list(kept[name]) for name in ("tasks", "learning_log", "questions", "lessons")] == [[], [], [], []]


def test_nor_do_other_peoples_pages_and_searches(people: People, finished: Task) -> None:
    for role in ("peer", "superuser"):
        client = client_of(people, role)
        for one in (
            "/",
            "/search?q=zanzibarite",
            "/search?q=flibbertigibbet",
            "/api/v1/search?q=zanzibarite",
            f"/people/{people.owner.public_id}",
            f"/api/v1/people/{people.owner.public_id}",
        ):
            answer = client.get(one, follow=True)
            asked = one.partition("?q=")[2] or None  # a page may repeat what its own reader typed
            assert [word for word in leaks(answer) if word != asked] == [], (role, one)
            assert "quokka" not in answer.content.decode(), (role, one)
            assert "The glossary was" not in answer.content.decode(), (role, one)


def test_no_log_line_repeats_them(
    people: People, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(people, "owner")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address("new"), {"statement": STATEMENT})
        task = Task.objects.get()
        client.post(address("assess", task.public_id), {"confidence": "90"})
        client.post(address("assess", task.public_id), {"confidence": "10"})
        client.post(address("outcome", task.public_id), {"result": "1.0", "surprise": SURPRISE, "minutes": "x"})
        client.post(address("outcome", task.public_id), {"result": "0.5", "surprise": SURPRISE})
        client.get(address("task", task.public_id))
        client_of(people, "superuser").get(address("task", task.public_id))
        client.put(address("api-task-assessment", task.public_id), {"confidence": 10}, JSON)
    assert LearningEntry.objects.count() == 2
    assert "Not Found" in caplog.text, "something was logged, so words could have been"
    assert [word for word in (*CANARIES, "quokka", "glossary") if word in caplog.text] == []


@pytest.mark.parametrize("name", ["new", "api-tasks"])
def test_no_error_report_repeats_them(people: People, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def broken(**_values: Any) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(Task.objects, "create", broken)
    client = client_of(people, "owner")
    client.raise_request_exception = False
    answer = ask(client, name, method="post", data={"statement": STATEMENT})
    assert answer.status_code == 500
    assert leaks(answer) == []
    assert answer.exc_info is not None
    report = ExceptionReporter(answer.wsgi_request, *answer.exc_info, is_email=True).get_traceback_html()
    assert "no room" in report
    assert "start_task" in report, "frames and their variables are in the report"
    assert "zanzibarite" not in report


def test_what_a_moderator_took_away_tells_its_author_their_own_words_and_why(
    people: People, make_resource: Any
) -> None:
    closed = make_resource("Gargoyle ledger", topics=("Gargoyles",), tokens=(f"person:{people.peer.pk}",))
    lesson = Lesson.objects.create(
        author=people.owner, reach="company", audience=Audience.objects.of([EVERYONE]), published_at=timezone.now(),
        expected="Dry", happened="It was flibbertigibbet", hidden_at=timezone.now(), moderated_why="It names a client",
    )  # fmt: skip
    lesson.resources.add(closed)
    lesson.topics.set(closed.topics.all())
    at, mine = lesson.get_absolute_url(), "/lessons/?mine=1"
    pages = {one: client_of(people, "owner").get(one).content.decode() for one in (at, mine)}
    assert all("flibbertigibbet" in page for page in pages.values())
    assert "It names a client" in pages[at]
    assert "Taken away" in pages[mine]
    for page in pages.values():
        assert "argoyle" not in page
        assert [one.display_name for one in people.others.values() if one.display_name in page] == []
    for role in people.others:
        assert client_of(people, role).get(at).status_code == 404, role
        assert "flibbertigibbet" not in client_of(people, role).get("/lessons/").content.decode()


def test_rows_do_not_say_their_words(finished: Task) -> None:
    rows = [finished, finished.assessment, finished.outcome, *LogWork.objects.all(), *LearningEntry.objects.all()]
    said = " ".join(f"{row} {row!r}" for row in rows).replace(str(finished.public_id), "")
    assert [word for word in (*CANARIES, "quokka", "90", "0.5") if word in said] == []


@pytest.mark.parametrize("role", ["owner", "peer"])
def test_no_cache_may_keep_them(people: People, finished: Task, role: str) -> None:
    client = client_of(people, role)
    for name in of_one_task():
        answer = ask(client, name, finished.public_id, method="get")
        if answer.status_code != 302:  # the way to the sign-in, which holds nothing
            assert "no-store" in answer["Cache-Control"], name
            assert "private" in answer["Cache-Control"], name
    for name in of_all_tasks():
        answer = ask(client, name)
        if answer.status_code != 302:
            assert "no-store" in answer["Cache-Control"], name


def test_statement_is_no_search(people: People, settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True  # a search is remembered before its answer, not by a thread later
    indexing.index_changes()  # what an index that is away could not answer is not remembered
    client = client_of(people, "owner")
    task = actions.start_task(owner=people.owner, statement=STATEMENT)
    client.post(address("assess", task.public_id), {"confidence": "90"}, follow=True)
    assert not Search.objects.exists()
    client.get("/search", {"q": "quokka"})
    assert Search.objects.count() == 1, "searches are remembered, so this one could have been"
