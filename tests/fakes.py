"""A carrier and a room server in memory, with the manners of the real ones."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.integrations.telephony import (
    CallOrder,
    DialOutcomeUnknown,
    ProviderCall,
    RoomState,
    TelephonyError,
    TelephonyUnavailable,
)


@dataclass(kw_only=True)
class _Placed:
    order: CallOrder
    call: ProviderCall


class FakeTelephony:
    """Keeps a ledger of what was asked of it; a test says what happens on the network."""

    def __init__(self) -> None:
        self.orders: list[CallOrder] = []
        """Every order that arrived, placed or not."""
        self.ended: list[str] = []
        """SIDs that we asked to end, repeats included."""
        self.now = datetime.now(UTC)
        self.unavailable = False
        """While on, every question fails."""
        self._placed: dict[str, _Placed] = {}
        self._next_error: TelephonyError | None = None
        self._places_before_error = False

    def fail_next_dial(self, error: TelephonyError) -> None:
        """Answer the next order with `error`; an unknown outcome leaves no call behind."""
        self._next_error, self._places_before_error = error, False

    def lose_next_answer(self) -> None:
        """Place the next call, but let the answer get lost."""
        self._next_error, self._places_before_error = DialOutcomeUnknown("the answer got lost"), True

    def becomes(self, sid: str, status: CallStatus, *, duration: int | None = None) -> None:
        """Let the network move a call."""
        placed = self._placed[sid]
        placed.call = replace(placed.call, status=status, duration=duration)

    @property
    def calls(self) -> list[ProviderCall]:
        """All calls that the carrier took, oldest first: its ledger."""
        return [placed.call for placed in self._placed.values()]

    def place_call(self, order: CallOrder) -> ProviderCall:
        """Place one call, unless the test has it otherwise."""
        self.orders.append(order)
        error, self._next_error = self._next_error, None
        if error is not None and not self._places_before_error:
            raise error
        call = ProviderCall(sid=f"CA{uuid.uuid4().hex}", status=CallStatus.RINGING, created_at=self.now)
        self._placed[call.sid] = _Placed(order=order, call=call)
        if error is not None:
            raise error
        return call

    def fetch_call(self, sid: str) -> ProviderCall | None:
        """Return the call as it stands."""
        self._be_there()
        placed = self._placed.get(sid)
        return placed.call if placed else None

    def find_calls(self, *, to: str, from_: str, created_after: datetime) -> list[ProviderCall]:
        """Return the pair's calls, newest first as Twilio lists them."""
        self._be_there()
        return [
            placed.call
            for placed in reversed(self._placed.values())
            if (placed.order.to, placed.order.from_) == (to, from_)
            and (placed.call.created_at is None or placed.call.created_at >= created_after)
        ]

    def end_call(self, sid: str) -> None:
        """Cancel or hang up; a call that is over, or unknown, stays as it is."""
        self._be_there()
        self.ended.append(sid)
        placed = self._placed.get(sid)
        if placed is None or placed.call.status in TERMINAL:
            return
        answered = placed.call.status is CallStatus.IN_PROGRESS
        self.becomes(sid, CallStatus.COMPLETED if answered else CallStatus.CANCELED)

    def _be_there(self) -> None:
        if self.unavailable:
            raise TelephonyUnavailable("the carrier could not be asked")


@dataclass(kw_only=True)
class FakeRoom:
    """One room, and with what it was prepared."""

    agent_name: str
    metadata: str
    empty_timeout: int
    agents: int = 0
    people: int = 0


@dataclass(kw_only=True)
class FakeRooms:
    """Keeps rooms; nobody joins unless the test says so, as when no worker is there."""

    existing: dict[str, FakeRoom] = field(default_factory=dict)
    prepared: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unavailable: bool = False

    def prepare_room(self, *, room: str, agent_name: str, metadata: str, empty_timeout: int) -> None:
        """Create the room and remember the dispatch."""
        self._be_there()
        self.prepared.append(room)
        self.existing[room] = FakeRoom(agent_name=agent_name, metadata=metadata, empty_timeout=empty_timeout)

    def delete_room(self, room: str) -> None:
        """Forget the room."""
        self._be_there()
        self.deleted.append(room)
        self.existing.pop(room, None)

    def room_state(self, room: str) -> RoomState | None:
        """Return who is in the room."""
        self._be_there()
        found = self.existing.get(room)
        return RoomState(agents=found.agents, people=found.people) if found else None

    def _be_there(self) -> None:
        if self.unavailable:
            raise TelephonyUnavailable("the room server could not be asked")
