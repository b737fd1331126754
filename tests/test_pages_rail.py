"""People and a tool beside results and resources: who is named, to whom, why, and where it leads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from experts import choices
from experts.models import Ask, Turn
from knowledge.documents import Contribution, Document
from knowledge.models import Audience
from tests import small_company
from tests.small_company import days_ago, source_of
from tests.test_pages import HTMX, ana, ben, found, people, text_of

__all__ = ["ana", "ben", "found", "people"]
pytestmark = pytest.mark.django_db


def rail(client: Client, query: str, **more: Any) -> str:
    """What stands beside the results."""
    page = client.get("/search", {"q": query}, **more).content.decode()
    aside = re.search(r'<aside class="rail".*?</aside>', page, re.S)
    return aside[0] if aside else ""


def test_people_who_know_stand_beside_results_with_what_shows_it(
    ana: Client, ben: Client, people: dict[str, Any], found: dict[str, Any]
) -> None:
    said = rail(ben, "priming")
    assert "People who know" in said
    assert "Ana Ferreira" in said
    assert f'href="{found["pump"].get_absolute_url()}">Wrote “Priming a feed pump” in' in said
    assert f"/asks/new?q=priming&amp;to={people['ana'].public_id}" in said
    assert "/teams/build?q=priming" in said
    assert "Ana Ferreira" not in rail(ana, "priming"), "nobody is told to ask themselves"
    assert "Ben Okafor" in rail(ana, "priming")
    assert rail(ben, "priming", headers=HTMX) == said, "filters bring the rail anew"


def test_a_tool_among_the_results_stands_there_with_what_it_does(ana: Client, found: dict[str, Any]) -> None:
    said = rail(ana, "pump valve")
    assert "A tool already does this" in said
    assert "Does this: find which valve feeds a pump; export a line." in said
    assert 'href="https://valveview.example.org/"' in said
    assert "A tool already does this" not in rail(ana, "hydraulics")


@pytest.mark.parametrize("query", ["pump kind:person", "xylophone", ""])
def test_where_nothing_but_people_or_nothing_is_found_there_is_no_rail(
    ana: Client, found: dict[str, Any], query: str
) -> None:
    assert "People who know" not in rail(ana, query)


def test_further_pages_have_none(ana: Client, found: dict[str, Any]) -> None:
    assert "People who know" in rail(ana, "pump")
    assert "People who know" not in ana.get("/search", {"q": "pump", "page": "2"}).content.decode()


def test_what_one_may_not_read_names_nobody(
    ana: Client, ben: Client, people: dict[str, Any], found: dict[str, Any], django_capture_on_commit_callbacks: Any
) -> None:
    before = rail(ben, "pump")
    paper = [Document(f"s{n}", f"Pump paper {n}", "Of the pump, zyxwv.", topics=("Pumps",),
                      contributions=(Contribution("Cléo Martin", last=days_ago(1)),)) for n in range(20)]  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        source_of("Board", paper, audience=[f"person:{people['ana'].pk}"])
    small_company.index()
    assert rail(ben, "pump") == before
    assert "Cléo Martin" in rail(ana, "pump")


def test_time_is_shown_of_those_who_show_it(ben: Client, people: dict[str, Any], found: dict[str, Any]) -> None:
    assert "this week" not in rail(ben, "priming")
    choices.choose(person=people["ana"], asks_a_week=1, shows_time=True)
    assert "1 of 1 question left this week" in rail(ben, "priming")
    ask = Ask.objects.create(author=people["ben"], text="Why?", audience=Audience.objects.of({"everyone"}))
    Turn.objects.create(ask=ask, person=people["ana"])
    said = rail(ben, "priming")
    assert "0 of 1 question left this week" in said
    assert "again from" in said


def test_who_can_help_with_a_tool_knows_what_it_is_about(
    ana: Client, people: dict[str, Any], found: dict[str, Any]
) -> None:
    said = text_of(ana.get(found["valveview"].get_absolute_url()))
    assert "People who can help BO Ben Okafor" in said
    assert "Ana Ferreira Shift" not in said.partition("People who can help")[2], (
        "whoever looks is no help to themselves"
    )
    choices.say_of_topic(person=people["ben"], name="pumps", ask="no")
    assert "Ben Okafor" not in text_of(ana.get(found["valveview"].get_absolute_url())), (
        "of who is not to be asked: none"
    )


def test_who_hides_stays_an_author_by_the_sources_word_and_leads_nowhere(
    ana: Client, people: dict[str, Any], found: dict[str, Any]
) -> None:
    choices.hide(person=people["ben"])
    page = ana.get(found["seal"].get_absolute_url())
    assert "Written by Ben Okafor." in text_of(page)
    assert str(people["ben"].public_id) not in page.content.decode()
    verified = text_of(ana.get(found["pump"].get_absolute_url()))
    assert "Verified until 14 March 2099" in verified
    assert "Verified until 14 March 2099" in text_of(ana.get("/search", {"q": "priming"}))


def test_who_keeps_a_topic_to_themselves_is_led_to_from_no_document_on_it(
    ana: Client, people: dict[str, Any], found: dict[str, Any]
) -> None:
    assert str(people["ben"].public_id) in ana.get(found["seal"].get_absolute_url()).content.decode()
    topic = found["seal"].topics.first()
    choices.say_of_topic(person=people["ben"], name=topic.name, hidden=True)
    page = ana.get(found["seal"].get_absolute_url())
    assert "Written by Ben Okafor." in text_of(page), "the source's own words stay"
    assert str(people["ben"].public_id) not in page.content.decode()
