"""How good search is, measured with questions whose answers are known."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from statistics import fmean
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings

from knowledge.access import Ground, Viewer
from knowledge.connectors import Event, Known, SourceError
from knowledge.documents import EVERYONE, Document
from knowledge.index.language import parse
from knowledge.management.kept_vectors import Keeping
from knowledge.management.reference import PlainBM25, chance
from knowledge.management.throwaway import fill, index_worker, throwaway
from knowledge.markup import inline, markdown
from knowledge.meaning.embedding import embed, status
from knowledge.meaning.encoders import chosen
from knowledge.models import Resource
from knowledge.search import retrieve, search

EVERYBODY = Viewer(None, frozenset({EVERYONE}))


class Command(BaseCommand):
    help = (
        "Measure search with judged sets of BEIR's layout (corpus.jsonl[.gz], queries.jsonl, qrels/dev.tsv). "
        "Everything happens in a throwaway database and index; texts are cleaned as Markdown files are, and the same "
        "search() is asked that people use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sets", nargs="+", type=Path, metavar="DIR", help="A folder that holds one judged set.")
        parser.add_argument(
            "--leave-out-linking",
            action="store_true",
            help="Take the pages of metadata.linked_from, which hold a query's words as a link, out of its ranking.",
        )
        parser.add_argument(
            "--words-only",
            action="store_true",
            help="Search by words alone, although there is a model for meaning.",
        )
        parser.add_argument(
            "--against-bm25",
            action="store_true",
            help="Measure plain BM25 (k1 .9, b .4, Porter2 stems, title counted twice) over the same documents too, "
            "and how likely chance alone makes such a difference (paired randomisation).",
        )
        parser.add_argument("--engine", choices=sorted(settings.SEARCH_ENGINES), help="Default: as settings say.")
        parser.add_argument("--json", action="store_true", help="Print the figures as JSON and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        judged = [JudgedSet(path) for path in options["sets"]]
        figures: dict[str, dict[str, float]] = {}
        for one in judged:
            if not options["json"]:
                self.stderr.write(f"{one.name}: {len(one.queries)} queries …")
            with override_settings(MEANING=settings.MEANING and not options["words_only"]):
                asked = ask(one, engine=options["engine"], against_bm25=options["against_bm25"])
            figures[one.name] = measure(asked, leave_out_linking=options["leave_out_linking"])
        self.stdout.write(json.dumps(figures, indent=2) if options["json"] else table(figures))
        if options["against_bm25"] and not options["json"]:
            self.stdout.write(against(figures))


# Judged sets ----------------------------------------------------------------------------------------------------


class BrokenSet(CommandError, SourceError):
    """A judged set cannot be read; the message says the place and the cure."""


def lines(path: Path, needs: tuple[str, ...] = ("_id", "text")) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, packed or not, each with what it ``needs``. Raises `BrokenSet`."""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 - the message says it
                if line.strip():
                    row = json.loads(line)
                    if not (isinstance(row, dict) and row.keys() >= set(needs)):
                        raise ValueError(f"{' or '.join(needs)} is missing")
                    yield row
    except (ValueError, OSError, EOFError) as error:
        raise BrokenSet(
            f"{path}, line {number}: {error}. Each line must be a JSON object with {' and '.join(needs)}, in UTF-8."
        ) from error


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A question, the documents that answer it with how well, and the pages it was taken from."""

    key: str
    text: str
    answers: Mapping[str, float]
    linked_from: frozenset[str] = frozenset()


class JudgedSet:
    """A folder of BEIR's layout. Raises `BrokenSet` with what is missing."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.name = self.path.name
        self.corpus = self._file("corpus.jsonl", "corpus.jsonl.gz")
        answers = self._answers(self._file("qrels/dev.tsv", "qrels/test.tsv"))
        rows = lines(self._file("queries.jsonl", "queries.jsonl.gz"))
        self.queries = [
            JudgedQuery(
                key=str(row["_id"]),
                text=row["text"],
                answers=answers[str(row["_id"])],
                linked_from=frozenset((row.get("metadata") or {}).get("linked_from") or ()),
            )
            for row in rows
            if str(row["_id"]) in answers
        ]
        if not self.queries:
            raise BrokenSet(f"{path}: no query is judged. The ids of qrels must be those of queries.jsonl.")

    def _file(self, *names: str) -> Path:
        for name in names:
            if (self.path / name).is_file():
                return self.path / name
        raise BrokenSet(
            f"{self.path} is no judged set: {' or '.join(names)} is missing. "
            "Give folders that hold corpus.jsonl[.gz], queries.jsonl and qrels/dev.tsv."
        )

    def _answers(self, path: Path) -> dict[str, dict[str, float]]:
        """Query -> document -> grade, of grades above 0."""
        found: dict[str, dict[str, float]] = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            parts = line.split("\t")
            try:
                grade = float(parts[2])
            except (IndexError, ValueError):
                if number > 1 and line.strip():
                    raise BrokenSet(f"{path}, line {number}: give query, document and grade, parted by tabs.") from None
                continue
            if grade > 0:
                found.setdefault(parts[0], {})[parts[1]] = grade
        return found


