"""Servers on loopback: one whose every answer a test writes, one that takes mail, and a trap that counts who knocks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, TCPServer, ThreadingTCPServer
from typing import Any

Answer = Callable[["Handler"], None]


class Speaking(BaseHTTPRequestHandler):
    """Speaks as the servers of today do: a connection stays open, and what is said goes at once."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """One answer, whole; ``Content_Type`` stands for the header of that name."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


class Handler(Speaking):
    """Answers by a table of functions and remembers who asked for what. ``body`` is what was posted."""

    server: Web
    body = b""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.ports.append(self.client_address[1])
        answer = self.server.answers.get(self.path.partition("?")[0])
        if answer is None:
            self.say(404, b"nothing here")
        else:
            try:
                answer(self)
            except OSError:  # the client hung up, as it should
                self.close_connection = True

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.body = body
        self.server.asked.append((self.path, dict(self.headers)))
        answer = self.server.answers.get(self.path)
        if answer:
            answer(self)
        else:
            self.say(200, b"got " + body)


class Web(ThreadingHTTPServer):
    """A web server on loopback; ``answers`` maps paths to functions."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.ports: list[int] = []

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def redirect(self, path: str, target: str, status: int = 302) -> None:
        self.answers[path] = lambda handler: handler.say(status, Location=target)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up are what is tested


@contextmanager
def serving(server: TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Letterbox(ThreadingTCPServer):
    """A mail server on loopback that takes everything: its ``letters``, and how many ``connections`` brought them."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Postman)
        self.letters: list[str] = []
        self.connections = 0


class Postman(StreamRequestHandler):
    """One connection to a `Letterbox`, in as much of SMTP (RFC 5321) as a client without extensions speaks."""

    server: Letterbox

    def handle(self) -> None:
        self.server.connections += 1
        self.say("220 loopback")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                self.say("354 go on")
                said = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(said.decode())
            self.say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Trap:
    """A port of this machine that counts who knocks."""

    def __init__(self) -> None:
        self.contacts = 0
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self._sockets[0].getsockname()[1]
        if socket.has_ipv6:
            with suppress(OSError):  # no IPv6 on this machine: then nobody can knock there either
                self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for one in self._sockets:
            one.setblocking(False)

    def knocked(self) -> int:
        """Connections since the last call; the kernel keeps them until they are accepted, so none is missed."""
        count = 0
        for one in self._sockets:
            while True:
                try:
                    one.accept()[0].close()
                except BlockingIOError:
                    break
                count += 1
        return count

    def close(self) -> None:
        for one in self._sockets:
            one.close()


def always(*addresses: str) -> Callable[[str, int, float], Sequence[str]]:
    """A resolver that answers every name with these addresses."""
    return lambda host, port, seconds: addresses
