"""A topic that somebody keeps to themselves: it binds before what they showed of it earlier."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from experts import choices, communities
from experts.mentoring import mentorships as mentoring
from tests.experts.asked import company
from tests.experts.conftest import plain

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    return company(make_person, hold)


def test_who_keeps_a_topic_is_no_follower_and_no_mentor_in_it_for_others(here: SimpleNamespace, client: Client) -> None:
    communities.follow(person=here.finn, key="boilers", name="Boilers")
    mentoring.offer(person=here.finn, topic="Boilers")

    def seen(person: Any) -> tuple[bool, bool]:
        client.force_login(person)
        topic, page = (client.get(where).content.decode() for where in ("/topics/boilers/", url))
        return (url in topic, "Offers to be a mentor" in page)

    url = here.finn.get_absolute_url()
    assert seen(here.ana) == (True, True)
    choices.say_of_topic(person=here.finn, name="BOILERS", hidden=True)
    assert seen(here.ana) == (False, False)
    assert seen(here.finn) == (True, True)


def test_who_is_not_to_be_asked_is_found_by_it_nowhere_and_their_page_goes_on_showing_it(
    here: SimpleNamespace, client: Client
) -> None:
    client.force_login(here.ana)
    addresses = ("/topics/boilers/", "/people/?q=boiler", here.finn.get_absolute_url())
    before = [client.get(where).content.decode() for where in addresses]
    assert [here.finn.get_absolute_url() in page for page in before[:2]] == [True, True]
    choices.say_of_topic(person=here.finn, name="boilers", ask="no")
    choices.say_of_topic(person=here.finn, name="boiler", ask="no")
    topic, known, page = (client.get(where).content.decode() for where in addresses)
    assert here.finn.get_absolute_url() not in topic + known
    assert plain(page.encode()) == plain(before[2].encode()), "nothing on it tells of the choice"
    client.force_login(here.finn)
    assert "your page still shows what you wrote of it" in client.get("/people/me/").content.decode()
