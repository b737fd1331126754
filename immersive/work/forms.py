"""What people type about their tasks, checked. A form preselects nothing: an answer must be a person's own."""

from __future__ import annotations

from typing import Any

from django import forms

from immersive.work.actions import MAX_STATEMENT
from immersive.work.models import CONFIDENCE, Outcome


class StartForm(forms.Form):
    """One sentence, a date if there is one, and the resource that it began with."""

    statement = forms.CharField(
        label="What are you working on?",
        max_length=MAX_STATEMENT,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="One sentence, in your own words.",
        error_messages={"required": "Say in one sentence what you are working on."},
    )
    due = forms.DateField(
        label="Due",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as 2027-03-31."},
    )
    started_from = forms.UUIDField(required=False, widget=forms.HiddenInput)


class AssessmentForm(forms.Form):
    """One of five answers."""

    confidence = forms.TypedChoiceField(
        label="How sure are you that you could do this well today, on your own?",
        choices=CONFIDENCE,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one of the five answers.", "invalid_choice": "Choose one of the five."},
    )


class OutcomeForm(forms.Form):
    """How it went; two taps are enough."""

    result = forms.TypedChoiceField(
        label="How did it go?",
        choices=Outcome.CHOICES,
        coerce=float,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it went: it worked, partly, or not this time."},
    )
    with_help = forms.BooleanField(label="With help", required=False)
    minutes = forms.IntegerField(
        label="Minutes it took",
        required=False,
        min_value=0,
        max_value=Outcome.MOST_MINUTES,
        error_messages={"invalid": "Write the minutes as a number, such as 45."},
    )
    surprise = forms.CharField(
        label="What surprised you?", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    @classmethod
    def of(cls, outcome: Outcome | None) -> OutcomeForm:
        """An empty form, or one that holds what was logged, to correct it."""
        said: dict[str, Any] = {}
        if outcome is not None:
            said = {name: getattr(outcome, name) for name in cls.base_fields}
        return cls(initial=said)
