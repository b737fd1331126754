"""Who knows about something: people ranked by the documents near to it that the asker may read.

The search finds and orders documents as it does for the same viewer; `votes`
says what they tell of people. The database is asked once which of these
documents the viewer may read and who worked on them, once what those people
and others said of the topics themselves, and once who they are. So nothing
that the viewer may not read takes part, in no rank, reason, count or date.

What a person says of themselves stands behind all evidence: it brings in
people where documents name too few, and lifts nobody above somebody who did
the work.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.text import Truncator

from experts.evidence import sentence
from experts.models import OwnTopic, Person
from experts.room import with_room
from experts.sayings import Said, said, turn
from experts.votes import CLOSE, STEPS, Depth, Vote, depth, is_about, matches, score, years_since
from knowledge import index
from knowledge.access import Ground, Viewer
from knowledge.documents import Hit, Query, ResultPage
from knowledge.explain import listed
from knowledge.index.analysis import topic_key
from knowledge.index.asked import asked_words
from knowledge.index.language import parse, plain, to_text
from knowledge.models import Contribution, Resource, Topic
from knowledge.questions import Blank, Question
from knowledge.search import Found, retrieve

DEPTH = 100
"""Documents that vote. Of very many that match, an engine chooses which are put in order by statistics of its own,
which hidden documents move: that shows in the tail of a long list, and was never seen among the first hundred."""
TOPIC_WORDS = 3
MOST_TOPICS = 40
LONGEST_KEY = 80
LONGEST_TITLE = 80
MOSTLY = 0.5
PIN = Hit.PARTS.index("pin")
NO_EVIDENCE = "Nothing that you can read shows it."
ONLY_SAID = "Says that they know it; nothing that you can read shows it yet."

_HEX = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a person, in words, and where it can be opened."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Expert:
    """A person with what speaks for them; ``score`` orders and is shown to nobody.

    ``documents`` are those close to what was asked, ``last`` the newest work on one of them. A score of 0: no document
    speaks for them, only they themselves do. ``behind``: keys of all documents that speak for them, and how well each
    matches; ``teaches``: they offer to be a mentor in it.
    """

    person: Person
    score: float
    reasons: tuple[Reason, ...]
    documents: int
    last: datetime | None
    behind: tuple[tuple[UUID, float], ...] = ()
    teaches: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """How well somebody knows a topic, coarsely, as far as one viewer may know: in words, and when they last did it."""

    depth: Depth
    text: str = NO_EVIDENCE
    last: datetime | None = None
    documents: int = 0
    url: str = ""

    @property
    def step(self) -> int:
        """The depth as a number, from 0 to 3."""
        return STEPS.index(self.depth)


@dataclass(frozen=True, slots=True)
class _Work:
    """What one person did to one document."""

    key: UUID
    id: str
    """What its source calls it: of an accepted answer, the answer's own id."""
    kind: str
    title: str
    by: str
    share: float
    last: datetime | None

    @property
    def is_answer(self) -> bool:
        """Whether it is an answer that was given here."""
        return self.kind == "answer" and _HEX.fullmatch(self.id) is not None


def find(
    asked: str | Query | Sequence[str],
    viewer: Viewer,
    *,
    ground: Ground | None = None,
    found: ResultPage | Found | None = None,
    count: int = 5,
    without: Collection[int] = (),
    also: Collection[int] = (),
    about: Collection[str] = (),
) -> list[Expert]:
    """Who knows about ``asked`` (text, a query, or names of topics), best first, as far as the viewer may know.

    ``found``: what a search of this request found already, which spares the search; ``without``: ids of people to
    leave out; ``also``: ids of people to tell of, whatever speaks for them; ``about``: keys of topics that are meant
    too. Three questions to the database beside the search. Nobody where the index does not answer.
    """
    query = _query(asked)
    if not query:
        return []
    match, query = _matches(query, ground or Ground(viewer), found)
    worked = _by_person(WORKED.objects(tokens=viewer.tokens, documents=match))
    keys = [*dict.fromkeys((*topics_in(query if isinstance(asked, str | Query) else asked), *about))]
    own, thanked = said(keys, {*worked, *also}, _answers(worked), viewer)
    away = {*without, *(who for who, says in own.items() if says.away)}
    scores = _scores(worked, match, thanked, timezone.now(), away)
    best = _most(scores, count)
    others = [who for who, says in own.items() if who not in scores and who not in away and says]
    best += sorted(others, key=lambda who: (*own[who].order, turn(who, viewer.person_id or 0)))[: count - len(best)]
    best += [who for who in dict.fromkeys(also) if who not in best and who not in away]
    people = with_room(Person.objects.findable().visible_to(viewer)).in_bulk(best)
    return [
        _expert(people[who], scores.get(who, 0.0), worked.get(who, []), match, own.get(who), thanked, query)
        for who in best
        if who in people
    ]


