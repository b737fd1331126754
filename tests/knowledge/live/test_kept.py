"""What services said is kept for one person, who fails is left alone, and what operators declare is checked."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connections
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experts.models import Person, Team
from knowledge import live, live_kept
from knowledge.access import Viewer
from knowledge.index.language import parse
from knowledge.live import Said, ask_all
from knowledge.live_sources import visible_to
from knowledge.models import Audience, LiveHealth, LiveSource
from tests.knowledge.live.conftest import Declare
from tests.knowledge.live.services import QUESTIONS, Hanging, ToldCache, ask, packed, queries, says
from tests.loopback import Web

pytestmark = pytest.mark.django_db


def change_of(row: LiveSource, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


# What is kept -----------------------------------------------------------------------------------------------------


def test_what_is_kept_is_kept_for_one_person(
    web: Web, declare: Declare, ana: Any, make_person: Callable[..., Any]
) -> None:
    """Promise 10: what one person searched for speeds up nobody else's search, so nobody learns of it."""
    declare("Wiki")
    ben = make_person("ben")
    people = [ana, ben, ana, ben, ana]
    for person in people:
        (said,) = ask(person)
        assert [result.link for result in said.results] == ["https://Wiki.example/1"]
    assert len(queries(web, "/wiki")) == 2
    ask(ana, "another pump")
    assert len(queries(web, "/wiki")) == 3


def test_what_is_kept_ends_with_what_was_declared(web: Web, declare: Declare, ana: Any) -> None:
    row = declare("Wiki")
    changes: list[dict[str, Any]] = [
        {}, {"deadline": 2.0}, {"audience": Audience.objects.of(["everyone", "team:1"])},
        {"fields": {"title": "title"}}, {"address": row.address + "&x=1"}, {"shape": "json"},
    ]  # fmt: skip
    asked = []
    for change in changes:
        LiveSource.objects.update(**change) if change else None
        ask(ana)
        asked.append(len(queries(web, "/wiki")))
    assert asked == [1, 1, 2, 3, 4, 4]


def test_failures_are_not_kept(web: Web, declare: Declare, ana: Any) -> None:
    declare("Wiki")
    web.answers["/wiki"] = says({}, status=500)
    assert ask(ana)[0].trouble == "could not answer (500)"
    web.answers["/wiki"] = says([{"title": "Back", "link": "/1"}])
    assert ask(ana)[0].results[0].title == "Back"


def test_a_withdrawn_right_is_gone_in_the_next_request(
    web: Web, declare: Declare, ana: Any, asks: Callable[..., str], client: Client
) -> None:
    """Promise 9, with everything kept: by the source's audience, by leaving a team, by switching it off."""
    team = Team.objects.create(name="Pumps", slug="pumps")
    membership = ana.memberships.create(team=team)
    row = declare("Secret9c1e", audience=[f"team:{team.pk}"], trusted=True)

    def sees() -> bool:
        pages = [asks("search", q="pump"), asks("live", q="pump")]
        one = client.get(
            reverse("knowledge:live-source", args=[row.public_id]), {"q": "pump"}, headers={"HX-Request": "true"}
        )
        seen = {"9c1e" in page for page in pages} | {one.status_code == 200}
        assert len(seen) == 1
        return seen.pop()

    assert sees()
    assert sees()
    assert len(queries(web, "/secret9c1e")) == 1, "it is kept"
    for change in ({"audience": Audience.objects.of(["team:0"])}, {"active": False}):
        before = {name: getattr(row, name) for name in change}
        change_of(row, **change)
        assert not sees()
        change_of(row, **before)
        assert sees()
    membership.until = timezone.now()
    membership.save()
    assert not sees()
    assert len(queries(web, "/secret9c1e")) == 1


def kept_anywhere() -> str:
    """All that the cache holds of services, as text."""
    held: Any = cache
    return str([pickle.loads(value) for key, value in held._cache.items() if "live." in key])  # noqa: S301 - our own


