"""Putting a backup in the place of a database: beside it first, and in its place only when it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from outreach.management.backup.archive import DUMP, SPOOL, Manifest
from outreach.management.backup.database import MAINTENANCE, BackupProblem, Database, program, run
from outreach.management.backup.making import rows

STOPPED_BY = "manage.py restore"
_OTHERS = """
FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
#: Where operators and callers leave something; tables without any of it hold nothing that could be lost.
_HOLDS_SOMETHING = """
SELECT EXISTS (SELECT FROM outreach_campaign) OR EXISTS (SELECT FROM outreach_facilitator)
    OR EXISTS (SELECT FROM outreach_call) OR EXISTS (SELECT FROM outreach_suppression)
"""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What was done."""

    rows: int
    spools: int
    set_aside: str
    """The name under which the database of before is kept; "" when it held nothing."""


@dataclass(frozen=True, kw_only=True)
class Restoring:
    """One restore of an unpacked backup."""

    backup: Path
    """The directory that it was unpacked into."""
    manifest: Manifest
    database: Database
    mode: str
    """The DIALING mode of the settings."""
    replace: bool
    """Whether a database that holds something may be set aside."""
    disconnect: bool
    """Whether the sessions of running processes may be ended."""
    now: datetime

    def run(self, *, spool: Path, known: Mapping[str, set[str]]) -> Restored:
        """Restore everything; nothing is touched before the copy beside it is whole.

        :param known: the migrations of this code, by app.
        :raises BackupProblem: when it must not be, or cannot be; then everything is as it was.
        """
        self._refuse_another_mode(self.manifest.mode, "The backup")
        self._refuse_newer_code(known)
        exists, holds = self._look()
        if holds and not self.replace:
            raise BackupProblem(
                f"The database {self.database.name} holds people or calls already. With --replace it is set "
                "aside under another name, and the backup takes its place."
            )
        if not self.disconnect:
            self._refuse_while_in_use()
        copy = self.database.named(f"{self.database.name}_restoring")
        self._load(copy)
        aside = self._swap(copy, exists=exists, keep=holds)
        return Restored(rows=sum(self.manifest.rows.values()), spools=self._spools(spool), set_aside=aside)

    def _refuse_another_mode(self, mode: str, whose: str) -> None:
        if mode and mode != self.mode:
            raise BackupProblem(
                f"{whose} belongs to DIALING={mode}, but DIALING={self.mode} is set: people of one mode are "
                "never called in another. Name the right database (DATABASE_URL) and mode."
            )

    def _refuse_newer_code(self, known: Mapping[str, set[str]]) -> None:
        unknown = [
            f"{app}.{name}"
            for app, name in self.manifest.migrations.items()
            if name not in known.get(app, ())
        ]
        if unknown:
            raise BackupProblem(
                f"The backup was made by code with {', '.join(sorted(unknown))}, which this code does not "
                "know: check that revision out first."
            )

    def _look(self) -> tuple[bool, bool]:
        """Return whether the database exists, and whether it holds something."""
        with self._maintenance() as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [self.database.name]
            ).fetchone()
        if found is None:
            return False, False
        with self.database.connect() as connection:
            try:
                marked = connection.execute("SELECT mode FROM outreach_dialingcontrol").fetchone()
                holds = connection.execute(_HOLDS_SOMETHING).fetchone()
            except psycopg.errors.UndefinedTable:
                return True, self._has_tables(connection)
        self._refuse_another_mode(marked[0] if marked else "", f"The database {self.database.name}")
        return True, bool(holds and holds[0])

    @staticmethod
    def _has_tables(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
        """Tell whether somebody else's tables are there: never ours to drop."""
        return bool(rows(connection))

    def _refuse_while_in_use(self) -> None:
        with self._maintenance() as connection:
            found = connection.execute(
                "SELECT count(*), string_agg(DISTINCT coalesce(nullif(application_name, ''), 'a process'), "
                f"', ') {_OTHERS}",
                [self.database.name],
            ).fetchone()
        if found is not None and found[0]:
            raise BackupProblem(
                f"{found[0]} sessions use the database {self.database.name} ({found[1]}). Stop everything "
                "first: docker compose stop, or Ctrl-C in `make up`. With --disconnect they are ended."
            )

    def _load(self, copy: Database) -> None:
        """Load the dump into `copy`, count it, and stop all dialing in it.

        What happened after the backup is not in it, so nobody is called before somebody has looked.
        """
        with ExitStack() as undo:
            undo.callback(self._forget, copy)
            self._forget(copy)
            with self._maintenance() as connection:
                name = sql.Identifier(copy.name)
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
            pg_restore = program("pg_restore", major=self.manifest.postgresql)
            options = ["--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={copy.name}"]
            run([pg_restore, *options, str(self.backup / DUMP)], copy)
            with copy.connect() as connection:
                self._refuse_other_counts(rows(connection))
                connection.execute(
                    "UPDATE outreach_dialingcontrol SET stopped = true, stopped_at = now(), stopped_by = %s, "
                    "stop_reason = %s",
                    [STOPPED_BY, self._reason()],
                )
                connection.execute("ANALYZE")
            undo.pop_all()

    def _forget(self, copy: Database) -> None:
        with self._maintenance() as connection:
            _drop(connection, copy.name)

    def _refuse_other_counts(self, found: Mapping[str, int]) -> None:
        wrong = [name for name, count in self.manifest.rows.items() if found.get(name) != count]
        if wrong:
            raise BackupProblem(f"Not everything arrived: {', '.join(wrong)}. Nothing was replaced.")

    def _reason(self) -> str:
        return (
            f"Restored from the backup of {self.manifest.made_at:%Y-%m-%d %H:%M} UTC. Calls and requests to "
            "stop since then are not known here: look at Twilio's call log before you resume."
        )

    def _swap(self, copy: Database, *, exists: bool, keep: bool) -> str:
        """Put `copy` in the place of the database; return the name under which the old one is kept."""
        name = self.database.name
        aside = f"{name}_before_{self.now:%Y%m%d_%H%M%S}"
        with self._maintenance() as connection:
            if exists:
                self._set_aside(connection, aside)
            try:
                _rename(connection, copy.name, to=name)
            except BackupProblem:
                if exists:
                    _rename(connection, aside, to=name)
                raise
            if exists and not keep:
                _drop(connection, aside)
        return aside if exists and keep else ""

    def _set_aside(self, connection: psycopg.Connection[tuple[Any, ...]], aside: str) -> None:
        """Rename the database of before, after ending its sessions if we may."""
        name = sql.Identifier(self.database.name)
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        if self.disconnect:
            # Or they would be back before it is renamed.
            connection.execute(allow.format(name, sql.SQL("false")))
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {_OTHERS}", [self.database.name])
        try:
            _rename(connection, self.database.name, to=aside)
        except BackupProblem:
            if self.disconnect:
                connection.execute(allow.format(name, sql.SQL("true")))
            raise
        if self.disconnect:
            connection.execute(allow.format(sql.Identifier(aside), sql.SQL("true")))

    def _spools(self, spool: Path) -> int:
        """Give the agent workers back what the database may lack; a spool that is there already stays."""
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self.backup / SPOOL
        lacking = (
            [path for path in kept.iterdir() if not (spool / path.name).exists()] if kept.exists() else []
        )
        for path in lacking:
            shutil.copyfile(path, spool / path.name)
            (spool / path.name).chmod(0o600)
        return len(lacking)

    def _maintenance(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self.database.named(MAINTENANCE).connect()


def _rename(connection: psycopg.Connection[tuple[Any, ...]], name: str, *, to: str) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    try:
        connection.execute(rename.format(sql.Identifier(name), sql.Identifier(to)))
    except psycopg.errors.ObjectInUse as problem:
        raise BackupProblem(
            f"Somebody connected to {name} meanwhile. Nothing was replaced: stop everything, then try again."
        ) from problem


def _drop(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
