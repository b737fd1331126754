"""What every engine keeps of what it is given, finds and tells, as one suite that each of them inherits."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from knowledge import index
from knowledge.access import group_token
from knowledge.documents import EVERYONE, IndexDocument, Phrase, Query, Scope
from knowledge.index import Matches, analysis, schema, vectors
from tests.contracts.engines import ALL, OfOneEngine, doc, keys


class EngineContract(OfOneEngine):
    """An index in memory."""

    # Writing and finding ------------------------------------------------------------------------------------------

    def test_a_document_is_added_replaced_and_deleted(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="first harbour"), doc("b", body="second harbour")])
        assert self.found(engine, "harbour") == {"a", "b"}
        engine.write([doc("a", body="only lighthouse")])
        assert self.found(engine, "harbour") == {"b"}
        assert self.found(engine, "lighthouse") == {"a"}
        assert engine.count() == 2
        engine.write(delete=["b", "never there"])
        assert self.found(engine, "harbour") == set()
        assert engine.count() == 1

    def test_the_last_of_two_versions_in_one_batch_stays(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="old"), doc("a", body="young")])
        assert self.found(engine, "old") == set()
        assert self.found(engine, "young") == {"a"}
        assert engine.count() == 1

    def test_many_small_batches_are_as_good_as_one(self, engine: index.Engine) -> None:
        pick = random.Random(5)
        words = [f"w{n}" for n in range(60)]
        wanted: dict[str, IndexDocument] = {}
        for _ in range(25):
            batch = [
                doc(str(pick.randrange(80)), pick.choice(words), " ".join(pick.choices(words, k=20)), topics=("Sea",))
                for _ in range(9)
            ]
            gone = pick.sample(sorted(wanted), min(3, len(wanted)))
            wanted.update((each.key, each) for each in batch)
            delete = [key for key in gone if key not in {each.key for each in batch}]
            engine.write(batch, delete)
            for key in delete:
                del wanted[key]
        assert engine.count() == len(wanted)
        fresh = index.in_memory()
        fresh.write(wanted.values())
        for word in words:
            query = Query(words=(word,), phrases=(Phrase(f"{word} {pick.choice(words)}", exclude=True),))
            one, other = engine.search(query, ALL), fresh.search(query, ALL)
            assert {c.key: c for c in one.candidates} == {c.key: c for c in other.candidates}
            assert (one.total, one.facets) == (other.total, other.facets)
        terms = [*words, *(f"={word}" for word in words)]
        assert engine.statistics(terms) == fresh.statistics(terms)

    def test_a_batch_that_fails_half_way_leaves_no_trace(self, engine: index.Engine) -> None:
        def batch() -> Iterable[IndexDocument]:
            yield doc("a", body="harbour")
            raise RuntimeError("the reader broke")

        engine.write([doc("b", body="harbour")])
        with pytest.raises(RuntimeError):
            engine.write(batch())
        assert self.found(engine, "harbour") == {"b"}
        engine.write([doc("c", body="harbour")])
        assert self.found(engine, "harbour") == {"b", "c"}

    def test_a_candidate_carries_what_ranking_needs(self, engine: index.Engine) -> None:
        engine.write([doc("a", "Running shoes", "He runs and runs", source=2, kind="tool", updated=date(2026, 3, 1))])
        (candidate,) = engine.search(Query(words=("run",)), ALL).candidates
        assert (candidate.key, candidate.source, candidate.kind) == ("a", 2, "tool")
        assert candidate.updated == date(2026, 3, 1)
        found = vectors.Vectors([candidate.vector])
        assert (found.title_length[0], found.body_length[0]) == (2, 4)
        assert found.find(vectors.term_hash("run")).own.body.sum() == 2

    def test_any_word_matches_unless_more_are_asked_for(self, engine: index.Engine) -> None:
        engine.write([doc("one", body="red"), doc("two", body="red green"), doc("three", body="red green blue")])
        query = Query(words=("red", "green", "blue"))
        assert keys(engine.search(query, ALL)) == {"one", "two", "three"}
        assert keys(engine.search(query, ALL, minimum=2)) == {"two", "three"}
        assert keys(engine.search(query, ALL, minimum=9)) == {"three"}

    def test_stop_words_count_only_where_there_is_nothing_else(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="the who"), doc("b", body="the harbour")])
        assert self.found(engine, "the", "harbour") == {"b"}
        assert self.found(engine, "the", "who") == {"a", "b"}

    def test_words_match_by_stem_accents_and_case_aside(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="Réunions IMPORTANTES"), doc("b", title="ERR_42 in Node.js and C++")])
        assert self.found(engine, "reunion") == {"a"}
        for word in ("err_42", "node.js", "node", "c++", "err"):
            assert self.found(engine, word) == {"b"}, word

    def test_a_word_finds_documents_of_each_language(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("de", body="Die Häuser am Hafen", language="de"),
                doc("en", body="housing by the harbour", language="en-GB"),
                doc("ja", body="東京都の図書館", language="ja"),
            ]
        )
        assert engine.languages() == ("de", "en")
        assert self.found(engine, "haus") == {"de"}
        assert self.found(engine, "houses") == {"en"}
        assert self.found(engine, "図書館") == {"ja"}

    def test_a_phrase_is_consecutive_and_stays_in_its_part(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("body", "Something", "please keep the code of conduct in mind"),
                doc("title", "Code of conduct"),
                doc("topic", topics=("Code of conduct",)),
                doc("across", "code of", "conduct"),
                doc("mixed", body="conduct of code, code and of conduct"),
            ]
        )
        assert self.found(engine, phrases=(Phrase("code of conduct"),)) == {"body", "title", "topic"}
        assert self.found(engine, phrases=(Phrase("Conduct"),)) == {"body", "title", "topic", "across", "mixed"}
        assert self.found(engine, phrases=(Phrase("codes of conduct"),)) == set()
        assert self.found(engine, "code", phrases=(Phrase("code of conduct", exclude=True),)) == {"across", "mixed"}

    def test_excluded_words_are_left_out_as_written(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="harbour storm"), doc("b", body="harbour storms"), doc("c", "storm", "harbour")])
        assert self.found(engine, "harbour", not_words=("storm",)) == {"b"}

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"kinds": ("tool",)}, {"b"}),
            ({"kinds": ("tool", "page")}, {"a", "b"}),
            ({"sources": ("2",)}, {"c"}),
            ({"sources": ("nonsense",)}, set()),
            ({"topics": ("CODE-REVIEW",)}, {"a", "b"}),
            ({"topics": ("code",)}, set()),
            ({"people": ("silva",)}, {"a"}),
            ({"people": ("Ana Silva", "noor")}, {"a", "b"}),
            ({"people": ("silva ana",)}, set()),
            ({"after": date(2026, 3, 1)}, {"b", "c"}),
            ({"before": date(2026, 3, 1)}, {"a", "b"}),
            ({"after": date(2026, 2, 2), "before": date(2026, 3, 1)}, {"b"}),
            ({"kinds": ("tool",), "topics": ("code review",), "sources": ("1",)}, {"b"}),
            ({"kinds": ("tool",), "sources": ("2",)}, set()),
        ],
    )
    @pytest.mark.parametrize("words", [(), ("harbour",)])
    def test_filters(self, engine: index.Engine, fields: dict[str, Any], expected: set[str], words: Any) -> None:
        engine.write(
            [
                doc("a", body="harbour", topics=("Code review",), people=("Ana Silva",), updated=date(2026, 2, 1)),
                doc("b", body="harbour", kind="tool", topics=("code_review",), people=("Noor",),
                    created=date(2026, 3, 1)),
                doc("c", body="harbour", kind="course", source=2, created=date(2020, 1, 1), updated=date(2026, 4, 1)),
                doc("d", body="harbour", kind="person", source=1),
            ]
        )  # fmt: skip
        assert self.found(engine, *words, **fields) == expected

    def test_without_words_the_newest_are_the_candidates(self, engine: index.Engine) -> None:
        engine.write(
            [doc(f"{day:02}", updated=date(2026, 1, day)) for day in random.Random(1).sample(range(1, 29), 28)]
        )
        matches = engine.search(Query(kinds=("page",)), ALL, limit=3)
        assert keys(matches) == {"28", "27", "26"}
        assert matches.total == 28

    def test_asking_for_nothing_finds_nothing(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="harbour")])
        assert engine.search(Query(), ALL) == Matches()
        assert engine.search(Query(not_words=("x",)), ALL) == Matches()

    def test_the_best_matches_are_candidates(self, engine: index.Engine) -> None:
        engine.write([doc(f"n{n}", body="harbour " + "and much else besides " * 9) for n in range(50)])
        engine.write([doc("title", "Harbour", "all about it"), doc("often", body="harbour harbour harbour")])
        matches = engine.search(Query(words=("harbour",)), ALL, limit=2)
        assert keys(matches) == {"title", "often"}
        assert matches.total == 52

    @pytest.mark.parametrize(
        "text",
        [
            "🎉🎈",
            "\u200fשלום עולם\u200f harbour",
            "a" * 10_000,
            "... !!! ---",
            "\x00\x01",
            "' OR 1=1 --",
            "[* TO *]",
            "ﬁﬂ ①②",
            "\ud800",
        ],
    )
    def test_odd_text_neither_breaks_writing_nor_asking(self, engine: index.Engine, text: str) -> None:
        engine.write([doc("odd", text, text, topics=("x",), people=(text,)), doc("plain", body="harbour")])
        words = tuple(analysis.words(text))
        expected = {"odd"} if words else set()
        assert self.found(engine, *words) >= expected
        assert self.found(engine, phrases=(Phrase(text),), kinds=("page",)) >= expected
        engine.search(Query(words=(text,), not_words=(text,), people=(text,)), ALL)
        assert "plain" in self.found(engine, "harbour")

    # Who may see what -----------------------------------------------------------------------------------------------

    def test_an_audience_is_inside_the_query(self, engine: index.Engine) -> None:
        ours, theirs = group_token(1, "finance"), group_token(2, "finance")
        odd = "Finance, everyone"
        engine.write(
            [
                doc("all", body="harbour"),
                doc("ours", body="harbour", audience=frozenset({ours})),
                doc("theirs", body="harbour", source=2, audience=frozenset({theirs})),
                doc("odd", body="harbour", audience=frozenset({odd})),
                doc("nobody", body="harbour", audience=frozenset()),
            ]
        )

        def seen(sources: set[int], *tokens: str) -> set[str]:
            return self.found(engine, "harbour", scope=Scope(frozenset(sources), frozenset(tokens)))

        assert seen({1, 2}, EVERYONE) == {"all"}
        assert seen({1, 2}, EVERYONE, ours) == {"all", "ours"}
        assert seen({1, 2}, theirs) == {"theirs"}
        assert seen({1, 2}, "Finance", "finance") == set()
        assert seen({1, 2}, odd) == {"odd"}
        assert seen({2}, EVERYONE, ours, theirs, odd) == {"theirs"}
        assert seen(set(), EVERYONE) == set()
        assert seen({1, 2}) == set()

    def test_rows_behind_the_database_are_left_out_of_everything(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="harbour"), doc("b", body="harbour", kind="tool")])
        matches = engine.search(Query(words=("harbour",)), replace(ALL, behind=frozenset({"b", "unknown"})))
        assert keys(matches) == {"a"}
        assert (matches.total, matches.facets["kind"]) == (1, {"page": 1})

    def test_facets_and_total_count_every_match(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc(f"{n}", body="harbour", kind="tool" if n % 3 else "page", source=1 + n % 2,
                    topics=("Sea", f"Topic {n % 40:02}"))
                for n in range(120)
            ]
        )  # fmt: skip
        engine.write(delete=["0"])
        matches = engine.search(Query(words=("harbour",)), ALL, limit=10)
        assert (len(matches.candidates), matches.total) == (10, 119)
        assert matches.facets["kind"] == {"tool": 80, "page": 39}
        assert matches.facets["source"] == {"2": 60, "1": 59}
        topics = list(matches.facets["topic"].items())
        assert topics[0] == ("Sea", 119)
        assert topics[1:] == [(f"Topic {n:02}", 3) for n in range(1, schema.MOST_FACETS)]
        chosen = engine.search(Query(words=("harbour",), kinds=("page",)), ALL)
        assert chosen.facets["kind"] == {"page": 39}
        assert engine.search(Query(words=("harbour",)), ALL, facets=False).facets == {}

    def test_spellings_of_one_topic_are_one_facet(self, engine: index.Engine) -> None:
        """Under the spelling that is most frequent in scope; the filter finds what the facet counts."""
        said = ["Tea", "tea", "tea", "C", "C#", "C++", "c++", *(f"Topic {n:02}" for n in range(40)), "TEA", "C-"]
        engine.write([doc(f"{n:02}", body="harbour", topics=(topic,)) for n, topic in enumerate(said)])
        hidden = frozenset({"team:9"})
        engine.write([doc(f"h{n}", body="harbour", topics=("T.E.A", "TEA"), audience=hidden) for n in range(9)])
        topics = engine.search(Query(words=("harbour",)), ALL).facets["topic"]
        assert list(topics.items())[:4] == [("tea", 4), ("C", 2), ("C++", 2), ("C#", 1)]
        assert len(topics) == schema.MOST_FACETS
        for name, count in topics.items():
            assert engine.search(Query(topics=(name,)), ALL).total == count

    def test_hidden_documents_change_nothing(self, engine: index.Engine) -> None:
        some = ("harbour", "storm", "signal", "rope", "anchor")
        pick = random.Random(2)

        def text() -> str:
            return " ".join(pick.choices(some, k=30))

        engine.write([doc(f"{n:03}", pick.choice(some), text(), topics=(pick.choice(some),)) for n in range(60)])
        queries = [Query(words=(word,)) for word in some] + [
            Query(words=some[:3]),
            Query(phrases=(Phrase("storm signal"),)),
            Query(words=("harbour",), not_words=("rope",)),
            Query(kinds=("page",)),
        ]
        terms = [*some, *(f"={word}" for word in some), "hafen", "de:haf"]
        scope = Scope(frozenset({1}), frozenset({EVERYONE, "team:1"}))

        def view() -> list[Any]:
            found = [engine.search(query, scope) for query in queries]
            return [
                [
                    sorted(each.candidates, key=lambda c: c.key),
                    each.total,
                    {f: list(v.items()) for f, v in each.facets.items()},
                ]
                for each in found
            ] + [engine.statistics(terms)]

        before = view()
        hidden = frozenset({"team:2"})
        engine.write([doc(f"h{n}", text(), text(), audience=hidden, topics=(text(), "rope")) for n in range(150)])
        engine.write([doc(f"s{n}", text(), text(), source=2, public=False, kind="tool") for n in range(25)])
        engine.write([doc(f"d{n}", "Hafen", text(), audience=hidden, language="de") for n in range(25)])
        assert view() == before

    def test_statistics_are_of_public_documents(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("a", "Storms", "storm signal storm"),
                doc("b", "Two words", "storming"),
                doc("c", "A hidden storm", "storm " * 50, audience=frozenset({"team:1"})),
            ]
        )
        found = engine.statistics(["storm", "nowhere"])
        assert found.frequency == {"storm": 2, "nowhere": 0}
        assert (found.documents, found.mean_title_length, found.mean_body_length) == (2, 1.5, 2.0)
        engine.write(delete=["a"])
        found = engine.statistics(["storm"])
        assert (found.documents, found.mean_body_length, found.frequency) == (1, 1.0, {"storm": 1})

    def test_an_empty_index_answers(self, engine: index.Engine) -> None:
        assert engine.search(Query(words=("harbour",)), ALL) == Matches()
        found = engine.statistics(["harbour"])
        assert (found.documents, found.mean_body_length, found.frequency) == (0, 0.0, {"harbour": 0})
        assert (engine.count(), engine.languages()) == (0, ())


class TestTantivy(EngineContract):
    alias = "tantivy"


class TestWhoosh(EngineContract):
    alias = "whoosh"


@pytest.mark.opensearch
class TestOpenSearch(EngineContract):
    alias = "opensearch"


def test_both_engines_find_the_same(other: index.Engine) -> None:
    pick = random.Random(4)
    words = [f"{a}{b}" for a in ("harb", "storm", "sail", "rop", "light") for b in ("", "ing", "s", "house")]
    documents = [
        doc(
            f"{n:03}",
            " ".join(pick.choices(words, k=3)),
            " ".join(pick.choices(words, k=40)),
            kind=pick.choice(("page", "tool")),
            source=pick.choice((1, 2)),
            topics=tuple(pick.sample(words, 2)),
            audience=frozenset({pick.choice((EVERYONE, "team:1", "team:2"))}),
            updated=date(2026, 1, 1 + n % 28),
        )
        for n in range(150)
    ]
    engines = [index.in_memory("tantivy"), other]
    for engine in engines:
        engine.write(documents[:100])
        engine.write(documents[100:], delete=["003"])
    scope = Scope(frozenset({1, 2}), frozenset({EVERYONE, "team:1"}))
    for _ in range(60):
        query = Query(
            words=tuple(pick.sample(words, pick.randrange(0, 4))),
            not_words=tuple(pick.sample(words, pick.randrange(0, 2))),
            phrases=tuple(
                Phrase(" ".join(pick.sample(words, 2)), pick.random() < 0.5) for _ in range(pick.randrange(2))
            ),
            kinds=("tool",) if pick.random() < 0.2 else (),
            topics=(pick.choice(words),) if pick.random() < 0.1 else (),
            after=date(2026, 1, 10) if pick.random() < 0.2 else None,
        )
        minimum = pick.choice((1, 2))
        one, two = (engine.search(query, scope, minimum=minimum) for engine in engines)
        assert (keys(one), one.total, one.facets) == (keys(two), two.total, two.facets), query
        assert {c.key: c for c in one.candidates} == {c.key: c for c in two.candidates}
        terms = [*query.words, *(f"={word}" for word in query.words)]
        first, second = (engine.statistics(terms) for engine in engines)
        assert first.frequency == second.frequency
        assert first.mean_body_length == pytest.approx(second.mean_body_length)
