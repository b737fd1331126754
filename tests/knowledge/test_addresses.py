"""Promise 13, first half: no spelling and no address leads to where the operator did not allow."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from knowledge.addresses import Allowed, is_public, judge
from knowledge.fetch import Door, FetchError, FetchRefused, get
from tests.loopback import Trap, always


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap()
    yield trap
    trap.close()


SPELLINGS = {
    "http://127.0.0.1:{port}/": "loopback",
    "http://127.1:{port}/": "short IPv4",
    "http://127.0.1:{port}/": "short IPv4 of three parts",
    "http://2130706433:{port}/": "decimal IPv4",
    "http://0x7f000001:{port}/": "hexadecimal IPv4",
    "http://0x7f.0x0.0x0.0x1:{port}/": "hexadecimal parts",
    "http://0177.0.0.1:{port}/": "octal part",
    "http://017700000001:{port}/": "octal IPv4",
    "http://0:{port}/": "zero is this machine",
    "http://0.0.0.0:{port}/": "unspecified is this machine",
    "http://127.255.255.254:{port}/": "the rest of loopback",
    "http://localhost:{port}/": "a name of loopback",
    "http://LOCALHOST:{port}/": "the same in capitals",
    "http://localhost.:{port}/": "the same with the root's dot",
    "http://[::1]:{port}/": "IPv6 loopback",
    "http://[0:0:0:0:0:0:0:1]:{port}/": "IPv6 loopback in full",
    "http://[::]:{port}/": "IPv6 unspecified",
    "http://[::ffff:127.0.0.1]:{port}/": "mapped IPv6",
    "http://[::ffff:7f00:1]:{port}/": "mapped IPv6 in hexadecimal",
    "http://[::127.0.0.1]:{port}/": "compatible IPv6",
    "http://[64:ff9b::127.0.0.1]:{port}/": "loopback behind NAT64",
    "http://[64:ff9b::7f00:1]:{port}/": "the same in hexadecimal",
    "http://127。0。0。1:{port}/": "ideographic full stops",
    "http://①②⑦.⓪.⓪.①:{port}/": "circled digits",
    "http://user:secret@127.0.0.1:{port}/": "credentials",
    "http://example.com@127.0.0.1:{port}/": "a name that is only a user",
    "http://example.com:80@127.0.0.1:{port}/": "the same with a port",
    "http://127.0.0.1:{port}\\@example.com/": "a backslash",
    "http://example.com\\@127.0.0.1:{port}/": "a backslash before the at sign",
    "http://127.0.0.1:{port}#@example.com/": "a fragment that looks like a host",
    "http://127.0.0.1:{port}?@example.com/": "a query that looks like a host",
    "http://127.0.0.1\t:{port}/": "a tab",
    "http://127.0.0.1:{port}/\r\nX-Evil: 1": "a line break",
    " http://127.0.0.1:{port}/": "a blank in front",
    "file://127.0.0.1:{port}/etc/passwd": "file",
    "file:///etc/passwd": "file of this machine",
    "ftp://127.0.0.1:{port}/": "ftp",
    "gopher://127.0.0.1:{port}/_GET": "gopher",
    "dict://127.0.0.1:{port}/info": "dict",
    "ldap://127.0.0.1:{port}/": "ldap",
    "ws://127.0.0.1:{port}/": "websocket",
    "jar:http://127.0.0.1:{port}/!/x": "jar",
    "data:text/html,<p>hello": "data",
    "javascript:alert(1)": "javascript",
    "unix:///var/run/docker.sock": "socket of this machine",
    "http:///etc/passwd": "no host",
    "http:127.0.0.1:{port}/": "no slashes",
    "//127.0.0.1:{port}/": "no scheme",
    "http://127.0.0.1:99999/": "no port",
    "http://[127.0.0.1:{port}/": "open bracket",
    "http://127.0.0.1:{port}/" + "a" * 9000: "endless address",
    "https://127.0.0.1:{port}/": "loopback by https",
}

ADDRESSES = {
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.254": "private",
    "192.168.1.1": "private",
    "169.254.169.254": "metadata",
    "169.254.170.2": "metadata of containers",
    "168.63.129.16": "metadata with a public address",
    "100.64.0.1": "carrier's NAT",
    "100.100.100.200": "metadata in the carrier's NAT",
    "192.0.0.192": "protocol assignments",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relay",
    "198.18.0.1": "benchmarks",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "fd00:ec2::254": "metadata by unique local IPv6",
    "fc00::1": "unique local",
    "fe80::1": "link-local",
    "fe80::1%1": "link-local with its zone",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "ff0e::1": "global multicast",
    "2001:0:7f00:1::": "Teredo",
    "2001:20::1": "overlay",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4 of loopback",
    "2002:a00:1::1": "6to4 of a private network",
    "3fff::1": "documentation",
    "64:ff9b::a00:1": "a private network behind NAT64",
    "64:ff9b::a9fe:a9fe": "metadata behind NAT64",
    "64:ff9b:1::1": "local NAT64",
    "100::1": "discarded",
    "::ffff:10.0.0.1": "private, mapped",
    "::ffff:169.254.169.254": "metadata, mapped",
    "5f00::1": "segment routing",
}


@pytest.mark.parametrize("url", SPELLINGS, ids=SPELLINGS.values())
def test_no_spelling_reaches_this_machine(url: str, trap: Trap) -> None:
    with pytest.raises(FetchError) as told:
        get(url.replace("{port}", str(trap.port)), total_seconds=2)
    assert len(str(told.value)) > 20
    assert trap.knocked() == 0


@pytest.mark.parametrize("address", ADDRESSES, ids=[f"{k}-{v}" for k, v in ADDRESSES.items()])
def test_no_address_inside_is_dialled(address: str) -> None:
    with Door(resolver=always(address)) as door, pytest.raises(FetchRefused, match="not on the public internet"):
        door.get("http://handbook.example/", total_seconds=2)


def test_at_least_sixty_addresses_are_tried() -> None:
    assert len(SPELLINGS) + len(ADDRESSES) >= 60


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::101:101"],
)
def test_the_public_internet_is_open_on_its_ports_only(address: str) -> None:
    assert is_public(ip_address(address))
    assert judge("a.example", address, 443, []) == (ip_address(address), False)
    with pytest.raises(FetchRefused, match="not a web port"):
        judge("a.example", address, 25, [])


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_is_public_that_python_calls_otherwise(address: IPv4Address | IPv6Address) -> None:
    if is_public(address) and address not in ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not any((address.is_multicast, address.is_reserved, address.is_link_local))


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@a.example/",
        "http://user@a.example/",
        "http://a.example\\@b.example/",
        "http://a.example/x y",
        "http://a.example/\r\nX-Evil: 1",
        "http://a.example/\x00",
        "http://a.example/\x7f",
        "http://%5Bbad/",
        "ftp://a.example/",
        "http://a.example/" + "a" * 9000,
    ],
)
def test_what_is_no_plain_address_is_refused_before_any_name_is_looked_up(url: str) -> None:
    asked: list[str] = []

    def watched(host: str, port: int, seconds: float) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with Door(resolver=watched) as door, pytest.raises(FetchRefused):
        door.get(url)
    assert asked == []


def test_a_mapped_address_is_dialled_as_what_it_stands_for() -> None:
    allowed = [Allowed.parse("127.0.0.1/32")]
    assert judge("a.example", "::ffff:127.0.0.1", 8080, allowed) == (ip_address("127.0.0.1"), True)


def test_one_closed_address_among_open_ones_closes_the_host(trap: Trap, settings: LazySettings) -> None:
    settings.FETCH_ALLOW = [f"127.0.0.1/32:{trap.port}"]
    with Door(resolver=always("127.0.0.1", "127.0.0.9")) as door, pytest.raises(FetchRefused, match=r"127\.0\.0\.9"):
        door.get(f"http://mixed.example:{trap.port}/", total_seconds=2)
    assert trap.knocked() == 0


def test_an_allowed_network_can_be_kept_to_one_port() -> None:
    entry = Allowed.parse("10.1.2.0/24:8080")
    assert entry.admits(ip_address("10.1.2.3"), 8080)
    assert not entry.admits(ip_address("10.1.2.3"), 8081)
    assert Allowed.parse("fd00::/8").admits(ip_address("fd12::1"), 1)
    assert Allowed.parse("127.0.0.1").admits(ip_address("127.0.0.1"), 80)
    with pytest.raises(FetchRefused, match="FETCH_ALLOW"):
        Allowed.parse("intranet.example")
