"""The six routes of one task, weighed: kept with all that they rest on, and shown as long as all of that may be read.

An advice holds picks (keys and figures of what was gathered), what its owner
had said, what like tasks told, and the published counts of that moment: no
title, no name, no sentence. Each time it is shown, one question to the
database asks for every document that it rests on and two or three for every
person: what is not there for this viewer any more takes the advice with it,
and a new one is made of what is. So a right that was withdrawn is gone in the
next request, and nothing outlives it in a row of this table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from immersive.work import candidates, records, tasks
from immersive.work.candidates import Gathered, Pick
from immersive.work.like_tasks import Alike, alike
from immersive.work.models import Advice, Step
from immersive.work.routes import Card, Counts, Difficulty, History, Reason, Route, Situation, weigh
from immersive.work.wording import ALONE, in_words
from immersive.work.working_time import Clock, clock_told, today_of
from knowledge.access import Ground
from knowledge.index.language import parse
from knowledge.passages import Highlighter

if TYPE_CHECKING:
    from immersive.work.models import Task
    from knowledge.access import Viewer

PARTS = {"know": 1.0, "partly": 0.5, "not_yet": 0.0}
"""Which part of a topic one knows who says so."""
STANDS = timedelta(days=1)
"""How long an advice is shown before what there is is gathered anew."""
KEPT = timedelta(days=30)
"""How long an advice is kept that nobody chose from."""
VERSION = 2
OLD, SAID, LIKE, GONE = (
    "a day has passed",
    "what it is about has changed",
    "you have said how like tasks went",
    "some of what it rested on is no longer there",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A card, and what it is weighed from. ``stale``: why an earlier card gave way to this one, in words.

    ``inferred``: how many like tasks told how hard it is, where its owner did not say. ``clock``: their working time.
    ``resources``: those of its rows, by the keys of their candidates.
    """

    advice: Advice
    card: Card
    situation: Situation
    made_at: datetime
    stale: tuple[str, ...] = ()
    inferred: int = 0
    clock: Clock = field(default_factory=Clock)
    resources: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rest:
    """What an advice rests on."""

    picks: tuple[Pick, ...]
    said: Situation
    like: Alike
    history: History
    past: Mapping[UUID, History]
    """Published outcomes of resources, by their keys."""


@sensitive_variables()
def advise(task: Any, viewer: Viewer, *, lean: int | None = None, again: bool = False) -> Shown | None:
    """The card of the viewer's task, `None` until they have said how sure they are; ``again`` makes it anew.

    ``task``: as `tasks.mine_or_404` gives it; of another that is asked for here. ``lean``: what matters more, 0 to
    deliver, 4 to learn, where it is not as the task has it.
    """
    if task.owner_id != viewer.person_id or not task.assessed:
        return None
    if not hasattr(task, "kept"):
        task = tasks.mine_or_404(task.public_id, viewer)
    now, today, ground = timezone.now(), today_of(task.owner), Ground(viewer)
    like = alike(task, viewer)
    said, known = situation(task, like), known_of(task)
    kept: Advice | None = task.kept
    rest = read(kept.rests_on) if kept else None
    stale = _stale(kept, rest, said, like, now)
    found = None
    if rest is not None and not stale and not again:
        found = candidates.confirm(rest.picks, task.statement, viewer, known=known, today=today, ground=ground)
        stale = "" if found else GONE
    if found is None or rest is None or kept is None:
        found = candidates.gather(task.statement, viewer, known=known, begun=task.from_id, today=today, ground=ground)
        history, by_id = records.published([one.pk for one in found.resources.values()])
        past = {key: by_id[one.pk] for key, one in found.resources.items() if one.pk in by_id}
        rest = Rest(found.picks, said, like, history, past)
        kept = Advice.objects.create(task=task, made_at=now, seed=task.public_id.int % 2**31, rests_on=write(rest))
        task.kept = kept
    clock = clock_told(task.owner, task.closed)
    left = clock.until(now, task.due) if task.due else None
    asked = replace(said, lean=(task.lean if lean is None else lean) / 4, hours_left=left)
    past_by_id = {found.resources[key].pk: counts for key, counts in rest.past.items() if key in found.resources}
    alone = _alone(like)
    weighed = in_words(found, now, clock, past_by_id, alone)
    card = _opened(weigh(weighed, asked, rest.history, kept.seed), found, task.statement)
    inferred = 0 if task.difficulty or like.difficulty is None else like.tasks
    rows = {row.candidate.key for row in card.rows}
    resources = {str(key): one for key, one in found.resources.items() if str(key) in rows}
    return Shown(kept, card, asked, kept.made_at, (stale,) if stale and not again else (), inferred, clock, resources)


