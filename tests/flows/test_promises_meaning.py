"""Promises 1, 3, 6 and 9 for what is found by meaning alone: no word of the query stands in it, so rights must."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from experts.models import Membership, Person, Team
from knowledge import actions, indexing
from knowledge.documents import Contribution, Document
from knowledge.meaning import looking
from knowledge.meaning.embedding import embed
from knowledge.meaning.encoders import Encoder, chosen
from knowledge.models import Resource, Search, Source, SourceGroup
from tests.flows import canary
from tests.flows.asking import TOKEN, addresses, body, browser, withdrawals
from tests.flows.canary import LISTINGS
from tests.meaning import Letters, needs_model

pytestmark = pytest.mark.django_db

SAID = {
    "Everyone accrues twenty-five days of paid holiday per calendar year.": "vacation allowance for employees",
    "Fill the kettle with vinegar and boil it to remove limescale.": "cleaning calcium deposits",
    "Change your password every ninety days and never write it on paper.": "how often must credentials be renewed",
    "The canteen serves soup and fresh bread from noon.": "lunch menu cafeteria",
    "Train tickets and hotels of a journey for us are paid back in two weeks.": "reimbursement of travel expenses",
    "Everybody speaks English here, and courses are paid for by the firm.": "foreign language classes",
}
"""What a document says, and how somebody asks for it who uses none of its words."""


@dataclass
class Company:
    """A source that everyone sees, of whose documents some are the board's; ``hidden``: tokens of those."""

    source: Source
    encoder: Encoder
    asked: list[str]
    insider: Person
    outsider: Person
    hidden: dict[str, set[str]] = field(default_factory=dict)

    def write(self) -> None:
        canary.sync(self.source)
        indexing.index_changes()
        embed(encoder=self.encoder)

    def hide(self) -> None:
        """Let the board write all that can be asked for into papers of its own."""
        for said in SAID:
            title, text, topic, author, name = (canary.token() for _ in range(5))
            self.hidden[f"{name}.md"] = {title, text, topic, author, name}
            LISTINGS["house"].append(
                Document(
                    key=f"{name}.md",
                    title=title,
                    body=f"{said}\n\n{text}",
                    topics=(topic,),
                    audience=frozenset({"board"}),
                    contributions=(Contribution(name=f"Author {author}"),),
                    crumbs=(name,),
                )
            )
        self.write()


@pytest.fixture(params=["tantivy", "whoosh", pytest.param("opensearch", marks=pytest.mark.opensearch)])
def engine(request: Any, settings: LazySettings) -> str:
    if request.param == "opensearch":
        request.getfixturevalue("on_opensearch")
    settings.SEARCH_ENGINE = request.param
    return str(request.param)


@pytest.fixture(params=["letters", pytest.param("model", marks=[pytest.mark.slow, needs_model])])
def company(request: Any, engine: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Company:
    """With an encoder by letters, for which a text means what it says backwards; and with the installed model."""
    LISTINGS.clear()
    canary.use_listings(settings)
    if request.param == "letters":
        encoder: Any = Letters()
        monkeypatch.setattr(looking, "chosen", lambda: encoder)
        asked = [" ".join(word[::-1] for word in said.rstrip(".").split()) for said in SAID]
    else:
        encoder, asked = chosen(), list(SAID.values())
    team = Team.objects.create(name="Board", slug="board")
    insider, outsider = (Person.objects.create(username=name, name=name.title()) for name in ("ina", "otto"))
    Membership.objects.create(person=insider, team=team)
    source = actions.add_source(kind="listing", address="house", audience=["everyone"])
    SourceGroup.objects.create(source=source, name="board", token=f"team:{team.pk}")
    LISTINGS["house"] = [
        Document(key=f"open-{n}", title=f"Note {n}", body=f"{said} Ask at the desk.", kind="page")
        for n, said in enumerate(list(SAID)[:3])
    ]
    found = Company(source, encoder, asked, insider, outsider)
    found.write()
    return found


def said_to(client: Client, text: str) -> list[str]:
    """What every way to search for a text answers."""
    Search.objects.all().delete()  # one's own searches are suggested
    return [body(client.get(path, parameters)) for path, parameters in addresses(text)]


def found_by_meaning(client: Client, text: str) -> set[str]:
    """Titles of results that stand there for their meaning and for nothing else."""
    results = client.get("/api/v1/search", {"q": text}).json()["results"]
    return {one["resource"]["title"] for one in results if {part["part"] for part in one["reasons"]} == {"meaning"}}


def test_promises_1_and_3_what_is_near_in_meaning_and_hidden_changes_no_byte(company: Company) -> None:
    """The board finds its papers by meaning alone; everyone else is answered as if there were none, found or not."""
    outsider, insider = browser(company.outsider), browser(company.insider)
    before = {text: said_to(outsider, text) for text in company.asked}
    nearest = [text for text, (page, *_) in before.items() if "This is closest in meaning." in page]
    assert nearest, "some are found by meaning alone"
    company.hide()
    tokens = set().union(*company.hidden.values())
    titles = set(Resource.objects.filter(key__in=company.hidden).values_list("title", flat=True))
    found = set().union(*(found_by_meaning(insider, text) for text in company.asked))
    assert len(found & titles) > len(SAID) / 2, "what is hidden is found by those who may"
    after = {text: said_to(outsider, text) for text in company.asked}
    assert [word for said in after.values() for page in said for word in TOKEN.findall(page) if word in tokens] == []
    assert after == before


def test_promise_9_a_right_that_is_withdrawn_is_gone_from_what_is_near_in_meaning(company: Company) -> None:
    company.hide()
    client = browser(company.insider)
    rows = Resource.objects.select_related("source__audience", "audience").filter(key__in=company.hidden)
    papers = {row.key: row for row in rows}
    text, key = next(  # the tokens are other ones each time, and a model hears something in each
        (text, key)
        for text, key in zip(company.asked, company.hidden, strict=True)
        if papers[key].title in found_by_meaning(client, text)
    )
    target, tokens = papers[key], company.hidden[key]
    for name, withdraw, give_back in withdrawals(target, company.insider):
        assert target.title in found_by_meaning(client, text), f"before: {name}"
        withdraw()
        assert not tokens & set(TOKEN.findall("".join(said_to(client, text)))), name
        give_back()
