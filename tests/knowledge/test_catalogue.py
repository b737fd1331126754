"""Catalogues: what columns mean, and tables that are not as they should be."""

from __future__ import annotations

import gzip
import io
import json
from datetime import date
from pathlib import Path

import pytest
from django.conf import LazySettings
from openpyxl import Workbook

from knowledge.connectors import Known, SourceError
from knowledge.connectors.catalogue import CatalogueConnector, minutes
from knowledge.connectors.tables import TableError, unpacked
from tests.contracts.connectors import Stored, check_document
from tests.loopback import Handler, Web


def pulled(path: Path | str, **options: object) -> Stored:
    stored = Stored()
    stored.pull(CatalogueConnector(str(path), options))
    for page in stored.told():
        check_document(page)
    return stored


def written(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


COURSES = (
    "Course name;Link;About;Tags;Length;Starts on;Fee;Trainer;Effort\n"
    'Speak up;https://learn.example/speak;"Say it ""well"";\nand short.";talk, courage;'
    "1h 30;2027-02-03;90 €;Ana Lima;low\n"
    "Write well;https://learn.example/write;;;14 weeks;soon;;;\n"
)
FIELDS = {
    "title": "Course name",
    "description": "About",
    "duration": "length",
    "next_date": "Starts on",
    "price": "Fee",
    "creators": "Trainer",
}


def test_courses_with_a_field_map(tmp_path: Path) -> None:
    stored = pulled(written(tmp_path / "c.csv", COURSES), fields=FIELDS, kind="course")
    speak, write = stored.told()
    assert (speak.key, speak.title, speak.kind) == ("https://learn.example/speak", "Speak up", "course")
    assert speak.body == 'Say it "well";\nand short.\n\n- Effort: low'
    assert speak.topics == ("talk", "courage")
    assert dict(speak.facts) == {"duration_minutes": 90, "next_date": "2027-02-03", "price": "90 €"}
    assert [one.name for one in speak.contributions] == ["Ana Lima"]
    assert dict(write.facts) == {"duration": "14 weeks"}
    assert "2027-03-31" in stored.failures()[0].reason


@pytest.mark.parametrize("column", ["text", "body", "content"])
def test_a_long_text_is_the_body_under_each_of_its_usual_names(tmp_path: Path, column: str) -> None:
    said = "Ask the baker before the oven is opened. " * 20
    stored = pulled(written(tmp_path / "p.jsonl", json.dumps({"title": "Ovens", column: said})))
    assert stored.told()[0].body == said.strip()


def test_a_text_says_more_than_its_summary(tmp_path: Path) -> None:
    row = {"title": "Ovens", "summary": "Of ovens.", "text": "Ask the baker before the oven is opened."}
    assert pulled(written(tmp_path / "p.jsonl", json.dumps(row))).told()[0].body == row["text"]


def test_tools_with_the_jobs_that_they_do(tmp_path: Path) -> None:
    rows = [
        {
            "id": "t1",
            "name": "Scanner",
            "url": "https://tools.example/scan",
            "type": "tool/command",
            "tasks": [{"do": "Read a [p]aper", "how": "scan {{x}}"}, {"do": "Mail it"}, "odd", {"other": 1}],
        },
        {"id": "t2", "name": "Plain", "jobs": "Count; Sum", "topics": ["numbers", 7]},
    ]
    stored = pulled(written(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows))), kinds={"command": "tool"})
    scanner, plain = stored.told()
    assert scanner.kind == "tool"
    assert scanner.facts["jobs"] == ["Read a paper", "Mail it"]
    assert scanner.body == "- Read a paper\n- Mail it"
    assert plain.facts["jobs"] == ["Count", "Sum"]
    assert plain.topics == ("numbers", "7")


