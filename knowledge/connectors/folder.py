"""A folder of files on this machine, read without ever leaving it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from knowledge import extract
from knowledge.connectors import Event, Failure, Known, SourceError, Unchanged
from knowledge.connectors.files import (
    SKIPPED,
    FileOptions,
    allowed_path,
    document_of,
    film_beside,
    open_beneath,
    read_file,
    readable_name,
    too_large,
)
from knowledge.documents import Document
from knowledge.markup import title_of_name

MAX_DEPTH = 60

Parts = tuple[str, ...]
Told = Document | Unchanged | Failure


class FolderConnector:
    """Reads HTML, Markdown, text, PDF, Word, PowerPoint and captions beneath a folder of ``FOLDER_ROOTS``.

    A document's key is its path within the folder, its version the file's size
    and time of change. Hidden files are left out. A symbolic link to a file is
    followed when it ends beneath the same folder; one to a folder never is.
    """

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address
        self.options = FileOptions.parse(options)

    def check(self) -> str:
        """The folder's name as a title."""
        path, root = self._open()
        try:
            if not any(isinstance(found, tuple) for found in self._walk(root, path, Known())):
                kinds = ", ".join(sorted(extract.SUPPORTED))
                raise SourceError(f"{self.address} holds no file that can be read. Types that can: {kinds}.")
        finally:
            os.close(root)
        return title_of_name(path.name) or str(path)

    def pull(self, known: Known) -> Iterator[Event]:
        """Every file, in the order of its path."""
        path, root = self._open()
        told: set[str] = set()
        try:
            for found in self._walk(root, path, known):
                events = self._file(root, *found, known) if isinstance(found, tuple) else iter([found])
                for event in events:
                    if isinstance(event, Failure) or event.key not in told:
                        yield event
                    else:
                        yield Failure(event.key, "Another file's name looks the same when written: rename one of them.")
                    told.add(event.key)
        finally:
            os.close(root)
        if not told and known.versions:
            raise SourceError(
                f"{self.address} is empty, although files were read there before. Is a drive not mounted? "
                "If it is meant to be empty, remove the source."
            )

    def _open(self) -> tuple[Path, int]:
        """The real folder and a descriptor of it; every later path is opened relative to that."""
        _, path = allowed_path(self.address)
        try:
            return path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            why = f"{self.address} cannot be read as a folder ({error.strerror})."
            raise SourceError(f"{why} {_cure(error)}") from error

    def _walk(self, root: int, path: Path, known: Known) -> Iterator[tuple[str, Parts, os.stat_result] | Told]:
        """Files to read, as (their path, where they really are, what is known of them), and what cannot be read."""
        waiting: list[Parts] = [()]
        while waiting:
            parts = waiting.pop()
            try:
                entries = self._entries(root, parts)
            except OSError as error:
                if not parts:
                    raise SourceError(f"{self.address} cannot be listed ({error.strerror}). {_cure(error)}") from error
                yield from _kept(parts, error, known)
                continue
            folders: list[Parts] = []
            for name, about in entries:
                here = (*parts, name)
                whole = "/".join(here)
                wanted = self.options.wants(whole)
                if stat.S_ISDIR(about.st_mode):
                    if wanted:
                        yield Failure(readable_name(whole), "It is a folder with the name of a file: rename it.")
                    if len(here) <= MAX_DEPTH:
                        folders.append(here)
                    else:
                        yield Failure(readable_name(whole), "It lies too deep: move it nearer to the top.")
                elif not wanted:
                    continue
                elif stat.S_ISREG(about.st_mode):
                    yield whole, here, about
                elif stat.S_ISLNK(about.st_mode):
                    yield self._linked(root, path, whole)
                else:
                    yield Failure(readable_name(whole), "It is a pipe or a device and is not opened.")
            waiting.extend(reversed(folders))

    def _entries(self, root: int, parts: Parts) -> list[tuple[str, os.stat_result]]:
        folder = open_beneath(root, parts, folder=True)
        try:
            names = sorted(name for name in os.listdir(folder) if not name.startswith(".") and name not in SKIPPED)
            found = []
            for name in names:
                try:
                    found.append((name, os.stat(name, dir_fd=folder, follow_symlinks=False)))
                except FileNotFoundError:  # taken away meanwhile
                    continue
            return found
        finally:
            os.close(folder)

    def _linked(self, root: int, path: Path, whole: str) -> tuple[str, Parts, os.stat_result] | Failure:
        """Where a symbolic link ends, if that is an ordinary file beneath the folder that is not hidden."""
        key = readable_name(whole)
        target = os.path.realpath(path / whole)
        if path not in Path(target).parents:
            return Failure(key, "It is a link that leads out of the folder and is not followed: put a copy here.")
        parts = Path(target).relative_to(path).parts
        if any(part.startswith(".") for part in parts):
            return Failure(key, "It is a link to a hidden file and is not followed.")
        try:
            file = open_beneath(root, parts)
        except OSError:
            return Failure(key, "It is a link to a file that is not there: mend or remove the link.")
        try:
            about = os.fstat(file)
        finally:
            os.close(file)
        if not stat.S_ISREG(about.st_mode):
            return Failure(key, "It is a link to something that is no ordinary file.")
        return whole, parts, about

    def _file(self, root: int, whole: str, parts: Parts, about: os.stat_result, known: Known) -> Iterator[Told]:
        key = readable_name(whole)
        film = film_beside(whole, partial(_is_file, root)) if self.options.base_url else ""
        version = f"{about.st_size}-{about.st_mtime_ns}-{self.options.digest}{Path(film).suffix}"
        if known.versions.get(key) == version:
            yield Unchanged(key)
            return
        if about.st_size > self.options.max_bytes:
            yield Failure(key, too_large(self.options.max_bytes))
            return
        try:
            data = read_file(root, parts, self.options.max_bytes)
            found = extract.extract(data, readable_name(whole), limits=self.options.limits)
        except (extract.ExtractionError, ValueError) as error:
            yield Failure(key, str(error))
            return
        except OSError as error:
            yield Failure(key, f"It cannot be read ({error.strerror or error}). {_cure(error)}")
            return
        changed = datetime.fromtimestamp(min(max(about.st_mtime, 0), 4e9), UTC)
        document, reason = document_of(
            whole, found, self.options, version=version, updated=found.updated or changed, film=film
        )
        yield document
        if reason:
            yield Failure(key, f"It was read, but {reason}.")


def _is_file(root: int, path: str) -> bool:
    try:
        file = open_beneath(root, path.split("/"))
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(file).st_mode)
    finally:
        os.close(file)


def _kept(parts: Parts, error: OSError, known: Known) -> Iterator[Told]:
    """A folder that cannot be listed now: what was read in it before is not gone for that."""
    name = readable_name("/".join(parts))
    yield Failure(name, f"The folder cannot be listed ({error.strerror or error}). {_cure(error)}")
    for key in known.versions:
        if key.startswith(name + "/"):
            yield Unchanged(key)


def _cure(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "Let the account that runs the worker read it."
    if isinstance(error, FileNotFoundError):
        return "Check the path, or whether a drive is not mounted."
    return "Look whether it is a file or folder that this machine can open."
