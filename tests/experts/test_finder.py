"""Who knows: people ranked by documents that the asker may read, with reasons that open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts import choices
from experts.asking import turns
from experts.asking.asks import Answer, Ask, Thanks
from experts.finder import crowd, find, levels
from experts.mentoring.mentorships import Offer
from experts.models import OwnTopic, Person
from experts.sayings import _sayings
from knowledge.access import Ground, Viewer
from knowledge.documents import EVERYONE, Contribution, Document
from knowledge.models import Audience, Pin, Resource
from knowledge.questions import Question
from knowledge.search import search
from tests import small_company

pytestmark = pytest.mark.django_db

AGO = small_company.days_ago
KETTLE = "Descale the kettle with citric acid until the lime is gone."


def by(name: str, share: float = 1.0, days: int = 30) -> Contribution:
    return Contribution(name, share=share, last=AGO(days))


def page(key: str, *authors: Contribution, title: str = "", body: str = KETTLE, **more: Any) -> Document:
    return Document(key=key, title=title or f"Kettle notes {key}", body=body, contributions=authors, **more)


@pytest.fixture
def people(make_person: Callable[..., Any]) -> dict[str, Person]:
    names = {"ana": "Ana Lima", "ben": "Ben Okafor", "cleo": "Cleo Brandt", "dan": "Dan Ives"}
    return {key: make_person(key, name=name) for key, name in names.items()}


@pytest.fixture
def tell(hold: Callable[..., Any]) -> Callable[..., Any]:
    """Make a source hold these documents, and index them."""

    def told(*documents: Document, name: str = "handbook", **more: Any) -> Any:
        source = hold(name, documents, **more)
        small_company.index()
        return source

    return told


def viewer(person: Any) -> Viewer:
    return Viewer.of(get_user_model().objects.get(pk=person.pk))


def names(experts: Any) -> list[str]:
    return [one.person.display_name for one in experts]


def test_who_wrote_most_of_what_matches_comes_first_with_reasons_that_open(
    people: dict[str, Person], tell: Callable[..., Any], client: Client
) -> None:
    tell(
        page("a", by("Ana Lima"), title="Descaling a kettle"),
        page("b", by("Ana Lima", 0.6), by("Ben Okafor", 0.4), title="Descaling the big kettle"),
        page("c", by("Cleo Brandt"), title="Parking", body="Bays behind the mill. The kettle stands there, too."),
    )
    found = find("descaling a kettle", viewer(people["dan"]))
    assert names(found) == ["Ana Lima", "Ben Okafor"], "to share the commonest word of a question is not to be about it"
    ana, ben = found
    assert ana.documents == 2
    assert ana.reasons[0].text.startswith("Wrote or edited 2 pages that you can read, the newest in ")
    assert ben.reasons[0].text.startswith("Edited “Descaling the big kettle” in ")
    client.force_login(people["dan"])
    assert parse_qs(urlsplit(ana.reasons[0].url).query)["q"] == ['descaling a kettle by:"Ana Lima"']
    opened = client.get(ana.reasons[0].url).content.decode()
    assert "Kettle notes" not in opened
    assert opened.count("big <mark>kettle</mark>") == 1
    assert "Descaling the big kettle" in client.get(ben.reasons[0].url).content.decode()


def test_what_nobody_can_know_is_nobodys_and_what_somebody_holds_is_theirs(
    people: dict[str, Person], tell: Callable[..., Any]
) -> None:
    """A word or two in common with a question that nobody can know burdens nobody, in the finder or by a turn."""
    bodies = {
        "soup": "Which restaurants serve it late.",
        "board": "The board meets at noon.",
        "level": "A level floor.",
    }
    tell(*(page(key, by("Ana Lima"), title=key.title(), body=body) for key, body in bodies.items()))
    dan = viewer(people["dan"])
    for asked in ("Which restaurants in Oslo serve fermented herring?", "soldering at board level", "herring"):
        assert find(asked, dan) == []
        assert turns.choice_for(turns.Sought(asked, frozenset(), dan), timezone.now()) is None
    assert names(find("which restaurants serve late soup", dan)) == ["Ana Lima"]
    assert turns.choice_for(turns.Sought("late soup", frozenset(), dan), timezone.now())


def test_what_the_asker_may_not_read_is_no_evidence(
    people: dict[str, Person], tell: Callable[..., Any], make_person: Callable[..., Any]
) -> None:
    tell(page("open", by("Ana Lima")))
    tell(
        *(page(f"hidden-{n}", by("Ben Okafor")) for n in range(3)), name="board",
        audience=[f"person:{people['cleo'].pk}"],
    )  # fmt: skip
    assert names(find("kettle", viewer(people["dan"]))) == ["Ana Lima"]
    assert names(find("kettle", viewer(people["cleo"]))) == ["Ben Okafor", "Ana Lima"]


def test_a_withdrawn_right_is_gone_in_the_next_request(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    """The index still holds everybody's page; the database alone says that it is nobody's any more."""
    source = tell(page("a", by("Ana Lima")))
    me, shown = viewer(people["dan"]), search("kettle", viewer(people["dan"]))
    assert names(find("kettle", me)) == names(find("kettle", me, found=shown)) == ["Ana Lima"]
    Resource.objects.filter(source=source).update(audience=Audience.objects.of(["person:0"]))
    assert find("kettle", me) == find("kettle", me, found=shown) == []
    assert levels([people["ana"]], ["kettle"], me)[people["ana"].pk, "kettle"].depth == "none"


def test_recent_work_comes_before_as_good_old_work(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(page("old", by("Ana Lima", days=4000), title="Kettle"), page("new", by("Ben Okafor", days=10), title="Kettle"))
    found = find("kettle", viewer(people["dan"]))
    assert names(found) == ["Ben Okafor", "Ana Lima"]


def test_a_pin_moves_documents_and_not_people(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(
        *(page(f"best-{n}", by("Ana Lima"), title="Descaling a kettle") for n in range(2)),
        page("pinned", by("Ben Okafor"), title="Parking", body="Bays behind the mill."),
    )
    before = find("descaling a kettle", viewer(people["dan"]))
    Pin.objects.create(words="descaling a kettle", resource=Resource.objects.get(key="pinned"))
    after = find("descaling a kettle", viewer(people["dan"]))
    assert search("descaling a kettle", viewer(people["dan"])).results[0].resource.key == "pinned"
    assert names(before) == names(after) == ["Ana Lima"]
    assert after[0].score == pytest.approx(before[0].score)


def test_what_is_told_of_people_is_no_document(
    people: dict[str, Person], tell: Callable[..., Any], read_people: Callable[[], Any]
) -> None:
    """A person's own document repeats what they wrote: it neither votes nor says what matches best."""
    tell(page("a", by("Ana Lima"), title="Descaling"), page("b", by("Ben Okafor"), title="Parking", body="No lime."))
    before = find("lime", viewer(people["dan"]))
    Person.objects.update(about="Lime. " * 20)
    read_people()
    small_company.index()
    me = viewer(people["dan"])
    assert {result.resource.kind for result in search("lime", me).results} == {"page", "person"}
    after = find("lime", me)
    assert [(one.person, one.reasons, one.documents) for one in after] == [
        (one.person, one.reasons, one.documents) for one in before
    ]
    assert after == find("lime", me, found=search("lime", me))


