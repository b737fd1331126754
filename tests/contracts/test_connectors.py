"""The connectors of files keep the contract; those of the network and of people have their own modules."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from dulwich.repo import Repo

from knowledge.connectors.catalogue import CatalogueConnector
from knowledge.connectors.folder import FolderConnector
from knowledge.connectors.git import GitConnector
from tests.contracts.connectors import ConnectorContract, Place


class Folder(Place):
    """Markdown files in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.mkdir()

    def connector(self) -> FolderConnector:
        return FolderConnector(str(self.path), {"base_url": "https://handbook.example/"})

    def missing(self) -> FolderConnector:
        return FolderConnector(str(self.path / "nowhere"), {})

    def file(self, name: str) -> Path:
        return self.path / f"{name}.md"

    def put(self, name: str, title: str, text: str) -> None:
        self.remove(name)
        self.file(name).write_text(f"# {title}\n\n{text}\n")

    def remove(self, name: str) -> None:
        self.file(name).unlink(missing_ok=True)

    def spoil(self, name: str) -> None:
        self.remove(name)
        self.file(name).symlink_to("/etc/hostname")


class TestFolder(ConnectorContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Folder:
        return Folder(tmp_path / "handbook")


class Repository(Place):
    """Markdown files in a git repository; every change is a commit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repo = Repo.init(str(path), mkdir=True)
        self.commits = 0

    def connector(self) -> GitConnector:
        return GitConnector(str(self.path), {"base_url": "https://git.example/handbook/blob/main"})

    def missing(self) -> GitConnector:
        return GitConnector(str(self.path / "nowhere"), {})

    def commit(self, message: str, author: str = "Ana Lima <ana@example.com>") -> None:
        self.commits += 1
        when = 1_700_000_000 + self.commits * 3600
        self.repo.get_worktree().commit(
            message=message.encode(),
            author=author.encode(),
            committer=b"Web <web@example.com>",
            author_timestamp=when,
            commit_timestamp=when,
            author_timezone=0,
            commit_timezone=0,
        )

    def write(self, name: str, data: bytes | None) -> None:
        file = self.path / name
        if data is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        self.repo.get_worktree().stage([name])

    def put(self, name: str, title: str, text: str) -> None:
        self.write(f"{name}.md", f"# {title}\n\n{text}\n".encode())
        self.commit(f"Write {name}")

    def remove(self, name: str) -> None:
        self.write(f"{name}.md", None)
        self.commit(f"Remove {name}")

    def spoil(self, name: str) -> None:
        self.write(f"{name}.md", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
        self.commit("Move it to LFS")


@pytest.fixture
def repository(tmp_path: Path, settings: LazySettings) -> Iterator[Repository]:
    settings.VAR_DIR = tmp_path / "var"
    place = Repository(tmp_path / "handbook.git")
    yield place
    place.repo.close()


class TestGit(ConnectorContract):
    @pytest.fixture
    def place(self, repository: Repository) -> Repository:
        return repository


class Table(Place):
    """A CSV file; each document is a row."""

    name = "courses.csv"

    def __init__(self, folder: Path) -> None:
        self.file = folder / self.name
        self.rows: dict[str, tuple[str, str]] = {}

    def connector(self) -> CatalogueConnector:
        return CatalogueConnector(str(self.file), {"kind": "course"})

    def missing(self) -> CatalogueConnector:
        return CatalogueConnector(str(self.file.with_name("nowhere.csv")), {})

    def write(self) -> None:
        with self.file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "title", "description"])
            writer.writerows((key, *row) for key, row in self.rows.items())

    def put(self, name: str, title: str, text: str) -> None:
        self.rows[name] = (title, text)
        self.write()

    def remove(self, name: str) -> None:
        del self.rows[name]
        self.write()

    def spoil(self, name: str) -> None:
        self.put(name, "", "a row without a title")


class TestTable(ConnectorContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Table:
        return Table(tmp_path)


class JsonLines(Table):
    """A file of JSON lines, where a broken line cannot even say whose it is."""

    name = "tools.jsonl"

    def write(self) -> None:
        lines = (
            json.dumps({"id": key, "title": title, "description": text}) if title else '{"id": "' + key
            for key, (title, text) in self.rows.items()
        )
        self.file.write_text("\n".join(lines) + "\n")


class TestJsonLines(ConnectorContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> JsonLines:
        return JsonLines(tmp_path)
