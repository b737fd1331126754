"""The only door to the network: every byte that is fetched comes through here, checked.

A host name is resolved once, every address of the answer is judged, and the
judged address is the one dialled; a redirect goes through the same again. So
neither a name that changes its mind between check and use, nor an odd
spelling of an address, nor a redirect reaches anything inside the network that
the operator did not list in ``FETCH_ALLOW``. Time and size are limited as a
whole, however slowly the bytes drip and however small they were packed.

Libraries get bytes or a `Door`, never an address.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import httpcore2
import httpx2
from django.conf import settings
from protego import Protego

from knowledge.addresses import (
    Allowed,
    FetchError,
    FetchFailed,
    FetchOutside,
    FetchRefused,
    Resolver,
    check_url,
    judge,
    resolve,
)
from knowledge.dialling import Call, GuardedBackend, system_tls

__all__ = ["Door", "FetchError", "FetchFailed", "FetchOutside", "FetchRefused", "Response", "Stream", "get", "request"]

MAX_BYTES = 20_000_000
MAX_SECONDS = 10.0
MAX_REDIRECTS = 5
MAX_ROBOTS = 500_000
MAX_CRAWL_DELAY = 10.0
_PACKINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "br"})

ROBOT = "ImmersiveBot"
"""The name that ``robots.txt`` may speak to, unless ``FETCH_USER_AGENT`` says another."""


# What comes back --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole. ``url`` is where it came from after redirects; header names are lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Stream:
    """An answer that is still arriving, decoded; close it, or use it in a ``with``."""

    def __init__(self, url: str, answer: httpcore2.Response, call: Call, max_bytes: int) -> None:
        self.url = url
        self.status = answer.status
        wrapped = httpx2.Response(answer.status, headers=answer.headers, content=answer.iter_stream())
        self.headers: dict[str, str] = {name.lower(): value for name, value in wrapped.headers.items()}
        self._answer = answer
        self._call = call
        self._left = max_bytes
        self._max = max_bytes
        self._ready = bytearray()
        self._chunks = wrapped.iter_bytes()
        if self.headers.get("content-encoding", "").strip().lower() not in _PACKINGS:
            raise FetchFailed(
                f"{url} packs its answer in a way that nobody asked for, or more than once: only bombs do."
            )
        length = self.headers.get("content-length", "")
        if length.isdecimal() and len(length) < 20 and int(length) > max_bytes and answer.status < 300:
            raise self._too_large()

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, or all; fewer only at the end. `FetchFailed` beyond the limits."""
        while size < 0 or len(self._ready) < size:
            try:
                chunk = next(self._chunks, None)
                self._call.left()
            except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
                raise _failed(self.url, error, self._call) from error
            except httpx2.DecodingError as error:
                raise FetchFailed(f"{self.url} sends an answer whose packing is damaged ({error}).") from error
            if chunk is None:
                break
            self._left -= len(chunk)
            if self._left < 0:
                raise self._too_large()
            self._ready += chunk
        size = len(self._ready) if size < 0 else size
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _too_large(self) -> FetchFailed:
        return FetchFailed(f"{self.url} is larger than {self._max / 1e6:g} MB. Offer it in smaller parts.")

    def close(self) -> None:
        self._answer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _failed(url: str, error: Exception, call: Call) -> FetchFailed:
    host = httpx2.URL(url).host
    if isinstance(error, httpcore2.TimeoutException):
        return FetchFailed(f"{url} was not delivered within {float(call):g} seconds. Try again later.")
    if isinstance(error, httpcore2.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return FetchFailed(
            f"The certificate of “{host}” is not trusted ({error}). Have it renewed; for an authority of "
            "one's own the operator sets SSL_CERT_FILE."
        )
    if isinstance(error, httpcore2.ConnectError):
        return FetchFailed(f"“{host}” could not be reached ({error}). Check the address, or try again later.")
    return FetchFailed(f"“{host}” broke off or does not speak HTTP properly ({error}). Try again later.")


# The door ---------------------------------------------------------------------------------------------------------


class Door:
    """A series of polite requests that share connections and what ``robots.txt`` said. For one thread.

    ``allow_hosts`` names the only hosts (``host`` or ``host:port``) that may
    be asked, redirects included; `None` leaves it at the judgement of
    addresses. ``delay`` is the least number of seconds between two requests to
    one host. No cookie is kept and no proxy taken from the environment.
    """

    def __init__(
        self,
        *,
        allow_hosts: Collection[str] | None = None,
        delay: float = 0.0,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.agent: str = getattr(settings, "FETCH_USER_AGENT", ROBOT)
        self.delay = delay
        self._hosts = None if allow_hosts is None else frozenset(host.lower() for host in allow_hosts)
        self._last: dict[str, float] = {}
        self._robots: dict[str, Protego | FetchError] = {}
        self._allowed = [Allowed.parse(entry) for entry in settings.FETCH_ALLOW]
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls or system_tls(),
            max_connections=None,
            max_keepalive_connections=4,
            keepalive_expiry=4.0,
            network_backend=GuardedBackend(resolver, self._allowed),
        )

    def get(self, url: str, **options: Any) -> Response:
        """`request` by GET."""
        return self.request("GET", url, **options)

    def request(self, method: str, url: str, **options: Any) -> Response:
        """The whole answer, whatever its status; options are those of `stream`."""
        with self.stream(method, url, **options) as stream:
            return Response(stream.url, stream.status, stream.headers, stream.read())

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
        max_bytes: int = MAX_BYTES,
        total_seconds: float = MAX_SECONDS,
        allow: Callable[[str], bool] | None = None,
    ) -> Stream:
        """The answer to be read bit by bit, after at most five redirects.

        ``max_bytes`` counts unpacked bytes, ``total_seconds`` everything from
        the look-up of the name to the last byte, redirects included.
        ``allow`` is asked about every address on the way. Raises
        `FetchRefused` or `FetchFailed`.
        """
        target = check_url(url)
        sent = dict(headers or {})
        waited = 0.0
        call = Call.of(total_seconds, max_bytes)
        for _ in range(MAX_REDIRECTS + 1):
            self._check_host(target)
            if allow is not None and not allow(str(target)):
                raise FetchOutside(f"{target} lies outside what may be read of this source (or robots.txt asks so).")
            waited = self._pace(target)
            call.deadline += waited
            answer = self._send(method, target, sent, body, call)
            location = _location(answer)
            if location is None:
                try:
                    return Stream(str(target), answer, call, max_bytes)
                except FetchError:
                    answer.close()
                    raise
            inside = answer.extensions["network_stream"].inside
            answer.close()
            if method not in ("GET", "HEAD"):
                raise FetchRefused(f"{target} redirects what is sent to it. Use the final address instead.")
            target, sent = self._follow(target, location, sent)
            call.may_go_inside = inside
        raise FetchFailed(f"{url} redirects more than {MAX_REDIRECTS} times. Use the final address instead.")

    def _check_host(self, url: httpx2.URL) -> None:
        if self._hosts is None:
            return
        host = url.raw_host.decode("ascii").lower()
        port = url.port or (443 if url.scheme == "https" else 80)
        if host not in self._hosts and f"{host}:{port}" not in self._hosts:
            with suppress(ValueError):  # an attempt to get inside is told as such, not as a link to elsewhere
                judge(host, str(ipaddress.ip_address(host)), port, self._allowed)
            raise FetchOutside(
                f"{url} is on another host than this source may read ({', '.join(sorted(self._hosts))}). "
                "Use the final address as the source's address, or allow that host."
            )

    def _pace(self, url: httpx2.URL) -> float:
        """Wait until this host may be asked again; the seconds waited."""
        host = url.host
        delay = self.delay
        robots = self._robots.get(_origin(url))
        if isinstance(robots, Protego):
            delay = max(delay, min(float(robots.crawl_delay(self.agent) or 0), MAX_CRAWL_DELAY))
        now = time.monotonic()
        wait = max(self._last.get(host, 0.0) + delay - now, 0.0) if delay else 0.0
        if wait:
            time.sleep(wait)
        self._last[host] = now + wait
        return wait

    def _send(
        self,
        method: str,
        url: httpx2.URL,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None,
        call: Call,
    ) -> httpcore2.Response:
        own = {"Host": url.netloc.decode("ascii"), "User-Agent": self.agent, "Accept-Encoding": "gzip, deflate"}
        if isinstance(body, bytes):
            own["Content-Length"] = str(len(body))
        elif body is not None:
            own["Transfer-Encoding"] = "chunked"
        names = {name.lower() for name in headers}
        sent = {name: value for name, value in own.items() if name.lower() not in names} | dict(headers)
        request = httpcore2.Request(
            method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=[(name.encode("ascii"), value.encode()) for name, value in sent.items()],
            content=body,
            extensions={"timeout": {"connect": call, "read": call, "write": call}},
        )
        try:
            return self._pool.handle_request(request)
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise _failed(str(url), error, call) from error

    def _follow(self, source: httpx2.URL, location: str, headers: dict[str, str]) -> tuple[httpx2.URL, dict[str, str]]:
        """Where a redirect leads, and the headers that may go there."""
        try:
            target = check_url(str(source.join(location.strip().replace(" ", "%20"))))
        except (httpx2.InvalidURL, ValueError):
            raise FetchRefused(f"{source} redirects to something that is no web address.") from None
        except FetchRefused as error:
            raise FetchRefused(f"{source} redirects. {error}") from None
        if source.scheme == "https" and target.scheme == "http":
            raise FetchRefused(f"{source} redirects from https to http, where anyone may change what is read.")
        if _origin(source) != _origin(target):
            headers = {name: value for name, value in headers.items() if name.lower() in ("accept", "accept-language")}
        return target, headers

    # robots.txt

    def robots_allow(self, url: str) -> bool:
        """Whether the site's ``robots.txt`` lets this robot read the address.

        Raises `FetchError` when that file cannot be had although the site may
        have one (its server fails): then the site is to be left alone.
        """
        origin = _origin(check_url(url))
        if origin not in self._robots:
            self._robots[origin] = self._read_robots(origin)
        robots = self._robots[origin]
        if isinstance(robots, FetchError):
            raise robots
        return bool(robots.can_fetch(url, self.agent))

    def sitemaps(self, url: str) -> list[str]:
        """The sitemaps that the site's ``robots.txt`` names."""
        robots = self._robots.get(_origin(check_url(url)))
        return list(robots.sitemaps) if isinstance(robots, Protego) else []

    def _read_robots(self, origin: str) -> Protego | FetchError:
        try:
            with self.stream("GET", f"{origin}/robots.txt") as stream:
                if stream.status == 429 or stream.status >= 500:
                    return FetchFailed(
                        f"{origin}/robots.txt answers {stream.status}, so nothing of the site is read. Try again later."
                    )
                text = stream.read(MAX_ROBOTS) if stream.status < 300 else b""
        except FetchError as error:
            return error
        return Protego.parse(text.decode("utf-8", "replace"))

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _origin(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _location(answer: httpcore2.Response) -> str | None:
    if answer.status not in (301, 302, 303, 307, 308):
        return None
    return next(
        (value.decode("utf-8", "replace") for name, value in answer.headers if name.lower() == b"location"), None
    )


def get(url: str, *, allow_hosts: Collection[str] | None = None, **options: Any) -> Response:
    """One GET through a door of its own; see `Door.stream` for the options and what it raises."""
    return request("GET", url, allow_hosts=allow_hosts, **options)


def request(method: str, url: str, *, allow_hosts: Collection[str] | None = None, **options: Any) -> Response:
    """One request through a door of its own; see `Door.stream` for the options and what it raises."""
    with Door(allow_hosts=allow_hosts) as door:
        return door.request(method, url, **options)
