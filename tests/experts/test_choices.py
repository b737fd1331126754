"""What people choose about themselves: it holds at once, everywhere, however often it is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from experts import actions, choices
from experts.evidence import attribute, evidence_line, topics_of, written_by
from experts.models import Availability, Closed, Disowned, OwnTopic, Person
from knowledge import ingest
from knowledge.access import Viewer
from knowledge.documents import Contribution, Document
from knowledge.indexing import index_changes
from knowledge.models import Contribution as Row
from knowledge.models import Resource, SyncRun
from knowledge.search import search
from tests.experts.conftest import MAY, page


@pytest.fixture
def reader(make_person: Callable[..., Any]) -> Any:
    return make_person("reader", name="Some Reader")


@pytest.fixture
def wrote(ana: Any, reader: Any, hold: Any, read_people: Any) -> dict[str, Any]:
    """Two pages of Ana's, everything read and indexed; resources by key."""
    hold("book", [
        page("pump", "Ana Lima", title="Priming a quokka", topics=("Quokka care", "Pumps")),
        page("seal", "Ana Lima", title="Changing a seal", topics=("pumps",)),
    ])  # fmt: skip
    read_people()
    index()
    return {row.key: row for row in Resource.objects.alive()}


def index() -> None:
    while index_changes():
        pass


def found(text: str, user: Any) -> set[str]:
    return {hit.resource.title for hit in search(text, Viewer.of(user), remember=False).results}


def known(person: Any, user: Any) -> set[str]:
    return {topic["name"].casefold() for topic in topics_of(person, Viewer.of(user))}


def test_who_hides_is_gone_at_once_and_comes_back(wrote: Any, ana: Any, reader: Any, read_people: Any) -> None:
    assert "Ana Lima" in found("ana", reader)
    assert choices.hide(person=ana)
    assert not choices.hide(person=ana), "saying it twice changes nothing"
    assert "Ana Lima" not in found("ana", reader)
    assert found("quokka", reader) == {"Priming a quokka"}, "what they wrote stays"
    for viewer in (Viewer.of(reader), Viewer.of(ana)):
        assert Person.objects.findable().filter(pk=ana.pk).exists() is False
        assert Person.objects.visible_to(viewer).filter(pk=ana.pk).exists() == (viewer.person_id == ana.pk)
    read_people()
    index()
    assert "Ana Lima" not in found("ana", reader), "reading people again brings nobody back"
    assert choices.be_found(person=ana)
    assert not choices.be_found(person=ana)
    read_people()
    index()
    assert "Ana Lima" in found("ana", reader)


