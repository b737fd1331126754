"""What only web sites can meet: links, robots, canonical addresses, outages, hostile sitemaps."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from knowledge.addresses import normal
from knowledge.connectors import Checkpoint, Failure, Known, SourceError, Unchanged
from knowledge.connectors import web as web_module
from knowledge.connectors.crawl import Stamp
from knowledge.connectors.web import WebConnector
from tests.contracts.connectors import Stored
from tests.contracts.web_places import MappedSite, Site
from tests.loopback import Handler, Web


@pytest.fixture
def site(web: Web) -> Site:
    return Site(web)


def keys(stored: Stored) -> set[str]:
    return {key.partition("/site/")[2] for key in stored.documents}


@pytest.mark.parametrize("make", [Site, MappedSite])
def test_a_second_sync_asks_only_for_what_changed(make: Callable[[Web], Site], web: Web) -> None:
    """Of 24 pages, 23 are answered by 304 and one by its new text."""
    site = make(web)
    for number in range(24):
        site.put(f"page-{number}", f"Page {number}", f"This is what page {number} says.")
    stored = Stored()
    stored.pull(site.connector())
    assert len(stored.documents) == 24
    assert sum(status == 200 for path, status in site.asked() if "page-" in path) == 24
    site.put("page-7", "Page 7", "Something else altogether.")
    stored.pull(site.connector())
    asked = [(path, status) for path, status in site.asked() if "page-" in path]
    assert sorted(status for _, status in asked) == [200] + [304] * 23
    assert [document.title for document in stored.told()] == ["Page 7"]
    stored.pull(site.connector())
    assert {status for path, status in site.asked() if "page-" in path} == {304}
    assert stored.told() == []


def test_without_validators_the_bytes_decide(site: Site) -> None:
    site.validators = False
    site.put("a", "A", "The words of A.")
    stored = Stored()
    stored.pull(site.connector())
    events = stored.pull(site.connector())
    assert [type(event) for event in events] == [Unchanged, Checkpoint]


def test_links_are_followed_only_as_far_and_wide_as_allowed(site: Site, web: Web) -> None:
    site.page("/site/a", "A", "one", links=("b", "../elsewhere", "https://other.example/x", "mailto:a@b.example"))
    site.page("/site/b", "B", "two", links=("c", "javascript:alert(1)", "file:///etc/passwd", "http://127.0.0.1:1/"))
    site.page("/site/c", "C", "three", links=("d",))
    site.page("/site/d", "D", "four")
    site.page("/elsewhere", "E", "outside of the folder")
    site.links = ["a"]
    site.index()
    site.options["follow"] = 3
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"a", "b", "c"}
    assert "/elsewhere" not in [path for path, _ in web.asked]
    site.options["follow"] = 1
    stored.pull(site.connector())
    assert keys(stored) == {"a"}
    site.options |= {"follow": 9, "allow": [f"{web.base}/"]}
    stored.pull(site.connector())
    assert len(stored.documents) == 5


def test_a_page_behind_an_unchanged_page_is_kept_and_a_new_one_is_found(site: Site) -> None:
    site.page("/site/a", "A", "one", links=("b",))
    site.page("/site/b", "B", "two", links=("c",))
    site.links = ["a"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"a", "b"}
    site.page("/site/c", "C", "it was linked before it was there")
    stored.pull(site.connector())
    assert keys(stored) == {"a", "b", "c"}
    del site.web.answers["/site/b"]
    stored.pull(site.connector())
    assert keys(stored) == {"a", "c"}


def test_new_links_of_a_changed_page_survive_a_killed_pull(site: Site) -> None:
    site.page("/site/a", "A", "one")
    site.links = ["a"]
    site.index()
    first = Stored()
    first.pull(site.connector())
    site.page("/site/a", "A", "one, changed", links=("new",))
    site.page("/site/new", "New", "two")
    for stop in range(4):
        cut = Stored()
        cut.documents, cut.cursor = dict(first.documents), dict(first.cursor)
        cut.pull(site.connector(), stop_after=stop)
        cut.pull(site.connector())
        assert keys(cut) == {"a", "new"}, f"killed after {stop} events"


def test_robots_and_meta_robots_are_obeyed(site: Site, web: Web) -> None:
    web.answers["/robots.txt"] = lambda handler: handler.say(200, b"User-agent: ImmersiveBot\nDisallow: /site/private")
    site.put("private", "Private", "For no robot.")
    site.put("open", "Open", "For all.")
    site.page("/site/hidden", "Hidden", "in no list", '<meta name="robots" content="noindex">', ("behind",))
    site.page("/site/behind", "Behind", "but its links count")
    site.page("/site/end", "End", "read, not followed", '<meta name="ROBOTS" content="NOFOLLOW">', ("unseen",))
    site.page("/site/unseen", "Unseen", "nobody leads here")
    site.page("/site/header", "Header", "by its header", X_Robots_Tag="noindex")
    site.links += ["hidden", "end", "header"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"open", "behind", "end"}
    assert "/site/private" not in [path for path, _ in web.asked]


def test_a_redirect_leads_neither_out_of_the_folder_nor_past_robots(site: Site, web: Web) -> None:
    web.answers["/robots.txt"] = lambda handler: handler.say(200, b"User-agent: *\nDisallow: /site/private")
    site.page("/site/private", "Private", "For no robot.")
    site.page("/other/page", "Other", "Not of this source.")
    web.redirect("/site/one", "/site/private")
    web.redirect("/site/two", "/other/page")
    site.links += ["one", "two"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert not stored.documents
    assert {"/site/one", "/site/two"} <= {path for path, _ in web.asked}
    assert not {"/site/private", "/other/page"} & {path for path, _ in web.asked}


def test_a_site_closed_to_robots_says_so(site: Site, web: Web) -> None:
    web.answers["/robots.txt"] = lambda handler: handler.say(200, b"User-agent: *\nDisallow: /")
    with pytest.raises(SourceError, match=r"robots\.txt.*Ask its owner"):
        site.connector().check()
    web.answers["/robots.txt"] = lambda handler: handler.say(503)
    with pytest.raises(SourceError, match=r"robots\.txt answers 503"):
        list(site.connector().pull(Known()))


def test_one_page_of_many_addresses_is_one_document(site: Site, web: Web) -> None:
    canonical = f'<link rel="canonical" href="{web.base}/site/leave?utm_source=mail#top">'
    site.page("/site/leave", "Leave", "Holidays.", canonical)
    site.page("/site/leave-old", "Leave", "Holidays.", canonical)
    site.page("/site/folder/", "Folder", "With its slash.")
    web.redirect("/site/folder", "/site/folder/", 301)
    web.redirect("/site/short", "/site/leave")
    site.links = ["leave-old", "short", "leave?utm_campaign=x", "leave#part", "folder", "LEAVE?fbclid=1"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"leave", "folder/"}
    site.asked()
    events = stored.pull(site.connector())
    assert {type(event) for event in events} == {Unchanged, Checkpoint}
    assert {status for path, status in site.asked() if path != "/site/"} == {304}


def test_a_canonical_address_outside_is_not_believed(site: Site) -> None:
    site.page("/site/copy", "Copy", "Ours.", '<link rel="canonical" href="https://other.example/copy">')
    site.links = ["copy"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"copy"}


def test_documents_other_than_pages_are_read_or_left(site: Site) -> None:
    site.serve("/site/plan.md", b"# The plan\n\nFirst this, then that.", "text/markdown")
    site.serve("/site/photo", b"\x89PNG" * 100_000, "image/png")
    site.serve("/site/broken.pdf", b"%PDF-1.7 and then nothing", "application/pdf")
    site.put("page", "Page", "Words.")
    site.links += ["plan.md", "photo", "broken.pdf", "picture.jpg"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"page", "plan.md"}
    assert [failure.key.rpartition("/")[2] for failure in stored.failures()] == ["broken.pdf"]
    assert "/site/picture.jpg" not in [path for path, _ in site.web.asked]


def test_an_outage_buries_nothing(site: Site, web: Web) -> None:
    for number in range(30):
        site.put(f"page-{number}", f"Page {number}", "Words.")
    stored = Stored()
    stored.pull(site.connector())
    before = stored.state()
    for status, match in ((503, "in a row"), (403, "more than half")):
        for number in range(30):
            web.answers[f"/site/page-{number}"] = lambda handler, status=status: handler.say(status)
        with pytest.raises(SourceError, match=match):
            list(site.connector().pull(stored.known()))
    for number in range(30):
        web.redirect(f"/site/page-{number}", "/site/sign-in")
    site.page("/site/sign-in", "Sign in", "Who are you?")
    with pytest.raises(SourceError, match="lead to one and the same"):
        list(site.connector().pull(stored.known()))
    web.answers[site.start] = lambda handler: handler.say(502)
    with pytest.raises(SourceError, match="answers 502"):
        list(site.connector().pull(stored.known()))
    assert stored.state() == before


def test_a_few_failures_leave_what_is_stored(site: Site, web: Web) -> None:
    for number in range(12):
        site.put(f"page-{number}", f"Page {number}", "Words.")
    stored = Stored()
    stored.pull(site.connector())
    for number in (2, 5, 8):
        site.spoil(f"page-{number}")
    stored.pull(site.connector())
    assert len(stored.failures()) == 3
    assert len(stored.documents) == 12


def test_a_redirect_inside_the_network_is_a_line_in_the_report(site: Site, web: Web) -> None:
    site.put("page", "Page", "Words.")
    web.redirect("/site/trap", "http://169.254.169.254/latest/meta-data/")
    web.redirect("/site/file", "file:///etc/passwd")
    site.links += ["trap", "file"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"page"}
    assert [failure.key.rpartition("/")[2] for failure in stored.failures()] == ["trap", "file"]
    assert "FETCH_ALLOW" in stored.failures()[0].reason


def test_too_many_pages_are_told(site: Site) -> None:
    for number in range(8):
        site.put(f"page-{number}", f"Page {number}", "Words.")
    site.options["max_pages"] = 5
    stored = Stored()
    stored.pull(site.connector())
    assert len(stored.documents) == 4  # and the start page, which is in no list
    assert "max_pages" in stored.failures()[0].reason


def test_a_site_without_end_ends(site: Site, web: Web) -> None:
    """A calendar that always links to the next day."""

    def answer(handler: Handler) -> None:
        day = int(handler.path.rpartition("=")[2])
        body = f"<title>Day {day}</title><main>Nothing.</main><a href='/site/calendar?day={day + 1}'>next</a>"
        handler.say(200, body.encode(), Content_Type="text/html")

    web.answers["/site/calendar"] = answer
    site.links = ["calendar?day=1"]
    site.index()
    stored = Stored()
    stored.pull(site.connector())
    assert len(stored.documents) == web_module.MAX_FOLLOW


def test_options_and_addresses_are_checked(web: Web) -> None:
    for address in ("ftp://a.example/", "handbook", "http://u:p@a.example/", "file:///etc/passwd"):
        with pytest.raises(SourceError, match="web address"):
            WebConnector(address, {})
    with pytest.raises(SourceError, match="allow"):
        WebConnector("http://a.example/", {"allow": ["nonsense"]})
    with pytest.raises(SourceError, match="numbers"):
        WebConnector("http://a.example/", {"delay": "soon"})
    with pytest.raises(SourceError, match="FETCH_ALLOW"):
        WebConnector("http://127.0.0.2/", {}).check()
    web.redirect("/site/", "https://www.other.example/")
    with pytest.raises(SourceError, match="another host"):
        WebConnector(f"{web.base}/site/", {"delay": 0}).check()
    web.redirect("/site/", "/sign-in")
    web.answers["/sign-in"] = lambda handler: handler.say(200, b"<title>Who are you?</title>")
    with pytest.raises(SourceError, match="Use that as"):
        list(WebConnector(f"{web.base}/site/", {"delay": 0}).pull(Known()))


def test_addresses_have_one_spelling() -> None:
    assert normal("HTTP://A.Example:80") == "http://a.example/"
    assert normal("https://a.example/x?utm_source=m&b=2&fbclid=3&a=1#part") == "https://a.example/x?b=2&a=1"
    assert normal("https://a.example/büro und") == "https://a.example/b%C3%BCro%20und"
    assert normal("https://bücher.example/") == "https://xn--bcher-kva.example/"
    assert normal("https://a.example/x/") != normal("https://a.example/x")
    assert [normal(url) for url in ("mailto:a@b.example", "//a.example/", "http://", "http://a.example:x/", "")] == [
        ""
    ] * 5
    assert Stamp.read("nonsense") is None
    stamp = Stamp(2, "abc", 'e"x y"')
    assert Stamp.read(str(stamp)) == stamp


def test_long_silence_sends_a_heartbeat(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that give no document still keep the lease of whoever stores the events."""
    monkeypatch.setattr(web_module, "HEARTBEAT", 0.0)
    site.links = [f"missing-{number}" for number in range(3)]
    site.index()
    events = list(site.connector().pull(Known()))
    assert len(events) > 3
    assert {type(event) for event in events} == {Checkpoint}
    assert isinstance(events[-1], Checkpoint)
    assert events[-1].cursor["complete"]


