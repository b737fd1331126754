"""Pages of questions: asking, answering, thanking, and what each viewer reads of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts import actions, asking, notices
from experts.asks import Answer, Ask, SealOpened, Thanks, Turn
from experts.choices import Availability, Closed, OwnTopic
from experts.models import Person, Team
from knowledge.access import Viewer
from tests.experts.conftest import page, plain
from tests.small_company import index

pytestmark = pytest.mark.django_db
NOT_NOW = "They cannot be asked just now."


@pytest.fixture
def people(make_person: Callable[..., Any]) -> dict[str, Any]:
    team = Team.objects.create(name="Pumps", slug="pumps")
    names = {"ana": "Ana Lima", "ben": "Ben Okafor", "cleo": "Cléo Martin", "dora": "Dora Visser", "emil": "Emil Kranz"}
    made = {key: make_person(key, name=name, teams=(team,)) for key, name in names.items()}
    return {**made, "team": team, "fay": make_person("fay", name="Fay Outside")}


@pytest.fixture
def as_(people: dict[str, Any]) -> Callable[[str], Client]:
    """``as_("ana")``: a browser in which Ana is signed in."""
    clients: dict[str, Client] = {}

    def client(name: str) -> Client:
        if name not in clients:
            clients[name] = Client()
            clients[name].force_login(people[name])
        return clients[name]

    return client


@pytest.fixture
def asked(people: dict[str, Any]) -> Ask:
    """Ana asked Ben."""
    return asking.ask(viewer=Viewer.of(people["ana"]), text="How do I prime the feed pump?", to=people["ben"].public_id)


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def said(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def post(client: Client, address: str, **words: Any) -> str:
    """What somebody reads after a form was taken."""
    answer = client.post(address, words, follow=True)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def form(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "wish": "show", "to": "", "audience": "everyone", **more}


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


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ({"text": ""}, "Write your question in one sentence."),
        ({"text": "??? !!!"}, "Write your question in one sentence."),
        ({"text": "pump " * 1000}, "This has 4,999 characters. Ask in at most 300"),
        ({"text": "Why?", "details": "x" * 20_001}, "At most 20,000 characters fit here"),
        ({"text": "Why?", "audience": "nobody"}, "Select a valid choice"),
        ({"text": "Why?", "to": "someone"}, NOT_NOW),
        ({"text": "Why?", "audience": "asked", "anonymous": "on"}, "among few people you would be known"),
    ],
)
def test_what_cannot_be_asked_comes_back_whole_with_the_cure(as_: Any, words: dict[str, str], cure: str) -> None:
    kept = {"text": "Why?", "details": "What I <tried>", **words}
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
    assert f'href="/asks/new?q=Prime%20P-102&amp;about={about}"' in read(ana, task.get_absolute_url())


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


# One question ---------------------------------------------------------------------------------------------------------


def test_answer_accept_thank(people: dict[str, Any], as_: Any, asked: Ask, committed: Any) -> None:
    here = asked.get_absolute_url()
    turn = read(as_("ben"), here)
    assert "Ana Lima asks you." in said(turn)
    assert notices.news(Viewer.of(people["ben"])) == [], "opening it is seeing it"
    html = post(as_("ben"), f"{here}answer", body="Open the *vent* first.")
    assert "<em>vent</em>" in html
    answer = Answer.objects.get()
    assert "This is what I needed" not in html
    mine = read(as_("ana"), here)
    assert "This is what I needed" in said(mine)
    with committed():
        html = post(as_("ana"), f"/answers/{answer.public_id}/accept")
    assert "Accepted: thank you for saying so." in html
    assert "This is what was needed" in html
    post(as_("ana"), f"/answers/{answer.public_id}/thank", said="it runs")
    assert Thanks.objects.get().said == "it runs"
    assert "You said thank you." in read(as_("ana"), here)
    assert "it runs" in said(read(as_("ben"), "/notices/"))
    assert "it runs" not in read(as_("cleo"), here), "what was said is between the two"


def test_only_whoever_asked_accepts_and_nobody_their_own(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    post(as_("ben"), f"{asked.get_absolute_url()}answer", body="Open the vent.")
    answer = Answer.objects.get()
    assert as_("cleo").post(f"/answers/{answer.public_id}/accept").status_code == 404
    assert as_("ben").post(f"/answers/{answer.public_id}/accept").status_code == 404
    assert as_("cleo").get(f"/answers/{answer.public_id}/edit").status_code == 404
    assert as_("cleo").post(f"/answers/{answer.public_id}/withdraw").status_code == 404
    assert as_("ana").post(f"/answers/{answer.public_id}/delete").status_code == 404
    assert as_("ana").get(f"/answers/{answer.public_id}/accept").status_code == 405
    answer.refresh_from_db()
    assert answer.accepted_at is answer.withdrawn_at is None


def test_absent_and_forbidden_are_the_same(people: dict[str, Any], as_: Any) -> None:
    ask = asking.ask(
        viewer=Viewer.of(people["ana"]), text="Is zyxwv open?", to=people["ben"].public_id, audience="asked"
    )
    answer = asking.answer(ask=ask.public_id, viewer=Viewer.of(people["ben"]), body="It is.")
    cleo = as_("cleo")
    for address, key in (
        ("/asks/{}/", ask), ("/answers/{}/text", answer), ("/answers/{}/edit", answer),
    ):  # fmt: skip
        forbidden, absent = (cleo.get(address.format(one)) for one in (key.public_id, uuid4()))
        assert forbidden.status_code == absent.status_code == 404
        assert plain(forbidden.content) == plain(absent.content)
    for address, key in (
        ("/asks/{}/answer", ask), ("/asks/{}/join", ask), ("/asks/{}/skip", ask), ("/answers/{}/thank", answer),
    ):  # fmt: skip
        forbidden, absent = (cleo.post(address.format(one), {"body": "x"}) for one in (key.public_id, uuid4()))
        assert forbidden.status_code == absent.status_code == 404
        assert plain(forbidden.content) == plain(absent.content)
    assert "It is." in read(as_("ana"), ask.get_absolute_url())
    assert "zyxwv" not in read(cleo, "/asks/")


def test_skipping_shows_nowhere(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    before = plain(as_("ana").get(asked.get_absolute_url()).content)
    html = post(as_("ben"), f"{asked.get_absolute_url()}skip")
    assert "Nobody is told." in html
    assert Turn.objects.get().how == Turn.How.SKIPPED
    assert plain(as_("ana").get(asked.get_absolute_url()).content) == before
    assert "Nobody waits for you." in read(as_("ben"), "/asks/")


def test_joining_and_leaving(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    here = asked.get_absolute_url()
    assert "You are told when it is answered." in post(as_("cleo"), f"{here}join")
    assert "1 more has this question" in read(as_("ana"), here)
    post(as_("ben"), f"{here}answer", body="Open the vent.")
    assert "a question that is yours too" in read(as_("cleo"), "/notices/")
    post(as_("cleo"), f"{here}leave")
    assert "more has this question" not in read(as_("ana"), here)


def test_two_tabs(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    """What one tab ended, the other is told, and loses nothing."""
    here = asked.get_absolute_url()
    post(as_("ana"), f"{here}withdraw")
    gone = as_("ben").post(f"{here}answer", {"body": "Open the vent."})
    assert gone.status_code == 404
    assert "Open the vent.</textarea>" in gone.content.decode(), "what was typed is not lost"
    other = asking.ask(viewer=Viewer.of(people["ana"]), text="And the other one?", to=people["ben"].public_id)
    for _ in range(2):
        post(as_("ben"), f"{other.get_absolute_url()}answer", body="Open the vent.")
    assert Answer.objects.filter(ask=other).count() == 1
    answer = Answer.objects.get(ask=other)
    for _ in range(2):
        html = post(as_("ana"), f"/answers/{answer.public_id}/accept")
        post(as_("ana"), f"/answers/{answer.public_id}/thank")
    assert "It was accepted already." in html
    assert Thanks.objects.count() == 1
    assert "close the question instead" in said(post(as_("ana"), f"{other.get_absolute_url()}withdraw"))


def test_an_answer_is_changed_and_withdrawn(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    post(as_("ben"), f"{asked.get_absolute_url()}answer", body="Open the vent.")
    answer = Answer.objects.get()
    assert "Open the vent.</textarea>" in read(as_("ben"), f"/answers/{answer.public_id}/edit")
    refused = as_("ben").post(f"/answers/{answer.public_id}/edit", {"body": "  "})
    assert refused.status_code == 422
    assert "written anew today" in said(post(as_("ben"), f"/answers/{answer.public_id}/edit", body="Close it."))
    assert "No answer yet" in post(as_("ben"), f"/answers/{answer.public_id}/withdraw")


# Without a name -------------------------------------------------------------------------------------------------------


def test_without_a_name_only_its_author_knows(people: dict[str, Any], as_: Any) -> None:
    html = post(as_("ana"), "/asks/new", **form("Why do we skip lockout?", anonymous="on"))
    assert "Asked without a name." in html
    assert "Yours without a name" in html
    ask = Ask.objects.get()
    assert ask.author is None
    mine = read(as_("ana"), ask.get_absolute_url())
    assert "You asked this without a name" in said(mine)
    assert "Only you see it yet." in mine
    assert "With your name" not in mine
    assert "Yours without a name" not in read(as_("cleo"), "/asks/")
    assert as_("cleo").get(ask.get_absolute_url()).status_code == 404
    Ask.objects.update(published_at=timezone.now() - timedelta(days=1))
    other = read(as_("cleo"), ask.get_absolute_url())
    assert "Asked without a name" in said(other)
    assert "Ana Lima" not in other
    post(as_("cleo"), f"{ask.get_absolute_url()}answer", body="We should not.")
    assert notices.news(Viewer.of(people["ana"])) == []
    answer = Answer.objects.get()
    assert "You are told nowhere of answers" in read(as_("ana"), ask.get_absolute_url())
    post(as_("ana"), f"/answers/{answer.public_id}/thank")
    assert Thanks.objects.get().giver is None
    assert "Somebody thanked you" in read(as_("cleo"), "/notices/")
    assert "You said thank you." in read(as_("ana"), ask.get_absolute_url())


def test_moderators_give_reasons_that_are_read(people: dict[str, Any], as_: Any) -> None:
    post(as_("ana"), "/asks/new", **form("Why do we skip lockout?", anonymous="on"))
    Ask.objects.update(published_at=timezone.now() - timedelta(days=1))
    ask = Ask.objects.get()
    where = f"{ask.get_absolute_url()}moderate"
    assert as_("cleo").post(where, {"reason": "because I want to"}).status_code == 403
    permissions = Permission.objects.filter(codename__in=("moderate_ask", "open_seal"))
    people["dora"].user_permissions.set(permissions)
    dora = as_("dora")
    assert "Open the seal" in read(dora, ask.get_absolute_url())
    refused = dora.post(where, {"do": "open-seal", "reason": "why"}).content.decode()
    assert "Write the reason in 10" in refused
    assert 'value="why"' in refused
    assert SealOpened.objects.count() == 0
    opened = dora.post(where, {"do": "open-seal", "reason": "Somebody is in danger"}).content.decode()
    assert "<b>Ana Lima</b> asked this." in opened
    assert "Ana Lima" not in read(dora, ask.get_absolute_url()), "it is said once"
    assert "Somebody is in danger" in read(as_("ana"), ask.get_absolute_url())
    assert "Somebody is in danger" not in read(as_("cleo"), ask.get_absolute_url())
    post(as_("cleo"), f"{ask.get_absolute_url()}answer", body="We should not.")
    post(dora, f"/answers/{Answer.objects.get().public_id}/moderate", reason="It names a customer")
    assert "We should not." not in read(as_("ana"), ask.get_absolute_url())
    post(dora, where, do="hide", reason="It names a customer")
    assert as_("cleo").get(ask.get_absolute_url()).status_code == 404
    assert "It names a customer" in read(as_("ana"), ask.get_absolute_url())


# All of one's own -----------------------------------------------------------------------------------------------------


def test_my_page_says_what_waits_what_is_mine_and_what_i_could_answer(
    people: dict[str, Any], as_: Any, asked: Ask
) -> None:
    asking.ask(viewer=Viewer.of(people["cleo"]), text="Where is the torque wrench?")
    ben, ana = (said(read(as_(name), "/asks/")) for name in ("ben", "ana"))
    assert "Yours until" in ben
    assert ben.index("For you") < ben.index(asked.text) < ben.index("Yours You have not asked anything")
    assert "torque wrench" in ben
    assert ana.index("Yours") < ana.index(asked.text) < ana.index("Open questions")
    assert "No answer yet" in ana
    assert "Yours until" not in ana


def test_the_page_of_questions_asks_as_often_for_thirty_as_for_three(people: dict[str, Any], as_: Any) -> None:
    counts = []
    for many in (3, 30):
        for n in range(many):
            viewer = Viewer.of(people["ana" if n % 2 else "cleo"])
            asking.ask(viewer=viewer, text=f"What about the thing {many} and {n}?")
        read(as_("ana"), "/asks/")
        with CaptureQueriesContext(connection) as asked:
            read(as_("ana"), "/asks/")
        counts.append(len(asked))
    assert counts == [14, 14], "\n".join(query["sql"][:160] for query in asked)


def test_a_question_asks_as_often_with_twenty_answers_as_with_two(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    counts = []
    for many in (2, 20):
        for n in range(many):
            asking.answer(ask=asked.public_id, viewer=Viewer.of(people["cleo"]), body=f"Answer {many} {n}")
        read(as_("ana"), asked.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            read(as_("ana"), asked.get_absolute_url())
        counts.append(len(queries))
    assert counts == [13, 13], "\n".join(query["sql"][:160] for query in queries)


def test_who_left_keeps_their_words_without_a_link(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    post(as_("ben"), f"{asked.get_absolute_url()}answer", body="Open the vent.")
    actions.deactivate(people=[people["ben"]])
    html = read(as_("ana"), asked.get_absolute_url())
    assert "Ben Okafor (former colleague)" in html
    assert str(people["ben"].public_id) not in html
    Person.objects.filter(pk=people["ben"].pk).update(name_removed=True)
    assert "Ben Okafor" not in read(as_("ana"), asked.get_absolute_url())


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
