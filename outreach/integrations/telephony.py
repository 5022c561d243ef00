"""What the product needs from a carrier and from a room server, and how asking can go wrong.

TelephonyError
├── TelephonyUnavailable      the question never got there; asking again is safe
├── TelephonyRefused          a definite no: `code`, `http_status`, and whose fault it is
└── DialOutcomeUnknown        the phone may or may not have rung; never dial again on this

Busy and no answer are no errors but statuses. The implementations are `twilio.py` and `livekit.py`,
the fakes `tests/fakes.py`; one contract suite runs against both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from outreach.domain.call_status import CallStatus


class TelephonyError(Exception):
    """Telephony could not be asked, or could not say what happened."""


class TelephonyUnavailable(TelephonyError):
    """The question never reached telephony; asking again is safe."""


class Fault(StrEnum):
    """Who has to act on a refusal."""

    NUMBER = "number"
    """The called number: it does not exist, or may not be called (this person's end)."""
    ACCOUNT = "account"
    """Our account, credentials, caller ID or permissions: hold the campaign, not the person."""
    PACE = "pace"
    """Too fast (429, concurrency): never an attempt; slow down."""


class TelephonyRefused(TelephonyError):
    """The carrier said no before any phone rang; asking the same again will not help."""

    def __init__(self, message: str, *, code: str, fault: Fault, http_status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.fault = fault
        self.http_status = http_status


class DialOutcomeUnknown(TelephonyError):
    """The phone may or may not have rung. Never dial again on this; ask the carrier later."""


@dataclass(frozen=True, kw_only=True)
class CallOrder:
    """One call to place, as the carrier must hear it."""

    call_id: UUID
    token: str
    to: str
    from_: str
    ring_timeout: int
    """Seconds of ringing."""
    max_duration: int
    """Seconds after which the carrier itself ends the call."""


@dataclass(frozen=True, kw_only=True)
class ProviderCall:
    """What the carrier says of one call."""

    sid: str
    status: CallStatus
    """RINGING also stands for the carrier's own queue."""
    created_at: datetime | None
    duration: int | None = None
    """Seconds, once it is over."""


class Telephony(Protocol):
    """The carrier: places one call, and knows what became of it."""

    def place_call(self, order: CallOrder) -> ProviderCall:
        """Place exactly one call; never repeats a request.

        :raises TelephonyRefused: when the carrier definitely placed nothing.
        :raises DialOutcomeUnknown: on a time-out, a reset or a 5xx.
        """

    def fetch_call(self, sid: str) -> ProviderCall | None:
        """Return what the carrier knows of `sid`, or None when it knows no such call.

        :raises TelephonyUnavailable: when it could not be asked.
        """

    def find_calls(self, *, to: str, from_: str, created_after: datetime) -> list[ProviderCall]:
        """Return our outbound calls between the two numbers created at or after a time.

        Lists without a time filter, since a queued call has no start time, and filters itself.

        :raises TelephonyUnavailable: when it could not be asked.
        """

    def end_call(self, sid: str) -> None:
        """Cancel a call that has not been answered, or hang up one that has; done twice is fine.

        :raises TelephonyUnavailable: when it could not be asked.
        """


@dataclass(frozen=True, kw_only=True)
class AccountState:
    """What the carrier says of our account."""

    trial: bool
    active: bool


class CarrierAccount(Protocol):
    """Our account at the carrier, as far as dialing asks about it."""

    def state(self) -> AccountState:
        """Return its kind, and whether it is active.

        :raises TelephonyRefused: when the carrier knows no such account.
        :raises TelephonyUnavailable: when it could not be asked.
        """


@dataclass(frozen=True, kw_only=True)
class RoomState:
    """Who is in a room."""

    agents: int
    people: int


class Rooms(Protocol):
    """The room server: a room with Alex in it, per call."""

    def prepare_room(self, *, room: str, agent_name: str, metadata: str, empty_timeout: int) -> None:
        """Create `room` and dispatch the agent into it, once. Success does not mean that one comes.

        :param empty_timeout: seconds that a room without a person is kept.
        :raises TelephonyUnavailable: when the server could not be asked or refused.
        """

    def delete_room(self, room: str) -> None:
        """End the room and with it every leg in it; a room that is gone already is fine.

        :raises TelephonyUnavailable: when it could not be asked.
        """

    def room_state(self, room: str) -> RoomState | None:
        """Return who is in `room`, or None when there is no such room.

        :raises TelephonyUnavailable: when it could not be asked.
        """
