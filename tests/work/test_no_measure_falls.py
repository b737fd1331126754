"""Who reports what went differently loses nothing by it: no number that a manager sees falls as lessons are added.

It walks every address there is, so that pages that come later fall under it
by being there. One thing is meant to go: the badge of a page that a lesson
doubts, until somebody has looked. It is about the page, and no number; so
these lessons concern one that nobody vouches for.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import cycle
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from experts.models import Person
from immersive.work.lessons import telling
from immersive.work.lessons.rows import Experiment, Lesson, Reach
from immersive.work.lessons.told import To
from tests import small_company
from tests.architecture.test_doors import patterns
from tests.work.lessons_told import SAID, at_work, company

pytestmark = pytest.mark.django_db

NUMBER = re.compile(r"\d+(?:\.\d+)?")
OWN = ("work:", "admin:", "scim:")
"""What is one person's alone (`test_privacy`), the operator's, and a service's: nothing that a manager judges by."""
ASKED = ("/people/?q=ana", "/teams/build?q=meter")

Numbers = dict[str, list[tuple[float, ...]]]


class Words(HTMLParser):
    """The texts of a page, those that only screen readers get included."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(" ".join(data.split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said += [value for name, value in attrs if name in ("aria-label", "title", "data-label") and value]


def numbers_in(texts: Iterator[str]) -> Numbers:
    """The numbers of each text, by the words around them; the greatest first."""
    found: Numbers = defaultdict(list)
    for text in texts:
        if said := NUMBER.findall(text):
            found[NUMBER.sub("#", text)].append(tuple(float(number) for number in said))
    return {words: sorted(rows, reverse=True) for words, rows in found.items()}


def texts_of(value: Any, path: str = "") -> Iterator[str]:
    """The numbers of a JSON answer as texts: what they are called, and they."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts_of(one, f"{path}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from texts_of(one, f"{path}[]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield f"{re.sub('[0-9]', '', path)} {value}"


def fallen(before: Numbers, after: Numbers) -> list[str]:
    """What was there and is less, or is gone."""
    less = []
    for words, rows in before.items():
        new = after.get(words, [])
        if len(new) < len(rows) or any(any(map(float.__lt__, now, then)) for then, now in zip(rows, new, strict=False)):
            less.append(words)
    return less


def addresses(here: Any) -> list[str]:
    """Every address of the project, filled with whom and what the manager looks at."""
    filled = {
        "public_id": here.ana.public_id, "slug": "meters", "uidb64": "x", "token": "x", "verb": "show", "which": "x",
        "key": here.team.public_id, "team_id": here.team.public_id, "person_id": here.ana.public_id,
    }  # fmt: skip
    found = []
    for route, name, _ in patterns(get_resolver()):
        if not name.startswith(OWN):
            parts = re.split(r"<(?:\w+:)?(\w+)>", route)
            known = {**filled, "public_id": here.rows["seal"].public_id} if "resource" in name else filled
            told = "".join(
                str(known.get(part, here.ana.public_id)) if at % 2 else part for at, part in enumerate(parts)
            )
            found.append(f"/{told}")
    return [*found, *ASKED]


def seen(client: Client, addresses: list[str]) -> Numbers:
    """Every number on all of these."""
    texts: list[str] = []
    for one in addresses:
        answer = client.get(one)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            words = Words()
            words.feed(answer.content.decode())
            texts += [f"{one} {said}" for said in words.said]
        elif answer.status_code == 200 and "json" in answer["Content-Type"]:
            texts += [f"{one} {said}" for said in texts_of(json.loads(answer.content))]
    return numbers_in(re.sub(r"[0-9a-f-]{36}", "ID", text) for text in texts)


def test_no_number_that_a_manager_sees_falls_as_lessons_are_added(
    make_person: Callable[..., Any], django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    here = company(make_person)
    Person.objects.exclude(pk=here.zoe.pk).update(manager=here.zoe)
    Person.objects.filter(pk=here.zoe.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(Person.objects.get(pk=here.zoe.pk))
    every = addresses(here)
    before = seen(client, every)
    reaches = (To(Reach.COMPANY), To(Reach.COMPANY, anonymous=True), To(Reach.TEAM, here.team.public_id))
    with at_work(lambda: django_capture_on_commit_callbacks(execute=True)):
        for to, kind in zip(cycle(reaches), Lesson.Kind, strict=False):
            said = replace(SAID, kind=kind, resources=(here.rows["seal"].public_id,), topics=("Meters",))
            telling.publish(author=here.ana, said=said, to=to)
    Experiment.objects.create(
        author=here.ana, reach="company", hypothesis="A colder room helps", counts="Drift below one", result="failed",
        by=timezone.localdate(), finished_at=timezone.now(), published_at=timezone.now(),
        audience=here.rows["seal"].source.audience,
    )  # fmt: skip
    after = seen(client, every)
    assert sum(map(len, before.values())) > 30, "there are numbers to look at"
    assert fallen(before, after) == []
    assert fallen(after, before), "some rose, so that some could have fallen"
