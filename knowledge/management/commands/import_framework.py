"""``import_framework FILE --name NAME``: bring in a list of topics; ``--dry-run`` says what would happen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from knowledge.framework_file import READ, FrameworkRefused
from knowledge.frameworks import Plan, import_framework


class Command(BaseCommand):
    """A framework of topics from a file."""

    help = (
        "Bring in a framework: topics with codes, names, descriptions, other names, parents and levels, from a file "
        f"({READ}). docs/curating.md says which columns are read. The same file again changes nothing; what a newer "
        "file does not name any more is marked as gone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the file")
        parser.add_argument("--name", required=True, help="how the framework is called here; the same name updates it")
        parser.add_argument("--attribution", help="whose it is and on what terms, shown beside its words")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            plan = import_framework(
                data=path.read_bytes(),
                file_name=path.name,
                name=options["name"],
                attribution=options["attribution"],
                dry_run=options["dry_run"],
            )
        except OSError as error:
            raise CommandError(f"{path} cannot be read ({error.strerror}). Check the path.") from None
        except FrameworkRefused as error:
            raise CommandError(f"{path.name}: {error}") from None
        self.tell(plan, dry_run=options["dry_run"])
        if plan.faults:
            done = "fine" if options["dry_run"] else "imported"
            raise CommandError(f"{len(plan.faults)} lines need a look (above); the others are {done}.")

    def tell(self, plan: Plan, *, dry_run: bool) -> None:
        """The counts, then every remark and every fault with its line."""
        self.stdout.write(f"{plan.name}: {plan.rows} rows read: {plan.counts}.")
        if dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")
        for remark in plan.remarks:
            self.stdout.write(remark)
        for fault in plan.faults:
            self.stderr.write(str(fault))