class JudgedConnector:
    """Yields the documents of a judged set's corpus, cleaned as Markdown files are."""

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.corpus = Path(address)

    def check(self) -> str:
        """See `Connector`."""
        return self.corpus.parent.name

    def pull(self, known: Known) -> Iterator[Event]:
        """See `Connector`."""
        for row in lines(self.corpus):
            title = inline(row.get("title") or "")
            page = markdown(row["text"], title=title)
            yield Document(key=str(row["_id"]), title=title or page.title, body=page.body, language=page.language)


# Asking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """One query's answer: the keys of documents, best first, and the milliseconds that its first page took.

    ``plain``: the answer of plain BM25, where it was asked too.
    """

    query: JudgedQuery
    ranked: Sequence[str]
    took_ms: float
    plain: Sequence[str] | None = None


def ask(judged: JudgedSet, *, engine: str | None = None, against_bm25: bool = False) -> list[Asked]:
    """Index the set's documents in a throwaway place and ask its queries there, each as a person would."""
    with throwaway(f"{__name__}.JudgedConnector", engine=engine):
        with index_worker():
            fill(judged.name, str(judged.corpus))
        embed_all()
        keys = {public_id.hex: key for public_id, key in Resource.objects.values_list("public_id", "key")}
        plain = PlainBM25(Resource.objects.values_list("key", "title", "body")) if against_bm25 else None
        found: list[Asked] = []
        for query in judged.queries:
            begun = time.perf_counter()
            page = search(query.text, EVERYBODY, remember=False)
            took_ms = (time.perf_counter() - begun) * 1000
            ranked = [keys[hit.key] for hit in retrieve(parse(query.text), Ground(EVERYBODY)).hits]
            shown = [result.resource.key for result in page.results]
            if ranked[: len(shown)] != shown:
                raise CommandError(f"{judged.name}, {query.key}: the page shows another order than was measured.")
            found.append(Asked(query, ranked, took_ms, plain.ranked(query.text) if plain else None))
        return found


def embed_all(most: int | None = None) -> None:
    """Make all vectors, where there is a model; those made for an earlier measurement are kept in VAR.

    With ``most`` the model is asked for so many, and each other passage takes the vector of one of them.
    """
    model = chosen(threads=settings.MEANING_THREADS)
    if model is None:
        return
    keeping = Keeping(model, settings.VAR_DIR / "measured", most)
    embed(seconds=86_400, encoder=keeping)
    keeping.keep()
    waiting = status()["waiting"]
    if waiting:
        raise CommandError(f"{waiting} documents could not be embedded: what stands above says why.")


# Measures -------------------------------------------------------------------------------------------------------


