"""Who worked on which file of a git repository, and when: counted commit by commit, kept beside the repository.

Merges are left out (their commits are counted themselves), and so are bots.
A rename takes what was counted along. What was counted is kept in a file with
the commit it stands for, so that the next look walks only what is new; when
the file is missing, or history was rewritten, all of it is counted again.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import stat
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dulwich.diff_tree import RenameDetector, tree_changes
from dulwich.graph import can_fast_forward
from dulwich.mailmap import Mailmap, read_mailmap
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.repo import BaseRepo

from knowledge.documents import Contribution
from knowledge.markup import clean_line
from knowledge.replacing import replace

FORMAT = 1
MAX_AUTHORS = 50
MAX_RENAMES = 100
MAX_COUNTED = 2_000_000
"""A version of a file above this size in bytes is one change, its lines are not counted."""

_BOT = re.compile(r"\[bot\]|\bbot@|noreply@github\.com$|^(?:dependabot|renovate|github-actions|web-flow)\b", re.I)
_CO_AUTHOR = re.compile(rb"^co-authored-by:[ \t]*([^<\n]{1,200})<([^>\n]{1,254})>", re.I | re.M)


@dataclass
class Tally:
    """What is counted of one file: by identity ``name\\nmail`` the changes, lines added, first and last time."""

    commit: str = ""
    first: int = 0
    last: int = 0
    who: dict[str, list[int]] = field(default_factory=dict)

    def add(self, identity: str, lines: int, when: int) -> None:
        """One commit of one person."""
        changes, added, first, last = self.who.get(identity, [0, 0, when, when])
        self.who[identity] = [changes + 1, added + lines, min(first, when), max(last, when)]

    def seen(self, commit: str, when: int) -> None:
        """A commit touched the file, whoever made it."""
        self.commit = commit
        self.first = min(self.first or when, when)
        self.last = max(self.last, when)

    def absorb(self, other: Tally) -> None:
        """Take over what was counted under an earlier name."""
        for identity, (changes, lines, first, last) in other.who.items():
            mine = self.who.get(identity, [0, 0, first, last])
            self.who[identity] = [mine[0] + changes, mine[1] + lines, min(mine[2], first), max(mine[3], last)]
        if other.first:
            self.first = min(self.first or other.first, other.first)
            self.last = max(self.last, other.last)


class History:
    """Counts per path up to one commit."""

    def __init__(self, file: Path, wanted: Callable[[str], bool], scope: str) -> None:
        """``file`` keeps the counts; ``wanted`` says which paths are counted, and ``scope`` names that choice."""
        self.file = file
        self.wanted = wanted
        self.scope = scope
        self.commit = ""
        self.tallies: dict[str, Tally] = {}
        self.renamed: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            kept = json.loads(file.read_text())
            if kept["format"] == FORMAT and kept["scope"] == scope:
                tallies = {path: Tally(*row) for path, row in kept["tallies"].items()}
                self.commit, self.tallies, self.renamed = kept["commit"], tallies, kept["renamed"]

    def advance(self, repo: BaseRepo, tip: ObjectID) -> Iterator[None]:
        """Count what is new up to ``tip``; pauses after each commit, so that the caller may show it is alive."""
        if self.commit == tip.decode():
            return
        if self.commit and not _descends(repo, ObjectID(self.commit.encode()), tip):
            self.commit, self.tallies, self.renamed = "", {}, {}
        exclude = [ObjectID(self.commit.encode())] if self.commit else None
        detector = RenameDetector(repo.object_store, max_files=MAX_RENAMES)
        for entry in repo.get_walker(include=[tip], exclude=exclude, order="topo", reverse=True):
            self._count(repo, entry.commit, detector)
            yield
        self.commit = tip.decode()
        self._keep()

    def _keep(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        tallies = {path: [one.commit, one.first, one.last, one.who] for path, one in self.tallies.items()}
        kept = {"format": FORMAT, "scope": self.scope, "commit": self.commit, "renamed": self.renamed}
        replace(self.file, json.dumps(kept | {"tallies": tallies}).encode())

    def _count(self, repo: BaseRepo, commit: Commit, detector: RenameDetector) -> None:
        parents = repo.get_parents(commit.id, commit)
        if len(parents) > 1:
            return
        store = repo.object_store
        parent = store[parents[0]] if parents else None
        before = parent.tree if isinstance(parent, Commit) else None
        changes = [
            change
            for change in tree_changes(store, before, commit.tree)
            if any(entry is not None and self.wanted(path_of(entry.path)) for entry in (change.old, change.new))
        ]
        if not changes:
            return
        kinds = {change.type for change in changes}
        if "add" in kinds and "delete" in kinds:
            changes = detector.changes_with_renames(before, commit.tree)
        when = min(max(int(commit.author_time), 0), 4_000_000_000)
        people = _people(commit)
        for change in changes:
            old = path_of(change.old.path) if change.old is not None and change.old.path else ""
            new = path_of(change.new.path) if change.new is not None and change.new.path else ""
            if change.type == "delete":
                self.tallies.pop(old, None)
                continue
            if change.new is None or not self.wanted(new) or not stat.S_ISREG(change.new.mode or 0):
                continue
            if change.type == "rename" and old != new:
                self._rename(old, new)
            elif change.type == "add":
                self.renamed.pop(new, None)
            else:
                new = self._now(new)
            tally = self.tallies.setdefault(new, Tally())
            tally.seen(commit.id.decode(), when)
            lines = _added(store, change.old.sha if change.old else None, change.new.sha)
            for identity in people:
                tally.add(identity, lines, when)

    def _rename(self, old: str, new: str) -> None:
        if old in self.tallies:
            self.tallies.setdefault(new, Tally()).absorb(self.tallies.pop(old))
        self.renamed.pop(new, None)
        self.renamed[old] = new

    def _now(self, path: str) -> str:
        """The name that a file changed on another branch has by now."""
        met = {path}
        while path in self.renamed and path not in self.tallies and (later := self.renamed[path]) not in met:
            path = later
            met.add(path)
        return path

    def contributions(self, path: str, mailmap: Mailmap) -> tuple[Contribution, ...]:
        """Who worked on a path, by share of the lines added, the greatest first; one person's addresses are merged."""
        tally = self.tallies.get(path, Tally())
        people: dict[str, tuple[str, str, Tally]] = {}
        for identity, row in sorted(tally.who.items(), key=lambda item: item[1][3]):
            name, mail = _mapped(mailmap, *identity.split("\n", 1))
            if _BOT.search(name) or _BOT.search(mail) or not (name or mail):
                continue
            key = mail.casefold() or name.casefold()
            merged = people[key][2] if key in people else Tally()
            merged.absorb(Tally(who={"": row}))
            people[key] = (name or people.get(key, ("",))[0], mail, merged)
        rows = [(name, mail, merged.who[""]) for name, mail, merged in people.values()]
        by_lines = sum(counts[1] for _, _, counts in rows)
        total = by_lines or sum(counts[0] for _, _, counts in rows) or 1
        rows.sort(key=lambda row: (-row[2][1], -row[2][0], row[0], row[1]))
        return tuple(
            Contribution(
                name,
                mail,
                share=round((lines if by_lines else changes) / total, 4),
                changes=changes,
                first=moment_of(first),
                last=moment_of(last),
            )
            for name, mail, (changes, lines, first, last) in rows[:MAX_AUTHORS]
        )


