"""Invented questions, answers and notices for the pattern page, in every state they can be in; nothing is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from experts.asking.alike import Similar
from experts.asking.asks import Answer, Ask
from experts.asking.conversation import Line, Reply, Signed
from experts.models import Person
from experts.notices import News, Notice, Said
from knowledge.documents import Result
from knowledge.models import Verification
from knowledge.reader import render


def questions(ana: Person, ben: Person, answered: Result) -> dict[str, Any]:
    """What the pattern page shows of questions; ``answered``: an accepted answer as a search finds it."""
    now = timezone.now()
    nobody, by_ana, by_ben = Signed("Somebody", None), Signed("Ana Ferreira", ana), Signed("Ben Okafor", ben)
    left = Signed("Cléo Martin (former colleague)", None)

    def ask(text: str, days: int, **more: Any) -> Ask:
        return Ask(text=text, published_at=now - timedelta(days=days), **more)

    hum, level = ask("Why does P-102 hum after priming?", 1), ask("May I read the level at the sight glass?", 3)
    lines = [
        Line(hum, by_ben, 0, False, until=now + timedelta(days=1)),
        Line(ask("Who can swap the gauge on Friday?", 2, wish=Ask.Wish.DO), left, 2, False),
        Line(level, by_ana, 1, True, mine=True),
        Line(ask("Is it all right to stop the line?", 4, mark="m"), nobody, 0, False),
        Line(ask("What is the alarm for?", 40, closed_at=now), by_ben, 0, False),
        Line(ask("Whose fault was it?", 5, hidden_at=now), by_ben, 0, False, mine=True),
    ]  # fmt: skip

    def reply(body: str, by: Signed, days: int, **more: Any) -> Reply:
        answer = Answer(
            ask=hum, body=body, created_at=now - timedelta(days=days), accepted_at=more.pop("accepted", None)
        )
        states = {"mine": False, "acceptable": False, "thankable": False, "thanked": False, "thanks": 0, "waits": False}
        return Reply(answer=answer, reading=render(body), by=by, **{"verification": None, **states, **more})

    vouched = Verification(owner=ana, until=timezone.localdate() + timedelta(days=120))
    replies = [
        reply("It is the **coupling**, not the pump:\n\n1. Stop it.\n2. Turn the shaft by hand.", by_ana, 2,
              accepted=now, verification=vouched, thanked=True, thanks=2),
        reply("Listen at the foot valve first.", left, 1, acceptable=True, thankable=True),
        reply("Mine hums too, and nothing is wrong with it.", by_ben, 0, mine=True),
    ]  # fmt: skip

    def news(text: str, days: int, *, seen: bool = False) -> News:
        return News(Notice(at=now - timedelta(days=days), seen_at=now if seen else None), Said(text, "#"))

    told = [
        news("Ana Ferreira answered your question “Why does P-102 hum after priming?”", 0),
        news(
            "Somebody thanked you for your answer to “May I read the level at the sight glass?”: “It fits.”",
            3,
            seen=True,
        ),
    ]
    return {
        "ask_lines": lines,
        "replies": replies,
        "news": told,
        "asked": [hum],
        "alike": Similar((answered,), (level,)),
        "offered": [("Pumps", True), ("Start-up", False)],
        "sample_key": uuid4().hex,
    }
