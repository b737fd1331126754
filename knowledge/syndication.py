"""Sitemaps and feeds as plain values: parsers that run in the child process of `sandbox`.

A sitemap or feed is somebody else's XML: entity bombs, endless nesting and a
parser's own bugs cost the child and nothing else. Nothing here opens a file or
the network, and nothing here imports Django; the heavy libraries are imported
with the first document.
"""

from __future__ import annotations

import calendar
import io
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from knowledge.markup import clean, clean_line, moment
from knowledge.sandbox import ExtractionError, Limits

MAX_ADDRESSES = 50_000
MAX_ENTRIES = 2_000
NO_FEED = "It is no feed (RSS, Atom or JSON Feed)."


def sitemap(data: bytes, *, limits: Limits, form: str = "sitemap") -> dict[str, Any]:
    """What a sitemap lists: ``pages`` as (address, date or empty), ``sitemaps``, and whether it is ``damaged``.

    Read are the XML forms (a list, an index), packed by gzip or not, and plain text with one address a line.
    """
    from lxml import etree

    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, int(limits.unpacked_mb * 1e6))
    if b"<" not in data[:1000]:
        lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()[:MAX_ADDRESSES]]
        return {"pages": [[line, ""] for line in lines if line], "sitemaps": [], "damaged": False}
    options = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}
    damaged = False
    try:
        root = etree.fromstring(data, etree.XMLParser(**options))
    except etree.XMLSyntaxError:
        damaged = True
        root = etree.fromstring(data, etree.XMLParser(recover=True, **options))
    kind = etree.QName(root).localname.lower() if root is not None else ""
    if kind not in ("urlset", "sitemapindex"):
        raise ExtractionError("It is no sitemap: give the address of one, or of a page to start from.")
    found: list[list[str]] = []
    for element in root:
        if not isinstance(element.tag, str) or len(found) >= MAX_ADDRESSES:
            continue
        parts = {etree.QName(part).localname: part for part in element if isinstance(part.tag, str)}
        address = (parts["loc"].text or "").strip() if "loc" in parts else ""
        date = (parts["lastmod"].text or "").strip() if "lastmod" in parts else ""
        if address:
            found.append([clean_line(address, 2_000), date[:40]])
    if kind == "sitemapindex":
        return {"pages": [], "sitemaps": [address for address, _ in found], "damaged": damaged}
    return {"pages": found, "sitemaps": [], "damaged": damaged}


