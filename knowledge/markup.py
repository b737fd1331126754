"""Text in, clean Markdown-flavoured text out: pure functions for Markdown, reStructuredText and plain text.

`extract` runs them in a child process for files; `evaluate_search` and other
callers with text of their own call them directly. What they leave: headings as
``#`` lines, lists as ``- ``, code in fences, tables, and the words of links.
What they take away: link targets, images, comments, template tags, raw HTML,
control characters. Every repeat in a pattern is bounded, so that no text
makes them slow.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from knowledge.front import front_matter

TITLE_LIMIT = 400

# Everything below space but newline and tab, DEL, C1 controls, lone surrogates, non-characters, BOM.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a file says, cleaned: the values that every format can give.

    ``front`` is the front matter with lower-case keys; ``notes`` are reasons, for a
    person, why something of the file was left out. ``links`` (as written) and
    ``canonical`` and ``robots`` are known of HTML alone.
    """

    title: str = ""
    body: str = ""
    headings: tuple[str, ...] = ()
    language: str = ""
    front: Mapping[str, Any] = field(default_factory=dict)
    authors: tuple[str, ...] = ()
    created: datetime | None = None
    updated: datetime | None = None
    notes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    canonical: str = ""
    robots: str = ""


def clean(text: str) -> str:
    """The text with newlines made one kind and without control characters and lone surrogates."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_line(text: str, limit: int = TITLE_LIMIT) -> str:
    """One line of at most ``limit`` characters, without marks that turn the direction of reading."""
    line = " ".join(_DIRECTION_MARKS.sub("", clean(text)).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


_ODD_IN_NAMES = re.compile(rf"{_CONTROLS.pattern}|\\(?:u[0-9a-f]{{4}}|x[0-9a-f]{{2}})")
"""Control characters and bytes that are no text, also as `connectors.files.readable_name` writes them."""
_NAME_ENDINGS = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]{0,7}){1,3}$")


def title_of_name(path: str) -> str:
    """A title from a file's path: ``guides/annual-leave.html.md`` is "Annual leave", ``guides/index.md`` "Guides"."""
    *folders, name = _ODD_IN_NAMES.sub(" ", path).replace("\\", "/").rstrip("/").split("/")
    stem = _NAME_ENDINGS.sub("", name) or name
    if stem.lower() in ("index", "readme", "_index", "default") and folders and folders[-1]:
        stem = folders[-1]
    words = clean_line(re.sub(r"[-_+\s]+", " ", re.sub(r"(?:%20)+", " ", stem)))
    words = words or clean_line(stem)
    return words[:1].upper() + words[1:]


def moment(value: Any) -> datetime | None:
    """An aware datetime from what front matter, a meta tag or a table holds; `None` when it is no date."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = datetime.fromisoformat(text.replace("Z", "+00:00") if text.endswith("Z") else text)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None


def plain(text: str) -> Extracted:
    """Plain text as it is; a title that its front matter does not give is left to the file's name."""
    front, rest, reason = front_matter(clean(text))
    page = titled([], front, "")
    return replace(page, body=_settle(rest.split("\n")), notes=(reason,) if reason else ())


