"""No address of the operator's pages asks about what is private to people, by whatever way through the models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.staticfiles.finders import get_finders
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from experts.mentoring.mentorships import Invitation, Mentorship, Wish
from experts.teams.proposals import Place, Proposal
from knowledge.admin import OfferedLookups
from knowledge.models import Click, Search, Verdict
from knowledge.waiting import WaitingSearch

PRIVATE = {*apps.get_app_config("work").get_models(), Search, Click, Verdict, WaitingSearch}
PRIVATE |= {Wish, Mentorship, Invitation, Proposal, Place}
REGISTERED = sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)
STEPS = 3
ENDS = ("", "__isnull", "__exact", "__in", "__gt", "__id", "__pk", "__pk__in", "__id__isnull")


def ways(model: type[Model], steps: int = STEPS) -> Iterator[tuple[str, type[Model]]]:
    """Every way through relations, forward and back, with where it ends."""
    for field in model._meta.get_fields():
        other: Any = field.related_model
        if not field.is_relation or not isinstance(other, type):
            continue
        name = field.name
        yield name, other
        if steps > 1 and other not in PRIVATE:
            yield from ((f"{name}__{rest}", end) for rest, end in ways(other, steps - 1))


@pytest.mark.parametrize(("model", "page"), REGISTERED, ids=[model._meta.label for model, _ in REGISTERED])
def test_no_lookup_reaches_what_is_private(model: type[Model], page: Any) -> None:
    assert isinstance(page, OfferedLookups), f"{type(page).__name__} needs knowledge.admin.OfferedLookups"
    page, request = cast(Any, page), RequestFactory().get("/")
    private = [way for way, end in ways(model) if end in PRIVATE]
    for way in private:
        fields = ["", *(f"__{field.name}" for field in model._meta.concrete_fields)]
        for lookup in (f"{way}{field}{end}" for field in fields for end in ENDS):
            assert not page.lookup_allowed(lookup, "1", request), lookup
    for offered in (*page.search_fields, *(name for name in page.list_filter if isinstance(name, str))):
        assert not any(offered.lstrip("^=@$").startswith(way) for way in private), offered


@pytest.mark.parametrize(("model", "page"), REGISTERED, ids=[model._meta.label for model, _ in REGISTERED])
def test_every_file_that_a_page_names_is_collected(model: type[Model], page: Any) -> None:
    """Where files are stored under names of their content, a page that names another one breaks."""
    collected = {name for finder in get_finders() for name, _ in finder.list(None)}
    media = page.media + AdminSplitDateTime().media
    named = {*media._js, *(path for paths in media._css.values() for path in paths)}
    assert named
    assert named - collected == set()


def test_the_ways_are_found() -> None:
    from django.contrib.auth.models import Group

    from experts.models import Membership, Person

    found = {way for way, end in ways(Person) if end in PRIVATE}
    assert {"tasks", "searches"} <= found
    assert {"person__tasks", "person__searches__clicks"} & {way for way, end in ways(Membership) if end in PRIVATE}
    assert "user__tasks" in {way for way, end in ways(Group) if end in PRIVATE}


@pytest.mark.parametrize(
    "query",
    ["tasks__isnull=0", "searches__isnull=0", "tasks=5", "tasks__id__in=1,2", "searches__text__contains=a",
     "password__startswith=md5", "contributions__isnull=0", "manager__tasks__isnull=0", "location__regex=a",
     "last_login__gt=2026-01-01"],
)  # fmt: skip
def test_an_address_that_the_page_does_not_offer_is_refused(make_person: Any, client: Client, query: str) -> None:
    client.force_login(make_person("operator", is_staff=True, is_superuser=True))
    assert client.get(f"{reverse('admin:experts_person_changelist')}?{query}").status_code == 400


def test_what_a_page_offers_works(make_person: Any, client: Client) -> None:
    from experts.models import Team

    operator = make_person("operator", is_staff=True, is_superuser=True, location="Porto")
    team = Team.objects.create(name="Pumps", slug="pumps")
    empty = Team.objects.create(name="Valves", slug="valves")
    make_person("ana", teams=(team,))
    client.force_login(operator)
    for name, queries in {
        "experts_person": {"is_staff__exact=1": 1, "location=Porto": 1, "q=ana": 1, "is_active__exact=0": 0},
        "experts_membership": {f"team__id__exact={team.pk}": 1, f"team__id__exact={empty.pk}": 0},
        "knowledge_syncrun": {"source__id__exact=1": 0},
        "auth_group": {"q=x": 0},
    }.items():
        page = reverse(f"admin:{name}_changelist")
        for query, count in queries.items():
            answer = client.get(f"{page}?{query}")
            assert answer.status_code == 200, query
            assert answer.context["cl"].result_count == count, query