def _unpacked(data: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(data, limit)
    except zlib.error as error:
        raise ExtractionError(f"Its packing is damaged ({error}): offer it anew.") from error
    if unpacker.unconsumed_tail:
        raise ExtractionError(f"It unpacks to more than {limit / 1e6:g} MB: split it.")
    return text


# Feeds --------------------------------------------------------------------------------------------------------------


def feed(data: bytes, *, limits: Limits, address: str, content_type: str, form: str = "feed") -> dict[str, Any]:
    """A feed's ``title`` and ``entries``, whose fields are plain text, whole addresses and ISO dates."""
    if data.lstrip()[:1] == b"{":
        return _json_feed(data, address)
    import feedparser

    # A stream and no bytes: given bytes, feedparser would first try them as the name of a file.
    headers = {"content-location": address, "content-type": content_type or "application/xml"}
    read = feedparser.parse(io.BytesIO(data), response_headers=headers)
    if not read.get("version") and not read.get("entries"):
        raise ExtractionError(NO_FEED + _hint(data, address))
    language = str(read.feed.get("language", ""))
    whole = {"title": clean_line(_text(read.feed.get("title", ""))), "language": language, "damaged": bool(read.bozo)}
    whole["entries"] = [_entry(entry, read.feed) for entry in read.entries[:MAX_ENTRIES]]
    return whole


def _hint(data: bytes, address: str) -> str:
    """Where a web page says that its feed is."""
    for tag in re.findall(rb"<link\b[^>]{0,1000}>", data[:200_000], re.I):
        if re.search(rb"application/(rss|atom|feed)\+(xml|json)", tag, re.I):
            target = re.search(rb"href\s{0,5}=\s{0,5}[\"']?([^\"'\s>]{1,1000})", tag, re.I)
            if target:
                return f" Its feed may be at {urljoin(address, target.group(1).decode('utf-8', 'replace'))}"
    return " Give the address of the feed itself."


def _entry(entry: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    contents = [*entry.get("content", []), entry.get("summary_detail") or {}]
    content = max(contents, key=lambda part: len(part.get("value") or ""))
    media = [(str(part.get("href", "")), str(part.get("type", ""))) for part in entry.get("enclosures", [])]
    for part in entry.get("media_content", []):
        kind = str(part.get("type") or part.get("medium") or "")
        media.append((str(part.get("url", "")), kind))
    people = entry.get("authors") or ([{"name": entry["author"]}] if entry.get("author") else [])
    return _fields(
        id=entry.get("id", ""),
        link=entry.get("link", ""),
        title=_text(entry.get("title", ""), entry.get("title_detail")),
        body=_body(str(content.get("value") or ""), "plain" in str(content.get("type", ""))),
        topics=[str(tag.get("label") or tag.get("term") or "") for tag in entry.get("tags", [])],
        people=[(person.get("name", ""), person.get("email", "")) for person in people],
        media=media,
        duration=str(entry.get("itunes_duration", "")),
        language=str(content.get("language") or whole.get("language") or ""),
        created=_date(entry.get("published_parsed")),
        updated=_date(entry.get("updated_parsed")),
    )


def _json_feed(data: bytes, address: str) -> dict[str, Any]:
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        raise ExtractionError(f"{NO_FEED} It looks like JSON, but is damaged.") from None
    if not isinstance(read, dict) or not isinstance(read.get("items"), list):
        raise ExtractionError(f"{NO_FEED} A JSON Feed has a list of “items”.")
    entries = []
    for item in read["items"][:MAX_ENTRIES]:
        entry: Mapping[str, Any] = item if isinstance(item, dict) else {}
        authors = _dicts(entry.get("authors")) or _dicts([entry.get("author")]) or _dicts(read.get("authors"))
        html, text = entry.get("content_html"), entry.get("content_text")
        attachments = _dicts(entry.get("attachments"))
        link = str(entry.get("url") or entry.get("external_url") or "")
        seconds = next((part["duration_in_seconds"] for part in attachments if part.get("duration_in_seconds")), "")
        dates = [moment(entry.get(name)) for name in ("date_published", "date_modified")]
        entries.append(
            _fields(
                id=entry.get("id", ""),
                link=urljoin(address, link) if link else "",
                title=str(entry.get("title") or ""),
                body=_body(str(html or text or entry.get("summary") or ""), not html),
                topics=[str(tag) for tag in entry.get("tags") or [] if isinstance(tag, str)],
                people=[(author.get("name", ""), "") for author in authors],
                media=[(str(part.get("url", "")), str(part.get("mime_type", ""))) for part in attachments],
                duration=str(seconds),
                language=str(entry.get("language") or read.get("language") or ""),
                created=dates[0],
                updated=dates[1],
            )
        )
    return {"title": clean_line(str(read.get("title") or "")), "damaged": False, "entries": entries}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _fields(
    *,
    id: Any,
    link: Any,
    title: str,
    body: str,
    topics: Iterable[str],
    people: Iterable[tuple[Any, Any]],
    media: Iterable[tuple[str, str]],
    duration: str,
    language: str,
    created: datetime | None,
    updated: datetime | None,
) -> dict[str, Any]:
    persons = [[clean_line(str(name or ""), 200), clean_line(str(email or ""), 200)] for name, email in people]
    return {
        "id": clean_line(str(id or ""), 2_000),
        "link": clean_line(str(link or ""), 2_000),
        "title": clean_line(title),
        "body": body,
        "topics": list(dict.fromkeys(filter(None, (clean_line(topic, 80) for topic in topics))))[:20],
        "people": [person for person in persons if any(person)][:20],
        "media": [[clean_line(url, 2_000), kind.lower()] for url, kind in media if url][:20],
        "minutes": _minutes(duration),
        "language": clean_line(language, 12),
        "created": created.isoformat() if created else "",
        "updated": updated.isoformat() if updated else "",
    }


def _body(text: str, is_plain: bool) -> str:
    """An entry's words: HTML is read like any web page."""
    if is_plain or ("<" not in text and "&" not in text):
        return clean(text).strip()
    from knowledge.webpage import webpage

    page = webpage(f"<!doctype html><html><body>{text}</body></html>".encode("utf-8", "replace"), "utf-8")
    headings = f"# {page.title}\n\n" if page.title and page.title not in page.body else ""
    return clean(headings + page.body).strip()


def _text(title: Any, detail: Any = None) -> str:
    """A title's words: feeds write them as HTML, escaped once or twice, unless they say that it is plain."""
    text = str(title)
    if detail and detail.get("type") == "text/plain":
        return text
    return _body(text, False).lstrip("# ") if re.search(r"</?[a-zA-Z]|&#?\w+;", text) else text


def _date(parsed: Any) -> datetime | None:
    """A date that feedparser read, which is in UTC."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, TypeError):
        return None


def _minutes(duration: str) -> int | None:
    """Whole minutes of ``1:02:03``, ``62:03`` or a number of seconds."""
    if not re.fullmatch(r"\d{1,6}(:\d{1,2}){0,2}", duration.strip()):
        return None
    seconds = 0
    for part in duration.split(":"):
        seconds = seconds * 60 + int(part)
    return max(1, round(seconds / 60)) if seconds else None
