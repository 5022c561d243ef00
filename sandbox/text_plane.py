"""The text line's server side: a WebSocket that stands for Alex's audio in a room."""

from __future__ import annotations

import asyncio
import json

import jwt
from aiohttp import WSMsgType, web
from livekit.api import TokenVerifier

from sandbox.room import AgentLine
from sandbox.rooms import Rooms

CLOSE_GRACE = 2.0
"""Seconds that the last frames have to reach Alex once the line is closed from our side."""


class TextPlane:
    """Lets an agent with a participant token into its room by text."""

    def __init__(self, *, rooms: Rooms, verifier: TokenVerifier) -> None:
        self._rooms = rooms
        self._verifier = verifier

    async def line(self, request: web.Request) -> web.WebSocketResponse:
        """Serve `GET /text-line?access_token=…`; the token must allow to join a room."""
        try:
            claims = self._verifier.verify(request.query.get("access_token", ""))
        except jwt.PyJWTError as exc:
            raise web.HTTPUnauthorized(text="invalid token") from exc
        if claims.video is None or not claims.video.room_join or not claims.video.room:
            raise web.HTTPForbidden(text="the token does not allow to join a room")
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        line = AgentLine(identity=claims.identity, name=claims.name, attributes=dict(claims.attributes or {}))
        await self._serve(socket, claims.video.room, line)
        return socket

    async def _serve(self, socket: web.WebSocketResponse, room_name: str, line: AgentLine) -> None:
        room = self._rooms.open_line(room_name, line)
        sender = asyncio.create_task(_send(socket, line))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or line.ended_reason is not None:
                    continue
                try:
                    self._rooms.hear_alex(room, json.loads(message.data))
                except ValueError as exc:
                    await socket.close(code=1003, message=str(exc).encode())
        finally:
            self._rooms.close_line(room, line, reason="CLIENT_INITIATED")
            done, pending = await asyncio.wait({sender}, timeout=CLOSE_GRACE)
            for task in pending:
                task.cancel()
            await asyncio.gather(*done, *pending, return_exceptions=True)


async def _send(socket: web.WebSocketResponse, line: AgentLine) -> None:
    while (frame := await line.outbox.get()) is not None:
        if socket.closed:
            return
        await socket.send_str(json.dumps(frame, ensure_ascii=False))
    await socket.close()
