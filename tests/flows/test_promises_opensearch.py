"""The promises of rights once more where words and meaning are found by a real OpenSearch with the k-NN plugin.

The tests are those of the other engines. What differs is where vectors are
compared: in the cluster, among the vectors of hidden documents.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.conf import LazySettings

from knowledge import indexing
from knowledge.meaning import embedding, looking
from knowledge.meaning.embedding import embed
from knowledge.models import Search
from tests.flows import canary
from tests.flows.asking import TOKEN, addresses, body, browser, queries
from tests.flows.canary import LISTINGS, Lab
from tests.meaning import Letters

pytestmark = [pytest.mark.opensearch, pytest.mark.django_db, pytest.mark.usefixtures("on_knn")]


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Texts of the same letters mean the same: a token that nobody may read is near its own beginning."""
    LISTINGS.clear()
    letters = Letters()
    for module in (looking, embedding):
        monkeypatch.setattr(module, "chosen", lambda **_: letters)
    yield letters
    assert not looking._resting, "the cluster said each time what is near"


@pytest.fixture
def lab(settings: LazySettings, encoder: Letters) -> Lab:
    found = canary.build(settings, people=6, groups=4, documents=120)
    embed(encoder=encoder)
    assert embedding.status()["passages"] >= 120
    return found


def test_promise_1_no_hidden_document_in_any_answer(lab: Lab) -> None:
    leaks, near = [], 0
    for person in lab.people[:3]:
        client, chance, hidden = browser(person), random.Random(person.pk), lab.hidden_from(person)
        for path, asked in [one for query in queries(lab, chance, 6) for one in addresses(query)]:
            answer = client.get(path, asked).content.decode()
            near += '"part": "meaning"' in answer or '"part":"meaning"' in answer
            hidden -= set(TOKEN.findall(asked["q"]))  # what one has typed oneself is no secret
            leaks += [f"{path} {asked} {word}" for word in TOKEN.findall(answer) if word in hidden]
    assert leaks == []
    assert near, "meaning had its part"


def test_promise_3_hidden_documents_change_no_byte(lab: Lab, encoder: Letters) -> None:
    """The same results, order, counts and facets with and without hidden documents that are just as near."""
    outsider = next(person for person in lab.people if "group0" not in lab.groups_of[person.pk])
    client, chance = browser(outsider), random.Random(3)
    asked = [address for query in queries(lab, chance, 14) for address in addresses(query)]
    before = [body(client.get(path, parameters)) for path, parameters in asked]
    Search.objects.all().delete()  # one's own searches are suggested: both times there were none
    for number in range(200):
        canary._document(chance, "source0", 10_000 + number, frozenset({"group0"}))
    canary.sync(lab.sources["source0"])
    indexing.index_changes()
    embed(encoder=encoder)
    assert embedding.status()["waiting"] == 0
    assert embedding.status()["passages"] >= 320
    moved = [
        parameters
        for (path, parameters), text in zip(asked, before, strict=True)
        if body(client.get(path, parameters)) != text
    ]
    assert moved == []
