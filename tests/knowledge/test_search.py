"""Searching as people do: what is found, by whom, in which order, and what it costs."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connection

from experts.models import Team
from knowledge import actions, durable, index, indexing, ingest, remembered
from knowledge import search as searching
from knowledge.access import Ground, Viewer
from knowledge.documents import Contribution, Document, ResultPage
from knowledge.models import Audience, Resource, Search, Source, SourceGroup, SyncRun
from knowledge.search import search
from tests import small_company

pytestmark = pytest.mark.django_db


def day(year: int, month: int = 1, date: int = 1) -> datetime:
    return datetime(year, month, date, 12, tzinfo=UTC)


ANA = (Contribution("Ana Kovač"),)
HANDBOOK = [
    Document("leave", "Annual leave", "Book your leave in the calendar. Ask your lead first.", topics=("Working time",),
             updated=day(2026, 3)),
    Document("parental", "Parental leave", "Send the form. It is not annual leave.", updated=day(2024)),
    Document("sick", "When you are ill", "Sick leave needs no form. Get well.", updated=day(2025, 6)),
    Document("travel", "Travel", "Book the train yourself. Tickets are paid back.", contributions=ANA,
             updated=day(2026, 3), topics=("Money",)),
    Document("old-travel", "Travel, as it was", "Tickets on paper.", contributions=ANA, updated=day(2025, 12, 31)),
    Document("planner", "Leave planner", "Shows who is away.", kind="tool", updated=day(2023)),
    Document("course", "Leading people on leave", "Half a day.", kind="course", updated=day(2022)),
    Document("ana", "Ana Kovač", "Knows trains.", kind="person", updated=day(2026)),
    Document("code", "Languages", "C++ and node.js are in use.", updated=day(2021)),
]  # fmt: skip
SECRETS = [
    Document("pay", "Leave and pay of the board", "Annual leave is paid twice. Kestrel.", topics=("Board money",)),
    Document("narrow", "Leave of one group", "Annual leave, kestrel.", audience=frozenset({"finance"})),
]


@pytest.fixture(params=["tantivy"])
def engine(request: pytest.FixtureRequest, settings: LazySettings) -> str:
    settings.SEARCH_ENGINE = request.param
    return str(request.param)


@pytest.fixture
def fill(engine: str, settings: LazySettings) -> Callable[..., Source]:
    """Put documents into a source and the index; again with other documents: they are what is left."""
    settings.IMMERSIVE_CONNECTORS = {"told": small_company.CONNECTOR}

    def put(name: str, documents: list[Document], audience: tuple[str, ...] = ("everyone",)) -> Source:
        small_company.ToldConnector.documents[name] = documents
        source = actions.add_source(kind="told", address=name, audience=audience)
        run = SyncRun.objects.create(source=source)
        durable.work(SyncRun.objects, run.pk, ingest.sync)
        run.refresh_from_db()
        assert (run.error, run.failed) == ("", 0)
        indexing.index_changes()
        return source

    return put


@pytest.fixture
def board(db: None) -> Team:
    return Team.objects.create(name="Board", slug="board")


@pytest.fixture
def company(fill: Callable[..., Source], board: Team) -> Source:
    """An open handbook and the board's own papers."""
    handbook = fill("Handbook", HANDBOOK)
    fill("Board papers", SECRETS, audience=(f"team:{board.pk}",))
    return handbook


@pytest.fixture
def ana(make_person: Callable[..., Any]) -> Viewer:
    return Viewer.of(make_person("ana"))


@pytest.fixture
def director(make_person: Callable[..., Any], board: Team) -> Viewer:
    return Viewer.of(make_person("director", teams=(board,)))


def keys(page: ResultPage) -> list[str]:
    return [result.resource.key for result in page.results]


def facets(page: ResultPage, name: str) -> dict[str, int]:
    return {facet.value: facet.count for facet in page.facets[name]}


# What is found --------------------------------------------------------------------------------------------------


