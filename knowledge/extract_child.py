"""The child process of `sandbox`: answers one question after another on the socket that is its standard input.

A question is a frame (two lengths, a JSON head, the bytes); so is its answer,
without bytes. Before it reads the first document it gives up what a parser
does not need: writing files, starting processes, core dumps, the network.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

from knowledge import parsers, syndication
from knowledge.sandbox import FRAME, ExtractionError, Limits

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

TASKS: dict[str, Callable[..., Any]] = {
    "document": parsers.document,
    "table": parsers.table,
    "sitemap": syndication.sitemap,
    "feed": syndication.feed,
}


def give_up_rights() -> None:
    """No files written, few opened, no processes, no core dump; no network where the kernel lets one leave it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(CLONE_NEWUSER | CLONE_NEWNET)
    for limit, value in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))


def set_limits(limits: Limits) -> None:
    """The limits of the next document. Wall time and processor time end the process by signal, in C code too."""
    memory = int(limits.memory_mb * 1e6)
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + limits.seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)


def lift_limits() -> None:
    """Between documents nothing runs out."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def answer(head: dict[str, Any], data: bytes) -> dict[str, Any]:
    """Do one task; every way of failing is a reason."""
    limits = Limits(**head["limits"])
    task = TASKS[head["task"]]
    parsers.load(**head["arguments"])  # imports are not the document's time or memory
    set_limits(limits)
    try:
        value = task(data, limits=limits, **head["arguments"])
        result: dict[str, Any] = {"value": value}
        if len(json.dumps(result)) > limits.output_mb * 1e6:
            raise ExtractionError(f"More than {limits.output_mb:g} MB of text came out of it: split it.")
    except ExtractionError as error:
        result = {"error": str(error)}
    except (MemoryError, RecursionError) as error:
        result = {"error": parsers.TOO_MUCH.format(limits.memory_mb), "last": isinstance(error, MemoryError)}
    except Exception as error:
        result = {"error": parsers.reason(error, limits)}
        result["last"] = result["error"] == parsers.TOO_MUCH.format(limits.memory_mb)
    finally:
        lift_limits()
    return result


def read(line: socket.socket, size: int) -> bytes:
    """Exactly ``size`` bytes; `EOFError` when the parent is gone."""
    parts = bytearray()
    while len(parts) < size:
        part = line.recv(min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def main() -> None:
    """Answer until the parent closes the socket."""
    line = socket.socket(fileno=0)
    give_up_rights()
    with contextlib.suppress(EOFError, OSError):
        while True:
            head_size, size = FRAME.unpack(read(line, FRAME.size))
            head = json.loads(read(line, head_size))
            data = read(line, size)
            result = json.dumps(answer(head, data), default=str).encode("utf-8", "replace")
            del data
            line.sendall(FRAME.pack(len(result), 0) + result)
            if b'"last": true' in result[-20:]:
                break


if __name__ == "__main__":
    main()
