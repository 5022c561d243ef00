"""Pytest plugin: PostgreSQL and Valkey of this run's own, started when a selected test may need them.

Nothing is started for a run of unit tests only, or where DATABASE_URL and REDIS_URL are set already.
Run as `python -m tests.embedded` it puts Django's own checks to a fresh, migrated database: the
admin's ask which permissions exist.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import django
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from outreach.management.supervisor.child import Child, Program
from sandbox import servers

#: Below the range from which the kernel takes ports for outgoing connections: two runs at once
#: choose at random among these, so nothing takes a port between its choice and the server's start.
PORTS = range(20_000, 30_000)

PREFIX = "outreach-tests-"

#: Set once the addresses in the environment are ours, not an operator's.
CHOSEN = "OUTREACH_TESTS_CHOSE"


class EmbeddedServers:
    """The servers of one run: addresses first, since Django reads them early; processes when needed."""

    def __init__(self) -> None:
        """Choose a directory that every user can reach, ports and passwords."""
        sweep_up()
        self.directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.directory.chmod(0o755)
        self._children: list[Child] = []
        self._wanted: list[servers.Server] = []

    def choose_addresses(self) -> None:
        """Prepare the servers and put their addresses where the settings will look."""
        self._wanted = [
            servers.postgres(data=self.directory / "postgres", port=free_port(), careless=True),
            servers.valkey(data=self.directory / "valkey", port=free_port(), careless=True),
        ]
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = (server.url for server in self._wanted)
        os.environ[CHOSEN] = "1"

    def start(self) -> None:
        """Start what is not running yet, and wait until it answers."""
        if self._children:
            return
        for server in self._wanted:
            with (self.directory / f"{server.name}.log").open("wb") as log:
                program = Program(
                    name=server.name, argv=server.argv, stop_signal=server.stop_signal, user=server.user
                )
                self._children.append(Child(program, output=log))
        for server in self._wanted:
            servers.wait_until_ready(server, seconds=20)
        servers.create_database(self._wanted[0])

    def stop(self) -> None:
        """Stop the servers and remove what they wrote."""
        for child in self._children:
            child.kill()
        for child in self._children:
            child.stop()
            child.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def sweep_up() -> None:
    """Remove the directories of runs that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = left.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(left, ignore_errors=True)


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on."""
    for port in random.Random().sample(PORTS, k=100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"No free port between {PORTS.start} and {PORTS.stop}.")


_SERVERS = pytest.StashKey[EmbeddedServers]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Set the addresses before pytest-django reads the settings, which it does in this same hook.

    Each worker of pytest-xdist has servers of its own: they inherit the addresses of the main process, which
    runs no test and so starts none.
    """
    if CHOSEN in os.environ or ("DATABASE_URL" not in os.environ and "REDIS_URL" not in os.environ):
        embedded = EmbeddedServers()
        early_config.stash[_SERVERS] = embedded
        early_config.add_cleanup(embedded.stop)
        embedded.choose_addresses()
    return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the servers unless only unit tests were chosen."""
    embedded = session.config.stash.get(_SERVERS, None)
    needed = any(item.get_closest_marker("unit") is None for item in session.items)
    if embedded is not None and needed and not session.config.option.collectonly:
        embedded.start()


def main() -> None:
    """Migrate a fresh database; fail on a warning of Django's checks or a missing migration."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    embedded = EmbeddedServers()
    try:
        embedded.choose_addresses()
        embedded.start()
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("check", fail_level="WARNING")
        call_command("makemigrations", check_changes=True, dry_run=True)
    except SystemCheckError as problems:
        sys.exit(str(problems))
    finally:
        embedded.stop()


if __name__ == "__main__":
    main()
