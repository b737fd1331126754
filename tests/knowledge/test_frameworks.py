"""Frameworks: what is read of a file, brought in twice, taken out, proposed; and what they say of no document."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experts.models import Team
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.framework_file import FrameworkRefused, read
from knowledge.frameworks import Framework, FrameworkTopic, described, import_framework, suggest
from tests.small_company import CONNECTOR, source_of

CSV = """code,name,description,other names,parent,levels,colour
F,Baking,All about ovens.,,,,red
F1,Deck ovens,Ovens with decks.,Stone ovens;Hearth ovens,F,Working: lights one | Expert: builds one,red
F2,Steam,"Water, hot.",,Baking,,
F3,Door seals,,Gaskets,F,,
"""


def bring(text: str = CSV, name: str = "Ovens", file_name: str = "a.csv", **more: Any) -> Any:
    return import_framework(data=text.encode(), file_name=file_name, name=name, **more)


def lines(*rows: Any) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.fixture
def viewer(make_person: Callable[..., Any], settings: Any) -> Viewer:
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": CONNECTOR}
    return Viewer.of(make_person("reader"))


# Files ------------------------------------------------------------------------------------------------------------


def test_columns_are_known_by_what_published_frameworks_call_them() -> None:
    occupations = lines({"code": "11", "title": "Chief", "description": "Leads.", "alternate_titles": ["Head", "Boss"]})
    told = read(gzip.compress(occupations), "a.jsonl.gz")
    assert told.entries["11"].others == ("Head", "Boss")
    hierarchy = read(
        lines(
            {"uri": "s:1", "level": 1, "label": "working together", "parents": ["skills"], "scope": ""},
            {"uri": "s:2", "level": 2, "label": "working together", "parents": ["skills", "working together"]},
            {"uri": "s:3", "level": 3, "label": "giving way", "parents": ["skills", "working together"]},
        ),
        "b.jsonl",
    )
    assert [one.parent for one in hierarchy.entries.values()] == ["skills", "s:1", "s:2"], "the nearest above"
    assert all(not one.levels for one in hierarchy.entries.values()), "a depth is no level"
    skills = read(
        lines({"skill": "Accessibility", "levels": {"Awareness": ["sees it", "helps"], "Expert": []}}), "c.jsonl"
    )
    assert skills.entries["accessibility"].levels == (("Awareness", "sees it\nhelps"), ("Expert", ""))
    roles = read(
        b"family\trole\tlevel\tlevel_description\nIT\tTester\tJunior\tLearns.\nIT\tTester\tSenior\tTeaches.\n", "d.tsv"
    )
    assert roles.entries["tester"].levels == (("Junior", "Learns."), ("Senior", "Teaches."))
    assert roles.entries["tester"].parent == "IT"
    assert any("joined" in remark for remark in roles.remarks)
    tracks = read(lines({"track": "Mobile", "milestones": [{"level": 1, "summary": "Works."}]}), "e.jsonl")
    assert tracks.entries["mobile"].levels == (("1", "Works."),)


def test_a_row_that_cannot_be_read_is_named_with_its_line_and_cure() -> None:
    told = read(
        b"code,name,parent\nA,Ovens,\n,,\nB,,A\nA,Steam,\nC,!!!,A\nD,"
        + b"x" * 300
        + b",A\nE,Doors,F\nF,Seals,E\nG,a,b,c\n",
        "a.csv",
    )
    said = [str(fault) for fault in told.faults]
    assert [one.partition(":")[0] for one in said] == [f"line {n}" for n in (4, 5, 6, 7, 10, 8)]
    cures = ("fill it in", "code of its own", "Correct it", "shorten", "quotes", "correct the parent")
    assert all(cure in words for words, cure in zip(said, cures, strict=True)), said
    assert list(told.entries) == ["A", "E", "F"]


@pytest.mark.parametrize(
    ("data", "name", "cure"),
    [
        (b"", "a.csv", "holds no rows"),
        (b"colour,size\nred,1\n", "a.csv", "Call one “name”"),
        (b"name\nA\n", "a.docx", "Rename it"),
        (b"not gzip", "a.csv.gz", "pack it anew"),
        (b"no workbook", "a.xlsx", "save it as a new copy"),
    ],
)
def test_a_file_that_is_no_framework_is_refused_with_the_cure(data: bytes, name: str, cure: str) -> None:
    with pytest.raises(FrameworkRefused, match=cure):
        read(data, name)


# Bringing in ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_file_again_changes_nothing_and_what_vanished_is_marked() -> None:
    plan = bring(attribution="Invented, CC BY 4.0")
    assert [one.name for one in plan.new] == ["Baking", "Deck ovens", "Steam", "Door seals"]
    assert FrameworkTopic.objects.get(code="F2").parent == "F", "a parent may be named"
    before = list(FrameworkTopic.objects.values().order_by("pk"))
    at = Framework.objects.get().imported_at
    again = bring()
    assert (len(again.new), len(again.changed), again.same, again.gone) == (0, 0, 4, [])
    assert Framework.objects.get().imported_at == at
    assert Framework.objects.get().attribution == "Invented, CC BY 4.0", "kept where nothing is said"
    assert list(FrameworkTopic.objects.values().order_by("pk")) == before
    less = CSV.replace("F3,Door seals,,Gaskets,F,,\n", "").replace("Water, hot.", "Water, very hot.")
    plan = bring(less, dry_run=True)
    assert (len(plan.changed), plan.gone) == (1, ["F3"])
    assert list(FrameworkTopic.objects.values().order_by("pk")) == before, "a dry run changes nothing"
    assert bring(less).changes
    seals = FrameworkTopic.objects.get(code="F3")
    assert seals.gone_at
    assert not described("door-seals")
    assert bring().changed[0].code in ("F2", "F3")
    assert described("door-seals")[0].topic.pk == seals.pk, "it came back as the row that it was"


@pytest.mark.django_db
def test_nothing_is_taken_for_gone_while_rows_cannot_be_read() -> None:
    bring()
    plan = bring(CSV.replace("F3,Door seals", "F3,"))
    assert (len(plan.faults), plan.gone) == (1, [])
    assert any("1 topics are not in the file and stay" in remark for remark in plan.remarks)
    assert not FrameworkTopic.objects.exclude(gone_at=None).exists()


@pytest.mark.django_db
def test_a_framework_says_what_stands_around_a_topic() -> None:
    bring(attribution="Invented")
    with CaptureQueriesContext(connection) as asked:
        (one,) = described("deck-ovens")
    assert len(asked) == 3
    assert (one.topic.description, one.topic.levels) == (
        "Ovens with decks.",
        [["Working", "lights one"], ["Expert", "builds one"]],
    )
    assert one.above
    assert one.above.name == "Baking"
    assert [near.name for near in one.beside] == ["Door seals", "Steam"]
    assert [near.name for near in described("baking")[0].below] == ["Deck ovens", "Door seals", "Steam"]
    assert described("gaskets")[0].topic.code == "F3", "found by another name as well"
    assert described("nothing") == []


@pytest.mark.django_db
def test_the_command_says_counts_and_faults(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "ours.csv"
    path.write_text(CSV)
    call_command("import_framework", str(path), name="Ovens", dry_run=True)
    said = capsys.readouterr().out
    assert "4 rows read: 4 new" in said
    assert "dry run" in said
    assert "colour" in said
    assert not Framework.objects.exists()
    path.write_text(CSV + "F9,,,,,,\n")
    with pytest.raises(CommandError, match="1 lines need a look"):
        call_command("import_framework", str(path), name="Ovens")
    assert "line 6: It has no name: fill it in." in capsys.readouterr().err
    assert FrameworkTopic.objects.count() == 4
    with pytest.raises(CommandError, match="Check the path"):
        call_command("import_framework", str(tmp_path / "none.csv"), name="Ovens")


@pytest.mark.django_db
def test_many_rows_are_few_statements() -> None:
    text = "code,name,other names,parent\n" + "".join(f"C{n},Skill {n},Other {n},C{n // 9}\n" for n in range(1, 5001))
    with CaptureQueriesContext(connection) as asked:
        assert len(bring(text).new) == 5000
    assert len(asked) < 60
    assert FrameworkTopic.objects.count() == 5000


# Proposing --------------------------------------------------------------------------------------------------------


def test_topics_are_proposed_from_what_is_readable_and_from_frameworks(viewer: Viewer) -> None:
    bring(attribution="Invented")
    source_of(
        "Book", [Document("a", "A", topics=("Steam", "Steam ovens")), Document("b", "B", topics=("steam", "Steam"))]
    )
    team = Team.objects.create(name="Board", slug="board")
    source_of("Hidden", [Document("h", "H", topics=("STEAM", "Steam leaks"))], audience=[f"team:{team.pk}"])
    with CaptureQueriesContext(connection) as asked:
        found = suggest("the gaskets let steam out of stone ovens", viewer)
    assert len(asked) == 2
    assert [(one.name, one.framework) for one in found] == [
        ("Steam", ""),
        ("Deck ovens", "Ovens"),
        ("Door seals", "Ovens"),
    ]
    assert all(one.attribution == "Invented" for one in found if one.framework)
    assert [one.name for one in suggest("stea", viewer)] == ["Steam", "Steam ovens"], "while it is typed"
    assert "Steam leaks" not in str(suggest("steam leaks", viewer)), "hidden pages name no topic"
    assert [one.name for one in suggest("door s", viewer)] == ["Door seals"]
    assert suggest("", viewer) == suggest("st", viewer) == []
    nobody = Viewer.of(None)
    assert {one.framework for one in suggest("steam", nobody)} == {"Ovens"}


# The curator's page -----------------------------------------------------------------------------------------------


def test_a_curator_sees_what_a_file_would_do_before_it_is_done(make_person: Callable[..., Any], client: Client) -> None:
    address = reverse("knowledge:bring-framework")
    curator = make_person("cora", is_staff=True)
    client.force_login(curator)
    assert client.get(address).status_code == 403
    rights = Permission.objects.filter(content_type__app_label="knowledge", content_type__model="framework")
    curator.user_permissions.set(rights)
    assert client.get(address).status_code == 200
    said = {
        "name": "Ovens",
        "attribution": "Invented",
        "file": SimpleUploadedFile("ours.csv", f"{CSV}X,,,,,,\n".encode()),
    }
    html = client.post(address, said).content.decode()
    for text in ("4 new, 0 changed", "Line 6: It has no name: fill it in.", "ours.csv is kept", 'value="Ovens"'):
        assert text in html, text
    assert not Framework.objects.exists(), "looking changes nothing"
    kept = re.findall(r'name="kept" value="([^"]+)"', html)[0]
    other = make_person("otto")
    other.user_permissions.set(rights)
    stranger = Client()
    stranger.force_login(other)
    again = {"name": "Ovens", "attribution": "Invented", "kept": kept, "do": "yes"}
    assert stranger.post(address, again).status_code == 400, "a file is for who sent it"
    assert "What was done" in client.post(address, again).content.decode()
    assert FrameworkTopic.objects.count() == 4
    fine = SimpleUploadedFile("ours.csv", CSV.encode())
    answer = client.post(address, {"name": "Ovens", "file": fine, "do": "yes"}, follow=True)
    assert "4 the same" in answer.content.decode()
    assert Framework.objects.get().attribution == "Invented"
    for odd in ({"name": "x"}, {"name": "x", "kept": "nonsense"}, {"name": "", "kept": kept}):
        assert client.post(address, odd).status_code == 400
    refused = client.post(address, {"name": "y", "file": SimpleUploadedFile("y.csv", b"colour\nred\n")})
    assert "Call one “name”" in refused.content.decode()
    assert 'value="y"' in refused.content.decode(), "what was typed stays"
    assert client.get(reverse("admin:knowledge_framework_add")).headers["Location"] == address
    assert "Ovens" in client.get(reverse("admin:knowledge_framework_changelist")).content.decode()
