"""``import_people FILE.csv``: bring in people and teams; ``--dry-run`` says what would happen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from experts.directory.plan import Plan, import_people
from experts.directory.sheet import ImportRefused

SHOWN = 50


class Command(BaseCommand):
    """People and teams from a CSV file."""

    help = (
        "Bring in people and teams from a CSV file. Its first line names the columns: name and one of username, "
        "email, external_id; if you like also role, team (such as “Engineering / Data”, several parted by “;”), "
        "manager, location, time zone, about, active. The same file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument("--leavers", action="store_true", help="deactivate who is missing from the file")
        parser.add_argument("--many", action="store_true", help="even if that is many people")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read ({error.strerror}). Check the path.") from None
        try:
            dry_run = options["dry_run"]
            plan = import_people(data, leavers=options["leavers"], many=options["many"], dry_run=dry_run)
        except ImportRefused as error:
            raise CommandError(f"{options['file'].name}: {error}") from None
        self.tell(plan, dry_run=dry_run)
        if plan.problems:
            raise CommandError(f"{len(plan.problems)} lines need a look (above); the others are {_done(dry_run)}.")

    def tell(self, plan: Plan, *, dry_run: bool) -> None:
        """The counts, then every remark and problem with its line."""
        same = len(plan.changes) - len(plan.adds) - len(plan.edits)
        counts = f"{len(plan.adds)} added, {len(plan.edits)} changed, {same} the same, {len(plan.leavers)} deactivated"
        self.stdout.write(f"{plan.rows} people read: {counts}; {len(plan.new_teams)} new teams.")
        if dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")
        for change in plan.edits[:SHOWN] if dry_run else ():
            self.stdout.write(f"  line {change.row.line}: {change.person.username}: {', '.join(_what(change))}")
        for person in plan.leavers[:SHOWN] if dry_run else ():
            self.stdout.write(f"  leaves: {person.username}")
        for remark in plan.remarks:
            self.stdout.write(remark)
        for problem in plan.problems:
            self.stderr.write(str(problem))


def _done(dry_run: bool) -> str:
    return "fine" if dry_run else "imported"


def _what(change: Any) -> list[str]:
    """The names of what a row changes, without the values."""
    parts = [{"is_active": "active"}.get(name, name) for name in change.fields]
    parts += ["joins " + " / ".join(path) for path in change.join]
    parts += [f"leaves {len(change.leave)} teams"] * bool(change.leave)
    return parts + ["manager"] * change.new_manager
