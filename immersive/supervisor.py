"""Starts the web server, the worker and beat in one terminal, and ends them together.

Each child leads a process group of its own. When a child dies, whatever is
left of its group is ended before it is started again (a killed worker leaves
pool processes behind), and when the supervisor is asked to stop, every group
is asked first and ended after a grace period. Children ask the kernel to be
ended should the supervisor itself be killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

GRACE = 15.0
"""Seconds between asking a group to end and ending it."""

MAX_PAUSE = 30.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Child:
    """One program that is kept running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.5
    due: float = field(default=0.0)


class Supervisor:
    """Runs children until INT or TERM comes; `run` returns when all of them are gone."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, env: Mapping[str, str] | None = None) -> None:
        self.children = [Child(name, command) for name, command in commands.items()]
        self.env = dict(env or os.environ)
        self.stopping = threading.Event()
        self.width = max(len(name) for name in commands)

    def run(self) -> None:
        """Start everything and keep it running; call it from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        try:
            while not self.stopping.is_set():
                for child in self.children:
                    self._look_after(child)
                self.stopping.wait(0.2)
        finally:
            self._end_all()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        _end_group(child.process.pid, signal.SIGKILL)
        child.pause = 0.5 if now - child.started > 60 else min(child.pause * 2, MAX_PAUSE)
        child.process, child.due = None, now + child.pause
        self.say(child.name, f"ended ({_why(code)}); starting again in {child.pause:.0f} s")

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = subprocess.Popen(  # noqa: S603 - the commands are our own
            child.command,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # and no session of its own: Linux shares time out by session before it looks at niceness
            preexec_fn=_die_with_parent if _libc else None,  # noqa: PLW1509 - one call into C, loaded before
        )
        threading.Thread(target=self._relay, args=(child.name, child.process), daemon=True).start()

    def _relay(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        for line in process.stdout:
            self.say(name, line.decode(errors="replace").rstrip())

    def say(self, name: str, text: str) -> None:
        """One line of one child."""
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(f"{name:>{self.width}} | {text}\n")
            sys.stdout.flush()

    def _end_all(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + GRACE
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _end_group(process.pid, signal.SIGKILL)
            process.wait()


def _end_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _die_with_parent() -> None:
    assert _libc  # noqa: S101 - for the type checker
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _why(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
