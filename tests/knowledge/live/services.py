"""Services outside as real servers on loopback: each answers as its kind does, or as nobody should."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from django.core.cache.backends.locmem import LocMemCache

from knowledge.access import Viewer
from knowledge.index.language import parse
from knowledge.live import Said, ask_all
from knowledge.live_sources import visible_to
from tests.loopback import Answer, Handler, Web

QUESTIONS: dict[str, Any] = {
    "items": [
        {
            "question_id": 11,
            "title": "Why does the feed pump lose its &quot;prime&quot; overnight?",
            "link": "https://qa.example/q/11",
            "body": "<p>The <b>pump</b> is dry &amp; hums.</p><pre><code>if x &lt; 3: prime()</code></pre>",
            "answer_count": 2,
            "accepted_answer_id": 12,
            "last_activity_date": 1_760_000_000,
            "owner": {"display_name": "R&#252;ya"},
        },
        {"question_id": 13, "title": "Pump oil", "link": "https://qa.example/q/13", "answer_count": 1, "owner": None},
    ],
    "has_more": True,
    "quota_remaining": 297,
}
PAGES: dict[str, Any] = {
    "batchcomplete": True,
    "query": {
        "general": {"server": "//wiki.example", "articlepath": "/wiki/$1"},
        "search": [
            {
                "ns": 0,
                "title": "Feed pump/Priming & care",
                "pageid": 7,
                "snippet": 'Close the valve, then prime the <span class="searchmatch">pump</span> &amp; wait',
                "timestamp": "2026-03-09T10:00:00Z",
            },
            {"ns": 0, "title": "A <b>bold</b> title", "pageid": 8, "snippet": "", "timestamp": "2026-01-01T00:00:00Z"},
        ],
    },
}
FOUND: dict[str, Any] = {
    "data": {
        "found": [
            {
                "id": "a b/1",
                "name": "Pump manual",
                "about": "How a pump is primed.",
                "who": {"by": "Ida"},
                "at": 1.7e12,
            },
            {"id": "2", "name": "Pump parts", "about": "All parts.", "who": {}, "at": "soon"},
        ]
    }
}
FIELDS = {
    "items": "data.found",
    "title": "name",
    "text": "about",
    "link": "/doc/{id}",
    "updated": "at",
    "notes": ["who.by"],
}
SUGGESTED = ["pump", ["Pump", "Pump room"], ["A machine that moves liquids.", ""], ["https://e.example/1", "/room"]]
DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"><ShortName>Encyclopaedia</ShortName>
<Url type="text/html" template="{base}/page?q={{searchTerms}}"/>
<Url type="application/x-suggestions+json" template="/suggest?q={{searchTerms}}&amp;n={{count?}}&amp;l={{x:odd?}}"/>
</OpenSearchDescription>"""


def says(value: Any, status: int = 200, **headers: str) -> Answer:
    """Answer in JSON."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return lambda handler: handler.say(status, body, **{"Content_Type": "application/json; charset=utf-8", **headers})


def packed(value: Any) -> Answer:
    """Answer as the Stack Exchange API always does, packed."""
    return says(gzip.compress(json.dumps(value).encode()), Content_Encoding="gzip")


def endless(handler: Handler) -> None:
    """A list that never ends: five megabytes and on."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b"[")
    while True:  # until the other side hangs up, which raises
        handler.wfile.write(b'{"title": "more"},' * 3000)


class Hanging:
    """A service that takes a request and says nothing until the test lets go of it."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = threading.Event()

    def __call__(self, handler: Handler) -> None:
        self.asked.set()
        self.let_go.wait(30)
        handler.say(200, b"[]")


class NoCache(LocMemCache):
    """A cache whose server is away: everything fails."""

    def get(self, *args: Any, **options: Any) -> Any:
        raise ConnectionError

    set = delete = add = get


class ToldCache(LocMemCache):
    """A cache that tells under which keys something was kept."""

    keys: ClassVar[list[str]] = []

    def set(self, key: Any, *args: Any, **options: Any) -> None:
        self.keys.append(str(key))
        super().set(key, *args, **options)


def queries(web: Web, path: str) -> list[dict[str, list[str]]]:
    """What was asked of one path, each request's parameters."""
    return [parse_qs(urlsplit(asked).query) for asked, _ in web.asked if urlsplit(asked).path == path]


def ask(person: Any, text: str = "pump") -> list[Said]:
    """What all services say that the person may ask now."""
    viewer = Viewer.of(person)
    return ask_all(visible_to(viewer), parse(text), viewer)
