"""Measuring who knows: the measures and the rivals by hand, and an invented set asked for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from math import exp, log
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from experts.management.commands.evaluate_experts import (
    BASELINE,
    FINDER,
    Answers,
    PeopleSet,
    WrittenConnector,
    ask,
    average_precision,
    table,
)
from experts.management.rivals import (
    Profiles,
    documents_first,
    exponential_sums,
    reciprocal_ranks,
    sums,
)
from experts.models import Person
from experts.votes import Vote, depth, matches, score
from knowledge.connectors import Known
from knowledge.documents import Document
from knowledge.management.commands.evaluate_search import JudgedQuery

PEOPLE = {"a": "Ana Lima", "b": "Ben Okafor", "c": "Ana Lima"}
PAGES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "kettle": ("Descale the kettle with citric acid.", ["a", "b"], {"date": "2024-03-01"}),
    "lime": ("Lime in a kettle: descale it each month.", ["a"], {"date": "12-May-2025"}),
    "steam": (
        "The steam valve opens at four bar.", [{"_id": "c", "share": 0.9, "last": "2026"}, "stranger"], {},
    ),
    "parking": ("Bays behind the mill, by name.", ["b"], {"date": "some day"}),
}  # fmt: skip
QUERIES = {"q1": ("descaling a kettle", ["a"]), "q2": ("steam valve", ["c"]), "q3": ("where to park", ["b"])}


@pytest.fixture
def invented(tmp_path: Path) -> Path:
    folder = tmp_path / "invented"
    (folder / "qrels").mkdir(parents=True)
    pages = [
        {"_id": key, "title": key.capitalize(), "text": text, "metadata": {"authors": authors, **more}}
        for key, (text, authors, more) in PAGES.items()
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, pages)))
    people = [{"_id": key, "name": name} for key, name in PEOPLE.items()]
    (folder / "people.jsonl").write_text("\n".join(map(json.dumps, people)))
    queries = [{"_id": key, "text": text} for key, (text, _) in QUERIES.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    judged = [f"{key}\t{who}\t1" for key, (_, right) in QUERIES.items() for who in right]
    (folder / "qrels/dev.tsv").write_text("\n".join(["query-id\tperson-id\tscore", *judged]))
    return folder


def test_average_precision_by_hand() -> None:
    answers = {"a": 1.0, "b": 1.0, "c": 1.0}
    assert average_precision(["a", "x", "b"], answers) == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision(["x"], answers) == average_precision([], answers) == 0


def test_rivals_by_hand() -> None:
    """Ana wrote two documents that match, Ben the best one with Cleo, who wrote little else."""
    matched = [("one", 3.0), ("two", 2.0), ("three", 1.9)]
    shares = {"one": {"ben": 0.5, "cleo": 0.5}, "two": {"ana": 1.0}, "three": {"ana": 1.0}, "far": {"ben": 1.0}}
    assert reciprocal_ranks(matched, shares) == ["ben", "cleo", "ana"]  # 1, 1 and 1/2 + 1/3
    assert sums(matched, shares) == ["ana", "ben", "cleo"]  # 3.9, 3 and 3
    assert 2 * (exp(2) + exp(1.9)) > exp(3)
    assert exponential_sums(matched, shares) == ["ana", "ben", "cleo"]
    assert documents_first(matched, shares) == ["cleo", "ana", "ben"]  # 1, (.37 + .33) / 2 and 1 / 3, of e^3
    assert reciprocal_ranks([], shares) == exponential_sums([], shares) == []


def test_the_candidate_model_knows_people_by_all_they_wrote() -> None:
    profiles = Profiles([("1", "kettles and lime"), ("2", "kettle, kettle"), ("3", "boiler")],
                        {"1": {"ana": 1.0}, "2": {"ben": 1.0}, "3": {"ana": 1.0, "cleo": 1.0}})  # fmt: skip
    assert profiles.ranked("KETTLES") == ["ben", "ana"]
    assert profiles.ranked("zanzibar") == []


def test_votes_by_hand() -> None:
    new, old = Vote(1.0, years=0.0), Vote(1.0, years=3.0)
    assert (new.worth, old.worth, Vote(1.0).worth) == (1.0, 0.5, 0.5)
    assert Vote(0.5, share=1 / 16, years=0.0).worth == pytest.approx(1 / 32)
    assert Vote(1.0, years=0.0, thanks=99).worth == 2 * new.worth
    assert score([new, new]) == pytest.approx(2**0.75 * 2)
    assert score([]) == 0
    assert matches([4.0, 2.0, -1.0]) == [1.0, 0.5, 0.0]
    assert matches([0.0, 0.0]) == [1.0, 1.0]
    assert matches([]) == []
    assert log(Vote(0.0, years=0.0).worth + 1) == 0


@pytest.mark.parametrize(
    ("worked", "known"),
    [
        ([], "none"),
        ([(1.0, 0.5)], "learning"),
        ([(1.0, 0.5)] * 2, "practised"),
        ([(1.0, 0.5)] * 4, "deeply"),
        ([(1.0, 4.0)] * 4, "practised"),
        ([(1.0, 20.0)] * 4, "learning"),
        ([(0.01, 0.0)] * 4, "learning"),
        ([(1.0, None)] * 3, "practised"),
    ],
)
def test_depth_is_coarse_and_fades(worked: list[tuple[float, float | None]], known: str) -> None:
    assert depth(worked) == known


def test_people_of_one_name_and_days_of_any_form_are_told_apart(invented: Path) -> None:
    connector = WrittenConnector(str(invented / "corpus.jsonl"), {})
    found = {one.key: one for one in connector.pull(Known()) if isinstance(one, Document)}
    two, stranger = found["steam"].contributions
    one = found["lime"].contributions[0]
    assert (one.name, one.share, str(one.last)[:10]) == ("Ana Lima", 1.0, "2025-05-12")
    assert (two.name, two.share, str(two.last)[:10]) == ("Ana Lima", 0.9, "2026-01-01")
    assert one.email != two.email
    assert [part.share for part in found["kettle"].contributions] == [0.5, 0.5]
    assert found["parking"].contributions[0].last is None
    assert stranger.name == "stranger"


def test_the_table_tells_who_is_better_and_whether_by_chance() -> None:
    query = JudgedQuery("1", "kettle", {"a": 1.0})
    told = table("set", {FINDER: Answers([(query, ["a"])], [2.0]), BASELINE: Answers([(query, ["x", "a"])])})
    assert "+100.0 %" in told
    assert told.splitlines()[1].split()[2:] == ["1.000", "1.000", "0.200", "1.000", "1.00"]
    assert "p50 2.0 ms" in told


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no people": (lambda at: (at / "people.jsonl").unlink(), "people.jsonl or people.jsonl.gz is missing"),
    "a person without a name": (lambda at: (at / "people.jsonl").write_text('{"_id": "a"}'), "with _id and name"),
    "qrels of strangers": (
        lambda at: (at / "qrels/dev.tsv").write_text("q1\tzoe\t1"), "qrels name 'zoe', who is not in people.jsonl",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_set_is_named_with_its_cure(invented: Path, fault: str) -> None:
    spoil, said = BAD[fault]
    spoil(invented)
    with pytest.raises(CommandError, match=said):
        PeopleSet(invented)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_command_prints_what_the_finder_answers_and_touches_nothing(invented: Path) -> None:
    out = StringIO()
    call_command("evaluate_experts", str(invented), "--json", "--words-only", stdout=out)
    (figures,) = json.loads(out.getvalue()).values()
    assert list(figures) == ["map", "mrr", "p@5", "ndcg@10", "p50_ms"]
    assert [figures["map"], figures["mrr"], figures["p@5"], figures["ndcg@10"]] == [1.0, 1.0, 0.2, 1.0]
    assert not Person.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db
def test_rivals_are_asked_over_the_same_documents(invented: Path) -> None:
    asked = ask(PeopleSet(invented))
    assert all(len(answers.ranked) == len(QUERIES) for answers in asked.values())
    assert asked[BASELINE].figures()["map"] == 1.0
    assert len(asked) == 9
