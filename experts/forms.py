"""What people choose about themselves, as forms: each knows the change it makes, and the one that takes it back."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from experts import choices
from experts.models import Availability, OwnTopic, Person
from knowledge.access import Viewer, resource_or_404
from knowledge.index.analysis import topic_key
from knowledge.models import Resource

A_DAY = "Write the day as 2027-03-31."


class TopicInput(forms.TextInput):
    """A field for a topic's name, with names that may be meant while one types (without JavaScript, none)."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The field, and the list that htmx fills."""
        known = f"{(attrs or {}).get('id', name)}-known"
        asking = {
            "list": known, "autocomplete": "off", "hx-get": reverse("experts:topics-suggest"), "hx-target": f"#{known}",
            "hx-trigger": "input changed delay:150ms", "hx-swap": "innerHTML",
        }  # fmt: skip
        field = super().render(name, value, {**(attrs or {}), **asking}, renderer)
        return format_html('{}<datalist id="{}"></datalist>', field, known)


class Change(forms.Form):
    """One choice of one person. ``do`` names it, in the address of nobody: it is posted."""

    do: ClassVar[str]
    place: ClassVar[str] = ""
    """Where on the page one is afterwards."""

    def __init__(self, person: Person, told: Any = None, **more: Any) -> None:
        self.person = person
        super().__init__(told, auto_id=f"{self.do}_%s", **more)

    def back(self) -> dict[str, str]:
        """What is posted to take the change back: read before it is made."""
        raise NotImplementedError

    def make(self) -> str:
        """Make the change; what to say of it."""
        raise NotImplementedError


class Hide(Change):
    """Not to be found any more."""

    do = "hide"

    def back(self) -> dict[str, str]:
        return {"do": BeFound.do}

    def make(self) -> str:
        choices.hide(person=self.person)
        return "You are hidden. Nobody is told."


class BeFound(Change):
    """To be found again."""

    do = "found"

    def back(self) -> dict[str, str]:
        return {"do": Hide.do}

    def make(self) -> str:
        choices.be_found(person=self.person)
        return "You are found again. Search follows within a minute."


class SayOfTopic(Change):
    """One thing that is said of one topic, in any spelling."""

    do = "topic"
    place = "#topics"
    SAYS: ClassVar[dict[str, tuple[dict[str, Any], str]]] = {
        "knows": ({"knows": True}, "You say that you know “{}”."),
        "unsaid": ({"knows": False}, "You do not say any more that you know “{}”."),
        "ask": ({"ask": OwnTopic.Ask.YES}, "You are glad to be asked about “{}”."),
        "no-ask": (
            {"ask": OwnTopic.Ask.NO},
            "You are not asked about “{}”, nor named to who looks for it. Your page stays.",
        ),
        "any-ask": ({"ask": ""}, "You may be asked about “{}” like about anything else."),
        "hide": ({"hidden": True}, "“{}” is not shown about you. Nobody is told."),
        "show": ({"hidden": False}, "“{}” is shown again."),
    }

    topic = forms.CharField(
        label="A topic that you know", max_length=choices.LONGEST_TOPIC, widget=TopicInput,
        error_messages={
            "required": "Write the topic in words, such as “Feed pumps”.",
            "max_length": f"Write the topic in at most {choices.LONGEST_TOPIC} characters.",
        },
    )  # fmt: skip
    say = forms.ChoiceField(choices=[(name, name) for name in SAYS], initial="knows", widget=forms.HiddenInput)

    def back(self) -> dict[str, str]:
        name = self.cleaned_data["topic"]
        said = OwnTopic.objects.filter(person=self.person, key=topic_key(name)[: choices.LONGEST_TOPIC]).first()
        [field] = self.SAYS[self.cleaned_data["say"]][0]
        before = {field: getattr(said or OwnTopic(), field)}
        return {"do": self.do, "topic": name, "say": next(say for say, (of, _) in self.SAYS.items() if of == before)}

    def clean_topic(self) -> str:
        return choices.topic_named(self.cleaned_data["topic"])[1]

    def make(self) -> str:
        fields, said = self.SAYS[self.cleaned_data["say"]]
        choices.say_of_topic(person=self.person, name=self.cleaned_data["topic"], **fields)
        return said.format(self.cleaned_data["topic"])


class _OfDocument(Change):
    """Something about one document that its person may read."""

    place = "#documents"
    document = forms.UUIDField(widget=forms.HiddenInput)

    def resource(self, viewer: Viewer) -> Resource:
        """The document; not found unless they may read it."""
        return resource_or_404(self.cleaned_data["document"], viewer)


class Disown(_OfDocument):
    """That a document is not one's work."""

    do = "disown"

    def back(self) -> dict[str, str]:
        return {"do": OwnAgain.do, "document": str(self.cleaned_data["document"])}

    def make(self) -> str:
        found = self.resource(Viewer.of(self.person))
        choices.disown(person=self.person, resource=found)
        return f"“{found.title}” is not counted as your work any more."


