"""Promises 1, 9 and 15 for what people searched for: it waits for them alone, and its words stand nowhere else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from experts.models import Person
from knowledge import actions, gaps, waiting
from knowledge.access import Viewer
from knowledge.models import Audience, LiveSource, Resource, Search
from knowledge.waiting import WaitingSearch
from tests.flows import canary
from tests.flows.asking import TOKEN, addresses, body, browser, withdrawals
from tests.flows.canary import LISTINGS, Lab
from tests.knowledge.live.services import says
from tests.loopback import Web

pytestmark = pytest.mark.django_db

SECRET = "unspeakable"
FORMS = ("{}", "kettel {} kind:tool", "\x00{}\ud800")
MORE_FORMS = (
    '"{} pump"', "kettle -{}", "{}*", "title:{} kind:tool", "by:{}", "in:{} source:{}", "topic:{}", "{} OR valve",
    "{}x{}", "after:{}", "/{}/", "{} " * 300, "';{}--", "<b>{}</b>",
)  # fmt: skip


@pytest.fixture
def lab(settings: LazySettings) -> Lab:
    LISTINGS.clear()
    return canary.build(settings, people=6, groups=8, documents=60)


def look() -> int:
    """Look as the job does, turn by turn, when the next look at all of them is due."""
    WaitingSearch.objects.update(looked_at=timezone.now() - timedelta(hours=1))
    found = 0
    while WaitingSearch.objects.filter(found_at=None, looked_at__lt=timezone.now() - waiting.EVERY).exists():
        found += waiting.look()
    return found


# Searches that wait -----------------------------------------------------------------------------------------------


def test_promises_1_and_15_a_search_that_waits_speaks_to_its_owner_alone_and_of_what_they_may_read(lab: Lab) -> None:
    """Everybody waits for tokens of documents that they may read and of others that they may not."""
    waits: dict[int, dict[str, bool]] = {}
    titles = {one.key: one.title.split()[-1] for listed in LISTINGS.values() for one in listed}
    for person in lab.people:
        canaries = lab.canaries[:: max(1, len(lab.canaries) // 10)][:10]
        waits[person.pk] = {titles[one.key]: lab.readable(person, one) for one in canaries}
        for text in waits[person.pk]:
            waiting.wait_for(text=text, viewer=Viewer.of(person))
    found = look()
    assert found == sum(sum(known.values()) for known in waits.values())
    assert 0 < found < sum(map(len, waits.values())), "some are hidden, and some are not"
    for person in lab.people:
        client, mine = browser(person), waits[person.pk]
        told: set[str] = set()
        while now := waiting.tell(Viewer.of(person)):
            assert all(mine[one.text] for one in now), "of what is hidden nothing is told"
            page = client.get("/").content.decode()
            assert {one.text for one in now} <= set(TOKEN.findall(page))
            told |= {one.text for one in now}
            for one in now:
                waiting.forget(public_id=one.public_id, viewer=Viewer.of(person))
        assert told == {text for text, readable in mine.items() if readable}
        silent = set(TOKEN.findall(client.get("/search/waiting").content.decode()))
        assert silent == {text for text, readable in mine.items() if not readable}


def test_promise_9_a_right_that_is_withdrawn_after_a_look_is_silent_in_the_next_page(lab: Lab) -> None:
    person, secret = next(
        (p, c) for p in lab.people for c in lab.canaries if c.groups and lab.groups_of[p.pk] and lab.readable(p, c)
    )
    target = Resource.objects.select_related("source__audience", "audience").get(key=secret.key)
    word, client = next(token for token in secret.tokens if token in target.title), browser(person)
    waiting.wait_for(text=word, viewer=Viewer.of(person))
    for name, withdraw, give_back in withdrawals(target, person):
        assert look() == 1, name
        withdraw()
        page = client.get("/").content.decode()
        assert "There is something now" not in page, name
        assert word not in page, name
        assert look() == 0, name
        give_back()


def test_promise_15_curators_are_told_words_when_three_people_searched_for_them(lab: Lab) -> None:
    root = Person.objects.create(username="root", is_staff=True, is_superuser=True)
    for number, person in enumerate(lab.people[:3], 1):
        for word in ("xylophone", f"glockenspiel {SECRET}" if number < 3 else "glockenspiel"):
            browser(person).get("/search", {"q": word})
        gaps.gather()
        page = browser(root).get("/operate/knowledge/gap/").content.decode()
        assert ("xylophone" in page) is (number == 3)
        assert SECRET not in page
        assert not [one for one in lab.people if one.username in page]


def test_promise_15_what_somebody_searched_for_is_kept_for_ninety_days(lab: Lab) -> None:
    for days in (1, 89, 91, 400):
        Search.objects.create(person=lab.people[0], text=f"{days}", at=timezone.now() - timedelta(days=days))
    actions.sweep()
    assert sorted(Search.objects.values_list("text", flat=True)) == ["1", "89"]


# Their words --------------------------------------------------------------------------------------------------------


@pytest.fixture
def asks(lab: Lab, web: Web, settings: LazySettings) -> Callable[[str], list[Any]]:
    """All that can be asked of the portal with a text, while one service outside answers and another fails."""
    settings.LIVE_HOSTS = [f"127.0.0.1:{web.port}"]
    for name, answer in (("Wiki", says([{"title": "Knows", "link": "/1"}])), ("Broken", says(b"no", status=500))):
        web.answers[f"/{name}"] = answer
        LiveSource.objects.create(
            name=name, shape="json", address=f"{web.base}/{name}?q={{query}}", trusted=True, deadline=2,
            audience=Audience.objects.of(["everyone"]),
        )  # fmt: skip
    person = lab.people[0]
    client = browser(person)

    def ask(text: str) -> list[Any]:
        text = text.encode("utf-8", "replace").decode()
        asked = {"q": text}
        answers = [client.get(path, parameters) for path, parameters in addresses(text)]
        answers += [client.get("/search/live", asked), client.get("/search", {**asked, "page": "9", "typed": "1"})]
        answers += [client.post("/search/waiting", asked), client.get("/search/waiting"), client.get("/")]
        answers += [Client().get("/search", asked), Client().post("/search", asked), client.post("/search", asked)]
        answers += [client.get("/r/6f5ad7a4-5f0e-4b51-a2b8-1f9a6b1a2c3d", asked), client.get("/nowhere", asked)]
        return answers

    return ask


@pytest.mark.parametrize("forms", [FORMS, pytest.param(MORE_FORMS, marks=pytest.mark.slow)], ids=["few", "many"])
def test_promise_15_no_word_of_a_search_stands_in_a_log(
    asks: Callable[[str], list[Any]],
    forms: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With everything logged that anybody logs, jobs and commands included."""
    with caplog.at_level(logging.DEBUG):
        for form in forms:
            asks(form.replace("{}", SECRET))
        look()
        gaps.gather()
        actions.sweep()
        call_command("index_status")
    assert WaitingSearch.objects.filter(text__contains=SECRET).exists(), "it was searched for, and waits"
    assert "Not Found: /nowhere" in caplog.text, "something was logged, so words could have been"
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


