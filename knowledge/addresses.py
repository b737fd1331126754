"""Which addresses of the network may be dialled: the judgement behind the door of `fetch`.

Nothing here opens a connection. A host name is judged by every address that it
leads to, so all spellings of one address (decimal, hexadecimal, octal, short,
mapped into IPv6, behind NAT64) are judged alike: by what the resolver made of
them. What is not on the public internet is closed unless ``FETCH_ALLOW`` lists it.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import httpx2

MAX_URL = 8_000
MAX_KEY = 500
PUBLIC_PORTS = frozenset({80, 443})
"""The web's own ports: elsewhere on the public internet a crawler would be a port scanner in someone's hands."""

_TRACKING = re.compile(r"(utm_\w+|gclid|fbclid|mc_cid|mc_eid|msclkid|sessionid|phpsessid|jsessionid)=", re.I)

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int, float], Sequence[str]]


class FetchError(Exception):
    """Nothing was fetched; the message says why and what to do about it, for a person."""


class FetchRefused(FetchError):
    """This door does not open for that address."""


class FetchOutside(FetchRefused):
    """The address lies outside what this series of requests may read; others may read it."""


class FetchFailed(FetchError):
    """The address may be fetched, but the other side did not deliver within the limits."""


# The tables are spelled out: what Python calls global has changed between its releases.
_CLOSED_NETWORKS = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
168.63.129.16/32
2001::/23 2001:db8::/32 2002::/16 3fff::/20
"""  # in this order: IPv4; a cloud's metadata service with a public address; Teredo and kin, documentation, 6to4
_CLOSED = [ipaddress.ip_network(network) for network in _CLOSED_NETWORKS.split()]
_OPEN_IPV6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: IPAddress) -> bool:
    """Whether the address belongs to the public internet and cannot stand for another one inside."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _OPEN_IPV6:
            return False
    return not any(address in network for network in _CLOSED)


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of ``FETCH_ALLOW``: a network, and the one port of it if the entry names one."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    port: int | None = None

    @classmethod
    def parse(cls, entry: str) -> Self:
        """Read ``10.0.0.0/8``, ``fd00::/8``, ``127.0.0.1`` or, for one port only, ``10.1.2.3/32:8080``."""
        try:
            network, slash, rest = entry.strip().partition("/")
            bits, _, port = rest.partition(":")
            return cls(ipaddress.ip_network(f"{network}{slash}{bits}"), int(port) if port else None)
        except ValueError:
            raise FetchRefused(
                f"FETCH_ALLOW has the entry “{entry}”, which is no network. "
                "Write it like 10.0.0.0/8, or like 10.1.2.3/32:8080 for one port only."
            ) from None

    def admits(self, address: IPAddress, port: int) -> bool:
        return address in self.network and self.port in (None, port)


def judge(host: str, address: str, port: int, allowed: Iterable[Allowed]) -> tuple[IPAddress, bool]:
    """The address to dial for ``host``, and whether it lies inside (not on the public internet), or `FetchRefused`."""
    try:
        judged: IPAddress = ipaddress.ip_address(address)
    except ValueError:
        raise FetchRefused(f"“{host}” leads to “{address}”, which is no internet address.") from None
    if isinstance(judged, ipaddress.IPv6Address) and judged.ipv4_mapped:
        judged = judged.ipv4_mapped
    public = is_public(judged)
    if any(entry.admits(judged, port) for entry in allowed):
        return judged, not public
    if not public:
        raise FetchRefused(
            f"“{host}” leads to {judged}, which is not on the public internet. "
            f"If it is meant to be read, the operator adds {judged}/{judged.max_prefixlen}:{port} to FETCH_ALLOW."
        )
    if port not in PUBLIC_PORTS:
        raise FetchRefused(
            f"Port {port} of “{host}” is not a web port (80, 443). "
            f"If it is meant to be read, the operator adds {judged}/{judged.max_prefixlen}:{port} to FETCH_ALLOW."
        )
    return judged, False


def resolve(host: str, port: int, seconds: float) -> Sequence[str]:
    """The addresses of a host name, by the system's resolver, which is left behind when it is late."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise FetchFailed(f"The name “{host}” could not be looked up in time. Try again later.") from None
    if isinstance(answer, Exception):
        raise FetchFailed(f"There is no host named “{host}”. Check the spelling of the address.") from answer
    return answer


def check_url(url: str) -> httpx2.URL:
    """The address as it is asked for, its fragment dropped; `FetchRefused` for what is no plain web address."""
    if len(url) > MAX_URL:
        raise FetchRefused(f"The address is longer than {MAX_URL} characters: {url[:60]}…")
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise FetchRefused(f"The address has blanks, backslashes or control characters in it: {url[:200]!r}")
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise FetchRefused(f"This is no web address: {url[:200]}") from None
    if parsed.scheme not in ("http", "https"):
        raise FetchRefused(f"Only http and https addresses are fetched, not {url[:200]}")
    if not re.fullmatch(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9]+)?", parsed.raw_host):
        raise FetchRefused(f"The address names no host that can be: {url[:200]}")
    if parsed.userinfo:
        raise FetchRefused(f"The address carries a user name or password for “{parsed.host}”: leave it out.")
    return parsed.copy_with(fragment=None)


def normal(url: str) -> str:
    """The one spelling of an address, without fragment and tracking words; empty if it is none that may be a key."""
    try:
        parsed = check_url(url.strip().replace(" ", "%20"))
    except FetchRefused:
        return ""
    if parsed.query:
        kept = [part for part in parsed.query.decode("ascii").split("&") if part and not _TRACKING.match(part)]
        parsed = parsed.copy_with(query="&".join(kept).encode("ascii") or None)
    found = str(parsed.copy_with(path="/") if parsed.path in ("", "/") else parsed)
    return found if len(found) <= MAX_KEY else ""
