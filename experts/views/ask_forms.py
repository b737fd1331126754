"""What people type when they ask, answer and thank, checked as far as a form can; the verbs check the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from experts.asking.actions import Among
from experts.asking.asks import LONGEST, Ask
from experts.asking.own_asks import NOT_NOW
from experts.models import Person
from knowledge.documents import EVERYONE

WHOEVER = ""


SHORTEST = 8
"""Bytes of a question: two short words, or three signs of a script that says a word with one."""


class AskForm(forms.Form):
    """A question. Nothing in it is cut: what is too long comes back whole, with what to do."""

    about = forms.UUIDField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(
        label="Your question",
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="One sentence, as you would say it to a colleague.",
        error_messages={"required": "Write your question in one sentence."},
    )
    details = forms.CharField(
        label="Details",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="What you have tried, what you see. Lines that begin with “-” become a list.",
    )
    wish = forms.ChoiceField(
        label="What would help?", choices=Ask.Wish.choices, initial=Ask.Wish.SHOW, widget=forms.RadioSelect
    )
    to = forms.ChoiceField(
        label="Whom do you ask?",
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": NOT_NOW},
    )
    audience = forms.ChoiceField(label="Who may read it?", initial=EVERYONE, widget=forms.RadioSelect)
    anonymous = forms.BooleanField(
        label="Without my name",
        required=False,
        help_text=(
            "Your name is kept nowhere with the question, no mail about it comes to you, and others see it some hours "
            "later. What you write may still give you away; a moderator can open the seal, with a reason that you "
            "will read, and so could whoever holds the keys of this server."
        ),
    )

    def __init__(self, *args: Any, audiences: Sequence[Among], person: Person | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        whoever = (WHOEVER, "Whoever knows: somebody is found who has time")
        to: Any = self.fields["to"]
        to.choices = [(str(person.public_id), person.display_name), whoever] if person else [whoever]
        to.initial = str(person.public_id) if person else WHOEVER
        self.fields["audience"].choices = [(one.value, one.label) for one in audiences]  # type: ignore[attr-defined]
        self.fields["text"].widget.attrs["aria-describedby"] = f"{self['text'].auto_id}_helptext"

    def clean_text(self) -> str:
        said: str = self.cleaned_data["text"]
        if len(said.encode()) < SHORTEST:
            raise ValidationError(self.fields["text"].error_messages["required"])
        if len(said) > LONGEST:
            raise ValidationError(
                f"This has {len(said):,} characters. Ask in at most {LONGEST}, and put the rest into the details below."
            )
        return said


class AnswerForm(forms.Form):
    """An answer."""

    body = forms.CharField(
        label="What you know about it",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "data-send": True}),
        help_text="Link the page that says it, if there is one. Lines that begin with “-” become a list.",
        error_messages={"required": "Write an answer first."},
    )


def refuse(form: forms.Form, problem: ValidationError) -> None:
    """Say at its field what a verb refused."""
    if hasattr(problem, "error_dict"):
        for name, errors in problem.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, problem)


def still_kept(request: HttpRequest, proposed: Sequence[str], by_hand: bool = False) -> list[tuple[str, bool]]:
    """The proposed topics, each with whether it is kept: what was taken away once stays so while one goes on typing.

    ``by_hand``: kept are those that were chosen.
    """
    offered, chosen = set(request.POST.getlist("offered")), set(request.POST.getlist("topic"))
    return [(name, name in chosen or not (by_hand or name in offered)) for name in proposed]
