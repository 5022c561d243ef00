"""A call at any status, made without the way there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from outreach.domain.call_status import CallStatus
from outreach.domain.standing import CallKind, Standing
from outreach.models import Call
from outreach.services import clock
from tests.factories import a_campaign, a_person


def make_call(status: CallStatus = CallStatus.DIALING, **fields: Any) -> Call:
    """Create a call that stands at `status`, with Alex ready in its room unless `fields` say otherwise."""
    now = clock.now()
    person = a_person(a_campaign(), standing=Standing.IN_CALL.value, next_call_at=None)
    alex = {"agent_job": "AJ_1", "agent_worker": "w1", "agent_seen_at": now, "ready_at": now}
    rest = {
        "facilitator": person,
        "campaign": person.campaign,
        "script": person.campaign.script,
        "number": person.number,
        "caller_id": person.campaign.caller_ids[0],
        "kind": CallKind.FIRST.value,
        "status": status.value,
        "queued_at": now - timedelta(seconds=3),
        "deadline_at": now + timedelta(minutes=5),
    }
    return Call.objects.create(**(rest | alex | fields))
