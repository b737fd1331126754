"""Home, search and resource pages over HTTP: what they say, to whom, in how many queries and bytes."""

from __future__ import annotations

import gzip
import html
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import django_htmx
import pytest
from django.conf import LazySettings
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from immersive.work.actions import start_task
from knowledge.documents import Document
from knowledge.models import Click, Resource, Search
from tests import small_company

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent
REMEMBERED = 3
"""Queries that write a `Search` row: within the answer in tests, after it where people work."""
RAIL = 3
"""Queries for the people beside the results: who worked on them, what is said of the topics, who they are."""
HTMX = {"HX-Request": "true"}


@pytest.fixture
def people(settings: LazySettings, make_person: Callable[..., Any]) -> dict[str, Any]:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    return {
        "ana": make_person("ana", name="Ana Ferreira", role="Shift engineer", email="ana@example.org"),
        "ben": make_person("ben", name="Ben Okafor", email="ben@example.org"),
        "cleo": make_person("cleo", name="Cléo Martin", email="cleo@example.org"),
    }


@pytest.fixture
def found(people: dict[str, Any], django_capture_on_commit_callbacks: Any) -> dict[str, Any]:
    """The company's resources by key, in the index, their authors known."""
    with django_capture_on_commit_callbacks(execute=True):
        resources = small_company.build(people)
    small_company.index()
    return resources


@pytest.fixture
def ana(client: Client, people: dict[str, Any]) -> Client:
    client.force_login(people["ana"])
    return client


@pytest.fixture
def ben(people: dict[str, Any]) -> Client:
    client = Client()
    client.force_login(people["ben"])
    return client


