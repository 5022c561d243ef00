"""The database servers that `up` brings where nobody brought any."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from outreach.management.supervisor.ports import Ports
from sandbox import servers
from sandbox.servers import Server

DATABASE = "outreach"


def own_servers(directory: Path, *, ports: Ports, brought: set[str]) -> tuple[Server, ...]:
    """Return those of PostgreSQL and Valkey that are not `brought`."""
    started = []
    if "postgres" not in brought:
        data = postgres_data(directory)
        started.append(servers.postgres(data=data, port=ports.postgres, database=DATABASE))
    if "valkey" not in brought:
        started.append(servers.valkey(data=directory / "valkey", port=ports.valkey))
    return tuple(started)


def postgres_data(directory: Path) -> Path:
    """Return where PostgreSQL's data goes: in the data directory, if its user can get there."""
    inside = directory / "postgres"
    if os.geteuid() != 0 or servers.may_enter(user=servers.UNPRIVILEGED_USER, path=inside):
        return inside
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    return Path("/var/lib/outreach") / digest / "postgres"
