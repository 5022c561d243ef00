"""Making a backup while everything runs."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from psycopg import sql

from outreach.management.backup.archive import DUMP, FORMAT, MANIFEST, SPOOL, Manifest, digests, pack
from outreach.management.backup.database import Database, program, run

_TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""


def back_up(*, database: Database, spool: Path, into: Path, now: datetime) -> Path:
    """Write a backup into the directory `into` and return the file.

    The spools are read before and after the dump: what the database did not have at its moment is in one of
    the two, since a spool goes only when the database has everything in it.

    :raises BackupProblem: when it cannot be made; then no file is left.
    """
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=into, prefix=".making-") as place:
        draft = Path(place)
        _copy_spools(spool, draft / SPOOL)
        about = _dump(database, draft / DUMP)
        _copy_spools(spool, draft / SPOOL)
        manifest = Manifest(format=FORMAT, made_at=now, files=digests(draft), **about)
        (draft / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        file = into / f"outreach-{manifest.mode or 'fresh'}-{now:%Y%m%dT%H%M%SZ}.tar"
        pack(draft, into=file)
    return file


def _dump(database: Database, file: Path) -> dict[str, Any]:
    """Dump the database and return what it held at that moment: one snapshot for the dump and the counts."""
    with database.connect() as connection:
        major = connection.info.server_version // 10_000
        pg_dump = program("pg_dump", major=major)
        pg_restore = program("pg_restore", major=major)
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            snapshot = str(_value(connection, "SELECT pg_export_snapshot()"))
            options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
            run([pg_dump, *options, f"--file={file}"], database)
            about = {
                "mode": _value(connection, "SELECT mode FROM outreach_dialingcontrol WHERE id = 1") or "",
                "postgresql": major,
                "migrations": last_migrations(connection),
                "rows": rows(connection),
            }
    run([pg_restore, "--list", str(file)], database)
    return about


def rows(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, int]:
    """Count the rows of every table."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    count = sql.SQL("SELECT count(*) FROM {}")
    return {name: int(_value(connection, count.format(sql.Identifier(name)))) for name in tables}


def last_migrations(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, str]:
    """Return the last migration of each app that this database has."""
    return dict(connection.execute("SELECT app, max(name) FROM django_migrations GROUP BY app").fetchall())


def _value(connection: psycopg.Connection[tuple[Any, ...]], query: Any) -> Any:
    found = connection.execute(query).fetchone()
    return found[0] if found else None


def _copy_spools(spool: Path, into: Path) -> None:
    """Copy every spool; a later copy takes the place of an earlier one, since spools only grow."""
    into.mkdir(exist_ok=True)
    for path in sorted(spool.iterdir()) if spool.is_dir() else ():
        with suppress(FileNotFoundError):  # the database has it all by now
            if path.is_file():
                shutil.copyfile(path, into / path.name)
