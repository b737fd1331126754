"""What is suggested while somebody types: which names, in which order, and from whose documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts import choices
from experts.actions import retell
from experts.evidence import attribute
from experts.models import Person
from knowledge import index
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.models import Audience, Resource, Search, Source
from knowledge.typeahead import ASKED, MANY, REMEMBERED, SHOWN, Group, marked, suggest
from tests import small_company
from tests.small_company import source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(settings: LazySettings, make_person: Any) -> dict[str, Any]:
    """Ana may read what is of operations only; Cléo may not."""
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    people = {
        "ana": make_person("ana", name="Ana Ferreira", role="Shift engineer"),
        "ben": make_person("ben", name="Ben Okafor", role="Mechanic"),
        "cleo": make_person("cleo", name="Cléo Martin"),
    }
    small_company.build(people)
    small_company.read_people()
    small_company.index()
    return people


@pytest.fixture
def ana(people: dict[str, Any]) -> Any:
    return people["ana"]


def told(groups: tuple[Group, ...]) -> dict[str, list[str]]:
    return {group.name: [one.text for one in group.suggestions] for group in groups}


def suggested(text: str, person: Any) -> dict[str, list[str]]:
    return told(suggest(text, Viewer.of(person)))


# What is suggested --------------------------------------------------------------------------------------------------


def test_names_stand_in_groups_those_that_begin_so_first(ana: Any) -> None:
    assert suggested("pump", ana) == {
        "pages": ["Pump hydraulics for operators", "Priming a feed pump", "Salary bands of the pump crew"],
        "topics": ["Pumps"],
    }
    assert suggested("va", ana) == {"tools": ["ValveView"]}
    assert suggested("mar", ana) == {"people": ["Cléo Martin"]}


def test_each_says_what_it_is_and_leads_to_its_place(people: dict[str, Any]) -> None:
    viewer = Viewer.of(people["ana"])
    [page, course] = [suggest(text, viewer)[0].suggestions[0] for text in ("priming", "hydraulics")]
    assert (page.detail, page.verified) == ("Handbook", True)
    assert (course.detail, course.verified) == ("Course, Catalogue", False)
    assert page.url == Resource.objects.get(key="pump").get_absolute_url()
    [person] = suggest("ferr", viewer)[0].suggestions
    assert (person.kind, person.detail) == ("person", "Shift engineer, Operations")
    [tool] = suggest("valvev", viewer)[0].suggestions
    assert tool.detail == "find which valve feeds a pump"
    [topic] = suggest("mainten", viewer)[0].suggestions
    assert (topic.kind, topic.detail, topic.url) == ("topic", "1 document", "/topics/maintenance/")


def test_all_words_or_else_the_last_ones(ana: Any) -> None:
    assert suggested("feed pum", ana) == {"pages": ["Priming a feed pump"]}
    assert suggested("how to prime a pum", ana) == {"pages": ["Priming a feed pump"]}
    assert suggested("xylophone feed pum", ana) == {"pages": ["Priming a feed pump"]}
    assert suggested("xylophone cavi", ana) == {"pages": ["What cavitation sounds like"]}
    assert suggested("xylophone ca", ana) == {}, "two letters alone are no reason to leave out what was typed"
    assert suggested("priming broken", ana) == {"pages": ["Priming a feed pump"]}, "what stands first counts as well"
    assert suggested("xylophone trombone pum", ana) == {}, "one word of three is not what was meant"


def test_a_word_that_texts_hold_is_no_slip(people: dict[str, Any]) -> None:
    ana, cleo = people["ana"], people["cleo"]
    source_of("Programs", [Document("t", "Saulx", kind="tool")])
    source_of("Trees", [Document("p", "Of trees", "A row of sauls by the river.")], [f"person:{cleo.pk}"])
    small_company.index()
    assert suggested("sauls", ana) == {"tools": ["Saulx"]}, "what ana may not read knows no words"
    source_of("Rivers", [Document("p", "Of rivers", "A row of sauls beside it.")])
    small_company.index()
    assert suggested("sauls", ana) == {}


def test_what_is_nearly_typed_is_suggested_where_there_is_little_else(ana: Any) -> None:
    assert suggested("hydrualic", ana) == {"pages": ["Pump hydraulics for operators"]}
    assert suggested("cavitatoin sond", ana) == {"pages": ["What cavitation sounds like"]}
    assert suggested("maintenence", ana) == {"topics": ["Maintenance"]}
    assert suggested("ferrera", ana) == {"people": ["Ana Ferreira"]}
    assert suggested("CLEO", ana) == {"people": ["Cléo Martin"]}
    assert suggested("pmp", ana) == suggested("xylophone", ana) == {}


def test_who_is_known_for_a_topic_is_suggested_with_it(people: dict[str, Any]) -> None:
    for name in ("ana", "ben"):
        Person.objects.filter(username=name).update(email=f"{name}@example.org")
    attribute()
    retell(people=[person.pk for person in people.values()])
    small_company.index()
    ana, cleo = people["ana"], people["cleo"]
    [group] = [group for group in suggest("pump", Viewer.of(cleo)) if group.name == "people"]
    assert {(one.text, one.detail) for one in group.suggestions} == {
        ("Ana Ferreira", "Shift engineer, knows Pumps"), ("Ben Okafor", "Mechanic, knows Pumps")
    }  # fmt: skip
    assert {one.url for one in group.suggestions} == {
        Resource.objects.get(title=name).get_absolute_url() for name in ("Ana Ferreira", "Ben Okafor")
    }
    assert suggested("mainten", cleo)["people"] == ["Ben Okafor"]
    assert "people" not in suggested("pu", cleo), "two letters mean no topic yet"
    assert "people" not in suggested("kind:tool pump", cleo)
    assert suggested("ferr", cleo)["people"] == ["Ana Ferreira"]
    choices.say_of_topic(person=ana, name="pumps", hidden=True)
    assert suggested("pump", cleo)["people"] == ["Ben Okafor"]
    choices.disown(person=people["ben"], resource=Resource.objects.get(key="seal"))
    assert "people" not in suggested("mainten", cleo)
    choices.hide(person=people["ben"])
    small_company.index()
    assert "people" not in suggested("pump", cleo)


def test_of_many_who_know_those_come_first_who_know_it_before_all_else(
    people: dict[str, Any], make_person: Any
) -> None:
    for n in range(6):
        person = make_person(f"knows{n}", name=f"Knower {n}")
        for name in ["Wombats"] if n == 4 else ["Ants", "Bees", "Wombats"]:
            choices.say_of_topic(person=person, name=name, knows=True)
    small_company.read_people()
    small_company.index()
    found = suggested("womb", people["cleo"])["people"]
    assert (len(found), found[0]) == (3, "Knower 4")
    assert found == suggested("womb", people["ana"])["people"]


def test_a_kind_narrows_and_other_signs_leave_only_ones_searches(ana: Any) -> None:
    Search.objects.create(person=ana, text="pump -seal", total=1)
    assert suggested("kind:course pum", ana) == {"pages": ["Pump hydraulics for operators"]}
    assert suggested("kind:tool pum", ana) == {}
    assert suggested("pump -sea", ana) == {"searches": ["pump -seal"]}
    assert suggested('"feed pum"', ana) == suggested("source:handbook pum", ana) == {}


def test_of_very_many_each_group_has_its_own(ana: Any) -> None:
    documents = [Document(f"p{n}", f"Crane {n:03}") for n in range(MANY + ASKED)]
    documents += [Document("t", "The overhead crane", kind="tool"), Document("c", "Of crane drivers", kind="course")]
    source_of("Cranes", documents)
    small_company.index()
    found = suggested("cra", ana)
    assert found["tools"] == ["The overhead crane"]
    assert len(found["pages"]) == SHOWN["pages"]
    assert all(title.startswith("Crane") for title in found["pages"])
    assert suggested("of crane dri", ana)["pages"] == ["Of crane drivers"]


def test_spellings_of_a_topic_are_one(ana: Any) -> None:
    source_of("Topics", [Document(f"x{n}", f"X {n}", topics=(name,)) for n, name in
                         enumerate(("Zone-plan", "zone_plan", "zone_plan", "Zone of calm"))])  # fmt: skip
    small_company.index()
    groups = suggest("zone", Viewer.of(ana))
    assert [(one.text, one.detail) for one in groups[0].suggestions] == [
        ("zone_plan", "3 documents"),
        ("Zone of calm", "1 document"),
    ]


ODD = ["", " ", "?", "-", '"', "kind:", "a" * 5000, "\u202e", "🎉", "* * *", "<b>", "\x00", "%"]


def test_any_text_is_answered(ana: Any) -> None:
    for text in ODD:
        assert suggested(text, ana) in ({}, suggested("a", ana), suggested("b", ana)), text


def test_without_an_index_there_are_ones_own_searches(ana: Any, settings: LazySettings, tmp_path: Any) -> None:
    Search.objects.create(person=ana, text="pump curves", total=2)
    settings.INDEX_DIR = tmp_path / "elsewhere"
    assert suggested("pum", ana) == {"searches": ["pump curves"]}


# From whose documents -----------------------------------------------------------------------------------------------


def test_only_what_the_viewer_may_read_now(people: dict[str, Any]) -> None:
    ana, cleo = people["ana"], people["cleo"]
    assert suggested("sal", ana) == {"pages": ["Salary bands of the pump crew"]}
    assert suggested("sal", cleo) == suggested("salaery", cleo) == {}
    assert told(suggest("pump", Viewer(None, frozenset()))) == {}
    inactive = type(ana)(pk=ana.pk, is_active=False)
    assert told(suggest("pump", Viewer.of(inactive))) == {}


def test_a_withdrawn_right_is_gone_at_once(people: dict[str, Any]) -> None:
    """By any hand, with the index as it was: names, topics, counts and nearly alike words."""
    nobody = Audience.objects.of(["team:0"])
    seal = Resource.objects.get(key="seal")
    own, of_source = seal.audience, seal.source.audience
    row, source = Resource.objects.filter(pk=seal.pk), Source.objects.filter(pk=seal.source_id)
    changes: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (lambda: row.update(audience=nobody), lambda: row.update(audience=own)),
        (lambda: source.update(audience=nobody), lambda: source.update(audience=of_source)),
        (lambda: source.update(active=False), lambda: source.update(active=True)),
        (lambda: row.update(gone_at=timezone.now(), audience=nobody), lambda: row.update(gone_at=None, audience=own)),
    ]
    texts = ("mechanical", "seal", "mainten", "mechnical", "maintenence")
    whole = [suggested(text, people["cleo"]) for text in texts]
    assert all(whole)
    for withdraw, give_back in changes:
        withdraw()
        assert not any(suggested(text, people["cleo"]) for text in texts)
        give_back()
        assert [suggested(text, people["cleo"]) for text in texts] == whole


def test_what_the_database_does_not_confirm_is_not_shown(people: dict[str, Any], monkeypatch: Any) -> None:
    """The index may be asked a moment before a row is taken away: the last word is the database's."""
    engine = index.open_for_reading()
    names, topics = type(engine).names, type(engine).topics

    def late(ask: Any) -> Any:
        def asked(*args: Any, **options: Any) -> Any:
            found = ask(*args, **options)
            Resource.objects.filter(key="seal").update(audience=Audience.objects.of(["team:0"]))
            return found

        return asked

    assert suggested("maint", people["cleo"]) == {"topics": ["Maintenance"]}
    monkeypatch.setattr(type(engine), "names", late(names))
    assert suggested("mechanical", people["cleo"]) == {}
    Resource.objects.filter(key="seal").update(audience=Audience.objects.of(["everyone"]))
    monkeypatch.setattr(type(engine), "names", names)
    monkeypatch.setattr(type(engine), "topics", late(topics))
    assert suggested("maint", people["cleo"]) == {}


