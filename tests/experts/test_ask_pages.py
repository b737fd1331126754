"""Asking on pages: the form, what is like a question while it is typed, and where it begins."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from experts import actions, notices
from experts.asking import actions as asking
from experts.asking.asks import Answer, Ask, Turn
from experts.choices import Availability, Closed, OwnTopic
from knowledge.access import Viewer
from tests.experts import talking
from tests.experts.conftest import page, plain
from tests.experts.talking import form, post, read, said
from tests.small_company import index

pytestmark = pytest.mark.django_db
people, as_, asked = talking.people, talking.as_, talking.asked
NOT_NOW = "They cannot be asked just now."


# Asking ---------------------------------------------------------------------------------------------------------------


def test_one_asks_a_person_and_lands_on_the_question(people: dict[str, Any], as_: Any) -> None:
    ana, ben = as_("ana"), people["ben"]
    html = read(ana, f"/asks/new?to={ben.public_id}&q=How+do+I+prime+it%3F")
    assert "Ask Ben Okafor" in html
    assert ">\nHow do I prime it?</textarea>" in html
    assert re.search(r'value="show"[^>]*checked', html), "to be shown is the default"
    assert re.search(rf'value="{ben.public_id}"[^>]*checked', html)
    page_ = post(ana, "/asks/new", **form("How do I prime it?", to=ben.public_id, details="It **hums**."))
    assert "You asked this" in said(page_)
    assert "<strong>hums</strong>" in page_
    ask = Ask.objects.get()
    assert (ask.author, ask.wish, ask.routed) == (people["ana"], "show", False)
    assert "Hand it on to whoever knows" in page_
    assert [one.said.text for one in notices.news(Viewer.of(ben))] == ["Ana Lima asks you: “How do I prime it?”"]


def test_a_question_begins_with_what_it_is_about(people: dict[str, Any], as_: Any, hold: Any) -> None:
    hold("Book", [page("a", "Ben Okafor", title="Priming a pump", topics=("Pumps",))])
    from knowledge.models import Resource

    about = Resource.objects.get(title="Priming a pump")
    html = read(as_("ana"), f"/asks/new?about={about.public_id}")
    assert "Priming a pump</a>" in html
    assert re.search(r'name="topic" value="Pumps" checked', html)
    post(as_("ana"), "/asks/new", **form("Which valve first?", about=about.public_id, offered="Pumps", topic="Pumps"))
    assert [topic.name for topic in Ask.objects.get().topics.all()] == ["Pumps"]
    assert "Priming a pump</a>" in read(as_("cleo"), Ask.objects.get().get_absolute_url())


def test_a_topic_is_proposed_for_another_form_of_its_words(people: dict[str, Any], as_: Any, hold: Any) -> None:
    topics = {"a": ("Burners", "Burnout"), "b": ("Gas pressures", "gas"), "c": ("Priming",)}
    hold("Book", [page(key, title=key, topics=some) for key, some in topics.items()])

    def proposed(words: str) -> list[str]:
        return re.findall(
            r'name="topic" value="([^"]+)"', as_("ana").post("/asks/alike", {"text": words}).content.decode()
        )

    assert proposed("Which burner do I prime when gas pressure drops?") == [
        "gas",
        "Burners",
        "Gas pressures",
        "Priming",
    ]
    assert proposed("How do I burn the pressure off?") == []


def test_a_topic_that_is_only_a_verb_here_needs_a_page_with_another_of_the_words(
    people: dict[str, Any], as_: Any, hold: Any
) -> None:
    hold("Book", [page("a", title="Three weeks of holidays", topics=("Leave",)),
                  page("b", title="When a valve sticks", topics=("Test",))])  # fmt: skip

    def proposed(words: str) -> list[str]:
        shown = as_("ana").post("/asks/alike", {"text": words}).content.decode()
        return re.findall(r'name="topic" value="([^"]+)"', shown)

    assert proposed("Do I leave a certificate at the end?") == []
    assert proposed("Is leaving the certificate there enough?") == []
    assert proposed("How do I ask for leave in July?") == ["Leave"]
    assert proposed("May I leave the holidays to others?") == ["Leave"]
    assert proposed("How do I test the valve?") == ["Test"]


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ({"text": ""}, "Write your question in one sentence."),
        ({"text": "??? !!!"}, "Write your question in one sentence."),
        ({"text": "x"}, "Write your question in one sentence."),
        ({"text": "pump " * 1000}, "This has 4,999 characters. Ask in at most 300"),
        ({"text": "Why is it hot?", "details": "x" * 20_001}, "At most 20,000 characters fit here"),
        ({"text": "Why is it hot?", "audience": "nobody"}, "Select a valid choice"),
        ({"text": "Why is it hot?", "to": "someone"}, NOT_NOW),
        ({"text": "Why is it hot?", "audience": "asked", "anonymous": "on"}, "among few people you would be known"),
    ],
)
def test_what_cannot_be_asked_comes_back_whole_with_the_cure(as_: Any, words: dict[str, str], cure: str) -> None:
    kept = {"text": "Why is it hot?", "details": "What I <tried>", **words}
    answer = as_("ana").post("/asks/new", form(**kept))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert cure in html
    assert "Not asked yet." in html
    assert f">\n{kept['text']}</textarea>" in html
    assert kept["details"].replace("<", "&lt;").replace(">", "&gt;") in html
    assert Ask.objects.count() == 0


def test_two_hundred_kilobytes_of_markdown_with_scripts_are_an_answer_that_runs_nothing(
    people: dict[str, Any], as_: Any, asked: Ask
) -> None:
    evil = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)> # head\n\n"
    body = (evil * 3000)[:199_000]
    html = post(as_("ben"), f"{asked.get_absolute_url()}answer", body=body)
    for tag in ("<script>alert", 'href="javascript', "<img src"):
        assert tag not in html
    assert "read all of it as text" in html
    whole = as_("cleo").get(f"/answers/{Answer.objects.get().public_id}/text")
    assert whole["Content-Type"] == "text/plain; charset=utf-8"
    assert whole["X-Content-Type-Options"] == "nosniff"
    assert whole.content.decode() == body.strip()
    too_long = as_("cleo").post(f"{asked.get_absolute_url()}answer", {"body": "w" * 200_001})
    assert too_long.status_code == 422
    assert "put it into a page, and link that here" in said(too_long.content.decode())
    assert "w" * 200_001 in too_long.content.decode()


def test_who_cannot_be_asked_is_not_told_apart(people: dict[str, Any], as_: Any) -> None:
    """Gone this minute, hidden, closed, with a full week, or never there: the same words, and the question is kept."""
    ana = as_("ana")
    actions.deactivate(people=[people["ben"]])
    Availability.objects.create(person=people["cleo"], hidden=True)
    Availability.objects.create(person=people["dora"], asks_a_week=0)
    today = timezone.localdate()
    Closed.objects.create(person=people["emil"], since=today - timedelta(days=2), until=today + timedelta(days=2))
    told = set()
    for who in ("ben", "cleo", "dora", "emil"):
        answer = ana.post("/asks/new", form("How do I prime it?", to=people[who].public_id))
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "How do I prime it?</textarea>" in html
        told |= set(re.findall(r'field-error">([^<]+)<', html))
        assert "Whoever knows" in html
    assert told == {"They cannot be asked just now. Ask whoever knows instead."}
    for who in (people["ben"].public_id, people["cleo"].public_id, uuid4()):
        assert NOT_NOW in read(ana, f"/asks/new?to={who}")


def test_where_nobody_wants_to_be_asked_it_stands_open(people: dict[str, Any], as_: Any, hold: Any) -> None:
    hold("Book", [page("a", *(people[name].name for name in ("ben", "cleo")), title="Priming", topics=("Pumps",))])
    index()
    for name in ("ben", "cleo"):
        OwnTopic.objects.create(person=people[name], key="pumps", name="Pumps", ask="no")
    refused = as_("ana").post("/asks/new", form("Who knows priming of pumps?", audience="asked", topic="Pumps"))
    assert refused.status_code == 422
    assert "Nobody was found who can be asked now. Let more people read it." in refused.content.decode()
    assert "Who knows priming of pumps?</textarea>" in refused.content.decode()
    html = post(as_("ana"), "/asks/new", **form("Who knows priming of pumps?", topic="Pumps"))
    assert "No answer yet" in html
    assert Turn.objects.count() == 0
    assert "Who knows priming of pumps?" in read(as_("ben"), "/asks/"), "they may still come by"


def test_the_same_question_sent_twice_is_one(as_: Any) -> None:
    for _ in range(2):
        post(as_("ana"), "/asks/new", **form("How do I prime the feed pump?"))
    assert Ask.objects.count() == 1


def test_a_result_an_empty_search_and_a_task_lead_to_the_form(
    people: dict[str, Any], as_: Any, hold: Any, read_people: Any
) -> None:
    from immersive.work import actions as work
    from knowledge.models import Resource

    hold("Book", [page("a", "Ben Okafor", title="Priming a pump", body="Open the vent.")])
    index()
    ana, about = as_("ana"), Resource.objects.get(title="Priming a pump").public_id
    assert f'href="/asks/new?about={about}"' in read(ana, "/search?q=vent")
    read_people()
    index()
    assert f'href="/asks/new?to={people["ben"].public_id}"' in read(ana, "/search?q=okafor+kind%3Aperson")
    assert 'href="/asks/new?q=xylophone"' in read(ana, "/search?q=xylophone+kind%3Atool")
    task = work.start_task(
        owner=people["ana"], statement="Prime P-102", started_from=Resource.objects.get(public_id=about)
    )
    work.assess(task=task, owner=people["ana"], confidence=50)
    assert f'href="/tasks/{task.public_id}/ask"' in read(ana, task.get_absolute_url())
    alone = work.start_task(owner=people["ana"], statement="Xylophone")
    work.assess(task=alone, owner=people["ana"], confidence=50)
    assert f'href="/tasks/{alone.public_id}/ask"' in read(ana, alone.get_absolute_url()), "also where nobody was found"


def test_home_says_what_waits_and_what_is_new(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    assert "For you" not in read(as_("cleo"), "/").split("<main")[1]
    ben = said(read(as_("ben"), "/").split("<main")[1])
    assert ben.count(asked.text) == 1, "the turn, and not its notice too"
    read(as_("ben"), asked.get_absolute_url())
    assert "Ana Lima asks you" in read(as_("ben"), "/"), "it waits although it was seen"
    post(as_("ben"), f"{asked.get_absolute_url()}answer", body="Open the vent.")
    assert asked.text not in read(as_("ben"), "/")
    assert "Ben Okafor answered your question" in read(as_("ana"), "/")
    actions.deactivate(people=[people["ben"]])
    Answer.objects.update(withdrawn_at=timezone.now())
    assert "answered your question" not in read(as_("ana"), "/")


# What is like it ------------------------------------------------------------------------------------------------------


def test_what_is_like_it_shows_while_typing_and_once_before_it_is_asked(
    people: dict[str, Any], as_: Any, asked: Ask
) -> None:
    cleo = as_("cleo")
    beside = cleo.post("/asks/alike", {"text": "how to prime a feed pump"}).content.decode()
    assert asked.text in beside
    assert "<html" not in beside
    assert "prime" not in cleo.post("/asks/alike", {"text": "something else entirely"}).content.decode()
    step = cleo.post("/asks/new", form("How to prime a feed pump now?"))
    html = step.content.decode()
    assert step.status_code == 200
    assert "look here first" in html
    assert "Ask all the same" in html
    assert Ask.objects.count() == 1
    shown = re.findall(r'name="shown" value="(\w+)"', html)
    post(cleo, "/asks/new", **form("How to prime a feed pump now?", shown=shown))
    assert Ask.objects.count() == 2


def test_a_common_word_makes_no_question_alike(people: dict[str, Any], as_: Any, hold: Any) -> None:
    """What shares words that stand everywhere is not shown; what shares the rare ones is."""
    hold("Book", [page(str(n), title=f"Needed change {n}", body="What needs a change, and when.") for n in range(9)])
    index()
    asking.ask(viewer=Viewer.of(people["ana"]), text="Is it right that the rota needs a change?")

    def beside(words: str) -> bool:
        return "rota" in as_("cleo").post("/asks/alike", {"text": words}).content.decode()

    assert not beside("Which burner needs a change of gaskets?")
    assert beside("Is the rota right?")
    assert beside("who can change a rota, and is that right")


def test_nobody_is_shown_what_they_may_not_read(people: dict[str, Any], as_: Any) -> None:
    team = str(people["team"].public_id)
    asking.ask(viewer=Viewer.of(people["ana"]), text="How do I prime the feed pump?", audience=team)
    assert "prime" in as_("ben").post("/asks/alike", {"text": "how to prime a feed pump"}).content.decode()
    beside = as_("fay").post("/asks/alike", {"text": "how to prime a feed pump"}).content
    assert plain(beside) == plain(as_("fay").post("/asks/alike", {"text": "how to grind a kettle bell"}).content)


def test_typing_leaves_no_search_behind(people: dict[str, Any], as_: Any, hold: Any) -> None:
    from knowledge.models import Search

    hold("Book", [page("a", "Ben Okafor", title="Priming a pump", topics=("Pumps",))])
    index()
    html = as_("ana").post("/asks/alike", {"text": "priming pumps", "offered": ["Pumps"]}).content.decode()
    assert re.search(r'name="topic" value="Pumps">', html), "what was taken away stays away"
    post(as_("ana"), "/asks/new", **form("How do I prime pumps?"))
    assert Search.objects.count() == 0


def test_somebody_who_may_know_is_chosen_and_nothing_typed_is_lost(people: dict[str, Any], as_: Any, hold: Any) -> None:
    hold("Book", [page("a", "Ben Okafor", title="Priming a pump", body="Open the vent.")])
    index()
    ana, ben = as_("ana"), str(people["ben"].public_id)
    typed = form("Which vent do I open?", details="I <tried>", wish="do", audience=str(people["team"].public_id))
    del typed["to"]
    beside = ana.post("/asks/alike", typed).content.decode()
    assert f'name="whom" value="{ben}"' in beside
    assert "whom" not in ana.post("/asks/alike", {**typed, "to": ben}).content.decode(), "somebody is chosen already"
    html = ana.post("/asks/new", {**typed, "whom": ben}).content.decode()
    assert "Ask Ben Okafor" in html
    assert "Not asked yet" not in html
    assert "Which vent do I open?</textarea>" in html
    assert "I &lt;tried&gt;</textarea>" in html
    for value in ("do", ben, str(people["team"].public_id)):
        assert re.search(rf'value="{value}"[^>]*checked', html), value
    assert Ask.objects.count() == 0
    assert NOT_NOW in ana.post("/asks/new", {**typed, "whom": str(uuid4())}).content.decode()
