"""What may make a question needless, shown while somebody writes it: answers that stand, and asks like it that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.views.decorators.debug import sensitive_variables

from experts.asking.asks import LONGEST, Ask
from experts.asking.sealed import is_author
from experts.asking.turns import query_of
from knowledge.access import Ground, Viewer
from knowledge.documents import Result
from knowledge.index.analysis import content_words, stem, tokens
from knowledge.search import search

SHOWN = 3
"""Of each kind."""
COMPARED = 300
"""Of the newest open asks."""


@dataclass(frozen=True, slots=True)
class Similar:
    """What may make a question needless: answers that stand, and asks that wait and can be joined."""

    answers: tuple[Result, ...]
    asks: tuple[Ask, ...]


@sensitive_variables()
def similar(text: str, viewer: Viewer, *, ground: Ground | None = None) -> Similar:
    """Answered questions like this one, by the one search; and open ones of others that the viewer may see and join."""
    words = content_words(tokens(text[: LONGEST * 2]))
    if viewer.person_id is None or not words:
        return Similar((), ())
    query = replace(query_of(" ".join(words)), kinds=("answer",))
    found = search(query, viewer, per_page=SHOWN, remember=False, as_typed=True, ground=ground)
    return Similar(found.results, tuple(_alike(words, viewer)))


def _alike(words: Sequence[str], viewer: Viewer) -> list[Ask]:
    """Open asks that share half of the words at least, those that share most first."""
    wanted = {stem(word) for word in words}
    newest = Ask.objects.visible_to(viewer).open().exclude(author=viewer.person_id).order_by("-published_at", "-pk")
    scored = []
    for one in newest.select_related("author")[:COMPARED]:
        others = {stem(word) for word in content_words(tokens(one.text))}
        shared = len(wanted & others) / min(len(wanted), len(others) or 1)
        if len(wanted & others) > 1 and shared >= 0.5:
            scored.append((-shared, one))
    scored.sort(key=lambda pair: pair[0])
    return [one for _, one in scored if not is_author(one, viewer)][:SHOWN]
