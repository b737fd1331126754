"""Deferred acceptance: no blocking pair, in every small world and in many larger ones up to eight by eight."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, combinations, permutations, product

import pytest

from experts.mentoring.pairing import pairs

Lists = dict[int, tuple[int, ...]]


def every_list(size: int) -> list[tuple[int, ...]]:
    """Every strict order of some of ``size`` names, the empty one too: 1, 2, 5, 16, 65 of them."""
    return list(chain.from_iterable(permutations(range(size), length) for length in range(size + 1)))


def blocking(given: dict[int, int], wishes: Lists, offers: Lists, places: dict[int, int]) -> list[tuple[int, int]]:
    """Every two who would both rather have each other than what they were given: none, if it is stable."""
    has: dict[int, list[int]] = {}
    for mentee, mentor in given.items():
        has.setdefault(mentor, []).append(mentee)
    found = []
    for mentee, order in wishes.items():
        mine = given.get(mentee)
        for mentor in order[: order.index(mine)] if mine in order else order:
            rank = {one: at for at, one in enumerate(offers.get(mentor, ()))}
            if mentee not in rank or places.get(mentor, 0) <= 0:
                continue
            kept = has.get(mentor, [])
            if len(kept) < places[mentor] or any(rank[mentee] < rank.get(one, len(rank)) for one in kept):
                found.append((mentee, mentor))
    return found


def held_by_the_rules(given: dict[int, int], wishes: Lists, offers: Lists, places: dict[int, int]) -> None:
    assert blocking(given, wishes, offers, places) == []
    for mentee, mentor in given.items():
        assert mentor in wishes[mentee]
        assert mentee in offers[mentor]
    assert all(list(given.values()).count(mentor) <= room for mentor, room in places.items())


@pytest.mark.parametrize(("mentees", "mentors"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3), (3, 2)])
def test_every_truncated_preference_of_small_worlds(mentees: int, mentors: int) -> None:
    """Every list that anybody could have, shortened ones included, with every number of places from none to two."""
    rooms = [dict(enumerate(room)) for room in product(range(1, 3), repeat=mentors)]
    rooms += [dict.fromkeys(range(mentors), 0)]
    seen = 0
    mine = every_list(mentors)
    for lists in product(mine, repeat=mentees):
        if list(lists) != sorted(lists):
            continue  # mentees are alike: only who they are called is another
        wishes = dict(enumerate(lists))
        for theirs in product(every_list(mentees), repeat=mentors):
            offers = dict(enumerate(theirs))
            places = rooms[seen % len(rooms)]
            held_by_the_rules(pairs(wishes, offers, places), wishes, offers, places)
            seen += 1
    assert seen


def test_every_full_preference_of_three_by_three() -> None:
    """All six by six orders; the first mentee's is fixed, for mentors are alike but for their names."""
    orders = list(permutations(range(3)))
    places = dict.fromkeys(range(3), 1)
    for rest in product(orders, repeat=5):
        wishes = dict(enumerate((orders[0], *rest[:2])))
        offers = dict(enumerate(rest[2:]))
        given = pairs(wishes, offers, places)
        assert len(given) == 3
        held_by_the_rules(given, wishes, offers, places)


def some_world(chance: random.Random, mentees: int, mentors: int) -> tuple[Lists, Lists, dict[int, int]]:
    """Lists at random, all alike, or each other's opposite; full or cut short."""
    shape, short = chance.choice(["random", "alike", "cyclic", "opposed"]), chance.random() < 0.5

    def order(who: int, size: int, turn: int) -> tuple[int, ...]:
        names = list(range(size))
        if shape == "random":
            chance.shuffle(names)
        elif shape == "cyclic":
            names = names[who % size :] + names[: who % size]
        elif shape == "opposed":
            names = names[(who + turn) % size :] + names[: (who + turn) % size]
            names = names[::-1] if turn else names
        return tuple(names[: chance.randint(0, size)] if short else names)

    wishes = {mentee: order(mentee, mentors, 0) for mentee in range(mentees)}
    offers = {mentor: order(mentor, mentees, 1) for mentor in range(mentors)}
    return wishes, offers, {mentor: chance.randint(0, 3) for mentor in range(mentors)}


def test_no_blocking_pair_up_to_eight_by_eight() -> None:
    """Every size up to eight by eight, several shapes of each; each result is looked through pair by pair."""
    chance = random.Random(7)
    for mentees, mentors in product(range(1, 9), repeat=2):
        for _ in range(40):
            wishes, offers, places = some_world(chance, mentees, mentors)
            held_by_the_rules(pairs(wishes, offers, places), wishes, offers, places)


def stable_ones(wishes: Lists, offers: Lists, places: dict[int, int]) -> Iterator[dict[int, int]]:
    """Every stable way to pair them, by trying all."""
    for choice in product(*((None, *wishes[mentee]) for mentee in wishes)):
        given = {mentee: mentor for mentee, mentor in zip(wishes, choice, strict=True) if mentor is not None}
        allowed = all(mentee in offers[mentor] for mentee, mentor in given.items())
        fits = all(list(given.values()).count(mentor) <= places[mentor] for mentor in offers)
        if allowed and fits and not blocking(given, wishes, offers, places):
            yield given


def test_no_mentee_does_better_in_any_other_stable_result() -> None:
    chance = random.Random(11)
    several = 0
    for _ in range(60):
        wishes, offers, places = some_world(chance, chance.randint(1, 4), chance.randint(1, 4))
        best = pairs(wishes, offers, places)
        all_of_them = list(stable_ones(wishes, offers, places))
        several += len(all_of_them) > 1
        assert best in all_of_them
        for other in all_of_them:
            assert set(other) == set(best), "whoever gets a mentor gets one in every stable result"
            assert all(wishes[one].index(best[one]) <= wishes[one].index(other[one]) for one in best)
    assert several, "some worlds have a choice"


def test_who_comes_first_changes_nothing() -> None:
    chance = random.Random(13)
    for _ in range(40):
        wishes, offers, places = some_world(chance, 6, 4)
        names = list(wishes)
        chance.shuffle(names)
        assert pairs({name: wishes[name] for name in names}, offers, places) == pairs(wishes, offers, places)


def test_a_pair_that_blocks_is_seen() -> None:
    """The check itself can fail: two who prefer each other and were given others."""
    both: Lists = {0: (0, 1), 1: (0, 1)}
    wishes, offers = both, both
    places = {0: 1, 1: 1}
    assert blocking({0: 1, 1: 0}, wishes, offers, places) == [(0, 0)]
    assert blocking({1: 0}, wishes, offers, places) == [(0, 0), (0, 1)]
    assert [pair for pair in combinations(range(2), 2) if pair in blocking({}, wishes, offers, places)] == [(0, 1)]
