"""What programs may send: whatever it is, the answer is never a failure of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from immersive.parsers import MOST_BYTES, BoundedJSONParser
from immersive.work.models import Task


@pytest.fixture
def ana(make_person: Callable[..., Any], client: Client) -> Client:
    client.force_login(make_person("ana"))
    client.raise_request_exception = False
    return client


def said(client: Client, body: str | bytes) -> Any:
    return client.post(reverse("api-tasks"), body, content_type="application/json")


@pytest.mark.parametrize("depth", [200, 990, 1100, 20_000, 49_000])
@pytest.mark.parametrize("around", ["{}", '{{"statement": {}}}'], ids=["bare", "in a field"])
def test_deep_json_is_the_callers_mistake(ana: Client, depth: int, around: str) -> None:
    for body in (around.format("[" * depth), around.format("[" * depth + "]" * depth)):
        assert said(ana, body).status_code in (400, 422)
    assert not Task.objects.exists()


@pytest.mark.parametrize("body", ["[" * 200_000, '{"statement": "' + "x" * MOST_BYTES + '"}'], ids=["deep", "long"])
def test_long_json_is_refused_with_the_cure(ana: Client, body: str) -> None:
    answer = said(ana, body)
    assert answer.status_code == 400
    assert answer.json() == {"detail": "This is more than 100 kB. Send less in one call."}


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"nul", b"NaN", b"9" * 5000, b'"\\ud800"', b"{}", b"[1]"])
def test_odd_json_is_the_callers_mistake(ana: Client, body: bytes) -> None:
    assert said(ana, body).status_code in (400, 422)


def test_what_is_short_enough_is_read(ana: Client) -> None:
    assert said(ana, '{"statement": "Prime the pump"}' + " " * (MOST_BYTES - 31)).status_code == 201
    assert Task.objects.get().statement == "Prime the pump"


def test_every_view_reads_with_the_bound() -> None:
    from django.urls import get_resolver

    from tests.architecture.test_doors import patterns

    assert settings.REST_FRAMEWORK["DEFAULT_PARSER_CLASSES"] == ["immersive.parsers.BoundedJSONParser"]
    ours = [
        view.cls.parser_classes
        for _, _, view in patterns(get_resolver())
        if getattr(view, "cls", None) and not view.cls.__module__.startswith("drf_spectacular")
    ]
    assert ours
    assert all(list(classes) == [BoundedJSONParser] for classes in ours)
