"""An invented task for the pattern page: its question, card and plan, and what is read beside it; nothing is stored."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.utils import timezone

from experts.models import Person
from immersive.work.card import Look
from immersive.work.forms import AssessmentForm
from immersive.work.models import LEANS, Task
from immersive.work.plan import Planned
from immersive.work.routes import Candidate, Counts, History, Reason, Route, Situation, weigh
from immersive.work.working_time import Clock
from knowledge.models import Resource, Source, Topic
from knowledge.pages import Note
from knowledge.reader import render

STATEMENT = "Prime pump P-102 before the night shift"


def routes(ana: Person) -> dict[str, Any]:
    """What the pattern page shows of tasks; ``ana`` knows about it."""
    page = Resource(kind="page", title="Priming a feed pump", source=Source(name="Handbook"))
    tool = Resource(kind="tool", title="ValveView", url="https://valves.example.org/", source=page.source,
                    facts={"access": "asked of Plant IT"})  # fmt: skip
    lesson = Resource(kind="lesson", title="The third pump", facts={"say": "On P-103 the vent cock opens to the left."})
    task = Task(public_id=uuid5(NAMESPACE_URL, STATEMENT), statement=STATEMENT)
    told = Situation(sure=0.3, known=0.25, lean=0.5, hours_left=22)
    read, uses = str(page.public_id), str(tool.public_id)
    known: History = {(Route.MENTOR, told.difficulty, None): Counts(8, 9), (Route.TOOL, None, None): Counts(9, 14)}
    found = [
        Candidate(Route.DO, title="On your own", past=Counts(1.5, 3), reasons=(Reason("1.5 of 3 like tasks worked"),)),
        Candidate(Route.TOOL, 0.8, uses, tool.title, "#", access=tool.facts["access"],
                  reasons=(Reason("It can show each valve", "#"),)),
        Candidate(Route.HAND_OVER, 0.7, "ana", ana.display_name, "#", begins_in=5, others=2),
        Candidate(Route.MENTOR, 0.9, "ana", ana.display_name, "#", begins_in=5, others=1,
                  reasons=(Reason("Wrote or edited 3 pages", "#"),)),
        Candidate(Route.INFORMAL, 0.7, read, page.title, "#"),
        Candidate(Route.FORMAL, 0.6, str(uuid5(NAMESPACE_URL, "rig")), "Pump hydraulics", "#", begins_in=88,
                  hours=18, price="€ 420"),
    ]  # fmt: skip
    card, now = weigh(found, told, known), timezone.now()
    alike = weigh(found[3:5], Situation(sure=0.5, known=0.5), {})
    topics = [Topic(pk=number, slug=name.lower(), name=name) for number, name in enumerate(("Pumps", "Valves"), 1)]
    planned: list[Any] = [(Route.INFORMAL, True, page), (Route.TOOL, False, tool), (Route.MENTOR, False, None, ana),
                          (Route.HAND_OVER, False)]  # fmt: skip
    steps = [
        Planned(*one, token=str(at), task=task, first=at == 0, last=at == len(planned) - 1)
        for at, one in enumerate(planned)
    ]
    return {
        "task": task,
        "leans": LEANS,
        "look": Look(
            card, told, Clock(), now, {(Route.TOOL, uses): "2"}, notes={read: [Note(lesson, False)]}, task=task
        ),
        "close_look": Look(alike, told, Clock(), now),
        "sure_form": AssessmentForm(topics),
        "plan": steps,
        "beside": page,
        "text": render("Close the discharge valve, *then* open the vent."),
    }
