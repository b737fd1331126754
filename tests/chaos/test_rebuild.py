"""Promise 31: an index is rebuilt, and killed half-way, while what it holds changes twenty times a second."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.chaos.portal import ROOT, Portal, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.chaos]

STEADY, CHANGING, RATE = 5000, 200, 20
"""Pages that stay as they are, pages that change, and how many of those do so in a second."""

SETUP = """
from experts.models import Membership, Person, Team
from knowledge import actions
from knowledge.models import SourceGroup
from pathlib import Path
team = Team.objects.create(name="Board", slug="board")
for name, teams in (("ina", [team]), ("otto", [])):
    person = Person.objects.create_user(name, password="correct horse")
    for one in teams:
        Membership.objects.create(person=person, team=one)
for name in ("steady", "changing"):
    source = actions.add_source(kind="folder", address=f"{place}/{{name}}", name=name)
    source.every = __import__("datetime").timedelta(days=9)
    source.save()
    SourceGroup.objects.create(source=source, name="board", token=f"team:{{team.pk}}")
    actions.request_sync(source=source)
print("there")
"""

CHANGE = """
import random, sys, time, uuid
from pathlib import Path
from knowledge import durable, ingest
from knowledge.models import Source, SyncRun
chance, source = random.Random(31), Source.objects.get(name="changing")
stop, due = Path(source.address).parent / "stop", time.monotonic()
while not stop.exists():
    words = {{}}
    for number in chance.sample(range({changing}), {rate}):
        word, hidden = f"zq{{uuid.uuid4().hex[:12]}}", chance.random() < .2
        front = f"---\\naudience: [board]\\n---\\n" if hidden else ""
        path = Path(source.address) / f"{{number:03}}.md"
        path.write_text(f"{{front}}# Changing {{number}}\\n\\nIt says {{word}} and wombat.\\n")
        words[number] = word, hidden
    run, _ = SyncRun.objects.get_or_create(source=source, done_at=None)
    durable.work(SyncRun.objects, run.pk, ingest.sync)
    for number, (word, hidden) in words.items():
        print(number, word, int(hidden), flush=True)
    due += 1
    time.sleep(max(0, due - time.monotonic()))
"""


@dataclass
class Reader:
    """Somebody who is signed in at the portal and searches it as a program would."""

    portal: Portal
    name: str
    opener: urllib.request.OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.opener.open(f"{self._base}/sign-in", timeout=30).read()
        token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
        said = {"username": self.name, "password": "correct horse", "csrfmiddlewaretoken": token}
        self.opener.open(f"{self._base}/sign-in", urlencode(said).encode(), timeout=30).read()

    @property
    def _base(self) -> str:
        return f"http://127.0.0.1:{self.portal.port}"

    def total(self, text: str) -> int:
        """How many results there are; -1 where the index does not serve."""
        with self.opener.open(f"{self._base}/api/v1/search?q={quote(text)}&as_typed=1", timeout=60) as answer:
            page = json.load(answer)
        return -1 if "index" in page["notice"] else int(page["total"])


@dataclass
class Change:
    """One change that was committed: what the page says since, whether it is the board's, and how soon it was seen."""

    number: int
    word: str
    hidden: bool
    at: float
    seen_after: float | None = None


class Changes(threading.Thread):
    """Changes pages in a process of its own, through the real path, and notes each when it is committed."""

    def __init__(self, portal: Portal, place: Path) -> None:
        super().__init__(daemon=True)
        self.place, self.made, self.latest = place, list[Change](), dict[int, Change]()
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", CHANGE.format(changing=CHANGING, rate=RATE)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=portal.env, stdout=subprocess.PIPE, text=True)

    def run(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            number, word, hidden = line.split()
            change = Change(int(number), word, hidden == "1", time.monotonic())
            self.made.append(change)
            self.latest[change.number] = change

    def stop(self) -> None:
        (self.place / "stop").touch()
        self.process.wait(60)
        self.join(60)
        if self.process.stdout:
            self.process.stdout.close()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    for name, count in (("steady", STEADY), ("changing", CHANGING)):
        (tmp_path / name).mkdir()
        for number in range(count):
            (tmp_path / name / f"{number:03}.md").write_text(f"# Page {number}\n\nAbout quokka number {number}.\n")
    portal = Portal(tmp_path)
    portal.env["MEANING"] = "0"  # what is near in meaning would count beside what holds a word
    portal.start()
    portal.shell(SETUP.format(place=tmp_path))
    yield portal
    portal.stop()


def test_promise_31_a_rebuild_that_is_killed_leaves_no_gap_and_no_leak(
    portal: Portal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outsider, insider = Reader(portal, "otto"), Reader(portal, "ina")
    wait_for(lambda: insider.total("quokka") == STEADY + CHANGING, 400, "all pages are found")
    changes = Changes(portal, tmp_path)
    changes.start()
    wait_for(lambda: len(changes.made) > 2 * RATE, 60, "pages change")
    wrong: list[str] = []
    done = threading.Event()

    def look() -> None:
        """What stays is always found; what changed is, sooner or later; what is the board's never by an outsider."""
        waiting: list[Change] = []
        at = 0
        while not (done.is_set() and not waiting):
            if (total := insider.total("source:steady quokka")) != STEADY:
                wrong.append(f"{total} of {STEADY}")
            waiting += [one for one in changes.made[at:] if one.hidden or one.number % 4 == 0]
            at = len(changes.made)
            for change in waiting[:RATE]:
                if change.hidden and (total := outsider.total(change.word)):
                    wrong.append(f"{change.word} is shown to an outsider: {total}")
                newer = changes.latest[change.number] is not change
                if newer or insider.total(change.word) == 1:
                    change.seen_after = None if newer else time.monotonic() - change.at
                    waiting.remove(change)
            if done.is_set() and time.monotonic() - done_at[0] > 120:
                wrong.append(f"{len(waiting)} changes were never found")
                return

    done_at = [0.0]
    looking = threading.Thread(target=look)
    looking.start()
    serving = portal.ask("SELECT generation FROM knowledge_indexed LIMIT 1")
    of_the_old = f"SELECT COUNT(*) FROM knowledge_indexed WHERE generation = '{serving}'"  # noqa: S608
    of_the_new = of_the_old.replace("=", "<>")
    rebuild = [sys.executable, "manage.py", "rebuild_index"]
    begun = time.monotonic()
    for part in (STEADY // 3, 2 * STEADY // 3):
        process = subprocess.Popen(rebuild, cwd=ROOT, env=portal.env, stdout=subprocess.DEVNULL)
        wait_for(lambda part=part: portal.ask(of_the_new) >= part, 120, f"{part} are written to the new index")
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was killed half-way"
    wait_for(lambda: not portal.ask(of_the_old), 240, "the worker goes on with what was begun, and the new one serves")
    took = time.monotonic() - begun
    time.sleep(2)
    changes.stop()
    done_at[0] = time.monotonic()
    done.set()
    looking.join(180)
    assert not looking.is_alive()
    assert wrong == []
    seen = [change for change in changes.made if change.seen_after is not None]
    assert any(change.hidden for change in seen)
    latest = [change for change in changes.latest.values() if not change.hidden]
    assert [change.word for change in latest if outsider.total(change.word) != 1] == []
    with capsys.disabled():
        longest = max(change.seen_after or 0 for change in seen)
        print(f"\n{len(changes.made)} changes during {took:.0f} s of rebuilding, killed twice; "  # noqa: T201
              f"the longest wait for one was {longest:.1f} s")  # fmt: skip
