"""Passages on the search page over HTTP: their places lead somewhere, copies fold, and a stranger's text stays text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from immersive.templatetags.house import original_at
from knowledge.documents import Document, Passage
from tests import small_company
from tests.small_company import days_ago, handbook, source_of

pytestmark = pytest.mark.django_db

HOSTILE = """Words.

## <img src=x onerror=alert(1)> & "quoted" zyxhead

The zyxword stands in `<b>code</b>` and in | a <i>cell</i> |.
"""


@pytest.fixture
def client_of(client: Client, settings: LazySettings, make_person: Callable[..., Any]) -> Client:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    pump = next(page for page in handbook() if page.key == "pump")
    source_of("Handbook", handbook())
    source_of("Archive", [
        Document("old-pump", "Priming a feed pump, 2019", pump.body + "\nKept as it was.", crumbs=("Old",),
                 updated=days_ago(2500)),
        Document("manual", "Manual of the P-101", "Contents.\n\n\fThe zyxvalve is shown in figure 2.",
                 "https://files.example.org/p101.pdf"),
        Document("film", "The valve, filmed", "00:05 Hello.\n04:10 Now the zyxvalve is closed.", kind="video",
                 url="https://www.youtube.com/watch?v=abc"),
        Document("hostile", "Hostile", HOSTILE),
    ])  # fmt: skip
    small_company.index()
    client.force_login(make_person("ana"))
    return client


def results(client: Client, query: str) -> list[str]:
    page = client.get("/search", {"q": query}).content.decode()
    return re.findall(r'<li class="result.*?(?=<li class="result|</ol>)', page, re.S)


def test_a_passage_links_to_its_heading_on_the_page_that_opens(client_of: Client) -> None:
    first = next(one for one in results(client_of, "P-102 22") if "Priming a feed pump" in one)
    found = re.search(r'<a class="result-place" href="([^"]+)">(.*?)</a>', first, re.S)
    assert found
    address, anchor = html.unescape(found[1]).split("#", 1)
    assert found[2].strip() == "Filling the casing"
    assert anchor.startswith("s-filling-the-casing:~:text=")
    opened = client_of.get(address).content.decode()
    assert 'id="s-filling-the-casing"' in opened
    assert "P%2D102" in anchor
    assert "<mark>P-102</mark>, <mark>P</mark>-103 · <mark>22</mark> · 6" in first, "a row of a table shows its cells"


def test_a_result_without_headings_opens_at_the_text(client_of: Client) -> None:
    first = next(one for one in results(client_of, "collar loosen") if "Changing a mechanical seal" in one)
    link = re.search(r'<h2 class="result-title"><a href="([^"]+)"', first)
    assert link
    said = unquote(urlsplit(html.unescape(link[1])).fragment)
    assert said.startswith(":~:text=Mark the position of the")


def test_copies_fold_under_one_result_and_are_counted(client_of: Client) -> None:
    page = client_of.get("/search", {"q": "leaking foot"}).content.decode()
    assert '<b class="num">2 results</b>' in page
    assert len(results(client_of, "leaking foot")) == 1
    assert re.search(r"<summary>1 more like this", page)
    alike = re.search(r'<details class="result-alike">.*?</details>', page, re.S)
    assert alike
    assert "Archive › Old" in alike[0]
    link = re.search(r'<a href="([^"]+)"', alike[0])
    assert link
    assert client_of.get(html.unescape(link[1])).status_code == 200


def test_a_page_and_a_second_are_named_and_lead_into_the_original(client_of: Client) -> None:
    found = "".join(results(client_of, "zyxvalve"))
    assert '<b class="num">page 2</b>' in found
    assert 'href="https://files.example.org/p101.pdf#page=2" rel="noopener noreferrer">Original at page 2' in found
    assert '<b class="num">4:10</b>' in found
    assert "https://www.youtube.com/watch?v=abc&amp;t=250" in found
    assert "Now the <mark>zyxvalve</mark> is closed." in found


def test_a_heading_and_code_of_a_stranger_stay_text(client_of: Client) -> None:
    found = "".join(results(client_of, "zyxword"))
    assert "<img" not in found
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quoted&quot; zyxhead" in found
    assert "<code>&lt;b&gt;code&lt;/b&gt;</code>" in found
    place = re.search(r'class="result-place" href="[^"#]+#([^"]+)"', found)
    assert place
    assert re.fullmatch(r"[\w.%,:=~-]+", place[1])


@pytest.mark.parametrize(
    ("url", "there", "leads"),
    [
        ("https://a.example/b.pdf#x", "page=3", "https://a.example/b.pdf#page=3"),
        ("https://youtu.be/abc", "t=61", "https://youtu.be/abc?t=61"),
        ("https://vimeo.example/1", "t=61", "https://vimeo.example/1#t=61"),
        ("javascript:alert(1)", "page=3", ""),
        ("https://a.example/b", "", "https://a.example/b"),
    ],
)
def test_addresses_into_an_original(url: str, there: str, leads: str) -> None:
    assert original_at(url, Passage("", there=there)) == leads


def test_the_api_says_the_same(client_of: Client) -> None:
    said = client_of.get("/api/v1/search", {"q": "leaking foot"}).json()
    assert said["total"] == 2
    (one,) = said["results"]
    assert one["passages"][0]["html"] == one["passage"]
    assert one["passages"][0]["place"].startswith("s-when-it-does-not-hold:~:text=")
    assert [alike["title"] for alike in one["similar"]] == ["Priming a feed pump, 2019"]
