"""The room server as one web application: API, workers' socket, text lines, webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from livekit.api import TokenVerifier

from sandbox.accounts import LiveKitStanding
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.legs import Switchboard
from sandbox.room_api import RoomApi
from sandbox.room_webhooks import RoomWebhooks
from sandbox.rooms import Rooms
from sandbox.settings import SandboxSettings
from sandbox.sip_service import SipService
from sandbox.text_plane import TextPlane
from sandbox.worker_plane import WorkerPlane


class RoomService(Protocol):
    """What the carrier and whoever watches a rehearsal ask of a room server."""

    @property
    def rooms(self) -> Switchboard:
        """Take INVITEs."""

    def count_rooms(self) -> int:
        """Return how many rooms there are."""

    def count_workers(self) -> int:
        """Return how many agent workers are registered."""


@dataclass(frozen=True, kw_only=True)
class RoomServer:
    """The parts of the room server that others talk to."""

    rooms: Rooms
    workers: WorkerPlane
    app: web.Application

    def count_rooms(self) -> int:
        """Return how many rooms there are."""
        return len(self.rooms.all())

    def count_workers(self) -> int:
        """Return how many agent workers are registered."""
        return len(self.workers.workers())


def make_room_server(
    *,
    settings: SandboxSettings,
    faults: Faults,
    journal: Journal,
    standing: LiveKitStanding | None = None,
) -> RoomServer:
    """Build the room server; closing the application ends its rooms.

    :param standing: how the project is set up; by default ready for calls.
    """
    standing = standing or LiveKitStanding()
    key, secret = settings.livekit_api_key, settings.livekit_api_secret
    sip = SipService()
    if standing.sip_at_start:
        sip.set_up(username=settings.sip_username, password=settings.sip_password)
    rooms = Rooms(sip=sip, journal=journal)
    webhooks = RoomWebhooks(
        url=settings.livekit_webhook_url, api_key=key, api_secret=secret, faults=faults, standing=standing
    )
    rooms.listeners.append(webhooks)
    workers = WorkerPlane(rooms=rooms, api_key=key, api_secret=secret, faults=faults, journal=journal)
    verifier = TokenVerifier(key, secret)
    api = RoomApi(rooms=rooms, workers=workers, verifier=verifier, faults=faults)

    async def close(_: web.Application) -> None:
        rooms.close()
        await workers.close()
        await webhooks.close()

    app = web.Application()
    app.add_routes(
        [
            web.get("/", _alive),
            web.get("/agent", workers.socket),
            web.get("/text-line", TextPlane(rooms=rooms, verifier=verifier).line),
            web.post("/twirp/livekit.{service}/{method}", api.call),
        ]
    )
    app.on_shutdown.append(close)
    return RoomServer(rooms=rooms, workers=workers, app=app)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="OK")
