"""What lessons and experiments have in common: who reads one, and that nobody is named in it.

Before more than its author may read it, its words are looked through for
people (`names`), and whoever stands there is taken out, or said to be nobody,
by its author's own act. What an author let go is theirs to take back, at once.
A moderator takes away words: whoever says it in other words may tell it again.
No reading here goes by author but one's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from experts import notices
from experts.asking.answers import bury
from experts.asking.moderation import MODERATE, reason_of
from experts.asking.sealed import K, is_wide_enough
from experts.models import Person, Team
from immersive.work.lessons import connector, names
from immersive.work.lessons.rows import SHARED, Experiment, Lesson, Reach, Told
from knowledge import topics, verifying
from knowledge.access import Viewer
from knowledge.documents import EVERYONE
from knowledge.index.analysis import topic_key
from knowledge.ingest import storable
from knowledge.models import LESSONS, Audience, Topic

T = TypeVar("T", bound=Told)
KINDS: tuple[type[Told], ...] = (Lesson, Experiment)
MODERATED = "told-moderated"
MOST_TOPICS = 5
MOST_TAKEN_AWAY = 200
"""Of each kind: what moderators look through at a time, the latest first."""


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
    """Words name people: where, by the name of the text."""

    def __init__(self, found: Mapping[str, Sequence[names.Found]]) -> None:
        super().__init__("Somebody is named.")
        self.found = found


# Telling it: called by the verbs of each kind, in their transactions -----------------------------------------------


def write(one: Told, said: Mapping[str, str]) -> None:
    """Set these texts of it; where one that stood there says something else now, a moderator's decision is over."""
    before = {name: getattr(one, name) for name in said}
    for name, text in said.items():
        setattr(one, name, storable(text).strip())
    if one.hidden_at and any(_words(old) not in ([], _words(getattr(one, name))) for name, old in before.items()):
        one.hidden_at, one.moderated_why = None, ""


def _words(text: str) -> list[str]:
    """What is compared of a text: neither signs nor capitals make other words of it."""
    return re.findall(r"\w+", text.casefold())


def tell(one: Told, to: To, viewer: Viewer) -> None:
    """Let it be read as far as its author says; its words are written, and it is saved by the caller.

    Raises `ValidationError`, and `SomebodyIsNamed` where more than its author would read a name.
    """
    team = None if to.reach == Reach.DRAFT else team_of(to, viewer)
    shared = to.reach in SHARED
    if shared:
        refuse_names({name: getattr(one, name) for name in one.WORDS}, to.plain, viewer)
        refuse_taken_away(one)
    now = timezone.now()
    one.reach, one.team, one.anonymous = to.reach, team, to.anonymous and shared
    one.audience = Audience.objects.of([f"team:{team.pk}" if team else EVERYONE]) if shared else None
    one.changed_at, one.withdrawn_at = now, None
    one.published_at = one.published_at or (now if shared else None)


def team_of(to: To, viewer: Viewer) -> Team | None:
    """The team that it is told, one of the viewer's own; none for everyone or nobody. Raises `ValidationError`."""
    if to.reach not in (Reach.ME, *SHARED):
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


