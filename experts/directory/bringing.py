"""A file of people brought in on a page: read and shown first, carried out after, as it was shown.

A file is read into a plan, line by line what would be done, and nothing is
written but that plan. When its owner says so the file is read again: if the
plan is the same it is carried out, and if people changed meanwhile it is shown
again with what differs. Whoever is interrupted goes on: what is left of a plan
that was begun holds nothing that was not shown.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, cast

from django.utils import timezone

from experts import actions
from experts.directory import sheet
from experts.directory.imports import KEPT, PeopleImport, Stage, files
from experts.directory.plan import Change, Plan, carry_out, make_plan
from experts.directory.sheet import ImportRefused
from experts.models import Membership, Person, one_line
from knowledge import durable

logger = logging.getLogger(__name__)

AT_ONCE = 50_000
"""Bytes of a file that is read, and carried out, while somebody waits for the page. Larger ones are a job."""
TOLD_DIFFERENCES = 50
FIELDS = {"is_active": "active", "time_zone": "time zone", "external_id": "external id"}
KINDS = ("problem", "remark", "team", "leaver", "add", "change")
"""What a line of a plan tells, in the order of the file that holds them."""

Line = list[Any]


def bring(*, chunks: Iterable[bytes], name: str, by: Person, leavers: bool = False, many: bool = False) -> PeopleImport:
    """Take a file in and read it, now or, if it is large, soon; raises `ImportRefused` when it is too large to keep."""
    row = PeopleImport(by=by, name=one_line(name)[:200] or "people.csv", leavers=leavers, many=many, size=0)
    try:
        with _only_ours(row.file) as file:
            for chunk in chunks:
                row.size += file.write(chunk)
                if row.size > sheet.MAX_BYTES:
                    raise ImportRefused(sheet.TOO_LARGE)
        row.save()
    except BaseException:
        row.file.unlink(missing_ok=True)
        raise
    _go_on(row)
    return PeopleImport.objects.get(pk=row.pk)


def _only_ours(path: Path) -> Any:
    """A new file that this installation's account alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _go_on(row: PeopleImport) -> None:
    if row.size <= AT_ONCE:
        do(row.pk)
    else:
        from experts.jobs import bring_people

        durable.prompt(bring_people, row.pk)


def say_so(*, row: PeopleImport, digest: str) -> PeopleImport:
    """Have the plan carried out that its owner saw (its ``digest``); nothing happens twice."""
    due: dict[str, Any] = {
        "done_at": None,
        "due_at": timezone.now(),
        "attempts": 0,
        "error": "",
        "differs": [],
        "began": False,
    }
    seen = PeopleImport.objects.filter(pk=row.pk, stage=Stage.SHOWN, digest=digest)
    if seen.update(stage=Stage.WRITING, written=0, **due):
        _go_on(row)
    return PeopleImport.objects.get(pk=row.pk)


def drop(*, row: PeopleImport) -> bool:
    """Forget the file and its plan, nothing of it is written; whether it still waited."""
    waiting = PeopleImport.objects.filter(pk=row.pk, stage__in=[Stage.SHOWN, Stage.READING])
    dropped = waiting.update(stage=Stage.DROPPED, done_at=timezone.now(), lease=None, lease_until=None)
    if dropped:
        _forget(row)
    return bool(dropped)


def do(pk: int) -> bool:
    """Read or carry out one import, if that is due; whether it was done here."""
    return durable.work(PeopleImport.objects, pk, _do)


def sweep() -> None:
    """Have done what no worker did, and forget files of yesterday and before."""
    from experts.jobs import bring_people

    for pk in PeopleImport.objects.due().order_by("due_at").values_list("pk", flat=True):
        durable.prompt(bring_people, pk)
    old, rows = timezone.now() - KEPT, cast(Any, PeopleImport.objects)
    for row in rows.filter(stage__in=[Stage.READING, Stage.SHOWN], started_at__lt=old):
        drop(row=row)
    for public_id, path in files():
        if path.stat().st_mtime < old.timestamp():
            mine = rows.filter(public_id=public_id).first()
            if mine is None or mine.stage != Stage.WRITING or mine.is_stuck:
                path.unlink(missing_ok=True)


def _forget(row: PeopleImport) -> None:
    row.file.unlink(missing_ok=True)
    row.plan.unlink(missing_ok=True)


def _do(row: PeopleImport) -> None:
    try:
        plan = _plan(row)
    except ImportRefused as refusal:
        row.finish(stage=Stage.REFUSED, told={"refused": str(refusal)})
        _forget(row)
        return
    if row.stage == Stage.READING:
        told, digest = _show(row, plan)
        row.finish(stage=Stage.SHOWN, told=told, digest=digest)
    else:
        _write(row, plan)


