"""Pure: who learns from whom, so that no two would both rather have each other (deferred acceptance).

Each mentee names the mentors they would take, the best first; each mentor
ranks those they would take and has a number of places. Mentees propose, a
mentor keeps the best so far up to their places and lets go of the rest, until
nobody has anybody left to propose to. What results is stable, and no mentee
does better in any other stable result (D. Gale and L. S. Shapley, 1962). The
order in which proposals are made does not matter, so none is kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Mentee = TypeVar("Mentee", bound=Hashable)
Mentor = TypeVar("Mentor", bound=Hashable)


def pairs(
    wishes: Mapping[Mentee, Sequence[Mentor]],
    offers: Mapping[Mentor, Sequence[Mentee]],
    places: Mapping[Mentor, int],
) -> dict[Mentee, Mentor]:
    """The mentor of each mentee who gets one.

    Who is not on the other's list is never given to them. A mentor without ``places`` has none.
    """
    rank = {mentor: {mentee: at for at, mentee in enumerate(order)} for mentor, order in offers.items()}
    held: dict[Mentor, list[Mentee]] = {mentor: [] for mentor in offers}
    waiting = list(wishes)
    to_ask = {mentee: iter(order) for mentee, order in wishes.items()}
    while waiting:
        mentee = waiting.pop()
        for mentor in to_ask[mentee]:
            room = places.get(mentor, 0)
            if room <= 0 or mentee not in rank.get(mentor, {}):
                continue
            kept = held[mentor]
            kept.append(mentee)
            if len(kept) <= room:
                break
            worst = max(kept, key=rank[mentor].__getitem__)
            kept.remove(worst)
            if worst != mentee:
                waiting.append(worst)
                break
    return {mentee: mentor for mentor, kept in held.items() for mentee in kept}
