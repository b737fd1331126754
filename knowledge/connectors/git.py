"""A git repository, on this machine or behind https: the files of one branch, with authors and dates of its history.

Only objects are read: nothing is checked out, so no filter, hook, submodule
or symbolic link of a stranger's repository ever does anything here.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import queue
import re
import shutil
import stat
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from dulwich.config import ConfigFile
from dulwich.errors import ChecksumMismatch, FileFormatException, MissingCommitError, NotGitRepository
from dulwich.object_store import iter_tree_contents, tree_lookup_path
from dulwich.objects import Blob, Commit, ObjectID, Tag
from dulwich.refs import Ref
from dulwich.repo import InvalidWorktreeConfiguration, Repo, UnsupportedExtension, UnsupportedVersion

from knowledge import extract
from knowledge.connectors import Checkpoint, Event, Failure, Known, SourceError, Unchanged
from knowledge.connectors.files import (
    FileOptions,
    allowed_path,
    document_of,
    film_beside,
    readable_name,
    too_large,
)
from knowledge.connectors.git_client import GitClient
from knowledge.connectors.history import History, mailmap_of, moment_of, path_of, stored_size
from knowledge.markup import clean_line, title_of_name

MAX_ENTRIES = 500_000
"""Files beneath .git that are looked at: git packs its objects long before."""
ALIVE = 5.0
"""Seconds without an event after which one is sent, so that the worker keeps its lease while history is counted."""

TURN = 0.5
"""Seconds between two tries to work on a place that another worker works on."""

DAMAGE = (ChecksumMismatch, FileFormatException, MissingCommitError, NotGitRepository)

TIP = Ref(b"refs/heads/immersive")
_LFS = b"version https://git-lfs.github.com/spec/"


class GitConnector:
    """Reads the files at the tip of one branch (options ``branch``, ``path``) and who worked on them.

    The address is a folder beneath ``FOLDER_ROOTS`` or an address whose scheme
    is in ``GIT_SCHEMES``. A document's key is its path in the repository, its
    version the file's content and the last commit that touched it.
    """

    lists_everything = True

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.address = address
        self.options = FileOptions.parse(options, "branch", "path")
        self.branch = str(options.get("branch") or "")
        self.path = str(options.get("path") or "").strip("/")
        self.remote = "://" in address or bool(re.match(r"[\w.-]+@[\w.-]+:", address))
        name = hashlib.sha256(address.encode()).hexdigest()[:32]
        self.place = Path(settings.VAR_DIR) / "git" / name  # of one source alone: an address is one source

    def check(self) -> str:
        """The repository's name as a title."""
        if self.remote:
            with contextlib.closing(GitClient(self._url())) as client:
                refs = client.guarded(lambda: client.get_refs(client.repository).refs)
            self._choose(refs)
        else:
            with contextlib.closing(self._local()) as repo:
                commit = self._commit(repo, self._tip(repo))
                if not any(True for _ in self._files(repo, commit)):
                    kinds = ", ".join(sorted(extract.SUPPORTED))
                    raise SourceError(f"{self.address} holds no file that can be read. Types that can: {kinds}.")
        name = re.split(r"[/:]", self.address.rstrip("/"))[-1].removesuffix(".git")
        return title_of_name(self.path.rpartition("/")[2] or name) or self.address

    def forget(self) -> None:
        """Remove the clone and the counts of its history; `SourceError` while somebody works on them."""
        with self._lock() as lock:
            if not _taken(lock):
                raise SourceError(f"{self.address} is being read at this moment: its copy is removed later.")
            for path in self.place.parent.glob(f"{self.place.name}*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _lock(self) -> IO[bytes]:
        """The file whose lock says who works on the place. It is never removed: two could hold its lock then."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        return self.place.with_name(f".{self.place.name}.lock").open("ab")

    def pull(self, known: Known) -> Iterator[Event]:
        """Every file of the branch in the order of its path, then a checkpoint with the commit."""
        try:
            with self._lock() as lock:
                while not _taken(lock):
                    yield Checkpoint(dict(known.cursor))
                    time.sleep(TURN)
                yield from self._pull(known, lock)
        except (LookupError, ValueError, AssertionError, OSError, zlib.error, struct.error, *DAMAGE) as error:
            said = clean_line(f"{type(error).__name__} {error}", 120)
            raise SourceError(f"{self.address} is damaged ({said}). Run git fsck there, or clone it anew.") from error

    def _pull(self, known: Known, lock: IO[bytes]) -> Iterator[Event]:
        alive = Checkpoint(dict(known.cursor))
        if self.remote:
            yield from _while(self._fetch, alive, os.fdopen(os.dup(lock.fileno()), "ab"))
        with contextlib.closing(self._cloned() if self.remote else self._local()) as repo:
            tip = self._tip(repo)
            commit = self._commit(repo, tip)
            scope = f"{self.options.digest} {self.path}"
            counted = hashlib.sha256(scope.encode()).hexdigest()[:12]
            history = History(self.place.with_name(f"{self.place.name}-{counted}.json"), self._wants, scope)
            last = time.monotonic()
            for _ in history.advance(repo, tip):
                if time.monotonic() - last > ALIVE:
                    last = time.monotonic()
                    yield alive
            mailmap = self._read(repo, commit, b".mailmap")
            mark = hashlib.sha256(f"{self.options.digest}\0{self.path}".encode() + mailmap).hexdigest()[:10]
            people = mailmap_of(mailmap)
            told: set[str] = set()
            for path, sha in self._files(repo, commit):
                key = readable_name(path)
                if key in told:
                    yield Failure(key, "Another file's name looks the same when written: rename one of them.")
                    continue
                told.add(key)
                tally = history.tallies.get(path)
                film = film_beside(path, partial(_is_file, repo, commit)) if self.options.base_url else ""
                version = f"{sha.decode()[:20]}-{tally.commit[:12] if tally else ''}-{mark}{Path(film).suffix}"
                if known.versions.get(key) == version:
                    yield Unchanged(key)
                    continue
                yield from self._document(repo, path, sha, version, history, people, film)
        if not told and known.versions:
            raise SourceError(
                f"{self.address} holds no file that can be read any more. Check the branch and the path, "
                "or remove the source."
            )
        yield Checkpoint({"commit": tip.decode()})

    def _document(
        self, repo: Repo, path: str, sha: ObjectID, version: str, history: History, people: Any, film: str
    ) -> Iterator[Event]:
        key = readable_name(path)
        try:
            data = _blob(repo, sha, self.options.max_bytes)
            found = extract.extract(data, key, limits=self.options.limits)
        except (extract.ExtractionError, ValueError) as error:
            yield Failure(key, str(error))
            return
        except (KeyError, OSError) as error:
            yield Failure(key, f"Its content is missing or damaged in the repository ({error}): run git fsck there.")
            return
        tally = history.tallies.get(path)
        document, reason = document_of(
            path,
            found,
            self.options,
            version=version,
            contributions=history.contributions(path, people),
            created=moment_of(tally.first) if tally else None,
            updated=moment_of(tally.last) if tally else None,
            film=film,
        )
        yield document
        if reason:
            yield Failure(key, f"It was read, but {reason}.")

    # The tree

    def _wants(self, path: str) -> bool:
        return self.options.wants(path) and (not self.path or path.startswith(self.path + "/"))

    def _files(self, repo: Repo, commit: Commit) -> Iterator[tuple[str, ObjectID]]:
        """Ordinary files of the tree that are wanted; links and submodules are passed by."""
        prefix = self.path.encode("utf-8", "surrogateescape")
        tree = commit.tree
        try:
            if prefix:
                mode, tree = tree_lookup_path(repo.object_store.__getitem__, tree, prefix)
                if not stat.S_ISDIR(mode):
                    raise KeyError(prefix)
        except (KeyError, ValueError, NotGitRepository) as error:
            raise SourceError(
                f"There is no folder “{self.path}” in {self.address}. Check the option “path”."
            ) from error
        for entry in iter_tree_contents(repo.object_store, tree):
            path = path_of(prefix + b"/" + entry.path if prefix else entry.path)
            if stat.S_ISREG(entry.mode) and self._wants(path):
                yield path, entry.sha

    def _read(self, repo: Repo, commit: Commit, name: bytes) -> bytes:
        with contextlib.suppress(KeyError, ValueError):
            if sha := _entry(repo, commit, name):
                return _blob(repo, sha, 1_000_000)
        return b""

    def _commit(self, repo: Repo, tip: ObjectID) -> Commit:
        try:
            found = repo[tip]
        except KeyError as error:
            raise SourceError(f"The newest commit of {self.address} is missing: run git fsck there.") from error
        if not isinstance(found, Commit):
            raise SourceError(f"The branch of {self.address} is no commit. Name another in the option “branch”.")
        return found

    # Where it is

    def _local(self) -> Repo:
        """The repository in a folder, all of which lies in the folders that may be read."""
        _, path = allowed_path(self.address)
        control = path / ".git" if os.path.lexists(path / ".git") else path
        try:
            if control.is_file() or (control / "commondir").exists():
                raise SourceError(f"{self.address} is a work tree of another repository: give that one's folder.")
            if not os.path.lexists(control / "objects"):
                raise NotGitRepository(str(path))
            _refuse_ways_out(control, self.address)
            repo = _LocalRepo(str(path))
        except (UnsupportedExtension, UnsupportedVersion, InvalidWorktreeConfiguration) as error:
            raise SourceError(f"The settings of {self.address} (.git/config) are not read: clone it anew.") from error
        except (NotGitRepository, OSError, ValueError) as error:
            raise SourceError(
                f"{self.address} is no git repository. Give the folder that holds .git, or add it as a folder instead."
            ) from error
        return repo

    def _tip(self, repo: Repo) -> ObjectID:
        if self.remote:
            return repo.refs[TIP]
        refs: dict[Ref, ObjectID | None] = {}
        for name in repo.refs.allkeys():
            with contextlib.suppress(KeyError, ValueError):
                refs[name] = repo.refs[name]
        return self._choose(refs)

    def _choose(self, refs: Mapping[Ref, ObjectID | None]) -> ObjectID:
        """The commit of the chosen branch, else of HEAD."""
        tip = refs.get(Ref(f"refs/heads/{self.branch}".encode() if self.branch else b"HEAD"))
        if tip:
            return tip
        branches = sorted(name[11:].decode("utf-8", "replace") for name in refs if name.startswith(b"refs/heads/"))
        if self.branch and branches:
            shown = ", ".join(branches[:20])
            raise SourceError(f"There is no branch “{self.branch}” in {self.address}. Branches: {shown}.")
        if branches:
            raise SourceError(f"{self.address} does not say its main branch. Name it in the option “branch”.")
        raise SourceError(f"{self.address} holds no commit yet. Commit something to it and try again.")

    def _url(self) -> str:
        scheme = urlsplit(self.address).scheme
        allowed = [one for one in settings.GIT_SCHEMES if one in ("https", "http")]
        if scheme not in allowed:
            schemes = " or ".join(allowed) or "nothing"
            raise SourceError(
                f"{clean_line(self.address)} is not read: repositories are fetched by {schemes} only (GIT_SCHEMES). "
                "Use that address of the repository, or a clone beneath FOLDER_ROOTS."
            )
        return self.address

    def _cloned(self) -> Repo:
        return Repo(str(self.place))

    def _fetch(self) -> None:
        """Bring what is new into the bare repository of this source."""
        url = self._url()
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            repo = Repo(str(self.place)) if self.place.is_dir() else Repo.init_bare(str(self.place), mkdir=True)
        except (NotGitRepository, OSError) as error:
            raise SourceError(f"The copy of {url} in {self.place} cannot be used: remove that folder.") from error
        with contextlib.closing(repo), contextlib.closing(GitClient(url)) as client:
            chosen: list[ObjectID] = []

            def wants(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
                chosen.append(self._choose(refs))
                return [] if chosen[0] in repo.object_store else [chosen[0]]

            client.guarded(lambda: client.fetch(client.repository, repo, determine_wants=wants))
            tip = chosen[0]
            found = repo[tip]
            repo.refs[TIP] = ObjectID(found.object[1]) if isinstance(found, Tag) else tip


def _taken(lock: IO[bytes]) -> bool:
    """Whether the operating system's lock on this file is ours now; it ends with the file, or with the process."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


class _LocalRepo(Repo):
    """A repository that somebody else may write in: what it names outside of itself is not read."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        vars(self.object_store)["_alternates"] = []  # not those either that are written while it is read

    def get_config(self) -> ConfigFile:
        """Its own settings, without the files that they include."""
        try:
            return ConfigFile.from_path(os.path.join(self.controldir(), "config"), expand_includes=False)
        except FileNotFoundError:
            return ConfigFile()


def _refuse_ways_out(control: Path, address: str) -> None:
    """`SourceError` for a control folder that has links in it, or that borrows from another repository.

    Whoever may write in a repository could otherwise show through it what the
    account of the worker may read and they may not.
    """
    waiting, seen = [str(control)], 0
    if control.is_symlink():
        raise SourceError(f"The folder .git of {address} is a link: give the folder that it leads to.")
    while waiting:
        with contextlib.suppress(FileNotFoundError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    raise SourceError(f"{address} holds more than {MAX_ENTRIES:,} loose files: run git gc there.")
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    waiting.append(entry.path)
                elif not (stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
                    name = readable_name(os.path.relpath(entry.path, control.parent))
                    raise SourceError(
                        f"“{name}” in {address} is a link or a pipe and is not followed. Put what it leads to in its "
                        "place, or clone the repository anew."
                    )
    alternates = control / "objects" / "info" / "alternates"
    if alternates.exists() and alternates.read_bytes().strip():
        raise SourceError(
            f"{address} borrows from another repository (objects/info/alternates), which is not read. "
            "Clone it anew without --shared and --reference."
        )


def _is_file(repo: Repo, commit: Commit, path: str) -> bool:
    return _entry(repo, commit, path.encode("utf-8", "surrogateescape")) is not None


def _entry(repo: Repo, commit: Commit, name: bytes) -> ObjectID | None:
    """The ordinary file of this path in a commit, if it is there."""
    with contextlib.suppress(KeyError, ValueError, NotGitRepository):
        mode, sha = tree_lookup_path(repo.object_store.__getitem__, commit.tree, name)
        return sha if stat.S_ISREG(mode) else None
    return None


def _blob(repo: Repo, sha: ObjectID, limit: int) -> bytes:
    if stored_size(repo.object_store, sha) > limit:
        raise ValueError(too_large(limit))
    blob = repo.object_store[sha]
    if not isinstance(blob, Blob):
        raise ValueError("It is no file.")
    if blob.raw_length() > limit:
        raise ValueError(too_large(limit))
    data = blob.data
    if data.startswith(_LFS):
        raise ValueError("It is kept in Git LFS, which is not read: keep it in the repository itself.")
    return data


def _while(work: Callable[[], None], alive: Checkpoint, lock: IO[bytes]) -> Iterator[Event]:
    """Do ``work`` in a thread and say from time to time that it goes on; its error is raised here.

    ``lock`` is a duplicate of the file that is locked: the lock holds until
    the thread ends, also when nobody waits for the thread any more.
    """
    done: queue.Queue[BaseException | None] = queue.Queue()

    def run() -> None:
        try:
            with lock:
                work()
        except BaseException as error:
            done.put(error)
        else:
            done.put(None)

    threading.Thread(target=run, daemon=True, name="git-fetch").start()
    while True:
        try:
            error = done.get(timeout=ALIVE)
        except queue.Empty:
            yield alive
            continue
        if error is not None:
            raise error
        return
