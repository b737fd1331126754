"""The team builder and its proposals, as browsers get them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from experts.actions import deactivate
from experts.asking import actions as asking
from experts.models import Availability, Closed, Notice, OwnTopic, Person, Place, Proposal, Team, Turn
from experts.notices import _tellers
from experts.teams import proposals
from experts.teams.formation import Need
from knowledge.access import Viewer
from knowledge.documents import Document
from tests import small_company
from tests.experts.conftest import page, plain

BUILD = "/teams/build"


@pytest.fixture
def crew(make_person: Callable[..., Any], hold: Callable[..., Any]) -> dict[str, Person]:
    """Three people who know pumps, seals or both, and one who looks; a course about alignment."""
    names = {"ana": "Ana Lima", "ben": "Ben Okafor", "cleo": "Cléo Martin", "owner": "Olu Adeyemi"}
    people = {key: make_person(key, name=name, email=f"{key}@example.org") for key, name in names.items()}
    pages = [page(f"p{n}", "Ana Lima", "Ben Okafor", topics=("Pumps",)) for n in range(4)]
    pages += [page(f"s{n}", "Cléo Martin", topics=("Seals",)) for n in range(4)]
    pages += [page("a", "Ben Okafor", title="Alignment of shafts", topics=("Alignment",))]
    pages += [
        Document("c", "Laser alignment", "Alignment of shafts in two days.", kind="course", topics=("Alignment",))
    ]
    hold("handbook", pages)
    small_company.index()
    return people


@pytest.fixture
def owner(client: Client, crew: dict[str, Person]) -> Client:
    client.force_login(crew["owner"])
    return client


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def built(client: Client, **query: Any) -> str:
    answer = client.get(BUILD, query)
    assert answer.status_code == 200
    return answer.content.decode()


def team_of(client: Client, **query: Any) -> list[str]:
    found = client.get(BUILD, query).context["found"]
    return [one.person.display_name for one in found.people]


def asked_for(people: list[Person], **more: Any) -> dict[str, Any]:
    return {"q": "Overhaul", "said": "Overhaul", "must": ["Pumps", "Seals"], "hours": 2, "most": 5, "ask": "1",
            "with": [str(one.public_id) for one in people]} | more  # fmt: skip


def made(client: Client, people: list[Person], **more: Any) -> Proposal:
    answer = client.post(BUILD, asked_for(people, **more))
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return Proposal.objects.get(public_id=answer["Location"].strip("/").split("/")[-1])


def who_was_asked(row: Proposal) -> dict[str, bool]:
    return {place.person.username: bool(place.asked_at) for place in row.places.select_related("person")}


# From words to a team ------------------------------------------------------------------------------------------------


def topics_of(client: Client, query: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(need.topic, need.critical) for need in client.get(BUILD, query).context["asked"].needs]


def test_topics_are_proposed_from_a_sentence_and_can_be_removed_without_javascript(owner: Client) -> None:
    text = "Overhaul the pumps and their seals"
    assert 'name="drop" value="Pumps"' in built(owner, q=text)
    assert topics_of(owner, {"q": text}) == [("Pumps", True), ("Seals", True)]
    assert topics_of(owner, {"q": text, "said": text, "must": ["Pumps", "Seals"], "drop": "Pumps"}) == [("Seals", True)]
    assert topics_of(owner, {"q": text, "said": text}) == [], "what was removed stays removed"


def test_a_topic_within_a_longer_one_is_not_proposed_beside_it(owner: Client, hold: Callable[..., Any]) -> None:
    hold("more", [page("x", topics=("Water quality", "Quality", "Water"))])
    small_company.index()
    assert topics_of(owner, {"q": "Mind the water quality of pumps"}) == [("Pumps", True), ("Water quality", True)]


def test_what_a_sentence_is_about_without_naming_it_is_proposed_as_nice(
    owner: Client, hold: Callable[..., Any], crew: dict[str, Person]
) -> None:
    text = "Swap the leaking gasket on a compressor"
    told = Document("g", "A gasket that leaks", "Compressor gasket, leaking.", topics=("Sealing", "One alone"))
    hold("more", [told, Document("h", "Swap a compressor gasket", "It leaks.", topics=("Sealing",))])
    small_company.index()
    assert topics_of(owner, {"q": text}) == [("Sealing", False)], "one document alone says little of what it is about"
    team = Team.objects.create(name="Elsewhere", slug="elsewhere")
    small_company.source_of(
        "secret",
        [Document(f"z{n}", f"Swap a compressor gasket {n}", "Leaking.", topics=("Zyxwv",)) for n in range(5)],
        audience=[f"team:{team.pk}"],
    )
    small_company.index()
    assert topics_of(owner, {"q": text}) == [("Sealing", False)], "what one may not read proposes nothing"


def test_who_knows_a_job_as_a_whole_is_looked_for_where_no_document_has_a_topic(
    client: Client, crew: dict[str, Person], hold: Callable[..., Any]
) -> None:
    client.force_login(crew["owner"])
    text = "Prepare the payroll run at month end"
    hold("plain", [Document(f"w{n}", f"Payroll run {n}", "How the payroll run goes at month end.",
                            contributions=page("x", "Ana Lima").contributions) for n in range(2)])  # fmt: skip
    small_company.index()
    html = built(client, q=text)
    assert "Who knows about this job as a whole" in html
    assert team_of(client, q=text) == ["Ana Lima"]
    ((whole, must),) = topics_of(client, {"q": text})
    assert (whole, must) == ("“prepare payroll run month end”", True)
    again = {"q": text, "said": text, "must": [whole]}
    assert team_of(client, **again) == ["Ana Lima"]
    assert "This job as a whole" in built(client, **again)
    assert topics_of(client, again | {"drop": whole}) == []
    assert "as a whole" not in built(client, q="Seals"), "a topic that is the whole sentence is a topic"
    assert topics_of(client, {"q": "?!"}) == []


def test_a_topic_turns_from_must_to_nice_and_another_is_added(owner: Client) -> None:
    turned = topics_of(owner, {"must": ["Pumps"], "turn": "Pumps", "add": "Seals, pumps"})
    assert turned == [("Seals", True), ("Pumps", False)]


def test_the_matrix_says_who_covers_what_and_what_if_one_is_away(owner: Client) -> None:
    html = built(owner, must=["Pumps", "Seals"])
    found = owner.get(BUILD, {"must": ["Pumps", "Seals"]}).context["found"]
    assert {one.person.display_name for one in found.people} == {"Ana Lima", "Ben Okafor", "Cléo Martin"}
    assert [(row.topic, row.away, row.risk) for row in found.rows] == [
        ("Pumps", "still covered", False), ("Seals", "only Cléo Martin", True)]  # fmt: skip
    assert "Three people cover two of two topics in 6 hours a week." in html
    assert '<th scope="row">Pumps' in html
    assert 'role="region"' in html
    assert "practised" in html


def test_a_gap_says_who_is_near_and_where_to_go_on(owner: Client) -> None:
    html = built(owner, must=["Pumps", "Alignment", "Type approval"])
    assert "Nobody was found who knows Alignment and Type approval." in html
    gaps = {gap.topic: gap for gap in owner.get(BUILD, {"must": ["Alignment", "Type approval"]}).context["found"].gaps}
    assert [one.display_name for one in gaps["Alignment"].near] == ["Ben Okafor"]
    assert [result.resource.title for result in gaps["Alignment"].found] == ["Laser alignment"]
    assert f"{reverse('experts:mentoring')}?topic=Type%20approval" in html
    assert f"{reverse('experts:ask-new')}?q=Who%20knows%20about%20Type%20approval%3F" in html
    assert "Ask Ben Okafor to learn it" in html


def test_a_gap_names_who_knows_it_and_is_not_in_the_team_and_why(owner: Client, crew: dict[str, Person]) -> None:
    query: dict[str, Any] = {"must": ["Pumps", "Seals"], "most": 2}
    html = " ".join(built(owner, **query).split())
    (missing,) = {"Ana Lima", "Ben Okafor"} - set(team_of(owner, **query))
    assert f"{missing}</a> knows it too: more than two would be needed." in html
    one = str(crew["cleo"].public_id)
    html = built(owner, **query | {"must": ["Pumps"], "with": str(crew["ben"].public_id)})
    assert "Ana Lima</a> knows it too: this line-up leaves them out." in html
    found = owner.get(BUILD, query | {"most": 1, "with": one}).context["found"]
    assert "Nobody in it knows Pumps." in found.lede
    assert "Nobody was found" not in found.lede


def test_other_line_ups_are_links_that_lead_to_exactly_those_people(owner: Client) -> None:
    first = owner.get(BUILD, {"must": ["Pumps", "Seals"]})
    others = first.context["others"]
    assert others
    for other, address in others:
        there = owner.get(address).context["found"]
        assert {one.key for one in there.people} == set(other.keys)
    assert any("2 hours less." in other.changes for other, _ in others)
    assert "Back to the first line-up" in owner.get(others[0][1]).content.decode()


def test_no_more_people_are_in_a_team_than_were_wanted_whatever_the_address_says(
    owner: Client, crew: dict[str, Person]
) -> None:
    everybody = [str(one.public_id) for one in crew.values()] * 3
    assert len(team_of(owner, must=["Pumps", "Seals"], most=2, **{"with": everybody})) == 2


def test_free_hours_show_where_somebody_chose_to_show_them(owner: Client, crew: dict[str, Person]) -> None:
    Availability.objects.create(person=crew["cleo"], hours_a_week=6, shows_time=True)
    html = built(owner, must=["Pumps", "Seals"], hours=3)
    assert '<td class="num">3 of 6</td>' in html
    assert html.count('<td class="num">3</td>') == 2
    assert "Cléo Martin" not in team_of(owner, must=["Seals"], hours=7)


def test_hours_that_somebody_keeps_to_themselves_change_nothing(owner: Client, crew: dict[str, Person]) -> None:
    before = [plain(owner.get(BUILD, {"must": ["Seals"], "hours": hours}).content) for hours in (1, 5, 6, 7, 40)]
    Availability.objects.create(person=crew["cleo"], hours_a_week=6)
    assert [
        plain(owner.get(BUILD, {"must": ["Seals"], "hours": hours}).content) for hours in (1, 5, 6, 7, 40)
    ] == before


@pytest.mark.parametrize("how", ["hidden", "closed", "full", "never", "not this", "left", "no hours"])
def test_who_does_not_want_to_be_asked_is_as_if_they_were_not(owner: Client, crew: dict[str, Person], how: str) -> None:
    cleo, today = crew["cleo"], timezone.localdate()
    without = plain(owner.get(BUILD, {"must": ["Seals"]}).content)
    assert b"Martin" in without
    if how == "hidden":
        Availability.objects.create(person=cleo, hidden=True)
    elif how == "closed":
        Closed.objects.create(person=cleo, since=today, until=today)
    elif how == "full":
        from experts.models import Ask
        from knowledge.models import Audience

        for n in range(3):
            ask = Ask.objects.create(text=f"Why {n}?", author=crew["ana"], audience=Audience.objects.of(["everyone"]))
            Turn.objects.create(ask=ask, person=cleo)
    elif how == "never":
        Availability.objects.create(person=cleo, asks_a_week=0)
    elif how == "not this":
        OwnTopic.objects.create(person=cleo, key="seals", name="Seals", ask=OwnTopic.Ask.NO)
    elif how == "left":
        Person.objects.filter(pk=cleo.pk).update(is_active=False)
    else:
        Availability.objects.create(person=cleo, hours_a_week=1, shows_time=True)
    gone = owner.get(BUILD, {"must": ["Seals"]}).content
    nobody = owner.get(BUILD, {"must": ["Zymurgy"]}).content
    assert b"Martin" not in gone
    assert plain(gone).replace(b"Seals", b"Zymurgy") == plain(nobody), "nothing tells it from a topic that nobody knows"


def test_hidden_documents_change_nothing_in_the_matrix(
    owner: Client, hold: Callable[..., Any], crew: dict[str, Person]
) -> None:
    query = {"must": ["Pumps", "Alignment", "Salaries"], "nice": ["Seals"]}
    before = plain(owner.get(BUILD, query).content)
    team = Team.objects.create(name="Board", slug="board")
    secret = [
        page(f"x{n}", "Ben Okafor", "Ana Lima", title=f"Alignment {n}", topics=("Alignment", "Salaries", "Seals"))
        for n in range(40)
    ]
    secret += [Document("xc", "Alignment for the board", "Alignment.", kind="course", topics=("Alignment",))]
    hold("board", secret, audience=[f"team:{team.pk}"])
    small_company.index()
    assert plain(owner.get(BUILD, query).content) == before


def test_the_builder_asks_the_database_as_often_for_many_people_as_for_few(
    owner: Client, make_person: Callable[..., Any], hold: Callable[..., Any]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            built(owner, must=["Pumps", "Seals", "Type approval"])
        return len(asked)

    queries()
    few = queries()
    for n in range(12):
        make_person(f"more{n}", name=f"More People{n}")
    hold("more", [page(f"m{n}-{k}", f"More People{n}", topics=("Pumps", "Seals")) for n in range(12) for k in range(3)])
    small_company.index()
    assert queries() == few
    assert few <= 21


# From a team to a proposal -------------------------------------------------------------------------------------------


def test_asking_a_team_leaves_a_notice_with_each_and_names_nobody_before_they_agree(
    owner: Client, crew: dict[str, Person]
) -> None:
    row = made(owner, [crew["ana"], crew["cleo"]])
    assert who_was_asked(row) == {"ana": True, "cleo": True}
    assert set(Notice.objects.values_list("person__username", "kind")) == {
        ("ana", "team-asked"),
        ("cleo", "team-asked"),
    }
    mine = owner.get(row.get_absolute_url()).content.decode()
    assert mine.count("not answered yet") >= 2
    theirs = signed_in(crew["ana"]).get(row.get_absolute_url()).content.decode()
    assert "Would you be in it?" in theirs
    assert "Cléo Martin" not in theirs
    place = row.places.get(person=crew["ana"])
    said = _tellers["team-asked"](Viewer.of(crew["ana"]), [place.public_id])
    assert said[place.public_id].text == "Olu Adeyemi asks you to be in a team: “Overhaul”"
    assert _tellers["team-asked"](Viewer.of(crew["ben"]), [place.public_id]) == {}


def test_a_proposal_asks_the_database_as_often_for_many_places_as_for_few(
    owner: Client, crew: dict[str, Person], make_person: Callable[..., Any]
) -> None:
    row = made(owner, [crew["ana"]])

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert owner.get(row.get_absolute_url()).status_code == 200
        return len(asked)

    few = queries()
    for n in range(7):
        Place.objects.create(proposal=row, person=make_person(f"more{n}"), asked_at=timezone.now())
    assert queries() == few
    assert few <= 8, few


def test_a_name_reaches_others_once_they_agreed_and_no_more_when_they_cannot_after_all(
    owner: Client, crew: dict[str, Person]
) -> None:
    row = made(owner, [crew["ana"], crew["cleo"]])
    ana, cleo = signed_in(crew["ana"]), signed_in(crew["cleo"])
    assert ana.post(row.get_absolute_url(), {"act": "agree"}).status_code == 302
    assert "Ana Lima" in cleo.get(row.get_absolute_url()).content.decode()
    place = row.places.get(person=crew["ana"])
    assert _tellers["team-asked"](Viewer.of(crew["ana"]), [place.public_id]) == {}, "they have answered"
    told = _tellers["team-agreed"](Viewer.of(crew["owner"]), [place.public_id])
    assert "Ana Lima agreed" in told[place.public_id].text
    assert _tellers["team-agreed"](Viewer.of(crew["cleo"]), [place.public_id]) == {}
    ana.post(row.get_absolute_url(), {"act": "decline"})
    assert "Ana Lima" not in cleo.get(row.get_absolute_url()).content.decode()
    assert _tellers["team-agreed"](Viewer.of(crew["owner"]), [place.public_id]) == {}


def test_a_decline_reads_as_an_answer_that_has_not_come(owner: Client, crew: dict[str, Person]) -> None:
    row = made(owner, [crew["ana"], crew["cleo"]])
    before = plain(owner.get(row.get_absolute_url()).content)
    signed_in(crew["ana"]).post(row.get_absolute_url(), {"act": "decline"})
    assert plain(owner.get(row.get_absolute_url()).content) == before
    Place.objects.update(asked_at=timezone.now() - timedelta(days=15))
    late = [seat.said for seat in proposals.shown(row.public_id, Viewer.of(crew["owner"])).seats]
    assert late == ["not this time", "not this time"]


def test_a_stranger_finds_no_proposal_and_a_team_it_is_shared_with_reads_agreed_names(
    owner: Client, crew: dict[str, Person], make_person: Callable[..., Any]
) -> None:
    team = Team.objects.create(name="Maintenance", slug="maintenance")
    mate = make_person("mate", name="Team Mate", teams=(team,))
    row = made(owner, [crew["ana"], crew["cleo"]])
    address = row.get_absolute_url()
    assert signed_in(mate).get(address).status_code == 404
    owner.post(address, {"act": "share", "team": str(team.public_id)})
    assert signed_in(mate).get(address).status_code == 404, "it is not a team of the owner's"
    team.memberships.create(person=crew["owner"])
    owner.post(address, {"act": "share", "team": str(team.public_id)})
    ana = signed_in(crew["ana"])
    said = "read on this page your name, that you are in it for Pumps, and the 2 hours a week; nothing else of you."
    assert said in ana.get(address).content.decode()
    ana.post(address, {"act": "agree"})
    assert "“I cannot after all” takes it back" in ana.get(address).content.decode()
    seen = signed_in(mate).get(address).content.decode()
    assert "Ana Lima" in seen
    assert "Cléo Martin" not in seen
    for act in ("agree", "decline", "ask", "share", "delete", "nonsense"):
        assert signed_in(mate).post(address, {"act": act}).status_code == 404
    owner.post(address, {"act": "share", "team": ""})
    assert signed_in(mate).get(address).status_code == 404
    owner.post(address, {"act": "delete"})
    assert signed_in(crew["ana"]).get(address).status_code == 404


def test_who_hides_or_leaves_between_proposing_and_asking_is_left_out(owner: Client, crew: dict[str, Person]) -> None:
    Availability.objects.create(person=crew["cleo"], hidden=True)
    answer = owner.post(BUILD, asked_for([crew["ana"], crew["cleo"]]), follow=True)
    assert "cannot be asked just now" in answer.content.decode()
    assert "Martin" not in answer.content.decode()
    assert list(Place.objects.values_list("person__username", flat=True)) == ["ana"]
    saved = made(owner, [crew["ana"], crew["ben"]], ask="", **{"q": "Another job", "said": "Another job"})
    saved.places.update(asked_at=None)
    Person.objects.filter(pk=crew["ben"].pk).update(is_active=False)
    assert owner.post(saved.get_absolute_url(), {"act": "ask"}).status_code == 302
    assert who_was_asked(saved) == {"ana": True, "ben": False}
    assert "Okafor" not in owner.get(saved.get_absolute_url()).content.decode()


def test_a_proposal_goes_with_whoever_made_it(owner: Client, crew: dict[str, Person]) -> None:
    row = made(owner, [crew["ana"], crew["cleo"]])
    place = row.places.get(person=crew["ana"])
    deactivate(people=[crew["owner"]])
    assert signed_in(crew["ana"]).get(row.get_absolute_url()).status_code == 404
    assert "Overhaul" not in signed_in(crew["ana"]).get(BUILD).content.decode()
    assert _tellers["team-asked"](Viewer.of(crew["ana"]), [place.public_id]) == {}


def test_asking_twice_from_two_tabs_asks_nobody_twice(owner: Client, crew: dict[str, Person]) -> None:
    first = made(owner, [crew["ana"], crew["cleo"]])
    assert made(owner, [crew["ana"], crew["cleo"]]) == first
    owner.post(first.get_absolute_url(), {"act": "ask"})
    assert Notice.objects.count() == 2


def test_nobody_is_asked_into_more_teams_a_week_than_they_take_questions(
    owner: Client, crew: dict[str, Person], make_person: Callable[..., Any]
) -> None:
    for n, who in enumerate((crew["owner"], crew["owner"], crew["ana"])):
        assert "Cléo Martin" in team_of(signed_in(crew["ben"]), must=["Seals"])
        made(signed_in(who), [crew["cleo"]], **{"q": f"Job {n}", "said": f"Job {n}", "must": ["Seals"]})
    assert "Cléo Martin" not in team_of(signed_in(crew["ben"]), must=["Seals"])
    Place.objects.update(asked_at=timezone.now() - timedelta(days=8))
    assert "Cléo Martin" in team_of(owner, must=["Seals"])


def test_nobody_measures_a_week_by_proposing_and_deleting(owner: Client, crew: dict[str, Person]) -> None:
    """Whoever may ask one person without end, and take it back, learns in silence how often others ask them."""
    cleo, ben = crew["cleo"], signed_in(crew["ben"])
    Availability.objects.create(person=cleo, asks_a_week=2)
    for n in range(2):
        row = made(owner, [cleo], q=f"Job {n}", said="", must=["Seals"])
        signed_in(cleo).post(row.get_absolute_url(), {"act": "agree"})
        owner.post(row.get_absolute_url(), {"act": "delete"})
    assert team_of(ben, must=["Seals"]) == [], "what was deleted took of her week"
    Availability.objects.update(asks_a_week=50)
    assert team_of(owner, must=["Seals"]) == [], "and nobody asks one person more than twice a week"
    with pytest.raises(ValidationError, match="twice within a week"):
        asking.ask(viewer=Viewer.of(crew["owner"]), text="Why do seals leak?", to=cleo.public_id)
    assert team_of(ben, must=["Seals"]) == ["Cléo Martin"]
    kept = Proposal.objects.get(pk=row.pk)
    with pytest.raises(Http404):
        proposals.answer(proposal=row, person=cleo, agree=True)  # in a page that was open meanwhile
    assert (kept.text, kept.needs, kept.hours, kept.audience) == ("", [], 0, None)
    for client in (owner, signed_in(cleo)):
        assert client.get(row.get_absolute_url()).status_code == 404
        assert client.post(row.get_absolute_url(), {"act": "ask"}).status_code == 404
        assert b"Job 1" not in client.get(BUILD).content
        assert b"Job 1" not in client.get("/notices/").content
    again = made(ben, [cleo], q="Job 1", said="", must=["Seals"])
    Place.objects.update(asked_at=timezone.now() - timedelta(days=7))
    Proposal.objects.exclude(deleted_at=None).update(deleted_at=timezone.now() - timedelta(days=7))
    assert team_of(owner, must=["Seals"]) == ["Cléo Martin"]
    ben.post(again.get_absolute_url(), {"act": "delete"})
    assert proposals.forget()
    assert Proposal.objects.count() == 1, "what counts no more is kept no more"
    assert not proposals.forget(), "what counts still stays"


def test_whoever_proposes_themselves_has_agreed(owner: Client, crew: dict[str, Person]) -> None:
    row = proposals.propose(owner=crew["ana"], text="", needs=[Need("Pumps")], hours=2,
                            places={crew["ana"]: ["Pumps"]}, ask=True)  # fmt: skip
    assert row.places.get().agreed_at
    assert row.text == "Work on Pumps"
    assert not Notice.objects.exists()


# Bad input -----------------------------------------------------------------------------------------------------------


def test_too_long_a_sentence_is_kept_and_the_cure_is_said(owner: Client) -> None:
    text = ("pumps " * 900).strip()
    html = built(owner, q=text, must=["Pumps"])
    assert text in html
    assert "Say it in at most 300 characters" in html
    answer = owner.post(BUILD, {"q": text, "must": ["Pumps"], "hours": 2, "most": 3, "ask": "1"})
    assert answer.status_code == 422
    assert text in answer.content.decode()


def test_sixty_topics_are_kept_and_a_dozen_looked_at(owner: Client) -> None:
    topics = ["Pumps", *(f"Topic {n}" for n in range(59))]
    html = built(owner, must=topics)
    assert "At most 12 topics at a time." in html
    assert all(f'value="{topic}"' in html for topic in topics)
    assert len(owner.get(BUILD, {"must": topics}).context["found"].rows) == 12


@pytest.mark.parametrize("query", [{}, {"must": ""}, {"must": "   "}, {"with": "x"}, {"drop": "Pumps"}])
def test_no_topics(owner: Client, query: dict[str, str]) -> None:
    assert "topics are proposed from it" in built(owner, **query)
    assert owner.post(BUILD, query).status_code == 422


@pytest.mark.parametrize(
    "query",
    [{"hours": "many"}, {"most": "0"}, {"most": "-3", "hours": "99"}, {"with": ["x", "\x00", "'"]}, {"add": "x" * 200},
     {"must": "<script>alert(1)</script>"}, {"must": "\u202epumps"}, {"nice": "y" * 5000}],
)  # fmt: skip
def test_odd_values_break_nothing(owner: Client, query: dict[str, Any]) -> None:
    html = built(owner, **({"must": ["Pumps"], "hours": 2, "most": 3} | query))
    assert "<script>alert" not in html


def test_everybody_at_capacity(owner: Client, crew: dict[str, Person]) -> None:
    for person in crew.values():
        Availability.objects.create(person=person, asks_a_week=0)
    html = built(owner, must=["Pumps", "Seals"])
    assert "Nobody was found who could be asked about these topics." in html
    assert owner.post(BUILD, asked_for([crew["ana"]])).status_code == 422


def test_a_team_of_one(owner: Client, crew: dict[str, Person]) -> None:
    html = built(owner, must=["Seals"])
    assert "Ask this person" in html
    assert "One person covers the one topic in 2 hours a week." in html
    assert urlencode({"with": ""}) not in html
