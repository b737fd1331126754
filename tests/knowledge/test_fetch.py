"""Promise 13, second half: the door dials what it has checked, after each redirect too, and keeps its limits."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from knowledge.addresses import resolve
from knowledge.fetch import Door, FetchFailed, FetchRefused, get, request
from tests.loopback import Answer, Handler, Trap, Web, always


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap()
    yield trap
    trap.close()


def test_the_checked_address_is_the_dialled_one(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its answer between check and use: only the first answer counts, and it is what is dialled."""
    answers = iter([["127.0.0.1"], ["127.0.0.9"]])
    dialled: list[Any] = []
    real = socket.create_connection

    def watched(address: Any, *args: Any, **options: Any) -> socket.socket:
        dialled.append(address)
        return real(address, *args, **options)

    monkeypatch.setattr(socket, "create_connection", watched)
    web.answers["/"] = lambda handler: handler.say(200, b"hello", Connection="close")
    with Door(resolver=lambda *_: next(answers)) as door:
        assert door.get(f"http://flips.example:{web.port}/").body == b"hello"
        assert dialled == [("127.0.0.1", web.port)]
        with pytest.raises(FetchRefused, match=r"127\.0\.0\.9"):  # a new connection is judged anew
            door.get(f"http://flips.example:{web.port}/")
    assert len(dialled) == 1
    assert web.asked[0][1]["Host"] == f"flips.example:{web.port}"


def test_dns_flip_from_public_to_this_machine_is_never_dialled(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["192.0.2.1"], ["127.0.0.1"]])
    with Door(resolver=lambda *_: next(answers)) as door:
        for _ in range(2):
            with pytest.raises(FetchRefused):
                door.get(f"http://flips.example:{trap.port}/", total_seconds=1)
    assert trap.knocked() == 0


# Redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{trap}/",
        "http://2130706433:{trap}/",
        "//127.0.0.1:{trap}/",
        "http://[::ffff:127.0.0.1]:{trap}/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{trap}/",
        "http://u:p@127.0.0.1:{trap}/",
        "http://[bad/",
    ],
)
def test_a_redirect_is_judged_like_a_first_address(target: str, web: Web, trap: Trap) -> None:
    web.redirect("/", target.replace("{trap}", str(trap.port)))
    with pytest.raises(FetchRefused):
        get(f"{web.base}/", total_seconds=2)
    assert trap.knocked() == 0
    assert len(web.asked) == 1


def test_redirects_are_followed_to_the_end_and_not_for_ever(web: Web) -> None:
    for step in range(5):
        web.redirect(f"/{step}", f"/{step + 1}", (301, 302, 303, 307, 308)[step])
    web.answers["/5"] = lambda handler: handler.say(200, b"there")
    assert get(f"{web.base}/0").url == f"{web.base}/5"
    web.redirect("/5", "/6")
    web.answers["/6"] = lambda handler: handler.say(200, b"too far")
    with pytest.raises(FetchFailed, match="more than 5"):
        get(f"{web.base}/0")


def test_a_redirect_stays_with_the_allowed_hosts(web: Web) -> None:
    web.redirect("/", f"http://localhost:{web.port}/secret")
    with pytest.raises(FetchRefused, match="another host"):
        get(f"{web.base}/", allow_hosts={"127.0.0.1"})
    with pytest.raises(FetchRefused, match="another host"):
        get(f"{web.base}/", allow_hosts={"127.0.0.1:1"})
    assert [path for path, _ in web.asked] == ["/"]


