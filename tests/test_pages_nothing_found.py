"""Nothing found is a way on, over HTTP: less asked for, people who know, and being told later."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts.models import Membership, Team
from knowledge import gaps, waiting
from knowledge.documents import Contribution, Document
from knowledge.meaning import looking
from knowledge.meaning.embedding import embed
from knowledge.models import Audience, Resource
from knowledge.waiting import WaitingSearch
from tests import small_company
from tests.meaning import Letters
from tests.small_company import days_ago, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(settings: LazySettings, make_person: Callable[..., Any]) -> dict[str, Any]:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    return {name: make_person(name, name=f"{name.capitalize()} Example") for name in ("ana", "ben", "cleo")}


@pytest.fixture
def company(people: dict[str, Any], django_capture_on_commit_callbacks: Any) -> None:
    ben = Contribution("Ben Example", last=days_ago(20))
    cleo = Contribution("Cleo Example", last=days_ago(2))
    team = Team.objects.create(name="Board", slug="board")
    with django_capture_on_commit_callbacks(execute=True):
        source_of("Handbook", [
            Document("prime", "Priming a pump", "Fill the casing first.", topics=("Feed pumps",), contributions=(ben,)),
            Document("seal", "Changing a seal", "Mark the collar of the pump.", contributions=(ben,)),
            Document("other", "Holidays", "Ask first.", contributions=(cleo,)),
        ])  # fmt: skip
        secret = [
            Document(f"s{n}", "Board paper", "Hidden.", topics=("Xylophones",), contributions=(cleo,)) for n in range(3)
        ]
        source_of("Board papers", secret, audience=[f"team:{team.pk}"])
    Membership.objects.create(person=people["ben"], team=team)
    small_company.index()


@pytest.fixture
def ana(client: Client, people: dict[str, Any], company: None) -> Client:
    client.force_login(people["ana"])
    return client


def page_of(client: Client, query: str) -> str:
    return str(client.get("/search", {"q": query}).content.decode())


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def add_music() -> None:
    source_of("Music", [Document("music", "Tuning", "A xylophone is tuned with a file.")])
    small_company.index()
    WaitingSearch.objects.update(looked_at=timezone.now() - timedelta(hours=1))
    waiting.look()


def test_less_asked_for_is_offered_with_what_was_left_out(ana: Client) -> None:
    page = page_of(ana, "casing kind:tool")
    assert "Without kind: tool there is 1 result " in text_of(page)
    assert "Fill the <mark>casing</mark> first." in page
    assert 'href="/search?q=casing"' in page
    assert "Nothing found for “casing kind:tool” in what you may read." in text_of(page)


def test_people_who_worked_on_what_is_near_are_named(ana: Client) -> None:
    page = text_of(page_of(ana, "pump kind:tool"))
    assert "Ben Example Wrote “Priming a pump” in" in page
    assert "Cleo Example" not in page
    assert "Ben Example Wrote “Priming a pump” in" in text_of(page_of(ana, '"feed pumps" kind:tool'))


def test_nobody_is_named_for_what_the_viewer_may_not_read(ana: Client, people: dict[str, Any]) -> None:
    assert "People who may know" not in page_of(ana, "xylophones")
    ben = Client()
    ben.force_login(people["ben"])
    assert "Cleo Example Wrote or edited 3 pages that you can read" in text_of(page_of(ben, "xylophones kind:tool"))


def test_one_is_told_later_on_ones_own_page_alone(ana: Client, people: dict[str, Any]) -> None:
    assert "Tell me when there is something" in page_of(ana, "xylophone")
    back = ana.post("/search/waiting", {"q": "xylophone"})
    assert (back.status_code, back["Location"]) == (302, "/search?q=xylophone")
    assert "This search waits" in page_of(ana, "xylophone")
    assert "xylophone" in ana.get("/search/waiting").content.decode()
    assert "There is something now" not in ana.get("/").content.decode()
    add_music()
    home = ana.get("/").content.decode()
    assert "There is something now" in home
    assert "xylophone 1 result " in text_of(home)
    other = Client()
    other.force_login(people["ben"])
    assert "There is something now" not in other.get("/").content.decode()
    assert "xylophone" not in other.get("/search/waiting").content.decode()
    row = WaitingSearch.objects.get()
    assert other.post(f"/search/waiting/{row.public_id}/stop").status_code == 404
    assert ana.post(f"/search/waiting/{uuid4()}/stop").status_code == 404
    assert ana.post(f"/search/waiting/{row.public_id}/stop", {"next": "home"})["Location"] == "/"
    assert "There is something now" not in ana.get("/").content.decode()


def test_a_right_withdrawn_is_silent_in_the_next_page(ana: Client) -> None:
    ana.post("/search/waiting", {"q": "xylophone"})
    add_music()
    Resource.objects.filter(key="music").update(audience=Audience.objects.of(["team:0"]))
    assert "There is something now" not in ana.get("/").content.decode()
    assert "You were told" not in ana.get("/search/waiting").content.decode()


@pytest.mark.parametrize("text", ["", "   ", "!!!", "word " * 200])
def test_what_cannot_wait_says_why(ana: Client, text: str) -> None:
    answer = ana.post("/search/waiting", {"q": text}, follow=True).content.decode()
    assert "write a word" in answer or "use fewer words" in answer
    assert not WaitingSearch.objects.exists()


def test_a_hostile_search_stays_text(ana: Client) -> None:
    hostile = 'kind:tool "casing pump" <img src=x onerror=alert(1)>'
    ana.post("/search/waiting", {"q": hostile})
    for page in (page_of(ana, hostile), ana.get("/search/waiting").content.decode()):
        assert "<img" not in page
    assert "&lt;img" in ana.get("/search/waiting").content.decode()


def test_looking_at_the_list_changes_nothing_and_strangers_are_sent_to_sign_in(ana: Client) -> None:
    assert ana.get("/search/waiting", {"q": "xylophone"}).status_code == 200
    assert not WaitingSearch.objects.exists()
    assert Client().get("/search/waiting").status_code == 302
    assert Client().post("/search/waiting", {"q": "xylophone"}).status_code == 302
    assert not WaitingSearch.objects.exists()


def asks(client: Client, query: str) -> int:
    """How often the database is asked for a page of search, but for what is written down of it afterwards."""
    page_of(client, query)
    with CaptureQueriesContext(connection) as asked:
        page_of(client, query)
    kept = [query["sql"] for query in asked if not re.search("SAVEPOINT|^BEGIN|INTO .knowledge_search", query["sql"])]
    return len(kept)


@pytest.mark.parametrize(
    ("query", "times"),
    [("casing kind:tool", 10), ('"casing first fill" kind:tool after:2020 topic:seals', 8), ("xylophone", 8)],
)
def test_a_page_without_results_asks_the_database_a_fixed_number_of_times(ana: Client, query: str, times: int) -> None:
    assert asks(ana, query) == times


def test_news_cost_home_what_confirms_each_and_no_more(ana: Client) -> None:
    for query in ("xylophone", "tuning file"):
        ana.post("/search/waiting", {"q": query})
    ana.get("/")
    with CaptureQueriesContext(connection) as quiet:
        ana.get("/")
    add_music()
    assert ana.get("/").content.decode().count("1 result") == 2
    with CaptureQueriesContext(connection) as asked:
        ana.get("/")
    assert (len(quiet), len(asked)) == (12, 12 + 2 + 2), "the ground of both searches, and what each shows"


def test_while_the_index_is_away_the_page_says_what_was_searched(ana: Client, settings: LazySettings) -> None:
    shutil.rmtree(settings.INDEX_DIR)
    said = text_of(page_of(ana, "casing"))
    assert "Search is being prepared: until it is ready, only titles are searched." in said
    assert "No title that you may read holds “casing”. Try again in a few minutes." in said
    assert "Nothing found for" not in said
    assert (asks(ana, "casing kind:page"), asks(ana, "pump")) == (6, 8)


NEAR = "nehctik eht ni sdnats elttek eht"


@pytest.fixture
def by_meaning(ana: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A page whose letters are those of `NEAR`, and none of whose words are, with an encoder that goes by letters."""
    source_of("Kitchen", [Document("kettle", "Tea", "The kettle stands in the kitchen.")])
    small_company.index()
    encoder = Letters()
    monkeypatch.setattr(looking, "chosen", lambda: encoder)
    embed(encoder=encoder)
    return ana


