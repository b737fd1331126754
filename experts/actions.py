"""What is done to people and teams: the verbs that web, API, commands and jobs share.

Whatever changes who somebody is ends in `people_changed`: evidence is given
out anew and the people source is read again. Memberships are closed, never
deleted: who was in a team, and when, stays known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from types import EllipsisType
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import slugify

from experts.asking import turns
from experts.connector import documents_of
from experts.directory.history import Placement, Reporting, alone, lasted, refuse_circle
from experts.evidence import attribute, email_key, mark, name_key
from experts.mentoring import mentorships as mentoring
from experts.models import FORMER, Membership, Person, Team, one_line
from knowledge.documents import Document
from knowledge.index.analysis import topic_key
from knowledge.models import Contribution, Resource, Source, SyncRun, Topic

logger = logging.getLogger(__name__)

PEOPLE_EVERY = timedelta(minutes=15)
TOLD_HOLDING = 50
"""Documents that still hold a name, of which an operator is told at once."""
GATHER = timedelta(seconds=30)
"""How long changes elsewhere are gathered before the people source is read again."""


def create_team(*, name: str, parent: Team | None = None, external_id: str | None = None) -> Team:
    """A new team below ``parent``, with an address part of its own."""
    path = f"{parent.slug}-{name}" if parent else name
    base = slugify(path, allow_unicode=True)[:100] or "team"
    slug, number = base, 2
    while Team.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    fields = {"name": one_line(name), "slug": slug, "parent": parent, "since": timezone.now()}
    team: Team = Team.objects.create(**fields, external_id=external_id)
    return team


def place_team(*, team: Team, name: str | None = None, parent: Team | EllipsisType | None = ...) -> bool:
    """Rename a team or move it beneath another (`None`: to the top), keeping where it stood; whether that changed.

    Raises `ValidationError` when it would stand beneath itself.
    """
    with transaction.atomic():
        alone()
        above = parent.pk if isinstance(parent, Team) else 0
        both = Team.objects.filter(pk__in=[team.pk, above]).order_by("pk").select_for_update()
        stood = {one.pk: one for one in both}[team.pk]
        team.name = stood.name if name is None else one_line(name)
        team.parent = stood.parent if parent is ... else parent
        if (team.name, team.parent_id) == (stood.name, stood.parent_id):
            return False
        refuse_parent(team=team, parent=team.parent)
        Placement.objects.create(team=team, name=stood.name, parent_id=stood.parent_id, until=timezone.now())
        team.save(update_fields=["name", "parent"])
        people_changed(names=False)
    return True


def refuse_parent(*, team: Team, parent: Team | None) -> None:
    """Raise `ValidationError` when the team would stand beneath itself."""
    said = f"“{team}” would stand beneath itself: choose a team that is not below it."
    refuse_circle(Team.objects.all(), "parent", {team.pk: parent.pk if parent else None}, said)


def refuse_manager(*, person: Person, manager: Person | None) -> None:
    """Raise `ValidationError` when the person would report to themselves, over however many steps."""
    said = f"“{person}” would report to themselves: choose somebody who is not below them."
    refuse_circle(Person.objects.all(), "manager", {person.pk: manager.pk if manager else None}, said)


def dissolve(*, team: Team) -> None:
    """End a team: its memberships close, teams beneath it move up, and all of it stays known for the time before."""
    now = timezone.now()
    with transaction.atomic():
        for child in team.children.current():
            place_team(team=child, parent=team.parent)
        Membership.objects.as_of(now).filter(team=team).update(until=now)
        Team.objects.filter(pk=team.pk, until=None).update(until=now, external_id=None)
        people_changed(names=False)


def appoint(*, person: Person, manager: Person | None) -> bool:
    """Say whom somebody reports to, keeping whom they reported to; whether that changed.

    Raises `ValidationError` when somebody would report to themselves, over however many steps.
    """
    with transaction.atomic():
        alone()
        both = Person.objects.filter(pk__in=[person.pk, manager.pk if manager else 0]).order_by("pk")
        before = dict(both.select_for_update().values_list("pk", "manager"))[person.pk]
        person.manager = manager
        if person.manager_id == before:
            return False
        refuse_manager(person=person, manager=manager)
        Reporting.objects.create(person=person, manager_id=before, until=timezone.now())
        person.save(update_fields=["manager"])
    return True


def appoint_many(*, people: Sequence[Person], planned: Mapping[int, int | None]) -> None:
    """Store each one's ``manager`` as ``planned`` for them and others (ids), keeping whom they reported to.

    Raises `ValidationError` when one of them would report to themselves: others changed meanwhile.
    """
    with transaction.atomic():
        alone()
        said = "Somebody would report to themselves."
        refuse_circle(Person.objects.all(), "manager", planned, said, [person.pk for person in people])
        before = dict(Person.objects.filter(pk__in=[person.pk for person in people]).values_list("pk", "manager"))
        moved = [person for person in people if person.manager_id != before.get(person.pk)]
        told = [Reporting(person=one, manager_id=before.get(one.pk), until=timezone.now()) for one in moved]
        Reporting.objects.bulk_create(told)
        Person.objects.bulk_update(moved, ["manager"])


def set_members(*, team: Team, people: Iterable[Person]) -> None:
    """Make exactly these the members of a team."""
    stay = list(people)
    with transaction.atomic():
        leave_members(team=team, without=[person.pk for person in stay])
        add_members(team=team, people=stay)


def add_members(*, team: Team, people: Iterable[Person]) -> None:
    """Make these people members, beside those who are."""
    since = timezone.now()
    rows = [Membership(person=person, team=team, since=since) for person in people]
    Membership.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    people_soon()


def leave_members(*, team: Team, people: Iterable[Person] | None = None, without: Sequence[int] = ()) -> int:
    """Close the memberships of these people, or of all but those ``without`` (ids); how many were."""
    now, kept = timezone.now(), set(without)
    here = Membership.objects.filter(lasted(now) | Q(comes_back=True), team=team)
    if people is None:
        ids = [pk for pk, person in here.values_list("pk", "person") if person not in kept]
        meant = [Membership.objects.filter(pk__in=some) for some in _some(ids)]
    else:
        meant = [here.filter(person__in=some) for some in _some([person.pk for person in people])]
    closed = 0
    for rows in meant:
        rows.filter(comes_back=True).update(comes_back=False)
        closed += rows.filter(lasted(now)).update(until=now)
    people_soon()
    return closed


def _some(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Ids, as many at a time as one statement takes."""
    return (ids[start : start + 500] for start in range(0, len(ids), 500))


