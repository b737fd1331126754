"""How good finding people is, measured with questions of which it is known who can answer them."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings

from experts.evidence import attribute
from experts.finder import find
from experts.management.rivals import (
    Matched,
    Profiles,
    documents_first,
    exponential_sums,
    reciprocal_ranks,
    sums,
)
from experts.models import Person
from knowledge.access import Ground, Viewer
from knowledge.connectors import Event, Known
from knowledge.documents import Contribution, Document
from knowledge.index.language import parse
from knowledge.management.commands.evaluate_search import (
    BrokenSet,
    JudgedConnector,
    JudgedQuery,
    JudgedSet,
    embed_all,
    lines,
    ndcg,
    quantile,
    reciprocal_rank,
)
from knowledge.management.reference import PlainBM25, chance
from knowledge.management.throwaway import fill, index_worker, throwaway
from knowledge.models import Resource, Source
from knowledge.search import retrieve

SHOWN = 5
"""People that a page shows: the time is that of asking for so many."""
FINDER, BASELINE = "the finder", "BM25, reciprocal ranks"
FIGURES = ("map", "mrr", "p@5", "ndcg@10")
_DATES = ("%Y-%m-%d", "%d-%b-%Y", "%Y-%m", "%Y")


class Command(BaseCommand):
    """Reads judged sets into throwaway databases and asks the finder there."""

    help = (
        "Measure who knows with judged sets of people: corpus.jsonl[.gz] with metadata.authors, people.jsonl, "
        "queries.jsonl and qrels/dev.tsv (query, person, grade). Everything happens in a throwaway database and "
        "index; the same find() is asked that people use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sets", nargs="+", type=Path, metavar="DIR", help="A folder that holds one judged set.")
        parser.add_argument("--words-only", action="store_true", help="Find documents by words alone.")
        parser.add_argument("--engine", choices=sorted(settings.SEARCH_ENGINES), help="Default: as settings say.")
        parser.add_argument("--json", action="store_true", help="Print the finder's figures as JSON and nothing else.")

    def handle(self, **options: Any) -> None:
        judged = [PeopleSet(path) for path in options["sets"]]
        told: dict[str, dict[str, float]] = {}
        for one in judged:
            if not options["json"]:
                self.stderr.write(f"{one.name}: {len(one.queries)} queries …")
            with override_settings(MEANING=settings.MEANING and not options["words_only"]):
                asked = ask(one, engine=options["engine"], compare=not options["json"])
            told[one.name] = {**asked[FINDER].figures(), "p50_ms": round(quantile(asked[FINDER].took_ms, 0.5), 2)}
            if not options["json"]:
                self.stdout.write(table(one.name, asked))
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))


# Judged sets of people ------------------------------------------------------------------------------------------


class PeopleSet(JudgedSet):
    """A judged set whose answers are people. Raises `BrokenSet` with what is missing."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        rows = lines(self._file("people.jsonl", "people.jsonl.gz"), needs=("_id", "name"))
        self.people = {str(row["_id"]): str(row["name"]) for row in rows}
        judged = {who for query in self.queries for who in query.answers}
        if unknown := sorted(judged - self.people.keys()):
            raise BrokenSet(
                f"{self.path}: qrels name {unknown[0]!r}, who is not in people.jsonl ({len(unknown)} such). "
                "Each person in qrels needs a line with that _id and a name."
            )


class WrittenConnector(JudgedConnector):
    """Yields the documents of a judged set with whoever wrote them, in equal shares where none are told."""

    def pull(self, known: Known) -> Iterator[Event]:
        """See `Connector`."""
        rows = {str(row["_id"]): row.get("metadata") or {} for row in lines(self.corpus)}
        names = PeopleSet(self.corpus.parent).people
        for event in super().pull(known):
            if isinstance(event, Document):
                yield _with_authors(event, rows[event.key], names)


def _with_authors(document: Document, told: Mapping[str, Any], names: Mapping[str, str]) -> Document:
    """Who is not among the people of the set stays a name that nobody bears."""
    date = _date(told.get("date"))
    authors = [one if isinstance(one, Mapping) else {"_id": one} for one in told.get("authors") or ()]
    parts = []
    for one in authors:
        who = str(one.get("_id"))
        share = float(one.get("share", 1 / len(authors)))
        parts.append(Contribution(names.get(who, who), address(who), share, last=_date(one.get("last")) or date))
    return Document(
        key=document.key,
        title=document.title,
        body=document.body,
        language=document.language,
        contributions=tuple(parts),
        updated=date,
    )


def address(who: str) -> str:
    """The e-mail address that stands for a person of a set: no two have the same, however alike their names are."""
    return f"{who.encode().hex()[:200]}@set.invalid"


def _date(told: Any) -> datetime | None:
    """A day as sets write it, or `None`."""
    for form in _DATES:
        try:
            return datetime.strptime(str(told or "").strip()[:11], form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


# Asking ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Answers:
    """What one way of ranking people answered: for each query, people best first."""

    ranked: list[tuple[JudgedQuery, Sequence[str]]] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)

    def each(self, figure: str) -> list[float]:
        """One figure of each query."""
        return [MEASURES[figure](ranked, query.answers) for query, ranked in self.ranked]

    def figures(self) -> dict[str, float]:
        """The means."""
        return {figure: round(fmean(self.each(figure)), 4) for figure in FIGURES}


