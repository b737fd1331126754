"""Services that cannot be indexed: how each shape is asked at search time, and how its answer is read.

One service is asked once, through the guarded door, within its deadline, and
what it says is read into plain text: no markup of theirs gets further than
`_text`, no link that is not http or https, and nothing beyond the bounds below.
Who may ask, what is kept, and who is left alone for a while is decided in
`knowledge.live`; nothing here knows a person or a database.
"""

from __future__ import annotations

import html
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from lxml import etree

from knowledge.addresses import FetchError, FetchRefused, check_url
from knowledge.fetch import Door
from knowledge.markup import clean, clean_line, moment

ANSWERS = 5
"""Answers of one service that are shown; more are neither asked for nor read."""
MAX_BYTES = 1_000_000
MAX_TEXT = 5_000
MAX_TITLE = 200
MAX_LINK = 2_000
MAX_NOTES = 3
SHORTEST, LONGEST = 0.2, 8.0
"""Seconds: bounds of a deadline. Somebody waits, and so does a thread of the web server."""
SECRET_PREFIX = "LIVE_SECRET_"  # noqa: S105 - how the variables are named
"""Only variables of this beginning are secrets of services: nobody sends ``SECRET_KEY`` away by naming it in a form."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service as it was declared. ``hosts`` may be asked, redirects included; ``secret`` names the variable."""

    name: str
    shape: str
    address: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    header: str = "Authorization: Bearer {secret}"
    deadline: float = 3.0
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that a service found, as plain text; the link is http or https."""

    title: str
    link: str
    text: str = ""
    updated: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What a service said, and for how many seconds it asks to be left alone."""

    answers: tuple[Answer, ...] = ()
    rest: float = 0.0


class LiveFailure(Exception):
    """The service gave no answer. The message goes on after its name, in one line: "did not answer within 3 seconds".

    ``counts``: whether the service is to blame, or only these words. ``rest``:
    seconds for which it asked to be left alone. ``detail`` is for the operator.
    """

    def __init__(self, why: str, *, counts: bool = True, rest: float = 0.0, detail: str = "") -> None:
        super().__init__(why)
        self.counts, self.rest, self.detail = counts, rest, detail


# Asking -----------------------------------------------------------------------------------------------------------


def ask(service: Service, words: str) -> Answered:
    """What the service finds for plain words. Raises `LiveFailure`; never takes longer than the deadline."""
    end = time.monotonic() + service.deadline
    secret = os.environ.get(service.secret, "") if service.secret else ""
    if service.secret and not secret:
        detail = f"Set {service.secret} in the environment of the web processes."
        raise LiveFailure("is not set up yet", counts=False, detail=detail)
    shape = SHAPES[service.shape]
    headers = {"Accept": "application/json, application/x-suggestions+json;q=0.9, */*;q=0.1"}
    if secret and "{secret}" not in service.address:
        name, _, value = service.header.partition(":")
        headers[name.strip()] = value.strip().replace("{secret}", secret)
    try:
        with Door(allow_hosts=service.hosts) as door:
            address = service.address.replace("{secret}", quote(secret, safe=""))
            if isinstance(shape, Mapped) and not _PLACE.search(address):
                address = _template(door, address, headers, end)
            url = shape.address(address, words)
            status, sent, kind, body = _get(door, url, headers, end)
    except FetchError as error:
        raise _failure(service, error, end, secret) from None
    return _read(shape, status, sent, _json(body, kind), url, service.fields)


def _get(door: Door, url: str, headers: Mapping[str, str], end: float) -> tuple[int, Mapping[str, str], str, bytes]:
    """Status, headers, charset and body; no more of the body is read than is ever used."""
    left = max(end - time.monotonic(), 0.001)
    with door.stream("GET", url, headers=headers, total_seconds=left) as stream:
        body = stream.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise LiveFailure(f"sends more than {MAX_BYTES / 1e6:g} MB")
    declared = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", stream.headers.get("content-type", ""), re.I)
    return stream.status, stream.headers, declared.group(1).lower() if declared else "", body


def _failure(service: Service, error: FetchError, end: float, secret: str) -> LiveFailure:
    """What a person reads about an error of the door: without its address, for that holds words and may hold more."""
    detail = str(error)
    for said in {secret, quote(secret, safe="")} - {""}:
        detail = detail.replace(said, "…")
    if isinstance(error, FetchRefused):
        return LiveFailure("leads to an address that may not be asked", detail=detail)
    if end - time.monotonic() < 0.02:  # the door gives up for want of time when the deadline is over, not before
        seconds = f"{service.deadline:g} second{'' if service.deadline == 1 else 's'}"
        return LiveFailure(f"did not answer within {seconds}", detail=detail)
    return LiveFailure("could not be reached, or broke off", detail=detail)


