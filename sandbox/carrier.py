"""The carrier as one web application: REST API, the rehearsal's control door, webhooks."""

from __future__ import annotations

from aiohttp import web

from sandbox.accounts import Accounts
from sandbox.call_life import Exchange
from sandbox.carrier_webhooks import CarrierWebhooks
from sandbox.clock import RehearsalClock
from sandbox.control import Control
from sandbox.conversation import Conversation
from sandbox.faults import Faults
from sandbox.incoming_calls import IncomingCalls
from sandbox.journal import Journal
from sandbox.ledger import CalleeLedger, CallLedger
from sandbox.phone_network import PhoneNetwork
from sandbox.room_server import RoomService
from sandbox.settings import SandboxSettings
from sandbox.status_callbacks import StatusCallbacks
from sandbox.twilio_account import TwilioAccountApi
from sandbox.twilio_api import TwilioApi
from sandbox.twilio_door import TwilioDoor


def make_carrier(
    *,
    settings: SandboxSettings,
    clock: RehearsalClock,
    faults: Faults,
    journal: Journal,
    room_server: RoomService,
    accounts: Accounts,
) -> web.Application:
    """Build the carrier; its ledgers live in the settings' state directory. Closing it cuts its calls off."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    calls = CallLedger(path=settings.state_dir / "calls.jsonl", clock=clock)
    callees = CalleeLedger(path=settings.state_dir / "callees.jsonl")
    webhooks = CarrierWebhooks(auth_token=settings.twilio_auth_token)
    callbacks = StatusCallbacks(webhooks=webhooks, faults=faults, journal=journal)
    exchange = Exchange(clock=clock, faults=faults, journal=journal, ledger=calls, callbacks=callbacks)
    talk = Conversation(rooms=room_server.rooms, webhooks=webhooks, ledger=callees, journal=journal)
    door = TwilioDoor(settings=settings, faults=faults)
    account = TwilioAccountApi(standing=accounts.twilio, settings=settings, door=door)
    callers = CalleeLedger(path=settings.state_dir / "callers.jsonl")
    incoming = IncomingCalls(
        settings=settings,
        clock=clock,
        journal=journal,
        webhooks=webhooks,
        ledger=callers,
        voice_url_of=account.voice_url_of,
    )
    network = PhoneNetwork(settings=settings, exchange=exchange, talk=talk, incoming=incoming)
    api = TwilioApi(
        network=network,
        settings=settings,
        clock=clock,
        faults=faults,
        journal=journal,
        standing=accounts.twilio,
        door=door,
    )
    control = Control(
        key=settings.twilio_auth_token,
        clock=clock,
        faults=faults,
        calls=calls,
        callees=callees,
        callers=callers,
        network=network,
        room_server=room_server,
        accounts=accounts,
    )

    async def close(_: web.Application) -> None:
        await network.close()
        await callbacks.close()
        await webhooks.close()

    app = web.Application()
    # The account's first: the calls' addresses end with one for everything else.
    app.add_routes([*account.routes(), *api.routes(), *control.routes()])
    app.on_shutdown.append(close)
    return app
