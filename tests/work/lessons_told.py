"""Colleagues who may write lessons, pages that lessons may concern, and workers that do what follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from html import unescape
from types import SimpleNamespace
from typing import Any

from django.test import Client

from experts.models import Membership, Person, Team
from immersive.work.lessons import experiments, telling
from immersive.work.lessons.experiments import Tried
from immersive.work.lessons.rows import Experiment, Lesson, Reach
from immersive.work.lessons.telling import Said
from immersive.work.lessons.told import To
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.models import Resource, Verification
from knowledge.standing import weigh
from knowledge.typeahead import suggest
from tests import small_company

COMMITTED = Callable[[], Any]
SAID = Said(
    expected="We expected the zero to hold for a month.",
    happened="It drifted after a day: the xylograph was still warm.",
    know_now="Wait until the xylograph is as cold as the room before you set the zero.",
    changes="The checklist asks for the temperature first.",
)


def see(person: Any) -> Viewer:
    """The viewer that a person is now."""
    return Viewer.of(Person.objects.get(pk=person.pk))


def company(create_user: Callable[..., Any]) -> SimpleNamespace:
    """Six in Calibration, of whom Ana writes and Ben vouches for a page; Zoe in another team of one; Max moderates."""
    team = Team.objects.create(name="Calibration", slug="calibration")
    other = Team.objects.create(name="Reception", slug="reception")
    people = {
        name: create_user(name, name=name.title(), email=f"{name}@example.org")
        for name in ("ana", "ben", "cleo", "dai", "eva", "finn")
    }
    Membership.objects.bulk_create(Membership(person=one, team=team) for one in people.values())
    people["zoe"] = create_user("zoe", name="Zoe")
    Membership.objects.create(person=people["zoe"], team=other)
    pages = [
        Document("zero", "Setting the zero of a meter", "Set the zero slowly.", topics=("Meters",)),
        Document("seal", "Changing the seal of a meter", "Change the seal of the zero line.", topics=("Meters",)),
    ]
    small_company.source_of("Handbook", pages)
    secret = [Document("pay", "Pay of the meter crew", "Bands.", topics=("Meter pay",))]
    small_company.source_of("Crew", secret, audience=[f"team:{team.pk}"])
    rows = {row.key: row for row in Resource.objects.alive()}
    Verification.objects.create(resource=rows["zero"], owner=people["ben"], until=date(2099, 3, 14))
    weigh()
    return SimpleNamespace(team=team, other=other, rows=rows, **people)


@contextmanager
def at_work(committed: COMMITTED) -> Iterator[None]:
    """What happens inside is followed by what workers do."""
    with committed():
        yield
    small_company.index()


def tell(here: SimpleNamespace, committed: COMMITTED, to: To | None = None, **said: Any) -> Lesson:
    """A lesson of Ana's about setting the zero, told to her team unless said otherwise, and found."""
    from dataclasses import replace

    words = replace(SAID, **{"resources": (here.rows["zero"].public_id,), "topics": ("Meters",), **said})
    with at_work(committed):
        return telling.publish(author=here.ana, said=words, to=to or To(Reach.TEAM, here.team.public_id))


def leave(person: Any, team: Team) -> None:
    """This person is in the team no more."""
    from django.utils import timezone

    Membership.objects.filter(person=person, team=team).update(until=timezone.now())


def page(person: Any, address: str, **posted: Any) -> Any:
    """What this person gets at an address; by POST if anything is posted."""
    client = Client()
    client.force_login(person)
    return client.post(address, posted) if posted else client.get(address)


def html(person: Any, address: str) -> str:
    answer = page(person, address)
    return (b"".join(answer) if answer.streaming else answer.content).decode()


def html_of(answer: Any) -> str:
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def people_of(person: Any, **changes: Any) -> Any:
    """The person with other flags: nobody sees more for being staff."""
    Person.objects.filter(pk=person.pk).update(**changes)
    return Person.objects.get(pk=person.pk)


def bytes_of(client: Client, address: str) -> tuple[int, bytes]:
    """What is answered, without what is random or a measure of time."""
    answer = client.get(address)
    said = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"|s=[0-9a-f]{32}|"took_ms":[^,]+,', b"", answer.content)
    return answer.status_code, re.sub(rb"\d+ (?:seconds?|minutes?)( ago)?|just now", b"", said)


def try_out(here: SimpleNamespace, committed: Callable[[], Any], to: To | None = None) -> Experiment:
    """An experiment of Ana's about meters that did not hold, told to her team unless said otherwise, and found."""
    tried = Tried("With a brass pin a meter keeps its zero.", "Zeros lost in ten days", topics=("Meters",))
    with at_work(committed):
        to = to or To(Reach.TEAM, here.team.public_id)
        one = experiments.plan(author=here.ana, tried=tried, to=to)
        return experiments.conclude(author=here.ana, experiment=one.public_id, result="failed", found="Four, as before")


def verified(person: Any) -> set[str]:
    """What is suggested as verified while they type."""
    groups = suggest("setting the zero", see(person))
    return {one.text for group in groups for one in group.suggestions if one.verified}
