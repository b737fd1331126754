"""Rights: tokens, narrowing, and what no role widens."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from django.http import Http404

from experts.models import Team
from knowledge.access import Viewer, digest, group_token, resource_or_404, scoped
from knowledge.models import Audience, Resource, Source, SourceGroup

pytestmark = pytest.mark.django_db


def source(name: str, *tokens: str) -> Source:
    return Source.objects.create(kind="folder", name=name, slug=name, audience=Audience.objects.of(tokens))


def page(source: Source, key: str, *tokens: str) -> Resource:
    return Resource.objects.create(source=source, key=key, title=key, audience=Audience.objects.of(tokens))


def test_equal_sets_are_one_audience_whatever_the_order() -> None:
    assert Audience.objects.of(["b", "a"]).pk == Audience.objects.of(["a", "b", "a"]).pk
    assert digest(["a", "b"]) != digest(["ab"])


def test_groups_of_one_name_in_two_sources_never_merge(make_person: Any) -> None:
    team = Team.objects.create(name="Finance", slug="finance")
    ana = make_person("ana", teams=(team,))
    one, other = source("one", "everyone"), source("other", "everyone")
    SourceGroup.objects.create(source=one, name="finance", token=f"team:{team.pk}")
    mine = page(one, "mine", *scoped(one.pk, ["finance"]))
    page(other, "theirs", *scoped(other.pk, ["finance"]))
    viewer = Viewer.of(ana)
    assert group_token(one.pk, "finance") in viewer.tokens
    assert list(Resource.objects.visible_to(viewer)) == [mine]


def test_a_document_narrows_and_never_widens_its_source(make_person: Any) -> None:
    team = Team.objects.create(name="Pay", slug="pay")
    inside, outside = make_person("inside", teams=(team,)), make_person("outside")
    closed = source("closed", f"team:{team.pk}")
    wide = page(closed, "says everyone", "everyone")
    narrow = page(closed, "says one person", f"person:{outside.pk}")
    assert list(Resource.objects.visible_to(Viewer.of(inside))) == [wide]
    assert narrow not in Resource.objects.visible_to(Viewer.of(outside))
    assert not Resource.objects.visible_to(Viewer.of(outside)).exists()


def test_no_role_widens_what_one_may_read(make_person: Any) -> None:
    team = Team.objects.create(name="Pay", slug="pay")
    page(source("closed", f"team:{team.pk}"), "secret", "everyone")
    boss = make_person("boss", is_staff=True, is_superuser=True)
    assert not Resource.objects.visible_to(Viewer.of(boss)).exists()


def test_who_left_inactive_and_anonymous_read_nothing(make_person: Any) -> None:
    from django.contrib.auth.models import AnonymousUser
    from django.utils import timezone

    team = Team.objects.create(name="Pay", slug="pay")
    ana = make_person("ana", teams=(team,))
    secret = page(source("closed", f"team:{team.pk}"), "secret", "everyone")
    assert secret in Resource.objects.visible_to(Viewer.of(ana))
    ana.memberships.update(until=timezone.now())
    assert secret not in Resource.objects.visible_to(Viewer.of(ana))
    ana.is_active = False
    assert Viewer.of(ana).tokens == frozenset() == Viewer.of(AnonymousUser()).tokens


def test_predicate_and_query_are_the_same_rule(make_person: Any) -> None:
    """Every combination of source audience, document audience and viewer, on both sides of the rule."""
    teams = [Team.objects.create(name=name, slug=name) for name in ("a", "b")]
    people = [make_person("nobody"), make_person("in_a", teams=(teams[0],)), make_person("both", teams=tuple(teams))]
    choices = [("everyone",), (f"team:{teams[0].pk}",), (f"team:{teams[1].pk}",), tuple(f"team:{t.pk}" for t in teams)]
    rows = []
    for number, (of_source, of_document) in enumerate(itertools.product(choices, choices)):
        rows.append((page(source(f"s{number}", *of_source), "d", *of_document), set(of_source), set(of_document)))
    rights = set()
    for person in people:
        viewer = Viewer.of(person)
        seen = set(Resource.objects.visible_to(viewer))
        for row, of_source, of_document in rows:
            may = bool(viewer.tokens & of_source) and bool(viewer.tokens & of_document)
            assert (row in seen) == may
            rights.add(may)
    assert rights == {True, False}


def test_hidden_and_absent_are_one_answer(make_person: Any) -> None:
    viewer = Viewer.of(make_person("ana"))
    hidden = page(source("closed", "team:0"), "secret", "everyone")
    answers = []
    for public_id in (hidden.public_id, uuid.uuid4()):
        with pytest.raises(Http404) as caught:
            resource_or_404(public_id, viewer)
        answers.append(caught.value.args)
    assert answers[0] == answers[1]


def test_the_partial_index_answers_which_rows_are_behind(django_assert_num_queries: Any) -> None:
    from django.db import connection

    closed = source("s", "everyone")
    row = page(closed, "k", "everyone")
    Resource.objects.filter(pk=row.pk).update(indexed_audience=row.audience)
    assert not Resource.objects.behind().exists()
    Resource.objects.filter(pk=row.pk).update(audience=Audience.objects.of(["team:1"]))
    assert list(Resource.objects.behind()) == [row]
    if connection.vendor == "sqlite":
        assert "resource_behind" in Resource.objects.behind().explain()
