"""Calling several people out of turn: each through the whole gate, as many as there are places for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from outreach.models import DialingControl, Facilitator
from outreach.services import clock
from outreach.services.capacity import capacity_of
from outreach.services.dispatching import CannotCall, call_now

NO_PLACE = "Every place is taken: call them when a call is over, or let them wait for their turn."


@dataclass(frozen=True, kw_only=True)
class Called:
    """The calls that were queued, and of those who are not called, their ids by the reason."""

    calls: list[UUID] = field(default_factory=list)
    refused: dict[str, list[int]] = field(default_factory=dict)


def call_many(*, facilitator_ids: Sequence[int], requested_by: str) -> Called:
    """Claim these people out of turn, in this order, and return the calls and the refusals.

    Each in a transaction of its own: what one is refused takes nobody else's call back.
    """
    called = Called()
    people = Facilitator.objects.select_related("campaign").in_bulk(facilitator_ids)
    control = DialingControl.objects.get(pk=1)
    for facilitator_id in facilitator_ids:
        person = people.get(facilitator_id)
        if person is None:
            continue
        if capacity_of(person.campaign, control, now=clock.now()).free < 1:
            called.refused.setdefault(NO_PLACE, []).append(facilitator_id)
            continue
        try:
            called.calls.append(call_now(facilitator_id=facilitator_id, requested_by=requested_by))
        except CannotCall as refusal:
            called.refused.setdefault(str(refusal), []).append(facilitator_id)
    return called
