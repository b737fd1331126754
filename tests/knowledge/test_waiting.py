"""Searches that wait: whose they are, when they speak, and what they never tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.utils import timezone

from experts.models import Team
from knowledge import waiting
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.models import Audience, Resource
from knowledge.waiting import WaitingSearch
from tests import small_company
from tests.small_company import source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(db: None) -> Team:
    return Team.objects.create(name="Board", slug="board")


@pytest.fixture
def ana(settings: LazySettings, make_person: Callable[..., Any]) -> Viewer:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    source_of("Handbook", [Document("a", "Pumps", "Prime them.")])
    small_company.index()
    return Viewer.of(make_person("ana"))


def add(name: str, text: str, audience: tuple[str, ...] = ("everyone",)) -> None:
    source_of(name, [Document(name, name, text)], audience=audience)
    small_company.index()


def look() -> int:
    """Look as the job does when the next look is due."""
    WaitingSearch.objects.update(looked_at=timezone.now() - timedelta(hours=1))
    return waiting.look()


def test_it_speaks_once_there_is_something_and_not_before(ana: Viewer) -> None:
    waiting.wait_for(text="  xylophone   tuning ", viewer=ana)
    assert (look(), waiting.tell(ana)) == (0, [])
    add("Music", "A xylophone is tuned with a file.")
    assert waiting.tell(ana) == [], "it was not looked for yet"
    assert look() == 1
    (told,) = waiting.tell(ana)
    assert (told.text, told.total) == ("xylophone tuning", 1)
    assert waiting.tell(ana) == [told], "until it is taken away"
    assert waiting.forget(public_id=told.public_id, viewer=ana)
    assert waiting.tell(ana) == []


def test_what_cannot_be_seen_is_left_out_of_what_waits(ana: Viewer) -> None:
    """PostgreSQL keeps no zero byte, and nobody would know what turns the direction of reading."""
    row = waiting.wait_for(text="xylo\u202ephone\x00tuning\ud800\u200b", viewer=ana)
    assert row.text == "xylophone tuning"
    assert waiting.is_waiting("xylophone\x00 tuning", ana)


def test_what_its_owner_may_not_read_never_makes_it_speak(ana: Viewer, board: Team) -> None:
    waiting.wait_for(text="xylophone", viewer=ana)
    add("Board papers", "The xylophone of the board.", audience=(f"team:{board.pk}",))
    assert look() == 0
    assert waiting.tell(ana) == []
    assert WaitingSearch.objects.get().told_at is None


def test_a_right_withdrawn_before_it_speaks_keeps_it_silent(ana: Viewer) -> None:
    waiting.wait_for(text="xylophone", viewer=ana)
    add("Music", "A xylophone is tuned with a file.")
    assert look() == 1
    Resource.objects.filter(key="Music").update(audience=Audience.objects.of(["team:0"]))
    assert waiting.tell(ana) == []
    assert WaitingSearch.objects.get().told_at is None
    Resource.objects.filter(key="Music").update(audience=Audience.objects.of(["everyone"]))
    assert look() == 1, "it waits on"


def test_it_is_its_owners_alone(ana: Viewer, make_person: Callable[..., Any]) -> None:
    row = waiting.wait_for(text="xylophone", viewer=ana)
    ben, nobody = Viewer.of(make_person("ben", is_superuser=True)), Viewer(None, frozenset())
    add("Music", "A xylophone is tuned with a file.")
    look()
    for other in (ben, nobody):
        assert not waiting.mine(other)
        assert not waiting.tell(other)
        assert not waiting.forget(public_id=row.public_id, viewer=other)
    assert [one.text for one in waiting.mine(ana)] == ["xylophone"]
    assert not waiting.forget(public_id=uuid4(), viewer=ana)


def test_the_same_words_wait_once_and_not_too_many(ana: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST", 2)
    for text in ("one", "two", "one"):
        waiting.wait_for(text=text, viewer=ana)
    with pytest.raises(ValidationError, match="take one away"):
        waiting.wait_for(text="three", viewer=ana)
    for odd in ("", "-only", "word " * 100):
        with pytest.raises(ValidationError, match=r"write a word|fewer words"):
            waiting.wait_for(text=odd, viewer=ana)
    with pytest.raises(ValidationError):
        waiting.wait_for(text="one", viewer=Viewer(None, frozenset()))
    assert WaitingSearch.objects.count() == 2


@pytest.mark.parametrize("odd", ["glide\x00path", "glide\u2028path", "\u200bglide\u202e  path\x07"])
def test_what_cannot_be_seen_or_stored_is_left_out_of_the_words(ana: Viewer, odd: str) -> None:
    """PostgreSQL stores no NUL; and what looks the same waits once."""
    assert waiting.wait_for(text=odd, viewer=ana) == waiting.wait_for(text="glide path", viewer=ana)
    assert [row.text for row in waiting.mine(ana)] == ["glide path"]
    assert waiting.is_waiting(odd, ana)


def test_looking_takes_those_that_waited_longest_and_leaves_out_who_has_left(
    ana: Viewer, make_person: Callable[..., Any]
) -> None:
    left = make_person("left")
    waiting.wait_for(text="pumps", viewer=Viewer.of(left))
    left.is_active = False
    left.save()
    waiting.wait_for(text="pumps", viewer=ana)
    assert waiting.look() == 0, "both were looked at when they were made"
    assert look() == 1
    assert waiting.look() == 0, "what has found something is not looked for again"
    WaitingSearch.objects.update(found_at=None, looked_at=timezone.now() - timedelta(hours=1))
    assert waiting.look(seconds=-1) == 0, "out of time: the next turn takes it"
    assert look() == 1