def test_a_kind_that_there_is_not_is_kept_as_a_page_and_told(tmp_path: Path) -> None:
    rows = "title,type\nSmaug,dragon\nScanner,tool\nPlain,\n"
    stored = pulled(written(tmp_path / "c.csv", rows))
    assert {page.title: page.kind for page in stored.told()} == {"Smaug": "page", "Scanner": "tool", "Plain": "page"}
    (failure,) = stored.failures()
    assert (failure.key, "page, tool, course, video" in failure.reason) == ("Smaug", True)
    assert '{"dragon": "tool"}' in failure.reason
    mended = pulled(tmp_path / "c.csv", kinds={"dragon": "tool"})
    assert not mended.failures()
    assert [page.kind for page in mended.told()].count("tool") == 2


def test_a_workbook(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["ID", "Title", "Starts", "Duration", "Seats left", "Access"], [1, "One", date(2027, 1, 2), 45, 12, "Buyers"],
        [], [2, "Two", None, None, "Full"],
    ):  # fmt: skip
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    one, two = pulled(written(tmp_path / "c.xlsx", buffer.getvalue())).told()
    assert (one.key, two.key) == ("1", "2")
    assert dict(one.facts) == {
        "next_date": "2027-01-02", "duration_minutes": 45, "places": 12, "access": "Buyers"
    }  # fmt: skip
    assert "Access: Buyers" in one.body
    assert dict(two.facts) == {"places": 0}
    with pytest.raises(SourceError, match="damaged"):
        CatalogueConnector(str(written(tmp_path / "d.xlsx", b"no")), {}).check()


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90", 90), ("45 min", 45), ("1h 30", 90), ("1:30", 90), ("1.5 hours", 90), ("PT1H30M", 90), ("2 h", 120),
        ("14 weeks", None), ("6-10 hours", None), ("", None), ("soon", None), ("9" * 5000, None), ("1h" * 5000, None),
    ],
)  # fmt: skip
def test_lengths(text: str, length: int | None) -> None:
    assert minutes(text) == length


@pytest.mark.parametrize(
    ("name", "data", "options", "cure"),
    [
        ("a.csv", "course,link\nx,y\n", {}, "no column “title or name”.*Columns found: course, link.*fields"),
        ("a.csv", "title,link\nx,y\n", {"fields": {"topics": "Area"}}, "no column “Area” for the topics"),
        ("a.csv", "title\nx\n", {"key": "id"}, "no column “id” for the key"),
        ("a.csv", "title,title\nx,y\n", {}, "Two columns"),
        ("a.csv", "", {}, "no row"),
        ("a.csv", "title\n", {}, "no row"),
        ("a.json", "{}", {}, "no list of rows"),
        ("a.json", "[" * 100_000, {}, "no valid JSON"),
        ("a.jsonl.gz", b"not packed", {}, "gzip"),
        ("a.jsonl.gz", gzip.compress(b"{}" * 1000, mtime=0)[:-9], {}, "too early"),
        ("a.csv.gz", gzip.compress(b"a" * 2_000_000, mtime=0), {"max_bytes": 1_000_000}, "unpacks to more than 1 MB"),
        ("a.csv", "title\n" + "x" * 2000, {"max_bytes": 1000}, "larger than"),
        ("a.exe", "title\nx", {}, "endings"),
    ],
)
def test_tables_that_cannot_be_read_say_the_cure(
    tmp_path: Path, name: str, data: str | bytes, options: dict[str, object], cure: str
) -> None:
    connector = CatalogueConnector(str(written(tmp_path / name, data)), options)
    with pytest.raises(SourceError, match=cure):
        connector.check()
    with pytest.raises(SourceError, match=cure):
        list(connector.pull(Known()))


def test_bad_rows_are_told_by_their_number_and_passed_over(tmp_path: Path) -> None:
    text = (
        "id,title,url\n1,One,https://x.example/1\n2,,\n3,Three,javascript:alert(1)\n1,Again,\n"
        '5,Five,https://x.example/5,over,the end\n,,\n,"",\n6,Six,https://x.example/6\n,,https://x.example/7\n'
    )
    stored = pulled(written(tmp_path / "c.csv", text))
    assert {page.key: page.url for page in stored.told()} == {
        "1": "https://x.example/1",
        "3": "",
        "6": "https://x.example/6",
    }
    told = [(failure.key, failure.reason) for failure in stored.failures()]
    assert [key for key, _ in told] == ["2", "3", "1", "5", "https://x.example/7"]
    assert [reason[:5] for _, reason in told] == ["Row 3", "Row 4", "Row 5", "Row 6", "Row 1"]