def still(
    behind: Mapping[UUID, Mapping[UUID, float]],
    asked: str | Query,
    viewer: Viewer,
    *,
    about: Collection[str] = (),
) -> dict[UUID, Expert]:
    """Of people whom `find` told of before, by their public ids with what was ``behind`` each: who still is to be
    found by all of that, with what speaks for them as it is now. At most three questions to the database.
    """
    query = _query(asked)
    people = with_room(Person.objects.findable().visible_to(viewer).filter(public_id__in=behind))
    by_id = {person.pk: person for person in people}
    if not by_id:
        return {}
    match = {key: one for of in behind.values() for key, one in of.items()}
    worked = _by_person(WORKED.objects(tokens=viewer.tokens, documents=match)) if match else {}
    keys = [*dict.fromkeys((*topics_in(query), *about))]
    own, thanked = said(keys, by_id, _answers(worked), viewer)
    found = {}
    for pk, person in by_id.items():
        mine = [one for one in worked.get(pk, ()) if one.key in behind[person.public_id]]
        says = own.get(pk)
        if len(mine) == len(behind[person.public_id]) and not (says is not None and says.away):
            counts = _scores({pk: mine}, match, thanked, timezone.now())[pk]
            found[person.public_id] = _expert(person, counts, mine, match, says, thanked, query)
    return found


