"""What moderators do: take a question or an answer away or give it back, open a seal; each with a written reason.

Taking something away needs no name, so it needs no opening. A moderator sees
what their own tokens let them see and no more. Whoever's seal was opened reads
by whom and why, on the question itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from experts import notices
from experts.asking import answers, sealed, turns
from experts.asking.actions import answer_or_404, ask_or_404
from experts.asking.asks import Answer, Ask, SealOpened, Turn
from experts.models import Person, one_line
from knowledge import gaps
from knowledge.access import Viewer
from knowledge.ingest import storable

MODERATE, OPEN_SEAL = "experts.moderate_ask", "experts.open_seal"
SHORTEST = 10


def reason_of(person: Person, permission: str, reason: str, longest: int) -> str:
    """The reason, if this person may; raises `PermissionDenied` or `ValidationError`."""
    if not person.has_perm(permission):
        raise PermissionDenied
    said = one_line(storable(reason))
    if not SHORTEST <= len(said) <= longest:
        raise ValidationError(
            {"reason": f"Write the reason in {SHORTEST} to {longest} characters: whom it concerns will read it."}
        )
    return said


def hide_ask(*, ask: UUID, person: Person, reason: str) -> None:
    """Take a question away, and its answers with it: its author alone still reads it, with the reason."""
    why = reason_of(person, MODERATE, reason, 300)
    with transaction.atomic():
        found = ask_or_404(ask, Viewer.of(person))
        if Ask.objects.filter(pk=found.pk, hidden_at=None).update(
            hidden_at=timezone.now(), moderated_why=why, look_at=None
        ):
            turns.end(found, Turn.How.OVER)
            gaps.forget(turns.GAP, found.text)
            answers.bury(list(found.answers.values_list("public_id", flat=True)))
            notices.tell([found.author_id] if found.author_id else [], "taken-away", found.public_id)


def hide_answer(*, answer: UUID, person: Person, reason: str) -> None:
    """Take an answer away from the page and from search at once; the question waits for another."""
    why = reason_of(person, MODERATE, reason, 300)
    with transaction.atomic():
        found = answer_or_404(answer, Viewer.of(person))
        if Answer.objects.filter(pk=found.pk, hidden_at=None).update(hidden_at=timezone.now(), moderated_why=why):
            answers.bury([found.public_id])
            notices.tell([found.author_id] if found.author_id else [], "taken-away", found.public_id)
            turns.wait_again(found.ask)


def questions_taken_away(viewer: Viewer) -> QuerySet[Ask]:
    """What moderators took away among what this viewer could read, the latest first; nothing that they asked."""
    unnamed = [one.pk for one in sealed.mine(viewer)]
    found: QuerySet[Ask] = Ask.objects.taken_away(viewer).exclude(pk__in=unnamed).order_by("-hidden_at", "pk")
    return found


def answers_taken_away(viewer: Viewer) -> QuerySet[Answer]:
    """As `questions_taken_away`, of answers: under questions that stand, for those are given back first."""
    found: QuerySet[Answer] = Answer.objects.taken_away(viewer).order_by("-hidden_at", "pk")
    return found.select_related("ask")


def give_back_ask(*, ask: UUID, person: Person, reason: str) -> None:
    """Let a question stand again that was taken away, with its answers; whoever was asked, or knows, is asked on.

    Never one's own, with a name or without: somebody else judges it.
    """
    why = reason_of(person, MODERATE, reason, 300)
    with transaction.atomic():
        found = questions_taken_away(Viewer.of(person)).select_for_update().filter(public_id=ask).first()
        if found is None:
            raise Http404
        Ask.objects.filter(pk=found.pk).update(hidden_at=None, moderated_why=why)
        if found.closed_at is None:  # else their turns are over for another reason
            over = found.turns.filter(how=Turn.How.OVER, until__gt=timezone.now())
            over.update(how=Turn.How.WAITING, ended_at=None)
        turns.wait_again(found)
        answers.read_again()
        notices.tell([found.author_id] if found.author_id else [], "given-back", found.public_id)


def give_back_answer(*, answer: UUID, person: Person, reason: str) -> None:
    """Let an answer of somebody else stand again that was taken away."""
    why = reason_of(person, MODERATE, reason, 300)
    with transaction.atomic():
        found = answers_taken_away(Viewer.of(person)).filter(public_id=answer).first()
        if found is None or not Answer.objects.filter(pk=found.pk, hidden_at=found.hidden_at).update(
            hidden_at=None, moderated_why=why
        ):
            raise Http404
        answers.read_again()
        notices.tell([found.author_id] if found.author_id else [], "given-back", found.public_id)


def open_seal(*, ask: UUID, person: Person, reason: str) -> Person | None:
    """Who asked this without a name: `None` where nobody who is still known did. Kept, with the reason, for ever.

    Every account is tried against the mark, which is what a mark is for.
    """
    why = reason_of(person, OPEN_SEAL, reason, 500)
    with transaction.atomic():
        found = ask_or_404(ask, Viewer.of(person))
        if not found.mark:
            raise ValidationError({"reason": "This question was asked with a name."})
        SealOpened.objects.create(ask=found, opener=person, reason=why)
    author = next((pk for pk in Person.objects.values_list("pk", flat=True) if sealed.is_mine(found, pk)), None)
    return Person.objects.get(pk=author) if author else None


def openings(ask: Ask, viewer: Viewer) -> list[SealOpened]:
    """By whom and why the seal of an ask was opened: for its author, and for those who may open seals themselves."""
    if not ask.mark:
        return []
    opener = Person.objects.filter(pk=viewer.person_id or 0).first()
    if not sealed.is_author(ask, viewer) and (opener is None or not opener.has_perm(OPEN_SEAL)):
        return []
    return list(ask.openings.select_related("opener").order_by("at"))


@notices.teller("taken-away")
def taken_away(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, notices.Said]:
    """A moderator took your question or answer away, and why."""
    return _moderated(viewer, subjects, "was taken away", hidden=True)


@notices.teller("given-back")
def given_back(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, notices.Said]:
    """A moderator gave your question or answer back, and why."""
    return _moderated(viewer, subjects, "stands again", hidden=False)


def _moderated(viewer: Viewer, subjects: Collection[UUID], what: str, *, hidden: bool) -> Mapping[UUID, notices.Said]:
    mine = {"author": viewer.person_id, "public_id__in": subjects, "hidden_at__isnull": not hidden}
    said = {
        one.public_id: notices.Said(f"Your question “{one.text}” {what}: {one.moderated_why}", one.get_absolute_url())
        for one in Ask.objects.filter(**mine, withdrawn_at=None)
    }
    rows = Answer.objects.filter(**mine, withdrawn_at=None, ask__in=Ask.objects.visible_to(viewer))
    for one in rows.select_related("ask"):
        text = f"Your answer to “{one.ask.text}” {what}: {one.moderated_why}"
        said[one.public_id] = notices.Said(text, one.ask.get_absolute_url())
    return said
