"""Invented rows for the pattern page: every component in every state, nothing of it stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.safestring import mark_safe

from experts.finder import Expert, Reason
from experts.room import TimeLeft
from experts.teams.formation import Need
from experts.teams.line_ups import Cell, Draft, Row, Someone, Wanted
from immersive.forms import Chip, Group
from immersive.sample_questions import questions
from immersive.sample_routes import routes
from immersive.way_on import Rail, WayOn
from knowledge.connectors.live import Service
from knowledge.documents import Facet, Passage, Query, Result, ResultPage
from knowledge.explain import Matched, Share, Why
from knowledge.live import LiveResult, Offer, Said
from knowledge.live_sources import Declared
from knowledge.models import Resource, Source, Verification
from knowledge.pages import Note
from knowledge.relaxing import Relaxed
from knowledge.typeahead import Group as Suggestions
from knowledge.typeahead import Suggestion, marked

ICONS = (
    "answer", "alert", "back", "beside", "broken", "clock", "close", "course", "down", "external", "keys", "lesson",
    "lock", "mark", "next", "out", "page", "people", "person", "plus", "question", "search", "task", "theme", "tool",
    "topic", "verified", "video",
)  # fmt: skip


class SampleForm(forms.Form):
    """One field of each sort."""

    statement = forms.CharField(label="Task, in your words", initial="Prime pump P-102 before the morning shift")
    due = forms.DateField(label="Due", required=False, error_messages={"invalid": "Write the day as 2027-03-31."})
    note = forms.CharField(
        label="What surprised you?", required=False, widget=forms.Textarea({"rows": 3}), help_text="One line is enough."
    )
    with_help = forms.BooleanField(label="With help", required=False)
    sure = forms.ChoiceField(
        label="How sure are you?",
        choices=[("30", "Could follow someone"), ("50", "A coin toss"), ("70", "Expect it to go well")],
        widget=forms.RadioSelect,
    )


def _result(
    kind: str, title: str, passage: str | tuple[Passage, ...], source: str, days: int | None = None, **more: Any
) -> Result:
    updated = timezone.now() - timedelta(days=days) if days is not None else None
    row = Resource(kind=kind, title=title, source=Source(name=source), updated=updated, **more)
    passages = passage if isinstance(passage, tuple) else (Passage(passage),)
    # nothing here comes from outside: these are the sentences below
    return Result(row, mark_safe(title), mark_safe(passages[0].html), 1.0, passages=passages)  # noqa: S308


def _services() -> dict[str, Any]:
    """Services outside: one that answered, one that found nothing, one that did not answer, one that waits."""
    kinds = {"Pump questions": "stackexchange", "Open wiki": "mediawiki", "Old archive": "json", "Vendor": "json"}
    questions, wiki, archive, vendor = (
        Declared(uuid5(NAMESPACE_URL, name), Service(name, shape, ""), trusted=False) for name, shape in kinds.items()
    )
    answer = LiveResult("Why does a feed <mark>pump</mark> hum?", "It runs dry.", "https://questions.example.org/7",
                        timezone.now() - timedelta(days=70), ("2 answers, one accepted",))  # fmt: skip
    return {
        "live_offer": Offer("feed pump", (), (vendor,)),
        "live_said": [Said(questions, (answer,)), Said(wiki), Said(archive, trouble="did not answer within 3 seconds")],
    }


def everything() -> dict[str, Any]:
    """What the pattern page renders."""
    today = timezone.localdate()
    soon = (today + timedelta(days=9)).isoformat()
    person = get_user_model()(username="ana", name="Ana Ferreira", role="Shift engineer")
    other = get_user_model()(username="ben", name="Ben Okafor")
    verified = _result("page", "Priming a <mark>feed pump</mark>", "…fill the casing until water runs without "
                       "bubbles; a <mark>pump</mark> that loses its prime has a leaking foot valve…", "Handbook", 20,
                       crumbs=["Operations", "Pumps"], url="https://handbook.example.org/pumps")  # fmt: skip
    overdue = _result(
        "page", "Old sheet for <mark>pumps</mark>", "…enter the level of each <mark>pump</mark>…", "Archive", 900
    )
    places = (
        Passage("P-102 · <mark>pump</mark> casing, 22 litres · 6 min", "Filling the casing › By type", "s-by-type"),
        Passage("Read it with <code><mark>level</mark> --tank 2</code>.", "Before you begin", "s-before-you-begin"),
    )
    twice = _result("page", "Filling times of all <mark>pumps</mark>", places, "Handbook", 200)
    near = (Passage("Let it stand until the needle rests.", "Afterwards", "s-afterwards", by_meaning=True),)
    twice = replace(twice, similar=(_result("page", "Filling times, draft", "", "Archive", 300), overdue))
    shares = {"title": 0.38, "body": 0.31, "meaning": 0.2, "trust": 0.05, "use": -0.03, "fresh": 0.06}
    words = (Matched("pump", ("title", "text")), Matched("casing", ("text",), instead_of="volute"))
    why = Why(words, ("kestrel",), tuple(Share(name, share, share) for name, share in shares.items()), pinned=True)
    verified = replace(verified, why=why)
    Verification(resource=verified.resource, owner=person, until=today + timedelta(days=200))
    Verification(resource=overdue.resource, owner=None, until=today - timedelta(days=90))
    results = [
        verified,
        overdue,
        twice,
        _result("page", "Before you read a level", near, "Handbook", 12),
        _result("tool", "ValveView", "Shows every valve and <mark>pump</mark> with its state.", "Catalogue"),
        _result("course", "<mark>Pump</mark> hydraulics", "Two days at the test rig.", "Catalogue",
                facts={"duration_minutes": 960, "next_date": soon, "price": "€ 420"}),
        _result("video", "What cavitation sounds like",
                (Passage("Listen to the <mark>pump</mark> before you open it.", mark="4:10", there="t=250"),),
                "Catalogue", 3, facts={"duration_minutes": 12}, url="https://videos.example.org/cavitation"),
        _result("answer", "Why does P-102 hum?", "…the coupling, not the <mark>pump</mark>…", "Questions", 1),
        _result("lesson", "We primed a warm <mark>pump</mark>", "…and changed its seal a week later…", "Lessons", 40,
                facts={"say": "It held for a day. Wait until you can leave your hand on the casing."}),
        _result("person", "Ana Ferreira", "", "People",
                facts={"role": "Shift engineer", "team": "Operations", "initials": "AF",
                       "person": str(person.public_id)}),
    ]  # fmt: skip
    written = Reason("Wrote or edited 3 pages that you can read, the newest in May 2026.", "#")
    expert = Expert(other, 1.0, (written, Reason("Says that they know Pumps.", "#")), 3, timezone.now())
    bound = SampleForm({"statement": "", "due": "31 November", "sure": "40"})
    bound.is_valid()
    facets = [Facet("page", "Page", 31, chosen=True), Facet("tool", "Tool", 3), Facet("person", "Person", 0)]
    more = [Facet(f"topic-{n}", f"Topic {n}", n) for n in range(9, 0, -1)]
    return {
        **_services(),
        **_spelling(),
        **questions(person, other, next(one for one in results if one.resource.kind == "answer")),
        **routes(person),
        "found": _team(person, other),
        "evidence": {person.public_id: "Wrote or edited 3 pages that you can read, the newest in May 2026."},
        "page": ResultPage(query=Query(text="feed pump", words=("feed", "pump")), results=tuple(results), total=128),
        "person": person,
        "other": other,
        "expert": expert,
        "rail": Rail((expert,), results[4]),
        "times": [TimeLeft(2, 3, 2, None), TimeLeft(0, 3, None, today + timedelta(days=4))],
        "form": SampleForm(auto_id="good_%s"),
        "bad_form": bound,
        "group": Group("kind", "Kind", tuple(facets), ()),
        "long_group": Group("topic", "Topic", tuple(more[:3]), tuple(more[3:])),
        "way_on": WayOn(
            Relaxed("null point shift", ("kind: page",), ResultPage(Query(), tuple(results[:2]), total=2)),
            (expert,),
            waits=False,
        ),
        "notes": [Note(next(one.resource for one in results if one.resource.kind == "lesson"), suspends=True)],
        "suspended": Verification(suspended_at=timezone.now(), until=today + timedelta(days=200)),
        "chips": [Chip("kind: page", "feed pump"), Chip("after 1 March 2026", "feed pump kind:page")],
        "last": timezone.now() - timedelta(days=3),
        "icons": ICONS,
    }


def _team(*people: Any) -> Draft:
    """Who covers what: each level, a topic that rests on one person, and one that nobody knows."""
    shown = (("Feed pumps", (3, 2), "still covered"), ("Seals", (1, 3), f"only {people[1].display_name}"),
             ("Type approval", (0, 1), "nobody"))  # fmt: skip
    rows = [
        Row(topic, topic != "Seals", tuple(Cell(level) for level in levels), away, away != "still covered")
        for topic, levels, away in shown
    ]
    wanted = Wanted(tuple(Need(row.topic, row.critical) for row in rows), hours=2)
    return Draft(wanted, (Someone(people[0], {}), Someone(people[1], {}, free=6)), (), tuple(rows), (), ())


def _spelling() -> dict[str, Any]:
    """What is suggested while one types, and where a word was misspelled."""

    def one(kind: str, text: str, detail: str = "", *, verified: bool = False) -> Suggestion:
        return Suggestion(kind, text, marked(text, ("feed", "pum")), "#", detail, verified)

    pages = one("page", "Priming a feed pump", "Handbook", verified=True), one("course", "Pump hydraulics", "Academy")
    meant = ResultPage(Query(text="feed pomp"), did_you_mean="feed pump", total=12)
    return {
        "suggestions": [
            Suggestions("people", "People", (one("person", "Pumla Okafor", "Mechanic, Operations"),)),
            Suggestions("tools", "Tools", (one("tool", "PumpView", "find which valve feeds a pump"),)),
            Suggestions("pages", "Pages", pages),
            Suggestions("topics", "Topics", (one("topic", "Pumps", "18 documents"),)),
            Suggestions("searches", "My searches", (one("search", "feed pump curves"),)),
        ],
        "meant": [meant, replace(meant, query=Query(text="feed pump"), instead_of="feed pomp")],
    }
