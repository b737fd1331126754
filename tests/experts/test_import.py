"""People from a file: what comes in, what is refused with its line and cure, and what is never lost."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experts import actions
from experts.directory import sheet
from experts.directory.plan import Plan, carry_out, import_people, make_plan
from experts.directory.sheet import ImportRefused
from experts.models import Membership, Person, Team
from knowledge.models import Contribution, Source
from tests.experts.conftest import page

pytestmark = pytest.mark.django_db

COMPANY = """\
username,name,email,role,team,manager,location,time zone,about,external_id
ana,Ana Lima,ana@example.org,Engineer,Operations / Pumps; Safety,ben,Porto,europe/lisbon,Listens to pumps.,E1
ben,Ben Okafor,ben@example.org,Lead,Operations,,Lagos,Africa/Lagos,,E2
cleo,Cleo 👩‍🚀 Ötvös,cleo@example.org,,Safety,Ben Okafor,,,,
"""


def brought(text: str | bytes, **options: Any) -> Plan:
    return import_people(text if isinstance(text, bytes) else text.encode(), **options)


def counts(plan: Plan) -> tuple[int, int, int, int]:
    return len(plan.adds), len(plan.edits), len(plan.leavers), len(plan.problems)


def person(username: str) -> Person:
    return Person.objects.get(username=username)


def teams(username: str) -> set[str]:
    return {membership.team.path for membership in person(username).memberships.current().with_path()}


def state() -> list[Any]:
    people = Person.objects.order_by("username").values_list(
        "username", "name", "email", "role", "manager__username", "location", "time_zone", "about", "external_id",
        "is_active", "password",
    )  # fmt: skip
    return [*people, *Membership.objects.order_by("pk").values_list("person__username", "team__name", "until")]


def test_people_teams_and_managers_come_in() -> None:
    plan = brought(COMPANY)
    assert counts(plan) == (3, 0, 0, 0)
    ana = person("ana")
    assert (ana.name, ana.role, ana.location, ana.time_zone) == ("Ana Lima", "Engineer", "Porto", "Europe/Lisbon")
    assert (ana.about, ana.external_id, ana.manager) == ("Listens to pumps.", "E1", person("ben"))
    assert person("cleo").display_name == "Cleo 👩‍🚀 Ötvös"
    assert person("cleo").manager == person("ben")
    assert teams("ana") == {"Operations / Pumps", "Safety"}
    assert Team.objects.get(name="Pumps").parent == Team.objects.get(name="Operations")
    assert Team.objects.count() == 3
    assert not any(one.has_usable_password() for one in Person.objects.all())
    assert Source.objects.get(kind="people").audience.tokens == ["everyone"]


def test_the_same_file_again_changes_nothing() -> None:
    brought(COMPANY)
    before = state()
    with CaptureQueriesContext(connection) as asked:
        assert counts(brought(COMPANY)) == (0, 0, 0, 0)
    assert state() == before
    assert not [query for query in asked.captured_queries if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    brought(COMPANY)
    before = state()
    changed = COMPANY.replace("Engineer", "Chief").replace("cleo", "dora").replace("Cleo", "Dora")
    for dry_run in (True, False):
        plan = brought(changed, leavers=True, dry_run=dry_run)
        assert counts(plan) == (1, 1, 1, 0)
        assert (state() == before) is dry_run


def test_what_changed_changes_and_memberships_are_closed_not_deleted() -> None:
    brought(COMPANY)
    brought(COMPANY.replace("Operations / Pumps; Safety,ben", "Operations,").replace("Lagos,Africa/Lagos", ","))
    assert teams("ana") == {"Operations"}
    assert person("ana").manager is None, "an empty cell means no manager"
    assert person("ben").location == "Lagos", "an empty cell keeps what people may say of themselves"
    assert person("ben").time_zone == "Africa/Lagos"
    assert Membership.objects.filter(person=person("ana")).exclude(until=None).count() == 2
    brought("username,name,team\nana,Ana Lima,\n")
    assert teams("ana") == set(), "an empty cell means no team"
    assert person("ana").role == "Engineer", "a column that is missing says nothing"
    brought("username,name\nana,Ana Lima-Costa\n")
    assert person("ana").name == "Ana Lima-Costa"


def test_leavers_are_deactivated_only_when_asked_and_nothing_of_them_is_deleted(hold: Any, committed: Any) -> None:
    brought(COMPANY)
    hold("book", [page("a", "Cleo 👩‍🚀 Ötvös")])
    assert Contribution.objects.get().person == person("cleo")
    staying = "\n".join(COMPANY.splitlines()[:3])
    assert counts(brought(staying)) == (0, 0, 0, 0)
    assert person("cleo").is_active
    with committed():
        assert counts(brought(staying, leavers=True)) == (0, 0, 1, 0)
    assert not person("cleo").is_active
    assert person("cleo").memberships.count() == 1
    assert teams("cleo") == set()
    assert Contribution.objects.get().person == person("cleo"), "who left stays the author"
    plan = brought(COMPANY)
    assert not person("cleo").is_active, "being in a file again is no reason to open a closed account"
    assert "active = yes" in plan.remarks[0]
    brought("username,name,active,team\ncleo,Cleo Ötvös,yes,Safety\n")
    assert person("cleo").is_active
    assert teams("cleo") == {"Safety"}


def test_active_no_ends_an_account() -> None:
    brought(COMPANY)
    brought("username,name,active\nana,Ana Lima,No\nnew,New Person,inactive\n")
    assert [person(name).is_active for name in ("ana", "ben", "new")] == [False, True, False]
    assert teams("ana") == set()


def test_who_comes_back_by_a_file_is_in_the_teams_of_the_file_alone() -> None:
    brought(COMPANY)
    actions.deactivate(people=[person("cleo")], come_back=True)  # as a provisioning service does
    brought("username,name,team,active\ncleo,Cleo Ötvös,Kitchen,yes\n")
    assert teams("cleo") == {"Kitchen"}
    brought("username,name,active\ncleo,Cleo Ötvös,no\n")
    actions.reactivate(person=person("cleo"))
    assert teams("cleo") == set(), "what a service once said comes back no more"


def test_a_file_that_was_cut_off_deactivates_nobody() -> None:
    brought("username,name\n" + "".join(f"p{n},Person {n}\n" for n in range(30)))
    with pytest.raises(ImportRefused, match=r"29 of 30 people are not in this file.*--many"):
        brought("username,name\np0,Person 0\n", leavers=True)
    assert Person.objects.filter(is_active=True).count() == 30
    assert counts(brought("username,name\np0,Person 0\n", leavers=True, many=True)) == (0, 0, 29, 0)


def test_nobody_leaves_because_of_a_line_that_could_not_be_read() -> None:
    brought(COMPANY)
    plan = brought(COMPANY.replace("Ana Lima", ""), leavers=True)
    assert counts(plan) == (0, 0, 0, 1)
    assert "Nobody was deactivated" in plan.remarks[0]


def test_who_runs_the_site_is_no_leaver(make_person: Callable[..., Any]) -> None:
    make_person("root", is_staff=True, is_superuser=True)
    plan = brought(COMPANY, leavers=True)
    assert plan.leavers == []
    assert "root" in plan.remarks[0]
    assert person("root").is_active


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_usual_encodings_and_delimiters(encoding: str, mark: str) -> None:
    text = "E-Mail,Full Name,Job title\nzoe@example.org,Zoë Müller,Ingénieure\n"
    plan = brought(text.replace(",", mark).replace("\n", "\r\n").encode(encoding))
    assert counts(plan) == (1, 0, 0, 0)
    zoe = person("zoe@example.org")
    assert (zoe.name, zoe.role) == ("Zoë Müller", "Ingénieure")
    assert bool(plan.remarks) is (encoding in ("latin-1", "cp1252"))


def test_a_quoted_cell_may_hold_lines_and_delimiters() -> None:
    text = 'name,email,about,team\n"Lima, Ana",ana@x.example,"One.\nTwo, ""three""","A / B\nC"\nBen,bad,,\n'
    plan = brought(text)
    assert person("ana@x.example").about == 'One.\nTwo, "three"'
    assert teams("ana@x.example") == {"A / B", "C"}
    assert [problem.line for problem in plan.problems] == [5], "lines are counted as an editor counts them"