def ask(judged: PeopleSet, *, engine: str | None = None, compare: bool = True) -> dict[str, Answers]:
    """Ask the finder a set's queries as a person would, and with ``compare`` its rivals over the same documents."""
    with throwaway(f"{__name__}.WrittenConnector", engine=engine):
        asker = Person.objects.create(username="asker")
        Person.objects.bulk_create(
            Person(username=f"person-{number}", name=name, email=address(who))
            for number, (who, name) in enumerate(judged.people.items())
        )
        with index_worker():
            source = fill(judged.name, str(judged.corpus))
            Source.objects.filter(pk=source.pk).update(trusts_emails=True)
            attribute()
        embed_all()
        viewer = Viewer.of(asker)
        people = {person.pk: person for person in Person.objects.all()}
        ids = {address(who): who for who in judged.people}
        answers: dict[str, Answers] = defaultdict(Answers)
        rivals = _Rivals(viewer, {pk: ids[person.email] for pk, person in people.items() if person.email})
        for query in judged.queries:
            begun = time.perf_counter()
            first = find(query.text, viewer, count=SHOWN)
            answers[FINDER].took_ms.append((time.perf_counter() - begun) * 1000)
            ranked = [ids[one.person.email] for one in find(query.text, viewer, count=len(people))]
            if ranked[:SHOWN] != [ids[one.person.email] for one in first]:
                raise CommandError(f"{judged.name}, {query.key}: fewer people are shown in another order.")
            answers[FINDER].ranked.append((query, ranked))
            for name, others in rivals.ask(query.text) if compare else ():
                answers[name].ranked.append((query, others))
        return dict(answers)


class _Rivals:
    """Other ways of ranking people over the documents that are in the database now."""

    def __init__(self, viewer: Viewer, ids: Mapping[int, str]) -> None:
        self._viewer = viewer
        documents = list(Resource.objects.values_list("key", "title", "body"))
        self._keys = {row.public_id.hex: row.key for row in Resource.objects.only("public_id", "key")}
        self._shares: dict[str, dict[str, float]] = defaultdict(dict)
        rows = Resource.objects.filter(contributions__person__isnull=False)
        for key, who, share in rows.values_list("key", "contributions__person", "contributions__share"):
            self._shares[key][ids[who]] = share
        self._bm25 = PlainBM25(documents)
        self._profiles = Profiles(((key, f"{title}\n{body}") for key, title, body in documents), self._shares)

    def ask(self, text: str) -> Iterator[tuple[str, list[str]]]:
        """The name of each, and the people whom it finds."""
        scores = sorted(zip(self._bm25.keys, self._bm25.scores(text).tolist(), strict=True), key=lambda one: -one[1])
        plain: Matched = [one for one in scores if one[1] > 0]
        ours: Matched = [(self._keys[hit.key], hit.score) for hit in retrieve(parse(text), Ground(self._viewer)).hits]
        yield BASELINE, reciprocal_ranks(plain, self._shares)
        yield "BM25, sum of scores", sums(plain, self._shares)
        yield "BM25, exponential sum times votes", exponential_sums(plain, self._shares)
        yield "BM25, document model", documents_first(plain, self._shares)
        yield "candidate model", self._profiles.ranked(text)
        yield "our search, reciprocal ranks", reciprocal_ranks(ours, self._shares)
        yield "our search, sum of scores", sums(ours, self._shares)
        yield "our search, exponential sum times votes", exponential_sums(ours, self._shares)


# Measures -------------------------------------------------------------------------------------------------------


def average_precision(ranked: Sequence[str], answers: Mapping[str, float]) -> float:
    """The mean, over the people who can answer, of the precision at each one's rank; 0 for who is not found."""
    found = [rank for rank, who in enumerate(ranked, 1) if who in answers]
    return sum(number / rank for number, rank in enumerate(found, 1)) / len(answers)


MEASURES: dict[str, Callable[[Sequence[str], Mapping[str, float]], float]] = {
    "map": average_precision,
    "mrr": lambda ranked, answers: reciprocal_rank(ranked, answers, depth=len(ranked)),
    "p@5": lambda ranked, answers: sum(who in answers for who in ranked[:5]) / 5,
    "ndcg@10": ndcg,
    "one of 3": lambda ranked, answers: float(any(who in answers for who in ranked[:3])),
}


def table(name: str, asked: Mapping[str, Answers]) -> str:
    """All ways side by side, for people; chance: that it alone makes the finder's MAP differ so much."""
    width = max(len(name), *map(len, asked))
    told = [f"{name:{width}}    MAP    MRR    P@5  nDCG@10  one of the first 3  the finder's MAP  by chance"]
    finder = asked[FINDER].each("map")
    for way, answers in asked.items():
        means = [fmean(answers.each(figure)) for figure in MEASURES]
        line = f"{way:{width}}  {means[0]:.3f}  {means[1]:.3f}  {means[2]:.3f}  {means[3]:7.3f}  {means[4]:18.2f}"
        if way != FINDER:
            better = f"{100 * (fmean(finder) / means[0] - 1):+.1f} %" if means[0] else ""
            line += f"  {better:>16}  {chance(finder, answers.each('map')):9.4f}"
        told.append(line)
    told.append(
        f"p50 {quantile(asked[FINDER].took_ms, 0.5):.1f} ms, p95 {quantile(asked[FINDER].took_ms, 0.95):.1f} ms"
    )
    return "\n".join([*told, ""])
