"""The second engine: Whoosh's files and postings, in pure Python, for places where no compiled wheel can go.

Whoosh keeps segments, commits and locks. Queries are evaluated here, on its
postings (`whoosh_segments`), because its own collectors take a second where
this takes a few hundredths; facets and totals are exact all the same.
"""

from __future__ import annotations

import heapq
import shutil
import tempfile
import threading
import warnings
import weakref
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import date
from itertools import compress
from math import log
from pathlib import Path
from typing import Any

from knowledge.documents import Candidate, IndexDocument, Query, Scope
from knowledge.index import ANYTHING, IndexMissing, IndexProblem, Matches, Statistics, WriterBusy, near, schema
from knowledge.index.analysis import analyse, language_code, terms_of, tokens, topic_key, topic_words
from knowledge.index.asked import asked_words, expanded, weighing, wished, wishless
from knowledge.index.whoosh_query import any_of, matching
from knowledge.index.whoosh_segments import SCHEMA, Codec, Segment, flags_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh's sources are older than some of Python's warnings
    from whoosh import index as whoosh_index
    from whoosh.filedb.filestore import FileStorage, RamStorage
    from whoosh.reading import SegmentReader

_FACETS = ("kind", "source", "topic")
_TITLE_BOOST = 1.5
_FREQUENCIES_KEPT = 50_000


class _Memory(RamStorage):  # type: ignore[misc]
    """An index in memory. Whoosh leaves the folders of its temporary files behind: here they go with the index."""

    def __init__(self) -> None:
        super().__init__()
        self._place = tempfile.mkdtemp(prefix="whoosh-")
        weakref.finalize(self, shutil.rmtree, self._place, ignore_errors=True)

    def temp_storage(self, name: str | None = None) -> Any:
        return FileStorage(self._place).temp_storage()


