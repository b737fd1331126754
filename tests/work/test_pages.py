"""The pages of one's own tasks, as their owner meets them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from immersive.work import actions, advice, log, mirror, over_time, plan, tasks
from immersive.work.models import CONFIDENCE, Assessment, Outcome, Task
from knowledge import indexing
from knowledge.models import Resource, Source
from tests.work.conftest import STATEMENT, SURPRISE, People, viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(client: Client, people: People) -> Client:
    client.force_login(people.owner)
    return client


def page(task: Task, name: str = "task") -> str:
    return reverse(f"work:{name}", args=[task.public_id])


def text(answer: Any) -> str:
    return answer.content.decode()


class TestFlow:
    def test_from_a_sentence_to_how_it_went(self, me: Client) -> None:
        started = me.post(reverse("work:new"), {"statement": STATEMENT}, follow=True)
        task = Task.objects.get()
        assert started.redirect_chain == [(page(task), 302)]
        assert "How sure are you" in text(started)
        for percent, words in CONFIDENCE:
            assert f'value="{percent}"' in text(started)
            assert words in text(started).lower()
        assert "checked" not in text(started).partition("<dialog")[0], "nothing is preselected"
        for later in ("get it done</h2>", "Choose", "How did it go?"):
            assert later not in text(started), "nothing may colour the answer"

        said = me.post(page(task, "assess"), {"confidence": "70"}, follow=True)
        assert "expect it to go well" in text(said)
        assert "How sure are you" not in text(said)
        for now in ("get it done</h2>", "Choose", "How did it go?"):
            assert now in text(said)

        went = me.post(page(task, "outcome"), {"result": "1.0"}, follow=True)
        assert "You said <em>expect it to go well</em>; it worked." in text(went)
        assert Outcome.objects.get().result == 1.0
        log.do_due()
        assert STATEMENT in text(me.get(reverse("work:mirror")))

    def test_starts_from_a_resource_that_one_may_read(
        self, me: Client, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        open_page = make_resource("Open page", topics=("Drift",))
        form = me.get(reverse("work:new"), {"from": open_page.public_id, "q": "Try it"})
        assert "Open page" in text(form)
        assert 'value="Try it"' in text(form)
        me.post(reverse("work:new"), {"statement": "Try it", "started_from": str(open_page.public_id)})
        task = Task.objects.get()
        assert task.started_from == open_page
        shown = text(me.get(page(task)))
        assert "Open page" in shown
        assert "Drift" in shown
        Source.objects.update(active=False)
        assert "Open page" not in text(me.get(page(task))), "a withdrawn right is gone at once"

    def test_what_is_found_is_harmless_and_waits_for_the_answer(
        self, me: Client, people: People, task: Task, make_resource: Callable[..., Resource]
    ) -> None:
        make_resource("<img src=x> Translate a zanzibarite manifest for the quokka office")
        make_resource("Zanzibarite secrets", tokens=(f"person:{people.peer.pk}",))
        indexing.index_changes()
        before = text(me.get(page(task)))
        assert "&lt;img src=x&gt;" not in before, "nothing that helps shows before the answer"
        said = text(me.post(page(task, "assess"), {"confidence": "50"}, follow=True))
        assert "&lt;img src=x&gt;" in said
        assert "<img" not in said
        assert "secrets" not in said

    def test_hidden_resource_is_as_none(
        self, me: Client, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        hidden = make_resource("Hidden page", tokens=(f"person:{people.peer.pk}",))
        never = "6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d"

        def form(public_id: object) -> str:
            got = text(me.get(reverse("work:new"), {"from": public_id}))
            return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|\?from=[\w-]+', "", got)

        assert form(hidden.public_id) == form(never)

    def test_gives_the_form_back_with_the_cure(self, me: Client, task: Task) -> None:
        for name, said, cure in (
            ("new", {"statement": " "}, "Say in one sentence"),
            ("new", {"statement": "Fine", "due": "31 November"}, "Write the day as"),
            ("assess", {}, "Choose one of the five"),
            ("assess", {"confidence": "71"}, "Choose one of the five"),
        ):
            address = reverse("work:new") if name == "new" else page(task, name)
            answer = me.post(address, said)
            assert answer.status_code == 422
            assert cure in text(answer)
        actions.assess(task=task, owner=task.owner, confidence=10)
        for said, cure in (({}, "Choose how it went"), ({"result": "1.0", "minutes": "soon"}, "such as 45")):
            answer = me.post(page(task, "outcome"), said)
            assert answer.status_code == 422
            assert cure in text(answer)
        assert not Outcome.objects.exists()

    def test_sentence_and_day_can_be_changed_and_what_was_said_stays(self, me: Client, people: People) -> None:
        task = actions.start_task(owner=people.owner, statement="Weigh it")
        actions.assess(task=task, owner=people.owner, confidence=50)
        before = advice.advise(task, viewer(people.owner))
        assert f'href="{page(task, "change")}"' in text(me.get(page(task)))
        assert 'value="Weigh it"' in text(me.get(page(task, "change")))
        wrong = me.post(page(task, "change"), {"statement": " ", "due": "2030-01-31", "context": "By the dock"})
        assert (wrong.status_code, "By the dock" in text(wrong)) == (422, True)
        me.post(page(task, "change"), {"statement": "Weigh all  of it", "due": "2030-01-31", "context": "By the dock"})
        task = Task.objects.get()
        assert (task.statement, str(task.due), task.context) == ("Weigh all of it", "2030-01-31", "By the dock")
        assert str(task.ask_on) == "2030-02-01"
        assert task.assessment.confidence == 50
        after = advice.advise(task, viewer(people.owner))
        assert before is not None
        assert after is not None
        assert after.made_at > before.made_at, "other words are weighed anew"
        me.force_login(people.peer)
        assert me.post(page(task, "change"), {"statement": "Mine"}).status_code == 404

    def test_a_day_that_is_past_is_asked_about_once(self, me: Client) -> None:
        said = {"statement": "Weigh it", "due": "2020-02-29"}
        asked = me.post(reverse("work:new"), said)
        assert asked.status_code == 422
        assert "29 February 2020 is past. Is it meant?" in text(asked)
        meant = re.search(r'name="meant" value="([\d-]+)"', text(asked))
        assert meant
        me.post(reverse("work:new"), {**said, "meant": meant[1]})
        assert "<b>Was due 29 February 2020</b>" in text(me.get(reverse("work:list")))
        assert me.post(page(Task.objects.get(), "change"), {**said, "meant": meant[1]}).status_code == 302

    def test_second_answer_is_refused_in_words(self, me: Client, task: Task) -> None:
        me.post(page(task, "assess"), {"confidence": "30"})
        again = me.post(page(task, "assess"), {"confidence": "90"})
        assert again.status_code == 409
        assert "You had said it already" in text(again)
        assert Assessment.objects.get().confidence == 30

    def test_a_topic_half_typed_blocks_nothing(
        self, me: Client, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        make_resource("Begin", topics=("Drift",))
        for typed, told in (("belt tension", "“belt tension”, was not taken"), ("drift", "")):
            task = actions.start_task(owner=people.owner, statement="Weigh it")
            said = {"confidence": "50", "add": typed}
            assert not tasks.mine_or_404(task.public_id, viewer(people.owner)).assessed
            assert "Say it</button>" in text(me.post(page(task, "assess"), said)), "Enter adds it, and says nothing"
            answer = me.post(page(task, "assess"), {**said, "say": "1"}, follow=True)
            assert told in text(answer)
            assert task.topics.count() == (not told)
        assert Assessment.objects.count() == 2

    def test_how_it_went_waits_for_what_was_said(self, me: Client, task: Task) -> None:
        answer = me.post(page(task, "outcome"), {"result": "1.0"})
        assert answer.status_code == 409
        assert "How sure are you" in text(answer)

    def test_another_window_replaces_nothing_unasked(self, me: Client, finished: Task) -> None:
        other = {"result": "0.0", "minutes": "30", "surprise": "Rain", "route": "do"}
        asked = me.post(page(finished, "outcome"), other)
        assert asked.status_code == 409
        assert "You had logged “Partly” on" in text(asked)
        assert "<dd>Do it yourself</dd>" in text(asked)
        assert Outcome.objects.get().result == 0.5
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text(asked)))
        kept = {name: hidden[name] for name in ("result", "with_help", "minutes", "route", "surprise")}
        assert kept == {**other, "with_help": ""}, "one press, and nothing is typed again"
        me.post(page(finished, "outcome"), {**kept, "correct": "1"})
        assert Outcome.objects.get().surprise == "Rain"
        twice = me.post(page(finished, "outcome"), other, follow=True)
        assert twice.redirect_chain, "the same again changes nothing and asks nothing"
        assert "On your own" in text(twice)

    def test_help_is_said_where_somebody_helps_and_alone_where_one_says_so(self, me: Client, people: People) -> None:
        task = actions.start_task(owner=people.owner, statement="Weigh it")
        actions.assess(task=task, owner=people.owner, confidence=50)
        assert not re.search(r'name="with_help"[^>]*checked', text(me.get(page(task))))
        plan.choose(task=task, owner=people.owner, route="mentor", key=str(people.peer.public_id))
        assert re.search(r'name="with_help"[^>]*checked', text(me.get(page(task))))
        shown = text(me.post(page(task, "outcome"), {"result": "1.0", "route": "mentor"}, follow=True))
        assert "<span>Work with a mentor</span>" in shown
        assert "On your own" not in shown

    def test_htmx_gets_the_moving_part(self, me: Client, task: Task) -> None:
        answer = me.post(page(task, "assess"), {"confidence": "30"}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert text(answer).strip().startswith('<div id="moving">')
        assert text(answer).count("autofocus") == 1, "the place where one was is gone: the focus goes to what is new"
        assert 'id="h-said" tabindex="-1" autofocus' not in text(me.get(page(task)))
        assert "could follow someone" in text(answer)
        answer = me.post(page(task, "outcome"), {}, headers={"HX-Request": "true"})
        assert answer.status_code == 200, "htmx swaps successes only"
        assert "Choose how it went" in text(answer)

    def test_delete_needs_a_post_and_leaves_nothing(self, me: Client, finished: Task) -> None:
        assert me.get(page(finished, "delete")).status_code == 405
        assert me.post(page(finished, "delete")).url == reverse("work:list")
        assert me.get(page(finished)).status_code == 404

    def test_forms_want_their_token(self, people: People, task: Task) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(people.owner)
        for name in ("assess", "outcome", "delete"):
            assert strict.post(page(task, name), {"confidence": "30", "result": "1.0"}).status_code == 403
        assert strict.post(reverse("work:new"), {"statement": "Hm"}).status_code == 403
        assert Task.objects.count() == 1


class TestLists:
    def test_empty_ones_say_how_to_begin(self, me: Client) -> None:
        assert "No tasks yet" in text(me.get(reverse("work:list")))
        assert "Nothing here yet" in text(me.get(reverse("work:mirror")))

    def test_open_ones_first_each_with_what_is_next(self, me: Client, people: People, finished: Task) -> None:
        said = actions.start_task(owner=people.owner, statement="Said")
        actions.assess(task=said, owner=people.owner, confidence=50)
        fresh = actions.start_task(owner=people.owner, statement="Fresh")
        assert list(tasks.mine(viewer(people.owner))) == [fresh, said, finished]
        assert tasks.recent(viewer(people.owner), 1) == [fresh]
        shown = text(me.get(reverse("work:list")))
        assert shown.index("Say how sure you are") < shown.index("Choose a way") < shown.index("Partly")
        plan.choose(task=said, owner=people.owner, route="do")
        shown = text(me.get(reverse("work:list")))
        assert shown.index("Say how sure you are") < shown.index("How did it go?") < shown.index("Partly")
        assert shown.index(">In progress</h2>") < shown.index("Fresh") < shown.index(">Finished</h2>")

    def test_what_is_left_is_begun_from_what_was_done(self, me: Client, people: People, finished: Task) -> None:
        link = re.search(r'href="([^"]+\?rest=[^"]+)"', text(me.get(page(finished))))
        assert link
        assert STATEMENT in text(me.get(link[1]))
        assert STATEMENT not in link[1]
        me.force_login(people.peer)
        assert me.get(link[1]).status_code == 404

    def test_query_counts_do_not_grow(
        self, me: Client, people: People, make_resource: Callable[..., Resource], django_assert_num_queries: Any
    ) -> None:
        begin = make_resource("Begin", topics=("Drift", "Tea"))
        for number in range(12):
            task = actions.start_task(owner=people.owner, statement=f"Task {number}", started_from=begin)
            actions.assess(task=task, owner=people.owner, confidence=50)
        log.do_due()
        # session, user, the viewer's tokens; then count, tasks, topics
        with django_assert_num_queries(6):
            me.get(reverse("work:list"))
        # ...; then entries counted, read, their topics, and topics over time
        with django_assert_num_queries(7):
            me.get(reverse("work:mirror"))
        # ...; then wishes, tasks and what belongs to them, entries, topics, questions, lessons, experiments
        with django_assert_num_queries(14):
            assert b"Task 11" in b"".join(me.get(reverse("work:download")))

    def test_log_tells_topics_over_time(
        self, me: Client, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        begin = make_resource("Begin", topics=("Drift",))
        for number in range(3):
            task = actions.start_task(owner=people.owner, statement=f"Task {number}", started_from=begin)
            actions.assess(task=task, owner=people.owner, confidence=50)
        actions.log_outcome(task=task, owner=people.owner, result=1.0)
        log.do_due()
        [topic] = over_time.courses(viewer(people.owner))
        assert (topic.words, topic.line) == (
            "Drift: 50, 50, 50 percent; 3 tasks; 1 of 1 worked",
            "0.0,50 50.0,50 100.0,50",
        )
        assert [dot.went for dot in topic.dots] == [1.0]
        assert over_time.courses(viewer(people.peer)) == []
        page = text(me.get(reverse("work:mirror")))
        assert page.count(topic.words) == 1, "drawn, and told to whom sees no drawing"

    def test_topic_that_goes_away_takes_no_line_along(
        self, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        begin = make_resource("Begin", topics=("Drift", "Tea"))
        task = actions.start_task(owner=people.owner, statement="Brew", started_from=begin)
        actions.assess(task=task, owner=people.owner, confidence=50)
        log.do_due()
        for topic in begin.topics.all():
            topic.delete()
        [entry] = tasks.learning_log(viewer(people.owner))
        assert list(entry.topics.all()) == []

    def test_download_holds_all_of_it(self, me: Client, finished: Task) -> None:
        answer = me.get(reverse("work:download"))
        assert answer["Content-Disposition"] == 'attachment; filename="my-tasks.json"'
        mine = json.loads(b"".join(answer))
        [task] = mine["tasks"]
        assert (task["id"], task["statement"]) == (str(finished.public_id), STATEMENT)
        assert (task["assessment"]["confidence"], task["assessment"]["words"]) == (90, "would bet on it")
        assert (task["outcome"]["result"], task["outcome"]["surprise"], task["next"]) == ("partly", SURPRISE, "")
        assert [entry["event"] for entry in mine["learning_log"]] == ["outcome", "assessed"]


class TestReading:
    def test_is_about_the_task_and_blames_nobody(self) -> None:
        for confidence, _ in CONFIDENCE:
            for result, _ in Outcome.CHOICES:
                said = tasks.remark(confidence, result)
                assert said
                assert not re.search(r"\b(wrong|fail|mistake|should have|over-?confident|poor)", said.lower())

    def test_counts_wait_for_five_outcomes(self, people: People) -> None:
        said = []
        for result in (1.0, 1.0, 0.0, 0.5, 1.0):
            task = actions.start_task(owner=people.owner, statement="Again")
            actions.assess(task=task, owner=people.owner, confidence=70)
            actions.log_outcome(task=task, owner=people.owner, result=result)
            said.append(tasks.counts(70, viewer(people.owner)))
        assert said == ["", "", "", "", "You have said that 5 times; 3.5 of them worked, where partly counts half."]
        assert mirror.look(viewer(people.owner)).found.steps[3].worked == 3.5, "the mirror says the same"
        assert tasks.counts(10, viewer(people.owner)) == ""
        assert tasks.counts(70, viewer(people.peer)) == ""


@pytest.mark.parametrize(
    "sent", ["9" * 30, "\0", *(pytest.param(sent, marks=pytest.mark.slow) for sent in ("9" * 5000, "²"))]
)
def test_what_no_database_takes_is_an_answer_and_no_error(people: People, task: Task, sent: str) -> None:
    client, at = Client(), task.get_absolute_url()
    client.force_login(people.owner)

    def status(path: str, **said: str) -> int:
        return client.post(f"{at}{path}", said).status_code

    assert status("assessment", drop=sent) == 200, "what is not there is away"
    assert status("assessment", add=f"Pumps{sent}") == 422
    assert [status("lean", lean=sent), status("plan", done=sent)] == [422, 404]
    assert [status("choose", drop=sent), status("share/back", share=sent)] == [302, 302]
    assert status("share", name=f"Pia{sent}") == 422
    for asked in ("tasks/colleagues?name", "lessons/experiments/?topic", "lessons/experiments/?state"):
        assert client.get(f"/{asked}={quote(sent)}").status_code == 200
    assert [client.head(path).status_code for path in ("/tasks/", at)] == [200, 200]
