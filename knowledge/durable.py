"""Rows that are work to do: the one pattern behind every job.

Work to do is a state in the database; Celery only makes it prompt. A row is
claimed by one compare-and-set UPDATE, the same on SQLite and PostgreSQL, and
holds a lease while it is worked on. A worker that dies lets the lease run out
and the sweep finds the row again; after ``MAX_ATTEMPTS`` the row is dead and
waits for a person, and no other row waits for it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

logger = logging.getLogger(__name__)


PUBLISHING = {"socket_connect_timeout": 0.4, "socket_timeout": 0.5, "max_retries": 0}
"""Seconds that publishing waits for a broker: less than one in all. (A worker may wait longer for its next job.)"""


class LeaseLost(Exception):
    """Another worker has taken this row over: stop without writing anything more."""


class WorkQuerySet(models.QuerySet["Work"]):
    """Finding and claiming work."""

    def due(self) -> Self:
        """Rows that wait for a worker now: not done, not dead, due, and with no live lease."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        return self.filter(free, done_at=None, due_at__lte=now, attempts__lt=self.model.MAX_ATTEMPTS)

    def dead(self) -> Self:
        """Rows given up after the last attempt: an operator reads ``error`` and calls `Work.retry`."""
        spent = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        return self.filter(spent, done_at=None, attempts__gte=self.model.MAX_ATTEMPTS)

    def claim(self, pk: Any) -> Any | None:
        """The row, leased to the caller, or `None` when it is done, dead, not due or somebody else's."""
        token = uuid.uuid4()
        taken = (
            self.due()
            .filter(pk=pk)
            .update(lease=token, lease_until=timezone.now() + self.model.LEASE, attempts=F("attempts") + 1)
        )
        return self.filter(pk=pk).first() if taken else None  # none: deleted since


class Work(models.Model):
    """One piece of work, done at least once in effect exactly once.

    Times are aware datetimes. ``error`` is the last failure, in words for a person.
    """

    LEASE: ClassVar[timedelta] = timedelta(seconds=60)
    MAX_ATTEMPTS: ClassVar[int] = 3
    BACKOFF: ClassVar[timedelta] = timedelta(seconds=5)

    due_at = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    done_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, editable=False)

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        abstract = True

    def _mine(self) -> models.QuerySet[Any]:
        return type(self)._default_manager.filter(pk=self.pk, lease=self.lease, done_at=None)

    def _reload(self) -> None:
        with suppress(type(self).DoesNotExist):  # deleted while it was worked on: nothing is left to do
            self.refresh_from_db()

    def keep(self, *, progress: bool = False, **changes: Any) -> None:
        """Extend the lease (call it between steps); raises `LeaseLost` when it is no longer ours.

        With ``progress`` the attempts start over: work that gets further each
        time it is interrupted is not poison.
        """
        if progress:
            changes["attempts"] = 1
        if not self._mine().update(lease_until=timezone.now() + self.LEASE, **changes):
            raise LeaseLost(f"{self._meta.label} {self.pk}")

    def finish(self, *, error: str = "", **changes: Any) -> None:
        """Mark it done, together with ``changes``, in the caller's transaction; raises `LeaseLost`.

        With ``error`` it is done all the same: trying it again now would change nothing.
        """
        if not self._mine().update(done_at=timezone.now(), lease=None, lease_until=None, error=error, **changes):
            raise LeaseLost(f"{self._meta.label} {self.pk}")
        self._reload()

    def fail(self, reason: str, **changes: Any) -> None:
        """Give it back with the reason; it is due again after a growing pause, or dead after the last attempt."""
        wait = self.BACKOFF * 2 ** max(self.attempts - 1, 0)
        self._mine().update(lease=None, lease_until=None, due_at=timezone.now() + wait, error=reason[:2000], **changes)
        self._reload()

    def release(self) -> None:
        """Give it back as it was taken: whoever worked on it was asked to stop."""
        self._mine().update(lease=None, lease_until=None, attempts=F("attempts") - 1)

    def retry(self) -> None:
        """Let it be due now, with all its attempts, unless somebody is at it; a person decided so."""
        free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        type(self)._default_manager.filter(free, pk=self.pk, done_at=None).update(attempts=0, due_at=timezone.now())


def prompt(job: Any, *args: Any) -> None:
    """Ask a worker to run ``job`` soon, once the transaction is committed; a dead broker is no error.

    The row stays in the database either way: the sweep finds it.
    """

    def send() -> None:
        try:
            with job.app.connection_for_write(transport_options=PUBLISHING) as connection:
                job.apply_async(args=args, connection=connection, retry=False, ignore_result=True)
        except Exception as error:  # a broker may fail in any way it likes: the row is safe
            logger.warning("broker unreachable, %s waits for the sweep: %s", job.name, type(error).__name__)

    transaction.on_commit(send)


def work(queryset: Any, pk: Any, do: Callable[[Any], None]) -> bool:
    """Claim one row and do it; whether it was done here. A failure is recorded, never raised."""
    row = queryset.claim(pk)
    if row is None:
        return False
    try:
        do(row)
    except (KeyboardInterrupt, SystemExit):
        row.release()
        raise
    except LeaseLost:
        logger.info("lease of %s %s went to another worker", row._meta.label, pk)
        return False
    except Exception as error:
        logger.exception("%s %s failed, attempt %s", row._meta.label, pk, row.attempts)
        row.fail(f"{type(error).__name__}: {error}")
        return False
    return True
