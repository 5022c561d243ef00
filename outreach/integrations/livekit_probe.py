"""Trying a LiveKit project out with throw-away rooms, which no call uses."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.conf import settings
from livekit import api

from outreach.integrations.livekit import delete_room, livekit_client, refusals

#: Seconds that a forgotten throw-away room is kept.
EMPTY_TIMEOUT = 30


class RoomProbe:
    """Throw-away rooms of one project. Each method sends one request, once."""

    def __init__(self, *, url: str, api_key: str, api_secret: str) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret

    def list_rooms(self) -> None:
        """Ask for a room that is not there: only whether it may be asked matters.

        :raises TelephonyRefused: when LiveKit says no: with `http_status` 401, the keys are wrong.
        :raises TelephonyUnavailable: when it could not be asked.
        """
        with refusals():
            async_to_sync(self._list_rooms)()

    def open(self, room: str) -> None:
        """Create a room; raises as `list_rooms` does."""
        with refusals():
            async_to_sync(self._open)(room)

    def send_agent(self, room: str, *, agent_name: str) -> None:
        """Dispatch the agent into the room, which says nothing about whether one takes it."""
        with refusals():
            async_to_sync(self._send_agent)(room, agent_name)

    def agent_took_it(self, room: str) -> bool:
        """Tell whether a worker took the job that was dispatched into the room."""
        with refusals():
            return async_to_sync(self._agent_took_it)(room)

    def close(self, room: str) -> None:
        """Delete the room; one that is gone already is fine."""
        with refusals():
            async_to_sync(self._close)(room)

    def _client(self) -> api.LiveKitAPI:
        return livekit_client(url=self._url, api_key=self._api_key, api_secret=self._api_secret)

    async def _list_rooms(self) -> None:
        async with self._client() as client:
            await client.room.list_rooms(api.ListRoomsRequest(names=["doctor"]))

    async def _open(self, room: str) -> None:
        async with self._client() as client:
            await client.room.create_room(api.CreateRoomRequest(name=room, empty_timeout=EMPTY_TIMEOUT))

    async def _send_agent(self, room: str, agent_name: str) -> None:
        async with self._client() as client:
            await client.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(room=room, agent_name=agent_name)
            )

    async def _agent_took_it(self, room: str) -> bool:
        async with self._client() as client:
            return any(found.state.jobs for found in await client.agent_dispatch.list_dispatch(room))

    async def _close(self, room: str) -> None:
        async with self._client() as client:
            await delete_room(client, room)


def room_probe() -> RoomProbe:
    """Return the project that the settings name."""
    return RoomProbe(
        url=settings.LIVEKIT_URL, api_key=settings.LIVEKIT_API_KEY, api_secret=settings.LIVEKIT_API_SECRET
    )
