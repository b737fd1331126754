"""A file of people on a page: shown before it is done, done as it was shown, all of it or none."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experts import actions
from experts.directory import bringing
from experts.directory import plan as directory
from experts.directory.imports import PeopleImport, Stage
from experts.models import Membership, Person, Team
from tests.experts.test_import import COMPANY

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(make_person: Callable[..., Any], client: Client) -> Any:
    """Somebody who may bring people in and nothing else."""
    clerk = make_person("clerk", name="The Clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="import_people"))
    client.force_login(clerk)
    return clerk


@pytest.fixture
def upload(clerk: Any, client: Client, committed: Any) -> Callable[..., PeopleImport]:
    """Send a file in the form; the import that it became."""

    def sent(text: str | bytes, **more: Any) -> PeopleImport:
        data = text if isinstance(text, bytes) else text.encode()
        with committed():
            answer = client.post(reverse("experts:import"), {"file": SimpleUploadedFile("people.csv", data), **more})
        assert answer.status_code == 302
        row = PeopleImport.objects.latest("pk")
        assert answer.headers["Location"] == where(row)
        return row

    return sent


def where(row: PeopleImport) -> str:
    return reverse("experts:import-one", args=[row.public_id])


def seen(client: Client, row: PeopleImport, **query: Any) -> str:
    """The page as text, with blanks made one."""
    answer = client.get(where(row), query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", answer.content.decode()))


def say(client: Client, row: PeopleImport, committed: Any, **data: str) -> PeopleImport:
    with committed():
        client.post(where(row), data or {"digest": row.digest})
    return PeopleImport.objects.get(pk=row.pk)


def test_a_file_is_shown_and_nothing_written(upload: Any, client: Client, clerk: Any) -> None:
    directory.import_people(COMPANY.encode())
    before = list(Person.objects.order_by("pk").values_list()), Membership.objects.count()
    row = upload(
        "username,name,role,team,manager,e-mail\n"
        "ana,Ana Lima,Chief,Safety,cleo,ana@new.example\n"
        "dora,Dora Maas,,Operations / Valves,,\n"
        "ben,Ben Okafor,Lead,Operations,,\n"
        ",Nobody,,,,\n"
        "x,X,,,Nobody Known,\n",
        leavers="on",
    )
    assert row.stage == Stage.SHOWN
    assert (list(Person.objects.order_by("pk").values_list()), Membership.objects.count()) == before
    html = seen(client, row)
    assert "It would do this: 2 to add, 1 to change, 1 as they are, 0 to end, 1 new team; 2 lines need a look." in html
    assert "Line 5, Nobody It has no username, e-mail or external id: fill in one" in html
    assert "Line 6, X Nobody is known as “Nobody Known”: correct the manager. The row is taken without it." in html
    changed = seen(client, row, show="change")
    for told in ("ana line 2", "role: Engineer → Chief", "email: ana@example.org → ana@new.example",
                 "team: Pumps (none from now on)", "manager: Ben Okafor → Cleo"):  # fmt: skip
        assert told in changed, told
    added = seen(client, row, show="add")
    assert "dora line 3 name: Dora Maas team: Operations / Valves" in added
    assert "Operations / Valves" in seen(client, row, show="team")
    assert "Nobody was deactivated" in seen(client, row, show="remark")


def test_the_good_ones_are_imported_once_and_the_others_stay_listed(
    upload: Any, client: Client, committed: Any
) -> None:
    row = upload(COMPANY + "bad,,bad@example.org,,,,,,,\n")
    assert "Import the good ones" in client.get(where(row)).content.decode()
    assert say(client, row, committed, digest="another").stage == Stage.SHOWN, "only what was seen is carried out"
    row = say(client, row, committed)
    assert row.stage == Stage.DONE
    assert set(Person.objects.values_list("username", flat=True)) == {"clerk", "ana", "ben", "cleo"}
    html = seen(client, row)
    assert "Done: 3 added, 0 changed" in html
    assert "Line 5, bad It has no name: fill it in." in html
    members = Membership.objects.count()
    assert say(client, row, committed).stage == Stage.DONE
    assert Membership.objects.count() == members
    assert not row.file.exists(), "kept no longer than needed"


def test_none_are_imported_if_that_is_chosen(upload: Any, client: Client, committed: Any) -> None:
    row = upload(COMPANY)
    assert say(client, row, committed, drop="").stage == Stage.DROPPED
    assert Person.objects.count() == 1
    assert not row.file.exists()
    assert not row.plan.exists()
    assert "Nothing of it was written" in seen(client, row)
    assert say(client, row, committed).stage == Stage.DROPPED


def test_leavers_are_shown_and_ended(upload: Any, client: Client, committed: Any, clerk: Any) -> None:
    directory.import_people(COMPANY.encode())
    row = upload("\n".join(COMPANY.splitlines()[:3]) + "\nclerk,The Clerk,,,,,,,,\n", leavers="on")
    assert "Cleo 👩‍🚀 Ötvös cleo" in seen(client, row, show="leaver")
    assert say(client, row, committed).stage == Stage.DONE
    assert not Person.objects.get(username="cleo").is_active


def test_a_plan_that_would_be_another_by_now_is_shown_again(upload: Any, client: Client, committed: Any) -> None:
    directory.import_people(COMPANY.encode())
    row = upload("username,name,role\nana,Ana Lima,Chief\nben,Ben Okafor,Boss\n")
    Person.objects.filter(username="ana").update(role="Chief")
    Person.objects.filter(username="ben").update(role="Mate")
    row = say(client, row, committed)
    assert row.stage == Stage.SHOWN
    assert Person.objects.get(username="ben").role == "Mate", "nothing was written"
    html = seen(client, row)
    assert "People changed meanwhile" in html
    for told in ("No more ana line 2 role: Engineer → Chief", "No more ben line 3 role: Lead → Boss",
                 "Now ben line 3 role: Mate → Boss"):  # fmt: skip
        assert told in html, told
    row = say(client, row, committed)
    assert (row.stage, row.differs) == (Stage.DONE, [])
    assert Person.objects.get(username="ben").role == "Boss"


def test_who_is_interrupted_goes_on_and_does_nothing_twice(
    upload: Any, client: Client, committed: Any, monkeypatch: Any
) -> None:
    people = "".join(f"p{n},Person {n},Team {n % 3},{f'p{n - 1}' if n else ''}\n" for n in range(250))
    row = upload("username,name,team,manager\n" + people)
    real, calls = directory._write, []

    def once(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the worker stopped")
        real(*args)

    monkeypatch.setattr(directory, "_write", once)
    row = say(client, row, committed)
    assert (row.stage, row.written, Person.objects.count()) == (Stage.WRITING, 100, 101)
    assert "40 % done" in seen(client, row)
    PeopleImport.objects.update(due_at=timezone.now())
    with committed():
        bringing.sweep()
    row.refresh_from_db()
    assert (row.stage, Person.objects.count(), Membership.objects.count()) == (Stage.DONE, 251, 250)
    assert Person.objects.get(username="p249").manager.username == "p248"
    assert Team.objects.count() == 3


def test_a_plan_that_was_begun_and_became_another_stops(
    upload: Any, client: Client, committed: Any, monkeypatch: Any
) -> None:
    directory.import_people(COMPANY.encode())
    row = upload("username,name,role\nana,Ana Lima,Chief\nben,Ben Okafor,Boss\n")
    PeopleImport.objects.filter(pk=row.pk).update(began=True, stage=Stage.WRITING, done_at=None, written=1)
    Person.objects.filter(username="ana").update(role="Chief")
    Person.objects.filter(username="ben").update(name="Benjamin")
    bringing.do(row.pk)
    row.refresh_from_db()
    assert row.stage == Stage.SHOWN
    assert "1 people had been done before" in seen(client, row)
    assert Person.objects.get(username="ben").role == "Lead"


def test_one_that_always_fails_says_so_and_can_be_tried_again(
    upload: Any, client: Client, committed: Any, monkeypatch: Any
) -> None:
    row = upload(COMPANY)
    with monkeypatch.context() as broken:
        broken.setattr(directory, "_write", lambda *args: 1 / 0)
        row = say(client, row, committed)
        for _ in range(3):
            PeopleImport.objects.update(due_at=timezone.now())
            bringing.do(row.pk)
    row.refresh_from_db()
    assert row.is_stuck
    assert "went wrong three times" in seen(client, row)
    say(client, row, committed, again="")
    bringing.do(row.pk)
    row.refresh_from_db()
    assert row.stage == Stage.DONE


def test_a_large_file_is_a_job_and_its_page_tells_how_far_it_is(
    upload: Any, client: Client, committed: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(bringing, "AT_ONCE", 10)
    asked: list[int] = []
    monkeypatch.setattr("experts.jobs.bring_people.apply_async", lambda args, **more: asked.append(args[0]))
    row = upload(COMPANY)
    assert (row.stage, asked) == (Stage.READING, [row.pk])
    html = client.get(where(row)).content.decode()
    assert "The file is being read" in html
    assert "it goes on by itself within a minute" in html
    assert 'hx-trigger="every 2s"' in html
    bringing.do(row.pk)
    row.refresh_from_db()
    assert row.stage == Stage.SHOWN
    row = say(client, row, committed)
    assert (row.stage, asked) == (Stage.WRITING, [row.pk, row.pk])
    assert not Person.objects.filter(username="ana").exists(), "no request carries out a large file"
    with committed():
        bringing.sweep()
    assert asked == [row.pk] * 3, "a message that was lost is sent again"
    bringing.do(row.pk)
    assert Person.objects.filter(username="ana").exists()


def test_files_are_ours_alone_and_gone_after_a_day(upload: Any, client: Client, committed: Any) -> None:
    shown, done = upload(COMPANY), upload(COMPANY)
    say(client, done, committed)
    for path in (shown.file, shown.plan, done.plan):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0
    assert path.parent.name == "imports"
    bringing.sweep()
    assert shown.plan.exists(), "not yet"
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    PeopleImport.objects.update(started_at=yesterday)
    kept = path.parent
    stray = kept / "notes from another hand.txt"
    stray.touch()
    for one in kept.iterdir():
        os.utime(one, (yesterday.timestamp(), yesterday.timestamp()))
    bringing.sweep()
    assert list(kept.iterdir()) == [stray], "what is not ours stays, and stops nothing"
    shown.refresh_from_db()
    assert shown.stage == Stage.DROPPED
    assert "3 added" in seen(client, PeopleImport.objects.get(pk=done.pk))
    assert "kept for a day and are gone" in seen(client, PeopleImport.objects.get(pk=done.pk))


@pytest.mark.parametrize(("data", "says"), [
    (b"a,b\n1,2\n", "The first line names these columns: “a”, “b”."),
    (b'name,email\n"Ana,a@x.example\n', "Line 2 is no CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "save it as “CSV UTF-8”"),
    (b"PK\x03\x04" + b"\x00\x14\x08" * 50, "a workbook of Excel"),
])  # fmt: skip
def test_a_file_that_cannot_be_used_says_the_cure(upload: Any, client: Client, data: bytes, says: str) -> None:
    row = upload(data)
    assert row.stage == Stage.REFUSED
    assert says in seen(client, row)
    assert not row.file.exists()


def test_what_excel_saves_is_read(upload: Any, client: Client) -> None:
    row = upload("sep=;\r\nName;E-Mail;Title\r\nZoë Müller;zoe@example.org;Ingénieure\r\n".encode("cp1252"))
    assert "name: Zoë Müller email: zoe@example.org role: Ingénieure" in seen(client, row, show="add")
    assert "If names look wrong" in seen(client, row, show="remark")


def test_it_is_for_those_who_may_and_each_sees_their_own(
    upload: Any, client: Client, make_person: Any, committed: Any
) -> None:
    row = upload(COMPANY)
    other = make_person("other")
    client.force_login(other)
    for answer in (client.get(reverse("experts:import")), client.get(where(row)), client.post(where(row))):
        assert answer.status_code == 403
    other.user_permissions.add(Permission.objects.get(codename="import_people"))
    assert client.get(where(row)).status_code == 404
    assert client.post(where(row), {"digest": row.digest}).status_code == 404
    assert "people.csv" not in client.get(reverse("experts:import")).content.decode()
    client.logout()
    assert client.get(where(row)).headers["Location"].startswith(reverse("sign-in"))


def test_who_runs_the_site_is_changed_only_by_their_like(
    upload: Any, client: Client, make_person: Any, clerk: Any
) -> None:
    make_person("root", is_superuser=True, is_staff=True)
    text = "username,name,active\nroot,Root,no\n"
    row = upload(text)
    assert "“root” runs the site: only who may do everything changes them." in seen(client, row)
    Person.objects.filter(pk=clerk.pk).update(is_superuser=True)
    assert upload(text).told["change"] == 1


def test_who_may_no_longer_import_carries_nothing_out(
    upload: Any, client: Client, clerk: Any, committed: Any, monkeypatch: Any
) -> None:
    row = upload(COMPANY)
    monkeypatch.setattr(bringing, "AT_ONCE", 10)
    monkeypatch.setattr("experts.jobs.bring_people.apply_async", lambda args, **more: None)
    say(client, row, committed)
    clerk.user_permissions.clear()
    bringing.do(row.pk)
    row.refresh_from_db()
    assert (row.stage, Person.objects.count()) == (Stage.REFUSED, 1)
    assert not row.file.exists()


def test_hostile_text_runs_nothing(upload: Any, client: Client) -> None:
    row = upload('username,name,role\nx,<script>alert(1)</script>,"<img src=x onerror=alert(1)>"\n<b>,y,\n')
    for show in ("add", "problem"):
        html = client.get(where(row), {"show": show, "page": "-1"}).content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_a_form_without_a_file_says_so(clerk: Any, client: Client) -> None:
    answer = client.post(reverse("experts:import"), {})
    assert answer.status_code == 400
    assert "This field is required" in answer.content.decode()


def faulty(rows: int, faults: int) -> str:
    """A company of so many, with people above people, and so many lines that cannot be read."""
    every = rows // faults
    lines = ["username,name,email,team,time zone,manager"]
    for n in range(rows):
        if n % every == every - 1 and n // every < faults:
            wrong = [f"p{n},,p{n}@e.example,,,", f"p{n},Person {n},no-address,,,", f",Person {n},,,,",
                     f"p{n},Person {n},p{n}@e.example,,Mars/Base,"]  # fmt: skip
            lines.append(wrong[n // every % 4])
        else:
            boss = f"p{n // 10 // every * every}" if n else ""
            lines.append(
                f"p{n},Person {n},p{n}@e.example,Area {n % 40} / Crew {n % 4000},,{boss if boss != f'p{n}' else ''}"
            )
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_a_hundred_thousand_rows_with_three_hundred_faults(
    upload: Any, client: Client, committed: Any, monkeypatch: Any
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("experts.jobs.bring_people.apply_async", lambda args, **more: asked.append(args[0]))
    row = upload(faulty(100_000, 300))
    assert row.stage == Stage.READING
    bringing.do(row.pk)
    row.refresh_from_db()
    assert (row.told["add"], row.told["problem"], row.told["rows"]) == (99_700, 300, 100_000)
    html = client.get(where(row), {"show": "problem"}).content.decode()
    assert html.count("<b>Line ") == 300
    assert client.get(where(row), {"show": "add", "page": 200}).content.decode().count("name:") == 200
    row = say(client, row, committed)
    bringing.do(row.pk)
    row.refresh_from_db()
    assert (row.stage, row.written) == (Stage.DONE, 99_700)
    assert Person.objects.count() == 99_701
    assert Membership.objects.count() == 99_700
    none = upload(faulty(100_000, 300))
    bringing.do(none.pk)
    none.refresh_from_db()
    assert (none.told["add"], none.told["change"], none.told["problem"]) == (0, 0, 300)
    assert say(client, none, committed, drop="").stage == Stage.DROPPED


def test_a_team_of_one_and_a_person_without_an_address(upload: Any, client: Client, committed: Any) -> None:
    row = say(client, upload("username,name,team\nsolo,Solo,Alone\n"), committed)
    assert row.stage == Stage.DONE
    solo = Person.objects.get(username="solo")
    assert solo.email == ""
    [membership] = solo.memberships.current()
    assert membership.team.name == "Alone"
    assert actions.leave_members(team=membership.team, people=[solo]) == 1
    assert not Membership.objects.current().exists()


def test_files_below_var_are_named_by_no_one(upload: Any) -> None:
    row = upload(COMPANY)
    assert Path(row.file).name == f"{row.public_id.hex}.csv"
