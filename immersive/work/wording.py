"""Picks in words: what each route would be, as candidates that `routes` weighs, from what may be read now.

The same for those just gathered and for those kept since yesterday: what a
candidate says of a title, a person or a date is never older than the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from django.utils.formats import date_format

from experts import finder
from experts.asking.load import zone_of
from experts.room import time_left
from immersive.work.acts import asked_for
from immersive.work.candidates import LEAST, Gathered, Pick, day_of, jobs_of
from immersive.work.routes import Candidate, Counts, History, Reason, Route
from immersive.work.working_time import A_DAY, Clock, clock_told

OFFERS = 0.3
"""What it adds that somebody offers to be a mentor in a topic of the task."""
A_NIGHT = 0.6 * A_DAY
"""Working hours of somebody who is asked now until they are likely to begin."""
NO_DATE = 10 * A_DAY
"""Working hours until a course of which no date is known."""
COURSE_MINUTES = 420
"""Of a course that does not say how long it is."""
A_MINUTE = 1100
"""Characters that are read in a minute."""
LONGEST_READING = 60
"""Minutes beyond which nobody reads on for one task."""
ALONE = Candidate(Route.DO, title="On your own")


def in_words(
    found: Gathered,
    now: datetime,
    mine: Clock,
    past: Mapping[int, History] | None = None,
    alone: Candidate = ALONE,
) -> list[Candidate]:
    """A candidate of each pick, two of each person, and ``alone``, which is always there.

    ``mine``: the viewer's working time; ``past``: published outcomes of resources, by their ids.
    """
    past = past or {}
    made = [alone]
    for pick in found.picks:
        if pick.route is Route.HAND_OVER:
            made += _asked(pick, found.people[pick.key], mine, now)
            continue
        one = found.resources[pick.key]
        plain = Candidate(
            pick.route,
            pick.fit,
            key=str(pick.key),
            title=one.title,
            url=one.get_absolute_url(),
            web=one.url,
            price=str(one.facts.get("price", "")),
            access=str(one.facts.get("access", "")),
            past=past.get(one.pk, {}).get((pick.route, None, None), Counts()),
            counted=past.get(one.pk, {}),
        )
        made.append(_IN_WORDS[pick.route](plain, pick, found, mine, now))
    return made


def _tool(plain: Candidate, pick: Pick, found: Gathered, mine: Clock, now: datetime) -> Candidate:
    jobs = jobs_of(found.resources[pick.key])
    reasons = [Reason(f"It can {jobs[pick.job]}", plain.url)] if pick.job is not None and pick.job < len(jobs) else []
    pages = (found.resources[key] for key, _ in sorted(pick.behind, key=lambda one: -one[1]))
    reasons += [Reason(f"“{page.title}” says to use it", page.get_absolute_url()) for page in pages]
    return replace(plain, begins_in=A_DAY if asked_for(plain.access) else 0.0, reasons=tuple(reasons[:3]))


def _reading(plain: Candidate, pick: Pick, found: Gathered, mine: Clock, now: datetime) -> Candidate:
    one = found.resources[pick.key]
    minutes = _minutes(one.facts.get("duration_minutes")) or min(LONGEST_READING, max(1, one.length // A_MINUTE))
    verb = "watch" if one.kind == "video" else "read"
    return replace(plain, minutes=minutes, reasons=(Reason(f"{minutes} min to {verb}", plain.url),))


def _course(plain: Candidate, pick: Pick, found: Gathered, mine: Clock, now: datetime) -> Candidate:
    facts = found.resources[pick.key].facts
    day, places = day_of(found.resources[pick.key]), facts.get("places")
    reasons = []
    if day:
        left = "" if places is None else f", {places} place{'' if places == 1 else 's'} left"
        reasons = [Reason(f"Next on {date_format(day, 'j F Y')}{left}", plain.url)]
    begins = mine.between(now, datetime.combine(day, time(9), tzinfo=zone_of(mine.zone))) if day else NO_DATE
    hours = (_minutes(facts.get("duration_minutes")) or COURSE_MINUTES) / 60 + 2
    return replace(plain, begins_in=begins, hours=hours, on=day, reasons=tuple(reasons))


_IN_WORDS = {Route.TOOL: _tool, Route.INFORMAL: _reading, Route.FORMAL: _course}


def _asked(pick: Pick, one: finder.Expert, mine: Clock, now: datetime) -> Iterable[Candidate]:
    """Somebody to do it, or to work on it together with.

    When they are away counts for those alone who show their time: asking again and again would tell it of others.
    """
    person: Any = one.person
    left = time_left(person)
    theirs = clock_told(person, person.room_closed if left else None)
    told = Candidate(
        Route.HAND_OVER,
        pick.fit,
        key=str(person.public_id),
        title=person.display_name,
        url=person.get_absolute_url(),
        begins_in=mine.between(now, theirs.after(now, A_NIGHT)),
        others=2.0,
        left=left.text if left else "",
        reasons=tuple(Reason(reason.text, reason.url) for reason in one.reasons[:2]),
    )
    yield told
    mentor = replace(told, route=Route.MENTOR, others=1.0, fit=min(1.0, told.fit + OFFERS * one.teaches))
    if mentor.fit >= LEAST[Route.MENTOR]:
        yield mentor


def _minutes(said: Any) -> int:
    """Minutes that a catalogue says; 0 where it does not, or nothing that can be."""
    return said if isinstance(said, int) and 0 < said <= 100_000 else 0
