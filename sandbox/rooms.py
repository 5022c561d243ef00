"""The room server's state: which rooms there are, and who comes and goes. Knows no HTTP and no carrier."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from livekit.protocol import models

from sandbox.journal import Journal
from sandbox.legs import (
    AlexSaid,
    AlexSpeaking,
    Leg,
    LegEnded,
    SipInvite,
    SipRefused,
    words_of,
)
from sandbox.room import (
    DEFAULT_DEPARTURE_TIMEOUT,
    DEFAULT_EMPTY_TIMEOUT,
    AgentLine,
    Room,
    leg_info,
    line_info,
    new_id,
)
from sandbox.sip_service import SipService

__all__ = [
    "AlexSaid",
    "AlexSpeaking",
    "Leg",
    "LegEnded",
    "Rooms",
    "SipInvite",
    "SipRefused",
]

SIP_RINGING_TIMEOUT = 180.0
"""Seconds after which the SIP service gives up on a room in which nobody listens."""
ANSWER_DELAY = 0.05
"""Seconds between somebody listening and the 200 OK (133 ms on the real service)."""

SIP_STATUS_OF_END = {
    "ROOM_DELETED": 480,
    "ROOM_CLOSED": 480,
    "DUPLICATE_IDENTITY": 486,
    "CLIENT_INITIATED": 487,
}


class RoomListener(Protocol):
    """Hears what happens in rooms."""

    def __call__(
        self,
        event: str,
        *,
        room: Room,
        participant: models.ParticipantInfo | None = None,
        end_reason: str = "",
    ) -> None:
        """Take note of `event`, named as LiveKit's webhooks name it."""