def deactivate(*, people: Iterable[Person], follow: bool = True, come_back: bool = False) -> int:
    """End accounts and memberships; nothing is deleted. They leave pages and search at once, and what they were asked
    goes to the next. How many were active.

    With ``follow=False`` the caller ends many and calls `people_changed` once. With ``come_back`` the memberships are
    opened again when the account is given back, if nobody takes them off the team meanwhile: a service that ended an
    account for a time goes on thinking of it as a member, and does not send that again.
    """
    ids = [person.pk for person in people]
    now = timezone.now()
    with transaction.atomic():
        ended = Person.objects.filter(pk__in=ids, is_active=True).update(is_active=False)
        end_sessions(people=ids)
        Membership.objects.filter(person__in=ids, comes_back=True).update(comes_back=False)
        open_now = Membership.objects.filter(Q(until=None) | Q(until__gt=now), person__in=ids)
        open_now.filter(until=None).update(until=now, comes_back=come_back)
        open_now.update(until=now)
        bury_people(people=ids)
        turns.people_left(ids)
        mentoring.people_left()
        if follow:
            people_changed()
    return ended


def remove_name(*, person: Person, reason: str) -> list[Resource]:
    """Take the name of somebody who left off everything that is theirs; documents whose own text still holds it.

    What they wrote stays, as a former colleague's. Their name, address and all
    that they said of themselves are kept no more, but for marks by which the
    name is recognised when a source tells it again; no file and no service
    finds the account to write it back. Raises `ValidationError`.
    """
    if person.is_active:
        raise ValidationError(f"“{person}” has not left: deactivate the account first.")
    if person.name_removed:
        raise ValidationError("This name was removed before.")
    if not one_line(reason):
        raise ValidationError("Write down why: it stands in the log.")
    names = {name for name in (one_line(person.name), one_line(person.get_full_name())) if name}
    keys = {*(name_key(name) for name in names), email_key(person.email)} - {""}
    blank = dict.fromkeys(("name", "first_name", "last_name", "email", "role", "about", "location"), "")
    with transaction.atomic():
        Person.objects.filter(pk=person.pk).update(
            **blank, username=f"former-{person.public_id.hex}", external_id=None, taken_out_at=timezone.now(),
            name_removed=True, name_marks=sorted(mark(key) for key in keys),
        )  # fmt: skip
        logged = LogEntry.objects.filter(content_type__app_label="experts", content_type__model="person")
        logged.filter(object_id=str(person.pk)).update(object_repr=FORMER)
        bury_people(people=[person.pk])
        mentoring.forget(person=person)
        people_changed()
    person.refresh_from_db()
    return holding(names)