def _plan(row: PeopleImport) -> Plan:
    if not row.by.has_perm("experts.import_people"):
        raise ImportRefused("You may not bring people in any more: ask an operator.")
    try:
        told = sheet.read(row.file.read_bytes())
    except FileNotFoundError:
        raise ImportRefused("The file is gone: choose it again.") from None
    return make_plan(told, leavers=row.leavers, many=row.many, by=row.by, step=lambda _: row.keep())


def _write(row: PeopleImport, plan: Plan) -> None:
    """Carry out what was shown, or show what it has become."""
    shown, now = set(_raw(row)), {_packed(line) for line in lines_of(plan)}
    same = shown == now if not row.began else _steps(now) <= _steps(shown)
    if not same:
        differs = _differences(shown, now)
        told, digest = _show(row, plan)
        row.finish(stage=Stage.SHOWN, told=told, digest=digest, differs=differs, began=False)
        return
    row.keep(began=True)
    actions.ensure_people_source()
    carry_out(plan, step=lambda done: row.keep(progress=True, written=done))
    row.finish(stage=Stage.DONE)
    row.file.unlink(missing_ok=True)


def _show(row: PeopleImport, plan: Plan) -> tuple[dict[str, Any], str]:
    """Write the plan's lines down; what they count, and their digest."""
    packed = [_packed(line) for line in lines_of(plan)]
    row.plan.unlink(missing_ok=True)
    with _only_ours(row.plan) as file:
        file.writelines(f"{line}\n".encode() for line in packed)
    counts = Counter(json.loads(line)[0] for line in packed)
    told = {kind: counts[kind] for kind in KINDS}
    told |= {"rows": plan.rows, "same": len(plan.changes) - len(plan.adds) - len(plan.edits)}
    return told | {"steps": steps_of(plan)}, hashlib.sha256("\n".join(packed).encode()).hexdigest()


def steps_of(plan: Plan) -> int:
    """How many people carrying it out writes; what `carry_out` counts up to."""
    return len(plan.changes) + len(plan.leavers)


# What a plan says, line by line -------------------------------------------------------------------------------------


def lines_of(plan: Plan) -> Iterator[Line]:
    """A plan as it is shown: ``kind, line, who, what``; ``what`` are changes as ``field, before, after``."""
    for problem in plan.problems:
        yield ["problem", problem.line, problem.who, problem.text]
    for remark in plan.remarks:
        yield ["remark", 0, "", remark]
    for path in plan.new_teams:
        yield ["team", 0, " / ".join(path), []]
    for person in plan.leavers:
        yield ["leaver", 0, person.username, person.display_name]
    left = {pk for change in plan.changes for pk in change.leave}
    teams = dict(Membership.objects.current().values_list("pk", "team__name")) if left else {}
    for kind, changes in (("add", plan.adds), ("change", plan.edits)):
        for change in changes:
            yield [kind, change.row.line, change.person.username, [*_what(change, teams)]]


def _what(change: Change, teams: dict[int, str]) -> Iterator[list[str]]:
    person = change.person
    if change.new:
        said = {"name": person.name, "email": person.email, "external_id": person.external_id}
        yield from ([FIELDS.get(name, name), "", str(value)] for name, value in said.items() if value)
    for name, value in change.fields.items():
        before = getattr(person, name)
        yield [FIELDS.get(name, name), "" if change.new else _word(before), _word(value)]
    for path in change.join:
        yield ["team", "", " / ".join(path)]
    for pk in change.leave:
        yield ["team", teams.get(pk, "?"), ""]
    if change.new_manager:
        before = person.manager.display_name if person.manager_id and person.manager else ""
        yield ["manager", before, change.manager.display_name if change.manager else ""]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _packed(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def _raw(row: PeopleImport) -> Iterator[str]:
    with row.plan.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n")


def shown(row: PeopleImport, kind: str, start: int = 0, count: int = 100) -> list[Line]:
    """Lines of one kind of the plan that is shown; none when it is gone."""
    try:
        found = (line for line in _raw(row) if line.startswith(f'["{kind}",'))
        return [json.loads(line) for line in islice(found, start, start + count)]
    except FileNotFoundError:
        return []


def _steps(packed: Iterable[str]) -> set[tuple[Any, ...]]:
    """What is to be written, each by itself: what is left of a plan that was begun is a part of it."""
    steps: set[tuple[Any, ...]] = set()
    for kind, line, who, what in map(json.loads, packed):
        if kind in ("add", "change"):
            steps.update((line, field, before if not after else "", after) for field, before, after in what)
        elif kind in ("team", "leaver"):
            steps.add((kind, who))
    return steps


def _differences(before: set[str], now: set[str]) -> list[list[Any]]:
    """What was shown and is no more, and what is new: ``was`` or ``is``, and the line."""
    told = [["was", json.loads(line)] for line in before - now] + [["is", json.loads(line)] for line in now - before]
    told.sort(key=lambda one: (one[1][1], one[1][2], one[0] == "is"))
    return told[:TOLD_DIFFERENCES]
