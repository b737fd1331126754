"""Searching: text in, one page of results that this viewer may read out.

The index answers inside the viewer's scope, `ranking` puts its candidates in
order, and one database query confirms what the page shows: only a row that
the database returns for this viewer becomes a `Result`. Remembering a search
never delays it and never makes it fail.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from math import ceil
from operator import or_
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone

from knowledge import index, ranking, remembered
from knowledge.access import Ground, Viewer
from knowledge.curated import MOST_PINS
from knowledge.documents import Candidate, Facet, Hit, Query, Result, ResultPage
from knowledge.edition import kept
from knowledge.explain import why
from knowledge.folding import Folded, folded
from knowledge.index.analysis import fold, topic_key
from knowledge.index.asked import expanded, synonyms_typed, wishes, wishless
from knowledge.index.language import parse, read_as, reading
from knowledge.meaning import Look, looking
from knowledge.meaning.cutting import place_of
from knowledge.models import CONFIRMED, OWNER, Resource, Source, Verification
from knowledge.passages import Highlighter
from knowledge.spelling import respelled

logger = logging.getLogger(__name__)

Sources = Mapping[int, Source]
"""Sources by their id."""

CANDIDATES = 300
"""How many matches an engine hands over to be put in order; nobody turns more pages than these fill."""
FALLBACK = 50
NO_DOCUMENT = "0" * 32
"""The key of no document."""
NAMED = 8
"""Sources that are named to whoever asked for one that there is not."""
BUILDING = "Search is being prepared: until it is ready, only titles are searched."
AWAY = "Search does not answer in full just now: until it does, only titles are searched."


def search(
    text: str | Query,
    viewer: Viewer,
    *,
    page: int = 1,
    per_page: int = 10,
    remember: bool = True,
    as_typed: bool = False,
    explain: bool = False,
    near: bool = True,
    ground: Ground | None = None,
) -> ResultPage:
    """One page of what ``viewer`` may read about ``text``, best first.

    ``text`` is any text (`index.language` says how it is read) or a `Query`.
    A ``page`` out of range is the nearest one there is. ``remember`` keeps a
    `Search` row of the person who searched; ``search_id`` names it. A query
    whose words find nothing is searched for in words nearly like them, if
    those find something (``instead_of`` says what was typed), unless it is
    wanted ``as_typed``. With ``explain`` each result says why it stands where it stands.
    Without ``near`` nothing is shown where nothing holds the words. ``ground``: what
    another search of the same request was told of the viewer.
    """
    begun = time.perf_counter()
    query = parse(text) if isinstance(text, str) else text
    if not query:
        return ResultPage(query, notice=reading(query))
    ground = ground or Ground(viewer)
    sources = ground.sources
    try:
        found = retrieve(query, ground, as_typed=as_typed)
    except index.IndexMissing:
        _prompt_rebuild()
        found = _by_title(query, ground)
    except index.IndexProblem as problem:
        logger.warning("the index could not be asked: %s", problem)
        found = replace(_by_title(query, ground), notice=AWAY)
    typed, query = query, found.meant or query
    per_page = max(1, per_page)
    near_only = bool(found.alone) and not found.by_words
    hits = found.unfolded if near or not near_only else ()
    pages = max(1, ceil(len(hits) / per_page))
    page = min(max(1, page), pages)
    hits, asked = hits[(page - 1) * per_page :], found.asked or query
    results, dropped = _confirm(hits, found, per_page, asked, viewer, sources)
    shown = ResultPage(
        query=query,
        results=_explained(results, found, found.asked or query) if explain else results,
        documents=found.documents,
        total=max(found.total - dropped, len(results)),
        page=page,
        pages=pages,
        facets=found.facets,
        notice=" ".join(filter(None, (found.notice, reading(query)))),
        read_as=read_as(query),
        did_you_mean=found.did_you_mean,
        instead_of=typed.text if found.meant else "",
        edition=(_edition(sources) or "") if sources else None,
        near_only=near_only,
        titles_only=found.asked is None,
        took_ms=(time.perf_counter() - begun) * 1000,
    )
    if not results and found.asked is None:
        return shown  # nobody knows what there is while the index is away: it is no search that found nothing
    if remember and page == 1 and viewer.person_id is not None:
        return replace(shown, search_id=remembered.remember(shown, viewer.person_id))
    return shown


@dataclass(frozen=True, slots=True)
class Found:
    """What the index says, in order and counted: nothing of it is confirmed by the database yet.

    ``asked`` is the query as the engine was asked: with ids of sources, and words for each beginning of one.
    ``under``: hits that say nearly the same as a better one and are shown folded under it; ``total`` counts them.
    ``by_words``: how many the words alone match, of which ``frequency`` tells what is known of each.
    ``meant``: the query that was searched for in place of one that found nothing; ``did_you_mean``: another
    spelling that finds something, searched for or not. ``near``: what is near the query in meaning, if anybody can
    tell; ``alone``: hits in which none of its words stands.
    """

    hits: Sequence[Hit]
    total: int
    facets: Mapping[str, tuple[Facet, ...]]
    notice: str = ""
    asked: Query | None = None
    under: Folded = field(default_factory=dict)
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    frequency: Mapping[str, int] = field(default_factory=dict)
    by_words: int = 0
    meant: Query | None = None
    did_you_mean: str = ""
    near: Look | None = None
    alone: Collection[str] = ()

    @property
    def documents(self) -> Sequence[Hit]:
        """The hits that are no people, as far as the index told what they are."""
        people = {key for key, one in self.candidates.items() if one.kind == "person"}
        return [hit for hit in self.hits if hit.key not in people]

    @property
    def unfolded(self) -> Sequence[Hit]:
        """The hits that stand for themselves: pages are made of these."""
        away = {hit.key for others in self.under.values() for hit in others}
        return [hit for hit in self.hits if hit.key not in away] if away else self.hits


def retrieve(query: Query, ground: Ground, *, as_typed: bool = False) -> Found:
    """The hits of a query in what the viewer may search now, best first. Raises `index.IndexMissing`."""
    scope = ground.scope  # read before the index is opened: see `Viewer.scope`
    engine = index.open_for_reading()
    found = _retrieved(query, ground, engine)
    synonyms = found.asked.synonyms if found.asked else ()
    meant = respelled(query, engine, scope, found.frequency, synonyms)
    if meant is None:
        return found
    if not (found.by_words or as_typed):
        better = _retrieved(meant, ground, engine)
        return replace(better, meant=meant, did_you_mean=meant.text) if better.by_words else found
    asked = expanded(_with_source_ids(meant, ground.sources)[0], engine, scope)
    finds = engine.search(asked, scope, limit=1, facets=False).total
    return replace(found, did_you_mean=meant.text) if finds else found


def _retrieved(query: Query, ground: Ground, engine: index.Engine) -> Found:
    """The hits of a query as it is."""
    viewer, sources, scope = ground.viewer, ground.sources, ground.scope
    asked, notice = _with_source_ids(query, sources)
    today, beside = timezone.localdate(), kept(_edition(sources))
    asked = beside.curated.with_synonyms(expanded(asked, engine, scope), viewer.tokens, today)
    matches = engine.search(asked, scope, limit=CANDIDATES)
    languages = engine.languages()
    statistics = engine.statistics(ranking.terms(asked, languages))
    candidates = {one.key: one for one in matches.candidates}
    near = looking.look(asked, scope)
    said = beside.curated.pins(asked, viewer.tokens, today)
    alike = _near_alone(near, candidates, asked)
    wanted = [*alike, *(key for key in said if key not in candidates)]
    if not wanted and asked.speaks and beside.curated.pins_any:
        wanted = [NO_DOCUMENT]  # asking takes time, which would tell that a hidden page is pinned to these words
    fetched = {one.key: one for one in engine.fetch(dict.fromkeys(wanted), scope, asked)} if wanted else {}
    more = {key: fetched[key] for key in [key for key in alike if key in fetched][: looking.MOST]}
    candidates |= more
    meaning = near.of(candidates) or None if near else None  # of nothing known, nothing is said
    # A hidden pin takes no place: the score of the next one would tell that there is something about these words.
    pins = [key for key in said if key in candidates or key in fetched][:MOST_PINS]
    pinned = {key: fetched[key] for key in pins if key not in candidates}
    candidates, more = candidates | pinned, more | pinned
    signals = beside.signals(list(candidates), pins, today)
    hits = ranking.order(
        asked, candidates.values(), statistics, now=today, languages=languages, meaning=meaning, signals=signals
    )
    alone = {hit.key for hit in hits if hit.key in more and hit.by_meaning_alone}
    under = folded(hits, candidates)
    counts = dict(matches.facets)
    for name, filtered in _FACETS.items():
        if getattr(asked, filtered):  # what else could be chosen beside what is: counted without this filter
            unnarrowed: dict[str, Any] = {filtered: ()}
            wider = engine.search(replace(asked, **unnarrowed), scope, limit=1)
            counts[name] = wider.facets.get(name, {})
    for name in ("kind", "source") if alone else ():
        counts[name] = Counter(counts.get(name, {})) + Counter(str(getattr(more[key], name)) for key in alone)
    return Found(
        hits,
        matches.total + len(alone),
        _facets(query, counts, sources),
        notice,
        asked,
        under,
        candidates,
        languages,
        frequency=statistics.frequency,
        by_words=matches.total + len(pinned),
        near=near,
        alone=alone,
    )


def _near_alone(near: Look | None, candidates: Collection[str], asked: Query) -> list[str]:
    """Keys of what is near the query in meaning and not among the candidates; some may not satisfy its filters."""
    wide = wishless(asked) != replace(index.ANYTHING, text=asked.text)  # of those near, not all satisfy it
    nearest = near.best(looking.WIDE if wide else looking.MOST, looking.LEAST) if near else []
    least = looking.SHARE * nearest[0].cosine if nearest else 0.0
    return [one.key for one in nearest if one.cosine >= least and one.key not in candidates]


# Sources and facets ---------------------------------------------------------------------------------------------

_FACETS = {"kind": "kinds", "source": "sources", "topic": "topics"}


def _edition(sources: Sources) -> str | None:
    """Which edition of pins, synonyms and standings is the present one, as it was told with the sources."""
    return next((cast(Any, source).edition for source in sources.values()), None)


def _with_source_ids(query: Query, sources: Sources) -> tuple[Query, str]:
    """The query as engines know sources, by id. A source that the viewer may not see is one that never was."""
    if not (query.sources or query.places):
        return query, ""
    by_name = {fold(source.name): pk for pk, source in sources.items()}
    by_name |= {fold(source.slug): pk for pk, source in sources.items()}
    wanted = {said: by_name.get(fold(said)) for said in query.sources}
    missing = [said for said, pk in wanted.items() if pk is None]
    notice = f"There is no source named “{missing[0]}”.{_yours(sources)}" if missing else ""
    whole = [(place, by_name.get(fold(place.name))) for place in query.places]
    places = tuple(replace(place, sources=() if pk is None else (pk,)) for place, pk in whole)
    return replace(query, sources=tuple(str(pk) for pk in wanted.values()), places=places), notice


def _yours(sources: Sources) -> str:
    """A few of the sources that the viewer may choose instead; nothing about any other."""
    names = sorted((source.name for source in sources.values()), key=str.casefold)
    more = ", …" if len(names) > NAMED else "."
    return f" Yours are: {', '.join(names[:NAMED])}{more}" if names else ""


def _facets(query: Query, counts: Mapping[str, Mapping[str, int]], sources: Sources) -> dict[str, tuple[Facet, ...]]:
    """Counts as the page shows them, the most frequent first. What is chosen shows even where it matches nothing."""
    kinds, topics = counts.get("kind", {}), counts.get("topic", {})
    by_source = {int(pk): count for pk, count in counts.get("source", {}).items()}
    chosen_sources = {said.casefold() for said in query.sources}
    chosen_topics = {topic_key(name): name for name in query.topics}
    known_topics = {topic_key(name): name for name in topics}
    found: dict[str, list[Facet]] = {"kind": [], "source": [], "topic": []}
    for kind in dict.fromkeys((*kinds, *query.kinds)):
        found["kind"].append(Facet(kind, kind.capitalize(), kinds.get(kind, 0), kind in query.kinds))
    for source in sources.values():
        chosen = bool(chosen_sources & {source.slug.casefold(), source.name.casefold()})
        if chosen or source.pk in by_source:
            found["source"].append(Facet(source.slug, source.name, by_source.get(source.pk, 0), chosen))
    for key, name in (
        known_topics | {key: name for key, name in chosen_topics.items() if key not in known_topics}
    ).items():
        found["topic"].append(Facet(name, name, topics.get(name, 0), key in chosen_topics))
    return {field: tuple(sorted(facets, key=lambda one: (-one.count, one.label))) for field, facets in found.items()}


# The database's word --------------------------------------------------------------------------------------------


def _confirm(
    hits: Sequence[Hit], found: Found, count: int, query: Query, viewer: Viewer, sources: Sources
) -> tuple[tuple[Result, ...], int]:
    """The first ``count`` hits that the database confirms for this viewer, and how many of those asked it did not.

    What is folded under a hit is confirmed with it; the best that is left of them stands for the others.
    """
    marker = Highlighter(synonyms_typed(query))
    results: list[Result] = []
    dropped = 0
    while hits and len(results) < count:  # a second turn only if the database took something away meanwhile
        some, hits = hits[: count - len(results)], hits[count - len(results) :]
        together = [(hit, *found.under.get(hit.key, ())) for hit in some]
        keys = [uuid.UUID(hit.key) for alike in together for hit in alike]
        rows = CONFIRMED.objects(tokens=viewer.tokens, keys=keys)
        confirmed = {row.public_id.hex: _with_verification(row) for row in rows if row.source_id in sources}
        dropped += len(keys) - len(confirmed)
        for row in confirmed.values():
            row.source = sources[row.source_id]
        for alike in together:
            left = [(hit, confirmed[hit.key]) for hit in alike if hit.key in confirmed]
            if left:
                best, *others = left
                similar = tuple(_folded_result(marker, hit, row) for hit, row in others)
                results.append(replace(_result(marker, *best, found), similar=similar))
    return tuple(results), dropped


def _explained(results: Sequence[Result], found: Found, query: Query) -> tuple[Result, ...]:
    """The results, each with why it stands where it stands."""
    by_key = {hit.key: hit for hit in found.hits}
    hits = [by_key[result.resource.public_id.hex] for result in results]
    reasons = why(query, hits, found.candidates, found.languages)
    return tuple(replace(result, why=one) for result, one in zip(results, reasons, strict=True))


def _folded_result(marker: Highlighter, hit: Hit, row: Any) -> Result:
    """A confirmed row that is folded under another: only its title shows."""
    return Result(row, marker.title(row.title, row.language), "", hit.score, hit.reasons)


def _result(marker: Highlighter, hit: Hit, row: Any, found: Found) -> Result:
    """A confirmed row as a result."""
    title = marker.title(row.title, row.language)
    passage = found.near.passage(hit.key) if found.near and hit.key in found.alone else None
    passages = marker.passages(
        row.body,
        title=row.title,
        language=row.language,
        transcript=row.kind == "video",
        meant=place_of(row.title, row.body, passage) if passage else None,
    )
    return Result(row, title, passages[0].html, hit.score, hit.reasons, passages)


def _with_verification(row: Any) -> Any:
    """The row with who vouches for it, as CONFIRMED told."""
    found = None
    if row.verified:
        owner = get_user_model()(**{name: getattr(row, f"owner_{name}") for name in OWNER}) if row.named else None
        found = Verification(pk=row.verified, owner=owner, until=row.verified_until, suspended_at=row.suspended_at)
    cast(Any, Resource._meta.get_field("verification")).set_cached_value(row, found)
    return row


def _by_title(query: Query, ground: Ground) -> Found:
    """What the database alone finds while there is no index: in the title what binds and any word, most words first."""
    rows: Any = Resource.objects.visible_to(ground.viewer)
    if ground.scope.behind:  # what may tell too much is among it
        rows = rows.exclude(pk__in=rows.telling_too_much(ground.viewer).values("pk"))
    words = ranking.words_of(query)
    wished = wishes(query)
    if wished:
        rows = rows.filter(_any_of(_titled(word) for word in wished))
    for phrase in query.phrases:
        rows = rows.exclude(_titled(phrase.text)) if phrase.exclude else rows.filter(_titled(phrase.text))
    for choice in query.choices:
        one_of = _any_of(_titled(term.text) for term in choice.terms)
        rows = rows.exclude(one_of) if choice.exclude else rows.filter(one_of)
    for word in query.not_words:
        rows = rows.exclude(_titled(word))
    if query.kinds:
        rows = rows.filter(kind__in=query.kinds)
    if query.sources:
        rows = rows.filter(Q(source__slug__in=query.sources) | Q(source__name__in=query.sources))
    if query.topics:
        keys = [topic_key(name)[:80] for name in query.topics]
        rows = rows.filter(pk__in=Resource.objects.filter(topics__slug__in=keys).values("pk"))
    if query.people:
        people = _any_of(Q(contributions__name__icontains=name) for name in query.people)
        rows = rows.filter(pk__in=Resource.objects.filter(people).values("pk"))
    if query.places:
        names = [place.name for place in query.places]
        sections = _any_of(Q(crumbs__icontains=name) for name in names)
        rows = rows.filter(sections | Q(source__slug__in=names) | Q(source__name__in=names))
    if query.after:
        rows = rows.filter(updated__date__gte=query.after)
    if query.before:
        rows = rows.filter(updated__date__lte=query.before)
    titles = rows.order_by("-updated", "public_id").values_list("public_id", "title")[:FALLBACK]
    hits = [Hit(key.hex, float(sum(word in title.casefold() for word in words))) for key, title in titles]
    hits.sort(key=lambda hit: -hit.score)
    return Found(hits, len(hits), {}, BUILDING)


def _titled(text: str) -> Q:
    """All of these words stand in the title."""
    said = Q()
    for word in text.split():
        said &= Q(title__icontains=word)
    return said


def _any_of(conditions: Iterable[Q]) -> Q:
    """At least one of these, of which there is one."""
    return reduce(or_, conditions)


def _prompt_rebuild() -> None:
    """Ask the index worker to begin now, at most every ten seconds; its sweep would find the work in any case."""
    from knowledge.durable import prompt
    from knowledge.jobs import index_changes

    try:
        first = cache.add("knowledge.search.prompted", True, 10)
    except Exception as error:  # a cache may fail in any way it likes: the search goes on
        logger.warning("cache unreachable: %s", type(error).__name__)
        return
    if first:
        prompt(index_changes)
