"""One room and who is in it, as LiveKit's messages describe them."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from livekit.protocol import models

from sandbox.legs import Leg

DEFAULT_EMPTY_TIMEOUT = 300
DEFAULT_DEPARTURE_TIMEOUT = 20
"""Seconds; the defaults of livekit-server."""


def new_id(prefix: str) -> str:
    """Return an id in LiveKit's manner, e.g. `RM_…`."""
    return f"{prefix}_{uuid.uuid4().hex[:12]}"


@dataclass(kw_only=True)
class AgentLine:
    """Alex's open text line into a room: what an agent with a published track is on a real server."""

    identity: str
    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    sid: str = field(default_factory=lambda: new_id("PA"))
    joined_at: float = field(default_factory=time.time)
    outbox: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)
    """Frames for Alex; None closes the line."""
    ended_reason: str | None = None


@dataclass(kw_only=True)
class Room:
    """A room: it exists from its creation until it is deleted or has been empty for too long."""

    name: str
    empty_timeout: int
    departure_timeout: int
    metadata: str = ""
    sid: str = field(default_factory=lambda: new_id("RM"))
    created_at: float = field(default_factory=time.time)
    lines: dict[str, AgentLine] = field(default_factory=dict)
    legs: dict[str, Leg] = field(default_factory=dict)
    closing: asyncio.TimerHandle | None = None
    """Runs while no person is in the room: an agent alone counts as empty."""

    def tell_alex(self, frame: dict[str, Any]) -> bool:
        """Send `frame` to every agent in the room; return whether there is one."""
        for line in self.lines.values():
            line.outbox.put_nowait(frame)
        return bool(self.lines)

    def to_proto(self) -> models.Room:
        """Return the room as LiveKit's API and webhooks show it."""
        return models.Room(
            sid=self.sid,
            name=self.name,
            empty_timeout=self.empty_timeout,
            departure_timeout=self.departure_timeout,
            creation_time=int(self.created_at),
            creation_time_ms=int(self.created_at * 1000),
            metadata=self.metadata,
            num_participants=len(self.lines) + len(self.legs),
            num_publishers=len(self.lines) + sum(leg.is_answered for leg in self.legs.values()),
        )

    def participants(self) -> list[models.ParticipantInfo]:
        """Return everybody in the room."""
        return [line_info(line) for line in self.lines.values()] + [
            leg_info(leg) for leg in self.legs.values()
        ]


def _info(
    *, sid: str, identity: str, joined_at: float, reason: str | None, **details: Any
) -> models.ParticipantInfo:
    state = models.ParticipantInfo.ACTIVE if reason is None else models.ParticipantInfo.DISCONNECTED
    return models.ParticipantInfo(
        sid=sid,
        identity=identity,
        state=state,
        joined_at=int(joined_at),
        joined_at_ms=int(joined_at * 1000),
        disconnect_reason=reason or "UNKNOWN_REASON",
        **details,
    )


def line_info(line: AgentLine) -> models.ParticipantInfo:
    """Return an agent as LiveKit's API and webhooks show it."""
    return _info(
        sid=line.sid,
        identity=line.identity,
        joined_at=line.joined_at,
        reason=line.ended_reason,
        name=line.name,
        kind=models.ParticipantInfo.AGENT,
        is_publisher=True,
        attributes=line.attributes,
    )


def leg_info(leg: Leg) -> models.ParticipantInfo:
    """Return a phone as LiveKit's API and webhooks show it."""
    status = "active" if leg.is_answered else "ringing"
    if leg.ended_reason is not None:
        status = "hangup"
    attributes = {
        "sip.callID": leg.sid.replace("PA_", "SCL_"),
        "sip.callStatus": status,
        "sip.phoneNumber": leg.invite.caller,
        "sip.trunkPhoneNumber": leg.invite.user,
    }
    attributes |= {f"sip.h.{name.lower()}": value for name, value in leg.invite.headers.items()}
    if "X-Twilio-CallSid" in leg.invite.headers:
        attributes["sip.twilio.callSid"] = leg.invite.headers["X-Twilio-CallSid"]
    return _info(
        sid=leg.sid,
        identity=leg.identity,
        joined_at=leg.joined_at,
        reason=leg.ended_reason,
        name=f"Phone {leg.invite.caller}",
        kind=models.ParticipantInfo.SIP,
        is_publisher=leg.is_answered,
        attributes=attributes,
    )
