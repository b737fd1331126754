"""The connectors of files keep the contract; those of the network and of people have their own modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.connectors.folder import FolderConnector
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
