"""What people are known by: the documents they worked on, told to each viewer from what that viewer may read.

A source says who wrote a document in free text. Whether that means somebody
here is decided by one rule, the same for every row:

- in a source whose e-mail addresses are trusted, an address that is given
  decides alone: the contribution is that of the one account with this address,
  or nobody's;
- elsewhere an address proves nothing and is not looked at. A name counts when
  exactly one account bears it, and everything shown because of it is marked
  "by name". Names on the open web and in feeds may be anybody's: there they
  count only if the source's option ``match_names`` says so;
- two accounts with one address or one name, one of them left or not, mean
  nobody; but one that left with both the address and the name of one that is
  here was theirs: a double that was ended, or somebody who came back;
- who left stays the author of what they wrote: pages may say so, and whoever
  looks for people reads those who may be found alone. Whoever had their name
  removed is recognised without it, and it is taken off what is theirs;
- of an answer that was given here, its author is known (`answers.authors`): no name is asked;
- of a document that somebody says is not theirs, no name and no address means them.

The result is kept in ``Contribution.person`` and follows from people and
sources alone, so it is made anew whenever one of them changes.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Count, Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Least
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format

from experts.asking.answers import authors
from experts.models import Disowned, OwnTopic, Person, one_line
from knowledge.access import Viewer
from knowledge.explain import listed
from knowledge.index.analysis import one_spelling
from knowledge.models import REPEATING, Contribution, Resource, Source, Topic

OUTSIDE = frozenset({"web", "feed"})
"""Kinds of source whose authors are strangers unless the operator says otherwise."""

BATCH = 500
SHOWN_TOPICS = 12

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def email_key(email: str) -> str:
    """By what two addresses are the same: case of A to Z only, since other letters fold into strangers' addresses."""
    return email.strip().translate(_ASCII_LOWER)


