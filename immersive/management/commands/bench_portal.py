"""``manage.py bench_portal``: the whole portal under load, over HTTP, while what it searches changes."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.test import Client

from experts.models import Person
from immersive.celery import app
from knowledge import durable, index, ingest
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.index.language import parse
from knowledge.management import load
from knowledge.management.commands.evaluate_search import embed_all, quantile
from knowledge.management.throwaway import fill, index_worker, throwaway
from knowledge.models import Resource, Source, SyncRun

PEOPLE = 20
MIX = {"search": 50, "suggest": 30, "resource": 15, "home": 5}
"""How often each page is asked for, in hundredths."""
AT_ONCE = 16
WARM = 5.0
CHANGING = 2_000
"""Documents of the source that changes all the time."""


class Command(BaseCommand):
    """Fills a throwaway place, starts the portal on it as `run` does, and asks it at a steady rate."""

    help = "Measure the pages under load, and how soon changes are found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--documents", type=Path, required=True, metavar="FILE")
        parser.add_argument("--count", type=int, default=100_000)
        parser.add_argument("--rate", type=float, default=20.0, help="Requests a second.")
        parser.add_argument("--changes", type=int, default=20, help="Documents changed a second.")
        parser.add_argument("--seconds", type=float, default=180.0)
        parser.add_argument(
            "--embedded",
            type=int,
            default=0,
            metavar="N",
            help="Begin with a vector for each passage (the model embeds N, every other one takes one of theirs); "
            "else the embedder works through all of them meanwhile.",
        )

    def handle(self, **options: Any) -> None:
        if not options["documents"].is_file():
            raise CommandError(f"There is no file {options['documents']}. Give a file of JSON lines.")
        with throwaway(load.CONNECTOR) as folder:
            self.stderr.write("filling …")
            load.prepare(load.documents(options["documents"], options["count"]), folder / "documents")
            people = [Person.objects.create_user(f"bench-{number}") for number in range(PEOPLE)]
            held = {f"group-{n}": f"person:{people[n % PEOPLE].pk}" for n in range(load.GROUPS)}
            with index_worker():
                fill("load", str(folder / "documents"), groups=held)
                some = islice(load.documents(options["documents"], options["count"]), CHANGING)
                load.prepare((replace(one, audience=None) for one in some), folder / "changing")
                changing = fill("changing", str(folder / "changing"))
                Source.objects.filter(pk=changing.pk).update(options={"part": True})
                changing.refresh_from_db()
            if options["embedded"]:
                self.stderr.write("embedding …")
                embed_all(most=options["embedded"])
            texts = list(load.mix(options["documents"], options["count"], 600))
            _use_broker_of(folder)
            with _portal(folder) as portal:
                self.stderr.write("asking …")
                Load(portal, people, texts).run(options["rate"], WARM)  # what a process does once is no part of it
                alone = Load(portal, people, texts).run(options["rate"], min(options["seconds"], 60.0))
                changes = Changes(changing, options["changes"])
                with changes.going_on():
                    meanwhile = Load(portal, people, texts).run(options["rate"], options["seconds"])
                memory = _memory(portal.process.pid)
        self.stdout.write(json.dumps({
            "documents": options["count"],
            "rate": options["rate"],
            "embedded": bool(options["embedded"]),
            "quiet": alone,
            "with_changes": meanwhile,
            "change_to_visible": changes.figures(),
            "memory_mb": memory,
        }, indent=2))  # fmt: skip


def _use_broker_of(folder: Path) -> None:
    """Jobs that this process asks for go to the portal that is measured, not to the one that is developed."""
    options = dict(app.conf.broker_transport_options)
    for name in ("data_folder_in", "data_folder_out", "processed_folder", "control_folder"):
        if name in options:
            options[name] = str(folder / "broker" / Path(options[name]).name)
            Path(options[name]).mkdir(parents=True, exist_ok=True)
    app.conf.broker_transport_options = options


@dataclass(frozen=True)
class Portal:
    """A running portal: its address and the supervisor's process."""

    address: str
    process: subprocess.Popen[bytes]


@contextmanager
def _portal(folder: Path) -> Iterator[Portal]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DEVELOPMENT": "1",
        "SECRET_KEY": settings.SECRET_KEY,  # sessions begun here are good there
        "DATABASE_URL": f"sqlite:///{connections['default'].settings_dict['NAME']}",
        "INDEX_DIR": str(settings.INDEX_DIR),
        "IMMERSIVE_VAR": str(folder),
        "SEARCH_ENGINE": settings.SEARCH_ENGINE,
    }
    command = [sys.executable, "manage.py", "run", "--no-demo", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL)  # noqa: S603
    portal = Portal(f"http://127.0.0.1:{port}", process)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{portal.address}/health", timeout=1).close()  # noqa: S310 - our own address
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        else:
            raise CommandError("The portal did not start: try `manage.py run` to see why.")
        yield portal
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


