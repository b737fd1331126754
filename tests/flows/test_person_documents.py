"""A person's document repeats what everyone may read: it must stop at once when that is true no longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from experts.actions import ensure_people_source
from experts.evidence import attribute
from knowledge import actions, indexing
from knowledge.documents import Contribution, Document
from knowledge.models import Audience, Resource, Source
from tests.flows.canary import LISTINGS, sync, use_listings

pytestmark = pytest.mark.django_db

WITHDRAWALS: dict[str, Callable[[Resource], Any]] = {
    "document by update": lambda row: Resource.objects.filter(pk=row.pk).update(
        audience=Audience.objects.of(["team:0"])
    ),
    "document by save": lambda row: Resource(pk=row.pk, **{}) and _narrow_and_save(row),
    "source by update": lambda row: Source.objects.filter(pk=row.source_id).update(
        audience=Audience.objects.of(["team:0"])
    ),
    "source off by update": lambda row: Source.objects.filter(pk=row.source_id).update(active=False),
}


def _narrow_and_save(row: Resource) -> None:
    row.audience = Audience.objects.of(["team:0"])
    row.save()


@pytest.mark.parametrize("way", WITHDRAWALS)
def test_no_withdrawn_title_is_told_by_its_author_with_all_workers_stopped(
    settings: Any, make_person: Any, way: str
) -> None:
    use_listings(settings)
    make_person("rosa", name="Rosa Quill")
    reader = make_person("reader", name="Reader")
    LISTINGS["plans"] = [
        Document(key="plan", title="Project zqquokka", body="A plan.", topics=("zqwombat",),
                 contributions=(Contribution(name="Rosa Quill"),)),
    ]  # fmt: skip
    sync(actions.add_source(kind="listing", address="plans"))
    attribute()
    sync(ensure_people_source())
    indexing.index_changes()
    client = Client()
    client.force_login(reader)
    person = Resource.objects.get(kind="person", title="Rosa Quill")

    def told() -> list[int]:
        answers = [
            client.get("/api/v1/search", {"q": word}).json() for word in ("zqquokka", "zqwombat", "kind:person rosa")
        ]
        page = client.get(f"/api/v1/resources/{person.public_id}")
        texts = [str(answer["results"]) + str(answer["facets"]) for answer in answers] + [page.content.decode()]
        return [answer["total"] for answer in answers[:2]] + [sum("zqquokka" in t or "zqwombat" in t for t in texts)]

    assert told()[:2] == [2, 2]
    WITHDRAWALS[way](Resource.objects.get(key="plan"))
    assert told() == [0, 0, 0]
    indexing.index_changes()
    assert told() == [0, 0, 0]


@pytest.mark.parametrize("way", ["document by update", "source by update"])
def test_what_was_never_everyone_s_takes_nobody_off_when_it_changes(
    settings: Any, make_person: Any, client: Client, way: str
) -> None:
    use_listings(settings)
    rosa = make_person("rosa", name="Rosa Quill")
    client.force_login(make_person("reader", name="Reader"))
    LISTINGS["plans"] = [Document(key="plan", title="zqquokka", contributions=(Contribution(name="Rosa Quill"),))]
    sync(actions.add_source(kind="listing", address="plans", audience=[f"person:{rosa.pk}"]))
    attribute()
    sync(ensure_people_source())
    indexing.index_changes()
    person = Resource.objects.get(kind="person", title="Rosa Quill")
    WITHDRAWALS[way](Resource.objects.get(key="plan"))
    assert Resource.objects.behind().exists() or Source.objects.changed().exists()
    assert client.get("/api/v1/search", {"q": "kind:person rosa"}).json()["total"] == 1
    assert client.get(f"/api/v1/resources/{person.public_id}").status_code == 200