def text_of(response: Any) -> str:
    """What stands on a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# Search ---------------------------------------------------------------------------------------------------------


def test_search_shows_where_what_why_and_whether_to_trust_it(ana: Client, found: dict[str, Any]) -> None:
    response = ana.get("/search", {"q": "priming"})
    said = text_of(response)
    assert "Handbook › Operations › Pumps" in said
    assert "<mark>Priming</mark> a feed pump" in response.content.decode()
    assert "Verified by Ben Okafor until 14 March 2099" in said
    assert "Updated 2 weeks ago" in said


def test_search_without_words_explains_the_language(ana: Client) -> None:
    assert "Type what you are working on" in text_of(ana.get("/search"))
    assert "Type what you are working on" in text_of(ana.get("/search", {"q": "  \n"}))


@pytest.mark.parametrize(
    ("query", "understood", "way_on"),
    [("-pump", "Only words to leave out", 'href="?q=pump"'), ('-"feed pump" -seal', "Only words to leave out",
     'href="?q=seal%20feed%20pump"'), ("!!! ??? ---", "There is no word", 'href="/"')],
)  # fmt: skip
def test_a_search_without_words_to_find_says_how_it_was_read(
    ana: Client, found: dict[str, Any], query: str, understood: str, way_on: str
) -> None:
    response = ana.get("/search", {"q": query})
    assert understood in text_of(response)
    assert way_on in response.content.decode()
    assert "Type what you are working on" not in text_of(response)


def test_a_very_long_search_says_what_was_read_and_keeps_every_word(ana: Client, found: dict[str, Any]) -> None:
    words = " ".join(f"word{n}" for n in range(1200))
    response = ana.get("/search", {"q": words})
    assert "its first 64 words were searched for" in text_of(response)
    assert f'value="{words}"' in response.content.decode()
    shown = re.search(r"Nothing found for (.+?) in what", text_of(response))
    assert shown
    assert len(shown[1]) < 130


def test_an_empty_result_is_a_way_on(ana: Client, found: dict[str, Any]) -> None:
    response = ana.get("/search", {"q": "xylophone kind:tool"})
    assert "Nothing found for “xylophone kind:tool”" in text_of(response)
    assert "Take a filter away" in text_of(response)
    assert '/tasks/new?q=xylophone"' in response.content.decode()


def test_boxes_become_operators_and_the_address_says_the_whole_search(ana: Client, found: dict[str, Any]) -> None:
    boxes = {"q": "pump source:Nowhere", "narrow": "1", "kind": ["page", "tool"], "topic": "Shift handover", "age": ""}
    response = ana.get("/search", boxes)
    assert response.status_code == 302
    assert response["Location"] == "/search?" + urlencode({"q": 'pump kind:page kind:tool topic:"Shift handover"'})
    followed = ana.get(response["Location"]).content.decode()
    assert re.search(r'value="page" checked', followed)
    assert "Writing a shift log" in followed


def test_freshness_rewrites_the_date_and_leaves_typed_dates_alone(ana: Client) -> None:
    year_ago = timezone.localdate() - timedelta(days=365)
    boxes = {"q": "pump after:2020-01-01", "narrow": "1"}
    assert f"after%3A{year_ago}" in ana.get("/search", {**boxes, "age": "year"})["Location"]
    assert "after%3A2020-01-01" in ana.get("/search", {**boxes, "age": "keep"})["Location"]
    assert ana.get("/search", {**boxes, "age": ""})["Location"] == "/search?q=pump"


def test_htmx_gets_the_results_alone_and_the_address_to_show(ana: Client, found: dict[str, Any]) -> None:
    response = ana.get("/search", {"q": "pump", "narrow": "1", "kind": "tool"}, headers=HTMX)
    assert response["HX-Push-Url"] == "/search?q=pump+kind%3Atool"
    assert "<html" not in response.content.decode()
    assert "ValveView" in text_of(response)
    assert "Inspection round" not in text_of(response)


@pytest.mark.parametrize(
    "query",
    ["x" * 10_000, "!!! ??? ---", '"unbalanced', "kind:", "kind:nothing", "after:yesterday", "\x00", "*", "[a TO b]",
     "a OR b AND NOT", "\u202eabc", "😀 🚀", "by:\"", "-", "--pump", "1e999 0x41"],
    ids=lambda query: repr(query[:12]),
)  # fmt: skip
def test_no_query_breaks_the_page(ana: Client, found: dict[str, Any], query: str) -> None:
    assert ana.get("/search", {"q": query}).status_code == 200
    assert ana.get("/search", {"q": query, "narrow": "1", "kind": query, "age": query}).status_code == 302


@pytest.mark.parametrize("page", ["0", "-1", "999999999999", "two", "", "²"])
def test_odd_page_numbers_show_a_page(ana: Client, found: dict[str, Any], page: str) -> None:
    assert "result" in text_of(ana.get("/search", {"q": "pump", "page": page}))


def test_the_pager_keeps_the_search(ana: Client, found: dict[str, Any]) -> None:
    page = ana.get("/search", {"q": "pump kind:page"}).content.decode()
    assert re.search(r"\?q=pump\+kind%3Apage&amp;s=[0-9a-f]{32}&amp;page=2", page)


def test_what_is_opened_from_a_further_page_is_of_the_same_search(
    ana: Client, found: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("immersive.views.PER_PAGE", 2)
    first = ana.get("/search", {"q": "pump"}).content.decode()
    (further,) = {html.unescape(each) for each in re.findall(r'href="([^"]+page=2)"', first)}
    second = ana.get(f"/search{further}").content.decode()
    opened = [html.unescape(each) for each in re.findall(r'href="(/r/[^"]+)" data-main', second)]
    ana.get(opened[0].partition("#")[0])
    assert list(Click.objects.values_list("search__text", "rank")) == [("pump", 3)]
    assert Search.objects.filter(text="pump").count() == 1


def test_a_restricted_page_shows_nowhere_to_outsiders(ana: Client, ben: Client, found: dict[str, Any]) -> None:
    for address in ("/search?q=zyxwv", "/search?q=salary+bands", "/"):
        assert "Salary bands" in ana.get(address).content.decode() or address == "/"
        said = ben.get(address).content.decode()
        assert "Salary bands" not in said
        assert "Operations only" not in said


# Resources ------------------------------------------------------------------------------------------------------


def test_a_page_is_read_where_it_was_found_with_who_can_help(ana: Client, found: dict[str, Any]) -> None:
    response = ana.get(found["pump"].get_absolute_url())
    html, said = response.content.decode(), text_of(response)
    assert html.count("<h1") == 1
    assert '<h2 id="s-before-you-begin">Before you begin</h2>' in html
    assert "Ana Ferreira" in said
    assert "Wrote most of it, 9 changes" in said
    assert 'rel="noopener noreferrer">Open the original' in html
    assert f"/tasks/new?from={found['pump'].public_id}" in html
    assert 'href="/topics/pumps/"' in html


def test_a_name_that_nobody_bears_is_told_as_it_is(ana: Client, found: dict[str, Any]) -> None:
    assert "Written by An Unknown Hand" in text_of(ana.get(found["log"].get_absolute_url()))


def test_kinds_tell_what_only_they_have(ana: Client, found: dict[str, Any]) -> None:
    assert "find which valve feeds a pump" in text_of(ana.get(found["valveview"].get_absolute_url()))
    course = text_of(ana.get(found["hydraulics"].get_absolute_url()))
    assert "Takes 2 days" in course
    assert "Next date" in course
    assert "€ 420" in course


def test_a_link_that_is_not_http_is_no_link(ana: Client, found: dict[str, Any]) -> None:
    Resource.objects.filter(pk=found["pump"].pk).update(url="javascript:alert(1)")
    assert "Open the original" not in ana.get(found["pump"].get_absolute_url()).content.decode()


def test_a_very_long_body_is_cut_and_says_so(ana: Client, found: dict[str, Any]) -> None:
    Resource.objects.filter(pk=found["pump"].pk).update(body="word " * 40_000)
    response = ana.get(found["pump"].get_absolute_url())
    assert "This is the beginning" in text_of(response)
    assert len(response.content) < 150_000


def test_hidden_is_absent_to_the_byte(ana: Client, ben: Client, found: dict[str, Any]) -> None:
    nowhere = f"/r/{uuid4()}"
    hidden = ben.get(found["secret"].get_absolute_url())
    absent = ben.get(nowhere)
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.content == absent.content == ana.get(nowhere).content
    assert dict(hidden.headers) == dict(absent.headers)
    assert ana.get(found["secret"].get_absolute_url()).status_code == 200


def test_opening_a_result_is_remembered_for_its_searcher_only(
    ana: Client, ben: Client, people: dict[str, Any], found: dict[str, Any]
) -> None:
    mine = Search.objects.create(person=people["ana"], text="priming", total=1)
    address = f"{found['pump'].get_absolute_url()}?s={mine.public_id.hex}&n=3"
    said = text_of(ana.get(address))
    assert "Results for “priming”" in said
    ana.get(address)
    assert list(Click.objects.values_list("search__text", "rank")) == [("priming", 3)]
    assert "priming" not in text_of(ben.get(address)).replace("Priming", "")
    assert Click.objects.count() == 1


@pytest.mark.parametrize(
    "tail", ["?s=x&n=y", "?s=&n=", "?s=0f8b4b5e-95c0-4f6f-8f0e-2f6f3c1d7a10&n=-1", "?n=9999999999999", "?s=%00"]
)
def test_odd_tails_of_an_address_change_nothing(ana: Client, found: dict[str, Any], tail: str) -> None:
    assert ana.get(found["pump"].get_absolute_url() + tail).status_code == 200
    assert not Click.objects.exists()


def test_a_person_found_leads_to_their_own_page(ana: Client, people: dict[str, Any], found: dict[str, Any]) -> None:
    who = Document("ben", "Ben Okafor", kind="person", facts={"person": str(people["ben"].public_id)})
    small_company.source_of("People", [who])
    row = Resource.objects.get(kind="person")
    assert ana.get(row.get_absolute_url())["Location"] == people["ben"].get_absolute_url()


# Home -----------------------------------------------------------------------------------------------------------


def test_home_shows_what_changed_and_what_i_searched(
    ana: Client, ben: Client, people: dict[str, Any], found: dict[str, Any]
) -> None:
    for text in ("first words", "second words", "first words"):
        Search.objects.create(person=people["ana"], text=text, total=1)
    said = text_of(ana.get("/"))
    assert said.index("Changing a mechanical seal") < said.index("Priming a feed pump")
    assert said.count("first words") == 1
    assert said.index("first words") < said.index("second words")
    assert "words" not in text_of(ben.get("/")).replace("In your own words", "").replace("in your own words", "")


def test_a_newcomer_is_told_what_will_be_there(ana: Client) -> None:
    said = text_of(ana.get("/"))
    assert "As soon as a source is connected" in said
    assert "shown to nobody else" in said


# The frame ------------------------------------------------------------------------------------------------------


def test_the_theme_goes_round_and_comes_back(client: Client) -> None:
    chosen = []
    for _ in range(4):
        response = client.post("/theme", {"next": "/sign-in?next=/"})
        assert response["Location"] == "/sign-in?next=/"
        chosen.append(response.cookies["theme"].value)
    assert chosen == ["light", "dark", "", "light"]
    assert 'data-theme="light"' in client.get("/sign-in").content.decode()


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "evil",
     "/\n/evil.example", "///evil.example", "\\\\evil.example", "http:evil.example"],
)  # fmt: skip
def test_the_theme_leads_nowhere_else(client: Client, back: str) -> None:
    assert client.post("/theme", {"next": back})["Location"] == "/"


def test_the_theme_is_changed_by_a_form_of_this_site_only(people: dict[str, Any]) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.get("/theme").status_code == 405
    refused = strict.post("/theme", {"next": "/"})
    assert refused.status_code == 403
    assert "Please send that again" in text_of(refused)


def test_every_answer_to_somebody_signed_in_stays_private(ana: Client, found: dict[str, Any]) -> None:
    for address in ("/", "/search?q=pump", found["pump"].get_absolute_url(), "/patterns", "/tasks/", "/r/none"):
        response = ana.get(address)
        assert {"private", "no-store"} <= {part.strip() for part in response["Cache-Control"].split(",")}, address
        assert response["Referrer-Policy"] == "same-origin"
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]


def test_signing_in_and_out(client: Client, people: dict[str, Any]) -> None:
    assert client.get("/")["Location"] == "/sign-in?next=/"
    refused = client.post("/sign-in", {"username": "ana", "password": "wrong"})
    assert "correct" in text_of(refused)
    allowed = client.post("/sign-in?next=/tasks/", {"username": "ana", "password": "correct horse"})
    assert allowed["Location"] == "/tasks/"
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert client.get("/").status_code == 302


def test_a_failure_says_so_without_details(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("immersive.views.changed_lately", lambda viewer: 1 / 0)
    ana.raise_request_exception = False
    response = ana.get("/")
    assert response.status_code == 500
    assert "Something broke on our side" in text_of(response)
    assert "ZeroDivision" not in response.content.decode()


def test_a_failure_keeps_the_theme_that_was_chosen(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("immersive.views.changed_lately", lambda viewer: 1 / 0)
    ana.raise_request_exception = False
    ana.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in ana.get("/").content.decode()
    refused = ana.get("/", headers={"host": "elsewhere.example"})
    assert refused.status_code == 400
    assert "was not understood" in text_of(refused)
    assert 'data-theme="dark"' in refused.content.decode()


def test_browsers_find_the_mark_where_they_look_for_it(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/immersive/mark.svg"


def test_health_asks_nothing_of_the_database(client: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get("/health").content == b"ok"
    assert len(asked) == 0


# What it costs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "most"), [("home", 13), ("search", 7 + RAIL + REMEMBERED), ("resource", 14)])
def test_pages_ask_the_database_a_fixed_number_of_times(
    ana: Client, people: dict[str, Any], found: dict[str, Any], name: str, most: int
) -> None:
    for n in range(3):
        start_task(owner=people["ana"], statement=f"Prime pump {n}", started_from=found["pump"])
    address = {"home": "/", "search": "/search?q=pump", "resource": found["pump"].get_absolute_url()}[name]
    ana.get(address)
    with CaptureQueriesContext(connection) as asked:
        ana.get(address)
    assert len(asked) == most, "\n".join(query["sql"][:160] for query in asked)


def test_the_search_page_weighs_at_most_sixty_kilobytes(ana: Client, found: dict[str, Any]) -> None:
    """HTML, style, scripts and icons, compressed as they are sent; ``-9`` of gzip is above what brotli makes."""
    sent = ana.get("/search", {"q": "pump"}, headers={"accept-encoding": "gzip"})
    assert sent["Content-Encoding"] == "gzip"
    files = set(re.findall(r'(?:href|src)="/static/([^"#]+)', gzip.decompress(sent.content).decode()))
    assert {"immersive/app.js", "immersive/components.css", "immersive/icons.svg"} <= files
    weights = {"html": len(sent.content)}
    for name in files:
        path = finders.find(name)
        assert path, name
        weights[name] = len(gzip.compress(Path(path).read_bytes(), 9))
    assert sum(weights.values()) <= 60_000, weights


def test_htmx_is_the_one_that_the_policy_allows() -> None:
    """Version 2, minified, told to evaluate nothing and to write no style."""
    assert (Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js").is_file()
    base = (ROOT / "templates/base.html").read_text()
    for setting in ('"allowEval":false', '"includeIndicatorStyles":false', '"allowScriptTags":false',
                    '"selfRequestsOnly":true', '"historyCacheSize":0'):  # fmt: skip
        assert setting in base


# The house's own rules about templates --------------------------------------------------------------------------


def test_no_template_takes_text_as_html() -> None:
    careless = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if re.search(r"\|\s*safe\b|autoescape\s+off|\|\s*safeseq", path.read_text())
    ]
    assert careless == [], "a Result has filters of its own: found_title, found_passage"


def test_every_icon_that_is_named_is_drawn() -> None:
    drawn = set(re.findall(r'id="i-([a-z]+)"', (ROOT / "static/immersive/icons.svg").read_text()))
    named = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'(?:\bicon |icon_name=)"([a-z]+)"', path.read_text())
    }
    from immersive.samples import ICONS
    from immersive.templatetags.house import KINDS

    named |= {icon for _, icon in KINDS.values()}
    assert named <= drawn
    assert set(ICONS) == drawn, "the pattern page shows every icon"


def test_raw_colours_stand_in_one_file() -> None:
    for path in (ROOT / "static/immersive").glob("*.css"):
        raw = re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)\(", path.read_text())
        assert not raw or path.name == "tokens.css", f"{path.name}: {raw}"
