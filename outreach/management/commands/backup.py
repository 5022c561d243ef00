"""`manage.py backup`: everything that must survive the loss of this machine, in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from outreach.management.backup.database import BackupProblem, of_settings
from outreach.management.backup.making import back_up
from outreach.management.operating import OperatorCommand

#: Where the agent workers' spools are by default, as in `.env.example`.
SPOOL = ".state/spool"


class Command(OperatorCommand):
    """Make a backup while everything runs."""

    help = (
        "Write the database and the agent workers' spools into one file, while everything runs. It holds "
        "names, numbers and conversations: keep it as you keep those. Keys are not in it: keep .env too."
    )
    examples: ClassVar[tuple[str, ...]] = ("backup", "backup --to /mnt/backups")
    needs_own_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where it goes."""
        parser.add_argument(
            "--to", type=Path, default=Path("backups"), metavar="DIR", help="default: ./backups"
        )
        parser.add_argument("--spool", type=Path, metavar="DIR", help="default: ALEX_SPOOL_DIR")

    def operate(self, options: Mapping[str, Any]) -> None:
        """Make it, say where it is and how large."""
        try:
            file = back_up(
                database=of_settings(settings.DATABASES["default"]),
                spool=options["spool"] or Path(os.environ.get("ALEX_SPOOL_DIR") or SPOOL),
                into=options["to"],
                now=datetime.now(UTC),
            )
        except (BackupProblem, OSError) as problem:
            raise CommandError(f"No backup was made. {problem}") from problem
        size = file.stat().st_size / 1e6
        self.desk.say(f"{file} ({size:.1f} MB) is whole. Copy it to another machine.", "bold green")
