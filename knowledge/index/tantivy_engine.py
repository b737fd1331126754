"""The embedded default: tantivy, used for retrieving, filtering and counting only.

Text comes analysed (`analysis`), so tantivy splits it at spaces and no more,
and queries are built as objects: its own query parser never sees a user's text.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import tantivy
from tantivy import FieldType, Occur

from knowledge.documents import Candidate, IndexDocument, Query, Scope, Term
from knowledge.index import ANYTHING, IndexMissing, IndexProblem, Matches, Statistics, WriterBusy, near, schema
from knowledge.index.analysis import analyse, language_code, terms_of, tokens, topic_key, topic_words
from knowledge.index.asked import days_of, expanded, filters_of, places_of, wished, wishless
from knowledge.index.vectors import contents, token_number

_SPACED = "spaced"
_SEGMENT_FILE = re.compile(r"([0-9a-f]{32})\..+")
_TITLE_BOOST = 1.5
_FREQUENCIES_KEPT = 50_000
_READ = 100
"""Documents that hold words nearly like one, of which it is read which words those are."""


def _make_schema() -> tantivy.Schema:
    """`schema.FIELDS` in tantivy's words, and ``serial``: a number for one version of one document."""
    build = tantivy.SchemaBuilder()
    build.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("title", "text"):
        build.add_text_field(name, tokenizer_name=_SPACED, index_option="freq")
    for name in ("exact", "title_exact", "people"):
        build.add_text_field(name, tokenizer_name=_SPACED, index_option="position")
    for name in ("kind", "source"):
        build.add_text_field(name, stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    build.add_text_field("topic", fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("name", "topic_words"):
        build.add_text_field(name, tokenizer_name=_SPACED, index_option="basic")
    for name in ("topic_key", "place", "language", "audience", "public"):
        build.add_text_field(name, tokenizer_name="raw", index_option="basic")
    build.add_unsigned_field("day", stored=True, indexed=True, fast=True)
    for name in ("serial", "name_rank", "title_length", "body_length"):
        build.add_unsigned_field(name, fast=True)
    build.add_bytes_field("vector", stored=True)
    return build.build()


_SCHEMA = _make_schema()
_PUBLIC = tantivy.Query.term_query(_SCHEMA, "public", "1", "basic")
_FACETS = {
    name: {"terms": {"field": name, "size": 10_000, "segment_size": 10_000}} for name in ("kind", "source", "topic")
}


class _Commit:
    """One commit as readers see it, with what is worth computing once for it."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.searcher = searcher
        self.frequencies: dict[str, int] = {}
        self._lock = threading.Lock()
        self._means: tuple[int, float, float] | None = None
        self._languages: tuple[str, ...] | None = None

    def means(self) -> tuple[int, float, float]:
        """Number, mean title length and mean body length of public documents."""
        if self._means is None:
            lengths = {name: {"avg": {"field": name}} for name in ("title_length", "body_length")}
            found = self.searcher.aggregate(_PUBLIC, lengths)
            means = [float(found[name]["value"] or 0.0) for name in lengths]
            self._means = self.searcher.search(_PUBLIC, 1).count, means[0], means[1]  # type: ignore[attr-defined]
        return self._means

    def frequency(self, term: str) -> int:
        """Number of public documents that hold a term."""
        known = self.frequencies.get(term)
        if known is None:
            query = tantivy.Query.boolean_query(
                [(Occur.Must, tantivy.Query.term_query(_SCHEMA, "text", term, "basic")), (Occur.Must, _PUBLIC)]
            )
            known = self.searcher.search(query, 1).count  # type: ignore[attr-defined]
            if len(self.frequencies) >= _FREQUENCIES_KEPT:
                self.frequencies.clear()
            self.frequencies[term] = known
        return known

    def languages(self) -> tuple[str, ...]:
        """Languages of documents."""
        if self._languages is None:
            self._languages = tuple(sorted(term for term, _ in self.searcher.terms_with_prefix("language", "")))
        return self._languages


class TantivyEngine:
    """See `knowledge.index.Engine`. ``heap`` is the writer's memory in bytes."""

    def __init__(self, folder: Path | None, *, heap: int = 64_000_000) -> None:
        self._folder = folder
        self._heap = heap
        self._writer: tantivy.IndexWriter | None = None
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._kept = schema.Kept()
        try:
            self._index = tantivy.Index(_SCHEMA, str(folder) if folder else None)
        except (ValueError, OSError) as error:
            raise IndexMissing(f"The index in {folder} cannot be opened ({error}): rebuild it.") from error
        analyser = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer(_SPACED, analyser)
        self._index.config_reader("manual")
        self._commit = self._reload()

    # Reading ------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        if self._folder is None or self._state() == self._seen:
            return
        with self._lock:
            if self._state() != self._seen:
                self._commit = self._reload()

    def _state(self) -> tuple[int, int]:
        """What changes with every commit: tantivy replaces this file by another."""
        try:
            found = (self._folder / "meta.json").stat() if self._folder else None
        except OSError:
            raise IndexMissing from None
        return (found.st_ino, found.st_mtime_ns) if found else (0, 0)

    def _reload(self) -> _Commit:
        for last in (False, False, True):
            seen = self._state()
            try:
                self._index.reload()
                break
            except (ValueError, OSError) as error:  # a file was collected between reading the list and opening it
                if last:
                    raise IndexMissing(f"The index in {self._folder} cannot be read ({error}): rebuild it.") from error
        self._seen = seen
        return _Commit(self._index.searcher())

    def count(self) -> int:
        return int(self._commit.searcher.num_docs)

    def languages(self) -> tuple[str, ...]:
        return self._commit.languages()

    def statistics(self, terms: Iterable[str]) -> Statistics:
        commit = self._commit
        return Statistics(*commit.means(), {term: commit.frequency(term) for term in terms})

    def search(self, query: Query, scope: Scope, *, limit: int = 300, minimum: int = 1, facets: bool = True) -> Matches:
        if not scope.sources or not scope.audience or not query:
            return Matches()
        commit = self._commit
        asked = _build(expanded(query, self, scope), scope, minimum, commit.languages())
        found = commit.searcher.search(asked, limit, order_by_field=None if query.speaks else "day")
        addresses = [address for _, address in found.hits]
        counted: dict[str, dict[str, int]] = {}
        total = found.count  # type: ignore[attr-defined]
        if facets and total:
            for name, facet in commit.searcher.aggregate(asked, _FACETS).items():
                counted[name] = schema.most(name, ((bucket["key"], bucket["doc_count"]) for bucket in facet["buckets"]))
        return Matches(self._fetch(commit.searcher, addresses), total, counted)

    def fetch(self, keys: Iterable[str], scope: Scope, query: Query = ANYTHING) -> tuple[Candidate, ...]:
        keys = list(keys)
        if not scope.sources or not scope.audience or not keys:
            return ()
        commit = self._commit
        asked = _build(expanded(wishless(query), self, scope), scope, 1, commit.languages())
        wanted = tantivy.Query.boolean_query([(Occur.Must, asked), (Occur.Must, _any("key", keys))])
        found = commit.searcher.search(wanted, len(keys), count=False)
        return self._fetch(commit.searcher, [address for _, address in found.hits])

    def beginning(self, prefix: str, scope: Scope, *, limit: int, title: bool = False) -> tuple[str, ...]:
        if not scope.sources or not scope.audience:
            return ()
        inside = tantivy.Query.boolean_query(_inside(scope))
        field = "title_exact" if title else "exact"
        return tuple(
            term for term, count in self._commit.searcher.terms_with_prefix(field, prefix, inside, limit) if count
        )

    def names(
        self, words: Sequence[str], scope: Scope, *, kinds: Collection[str] = (), slips: bool = False, limit: int = 20
    ) -> tuple[str, ...]:
        if not scope.sources or not scope.audience or not words:
            return ()
        commit = self._commit
        parts = _inside(scope)
        if kinds:
            parts.append((Occur.Must, _any("kind", kinds)))
        *whole, _ = words
        for at, word in enumerate(words):
            begins = _begins("name", word, slips)
            if at < len(whole):
                begins = _either([begins, *(_term("title", term) for term in terms_of(word, commit.languages()))])
            parts.append((Occur.Must, begins))
        asked = tantivy.Query.boolean_query(parts)
        found = commit.searcher.search(asked, limit, count=False, order_by_field="name_rank")
        return tuple(one.key for one in self._fetch(commit.searcher, [address for _, address in found.hits]))

    def topics(self, words: Sequence[str], scope: Scope, *, slips: bool = False) -> dict[str, int]:
        if not scope.sources or not scope.audience or not words:
            return {}
        parts = _inside(scope)
        parts += [(Occur.Must, _begins("topic_words", word, slips)) for word in words]
        asked = tantivy.Query.boolean_query(parts)
        found = self._commit.searcher.aggregate(asked, {"topic": _FACETS["topic"]})
        counts = {bucket["key"]: bucket["doc_count"] for bucket in found["topic"]["buckets"]}
        return {topic: count for topic, count in counts.items() if near.begin_like(words, topic_words(topic), slips)}

    def similar(self, word: str, scope: Scope) -> dict[str, int]:
        most = near.slips(word)
        if not scope.sources or not scope.audience or not most:
            return {}
        searcher, inside = self._commit.searcher, _inside(scope)

        def count(query: tantivy.Query) -> int:
            asked = tantivy.Query.boolean_query([*inside, (Occur.Must, query)])
            return int(searcher.search(asked, 1).count)  # type: ignore[attr-defined]

        holding = tantivy.Query.fuzzy_term_query(_SCHEMA, "exact", word, most)
        found = searcher.search(tantivy.Query.boolean_query([*inside, (Occur.Must, holding)]), _READ)
        total: int = found.count  # type: ignore[attr-defined]
        if not total:
            return {}  # the same work whatever stands in documents outside the scope
        known = {one for one in near.one_slip_away(word) if searcher.doc_freq("exact", one)}
        if most > 1:
            for beginning in near.beginnings(word):
                terms = [term for term, _ in searcher.terms_with_prefix("exact", beginning)]
                alike = [term for term in terms if abs(len(term) - len(word)) <= most]
                known.update(term for term, _ in near.Lexicon(alike).near(word, most))
        if total <= _READ:  # each count takes its time, which would tell of words that only other documents hold
            read = self._fetch(searcher, [address for _, address in found.hits])
            held = {number for one in read for number in contents(one.vector)[0].tolist()}
            forms = self.languages()
            known = {one for one in known if any(token_number(one, term) in held for term in terms_of(one, forms))}
        counts = {one: count(_term("exact", one)) for one in known - {word}}
        return {one: found for one, found in counts.items() if found}

    def _fetch(self, searcher: tantivy.Searcher, addresses: list[Any]) -> tuple[Candidate, ...]:
        """The stored candidates. Reading them is the larger part of a search, so those read before are kept."""
        kept = self._kept
        return tuple(
            kept.get(serial) or kept.keep(serial, _candidate(searcher.doc(address)))
            for serial, address in zip(searcher.fast_field_values("serial", addresses), addresses, strict=True)
        )

    # Writing ------------------------------------------------------------------------------------------------------

    def write(self, add: Iterable[IndexDocument] = (), delete: Iterable[str] = ()) -> None:
        writer = self._open_writer()
        try:
            for key in delete:
                writer.delete_documents_by_term("key", key)
            for document in add:
                writer.delete_documents_by_term("key", document.key)
                writer.add_document(_stored(document))
            writer.commit()
        except (ValueError, OSError) as error:
            self._drop_writer()
            raise IndexProblem(
                f"The index could not be written ({error}). Free some space on the disk of "
                f"{self._folder} and let it be written; what was committed still serves and this batch comes again."
            ) from error
        except BaseException:
            self._drop_writer()
            raise
        with self._lock:
            self._commit = self._reload()

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                self._writer = self._index.writer(self._heap, 1)
            except (ValueError, OSError) as error:
                if "lock" in str(error).lower():
                    raise WriterBusy("Another process is writing the index. It is tried again later.") from error
                raise IndexProblem(f"The index in {self._folder} cannot be written ({error}).") from error
        return self._writer

    def _drop_writer(self) -> None:
        """Forget everything since the last commit."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(ValueError, OSError):
                writer.rollback()

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()

    def collect_garbage(self) -> int:
        if self._folder is None:
            return 0
        self.close()
        live = json.loads((self._folder / "meta.json").read_text())["segments"]
        kept = {segment["segment_id"].replace("-", "") for segment in live}
        freed = 0
        for path in self._folder.iterdir():
            name = _SEGMENT_FILE.fullmatch(path.name)
            if name and name[1] not in kept:
                with suppress(FileNotFoundError):
                    freed += path.stat().st_size
                    path.unlink()
        return freed


def _candidate(document: tantivy.Document) -> Candidate:
    day = document.get_first("day")
    return Candidate(
        key=str(document.get_first("key")),
        source=int(str(document.get_first("source"))),
        kind=str(document.get_first("kind")),
        vector=document.get_first("vector") or b"",
        updated=date.fromordinal(day) if day else None,
    )


def _stored(document: IndexDocument) -> tantivy.Document:
    analysed = analyse(document)
    made = tantivy.Document()
    made.add_text("key", document.key)
    made.add_text("title", " ".join(analysed.title))
    made.add_text("text", " ".join(analysed.text))
    for part in analysed.exact:
        made.add_text("exact", " ".join(part))
    made.add_text("title_exact", " ".join(analysed.exact[0]))
    for crumb in document.crumbs:
        made.add_text("place", topic_key(crumb))
    for name in document.people:
        made.add_text("people", " ".join(tokens(name)))
    for topic in dict.fromkeys(document.topics):
        made.add_text("topic", topic)
        made.add_text("topic_key", topic_key(topic))
        made.add_text("topic_words", " ".join(topic_words(topic)))
    for token in document.audience:
        made.add_text("audience", schema.audience_digest(token))
    made.add_text("kind", document.kind)
    made.add_text("source", str(document.source))
    made.add_text("language", language_code(document.language))
    made.add_text("public", str(int(document.public)))
    day = schema.day_of(document.updated, document.created)
    made.add_text("name", " ".join(schema.name_tokens(document.title)))
    made.add_unsigned("name_rank", schema.name_rank(document.key, analysed.title_length, day))
    made.add_unsigned("day", day)
    made.add_unsigned("title_length", analysed.title_length)
    made.add_unsigned("body_length", analysed.body_length)
    made.add_unsigned("serial", random.getrandbits(62))
    made.add_bytes("vector", analysed.vector)
    return made


def _build(query: Query, scope: Scope, minimum: int, languages: tuple[str, ...]) -> tantivy.Query:
    """The query inside its scope. Filters add nothing to the score."""
    filters = [_any(field, values) for field, values in filters_of(query)]
    if query.people:
        filters.append(_either([_phrase("people", tokens(name)) for name in query.people]))
    if query.places:
        sections, sources = places_of(query)
        filters.append(_either([_any("place", sections), _any("source", sources)]))
    if days := days_of(query):
        filters.append(tantivy.Query.range_query(_SCHEMA, "day", FieldType.Unsigned, *days))
    parts = [*_inside(scope), *((Occur.Must, tantivy.Query.const_score_query(part, 0.0)) for part in filters)]

    if words := wished(query):
        parts.append((Occur.Must, _words(words, minimum, languages)))
        parts += [
            (Occur.Should, tantivy.Query.boost_query(_term("title", form), _TITLE_BOOST))
            for word in dict.fromkeys(term for terms in words for term in terms if term.form == "word")
            for form in terms_of(word.text, languages)
        ]
    elif query.words and not query.binds:
        parts.append((Occur.Must, tantivy.Query.empty_query()))
    for phrase in query.phrases:
        if spoken := tokens(phrase.text):
            parts.append((Occur.MustNot if phrase.exclude else Occur.Must, _phrase("exact", spoken)))
    for word in query.not_words:
        if spoken := tokens(word):
            parts.append((Occur.MustNot, _phrase("exact", spoken)))
    for choice in query.choices:
        one_of = _either([_holding(term, languages) for term in choice.terms])
        parts.append((Occur.MustNot if choice.exclude else Occur.Must, one_of))
    return tantivy.Query.boolean_query(parts)


def _inside(scope: Scope) -> list[tuple[Occur, tantivy.Query]]:
    """What holds a query inside its scope; it adds nothing to the score."""
    filters = [
        _any("audience", [schema.audience_digest(token) for token in scope.audience]),
        _any("source", [str(source) for source in scope.sources]),
    ]
    parts = [(Occur.Must, tantivy.Query.const_score_query(part, 0.0)) for part in filters]
    if scope.behind:
        parts.append((Occur.MustNot, _any("key", sorted(scope.behind))))
    return parts


def _holding(term: Term, languages: tuple[str, ...]) -> tantivy.Query:
    """What holds one term."""
    spoken = tokens(term.text)
    if term.form == "word" and len(spoken) == 1:
        field = "title" if term.title else "text"
        return _either([_term(field, form) for form in terms_of(spoken[0], languages)])
    return _phrase("title_exact" if term.title else "exact", spoken)


def _begins(field: str, word: str, slips: bool) -> tantivy.Query:
    """A token of the field begins like this word."""
    return tantivy.Query.fuzzy_term_query(_SCHEMA, field, word, near.slips(word) if slips else 0, prefix=True)


def _term(field: str, value: str) -> tantivy.Query:
    return tantivy.Query.term_query(_SCHEMA, field, value, "freq")


def _any(field: str, values: Iterable[str]) -> tantivy.Query:
    return tantivy.Query.term_set_query(_SCHEMA, field, list(values))


def _either(queries: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(Occur.Should, query) for query in queries])


def _words(words: tuple[tuple[Term, ...], ...], minimum: int, languages: tuple[str, ...]) -> tantivy.Query:
    each = [_either([_holding(term, languages) for term in terms]) for terms in words]
    least = max(1, min(minimum, len(each)))
    return tantivy.Query.boolean_query([(Occur.Should, one) for one in each], least)


def _phrase(field: str, spoken: list[str]) -> tantivy.Query:
    """Consecutive tokens of one field."""
    if not spoken:
        return tantivy.Query.empty_query()
    if len(spoken) == 1:
        return tantivy.Query.term_query(_SCHEMA, field, spoken[0], "position")
    return tantivy.Query.phrase_query(_SCHEMA, field, list(spoken))