# Markdown -----------------------------------------------------------------------------------------------------------

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]{0,30})")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_SCRIPT = re.compile(r"<(script|style|svg)\b[^>]{0,2000}>.*?(?:</\1\s{0,9}>|\Z)", re.S | re.I)
_TEMPLATE_BLOCK = re.compile(r"<%.{0,4000}?%>|\{%.{0,4000}?%\}|\{#.{0,4000}?#\}", re.S)
_TEMPLATE_VALUE = re.compile(r"\{\{[^{}\n]{0,300}\}\}")
_HEADING_TAG = re.compile(r"<h([1-6])\b[^<>]{0,500}>", re.I)
_BREAK_TAG = re.compile(r"</(?:p|div|h[1-6]|tr|table|ul|ol|section|details|summary)\s{0,9}>", re.I)
_ITEM_TAG = re.compile(r"<li\b[^<>]{0,500}>", re.I)
_CELL_TAG = re.compile(r"</t[dh]\s{0,9}>", re.I)
_TAG = re.compile(r"</?[a-zA-Z][\w:-]{0,40}(?:\s[^<>]{0,4000})?/?>")
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^\s<>]{1,1000})>")
_TARGET = r"\((?:[^()\n]|\([^()\n]{0,300}\)){0,2000}\)"
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,600}\](?:" + _TARGET + r"|\[[^\[\]\n]{0,200}\])")
_LINK = re.compile(r"\[([^\[\]]{0,600})\](?:" + _TARGET + r"|\[[^\[\]\n]{0,200}\])")
_WIKI = re.compile(r"\[\[(?:[^\[\]|\n]{0,300}\|)?([^\[\]|\n]{1,300})\]\]")
_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]{1,300}\]:[ \t]*\S.{0,2000}$")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\n]{1,60}\]:?")
_SHORTCUT = re.compile(r"\[([^\[\]\n]{1,200})\](?![(\[:])")
_CODE_SPAN = re.compile(r"(`{1,3}[^`\n]{1,2000}`{1,3})")
_STRONG = re.compile(r"(\*\*|__)(?=\S)((?:[^\n]|\n(?!\n)){1,600}?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=[^\s*_])([^*_\n]{1,500})(?<=\S)\1(?![\w*])")
_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_ATTRIBUTES = re.compile(r"\s*\{[:#.][^{}\n]{0,300}\}\s*$")
_BULLET = re.compile(r"^(\s*)[*+-][ \t]+")
_RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_ADMONITION = re.compile(r"^\s*(?::::*|\^\^\^|\$[A-Z]{1,3}$)")


def markdown(text: str, *, title: str = "") -> Extracted:
    """Clean a Markdown page (front matter, ERB and Jinja tags, raw HTML and link targets are taken out).

    The title is the front matter's, else that of the first top heading or of a
    heading that opens the page, else ``title``, else any heading's. A heading that
    opens the page and became its title is not said again in the body.
    """
    front, rest, reason = front_matter(clean(text))
    lines: list[str] = []
    prose: list[str] = []
    fence = ""
    for line in rest.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            closes = mark and mark.group(1).startswith(fence) and not line.strip().strip(fence[0])
            lines.append("```" if closes else line)
            fence = "" if closes else fence
        elif mark and not (mark.group(1)[0] == "`" and "`" in line[mark.end(1) :]):
            lines.extend(_prose(prose))
            prose = []
            fence = mark.group(1)
            lines.append("```" + mark.group(2))
        else:
            prose.append(line)
    lines.extend(_prose(prose))
    if fence:
        lines.append("```")
    page = titled(lines, front, title)
    return replace(page, notes=(reason,) if reason else ())


def inline(text: str) -> str:
    """Markdown without marks, targets and tags; what stands in backquotes stays as it is."""
    parts = _CODE_SPAN.split(text)
    for at in range(0, len(parts), 2):
        parts[at] = _inline(parts[at])
    return "".join(parts)


def _inline(text: str) -> str:
    if "[" in text:
        text = _IMAGE.sub("", text)
        text = _FOOTNOTE.sub("", text)
        text = _LINK.sub(r"\1", _LINK.sub(r"\1", text))
        text = _WIKI.sub(r"\1", text)
        text = _SHORTCUT.sub(lambda m: m.group(0) if m.group(1) in {" ", "x", "X"} else m.group(1), text)
    if "*" in text or "_" in text:
        text = _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text))
    text = text.replace("\\_", "_").replace("\\*", "*").replace("\\#", "#")
    return html.unescape(text) if "&" in text else text


