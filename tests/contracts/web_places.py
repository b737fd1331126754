"""Places of the network for the connector contract: web sites and feeds on a server of loopback."""

from __future__ import annotations

import hashlib
import html
import json
from typing import Any
from xml.sax.saxutils import escape

from knowledge.connectors.feed import FeedConnector
from knowledge.connectors.web import WebConnector
from tests.contracts.connectors import Place
from tests.loopback import Handler, Web


class Site(Place):
    """A web site whose start page links to every page; it knows ETags, and counts what it answers."""

    def __init__(self, web: Web, **options: Any) -> None:
        self.web = web
        self.options: dict[str, Any] = {"delay": 0, **options}
        self.start = "/site/"
        self.links: list[str] = []
        self.statuses: list[tuple[str, int]] = []
        self.validators = True
        self.index()

    def connector(self) -> WebConnector:
        return WebConnector(f"{self.web.base}{self.start}", self.options)

    def missing(self) -> WebConnector:
        return WebConnector(f"{self.web.base}/nothing/", self.options)

    def serve(self, path: str, body: bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> None:
        """Answer ``path`` with this, or with 304 to whoever has it."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'

        def answer(handler: Handler) -> None:
            if self.validators and handler.headers.get("If-None-Match") == etag:
                self.statuses.append((path, 304))
                handler.send_response(304)
                handler.send_header("ETag", etag)
                handler.end_headers()
                return
            self.statuses.append((path, 200))
            own = {"ETag": etag} if self.validators else {}
            handler.say(200, body, Content_Type=kind, **own, **headers)

        self.web.answers[path] = answer

    def page(
        self, path: str, title: str, text: str, head: str = "", links: tuple[str, ...] = (), **headers: str
    ) -> None:
        anchors = "".join(f'<a href="{html.escape(link)}">more</a> ' for link in links)
        whole = (
            f"<!doctype html><html lang='en'><head><title>{html.escape(title)}</title>{head}</head>"
            f"<body><nav>{anchors}</nav><main><h1>{html.escape(title)}</h1><p>{text}</p></main></body></html>"
        )
        self.serve(path, whole.encode(), **headers)

    def index(self) -> None:
        head = '<meta name="robots" content="noindex, follow">'
        self.page(self.start, "All pages", "A list.", head, tuple(self.links))

    def put(self, name: str, title: str, text: str) -> None:
        self.page(f"{self.start}{name}", title, text)
        if f"{self.start}{name}" not in self.links:
            self.links.append(f"{self.start}{name}")
            self.index()

    def remove(self, name: str) -> None:
        self.web.answers.pop(f"{self.start}{name}")
        self.links.remove(f"{self.start}{name}")
        self.index()

    def spoil(self, name: str) -> None:
        self.web.answers[f"{self.start}{name}"] = lambda handler: handler.say(500, b"out of order")

    def asked(self) -> list[tuple[str, int]]:
        """Paths answered since the last call, with their statuses."""
        found, self.statuses[:] = list(self.statuses), []
        return found


class MappedSite(Site):
    """The same site, read by its sitemap."""

    def __init__(self, web: Web, **options: Any) -> None:
        super().__init__(web, **options)
        self.address = "/site/sitemap.xml"

    def connector(self) -> WebConnector:
        return WebConnector(f"{self.web.base}/site/sitemap.xml", self.options)

    def missing(self) -> WebConnector:
        return WebConnector(f"{self.web.base}/nothing/sitemap.xml", self.options)

    def index(self) -> None:
        listed = "".join(f"<url><loc>{escape(self.web.base + link)}</loc></url>" for link in self.links)
        xml = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'
        self.serve("/site/sitemap.xml", xml.encode(), "application/xml")


class Feed(Place):
    """An Atom feed; subclasses write other formats."""

    kind = "application/atom+xml"

    def __init__(self, web: Web) -> None:
        self.web = web
        self.entries: dict[str, tuple[str, str] | None] = {}
        self.requests: list[int] = []
        self.publish()

    def connector(self) -> FeedConnector:
        return FeedConnector(f"{self.web.base}/feed", {})

    def missing(self) -> FeedConnector:
        return FeedConnector(f"{self.web.base}/nothing", {})

    def put(self, name: str, title: str, text: str) -> None:
        self.entries[name] = (title, text)
        self.publish()

    def remove(self, name: str) -> None:
        del self.entries[name]
        self.publish()

    def spoil(self, name: str) -> None:
        self.entries[name] = None
        self.publish()

    def publish(self) -> None:
        self.say(self.write().encode())

    def say(self, body: bytes) -> None:
        """Let the feed's address answer with these bytes."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'

        def answer(handler: Handler) -> None:
            same = handler.headers.get("If-None-Match") == etag
            self.requests.append(304 if same else 200)
            if same:
                handler.send_response(304)
                handler.end_headers()
            else:
                handler.say(200, body, Content_Type=self.kind, ETag=etag)

        self.web.answers["/feed"] = answer

    def write(self) -> str:
        parts = []
        for name, entry in self.entries.items():
            if entry is None:
                parts.append("<entry><title>No name at all</title></entry>")
            else:
                title, text = (escape(part) for part in entry)
                parts.append(
                    f"<entry><id>urn:{name}</id><title type='text'>{title}</title>"
                    f"<link href='https://blog.example/{name}'/><updated>2026-05-01T10:00:00Z</updated>"
                    f"<author><name>Ana Lind</name><email>ana@blog.example</email></author>"
                    "<category term='Work life'/>"
                    f"<content type='html'>&lt;p&gt;{title}: {text}&lt;/p&gt;</content></entry>"
                )
        return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>The house blog</title>{''.join(parts)}</feed>"


class JsonFeed(Feed):
    """The same as JSON Feed."""

    kind = "application/feed+json"

    def write(self) -> str:
        items: list[dict[str, Any]] = []
        for name, entry in self.entries.items():
            if entry is None:
                items.append({"title": "No name at all"})
            else:
                item = {"id": name, "url": f"https://blog.example/{name}", "title": entry[0], "content_text": entry[1]}
                items.append({**item, "date_published": "2026-05-01T10:00:00Z", "authors": [{"name": "Ana Lind"}]})
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "The house blog", "items": items})
