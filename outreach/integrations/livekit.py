"""Rooms over LiveKit's server API, and its webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import jwt
from asgiref.sync import async_to_sync
from django.conf import settings
from google.protobuf.json_format import MessageToDict, Parse, ParseError
from livekit import api
from livekit.api.twirp_client import ServerError, ServerErrorCode
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from outreach.integrations.telephony import (
    Fault,
    Rooms,
    RoomState,
    TelephonyRefused,
    TelephonyUnavailable,
)

TOTAL_TIMEOUT = 10.0
CONNECT_TIMEOUT = 3.0

#: Seconds that a room outlives its last participant: none to speak of, a call is over then.
DEPARTURE_TIMEOUT = 2
#: Alex, the person, and an operator who listens in.
MAX_PARTICIPANTS = 3

#: Kinds of participant that stand for a human being on a line.
_PEOPLE = frozenset({ParticipantInfo.STANDARD, ParticipantInfo.SIP, ParticipantInfo.CONNECTOR})


class InvalidSignature(Exception):
    """The webhook was not sent by our LiveKit server, or not with this body."""


class MalformedEvent(Exception):
    """The webhook is genuine but cannot be read."""


@dataclass(frozen=True, kw_only=True)
class RoomEvent:
    """One webhook, as far as calls are concerned."""

    event_id: str
    kind: str
    room: str
    participant_kind: str
    """LiveKit's name of the kind, such as "AGENT" or "SIP"; empty when the event is about no participant."""
    identity: str
    payload: dict[str, Any]


class LiveKitRooms:
    """The room server, over LiveKit's API."""

    def __init__(self, *, url: str, api_key: str, api_secret: str) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret

    def prepare_room(self, *, room: str, agent_name: str, metadata: str, empty_timeout: int) -> None:
        """Create `room` and dispatch the agent into it, once. Success does not mean that one comes.

        :param empty_timeout: seconds that a room without a person is kept.
        :raises TelephonyUnavailable: when the server could not be asked or refused.
        """
        with _errors():
            async_to_sync(self._prepare_room)(room, agent_name, metadata, empty_timeout)

    def delete_room(self, room: str) -> None:
        """End the room and with it every leg in it; a room that is gone already is fine.

        :raises TelephonyUnavailable: when it could not be asked.
        """
        with _errors():
            async_to_sync(self._delete_room)(room)

    def room_state(self, room: str) -> RoomState | None:
        """Return who is in `room`, or None when there is no such room.

        :raises TelephonyUnavailable: when it could not be asked.
        """
        with _errors():
            return async_to_sync(self._room_state)(room)

    def _client(self) -> api.LiveKitAPI:
        return livekit_client(url=self._url, api_key=self._api_key, api_secret=self._api_secret)

    async def _prepare_room(self, room: str, agent_name: str, metadata: str, empty_timeout: int) -> None:
        async with self._client() as client:
            await client.room.create_room(
                api.CreateRoomRequest(
                    name=room,
                    empty_timeout=empty_timeout,
                    departure_timeout=DEPARTURE_TIMEOUT,
                    max_participants=MAX_PARTICIPANTS,
                )
            )
            await client.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(room=room, agent_name=agent_name, metadata=metadata)
            )

    async def _delete_room(self, room: str) -> None:
        async with self._client() as client:
            await delete_room(client, room)

    async def _room_state(self, room: str) -> RoomState | None:
        async with self._client() as client:
            # ListParticipants answers with an empty list for a room that does not exist.
            listed = await client.room.list_rooms(api.ListRoomsRequest(names=[room]))
            if not listed.rooms:
                return None
            try:
                present = await client.room.list_participants(api.ListParticipantsRequest(room=room))
            except ServerError as exc:
                if exc.code == ServerErrorCode.NOT_FOUND:
                    return None
                raise
        kinds = [
            participant.kind for participant in present.participants if not participant.permission.hidden
        ]
        return RoomState(
            agents=sum(kind == ParticipantInfo.AGENT for kind in kinds),
            people=sum(kind in _PEOPLE for kind in kinds),
        )


def livekit_client(*, url: str, api_key: str, api_secret: str) -> api.LiveKitAPI:
    """Return a client that asks once and gives up in time; to be made inside a running loop.

    Without failover: the SDK would otherwise replay a timed-out request in another region, and a replayed
    CreateDispatch could bring a second Alex.
    """
    timeout = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, connect=CONNECT_TIMEOUT)
    return api.LiveKitAPI(url, api_key, api_secret, timeout=timeout, failover=False)


async def delete_room(client: api.LiveKitAPI, room: str) -> None:
    """Delete a room; one that is gone already is no error."""
    try:
        await client.room.delete_room(api.DeleteRoomRequest(room=room))
    except ServerError as exc:
        if exc.code != ServerErrorCode.NOT_FOUND:
            raise


def rooms() -> Rooms:
    """Return the room server that the settings name."""
    return LiveKitRooms(
        url=settings.LIVEKIT_URL, api_key=settings.LIVEKIT_API_KEY, api_secret=settings.LIVEKIT_API_SECRET
    )


def parse_webhook(*, body: bytes, authorization: str, api_key: str, api_secret: str) -> RoomEvent:
    """Return the event in a webhook whose token and body hash are genuine.

    The SDK's own receiver does the same but raises a bare Exception for a wrong hash.

    :param authorization: the header's value: the bare token, without "Bearer".
    :raises InvalidSignature: when the token is not ours, is expired, or was made for another body.
    :raises MalformedEvent: when the body is genuine but no event.
    """
    try:
        claims = api.TokenVerifier(api_key, api_secret).verify(authorization)
        expected = base64.b64decode(claims.sha256 or "", validate=True)
    except (jwt.PyJWTError, binascii.Error, ValueError, TypeError, AttributeError) as exc:
        raise InvalidSignature("the token is not ours") from exc
    if not hmac.compare_digest(hashlib.sha256(body).digest(), expected):
        raise InvalidSignature("the token was made for another body")
    try:
        event = Parse(body.decode(), WebhookEvent(), ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError) as exc:
        raise MalformedEvent("the body is no event") from exc
    if not event.id or not event.event:
        raise MalformedEvent("the event has no id or no name")
    return RoomEvent(
        event_id=event.id,
        kind=event.event,
        room=event.room.name,
        participant_kind=ParticipantInfo.Kind.Name(event.participant.kind)
        if event.HasField("participant")
        else "",
        identity=event.participant.identity,
        payload=MessageToDict(event, preserving_proto_field_name=True),
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Translate what may go wrong with a request, and tell a definite no from a server that is not there.

    :raises TelephonyRefused: when LiveKit says no; `http_status` 401 means that the keys are wrong.
    :raises TelephonyUnavailable: when it could not be asked.
    """
    try:
        yield
    except ServerError as exc:
        if exc.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TelephonyUnavailable(f"LiveKit answered {exc.status} ({exc.code})") from exc
        raise TelephonyRefused(
            exc.message or f"LiveKit answered {exc.status}",
            code=str(exc.code),
            fault=Fault.ACCOUNT,
            http_status=exc.status,
        ) from exc
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise TelephonyUnavailable(f"LiveKit could not be asked ({type(exc).__name__})") from exc


@contextmanager
def _errors() -> Iterator[None]:
    """Translate what may go wrong with a request; messages name no room's people."""
    try:
        yield
    except ServerError as exc:
        raise TelephonyUnavailable(f"LiveKit answered {exc.status} ({exc.code})") from exc
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise TelephonyUnavailable(f"LiveKit could not be asked ({type(exc).__name__})") from exc
