"""A tunnel from the public internet to the hooks' port, by ngrok or cloudflared where one is on PATH.

Only that port: the admin stays on this machine. The address is a new one at every start, so a tunnel that
ends cannot be started again under a running product.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from outreach.management.supervisor.child import Child, Program
from outreach.management.supervisor.environment import LOOPBACK

#: Seconds until a tunnel must have said its address.
ADDRESS_WITHIN = 40.0
LOOK_EVERY = 0.05
LAST_LINES = 3

_QUICK_TUNNEL = re.compile(r"https://(?!api\.)[a-z0-9-]+\.trycloudflare\.com")


class NoTunnel(Exception):
    """There is no tunnel; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """A tunnel that stands."""

    child: Child
    address: str
    """What the world calls it, https://…, without a slash at the end."""

    @property
    def has_ended(self) -> bool:
        """Whether the world no longer reaches us through it."""
        return self.child.exit_code is not None

    def close(self) -> None:
        """Tear it down."""
        self.child.stop()
        self.child.close()


@dataclass(frozen=True, kw_only=True)
class _Kind:
    arguments: Callable[[int], Sequence[str]]
    address_in: Callable[[str], str]
    """The address in one line of its output, or an empty string."""


def _ngrok_address(line: str) -> str:
    """Return the address in a line of ngrok's JSON log. https://ngrok.com/docs/agent/cli/"""
    try:
        said = json.loads(line)
    except ValueError:
        return ""
    started = isinstance(said, dict) and said.get("msg") == "started tunnel"
    return str(said.get("url", "")) if started else ""


def _cloudflared_address(line: str) -> str:
    """Return the address in the box that cloudflared draws around it."""
    found = _QUICK_TUNNEL.search(line)
    return found[0] if found else ""


_KINDS = {
    "ngrok": _Kind(
        arguments=lambda port: ("http", f"{LOOPBACK}:{port}", "--log", "stdout", "--log-format", "json"),
        address_in=_ngrok_address,
    ),
    "cloudflared": _Kind(
        arguments=lambda port: ("tunnel", "--no-autoupdate", "--url", f"http://{LOOPBACK}:{port}"),
        address_in=_cloudflared_address,
    ),
}


def open_tunnel(*, port: int, log: Path, within: float = ADDRESS_WITHIN) -> Tunnel:
    """Start the first tunnel program on PATH and return once it has said its address.

    :param log: where its output goes.
    :raises NoTunnel: when there is no such program, or it says no https address in time.
    """
    name = next((name for name in _KINDS if shutil.which(name)), None)
    if name is None:
        raise NoTunnel(
            f"--tunnel needs {' or '.join(_KINDS)} on PATH: see https://ngrok.com/download or "
            "https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/."
        )
    program = Program(
        name=name,
        argv=[str(shutil.which(name)), *_KINDS[name].arguments(port)],
        environment={key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ},
        directory=Path("/"),
        grace=5.0,
    )
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = Child(program, output=output)
    with ExitStack() as unless_it_stands:
        unless_it_stands.callback(child.close)
        unless_it_stands.callback(child.stop)
        address = _address(child, log, _KINDS[name], within)
        unless_it_stands.pop_all()
    return Tunnel(child=child, address=address)


def _address(child: Child, log: Path, kind: _Kind, within: float) -> str:
    deadline = time.monotonic() + within
    while True:
        ended = child.exit_code is not None or time.monotonic() > deadline
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        address = next(filter(None, map(kind.address_in, lines)), "")
        if address.startswith("https://"):
            return address.rstrip("/")
        if ended:
            told = " ".join(lines[-LAST_LINES:]) or "it said nothing"
            raise NoTunnel(f"{child.program.name} opened no tunnel: {told[:400]} (all of it: {log})")
        time.sleep(LOOK_EVERY)