def test_what_is_near_in_meaning_says_so_and_the_way_on_stays(by_meaning: Client) -> None:
    page = page_of(by_meaning, NEAR)
    said = text_of(page)
    assert "Nothing that you may read holds these words. This is closest in meaning." in said
    assert "The kettle stands in the kitchen. Close in meaning." in said
    assert "Tell me when there is something" in said
    assert "Nothing found for" not in said
    assert asks(by_meaning, NEAR) == 10


def test_what_is_near_inside_filters_says_so_and_what_is_found_without_them(by_meaning: Client) -> None:
    source_of("Words", [Document("words", "A tool", "nehctik", kind="tool")])
    small_company.index()
    said = text_of(page_of(by_meaning, f"{NEAR} kind:page"))
    assert "Nothing that you may read holds these words inside these filters. This is closest in meaning." in said
    assert "Without kind: page there are 2 results " in said
    assert "People who may know" not in said
    assert asks(by_meaning, f"{NEAR} kind:page") == 9


def test_what_is_only_near_ends_no_waiting_and_is_a_gap_unless_it_was_opened(
    by_meaning: Client, people: dict[str, Any]
) -> None:
    by_meaning.post("/search/waiting", {"q": NEAR})
    WaitingSearch.objects.update(looked_at=timezone.now() - timedelta(hours=1))
    assert waiting.look() == 0
    opened = None
    for person in people.values():
        client = Client()
        client.force_login(person)
        link = re.search(r'href="([^"#]+)[^"]*" data-main', page_of(client, NEAR))
        assert link
        opened = client, html.unescape(link[1])
    assert gaps.gather() == 1
    assert opened
    assert opened[0].get(opened[1]).status_code == 200
    assert gaps.gather() == 0, "for one of the three it was near enough"
