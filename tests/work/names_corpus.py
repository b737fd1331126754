"""Notes to measure the check of names with: written by hand without a name, and names of many places to set into them.

Names come in two halves, by turns, and so do notes, of which the last were
written when the check stood: the first half was looked at while it was built,
the second was run at the end (`docs/benchmarks.md`).
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from immersive.work.lessons.name_reading import Named

NOTES = (Path(__file__).parent / "notes.txt").read_text(encoding="utf-8").splitlines()
"""None of them names anybody who could be blamed."""
BUILT_WITH = 60

HERE = (
    """
Jun Hayashimo; Priya Nandekar; Tomás Arrizal; Wanjiru Kamotho; Joost van den Berg; Amélie Tourvance; Mark Wills;
Grace Okafor; Saoirse Kilbrannan; Łukasz Wróblewski; Nguyễn Thị Hoa; Mei Tanaguchi; Abdullah al-Rashid;
Søren Kjærgaard; Rose Hunter; Bill Baker; Jean-Pierre Duchêne; Siân O’Connell; Đorđe Petrović; Kwabena Asarford;
Yetunde Adeyemi-Cole; İpek Yıldız; Ananya Krishnamurthy; Will Marsh; Xiuying Zhao; Þóra Jónsdóttir;
Mohammed bin Saleh; Chinwe Eze; Fernando de la Cruz; Oleksandr Shevchuk; Hyun-woo Bae; May Lindholm;
Ngũgĩ Kariuki; Giulia D’Angelo; Rangi Te Whata; Björn Åkesson; Thabo Nkosi; Lakshmi Subramaniam; Zsófia Szabó;
Piotr Zieliński; Ottoline Gravesend; Iñaki Etxeberria; Deepak Rao; Fatoumata Diallo; Eleftheria Papadaki; Sun-
hee Park; João Valadeiro; Marieke de Wit; Małgorzata Dąbrowska; Tevita Fonua; Ji-hoon Lim; Aarav Patel;
Gwendolyn Ashworth; Emre Çelik; Noor Haddariyan; Dmitri Volkonsky; Frank Stone; Aroha Ngata; Björk Einarsdóttir;
Vikram Chandrasekaran; Ulrike Brandhauer; Bao Trinhwell; Selam Tesfaye; Rhys Pennarth
""".replace("\n", " ")
    .strip()
    .split("; ")
)
"""People of the directory."""

OUTSIDE = (
    """
Kenneth Barlow; Aleksandra Nowak; Pedro Carvalho; Chidinma Obi; Hiroshi Takeda; Gérard Lemoine; Anneliese Vogt;
Siobhán Keane; Rajesh Menon; Fatima Zahra Benali; Lars Nyström; Giovanni Bellandi; Nomvula Dlamini;
Katarzyna Lis; Yusuf Demirtaş; Beatriz Moura; Mikhail Orlov; Ewa Kowalczyk; Thomas Whitfield; Ingrid Halvorsen;
Samir Haddad; Claudia Reyes; Kofi Boateng; Minh Tran; Helena Svobodová; Patrick Gallagher; Zeynep Arslan;
Douglas Fairley; Mariam Traoré; Stefan Iliescu; Sanjay Kulkarni; Margarethe Huber
""".replace("\n", " ")
    .strip()
    .split("; ")
)
"""People who are not: customers, suppliers, whoever left or is hidden."""

SAID = (
    "{} turned the wrong valve, and the deck went cold.",
    "The label was read as a seven by {} on the night shift.",
    "We only noticed because {} had kept the old board.",
    "Then {} forgot to book the transfer.",
    "I asked {} twice and got no answer.",
    "On Tuesday {} signed the slip without a second reading.",
    "It was {} who skipped the soak run.",
    "The note from {} was still in the drawer.",
    "Neither the planner nor {} knew about the new limit.",
    "{} said it would be fine.",
    "This should not have been left to {}.",
    "Because {} was on leave, nobody renewed the certificate.",
    "Later we found out that {} did not have the right access.",
    "Everybody waited for {}, who had not been told.",
    "According to {}, the pump had been loud for weeks.",
    "- {} closed the ticket too early",
    "The second reading (by {}) was 4 °C off.",
    "What happened: {} deployed on Friday evening.",
)
OWNED = ("We followed {} note, which was for the old model.", "It was in {} van all the time.")


@dataclass(frozen=True)
class Seeded:
    """A note and the name in it."""

    text: str
    name: str
    form: str


def notes_of(which: int) -> list[str]:
    """The notes of a half."""
    return NOTES[BUILT_WITH:] if which else NOTES[:BUILT_WITH]


def half(of: list[str], which: int) -> list[str]:
    """Every other one: 0 while building, 1 at the end."""
    return of[which::2]


def account(name: str) -> str:
    """The user name that somebody of this name has here."""
    plain = unicodedata.normalize("NFKD", name.replace("ł", "l").replace("Ł", "L").replace("ø", "o").replace("Þ", "Th"))
    words = "".join(letter for letter in plain if letter.isascii() and letter not in "'’-").lower().split()
    return f"{words[0]}.{words[-1]}"


def people(names: list[str]) -> list[Named]:
    """These as the directory gives them."""
    return [Named(name, (account(name),), f"a colleague of team {number % 5}") for number, name in enumerate(names)]


def _bare(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))


FORMS: dict[str, Callable[[str, str], str]] = {
    "whole": lambda first, last: f"{first} {last}",
    "first": lambda first, last: first,
    "initial": lambda first, last: f"{first[0]}. {last}",
    "title": lambda first, last: f"Ms {last}",
    "doctor": lambda first, last: f"Dr. {first} {last}",
    "handle": lambda first, last: f"@{account(f'{first} {last}')}",
    "address": lambda first, last: f"{account(f'{first} {last}')}@example.com",
}
FORMS_HERE: dict[str, Callable[[str, str], str]] = FORMS | {
    "last": lambda first, last: last.split()[-1],
    "short": lambda first, last: f"{first} {last.split()[-1][0]}.",
    "turned": lambda first, last: f"{last}, {first}",
    "small": lambda first, last: f"{first} {last}".lower(),
    "bare": lambda first, last: _bare(f"{first} {last}"),
    "loud": lambda first, last: f"{first} {last}".upper(),
    "account": lambda first, last: account(f"{first} {last}"),
}


def seeded(which: int, count: int = 200) -> Iterator[Seeded]:
    """Notes with one name each: three in four of somebody here, in all the ways that a name is written."""
    chance = random.Random(which)
    notes, here, outside = notes_of(which), half(HERE, which), half(OUTSIDE, which)
    for number in range(count):
        strange = number % 4 == 3
        first, _, last = chance.choice(outside if strange else here).partition(" ")
        form = chance.choice(sorted(FORMS if strange else FORMS_HERE))
        name = (FORMS if strange else FORMS_HERE)[form](first, last)
        if form in ("whole", "first", "last") and chance.random() < 0.2:
            said = chance.choice(OWNED).format(name + "’s")
        else:
            said = chance.choice(SAID).format(name)
        before, after = chance.sample(notes, 2)
        yield Seeded(f"{before}\n{said} {after.lstrip('# ')}", name, form)


def nameless(which: int, count: int = 200) -> Iterator[str]:
    """Each note of the half alone, then two by two."""
    notes = notes_of(which)
    yield from notes
    chance = random.Random(100 + which)
    for _ in range(count - len(notes)):
        yield "\n".join(chance.sample(notes, 2))
