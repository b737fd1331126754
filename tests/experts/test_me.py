"""The page on which each person sees what is shown about them and changes it: over HTTP, every change and its undo."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from experts import choices
from experts.models import Availability, Closed, Disowned, OwnTopic, Person
from knowledge.models import Resource
from tests.experts.conftest import page

ME = "/people/me/"


@pytest.fixture
def wrote(ana: Any, hold: Any) -> dict[str, Any]:
    hold("book", [
        page("pump", "Ana Lima", title="Priming a pump", topics=("Feed pumps",)),
        page("seal", "Ana Lima", title="Changing a seal", topics=("Seals",)),
    ])  # fmt: skip
    return {row.key: row for row in Resource.objects.alive()}


@pytest.fixture
def mine(client: Client, ana: Any) -> Client:
    client.force_login(ana)
    return client


def text_of(response: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def post(client: Client, **fields: str) -> str:
    """What the page says after a change, which must have been made."""
    answer = client.post(ME, fields)
    assert answer.status_code == 302, text_of(answer)
    return text_of(client.get(answer["Location"]))


def undo(client: Client, response: Any) -> Any:
    """Post the form of the toast."""
    [form] = re.findall(r'<div class="toast">.*?</form>', response.content.decode(), re.S)
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    fields.pop("csrfmiddlewaretoken", None)
    assert f'action="{ME}"' in form
    return client.post(ME, fields, follow=True)


def test_one_sees_all_that_is_shown_and_why(mine: Client, wrote: Any) -> None:
    said = text_of(mine.get(ME))
    for part in ("Feed pumps 1 document", "Priming a pump", "Wrote all of it", "Known by name only", "Hide me",
                 "Questions a week, at most"):  # fmt: skip
        assert part in said


CHANGED: dict[str, tuple[dict[str, str], Callable[[Any], Any]]] = {
    "hidden": ({"do": "hide"}, lambda ana: Availability.of(ana).hidden),
    "topic hidden": (
        {"do": "topic", "topic": "feed-PUMPS", "say": "hide"},
        lambda ana: OwnTopic.objects.filter(person=ana, key="feed-pumps", hidden=True).exists(),
    ),
    "do not ask": (
        {"do": "topic", "topic": "Seals", "say": "no-ask"},
        lambda ana: OwnTopic.objects.filter(person=ana, ask="no").exists(),
    ),
    "knows": (
        {"do": "topic", "topic": "Wombats", "say": "knows"},
        lambda ana: OwnTopic.objects.filter(person=ana, name="Wombats", knows=True).exists(),
    ),
    "closed": (
        {"do": "close", "since": "2027-03-01", "until": "2027-03-05"},
        lambda ana: Closed.objects.filter(person=ana).exists(),
    ),
    "reach": (
        {"do": "reach", "asks_a_week": "0", "hours_a_week": "2", "shows_time": "on", "prefers": "call",
         "mail": "never"},
        lambda ana: Availability.objects.filter(
            person=ana, asks_a_week=0, hours_a_week=2, shows_time=True, prefers="call", mail="never"
        ).exists(),
    ),
    "about": (
        {"do": "about", "about": "I listen.", "time_zone": "europe/lisbon"},
        lambda ana: Person.objects.filter(pk=ana.pk, about="I listen.", time_zone="Europe/Lisbon").exists(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED)
def test_each_change_holds_at_once_and_may_be_made_twice(mine: Client, wrote: Any, ana: Any, change: str) -> None:
    fields, holds = CHANGED[change]
    assert not holds(ana)
    for _ in range(2):
        answer = mine.post(ME, fields, follow=True)
        assert holds(ana), text_of(answer)


@pytest.mark.parametrize("change", CHANGED)
def test_each_change_is_taken_back_by_the_next_click(mine: Client, wrote: Any, ana: Any, change: str) -> None:
    fields, holds = CHANGED[change]
    answer = mine.post(ME, fields, follow=True)
    assert holds(ana)
    undo(mine, answer)
    assert not holds(ana)
    assert Person.objects.get(pk=ana.pk).about.splitlines() == ["Listens to pumps.", "And to people."]


def test_a_document_is_disowned_and_taken_back(mine: Client, wrote: Any, ana: Any) -> None:
    answer = mine.post(ME, {"do": "disown", "document": str(wrote["pump"].public_id)}, follow=True)
    said = text_of(answer)
    assert "“Priming a pump” is not counted as your work any more." in said
    assert "Not your work, as you said: 1" in said
    assert "Feed pumps" not in said
    undo(mine, answer)
    assert not Disowned.objects.exists()
    assert "Feed pumps" in text_of(mine.get(ME))


def test_what_one_may_not_read_cannot_be_disowned(
    mine: Client, ana: Any, hold: Any, make_person: Callable[..., Any]
) -> None:
    hold("book", [page("secret", "Ana Lima")], [f"person:{make_person('reader').pk}"])
    secret = Resource.objects.get(key="secret")
    for do in ("disown", "own"):
        refused = mine.post(ME, {"do": do, "document": str(secret.public_id)})
        absent = mine.post(ME, {"do": do, "document": str(ana.public_id)})
        assert refused.status_code == absent.status_code == 404
        assert refused.content == absent.content
    assert not Disowned.objects.exists()


BAD: dict[str, tuple[dict[str, str], str, str]] = {
    "zone": ({"do": "about", "about": "kept", "time_zone": "Middle/Earth"}, "Europe/Lisbon", "Middle/Earth"),
    "about": ({"do": "about", "about": "ab" * 5000, "time_zone": ""}, "10,000 characters. Shorten it to 2,000", "abab"),
    "days": (
        {"do": "close", "since": "2027-03-05", "until": "2027-03-01"}, "before the first day", 'value="2027-03-05"'
    ),
    "day": ({"do": "close", "since": "Monday", "until": "2027-03-01"}, "as 2027-03-31", 'value="Monday"'),
    "asks": (
        {"do": "reach", "asks_a_week": "900", "hours_a_week": "7", "prefers": "page", "mail": "daily"}, "0 to 50",
        'value="7"',
    ),
    "hours": (
        {"do": "reach", "asks_a_week": "9", "hours_a_week": "x", "prefers": "page", "mail": "daily"}, "0 to 40",
        'value="9"',
    ),
    "topic": ({"do": "topic", "topic": "?!", "say": "knows"}, "Write the topic in words", "?!"),
    "long topic": ({"do": "topic", "topic": "x" * 81, "say": "knows"}, "at most 80", "x" * 81),
    "what to say": ({"do": "topic", "topic": "Seals", "say": "shout"}, "Nothing was changed", "Seals"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_says_the_cure_and_keeps_what_was_typed(mine: Client, wrote: Any, ana: Any, bad: str) -> None:
    fields, cure, kept = BAD[bad]
    answer = mine.post(ME, fields)
    assert answer.status_code == 200
    assert cure in text_of(answer)
    assert kept in html.unescape(answer.content.decode())
    assert not any(rows.objects.exists() for rows in (OwnTopic, Closed, Availability))
    assert Person.objects.get(pk=ana.pk).about == ana.about


@pytest.mark.parametrize("fields", [{}, {"do": ""}, {"do": "fly"}, {"do": "disown", "document": "7"}])
def test_what_is_no_change_changes_nothing(mine: Client, wrote: Any, fields: dict[str, str]) -> None:
    assert mine.post(ME, fields).status_code in (200, 404)
    assert not Disowned.objects.exists()


def test_it_is_nobody_elses_page(wrote: Any, ana: Any, client: Client, make_person: Callable[..., Any]) -> None:
    assert client.get(ME).status_code == 302
    client.force_login(make_person("reader", name="Some Reader"))
    assert "Priming a pump" not in text_of(client.get(ME))
    client.post(ME, {"do": "disown", "document": str(wrote["pump"].public_id)})
    assert "Priming a pump" in text_of(
        client.get(reverse("experts:person", args=[Person.objects.get(username="ana").public_id]))
    )


def test_it_asks_the_database_a_fixed_number_of_times(mine: Client, ana: Any, hold: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            mine.get(ME)
        return len(queries)

    mine.get(ME)
    hold("book", [page("a", "Ana Lima", topics=("Pumps",))])
    few = asked()
    hold("book", [page(f"p{n}", "Ana Lima", topics=(f"Topic {n}",)) for n in range(40)])
    for n in range(30):
        OwnTopic.objects.create(person=ana, key=f"topic-{n}", name=f"Topic {n}", ask="yes")
    assert asked() == few == 12


def test_days_that_are_over_are_not_listed(mine: Client, ana: Any) -> None:
    today = timezone.localdate()
    Closed.objects.create(person=ana, since=today - timedelta(days=9), until=today - timedelta(days=8))
    assert "Take away" not in text_of(mine.get(ME))
    Closed.objects.create(person=ana, since=today, until=today)
    assert "Take away" in text_of(mine.get(ME))


def test_where_no_mail_is_sent_the_page_says_so(mine: Client, ana: Any, settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "No mail is sent from here" in text_of(mine.get(ME))
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert "No mail is sent" not in text_of(mine.get(ME))
    Person.objects.filter(pk=ana.pk).update(email="")
    assert "No address of yours is known here" in text_of(mine.get(ME))


def test_every_topic_is_there_however_many(mine: Client, ana: Any, hold: Any) -> None:
    hold("book", [page(f"p{n}", "Ana Lima", topics=(f"Topic {n:02}",)) for n in range(30)])
    first, second = (text_of(mine.get(ME, {"topics": number})) for number in (1, 2))
    assert "Page 1 of 2" in first
    assert all((first + second).count(f"Do not ask me about Topic {n:02}") == 1 for n in range(30))
    answer = mine.post(f"{ME}?topics=2", {"do": "topic", "topic": "Topic 29", "say": "no-ask"})
    assert answer["Location"] == f"{ME}?topics=2#topics"
    assert '<form method="post" action="/people/me/?topics=2">' in mine.get(answer["Location"]).content.decode()


def test_what_one_disowned_and_closed_has_pages_or_a_most(mine: Client, ana: Any, hold: Any) -> None:
    hold("book", [page(f"p{n}", title=f"Page {n:02}") for n in range(40)])
    Disowned.objects.bulk_create(Disowned(person=ana, resource=row) for row in Resource.objects.filter(kind="page"))
    pages = [text_of(mine.get(ME, {"not-mine": number})) for number in (1, 2)]
    assert "Not your work, as you said: 40" in pages[0]
    assert all("".join(pages).count(f"It is mine : Page {n:02}") == 1 for n in range(40))
    day = timezone.localdate()
    for n in range(choices.MOST_CLOSED):
        choices.close(person=ana, since=day, until=day + timedelta(days=n))
    choices.close(person=ana, since=day, until=day)
    said = mine.post(ME, {"do": "close", "since": day.isoformat(), "until": (day + timedelta(days=99)).isoformat()})
    assert "Take one away first." in text_of(said)
