"""Promises 1 to 3, 6 and 9 for topics: their list, their pages, what is offered while one types, where one begins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from experts import communities
from experts.models import Person
from knowledge.access import Viewer
from knowledge.framework_file import key_of
from knowledge.models import Contribution, Resource, Topic
from tests.flows import canary
from tests.flows.asking import TOKEN, body, browser, withdrawals
from tests.flows.canary import Lab

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab(settings: Any) -> Lab:
    """The lab, in which colleagues wrote the documents, so that each team's newcomers are shown some."""
    canary.LISTINGS.clear()
    lab = canary.build(settings, people=8, groups=6, documents=70)
    chance = random.Random(3)
    for row in Contribution.objects.all():
        row.person = chance.choice(lab.people)
        row.save(update_fields=["person"])
    return lab


def addresses() -> Iterator[str]:
    """Every page that tells of topics, with every topic that there is, hidden ones too."""
    yield from (reverse("experts:topics"), reverse("experts:topics") + "?page=2", reverse("experts:welcome"))
    for key, name in Topic.objects.values_list("slug", "name"):
        yield reverse("experts:topic", args=[key])
        for typed in (name, name[:4]):
            yield f"{reverse('experts:topics')}?q={typed}"
            yield f"{reverse('experts:topics-suggest')}?q={typed}"


def said(client: Client, address: str) -> str:
    """What an answer says beyond what was typed."""
    text = body(client.get(address))
    return text.replace(address.rpartition("q=")[2], "") if "q=" in address else text


@pytest.mark.parametrize(("people", "step"), [(1, 7), pytest.param(8, 1, marks=pytest.mark.slow)])
def test_no_hidden_word_on_any_page_of_topics(lab: Lab, people: int, step: int) -> None:
    told = 0
    for person in lab.people[:people]:
        client, hidden = browser(person), lab.hidden_from(person)
        assert hidden
        for address in [*addresses()][::step]:
            found = set(TOKEN.findall(said(client, address)))
            assert found & hidden == set(), address
            told += len(found)
    assert told > 20, "what they may read is told"


def test_a_hidden_topic_is_answered_as_one_that_never_was(lab: Lab) -> None:
    person = lab.people[0]
    client, viewer = browser(person), Viewer.of(person)
    mine = set(Topic.objects.filter(resources__in=Resource.objects.visible_to(viewer)).values_list("slug", flat=True))
    others = set(Topic.objects.values_list("slug", flat=True)) - mine
    assert mine
    assert others
    never = body(client.get(reverse("experts:topic", args=[key_of(canary.token())])))
    for key in others:
        answer = client.get(reverse("experts:topic", args=[key]))
        assert (answer.status_code, body(answer)) == (404, never)
        assert client.post(reverse("experts:topic-follow", args=[key]), {"do": "follow"}).status_code == 404


def test_a_withdrawn_right_is_silent_in_the_next_request(lab: Lab) -> None:
    person, canary_of = _somebody_with_a_document_of_their_team(lab)
    target = Resource.objects.get(key=canary_of.key)
    topic = next(one for one in target.topics.all() if TOKEN.search(one.name))
    communities.follow(person=person, key=topic.slug, name=topic.name)
    client = browser(person)
    places = [reverse("experts:topics"), reverse("experts:topic", args=[topic.slug]), reverse("experts:welcome"),
              f"{reverse('experts:topics-suggest')}?q={topic.name[:6]}"]  # fmt: skip
    assert all(topic.name in said(client, place) for place in places[:2])
    for way, withdraw, give_back in withdrawals(target, person):
        withdraw()
        for place in places:
            assert not canary_of.tokens & set(TOKEN.findall(said(client, place))), f"{way}: {place}"
        give_back()
        assert topic.name in said(client, places[0]), way


def _somebody_with_a_document_of_their_team(lab: Lab) -> tuple[Person, canary.Canary]:
    return next(
        (person, one)
        for person in lab.people
        for one in lab.canaries
        if one.groups and lab.readable(person, one) and lab.audience_of[one.source] is not None
    )
