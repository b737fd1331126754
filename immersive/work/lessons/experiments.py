"""Experiments: something tried on purpose, with what would count said before, and a result that is one either way.

They reach as far as lessons do and by the same rules (`told`). What was
supposed stands as it was said once a result is there. Its author is asked
once what came of it: on its day or the working day after, as they want to be
asked how tasks went.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.asking.load import zone_of
from experts.asking.sealed import K, is_wide_enough
from experts.models import Person
from experts.notices import Notice, Said, teller
from immersive.work import reminding
from immersive.work.lessons import told
from immersive.work.lessons.rows import Experiment, Reach
from immersive.work.lessons.told import To
from immersive.work.models import Reminders
from immersive.work.working_time import clocks_by_id, today_of
from knowledge.access import Viewer
from knowledge.ingest import storable

KIND = "experiment_due"
LONGEST, LONGEST_FOUND = 500, 1000
"""Characters of what is supposed and of what was found."""
USUALLY = timedelta(weeks=4)
"""How long an experiment runs whose author says nothing else."""
FURTHEST = timedelta(days=3 * 365)
ASKED_WITHIN = timedelta(days=14)
"""How long after its day somebody is asked what came of it: once, and not when an old one turns up."""
A_DAY, A_WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Tried:
    """What somebody wants to try, before it is checked."""

    hypothesis: str = ""
    counts: str = ""
    by: date | None = None
    topics: Sequence[str] = ()


# Verbs ------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def plan(*, author: Person, tried: Tried, to: To, experiment: UUID | None = None) -> Experiment:
    """Write one down, new or the author's own, and let it be read as far as they say (``reach``: draft to company).

    Raises as `told.tell` does. Another day asks anew what came of it.
    """
    viewer, today = Viewer.of(author), today_of(author)
    _check(tried, to.reach, today)
    with transaction.atomic():
        one = told.own(Experiment, experiment, viewer)
        supposed = {"hypothesis": tried.hypothesis, "counts": tried.counts}
        if one.result and not one.hidden_at and any(getattr(one, n) != text.strip() for n, text in supposed.items()):
            raise ValidationError("It has a result: what was supposed before stays as it was said.")
        told.write(one, supposed)
        before, was_shared = one.by, one.shared
        one.by = tried.by or today + USUALLY
        told.tell(one, to, viewer)
        about = told.topics_named(tried.topics, viewer)
        one.save()
        one.topics.set(about)
        if one.by != before:
            _ask_anew(one)
        if one.shared or was_shared:
            told.follow(one)
    return one


def _check(tried: Tried, reach: str, today: date) -> None:
    wrong: dict[str, str] = {}
    if not tried.hypothesis.strip():
        wrong["hypothesis"] = "Say what you suppose, in a sentence."
    if not tried.counts.strip() and reach != Reach.DRAFT:
        wrong["counts"] = "Say what would count, for it or against it, before you begin."
    for name, text in (("hypothesis", tried.hypothesis), ("counts", tried.counts)):
        if len(text) > LONGEST:
            wrong[name] = f"This has {len(text):,} characters. Say it in at most {LONGEST}."
    if tried.by and tried.by > today + FURTHEST:
        wrong["by"] = "Choose a day within three years."
    if wrong:
        raise ValidationError(dict(wrong))


FEW = f"Fewer than {K} people are left to read it, and would know whose it is. Take it back, or tell it with your name."


@sensitive_variables()
def conclude(
    *, author: Person, experiment: UUID, result: str, found: str = "", plain: Collection[str] = frozenset()
) -> Experiment:
    """Say what came of one's own; said again, it replaces what was said. Raises as `plan` does."""
    viewer = Viewer.of(author)
    if result not in Experiment.Result.values:
        raise ValidationError({"result": "Choose what came of it. That it cannot be told is a result too."})
    if len(found) > LONGEST_FOUND:
        raise ValidationError({"found": f"This has {len(found):,} characters. Say it in at most {LONGEST_FOUND:,}."})
    with transaction.atomic():
        one = told.mine_or_404(Experiment, experiment, viewer, lock=True)
        if one.shared:
            told.refuse_names({"found": found}, plain, viewer)
            if one.anonymous and not is_wide_enough(one.team_id):
                raise ValidationError({"found": FEW})
        one.found = storable(found).strip()  # not `told.write`: what came of it takes back no moderator's decision
        one.result, one.changed_at = result, timezone.now()
        one.finished_at = one.finished_at or one.changed_at
        one.save()
        Notice.objects.filter(kind=KIND, subject=one.public_id, seen_at=None).update(seen_at=one.changed_at)
        if one.shared:
            told.follow(one)
    return one


@sensitive_variables()
def run_on(*, author: Person, experiment: UUID) -> Experiment:
    """Let one's own run until a week from today, and be asked then; raises `Http404` where it has a result."""
    with transaction.atomic():
        one = told.mine_or_404(Experiment, experiment, Viewer.of(author), lock=True)
        if one.result:
            raise Http404
        one.by, one.changed_at = today_of(author) + A_WEEK, timezone.now()
        one.save()
        _ask_anew(one)
        if one.shared:
            told.follow(one)
    return one


def _ask_anew(one: Experiment) -> None:
    """Its day is another one: whether its author was asked on the old one does not count."""
    Notice.objects.filter(kind=KIND, subject=one.public_id).delete()


def listed(viewer: Viewer, *, state: str = "", topic: str = "", mine: bool = False) -> QuerySet[Experiment]:
    """As `told.listed`; ``state``: those that run, those that have a result, or all."""
    rows = told.listed(Experiment, viewer, topic=topic, mine=mine)
    return rows.filter(result="") if state == "running" else rows.exclude(result="") if state == "done" else rows


# Asking what came of it -------------------------------------------------------------------------------------------


def ask(now: datetime | None = None) -> int:
    """Ask authors once, on the day or soon after, what came of their experiments; how many.

    The day is theirs, and so is the hour: a working one of theirs, from the hour at which they are asked anything.
    """
    now = now or timezone.now()
    asked = Notice.objects.filter(kind=KIND, subject=OuterRef("public_id"))
    silent = Reminders.objects.filter(outcomes=False).values("person")
    about = (now - ASKED_WITHIN - A_DAY).date(), (now + A_DAY).date()
    due = Experiment.objects.filter(~Exists(asked), by__range=about, result="", hidden_at=None, author__is_active=True)
    due = due.exclude(reach=Reach.DRAFT).exclude(author__in=silent).order_by("by", "pk")
    rows = list(due.values_list("author", "public_id", "by"))
    clocks = clocks_by_id({author for author, *_ in rows})
    count = 0
    for author, public_id, by in rows:
        there = now.astimezone(zone_of(clocks[author].zone))
        if by <= there.date() < by + ASKED_WITHIN and reminding.may_ask(clocks[author], now):
            notices.tell([author], KIND, public_id)
            count += 1
    return count


@teller(KIND)
@sensitive_variables()
def due(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """What came of it? A mail says no word of the experiment."""
    if not reminding.wishes(viewer).outcomes:
        return {}
    mine = Experiment.objects.filter(author_id=viewer.person_id or 0, public_id__in=subjects, result="")
    return {
        one.public_id: Said(
            f"What came of your experiment? “{one.hypothesis}”",
            f"{one.get_absolute_url()}#result",
            "lesson",
            mail="What came of an experiment of yours?",
        )
        for one in mine
    }
