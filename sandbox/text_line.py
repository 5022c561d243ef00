"""Alex's end of a rehearsal's line: text over a WebSocket, where production joins a room with WebRTC.

Connecting is what joining with a published track is in production; hanging up is LiveKit's DeleteRoom.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from livekit import api
from yarl import URL

from agentworker.line import LineJob, LineUnavailable
from agentworker.written_line import WrittenLine

CONNECT_WITHIN = 5.0
HEAR_OUT = 1.0
"""Seconds in which the server closes the line after a DeleteRoom; the person may be heard until then."""


class TextLine(WrittenLine):
    """A telephone call as text."""

    def __init__(self, job: LineJob) -> None:
        super().__init__(job)
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._hanging_up = False

    async def connect(self) -> None:
        """Open the socket; from now on the room server answers the person's phone."""
        url = URL(self._job.url.rstrip("/") + "/text-line").with_query(access_token=self._job.token)
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await asyncio.wait_for(
                self._http.ws_connect(url, heartbeat=20.0, autoping=True), CONNECT_WITHIN
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            await self._http.close()
            raise LineUnavailable("the text line cannot be opened") from exc
        self._tasks = [
            asyncio.create_task(self._hear(self._socket), name="hear"),
            asyncio.create_task(self._speak(self._socket), name="speak"),
        ]

    def deliver(self, *, utterance: int, text: str) -> bool:
        """Put a piece on the wire, unless it is dead."""
        if self._socket is None or self._socket.closed or self._hanging_up:
            return False
        self._send({"type": "speaking", "utterance": utterance, "text": text})
        return True

    def delivered(self, *, utterance: int, text: str, interrupted: bool) -> None:
        """Tell the other side that the utterance is over."""
        self._send({"type": "said", "utterance": utterance, "text": text, "interrupted": interrupted})

    async def hang_up(self) -> None:
        """Delete the room as production does, and hear what was still on its way."""
        await self._sent()
        self._hanging_up = True
        try:
            async with api.LiveKitAPI(self._job.url, self._job.api_key, self._job.api_secret) as livekit:
                await livekit.room.delete_room(api.DeleteRoomRequest(room=self._job.room))
        except (aiohttp.ClientError, api.TwirpError, TimeoutError):
            pass  # The room is gone already, or the sweep will find it.
        if self._tasks:
            await asyncio.wait({self._tasks[0]}, timeout=HEAR_OUT)
        await self._disconnect()

    async def leave(self) -> None:
        """Close the socket only."""
        self._hanging_up = True
        await self._disconnect()

    def _send(self, frame: dict[str, Any]) -> None:
        self._outgoing.put_nowait(json.dumps(frame))

    async def _sent(self) -> None:
        """Return when everything that was said is on the wire."""
        if self._socket is not None and not self._socket.closed:
            try:
                await asyncio.wait_for(self._outgoing.join(), HEAR_OUT)
            except TimeoutError:
                return

    async def _speak(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            frame = await self._outgoing.get()
            try:
                await socket.send_str(frame)
            except (aiohttp.ClientError, ConnectionError):
                return
            finally:
                self._outgoing.task_done()

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._heard(json.loads(message.data))
        if not self._hanging_up:
            self.listener.room_closed()

    def _heard(self, frame: dict[str, Any]) -> None:
        kind = frame.get("type")
        if kind == "joined":
            self.person_joined()
        elif kind == "speaking":
            self.listener.person_speaking()
        elif kind == "said":
            self.listener.person_said(str(frame.get("text", "")))
        elif kind == "left" and not self._hanging_up:
            self.listener.person_left()
        elif kind == "room_deleted" and not self._hanging_up:
            self.listener.room_closed()

    async def _disconnect(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._socket is not None:
            await self._socket.close()
        if self._http is not None:
            await self._http.close()
