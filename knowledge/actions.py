"""What people and commands do to sources; the web, the API, commands and jobs share these verbs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils import timezone
from django.utils.text import slugify

from knowledge import ingest
from knowledge.connectors import SourceError, connector_class
from knowledge.documents import EVERYONE
from knowledge.durable import prompt, work
from knowledge.markup import clean_line
from knowledge.models import HOW_TO_NAME_SOMEBODY, Audience, Resource, Search, Source, SyncRun

logger = logging.getLogger(__name__)

KEEP_SEARCHES = timedelta(days=90)
KEEP_RUNS = timedelta(days=30)
ERASED_AT_ONCE = 500
SYNCS_AT_ONCE = 2
"""Sources that are read at a time: a worker always has a slot left for indexing and for what people logged."""


def add_source(
    *,
    kind: str,
    address: str,
    name: str = "",
    audience: Iterable[str] | None = None,
    options: dict[str, Any] | None = None,
    trusts_emails: bool | None = None,
) -> Source:
    """Check that a source can be read and remember it; raises `SourceError` with the cure when it cannot.

    The same kind and address again is the same source. What is not said stays
    as it was; of a new source: open to everyone, no options, e-mail addresses
    not trusted.
    """
    audience = None if audience is None else sorted(set(audience))
    for token in audience or ():
        if not get_user_model().token_is_of_somebody(token):
            raise SourceError(f"“{clean_line(token, 60)}” means nobody. {HOW_TO_NAME_SOMEBODY}")
    known = Source.objects.filter(kind=kind, address=address).first()
    options = options if options is not None else known.options if known else {}
    suggested = connector_class(kind)(address, options).check()
    try:
        with transaction.atomic():
            source = Source.objects.filter(kind=kind, address=address).first() or Source(kind=kind, address=address)
            source.options = options
            source.name = name or source.name or suggested
            source.trusts_emails = source.trusts_emails if trusts_emails is None else trusts_emails
            source.active = True
            if audience is not None or source.pk is None:
                source.audience = Audience.objects.of([EVERYONE] if audience is None else audience)
            taken = Source.objects.exclude(pk=source.pk)
            base, number = source.name, 2
            while taken.filter(Q(name=source.name) | Q(slug=_slug(source.name))).exists():
                source.name, number = f"{base} {number}", number + 1
            source.slug = _slug(source.name)
            source.save()
    except IntegrityError as error:
        raise SourceError("It, or another source of that name, was added at this very moment: try again.") from error
    return source


def ensure_source(*, kind: str, name: str, every: timedelta) -> Source:
    """The one source of a kind that this installation is itself; made when it is missing, for everyone."""
    known: Source | None = Source.objects.filter(kind=kind).order_by("pk").first()
    if known is not None:
        return known
    free, number = name, 2
    while Source.objects.filter(Q(name=free) | Q(slug=_slug(free))).exists():
        free, number = f"{name} {number}", number + 1
    fields = {"name": free, "slug": _slug(free), "every": every}
    made: Source = Source.objects.create(kind=kind, audience=Audience.objects.of({EVERYONE}), **fields)
    return made


def _slug(name: str) -> str:
    return slugify(name, allow_unicode=True)[:120] or "source"


def open_run(*, source: Source) -> SyncRun:
    """The run of this source that is under way; a new one when there is none."""
    try:
        with transaction.atomic():
            return SyncRun.objects.create(source=source)
    except IntegrityError:
        return source.runs.get(done_at=None)


def request_sync(*, source: Source) -> SyncRun:
    """The run of this source that is under way or new; a worker is asked to do it."""
    from knowledge import jobs

    run = open_run(source=source)
    prompt(jobs.sync_source, run.pk)
    return run


def do_sync(run_id: int) -> bool:
    """Do one run, if fewer than `SYNCS_AT_ONCE` are being done (the sweep comes back to it); whether it was done."""
    if SyncRun.objects.filter(done_at=None, lease_until__gt=timezone.now()).count() >= SYNCS_AT_ONCE:
        return False
    return work(SyncRun.objects, run_id, ingest.sync)


def remove_source(*, source: Source) -> None:
    """Take a source out of the portal: nobody may read it from now on, and all its content is erased."""
    with transaction.atomic():
        Source.objects.filter(pk=source.pk).update(active=False)
        SyncRun.objects.filter(pk__in=source.runs.filter(done_at=None)).update(
            done_at=timezone.now(), lease=None, lease_until=None, error="The source was taken out."
        )
    for _ in ingest.bury(source.resources.alive()):
        pass
    _forget(source)


def _forget(source: Source) -> None:
    """Remove what the connector keeps of a source; what is in use at this moment is left to the sweep."""
    try:
        connector = connector_class(source.kind)(source.address, source.options)
        if hasattr(connector, "forget"):
            connector.forget()
    except (SourceError, OSError) as error:
        logger.warning("what is kept of source %s stays for now: %s", source.pk, error)


def sweep() -> None:
    """Find work that nobody does: due runs, sources whose time has come, runs that were given up, what is to go."""
    from knowledge import jobs

    now = timezone.now()
    for run in SyncRun.objects.dead():
        SyncRun.objects.filter(pk=run.pk, done_at=None).update(
            done_at=now, error=f"Given up after {run.attempts} attempts. The last one said: {run.error or 'nothing'}"
        )
    for pk in SyncRun.objects.due().filter(source__active=True).values_list("pk", flat=True):  # type: ignore[misc]
        prompt(jobs.sync_source, pk)
    open_runs = SyncRun.objects.filter(done_at=None).values_list("source", flat=True)  # type: ignore[misc]
    sources = Source.objects.filter(active=True).exclude(pk__in=open_runs).annotate(last=Max("runs__created_at"))
    for source in sources.filter(Q(last=None) | Q(last__lt=now - F("every"))):
        request_sync(source=source)
    alive = Resource.objects.alive().filter(source=OuterRef("pk"))
    for source in Source.objects.filter(~Exists(alive), active=False):
        _forget(source)
    _erase(Search.objects.filter(at__lt=now - KEEP_SEARCHES))
    _erase(SyncRun.objects.filter(done_at__lt=now - KEEP_RUNS))


def _erase(rows: Any) -> None:
    """Delete these some hundreds at a time: however many there are, a sweep that runs out of time has got on."""
    while ids := list(rows.values_list("pk", flat=True)[:ERASED_AT_ONCE]):
        rows.model.objects.filter(pk__in=ids).delete()
