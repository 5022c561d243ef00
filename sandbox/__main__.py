"""Run the outside world in one process: `python -m sandbox` is carrier, room server and model provider."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

from aiohttp import web

from sandbox.accounts import Accounts, accounts_of
from sandbox.carrier import make_carrier
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults
from sandbox.groq_api import make_app
from sandbox.humming import Voice
from sandbox.journal import Journal
from sandbox.room_server import RoomServer, RoomService, make_room_server
from sandbox.settings import SandboxSettings, SettingsError, settings_from

CLOSE_SECONDS = 2.0


async def run(settings: SandboxSettings, *, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then end what goes on and close.

    :raises OSError: when a port is taken.
    """
    clock = RehearsalClock()
    journal = Journal(clock=clock)
    faults = Faults(seed=settings.seed, knobs=settings.faults)
    accounts = accounts_of(settings.accounts)
    room_server, voice = _room_service(settings, faults=faults, journal=journal, accounts=accounts)
    carrier = make_carrier(
        settings=settings,
        clock=clock,
        faults=faults,
        journal=journal,
        room_server=room_server,
        accounts=accounts,
    )
    groq = make_app(
        api_key=settings.groq_api_key,
        faults=faults,
        mind_seed=settings.seed,
        standing=accounts.groq,
        voice=voice,
    )
    async with contextlib.AsyncExitStack() as stack:
        # Closed in reverse order: the calls first, then the rooms they were in.
        await _serve(stack, groq, settings.host, settings.groq_port)
        if isinstance(room_server, RoomServer):
            await _serve(stack, room_server.app, settings.host, settings.livekit_port)
        await _serve(stack, carrier, settings.host, settings.twilio_port)
        journal.note(
            "sandbox",
            "listening",
            carrier=settings.twilio_port,
            rooms=settings.livekit_port,
            models=settings.groq_port,
        )
        await stop.wait()
        journal.note("sandbox", "stopping")


def _room_service(
    settings: SandboxSettings, *, faults: Faults, journal: Journal, accounts: Accounts
) -> tuple[RoomService, Voice | None]:
    """Return the rooms of text; or what stands at the door of a real server, and the voice of its people."""
    if not settings.voices:
        emulated = make_room_server(
            settings=settings, faults=faults, journal=journal, standing=accounts.livekit
        )
        return emulated, None
    # What sound needs is loaded only where there is any.
    from sandbox import groq_voice, voice_service

    voice = groq_voice.RealVoice()
    return voice_service.make_voice_service(settings=settings, voice=voice, journal=journal), voice


async def _serve(stack: contextlib.AsyncExitStack, app: web.Application, host: str, port: int) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port).start()


async def _main(settings: SandboxSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop=stop)


def main() -> int:
    """Run the sandbox; return the exit status."""
    try:
        settings = settings_from(os.environ)
    except SettingsError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    try:
        asyncio.run(_main(settings))
    except OSError as exc:
        sys.stderr.write(f"The sandbox cannot listen: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
