"""Topics: what a sentence is about (a task, a question), and what stands under one, from what somebody may read.

How a topic is called, how many documents it has and what stands beside it
always follows from documents that this viewer may read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, When, Window
from django.db.models.functions import Coalesce, RowNumber
from django.urls import reverse
from django.utils import timezone

from knowledge import frameworks
from knowledge.access import Viewer
from knowledge.documents import KINDS, Query
from knowledge.index.analysis import content_words, stem, tokens, topic_words
from knowledge.index.language import to_text
from knowledge.models import Resource, Topic

LONGEST_NAME = 4
"""Words in a topic's name that are looked for in a sentence."""
MOST = 5
BEFORE_A_NOUN = frozenset(
    ("a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "this", "that", "these", "those")
)
"""What follows a verb, and hardly a noun: *leave a certificate*."""
SHORTEST = 3
"""Letters by which topics are looked up that may be another form of a word."""
MOST_WORDS = 60
"""Of a sentence that are looked for in other forms too."""
NEWEST, BESIDE = 2000, 300
"""Documents, the newest, whose topics are listed; and by which neighbours are known."""
LATELY = timedelta(days=90)
UNKNOWN = "No page that you may read has a topic of that name. Choose one of those that show while you type."
"""What whoever names a topic reads where there is none of that name for them."""


def proposed(statement: str, started_from: Resource | None, viewer: Viewer) -> list[Topic]:
    """At most five topics: those of the resource that it began with, else those that the sentence names in any form.

    Those that it names as they are written stand first: who writes *burner* means *Burners* too.
    A topic is only proposed when the viewer may read something about it: the
    name of a topic that is known from hidden pages alone tells of them. One
    whose only word is a verb here (*leave a certificate*) may mean another
    thing: a page about it has to share a second word with the sentence.
    """
    if started_from is not None and (own := list(started_from.topics.order_by("name")[:MOST])):
        return own
    bearing = _naming(viewer).filter(topics=OuterRef("pk"))
    words = tokens(statement.replace("_", " "))
    as_written, in_any_form = _runs(words), _runs([stem(word) for word in words])
    like = Q(slug__in=as_written)
    for word in content_words(words)[:MOST_WORDS]:
        begins = stem(word).rstrip("ei")  # prime, priming: the end of a stem is not in each form
        like |= Q(slug__startswith=begins) if len(begins) >= SHORTEST else Q()
    one_each: dict[str, Topic] = {}
    for topic in sorted(
        Topic.objects.filter(Exists(bearing)).filter(like), key=lambda one: (one.slug not in as_written, one.name)
    ):
        form = "-".join(map(stem, topic_words(topic.name)))
        meant = not _only_a_verb(topic.slug, words) or _shares_more(topic, words, viewer)
        if meant and (topic.slug in as_written or form in in_any_form):
            one_each.setdefault(form, topic)
    return list(one_each.values())[:MOST]


def _only_a_verb(key: str, words: Sequence[str]) -> bool:
    """Whether a topic of one word, in each of its forms here, stands right before what a noun follows."""
    places = [place for place, word in enumerate(words) if word.startswith(key.rstrip("e")) and stem(word) == stem(key)]
    return bool(places) and all(words[place + 1 : place + 2] and words[place + 1] in BEFORE_A_NOUN for place in places)


def _shares_more(topic: Topic, words: Sequence[str], viewer: Viewer) -> bool:
    """Whether the name of a page of this topic, among the newest that the viewer may read, has another of the words."""
    others = {stem(word) for word in content_words(words)} - {stem(word) for word in topic_words(topic.name)}
    newest = _naming(viewer).filter(topics=topic).order_by(F("updated").desc(nulls_last=True), "pk")
    return any(others & set(map(stem, tokens(title))) for title in newest.values_list("title", flat=True)[:BESIDE])


def names_in(statement: str) -> frozenset[str]:
    """Every run of one to four words of a sentence as topics are compared (`topic_key`)."""
    return _runs(tokens(statement.replace("_", " ")))


def _runs(words: Sequence[str]) -> frozenset[str]:
    return frozenset(
        "-".join(words[start : start + length])
        for length in range(1, LONGEST_NAME + 1)
        for start in range(len(words) - length + 1)
    )


# Topics of what somebody may read ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """A topic as one viewer may know it: how many documents that they may read changed lately, and when the last."""

    name: str
    key: str
    lately: int = 0
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Documents of one kind about a topic: the first few, and how many there are for this viewer."""

    kind: str
    documents: tuple[Resource, ...]
    total: int


def address(key: str) -> str:
    """Where a topic's page is; for the few keys that no address can hold, where its documents are found."""
    if "/" in key:
        return f"{reverse('search')}?{urlencode({'q': to_text(Query(topics=(key,)))})}"
    return reverse("experts:topic", args=[key])


def alive(viewer: Viewer, text: str = "") -> list[Listed]:
    """Topics of what the viewer may read, those of which most changed in ninety days first (one or two queries).

    They are those of the newest two thousand documents. With a ``text``, those
    of them whose names hold its words, and then others that do, by name.
    """
    readable = _naming(viewer)
    newest = readable.order_by(F("updated").desc(nulls_last=True), "pk").values("pk")[:NEWEST]
    rows = (
        Resource.objects.filter(pk__in=newest, topics__isnull=False)
        .order_by()
        .values_list("topics__slug", "topics__name")
        .annotate(documents=Count("pk"), newest=Max("updated"))
        .annotate(lately=Count("pk", filter=Q(updated__gte=timezone.now() - LATELY)))
    )
    words = tokens(text.replace("_", " "))[:MOST]
    by_key: dict[str, list[Any]] = defaultdict(list)
    for key, name, documents, last, lately in rows:
        if all(word in key for word in words):
            by_key[key].append((name, documents, last, lately))
    found = []
    for key, spellings in by_key.items():
        name = _best({name: documents for name, documents, *_ in spellings})
        last = max((last for *_, last, _ in spellings if last), default=None)
        found.append(Listed(name, key, sum(lately for *_, lately in spellings), last))
    found.sort(key=lambda one: (-one.lately, -one.newest.timestamp() if one.newest else 0, one.name))
    if words:
        holding = Q(*(Q(slug__contains=word) for word in words))
        found += [Listed(name, key) for key, name in spelled(holding, viewer).items() if key not in by_key]
    return found


def spelled(which: Q, viewer: Viewer, count: int = 200) -> dict[str, str]:
    """Names by key of these topics, of those that a document bears which the viewer may read, by name (one query).

    Nothing is counted: of several spellings that they may read it is one, not in capitals if that can be.
    """
    bearing = _naming(viewer).filter(topics=OuterRef("pk"))
    rows = Topic.objects.filter(which).filter(Exists(bearing)).order_by("slug", "name")
    found: dict[str, str] = {}
    for key, name in rows.values_list("slug", "name")[: count * 2]:
        if key not in found or found[key].isupper():
            found[key] = name
    return dict(list(found.items())[:count])


def names(keys: Iterable[str], viewer: Viewer) -> dict[str, str]:
    """How documents that the viewer may read spell these topics; those that none bears are left out (one query)."""
    spellings: dict[str, dict[str, int]] = defaultdict(dict)
    rows = _naming(viewer).filter(topics__slug__in=list(keys)).order_by()  # from there: a topic has few, all are many
    for key, name, documents in rows.values_list("topics__slug", "topics__name").annotate(documents=Count("pk")):
        spellings[key][name] = documents
    return {key: _best(those) for key, those in spellings.items()}


def of(viewer: Viewer) -> QuerySet[Topic]:
    """The topics that stand on a document which the viewer may read; a row that names others names these alone."""
    return Topic.objects.filter(Exists(_naming(viewer).filter(topics=OuterRef("pk"))))


def _readable(viewer: Viewer) -> Any:
    """Documents, people's left out: those repeat the topics of others."""
    return Resource.objects.visible_to(viewer).exclude(kind="person")


def _naming(viewer: Viewer) -> Any:
    """Documents whose topics are their own: what they name is there for the viewer."""
    return Resource.objects.visible_to(viewer).naming()


def known(keys: Collection[str], viewer: Viewer) -> dict[str, str]:
    """How these topics are called for the viewer: by documents that they may read, else by frameworks.

    What neither names is not there for them (one to three queries).
    """
    found = names(keys, viewer) if keys else {}
    missing = [key for key in keys if key not in found]
    return found | frameworks.names(missing) if missing else found


def _best(spellings: dict[str, int]) -> str:
    """Spellings of one topic with their counts: the most frequent."""
    return min(spellings, key=lambda name: (-spellings[name], name))


def shelves(key: str, viewer: Viewer, count: int = 5) -> list[Shelf]:
    """What the viewer may read about a topic, by kind: verified first, then by use, then the newest (three queries)."""
    still = Q(verification__until__gte=timezone.localdate(), verification__suspended_at=None)
    best = [
        Case(When(still, then=0), default=1).asc(),
        Coalesce("standing__use", 0).desc(),
        F("updated").desc(nulls_last=True),
        F("pk").asc(),
    ]
    places = (
        _readable(viewer)
        .filter(topics__slug=key)
        .annotate(place=Window(RowNumber(), partition_by=F("kind"), order_by=best))
        .annotate(of_kind=Window(Count("pk"), partition_by=F("kind")))
        .filter(place__lte=count)
        .order_by("place")
    )
    first = list(places.values_list("pk", "kind", "of_kind"))
    rows = (
        _readable(viewer).select_related("source").with_verification().defer("body").in_bulk([pk for pk, *_ in first])
    )
    total = {kind: of_kind for _, kind, of_kind in first}
    by_kind: dict[str, list[Resource]] = defaultdict(list)
    for pk, kind, _ in first:
        if pk in rows:
            by_kind[kind].append(rows[pk])
    return [Shelf(kind, tuple(by_kind[kind]), total[kind]) for kind in KINDS if by_kind[kind]]


def beside(key: str, viewer: Viewer, count: int = 8) -> list[tuple[str, str]]:
    """Names and keys of the topics that most often stand beside this one, on the newest that the viewer may read."""
    newest = _naming(viewer).filter(topics__slug=key).order_by(F("updated").desc(nulls_last=True), "pk").values("pk")
    rows = Resource.objects.filter(pk__in=newest[:BESIDE]).order_by().values_list("topics__slug", "topics__name")
    spellings: dict[str, dict[str, int]] = defaultdict(dict)
    for other, name, documents in rows.annotate(documents=Count("pk")):
        if other != key:
            spellings[other][name] = documents
    order = sorted(spellings, key=lambda other: (-sum(spellings[other].values()), other))
    return [(_best(spellings[other]), other) for other in order[:count]]
