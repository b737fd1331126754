"""Mail about notices: one a day at the morning of whoever gets it, or soon after each, or none, as they chose.

A notice that was neither seen nor mailed is what there is to do; from the
moment when its mail is due, a `Digest` row is. What a mail says is looked up
when it is sent, with the rights of that moment. The mail goes first and is
written down after: whoever is killed in between sends that one mail again, and
no notice is lost. Both bear the same ``Message-ID``, by which mail programs
recognise the second.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from experts.asking.load import zone_of
from experts.choices import Availability
from experts.models import Person, one_line
from experts.notices import Digest, News, Notice, newest
from knowledge.access import Viewer
from knowledge.durable import work

MORNING = 8
"""The hour at which a day's mail goes out, by the clock of whoever gets it."""
GATHER = timedelta(minutes=1)
"""How long things are gathered that are to be mailed at once: what happens together is one mail."""
FRESH = timedelta(days=14)
"""What is older is news to nobody: it is found on the page alone."""
SECONDS = 240
"""How long one run sends; the next goes on."""
MOST_FAILURES = 3
A_RUN = 1000
"""Mails that one run writes down, and sends at most: at eight in the morning it may be everybody's turn at once."""
MOST = 50
"""Notices that one mail tells, the newest; all of them stand on the page to which it leads."""


def mail_is_sent() -> bool:
    """Whether this installation sends mail at all."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def is_due(how: str, zone: str, oldest: datetime, now: datetime) -> bool:
    """Whether what waits since ``oldest`` is to be mailed ``now``, to somebody who lives by the clock of ``zone``."""
    if how == Availability.Mail.AT_ONCE:
        return now - oldest >= GATHER
    there = now.astimezone(zone_of(zone))
    morning = there.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return how == Availability.Mail.DAILY and oldest < morning <= there


def plan() -> int:
    """Write down what is to be sent now, `A_RUN` mails at most: a row for each person and day; how many that are."""
    now, made = timezone.now(), 0
    chosen = Coalesce(
        Subquery(Availability.objects.filter(person=OuterRef("person")).values("mail")[:1]),
        Value(str(Availability.Mail.DAILY)),
    )
    at_work = Digest.objects.filter(person=OuterRef("person"), done_at=None, attempts__lt=Digest.MAX_ATTEMPTS)
    rows = (
        _waiting(now)
        .filter(person__is_active=True)
        .exclude(person__email="")
        .annotate(how=chosen)
        .exclude(how=Availability.Mail.NEVER)
        .filter(~Exists(at_work))
        .order_by()
        .values_list("person", "person__time_zone", "how")
        .annotate(oldest=Min("at"))
    )
    for person, zone, how, oldest in rows:
        if made == A_RUN:
            break
        if is_due(how, zone, oldest, now):
            made += _open(person, now.astimezone(zone_of(zone)).date(), again=how == Availability.Mail.AT_ONCE)
    return made


def _waiting(now: datetime) -> Any:
    return Notice.objects.filter(mailed_at=None, seen_at=None, at__gt=now - FRESH)


def _open(person: int, day: Any, *, again: bool) -> bool:
    """Whether there is now work that was none before; a day's mail is opened again for those who want all at once."""
    _, new = Digest.objects.get_or_create(person_id=person, day=day)
    if new or not again:
        return new
    done = Digest.objects.filter(person_id=person, day=day, done_at__isnull=False)
    return bool(done.update(done_at=None, attempts=0, due_at=timezone.now(), error=""))


def send() -> int:
    """Send what is due; how many mails were dealt with. One that fails holds up no other.

    Where several fail in a row the server is away: the others are left untried, for the next run in a minute.
    """
    if not mail_is_sent():
        return 0
    plan()
    until, sent, failed = time.monotonic() + SECONDS, 0, 0
    server = get_connection()
    for pk in list(Digest.objects.due().order_by("due_at", "pk").values_list("pk", flat=True)[:A_RUN]):
        done = work(Digest.objects, pk, partial(_send, server=server))
        sent, failed = sent + done, 0 if done else failed + 1
        if failed == MOST_FAILURES or time.monotonic() > until:
            break
    server.close()
    return sent


def _send(digest: Digest, server: BaseEmailBackend) -> None:
    now = timezone.now()
    waiting = _waiting(now).filter(person=digest.person_id)
    person = Person.objects.filter(pk=digest.person_id, is_active=True).exclude(email="").first()
    if person and Availability.of(person).mail != Availability.Mail.NEVER:
        if told := newest(waiting, Viewer.of(person), MOST):
            _deliver(letter(person, told), server)
        with transaction.atomic():
            waiting.filter(at__lte=now).update(mailed_at=timezone.now())  # one that came back meanwhile is news again
            digest.finish()
    else:  # they left, or chose meanwhile to get none
        digest.finish()


def _deliver(mail: EmailMultiAlternatives, server: BaseEmailBackend) -> None:
    """Send it over the one connection of this run, which is begun anew after a failure."""
    mail.connection = server
    try:
        server.open()
        mail.send()
    except Exception:
        server.close()
        raise


def letter(person: Person, told: list[News]) -> EmailMultiAlternatives:
    """The mail that tells a person this: plain text, and HTML without pictures or anything that tells of its opening.

    Its subject says how much there is and no word of it: subjects show on locked screens.
    """
    things = f"{len(told)} thing{'s' * (len(told) > 1)} for you"
    site = settings.SITE_URL.rstrip("/")
    context = {
        "person": person,
        "things": things,
        "told": [(one_line(one.said.mail or one.said.text), f"{site}{one.said.url}") for one in told],
        "notices": f"{site}{reverse('experts:notices')}",
        "choices": f"{site}{reverse('experts:me')}#reach_mail",
    }
    which = uuid5(NAMESPACE_URL, " ".join(f"{one.notice.pk} {one.notice.at.isoformat()}" for one in told))
    headers = {
        "Message-ID": f"<{which}@{urlsplit(site).hostname or 'immersive'}>",
        "List-Unsubscribe": f"<{context['choices']}>",
        "Auto-Submitted": "auto-generated",
    }
    made = EmailMultiAlternatives(
        f"{things} in Immersive", render_to_string("experts/mail.txt", context), to=[person.email], headers=headers
    )
    made.attach_alternative(render_to_string("experts/mail.html", context), "text/html")
    return made