@pytest.mark.parametrize(("text", "says"), [
    ("", "file is empty"),
    ("\n\n", "file is empty"),
    ("first,last\nA,B\n", "“first”, “last”.*Wanted are “name” and at least one of “username”"),
    ("name,role\nA,B\n", "Wanted are “name” and at least one of"),
    ("name,email,mail\nA,B,C\n", "Two columns both mean email"),
    ('name,email\n"Ana,a@x.example\nBen,b@x.example\n', "Line 2 is no CSV.*quotation mark"),
])  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(text: str, says: str) -> None:
    with pytest.raises(ImportRefused, match=says):
        brought(text)
    assert not Person.objects.exists()


@pytest.mark.parametrize(("line", "says"), [
    ("x,,x@e.example,,,", "no name"),
    (",Ana,,,,", "no username, e-mail or external id"),
    ("two words,Ana,,,,", "no username: correct"),
    ("x,Ana,not-an-address,,,", "“not-an-address” is no e-mail address"),
    ("x,Ana,x@e.example,Mars/Base,,", "no time zone: write one such as Europe/Lisbon"),
    ("x,Ana,x@e.example,,perhaps,", "neither yes nor no"),
    (f"x,{'a' * 201},x@e.example,,,", "name is longer than 200"),
    (f"x,Ana,x@e.example,,,{'t' * 121}", "team is longer than 120"),
    ("x,Ana,x@e.example,,,,,more", "more cells"),
    ("x,Ana,ben@example.org,,,", "e-mail address belongs to “ben”, not to “x”"),
    ("ana,Ana,ben@example.org,,,", "mixes two accounts"),
    ("ben,Somebody Else,,,,", "same person as line 2"),
])  # fmt: skip
def test_a_bad_line_is_named_and_passed_over(line: str, says: str) -> None:
    brought(COMPANY)
    before = Person.objects.count()
    good = "ben,Ben Okafor,,,,\n"
    plan = brought(f"username,name,email,time zone,active,team\n{good}{line}\nnew,New Person,new@e.example,,,\n")
    [problem] = plan.problems
    assert problem.line == 3
    assert says in str(problem)
    assert Person.objects.count() == before + 1


