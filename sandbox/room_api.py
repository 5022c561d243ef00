"""LiveKit's server API over Twirp: rooms, participants and agent dispatches, for tokens that may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import jwt
from aiohttp import web
from google.protobuf.message import DecodeError, Message
from livekit.api import TokenVerifier, VideoGrants
from livekit.api.access_token import Claims
from livekit.protocol import agent_dispatch
from livekit.protocol import room as room_proto

from sandbox.faults import Faults
from sandbox.room import Room
from sandbox.rooms import Rooms
from sandbox.sip_api import SipApi
from sandbox.twirp import TwirpError, error, require
from sandbox.worker_plane import WorkerPlane

DELETE_SECONDS = 0.02
"""A room is not gone in an instant: words that were sent before the request still reach the ear."""


class RoomApi:
    """Answers RoomService, AgentDispatchService and SIP; every request needs a token with the right grant."""

    def __init__(
        self, *, rooms: Rooms, workers: WorkerPlane, verifier: TokenVerifier, faults: Faults
    ) -> None:
        self._rooms = rooms
        self._workers = workers
        self._verifier = verifier
        self._faults = faults
        about_rooms: dict[str, Callable[[bytes, VideoGrants], Message]] = {
            "RoomService/CreateRoom": self._create_room,
            "RoomService/DeleteRoom": self._delete_room,
            "RoomService/ListRooms": self._list_rooms,
            "RoomService/ListParticipants": self._list_participants,
            "RoomService/RemoveParticipant": self._remove_participant,
            "AgentDispatchService/CreateDispatch": self._create_dispatch,
            "AgentDispatchService/ListDispatch": self._list_dispatch,
        }
        self._methods: dict[str, Callable[[bytes, Claims], Message]] = {
            name: _by_video_grants(method) for name, method in about_rooms.items()
        } | SipApi(rooms.sip).methods

    async def call(self, request: web.Request) -> web.Response:
        """Serve `POST /twirp/livekit.<service>/<method>`."""
        if latency := self._faults.value("livekit.api_latency_seconds"):
            await asyncio.sleep(latency)
        try:
            method = self._method(request)
            body = await request.read()
            if request.match_info["method"] == "DeleteRoom":
                await asyncio.sleep(DELETE_SECONDS)
            answer = method(body, self._claims(request))
        except DecodeError:
            return error(TwirpError("malformed", "the protobuf request could not be decoded"))
        except TwirpError as exc:
            return error(exc)
        return web.Response(body=answer.SerializeToString(), content_type="application/protobuf")

    def _method(self, request: web.Request) -> Callable[[bytes, Claims], Message]:
        if self._faults.strikes("livekit.api_5xx"):
            raise TwirpError("unavailable", "no response from servers")
        name = f"{request.match_info['service']}/{request.match_info['method']}"
        if name not in self._methods:
            raise TwirpError("bad_route", f"no handler for path {request.path!r}")
        return self._methods[name]

    def _claims(self, request: web.Request) -> Claims:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            return self._verifier.verify(token if scheme == "Bearer" else "")
        except jwt.PyJWTError as exc:
            raise TwirpError("unauthenticated", "invalid authorization token") from exc

    def _create_room(self, body: bytes, grants: VideoGrants) -> Message:
        require(grants.room_create)
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
        require(grants.room_create)
        asked = room_proto.DeleteRoomRequest.FromString(body)
        if not self._rooms.delete(asked.room):
            raise TwirpError("not_found", "requested room does not exist")
        return room_proto.DeleteRoomResponse()

    def _list_rooms(self, body: bytes, grants: VideoGrants) -> Message:
        require(grants.room_list)
        asked = room_proto.ListRoomsRequest.FromString(body)
        rooms = [room for room in self._rooms.all() if not asked.names or room.name in asked.names]
        return room_proto.ListRoomsResponse(rooms=[room.to_proto() for room in rooms])

    def _list_participants(self, body: bytes, grants: VideoGrants) -> Message:
        asked = room_proto.ListParticipantsRequest.FromString(body)
        require(grants.room_admin and grants.room == asked.room)
        room = self._rooms.get(asked.room)
        return room_proto.ListParticipantsResponse(
            participants=room.participants() if room is not None else []
        )

    def _remove_participant(self, body: bytes, grants: VideoGrants) -> Message:
        asked = room_proto.RoomParticipantIdentity.FromString(body)
        require(grants.room_admin and grants.room == asked.room)
        if not self._rooms.remove_participant(self._existing(asked.room), asked.identity):
            raise TwirpError("not_found", "participant does not exist")
        return room_proto.RemoveParticipantResponse()

    def _create_dispatch(self, body: bytes, grants: VideoGrants) -> Message:
        asked = agent_dispatch.CreateAgentDispatchRequest.FromString(body)
        require(grants.room_admin and grants.room == asked.room)
        room = self._rooms.create(asked.room)
        return self._workers.dispatch(room=room, agent_name=asked.agent_name, metadata=asked.metadata)

    def _list_dispatch(self, body: bytes, grants: VideoGrants) -> Message:
        asked = agent_dispatch.ListAgentDispatchRequest.FromString(body)
        require(grants.room_admin and grants.room == asked.room)
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


def _by_video_grants(
    method: Callable[[bytes, VideoGrants], Message],
) -> Callable[[bytes, Claims], Message]:
    return lambda body, claims: method(body, claims.video or VideoGrants())