def name_key(name: str) -> str:
    """By what two names look the same: compatible letters, case, blanks and invisible marks apart."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return one_line("".join(letter for letter in folded if unicodedata.category(letter) != "Cf"))


@dataclass(frozen=True, slots=True)
class Names:
    """Who an address and a name mean, for all accounts at one moment; `None` stands for nobody."""

    by_email: dict[str, int | None]
    by_name: dict[str, int | None]
    trusted: frozenset[int]
    named: frozenset[int]
    disowned: frozenset[tuple[int, int]]
    """A document, and who says that it is not theirs."""
    answered: dict[int, int | None]
    """Of documents that are answers given here, whose they are."""
    marked: dict[str, int]
    """Whose names and addresses were removed, by what is left to recognise them (see `mark`)."""

    @classmethod
    def now(cls) -> Names:
        """Read from the database (four queries, one more where there are answers)."""
        emails: dict[str, int | None] = {}
        names: dict[str, int | None] = {}
        marked: dict[str, int] = {}
        told = [
            (pk, email_key(email), name_key(name) or name_key(f"{first} {last}"), active, marks)
            for pk, email, name, first, last, active, marks in Person.objects.values_list(
                "pk", "email", "name", "first_name", "last_name", "is_active", "name_marks"
            )
        ]
        here = {(email, name) for _, email, name, active, _ in told if active and email and name}
        for pk, email, name, active, marks in told:
            for known, key in ((emails, email), (names, name)):
                if key and (active or (email, name) not in here):
                    known[key] = pk if key not in known else None
            marked |= dict.fromkeys(marks, pk)
        trusted, named = set(), set()
        for source in Source.objects.only("kind", "options", "trusts_emails"):
            if source.trusts_emails:
                trusted.add(source.pk)
            if source.options.get("match_names", source.kind not in OUTSIDE) is True:
                named.add(source.pk)
        disowned = frozenset(Disowned.objects.values_list("resource", "person"))
        return cls(emails, names, frozenset(trusted), frozenset(named), disowned, authors(), marked)

    def meant(self, resource: int, source: int, name: str, email: str) -> int | None:
        """The account that one contribution belongs to."""
        if resource in self.answered:
            person = self.answered[resource]
        elif source in self.trusted and (key := email_key(email)):
            person = self._one(self.by_email, key)
        else:
            person = self._one(self.by_name, name_key(name)) if source in self.named else None
        return None if person is None or (resource, person) in self.disowned else person

    def _one(self, known: dict[str, int | None], key: str) -> int | None:
        """The one account of this address or name, which another may have had before it was removed."""
        person = known.get(key)
        if not self.marked or not key:
            return person
        former = self.marked.get(mark(key))
        return person if former is None else None if key in known else former


@lru_cache(maxsize=10_000)
def mark(key: str) -> str:
    """What a name or an address (`name_key`, `email_key`) is recognised by when it is kept no more."""
    return salted_hmac("experts.evidence.mark", key, algorithm="sha256").hexdigest()


def attribute(contributions: QuerySet[Contribution] | None = None, *, source_id: int | None = None) -> int:
    """Give each contribution to the person it means, or to nobody; how many moved.

    All of them, those of one source, or those asked for. The same again
    changes nothing; writes are short transactions of at most five hundred rows.
    """
    rows = Contribution.objects.all() if contributions is None else contributions
    if source_id is not None:
        rows = rows.filter(resource__source=source_id)
    names = Names.now()
    nameless = set(names.marked.values())
    moved: dict[int | None, list[int]] = defaultdict(list)
    columns = ("pk", "resource", "resource__source", "name", "email", "person")
    for pk, resource, source, name, email, person in rows.values_list(*columns).iterator(chunk_size=5000):
        if person in nameless and not name and not email:
            continue
        if (meant := names.meant(resource, source, name, email)) != person:
            moved[meant].append(pk)
    for batch in _batches(moved):
        with transaction.atomic():
            for meant, ids in batch:
                Contribution.objects.filter(pk__in=ids).update(person=meant)
    if nameless:
        _take_names_off(rows.filter(person__in=nameless).exclude(name="", email=""))
    return sum(len(ids) for ids in moved.values())


def _take_names_off(contributions: QuerySet[Contribution]) -> None:
    """Of whoever had their name removed; the index writes their documents again without it."""
    from knowledge.indexing import take_back

    while some := dict(contributions.order_by("pk").values_list("pk", "resource")[:BATCH]):
        with transaction.atomic():
            Contribution.objects.filter(pk__in=list(some)).update(name="", email="")
            take_back(sorted(set(some.values())))


def _batches(moved: dict[int | None, list[int]]) -> Iterator[list[tuple[int | None, list[int]]]]:
    """Who gets which rows, cut so that one transaction stays short."""
    batch: list[tuple[int | None, list[int]]] = []
    rows = 0
    for meant, ids in moved.items():
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            if batch and (rows + len(part) > BATCH or len(batch) >= BATCH // 10):
                yield batch
                batch, rows = [], 0
            batch.append((meant, part))
            rows += len(part)
    if batch:
        yield batch


NOT_WRITTEN = {"tool": "Keeps it", "course": "Gives it"}
"""What whoever is named for a resource does, by kind: nobody writes a tool that a list names."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One resource that somebody worked on and that the viewer may read.

    ``share`` is their part of it in 0..1, ``last`` their latest change;
    ``by_name`` says that only the name, not a checked address, tells that it was they.
    """

    resource: Resource
    share: float
    last: datetime | None
    by_name: bool

    @property
    def did(self) -> str:
        """What they did to it, in words."""
        percent = round(self.share * 100)
        part = "all of it" if percent >= 100 else f"{percent} % of it" if percent else "a little of it"
        return NOT_WRITTEN.get(self.resource.kind) or f"Wrote {part}"


def kept_back() -> Exists:
    """That somebody keeps a topic of the document to themselves: then it speaks for them nowhere.

    For the ``filter`` of resources that names the people by ``contributions__person``, so that both mean one person.
    """
    about = Topic.resources.through.objects.filter(resource=OuterRef(OuterRef("pk"))).values("topic__slug")
    return Exists(OwnTopic.objects.filter(person=OuterRef("contributions__person"), hidden=True, key__in=about))


def _touched(viewer: Viewer, *, hidden: bool = False, **whose: Any) -> Any:
    """Resources that the viewer may read, joined once with the contributions of the people meant.

    ``hidden``: also what they keep back, for the page that is theirs alone.
    """
    meant = Q(**{f"contributions__{name}": who for name, who in whose.items()})
    return Resource.objects.visible_to(viewer).filter(meant if hidden else meant & ~kept_back())


def written_by(person: Person, viewer: Viewer, *, hidden: bool = False) -> Any:
    """Rows of ``pk, share, last, checked``, one a resource that the viewer may read, newest first (see `shown`).

    ``hidden`` as in `topics_of`.
    """
    checked = Case(
        When(Q(source__trusts_emails=True) & ~Q(contributions__email=""), then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return (
        _touched(viewer, hidden=hidden, person=person)
        .values("pk")
        .annotate(
            share=Least(Sum("contributions__share"), Value(1.0)),
            last=Max("contributions__last"),
            checked=Max(checked),
        )
        .order_by(F("last").desc(nulls_last=True), "title", "public_id")
    )


def shown(rows: Iterable[dict[str, Any]]) -> list[Evidence]:
    """The rows of `written_by` with their resources, without bodies (one query)."""
    rows = list(rows)
    resources = Resource.objects.select_related("source").defer("body").in_bulk([row["pk"] for row in rows])
    return [
        Evidence(resources[row["pk"]], row["share"], row["last"], not row["checked"])
        for row in rows
        if row["pk"] in resources
    ]


def topics_of(person: Person, viewer: Viewer, *, hidden: bool = False) -> list[dict[str, Any]]:
    """Topics of what they worked on and the viewer may read: ``name, documents, last``, the most worked on first.

    What they keep to themselves, and what is beyond the first dozen, only where ``hidden`` is wanted too: on the
    page that is theirs alone.
    """
    bearing = Resource.objects.visible_to(viewer).naming().filter(topics=OuterRef("topics"))
    rows = (
        _touched(viewer, hidden=hidden, person=person)
        .filter(~Q(source__kind__in=REPEATING) | Exists(bearing), topics__isnull=False)
        .values(name=F("topics__name"))
        .annotate(documents=Count("pk", distinct=True), last=Max("contributions__last"))
        .order_by("-documents", "name")
    )
    spelling = one_spelling({row["name"]: row["documents"] for row in rows})
    topics: dict[str, dict[str, Any]] = {}
    for row in rows:
        topic = topics.setdefault(spelling[row["name"]], {"name": spelling[row["name"]], "documents": 0, "last": None})
        topic["documents"] += row["documents"]
        topic["last"] = max(filter(None, (topic["last"], row["last"])), default=None)
    most = sorted(topics.values(), key=lambda topic: (-topic["documents"], topic["name"]))
    return most if hidden else most[:SHOWN_TOPICS]


def evidence_lines(public_ids: Iterable[UUID], viewer: Viewer) -> dict[UUID, str]:
    """For each person with evidence that the viewer may read, one sentence that says it (one query)."""
    rows = (
        _touched(viewer, person__public_id__in=list(public_ids), person__in=Person.objects.findable())
        .values("kind", who=F("contributions__person__public_id"))
        .annotate(documents=Count("pk", distinct=True), last=Max("contributions__last"))
        .order_by("-documents", "kind")
    )
    told: dict[UUID, list[tuple[str, int, datetime | None]]] = defaultdict(list)
    for row in rows:
        told[row["who"]].append((row["kind"], row["documents"], row["last"]))
    return {who: sentence(parts) for who, parts in told.items()}


def evidence_line(person: Person, viewer: Viewer) -> str:
    """As `evidence_lines`, for one person; "" when there is nothing that the viewer may read."""
    return evidence_lines([person.public_id], viewer).get(person.public_id, "")


def sentence(parts: Iterable[tuple[str, int, datetime | None]]) -> str:
    """``Wrote or edited 3 pages and 1 tool that you can read, the newest in May 2026.``"""
    parts = list(parts)
    things = [
        f"{count} {kind if count == 1 else {'person': 'people'}.get(kind, kind + 's')}" for kind, count, _ in parts
    ]
    newest = max((last for _, _, last in parts if last), default=None)
    when = f", the newest in {date_format(newest, 'F Y')}" if newest else ""
    return f"Wrote or edited {listed(things)} that you can read{when}."
