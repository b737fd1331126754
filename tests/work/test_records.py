"""Published counts: each outcome once, each block of five people, and nobody to be taken out of any sum."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from immersive.work import actions, jobs, records
from immersive.work.models import Outcome, Record, Step
from immersive.work.records import PEOPLE, WAITED, Block, Waiting, blocks, strata
from immersive.work.routes import Counts, Difficulty, Route

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
STRATA = st.tuples(
    st.sampled_from((Route.DO, Route.TOOL)), st.sampled_from(Difficulty), st.sampled_from(("low", "high")),
    st.sampled_from((None, 1, 2)),
)  # fmt: skip
WAITING = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 30), STRATA, st.sampled_from((0.0, 0.5, 1.0))), max_size=60
)


def waiting(rows: list[tuple[int, int, Any, float]]) -> list[Waiting]:
    return [
        Waiting(number, person, NOW - timedelta(days=days), *stratum, result=result)
        for number, (person, days, stratum, result) in enumerate(rows)
    ]


@settings(max_examples=60)
@given(WAITING)
def test_each_outcome_is_in_one_block_at_most_and_each_block_has_five_people(rows: Any) -> None:
    made = blocks(waiting(rows), NOW)
    assert all(many == 1 for many in Counter(one.id for block in made for one in block.of).values())
    for block in made:
        assert len({one.person for one in block.of}) == len(block.of) >= PEOPLE
        assert len({one.result for one in block.of}) > 1, "else the sum tells of each"
        assert {one.route for one in block.of} == {block.route}
        if block.difficulty:
            assert {one.difficulty for one in block.of} == {block.difficulty}
        else:
            assert all(NOW - one.at >= WAITED for one in block.of)
        if block.band:
            assert {one.band for one in block.of} == {block.band}
        if block.resource:
            assert {one.resource for one in block.of} == {block.resource}
        assert block.counts.worked == sum(one.result for one in block.of)


def worlds(count: int) -> Iterator[tuple[list[Waiting], list[list[Block]]]]:
    """Random companies in which outcomes come in over eight weeks and are published each week."""
    for seed in range(count):
        draw = random.Random(seed)
        many, people = draw.randint(20, 90), draw.randint(6, 9)
        every = [
            Waiting(
                number, draw.randint(1, people), NOW - timedelta(days=draw.uniform(0, 56)),
                draw.choice((Route.DO, Route.TOOL)), draw.choice((Difficulty.EASY, Difficulty.HARD)),
                draw.choice(("low", "high")), draw.choice((None, None, 1, 2)), draw.choice((0.0, 0.5, 1.0)),
            )
            for number in range(many)
        ]  # fmt: skip
        done: set[int] = set()
        weeks = []
        for week in range(9):
            now = NOW - timedelta(days=56 - 7 * week)
            made = blocks([one for one in every if one.at <= now and one.id not in done], now)
            done |= {one.id for block in made for one in block.of}
            weeks.append(made)
        yield every, weeks


def published(every: list[Waiting], weeks: list[list[Block]]) -> np.ndarray[Any, Any]:
    """Every count that anybody could have read in any week, as rows over outcomes."""
    sums: dict[Any, np.ndarray[Any, Any]] = {}
    rows = []
    for made in weeks:
        for block in made:
            for key in (*strata(block.route, block.difficulty, block.band), block.resource):
                if key is not None:
                    row = sums.setdefault(key, np.zeros(len(every)))
                    row[[one.id for one in block.of]] += 1
        rows += [row.copy() for row in sums.values()]
    return np.unique(np.array(rows), axis=0) if rows else np.zeros((0, len(every)))


def test_no_combination_of_published_counts_is_about_fewer_than_five_people() -> None:
    """Linear audit: over all weeks no row of the space of counts lies within the outcomes of one to four people."""
    seen = 0
    for every, weeks in worlds(25):
        rows = published(every, weeks)
        rank = np.linalg.matrix_rank(rows) if len(rows) else 0
        seen += rank
        people = np.array([one.person for one in every])
        for few in combinations(sorted(set(people)), PEOPLE - 1):
            assert np.linalg.matrix_rank(rows[:, ~np.isin(people, few)]) == rank if rank else True
    assert seen > 50


def test_the_audit_finds_what_it_looks_for() -> None:
    """Two sums that share four of five outcomes are told apart by their difference."""
    rows = np.array([[1, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 1]])
    assert np.linalg.matrix_rank(rows[:, 1:5]) < np.linalg.matrix_rank(rows)


@pytest.mark.django_db
def test_outcomes_of_five_people_are_published_once(make_person: Callable[..., Any]) -> None:
    for number in range(4):
        done(make_person(f"p{number}"), minutes=60 * (number + 1), result=float(number > 0))
    for number in range(records.COMPANY):
        make_person(f"colleague{number}")
    jobs.publish_records()
    assert not Record.objects.exists()
    done(make_person("p4"), minutes=None)
    done(make_person("p5"), route="")
    assert records.publish() == 1
    assert records.publish() == 0
    history, _ = records.published()
    assert history == dict.fromkeys(strata(Route.DO, Difficulty.USUAL, "middle"), Counts(4.0, 5))
    assert Outcome.objects.filter(counted=True).count() == 5
    Outcome.objects.filter(counted=True)[0].task.delete()
    assert records.published()[0] == history, "whose it was is not kept, so nothing changes with a task"


@pytest.mark.django_db
def test_a_tool_has_its_own_blocks(make_person: Callable[..., Any], make_resource: Callable[..., Any]) -> None:
    tool, other = make_resource("Tool"), make_resource("Other")
    for number in range(7):
        of = tool if number < 5 else other
        done(make_person(f"p{number}"), route=Route.TOOL, resource=of, minutes=30, result=float(number > 0))
    assert records.publish() == 0, "in a company of seven everybody knows who five are"
    for number in range(records.COMPANY):
        make_person(f"colleague{number}")
    assert records.publish() == 1
    _, past = records.published([tool.pk, other.pk])
    assert past == {
        tool.pk: dict.fromkeys(strata(Route.TOOL, Difficulty.USUAL, "middle"), Counts(4.0, 5, pytest.approx(0.5), 5))
    }
    tool.delete()
    assert records.published()[0] == {}


@pytest.mark.django_db
def test_what_few_may_read_has_no_counts_of_its_own(
    make_person: Callable[..., Any], make_resource: Callable[..., Any]
) -> None:
    theirs = make_resource("Theirs", tokens=("team:7",))
    for number in range(records.COMPANY):
        done(make_person(f"p{number}"), route=Route.TOOL, resource=theirs, result=float(number > 0))
    assert records.publish()
    assert not Record.objects.exclude(resource=None).exists()


@pytest.mark.django_db
def test_one_person_s_many_outcomes_leave_room_for_those_of_others(
    make_person: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "OF_ONE", 2)
    busy = make_person("busy")
    for _ in range(4):
        done(busy)
    for number in range(records.COMPANY):
        done(make_person(f"p{number}"), result=float(number % 2))
    assert Counter(one.person for one in records.waiting())[busy.pk] == 2
    assert records.publish() == 2
    assert Outcome.objects.filter(counted=True).exclude(task__owner=busy).count() == 10


def test_a_block_that_came_out_all_alike_waits_for_one_that_did_not() -> None:
    alike = [(person, 1, (Route.DO, Difficulty.EASY, "low", None), 0.0) for person in range(7)]
    assert blocks(waiting(alike), NOW) == []
    (one,) = blocks(waiting([*alike, (9, 0, (Route.DO, Difficulty.EASY, "low", None), 1.0)]), NOW)
    assert one.counts == Counts(1.0, 6)


def test_a_few_who_log_much_are_not_put_beside_one_other_at_a_time() -> None:
    stratum = (Route.DO, Difficulty.EASY, "low", None)
    much = [(person, 9, stratum, float(time % 2)) for person in range(4) for time in range(10)]
    others = [(person, 1, stratum, float(person % 2)) for person in range(10, 15)]
    first, *_ = blocks(waiting([*much, *others]), NOW)
    assert {one.person for one in first.of} == set(range(10, 15))


def done(
    owner: Any, *, route: str = Route.DO, minutes: int | None = 30, resource: Any = None, result: float = 1.0
) -> None:
    task = actions.start_task(owner=owner, statement="Sweep the floor")
    actions.assess(task=task, owner=owner, confidence=50)
    if resource:
        Step.objects.create(task=task, place=1, route=route, resource=resource)
    actions.log_outcome(task=task, owner=owner, result=result, minutes=minutes)
    Outcome.objects.filter(task=task).update(route=route)
