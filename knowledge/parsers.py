"""The parsers that run in the child process of `sandbox`: bytes of one format in, plain values out.

Nothing here opens a file or the network, and nothing here imports Django. The
heavy libraries are imported when their first document comes (`load`).
"""

from __future__ import annotations

import importlib
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from knowledge import captions, markup
from knowledge.markup import Extracted, clean, clean_line, moment
from knowledge.outline import PAGE
from knowledge.sandbox import ExtractionError, Limits

TOO_MUCH = "It needed more than {} MB of memory to read: split it, or save it as a simpler copy."
LOCKED = "It is protected by a password: save a copy without one."
DAMAGED = "It is damaged or is not what its name says: open it, save it as a new copy, and try again."
RATIO = 200

LIBRARIES = {
    "html": ("lxml.html", "trafilatura", "knowledge.webpage"),
    "pdf": ("pypdf",),
    "docx": ("docx",),
    "pptx": ("pptx",),
    "xlsx": ("openpyxl",),
}


def load(form: str, **_: Any) -> None:
    """Import what this format needs, before limits are set for the document."""
    for name in ("charset_normalizer", *LIBRARIES.get(form, ())):
        importlib.import_module(name)


def reason(error: Exception, limits: Limits) -> str:
    """A sentence for a person for whatever a library raised."""
    text = f"{type(error).__name__}: {error}"
    # "unknown error" is what libxml2 says when it is given no more memory.
    if re.search("memory|limit|XMLSyntaxError: unknown error", text, re.I):
        return TOO_MUCH.format(limits.memory_mb)
    return f"{DAMAGED} ({clean_line(text, 120)})"


def document(data: bytes, *, limits: Limits, form: str, charset: str = "", title: str = "") -> dict[str, Any]:
    """Any document as the fields of `Extracted`, dates as text. ``title`` is for one that names none."""
    if form in ("docx", "pptx", "pdf"):
        found = {"docx": word, "pptx": slides, "pdf": pdf}[form](data, limits)
    elif form == "html":
        from knowledge.webpage import webpage

        found = webpage(data, charset)
    else:
        if data.startswith((b"%PDF-", b"PK\x03\x04")) or (b"\0" in data[:1000] and not _utf16(data)):
            raise ExtractionError(f"It is no text. {DAMAGED}")
        text = decode(data, charset)
        if form == "captions":
            found = captions.transcript(text)
        else:
            read = {"markdown": markup.markdown, "restructured": markup.restructured}.get(form)
            found = read(text, title=title) if read else markup.plain(text)
    body = PAGE.join(map(clean, found.body.split(PAGE))) if form == "pdf" else clean(found.body)
    found = replace(found, title=clean_line(found.title) or clean_line(title), body=body)
    values = {name: getattr(found, name) for name in Extracted.__slots__}
    values["front"] = _simple(dict(found.front))
    values["created"] = found.created.isoformat() if found.created else None
    values["updated"] = found.updated.isoformat() if found.updated else None
    return values


