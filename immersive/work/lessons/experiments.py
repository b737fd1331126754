"""Experiments: something tried on purpose, with what would count said before, and a result that is one either way.

They reach as far as lessons do and by the same rules (`telling`): nobody is
named before others read one, and what its author let go is theirs to take
back, at once. What was supposed stands as it was said once a result is there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.asking.moderation import MODERATE, reason_of
from experts.models import Person
from experts.notices import Notice, Said, teller
from immersive.work.lessons import telling
from immersive.work.lessons.rows import Experiment, Reach
from immersive.work.lessons.telling import To
from knowledge import topics
from knowledge.access import Viewer
from knowledge.ingest import storable

KIND, MODERATED = "experiment_due", "experiment_moderated"
TOLD = (Reach.TEAM, Reach.COMPANY)
LONGEST, LONGEST_FOUND = 500, 1000
"""Characters of what is supposed and of what was found."""
USUALLY = timedelta(weeks=4)
"""How long an experiment runs whose author says nothing else."""
FURTHEST = timedelta(days=3 * 365)
ASKED_WITHIN = timedelta(days=14)
"""How long after its day somebody is asked what came of it: once, and not when an old one turns up."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What somebody wants to try, before it is checked."""

    hypothesis: str = ""
    counts: str = ""
    by: date | None = None
    topics: Sequence[str] = ()


# Verbs ------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def plan(*, author: object, tried: Tried, to: To, experiment: UUID | None = None) -> Experiment:
    """Write one down, new or the author's own, and let it be read as far as they say (``reach``: draft to company).

    Raises `ValidationError`, and `telling.SomebodyIsNamed` where more than its author would read a name.
    """
    viewer = Viewer.of(author)
    _check(tried, to.reach)
    team = None if to.reach == Reach.DRAFT else telling.team_of(to, viewer)
    with transaction.atomic():
        found = mine_or_404(experiment, viewer, lock=True) if experiment else Experiment(author_id=viewer.person_id)
        if to.reach in TOLD:
            telling.refuse_taken_away(found)
        if found.result and (found.hypothesis, found.counts) != (tried.hypothesis.strip(), tried.counts.strip()):
            raise ValidationError("It has a result: what was supposed before stays as it was said.")
        if to.reach in TOLD:
            words = {"hypothesis": tried.hypothesis, "counts": tried.counts, "found": found.found}
            telling.refuse_names(words, to.plain, viewer)
        about = telling.topics_named(tried.topics, viewer)
        found.hypothesis, found.counts = storable(tried.hypothesis).strip(), storable(tried.counts).strip()
        found.by = tried.by or timezone.localdate() + USUALLY
        found.reach, found.team, found.anonymous = to.reach, team, to.anonymous and to.reach in TOLD
        found.audience = telling.audience_of(to.reach, team) if to.reach in TOLD else None
        found.changed_at, found.withdrawn_at = timezone.now(), None
        found.published_at = found.published_at or (found.changed_at if to.reach in TOLD else None)
        found.save()
        found.topics.set(about)
    return found


def _check(tried: Tried, reach: str) -> None:
    wrong: dict[str, str] = {}
    if not tried.hypothesis.strip():
        wrong["hypothesis"] = "Say what you suppose, in a sentence."
    if not tried.counts.strip() and reach != Reach.DRAFT:
        wrong["counts"] = "Say what would count, for it or against it, before you begin."
    for name, text in (("hypothesis", tried.hypothesis), ("counts", tried.counts)):
        if len(text) > LONGEST:
            wrong[name] = f"This has {len(text):,} characters. Say it in at most {LONGEST}."
    if tried.by and tried.by > timezone.localdate() + FURTHEST:
        wrong["by"] = "Choose a day within three years."
    if wrong:
        raise ValidationError(dict(wrong))


@sensitive_variables()
def conclude(
    *, author: object, experiment: UUID, result: str, found: str = "", plain: Collection[str] = frozenset()
) -> Experiment:
    """Say what came of one's own; said again, it replaces what was said. Raises as `plan` does."""
    viewer = Viewer.of(author)
    if result not in Experiment.Result.values:
        raise ValidationError({"result": "Choose what came of it. That it cannot be told is a result too."})
    if len(found) > LONGEST_FOUND:
        raise ValidationError({"found": f"This has {len(found):,} characters. Say it in at most {LONGEST_FOUND:,}."})
    with transaction.atomic():
        one = mine_or_404(experiment, viewer, lock=True)
        if one.reach in TOLD:
            telling.refuse_names({"found": found}, plain, viewer)
        one.result, one.found = result, storable(found).strip()
        one.changed_at = timezone.now()
        one.finished_at = one.finished_at or one.changed_at
        one.save()
        Notice.objects.filter(kind=KIND, subject=one.public_id, seen_at=None).update(seen_at=one.changed_at)
    return one