# Sitemaps ---------------------------------------------------------------------------------------------------------


def index_of(*addresses: str) -> bytes:
    parts = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{parts}</sitemapindex>'.encode()


def list_of(*addresses: str) -> bytes:
    parts = "".join(f"<url><loc>{address}</loc><lastmod>2026-03-04</lastmod></url>" for address in addresses)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{parts}</urlset>'.encode()


def test_a_sitemap_of_sitemaps_packed_and_plain(web: Web) -> None:
    site = MappedSite(web)
    for name in ("a", "b", "c"):
        site.page(f"/site/{name}", name.upper(), f"The words of {name}.")
    base = f"{web.base}/site"
    site.serve("/site/sitemap.xml", index_of(f"{base}/one.xml.gz", f"{base}/two.txt", f"{base}/sitemap.xml"))
    site.serve("/site/one.xml.gz", gzip.compress(list_of(f"{base}/a", f"{base}/b")), "application/gzip")
    site.serve("/site/two.txt", f"{base}/c\nhttps://other.example/d\nnonsense\n".encode(), "text/plain")
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"a", "b", "c"}
    assert next(iter(stored.documents.values())).updated == datetime(2026, 3, 4, tzinfo=UTC)


def test_a_part_of_the_sitemap_that_fails_buries_nothing(web: Web) -> None:
    site = MappedSite(web)
    site.serve("/site/sitemap.xml", index_of(f"{web.base}/site/part.xml"))
    web.answers["/site/part.xml"] = lambda handler: handler.say(500)
    with pytest.raises(SourceError, match="answers 500"):
        list(site.connector().pull(Known({"x": "1"})))
    site.serve("/site/sitemap.xml", list_of())
    with pytest.raises(SourceError, match="lists no page"):
        list(site.connector().pull(Known({"x": "1"})))


