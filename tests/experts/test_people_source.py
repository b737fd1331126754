"""People as documents: the connector's contract, and that nothing hidden ever shows in what everyone may search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from experts import actions
from experts.connector import PeopleConnector
from experts.models import Membership, Person, Team, one_line
from knowledge.access import Viewer
from knowledge.connectors import Known, Unchanged
from knowledge.documents import EVERYONE, Document
from knowledge.indexing import index_changes
from knowledge.models import Audience, Resource, Source, SyncRun
from knowledge.search import search
from tests.contracts.connectors import ConnectorContract, Place
from tests.experts.conftest import page


class Company(Place):
    """People in the database."""

    def connector(self) -> PeopleConnector:
        return PeopleConnector("", {})

    def missing(self) -> PeopleConnector:
        return PeopleConnector("elsewhere.example.org", {})

    def put(self, name: str, title: str, text: str) -> None:
        Person.objects.update_or_create(username=name, defaults={"name": title[:200], "about": text, "is_active": True})

    def remove(self, name: str) -> None:
        Person.objects.filter(username=name).update(is_active=False)


@pytest.mark.django_db
class TestPeopleConnector(ConnectorContract):
    @pytest.fixture
    def place(self, db: None) -> Company:
        return Company()


@pytest.fixture
def reader(make_person: Callable[..., Any]) -> Any:
    return make_person("reader", name="Some Reader")


def index() -> None:
    while index_changes():
        pass


def found(text: str, user: Any) -> tuple[int, list[str], dict[str, int]]:
    """Total, titles and topic counts that a search answers."""
    told = search(text, Viewer.of(user), remember=False)
    return told.total, [hit.resource.title for hit in told.results], {f.value: f.count for f in told.facets["topic"]}


def test_a_person_says_role_team_and_what_they_wrote(ana: Any, hold: Any, read_people: Any) -> None:
    hold("book", [page("a", "Ana Lima", title="Priming a pump", topics=("Pumps", "Start-up"))])
    row = read_people()["Ana Lima"]
    assert (row.kind, row.key, row.url) == ("person", ana.public_id.hex, "")
    assert row.body.splitlines()[0] == "Engineer, Operations / Pumps, Porto"
    assert "Listens to pumps.\n\nAnd to people." in row.body
    assert row.body.endswith("Topics: Pumps, Start-up.\n\nWrote or edited:\n- Priming a pump")
    assert {topic.name for topic in row.topics.all()} == {"Pumps", "Start-up"}
    assert row.facts == {
        "person": str(ana.public_id), "role": "Engineer", "team": "Operations / Pumps", "initials": "AL",
        "location": "Porto", "topics": ["Pumps", "Start-up"],
    }  # fmt: skip
    assert "ana@" not in f"{row.body} {row.facts}"


def test_a_sync_elsewhere_has_people_read_again_soon(ana: Any, hold: Any, read_people: Any) -> None:
    read_people()
    hold("book", [page("a", "Ana Lima", title="Priming a pump")])
    hold("more", [page("b", "Ana Lima", title="Bleeding a pump")])
    [run] = SyncRun.objects.filter(source__kind="people", done_at=None)
    assert run.due_at > run.created_at, "several syncs are gathered"
    assert "Bleeding" in read_people()["Ana Lima"].body
    assert not SyncRun.objects.filter(done_at=None).exists(), "reading people must not ask for itself again"


def hide_twenty(hold: Any, team: Team) -> None:
    """Twenty documents by Ana that not everyone may read, in each of the ways in which that can be."""
    secret = {"title": "zyxwv", "topics": ("zyxwv",), "body": "zyxwv"}
    hold("team only", [page(f"t{n}", "Ana Lima", **secret) for n in range(8)], [f"team:{team.pk}"])
    narrow = [page(f"n{n}", "Ana Lima", audience=frozenset({"crew"}), **secret) for n in range(8)]
    hold("narrowed", narrow)
    closed = hold("closed", [page(f"c{n}", "Ana Lima", **secret) for n in range(2)])
    Source.objects.filter(pk=closed.pk).update(active=False)
    hold("emptied", [page(f"g{n}", "Ana Lima", **secret) for n in range(2)])
    hold("emptied", [])


def test_hidden_documents_leave_no_trace_in_a_persons_document(ana: Any, hold: Any, read_people: Any) -> None:
    hold("book", [page("a", "Ana Lima", title="Priming a pump", topics=("Pumps",))])
    before = read_people()["Ana Lima"]
    hide_twenty(hold, Team.objects.get(name="Pumps"))
    after = read_people()["Ana Lima"]
    assert after.fingerprint == before.fingerprint
    assert (after.body, after.facts, after.version) == (before.body, before.facts, before.version)
    assert {topic.name for topic in after.topics.all()} == {"Pumps"}


@pytest.fixture
def searchable(ana: Any, reader: Any, hold: Any, read_people: Any) -> Any:
    """A page of Ana's with a telling title, everything read and indexed; its source."""
    source = hold("book", [
        page("told", "Ana Lima", title="Quokka husbandry", topics=("Quokka",)),
        page("kept", "Ana Lima", title="Priming a pump"),
    ])  # fmt: skip
    read_people()
    index()
    assert sorted(found("quokka", reader)[1]) == ["Ana Lima", "Quokka husbandry"]
    assert found("quokka", reader)[2] == {"Quokka": 2} or found("quokka", reader)[2] == {"quokka": 2}
    return source


