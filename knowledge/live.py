"""Asking services outside while somebody searches: who may, what is sent, what is kept, who is left alone for a while.

Only the plain words of a search leave the house: no filter, no word that was
left out, nothing of who asks. A service that its curator did not trust with
searches gets them after a click of the person who typed them.

Every service is asked within its deadline, several at the same time. Rights
are read from the database in each request; what is kept for some minutes
(`live_kept`) is kept for one viewer with the rights of now. A service that
failed five times in a row is left alone, then one request tries it again: that
is written in the database, where every process sees it.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Case, F, Value, When
from django.http import Http404
from django.utils import timezone

from knowledge import live_kept
from knowledge.access import Viewer
from knowledge.connectors.live import Answer, Answered, LiveFailure, ask
from knowledge.documents import Query, ResultPage
from knowledge.index.analysis import content_words, tokens
from knowledge.index.asked import asked_words
from knowledge.index.language import parse
from knowledge.live_sources import Declared, LiveHealth, visible_to
from knowledge.passages import highlight, passage

logger = logging.getLogger(__name__)

FAILURES = 5
"""Failures in a row after which a service is left alone."""
RESTS = {FAILURES: 30, 6: 60, 7: 120, 8: 300, 9: 600}
"""Seconds that a service is left alone, by its failures in a row; after that one request tries it."""
MAX_WORDS, MAX_SENT = 16, 200


@dataclass(frozen=True, slots=True)
class LiveResult:
    """One answer for one viewer. ``title`` and ``passage`` are safe HTML, as those of a `Result` are."""

    title: str
    passage: str
    link: str
    updated: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What came of asking one service: results, or in ``trouble`` why not, in words that go on after its name.

    ``busy``: it was not asked, because too many are waiting at this moment.
    """

    source: Declared
    results: tuple[LiveResult, ...] = ()
    trouble: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """The services that a search may be carried to: those asked at once, and those asked after a click."""

    words: str
    at_once: tuple[Declared, ...] = ()
    on_click: tuple[Declared, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.at_once or self.on_click)

    @property
    def all(self) -> tuple[Declared, ...]:
        """Both, by name."""
        return tuple(sorted(self.at_once + self.on_click, key=lambda one: one.name.casefold()))

    @property
    def at_once_names(self) -> str:
        """As a sentence names them."""
        return _listed(self.at_once)

    @property
    def on_click_names(self) -> str:
        """As a sentence names them."""
        return _listed(self.on_click)

    @property
    def all_names(self) -> str:
        """As a sentence names them."""
        return _listed(self.all)


def _listed(sources: Sequence[Declared]) -> str:
    *others, last = [source.name for source in sources] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def offer(query: Query, viewer: Viewer, edition: str | None = None) -> Offer:
    """Whom this search may be carried to; ``edition`` as in `visible_to`.

    With a filter nobody is asked at once: it would mean nothing to them.
    """
    words = words_sent(query)
    if not words:
        return Offer("")
    sources = visible_to(viewer, edition)
    at_once = () if query.narrows else tuple(one for one in sources if one.trusted)
    return Offer(words, at_once, tuple(one for one in sources if one not in at_once))


def offer_of(page: ResultPage, viewer: Viewer) -> Offer:
    """The offer below a page of results, the first one: for what was typed, never for a spelling of our own."""
    if page.page > 1:
        return Offer("")
    typed = parse(page.instead_of) if page.instead_of else page.query
    return offer(typed, viewer, page.edition)


_SENT = re.compile(r"[^\W_](?:[\w'’.+#-]*[\w+#])?")


def words_sent(query: Query) -> str:
    """The plain words of a query as they were typed, in lower case: all that a service is told.

    Not sent are filters and their values, what is left out, signs that could
    be an operator elsewhere, and the words that every text holds.
    """
    plain = content_words(asked_words(query))
    wanted = set(plain)
    found: dict[str, None] = {}
    for piece in _SENT.findall(query.text):
        parts = tokens(piece)
        if parts and wanted.issuperset(parts):
            found[piece.lower()] = None
    said = list(found) if {part for piece in found for part in tokens(piece)} == wanted else list(plain)
    while said and (len(said) > MAX_WORDS or len(" ".join(said)) > MAX_SENT):
        said = said[:-1]
    return " ".join(said)


def one_of(key: UUID, viewer: Viewer) -> Declared:
    """The service, if the viewer may ask it now; else the same `Http404` as for one that never was."""
    for source in visible_to(viewer):
        if source.key == key:
            return source
    raise Http404


# Asking -----------------------------------------------------------------------------------------------------------


def ask_all(sources: Sequence[Declared], query: Query, viewer: Viewer) -> list[Said]:
    """What these services say, in their order; all are asked at the same time, each within its deadline.

    ``sources`` come from `visible_to` in this request. Never raises for what a
    service, the cache or the state of its health does.
    """
    words = words_sent(query)
    found: dict[UUID, Answered | LiveFailure] = {}
    for source in sources:
        if (kept := live_kept.kept(source, words, viewer)) is not None:
            found[source.key] = kept
    asked = [source for source in sources if source.key not in found]
    busy = False
    if asked and words:
        with _place() as free:
            busy = not free
            if free:
                found |= _ask(asked, words, viewer)
    return [_shown(source, found.get(source.key), query, busy) for source in sources]


