"""What use says of resources: clicks and verdicts, counted now and then by a job into one coarse step for each.

Nobody's doing may be read from it. So a click counts once for a person and a
resource, and clicks count only when different people made at least `LEAST` of
them; verdicts likewise. What comes out is a step, not a number of people.

A click is worth more the further down the result stood, where fewer people
look (Joachims, Swaminathan & Schnabel 2017, "Unbiased Learning-to-Rank with
Biased Feedback"), and less the longer it is ago.

None crosses audiences: a resource's standing is only ever seen through that
resource, by those who may read it, and counts what was done while exactly the
same people might. What a board did with its paper says nothing to everyone
when the paper is opened to everyone; and what they did with a page of everyone
counts as any colleagues' doing.

Nothing is counted of documents about people: nobody gets a score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef
from django.utils import timezone

from knowledge.access import Viewer
from knowledge.edition import Edition, Standing
from knowledge.models import Click, Resource, Verdict, Verification
from knowledge.trust import STEPS

LEAST = 5
"""Different people, at least, before anything that they did counts: the k of every publication about people."""
STEEPNESS = 0.7
"""How fast attention falls with the place in a list: a result at place r is looked at about r ** -.7 as often."""
MOST_CORRECTED = 3.0
"""What one click can be worth at most, however far down: the place in an address is whatever somebody put there."""
CLICK_HALF_LIFE, VERDICT_HALF_LIFE = 30, 365
"""Days."""
FEW_CLICKS, FEW_VERDICTS = 10.0, 4.0
"""Of so many clicks half of the most is believed; so many verdicts that never were say neither."""
CLICKS, VERDICTS = 0.5, 0.75
"""What each can make of use, which is from -1 to 1: being opened is less than having helped."""
FORGOTTEN = timedelta(days=90)
AGAIN = timedelta(days=1)
"""How long a standing is left as it is when nothing happened: what fades shows by then."""
SOON = timedelta(minutes=10)
"""How long clicks may gather before they are counted: what everybody opens is not counted anew each minute."""
AT_ONCE = 200
NEVER = "person"
"""The kind of which nothing is counted."""


def use_of(opened: Sequence[tuple[int, float]], told: Sequence[tuple[bool, float]]) -> float:
    """Use from -1 to 1: of clicks (place in the list, days ago) and verdicts (helped, days ago), one a person each."""
    use = 0.0
    if len(opened) >= LEAST:
        worth = sum(
            min(max(place, 1) ** STEEPNESS, MOST_CORRECTED) * _left(days, CLICK_HALF_LIFE) for place, days in opened
        )
        use += CLICKS * worth / (worth + FEW_CLICKS)
    if len(told) >= LEAST:
        weights = [(1 if helped else -1, _left(days, VERDICT_HALF_LIFE)) for helped, days in told]
        said = sum(weight for _, weight in weights)
        use += VERDICTS * sum(sign * weight for sign, weight in weights) / (said + FEW_VERDICTS)
    return max(-1.0, min(1.0, use))


def _left(days: float, half_life: float) -> float:
    return float(0.5 ** (max(0.0, days) / half_life))


def weigh(now: datetime | None = None, *, resources: Sequence[int] | None = None) -> int:
    """Count anew what is due (of these ``resources``, or of all); how many standings changed.

    Interrupted, it loses nothing: what is due stays due.
    """
    changed = 0
    while True:
        some, changes = _weigh_some(now or timezone.now(), resources)
        changed += changes
        if some < AT_ONCE:
            return changed


def _weigh_some(now: datetime, resources: Sequence[int] | None) -> tuple[int, int]:
    """In one short transaction: so whoever doubts one of these rows meanwhile waits, and it is due again afterwards."""
    with transaction.atomic():
        rows = Standing.objects.filter(due_at__lte=now).order_by("due_at").select_for_update(skip_locked=True)
        due = list((rows if resources is None else rows.filter(pk__in=resources))[:AT_ONCE])
        keys = [row.pk for row in due]
        use, until = _counted(keys, now), _verified(keys)
        changed = [row for row in due if (row.use, row.verified_until) != (use.get(row.pk, 0), until.get(row.pk))]
        fading = [pk for pk in keys if use.get(pk) or until.get(pk)]
        Standing.objects.filter(pk__in=keys).update(due_at=None)
        Standing.objects.filter(pk__in=fading).update(due_at=now + AGAIN)
        if changed:
            edition = Edition.objects.rise()
            for row in changed:
                row.use, row.verified_until, row.edition = use.get(row.pk, 0), until.get(row.pk), edition
            Standing.objects.bulk_update(changed, ["use", "verified_until", "edition"])
    return len(due), len(changed)


def _counted(resources: list[int], now: datetime) -> dict[int, int]:
    """The step of use of each resource about which enough people said something."""
    among = {"among": F("resource__audience"), "among_source": F("resource__source__audience")}
    opened: dict[int, list[tuple[int, float]]] = defaultdict(list)
    clicks = Click.objects.filter(resource__in=resources, at__gt=now - FORGOTTEN, **among).order_by()
    clicks = clicks.exclude(resource__kind=NEVER)
    for pk, _, place, at in clicks.values_list("resource", "search__person").annotate(Min("rank"), Max("at")):
        opened[pk].append((place, (now - at).total_seconds() / 86400))
    told: dict[int, list[tuple[bool, float]]] = defaultdict(list)
    verdicts = Verdict.objects.filter(resource__in=resources, **among).exclude(resource__kind=NEVER)
    for pk, helped, at in verdicts.values_list("resource", "helped", "at"):
        told[pk].append((helped, (now - at).total_seconds() / 86400))
    return {pk: round(STEPS * use_of(opened[pk], told[pk])) for pk in {*opened, *told}}


def _verified(resources: list[int]) -> dict[int, date]:
    standing = Verification.objects.filter(resource__in=resources, suspended_at=None)
    return dict(standing.values_list("resource", "until"))


def use_among(people: Collection[int], viewer: Viewer) -> dict[int, int]:
    """What these people open, in the steps of `use_of`: of resources that the viewer may read, by `LEAST` of them.

    Like all use it is told as an order alone, and counts what was done while exactly the same people might read it.
    """
    if len(people) < LEAST:
        return {}
    now = timezone.now()
    rows = (
        Click.objects.filter(
            Exists(Resource.objects.visible_to(viewer).exclude(kind=NEVER).filter(pk=OuterRef("resource"))),
            search__person__in=list(people),
            at__gt=now - FORGOTTEN,
            among=F("resource__audience"),
            among_source=F("resource__source__audience"),
        )
        .order_by()
        .values_list("resource", "search__person")
        .annotate(Min("rank"), Max("at"))
    )
    opened: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for pk, _, place, at in rows:
        opened[pk].append((place, (now - at).total_seconds() / 86400))
    return {pk: step for pk, those in opened.items() if (step := round(STEPS * use_of(those, ())))}


# What people do ---------------------------------------------------------------------------------------------------


def among(resource: Resource) -> dict[str, int]:
    """Whose the resource is to read at this moment, for what is noted of it."""
    return {"among_id": resource.audience_id, "among_source_id": resource.source.audience_id}


def say(*, person_id: int, resource: Resource, helped: bool | None) -> None:
    """Keep whether a resource that this person may read helped them; nothing: take back what they said."""
    with transaction.atomic():
        if helped is None:
            Verdict.objects.filter(person_id=person_id, resource=resource).delete()
        else:
            said = {"helped": helped, "at": timezone.now(), **among(resource)}
            Verdict.objects.update_or_create(person_id=person_id, resource=resource, defaults=said)
        Standing.objects.doubt(resource.pk)


def said_by(person_id: int | None, resource: Resource) -> bool | None:
    """Whether the resource helped this person, as they said; nothing if they did not say."""
    if person_id is None:
        return None
    found = Verdict.objects.filter(person_id=person_id, resource=resource).values_list("helped", flat=True).first()
    return None if found is None else bool(found)
