"""Typeahead: what somebody may mean who has typed this much, in groups, from what they may see now.

The index completes inside the viewer's scope, the database confirms what is
shown, and searches are the viewer's own. Nothing else is read, so nothing else
can change a suggestion, its place or a count.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from knowledge import index
from knowledge.access import Ground, Viewer
from knowledge.documents import KINDS, Query, Scope
from knowledge.framework_file import key_of
from knowledge.index import near
from knowledge.index.analysis import STOP_WORDS, fold, one_spelling, tokens, topic_key, topic_words
from knowledge.index.language import parse
from knowledge.models import STANDS_UNTIL, Resource, Search, Topic
from knowledge.questions import Blank, Question
from knowledge.search import Sources
from knowledge.topics import address

GROUPS = {
    "people": ("People", ("person",)),
    "tools": ("Tools", ("tool",)),
    "pages": ("Pages", tuple(kind for kind in KINDS if kind not in ("person", "tool"))),
    "topics": ("Topics", ()),
    "searches": ("My searches", ()),
}
"""The groups in their order: the heading of each, and the kinds of documents in it."""
SHOWN = {"people": 3, "tools": 3, "pages": 5, "topics": 3, "searches": 3}
ASKED = 10
"""Documents of one group that the index is asked for: the database may not confirm all of them."""
MANY = 40
"""Documents of all groups that the index is asked for at once; where it has more, it is asked for each group."""
FEW = 3
"""With fewer suggestions than these, words that are nearly as typed are looked for as well."""
WORDS = 6
"""Of a longer text the last words alone are completed."""
MOST_KNOWERS = 200
"""People of one topic who are looked through."""
TYPED = 3
"""Letters of the last word from which on a topic is meant by what is typed, and people who know it are suggested."""
REMEMBERED = 300
"""Searches of a person that are looked through, the newest first."""

_TOPIC_KEYS = Blank("keys", "text")

NAMED = Question(
    lambda: (
        Resource.objects.visible_to(None)
        .filter(public_id__in=Blank("keys", "uuid"))
        .values_list("public_id", "source", "kind", "title", "facts", STANDS_UNTIL)
    )
)
"""What a suggestion shows of the resources of these ``keys``."""
KNOWERS = Question(
    lambda: (
        Resource.objects.visible_to(None)
        .filter(kind="person")
        .filter(Exists(Resource.topics.through.objects.filter(resource=OuterRef("pk"), topic__slug__in=_TOPIC_KEYS)))
        .order_by("public_id")
        .values_list("public_id", "source", "kind", "title", "facts", STANDS_UNTIL)[:MOST_KNOWERS]
    )
)
"""The same of documents about people who are known for topics of these ``keys``; of very many, any."""
TOPICS = Question(
    lambda: (
        Topic.objects.filter(name__in=Blank("names", "text"))
        .filter(Exists(Resource.objects.visible_to(None).filter(topics=OuterRef("pk"))))
        .values_list("name")
    )
)
"""Those of these topics that a visible resource has."""
MINE = Question(
    lambda: (
        Search.objects.filter(person__in=Blank("person", "bigint"), total__gt=0)
        .order_by("-at")
        .values_list("text")[:REMEMBERED]
    )
)
"""What this person searched for and found, the newest first."""


class _Row(NamedTuple):
    """What the database says of a resource."""

    key: Any
    source: int
    kind: str
    title: str
    facts: Any
    verified_until: Any


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing that may be meant: the database confirmed it for this viewer, or it is their own.

    ``kind`` is a resource's, or "topic" or "search"; ``html`` the text,
    escaped, with ``<mark>`` around what was typed; ``url`` where it leads.
    """

    kind: str
    text: str
    html: str
    url: str
    detail: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Suggestions of one sort under their heading; ``name`` is one of `GROUPS`."""

    name: str
    label: str
    suggestions: tuple[Suggestion, ...]


@sensitive_variables()
def suggest(text: str, viewer: Viewer) -> tuple[Group, ...]:
    """What ``viewer`` may mean by a text that is still being typed; groups without suggestions are left out.

    The last word is unfinished. Filters that are typed narrow nothing here but
    the kind; whoever types other signs is offered nothing but their own searches.
    """
    query = parse(text)
    typed = _typed(query)
    found: dict[str, list[Suggestion]] = {}
    if typed and viewer.tokens:
        found = _known(typed, query, viewer)
    found["searches"] = _mine(query, viewer)
    return tuple(Group(name, label, tuple(found[name])) for name, (label, _) in GROUPS.items() if found.get(name))


def _typed(query: Query) -> tuple[str, ...]:
    """The words to be completed: those that mean something, and the last one whatever it means."""
    plain = Query(text=query.text, words=query.words, kinds=query.kinds)
    if query != plain or not query.words:
        return ()
    *whole, last = query.words
    return (*(word for word in whole if word not in STOP_WORDS), last)[-WORDS:]


# What the index and the database know -----------------------------------------------------------------------------


def _known(typed: tuple[str, ...], query: Query, viewer: Viewer) -> dict[str, list[Suggestion]]:
    ground = Ground(viewer)
    sources, scope = ground.sources, ground.scope
    wanted = set(query.kinds or KINDS)
    groups = {name: tuple(kind for kind in kinds if kind in wanted) for name, (_, kinds) in GROUPS.items()}
    asked = {name: kinds for name, kinds in groups.items() if kinds}
    with suppress(index.IndexProblem):  # none yet, or away: what was searched before is completed all the same
        engine = index.open_for_reading()
        for words in _shorter(typed):
            completed = _complete(engine, words, scope, asked)
            found = _confirmed(completed, words, viewer, sources)
            if "person" in wanted:
                found["people"] = _with_knowers(found.get("people", []), found["topics"], words, ground)
            if any(found.values()):
                return found
    return {}


def _shorter(typed: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """All that was typed; then, where that begins nothing, its last two words, all but the last, and one of two."""
    yield typed
    if len(typed) > 2:
        yield typed[-2:]
    if len(typed) > 1:
        yield typed[:-1]
    if len(typed) == 2 and len(typed[-1]) >= near.ONE_FROM - 1 and typed[-1] not in STOP_WORDS:
        yield typed[-1:]


@dataclass(frozen=True, slots=True)
class _Completed:
    """What the index offers, unconfirmed: documents in order, as typed and nearly so, and topics with counts."""

    keys: tuple[str, ...]
    nearly: tuple[str, ...]
    topics: Mapping[str, int]


def _complete(
    engine: index.Engine, words: tuple[str, ...], scope: Scope, asked: Mapping[str, Collection[str]]
) -> _Completed:
    """Names and topics that begin as typed and, where they are few, those that nearly do."""
    narrowed = sum(map(len, asked.values())) < len(KINDS)
    kinds = tuple(chain(*asked.values())) if narrowed else ()
    keys = engine.names(words, scope, kinds=kinds, limit=MANY)
    if len(keys) == MANY:  # then each group is asked for its own
        keys = tuple(key for of in asked.values() for key in _best(engine, words, scope, of))
    topics = {} if narrowed else engine.topics(words, scope)
    nearly: tuple[str, ...] = ()
    if len(keys) + len(topics) < FEW and any(near.slips(word) and _unknown(word, engine, scope) for word in words):
        nearly = engine.names(words, scope, kinds=kinds, slips=True, limit=MANY)
        if not (topics or narrowed):
            topics = engine.topics(words, scope, slips=True)
    return _Completed(keys, nearly, topics)


def _unknown(word: str, engine: index.Engine, scope: Scope) -> bool:
    """Whether nothing that the viewer may read holds a word that begins so: then it may be a slip."""
    return not engine.beginning(word, scope, limit=1)


def _best(engine: index.Engine, words: tuple[str, ...], scope: Scope, kinds: Collection[str]) -> tuple[str, ...]:
    """Of the many documents of one group first those whose names begin with what was typed."""
    first: tuple[str, ...] = ()
    if len(words) == 1:
        first = engine.names((f"^{words[0]}",), scope, kinds=kinds, limit=ASKED)
    if len(first) < ASKED:
        first = (*first, *engine.names(words, scope, kinds=kinds, limit=ASKED))
    return tuple(dict.fromkeys(first))[:ASKED]


def _confirmed(
    completed: _Completed, words: tuple[str, ...], viewer: Viewer, sources: Sources
) -> dict[str, list[Suggestion]]:
    """The suggestions that the database confirms, the nearest to what was typed first."""
    rows: dict[str, _Row] = {}
    if every := tuple(dict.fromkeys((*completed.keys, *completed.nearly))):
        told = (_Row(*row) for row in NAMED.rows(tokens=viewer.tokens, keys=map(UUID, every)))
        rows = {UUID(str(row.key)).hex: row for row in told if row.source in sources}
    found: dict[str, list[Suggestion]] = {}
    for name, (_, kinds) in GROUPS.items():
        for keys in (completed.keys, completed.nearly):
            some = [row for key in keys if (row := rows.get(key)) and row.kind in kinds]
            if some:
                some.sort(key=lambda row: _fit(words, row.title))
                found[name] = [_of_resource(row, words, sources) for row in some[: SHOWN[name]]]
                break
    spelling = one_spelling(completed.topics)
    counts: Counter[str] = Counter()
    for topic, count in completed.topics.items():
        counts[spelling[topic]] += count
    best = sorted(counts, key=lambda topic: (_fit(words, topic), -counts[topic], topic))[: SHOWN["topics"]]
    known = {name for (name,) in TOPICS.rows(tokens=viewer.tokens, names=best)} if best else set()
    found["topics"] = [_of_topic(topic, counts[topic], words) for topic in best if topic in known]
    return found


def _with_knowers(
    named: list[Suggestion], topics: Sequence[Suggestion], words: tuple[str, ...], ground: Ground
) -> list[Suggestion]:
    """People by name, and where there is room those who are known for a topic that begins as typed.

    What is told of them everyone may read (see documents about people). Those
    who are known for it before all else come first, as their document says.
    """
    meant = {topic_key(one.text): one.text for one in topics if _fit(words, one.text) == 0}
    room = SHOWN["people"] - len(named)
    if not meant or room < 1 or len(words[-1]) < TYPED:
        return named
    first: list[tuple[int, Suggestion]] = []
    for row in map(_Row._make, KNOWERS.rows(tokens=ground.viewer.tokens, keys=[key[:80] for key in meant])):
        if row.source in ground.sources and UUID(str(row.key)).hex not in ground.scope.behind:
            told = _facts(row).get("topics")
            known = enumerate(topic_key(str(name)) for name in (told if isinstance(told, list) else ()))
            first += [(place, _knower(row, meant[key], words)) for place, key in known if key in meant][:1]
    first.sort(key=lambda one: one[0])
    shown = {one.url for one in named}
    return [*named, *[one for _, one in first if one.url not in shown][:room]]


def _knower(row: _Row, topic: str, words: tuple[str, ...]) -> Suggestion:
    detail = ", ".join(filter(None, (_facts(row).get("role"), f"knows {topic}")))
    return Suggestion(row.kind, row.title, marked(row.title, words), _url(row), detail)


def _fit(words: tuple[str, ...], name: str) -> int:
    """How a name fits what was typed, 0 best: it begins so; it holds it side by side; as words; nearly."""
    own = topic_words(name)
    *whole, last = words

    def at(place: int) -> bool:
        end = place + len(whole)
        return own[place:end] == tuple(whole) and end < len(own) and own[end].startswith(last)

    if at(0):
        return 0
    if any(at(place) for place in range(1, len(own))):
        return 1
    return 2 if near.begin_like(words, own, False) else 3


def _facts(row: _Row) -> dict[str, Any]:
    return dict(json.loads(row.facts) if isinstance(row.facts, str) else row.facts)


def _url(row: _Row) -> str:
    return reverse("knowledge:resource", args=[UUID(str(row.key))])


def _of_resource(row: _Row, words: tuple[str, ...], sources: Sources) -> Suggestion:
    facts = _facts(row)
    if row.kind == "person":
        detail = ", ".join(filter(None, (facts.get("role"), facts.get("team"))))
    elif row.kind == "tool" and facts.get("jobs"):
        detail = str(facts["jobs"][0])
    else:
        place = sources[row.source].name
        detail = place if row.kind in ("page", "tool") else f"{row.kind.capitalize()}, {place}"
    verified = str(row.verified_until or "") >= str(timezone.localdate())
    return Suggestion(row.kind, row.title, marked(row.title, words), _url(row), detail, verified)


def _of_topic(topic: str, count: int, words: tuple[str, ...]) -> Suggestion:
    url = address(key_of(topic))
    return Suggestion("topic", topic, marked(topic, words), url, f"{count} document{'s' if count > 1 else ''}")


def _search_for(text: str) -> str:
    return f"{reverse('search')}?{urlencode({'q': text})}"


# What the viewer searched for -------------------------------------------------------------------------------------


@sensitive_variables()
def _mine(query: Query, viewer: Viewer) -> list[Suggestion]:
    """The viewer's own searches that found something and in which each word typed begins a word, the newest first."""
    typed = tuple(tokens(query.text))
    if not typed or viewer.person_id is None:
        return []
    found: dict[str, Suggestion] = {}
    for (text,) in MINE.rows(person=[viewer.person_id]):
        name = fold(text)
        if name != fold(query.text) and name not in found and near.begin_like(typed, tokens(text), False):
            found[name] = Suggestion("search", text, marked(text, typed), _search_for(text))
            if len(found) == SHOWN["searches"]:
                break
    return list(found.values())


# What was typed, marked -------------------------------------------------------------------------------------------


def marked(text: str, typed: Sequence[str]) -> str:
    """A name as safe HTML with ``<mark>`` around the beginnings that were typed, or the words nearly like them."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        end = at
        if text[at].isalnum() and not (at and text[at - 1].isalnum()):
            end = max(_end(text, at, word) for word in typed)
        parts.append(f"<mark>{escape(text[at:end])}</mark>" if end > at else escape(text[at]))
        at = max(end, at + 1)
    return "".join(parts)


def _end(text: str, start: int, typed: str) -> int:
    """Where what was typed ends in the word that begins here; ``start`` where that is another word."""
    end, limit = start, min(len(text), start + 2 * len(typed) + 2)
    while end < limit:
        end += 1
        said = fold(text[start:end])
        if said.startswith(typed):
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            return end
        if not typed.startswith(said):
            break
    word = start
    while word < len(text) and (text[word].isalnum() or unicodedata.combining(text[word])):
        word += 1
    return word if near.slips(typed) and near.begins(typed, fold(text[start:word]), near.slips(typed)) else start