def _simple(value: Any, depth: int = 0) -> Any:
    """Front matter as JSON can say it; what is nested too deep is left out."""
    if isinstance(value, dict):
        return {clean(str(key)): _simple(inner, depth + 1) for key, inner in value.items()} if depth < 6 else None
    if isinstance(value, list | tuple | set):
        return [_simple(inner, depth + 1) for inner in value] if depth < 6 else None
    if isinstance(value, str):
        return clean(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _utf16(data: bytes) -> bool:
    return data[:2] in (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes, declared: str = "") -> str:
    """Text of bytes: by its byte order mark, the declared charset, UTF-8, a guess; what is invalid is replaced."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    if _utf16(data):
        return data.decode("utf-16", "replace")
    for name in (declared, "utf-8"):
        try:
            return data.decode(name) if name else _no_charset()
        except (UnicodeError, LookupError, ValueError):
            continue
    from charset_normalizer import from_bytes

    # Mostly valid UTF-8 with some broken bytes is UTF-8: a guess would turn every accent in it to noise.
    sample = data[:100_000]
    letters = sample.decode("utf-8", "replace")
    broken = letters.count("\ufffd")
    if sum(letter > "\x7f" for letter in letters) > 2 * broken:
        return data.decode("utf-8", "replace")
    guess = from_bytes(sample).best()
    if guess is None or guess.encoding.startswith("utf"):  # wide letters without a mark are a wild guess
        return data.decode("utf-8", "replace")
    return data.decode(guess.encoding, "replace")


def _no_charset() -> str:
    raise LookupError


# Office files -------------------------------------------------------------------------------------------------------


def check_archive(data: bytes, limits: Limits, part: str) -> None:
    """Refuse what is no such archive, is encrypted, or unpacks to too much, before anything is unpacked."""
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise ExtractionError(LOCKED)
        raise ExtractionError("It is of the Office format before 2007: save it as docx, pptx or xlsx.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ExtractionError(DAMAGED) from error
    if not any(member.filename.startswith(part) for member in members):
        raise ExtractionError(DAMAGED)
    if any(member.flag_bits & 1 for member in members):
        raise ExtractionError(LOCKED)
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    overlapping = packed > len(data)  # members that share bytes: only bombs do
    if unpacked > limits.unpacked_mb * 1e6:
        raise ExtractionError(
            f"It unpacks to more than {limits.unpacked_mb:g} MB and looks like an archive bomb: save a smaller copy."
        )
    if len(members) > 20_000 or overlapping or (unpacked > 10e6 and unpacked > RATIO * packed):
        raise ExtractionError("It is packed so tightly that it looks like an archive bomb: save it as a new copy.")
    # Sizes are what the archive claims; zipfile reads no more of a member than it claims, then checks its sum.


def _core(properties: Any) -> dict[str, Any]:
    authors = [clean_line(name, 200) for name in (properties.author or "", properties.last_modified_by or "")]
    return {
        "title": clean_line(properties.title or ""),
        "authors": tuple(dict.fromkeys(name for name in authors if name and not name.startswith("python-"))),
        "created": moment(properties.created),
        "updated": moment(properties.modified),
        "language": markup.language(properties.language or ""),
    }


def _rows(rows: Iterator[list[str]]) -> list[str]:
    """Table rows as Markdown; the line under the first says that it is a table."""
    lines: list[str] = []
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "/") for cell in row]
        if any(cells):
            lines.append("| " + " | ".join(cells) + " |")
            if len(lines) == 1:
                lines.append("|" + " --- |" * len(cells))
    return ["", *lines, ""] if lines else []


def _finished(lines: list[str], core: dict[str, Any], notes: tuple[str, ...] = ()) -> Extracted:
    page = markup.titled(lines, {"title": core["title"]} if core["title"] else {}, "")
    return replace(page, **core | {"title": page.title, "front": {}, "notes": notes})


def word(data: bytes, limits: Limits) -> Extracted:
    """A Word document: headings, lists, paragraphs and tables in their order."""
    check_archive(data, limits, "word/")
    from docx import Document
    from docx.table import Table

    source = Document(io.BytesIO(data))
    lines: list[str] = []
    for block in source.iter_inner_content():
        if isinstance(block, Table):
            lines += _rows([cell.text for cell in row.cells] for row in block.rows)
            continue
        words = " ".join(block.text.split())
        style = (block.style.name or "") if block.style is not None else ""
        if not words:
            continue
        if style == "Title":
            lines += ["", f"# {words}", ""]
        elif heading := re.match(r"Heading (\d)", style):
            lines += ["", f"{'#' * min(int(heading.group(1)), 6)} {words}", ""]
        elif style.startswith("List"):
            lines.append(f"- {words}")
        else:
            lines += ["", words, ""]
    return _finished(lines, _core(source.core_properties))


def slides(data: bytes, limits: Limits) -> Extracted:
    """A PowerPoint presentation: one heading a slide, its text, tables and notes."""
    check_archive(data, limits, "ppt/")
    from pptx import Presentation

    source = Presentation(io.BytesIO(data))
    lines: list[str] = []
    for number, slide in enumerate(source.slides, 1):
        title = slide.shapes.title
        named = " ".join(title.text_frame.text.split()) if title is not None else ""
        lines += ["", f"{'#' if number == 1 else '##'} {named or f'Slide {number}'}", ""]
        for shape in _shapes(slide.shapes):
            if title is not None and shape.shape_id == title.shape_id:
                continue
            if shape.has_text_frame:
                texts = (" ".join(paragraph.text.split()) for paragraph in shape.text_frame.paragraphs)
                lines += [f"- {text}" for text in texts if text]
            elif getattr(shape, "has_table", False):
                lines += _rows([cell.text for cell in row.cells] for row in shape.table.rows)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            lines += ["", slide.notes_slide.notes_text_frame.text, ""]
    return _finished(lines, _core(source.core_properties))


def _shapes(shapes: Any, depth: int = 0) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < 10:
            yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


# PDF ----------------------------------------------------------------------------------------------------------------


def pdf(data: bytes, limits: Limits) -> Extracted:
    """The text of a PDF's pages, as far as the limit of pages; a scan has none, and the notes say so."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        source = PdfReader(io.BytesIO(data), strict=False)
        if source.is_encrypted and not source.decrypt(""):
            raise ExtractionError(LOCKED)
        count = len(source.pages)
    except (DependencyError, FileNotDecryptedError) as error:
        raise ExtractionError(LOCKED) from error
    texts = []
    unreadable = 0
    for page in itertools.islice(source.pages, limits.pages):
        try:
            texts.append(_unwrapped(clean(page.extract_text())))
        except (MemoryError, RecursionError):
            raise
        except Exception:  # pypdf raises much; one bad page is not the whole document
            texts.append("")
            unreadable += 1
    notes = []
    if count > limits.pages:
        notes.append(f"only the first {limits.pages} of {count} pages can be found: split it into parts")
    if unreadable:
        notes.append(f"{unreadable} of {count} pages cannot be read: save it as a new copy")
    body = f"\n\n{PAGE}".join(texts).rstrip()
    if not body:
        notes.append("it holds no text, it is probably a scan: run text recognition (OCR) over it")
    facts = source.metadata
    title = clean_line(str(facts.title or "")) if facts else ""
    if re.search(r"\.(docx?|pptx?|indd|tex|dvi|xlsx?)$|^(untitled|anonymous|microsoft )", title, re.I):
        title = ""  # the name of the file it was printed from
    author = clean_line(str(facts.author or ""), 200) if facts else ""
    return Extracted(
        title=title,
        body=body,
        authors=(author,) if author and author.lower() not in ("anonymous", "unknown") else (),
        created=_pdf_date(facts, "creation_date"),
        updated=_pdf_date(facts, "modification_date"),
        notes=tuple(notes),
    )


def _pdf_date(facts: Any, name: str) -> Any:
    try:
        return moment(getattr(facts, name, None))
    except (ValueError, TypeError, OverflowError):
        return None


def _unwrapped(text: str) -> str:
    """Words that were parted at a line's end are one again."""
    return re.sub(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])", "", text).strip()


# Tables -------------------------------------------------------------------------------------------------------------


def table(data: bytes, *, limits: Limits, form: str) -> list[list[str]]:
    """The rows of a workbook's first sheet as text."""
    check_archive(data, limits, "xl/")
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheet = book.worksheets[0]
    rows: list[list[str]] = []
    size = 0
    for row in sheet.iter_rows(values_only=True, max_col=200):
        cells = ["" if cell is None else clean(_cell(cell)) for cell in row]
        size += sum(map(len, cells)) + len(cells)
        if len(rows) >= limits.rows or size > limits.output_mb * 0.8e6:
            raise ExtractionError(
                f"Its first sheet holds more than {limits.rows:,} rows or {limits.output_mb:g} MB of text: split it."
            )
        rows.append(cells)
    return rows


def _cell(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
