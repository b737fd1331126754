"""How fast search is and how much it holds, measured on one machine in one run."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings

from knowledge import index, remembered, search
from knowledge.access import Viewer
from knowledge.index.language import parse
from knowledge.management import load
from knowledge.management.commands.evaluate_search import embed_all, quantile
from knowledge.management.throwaway import fill, index_worker, throwaway


class Command(BaseCommand):
    help = "Measure speed and memory in a throwaway database and index, filled through the real ingest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["search", "growth"], help="One size, or how the times grow with it.")
        parser.add_argument(
            "--documents", type=Path, required=True, metavar="FILE", help="JSONL, packed with gzip or not: title, text."
        )
        parser.add_argument("--count", type=int, default=20_000, help="How many documents, spread over the file.")
        parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000], help="The sizes of growth.")
        parser.add_argument("--queries", type=int, default=300, help="How many queries, in equal parts of each length.")
        parser.add_argument("--engine", choices=sorted(settings.SEARCH_ENGINES), help="Default: as settings say.")
        parser.add_argument(
            "--embedded",
            type=int,
            default=0,
            metavar="N",
            help="Search by meaning too: the model embeds N passages, every other one takes the vector of one of them.",
        )
        parser.add_argument("--json", action="store_true", help="Print the figures as JSON and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["documents"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}. Give a file of JSON lines with title and text.")

        def say(line: str) -> None:
            if not options["json"]:
                self.stderr.write(line)

        if options["what"] == "growth":
            sizes = [apart(count, options) for count in sorted(options["counts"])]
            figures = {"sizes": sizes, "exponent": exponents(sizes)}
            told = "\n\n".join(map(table, sizes)) + f"\n\np50 grows with the exponent {figures['exponent']}"
        else:
            figures = bench(
                path,
                options["count"],
                queries=options["queries"],
                engine=options["engine"],
                embedded=options["embedded"],
                say=say,
            )
            told = table(figures)
        self.stdout.write(json.dumps(figures, indent=2) if options["json"] else told)


def apart(count: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of one size, measured in a process of its own: its memory is its own as well."""
    command = [sys.executable, "manage.py", "bench", "search", "--json", "--count", str(count)]
    for name in ("documents", "queries", "engine", "embedded"):
        command += [f"--{name}", str(options[name])] if options.get(name) else []
    own = {**os.environ, "SECRET_KEY": settings.SECRET_KEY}
    done = subprocess.run(  # noqa: S603 - this very command
        command, cwd=settings.BASE_DIR, env=own, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise CommandError(f"{count} documents could not be measured: what stands above says why.")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def bench(
    path: Path,
    count: int,
    *,
    queries: int,
    engine: str | None = None,
    embedded: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Fill a throwaway place with ``count`` documents and ask it; the figures."""
    with throwaway(load.CONNECTOR, engine=engine) as folder:
        load.prepare(load.documents(path, count), folder / "documents")
        person = get_user_model().objects.create_user("bench")
        held = {f"group-{number}": f"person:{person.pk}" for number in range(load.HELD)}
        say(f"storing and indexing {count} documents …")
        with index_worker():
            begun = time.perf_counter()
            fill("load", str(folder / "documents"), groups=held)
            stored = time.perf_counter()
        ingested = time.perf_counter()
        index_bytes = sum(file.stat().st_size for file in (folder / "index").rglob("*") if file.is_file())
        sync_mb, index_worker_mb = _peak_mb(resource.RUSAGE_SELF), _peak_mb(resource.RUSAGE_CHILDREN)
        if embedded:
            say("embedding …")
            embed_all(most=embedded)
        say("asking …")
        texts = list(load.mix(path, count, queries))
        times = ask(texts, Viewer.of(person), with_meaning=embedded > 0)
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
            for length in load.LENGTHS
        },
        "ingest": {
            "docs_per_s": round(count / (ingested - begun), 1),
            "stored_per_s": round(count / (stored - begun), 1),
        },
        "index": {"bytes_per_document": round(index_bytes / count)},
        "memory": {
            "sync_mb": sync_mb,
            "index_worker_mb": index_worker_mb,
            "search_mb": _peak_mb(resource.RUSAGE_SELF),
        },
    }
    figures["ratio"] = round(figures["search"]["p50_ms"] / figures["bare"]["p50_ms"], 2)
    if embedded:
        figures["with_meaning"] = _quantiles([one.meaning_ms for one in times])
    return figures


# Asking -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Times:
    """What one query took: through `search.search` by words alone, and by meaning too; and the engine's own call."""

    length: int
    search_ms: float
    bare_ms: float
    meaning_ms: float = 0.0


def ask(texts: Sequence[str], viewer: Viewer, *, with_meaning: bool = False) -> list[Times]:
    """Ask each query every way, turn about which comes first, so that none always finds the way paved."""
    engine = index.open_for_reading()
    scope = viewer.scope()

    def bare(text: str) -> float:
        query = parse(text)
        begun = time.perf_counter()
        engine.search(query, scope, limit=search.CANDIDATES, facets=True)
        return (time.perf_counter() - begun) * 1000

    def full(text: str, meaning: bool = False) -> float:
        with override_settings(MEANING=meaning):
            begun = time.perf_counter()
            search.search(text, viewer)
            took = (time.perf_counter() - begun) * 1000
        remembered.memory.flush()  # what is written after an answer would be counted against the next one
        return took

    ways: dict[str, Callable[[str], float]] = {"search_ms": full, "bare_ms": bare}
    if with_meaning:
        ways["meaning_ms"] = lambda text: full(text, meaning=True)
    for text in texts[: len(load.LENGTHS)]:  # what a process does once is no part of a search
        for way in ways.values():
            way(text)
    found: list[Times] = []
    for number, text in enumerate(texts):
        turn = number // len(load.LENGTHS) % len(ways)
        order = [*list(ways)[turn:], *list(ways)[:turn]]
        found.append(Times(len(text.split()), **{way: ways[way](text) for way in order}))
    return found


# Figures --------------------------------------------------------------------------------------------------------


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(quantile(values, 0.5), 2), "p95_ms": round(quantile(values, 0.95), 2)}


def _peak_mb(who: int) -> float:
    """The largest memory that this process, or one of its ended children, has held so far."""
    return round(resource.getrusage(who).ru_maxrss / 1024, 1)


def exponents(sizes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The power of the number of documents with which the medians grow, from the smallest to the largest size."""
    first, last = sizes[0], sizes[-1]
    times = log(last["documents"] / first["documents"]) or 1.0
    return {what: round(log(last[what]["p50_ms"] / first[what]["p50_ms"]) / times, 3) for what in ("search", "bare")}


def table(figures: Mapping[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{figures['documents']} documents, {figures['queries']} queries", "              p50 ms   p95 ms"]
    named = [("search", figures["search"]), ("engine alone", figures["bare"])]
    if "with_meaning" in figures:
        named.append(("with meaning", figures["with_meaning"]))
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
    lines.append(f"index {figures['index']['bytes_per_document']} bytes a document")
    lines.append(
        f"memory, peak: {memory['sync_mb']} MB syncing, {memory['index_worker_mb']} MB indexing, "
        f"{memory['search_mb']} MB after searching"
    )
    return "\n".join(lines)
