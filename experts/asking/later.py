"""What authors do with answers and with their questions; without a name, others see it after a wait drawn by lot.

Whoever watches a page while a colleague sits at a keyboard would else learn
from the moment of a click who asked. So such a click is a row of its own,
with no name in it, until its time comes; a job finds what is due. Taking a
question back is the one thing that happens at once: words that somebody
regrets must not stand for hours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from experts import notices
from experts.asking import answers, sealed, turns
from experts.asking.asks import Answer, Ask, Later, Thanks, Turn
from knowledge.access import Viewer

logger = logging.getLogger(__name__)

AT_ONCE = 100


# What is done, now or then ------------------------------------------------------------------------------------------


def close(ask: Ask) -> bool:
    """It wants no answer any more; whether it was open."""
    turns.end(ask, Turn.How.OVER)
    return bool(Ask.objects.filter(pk=ask.pk, closed_at=None).update(closed_at=sealed.moment(ask), look_at=None))


def hand_on(ask: Ask) -> bool:
    """It is for whoever knows, from now on; whether it was for one person alone."""
    if ask.routed or ask.closed_at:
        return False
    turns.end(ask, Turn.How.PASSED)
    return bool(Ask.objects.filter(pk=ask.pk).update(routed=True, look_at=timezone.now()))


def accept(ask: Ask, answer: Answer) -> bool:
    """The answer was what was needed: the ask is closed, and others find the answer; whether it was not so already."""
    if not Answer.objects.filter(pk=answer.pk, accepted_at=None).update(accepted_at=sealed.moment(ask)):
        return False
    close(ask)
    notices.tell([answer.author_id] if answer.author_id else [], "accepted", answer.public_id)
    answers.read_again()
    return True


def thank(ask: Ask, answer: Answer, giver: int | None, said: str) -> bool:
    """Somebody (id; `None`: whoever asked without a name) is thankful for an answer; whether they were not already."""
    if answer.author_id is None or Thanks.objects.filter(answer=answer, giver=giver).exists():
        return False
    at = timezone.now() if giver else sealed.day_of(timezone.now())
    Thanks.objects.create(
        pk=sealed.number(), person_id=answer.author_id, giver_id=giver, answer=answer, said=said, at=at
    )
    notices.tell([answer.author_id], "thanked", answer.public_id)
    return True


# Later --------------------------------------------------------------------------------------------------------------

_THEN: Mapping[str, Callable[[Any], bool]] = {
    "close": lambda row: close(row.ask),
    "hand-on": lambda row: hand_on(row.ask),
    "accept": lambda row: accept(row.ask, row.answer),
    "thank": lambda row: thank(row.ask, row.answer, None, row.said),
}


def is_put_off(ask: Ask, verb: str, viewer: Viewer) -> bool:
    """Whether others would see later that this viewer does it."""
    return verb in _THEN and sealed.is_mine(ask, viewer.person_id)


def put_off(ask: Ask, verb: str, answer: Answer | None = None, said: str = "") -> bool:
    """Have it done after a wait drawn by lot, and not before others see the ask; whether it was not going to be."""
    if Later.objects.filter(ask=ask, verb=verb, answer=answer).exists():
        return False
    due = max(sealed.publish_at(timezone.now()), ask.published_at)
    Later.objects.create(pk=sealed.number(), ask=ask, verb=verb, answer=answer, said=said, due_at=due)
    return True


def waiting(ask: Ask) -> frozenset[tuple[str, int | None]]:
    """What its author did and others do not see yet: verbs, each with the answer (id) that it is about."""
    return frozenset(Later.objects.filter(ask=ask).values_list("verb", "answer"))


def forget(ask: Ask) -> None:
    """Nothing more is done to an ask that was taken back."""
    Later.objects.filter(ask=ask).delete()


def carry_out() -> int:
    """Do what is due; how much that was. Safe when two workers do it at once, and nothing waits for what fails."""
    done = 0
    stands = Q(answer=None) | Q(answer__hidden_at=None)
    due = Later.objects.filter(stands, due_at__lte=timezone.now(), ask__hidden_at=None).order_by("due_at", "pk")
    for pk, ask in list(due.values_list("pk", "ask")[:AT_ONCE]):
        try:
            done += _carry_out(pk, ask)
        except Exception as error:
            logger.warning("what an author did could not be shown: %s", type(error).__name__)
    return done


@transaction.atomic
def _carry_out(pk: int, ask: int) -> bool:
    list(Ask.objects.select_for_update().filter(pk=ask))  # held first, as verbs do: else two would wait for each other
    row = Later.objects.filter(pk=pk).select_related("ask", "answer").first()
    if row is None or row.ask.hidden_at or (row.answer and row.answer.hidden_at):
        return False  # what a moderator took away waits until it is given back
    Later.objects.filter(pk=pk).delete()
    answer = row.answer
    gone = row.ask.withdrawn_at or (answer and answer.withdrawn_at)
    return not gone and _THEN[row.verb](row)
