"""Where a facilitator stands; changed only by import, settle and operators."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """Where a facilitator stands in one campaign."""

    NEW = "new"
    WAITING = "waiting"
    IN_CALL = "in_call"
    RETRY_DUE = "retry_due"
    CALLBACK_DUE = "callback_due"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    SUPPRESSED = "suppressed"
    EXHAUSTED = "exhausted"
    HELD = "held"
    NEEDS_REVIEW = "needs_review"


#: Standings with a `next_call_at`: the queue.
CALLABLE: frozenset[Standing] = frozenset(
    {Standing.NEW, Standing.WAITING, Standing.RETRY_DUE, Standing.CALLBACK_DUE}
)

#: Standings that no tick ever leaves: the person is done, or an operator must act.
CLOSED: frozenset[Standing] = frozenset(Standing) - CALLABLE - {Standing.IN_CALL}


class CallKind(StrEnum):
    """Why this call is made."""

    FIRST = "first"
    RETRY = "retry"
    CALLBACK = "callback"
    MANUAL = "manual"
