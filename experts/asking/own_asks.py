"""What one person asks: theirs, the same again, and how much of it is too much.

Without limits a week could be measured in silence: by asking somebody again
and again, without a name, until they cannot be asked, and taking it all back.
What was taken back counts for whoever asked.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from experts.asking import sealed
from experts.asking.asks import Ask, Later, Turn
from experts.asking.load import WEEK
from experts.models import Place
from knowledge.access import Viewer

NOT_NOW = "They cannot be asked just now. Ask whoever knows instead."
SAME = timedelta(days=1)
"""The same words of the same person within a day are the same question, sent twice."""
OF_ONE = 2
"""Asks of one person to one other in a week: questions with and without a name, and to be in a team."""
UNNAMED = 3
"""Questions of one person without a name in a day."""


def mine(viewer: Viewer) -> list[Ask]:
    """What the viewer asked, with or without a name, and has not taken back; newest first."""
    if viewer.person_id is None:
        return []
    named = Ask.objects.visible_to(viewer).filter(author=viewer.person_id)
    return sorted([*named, *sealed.mine(viewer)], key=lambda ask: ask.published_at, reverse=True)


def same(text: str, viewer: Viewer, anonymous: bool, to: UUID | None) -> Ask | None:
    """What this person asked in the same words, of the same, within a day, and still waits for."""
    since = timezone.now() - SAME
    if anonymous:
        day = sealed.day_of(since)
        found = (one for one in sealed.mine(viewer) if one.created_at >= day)
        alike = [one.pk for one in found if one.text == text and one.closed_at is None]
        rows = Ask.objects.filter(pk__in=alike).exclude(pk__in=Later.objects.filter(verb="close").values("ask"))
    else:
        rows = Ask.objects.open().filter(author=viewer.person_id, text=text, created_at__gte=since)
    rows = rows.filter(routed=False, turns__person__public_id=to) if to else rows.filter(routed=True)
    known: Ask | None = rows.select_related("audience").first()
    return known


def lately(viewer: Viewer, people: Collection[int], now: datetime) -> list[tuple[int, bool]]:
    """Which of these people (ids) the viewer asked within a week, once for each time, a question or to be in a team,
    taken back or not; and whether the viewer knows that it came to them."""
    rows = Turn.objects.filter(person__in=people, at__gt=now - WEEK).select_related("ask").defer("ask__details")
    questions = [(turn.person_id, not turn.ask.routed) for turn in rows if sealed.is_author(turn.ask, viewer)]
    places = Place.objects.filter(person__in=people, asked_at__gt=now - WEEK, proposal__owner=viewer.person_id)
    teams = places.exclude(person=viewer.person_id).values_list("person", flat=True)
    return questions + [(person, True) for person in teams]


def refuse_too_much(viewer: Viewer, anonymous: bool, to: int | None, now: datetime) -> None:
    """Raise `ValidationError`, with the cure, where this person (id) or so many unnamed questions were asked lately."""
    if to is not None:
        times = [knows for _, knows in lately(viewer, [to], now)]
        if sum(times) >= OF_ONE:
            raise ValidationError({"to": "You have asked them twice within a week. Ask whoever knows instead."})
        if len(times) >= OF_ONE:  # what was for whoever knows came to them: that is nobody's to read
            raise ValidationError({"to": NOT_NOW})
    if anonymous:
        today = [one for one in sealed.own(viewer.person_id or 0) if one.created_at >= sealed.day_of(now)]
        if len(today) >= UNNAMED:
            raise ValidationError(
                {"anonymous": f"{UNNAMED} questions a day go without a name: wait for tomorrow, or give yours."}
            )
