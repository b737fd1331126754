"""Communities of practice: who follows a topic, what is new there for them, and how they are told.

A topic has no row of its own here: it is there for somebody when a document
that they may read bears it, or a framework names it. Whether others see that a
person follows is that person's choice. What is new is always asked anew, with
the rights of the moment, and told at most once a day.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from experts import notices
from experts.notices import Notice, Said, teller
from knowledge import frameworks, topics
from knowledge.access import Viewer
from knowledge.explain import listed
from knowledge.models import Resource

if TYPE_CHECKING:
    from experts.models import Person

logger = logging.getLogger(__name__)

MOST = 200
"""Topics that one person follows."""
COUNTED = 1000
"""Followers that a topic's page counts."""
NEW_FOR = timedelta(days=30)
"""How long somebody is a new member."""
NEWS = "topic_news"
ONCE_IN = timedelta(hours=24)
EVERY = timedelta(hours=1)
"""How often somebody's topics are looked at for whom there was nothing new."""
A_RUN = 500
"""Follows that are read at once, and ``SECONDS`` for how long one run looks: the next goes on where it stopped."""
SECONDS = 60
MUCH = 2000
NAMED = 3
"""Topics that a notice names."""
TOO_MANY = f"You follow {MOST} topics already: stop following one first."


class FollowQuerySet(models.QuerySet["Follow"]):
    """Follows by who looks."""

    def visible_to(self, viewer: Viewer) -> FollowQuerySet:
        """One's own, and those of people whom the viewer may see and who chose to show that they follow.

        Not of a topic that they keep to themselves: that binds before what they showed earlier.
        """
        from experts.models import OwnTopic, Person

        people = Person.objects.visible_to(viewer).values("pk")
        kept = Exists(OwnTopic.objects.filter(person=OuterRef("person"), key=OuterRef("key"), hidden=True))
        return self.filter(Q(person=viewer.person_id or 0) | Q(~kept, shown=True, person__in=people))

    def of(self, viewer: Viewer) -> FollowQuerySet:
        """The viewer's own alone."""
        return self.filter(person=viewer.person_id or 0)


