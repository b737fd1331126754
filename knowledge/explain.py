"""Why a result stands where it stands: pure, from what put it there and from nothing else.

The words are read from the same stored vector that ranking scored, the parts
are ranking's own. No statistic of an engine and no number of people is here:
what people did shows as a share of the score, in steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.documents import Candidate, Hit, Query, ResultPage, Synonym
from knowledge.index.analysis import terms_of
from knowledge.index.asked import weighing
from knowledge.index.vectors import Vectors, term_hash
from knowledge.ranking import words_of

LINES = {
    "Words in the title": ("title", "name"),
    "Words in the headings": ("heading",),
    "Words in the text": ("body", "near"),
    "Words in its topics": ("topics",),
    "In exactly this form": ("exact",),
    "Words of the same family": ("kin",),
    "Close in meaning": ("meaning",),
    "Verified": ("trust",),
    "Useful to people here": ("use",),
    "New, and you asked for the present": ("fresh",),
}
"""What the page says of each part of a score; parts that a reader would not tell apart are one line."""
LESS_USEFUL = "Less useful to people here"
PINNED = "A curator put it first for these words."
BY_MEANING = "None of your words stands in it: it was found by its meaning."

PLACES = ("title", "headings", "text", "topics")
"""Where a word can stand, in a reader's words."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A word, where it stands, and, if it is a synonym (of any number of words), what it stands for."""

    word: str
    places: tuple[str, ...]
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the score by the name that `Hit.PARTS` gives it; ``share`` is of all but a pin, from -1 to 1."""

    name: str
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what the page says: in words, and in hundredths of the score (what takes away as well)."""

    label: str
    percent: int
    less: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """Which words matched where, which did not, and what each part adds."""

    words: tuple[Matched, ...] = ()
    lacking: tuple[str, ...] = ()
    parts: tuple[Share, ...] = ()
    pinned: bool = False

    @property
    def lines(self) -> list[Line]:
        """The parts in plain words, the largest first."""
        share = {part.name: part.share for part in self.parts}
        sums = {label: sum(share.get(name, 0.0) for name in names) for label, names in LINES.items()}
        lines = [
            Line(LESS_USEFUL if found < 0 else label, max(1, round(100 * abs(found))), less=found < 0)
            for label, found in sums.items()
            if found
        ]
        return sorted(lines, key=lambda line: (line.less, -line.percent))

    @property
    def sentences(self) -> list[str]:
        """Where the words stand, in plain text."""
        said = [PINNED] if self.pinned else []
        where: dict[tuple[tuple[str, ...], str], list[str]] = {}
        for one in self.words:
            where.setdefault((one.places, one.instead_of), []).append(one.word)
        for (places, instead_of), words in where.items():
            stands_for = f", for “{instead_of}”" if instead_of else ""
            said.append(f"In the {listed(places)}: {listed([f'“{word}”' for word in words])}{stands_for}.")
        if self.lacking and (self.words or self.pinned):
            said.append(f"Not in it: {listed([f'“{word}”' for word in self.lacking])}.")
        elif self.lacking and any(part.name == "meaning" for part in self.parts):
            said.append(BY_MEANING)
        return said


def also(page: ResultPage) -> tuple[str, ...]:
    """The synonyms that stand in results of this page, each once: of others nobody is told."""
    words = [one for result in page.results if result.why for one in result.why.words]
    return tuple(dict.fromkeys(one.word for one in words if one.instead_of))


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def why(query: Query, hits: Sequence[Hit], candidates: Mapping[str, Candidate], languages: Iterable[str]) -> list[Why]:
    """For each of these hits of one query why it stands there; a hit without a candidate has its parts alone."""
    known = [hit.key for hit in hits if hit.key in candidates]
    vectors = Vectors([candidates[key].vector for key in known])
    row_of = {key: row for row, key in enumerate(known)}
    synonyms = [(each, weighing(each.text.split())) for each in query.synonyms]
    every = dict.fromkeys((*words_of(query), *(word for _, words in synonyms for word in words)))
    places = {word: _places(vectors, word, tuple(languages)) for word in every} if known else {}
    return [_why(hit, row_of.get(hit.key), words_of(query), synonyms, places) for hit in hits]


def _places(vectors: Vectors, word: str, languages: tuple[str, ...]) -> list[tuple[str, ...]]:
    """For each document the places where a word stands, in any of its forms."""
    found: list[dict[str, None]] = [{} for _ in range(len(vectors))]
    for form in (vectors.find(term_hash(term)) for term in terms_of(word, languages)):
        rows = form.own
        for place, documents in (
            ("title", rows.document[rows.title > 0]),
            ("headings", form.headings.document),
            ("text", rows.document[rows.body > 0]),
            ("topics", rows.document[rows.topics > 0]),
        ):
            for document in documents.tolist():
                found[document][place] = None
    return [tuple(place for place in PLACES if place in each) for each in found]


def _why(
    hit: Hit,
    row: int | None,
    asked: tuple[str, ...],
    synonyms: list[tuple[Synonym, tuple[str, ...]]],
    places: dict[str, list[tuple[str, ...]]],
) -> Why:
    parts = dict(hit.reasons)
    pinned = bool(parts.pop("pin", 0))
    whole = sum(part for part in parts.values() if part > 0) or 1.0
    shares = tuple(Share(name, part, part / whole) for name, part in parts.items())
    if row is None:
        return Why(parts=shares, pinned=pinned)
    words = [Matched(word, places[word][row]) for word in asked if places[word][row]]
    there, stood_for = {one.word for one in words}, set[str]()
    for synonym, parts_of in synonyms:
        together = tuple(place for place in PLACES if all(place in places[word][row] for word in parts_of))
        if together:  # a part of it says nothing of the kind
            words.append(Matched(synonym.text, together, " ".join(synonym.said)))
            stood_for |= set(synonym.said)
    return Why(tuple(words), tuple(word for word in asked if word not in there | stood_for), shares, pinned)
