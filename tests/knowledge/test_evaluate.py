"""The measures are right, and measuring touches nothing of the installation."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from io import StringIO
from math import log, log2
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from knowledge import index, indexing
from knowledge.access import Viewer
from knowledge.management.commands.evaluate_search import (
    Asked,
    JudgedQuery,
    JudgedSet,
    against,
    measure,
    ndcg,
    quantile,
    recall,
    reciprocal_rank,
)
from knowledge.management.load import GROUPS, documents, mix
from knowledge.management.reference import PlainBM25, chance
from knowledge.models import Resource, Search, Source
from knowledge.search import search
from tests.knowledge.conftest import sync

pytestmark = pytest.mark.django_db


# The measures ---------------------------------------------------------------------------------------------------


def test_ndcg_by_hand() -> None:
    """Answers of grade 3, 2 and 1; the second and the fourth place hold those of grade 3 and 1."""
    answers = {"a": 3.0, "b": 2.0, "c": 1.0}
    gained = 3 / log2(3) + 1 / log2(5)
    best = 3 / log2(2) + 2 / log2(3) + 1 / log2(4)
    assert ndcg(["x", "a", "y", "c"], answers) == pytest.approx(gained / best) == pytest.approx(0.4879, abs=1e-4)
    assert ndcg(["a", "b", "c"], answers) == 1
    assert ndcg(["x"], answers) == ndcg([], answers) == 0
    assert ndcg(["x"] * 10 + ["a"], answers) == 0, "the eleventh place is not among the first ten"


def test_the_other_measures_by_hand() -> None:
    answers = {"a": 1.0, "b": 1.0}
    assert reciprocal_rank(["x", "y", "b", "a"], answers) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x"] * 10 + ["a"], answers) == 0
    assert recall(["x", "a"], answers) == 0.5
    assert recall(["x"] * 100 + ["a", "b"], answers) == 0
    assert [quantile([3, 1, 2, 4], share) for share in (0, 0.5, 0.95)] == [1, 3, 4]


def test_linking_pages_are_taken_out_of_their_own_query_s_ranking_only() -> None:
    linked = JudgedQuery("1", "leave", {"a": 1.0}, frozenset({"x"}))
    other = JudgedQuery("2", "leave", {"a": 1.0})
    asked = [Asked(linked, ["x", "a"], 1.0), Asked(other, ["x", "a"], 3.0)]
    assert measure(asked)["mrr@10"] == 0.5
    assert measure(asked, leave_out_linking=True) == {
        "queries": 2, "ndcg@10": round((1 + 1 / log2(3)) / 2, 4), "mrr@10": 0.75, "recall@100": 1.0,
        "p50_ms": 3.0, "p95_ms": 3.0,
    }  # fmt: skip


def test_plain_bm25_by_hand() -> None:
    """Three documents: lengths 5, 4 and 3 with the title counted twice, 4 in the mean."""
    plain = PlainBM25([("b", "Leave", "Booking leaves, now"), ("a", "Tea", "leave it"), ("c", "", "tea cup, 10")])
    assert plain.ranked("leave") == ["b", "a"]
    assert plain.ranked("LEAVE leaves") == ["b", "a"]
    assert plain.ranked("tea") == ["a", "c"]
    assert plain.ranked("nobody") == plain.ranked("") == []
    rarity = log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    saturated = 1.9 * 1 / (1 + 0.9 * (0.6 + 0.4 * 3 / 4))
    assert plain.scores("cup").tolist() == pytest.approx([0, 0, rarity * saturated])
    assert plain.scores("cup cups").tolist() == pytest.approx([0, 0, 2 * rarity * saturated])
    assert PlainBM25([]).ranked("leave") == []


def test_what_chance_makes_of_a_difference() -> None:
    """All signs of n equal differences are one of 2 ** n cases, and their opposites another."""
    assert chance([1, 0, 0.5], [1, 0, 0.5]) == 1
    assert chance([1.0] * 5, [0.0] * 5) == chance([0.0] * 5, [1.0] * 5) == pytest.approx(2 / 2**5, rel=0.1)
    assert chance([1.0] * 30, [0.0] * 30) < 0.001
    assert chance([1.0, 0.0] * 20, [0.0, 1.0] * 20) > 0.9
    assert chance([0.9, 0.2, 0.4], [0.3, 0.3, 0.3]) == chance([0.9, 0.2, 0.4], [0.3, 0.3, 0.3])


# The command ----------------------------------------------------------------------------------------------------

CORPUS = [
    {
        "_id": "leave",
        "title": "Annual leave",
        "text": "---\nlayout: kestrel\n---\n\n[Book it](https://kestrel.example/).",
    },
    {"_id": "travel", "title": "Travel", "text": "Book the train, not on *leave*."},
    {"_id": "cups", "title": "Cups", "text": "They are in the kitchen. <% kestrel %>"},
]
QUERIES = [
    {"_id": 1, "text": "booking leave", "metadata": {"linked_from": ["leave"]}},
    {"_id": 2, "text": "kestrel"},
    {"_id": 3, "text": "trains"},
    {"_id": 4, "text": "nobody judged this"},
]
ANSWERS = "query-id\tcorpus-id\tscore\n1\ttravel\t1\n2\tcups\t1\n3\ttravel\t1\n3\tleave\t0\n"


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    place = tmp_path / "tiny"
    (place / "qrels").mkdir(parents=True)
    with gzip.open(place / "corpus.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in CORPUS)
    (place / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in QUERIES) + "\n")
    (place / "qrels" / "dev.tsv").write_text(ANSWERS)
    return place


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["tantivy", "whoosh"])
def test_a_judged_set_is_asked_as_people_ask(judged: Path, engine: str) -> None:
    figures = json.loads(run("evaluate_search", str(judged), "--engine", engine, "--json", "--words-only"))
    assert list(figures) == ["tiny"]
    times = [figures["tiny"].pop(name) for name in ("p50_ms", "p95_ms")]
    assert 0 < times[0] <= times[1]
    # 1: the page called "leave" comes first, the answer second; 2: front matter, link targets and template tags are
    # not searched, for the texts are cleaned; 3: found by its stem.
    assert figures["tiny"] == {
        "queries": 3,
        "ndcg@10": round((1 / log2(3) + 0 + 1) / 3, 4),
        "mrr@10": 0.5,
        "recall@100": round(2 / 3, 4),
    }


@pytest.mark.slow
def test_search_is_set_beside_plain_bm25_over_the_same_documents(judged: Path) -> None:
    figures = json.loads(run("evaluate_search", str(judged), "--against-bm25", "--leave-out-linking", "--json"))
    # Cleaned texts and linking pages left out, as for search: "kestrel" finds nothing, the others their answer.
    assert figures["tiny"]["bm25_ndcg@10"] == figures["tiny"]["ndcg@10"] == round(2 / 3, 4)
    assert figures["tiny"]["chance"] == 1
    lines = run("evaluate_search", str(judged), "--against-bm25", "--leave-out-linking").splitlines()
    assert [line.split() for line in lines[-2:]] == [
        ["tiny", "0.667", "0.667", "+0.0", "%", "1.0000"],
        ["sum", "0.667", "0.667", "+0.0", "%"],
    ]


def test_a_difference_that_is_more_than_chance_is_named() -> None:
    one = {"ndcg@10": 0.5, "bm25_ndcg@10": 0.4, "chance": 0.01}
    lines = against({"up": one, "down": one | {"ndcg@10": 0.3}, "even": one | {"chance": 0.4}}).splitlines()
    assert [line.split()[-1] for line in lines[2:5]] == ["better", "WORSE", "0.4000"]
    assert lines[5].split() == ["sum", "1.300", "1.200", "+8.3", "%"]


@pytest.mark.slow
def test_linking_pages_are_left_out_and_people_get_a_table(judged: Path) -> None:
    lines = run("evaluate_search", str(judged), "--leave-out-linking").splitlines()
    assert lines[0].split() == ["set", "queries", "nDCG@10", "MRR@10", "Recall@100", "p50", "ms", "p95", "ms"]
    assert lines[1].split()[:5] == ["tiny", "3", "0.667", "0.667", "0.667"]


@pytest.mark.slow
def test_measuring_reads_and_changes_nothing_of_the_installation(
    judged: Path, source: Source, settings: LazySettings, make_person: Callable[..., Any]
) -> None:
    sync(source)
    indexing.index_changes()
    ana = Viewer.of(make_person("ana"))
    search("kettle", ana)
    before = installation()
    wrapper = connections["default"]
    figures = json.loads(run("evaluate_search", str(judged), "--json"))
    assert figures["tiny"]["queries"] == 3, "its own pages would have made four resources"
    assert installation() == before
    assert connections["default"] is wrapper
    assert connection.settings_dict["NAME"] == wrapper.settings_dict["NAME"]
    assert search("kettle", ana, remember=False).total == 1
    assert search("trains", ana, remember=False).total == 0


def installation() -> tuple[Any, ...]:
    """What it holds and how it is set."""
    place = Path(django_settings.INDEX_DIR)
    return (
        list(Resource.objects.order_by("pk").values_list("pk", "key", "title", "body")),
        list(Source.objects.values_list("pk", "name")),
        Search.objects.count(),
        index.open_for_reading().count(),
        sorted((path, path.stat().st_mtime_ns) for path in place.rglob("*")),
        django_settings.SEARCH_ENGINE,
        sorted(django_settings.IMMERSIVE_CONNECTORS),
    )


@pytest.mark.slow
def test_the_installation_is_back_after_a_failure_too(judged: Path, db: None) -> None:
    (judged / "corpus.jsonl").write_text('{"_id": "a", "title": "A", "text": "x"}\nno json\n')
    name = connection.settings_dict["NAME"]
    with pytest.raises(CommandError, match=r"corpus\.jsonl, line 2"):
        run("evaluate_search", str(judged))
    assert connection.settings_dict["NAME"] == name
    assert Source.objects.count() == 0


@pytest.mark.parametrize(
    ("missing", "cure"),
    [("qrels/dev.tsv", "qrels/dev.tsv or qrels/test.tsv is missing"), ("queries.jsonl", "queries.jsonl")],
)
def test_a_folder_that_is_no_judged_set_is_refused_with_what_it_lacks(judged: Path, missing: str, cure: str) -> None:
    (judged / missing).unlink()
    with pytest.raises(CommandError, match=cure):
        JudgedSet(judged)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("queries.jsonl", '{"_id": 1}\n', "text"),
        ("queries.jsonl", "[1]\n", "line 1"),
        ("queries.jsonl", '{"_id": 99, "text": "x"}\n', "no query is judged"),
        ("qrels/dev.tsv", "query-id\tcorpus-id\tscore\n1 travel 1\n", "line 2"),
    ],
)
def test_a_broken_judged_set_is_refused_with_the_place(judged: Path, file: str, text: str, said: str) -> None:
    (judged / file).write_text(text)
    with pytest.raises(CommandError, match=said):
        JudgedSet(judged)


# The bench ------------------------------------------------------------------------------------------------------

SYLLABLES = ["ka", "mo", "ri", "tel", "su", "ban", "or", "vi", "lun", "pe"]


@pytest.fixture
def load(tmp_path: Path) -> Path:
    """Sixty short documents of invented words."""
    path = tmp_path / "load.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for number in range(60):
            words = [
                SYLLABLES[number % 7] + one + SYLLABLES[(number * 3 + at) % 10] for at, one in enumerate(SYLLABLES)
            ]
            row = {"title": f"{words[0]} {words[1]}", "text": " ".join(words) * 4, "author": "Ana"}
            file.write(json.dumps(row | {"org": f"org {number % 3}", "date": "2024-05-06"}) + "\n")
    return path


def test_short_documents_are_joined_with_their_neighbours_and_spread_over_groups(load: Path) -> None:
    some = list(documents(load, 30))
    assert [one.key for one in some] == [f"{number:07}" for number in range(30)]
    assert all(1_000 < len(one.body) < 2_000 for one in some[:25])
    assert some == list(documents(load, 30)), "the same each time"
    groups = {one.audience for one in documents(load, 60)}
    assert None in groups
    assert 10 < len(groups) <= GROUPS + 1
    more = list(documents(load, 90))
    assert more[:60] == list(documents(load, 60)), "the others are made of lines from anywhere"
    assert len({one.body for one in more}) > 80
    assert all(len(one.body) > 1_000 for one in more[60:])


def test_queries_are_of_one_three_and_six_words_in_equal_parts(load: Path) -> None:
    texts = list(mix(load, 60, 12))
    assert [len(text.split()) for text in texts] == [1, 3, 6] * 4
    assert texts == list(mix(load, 60, 12))


@pytest.mark.slow
def test_the_bench_measures_in_a_throwaway_place(load: Path) -> None:
    figures = json.loads(run("bench", "search", "--documents", str(load), "--count", "40", "--queries", "6", "--json"))
    assert (figures["documents"], figures["queries"]) == (40, 6)
    assert 0 < figures["bare"]["p50_ms"] < figures["search"]["p50_ms"] <= figures["search"]["p95_ms"]
    assert figures["ratio"] == pytest.approx(figures["search"]["p50_ms"] / figures["bare"]["p50_ms"], rel=0.05)
    assert figures["ingest"]["docs_per_s"] > 0
    assert min(figures["memory"].values()) > 10
    assert (Resource.objects.count(), Search.objects.count()) == (0, 0)
    assert "documents a second" in run("bench", "search", "--documents", str(load), "--count", "40", "--queries", "3")


@pytest.mark.slow
def test_growth_is_told_as_a_power_of_the_size(load: Path) -> None:
    told = json.loads(
        run("bench", "growth", "--documents", str(load), "--counts", "20", "40", "--queries", "3", "--json")
    )
    assert [size["documents"] for size in told["sizes"]] == [20, 40]
    assert told["exponent"].keys() == {"search", "bare"}
    assert told["sizes"][0]["index"]["bytes_per_document"] > 100


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        run("bench", "search", "--documents", str(tmp_path / "none.jsonl"))
