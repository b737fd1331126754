"""Between a client and a real server on loopback: passes everything on, and goes wrong when a test says so."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.loopback import Speaking, serving

Fault = Callable[["Handler", bytes], None]


class Handler(Speaking):
    """One request: passed on, unless a fault is due."""

    server: Relay

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        if account := self.headers.get("Authorization", "").removeprefix("Basic "):
            self.server.accounts.append(base64.b64decode(account).decode())
        fault = self.server.due(self.path)
        if fault:
            fault(self, body)
        else:
            self.answer(*self.pass_on(body))

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - names that the library calls

    def pass_on(self, body: bytes) -> tuple[int, bytes]:
        """What the real server answers."""
        real = http.client.HTTPConnection(urlsplit(self.server.real).netloc, timeout=60)
        kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "accept")}
        real.request(self.command, self.path, body or None, kept)
        answer = real.getresponse()
        found = answer.status, answer.read()
        real.close()
        return found

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Answer the client, in JSON unless it is said otherwise."""
        self.say(status, body, **{"Content_Type": "application/json", **headers})


class Relay(ThreadingHTTPServer):
    """``faults``: what happens to the next requests whose path holds ``where``, one each; the last one ``for_ever``."""

    daemon_threads = True

    def __init__(self, real: str, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "https" if context else "http"
        self.real = real
        self.where = "_bulk"
        self.faults: list[Fault] = []
        self.for_ever = False
        self.asked: list[tuple[str, str]] = []
        self.accounts: list[str] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not believe the certificate hangs up; nothing else is passed over."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def due(self, path: str) -> Fault | None:
        """The fault for this request."""
        if not self.faults or self.where not in path:
            return None
        return self.faults[0] if self.for_ever and len(self.faults) == 1 else self.faults.pop(0)


@contextmanager
def relaying(real: str, context: ssl.SSLContext | None = None) -> Iterator[Relay]:
    """A relay to a real server; with a ``context`` it speaks TLS to its clients."""
    relay = Relay(real, context)
    with serving(relay):
        yield relay


# Faults -----------------------------------------------------------------------------------------------------------


def refuses(status: int, kind: str = "es_rejected_execution_exception", **headers: str) -> Fault:
    """The request never arrives; the client hears this status."""

    def fault(handler: Handler, body: bytes) -> None:
        error = {"error": {"type": kind, "reason": "SECRET WORDS OF A DOCUMENT"}, "status": status}
        handler.answer(status, json.dumps(error).encode(), **headers)

    return fault


def says(body: bytes, status: int = 200) -> Fault:
    """The request never arrives; the client hears this."""
    return lambda handler, _: handler.answer(status, body, Content_Type="text/html")


def hangs_up(handler: Handler, body: bytes) -> None:
    """The request never arrives, and nothing is answered."""
    handler.close_connection = True


def applies_and_hangs_up(handler: Handler, body: bytes) -> None:
    """The request is done, and nothing is answered."""
    handler.pass_on(body)
    handler.close_connection = True


def takes_half(handler: Handler, body: bytes) -> None:
    """Every other operation of a bulk is done; the rest is refused for the moment."""
    operations: list[list[bytes]] = []
    for line in body.splitlines(keepends=True):
        first = json.loads(line)
        if set(first) <= {"index", "delete"} and "_id" in next(iter(first.values())):
            operations.append([])
        operations[-1].append(line)
    _, found = handler.pass_on(b"".join(b"".join(lines) for lines in operations[::2]))
    done = json.loads(found)["items"]
    refused = {"index": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}}
    items = [done[number // 2] if number % 2 == 0 else refused for number in range(len(operations))]
    handler.answer(200, json.dumps({"errors": True, "items": items}).encode())


def leaves_a_shard_out(handler: Handler, body: bytes) -> None:
    """An answer from all shards but one, as a cluster gives it that was allowed to."""
    status, found = handler.pass_on(body)
    answer = json.loads(found)
    answer["_shards"]["successful"] -= 1
    handler.answer(status, json.dumps(answer).encode())