def test_a_name_of_two_is_told_before_it_is_brought() -> None:
    same = "a,Eva Stone,a@e.example\nb,EVA  stone,b@e.example\nc,Cy,c@e.example\n"
    [remark] = brought(f"username,name,email\n{same}").remarks
    assert remark.startswith("line 2, 3: 2 accounts are called “Eva Stone”, so that no document is known as theirs")
    assert brought(f"username,name,email\n{same}").remarks == [], "what is so already was told"
    assert "line 2: 3 accounts are called" in brought("username,name,email\nc,Eva Stone,c@e.example\n").remarks[0]


def test_what_could_mean_two_is_not_guessed(make_person: Callable[..., Any]) -> None:
    for number in (1, 2):
        make_person(f"same{number}", name="Same Name", email="shared@example.org")
        Team.objects.create(name="Twin", slug=f"twin{number}")
    plan = brought(
        "username,name,email,manager,team\n,Same Name,shared@example.org,,\nx,X,x@e.example,Same Name,\n"
        "y,Y,y@e.example,nobody here,\nz,Z,z@e.example,z,\nw,W,w@e.example,,Twin\n"
    )
    said = {problem.line: problem.text for problem in plan.problems}
    assert "2 accounts have the e-mail address “shared@example.org”" in said[2]
    assert "2 people are called “Same Name”" in said[3]
    assert "Nobody is known as “nobody here”" in said[4]
    assert "below the person" in said[5]
    assert "2 teams are called “Twin”" in said[6]
    assert Person.objects.filter(username__in="xyz", manager=None).count() == 3
    assert not Person.objects.filter(username="w").exists()


