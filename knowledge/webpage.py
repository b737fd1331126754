"""A web page's bytes as clean text: its main part where one can be told, else all of its body.

Runs in the child process of `sandbox`. Links are handed back as written, so
that a crawler needs no parser of its own.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import lxml.html
import trafilatura
from lxml import etree

from knowledge import markup
from knowledge.front import front_matter
from knowledge.markup import Extracted, clean, clean_line, moment

MAX_LINKS = 5_000
SOME, MOST = 0.15, 0.7
"""A main part is taken when it is between these shares of the page's words: less is not trusted to be all of it,
and more means that there is little else, so that the whole, whose lists and tables are complete, is better."""

_SILENT = {"script", "style", "noscript", "template", "svg", "iframe", "object", "nav", "form", "button", "select"}
_EDGES = {"header", "footer", "aside"}
_BLOCKS = {
    "p", "div", "section", "article", "main", "header", "footer", "aside", "figure", "figcaption", "blockquote",
    "ul", "ol", "dl", "dt", "dd", "table", "details", "summary", "address", "fieldset", "body", "center",
}  # fmt: skip
_MENU_ROLES = {"navigation", "banner", "contentinfo", "search", "complementary", "dialog"}
_MENU_NAME = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|sidebar|breadcrumbs?|cookies?|footer|skip-?link|pagination)(?:$|[\s_-])",
    re.I,
)
_CHARSET = re.compile(rb"<meta[^>]{0,300}charset\s{0,5}=\s{0,5}[\"']?([\w.:-]{1,40})", re.I)


def webpage(data: bytes, charset: str) -> Extracted:
    """Main text, title, language, dates, author, links, canonical address and robots words of an HTML page."""
    from knowledge.parsers import decode

    declared = _CHARSET.search(data[:4096])
    text = clean(decode(data, charset or (declared.group(1).decode() if declared else "")))
    front, text, reason = front_matter(text)
    notes = (reason,) if reason else ()
    text = re.sub(r"\A\s*<\?xml[^>]{0,300}\?>", "", text)
    if not text.strip():
        return Extracted(front=front, notes=(*notes, "it is empty"))
    try:
        tree = lxml.html.document_fromstring(text, parser=lxml.html.HTMLParser(huge_tree=False, no_network=True))
    except etree.ParserError:
        return Extracted(front=front, notes=(*notes, "it is empty"))
    said = _meta(tree)
    links, canonical = _links(tree)
    whole = _lines(tree)
    body = _main(text, whole)
    page = markup.titled(body, front, "")
    top = [_words(element) for element in tree.iter("h1")]
    named = clean_line(tree.findtext(".//title") or "")
    title = clean_line(top[0]) if len(top) == 1 and top[0] else _site_left_out(named, said) or page.title
    title = page.title if front.get("title") else title
    first, _, rest = page.body.partition("\n")
    return Extracted(
        title=title,
        body=rest.lstrip("\n") if first.startswith("#") and clean_line(first.lstrip("#")) == title else page.body,
        headings=page.headings,
        language=page.language
        or markup.language(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or ""),
        authors=tuple(filter(None, [clean_line(said.get("author", ""), 200)])),
        created=moment(said.get("article:published_time") or said.get("dcterms.created")),
        updated=moment(said.get("article:modified_time") or said.get("dcterms.modified")),
        links=links,
        canonical=canonical,
        robots=said.get("robots", "").lower(),
        front=front,
        notes=notes,
    )


def _meta(tree: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = (element.get("name") or element.get("property") or "").lower()
        if name and name not in found:
            found[name] = (element.get("content") or "").strip()
    return found


def _site_left_out(title: str, front: dict[str, str]) -> str:
    """``Leave | Handbook`` is ``Leave`` where the page says that its site is called so."""
    site = clean_line(front.get("og:site_name", ""))
    if site and title.endswith(site) and title != site:
        return title[: -len(site)].rstrip(" |-–—·:»")
    return title


def _links(tree: Any) -> tuple[tuple[str, ...], str]:
    """Link targets as written (made whole by a ``<base>``, if there is one), and the canonical one."""
    base = next((element.get("href") or "" for element in tree.iter("base")), "").strip()
    canonical = ""
    links: dict[str, None] = {}
    for element in tree.iter("a", "area", "link"):
        target = (element.get("href") or "").strip()
        if not target:
            continue
        if element.tag == "link":
            if "canonical" in (element.get("rel") or "").lower().split() and not canonical:
                canonical = _joined(base, target)
        elif len(links) < MAX_LINKS and "nofollow" not in (element.get("rel") or "").lower().split():
            links[_joined(base, target)] = None
    return tuple(links), canonical


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target) if base else target
    except ValueError:
        return target


def _main(text: str, whole: list[str]) -> list[str]:
    """The main part by trafilatura where the page is full of other things; else all of the body."""
    total = sum(map(len, whole))
    if total < 400:
        return whole
    found = trafilatura.extract(
        text,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_formatting=True,
        include_links=False,
        favor_recall=True,
        with_metadata=False,
    )
    if found and SOME * total < len(found) < MOST * total:
        return markup.markdown(found.lstrip("- \n")).body.split("\n")
    return whole


# The whole body -----------------------------------------------------------------------------------------------------


def _lines(tree: Any) -> list[str]:
    """The body as Markdown lines, without menus and scripts; headers and footers only if nothing else is there."""
    body = tree.find(".//body")
    root = body if body is not None else tree
    main = root.find(".//main")
    writer = _Writer()
    writer.block(main if main is not None else root, skip=_SILENT | _EDGES)
    if not any(writer.lines):
        writer = _Writer()
        writer.block(root, skip=_SILENT)
    return writer.lines


class _Writer:
    """Writes elements as Markdown lines, without recursion deeper than the parser's own limit."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []

    def flush(self, mark: str = "") -> None:
        words = " ".join("".join(self.line).split())
        self.line = []
        if words:
            self.lines.append(mark + words)

    def block(self, element: Any, skip: set[str], depth: int = 0) -> None:
        """One element with what is in it."""
        tag = element.tag if isinstance(element.tag, str) else ""
        if not tag or tag in skip or element.get("hidden") is not None or (skip >= _EDGES and _is_menu(element)):
            return
        if depth > 300:
            self.line.append(" " + " ".join(part for part in element.itertext() if isinstance(part, str))[:100_000])
            return
        if re.fullmatch("h[1-6]", tag):
            self.flush()
            words = _words(element)
            self.lines += ["", f"{'#' * int(tag[1])} {words}", ""] if words else [""]
        elif tag == "pre":
            self.flush()
            self.lines += ["", "```", *(element.text_content().strip("\n").split("\n")), "```", ""]
        elif tag == "tr":
            self.flush()
            cells = [_words(cell).replace("|", "/") for cell in element if cell.tag in ("td", "th")]
            if any(cells):
                self.lines.append("| " + " | ".join(cells) + " |")
                if element.getprevious() is None and any(cell.tag == "th" for cell in element):
                    self.lines.append("|" + " --- |" * len(cells))
        elif tag == "br":
            self.line.append(" ")
        else:
            own = tag in _BLOCKS or tag == "li"
            if own:
                self.flush()
                self.lines += [] if tag == "li" else [""]
            if tag == "li":
                self.line.append("- ")
            elif tag == "code":
                self.line.append("`")
            self.line.append(element.text or "")
            for child in element:
                self.block(child, skip, depth + 1)
                self.line.append(child.tail or "")
            if tag == "code":
                self.line.append("`")
            if own:
                self.flush()
                self.lines += [] if tag == "li" else [""]


def _is_menu(element: Any) -> bool:
    if element.get("role") in _MENU_ROLES:
        return True
    return element.tag in ("div", "section", "ul") and bool(
        _MENU_NAME.search(f"{element.get('id') or ''} {element.get('class') or ''}"[:300])
    )


def _words(element: Any) -> str:
    return clean_line(element.text_content(), 2_000)
