"""Bytes of a file in, clean text out: HTML, Markdown, reStructuredText, plain text, PDF, Word, PowerPoint, captions.

All of them are parsed in the child process of `sandbox`, the simple ones too:
a guess at an encoding, YAML or a pattern on 50 MB of somebody's text may take
its time anywhere. A round trip costs about a tenth of a millisecond. For text
that is one's own, `markdown`, `restructured` and `plain` are plain functions.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from knowledge.markup import Extracted, markdown, plain, restructured, title_of_name
from knowledge.sandbox import LIMITS, ExtractionError, Limits, in_child

VERSION = 4
"""Raised whenever the same bytes would give another text, or one at last: connectors put it into versions."""

SUFFIXES = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".mdown": "markdown",
    ".txt": "plain",
    ".text": "plain",
    ".rst": "restructured",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    ".vtt": "captions",
    ".srt": "captions",
}
TEMPLATE_SUFFIXES = {".erb", ".j2", ".jinja", ".jinja2", ".njk", ".liquid"}
"""Endings that stand behind the real one: ``standards.html.md.erb`` is Markdown."""

SUPPORTED = frozenset(SUFFIXES)

CONTENT_TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/x-rst": "restructured",
    "text/plain": "plain",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "text/vtt": "captions",
    "application/x-subrip": "captions",
}

__all__ = [
    "CONTENT_TYPES",
    "LIMITS",
    "SUPPORTED",
    "VERSION",
    "Extracted",
    "ExtractionError",
    "Limits",
    "extract",
    "format_of",
    "markdown",
    "plain",
    "restructured",
]


def format_of(name: str, content_type: str = "") -> str:
    """The format that a file's name, else its content type, says; empty when it is none that can be read."""
    endings = [ending.lower() for ending in PurePosixPath(name.replace("\n", " ")).suffixes]
    while endings and endings[-1] in TEMPLATE_SUFFIXES:
        endings.pop()
    if endings and endings[-1] in SUFFIXES:
        return SUFFIXES[endings[-1]]
    return CONTENT_TYPES.get(content_type.partition(";")[0].strip().lower(), "")


def extract(data: bytes, name: str, content_type: str = "", *, limits: Limits = LIMITS) -> Extracted:
    """Read a file's bytes. ``name`` is its name or path, ``content_type`` what a server said of it, if one did.

    What a server says goes before the name's ending, except ``text/plain``, which
    says little. Where the text names no title, it is the words of the name.
    Raises `ExtractionError` with a reason and its cure.
    """
    kind = content_type.partition(";")[0].strip().lower()
    said = CONTENT_TYPES.get(kind, "") if kind != "text/plain" else ""
    form = said or format_of(name, content_type)
    if not form:
        raise ExtractionError(f"It is of no type that can be read. Types that can: {', '.join(sorted(SUPPORTED))}.")
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.I)
    arguments = {"form": form, "charset": charset.group(1) if charset else "", "title": title_of_name(name)}
    return _extracted(in_child("document", data, limits=limits, **arguments))


def _extracted(found: dict[str, Any]) -> Extracted:
    """What came over the wire as JSON, in its own types again."""
    for name in ("headings", "authors", "notes", "links"):
        found[name] = tuple(found[name])
    for name in ("created", "updated"):
        found[name] = datetime.fromisoformat(found[name]) if found[name] else None
    return Extracted(**found)
