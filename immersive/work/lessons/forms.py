"""What people type of lessons and experiments. Nobody is asked whose fault it was: there is no field for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from django import forms
from django.forms.models import model_to_dict
from django.http import QueryDict

from experts.forms import TopicInput
from experts.models import Team
from immersive.work.forms import PastDay
from immersive.work.lessons.experiments import Tried
from immersive.work.lessons.rows import Experiment, Lesson, Reach, Told
from immersive.work.lessons.telling import MISSING, WORDS, Said
from immersive.work.lessons.told import To
from immersive.work.models import ROUTES
from knowledge.access import id_in
from knowledge.ingest import storable

MOST_POSTED = 30
"""Topics, resources and words that one form says, at most."""


def _text(label: str, rows: int, help_text: str = "", missing: str = "") -> forms.CharField:
    """A text; one that may not be ``missing`` in what is told says so."""
    more: dict[str, Any] = {"required": bool(missing), "strip": False, "help_text": help_text}
    widget = forms.Textarea(attrs={"rows": rows, "autocomplete": "off"})
    return forms.CharField(label=label, widget=widget, error_messages={"required": missing}, **more)


class ToldForm(forms.Form):
    """What is typed of whatever may be told: the topics that it is about, and who may read it."""

    add_topic = forms.CharField(label="A topic", required=False, max_length=80, widget=TopicInput)
    to = forms.ChoiceField(label="For whom?", initial=Reach.ME, widget=forms.RadioSelect)
    anonymous = forms.BooleanField(
        label="Without my name",
        required=False,
        help_text="Readers are not told whose it is. At least five people must be able to read it: fewer could guess.",
    )

    def __init__(self, *args: Any, teams: Sequence[Team], **more: Any) -> None:
        super().__init__(*args, **more)
        own = [(str(team.public_id), team.name) for team in teams]
        self.fields["to"].choices = [(Reach.ME, "Only me"), *own, (Reach.COMPANY, "Everyone here")]  # type: ignore[attr-defined]

    @classmethod
    def of(cls, one: Told, teams: Sequence[Team]) -> Self:
        """The form of what was written before."""
        to = str(one.team.public_id) if one.reach == Reach.TEAM and one.team else one.reach
        typed = model_to_dict(one, fields=list(cls.base_fields))
        return cls(
            initial={**typed, "meant": typed.get("by"), "to": Reach.ME if to == Reach.DRAFT else to}, teams=teams
        )

    def told(self, posted: QueryDict) -> To:
        """Whom it is told, as it was chosen: nobody while it is kept as a draft."""
        chosen = Reach.DRAFT if posted.get("do") == "draft" else self.cleaned_data.get("to", Reach.ME)
        reach = chosen if chosen in Reach.values else Reach.TEAM
        return To(reach, id_in(chosen), self.cleaned_data.get("anonymous", False), plain(posted))


class LessonForm(ToldForm):
    """A lesson in four short parts. The verbs check the rest.

    Whom it is for is the one switch: kept for oneself alone it may be
    unfinished, and so nothing is called a draft beside it.
    """

    FOLDED = ("changes", "kind", "find", "add_topic", "route")
    """What two minutes do not need: one fold holds it, closed until something in it is refused or was looked up."""

    expected = _text("What did you expect?", 2, missing=MISSING["expected"])
    happened = _text("What happened?", 3, "Say what was done, not by whom.", missing=MISSING["happened"])
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

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name in MISSING:
            self.fields[name].required = self.data.get("to") != Reach.ME

    @property
    def opened(self) -> bool:
        """Whether the fold stands open: what is refused in it is seen, and so is what was written there."""
        return bool(self["changes"].value()) or any(self.errors.get(name) for name in self.FOLDED)


class ExperimentForm(PastDay, ToldForm):
    """An experiment before it begins. The verbs check the rest."""

    DAY = "by"
    hypothesis = _text(
        "What do you suppose?",
        2,
        "One sentence that could turn out wrong: “If we … then …”",
        missing="Say what you suppose, in a sentence.",
    )
    counts = _text(
        "What would count?",
        2,
        "What you will look at, and from where on it speaks for or against. Said before, so that it is fair.",
        missing="Say what would count, for it or against it, before you begin.",
    )
    by = forms.DateField(
        label="By when?",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="On this day you are asked once what came of it. Four weeks from now if you leave it open.",
        error_messages={"invalid": "Write the day as 2027-01-31."},
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # A draft is not begun: it may still lack what would count, and is not asked about.
        self.fields["counts"].required = self.data.get("do") != "draft"

    def tried(self, posted: QueryDict) -> Tried:
        """What was typed."""
        said = self.cleaned_data
        return Tried(said["hypothesis"], said.get("counts", ""), said.get("by"), topics(posted))


class ResultForm(forms.Form):
    """What came of an experiment."""

    result = forms.ChoiceField(
        label="What came of it?",
        choices=Experiment.Result.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what came of it. That it cannot be told is a result too."},
    )
    found = _text("What did you find?", 3, "What you know now that you did not know before.")


def said(posted: QueryDict) -> Said:
    """What was posted of a lesson, as it was typed."""
    words: dict[str, Any] = {name: posted.get(name, "") for name in WORDS}
    return Said(
        **words,
        kind=posted.get("kind") or Lesson.Kind.UNKNOWN,
        route=posted.get("route", ""),
        resources=[key for text in posted.getlist("about")[:MOST_POSTED] if (key := id_in(text))],
        topics=topics(posted),
        task=id_in(posted.get("task")),
    )


def topics(posted: QueryDict) -> list[str]:
    """The names of topics that were chosen, and the one that was typed."""
    names = [*posted.getlist("topic")[:MOST_POSTED], posted.get("add_topic", "")[:80]]
    return [storable(name) for name in names if name.strip()]


def plain(posted: QueryDict) -> frozenset[str]:
    """The words that their author says are no person."""
    return frozenset(posted.getlist("plain")[:MOST_POSTED])
