"""Mentors and those who wish for one: a person's own page, what they do on it, and invitations for a calendar."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from experts import finder
from experts.asking.load import zone_of
from experts.digests import mail_is_sent
from experts.forms import TopicInput
from experts.mentoring import mentorships as verbs
from experts.mentoring.invitations import meeting_of, written
from experts.mentoring.mentorships import LONGEST_NAME, LONGEST_NOTE, LONGEST_SAID, MOST_PLACES, Mentorship, Offer, Wish
from experts.mentoring.my_mentoring import Line, mine
from experts.models import Person
from knowledge.access import Viewer
from knowledge.explain import listed
from knowledge.index.analysis import tokens


class WishForm(forms.Form):
    """A topic that somebody would like to learn from a mentor."""

    topic = forms.CharField(
        label="Topic",
        max_length=LONGEST_NAME,
        widget=TopicInput,
        error_messages={"required": "Name the topic that you would like to learn."},
    )
    note = forms.CharField(
        label="What for",
        max_length=LONGEST_NOTE,
        required=False,
        help_text="Read by nobody but whoever is found for you.",
    )


class OfferForm(forms.Form):
    """A topic that somebody would teach, and to how many at one time."""

    topic = forms.CharField(
        label="Topic",
        max_length=LONGEST_NAME,
        widget=TopicInput,
        error_messages={"required": "Name the topic that you would teach."},
    )
    places = forms.IntegerField(
        label="People at one time",
        min_value=1,
        max_value=MOST_PLACES,
        initial=1,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), f"Write a number from 1 to {MOST_PLACES}."),
    )
    note = forms.CharField(
        label="How you like to do it",
        max_length=LONGEST_NOTE,
        required=False,
        help_text="Your page shows it beside the offer.",
    )


class WallClock(forms.DateTimeField):
    """A day and a time as a clock on some wall shows it: read without any zone, the server's own left out."""

    def to_python(self, value: Any) -> Any:
        with timezone.override(UTC):
            read = super().to_python(value)
        return read and read.replace(tzinfo=None)


class MeetForm(forms.Form):
    """When two people meet, by the clock of whoever says so."""

    at = WallClock(
        label="Day and time",
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Choose a day and a time.", "invalid": "Write it as 2027-03-31 14:00."},
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    minutes = forms.IntegerField(
        label="Minutes",
        min_value=verbs.SHORTEST,
        max_value=verbs.LONGEST,
        initial=60,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"Write the minutes as a number from {verbs.SHORTEST} to {verbs.LONGEST}.",
        ),
    )
    zone: str = "UTC"

    def clean_at(self) -> Any:
        """The moment that is meant (see `mentoring.moment`), to come."""
        at = verbs.moment(self.cleaned_data["at"], self.zone)
        if at <= timezone.now():
            raise ValidationError("That time is over: choose one to come.")
        return at


class LookBackForm(forms.Form):
    """Two sentences at the end."""

    said = forms.CharField(
        label="Two sentences: what was worth it, and what comes next?",
        max_length=LONGEST_SAID,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )


FORMS: dict[str, type[forms.Form]] = {
    "wish": WishForm,
    "offer": OfferForm,
    "meet": MeetForm,
    "look-back": LookBackForm,
}


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def mentoring(request: HttpRequest) -> HttpResponse:
    """My offers, my wishes, and those I was brought together with; nobody sees anybody else's."""
    person: Person = request.user  # type: ignore[assignment]
    bound: dict[str, forms.Form] = {}
    if request.method == "POST":
        try:
            said = _do(request, person, bound)
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            if said is not None:
                if said:
                    messages.success(request, said)
                return redirect(request.get_full_path())
    status = 422 if request.method == "POST" else 200
    return render(request, "experts/mentoring.html", _context(request, person, bound), status=status)


