"""`manage.py import_facilitators`: the admin's upload from a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outreach.domain.csv_cells import CONSENT_BASES
from outreach.management.campaigns import find_campaign
from outreach.models import ImportBatch, ImportState
from outreach.services.import_rejects import write_rejected
from outreach.services.importing import ImportOptions, KnownPeople, import_file

PROBLEMS_SHOWN = 15
_IN_MEMORY = 1 << 20

EXAMPLE = """
examples:
  manage.py import_facilitators people.csv --campaign "Spring onboarding"
  manage.py import_facilitators people.csv --campaign "Spring onboarding" --known update \\
      --consent-basis express --consent-source "web form, May 2026" --rejected refused.csv
  gunzip -c people.csv.gz | manage.py import_facilitators - --campaign "Spring onboarding"

docs/csv.md explains the columns. Exit status: 0 imported (perhaps with refused rows), 1 refused as a whole.
"""


class Command(BaseCommand):
    """Import people from a CSV file into a campaign."""

    help = (
        "Import people from a CSV file into a campaign; every row that is refused is named with its reason."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the examples' line breaks."""
        parser = super().create_parser(prog_name, subcommand, epilog=EXAMPLE, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file, the campaign and what the operator decides."""
        parser.add_argument("file", metavar="FILE", help="the CSV file; - reads standard input")
        parser.add_argument("--campaign", required=True, metavar="NAME", help="the campaign's name")
        parser.add_argument(
            "--known", choices=[known.value for known in KnownPeople], default=KnownPeople.SKIP.value,
            help="people who are in the campaign already: leave them (default), fill their empty fields, or "
            "update what the file says; their standing is never touched",
        )  # fmt: skip
        parser.add_argument(
            "--consent-basis",
            choices=CONSENT_BASES,
            default="",
            help="for rows that do not say; else they are held",
        )
        parser.add_argument(
            "--consent-source", default="", metavar="TEXT", help="where and when they consented"
        )
        parser.add_argument(
            "--country",
            default="",
            metavar="XX",
            help="for numbers without a country; default: the campaign's",
        )
        parser.add_argument(
            "--rejected", metavar="FILE", help="write the refused rows and their problems to this file"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Import the file, show what came of it, and write the refused rows."""
        campaign = find_campaign(options["campaign"])
        if options["consent_source"] and not options["consent_basis"]:
            raise CommandError("--consent-source proves nothing without --consent-basis.")
        try:
            decisions = ImportOptions(
                known=KnownPeople(options["known"]),
                consent_basis=options["consent_basis"],
                consent_source=options["consent_source"],
                default_country=options["country"].strip().upper(),
            )
        except ValueError as exc:
            raise CommandError(str(exc)) from None
        with _opened(options["file"]) as source:
            batch = import_file(
                campaign_id=campaign.pk,
                source=source,
                file_name="standard input" if options["file"] == "-" else Path(options["file"]).name,
                imported_by_id=None,
                options=decisions,
            )
        if batch.state == ImportState.REFUSED:
            raise CommandError(f"{batch.file_name} was refused and nothing was stored: {batch.problem}")
        if options["verbosity"]:
            self.stdout.write(_summary(batch, colour=self.stdout.isatty() and not options["no_color"]))
        self._write_rejected(batch, options["rejected"])

    def _write_rejected(self, batch: ImportBatch, path: str | None) -> None:
        if path is not None:
            # With a mark, or Excel takes UTF-8 for Windows-1252.
            try:
                with Path(path).open("w", encoding="utf-8-sig", newline="") as out:
                    written = write_rejected(batch, out)
            except OSError as exc:
                raise CommandError(
                    f"The file was imported, but {path} cannot be written: {os.strerror(exc.errno or 0)}."
                ) from None
            self.stdout.write(f"{written} refused rows are in {path}: mend them there and import that file.")
        elif batch.rows_rejected:
            self.stdout.write(
                "With --rejected FILE the refused rows go to a file that can be mended and imported."
            )


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Open the file; standard input is copied, since a list is read twice."""
    if path == "-":
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copied:
            shutil.copyfileobj(sys.stdin.buffer, copied)
            yield copied  # type: ignore[misc]  # a BinaryIO in all but name
        return
    try:
        with Path(path).open("rb") as source:
            yield source
    except OSError as exc:
        raise CommandError(f"Cannot read {path}: {os.strerror(exc.errno or 0)}.") from None


def _summary(batch: ImportBatch, *, colour: bool) -> str:
    console = Console(
        force_terminal=colour, no_color=not colour, width=shutil.get_terminal_size((100, 24)).columns
    )
    counts = Table(
        title=Text(f"{batch.file_name} → {batch.campaign.name}"), title_justify="left", show_header=False
    )
    counts.add_column(justify="right", style="bold")
    counts.add_column()
    counts.add_row(f"{batch.rows_read:,}", "rows read")
    counts.add_row(f"{batch.rows_created:,}", "new people", style="green" if batch.rows_created else "")
    counts.add_row(f"{batch.rows_updated:,}", "known people changed")
    counts.add_row(f"{batch.rows_unchanged:,}", "known people left as they are")
    counts.add_row(f"{batch.rows_rejected:,}", "rows refused", style="red" if batch.rows_rejected else "")
    with console.capture() as capture:
        console.print(counts)
        if batch.rows.exists():
            console.print(_problems(batch))
    return capture.get()


def _problems(batch: ImportBatch) -> Table:
    total = batch.rows.count()
    table = Table(title="What to look at", title_justify="left")
    table.add_column("line", justify="right")
    table.add_column("column")
    table.add_column("problem", overflow="fold")
    for row in batch.rows.order_by("-rejected", "line", "pk")[:PROBLEMS_SHOWN]:
        field = row.field.replace("_", " ") or ("whole file" if row.line == 1 else "row")
        table.add_row(
            str(row.line), Text(field), Text(row.problem), style="red" if row.rejected else "yellow"
        )
    if total > PROBLEMS_SHOWN:
        table.caption = f"{total - PROBLEMS_SHOWN:,} more are on the import's page in the admin."
    return table
