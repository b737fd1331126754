"""What notices about questions, answers and thanks say, each looked up with the rights of whoever is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from experts.asking.asks import Answer, Ask, Thanks
from experts.notices import Said, teller

if TYPE_CHECKING:
    from experts.models import Person
    from knowledge.access import Viewer


@teller("asked")
def asked(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """Somebody asks you."""
    asks = Ask.objects.visible_to(viewer).open().filter(public_id__in=subjects).select_related("author")
    return {one.public_id: Said(f"{_name(one.author)} asks you: “{one.text}”", one.get_absolute_url()) for one in asks}


@teller("answered")
def answered(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """There is an answer to your question, or to one that is yours too."""
    said = {}
    for one in _answers(viewer, subjects):
        whose = "your question" if one.ask.author_id == viewer.person_id else "a question that is yours too,"
        said[one.public_id] = Said(f"{_name(one.author)} answered {whose} “{one.ask.text}”", one.get_absolute_url())
    return said


@teller("accepted")
def accepted(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """Your answer was what they needed."""
    answers = (one for one in _answers(viewer, subjects) if one.accepted_at)
    return {
        one.public_id: Said(f"Your answer was accepted: “{one.ask.text}”", one.get_absolute_url()) for one in answers
    }


@teller("thanked")
def thanked(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """You were thanked for an answer; by the latest who did, and in their words if they wrote any."""
    answers = {one.pk: one for one in _answers(viewer, subjects)}
    said = {}
    for thanks in (
        Thanks.objects.filter(answer__in=answers, person=viewer.person_id).select_related("giver").order_by("at")
    ):
        one = answers[thanks.answer_id]
        who = _name(thanks.giver)
        words = f": “{thanks.said}”" if thanks.said else ""
        text = f"{who} thanked you for your answer to “{one.ask.text}”{words}"
        said[one.public_id] = Said(text, one.get_absolute_url())
    return said


def _answers(viewer: Viewer, subjects: Collection[UUID]) -> list[Answer]:
    found = Answer.objects.visible_to(viewer).filter(public_id__in=subjects)
    return list(found.select_related("ask", "author"))


def _name(person: Person | None) -> str:
    return person.known_as if person else "Somebody"