def test_a_public_address_redirects_nobody_inside(web: Web, settings: LazySettings, trap: Trap) -> None:
    """Also not to what the operator allowed, nor over a connection that is open already."""
    settings.FETCH_ALLOW = ["127.0.0.0/8"]
    web.answers["/inside"] = lambda handler: handler.say(200, b"the intranet")
    web.redirect("/out", f"http://intranet.example:{web.port}/inside")
    door = Door(resolver=lambda host, port, seconds: ["127.0.0.1"])
    with door, pytest.MonkeyPatch.context() as patch:
        assert door.get(f"http://intranet.example:{web.port}/inside").body == b"the intranet"
        patch.setattr(
            "knowledge.addresses.is_public", lambda address: True
        )  # this loopback server plays the public one
        before = len(web.asked)
        with pytest.raises(FetchRefused, match="redirects"):
            door.get(f"http://public.example:{web.port}/out")
        assert [path for path, _ in web.asked[before:]] == ["/out"]
    calls: list[str] = []

    def public_first(host: str, port: int, seconds: float) -> Sequence[str]:
        calls.append(host)
        return ["127.0.0.2"] if host == "inside.example" else ["127.0.0.1"]

    web.redirect("/", f"http://inside.example:{trap.port}/")
    with Door(resolver=public_first) as door, pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.addresses.is_public", lambda address: str(address) == "127.0.0.1")
        with pytest.raises(FetchRefused, match="inside the network"):
            door.get(f"http://public.example:{web.port}/")
    assert calls == ["public.example", "inside.example"]
    assert trap.knocked() == 0


def test_headers_do_not_travel_to_another_host(web: Web) -> None:
    web.redirect("/", f"http://localhost:{web.port}/there")
    web.answers["/there"] = lambda handler: handler.say(200, b"ok")
    headers = {"Authorization": "Bearer x", "If-None-Match": '"1"', "Accept": "text/html"}
    with Door(resolver=always("127.0.0.1")) as door:
        door.get(f"{web.base}/", headers=headers)
    (_, first), (_, second) = web.asked
    assert first["Authorization"] == "Bearer x"
    assert "Authorization" not in second
    assert "If-None-Match" not in second
    assert second["Accept"] == "text/html"


def test_what_is_sent_is_not_redirected(web: Web) -> None:
    web.redirect("/git-upload-pack", "/elsewhere", 307)
    with pytest.raises(FetchRefused, match="redirects what is sent"):
        request("POST", f"{web.base}/git-upload-pack", body=b"want")


# Limits ---------------------------------------------------------------------------------------------------------


PATIENCE = 30
"""Seconds after which a slow server hangs up itself: a client that has no limit fails the test and does not stop it."""


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(PATIENCE * 20):
        handler.wfile.write(b".")
        time.sleep(0.05)
    handler.close_connection = True


def drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(PATIENCE * 20):
        handler.wfile.write(b"X: y\r\n")
        time.sleep(0.05)
    handler.close_connection = True


def silence(handler: Handler) -> None:
    handler.connection.settimeout(PATIENCE)
    handler.rfile.read(1)  # nothing comes: waits until the client hangs up


