"""LiveKit's server API over Twirp: rooms, participants and agent dispatches, for tokens that may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import jwt
from aiohttp import web
from google.protobuf.message import DecodeError, Message
from livekit.api import TokenVerifier, VideoGrants
from livekit.protocol import agent_dispatch
from livekit.protocol import room as room_proto

from sandbox.faults import Faults
from sandbox.room import Room
from sandbox.rooms import Rooms
from sandbox.worker_plane import WorkerPlane

DELETE_SECONDS = 0.02
"""A room is not gone in an instant: words that were sent before the request still reach the ear."""

_STATUS = {
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "bad_route": 404,
    "invalid_argument": 400,
    "malformed": 400,
    "unavailable": 503,
}


class TwirpError(Exception):
    """The call is refused; `code` is Twirp's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RoomApi:
    """Answers RoomService and AgentDispatchService; every request needs a token with the right grant."""

    def __init__(
        self, *, rooms: Rooms, workers: WorkerPlane, verifier: TokenVerifier, faults: Faults
    ) -> None:
        self._rooms = rooms
        self._workers = workers
        self._verifier = verifier
        self._faults = faults
        self._methods: dict[str, Callable[[bytes, VideoGrants], Message]] = {
            "RoomService/CreateRoom": self._create_room,
            "RoomService/DeleteRoom": self._delete_room,
            "RoomService/ListRooms": self._list_rooms,
            "RoomService/ListParticipants": self._list_participants,
            "RoomService/RemoveParticipant": self._remove_participant,
            "AgentDispatchService/CreateDispatch": self._create_dispatch,
            "AgentDispatchService/ListDispatch": self._list_dispatch,
        }

    async def call(self, request: web.Request) -> web.Response:
        """Serve `POST /twirp/livekit.<service>/<method>`."""
        if latency := self._faults.value("livekit.api_latency_seconds"):
            await asyncio.sleep(latency)
        try:
            method = self._method(request)
            body = await request.read()
            if request.match_info["method"] == "DeleteRoom":
                await asyncio.sleep(DELETE_SECONDS)
            answer = method(body, self._grants(request))
        except DecodeError:
            return _error(TwirpError("malformed", "the protobuf request could not be decoded"))
        except TwirpError as exc:
            return _error(exc)
        return web.Response(body=answer.SerializeToString(), content_type="application/protobuf")

    def _method(self, request: web.Request) -> Callable[[bytes, VideoGrants], Message]:
        if self._faults.strikes("livekit.api_5xx"):
            raise TwirpError("unavailable", "no response from servers")
        name = f"{request.match_info['service']}/{request.match_info['method']}"
        if name not in self._methods:
            raise TwirpError("bad_route", f"no handler for path {request.path!r}")
        return self._methods[name]

    def _grants(self, request: web.Request) -> VideoGrants:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claims = self._verifier.verify(token if scheme == "Bearer" else "")
        except jwt.PyJWTError as exc:
            raise TwirpError("unauthenticated", "invalid authorization token") from exc
        return claims.video or VideoGrants()

    def _create_room(self, body: bytes, grants: VideoGrants) -> Message:
        _require(grants.room_create)
        asked = room_proto.CreateRoomRequest.FromString(body)
        if not asked.name:
            raise TwirpError("invalid_argument", "room name is required")
        room = self._rooms.create(
            asked.name,
            empty_timeout=asked.empty_timeout,
            departure_timeout=asked.departure_timeout,
            metadata=asked.metadata,
        )
        for wanted in asked.agents:
            self._workers.dispatch(room=room, agent_name=wanted.agent_name, metadata=wanted.metadata)
        return room.to_proto()

    def _delete_room(self, body: bytes, grants: VideoGrants) -> Message:
        _require(grants.room_create)
        asked = room_proto.DeleteRoomRequest.FromString(body)
        if not self._rooms.delete(asked.room):
            raise TwirpError("not_found", "requested room does not exist")
        return room_proto.DeleteRoomResponse()

    def _list_rooms(self, body: bytes, grants: VideoGrants) -> Message:
        _require(grants.room_list)
        asked = room_proto.ListRoomsRequest.FromString(body)
        rooms = [room for room in self._rooms.all() if not asked.names or room.name in asked.names]
        return room_proto.ListRoomsResponse(rooms=[room.to_proto() for room in rooms])

    def _list_participants(self, body: bytes, grants: VideoGrants) -> Message:
        asked = room_proto.ListParticipantsRequest.FromString(body)
        _require(grants.room_admin and grants.room == asked.room)
        room = self._rooms.get(asked.room)
        return room_proto.ListParticipantsResponse(
            participants=room.participants() if room is not None else []
        )

    def _remove_participant(self, body: bytes, grants: VideoGrants) -> Message:
        asked = room_proto.RoomParticipantIdentity.FromString(body)
        _require(grants.room_admin and grants.room == asked.room)
        if not self._rooms.remove_participant(self._existing(asked.room), asked.identity):
            raise TwirpError("not_found", "participant does not exist")
        return room_proto.RemoveParticipantResponse()

    def _create_dispatch(self, body: bytes, grants: VideoGrants) -> Message:
        asked = agent_dispatch.CreateAgentDispatchRequest.FromString(body)
        _require(grants.room_admin and grants.room == asked.room)
        room = self._rooms.create(asked.room)
        return self._workers.dispatch(room=room, agent_name=asked.agent_name, metadata=asked.metadata)

    def _list_dispatch(self, body: bytes, grants: VideoGrants) -> Message:
        asked = agent_dispatch.ListAgentDispatchRequest.FromString(body)
        _require(grants.room_admin and grants.room == asked.room)
        found = [
            dispatch
            for dispatch in self._workers.dispatches(asked.room)
            if asked.dispatch_id in ("", dispatch.id)
        ]
        return agent_dispatch.ListAgentDispatchResponse(agent_dispatches=found)

    def _existing(self, name: str) -> Room:
        room = self._rooms.get(name)
        if room is None:
            raise TwirpError("not_found", "requested room does not exist")
        return room


def _require(granted: bool | None) -> None:  # noqa: FBT001 - the grant itself is the argument
    if not granted:
        raise TwirpError("unauthenticated", "permissions denied")


def _error(error: TwirpError) -> web.Response:
    return web.json_response({"code": error.code, "msg": str(error)}, status=_STATUS[error.code])
