"""What every engine makes of the query language's tree: choices, beginnings of words, titles and places."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge import index
from knowledge.documents import EVERYONE, Choice, Phrase, Place, Query, Scope, Term
from knowledge.index import Matches
from knowledge.index.asked import MOST_BEGINNINGS
from tests.contracts.engines import ALL, OfOneEngine, doc, keys

TEAM = Scope(frozenset({1, 2}), frozenset({EVERYONE, "team:1"}))


def one_of(*terms: Term | str, exclude: bool = False) -> Choice:
    return Choice(tuple(Term(term) if isinstance(term, str) else term for term in terms), exclude)


class LanguageContract(OfOneEngine):
    """An index in memory."""

    # OR -----------------------------------------------------------------------------------------------------------

    def test_one_of_a_choice_must_be_there(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("ship", body="The ships are loading"),
                doc("boat", body="a boat"),
                doc("sail", body="annual sailing day"),
                doc("none", body="an annual report and a day of sailing"),
            ]
        )
        either = one_of("ship", Term("annual sailing", "phrase"))
        assert self.found(engine, choices=(either,)) == {"ship", "sail"}
        assert self.found(engine, "day", choices=(either,)) == {"sail"}
        assert self.found(engine, choices=(either, one_of("boat", "ship"))) == {"ship"}
        assert self.found(engine, "day", "annual", choices=(one_of("boat", "ship", exclude=True),)) == {"sail", "none"}
        assert self.found(engine, choices=(one_of("whale", "shark"),)) == set()

    def test_what_only_excludes_asks_for_nothing(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="harbour", updated=date(2026, 1, 2)), doc("b", body="boat")])
        assert engine.search(Query(choices=(one_of("boat", exclude=True),)), ALL) == Matches()
        assert self.found(engine, kinds=("page",), choices=(one_of("boat", exclude=True),)) == {"a"}

    def test_words_are_wishes_beside_what_binds(self, engine: index.Engine) -> None:
        """How a question begins, and common words, do not keep out what has the phrase."""
        engine.write([doc("a", body="pump control for the north dock"), doc("b", body="who knows")])
        assert self.found(engine, "who", "knows", "about", phrases=(Phrase("pump control"),)) == {"a"}
        assert self.found(engine, "the", "of", choices=(one_of("pump", "dock"),)) == {"a"}
        assert self.found(engine, "who", "knows", "about", "docks") == {"a"}
        assert self.found(engine, "who", "knows") == {"b"}

    def test_the_best_of_many_alternatives_are_candidates(self, engine: index.Engine) -> None:
        engine.write(
            [doc(f"n{n}", body="harbour and much else besides " * 9, updated=date(2026, 2, 1)) for n in range(30)]
        )
        engine.write([doc("best", "Harbour, buoy", "harbour buoy", updated=date(2020, 1, 1))])
        matches = engine.search(Query(choices=(one_of("harbour", "buoy"),)), ALL, limit=3)
        assert "best" in keys(matches)
        assert matches.total == 31

    # Beginnings ---------------------------------------------------------------------------------------------------

    def test_a_prefix_is_how_a_word_begins_as_written(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("deploy", body="We Deploy on Fridays"),
                doc("deployment", title="Deployment", body="of things"),
                doc("topic", topics=("deployable units",)),
                doc("accent", body="Déployé hier"),
                doc("inside", body="redeploy"),
                doc("depot", body="the depot"),
                doc("error", body="see ERR_42, then err_7; an error"),
            ]
        )
        assert self.found(engine, choices=(one_of(Term("deploy", "prefix")),)) == {
            "deploy",
            "deployment",
            "topic",
            "accent",
        }
        assert self.found(engine, choices=(one_of(Term("deploym", "prefix"), "depot"),)) == {"deployment", "depot"}
        assert self.found(
            engine,
            "depot",
            "things",
            choices=(
                one_of(
                    Term(
                        "deploy",
                        "prefix",
                    ),
                    exclude=True,
                ),
            ),
        ) == {"depot"}
        assert self.found(engine, choices=(one_of(Term("err_", "prefix")),)) == {"error"}
        assert engine.beginning("err_", ALL, limit=9) == ("err_42", "err_7")
        assert self.found(engine, choices=(one_of(Term("zz", "prefix")),)) == set()

    def test_beginnings_are_bounded_to_the_most_frequent_words(self, engine: index.Engine) -> None:
        engine.write([doc(f"{n:03}", body=f"word{n:03} " + "word000 " * (n % 2)) for n in range(1, 90)])
        few = engine.beginning("word", ALL, limit=3)
        assert few == ("word000", "word001", "word002")
        matches = engine.search(Query(choices=(one_of(Term("word0", "prefix")),)), ALL)
        assert matches.total == len({f"{n:03}" for n in range(1, 90) if n % 2 or n < MOST_BEGINNINGS})

    def test_a_hidden_document_changes_no_beginning(self, engine: index.Engine) -> None:
        seen = [doc(f"{n:02}", body=f"harbour{n:02} harbour") for n in range(70)]
        engine.write(seen)
        query = Query(choices=(one_of(Term("harb", "prefix")), one_of(Term("h", "prefix", title=True), "harbour")))
        before = engine.beginning("harb", ALL, limit=20), keys(engine.search(query, ALL))
        hidden = [
            doc(f"h{n}", "harbinger", f"harbinger harbour{60 + n % 10}", audience=frozenset({"team:1"}))
            for n in range(40)
        ]
        engine.write([*hidden, doc("late", body="harbinger")])
        behind = Scope(ALL.sources, ALL.audience, frozenset({"late"}))
        assert (engine.beginning("harb", behind, limit=20), keys(engine.search(query, behind))) == before
        assert engine.beginning("harbi", behind, limit=20) == ()
        assert engine.beginning("harb", TEAM, limit=1) == ("harbour",)
        assert engine.beginning("harbi", TEAM, limit=20) == ("harbinger",)
        assert engine.beginning("harb", Scope(frozenset(), frozenset({EVERYONE})), limit=20) == ()

    def test_deleted_documents_end_no_word(self, engine: index.Engine) -> None:
        engine.write([doc("a", body="harbour"), doc("b", body="harbinger")])
        engine.write(delete=["b"])
        assert engine.beginning("harb", ALL, limit=9) == ("harbour",)

    # Titles -------------------------------------------------------------------------------------------------------

    def test_title_looks_at_the_title_alone(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("a", "Annual leaves", "by day"),
                doc("b", "Leave", "annual leave by day"),
                doc("c", "Other", "leave", topics=("Annual leave",)),
            ]
        )
        assert self.found(engine, choices=(one_of(Term("leave", title=True)),)) == {"a", "b"}
        assert self.found(engine, "day", choices=(one_of(Term("annual", title=True)),)) == {"a"}
        assert self.found(engine, choices=(one_of(Term("annual leaves", "phrase", title=True)),)) == {"a"}
        assert self.found(engine, choices=(one_of(Term("annual leave", "phrase", title=True)),)) == set()
        assert self.found(engine, choices=(one_of(Term("ann", "prefix", title=True)),)) == {"a"}
        assert self.found(engine, choices=(one_of(Term("by", "prefix", title=True)),)) == set()
        assert self.found(engine, "leave", choices=(one_of(Term("annual", title=True), exclude=True),)) == {"b", "c"}
        assert engine.beginning("a", ALL, limit=9, title=True) == ("annual",)

    def test_titles_match_in_the_documents_language(self, engine: index.Engine) -> None:
        engine.write([doc("de", "Die Häuser am Hafen", language="de"), doc("en", "Houses")])
        assert self.found(engine, choices=(one_of(Term("haus", title=True)),)) == {"de"}

    # Places -------------------------------------------------------------------------------------------------------

    def test_a_place_is_a_section_or_a_source(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("a", body="harbour", crumbs=("Operations", "Pumps & valves")),
                doc("b", body="harbour", crumbs=("operations",), source=2),
                doc("c", body="harbour", source=2),
                doc("d", body="harbour", crumbs=("2",)),
            ]
        )
        assert self.found(engine, places=(Place("OPERATIONS"),)) == {"a", "b"}
        assert self.found(engine, "harbour", places=(Place("pumps-valves"),)) == {"a"}
        assert self.found(engine, places=(Place("oper"),)) == set()
        assert self.found(engine, places=(Place("2"),)) == {"d"}
        assert self.found(engine, places=(Place("wiki", (2,)),)) == {"b", "c"}
        assert self.found(engine, places=(Place("wiki", (2,)), Place("pumps valves"))) == {"a", "b", "c"}
        assert self.found(engine, places=(Place("operations"),), sources=("2",)) == {"b"}
        only_first = Scope(frozenset({1}), frozenset({EVERYONE}))
        assert self.found(engine, places=(Place("wiki", (2,)),), scope=only_first) == set()

    # Anything -----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("text", ["🎉", "x" * 5000, "\x00", "' OR 1=1 --", "[* TO *]", ".*", "ﬁ", ""])
    def test_odd_terms_find_little_and_break_nothing(self, engine: index.Engine, text: str) -> None:
        engine.write([doc("plain", body="harbour")])
        for form in ("word", "phrase"):
            for title in (False, True):
                choice = one_of(Term(text, form, title), "harbour")
                assert self.found(engine, choices=(choice,), places=(Place(text, (1,)),)) == {"plain"}
        assert self.found(engine, choices=(Choice(()),)) == set()
        assert self.found(engine, "harbour", choices=(Choice((), exclude=True),)) == {"plain"}


class TestTantivy(LanguageContract):
    alias = "tantivy"


class TestWhoosh(LanguageContract):
    alias = "whoosh"


@pytest.mark.opensearch
class TestOpenSearch(LanguageContract):
    alias = "opensearch"