def test_a_line_without_a_name_removes_nothing(tmp_path: Path) -> None:
    file = written(tmp_path / "t.jsonl", '{"id": "a", "title": "A"}\n{"id": "b", "title": "B"}\n')
    stored = pulled(file)
    written(file, '{"id": "a", "title": "A"}\n{"id": "b", "titl\n[1]\n')
    stored.pull(CatalogueConnector(str(file), {}))
    assert sorted(stored.documents) == ["a", "b"]
    assert [failure.key for failure in stored.failures()] == ["row 2", "row 3"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbftitle,id\nGr\xc3\xb6\xc3\x9fe,1\n",
        "title,id\nGröße,1\n".encode("utf-16"),
        b"title\tid\nGr\xc3\xb6\xc3\x9fe\t1\n",
        b"id|title\r\n1|Gr\xc3\xb6\xc3\x9fe\r\n",
        b"title,id\nGr\xc3\xb6\xc3\x9fe\x00\x07,1\n",
    ],
)
def test_encodings_and_delimiters(tmp_path: Path, data: bytes) -> None:
    assert pulled(written(tmp_path / "c.csv", data)).titles() == ["Größe"]


@pytest.mark.parametrize(
    "options",
    [{"kind": "person"}, {"kinds": {"a": "lesson"}}, {"fields": {"titel": "x"}}, {"fields": "title"}, {"colour": 1}],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(SourceError):
        CatalogueConnector("/srv/c.csv", options)


def test_an_audience_narrows(tmp_path: Path) -> None:
    file = written(tmp_path / "c.csv", "id,title,audience\n1,One,finance; hr\n2,Two,\n")
    assert [page.audience for page in pulled(file).told()] == [{"finance", "hr"}, None]
    assert [page.audience for page in pulled(file, audience="staff").told()] == [{"finance", "hr"}, {"staff"}]


def test_only_files_beneath_the_roots(tmp_path: Path, settings: LazySettings) -> None:
    (tmp_path / "in").mkdir()
    written(tmp_path / "out.csv", "title\nx\n")
    settings.FOLDER_ROOTS = [tmp_path / "in"]
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "out.csv")
    for address in (
        tmp_path / "out.csv",
        tmp_path / "in" / "link.csv",
        tmp_path / "in",
        "/etc/passwd",
        "file:///etc/x",
    ):
        with pytest.raises(SourceError):
            CatalogueConnector(str(address), {}).check()


def test_a_bomb_is_never_whole_in_memory() -> None:
    with pytest.raises(TableError):
        unpacked(
            gzip.compress(gzip.compress(b"\0" * 50_000_000, mtime=0)) + gzip.compress(b"\0" * 50_000_000), 1_000_000
        )
    assert unpacked(gzip.compress(b"a", mtime=0) + gzip.compress(b"b"), 10) == b"ab"


def test_a_catalogue_behind_an_address(web: Web) -> None:
    def answer(handler: Handler) -> None:
        if handler.headers.get("If-None-Match") == '"1"':
            handler.say(304)
        else:
            handler.say(200, b"id,title\n1,One\n", ETag='"1"')

    web.answers["/c.csv"] = answer
    stored = pulled(f"{web.base}/c.csv")
    assert stored.titles() == ["One"]
    stored.pull(CatalogueConnector(f"{web.base}/c.csv", {}))
    assert stored.told() == []
    assert stored.titles() == ["One"]
    stored.pull(CatalogueConnector(f"{web.base}/c.csv", {"kind": "tool"}))
    assert [page.kind for page in stored.told()] == ["tool"]
    with pytest.raises(SourceError, match="404"):
        CatalogueConnector(f"{web.base}/d.csv", {}).check()
