"""Whose work something is: addresses only where they are trusted, names only where they are one person's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experts import actions
from experts.evidence import attribute, evidence_lines, shown, topics_of, written_by
from experts.models import Person, Team
from knowledge.access import Viewer
from knowledge.documents import EVERYONE, Contribution
from knowledge.models import Contribution as Row
from knowledge.models import Resource, Source
from tests.experts.conftest import MAY, page


def owner(key: str) -> str | None:
    row = Row.objects.select_related("person").get(resource__key=key)
    return row.person and row.person.username


@pytest.fixture
def ana(make_person: Callable[..., Any]) -> Any:
    return make_person("ana", name="Ana Lima", email="ana.lima@example.org")


@pytest.fixture
def ben(make_person: Callable[..., Any]) -> Any:
    return make_person("ben", name="Ben Okafor", email="ben@example.org")


def test_a_trusted_address_decides_whatever_its_case(ana: Any, ben: Any, hold: Callable[..., Any]) -> None:
    hold("book", [
        page("same", Contribution("A. L.", "ana.lima@example.org")),
        page("case", Contribution("somebody", " Ana.LIMA@Example.ORG ")),
        page("longer", Contribution("somebody", "ana.lima@example.org.evil.example")),
        page("nameless", Contribution("", "ana.lima@example.org")),
    ], trusts_emails=True)  # fmt: skip
    owners = {key: owner(key) for key in ("same", "case", "longer", "nameless")}
    assert owners == {"same": "ana", "case": "ana", "longer": None, "nameless": "ana"}


def test_letters_that_fold_into_others_are_other_addresses(make_person: Callable[..., Any], hold: Any) -> None:
    make_person("kim", name="Kim", email="kim@example.org")
    hold("book", [page("forged", Contribution("x", "\u212aim@example.org"))], trusts_emails=True)
    assert owner("forged") is None


def test_a_forged_address_proves_nothing_where_addresses_are_free_text(ana: Any, ben: Any, hold: Any) -> None:
    hold("repository", [
        page("address", Contribution("root", "ana.lima@example.org")),
        page("both", Contribution("Ben Okafor", "ana.lima@example.org")),
    ])  # fmt: skip
    assert owner("address") is None
    assert owner("both") == "ben"
    [piece] = shown(written_by(ben, Viewer.of(ana)))
    assert piece.by_name


def test_a_trusted_address_of_nobody_here_outweighs_the_name(ana: Any, hold: Any) -> None:
    hold("book", [page("outsider", Contribution("Ana Lima", "ana@elsewhere.example"))], trusts_emails=True)
    assert owner("outsider") is None


def test_evidence_says_when_only_the_name_tells(ana: Any, hold: Any) -> None:
    hold("book", [page("checked", Contribution("x", ana.email)), page("named", "Ana Lima")], trusts_emails=True)
    found = {piece.resource.key: piece.by_name for piece in shown(written_by(ana, Viewer.of(ana)))}
    assert found == {"checked": False, "named": True}


def test_a_name_of_two_is_nobody_until_it_is_one_persons(
    ana: Any, make_person: Callable[..., Any], hold: Any, committed: Callable[[], Any]
) -> None:
    other = make_person("ana2", name="  ana   LIMA\u200e ")
    hold("book", [page("one", "Ana Lima")])
    assert owner("one") is None
    Person.objects.filter(pk=other.pk).update(name="Ana Lima-Costa")
    with committed():
        actions.people_changed()
    assert owner("one") == "ana"


def test_who_left_stays_the_author_and_their_name_stays_theirs(
    ana: Any, hold: Any, committed: Any, make_person: Any
) -> None:
    hold("book", [page("one", "Ana Lima")])
    assert owner("one") == "ana"
    with committed():
        actions.deactivate(people=[ana])
    assert owner("one") == "ana"
    assert evidence_lines([ana.public_id], Viewer.of(ana)) == {}
    with committed():
        make_person("newcomer", name="Ana Lima")
        actions.people_changed()
    assert owner("one") is None, "a namesake of somebody who left would inherit their work"


def test_a_double_that_was_ended_spoils_neither_name_nor_address(
    ana: Any, make_person: Callable[..., Any], hold: Any, committed: Any
) -> None:
    double = make_person("ana.lima@example.org", name="Ana Lima", email="Ana.Lima@example.org")
    hold("book", [page("address", Contribution("A. L.", "ana.lima@example.org"))], trusts_emails=True)
    hold("notes", [page("name", Contribution("Ana Lima"))])
    assert (owner("address"), owner("name")) == (None, None)
    with committed():
        actions.deactivate(people=[double])
    assert (owner("address"), owner("name")) == ("ana", "ana")
    with committed():
        actions.reactivate(person=double)
    assert (owner("address"), owner("name")) == (None, None)


def test_a_username_is_no_name(make_person: Callable[..., Any], hold: Any) -> None:
    make_person("admin")
    hold("book", [page("one", "admin")])
    assert owner("one") is None


def test_attribution_goes_with_the_trust_of_the_source(ana: Any, hold: Any, committed: Any) -> None:
    source = hold("book", [page("one", Contribution("A. L.", ana.email))], trusts_emails=True)
    assert owner("one") == "ana"
    source.trusts_emails = False
    with committed():
        source.save()
    assert owner("one") is None
    source.trusts_emails = True
    with committed():
        source.save()
    assert owner("one") == "ana"


@pytest.mark.parametrize(("kind", "options", "expected"), [
    ("git", {}, "ana"), ("git", {"match_names": False}, None), ("web", {}, None), ("feed", {}, None),
    ("web", {"match_names": True}, "ana"), ("web", {"match_names": "no"}, None),
])  # fmt: skip
def test_names_on_the_open_web_are_anybodys(ana: Any, hold: Any, kind: str, options: Any, expected: Any) -> None:
    source = hold("book", [page("one", "Ana Lima")])
    Source.objects.filter(pk=source.pk).update(kind=kind, options=options)
    attribute(source_id=source.pk)
    assert owner("one") == expected


def test_attributing_again_changes_nothing_and_asks_as_little(ana: Any, ben: Any, hold: Any) -> None:
    hold("book", [page(f"p{number}", "Ana Lima", "Ben Okafor") for number in range(120)])
    assert Row.objects.exclude(person=None).count() == 240
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert attribute() == 0
    assert len(asked) == 5
    Row.objects.filter(resource__key="p7").update(person=None)
    assert attribute(Row.objects.filter(resource__key="p8")) == 0
    assert attribute() == 2


@pytest.fixture
def corpus(ana: Any, ben: Any, hold: Any, make_person: Any) -> list[Any]:
    """Ben's pages in every kind of place; the viewers that look at them."""
    inside, outside = Team.objects.create(name="In", slug="in"), Team.objects.create(name="Out", slug="out")
    members = [make_person("dora", name="Dora", teams=(inside,)), make_person("emil", name="Emil", teams=(outside,))]
    for number, audience in enumerate([[EVERYONE], [f"team:{inside.pk}"], [f"person:{ana.pk}"], []]):
        documents = [
            page(f"{number}-{name}", "Ben Okafor", "Ana Lima", topics=(f"t{number}-{name}",), audience=narrowed)
            for name, narrowed in (("open", None), ("all", frozenset({EVERYONE})), ("group", frozenset({"crew"})))
        ]
        source = hold(f"s{number}", documents, audience)
        source.groups.create(name="crew", token=f"team:{outside.pk}")
    hold("closed", [page("closed", "Ben Okafor")])
    Source.objects.filter(name="closed").update(active=False)
    hold("emptied", [page("gone", "Ben Okafor")])
    hold("emptied", [])
    return [ana, ben, *members, None]


