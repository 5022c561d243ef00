"""Our processes as services: how each is started, when it is ready, in which order it stops."""

from __future__ import annotations

import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from outreach.management.supervisor.child import Program
from outreach.management.supervisor.environment import LOOPBACK
from outreach.management.supervisor.ports import Ports
from outreach.management.supervisor.stack import Service

BASE = Path(__file__).resolve().parents[3]
#: Seconds for what the last calls left to report, once their conversations were waited for.
AGENT_GRACE = 20.0


class Group(IntEnum):
    """The order of starting; stopping is the reverse."""

    STORES = 0
    OUTSIDE_WORLD = 1
    PAGES_AND_HOOKS = 2
    RECORDER = 3
    TASKS = 4
    ALEX = 5
    TICKS = 6


CELERY = ("-m", "celery", "-A", "config")
#: Two workers: dials that wait for a slow room server never keep the sweep from ending a lost call.
DIALERS = ("worker", "-n", "dial@%h", "-Q", "dial", "-c", "3", "--without-gossip", "--without-mingle")
OTHERS = ("worker", "-n", "ops@%h", "-Q", "ops,post", "-c", "3", "--without-gossip", "--without-mingle")

#: What needs no database to start: it may do so while the tables are made.
NEEDS_NO_DATABASE = frozenset({"sandbox", "livekit", "agent"})


def in_turns(services: Sequence[Service]) -> tuple[list[Service], list[Service], list[Service]]:
    """Return the services in three turns: while the tables are made, after that, and the ticks.

    The ticks come last, with the rehearsal's clock: nobody is claimed before Alex can take the call.
    """
    ticks = [service for service in services if service.group == Group.TICKS]
    early = [service for service in services if service.name in NEEDS_NO_DATABASE]
    return early, [service for service in services if service not in (*early, *ticks)], ticks


class Server(Protocol):
    """PostgreSQL or Valkey, described by whoever brings them."""

    @property
    def name(self) -> str: ...
    @property
    def argv(self) -> Sequence[str]: ...
    @property
    def stop_signal(self) -> signal.Signals: ...
    @property
    def user(self) -> str: ...


def store(server: Server, *, environment: Mapping[str, str]) -> Service:
    """Return a database server as a service; whoever brought it knows when it is ready."""
    program = Program(
        name=server.name,
        argv=server.argv,
        environment={name: environment[name] for name in ("PATH",) if name in environment},
        stop_signal=server.stop_signal,
        user=server.user,
        directory=Path("/"),
        grace=30.0,
    )
    return Service(program=program, group=Group.STORES)


def product(*, environment: Mapping[str, str], ports: Ports) -> list[Service]:
    """Return our own processes, the same in every mode."""
    uvicorn = ["-m", "uvicorn", "config.asgi:application", "--host", LOOPBACK, "--port", str(ports.web)]
    uvicorn += ["--lifespan", "off", "--log-level", "warning", "--no-access-log"]
    uvicorn += ["--timeout-graceful-shutdown", "5"]
    granian = ["-m", "granian", "--interface", "wsgi", "--host", LOOPBACK, "--port", str(ports.hooks)]
    granian += ["--workers", "1", "--blocking-threads", "8", "--log-level", "warning", "--no-access-log"]
    granian += ["--respawn-failed-workers", "--workers-kill-timeout", "5", "config.hooks:application"]
    flower = ["flower", f"--address={LOOPBACK}", f"--port={ports.flower}", "--logging=warning"]

    def ours(
        name: str, group: Group, arguments: Sequence[str], health: str = "", grace: float = 10.0
    ) -> Service:
        program = Program(
            name=name,
            argv=[sys.executable, *arguments],
            environment=environment,
            directory=BASE,
            grace=grace,
        )
        return Service(program=program, group=group, ready=answers(health) if health else None)

    return [
        ours("hooks", Group.PAGES_AND_HOOKS, granian, f"http://{LOOPBACK}:{ports.hooks}/hooks/livez"),
        ours("web", Group.PAGES_AND_HOOKS, uvicorn, f"http://{LOOPBACK}:{ports.web}/livez"),
        ours(
            "flower",
            Group.PAGES_AND_HOOKS,
            [*CELERY, *flower],
            f"http://{LOOPBACK}:{ports.flower}/healthcheck",
        ),
        ours("recorder", Group.RECORDER, ["manage.py", "record"]),
        ours("worker", Group.TASKS, [*CELERY, *DIALERS], grace=15.0),
        ours("ops", Group.TASKS, [*CELERY, *OTHERS], grace=15.0),
        ours("agent", Group.ALEX, ["-m", "agentworker"], f"http://{LOOPBACK}:{ports.agent}/", AGENT_GRACE),
        ours("beat", Group.TICKS, [*CELERY, "beat", "--pidfile="]),
    ]


def room_server(server: Server, *, environment: Mapping[str, str], ports: Ports) -> Service:
    """Return a real livekit-server as a service."""
    address = f"http://{LOOPBACK}:{ports.livekit}/"
    brought = store(server, environment=environment)
    return replace(brought, group=Group.OUTSIDE_WORLD, ready=lambda: listens(address))


def outside_world(*, environment: Mapping[str, str], ports: Ports) -> list[Service]:
    """Return the sandbox and the rehearsal's clock."""
    addresses = [f"http://{LOOPBACK}:{port}/" for port in (ports.twilio, ports.livekit, ports.groq)]

    def ours(name: str, group: Group, module: str, ready: Callable[[], bool] | None) -> Service:
        program = Program(
            name=name, argv=[sys.executable, "-m", module], environment=environment, directory=BASE
        )
        return Service(program=program, group=group, ready=ready)

    return [
        ours("sandbox", Group.OUTSIDE_WORLD, "sandbox", lambda: all(listens(a) for a in addresses)),
        ours("clock", Group.TICKS, "sandbox.clock_jumper", None),
    ]


def answers(address: str) -> Callable[[], bool]:
    """Return a question: does `address` answer with 200?"""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310  (our own http address)
                return bool(answer.status == 200)
        except OSError:
            return False

    return ask


def listens(address: str) -> bool:
    """Tell whether anything answers at `address`, whatever it says."""
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310  (our own http address)
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
