"""The connectors of files keep the contract; those of the network and of people have their own modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from dulwich.repo import Repo

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
