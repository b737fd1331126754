"""The list of people, and the page of one person as one viewer may see it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from experts.evidence import evidence_line, shown, topics_of, written_by
from experts.models import Person
from knowledge.access import Viewer

PEOPLE_A_PAGE = 60
EVIDENCE_A_PAGE = 20


class NameForm(forms.Form):
    """Part of a name."""

    q = forms.CharField(label="Name contains", max_length=100, required=False)


def people(request: HttpRequest) -> HttpResponse:
    """Everybody who works here, by team."""
    viewer = Viewer.of(request.user)
    form = NameForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = Person.objects.visible_to(viewer).named(text).by_team()
    page = Paginator(found, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "experts/people.html", {"form": form, "text": text, "people": page})


def person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person; who left is not found, as if they had never been."""
    viewer = Viewer.of(request.user)
    one = get_object_or_404(Person.objects.visible_to(viewer), public_id=public_id)
    page = Paginator(written_by(one, viewer), EVIDENCE_A_PAGE).get_page(request.GET.get("page"))
    evidence = shown(page.object_list)
    told = {
        "person": one,
        "memberships": one.memberships.current().with_path(),
        "there": time_there(one.time_zone),
        "topics": topics_of(one, viewer),
        "line": evidence_line(one, viewer),
        "evidence": evidence,
        "some_by_name": any(piece.by_name for piece in evidence),
        "page": page,
        "by_name": 'by:"{}"'.format(one.display_name.replace('"', " ")),
    }
    return render(request, "experts/person.html", told)


def time_there(zone: str) -> datetime | None:
    """What the clock says there; nothing where the zone is unknown, or UTC, which is what nobody chose."""
    try:
        return None if zone in ("", "UTC") else timezone.now().astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        return None
