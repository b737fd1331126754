"""Jobs of this package: one delegating line each. What is to be done stands in the database."""

from __future__ import annotations

from celery import shared_task

from knowledge import actions, gaps, indexing, standing, waiting
from knowledge.meaning import embedding


@shared_task(name="knowledge.jobs.sync_source", soft_time_limit=3600, time_limit=3660)
def sync_source(run_id: int) -> None:
    """Do one sync run, unless it is done or somebody else's."""
    actions.do_sync(run_id)


@shared_task(name="knowledge.jobs.index_changes", soft_time_limit=1200, time_limit=1260)
def index_changes() -> None:
    """Write to the index what differs from it."""
    indexing.index_changes()


@shared_task(name="knowledge.jobs.embed", soft_time_limit=300, time_limit=360)
def embed() -> None:
    """Embed what the index holds, for search by meaning."""
    embedding.embed()


@shared_task(name="knowledge.jobs.tidy_index", soft_time_limit=600, time_limit=660)
def tidy_index() -> None:
    """Remove files of the index that serve nobody."""
    indexing.tidy()


@shared_task(name="knowledge.jobs.sweep", soft_time_limit=60, time_limit=90)
def sweep() -> None:
    """Find work that nobody does: due runs, sources whose time has come, runs that were given up."""
    actions.sweep()


@shared_task(name="knowledge.jobs.weigh", soft_time_limit=300, time_limit=330)
def weigh() -> None:
    """Count anew what people's use says of resources."""
    standing.weigh()


@shared_task(name="knowledge.jobs.look_again", soft_time_limit=120, time_limit=150)
def look_again() -> None:
    """Look for what people wait for."""
    waiting.look()


@shared_task(name="knowledge.jobs.gather_gaps", soft_time_limit=600, time_limit=660)
def gather_gaps() -> None:
    """Work out what several people searched for and did not find."""
    gaps.gather()
