"""What every connector keeps: inherit `ConnectorContract`, give it a `place` fixture, and name the class ``Test…``.

The `place` is the real thing that the connector reads (files, a repository, a
web server on loopback, rows), written to by the test. `Stored` keeps what
`ingest` would keep, so that the contract can be tried without a database.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from knowledge.connectors import Checkpoint, Connector, Event, Failure, Known, SourceError, Unchanged
from knowledge.documents import KINDS, Contribution, Document

HOSTILE = {
    "emoji": "Ideas 💡 for 👩‍🚀 crews",
    "right-to-left": "invoice \u202efdp.exe \u2066hidden\u2069",
    "markup": "<script>alert(1)</script> & <img src=x onerror=alert(2)>",
    "quotes": 'It\'s "quoted" and {{ 7*7 }} {% load x %}',
    "arabic": "دليل الموظفين",
    "long": "long " * 200,
    "climbing": "../../etc/passwd",
}
"""Titles that meet every connector. Each is also tried as the name of a file or an address where one is needed."""


class Place(ABC):
    """Somewhere that documents live and that one connector reads."""

    @abstractmethod
    def connector(self) -> Connector:
        """A fresh connector for this place, as `ingest` makes it for each pull."""

    @abstractmethod
    def missing(self) -> Connector:
        """A connector for a place of the same kind that is not there or may not be read."""

    @abstractmethod
    def put(self, name: str, title: str, text: str) -> None:
        """Write the document ``name`` anew, or over what stood there (``name`` is ASCII letters and dashes)."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take the document ``name`` away."""

    def spoil(self, name: str) -> None:
        """Put something that cannot be read in the place of ``name``; skip where nothing can be broken singly."""
        pytest.skip("no single document of this kind of source can be broken")


