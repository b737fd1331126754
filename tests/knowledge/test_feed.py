"""What only feeds can meet: three formats, damage, silence, feeds that never end."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from knowledge.connectors import Known, SourceError
from knowledge.connectors.feed import FeedConnector
from tests.contracts.connectors import Stored
from tests.contracts.web_places import Feed
from tests.loopback import Handler, Web

RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Talks &amp; films</title><language>en-gb</language>
<item><title>How &lt;b&gt;waves&lt;/b&gt; work</title><link>/talks/1</link><guid isPermaLink="false">talk-1</guid>
<description>&lt;p&gt;Waves &lt;script&gt;alert(1)&lt;/script&gt;carry energy.&lt;/p&gt;
&lt;h2&gt;More&lt;/h2&gt;&lt;p&gt;Much more.&lt;/p&gt;</description>
<category>Physics</category><category>Sea</category><dc:creator>Ben Oke</dc:creator>
<pubDate>Mon, 04 May 2026 08:00:00 +0200</pubDate>
<enclosure url="https://media.example/1.mp4" type="video/mp4" length="1"/>
<itunes:duration>1:02:10</itunes:duration></item>
<item><link>https://talks.example/2</link><description>No title, no id, but a link.</description></item>
<item><title>Hostile link</title><guid>javascript:alert(1)</guid><description>x</description></item>
<item><title>Nothing to hold on to</title></item>
</channel></rss>"""


def test_an_rss_feed_gives_all_that_it_says(web: Web) -> None:
    feed = Feed(web)
    feed.say(RSS.encode())
    stored = Stored()
    stored.pull(feed.connector())
    film = stored.documents["talk-1"]
    assert (film.title, film.kind, film.language) == ("How waves work", "video", "en")
    assert film.url == f"{web.base}/talks/1"
    assert film.topics == ("Physics", "Sea")
    assert film.facts == {"duration_minutes": 62}
    assert film.created == datetime(2026, 5, 4, 6, tzinfo=UTC)
    assert [one.name for one in film.contributions] == ["Ben Oke"]
    assert "carry energy" in film.body
    assert "## More" in film.body
    assert "alert" not in film.body
    linked = stored.documents["https://talks.example/2"]
    assert linked.title == "No title, no id, but a link."
    assert stored.documents["javascript:alert(1)"].url == ""
    assert [failure.key for failure in stored.failures()] == ["entry 4: Nothing to hold on to"]


def test_an_unchanged_feed_costs_one_small_answer(web: Web) -> None:
    feed = Feed(web)
    feed.put("a", "A", "Words.")
    stored = Stored()
    stored.pull(feed.connector())
    assert stored.pull(feed.connector()) == []
    assert feed.requests == [200, 304]
    assert len(list(feed.connector().pull(Known({}, stored.cursor)))) == 2  # nothing stored: nothing to be unchanged


def test_a_feed_with_a_failing_entry_is_read_again(web: Web) -> None:
    feed = Feed(web)
    feed.put("a", "A", "Words.")
    feed.spoil("b")
    stored = Stored()
    for _ in range(2):
        stored.pull(feed.connector())
        assert len(stored.failures()) == 1
    assert feed.requests == [200, 200]


@pytest.mark.parametrize(
    ("status", "cure"),
    [(500, "next sync"), (404, "check the address"), (403, "sign-in"), (304, "browser"), (204, "browser")],
)
def test_a_feed_that_answers_otherwise_says_the_cure(status: int, cure: str, web: Web) -> None:
    web.answers["/feed"] = lambda handler: handler.say(status)
    with pytest.raises(SourceError, match=f"answers {status}.*{cure}"):
        list(FeedConnector(f"{web.base}/feed", {}).pull(Known()))


def test_a_feed_that_never_ends_is_cut(web: Web) -> None:
    def endless(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n<rss version='2.0'><channel>")
        while True:
            handler.wfile.write(b"<item><title>again</title><link>http://a.example/</link></item>" * 1000)

    web.answers["/feed"] = endless
    with pytest.raises(SourceError, match="larger than 20 MB"):
        list(FeedConnector(f"{web.base}/feed", {}).pull(Known()))


def test_a_damaged_feed_is_read_as_far_as_it_goes(web: Web) -> None:
    feed = Feed(web)
    for name in ("a", "b", "c"):
        feed.put(name, f"Title {name}", "Words.")
    feed.say(feed.write().encode()[:-120])
    stored = Stored()
    stored.pull(feed.connector())
    assert {"urn:a", "urn:b"} <= set(stored.documents)


def test_what_is_no_feed_says_where_one_may_be(web: Web) -> None:
    feed = Feed(web)
    feed.say(b"<!doctype html><title>Blog</title><link rel='alternate' type='application/rss+xml' href='/blog.rss'>")
    with pytest.raises(SourceError, match=r"no feed.*/blog\.rss"):
        feed.connector().check()
    for body in (b"", b"{", b"[]", b'{"items": 3}', b"\x00\xff" * 100):
        feed.say(body)
        with pytest.raises(SourceError, match="no feed"):
            feed.connector().check()


def test_an_entity_bomb_in_a_feed_harms_nothing(web: Web) -> None:
    inner = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    feed = Feed(web)
    feed.say(f'<!DOCTYPE x [<!ENTITY e0 "ha">{inner}]>{feed.write().replace("The house", "&e9;")}'.encode())
    stored = Stored()
    with suppress(SourceError):  # read without the bomb, or refused: either will do
        stored.pull(feed.connector())
    assert all(len(document.body) < 1000 for document in stored.told())