def path_of(raw: bytes) -> str:
    """A path as text; bytes that are no UTF-8 survive as surrogates, as in `os.fsdecode`."""
    return raw.decode("utf-8", "surrogateescape")


def moment_of(seconds: int) -> datetime | None:
    """An aware datetime of a commit's time."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def mailmap_of(data: bytes) -> Mailmap:
    """The tree's ``.mailmap``; lines that cannot be read are passed over."""
    mailmap = Mailmap()
    for line in data[:1_000_000].splitlines():
        with contextlib.suppress(ValueError, IndexError):
            for canonical, other in read_mailmap(io.BytesIO(line + b"\n")):
                mailmap.add_entry(canonical, other)
    return mailmap


def _mapped(mailmap: Mailmap, name: str, mail: str) -> tuple[str, str]:
    with contextlib.suppress(ValueError, KeyError, IndexError):
        found: Any = mailmap.lookup((name.encode(), mail.encode()))
        new_name, new_mail = found
        return clean_line((new_name or name.encode()).decode(), 200), (new_mail or mail.encode()).decode()
    return name, mail


def _people(commit: Commit) -> list[str]:
    """The author and those that the message names as co-authors, as ``name\\nmail``."""
    name, _, mail = commit.author.partition(b"<")
    raw = [(name, mail.partition(b">")[0]), *_CO_AUTHOR.findall(commit.message[:20_000])]
    people = {}
    for one, address in raw[:20]:
        said = clean_line(one.decode("utf-8", "replace"), 200), clean_line(address.decode("utf-8", "replace"), 254)
        people[said[1].casefold() or said[0].casefold()] = "\n".join(said)
    return list(people.values())


