"""Front matter: the values that may stand before the text of a page, in every text format alike.

Whoever writes an audience means it. Where a page's head names one in a way
that is not understood, the page is for nobody until it is mended: silence
would show to everyone what somebody meant to narrow.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import yaml

LIMIT = 32_768
"""Characters of front matter that are read, and of a head that is searched for an audience."""

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_BLANK = " \t\n\r\x0b\x0c\xa0" + _INVISIBLE
HIDDEN = re.compile(f"[{_INVISIBLE}]")

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_VALUE = re.compile(r"^[ \t]*[\w-]{1,40}[ \t]*:", re.M)

# A line that gives an audience, or a part of a line in braces. The blanks before it are few: no text makes it slow.
_AUDIENCE = re.compile(
    r"(?:^[ \t\xa0:;\"'?\[{,<!-]{0,80}|[{,]\s{0,9}[\"']?)audience[\"'\]]{0,2}[ \t\xa0]{0,80}[:=：]", re.I | re.M
)
# What may stand before a fence without being the page's text: comments, declarations, a heading right above it.
_ABOVE = re.compile(
    r"(?:\s|<!--.*?-->|<[!?%][^<>]{0,300}>|\{#.*?#\}|\{%.*?%\}|#{1,6} [^\n]*\n\s*(?=[-+]{3,}[^\n]*\n\S))*", re.S
)
_OPENING = re.compile(r"[-+~`;]{2,}|[–—]|\{(?!\{)|:\w|<!--")
_CLOSING = re.compile(r"\s*(?:[-+~`;]{3,}|\.\.\.|-->)\s*$")
_ENTRY = re.compile(r"[\s\-\[\]{}\"'%:,]|[\w .-]{1,60}[:=：]")

UNREAD = (
    "it names an audience in a way that is not read, so nobody sees it until it begins with three lines such as "
    "“---”, “audience: [finance]” and “---”"
)
TWICE = (
    "its front matter names an audience twice or within another value, so nobody sees it until there is one line "
    "such as “audience: [finance]”"
)
NOBODY: dict[str, Any] = {"audience": []}


class _Loader(yaml.SafeLoader):
    """Safe YAML without aliases: nothing in it can stand for more than is written."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read in front matter")
        return super().compose_node(parent, index)


def front_matter(text: str) -> tuple[dict[str, Any], str, str]:
    """Parse ``---`` front matter: (values with lower-case keys, the rest, the reason if it cannot be read).

    A page whose front matter cannot be read is still a page. If its head names
    an audience that is not understood, the values hold an empty ``audience``.
    """
    page = text.lstrip(_BLANK)
    found = _FRONT.match(page)
    if not found:
        return (dict(NOBODY), text, UNREAD) if _names(_head(page)) else ({}, text, "")
    source, rest = found.group(1), page[found.end() :]
    if len(source) > LIMIT:
        reason = f"the front matter is longer than {LIMIT // 1024} kB: keep it to titles, topics and dates"
        return _unread(source, rest, reason)
    try:
        values, clear = _values(source)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError, AttributeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 2})" if mark else ""
        return _unread(source, rest, f"the front matter is not valid YAML{place}: often a value with a colon in quotes")
    if values is None:
        return {}, rest, ""
    if not isinstance(values, dict):
        if _VALUE.search(source) or _names(source):
            return _unread(source, rest, "the front matter is not a list of “name: value” lines")
        return {}, text, ""  # a rule and a paragraph, not front matter
    front = {_key(key): value for key, value in values.items()}
    if not clear:
        return front | NOBODY, rest, TWICE
    if rest.lstrip(_BLANK).startswith(("---", "+++")) and _names(_head(rest.lstrip(_BLANK))):
        return front | NOBODY, rest, UNREAD
    return front, rest, ""


def _unread(source: str, rest: str, reason: str) -> tuple[dict[str, Any], str, str]:
    if not _names(source):
        return {}, rest, reason
    return dict(NOBODY), rest, f"{reason}; it names an audience, so nobody sees the page until it is mended"


def _names(head: str) -> bool:
    return bool(_AUDIENCE.search(HIDDEN.sub("", head)))


def _key(key: Any) -> str:
    return HIDDEN.sub("", unicodedata.normalize("NFKC", str(key))).strip().casefold()


def _values(source: str) -> tuple[Any, bool]:
    """What the YAML says, and whether it is clear about an audience: named at most once, as a value of the page."""
    loader = _Loader(source)
    try:
        top = loader.get_single_node()
        named = own = 0
        waiting = [top] if top is not None else []
        while waiting:
            node = waiting.pop()
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    hit = isinstance(key, yaml.ScalarNode) and _key(key.value) == "audience"
                    named, own = named + hit, own + (hit and node is top)
                    waiting += [key, value]
        return (None if top is None else loader.construct_document(top)), named == own <= 1
    finally:
        loader.dispose()


def _head(page: str) -> str:
    """What stands before a page's text and looks like front matter, though it is none; empty when nothing does."""
    start = page[:LIMIT]
    above = _ABOVE.match(start)
    at = above.end() if above else 0
    if not _OPENING.match(start, at):
        return start[:at]
    first, *lines = start[at:].split("\n")
    kept, filled, previous = [first], False, first
    for line in lines:
        if filled and _CLOSING.match(line):
            break
        if line.strip() and not previous.strip() and not _ENTRY.match(line):
            break  # the page's text begins: what looks like a value there is none
        kept.append(line)
        filled, previous = filled or bool(line.strip()), line
    return start[:at] + "\n".join(kept)
