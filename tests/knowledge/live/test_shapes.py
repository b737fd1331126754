"""What services outside answer, read: three shapes, and everything that no service should send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import LazySettings

from knowledge.connectors import live
from knowledge.connectors.live import LiveFailure, Service, ask
from tests.knowledge.live.services import (
    DESCRIPTION,
    FIELDS,
    FOUND,
    PAGES,
    QUESTIONS,
    SUGGESTED,
    Hanging,
    endless,
    packed,
    queries,
    says,
)
from tests.loopback import Trap, Web


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    live._descriptions.clear()
    yield
    live._descriptions.clear()


@pytest.fixture
def service(web: Web) -> Service:
    """A service in JSON at the loopback server."""
    hosts = frozenset({f"127.0.0.1:{web.port}"})
    return Service("Elsewhere", "json", f"{web.base}/found?q={{query}}", hosts=hosts, deadline=5.0)


def trouble(service: Service, words: str = "pump") -> LiveFailure:
    with pytest.raises(LiveFailure) as caught:
        ask(service, words)
    return caught.value


# The right answers ------------------------------------------------------------------------------------------------


def test_stack_exchange(web: Web, service: Service) -> None:
    web.answers["/2.3/search/advanced"] = packed(QUESTIONS)
    address = f"{web.base}/2.3/search/advanced?site=pumps&sort=votes"
    said = ask(replace(service, shape="stackexchange", address=address), "feed pump")
    (asked,) = queries(web, "/2.3/search/advanced")
    assert asked["q"] == ["feed pump"]
    assert asked["site"] == ["pumps"]
    assert asked["sort"] == ["votes"], "what the address says itself is kept"
    first, second = said.answers
    assert first.title == 'Why does the feed pump lose its "prime" overnight?'
    assert first.text == "The pump is dry & hums.\n\nif x < 3: prime()"
    assert first.link == "https://qa.example/q/11"
    assert first.notes == ("2 answers, one accepted", "Asked by Rüya")
    assert first.updated
    assert first.updated.year == 2025
    assert second.notes == ("1 answer",)
    assert said.rest == 0


def test_stack_exchange_asks_for_a_pause(web: Web, service: Service) -> None:
    web.answers["/s"] = packed({**QUESTIONS, "backoff": 12})
    there = replace(service, shape="stackexchange", address=f"{web.base}/s?site=pumps")
    assert ask(there, "pump").rest == 12
    throttled = {"error_id": 502, "error_name": "throttle_violation",
                 "error_message": "too many requests from this IP, more requests available in 71 seconds"}  # fmt: skip
    web.answers["/s"] = says(throttled, status=400)
    assert trouble(there).rest == 71


def test_mediawiki(web: Web, service: Service) -> None:
    web.answers["/w/api.php"] = says(PAGES)
    said = ask(replace(service, shape="mediawiki", address=f"{web.base}/w/api.php?srnamespace=0"), "feed pump")
    (asked,) = queries(web, "/w/api.php")
    assert asked["srsearch"] == ["feed pump"]
    assert asked["srnamespace"] == ["0"]
    first, second = said.answers
    assert first.title == "Feed pump/Priming & care"
    assert first.link == "http://wiki.example/wiki/Feed_pump/Priming_%26_care"
    assert first.text == "Close the valve, then prime the pump & wait"
    assert first.updated
    assert first.updated.month == 3
    assert second.title == "A <b>bold</b> title", "a title is text, whatever it looks like"


def test_a_mediawiki_that_does_not_say_where_its_pages_stand(web: Web, service: Service) -> None:
    web.answers["/w/api.php"] = says({"query": {"search": PAGES["query"]["search"]}})
    said = ask(replace(service, shape="mediawiki", address=f"{web.base}/w/api.php"), "pump")
    assert said.answers[0].link == f"{web.base}/w/index.php?curid=7"
    web.answers["/w/api.php"] = says({"error": {"code": "ratelimited", "info": "Slow down."}})
    assert (
        str(trouble(replace(service, shape="mediawiki", address=f"{web.base}/w/api.php"))) == "cannot search just now"
    )


def test_json_by_a_map(web: Web, service: Service) -> None:
    web.answers["/found"] = says(FOUND)
    first, second = ask(replace(service, fields=FIELDS), "feed pump").answers
    assert queries(web, "/found") == [{"q": ["feed pump"]}]
    assert (first.title, first.text, first.notes) == ("Pump manual", "How a pump is primed.", ("Ida",))
    assert first.link == f"{web.base}/doc/a%20b%2F1"
    assert first.updated
    assert first.updated.year == 2023
    assert second.updated is None


def test_json_without_a_map(web: Web, service: Service) -> None:
    web.answers["/found"] = says({"results": [{"name": "Pump", "url": "/p", "summary": "Moves <i>water</i>."}, 7]})
    (only,) = ask(service, "pump").answers
    assert (only.title, only.link, only.text) == ("Pump", f"{web.base}/p", "Moves water.")
    web.answers["/found"] = says([{"title": "In a bare list", "link": "https://x.example/1"}])
    assert [answer.title for answer in ask(service, "pump").answers] == ["In a bare list"]


def test_an_opensearch_description_is_read_once(web: Web, service: Service) -> None:
    web.answers["/about.xml"] = lambda handler: handler.say(200, DESCRIPTION.format(base=web.base).encode())
    web.answers["/suggest"] = says(SUGGESTED)
    described = replace(service, address=f"{web.base}/about.xml")
    for _ in range(2):
        first, second = ask(described, "feed & pump").answers
        assert (first.title, first.text) == ("Pump", "A machine that moves liquids.")
        assert second.link == f"{web.base}/room"
    assert len(queries(web, "/about.xml")) == 1
    assert queries(web, "/suggest") == [{"q": ["feed & pump"], "n": ["5"]}] * 2


@pytest.mark.parametrize(
    "description",
    [
        b"<html>no description</html>",
        b"\x00\x01",
        b"",
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a><Url type="application/json" template="&c;"/></a>',
        b'<a><Url type="application/json" method="post" template="http://x/{searchTerms}"/></a>',
    ],
)
def test_a_description_that_is_none(web: Web, service: Service, description: bytes) -> None:
    web.answers["/about.xml"] = lambda handler: handler.say(200, description)
    assert isinstance(trouble(replace(service, address=f"{web.base}/about.xml")), LiveFailure)


def test_a_description_leads_to_no_other_host(web: Web, service: Service) -> None:
    trap = Trap()
    body = f'<a><Url type="application/json" template="http://127.0.0.1:{trap.port}/?q={{searchTerms}}"/></a>'
    web.answers["/about.xml"] = lambda handler: handler.say(200, body.encode())
    why = trouble(replace(service, address=f"{web.base}/about.xml"))
    assert str(why) == "leads to an address that may not be asked"
    assert trap.knocked() == 0
    trap.close()


# What no service should do ----------------------------------------------------------------------------------------


def test_a_service_that_hangs_is_left_at_its_deadline(web: Web, service: Service) -> None:
    web.answers["/found"] = hanging = Hanging()
    why = trouble(replace(service, deadline=0.3))
    assert hanging.asked.is_set()
    assert not hanging.let_go.is_set(), "nobody waited for it"
    assert str(why) == "did not answer within 0.3 seconds"
    assert why.counts
    hanging.let_go.set()


def test_an_endless_answer_is_left_after_a_megabyte(web: Web, service: Service) -> None:
    web.answers["/found"] = endless
    why = trouble(service)
    assert str(why) == "sends more than 1 MB"
    assert why.counts


def test_five_megabytes_that_were_announced(web: Web, service: Service) -> None:
    web.answers["/found"] = says(b'["' + b"x" * 5_000_000 + b'"]')
    assert str(trouble(service)) == "sends more than 1 MB"


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Sign in</title>",
        b"",
        b"{",
        b"[" * 100_000,
        b'{"results": ' + b"9" * 5_000 + b"}",
        b"\xff\xfe\x00\xd8",
    ],
    ids=["html", "nothing", "half", "deep", "long number", "no unicode"],
)
def test_what_is_no_data(web: Web, service: Service, body: bytes) -> None:
    web.answers["/found"] = says(body)
    why = trouble(service)
    assert str(why) == "answers with something that is no data, such as a page"
    assert why.counts


@pytest.mark.parametrize("said", [{}, {"results": 5}, {"results": "many"}, "text", 7, None, True, {"error": "x"}])
def test_another_shape(web: Web, service: Service, said: Any) -> None:
    web.answers["/found"] = says(said)
    for shape in ("json", "mediawiki", "stackexchange"):
        assert trouble(replace(service, shape=shape)).counts


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("latin-1", "utf-8"), ("utf-8", "latin-1"), ("latin-1", "iso-8859-1"), ("utf-16", ""), ("utf-8-sig", ""),
     ("cp1251", "windows-1251"), ("latin-1", "rot13"), ("latin-1", "no-such-charset")],
)  # fmt: skip
def test_the_wrong_charset(web: Web, service: Service, encoding: str, declared: str) -> None:
    title = "Насос" if encoding == "cp1251" else "Größe für Café"
    body = json.dumps([{"title": title, "link": "https://x.example"}], ensure_ascii=False).encode(encoding)
    web.answers["/found"] = says(body, Content_Type=f"application/json; charset={declared}")
    assert [answer.title for answer in ask(service, "pump").answers] == [title]


def test_a_redirect_to_a_private_address(web: Web, service: Service) -> None:
    trap = Trap()
    targets = [
        f"http://127.0.0.1:{trap.port}/",
        f"http://localhost:{trap.port}/",
        "http://169.254.169.254/",
        "file:///",
    ]
    for target in targets:
        web.redirect("/found", target)
        for hosts in (service.hosts, service.hosts | {"localhost", "127.0.0.1", "169.254.169.254"}):
            why = trouble(replace(service, hosts=hosts))
            assert str(why) == "leads to an address that may not be asked", target
            assert why.counts
    assert trap.knocked() == 0
    trap.close()


@pytest.mark.parametrize(
    ("status", "headers", "why", "counts", "rest"),
    [
        (500, {}, "could not answer (500)", True, 0),
        (503, {"Retry_After": "20"}, "could not answer (503)", True, 20),
        (429, {}, "has been asked too often (429)", True, 60),
        (429, {"Retry_After": "99999"}, "has been asked too often (429)", True, 3600),
        (429, {"Retry_After": "tomorrow"}, "has been asked too often (429)", True, 60),
        (403, {}, "refuses this portal (403)", True, 0),
        (404, {}, "does not take these words (404)", True, 0),
        (400, {}, "does not take these words (400)", False, 0),
    ],
)
def test_a_status_that_is_none_of_the_good_ones(
    web: Web, service: Service, status: int, headers: dict[str, str], why: str, counts: bool, rest: float
) -> None:
    web.answers["/found"] = says({"message": "no"}, status=status, **headers)
    failure = trouble(service)
    assert (str(failure), failure.counts, failure.rest) == (why, counts, rest)


def test_nobody_is_there(web: Web, service: Service, settings: LazySettings) -> None:
    trap = Trap()
    trap.close()
    settings.FETCH_ALLOW = [f"127.0.0.1/32:{trap.port}"]
    gone = replace(service, address=f"http://127.0.0.1:{trap.port}/{{query}}", hosts=frozenset({"127.0.0.1"}))
    assert str(trouble(gone)) == "could not be reached, or broke off"


HOSTILE_LINKS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x",
    "vbscript:x", "file:///etc/passwd", "https://user:pw@x.example/", "http://", "https:///x", "http://x.example/\x00",
    "http://x.example/\\@y", "ftp://x.example", "blob:https://x", "http://[::1", "\ud800", "", None, 7, ["https://x"],
    {"href": "https://x.example"}, "https://x.example/" + "a" * 3_000, "http://x\u202e.example/",
]  # fmt: skip


@pytest.mark.parametrize("link", HOSTILE_LINKS, ids=repr)
def test_only_links_of_the_web_are_shown(web: Web, service: Service, link: Any) -> None:
    items = [{"title": "Bad", "link": link}, {"title": "Good", "link": "https://x.example/1"}]
    web.answers["/found"] = says({"results": items})
    fields = {"items": "results", "title": "title", "link": "link"}
    assert [answer.title for answer in ask(replace(service, fields=fields), "pump").answers] == ["Good"]


def test_how_much_is_taken_is_bounded(web: Web, service: Service) -> None:
    item = {"title": "T" * 9_000, "text": "word " * 9_000, "tags": ["n" * 90] * 90}
    items = [{**item, "link": f"https://x.example/{n}"} for n in range(12)]
    web.answers["/found"] = says({"results": items})
    answers = ask(replace(service, fields={"notes": ["tags"] * 9}), "pump").answers
    assert len(answers) == live.ANSWERS
    for answer in answers:
        assert len(answer.title) <= live.MAX_TITLE
        assert len(answer.text) <= live.MAX_TEXT
        assert len(answer.notes) <= live.MAX_NOTES
        assert all(len(note) <= 80 for note in answer.notes)


def test_texts_that_are_built_to_take_time_do_not(web: Web, service: Service) -> None:
    nasty = ["<" * 90_000, "<script>" * 12_000, "<p " * 30_000, "&" * 90_000, "\n" * 90_000, "<!--" * 20_000]
    items = [{"title": "x", "link": f"https://x.example/{n}", "text": text} for n, text in enumerate(nasty)]
    for item in items:
        web.answers["/found"] = says([item])
        assert len(ask(service, "pump").answers) == 1


def test_lone_surrogates_and_control_characters_are_dropped(web: Web, service: Service) -> None:
    body = b'[{"title": "a\\ud800b\\u0000c\\u202ed", "text": "\\udfff\\u0007x", "link": "https://x.example/"}]'
    web.answers["/found"] = says(body)
    (answer,) = ask(service, "pump").answers
    assert (answer.title, answer.text) == ("abcd", "x")


# Secrets ----------------------------------------------------------------------------------------------------------


def test_a_secret_goes_into_a_header_or_the_address_and_nowhere_else(
    web: Web, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.answers["/found"] = says([])
    closed = replace(service, secret="LIVE_SECRET_ELSEWHERE")
    assert str(trouble(closed)) == "is not set up yet"
    assert not trouble(closed).counts
    assert web.asked == []
    monkeypatch.setenv("LIVE_SECRET_ELSEWHERE", "s3cret/&")
    ask(closed, "pump")
    assert web.asked[-1][1]["Authorization"] == "Bearer s3cret/&"
    ask(replace(closed, header="X-Key: {secret}"), "pump")
    assert web.asked[-1][1]["X-Key"] == "s3cret/&"
    ask(replace(closed, address=f"{service.address}&key={{secret}}"), "pump")
    path, headers = web.asked[-1]
    assert path == "/found?q=pump&key=s3cret%2F%26"
    assert "Authorization" not in headers


def test_no_failure_tells_the_secret(web: Web, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE_SECRET_ELSEWHERE", "s3cret/&")
    address = f"{web.base}/found?q={{query}}&key={{secret}}"
    closed = replace(service, secret="LIVE_SECRET_ELSEWHERE", address=address, deadline=0.3)
    web.answers["/found"] = hanging = Hanging()
    late = trouble(closed)
    hanging.let_go.set()
    web.redirect("/found", "/found")
    for why in (late, trouble(closed), trouble(replace(closed, hosts=frozenset()))):
        assert "s3cret" not in f"{why}{why.detail}"
        assert why.detail


def test_what_is_asked_says_nothing_of_who_asks(web: Web, service: Service) -> None:
    web.answers["/found"] = says([])
    ask(service, "pump")
    ((path, headers),) = web.asked
    assert path == "/found?q=pump"
    assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}