def test_who_hides_while_people_are_being_read_is_taken_out_again(
    wrote: Any, ana: Any, reader: Any, committed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = actions.people_source()
    assert source
    told = actions.documents_of

    def slowly(people: Any, without: Any = None) -> Any:
        documents = list(told(people, without))
        choices.hide(person=ana)
        return documents

    Person.objects.filter(pk=ana.pk).update(role="Head of quokkas")
    monkeypatch.setattr("experts.connector.documents_of", slowly)
    with committed():
        run, _ = SyncRun.objects.get_or_create(source=source, done_at=None)
        SyncRun.objects.filter(pk=run.pk).update(due_at=run.created_at)
        ingest.sync(SyncRun.objects.claim(run.pk))
    assert Availability.of(ana).hidden
    index()
    assert "Ana Lima" not in found("ana", reader)


def test_a_topic_that_is_hidden_is_told_nowhere_in_any_spelling(wrote: Any, ana: Any, reader: Any) -> None:
    assert known(ana, reader) == {"quokka care", "pumps"}
    assert found("kind:person topic:pumps", reader) == found("kind:person quokka", reader) == {"Ana Lima"}
    for _ in range(2):
        choices.say_of_topic(person=ana, name="QUOKKA_care", hidden=True)
        index()
        assert known(ana, reader) == {"pumps"}
        assert found("kind:person topic:pumps", reader) == {"Ana Lima"}
        assert found("kind:person quokka", reader) == set(), "nor does the title of what they wrote of it"
        assert {row["pk"] for row in written_by(ana, Viewer.of(reader))} == {wrote["seal"].pk}
        assert evidence_line(ana, Viewer.of(reader)).startswith("Wrote or edited 1 page ")
    assert found("quokka", reader) == {"Priming a quokka"}, "the document stays"
    choices.say_of_topic(person=ana, name="PUMPS", hidden=True)
    assert known(ana, reader) == set()
    assert found("kind:person topic:pumps", reader) == set()
    choices.say_of_topic(person=ana, name="Quokka-Care", hidden=False)
    choices.say_of_topic(person=ana, name="pumps", hidden=False)
    assert known(ana, reader) == {"quokka care", "pumps"}
    assert not OwnTopic.objects.filter(person=ana).exists(), "of what nothing is said nothing is kept"
    index()
    assert found("kind:person topic:pumps", reader) == {"Ana Lima"}


def test_what_somebody_says_they_know_is_found_and_taken_back(wrote: Any, ana: Any, reader: Any) -> None:
    choices.say_of_topic(person=ana, name=" Wombat   sheltering ", knows=True, ask=OwnTopic.Ask.YES)
    index()
    assert found("kind:person wombat", reader) == found('topic:"wombat sheltering"', reader) == {"Ana Lima"}
    said = choices.say_of_topic(person=ana, name="wombat sheltering", knows=False)
    assert said
    assert (said.knows, said.ask) == (False, "yes"), "what else was said stays"
    assert found("wombat", reader) == set()


def test_what_is_not_their_work_is_not_theirs_anywhere(
    wrote: Any, ana: Any, reader: Any, hold: Any, read_people: Any
) -> None:
    pump = wrote["pump"]
    for _ in range(2):
        choices.disown(person=ana, resource=pump)
        assert {row["pk"] for row in written_by(ana, Viewer.of(reader))} == {wrote["seal"].pk}
        assert "Ana Lima" not in found("quokka", reader)
    assert known(ana, reader) == {"pumps"}
    attribute()
    hold("book", [
        page("pump", "Ana Lima", Contribution("Ben", last=MAY), title="Priming a quokka twice"),
        page("seal", "Ana Lima", title="Changing a seal"),
    ])  # fmt: skip
    assert not Row.objects.filter(resource=pump, person=ana).exists(), "nor when its source tells it anew"
    assert Row.objects.filter(resource=pump, name="Ana Lima").exists(), "the source's words are its own"
    assert found('by:"Ana Lima" quokka', reader) == {"Priming a quokka twice"}
    for _ in range(2):
        choices.own_again(person=ana, resource=pump)
        assert Row.objects.filter(resource=pump, person=ana).count() == 1
    assert not Disowned.objects.exists()


def test_a_namesake_is_not_given_what_somebody_disowned(wrote: Any, ana: Any, make_person: Any) -> None:
    choices.disown(person=ana, resource=wrote["pump"])
    other = make_person("other", name="Somebody Else")
    assert not Row.objects.filter(person=other).exists()
    assert not choices.own_again(person=other, resource=wrote["pump"])
    assert not Row.objects.filter(resource=wrote["pump"]).exclude(person=None).exists()


def test_days_that_are_closed(ana: Any) -> None:
    week = {"since": date(2027, 3, 1), "until": date(2027, 3, 5)}
    assert choices.close(person=ana, **week) == choices.close(person=ana, **week)
    assert Closed.objects.count() == 1
    with pytest.raises(ValidationError, match="before the first day"):
        choices.close(person=ana, since=week["until"], until=week["since"])
    choices.close(person=ana, since=week["since"], until=week["since"])
    assert choices.open_again(person=ana, **week)
    assert not choices.open_again(person=ana, **week)
    assert Closed.objects.count() == 1


@pytest.mark.parametrize("chosen", [{"asks_a_week": 51}, {"hours_a_week": 41}, {"prefers": "pigeon"}, {"mail": ""}])
def test_what_cannot_be_chosen_changes_nothing(ana: Any, chosen: dict[str, Any]) -> None:
    choices.choose(person=ana, asks_a_week=0, hours_a_week=2, shows_time=True)
    with pytest.raises(ValidationError):
        choices.choose(person=ana, **chosen)
    mine = Availability.of(ana)
    assert (mine.asks_a_week, mine.hours_a_week, mine.shows_time, mine.prefers) == (0, 2, True, "page")


def test_what_somebody_writes_of_themselves_is_searched_at_once(wrote: Any, ana: Any, reader: Any) -> None:
    choices.introduce(person=ana, about="I listen to numbats.", time_zone="europe/lisbon")
    index()
    assert found("numbats", reader) == {"Ana Lima"}
    assert Person.objects.get(pk=ana.pk).time_zone == "Europe/Lisbon"
    choices.introduce(person=ana, about="", time_zone="")
    assert found("numbats", reader) == set()
    with pytest.raises(ValidationError, match=r"10,000 characters. Shorten it to 2,000"):
        choices.introduce(person=ana, about="x" * 10_000, time_zone="")
    with pytest.raises(ValidationError, match="Europe/Lisbon"):
        choices.introduce(person=ana, about="x", time_zone="Middle/Earth")
    assert Person.objects.get(pk=ana.pk).about == ""


@pytest.mark.parametrize("name", ["", "  ", "\u202e", "!?", "x" * 81])
def test_a_topic_is_words(ana: Any, name: str) -> None:
    with pytest.raises(ValidationError, match="Write the topic"):
        choices.say_of_topic(person=ana, name=name, knows=True)


def test_a_persons_document_says_what_they_say(ana: Any, hold: Any, read_people: Any) -> None:
    hold("book", [Document("a", "Priming", topics=("Feed pumps",), contributions=(Contribution("Ana Lima"),))])
    choices.say_of_topic(person=ana, name="feed-pumps", knows=True)
    choices.say_of_topic(person=ana, name="Seals", knows=True)
    row = read_people()["Ana Lima"]
    assert "Topics: Feed pumps.\n\nSays they know: feed-pumps, Seals.\n\nWrote" in row.body
    assert {topic.name for topic in row.topics.all()} == {"Feed pumps", "Seals"}, "one spelling of each, the evidence’s"
