"""Placing one call out of turn: through the gate, with a hint to whoever prepares calls."""

from __future__ import annotations

from uuid import UUID

from kombu.exceptions import OperationalError

from outreach import tasks
from outreach.management.operating import Desk
from outreach.services.dispatching import call_now


def place_call(*, facilitator_id: int, desk: Desk) -> UUID:
    """Claim one person, hint at the new call, and return it.

    :raises CannotCall: with the gate's reason.
    """
    call_id = call_now(facilitator_id=facilitator_id, requested_by=desk.operator)
    try:
        tasks.prepare_call.apply_async(kwargs={"call_id": str(call_id)}, retry=False)
    except OperationalError:
        desk.say("The message broker cannot be reached; beat's next tick finds the call.", "yellow")
    return call_id