class Rooms:
    """All rooms. Legs come in through `invite`, agents through `open_line`."""

    def __init__(self, *, sip: SipService, journal: Journal) -> None:
        self.sip = sip
        self._journal = journal
        self._rooms: dict[str, Room] = {}
        self.listeners: list[RoomListener] = []

    def get(self, name: str) -> Room | None:
        """Return the room of that name, or None."""
        return self._rooms.get(name)

    def all(self) -> list[Room]:
        """Return every room, oldest first."""
        return list(self._rooms.values())

    def create(
        self, name: str, *, empty_timeout: int = 0, departure_timeout: int = 0, metadata: str = ""
    ) -> Room:
        """Return the room of that name, made now unless it exists. Timeouts in seconds, 0 = the default."""
        if (known := self._rooms.get(name)) is not None:
            return known
        room = Room(
            name=name,
            empty_timeout=empty_timeout or DEFAULT_EMPTY_TIMEOUT,
            departure_timeout=departure_timeout or DEFAULT_DEPARTURE_TIMEOUT,
            metadata=metadata,
        )
        self._rooms[name] = room
        self._close_after(room, room.empty_timeout)
        self._tell("room_started", room=room)
        return room

    def delete(self, name: str, *, end_reason: str = "ROOM_END_API_DELETE") -> bool:
        """Throw everybody out and forget the room; return whether there was one."""
        room = self._rooms.pop(name, None)
        if room is None:
            return False
        if room.closing is not None:
            room.closing.cancel()
        for line in list(room.lines.values()):
            line.outbox.put_nowait({"type": "room_deleted"})
            self._line_left(room, line, "ROOM_DELETED")
        for leg in list(room.legs.values()):
            self._leg_left(room, leg, "ROOM_DELETED")
        self._tell("room_finished", room=room, end_reason=end_reason)
        return True

    def remove_participant(self, room: Room, identity: str) -> bool:
        """Throw one participant out; return whether it was there."""
        if (leg := room.legs.get(identity)) is not None:
            self._leg_left(room, leg, "PARTICIPANT_REMOVED")
        elif (line := room.lines.get(identity)) is not None:
            self._line_left(room, line, "PARTICIPANT_REMOVED")
        else:
            return False
        return True

    def open_line(self, room_name: str, line: AgentLine) -> Room:
        """Bring Alex into a room; a phone that waits there is answered from now on."""
        room = self.create(room_name)
        if (earlier := room.lines.get(line.identity)) is not None:
            self._line_left(room, earlier, "DUPLICATE_IDENTITY")
        room.lines[line.identity] = line
        self._tell("participant_joined", room=room, participant=line_info(line))
        for leg in room.legs.values():
            line.outbox.put_nowait({"type": "joined", "identity": leg.identity})
            leg.pick_up()
        return room

    def close_line(self, room: Room, line: AgentLine, *, reason: str = "CLIENT_INITIATED") -> None:
        """Note that Alex has gone. A phone in the room stays there, in silence, until the room is deleted."""
        if line.ended_reason is None:
            self._line_left(room, line, reason)

    def hear_alex(self, room: Room, frame: dict[str, Any]) -> None:
        """Deliver what Alex says to every phone in the room.

        :raises ValueError: when the frame is none that the text line knows.
        """
        event = words_of(frame)
        for leg in room.legs.values():
            leg.hear(event)

    async def invite(self, invite: SipInvite) -> Leg:
        """Bring a phone into the room that the dispatch rule names, and wait until it is answered.

        It rings (180) while nobody in the room listens. Cancelling gives up as a carrier's CANCEL does.

        :raises SipRefused: with the SIP status, when it is not answered.
        """
        if not invite.user:
            raise SipRefused(404)
        room = self.create(self.sip.room_for(invite))
        leg = self._bring_in(room, invite)
        try:
            async with asyncio.timeout(SIP_RINGING_TIMEOUT):
                await asyncio.shield(leg.answer)
            await asyncio.sleep(ANSWER_DELAY)
        except TimeoutError:
            self._leg_left(room, leg, "USER_UNAVAILABLE")
            raise SipRefused(480) from None
        except asyncio.CancelledError:
            self._leg_left(room, leg, "CLIENT_INITIATED")
            raise
        if leg.ended_reason is not None:
            raise SipRefused(SIP_STATUS_OF_END.get(leg.ended_reason, 480))
        return leg

    def close(self) -> None:
        """End every room, as a server does that is shut down."""
        for name in list(self._rooms):
            self.delete(name, end_reason="ROOM_END_SERVER_SHUTDOWN")

    def _bring_in(self, room: Room, invite: SipInvite) -> Leg:
        identity = f"sip_{invite.caller}"
        if (earlier := room.legs.get(identity)) is not None:
            self._leg_left(room, earlier, "DUPLICATE_IDENTITY")
        leg = Leg(
            sid=new_id("PA"),
            identity=identity,
            invite=invite,
            to_alex=room.tell_alex,
            leave=lambda leg, reason: self._leg_left(room, leg, reason),
        )
        room.legs[identity] = leg
        if room.closing is not None:
            room.closing.cancel()
            room.closing = None
        self._tell("participant_joined", room=room, participant=leg_info(leg))
        if room.tell_alex({"type": "joined", "identity": identity}):
            leg.pick_up()
        return leg

    def _leg_left(self, room: Room, leg: Leg, reason: str) -> None:
        if leg.ended_reason is not None:
            return
        if room.legs.get(leg.identity) is leg:
            del room.legs[leg.identity]
        leg.end(reason=reason, sip_status=SIP_STATUS_OF_END.get(reason, 480))
        self._tell("participant_left", room=room, participant=leg_info(leg))
        room.tell_alex({"type": "left", "reason": reason})
        if not room.legs and self._rooms.get(room.name) is room:
            self._close_after(room, room.departure_timeout)

    def _line_left(self, room: Room, line: AgentLine, reason: str) -> None:
        line.ended_reason = reason
        if room.lines.get(line.identity) is line:
            del room.lines[line.identity]
        line.outbox.put_nowait(None)
        self._tell("participant_left", room=room, participant=line_info(line))
        if not room.lines:
            for leg in room.legs.values():
                leg.fall_silent()

    def _close_after(self, room: Room, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        room.closing = loop.call_later(seconds, self._close_idle, room)

    def _close_idle(self, room: Room) -> None:
        if self._rooms.get(room.name) is room:
            self.delete(room.name, end_reason="ROOM_END_IDLE_TIMEOUT")

    def _tell(
        self,
        event: str,
        *,
        room: Room,
        participant: models.ParticipantInfo | None = None,
        end_reason: str = "",
    ) -> None:
        who = models.ParticipantInfo.Kind.Name(participant.kind).lower() if participant is not None else ""
        self._journal.note("rooms", event, room=room.name, **({"participant": who} if who else {}))
        for listener in self.listeners:
            listener(event, room=room, participant=participant, end_reason=end_reason)
