"""Frameworks: lists of topics that somebody else has named, described and put in order (skills, occupations, roles).

Nobody needs one: topics come from documents. A framework adds descriptions,
other names and neighbours to them, and proposes topics where people say what
they know or need. It is no secret: whoever is signed in may read all of it, so
that it can say nothing about documents.

Importing the same file again changes nothing. What a newer file does not name
any more is marked as gone and proposed to nobody, and stays where people have
chosen it. Rows are written some at a time; an import that was interrupted goes
on when it is run again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from knowledge import bulk
from knowledge.framework_file import KEY, MAX_CODE, MAX_NAME, Entry, Fault, FrameworkRefused, key_of, read
from knowledge.index.analysis import tokens

if TYPE_CHECKING:
    from knowledge.access import Viewer

BATCH = 1000
"""Topics written in one transaction: about a tenth of a second on SQLite."""
LONGEST_NAME = 6
"""Words of a name that is looked for in a text."""
LOOKED_AT = 60
"""Words of a text that are looked at."""
MOST = 40
"""Topics of documents that are thought of."""
SHORTEST = 3
"""Letters of an unfinished word that is completed."""
NEIGHBOURS = 12

Value = TypeVar("Value")


class Framework(models.Model):
    """A framework by its name, with whose it is and on what terms, as it must be said beside its words."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120, unique=True)
    attribution = models.TextField(blank=True, max_length=1000, help_text="Shown wherever its words are shown.")
    imported_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Framework]] = models.Manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class FrameworkTopicQuerySet(models.QuerySet["FrameworkTopic"]):
    """Topics of frameworks, which everybody may read."""

    def present(self) -> Self:
        """Those that the newest file of their framework names."""
        return self.filter(gone_at=None)

    def named(self, key: str) -> Self:
        """Those that bear a topic's name (`topic_key`), as their own first, and where none does as another name."""
        own = self.present().filter(key=key)
        return (
            own if own.exists() else self.present().filter(pk__in=FrameworkName.objects.filter(key=key).values("topic"))
        )


class FrameworkTopic(models.Model):
    """One topic of a framework. ``parent`` is a code of the same framework, or a heading that has no row.

    ``key`` is what its name shares with spellings of the same topic; ``levels`` are pairs (name, what it means).
    """

    framework = models.ForeignKey(Framework, on_delete=models.CASCADE, related_name="topics")
    code = models.CharField(max_length=MAX_CODE)
    name = models.CharField(max_length=MAX_NAME)
    key = models.CharField(max_length=KEY, db_index=True)
    description = models.TextField(blank=True)
    levels = models.JSONField(default=list)
    parent = models.CharField(max_length=MAX_NAME, blank=True)
    digest = models.CharField(max_length=32, editable=False)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = FrameworkTopicQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["framework", "parent"])]
        constraints = [models.UniqueConstraint(fields=["framework", "code"], name="one_topic_per_code")]

    def __str__(self) -> str:
        return self.name


class FrameworkName(models.Model):
    """One more name of a framework's topic, by which it is found as well."""

    topic = models.ForeignKey(FrameworkTopic, on_delete=models.CASCADE, related_name="others")
    name = models.CharField(max_length=MAX_NAME)
    key = models.CharField(max_length=KEY, db_index=True)

    objects: ClassVar[models.Manager[FrameworkName]] = models.Manager()


# Bringing one in --------------------------------------------------------------------------------------------------


@dataclass
class Plan:
    """What an import would do, or did: topics that are new, changed and gone; rows that need a look, with the cure."""

    name: str
    attribution: str = ""
    rows: int = 0
    new: list[Entry] = field(default_factory=list)
    changed: list[Entry] = field(default_factory=list)
    same: int = 0
    gone: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return bool(self.new or self.changed or self.gone)

    @property
    def counts(self) -> str:
        """It in words."""
        return f"{len(self.new)} new, {len(self.changed)} changed, {self.same} the same, {len(self.gone)} gone"


