"""Where a newcomer begins: who and what first, by whose use, and what stays theirs alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from experts import choices, welcome
from experts.models import Membership, Person, Team
from experts.welcome import Met
from knowledge.access import Viewer
from knowledge.models import Click, Resource, Search, Verification
from knowledge.standing import LEAST, among
from tests.experts.conftest import page, plain

PAGE = "experts:welcome"


@pytest.fixture
def newcomer(ana: Any, make_person: Callable[..., Any], client: Client) -> Any:
    """New today in Ana's team, who has been there for years."""
    Membership.objects.update(since=timezone.now() - timedelta(days=900))
    person = make_person("nia", name="Nia New", role="engineer", teams=(Team.objects.get(name="Pumps"),), manager=ana)
    client.force_login(person)
    return person


def shown(client: Client, **asked: Any) -> str:
    answer = client.get(reverse(PAGE), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def opened(person: Any, resource: Any) -> None:
    search = Search.objects.create(person=person, text="x", total=1)
    Click.objects.create(search=search, resource=resource, rank=1, **among(resource))


def test_people_pages_tools_and_topics_of_the_team_come_first(
    newcomer: Any, ana: Any, client: Client, hold: Any, make_person: Callable[..., Any]
) -> None:
    team = Team.objects.get(name="Pumps")
    make_person("ben", name="Ben Okafor", role="Planner", teams=(team,))
    make_person("gil", name="Gil Elsewhere", role="Engineer")
    make_person("zoe", name="Zoe Stranger", role="Lawyer")
    hold("Book", [
        page("a", "Ana Lima", title="Priming a pump", topics=("Pumps", "Start-up")),
        page("b", "Ana Lima", "Ben Okafor", title="Shift rules", topics=("Pumps",)),
        page("c", "Zoe Stranger", title="Contracts", topics=("Law",)),
        page("d", title="ValveView", kind="tool", topics=("pumps",)),
        page("e", title="Lawbox", kind="tool", topics=("Law",)),
        page("f", "Gil Elsewhere", title="Elsewhere", topics=("Fans",)),
    ])  # fmt: skip
    verified = Resource.objects.get(title="Priming a pump")
    Verification.objects.create(resource=verified, owner=ana, until=date(2099, 1, 1))
    html = shown(client)
    for text in ("Where to begin in Pumps", "Your manager. Does the same work as you. Works on Pumps and Start-up",
                 "Written by Ana Lima and Ben Okafor", "Verified by Ana Lima", "For Pumps", "2 documents of your team",
                 "what your colleagues wrote or verified and you can read"):  # fmt: skip
        assert text in html, text
    people = [html.index(f">{name}</a>") for name in ("Ana Lima", "Ben Okafor", "Gil Elsewhere")]
    assert people == sorted(people)
    assert html.index("Shift rules") < html.index("Priming a pump"), "what more of the team wrote comes first"
    for text in ("Zoe Stranger", "Contracts", "Lawbox", "Elsewhere</a></p>"):
        assert text not in html
    choices.OwnTopic.objects.create(person=ana, key="start-up", name="Start-up", hidden=True)
    html = shown(client)
    assert "Verified by Ana Lima" not in html, "nobody is named for what they keep to themselves"
    assert "Works on Pumps and Start-up" not in html
    assert "Written by Ana Lima and Ben Okafor" in html
    choices.Availability.objects.create(person=Person.objects.get(username="ben"), hidden=True)
    assert "Ben Okafor" not in shown(client), "who is hidden is proposed to nobody"


def test_use_counts_from_five_team_mates_on_and_in_an_order_alone(
    newcomer: Any, ana: Any, client: Client, hold: Any, make_person: Callable[..., Any]
) -> None:
    team = Team.objects.get(name="Pumps")
    hold("Book", [page("a", "Ana Lima", title="Priming a pump"), page("b", title="Holiday calendar")])
    calendar = Resource.objects.get(title="Holiday calendar")
    mates = [make_person(f"m{n}", name=f"Mate {n}", teams=(team,)) for n in range(LEAST)]
    before = shown(client)
    for mate in mates[:-1]:
        for _ in range(6):
            opened(mate, calendar)
    assert plain(shown(client).encode()) == plain(before.encode()), "four colleagues are told by nothing"
    opened(newcomer, calendar)
    assert "Holiday calendar" not in shown(client), "one's own use is not the team's"
    opened(mates[-1], calendar)
    html = shown(client)
    assert html.index("Holiday calendar") < html.index("Priming a pump")
    assert "In the order in which your team uses things" in html
    assert "Your team uses it" in html
    nobody = Team.objects.create(name="Board", slug="board")
    Resource.objects.filter(pk=calendar.pk).update(audience=type(calendar.audience).objects.of([f"team:{nobody.pk}"]))
    assert plain(shown(client).encode()) == plain(before.encode()), "what may not be read is not there"


def test_hidden_documents_change_no_byte(newcomer: Any, client: Client, hold: Any) -> None:
    hold("Book", [page("a", "Ana Lima", title="Priming a pump", topics=("Pumps",))])
    before = plain(shown(client).encode())
    team = Team.objects.create(name="Board", slug="board")
    hold("Hidden", [page(f"h{n}", "Ana Lima", title="Zyxwv", topics=("PUMPS", "Zyxwv")) for n in range(20)],
         audience=[f"team:{team.pk}"])  # fmt: skip
    assert plain(shown(client).encode()) == before


def test_what_is_ticked_off_is_its_owners_alone(newcomer: Any, ana: Any, client: Client, hold: Any) -> None:
    hold("Book", [page("a", "Ana Lima", title="Priming a pump", topics=("Pumps",))])
    row = Resource.objects.get()
    for kind, subject in (("resource", row.public_id.hex), ("person", ana.public_id.hex), ("topic", "pumps")):
        answer = client.post(reverse("experts:met"), {"kind": kind, "subject": subject, "met": "yes"})
        assert answer.headers["Location"] == f"{reverse(PAGE)}#{kind}s"
    html = shown(client)
    assert html.count('aria-pressed="true"') == 3
    assert "You have met all of it." in html
    client.post(reverse("experts:met"), {"kind": "topic", "subject": "pumps", "met": "no"})
    assert shown(client).count('aria-pressed="true"') == 2
    other = Client()
    other.force_login(ana)
    assert 'aria-pressed="true"' not in other.get(reverse(PAGE)).content.decode()
    assert Met.objects.visible_to(Viewer.of(ana)).count() == 0
    for odd in (
        {"kind": "x", "subject": "y"},
        {"kind": "topic", "subject": "y" * 81},
        {"kind": "topic", "subject": "a\0"},
        {},
    ):
        assert client.post(reverse("experts:met"), odd).status_code == 404


def test_it_is_offered_to_who_is_new_where_others_were_before(
    newcomer: Any, ana: Any, make_person: Callable[..., Any]
) -> None:
    assert welcome.is_new(Viewer.of(newcomer))
    assert not welcome.is_new(Viewer.of(ana))
    Membership.objects.filter(person=ana).update(since=timezone.now() - timedelta(days=2))
    assert not welcome.is_new(Viewer.of(newcomer)), "where all joined at once nobody is new"
    assert not welcome.is_new(Viewer.of(make_person("solo")))
    assert not welcome.is_new(Viewer.of(None))


def test_who_is_in_no_team_or_in_several_has_a_page(
    newcomer: Any, client: Client, make_person: Callable[..., Any], hold: Any
) -> None:
    other = Team.objects.create(name="Fans", slug="fans")
    Membership.objects.create(person=newcomer, team=other, since=timezone.now() - timedelta(days=400))
    html = shown(client, team=str(other.public_id))
    assert "Where to begin in Fans" in html
    assert "Where to begin in Pumps" in shown(client, team="nonsense")
    foreign = Team.objects.create(name="Board", slug="board")
    assert "Board" not in shown(client, team=str(foreign.public_id)), "only one's own"
    client.force_login(make_person("solo", name="So Lo"))
    assert "You are in no team yet" in shown(client)
    assert "nothing here yet" in shown(client)
    hold("Book", [page("a", title="Priming", topics=("Pumps",))])
    assert "Much changes here lately" in shown(client)


def test_of_a_great_many_colleagues_the_manager_is_there_and_who_was_there_longest(
    newcomer: Any, ana: Any, make_person: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome, "MATES", 2)
    old, _later = (make_person(f"m{n}", name=f"Mate {n}", teams=(Team.objects.get(name="Pumps"),)) for n in range(2))
    Membership.objects.filter(person=old).update(since=timezone.now() - timedelta(days=1000))
    make_person("like", name="Like Her", role="engineer")
    found = welcome.welcome(Viewer.of(newcomer)).people
    assert [entry.thing for entry in found] == [ana, old]


def test_questions_to_the_database_do_not_grow(
    newcomer: Any, client: Client, hold: Any, make_person: Callable[..., Any]
) -> None:
    team, counts = Team.objects.get(name="Pumps"), []
    for many in (6, 30):
        for n in range(many):
            make_person(f"p{many}-{n}", name=f"Person {many} {n}", role="Engineer", teams=(team,))
        hold("Book", [page(f"a{n}", f"Person {many} {n}", topics=(f"t{n}", "all"), kind=kind)
                      for n in range(many) for kind in ("page",)])  # fmt: skip
        with CaptureQueriesContext(connection) as context:
            shown(client)
        counts.append(len(context))
    assert counts[0] == counts[1], counts
    assert counts[0] <= 20, counts