def test_hidden_people_and_those_who_left_are_not_found(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(page("a", by("Ana Lima")), page("b", by("Ben Okafor")), page("c", by("Cleo Brandt")))
    choices.hide(person=people["ana"])
    Person.objects.filter(pk=people["ben"].pk).update(is_active=False)
    assert names(find("kettle", viewer(people["dan"]))) == ["Cleo Brandt"]
    assert names(find("kettle", viewer(people["ana"]))) == ["Cleo Brandt"]
    assert find("kettle", viewer(people["dan"]), without=[people["cleo"].pk]) == []


def test_what_is_disowned_or_kept_to_oneself_does_not_count(
    people: dict[str, Person], tell: Callable[..., Any]
) -> None:
    source = tell(
        page("a", by("Ana Lima"), by("Ben Okafor"), topics=("Kettles",)), page("b", by("Cleo Brandt"), topics=("Tea",))
    )
    choices.disown(person=people["ben"], resource=source.resources.get(key="a"))
    choices.say_of_topic(person=people["cleo"], name="tea", hidden=True)
    small_company.index()
    assert names(find("descale lime", viewer(people["dan"]))) == ["Ana Lima"]
    choices.say_of_topic(person=people["ana"], name="Kettle", ask="no")
    assert find("lime in a kettle", viewer(people["dan"])) == find(["kettle"], viewer(people["dan"])) == []
    assert names(find("descale lime", viewer(people["dan"]))) == ["Ana Lima"]


def test_saying_so_stands_behind_all_evidence(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(page("a", by("Cleo Brandt", 0.02, 5000), body="One word of the kettle in a page about the mill. " * 30))
    choices.say_of_topic(person=people["ana"], name="Kettle", knows=True)
    Offer.objects.create(person=people["ben"], key="kettle", name="Kettle")
    choices.say_of_topic(person=people["cleo"], name="Kettle", knows=True)
    found = find("kettle", viewer(people["dan"]))
    assert names(found)[0] == "Cleo Brandt"
    assert {one.person.display_name: one.reasons[-1].text for one in found} == {
        "Cleo Brandt": "Says that they know Kettle.",
        "Ana Lima": "Says that they know Kettle.",
        "Ben Okafor": "Offers to mentor in Kettle.",
    }
    assert [one.score > 0 for one in found] == [True, False, False]
    assert names(found)[1:] == ["Ben Okafor", "Ana Lima"], "who offers to teach it comes before who says so"
    assert found[2].reasons[0].url == people["ana"].get_absolute_url()
    assert names(find("kettle", viewer(people["dan"]), count=1)) == ["Cleo Brandt"]


def answered(author: Person, asker: Person, text: str, *, thanks: int = 0, givers: Any = ()) -> Document:
    ask = Ask.objects.create(text=text, author=asker, audience=Audience.objects.of([EVERYONE]))
    answer = Answer.objects.create(ask=ask, author=author, body=KETTLE, accepted_at=timezone.now())
    Thanks.objects.bulk_create(Thanks(person=author, giver=giver, answer=answer) for giver in givers)
    return Document(
        key=answer.public_id.hex, title=text, body=KETTLE, kind="answer", contributions=(by(author.name, days=1),)
    )


def test_accepted_answers_and_thanks_are_evidence(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    ana, ben, cleo, dan = people.values()
    tell(
        answered(ana, dan, "How is the kettle descaled?"),
        answered(ben, dan, "How is the kettle descaled?", givers=(cleo, dan)),
    )
    found = find("how is a kettle descaled", viewer(dan))
    assert names(found) == ["Ben Okafor", "Ana Lima"]
    month = timezone.localtime(AGO(1)).strftime("%B %Y")
    assert found[0].reasons[0].text == f"1 answer accepted in {month}, thanked 2 times."
    assert found[1].reasons[0].text == f"1 answer accepted in {month}."


def test_three_questions_whether_or_not_a_search_was_made(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(*(page(f"p{n}", by("Ana Lima"), by("Ben Okafor")) for n in range(30)))
    choices.say_of_topic(person=people["cleo"], name="Kettle", knows=True)
    me = viewer(people["dan"])
    shown = search("kettle", me, ground=Ground(me))
    for asked in ("kettle", "zanzibar"):
        with CaptureQueriesContext(connection) as queries:
            find(asked, me, found=shown)
        assert len(queries) == 3
    assert find("kettle", me, found=shown) == find("kettle", me)


@pytest.mark.parametrize("asked", ["", "   ", "-", "by:nobody", '"', "\x00", "a" * 20_000, [], [""], ["C++", "-x OR"]])
def test_anything_can_be_asked(people: dict[str, Person], tell: Callable[..., Any], asked: Any) -> None:
    tell(page("a", by("Ana Lima")))
    assert find(asked, viewer(people["dan"])) == []


def test_nobody_is_found_where_there_is_no_index(people: dict[str, Person]) -> None:
    assert find("kettle", viewer(people["dan"])) == []


def test_nobody_is_told_to_whoever_is_not_signed_in(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(page("a", by("Ana Lima")))
    assert find("kettle", Viewer(None, frozenset())) == []


def test_levels_are_coarse_fade_and_tell_why(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    ana, ben, cleo, dan = people.values()
    tell(
        *(page(f"a{n}", by("Ana Lima", days=100 + n)) for n in range(4)),
        *(page(f"b{n}", by("Ben Okafor", days=100 + n), title=f"Kettle {n}") for n in range(2)),
        *(page(f"c{n}", by("Cleo Brandt", days=4000), title=f"Kettle, too {n}") for n in range(4)),
        page("tagged", by("Ben Okafor"), body="Nothing of it in words.", title="Steam", topics=("Kettles",)),
    )
    choices.say_of_topic(person=dan, name="Kettle", knows=True)
    known = levels([ana, ben, cleo, dan], ["Kettle", "Zanzibar"], viewer(dan))
    assert [known[who.pk, "Kettle"].depth for who in (ana, ben, cleo, dan)] == [
        "deeply", "practised", "learning", "none",
    ]  # fmt: skip
    assert known[ana.pk, "Kettle"].documents == 4
    assert known[ana.pk, "Kettle"].text.startswith("Wrote or edited 4 pages that you can read, the newest in ")
    assert known[ana.pk, "Kettle"].last == max(one.last for one in [known[ana.pk, "Kettle"]] if one.last)
    assert "Says that they know it" in known[dan.pk, "Kettle"].text
    assert {known[who.pk, "Zanzibar"].depth for who in (ana, ben, cleo, dan)} == {"none"}
    assert levels([ben], ["kettles"], viewer(dan))[ben.pk, "kettles"].documents == 3
    choices.say_of_topic(person=ana, name="Kettle", hidden=True)
    assert levels([ana], ["Kettle"], viewer(dan))[ana.pk, "Kettle"].depth == "none"


def test_a_crowd_is_whom_each_topic_finds_with_their_levels_in_all(
    people: dict[str, Person], tell: Callable[..., Any]
) -> None:
    ana, ben, cleo, dan = people.values()
    tell(
        *(page(f"a{n}", by("Ana Lima", days=9), by("Ben Okafor", days=1500), topics=("Kettles",)) for n in range(5)),
        *(page(f"b{n}", by("Ben Okafor", days=9), title=f"Lime {n}", body="Lime scale.") for n in range(2)),
        page("c", by("Cleo Brandt", days=9), title="Lime, too", body="Lime scale."),
    )
    choices.say_of_topic(person=cleo, name="lime", ask="no")
    me, topics = viewer(dan), ["kettles", "lime"]
    found = crowd(topics, Ground(me), count=2)
    assert found.people == {one.person.pk for topic in topics for one in find([topic], me, count=2)} == {ana.pk, ben.pk}
    every = levels([ana, ben, cleo], topics, me)
    for who in (ana, ben, cleo):
        told = {topic: every[who.pk, topic] for topic in topics if every[who.pk, topic].documents}
        if who == cleo:
            assert told.pop("lime").depth == "learning", "said of what she wrote, and not held out to whoever asks"
        assert found.levels(who) == told
    assert {topic: level.depth for topic, level in found.levels(ben).items()} == {
        "kettles": "practised", "lime": "practised",
    }  # fmt: skip
    assert found.levels(dan) == {}


def test_of_many_who_only_say_so_each_asker_meets_others_and_the_same_again(
    people: dict[str, Person], tell: Callable[..., Any], make_person: Callable[..., Any], monkeypatch: Any
) -> None:
    tell(page("a", by("Ana Lima"), body=f"{KETTLE} Mind the steam."))
    some = [make_person(f"says{n}", name=f"Says {n}") for n in range(12)]
    OwnTopic.objects.bulk_create(OwnTopic(person=one, key="kettle", name="Kettle", knows=True) for one in some)
    OwnTopic.objects.filter(person=some[0]).update(ask="no")
    choices.say_of_topic(person=people["ana"], name="Kettle", knows=True)
    Offer.objects.create(person=some[1], key="kettle", name="Kettle")
    Offer.objects.create(person=some[1], key="steam", name="Steam")
    Offer.objects.create(person=some[1], key="descaling", name="Descaling")
    monkeypatch.setattr("experts.sayings.MOST_SAYING", 3)
    monkeypatch.setattr("experts.sayings.SAID", Question(_sayings))
    asked = "descaling steam kettle"
    met = {one.pk: names(find(asked, viewer(one), count=9)) for one in [people["dan"], *some]}
    assert met[people["dan"].pk] == names(find(asked, viewer(people["dan"]), count=9))
    assert {tuple(found[:2]) for found in met.values()} == {("Ana Lima", "Says 1")}, "who did it, then who teaches it"
    assert {len(found) for found in met.values()} <= {4, 5}
    assert not any("Says 0" in found for found in met.values())
    assert len({name for found in met.values() for name in found}) == 12, "everybody has their turn"
    ana, mentor, *_ = find(asked, viewer(people["dan"]))
    assert ana.reasons[-1].text == "Says that they know Kettle."
    assert mentor.reasons[0].text == "Offers to mentor in Descaling, Kettle and Steam."


def test_levels_leave_out_what_the_viewer_may_not_read(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(*(page(f"p{n}", by("Ana Lima")) for n in range(5)), name="board", audience=[f"person:{people['cleo'].pk}"])
    told = {key: levels([people["ana"]], ["kettle"], viewer(people[key])) for key in ("cleo", "dan")}
    assert told["cleo"][people["ana"].pk, "kettle"].depth == "deeply"
    assert told["dan"][people["ana"].pk, "kettle"].depth == "none"


def test_levels_ask_the_database_as_often_for_many_people(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(*(page(f"p{n}", by("Ana Lima"), by("Ben Okafor")) for n in range(9)))
    me = viewer(people["dan"])
    ground = Ground(me)
    levels(list(people.values()), ["kettle"], me, ground=ground)  # what a request reads once
    for some in ([people["ana"]], list(people.values())):
        with CaptureQueriesContext(connection) as queries:
            levels(some, ["kettle", "lime"], me, ground=ground)
        assert len(queries) <= 5


def test_years_are_counted_from_the_last_change(people: dict[str, Person], tell: Callable[..., Any]) -> None:
    tell(page("p", Contribution("Ana Lima", last=timezone.now() + timedelta(days=40))))
    assert names(find("kettle", viewer(people["dan"]))) == ["Ana Lima"]


# Over the API ---------------------------------------------------------------------------------------------------


def test_the_api_tells_who_knows_and_no_score(
    people: dict[str, Person], tell: Callable[..., Any], client: Client
) -> None:
    tell(page("a", by("Ana Lima")), page("b", by("Ana Lima"), by("Ben Okafor")))
    client.force_login(people["dan"])
    told = client.get("/api/v1/people", {"q": "kettle", "count": "1"}).json()
    (ana,) = find("kettle", viewer(people["dan"]), count=1)
    assert told == [{
        "id": str(people["ana"].public_id), "name": "Ana Lima", "role": "", "documents": 2,
        "reasons": [{"text": ana.reasons[0].text, "url": ana.reasons[0].url}],
        "last": told[0]["last"],
    }]  # fmt: skip
    assert told[0]["last"][:10] == ana.last.date().isoformat() if ana.last else False
    assert client.get("/api/v1/people", {"q": "zanzibar"}).json() == []


@pytest.mark.parametrize("wrong", [{}, {"q": ""}, {"q": "a", "count": 0}, {"q": "a", "count": 21}, {"q": "a\0b"}])
def test_the_api_says_what_is_wrong(people: dict[str, Person], client: Client, wrong: dict[str, Any]) -> None:
    client.force_login(people["dan"])
    answer = client.get("/api/v1/people", wrong)
    assert answer.status_code == 422
    assert set(answer.json()) <= {"q", "count"}


def test_the_api_tells_strangers_nothing(people: dict[str, Person], tell: Callable[..., Any], client: Client) -> None:
    tell(page("a", by("Ana Lima")))
    assert client.get("/api/v1/people", {"q": "kettle"}).status_code == 403
