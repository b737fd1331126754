"""Lessons: writing one down, and letting others read it by the rules of `told`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.models import Person
from immersive.work.lessons import told
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.lessons.told import To
from immersive.work.models import ROUTES, Task
from knowledge.access import Viewer
from knowledge.models import Resource

WORDS = Lesson.WORDS
LONGEST = 2000
"""Characters of each part: what is read in two minutes."""
MOST_RESOURCES = 10
MISSING = {"expected": "Say what you expected.", "happened": "Say what happened."}
"""What others are not told a lesson without."""


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

    @property
    def words(self) -> dict[str, str]:
        """The four parts."""
        return {name: getattr(self, name) for name in WORDS}


@sensitive_variables()
def keep(*, author: Person, said: Said, lesson: UUID | None = None) -> Lesson:
    """Keep a draft, new or the author's own; raises `ValidationError`, of one that others read now as well."""
    viewer = Viewer.of(author)
    with transaction.atomic():
        found = told.own(Lesson, lesson, viewer)
        if found.shared:
            told.refuse_taken_away(found)
            raise ValidationError("Others read it now. Publish the change, or take it back first.")
        _something(said)
        found.reach, found.changed_at = Reach.DRAFT, timezone.now()
        return _write(found, said, viewer)


@sensitive_variables()
def publish(*, author: Person, said: Said, to: To, lesson: UUID | None = None) -> Lesson:
    """Let it be read as far as its author says, new or written before, from this transaction on.

    For oneself alone it may be unfinished. Raises as `told.tell` does, and keeps what was refused as it was before.
    """
    viewer = Viewer.of(author)
    _something(said)
    missing = {name: cure for name, cure in MISSING.items() if not said.words[name].strip()}
    if missing and to.reach != Reach.ME:
        raise ValidationError(dict(missing))
    with transaction.atomic():
        found = _write(told.own(Lesson, lesson, viewer), said, viewer, to)
        told.follow(found)
    return found


def _write(lesson: Lesson, said: Said, viewer: Viewer, to: To | None = None) -> Lesson:
    """Store what was said of it, checked: of topics, resources and tasks those that its author may know."""
    _short_enough(said)
    if said.kind not in Lesson.Kind.values or said.route not in ("", *dict(ROUTES)):
        raise ValidationError("Choose one of the kinds, and one of the ways, that are shown.")
    told.write(lesson, said.words)
    if to is not None:
        told.tell(lesson, to, viewer)
    about = told.topics_named(said.topics, viewer)
    if said.task:
        lesson.task = Task.objects.visible_to(viewer).filter(public_id=said.task).first()
    lesson.kind, lesson.route = said.kind, said.route
    lesson.review = lesson.review or said.review
    lesson.save()
    lesson.resources.set(about_these(said.resources, viewer))
    lesson.topics.set(about)
    return lesson


def _something(said: Said) -> None:
    if not any(text.strip() for text in said.words.values()):
        raise ValidationError({"happened": "Write down what happened, or what you expected."})


def _short_enough(said: Said) -> None:
    long = {name: len(text) for name, text in said.words.items() if len(text) > LONGEST}
    if long:
        cure = f"Say it in at most {LONGEST:,}: what matters is read in two minutes."
        raise ValidationError({name: f"This has {length:,} characters. {cure}" for name, length in long.items()})


def about_these(public_ids: Collection[UUID], viewer: Viewer) -> list[Resource]:
    """What a lesson of this viewer may concern, of these: what they may read, no people and no other lessons."""
    if not public_ids:
        return []
    rows = Resource.objects.visible_to(viewer).filter(public_id__in=list(public_ids)).select_related("source")
    return list(rows.exclude(kind__in=("person", "lesson")).defer("body").order_by("title", "pk")[:MOST_RESOURCES])


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
