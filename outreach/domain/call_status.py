"""What the network did with one call, as ranks: an event only ever moves a call further.

Events from the provider get lost, doubled and reordered (Twilio promises no order, LiveKit no
delivery), so the rule is not a table of edges but one comparison. Terminal statuses absorb, except
``not_placed``: it is our conclusion, and the provider may prove it wrong.
"""

from __future__ import annotations

from enum import StrEnum


class CallStatus(StrEnum):
    """Where one call (one dial of one number) stands on the network."""

    QUEUED = "queued"
    PREPARING = "preparing"
    DIALING = "dialing"
    UNKNOWN = "unknown"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELED = "canceled"
    NOT_PLACED = "not_placed"


TERMINAL: frozenset[CallStatus] = frozenset(
    {
        CallStatus.COMPLETED,
        CallStatus.NO_ANSWER,
        CallStatus.BUSY,
        CallStatus.FAILED,
        CallStatus.CANCELED,
        CallStatus.NOT_PLACED,
    }
)

OPEN: frozenset[CallStatus] = frozenset(CallStatus) - TERMINAL

#: Statuses in which the provider may already hold a call of ours.
PROVIDER_STATUSES: frozenset[CallStatus] = frozenset(
    {
        CallStatus.RINGING,
        CallStatus.IN_PROGRESS,
        CallStatus.COMPLETED,
        CallStatus.NO_ANSWER,
        CallStatus.BUSY,
        CallStatus.FAILED,
        CallStatus.CANCELED,
    }
)

RANK: dict[CallStatus, int] = {
    CallStatus.QUEUED: 0,
    CallStatus.PREPARING: 1,
    CallStatus.DIALING: 2,
    CallStatus.UNKNOWN: 3,
    CallStatus.RINGING: 4,
    CallStatus.IN_PROGRESS: 5,
    **dict.fromkeys(TERMINAL, 10),
}


def may_move(stored: CallStatus, new: CallStatus) -> bool:
    """Tell whether an event that says `new` moves a call forward from `stored`."""
    if stored is CallStatus.NOT_PLACED:
        return new in PROVIDER_STATUSES
    return RANK[new] > RANK[stored]


def sources_of(new: CallStatus) -> list[str]:
    """Return the stored values from which a call may move to `new`, sorted, for a compare-and-set."""
    return sorted(stored.value for stored in CallStatus if may_move(stored, new))
