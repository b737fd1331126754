"""Who hides is named to nobody: every page, the API and what is typed, for a colleague, a manager and a superuser.

What a source says of its authors stays the source's own words, and so do the
pages that they wrote. The operator's pages are left out: they list accounts,
to look after them, and say nothing of who is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from experts import choices
from experts.digests import letter
from experts.models import Follow, Membership, Offer, Person, Team
from experts.notices import Notice, news
from immersive.work import sharing
from immersive.work.actions import start_task
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.models import Resource, Search, Verification
from tests import small_company
from tests.architecture.test_doors import ALL
from tests.flows.asking import browser

pytestmark = pytest.mark.django_db

NAME, ROLE, ABOUT, MAIL = "Zqquillan Zqzebrowski", "Zqwarden", "Zqlisten", "zqmail@example.org"
OTHERS = ("admin:", "scim:")
"""The operator's pages, and what a provisioning service asks by a token of its own."""
TYPED = ("zqquillan", "zqwarden", "zqlisten", "quokka care", "kind:person", "weld")


@pytest.fixture
def company(settings: LazySettings, make_person: Any, django_capture_on_commit_callbacks: Any) -> dict[str, Any]:
    """Somebody who is everywhere: author, verifier, mentor, follower, in a team, with a manager and own topics."""
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    team = Team.objects.create(name="Operations", slug="operations")
    manager = make_person("manager", name="Some Manager", teams=(team,))
    colleague = make_person("colleague", name="Some Colleague", teams=(team,))
    root = make_person("root", name="Some Root", is_staff=True, is_superuser=True)
    hidden = make_person("hidden", name=NAME, role=ROLE, about=ABOUT, email=MAIL, manager=manager)
    author = Contribution("A. Author", MAIL, last=small_company.days_ago(3))
    with django_capture_on_commit_callbacks(execute=True):
        small_company.source_of("Handbook", [
            Document("pump", "Priming a quokka", "Fill it.", topics=("Quokka care", "Pumps"), contributions=(author,)),
            Document("tool", "Quokka view", "Shows it.", kind="tool", topics=("Quokka care",), contributions=(author,)),
        ], trusts_emails=True)  # fmt: skip
    rows = {row.key: row for row in Resource.objects.alive()}
    for row in rows.values():
        Verification.objects.create(resource=row, owner=hidden, until=date(2099, 1, 1))
    Offer.objects.create(person=hidden, key="quokka-care", name="Quokka care")
    Follow.objects.create(person=hidden, key="quokka-care")
    Membership.objects.create(person=hidden, team=team)
    choices.say_of_topic(person=hidden, name="Welding", knows=True, ask="yes")
    choices.choose(person=hidden, shows_time=True, hours_a_week=2)
    small_company.read_people()
    small_company.index()
    task = start_task(owner=colleague, statement="Care for a quokka", started_from=rows["pump"])
    sharing.share(task=task, owner=colleague, person=hidden)
    theirs = start_task(owner=hidden, statement="Count the quokkas")
    sharing.share(task=theirs, owner=hidden, person=colleague)
    found = {"hidden": hidden, "manager": manager, "colleague": colleague, "root": root, "task": task, "theirs": theirs}
    return found | rows | {"document": Resource.objects.get(title=NAME)}


def addresses(company: dict[str, Any]) -> Iterator[str]:
    """Every address that there is, with whatever leads to the hidden person or what they did in it."""
    ids = [company[name].public_id for name in ("hidden", "pump", "tool", "document", "task")]
    fill = {
        "public_id": ids,
        "task_id": [ids[-1], company["theirs"].public_id],
        "key": [uuid4()],
        **{name: [uuid4()] for name in ("recall_id", "lesson_id", "experiment_id")},
        "step": ["0" * 24],
        "share": [sharing.shares_of(company["task"], Viewer.of(company["colleague"]))[0].token],
        "resource_id": ids[1:4],
        "slug": ["quokka-care", "welding"],
        "verb": ["thank"],
    }
    for route, name, _ in ALL:
        if name.startswith(OTHERS) or not name:
            continue
        wanted = [part.split(">")[0].split(":")[-1] for part in route.split("<")[1:]]
        if not set(wanted) <= set(fill):
            assert wanted in (["path"], ["uidb64", "token"], ["version"]), f"say what {route} is asked with"
            continue
        for values in product(*(fill[one] for one in wanted)):
            try:
                yield reverse(name, kwargs=dict(zip(wanted, values, strict=True)))
            except Exception as error:  # an address that this cannot be: told which
                pytest.fail(f"{route}: {error}")
    asked = ("search", "knowledge:suggest", "knowledge:live", "experts:people", "experts:ask-new", "experts:ask-alike",
             "experts:build-team", "experts:topics", "experts:topics-suggest", "api-search", "api-suggest",
             "api-people")  # fmt: skip
    for name, text in product(asked, TYPED):
        yield f"{reverse(name)}?{urlencode({'q': text})}"
    for of in ("hidden", "pump"):
        query = {"to": company["hidden"].public_id, "about": company["pump"].public_id, "q": "quokka"}
        yield f"{reverse('experts:ask-new')}?{urlencode(query)}#{of}"


