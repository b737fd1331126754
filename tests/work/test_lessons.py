"""Lessons: who reads them and where, what they suspend, and that nobody is named."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import Http404

from immersive.work.lessons import telling
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.lessons.telling import To
from knowledge.models import Verification
from knowledge.pages import notes
from knowledge.search import search
from tests import small_company
from tests.work.lessons_told import SAID, company, see, tell

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
