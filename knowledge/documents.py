"""Frozen values that pass between the modules of ``knowledge``.

Nothing here touches Django, a database or the network. The types tell the
security state: a `Hit` is an unchecked match of the index; only a `Result`,
rechecked against the database for one viewer, may reach a page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Literal

EVERYONE = "everyone"

KINDS = ("page", "tool", "course", "video", "answer", "lesson", "person")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one person did to one document, as its source tells it.

    ``name`` and ``email`` are free text of the source: whether they mean a
    known person is decided by ``experts``, never here. ``share`` is the part
    of the document's changed lines in 0..1.
    """

    name: str
    email: str = ""
    share: float = 1.0
    changes: int = 1
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What a connector yields: one findable thing, cleaned, not yet stored.

    ``key`` names it within its source and never changes while it lives;
    ``version`` changes whenever the connector would yield something else.
    ``body`` is Markdown-flavoured plain text: headings as ``#`` lines,
    paragraphs parted by an empty line. ``audience`` narrows the source's
    audience (`None`: as the source); it can never widen it. ``facts`` hold
    what only this kind has: ``jobs`` of a tool, ``duration_minutes``,
    ``next_date``, ``places`` left, ``price``, ``provider``, ``access``, ``role``, ``team``.
    """

    key: str
    title: str
    body: str = ""
    url: str = ""
    kind: str = "page"
    version: str = ""
    crumbs: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    language: str = ""
    audience: frozenset[str] | None = None
    contributions: tuple[Contribution, ...] = ()
    created: datetime | None = None
    updated: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    about: int | None = None
    """Id of the account that this document describes, and whose work it repeats."""
    concerns: frozenset[str] = frozenset()
    """Public ids (UUID hex) of resources that it is about: a lesson shows above them."""

    def fingerprint(self) -> str:
        """SHA-256 over everything that is stored, the version left out."""
        parts = [
            self.key, self.title, self.body, self.url, self.kind, self.crumbs, self.topics, self.language,
            None if self.audience is None else sorted(self.audience),
            [[c.name, c.email, round(c.share, 4), c.changes, str(c.first), str(c.last)] for c in self.contributions],
            str(self.created), str(self.updated), dict(self.facts), self.about,
            *([sorted(self.concerns)] if self.concerns else ()),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """One row of the index. ``key`` is the resource's public id (UUID hex).

    ``audience`` holds tokens in clear; the engine stores digests of them.
    ``public`` is true when everyone may read it: only such documents count in
    ranking statistics, so that a hidden document moves no order.
    """

    key: str
    source: int
    kind: str
    title: str
    body: str
    audience: frozenset[str]
    public: bool
    topics: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    crumbs: tuple[str, ...] = ()
    language: str = ""
    created: date | None = None
    updated: date | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """Consecutive words in the title, the body or the topics."""

    text: str
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that the title, the body or a topic may hold; with ``title`` the title alone.

    ``form`` says how ``text`` (folded words, a space between) is compared: a
    "word" by its stem, a "phrase" as written and side by side (one word alone
    too), a "prefix" as the beginning of a word as written. A word and a prefix
    are one token of `analysis.tokens`.
    """

    text: str
    form: Literal["word", "phrase", "prefix"] = "word"
    title: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Terms of which one at least must be there, or none may be; no terms at all are never there.

    ``a OR b``, ``deploy*`` and ``title:draft`` are choices, the last two of one term.
    """

    terms: tuple[Term, ...]
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere documents stand: a section, by the name of one crumb in any spelling, or one of these whole sources.

    ``sources`` are ids, known once `search` has looked them up for the viewer.
    """

    name: str
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Synonym:
    """What curators call another way to say some of a query's bare words (``said``, as typed); ``text`` is folded.

    It is found as they are: one word by its stem, several side by side.
    """

    said: tuple[str, ...]
    text: str

    @property
    def term(self) -> Term:
        """What an engine looks for."""
        return Term(self.text, "phrase" if " " in self.text else "word")


