"""A browser's way into a room: what its key opens, and how a server without sound is told from a real one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from livekit.api import TokenVerifier

from outreach.integrations.livekit_browser import LiveKitDoor
from outreach.integrations.telephony import TelephonyUnavailable
from tests.integration.outside_world import ROOM_KEY, ROOM_SECRET, World

pytestmark = pytest.mark.integration


class Server:
    """A LiveKit server of which only the question about a connection is known."""

    def __init__(self) -> None:
        self.answers = 200
        self.asked: list[tuple[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.path, self.headers["Authorization"]))
                self.send_response(server.answers)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"ws://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def door_at(url: str) -> LiveKitDoor:
    return LiveKitDoor(url=url, api_key=ROOM_KEY, api_secret=ROOM_SECRET)


class TestWhetherTheServerCarriesSound:
    def test_is_asked_where_browsers_ask_with_a_key_that_stays_out_of_its_log(self, server: Server) -> None:
        assert door_at(f"{server.url}/").carries_sound()
        ((path, authorization),) = server.asked
        assert path == "/rtc/validate"
        claims = TokenVerifier(ROOM_KEY, ROOM_SECRET).verify(authorization.removeprefix("Bearer "))
        assert claims.video is not None
        assert (claims.video.room_join, claims.video.room_create) == (True, True)

    def test_is_no_where_there_is_no_signalling(self, server: Server) -> None:
        server.answers = 404
        assert not door_at(server.url).carries_sound()

    @pytest.mark.parametrize("status", [401, 403, 302, 500, 502])
    def test_is_not_known_when_it_answers_something_else(self, server: Server, status: int) -> None:
        server.answers = status
        with pytest.raises(TelephonyUnavailable, match=f"LiveKit answered {status}"):
            door_at(server.url).carries_sound()

    def test_is_not_known_when_nobody_answers(self) -> None:
        with pytest.raises(TelephonyUnavailable, match="could not be asked"):
            door_at("ws://127.0.0.1:1").carries_sound()

    async def test_is_no_for_rooms_of_text(self, tmp_path: Path) -> None:
        async with World(state_dir=tmp_path) as world:
            assert not await asyncio.to_thread(door_at(world.rooms_url).carries_sound)


class TestAKey:
    def test_opens_one_room_for_a_microphone_and_two_ears(self) -> None:
        key = door_at("wss://livekit.test").key_for(room="call-1", identity="web-1", name="root")
        claims = TokenVerifier(ROOM_KEY, ROOM_SECRET).verify(key.token)
        assert (key.url, claims.identity, claims.name) == ("wss://livekit.test", "web-1", "root")
        assert claims.kind in ("", "standard")
        grants = claims.video
        assert grants is not None
        assert (grants.room_join, grants.room, grants.can_subscribe) == (True, "call-1", True)
        assert grants.can_publish_sources == ["microphone"]
        assert not any(
            (grants.can_publish_data, grants.room_create, grants.room_admin, grants.room_list, grants.agent)
        )

    def test_is_in_no_log(self) -> None:
        key = door_at("wss://livekit.test").key_for(room="call-1", identity="web-1", name="root")
        assert key.token not in repr(key)
