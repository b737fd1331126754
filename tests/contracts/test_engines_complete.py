"""What every engine completes and finds nearly alike, inside a scope alone: one suite that each of them inherits."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from knowledge import index
from knowledge.documents import EVERYONE, IndexDocument, Scope
from knowledge.index import near, schema
from tests.contracts.engines import ALL, OfOneEngine, doc

BOARD = "team:9"
OTHERS = Scope(frozenset({1, 2}), frozenset({BOARD}))


class CompletionContract(OfOneEngine):
    """An index in memory with a few names in it."""

    @pytest.fixture
    def engine(self) -> index.Engine:
        engine = index.in_memory()
        engine.write(
            [
                doc("prime", "Priming a feed pump", "close the valve", topics=("Pumps", "Start-up")),
                doc("hydraulics", "Pump hydraulics", "curves of a valve", kind="course", topics=("Pumps",)),
                doc("cleo", "Cléo Ferreira", kind="person", topics=("Pumps",)),
                doc("view", "ValveView for Node.js", "calibration", kind="tool", source=2),
                doc("robot", "R2D2", "p1011 and p1012"),
                doc("salary", "Pump salaries", "calibratoin hydraulik", topics=("Pumpkin",),
                    audience=frozenset({BOARD})),
            ]
        )  # fmt: skip
        return engine

    def test_any_word_of_a_name_may_be_begun(self, engine: index.Engine) -> None:
        assert engine.names(("pu",), ALL) == ("hydraulics", "prime")
        assert engine.names(("feed",), ALL) == ("prime",)
        assert engine.names(("fer",), ALL) == ("cleo",)
        assert engine.names(("js",), ALL) == engine.names(("node.j",), ALL) == ("view",)
        assert engine.names(("ump",), ALL) == ()

    def test_accents_are_folded(self, engine: index.Engine) -> None:
        assert engine.names(("cleo",), ALL) == ("cleo",)

    def test_every_word_must_be_there_and_finished_ones_by_their_stem(self, engine: index.Engine) -> None:
        assert engine.names(("pump", "fee"), ALL) == ("prime",)
        assert engine.names(("primed", "pu"), ALL) == ("prime",)
        assert engine.names(("pu", "primed"), ALL) == ()
        assert engine.names((), ALL) == ()

    def test_the_first_word_of_a_name_can_be_asked_for(self, engine: index.Engine) -> None:
        assert engine.names(("^pu",), ALL) == ("hydraulics",)
        assert engine.names(("^feed",), ALL) == ()

    def test_kinds_and_a_limit(self, engine: index.Engine) -> None:
        assert engine.names(("pu",), ALL, kinds=("page",)) == ("prime",)
        assert engine.names(("pu",), ALL, kinds=("page", "course")) == ("hydraulics", "prime")
        assert engine.names(("pu",), ALL, limit=1) == ("hydraulics",)

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("pmup", ("hydraulics", "prime")),  # swapped
            ("pomp", ("hydraulics", "prime")),  # another letter
            ("ppump", ("hydraulics", "prime")),  # one too many
            ("hydraluics", ("hydraulics",)),
            ("hidraulisc", ("hydraulics",)),  # two slips in a long word
            ("hidro", ()),  # two slips in a short one
            ("pmp", ()),  # a word of three letters must be right
            ("ferera", ()),
            ("r2d3", ()),  # in what has a digit each sign matters
            ("ferrera", ("cleo",)),
        ],
    )
    def test_slips_are_forgiven_by_the_length_of_the_word(
        self, engine: index.Engine, typed: str, found: tuple[str, ...]
    ) -> None:
        assert engine.names((typed,), ALL, slips=True) == found
        assert engine.names((typed,), ALL) == ()

    def test_short_names_come_first_then_new_ones(self, engine: index.Engine) -> None:
        engine.write(
            [
                doc("old", "Harbour map", updated=date(2020, 1, 1)),
                doc("new", "Harbour plan", updated=date(2026, 1, 1)),
                doc("long", "Harbour plan of the old town", updated=date(2026, 11, 1)),
                doc("short", "Harbour"),
            ]
        )
        engine.write([doc("new", "Harbour plan", updated=date(2026, 1, 2))])
        assert engine.names(("har",), ALL) == ("short", "new", "old", "long")
        engine.write(delete=["short"])
        assert engine.names(("har",), ALL, limit=2) == ("new", "old")

    def test_topics_are_completed_and_counted(self, engine: index.Engine) -> None:
        assert engine.topics(("pu",), ALL) == {"Pumps": 3}
        assert engine.topics(("up",), ALL) == {"Start-up": 1}
        assert engine.topics(("start", "u"), ALL) == {"Start-up": 1}
        assert engine.topics(("pmups",), ALL, slips=True) == {"Pumps": 3}
        assert engine.topics(("pmups",), ALL) == engine.topics((), ALL) == {}
        engine.write(delete=["cleo"])
        assert engine.topics(("pu",), ALL) == {"Pumps": 2}

    def test_words_nearly_alike_are_counted(self, engine: index.Engine) -> None:
        assert engine.similar("vlave", ALL) == {"valve": 2}
        assert engine.similar("hydraulik", ALL) == {"hydraulics": 1}
        assert engine.similar("calibrtoin", ALL) == {"calibration": 1}
        assert engine.similar("acalibratio", ALL) == engine.similar("acilbration", ALL) == {"calibration": 1}
        assert engine.similar("alibrations", ALL) == {}
        assert engine.similar("pum", ALL) == {}
        assert engine.similar("valve", ALL) == engine.similar("p1013", ALL) == {}
        assert engine.similar("ferrera", ALL) == {"ferreira": 1}

    # Who may see what -----------------------------------------------------------------------------------------------

    def test_nothing_comes_from_outside_the_scope(self, engine: index.Engine) -> None:
        assert engine.names(("pu",), OTHERS) == ("salary",)
        assert engine.names(("salr",), ALL, slips=True) == ()
        assert engine.topics(("pu",), OTHERS) == {"Pumpkin": 1}
        assert engine.topics(("pumpk",), ALL) == {}
        assert engine.similar("hydraulix", OTHERS) == {"hydraulik": 1}
        assert engine.similar("calibratin", ALL) == {"calibration": 1}
        for nobody in (Scope(frozenset(), frozenset({EVERYONE})), Scope(frozenset({1, 2}), frozenset())):
            assert engine.names(("pu",), nobody) == ()
            assert engine.topics(("pu",), nobody) == {}
            assert engine.similar("vlave", nobody) == {}

    def test_rows_behind_the_database_complete_nothing(self, engine: index.Engine) -> None:
        behind = replace(ALL, behind=frozenset({"prime", "view"}))
        assert engine.names(("pu",), behind) == ("hydraulics",)
        assert engine.topics(("pu",), behind) == {"Pumps": 2}
        assert engine.similar("vlave", behind) == {"valve": 1}
        assert engine.similar("calibratin", behind) == {}

    def test_hidden_documents_change_nothing(self, engine: index.Engine) -> None:
        pick = random.Random(8)
        words = ("pump", "pumps", "hydraulics", "hydraulik", "valve", "valves", "vale", "ferreira", "feed", "calibrate")

        def told() -> list[object]:
            asked: list[object] = []
            for word in (*words, "pmup", "vlave", "hydraulisc", "ferera"):
                for end in range(1, len(word) + 1):
                    for slips in (False, True):
                        asked.append(engine.names((word[:end],), ALL, slips=slips))
                        asked.append(list(engine.topics((word[:end],), ALL, slips=slips).items()))
                asked.append(sorted(engine.similar(word, ALL).items()))
            return asked

        before = told()
        for _ in range(3):
            engine.write(
                doc(f"hidden {pick.random()}", " ".join(pick.choices(words, k=3)), " ".join(pick.choices(words, k=9)),
                    topics=(pick.choice(words).title(),), audience=frozenset({BOARD}),
                    kind=pick.choice(("page", "person", "tool")))
                for _ in range(40)
            )  # fmt: skip
        assert told() == before

    @pytest.mark.parametrize("text", ["🎉", "東", "a" * 500, "[* TO *]", "\x00", "^", "c++", "node.", "%", "'"])
    def test_odd_words_are_only_words(self, engine: index.Engine, text: str) -> None:
        engine.write([doc("odd", f"{text} 東京 C++", topics=(text or "x",))])
        for words in ((text,), ("pump", text), (f"^{text}",)):
            engine.names(words, ALL, slips=True)
            engine.topics(words, ALL, slips=True)
        engine.similar(text, ALL)
        assert engine.names(("東",), ALL) == engine.names(("c+",), ALL) == ("odd",)

    def test_an_empty_index_completes_nothing(self) -> None:
        engine = index.in_memory()
        assert engine.names(("pu",), ALL, slips=True) == ()
        assert engine.topics(("pu",), ALL) == {}
        assert engine.similar("vlave", ALL) == {}


class TestTantivy(CompletionContract):
    alias = "tantivy"


class TestWhoosh(CompletionContract):
    alias = "whoosh"


@pytest.mark.opensearch
class TestOpenSearch(CompletionContract):
    alias = "opensearch"


def test_both_engines_complete_the_same(other: index.Engine) -> None:
    pick = random.Random(4)
    starts, ends = ("harb", "stormy", "sail", "ropewalk", "light", "hargr", "ébau"), ("", "ing", "s", "house")
    words = [start + end for start in starts for end in ends]
    documents: list[IndexDocument] = [
        doc(
            f"{n:03}",
            " ".join(pick.choices(words, k=3)),
            " ".join(pick.choices(words, k=20)),
            kind=pick.choice(("page", "tool", "person")),
            source=pick.choice((1, 2)),
            topics=tuple(" ".join(pick.sample(words, 2)) for _ in range(2)),
            audience=frozenset({pick.choice((EVERYONE, "team:1", "team:2"))}),
            updated=date(2026, 1, 1 + n % 28),
        )
        for n in range(150)
    ]
    engines = [index.in_memory("tantivy"), other]
    for engine in engines:
        engine.write(documents[:100])
        engine.write(documents[100:], delete=["003"])
    scope = Scope(frozenset({1, 2}), frozenset({EVERYONE, "team:1"}), frozenset({"017"}))
    for _ in range(80):
        word = pick.choice(words).replace("é", "e")
        at = pick.randrange(len(word))
        wrong = word[:at] + pick.choice(("", "x", word[at] * 2)) + word[at + 1 :]
        typed = (pick.choice(words).replace("é", "e"),) * pick.randrange(2) + (wrong[: pick.randrange(1, 12)],)
        slips, kinds = pick.random() < 0.5, pick.choice(((), ("tool",), ("page", "person")))
        one, two = (engine.names(typed, scope, slips=slips, kinds=kinds) for engine in engines)
        assert one == two, typed
        one_topics, two_topics = (engine.topics(typed, scope, slips=slips) for engine in engines)
        assert one_topics == two_topics, typed
        one_similar, two_similar = (engine.similar(wrong, scope) for engine in engines)
        assert one_similar == two_similar, wrong


def test_the_two_ways_to_compare_words_agree() -> None:
    pick = random.Random(2)
    words = sorted({"".join(pick.choices("abcd", k=pick.randrange(1, 9))) for _ in range(300)} | {"abcd" * 16})
    lexicon = near.Lexicon(words)
    for _ in range(40):
        word = "".join(pick.choices("abcd", k=pick.randrange(4, 9)))
        for most in (1, 2):
            for begins in (False, True):
                wanted = {other: near.distance(word, other, begins=begins, most=most) for other in words}
                assert dict(lexicon.near(word, most, begins=begins)) == {o: d for o, d in wanted.items() if d <= most}
        ones = {other for other in words if near.distance(word, other, most=1) == 1}
        assert ones == near.one_slip_away(word) & set(words)


def test_no_two_documents_share_a_place() -> None:
    ranks = {schema.name_rank(f"{n}", 3, 739_000) for n in range(1000)}
    assert len(ranks) == 1000
    assert schema.name_rank("a", 2, 1) > schema.name_rank("b", 3, 700_000)
    assert schema.name_rank("a", 2, 700_000) > schema.name_rank("b", 2, 699_999)
    assert 0 <= schema.name_rank("a", 10**6, 10**9) < 2**63
