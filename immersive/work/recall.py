"""Retrieval practice: a question of one's own about what one learnt, asked again as it is about to be forgotten.

Its owner's alone, like all of their tasks. When it comes again is told by
FSRS-6 with its default parameters and without chance, in whole days: at most
three questions come a day, in working hours, so steps of minutes would ask
nobody. No mail and no notice is sent; the home page says that there is one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from fsrs import Card, Rating, Scheduler

from experts.asking.load import zone_of
from immersive.work.models import Recall
from immersive.work.reminding import wishes
from immersive.work.working_time import clock_of

if TYPE_CHECKING:
    from knowledge.access import Viewer

MOST_A_DAY = 3
"""Questions that come on one day, at most."""
GRADES = (("again", "I did not know"), ("hard", "With effort"), ("good", "I knew"), ("easy", "At once"))
"""How well somebody knew it, in their own judgement, as FSRS names them and as they read it."""
NUMBER: Any = {"card_id": 0}
"""FSRS wants each card to have a number. Here it says nothing, and a row's would tell how much others write."""
FSRS = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


class NotDue(Exception):
    """It was answered already, in another window or a moment ago."""


def mine(viewer: Viewer) -> QuerySet[Recall]:
    """All questions of the viewer's, those due soonest first."""
    found: QuerySet[Recall] = Recall.objects.visible_to(viewer).select_related("task")
    return found


def of_task(task: Any, viewer: Viewer) -> Recall | None:
    """The question that the viewer wrote after a task of theirs, if they did."""
    found: Recall | None = Recall.objects.visible_to(viewer).filter(task=task).first()
    return found


def ask_today(viewer: Viewer, now: datetime) -> list[Recall]:
    """What comes now, the longest due first: none outside the viewer's working hours, and no more than three a day.

    What was answered today counts to the three, also where the clock was put back meanwhile.
    """
    due, comes = coming(viewer, now)
    return due if comes and comes <= now else []


def coming(viewer: Viewer, now: datetime) -> tuple[list[Recall], datetime | None]:
    """The questions that come next of those that wait, and when: now, or as soon as the viewer works again."""
    due = list(mine(viewer).filter(due_at__lte=now).select_related("owner")[:MOST_A_DAY])
    if not due or not wishes(viewer).recall:
        return [], None
    clock = clock_of(due[0].owner)
    midnight = now.astimezone(zone_of(clock.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    left = MOST_A_DAY - mine(viewer).filter(asked_at__gte=midnight).count()
    moment = timedelta(minutes=1)
    if left > 0 and clock.between(now, now + moment):
        return due[:left], now
    begin = now if left > 0 else midnight + timedelta(days=1)
    return due[: left if left > 0 else MOST_A_DAY], clock.after(begin, moment / timedelta(hours=1)) - moment


@sensitive_variables()
def keep(*, task: Any, owner: Any, question: str, answer: str) -> Recall:
    """Keep one question about a finished task of the owner's, to come from tomorrow on; written again, it is reworded.

    Raises `Http404` for anybody else's task, `ValidationError` for what is empty or too long.
    """
    question, answer = " ".join(question.split()), answer.strip()
    if not question or not answer:
        raise ValidationError("Write a question and its answer.", code="empty")
    if len(question) > Recall.LONGEST_QUESTION or len(answer) > Recall.LONGEST_ANSWER:
        raise ValidationError(
            f"Ask in at most {Recall.LONGEST_QUESTION} characters and answer in {Recall.LONGEST_ANSWER}.", code="long"
        )
    now = timezone.now()
    with transaction.atomic():
        held = type(task).objects.select_for_update().filter(pk=task.pk, owner=owner).exclude(outcome=None).first()
        if held is None:
            raise Http404
        words = {"question": question, "answer": answer}
        begins = now + timedelta(days=1)
        fresh = Card(**NUMBER, due=begins.astimezone(UTC)).to_dict()
        kept: Recall = Recall.objects.update_or_create(
            task=held, owner=owner, defaults=words, create_defaults={**words, "card": fresh, "due_at": begins}
        )[0]
    return kept


@sensitive_variables()
def grade(*, recall: UUID, owner: Any, how: str, now: datetime | None = None) -> Recall:
    """Say how well one knew it, one of `GRADES`; FSRS says when it comes again. `NotDue` where that was said already.

    Raises `Http404` for anybody else's, `ValidationError` for another grade.
    """
    now = now or timezone.now()
    with transaction.atomic():
        kept = _own(recall, owner)
        if how not in dict(GRADES):
            raise ValidationError("Choose how well you knew it.", code="choice")
        if kept.due_at > now:
            raise NotDue
        stood: Any = {**kept.card, **NUMBER}
        card, _ = FSRS.review_card(Card.from_dict(stood), Rating[how.capitalize()], now.astimezone(UTC))
        kept.card, kept.due_at, kept.asked_at = card.to_dict(), card.due, now
        kept.save(update_fields=["card", "due_at", "asked_at"])
    return kept


def drop(*, recall: UUID, owner: Any) -> None:
    """Delete a question; nothing of it is kept."""
    with transaction.atomic():
        _own(recall, owner).delete()


def _own(recall: UUID, owner: Any) -> Recall:
    found: Recall | None = Recall.objects.select_for_update().filter(public_id=recall, owner=owner).first()
    if found is None:
        raise Http404
    return found