class Stored:
    """What is kept of one source between pulls, as `ingest` keeps it."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.cursor: dict[str, Any] = {}
        self.events: list[Event] = []

    def known(self) -> Known:
        """What the next pull is told; the cursor has been through JSON, as in the database."""
        cursor = json.loads(json.dumps(self.cursor))
        return Known({key: document.version for key, document in self.documents.items()}, cursor)

    def pull(self, connector: Connector, stop_after: int | None = None) -> list[Event]:
        """Take in one pull, or only its first events as if the worker had been killed then."""
        self.events = []
        seen: set[str] = set()
        stream: Iterator[Event] = iter(connector.pull(self.known()))
        for event in stream:
            if stop_after is not None and len(self.events) >= stop_after:
                return self.events
            self.events.append(event)
            if isinstance(event, Checkpoint):
                self.cursor = event.cursor
                continue
            assert event.key not in seen or isinstance(event, Failure), f"{event.key} was told twice"
            seen.add(event.key)
            if isinstance(event, Document):
                self.documents[event.key] = event
            elif isinstance(event, Unchanged):
                assert event.key in self.documents, f"{event.key} is unchanged, but was never told"
        if connector.lists_everything:
            self.documents = {key: document for key, document in self.documents.items() if key in seen}
        return self.events

    def told(self) -> list[Document]:
        """Documents among the events of the last pull."""
        return [event for event in self.events if isinstance(event, Document)]

    def failures(self) -> list[Failure]:
        """Failures among the events of the last pull."""
        return [event for event in self.events if isinstance(event, Failure)]

    def state(self) -> dict[str, str]:
        """What is stored, comparable."""
        return {key: document.fingerprint() for key, document in self.documents.items()}

    def titles(self) -> list[str]:
        """Titles of what is stored, sorted."""
        return sorted(document.title for document in self.documents.values())


def check_document(document: Document) -> None:
    """A document may be stored, indexed and shown as it is."""
    assert 1 <= len(document.key) <= 500
    assert document.title.strip()
    assert len(document.title) <= 400
    assert len(document.version) <= 200
    assert len(document.language) <= 12
    assert document.kind in KINDS
    assert document.url == "" or urlsplit(document.url).scheme in {"http", "https"}, document.url
    assert len(document.url) <= 2000
    assert document.audience is None or isinstance(document.audience, frozenset)
    for text in (document.key, document.title, document.body, document.url, *document.crumbs, *document.topics):
        text.encode("utf-8")
        assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in text), repr(text)
    assert not any(letter in document.title for letter in "\n\t\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    for moment in (document.created, document.updated):
        assert moment is None or (isinstance(moment, datetime) and moment.tzinfo is not None)
    for one in document.contributions:
        assert isinstance(one, Contribution)
        assert one.name or one.email
        assert 0 <= one.share <= 1
    json.dumps(dict(document.facts))


class ConnectorContract:
    """The promises of `knowledge.connectors.Connector`, tried on the real thing."""

    @pytest.fixture
    def place(self) -> Place:
        """The subclass gives the real place."""
        raise NotImplementedError

    @pytest.fixture
    def filled(self, place: Place) -> Place:
        """Three documents in the place."""
        place.put("leave", "Annual leave", "How holidays are asked for and granted.")
        place.put("travel", "Travel by train", "Book the ticket with your manager's word.")
        place.put("laptop", "A new laptop", "The service desk hands out laptops on Mondays.")
        return place

    def test_check_suggests_a_name(self, filled: Place) -> None:
        assert filled.connector().check().strip()

    def test_a_missing_place_is_refused_with_a_sentence(self, place: Place) -> None:
        with pytest.raises(SourceError) as told:
            place.missing().check()
        assert len(str(told.value)) > 20
        with pytest.raises(SourceError):
            list(place.missing().pull(Known()))

    def test_everything_is_told_once(self, filled: Place) -> None:
        stored = Stored()
        stored.pull(filled.connector())
        assert stored.failures() == []
        assert stored.titles() == ["A new laptop", "Annual leave", "Travel by train"]
        for document in stored.told():
            check_document(document)
        assert any("holidays are asked for" in document.body for document in stored.told())

    def test_two_first_pulls_say_the_same(self, filled: Place) -> None:
        one, two = Stored(), Stored()
        one.pull(filled.connector())
        two.pull(filled.connector())
        assert one.state() == two.state()
        assert one.known().versions == two.known().versions

    def test_a_second_pull_tells_nothing_new(self, filled: Place) -> None:
        stored = Stored()
        stored.pull(filled.connector())
        before = stored.state()
        events = stored.pull(filled.connector())
        assert {type(event) for event in events} <= {Unchanged, Checkpoint}
        assert stored.state() == before

    def test_only_a_changed_document_is_told_again(self, filled: Place) -> None:
        stored = Stored()
        stored.pull(filled.connector())
        filled.put("leave", "Annual leave", "Twenty-five days, and the rest is carried over.")
        stored.pull(filled.connector())
        assert [document.title for document in stored.told()] == ["Annual leave"]
        assert "carried over" in stored.told()[0].body

    def test_a_new_document_is_told(self, filled: Place) -> None:
        stored = Stored()
        stored.pull(filled.connector())
        filled.put("parking", "Parking", "There are four places behind the house.")
        stored.pull(filled.connector())
        assert [document.title for document in stored.told()] == ["Parking"]

    def test_what_was_taken_away_is_named_no_more(self, filled: Place) -> None:
        stored = Stored()
        stored.pull(filled.connector())
        filled.remove("travel")
        connector = filled.connector()
        stored.pull(connector)
        assert stored.told() == []
        assert ("Travel by train" in stored.titles()) is not connector.lists_everything

    def test_one_broken_document_is_passed_over(self, filled: Place) -> None:
        filled.spoil("travel")
        stored = Stored()
        stored.pull(filled.connector())
        assert {"A new laptop", "Annual leave"} <= set(stored.titles())
        assert [len(failure.reason) > 10 for failure in stored.failures()] == [True]

    def test_what_broke_later_keeps_what_is_stored(self, filled: Place) -> None:
        stored = Stored()
        stored.pull(filled.connector())
        filled.spoil("travel")
        stored.pull(filled.connector())
        assert len(stored.failures()) == 1
        assert "A new laptop" in stored.titles()
        filled.put("travel", "Travel by train", "Mended: book early.")
        stored.pull(filled.connector())
        assert any("Mended" in document.body for document in stored.documents.values())

    def test_a_pull_killed_anywhere_is_resumed(self, filled: Place) -> None:
        whole = Stored()
        total = len(whole.pull(filled.connector()))
        for stop in range(total):
            cut = Stored()
            cut.pull(filled.connector(), stop_after=stop)
            cut.pull(filled.connector())
            assert cut.state() == whole.state(), f"killed after {stop} events"

    def test_a_change_survives_a_pull_killed_anywhere(self, filled: Place) -> None:
        first = Stored()
        total = len(first.pull(filled.connector()))
        filled.put("leave", "Annual leave", "Thirty days from next year on.")
        filled.remove("laptop")
        whole = Stored()
        whole.documents, whole.cursor = dict(first.documents), dict(first.cursor)
        whole.pull(filled.connector())
        for stop in range(total):
            cut = Stored()
            cut.documents, cut.cursor = dict(first.documents), dict(first.cursor)
            cut.pull(filled.connector(), stop_after=stop)
            cut.pull(filled.connector())
            assert cut.state() == whole.state(), f"killed after {stop} events"

    def test_hostile_titles_are_data(self, place: Place) -> None:
        for name, title in HOSTILE.items():
            place.put(name, title, f"The words of {name}.")
        stored = Stored()
        stored.pull(place.connector())
        assert stored.failures() == []
        assert len(stored.documents) == len(HOSTILE)
        for document in stored.told():
            check_document(document)
        assert {type(event) for event in stored.pull(place.connector())} <= {Unchanged, Checkpoint}
