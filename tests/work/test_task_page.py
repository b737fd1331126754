"""The page of one task: stating it, saying once what one knows, leaning the card, reading beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from immersive.work import actions, plan
from immersive.work.models import Assessment, AssessmentLocked, Task
from knowledge import indexing
from knowledge.models import Resource, Source, Topic, Verdict
from tests.work.conftest import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(client: Client, people: People) -> Client:
    client.force_login(people.owner)
    return client


@pytest.fixture
def said(task: Task, people: People) -> Task:
    actions.assess(task=task, owner=people.owner, confidence=30)
    return task


def page(task: Task, name: str = "task", *more: Any) -> str:
    return reverse(f"work:{name}", args=[task.public_id, *more])


def leads_to(answer: Any) -> str:
    return str(answer["Location"])


def text(answer: Any) -> str:
    return str(answer.content.decode())


class TestStating:
    def test_where_it_began_is_kept_as_plain_text(self, me: Client) -> None:
        there = "https://wiki.example.org/pumps?page=2"
        form = text(me.get(reverse("work:new"), {"q": "Prime it", "page": there, "text": "<b>Close</b> the valve"}))
        assert "wiki.example.org" in form
        assert "&lt;b&gt;Close&lt;/b&gt; the valve" in form
        told = {"statement": "Prime it", "page_url": there, "context": "<b>Close</b> the valve"}
        shown = text(me.post(reverse("work:new"), told, follow=True))
        assert f'href="{there}" rel="noopener noreferrer"' in shown
        assert "&lt;b&gt;Close&lt;/b&gt; the valve" in shown
        assert "<b>Close</b>" not in shown

    @pytest.mark.parametrize(
        "address", ["javascript:alert(1)", "file:///etc/passwd", "//x.example", "https://[", "x" * 5000]
    )
    def test_an_address_that_is_none_is_left_out(self, me: Client, address: str) -> None:
        me.get(reverse("work:new"), {"page": address})
        me.post(reverse("work:new"), {"statement": "Prime it", "page_url": address})
        assert Task.objects.get().page_url == ""

    def test_what_is_too_long_comes_back_whole(self, me: Client) -> None:
        long = "pump " * 1000
        for told in ({"statement": long}, {"statement": "Fine", "context": long}):
            answer = me.post(reverse("work:new"), told)
            assert answer.status_code == 422
            assert long.strip() in text(answer)
        assert long.strip() in text(me.get(reverse("work:new"), {"q": long})), "an address cuts no words either"
        assert not Task.objects.exists()

    @pytest.mark.parametrize(
        "words",
        [
            "a AND ( NOT",
            *(pytest.param(words, marks=pytest.mark.slow) for words in ("ok", "Übe für das Büro", "列出", "🫖")),
        ],
    )
    def test_any_words_lead_to_a_card(self, me: Client, words: str) -> None:
        me.post(reverse("work:new"), {"statement": words, "due": "2020-02-29", "meant": "2020-02-29"})
        shown = text(me.post(page(Task.objects.get(), "assess"), {"confidence": "50"}, follow=True))
        assert "Was due" in shown
        assert "Do it yourself" in shown
        assert "Not found for this" in shown


class TestSaying:
    @pytest.fixture
    def about(self, task: Task, make_resource: Callable[..., Resource]) -> list[Topic]:
        make_resource("One", topics=("Drift", "Tea"))
        make_resource("Other", topics=("Seals",))
        task.topics.set(Topic.objects.filter(name__in=["Drift", "Tea"]))
        return list(task.topics.order_by("name"))

    def test_one_answer_carries_all_and_locks_it(self, me: Client, task: Task, about: list[Topic]) -> None:
        drift, tea = about
        told = {"confidence": "30", f"known-{drift.slug}": "not_yet", "difficulty": "hard"}
        shown = text(me.post(page(task, "assess"), told, follow=True))
        task.refresh_from_db()
        assert (task.assessment.known, task.difficulty) == ({"Drift": "not_yet"}, "hard"), "what was left open is open"
        assert "Drift: <b>not yet</b>" in shown
        again = me.post(page(task, "assess"), {**told, "confidence": "90", f"known-{tea.slug}": "know"})
        assert again.status_code == 409
        assert "could follow someone" in text(again)
        task.refresh_from_db()
        assert (task.assessment.confidence, task.assessment.known) == (30, {"Drift": "not_yet"})
        for verb, more in ((actions.add_topic, {"name": "Seals"}), (actions.drop_topic, {"topic": tea.slug})):
            with pytest.raises(AssessmentLocked):
                verb(task=task, owner=task.owner, **more)

    def test_topics_are_changed_without_saying_anything(self, me: Client, task: Task, about: list[Topic]) -> None:
        drift, tea = about
        chosen = {"confidence": "70", f"known-{drift.slug}": "know"}
        shown = text(me.post(page(task, "assess"), {**chosen, "drop": tea.slug}))
        assert "Tea" not in shown
        assert re.search(r'value="70"[^>]*checked', shown), "what was chosen stays chosen"
        shown = text(me.post(page(task, "assess"), {**chosen, "add": " seals "}))
        assert "Seals" in shown
        unknown = me.post(page(task, "assess"), {**chosen, "add": "Zebras"})
        assert unknown.status_code == 422
        assert 'value="Zebras"' in text(unknown)
        assert "No page that you may read" in text(unknown)
        assert not Assessment.objects.exists()

    def test_a_topic_of_hidden_pages_alone_is_none(
        self, task: Task, people: People, make_resource: Callable[..., Resource]
    ) -> None:
        make_resource("Hidden", topics=("Merger",), tokens=(f"person:{people.peer.pk}",))
        for name in ("Merger", "Zebras"):
            with pytest.raises(ValidationError, match="No page that you may read"):
                actions.add_topic(task=task, owner=people.owner, name=name)

    def test_two_windows_at_once_lock_one_answer(
        self, people: People, task: Task, in_threads: Callable[..., list[Any]]
    ) -> None:
        def say(confidence: int) -> Callable[[], bool]:
            def call() -> bool:
                try:
                    actions.assess(task=task, owner=people.owner, confidence=confidence)
                except AssessmentLocked:
                    return False
                return True

            return call

        assert sorted(in_threads(say(10), say(90))) == [False, True]
        [kept] = in_threads(lambda: Assessment.objects.get().confidence)
        assert kept in (10, 90)


class TestCard:
    def test_leaning_moves_the_card_alone(self, me: Client, said: Task) -> None:
        answer = me.post(page(said, "lean"), {"lean": "4"}, headers={"HX-Request": "true"})
        assert text(answer).strip().startswith('<div id="score">')
        assert 'hx-swap-oob="innerHTML:#advice"' in text(answer), "what is advised is said again, for all"
        said.refresh_from_db()
        assert said.lean == 4
        assert leads_to(me.post(page(said, "lean"), {"lean": "0"})) == f"{said.get_absolute_url()}#card"
        for wrong in ("5", "-1", "much", ""):
            assert me.post(page(said, "lean"), {"lean": wrong}).status_code == 422

    def test_every_number_opens(self, me: Client, said: Task) -> None:
        shown = text(me.get(page(said)))
        assert "How this was weighed" in shown
        assert "No data yet, our starting guess." in shown
        assert "What would change this?" in shown
        assert 'style="' not in shown

    def test_a_chosen_line_is_pressed_and_pressing_it_takes_it_out(self, me: Client, said: Task) -> None:
        shown = text(me.post(page(said, "choose"), {"choice": "do:"}, headers={"HX-Request": "true"}))
        assert 'aria-pressed="true"' in shown
        assert 'id="h-plan" tabindex="-1" autofocus' in shown
        [step] = said.steps.all()
        assert me.post(page(said, "choose"), {"drop": step.token}).status_code == 302
        assert not said.steps.exists()

    def test_another_persons_is_never_there(self, client: Client, people: People, said: Task) -> None:
        client.force_login(people.superuser)
        step = plan.choose(task=said, owner=people.owner, route="do")
        for name, told in (
            ("lean", {"lean": "1"}),
            ("again", {}),
            ("choose", {"choice": "do:"}),
            ("plan", {"up": step.token}),
        ):
            assert client.post(page(said, name), told).status_code == 404
        assert client.get(page(said, "beside", uuid4())).status_code == 404

    def test_the_page_asks_few_questions(
        self,
        me: Client,
        people: People,
        said: Task,
        make_resource: Callable[..., Resource],
        django_assert_max_num_queries: Any,
    ) -> None:
        for number in range(4):
            make_resource(f"Zanzibarite manifest {number}", topics=("Drift", "Tea"))
        indexing.index_changes()
        me.get(page(said))
        first = Resource.objects.get(title="Zanzibarite manifest 0")
        plan.choose(task=said, owner=people.owner, route="informal", key=str(first.public_id))
        # session, account, tokens; task, topics; plan; like tasks, what the card rests on, lessons
        with django_assert_max_num_queries(9):
            assert "Zanzibarite manifest" in text(me.get(page(said)))


class TestBeside:
    @pytest.fixture
    def guide(self, make_resource: Callable[..., Resource]) -> Resource:
        found = make_resource("How a manifest is translated")
        found.body = "# How\n\nRead it <script>twice</script>."
        found.save()
        return found

    def test_it_reads_beside_the_task_and_says_whether_it_helped(self, me: Client, said: Task, guide: Resource) -> None:
        shown = text(me.get(page(said, "beside", guide.public_id)))
        assert said.statement in shown
        assert guide.title in shown
        assert "<script>twice" not in shown
        assert f'href="{said.get_absolute_url()}#open-{guide.public_id}"' in shown, (
            "closing leads to where it was opened"
        )
        answer = me.post(page(said, "beside", guide.public_id), {"helped": "yes"})
        assert leads_to(answer) == f"{page(said, 'beside', guide.public_id)}#reader"
        assert Verdict.objects.get().helped
        assert "You said that this helped" in text(me.get(page(said, "beside", guide.public_id)))
        me.post(page(said, "beside", guide.public_id), {"helped": ""})
        assert not Verdict.objects.exists()

    def test_what_goes_while_it_is_read_leaves_a_note_beside_the_task(
        self, me: Client, people: People, said: Task, guide: Resource, make_resource: Callable[..., Resource]
    ) -> None:
        hidden = make_resource("Secret plan", tokens=(f"person:{people.peer.pk}",))

        def seen(public_id: object) -> tuple[int, str]:
            answer = me.get(page(said, "beside", public_id))
            return answer.status_code, re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text(answer)).replace(
                str(public_id), ""
            )

        never = seen(uuid4())
        assert never[0] == 404
        assert "This is not here" in never[1]
        assert said.statement in never[1]
        assert seen(hidden.public_id) == never
        Source.objects.update(active=False)
        assert seen(guide.public_id)[0] == 404
        assert me.post(page(said, "beside", guide.public_id), {"helped": "yes"}).status_code == 404
        assert not Verdict.objects.exists()

    def test_a_person_has_a_page_of_their_own(self, me: Client, said: Task, guide: Resource, people: People) -> None:
        Resource.objects.filter(pk=guide.pk).update(kind="person", facts={"person": str(people.peer.public_id)})
        assert leads_to(me.get(page(said, "beside", guide.public_id))) == people.peer.get_absolute_url()