def _added(store: Any, old: bytes | None, new: bytes | None) -> int:
    """Lines of the new version that the old one does not have: a count, not an alignment, because that is enough."""
    if old == new:
        return 0
    if new is None or stored_size(store, new) > MAX_COUNTED:
        return 1
    after = store[new]
    if not isinstance(after, Blob):
        return 0
    data = after.data
    if len(data) > MAX_COUNTED or b"\0" in data[:8000]:
        return 1
    before = store[old].data if old and stored_size(store, old) <= MAX_COUNTED else b""
    lines = Counter(data.splitlines())
    if before and len(before) <= MAX_COUNTED:
        lines.subtract(Counter(before.splitlines()))
    return sum(count for line, count in lines.items() if count > 0 and line.strip())


def stored_size(store: Any, sha: bytes) -> int:
    """The most bytes that unpacking a packed object takes, read from headers alone; 0 for a loose one.

    dulwich unpacks an object whole before its length can be asked. (Loose ones it limits itself.)
    """
    for pack in store.packs:
        with contextlib.suppress(KeyError):
            offset = pack.index.object_offset(sha)
            with open(pack.data.path, "rb") as file:
                return _unpacked_size(file, pack, offset, len(sha) // 2)
    return 0


def _unpacked_size(file: Any, pack: Any, offset: int, name_size: int) -> int:
    """The largest object on the way from a delta to what it is based on."""
    largest: int = 0
    for _ in range(4096):
        file.seek(offset)
        head = file.read(512)
        kind, size, at, shift = (head[0] >> 4) & 7, head[0] & 15, 1, 4
        while head[at - 1] & 0x80:
            size |= (head[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        largest = max(largest, size)
        if kind not in (6, 7):
            return int(largest)
        if kind == 6:
            back, at = head[at] & 0x7F, at + 1
            while head[at - 1] & 0x80:
                back, at = ((back + 1) << 7) | (head[at] & 0x7F), at + 1
            offset -= back
        else:
            offset, at = pack.index.object_offset(head[at : at + name_size]), at + name_size
        delta = zlib.decompressobj().decompress(head[at:], 32)
        for _ in range(2):  # a delta begins with the sizes of its base and of its result
            size, used = 0, 0
            while used == 0 or delta[used - 1] & 0x80:
                size |= (delta[used] & 0x7F) << (7 * used)
                used += 1
            delta = delta[used:]
            largest = max(largest, size)
    return int(largest)


def _descends(repo: BaseRepo, old: ObjectID, tip: ObjectID) -> bool:
    try:
        return bool(can_fast_forward(repo, old, tip))
    except KeyError:
        return False