def holding(names: Iterable[str]) -> list[Resource]:
    """Documents whose title or text has one of these names in it; their source alone can change that."""
    found = Q(pk__in=())
    for form in {form for name in names for form in (name, name.lower(), name.upper())}:  # SQLite folds A to Z only
        found |= Q(title__icontains=form) | Q(body__icontains=form)
    rows = Resource.objects.alive().filter(found).exclude(kind="person").select_related("source")
    return list(rows.defer("body").order_by("source", "title", "pk")[:TOLD_HOLDING])


def reactivate(*, person: Person, follow: bool = True) -> None:
    """Give the account back, and the memberships that `deactivate` said would ``come_back``; other teams are joined
    again one by one. With ``follow=False`` the caller sees to the rest.

    Raises `ValidationError` for an account without its name: who comes back gets a new one.
    """
    if person.name_removed:
        raise ValidationError("The name of this account was removed: make a new account for whoever comes back.")
    with transaction.atomic():
        Person.objects.filter(pk=person.pk).update(is_active=True, taken_out_at=None)
        back = Membership.objects.filter(person=person, comes_back=True)
        for team in Team.objects.current().filter(pk__in=back.values("team")):
            add_members(team=team, people=[person])
        back.update(comes_back=False)
        if follow:
            people_changed()


def take_out(*, person: Person) -> None:
    """Deactivate somebody whom the provisioning service deleted: it sees them no more."""
    with transaction.atomic():
        deactivate(people=[person], follow=False)
        Person.objects.filter(pk=person.pk).update(taken_out_at=timezone.now())
        people_soon()


def end_sessions(*, people: Iterable[int]) -> None:
    """Sign these people (ids) out everywhere for good: a session of before stays ended when the account is given back.

    A count in the account that every session carries, and no list of sessions
    to search: it holds for every kind of session store and of sign-in, in one
    short statement.
    """
    Person.objects.filter(pk__in=list(people)).update(sign_outs=F("sign_outs") + 1)


def people_changed(*, names: bool = True) -> None:
    """After the commit: give out evidence anew (if names, addresses or accounts changed) and read people again."""

    def follow() -> None:
        if names:
            attribute()
        from knowledge.actions import request_sync

        if source := people_source():
            request_sync(source=source)

    transaction.on_commit(follow)


def people_soon() -> None:
    """As `people_changed`, half a minute later and once for all changes until then: for whoever makes many."""

    def follow() -> None:
        if (source := people_source()) is not None:
            read_people_soon(source=source)
        else:
            attribute()

    transaction.on_commit(follow)


def people_source() -> Source | None:
    """The source that people are read from, if there is one."""
    source: Source | None = Source.objects.filter(kind="people", active=True).order_by("pk").first()
    return source


def ensure_people_source() -> Source:
    """The people source; made when it is missing, for everyone who is signed in."""
    from knowledge.actions import ensure_source

    return ensure_source(kind="people", name="People", every=PEOPLE_EVERY)