def ndcg(ranked: Sequence[str], answers: Mapping[str, float], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first ``depth`` (gain: the grade; discount: log2(1 + rank))."""
    gained = sum(answers.get(key, 0.0) / log2(rank + 1) for rank, key in enumerate(ranked[:depth], 1))
    grades = sorted(answers.values(), reverse=True)[:depth]
    best = sum(grade / log2(rank + 1) for rank, grade in enumerate(grades, 1))
    return gained / best if best else 0.0


def reciprocal_rank(ranked: Sequence[str], answers: Mapping[str, float], depth: int = 10) -> float:
    """One divided by the rank of the first answer, 0 where it is not among the first ``depth``."""
    return next((1 / rank for rank, key in enumerate(ranked[:depth], 1) if key in answers), 0.0)


def recall(ranked: Sequence[str], answers: Mapping[str, float], depth: int = 100) -> float:
    """The part of the answers that is among the first ``depth``."""
    return sum(key in answers for key in ranked[:depth]) / len(answers)


def quantile(values: Iterable[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed (the nearest one there is)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(asked: Sequence[Asked], *, leave_out_linking: bool = False) -> dict[str, float]:
    """The figures of one set."""

    def kept(ranked: Sequence[str], query: JudgedQuery) -> list[str]:
        return [key for key in ranked if not (leave_out_linking and key in query.linked_from)]

    rankings = [(kept(one.ranked, one.query), one.query.answers) for one in asked]
    gains = [ndcg(*one) for one in rankings]
    times = [one.took_ms for one in asked]
    figures = {
        "queries": len(asked),
        "ndcg@10": round(fmean(gains), 4),
        "mrr@10": round(fmean(reciprocal_rank(*one) for one in rankings), 4),
        "recall@100": round(fmean(recall(*one) for one in rankings), 4),
        "p50_ms": round(quantile(times, 0.5), 2),
        "p95_ms": round(quantile(times, 0.95), 2),
    }
    if all(one.plain is not None for one in asked):
        plain = [ndcg(kept(one.plain or (), one.query), one.query.answers) for one in asked]
        figures |= {"bm25_ndcg@10": round(fmean(plain), 4), "chance": round(chance(gains, plain), 4)}
    return figures


def against(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Search beside plain BM25, for people; a difference counts as seen where chance alone makes it in 1 of 20."""
    width = max(len("sum"), *map(len, figures))
    lines = ["", f"{'nDCG@10':{width}}  search   BM25  better by  by chance"]
    for name, one in figures.items():
        gain = 100 * (one["ndcg@10"] / one["bm25_ndcg@10"] - 1) if one["bm25_ndcg@10"] else 0.0
        seen = "" if one["chance"] > 0.05 else "  better" if gain > 0 else "  WORSE"
        both = f"{one['ndcg@10']:6.3f}  {one['bm25_ndcg@10']:5.3f}"
        lines.append(f"{name:{width}}  {both}  {gain:+7.1f} %  {one['chance']:9.4f}{seen}")
    ours, plain = (sum(one[name] for one in figures.values()) for name in ("ndcg@10", "bm25_ndcg@10"))
    gain = 100 * (ours / plain - 1) if plain else 0.0
    return "\n".join([*lines, f"{'sum':{width}}  {ours:6.3f}  {plain:5.3f}  {gain:+7.1f} %"])


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures for people."""
    width = max(len("set"), *map(len, figures))
    lines = [f"{'set':{width}}  queries  nDCG@10  MRR@10  Recall@100  p50 ms  p95 ms"]
    lines += [
        f"{name:{width}}  {one['queries']:7}  {one['ndcg@10']:7.3f}  {one['mrr@10']:6.3f}  {one['recall@100']:10.3f}"
        f"  {one['p50_ms']:6.1f}  {one['p95_ms']:6.1f}"
        for name, one in figures.items()
    ]
    return "\n".join(lines)