def test_a_damaged_sitemap_is_read_in_part_and_buries_nothing(web: Web) -> None:
    site = MappedSite(web)
    site.page("/site/a", "A", "Words.")
    site.serve("/site/sitemap.xml", list_of(f"{web.base}/site/a", f"{web.base}/site/b")[:-40])
    connector = site.connector()
    events = list(connector.pull(Known()))
    assert not connector.lists_everything
    assert any(isinstance(event, Failure) and "damaged" in event.reason for event in events)


@pytest.mark.parametrize("attack", ["entities", "file", "packed"])
def test_hostile_sitemaps_harm_nothing(attack: str, web: Web) -> None:
    site = MappedSite(web)
    site.page("/site/a", "A", "Words.")
    body = list_of(f"{web.base}/site/a")
    if attack == "packed":
        body = gzip.compress(b"<urlset>" + b" " * 80_000_000, 1)
        web.redirect("/site/sitemap.xml", "/site/sitemap.xml.gz")
        site.serve("/site/sitemap.xml.gz", body, "application/gzip")
        with pytest.raises(SourceError, match="60 MB"):
            site.connector().check()
        return
    inner = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    kind = f'<!ENTITY e0 "ha">{inner}' if attack == "entities" else '<!ENTITY e9 SYSTEM "file:///etc/passwd">'
    body = b"<!DOCTYPE x [" + kind.encode() + b"]>" + body.replace(b"</urlset>", b"<url><loc>&e9;</loc></url></urlset>")
    site.serve("/site/sitemap.xml", body, "application/xml")
    stored = Stored()
    stored.pull(site.connector())
    assert keys(stored) == {"a"}