@sensitive_variables()
def withdraw(*, author: object, experiment: UUID) -> None:
    """Take it back: nobody else reads it from this transaction on; it is a draft again."""
    with transaction.atomic():
        one = mine_or_404(experiment, Viewer.of(author), lock=True)
        one.reach, one.audience, one.team, one.published_at = Reach.DRAFT, None, None, None
        one.withdrawn_at = timezone.now()
        one.save()


@sensitive_variables()
def delete(*, author: object, experiment: UUID) -> None:
    """Delete it, and what anybody was told or asked about it."""
    with transaction.atomic():
        one = mine_or_404(experiment, Viewer.of(author), lock=True)
        Notice.objects.filter(kind__in=(KIND, MODERATED), subject=one.public_id).delete()
        one.delete()


@sensitive_variables()
def moderate(*, person: Person, experiment: UUID, reason: str, away: bool) -> None:
    """As a moderator, take somebody else's away, or let it stand again, with a reason that its author reads."""
    if not person.has_perm(MODERATE):
        raise PermissionDenied
    viewer = Viewer.of(person)
    with transaction.atomic():
        seen = Experiment.objects.visible_to(viewer) if away else Experiment.objects.taken_away(viewer)
        one = seen.filter(public_id=experiment).exclude(author=person).first()
        if one is None:  # said before the reason is looked at: hidden is absent
            raise Http404
        why = reason_of(person, MODERATE, reason, 300)
        changed = {"hidden_at": timezone.now() if away else None, "moderated_why": why}
        Experiment.objects.filter(pk=one.pk).update(**changed)
        notices.tell([one.author_id] if one.author_id else [], MODERATED, one.public_id)


def ask(now: datetime | None = None) -> int:
    """Ask authors once, on the day or soon after, what came of their experiments; how many."""
    today = timezone.localdate(now)
    asked = Notice.objects.filter(kind=KIND, subject=OuterRef("public_id"))
    due = Experiment.objects.filter(
        ~Exists(asked), by__lte=today, by__gt=today - ASKED_WITHIN, result="", hidden_at=None, author__is_active=True
    )
    rows = list(due.exclude(reach=Reach.DRAFT).order_by("by", "pk").values_list("author", "public_id")[:1000])
    for author, public_id in rows:
        notices.tell([author], KIND, public_id)
    return len(rows)


@teller(KIND)
@sensitive_variables()
def told(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """What came of it? A mail says no word of the experiment."""
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


@teller(MODERATED)
@sensitive_variables()
def moderated(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """A moderator took your experiment away, or gave it back, and why."""
    mine = Experiment.objects.filter(author_id=viewer.person_id or 0, public_id__in=subjects)
    return {
        one.public_id: Said(
            f"Your experiment {'was taken away' if one.hidden_at else 'stands again'}: {one.moderated_why}",
            one.get_absolute_url(),
            "lesson",
        )
        for one in mine
    }


# Reading ----------------------------------------------------------------------------------------------------------


def mine_or_404(public_id: UUID, viewer: Viewer, *, lock: bool = False) -> Experiment:
    """The viewer's own; else the same `Http404` as for one that never was."""
    rows = Experiment.objects.filter(author_id=viewer.person_id or 0, public_id=public_id)
    found: Experiment | None = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise Http404
    return found


def experiment_or_404(public_id: UUID, viewer: Viewer) -> Experiment:
    """The experiment, if the viewer may read it; else the same `Http404` as for one that never was."""
    rows = listed_for(viewer, Experiment.objects.visible_to(viewer)).select_related("author")
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def listed(viewer: Viewer, *, state: str = "", topic: str = "", mine: bool = False) -> QuerySet[Experiment]:
    """Experiments that the viewer may read, the latest first: told ones, or their own whatever their state.

    ``state``: ``running``, or ``done`` with whatever result; ``away`` for moderators, what they could give back.
    """
    if state == "away":
        return listed_for(viewer, Experiment.objects.taken_away(viewer)).order_by("-hidden_at", "-pk")
    rows: QuerySet[Experiment] = Experiment.objects.visible_to(viewer)
    told = Experiment.objects.told().values("pk")
    rows = rows.filter(author_id=viewer.person_id or 0) if mine else rows.filter(pk__in=told)
    if state in ("running", "done"):
        rows = rows.filter(result="") if state == "running" else rows.exclude(result="")
    if topic:
        rows = rows.filter(topics__in=topics.of(viewer).filter(slug=topic)).distinct()
    return listed_for(viewer, rows).order_by("-changed_at", "-pk")


def listed_for(viewer: Viewer, rows: QuerySet[Experiment]) -> QuerySet[Experiment]:
    """These with their teams, and as ``shown_topics`` those that the viewer may know (one query more)."""
    known = topics.of(viewer).order_by("name")
    return rows.select_related("team").prefetch_related(Prefetch("topics", known, to_attr="shown_topics"))
