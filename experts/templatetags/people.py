"""What templates need to show people: their time, where a question to them begins, who can help with a resource."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from experts import helpers, room
from experts.models import Person
from knowledge.access import Viewer
from knowledge.models import Resource

register = template.Library()

register.filter("time_left", room.time_left)


@register.simple_tag
def ask_url(person: Person | None = None, text: str = "", about: Resource | None = None) -> str:
    """Where a question begins: to this person or whoever knows, with this text, about this resource."""
    said = {"q": text, "to": person.public_id if person else "", "about": about.public_id if about else ""}
    return f"{reverse('experts:ask-new')}?{urlencode({name: value for name, value in said.items() if value})}"


@register.inclusion_tag("components/can_help.html")
def people_who_can_help(resource: Resource, viewer: Viewer) -> dict[str, Any]:
    """The part of a resource's page that names who can help with it, as far as this viewer may know."""
    return {"resource": resource, "help": helpers.who_can_help(resource, viewer), "me": viewer.person_id}
