"""The ports that `up` takes, and who holds one that is taken."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_LISTENING = "0A"
FREE_RANGE = range(20_000, 30_000)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """One port of 127.0.0.1 for everything that listens; `media` carries sound, with `--voice` only."""

    web: int = 8000
    hooks: int = 8001
    flower: int = 5555
    postgres: int = 15432
    valkey: int = 16379
    twilio: int = 9101
    livekit: int = 9102
    media: int = 9104
    groq: int = 9103
    agent: int = 8081


def free_ports() -> Ports:
    """Return ports that nobody listens on, from below those that the kernel gives to connections."""
    names = [field.name for field in fields(Ports)]
    candidates = (port for port in random.SystemRandom().sample(FREE_RANGE, k=500) if _is_free(port))
    return Ports(**dict(zip(names, candidates, strict=False)))


def taken(ports: Ports, *, unused: frozenset[str] = frozenset()) -> list[str]:
    """Return one sentence for each port that somebody else listens on, but for the `unused` names."""
    sentences = []
    for name, port in asdict(ports).items():
        if name not in unused and not _is_free(port):
            holder = holder_of(port)
            by = f"is held by {holder}" if holder else "is taken by a process of another user"
            advice = f"stop it or pass --port-{name} {port + 10}"
            sentences.append(f"Port {port} ({name}) {by}; {advice}.")
    return sentences


def holder_of(port: int) -> str | None:
    """Describe the process that listens on `port`, e.g. "PID 123 (python manage.py up)"; None if unseen."""
    inodes = set(_listening_inodes(port))
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        if _holds_one_of(inodes, process):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            return f"PID {process.name} ({command.strip()[:60]})"
    return None


def _holds_one_of(inodes: set[str], process: Path) -> bool:
    with suppress(OSError):  # it is another user's, or it ended meanwhile
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                if str(descriptor.readlink()) in inodes:
                    return True
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still closing may be taken again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            if problem.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in (line.split() for line in lines):
            if columns[3] == _LISTENING and int(columns[1].rsplit(":", 1)[1], 16) == port:
                yield f"socket:[{columns[9]}]"
