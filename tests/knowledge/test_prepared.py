"""A question written once is the same question as the queryset it was made from, asked now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from experts.models import Team
from knowledge import search as searching
from knowledge.access import Viewer, group_token
from knowledge.models import Audience, Resource, Source, Verification
from knowledge.prepared import Prepared

pytestmark = pytest.mark.django_db

BY_KEY = Prepared(lambda keys: Resource.objects.filter(key__in=keys).order_by("key"))


@pytest.fixture
def corpus(db: None) -> list[Resource]:
    """Rows on both sides of every rule: by source, by document, gone, closed, for groups, for one person."""
    audiences = [
        Audience.objects.of(tokens)
        for tokens in (["everyone"], ["team:1"], ["team:1", "team:2"], ["person:7"], [group_token(1, "finance")], [])
    ]
    made = []
    for number, audience in enumerate(audiences):
        source = Source.objects.create(
            kind="given", name=f"Source {number}", slug=f"source-{number}", audience=audience, active=number != 2
        )
        for at, own in enumerate(audiences):
            gone = timezone.now() if at == 5 else None
            made.append(
                Resource.objects.create(source=source, key=f"{number}-{at}", title="A row", audience=own, gone_at=gone)
            )
    return made


VIEWERS = [
    Viewer(None, frozenset(tokens))
    for tokens in (
        set(), {"everyone"}, {"everyone", "team:1"}, {"everyone", "team:2", "person:7"},
        {"team:1", group_token(1, "finance")},
        {"everyone", *(f"team:{number}" for number in range(40))}, {"'; drop table", "%s", "\"", "everyone"},
    )
]  # fmt: skip


@pytest.mark.parametrize("viewer", VIEWERS)
def test_what_a_search_asks_is_what_visible_to_says(corpus: list[Resource], viewer: Viewer) -> None:
    for person in (viewer, Viewer(7, viewer.tokens)):
        seen = searching.visible_sources(person)
        assert set(seen) == set(Source.objects.visible_to(person).values_list("pk", flat=True))
        keys: list[UUID] = [row.public_id for row in corpus]
        for some in (keys, keys[:3], keys[5:6], [uuid4()], []):
            asked = {row.pk for row in searching._ROWS.rows(sorted(person.tokens), some)}
            visible = Resource.objects.visible_to(person).filter(public_id__in=some)
            assert asked == set(visible.values_list("pk", flat=True))


def test_a_question_is_asked_of_the_database_as_it_is_now(corpus: list[Resource]) -> None:
    everyone = ["everyone"]
    row = Resource.objects.get(key="0-0")
    assert [found.pk for found in searching._ROWS.rows(everyone, [row.public_id])] == [row.pk]
    Resource.objects.filter(pk=row.pk).update(audience=Audience.objects.of(["team:0"]))
    assert list(searching._ROWS.rows(everyone, [row.public_id])) == []
    assert [found.pk for found in searching._ROWS.rows([*everyone, "team:0"], [row.public_id])] == [row.pk]


def test_rows_are_whole_and_know_who_verified_them(
    corpus: list[Resource], make_person: Callable[..., Any], django_assert_num_queries: Any
) -> None:
    verified, other = Resource.objects.get(key="0-0"), Resource.objects.get(key="1-0")
    Verification.objects.create(resource=verified, owner=make_person("ana"), until=timezone.localdate())
    keys = [verified.public_id, other.public_id]
    with django_assert_num_queries(2):
        rows = {row.key: row for row in searching._ROWS.rows(["everyone", "team:1"], keys)}
        searching._load_verifications(rows.values())
        assert rows["0-0"].verification.owner.username == "ana"
        assert not hasattr(rows["1-0"], "verification")
        for field in Resource._meta.concrete_fields:
            assert getattr(rows["1-0"], field.attname) == getattr(other, field.attname), field.name


def test_lists_of_any_length_are_few_questions(corpus: list[Resource]) -> None:
    keys = sorted(row.key for row in corpus)
    prepared = Prepared(BY_KEY.build)
    for length in range(1, len(keys) + 1):
        assert [row.key for row in prepared.rows(keys[:length])] == keys[:length]
    assert len(prepared._known) <= 7


def test_numbers_are_values_too(corpus: list[Resource]) -> None:
    prepared = Prepared(lambda ids: Resource.objects.filter(pk__in=ids))
    ids = [row.pk for row in corpus[:3]]
    assert {row.pk for row in prepared.rows(ids)} == set(ids)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda keys: Resource.objects.filter(key__in=[key.upper() + "!" for key in keys]), "as it is given"),
        (lambda keys: Resource.objects.filter(key__in=keys[:1]), "as it is given"),
        (lambda keys: Resource.objects.filter(key__in=keys, updated__lt=timezone.now()), "must not hold a time"),
        (
            lambda keys: Resource.objects.filter(key__in=keys, updated__date=timezone.localdate()),
            "must not hold a time",
        ),
    ],
)
def test_what_cannot_be_written_once_is_refused(build: Callable[..., Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Prepared(build).rows(["a", "b"])


def test_a_person_s_rights_come_from_their_tokens_alone(make_person: Callable[..., Any]) -> None:
    """The questions are written without a person: were a rule to look at who it is, they would not know."""
    viewer = Viewer.of(make_person("ana", teams=(Team.objects.create(name="One", slug="one"),)))
    for rows in (Resource.objects, Source.objects):
        sql, params = rows.visible_to(viewer).query.sql_with_params()
        same, others = rows.visible_to(Viewer(None, viewer.tokens)).query.sql_with_params()
        assert (sql, sorted(map(str, params))) == (same, sorted(map(str, others)))