def may_read(user: Any, resource: Resource) -> bool:
    """The rule of who may read what, said once more in plain words."""
    if user is None:
        return False
    tokens = Viewer.of(user).tokens
    opened = tokens & set(resource.source.audience.tokens) and tokens & set(resource.audience.tokens)
    return bool(resource.source.active and resource.gone_at is None and opened)


def test_evidence_is_what_the_viewer_may_read_and_nothing_else(corpus: list[Any], ben: Any) -> None:
    wrote = [row.resource for row in Row.objects.filter(person=ben).select_related("resource__source__audience")]
    assert len(wrote) == 13
    seen = set()
    for user in corpus:
        viewer = Viewer.of(user)
        expected = {row.pk for row in wrote if may_read(user, row)}
        assert {row["pk"] for row in written_by(ben, viewer)} == expected
        told = {topic["name"] for topic in topics_of(ben, viewer)}
        assert told == {topic.name for row in wrote if row.pk in expected for topic in row.topics.all()}
        line = evidence_lines([ben.public_id], viewer).get(ben.public_id, "")
        assert line.startswith(f"Wrote or edited {len(expected)} page") if expected else line == ""
        seen.add(len(expected))
    assert len(seen) >= 3, "the corpus must have both sides"


def test_shares_of_one_document_add_up_and_coauthors_do_not_count(ana: Any, ben: Any, hold: Any) -> None:
    hold("book", [page(
        "one", Contribution("Ana Lima", share=0.3, last=MAY), Contribution("ana lima", share=0.2),
        Contribution("Ben Okafor", share=0.5),
    )])  # fmt: skip
    [piece] = shown(written_by(ana, Viewer.of(ben)))
    assert piece.share == pytest.approx(0.5)
    assert (piece.last, piece.did) == (MAY, "Wrote 50 % of it")
    piece.resource.kind = "tool"
    assert piece.did == "Keeps it", "nobody writes a tool that a list names"


def test_the_sentence_counts_by_kind_and_names_the_month(ana: Any, hold: Any) -> None:
    documents = [page(f"{kind}{n}", "Ana Lima", kind=kind) for kind, n in itertools.product(("page", "tool"), range(2))]
    hold("book", [*documents, page("third", Contribution("Ana Lima"))])
    told = evidence_lines([ana.public_id], Viewer.of(ana))
    assert told == {ana.public_id: "Wrote or edited 3 pages and 2 tools that you can read, the newest in May 2026."}
