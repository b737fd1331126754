"""Forming a team: from a sentence or topics to people who cover them, and a proposal that each of them agrees to."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import shorten
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from experts.models import Team, one_line
from experts.teams import proposals
from experts.teams.formation import Need
from experts.teams.line_ups import MOST_PEOPLE, MOST_TOPICS, USUAL_HOURS, USUAL_PEOPLE, Draft, Wanted, draft
from knowledge.access import Viewer
from knowledge.index.analysis import content_words, tokens, topic_key
from knowledge.pages import topics_near
from knowledge.topics import proposed

LONGEST_TOPIC = 80
MOST_NAMED = 60
"""Topics that a page keeps for whoever named them, so that nothing is lost; of these the first dozen count."""


class BuildForm(forms.Form):
    """What the team is for. The topics stand beside it: see `Asked`."""

    q = forms.CharField(
        label="What is the job?",
        required=False,
        max_length=proposals.LONGEST,
        strip=True,
        help_text="One sentence. Topics are proposed from it.",
        error_messages={"max_length": f"Say it in at most {proposals.LONGEST} characters: the main thing is enough."},
    )
    add = forms.CharField(
        label="Another topic",
        required=False,
        max_length=LONGEST_TOPIC,
        error_messages={"max_length": f"Name a topic in at most {LONGEST_TOPIC} characters, one at a time."},
    )
    hours = forms.IntegerField(
        label="Hours a week each",
        required=False,
        min_value=1,
        max_value=40,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), "Write the hours as a number from 1 to 40."
        ),
    )
    most = forms.IntegerField(
        label="People at most",
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), f"People at most: write a number from 1 to {MOST_PEOPLE}."
        ),
    )


class Asked:
    """What an address or a form of the builder says: text, topics, hours, and who was chosen, if anybody was.

    Topics travel as ``must`` and ``nice``; ``said`` is the text from which
    topics were proposed last, so that a topic that was removed stays removed.
    Of a text from which none can be proposed its telling words are the one
    topic, in quotation marks, which no search minds: ``whole``, the job as a whole.
    """

    def __init__(self, data: QueryDict, viewer: Viewer) -> None:
        self.form = BuildForm(data if data else {"hours": USUAL_HOURS, "most": USUAL_PEOPLE})
        self.valid = self.form.is_valid()
        self.text = one_line(data.get("q", ""))
        self.chosen = [key for key in data.getlist("with") if key]
        needs = [Need(name) for name in map(one_line, data.getlist("must"))]
        needs += [Need(name, critical=False) for name in map(one_line, data.getlist("nice"))]
        dropped, turned = topic_key(data.get("drop", "")), topic_key(data.get("turn", ""))
        if self.text and self.text != data.get("said", "") and "q" not in self.form.errors:
            needs += [Need(name) for name in _longest(topic.name for topic in proposed(self.text, None, viewer))]
            needs += [Need(name, critical=False) for name in topics_near(self.text, viewer)]
            needs = needs or [Need(_whole(self.text))]
        added = [] if "add" in self.form.errors else [one_line(name) for name in data.get("add", "").split(",")]
        needs += [Need(name) for name in added]
        kept: dict[str, Need] = {}
        for need in needs:
            key = topic_key(need.topic)
            if key and key != dropped and len(need.topic) <= LONGEST_TOPIC and len(kept) < MOST_NAMED:
                kept.setdefault(key, Need(need.topic, need.critical != (key == turned)))
        self.needs = tuple(sorted(kept.values(), key=lambda need: not need.critical))
        self.whole = next((need.topic for need in self.needs if need.topic == _whole(self.text)), "")
        if {"drop", "turn"} & set(data) or any(added):
            self.chosen = []

    @property
    def wanted(self) -> Wanted:
        """The same as a value; what was not typed well is as usual."""
        said = self.form.cleaned_data if self.valid else {}
        hours, most = said.get("hours") or USUAL_HOURS, said.get("most") or USUAL_PEOPLE
        return Wanted(self.needs[:MOST_TOPICS], hours, most)

    def address(self, chosen: tuple[str, ...]) -> str:
        """The page's address with exactly these people."""
        pairs: list[tuple[str, Any]] = [
            ("q", self.text),
            ("said", self.text),
            ("hours", self.wanted.hours),
            ("most", self.wanted.most),
        ]
        pairs += [("must" if need.critical else "nice", need.topic) for need in self.needs]
        return f"{reverse('experts:build-team')}?{urlencode([*pairs, *(('with', key) for key in chosen)])}"


