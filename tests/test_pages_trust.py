"""What people say of a page stays theirs, and what the page of results says of its order, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from experts.models import Person
from knowledge import standing
from knowledge.edition import Pin, Synonym
from knowledge.models import Audience, Click, Resource, Verdict, Verification
from tests import small_company

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(make_person: Callable[..., Person]) -> dict[str, Person]:
    names = {"ana": "Ana Ferreira", "ben": "Ben Okafor", "cleo": "Cleo Marsh"}
    return {name: make_person(name, name=full, email=f"{name}@example.org") for name, full in names.items()}


@pytest.fixture
def found(people: dict[str, Person], settings: LazySettings) -> dict[str, Resource]:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    resources = small_company.build(people)
    small_company.index()
    return resources


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def say(person: Person, page: Resource, helped: str, **more: str) -> Any:
    return signed_in(person).post(f"{page.get_absolute_url()}/helped", {"helped": helped, **more})


def text_of(person: Person, page: Resource, query: str = "") -> str:
    return signed_in(person).get(f"{page.get_absolute_url()}{query}").content.decode()


def test_one_says_whether_it_helped_changes_ones_mind_and_takes_it_back(
    people: dict[str, Person], found: dict[str, Resource]
) -> None:
    ana, pump = people["ana"], found["pump"]
    assert "Did this help?" in text_of(ana, pump)
    for helped, said in (
        ("yes", "You said that this helped."),
        ("no", "You said that this did not help."),
        ("", "Did this help?"),
    ):
        answer = say(ana, pump, helped)
        assert (answer.status_code, answer["Location"]) == (302, f"{pump.get_absolute_url()}#helped")
        assert said in text_of(ana, pump)
    assert not Verdict.objects.exists()


def test_nobody_else_sees_it_nor_how_many_said_so(people: dict[str, Person], found: dict[str, Resource]) -> None:
    ana, ben, pump = people["ana"], people["ben"], found["pump"]
    before = text_of(ben, pump)
    for person in (ana, people["cleo"]):
        say(person, pump, "yes")
    standing.weigh()
    without_token = [text.split("csrfmiddlewaretoken")[0] for text in (before, text_of(ben, pump))]
    assert without_token[0] == without_token[1]
    assert "Did this help?" in text_of(ben, pump)


def test_coming_back_keeps_from_where_one_came(people: dict[str, Person], found: dict[str, Resource]) -> None:
    ana = people["ana"]
    results = signed_in(ana).get("/search", {"q": "pump"}).context["found"]
    opened = f"?s={results.search_id}&n=2"
    page = text_of(ana, found["pump"], opened)
    assert f'name="s" value="{results.search_id}"' in page
    answer = say(ana, found["pump"], "yes", s=results.search_id, n="2")
    assert answer["Location"] == f"{found['pump'].get_absolute_url()}{opened}#helped"
    signed_in(ana).get(answer["Location"])
    assert list(Click.objects.values_list("rank", flat=True)) == [2]


def test_of_what_one_may_not_read_one_says_nothing(people: dict[str, Person], found: dict[str, Resource]) -> None:
    never = Resource(public_id="00000000-0000-4000-8000-000000000000")
    Resource.objects.filter(pk=found["pump"].pk).update(audience=Audience.objects.of(["team:0"]))
    hidden, unknown = (say(people["ana"], page, "yes") for page in (found["pump"], never))
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.content == unknown.content
    assert not Verdict.objects.exists()


def test_nobody_says_it_of_a_person(
    people: dict[str, Person], found: dict[str, Resource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "LEAST", len(people))
    page = found["pump"]
    for one in people.values():
        say(one, page, "no")
    assert standing._counted([page.pk], timezone.now())[page.pk] < 0
    Resource.objects.filter(pk=page.pk).update(kind="person")
    assert say(people["ana"], page, "no").status_code == 404
    assert standing._counted([page.pk], timezone.now()) == {}


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_it_is_said_by_a_post_alone(people: dict[str, Person], found: dict[str, Resource], method: str) -> None:
    answer = getattr(signed_in(people["ana"]), method)(f"{found['pump'].get_absolute_url()}/helped")
    assert answer.status_code == 405


def test_the_page_of_results_says_why(people: dict[str, Person], found: dict[str, Resource]) -> None:
    Verification.objects.update_or_create(
        resource=found["pump"], defaults={"owner": people["ben"], "until": timezone.localdate() + timedelta(days=9)}
    )
    Pin.objects.create(words="pump", resource=found["pump"])
    Synonym.objects.create(words="pump", other="casing")
    standing.weigh()
    client = signed_in(people["ana"])
    page = client.get("/search", {"q": "pump"})
    text = page.content.decode()
    results = page.context["found"].results
    assert text.count("Why is this here?") == len(results)
    for said in ("A curator put it first for these words.", "Words in the text", "Verified", "“casing”, for “pump”"):
        assert said in text
    answer = client.get("/api/v1/search", {"q": "pump", "explain": "1"}).json()["results"]
    for result, told in zip(results, answer, strict=True):
        lines = [(line.label, line.percent, line.less) for line in result.why.lines]
        assert [tuple(line.values()) for line in told["why"]["lines"]] == lines
        assert told["why"]["sentences"] == result.why.sentences
        assert sum(part["score"] for part in told["reasons"]) == pytest.approx(told["score"])
    assert all(result["why"] is None for result in client.get("/api/v1/search", {"q": "pump"}).json()["results"])


def test_the_page_says_what_it_also_finds_and_how_to_do_without(
    people: dict[str, Person], found: dict[str, Resource]
) -> None:
    Synonym.objects.create(words="pump", other="casing")
    Synonym.objects.create(words="pump", other="kestrel of the board")
    client = signed_in(people["ana"])
    page = client.get("/search", {"q": "feed pump"})
    assert "Also finds <b>casing</b>." in page.content.decode()
    assert "kestrel" not in page.content.decode()
    assert page.context["exactly"] == '"feed" "pump"'
    exact = client.get("/search", {"q": page.context["exactly"]})
    assert "Also finds" not in exact.content.decode()
    assert 0 < exact.context["found"].total < page.context["found"].total


def test_words_of_a_query_are_text_in_its_reasons(people: dict[str, Person], found: dict[str, Resource]) -> None:
    Synonym.objects.create(words="pump", other="<img src=x> casing")
    text = signed_in(people["ana"]).get("/search", {"q": "pump <b>x</b> onload='1'"}).content.decode()
    why = "".join(part.split("</details>")[0] for part in text.split('<details class="why">')[1:])
    assert "<b>" not in why
    assert "<img" not in why
