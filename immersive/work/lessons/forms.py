"""What people type when they write a lesson. Nobody is asked whose fault it was: there is no field for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from experts.forms import TopicInput
from experts.models import Team
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.lessons.telling import WORDS, Said, To
from immersive.work.models import ROUTES
from knowledge.access import id_in
from knowledge.ingest import storable

MOST_POSTED = 30
"""Topics, resources and words that one form says, at most."""


def _text(label: str, rows: int, help_text: str = "", missing: str = "") -> forms.CharField:
    """A part of a lesson; one that may not be ``missing`` in what is published says so."""
    more: dict[str, Any] = {"required": bool(missing), "strip": False, "help_text": help_text}
    widget = forms.Textarea(attrs={"rows": rows, "autocomplete": "off"})
    return forms.CharField(label=label, widget=widget, error_messages={"required": missing}, **more)


class LessonForm(forms.Form):
    """A lesson in four short parts; what it is about, and who may read it. The verbs check the rest."""

    expected = _text("What did you expect?", 2, missing="Say what you expected.")
    happened = _text("What happened?", 3, "Say what was done, not by whom.", missing="Say what happened.")
    know_now = _text("What do you know now?", 2, "This stands above the page that it is about, so that others meet it.")
    changes = _text("What changes because of it?", 2)
    kind = forms.ChoiceField(
        label="What kind was it?", choices=Lesson.Kind.choices, initial=Lesson.Kind.UNKNOWN, widget=forms.RadioSelect
    )
    route = forms.ChoiceField(
        label="Which way had you gone?", choices=[("", "Not about a way of working"), *ROUTES], required=False
    )
    find = forms.CharField(
        label="A page or tool that it is about",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    add_topic = forms.CharField(label="A topic", required=False, max_length=80, widget=TopicInput)
    to = forms.ChoiceField(label="Who may read it?", initial=Reach.ME, widget=forms.RadioSelect)
    anonymous = forms.BooleanField(
        label="Without my name",
        required=False,
        help_text="Readers are not told who wrote it. In a small team they may guess: it takes at least five people.",
    )

    def __init__(self, *args: Any, teams: Sequence[Team], **more: Any) -> None:
        super().__init__(*args, **more)
        own = [(str(team.public_id), team.name) for team in teams]
        self.fields["to"].choices = [(Reach.ME, "Only me"), *own, (Reach.COMPANY, "Everyone here")]  # type: ignore[attr-defined]

    def told(self, posted: QueryDict) -> To:
        """Whom it is told, as it was chosen."""
        chosen = self.cleaned_data["to"]
        reach = chosen if chosen in (Reach.ME, Reach.COMPANY) else Reach.TEAM
        plain = frozenset(posted.getlist("plain")[:MOST_POSTED])
        return To(reach, id_in(chosen), self.cleaned_data["anonymous"], plain)


def said(posted: QueryDict) -> Said:
    """What was posted, as it was typed: drafts are kept whatever else does not fit."""
    ids = [key for text in posted.getlist("about")[:MOST_POSTED] if (key := id_in(text))]
    topics = [*posted.getlist("topic")[:MOST_POSTED], posted.get("add_topic", "")[:80]]
    words: dict[str, Any] = {name: posted.get(name, "") for name in WORDS}
    return Said(
        **words,
        kind=posted.get("kind") or Lesson.Kind.UNKNOWN,
        route=posted.get("route", ""),
        resources=ids,
        topics=[storable(name) for name in topics if name.strip()],
        task=id_in(posted.get("task")),
    )


def as_typed(lesson: Lesson) -> dict[str, Any]:
    """A lesson as its form shows it."""
    to = str(lesson.team.public_id) if lesson.reach == Reach.TEAM and lesson.team else lesson.reach
    more = {"kind": lesson.kind, "route": lesson.route, "anonymous": lesson.anonymous}
    return {**{name: getattr(lesson, name) for name in WORDS}, **more, "to": Reach.ME if to == Reach.DRAFT else to}
