"""Lessons: writing one down, letting others read it, taking it back; and who reads what.

Nobody is named: before more than their author may read one, its words are
looked through for people (`names`), and whoever stands there is taken out, or
said to be nobody, by its author's own act. What an author let go is one's own
to take back, at once. No reading here goes by author but one's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.asking.answers import bury
from experts.asking.moderation import MODERATE, reason_of
from experts.asking.sealed import K, is_wide_enough
from experts.models import Person, Team
from immersive.work.lessons import connector, names
from immersive.work.lessons.rows import Lesson, Reach, Told
from immersive.work.models import ROUTES, Task
from knowledge import topics, verifying
from knowledge.access import Viewer
from knowledge.documents import EVERYONE
from knowledge.index.analysis import topic_key
from knowledge.ingest import storable
from knowledge.models import LESSONS, Audience, Resource, Topic

WORDS = ("expected", "happened", "know_now", "changes")
LONGEST = 2000
"""Characters of each part: what is read in two minutes."""
MOST_TOPICS, MOST_RESOURCES = 5, 10
AWAY, BACK = "lesson-away", "lesson-back"
NO_TOPIC = "No page that you may read has a topic of that name. Choose one of those that show while you type."


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote down, before it is checked."""

    expected: str = ""
    happened: str = ""
    know_now: str = ""
    changes: str = ""
    kind: str = Lesson.Kind.UNKNOWN
    route: str = ""
    resources: Sequence[UUID] = ()
    topics: Sequence[str] = ()
    task: UUID | None = None
    review: bool = False


@dataclass(frozen=True, slots=True)
class To:
    """Whom it is told: one's ``reach``, for a team which of one's own, and whether without one's name.

    ``plain``: words that its author says are no person.
    """

    reach: str = Reach.ME
    team: UUID | None = None
    anonymous: bool = False
    plain: Collection[str] = field(default_factory=frozenset)


class SomebodyIsNamed(Exception):
    """Words name people: where, by part of the lesson."""

    def __init__(self, found: Mapping[str, Sequence[names.Found]]) -> None:
        super().__init__("Somebody is named.")
        self.found = found


# Verbs ------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def keep(*, author: Person, said: Said, lesson: UUID | None = None) -> Lesson:
    """Keep a draft, new or the author's own; raises `ValidationError`, of one that others read now as well."""
    viewer = Viewer.of(author)
    with transaction.atomic():
        found = _own(lesson, viewer)
        if found.reach in (Reach.TEAM, Reach.COMPANY):
            refuse_taken_away(found)
            raise ValidationError("Others read it now. Publish the change, or take it back first.")
        if not any(getattr(said, name).strip() for name in WORDS):
            raise ValidationError({"happened": "Write down what happened, or what you expected."})
        found.reach = Reach.DRAFT
        return _write(found, said, viewer)


@sensitive_variables()
def publish(*, author: Person, said: Said, to: To, lesson: UUID | None = None) -> Lesson:
    """Let it be read as far as its author says, new or written before, from this transaction on.

    Raises `ValidationError`, and `SomebodyIsNamed` where more than its author would read a name.
    """
    viewer = Viewer.of(author)
    _short_enough(said)
    missing = {
        name: what
        for name, what in (("expected", "Say what you expected."), ("happened", "Say what happened."))
        if not getattr(said, name).strip()
    }
    if missing:
        raise ValidationError(dict(missing))
    team = team_of(to, viewer)
    if to.reach in (Reach.TEAM, Reach.COMPANY):
        refuse_names({name: getattr(said, name) for name in WORDS}, to.plain, viewer)
    now = timezone.now()
    with transaction.atomic():
        found = _own(lesson, viewer)
        if to.reach in (Reach.TEAM, Reach.COMPANY):
            refuse_taken_away(found)
        found.reach, found.team, found.anonymous = to.reach, team, to.anonymous and to.reach != Reach.ME
        found.audience = audience_of(to.reach, team)
        found.published_at, found.withdrawn_at = found.published_at or now, None
        _write(found, said, viewer)
        _follow(found)
    return found