class Load:
    """Requests at a steady rate; each one's time counts from when it was due, so that a stall is not left out."""

    def __init__(self, portal: Portal, people: Sequence[Person], texts: Sequence[str]) -> None:
        self.portal = portal
        self.texts = texts
        self.cookies = []
        for person in people:
            client = Client()
            client.force_login(person)
            self.cookies.append(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
        self.resources = [str(pk) for pk in Resource.objects.values_list("public_id", flat=True)[:2000]]
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: dict[str, int] = defaultdict(int)

    def run(self, rate: float, seconds: float) -> dict[str, Any]:
        """Milliseconds by page, and what failed."""
        chance = random.Random(load.SEED)  # noqa: S311 - the same each time, no secret
        begun = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number in range(int(rate * seconds)):
                due = begun + number / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                page = chance.choices(list(MIX), list(MIX.values()))[0]
                pool.submit(self._ask, page, self._path(page, chance), chance.choice(self.cookies), due)
        return {
            page: {
                "requests": len(times),
                "p50_ms": round(quantile(times, 0.5), 1),
                "p95_ms": round(quantile(times, 0.95), 1),
                "errors": self.errors[page],
            }
            for page, times in sorted(self.times.items())
        }

    def _path(self, page: str, chance: random.Random) -> str:
        text = chance.choice(self.texts)
        if page == "search":
            return f"/search?q={quote(text)}"
        if page == "suggest":
            word = text.split()[0]
            return f"/search/suggest?q={quote(word[: chance.randint(1, len(word))])}"
        return f"/r/{chance.choice(self.resources)}" if page == "resource" else "/"

    def _ask(self, page: str, path: str, cookie: str, due: float) -> None:
        request = urllib.request.Request(self.portal.address + path, headers={"Cookie": cookie})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
                answer.read()
        except urllib.error.HTTPError as error:
            if (
                error.code != 404 or page != "resource"
            ):  # a resource that this person may not read is right to be absent
                self.errors[page] += 1
        except OSError:
            self.errors[page] += 1
        self.times[page].append((time.perf_counter() - due) * 1000)


@dataclass
class Changes:
    """Documents of a source that change all the time, and how long each takes to be found as it is now."""

    source: Any
    rate: int
    times: list[float] = field(default_factory=list)
    waiting: dict[str, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Change documents and look for them, each in a thread, until the end of the block and a little longer."""
        threads = [threading.Thread(target=self._change), threading.Thread(target=self._look)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()

    def figures(self) -> dict[str, Any]:
        """Seconds from the transaction to the search that finds it."""
        return {
            "changes": len(self.times),
            "p50_s": round(quantile(self.times, 0.5), 2),
            "p95_s": round(quantile(self.times, 0.95), 2),
            "not_found": len(self.waiting),
        }

    def _change(self) -> None:
        """Once a second one sync that finds as many changed documents as the rate says."""
        chance = random.Random(load.SEED)  # noqa: S311 - the same each time, no secret
        path = Path(self.source.address)
        while not self.stopping.wait(1.0):
            words = {f"zq{uuid.uuid4().hex[:12]}": f"{chance.randrange(CHANGING):07}" for _ in range(self.rate)}
            changed = {key: Document(key, f"Changed {word}", f"It says {word}.") for word, key in words.items()}
            load.prepare(changed.values(), path)
            run = SyncRun.objects.create(source=self.source)
            durable.work(SyncRun.objects, run.pk, ingest.sync)
            now = time.perf_counter()
            self.waiting |= {document.body.split()[-1].rstrip("."): now for document in changed.values()}
        connections.close_all()

    def _look(self) -> None:
        scope = Viewer(None, frozenset({"everyone"})).scope()
        end = float("inf")
        while self.waiting or not self.stopping.is_set():
            if self.stopping.is_set():
                end = min(end, time.perf_counter() + 10)
            if time.perf_counter() > end:
                break
            engine = index.open_for_reading()
            for word, since in list(self.waiting.items()):
                if engine.search(parse(word), scope, limit=1, facets=False).total:
                    self.times.append(time.perf_counter() - since)
                    del self.waiting[word]
            time.sleep(0.05)
        connections.close_all()


_PROGRAMS = ("gunicorn", "index@", "meaning@", "work1@", "work2@", "work3@", "beat")
_SIZES = {"own": "RssAnon", "files": "RssFile"}


def _memory(supervisor: int) -> dict[str, dict[str, float]]:
    """Megabytes of each process beneath the supervisor: its own, and those of files, which all processes share."""
    held: dict[str, dict[str, float]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            said = (path / "cmdline").read_text().replace("\0", " ")
            status = dict(line.split(":", 1) for line in (path / "status").read_text().splitlines())
            sizes = {name: int(status[field].split()[0]) for name, field in _SIZES.items()}
        except (OSError, KeyError):
            continue
        if parent == supervisor or _beneath(parent, supervisor):
            name = next((one for one in _PROGRAMS if one in said), "other")
            held[f"{name} {path.name}"] = {of: round(size / 1024, 1) for of, size in sizes.items()}
    return held


def _beneath(pid: int, ancestor: int) -> bool:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) == ancestor
    except (OSError, IndexError, ValueError):
        return False
