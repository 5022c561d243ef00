"""The production line on a real livekit-server, started once for all voice tests.

`production` runs what a machine in production runs, as processes of their own: livekit-server, the hooks
process (WSGI, PostgreSQL) and the agent worker with its default line. Only Groq is emulated, in this
process (`production.voice` is its voice and its ears). Any test of this directory may use it: a browser
that joins a room needs `production.livekit_url` and the keys in Django's settings, and what its microphone
plays is understood once `production.voice.people.learn(speak(text, voice=PERSON))` was called.
Every test makes its own people and calls; nothing is wiped between tests.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from aiohttp import web
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from pytest_django.plugin import DjangoDbBlocker

from outreach.integrations.livekit import LiveKitRooms
from outreach.management.supervisor import programs
from outreach.management.supervisor.child import Child
from outreach.management.supervisor.ports import Ports, free_ports
from outreach.models import AgentWorker, CallEvent
from sandbox.groq_api import GroqFaults, make_app
from sandbox.groq_voice import RealVoice
from sandbox.livekit_server import LiveKitPlace, livekit_server
from sandbox.servers import Server, ServerError
from tests.factories import TUESDAY_MORNING, set_clock
from tests.voice.measured import Measured

T = TypeVar("T")
READY_WITHIN = 60.0


@dataclass(kw_only=True)
class Production:
    """Everything that runs, and where."""

    livekit_url: str
    hooks_url: str
    voice: RealVoice
    measured: Measured
    logs: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def rooms(self) -> LiveKitRooms:
        """The product's own door to the room server."""
        return LiveKitRooms(
            url=self.livekit_url,
            api_key=settings.LIVEKIT_API_KEY,
            api_secret=settings.LIVEKIT_API_SECRET,
        )


async def in_database(work: Callable[[], T]) -> T:
    """Do `work`, which asks the database, beside the event loop."""

    def then_close() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(then_close)


async def eventually(true: Callable[[], Any], *, seconds: float = 15.0) -> Any:
    """Return what `true` returns once it is true, asked in the database; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := await in_database(true)):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
    return found


def webhooks_of(call_id: UUID) -> set[str]:
    """Return which of LiveKit's webhooks about a call were verified and stored."""
    events = CallEvent.objects.filter(call_id=call_id, source="livekit")
    return set(events.values_list("kind", flat=True))


_MEASURED = pytest.StashKey[Measured]()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Measured:
    """Return where to put what was measured; it is printed at the end."""
    return pytestconfig.stash.setdefault(_MEASURED, Measured())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was measured beside what was aimed at; figures fail no test."""
    for sentence in config.stash.get(_MEASURED, Measured()).sentences():
        terminalreporter.write_line(sentence)


@pytest.fixture(scope="session")
def production(
    django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory, measured: Measured
) -> Iterator[Production]:
    """Everything, running."""
    place, ports, voice = tmp_path_factory.mktemp("voice"), free_ports(), RealVoice()
    server = room_server(place, ports)
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        made = setup_databases(verbosity=0, interactive=False)
        stack.callback(teardown_databases, made, verbosity=0)
        set_clock(TUESDAY_MORNING)
        groq = make_app(api_key=settings.GROQ_API_KEY, faults=GroqFaults(), voice=voice)
        environment = environment_of(
            place, ports, livekit_url=server.url, groq_url=stack.enter_context(served(groq))
        )
        product = programs.product(environment=environment, ports=ports)
        services = [programs.room_server(server, environment=environment, ports=ports)]
        services += [service for service in product if service.name in ("hooks", "agent")]
        for service in services:
            log = stack.enter_context((place / f"{service.name}.log").open("wb"))
            child = Child(service.program, output=log)
            stack.callback(child.close)
            stack.callback(child.stop)
        for service in services:
            wait_for(service.ready or (lambda: True), place)
        wait_for(lambda: AgentWorker.objects.filter(free__gt=0).exists(), place)
        yield Production(
            livekit_url=server.url,
            hooks_url=environment["HOOKS_URL"],
            voice=voice,
            measured=measured,
            logs=place,
            environment=environment,
        )


def room_server(place: Path, ports: Ports) -> Server:
    """Return livekit-server, or end the run when there is none."""
    try:
        return livekit_server(
            LiveKitPlace(
                port=ports.livekit,
                media_port=ports.media,
                api_key=settings.LIVEKIT_API_KEY,
                api_secret=settings.LIVEKIT_API_SECRET,
                redis_url=os.environ["REDIS_URL"],
                webhook_url=f"http://127.0.0.1:{ports.hooks}/hooks/livekit",
            ),
            data=place / "livekit",
        )
    except ServerError as missing:
        pytest.exit(str(missing), returncode=1)


def environment_of(place: Path, ports: Ports, *, livekit_url: str, groq_url: str) -> dict[str, str]:
    """Return the environment of the processes; without ALEX_LINE, Alex is on his production line."""
    hooks_url = f"http://127.0.0.1:{ports.hooks}"
    address = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
        "PUBLIC_BASE_URL": hooks_url,
        "HOOKS_URL": hooks_url,
        "LIVEKIT_URL": livekit_url,
        "GROQ_BASE_URL": f"{groq_url}/openai/v1",
        "ALEX_SPOOL_DIR": str(place / "spool"),
        "ALEX_HEALTH_PORT": str(ports.agent),
        "ALEX_MAX_JOBS": "4",
    }
    environment.pop("ALEX_LINE", None)
    return environment


def wait_for(true: Callable[[], bool], logs: Path) -> None:
    """Return once something is true; fail with the end of every log."""
    deadline = time.monotonic() + READY_WITHIN
    while not true():
        if time.monotonic() > deadline:
            ends = [f"{log.name}:\n{log.read_text()[-1500:]}" for log in sorted(logs.glob("*.log"))]
            pytest.fail("not ready in time\n" + "\n".join(ends))
        time.sleep(0.05)


class served:  # noqa: N801 - read as a verb
    """Serve an application in a thread of its own, on a free port of this machine."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="served", daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> str:
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"
