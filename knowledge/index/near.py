"""Words that are nearly the same: how many slips a word may hold, and which words are that near to it.

A slip is one letter too many, too few or another one, or two neighbours
swapped. Everything here is about words; who may see which is the engine's scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

ONE_FROM, TWO_FROM = 4, 8
"""Letters from which a word may hold one slip, and two: in a shorter one every other word would be near."""
LONGEST = 30
"""Letters of the longest word in which any is forgiven."""
_DIGIT = re.compile(r"\d")
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz0123456789+._'",
    "абвгдежзиклмнопрстуфхцчшщъыьэюя",
    "αβγδεζηθικλμνξοπρσςτυφχψω",
)


def slips(word: str) -> int:
    """How many slips are forgiven in a word: by its length, and none in what has a digit, where each one matters."""
    letters = len(word.lstrip("^"))
    if letters > LONGEST or _DIGIT.search(word):
        return 0
    return (letters >= ONE_FROM) + (letters >= TWO_FROM)


def distance(word: str, other: str, *, begins: bool = False, most: int = 2) -> int:
    """The number of slips between two words, or ``most + 1`` when there are more.

    ``begins``: between ``word`` and the beginning of ``other`` that is nearest to it.
    """
    if abs(len(word) - len(other)) > most and not (begins and len(other) > len(word)):
        return most + 1
    width = len(word)
    before, row = list[int](), list(range(width + 1))
    best = row[width]
    last = ""
    for at, letter in enumerate(other, 1):
        if begins and at > width + most:
            break
        older, before = before, row
        row = [at]
        for n in range(1, width + 1):
            cost = min(before[n] + 1, row[n - 1] + 1, before[n - 1] + (word[n - 1] != letter))
            if at > 1 and n > 1 and word[n - 1] == last and word[n - 2] == letter:
                cost = min(cost, older[n - 2] + 1)
            row.append(cost)
        best = min(best, row[width])
        if min(row) > most:
            row = [most + 1] * (width + 1)
            break
        last = letter
    return min(best if begins else row[width], most + 1)


def one_slip_away(word: str) -> set[str]:
    """Every text one slip from this word, in the letters of its own script: few enough to look each one up."""
    letters = next((known for known in _ALPHABETS if any(letter in known for letter in word)), "")
    letters = "".join(dict.fromkeys(letters + word))
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {left + right[1:] for left, right in parts if right}
    found |= {left + right[1] + right[0] + right[2:] for left, right in parts if len(right) > 1}
    found |= {left + letter + right[1:] for left, right in parts if right for letter in letters}
    found |= {left + letter + right for left, right in parts for letter in letters}
    return found - {word, ""}


def beginnings(word: str) -> tuple[str, ...]:
    """How words begin that are two slips away: as this one, with its first letters swapped, or without the first."""
    return tuple(dict.fromkeys((word[:2], word[1] + word[0], word[1:3])))


class Lexicon:
    """Words, laid out so that all of them are compared at once with one word of at most `LONGEST` letters."""

    WIDEST = LONGEST + 2

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._lengths = np.fromiter(map(len, words), np.int16, len(words))
        text = "".join(word[: self.WIDEST].ljust(self.WIDEST, "\0") for word in words)
        letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        self._letters = np.ascontiguousarray(letters.reshape(len(self.words), self.WIDEST).T)

    def near(self, word: str, most: int, *, begins: bool = False) -> Iterator[tuple[str, int]]:
        """The words at most this many slips away, each with its slips; see `distance`."""
        wanted = [ord(letter) for letter in word]
        fits = self._lengths >= len(wanted) - most
        if not begins:
            fits &= self._lengths <= len(wanted) + most
        at = np.flatnonzero(fits)
        if not len(at) or not wanted:
            return
        letters, lengths = self._letters[:, at], self._lengths[at]
        columns = len(wanted) + most
        older = before = np.zeros((len(wanted) + 1, len(at)), np.int8)
        row = np.repeat(np.arange(len(wanted) + 1, dtype=np.int8)[:, None], len(at), axis=1)
        best = np.full(len(at), most + 1, np.int8)
        for column in range(1, columns + 1):
            older, before = before, row
            row = np.empty_like(before)
            row[0] = column
            here = letters[column - 1]
            for n, letter in enumerate(wanted, 1):
                cost = np.minimum(before[n], row[n - 1]) + 1
                cost = np.minimum(cost, before[n - 1] + (here != letter))
                if column > 1 and n > 1:
                    swapped = (here == wanted[n - 2]) & (letters[column - 2] == letter)
                    cost = np.where(swapped, np.minimum(cost, older[n - 2] + 1), cost)
                row[n] = cost
            told = (column <= lengths) if begins else (column == lengths)
            best = np.where(told, np.minimum(best, row[len(wanted)]), best)
        for number in np.flatnonzero(best <= most):
            yield self.words[at[number]], int(best[number])


def begin_like(typed: Sequence[str], words: Sequence[str], forgiving: bool) -> bool:
    """Whether each of what was typed begins one of these words, slips forgiven if so."""
    return all(any(begins(one, word, slips(one) if forgiving else 0) for word in words) for one in typed)


@lru_cache(maxsize=16_384)
def begins(typed: str, word: str, most: int = 0) -> bool:
    """Whether a word begins as this was typed, with at most so many slips."""
    return word.startswith(typed) or (most > 0 and distance(typed, word, begins=True, most=most) <= most)
