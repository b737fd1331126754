"""Forming a team: within its bound of the best there is, and true in every property that a page says of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experts.teams.formation import COVERS, Free, Need, bar, form, line_up, others, worth

TOPICS = [f"topic {n}" for n in range(12)]


def harmonic(most: int) -> float:
    return sum(1 / n for n in range(1, most + 1))


def least_cost(needs: Sequence[Need], people: Sequence[Free]) -> float:
    """The least that any team costs which is worth as much as all together, by looking at every team."""
    least = bar(needs, people)
    full = worth(needs, people, least)
    teams = (team for size in range(len(people) + 1) for team in combinations(people, size))
    return min(sum(one.cost for one in team) for team in teams if worth(needs, team, least) == full)


def some_case(seed: int, *, equal: bool) -> tuple[list[Need], list[Free]]:
    chance = random.Random(seed)
    needs = [Need(topic, chance.random() < 0.6) for topic in TOPICS[: chance.randint(1, 12)]]
    sparse = chance.choice([0.2, 0.4, 0.7])
    people = [
        Free(
            f"person {n}",
            {need.topic: chance.randint(1, 3) for need in needs if chance.random() < sparse},
            0.0 if equal else chance.random(),
        )
        for n in range(chance.randint(1, 9))
    ]
    return needs, people


@pytest.mark.parametrize("seeds", [range(0, 75), range(75, 150)], ids=["equal costs", "by load"])
def test_the_cover_is_within_the_harmonic_bound_of_the_best_team(seeds: range) -> None:
    best = 0
    for seed in seeds:
        needs, people = some_case(seed, equal=seed < 75)
        found = form(needs, people, most=len(people))
        by_key = {one.key: one for one in people}
        team = [by_key[key] for key in found.keys]
        depth = bar(needs, people)
        assert worth(needs, team, depth) == worth(needs, people, depth)
        least = least_cost(needs, people)
        bound = harmonic(max(worth(needs, [one], depth) for one in people))
        cost = sum(one.cost for one in team)
        assert cost <= bound * least + 1e-9, seed
        best += cost <= least + 1e-9
    assert best > len(seeds) // 2, "it is the best team there is in most cases"


needs_of = st.lists(
    st.builds(Need, st.sampled_from(TOPICS), st.booleans()), max_size=8, unique_by=lambda need: need.topic
)
people_of = st.lists(
    st.builds(
        Free,
        st.sampled_from("abcdefgh"),
        st.dictionaries(st.sampled_from(TOPICS), st.integers(0, 3)),
        st.floats(0, 1),
    ),
    max_size=7,
    unique_by=lambda one: one.key,
)


@settings(max_examples=80, deadline=None)
@given(needs_of, people_of, st.integers(0, 6))
def test_properties_of_a_team(needs: list[Need], people: list[Free], most: int) -> None:
    found = form(needs, people, most)
    by_key = {one.key: one for one in people}
    team = [by_key[key] for key in found.keys]
    assert len(team) <= most
    assert len(set(found.keys)) == len(team)
    assert found == line_up(needs, team)
    for member in found.members:
        rest = [one for one in team if one.key != member.key]
        depth = bar(needs, people)
        assert worth(needs, rest, depth) < worth(needs, team, depth), "nobody is in it for nothing"
        assert member.brings
    if most >= len(people):
        for topic in found.topics:
            able = [one for one in people if one.depths.get(topic.need.topic, 0) >= COVERS]
            assert len(topic.by) >= min(topic.need.wanted, len(able))
    for topic in found.topics:
        assert set(topic.by) | set(topic.learning) <= set(found.keys)
        assert not set(topic.by) & set(topic.learning)
        assert topic.gap == (not topic.by)
    assert form(needs, people, most) == found, "the same again is the same"


@settings(max_examples=50, deadline=None)
@given(needs_of, people_of, st.integers(1, 6))
def test_other_line_ups_are_one_step_away_and_say_what_they_cost(
    needs: list[Need], people: list[Free], most: int
) -> None:
    found = form(needs, people, most)
    by_key = {one.key: one for one in people}
    for other in others(needs, people, found.keys, most):
        assert len(other.keys) <= most
        assert set(found.keys) - set(other.keys) == ({other.leaves} if other.leaves else set())
        assert set(other.keys) - set(found.keys) == ({other.comes} if other.comes else set())
        before = {topic.need.topic: len(topic.by) for topic in found.topics}
        now = line_up(needs, [by_key[key] for key in other.keys])
        after = {topic.need.topic: len(topic.by) for topic in now.topics}
        assert set(other.lost) == {topic for topic in before if before[topic] and not after[topic]}
        assert set(other.gained) == {topic for topic in before if after[topic] and not before[topic]}
        assert set(other.alone) == {topic for topic in before if before[topic] > 1 and after[topic] == 1}
        assert set(other.twice) == {topic for topic in before if before[topic] == 1 and after[topic] > 1}


def test_a_busy_person_is_taken_only_for_what_nobody_else_brings() -> None:
    needs = [Need("pumps", critical=False), Need("seals", critical=False)]
    busy = Free("busy", {"pumps": 3, "seals": 2}, load=0.9)
    idle = Free("idle", {"pumps": 2}, load=0.0)
    assert form(needs[:1], [busy, idle], 4).keys == ("idle",)
    assert set(form(needs, [busy, idle], 4).keys) == {"busy"}, "with both topics the idle one is not needed"


def test_who_knows_it_deeply_and_has_room_is_taken_before_those_who_know_less() -> None:
    def chosen(load: float) -> set[str]:
        deep = Free("deep", {"steam": 3, "water": 3}, load)
        return set(form([Need("steam"), Need("water", critical=False)], [*able, deep], 5).keys)

    able = [Free("both", {"steam": 2, "water": 2}), Free("one", {"steam": 2}, 0.05)]
    assert chosen(0.08) == chosen(0.4) == {"both", "deep"}
    assert chosen(0.9) == {"both", "one"}, "but not however often they are asked already"


def test_in_a_team_that_is_full_a_topic_rests_on_who_knows_it_best() -> None:
    steam = [Free("a", {"steam": 2}), Free("b", {"steam": 2}), Free("deep", {"steam": 3}, 0.1)]
    burner = [Free("c", {"burners": 2}), Free("d", {"burners": 2})]
    found = form([Need("burners"), Need("steam")], [*steam, *burner], 3)
    assert "deep" in found.keys
    assert len(found.keys) == 3


@settings(max_examples=60, deadline=None)
@given(needs_of, people_of, st.integers(1, 6))
def test_nobody_left_out_is_better_in_somebodys_place_but_for_their_load_or_depth(
    needs: list[Need], people: list[Free], most: int
) -> None:
    wanted = {need.topic for need in needs}
    people = [Free(one.key, {key: one.depths[key] for key in one.depths if key in wanted}, one.load) for one in people]
    found = form(needs, people, most)
    by_key, depth = {one.key: one for one in people}, bar(needs, people)
    team = [by_key[key] for key in found.keys]
    for old in team:
        for new in (one for one in people if one not in team):
            now = [new if one is old else one for one in team]
            assert worth(needs, now, depth) <= worth(needs, team, depth)
            if worth(needs, now, depth) == worth(needs, team, depth):
                assert new.cost >= old.cost - 1e-5
    for other in others(needs, people, found.keys, most):
        if other.deeper and not (other.lost or other.alone or other.less_deep):
            assert other.busier, "who knows more is left out for their load alone"


def test_a_critical_topic_gets_two_and_any_other_one() -> None:
    people = [Free(key, {"pumps": 3}) for key in "abc"]
    assert len(form([Need("pumps")], people, 5).keys) == 2
    assert len(form([Need("pumps", critical=False)], people, 5).keys) == 1


def test_a_beginner_is_asked_for_no_hours_while_anybody_covers_anything() -> None:
    beginner, able = Free("a", {"pumps": 1, "seals": 1}), Free("b", {"seals": 2})
    found = form([Need("pumps"), Need("seals")], [beginner, able], 5)
    assert found.keys == ("b",)
    assert [topic.need.topic for topic in found.gaps] == ["pumps"]


def test_where_nobody_covers_anything_those_who_have_begun_are_better_than_nobody() -> None:
    found = form([Need("pumps", critical=False)], [Free("a", {"pumps": 1}), Free("b", {"pumps": 1})], 5)
    assert found.keys == ("a",)
    assert found.members[0].brings == ("pumps",)
    (pumps,) = found.topics
    assert (pumps.by, pumps.learning, pumps.gap, pumps.rests_on) == ((), ("a",), True, "")


def test_equals_are_taken_in_the_order_given() -> None:
    people = [Free(key, {"pumps": 2}) for key in "xyz"]
    for shift in range(3):
        turned = people[shift:] + people[:shift]
        assert form([Need("pumps", critical=False)], turned, 3).keys == (turned[0].key,)


@pytest.mark.parametrize("people", [[], [Free("a", {})], [Free("a", {"other": 3})]])
def test_nobody_and_nothing(people: list[Free]) -> None:
    found = form([Need("pumps")], people, 4)
    assert found.members == ()
    assert [topic.need.topic for topic in found.gaps] == ["pumps"]
    assert form([], people, 4).topics == ()
    assert others([Need("pumps")], people, (), 0) == ()


def test_a_team_of_one_has_no_smaller_one() -> None:
    found = form([Need("pumps")], [Free("a", {"pumps": 3})], 4)
    assert found.alone[0].rests_on == "a"
    assert found.members[0].alone == ("pumps",)
    assert others([Need("pumps")], [Free("a", {"pumps": 3})], found.keys, 4) == ()
