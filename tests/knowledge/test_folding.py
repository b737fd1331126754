"""Near-duplicates stand under the best of them; all else stands for itself."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge import folding
from knowledge.documents import Candidate, Hit, IndexDocument
from knowledge.folding import MOST
from knowledge.index.analysis import analyse

TEXT = (
    "Close the discharge valve, open the vent, and fill the casing until water runs without bubbles. Isolate the "
    "motor and hang your own tag. Read the level in the suction tank: below forty percent the pump loses its prime "
    "again. Turn the shaft by hand, two full turns, then fill once more and write the filling time into the log. "
    "Nine times out of ten a pump that loses its prime overnight has a leaking foot valve."
)


def candidate(key: str, title: str, body: str, kind: str = "page", source: int = 1) -> Candidate:
    document = IndexDocument(key, source, kind, title, body, frozenset({"everyone"}), public=True)
    return Candidate(key, source, kind, analyse(document).vector)


def folded(*candidates: Candidate) -> tuple[list[str], dict[str, list[str]]]:
    hits = [Hit(one.key, float(-number)) for number, one in enumerate(candidates)]
    under = folding.folded(hits, {one.key: one for one in candidates})
    away = {hit.key for others in under.values() for hit in others}
    kept = [hit.key for hit in hits if hit.key not in away]
    return kept, {key: [hit.key for hit in others] for key, others in under.items()}


def test_a_copy_and_a_version_with_a_few_other_words_stand_under_the_best() -> None:
    other = TEXT.replace("forty percent", "half")
    kept, under = folded(
        candidate("a", "Priming a pump", TEXT),
        candidate("b", "Shift log", "Something else entirely, about the log of the shift and who writes into it."),
        candidate("c", "Priming a pump (old)", TEXT, source=2),
        candidate("d", "Priming, 2nd edition", other),
    )
    assert kept == ["a", "b"]
    assert under == {"a": ["c", "d"]}


def test_what_says_something_else_stands_for_itself() -> None:
    half = TEXT[: len(TEXT) // 2] + " Then call the control room and wait until somebody has come to look at the seal."
    texts = [TEXT, half, TEXT + " " + half, " ".join(reversed(half.split())) + " And more about the crew of the night."]
    documents = [candidate(str(number), "Pumps", text) for number, text in enumerate(texts)]
    assert folded(*documents) == (["0", "1", "2", "3"], {})


def test_short_texts_are_alike_only_word_by_word() -> None:
    rounds = [
        candidate(str(n), f"Inspection round {n}", f"On round {n}, listen to each feed pump and note its level.")
        for n in range(1, 9)
    ]
    assert folded(*rounds)[1] == {}
    copy = candidate("copy", "Inspection round 3", "On round 3, listen to each feed pump and note its level.")
    assert folded(*rounds, copy)[1] == {"3": ["copy"]}


def test_people_and_other_kinds_are_never_folded() -> None:
    people = [candidate(f"p{n}", "Ana", TEXT, kind="person") for n in range(3)]
    kinds = [candidate("page", "Ana", TEXT), candidate("tool", "Ana", TEXT, kind="tool")]
    assert folded(*people, *kinds)[1] == {}


def test_many_copies_stand_under_several_and_none_is_lost() -> None:
    copies = [candidate(f"{n:03}", f"Copy {n}", TEXT) for n in range(40)]
    kept, under = folded(*copies)
    assert all(len(others) <= MOST for others in under.values())
    assert len(under["000"]) == MOST
    assert sorted([*kept, *(key for others in under.values() for key in others)]) == [one.key for one in copies]


def test_what_the_viewer_may_not_see_moves_nothing() -> None:
    """Folding knows the candidates alone: without one that is hidden, all others stand as they would alone."""
    seen = [candidate("a", "One", TEXT), candidate("b", "Two", "Water and steam. " * 30), candidate("c", "Six", TEXT)]
    hidden = candidate("h", "Hidden", TEXT)
    assert folded(*seen) == (["a", "b"], {"a": ["c"]})
    assert folded(hidden, *seen) == (["h", "b"], {"h": ["a", "c"]})


def test_nothing_and_hits_without_a_candidate_stay_as_they_are() -> None:
    assert folding.folded([], {}) == {}
    hits = [Hit("a", 2.0), Hit("b", 1.0)]
    assert folding.folded(hits, {}) == {}
    assert folding.folded(hits, {"a": candidate("a", "", ""), "b": candidate("b", "", "")}) == {}


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_nothing_is_lost_and_nothing_shown_twice(seed: int) -> None:
    chance = random.Random(seed)
    words = TEXT.split()
    documents = []
    for number in range(chance.randint(0, 30)):
        own = list(words)
        for _ in range(chance.choice([0, 1, 3, 30])):
            own[chance.randrange(len(own))] = chance.choice(words) + "x"
        documents.append(candidate(str(number), "Title", " ".join(own[: chance.choice([5, 30, 400])])))
    kept, under = folded(*documents)
    shown = [*kept, *(key for others in under.values() for key in others)]
    assert sorted(shown) == sorted(one.key for one in documents)
    assert set(under) <= set(kept)
    assert kept == [one.key for one in documents if one.key in set(kept)]