@dataclass(frozen=True, slots=True)
class Query:
    """What a user's text means: the tree that ``index.language`` makes and that all others read.

    Bare ``words`` are wishes: folded surface forms in the order typed, any of
    which will do. Whatever was typed with a sign binds: none of ``not_words``
    (as written), every phrase and every choice. ``kinds``, ``topics``,
    ``sources``, ``people`` and ``places`` are "any of these" within one field
    and "all of these" across fields. Dates are inclusive days. ``synonyms``
    are wishes too, which nobody typed (see `curated`): they count a little less.
    """

    text: str = ""
    words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    choices: tuple[Choice, ...] = ()
    kinds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    after: date | None = None
    before: date | None = None
    synonyms: tuple[Synonym, ...] = ()

    def __bool__(self) -> bool:
        """Whether it asks for anything at all (an empty box asks for nothing)."""
        return bool(self.words or self.binds or self.narrows)

    @property
    def binds(self) -> bool:
        """Whether something must be there word for word."""
        return any(not one.exclude for one in self.phrases) or any(not one.exclude for one in self.choices)

    @property
    def speaks(self) -> bool:
        """Whether there are words to be ranked by; else the newest come first."""
        return bool(self.words or self.binds)

    @property
    def narrows(self) -> bool:
        """Whether a filter, not only words, is set."""
        filters = self.kinds, self.topics, self.sources, self.people, self.places, self.after, self.before
        return any(filters)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one viewer may see in one request; every engine call is inside it.

    ``sources`` are ids of sources visible now; ``audience`` the viewer's
    tokens in clear; ``behind`` the keys of rows whose indexed audience is not
    the database's any more and that are left out until they are indexed again.
    """

    sources: frozenset[int]
    audience: frozenset[str]
    behind: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An unchecked index match with what ranking needs to score it.

    ``vector`` is the stored term vector (see ``index.analysis``): it lets
    `ranking` score on statistics of its own, the same on every engine.
    """

    key: str
    source: int
    kind: str
    vector: bytes
    updated: date | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A document, and how like a question its nearest passage is (-1..1)."""

    key: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Packed:
    """One passage's vector: what it is found by, the vector in 8-bit numbers, and what to multiply them by."""

    hash: bytes
    numbers: bytes
    scale: float


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may see a document: whoever holds one of these tokens, where its source is visible."""

    source: int
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """The vectors of one document, with at least one passage."""

    key: str
    rights: Rights
    passages: Sequence[Packed]


@dataclass(frozen=True, slots=True)
class Hit:
    """An index match put in its place by `ranking`, not yet authorised. ``parts`` sum to ``score``, as `PARTS` says.

    ``held``: the part of the query's words that stand in it, each as heavy as it is rare; of a query without words
    all. ``near``: the cosine of its nearest passage to the query; 0 where nobody can tell.
    """

    PARTS: ClassVar[tuple[str, ...]] = (
        "title", "body", "topics", "exact", "near", "name", "heading", "kin", "meaning",
        "trust", "use", "fresh", "pin",
    )  # fmt: skip

    key: str
    score: float
    parts: tuple[float, ...] = ()
    held: float = 1.0
    near: float = 0.0

    @property
    def reasons(self) -> tuple[tuple[str, float], ...]:
        """The parts that add something, by name."""
        return tuple((name, part) for name, part in zip(self.PARTS, self.parts, strict=False) if part)

    @property
    def by_meaning_alone(self) -> bool:
        """Whether none of the query's words stands in it, at most one of their family."""
        return not any(self.parts[: self.PARTS.index("kin")])


@dataclass(frozen=True, slots=True)
class Facet:
    """How many visible matches have one value of one field."""

    value: str
    label: str
    count: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A few sentences of a document, and where they stand.

    ``html`` is safe HTML, built from escaped text. ``heading`` is the path of
    headings above it, plain text. ``place`` is the fragment of the resource's
    own page here, without ``#``; ``mark`` says the page or the time in words
    ("page 12", "4:10") and ``there`` is the fragment that leads there in the
    original. ``by_meaning``: none of the query's words stands in it.
    """

    html: str
    heading: str = ""
    place: str = ""
    mark: str = ""
    there: str = ""
    by_meaning: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A match that the database confirmed for this viewer in this request.

    ``title`` and ``passage`` are safe HTML, built from escaped text with
    ``<mark>`` around what matched. ``resource`` is the loaded row.
    ``passages``: the best one or two, `passage` being the first one's HTML.
    ``similar``: results that say nearly the same, folded under this one.
    ``why`` it stands here: see `explain.Why`.
    """

    resource: Any
    title: str
    passage: str
    score: float
    reasons: tuple[tuple[str, float], ...] = ()
    passages: tuple[Passage, ...] = ()
    similar: tuple[Result, ...] = ()
    why: Any = None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of results with everything the page needs to say about them.

    ``total`` counts what this viewer may see; ``took_ms`` is server time.
    ``notice`` says in one sentence what was odd about a query, or that the
    index is being built. ``read_as`` says how its signs were read, in pairs
    such as ("phrase", "annual leave") and ("not", "contractors").
    ``did_you_mean`` is another spelling that finds something, in words of what
    this viewer may read; where nothing else matched it is what ``query`` and
    the results are of, and ``instead_of`` what was typed. ``edition`` says as
    of when what curators declared may be remembered; `None`: nothing told it.
    ``near_only``: nothing holds the query's words; the results are near in meaning.
    ``titles_only``: the index does not answer, so nothing but titles was looked at.
    ``documents``: all that was found but people, in order, for whoever asks the database more about it: unconfirmed.
    """

    query: Query
    results: tuple[Result, ...] = ()
    documents: Sequence[Hit] = ()
    total: int = 0
    page: int = 1
    pages: int = 1
    facets: Mapping[str, tuple[Facet, ...]] = field(default_factory=dict)
    notice: str = ""
    read_as: tuple[tuple[str, str], ...] = ()
    did_you_mean: str = ""
    instead_of: str = ""
    edition: str | None = None
    near_only: bool = False
    titles_only: bool = False
    took_ms: float = 0.0
    search_id: str = ""
