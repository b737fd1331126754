"""How gunicorn serves the portal, wherever it is started: ``gunicorn -c python:immersive.serving immersive.wsgi``.

An address says a whole search, so it may be as long as the longest text that
a search reads. gunicorn stops at 8 kB and answers what is longer with a page
of its own; here the limit is a search's, and the answer is a page that says
what to do.
"""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
from typing import Any

from gunicorn.http import message
from gunicorn.http.errors import LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

LONGEST_ADDRESS = 160_000
"""Bytes: 16,000 characters (`knowledge.index.language.MAX_TEXT`) of nine bytes each, and the rest of a request line."""

message.MAX_REQUEST_LINE = LONGEST_ADDRESS  # the only way past 8 kB but "no limit"

# What gunicorn reads ----------------------------------------------------------------------------------------------

worker_class = "immersive.serving.Worker"
workers = 2
threads = 4
preload_app = True
control_socket_disable = True
limit_request_line = LONGEST_ADDRESS
limit_request_fields = 64
limit_request_field_size = LONGEST_ADDRESS  # htmx says in a header which address it is on


def when_ready(server: Any) -> None:
    """Before the first worker is forked: what is loaded stays, so the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """In each worker: the model for search by meaning is read while nobody waits for it."""
    from knowledge.meaning import looking

    threading.Thread(target=looking.warm, daemon=True).start()


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, and a page of ours where an address is longer than the longest search."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that could not be read, or not be answered, and write no word of it into the log."""
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(None, client, addr, _wordless(exc))
            return
        self.log.warning("An address of more than %d bytes was refused.", LONGEST_ADDRESS)
        with contextlib.suppress(OSError):
            client.settimeout(1)
            client.sendall(_too_long())
            _hang_up_politely(client)


def _wordless(exc: Exception) -> Exception:
    """The error without what it repeats of the request: gunicorn logs it, and an address says a whole search."""
    for name in ("req", "method", "version", "hdr", "data", "term", "line", "expect"):
        if isinstance(getattr(exc, name, None), str | bytes):
            setattr(exc, name, "...")  # in ASCII, as gunicorn repeats it in its answer
    return exc


def _too_long() -> bytes:
    from django.conf import settings
    from django.template.loader import render_to_string

    body = render_to_string("414.html").encode()
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    head = [
        "HTTP/1.1 414 URI Too Long",
        "Connection: close",
        "Content-Type: text/html; charset=utf-8",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: " + "; ".join(f"{name} {' '.join(value)}" for name, value in policy.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def _hang_up_politely(client: socket.socket) -> None:
    """Read what is still coming, for two seconds at the most: closed at once, the answer would be lost on its way."""
    client.shutdown(socket.SHUT_WR)
    end = time.monotonic() + 2
    while time.monotonic() < end and client.recv(65536):
        pass