class Follow(models.Model):
    """That a person follows a topic; ``shown``: others may see that they do.

    ``name`` is how it was called for this person then: theirs alone, for others it may be called otherwise.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows")
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    shown = models.BooleanField(default=True)
    at = models.DateTimeField(default=timezone.now)
    visited_at = models.DateTimeField(default=timezone.now)
    look_at = models.DateTimeField(default=timezone.now, db_index=True, help_text="When to look for news next.")

    objects: ClassVar[Any] = FollowQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="followers_by_time")]
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="follows_once")]

    @property
    def is_new(self) -> bool:
        """Whether they came lately."""
        return self.at > timezone.now() - NEW_FOR


# What a person does -----------------------------------------------------------------------------------------------


def follow(*, person: Person, key: str, name: str, shown: bool = True) -> Follow:
    """Follow a topic that this person may know, or say anew whether that shows. Raises `ValidationError`."""
    mine = Follow.objects.filter(person=person)
    if mine.count() >= MOST and not mine.filter(key=key).exists():
        raise ValidationError(TOO_MANY)
    row: Follow = Follow.objects.update_or_create(
        person=person, key=key, defaults={"shown": shown}, create_defaults={"shown": shown, "name": name[:80]}
    )[0]
    return row


def unfollow(*, person: Person, key: str) -> bool:
    """Stop following a topic; whether it was followed."""
    return bool(Follow.objects.filter(person=person, key=key).delete()[0])


def visit(*, follow: Follow) -> None:
    """Remember that a follower has seen what is new, once in a minute at most."""
    now = timezone.now()
    Follow.objects.filter(pk=follow.pk, visited_at__lt=now - timedelta(minutes=1)).update(visited_at=now)


# Who belongs, and what is new -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Members:
    """Who follows a topic, of those whom the viewer may see: themselves, the latest to come, and how many, in words."""

    latest: tuple[Follow, ...]
    total: str
    mine: Follow | None


def members(key: str, viewer: Viewer, count: int = 6) -> Members:
    """The followers of a topic as the viewer may see them (two queries); no more are counted than `COUNTED`."""
    seen = Follow.objects.visible_to(viewer).filter(key=key).order_by("-at", "-pk")
    newest = list(seen.values_list("pk", flat=True)[: COUNTED + 1])
    shown = Q(pk__in=newest[:count]) | Q(person=viewer.person_id or 0, key=key)
    rows: list[Any] = list(Follow.objects.filter(shown).select_related("person").order_by("-at", "-pk"))
    rows.sort(key=lambda one: one.person_id != viewer.person_id)
    mine = rows[0] if rows and rows[0].person_id == viewer.person_id else None
    total = f"more than {COUNTED:,}" if len(newest) > COUNTED else str(len(newest) or "")
    return Members(tuple(rows[:count]), total, mine)


def fresh(follows: Iterable[Follow], viewer: Viewer, *, since: datetime | None = None) -> Counter[str]:
    """How many documents that the viewer may read are new or changed since each topic was visited (one query).

    ``since``: not those that changed before then either. Two thousand are looked at, at most: more is much.
    """
    seen = {follow.key: max(follow.visited_at, since or follow.visited_at) for follow in follows}
    new: Counter[str] = Counter()
    if not seen:
        return new
    earliest = min(seen.values())
    rows = (
        Resource.objects.visible_to(viewer)
        .filter(Q(updated__gt=earliest) | Q(first_seen_at__gt=earliest), topics__slug__in=list(seen))
        .exclude(kind="person")
        .values_list("topics__slug", "updated", "first_seen_at")[:MUCH]
    )
    for key, updated, first in rows:
        if max(updated or first, first) > seen[key]:
            new[key] += 1
    return new


def fresh_documents(follow: Follow, viewer: Viewer, count: int = 5) -> list[Resource]:
    """What is new or changed on a topic since it was visited, of what the viewer may read, the newest first."""
    seen = follow.visited_at
    found: list[Resource] = list(
        Resource.objects.visible_to(viewer)
        .filter(Q(updated__gt=seen) | Q(first_seen_at__gt=seen), topics__slug=follow.key)
        .exclude(kind="person")
        .select_related("source")
        .with_verification()
        .defer("body")
        .order_by(models.F("updated").desc(nulls_last=True), "pk")[:count]
    )
    return found


@dataclass(frozen=True, slots=True)
class Followed:
    """A topic that the viewer follows, as it is called for them now, and how many documents are new to them there."""

    name: str
    key: str
    new: int


def followed(viewer: Viewer) -> list[Followed]:
    """The viewer's own topics, those with most that is new first (two to four queries).

    One that nothing names any more that they may read is left out, and there again when something does.
    """
    mine = list(Follow.objects.of(viewer))
    names = topics.spelled(models.Q(slug__in=[one.key for one in mine]), viewer, MOST)
    names = frameworks.names([one.key for one in mine if one.key not in names]) | names
    new = fresh(mine, viewer)
    found = [Followed(name, key, new[key]) for key, name in names.items()]
    return sorted(found, key=lambda one: (-one.new, one.name))


# Being told -------------------------------------------------------------------------------------------------------


def tell_news(now: datetime | None = None, *, seconds: float = SECONDS) -> int:
    """Leave a notice for everybody with something new on a topic that they follow, at most one a day; how many.

    Who waited longest for a look is looked at first, one at least. Nobody waits for somebody whose look fails: it is
    done again when the next is due. What a notice says is looked up when it is read (`told`), so a right that was
    withdrawn meanwhile is silent.
    """
    now, until, told = now or timezone.now(), time.monotonic() + seconds, 0
    due = Follow.objects.filter(look_at__lte=now, person__is_active=True).order_by("look_at", "pk")
    while people := dict.fromkeys(due.values_list("person", flat=True)[:A_RUN]):
        for person in people:
            try:
                told += _look(person, now)
            except Exception as error:
                logger.warning("news of topics could not be looked up: %s", type(error).__name__)
            if time.monotonic() > until:
                return told
    return told


def _look(person_id: int, now: datetime) -> bool:
    """Whether one follower is told that there is something new; their next look is written down before this one."""
    from experts.models import Person

    mine = Follow.objects.filter(person=person_id)
    if not mine.filter(look_at__lte=now).update(look_at=now + EVERY):  # another worker was quicker
        return False
    notice = Notice.objects.filter(person=person_id, kind=NEWS).first()
    if notice and notice.at > now - ONCE_IN:
        mine.update(look_at=notice.at + ONCE_IN)
        return False
    person = Person.objects.get(pk=person_id)
    if not fresh(mine, Viewer.of(person), since=notice and notice.at):
        return False
    with transaction.atomic():
        notices.tell([person_id], NEWS, person.public_id)
        mine.update(look_at=now + ONCE_IN)
    return True


@teller(NEWS)
def told(viewer: Viewer, subjects: Collection[UUID]) -> Mapping[UUID, Said]:
    """What is new on the topics that the viewer follows, now; nothing where they have seen it."""
    new = [one for one in followed(viewer) if one.new]
    if not new:
        return {}
    url = topics.address(new[0].key) if len(new) == 1 else reverse("experts:topics")
    return dict.fromkeys(subjects, Said(f"New on {_told(new)}", url))


def _told(new: Sequence[Followed]) -> str:
    names = [f"{one.name} ({one.new} document{'s' * (one.new > 1)})" for one in new[:NAMED]]
    more = len(new) - len(names)
    if more:
        names.append(f"{more} more topic{'s' * (more > 1)} that you follow")
    return listed(names)
