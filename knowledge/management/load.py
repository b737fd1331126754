"""Documents and queries to measure with: made from a file of real texts, the same each time."""

from __future__ import annotations

import gzip
import json
import pickle
import random
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from knowledge.connectors import Event, Known
from knowledge.documents import KINDS, Contribution, Document
from knowledge.index.analysis import STOP_WORDS, tokens
from knowledge.management.commands.evaluate_search import BrokenSet

SEED = 20_000
LENGTH = 1_000
"""Characters at which a document is long enough: the last line joined makes them 1,300 on average."""
GROUPS = 50
HELD = 25
"""Groups that a person who searches is in."""
OPEN = 0.2
"""The part of the documents that everyone may read; each of the others is for one group."""
LENGTHS = (1, 3, 6)
SAMPLE = 4_000


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of the file. Raises `BrokenSet` that names a broken one."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise BrokenSet(f"{path}, line {number}: {error}. Each line must be one JSON object.") from error


def documents(path: Path, count: int) -> Iterator[Document]:
    """``count`` documents spread over the file, each with as many of the lines after it as make it long enough.

    Where the file has fewer lines than that, the others are made of lines from anywhere in it.
    """
    chance = random.Random(SEED)  # noqa: S311 - the same each time, no secret
    held = sum(1 for _ in rows(path))
    yield from _joined(path, held, min(count, held), chance)
    if count > held:
        yield from _mixed(list(rows(path)), range(held, count), chance)


def _mixed(lines: Sequence[Mapping[str, Any]], numbers: range, chance: random.Random) -> Iterator[Document]:
    for number in numbers:
        chosen = [chance.choice(lines)]
        while sum(len(row.get("text") or "") for row in chosen) < LENGTH:
            chosen.append(chance.choice(lines))
        yield _document(number, chosen, chance)


def _joined(path: Path, held: int, count: int, chance: random.Random) -> Iterator[Document]:
    ahead: deque[dict[str, Any]] = deque()
    length = 0
    lines = rows(path)
    made = 0
    for number in range(held):
        while length < LENGTH and (row := next(lines, None)):
            ahead.append(row)
            length += len(row.get("text") or "")
        if number * count // held >= made:
            yield _document(made, list(ahead), chance)
            made += 1
        if ahead:
            length -= len(ahead.popleft().get("text") or "")


def _document(number: int, joined: Sequence[Mapping[str, Any]], chance: random.Random) -> Document:
    first = joined[0]
    date = first.get("date")
    return Document(
        key=f"{number:07}",
        title=first.get("title") or "Untitled",
        body="\n\n".join(row.get("text") or "" for row in joined),
        kind=first["kind"] if first.get("kind") in KINDS else KINDS[number % 4],
        topics=(first["org"],) if first.get("org") else (),
        audience=None if chance.random() < OPEN else frozenset({f"group-{chance.randrange(GROUPS)}"}),
        contributions=(Contribution(first["author"]),) if first.get("author") else (),
        updated=datetime.fromisoformat(date).replace(tzinfo=UTC) if date else None,
    )


def prepare(documents: Iterable[Document], path: Path) -> None:
    """Keep documents where `LoadConnector` finds them: making them is no part of what is measured."""
    with path.open("wb") as file:
        for document in documents:
            pickle.dump(document, file)


CONNECTOR = f"{__name__}.LoadConnector"


class LoadConnector:
    """Yields what `prepare` kept in the file that is its address: all there is, or with ``part`` what has changed."""

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.path = Path(address)
        self.lists_everything = not options.get("part")

    def check(self) -> str:
        """See `Connector`."""
        return self.path.name

    def pull(self, known: Known) -> Iterator[Event]:
        """See `Connector`."""
        with self.path.open("rb") as file:
            while file.peek(1):
                yield pickle.load(file)  # noqa: S301 - written by this run, in its own folder


def mix(path: Path, count: int, queries: int) -> Iterator[str]:
    """The same queries each time: 1, 3 and 6 words of a document, neither rare nor in every document."""
    chance = random.Random(SEED)  # noqa: S311 - the same each time, no secret
    step = max(1, count // SAMPLE)
    sample = [
        list(dict.fromkeys(tokens(f"{one.title} {one.body}"))) for one in islice(documents(path, count), 0, None, step)
    ]
    frequency = Counter(word for words in sample for word in words)
    least, most = max(2, len(sample) // 1000), max(3, len(sample) // 20)
    middling = {
        word for word, times in frequency.items()
        if least <= times <= most and word.isalpha() and len(word) > 2 and word not in STOP_WORDS
    }  # fmt: skip
    made = 0
    for words in chance.choices(sample, k=queries * 50):
        length = LENGTHS[made % len(LENGTHS)]
        fit = [word for word in words if word in middling]
        if len(fit) >= length:
            yield " ".join(chance.sample(fit, length))
            made += 1
            if made == queries:
                return
    raise CommandError(f"{path} has too few different words for {queries} queries: use more documents.")