def refuse_taken_away(one: Told) -> None:
    """Raise `ValidationError` where a moderator took these words away: told again, they would be told to nobody."""
    if one.hidden_at:
        raise ValidationError(
            f"A moderator took this away: “{one.moderated_why}”. Say it in other words and tell it again; as it is,"
            " others read it only once a moderator gives it back. Nothing was changed."
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


def topics_named(said: Sequence[str], viewer: Viewer) -> list[Topic]:
    """The topics of these names, as the viewer may know them; raises `ValidationError` for others."""
    keys = {topic_key(name)[:80] for name in said if name.strip()}
    known = topics.spelled(Q(slug__in=keys), viewer) if keys else {}
    if keys - set(known):
        raise ValidationError({"add_topic": topics.UNKNOWN})
    if len(keys) > MOST_TOPICS:
        raise ValidationError({"add_topic": f"Name at most {MOST_TOPICS} topics; take one away first."})
    return list(Topic.objects.filter(name__in=known.values()))


def follow(one: Told) -> None:
    """What others read of it follows: search, what a lesson suspends, and who vouches for that."""
    bury([one.public_id], LESSONS)  # as it was before; it is read anew
    connector.read_again()
    if not isinstance(one, Lesson):
        return
    if not Lesson.objects.told().filter(pk=one.pk).exists():
        verifying.release(lesson=one.public_id.hex)
        return
    about = list(one.resources.values_list("pk", flat=True))
    for row in verifying.suspend(lesson=one.public_id.hex, resources=about):
        owner = row.verification.owner_id
        if owner and owner != one.author_id:
            notices.tell([owner], "suspended", row.public_id)


# Verbs ------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def withdraw(*, author: Person, told: UUID) -> Told:
    """Take it back: nobody else reads it from this transaction on; it is a draft again."""
    viewer = Viewer.of(author)
    with transaction.atomic():
        found = one_or_404(told, lambda rows: rows.filter(author_id=viewer.person_id or 0).select_for_update())
        found.reach, found.audience, found.team = Reach.DRAFT, None, None
        found.published_at, found.withdrawn_at = None, timezone.now()
        found.save()
        follow(found)
    return found


@sensitive_variables()
def delete(*, author: Person, told: UUID) -> Told:
    """Delete it, everywhere, and what anybody was told or asked about it; as it was."""
    with transaction.atomic():
        found = withdraw(author=author, told=told)
        notices.Notice.objects.filter(subject=told).delete()
        found.delete()
    return found


@sensitive_variables()
def moderate(*, person: Person, told: UUID, reason: str, away: bool) -> Told:
    """As a moderator, take somebody else's away, or let it stand again, with a reason that its author reads."""
    if not person.has_perm(MODERATE):
        raise PermissionDenied
    viewer = Viewer.of(person)
    with transaction.atomic():
        seen = "visible_to" if away else "taken_away"
        # Whoever moderates could not give their own back. Looked for before the reason is: hidden is absent.
        found = one_or_404(told, lambda rows: getattr(rows, seen)(viewer).exclude(author=person))
        said = {
            "moderated_why": reason_of(person, MODERATE, reason, 300),
            "hidden_at": timezone.now() if away else None,
        }
        if type(found).objects.filter(pk=found.pk, hidden_at__isnull=away).update(**said):
            follow(found)
            notices.tell([found.author_id] if found.author_id else [], MODERATED, told)
    return found


@notices.teller(MODERATED)
@sensitive_variables()
def moderated(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, notices.Said]:
    """A moderator took what you had told away, or gave it back, and why; none of what you said anew since."""
    mine = {"author_id": viewer.person_id or 0, "public_id__in": subjects}
    return {
        one.public_id: notices.Said(
            f"Your {one._meta.verbose_name} {'was taken away' if one.hidden_at else 'stands again'}:"
            f" {one.moderated_why}",
            one.get_absolute_url(),
            "lesson",
        )
        for kind in KINDS
        for one in kind.objects.filter(**mine).exclude(moderated_why="")
    }


# Reading ----------------------------------------------------------------------------------------------------------


def one_or_404(told: UUID, which: Callable[[Any], Any]) -> Told:
    """The lesson or experiment of this id among ``which``; else the same `Http404` as for one that never was."""
    found = (which(kind.objects).filter(public_id=told).first() for kind in KINDS)
    one: Told | None = next((row for row in found if row), None)
    if one is None:
        raise Http404
    return one


def mine_or_404(kind: type[T], told: UUID, viewer: Viewer, *, lock: bool = False) -> T:
    """The viewer's own; else the same `Http404` as for one that never was."""
    rows = kind.objects.filter(author_id=viewer.person_id or 0, public_id=told)
    found: T | None = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise Http404
    return found


def own(kind: type[T], told: UUID | None, viewer: Viewer) -> T:
    """The viewer's own, to be changed in this transaction; without an id a new one."""
    return mine_or_404(kind, told, viewer, lock=True) if told else kind(author_id=viewer.person_id)


def told_or_404(kind: type[T], told: UUID, viewer: Viewer) -> T:
    """The one of this id, if the viewer may read it; else the same `Http404` as for one that never was."""
    rows = _shown(kind.objects.visible_to(viewer), viewer).select_related("author", "team")
    found: T | None = rows.filter(public_id=told).first()
    if found is None:
        raise Http404
    return found


def listed(kind: type[T], viewer: Viewer, *, topic: str = "", mine: bool = False) -> QuerySet[T]:
    """Those that the viewer may read, the latest first: told ones, or their own whatever their state."""
    rows: QuerySet[T] = kind.objects.visible_to(viewer)
    told = kind.objects.told().values("pk")
    rows = rows.filter(author_id=viewer.person_id or 0) if mine else rows.filter(pk__in=told)
    if topic:
        rows = rows.filter(topics__in=topics.of(viewer).filter(slug=topic)).distinct()
    return _shown(rows, viewer).select_related("team").order_by("-changed_at", "-pk")


def taken_away(viewer: Viewer) -> list[Told]:
    """What moderators took away among what this viewer could read, the latest first; nothing of their own."""
    rows = (kind.objects.taken_away(viewer).order_by("-hidden_at", "-pk")[:MOST_TAKEN_AWAY] for kind in KINDS)
    found: list[Told] = [one for some in rows for one in some]
    return sorted(found, key=lambda one: (one.hidden_at, one.pk), reverse=True)


def _shown(rows: QuerySet[T], viewer: Viewer) -> QuerySet[T]:
    """These with, as ``shown_topics``, those that the viewer may know (one query more)."""
    return rows.prefetch_related(Prefetch("topics", topics.of(viewer).order_by("name"), to_attr="shown_topics"))


def topic_names(one: Told, viewer: Viewer) -> list[str]:
    """Its topics by name, as far as the viewer may know them."""
    known = topics.of(viewer).filter(pk__in=one.topics.values("pk"))
    return list(known.order_by("name").values_list("name", flat=True))


def signed(one: Told, viewer: Viewer) -> tuple[str, Person | None]:
    """Who wrote it, as this viewer may know; the person, if they have a page that the viewer may open."""
    if one.author_id is not None and one.author_id == viewer.person_id:
        return ("You, without your name" if one.anonymous else "You"), None
    if one.anonymous:
        return "Without a name", None
    author: Any = one.author
    if author is None or not author.is_active:
        return "A former colleague", None
    shown = Person.objects.visible_to(viewer).filter(pk=author.pk).first()
    return (shown.display_name, shown) if shown else ("A colleague", None)