def test_an_external_id_outlives_a_new_username_and_address() -> None:
    brought(COMPANY)
    pk = person("ana").pk
    plan = brought("username,name,email,external_id\nana.costa,Ana Costa,costa@example.org,E1\nben,Ben Okafor,,E9\n")
    assert person("ana.costa").pk == pk
    assert person("ana.costa").email == "costa@example.org"
    assert "has the external id E2, not E9" in plan.problems[0].text


def test_usernames_keep_their_case() -> None:
    brought(COMPANY)
    assert counts(brought("username,name\nANA,Ana Lima\n")) == (0, 0, 0, 0)
    assert person("ana")


def test_managers_in_a_circle_are_refused() -> None:
    plan = brought("username,name,manager\na,A,b\nb,B,c\nc,C,a\n")
    assert [problem.line for problem in plan.problems] == [4]
    assert [person(name).manager_id for name in "ab"] == [person("b").pk, person("c").pk]


def test_what_others_changed_since_the_plan_was_made_stays_and_closes_no_circle() -> None:
    brought("username,name,manager,role\na,A,,\nb,B,,\nc,C,,\nd,D,,\n")
    plan = make_plan(sheet.read(b"username,name,manager,role\na,A,b,Fitter\nb,B,,\nc,C,,\nd,D no more,,\n"))
    actions.deactivate(people=[person("d")])
    Person.objects.filter(username="d").update(role="Clerk")
    actions.appoint(person=person("c"), manager=person("a"))
    actions.appoint(person=person("b"), manager=person("c"))
    with pytest.raises(ImportRefused, match="at the same time"):
        carry_out(plan)
    assert [person(name).manager for name in "abc"] == [None, person("c"), person("a")]
    assert (person("a").role, person("d").name) == ("Fitter", "D no more")
    assert (person("d").role, person("d").is_active) == ("Clerk", False), "no field is written that the file leaves"


def test_a_new_team_of_a_known_name_elsewhere_is_pointed_out() -> None:
    brought(COMPANY)
    plan = brought("username,name,team\nana,Ana Lima,Pumps\n")
    assert "beside another of that name" in plan.remarks[0]
    assert Team.objects.filter(name="Pumps").count() == 2
    assert len({team.slug for team in Team.objects.all()}) == 4


def test_marks_that_turn_the_writing_do_not_come_in() -> None:
    brought("username,name,role\nx,Ana \u202eamiL\x00\x07,\u2066Boss\n")
    assert (person("x").name, person("x").role) == ("Ana amiL", "Boss")


def test_five_hundred_people_in_few_and_short_transactions() -> None:
    text = "username,name,email,role,team,manager\n" + "".join(
        f"p{n},Person {n},p{n}@e.example,Role,Team {n % 20} / Crew {n % 40},{f'p{n // 10}' if n else ''}\n"
        for n in range(500)
    )
    with CaptureQueriesContext(connection) as asked:
        assert counts(brought(text)) == (500, 0, 0, 0)
    assert Membership.objects.count() == 500
    assert person("p499").manager == person("p49")
    assert len(asked) < 300
    with CaptureQueriesContext(connection) as asked:
        assert counts(brought(text.replace("Role", "Other"))) == (0, 500, 0, 0)
    assert len(asked) < 40


def told(path: Path, *options: str) -> tuple[str, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("import_people", str(path), *options, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""


def test_the_command_tells_counts_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(COMPANY)
    out, _, _ = told(path, "--dry-run")
    assert "3 people read: 3 added, 0 changed, 0 the same, 0 deactivated; 3 new teams." in out
    assert "nothing was changed" in out
    assert not Person.objects.exists()
    assert told(path)[2] == ""
    path.write_text(COMPANY.replace("Lead", "Chief").replace("ana@example.org", "oops"))
    out, err, failed = told(path, "--dry-run", "--leavers")
    assert "line 3: ben: role" in out
    assert "line 2 (Ana Lima): “oops” is no e-mail address: correct it." in err
    assert "1 lines need a look" in failed
    assert person("ben").role == "Lead"


def test_the_command_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "Check the path" in told(tmp_path / "none.csv")[2]
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    assert told(tmp_path / "odd.csv")[2].startswith("odd.csv: The first line names these columns: “a”, “b”.")