@sensitive_variables()
def withdraw(*, author: Person, lesson: UUID) -> None:
    """Take it back: nobody else reads it from this transaction on; it is a draft again."""
    with transaction.atomic():
        found = _own(lesson, Viewer.of(author))
        found.reach, found.audience, found.team = Reach.DRAFT, None, None
        found.published_at, found.withdrawn_at = None, timezone.now()
        found.save()
        _follow(found)


@sensitive_variables()
def delete(*, author: Person, lesson: UUID) -> None:
    """Delete it, everywhere, and what its author was told about it."""
    with transaction.atomic():
        withdraw(author=author, lesson=lesson)
        notices.Notice.objects.filter(kind__in=(AWAY, BACK), subject=lesson).delete()
        _own(lesson, Viewer.of(author)).delete()


def hide(*, person: Person, lesson: UUID, reason: str) -> None:
    """As a moderator, take a lesson of somebody else away with a reason that its author reads."""
    why = reason_of(person, MODERATE, reason, 300)
    with transaction.atomic():
        found = lesson_or_404(lesson, Viewer.of(person))
        if found.author_id == person.pk:  # they could not give it back; their own they take back or delete
            raise Http404
        if Lesson.objects.filter(pk=found.pk, hidden_at=None).update(hidden_at=timezone.now(), moderated_why=why):
            _moderated(found, AWAY)


def give_back(*, person: Person, lesson: UUID, reason: str) -> None:
    """As a moderator, let a lesson of somebody else stand again that was taken away."""
    why = reason_of(person, MODERATE, reason, 300)
    with transaction.atomic():
        found = Lesson.objects.taken_away(Viewer.of(person)).filter(public_id=lesson).first()
        if found is None:
            raise Http404
        Lesson.objects.filter(pk=found.pk).update(hidden_at=None, moderated_why=why)
        _moderated(found, BACK)


def _moderated(lesson: Lesson, kind: str) -> None:
    lesson.refresh_from_db()
    _follow(lesson)
    notices.tell([lesson.author_id] if lesson.author_id else [], kind, lesson.public_id)


def _own(lesson: UUID | None, viewer: Viewer) -> Lesson:
    if lesson is None:
        return Lesson(author_id=viewer.person_id)
    return mine_or_404(lesson, viewer, lock=True)


def _write(lesson: Lesson, said: Said, viewer: Viewer) -> Lesson:
    """Store what was said of it, checked: of topics, resources and tasks those that its author may know."""
    _short_enough(said)
    if said.kind not in Lesson.Kind.values or said.route not in ("", *dict(ROUTES)):
        raise ValidationError("Choose one of the kinds, and one of the ways, that are shown.")
    about = topics_named(said.topics, viewer)
    task = Task.objects.visible_to(viewer).filter(public_id=said.task).first() if said.task else lesson.task
    for name in WORDS:
        setattr(lesson, name, storable(getattr(said, name)).strip())
    lesson.kind, lesson.route, lesson.task = said.kind, said.route, task
    lesson.review = lesson.review or said.review
    lesson.changed_at = timezone.now()
    lesson.save()
    lesson.resources.set(about_these(said.resources, viewer))
    lesson.topics.set(about)
    return lesson


def _short_enough(said: Said) -> None:
    long = {name: len(getattr(said, name)) for name in WORDS if len(getattr(said, name)) > LONGEST}
    if long:
        cure = f"Say it in at most {LONGEST:,}: what matters is read in two minutes."
        raise ValidationError({name: f"This has {length:,} characters. {cure}" for name, length in long.items()})


def topics_named(said: Sequence[str], viewer: Viewer) -> list[Topic]:
    """The topics of these names, as the viewer may know them; raises `ValidationError` for others."""
    keys = {topic_key(name)[:80] for name in said if name.strip()}
    known = topics.spelled(Q(slug__in=keys), viewer) if keys else {}
    if keys - set(known):
        raise ValidationError({"add_topic": NO_TOPIC})
    if len(keys) > MOST_TOPICS:
        raise ValidationError({"add_topic": f"Name at most {MOST_TOPICS} topics; take one away first."})
    return list(Topic.objects.filter(name__in=known.values()))