def _prose(lines: list[str]) -> list[str]:
    """Lines outside fences, cleaned: first what spans lines, then line by line."""
    if not lines:
        return []
    text = "\n".join(lines)
    if "<" in text or "{" in text:
        parts = _CODE_SPAN.split(text)
        for at in range(0, len(parts), 2):
            parts[at] = _TEMPLATE_VALUE.sub("", _TEMPLATE_BLOCK.sub("", _COMMENT.sub("", parts[at])))
        text = "".join(parts)
        text = _SCRIPT.sub("", text)
        parts = _CODE_SPAN.split(text)
        for at in range(0, len(parts), 2):
            parts[at] = _untagged(parts[at])
        text = "".join(parts)
    result: list[str] = []
    for line in text.split("\n"):
        if _DEFINITION.match(line) or _ADMONITION.match(line):
            continue
        under = _SETEXT.match(line)
        if under and result and result[-1].strip() and not result[-1].lstrip().startswith(("#", "- ", ">", "|")):
            result[-1] = ("# " if under.group(1)[0] == "=" else "## ") + _ATTRIBUTES.sub("", result[-1]).strip()
            continue
        if _RULE.match(line):
            result.append("")
            continue
        heading = _ATX.match(line)
        if heading:
            words = inline(_ATTRIBUTES.sub("", heading.group(2) or "")).strip()
            result.append(f"{heading.group(1)} {words}" if words else "")
            continue
        result.append(_BULLET.sub(r"\1- ", _ATTRIBUTES.sub("", line)))
    return inline("\n".join(result)).split("\n")  # links and bold words may run over a line's end


def _untagged(text: str) -> str:
    """Text without HTML tags; the tags that shape a page leave their shape."""
    if "<" not in text:
        return text
    text = _AUTOLINK.sub(r"\1", text)
    text = _HEADING_TAG.sub(lambda m: "\n\n" + "#" * int(m.group(1)) + " ", text)
    text = _ITEM_TAG.sub("\n- ", text)
    text = _CELL_TAG.sub(" | ", text)
    text = _BREAK_TAG.sub("\n", text)
    text = re.sub(r"<br\s{0,9}/?>", " ", text, flags=re.I)
    return _TAG.sub("", text)


def titled(lines: list[str], front: Mapping[str, Any], fallback: str) -> Extracted:
    """Settle the lines and find title, headings and language."""
    body = _settle(lines)
    headings = headings_of(body)
    named = front.get("title")
    title = clean_line(inline(html.unescape(str(named)))) if isinstance(named, (str, int, float)) else ""
    first, _, rest = body.partition("\n")
    if not title and headings:
        top = re.search(r"^# (.+)$", body, re.M)
        own = headings[0] if first.startswith("#") else top.group(1) if top and top.group(1) in headings else ""
        title = clean_line(own or fallback or headings[0])
    title = title or clean_line(fallback)
    if first.startswith("#") and clean_line(first.lstrip("#")) == title:
        body = rest.lstrip("\n")
    said = front.get("lang") or front.get("language") or front.get("locale")
    return Extracted(title, body, headings, language(said if isinstance(said, str) else ""), front)


def headings_of(body: str) -> tuple[str, ...]:
    """The words of the ``#`` lines outside fences."""
    if "#" not in body:
        return ()
    found = []
    fenced = False
    for line in body.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and line.startswith("#") and (heading := _ATX.match(line)) and heading.group(2):
            found.append(heading.group(2).strip())
    return tuple(found)


def language(tag: str) -> str:
    """A declared language tag such as ``en-GB`` as ``en-gb``; empty when it is none."""
    found = re.fullmatch(r"([a-zA-Z]{2,3})(?:[-_]([a-zA-Z0-9]{2,8}))?(?:[-_][\w-]{1,20})?", tag.strip())
    if not found:
        return ""
    return "-".join(part.lower() for part in found.groups() if part)[:12]


def _settle(lines: list[str]) -> str:
    """Join lines: trailing blanks gone, at most one empty line in a row outside fences."""
    result: list[str] = []
    fenced = False
    for line in map(str.rstrip, lines):
        if line.startswith("```"):
            fenced = not fenced
        if not line and not fenced and (not result or not result[-1]):
            continue
        result.append(line)
    return "\n".join(result).strip("\n")


# reStructuredText ---------------------------------------------------------------------------------------------------

