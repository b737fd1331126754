"""What counts beside words is small: it decides between equals and never buries a clearly better match."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge import ranking, trust
from knowledge.documents import Hit, IndexDocument, Synonym
from knowledge.index.language import parse
from knowledge.trust import Signals, Standings

from .test_ranking import FILLER, TODAY, candidate, document, statistics


def hits(text: str, documents: list[IndexDocument], signals: dict[str, Signals] | None = None) -> list[Hit]:
    figures = statistics([*documents, *(document(f"filler {number}") for number in range(20))])
    query, candidates = parse(text), [candidate(one) for one in documents]
    return ranking.order(query, candidates, figures, now=TODAY, signals=signals)


def keys(text: str, documents: list[IndexDocument], signals: dict[str, Signals] | None = None) -> list[str]:
    return [hit.key for hit in hits(text, documents, signals)]


EQUAL = [document("a", "Leave"), document("b", "Leave")]


@pytest.mark.parametrize(
    ("signals", "first"),
    [
        ({}, "a"),
        ({"b": Signals(verified=True)}, "b"),
        ({"b": Signals(use=0.25)}, "b"),
        ({"a": Signals(use=-0.25)}, "b"),
        ({"a": Signals(use=1.0), "b": Signals(use=1.0, verified=True)}, "b"),
        ({"a": Signals(use=1.0, verified=True), "b": Signals(pin=1)}, "b"),
        ({"a": Signals(pin=2), "b": Signals(pin=1)}, "b"),
        ({"never found": Signals(pin=1)}, "a"),
    ],
)
def test_between_equals_what_is_known_decides(signals: dict[str, Signals], first: str) -> None:
    assert keys("leave", EQUAL, signals)[0] == first


def test_the_parts_still_add_up_and_say_what_counted() -> None:
    one = hits("latest leave", [document("a", "Leave", updated=TODAY)], {"a": Signals(True, -0.5, 1)})[0]
    parts = dict(one.reasons)
    assert sum(one.parts) == pytest.approx(one.score)
    words = sum(part for name, part in parts.items() if name not in trust.PARTS)
    assert (parts["trust"], parts["use"]) == pytest.approx((trust.TRUST * words, -trust.USE * words / 2))
    assert (parts["fresh"], parts["pin"]) == pytest.approx((trust.FRESH * words, trust.PINNED))


SIGNALS = st.builds(Signals, verified=st.booleans(), use=st.floats(-9, 9))
TEXTS = st.lists(st.sampled_from(["leave", "form", "travel", "visa", "tea"]), max_size=8).map(" ".join)
DAYS = st.none() | st.integers(-400, 4000).map(lambda days: TODAY - timedelta(days=days))


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, DAYS, SIGNALS), min_size=2, max_size=6), TEXTS, st.booleans())
def test_no_signal_buries_a_clearly_better_match(
    given_: list[tuple[str, str, date | None, Signals]], words: str, present: bool
) -> None:
    """Whatever is known of two documents: the one whose words earn `CLEARLY` times as much stands first."""
    documents = [document(f"{n}", title, body, updated=day) for n, (title, body, day, _) in enumerate(given_)]
    signals = {f"{n}": known for n, (_, _, _, known) in enumerate(given_)}
    text = f"latest {words}" if present else words
    plain = {hit.key: sum(hit.parts[: -len(trust.PARTS)]) for hit in hits(text, documents)}
    shaded = hits(text, documents, signals)
    for hit in shaded:
        assert trust.LEAST * plain[hit.key] <= hit.score + 1e-9 <= trust.MOST * plain[hit.key] + 2e-9
    places = {hit.key: place for place, hit in enumerate(shaded)}
    for (one, better), (other, worse) in permutations(plain.items(), 2):
        if better > trust.CLEARLY * worse:
            assert places[one] < places[other], (one, other, signals)


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(TEXTS, SIGNALS), min_size=2, max_size=5), TEXTS, st.integers(0, 4))
def test_what_is_known_of_one_document_moves_no_score_of_another(
    given_: list[tuple[str, Signals]], words: str, at: int
) -> None:
    documents = [document(f"{n}", "A page", text) for n, (text, _) in enumerate(given_)]
    signals = {f"{n}": known for n, (_, known) in enumerate(given_)}
    left_out = {key: known for key, known in signals.items() if key != f"{at}"}
    all_known = {hit.key: hit.score for hit in hits(words, documents, signals)}
    assert all(hit.score == all_known[hit.key] for hit in hits(words, documents, left_out) if hit.key != f"{at}")


# Freshness ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "present"),
    [
        ("latest expenses policy", True),
        ("What's new in payroll?", True),
        ("Who is on call this week", True),
        ("CURRENT org chart", True),
        ("holidays 2026", True),
        ("holidays 2027", True),
        ("holidays 2019", False),
        ("new starter checklist", False),
        ("new laptop", False),
        ("knowledge base", False),
        ("snow", False),
        ("room 2026b", False),
        ("current state after:2026-01", False),
        ("annual leave", False),
        ("aktuelle Reisekostenrichtlinie", True),
        ("Neuester Organisationsplan", True),
        ("Dienstplan für diese Woche", True),
        ("GEGENWÄRTIG gültig", True),
        ("organigramme actuel", True),
        ("les nouveautés de la paie", True),
        ("qui est d’astreinte aujourd’hui", True),
        ("qué hay de comer hoy", True),
        ("guardias de este año", True),
        ("novità sulle ferie", True),
        ("chi è di turno quest'anno", True),
        ("huidige tarieven", True),
        ("wie heeft vandaag dienst", True),
        ("organograma atual", True),
        ("férias deste ano", True),
        ("feriados este mês", True),
        ("actual costs", False),
        ("nuevo portátil", False),
        ("neue Mitarbeiter", False),
        ("nouveau collaborateur", False),
        ("le dernier jour", False),
        ("current-voltage curve", True),
        ("Jetztzeit", False),
        ("noticiaswesen", False),
    ],
)
def test_a_query_says_that_it_is_about_the_present(text: str, present: bool) -> None:
    assert trust.about_the_present(parse(text), TODAY) is present


COMMON = """
    leave pay sick form new starter laptop travel hotel first last next year month week day hour time date policy
    real actual cost reset password room meeting book order contract holiday training course manager team office
    phone printer Urlaub Lohn krank Formular neu neue neuer Reise erste letzte Jahr Monat Woche Tag Stunde Zeit
    Datum Raum Vertrag Schulung congé paie malade formulaire nouveau nouvelle voyage premier dernier année mois
    semaine jour heure temps date salle cours vacaciones nómina baja formulario nuevo nueva viaje primero último año
    mes semana día hora tiempo fecha sala curso actual ferie paga malattia modulo nuovo nuova viaggio primo ultimo
    anno mese settimana giorno ora tempo data sala corso verlof loon ziek formulier nieuw nieuwe reis eerste laatste
    jaar maand week dag uur tijd datum kamer cursus nu férias salário doente formulário novo nova viagem primeiro
    último ano mês semana dia hora tempo data sala curso agora