def team_of(to: To, viewer: Viewer) -> Team | None:
    """The team that it is told, one of the viewer's own; none for everyone or nobody. Raises `ValidationError`."""
    if to.reach not in (Reach.ME, Reach.TEAM, Reach.COMPANY):
        raise ValidationError({"to": "Choose who may read it."})
    if to.reach == Reach.COMPANY and to.anonymous and not is_wide_enough(None):
        raise ValidationError({"anonymous": f"Fewer than {K} people are here, who would know whose it is. Sign it."})
    if to.reach != Reach.TEAM:
        return None
    team: Team | None = Team.objects.of(viewer).filter(public_id=to.team).first()
    if team is None:
        raise ValidationError({"to": "Choose one of your own teams, everyone, or only you."})
    if to.anonymous and not is_wide_enough(team.pk):
        raise ValidationError(
            {"anonymous": f"{team.name} has fewer than {K} people, who would know whose it is. Tell everyone, or sign."}
        )
    return team


def audience_of(reach: str, team: Team | None) -> Audience | None:
    """Who else may read what reaches so far."""
    if reach == Reach.ME:
        return None
    return Audience.objects.of([EVERYONE if team is None else f"team:{team.pk}"])


def refuse_taken_away(told: Told) -> None:
    """Raise `ValidationError` where a moderator took it away: telling it again would be told to nobody."""
    if told.hidden_at:
        raise ValidationError(
            f"A moderator took this away: “{told.moderated_why}”. Others can read it only once a moderator gives it"
            " back, so nothing was changed."
        )


def refuse_names(words: Mapping[str, str], plain: Collection[str], viewer: Viewer) -> None:
    """Raise `SomebodyIsNamed` where one of these texts names somebody, but for what its author says is nobody."""
    found = {
        name: [one for one in those if one.text not in plain] for name, those in names.check_each(words, viewer).items()
    }
    if any(found.values()):
        raise SomebodyIsNamed({name: those for name, those in found.items() if those})


def without(text: str, name: str, viewer: Viewer) -> str:
    """The text with the part of somebody in place of their name, wherever it stands."""
    for one in sorted(names.check(text, viewer), reverse=True):
        if one.text == name:
            begins = not text[: one.start].rstrip() or text[: one.start].rstrip()[-1:] in ".!?:"
            instead = one.instead[:1].upper() + one.instead[1:] if begins else one.instead
            text = f"{text[: one.start]}{instead}{text[one.end :]}"
    return text


def _follow(lesson: Lesson) -> None:
    """What others read of it follows: search, what it suspends, and who vouches for that."""
    bury([lesson.public_id], LESSONS)  # as it was before; it is read anew
    connector.read_again()
    told = connector.told().filter(pk=lesson.pk).exists()
    if not told:
        verifying.release(lesson=lesson.public_id.hex)
        return
    about = list(lesson.resources.values_list("pk", flat=True))
    for row in verifying.suspend(lesson=lesson.public_id.hex, resources=about):
        owner = row.verification.owner_id
        if owner and owner != lesson.author_id:
            notices.tell([owner], "suspended", row.public_id)


# Reading ----------------------------------------------------------------------------------------------------------


def about_these(public_ids: Collection[UUID], viewer: Viewer) -> list[Resource]:
    """What a lesson of this viewer may concern, of these: what they may read, no people and no other lessons."""
    if not public_ids:
        return []
    rows = Resource.objects.visible_to(viewer).filter(public_id__in=list(public_ids)).select_related("source")
    return list(rows.exclude(kind__in=("person", "lesson")).defer("body").order_by("title", "pk")[:MOST_RESOURCES])


