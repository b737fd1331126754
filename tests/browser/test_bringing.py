"""People from a file in a real browser: shown, said yes to, and watched while a worker carries it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import Page, expect

from experts.directory import bringing
from experts.directory.imports import PeopleImport
from experts.models import Person
from tests.browser.test_every_page import MODES, troubles_of

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

FILE = "username,name,role,team\nana,Ana Ferreira,Chief engineer,Operations\ndora,Dora Maas,Fitter,Pumps\n,Nobody,,\n"


@pytest.fixture
def file(company: dict[str, Any], tmp_path: Path) -> Path:
    """A file, for Ana, who may bring people in."""
    company["ana"].user_permissions.add(Permission.objects.get(codename="import_people"))
    path = tmp_path / "november.csv"
    path.write_text(FILE)
    return path


def choose(page: Page, file: Path) -> None:
    page.goto("/people/")
    page.get_by_role("link", name="Bring people in from a file").click()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Read the file").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_file_is_read_shown_and_carried_out(open_as: Open, file: Path, scripts: bool) -> None:
    page = open_as("ana", java_script_enabled=scripts)
    choose(page, file)
    expect(page.get_by_text("It would do this: 1 to add, 1 to change")).to_be_visible()
    expect(page.get_by_text("It has no username, e-mail or external id")).to_be_visible()
    page.get_by_role("link", name="Changed 1").click()
    expect(page.get_by_text("Shift engineer → Chief engineer")).to_be_visible()
    assert not Person.objects.filter(username="dora").exists()
    page.get_by_role("button", name="Import the good ones").click()
    expect(page.get_by_text("Done: 1 added, 1 changed")).to_be_visible()
    assert Person.objects.get(username="dora").role == "Fitter"


def test_a_large_file_is_watched_without_doing_anything(
    open_as: Open, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "AT_ONCE", 10)
    monkeypatch.setattr("experts.jobs.bring_people.apply_async", lambda *args, **more: None)
    page = open_as("ana")
    choose(page, file)
    expect(page.get_by_text("The file is being read.")).to_be_visible()
    bringing.do(PeopleImport.objects.get().pk)
    page.get_by_role("button", name="Import the good ones").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    bringing.do(PeopleImport.objects.get().pk)
    expect(page.get_by_text("Done: 1 added, 1 changed")).to_be_visible()


@pytest.mark.parametrize("mode", MODES)
def test_every_state_of_an_import(open_as: Open, file: Path, mode: dict[str, Any]) -> None:
    page = open_as("ana", **mode)
    page.goto("/people/import/")
    troubles = troubles_of(page, "form")
    choose(page, file)
    troubles += troubles_of(page, "shown")
    page.get_by_role("link", name="Changed 1").click()
    troubles += troubles_of(page, "changes")
    Person.objects.filter(username="ana").update(role="Mate")
    page.get_by_role("button", name="Import the good ones").click()
    expect(page.get_by_role("heading", name="People changed meanwhile")).to_be_visible()
    troubles += troubles_of(page, "differs")
    page.get_by_role("button", name="Drop the file").click()
    troubles += troubles_of(page, "dropped")
    file.write_text("a,b\n1,2\n")
    choose(page, file)
    expect(page.get_by_text("The first line names these columns")).to_be_visible()
    troubles += troubles_of(page, "refused")
    row = PeopleImport.objects.first()
    PeopleImport.objects.filter(pk=row.pk).update(stage="writing", told={"add": 10, "steps": 10}, written=4)
    page.reload()
    troubles += troubles_of(page, "writing")
    PeopleImport.objects.filter(pk=row.pk).update(attempts=3)
    page.reload()
    troubles += troubles_of(page, "stuck")
    assert troubles == []
