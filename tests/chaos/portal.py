"""A whole portal in processes of its own, to be hurt: its own folder, its own port, ended by process id."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

NOT_ITS_OWN = {"DATABASE_URL", "BROKER_URL", "CACHE_URL", "DJANGO_SETTINGS_MODULE", "INDEX_DIR",
               "PYTHONDONTWRITEBYTECODE"}  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask until it holds; fail with ``what`` when it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := holds():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def children_of(pid: int) -> list[int]:
    """All descendants of a process, from /proc."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(path.parent.name)] = int(fields[1])
    found, fresh = [], [pid]
    while fresh:
        fresh = [child for child, parent in parents.items() if parent in fresh]
        found += fresh
    return found


def command_of(pid: int) -> str:
    """The command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


class Portal:
    """``manage.py run`` in a folder of its own."""

    def __init__(self, place: Path) -> None:
        self.port = free_port()
        self.var = place / "var"
        self.database = self.var / "immersive.sqlite3"
        self.env = {key: value for key, value in os.environ.items() if key not in NOT_ITS_OWN} | {
            "IMMERSIVE_VAR": str(self.var),
            "DEVELOPMENT": "1",
            "FOLDER_ROOTS": str(place),
        }
        self.log = place / "portal.log"
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        """Run one command of ``manage.py`` beside the portal; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            check=False,
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python beside the portal."""
        return self.manage("shell", "-v0", "-c", code)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--no-demo", "--port", str(self.port)],
                cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_for(self.answers, 120, f"the portal answers: {self.log.read_text()[-2000:]}")

    def answers(self) -> bool:
        """Whether the web server answers now."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def descendants(self) -> list[int]:
        """Every process that the supervisor answers for."""
        return children_of(self.process.pid) if self.process else []

    def ask(self, sql: str) -> Any:
        """One value from the database, read beside the portal."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(sql).fetchone()[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code. Whatever is left of it after half a minute is ended by force."""
        if self.process is None:
            return 0
        own = self.descendants()
        self.process.send_signal(number)
        try:
            return self.process.wait(30)
        finally:
            for pid in [self.process.pid, *own]:
                if "manage.py run" in command_of(pid) or "immersive" in command_of(pid):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None