def mine_or_404(public_id: UUID, viewer: Viewer, *, lock: bool = False) -> Lesson:
    """The viewer's own; else the same `Http404` as for one that never was."""
    rows = Lesson.objects.filter(author_id=viewer.person_id or 0)
    found: Lesson | None = (rows.select_for_update() if lock else rows).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def lesson_or_404(public_id: UUID, viewer: Viewer) -> Lesson:
    """The lesson, if the viewer may read it; else the same `Http404` as for one that never was."""
    rows = Lesson.objects.visible_to(viewer).select_related("author", "team")
    found: Lesson | None = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def listed(viewer: Viewer, *, kind: str = "", topic: str = "", mine: bool = False) -> QuerySet[Lesson]:
    """Lessons that the viewer may read, the newest first: told ones, or their own whatever their state."""
    rows: QuerySet[Lesson] = Lesson.objects.visible_to(viewer)
    rows = rows.filter(author_id=viewer.person_id or 0) if mine else rows.filter(pk__in=connector.told().values("pk"))
    if kind:
        rows = rows.filter(kind=kind)
    if topic:
        rows = rows.filter(topics__in=topics.of(viewer).filter(slug=topic)).distinct()
    return rows.order_by("-changed_at", "-pk")


def topics_of(lessons: Collection[Lesson], viewer: Viewer) -> dict[int, list[Topic]]:
    """The topics of these that the viewer may know, by lesson (one query)."""
    links = Lesson.topics.through.objects.filter(lesson__in=[one.pk for one in lessons], topic__in=topics.of(viewer))
    found: dict[int, list[Topic]] = {}
    for link in links.select_related("topic").order_by("topic__name"):
        found.setdefault(link.lesson_id, []).append(link.topic)
    return found


def signed(lesson: Lesson, viewer: Viewer) -> tuple[str, Person | None]:
    """Who wrote it, as this viewer may know; the person, if they have a page that the viewer may open."""
    if lesson.author_id is not None and lesson.author_id == viewer.person_id:
        return ("You, without your name" if lesson.anonymous else "You"), None
    if lesson.anonymous:
        return "Without a name", None
    author: Any = lesson.author
    if author is None or not author.is_active:
        return "A former colleague", None
    shown = Person.objects.visible_to(viewer).filter(pk=author.pk).first()
    return (shown.display_name, shown) if shown else ("A colleague", None)


# What notices say -------------------------------------------------------------------------------------------------


@notices.teller("suspended")
def suspended(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, notices.Said]:
    """What you vouch for is not verified until you have looked; why, to those who may read the lesson."""
    from knowledge.pages import notes

    vouched = Resource.objects.visible_to(viewer).filter(
        public_id__in=subjects, verification__owner=viewer.person_id or 0, verification__suspended_at__isnull=False
    )
    rows: list[Resource] = list(vouched.defer("body"))
    above = notes(rows, viewer, most=10)
    said = {}
    for row in rows:
        known = any(note.suspends for note in above.get(row.pk, ()))
        why = "A lesson concerns it: it" if known else "It"
        text = f"You vouch for “{row.title}”. {why} does not count as verified until you have looked at it again."
        said[row.public_id] = notices.Said(
            text, f"{row.get_absolute_url()}#verification", "lesson" if known else "page"
        )
    return said


@notices.teller(AWAY)
def taken_away(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, notices.Said]:
    """A moderator took your lesson away, and why."""
    return _told_of(viewer, subjects, "was taken away", hidden=True)


@notices.teller(BACK)
def given_back(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, notices.Said]:
    """A moderator gave your lesson back, and why."""
    return _told_of(viewer, subjects, "stands again", hidden=False)


def _told_of(viewer: Viewer, subjects: Collection[UUID], what: str, *, hidden: bool) -> Mapping[UUID, notices.Said]:
    mine = Lesson.objects.filter(author_id=viewer.person_id or 0, public_id__in=subjects, hidden_at__isnull=not hidden)
    return {
        one.public_id: notices.Said(f"Your lesson {what}: {one.moderated_why}", one.get_absolute_url(), "lesson")
        for one in mine
    }
