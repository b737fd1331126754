"""Jobs of this room. Their arguments are row numbers: nothing that a person said or wrote leaves the database.

They run on queue ``work``: settings route jobs (Celery's ``queue`` attribute of a task is on its way out).
"""

from __future__ import annotations

from celery import shared_task

from immersive.work import advice, log, records, reminding
from immersive.work.lessons import experiments


@shared_task(ignore_result=True, soft_time_limit=20, time_limit=25)
def log_event(pk: int) -> None:
    """Write one event of a task to its owner's learning log."""
    log.do(pk)


@shared_task(ignore_result=True, soft_time_limit=20, time_limit=25)
def sweep() -> None:
    """Do what no worker did: its message was lost, or it died on the way."""
    log.do_due()


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=330)
def ask_how_it_went() -> None:
    """Ask people how their tasks went, on the day from which they want to be asked."""
    reminding.ask()


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=330)
def ask_about_experiments() -> None:
    """Ask the authors of experiments, on the day that they named, what came of them."""
    experiments.ask()


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=330)
def publish_records() -> None:
    """Count outcomes in blocks of five people, for the odds of routes."""
    records.publish()


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=330)
def forget_advice() -> None:
    """Delete advice that is shown no more and that nobody chose from."""
    advice.forget()
