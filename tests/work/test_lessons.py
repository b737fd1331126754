"""Lessons: who reads them and where, what they suspend, and that nobody is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts.models import Person
from experts.notices import Notice, in_words, mine
from immersive.work import actions, log
from immersive.work.lessons import connector, experiments, telling
from immersive.work.lessons import told as told_by
from immersive.work.lessons.experiments import Tried
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.lessons.told import To
from knowledge.connectors import Known
from knowledge.documents import Document
from knowledge.edition import Standing
from knowledge.models import Audience, Contribution, Resource, Source, Verification
from knowledge.pages import notes
from knowledge.search import search
from tests import small_company
from tests.work.conftest import at_home
from tests.work.lessons_told import (
    SAID,
    at_work,
    bytes_of,
    company,
    html,
    html_of,
    leave,
    page,
    people_of,
    see,
    tell,
    try_out,
    verified,
)  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture(scope="module")
def founded(standing: Path) -> tuple[Path, SimpleNamespace]:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return standing, company(Person.objects.create_user)


@pytest.fixture
def here(founded: tuple[Path, SimpleNamespace], settings: LazySettings, db: None) -> SimpleNamespace:
    """The company as it stands, read anew for one test."""
    index, made = founded
    at_home(index, settings)
    people = {person.username: person for person in Person.objects.all()}
    rows = {row.key: row for row in Resource.objects.alive()}
    return SimpleNamespace(**{**vars(made), "rows": rows, **people})


def above(here: SimpleNamespace, person: Any) -> list[str]:
    """What stands above the page about the zero for this person."""
    return [note.say for note in notes([here.rows["zero"]], see(person)).get(here.rows["zero"].pk, [])]


def test_a_lesson_told_to_everyone_is_found_and_stands_above_what_it_concerns(
    here: SimpleNamespace, committed: Callable[[], Any]
) -> None:
    tell(here, committed, To(Reach.COMPANY))
    found = search("xylograph", see(here.zoe))
    assert [(one.resource.kind, one.resource.source.name) for one in found.results] == [("lesson", "Lessons")]
    assert above(here, here.zoe) == [SAID.know_now]


def test_withdrawn_it_is_nowhere_at_once(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    told = tell(here, committed, To(Reach.COMPANY))
    with committed():
        told_by.withdraw(author=here.ana, told=told.public_id)
        assert not search("xylograph", see(here.zoe)).results  # before any worker did anything
        assert above(here, here.zoe) == []
        assert Verification.objects.get(resource=here.rows["zero"]).suspended_at is None
    small_company.index()
    assert Lesson.objects.visible_to(see(here.ana)).get().reach == Reach.DRAFT
    assert "<title>A lesson of mine" in html(here.ana, told.get_absolute_url()), "a title is kept by the browser"
    with pytest.raises(Http404):
        told_by.told_or_404(Lesson, told.public_id, see(here.zoe))


def test_what_a_sync_read_before_it_was_narrowed_is_taken_out_after_it(
    here: SimpleNamespace, committed: Callable[[], Any]
) -> None:
    told = tell(here, committed, To(Reach.COMPANY))
    wide = Resource.objects.filter(kind="lesson").values("audience", "updated").get()
    with at_work(committed):
        telling.publish(author=here.ana, said=SAID, to=To(Reach.TEAM, here.team.public_id), lesson=told.public_id)
    row = Resource.objects.get(kind="lesson")
    Resource.objects.filter(pk=row.pk).update(**wide)
    assert Resource.objects.visible_to(see(here.zoe)).filter(pk=row.pk).exists()
    with at_work(committed):
        connector.settle(row.source_id)
        assert not Resource.objects.visible_to(see(here.zoe)).filter(pk=row.pk).exists()
    assert Resource.objects.visible_to(see(here.cleo)).filter(pk=row.pk).exists()


def form(here: SimpleNamespace, **said: Any) -> dict[str, Any]:
    """What Ana's browser posts."""
    words = {name: getattr(SAID, name) for name in telling.WORDS}
    about = str(here.rows["zero"].public_id)
    return {**words, "kind": "complex", "to": str(here.team.public_id), "about": about, "do": "publish", **said}


