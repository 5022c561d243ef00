"""The room server: one contract, kept by the fake and by LiveKit's client; and its signed webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web

from outreach.integrations.livekit import (
    InvalidSignature,
    LiveKitRooms,
    MalformedEvent,
    RoomEvent,
    parse_webhook,
)
from outreach.integrations.telephony import Rooms, RoomState, TelephonyUnavailable
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.room import AgentLine
from sandbox.room_server import RoomServer, make_room_server
from sandbox.settings import SandboxSettings
from tests.fakes import FakeRooms

pytestmark = pytest.mark.integration

KEY, SECRET = "devkey", "throw-away-livekit-secret-of-32-chars"
ROOM = "call-11111111-1111-4111-8111-111111111111"


@dataclass(kw_only=True)
class RunningServer:
    """The room emulator on a socket, in a loop of its own."""

    url: str
    server: RoomServer
    faults: Faults
    loop: asyncio.AbstractEventLoop

    def do(self, work: Callable[[], object]) -> None:
        """Run `work` in the server's loop."""

        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self.loop).result(5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    settings = SandboxSettings(
        twilio_account_sid="AC",
        twilio_auth_token="token",
        livekit_api_key=KEY,
        livekit_api_secret=SECRET,
        sip_username="u",
        sip_password="p",
        public_base_url="http://127.0.0.1:9",
        groq_api_key="gsk_tests",
        state_dir=tmp_path,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    faults = Faults()
    room_server = make_room_server(
        settings=settings, faults=faults, journal=Journal(clock=RehearsalClock(), stream=io.StringIO())
    )
    runner = web.AppRunner(room_server.app)

    async def start() -> str:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"ws://127.0.0.1:{runner.addresses[0][1]}"

    url = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    yield RunningServer(url=url, server=room_server, faults=faults, loop=loop)
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def rooms_at(url: str, secret: str = SECRET) -> LiveKitRooms:
    return LiveKitRooms(url=url, api_key=KEY, api_secret=secret)


@dataclass(kw_only=True)
class Rehearsed:
    """One implementation, and how a test lets Alex join."""

    rooms: Rooms
    alex_joins: Callable[[str], None]


@pytest.fixture(params=["fake", "livekit"])
def rehearsed(request: pytest.FixtureRequest) -> Rehearsed:
    if request.param == "fake":
        fake = FakeRooms()
        return Rehearsed(rooms=fake, alex_joins=lambda room: setattr(fake.existing[room], "agents", 1))
    running: RunningServer = request.getfixturevalue("server")
    return Rehearsed(
        rooms=rooms_at(running.url),
        alex_joins=lambda room: running.do(
            lambda: running.server.rooms.open_line(room, AgentLine(identity="agent-1"))
        ),
    )


def prepare(rooms: Rooms) -> None:
    rooms.prepare_room(room=ROOM, agent_name="alex", metadata='{"version": 1}', empty_timeout=60)


class TestTheContract:
    def test_prepares_a_room_in_which_nobody_is_yet(self, rehearsed: Rehearsed) -> None:
        prepare(rehearsed.rooms)
        assert rehearsed.rooms.room_state(ROOM) == RoomState(agents=0, people=0)

    def test_sees_alex_in_the_room(self, rehearsed: Rehearsed) -> None:
        prepare(rehearsed.rooms)
        rehearsed.alex_joins(ROOM)
        assert rehearsed.rooms.room_state(ROOM) == RoomState(agents=1, people=0)

    def test_knows_no_room_that_was_never_prepared(self, rehearsed: Rehearsed) -> None:
        assert rehearsed.rooms.room_state(ROOM) is None

    def test_deletes_a_room_and_does_not_mind_a_repeat(self, rehearsed: Rehearsed) -> None:
        prepare(rehearsed.rooms)
        rehearsed.rooms.delete_room(ROOM)
        rehearsed.rooms.delete_room(ROOM)
        assert rehearsed.rooms.room_state(ROOM) is None


class TestLiveKitRooms:
    def test_dispatches_the_agent_once_with_the_brief(self, server: RunningServer) -> None:
        prepare(rooms_at(server.url))
        [dispatch] = server.server.workers.dispatches(ROOM)
        assert (dispatch.agent_name, dispatch.metadata) == ("alex", '{"version": 1}')

    def test_keeps_an_empty_room_as_long_as_asked(self, server: RunningServer) -> None:
        prepare(rooms_at(server.url))
        room = server.server.rooms.get(ROOM)
        assert room is not None
        assert (room.empty_timeout, room.departure_timeout) == (60, 2)

    @pytest.mark.parametrize("secret", ["another-secret-of-more-than-32-characters"])
    def test_says_when_the_server_refuses_us(self, server: RunningServer, secret: str) -> None:
        with pytest.raises(TelephonyUnavailable, match="401"):
            prepare(rooms_at(server.url, secret))

    def test_says_when_the_server_fails_and_does_not_repeat(self, server: RunningServer) -> None:
        server.faults.set({"livekit.api_5xx": 1.0})
        with pytest.raises(TelephonyUnavailable, match="503"):
            prepare(rooms_at(server.url))
        assert server.server.rooms.get(ROOM) is None

    def test_says_when_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        rooms = rooms_at(f"ws://127.0.0.1:{port}")
        for ask in (lambda: prepare(rooms), lambda: rooms.delete_room(ROOM), lambda: rooms.room_state(ROOM)):
            with pytest.raises(TelephonyUnavailable):
                ask()


EVENT: dict[str, Any] = {
    "event": "participant_joined",
    "id": "EV_1",
    "createdAt": "1800000000",
    "room": {"name": ROOM, "sid": "RM_1"},
    "participant": {"identity": "agent-1", "kind": "AGENT"},
    "aFieldOfTomorrow": {"x": 1},
}
BODY = json.dumps(EVENT).encode()


def token(body: bytes = BODY, **changed: Any) -> str:
    """Sign a body as LiveKit does; a claim of None is left out."""
    secret = changed.pop("secret", SECRET)
    claims = {
        "iss": KEY,
        "nbf": int(time.time()) - 5,
        "exp": int(time.time()) + 300,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    } | changed
    return jwt.encode({name: claim for name, claim in claims.items() if claim is not None}, secret, "HS256")


def parsed(body: bytes = BODY, authorization: str = "") -> RoomEvent:
    return parse_webhook(body=body, authorization=authorization, api_key=KEY, api_secret=SECRET)


class TestParseWebhook:
    def test_reads_a_genuine_event(self) -> None:
        event = parsed(authorization=token())
        assert (event.event_id, event.kind, event.room) == ("EV_1", "participant_joined", ROOM)
        assert (event.participant_kind, event.identity) == ("AGENT", "agent-1")
        assert event.payload["room"]["sid"] == "RM_1"

    def test_names_no_participant_where_there_is_none(self) -> None:
        body = json.dumps({"event": "room_started", "id": "EV_2", "room": {"name": ROOM}}).encode()
        assert parsed(body, token(body)).participant_kind == ""

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "nonsense",
            "Bearer " + token(),
            token(secret="a-forger's-secret-of-more-than-32-chars"),
            token(iss="another-key"),
            token(exp=int(time.time()) - 3600),
            token(exp=None),
            token(sha256=None),
            token(sha256="not base64"),
            token(b"another body"),
            jwt.encode({"iss": KEY, "exp": 2_000_000_000}, "", "none"),
        ],
        ids=[
            "missing",
            "no-jwt",
            "bearer",
            "other-secret",
            "other-key",
            "expired",
            "no-exp",
            "no-hash",
            "bad-hash",
            "other-body",
            "alg-none",
        ],
    )
    def test_refuses_what_is_not_genuine(self, authorization: str) -> None:
        with pytest.raises(InvalidSignature):
            parsed(authorization=authorization)

    @pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b'{"event": "room_started"}'])
    def test_says_when_a_genuine_body_is_no_event(self, body: bytes) -> None:
        with pytest.raises(MalformedEvent):
            parsed(body, token(body))