def import_framework(
    *, data: bytes, file_name: str, name: str, attribution: str | None = None, dry_run: bool = False
) -> Plan:
    """Bring in a framework, or what is new in it, from a file; the plan that was, or would be, carried out.

    ``file_name`` says the type by its ending. ``attribution`` is kept as it is where nothing is said. Raises
    `FrameworkRefused`; single bad rows are told in ``Plan.faults``, and as long as there are any nothing is taken
    for gone, for nobody can tell whose rows they are.
    """
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise FrameworkRefused("A framework needs a name of at most 120 characters, such as “Our skills”.")
    framework = Framework.objects.filter(name=name).first()
    told = read(data, file_name)
    said = (framework.attribution if framework else "") if attribution is None else attribution.strip()[:1000]
    plan = Plan(name, said, told.rows, faults=told.faults, remarks=told.remarks)
    if not said:
        plan.remarks.append("Nothing says whose it is: if its licence asks for an attribution, give one.")
    known = {code: (digest, gone) for code, digest, gone in _known(framework)}
    for code, entry in told.entries.items():
        digest, gone = known.pop(code, ("", None))
        if digest == entry.digest() and gone is None:
            plan.same += 1
        else:
            (plan.changed if digest else plan.new).append(entry)
    missing = [code for code, (_, gone) in known.items() if gone is None]
    if plan.faults and missing:
        plan.remarks.append(
            f"{len(missing)} topics are not in the file and stay, because some of its lines could not be read."
        )
    else:
        plan.gone = missing
    if not dry_run:
        _carry_out(plan)
    return plan


def _known(framework: Framework | None) -> Iterable[tuple[str, str, Any]]:
    if framework is None:
        return ()
    rows: Iterable[tuple[str, str, Any]] = FrameworkTopic.objects.filter(framework=framework).values_list(
        "code", "digest", "gone_at"
    )
    return rows


def _carry_out(plan: Plan) -> None:
    """Write what the plan says; nothing at all where it says nothing new."""
    framework, _ = Framework.objects.get_or_create(name=plan.name, defaults={"attribution": plan.attribution})
    if framework.attribution != plan.attribution or plan.changes:
        framework.attribution, framework.imported_at = plan.attribution, timezone.now()
        framework.save(update_fields=["attribution", "imported_at"])
    for some in _some([*plan.new, *plan.changed]):
        with transaction.atomic():
            _write(framework.pk, some)
    for codes in _some(plan.gone):
        FrameworkTopic.objects.filter(framework=framework, code__in=codes).update(gone_at=timezone.now())


def _write(framework: int, entries: Sequence[Entry]) -> None:
    """Some topics with their names, whether they were there or not."""
    rows = [
        {
            "framework_id": framework, "code": one.code, "name": one.name, "key": one.key,
            "description": one.description, "levels": [list(level) for level in one.levels], "parent": one.parent,
            "digest": one.digest(), "gone_at": None,
        }
        for one in entries
    ]  # fmt: skip
    bulk.insert(FrameworkTopic, rows, unique=("framework_id", "code"))
    mine = FrameworkTopic.objects.filter(framework=framework, code__in=[one.code for one in entries])
    ids: dict[str, int] = dict(mine.values_list("code", "pk"))
    FrameworkName.objects.filter(topic__in=list(ids.values())).delete()
    bulk.insert(
        FrameworkName,
        [
            {"topic_id": ids[one.code], "name": other, "key": key}
            for one in entries
            for key, other in {key_of(other): other for other in one.others}.items()
            if key and key != one.key
        ],
    )


def _some(values: Iterable[Value]) -> Iterator[list[Value]]:
    rest = iter(values)
    while some := list(islice(rest, BATCH)):
        yield some


# What a framework says of a topic ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A topic beside another in a framework, by its name and what the address of its page is made of."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Described:
    """What one framework says of a topic: ``above`` may be a heading without a key."""

    topic: FrameworkTopic
    above: Neighbour | None
    below: tuple[Neighbour, ...]
    beside: tuple[Neighbour, ...]


