"""How fast search is and how much it holds, measured on one machine in one run."""

from __future__ import annotations

import gzip
import json
import pickle
import random
import resource
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from knowledge import index, remembered, search
from knowledge.access import Viewer
from knowledge.connectors import Event, Known
from knowledge.documents import KINDS, Contribution, Document
from knowledge.index.analysis import STOP_WORDS, tokens
from knowledge.index.language import parse
from knowledge.management.commands.evaluate_search import BrokenSet, quantile
from knowledge.management.throwaway import fill, index_worker, throwaway

SEED = 20_000
LENGTH = 1_000
"""Characters at which a document is long enough: the last line joined makes them 1,300 on average."""
GROUPS = 50
HELD = 25
"""Groups that the person who searches is in."""
OPEN = 0.2
"""The part of the documents that everyone may read; each of the others is for one group."""
LENGTHS = (1, 3, 6)
SAMPLE = 4_000


class Command(BaseCommand):
    help = "Measure speed and memory in a throwaway database and index, filled through the real ingest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["search"], help="What to measure.")
        parser.add_argument(
            "--documents", type=Path, required=True, metavar="FILE", help="JSONL, packed with gzip or not: title, text."
        )
        parser.add_argument("--count", type=int, default=20_000, help="How many documents, spread over the file.")
        parser.add_argument("--queries", type=int, default=300, help="How many queries, in equal parts of each length.")
        parser.add_argument("--engine", choices=sorted(settings.SEARCH_ENGINES), help="Default: as settings say.")
        parser.add_argument("--json", action="store_true", help="Print the figures as JSON and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        path, count = options["documents"], options["count"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}. Give a file of JSON lines with title and text.")

        def say(line: str) -> None:
            if not options["json"]:
                self.stderr.write(line)

        figures = bench(path, count, queries=options["queries"], engine=options["engine"], say=say)
        self.stdout.write(json.dumps(figures, indent=2) if options["json"] else table(figures))


