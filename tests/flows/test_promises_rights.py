"""Promises 1, 2, 3, 6, 9: nothing that a viewer may not read shows, in any form and by any way to search."""

from __future__ import annotations

import itertools
import random
import re
import uuid
from typing import Any

import pytest
from django.utils import timezone

from experts.models import Person
from knowledge import actions, indexing, waiting
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.models import Resource, Search, SourceGroup, Topic
from knowledge.waiting import WaitingSearch
from tests.flows import canary
from tests.flows.asking import TOKEN, addresses, body, browser, everything, queries, withdrawals
from tests.flows.canary import LISTINGS, Lab

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty() -> None:
    LISTINGS.clear()


@pytest.fixture(
    params=[
        "tantivy",
        pytest.param("whoosh", marks=pytest.mark.slow),
        pytest.param("opensearch", marks=pytest.mark.opensearch),
    ]
)
def engine(request: Any, settings: Any) -> str:
    if request.param == "opensearch":
        request.getfixturevalue("on_opensearch")
    settings.SEARCH_ENGINE = request.param
    return str(request.param)


@pytest.fixture
def lab(settings: Any, engine: str) -> Lab:
    return canary.build(settings, people=10, groups=12, documents=240)


def leaks(lab: Lab, person: Person, count: int) -> list[str]:
    """Tokens of hidden documents in anything that this person can get."""
    client, chance = browser(person), random.Random(person.pk)
    hidden = lab.hidden_from(person)
    found = []
    asked = [address for query in queries(lab, chance, count) for address in addresses(query)]
    asked += [("/", {}), ("/people/", {}), ("/tasks/", {})]
    for path, parameters in asked:
        answer = client.get(path, parameters)
        assert answer.status_code == 200, path
        hidden -= set(TOKEN.findall(parameters.get("q", "")))  # what one has typed oneself is no secret
        found += [f"{path} {parameters} {word}" for word in TOKEN.findall(answer.content.decode()) if word in hidden]
    return found


def test_promise_1_no_hidden_document_in_any_answer(lab: Lab) -> None:
    assert [leak for person in lab.people[:5] for leak in leaks(lab, person, 12)] == []
    assert any(lab.hidden_from(person) for person in lab.people), "there is something to leak"


@pytest.mark.slow
def test_promise_1_in_full(settings: Any) -> None:
    lab = canary.build(settings, people=40, groups=12, documents=5000)
    assert [leak for person in lab.people for leak in leaks(lab, person, 25)] == []


@pytest.mark.slow
def test_a_hidden_token_is_answered_as_one_that_never_was(lab: Lab) -> None:
    person = lab.people[0]
    client = browser(person)
    for hidden in sorted(lab.hidden_from(person))[:10]:
        never = canary.token()
        for form in ("{}", '"{}"', "topic:{}", "by:{}", "kettle {}", "source:{}", "kettle -{}"):
            for (path, asked), (_, other) in zip(
                addresses(form.format(hidden)), addresses(form.format(never)), strict=True
            ):
                first = body(client.get(path, asked)).replace(hidden, never)
                second = body(client.get(path, other))
                assert first == second, f"{path} betrays a hidden document to {asked}"


@pytest.mark.slow
def test_promise_2_no_beginning_of_a_word_suggests_what_is_hidden(lab: Lab) -> None:
    """Every beginning of one to four letters of every word, hidden ones among them."""
    person = lab.people[0]
    client, hidden = browser(person), lab.hidden_from(person)
    words = {*canary.WORDS, *(token for one in lab.canaries for token in one.tokens), "author", "provider", "person"}
    found = []
    for beginning in sorted({word[:length] for word in words for length in (1, 2, 3, 4)}):
        answer = client.get("/api/v1/suggest", {"q": beginning}).content.decode()
        found += [f"{beginning}: {word}" for word in TOKEN.findall(answer) if word in hidden]
    assert found == []


def test_promise_3_hidden_documents_change_no_byte(settings: Any, engine: str) -> None:
    """The same answers with and without hidden documents: results, order, counts, facets, suggestions."""
    lab = canary.build(settings, people=6, groups=4, documents=120)
    outsider = next(person for person in lab.people if "group0" not in lab.groups_of[person.pk])
    client, chance = browser(outsider), random.Random(3)
    asked = [address for query in queries(lab, chance, 40) for address in addresses(query)]
    before = [body(client.get(path, parameters)) for path, parameters in asked]
    Search.objects.all().delete()  # one's own searches are suggested: both times there were none
    for number in range(300):
        canary._document(chance, "source0", 10_000 + number, frozenset({"group0"}))
    canary.sync(lab.sources["source0"])
    indexing.index_changes()
    moved = [
        parameters
        for (path, parameters), text in zip(asked, before, strict=True)
        if body(client.get(path, parameters)) != text
    ]
    assert moved == []