def _ask(sources: Sequence[Declared], words: str, viewer: Viewer) -> dict[UUID, Answered | LiveFailure]:
    """Ask those that are not left alone, and write down how it went."""
    health = {row.source: row for row in LiveHealth.objects.filter(source__in=[source.key for source in sources])}
    found: dict[UUID, Answered | LiveFailure] = {}
    asked = []
    for source in sources:
        if resting := _resting(source, health.get(source.key)):
            found[source.key] = resting
        else:
            asked.append(source)
    for source, said in _together(asked, words):
        found[source.key] = said
        _remember(source, words, viewer, said, health.get(source.key))
    return found


def _shown(source: Declared, said: Answered | LiveFailure | None, query: Query, busy: bool) -> Said:
    if said is None:
        return Said(source, trouble="was not asked", busy=busy)
    if isinstance(said, LiveFailure):
        return Said(source, trouble=str(said))
    return Said(source, tuple(_result(answer, query) for answer in said.answers))


def _result(answer: Answer, query: Query) -> LiveResult:
    title = highlight(answer.title, query)
    return LiveResult(title, passage(answer.text, query), answer.link, answer.updated, answer.notes)


def _together(sources: Sequence[Declared], words: str) -> Iterator[tuple[Declared, Answered | LiveFailure]]:
    """Ask all at once in threads of their own; who is later than its deadline allows is not waited for."""
    answers: queue.SimpleQueue[tuple[int, Answered | LiveFailure]] = queue.SimpleQueue()

    def run(number: int, source: Declared) -> None:
        try:
            answers.put((number, ask(source.service, words)))
        except LiveFailure as failure:
            answers.put((number, failure))
        except Exception as error:  # whatever they send, the page comes; the message may hold words
            logger.warning("live source “%s” could not be read: %s", source.name, type(error).__name__)
            answers.put((number, LiveFailure("answers in a way that cannot be read")))

    for number, source in enumerate(sources):
        threading.Thread(target=run, args=(number, source), name="live-source", daemon=True).start()
    end = time.monotonic() + max((source.service.deadline for source in sources), default=0.0) + 0.3
    late = dict(enumerate(sources))
    while late:
        try:
            number, said = answers.get(timeout=max(end - time.monotonic(), 0.001))
        except queue.Empty:
            break
        yield late.pop(number), said
    for source in late.values():
        yield source, LiveFailure(f"did not answer within {source.service.deadline:g} seconds")


_waiting = 0
_lock = threading.Lock()


@contextmanager
def _place() -> Iterator[bool]:
    """Whether this thread of the web server may wait for services: only ``LIVE_AT_ONCE`` of a process may."""
    global _waiting  # noqa: PLW0603 - one count for the process
    with _lock:
        free = _waiting < settings.LIVE_AT_ONCE
        _waiting += free
    try:
        yield free
    finally:
        with _lock:
            _waiting -= free


def _remember(
    source: Declared, words: str, viewer: Viewer, said: Answered | LiveFailure, health: LiveHealth | None
) -> None:
    if isinstance(said, Answered):
        live_kept.keep(source, words, viewer, said)
    try:
        with transaction.atomic():
            _write_down(source.key, said, health)
    except DatabaseError as error:  # the answer is there all the same
        logger.warning("health of live source “%s” not written: %s", source.name, type(error).__name__)


# Who is left alone ------------------------------------------------------------------------------------------------


def _resting(source: Declared, health: LiveHealth | None) -> LiveFailure | None:
    """Why the service is not asked now, if so. When its rest is over, exactly one request gets to try."""
    if health is None or health.rests_until is None:
        return None
    now = timezone.now()
    if health.rests_until <= now:
        trial = now + timedelta(seconds=source.service.deadline + 2)
        won = LiveHealth.objects.filter(pk=health.pk, rests_until=health.rests_until).update(rests_until=trial)
        if won:
            return None
        return LiveFailure("is being tried again just now, after it failed")
    until = timezone.localtime(health.rests_until)
    why = "has not answered lately" if health.failures >= FAILURES else "asks to be left alone"
    return LiveFailure(f"{why}; it is asked again after {until:%H:%M}")


def _write_down(key: UUID, said: Answered | LiveFailure, health: LiveHealth | None) -> None:
    """Count a failure, or forget those before; write nothing where nothing changes."""
    now = timezone.now()
    rests_until = now + timedelta(seconds=said.rest) if said.rest else None
    if isinstance(said, LiveFailure) and said.counts:
        LiveHealth.objects.get_or_create(source=key)
        after: Any = [When(failures__gte=n - 1, then=Value(now + timedelta(seconds=s))) for n, s in RESTS.items()]
        rest = Value(rests_until) if rests_until else Case(*reversed(after), default=Value(None))
        LiveHealth.objects.filter(pk=key).update(failures=F("failures") + 1, rests_until=rest, said=str(said), at=now)
    elif rests_until:
        state = {"failures": 0, "rests_until": rests_until, "said": "asked to be left alone", "at": now}
        LiveHealth.objects.update_or_create(source=key, defaults=state)
    elif isinstance(said, Answered) and health is not None and (health.failures or health.rests_until):
        LiveHealth.objects.filter(pk=key).update(failures=0, rests_until=None, said="", at=now)
