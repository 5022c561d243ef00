"""The sandbox's carrier and room server on ports of their own, and a customer who hears their webhooks."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from livekit import api
from livekit.protocol import webhook
from multidict import MultiDictProxy
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from sandbox.accounts import Accounts
from sandbox.callees import TABLE
from sandbox.carrier import make_carrier
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.room_server import RoomServer, make_room_server
from sandbox.settings import SandboxSettings

AUTH_TOKEN = "the-account's-token"
ROOM_KEY, ROOM_SECRET = "devkey", "a-secret-of-at-least-32-characters"
OUR_NUMBER = "+12125550100"
ROOM = "call-0001"
HANG_UP = "<Response><Hangup/></Response>"
CONNECT = (
    '<Response><Dial timeout="{timeout}" action="/dialed/t"><Sip username="alice" password="open sesame">'
    f"sip:{ROOM}@127.0.0.1;transport=tcp?X-Call-Id=0001&amp;Subject=no</Sip></Dial></Response>"
)


def number_of(persona: str) -> str:
    """Return a number, reserved for fiction, that this persona answers."""
    place = next(index for index, candidate in enumerate(TABLE) if candidate.name == persona)
    return f"+120255501{place:02d}"


async def until(true: Callable[[], Any], *, seconds: float = 5.0) -> None:
    """Wait until something is true; fail after a deadline."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


@dataclass
class Heard:
    """One webhook of the carrier's."""

    path: str
    params: MultiDictProxy[Any]
    token: str
    is_signed: bool

    @property
    def status(self) -> str:
        """Return the call's status that it tells."""
        return str(self.params["CallStatus"])


@dataclass
class Customer:
    """Answers webhooks and keeps them."""

    twiml: str = HANG_UP
    failures: int = 0
    """How many of the next status callbacks are answered by 500."""
    answer_status: int = 200
    documents: dict[str, str] = field(default_factory=dict)
    """TwiML for the webhooks to other paths; what is not there hangs up."""
    heard: list[Heard] = field(default_factory=list)
    room_events: list[webhook.WebhookEvent] = field(default_factory=list)

    def statuses(self) -> list[str]:
        """Return what the status callbacks told, in order of arrival."""
        return [heard.status for heard in self.heard if heard.path.startswith("/status")]

    def only(self, path: str) -> Heard:
        """Return the one webhook to `path`."""
        (found,) = [heard for heard in self.heard if heard.path.startswith(path)]
        return found

    async def carrier(self, request: web.Request) -> web.Response:
        """Hear a webhook of the carrier's."""
        params = await request.post()
        signature = request.headers.get("X-Twilio-Signature", "")
        is_signed = RequestValidator(AUTH_TOKEN).validate(str(request.url), params, signature)
        token = request.headers["I-Twilio-Idempotency-Token"]
        self.heard.append(Heard(request.path, params, token, is_signed))
        if request.path.startswith("/status"):
            self.failures -= 1
            return web.Response(status=500 if self.failures >= 0 else 204)
        body = self.twiml if request.path.startswith("/answer") else self.documents.get(request.path, HANG_UP)
        return web.Response(text=body, status=self.answer_status, content_type="text/xml")

    async def rooms(self, request: web.Request) -> web.Response:
        """Hear a webhook of the room server's, as LiveKit's own receiver does."""
        receiver = api.WebhookReceiver(api.TokenVerifier(ROOM_KEY, ROOM_SECRET))
        assert request.content_type == "application/webhook+json"
        event = receiver.receive((await request.read()).decode(), request.headers["Authorization"])
        self.room_events.append(event)
        return web.Response()