class _Commit:
    """One commit as readers see it."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self._frequencies: dict[str, int] = {}
        self._means: tuple[int, float, float] | None = None

    def means(self) -> tuple[int, float, float]:
        """Number, mean title length and mean body length of public documents."""
        if self._means is None:
            found = [segment.public_lengths() for segment in self.segments]
            documents, titles, bodies = (sum(column) for column in zip(*found, strict=True)) if found else (0, 0, 0)
            self._means = documents, titles / max(1, documents), bodies / max(1, documents)
        return self._means

    def frequency(self, term: str) -> int:
        """Number of public documents that hold a term."""
        known = self._frequencies.get(term)
        if known is None:
            known = sum(
                (segment.having("text", term) & segment.having("public", "1") & segment.alive).bit_count()
                for segment in self.segments
            )
            if len(self._frequencies) >= _FREQUENCIES_KEPT:
                self._frequencies.clear()
            self._frequencies[term] = known
        return known


class WhooshEngine:
    """See `knowledge.index.Engine`. ``pool`` is the writer's memory in megabytes."""

    def __init__(self, folder: Path | None, *, pool: int = 64) -> None:
        self._folder = folder
        self._pool = pool
        self._lock = threading.RLock()
        self._kept = schema.Kept()
        self._seen: tuple[int, int] | None = None
        self._segments: dict[str, Segment] = {}
        try:
            storage = FileStorage(str(folder)) if folder else _Memory()
            if folder is None or not whoosh_index.exists_in(str(folder)):
                storage.create_index(SCHEMA)
            self._index = storage.open_index(schema=SCHEMA)
        except (whoosh_index.IndexError, OSError) as error:
            raise IndexMissing(f"The index in {folder} cannot be opened ({error}): rebuild it.") from error
        self._commit = self._reload()

    # Reading ------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        state = self._state()
        if state == self._seen:
            return
        with self._lock:
            if state != self._seen:
                self._commit = self._reload()

    def _state(self) -> tuple[int, int]:
        """What changes with every commit: Whoosh writes a new table of contents into the folder."""
        if self._folder is None:
            return 0, 0
        try:
            found = self._folder.stat()
            toc = self._index.latest_generation()
        except OSError:
            raise IndexMissing from None
        if toc < 0:
            raise IndexMissing
        return found.st_ino, toc

    def _reload(self) -> _Commit:
        for last in (False, False, True):
            seen = self._state()
            try:
                reader = self._index.reader()
                break
            except (OSError, whoosh_index.IndexError) as error:  # merged away between reading the list and opening it
                if last:
                    raise IndexMissing(f"The index in {self._folder} cannot be read ({error}): rebuild it.") from error
        leaves = [leaf for leaf, _ in reader.leaf_readers() if isinstance(leaf, SegmentReader)]
        known, self._segments = self._segments, {}
        for leaf in leaves:
            name = leaf.segment().segment_id()
            segment = known.get(name) or Segment(leaf)
            if segment.reader is not leaf:
                leaf.close()
            self._segments[name] = segment.look(leaf)
        self._seen = seen
        return _Commit(list(self._segments.values()))

    def count(self) -> int:
        return sum(segment.alive.bit_count() for segment in self._commit.segments)

    def languages(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(sorted({term for segment in self._commit.segments for term in segment.values("language")}))

    def statistics(self, terms: Iterable[str]) -> Statistics:
        with self._lock:
            commit = self._commit
            return Statistics(*commit.means(), {term: commit.frequency(term) for term in terms})

    def search(self, query: Query, scope: Scope, *, limit: int = 300, minimum: int = 1, facets: bool = True) -> Matches:
        if not scope.sources or not scope.audience or not query:
            return Matches()
        with self._lock:
            segments = self._commit.segments
            query, languages = expanded(query, self, scope), self.languages()
            wishes = wished(query)
            matched = [matching(segment, query, scope, wishes, minimum, languages) for segment in segments]
            total = sum(found.bit_count() for found in matched)
            said = dict.fromkeys(token for word in asked_words(query) for token in tokens(word))
            words = dict.fromkeys(token for terms in wishes for term in terms for token in tokens(term.text))
            weighed = [terms_of(word, languages) for word in dict.fromkeys((*words, *weighing(tuple(said))))]
            best = self._best(segments, matched, weighed if query.speaks else [], limit) if total else []
            counted = _count(segments, matched) if facets and total else {}
            return Matches(tuple(self._candidate(segment, number) for segment, number in best), total, counted)

    def _best(
        self, segments: list[Segment], matched: list[int], terms: list[tuple[str, ...]], limit: int
    ) -> list[tuple[Segment, int]]:
        """The documents that stand highest: by BM25, or the newest where nothing was said."""
        documents = sum(segment.size for segment in segments)
        rarity: dict[str, float] = {}
        for term in {term for several in terms for term in several}:
            holding = sum(segment.having("text", term).bit_count() for segment in segments)
            rarity[term] = log(1 + (documents - holding + 0.5) / (holding + 0.5))
        best: list[tuple[float, str, int, Segment]] = []
        for segment, found in zip(segments, matched, strict=True):
            if not found:
                continue
            scores: list[float] | list[int] = segment.days()
            if terms:
                scores = [0.0] * segment.size
                for term, weight in rarity.items():
                    for field, boost in (("text", weight), ("title", weight * _TITLE_BOOST)):
                        for number, part in zip(*segment.scored(field, term), strict=True):
                            scores[number] += part * boost
            chosen = heapq.nlargest(
                limit, compress(range(segment.size), flags_of(found, segment.size)), key=scores.__getitem__
            )
            best += [(scores[number], segment.name, number, segment) for number in chosen]
        best.sort(key=lambda row: (-row[0], row[1], row[2]))
        return [(segment, number) for _, _, number, segment in best[:limit]]

    def fetch(self, keys: Iterable[str], scope: Scope, query: Query = ANYTHING) -> tuple[Candidate, ...]:
        keys = list(keys)
        if not scope.sources or not scope.audience or not keys:
            return ()
        with self._lock:
            query, languages = expanded(wishless(query), self, scope), self.languages()
            found: list[Candidate] = []
            for segment in self._commit.segments:
                numbers = segment.keys()
                here = [numbers[key] for key in keys if key in numbers]
                if here:
                    matched = matching(segment, query, scope, (), 1, languages)
                    found += [self._candidate(segment, number) for number in here if matched >> number & 1]
            return tuple(found)

    def beginning(self, prefix: str, scope: Scope, *, limit: int, title: bool = False) -> tuple[str, ...]:
        if not scope.sources or not scope.audience:
            return ()
        field = "title_exact" if title else "exact"
        counts: Counter[str] = Counter()
        with self._lock:
            for segment in self._commit.segments:
                found = segment.within(scope)
                for word in segment.words_beginning(field, prefix):
                    counts[word] += (segment.having(field, word) & found).bit_count()
        best = heapq.nsmallest(limit, counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(word for word, count in best if count)

    def names(
        self, words: Sequence[str], scope: Scope, *, kinds: Collection[str] = (), slips: bool = False, limit: int = 20
    ) -> tuple[str, ...]:
        if not scope.sources or not scope.audience or not words:
            return ()
        with self._lock:
            best: list[tuple[int, str]] = []
            for segment in self._commit.segments:
                found = segment.within(scope)
                if kinds:
                    found &= any_of(segment.having("kind", kind) for kind in kinds)
                for at, word in enumerate(words):
                    if not found:
                        break
                    holding = segment.beginning("name", word, near.slips(word) if slips else 0)
                    if at < len(words) - 1:
                        stems = terms_of(word, self.languages())
                        holding |= any_of(segment.having("title", term) for term in stems)
                    found &= holding
                if found:
                    ranks, chosen = segment.ranks(), compress(range(segment.size), flags_of(found, segment.size))
                    best += [ranks[number] for number in heapq.nlargest(limit, chosen, key=ranks.__getitem__)]
            return tuple(key for _, key in sorted(best, key=lambda one: (-one[0], one[1]))[:limit])

    def topics(self, words: Sequence[str], scope: Scope, *, slips: bool = False) -> dict[str, int]:
        if not scope.sources or not scope.audience or not words:
            return {}
        counts: Counter[str] = Counter()
        with self._lock:
            for segment in self._commit.segments:
                found = segment.within(scope)
                for topic in segment.values("topic"):
                    if near.begin_like(words, topic_words(topic), slips):
                        counts[topic] += (segment.having("topic", topic) & found).bit_count()
        return {topic: count for topic, count in counts.items() if count}

    def similar(self, word: str, scope: Scope) -> dict[str, int]:
        most = near.slips(word)
        if not scope.sources or not scope.audience or not most:
            return {}
        counts: Counter[str] = Counter()
        with self._lock:
            for segment in self._commit.segments:
                found = segment.within(scope)
                for one, slips in segment.lexicon("exact").near(word, most):
                    if slips == 1 or (slips == 2 and one.startswith(near.beginnings(word))):
                        counts[one] += (segment.having("exact", one) & found).bit_count()
        return {one: count for one, count in counts.items() if count}

    def _candidate(self, segment: Segment, number: int) -> Candidate:
        name = segment.name, number
        known = self._kept.get(name)
        if known is None:
            key, source, kind, day, vector = segment.reader.stored_fields(number)["row"]
            updated = date.fromordinal(day) if day else None
            known = self._kept.keep(name, Candidate(key, source, kind, vector, updated))
        return known

    # Writing ------------------------------------------------------------------------------------------------------

    def write(self, add: Iterable[IndexDocument] = (), delete: Iterable[str] = ()) -> None:
        writer = self._writer()
        try:
            latest = {document.key: document for document in add}
            self._remove(writer, {*delete, *latest})
            for document in latest.values():
                writer.add_document(**_fields(document))
            writer.commit()
        except OSError as error:
            self._give_up(writer)
            raise IndexProblem(
                f"The index could not be written ({error}). Free some space on the disk of {self._folder} "
                "and let it be written; what was committed still serves and this batch comes again."
            ) from error
        except BaseException:
            self._give_up(writer)
            raise
        with self._lock:
            self._commit = self._reload()

    def _writer(self) -> Any:
        try:
            return self._index.writer(timeout=0.0, limitmb=self._pool, codec=Codec())
        except whoosh_index.LockError as error:
            raise WriterBusy("Another process is writing the index. It is tried again later.") from error
        except (OSError, whoosh_index.IndexError) as error:
            raise IndexProblem(
                f"The index could not be written ({error}). Free some space on the disk of {self._folder} "
                "and let it be written; if it was deleted, rebuild it."
            ) from error

    def _remove(self, writer: Any, keys: set[str]) -> None:
        with self._lock:
            self._commit = self._reload()
            at = {segment.segment_id(): offset for segment, offset in
                  zip(writer.segments, writer._doc_offsets, strict=True)}  # fmt: skip
            for segment in self._commit.segments:
                alive = flags_of(segment.alive, segment.size)
                for key in keys:
                    for numbers, _, _ in segment.postings("key", key):
                        for number in numbers:
                            if alive[number]:
                                writer.delete_document(at[segment.name] + number)

    def _give_up(self, writer: Any) -> None:
        """Forget everything since the last commit. The lock goes even when the disk has no room for the farewell."""
        with suppress(Exception):
            writer.cancel()
        for part in (writer.fieldwriter, writer.perdocwriter):
            for file in vars(part).values():
                with suppress(Exception):
                    file.close()
        if writer.writelock:
            with suppress(Exception):
                writer.writelock.release()

    def close(self) -> None:
        """Nothing happens in the background."""

    def collect_garbage(self) -> int:
        if self._folder is None:
            return 0
        table = self._index._read_toc()
        prefixes = tuple(segment.segment_id() + "." for segment in table.segments)
        freed = 0
        for path in self._folder.iterdir():
            needed = path.name.startswith((*prefixes, f"_MAIN_{table.generation}.")) or path.name.endswith("LOCK")
            if not needed:
                inside = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
                freed += sum(each.stat().st_size for each in inside)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return freed


def _fields(document: IndexDocument) -> dict[str, Any]:
    analysed = analyse(document)
    day = schema.day_of(document.updated, document.created)
    return {
        "key": [document.key],
        "title": analysed.title,
        "text": analysed.text,
        "exact": analysed.exact,
        "title_exact": analysed.exact[:1],
        "place": [topic_key(crumb) for crumb in document.crumbs],
        "people": [tokens(name) for name in document.people],
        "topic": list(document.topics),
        "topic_key": [topic_key(topic) for topic in document.topics],
        "name": schema.name_tokens(document.title),
        "kind": [document.kind],
        "source": [str(document.source)],
        "language": [language_code(document.language)],
        "audience": [schema.audience_digest(token) for token in document.audience],
        "public": [str(int(document.public))],
        "day": [str(day)],
        "lengths": [f"{analysed.title_length},{analysed.body_length}"],
        "row": (document.key, document.source, document.kind, day, analysed.vector),
    }


def _count(segments: list[Segment], matched: list[int]) -> dict[str, dict[str, int]]:
    """Facets of all that matched."""
    counted: dict[str, dict[str, int]] = {}
    for field in _FACETS:
        counts: Counter[str] = Counter()
        for segment, found in zip(segments, matched, strict=True):
            if found:
                for value in segment.values(field):
                    counts[value] += (segment.having(field, value) & found).bit_count()
        counted[field] = schema.most(field, counts.items())
    return counted
