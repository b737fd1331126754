"""What people type about their tasks, checked. A form preselects nothing: an answer must be a person's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from experts.forms import TopicInput
from immersive.work.actions import MAX_CONTEXT, MAX_STATEMENT, NO_RESULT, NO_STATEMENT
from immersive.work.acts import PEOPLE
from immersive.work.models import CONFIDENCE, DIFFICULTIES, KNOWN, ROUTES, Outcome, Recall
from knowledge.models import Topic

if TYPE_CHECKING:
    from immersive.work.models import Task
    from immersive.work.plan import Planned


class PastDay(forms.Form):
    """A form with a day (``DAY``) that asks once whether one that is past is meant: sent again, it is."""

    DAY = "due"
    meant = forms.DateField(required=False, widget=forms.HiddenInput)
    """The past day that was asked about, or that stood there before."""

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        day, meant = said.get(self.DAY), said.pop("meant", None)
        if day and day < timezone.localdate() and day != meant:
            words = date_format(day, "j F Y")
            self.add_error(self.DAY, f"{words} is past. Is it meant? Send it once more if so, else choose another day.")
            self.data = {**dict(self.data.items()), "meant": day.isoformat()}
        return said


class StartForm(PastDay):
    """One sentence; if there is one, a day when it is due, and where it began: a resource, or a page and its text."""

    statement = forms.CharField(
        label="What are you working on?",
        max_length=MAX_STATEMENT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
        help_text="One sentence, in your own words.",
        error_messages={
            "required": NO_STATEMENT,
            "max_length": "Say it in at most %(limit_value)d characters; these are %(show_value)d.",
        },
    )
    due = forms.DateField(
        label="Due",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as 2027-03-31."},
    )
    context = forms.CharField(
        label="What belongs to it",
        required=False,
        max_length=MAX_CONTEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What you had selected, or a few words more. Kept as it is, for you alone until you share the task.",
    )
    started_from = forms.UUIDField(required=False)
    page_url = forms.CharField(required=False)


class ChangeForm(StartForm):
    """What its owner may change of a task that has begun."""

    started_from = page_url = None  # type: ignore[assignment]

    @classmethod
    def of(cls, task: Task) -> ChangeForm:
        """The form of what stands there; the day that does is meant."""
        stands = {name: getattr(task, name) for name in ("statement", "due", "context")}
        return cls(initial={**stands, "meant": task.due})


class AssessmentForm(forms.Form):
    """One of five answers; beside it, if one likes, how hard it is and what one knows of each topic."""

    confidence = forms.TypedChoiceField(
        label="How sure are you that you could do this well today, on your own?",
        choices=CONFIDENCE,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one of the five answers.", "invalid_choice": "Choose one of the five."},
    )
    difficulty = forms.ChoiceField(
        label="How hard is it, beside your other tasks?",
        choices=DIFFICULTIES,
        required=False,
        widget=forms.RadioSelect,
    )
    add = forms.CharField(
        label="Add a topic", required=False, max_length=100, widget=TopicInput(attrs={"class": "input"})
    )

    def __init__(self, topics: Iterable[Topic], *args: Any, **more: Any) -> None:
        super().__init__(*args, **{"auto_id": "said_%s", **more})
        self.topics = list(topics)
        for topic in self.topics:
            self.fields[f"known-{topic.slug}"] = forms.ChoiceField(
                label=topic.name, choices=KNOWN, required=False, widget=forms.RadioSelect
            )

    @property
    def rows(self) -> list[tuple[Topic, forms.BoundField]]:
        """Each topic with its three answers."""
        return [(topic, self[f"known-{topic.slug}"]) for topic in self.topics]

    @property
    def said(self) -> dict[str, Any]:
        """What `actions.assess` takes: of topics that were left open, nothing."""
        told = {topic.name: self.cleaned_data[f"known-{topic.slug}"] for topic in self.topics}
        return {
            "confidence": self.cleaned_data["confidence"],
            "difficulty": self.cleaned_data["difficulty"],
            "known": {name: word for name, word in told.items() if word},
        }


class OutcomeForm(forms.Form):
    """How it went; two taps are enough."""

    result = forms.TypedChoiceField(
        label="How did it go?",
        choices=Outcome.CHOICES,
        coerce=float,
        widget=forms.RadioSelect,
        error_messages={"required": NO_RESULT},
    )
    with_help = forms.BooleanField(label="With help", required=False)
    minutes = forms.IntegerField(
        label="Minutes it took",
        required=False,
        min_value=0,
        max_value=Outcome.MOST_MINUTES,
        error_messages={"invalid": "Write the minutes as a number, such as 45."},
    )
    route = forms.ChoiceField(label="The way it went", required=False, choices=[("", "I do not say"), *ROUTES])
    surprise = forms.CharField(
        label="What surprised you?", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    @classmethod
    def of(cls, outcome: Outcome | None, plan: Sequence[Planned] = ()) -> OutcomeForm:
        """A form where nothing is said but the one way that the owner said, or one that holds what was logged.

        Of several ways that were planned it is the only one done; else they
        choose, for what nobody said would count among how others' tasks went.
        Where somebody else is among the ways, it begins with their help.
        """
        done = [one for one in plan if one.done]
        ways = done if len(done) == 1 else plan
        said: dict[str, Any] = {"route": ways[0].route if len(ways) == 1 else ""}
        said["with_help"] = any(one.route in PEOPLE for one in done or plan)
        if outcome is not None:
            said = {name: getattr(outcome, name) for name in cls.base_fields}
        return cls(initial=said)

    @property
    def told_more(self) -> bool:
        """Whether what is given back holds more than the two taps: it is not folded away then."""
        more = [self[name] for name in ("route", "minutes", "surprise")]
        return self.is_bound and any(field.errors or field.value() for field in more)


class RecallForm(forms.Form):
    """One question for later, and its answer."""

    question = forms.CharField(
        label="The question",
        max_length=Recall.LONGEST_QUESTION,
        help_text="Such as: what did the pump need before it could be primed?",
        error_messages={"required": "Write what you want to be asked."},
    )
    answer = forms.CharField(
        label="The answer",
        max_length=Recall.LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write what you want to remember."},
    )


class WishesForm(forms.Form):
    """What a person is asked about their tasks."""

    outcomes = forms.BooleanField(label="Ask me how my tasks and experiments went", required=False)
    recall = forms.BooleanField(label="Ask me the questions that I wrote for later", required=False)