def source_synced(*, source_id: int) -> int:
    """After a sync: give its contributions to people, and read people again soon; how many moved.

    Who left or hid while people were being read is taken out again.
    """
    people = people_source()
    if people and people.pk == source_id:
        told = people.resources.alive().filter(about__isnull=False)
        bury_people(people=told.exclude(about__in=Person.objects.findable()).values_list("about", flat=True))
        if moved := attribute():  # people changed since (`people_soon`): their documents are told anew with it
            read_people_soon(source=people)
        return moved
    moved = attribute(source_id=source_id)
    if people:
        read_people_soon(source=people)
    return moved


def read_people_soon(*, source: Source) -> None:
    """Leave a run for the sweep to find in half a minute; an open run of this source does as well."""
    try:
        with transaction.atomic():
            SyncRun.objects.create(source=source, due_at=timezone.now() + GATHER)
    except IntegrityError:
        logger.debug("people are about to be read anyway")


def bury_people(*, people: Iterable[int]) -> None:
    """Take the documents of people who left or hide out of search at once."""
    from knowledge.indexing import doubt
    from knowledge.ingest import bury

    for rows in _told_rows(people):
        ids = [row.pk for row in rows]
        for _ in bury(Resource.objects.alive().filter(pk__in=ids)):
            pass
        doubt(ids)


def withdraw(*, resources: Any) -> int:
    """Tell the authors of these resources (a queryset) without them, at once; how many documents changed.

    A person's document repeats titles and topics of what everyone may read.
    When one of those is gone or narrowed, waiting for the next sync would go
    on showing it; so the document is told anew here, in the transaction that
    withdraws, and stays out of the index's answers until the index is known to
    hold its new words.
    """
    authors = Contribution.objects.filter(resource__in=resources.values("pk"), person__isnull=False)
    return retell(people=authors.values_list("person", flat=True).distinct(), without=resources)


def retell(*, people: Iterable[int], without: Any = None) -> int:
    """Tell these people (ids) anew in search, at once, ``without`` these resources; how many documents changed.

    What was told before is in no answer from now on, the index's own included.
    """
    from knowledge.indexing import doubt, index_hash
    from knowledge.ingest import clean

    changed = 0
    for rows in _told_rows(people):
        found = Person.objects.findable().filter(public_id__in=[UUID(row.key) for row in rows])
        told = {document.key: clean(document) for document in documents_of(list(found), without=without)}
        moved = [row for row in rows if row.key in told and row.fingerprint != told[row.key].fingerprint()]
        for row in moved:
            document, fingerprint = told[row.key], told[row.key].fingerprint()
            Resource.objects.filter(pk=row.pk).update(  # one by one: Django's bulk_update is slower with long texts
                title=document.title, body=document.body, facts=dict(document.facts), version=document.version,
                fingerprint=fingerprint, index_hash=index_hash(row.audience.digest, fingerprint, row.source),
            )  # fmt: skip
        _link_topics(moved, told)
        doubt([row.pk for row in moved])
        changed += len(moved)
    return changed


def _told_rows(people: Iterable[int]) -> Iterator[list[Resource]]:
    """The documents of these people in the people source, some hundred at a time."""
    ids = sorted(set(people))
    for start in range(0, len(ids), 200):
        keys = Person.objects.filter(pk__in=ids[start : start + 200]).values_list("public_id", flat=True)
        rows = Resource.objects.alive().filter(source__kind="people", key__in=[key.hex for key in keys])
        if found := list(rows.select_related("audience", "source__audience")):
            yield found


def _link_topics(rows: Sequence[Resource], told: Mapping[str, Document]) -> None:
    links = Resource.topics.through.objects
    links.filter(resource__in=rows).delete()
    names = {name for row in rows for name in told[row.key].topics}
    own = [Topic(slug=topic_key(name)[:80], name=name) for name in names]  # of a person's own words some are new
    Topic.objects.bulk_create(own, ignore_conflicts=True)
    topics = {topic.name: topic.pk for topic in Topic.objects.filter(name__in=names)}
    wanted = [(row.pk, topics[name]) for row in rows for name in told[row.key].topics if name in topics]
    links.bulk_create(
        [Resource.topics.through(resource_id=row, topic_id=topic) for row, topic in wanted], ignore_conflicts=True
    )