def _do(request: HttpRequest, person: Person, bound: dict[str, forms.Form]) -> str | None:
    """What a button of the page does, and what to say of it; `None`: a form did not take, and stands in ``bound``."""
    act, viewer = request.POST.get("act", ""), Viewer.of(person)
    if act in ("drop-wish", "drop-offer"):
        verbs.take_back(person=person, key=request.POST.get("key", ""), offered=act == "drop-offer")
        return "Taken away."
    if act in FORMS:
        row = None if act in ("wish", "offer") else verbs.one(request.POST.get("which"), viewer)
        name = f"{act}-{row.public_id}" if row else act
        form = bound[name] = FORMS[act](request.POST, auto_id=f"{name}_%s")
        if isinstance(form, MeetForm):
            form.zone = person.time_zone
        return _said(act, row, person, form.cleaned_data) if form.is_valid() else None
    row = verbs.one(request.POST.get("which"), viewer)
    if act in ("yes", "no"):
        now = verbs.confirm(mentorship=row, person=person, yes=act == "yes")
        return "You have begun: agree on a time." if now.begun else "Noted."
    if act == "leave":
        verbs.leave(mentorship=row, person=person)
        return "It has ended. The other is told that, and nothing else."
    raise Http404


def _said(act: str, row: Mentorship | None, person: Person, values: dict[str, Any]) -> str:
    """Do what a form says, and say so."""
    if act == "wish":
        return _noted(verbs.wish(person=person, **values), Viewer.of(person))
    if act == "offer":
        verbs.offer(person=person, **values)
        return "Thank you. You are told as soon as somebody wishes for it."
    assert row is not None  # noqa: S101 - the other forms are of one mentorship
    if act == "meet":
        verbs.meet(mentorship=row, person=person, **values)
        return "The time stands. Both of you can put it into a calendar."
    verbs.look_back(mentorship=row, person=person, **values)
    return "Kept, for the two of you."


def _noted(wish: Wish, viewer: Viewer) -> str:
    """What may be hoped for of a wish, as far as the viewer may know: who would teach it, or knows about it."""
    if Offer.objects.of_others(viewer).filter(key=wish.key).exists():
        return "Noted. You are told as soon as somebody is found."
    said = f'"{" ".join(tokens(wish.name))}"'  # as it is named: what is near to it in meaning is not it
    known = finder.find(said, viewer, count=2, without=[wish.person_id])
    if not known:
        return (
            f"Noted. Nobody here is known for “{wish.name}” yet, as far as you may read. The wish stands, and you are "
            "told if somebody comes who teaches it."
        )
    names = listed([one.person.display_name for one in known])
    return f"Noted. Nobody offers to teach it yet: you are told when somebody does. {names} may know about it."


def _context(request: HttpRequest, person: Person, bound: dict[str, forms.Form]) -> dict[str, Any]:
    shown = mine(Viewer.of(person), request.GET.get("page"))
    zone = zone_of(person.time_zone)

    def form_of(act: str, line: Line, **first: Any) -> forms.Form:
        name = f"{act}-{line.row.public_id}"
        return bound.get(name) or FORMS[act](initial=first, auto_id=f"{name}_%s")

    running = []
    for line in shown.running:
        meets = line.row.meets_at and line.row.meets_at.astimezone(zone)
        at = meets and meets.replace(tzinfo=None)
        running.append((line, form_of("meet", line, at=at, minutes=line.row.minutes), meets))
    return {
        "mine": shown,
        "running": running,
        "ended": [(line, form_of("look-back", line, said=line.said)) for line in shown.ended],
        "wish_form": bound.get("wish") or WishForm(initial={"topic": request.GET.get("topic", "")}, auto_id="wish_%s"),
        "offer_form": bound.get("offer") or OfferForm(auto_id="offer_%s"),
        "zone": person.time_zone or "UTC",
        "mails": mail_is_sent() and bool(person.email),
        "ends": reverse("experts:mentoring"),
    }


@never_cache
@require_safe
def invitation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The meeting of a mentorship of mine, as a file for my calendar; what is off comes as a cancellation."""
    person: Person = request.user  # type: ignore[assignment]
    meeting = meeting_of(verbs.one(public_id, Viewer.of(person)), person)
    if meeting is None:
        raise Http404
    answer = HttpResponse(written(meeting), content_type=f"text/calendar; charset=utf-8; method={meeting.method}")
    answer["Content-Disposition"] = 'attachment; filename="invitation.ics"'
    return answer