def test_a_hidden_spelling_of_a_topic_changes_no_byte(settings: Any) -> None:
    """Whether the hidden pages, stored first, write the outsider's topics in their own way or have none at all."""
    canary.use_listings(settings)
    insider, outsider = (Person.objects.create(username=name, name=name.title()) for name in ("ina", "otto"))
    source = actions.add_source(kind="listing", address="spellings", audience=["everyone"])
    SourceGroup.objects.create(source=source, name="board", token=f"person:{insider.pk}")
    author = Contribution(name="Otto", email="otto@intranet.example")
    hidden = [
        ("tea", "C"),
        ("Zeus: Layoffs (2027)!", "C#"),
        ("ZEUS Layoffs 2027", "TEA"),
        ("Zebra", "C++"),
        ("TEA",),
        ("TEA",),
    ]
    seen = [("zeus layoffs 2027", "c++", "Tea"), ("Zeus-layoffs_2027", "tea"), ("tea", "zeus layoffs 2027", "C")]

    def answers(topics_of_hidden: list[tuple[str, ...]]) -> tuple[list[str], str]:
        Resource.objects.all().delete()
        Topic.objects.all().delete()
        Search.objects.all().delete()
        LISTINGS["spellings"] = [
            Document(key=f"0{n}", title=f"Kettle {n}", topics=topics, audience=frozenset({"board"}), body="kettle")
            for n, topics in enumerate(topics_of_hidden)
        ]
        canary.sync(source)
        LISTINGS["spellings"] += [
            Document(key=f"1{n}", title=f"Pump {n}", topics=topics, body="kettle", contributions=(author,))
            for n, topics in enumerate(seen)
        ]
        canary.sync(source)
        for number, row in enumerate(Resource.objects.filter(key__startswith="1").order_by("key")):
            Resource.objects.filter(pk=row.pk).update(public_id=uuid.UUID(int=number + 1))
            row.contributions.update(person=outsider)
        indexing.index_changes()
        client = browser(outsider)
        asked = [
            address
            for text in ("kettle", "topic:tea", 'topic:"Zeus: Layoffs (2027)!"', "topic:c", 'topic:"c++"', 'topic:"c#"')
            for address in addresses(text)
        ]
        ids = [uuid.UUID(int=number + 1) for number in range(len(seen))]
        asked += [(f"/r/{one}", {}) for one in ids] + [(f"/api/v1/resources/{one}", {}) for one in ids]
        asked += [(f"/people/{outsider.public_id}/", {}), (f"/api/v1/people/{outsider.public_id}", {})]
        texts = []
        for path, parameters in asked:
            answer = client.get(path, parameters)
            assert answer.status_code == 200, path
            texts.append(re.sub(r'"took_ms": ?[\d.]+', "", body(answer)))
        return texts, browser(insider).get("/search", {"q": "kettle"}).content.decode()

    with_hidden, for_insider = answers(hidden)
    without, _ = answers([])
    assert "Zebra" in for_insider, "what is hidden is found by those who may"
    assert with_hidden == without
    facets = browser(outsider).get("/api/v1/search", {"q": "kettle"}).json()["facets"]["topic"]
    assert {one["value"]: one["count"] for one in facets} == {"zeus layoffs 2027": 3, "tea": 3, "C": 1, "c++": 1}
    for one in facets:
        found = browser(outsider).get("/api/v1/search", {"q": f'topic:"{one["value"]}"'}).json()
        assert found["total"] == one["count"], "a topic's filter finds what its facet counts"


def test_promise_6_hidden_and_absent_are_one_answer(lab: Lab) -> None:
    person = lab.people[0]
    hidden = next(c for c in lab.canaries if not lab.readable(person, c))
    seen = next(c for c in lab.canaries if lab.readable(person, c))
    ids = dict(Resource.objects.values_list("key", "public_id"))
    client, never = browser(person), uuid.uuid4()
    for form in ("/r/{}", "/api/v1/resources/{}"):
        assert client.get(form.format(ids[seen.key])).status_code == 200
        first, second = client.get(form.format(ids[hidden.key])), client.get(form.format(never))
        assert (first.status_code, second.status_code) == (404, 404)
        assert body(first).replace(str(ids[hidden.key]), "x") == body(second).replace(str(never), "x")
        assert {**first.headers} == {**second.headers}


def test_promise_9_a_withdrawn_right_is_gone_in_the_next_request(lab: Lab) -> None:
    """By update in the database, with caches warm and no worker running, by every way to ask; and back again."""
    person, secret = next(
        (p, c)
        for p, c in itertools.product(lab.people, lab.canaries)
        if c.groups and lab.groups_of[p.pk] and lab.readable(p, c)
    )
    target = Resource.objects.select_related("source__audience", "audience").get(key=secret.key)
    client = browser(person)
    word = next(t for t in secret.tokens if t in target.title)
    waiting.wait_for(text=word, viewer=Viewer.of(person))
    texts = [word[:14], *(f"{token[:12]}*" for token in sorted(secret.tokens))]  # never a whole one

    def seen() -> tuple[int, set[str], int, int]:
        total = client.get("/api/v1/search", {"q": word, "explain": "1"}).json()["total"]
        WaitingSearch.objects.update(found_at=timezone.now())  # a look found it: its owner is told on the next page
        told = len(waiting.tell(Viewer.of(person)))
        Search.objects.all().delete()  # what one searched for stays one's own, and is suggested
        said = set(TOKEN.findall(everything(client, *texts)))
        return total, secret.tokens & said, client.get(f"/r/{target.public_id}").status_code, told

    for name, withdraw, give_back in withdrawals(target, person):
        total, said, page, told = seen()
        assert (total, page, told) == (1, 200, 1), f"before: {name}"
        assert word in said, f"before: {name}"
        assert len(said) >= 3, f"before: {name}"
        withdraw()
        assert seen() == (0, set(), 404, 0), name
        assert client.get(f"/api/v1/resources/{target.public_id}").status_code == 404, name
        WaitingSearch.objects.update(found_at=timezone.now())
        assert "There is something now" not in client.get("/").content.decode(), name
        give_back()
