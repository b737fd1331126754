"""Rows inserted at once are the rows that Django would have written one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from knowledge import bulk
from knowledge.models import Contribution, Indexed, Resource, Source

pytestmark = pytest.mark.django_db

WHEN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def values(source: Source, key: str, **more: Any) -> dict[str, Any]:
    return {
        "source_id": source.pk, "key": key, "title": "100 % tea", "body": "It isn't\n%s", "crumbs": ["a", "ü"],
        "facts": {"jobs": ["brew"]}, "updated": WHEN, "first_seen_at": WHEN, "audience_id": source.audience_id, **more,
    }  # fmt: skip


def told(row: Any) -> dict[str, Any]:
    own = {"id", "public_id", "key", "_state"}
    return {name: value for name, value in vars(row).items() if name not in own}


def test_a_row_is_the_one_that_django_writes(source: Source) -> None:
    Resource.objects.create(**values(source, "django"))
    bulk.insert(Resource, [values(source, "one"), values(source, "two")])
    django, one, two = Resource.objects.order_by("pk")
    assert told(one) == told(two) == told(django)
    assert len({django.public_id, one.public_id, two.public_id}) == 3
    bulk.insert(Contribution, [{"resource_id": one.pk, "name": "Ana", "share": 0.5}])
    by_django = Contribution.objects.create(resource=one, name="Ana", share=0.5)
    assert told(Contribution.objects.earliest("pk")) == told(Contribution.objects.get(pk=by_django.pk))


def test_nothing_is_inserted_twice(source: Source) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Resource, [values(source, "one"), values(source, "one")])
    assert not Resource.objects.exists()
    bulk.insert(Resource, [])


def test_a_row_that_is_there_gets_the_new_values(source: Source) -> None:
    bulk.insert(Resource, [values(source, "one"), values(source, "two")])
    one, two = Resource.objects.order_by("pk")
    for hash_, rows in (("a", [one]), ("b", [one, two])):
        held = [{"resource_id": row.pk, "generation": "g", "hash": hash_} for row in rows]
        bulk.insert(Indexed, held, unique=["generation", "resource_id"])
    assert set(Indexed.objects.values_list("resource", "generation", "hash")) == {
        (one.pk, "g", "b"),
        (two.pk, "g", "b"),
    }
