"""Accepted answers as documents: who finds them, whose they are, how long they are vouched for, how they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import Http404
from django.test import Client
from django.utils import timezone

from experts import actions
from experts.asking import actions as asking
from experts.asking import answers, later, moderation, still_right
from experts.asking.asks import Answer, Ask, Later
from experts.evidence import evidence_line
from experts.notices import Notice
from knowledge import ingest
from knowledge.models import Resource, SyncRun, Verification
from knowledge.search import search
from tests import small_company
from tests.experts.asked import PUMPS, company, page, see

pytestmark = pytest.mark.django_db
BODY = "Open the vent, then fill the casing: quixotry, as we call it."


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    return company(make_person, hold)


@pytest.fixture
def accepted(here: SimpleNamespace, committed: Callable[[], Any]) -> Callable[..., Answer]:
    """Ana asks, Ben answers, Ana accepts, and workers do what follows."""

    def make(**said: Any) -> Answer:
        with committed():
            made = asking.ask(viewer=see(here.ana), text=PUMPS, to=here.ben.public_id, **said)
            Ask.objects.filter(pk=made.pk).update(published_at=timezone.now() - timedelta(days=1))
            given = asking.answer(ask=made.public_id, viewer=see(here.ben), body=BODY)
            asking.accept(answer=given.public_id, viewer=see(here.ana))
            Later.objects.update(due_at=timezone.now())  # others see what was done without a name
            later.carry_out()
        small_company.index()
        return given

    return make


def finds(person: Any, text: str = "quixotry") -> list[str]:
    return [one.resource.body for one in search(text, see(person)).results]


def read_again(committed: Callable[[], Any]) -> None:
    """Read answers now, as the sweep has a worker do."""
    source = answers.ensure_answers_source()
    with committed():
        run, _ = SyncRun.objects.get_or_create(source=source, done_at=None)
        SyncRun.objects.filter(pk=run.pk).update(due_at=run.created_at)
        ingest.sync(SyncRun.objects.claim(run.pk))


def test_everyone_finds_what_was_asked_among_everyone(here: SimpleNamespace, accepted: Callable[..., Answer]) -> None:
    given = accepted(topics=["pumps"])
    assert finds(here.finn) == [BODY]
    row = Resource.objects.get(kind="answer")
    assert (row.title, [topic.name for topic in row.topics.all()]) == (PUMPS, ["Pumps"])
    reader = Client()
    reader.force_login(here.finn)
    found, read = "/search?q=quixotry", row.get_absolute_url()
    for page_ in (found, read, given.ask.get_absolute_url()):
        html = reader.get(page_).content.decode()
        assert "Accepted by whoever asked, taken as right until" in html, page_
        assert "Verified" not in html, f"Ben has verified nothing yet: {page_}"
    assert asking.renew(answer=given.public_id, viewer=see(here.ben))
    assert "Verified by Ben until" in reader.get(found).content.decode()
    assert row.verification.until == timezone.localdate() + timedelta(days=180)
    assert "1 answer" in evidence_line(here.ben, see(here.cleo))


def test_a_team_s_answer_is_found_by_the_team(
    here: SimpleNamespace, accepted: Callable[..., Answer], make_person: Callable[..., Any]
) -> None:
    accepted(audience=str(here.team.public_id))
    outside = make_person("gus", name="Gus")
    assert (finds(here.finn), finds(outside)) == ([BODY], [])
    assert evidence_line(here.ben, see(outside)).startswith("Wrote or edited 2 pages that")
    actions.leave_members(team=here.team, people=[here.finn])
    assert finds(here.finn) == []


def test_what_only_the_asked_may_read_is_no_document(here: SimpleNamespace, accepted: Callable[..., Answer]) -> None:
    accepted(audience="asked")
    assert not Resource.objects.filter(kind="answer").exists()


def test_a_topic_that_its_readers_know_from_nowhere_else_is_not_told(
    here: SimpleNamespace, accepted: Callable[..., Answer], hold: Callable[..., Any], committed: Callable[[], Any]
) -> None:
    """The form proposes the topics of what a question is about, which only whoever asks may read."""
    own = page("takeover", "Buying the pump maker", topics=("Project Zephyr", "Boilers"))
    hold("Board", [own], [f"person:{here.ana.pk}"])
    about = Resource.objects.get(key="takeover")
    given = accepted(about=about.public_id, topics=["Project Zephyr", "Boilers"])
    told = Resource.objects.get(key=given.public_id.hex)
    assert [topic.name for topic in told.topics.all()] == ["Boilers"]
    hold("Annual report", [page("report", "What was bought", topics=("Project Zephyr",))])
    read_again(committed)
    assert {topic.name for topic in told.topics.all()} == {"Boilers", "Project Zephyr"}


def test_it_is_its_author_s_whatever_others_are_called(
    here: SimpleNamespace, accepted: Callable[..., Answer], make_person: Callable[..., Any]
) -> None:
    here.ben.email = ""
    here.ben.save()
    namesake = make_person("ben2", name="Ben", email="ben@example.org")
    accepted()
    (part,) = Resource.objects.get(kind="answer").contributions.all()
    assert (part.person, part.email) == (here.ben, "")
    assert "answer" not in evidence_line(namesake, see(here.ana))


def test_a_sealed_ask_s_answer_shows_who_answered_and_nobody_else(
    here: SimpleNamespace, accepted: Callable[..., Answer]
) -> None:
    accepted(anonymous=True)
    row = Resource.objects.get(kind="answer")
    assert [part.person for part in row.contributions.all()] == [here.ben]
    assert "ana" not in f"{row.facts} {row.body} {row.crumbs} {row.title} {row.url}".lower()
    assert Answer.objects.get().accepted_at == timezone.localtime(Answer.objects.get().accepted_at).replace(
        hour=0, minute=0, second=0, microsecond=0
    )


@pytest.mark.parametrize("how", ["withdrawn", "hidden", "ask hidden"])
def test_what_is_taken_back_is_gone_from_search_at_once(
    here: SimpleNamespace, accepted: Callable[..., Answer], how: str, committed: Callable[[], Any]
) -> None:
    given = accepted()
    assert finds(here.cleo) == [BODY]
    here.finn.is_superuser = True
    here.finn.save()
    if how == "withdrawn":
        asking.withdraw_answer(answer=given.public_id, viewer=see(here.ben))
    elif how == "hidden":
        moderation.hide_answer(answer=given.public_id, person=here.finn, reason="It names a customer.")
    else:
        moderation.hide_ask(ask=given.ask.public_id, person=here.finn, reason="It names a customer.")
    assert finds(here.cleo) == [], "no worker has come by"
    for person in (here.ana, here.ben):
        with pytest.raises(Http404):
            asking.answer_or_404(given.public_id, see(person))
    read_again(committed)
    small_company.index()
    assert finds(here.cleo) == []
    assert not Resource.objects.filter(body__contains="quixotry").exists()


def test_what_is_taken_back_while_answers_are_read_is_taken_out_afterwards(
    here: SimpleNamespace, accepted: Callable[..., Answer]
) -> None:
    given = accepted()
    Answer.objects.filter(pk=given.pk).update(withdrawn_at=timezone.now())  # the connector had read it by then
    answers.settle(answers.ensure_answers_source().pk)
    assert finds(here.cleo) == []


def test_an_edit_is_told_anew(
    here: SimpleNamespace, accepted: Callable[..., Answer], committed: Callable[[], Any]
) -> None:
    given = accepted()
    Verification.objects.update(until=timezone.localdate())
    with committed():
        asking.edit_answer(answer=given.public_id, viewer=see(here.ben), body=f"Slowly. {BODY}")
    small_company.index()
    assert finds(here.cleo) == [f"Slowly. {BODY}"]
    assert Verification.objects.get().until > timezone.localdate()


def test_its_author_is_asked_once_whether_it_still_holds(
    here: SimpleNamespace, accepted: Callable[..., Answer]
) -> None:
    given = accepted()
    assert still_right.ask_again() == 0
    Verification.objects.update(until=timezone.localdate() - timedelta(days=1))
    assert [still_right.ask_again() for _ in "ab"] == [1, 0]

    def told(person: Any) -> Any:
        return still_right.still_right(see(person), [given.public_id]).get(given.public_id)

    assert Notice.objects.get(kind="still-right").person == here.ben
    assert PUMPS in told(here.ben).text
    assert told(here.ana) is None
    assert asking.renew(answer=given.public_id, viewer=see(here.ben))
    assert told(here.ben) is None
    assert still_right.ask_again() == 0
    Verification.objects.update(until=timezone.localdate() - timedelta(days=1))
    Notice.objects.update(at=timezone.now() - timedelta(days=170))
    assert still_right.ask_again() == 1, "the next time it runs out"


def test_who_leaves_is_a_former_colleague(
    here: SimpleNamespace, accepted: Callable[..., Answer], committed: Callable[[], Any]
) -> None:
    accepted()
    with committed():
        actions.deactivate(people=[here.ben])
    read_again(committed)
    (part,) = Resource.objects.get(kind="answer").contributions.all()
    assert part.name == answers.FORMER
    Verification.objects.update(until=timezone.localdate() - timedelta(days=1))
    assert still_right.ask_again() == 0
    small_company.index()
    assert finds(here.cleo) == [BODY]


def test_answers_are_read_from_here_alone() -> None:
    with pytest.raises(answers.SourceError):
        answers.AnswersConnector("https://elsewhere.example.org", {}).check()


def test_moderators_need_the_permission_and_a_reason(here: SimpleNamespace, accepted: Callable[..., Answer]) -> None:
    given = accepted()
    with pytest.raises(moderation.PermissionDenied):
        moderation.hide_answer(answer=given.public_id, person=here.cleo, reason="It names a customer.")
    here.finn.is_superuser = True
    here.finn.save()
    with pytest.raises(ValidationError):
        moderation.hide_answer(answer=given.public_id, person=here.finn, reason="No.")
    moderation.hide_answer(answer=given.public_id, person=here.finn, reason="It names a customer.")
    assert Notice.objects.get(kind="taken-away").person == here.ben
    (said,) = moderation.taken_away(see(here.ben), [given.public_id]).values()
    assert "It names a customer." in said.text
    assert moderation.taken_away(see(here.ana), [given.public_id]) == {}