def bench(
    path: Path, count: int, *, queries: int, engine: str | None = None, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Fill a throwaway place with ``count`` documents and ask it; the figures."""
    with throwaway(f"{__name__}.LoadConnector", engine=engine) as folder:
        prepare(documents(path, count), folder / "documents")
        person = get_user_model().objects.create_user("bench")
        held = {f"group-{number}": f"person:{person.pk}" for number in range(HELD)}
        say(f"storing and indexing {count} documents …")
        with index_worker():
            begun = time.perf_counter()
            fill("load", str(folder / "documents"), groups=held)
            stored = time.perf_counter()
        ingested = time.perf_counter()
        sync_mb, index_worker_mb = _peak_mb(resource.RUSAGE_SELF), _peak_mb(resource.RUSAGE_CHILDREN)
        say("asking …")
        texts = list(mix(path, count, queries))
        times = ask(texts, Viewer.of(person))
        remembered.memory.flush()
    figures: dict[str, Any] = {
        "documents": count,
        "queries": len(texts),
        "search": _quantiles([one.search_ms for one in times]),
        "bare": _quantiles([one.bare_ms for one in times]),
        "words": {
            str(length): {
                "search": _quantiles([one.search_ms for one in times if one.length == length]),
                "bare": _quantiles([one.bare_ms for one in times if one.length == length]),
            }
            for length in LENGTHS
        },
        "ingest": {
            "docs_per_s": round(count / (ingested - begun), 1),
            "stored_per_s": round(count / (stored - begun), 1),
        },
        "memory": {
            "sync_mb": sync_mb,
            "index_worker_mb": index_worker_mb,
            "search_mb": _peak_mb(resource.RUSAGE_SELF),
        },
    }
    figures["ratio"] = round(figures["search"]["p50_ms"] / figures["bare"]["p50_ms"], 2)
    return figures


# Documents ------------------------------------------------------------------------------------------------------


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of the file. Raises `BrokenSet` that names a broken one."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise BrokenSet(f"{path}, line {number}: {error}. Each line must be one JSON object.") from error


def documents(path: Path, count: int) -> Iterator[Document]:
    """``count`` documents spread over the file, each with as many of the lines after it as make it long enough."""
    held = sum(1 for _ in rows(path))
    if count > held:
        raise BrokenSet(f"{path} holds {held} documents: choose a smaller --count.")
    chance = random.Random(SEED)  # noqa: S311 - the same each time, no secret
    ahead: deque[dict[str, Any]] = deque()
    length = 0
    lines = rows(path)
    made = 0
    for number in range(held):
        while length < LENGTH and (row := next(lines, None)):
            ahead.append(row)
            length += len(row.get("text") or "")
        if number * count // held >= made:
            yield _document(made, list(ahead), chance)
            made += 1
        if ahead:
            length -= len(ahead.popleft().get("text") or "")


def _document(number: int, joined: Sequence[Mapping[str, Any]], chance: random.Random) -> Document:
    first = joined[0]
    date = first.get("date")
    return Document(
        key=f"{number:07}",
        title=first.get("title") or "Untitled",
        body="\n\n".join(row.get("text") or "" for row in joined),
        kind=first["kind"] if first.get("kind") in KINDS else KINDS[number % 4],
        topics=(first["org"],) if first.get("org") else (),
        audience=None if chance.random() < OPEN else frozenset({f"group-{chance.randrange(GROUPS)}"}),
        contributions=(Contribution(first["author"]),) if first.get("author") else (),
        updated=datetime.fromisoformat(date).replace(tzinfo=UTC) if date else None,
    )


def prepare(documents: Iterator[Document], path: Path) -> None:
    """Keep documents where `LoadConnector` finds them: making them is no part of what is measured."""
    with path.open("wb") as file:
        for document in documents:
            pickle.dump(document, file)


class LoadConnector:
    """Yields what `prepare` kept in the file that is its address."""

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.path = Path(address)

    def check(self) -> str:
        """See `Connector`."""
        return self.path.name

    def pull(self, known: Known) -> Iterator[Event]:
        """See `Connector`."""
        with self.path.open("rb") as file:
            while file.peek(1):
                yield pickle.load(file)  # noqa: S301 - written by this run, in its own folder


# Queries --------------------------------------------------------------------------------------------------------


def mix(path: Path, count: int, queries: int) -> Iterator[str]:
    """The same queries each time: 1, 3 and 6 words of a document, neither rare nor in every document."""
    chance = random.Random(SEED)  # noqa: S311 - the same each time, no secret
    step = max(1, count // SAMPLE)
    sample = [
        list(dict.fromkeys(tokens(f"{one.title} {one.body}"))) for one in islice(documents(path, count), 0, None, step)
    ]
    frequency = Counter(word for words in sample for word in words)
    least, most = max(2, len(sample) // 1000), max(3, len(sample) // 20)
    middling = {
        word for word, times in frequency.items()
        if least <= times <= most and word.isalpha() and len(word) > 2 and word not in STOP_WORDS
    }  # fmt: skip
    made = 0
    for words in chance.choices(sample, k=queries * 50):
        length = LENGTHS[made % len(LENGTHS)]
        fit = [word for word in words if word in middling]
        if len(fit) >= length:
            yield " ".join(chance.sample(fit, length))
            made += 1
            if made == queries:
                return
    raise CommandError(f"{path} has too few different words for {queries} queries: use more documents.")


@dataclass(frozen=True, slots=True)
class Times:
    """What one query took: through `search.search`, and the engine's own call."""

    length: int
    search_ms: float
    bare_ms: float


def ask(texts: Sequence[str], viewer: Viewer) -> list[Times]:
    """Ask each query both ways, turn about which comes first, so that neither always finds the way paved."""
    engine = index.open_for_reading()
    scope = viewer.scope()

    def bare(text: str) -> float:
        query = parse(text)
        begun = time.perf_counter()
        engine.search(query, scope, limit=search.CANDIDATES, facets=True)
        return (time.perf_counter() - begun) * 1000

    def full(text: str) -> float:
        begun = time.perf_counter()
        search.search(text, viewer)
        return (time.perf_counter() - begun) * 1000

    for text in texts[: len(LENGTHS)]:  # what a process does once is no part of a search
        full(text)
    found: list[Times] = []
    for number, text in enumerate(texts):
        remembered.memory.flush()  # what is written after an answer would be counted against the next one
        if number // len(LENGTHS) % 2:
            bare_ms, search_ms = bare(text), full(text)
        else:
            search_ms = full(text)
            remembered.memory.flush()
            bare_ms = bare(text)
        found.append(Times(len(text.split()), search_ms, bare_ms))
    return found


# Figures --------------------------------------------------------------------------------------------------------


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(quantile(values, 0.5), 2), "p95_ms": round(quantile(values, 0.95), 2)}


def _peak_mb(who: int) -> float:
    """The largest memory that this process, or one of its ended children, has held so far."""
    return round(resource.getrusage(who).ru_maxrss / 1024, 1)


def table(figures: Mapping[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{figures['documents']} documents, {figures['queries']} queries", "              p50 ms   p95 ms"]
    named = [("search", figures["search"]), ("engine alone", figures["bare"])]
    for length, one in figures["words"].items():
        named += [(f"{length} words", one["search"]), ("  engine", one["bare"])]
    lines += [f"{name:12}  {one['p50_ms']:6.1f}   {one['p95_ms']:6.1f}" for name, one in named]
    lines.append(f"ratio of the medians {figures['ratio']}")
    ingest = figures["ingest"]
    lines.append(
        f"ingest to searchable {ingest['docs_per_s']:.0f} documents a second "
        f"(stored {ingest['stored_per_s']:.0f} meanwhile)"
    )
    memory = figures["memory"]
    lines.append(
        f"memory, peak: {memory['sync_mb']} MB syncing, {memory['index_worker_mb']} MB indexing, "
        f"{memory['search_mb']} MB after searching"
    )
    return "\n".join(lines)
