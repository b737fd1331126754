"""The first day: people from a file, one source that was synced, no taxonomy, and who knows is found already."""

from __future__ import annotations

import random

import pytest
from django.conf import LazySettings

from experts.directory.plan import import_people
from experts.evidence import attribute
from experts.finder import find
from experts.models import OwnTopic, Person
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.models import Topic
from tests import small_company

pytestmark = pytest.mark.django_db

SUBJECTS = {
    "Booking leave": "time off, absence, days, balance, holiday",
    "Expense claims": "receipts, refund, spending, travel costs",
    "Laptop returns": "give back your computer, device, courier",
    "On-call rota": "who is on call, pager, night, handover",
    "Choosing a database": "which database to use, storage, Postgres",
    "Writing an incident report": "after an outage, timeline, blameless",
    "Code review": "how changes are reviewed, pull requests, approval",
    "Password manager": "where passwords are kept, vault, secrets",
    "Meeting rooms": "reserve a room, screen, seats",
    "Parental leave": "a new child, weeks, pay, return to work",
    "Supplier contracts": "buying, procurement, signature, tender",
    "Release checklist": "before a release, deploy, roll back",
    "Accessibility testing": "screen reader, contrast, keyboard",
    "Buddy for newcomers": "first week, onboarding, welcome",
    "Work abroad": "working from another country, tax, visa",
    "Fire drill": "alarm, assembly point, warden",
    "Payslips": "salary, pay date, deductions",
    "Naming services": "what to call a service, words, users",
    "Printer trouble": "paper jam, toner, queue",
    "Exit interview": "leaving, last day, feedback",
}
LINKS = {
    "take time off": "Booking leave", "claim a refund for travel": "Expense claims", "send your computer back":
    "Laptop returns", "who is on call tonight": "On-call rota", "which storage to use": "Choosing a database",
    "report on the outage": "Writing an incident report", "get your change reviewed": "Code review",
    "shared passwords": "Password manager", "reserve a meeting room": "Meeting rooms", "having a child":
    "Parental leave", "sign a contract with a supplier": "Supplier contracts", "rolling back a release":
    "Release checklist", "test with a screen reader": "Accessibility testing", "your first week": "Buddy for newcomers",
    "visa for working in another country": "Work abroad", "when the alarm rings": "Fire drill", "pay date": "Payslips",
    "call the service something else": "Naming services", "the paper jam": "Printer trouble", "last day at work":
    "Exit interview",
}  # fmt: skip
"""The text of a link, and the page that it leads to: half in other words than its title."""


def handbook(people: list[str], chance: random.Random) -> list[Document]:
    """A page for each subject by one to six people, who also look after each other's pages; each mentions others."""
    pages = []
    for number, (title, words) in enumerate(SUBJECTS.items()):
        editors = [people[number], *chance.sample(people[:14], chance.randint(0, 4))]
        others = ", ".join(chance.sample(sorted(SUBJECTS), 4)).lower()
        body = f"# {title}\n\nThis page is about {words}. Ask in the channel before you begin.\n\nSee also: {others}."
        parts = tuple(
            Contribution(who, share=1 / (1 + place), last=small_company.days_ago(chance.randint(10, 1500)))
            for place, who in enumerate(dict.fromkeys(editors))
        )
        pages.append(Document(f"page-{number}", title, body, contributions=parts))
    return pages


def test_one_of_the_first_three_edited_the_page_that_was_meant(settings: LazySettings) -> None:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    people = [f"Given{number} Family{number}" for number in range(len(SUBJECTS))]
    rows = [f"given{number},{name},given{number}@example.org" for number, name in enumerate(people)]
    assert not import_people("\n".join(["username,name,email", *rows]).encode()).problems
    pages = handbook(people, random.Random(1))
    small_company.source_of("handbook", pages)
    attribute()
    small_company.index()
    assert not Topic.objects.exists()
    assert not OwnTopic.objects.exists()
    asker = Viewer.of(Person.objects.create(username="asker", name="Asks A Lot"))
    edited = {page.title: {part.name for part in page.contributions} for page in pages}
    met = [
        bool(edited[title] & {one.person.display_name for one in find(text, asker, count=3)})
        for text, title in LINKS.items()
    ]
    everybody = [bool(editors & set(people[:3])) for editors in edited.values()]
    assert sum(met) >= 0.6 * len(LINKS)
    assert sum(everybody) < 0.6 * len(LINKS), "no three people would do for every question"
