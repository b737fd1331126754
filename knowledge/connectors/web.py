"""Web sites: the pages that a sitemap lists, or those that links lead to from a start page.

Every page is asked for on condition that it changed, with the validators that
its stored version holds. A page that answers so has no links to follow, so a
crawl goes on from what is known: pages, and the addresses that were of no use
last time (``Crawl.again``). When a pull was cut off in the middle, the next one reads
every page anew, so that no link is missed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from knowledge.addresses import normal
from knowledge.connectors import Checkpoint, Event, Failure, Known, SourceError, Unchanged
from knowledge.connectors.crawl import Crawl, Stamp
from knowledge.connectors.feed import cure
from knowledge.connectors.files import audience_of
from knowledge.documents import Contribution, Document
from knowledge.extract import VERSION, Extracted, extract, format_of
from knowledge.fetch import Door, FetchError, FetchOutside, Response, Stream
from knowledge.markup import moment
from knowledge.sandbox import ExtractionError, Limits, in_child

MAX_PAGES = 2_000
MAX_FOLLOW = 5
MAX_SITEMAPS = 200
MAX_DELAY = 30.0
HEARTBEAT = 10.0
"""Seconds without an event after which one is sent anyway: whoever stores them keeps its lease by them."""

SITEMAP_LIMITS = Limits(input_mb=20, output_mb=20, memory_mb=800, seconds=20, unpacked_mb=60)
ACCEPT = "text/html, application/xhtml+xml, application/pdf;q=0.9, application/xml;q=0.8, */*;q=0.5"
GONE = (401, 403, 404, 410, 451)

_NO_PAGE = re.compile(
    r"\.(png|jpe?g|gif|svg|webp|ico|css|js|mjs|json|xml|map|zip|gz|tgz|tar|7z|rar|exe|dmg|iso|deb|rpm|mp[34]|m4[av]|avi|"
    r"mov|webm|ogg|wav|woff2?|ttf|eot|ics|csv|xlsx?)\Z",
    re.I,
)


class WebConnector:
    """Reads the site at ``address``: a sitemap, or a page to start from.

    Options: ``allow`` (prefixes of addresses; the folder of ``address``),
    ``max_pages`` (2,000), ``delay`` seconds between two requests (0.5; more if
    ``robots.txt`` asks), ``follow`` (links away from the start or the listed
    pages: 5 from a start page, 0 from a sitemap).
    """

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.lists_everything = True
        self.address = normal(address)
        if not self.address:
            raise SourceError(f"“{address[:200]}” is no web address. Write it like https://handbook.example/start/.")
        allow = options.get("allow") or [_folder(self.address)]
        prefixes = [normal(str(prefix)) for prefix in ([allow] if isinstance(allow, str) else allow)]
        if not all(prefixes):
            raise SourceError(
                "“allow” holds something that is no web address. Write prefixes like https://a.example/b/."
            )
        self.allow: tuple[str, ...] = tuple(prefixes)
        try:
            self.max_pages = max(int(options.get("max_pages", MAX_PAGES)), 1)
            self.delay = min(max(float(options.get("delay", 0.5)), 0.0), MAX_DELAY)
            self.follow: int | None = None if options.get("follow") is None else max(int(options["follow"]), 0)
        except (TypeError, ValueError):
            raise SourceError("“max_pages”, “delay” and “follow” are numbers.") from None
        self._hosts = {urlsplit(url).netloc for url in (self.address, *self.allow)}

    def check(self) -> str:
        """The start page's title, or the name of the host."""
        with self._door() as door:
            response = self._start(door)
            if _is_sitemap(response):
                if not any(True for _ in self._listed(door, response, [])):
                    raise SourceError(f"{self.address} lists no page that may be read here. Check the option “allow”.")
                return urlsplit(self.address).hostname or self.address
            try:
                return self._extracted(response).title or urlsplit(response.url).hostname or self.address
            except ExtractionError as error:
                raise SourceError(f"{self.address} cannot be read as a page. {error}") from error

    def pull(self, known: Known) -> Iterator[Event]:
        """Every page, told anew only where it changed."""
        with self._door() as door:
            yield from _with_heartbeat(self._pull(door, known), known.cursor)

    def _pull(self, door: Door, known: Known) -> Iterator[Event | None]:
        start = self._start(door)
        from_list = _is_sitemap(start)
        follow = (0 if from_list else MAX_FOLLOW) if self.follow is None else self.follow
        shape = [VERSION, self.address, list(self.allow), follow, self.max_pages]
        cursor = known.cursor if known.cursor.get("shape") == shape else {}
        crawl = Crawl(known, conditional=follow == 0 or bool(cursor.get("complete")))
        crawl.aliases = {str(url): str(key) for url, key in dict(cursor.get("aliases", {})).items()}
        if from_list:
            failures: list[Failure] = []
            for url, date in self._listed(door, start, failures):
                crawl.add(url, 0)
                crawl.dates[url] = date
                yield None
            yield from failures
            if not crawl.queued:
                raise SourceError(f"{self.address} lists no page that may be read here. Check the option “allow”.")
        else:
            first = normal(start.url)
            if not self._within(first):
                raise SourceError(f"{self.address} leads to {start.url}. Use that as the source's address.")
            crawl.add(first, 0)
            crawl.start[first] = start
        if follow:
            for key, version in known.versions.items():
                stamp = Stamp.read(version)
                crawl.add(key, stamp.depth if stamp else 1)
            for url, depth in dict(cursor.get("again", {})).items():
                crawl.add(str(url), int(depth))
        while crawl.queue and crawl.asked < self.max_pages:
            url, depth = crawl.queue.popleft()
            if depth <= follow and self._within(url):
                crawl.asked += 1
                yield None
                yield from self._page(door, crawl, url, depth, follow, shape)
                crawl.watch(self.address)
        if crawl.queue:
            yield Failure(
                self.address, f"There are more than {self.max_pages} pages: the rest is left out. Raise “max_pages”."
            )
        yield Checkpoint(crawl.cursor(shape, complete=True))

    # One page

    def _page(
        self, door: Door, crawl: Crawl, url: str, depth: int, follow: int, shape: list[Any]
    ) -> Iterator[Event | None]:
        """Ask for one address and tell what it is."""
        key = crawl.aliases.get(url, url)
        if key in crawl.told:
            return
        stamp = Stamp.read(crawl.known.versions.get(key, ""))
        try:
            if not door.robots_allow(url):
                return
            condition = stamp.condition() if stamp and crawl.conditional else {}
            response = crawl.start.pop(url, None) or self._ask(door, url, condition)
        except FetchOutside:
            crawl.again[url] = depth
            return
        except FetchError as error:
            yield crawl.trouble(url, key, depth, str(error))
            return
        if response.status == 304:
            crawl.in_a_row = 0
            crawl.told.add(key)
            yield Unchanged(key)
            return
        if response.status != 200:
            yield from self._no_page(crawl, url, key, depth, response.status)
            return
        crawl.in_a_row = 0
        if not _readable(response.url, response.headers):
            crawl.again[url] = depth
            return
        now = Stamp.of(depth, response)
        try:
            found = self._extracted(response)
        except ExtractionError as error:
            crawl.again[url] = depth
            crawl.told.add(key)
            yield Failure(key, str(error))
            return
        final = normal(response.url) or url
        words = f"{found.robots} {response.headers.get('x-robots-tag', '').lower()}"
        key = self._canonical(final, found.canonical)
        for spelling in {url, final} - {key}:
            crawl.aliases[spelling] = key
        crawl.aliases.pop(key, None)
        if follow and depth < follow and not re.search(r"\b(nofollow|none)\b", words):
            new = self._new_links(crawl, final, found.links, depth + 1)
            if new and crawl.conditional and not crawl.marked:
                # Told before the page is: should the worker die now, the next pull must read this page's links again.
                crawl.marked = True
                yield Checkpoint(crawl.cursor(shape, complete=False))
        if re.search(r"\b(noindex|none)\b", words):
            crawl.again[url] = depth
            return
        if key in crawl.told:
            crawl.troubles += url != key and url in crawl.known.versions  # a sign-in page in the place of all others?
            return
        crawl.told.add(key)
        before = Stamp.read(crawl.known.versions.get(key, ""))
        if before and before.digest == now.digest:
            yield Unchanged(key)
        else:
            yield self._document(key, response, found, str(now), crawl.dates.get(url, ""))
            _, wrong = audience_of(found, None)
            if "audience" in found.front and (reason := "; ".join([*found.notes, *wrong])):
                yield Failure(key, f"It was read, but {reason}.")

    def _new_links(self, crawl: Crawl, base: str, links: Iterable[str], depth: int) -> int:
        """Queue what is linked and not yet known; how many those are."""
        new = 0
        for link in links:
            try:
                url = normal(urljoin(base, link))
            except ValueError:
                continue
            if url and self._within(url) and not _NO_PAGE.search(urlsplit(url).path):
                new += crawl.add(url, depth)
        return new

    def _no_page(self, crawl: Crawl, url: str, key: str, depth: int, status: int) -> Iterator[Event]:
        """What answered with neither a page nor "unchanged"."""
        crawl.again[url] = depth
        if status not in GONE:
            yield crawl.trouble(url, key, depth, f"{url} answers {status}. {cure(status)}")
            return
        crawl.in_a_row = 0
        if status in (401, 403) and key in crawl.known.versions:
            crawl.troubles += 1  # withdrawn, or all robots are kept out: that depends on how many do so

    def _document(self, key: str, response: Response, found: Extracted, version: str, listed: str) -> Document:
        path = [part for part in unquote(urlsplit(key).path).split("/") if part]
        plain = re.sub(r"[\x00-\x1f\x7f-\x9f\ufffd\u202a-\u202e\u2066-\u2069]", "", path[-1]) if path else ""
        updated = moment(listed) or found.updated
        if updated is None and not response.content_type.endswith("html"):
            updated = _http_date(response.headers.get("last-modified", ""))
        return Document(
            key=key,
            title=found.title or plain or urlsplit(key).hostname or key,
            body=found.body,
            url=key,
            kind="video" if found.front.get("kind") == "video" else "page",
            version=version,
            crumbs=tuple(re.sub(r"[-_\x00-\x1f\x7f-\x9f]+", " ", part).strip()[:80] for part in path[:-1])[:8],
            language=found.language,
            audience=audience_of(found, None)[0],
            contributions=tuple(Contribution(name, share=1 / len(found.authors)) for name in found.authors),
            created=found.created,
            updated=updated,
        )

    def _extracted(self, response: Response) -> Extracted:
        name = unquote(urlsplit(response.url).path.rpartition("/")[2])
        return extract(response.body, name, response.headers.get("content-type", "")[:200])

    # Addresses

    def _within(self, url: str) -> bool:
        for prefix in self.allow:
            if url == prefix or url.startswith(prefix if prefix[-1] in "/?=" else (prefix + "/", prefix + "?")):
                return True
        return False

    def _canonical(self, url: str, said: str) -> str:
        """The page's own word for its address, where it is one of this source."""
        try:
            canonical = normal(urljoin(url, said)) if said else ""
        except ValueError:
            canonical = ""
        return canonical if canonical and self._within(canonical) else url

    def _door(self) -> Door:
        return Door(allow_hosts=self._hosts, delay=self.delay)

    def _ask(self, door: Door, url: str, headers: Mapping[str, str]) -> Response:
        """One page; the body is left where it is if it is nothing that can be read."""

        def allowed(target: str) -> bool:
            return self._within(normal(target)) and door.robots_allow(target)

        with door.stream("GET", url, headers={"Accept": ACCEPT, **headers}, allow=allowed) as stream:
            wanted = stream.status == 200 and _readable(stream.url, stream.headers)
            return _whole(stream, wanted)

    def _start(self, door: Door) -> Response:
        """What stands at the source's address; everything that goes wrong there is the source's trouble."""
        try:
            if not door.robots_allow(self.address):
                raise SourceError(
                    f"The robots.txt of {urlsplit(self.address).netloc} asks robots to stay away from {self.address}. "
                    f"Ask its owner to let “{door.agent}” in."
                )
            with door.stream("GET", self.address, headers={"Accept": ACCEPT}) as stream:
                response = _whole(stream, stream.status == 200)
        except FetchError as error:
            raise SourceError(str(error)) from error
        if response.status != 200:
            raise SourceError(f"{self.address} answers {response.status}. {cure(response.status)}")
        return response

    def _listed(self, door: Door, first: Response, failures: list[Failure]) -> Iterator[tuple[str, str]]:
        """Addresses of pages with their dates, of this sitemap and those that it names."""
        waiting: list[str] = []
        seen = {normal(first.url)}
        response: Response | None = first
        while response is not None:
            try:
                found = in_child("sitemap", response.body, limits=SITEMAP_LIMITS, form="sitemap")
            except ExtractionError as error:
                raise SourceError(f"The sitemap {response.url} cannot be read. {error}") from error
            if found["damaged"]:
                self.lists_everything = False  # what the damage hides has not vanished
                failures.append(Failure(response.url, "The sitemap is damaged: what can be read of it is read."))
            for address, date in found["pages"]:
                url = normal(address)
                if url and self._within(url):
                    yield url, date
            for address in found["sitemaps"]:
                url = normal(address)
                if url and url not in seen and len(seen) < MAX_SITEMAPS:
                    seen.add(url)
                    waiting.append(url)
            response = None
            while waiting and response is None:
                response = self._sitemap(door, waiting.pop(0), failures)

    def _sitemap(self, door: Door, url: str, failures: list[Failure]) -> Response | None:
        try:
            response = door.get(url)
        except FetchOutside as error:
            failures.append(Failure(url, str(error)))
            return None
        except FetchError as error:
            raise SourceError(f"A part of the sitemap cannot be read. {error}") from error
        if response.status in (404, 410):
            failures.append(Failure(url, "The sitemap names this part, but it is not there. Ask the site's owner."))
            return None
        if response.status != 200:
            raise SourceError(f"A part of the sitemap, {url}, answers {response.status}. {cure(response.status)}")
        return response