"""


def test_what_people_look_for_in_any_language_is_not_taken_for_it() -> None:
    assert [word for word in COMMON.split() if trust.about_the_present(parse(word), TODAY)] == []


def test_what_is_new_gains_only_where_that_was_asked_for() -> None:
    old, new = document("a", "Leave", updated=date(2022, 1, 1)), document("b", "Leave", updated=date(2026, 11, 1))
    assert keys("leave", [old, new]) == ["a", "b"]
    assert keys("leave now", [old, new]) == ["b", "a"]


def test_freshness_fades_and_knows_its_bounds() -> None:
    days = [TODAY + timedelta(days=400), TODAY, TODAY - timedelta(days=180), date(1970, 1, 1), None]
    found = [trust.freshness(day, TODAY) for day in days]
    assert found[:3] == [1.0, 1.0, 0.5]
    assert all(first >= second for first, second in pairwise(found))
    assert found[-1] == 0.0


# Synonyms -------------------------------------------------------------------------------------------------------------


def ordered(text: str, documents: list[IndexDocument], *synonyms: Synonym) -> list[Hit]:
    figures = statistics([*documents, *(document(f"filler {number}") for number in range(20))])
    query = replace(parse(text), synonyms=synonyms)
    return ranking.order(query, [candidate(one) for one in documents], figures, now=TODAY)


@pytest.mark.parametrize(
    ("text", "synonym", "says", "means"),
    [
        ("holiday", Synonym(("holiday",), "leave"), "Holiday", "Leave"),
        ("pto form", Synonym(("pto",), "paid time away"), "PTO form", "Paid time away form"),
        ("paid time away form", Synonym(("paid", "time", "away"), "pto"), "Paid time away form", "PTO form"),
        ("it desk", Synonym(("it",), "information technology"), "Desk of it", "Desk of information technology"),
    ],
)
def test_a_synonym_counts_a_little_less_than_the_word_itself(
    text: str, synonym: Synonym, says: str, means: str
) -> None:
    for title in (True, False):
        said, meant = (
            document(key, *((words,) if title else ("A page", f"{words}. {FILLER}")))
            for key, words in (("b", says), ("a", means))
        )
        other = document("0", "Cups", "Nothing of the sort.")
        first, second, last = ordered(text, [other, meant, said], synonym)
        assert (first.key, second.key, last.key) == ("b", "a", "0")
        assert 0.6 * first.score < second.score < first.score
        assert last.score == 0


def test_a_document_that_says_the_word_gains_nothing_by_also_saying_the_synonym() -> None:
    both = document("a", body="Leave. " + FILLER)
    plain = ordered("leave", [both])[0].score
    assert ordered("leave", [both], Synonym(("leave",), "cups"))[0].score == pytest.approx(plain)


# Many documents -------------------------------------------------------------------------------------------------------

ROWS = st.dictionaries(st.integers(0, 40), st.tuples(st.integers(-4, 4), st.none() | st.integers(-9, 9)), max_size=30)


@hypothesis_settings(max_examples=50, deadline=None)
@given(ROWS, ROWS)
def test_standings_are_what_was_said_last(
    first: dict[int, tuple[int, int | None]], then: dict[int, tuple[int, int | None]]
) -> None:
    def rows(given_: dict[int, tuple[int, int | None]]) -> list[tuple[str, int, date | None]]:
        return [
            (uuid.UUID(int=n << 64 | 7).hex, use, None if days is None else TODAY + timedelta(days=days))
            for n, (use, days) in given_.items()
        ]

    told = first | then
    wanted = {
        key: Signals(verified=until is not None and until >= TODAY, use=use / trust.STEPS)
        for key, use, until in rows(told)
    }
    every = [uuid.UUID(int=n << 64 | 7).hex for n in range(42)]
    found = Standings(rows(first)).changed(rows(then)).of(every, TODAY)
    nothing = Signals()
    assert {key: found.get(key, nothing) for key in every} == {key: wanted.get(key, nothing) for key in every}


def test_nothing_is_known_of_nothing() -> None:
    assert Standings().of(["0" * 32], TODAY) == {}
    assert Standings([("0" * 32, 1, None)]).of([], TODAY) == {}
