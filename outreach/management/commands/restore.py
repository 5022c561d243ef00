"""`manage.py restore`: put a backup in the place of the database."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import psycopg
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db.migrations.loader import MigrationLoader

from outreach.management.backup.archive import unpack
from outreach.management.backup.database import BackupProblem, of_settings
from outreach.management.backup.restoring import Restored, Restoring
from outreach.management.commands.backup import SPOOL
from outreach.management.operating import OperatorCommand


class Command(OperatorCommand):
    """Restore a backup."""

    help = (
        "Put a backup in the place of the database. It is loaded and counted beside the database first; "
        "what was there is kept under another name. All dialing is stopped in it, because calls and requests "
        "to stop since the backup are not known there."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "restore backups/outreach-live-20261125T030000Z.tar",
        "restore backups/outreach-live-20261125T030000Z.tar --replace",
    )
    needs_own_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what is restored, and what may be overridden."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="set a database aside that holds people")
        parser.add_argument("--disconnect", action="store_true", help="end the sessions of what still runs")
        parser.add_argument("--spool", type=Path, metavar="DIR", help="default: ALEX_SPOOL_DIR")

    def operate(self, options: Mapping[str, Any]) -> None:
        """Restore it, and say what comes next."""
        spool = options["spool"] or Path(os.environ.get("ALEX_SPOOL_DIR") or SPOOL)
        try:
            with TemporaryDirectory(dir=options["file"].absolute().parent, prefix=".restoring-") as place:
                backup = Path(place)
                done = Restoring(
                    backup=backup,
                    manifest=unpack(options["file"], into=backup),
                    database=of_settings(settings.DATABASES["default"]),
                    mode=settings.DIALING.value,
                    replace=options["replace"],
                    disconnect=options["disconnect"],
                    now=datetime.now(UTC),
                ).run(spool=spool, known=_known_migrations())
        except (BackupProblem, psycopg.Error, OSError) as problem:
            raise CommandError(f"Nothing was restored. {problem}") from problem
        self._tell(done)

    def _tell(self, done: Restored) -> None:
        self.desk.say(f"Restored: {done.rows} rows and {done.spools} spools, all counted.", "bold green")
        if done.set_aside:
            self.desk.say(
                f'What was there is kept as the database "{done.set_aside}". When you miss nothing: '
                f'DROP DATABASE "{done.set_aside}";'
            )
        self.desk.say("1. manage.py migrate, and start everything.")
        self.desk.say(
            "2. Look at Twilio's call log since the backup: who asked there to be left alone is not known "
            "here. Then resume dialing on the dashboard; until then nobody is called."
        )


def _known_migrations() -> dict[str, set[str]]:
    known: dict[str, set[str]] = defaultdict(set)
    for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations:
        known[app].add(name)
    return known
