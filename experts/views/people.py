"""The list of people, and the page of one person as one viewer may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from experts.choices import LONGEST_TOPIC
from experts.evidence import evidence_line, shown, topics_of, written_by
from experts.finder import ONLY_SAID, Level, find, levels
from experts.models import Offer, OwnTopic, Person
from experts.room import with_room
from knowledge.access import Ground, Viewer
from knowledge.documents import Query
from knowledge.index.analysis import topic_key
from knowledge.index.language import to_text

PEOPLE_A_PAGE = 60
EVIDENCE_A_PAGE = 20
WHO_KNOW = 10
TOPICS = 8
"""Topics of documents that are shown."""
LOOKED_UP = 16
"""Topics, those of documents first, whose depth is looked up: a search each."""
ALIKE, ALIKE_BY = 3, 5
"""People who know almost the same, and the topics by which they are looked for."""
FADING = timedelta(days=2 * 365)
HOW_WELL = ("Says so", "Learning", "Practised", "Deeply")


class WhoForm(forms.Form):
    """Part of a name, or what somebody should know."""

    q = forms.CharField(label="A name, or what they know", max_length=300, required=False)


def people(request: HttpRequest) -> HttpResponse:
    """Everybody who works here, by team; or those of a name, and those who know what was written."""
    viewer = Viewer.of(request.user)
    form = WhoForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = Person.objects.visible_to(viewer).named(text).by_team()
    page = Paginator(found, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    known = find(text, viewer, count=WHO_KNOW) if page.number == 1 else []
    return render(request, "experts/people.html", {"form": form, "text": text, "people": page, "known": known})


def person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person; who left or hides is not found, as if they had never been. Their own page they see always."""
    viewer = Viewer.of(request.user)
    one = get_object_or_404(
        with_room(Person.objects.visible_to(viewer)).select_related("availability"), public_id=public_id
    )
    page = Paginator(written_by(one, viewer), EVIDENCE_A_PAGE).get_page(request.GET.get("page"))
    evidence, ground = shown(page.object_list), Ground(viewer)
    said = list(OwnTopic.objects.visible_to(viewer).filter(person=one, hidden=False))
    known = knowledge_of(one, said, viewer, ground)
    names = [row.name for row in known[:ALIKE_BY]]
    told = {
        "person": one,
        "mine": one.pk == viewer.person_id,
        "memberships": one.memberships.current().with_path(),
        "there": time_there(one.time_zone),
        "known": known,
        "glad": [own.name for own in said if own.ask == OwnTopic.Ask.YES],
        "offers": list(Offer.objects.visible_to(viewer).filter(person=one).order_by("name")),
        "alike": find(names, viewer, ground=ground, count=ALIKE, without=[one.pk]) if names else [],
        "line": evidence_line(one, viewer),
        "evidence": evidence,
        "some_by_name": any(piece.by_name for piece in evidence),
        "page": page,
        "by_name": to_text(Query(people=(one.display_name,))),
    }
    return render(request, "experts/person.html", told)


@dataclass(frozen=True, slots=True)
class Known:
    """A topic of somebody's, how well they know it as far as the viewer may know, and whether that fades."""

    name: str
    level: Level
    says_so: bool
    fades: bool

    @property
    def how_well(self) -> str:
        """It in words; where no document shows it, that they say so."""
        return HOW_WELL[self.level.step]


def knowledge_of(one: Person, said: Sequence[OwnTopic], viewer: Viewer, ground: Ground) -> list[Known]:
    """Their topics, the best known first: what documents show, then what they say of themselves alone."""
    claims = {own.key: own.name for own in said if own.knows}
    shows = [topic["name"] for topic in topics_of(one, viewer)][:TOPICS]
    names = {topic_key(name)[:LONGEST_TOPIC]: name for name in shows}
    names |= {key: name for key, name in claims.items() if key not in names}
    told = levels([one], list(names.values())[:LOOKED_UP], viewer, ground=ground) if names else {}
    unseen = Level("none", ONLY_SAID, url=one.get_absolute_url())
    old = timezone.now() - FADING
    rows = [
        Known(name, level, key in claims, bool(level.last and level.last < old))
        for key, name in names.items()
        for level in (told.get((one.pk, name), unseen),)
        if level.depth != "none" or key in claims
    ]
    return sorted(rows, key=lambda row: -row.level.step)


def time_there(zone: str) -> datetime | None:
    """What the clock says there; nothing where the zone is unknown, or UTC, which is what nobody chose."""
    try:
        return None if zone in ("", "UTC") else timezone.now().astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        return None
