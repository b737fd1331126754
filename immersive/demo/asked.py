"""Questions of the demo company with their answers and thanks, through the same verbs as the pages use, in the past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from experts.asking import actions as asking
from experts.asking import later, sealed
from experts.asking.asks import Answer, Ask, Joined, Later, Thanks, Turn
from experts.models import Person, Team
from experts.notices import Notice
from immersive.demo.history import moment, pages_of
from immersive.demo.seed import demo_people, rows_of
from knowledge.access import Viewer
from knowledge.documents import EVERYONE
from knowledge.models import Resource, Source

Row = Mapping[str, str]
SEEN_AFTER = timedelta(days=2)
"""What happened longer ago was seen by whom it concerned."""


def ask_each_other(sources: Iterable[Source]) -> None:
    """All of it in one transaction, and only where no demo person has asked yet: what was withdrawn stays so."""
    people = {person.username: person for person in demo_people()}
    if Ask.objects.filter(author__in=people.values()).exists():
        return
    pages = dict(Resource.objects.filter(pk__in=(found := pages_of(sources)).values()).values_list("pk", "public_id"))
    about = {path: pages[pk] for path, pk in found.items()}
    answers: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of("answers.csv"):
        answers[row["ask"]].append(row)
    with transaction.atomic():
        for row in rows_of("asks.csv"):
            _talk(row, answers[row["ask"]], people, about)
        Notice.objects.filter(person__in=people.values(), at__lt=timezone.now() - SEEN_AFTER).update(
            seen_at=timezone.now()
        )


def _talk(row: Row, answers: Iterable[Row], people: Mapping[str, Person], about: Mapping[str, UUID]) -> None:
    """One question from its asking to the thanks for its answers."""
    viewer = Viewer.of(people[row["author"] or row["anonymous"]])
    team = Team.objects.filter(name=row["audience"]).first()
    ask = asking.ask(
        viewer=viewer,
        text=row["text"],
        details=row["details"],
        wish=row["wish"],
        to=people[row["to"]].public_id if row["to"] else None,
        about=about[row["page"]] if row["page"] else None,
        audience=str(team.public_id) if team else EVERYONE,
        anonymous=bool(row["anonymous"]),
    )
    began = moment(int(row["days_ago"]), row["text"])
    asked = {"created_at": sealed.day_of(began) if ask.sealed else began, "published_at": began}
    Ask.objects.filter(pk=ask.pk).update(**asked)
    Turn.objects.filter(ask=ask).update(at=began)
    _told(ask.public_id, began)
    for username in filter(None, row["joined"].split(";")):
        asking.join(ask=ask.public_id, viewer=Viewer.of(people[username]))
    Joined.objects.filter(ask=ask).update(at=began + timedelta(hours=3))
    for said in answers:
        _answer(ask, said, viewer, people)


def _answer(ask: Ask, said: Row, asker: Viewer, people: Mapping[str, Person]) -> None:
    at = moment(int(said["days_ago"]), said["body"]) + timedelta(minutes=50)
    at = min(at, timezone.now())
    answer = asking.answer(ask=ask.public_id, viewer=Viewer.of(people[said["author"]]), body=said["body"])
    if said["accepted"]:
        asking.accept(answer=answer.public_id, viewer=asker)
        asking.thank(answer=answer.public_id, viewer=asker, said=said["thanked"])
        Later.objects.filter(ask=ask).update(due_at=timezone.now())  # without a name: others see it by now
        later.carry_out()
        Answer.objects.filter(pk=answer.pk).update(accepted_at=at)
        Ask.objects.filter(pk=ask.pk).update(closed_at=at)
    Answer.objects.filter(pk=answer.pk).update(created_at=at)
    Turn.objects.filter(ask=ask, ended_at__isnull=False).update(ended_at=at)
    if said["accepted"]:
        Thanks.objects.filter(answer=answer).update(at=at)
    _told(answer.public_id, at)


def _told(subject: UUID, at: datetime) -> None:
    Notice.objects.filter(subject=subject).update(at=at)
