"""Brings the demo company in the way a real one comes: people by CSV, pages by connectors, then some weeks of use.

Every step finds what an earlier run has done, so that seeding again changes
nothing and seeding after an interruption goes on.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils import timezone

from experts import actions as people_actions
from experts.asking.answers import ensure_answers_source
from experts.directory import plan as directory
from experts.models import Membership, Person, Team
from immersive.demo import COMPANY, MARK
from immersive.work.lessons.connector import ensure_lessons_source
from knowledge import actions
from knowledge.documents import EVERYONE
from knowledge.frameworks import import_framework
from knowledge.management.progress import follow_sync
from knowledge.models import Audience, Source, SourceGroup, SyncRun
from knowledge.replacing import replace

CURATORS = "Curators"
CURATED = ("pin", "synonym", "livesource", "framework")
"""What curators write (`docs/curating.md`)."""
LOOKED_AFTER = ("view_source", "change_source", "view_syncrun", "view_gap", "view_team", "moderate_ask")
"""What else they may: a team they see for its number, by which they say for whom something is; and take words away."""
CURATOR, OPERATOR = "idris.callowen", "emeka.obiwande"


class Refused(Exception):
    """The demo company was not brought in. The message says the cure."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One source of the company. Audience and groups name teams, usernames, ``everyone`` or ``leads``."""

    name: str
    kind: str
    path: str
    audience: Sequence[str] = (EVERYONE,)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    trusts_emails: bool = True

    @property
    def address(self) -> Path:
        """Where it is read from; the courses have dates of this year and stand outside of the checkout."""
        return demo_dir() / self.path if self.path == "courses.csv" else COMPANY / self.path


SOURCES = (
    Plan("Handbook", "folder", "pages/handbook", groups={"managers": ["leads"], "people-team": ["People"]}),
    Plan("Service manual", "folder", "pages/service"),
    Plan(
        "Engineering and quality",
        "folder",
        "pages/engineering",
        groups={
            "software-team": ["Software"],
            "security-response": [
                "omar.beltaziri", "arjun.velathil", "sanne.duivenkamp", "emeka.obiwande", "lucia.ferrandini",
                "anselm.roetger",
            ],
        },
    ),
    Plan(
        "Commercial",
        "folder",
        "pages/commercial",
        audience=["Sales", "Supply", "Finance", "Customer Care"],
        groups={
            "pricing-board": [
                "vivienne.archambrel", "rosalind.thackerby", "jun.hayashimo", "hamish.dunlorne", "oskar.nyblad",
            ]
        },
    ),
    Plan(
        "Finance and payroll",
        "folder",
        "pages/finance-private",
        audience=["Finance", "People"],
        groups={
            "finance": ["Finance"],
            "payroll": ["greta.wolkenstam", "pavel.drahomin", "nadia.ferroukhal", "rosalind.thackerby"],
        },
    ),
    Plan("Tools", "catalogue", "tools.csv", options={"kind": "tool", "fields": {"creators": "owner"}}),
    Plan("Courses and videos", "catalogue", "courses.csv", options={"fields": {"creators": "teacher"}}),
)  # fmt: skip


def seed(out: Any) -> None:
    """Bring the demo company in, or what is missing of it; ``out`` is a command's stdout.

    Raises `Refused` where it may not exist, `SourceError` when its folders may not be read.
    """
    if not settings.DEVELOPMENT:
        raise Refused(
            "The demo company exists in development only. Set DEVELOPMENT=1 (make demo does), "
            "but never where real people work."
        )
    from immersive.demo import asked, history, learnt, together

    bring_people()
    sources = [bring_source(plan) for plan in SOURCES]
    follow_sync(sources, out)
    people = people_actions.ensure_people_source()
    SyncRun.objects.filter(source=people, done_at=None, lease=None).update(due_at=timezone.now())
    follow_sync([people], out)
    history.verify(sources)
    history.search_and_open()
    history.work(sources)
    asked.ask_each_other(sources)
    follow_sync([ensure_answers_source(), people], out)  # who answered is known by it
    together.bring_together()
    learnt.learn(sources)
    follow_sync([ensure_lessons_source()], out)
    bring_skills()
    history.follow()
    _note().parent.mkdir(parents=True, exist_ok=True)
    replace(_note(), _fingerprint().encode())


def is_done() -> bool:
    """Whether this database holds the company as it stands in these files, with courses that begin after today."""
    return _note().is_file() and _note().read_text() == _fingerprint() and demo_people().exists()


def _note() -> Path:
    return demo_dir() / "brought"


def _fingerprint() -> str:
    """Where, when and from which files; of another day, because courses are told with dates that lie ahead."""
    files = sorted(path for path in COMPANY.parent.rglob("*") if path.is_file() and path.suffix != ".pyc")
    told = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr((timezone.localdate(), told)).encode()).hexdigest()