def levels(
    people: Sequence[Person], topics: Sequence[str], viewer: Viewer, *, ground: Ground | None = None
) -> dict[tuple[int, str], Level]:
    """How well each of these people knows each of these topics, by person's id and topic as given.

    From documents close to the topic, or tagged with it, that the viewer may read. Whether the viewer may see these
    people is the caller's to ask. Three questions to the database beside one search a topic.
    """
    ground = ground or Ground(viewer)
    near = {topic: _close(_matches_of(topic, ground)) for topic in topics}
    keys = _keys(topics)
    ids = [person.pk for person in people]
    tags = Topic.resources.through.objects.filter(topic__slug__in=keys.values())
    wanted = Q(public_id__in={key for some in near.values() for key in some}) | Q(pk__in=tags.values("resource"))
    worked = _by_person(_contributions(Q(person__in=ids), Resource.objects.visible_to(viewer).filter(wanted)))
    tagged = _tagged(keys.values(), worked)
    own = {(one.person_id, one.key): one for one in OwnTopic.objects.filter(person__in=ids, key__in=keys.values())}
    now = timezone.now()
    return {
        (person.pk, topic): _level(
            person,
            topic,
            [one for one in worked.get(person.pk, ()) if one.key in near[topic] or one.key in tagged[key]],
            own.get((person.pk, key)),
            now,
        )
        for person in people
        for topic, key in keys.items()
    }


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who knows most about some topics, as far as one viewer may know: ids of ``people``, and what shows it."""

    people: frozenset[int]
    _about: Mapping[int, Mapping[str, Sequence[_Work]]]
    _now: datetime

    def levels(self, person: Person) -> dict[str, Level]:
        """How well one of the people knows which of the topics; nothing of those about which they are not to be asked.

        Of the documents that the searches found alone: of a topic of thousands, who wrote many of the others may know
        more than this says.
        """
        about = self._about.get(person.pk, {})
        return {topic: _level(person, topic, works, None, self._now) for topic, works in about.items() if works}


def crowd(topics: Sequence[str], ground: Ground, *, count: int) -> Crowd:
    """The ``count`` people who know most about each of these topics, for whoever weighs them against each other.

    One search a topic and at most four questions to the database, however many topics and documents. Whether the
    viewer may see these people is the caller's to ask.
    """
    match = {topic: _matches_of(topic, ground) for topic in topics}
    worked = _by_person(
        WORKED.objects(tokens=ground.viewer.tokens, documents={key for of in match.values() for key in of})
    )
    keys = _keys(topics)
    tagged = _tagged(keys.values(), worked)
    unwilling = OwnTopic.objects.unwilling().filter(person__in=worked, key__in=keys.values())
    away = defaultdict[str, set[int]](set)
    for who, key in unwilling.values_list("person", "key"):
        away[key].add(who)
    _, thanked = said([], worked, _answers(worked), ground.viewer)
    now = timezone.now()
    best: set[int] = set()
    about: dict[int, dict[str, list[_Work]]] = defaultdict(dict)
    for topic, key in keys.items():
        here = {who: of for who, of in worked.items() if who not in away[key]}
        found = {who: [one for one in of if one.key in match[topic]] for who, of in here.items()}
        best |= set(_most(_scores(found, match[topic], thanked, now), count))
        near = _close(match[topic])
        for who, of in here.items():
            about[who][topic] = [one for one in of if one.key in near or one.key in tagged[key]]
    return Crowd(frozenset(best), about, now)


def _scores(
    worked: Mapping[int, Sequence[_Work]],
    match: Mapping[UUID, float],
    thanked: Mapping[str, int],
    now: datetime,
    away: Collection[int] = (),
) -> dict[int, float]:
    """What the documents say for each person who is not away."""
    return {
        who: score([Vote(match[one.key], one.share, years_since(one.last, now), thanked[one.id]) for one in of])
        for who, of in worked.items()
        if who not in away
    }


def _most(scores: Mapping[int, float], count: int) -> list[int]:
    """Those for whom most speaks, the best first."""
    return sorted(filter(scores.get, scores), key=lambda who: (-scores[who], who))[:count]


# What was found -------------------------------------------------------------------------------------------------


def _query(asked: str | Query | Sequence[str]) -> Query:
    if isinstance(asked, Query):
        return asked
    return parse(asked if isinstance(asked, str) else plain(" ".join(asked)))


def _matches(query: Query, ground: Ground, found: ResultPage | Found | None = None) -> tuple[dict[UUID, float], Query]:
    """How well each document that may vote matches, beside the best found; and the query that found them."""
    if found is None:
        try:
            found = retrieve(query, ground)
        except index.IndexProblem:
            return {}, query
    query = found.query if isinstance(found, ResultPage) else found.meant or query
    # Where a curator wants a document to stand says nothing about how well it matches.
    scores = {UUID(hit.key): hit.score - (hit.parts[PIN] if hit.parts else 0.0) for hit in found.documents}
    best = sorted(scores, key=lambda key: -scores[key])[:DEPTH]
    about = {UUID(hit.key) for hit in found.documents if is_about(hit)}
    match = zip(best, matches([scores[key] for key in best]), strict=True)
    return {key: one for key, one in match if key in about}, query


def _matches_of(topic: str, ground: Ground) -> dict[UUID, float]:
    """How well each document that a search for a topic found matches."""
    query = _query([topic])
    return _matches(query, ground)[0] if query else {}


def _close(match: Mapping[UUID, float]) -> frozenset[UUID]:
    """The documents close to what was searched for."""
    return frozenset(key for key, one in match.items() if one >= CLOSE)


def _keys(topics: Iterable[str]) -> dict[str, str]:
    """The key of each topic."""
    return {topic: topic_key(topic)[:LONGEST_KEY] for topic in topics}


def _tagged(keys: Collection[str], worked: Mapping[int, Sequence[_Work]]) -> dict[str, set[UUID]]:
    """Which of these documents bear each of these topics."""
    touched = {one.key for of in worked.values() for one in of}
    tags = Topic.resources.through.objects.filter(topic__slug__in=keys, resource__public_id__in=touched)
    tagged = defaultdict[str, set[UUID]](set)
    for key, slug in tags.values_list("resource__public_id", "topic__slug"):
        tagged[slug].add(key)
    return tagged


def topics_in(asked: Query | Sequence[str]) -> list[str]:
    """Keys of topics that may be meant: those that are named, and what up to three words side by side say."""
    return list(dict.fromkeys(key[:LONGEST_KEY] for key in _topics(asked)))[:MOST_TOPICS]


def _topics(asked: Query | Sequence[str]) -> Iterator[str]:
    if not isinstance(asked, Query):
        yield from map(topic_key, asked)
        return
    yield from map(topic_key, asked.topics)
    words = asked_words(asked)
    for length in range(TOPIC_WORDS, 0, -1):
        for at in range(len(words) - length + 1):
            yield topic_key(" ".join(words[at : at + length]))


# Who worked on it -----------------------------------------------------------------------------------------------


def _contributions(people: Q | Exists, resources: Any) -> Any:
    """What these people did to these resources, but for those whose topic they keep to themselves."""
    about = Topic.resources.through.objects.filter(resource=OuterRef(OuterRef("resource"))).values("topic__slug")
    kept = OwnTopic.objects.filter(person=OuterRef("person"), hidden=True, key__in=about)
    return (
        Contribution.objects.filter(people, ~Exists(kept), resource__in=resources.exclude(kind="person").values("pk"))
        .exclude(person=None)
        .annotate(
            of=F("resource__public_id"), of_key=F("resource__key"),
            of_kind=F("resource__kind"), of_title=F("resource__title"),
        )
        .order_by("person", "resource", "pk")
    )  # fmt: skip


def _findable() -> Exists:
    return Exists(Person.objects.findable().filter(pk=OuterRef("person")))


WORKED = Question(
    lambda: _contributions(
        _findable(), Resource.objects.visible_to(None).filter(public_id__in=Blank("documents", "uuid"))
    )
)
"""Who worked on these ``documents``, as far as somebody with these ``tokens`` may read them and they may be found."""


def _by_person(rows: Iterable[Any]) -> dict[int, list[_Work]]:
    """Rows of `_contributions`, by whose they are; a document counts once for somebody under two names."""
    found: dict[int, dict[UUID, _Work]] = defaultdict(dict)
    for row in rows:
        key = row.of if isinstance(row.of, UUID) else UUID(row.of)
        one = _Work(key, row.of_key, row.of_kind, row.of_title, row.name, row.share, row.last)
        if (known := found[row.person_id].get(key)) is not None:
            last = max(filter(None, (known.last, one.last)), default=None)
            one = replace(known, share=min(1.0, known.share + one.share), last=last)
        found[row.person_id][key] = one
    return {who: list(of.values()) for who, of in found.items()}


def _answers(worked: Mapping[int, Sequence[_Work]]) -> set[UUID]:
    """The ids of answers that were given here."""
    return {UUID(one.id) for of in worked.values() for one in of if one.is_answer}


# In words -------------------------------------------------------------------------------------------------------


def _expert(
    person: Person,
    score: float,
    worked: Sequence[_Work],
    match: Mapping[UUID, float],
    said: Said | None,
    thanked: Mapping[str, int],
    query: Query,
) -> Expert:
    best = max((match[one.key] for one in worked), default=0.0)
    close = [one for one in worked if match[one.key] >= min(CLOSE, best)]
    reasons = [*_reasons(person, close, query, thanked)]
    if said is not None and said.teaches:
        reasons.append(Reason(f"Offers to mentor in {listed(sorted(set(said.teaches)))}.", person.get_absolute_url()))
    if said is not None and said.knows:
        reasons.append(Reason(f"Says that they know {listed(sorted(set(said.knows)))}.", person.get_absolute_url()))
    behind = tuple(sorted((one.key, match[one.key]) for one in worked))
    teaches = said is not None and bool(said.teaches)
    return Expert(person, score, tuple(reasons), len(close), _newest(close), behind, teaches)


def _level(person: Person, topic: str, about: Sequence[_Work], said: OwnTopic | None, now: datetime) -> Level:
    if said is not None and said.hidden:
        return Level("none")
    if not about:
        claims = said is not None and said.knows
        return Level("none", ONLY_SAID, url=person.get_absolute_url()) if claims else Level("none")
    reasons = list(_reasons(person, about, _query([topic]), {}))
    text = " ".join(reason.text for reason in reasons)
    known = depth((one.share, years_since(one.last, now)) for one in about)
    return Level(known, text, _newest(about), len(about), reasons[0].url)


def _reasons(person: Person, close: Sequence[_Work], query: Query, thanked: Mapping[str, int]) -> Iterator[Reason]:
    """What documents say, each with where it can be opened: the one document, or a search for all of them."""
    answers = [one for one in close if one.kind == "answer"]
    pages = [one for one in close if one.kind != "answer"]
    for some, told in ((pages, _wrote), (answers, _answered)):
        if some:
            kinds = ("answer",) if some is answers else ()
            yield Reason(told(some, thanked), _place(person, some, replace(query, kinds=kinds or query.kinds)))


def _wrote(pages: Sequence[_Work], thanked: Mapping[str, int]) -> str:
    if len(pages) == 1:
        (one,) = pages
        when = f" in {date_format(one.last, 'F Y')}" if one.last else ""
        return f"{'Wrote' if one.share >= MOSTLY else 'Edited'} “{Truncator(one.title).chars(LONGEST_TITLE)}”{when}."
    kinds = Counter(one.kind for one in pages)
    return sentence((kind, count, _newest(one for one in pages if one.kind == kind)) for kind, count in kinds.items())


def _answered(answers: Sequence[_Work], thanked: Mapping[str, int]) -> str:
    times = sum(thanked.get(one.id, 0) for one in answers)
    thanks = f", thanked {'once' if times == 1 else f'{times} times'}" if times else ""
    newest = _newest(answers)
    when = f"{', the newest' if len(answers) > 1 else ''} in {date_format(newest, 'F Y')}" if newest else ""
    return f"{len(answers)} answer{'s' * (len(answers) > 1)} accepted{when}{thanks}."


def _place(person: Person, some: Sequence[_Work], query: Query) -> str:
    if len(some) == 1:
        return reverse("knowledge:resource", args=[some[0].key])
    ((by, _),) = Counter(one.by or person.display_name for one in some).most_common(1)  # as their source writes them
    return f"{reverse('search')}?{urlencode({'q': to_text(replace(query, people=(by,)))})}"


def _newest(worked: Iterable[_Work]) -> datetime | None:
    return max((one.last for one in worked if one.last), default=None)