def told(client: Client, address: str, hidden: Person) -> set[str]:
    """What of the hidden person an answer tells, but for what was asked with."""
    body = b"".join(client.get(address.partition("#")[0])).decode(errors="replace")  # what is streamed as well
    for echoed in (address, address.replace("&", "&amp;")):
        body = body.replace(echoed, "")
    lower = body.lower()
    marks = {*NAME.lower().split(), ROLE.lower(), ABOUT.lower(), "zqmail", str(hidden.public_id), hidden.public_id.hex}
    return {mark for mark in marks if mark in lower and mark not in address.lower()}


def leaks(company: dict[str, Any], name: str, everywhere: list[str]) -> dict[str, set[str]]:
    """What these addresses tell somebody of the hidden person; not what they typed themselves before."""
    Search.objects.all().delete()
    Notice.objects.update(seen_at=None)
    client, hidden = browser(Person.objects.get(pk=company[name].pk)), company["hidden"]
    return {address: marks for address in everywhere if (marks := told(client, address, hidden))}


def read_again() -> None:
    small_company.read_people()
    small_company.index()


def test_nobody_is_told_of_who_hides_where_they_would_be_met(company: dict[str, Any]) -> None:
    hidden, tool = company["hidden"], company["tool"]
    names = [("experts:people", "zqquillan"), ("search", "quokka care"), ("knowledge:suggest", "quokka care"),
             ("api-search", "zqwarden"), ("api-suggest", "zqquillan"), ("api-people", "quokka care"),
             ("experts:build-team", "quokka care")]  # fmt: skip
    met = [f"{reverse(name)}?{urlencode({'q': text})}" for name, text in names]
    met += [hidden.get_absolute_url(), tool.get_absolute_url(), reverse("experts:topic", args=["quokka-care"]),
            reverse("experts:welcome"), company["document"].get_absolute_url()]  # fmt: skip
    assert leaks(company, "colleague", met).keys() == set(met) - {company["document"].get_absolute_url()}
    choices.hide(person=hidden)
    for name in ("colleague", "manager", "root"):
        assert leaks(company, name, met) == {}, name
    assert "Priming a quokka" in browser(company["root"]).get("/search", {"q": "quokka"}).content.decode()
    assert NAME in browser(hidden).get(hidden.get_absolute_url()).content.decode()


def test_a_share_does_not_name_who_hides_to_either_side(company: dict[str, Any]) -> None:
    hidden, colleague = company["hidden"], company["colleague"]
    task, theirs = company["task"], company["theirs"]
    met = [reverse("home"), reverse("experts:notices"), reverse("work:shared-list"),
           reverse("work:share", args=[task.public_id]), reverse("work:download"),
           sharing.address(theirs.public_id)]  # fmt: skip
    client = browser(colleague)
    assert [bool(told(client, address, hidden)) for address in met] == [True] * len(met)
    Notice.objects.update(seen_at=None)
    choices.hide(person=hidden)
    assert [told(client, address, hidden) for address in met] == [set()] * len(met)
    assert "A colleague" in client.get(met[-1]).content.decode()
    Notice.objects.update(seen_at=None)
    mail = letter(colleague, news(Viewer.of(colleague)))
    assert "A colleague shares a task with you" in mail.body
    assert "zqquillan" not in f"{mail.body} {mail.alternatives}".lower()


@pytest.mark.slow
def test_nobody_is_told_of_who_hides_anywhere(company: dict[str, Any]) -> None:
    everywhere = list(dict.fromkeys(addresses(company)))
    before = leaks(company, "colleague", everywhere)
    assert len(before) > 25, "there is much to tell while they are found"
    choices.hide(person=company["hidden"])
    for name in ("colleague", "manager", "root"):
        assert leaks(company, name, everywhere) == {}, name
    read_again()
    assert leaks(company, "colleague", everywhere) == {}, "reading people again brings nobody back"
    choices.be_found(person=company["hidden"])
    read_again()
    assert leaks(company, "colleague", everywhere) == before


def test_what_is_absent_and_what_is_hidden_are_one(company: dict[str, Any]) -> None:
    hidden, client = company["hidden"], browser(company["colleague"])
    choices.hide(person=hidden)
    for name in ("experts:person", "api-person"):
        pages = [client.get(reverse(name, args=[one])) for one in (hidden.public_id, uuid4())]
        assert [page.status_code for page in pages] == [404, 404]
        assert pages[0].content == pages[1].content
    asked = [client.get(reverse("experts:ask-new"), {"to": str(one)}) for one in (hidden.public_id, uuid4())]
    assert asked[0].status_code == asked[1].status_code