def demo_people() -> Any:
    """The people of the demo company, whoever else is here."""
    return Person.objects.filter(external_id__startswith=MARK)


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of one of the company's tables."""
    with (COMPANY / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# People -----------------------------------------------------------------------------------------------------------


def bring_people() -> None:
    """People and teams through the importer, then the roles of curator and operator."""
    plan = directory.import_people((COMPANY / "people.csv").read_bytes())
    if plan.problems:
        raise Refused(f"people.csv: {plan.problems[0]} ({len(plan.problems)} lines in all).")
    _backdate([change.person for change in plan.adds])
    with transaction.atomic():
        curators, _ = Group.objects.get_or_create(name=CURATORS)
        curators.permissions.set(
            Permission.objects.filter(content_type__app_label="knowledge", content_type__model__in=CURATED)
            | Permission.objects.filter(codename__in=LOOKED_AFTER)
        )
        curator = demo_people().get(username=CURATOR)
        curator.groups.add(curators)
        demo_people().filter(username=CURATOR).update(is_staff=True)
        demo_people().filter(username=OPERATOR).update(is_staff=True, is_superuser=True)


def _backdate(people: Sequence[Person]) -> None:
    """Nobody joined today: some came in spring, some have been here for decades."""
    now = timezone.now()
    since = {person.pk: now - timedelta(days=_joined_days_ago(person.username)) for person in people}
    memberships = list(Membership.objects.filter(person__in=list(since), until=None))
    for membership in memberships:
        membership.since = since[membership.person_id]
    Membership.objects.bulk_update(memberships, ["since"])


def _joined_days_ago(username: str) -> int:
    known = {"nils.ravnskov": 240, "rhys.pennarth": 50}  # who is new is offered where to begin
    return known.get(username) or random.Random(username).randint(400, 7000)  # noqa: S311


def bring_skills() -> None:
    """The company's own list of skills: a framework, through the importer."""
    plan = import_framework(
        data=(COMPANY / "skills.csv").read_bytes(),
        file_name="skills.csv",
        name="Skills at Alderhearth",
        attribution="Alderhearth’s own list, invented for this demo.",
    )
    if plan.faults:
        raise Refused(f"skills.csv: {plan.faults[0]} ({len(plan.faults)} lines in all).")


# Sources ----------------------------------------------------------------------------------------------------------


def demo_dir() -> Path:
    """Where this installation keeps what is made for the demo."""
    return Path(settings.VAR_DIR) / "demo"


def bring_source(plan: Plan) -> Source:
    """The source, its audience and what its groups mean here."""
    if plan.path == "courses.csv":
        write_courses(plan.address, timezone.localdate())
    address = str(plan.address)
    # A checkout that was moved is the same company at another address.
    Source.objects.filter(kind=plan.kind, name=plan.name, address__endswith=f"demo/company/{plan.path}").update(
        address=address
    )
    audience = frozenset(tokens(plan.audience))
    source = Source.objects.filter(kind=plan.kind, address=address, active=True).first()
    if source is None or source.options != dict(plan.options) or source.audience != Audience.objects.of(audience):
        source = actions.add_source(
            kind=plan.kind,
            address=address,
            name=plan.name,
            audience=audience,
            options=dict(plan.options),
            trusts_emails=plan.trusts_emails and plan.kind == "folder",
        )
    wanted = {(group, token) for group, said in plan.groups.items() for token in tokens(said)}
    with transaction.atomic():
        held = {(row.name, row.token): row.pk for row in SourceGroup.objects.filter(source=source)}
        SourceGroup.objects.filter(pk__in=[pk for pair, pk in held.items() if pair not in wanted]).delete()
        SourceGroup.objects.bulk_create(
            [SourceGroup(source=source, name=name, token=token) for name, token in sorted(wanted - held.keys())]
        )
    return source


def tokens(said: Iterable[str]) -> set[str]:
    """The audience tokens of teams, usernames, ``everyone``, and ``leads`` (whoever somebody reports to)."""
    found: set[str] = set()
    for name in said:
        if name == EVERYONE:
            found.add(EVERYONE)
        elif name == "leads":
            found |= {f"person:{pk}" for pk in demo_people().filter(reports__isnull=False).values_list("pk", flat=True)}
        elif team := Team.objects.filter(name=name, memberships__person__external_id__startswith=MARK).first():
            found.add(f"team:{team.pk}")
        else:
            found.add(f"person:{demo_people().get(username=name).pk}")
    return found


def write_courses(path: Path, today: date) -> None:
    """The courses with dates that lie ahead; a table that still has only such dates stays as it is."""
    courses = rows_of("courses.csv")
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            there = list(csv.DictReader(file))
        dates = [row.pop("next_date", "") for row in there]
        wanted = [{name: value for name, value in row.items() if name != "in_days"} for row in courses]
        if there == wanted and all(day >= today.isoformat() for day in dates if day):
            return
    for row in courses:
        days = row.pop("in_days")
        row["next_date"] = (today + timedelta(days=int(days))).isoformat() if days else ""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(courses[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(courses)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, text.getvalue().encode())