class OwnAgain(_OfDocument):
    """That it is, after all."""

    do = "own"

    def back(self) -> dict[str, str]:
        return {"do": Disown.do, "document": str(self.cleaned_data["document"])}

    def make(self) -> str:
        found = self.resource(Viewer.of(self.person))
        choices.own_again(person=self.person, resource=found)
        return f"“{found.title}” is counted as your work again."


class _Days(Change):
    """From one day to another, both included."""

    place = "#closed"
    since = forms.DateField(
        label="First day", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        error_messages={"required": A_DAY, "invalid": A_DAY},
    )  # fmt: skip
    until = forms.DateField(
        label="Last day", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        error_messages={"required": A_DAY, "invalid": A_DAY},
    )  # fmt: skip

    @property
    def days(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("since", "until")}

    def _in_words(self) -> str:
        return " to ".join(dict.fromkeys(date_format(day, "j F Y") for day in self.days.values()))

    def _posted(self, do: str) -> dict[str, str]:
        return {"do": do, **{name: day.isoformat() for name, day in self.days.items()}}


class Close(_Days):
    """Days on which one is not asked."""

    do = "close"

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            choices.check_days(person=self.person, **self.days)
        return self.cleaned_data

    def back(self) -> dict[str, str]:
        return self._posted(OpenAgain.do)

    def make(self) -> str:
        choices.close(person=self.person, **self.days)
        return f"You are not asked from {self._in_words()}."


class OpenAgain(_Days):
    """That one may be asked on those days after all."""

    do = "open"

    def back(self) -> dict[str, str]:
        return self._posted(Close.do)

    def make(self) -> str:
        choices.open_again(person=self.person, **self.days)
        return f"You may be asked again: {self._in_words()}."


class HowToReach(Change):
    """How often, how and when one likes to be asked."""

    do = "reach"
    place = "#reach"
    FIELDS = ("asks_a_week", "hours_a_week", "shows_time", "prefers", "mail")

    asks_a_week = forms.IntegerField(
        label="Questions a week, at most", min_value=0, max_value=choices.MOST_A_WEEK,
        help_text="With 0 you are not asked.",
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), f"Write a number from 0 to {choices.MOST_A_WEEK}."
        ),
    )  # fmt: skip
    hours_a_week = forms.IntegerField(
        label="Hours a week for colleagues", required=False, min_value=0, max_value=choices.MOST_HOURS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), f"Write a number from 0 to {choices.MOST_HOURS}, or nothing."
        ),
    )  # fmt: skip
    shows_time = forms.BooleanField(
        label="Show colleagues what is left of it this week, and when you are back", required=False
    )
    prefers = forms.ChoiceField(label="Best reached by", choices=Availability.Way.choices)
    mail = forms.ChoiceField(label="Mail to me", choices=Availability.Mail.choices)

    def back(self) -> dict[str, str]:
        now = Availability.of(self.person)
        values = {name: getattr(now, name) for name in self.FIELDS}
        return {"do": self.do} | {name: str(value) for name, value in values.items() if value not in (None, False)}

    def make(self) -> str:
        choices.choose(person=self.person, **{name: self.cleaned_data[name] for name in self.FIELDS})
        return "Saved. It holds from now on."


class Introduce(Change):
    """What one writes about oneself, and where one's clock is."""

    do = "about"
    place = "#about"

    about = forms.CharField(
        label="About you", required=False, widget=forms.Textarea({"rows": 5}),
        help_text=f"What colleagues should know before they ask you, in at most {choices.LONGEST_ABOUT:,} characters.",
    )  # fmt: skip
    time_zone = forms.CharField(
        label="Your time zone", required=False, max_length=64,
        widget=forms.TextInput({"list": "zones", "autocomplete": "off"}),
        error_messages={"max_length": choices.NO_ZONE},
    )  # fmt: skip

    def clean_about(self) -> str:
        return choices.short_enough(self.cleaned_data["about"])

    def clean_time_zone(self) -> str:
        return choices.zone_named(self.cleaned_data["time_zone"])

    def back(self) -> dict[str, str]:
        return {"do": self.do, "about": self.person.about, "time_zone": self.person.time_zone}

    def make(self) -> str:
        choices.introduce(person=self.person, **self.cleaned_data)
        return "Saved. Colleagues see it from now on."


CHANGES: dict[str, type[Change]] = {
    form.do: form for form in (Hide, BeFound, SayOfTopic, Disown, OwnAgain, Close, OpenAgain, HowToReach, Introduce)
}
"""By the name that is posted."""


def zones() -> list[str]:
    """Names of time zones that a browser may offer, the regions' own."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