def _with_heartbeat(events: Iterator[Event | None], cursor: Mapping[str, Any]) -> Iterator[Event]:
    """The events; where there are none for a while, the last checkpoint again."""
    last, latest = time.monotonic(), Checkpoint(dict(cursor))
    for event in events:
        if isinstance(event, Checkpoint):
            latest = event
        if event is not None or time.monotonic() - last > HEARTBEAT:
            yield event or latest
            last = time.monotonic()


def _whole(stream: Stream, wanted: bool) -> Response:
    return Response(stream.url, stream.status, stream.headers, stream.read() if wanted else b"")


def _folder(url: str) -> str:
    """The part of the site that an address stands for: its folder, if it looks like a file, else itself."""
    parts = urlsplit(url)
    head, _, last = parts.path.rpartition("/")
    return urlunsplit((parts.scheme, parts.netloc, f"{head}/" if "." in last else parts.path, "", ""))


def _readable(url: str, headers: Mapping[str, str]) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    name = urlsplit(url).path.rpartition("/")[2]
    if kind and kind not in ("application/octet-stream", "text/plain"):
        return bool(format_of("", kind))
    return bool(format_of(name, kind))


def _is_sitemap(response: Response) -> bool:
    head = response.body[:3000]
    packed = head[:2] == b"\x1f\x8b" and urlsplit(response.url).path.endswith(".gz")
    listing = urlsplit(response.url).path.endswith("sitemap.txt")
    return packed or listing or bool(re.search(rb"<(\w{1,20}:)?(urlset|sitemapindex)[\s>]", head))


def _http_date(text: str) -> datetime | None:
    try:
        return moment(parsedate_to_datetime(text)) if text else None
    except ValueError:
        return None