def narrow_document(source: Source, hold: Any) -> None:
    hold("book", [
        page("told", "Ana Lima", title="Quokka husbandry", topics=("Quokka",), audience=frozenset({"crew"})),
        page("kept", "Ana Lima", title="Priming a pump"),
    ])  # fmt: skip


def drop_document(source: Source, hold: Any) -> None:
    hold("book", [page("kept", "Ana Lima", title="Priming a pump")])


def narrow_source(source: Source, hold: Any) -> None:
    source = Source.objects.get(pk=source.pk)
    source.audience = Audience.objects.of({"team:4711"})
    source.save()


def close_source(source: Source, hold: Any) -> None:
    source = Source.objects.get(pk=source.pk)
    source.active = False
    source.save()


@pytest.mark.parametrize("withdraw", [narrow_document, drop_document, narrow_source, close_source])
def test_what_is_withdrawn_is_gone_from_its_authors_at_once(
    searchable: Any, reader: Any, hold: Any, withdraw: Any, read_people: Any
) -> None:
    withdraw(searchable, hold)
    assert found("quokka", reader) == (0, [], {}), "with no worker running"
    row = Resource.objects.get(title="Ana Lima")
    assert "uokka" not in row.body
    assert not row.topics.filter(name="Quokka").exists()
    index()
    assert found("quokka", reader) == (0, [], {})
    assert found("listens", reader)[1] == ["Ana Lima"], "the person is back with the next write of the index"
    read_people()
    index()
    assert found("listens", reader)[1] == ["Ana Lima"]


def test_what_is_opened_again_comes_back(searchable: Any, reader: Any, hold: Any, read_people: Any) -> None:
    close_source(searchable, hold)
    source = Source.objects.get(pk=searchable.pk)
    source.active = True
    source.save()
    read_people()
    index()
    assert sorted(found("quokka", reader)[1]) == ["Ana Lima", "Quokka husbandry"]
    assert not Resource.objects.behind().exists()


def test_who_leaves_is_out_of_search_at_once_and_back_when_they_come_back(
    searchable: Any, ana: Any, reader: Any, read_people: Any, committed: Any
) -> None:
    ana.about = "Listens."
    actions.deactivate(people=[ana])
    assert found("listens", reader) == (0, [], {})
    assert found("quokka", reader)[1] == ["Quokka husbandry"]
    read_people()
    with committed():
        actions.reactivate(person=ana)
    assert "Ana Lima" in read_people()
    index()
    assert sorted(found("quokka", reader)[1]) == ["Ana Lima", "Quokka husbandry"]


def test_there_is_one_people_source(db: None) -> None:
    everyone = Audience.objects.of({EVERYONE})
    Source.objects.create(kind="folder", name="People", slug="people", audience=everyone)
    assert actions.ensure_people_source() == actions.ensure_people_source() == actions.people_source()
    assert Source.objects.filter(kind="people").count() == 1


def test_a_membership_that_ended_is_history(ana: Any, read_people: Any) -> None:
    team = Team.objects.get(name="Pumps")
    assert f"team:{team.pk}" in Viewer.of(ana).tokens
    assert [actions.leave_members(team=team, people=[ana]) for _ in "ab"] == [1, 0]
    assert f"team:{team.pk}" not in Viewer.of(ana).tokens
    for _ in "ab":
        actions.add_members(team=team, people=[ana])
    assert Membership.objects.filter(person=ana, team=team).count() == 2
    assert "Pumps" in read_people()["Ana Lima"].facts["team"]


def test_five_hundred_people_are_told_in_a_few_questions(db: None, django_assert_num_queries: Any) -> None:
    Person.objects.bulk_create(Person(username=f"p{n}", name=f"Person {n}") for n in range(500))
    with django_assert_num_queries(3 * 5 + 1):
        told = list(PeopleConnector("", {}).pull(Known()))
    assert len(told) == 500
    known = Known({one.key: one.version for one in told if isinstance(one, Document)})
    assert {type(one) for one in PeopleConnector("", {}).pull(known)} == {Unchanged}


def test_marks_that_turn_the_writing_are_left_out_and_others_stay() -> None:
    assert one_line("Ana \u202eamiL\n\x07 👩‍🚀") == "Ana amiL 👩‍🚀"