def _whole(text: str) -> str:
    """The words of a text that say what it is about, as many as the name of a topic holds, in quotation marks."""
    said = shorten(" ".join(content_words(tokens(text))), LONGEST_TOPIC - 2, placeholder="")
    return f"“{said}”" if said else ""


def _longest(names: Iterable[str]) -> list[str]:
    """Names without those whose words stand within another one: who says “water quality” does not mean “quality”."""
    keys = {name: f"-{topic_key(name)}-" for name in names}
    return [name for name, key in keys.items() if not any(key in other for other in keys.values() if other != key)]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def build(request: HttpRequest) -> HttpResponse:
    """The team builder; by POST the line-up is kept (``ask``: and everybody in it is asked)."""
    viewer = Viewer.of(request.user)
    asked = Asked(request.POST if request.method == "POST" else request.GET, viewer)
    found = draft(asked.wanted, viewer, asked.chosen) if asked.needs else None
    if request.method == "POST" and asked.valid and found and found.people:
        return _keep(request, asked, found)
    status = 422 if request.method == "POST" else 200
    return render(request, "experts/build_team.html", _context(asked, found, viewer), status=status)


def _keep(request: HttpRequest, asked: Asked, found: Draft) -> HttpResponse:
    """Keep the line-up as a proposal, and go there."""
    places = {one.person: why for one, why in zip(found.people, found.why, strict=True)}
    kept = proposals.propose(
        owner=request.user,  # type: ignore[arg-type]
        text=asked.text,
        needs=found.wanted.needs,
        hours=found.wanted.hours,
        places=places,
        ask="ask" in request.POST,
    )
    if len(places) < len(set(asked.chosen)):
        messages.warning(request, "Somebody of this team cannot be asked just now and was left out.")
    return redirect(kept)


def _context(asked: Asked, found: Draft | None, viewer: Viewer) -> dict[str, Any]:
    links = [(other, asked.address(other.keys)) for other in found.others] if found else []
    return {
        "form": asked.form,
        "asked": asked,
        "found": found,
        "too_many": len(asked.needs) - MOST_TOPICS,
        "others": links,
        "usual": asked.address(()) if asked.chosen else "",
        "kept": proposals.mine(viewer),
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def proposal(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One proposal: for whoever made it, for those asked, and for those it is shared with; what they do with it."""
    viewer = Viewer.of(request.user)
    shown = proposals.shown(public_id, viewer)
    if request.method == "POST":
        return _done(request, shown, viewer)
    again = [("must" if need["must"] else "nice", need["name"]) for need in shown.proposal.needs]
    again += [("q", shown.proposal.text), ("said", shown.proposal.text), ("hours", shown.proposal.hours)]
    context = {
        "shown": shown,
        "proposal": shown.proposal,
        "unasked": any(seat.said == "not asked" for seat in shown.seats),
        "teams": Team.objects.of(viewer) if shown.mine else [],
        "shared": shown.proposal.audience.tokens if shown.proposal.audience else [],
        "again": f"{reverse('experts:build-team')}?{urlencode(again)}",
    }
    return render(request, "experts/proposal.html", context)


def _done(request: HttpRequest, shown: proposals.Shown, viewer: Viewer) -> HttpResponse:
    """What a button of the proposal's page does; nobody's button works for anybody else."""
    row, person, act = shown.proposal, request.user, request.POST.get("act")
    try:
        if act in ("agree", "decline"):
            proposals.answer(proposal=row, person=person, agree=act == "agree")  # type: ignore[arg-type]
        elif act == "ask":
            if not proposals.ask_all(proposal=row, owner=person):  # type: ignore[arg-type]
                messages.warning(request, "Nobody more of this team can be asked just now.")
        elif act == "share":
            team = next(
                (one for one in Team.objects.of(viewer) if str(one.public_id) == request.POST.get("team")), None
            )
            proposals.share(proposal=row, owner=person, team=team)  # type: ignore[arg-type]
        elif act == "delete":
            proposals.remove(proposal=row, owner=person)  # type: ignore[arg-type]
            messages.success(request, "Deleted. Nobody sees it any more.")
            return redirect("experts:build-team")
        else:
            raise Http404
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    return redirect(row)
