"""Topics of accepted answers: borrowed from what their readers know, and given back the moment when they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experts.asking import actions as asking
from experts.asking import answers
from experts.asking.asks import Answer
from knowledge.connectors import Known
from knowledge.documents import Document
from knowledge.models import Audience, Resource, Source
from tests import small_company
from tests.experts.asked import company, page, see

pytestmark = pytest.mark.django_db
TOPIC = "Project Zephyr"


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any], committed: Callable[[], Any]) -> Any:
    """A company whose annual report names a project; an answer that was accepted bears it as its topic."""
    here = company(make_person, hold)
    hold("Annual report", [page("report", "What was bought", topics=(TOPIC, "Boilers"))])
    small_company.index()
    with committed():
        made = asking.ask(viewer=see(here.ana), text="Who dries the casing?", to=here.ben.public_id, topics=[TOPIC])
        here.given = asking.answer(ask=made.public_id, viewer=see(here.ben), body="Open the vent: quixotry.")
        asking.accept(answer=here.given.public_id, viewer=see(here.ana))
    small_company.index()
    here.answer = Resource.objects.get(kind="answer")
    here.reader = Client()
    here.reader.force_login(here.cleo)
    return here


def pages(here: Any) -> dict[str, str]:
    """What a reader gets wherever a topic shows, without what they typed themselves."""
    topics, search, api = reverse("experts:topics"), reverse("search"), "/api/v1/search"
    addresses: Iterable[str] = (
        topics, f"{topics}?q=zeph", reverse("experts:topic", args=["project-zephyr"]),
        f"{reverse('experts:topics-suggest')}?topic=zeph", "/search/suggest?q=zeph", f"{search}?q=zephyr",
        f"{search}?q=quixotry", f"{api}?q=quixotry", here.answer.get_absolute_url(),
        here.given.ask.get_absolute_url(), reverse("experts:welcome"), here.ben.get_absolute_url(),
    )  # fmt: skip
    return {one: here.reader.get(one, follow=True).content.decode() for one in addresses}


def tell(here: Any) -> set[str]:
    return {address for address, html in pages(here).items() if TOPIC in html}


NOBODY = "person:0"


def narrow_a_row() -> None:
    Resource.objects.filter(key="report").update(audience=Audience.objects.of([NOBODY]))


def narrow_a_source() -> None:
    Source.objects.filter(name="Annual report").update(audience=Audience.objects.of([NOBODY]))


def narrow_in_the_operator_pages() -> None:
    source = Source.objects.get(name="Annual report")
    source.audience = Audience.objects.of([NOBODY])
    source.save()


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "withdraw",
    [narrow_a_row, pytest.param(narrow_a_source, marks=SLOW), pytest.param(narrow_in_the_operator_pages, marks=SLOW)],
)
def test_a_topic_of_a_document_that_was_narrowed_is_told_by_no_answer_from_the_next_request_on(
    here: Any, withdraw: Callable[[], None], committed: Callable[[], Any]
) -> None:
    assert len(tell(here)) > 6, "most pages tell it as long as they may"
    with committed():
        withdraw()
    assert tell(here) == set()
    small_company.index()
    assert tell(here) == set()
    assert not here.answer.topics.exists()
    assert "quixotry" in here.reader.get(f"{reverse('search')}?q=quixotry").content.decode().replace("?q=quixotry", "")


@pytest.mark.parametrize("theirs", [False, True], ids=["never theirs", "theirs"])
def test_an_answer_stays_for_whoever_knows_its_topic_from_elsewhere(
    here: Any, hold: Callable[..., Any], theirs: bool
) -> None:
    of_ana, of_ben = f"person:{here.ana.pk}", f"person:{here.ben.pk}"
    hold("Minutes", [page("minutes", "What was said", topics=(TOPIC,))], audience=["everyone" if theirs else of_ana])
    small_company.index()
    minutes = Resource.objects.filter(key="minutes")
    for audience in (of_ben, of_ana):
        minutes.update(audience=Audience.objects.of([audience]))
        assert minutes.behind().exists()
        assert here.reader.get(here.answer.get_absolute_url()).status_code == 200
        found = here.reader.get("/api/v1/search?q=quixotry").json()
        assert [one["title"] for one in found["results"]] == [here.answer.title]


def test_a_topic_goes_with_its_last_document_and_comes_back_with_it(
    here: Any, hold: Callable[..., Any], committed: Callable[[], Any]
) -> None:
    report = page("report", "What was bought", topics=(TOPIC, "Boilers"))
    hold("Copy", [report])
    hold("Annual report", [])
    assert here.answer.topics.exists(), "another document tells it still"
    hold("Copy", [])
    assert tell(here) == set()
    assert not here.answer.topics.exists()
    hold("Annual report", [report])
    with committed():
        asking.edit_answer(answer=here.given.public_id, viewer=see(here.ben), body="Close the vent.")
    assert [topic.name for topic in here.answer.topics.all()] == [TOPIC]


def test_only_bodies_that_changed_are_read(here: Any) -> None:
    source = answers.ensure_answers_source()

    def pulled() -> tuple[list[Any], str]:
        known = Known(dict(source.resources.values_list("key", "version")), {})
        with CaptureQueriesContext(connection) as asked:
            events = list(answers.AnswersConnector("", {}).pull(known))
        return events, " ".join(one["sql"] for one in asked if '"experts_answer"."body"' in one["sql"])

    assert pulled()[1] == ""
    asking.edit_answer(answer=here.given.public_id, viewer=see(here.ben), body="Close the vent.")
    events, read = pulled()
    assert [one.body for one in events if isinstance(one, Document)] == ["Close the vent."]
    assert read
    assert Answer.objects.count() == 1
