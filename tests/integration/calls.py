"""One person, one campaign, one call: the least that webhooks and the recorder need."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from outreach.domain.call_status import CallStatus
from outreach.domain.standing import Standing
from outreach.models import Call, Campaign, Facilitator, ScriptVersion
from outreach.services import clock

NUMBER = "+12125550123"
CALLER_ID = "+12125550100"


def make_call(status: CallStatus = CallStatus.DIALING, **fields: Any) -> Call:
    """Create a call that stands at `status`, with Alex ready in its room unless it is not that far."""
    now = clock.now()
    script = ScriptVersion.objects.create(name="Test", version=1, body="", created_at=now)
    campaign = Campaign.objects.create(
        name="Test",
        script=script,
        company="Example",
        platform="Platform",
        platform_facts="",
        caller_ids=[CALLER_ID],
        default_country="US",
        created_at=now,
    )
    person = Facilitator.objects.create(
        campaign=campaign,
        name="Test Person",
        number=NUMBER,
        country="US",
        time_zone="America/New_York",
        consent_basis="express",
        standing=Standing.IN_CALL.value,
        created_at=now,
        updated_at=now,
    )
    return Call.objects.create(
        facilitator=person,
        campaign=campaign,
        script=script,
        number=NUMBER,
        caller_id=CALLER_ID,
        kind="first",
        status=status.value,
        queued_at=now - timedelta(seconds=3),
        deadline_at=now + timedelta(minutes=5),
        **({"agent_job": "AJ_1", "agent_worker": "w1", "agent_seen_at": now, "ready_at": now} | fields),
    )
