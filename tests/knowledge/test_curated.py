"""What curators say about searching: read from memory, gone when taken back, and never a way to a hidden page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experts.models import Person, Team
from knowledge import edition, indexing
from knowledge import search as searching
from knowledge.access import Viewer
from knowledge.curated import Curated, PinSaid, SynonymSaid, Terms
from knowledge.documents import ResultPage
from knowledge.edition import Pin, Standing, Synonym
from knowledge.explain import also
from knowledge.index.language import parse
from knowledge.models import Audience, Resource, Source, SourceGroup

from .conftest import sync

TODAY = timezone.localdate()
EVERYONE = frozenset({"everyone"})

# Pure -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text", "stands"),
    [
        ("annual leave", "annual leave", True),
        ("annual leave", "Leaves, annual!", True),
        ("annual leave", "the annual leave", True),
        ("annual leave", "annual", False),
        ("annual leave", "annual leave form", False),
        ("annual leave", '"annual leave"', True),
        ("annual leave", "annual leave kind:page", True),
        ("annual leave", "kind:page", False),
        ("the who", "the who", True),
        ("the who", "the what", False),
        ("C++", "c++", True),
        ("C++", "c", False),
    ],
)
def test_a_pin_is_for_just_its_words(words: str, text: str, stands: bool) -> None:
    curated = Curated([PinSaid(words, "a")])
    assert curated.pins(parse(text), EVERYONE, TODAY) == (("a",) if stands else ())


def test_pins_stand_in_the_order_of_their_places_for_their_audience_until_their_day() -> None:
    board, past = Terms(frozenset({"team:1"})), Terms(until=TODAY - timedelta(days=1))
    curated = Curated(
        [
            PinSaid("leave", "c", 3, Terms(until=TODAY)),
            PinSaid("leave", "b", 2, board),
            PinSaid("leaves", "a"),
            PinSaid("leave", "z", 1, past),
        ]
    )
    assert curated.pins(parse("leave"), EVERYONE, TODAY) == ("a", "c")
    assert curated.pins(parse("leave"), EVERYONE | {"team:1"}, TODAY) == ("a", "b", "c")


def found(curated: Curated, text: str, tokens: frozenset[str] = EVERYONE) -> list[tuple[str, str]]:
    return [(" ".join(one.said), one.text) for one in curated.with_synonyms(parse(text), tokens, TODAY).synonyms]


def test_synonyms_are_found_by_the_stems_of_one_word_or_several() -> None:
    curated = Curated(
        synonyms=[
            SynonymSaid("annual leave", "holiday"),
            SynonymSaid("holiday", "annual leave"),
            SynonymSaid("PTO", "paid time-off"),
            SynonymSaid("", "nothing"),
            SynonymSaid("nothing", "?!"),
        ]
    )
    assert found(curated, "annual leaves form") == [("annual leaves", "holiday")]
    assert found(curated, "Holidays") == [("holidays", "annual leave")]
    assert found(curated, "pto holiday") == [("pto", "paid time off"), ("holiday", "annual leave")]
    for text in ("leave annual", "annual", "annual sick leave", '"annual leave"', "-holiday x", "nothing", "?"):
        assert found(curated, text) == []


def test_one_way_is_one_way_and_goes_no_further() -> None:
    curated = Curated(synonyms=[SynonymSaid("pump", "P-101"), SynonymSaid("p-101", "P-102")])
    assert found(curated, "pump") == [("pump", "p 101")]
    assert found(Curated(synonyms=[SynonymSaid("pump", "impeller")]), "impeller") == []


def test_a_synonym_that_was_typed_as_well_adds_nothing() -> None:
    assert found(Curated(synonyms=[SynonymSaid("pump", "feed pump")]), "feed pump") == []
    assert found(Curated(synonyms=[SynonymSaid("pump", "impeller")]), "pump impellers") == []


def test_a_synonym_for_some_is_for_them() -> None:
    curated = Curated(synonyms=[SynonymSaid("kestrel", "merger", Terms(frozenset({"team:1"})))])
    assert found(curated, "kestrel") == []
    assert found(curated, "kestrel", frozenset({"team:1"})) == [("kestrel", "merger")]


# Searched -------------------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(source: Source, write: Callable[..., Any]) -> Source:
    write("leave.md", "Annual leave", "Book your leave in the calendar.")
    write("holiday.md", "Office holidays", "When the office is closed.")
    write("off.md", "A day in lieu", "Time off for hours that you worked.")
    write("parental.md", "Parental leave", "Leave for parents.")
    write("secret.md", "Leave of the board", "Annual leave and holiday of the board.", audience="[board]")
    sync(source)
    indexing.index_changes()
    return source


@pytest.fixture
def ana(make_person: Callable[..., Person]) -> Viewer:
    return Viewer.of(make_person("ana"))


def page(key: str) -> Resource:
    row: Resource = Resource.objects.get(key=key)
    return row


def search(text: str, viewer: Viewer, **how: Any) -> ResultPage:
    return searching.search(text, viewer, explain=True, **how)


def keys(found: ResultPage) -> list[str]:
    return [result.resource.key.removesuffix(".md") for result in found.results]


def same(one: ResultPage, other: ResultPage) -> bool:
    """Whether a viewer could tell two answers apart."""

    def seen(found: ResultPage) -> Any:
        results = [(r.resource.key, r.title, r.passage, r.score, r.reasons, r.why) for r in found.results]
        return results, found.total, found.pages, found.facets, found.notice, found.read_as

    return bool(seen(one) == seen(other))


@pytest.mark.parametrize("engine", ["tantivy", "whoosh"])
def test_synonyms_find_what_says_it_otherwise_a_little_lower(
    engine: str, settings: Any, source: Source, write: Callable[..., Any], ana: Viewer, request: Any
) -> None:
    settings.SEARCH_ENGINE = engine
    request.getfixturevalue("pages")
    assert keys(search("annual leave", ana)) == ["leave", "parental"]
    Synonym.objects.create(words="annual leave", other="holiday", both_ways=False)
    Synonym.objects.create(words="leave", other="time off")
    shown = search("annual leave", ana)
    assert keys(shown)[0] == "leave"
    assert set(keys(shown)) == {"leave", "parental", "holiday", "off"}
    assert shown.total == 4
    off = next(result for result in shown.results if result.resource.key == "off.md")
    assert "<mark>" in off.passage
    assert {(one.word, one.instead_of) for one in off.why.words} >= {("time off", "leave")}
    assert set(also(shown)) == {"holiday", "time off"}
    assert also(search("parental", ana)) == ()
    assert keys(search("holiday", ana)) == ["holiday"], "one way only"
    assert set(keys(search("time off", ana))) == {"off", "leave", "parental"}, "both ways"


def test_what_a_curator_takes_back_is_gone_in_the_next_search(pages: Source, ana: Viewer) -> None:
    before = search("annual leave", ana)
    synonym = Synonym.objects.create(words="annual leave", other="holiday")
    pin = Pin.objects.create(words="annual leave", resource=page("parental.md"))
    assert keys(search("annual leave", ana)) == ["parental", "leave", "holiday"]
    synonym.delete()
    assert keys(search("annual leave", ana)) == ["parental", "leave"]
    pin.until = TODAY - timedelta(days=1)
    pin.save()
    assert same(search("annual leave", ana), before)
    Pin.objects.all().delete()
    assert same(search("annual leave", ana), before)


def test_a_pin_stands_first_and_says_so(pages: Source, ana: Viewer) -> None:
    Pin.objects.create(words="leave", resource=page("parental.md"), place=2)
    Pin.objects.create(words="leave", resource=page("leave.md"), place=1)
    shown = search("leaves", ana)
    assert keys(shown) == ["leave", "parental"]
    assert all(result.why.pinned for result in shown.results)
    assert not any(result.why.pinned for result in search("annual leave", ana).results)


@pytest.mark.parametrize("engine", ["tantivy", "whoosh"])
def test_a_pin_needs_none_of_the_words_but_keeps_to_the_filters(
    engine: str, settings: Any, source: Source, write: Callable[..., Any], ana: Viewer, request: Any
) -> None:
    settings.SEARCH_ENGINE = engine
    request.getfixturevalue("pages")
    before = search("leave", ana)
    Pin.objects.create(words="leave", resource=page("off.md"))
    Pin.objects.create(words="zzz", resource=page("off.md"))
    shown = search("leave", ana)
    assert (keys(shown), shown.total) == (["off", *keys(before)], before.total + 1)
    assert shown.results[0].why.sentences == ["A curator put it first for these words.", "Not in it: “leave”."]
    assert (keys(search("zzz", ana)), search("zzz", ana).total) == (["off"], 1)
    assert keys(search("leave kind:tool", ana)) == []
    assert keys(search("leave -lieu", ana)) == keys(before)
    assert keys(search("leave kind:page", ana))[0] == "off"
    assert "off" not in keys(search("parental", ana))


def test_what_is_changed_many_at_once_is_seen_in_the_next_search(pages: Source, ana: Viewer) -> None:
    """Django tells nobody what a queryset changes: each way to change many rows is one of these."""
    before = search("annual leave", ana)
    Pin.objects.bulk_create(
        [Pin(words="leave annual", resource=page(key), place=n) for n, key in ((1, "off.md"), (2, "holiday.md"))]
    )
    assert keys(search("annual leave", ana))[:2] == ["off", "holiday"]
    swapped = list(Pin.objects.order_by("-place"))
    for place, pin in enumerate(swapped, 1):
        pin.place = place
    Pin.objects.bulk_update(swapped, ["place"])
    assert keys(search("annual leave", ana))[:2] == ["holiday", "off"]
    Pin.objects.filter(resource__key="holiday.md").update(until=TODAY - timedelta(days=1))
    assert keys(search("annual leave", ana))[:1] == ["off"]
    page("off.md").pins.update(words="another")
    assert same(search("annual leave", ana), before)
    page("off.md").pins.all().delete()
    assert keys(search("another", ana)) == []
    Synonym.objects.bulk_create([Synonym(words="annual leave", other="holiday")])
    assert "holiday" in keys(search("annual leave", ana))
    Synonym.objects.update(other="nothing")
    assert same(search("annual leave", ana), before)


def test_what_changes_nothing_makes_nobody_read_anew(pages: Source, ana: Viewer) -> None:
    Pin.objects.create(words="leave", resource=page("off.md"))
    edition_now = edition.Edition.objects.get().name
    Pin.objects.filter(words="never").update(place=2)
    Pin.objects.bulk_create([])
    assert edition.Edition.objects.get().name == edition_now


def test_a_change_that_was_undone_is_no_change(pages: Source, ana: Viewer) -> None:
    Pin.objects.create(words="leave", resource=page("off.md"))
    before = search("leave", ana)
    with transaction.atomic():
        Pin.objects.update(words="else")
        transaction.set_rollback(True)
    assert same(search("leave", ana), before)


def test_pins_and_synonyms_to_hidden_pages_change_no_byte(pages: Source, ana: Viewer) -> None:
    texts = ("leave", "annual leave", "holiday", "board", "kestrel", "annual leave kind:page")
    before = [search(text, ana) for text in texts]
    Standing.objects.create(resource=page("secret.md"), use=4, edition=edition.Edition.objects.rise())
    for words in ("leave", "annual leave", "holiday", "kestrel"):
        Pin.objects.create(words=words, resource=page("secret.md"))
    Synonym.objects.create(words="kestrel", other="leave of the board")
    Synonym.objects.create(words="holiday", other="of the board")
    after = [search(text, ana) for text in texts]
    assert all(same(one, other) for one, other in zip(before, after, strict=True))


def test_who_may_read_the_page_sees_its_pin(pages: Source, ana: Viewer, make_person: Any) -> None:
    Pin.objects.create(words="leave", resource=page("secret.md"))
    Pin.objects.create(words="leave", resource=page("parental.md"), place=2)
    director = make_person("director")
    SourceGroup.objects.create(source=pages, name="board", token=f"person:{director.pk}")
    assert keys(search("leave", Viewer.of(director)))[:2] == ["secret", "parental"]
    assert keys(search("leave", ana))[0] == "parental"
    SourceGroup.objects.all().delete()
    assert "secret" not in keys(search("leave", Viewer.of(director)))


def test_a_pair_that_tells_too_much_is_for_those_who_may_know_it(pages: Source, ana: Viewer) -> None:
    before = search("kestrel", ana)
    Synonym.objects.create(words="kestrel", other="leave", audience=Audience.objects.of(["team:1"]))
    Pin.objects.create(words="kestrel", resource=page("leave.md"), audience=Audience.objects.of(["team:1"]))
    assert same(search("kestrel", ana), before)
    assert keys(search("kestrel", Viewer(ana.person_id, ana.tokens | {"team:1"})))[0] == "leave"


def test_memory_is_read_anew_only_when_the_edition_rises(
    pages: Source, ana: Viewer, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):
        search("leave", ana, remember=False)
    Synonym.objects.create(words="leave", other="holiday")
    search("leave", ana)
    with django_assert_num_queries(3):
        assert "holiday" in keys(search("leave", ana, remember=False))


def test_another_database_is_never_taken_for_this_one(pages: Source, ana: Viewer) -> None:
    """A restored backup may have the same number and other rows."""
    Synonym.objects.create(words="leave", other="holiday")
    assert "holiday" in keys(search("leave", ana))
    Synonym.objects.all().delete()
    edition.Edition.objects.all().delete()
    Pin.objects.create(words="x", resource=page("leave.md"))
    assert "holiday" not in keys(search("leave", ana))


def test_a_page_that_is_gone_takes_its_pins_with_it(pages: Source, ana: Viewer) -> None:
    Pin.objects.create(words="leave", resource=page("parental.md"))
    assert keys(search("leave", ana))[0] == "parental"
    Resource.objects.filter(key="parental.md").delete()
    assert not Pin.objects.exists()
    assert "parental" not in keys(search("leave", ana))


# Written --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def operator(make_person: Callable[..., Person], client: Client) -> Person:
    person = make_person("operator", is_staff=True, is_superuser=True)
    client.force_login(person)
    return person


def write_pin(client: Client, address: str, **more: Any) -> Any:
    said = {"words": "annual leave", "page": address, "place": 1, "for_whom": "everyone", "until": ""} | more
    return client.post(reverse("admin:knowledge_pin_add"), said)


def test_an_operator_pins_by_the_address_of_a_page(pages: Source, operator: Person, client: Client) -> None:
    leave = page("leave.md")
    assert write_pin(client, f"https://portal.example{leave.get_absolute_url()}?s=1#top").status_code == 302
    assert Pin.objects.get().resource == leave
    listed = client.get(reverse("admin:knowledge_pin_changelist")).content.decode()
    assert "Annual leave" in listed


def test_who_may_not_read_a_page_neither_pins_it_nor_reads_its_title(
    pages: Source, operator: Person, client: Client
) -> None:
    secret, never = page("secret.md"), "/r/00000000-0000-4000-8000-000000000000"
    hidden, unknown = (write_pin(client, address) for address in (secret.get_absolute_url(), never))
    assert (hidden.status_code, unknown.status_code) == (200, 200)
    assert not Pin.objects.exists()
    errors = [answer.context["adminform"].form.errors for answer in (hidden, unknown)]
    assert errors[0] == errors[1]
    pin = Pin.objects.create(words="leave", resource=secret)
    for name, args in (("changelist", []), ("change", [pin.pk]), ("delete", [pin.pk]), ("history", [pin.pk])):
        answer = client.get(reverse(f"admin:knowledge_pin_{name}", args=args))
        assert answer.status_code == 200
        assert "Leave of the board" not in answer.content.decode(), name


@pytest.mark.parametrize("model", [Pin, Synonym])
def test_what_an_operator_removes_from_the_list_is_gone_in_the_next_search(
    pages: Source, operator: Person, client: Client, ana: Viewer, model: Any
) -> None:
    before = search("leave", ana)
    Pin.objects.create(words="leave", resource=page("off.md"))
    Synonym.objects.create(words="leave", other="closed")
    (Synonym if model is Pin else Pin).objects.all().delete()
    assert not same(search("leave", ana), before)
    name = model._meta.model_name
    ticked = {"action": "delete_selected", "_selected_action": [row.pk for row in model.objects.all()], "post": "yes"}
    assert client.post(reverse(f"admin:knowledge_{name}_changelist"), ticked).status_code == 302
    assert not model.objects.exists()
    assert same(search("leave", ana), before)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("words", "?!"),
        ("page", "nonsense"),
        ("page", ""),
        ("for_whom", "team:99"),
        ("until", "tomorrow"),
        ("place", "-1"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    pages: Source, operator: Person, client: Client, field: str, value: str
) -> None:
    said = {"page": page("leave.md").get_absolute_url()} | {field: value}
    answer = write_pin(client, said.pop("page"), **said)
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not Pin.objects.exists()


def test_a_synonym_is_written_for_a_team(operator: Person, client: Client, ana: Viewer) -> None:
    team = Team.objects.create(name="Pumps", slug="pumps")
    said = {
        "words": " P-101 ",
        "other": "the feed  pump",
        "both_ways": "on",
        "for_whom": f"team:{team.pk}",
        "until": "",
    }
    assert client.post(reverse("admin:knowledge_synonym_add"), said).status_code == 302
    row = Synonym.objects.get()
    assert (row.words, row.other, row.audience and row.audience.tokens) == (
        "P-101",
        "the feed pump",
        [f"team:{team.pk}"],
    )
