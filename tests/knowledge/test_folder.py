"""Folders: what their files say, and that no name, link or kind of file leads the connector astray."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings

from knowledge.connectors import Document, Failure, Known, SourceError, Unchanged
from knowledge.connectors.files import readable_name
from knowledge.connectors.folder import FolderConnector
from tests.contracts.connectors import Stored, check_document


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    path = tmp_path / "the-handbook"
    path.mkdir()
    (path / "leave.md").write_text("# Leave\n\nAsk.\n")
    return path


def pulled(path: Path, **options: object) -> Stored:
    stored = Stored()
    stored.pull(FolderConnector(str(path), options))
    return stored


def reasons(stored: Stored) -> dict[str, str]:
    return {failure.key: failure.reason for failure in stored.failures()}


def test_front_matter_says_what_a_page_is(handbook: Path) -> None:
    (handbook / "people-ops").mkdir()
    (handbook / "people-ops" / "pay.md").write_text(
        "---\ntitle: Pay day\ntopics: [Pay, money]\ntags: pay; bank\nkind: Course\nlang: de\naudience: [finance, hr]\n"
        "date: 2024-02-03\nupdated: 2025-06-07T08:09:10Z\nauthors:\n  - Ana Lima <ana@example.com>\n  - name: Bo\n---\n"
        "Paid on the last day."
    )
    [page] = [one for one in pulled(handbook, base_url="https://x.example/h/").told() if one.kind == "course"]
    assert page.key == "people-ops/pay.md"
    assert page.title == "Pay day"
    assert page.topics == ("Pay", "money", "bank")
    assert page.crumbs == ("People ops",)
    assert page.language == "de"
    assert page.audience == {"finance", "hr"}
    assert page.url == "https://x.example/h/people-ops/pay.md"
    assert page.created == datetime(2024, 2, 3, tzinfo=UTC)
    assert page.updated == datetime(2025, 6, 7, 8, 9, 10, tzinfo=UTC)
    assert [(one.name, one.email, one.share) for one in page.contributions] == [
        ("Ana Lima", "ana@example.com", 0.5),
        ("Bo", "", 0.5),
    ]


@pytest.mark.parametrize("said", ["", "{a: 1}", "3.5", "[[x]]", "~", '" "', "[finance, {x: 1}]"])
def test_an_audience_that_cannot_be_understood_is_nobody(handbook: Path, said: str) -> None:
    (handbook / "leave.md").write_text(f"---\naudience: {said}\n---\n# Leave")
    stored = pulled(handbook, audience="staff")
    assert [page.audience for page in stored.told()] == [frozenset()]
    assert "nobody" in reasons(stored)["leave.md"]


def test_a_source_may_set_the_audience_of_pages_that_name_none(handbook: Path) -> None:
    (handbook / "own.md").write_text("---\naudience: finance\n---\n# Own")
    audiences = {page.key: page.audience for page in pulled(handbook, audience=["staff"]).told()}
    assert audiences == {"leave.md": {"staff"}, "own.md": {"finance"}}


def test_malformed_front_matter_is_told_and_the_page_read(handbook: Path) -> None:
    (handbook / "leave.md").write_text("---\ntitle: a: b\n---\n# Leave\n\nAsk.")
    stored = pulled(handbook)
    assert stored.titles() == ["Leave"]
    assert "line 2" in reasons(stored)["leave.md"]


@pytest.mark.parametrize(
    "front", ["url: javascript:alert(1)", "url: ftp://x.example/", "kind: person", "url: 'https://x.example/\\n'"]
)
def test_a_page_cannot_claim_just_anything(handbook: Path, front: str) -> None:
    (handbook / "leave.md").write_text(f"---\n{front}\n---\n# Leave")
    [page] = (stored := pulled(handbook)).told()
    check_document(page)
    assert page.kind == "page"
    assert page.url == ""
    assert len(stored.failures()) == 1


NAMES = [
    "💡 ideas.md".encode(),
    "invoice \u202efdp.md".encode(),
    "دليل.md".encode(),
    b"caf\xe9.md",
    b"new\nline\x01.md",
    b"'\"<script>&.md",
    "é".encode() * 100 + b".md",
]


def test_hostile_names_of_files(handbook: Path) -> None:
    for name in NAMES:
        (Path(os.fsdecode(os.fsencode(handbook) + b"/" + name))).write_text("only words")
    stored = pulled(handbook, base_url="https://x.example")
    assert stored.failures() == []
    assert len(stored.documents) == len(NAMES) + 1
    for page in stored.told():
        check_document(page)
    assert "caf\\xe9.md" in stored.documents
    assert all(isinstance(event, Unchanged) for event in stored.pull(FolderConnector(str(handbook), {
        "base_url": "https://x.example"
    })))  # fmt: skip


def test_names_that_look_the_same_when_written_are_told(handbook: Path) -> None:
    (handbook / "a\u202eb.md").write_text("one")
    (handbook / "a\\u202eb.md").write_text("two")
    stored = pulled(handbook)
    assert len(stored.documents) == 2
    assert list(reasons(stored)) == ["a\\u202eb.md"]


def test_very_long_paths_stay_apart() -> None:
    one, two = readable_name("x" * 600 + "1"), readable_name("x" * 600 + "2")
    assert len(one) <= 500
    assert one != two


def test_links_never_lead_out(handbook: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.md"
    outside.write_text("# Secret")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "inner.md").write_text("# Inner")
    (handbook / ".git").mkdir()
    (handbook / ".git" / "hidden.md").write_text("# Hidden")
    (handbook / "sub").mkdir()
    for name, target in {
        "absolute.md": outside,
        "relative.md": Path("../secret.md"),
        "dangling.md": Path("nowhere.md"),
        "loop.md": Path("loop.md"),
        "hidden.md": Path(".git/hidden.md"),
        "passwd.txt": Path("/etc/passwd"),
        "sub/inside.md": Path("../leave.md"),
        "folder": tmp_path / "private",
        "up": Path(".."),
        "folder.md": Path("sub"),
    }.items():
        (handbook / name).symlink_to(target)
    stored = pulled(handbook)
    assert sorted(stored.documents) == ["leave.md", "sub/inside.md"]
    assert stored.documents["sub/inside.md"].title == "Leave"
    assert sorted(reasons(stored)) == [
        "absolute.md", "dangling.md", "folder.md", "hidden.md", "loop.md", "passwd.txt", "relative.md"
    ]  # fmt: skip
    assert all("link" in reason for reason in reasons(stored).values())


def test_a_file_swapped_for_a_link_is_not_followed(handbook: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n")
    (handbook / "zz.md").write_text("# Later\n")
    events = iter(FolderConnector(str(handbook), {}).pull(Known()))
    first = next(events)
    (handbook / "zz.md").unlink()
    (handbook / "zz.md").symlink_to(tmp_path / "secret.md")
    second = next(events)
    assert isinstance(first, Document)
    assert isinstance(second, Failure)


def test_only_ordinary_files_are_opened(handbook: Path) -> None:
    os.mkfifo(handbook / "pipe.md")
    (handbook / "folder.md").mkdir()
    (handbook / "folder.md" / "inner.md").write_text("# Inner")
    with open(handbook / "huge.md", "wb") as file:
        file.truncate(2_000_000_000)
    with open(handbook / "huge.pdf", "wb") as file:
        file.truncate(2_000_000_000)
    stored = pulled(handbook)
    assert sorted(stored.documents) == ["folder.md/inner.md", "leave.md"]
    assert sorted(reasons(stored)) == ["folder.md", "huge.md", "huge.pdf", "pipe.md"]
    assert "larger than 50 MB" in reasons(stored)["huge.md"]
    assert "pipe" in reasons(stored)["pipe.md"]


def test_hidden_and_unwanted_files_are_left_out(handbook: Path) -> None:
    for name in (".secret.md", "node_modules/a.md", ".git/b.md", "image.png", "drafts/c.md", "guides/d.md", "e.txt"):
        (handbook / name).parent.mkdir(exist_ok=True)
        (handbook / name).write_text("words")
    assert sorted(pulled(handbook).documents) == ["drafts/c.md", "e.txt", "guides/d.md", "leave.md"]
    assert sorted(pulled(handbook, exclude=["drafts/", "*.txt"]).documents) == ["guides/d.md", "leave.md"]
    assert sorted(pulled(handbook, include="guides/*, e.*").documents) == ["e.txt", "guides/d.md"]


def test_other_options_read_a_file_again(handbook: Path) -> None:
    stored = pulled(handbook)
    stored.pull(FolderConnector(str(handbook), {"base_url": "https://x.example"}))
    assert [page.url for page in stored.told()] == ["https://x.example/leave.md"]


def test_a_folder_that_cannot_be_listed_keeps_what_was_in_it(handbook: Path) -> None:
    (handbook / "sub").mkdir()
    (handbook / "sub" / "a.md").write_text("# A")
    stored = pulled(handbook)
    events = FolderConnector(str(handbook), {}).pull(stored.known())
    told = [next(events)]
    (handbook / "sub" / "a.md").unlink()
    (handbook / "sub").rmdir()  # after the parent was listed, as when a drive goes away
    told += list(events)
    assert [event.key for event in told] == ["leave.md", "sub", "sub/a.md"]
    assert isinstance(told[2], Unchanged)


def test_a_folder_that_is_suddenly_empty_is_an_error_and_no_end_of_everything(handbook: Path) -> None:
    stored = pulled(handbook)
    (handbook / "leave.md").unlink()
    with pytest.raises(SourceError, match="mounted"):
        list(FolderConnector(str(handbook), {}).pull(stored.known()))
    with pytest.raises(SourceError, match=r"\.docx"):
        FolderConnector(str(handbook), {}).check()


@pytest.mark.parametrize(
    "address", ["", "relative/path", "/etc", "/", "{root}/../..", "{root}/out", "{root}/leave.md", "\0"]
)
def test_only_folders_beneath_the_roots_are_read(
    handbook: Path, settings: LazySettings, tmp_path: Path, address: str
) -> None:
    settings.FOLDER_ROOTS = [handbook]
    (handbook / "out").symlink_to(tmp_path)
    connector = FolderConnector(address.replace("{root}", str(handbook)), {})
    with pytest.raises(SourceError):
        connector.check()
    with pytest.raises(SourceError):
        list(connector.pull(Known()))


def test_without_roots_the_cure_is_named(handbook: Path, settings: LazySettings) -> None:
    settings.FOLDER_ROOTS = []
    with pytest.raises(SourceError, match="FOLDER_ROOTS"):
        FolderConnector(str(handbook), {}).check()


@pytest.mark.parametrize(
    "options",
    [{"inclde": "x"}, {"base_url": "javascript:x"}, {"max_bytes": "big"}, {"max_bytes": 0}, {"max_bytes": True}],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(SourceError):
        FolderConnector("/srv", options)


UNCLEAR = {
    "not closed": "---\ntitle: Pay\naudience: [finance]\n\n# Pay\n\nSecret.",
    "not closed, in two parts": "---\ntitle: Pay\n\naudience: [finance]\n\n# Pay",
    "plus signs": "+++\ntitle = 'Pay'\naudience = ['finance']\n+++\nSecret.",
    "a word behind": "---yaml\naudience: [finance]\n---\nSecret.",
    "a comment behind": "--- # for the wiki\naudience: [finance]\n---\nSecret.",
    "indented": " ---\n audience: [finance]\n ---\nSecret.",
    "more dashes": "-----\nAUDIENCE: finance\n-----\nSecret.",
    "a dash that an editor made": "—-\naudience: finance\n—-\nSecret.",
    "equals sign": "---\naudience = finance\n---\nSecret.",
    "no blank": "---\naudience:[finance]\n---\nSecret.",
    "a tab": "---\ntitle: Pay\n\taudience: [finance]\n---\nSecret.",
    "a mark nobody sees": "---\ntitle: x: y\n\u200baudience: [finance]\n---\nSecret.",
    "JSON": '{\n  "title": "Pay",\n  "audience": ["finance"]\n}\nSecret.',
    "a comment": "<!-- audience: finance -->\nSecret.",
    "code": "```yaml\naudience: finance\n```\nSecret.",
    "below a heading": "# Pay\n\n---\naudience: finance\n---\nSecret.",
    "below a comment": "<!-- made by a tool -->\n+++\naudience = 'finance'\n+++\nSecret.",
    "behind other front matter": "---\ntitle: Pay\n---\n---\naudience: [finance]\n---\nSecret.",
    "behind an empty fence": "--- #\n---\naudience: [finance]\n---\nSecret.",
    "fields": ":Author: Ana\n:Audience: finance\n\nSecret.",
    "twice": "---\naudience: [finance]\naudience: [everyone]\n---\nSecret.",
    "twice in two cases": "---\naudience: [finance]\nAudience: [everyone]\n---\nSecret.",
    "within another": "---\naccess:\n  audience: [finance]\n---\nSecret.",
    "merged": "---\n<<: {audience: [finance]}\naudience: [everyone]\n---\nSecret.",
    "a list": "---\n- audience: [finance]\n---\nSecret.",
    "too long": "---\nx: " + "y" * 40_000 + "\naudience: [finance]\n---\nSecret.",
}
CLEAR = {
    "plain": "---\naudience: [finance]\n---\nWords.",
    "below empty lines": "\n \n\n---\naudience: [finance]\n---\nWords.",
    "behind a byte order mark": "\ufeff---\naudience: [finance]\n---\nWords.",
    "behind a mark nobody sees": "\u200b\n---\naudience: [finance]\n---\nWords.",
    "in capitals": "---\nAUDIENCE : finance\n...\nWords.",
    "quoted": '---\n"audience": "finance"\n---\nWords.',
    "Windows": "\r\n---\r\naudience: finance\r\n---\r\nWords.",
}
OPEN = {
    "a paragraph": "# Guide\n\nAudience: new people\n\nMore.",
    "a first line": "Audience: new people\n\nMore.",
    "below a title": "Guide\n-----\nAudience: new people\n\nMore.",
    "below a rule": "---\n\nWords about the audience.\n\nAudience: new people",
    "below a rule and a heading": "---\n\n# Guide\n\nAudience: new people",
    "between rules": "---\n\nWho is the audience, and why?\n\n---\n\nAudience: new people",
    "below front matter": "---\ntitle: Guide\n---\n\nAudience: new people",
    "below other front matter": "+++\ntitle = 'Guide'\n+++\n\nAudience: new people",
    "in a value": "---\ntitle: Guide\nabout: |\n  Audience: new people\n---\nMore.",
    "in an example": "---\ntitle: Guide\n---\n\n```yaml\n---\naudience: [finance]\n---\n```\n",
    "in a later example": "# Guide\n\nWrite this:\n\n    ---\n    audience: [finance]\n    ---\n",
    "a word": "---\nTell the audience: nothing\n---\nMore.",
}
TEXTS = ["a.md", "a.txt", "a.rst", "a.html", "a.html.erb", "a.html.md.erb", "a.mdx"]


@pytest.mark.parametrize("name", TEXTS)
def test_an_audience_that_is_written_is_meant(handbook: Path, name: str) -> None:
    """In every text format alike: understood, or for nobody with the cure; never silently for everyone."""
    for number, text in enumerate((UNCLEAR | CLEAR | OPEN).values()):
        (handbook / f"{number:02}-{name}").write_bytes(text.encode())
    stored = pulled(handbook)
    told = {failure.key: failure.reason for failure in stored.failures()}
    for number, case in enumerate(UNCLEAR | CLEAR | OPEN):
        key = f"{number:02}-{name}"
        audience = stored.documents[key].audience
        if case in UNCLEAR:
            assert audience == frozenset(), case
            assert "nobody sees" in told[key], case
        elif case in CLEAR:
            assert audience == {"finance"}, case
            assert key not in told, case
            assert stored.documents[key].body == "Words.", case
        else:
            assert audience is None, case
            assert "audience" not in told.get(key, ""), case


def test_front_matter_speaks_in_every_text_format(handbook: Path) -> None:
    front = "---\ntitle: Pay day\ntopics: [money]\nlang: de\n---\n"
    for name, text in {
        "a.txt": "Words.",
        "a.rst": "Other\n=====\n\nWords.",
        "a.html": "<h1>Other</h1><p>Words.",
    }.items():
        (handbook / name).write_text(front + text)
    stored = pulled(handbook)
    for name in ("a.txt", "a.rst", "a.html"):
        page = stored.documents[name]
        assert (page.title, page.topics, page.language) == ("Pay day", ("money",), "de"), name
        assert "Words." in page.body
        assert "topics" not in page.body
    assert stored.failures() == []
