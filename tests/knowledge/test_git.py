"""Git: who worked on what, what is new, and that a stranger's repository does nothing but be read."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.conf import LazySettings
from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from knowledge.connectors import Checkpoint, Known, SourceError, Unchanged
from knowledge.connectors.git import GitConnector
from knowledge.connectors.history import stored_size
from tests.contracts.connectors import Stored, check_document
from tests.contracts.test_connectors import Repository, repository

__all__ = ["repository"]

LONG = "\n".join(f"This is line {number} of a page about travel." for number in range(40))


def pulled(address: Path | str, **options: object) -> Stored:
    stored = Stored()
    stored.pull(GitConnector(str(address), options))
    return stored


def who(stored: Stored, key: str) -> list[tuple[str, str, int]]:
    return [(one.name, one.email, one.changes) for one in stored.documents[key].contributions]


def test_authors_and_dates_come_from_history(repository: Repository) -> None:
    repository.write("travel.md", LONG.encode())
    repository.commit("Begin", "Ana Lima <ana@example.com>")
    repository.write("travel.md", (LONG + "\nTen\nmore\nlines.").encode())
    repository.commit("More\n\nCo-authored-by: Cy Young <cy@example.com>", "Bo Berg <bo@example.com>")
    repository.write("travel.md", (LONG + "\nTen\nmore\nlines!").encode())
    repository.commit("Bump", "dependabot[bot] <1+dependabot[bot]@users.noreply.github.com>")
    [page] = pulled(repository.path).told()
    check_document(page)
    assert [one.name for one in page.contributions] == ["Ana Lima", "Bo Berg", "Cy Young"]
    assert page.contributions[0].share > 0.8
    assert page.contributions[0].first == page.created
    assert page.created is not None
    assert page.updated is not None
    assert (page.updated - page.created).total_seconds() == 7200


def test_a_rename_takes_the_history_along(repository: Repository) -> None:
    repository.write("travel.md", LONG.encode())
    repository.commit("Begin", "Ana Lima <ana@example.com>")
    stored = pulled(repository.path)
    repository.write("travel.md", None)
    repository.write("guides/trains.md", (LONG + "\nOne line more.").encode())
    repository.commit("Move", "Bo Berg <bo@example.com>")
    stored.pull(GitConnector(str(repository.path), {}))
    assert list(stored.documents) == ["guides/trains.md"]
    assert who(stored, "guides/trains.md") == [("Ana Lima", "ana@example.com", 1), ("Bo Berg", "bo@example.com", 1)]
    assert stored.documents["guides/trains.md"].contributions[0].share > 0.9
    assert who(pulled(repository.path), "guides/trains.md") == who(stored, "guides/trains.md")


def test_only_new_commits_are_walked(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        repository.put(f"page-{number}", f"Page {number}", "Words.")
    stored = pulled(repository.path)
    repository.put("page-3", "Page 3", "Other words.")
    walked = []
    from knowledge.connectors.history import History

    count = History._count

    def counting(self: History, repo: Repo, commit: Commit, detector: object) -> None:
        walked.append(commit.id)
        count(self, repo, commit, detector)  # type: ignore[arg-type]

    monkeypatch.setattr(History, "_count", counting)
    stored.pull(GitConnector(str(repository.path), {}))
    assert [page.key for page in stored.told()] == ["page-3.md"]
    assert walked == [repository.repo.head()]
    assert who(stored, "page-3.md") == [("Ana Lima", "ana@example.com", 2)]
    assert stored.cursor == {"commit": repository.repo.head().decode()}


def test_lost_counts_are_counted_again(repository: Repository, settings: LazySettings) -> None:
    repository.put("leave", "Leave", "Ask.")
    repository.put("leave", "Leave", "Ask early.")
    stored = pulled(repository.path)
    for damage in ("", "{", json.dumps({"format": 1, "scope": "other"})):
        [file] = (settings.VAR_DIR / "git").glob("*.json")
        file.write_text(damage)
        again = Stored()
        again.pull(GitConnector(str(repository.path), {}))
        assert again.state() == stored.state()
        file.unlink()
        assert {type(event) for event in stored.pull(GitConnector(str(repository.path), {}))} == {Unchanged, Checkpoint}


def test_rewritten_history_is_counted_from_its_beginning(repository: Repository) -> None:
    repository.put("leave", "Leave", "Ask.")
    kept = repository.repo.head()
    repository.put("leave", "Leave", "Ask early.")
    stored = pulled(repository.path)
    repository.repo.refs[b"HEAD"] = kept
    repository.write("leave.md", b"# Leave\n\nAsk late.\n")
    repository.commit("Another end", "Bo Berg <bo@example.com>")
    stored.pull(GitConnector(str(repository.path), {}))
    assert [(name, changes) for name, _, changes in who(stored, "leave.md")] == [("Ana Lima", 1), ("Bo Berg", 1)]


def test_a_mailmap_merges_a_person(repository: Repository) -> None:
    repository.put("leave", "Leave", "Ask.")
    repository.write("leave.md", b"# Leave\n\nAsk early.\n")
    repository.commit("More", "ana <home@example.net>")
    stored = pulled(repository.path)
    assert len(who(stored, "leave.md")) == 2
    repository.write(".mailmap", b"Ana Lima <ana@example.com> <home@example.net>\nbroken line\n")
    repository.commit("Say who is who")
    stored.pull(GitConnector(str(repository.path), {}))
    assert who(stored, "leave.md") == [("Ana Lima", "ana@example.com", 2)]


def test_a_part_of_another_branch(repository: Repository) -> None:
    repository.write("docs/leave.md", b"# Leave")
    repository.write("other.md", b"# Other")
    repository.commit("Begin")
    repository.repo.refs[b"refs/heads/next"] = repository.repo.head()
    repository.put("late", "Late", "Only on the main branch.")
    stored = pulled(repository.path, branch="next", path="docs")
    assert list(stored.documents) == ["docs/leave.md"]
    with pytest.raises(SourceError, match="Branches: master, next"):
        GitConnector(str(repository.path), {"branch": "gone"}).check()
    for path in ("gone", "other.md", "../.."):
        with pytest.raises(SourceError):
            list(GitConnector(str(repository.path), {"path": path}).pull(Known()))


def test_hostile_trees_are_only_read(repository: Repository) -> None:
    """Links, submodules, names that climb and bytes that are no text; no file of the machine is touched."""
    store = repository.repo.object_store
    blob, target = Blob.from_string(b"# Words"), Blob.from_string(b"/etc/passwd")
    tree = Tree()
    tree.add(b"passwd.md", 0o120000, target.id)
    tree.add(b"sub.md", 0o160000, b"1" * 40)
    tree.add(b"caf\xe9.md", 0o100644, blob.id)
    tree.add("invoice \u202efdp.md".encode(), 0o100755, blob.id)
    tree.add(b"new\nline.md", 0o100644, blob.id)
    commit = Commit()
    commit.tree = tree.id
    commit.author = commit.committer = b"\xff <\xfe@x> <b>"
    commit.author_time = commit.commit_time = 99_999_999_999
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"\xff"
    for one in (blob, target, tree, commit):
        store.add_object(one)
    repository.repo.refs[b"refs/heads/master"] = commit.id
    stored = pulled(repository.path)
    assert stored.failures() == []
    assert sorted(stored.documents) == ["caf\\xe9.md", "invoice \\u202efdp.md", "new\\u000aline.md"]
    for page in stored.told():
        check_document(page)


@pytest.fixture
def secret(tmp_path: Path) -> Repository:
    """A repository outside of the folders that may be read."""
    made = Repository(tmp_path / "secret")
    made.put("plan", "Plan", "Nobody knows.")
    return made


def refused(repository: Repository, cure: str) -> None:
    for ask in (GitConnector.check, lambda one: list(one.pull(Known()))):
        with pytest.raises(SourceError, match=cure):
            ask(GitConnector(str(repository.path), {}))


def test_objects_of_another_repository_are_not_borrowed(
    repository: Repository, secret: Repository, settings: LazySettings
) -> None:
    """Neither from outside of the roots nor from within, whose own alternates may lead anywhere."""
    repository.put("leave", "Leave", "Ask.")
    settings.FOLDER_ROOTS = [repository.path]
    between = Repository(repository.path / "between")
    for one, other in ((between, secret), (repository, between), (repository, secret)):
        info = one.path / ".git" / "objects" / "info"
        info.mkdir(exist_ok=True)
        (info / "alternates").write_text(f"{other.path}/.git/objects\n")
        (one.path / ".git" / "refs" / "heads" / "master").write_bytes(secret.repo.head() + b"\n")
        refused(one, "without --shared")
    (info / "alternates").write_text("\n")
    refused(repository, "fsck")


def test_what_is_borrowed_while_a_repository_is_read_is_not_read(repository: Repository, secret: Repository) -> None:
    repository.put("leave", "Leave", "Ask.")
    with GitConnector(str(repository.path), {})._local() as repo:
        info = repository.path / ".git" / "objects" / "info"
        info.mkdir(exist_ok=True)
        (info / "alternates").write_text(f"{secret.path}/.git/objects\n")
        assert repository.repo.head() in repo.object_store
        assert secret.repo.head() not in repo.object_store


@pytest.mark.parametrize(
    "place", ["objects", "objects/pack", "objects/info", "refs/heads", "HEAD", "packed-refs", "x/y"]
)
def test_links_within_the_control_folder_are_refused(
    repository: Repository, secret: Repository, settings: LazySettings, place: str
) -> None:
    repository.put("leave", "Leave", "Ask.")
    settings.FOLDER_ROOTS = [repository.path]
    link, target = (one.path / ".git" / place for one in (repository, secret))
    link.parent.mkdir(exist_ok=True)
    if link.exists():
        link.rename(link.with_name("was"))
    link.symlink_to(target)
    refused(repository, "link")
    link.unlink()
    os.mkfifo(link)
    refused(repository, "no git repository|pipe")


def test_a_control_folder_elsewhere_is_refused(
    repository: Repository, secret: Repository, settings: LazySettings, tmp_path: Path
) -> None:
    repository.put("leave", "Leave", "Ask.")
    control, tree = repository.path / ".git", tmp_path / "tree"
    settings.FOLDER_ROOTS = [repository.path, tree]
    (control / "commondir").write_text(f"{secret.path}/.git\n")
    refused(repository, "another repository")
    (control / "commondir").unlink()
    control.rename(control.with_name("was"))
    control.symlink_to(secret.path / ".git")
    refused(repository, "link")
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {secret.path}/.git\n")
    with pytest.raises(SourceError, match="another repository"):
        GitConnector(str(tree), {}).check()


def test_settings_that_include_a_file_elsewhere_are_read_without_it(repository: Repository, tmp_path: Path) -> None:
    repository.put("leave", "Leave", "Ask.")
    (tmp_path / "elsewhere").write_text("[extensions]\n\tsecret = 1\n")  # dulwich refuses what it does not know
    with (repository.path / ".git" / "config").open("a") as file:
        file.write(f"[include]\n\tpath = {tmp_path}/elsewhere\n")
    assert [page.key for page in pulled(repository.path).told()] == ["leave.md"]


def test_a_control_folder_without_end_is_not_walked(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.put("leave", "Leave", "Ask.")
    monkeypatch.setattr("knowledge.connectors.git.MAX_ENTRIES", 5)
    refused(repository, "git gc")


def test_large_files_and_empty_repositories(repository: Repository) -> None:
    with pytest.raises(SourceError, match="no commit yet"):
        GitConnector(str(repository.path), {}).check()
    repository.put("leave", "Leave", "Ask. " * 100)
    assert "larger than" in pulled(repository.path, max_bytes=100).failures()[0].reason


# Behind an address ----------------------------------------------------------------------------------------------------


class Silent(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def served(repository: Repository, settings: LazySettings) -> Iterator[str]:
    """The repository over HTTP, on loopback, allowed to be fetched."""
    repository.put("leave", "Leave", "Ask.")
    server = make_server(
        "127.0.0.1", 0, make_wsgi_chain(DictBackend({"/handbook.git": repository.repo})), handler_class=Silent
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    settings.FETCH_ALLOW = [f"127.0.0.1/32:{server.server_port}"]
    settings.GIT_SCHEMES = ["http"]
    yield f"http://127.0.0.1:{server.server_port}/handbook.git"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_repository_behind_an_address(served: str, repository: Repository) -> None:
    assert GitConnector(served, {}).check() == "Handbook"
    stored = pulled(served)
    assert stored.titles() == ["Leave"]
    assert who(stored, "leave.md") == [("Ana Lima", "ana@example.com", 1)]
    assert {type(event) for event in stored.pull(GitConnector(served, {}))} == {Unchanged, Checkpoint}
    repository.put("travel", "Travel", "By train.")
    stored.pull(GitConnector(served, {}))
    assert [page.title for page in stored.told()] == ["Travel"]
    repository.repo.refs[b"refs/heads/next"] = repository.repo.head()
    assert len(pulled(served, branch="next").documents) == 2
    with pytest.raises(SourceError, match="no branch “gone”"):
        GitConnector(served, {"branch": "gone"}).check()
    with pytest.raises(SourceError, match="git repository"):
        list(GitConnector(served.replace("handbook", "other"), {}).pull(Known()))


def test_the_guarded_door_is_the_only_way(served: str, settings: LazySettings) -> None:
    settings.FETCH_ALLOW = []
    with pytest.raises(SourceError, match="FETCH_ALLOW"):
        GitConnector(served, {}).check()
    with pytest.raises(SourceError, match="FETCH_ALLOW"):
        list(GitConnector(served, {}).pull(Known()))


@pytest.mark.parametrize(
    "address",
    [
        "ssh://git@x.example/handbook",
        "git://x.example/handbook",
        "file:///etc",
        "ext::sh -c touch% /tmp/x",
        "git@x.example:handbook.git",
        "http://x.example/handbook.git",
    ],
)
def test_other_schemes_are_refused(address: str, settings: LazySettings) -> None:
    settings.GIT_SCHEMES = ["https", "ssh", "file"]
    for attempt in (GitConnector(address, {}).check, lambda: list(GitConnector(address, {}).pull(Known()))):
        with pytest.raises(SourceError):
            attempt()


def test_a_page_that_is_no_repository(settings: LazySettings) -> None:
    from tests.loopback import Web

    with Web() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        settings.FETCH_ALLOW = [f"127.0.0.1/32:{server.port}"]
        settings.GIT_SCHEMES = ["http"]
        server.answers["/handbook/info/refs"] = lambda handler: handler.say(200, b"<html>", Content_Type="text/html")
        with pytest.raises(SourceError, match="git repository"):
            GitConnector(f"{server.base}/handbook", {}).check()
        server.shutdown()


def test_a_damaged_repository_is_told_as_such(repository: Repository) -> None:
    repository.put("leave", "Leave", "Ask.")
    head = repository.repo[repository.repo.head()]
    assert isinstance(head, Commit)
    tree = head.tree.decode()
    (repository.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(SourceError, match="git fsck"):
        list(GitConnector(str(repository.path), {}).pull(Known()))


def test_the_size_of_a_packed_file_is_known_before_it_is_unpacked(repository: Repository) -> None:
    seen = {}
    for number in range(3):
        repository.write("zeros.md", b"\0" * 3_000_000 + b"end" * number)
        repository.commit("Grow")
        seen[3_000_000 + 3 * number] = repository.repo[repository.repo.head()]
    store = repository.repo.object_store
    store.pack_loose_objects()
    names = {}
    for size, commit in seen.items():
        assert isinstance(commit, Commit)
        tree = store[commit.tree]
        assert isinstance(tree, Tree)
        names[size] = tree[b"zeros.md"][1]
    assert not any(store.contains_loose(name) for name in names.values())
    assert all(size <= stored_size(store, name) <= 3_000_006 for size, name in names.items())
    assert "larger than 1 MB" in pulled(repository.path, max_bytes=1_000_000).failures()[0].reason
