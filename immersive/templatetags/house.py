"""What every template needs: icons, form fields, and words for kinds, dates and durations."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect, Select
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from knowledge import topics
from knowledge.documents import Passage, Result
from knowledge.framework_file import key_of
from knowledge.live import LiveResult
from knowledge.models import Resource
from knowledge.pages import Note
from knowledge.typeahead import Suggestion

register = template.Library()

KINDS = {
    "page": ("Page", "page"),
    "tool": ("Tool", "tool"),
    "course": ("Course", "course"),
    "video": ("Video", "video"),
    "answer": ("Answer", "answer"),
    "lesson": ("Lesson", "lesson"),
    "person": ("Person", "person"),
}
HOURS_A_DAY = 8
"""A working day, for courses: catalogues write two days as 960 minutes."""


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers; ``size`` is "" or "s". Words stand beside it."""
    extra = f" icon-{size}" if size else ""
    sprite = static("immersive/icons.svg")
    return format_html('<svg class="icon{}" aria-hidden="true"><use href="{}#i-{}"/></svg>', extra, sprite, name)


@register.filter
def kind_name(kind: str) -> str:
    """What people call a kind."""
    return KINDS.get(kind, (kind.capitalize(), ""))[0]


@register.filter
def kind_icon(kind: str) -> str:
    """The icon that stands for a kind."""
    return KINDS.get(kind, ("", "page"))[1]


@register.filter
def evidence_of(facts: dict[str, Any], lines: dict[UUID, str] | None) -> str:
    """The sentence that says what a person in the results wrote and the viewer may read."""
    return (lines or {}).get(UUID(facts["person"]), "") if "person" in facts else ""


@register.filter
def above(notes: dict[int, list[Note]] | None, resource: Resource) -> list[Note]:
    """The lessons that show above a resource, of those of a page (of a page that has none, none)."""
    return (notes or {}).get(resource.pk, [])


@register.filter
def suspending(notes: list[Note] | None) -> bool:
    """Whether one of these lessons suspends a verification."""
    return any(note.suspends for note in notes or ())


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, kind: str = "") -> dict[str, Any]:
    """A form field with its label, help and errors, tied together for screen readers."""
    widget = bound.field.widget
    if not kind:
        shown_as = {CheckboxInput: "check", RadioSelect: "choices"}
        kind = next((name for cls, name in shown_as.items() if isinstance(widget, cls)), "line")
    css = {"line": "select" if isinstance(widget, Select) else "input"}.get(kind)
    return {"field": bound, "kind": kind, "control": bound.as_widget(attrs={"class": css} if css else None)}


@register.filter
def found_title(result: Result) -> SafeString:
    """A result's title with what matched marked: of all texts, only a `Result`'s are HTML, built from escaped text."""
    return mark_safe(result.title) if isinstance(result, Result) else SafeString()  # noqa: S308 - see knowledge.passages


@register.filter
def found_passage(found: Result | Passage) -> SafeString:
    """A passage, or a result's first one; as `found_title`."""
    html = found.passage if isinstance(found, Result) else found.html if isinstance(found, Passage) else ""
    return mark_safe(html)  # noqa: S308 - as above


@register.filter
def opens_at(result: Result) -> str:
    """Where a result opens: at the text that matches where no heading leads there, else at its beginning."""
    first = next(iter(result.passages), None)
    return f"#{first.place}" if first and first.place and not (first.heading or first.mark) else ""


@register.filter
def original_at(url: str, passage: Passage) -> str:
    """The original's address at a page or a second; players that read no fragment get the second as they want it."""
    bare, _, _ = web_address(url).partition("#")
    name, _, value = passage.there.partition("=")
    if name == "t" and host(url) in ("youtube.com", "m.youtube.com", "youtu.be"):
        return f"{bare}{'&' if '?' in bare else '?'}t={value}"
    return f"{bare}#{passage.there}" if bare and passage.there else bare


@register.filter
def live_title(result: LiveResult) -> SafeString:
    """The title of what a service outside found; as `found_title`."""
    return mark_safe(result.title) if isinstance(result, LiveResult) else SafeString()  # noqa: S308 - as above


@register.filter
def live_passage(result: LiveResult) -> SafeString:
    """The passage of what a service outside found; as `found_title`."""
    return mark_safe(result.passage) if isinstance(result, LiveResult) else SafeString()  # noqa: S308 - as above


@register.filter
def respelled(text: str, typed: str) -> SafeString:
    """A search's text with those words in bold that are not as they were typed."""
    as_typed = set(typed.split())
    plain, bold = "{}", "<b>{}</b>"
    return format_html_join(" ", "{}", ((format_html(plain if w in as_typed else bold, w),) for w in text.split()))


@register.filter
def suggested(suggestion: Suggestion) -> SafeString:
    """A suggestion's text with what was typed marked; as `found_title`."""
    return mark_safe(suggestion.html) if isinstance(suggestion, Suggestion) else SafeString()  # noqa: S308 - as above


@register.filter
def undo_of(message: Any) -> dict[str, Any] | None:
    """How what a message says is taken back: the address ``to`` and the ``fields`` to post; nothing if it is not."""
    with suppress(ValueError, AttributeError):
        undo = json.loads(message.extra_tags or "")
        return undo if isinstance(undo, dict) and undo.keys() == {"to", "fields"} else None
    return None


@register.filter
def ago(moment: datetime | date | None) -> str:
    """A time in the past as people say it: today, yesterday, 3 days ago, 5 weeks ago, March 2024."""
    if moment is None:
        return ""
    day = timezone.localtime(moment).date() if isinstance(moment, datetime) else moment
    days = (timezone.localdate() - day).days
    if days < 1:
        return "today"
    if days == 1:
        return "yesterday"
    if days < 14:
        return f"{days} days ago"
    if days < 60:
        return f"{days // 7} weeks ago"
    if days < 330:
        return f"{round(days / 30.4)} months ago"
    return str(formats.date_format(day, "F Y"))


@register.filter
def day(value: Any) -> str:
    """A date, also one that a catalogue wrote as text; what is no date is shown as it is."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value[:10])
        except ValueError:
            return str(value)
    return str(formats.date_format(value, "j F Y")) if value else ""


@register.filter
def to_come(value: Any) -> bool:
    """Whether a date, or a text that is one, is today or later; a text that is no date counts."""
    text = value.isoformat() if isinstance(value, date) else str(value or "")
    try:
        return date.fromisoformat(text[:10]) >= timezone.localdate()
    except ValueError:
        return bool(text)


@register.filter
def percent(part: float) -> str:
    """A part of 1 as a percentage without decimals."""
    return f"{100 * part:.0f}\u00a0%"


@register.filter
def duration(minutes: Any) -> str:
    """Minutes as people say them: 12 min, 1 h 30 min, 2 days."""
    try:
        span = timedelta(minutes=float(minutes))
    except (TypeError, ValueError, OverflowError):
        return str(minutes or "")
    total = round(span.total_seconds() / 60)
    if total and total % (HOURS_A_DAY * 60) == 0:
        days = total // (HOURS_A_DAY * 60)
        return "1 day" if days == 1 else f"{days} days"
    hours, rest = divmod(total, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))


@register.filter
def topic_address(topic: str) -> str:
    """Where the page of a topic is, by its name or its key."""
    return topics.address(key_of(topic))


@register.filter
def web_address(url: str) -> str:
    """The address if a page may link to it (http or https), else nothing."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


@register.filter
def host(url: str) -> str:
    """Where a link leads, in short."""
    return urlsplit(url).netloc.removeprefix("www.") if web_address(url) else ""
