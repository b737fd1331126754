"""A child process in which bytes from outside are parsed, so that they harm nothing but themselves.

A time limit inside a process cannot interrupt C code, and no limit on memory
can be put on one call. So a parser runs in a child whose memory, processor
time, wall time and files the kernel limits. The child is kept for the next
document: a thousand small files start one interpreter. A document that hits
a limit costs the child and nothing else; the next one gets a new child.

The child is started with `subprocess`, because a Celery worker is a daemonic
process and may not have children of `multiprocessing`. It sees no secret of
the environment, imports no Django, ends when its parent does (its socket is
closed), and is killed by its own timer should the parent die in mid-document.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FRAME = struct.Struct("!II")
DOCUMENTS_PER_CHILD = 500


class ExtractionError(Exception):
    """The bytes cannot be read. The message says why and the cure, for a person."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost. Sizes in MB (10^6 bytes), times in seconds.

    ``unpacked_mb`` is what the parts of an archive (docx, pptx, xlsx) may unpack
    to; ``output_mb`` is the text that may come out; beyond ``pages`` a PDF is
    read no further; ``rows`` is for tables.
    """

    input_mb: float = 50
    output_mb: float = 20
    memory_mb: int = 1000
    seconds: float = 20
    pages: int = 500
    unpacked_mb: float = 300
    rows: int = 200_000


LIMITS = Limits()


def in_child(task: str, data: bytes, *, limits: Limits = LIMITS, **arguments: Any) -> Any:
    """Run one of the tasks of `extract_child` on ``data``; raises `ExtractionError` with the reason.

    One call at a time in each process: threads wait for each other.
    """
    if len(data) > limits.input_mb * 1e6:
        raise ExtractionError(f"It is larger than {limits.input_mb:g} MB: split it, or offer a smaller copy.")
    with _lock:
        return _child_for_this_process().ask(task, data, arguments, limits)


class _Child:
    """One child process and the socket to it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.asked = 0
        self.socket, theirs = socket.socketpair()
        home = str(Path(__file__).resolve().parent.parent)
        environment = {"PYTHONPATH": home, "LANG": "C.UTF-8", "PATH": os.defpath, "MALLOC_ARENA_MAX": "2"}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-B", "-W", "ignore", "-m", "knowledge.extract_child"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
            )

    @property
    def usable(self) -> bool:
        return self.owner == os.getpid() and self.asked < DOCUMENTS_PER_CHILD and self.process.poll() is None

    def ask(self, task: str, data: bytes, arguments: dict[str, Any], limits: Limits) -> Any:
        """One question, one answer; whatever goes wrong costs the child its life."""
        self.asked += 1
        head = json.dumps({"task": task, "arguments": arguments, "limits": asdict(limits)}).encode()
        # Starting and importing take their time on a busy machine: that is not the document's fault. The
        # child's own timer begins with the document, this one only catches a child that is stuck elsewhere.
        deadline = time.monotonic() + limits.seconds + (30 if self.asked == 1 else 5)
        try:
            self._send(FRAME.pack(len(head), len(data)) + head, deadline)
            self._send(data, deadline)
            size, spare = FRAME.unpack(self._receive(FRAME.size, deadline))
            if size > limits.output_mb * 1.5e6 + 1e6 or spare:
                raise ExtractionError("What came out of it is far too large: it is not read.")
            answer = json.loads(self._receive(size, deadline))
        except TimeoutError:
            self.end()
            raise ExtractionError(_slow(limits)) from None
        except (OSError, EOFError):
            raise ExtractionError(self._cause_of_death(limits)) from None
        except BaseException:  # also an interrupt by the user: an answer left in the socket would be the next one's
            self.end()
            raise
        if answer.get("last"):
            self.end()
        if "error" in answer:
            raise ExtractionError(answer["error"])
        return answer["value"]

    def _send(self, data: bytes, deadline: float) -> None:
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        self.socket.sendall(data)

    def _receive(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            part = self.socket.recv(min(size - len(parts), 1 << 20))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def _cause_of_death(self, limits: Limits) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        code = self.process.returncode
        self.end()
        if code in (-signal.SIGALRM, -signal.SIGXCPU):
            return _slow(limits)
        if code == -signal.SIGKILL:
            return "It needed more memory than there is: offer a smaller copy."
        return "The program that reads this format broke on it: open it, save it as a new copy, and try again."

    def end(self) -> None:
        """Close the socket and see the child dead."""
        self.socket.close()
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
        else:
            self.process.returncode = 0  # another process's child: not to be waited for here


def _slow(limits: Limits) -> str:
    return f"It took longer than {limits.seconds:g} s to read: split it, or save it as a simpler copy."


_lock = threading.Lock()
_child: _Child | None = None


def _child_for_this_process() -> _Child:
    global _child  # noqa: PLW0603 - one child a process is the point
    if _child is None or not _child.usable:
        close()
        _child = _Child()
    return _child


def close() -> None:
    """End the child, if there is one; the next document starts another."""
    global _child  # noqa: PLW0603
    if _child is not None:
        _child.end()
        _child = None


def _after_fork() -> None:
    """A forked worker lets go of its parent's child and makes its own when it needs one."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    close()


atexit.register(close)
os.register_at_fork(after_in_child=_after_fork)