def test_promise_15_no_word_of_a_search_leaves_in_a_referer(asks: Callable[[str], list[Any]]) -> None:
    """A browser names the page it comes from to this site alone; and links outside ask it to name none."""
    for answer in asks(SECRET):
        assert answer["Referrer-Policy"] == "same-origin", answer.request["PATH_INFO"]
        for link in re.findall(r"<a [^>]*href=\"https?://[^>]*>", answer.content.decode()):
            assert "noreferrer" in link, link


def test_promise_15_a_search_is_its_owners_and_no_others(lab: Lab, asks: Callable[[str], list[Any]]) -> None:
    """Nobody else is answered otherwise for it: no page, no suggestion, nothing of the operator's."""
    other = lab.people[1]
    Person.objects.filter(pk=other.pk).update(is_staff=True, is_superuser=True)
    client = browser(Person.objects.get(pk=other.pk))
    paths = ["/", "/search/waiting", "/tasks/", "/people/", "/operate/", "/operate/knowledge/gap/"]

    def answers() -> list[str]:
        return [body(client.get(path)) for path in paths] + [
            body(client.get(path, asked)) for path, asked in addresses(SECRET[:6])[2:]
        ]

    before = answers()
    asks(SECRET)
    asks(f"kettle {SECRET}")
    assert Search.objects.filter(person=lab.people[0], text__contains=SECRET, total__gt=0).exists()
    assert answers() == before
