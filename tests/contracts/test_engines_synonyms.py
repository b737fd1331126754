"""What curators call another way to say a word is found by every engine, several words side by side, in the scope."""

from __future__ import annotations

from itertools import product

import pytest

from knowledge import index
from knowledge.documents import EVERYONE, Query, Scope, Synonym

from .engines import ALL, OfOneEngine, doc, keys

HOLIDAY = (
    doc("leave", body="Annual leave is booked in the calendar."),
    doc("holiday", "Holidays of the year", "When the office is closed."),
    doc("off", body="Time off in lieu, on paper."),
    doc("apart", body="Off we go, time after time."),
    doc("form", body="The form for expenses."),
    doc("secret", body="The board's holiday.", audience=frozenset({"team:1"})),
)


class SynonymContract(OfOneEngine):
    """Synonyms are wishes that nobody typed."""

    @pytest.fixture
    def engine(self) -> index.Engine:
        engine = index.in_memory()
        engine.write(HOLIDAY)
        return engine

    def test_one_word_is_found_by_its_stem_and_several_side_by_side(self, engine: index.Engine) -> None:
        one = Synonym(("leave",), "holiday")
        two = Synonym(("leave",), "time off")
        assert self.found(engine, "leave") == {"leave"}
        assert self.found(engine, "leave", synonyms=(one,)) == {"leave", "holiday"}
        assert self.found(engine, "leave", synonyms=(one, two)) == {"leave", "holiday", "off"}

    def test_a_synonym_stands_for_its_words_where_more_than_one_is_asked_for(self, engine: index.Engine) -> None:
        engine.write([doc("both", body="The holiday form.")])
        query = Query(words=("annual", "leave", "form"), synonyms=(Synonym(("annual", "leave"), "holiday"),))
        assert keys(engine.search(query, ALL, minimum=3)) == {"both"}
        assert keys(engine.search(query, ALL)) == {"both", "leave", "holiday", "form"}

    def test_words_that_weigh_nothing_have_synonyms_too(self, engine: index.Engine) -> None:
        query = Query(words=("off", "form"), synonyms=(Synonym(("off",), "holiday"),))
        assert keys(engine.search(query, ALL)) == {"holiday", "form"}

    def test_what_is_left_out_and_filters_hold_for_synonyms(self, engine: index.Engine) -> None:
        synonyms = (Synonym(("leave",), "holiday"),)
        assert self.found(engine, "leave", synonyms=synonyms, not_words=("closed",)) == {"leave"}
        assert self.found(engine, "leave", synonyms=synonyms, kinds=("tool",)) == set()

    def test_a_synonym_finds_nothing_outside_the_scope(self, engine: index.Engine) -> None:
        secret = Synonym(("zzz",), "board's holiday"), Synonym(("zzz",), "board")
        for one, scope in product(secret, (ALL, Scope(frozenset({1}), frozenset({EVERYONE, "team:2"})))):
            found = engine.search(Query(words=("zzz",), synonyms=(one,)), scope)
            assert (found.candidates, found.total, found.facets) == ((), 0, {})
        inside = Scope(frozenset({1}), frozenset({"team:1"}))
        assert self.found(engine, "zzz", scope=inside, synonyms=secret) == {"secret"}


class TestTantivy(SynonymContract):
    alias = "tantivy"


class TestWhoosh(SynonymContract):
    alias = "whoosh"


@pytest.mark.opensearch
class TestOpenSearch(SynonymContract):
    alias = "opensearch"
