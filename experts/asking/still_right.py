"""Accepted answers that nobody vouches for any more: their authors are asked whether they are still right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time
from uuid import UUID

from django.utils import timezone

from experts import notices
from experts.asking import answers
from experts.asking.asks import Answer
from experts.notices import Notice, Said
from knowledge.access import Viewer

STILL_RIGHT = "still-right"


def ask_again() -> int:
    """Leave a notice for each author when an answer runs out, and again when that was forgotten; how many.

    Safe when done twice.
    """
    if answers.answers_source() is None and answers.standing().exists():
        answers.read_again()
    asked = 0
    told = dict(Notice.objects.filter(kind=STILL_RIGHT).values_list("subject", "at"))
    for author, answer, until in answers.run_out(timezone.localdate()):
        since = timezone.make_aware(datetime.combine(until, time()))
        if answer not in told or told[answer] < since:
            notices.tell([author], STILL_RIGHT, answer)
            asked += 1
    return asked


@notices.teller(STILL_RIGHT)
def still_right(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """Is it still right? Nothing where its author has said so meanwhile, or taken it back."""
    due = {key for _, key, _ in answers.run_out(timezone.localdate(), subjects=subjects)}
    mine = Answer.objects.visible_to(viewer).filter(author=viewer.person_id, public_id__in=due)
    return {
        one.public_id: Said(f"Is your answer to “{one.ask.text}” still right?", one.get_absolute_url())
        for one in mine.select_related("ask")
    }
