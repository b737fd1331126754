"""A connection goes only to a judged address, and every operation on it keeps the limits of the whole request.

This is the backend that `fetch` puts under httpcore: resolve once, judge every
address of the answer, dial one of those. The name stays with httpcore, for the
``Host`` header and the check of the certificate.
"""

from __future__ import annotations

import functools
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any, Self

import httpcore2

from knowledge.addresses import Allowed, FetchFailed, FetchRefused, Resolver, judge


class Call(float):
    """Time and bytes that one request may still use, and whether it may go inside.

    httpcore hands the timeout of a request unread to every operation on the
    network; this is that timeout. So each operation gets what is left of the
    whole, not a time of its own.
    """

    deadline: float
    bytes_left: int
    may_go_inside: bool

    @classmethod
    def of(cls, seconds: float, size: int) -> Self:
        call = cls(seconds)
        call.deadline = time.monotonic() + seconds
        call.bytes_left = size + 500_000  # headers, chunk marks
        call.may_go_inside = True
        return call

    def left(self) -> float:
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise httpcore2.ReadTimeout
        return seconds


def _call(timeout: float | None) -> Call:
    if not isinstance(timeout, Call):
        raise TypeError("every request through the door carries its limits")
    return timeout


class GuardedStream(httpcore2.NetworkStream):
    """A connection to a judged address."""

    def __init__(self, stream: httpcore2.NetworkStream, inside: bool) -> None:
        self._stream = stream
        self.inside = inside

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        call = _call(timeout)
        data = self._stream.read(max_bytes, call.left())
        call.bytes_left -= len(data)
        if call.bytes_left < 0:
            raise FetchFailed("The answer is larger than what is read of one address.")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        call = _call(timeout)
        if self.inside and not call.may_go_inside:  # an older connection, used again after a redirect
            raise FetchRefused("A public address redirects to one inside the network. Use the final address instead.")
        self._stream.write(buffer, call.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> GuardedStream:
        return GuardedStream(self._stream.start_tls(ssl_context, server_hostname, _call(timeout).left()), self.inside)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Resolves once, judges every address, dials one of those."""

    def __init__(self, resolver: Resolver, allowed: Sequence[Allowed]) -> None:
        self._resolver = resolver
        self._allowed = allowed
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> GuardedStream:
        call = _call(timeout)
        answers = self._resolver(host, port, call.left())
        judged = [judge(host, address, port, self._allowed) for address in answers]
        if not judged:
            raise FetchFailed(f"The host “{host}” has no address.")
        if not call.may_go_inside and any(inside for _, inside in judged):
            raise FetchRefused(f"A public address redirects to “{host}” inside the network. Use that address instead.")
        for untried, (address, inside) in zip(range(len(judged), 0, -1), judged, strict=True):
            try:
                stream = self._network.connect_tcp(str(address), port, call.left() / untried, None, socket_options)
                return GuardedStream(stream, inside)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if untried == 1:
                    raise
        raise AssertionError("unreachable")

    def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore2.NetworkStream:
        raise FetchRefused("Sockets of this machine are not fetched from.")


@functools.cache
def system_tls() -> ssl.SSLContext:
    """The system's certificates, or those that the operator names in ``SSL_CERT_FILE``."""
    return httpcore2.default_ssl_context()