_RST_RULE = re.compile(r"^([=\-~^\"'`#*+.:_])\1{2,}\s*$")
_RST_DIRECTIVE = re.compile(r"^(\s*)\.\. (?:\|[^|\n]{1,100}\| )?([\w:-]{1,60})::[ \t]*(.*)$")
_RST_ROLE = re.compile(r":[\w:.+-]{1,60}:`([^`\n]{1,600})`")
_RST_LINK = re.compile(r"`([^`<>]{1,600}?)\s*(?:<[^<>`]{1,1000}>)?`__?(?!\w)")
_RST_LITERAL = re.compile(r"``([^`\n]{1,1000})``")
_RST_SILENT = {"image", "figure", "contents", "toctree", "include", "raw", "index", "highlight", "meta", "replace"}
_RST_CODE = {"code", "code-block", "sourcecode", "literalinclude"}


def restructured(text: str, *, title: str = "") -> Extracted:
    """Clean a reStructuredText page: headings as ``#`` lines, code in fences, roles and links as their words."""
    front, rest, reason = front_matter(clean(text))
    lines = rest.split("\n")
    result: list[str] = []
    levels: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        after = lines[at] if at < len(lines) else ""
        over = _RST_RULE.match(line)
        if over and after.strip() and at + 1 < len(lines) and _RST_RULE.match(lines[at + 1]):
            result += ["", _rst_heading(after, line[0] * 2, levels), ""]
            at += 2
        elif line.strip() and not line.startswith((" ", "..")) and (rule := _RST_RULE.match(after)):
            result += ["", _rst_heading(line, rule.group(1), levels), ""]
            at += 1
        elif directive := _RST_DIRECTIVE.match(line):
            indent, name, argument = len(directive.group(1)), directive.group(2), directive.group(3)
            block, at = _indented(lines, at, indent)
            block = [inner for inner in block if not re.match(r"^\s*:[\w-]{1,40}:", inner)]
            if name in _RST_CODE:
                result += ["", f"```{argument}" if name != "literalinclude" else "```", *_dedented(block), "```", ""]
            elif name not in _RST_SILENT:
                lines[at:at] = ["", argument, *_dedented(block), ""]
        elif line.lstrip().startswith(".. "):
            _, at = _indented(lines, at, len(line) - len(line.lstrip()))
        elif line.rstrip().endswith("::"):
            result.append(_rst_inline(_BULLET.sub(r"\1- ", line.rstrip()[:-1])))
            block, at = _indented(lines, at, len(line) - len(line.lstrip()))
            result += ["", "```", *_dedented(block), "```", ""]
        elif not over:
            result.append(_rst_inline(_BULLET.sub(r"\1- ", line)))
    return replace(titled(result, front, title), notes=(reason,) if reason else ())


def _rst_heading(words: str, mark: str, levels: list[str]) -> str:
    if mark not in levels:
        levels.append(mark)
    return "#" * min(levels.index(mark) + 1, 6) + " " + _rst_inline(words.strip())


def _rst_inline(line: str) -> str:
    line = _RST_ROLE.sub(lambda m: re.sub(r"\s*<[^<>]{1,1000}>$", "", m.group(1)).lstrip("~!"), line)
    line = _RST_LINK.sub(r"\1", line)
    line = re.sub(r"\|[^|\s][^|\n]{0,60}\|", "", line) if "|" in line else line
    return _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", _RST_LITERAL.sub(r"`\1`", line)))


def _indented(lines: list[str], at: int, indent: int) -> tuple[list[str], int]:
    """Lines from ``at`` that are empty or deeper than ``indent``, and the place after them."""
    start = at
    while at < len(lines) and (not lines[at].strip() or len(lines[at]) - len(lines[at].lstrip()) > indent):
        at += 1
    return lines[start:at], at


def _dedented(lines: list[str]) -> list[str]:
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    block = [line[depth:] for line in lines]
    while block and not block[0].strip():
        block.pop(0)
    while block and not block[-1].strip():
        block.pop()
    return block
