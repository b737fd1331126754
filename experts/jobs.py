"""Jobs of this package: one delegating line each. What is to be done stands in the database."""

from __future__ import annotations

from celery import shared_task

from experts import communities, digests, notices
from experts.asking import later, still_right, turns
from experts.directory import bringing
from experts.mentoring import invitations, matching
from experts.teams import proposals


@shared_task(name="experts.jobs.pass_on", soft_time_limit=300, time_limit=330)
def pass_on() -> None:
    """Give questions that wait to whoever is asked next."""
    turns.pass_on()


@shared_task(name="experts.jobs.show_later", soft_time_limit=300, time_limit=330)
def show_later() -> None:
    """Do what authors without a name did some hours ago."""
    later.carry_out()


@shared_task(name="experts.jobs.ask_again", soft_time_limit=300, time_limit=330)
def ask_again() -> None:
    """Ask the authors of answers that nobody vouches for any more whether they are still right."""
    still_right.ask_again()


@shared_task(name="experts.jobs.bring_people", soft_time_limit=3600, time_limit=3660)
def bring_people(pk: int) -> None:
    """Read a file of people, or carry out what it says."""
    bringing.do(pk)


@shared_task(name="experts.jobs.sweep_imports", soft_time_limit=60, time_limit=90)
def sweep_imports() -> None:
    """Find imports that nobody does, and forget files of old ones."""
    bringing.sweep()


@shared_task(name="experts.jobs.match_mentors", soft_time_limit=1200, time_limit=1260)
def match_mentors() -> None:
    """Bring those together who wish for a mentor and those who offer to be one."""
    matching.match()


@shared_task(name="experts.jobs.send_invitations", soft_time_limit=300, time_limit=330)
def send_invitations() -> None:
    """Mail invitations to meetings that wait."""
    invitations.send()


@shared_task(name="experts.jobs.tell_topic_news", soft_time_limit=120, time_limit=150)
def tell_topic_news() -> None:
    """Tell followers of topics that there is something new, at most once a day."""
    communities.tell_news()


@shared_task(name="experts.jobs.forget_notices", soft_time_limit=300, time_limit=330)
def forget_notices() -> None:
    """Delete what people were told long ago."""
    notices.forget()


@shared_task(name="experts.jobs.forget_proposals", soft_time_limit=120, time_limit=150)
def forget_proposals() -> None:
    """Delete what is left of proposals of teams that were deleted."""
    proposals.forget()


@shared_task(name="experts.jobs.send_digests", soft_time_limit=300, time_limit=330)
def send_digests() -> None:
    """Send the mail that is due."""
    digests.send()