def test_searches_are_ones_own(people: dict[str, Any]) -> None:
    ana, ben = people["ana"], people["ben"]
    for text in ("pump curves", "Pump CURVES", "cold pump", "nothing found", "größe der pumpe", "pump curves"):
        Search.objects.create(person=ana, text=text, total=0 if "nothing" in text else 3)
    Search.objects.create(person=ben, text="pump secrets", total=3)
    assert suggested("pum", ana)["searches"] == ["pump curves", "größe der pumpe", "cold pump"]
    assert suggested("grosse d", ana)["searches"] == ["größe der pumpe"]
    assert suggested("pum", ben)["searches"] == ["pump secrets"]
    assert "searches" not in suggested("pump secrets", ben), "what is already typed need not be suggested"
    assert "searches" not in suggested("nothing", ana)
    Search.objects.bulk_create(Search(person=ana, text=f"x{n}", total=1) for n in range(REMEMBERED))
    assert "searches" not in suggested("pum", ana)


# How it is answered -------------------------------------------------------------------------------------------------


def test_the_fragment_and_the_api_say_the_same(people: dict[str, Any]) -> None:
    client = Client()
    assert client.get("/search/suggest", {"q": "pump"}).status_code == 302
    assert client.get("/api/v1/suggest", {"q": "pump"}).status_code in (401, 403)
    client.force_login(people["ana"])
    answer = client.get("/search/suggest", {"q": "pump"})
    assert answer.headers["Cache-Control"] == "private, no-store"
    text = answer.content.decode()
    groups = client.get("/api/v1/suggest", {"q": "pump"}).json()
    assert [group["name"] for group in groups] == ["pages", "topics"]
    for one in (one for group in groups for one in group["suggestions"]):
        assert f'data-url="{one["url"]}"' in text
        assert one["html"] in text
    assert "<html" not in text
    assert text.count('role="option"') == len(set(re.findall(r'id="(suggest-\w+-\d+)"', text))) == 4
    assert client.post("/search/suggest", {"q": "pump"}).status_code == 405
    assert client.get("/search/suggest").content.strip() == b""


