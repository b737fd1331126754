"""The page of one question and of all of one's own: answering, thanking, moderating, and what each viewer reads."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts import actions, notices
from experts.asking import actions as asking
from experts.asking import later
from experts.asking.asks import Answer, Ask, Later, SealOpened, Thanks, Turn
from experts.models import Person
from knowledge.access import Viewer
from tests.experts import talking
from tests.experts.conftest import plain
from tests.experts.talking import form, post, read, said

pytestmark = pytest.mark.django_db
people, as_, asked = talking.people, talking.as_, talking.asked


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
    assert "Nobody is waiting for an answer from you." in read(as_("ben"), "/asks/")


def test_whoever_asked_reads_who_has_it_and_a_skip_tells_nothing(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    here, by_hour = asked.get_absolute_url(), r"Ben Okafor is asked, and has until \w+ \d\d:\d\d"
    before = plain(read(as_("ana"), here).encode())
    assert re.search(by_hour, said(read(as_("ana"), here)))
    assert "Ben Okafor" not in read(as_("cleo"), here), "whom somebody asked is not for others"
    post(as_("ben"), f"{here}skip")
    assert plain(read(as_("ana"), here).encode()) == before
    Turn.objects.update(until=timezone.now() - timedelta(hours=1))
    silent = plain(read(as_("ana"), here).encode())
    assert b"No answer from Ben Okafor" in silent
    Turn.objects.update(how=Turn.How.PASSED)
    assert plain(read(as_("ana"), here).encode()) == silent
    post(as_("ben"), f"{here}answer", body="Open the vent.")
    assert "No answer from" not in read(as_("ana"), here)


def test_of_whoever_knows_nobody_reads_who_or_until_when(people: dict[str, Any], as_: Any) -> None:
    """The same before and after somebody let it pass: no name, no hour, nothing that moves."""
    made = asking.ask(viewer=Viewer.of(people["ana"]), text="How do I prime the feed pump?")
    here = made.get_absolute_url()
    assert "Nobody who may know could be asked yet." in read(as_("ana"), here)
    turn = Turn.objects.create(ask=made, person=people["ben"], until=timezone.now() + timedelta(hours=8))
    before = plain(read(as_("ana"), here).encode())
    assert b"Somebody who may know has been asked." in before
    assert b"Ben" not in before
    for how in (Turn.How.SKIPPED, Turn.How.PASSED):
        Turn.objects.filter(pk=turn.pk).update(how=how, until=timezone.now() - timedelta(hours=1))
        assert plain(read(as_("ana"), here).encode()) == before
    assert "has been asked" not in read(as_("cleo"), here)


def test_whoever_answered_is_thanked_there_and_not_asked_again(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    here = asked.get_absolute_url()
    html = post(as_("ben"), f"{here}answer", body="Open the vent.")
    article = html[html.index("<article") : html.index("</article>")]
    assert "Thank you for answering. Whoever asked is told." in article
    assert html.count("Thank you for answering") == 1
    assert "Add to your answer" in html
    assert "I have this question too" not in html
    html = post(as_("ana"), f"/answers/{Answer.objects.get().public_id}/accept")
    assert "Accepted: thank you" in html[html.index("<article") : html.index("</article>")]


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
    assert "Others see it within some hours" in post(as_("ana"), f"/answers/{answer.public_id}/thank")
    assert "You did that already" in post(as_("ana"), f"/answers/{answer.public_id}/thank")
    assert "You said thank you." in read(as_("ana"), ask.get_absolute_url())
    assert "Others see it within some hours" in post(as_("ana"), f"/answers/{answer.public_id}/accept")
    mine = read(as_("ana"), ask.get_absolute_url())
    assert "You said that this was it" in mine
    assert "It goes away at once" in mine
    assert not any(words in mine for words in ("This is what I needed", "Close it"))
    assert "Somebody thanked you" not in read(as_("cleo"), "/notices/")
    Later.objects.update(due_at=timezone.now())
    later.carry_out()
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
    assert ben.index("Waiting for you") < ben.index(asked.text) < ben.index("Yours You have not asked anything")
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
    assert counts == [14, 14], "\n".join(query["sql"][:160] for query in queries)


def test_who_left_keeps_their_words_without_a_link(people: dict[str, Any], as_: Any, asked: Ask) -> None:
    post(as_("ben"), f"{asked.get_absolute_url()}answer", body="Open the vent.")
    actions.deactivate(people=[people["ben"]])
    html = read(as_("ana"), asked.get_absolute_url())
    assert "Ben Okafor (former colleague)" in html
    assert str(people["ben"].public_id) not in html
    Person.objects.filter(pk=people["ben"].pk).update(name_removed=True)
    assert "Ben Okafor" not in read(as_("ana"), asked.get_absolute_url())


def test_what_is_written_anew_is_given_back_where_the_question_went_meanwhile(
    people: dict[str, Any], as_: Any, asked: Ask
) -> None:
    answer = asking.answer(ask=asked.public_id, viewer=Viewer.of(people["ben"]), body="Open the vent.")
    asking.withdraw(ask=asked.public_id, viewer=Viewer.of(people["ana"]))
    gone = as_("ben").post(f"/answers/{answer.public_id}/edit", {"body": "Open the vent, slowly."})
    assert gone.status_code == 404
    assert "Open the vent, slowly." in gone.content.decode()
