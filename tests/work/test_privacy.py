"""Promise 15, first version: what a person says of their work is theirs. Every role by every path, 0 reads."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.views.debug import ExceptionReporter

from immersive.work import actions, belongings, tasks
from immersive.work import urls as pages
from immersive.work.api import urlpatterns as api
from immersive.work.models import Assessment, LearningEntry, LogWork, Outcome, Task
from knowledge import indexing
from knowledge.access import Viewer
from knowledge.models import Search
from tests.work.conftest import CANARIES, STATEMENT, SURPRISE, People

pytestmark = pytest.mark.django_db
JSON = "application/json"
NEVER = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"
ROLES = ("peer", "manager", "staff", "superuser", "anonymous")

WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "assess": ("post", {"confidence": "10"}),
    "outcome": ("post", {"result": "0.0"}),
    "delete": ("post", {}),
    "delete-all": ("post", {}),
    "api-task-assessment": ("put", {"confidence": 10}),
    "api-task-outcome": ("put", {"result": "worked"}),
}


def client_of(people: People, role: str) -> Client:
    client = Client()
    if role != "anonymous":
        client.force_login(getattr(people, role))
    return client


def of_one_task() -> list[str]:
    """Names of every address that names a task, pages and API."""
    return [str(route.name) for route in (*pages.urlpatterns, *api) if "task_id" in route.pattern.converters]


def of_all_tasks() -> list[str]:
    """Names of every other address of this room."""
    return [str(route.name) for route in (*pages.urlpatterns, *api) if "task_id" not in route.pattern.converters]


def address(name: str, *args: object) -> str:
    return reverse(name if name.startswith("api-") else f"work:{name}", args=args)


def ask(client: Client, name: str, *args: object, method: str = "", data: Any = None) -> Any:
    """The answer to every method that an address may have, or to one."""
    kind, said = WRITES.get(name, ("get", {}))
    content_type = {"content_type": JSON} if name.startswith("api-") and (method or kind) != "get" else {}
    return getattr(client, method or kind)(address(name, *args), said if data is None else data, **content_type)


def leaks(answer: Any) -> list[str]:
    """Words of the owner in anything that an answer says, its headers included."""
    said = (answer.content.decode() + str(answer.headers)).lower()
    return [word for word in (*CANARIES, "olu ade's") if word in said]


@pytest.mark.parametrize("role", ROLES)
def test_another_ones_task_never_was(people: People, finished: Task, role: str) -> None:
    client = client_of(people, role)
    assert len(of_one_task()) == 7
    for name in of_one_task():
        for method in ("get", "post", "put", "patch", "delete", "head"):
            real = ask(client, name, finished.public_id, method=method)
            never = ask(client, name, NEVER, method=method)
            real_body = real.content.decode().replace(str(finished.public_id), "ID")
            assert real.status_code == never.status_code, (name, method)
            assert real_body == never.content.decode().replace(NEVER, "ID"), (name, method)
            assert real.status_code in {302, 403, 404, 405}, (name, method)
            assert leaks(real) == [], (name, method)
    finished.refresh_from_db()
    assert (finished.assessment.confidence, finished.outcome.result) == (90, 0.5)


@pytest.mark.parametrize("role", ROLES)
def test_lists_hold_ones_own_only(people: People, finished: Task, role: str) -> None:
    client = client_of(people, role)
    for name in of_all_tasks():
        answer = ask(client, name)
        assert leaks(answer) == [], name
        assert str(finished.public_id) not in answer.content.decode(), name


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
    assert belongings.everything(viewer)["tasks"] == []
    assert belongings.everything(viewer)["learning_log"] == []


def every_address(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from every_address(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + route


def test_admin_knows_nothing_of_this_room(people: People, finished: Task) -> None:
    for model in (Task, Assessment, Outcome, LogWork, LearningEntry):
        assert model not in admin.site._registry
    assert not [route for route in every_address(get_resolver().url_patterns) if route.startswith("/operate/work/")]
    client = client_of(people, "superuser")
    home = client.get(reverse("admin:index"))
    assert home.status_code == 200
    assert leaks(home) == []
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = people.owner if isinstance(people.owner, model) else model._default_manager.first()
        addresses = [reverse(f"{name}_changelist")]
        if row is not None:
            addresses += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "delete", "history")]
        for one in addresses:
            answer = client.get(one)
            assert leaks(answer) == [], one
            assert str(finished.public_id) not in answer.content.decode(), one


def test_nor_do_other_peoples_pages_and_searches(people: People, finished: Task) -> None:
    for role in ROLES:
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


def test_rows_do_not_say_their_words(finished: Task) -> None:
    rows = [finished, finished.assessment, finished.outcome, *LogWork.objects.all(), *LearningEntry.objects.all()]
    said = " ".join(f"{row} {row!r}" for row in rows).replace(str(finished.public_id), "")
    assert [word for word in (*CANARIES, "quokka", "90", "0.5") if word in said] == []


@pytest.mark.parametrize("role", ["owner", "peer", "anonymous"])
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
