"""Throw-away servers and the real processes of the product, for as long as one benchmark runs.

Importing this module enters an environment that nothing outside has a say in, before Django reads its
settings: each benchmark imports it before anything of the product.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import django
import psycopg
from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from outreach.management.commands import _entering
from outreach.management.supervisor import programs
from outreach.management.supervisor.journal import Journal
from outreach.management.supervisor.stack import Service, Stack
from sandbox import clock_jumper

#: Not careless: what is measured is what an operator's database does, waiting for the disk included.
_ENTERED = _entering.enter_throw_away(careless=False)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"
django.setup()


class Stage:
    """Running servers and, on demand, processes of the product and of the outside world."""

    def __init__(self, stack: Stack) -> None:
        """Take a stack on which PostgreSQL and Valkey run."""
        self._stack = stack
        self.ports = _ENTERED.ports
        self.directory = _ENTERED.directory

    def start(self, *names: str, **settings: str) -> None:
        """Start services by the names that `make up` gives them, and wait until they are ready.

        :param settings: environment of these processes, beside what all have.
        """
        environment = dict(os.environ) | settings
        known = {
            service.name: service
            for service in (
                *programs.product(environment=environment, ports=self.ports),
                *programs.outside_world(environment=environment, ports=self.ports),
            )
        }
        chosen: list[Service] = [known[name] for name in names]
        self._stack.start(chosen)
        self._stack.wait_until_ready(*names)

    def pids(self) -> dict[str, int]:
        """Return the process id of every service that runs."""
        return self._stack.pids()


@contextmanager
def stage() -> Iterator[Stage]:
    """Run PostgreSQL and Valkey with a migrated database, on a Tuesday morning; stop everything after."""

    def say(name: str, sentence: str) -> None:
        print(f"  {name}: {sentence}", file=sys.stderr)

    journal = Journal(directory=_ENTERED.directory / "logs", say=say, hear_clock=lambda _: None)
    stack = Stack(audience=journal)
    with _ENTERED.held:
        try:
            _entering.start_stores(stack, _ENTERED)
            call_command("migrate", verbosity=0)
            _set_clock()
            journal.starting = False
            yield Stage(stack)
        finally:
            journal.stopping = True
            connection.close()
            stack.stop()
            journal.close()


def _set_clock() -> None:
    """Let it be a few minutes after the campaigns' hours have begun in New York."""
    morning = clock_jumper.first_morning(datetime.now(UTC)) + timedelta(minutes=6)
    connection.ensure_connection()
    clock_jumper.start_clock(connection.connection, at=morning)


def copy_database(source: str, name: str) -> None:
    """Make the database `name` a copy of `source`; nobody may be connected to that."""
    connection.close()
    with connect_bare("postgres") as bare:
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        bare.execute(query.format(sql.Identifier(name), sql.Identifier(source)))


@contextmanager
def connect_to(name: str) -> Iterator[psycopg.Connection]:
    """Let the product work in the database `name`; yield a bare connection to the same."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        with connect_bare(name) as bare:
            yield bare
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def connect_bare(name: str = "outreach") -> psycopg.Connection:
    """Return a connection to the database `name` that knows nothing of the product."""
    address = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    return psycopg.connect(f"{address}/{name}", autocommit=True)


@contextmanager
def patient_cursor() -> Iterator[CursorWrapper]:
    """Yield a cursor whose statements may take longer than any of the product's."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        yield cursor
        cursor.execute("RESET statement_timeout")
