"""The pages and the API of people, as browsers and programs get them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from experts import actions, choices
from experts.models import Ask, Person, Team, Turn
from knowledge.documents import Contribution
from knowledge.models import Audience, Source
from tests import small_company
from tests.experts.conftest import MAY, page, plain
from tests.experts.test_people_source import hide_twenty


@pytest.fixture
def reader(make_person: Callable[..., Any], client: Client) -> Any:
    reader = make_person("reader", name="Some Reader", email="reader@example.org")
    client.force_login(reader)
    return reader


def page_of(client: Client, person: Any, **query: Any) -> str:
    answer = client.get(reverse("experts:person", args=[person.public_id]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def api_of(client: Client, person: Any) -> Any:
    answer = client.get(reverse("api-person", args=[person.public_id]))
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_the_page_tells_who_this_is_and_what_they_wrote(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    hold("Book", [
        page("a", Contribution("x", "ana@example.org", share=0.6), title="Priming a pump", topics=("Pumps",)),
        page("b", "Ana Lima", title="ValveView", kind="tool"),
    ], trusts_emails=True)  # fmt: skip
    html = page_of(client, ana)
    for text in ("Ana Lima", "Engineer, Porto", "Operations / Pumps", "Listens to pumps.", "Priming a pump",
                 "Wrote 60 % of it", "Tool in Book", "Known by name only", "1 page and 1 tool",
                 "?q=by%3A%22Ana%20Lima%22"):  # fmt: skip
        assert text in html
    wrote = html[html.index("Wrote or edited</h2>") :]
    assert wrote.index("ValveView") < wrote.index("Priming a pump"), "newest first, without a date last"
    assert "ana@example.org" not in html


def test_what_is_hostile_is_text(reader: Any, client: Client, make_person: Any, hold: Any) -> None:
    evil = make_person("evil", name='<img src=x onerror=a()>"&', about="<script>b()</script>", role="</title>{{ 7 }}")
    hold("book", [page("a", evil.name, title="<b onclick=c()>x", topics=("<i>t",))])
    for html in (page_of(client, evil), client.get(reverse("experts:people")).content.decode()):
        assert "&lt;img src=x" in html
        for tag in ("<img", "<script>b", "<b onclick", "<i>t", "</title>{"):
            assert tag not in html
    assert "by%3A%22%3Cimg%20src%3Dx%20onerror%3Da%28%29%3E%20%26%22" in page_of(client, evil)


def test_nobody_who_never_was_looks_like_who_left(ana: Any, reader: Any, client: Client) -> None:
    actions.deactivate(people=[ana])
    for name in ("experts:person", "api-person"):
        left, never = (client.get(reverse(name, args=[one])) for one in (ana.public_id, uuid4()))
        assert left.status_code == never.status_code == 404
        assert plain(left.content) == plain(never.content)
        assert {k: v for k, v in left.headers.items() if k != "Content-Length"} == {
            k: v for k, v in never.headers.items() if k != "Content-Length"
        }
    assert "Ana Lima" not in client.get(reverse("experts:people")).content.decode()


def test_people_are_seen_by_those_who_may_read_the_people_source(
    ana: Any, reader: Any, client: Client, read_people: Any, make_person: Any
) -> None:
    """The pages and the API obey the source as search does; without such a source everybody signed in sees people."""
    places = [reverse(name, args=[ana.public_id]) for name in ("experts:person", "api-person")]

    def seen() -> tuple[bool, ...]:
        listed = "Ana Lima" in client.get(reverse("experts:people")).content.decode()
        return (listed, *(client.get(place).status_code == 200 for place in places))

    assert seen() == (True, True, True)
    read_people()
    assert seen() == (True, True, True)
    source = Source.objects.get(kind="people")
    team = Team.objects.get(name="Pumps")
    Source.objects.filter(pk=source.pk).update(audience=Audience.objects.of([f"team:{team.pk}"]))
    assert seen() == (False, False, False)
    never = client.get(reverse("experts:person", args=[uuid4()]))
    assert plain(client.get(places[0]).content) == plain(never.content)
    own = client.get(reverse("experts:person", args=[reader.public_id]))
    assert own.status_code == 200, "one's own page stays one's own"
    client.force_login(make_person("member", teams=(team,)))
    assert seen() == (True, True, True)
    make_person("newcomer", name="New Comer")
    assert "New Comer" in client.get(reverse("experts:people")).content.decode()
    Source.objects.filter(pk=source.pk).update(active=False)
    assert seen() == (False, False, False), "people were taken out"
    client.logout()
    assert seen() == (False, False, False)


def test_strangers_are_sent_to_sign_in(ana: Any, client: Client) -> None:
    for address in (reverse("experts:people"), reverse("experts:person", args=[ana.public_id])):
        assert client.get(address).headers["Location"].startswith(reverse("sign-in"))
    assert client.get(reverse("api-person", args=[ana.public_id])).status_code == 403
    assert client.get(reverse("api-person", args=[uuid4()])).status_code == 403


def test_twenty_hidden_documents_change_no_byte(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    hold("book", [page(f"a{n}", "Ana Lima", topics=("Pumps",)) for n in range(19)])
    addresses = [
        reverse("experts:people"),
        reverse("experts:person", args=[ana.public_id]),
        reverse("experts:person", args=[ana.public_id]) + "?page=2",
        reverse("api-person", args=[ana.public_id]),
    ]
    before = [plain(client.get(address).content) for address in addresses]
    hide_twenty(hold, Team.objects.get(name="Pumps"))
    assert [plain(client.get(address).content) for address in addresses] == before
    client.force_login(ana)
    assert "27 pages that you can read" in page_of(client, ana), "a member reads the team's eight pages"
    assert "zyxwv" in api_of(client, ana)["topics"]


def test_questions_to_the_database_do_not_grow(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    counts = []
    for documents in (3, 60):
        hold("book", [page(f"a{n}", "Ana Lima", topics=(f"t{n}", "all")) for n in range(documents)])
        for number in range(documents):
            Person.objects.get_or_create(username=f"p{number}", defaults={"name": f"Person {number}"})
        asked = []
        for address in ("experts:person", "api-person", "experts:people"):
            where = reverse(address, args=[] if address.endswith("people") else [ana.public_id])
            with CaptureQueriesContext(connection) as context:
                assert client.get(where).status_code == 200
            asked.append(len(context))
        counts.append(asked)
    assert counts == [[19, 8, 7]] * 2, counts


def test_the_list_is_by_team_and_by_name(ana: Any, reader: Any, client: Client, make_person: Any) -> None:
    other = Team.objects.create(name="Accounts", slug="accounts")
    make_person("zoe", name="Özlem Ünal", teams=(other, Team.objects.get(name="Pumps")))
    html = client.get(reverse("experts:people")).content.decode()
    order = [html.index(f">{text}<") for text in ("Accounts", "Özlem Ünal", "Pumps", "Ana Lima", "In no team")]
    assert order == sorted(order)
    assert html.count(">Özlem Ünal<") == 1
    for text, names in (("özlem", {"Özlem Ünal"}), ("LIM", {"Ana Lima"}), ("%", set()), ("reader@", set())):
        html = client.get(reverse("experts:people"), {"q": text}).content.decode()
        assert {n for n in ("Özlem Ünal", "Ana Lima", "Some Reader") if f'">{n}</a>' in html} == names, text
    assert "Nobody here has “x&lt;y”" in client.get(reverse("experts:people"), {"q": "x<y"}).content.decode()
    for odd in ({"q": "\0"}, {"q": "a" * 5000}, {"page": "-7"}, {"page": "x"}):
        assert client.get(reverse("experts:people"), odd).status_code == 200


def test_the_box_takes_what_somebody_should_know(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    def about(text: str) -> str:
        with CaptureQueriesContext(connection) as context:
            html = client.get(reverse("experts:people"), {"q": text}).content.decode()
        counts.append(len(context))
        return html

    counts: list[int] = []
    hold("book", [page("a", "Ana Lima", title="Priming a feed pump")])
    small_company.index()
    html = about("how do I prime a pump")
    assert "Who knows about “how do I prime a pump”" in html
    assert "Wrote “Priming a feed pump”" in html
    assert f"to={ana.public_id}" in html, "she can be asked from here"
    assert "Who knows about" not in about("") + about("zeppelins")
    hide_twenty(hold, Team.objects.get(name="Pumps"))
    small_company.index()
    assert plain(about("how do I prime a pump").encode()) == plain(html.encode()), "hidden documents change no byte"
    assert max(counts) - counts[1] <= 9, counts  # the search asks six, the finder three


def test_long_lists_have_pages_that_keep_the_filter(reader: Any, client: Client) -> None:
    Person.objects.bulk_create(Person(username=f"p{n}", name=f"Person {n:03} & Co") for n in range(130))
    html = client.get(reverse("experts:people"), {"q": "& Co"}).content.decode()
    assert html.count("person-name") == 60
    assert "?q=%26%20Co&amp;page=2" in html
    html = client.get("/people/?q=%26%20Co&page=3").content.decode()
    assert html.count("person-name") == 10


def test_long_evidence_has_pages(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    hold("book", [page(f"a{n}", "Ana Lima", title=f"Title {n:02}") for n in range(45)])
    assert [page_of(client, ana, page=n).count("row-title") for n in (1, 2, 3)] == [20, 20, 5]
    assert "45 pages" in page_of(client, ana, page=3)


def test_the_clock_there_is_told_where_it_is_known(ana: Any, reader: Any, client: Client) -> None:
    for zone, told in (("Asia/Tokyo", True), ("UTC", False), ("Nowhere/Land", False), ("../etc", False), ("", False)):
        Person.objects.filter(pk=ana.pk).update(time_zone=zone)
        assert (" there</span>" in page_of(client, ana)) is told, zone


def test_the_api_tells_what_the_page_tells(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    hold("Book", [page("a", "Ana Lima", title="Priming a pump", topics=("Pumps", "Start-up"))])
    told = api_of(client, ana)
    [piece] = told.pop("evidence")
    assert told == {
        "id": str(ana.public_id), "name": "Ana Lima", "role": "Engineer", "teams": ["Operations / Pumps"],
        "location": "Porto", "topics": ["Pumps", "Start-up"],
    }  # fmt: skip
    assert piece.pop("resource") in client.get(reverse("experts:person", args=[ana.public_id])).content.decode()
    assert piece == {"title": "Priming a pump", "share": 1.0, "last": "2026-05-04T12:00:00Z", "by_name": True}


def test_the_schema_describes_the_answer(reader: Any, client: Client) -> None:
    schema = client.get(reverse("schema"), {"format": "json"}).json()
    told = schema["paths"]["/api/v1/people/{public_id}"]["get"]
    assert schema["openapi"].startswith("3.1")
    assert set(told["responses"]) >= {"200", "404"}
    fields = schema["components"]["schemas"]["Person"]["properties"]
    assert set(fields) == {"id", "name", "role", "teams", "location", "topics", "evidence"}


def test_the_page_tells_how_well_and_what_shows_it(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    old = Contribution("Ana Lima", last=MAY.replace(year=2023))
    hold("book", [
        *(page(f"a{n}", Contribution("Ana Lima", last=timezone.now()), topics=("Pumps",)) for n in range(6)),
        page("old", old, title="Of seals", topics=("Seals",)),
    ])  # fmt: skip
    small_company.index()
    choices.say_of_topic(person=ana, name="Welding", knows=True, ask="yes")
    said = text_of(page_of(client, ana))
    assert "Pumps Deeply Wrote or edited 6 pages that you can read" in said
    assert re.search(r"Seals Learning Wrote “Of seals” in May 2023\. May 2023, fading", said)
    assert "Welding Says so" in said
    assert "Glad to be asked about it" in said


def test_time_is_told_of_those_alone_who_show_it(ana: Any, reader: Any, client: Client) -> None:
    assert "Time for others" not in page_of(client, ana)
    choices.choose(person=ana, asks_a_week=2, hours_a_week=1, prefers="call")
    said = text_of(page_of(client, ana))
    assert "Best by A call" in said
    assert "this week" not in said
    choices.choose(person=ana, shows_time=True)
    assert "2 of 2 questions left this week" in text_of(page_of(client, ana))
    ask = Ask.objects.create(author=reader, text="Why?", audience=Audience.objects.of({"everyone"}))
    Turn.objects.create(ask=ask, person=ana)
    said = text_of(page_of(client, ana))
    assert "1 of 2 questions left this week" in said
    assert "Gives 1 hour a week" in said
    Turn.objects.update(at=timezone.now() - timedelta(days=8))
    assert "2 of 2 questions left this week" in text_of(page_of(client, ana))
    choices.close(person=ana, since=timezone.localdate(), until=timezone.localdate() + timedelta(days=2))
    assert "Next free" in page_of(client, ana)


def test_others_who_know_almost_the_same_stand_beside(
    ana: Any, reader: Any, client: Client, hold: Any, make_person: Callable[..., Any]
) -> None:
    make_person("ben", name="Ben Okafor")
    hold("book", [page("a", "Ana Lima", topics=("Pumps",)), page("b", "Ben Okafor", topics=("Pumps",))])
    small_company.index()
    html = page_of(client, ana)
    alike = html[html.index("People who know the same") :]
    assert "Ben Okafor" in alike
    assert alike.count('class="person"') == 1, "nobody is almost like themselves"


def test_one_sees_ones_own_page_though_hidden(ana: Any, reader: Any, client: Client) -> None:
    choices.hide(person=ana)
    assert client.get(reverse("experts:person", args=[ana.public_id])).status_code == 404
    client.force_login(ana)
    assert "Only you see this page." in page_of(client, ana)
    assert "Ask Ana" not in page_of(client, ana)


def test_a_page_looks_up_no_more_topics_however_many_somebody_claims(
    ana: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experts import finder

    searches: list[Any] = []
    real = finder.retrieve
    monkeypatch.setattr(finder, "retrieve", lambda *said, **more: searches.append(said) or real(*said, **more))
    claims = (choices.OwnTopic(person=ana, key=f"thing-{at}", name=f"Thing {at}", knows=True) for at in range(60))
    choices.OwnTopic.objects.bulk_create(claims)
    client.force_login(ana)
    html = client.get(ana.get_absolute_url()).content.decode()
    assert "Thing 59" in html
    assert len(searches) < 20