class World:
    """Carrier, room server and customer. Use it as a context manager."""

    def __init__(self, *, state_dir: Path, **changes: Any) -> None:
        self.customer = Customer()
        self.clock = RehearsalClock()
        self.faults = Faults(seed=7)
        self.accounts = Accounts()
        self.lines = io.StringIO()
        self._settings = replace(
            SandboxSettings(
                twilio_account_sid="AC" + "0" * 32,
                twilio_auth_token=AUTH_TOKEN,
                livekit_api_key=ROOM_KEY,
                livekit_api_secret=ROOM_SECRET,
                sip_username="alice",
                sip_password="open sesame",
                public_base_url="",
                groq_api_key="gsk_sandbox",
                state_dir=state_dir,
                calls_per_second=100.0,
            ),
            **changes,
        )
        self._stack = AsyncExitStack()
        self._open_lines: list[aiohttp.ClientWebSocketResponse] = []

    async def __aenter__(self) -> Self:
        customer = web.Application()
        customer.add_routes(
            [web.post("/hooks/livekit", self.customer.rooms), web.post("/{path:.*}", self.customer.carrier)]
        )
        self.customer_url = await self._serve(customer)
        settings = replace(self._settings, public_base_url=self.customer_url)
        journal = Journal(clock=self.clock, stream=self.lines)
        self.room_server: RoomServer = make_room_server(
            settings=settings, faults=self.faults, journal=journal
        )
        self.rooms = self.room_server.rooms
        self.rooms_url = await self._serve(self.room_server.app)
        carrier = make_carrier(
            settings=settings,
            clock=self.clock,
            faults=self.faults,
            journal=journal,
            room_server=self.room_server,
            accounts=self.accounts,
        )
        self.carrier_url = await self._serve(carrier)
        self.http = await self._stack.enter_async_context(aiohttp.ClientSession())
        self.livekit = await self._stack.enter_async_context(
            api.LiveKitAPI(self.rooms_url, ROOM_KEY, ROOM_SECRET, failover=False)
        )
        self.twilio = self.twilio_client()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._open_lines:
            await line.close()
        await self._stack.aclose()

    def twilio_client(self, *, token: str = AUTH_TOKEN, timeout: float = 5.0) -> Client:
        """Return Twilio's own client, pointed at the carrier."""
        http = TwilioHttpClient(timeout=timeout)
        client = Client(self._settings.twilio_account_sid, token, http_client=http)
        client.api.base_url = self.carrier_url
        self._stack.callback(http.session.close)
        return client

    async def place(self, to: str, *, client: Client | None = None, **changes: Any) -> Any:
        """Place one call with Twilio's client, as the product does."""
        order = {
            "to": to,
            "from_": OUR_NUMBER,
            "url": f"{self.customer_url}/answer/t",
            "status_callback": f"{self.customer_url}/status/t",
            "status_callback_event": ["initiated", "ringing", "answered", "completed"],
            "timeout": 10,
            "time_limit": 60,
        }
        return await asyncio.to_thread((client or self.twilio).calls.create, **order | changes)

    async def ended(self, sid: str) -> Any:
        """Return the call once it is over and the customer was told."""
        await until(lambda: any(heard.params.get("CallDuration") for heard in self.customer.heard))
        return await asyncio.to_thread(self.twilio.calls(sid).fetch)

    async def control(self, what: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the rehearsal's door, or tell it something."""
        async with self.http.request(
            "GET" if body is None else "POST",
            f"{self.carrier_url}/control/{what}",
            json=body,
            headers={"X-Sandbox-Key": AUTH_TOKEN},
        ) as response:
            return await response.json()

    async def open_line(self, *, room: str = ROOM, identity: str = "alex") -> aiohttp.ClientWebSocketResponse:
        """Open Alex's text line into a room."""
        grants = api.VideoGrants(room_join=True, room=room, agent=True)
        token = api.AccessToken(ROOM_KEY, ROOM_SECRET).with_identity(identity).with_grants(grants)
        line = await self.http.ws_connect(
            f"{self.rooms_url}/text-line", params={"access_token": token.to_jwt()}
        )
        self._open_lines.append(line)  # nobody's line would be collected, and closed
        return line

    def journal(self) -> list[dict[str, Any]]:
        """Return what the terminal would have shown."""
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"