def _read(
    shape: Shape, status: int, headers: Mapping[str, str], said: Any, url: str, fields: Mapping[str, Any]
) -> Answered:
    """The answers in what was said, or the failure that status and content mean."""
    wait = headers.get("retry-after", "")
    rest = float(min(int(wait), 3600)) if wait.isdecimal() and len(wait) < 7 else 0.0
    if status in (401, 403):
        raise LiveFailure(f"refuses this portal ({status})", rest=rest, detail="Is its secret right?")
    if status == 429:
        raise LiveFailure("has been asked too often (429)", rest=rest or 60.0)
    if status >= 500:
        raise LiveFailure(f"could not answer ({status})", rest=rest)
    if said is NO_JSON and status < 300:
        raise LiveFailure("answers with something that is no data, such as a page")
    found: list[Answer] = []
    try:
        if said is not NO_JSON:
            found = list(_first(shape.read(said, url, fields)))
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, OverflowError) as error:
        if status < 300:
            detail = f"{type(error).__name__}: {error}"[:200]
            raise LiveFailure("answers in another shape than was declared", detail=detail) from None
    if status >= 300:
        raise LiveFailure(f"does not take these words ({status})", counts=status == 404)
    backoff = said.get("backoff") if isinstance(said, dict) else 0
    asked = float(min(backoff, 3600)) if isinstance(backoff, int) and backoff > 0 else 0.0
    return Answered(tuple(found), max(asked, rest))


def _first(answers: Iterable[Answer | None]) -> Iterator[Answer]:
    """The first answers that have a title and a link, each link once."""
    seen: set[str] = set()
    for looked, answer in enumerate(answers):
        if len(seen) == ANSWERS or looked == 100:
            return
        if answer and answer.title and answer.link and answer.link not in seen:
            seen.add(answer.link)
            yield answer


# What they send, made harmless --------------------------------------------------------------------------------------

NO_JSON = object()
_CHARSETS = re.compile(r"iso-?8859-\d{1,2}|latin-?\d|windows-125\d|cp125\d|koi8-[ru]|shift_jis|euc-(jp|kr)|gb\d+|big5")
_SILENT = re.compile(r"<(script|style|template)\b[^<>]{0,500}>(?:(?!<\1\b).){0,5000}?</\1[^<>]{0,500}>?", re.I | re.S)
"""What is opened again before it is closed is not looked through twice: a hostile answer would take seconds."""
_BREAK = re.compile(r"</?(?:p|div|li|ul|ol|br|pre|h[1-6]|tr|blockquote)\b[^<>]{0,500}>", re.I)
_TAG = re.compile(r"<[!/?a-z][^<>]{0,2000}>", re.I)


def _json(body: bytes, charset: str) -> Any:
    """The data, whichever Unicode it is in, or the charset that was declared, or the old one of the west."""
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        text = body.decode(charset if _CHARSETS.fullmatch(charset) else "cp1252", "replace")
    except (ValueError, RecursionError):
        return NO_JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NO_JSON


def _text(value: Any, limit: int = MAX_TEXT) -> str:
    """Plain text of what may be HTML: tags away, entities read once, control characters away."""
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value[:20] if isinstance(one, str | int | float))
    if not isinstance(value, str):
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
    value = _BREAK.sub("\n\n", _SILENT.sub(" ", value[: 4 * limit]))
    value = clean(html.unescape(_TAG.sub("", value)))
    lines = (" ".join(line.split()) for line in value.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:limit]


def _line(value: Any, limit: int = MAX_TITLE) -> str:
    return clean_line(_text(value, 4 * limit), limit)


def _link(value: Any, base: str) -> str:
    """The link if it is one that a page may show: http or https, a host, no password, no blank."""
    try:
        value = value.strip() if isinstance(value, str) else ""
        parts = urlsplit(value)
        link = urljoin(base, value) if value and bool(parts.scheme) <= bool(parts.netloc) else ""
        check_url(link)
    except (FetchRefused, ValueError):
        return ""
    return link if len(link) <= MAX_LINK and clean(link) == link else ""