def _stale(kept: Advice | None, rest: Rest | None, said: Situation, like: Alike, now: datetime) -> str:
    """Why what is kept is not to be shown any more, as far as it can be told without asking what it rests on."""
    if kept is None:
        return ""
    if not timedelta(0) <= now - kept.made_at < STANDS:  # a clock that was set back makes it anew as well
        return OLD
    if rest is not None and rest.like != like:
        return LIKE
    return SAID if rest is None or rest.said != said else ""


def situation(task: Task, like: Alike) -> Situation:
    """What its owner said of a task; whoever says nothing of its topics knows as much of them as they are sure."""
    parts = known_of(task).values()
    sure = task.assessment.confidence / 100
    hard = Difficulty(task.difficulty) if task.difficulty else like.difficulty or Difficulty.USUAL
    return Situation(sure=sure, known=sum(parts) / len(parts) if parts else sure, difficulty=hard)


def known_of(task: Task) -> dict[str, float]:
    """Which part of each topic of a task its owner knows; as sure as they are of what they left open."""
    said = task.assessment
    names = [topic.name for topic in task.topics.all()]
    return {name: PARTS.get(said.known.get(name, ""), said.confidence / 100) for name in names}


def _alone(like: Alike) -> Any:
    past = like.past
    if not past.outcomes:
        return ALONE
    times = "task" if past.outcomes == 1 else "tasks"
    words = f"{past.worked:g} of {past.outcomes} like {times} of yours worked"
    return replace(ALONE, past=past, reasons=(Reason(words),))


def _opened(card: Card, found: Gathered, words: str) -> Card:
    """The card with the place in what is to be read that says most about the task."""
    rows = list(card.rows)
    for at, row in enumerate(rows):
        if row.route is not Route.INFORMAL:
            continue
        one = found.resources[UUID(row.candidate.key)]
        best = Highlighter(parse(words)).passages(
            one.body, title=one.title, language=one.language, transcript=one.kind == "video"
        )[0]
        if not best.place:
            continue
        url = f"{row.candidate.url}#{best.place}"
        more = (Reason(f"Begin at “{best.heading}”", url),) if best.heading else ()
        opened = replace(row.candidate, at=f"#{best.place}", reasons=(*row.candidate.reasons, *more))
        rows[at] = replace(row, candidate=opened)
    return replace(card, rows=tuple(rows))


def forget(now: datetime | None = None) -> int:
    """Delete what is kept and shown no more, unless a step of a plan was chosen from it; how many rows."""
    old = Advice.objects.filter(made_at__lt=(now or timezone.now()) - KEPT)
    return int(old.exclude(pk__in=Step.objects.exclude(advice=None).values("advice")).delete()[0])


# As it is kept -------------------------------------------------------------------------------------------------------


def write(rest: Rest) -> dict[str, Any]:
    """What an advice rests on as values that JSON can say: keys and figures alone."""
    return {
        "version": VERSION,
        "said": asdict(rest.said),
        "like": {"past": _listed(rest.like.past), "tasks": rest.like.tasks, "difficulty": rest.like.difficulty},
        "picks": [
            [one.route, one.key.hex, one.fit, [[key.hex, fit] for key, fit in one.behind], one.job]
            for one in rest.picks
        ],
        "history": _rows(rest.history),
        "past": {key.hex: _rows(history) for key, history in rest.past.items()},
    }


def read(kept: Mapping[str, Any]) -> Rest | None:
    """What `write` wrote; `None` for what another version of it wrote."""
    if kept.get("version") != VERSION:
        return None
    like, said = kept["like"], kept["said"]
    return Rest(
        picks=tuple(
            Pick(Route(route), UUID(key), fit, tuple((UUID(of), part) for of, part in behind), job)
            for route, key, fit, behind, job in kept["picks"]
        ),
        said=Situation(**{**said, "difficulty": Difficulty(said["difficulty"])}),
        like=Alike(
            Counts(*like["past"]), like["tasks"], Difficulty(like["difficulty"]) if like["difficulty"] else None
        ),
        history=_history(kept["history"]),
        past={UUID(key): _history(rows) for key, rows in kept["past"].items()},
    )


def _rows(history: History) -> list[Any]:
    return [[*stratum, _listed(counts)] for stratum, counts in history.items()]


def _history(rows: Sequence[Any]) -> History:
    return {(Route(route), _hard(hard), band): Counts(*counts) for route, hard, band, counts in rows}


def _listed(counts: Counts) -> Sequence[float]:
    return [counts.worked, counts.outcomes, counts.hours, counts.timed]


def _hard(said: str | None) -> Difficulty | None:
    return Difficulty(said) if said else None