def test_a_result_says_where_and_why(company: Source, ana: Viewer) -> None:
    page = search("annual leave", ana)
    first = page.results[0]
    assert first.title == "<mark>Annual leave</mark>"
    assert first.passage.startswith("Book your <mark>leave</mark> in the calendar.")
    assert first.resource.source.name == "Handbook"
    assert {name for name, _ in first.reasons} >= {"title", "body"}
    assert sum(value for _, value in first.reasons) == pytest.approx(first.score)
    assert page.took_ms > 0


@pytest.mark.parametrize("text", ["", "   ", "?!", "-leave", '"', "\x00"])
def test_a_text_without_words_finds_nothing_and_asks_nobody(
    company: Source, ana: Viewer, text: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        page = search(text, ana)
    assert (page.results, page.total, page.pages, page.search_id) == ((), 0, 1, "")


def test_any_text_is_searched_for(company: Source, ana: Viewer) -> None:
    odd = ["x" * 10_000, "leave " * 2_000, "\u202eleave\u200f", '"leave', "[a TO z] ~ leave^3 AND (", "'; drop table"]
    for text in odd:
        search(text, ana)
    assert keys(search('\u202eleave\x00 "planner', ana))[0] == "planner"


# Pages and facets -----------------------------------------------------------------------------------------------


def test_pages_follow_each_other_and_the_nearest_answers_for_one_that_is_not_there(
    fill: Callable[..., Source], ana: Viewer
) -> None:
    fill("Many", [Document(f"{number:02}", "Leave", "x " * number) for number in range(25)])
    pages = [search("leave", ana, page=number) for number in (1, 2, 3)]
    assert [len(page.results) for page in pages] == [10, 10, 5]
    assert len({key for page in pages for key in keys(page)}) == 25
    assert {(page.total, page.pages) for page in pages} == {(25, 3)}
    assert [search("leave", ana, page=number).page for number in (-1, 0, 4, 10**9)] == [1, 1, 3, 3]
    assert len(search("leave", ana, per_page=20).results) == 20


def test_facets_count_what_the_viewer_may_see_and_stay_open_beside_what_is_chosen(company: Source, ana: Viewer) -> None:
    page = search("leave", ana)
    assert facets(page, "kind") == {"page": 3, "tool": 1, "course": 1}
    assert facets(page, "source") == {"handbook": 5}
    assert facets(page, "topic") == {"Working time": 1}
    assert [facet.label for facet in page.facets["source"]] == ["Handbook"]
    narrowed = search("leave kind:tool topic:nothing", ana)
    assert narrowed.total == 0
    assert facets(search("leave kind:tool", ana), "kind") == {"page": 3, "tool": 1, "course": 1}
    assert {facet.value for facet in search("leave kind:tool", ana).facets["kind"] if facet.chosen} == {"tool"}
    assert [(f.value, f.count, f.chosen) for f in narrowed.facets["topic"]] == [("nothing", 0, True)]
    assert facets(search("leave kind:tool", ana), "topic") == {}


# Rights ---------------------------------------------------------------------------------------------------------


def test_nothing_tells_of_what_one_may_not_see(company: Source, ana: Viewer, director: Viewer) -> None:
    assert "pay" in keys(search("kestrel", director))
    assert facets(search("leave", director), "source") == {"handbook": 5, "board-papers": 1}
    for text in ("kestrel", 'source:"Board papers"', "topic:board", '"paid twice"'):
        page, never = search(text, ana), search("zzzunknown", ana)
        assert (page.results, page.total, page.facets["topic"][1:]) == ((), 0, ())
        assert not facets(page, "kind")
        assert (page.pages, page.page) == (never.pages, never.page)
    hidden, unknown = search('source:"Board papers"', ana), search('source:"Lost papers"', ana)
    assert hidden.notice.replace("Board", "Lost") == unknown.notice
    assert unknown.notice == "There is no source named “Lost papers”. Yours are: Handbook."


def test_who_asks_for_no_source_is_told_a_few_of_those_there_are(
    company: Source, ana: Viewer, director: Viewer, make_person: Any
) -> None:
    assert search("leave source:nowhere", director).notice.endswith("“nowhere”. Yours are: Board papers, Handbook.")
    for number in range(9):
        Source.objects.create(
            kind="told", name=f"Shelf {number}", slug=f"shelf-{number}", audience=company.audience, address=f"{number}"
        )
    names = ", ".join(f"Shelf {number}" for number in range(7))
    assert search("leave source:nowhere", ana).notice.endswith(f" Yours are: Handbook, {names}, …")
    Source.objects.update(active=False)
    assert search("leave source:nowhere", ana).notice == "There is no source named “nowhere”."


def test_a_source_s_own_group_reads_what_is_narrowed_to_it(company: Source, director: Viewer) -> None:
    assert "narrow" not in keys(search("kestrel", director))
    papers = Source.objects.get(name="Board papers")
    SourceGroup.objects.create(source=papers, name="finance", token=f"person:{director.person_id}")
    person = Search._meta.get_field("person").related_model.objects.get(pk=director.person_id)
    assert sorted(keys(search("kestrel", Viewer.of(person)))) == ["narrow", "pay"]


def test_somebody_without_any_right_finds_nothing(company: Source) -> None:
    assert search("leave", Viewer(None, frozenset())).total == 0


def test_what_the_index_may_search_is_what_access_says(company: Source, ana: Viewer, director: Viewer) -> None:
    Resource.objects.filter(key="leave").update(audience=Audience.objects.of(["team:0"]))
    for viewer in (ana, director, Viewer(None, frozenset())):
        assert Ground(viewer).scope == viewer.scope()


def test_a_right_withdrawn_is_gone_in_the_next_search_with_the_index_unchanged(company: Source, ana: Viewer) -> None:
    Resource.objects.filter(key="leave").update(audience=Audience.objects.of(["team:0"]))
    page = search("annual leave", ana)
    assert "leave" not in keys(page)
    assert page.total == 4
    Source.objects.filter(name="Handbook").update(active=False)
    assert search("annual leave", ana).total == 0


def test_what_the_database_does_not_confirm_is_replaced_and_not_counted(
    company: Source, ana: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index may be asked a moment before a row is taken away: the last word is the database's."""
    retrieve = searching.retrieve

    def retrieve_then_lose(*args: Any, **options: Any) -> Any:
        found = retrieve(*args, **options)
        Resource.objects.filter(key="leave").delete()
        return found

    before = keys(search("annual leave", ana))
    monkeypatch.setattr(searching, "retrieve", retrieve_then_lose)
    page = search("annual leave", ana, per_page=2)
    assert before[0] == "leave"
    assert keys(page) == before[1:3]
    assert page.total == len(before) - 1


# No index -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["never built", "deleted"])
def test_without_an_index_titles_are_searched_and_the_index_is_asked_for(
    lost: str, company: Source, ana: Viewer, settings: LazySettings, django_capture_on_commit_callbacks: Any
) -> None:
    cache.clear()
    if lost == "deleted":
        shutil.rmtree(settings.INDEX_DIR)
    else:
        settings.INDEX_DIR = settings.INDEX_DIR.with_name("another")
    with django_capture_on_commit_callbacks() as asked:
        page = search("annual leaves kestrel kind:page", ana)
        search("leave", ana)
    assert len(asked) == 1, "asked for once, however many people search"
    found_nothing = Search.objects.count()
    assert search("xylophone", ana).total == 0
    assert Search.objects.count() == found_nothing, "nobody knows yet whether it finds nothing"
    assert "being prepared" in page.notice
    assert keys(page) == ["leave"]
    assert keys(search("leave", ana)) == ["leave", "parental", "planner", "course"]
    assert keys(search("leave -parental kind:page", ana)) == ["leave"]
    assert keys(search('topic:"working time"', ana)) == ["leave"]
    assert keys(search("by:kovač after:2026 source:handbook", ana)) == ["travel"]
    assert keys(search("before:2022", ana)) == ["code"]
    assert "pay" not in keys(search("leave", ana))
    indexing.index_changes()
    assert "being prepared" not in search("leave", ana).notice


# What it costs, and what is remembered --------------------------------------------------------------------------


def test_a_search_asks_the_database_three_questions(
    company: Source, ana: Viewer, django_assert_num_queries: Any
) -> None:
    search("leave", ana)
    with django_assert_num_queries(3):  # sources, what has moved, the page's rows
        page = search("annual leave", ana, remember=False)
        assert page.results[0].resource.source.name
        assert page.results[0].resource.body
    with django_assert_num_queries(2):  # nothing is looked up where nothing was found
        search("zzzunknown", ana, remember=False)


def test_the_first_page_of_a_search_is_remembered_for_its_searcher(company: Source, ana: Viewer) -> None:
    page = search("annual  LEAVE kind:page " + "x" * 400, ana)
    row = Search.objects.get()
    assert row.public_id.hex == page.search_id
    assert (row.person_id, row.total) == (ana.person_id, 3)
    assert row.text == ("annual LEAVE kind:page " + "x" * 400)[:300]
    assert search("leave", ana, page=2, per_page=2).search_id == ""
    assert search("leave", ana, remember=False).search_id == ""
    assert search("leave", Viewer(None, frozenset({"everyone"}))).search_id == ""
    assert Search.objects.count() == 1


def test_a_search_that_cannot_be_remembered_is_a_search_all_the_same(
    company: Source, ana: Viewer, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Viewer(10**6, ana.tokens)
    with caplog.at_level(logging.DEBUG), connection.execute_wrapper(_refuse_searches):
        assert search("annual leave", nobody).total == 5
    assert "not remembered" in caplog.text
    assert "annual" not in caplog.text
    assert Resource.objects.exists(), "the request's transaction is as good as before"


def _refuse_searches(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if "knowledge_search" in sql:
        raise RuntimeError("annual leave may not be written")
    return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_searches_are_written_by_a_thread_of_their_own(
    company: Source,
    ana: Viewer,
    settings: LazySettings,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    searched, write = threading.Event(), remembered.write

    def write_later(rows: list[Search]) -> None:
        # A database in memory, as tests use, cannot be read by one thread while another writes.
        assert searched.wait(10)
        write(rows)

    monkeypatch.setattr(remembered, "write", write_later)
    with django_assert_num_queries(3):
        ids = {search("leave", ana).search_id}
    ids |= {search("travel", ana).search_id for _ in range(30)}
    assert Search.objects.count() == 0
    searched.set()
    assert remembered.memory.flush()
    assert ids == {public_id.hex for public_id in Search.objects.values_list("public_id", flat=True)}
    assert len(ids) == 31


def test_when_the_database_does_not_keep_up_searches_are_forgotten_and_nobody_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    held, written = threading.Event(), []

    def slow(rows: list[Search]) -> None:
        assert held.wait(10)
        written.extend(rows)

    monkeypatch.setattr(remembered, "write", slow)
    monkeypatch.setattr(remembered._Memory, "LARGEST", 5)
    memory = remembered._Memory()
    for number in range(200):
        memory.put(Search(text=f"kestrel {number}"))
    assert not memory.flush(0.01)
    held.set()
    assert memory.flush()
    assert 5 <= len(written) < 200
    assert "not remembered" in caplog.text
    assert "kestrel" not in caplog.text


def test_the_index_is_read_as_it_is_now(company: Source, fill: Callable[..., Source], ana: Viewer) -> None:
    assert search("heron", ana).total == 0
    fill("Handbook", [*HANDBOOK, Document("new", "The heron", "Flies.")])
    assert keys(search("heron", ana)) == ["new"]
    assert index.open_for_reading().count() == len(HANDBOOK) + 1 + len(SECRETS)
