"""People and teams from a file: first a plan that can be read, then the same plan carried out.

The file is the organisation's word on roles, managers and teams: where it has
such a column, an empty cell means "none", and memberships that it does not
name are closed. What people may say of themselves (about, location, time zone)
and how they are reached stays as it is when a cell is empty. Nobody is ever
deleted; who is missing from the file is deactivated only when that was asked
for. Doing the same file again changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from experts import actions
from experts.directory import sheet
from experts.directory.history import Circle
from experts.directory.sheet import ImportRefused, Problem, Row
from experts.evidence import email_key, name_key
from experts.models import Membership, Person, Team

BATCH = 100
"""People written in one transaction: some tens of milliseconds on SQLite."""

SOME = 2000
"""Rows after which a plan that is being made says how far it is."""

FEW = 5
MOST = 1 / 3
"""More leavers than ``FEW`` and than this part of all people look like a file that was cut off."""

Path = tuple[str, ...]


@dataclass
class Change:
    """What one row does to one person. ``fields`` hold the new values only; ``teams`` is `None` where unsaid."""

    row: Row
    person: Person
    new: bool
    fields: dict[str, Any] = field(default_factory=dict)
    join: list[Path] = field(default_factory=list)
    leave: list[int] = field(default_factory=list)
    manager: Person | None = None
    new_manager: bool = False

    def __bool__(self) -> bool:
        return self.new or bool(self.fields or self.join or self.leave or self.new_manager)


@dataclass
class Plan:
    """Everything that an import would do, and every line that it would not, with the cure."""

    rows: int = 0
    changes: list[Change] = field(default_factory=list)
    new_teams: list[Path] = field(default_factory=list)
    leavers: list[Person] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def adds(self) -> list[Change]:
        return [change for change in self.changes if change.new]

    @property
    def edits(self) -> list[Change]:
        return [change for change in self.changes if not change.new and change]


def import_people(data: bytes, *, leavers: bool = False, many: bool = False, dry_run: bool = False) -> Plan:
    """Bring people and teams in from a CSV file; the plan that was, or with ``dry_run`` would be, carried out.

    ``leavers``: deactivate who is missing from the file; ``many``: even if
    that is many people. Raises `ImportRefused` when the file as
    a whole cannot be used; single bad rows are told in ``Plan.problems``.
    """
    plan = make_plan(sheet.read(data), leavers=leavers, many=many)
    if not dry_run:
        actions.ensure_people_source()
        carry_out(plan)
    return plan


def team_paths() -> dict[Path, list[int]]:
    """Ids of all teams by their names from the top down, folded (see `path_key`)."""
    teams = {team.pk: team for team in Team.objects.current()}
    paths: dict[Path, list[int]] = defaultdict(list)
    for team in teams.values():
        names, above = [team.name], team.parent_id
        while above in teams and len(names) <= len(teams):
            names.append(teams[above].name)
            above = teams[above].parent_id
        paths[path_key(tuple(reversed(names)))].append(team.pk)
    return paths


class _Here:
    """Accounts and teams as they are, by everything that a row may name them by."""

    def __init__(self) -> None:
        self.people = list(Person.objects.all())
        self.by: dict[str, dict[str, list[Person]]] = {
            kind: defaultdict(list) for kind in ("username", "email", "external_id", "name")
        }
        for person in self.people:
            self.add(person)
        self.teams_of: dict[int, dict[int, int]] = defaultdict(dict)
        current = Membership.objects.current().values_list("person", "team", "pk")
        for person_id, team, pk in current:
            self.teams_of[person_id][team] = pk
        self.paths = team_paths()

    def add(self, person: Person) -> None:
        """Let later rows find this person too."""
        for kind, key in _keys(person.username, person.email, person.external_id or "", person.display_name):
            self.by[kind][key].append(person)

    def find(self, row: Row) -> Person | None:
        """The account that the row means, `None` for a new one; raises `ValidationError` when that is not clear."""
        found: dict[str, Person] = {}
        for kind, key in _keys(row.username, row.email, row.external_id):
            there = self.by[kind].get(key, [])
            if len(there) > 1:
                raise ValidationError(
                    f"{len(there)} accounts have the {_WORDS[kind]} “{getattr(row, kind)}”: "
                    "say which by another column, or correct the accounts."
                )
            if there:
                found[kind] = there[0]
        people = {id(person): person for person in found.values()}
        if len(people) > 1:
            said = ", ".join(f"the {_WORDS[kind]} belongs to “{person.username}”" for kind, person in found.items())
            raise ValidationError(f"It mixes two accounts: {said}. Correct the row so that it means one of them.")
        person = next(iter(people.values()), None)
        if person is None:
            return None
        if row.external_id and person.external_id and row.external_id != person.external_id:
            raise ValidationError(
                f"“{person.username}” has the external id {person.external_id}, not {row.external_id}. If it is "
                "somebody else, give them a username and an e-mail address of their own."
            )
        if row.username and "username" not in found and "external_id" not in found:
            raise ValidationError(
                f"The e-mail address belongs to “{person.username}”, not to “{row.username}”: "
                f"write that username, or add the external id."
            )
        return person

    def manager(self, said: str) -> Person:
        """Who is meant by a cell of the column manager; raises `ValidationError`."""
        keys = {"username": email_key(said), "email": email_key(said), "external_id": said, "name": name_key(said)}
        for kind, key in keys.items():
            there = self.by[kind].get(key, [])
            if len(there) == 1:
                return there[0]
            if there:
                raise ValidationError(
                    f"{len(there)} people are called “{said}”: name the manager by username or e-mail address. "
                    "The row is taken without its manager."
                )
        raise ValidationError(f"Nobody is known as “{said}”: correct the manager. The row is taken without it.")


_WORDS = {"username": "username", "email": "e-mail address", "external_id": "external id"}


def _keys(username: str, email: str, external_id: str, name: str = "") -> Iterator[tuple[str, str]]:
    keys = (
        ("username", email_key(username)),
        ("email", email_key(email)),
        ("external_id", external_id),
        ("name", name_key(name)),
    )
    return ((kind, key) for kind, key in keys if key)


def path_key(path: Path) -> Path:
    """By what two teams are the same one."""
    return tuple(name_key(name) for name in path)


def make_plan(
    read: sheet.Sheet,
    *,
    leavers: bool = False,
    many: bool = False,
    by: Person | None = None,
    step: Callable[[int], None] = lambda done: None,
) -> Plan:
    """Decide what the rows mean for the people and teams that are here; writes nothing.

    Who runs the site is changed by nobody ``by`` whom it is done, unless they
    may do everything anyway; a command (`None`) may. ``step`` is told now and
    then how many rows were decided.
    """
    plan = Plan(rows=len(read.rows) + len(read.problems), problems=list(read.problems), remarks=list(read.remarks))
    here = _Here()
    taken: dict[int, int] = {}
    for number, row in enumerate(read.rows):
        if number % SOME == 0:
            step(number)
        try:
            person = here.find(row) or _newcomer(row, here)
            if line := taken.get(id(person)):
                raise ValidationError(f"It is the same person as line {line}: put both into one row.")
            teams = [_team(path, here) for path in row.teams or ()]
            if by is not None and not by.is_superuser and (person.is_staff or person.is_superuser):
                raise ValidationError(f"“{person.username}” runs the site: only who may do everything changes them.")
        except ValidationError as error:
            plan.problems.append(Problem(row.line, " ".join(error.messages), row.name))
            continue
        taken[id(person)] = row.line
        change = Change(row=row, person=person, new=person.pk is None, fields=_fields(row, person))
        _teams(change, teams, here)
        if person.pk is None:
            here.add(person)
        if person.pk is not None and not person.is_active and row.active is None:
            plan.remarks.append(
                f"line {row.line}: “{person.username}” is deactivated and stays so; active = yes brings them back."
            )
        plan.changes.append(change)
    _plan_teams(plan, here)
    _plan_managers(plan, here)
    _tell_namesakes(plan, here)
    if leavers:
        _plan_leavers(plan, here, taken, many=many)
    plan.problems.sort(key=lambda problem: problem.line)
    return plan


def _newcomer(row: Row, here: _Here) -> Person:
    username = row.username or row.email or row.external_id
    try:
        if len(username) > sheet.LIMITS["username"]:
            raise ValidationError("too long")
        UnicodeUsernameValidator()(username)
    except ValidationError:
        raise ValidationError(f"“{username}” cannot be a username: add a column username.") from None
    if here.by["username"].get(email_key(username)):
        raise ValidationError(f"The username “{username}” is taken by somebody else: write another.")
    return Person(
        username=username,
        email=row.email,
        external_id=row.external_id or None,
        name=row.name,
        password=make_password(None),
    )


def _fields(row: Row, person: Person) -> dict[str, Any]:
    """The fields whose value the row changes."""
    said: dict[str, Any] = {
        "name": row.name,
        "username": row.username or None,
        "email": row.email or None,
        "external_id": row.external_id or None,
        "role": row.role,
        "location": row.location,
        "time_zone": row.time_zone,
        "about": row.about,
        "is_active": row.active,
    }
    if email_key(row.username) == email_key(person.username):
        said["username"] = None  # only another case: people go on signing in as they do
    return {name: value for name, value in said.items() if value is not None and value != getattr(person, name)}


def _team(path: Path, here: _Here) -> Path:
    ids = here.paths.get(path_key(path), [])
    if len(ids) > 1:
        raise ValidationError(f"{len(ids)} teams are called “{' / '.join(path)}”: rename one of them.")
    return path


def _teams(change: Change, teams: Sequence[Path], here: _Here) -> None:
    """Which memberships the row opens and closes."""
    active = change.fields.get("is_active", change.person.is_active)
    held = here.teams_of.get(change.person.pk, {}) if change.person.pk else {}
    if not active:
        change.leave = list(held.values())
    elif change.row.teams is not None:
        known = {team: path for path in teams for team in here.paths.get(path_key(path), ())}
        change.join = [path for path in teams if not held.keys() & set(here.paths.get(path_key(path), ()))]
        change.leave = [pk for team, pk in held.items() if team not in known]


def _plan_teams(plan: Plan, here: _Here) -> None:
    """Teams to make, parents first; a remark where a new one has the name of one elsewhere in the hierarchy."""
    last_names = {path[-1]: path for path in here.paths}
    planned: set[Path] = set()
    for change in plan.changes:
        for path in change.join:
            for depth in range(1, len(path) + 1):
                key = path_key(path[:depth])
                if key in planned or here.paths.get(key):
                    continue
                planned.add(key)
                plan.new_teams.append(path[:depth])
                if (other := last_names.get(key[-1])) and other != key:
                    plan.remarks.append(
                        f"line {change.row.line}: “{' / '.join(path[:depth])}” is a new team beside another of that "
                        "name. If you mean the other, write its whole path."
                    )


def _plan_managers(plan: Plan, here: _Here) -> None:
    above: dict[int, Person | None] = {}
    by_pk = {person.pk: person for person in here.people}
    for person in here.people:
        above[id(person)] = by_pk.get(person.manager_id) if person.manager_id else None
    for change in plan.changes:
        person, said = change.person, change.row.manager
        if said is None:
            continue
        try:
            manager = here.manager(said) if said else None
            _no_circle(person, manager, above)
        except ValidationError as error:
            plan.problems.append(Problem(change.row.line, " ".join(error.messages), change.row.name))
            continue
        if manager is not above.get(id(person)):
            change.manager, change.new_manager = manager, True
            above[id(person)] = manager


def _no_circle(person: Person, manager: Person | None, above: dict[int, Person | None]) -> None:
    step, seen = manager, set()
    while step is not None and id(step) not in seen:
        if step is person:
            raise ValidationError("Its manager would be below the person: correct it. The row is taken without it.")
        seen.add(id(step))
        step = above.get(id(step))


def _tell_namesakes(plan: Plan, here: _Here) -> None:
    """A remark where the file gives somebody a name that another bears: neither is known by it then."""
    named = {id(change.person): change.fields.get("name", change.person.name) for change in plan.changes}
    people = [*here.people, *(change.person for change in plan.adds)]
    bearing = Counter(name_key(named.get(id(person), person.display_name)) for person in people)
    lines: dict[str, list[Row]] = defaultdict(list)
    for change in plan.changes:
        if (change.new or "name" in change.fields) and bearing[name_key(change.row.name)] > 1:
            lines[name_key(change.row.name)].append(change.row)
    for key, rows in lines.items():
        where = ", ".join(str(row.line) for row in rows)
        plan.remarks.append(
            f"line {where}: {bearing[key]} accounts are called “{rows[0].name}”, so that no document is known as "
            "theirs by that name. If they are one person, let one row mean them; if not, only a source whose "
            "addresses are trusted tells them apart."
        )


def _plan_leavers(plan: Plan, here: _Here, taken: dict[int, int], *, many: bool) -> None:
    active = [person for person in here.people if person.is_active]
    missing = [person for person in active if id(person) not in taken]
    operators = [person for person in missing if person.is_staff or person.is_superuser]
    leaving = [person for person in missing if person not in operators]
    if operators:
        names = ", ".join(sorted(person.username for person in operators))
        plan.remarks.append(f"Not in the file, but kept because they run the site: {names}.")
    if plan.problems and leaving:
        plan.remarks.append(
            f"Nobody was deactivated: {len(leaving)} people are missing, but some lines could not be read and may "
            "mean them. Correct those lines and import again."
        )
        return
    if len(leaving) > FEW and len(leaving) > MOST * len(active) and not many:
        raise ImportRefused(
            f"{len(leaving)} of {len(active)} people are not in this file. If it is complete and they have all left, "
            "say so (--many, or the box “Even if that is many people” on the page); nothing was changed."
        )
    plan.leavers = leaving


def carry_out(plan: Plan, *, step: Callable[[int], None] = lambda done: None) -> None:
    """Write the plan, a hundred people a transaction; what was written before an error stays and is not done twice.

    ``step`` is told after each transaction how many of its changes and leavers are done.
    """
    try:
        teams = _make_teams(plan, step)
        for start in range(0, len(plan.changes), BATCH):
            _write(plan.changes[start : start + BATCH], teams)
            step(min(start + BATCH, len(plan.changes)))
        managed = [change for change in plan.changes if change.new_manager]
        planned = {one.person.pk: one.manager.pk if one.manager else None for one in managed}
        for start in range(0, len(managed), BATCH):
            part = managed[start : start + BATCH]
            for change in part:
                change.person.manager = change.manager
            actions.appoint_many(people=[change.person for change in part], planned=planned)
            step(len(plan.changes))
    except (IntegrityError, Circle) as error:
        raise ImportRefused(f"Somebody changed people at the same time ({error}). Import the file again.") from error
    for start in range(0, len(plan.leavers), BATCH):
        actions.deactivate(people=plan.leavers[start : start + BATCH], follow=False)
        step(len(plan.changes) + min(start + BATCH, len(plan.leavers)))
    if any(plan.changes) or plan.leavers:
        actions.people_changed()


def _make_teams(plan: Plan, step: Callable[[int], None]) -> dict[Path, int]:
    """Ids of all teams by path, after making the new ones."""
    known = team_paths()
    for start in range(0, len(plan.new_teams), BATCH):
        with transaction.atomic():
            for path in plan.new_teams[start : start + BATCH]:
                if not known.get(path_key(path)):
                    above = known.get(path_key(path[:-1]))
                    parent = Team.objects.get(pk=above[0]) if above else None
                    known[path_key(path)] = [actions.create_team(name=path[-1], parent=parent).pk]
        step(0)
    return {path: ids[0] for path, ids in known.items() if ids}


def _write(changes: Iterable[Change], teams: dict[Path, int]) -> None:
    """One transaction: accounts made and changed, memberships closed and opened."""
    now = timezone.now()
    changes = [change for change in changes if change]
    for change in changes:
        for name, value in change.fields.items():
            setattr(change.person, name, value)
    old: dict[tuple[str, ...], list[Person]] = defaultdict(list)  # by what changes: no field is written that stays
    for change in changes:
        if not change.new and change.fields:
            old[tuple(sorted(change.fields))].append(change.person)
    ended = [change.person.pk for change in changes if not change.new and change.fields.get("is_active") is False]
    with transaction.atomic():
        Person.objects.bulk_create([change.person for change in changes if change.new])
        for fields, people in old.items():
            Person.objects.bulk_update(people, fields)
        moved = [change.person.pk for change in changes if not change.new and "is_active" in change.fields]
        Membership.objects.filter(person__in=moved, comes_back=True).update(comes_back=False)  # the file has the word
        if ended:
            actions.end_sessions(people=ended)
            actions.bury_people(people=ended)
        Membership.objects.filter(pk__in=[pk for change in changes for pk in change.leave]).update(until=now)
        Membership.objects.bulk_create(
            [
                Membership(person=change.person, team_id=teams[path_key(path)], since=now)
                for change in changes
                for path in change.join
            ],
            ignore_conflicts=True,
        )
