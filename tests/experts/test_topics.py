"""Topics and their communities: what a page says of one, to whom, and what hidden documents cannot change."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from experts import choices, communities
from experts.asking.asks import Ask
from experts.communities import Follow
from experts.models import Team
from experts.notices import Notice
from knowledge.access import Viewer
from knowledge.frameworks import import_framework
from knowledge.models import Audience, Resource, Topic
from tests.experts.conftest import page, plain
from tests.small_company import index


@pytest.fixture
def reader(make_person: Callable[..., Any], client: Client) -> Any:
    reader = make_person("reader", name="Some Reader", email="reader@example.org")
    client.force_login(reader)
    return reader


def topic_page(client: Client, key: str) -> str:
    answer = client.get(reverse("experts:topic", args=[key]))
    assert answer.status_code == 200
    return answer.content.decode()


def listing(client: Client, **asked: Any) -> str:
    answer = client.get(reverse("experts:topics"), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def bring_ovens() -> None:
    text = (
        "code,name,description,parent,other names\nF,Ovens,Hot things.,,\nF1,Pumps,They lift.,F,Lifters\nF2,Fans,,F,\n"
    )
    import_framework(data=text.encode(), file_name="a.csv", name="Plant skills", attribution="Invented, CC BY 4.0")


def hide(hold: Any, count: int, *topics: str) -> None:
    team = Team.objects.create(name=f"Board {count}", slug=f"board-{count}")
    hidden = [page(f"h{n}", "Ana Lima", title="Zyxwv plan", topics=topics) for n in range(count)]
    hold(f"hidden {count}", hidden, audience=[f"team:{team.pk}"])


def test_a_topic_has_its_people_pages_tools_and_neighbours(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    bring_ovens()
    hold("Book", [
        page("a", "Ana Lima", title="Priming a pump", topics=("Pumps", "Start-up")),
        page("b", "Ana Lima", title="ValveView", kind="tool", topics=("pumps",)),
        page("c", title="Hydraulics", kind="course", topics=("Pumps",), facts={"duration_minutes": 960}),
        page("d", title="What went wrong at night", kind="lesson", topics=("Pumps",)),
    ])  # fmt: skip
    index()
    html = topic_page(client, "pumps")
    for text in ("<h1>Pumps</h1>", "1 tool", "2 days", "They lift.", "Plant skills. Invented, CC BY 4.0", ">Ana Lima<",
                 "Start-up", "What went wrong at night", ">Ovens<", ">Fans<", "Nobody shows"):  # fmt: skip
        assert text in html, text
    assert html.index("Priming a pump") < html.index("ValveView") < html.index("Hydraulics")
    assert "Ovens" in topic_page(client, "ovens"), "named by a framework alone"
    assert "Nobody else has written about it yet" in topic_page(client, "fans")
    assert topic_page(client, "lifters").count("They lift."), "by another name"


def test_what_is_hostile_is_text(reader: Any, client: Client, hold: Any) -> None:
    hold("Book", [page("a", title="<b onclick=c()>x", topics=("<i>t/é?#",))])
    html = listing(client)
    assert "<i>t" not in html
    key = Topic.objects.get().slug
    link = f'href="/topics/{quote(key)}/"'
    assert link in html
    answer = client.get(f"/topics/{quote(key)}/")
    assert answer.status_code == 200
    assert b"<b onclick" not in answer.content
    assert b"<i>t" not in answer.content
    for odd in ("%00", "a" * 3000, "..", "a%2Fb", "%F0%9F%98%80"):
        assert client.get(f"/topics/{odd}/").status_code == 404
    for odd in ({"q": "\0"}, {"q": "a" * 5000}, {"page": "x"}, {"page": "-3"}):
        assert client.get(reverse("experts:topics"), odd).status_code == 200


def test_a_hidden_topic_is_one_that_never_was(reader: Any, client: Client, hold: Any) -> None:
    hold("Book", [page("a", "Ana Lima", topics=("Pumps",))])
    index()
    addresses = [
        reverse("experts:topics"),
        reverse("experts:topics") + "?q=p",
        reverse("experts:topic", args=["pumps"]),
    ]
    before = [plain(client.get(one).content) for one in addresses]
    never = plain(client.get(reverse("experts:topic", args=["no-such-thing"])).content)
    hide(hold, 20, "PUMPS", "Project Zyxwv", "Pumps beside")
    index()
    assert [plain(client.get(one).content) for one in addresses] == before
    hidden = client.get(reverse("experts:topic", args=["project-zyxwv"]))
    assert hidden.status_code == 404
    assert plain(hidden.content) == never
    assert client.post(reverse("experts:topic-follow", args=["project-zyxwv"]), {"do": "follow"}).status_code == 404
    assert "yxwv" not in listing(client, q="zyxwv").replace('value="zyxwv"', "").replace("with “zyxwv”", "").replace(
        "?q=zyxwv", ""
    )


def test_the_list_begins_with_what_changes_and_finds_the_rest(reader: Any, client: Client, hold: Any) -> None:
    bring_ovens()
    now = timezone.now()
    hold("Book", [
        page("a", topics=("Old thing",), updated=now - timedelta(days=900)),
        page("b", topics=("Alive", "alive and kicking"), updated=now - timedelta(days=2)),
        page("c", topics=("alive",), updated=now - timedelta(days=200)),
        page("d", topics=("Undated",)),
    ])  # fmt: skip
    html = listing(client)
    places = [html.index(f">{name}<") for name in ("Alive", "alive and kicking", "Old thing", "Undated")]
    assert places == sorted(places)
    assert "1 document changed lately" in html
    assert "Old thing" in listing(client, q="OLD")
    assert ">Alive<" not in listing(client, q="old")
    found = listing(client, q="fan")
    assert "No document that you can read" in found
    assert ">Fans<" in found
    assert "Invented, CC BY 4.0" in found
    assert "Fans" not in html, "frameworks alone fill no list"


def test_questions_that_the_viewer_may_see_show_on_their_topic(
    ana: Any, reader: Any, client: Client, hold: Any
) -> None:
    hold("Book", [page("a", topics=("Pumps",))])
    team = Team.objects.create(name="Board", slug="board")
    for text, token in (("Why does it hum?", "everyone"), ("Zyxwv?", f"team:{team.pk}")):
        ask = Ask.objects.create(author=ana, text=text, audience=Audience.objects.of([token]))
        ask.topics.set(Topic.objects.filter(slug="pumps"))
    html = topic_page(client, "pumps")
    assert "Why does it hum?" in html
    assert "Zyxwv" not in html
    Ask.objects.update(closed_at=timezone.now())
    assert "Why does it hum?" not in topic_page(client, "pumps")


def test_following_shows_as_the_follower_chose(ana: Any, reader: Any, client: Client, hold: Any) -> None:
    hold("Book", [page("a", topics=("Pumps",))])
    address = reverse("experts:topic-follow", args=["pumps"])
    assert client.post(address, {"do": "follow"}).headers["Location"] == "/topics/pumps/"
    client.post(address, {"do": "follow"})
    assert Follow.objects.get().shown
    other = Client()
    other.force_login(ana)
    assert "Some Reader" in topic_page(other, "pumps")
    assert "New here" in topic_page(other, "pumps")
    client.post(address, {"do": "hide"})
    assert "Some Reader" not in topic_page(other, "pumps")
    assert "Only you know that you follow this" in topic_page(client, "pumps")
    client.post(address, {"do": "show"})
    choices.Availability.objects.create(person=reader, hidden=True)
    assert "Some Reader" not in topic_page(other, "pumps"), "who is hidden is in no list"
    assert ">Pumps" in listing(client).split("Most active")[0]
    client.post(address, {"do": "stop"})
    assert not Follow.objects.exists()
    assert client.post(address, {"do": "x"}).status_code == 404
    assert client.get(address).status_code == 405
    client.post(address, {"do": "follow"})
    hold("Book", [])
    assert client.post(address, {"do": "follow"}).status_code == 404
    assert client.post(address, {"do": "stop"}).headers["Location"] == "/topics/", "what vanished can still be left"
    assert client.post(address, {"do": "stop"}).status_code == 404


def test_of_a_great_many_followers_the_latest_and_oneself_are_named(
    reader: Any, make_person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Viewer.of(reader)
    communities.follow(person=reader, key="pumps", name="Pumps", shown=False)
    for n in range(4):
        communities.follow(person=make_person(f"p{n}", name=f"Person {n}"), key="pumps", name="Pumps")
    found = communities.members("pumps", viewer, count=2)
    assert ([one.person.username for one in found.latest], found.total) == (["reader", "p3"], "5")
    assert found.mine
    monkeypatch.setattr(communities, "COUNTED", 4)
    assert communities.members("pumps", viewer, count=2).total == "more than 4"
    assert communities.members("seals", viewer).total == ""


def test_a_follower_sees_what_is_new_and_is_told_once_a_day(
    ana: Any, reader: Any, client: Client, hold: Any, committed: Any
) -> None:
    first = page("a", title="Priming", topics=("Pumps",), updated=timezone.now() - timedelta(days=30))
    hold("Book", [first])
    client.post(reverse("experts:topic-follow", args=["pumps"]), {"do": "follow"})
    viewer = Viewer.of(reader)
    assert communities.tell_news() == 0
    earlier = timezone.now() - timedelta(days=3)
    Follow.objects.update(visited_at=earlier, at=earlier, look_at=earlier)
    Resource.objects.update(first_seen_at=earlier - timedelta(days=1))
    assert communities.tell_news() == 0
    hold("News", [page("b", title="A new seal", topics=("pumps",), updated=timezone.now())])
    team = Team.objects.create(name="Board", slug="board")
    hold("Hidden", [page("c", title="Zyxwv", topics=("Pumps",), updated=timezone.now())], audience=[f"team:{team.pk}"])
    assert communities.tell_news() == 0, "it was looked up this hour"
    soon = timezone.now() + communities.EVERY
    assert communities.tell_news(soon) == 1
    assert communities.tell_news(soon) == 0, "at most once a day"
    Follow.objects.update(look_at=earlier)
    assert communities.tell_news(soon) == 0, "whatever caused another look"
    assert Notice.objects.get(person=reader).subject == reader.public_id

    def told() -> str:
        return "".join(f"{said.text} {said.url}" for said in communities.told(viewer, [reader.public_id]).values())

    assert told() == "New on Pumps (1 document) /topics/pumps/"
    assert "1 new" in listing(client)
    html = topic_page(client, "pumps")
    assert "New since your last visit" in html
    assert "A new seal" in html
    assert "Zyxwv" not in html
    assert "New since" not in topic_page(client, "pumps")
    assert told() == "", "what was seen is not told"
    Follow.objects.update(visited_at=earlier)
    assert told()
    Resource.objects.filter(title="A new seal").update(audience=Audience.objects.of([f"team:{team.pk}"]))
    assert told() == "", "a right that was withdrawn is silent"
    assert communities.tell_news(timezone.now() + timedelta(days=2)) == 0


def test_every_follower_has_their_turn_in_runs_that_are_cut_short_or_fail(
    make_person: Any, hold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold("Book", [page("a", topics=("Pumps", "Seals"))])
    people = [make_person(f"p{n}", name=f"Person {n}") for n in range(3)]
    for person in people:
        for key in ("pumps", "seals"):
            communities.follow(person=person, key=key, name=key)
    then = timezone.now() - timedelta(days=1)
    Follow.objects.update(visited_at=then, look_at=then)
    fresh = communities.fresh

    def broken(follows: Any, viewer: Viewer, **more: Any) -> Any:
        if viewer.person_id == people[1].pk:
            raise OSError("a disk")
        return fresh(follows, viewer, **more)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(communities, "fresh", broken)
        assert [communities.tell_news(seconds=0) for _ in range(4)] == [1, 0, 1, 0]
    assert communities.tell_news(timezone.now() + communities.EVERY) == 1
    assert set(Notice.objects.values_list("person", flat=True)) == {one.pk for one in people}


def test_a_followed_topic_that_is_hidden_now_is_named_nowhere(reader: Any, client: Client, hold: Any) -> None:
    source = hold("Book", [page("a", topics=("Zyxwv",))])
    client.post(reverse("experts:topic-follow", args=["zyxwv"]), {"do": "follow"})
    assert "Zyxwv" in listing(client)
    type(source).objects.filter(pk=source.pk).update(active=False)
    assert "Zyxwv" not in listing(client)


def test_questions_to_the_database_do_not_grow(
    ana: Any, reader: Any, client: Client, hold: Any, make_person: Any
) -> None:
    bring_ovens()
    counts = []
    for many in (3, 40):
        hold("book", [page(f"a{n}", "Ana Lima", topics=(f"t{n}", "Pumps", "all")) for n in range(many)])
        for n in range(many):
            person = make_person(f"p{many}-{n}", name=f"Person {n}")
            communities.follow(person=person, key="pumps", name="Pumps")
            communities.follow(person=reader, key=f"t{n}", name=f"t{n}")
        index()
        communities.follow(person=reader, key="pumps", name="Pumps")
        asked = []
        for where in (
            reverse("experts:topics"),
            reverse("experts:topics") + "?q=t",
            reverse("experts:topic", args=["pumps"]),
        ):
            Follow.objects.update(visited_at=timezone.now() - timedelta(hours=1))
            with CaptureQueriesContext(connection) as context:
                assert client.get(where).status_code == 200
            asked.append(len(context))
        counts.append(asked)
    assert counts[0] == counts[1], counts
    assert max(counts[0]) <= 22, counts


def test_topics_are_offered_while_one_types(reader: Any, client: Client, hold: Any) -> None:
    bring_ovens()
    hold("Book", [page("a", topics=("Pump <rooms>",))])
    hide(hold, 1, "Pump secrets")
    html = client.get(reverse("experts:topics-suggest"), {"topic": "pum"}).content.decode()
    assert '<option value="Pump &lt;rooms&gt;"></option>' in html
    assert '<option value="Pumps">Plant skills</option>' in html
    assert "secrets" not in html
    for address in ("experts:me", "experts:build-team", "experts:mentoring"):
        html = client.get(reverse(address)).content.decode()
        lists = re.findall(r'list="([^"]+)"', html)
        assert lists, address
        assert lists == re.findall(r'<datalist id="([^"]+)">', html)
        assert len(set(lists)) == len(lists)
    for odd in ("a" * 9000, "abc\0", "\0"):
        assert client.get(reverse("experts:topics-suggest"), {"q": odd}).status_code == 200
    assert client.get(reverse("experts:topics-suggest")).content.strip() == b""