def test_from_a_page_to_a_lesson_above_it(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    about = here.rows["zero"].get_absolute_url()
    assert f"/lessons/new?about={here.rows['zero'].public_id}" in html(here.ana, about)
    assert str(here.rows["zero"].public_id) in html(here.ana, f"/lessons/new?about={here.rows['zero'].public_id}")
    with at_work(committed):
        answer = page(here.ana, "/lessons/new", **form(here, topic="Meters"))
    assert answer.status_code == 302
    for address in (about, "/search?q=zero", answer["Location"], "/lessons/"):
        assert "as cold as the room" in html(here.ben, address), address
        assert "as cold as the room" not in html(here.zoe, address)
    assert page(here.zoe, answer["Location"]).status_code == 404
    assert "Worth knowing first" in html(here.ben, about)
    task = actions.start_task(owner=here.ben, statement="Set the zero")
    assert "as cold as the room" in html(here.ben, f"{task.get_absolute_url()}beside/{here.rows['zero'].public_id}")
    assert "Verification suspended" in html(here.ben, about)
    assert "erif" not in html(here.zoe, about)


# Nobody but those it is told to --------------------------------------------------------------------------------------


def test_a_team_s_lesson_shows_nowhere_to_others(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    """Every page, field and mail: an outsider gets the bytes that they got before lesson and experiment were told."""
    small_company.index()
    here.rows["zero"].verification.delete()  # what a suspension changes is another test's
    addresses = [
        "/", "/search?q=zero", "/search?q=xylograph", "/search?q=kind:lesson", "/search/suggest?q=xylo",
        "/search?q=brass+topic:meters", "/search/suggest?q=it+did", "/api/v1/search?q=brass",
        "/lessons/experiments/?state=done", "/lessons/experiments/?topic=meters",
        "/search/suggest?q=wait", "/topics/meters/", "/topics/", "/lessons/", "/lessons/?kind=unknown",
        "/lessons/?topic=meters", "/lessons/?mine=1", "/notices/", "/people/?q=xylograph",
        "/api/v1/search?q=zero", "/api/v1/search?q=xylograph", "/api/v1/suggest?q=wait",
        here.rows["zero"].get_absolute_url(), here.ana.get_absolute_url(),
        f"/api/v1/resources/{here.rows['zero'].public_id}",
    ]  # fmt: skip
    root = people_of(here.zoe, is_staff=True, is_superuser=True)
    client = {person: Client() for person in ("zoe", "cleo")}
    client["zoe"].force_login(root)
    client["cleo"].force_login(here.cleo)
    for address in addresses:  # what one searched for shows on one's own pages
        client["zoe"].get(address)
    before = {address: bytes_of(client["zoe"], address) for address in addresses}
    assert {status for status, _ in before.values()} == {200}
    told, tried = tell(here, committed, kind="unknown"), try_out(here, committed)
    assert {address: bytes_of(client["zoe"], address) for address in addresses} == before
    pages = {address: client["cleo"].get(address).content.decode() for address in addresses}
    assert {address for address, said in pages.items() if "cold as the room" in said} >= {
        "/search?q=zero", "/search?q=xylograph", "/search?q=kind:lesson", here.rows["zero"].get_absolute_url(),
        "/topics/meters/", "/lessons/", "/lessons/?kind=unknown", "/lessons/?topic=meters", "/api/v1/search?q=zero",
        f"/api/v1/resources/{here.rows['zero'].public_id}", "/search/suggest?q=wait",
    }, "a colleague sees it at each of these"  # fmt: skip
    assert {address for address, said in pages.items() if "a brass pin" in said} >= {
        "/search?q=brass+topic:meters", "/search?q=kind:lesson", "/search/suggest?q=it+did",
        "/topics/meters/", "/lessons/experiments/?state=done", "/lessons/experiments/?topic=meters",
        "/api/v1/search?q=brass",
    }, "a colleague sees what was tried at each of these"  # fmt: skip
    resources = list(Resource.objects.filter(kind="lesson"))
    hidden = [f"{one.get_absolute_url()}{verb}" for one in (told, tried) for verb in ("", "edit")]
    hidden += [one.get_absolute_url() for one in resources] + [
        f"/api/v1/resources/{one.public_id}" for one in resources
    ]
    assert len(hidden) == 8
    assert {client["zoe"].get(address).status_code for address in hidden} == {404}
    for one in (told, tried):
        for verb in ("withdraw", "delete", "moderate"):
            at, said = f"/lessons/{one.public_id}/{verb}", {"reason": "It is not of any use to us here"}
            assert client["zoe"].post(at, said).status_code == 404, verb
            assert verb == "moderate" or client["cleo"].post(at).status_code == 404, verb
        assert client["cleo"].post(f"{one.get_absolute_url()}edit").status_code == 404
    models = {model for model in admin.site._registry if model.__module__.startswith("immersive.work")}
    assert Lesson not in models
    leave(here.cleo, here.team)
    assert client["cleo"].get(told.get_absolute_url()).status_code == 404
    left = [client["cleo"].get(address).content.decode() for address in addresses]
    assert not any("cold as the room" in page or "a brass pin" in page for page in left)


def test_what_was_tried_is_found_with_its_result_until_it_is_taken_back(
    here: SimpleNamespace, committed: Callable[[], Any]
) -> None:
    with at_work(committed):
        running = Tried("A felt pad keeps the zero.", "Zeros lost", date(2026, 12, 24))
        experiments.plan(author=here.ana, tried=running, to=To(Reach.COMPANY))
    tried = try_out(here, committed, To(Reach.COMPANY))
    (found,) = search("brass", see(here.zoe)).results
    assert found.resource.title == "It did not hold: With a brass pin a meter keeps its zero."
    assert "Four, as before" in found.resource.body
    assert page(here.zoe, found.resource.get_absolute_url())["Location"] == tried.get_absolute_url()
    assert found.resource.public_id.hex in html(here.zoe, tried.get_absolute_url()).replace("-", ""), "did it help?"
    (being,) = search("felt", see(here.zoe)).results
    assert (being.resource.title, being.resource.crumbs) == ("Being tried: A felt pad keeps the zero.", ["Experiments"])
    assert "24 December 2026" in being.resource.body
    assert not search("by:Ana kind:lesson", see(here.zoe)).results
    with committed():
        told_by.withdraw(author=here.ana, told=tried.public_id)
        assert not search("brass", see(here.zoe)).results  # before any worker did anything


def test_a_sync_reads_again_only_the_words_that_changed(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    told, _ = tell(here, committed, To(Reach.COMPANY)), try_out(here, committed, To(Reach.COMPANY))
    row, source = Resource.objects.get(key=told.public_id.hex), connector.lessons_source()
    assert source is not None

    def pulled() -> list[str]:
        known = Known(dict(source.resources.alive().values_list("key", "version")))
        with CaptureQueriesContext(connection) as asked:
            events = list(connector.LessonsConnector("", {}).pull(known))
            connector.settle(source.pk)
        assert len(events) == 2
        words = [name for query in asked for name in ("happened", "hypothesis") if f'"{name}"' in query["sql"]]
        return [*words, *(event.title for event in events if isinstance(event, Document))]

    assert pulled() == []
    Resource.objects.filter(pk=row.pk).update(version="")
    assert pulled() == ["happened", row.title]


def test_who_wrote_without_a_name_is_told_nowhere_and_who_signed_on_its_page_alone(
    here: SimpleNamespace, committed: Callable[[], Any]
) -> None:
    told = tell(here, committed, To(Reach.TEAM, here.team.public_id, anonymous=True))
    row = Resource.objects.get(kind="lesson")
    for address in (told.get_absolute_url(), "/search?q=xylograph", "/lessons/", "/topics/meters/",
                    here.rows["zero"].get_absolute_url(), f"/api/v1/resources/{row.public_id}"):  # fmt: skip
        assert "Ana" not in html(here.cleo, address), address
    assert "Without a name" in html(here.cleo, told.get_absolute_url())
    assert "You, without your name" in html(here.ana, told.get_absolute_url())
    signed = tell(here, committed)
    assert ">Ana</a>" in html(here.cleo, signed.get_absolute_url())
    assert not Contribution.objects.filter(resource__kind="lesson").exists()
    assert not search("by:Ana kind:lesson", see(here.cleo)).results
    assert "cold as the room" not in html(here.cleo, here.ana.get_absolute_url())
    assert "cold as the room" not in html(here.cleo, "/lessons/?mine=1")
    leave(here.finn, here.team)
    leave(here.eva, here.team)
    with pytest.raises(ValidationError, match="fewer than 5"):
        tell(here, committed, To(Reach.TEAM, here.team.public_id, anonymous=True))
    assert tell(here, committed, To(Reach.COMPANY, anonymous=True)).anonymous
    Person.objects.exclude(pk__in=[one.pk for one in (here.ana, here.ben, here.cleo, here.zoe)]).update(is_active=False)
    with pytest.raises(ValidationError, match="Fewer than 5"):
        tell(here, committed, To(Reach.COMPANY, anonymous=True))


def test_a_task_names_no_topic_that_its_owner_may_know_no_more(here: SimpleNamespace) -> None:
    task = actions.start_task(owner=here.ana, statement="Bands", started_from=here.rows["pay"])
    actions.assess(task=task, owner=here.ana, confidence=50, known={"Meter pay": "know"})
    log.do_due()
    tried = Tried("Bands move pay", "two weeks", timezone.localdate(), topics=("Meter pay",))
    experiment = experiments.plan(author=here.ana, tried=tried, to=To(Reach.ME))
    met = (
        task.get_absolute_url(), f"/api/v1/tasks/{task.public_id}", "/tasks/download", "/tasks/mirror",
        f"/lessons/new?task={task.public_id}", f"{experiment.get_absolute_url()}edit",
    )  # fmt: skip
    assert ["Meter pay" in html(here.ana, one) for one in met] == [True] * len(met)
    leave(here.ana, here.team)
    assert ["Meter pay" in html(here.ana, one) for one in met] == [False] * len(met)


def test_topics_are_told_only_as_all_readers_know_them(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    about = (here.rows["pay"].public_id,)
    told = tell(here, committed, To(Reach.COMPANY), topics=("Meters", "Meter pay"), resources=about)
    assert "Pay of the meter crew" in html(here.cleo, told.get_absolute_url())
    assert "Pay of the" not in html(here.zoe, told.get_absolute_url()), "nor which page of others it concerns"
    row = Resource.objects.get(kind="lesson")
    assert [topic.name for topic in row.topics.all()] == ["Meters"]
    assert "Meter pay" in html(here.cleo, told.get_absolute_url())
    assert "Meter pay" not in html(here.zoe, told.get_absolute_url())
    assert "cold as the room" not in html(here.zoe, "/lessons/?topic=meter-pay")
    source = Source.objects.get(name="Handbook")
    source.audience = Audience.objects.of({f"team:{here.team.pk}"})
    with committed():
        source.save()
        assert not row.topics.exists(), "its readers know that topic no more"


# What it suspends ----------------------------------------------------------------------------------------------------


def test_a_verification_is_suspended_at_once_told_with_rights_and_lifted_with_a_note(
    here: SimpleNamespace, committed: Callable[[], Any]
) -> None:
    small_company.index()
    about, word = here.rows["zero"], "/search?q=setting+the+zero"
    people_of(here.ben, name="Benno")
    assert "Verified by Benno" in html(here.zoe, word)
    assert verified(here.zoe) == {"Setting the zero of a meter"}
    with committed():
        told = telling.publish(
            author=here.ana, said=replace(SAID, resources=[about.public_id]), to=To(Reach.TEAM, here.team.public_id)
        )
        for address in (word, about.get_absolute_url(), "/", "/topics/meters/"):  # in the same transaction
            assert "Verified by" not in html(here.zoe, address), address
            assert "uspended" not in html(here.zoe, address), address
        assert verified(here.zoe) == set()
    assert Standing.objects.get(resource=about).verified_until is None
    assert "erified" not in html(here.zoe, word), "nor does its place tell of it, after the commit"
    small_company.index()
    assert "Verification suspended: a lesson concerns it" in html(here.cleo, word)
    assert "It is right: verify it again" not in html(here.cleo, about.get_absolute_url())
    (news,) = in_words(mine(see(here.ben)), see(here.ben))
    assert news.said.text.startswith("You vouch for “Setting the zero of a meter”. A lesson concerns it")
    leave(here.ben, here.team)
    (news,) = in_words(mine(see(here.ben)), see(here.ben))
    assert "lesson" not in news.said.text
    assert "does not count as verified" in news.said.text
    lift = f"/r/{about.public_id}/verify"
    assert page(here.cleo, lift, note="I looked at it again").status_code == 403
    refused = page(here.ben, lift, note="ok")
    assert (refused.status_code, b'value="ok"' in refused.content) == (422, True)
    with committed():
        assert page(here.ben, lift, note="Added the temperature as a first step").status_code == 302
    assert "Verified by Benno" in html(here.zoe, word)
    assert "Added the temperature" in html(here.ben, about.get_absolute_url())
    assert "Added the temperature" not in html(here.cleo, about.get_absolute_url())
    assert in_words(mine(see(here.ben)), see(here.ben)) == []
    with at_work(committed):  # what was looked at stays so, for this lesson; another one suspends anew
        telling.publish(author=here.ana, said=replace(SAID, resources=[about.public_id]), to=To(Reach.COMPANY),
                        lesson=told.public_id)  # fmt: skip
    assert "Verified by Benno" in html(here.zoe, word)
    other = tell(here, committed)
    assert "erified" not in html(here.zoe, about.get_absolute_url())
    with committed():
        told_by.withdraw(author=here.ana, told=other.public_id)
    assert "Verified by Benno" in html(here.zoe, word)
    assert Standing.objects.get(resource=about).verified_until is not None
    with committed():
        telling.publish(author=here.ana, said=replace(SAID, resources=[about.public_id]), to=To(Reach.COMPANY),
                        lesson=other.public_id)  # fmt: skip
        assert Verification.objects.get(resource=about).suspended_at, "nobody looked at it: taken back, told again"


def test_a_lesson_of_one_s_own_suspends_nothing(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    tell(here, committed, To(Reach.ME))
    assert Verification.objects.get(resource=here.rows["zero"]).suspended_at is None
    assert above(here, here.ana) == []


# Writing -------------------------------------------------------------------------------------------------------------


def test_a_name_stops_it_until_it_is_taken_out_or_said_to_be_none(
    here: SimpleNamespace, committed: Callable[[], Any]
) -> None:
    people_of(here.ben, name="Benno Falk", role="shift lead")
    named = form(here, happened="It slipped. Benno Falk had gone home; Benno Falk was ill.", to="company")
    refused = page(here.ana, "/lessons/new", **named)
    said = unescape(refused.content.decode())
    assert refused.status_code == 422
    assert "somebody may be named" in said
    assert all(getattr(SAID, name) in said for name in ("expected", "know_now", "changes"))
    assert not Lesson.objects.exists()
    instead = unescape(re.search(r'name="instead" value="([^"]+)"', said)[1])  # type: ignore[index]
    reworded = unescape(page(here.ana, "/lessons/new", **{**named, "instead": instead}).content.decode())
    assert "Benno" not in reworded
    assert re.search(r"It slipped\. [AT]\S* [^;]+ had gone home; a[^;]+ was ill\.", reworded)
    with committed():
        for more in ({"to": "me"}, {"plain": "Benno Falk"}):
            assert page(here.ana, "/lessons/new", **{**named, **more}).status_code == 302, more
    assert list(Lesson.objects.order_by("pk").values_list("reach", flat=True)) == ["me", "company"]


def test_what_is_refused_comes_back_whole(here: SimpleNamespace) -> None:
    for changes, cure in (
        ({"happened": " "}, "Say what happened."),
        ({"changes": "c" * 2001}, "This has 2,001 characters."),
        ({"to": str(here.other.public_id)}, "Select a valid choice"),
        ({"kind": "guilty"}, "Select a valid choice"),
        ({"add_topic": "Meter pie"}, "No page that you may read has a topic of that name."),
    ):
        refused = page(here.ana, "/lessons/new", **form(here, **changes))
        said = unescape(refused.content.decode())
        assert refused.status_code == 422, changes
        assert cure in said, changes
        assert all(str(value) in said for name, value in form(here, **changes).items() if name not in ("do", "kind"))
    assert not Lesson.objects.exists()
    for wrong, opened in (({"to": ""}, False), ({"kind": "guilty"}, True), ({"add_topic": "Meter pie"}, True)):
        refused = page(here.ana, "/lessons/new", **form(here, changes="", **wrong))
        assert ('<details class="fold" open>' in refused.content.decode()) == opened, wrong


def test_for_oneself_alone_it_may_be_unfinished(here: SimpleNamespace) -> None:
    fresh = html(here.ana, "/lessons/new")
    assert '<details class="fold">' in fresh
    assert fresh.index('name="expected"') < fresh.index('name="know_now"') < fresh.index('<details class="fold"')
    assert ("Keep as a draft" in fresh, "Keep as a draft" in html(here.ana, "/lessons/experiments/new")) == (
        False,
        True,
    )
    mine = {"do": "publish", "to": "me", "kind": "unknown"}
    empty = page(here.ana, "/lessons/new", **mine, happened="", expected=" ")
    assert (empty.status_code, b"Write down what happened" in empty.content) == (422, True)
    assert page(here.ana, "/lessons/new", **mine, happened="Only a word").status_code == 302
    kept = Lesson.objects.get()
    assert (kept.reach, kept.audience) == (Reach.ME, None)
    assert "Publish the change" not in html(here.ana, f"{kept.get_absolute_url()}edit"), "nothing is published yet"
    assert page(here.cleo, kept.get_absolute_url()).status_code == 404
    unfinished = page(here.ana, f"{kept.get_absolute_url()}edit", **{**mine, "to": "company"}, happened="Only a word")
    assert (unfinished.status_code, b"Say what you expected." in unfinished.content) == (422, True)


def test_what_its_title_says_is_not_said_again(here: SimpleNamespace) -> None:
    said = replace(SAID, know_now="Let it cool first.")
    told = telling.publish(author=here.ana, said=said, to=To(Reach.ME))
    assert "What is known now" not in html(here.ana, told.get_absolute_url())
    telling.publish(author=here.ana, said=replace(said, know_now="Let it cool first. Then wait."), to=To(Reach.ME),
                    lesson=told.public_id)  # fmt: skip
    assert "What is known now" in html(here.ana, told.get_absolute_url())


def test_hostile_words_and_links_do_nothing(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    hostile = '<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)> # "><b>'
    told = tell(here, committed, know_now=hostile, happened=hostile)
    for address in (told.get_absolute_url(), "/lessons/", here.rows["zero"].get_absolute_url(), "/search?q=zero"):
        said = html(here.ben, address)
        assert not re.search(r'<script>alert|<img src=x|href="javascript|<b>"', said), address
    with at_work(committed):
        secret = Resource.objects.get(key="pay")
        made = telling.publish(author=here.zoe, said=replace(SAID, resources=[secret.public_id]), to=To(Reach.COMPANY))
    assert not made.resources.exists(), "what its author may not read it cannot concern"


def test_looking_up_a_page_keeps_what_was_typed(here: SimpleNamespace) -> None:
    small_company.index()
    said = html_of(page(here.ana, "/lessons/new", **form(here, do="find", find="changing the seal")))
    assert "Changing the seal of a meter" in said
    assert SAID.happened in said
    assert "Pay of the meter crew" not in html_of(
        page(here.zoe, "/lessons/new", **form(here, do="find", find="pay of the meter crew"))
    )


def test_from_a_task_its_owner_s_own_words_begin_a_lesson(here: SimpleNamespace, committed: Callable[[], Any]) -> None:
    with committed():
        task = actions.start_task(owner=here.ana, statement="Calibrate", started_from=here.rows["zero"])
        actions.assess(task=task, owner=here.ana, confidence=90)
        actions.log_outcome(task=task, owner=here.ana, result=0.0, surprise="The flibber was warm")
    assert f"/lessons/new?task={task.public_id}" in html(here.ana, task.get_absolute_url())
    begun = html(here.ana, f"/lessons/new?task={task.public_id}")
    assert "The flibber was warm" in begun
    assert str(here.rows["zero"].public_id) in begun
    with CaptureQueriesContext(connection) as before:
        html(here.ana, task.get_absolute_url())
    with at_work(committed):
        answer = page(here.ana, "/lessons/new", **form(here, task=str(task.public_id), to="company"))
    with CaptureQueriesContext(connection) as after:
        finished = html(here.ana, task.get_absolute_url())
    assert f'You wrote <a href="{answer["Location"]}">a lesson about it</a>' in finished
    assert "Worth knowing for others?" not in finished
    assert len(after) <= len(before)
    others = html(here.cleo, f"/lessons/new?task={task.public_id}")
    assert "flibber" not in others
    assert 'name="task"' not in others


# Moderation ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_moderator_takes_away_with_a_reason_and_gives_back(
    here: SimpleNamespace, committed: Callable[[], Any]
) -> None:
    told = tell(here, committed, To(Reach.COMPANY))
    address = told.get_absolute_url()
    assert page(here.cleo, f"{address}moderate", reason="It names a customer of ours").status_code == 403
    max_ = people_of(here.cleo)
    max_.user_permissions.add(Permission.objects.get(codename="moderate_ask"))
    assert page(max_, f"{address}moderate", reason="no").status_code == 422
    with committed():
        assert page(max_, f"{address}moderate", reason="It names a customer of ours").status_code == 302
    assert page(here.zoe, address).status_code == 404
    assert not search("xylograph", see(here.zoe)).results
    assert Verification.objects.get(resource=here.rows["zero"]).suspended_at is None
    assert "It names a customer" in html(here.ana, address)
    (news,) = in_words(mine(see(here.ana)), see(here.ana))
    assert "was taken away: It names a customer" in news.said.text
    with at_work(committed):
        assert "as cold as" in html(max_, "/lessons/taken-away")
        back = {"do": "give-back", "reason": "It named nobody after all"}
        assert page(max_, f"{address}moderate", **back).status_code == 302
    assert [one.resource.kind for one in search("xylograph", see(here.zoe)).results] == ["lesson"]
    assert Verification.objects.get(resource=here.rows["zero"]).suspended_at


def test_what_was_taken_away_is_told_again_in_other_words_only_and_leaves_no_notice(here: SimpleNamespace) -> None:
    told = telling.publish(author=here.ana, said=SAID, to=To(Reach.COMPANY))
    Permission.objects.get(codename="moderate_ask").user_set.add(here.ana, here.cleo)
    ana, cleo = people_of(here.ana), people_of(here.cleo)
    with pytest.raises(Http404):
        told_by.moderate(person=ana, told=told.public_id, reason="It is my own lesson", away=True)
    told_by.moderate(person=cleo, told=told.public_id, reason="It names a customer of ours", away=True)
    at, same = told.get_absolute_url(), form(here, to="company", happened=f"{SAID.happened.upper()}!")
    again = page(here.ana, f"{at}edit", **same)
    assert again.status_code == 422
    assert "A moderator took this away: “It names a customer of ours”." in again.content.decode()
    assert same["happened"] in again.content.decode(), "signs and capitals make no other words of it"
    page(here.ana, f"{at}withdraw", sure="yes")
    assert page(here.ana, f"{at}edit", **same).status_code == 422, "taken back, they are the same words"
    assert page(here.zoe, at).status_code == 404
    (news,) = in_words(mine(see(here.ana)), see(here.ana))
    assert "was taken away: It names a customer" in news.said.text
    assert "A moderator took it away" in html(here.ana, at)
    assert not Notice.objects.filter(subject=told.public_id, seen_at=None).exists()
    assert page(here.ana, f"{at}edit", **form(here, to="company", happened="Other words")).status_code == 302
    assert "Other words" in html(here.zoe, at)
    assert in_words(mine(see(here.ana)), see(here.ana)) == []
    assert not Lesson.objects.taken_away(see(cleo)).exists()
    assert Notice.objects.filter(subject=told.public_id).exists()
    told_by.delete(author=here.ana, told=told.public_id)
    assert not Notice.objects.filter(subject=told.public_id).exists()


# What it costs -------------------------------------------------------------------------------------------------------


def test_the_list_asks_as_often_for_many_as_for_one(here: SimpleNamespace) -> None:
    client = Client()
    client.force_login(here.cleo)
    asked = []
    for _ in range(2):
        for to in (To(Reach.COMPANY), To(Reach.TEAM, here.team.public_id)):
            telling.publish(author=here.ana, said=replace(SAID, topics=["Meters"]), to=to)
        with CaptureQueriesContext(connection) as queries:
            client.get("/lessons/")
        asked.append(len(queries))
    assert asked == [8, 8]