def described(key: str, count: int = 3) -> list[Described]:
    """What frameworks say of a topic, each with its neighbours (two or three queries whatever they say)."""
    found = list(
        FrameworkTopic.objects.named(key).select_related("framework").order_by("framework__name", "pk")[:count]
    )
    if not found:
        return []
    near = Q()
    for one in found:
        family = Q(parent=one.code)
        if one.parent:
            family |= Q(parent=one.parent) | Q(code=one.parent)
        near |= Q(framework=one.framework_id) & family
    family_of = FrameworkTopic.objects.present().filter(near).order_by("name", "pk")[: 40 * len(found)]
    by_parent: dict[tuple[int, str], list[FrameworkTopic]] = defaultdict(list)
    by_code: dict[tuple[int, str], FrameworkTopic] = {}
    for row in family_of:
        by_code[row.framework_id, row.code] = row
        by_parent[row.framework_id, row.parent].append(row)
    told = []
    for one in found:
        place = one.framework_id
        parent = by_code.get((place, one.parent))
        heading = Neighbour(parent.name, parent.key) if parent else Neighbour(one.parent, "") if one.parent else None
        beside = [row for row in by_parent[place, one.parent] if row.pk != one.pk] if one.parent else []
        told.append(Described(one, heading, _near(by_parent[place, one.code]), _near(beside)))
    return told


def _near(rows: Iterable[FrameworkTopic]) -> tuple[Neighbour, ...]:
    names = {row.key: Neighbour(row.name, row.key) for row in rows}
    return tuple(names.values())[:NEIGHBOURS]


def names(keys: Collection[str]) -> dict[str, str]:
    """How frameworks call these topics, where they name them at all (one query, or two where some are other names)."""
    rows = FrameworkTopic.objects.present().filter(key__in=list(keys)).order_by("-framework__name", "-pk")
    found = dict(rows.values_list("key", "name"))
    if missing := [key for key in keys if key not in found]:
        others = FrameworkName.objects.filter(key__in=missing, topic__gone_at=None).order_by("-pk")
        found |= dict(others.values_list("key", "name"))
    return found


# Proposing topics -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposed:
    """A topic that may be meant. ``framework``: whose word it is; "" where documents that the viewer may read bear it.

    ``attribution``: what is to be said of the framework.
    """

    name: str
    key: str
    framework: str = ""
    attribution: str = ""


def suggest(text: str, viewer: Viewer, *, count: int = 8) -> list[Proposed]:
    """Topics that a text names, or that begin as its last word does: those of readable documents first.

    For whoever says what they know, asks, or builds a team. At most three queries; the longest names come first.
    """
    from knowledge.topics import spelled

    whole, unfinished = _runs(text)
    if not (whole or unfinished):
        return []
    there = spelled(_asked("slug", whole, unfinished), viewer, MOST)
    found = {key: Proposed(name, key) for key, name in there.items()}
    for one in _of_frameworks(whole, unfinished, count):
        found.setdefault(one.key, one)

    def order(one: Proposed) -> tuple[Any, ...]:
        said = one.key in whole
        return (not said, -one.key.count("-") if said else 0, bool(one.framework), one.name)

    return sorted(found.values(), key=order)[:count]


def _runs(text: str) -> tuple[frozenset[str], str]:
    """Every run of words of a text as topics are compared, and how the key begins that is still being typed."""
    words = tokens(text.replace("_", " "))[-LOOKED_AT:]
    runs = frozenset(
        "-".join(words[start : start + length])
        for length in range(1, LONGEST_NAME + 1)
        for start in range(len(words) - length + 1)
    )
    last = "-".join(words[-LONGEST_NAME:]) if len(words) <= LONGEST_NAME else ""
    return runs, last if len(last) >= SHORTEST else ""


def _asked(field_name: str, whole: Collection[str], unfinished: str) -> Q:
    asked = Q(**{f"{field_name}__in": list(whole)})
    return asked | Q(**{f"{field_name}__startswith": unfinished}) if unfinished else asked


def _of_frameworks(whole: Collection[str], unfinished: str, count: int) -> Iterator[Proposed]:
    """Topics of frameworks by their own names, and by other names that are said in full."""
    present = FrameworkTopic.objects.present()
    fields = ("name", "key", "framework__name", "framework__attribution")
    said = _asked("key", whole, unfinished)
    by_other = Q(pk__in=FrameworkName.objects.filter(key__in=list(whole)).values("topic"))
    exact = present.filter(Q(key__in=list(whole)) | by_other).order_by("key", "framework__name", "pk")
    begun = present.filter(said).order_by("key", "framework__name", "pk") if unfinished else present.none()
    for rows in (exact, begun):
        for name, key, framework, attribution in rows.values_list(*fields)[: count * 4]:
            yield Proposed(name, key, framework=framework, attribution=attribution)
