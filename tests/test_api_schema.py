"""What the schema promises, the API keeps: right and wrong calls are made from the schema and sent to the real app."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from django.conf import LazySettings
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from immersive.work import actions, plan, recall, sharing
from immersive.work.lessons.rows import Experiment, Lesson
from knowledge.models import Audience, LiveSource
from tests import small_company
from tests.knowledge.live.services import says
from tests.loopback import Web

pytestmark = pytest.mark.django_db(transaction=True)  # each call is a request of its own, connection and all
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
CALLS = [1, pytest.param(12, marks=pytest.mark.slow)]
"""Calls of one operation with right values, and as many with wrong ones: each test run makes the same."""


@pytest.fixture
def ids(settings: LazySettings, make_person: Callable[..., Any], client: Client, web: Web) -> dict[str, Any]:
    """What an address may name, by the name of its parameter's place."""
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    ana = make_person("ana", name="Ana Ferreira", email="ana@example.org")
    others = {name: make_person(name, email=f"{name}@example.org") for name in ("ben", "cleo")}
    pump = small_company.build({"ana": ana, **others})["pump"]
    small_company.index()
    client.force_login(ana)
    settings.LIVE_HOSTS = [f"127.0.0.1:{web.port}"]
    web.answers["/wiki"] = says([{"title": "Pump", "link": "https://wiki.example/pump", "updated": "2026-01-01"}])
    everyone, address = Audience.objects.of(["everyone"]), f"{web.base}/wiki?q={{query}}"
    wiki = LiveSource.objects.create(name="Wiki", shape="json", address=address, audience=everyone)
    return {
        "resources": pump.public_id,
        "people": ana.public_id,
        "live": wiki.public_id,
        "owner": ana,
        "ben": others["ben"],
    }


@pytest.mark.parametrize("calls", CALLS)
def test_the_api_answers_as_its_schema_says(client: Client, ids: dict[str, Any], calls: int) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/schema/", app=signed_in(client.cookies["sessionid"].value))
    answered: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        seen = answered.setdefault(f"{operation.method.upper()} {operation.path}", set())
        some = calls == 1 and operation.method in ("get", "delete")  # wrong calls of these wait for the slow tests
        for mode in [schemathesis.GenerationMode.POSITIVE] if some else schemathesis.GenerationMode:
            call_often(operation, mode, ids, seen, calls)
    succeeded = {name for name, seen in answered.items() if any(status < 300 for status in seen)}
    assert len(answered) >= 8
    assert succeeded == set(answered), "an operation that never succeeds is not looked at"


def signed_in(session: str) -> Callable[..., Any]:
    """The app as a browser sees it in which somebody is signed in."""
    app, token = get_wsgi_application(), "a" * 32
    known = {"HTTP_COOKIE": f"sessionid={session}; csrftoken={token}", "HTTP_X_CSRFTOKEN": token}
    known["HTTP_ACCEPT_ENCODING"] = "identity"  # nobody unpacks here
    return lambda environ, start: app({**environ, **known}, start)


def call_often(operation: Any, mode: Any, ids: dict[str, Any], seen: set[int], calls: int) -> None:
    @settings(
        max_examples=calls, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        if mode is schemathesis.GenerationMode.POSITIVE:
            case.path_parameters |= {part: str(name) for part, name in named(case.path, ids).items()}
            if isinstance(case.body, dict):
                case.body |= meant(case.path, ids)
        response = case.call()
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    call()


def named(path: str, ids: dict[str, Any]) -> dict[str, Any]:
    """Ids that are really there: of one's own fresh ones, for others may have been deleted by the call before."""
    if "{task_id}" in path:
        return of_a_task(path, ids["owner"], ids["ben"])
    if "{recall_id}" in path:
        task = actions.start_task(owner=ids["owner"], statement="Prime a pump")
        actions.assess(task=task, owner=ids["owner"], confidence=50)
        actions.log_outcome(task=task, owner=ids["owner"], result=1.0)
        kept = recall.keep(task=task, owner=ids["owner"], question="Which valve?", answer="The lower one")
        recall.Recall.objects.filter(pk=kept.pk).update(due_at=timezone.now())
        return {"recall_id": kept.public_id}
    if "{lesson_id}" in path:
        return {"lesson_id": Lesson.objects.create(author=ids["owner"], happened="It drifted").public_id}
    if "{experiment_id}" in path:
        mine = {"author": ids["owner"], "hypothesis": "If it cools", "by": "2027-01-31"}
        return {"experiment_id": Experiment.objects.create(**mine).public_id}
    parts = re.findall(r"{(\w+)}", path)
    return {part: ids[path.split("/")[-2]] for part in parts}


def meant(path: str, ids: dict[str, Any]) -> dict[str, Any]:
    """What a body has to name that is really there."""
    parts = path.removeprefix("/api/v1/").split("/")
    if parts[-1] == "shares":
        return {"person": str(ids["ben"].public_id), "team": None}
    if parts[-1] == "plan":
        return {"route": "do"}
    if parts[0] in ("lessons", "experiments") and len(parts) < 3 and parts[-1] != "names":
        nothing: dict[str, Any] = {"topics": [], "resources": [], "task": None, "team": None, "by": None}
        return {**nothing, "to": "me", "expected": "More", "happened": "Less", "counts": "Ten", "hypothesis": "If"}
    return {}


def of_a_task(path: str, owner: Any, ben: Any) -> dict[str, Any]:
    """A task that has come as far as this address needs."""
    task = actions.start_task(owner=owner, statement="Prime a pump")
    if path.endswith(("/outcome", "/card", "/plan", "{step}", "/recall")):
        actions.assess(task=task, owner=owner, confidence=50)
    if path.endswith("/recall"):
        actions.log_outcome(task=task, owner=owner, result=1.0)
    found: dict[str, Any] = {"task_id": task.public_id}
    if "{step}" in path:
        found["step"] = plan.choose(task=task, owner=owner, route="do").token
    if "{share}" in path:
        found["share"] = sharing.share(task=task, owner=owner, person=ben).token
    return found
