"""Whoever is named in a note is pointed out, with what to write instead; who may not be known stays unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experts.choices import be_found, hide
from experts.models import Person
from immersive.work.lessons.name_reading import SOMEBODY, Named, named
from immersive.work.lessons.names import _people, check
from knowledge.access import Viewer
from knowledge.models import Audience, Source
from tests.work.names_corpus import HERE, nameless, people, seeded

SETS = Path(__file__).parent
"""Of `names_*.jsonl`: the people of a company, then a note a line; to be measured with, not to be read by who mends."""

JUN = Named("Jun Hayashimo", ("jun.hayashimo",), "a colleague in Finance")
MARK = Named("Mark Will", ("mwill",), "a colleague in Sales")
BERG = Named("Joost van den Berg", (), "a colleague in Supply")


def said(text: str, viewer: Viewer) -> list[tuple[str, str]]:
    """What is found, and what is said instead."""
    return [(one.text, one.instead) for one in check(text, viewer)]


@pytest.mark.parametrize("half", [0, 1])
def test_at_least_95_of_100_names_are_found_and_at_most_5_of_100_notes_without_one_are_flagged(half: int) -> None:
    here, notes = people(HERE), list(seeded(half))
    missed = []
    for note in notes:
        at = note.text.index(note.name)
        if not any(one.start < at + len(note.name) and at < one.end for one in named(note.text, here)):
            missed.append(note)
    alarms = [(text, found) for text in nameless(half) if (found := named(text, here))]
    print(  # noqa: T201 - the figures of docs/benchmarks.md, shown by pytest -s
        f"half {half}: {200 - len(missed)} of 200 names found, {len(alarms)} of 200 notes without one flagged"
    )
    assert len(notes) == 200
    assert len(missed) <= 10, missed
    assert len(alarms) <= 10, alarms


@pytest.mark.parametrize(
    ("kind", "size", "missing", "alarms"),
    [("ordinary", (400, 217), 10, 10), pytest.param("unseen", (200, 117), 25, 13, marks=pytest.mark.slow)],
)
def test_on_notes_that_nobody_tuned_it_on_it_finds_and_flags_as_the_benchmarks_say(
    kind: str, size: tuple[int, int], missing: int, alarms: int
) -> None:
    first, *notes = map(json.loads, (SETS / f"names_{kind}.jsonl").read_text(encoding="utf-8").splitlines())
    here = people(first["people"])
    missed, flagged, names = 0, 0, 0
    for note in notes:
        found = named(note["text"], here)
        flagged += bool(found and not note["names"])
        for name in note["names"]:
            names += 1
            at = [match.start() for match in re.finditer(re.escape(name), note["text"])]
            missed += not any(one.start < start + len(name) and start < one.end for one in found for start in at)
    assert (len(notes), names) == size
    assert missed <= missing
    assert flagged <= alarms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("J. Hayashimo had the key.", ["J. Hayashimo"]),
        ("hayashimo jun had it, JUN HAYASHIMO too", ["hayashimo jun", "JUN HAYASHIMO"]),
        ("ask @jun.hayashimo or jun.hayashimo@example.com", ["@jun.hayashimo", "jun.hayashimo@example.com"]),
        ("Jun’s note of 3 Jun", ["Jun"]),
        ("Mark the spot. Mark forgot. Will it hold?", ["Mark"]),
        ("the Mark II, a mark, Will & Co", []),
        ("mwill closed it", ["mwill"]),
        ("van den berg signed; the berg is cold; Berg forgot", ["Berg"]),
        ("Joost van den Berg", ["Joost van den Berg"]),
        ("https://x.example/jun.hayashimo and `jun.hayashimo`", []),
        ("It was Frau van der Veen, so said Dr Ute Klein", ["Frau van der Veen", "Dr Ute Klein"]),
        ("16 A. Kelvin is a unit; see Fig. A. Smith charts help", []),
        ("Will signed it. Mark the new porter had not. Mark the spot.", ["Will", "Mark"]),
        ("ok so ewan swapped it, o'hara went home at ten o'clock", ["ewan", "o'hara"]),
        ("il sig. Bonazzi aveva le chiavi, 40 ms. With care", ["sig. Bonazzi"]),
        ("We named the press Ingrid. Ingrid stopped; LoRa too. @theme-kit, @ada/kit", []),
        ("Stock in Florence, flat A. We rang Ernst & Young of Second Floor", []),
        ("Second Floor Leak: Root Cause And Next Steps", []),
        ("", []),
        ("@ . J. 's Dr", []),
    ],
)
def test_ways_to_write_a_name_and_words_that_only_look_like_one(text: str, found: list[str]) -> None:
    assert [one.text for one in named(text, [JUN, MARK, BERG])] == found


def test_the_part_is_said_where_it_is_clear_who_is_meant_and_a_tool_is_nobody() -> None:
    other = Named("Jun Okada", (), "a colleague in Care")
    said = named("Jun Hayashimo and J. Hayashimo; then Jun forgot", [JUN, other])
    assert [one.instead for one in said] == ["a colleague in Finance", "a colleague in Finance", SOMEBODY]
    assert named("Then Giovanni was restarted.", []) != []
    assert named("Then Giovanni was restarted.", [], {"Giovanni"}) == []


@pytest.mark.django_db
def test_only_people_whom_the_viewer_may_know_are_known(make_person: Callable[..., Any]) -> None:
    viewer = Viewer.of(make_person("me", name="Mara Lind"))
    team = make_person("priya", name="Priya Nandékar", role="Field engineer", email="pn@example.com")
    make_person("sec", name="Wanjirq Kamothq")
    text = "nandekar saw it, wanjirq kamothq as well"
    assert said("PN@example.com wrote it", viewer) == [("PN@example.com", f"a colleague ({team.role})")]
    assert said(text, viewer) == [("nandekar", f"a colleague ({team.role})"), ("wanjirq kamothq", SOMEBODY)]
    Source.objects.create(kind="people", name="People", slug="people", audience=Audience.objects.of({"team:4711"}))
    assert said(text, viewer) == []


@pytest.mark.django_db
def test_the_answer_is_the_same_for_who_hides_who_left_and_who_never_was_here(make_person: Callable[..., Any]) -> None:
    viewer = Viewer.of(make_person("me", name="Mara Lind"))
    written = "Then Ute Brandhauer forgot it. @xbrandhauer, x.b@example.com and Frau Brandhauer knew."
    unwritten = "brandhauer ute was there, and so was xbrandhauer"
    nobody = said(written, viewer)
    assert {instead for _, instead in nobody} == {SOMEBODY}
    one = make_person("xbrandhauer", name="Ute Brandhauer", email="x.b@example.com", role="Head of ovens")
    assert said(unwritten, viewer) != []
    assert said(written, viewer) != nobody
    Person.objects.filter(pk=one.pk).update(is_active=False)
    assert said(written, viewer) == nobody  # who left may be known, so they are found, but nothing is said of them
    assert {instead for _, instead in said(unwritten, viewer)} == {SOMEBODY}
    for active in (True, False):
        Person.objects.filter(pk=one.pk).update(is_active=active)
        hide(person=one)
        assert said(written, viewer) == nobody
        assert said(unwritten, viewer) == []
    be_found(person=one)
    Person.objects.filter(pk=one.pk).update(name_removed=True)
    assert said(written, viewer) == nobody
    assert said(unwritten, viewer) == []


@pytest.mark.django_db
def test_a_text_asks_for_its_own_words_and_not_for_everybody(
    make_person: Callable[..., Any], django_assert_num_queries: Any
) -> None:
    viewer = Viewer.of(make_person("me", name="Mara Lind"))
    for number in range(30):
        make_person(f"p{number}", name=f"Anybody Number{'abcdefghijklmnopqrstuvwxyzåäöé'[number]}")
    text = "Mara Lind met numberb and Numbérc (50 % of all) [these]*+?"
    with django_assert_num_queries(3):
        assert [one.text for one in check(text, viewer)] == ["Mara Lind", "numberb", "Numbérc"]
    assert {person.name for person in _people(text, viewer)} == {"Mara Lind", "Anybody Numberb", "Anybody Numberc"}
