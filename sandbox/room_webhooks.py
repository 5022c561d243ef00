"""LiveKit's webhooks: signed, one queue per room, dropped rather than delivered late."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections import deque
from dataclasses import dataclass, field

import aiohttp
from google.protobuf.json_format import MessageToJson
from livekit.api import AccessToken
from livekit.protocol import models, webhook

from sandbox.accounts import LiveKitStanding
from sandbox.faults import Faults
from sandbox.room import Room, new_id

MAX_AGE = 30.0
"""Seconds after which an event is dropped (livekit/protocol webhook/resource_url_notifier.go)."""
MAX_DEPTH = 200
ATTEMPTS = 3
_BACKOFF = 0.5


@dataclass(kw_only=True)
class _Outbox:
    waiting: deque[tuple[float, webhook.WebhookEvent]] = field(default_factory=deque)
    dropped: int = 0


class RoomWebhooks:
    """Reports what happens in rooms to one address; delivery is not guaranteed."""

    def __init__(
        self, *, url: str, api_key: str, api_secret: str, faults: Faults, standing: LiveKitStanding
    ) -> None:
        self._url = url
        self._standing = standing
        self._key, self._secret = api_key, api_secret
        self._faults = faults
        self._outboxes: dict[str, _Outbox] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    def __call__(
        self,
        event: str,
        *,
        room: Room,
        participant: models.ParticipantInfo | None = None,
        end_reason: str = "",
    ) -> None:
        """Queue one event behind the room's earlier ones."""
        identity = participant.identity if participant is not None else ""
        if not self._standing.webhooks:
            return
        if self._faults.strikes("livekit.webhook_dropped", key=f"{room.name}/{event}/{identity}"):
            return
        message = webhook.WebhookEvent(
            event=event,
            id=new_id("EV"),
            created_at=int(time.time()),
            room=room.to_proto(),
            room_end_reason=end_reason or "ROOM_END_UNKNOWN",
        )
        if participant is not None:
            message.participant.CopyFrom(participant)
        outbox = self._outboxes.get(room.sid)
        if outbox is None:
            outbox = self._outboxes[room.sid] = _Outbox()
            task = asyncio.create_task(self._drain(room.sid, outbox))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(outbox.waiting) >= MAX_DEPTH:
            outbox.dropped += 1
            return
        outbox.waiting.append((time.monotonic(), message))

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    async def _drain(self, room_sid: str, outbox: _Outbox) -> None:
        while outbox.waiting:
            queued_at, event = outbox.waiting.popleft()
            if time.monotonic() - queued_at > MAX_AGE:
                outbox.dropped += 1
                continue
            event.num_dropped = outbox.dropped
            if not await self._deliver(event):
                outbox.dropped += 1
        del self._outboxes[room_sid]

    async def _deliver(self, event: webhook.WebhookEvent) -> bool:
        body = MessageToJson(event, indent=None).encode()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {
            "Authorization": AccessToken(self._key, self._secret).with_sha256(digest).to_jwt(),
            "Content-Type": "application/webhook+json",
        }
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        for attempt in range(ATTEMPTS):
            try:
                async with self._http.post(self._url, data=body, headers=headers) as response:
                    if response.status < 500:
                        return response.status < 300
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(_BACKOFF * 2**attempt)
        return False