def endless(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        handler.wfile.write(b"<p>more" * 10_000)


def endless_chunks(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        handler.wfile.write((b"64\r\n" + b"x" * 100 + b"\r\n") * 1000)


def header_bomb(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Filler: " + b"a" * 60_000 + b"\r\n")


def endless_hints(handler: Handler) -> None:
    while True:
        handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 1000)


def announced(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
    handler.rfile.read(1)


def redirect_loop(handler: Handler) -> None:
    handler.say(302, Location="/loop?again")


@pytest.mark.parametrize("answer", [drip, drip_headers, silence])
def test_a_slow_answer_ends_with_the_time_of_the_whole(answer: Answer, web: Web) -> None:
    web.answers["/"] = answer
    with pytest.raises(FetchFailed, match=r"within 0\.4 seconds"):
        get(f"{web.base}/", total_seconds=0.4)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (endless, "larger"),
        (endless_chunks, "larger"),
        (header_bomb, "HTTP properly"),
        (endless_hints, "larger than what is read"),
        (announced, "larger"),
        (redirect_loop, "more than 5"),
    ],
)
def test_an_answer_without_end_is_cut(answer: Answer, reason: str, web: Web) -> None:
    web.answers["/"] = web.answers["/loop"] = answer
    with pytest.raises(FetchFailed, match=reason):
        get(f"{web.base}/", max_bytes=300_000)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_packed_bomb_is_cut_while_it_unfolds(coding: str, web: Web) -> None:
    size = 200_000_000 if coding == "gzip" else 30_000_000
    if coding == "br":
        brotli = pytest.importorskip("brotli")
        packed = brotli.compress(bytes(size), quality=1)
    else:
        packer = zlib.compressobj(1, wbits=31 if coding == "gzip" else 15)
        packed = b"".join(packer.compress(bytes(10_000_000)) for _ in range(size // 10_000_000)) + packer.flush()
    assert len(packed) < 1_500_000
    web.answers["/"] = lambda handler: handler.say(200, packed, Content_Encoding=coding)
    with pytest.raises(FetchFailed, match="larger than 1 MB"):
        get(f"{web.base}/", max_bytes=1_000_000)


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip", "deflate", "zstd", "GZIP,br"])
def test_damaged_or_double_packing_is_told(coding: str, web: Web) -> None:
    web.answers["/"] = lambda handler: handler.say(
        200, gzip.compress(b"x" * 1000)[:-20] + b"damage!", Content_Encoding=coding
    )
    with pytest.raises(FetchFailed, match="pack"):
        get(f"{web.base}/")


def test_a_name_that_is_looked_up_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: release.wait(30) and [])
    with pytest.raises(FetchFailed, match="looked up in time"):
        resolve("slow.example", 80, 0.05)
    release.set()


def test_an_unknown_name_and_a_closed_port_are_told(settings: LazySettings, trap: Trap) -> None:
    with pytest.raises(FetchFailed, match="Check the spelling"):
        get("http://no-such-host.invalid/")
    settings.FETCH_ALLOW = ["127.0.0.1"]
    trap.close()
    with pytest.raises(FetchFailed, match="could not be reached"):
        get(f"http://127.0.0.1:{trap.port}/")


def test_an_answer_that_is_no_http_is_told(web: Web) -> None:
    web.answers["/"] = lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n") and None
    with pytest.raises(FetchFailed, match="does not speak HTTP"):
        get(f"{web.base}/", total_seconds=2)


# What it does well ------------------------------------------------------------------------------------------------


def test_an_answer_comes_whole_with_its_headers(web: Web) -> None:
    web.answers["/"] = lambda handler: handler.say(
        200, gzip.compress("Grüße".encode()), Content_Encoding="gzip", ETag='"1"'
    )
    answer = get(f"{web.base}/?q=a%20b#part", headers={"If-None-Match": '"0"'})
    assert (answer.status, answer.body.decode(), answer.headers["etag"]) == (200, "Grüße", '"1"')
    path, headers = web.asked[0]
    assert path == "/?q=a%20b"
    assert headers["User-Agent"].startswith("ImmersiveBot")
    assert headers["If-None-Match"] == '"0"'
    assert get(f"{web.base}/gone").status == 404


def test_a_validator_in_any_alphabet_is_sent_back(web: Web) -> None:
    web.answers["/"] = lambda handler: handler.wfile.write(
        'HTTP/1.1 200 OK\r\nETag: "größe-版"\r\nContent-Length: 0\r\n\r\n'.encode()
    )
    etag = get(f"{web.base}/").headers["etag"]
    assert get(f"{web.base}/", headers={"If-None-Match": etag}).status == 200
    assert web.asked[1][1]["If-None-Match"].encode("latin-1").decode() == '"größe-版"'
    with pytest.raises(FetchFailed):
        get(f"{web.base}/", headers={"If-None-Match": "a\r\nX-Evil: 1"})
    assert len(web.asked) == 2


def test_connections_are_used_again_and_no_cookie_is_kept(web: Web) -> None:
    web.answers["/"] = lambda handler: handler.say(200, b"hello", Set_Cookie="a=b")
    with Door() as door:
        for _ in range(3):
            door.get(f"{web.base}/")
    assert len(set(web.ports)) == 1
    assert all("Cookie" not in headers for _, headers in web.asked)


def test_the_environment_names_no_proxy(web: Web, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    web.answers["/"] = lambda handler: handler.say(200, b"straight")
    assert get(f"{web.base}/").body == b"straight"
    assert trap.knocked() == 0


def test_git_streams_both_ways(web: Web) -> None:
    """What a library for git needs: a body from an iterator, an answer read by pieces, larger limits."""
    with Door() as door:
        assert door.request("POST", f"{web.base}/pack", body=b"0000").body == b"got 0000"
        with door.stream("POST", f"{web.base}/pack", body=iter([b"0032", b"want"])) as stream:
            assert [stream.read(4), stream.read(4), stream.read(100), stream.read(1)] == [
                b"got ",
                b"0032",
                b"want",
                b"",
            ]


class Clock:
    """The machine's clock, on which sleeping takes no time."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_it_is_polite_to_each_host(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.answers["/"] = lambda handler: handler.say(200)
    clock = Clock()
    for module in ("fetch", "dialling"):
        monkeypatch.setattr(f"knowledge.{module}.time", clock)
    with Door(delay=3600) as door:
        for _ in range(2):
            door.get(f"{web.base}/", total_seconds=60)  # waiting one's turn is not the server's time
    (slept,) = clock.slept
    assert 3000 < slept <= 3600


def test_robots_are_obeyed_and_asked_once(web: Web) -> None:
    text = (
        b"User-agent: *\nDisallow: /\n\nUser-agent: ImmersiveBot\nDisallow: /private\nSitemap: http://a.example/s.xml\n"
    )
    web.answers["/robots.txt"] = lambda handler: handler.say(200, text)
    with Door() as door:
        assert door.robots_allow(f"{web.base}/handbook")
        assert not door.robots_allow(f"{web.base}/private/a")
        assert door.sitemaps(f"{web.base}/") == ["http://a.example/s.xml"]
    assert len(web.asked) == 1


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False), (429, False)])
def test_robots_that_fail_close_the_site(status: int, allowed: bool, web: Web) -> None:
    web.answers["/robots.txt"] = lambda handler: handler.say(status)
    with Door() as door:
        if allowed:
            assert door.robots_allow(f"{web.base}/")
        else:
            with pytest.raises(FetchFailed, match=r"robots\.txt"):
                door.robots_allow(f"{web.base}/")


def test_a_huge_robots_file_is_read_in_part(web: Web) -> None:
    web.answers["/robots.txt"] = lambda handler: handler.say(200, b"User-agent: *\nDisallow: /no\n" + b"#" * 2_000_000)
    with Door() as door:
        assert not door.robots_allow(f"{web.base}/no")
        assert door.robots_allow(f"{web.base}/yes")


# TLS ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def secure(web: Web, tmp_path: Path) -> ssl.SSLContext:
    """The server speaks TLS with a certificate for ``handbook.example``; the context trusts it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=handbook.example", "-addext", "subjectAltName=DNS:handbook.example"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    web.socket = server_side.wrap_socket(web.socket, server_side=True)
    return ssl.create_default_context(cafile=str(certificate))


def test_the_certificate_is_checked_for_the_name_not_the_address(web: Web, secure: ssl.SSLContext) -> None:
    web.answers["/"] = lambda handler: handler.say(200, b"sealed")
    with Door(resolver=always("127.0.0.1"), tls=secure) as door:
        assert door.get(f"https://handbook.example:{web.port}/").body == b"sealed"
        with pytest.raises(FetchFailed, match="certificate"):
            door.get(f"https://other.example:{web.port}/")
    with Door(resolver=always("127.0.0.1")) as door, pytest.raises(FetchFailed, match="SSL_CERT_FILE"):
        door.get(f"https://handbook.example:{web.port}/")


def test_https_is_not_left_for_http(web: Web, secure: ssl.SSLContext, trap: Trap) -> None:
    web.redirect("/", f"http://handbook.example:{trap.port}/")
    with (
        Door(resolver=always("127.0.0.1"), tls=secure) as door,
        pytest.raises(FetchRefused, match="from https to http"),
    ):
        door.get(f"https://handbook.example:{web.port}/")
    assert trap.knocked() == 0