def test_an_answer_takes_few_questions(people: dict[str, Any]) -> None:
    viewer = Viewer.of(people["ana"])
    for text, most in (("pump", 6), ("hydrualic", 5), ("xylophone", 5)):  # one more for people where a topic is meant
        with CaptureQueriesContext(
            connection,
        ) as asked:
            suggest(text, viewer)
        assert len(asked) <= most, [one["sql"][:80] for one in asked]


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("Priming a feed pump", ("pu",), "Priming a feed <mark>pu</mark>mp"),
        ("Pump, pumps & Pumpkin", ("pump",), "<mark>Pump</mark>, <mark>pump</mark>s &amp; <mark>Pump</mark>kin"),
        ("Cléo", ("cle",), "<mark>Clé</mark>o"),
        ("Cle\u0301o", ("cle",), "<mark>Cle\u0301</mark>o"),
        ("Größe", ("gross",), "<mark>Größ</mark>e"),
        ("<b>pump</b>", ("pump", "b"), "&lt;<mark>b</mark>&gt;<mark>pump</mark>&lt;/<mark>b</mark>&gt;"),
        ("Node.js", ("node.j",), "<mark>Node.j</mark>s"),
        ("Node.js", ("js",), "Node.<mark>js</mark>"),
        ("hydraulics", ("hydrualic",), "<mark>hydraulics</mark>"),
        ("東京都", ("東京",), "<mark>東京</mark>都"),
        ("", ("x",), ""),
    ],
)  # fmt: skip
def test_what_was_typed_is_marked(text: str, typed: tuple[str, ...], expected: str) -> None:
    assert marked(text, typed) == expected