def _moment(value: Any) -> datetime | None:
    """A date of this age of computers, from seconds or milliseconds since 1970 or from text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            value = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    found = moment(value)
    return found if found and 1970 < found.year < 2200 else None


# The shapes -------------------------------------------------------------------------------------------------------


class Shape(Protocol):
    """One way of asking and answering."""

    def address(self, address: str, words: str) -> str:
        """Where these words are asked for."""
        ...

    def read(self, said: Any, url: str, fields: Mapping[str, Any]) -> Iterable[Answer | None]:
        """The answers, best first; `None` for what is none. Whatever error it raises means: another shape."""
        ...


_PLACE = re.compile(r"\{(\w[\w:]*)(\??)\}")
_KNOWN = {"count": str(ANSWERS), "startIndex": "1", "startPage": "1", "inputEncoding": "UTF-8",
          "outputEncoding": "UTF-8", "language": "*"}  # fmt: skip


def _filled(template: str, words: str) -> str:
    """The template of an address with the words in it."""

    def value(place: re.Match[str]) -> str:
        if place[1] in ("query", "searchTerms"):
            return quote(words, safe="")
        if place[1] not in _KNOWN and not place[2]:
            detail = f"Its address wants “{place[1]}”: only query (or searchTerms), count and start can be filled in."
            raise LiveFailure("is declared with an address that cannot be filled in", counts=False, detail=detail)
        return quote(_KNOWN.get(place[1], ""), safe="")

    return _PLACE.sub(value, template)


def _with(address: str, words: str, word_name: str, usual: Mapping[str, str]) -> str:
    """The address with the usual parameters that it does not set itself, and the words."""
    parts = urlsplit(_filled(address, words))
    own = parse_qsl(parts.query, keep_blank_values=True)
    said = {name for name, _ in own}
    own += [(name, value) for name, value in {**usual, word_name: words}.items() if name not in said]
    return urlunsplit(parts._replace(query=urlencode(own, quote_via=quote)))


class MediaWiki:
    """``api.php`` of a MediaWiki: its own search, and where its pages stand."""

    def address(self, address: str, words: str) -> str:
        usual = {"action": "query", "list": "search", "srlimit": str(ANSWERS), "srprop": "snippet|timestamp",
                 "srinfo": "", "meta": "siteinfo", "siprop": "general", "format": "json",
                 "formatversion": "2"}  # fmt: skip
        return _with(address, words, "srsearch", usual)

    def read(self, said: Any, url: str, fields: Mapping[str, Any]) -> Iterator[Answer | None]:
        if "error" in said:
            raise LiveFailure("cannot search just now", detail=_line(said["error"]["info"]))
        site = said["query"].get("general", {})
        for page in said["query"]["search"]:
            title = clean(page["title"])
            place = quote(title.replace(" ", "_"), safe="/:(),!*'~")
            path = site.get("articlepath", "")
            path = path.replace("$1", place) if "$1" in path else f"index.php?curid={int(page['pageid'])}"
            link = _link(path, urljoin(url, site.get("server", "")) if path.startswith("/") else url)
            yield Answer(_line(html.escape(title)), link, _text(page.get("snippet")), _moment(page.get("timestamp")))


class StackExchange:
    """``/2.3/search/advanced`` of the Stack Exchange API, of a site that the address names (``?site=…``)."""

    def address(self, address: str, words: str) -> str:
        usual = {"order": "desc", "sort": "relevance", "pagesize": str(ANSWERS), "filter": "withbody"}
        return _with(address, words, "q", usual)

    def read(self, said: Any, url: str, fields: Mapping[str, Any]) -> Iterator[Answer | None]:
        if "error_id" in said:
            detail = _line(said.get("error_message"))
            if said.get("error_name") == "throttle_violation":
                seconds = re.search(r"\b(\d{1,5}) seconds", detail)
                raise LiveFailure("has been asked too often", rest=float(seconds[1]) if seconds else 60.0)
            raise LiveFailure("cannot search just now", detail=detail)
        for one in said["items"]:
            count = int(one.get("answer_count", 0))
            accepted = ", one accepted" if one.get("accepted_answer_id") else ""
            notes = [f"{count} answer{'' if count == 1 else 's'}{accepted}"] if "answer_count" in one else []
            if author := _line((one.get("owner") or {}).get("display_name"), 60):
                notes.append(f"Asked by {author}")
            updated = _moment(one.get("last_activity_date"))
            yield Answer(_line(one["title"]), _link(one["link"], url), _text(one.get("body")), updated, tuple(notes))


class Mapped:
    """Any service that answers in JSON: told field by field where things stand, or found under their usual names.

    The address is a template with ``{query}``, or that of an OpenSearch
    description, whose template is then read. The suggestions of OpenSearch
    (words, titles, texts, links as four lists) are understood without a map.
    """

    USUAL = {
        "items": ("items", "results", "hits", "data", "documents", "entries"),
        "title": ("title", "name", "label", "subject"),
        "text": ("text", "summary", "snippet", "excerpt", "description", "body", "content"),
        "link": ("link", "url", "href", "html_url", "permalink"),
        "updated": ("updated", "updated_at", "modified", "date", "timestamp", "published"),
    }

    def address(self, address: str, words: str) -> str:
        return _filled(address, words)

    def read(self, said: Any, url: str, fields: Mapping[str, Any]) -> Iterator[Answer | None]:
        if _suggestions(said):
            texts, links = [*said, []][2], said[3] if len(said) > 3 else []
            for at, title in enumerate(said[1]):
                text = texts[at] if at < len(texts) else ""
                yield Answer(_line(title), _link(links[at] if at < len(links) else "", url), _text(text))
            return
        items = said if isinstance(said, list) and "items" not in fields else self._find(said, "items", fields)
        if not isinstance(items, list):
            raise TypeError("there is no list of items")
        notes = fields.get("notes") or []
        for item in items:
            if not isinstance(item, dict):
                yield None
                continue
            link = self._find(item, "link", fields)
            said_of_it = (_line(_at(item, path), 80) for path in notes[:MAX_NOTES])
            yield Answer(
                _line(self._find(item, "title", fields)),
                _link(link, url),
                _text(self._find(item, "text", fields)),
                _moment(self._find(item, "updated", fields)),
                tuple(note for note in said_of_it if note),
            )

    def _find(self, item: Any, name: str, fields: Mapping[str, Any]) -> Any:
        """The value of one of our names: where the map says it is, else under the first usual name that holds one."""
        if place := fields.get(name):
            if name == "link" and "{" in place:
                return re.sub(r"\{([\w.]+)\}", lambda at: quote(_line(_at(item, at[1])), safe=""), place)
            return _at(item, place)
        kind: type = list if name == "items" else object
        found = (item[usual] for usual in self.USUAL[name] if item.get(usual) not in (None, ""))
        return next((value for value in found if isinstance(value, kind)), None)


def _suggestions(said: Any) -> bool:
    return isinstance(said, list) and 2 <= len(said) <= 4 and isinstance(said[0], str) and isinstance(said[1], list)


def _at(item: Any, path: str) -> Any:
    """What stands at ``a.b.0.c`` of nested objects and lists; nothing where there is nothing."""
    for step in path.split("."):
        if isinstance(item, list):
            item = item[int(step)] if step.isdecimal() and int(step) < len(item) else None
        else:
            item = item.get(step) if isinstance(item, dict) else None
    return item


SHAPES: dict[str, Shape] = {"json": Mapped(), "mediawiki": MediaWiki(), "stackexchange": StackExchange()}


# Descriptions -----------------------------------------------------------------------------------------------------

_KEPT_SECONDS = 3600.0
_descriptions: dict[str, tuple[float, str]] = {}
"""Templates by the address of their description, and until when: the same for everybody."""


def _template(door: Door, address: str, headers: Mapping[str, str], end: float) -> str:
    """The template for JSON that an OpenSearch description names."""
    until, template = _descriptions.get(address, (0.0, ""))
    if until < time.monotonic():
        status, _, _, body = _get(door, address, headers, end)
        if status != 200:
            raise LiveFailure(f"does not give its description ({status})")
        template = _template_in(body, address)
        if len(_descriptions) > 100:
            _descriptions.clear()
        _descriptions[address] = (time.monotonic() + _KEPT_SECONDS, template)
    return template


def _template_in(body: bytes, base: str) -> str:
    options = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}
    try:
        root = etree.fromstring(body, etree.XMLParser(**options))
    except (etree.XMLSyntaxError, ValueError):
        raise LiveFailure("gives a description that cannot be read") from None
    offered: dict[str, str] = {
        element.get("type", "").partition(";")[0].strip().lower(): element.get("template", "")
        for element in root.iter("{*}Url")
        if element.get("rel", "results") in ("results", "suggestions") and element.get("method", "get").lower() == "get"
    }
    for kind in ("application/json", "application/x-suggestions+json"):
        if offered.get(kind):
            return urljoin(base, offered[kind].strip())
    raise LiveFailure("offers no answers as JSON in its description", detail=f"It offers: {', '.join(offered)[:200]}")
