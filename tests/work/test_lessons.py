"""Lessons: who reads them and where, what they suspend, and that nobody is named."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import Http404
from django.test import Client

from immersive.work.lessons import telling
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.lessons.telling import To
from knowledge.models import Verification
from knowledge.pages import notes
from knowledge.search import search
from tests import small_company
from tests.work.lessons_told import SAID, at_work, company, see, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def here(make_person: Callable[..., Any], settings: LazySettings, committed: Callable[[], Any]) -> SimpleNamespace:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    with committed():
        return company(make_person)


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
        telling.withdraw(author=here.ana, lesson=told.public_id)
        assert not search("xylograph", see(here.zoe)).results  # before any worker did anything
        assert above(here, here.zoe) == []
        assert Verification.objects.get(resource=here.rows["zero"]).suspended_at is None
    small_company.index()
    assert Lesson.objects.visible_to(see(here.ana)).get().reach == Reach.DRAFT
    with pytest.raises(Http404):
        telling.lesson_or_404(told.public_id, see(here.zoe))


def page(person: Any, address: str, **posted: Any) -> Any:
    """What this person gets at an address; by POST if anything is posted."""
    client = Client()
    client.force_login(person)
    return client.post(address, posted) if posted else client.get(address)


def html(person: Any, address: str) -> str:
    return page(person, address).content.decode()


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
    assert "Verification suspended" in html(here.ben, about)
    assert "erif" not in html(here.zoe, about)
