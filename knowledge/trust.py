"""What counts beside words and meaning: pure, bounded, and only ever of one document.

A document that is verified, that people were helped by, or that is new where
the query is about the present, gains a share of what its words and its meaning
earned; one that did not help people loses a share. All shares together are
small (`LEAST`, `MOST`): a document whose words score more than `CLEARLY` times
another's stands before it whatever is known of the two. A pin is no share: a
curator said which resource is to stand first.

Nothing here depends on another document or on who looks. Who may read a
document was settled before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Candidate, Query
from knowledge.index.analysis import fold

PARTS = ("trust", "use", "fresh", "pin")
"""What `shares` adds to a score, in this order."""

TRUST, USE, FRESH = 0.05, 0.05, 0.1
"""The largest share of each: use may also take as much away."""
LEAST, MOST = 1 - USE, 1 + TRUST + USE + FRESH
CLEARLY = MOST / LEAST
"""How many times better a match must be so that nothing known of two documents changes their order: about 1.26."""
STEPS = 4
"""Use is known in so many steps each way: too coarse to show what any one person did."""
HALF_LIFE = 180
"""Days after which a document is half as fresh."""
PINNED = 10_000.0
"""What the first pin of a query adds, more than any words can; each further one adds a hundredth less."""

SAY_NOW = {
    "en": "latest|newest|current|currently|today|today's|tonight|now|nowadays|recent|recently|upcoming|up to date|"
    "up-to-date|as of|this (?:week|month|quarter|year)|what's new|what is new|news",
    "de": "aktuell(?:e[mnrs]?)?|neueste[mnrs]?|heute|heutige[mnrs]?|jetzt|derzeit|derzeitige[mnrs]?|momentan|"
    "gegenwartig|kurzlich|diese woche|dies(?:en|er) monat|dieses (?:jahr|quartal)|neuigkeiten",
    "fr": "actuel(?:le)?s?|actuellement|aujourd'hui|maintenant|recente?s?|recemment|cette (?:semaine|annee)|ce mois|"
    "nouveautes|actualites?",
    "es": "actualmente|hoy|ahora|recientes?|recientemente|esta semana|este (?:mes|ano)|novedades|noticias",
    "it": "attual[ei]|attualmente|oggi|recent[ei]|recentemente|questa settimana|questo mese|quest'anno|novita|notizie",
    "nl": "actueel|actuele|huidige?|nieuwste|vandaag|momenteel|deze (?:week|maand)|dit jaar|nieuws",
    "pt": "atua(?:l|is|lmente)|hoje|recentes?|recentemente|[dn]?esta semana|[dn]?este (?:mes|ano)|novidades|noticias",
}
"""What says in each language that what is new matters, folded.

Only words that say little else, in any of them: not *new*, *nuevo*, *neu* (starters and laptops are, too), not *actual*
(in English it means real), *dernier* (the last one), *nu* or *ora*. So all of them count whatever languages the index
holds: were they chosen by it, documents that somebody may not read would decide how their results stand.
"""
_PRESENT = re.compile(rf"\b(?:{'|'.join(SAY_NOW.values())})\b")
_YEAR = re.compile(r"\b(20\d\d)\b")


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one document: whether it is verified now, its use from -1 to 1, its place among pins from 1."""

    verified: bool = False
    use: float = 0.0
    pin: int = 0


NOTHING = Signals()


def about_the_present(query: Query, now: date) -> bool:
    """Whether a query says that what is new matters: by a word for the present, or by naming this year or the next.

    Words that are as often about something else do not count ("new" is also
    said of starters and laptops). Whoever narrows by date said it already.
    """
    if query.after or query.before:
        return False
    said = fold(query.text)
    return bool(_PRESENT.search(said)) or any(int(year) in (now.year, now.year + 1) for year in _YEAR.findall(said))


_NOTHING_MORE = (0.0,) * len(PARTS)


def shares(
    query: Query, candidates: Iterable[Candidate], scores: Sequence[float], signals: Mapping[str, Signals], now: date
) -> list[tuple[float, ...]]:
    """What is added to each candidate's score (of words and meaning), one number for each of `PARTS`."""
    present = about_the_present(query, now)
    if not (signals or present):
        return [_NOTHING_MORE] * len(scores)
    found: list[tuple[float, ...]] = []
    for candidate, score in zip(candidates, scores, strict=True):
        known = signals.get(candidate.key, NOTHING)
        if known is NOTHING and not present:
            found.append(_NOTHING_MORE)
            continue
        earned = max(0.0, score)
        fresh = earned * FRESH * freshness(candidate.updated, now) if present else 0.0
        pin = PINNED * (1 - 0.01 * min(known.pin - 1, 90)) if known.pin else 0.0
        use = max(-1.0, min(1.0, known.use))
        found.append((earned * TRUST * known.verified, earned * USE * use, fresh, pin))
    return found


def freshness(updated: date | None, now: date) -> float:
    """1 for a document of today (or of a day to come), half for each `HALF_LIFE`; 0 where the day is not known."""
    if updated is None:
        return 0.0
    return float(0.5 ** (max(0, (now - updated).days) / HALF_LIFE))


class Standings:
    """Use and verification of many documents, in 13 bytes each: found by the first 64 bits of their (random) keys.

    A row is a key in hexadecimal digits, its use in `STEPS`, and the last day of its verification if it has one.
    Never changed: `changed` makes another.
    """

    def __init__(self, rows: Iterable[tuple[str, int, date | None]] = ()) -> None:
        known = {int(key[:16], 16): (use, until.toordinal() if until else 0) for key, use, until in rows}
        self._set(
            np.fromiter(known, np.uint64, len(known)),
            np.fromiter((use for use, _ in known.values()), np.int8, len(known)),
            np.fromiter((until for _, until in known.values()), np.int32, len(known)),
        )

    def _set(self, keys: NDArray[np.uint64], use: NDArray[np.int8], until: NDArray[np.int32]) -> None:
        in_order = np.argsort(keys)
        self._keys, self._use, self._until = keys[in_order], use[in_order], until[in_order]

    def __len__(self) -> int:
        return len(self._keys)

    def changed(self, rows: Iterable[tuple[str, int, date | None]]) -> Standings:
        """These, with some rows added or replaced; one that says nothing any more is left out."""
        new = Standings(rows)
        says = (new._use != 0) | (new._until != 0)
        rest = ~np.isin(self._keys, new._keys)
        made = Standings()
        made._set(
            np.concatenate((self._keys[rest], new._keys[says])),
            np.concatenate((self._use[rest], new._use[says])),
            np.concatenate((self._until[rest], new._until[says])),
        )
        return made

    def of(self, keys: Sequence[str], today: date) -> dict[str, Signals]:
        """What is known today of those among these documents of which anything is."""
        if not len(self._keys) or not keys:
            return {}
        wanted = np.fromiter((int(key[:16], 16) for key in keys), np.uint64, len(keys))
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        known = np.flatnonzero(self._keys[at] == wanted)
        day = today.toordinal()
        return {
            keys[number]: Signals(verified=bool(self._until[row] >= day), use=int(self._use[row]) / STEPS)
            for number, row in zip(known.tolist(), at[known].tolist(), strict=True)
        }
