"""What people type of an experiment: before it begins, and when it has a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from experts.forms import TopicInput
from experts.models import Team
from immersive.work.lessons.experiments import Tried
from immersive.work.lessons.rows import Experiment, Reach
from immersive.work.lessons.telling import To
from knowledge.access import id_in

MOST_POSTED = 30
"""Topics and words that one form says, at most."""


class ExperimentForm(forms.Form):
    """An experiment before it begins. The verbs check the rest."""

    hypothesis = forms.CharField(
        label="What do you suppose?",
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="One sentence that could turn out wrong: “If we … then …”",
        error_messages={"required": "Say what you suppose, in a sentence."},
    )
    counts = forms.CharField(
        label="What would count?",
        error_messages={"required": "Say what would count, for it or against it, before you begin."},
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="What you will look at, and from where on it speaks for or against. Said before, so that it is fair.",
    )
    by = forms.DateField(
        label="By when?",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="On this day you are asked once what came of it. Four weeks from now if you leave it open.",
        error_messages={"invalid": "Write the day as 2027-01-31."},
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
        self.fields["counts"].required = self.data.get("do") != "draft"
        own = [(str(team.public_id), team.name) for team in teams]
        self.fields["to"].choices = [(Reach.ME, "Only me"), *own, (Reach.COMPANY, "Everyone here")]  # type: ignore[attr-defined]

    def tried(self, posted: QueryDict) -> Tried:
        """What was typed."""
        said = self.cleaned_data
        topics = [*posted.getlist("topic")[:MOST_POSTED], said.get("add_topic", "")]
        names = [name for name in topics if name.strip()]
        return Tried(said.get("hypothesis", ""), said.get("counts", ""), said.get("by"), names)

    def told(self, posted: QueryDict) -> To:
        """Whom it is told: nobody while it is kept as a draft."""
        plain = frozenset(posted.getlist("plain")[:MOST_POSTED])
        chosen = Reach.DRAFT if posted.get("do") == "draft" else self.cleaned_data.get("to", Reach.ME)
        reach = chosen if chosen in Reach.values else Reach.TEAM
        return To(reach, id_in(chosen), self.cleaned_data.get("anonymous", False), plain)


class ResultForm(forms.Form):
    """What came of it."""

    result = forms.ChoiceField(
        label="What came of it?",
        choices=Experiment.Result.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what came of it. That it cannot be told is a result too."},
    )
    found = forms.CharField(
        label="What did you find?",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text="What you know now that you did not know before.",
    )


def as_typed(one: Experiment) -> dict[str, Any]:
    """An experiment as its form shows it."""
    to = str(one.team.public_id) if one.reach == Reach.TEAM and one.team else one.reach
    said = {"hypothesis": one.hypothesis, "counts": one.counts, "by": one.by, "anonymous": one.anonymous}
    return {**said, "to": Reach.ME if to == Reach.DRAFT else to}
