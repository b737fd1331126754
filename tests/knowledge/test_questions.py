"""A question written once gives what its queryset gives now, to each viewer their own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from knowledge.access import Viewer
from knowledge.models import CONFIRMED, MOVED, SOURCES, Audience, Resource, Source
from knowledge.questions import Blank, Question

pytestmark = pytest.mark.django_db
READERS = [frozenset(), frozenset({"everyone"}), frozenset({"everyone", "team:1"}), frozenset({"team:2", "o'neill \\"})]


@pytest.fixture
def rows() -> list[Resource]:
    """Every pair of an audience of a source and one of a document, some inactive or gone."""
    made = []
    audiences = [["everyone"], ["team:1"], ["team:2", "team:1"], ["o'neill \\"], []]
    for number, tokens in enumerate(audiences):
        for active in (True, False):
            source = Source.objects.create(
                kind="folder", name=f"{number} {active}", slug=f"{number}-{active}", address=str(uuid4()),
                audience=Audience.objects.of(tokens), active=active,
            )  # fmt: skip
            made += [
                Resource.objects.create(source=source, key=f"{at}", title="A page", audience=Audience.objects.of(own))
                for at, own in enumerate(audiences)
            ]
    Resource.objects.filter(pk__in=[row.pk for row in made[3::7]]).update(gone_at="2026-01-01T00:00:00Z")
    return made


@pytest.mark.parametrize("tokens", READERS)
def test_the_rules_are_those_of_the_querysets(rows: list[Resource], tokens: frozenset[str]) -> None:
    viewer = Viewer(None, tokens)
    assert set(SOURCES.objects(tokens=tokens)) == set(Source.objects.visible_to(viewer))
    keys = [row.public_id for row in rows[::2]]
    wanted = Resource.objects.visible_to(viewer).filter(public_id__in=keys)
    assert set(CONFIRMED.objects(tokens=tokens, keys=keys)) == set(wanted)
    assert list(CONFIRMED.objects(tokens=tokens, keys=[])) == []


def test_nothing_of_one_asking_stays_for_the_next(rows: list[Resource]) -> None:
    keys = [row.public_id for row in rows]
    seen = [len(CONFIRMED.objects(tokens=tokens, keys=keys)) for tokens in (*READERS, *READERS)]
    assert seen[:4] == seen[4:]
    assert seen[0] == 0 < seen[1] < seen[2]
    Source.objects.update(active=False)
    assert len(CONFIRMED.objects(tokens=READERS[2], keys=keys)) == 0


def test_what_was_changed_by_any_hand_is_in_the_next_answer(rows: list[Resource]) -> None:
    assert MOVED.rows() == []
    nobody = Audience.objects.of([])
    Resource.objects.filter(pk=rows[1].pk).update(indexed_audience=nobody)
    Source.objects.filter(pk=rows[1].source_id).update(indexed_audience=nobody)
    found = {(bool(key), source, gone_at) for key, source, gone_at in MOVED.rows()}
    assert found == {(True, rows[1].source_id, None), (False, rows[1].source_id, None)}


def test_a_blank_that_is_not_filled_is_no_answer() -> None:
    with pytest.raises(KeyError):
        list(SOURCES.objects())


@pytest.mark.parametrize("given", [["a"], ["a"] * 3000, ["', '", '"]', "{}", "\u202e", "NULL", "%s"]])
def test_any_number_of_values_is_one_parameter(given: list[str]) -> None:
    question = Question(lambda: Source.objects.filter(name__in=Blank("names", "text")).values_list("name"))
    audience = Audience.objects.of(["everyone"])
    for number, name in enumerate({*given, "another"}):
        Source.objects.create(kind="folder", name=name, slug=f"{number}", address=f"{number}", audience=audience)
    assert {name for (name,) in question.rows(names=given)} == set(given)


def test_the_sql_is_written_once() -> None:
    made: list[int] = []

    def write() -> Any:
        made.append(1)
        return Source.objects.values_list("pk")

    question = Question(write)
    with CaptureQueriesContext(connection) as asked:
        assert [question.rows(), question.rows()] == [[], []]
    assert (len(made), len(asked)) == (1, 2)
