"""The contract of engines for documents that something else found: those inside the scope, and of what is bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from knowledge import index
from knowledge.documents import EVERYONE, Choice, Phrase, Query, Scope, Synonym, Term
from tests.contracts.engines import ALL, OfOneEngine, doc


class FetchContract(OfOneEngine):
    def fetched(self, engine: index.Engine, *keys: str, scope: Scope = ALL, **query: Any) -> set[str]:
        found = engine.fetch(keys, scope, Query(**query)) if query else engine.fetch(keys, scope)
        assert len({one.key for one in found}) == len(found)
        return {one.key for one in found}

    def test_documents_are_fetched_as_a_search_would_find_them(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="harbour", kind="tool", updated=date(2026, 3, 1)), doc("b", body="storm")])
        (found,) = engine.search(Query(words=("harbour",)), ALL).candidates
        assert engine.fetch(["a", "unknown"], ALL) == (found,)
        assert self.fetched(engine, "a", "b") == {"a", "b"}
        assert self.fetched(engine) == set()

    def test_as_they_are_now(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="old"), doc("b", body="storm")])
        assert self.fetched(engine, "a", "b") == {"a", "b"}
        engine.write([doc("a", kind="tool")], delete=["b"])
        assert [one.kind for one in engine.fetch(["a", "b"], ALL)] == ["tool"]

    def test_only_inside_the_scope(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("all"),
                doc("team", audience=frozenset({"team:1"})),
                doc("other", source=2),
                doc("elsewhere", source=3),
                doc("behind"),
            ]
        )
        every = ("all", "team", "other", "elsewhere", "behind")
        scope = replace(ALL, behind=frozenset({"behind"}))
        assert self.fetched(engine, *every, scope=scope) == {"all", "other"}
        assert self.fetched(engine, *every, scope=Scope(frozenset({1}), frozenset({"team:1"}))) == {"team"}
        assert self.fetched(engine, *every, scope=Scope(frozenset(), frozenset({EVERYONE}))) == set()
        assert self.fetched(engine, *every, scope=Scope(frozenset({1}), frozenset())) == set()

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"words": ("harbour",)}, {"a", "b", "c"}),
            ({"words": ("nowhere",), "synonyms": (Synonym(("nowhere",), "storm"),)}, {"a", "b", "c"}),
            ({"words": ("nowhere",), "kinds": ("tool",)}, {"b"}),
            ({"sources": ("2",)}, {"c"}),
            ({"topics": ("sea",)}, {"a"}),
            ({"people": ("ana",)}, {"b"}),
            ({"after": date(2026, 2, 1)}, {"b", "c"}),
            ({"before": date(2026, 1, 31)}, {"a"}),
            ({"phrases": (Phrase("storm signal"),)}, {"a"}),
            ({"words": ("harbour",), "phrases": (Phrase("storm signal", exclude=True),)}, {"b", "c"}),
            ({"not_words": ("rope",)}, {"a", "c"}),
            ({"choices": (Choice((Term("rope"), Term("signal"))),)}, {"a", "b"}),
            ({"choices": (Choice((Term("sig", "prefix"),)),)}, {"a"}),
            ({"words": ("the",)}, {"a", "b", "c"}),
        ],
    )
    def test_wishes_narrow_nothing_and_all_else_does(
        self, engine: index.Engine, query: dict[str, Any], expected: set[str]
    ) -> None:
        engine.write(
            [
                doc("a", body="storm signal", topics=("Sea",), updated=date(2026, 1, 1)),
                doc("b", body="storm rope", kind="tool", people=("Ana Silva",), updated=date(2026, 2, 1)),
                doc("c", body="harbour", source=2, updated=date(2026, 3, 1)),
            ]
        )
        assert self.fetched(engine, "a", "b", "c", **query) == expected

    def test_odd_keys_are_keys_of_nothing(self, engine: index.Engine) -> None:
        engine.write([doc("a")])
        assert self.fetched(engine, "", "a*", "* OR a", "\x00", "é" * 300, "a") == {"a"}
        assert self.fetched(engine, *(f"{n}" for n in range(999)), "a") == {"a"}


class TestTantivy(FetchContract):
    alias = "tantivy"


class TestWhoosh(FetchContract):
    alias = "whoosh"


@pytest.mark.opensearch
class TestOpenSearch(FetchContract):
    alias = "opensearch"
