"""A resource's body as HTML that is safe to show, with the headings that lead through it.

The body is text of strangers. It is read as Markdown with raw HTML turned
off, and what comes out is cleaned once more by an allow-list, so that a fault
in one of the two lets nothing through. Pictures become their words: they
would be fetched from outside, which tells the outside who reads what.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from knowledge.outline import PAGE, Anchors, page_anchor

LIMIT = 100_000
"""Characters that are shown; what is longer is read at its source."""
DEAREST = 60_000
"""What `_cost` may come to, in some hundred-thousandths of a second; what is dearer is shown as it is written."""
MARKS = re.compile(r"[\[*_~`<!&\\]")
DEEPEST = 6
PAGE_MARK = re.compile("\ue000(\\d{1,6})\ue000")
"""What stands for the beginning of a page while the body is read as Markdown."""
TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "pre": {"tabindex"}, "div": {"tabindex", "role", "aria-label", "id"}} | {
    f"h{level}": {"id"} for level in range(2, DEEPEST + 1)
}


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading of a body: where it is, what it says, and how deep it stands (2 is the highest)."""

    id: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A body made ready for a page. ``cut`` says that only its beginning is shown."""

    html: SafeString
    headings: tuple[Heading, ...]
    cut: bool


class _Renderer(RendererHTML):
    """Tables and code may be wider than a telephone: they scroll in a region that the keyboard reaches."""

    def table_open(self, tokens: Any, at: int, options: Any, env: Any) -> str:
        env["tables"] = env.get("tables", 0) + 1  # each region has a name of its own
        region = f'<div class="scroll-x" tabindex="0" role="region" aria-label="Table {env["tables"]}">'
        return region + self.renderToken(tokens, at, options, env)

    def table_close(self, tokens: Any, at: int, options: Any, env: Any) -> str:
        return self.renderToken(tokens, at, options, env) + "</div>\n"

    def fence(self, tokens: Any, at: int, options: Any, env: Any) -> str:
        return super().code_block(tokens, at, options, env).replace("<pre>", '<pre tabindex="0">', 1)

    def code_block(self, tokens: Any, at: int, options: Any, env: Any) -> str:
        return super().code_block(tokens, at, options, env).replace("<pre>", '<pre tabindex="0">', 1)


@cache
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False}, renderer_cls=_Renderer)
    return made.enable(["table", "strikethrough"])


def render(body: str, *, title: str = "", base: str = "") -> Reading:
    """The first `LIMIT` characters of ``body`` as HTML; a first heading that repeats ``title`` is left out.

    Links are resolved against ``base``, the resource's own address, and lose
    their target where there is none, or where it is neither http nor https.
    Text that is all marks (thousands of columns, of brackets) takes seconds to
    read as Markdown and is worth nothing so: it is shown as it is written.
    """
    if _cost(body[:LIMIT]) > DEAREST:
        return Reading(format_html('<pre tabindex="0">{}</pre>\n', body[:LIMIT]), (), len(body) > LIMIT)
    markdown = _markdown()
    tokens = _without_title(markdown.parse(_with_pages(body[:LIMIT])), title)
    _without_pictures(tokens)
    _place_pages(tokens)
    headings = _place_headings(tokens)
    html = nh3.clean(
        markdown.renderer.render(tokens, markdown.options, {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes={"div": {"scroll-x", "page-mark"}},
        url_schemes={"http", "https"},
        url_relative=("rewrite_with_base", base) if base else "deny",
        link_rel="noopener noreferrer",
    )
    return Reading(mark_safe(html), tuple(headings), len(body) > LIMIT)  # noqa: S308 - cleaned in the line above


def _cost(text: str) -> int:
    """How dear it is to read: lines, pages, brackets, marks, and cells of tables, whose rows are filled up."""
    lines = text.split("\n")
    cells = rows = widest = 0
    for line in [*lines, ""]:
        if line.strip(" \t>"):
            rows, widest = rows + 1, max(widest, line.count("|"))
        else:
            cells, rows, widest = cells + rows * widest, 0, 0
    return 4 * (len(lines) + text.count(PAGE)) + 2 * cells + 2 * len(MARKS.findall(text))


def _plain(inline: Token) -> str:
    return "".join(part.content for part in inline.children or ()).strip()


def _without_title(tokens: list[Token], title: str) -> list[Token]:
    if len(tokens) > 2 and tokens[0].type == "heading_open" and _plain(tokens[1]).casefold() == title.casefold():
        return tokens[3:]
    return tokens


def _with_pages(body: str) -> str:
    """The body with a paragraph of its own where each further page of a paginated original begins."""
    if PAGE not in body:
        return body
    first, *pages = body.split(PAGE)
    return first + "".join(f"\n\n\ue000{number}\ue000\n\n{page}" for number, page in enumerate(pages, 2))


def _place_pages(tokens: list[Token]) -> None:
    """Make a line that says the number, with an address, of each beginning of a page."""
    for at, token in enumerate(tokens):
        if token.type == "inline" and (found := PAGE_MARK.fullmatch(token.content)) and tokens[at - 1].tag == "p":
            tokens[at - 1].tag = tokens[at + 1].tag = "div"
            tokens[at - 1].attrs = {"id": page_anchor(int(found[1])), "class": "page-mark"}
            tokens[at - 1].hidden = tokens[at + 1].hidden = False
            for part in token.children or ():
                part.content = f"Page {int(found[1])}"


def _without_pictures(tokens: list[Token]) -> None:
    for token in tokens:
        for part in token.children or ():
            if part.type == "image":
                part.type, part.tag, part.attrs = "text", "", {}


def _place_headings(tokens: list[Token]) -> list[Heading]:
    """Give each heading an address and a level below the page's own, none skipped (screen readers go by them)."""
    found: list[Heading] = []
    stack: list[int] = []
    anchors = Anchors()
    for at, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        written = int(token.tag[1:])
        while stack and stack[-1] >= written:
            stack.pop()
        stack.append(written)
        level = min(len(stack) + 1, DEEPEST)
        text = _plain(tokens[at + 1])
        heading = Heading(anchors.of(text), text, level)
        token.tag = tokens[at + 2].tag = f"h{level}"
        token.attrSet("id", heading.id)
        found.append(heading)
    return found