def test_what_is_kept_goes_with_the_person(
    declare: Declare,
    ana: Any,
    make_person: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    """Promise 20: nothing of an erased person waits for its time to be over; what others asked stays theirs."""
    ben = make_person("ben")
    declare("Wiki")
    for person in (ana, ben):
        ask(person)
    assert kept_anywhere().count("Wiki knows") == 2
    with django_capture_on_commit_callbacks(execute=True):
        ana.delete()
    assert kept_anywhere().count("Wiki knows") == 1
    with django_capture_on_commit_callbacks(execute=True):
        Person.objects.filter(pk=ben.pk).delete()
    assert "knows" not in kept_anywhere()


def test_what_arrives_after_the_person_went_is_not_kept(web: Web, declare: Declare, ana: Any) -> None:
    declare("Wiki")
    viewer = Viewer.of(ana)
    sources = visible_to(viewer)
    Person.objects.filter(pk=ana.pk).delete()
    (said,) = ask_all(sources, parse("pump"), viewer)
    assert said.results
    assert "knows" not in kept_anywhere()


def test_a_cache_that_fails_keeps_no_account_from_being_erased(
    ana: Any, settings: LazySettings, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.CACHES = {"default": {"BACKEND": "tests.knowledge.live.services.NoCache", "LOCATION": "away"}}
    with django_capture_on_commit_callbacks(execute=True):
        ana.delete()
    assert not Person.objects.exists()


@pytest.mark.parametrize("way", ["membership", "source", "rows"])
def test_what_is_kept_is_no_answer_for_other_rights(web: Web, declare: Declare, ana: Any, way: str) -> None:
    """Promise 9: whichever hand takes a right away, signals or none, what was kept with it answers nobody."""
    team = Team.objects.create(name="Pumps", slug="pumps")
    ana.memberships.create(team=team)
    row = declare("Wiki", audience=["everyone", f"team:{team.pk}"])
    ask(ana)
    ask(ana)
    assert len(queries(web, "/wiki")) == 1
    if way == "membership":
        ana.memberships.update(until=timezone.now())
    elif way == "source":
        change_of(row, audience=Audience.objects.of(["everyone"]))
    else:
        LiveSource.objects.update(audience=Audience.objects.of(["everyone"]))
    ask(ana)
    assert len(queries(web, "/wiki")) == 2


def test_many_searches_keep_no_more_than_some(declare: Declare, ana: Any) -> None:
    declare("Wiki")
    for number in range(live_kept.PLACES + 20):
        ask(ana, f"pump{number}")
    assert 0 < kept_anywhere().count("Wiki knows") <= live_kept.PLACES


def test_services_changed_many_at_once_are_offered_so_in_the_next_search(
    declare: Declare, asks: Callable[..., str], make_person: Callable[..., Any], client: Client
) -> None:
    declare("Wiki")
    declare("Archive7")
    assert "Wiki" in asks("search", q="pump")
    LiveSource.objects.filter(name="Wiki").update(active=False)
    assert "Wiki" not in asks("search", q="pump")
    client.force_login(make_person("operator", is_staff=True, is_superuser=True))
    ticked = {
        "action": "delete_selected",
        "_selected_action": [row.pk for row in LiveSource.objects.all()],
        "post": "yes",
    }
    assert client.post(reverse("admin:knowledge_livesource_changelist"), ticked).status_code == 302
    assert "Archive7" not in asks("search", q="pump")


def test_nothing_that_was_typed_stands_in_a_key(declare: Declare, ana: Any, settings: LazySettings) -> None:
    declare("Wiki")
    settings.CACHES = {"default": {"BACKEND": "tests.knowledge.live.services.ToldCache", "LOCATION": "told"}}
    ToldCache.keys.clear()
    ask(ana, "unspeakable")
    assert any(key.startswith("live.") for key in ToldCache.keys)
    assert not [key for key in ToldCache.keys if "unspeakable" in key or "ana" in key]


def test_a_cache_that_fails_costs_nothing_but_time(
    web: Web, declare: Declare, ana: Any, settings: LazySettings, asks: Callable[..., str]
) -> None:
    settings.CACHES = {"default": {"BACKEND": "tests.knowledge.live.services.NoCache", "LOCATION": "away"}}
    declare("Wiki", trusted=True)
    for _ in range(2):
        assert ask(ana)[0].results
    assert len(queries(web, "/wiki")) == 2
    assert "Wiki" in asks("search", q="pump")


# Who is left alone ------------------------------------------------------------------------------------------------


def rest_is_over() -> None:
    LiveHealth.objects.update(rests_until=timezone.now() - timedelta(seconds=1))


def test_after_five_failures_nobody_asks_until_one_may_try(web: Web, declare: Declare, ana: Any) -> None:
    """Promise 29."""
    row = declare("Wiki")
    web.answers["/wiki"] = says({}, status=503)
    for _ in range(live.FAILURES):
        assert ask(ana)[0].trouble == "could not answer (503)"
    assert len(queries(web, "/wiki")) == live.FAILURES
    cache.clear()
    for _ in range(3):
        assert ask(ana)[0].trouble.startswith("has not answered lately; it is asked again after ")
    assert len(queries(web, "/wiki")) == live.FAILURES
    health = LiveHealth.objects.get(source=row.public_id)
    first = health.rests_until - health.at
    assert first == timedelta(seconds=live.RESTS[live.FAILURES])

    rest_is_over()
    assert ask(ana)[0].trouble == "could not answer (503)"
    health.refresh_from_db()
    assert health.rests_until - health.at == timedelta(seconds=live.RESTS[6]), "a trial that fails makes it longer"
    assert ask(ana)[0].trouble.startswith("has not answered lately; ")

    rest_is_over()
    web.answers["/wiki"] = says([{"title": "Back", "link": "/1"}])
    assert ask(ana)[0].results
    health.refresh_from_db()
    assert (health.failures, health.rests_until) == (0, None)


def test_a_right_answer_between_failures_forgets_them(web: Web, declare: Declare, ana: Any) -> None:
    declare("Wiki")
    good = web.answers["/wiki"]
    for turn in range(3):
        web.answers["/wiki"] = says({}, status=500)
        for _ in range(live.FAILURES - 1):
            ask(ana)
        web.answers["/wiki"] = good
        assert ask(ana, f"pump{turn}")[0].results
    assert LiveHealth.objects.get().failures == 0


def test_words_that_a_service_does_not_take_are_nobodys_fault(web: Web, declare: Declare, ana: Any) -> None:
    declare("Wiki")
    web.answers["/wiki"] = says({}, status=400)
    for _ in range(live.FAILURES + 2):
        assert ask(ana)[0].trouble == "does not take these words (400)"
    assert not LiveHealth.objects.exists()


def test_a_pause_that_is_asked_for_is_given(web: Web, declare: Declare, ana: Any) -> None:
    declare("Wiki")
    web.answers["/wiki"] = says({}, status=429, Retry_After="40")
    ask(ana)
    health = LiveHealth.objects.get()
    assert timedelta(seconds=39) < health.rests_until - health.at <= timedelta(seconds=40)
    assert ask(ana)[0].trouble.startswith("asks to be left alone; it is asked again after ")
    assert len(queries(web, "/wiki")) == 1
    declare("Questions", "/qa", shape="stackexchange")
    web.answers["/qa"] = packed({**QUESTIONS, "backoff": 30})
    said = {one.source.name: one for one in ask(ana)}
    assert said["Questions"].results
    assert "asks to be left alone" in {one.source.name: one for one in ask(ana, "oil")}["Questions"].trouble


def test_one_that_rests_keeps_no_other_from_being_asked(web: Web, declare: Declare, ana: Any) -> None:
    row = declare("Wiki")
    declare("Other")
    later = timezone.now() + timedelta(minutes=5)
    LiveHealth.objects.create(source=row.public_id, failures=5, rests_until=later)
    said = {one.source.name: one for one in ask(ana)}
    assert said["Wiki"].trouble
    assert said["Other"].results


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_one_tries(
    web: Web, declare: Declare, make_person: Callable[..., Any], settings: LazySettings
) -> None:
    settings.LIVE_AT_ONCE = 9
    row = declare("Wiki", deadline=8.0)
    LiveHealth.objects.create(source=row.public_id, failures=5, rests_until=timezone.now() - timedelta(seconds=1))
    hanging = web.answers["/wiki"] = Hanging()
    viewers = [Viewer.of(make_person(f"p{n}")) for n in range(4)]
    sources = visible_to(viewers[0])
    said: list[Said] = []

    def run(viewer: Viewer) -> None:
        said.extend(ask_all(sources, parse("pump"), viewer))
        connections.close_all()

    threads = [threading.Thread(target=run, args=(viewer,)) for viewer in viewers]
    for thread in threads:
        thread.start()
    assert hanging.asked.wait(20)
    while sum(thread.is_alive() for thread in threads) > 1:  # all but the one that tries are answered meanwhile
        threads[0].join(0.02)
    assert len(said) == 3
    assert all(one.trouble for one in said)
    hanging.let_go.set()
    for thread in threads:
        thread.join()
    assert len(queries(web, "/wiki")) == 1
    assert len(said) == 4


# Declared by the operator -----------------------------------------------------------------------------------------


def entry(web: Web, **more: Any) -> dict[str, Any]:
    return {"name": "Own", "address": f"{web.base}/own?q={{query}}", "audience": ["everyone"], **more}


def test_what_the_operator_declares_is_one_like_others(
    web: Web, settings: LazySettings, ana: Any, asks: Callable[..., str]
) -> None:
    web.answers["/own"] = says([{"title": "Own knows", "link": "/1"}])
    settings.LIVE_SOURCES = [entry(web, trusted=True), entry(web, name="Board", audience=["team:0"])]
    (only,) = visible_to(Viewer.of(ana))
    assert (only.name, only.trusted) == ("Own", True)
    assert "Own knows" in asks("live-source", only.key, q="pump", htmx=True)
    settings.LIVE_SOURCES = [entry(web, audience=["team:0"])]
    with pytest.raises(Http404):
        live.one_of(only.key, Viewer.of(ana))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": 5}, "TypeError"),
        ({"audience": "everyone"}, "TypeError"),
        ({"shape": "xml"}, "Choose one of"),
        ({"address": "ftp://x"}, "Only http and https"),
        ({"secret": "SECRET_KEY"}, "begins with LIVE_SECRET_"),
        ({"deadline": 60}, "Between 0.2 and 8 seconds"),
        ({"fields": {"heading": "h"}}, "is not understood"),
        ({"fields": {"notes": "who"}}, "is not understood"),
        ({"header": "Authorization"}, "Write it like"),
        ({"header": "A: {secret}\r\nB: c"}, "Write it like"),
        ({"address": "https://x.example/{query}?k={secret}"}, "name the variable"),
    ],
)
def test_a_wrong_declaration_is_said_at_start_and_never_asked(
    web: Web, settings: LazySettings, ana: Any, wrong: dict[str, Any], why: str
) -> None:
    from knowledge.checks import live_sources as check

    settings.LIVE_SOURCES = [entry(web), entry(web, name="Wrong") | wrong]
    (found,) = check(None)
    assert why in found.msg
    assert [one.name for one in visible_to(Viewer.of(ana))] == ["Own"]
    settings.LIVE_SOURCES = [entry(web)]
    assert check(None) == []


def test_a_host_that_the_operator_took_back_is_not_asked(
    web: Web, declare: Declare, settings: LazySettings, ana: Any
) -> None:
    declare("Wiki")
    settings.LIVE_HOSTS = ["elsewhere.example"]
    assert ask(ana)[0].trouble == "leads to an address that may not be asked"
    assert web.asked == []
